use proptest::prelude::*;

use super::super::answer::{Association, Phenomenon, Questions, Recognizable};
use super::*;
use crate::about::About;

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
        received_at: None,
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
        about: None,
        superseded: Vec::new(),
    }
}

fn given() -> Given {
    Given { study: None, reader: None, lexicon: "bi-rads-5".to_owned(), encoding: None }
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
        self.import_as(files, &given())
    }

    fn import_as(&self, files: &[PathBuf], given: &Given) -> Result<Report, Refused> {
        let lexicons = crate::lexicons::built_in();
        import(files, &self.labels(), given, &Codes::default(), &layers(), &lexicons)
    }

    /// A file to import.
    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn stored(&self, name: &str) -> ReaderFile {
        Read::open(&self.labels().join(name)).unwrap().content()
    }
}

const EARLY: Option<&str> = Some("2026-11-20T10:00:00Z");
// Later, though its text sorts before.
const LATE: Option<&str> = Some("2026-11-20T09:30:00-01:00");

#[test]
fn scores_of_cases_are_another_commands() {
    let place = Place::new();
    let path = place.0.path().join("s_cases_a_2026-11-20.json");
    std::fs::write(
        &path,
        r#"{"schema": 1, "kind": "cases", "study": "s", "reader": "a", "cases": []}"#,
    )
    .unwrap();
    let refused = reading::open(&path, &given(), &layers()).unwrap_err().to_string();
    assert!(refused.contains("`study mrmc` reads it"), "{refused}");
}

#[test]
fn answers_are_merged_and_the_later_stands() {
    let place = Place::new();
    let first = reader("Reader A", vec![answer(1, "one", EARLY), answer(2, "two", LATE)]);
    let report = place.import(&[place.export("x.json", &first)]).unwrap();
    assert_eq!((report.readers[0].added(), report.readers[0].replaced()), (2, 0));
    assert_eq!(place.stored("reader-a.yaml"), first);

    let second = reader(
        "Reader A",
        vec![answer(1, "new", LATE), answer(2, "old", EARLY), answer(3, "three", None)],
    );
    let report = place.import(&[place.export("y.yaml", &second)]).unwrap();
    let merged = &report.readers[0];
    assert_eq!((merged.added(), merged.replaced(), merged.kept, merged.older), (1, 1, 0, 1));
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
    assert_eq!((report.readers[0].kept, report.readers[0].added()), (1, 0));
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
    assert!(refused.contains("the study `t`, but") && refused.contains("to `s`"), "{refused}");
    // Also where no answer of this reader is there yet.
    let stranger = ReaderFile { reader: "b".to_owned(), ..other };
    assert!(place.import(&[place.export("y.json", &stranger)]).is_err());
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
fn readers_of_every_script_have_a_file_each() {
    let place = Place::new();
    for (name, stem) in
        [("王医生", "王医生"), ("李医生", "李医生"), ("Иванова", "иванова"), ("Петрова", "петрова")]
    {
        place
            .import(&[place.export("x.json", &reader(name, vec![answer(1, "one", EARLY)]))])
            .unwrap();
        assert_eq!(place.stored(&format!("{stem}.yaml")).reader, name);
    }
    assert_eq!(std::fs::read_dir(place.labels()).unwrap().count(), 4);
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
    assert_eq!((merged.added(), merged.replaced(), merged.older), (2, 0, 1));
    assert_eq!(place.stored("a.yaml").answers[0].phenomena[0].description, "one");
}

#[test]
fn names_of_readers_are_safe_as_names_of_files() {
    for (reader, file) in [
        ("reader-a", "reader-a.yaml"),
        ("Dr. Zo\u{eb} / 2", "dr.-zo\u{eb}---2.yaml"),
        // Of two code points: the same name, and the same file.
        ("Dr. Zoe\u{308} / 2", "dr.-zo\u{eb}---2.yaml"),
        ("王医生", "王医生.yaml"),
        ("Иванова А.", "иванова-а.yaml"),
        ("\u{202e}د. ليلى", "د.-ليلى.yaml"),
        ("रीता", "रीता.yaml"),
        ("../../etc/passwd", "etc-passwd.yaml"),
        ("..", "reader.yaml"),
        ("CON", "reader-con.yaml"),
        ("a\0b\n", "a-b.yaml"),
    ] {
        assert_eq!(file_name(reader), file);
    }
    assert!(file_name(&"x".repeat(500)).len() < 80);
    assert!(file_name(&"\u{20000}".repeat(500)).len() < 255);
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

#[test]
fn superseded_answers_are_kept_whatever_the_order() {
    let versions: Vec<ReaderFile> =
        [(EARLY, "early"), (LATE, "late"), (Some("2026-11-20T12:00:00Z"), "last")]
            .map(|(at, words)| reader("a", vec![answer(1, words, at)]))
            .into();
    let words = |answers: &[Answer]| {
        let words: Vec<String> =
            answers.iter().map(|a| a.phenomena[0].description.clone()).collect();
        words.join(" ")
    };
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let place = Place::new();
        for at in order {
            place.import(&[place.export("x.json", &versions[at])]).unwrap();
        }
        let stored = place.stored("a.yaml");
        assert_eq!(words(&stored.answers), "last");
        assert_eq!(words(&stored.superseded), "early late", "{order:?}");
        // None of them changes anything a second time, nor does the file itself.
        let path = place.labels().join("a.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        for version in &versions {
            place.import(&[place.export("x.json", version)]).unwrap();
        }
        let copy = place.file("copy.yaml", &text);
        let report = place.import(&[copy]).unwrap();
        assert!(report.readers[0].changes.is_empty());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn what_a_server_received_stands_in_its_order_whatever_comes_in_first() {
    // The device's clock is behind, and is set: by it, the last would be the first.
    let received = |words: &str, at: Option<&str>, received: &str| {
        let mut answer = answer(1, words, at);
        answer.received_at = Some(received.to_owned());
        reader("a", vec![answer])
    };
    let versions = [
        received("one", LATE, "2026-11-20T11:00:00.000Z"),
        received("two", EARLY, "2026-11-20T11:00:00.001Z"),
        // Saved before the server had it, and after.
        reader("a", vec![answer(1, "two", EARLY)]),
        received("three", Some("2026-11-19T10:00:00Z"), "2026-11-20T11:00:01.000Z"),
        // Of a device whose clock is ahead, before and after.
        reader("a", vec![answer(1, "zero", Some("2026-11-21T00:00:00Z"))]),
        received("zero", Some("2026-11-21T00:00:00Z"), "2026-11-20T10:59:00.000Z"),
    ];
    let mut found = Vec::new();
    for order in [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [4, 3, 2, 5, 1, 0], [2, 4, 0, 3, 5, 1]] {
        let place = Place::new();
        let mut reports = Vec::new();
        for at in order {
            let file = place.export("x.json", &versions[at]);
            reports.extend(place.import(&[file]).unwrap().readers);
        }
        found.push(place.stored("a.yaml"));
        let heard: usize = reports.iter().map(|r| r.changes.len() + r.older).sum();
        assert!(heard <= 5, "copies are no news: {reports:?}");
    }
    let words = |answers: &[Answer]| {
        answers.iter().map(|a| a.phenomena[0].description.clone()).collect::<Vec<_>>()
    };
    assert_eq!(words(&found[0].answers), ["three"]);
    assert_eq!(words(&found[0].superseded), ["zero", "one", "two"]);
    assert!(found[0].superseded.iter().all(|answer| answer.received().is_some()));
    assert!(found.iter().all(|file| *file == found[0]));
}

#[test]
fn a_correction_without_times_supersedes() {
    let place = Place::new();
    for words in ["one", "two", "one"] {
        place
            .import(&[place.export("x.json", &reader("a", vec![answer(1, words, None)]))])
            .unwrap();
        assert_eq!(place.stored("a.yaml").answers[0].phenomena[0].description, words);
    }
    assert_eq!(place.stored("a.yaml").superseded.len(), 1);
}

#[test]
fn the_report_says_what_changed() {
    let place = Place::new();
    place.import(&[place.export("x.json", &reader("a", vec![answer(1, "one", EARLY)]))]).unwrap();
    let mut again = answer(1, "again", LATE);
    again.repeat = true;
    let second = reader("a", vec![answer(1, "better", LATE), again]);
    let report = place.import(&[place.export("x.json", &second)]).unwrap();
    let changes: Vec<(Option<&str>, &str, bool)> = report.readers[0]
        .changes
        .iter()
        .map(|change| {
            let words = |answer: &'_ Answer| answer.phenomena[0].description.clone();
            let before = change.before.as_ref().map(words).map(|w| w == "one");
            assert_ne!(before, Some(false));
            (
                before.map(|_| "one"),
                if change.now.repeat { "again" } else { "better" },
                change.now.repeat,
            )
        })
        .collect();
    assert_eq!(changes, [(Some("one"), "better", false), (None, "again", true)]);
    // A repeat is no second answer, and does not take the first one's place.
    assert_eq!(place.stored("a.yaml").answers.len(), 2);
}

const TABLE: &str = "reader,network,layer,unit,recognizable,phenomenon,terms,association,confidence,remarks,answered_at,seconds,repeat
a,alexnet,conv5,63,yes,\"masses,
with \"\"spicules\"\"\",mass; margin-spiculated,malignant,4,odd,2026-11-20T10:00:00Z,12.5,
a,alexnet,conv5,0063,,=calcifications,calcifications,unsure,,,,,
b,,,alexnet/conv5/0002,no,,,,,,,,
a,alexnet,conv5,0063,yes,masses,mass,malignant,,,,,true
";

#[test]
fn a_table_is_imported_by_reader() {
    let place = Place::new();
    let file = place.file("answers.csv", TABLE);
    let refused = place.import(std::slice::from_ref(&file)).unwrap_err().to_string();
    assert!(refused.contains("answers.csv:2") && refused.contains("give --study"), "{refused}");
    let with_study = Given { study: Some("s".to_owned()), ..given() };
    let report = place.import_as(std::slice::from_ref(&file), &with_study).unwrap();
    let readers: Vec<&str> = report.readers.iter().map(|r| r.reader.as_str()).collect();
    assert_eq!(readers, ["a", "b"]);
    let a = place.stored("a.yaml");
    assert_eq!(a.answers.len(), 2);
    let first = &a.answers[0];
    assert_eq!(first.unit, "alexnet/conv5/0063");
    assert_eq!(first.phenomena[0].description, "masses,\nwith \"spicules\"");
    assert_eq!(first.phenomena[0].terms, ["mass", "margin-spiculated"]);
    assert_eq!(first.phenomena[1].description, "=calcifications");
    assert_eq!((first.confidence, first.seconds), (Some(4), Some(12.5)));
    assert_eq!(first.remarks.as_deref(), Some("odd"));
    assert!(a.answers[1].repeat);
    assert_eq!(place.stored("b.yaml").answers[0].recognizable, Recognizable::No);
    // A second time nothing changes; the study is known now.
    let report = place.import(&[file]).unwrap();
    assert!(report.readers.iter().all(|r| r.changes.is_empty() && r.older == 0));
    // Semicolons, another order of the columns, and the study in the table.
    let other = "Unit;Reader;Study;Phenomenon;Association\nalexnet/conv5/0009;c;s;vessel;none\n";
    place.import(&[place.file("other.csv", other)]).unwrap();
    assert_eq!(place.stored("c.yaml").answers[0].phenomena[0].description, "vessel");
}

#[test]
fn a_wrong_table_is_refused_with_its_place() {
    let head = "study,reader,unit,phenomenon,terms,association,confidence,repeat\n";
    for (text, line, says) in [
        (
            format!("{head}s,a,alexnet/conv5/0001,x,mass,malignent,,\n"),
            2,
            "`association` is `malignent`",
        ),
        (format!("{head}s,a,alexnet/conv5/0001,x,mass,,,\n"), 2, "`association` is missing"),
        (
            format!("{head}s,a,alexnet/conv5/0001,x,mas,none,,\n"),
            2,
            "unknown term `mas`; did you mean `mass`",
        ),
        (format!("{head}s,a,alexnet/conv5/0999,x,mass,none,,\n"), 2, "`alexnet/conv5/0256`"),
        (format!("{head}s,a,alexnet/conv5/0001,x,mass,none,high,\n"), 2, "expected a whole number"),
        (format!("{head}s,a,alexnet/conv5/0001,x,mass,none,9,\n"), 2, "from 1 (guessing) to 5"),
        (format!("{head}s,a,alexnet/conv5/0001,x,mass,none,,maybe\n"), 2, "expected true or false"),
        (format!("{head}s,a,alexnet/conv5/0001,,,,,\n"), 2, "neither `phenomenon`"),
        (format!("{head}s,a,,x,mass,none,,\n"), 2, "`unit` is missing"),
        (format!("{head}s,a,alexnet/conv5/0001\n"), 2, "the row has 3 values"),
        (
            format!("{head}s,a,alexnet/conv5/0001,x,,none,3,\nt,a,alexnet/conv5/0002,x,,none,,\n"),
            3,
            "`study` is `t`",
        ),
        (
            format!("{head}s,a,alexnet/conv5/0001,x,,none,3,\ns,a,alexnet/conv5/0001,y,,none,4,\n"),
            3,
            "`confidence` differs",
        ),
        ("unit,phenomenom\n".to_owned(), 1, "did you mean `phenomenon`?"),
        ("unit,Unit\n".to_owned(), 1, "names the column `unit` twice"),
        (",".repeat(500), 0, "is empty"),
        (head.to_owned(), 0, "holds no answer"),
    ] {
        let place = Place::new();
        let refused = place.import(&[place.file("t.csv", &text)]).unwrap_err();
        let [problem] = &refused.problems[..] else { panic!("{text}: {refused}") };
        assert_eq!(problem.mistake.line, line, "{refused}");
        assert!(refused.to_string().contains(says), "{says}: {refused}");
        assert!(!place.labels().exists());
    }
}

/// The same answers as spreadsheets, R, pandas and PowerShell write them.
#[test]
fn a_table_is_read_whatever_wrote_it() {
    let head = "study,reader,unit,recognizable,phenomenon,terms,association,confidence\n";
    let rows = "s,a,alexnet/conv5/0001,yes,a mass,mass;margin-spiculated,malignant,4\n\
        s,a,alexnet/conv5/0002,no,,,,\n";
    let plain = format!("{head}{rows}");
    let stored = |bytes: &[u8], encoding: Option<&str>| {
        let place = Place::new();
        let given = Given { encoding: encoding.map(|name| name.parse().unwrap()), ..given() };
        let file = place.file("t.csv", bytes);
        place.import_as(&[file], &given).unwrap_or_else(|refused| panic!("{refused}"));
        place.stored("a.yaml")
    };
    let expected = stored(plain.as_bytes(), None);
    assert_eq!(expected.answers[0].phenomena[0].terms, ["mass", "margin-spiculated"]);
    let wide: Vec<u8> =
        format!("\u{feff}{plain}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let excel = plain.replace(';', "\u{1}").replace(',', ";").replace('\u{1}', ",");
    for bytes in [
        wide,
        format!("sep=;\r\n{}", excel.replace('\n', "\r\n")).into_bytes(),
        plain.replace(",4\n", ",4.0\n").into_bytes(),
        plain.replace("no,,,,\n", "no,NA,NA,NA,NaN\n").into_bytes(),
        plain.replace("mass;margin-spiculated", "\"mass, margin-spiculated\"").into_bytes(),
        plain.lines().map(|line| format!("{line},,\n")).collect::<String>().into_bytes(),
        format!("{head}\n{rows},,,,,,,\n").into_bytes(),
        plain
            .replacen("study,reader", "_no, Study ,READER", 1)
            .replace("\ns,a", "\n7,s,a")
            .into_bytes(),
    ] {
        assert_eq!(stored(&bytes, None), expected, "{}", String::from_utf8_lossy(&bytes));
    }
    let place = Place::new();
    let old = [head.as_bytes(), b"s,a,alexnet/conv5/0001,yes,N\xe4hte,mass,none,\n"].concat();
    let file = place.file("t.csv", &old);
    let refused = place.import(&[file]).unwrap_err().to_string();
    assert!(
        refused.contains("t.csv:2:1: is not UTF-8; give `--encoding windows-1252`"),
        "{refused}"
    );
    let read = stored(&old, Some("windows-1252"));
    assert_eq!(read.answers[0].phenomena[0].description, "N\u{e4}hte");
}

#[test]
fn the_line_shown_is_that_of_the_mistake() {
    let head = "sep=,\r\nstudy,reader,unit,phenomenon,terms,association,remarks\r\n";
    let good = |n: u32| format!("s,a,alexnet/conv5/{n:04},x,mass,none,\"two\r\nlines\"\r\n");
    let text = format!("{head}{}\r\n{}s,a,alexnet/conv5/0009,y,mass,boese,\r\n", good(1), good(2));
    let place = Place::new();
    let refused = place.import(&[place.file("t.csv", text)]).unwrap_err();
    let [problem] = &refused.problems[..] else { panic!("{refused}") };
    assert_eq!(problem.mistake.line, 8, "{refused}");
    assert!(problem.mistake.excerpt.contains("boese"), "{refused}");
}

/// Made-up answers in the form of the paper's server: line breaks, quotes, odd characters.
fn responses() -> serde_json::Value {
    serde_json::json!({
        "alexnet_2class/conv5/unit_0063": {
            "name": "Dr+A", "model": "alexnet_2class", "layer": "conv5", "unit": "unit_0063",
            "q1": " Yes, mostly", "q2": "Yes", "q3": "multiple",
            "q4": "1) masses \u{2013} \"spiculated\"\r\n2) calcs;\tno vessels\n\n\u{1f600}\u{0}\u{202e}",
            "timestamp": "2017-08-01_10-12-13.123456",
        },
        "alexnet_2class/conv5/unit_0002": {
            "name": "Dr+A", "model": "alexnet_2class", "layer": "conv5", "unit": "unit_0002",
            "q1": "no", "q2": "n/a", "q3": "-", "q4": "-", "timestamp": "2017-08-01_10-13-13",
        },
    })
}

#[test]
fn the_answers_of_the_papers_server_come_in_verbatim() {
    let place = Place::new();
    let with_study = Given { study: Some("s".to_owned()), ..given() };
    let responses = responses();
    let file = place.file("responses.json", responses.to_string());
    place.import_as(std::slice::from_ref(&file), &with_study).unwrap();
    let check = |stored: &ReaderFile| {
        assert_eq!(stored.reader, "Dr A");
        for (key, response) in responses.as_object().unwrap() {
            let unit = key.replace("alexnet_2class/conv5/unit_", "alexnet/conv5/");
            let answer = stored.answers.iter().find(|a| a.unit == unit).unwrap();
            let said = |q: &str| response[q].as_str().unwrap().to_owned();
            let expected =
                Questions { q1: said("q1"), q2: said("q2"), q3: said("q3"), q4: said("q4") };
            assert_eq!(answer.questions.as_ref(), Some(&expected));
        }
        let first = stored.answers.iter().find(|a| a.unit.ends_with("0063")).unwrap();
        assert_eq!(first.recognizable, Recognizable::Yes);
        assert_eq!(first.phenomena[0].association, Association::Malignant);
        assert_eq!(first.phenomena[0].description, first.questions.as_ref().unwrap().q4);
        assert_eq!(first.is_entangled(), Some(true));
        assert_eq!(first.answered_at.as_deref(), Some("2017-08-01T10:12:13.123456Z"));
        let second = stored.answers.iter().find(|a| a.unit.ends_with("0002")).unwrap();
        assert_eq!((second.recognizable, second.phenomena.len()), (Recognizable::No, 0));
    };
    check(&place.stored("dr-a.yaml"));
    // The same as YAML, as a list, and as a table: nothing changes any more.
    let list: Vec<&serde_json::Value> = responses.as_object().unwrap().values().collect();
    let mut table = csv::Writer::from_writer(Vec::new());
    let columns = ["name", "model", "layer", "unit", "q1", "q2", "q3", "q4", "timestamp"];
    table.write_record(columns).unwrap();
    for response in &list {
        table.write_record(columns.map(|column| response[column].as_str().unwrap())).unwrap();
    }
    let text = std::fs::read_to_string(place.labels().join("dr-a.yaml")).unwrap();
    for file in [
        place.file("r.yaml", serde_yaml::to_string(&responses).unwrap()),
        place.file("list.json", serde_json::to_string(&list).unwrap()),
        place.file("table.csv", table.into_inner().unwrap()),
    ] {
        let report = place.import(std::slice::from_ref(&file)).unwrap();
        assert!(report.readers[0].changes.is_empty(), "{}", file.display());
        assert_eq!(report.readers[0].kept, 2);
    }
    assert_eq!(std::fs::read_to_string(place.labels().join("dr-a.yaml")).unwrap(), text);
    // On a fresh folder the table gives the same file.
    let fresh = Place::new();
    let copy = fresh.file("table.csv", std::fs::read(place.0.path().join("table.csv")).unwrap());
    fresh.import_as(&[copy], &with_study).unwrap();
    check(&fresh.stored("dr-a.yaml"));
}

#[test]
fn a_log_of_responses_leaves_the_latest_and_its_history() {
    let place = Place::new();
    let response = |words: &str, at: &str| {
        serde_json::json!({
            "name": "a", "model": "alexnet", "layer": "conv5", "unit": "unit_0007",
            "q1": "yes", "q2": "unclear", "q3": "single", "q4": words, "timestamp": at,
        })
    };
    let log = serde_json::json!([
        response("second", "2017-08-02_10-00-00.5"),
        response("first", "2017-08-01_10-00-00.5"),
        response("third", "2017-08-03_10-00-00.5"),
    ]);
    let given = Given { study: Some("s".to_owned()), ..given() };
    place.import_as(&[place.file("log.json", log.to_string())], &given).unwrap();
    let stored = place.stored("a.yaml");
    let words = |answers: &[Answer]| {
        answers.iter().map(|a| a.phenomena[0].description.clone()).collect::<Vec<_>>()
    };
    assert_eq!(words(&stored.answers), ["third"]);
    assert_eq!(words(&stored.superseded), ["first", "second"]);
}

#[test]
fn hostile_files_are_refused_and_nothing_is_written() {
    let place = Place::new();
    let good = serde_json::to_string(&reader("a", vec![answer(1, "one", EARLY)])).unwrap();
    let sparse = place.0.path().join("large.json");
    std::fs::File::create(&sparse).unwrap().set_len(100 << 20).unwrap();
    let nested = |open: &str| format!("{{\"schema\": {}", open.repeat(200_000));
    let mut latin = good.clone().into_bytes();
    latin.extend(b"\xe9\xff");
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let aliases = "a: &a [x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n\
                   c: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c]\n\
                   e: &e [*d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e]\n\
                   g: [*f, *f, *f, *f, *f, *f, *f, *f]\n";
    for (file, says) in [
        (sparse, "are not read"),
        (place.file("deep.json", nested("[")), "nested too deeply"),
        (place.file("deep.yaml", nested("{a: ")), "nested too deeply"),
        (place.file("latin.json", latin), "is not UTF-8"),
        (place.file("utf16.csv", utf16), ""),
        (place.file("aliases.yaml", aliases), ""),
        (place.file("empty.json", ""), ""),
        (place.file("empty.csv", ""), "is empty"),
        (place.file("zeros.yaml", vec![0; 10_000]), ""),
        (place.file("page.json", "<!doctype html><script>alert(1)</script>"), ""),
        (place.file("list.json", "[1, 2, 3]"), ""),
        (place.file("other.json", "{\"name\": \"package\", \"version\": \"1\"}"), ""),
        (place.0.path().to_owned(), "is not a file"),
    ] {
        let refused = place.import(std::slice::from_ref(&file)).unwrap_err().to_string();
        assert!(refused.contains(says), "{}: {refused}", file.display());
        assert!(refused.contains("nothing was imported") && refused.len() < 4000, "{refused}");
    }
    assert!(!place.labels().exists());
}

#[test]
fn what_a_reader_says_of_themselves_comes_in_and_the_later_stands() {
    let place = Place::new();
    let about = |at: &str, years| About {
        given_at: at.to_owned(),
        consent: Some("0123456789abcdef0123456789abcdef".to_owned()),
        years: Some(years),
        subspecialty: None,
        mammograms_per_year: None,
    };
    let file =
        |about: Option<About>| ReaderFile { about, ..reader("a", vec![answer(1, "one", EARLY)]) };
    let stored = |said: Option<About>| {
        place.import(&[place.export("a.json", &file(said))]).unwrap();
        place.stored("a.yaml").about.and_then(|about| about.years)
    };
    assert_eq!(stored(None), None);
    assert_eq!(stored(Some(about("2026-11-20T10:00:00Z", 3))), Some(3));
    assert_eq!(stored(Some(about("2026-11-20T12:00:00+05:00", 9))), Some(3), "said before");
    assert_eq!(stored(None), Some(3), "a file that says nothing takes nothing away");
    assert_eq!(stored(Some(about("2026-11-20T10:30:00Z", 4))), Some(4));
    let wrong = file(Some(about("2026-11-20T10:40:00Z", 99)));
    let refused = place.import(&[place.export("a.json", &wrong)]).unwrap_err().to_string();
    assert!(refused.contains("`about`: `years` is 99; expected"), "{refused}");
    assert_eq!(place.stored("a.yaml").about.unwrap().years, Some(4));
}
