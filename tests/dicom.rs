//! Sources with DICOM as a user runs them: CBIS-DDSM's tree to a site, and patients' tags that must not
//! reach any output.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base::Split;
use base::artifact::Layout;
use mammogram::Grey;
use record::Manifest;
use source::{Phantom, Source};

use crate::support::dicom;

/// One small network, one epoch; the source is to be added.
const SMALL: &str = "\
patches: { size: 64 }
networks:
  - name: resnet10
    input: 64
    layers: [layer4]
    training: { epochs: 1, batch: 16, lr: 0.02, balance: true }
dissection: { top: 8 }
";

/// Runs the whole pipeline; returns its exit status and everything it said.
fn run(project: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unit-atlas"));
    let output = command.arg("run").current_dir(project).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn write(path: PathBuf, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Drawn mammograms, by patient from 0 and view such as `LEFT_CC`.
fn phantoms(patients: u32) -> BTreeMap<(usize, String), Grey> {
    let phantom = Phantom::new(patients, 320, 7);
    let mammograms = phantom.catalogue().unwrap().mammograms;
    let mut images = BTreeMap::new();
    for (number, views) in mammograms.chunks(4).enumerate() {
        for mammogram in views {
            let view = mammogram.id.split_once('_').unwrap().1.to_owned();
            images.insert((number, view), phantom.image(mammogram).unwrap());
        }
    }
    images
}

/// A picture in 16 bits.
fn deep(image: &Grey) -> Vec<u16> {
    image.pixels.iter().map(|&v| u16::from(v) * 257).collect()
}

/// A disk in the middle of the breast, moved a little by `number`.
fn disk(image: &Grey, number: usize) -> Vec<u16> {
    let width = image.width as usize;
    let bright: Vec<usize> = (0..image.pixels.len()).filter(|&i| image.pixels[i] > 60).collect();
    let mean = |place: fn(usize, usize) -> usize| {
        bright.iter().map(|&i| place(i, width) as f64).sum::<f64>() / bright.len() as f64
    };
    let [x, y] = [mean(|i, w| i % w), mean(|i, w| i / w) + 15.0 * number as f64];
    let inside = |i: usize| ((i % width) as f64 - x).hypot((i / width) as f64 - y) < 22.0;
    (0..image.pixels.len()).map(|i| if inside(i) { 255 } else { 0 }).collect()
}

/// Rows of a description table by the names of its columns.
type Row = BTreeMap<String, String>;

/// The rows of real patients where the tables are at hand, or else of some made up alike.
fn rows(kind: &str, patients: usize) -> (Vec<String>, Vec<Row>) {
    let name = format!("{kind}_case_description_train_set.csv");
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let data = std::env::var_os("UNIT_ATLAS_DATA").map_or(beside, PathBuf::from);
    let (columns, rows) = match fs::read(data.join("cbis-ddsm").join(&name)) {
        Ok(bytes) => {
            let mut reader = csv::Reader::from_reader(&bytes[..]);
            let columns: Vec<String> =
                reader.headers().unwrap().iter().map(str::to_owned).collect();
            (columns, reader.deserialize().map(Result::unwrap).collect())
        }
        Err(_) => made_up(kind),
    };
    let mut known = Vec::new();
    let of = |row: &Row| {
        let patient = &row["patient_id"];
        if !known.contains(patient) {
            known.push(patient.clone());
        }
        known.len() <= patients
    };
    (columns, rows.into_iter().filter(of).collect())
}

fn made_up(kind: &str) -> (Vec<String>, Vec<Row>) {
    let [a, b, density, case] = match kind {
        "mass" => ["mass shape", "mass margins", "breast_density", "Mass"],
        _ => ["calc type", "calc distribution", "breast density", "Calc"],
    };
    let columns = [
        "patient_id",
        density,
        "left or right breast",
        "image view",
        "abnormality id",
        a,
        b,
        "assessment",
        "pathology",
        "subtlety",
        "image file path",
        "cropped image file path",
        "ROI mask file path",
    ];
    let first = if kind == "mass" { 1 } else { 5 };
    let rows = (first..first + 30).flat_map(|n| ["CC", "MLO"].map(|view| (n, view)));
    let rows = rows.map(|(n, view)| {
        let patient = format!("P_{n:05}");
        let name = format!("{case}-Training_{patient}_LEFT_{view}");
        let place = |part: &str, n: usize| format!("{name}{part}/1.2/1.2.{kind}{n}/00000{n}.dcm\n");
        let words = if kind == "mass" { ["OVAL", "SPICULATED"] } else { ["PLEOMORPHIC", "LINEAR"] };
        let pathology = if n % 3 == 0 { "BENIGN" } else { "MALIGNANT" };
        let values = [
            &patient,
            "2",
            "LEFT",
            view,
            "1",
            words[0],
            words[1],
            "4",
            pathology,
            "3",
            &place("", 0),
            &place("_1", 0),
            &place("_1", 1),
        ];
        columns.map(str::to_owned).into_iter().zip(values.map(str::to_owned)).collect()
    });
    (columns.map(str::to_owned).into(), rows.collect())
}

fn write_table(path: PathBuf, columns: &[String], rows: &[&Row]) {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).unwrap();
    for row in rows {
        writer.write_record(columns.iter().map(|column| &row[column])).unwrap();
    }
    write(path, writer.into_inner().unwrap());
}

#[test]
fn cbis_ddsm_with_its_own_rows_becomes_a_site() {
    let project = tempfile::tempdir().unwrap();
    let root = project.path().join("cbis");
    let images = phantoms(22);
    let mut patients: Vec<String> = Vec::new();
    let mut tested = BTreeSet::new();
    let mut listed = BTreeSet::new();
    let mut abnormalities = 0;
    for kind in ["mass", "calc"] {
        let (columns, rows) = rows(kind, 11);
        // Every fourth patient is for the test, in both tables alike.
        let number = |row: &Row| row["patient_id"][2..].parse::<u32>().unwrap();
        let (test, train): (Vec<_>, Vec<_>) = rows.iter().partition(|row| number(row) % 4 == 0);
        for (name, rows) in [("train", train), ("test", test)] {
            let table = format!("{kind}_case_description_{name}_set.csv");
            write_table(root.join("csv").join(table), &columns, &rows);
            for (index, row) in rows.iter().enumerate() {
                let patient = &row["patient_id"];
                if !patients.contains(patient) {
                    patients.push(patient.clone());
                }
                if name == "test" {
                    tested.insert(patient.clone());
                }
                let at = patients.iter().position(|known| known == patient).unwrap();
                let view = format!("{}_{}", row["left or right breast"], row["image view"]);
                let image = &images[&(at, view.clone())];
                listed.insert(format!("{patient}_{view}"));
                abnormalities += 1;
                let width = image.width as u16;
                let place = |column: &str| root.join("CBIS-DDSM").join(row[column].trim());
                let id = [(0x10, 0x10, b"PN", patient.as_str())];
                write(place("image file path"), dicom::file(&deep(image), width, 16, &id));
                let number: usize = row["abnormality id"].parse().unwrap();
                let mask = dicom::file(&disk(image, number - 1), width, 8, &id);
                let crop: Vec<u16> = deep(image)[..60 * usize::from(width)].to_vec();
                let crop = dicom::file(&crop, width, 16, &id);
                // As in the archive, some columns are swapped.
                let mut files = ["ROI mask file path", "cropped image file path"];
                if index % 2 == 1 {
                    files.reverse();
                }
                write(place(files[0]), mask);
                write(place(files[1]), crop);
            }
        }
    }
    let config = format!("source: {{ kind: cbis_ddsm, path: cbis }}\n{SMALL}");
    write(project.path().join("atlas.yaml"), config);
    let (status, said) = run(project.path());
    assert_eq!(status, Some(0), "{said}");
    let layout = Layout::new(project.path().join("output"));
    let manifest = Manifest::read(&layout).unwrap();
    let ids: BTreeSet<String> =
        manifest.mammograms.iter().map(|m| m.mammogram.id.clone()).collect();
    assert_eq!(ids, listed);
    let lesions = || manifest.mammograms.iter().flat_map(|m| &m.mammogram.lesions);
    assert_eq!(lesions().count(), abnormalities);
    assert!(lesions().all(|lesion| lesion.outlines.len() == 1));
    let mut parts: BTreeMap<&str, BTreeSet<Split>> = BTreeMap::new();
    for member in &manifest.mammograms {
        parts.entry(&member.mammogram.patient).or_default().insert(member.split);
    }
    for (patient, parts) in &parts {
        assert_eq!(parts.len(), 1, "{patient}");
        assert_eq!(parts.contains(&Split::Test), tested.contains(*patient), "{patient}");
    }
    assert!(parts.values().any(|part| part.contains(&Split::Validation)));
    assert!(manifest.patches.iter().any(|patch| patch.positive));
    let home = fs::read_to_string(layout.site().join("index.html")).unwrap();
    assert!(home.contains("CBIS-DDSM"));
}

/// Every tag of a patient, their visit, the people and the machines around it.
fn patient_tags<'a>(id: &'a str, canary: &'a str) -> Vec<dicom::Text<'a>> {
    let tags: [(u16, &[u16], &[u8; 2]); 10] = [
        (0x08, &[0x12, 0x20, 0x21, 0x22, 0x23, 0x2a, 0x30, 0x32, 0x50], b"LO"),
        (0x08, &[0x80, 0x81, 0x90, 0x92, 0x94, 0x1010, 0x1030, 0x103e, 0x1040, 0x1048], b"LO"),
        (0x08, &[0x18, 0x1050, 0x1060, 0x1070, 0x1080, 0x1090, 0x4000], b"PN"),
        (0x10, &[0x10, 0x21, 0x30, 0x32, 0x40, 0x1000, 0x1001, 0x1005, 0x1010], b"PN"),
        (0x10, &[0x1040, 0x1060, 0x1090, 0x2150, 0x2154, 0x2160, 0x2180, 0x21b0, 0x4000], b"LT"),
        (0x18, &[0x1000, 0x1012, 0x1030, 0x1400], b"LO"),
        (0x20, &[0x0d, 0x0e, 0x10, 0x11, 0x52, 0x4000], b"UI"),
        (0x32, &[0x1032, 0x1060, 0x4000], b"PN"),
        (0x38, &[0x10, 0x300, 0x500, 0x4000], b"LO"),
        (0x40, &[0x244, 0x253, 0x254, 0x275, 0xa730], b"SH"),
    ];
    let all = tags.iter().flat_map(|(group, elements, kind)| {
        elements.iter().map(move |&element| (*group, element, *kind, canary))
    });
    all.chain([(0x10, 0x20, b"LO", id)]).collect()
}

#[test]
fn no_tag_of_a_patient_and_no_name_of_a_file_reaches_an_output() {
    const CANARY: &str = "CANARYBIRD";
    let project = tempfile::tempdir().unwrap();
    let data = project.path().join("data");
    let mut table = String::from("image,patient,pathology,terms,mask,_note\n");
    for ((patient, view), image) in phantoms(9) {
        let name = format!("{CANARY}-{patient}");
        let (side, projection) = view.split_once('_').unwrap();
        let mut tags = patient_tags(&name, CANARY);
        tags.extend([(0x20, 0x62, b"CS", &side[..1]), (0x18, 0x5101, b"CS", projection)]);
        let file = format!("{CANARY}/{name}-{view}");
        let width = image.width as u16;
        write(data.join(format!("{file}.dcm")), dicom::file(&deep(&image), width, 16, &tags));
        write(
            data.join(format!("{file}-mask.dcm")),
            dicom::file(&disk(&image, 0), width, 8, &tags),
        );
        let pathology = ["malignant", "benign", ""][patient % 3];
        let lesion = match pathology {
            "" => ",".into(),
            _ => format!("mass,{file}-mask.dcm"),
        };
        // The table names some patients; the others are in their tags.
        let patient = if patient % 2 == 0 { format!("{CANARY}^{patient}") } else { String::new() };
        table.push_str(&format!("{file}.dcm,{patient},{pathology},{lesion},{CANARY}\n"));
    }
    // What cannot be read is told, also without names.
    let mut tags = patient_tags(CANARY, CANARY);
    tags.push((0x28, 0x08, b"IS", "7"));
    let broken = dicom::file(&[0; 64], 8, 8, &tags);
    write(data.join(format!("{CANARY}/frames.dcm")), &broken);
    write(data.join(format!("{CANARY}/short.dcm")), &broken[..broken.len() - 200]);
    for row in ["frames.dcm", "short.dcm", "none.dcm"] {
        table.push_str(&format!("{CANARY}/{row},{CANARY},,,,\n"));
    }
    table.push_str(&format!("{CANARY}/none.dcm,{CANARY},{CANARY},,,\n"));
    write(data.join("table.csv"), table);
    let config = format!("source: {{ kind: folder, path: data/table.csv }}\n{SMALL}");
    write(project.path().join("atlas.yaml"), config);

    let (status, said) = run(project.path());
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("7 frames") && said.contains("table.csv:38"), "{said}");
    let has = |text: &[u8]| {
        text.windows(CANARY.len()).any(|window| window.eq_ignore_ascii_case(CANARY.as_bytes()))
    };
    assert!(!has(said.as_bytes()), "{said}");
    let mut files = 0;
    let output = project.path().join("output");
    for entry in walkdir::WalkDir::new(&output).into_iter().map(Result::unwrap) {
        let path = entry.path().strip_prefix(&output).unwrap().display().to_string();
        assert!(!has(path.as_bytes()), "{path}");
        if entry.file_type().is_file() {
            assert!(!has(&fs::read(entry.path()).unwrap()), "{path}");
            files += 1;
        }
    }
    assert!(files > 100, "{files}");
    let layout = Layout::new(&output);
    let manifest = Manifest::read(&layout).unwrap();
    assert_eq!(manifest.mammograms.len(), 36);
    let patients: BTreeSet<&str> =
        manifest.mammograms.iter().map(|m| m.mammogram.patient.as_str()).collect();
    assert_eq!(patients.len(), 9);
    assert!(manifest.mammograms.iter().all(|m| m.mammogram.view.is_some()));
}
