//! Import and collection keep to the rules of answers in `answers.json`, as the survey's page does
//! (`scripts/answers.test.js`): a rule that is changed in one of the three fails here or there.

use std::path::PathBuf;

use lexicon::Lexicons;
use serde_json::{Map, Value};
use serve::collect::{Asked, Ledger, Refusal, Tokens};
use study::code::Codes;
use study::import::{Refused, Report, import};
use study::labels::{Dissected, Read};
use study::reading::Given;

use crate::support::lexicons;

fn table() -> Value {
    serde_json::from_str(include_str!("answers.json")).unwrap()
}

/// A value with what it stands for: `$answer` for the usual answer, `{"$text": [text, n]}` for a text n
/// times over, `{"$list": [value, n]}` for a list of n.
fn expanded(value: &Value, answer: &Value) -> Value {
    let times = |pair: &Value| (pair[0].clone(), pair[1].as_u64().unwrap() as usize);
    match value {
        Value::String(text) if text == "$answer" => answer.clone(),
        Value::Array(list) => list.iter().map(|one| expanded(one, answer)).collect(),
        Value::Object(map) => match (map.get("$text"), map.get("$list")) {
            (Some(text), _) => {
                let (text, n) = times(text);
                text.as_str().unwrap().repeat(n).into()
            }
            (_, Some(list)) => {
                let (one, n) = times(list);
                vec![expanded(&one, answer); n].into()
            }
            _ => map.iter().map(|(key, one)| (key.clone(), expanded(one, answer))).collect(),
        },
        _ => value.clone(),
    }
}

/// What a case is about: the usual answer or file, with some things and without others.
fn about(usual: &Value, case: &Value, answer: &Value) -> Value {
    let mut value = expanded(usual, answer);
    let map = value.as_object_mut().unwrap();
    let put = case.get("with").and_then(Value::as_object).into_iter().flatten();
    map.extend(put.map(|(key, one)| (key.clone(), expanded(one, answer))));
    for key in case.get("without").and_then(Value::as_array).into_iter().flatten() {
        map.remove(key.as_str().unwrap());
    }
    value
}

/// The verdict that a case expects of one of the three, under `usual` where it is that of all.
fn expected<'c>(case: &'c Value, of: &str, usual: &str) -> &'c str {
    let own = case.get(of);
    assert!(own.is_none() || case["because"].is_string(), "{case}: why does {of} differ?");
    own.unwrap_or(&case[usual]).as_str().unwrap()
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Imports a file with this text.
    fn import(&self, text: &str) -> Result<Report, Refused> {
        let file = self.path("given.json");
        std::fs::write(&file, text).unwrap();
        let given =
            Given { study: None, reader: None, lexicon: "bi-rads-5".into(), encoding: None };
        let codes = Codes::default();
        import(&[file], &self.path("labels"), &given, &codes, &layers(), &lexicons())
    }

    fn ledger(&self, table: &Value) -> Ledger {
        let text = |key: &str| table["file"][key].as_str().unwrap().to_owned();
        let asked = Asked {
            study: text("study"),
            lexicon: text("lexicon"),
            consent: None,
            units: [table["answer"]["unit"].as_str().unwrap().to_owned()].into(),
            codes: Codes::default(),
            layers: layers(),
            lexicons: lexicons(),
        };
        let tokens = Tokens::open(&self.path("collect"), &[text("reader")]).unwrap();
        Ledger::open(&self.path("collect"), &self.path("labels"), asked, &tokens).unwrap().0
    }

    /// What stands in the reader's file.
    fn remarks(&self) -> Option<String> {
        let file = Read::open(&self.path("labels/a.yaml")).unwrap().content();
        assert_eq!(file.answers.len(), 1);
        file.answers[0].remarks.clone()
    }
}

fn layers() -> Vec<Dissected> {
    vec![Dissected { network: "alexnet".into(), layer: "conv5".into(), units: 4 }]
}

fn lexicons() -> Lexicons {
    lexicons::built_in()
}

fn file(table: &Value, answer: Value) -> String {
    let mut file = table["file"].clone();
    file["answers"] = vec![answer].into();
    file.to_string()
}

fn verdict(result: &Result<Report, Refused>) -> (&'static str, String) {
    match result {
        Ok(report) if report.warnings.is_empty() => ("whole", String::new()),
        Ok(report) => ("open", report.warnings[0].to_string()),
        Err(refused) => ("refused", refused.to_string()),
    }
}

/// What is wrong in a list of cases; all of it, so that one run shows it.
fn failures(cases: &Value, judge: impl Fn(&Value) -> Option<String>) -> Vec<String> {
    let cases = cases.as_array().unwrap();
    assert!(cases.len() > 5);
    let failure = |case| judge(case).map(|words| format!("{}: {words}", case["case"]));
    cases.iter().filter_map(failure).collect()
}

#[test]
fn import_keeps_to_the_rules() {
    let table = table();
    let found = failures(&table["answers"], |case| {
        let answer = about(&table["answer"], case, &table["answer"]);
        let (is, words) = verdict(&Place::new().import(&file(&table, answer)));
        (is != expected(case, "import", "is")).then(|| format!("{is} {words}"))
    });
    assert_eq!(found, [""; 0]);
    let found = failures(&table["files"], |case| {
        let place = Place::new();
        // The study that is asked about has an answer already.
        let other = Map::from_iter([("reader".to_owned(), Value::from("b"))]);
        let mut known = about(&table["file"], &Value::Null, &table["answer"]);
        known.as_object_mut().unwrap().extend(other);
        place.import(&known.to_string()).unwrap();
        let given = about(&table["file"], case, &table["answer"]);
        let (is, words) = verdict(&place.import(&given.to_string()));
        (is != expected(case, "import", "is")).then(|| format!("{is} {words}"))
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn collection_keeps_to_the_rules() {
    let table = table();
    let found = failures(&table["answers"], |case| {
        let place = Place::new();
        let ledger = place.ledger(&table);
        let answer = about(&table["answer"], case, &table["answer"]);
        let is = ledger.save("a", answer.to_string().as_bytes());
        let as_it_should = match expected(case, "collect", "is") {
            // The survey sends what is complete; what is not is no mistake.
            "whole" | "open" => is.is_ok(),
            _ => matches!(is, Err(Refusal::Wrong(_))) && !place.path("labels/a.yaml").exists(),
        };
        (!as_it_should).then(|| format!("{is:?}"))
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn of_two_answers_the_same_stands_everywhere() {
    let table = table();
    let found = failures(&table["merges"], |case| {
        let of = |which: &str| {
            let mut answer = table["answer"].clone();
            let times = match &case[which] {
                Value::Object(times) => times.clone(),
                time => Map::from_iter([("answered_at".to_owned(), time.clone())]),
            };
            answer.as_object_mut().unwrap().extend(times);
            answer["remarks"] = which.into();
            answer
        };
        let stands = case["stands"].as_str().map(str::to_owned);
        let place = Place::new();
        for which in ["here", "given"] {
            place.import(&file(&table, of(which))).unwrap();
        }
        if place.remarks() != stands {
            return Some(format!("import has {:?}", place.remarks()));
        }
        let stands = Some(expected(case, "collect", "stands").to_owned());
        // Collection takes no answer without a time.
        if case["here"].is_null() || case["given"].is_null() {
            return None;
        }
        let place = Place::new();
        let ledger = place.ledger(&table);
        for which in ["here", "given"] {
            ledger.save("a", of(which).to_string().as_bytes()).unwrap();
        }
        let log = ledger.answers("a")[0].remarks.clone();
        (place.remarks() != stands || log != stands)
            .then(|| format!("collection has {:?} and {log:?}", place.remarks()))
    });
    assert_eq!(found, [""; 0]);
}
