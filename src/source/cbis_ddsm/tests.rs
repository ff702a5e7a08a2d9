use std::fs;
use std::path::Path;

use image::GrayImage;
use serde::Deserialize;

use super::*;
use crate::real_data;
use mammogram::{Assessment, Laterality, View as Projection, rasterise};

const MASS: &str = "patient_id,breast_density,left or right breast,image view,abnormality id,abnormality type,mass shape,mass margins,assessment,pathology,subtlety,image file path,cropped image file path,ROI mask file path\r\n";
const CALC: &str = "patient_id,breast density,left or right breast,image view,abnormality id,abnormality type,calc type,calc distribution,assessment,pathology,subtlety,image file path,cropped image file path,ROI mask file path\r\n";

/// A row as the tables have it: a line feed within its last field. Masses have series `1.1.…` of images,
/// `1.2.…` and `1.3.…` of parts; calcifications `9.…`.
fn row(case: &str, number: u32, words: [&str; 2], pathology: &str) -> String {
    let parts: Vec<&str> = case.split('_').collect();
    let &[_, p, patient, side, view] = &parts[..] else { panic!("{case}") };
    let n: u32 = patient.parse().unwrap();
    let view_number = if view == "CC" { 1 } else { 2 };
    let tail = format!("{n}.{view_number}.{number}");
    let k = if case.starts_with("Mass") { 1 } else { 9 };
    format!(
        "{p}_{patient},3,{side},{view},{number},x,{},{},4,{pathology},5,{case}/1.0/{k}.1.{n}.{view_number}/000000.dcm,{case}_{number}/1.0/{k}.2.{tail}/000000.dcm,\"{case}_{number}/1.0/{k}.3.{tail}/000001.dcm\n\"\r\n",
        words[0], words[1]
    )
}

fn write(root: &Path, place: &str, bytes: impl AsRef<[u8]>) {
    let path = root.join(place);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A picture of 40 x 60 pixels at some scale that is no mask.
fn picture(root: &Path, place: &str, scale: u32) {
    let image = GrayImage::from_fn(40 * scale, 60 * scale, |x, y| [(x + 2 * y) as u8].into());
    write(root, place, []);
    image.save(root.join(place)).unwrap();
}

/// A mask with a square of 10 pixels and its top left at the given place, at some scale.
fn mask(root: &Path, place: &str, at: [u32; 2], scale: u32) {
    let inside = |v: u32, from: u32| (from * scale..(from + 10) * scale).contains(&v);
    let image = GrayImage::from_fn(40 * scale, 60 * scale, |x, y| {
        [if inside(x, at[0]) && inside(y, at[1]) { 255 } else { 0 }].into()
    });
    write(root, place, []);
    image.save(root.join(place)).unwrap();
}

fn area(lesion: &Lesion) -> usize {
    rasterise(&lesion.outlines, [0.0, 0.0, 40.0, 60.0], 40, 60).area()
}

#[test]
fn masses_and_calcifications_of_a_view_are_one_mammogram_and_masks_are_known_by_content() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let (train, test) = ("Mass-Training_P_00001_LEFT_CC", "Calc-Test_P_00002_RIGHT_MLO");
    let rows = [
        row(train, 1, ["IRREGULAR-LOBULATED", "SPICULATED"], "MALIGNANT"),
        row(train, 2, ["OVAL", "NA"], "BENIGN_WITHOUT_CALLBACK"),
    ];
    write(root, "csv/mass_case_description_train_set.csv", MASS.to_owned() + &rows.concat());
    let calc = row("Calc-Training_P_00001_LEFT_CC", 1, ["PLEOMORPHIC", "CLUSTERED"], "BENIGN");
    write(root, "csv/calc_case_description_train_set.csv", CALC.to_owned() + &calc);
    let calc = row(test, 1, ["LUCENT_CENTER", "N/A"], "BENIGN");
    write(root, "csv/calc_case_description_test_set.csv", CALC.to_owned() + &calc);
    // The archive's tree, with mask and crop in the columns they belong to, and swapped.
    picture(root, &format!("{train}/1.0/1.1.1.1/000000.png"), 1);
    picture(root, &format!("{train}_1/1.0/1.2.1.1.1/000000.png"), 1);
    mask(root, &format!("{train}_1/1.0/1.3.1.1.1/000001.png"), [3, 4], 1);
    mask(root, &format!("{train}_2/1.0/1.2.1.1.2/000000.png"), [20, 30], 1);
    picture(root, &format!("{train}_2/1.0/1.3.1.1.2/000001.png"), 1);
    // By the series alone, both files in one folder; blurred, and twice as large as the image.
    picture(root, "jpeg/9.1.2.2/1-001.jpg", 1);
    picture(root, "jpeg/9.3.2.2.1/1-002.jpg", 2);
    mask(root, "jpeg/9.3.2.2.1/2-003.jpg", [5, 5], 2);
    // By words.
    let calc = "Calc-Training_P_00001_LEFT_CC_1";
    mask(root, &format!("{calc}/07-20-2016-DDSM-1/1.0-ROI-1/1-2.png"), [25, 45], 1);

    let source = CbisDdsm::new(root);
    let catalogue = source.catalogue().unwrap();
    assert_eq!(catalogue.notices, []);
    let [first, second] = &catalogue.mammograms[..] else { panic!("{catalogue:?}") };
    assert_eq!((first.id.as_str(), first.patient.as_str()), ("P_00001_LEFT_CC", "P_00001"));
    assert_eq!((first.laterality, first.view), (Some(Laterality::Left), Some(Projection::Cc)));
    assert_eq!(first.density.as_deref(), Some("composition-c"));
    assert_eq!((first.assigned, second.assigned), (Some(Split::Train), Some(Split::Test)));
    let [a, b, c] = &first.lesions[..] else { panic!() };
    assert_eq!(a.pathology, Pathology::Malignant);
    assert_eq!(a.terms, ["mass", "shape-irregular", "shape-oval", "margin-spiculated"]);
    assert_eq!(a.source_words, "MASS SHAPE IRREGULAR-LOBULATED MARGINS SPICULATED");
    assert_eq!((b.pathology, b.terms.len()), (Pathology::Benign, 2));
    assert_eq!(c.terms, ["calcifications", "calc-fine-pleomorphic", "distribution-grouped"]);
    assert_eq!((c.subtlety, c.assessment), (Some(5), Assessment::of("4")));
    assert_eq!([a, b, c].map(area), [100, 100, 100]);
    assert_eq!(a.outlines[0].bounds(), Some([3.0, 4.0, 13.0, 14.0]));
    assert_eq!(c.outlines[0].bounds(), Some([25.0, 45.0, 35.0, 55.0]));
    let blurred = area(&second.lesions[0]);
    assert!((90..=110).contains(&blurred), "{blurred}");
    let image = source.image(first).unwrap();
    assert_eq!((image.width, image.height, image.at(3, 4)), (40, 60, 11));
    assert_eq!(
        catalogue.summary,
        [
            "mass_case_description_train_set.csv: 2 rows",
            "calc_case_description_train_set.csv: 1 rows",
            "calc_case_description_test_set.csv: 1 rows",
            "2 views listed: 2 present, 0 missing, 2 used",
            "4 lesions: 1 malignant, 3 benign; 0 without a place",
            "official training: 1 mammogram of 1 patient",
            "official test: 1 mammogram of 1 patient",
        ]
    );
    assert_eq!(source.fingerprint().unwrap(), CbisDdsm::new(root).fingerprint().unwrap());
    mask(root, &format!("{train}_2/1.0/1.2.1.1.2/000000.png"), [20, 30], 2);
    assert_ne!(source.fingerprint().unwrap(), Fingerprint::of(&0));
}

#[test]
fn what_is_missing_or_unknown_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let case = |n: u32| format!("Mass-Training_P_{n:05}_LEFT_CC");
    let words = ["OVAL", "SQUARE"];
    let rows = [
        row(&case(1), 1, words, "MALIGNANT"),
        row(&case(2), 1, words, "PERHAPS"),
        row(&case(3), 1, words, "BENIGN"),
        row(&case(4), 1, words, "BENIGN"),
        row(&case(4), 1, words, "BENIGN"),
        "DOE_JANE,3,LEFT,CC\r\n".to_owned(),
    ];
    write(root, "mass_case_description_train_set.csv", MASS.to_owned() + &rows.concat());
    // No mask; an unknown pathology; no image; an image that is none.
    picture(root, &format!("{}/a.png", case(1)), 1);
    picture(root, &format!("{}_1/crop.png", case(1)), 1);
    picture(root, &format!("{}/a.png", case(2)), 1);
    write(root, &format!("{}/a.dcm", case(4)), "nothing");
    let catalogue = CbisDdsm::new(root).catalogue().unwrap();
    let [only] = &catalogue.mammograms[..] else { panic!() };
    assert!(only.lesions[0].outlines.is_empty());
    let told: Vec<String> = catalogue
        .notices
        .iter()
        .map(|n| format!("{} {} {}", n.place, n.skipped, n.message))
        .collect();
    let expected = [
        "set.csv:10 false repeats abnormality 1 of P_00004_LEFT_CC",
        "set.csv:12 true the row names no patient",
        "set.csv:2 true abnormality 1 of P_00001_LEFT_CC: none of its files is a mask",
        "set.csv:2 false the keyword \"SQUARE\" is not known",
        "set.csv:4 true the pathology or the abnormality's number is none that is known; the image P_00002_LEFT_CC is left out",
        "a.dcm true is no DICOM, PNG, TIFF, PGM or JPEG file; the image is left out",
        "P_00003_LEFT_CC false 1 listed views have no image: P_00003_LEFT_CC",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.contains(expected), "{told} / {expected}");
    }
    // A row's own words stay out of messages.
    assert!(!format!("{catalogue:?}").contains("DOE"));
}

#[test]
fn a_folder_that_is_none_of_it_says_what_is_expected() {
    let folder = tempfile::tempdir().unwrap();
    let message = |root: &Path| format!("{:#}", CbisDdsm::new(root).catalogue().unwrap_err());
    assert!(message(&folder.path().join("no")).contains("set source.path"));
    assert!(message(folder.path()).contains("mass_case_description_train_set.csv"));
    write(folder.path(), "calc_case_description_train_set.csv", MASS);
    assert!(message(folder.path()).contains("has no column `calc_type`"));
}

#[derive(Deserialize)]
struct Golden {
    rows: usize,
    patients: usize,
    views: usize,
    pathology: BTreeMap<String, usize>,
    keywords: BTreeMap<String, usize>,
}

#[test]
fn the_official_tables_hold_what_python_counts() {
    let Some(folder) = real_data::folder("cbis-ddsm") else { return };
    let golden: BTreeMap<String, Golden> =
        serde_json::from_str(include_str!("../../../tests/golden/cbis.json")).unwrap();
    let tables = table::find(&folder);
    assert_eq!(tables.len(), golden.len());
    for (table, path) in tables {
        let golden = &golden[&table.to_string()];
        let (rows, notices) = table::read(table, &path).unwrap();
        assert_eq!((rows.len(), notices.len()), (golden.rows, 0));
        let patients: BTreeSet<&String> = rows.iter().map(|r| &r.seen.patient).collect();
        let views: BTreeSet<&Seen> = rows.iter().map(|r| &r.seen).collect();
        assert_eq!((patients.len(), views.len()), (golden.patients, golden.views));
        let malignant = rows.iter().filter(|r| r.pathology == Some(Pathology::Malignant)).count();
        assert_eq!(malignant, golden.pathology["malignant"]);
        assert_eq!(rows.len() - malignant, golden.pathology["benign"]);
        // Every keyword is known, and every lesion has the term of each of its keywords.
        let mut keywords: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &rows {
            let values: BTreeSet<&str> = row
                .words
                .split([' ', '-'])
                .filter(|word| golden.keywords.contains_key(*word))
                .collect();
            for value in values {
                *keywords.entry(value).or_default() += 1;
            }
            let lines = [row.words.clone()];
            let terms = keyword::terms(&lines, |word| panic!("{word}"));
            assert!(!terms.is_empty(), "{}", row.words);
            let has = |term: &str| terms.iter().any(|known| known == term);
            assert_eq!(row.words.contains("SPICULATED"), has("margin-spiculated"));
            assert_eq!(row.words.contains("PLEOMORPHIC"), has("calc-fine-pleomorphic"));
            assert_eq!(row.words.contains("CLUSTERED"), has("distribution-grouped"));
            let rim = ["LUCENT_CENTER", "EGGSHELL"].iter().any(|word| row.words.contains(word));
            assert_eq!(rim, has("calc-rim"));
        }
        assert!(keywords.iter().all(|(word, count)| golden.keywords[*word] == *count));
        assert_eq!(keywords.len(), golden.keywords.len());
        assert!(rows.iter().all(|row| row.image.series.is_some() && row.density.is_some()));
    }
}

/// What a row says of its abnormality cannot be trusted where its number cannot be read or a value is in
/// another's column, so that its view is left out; bytes that are no text are refused.
#[test]
fn a_row_is_kept_whose_words_or_number_are_damaged() {
    let row = |number: &str, words: &[u8], end: &[u8]| {
        let first = format!("P_90001,2,LEFT,CC,{number},mass,").into_bytes();
        [&first, words, b",NA,4.0,MALIGNANT,2,a,b,c", end, b"\r\n"].concat()
    };
    let bytes = [
        MASS.as_bytes().to_vec(),
        row("1.0", b"OVAL", b""),
        row("2", b"RUND", b","),
        row("x", b"OVAL", b""),
        row("3", b"OVAL,", b""),
    ];
    let table = Table { kind: table::Kind::Mass, split: Split::Train };
    let (rows, notices) = table::parse(table, &bytes.concat()).unwrap();
    assert_eq!(notices, []);
    let found: Vec<Option<Pathology>> = rows.iter().map(|row| row.pathology).collect();
    assert_eq!(found, [Some(Pathology::Malignant), Some(Pathology::Malignant), None, None]);
    assert_eq!((rows[0].number, rows[0].assessment), (1, Assessment::of("4")));
    let broken = [MASS.as_bytes().to_vec(), row("2", b"R\xffUND", b"")].concat();
    let message = table::parse(table, &broken).unwrap_err().to_string();
    assert!(message.ends_with("set.csv:2: is not UTF-8; save it as UTF-8"), "{message}");
}
