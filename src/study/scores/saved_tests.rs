use std::fmt::Write as _;

use serde_json::{Value, json};

use super::super::read;
use super::*;
use crate::cases::Known;

/// Scores of eight cases before and after, as two readers gave them; the first four show no cancer.
const SCORES: [(&str, [u32; 8], [u32; 8]); 2] = [
    ("Reader A", [10, 40, 20, 50, 30, 60, 70, 80], [10, 20, 30, 40, 35, 60, 70, 80]),
    ("B", [50, 20, 60, 10, 30, 55, 40, 5], [20, 30, 10, 50, 60, 70, 45, 90]),
];

fn code(case: usize) -> String {
    format!("c-22222222222{}", case + 2)
}

/// Two of the names differ in nothing but a zero.
fn key() -> Key {
    let known = |case: usize| Known {
        mammogram: ["m01", "m1", "m2", "m3", "m4", "m5", "m6", "m7"][case].into(),
        cancer: Some(case > 3),
    };
    (0..8).map(|case| (code(case), known(case))).collect()
}

fn file(reader: &str, before: [u32; 8], after: [u32; 8]) -> Value {
    let score = |score: u32| json!({ "score": score, "seconds": 12, "scored_at": "2026-11-20T10:12:00.000Z" });
    let cases: Vec<Value> = (0..8)
        .map(|case| json!({ "case": code(case), "before": score(before[case]), "after": score(after[case]) }))
        .collect();
    json!({
        "schema": 1, "kind": "cases", "study": "s", "reader": reader, "saved_at": "2026-11-20T12:00:00.000Z",
        "cases": cases,
    })
}

/// The files of both readers.
fn files() -> [Value; 2] {
    SCORES.map(|(reader, before, after)| file(reader, before, after))
}

struct Told {
    scored: Result<super::super::Scored>,
    notices: Vec<String>,
    rows: Vec<SavedScore>,
}

fn told(texts: &[String]) -> Result<Told> {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> =
        (0..texts.len()).map(|n| folder.path().join(format!("{n}.json"))).collect();
    for (path, text) in paths.iter().zip(texts) {
        std::fs::write(path, text).unwrap();
    }
    let key = key();
    let project = Project { study: "s", key: &key };
    let (readings, rows) = read_saved(&paths, &project, &Given::default())?;
    let notices = readings.notices.iter().map(|n| format!("{}: {}", n.place, n.message)).collect();
    Ok(Told { scored: readings.scored, notices, rows })
}

fn read_values(files: &[Value]) -> Told {
    told(&files.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
}

/// The same scores as a table.
fn as_table() -> super::super::Scored {
    let mut text = "reader,case,condition,score,truth\n".to_owned();
    for (reader, before, after) in SCORES {
        for (condition, scores) in [("without", before), ("with", after)] {
            for (case, score) in scores.into_iter().enumerate() {
                let truth = if case > 3 { "malignant" } else { "benign" };
                writeln!(text, "{reader},case {},{condition},{score},{truth}", case + 1).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.csv");
    std::fs::write(&path, text).unwrap();
    read(&path, None, &Given::default()).unwrap().scored.unwrap()
}

#[test]
fn files_of_readers_give_what_a_table_of_their_scores_gives() {
    let found = read_values(&files());
    assert_eq!(found.notices, [""; 0]);
    assert_eq!(found.scored.unwrap(), as_table());
}

#[test]
fn the_table_of_readers_files_is_read_as_they_are() {
    let mut given = files();
    given[0]["cases"][0]["before"]["birads"] = "4A".into();
    given[0]["cases"][1]["before"]["birads"] = "2".into();
    given[0]["cases"][0]["remarks"] = "=1+1".into();
    given[0]["reader"] = "=A".into();
    let found = read_values(&given);
    let bytes = table(&found.rows).unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(
        text.starts_with("reader,case,condition,score,truth,_mammogram,_birads,_seconds\n"),
        "{text}"
    );
    assert!(text.contains("\n'=A,c-222222222222,without,10,no cancer,m01,4A,12\n"), "{text}");
    assert_eq!(text.lines().count(), 1 + 2 * 2 * 8);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.csv");
    std::fs::write(&path, bytes).unwrap();
    let again = read(&path, None, &Given::default()).unwrap();
    assert!(again.notices.is_empty(), "{:?}", again.notices);
    assert_eq!(again.scored.unwrap(), found.scored.unwrap());
}

#[test]
fn a_case_without_its_second_score_is_told_and_left_out() {
    let mut given = files();
    given[1]["cases"][3].as_object_mut().unwrap().remove("after");
    let found = read_values(&given);
    assert_eq!(
        found.notices,
        ["cases: reader `B` has no score in `with` of 1 case: `m3`; left out"]
    );
    let scored = found.scored.unwrap();
    assert_eq!((scored.positive, scored.negative, scored.left_out), (4, 3, 1));
}

#[test]
fn cases_that_are_not_known_here_are_told() {
    let mut given = files();
    for file in &mut given {
        file["cases"][7]["case"] = "c-zzzzzzzzzzzz".into();
    }
    let found = read_values(&given);
    assert_eq!(found.notices.len(), 2);
    assert!(
        found.notices[0]
            .starts_with("0.json: 1 of 8 cases are not known here, such as `c-zzzzzzzzzzzz`:"),
        "{:?}",
        found.notices
    );
    assert_eq!(found.scored.unwrap().positive, 3);
}

#[test]
fn of_one_readers_files_the_later_stands() {
    let [mut earlier, other] = files();
    let mut later = earlier.clone();
    later["reader"] = "reader  a".into();
    later["saved_at"] = "2026-11-21T12:00:00Z".into();
    later["cases"].as_array_mut().unwrap().truncate(7);
    earlier["cases"][0]["after"]["score"] = 99.into();
    let whole = read_values(&[later.clone(), other.clone()]);
    for order in [[&earlier, &later], [&later, &earlier]] {
        let found = read_values(&[order[0].clone(), other.clone(), order[1].clone()]);
        let place = if order[0] == &earlier { [0, 2] } else { [2, 0] };
        let words = format!(
            "{}.json: is of reader `Reader A` too, whose file `{}.json` was saved later; one of its cases is not in \
             that; left out",
            place[0], place[1]
        );
        assert!(found.notices.contains(&words), "{:?}", found.notices);
        let (found, whole) = (found.scored.unwrap(), whole.scored.as_ref().unwrap());
        assert_eq!(found.analysis, whole.analysis);
    }
}

#[test]
fn what_is_no_such_file_is_told_with_its_place_and_the_others_are_used() {
    let [good, bad] = files();
    let with = |edit: &dyn Fn(&mut Value)| {
        let mut file = bad.clone();
        edit(&mut file);
        file.to_string()
    };
    for (text, words) in [
        (String::new(), "1.json"),
        ("{\"schema\": 1,".into(), "1.json"),
        ("[1, 2]".into(), "1.json"),
        (with(&|file| file["study"] = "t".into()), "belongs to the study `t`; the project\u{2019}s is `s`"),
        (with(&|file| file["schema"] = 2.into()), "schema 2 is unknown"),
        (with(&|file| file["kind"] = "units".into()), "kind `units` is unknown"),
        (with(&|file| file["reader"] = " ".into()), "names no reader"),
        (with(&|file| file["saved_at"] = "yesterday".into()), "`yesterday` is no time"),
        (with(&|file| file["cases"][2]["after"]["score"] = 101.into()), "expected a score from 0 to 100"),
        (with(&|file| file["cases"][2]["before"]["score"] = Value::Null), "1.json:1:"),
        (with(&|file| file["cases"][2]["before"]["birads"] = "7".into()), "no BI-RADS assessment"),
        (with(&|file| file["cases"][2]["case"] = code(1).into()), "case `c-222222222223` stands twice"),
        (with(&|file| file["cases"][2]["truth"] = true.into()), "truth"),
        (
            "{\"schema\": 1, \"study\": \"s\", \"reader\": \"a\", \"lexicon\": \"bi-rads-5\", \"answers\": []}".into(),
            "`labels import` takes it in",
        ),
    ] {
        let found = told(&[good.to_string(), text.clone()]).unwrap();
        assert_eq!(found.notices.len(), 1, "{text}: {:?}", found.notices);
        let notice = &found.notices[0];
        assert!(notice.starts_with("1.json") && notice.contains(words) && notice.contains("left out"), "{text}: {notice}");
        assert_eq!(found.scored.unwrap().readers, ["Reader A"], "{text}");
        // Alone, it is the reason for which there is nothing.
        let refused = format!("{:#}", told(&[text]).map(|_| ()).unwrap_err());
        assert!(refused.starts_with("no file can be used: 0.json"), "{refused}");
    }
}
