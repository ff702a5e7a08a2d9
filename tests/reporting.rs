//! What an atlas says of its data to those who ask: the checklist of CLAIM, the datasheet, and Croissant.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::Fixture;
use crate::support::reading::main_text;

fn rows(fixture: &Fixture, file: &str) -> Vec<Vec<String>> {
    let bytes = std::fs::read(fixture.site().join("data").join(file)).unwrap();
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let records = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect());
    records.collect()
}

fn page(fixture: &Fixture, path: &str) -> String {
    std::fs::read_to_string(fixture.site().join(path)).unwrap()
}

#[test]
fn each_item_of_the_checklist_is_answered_or_open() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(folder.path(), 4);
    fixture.build().unwrap();
    let items = rows(&fixture, "claim.csv");
    let numbers: Vec<String> = (1..=44).map(|number| number.to_string()).collect();
    assert_eq!(items.iter().map(|row| row[0].clone()).collect::<Vec<_>>(), numbers);
    for row in &items {
        let [_, _, asks, standing, answer, pages, open] = &row[..] else { panic!("{row:?}") };
        assert!(!asks.is_empty());
        match standing.as_str() {
            "answered" => assert!(!answer.is_empty() && open.is_empty(), "{row:?}"),
            "partly" => assert!(!answer.is_empty() && !open.is_empty(), "{row:?}"),
            "open" => assert!(answer.is_empty() && !open.is_empty(), "{row:?}"),
            other => panic!("{other}"),
        }
        for path in pages.split("; ").filter(|path| !path.is_empty()) {
            assert!(fixture.site().join(path).is_file(), "{path}");
        }
    }
    // What an atlas of phantoms knows by itself.
    let standing = |number: usize| items[number - 1][3].as_str();
    assert_eq!([9, 19, 22, 25, 27, 29].map(standing), ["answered"; 6]);
    assert_eq!([3, 15, 44].map(standing), ["open"; 3]);
    let text = main_text(&page(&fixture, "data/claim/index.html"));
    assert!(text.contains("What parameters started from"), "{text}");
    // The same sentence stands on the methods page.
    let cutting = &items[8][4];
    let methods = main_text(&page(&fixture, "methods/index.html"));
    let sentence = cutting.split(". ").next().unwrap();
    assert!(methods.contains(sentence), "{sentence}\n{methods}");
    // Of synthetic images nobody asks about people.
    let keys: Vec<String> =
        rows(&fixture, "datasheet.csv").into_iter().map(|row| row[0].clone()).collect();
    assert!(keys.contains(&"ethics".into()) && !keys.contains(&"consent".into()), "{keys:?}");
}

#[test]
fn authors_answer_what_an_atlas_cannot_know() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 4);
    fixture.manifest.source.phantom = false;
    fixture.write(
        "content/reporting.yaml",
        "claim:\n  3: Because <b>readers</b> tire.\n  40: One hospital.\ndatasheet:\n  consent: Waived.\n",
    );
    fixture.build().unwrap();
    let claim = page(&fixture, "data/claim/index.html");
    assert!(claim.contains("Because &lt;b&gt;readers") && !claim.contains("<b>readers"), "{claim}");
    let items = rows(&fixture, "claim.csv");
    assert_eq!([items[2][3].as_str(), items[39][3].as_str()], ["answered", "answered"]);
    // What the atlas knows stands before what the authors add.
    assert!(items[39][4].starts_with("Patches of a mammogram overlap"), "{:?}", items[39]);
    assert!(items[39][4].ends_with("One hospital."));
    let sheet = rows(&fixture, "datasheet.csv");
    let consent = sheet.iter().find(|row| row[0] == "consent").unwrap();
    assert_eq!((&*consent[3], &*consent[4]), ("answered", "Waived."));

    // It counts as content: another answer is another page.
    fixture.write("content/reporting.yaml", "claim: { 41: None yet., 3: }\ndatasheet:\n");
    assert!(fixture.build().unwrap().written > 0);
    assert!(!page(&fixture, "data/claim/index.html").contains("tire"));
    for (text, message) in [
        ("claim:\n  45: Nobody asks.\n", "unknown item of the claim `45`"),
        ("datasheet:\n  concent: Waived.\n", "did you mean `consent`?"),
        ("clam: {}\n", "clam"),
    ] {
        fixture.write("content/reporting.yaml", text);
        let wrong = format!("{:#}", atlas::foresee(&fixture.config).unwrap_err());
        assert!(wrong.contains(message) && wrong.contains("reporting.yaml:"), "{wrong}");
    }
}

/// Everything that has an id, by it.
fn collect<'v>(value: &'v Value, ids: &mut Vec<(&'v str, &'v Value)>) {
    match value {
        Value::Object(object) => {
            if let (Some(Value::String(id)), Some(_)) = (object.get("@id"), object.get("@type")) {
                ids.push((id, value));
            }
            object.values().for_each(|value| collect(value, ids));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, ids)),
        _ => {}
    }
}

/// Ids that something refers to.
fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(object) => {
            if let (Some(Value::String(id)), 1) = (object.get("@id"), object.len()) {
                found.push(id);
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn programs_are_told_what_the_tables_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 4);
    fixture.config.citation.year = Some(2026);
    fixture.manifest.source.licence = Some("CC0-1.0".into());
    fixture.build().unwrap();
    let path = fixture.site().join("data/croissant.json");
    let found: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for required in
        ["name", "description", "license", "url", "creator", "datePublished", "version", "citeAs"]
    {
        let value = &found[required];
        assert!(value.as_str().is_some_and(|text| !text.is_empty()) || required == "creator");
    }
    assert_eq!(found["creator"][0]["@type"], "sc:Organization");
    let version = found["conformsTo"][0].as_str();
    assert_eq!(version, Some("http://mlcommons.org/croissant/1.1"));
    let mut ids = Vec::new();
    collect(&found, &mut ids);
    let unique: BTreeSet<&str> = ids.iter().map(|(id, _)| *id).collect();
    assert_eq!(unique.len(), ids.len(), "an id stands twice");
    assert!(unique.iter().all(|id| !id.contains(char::is_whitespace)));
    let mut referred = Vec::new();
    references(&found["recordSet"], &mut referred);
    assert!(referred.len() > 100);
    for id in referred {
        assert!(unique.contains(id), "{id} is nowhere");
    }
    // The files are what is written of them, and have the columns.
    for file in found["distribution"].as_array().unwrap() {
        let name = file["contentUrl"].as_str().unwrap();
        let bytes = std::fs::read(path.with_file_name(name)).unwrap();
        let digest: String =
            Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(file["sha256"], digest, "{name}");
        assert_eq!(file["contentSize"], format!("{} B", bytes.len()), "{name}");
        let header = String::from_utf8(bytes).unwrap().lines().next().unwrap().to_owned();
        let set = found["recordSet"].as_array().unwrap().iter();
        let set = set.clone().find(|set| set["name"] == name.trim_end_matches(".csv")).unwrap();
        let columns: Vec<&str> = set["field"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field["source"]["extract"]["column"].as_str().unwrap())
            .collect();
        assert_eq!(columns.join(","), header, "{name}");
    }
    let fields: Vec<_> = ids.iter().filter(|(id, _)| id.starts_with("patches/")).collect();
    let kind = |name: &str| {
        let id = format!("patches/{name}");
        fields.iter().find(|(known, _)| *known == id).unwrap().1["dataType"].as_str().unwrap()
    };
    assert_eq!(
        ["patch", "split", "x", "positive", "breast_fraction"].map(kind),
        ["sc:Text", "sc:Text", "sc:Integer", "sc:Boolean", "sc:Float"]
    );

    // A validator of the format, by the variable `MLCROISSANT`: the program of the Python package mlcroissant.
    let Some(program) = std::env::var_os("MLCROISSANT").filter(|path| !path.is_empty()) else {
        let _ = writeln!(std::io::stderr(), "skipped: MLCROISSANT names no validator");
        return;
    };
    let told = Command::new(program).arg("validate").arg("--jsonld").arg(&path).output().unwrap();
    let said = String::from_utf8_lossy(&told.stderr);
    assert!(told.status.success() && !said.to_lowercase().contains("warning"), "{said}");
}

/// What a document says of an item, on a fixture that something was changed of.
fn said(change: impl FnOnce(&mut Fixture), file: &str, item: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 4);
    change(&mut fixture);
    fixture.build().unwrap();
    let rows = rows(&fixture, file);
    rows.into_iter().find(|row| row[0] == item).unwrap()[4].clone()
}

#[test]
fn what_is_said_is_true_of_the_data_at_hand() {
    let labels = |classes: u32, by: config::Labels| {
        let change = |fixture: &mut Fixture| {
            fixture.manifest.patching.classes = classes;
            fixture.manifest.patching.labels = by;
        };
        said(change, "claim.csv", "14")
    };
    assert!(labels(2, config::Labels::Lesion).contains("Every other patch counts as no cancer"));
    assert!(
        labels(2, config::Labels::Image).starts_with("Every patch has the label of its mammogram")
    );
    // Patches that share no pixel, and what was not measured, are not spoken of.
    let apart = said(|f| f.manifest.patching.stride = 1.0, "datasheet.csv", "relations");
    assert!(!apart.contains("share pixels"), "{apart}");
    let alone = said(|f| f.config.dissection.permutations = 0, "claim.csv", "29");
    assert!(!alone.contains("permutations"), "{alone}");
    // The split is the source's own, or its own of some.
    let own = |patients: u32| {
        said(|fixture| fixture.manifest.given.patients = patients, "claim.csv", "19")
    };
    assert!(own(0).starts_with("Patients were divided at random"), "{}", own(0));
    assert!(own(1).starts_with("The part of 1 patient is the source’s own; the others were"));
    assert!(
        own(99).starts_with("The division into training, validation and test is the source’s own")
    );
    // A cancer without a place is missed by nobody who looks for places.
    let unplaced = |fixture: &mut Fixture| {
        let mut lesions =
            fixture.manifest.mammograms.iter_mut().flat_map(|m| &mut m.mammogram.lesions);
        lesions.next().unwrap().outlines.clear();
    };
    let missing = said(unplaced, "claim.csv", "12");
    assert!(missing.contains("the place of 1 of "), "{missing}");
    assert!(said(unplaced, "claim.csv", "40").contains("The place of 1 lesion is not known."));
    // Of own images it is said what of them may still be read.
    let people = |fixture: &mut Fixture| fixture.manifest.source.phantom = false;
    assert!(said(people, "claim.csv", "11").contains("the source’s own words of a finding"));
    assert_eq!(
        said(people, "claim.csv", "5"),
        "Images that had been taken before, for other reasons."
    );
}
