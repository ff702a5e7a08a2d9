use std::io::{Cursor, Write};
use std::path::Path;

use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const COLUMNS: [&str; 7] = ["image", "id", "patient", "split", "pathology", "mask", "words"];
const EXPECTED: Expected = Expected {
    columns: Some(&COLUMNS),
    needed: &["image"],
    prose: &["words"],
    encoding: None,
    advice: "name its encoding",
};

fn table_as(name: &str, bytes: impl AsRef<[u8]>) -> Result<Table, Refusal> {
    parse(bytes.as_ref().to_vec(), Path::new(name), &EXPECTED)
}

fn table(bytes: impl AsRef<[u8]>) -> Result<Table, Refusal> {
    table_as("t.csv", bytes)
}

/// A row's line, its values by columns, and whether it is sound.
type Told = (u64, Vec<(&'static str, String)>, bool);

fn rows(table: &Table) -> Vec<Told> {
    let values = |row: &Row| {
        let value = |column: &&'static str| Some((*column, row.text(column).ok()??));
        COLUMNS.iter().filter_map(value).collect::<Vec<_>>()
    };
    table.rows.iter().map(|row| (row.line, values(row), row.sound().is_ok())).collect()
}

/// What is wrong, and in which line.
fn refused(bytes: impl AsRef<[u8]>) -> (u64, String) {
    let refusal = table(bytes).expect_err("a refusal");
    (refusal.line, refusal.message)
}

/// A workbook with one sheet of texts; what is a number is written as one.
pub(super) fn workbook(rows: &[&[&str]]) -> Vec<u8> {
    let cell = |row: usize, column: usize, text: &str| {
        let name = format!("{}{}", char::from(b'A' + column as u8), row + 1);
        match text {
            "" => String::new(),
            text if text.starts_with('#') => format!("<c r=\"{name}\" t=\"e\"><v>{text}</v></c>"),
            text if text.parse::<f64>().is_ok() => format!("<c r=\"{name}\"><v>{text}</v></c>"),
            text => format!("<c r=\"{name}\" t=\"inlineStr\"><is><t>{text}</t></is></c>"),
        }
    };
    let row = |(at, cells): (usize, &&[&str])| {
        let cells: String = cells.iter().enumerate().map(|(c, text)| cell(at, c, text)).collect();
        format!("<row r=\"{}\">{cells}</row>", at + 1)
    };
    let rows: String = rows.iter().enumerate().map(row).collect();
    package(&[&format!("<sheetData>{rows}</sheetData>")])
}

/// A workbook of sheets whose content is given.
fn package(sheets: &[&str]) -> Vec<u8> {
    const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const DOCUMENT: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let mut part = |name: &str, text: String| {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    };
    let each = |form: &dyn Fn(usize) -> String| (1..=sheets.len()).map(form).collect::<String>();
    let named = each(&|n| format!("<sheet name=\"S{n}\" sheetId=\"{n}\" r:id=\"r{n}\"/>"));
    let link = format!(
        "<Relationship Id=\"r0\" Type=\"{DOCUMENT}/officeDocument\" Target=\"xl/workbook.xml\"/>"
    );
    part("_rels/.rels", format!("{HEAD}<Relationships xmlns=\"{PACKAGE}\">{link}</Relationships>"));
    part(
        "xl/workbook.xml",
        format!(
            "{HEAD}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{DOCUMENT}\"><sheets>{named}</sheets></workbook>"
        ),
    );
    let links = each(&|n| {
        format!(
            "<Relationship Id=\"r{n}\" Type=\"{DOCUMENT}/worksheet\" Target=\"worksheets/sheet{n}.xml\"/>"
        )
    });
    part(
        "xl/_rels/workbook.xml.rels",
        format!("{HEAD}<Relationships xmlns=\"{PACKAGE}\">{links}</Relationships>"),
    );
    for (n, sheet) in (1..).zip(sheets) {
        part(
            &format!("xl/worksheets/sheet{n}.xml"),
            format!("{HEAD}<worksheet xmlns=\"{MAIN}\">{sheet}</worksheet>"),
        );
    }
    archive.finish().unwrap().into_inner()
}

const PLAIN: &str = "image,id,patient,split,pathology,mask,words\n\
    a.png,a,p1,train,malignant,m.png,\"a mass, large\"\n\
    b.png,b,p2,validation,,,\n\
    c.png,c,p3,test,,,6\" wide\n";

#[test]
fn what_programs_add_is_read() {
    let plain = table(PLAIN).unwrap();
    let expected = rows(&plain);
    assert_eq!(expected.iter().map(|row| row.0).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(expected[0].1[6], ("words", "a mass, large".to_owned()));
    assert_eq!(expected[2].1[4], ("words", "6\" wide".to_owned()));
    let values = |text: &str| -> Vec<Vec<(String, String)>> {
        let table = table(text).unwrap_or_else(|refusal| panic!("{refusal}: {text}"));
        let named = |values: Vec<(&str, String)>| {
            values.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
        };
        rows(&table)
            .into_iter()
            .inspect(|row| assert!(row.2, "{text}"))
            .map(|row| named(row.1))
            .collect()
    };
    let known = values(PLAIN);
    let quoted = PLAIN.replace("mass, large", "mass; large");
    let semicolons =
        PLAIN.replace("mass, large", "mass\u{1}large").replace(',', ";").replace('\u{1}', ", ");
    let tabs =
        PLAIN.replace("mass, large", "mass\u{1}large").replace(',', "\t").replace('\u{1}', ", ");
    let capitals = PLAIN.replacen("image,id,patient", " Image , ID,\u{a0}PATIENT", 1);
    for text in [
        format!("\u{feff}{PLAIN}"),
        PLAIN.replace('\n', "\r\n"),
        PLAIN.replace('\n', "\r"),
        PLAIN.trim_end().to_owned(),
        semicolons.clone(),
        tabs,
        format!("sep=;\r\n{semicolons}"),
        format!("\"sep=;\"\n{semicolons}"),
        capitals,
        format!("\n,,,,,,\n{PLAIN}\n,,,,,,\n  \n,,,,,,\n"),
        // Blank columns at the end, of the header or of rows.
        PLAIN.lines().map(|line| format!("{line},,\n")).collect(),
        PLAIN
            .lines()
            .enumerate()
            .map(|(at, line)| format!("{line}{}\n", if at > 0 { ",," } else { "" }))
            .collect(),
        // The index that pandas writes.
        PLAIN
            .lines()
            .enumerate()
            .map(|(at, line)| match at {
                0 => format!(",{line}\n"),
                at => format!("{},{line}\n", at - 1),
            })
            .collect(),
        PLAIN
            .lines()
            .enumerate()
            .map(|(at, line)| match at {
                0 => format!("Unnamed: 0,{line}\n"),
                at => format!("{at},{line}\n"),
            })
            .collect(),
    ] {
        assert_eq!(values(&text), known, "{text:?}");
    }
    assert_eq!(values(&quoted)[1..], known[1..]);
    // As PowerShell writes what a program prints.
    let wide: Vec<u8> =
        format!("\u{feff}{PLAIN}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(rows(&table(wide).unwrap()), expected);
}

#[test]
fn what_makes_rows_uncertain_is_refused_at_its_line() {
    let header = "image,id,patient,split,pathology,mask,words\n";
    for (text, line, says) in [
        ("image,id,patient,pathology,Pathology \na,a,p,malignant,benign\n".to_owned(), 1, "twice"),
        ("\n\nimage,patology\na,b\n".to_owned(), 3, "did you mean `pathology`?"),
        (format!("{header}a,a,p,train,,,\"a mass\nb,b,p2,test,,,\n"), 2, "never closed"),
        (
            format!(
                "{header}a,a,p,train,,,\n\nb,b,p,test,malignant,m,\"a mass\nc,c,p,train,,,\nd,d,p,test,,,\"x\"\n"
            ),
            4,
            "goes on after the next one, in line 6",
        ),
        (
            format!("{header}a,a,p,train,,,\"a mass\nb,b,p2,test,,,\nc,c,p,train,,,x\"\n"),
            2,
            "further rows",
        ),
        (format!("{header}a,\"a\n\",\"p\nq\",train,,,\n"), 2, "`patient` goes over several lines"),
        ("image,,patient\na,x,p\n".to_owned(), 1, "column 2 has no name"),
        (",image,patient\n0,a,p\n5,b,q\n".to_owned(), 1, "column 1 has no name"),
        ("patient,words\np,w\n".to_owned(), 1, "has no column `image`"),
        ("".to_owned(), 0, "is empty"),
    ] {
        let (at, message) = refused(&text);
        assert_eq!(at, line, "{message}: {text}");
        assert!(message.contains(says), "{message} / {says}");
    }
    // A value over lines is prose where prose is expected, and line breaks around a value are nothing.
    let prose =
        table(format!("{header}a,a,\"p\n\",train,,,\"a mass,\nlarge\"\nb,b,q,,,,\n")).unwrap();
    assert_eq!(prose.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 5]);
    assert_eq!(prose.rows[0].verbatim("words"), Some("a mass,\nlarge"));
    assert_eq!(prose.rows[0].text("patient"), Ok(Some("p".into())));
    // Nothing of a table without a header is repeated.
    let (_, message) = refused("a.png,Doe^Jane\nb.png,Roe^Mary\n");
    assert!(!message.contains("Doe"), "{message}");
    let (line, message) = refused(b"image,patient\na.png,J\xe4ger\n");
    assert_eq!((line, message.as_str()), (2, "is not UTF-8; name its encoding"));
    let older = Expected { encoding: "windows-1252".parse().ok(), ..EXPECTED };
    let read =
        parse(b"image,patient\na,J\xe4ger\nb,J\xf6ger\n".to_vec(), Path::new("t.csv"), &older)
            .unwrap();
    let patients: Vec<_> =
        read.rows.iter().map(|row| row.text("patient").unwrap().unwrap()).collect();
    assert_eq!(patients, ["Jäger", "Jöger"]);
}

#[test]
fn a_row_of_another_length_has_a_flaw() {
    let read = table("image,patient,words\na,p\nb,p,w,x\nc,p,\nd,p,,,\n").unwrap();
    let sound: Vec<bool> = read.rows.iter().map(|row| row.sound().is_ok()).collect();
    assert_eq!(sound, [false, false, true, true]);
    assert!(read.rows[0].sound().unwrap_err().contains("2 values"));
}

#[test]
fn workbooks_are_known_by_content() {
    let bytes = workbook(&[
        &["Image", "patient", "words"],
        &[],
        &["a.png", "12", "a &amp; b", ""],
        &["b.png", "4.5", "#N/A"],
        &["c.png", "", "#REF!"],
        &["d.png", "", "", "", "x"],
    ]);
    for name in ["t.xlsx", "t.csv"] {
        let read = table_as(name, &bytes).unwrap();
        let row = |line, values: &[(&'static str, &str)], sound| {
            (line, values.iter().map(|(k, v)| (*k, (*v).to_owned())).collect::<Vec<_>>(), sound)
        };
        let expected = [
            row(3, &[("image", "a.png"), ("patient", "12"), ("words", "a & b")], true),
            row(4, &[("image", "b.png"), ("patient", "4.5")], true),
            row(5, &[("image", "c.png")], false),
            row(6, &[("image", "d.png")], false),
        ];
        assert_eq!(rows(&read), expected);
        assert_eq!(read.notes, Vec::<String>::new());
    }
    let twice = workbook(&[&["image", "Image"], &["a", "b"]]);
    assert!(table(twice).unwrap_err().message.contains("twice"));
    // The first sheet with values counts, and others are told of.
    let cell = |text: &str| {
        format!(
            "<sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>{text}</t></is></c></row></sheetData>"
        )
    };
    let several = package(&["<sheetData/>", &cell("image"), &cell("x")]);
    let read = table(several).unwrap();
    assert_eq!(
        (read.rows.len(), &read.notes[..]),
        (0, &["its first sheet is read, 1 others are not".to_owned()][..])
    );
}

#[test]
fn a_workbook_is_not_believed_on_its_size() {
    let far = package(&[
        "<dimension ref=\"A1:XFD1048576\"/><sheetData><row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row></sheetData>",
    ]);
    assert!(table(far).unwrap_err().message.contains("beyond 512 columns"));
    let zeros = package(&[&format!("<sheetData>{}</sheetData>", " ".repeat(1 << 27))]);
    assert!(table(zeros).unwrap_err().message.contains("unpacks to more than"));
    let mut torn = workbook(&[&["image"], &["a"]]);
    torn.truncate(torn.len() - 30);
    assert!(table(torn).unwrap_err().message.contains("damaged"));
    let other = {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file("content.xml", SimpleFileOptions::default()).unwrap();
        archive.finish().unwrap().into_inner()
    };
    assert!(table(other).unwrap_err().message.contains("without a workbook"));
    assert!(table([0xd0, 0xcf, 0x11, 0xe0, 0]).unwrap_err().message.contains(".xlsx"));
}

#[test]
fn rows_that_name_their_columns() {
    let lines = "{\"image\": \"a.png\", \"ID\": 4}\r\n\r\n{\"image\": \"b.png\", \"words\": null, \"_x\": [1]}\r\n";
    let read = table_as("t.jsonl", lines).unwrap();
    assert_eq!(rows(&read)[0], (1, vec![("image", "a.png".into()), ("id", "4".into())], true));
    assert_eq!(rows(&read)[1], (3, vec![("image", "b.png".into())], true));
    let wide: Vec<u8> =
        format!("\u{feff}{lines}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(rows(&table_as("t.jsonl", wide).unwrap()), rows(&read));
    for (name, text, line, says) in [
        ("t.jsonl", "{\"image\": \"a\"}\n{\"image\": \"CANARY\", }\n", 2, "is no JSON object"),
        (
            "t.jsonl",
            "{\"image\": \"a\", \"mask\": 1, \"Mask\": 2}\n",
            1,
            "names the column `mask` twice",
        ),
        ("t.jsonl", "\n{\"pacient\": \"CANARY\"}\n", 2, "did you mean `patient`?"),
        ("t.yaml", "- image: CANARY\n  image: b\n", 2, "names a column twice"),
        ("t.yaml", "image: CANARY\n", 1, "is not a list of mappings"),
        ("t.md", "x", 0, "expected .csv"),
    ] {
        let refusal = table_as(name, text).unwrap_err();
        assert_eq!(refusal.line, line, "{refusal}");
        assert!(refusal.message.contains(says) && !refusal.message.contains("CANARY"), "{refusal}");
    }
}

proptest! {
    /// What is written by the rules is read as it was, whatever it holds.
    #[test]
    fn what_is_written_is_read(
        cells in prop::collection::vec(prop::collection::vec("[a-zé,;\"\t .0-9]{0,6}", 3), 1..6),
        separator in prop::sample::select(vec![b',', b';', b'\t']),
        crlf: bool,
    ) {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(separator)
            .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .from_writer(Vec::new());
        writer.write_record(["image", "patient", "words"]).unwrap();
        for row in &cells {
            writer.write_record(row).unwrap();
        }
        let read = table(writer.into_inner().unwrap()).unwrap();
        let kept: Vec<(usize, &Vec<String>)> =
            cells.iter().enumerate().filter(|(_, row)| !row.iter().all(|cell| is_blank(cell))).collect();
        prop_assert_eq!(read.rows.len(), kept.len());
        for (row, (at, cells)) in read.rows.iter().zip(kept) {
            prop_assert_eq!(row.line, at as u64 + 2);
            prop_assert!(row.sound().is_ok());
            for (column, cell) in ["image", "patient", "words"].iter().zip(cells) {
                prop_assert_eq!(row.verbatim(column).unwrap_or_default(), if is_blank(cell) { "" } else { cell.as_str() });
            }
        }
    }

    #[test]
    fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[\"ab,;\r\n\t=sep]{0,60}") {
        let _ = table(&bytes);
        let _ = table(format!("image,words\n{text}"));
        let _ = table(text);
    }
}
