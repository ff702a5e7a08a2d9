use proptest::prelude::*;

use super::super::answer::{Association, Phenomenon, Recognizable};
use super::*;

fn layers() -> Vec<Dissected> {
    vec![Dissected { network: "alexnet".to_owned(), layer: "conv5".to_owned(), units: 256 }]
}

fn answer(unit: u32, description: &str, at: Option<&str>) -> Answer {
    Answer {
        unit: format!("alexnet/conv5/{unit:04}"),
        recognizable: Recognizable::Yes,
        phenomena: vec![Phenomenon {
            description: description.to_owned(),
            terms: vec!["mass".to_owned()],
            association: Association::Unsure,
        }],
        confidence: Some(3),
        remarks: None,
        answered_at: at.map(str::to_owned),
        seconds: Some(12.5),
        repeat: false,
        questions: None,
    }
}

fn reader(name: &str, answers: Vec<Answer>) -> ReaderFile {
    ReaderFile {
        schema: 1,
        study: "s".to_owned(),
        reader: name.to_owned(),
        lexicon: "bi-rads-5".to_owned(),
        answers,
        superseded: Vec::new(),
    }
}

/// A labels folder and files to import.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn labels(&self) -> PathBuf {
        self.0.path().join("labels")
    }

    fn export(&self, name: &str, file: &ReaderFile) -> PathBuf {
        let path = self.0.path().join(name);
        let text = if name.ends_with("json") {
            serde_json::to_string(file).unwrap()
        } else {
            serde_yaml::to_string(file).unwrap()
        };
        std::fs::write(&path, text).unwrap();
        path
    }

    fn import(&self, files: &[PathBuf]) -> Result<Report, Refused> {
        let lexicons = Lexicons::load(Path::new("/nowhere")).unwrap();
        import(files, &self.labels(), &layers(), &lexicons)
    }

    fn stored(&self, name: &str) -> ReaderFile {
        Read::open(&self.labels().join(name)).unwrap().content()
    }
}

const EARLY: Option<&str> = Some("2026-11-20T10:00:00Z");
// Later, though its text sorts before.
const LATE: Option<&str> = Some("2026-11-20T09:30:00-01:00");

#[test]
fn answers_are_merged_and_the_later_stands() {
    let place = Place::new();
    let first = reader("Reader A", vec![answer(1, "one", EARLY), answer(2, "two", LATE)]);
    let report = place.import(&[place.export("x.json", &first)]).unwrap();
    assert_eq!((report.readers[0].added, report.readers[0].replaced), (2, 0));
    assert_eq!(place.stored("reader-a.yaml"), first);

    let second = reader(
        "Reader A",
        vec![answer(1, "new", LATE), answer(2, "old", EARLY), answer(3, "three", None)],
    );
    let report = place.import(&[place.export("y.yaml", &second)]).unwrap();
    let merged = &report.readers[0];
    assert_eq!((merged.added, merged.replaced, merged.kept), (1, 1, 1));
    let stored = place.stored("reader-a.yaml");
    let words: Vec<&str> =
        stored.answers.iter().map(|a| a.phenomena[0].description.as_str()).collect();
    assert_eq!(words, ["new", "two", "three"]);
    // An answer without a time gives way to one with a time, never the other way.
    let third = reader("Reader A", vec![answer(1, "x", None), answer(3, "timed", EARLY)]);
    place.import(&[place.export("z.yaml", &third)]).unwrap();
    let stored = place.stored("reader-a.yaml");
    assert_eq!(stored.answers[0].phenomena[0].description, "new");
    assert_eq!(stored.answers[2].phenomena[0].description, "timed");
}

#[test]
fn a_second_import_changes_nothing() {
    let place = Place::new();
    let export = place.export("x.json", &reader("a", vec![answer(1, "one", EARLY)]));
    place.import(std::slice::from_ref(&export)).unwrap();
    let path = place.labels().join("a.yaml");
    // A comment shows that the file is not even rewritten.
    let text = format!("# checked\n{}", std::fs::read_to_string(&path).unwrap());
    std::fs::write(&path, &text).unwrap();
    let report = place.import(&[export]).unwrap();
    assert_eq!((report.readers[0].kept, report.readers[0].added), (1, 0));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn nothing_is_written_when_anything_is_wrong() {
    let place = Place::new();
    let good = place.export("good.json", &reader("a", vec![answer(1, "one", EARLY)]));
    let bad = place.export("bad.json", &reader("b", vec![answer(999, "x", EARLY)]));
    let broken = place.0.path().join("broken.json");
    std::fs::write(&broken, "{\"schema\": ").unwrap();
    let absent = place.0.path().join("absent.json");
    let refused = place.import(&[good, bad, broken, absent]).unwrap_err();
    assert_eq!(refused.problems.len(), 3, "{refused}");
    let shown = refused.to_string();
    for words in
        ["bad.json:1:", "alexnet/conv5/0256", "broken.json:1", "absent.json", "nothing was"]
    {
        assert!(shown.contains(words), "{words} not in {shown}");
    }
    assert!(!place.labels().exists());
}

#[test]
fn what_belongs_to_another_study_or_reader_is_refused() {
    let place = Place::new();
    let file = reader("Dr. X", vec![answer(1, "one", EARLY)]);
    place.import(&[place.export("x.json", &file)]).unwrap();
    let other = ReaderFile { study: "t".to_owned(), ..file.clone() };
    let refused = place.import(&[place.export("y.json", &other)]).unwrap_err().to_string();
    assert!(refused.contains("`study` is `t`, but") && refused.contains("has `s`"), "{refused}");
    let twin = ReaderFile { reader: "dr. x?".to_owned(), ..file };
    let refused = place.import(&[place.export("z.json", &twin)]).unwrap_err().to_string();
    assert!(refused.contains("would share the file"), "{refused}");
    // An unreadable existing file must not be lost by writing over it.
    std::fs::write(place.labels().join("dr.-x.yaml"), "schema: [").unwrap();
    assert!(place.import(&[place.export("z.json", &twin)]).is_err());
}

#[test]
fn a_reader_is_found_under_any_file_name() {
    let place = Place::new();
    std::fs::create_dir(place.labels()).unwrap();
    let old = reader("a", vec![answer(1, "one", EARLY)]);
    let text = serde_yaml::to_string(&old).unwrap();
    std::fs::write(place.labels().join("first-round.yaml"), text).unwrap();
    let new = reader("a", vec![answer(2, "two", EARLY)]);
    place.import(&[place.export("x.json", &new)]).unwrap();
    assert_eq!(place.stored("first-round.yaml").answers.len(), 2);
    assert!(!place.labels().join("a.yaml").exists());
}

#[test]
fn two_files_of_one_reader_are_imported_together() {
    let place = Place::new();
    let files = [
        place.export("x.json", &reader("a", vec![answer(1, "one", LATE)])),
        place.export("y.json", &reader("a", vec![answer(1, "old", EARLY), answer(2, "b", EARLY)])),
    ];
    let report = place.import(&files).unwrap();
    let [merged] = &report.readers[..] else { panic!() };
    assert_eq!((merged.added, merged.replaced, merged.kept), (2, 0, 1));
    assert_eq!(place.stored("a.yaml").answers[0].phenomena[0].description, "one");
}

#[test]
fn names_of_readers_are_safe_as_names_of_files() {
    for (reader, file) in [
        ("reader-a", "reader-a.yaml"),
        ("Dr. Zo\u{eb} / 2", "dr.-zo----2.yaml"),
        ("../../etc/passwd", "etc-passwd.yaml"),
        ("..", "reader.yaml"),
        ("CON", "reader-con.yaml"),
        ("a\0b\n", "a-b.yaml"),
    ] {
        assert_eq!(file_name(reader), file);
    }
    assert!(file_name(&"x".repeat(500)).len() < 80);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn text_is_kept_verbatim(description in "[\\PC\n\r\t\u{0}-\u{1f}\u{85}\u{2028}:#'\"|>&*!%@`{}-]{0,200}",
                             remarks in "(\\PC|\n| ){0,100}", reader_name in "\\PC{1,20}") {
        let mut file = reader(&reader_name, vec![answer(1, &description, EARLY)]);
        file.answers[0].remarks = Some(remarks);
        let text = render(&file, Path::new("a.yaml")).map_err(|m| TestCaseError::fail(m.to_string()))?;
        prop_assert_eq!(Read::parse(text, Path::new("a.yaml")).unwrap().content(), file);
    }
}

#[test]
fn script_text_is_kept_verbatim() {
    let place = Place::new();
    for (number, text) in [
        "<script>alert(1)</script>",
        "</textarea><img src=x onerror=alert(1)>",
        "no",
        "null",
        "1.0",
        "- a: b # c",
        "{{ template }}",
        " leading and trailing ",
        "line\r\nbreaks\n\n",
        "\u{202e}right to left\u{0}",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("r{number}");
        let file = reader(&name, vec![answer(1, text, EARLY)]);
        place.import(&[place.export("x.json", &file)]).unwrap();
        assert_eq!(place.stored(&format!("{name}.yaml")), file, "{text:?}");
    }
}
