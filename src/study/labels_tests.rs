use proptest::prelude::*;

use super::super::answer::{Answer, Association, Phenomenon};
use super::*;

fn layers() -> Vec<Dissected> {
    [("alexnet", "conv5", 256), ("resnet10", "layer3", 256), ("resnet10", "layer4", 512)]
        .map(|(network, layer, units)| Dissected {
            network: network.to_owned(),
            layer: layer.to_owned(),
            units,
        })
        .into()
}

fn lexicons() -> Lexicons {
    crate::lexicons::built_in()
}

const HEAD: &str = "schema: 1\nstudy: s\nreader: reader-a\nlexicon: bi-rads-5\nanswers:\n";

/// A file whose single answer has these further lines; they start in line 7.
fn one(unit: &str, rest: &str) -> String {
    let rest: String = rest.lines().map(|line| format!("    {line}\n")).collect();
    format!("{HEAD}  - unit: {unit}\n{rest}")
}

fn parse_at(text: &str, name: &str) -> Result<Read, Mistake> {
    Read::parse(text.to_owned(), Path::new(name))
}

fn checked(text: &str) -> Checked {
    check(&[parse_at(text, "a.yaml").unwrap()], &layers(), &lexicons())
}

/// Asserts the single problem of a text: its place, its words, and what it costs.
#[track_caller]
fn assert_problem(text: &str, line: u64, at: &str, says: &[&str], severity: Severity) {
    let checked = checked(text);
    let [problem] = &checked.problems[..] else { panic!("{:#?}", checked.problems) };
    let Mistake { line: found, column, message, .. } = &problem.mistake;
    assert_eq!(*found, line, "{problem}");
    let source = text.lines().nth(line as usize - 1).unwrap();
    let from: String = source.chars().skip(*column as usize - 1).collect();
    assert!(from.starts_with(at), "caret at {from:?}, not {at:?}");
    for words in says {
        assert!(message.contains(words), "{words:?} not in: {message}");
    }
    assert_eq!(problem.severity, severity);
    let answers: usize = checked.readers.iter().map(|r| r.answers.len()).sum();
    assert_eq!(answers, usize::from(severity == Severity::Warning), "{problem}");
}

#[test]
fn a_good_file_is_read_verbatim() {
    let text = one(
        "alexnet/conv5/0063",
        "recognizable: yes
phenomena:
  - description: \"<script>alert('x')</script> & \u{e9}\\n  two  spaces \"
    terms: [calcifications, pectoral-muscle]
    association: malignant
confidence: 4
answered_at: 2026-11-20T10:12:00Z
seconds: 41",
    );
    let checked = checked(&text);
    assert_eq!(checked.problems, []);
    let answer = &checked.readers[0].answers[0];
    assert_eq!(
        *answer,
        Answer {
            unit: "alexnet/conv5/0063".to_owned(),
            recognizable: Recognizable::Yes,
            phenomena: vec![Phenomenon {
                description: "<script>alert('x')</script> & \u{e9}\n  two  spaces ".to_owned(),
                terms: vec!["calcifications".to_owned(), "pectoral-muscle".to_owned()],
                association: Association::Malignant,
            }],
            confidence: Some(4),
            remarks: None,
            answered_at: Some("2026-11-20T10:12:00Z".to_owned()),
            received_at: None,
            seconds: Some(41.0),
            repeat: false,
            questions: None,
        }
    );
}

#[test]
fn json_is_the_same() {
    let yaml = parse_at(&one("alexnet/conv5/0063", "recognizable: no\nseconds: 3.5"), "a").unwrap();
    let value = yaml.content();
    for json in
        [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()]
    {
        assert_eq!(parse_at(&json, "a.json").unwrap().content(), value);
        // Tabs, as some programs indent.
        let tabs = json.replace("  ", "\t");
        assert_eq!(parse_at(&tabs, "a.json").unwrap().content(), value);
    }
    let escaped =
        r#"{"schema":1,"study":"s","reader":"\ud83d\ude00 \/ \u00e9","lexicon":"l","answers":[]}"#;
    assert_eq!(parse_at(escaped, "a.json").unwrap().content().reader, "\u{1f600} / \u{e9}");
    let broken = parse_at("{\"schema\": 1,\n\"study\": }", "a.json").unwrap_err();
    assert_eq!(broken.line, 2, "{broken}");
}

#[test]
fn unknown_units_are_found_with_the_nearest() {
    use Severity::Error;
    for (unit, says) in [
        ("alexnet/conv5/0257", &["has 256 units", "did you mean `alexnet/conv5/0256`?"][..]),
        ("alexnet/conv5/0000", &["numbered from 1", "`alexnet/conv5/0001`"]),
        ("alexnet/conv5/63", &["four digits", "`alexnet/conv5/0063`"]),
        ("alexnet/conv5/00063", &["four digits", "`alexnet/conv5/0063`"]),
        ("alexnet/conv5/unit0063", &["`alexnet/conv5/0063`"]),
        ("alexnet/conv4/0063", &["not dissected", "`alexnet/conv5/0063`"]),
        ("alexnte/conv5/0063", &["no network `alexnte`", "`alexnet/conv5/0063`"]),
        ("vgg16/conv5_3/0063", &["no network `vgg16`", "Dissected: alexnet/conv5"]),
        ("resnet10/layr4/0400", &["not dissected", "`resnet10/layer4/0400`"]),
        ("conv5/0063", &["is not the name of a unit"]),
        ("alexnet/conv5/99999999999", &["four digits"]),
    ] {
        assert_problem(&one(unit, "recognizable: no"), 6, unit, says, Error);
    }
    assert_eq!(find_unit("resnet10/layer4/0512", &layers()).map(|unit| unit.number()), Ok(512));
    assert!(find_unit("alexnet/conv5/0001", &[]).is_err());
}

#[test]
fn wrong_answers_are_found_where_they_stand() {
    use Severity::{Error, Warning};
    let unit = "alexnet/conv5/0063";
    let phenomenon = |terms: &str| {
        one(
            unit,
            &format!(
                "recognizable: yes\nphenomena:\n  - description: x\n    terms: {terms}\n    \
                 association: none"
            ),
        )
    };
    let near = ["unknown term", "did you mean `margin-spiculated`?"];
    assert_problem(&phenomenon("[mass, margin-spiculatd]"), 10, "margin-sp", &near, Error);
    assert_problem(&phenomenon("[Spiculated]"), 10, "Spiculated", &near, Error);
    assert_problem(&phenomenon("[mass, mass]"), 10, "mass]", &["given twice"], Warning);
    let text = one(unit, "recognizable: no\nphenomena: [{ description: x, association: none }]");
    assert_problem(&text, 7, "no", &["`phenomena` describes some"], Error);
    assert_problem(
        &one(unit, "recognizable: yes"),
        7,
        "yes",
        &["`phenomena` describes none"],
        Warning,
    );
    for value in ["0", "6", "-1", "300"] {
        let text = one(unit, &format!("recognizable: no\nconfidence: {value}"));
        assert_problem(&text, 8, value, &["from 1 (guessing) to 5"], Error);
    }
    let text = one(unit, "recognizable: no\nanswered_at: yesterday");
    assert_problem(&text, 8, "yesterday", &["RFC 3339"], Error);
    let text = one(unit, "recognizable: no\nseconds: -1");
    assert_problem(&text, 8, "-1", &["at least 0"], Error);
    let text =
        one(unit, "recognizable: yes\nphenomena:\n  - { description: ' ', association: none }");
    assert_problem(&text, 9, "' '", &["without description"], Error);
}

#[test]
fn wrong_files_are_found_where_they_stand() {
    use Severity::Error;
    let good = one("alexnet/conv5/0063", "recognizable: no");
    let text = good.replace("schema: 1", "schema: 2");
    assert_problem(&text, 1, "2", &["expected 1"], Error);
    let text = good.replace("bi-rads-5", "bi-rad-5");
    assert_problem(&text, 4, "bi-rad-5", &["did you mean `bi-rads-5`?"], Error);
    let text = good.replace("reader-a", "''");
    assert_problem(&text, 3, "''", &["`reader` is empty"], Error);
    for (text, line, says) in [
        (good.replace("recognizable: no", "recognisable: no"), 7, "did you mean `recognizable`?"),
        (good.replace("recognizable: no", "recognizable: maybe"), 7, "`unsure`"),
        (good.replace("study: s\n", ""), 1, "`study` is missing"),
        (good.replace("  - unit", "  - - unit: \"x"), 6, ""),
    ] {
        let mistake = parse_at(&text, "a.yaml").unwrap_err();
        assert!(mistake.line >= line && mistake.message.contains(says), "{mistake}");
        assert!(mistake.excerpt.contains('^'), "{mistake}");
    }
}

#[test]
fn second_answers_and_second_files_are_left_out() {
    let unit = "  - unit: alexnet/conv5/0063\n    recognizable: ";
    let text = format!("{HEAD}{unit}no\n{unit}unsure\n");
    let checked = checked(&text);
    assert_eq!(checked.readers[0].answers.len(), 1);
    assert_eq!(checked.readers[0].answers[0].recognizable, Recognizable::No);
    let [problem] = &checked.problems[..] else { panic!() };
    assert_eq!((problem.mistake.line, problem.severity), (8, Severity::Error));
    assert!(problem.mistake.message.contains("first is in line 6"), "{problem}");

    let files = [
        parse_at(&one("alexnet/conv5/0001", "recognizable: no"), "a.yaml").unwrap(),
        parse_at(
            &one("alexnet/conv5/0002", "recognizable: no").replace("reader-a", "Reader-A"),
            "b.yaml",
        )
        .unwrap(),
    ];
    let checked = check(&files, &layers(), &lexicons());
    assert_eq!(checked.readers.len(), 1);
    let message = checked.problems[0].to_string();
    assert!(message.starts_with("b.yaml:3:9: the reader `Reader-A` has a file"), "{message}");
    assert!(message.contains("a.yaml"), "{message}");
    assert!(checked.lacks());
    assert_eq!(checked.left_out, [PathBuf::from("b.yaml")]);
}

#[test]
fn a_bad_file_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| {
        std::fs::write(folder.path().join(name), text).unwrap();
    };
    let good = one("alexnet/conv5/0063", "recognizable: no");
    write("a.yaml", b"schema: [1\n");
    write("b.yaml", good.as_bytes());
    write("c.yaml", b"\xff\xfe");
    write("d.json", b"{}");
    write("e.yaml", format!("{HEAD}{}", "[".repeat(100_000)).as_bytes());
    write("f.yaml", &vec![b' '; (yaml::MAX_BYTES + 1) as usize]);
    write("g.yaml", good.replace("reader-a", "reader-g").as_bytes());
    write("README.md", b"not a label");
    std::fs::create_dir(folder.path().join("h.yaml")).unwrap();
    let labels = read(folder.path());
    let readers: Vec<String> = labels.files.iter().map(|f| f.content().reader).collect();
    assert_eq!(readers, ["reader-a", "reader-g"]);
    let names: Vec<String> = labels
        .problems
        .iter()
        .map(|p| p.mistake.path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["a.yaml", "c.yaml", "d.json", "e.yaml", "f.yaml", "h.yaml"]);
    assert!(labels.problems[4].mistake.message.contains("are not read"));
    assert!(read(&folder.path().join("none")).problems.is_empty());
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC*") {
        if let Ok(read) = parse_at(&text, "a.yaml") {
            check(&[read], &layers(), &lexicons());
        }
    }

    #[test]
    fn arbitrary_values_never_panic(
        unit in "\\PC{0,30}", term in "\\PC{0,20}", confidence in any::<i64>(),
        at in "\\PC{0,30}", seconds in any::<f64>(), json in any::<bool>(),
    ) {
        let value = serde_json::json!({
            "schema": 1, "study": "s", "reader": "r", "lexicon": "bi-rads-5",
            "answers": [{
                "unit": unit, "recognizable": "yes", "confidence": confidence, "answered_at": at,
                "seconds": if seconds.is_finite() { seconds } else { 0.0 },
                "phenomena": [{ "description": term, "terms": [term], "association": "none" }],
            }],
        });
        let text = if json {
            value.to_string()
        } else {
            serde_yaml::to_string(&value).unwrap()
        };
        let read = parse_at(&text, "a").map_err(|m| TestCaseError::fail(m.to_string()))?;
        prop_assert_eq!(&read.content().answers[0].phenomena[0].description, &term);
        check(&[read], &layers(), &lexicons());
    }

    #[test]
    fn spoilt_files_never_panic(at in 0usize..300, with in "[\\PC\n\t]{0,4}", cut in 0usize..9) {
        let text = one("alexnet/conv5/0063", "recognizable: yes\nphenomena:\n  - description: x\n    \
                       terms: [mass]\n    association: benign\nconfidence: 3");
        let chars: Vec<char> = text.chars().collect();
        let at = at.min(chars.len());
        let text: String = chars[..at].iter().copied().chain(with.chars())
            .chain(chars[(at + cut).min(chars.len())..].iter().copied()).collect();
        if let Ok(read) = parse_at(&text, "a.yaml") {
            check(&[read], &layers(), &lexicons());
        }
    }
}

#[test]
fn files_of_others_are_read_again_only_when_they_change() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let write = |name: &str, reader: &str| {
        let text =
            format!("schema: 1\nstudy: s\nreader: {reader}\nlexicon: bi-rads-5\nanswers: []\n");
        std::fs::write(at(name), text).unwrap();
    };
    let mut owners = Owners::default();
    let mut found = |reader: &str| {
        let labels = owners.read(folder.path(), reader);
        let names = labels.files.iter().map(|f| f.path().file_name().unwrap().to_owned());
        (names.collect::<Vec<_>>(), labels.problems.len())
    };
    assert_eq!(found("a"), (vec![], 0));
    write("x.yaml", "Reader A");
    write("y.yaml", "b");
    assert_eq!(found("reader a "), (vec!["x.yaml".into()], 0));
    assert_eq!(found("B"), (vec!["y.yaml".into()], 0));
    // The study follows from the first where the reader has none.
    assert_eq!(found("c"), (vec!["x.yaml".into()], 0));
    // A file that has the name of this reader's, but is another's, must not be taken for none.
    assert_eq!(found("Y"), (vec!["y.yaml".into()], 0));
    // By hand it became another's, and one that cannot be read might be anybody's.
    write("y.yaml", "c, who was b");
    std::fs::write(at("z.yaml"), "schema: [").unwrap();
    assert_eq!(found("c, who was b"), (vec!["y.yaml".into()], 1));
    std::fs::remove_file(at("z.yaml")).unwrap();
    std::fs::remove_file(at("x.yaml")).unwrap();
    assert_eq!(found("Reader A"), (vec!["y.yaml".into()], 0));
}
