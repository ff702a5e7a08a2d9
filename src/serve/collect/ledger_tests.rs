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
            consent: self.path("consent").exists().then(|| "a".repeat(32)),
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
    ledger.save(reader, answer.to_string().as_bytes()).map(drop)
}

/// When the file says that the server received its answers, those that stand and then the others.
fn received(file: &ReaderFile) -> Vec<(&str, i128)> {
    let answers = file.answers.iter().chain(&file.superseded);
    answers.map(|a| (a.phenomena[0].description.as_str(), a.received().unwrap())).collect()
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
    // One that comes again, as if it had never been acknowledged, does not undo it; the time spent goes on.
    let mut late = answer(1, "first\nwords <script>", 0);
    late["seconds"] = 99.into();
    let stands = ledger.save("a", late.to_string().as_bytes()).unwrap();
    assert_eq!(stands.phenomena[0].description, "corrected");
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
    assert_eq!(place.log().iter().filter(|b| **b == b'\n').count(), 4, "the history is kept");
    let superseded: Vec<_> = file.superseded.iter().map(|a| a.seconds).collect();
    assert_eq!(superseded, [Some(12.0)], "each once");
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
    let Err(Refusal::Ahead(now)) = at(700) else { panic!("it was saved") };
    let mut redated = answer(1, "words", 0);
    redated["answered_at"] = now.into();
    save(&ledger, "a", &redated).unwrap();
}

#[test]
fn the_order_is_that_in_which_answers_come_whatever_the_clocks_of_devices_say() {
    let place = Place::new();
    let (ledger, _) = place.open();
    let saved = |words: &str, minute: u32, day: &str| {
        let mut answer = answer(1, words, minute);
        answer["answered_at"] = format!("2026-11-{day}T10:{minute:02}:00.000Z").into();
        // Nobody else says when it was received.
        answer["received_at"] = "2031-01-01T00:00:00Z".into();
        ledger.save("a", answer.to_string().as_bytes()).unwrap()
    };
    let before = now();
    saved("of a clock that is right", 1, "20");
    // On another device, a day behind, and back on the first.
    assert_eq!(saved("a day behind", 2, "19").phenomena[0].description, "a day behind");
    saved("a day behind again", 3, "19");
    saved("right again", 0, "20");
    let stands = saved("of a clock of last year", 4, "01");
    let file = place.file("a").unwrap();
    let said = received(&file);
    assert_eq!(said[0].0, "of a clock of last year");
    assert_eq!(said[0].1, stands.received().unwrap());
    let history: Vec<&str> = said[1..].iter().map(|(words, _)| *words).collect();
    let wanted = ["of a clock that is right", "a day behind", "a day behind again", "right again"];
    assert_eq!(history, wanted);
    let mut times: Vec<i128> = said[1..].iter().chain(&said[..1]).map(|(_, time)| *time).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    times.retain(|time| *time < before - 1_000_000 || *time > now() + 1_000_000_000);
    assert!(times.is_empty(), "by another clock: {times:?}");
    drop(ledger);
    let (ledger, _) = place.open();
    assert_eq!(ledger.answers("a"), vec![Answer { unit: code(1), ..file.answers[0].clone() }]);
    assert_eq!(place.file("a"), Some(file));
}

#[test]
fn a_clock_that_is_set_back_does_not_turn_the_order() {
    let place = Place::new();
    let (ledger, _) = place.open();
    save(&ledger, "a", &answer(1, "first", 0)).unwrap();
    drop(ledger);
    // As if the clock had been a year ahead.
    let log = String::from_utf8(place.log()).unwrap();
    let year = log.find("received_at\":\"").unwrap() + "received_at\":\"".len();
    let later = format!("{}2999{}", &log[..year], &log[year + 4..]);
    std::fs::write(place.path("collect/a.jsonl"), later).unwrap();
    std::fs::remove_file(place.path("labels/a.yaml")).unwrap();
    let (ledger, _) = place.open();
    save(&ledger, "a", &answer(1, "second", 1)).unwrap();
    save(&ledger, "a", &answer(1, "third", 2)).unwrap();
    let file = place.file("a").unwrap();
    let said = received(&file);
    assert_eq!(
        said.iter().map(|(words, _)| *words).collect::<Vec<_>>(),
        ["third", "first", "second"]
    );
    assert_eq!((said[2].1 - said[1].1, said[0].1 - said[2].1), (1_000_000, 1_000_000));
}

#[test]
fn logs_and_files_of_version_0_1_are_taken_over_in_the_order_of_the_log() {
    let place = Place::new();
    // The clock of the second answer's device was behind: by the old rule the first stands. The first came twice.
    let line = |received: u64, answer: &serde_json::Value| {
        serde_json::json!({ "received": received, "answer": answer }).to_string()
    };
    let (first, second) = (answer(1, "first", 9), answer(1, "second", 1));
    let lines =
        [line(1_795_169_520, &first), line(1_795_169_520, &first), line(1_795_169_600, &second)];
    let tokens = ["a".to_owned()];
    Tokens::open(&place.path("collect"), &tokens).unwrap();
    std::fs::write(place.path("collect/a.jsonl"), lines.join("\n") + "\n").unwrap();
    let named = |answer: &serde_json::Value| {
        let mut answer = answer.clone();
        answer["unit"] = UNIT.into();
        answer
    };
    let old = serde_json::json!({
        "schema": 1, "study": "s", "reader": "a", "lexicon": "bi-rads-5",
        "answers": [named(&first)], "superseded": [named(&second)],
    });
    base::artifact::write(&place.path("labels/a.yaml"), old.to_string().as_bytes()).unwrap();
    let (ledger, notices) = place.open();
    assert!(notices.is_empty(), "{notices:?}");
    let file = place.file("a").unwrap();
    let second = 1_000_000_000;
    let came = 1_795_169_520 * second;
    assert_eq!(received(&file), [("second", came + 80 * second), ("first", came)]);
    assert_eq!(ledger.answers("a")[0].phenomena[0].description, "second");
}

#[test]
fn a_readers_file_that_is_gone_is_made_again_with_its_history() {
    let place = Place::new();
    let (ledger, _) = place.open();
    for (unit, words, minute) in [(1, "one", 0), (2, "two", 1), (1, "better", 2)] {
        save(&ledger, "a", &answer(unit, words, minute)).unwrap();
    }
    let file = place.file("a").unwrap();
    drop(ledger);
    std::fs::remove_file(place.path("labels/a.yaml")).unwrap();
    let _opened = place.open();
    let again = place.file("a").unwrap();
    let by_unit = |file: &ReaderFile| {
        let mut answers = file.answers.clone();
        answers.sort_by(|a, b| a.unit.cmp(&b.unit));
        (answers, file.superseded.clone())
    };
    assert_eq!(by_unit(&again), by_unit(&file));
    assert_eq!(again.superseded[0].phenomena[0].description, "one");
}

#[test]
fn what_a_reader_says_of_themselves_outlives_the_server_and_the_file() {
    let place = Place::new();
    let (ledger, _) = place.open();
    let about = |minute: u32, years: u32| {
        serde_json::json!({ "given_at": format!("2026-11-20T10:{minute:02}:00.000Z"), "years": years })
            .to_string()
    };
    let tell = |ledger: &Ledger, text: &str| ledger.tell("a", text.as_bytes());
    tell(&ledger, &about(1, 3)).unwrap();
    let once = place.log();
    tell(&ledger, &about(1, 3)).unwrap();
    assert_eq!(place.log(), once, "said twice, written once");
    save(&ledger, "a", &answer(1, "one", 2)).unwrap();
    tell(&ledger, &about(3, 4)).unwrap();
    // Of another device, whose clock is behind: the file and the server say the same.
    tell(&ledger, &about(2, 9)).unwrap();
    assert_eq!(ledger.about("a"), place.file("a").unwrap().about);
    for wrong in [
        "",
        "{}",
        &about(4, 81),
        r#"{"given_at":"now"}"#,
        r#"{"given_at":"2026-11-20T10:00:00Z","age":4}"#,
    ] {
        assert!(matches!(tell(&ledger, wrong), Err(Refusal::Wrong(_))), "{wrong}");
    }
    let years = |file: &ReaderFile| file.about.as_ref().and_then(|about| about.years);
    assert_eq!(years(&place.file("a").unwrap()), Some(4));
    drop(ledger);
    std::fs::remove_file(place.path("labels/a.yaml")).unwrap();
    let (ledger, notices) = place.open();
    assert!(notices.is_empty(), "{notices:?}");
    let file = place.file("a").unwrap();
    assert_eq!((years(&file), file.answers.len()), (Some(4), 1));
    assert_eq!(ledger.about("a"), file.about);
    assert_eq!(ledger.about("b"), None);
}

#[test]
fn no_answer_is_taken_before_its_reader_agreed_to_the_text_of_today() {
    let place = Place::new();
    std::fs::write(place.path("consent"), "").unwrap();
    let (ledger, _) = place.open();
    let tell = |consent: Option<String>, at: &str| {
        let about = serde_json::json!({ "given_at": at, "consent": consent });
        ledger.tell("a", about.to_string().as_bytes())
    };
    let early = "2026-11-20T10:00:00Z";
    assert!(matches!(save(&ledger, "a", &answer(1, "one", 0)), Err(Refusal::Wrong(_))));
    assert!(matches!(tell(None, early), Err(Refusal::Wrong(_))));
    assert!(matches!(tell(Some("b".repeat(32)), early), Err(Refusal::Wrong(_))), "another text");
    assert!(matches!(tell(Some("a".repeat(32)), "2999-01-01T00:00:00Z"), Err(Refusal::Ahead(_))));
    assert_eq!((place.file("a"), place.log().len()), (None, 0));
    tell(Some("a".repeat(32)), early).unwrap();
    save(&ledger, "a", &answer(1, "one", 0)).unwrap();
    assert!(matches!(save(&ledger, "b", &answer(1, "one", 0)), Err(Refusal::Wrong(_))));
    assert_eq!(place.file("a").unwrap().answers.len(), 1);
}
