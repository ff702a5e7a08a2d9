//! What people hand in, as a user runs it: tables as programs write and break them, views that are not cut,
//! images that are there twice. `prepare` says it all, and its exit status whether something was left out.

use std::fs;
use std::path::Path;
use std::process::Command;

use image::{GrayImage, Luma, RgbaImage};

struct Project(tempfile::TempDir);

impl Project {
    /// Three mammograms of three patients by a table.
    fn new(table: impl AsRef<[u8]>) -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.write("table.csv", table);
        project.configure("");
        for (name, shade) in [("a.png", 3), ("b.png", 5), ("c.png", 7)] {
            project.mammogram(name, shade);
        }
        project.write("m.png", []);
        GrayImage::from_fn(64, 64, |x, y| {
            Luma([if (10..22).contains(&x) && (20..30).contains(&y) { 255 } else { 0 }])
        })
        .save(project.path().join("m.png"))
        .unwrap();
        project
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), bytes).unwrap();
    }

    fn configure(&self, encoding: &str) {
        self.write(
            "atlas.yaml",
            format!(
                "source: {{ kind: folder, path: table.csv{encoding} }}\n\
                 patches: {{ window: 1.0, size: 64, min_breast: 0.05, min_lesion: 0.1 }}\n\
                 networks: [{{ name: resnet10, input: 64 }}]\n"
            ),
        );
    }

    fn mammogram(&self, name: &str, shade: u32) {
        let image = GrayImage::from_fn(64, 64, |x, y| {
            let inside = x * x + y.abs_diff(32).pow(2) < 30 * 30;
            Luma([if inside { 100 + ((x * shade + y * 5) % 80) as u8 } else { 2 }])
        });
        image.save(self.path().join(name)).unwrap();
    }

    /// Exit status and everything said by `prepare`.
    fn prepare(&self) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unit-atlas"));
        let output = command.arg("prepare").current_dir(self.path()).output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    }
}

const TABLE: &str = "image,id,patient,split,pathology,mask\n\
    a.png,a,p1,train,malignant,m.png\nb.png,b,p2,validation,,\nc.png,c,p3,test,,\n";

#[test]
fn the_same_table_as_programs_write_it() {
    let wide: Vec<u8> = format!("\u{feff}{}", TABLE.replace(',', "\t"))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let (_, expected) = Project::new(TABLE).prepare();
    assert!(
        expected.contains("all: 3 patches, 1 positive, of 3 mammograms of 3 patients"),
        "{expected}"
    );
    for bytes in [
        wide,
        format!("sep=;\r\n{}", TABLE.replace(',', ";").replace('\n', "\r\n")).into_bytes(),
        format!("{TABLE},,,,,\n,,,,,\n").into_bytes(),
        TABLE.replacen("image,id,patient", "Image,ID, Patient", 1).into_bytes(),
    ] {
        assert_eq!(Project::new(bytes).prepare(), (Some(0), expected.clone()));
    }
}

#[test]
fn a_table_that_would_lose_rows_is_refused_with_its_line() {
    for (table, place, says) in [
        (TABLE.replacen("mask", "Pathology", 1), "table.csv:1: ", "twice"),
        (
            TABLE.replace("c.png,c,p3,test,,", "c.png,c,p3,test,,\"m.png"),
            "table.csv:4:18: ",
            "never closed",
        ),
    ] {
        let (status, said) = Project::new(table).prepare();
        assert_eq!(status, Some(1), "{said}");
        assert!(said.contains(place) && said.contains(says), "{said}");
    }
    // Two patients whose names differ in letters that are no UTF-8 stay two.
    let older = TABLE.replace("p1", "J\u{e4}ger").replace("p2", "J\u{f6}ger");
    let older: Vec<u8> = older.chars().map(|c| c as u8).collect();
    let project = Project::new(older);
    let (status, said) = project.prepare();
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("table.csv:2: is not UTF-8; write `encoding: windows-1252`"), "{said}");
    project.configure(", encoding: windows-1252");
    let (status, said) = project.prepare();
    assert!(status == Some(0) && said.contains("of 3 mammograms of 3 patients"), "{said}");
}

#[test]
fn a_bad_row_leaves_its_image_out_and_the_rest_goes_on() {
    let (status, said) = Project::new(TABLE.replace("b.png,b,", "b.png,a b,")).prepare();
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("table.csv:3") && said.contains("of 2 mammograms"), "{said}");
    let views = "image,id,patient,split,pathology,mask,view\n\
        a.png,a,p1,train,malignant,m.png,ML\nb.png,b,p2,validation,,,XCCL\nc.png,c,p3,test,,,CC spot\n";
    let project = Project::new(views);
    let (status, said) = project.prepare();
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("it is a spot compression view"), "{said}");
    assert!(said.contains("all: 2 patches, 1 positive, of 3 mammograms"), "{said}");
}

#[test]
fn an_image_of_two_patients_is_told_of() {
    let project = Project::new(TABLE);
    fs::copy(project.path().join("a.png"), project.path().join("c.png")).unwrap();
    let (status, said) = project.prepare();
    assert_eq!(status, Some(0), "{said}");
    assert!(
        said.contains("has the pixels of table.csv:2 (a), which is of another patient"),
        "{said}"
    );
}

/// What the pages show may not name a file; the line does, to whoever has the table.
#[test]
fn an_image_that_cannot_be_decoded_is_named_by_its_line() {
    let project = Project::new(TABLE.replace("b.png,b,", "b.png,,"));
    // Its header is well: only its pixels, which are transparent, are refused.
    RgbaImage::new(64, 64).save(project.path().join("b.png")).unwrap();
    let (status, said) = project.prepare();
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("skipped: table.csv:3 ("), "{said}");
    assert!(!said.contains("b.png"), "{said}");
    assert!(said.contains("3 rows, 3 images listed, 3 of them used, of 3 patients"), "{said}");
    assert!(said.contains("2 of 3 mammograms can be decoded"), "{said}");
    assert!(said.contains("of 2 mammograms of 2 patients"), "{said}");
    assert!(said.contains("of 1 mammogram of 1 patient\n"), "{said}");
}

#[test]
fn terms_are_those_of_the_projects_lexicons() {
    let table = |terms: &str| {
        format!(
            "image,id,patient,split,pathology,terms,mask\n\
             a.png,a,p1,train,malignant,{terms},m.png\nb.png,b,p2,validation,,,\nc.png,c,p3,test,,,\n"
        )
    };
    let (status, said) = Project::new(table("Spiculated mass")).prepare();
    assert_eq!(status, Some(0), "{said}");
    let project = Project::new(table("mass margin-spiculatd"));
    let (status, said) = project.prepare();
    assert_eq!(status, Some(2), "{said}");
    let slip = "table.csv:2: `terms` has `margin-spiculatd`, which is no term";
    assert!(said.contains(slip) && said.contains("(perhaps `margin-spiculated`)"), "{said}");
    // What is like no term may be a name that slipped into the column.
    project.write("table.csv", table("starlight"));
    let (status, said) = project.prepare();
    assert!(status == Some(2) && said.contains("table.csv:2: `terms` holds a word"), "{said}");
    assert!(!said.contains("starlight"), "{said}");
    // The table stays, and a lexicon gets the term: the data set is made again.
    fs::create_dir_all(project.path().join("content/lexicons")).unwrap();
    project.write(
        "content/lexicons/own.yaml",
        "schema: 1\nid: own\nname: Own\nbirads: false\nsource: s\ngroups:\n  - category: C\n    terms:\n      \
         - { id: starlight, name: starlight, gloss: g }\n",
    );
    let (status, said) = project.prepare();
    assert!(status == Some(0) && said.contains("of 3 mammograms"), "{said}");
}

#[test]
fn a_row_that_stands_twice_counts_once() {
    let (status, said) =
        Project::new(format!("{TABLE}a.png,a,p1,train,malignant,m.png\n")).prepare();
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("skipped: table.csv:5: repeats line 2"), "{said}");
    assert!(said.contains("1 lesion: 1 malignant"), "{said}");
    // A column of one's own tells two lesions apart.
    let numbered = "image,id,patient,split,pathology,mask,_lesion\n\
        a.png,a,p1,train,malignant,m.png,1\na.png,a,p1,train,malignant,m.png,2\n\
        b.png,b,p2,validation,,,\nc.png,c,p3,test,,,\n";
    let (status, said) = Project::new(numbered).prepare();
    assert!(status == Some(0) && said.contains("2 lesions: 2 malignant"), "{said}");
}

#[test]
fn a_patient_in_two_parts_of_a_split_is_a_skipped_input() {
    let project = Project::new(format!("{TABLE}d.png,d,p1,test,,\n"));
    project.mammogram("d.png", 11);
    let (status, said) = project.prepare();
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("skipped: table.csv:2 (a): "), "{said}");
    assert!(said.contains("1 patient in several parts"), "{said}");
}
