use proptest::prelude::*;

use super::*;
use study::code::Coder;

const UNIT: &str = "alexnet/conv5/0001";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn open(&self) -> (Ledger, Vec<Notice>) {
        let coder = Coder::new(1, "s");
        let units = (1..=4).map(|unit| (base::UnitId::new("alexnet", "conv5", unit), "w"));
        let codes = Codes::new(&coder, units);
        let asked = Asked {
            study: "s".into(),
            lexicon: "bi-rads-5".into(),
            units: (1..=3).map(code).collect(),
            codes,
            layers: vec![Dissected { network: "alexnet".into(), layer: "conv5".into(), units: 4 }],
            lexicons: crate::lexicons::built_in(),
        };
        let readers = ["a".to_owned(), "b".to_owned()];
        let tokens = Tokens::open(&self.path("collect"), &readers).unwrap();
        Ledger::open(&self.path("collect"), &self.path("labels"), asked, &tokens).unwrap()
    }

    fn file(&self, reader: &str) -> Option<ReaderFile> {
        let path = self.path("labels").join(format!("{reader}.yaml"));
        path.exists().then(|| Read::open(&path).unwrap().content())
    }

    fn log(&self) -> Vec<u8> {
        std::fs::read(self.path("collect/a.jsonl")).unwrap_or_default()
    }
}

fn code(unit: u32) -> String {
    Coder::new(1, "s").unit(&base::UnitId::new("alexnet", "conv5", unit), "w")
}

fn answer(unit: u32, words: &str, minute: u32) -> serde_json::Value {
    serde_json::json!({
        "unit": code(unit),
        "recognizable": "yes",
        "phenomena": [{ "description": words, "terms": ["mass"], "association": "malignant" }],
        "answered_at": format!("2026-11-20T10:{minute:02}:00.000Z"),
        "seconds": 12,
    })
}

fn save(ledger: &Ledger, reader: &str, answer: &serde_json::Value) -> Result<(), Refusal> {
    ledger.save(reader, answer.to_string().as_bytes())
}

#[test]
fn an_answer_goes_to_the_log_and_by_its_units_name_to_the_readers_file() {
    let place = Place::new();
    let (ledger, notices) = place.open();
    assert!(notices.is_empty());
    save(&ledger, "a", &answer(1, "first\nwords <script>", 0)).unwrap();
    save(&ledger, "a", &answer(2, "other", 1)).unwrap();
    let mut again = answer(1, "second look", 2);
    again["repeat"] = true.into();
    save(&ledger, "a", &again).unwrap();
    // A correction, and the same once more as a retry would send it.
    save(&ledger, "a", &answer(1, "corrected", 3)).unwrap();
    save(&ledger, "a", &answer(1, "corrected", 3)).unwrap();
    // One that was held up on its way does not undo it.
    save(&ledger, "a", &answer(1, "first\nwords <script>", 0)).unwrap();
    let file = place.file("a").unwrap();
    let said: Vec<(&str, bool, &str)> = file
        .answers
        .iter()
        .map(|a| (a.unit.as_str(), a.repeat, a.phenomena[0].description.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (UNIT, false, "corrected"),
            ("alexnet/conv5/0002", false, "other"),
            (UNIT, true, "second look")
        ]
    );
    assert_eq!(place.log().iter().filter(|b| **b == b'\n').count(), 6, "the history is kept");
    assert_eq!((ledger.answers("a").len(), ledger.answers("b").len()), (3, 0));
    assert!(place.file("b").is_none());
    assert!(ledger.answers("a").iter().all(|a| a.unit.starts_with("u-")), "codes go back");
}

#[test]
fn a_killed_server_loses_nothing_it_acknowledged() {
    let place = Place::new();
    let (ledger, _) = place.open();
    save(&ledger, "a", &answer(1, "one", 0)).unwrap();
    drop(ledger);
    // Killed between the log and the file, and in the middle of a line.
    let whole = place.log();
    let line = String::from_utf8(whole.clone()).unwrap().replace(&code(1), &code(2));
    let torn = &line.as_bytes()[..line.len() / 2];
    std::fs::write(place.path("collect/a.jsonl"), [&whole, line.as_bytes(), torn].concat())
        .unwrap();
    let (ledger, notices) = place.open();
    assert_eq!(notices.len(), 1);
    assert!(notices[0].place.ends_with("a.jsonl:3"), "{}", notices[0].place);
    assert_eq!(place.file("a").unwrap().answers.len(), 2);
    // The torn line is ended, so that the next stands by itself.
    save(&ledger, "a", &answer(3, "three", 1)).unwrap();
    drop(ledger);
    let before = std::fs::metadata(place.path("labels/a.yaml")).unwrap().modified().unwrap();
    let (ledger, _) = place.open();
    assert_eq!((ledger.answers("a").len(), place.file("a").unwrap().answers.len()), (3, 3));
    let after = std::fs::metadata(place.path("labels/a.yaml")).unwrap().modified().unwrap();
    assert_eq!(before, after, "what is there already is not written again");
}

#[test]
fn a_second_server_is_refused() {
    let place = Place::new();
    let (_ledger, _) = place.open();
    let file = File::create(place.path("collect/lock")).unwrap();
    assert!(file.try_lock().is_err());
}

#[test]
fn what_is_no_answer_of_this_survey_is_refused_and_nothing_written() {
    let place = Place::new();
    let (ledger, _) = place.open();
    let change = |edit: &dyn Fn(&mut serde_json::Value)| {
        let mut answer = answer(1, "x", 0);
        edit(&mut answer);
        answer.to_string().into_bytes()
    };
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "no answer"),
        (b"{".to_vec(), "no answer"),
        (deep.into_bytes(), "no answer"),
        (b"{\"unit\": \"\xff\"}".to_vec(), "no answer"),
        (change(&|a| a["unit"] = UNIT.into()), "does not ask about this unit"),
        (change(&|a| a["unit"] = code(4).into()), "does not ask about this unit"),
        (change(&|a| a["unit"] = "../../etc/passwd".into()), "does not ask about this unit"),
        (change(&|a| a["reader"] = "b".into()), "reader"),
        (change(&|a| a["answered_at"] = "yesterday".into()), "answered_at"),
        (change(&|a| a["answered_at"] = serde_json::Value::Null), "answered_at"),
        (change(&|a| a["confidence"] = 9.into()), "confidence"),
        (change(&|a| a["confidence"] = 900.into()), "no answer"),
        (change(&|a| a["seconds"] = (-1).into()), "seconds"),
        (change(&|a| a["recognizable"] = "no".into()), "recognizable"),
        (change(&|a| a["phenomena"][0]["terms"][0] = "masss".into()), "did you mean `mass`?"),
        (change(&|a| a["phenomena"][0]["association"] = "bad".into()), "no answer"),
        (
            change(&|a| a["phenomena"][0]["description"] = "x".repeat(4001).into()),
            "4000 characters",
        ),
        (change(&|a| a["remarks"] = "x".repeat(4001).into()), "4000 characters"),
        (change(&|a| a["phenomena"] = vec![a["phenomena"][0].clone(); 51].into()), "more than 50"),
        (
            change(&|a| {
                a["questions"] = serde_json::json!({"q1": "", "q2": "", "q3": "", "q4": ""})
            }),
            "four questions",
        ),
    ];
    for (body, part) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        match ledger.save("a", &body) {
            Err(Refusal::Wrong(words)) => {
                assert!(words.contains(part), "{shown}: {words}");
                assert!(!words.contains(&place.0.path().display().to_string()), "{words}");
            }
            other => panic!("{shown}: {other:?}"),
        }
    }
    assert!(place.log().is_empty() && place.file("a").is_none());
}

#[test]
fn a_full_log_takes_no_more() {
    let place = Place::new();
    let (ledger, _) = place.open();
    save(&ledger, "a", &answer(1, "x", 0)).unwrap();
    let log = File::options().append(true).open(place.path("collect/a.jsonl")).unwrap();
    log.set_len(MAX_LOG + 1).unwrap();
    assert_eq!(save(&ledger, "a", &answer(1, "x", 1)), Err(Refusal::Full));
    assert_eq!(save(&ledger, "b", &answer(1, "x", 1)), Ok(()));
}

#[test]
fn a_readers_file_that_cannot_be_read_is_kept_and_the_answer_not_acknowledged() {
    let place = Place::new();
    let (ledger, _) = place.open();
    base::artifact::write(&place.path("labels/a.yaml"), b"schema: 1\noops").unwrap();
    assert!(matches!(save(&ledger, "a", &answer(1, "x", 0)), Err(Refusal::Failed(_))));
    assert_eq!(std::fs::read(place.path("labels/a.yaml")).unwrap(), b"schema: 1\noops");
    // Mended, and tried again.
    std::fs::remove_file(place.path("labels/a.yaml")).unwrap();
    save(&ledger, "a", &answer(1, "x", 0)).unwrap();
    assert_eq!(place.file("a").unwrap().answers.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_text_comes_back_as_it_was_typed_or_is_refused(words in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
        let place = Place::new();
        let (ledger, _) = place.open();
        if save(&ledger, "a", &answer(1, &words, 0)).is_ok() {
            let file = place.file("a").unwrap();
            prop_assert_eq!(&file.answers[0].phenomena[0].description, &words);
            drop(ledger);
            let (ledger, notices) = place.open();
            prop_assert!(notices.is_empty());
            prop_assert_eq!(&ledger.answers("a")[0].phenomena[0].description, &words);
        } else {
            prop_assert!(place.log().is_empty());
        }
    }
}

#[test]
fn what_a_failed_append_left_goes_before_the_next() {
    let place = Place::new();
    let (ledger, _) = place.open();
    save(&ledger, "a", &answer(1, "first", 0)).unwrap();
    let whole = place.log();
    // Longer than one step back.
    let torn = [b"{\"received\": 1, \"answer\": ".as_slice(), &[b'x'; 100_000]].concat();
    std::fs::write(place.path("collect/a.jsonl"), [&whole[..], &torn].concat()).unwrap();
    save(&ledger, "a", &answer(2, "second", 1)).unwrap();
    let log = place.log();
    assert!(log.starts_with(&whole) && log.len() < 2 * whole.len() + 100, "{}", log.len());
    drop(ledger);
    let (ledger, notices) = place.open();
    assert!(notices.is_empty(), "{notices:?}");
    assert_eq!(ledger.answers("a").len(), 2);
    // A log of nothing but a torn line.
    std::fs::write(place.path("collect/a.jsonl"), &torn).unwrap();
    save(&ledger, "a", &answer(3, "third", 2)).unwrap();
    assert_eq!(place.log().iter().filter(|byte| **byte == b'\n').count(), 1);
}

#[test]
fn an_answer_from_the_future_is_refused() {
    let place = Place::new();
    let (ledger, _) = place.open();
    let at = |seconds: i64| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
        let mut answer = answer(1, "words", 0);
        answer["answered_at"] =
            jiff::Timestamp::from_second(now + seconds).unwrap().to_string().into();
        save(&ledger, "a", &answer)
    };
    at(300).unwrap();
    let Err(Refusal::Wrong(words)) = at(700) else { panic!("it was saved") };
    assert!(words.contains("clock"), "{words}");
}
