//! Tables and masks against what pandas, openpyxl, Pillow and tifffile read in the same files
//! (`tests/golden/handed_in.py`): what is taken here has their values. `UNIT_ATLAS_HANDED_IN` names another output
//! of the script, of more files.

use std::io::Cursor;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::masks::Labels;
use crate::table::{Expected, parse};

#[derive(Deserialize)]
struct Corpus {
    tables: Vec<Table>,
    masks: Vec<Mask>,
}

#[derive(Deserialize)]
struct Table {
    name: String,
    bytes: String,
    encoding: Option<String>,
    columns: Vec<String>,
    rows: Option<Vec<Vec<String>>>,
}

#[derive(Deserialize)]
struct Mask {
    name: String,
    bytes: String,
    stored: Vec<u16>,
    bright: Option<Vec<u8>>,
}

fn corpus() -> Corpus {
    let text = match std::env::var_os("UNIT_ATLAS_HANDED_IN") {
        Some(path) => std::fs::read_to_string(path).unwrap(),
        None => include_str!("../../tests/golden/handed_in.json").to_owned(),
    };
    serde_json::from_str(&text).unwrap()
}

#[test]
fn tables_that_are_taken_have_the_values_of_pandas() {
    let Corpus { tables, .. } = corpus();
    let (mut taken, mut refused, mut flawed) = (0, 0, 0);
    for (number, table) in tables.iter().enumerate() {
        let bytes = STANDARD.decode(&table.bytes).unwrap();
        let encoding = table.encoding.as_ref().map(|name| name.parse().unwrap());
        let expected =
            Expected { columns: None, needed: &["image"], prose: &["words"], encoding, advice: "" };
        let said = || format!("table {number}, {:?}", String::from_utf8_lossy(&bytes));
        let read = match parse(bytes.clone(), Path::new(&table.name), &expected) {
            Ok(read) => read,
            Err(_) => {
                refused += 1;
                continue;
            }
        };
        // A row that is not sound is never used.
        if read.rows.iter().any(|row| row.sound().is_err()) {
            flawed += 1;
            continue;
        }
        taken += 1;
        let rows = table.rows.as_ref().unwrap_or_else(|| panic!("pandas refuses {}", said()));
        let found: Vec<Vec<&str>> = read
            .rows
            .iter()
            .map(|row| {
                table
                    .columns
                    .iter()
                    .map(|column| row.verbatim(column).unwrap_or_default())
                    .collect()
            })
            .collect();
        assert_eq!(&found, rows, "{}", said());
    }
    println!(
        "{taken} tables are read alike, {refused} refused, {flawed} have a row that is not used"
    );
    // Most files are as programs write them.
    assert!(taken * 3 > tables.len() * 2);
}

#[test]
fn masks_have_the_pixels_of_pillow() {
    let Corpus { masks, .. } = corpus();
    let (mut values, mut two) = (0, 0);
    for (number, mask) in masks.iter().enumerate() {
        let bytes = STANDARD.decode(&mask.bytes).unwrap();
        let labels = Labels::read(Cursor::new(&bytes), Path::new("none"));
        let labels =
            labels.unwrap_or_else(|error| panic!("mask {number}, {}: {error:#}", mask.name));
        let there: std::collections::BTreeSet<u16> = mask.stored.iter().copied().collect();
        for value in there {
            let expected: Vec<bool> = mask.stored.iter().map(|v| *v == value).collect();
            match labels.marked(Some(value)) {
                Ok(found) => assert_eq!(
                    found.pixels, expected,
                    "mask {number}, {}, value {value}",
                    mask.name
                ),
                // Only what is transparent is not marked by its value.
                Err(_) => assert!(
                    value == 0 && matches!(mask.name.as_str(), "LA" | "RGBA"),
                    "mask {number}"
                ),
            }
            values += 1;
        }
        if let Some(bright) = &mask.bright {
            let expected: Vec<bool> = bright.iter().map(|v| *v == 1).collect();
            assert_eq!(
                labels.marked(None).unwrap().pixels,
                expected,
                "mask {number}, {}",
                mask.name
            );
            two += 1;
        }
    }
    println!("{} masks: {values} values and {two} masks of two values alike", masks.len());
    assert!(two > 0);
}
