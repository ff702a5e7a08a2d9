use std::fmt::Write;

use super::*;

/// Four cases of each kind, two readers, two conditions; `edit` changes the lines behind the first, numbered from 2.
fn table(edit: impl Fn(usize, &str) -> String) -> String {
    let mut lines = vec!["reader,case,condition,score,truth".to_owned()];
    for condition in ["without", "with"] {
        for reader in ["A", "B"] {
            for case in 1..=8 {
                let gain = if condition == "with" { case % 3 } else { 0 };
                let score = 10 * case
                    + if reader == "A" { 7 * (case % 2) } else { -12 * (case % 3) }
                    + gain * 4;
                let truth = if case > 4 { "malignant" } else { "benign" };
                lines.push(format!("{reader},c{case},{condition},{score},{truth}"));
            }
        }
    }
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        let line = if number == 0 { line.clone() } else { edit(number + 1, line) };
        writeln!(text, "{line}").unwrap();
    }
    text
}

struct Told {
    readings: Readings,
    notices: Vec<String>,
}

impl Told {
    fn scored(&self) -> &Scored {
        self.readings.scored.as_ref().unwrap()
    }

    fn refused(&self) -> String {
        format!("{:#}", self.readings.scored.as_ref().unwrap_err())
    }
}

fn reading(text: &str, truths: Option<&str>, given: &Given) -> Told {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.csv");
    std::fs::write(&path, text).unwrap();
    let other = folder.path().join("truth.csv");
    if let Some(text) = truths {
        std::fs::write(&other, text).unwrap();
    }
    let readings = read(&path, truths.map(|_| &*other), given).unwrap();
    let notices = readings.notices.iter().map(|n| format!("{}: {}", n.place, n.message)).collect();
    Told { readings, notices }
}

fn as_it_is(_: usize, line: &str) -> String {
    line.to_owned()
}

#[test]
fn a_whole_table_is_analysed_without_a_word() {
    let told = reading(&table(as_it_is), None, &Given::default());
    assert_eq!(told.notices, [""; 0]);
    let scored = told.scored();
    assert_eq!(scored.conditions, ["without", "with"]);
    assert_eq!(scored.readers, ["A", "B"]);
    assert_eq!((scored.positive, scored.negative, scored.left_out), (4, 4, 0));
    assert_eq!(scored.analysis.readers.len(), 2);
}

#[test]
fn truths_may_stand_in_a_table_of_their_own() {
    let bare =
        table(|_, line| line.rsplit_once(',').unwrap().0.to_owned()).replacen(",truth", "", 1);
    let mut truths = "case,truth\n".to_owned();
    // One that nobody scored says nothing of the study.
    for case in 1..=9 {
        writeln!(truths, "C{case},{}", i32::from(case > 4)).unwrap();
    }
    let told = reading(&bare, Some(&truths), &Given::default());
    assert_eq!(
        told.notices,
        ["cases: 8 are written in two ways, such as `c1` and `C1`; both are taken for one"]
    );
    let whole = reading(&table(as_it_is), None, &Given::default());
    assert_eq!(told.scored(), whole.scored());
    let path = Path::new("nowhere/scores.csv");
    assert!(read(path, None, &Given::default()).is_err());
}

#[test]
fn conditions_are_in_the_order_in_which_they_appear_or_are_given() {
    let there = reading(&table(as_it_is), None, &Given::default());
    let turned = Given { conditions: Some(["with".into(), "Without".into()]), ..Given::default() };
    let back = reading(&table(as_it_is), None, &turned);
    assert_eq!(back.scored().conditions, ["with", "without"]);
    let difference = |told: &Told| told.scored().analysis.delong.difference();
    assert_eq!(difference(&there), -difference(&back));
    assert_ne!(difference(&there), 0.0);

    let third =
        table(|line, text| if line == 2 { text.replace("without", "later") } else { text.into() });
    let told = reading(&third, None, &Given::default());
    let refused = told.refused();
    assert!(
        refused.contains("3 conditions, `later`, `without`, `with`; `--conditions A,B`"),
        "{refused}"
    );
    let told = reading(&third, None, &turned);
    assert!(told.notices[0].contains("other conditions are not looked at: `later`"));
    let unknown = Given { conditions: Some(["with".into(), "wihtout".into()]), ..Given::default() };
    let refused = reading(&table(as_it_is), None, &unknown).refused();
    assert!(refused.contains("did you mean `without`?"), "{refused}");
    let twice = Given { conditions: Some(["with".into(), "with".into()]), ..Given::default() };
    assert!(reading(&table(as_it_is), None, &twice).refused().contains("twice"));
    let one = table(|_, line| line.replace("without", "with"));
    assert!(
        reading(&one, None, &Given::default())
            .refused()
            .contains("all scores are of one condition, `with`")
    );
}

#[test]
fn every_bad_row_has_its_place_and_the_others_count() {
    let told = reading(
        &table(|line, text| match line {
            2 => "A,c1,without,high,benign".into(),
            3 => "A,c2,without,20,perhaps".into(),
            4 => ",c3,without,30,benign".into(),
            5 => "A,c4,without,40,benign,1".into(),
            _ => text.into(),
        }),
        None,
        &Given::default(),
    );
    let starts = [
        "scores.csv:2: `score` is no number",
        "scores.csv:3: `truth` is not known",
        "scores.csv:4: `reader` is missing",
        "scores.csv:5: the row has 6 values",
    ];
    for (notice, start) in told.notices.iter().zip(starts) {
        assert!(notice.starts_with(start), "{notice}");
    }
    assert!(told.readings.notices.iter().all(|notice| notice.skipped));
    // All four negative cases lack a score now.
    assert!(told.refused().contains("4 are positive and 0 negative"), "{}", told.refused());
}

#[test]
fn cases_that_lack_a_score_are_left_out_and_told() {
    let told = reading(
        &table(|line, text| match line {
            // c1 of A, without: blank; c8 of B, with: not there.
            2 => "A,c1,without,NA,benign".into(),
            33 => String::new(),
            _ => text.into(),
        }),
        None,
        &Given::default(),
    );
    assert_eq!(
        told.notices,
        [
            "cases: reader `A` has no score in `without` of 1 case: `c1`; left out",
            "cases: reader `B` has no score in `with` of 1 case: `c8`; left out",
        ]
    );
    let scored = told.scored();
    assert_eq!((scored.positive, scored.negative, scored.left_out), (3, 3, 2));
}

#[test]
fn what_contradicts_itself_does_not_count() {
    let more = "A,c1,without,17,benign\nA,c2,without,99,benign\nB,c3,with,1,malignant\n";
    let told = reading(&(table(as_it_is) + more), None, &Given::default());
    assert_eq!(told.notices.len(), 5, "{:?}", told.notices);
    let has =
        |text: &str| assert!(told.notices.iter().any(|n| n.contains(text)), "{:?}", told.notices);
    has(
        "scores.csv:36: the truth of case `c3` is another than in scores.csv:4; the case is left out",
    );
    has(
        "scores.csv:34: reader `A` has a score of case `c1` in `without` in line 2 already; it is the same",
    );
    has(
        "scores.csv:35: reader `A` has a score of case `c2` in `without` in line 3 already; they differ",
    );
    has("cases: reader `A` has no score in `without` of 1 case: `c2`; left out");
    let scored = told.scored();
    assert_eq!((scored.positive, scored.negative, scored.left_out), (4, 2, 2));
}

#[test]
fn a_reader_of_one_condition_is_left_out() {
    let more = "C,c1,without,17,benign\n";
    let told = reading(&(table(as_it_is) + more), None, &Given::default());
    assert_eq!(
        told.notices,
        ["reader `C`: scored cases in one of the two conditions only; left out"]
    );
    assert_eq!(told.scored().readers, ["A", "B"]);
    // So it is with those who are not asked for, without a word.
    let only = Given { readers: vec!["b".into()], ..Given::default() };
    let told = reading(&(table(as_it_is) + more), None, &only);
    assert_eq!(told.notices, [""; 0]);
    assert_eq!(told.scored().readers, ["B"]);
    let unknown = Given { readers: vec!["D".into()], ..Given::default() };
    assert!(reading(&table(as_it_is), None, &unknown).refused().contains("unknown reader `D`"));
}

#[test]
fn a_case_without_a_truth_is_told() {
    let untold = table(|_, line| match line.contains(",c2,") {
        true => line.replace("benign", ""),
        false => line.to_owned(),
    });
    let told = reading(&untold, None, &Given::default());
    assert_eq!(told.notices, ["cases: no truth is known of 1 case: `c2`; left out"]);
    assert_eq!(told.scored().negative, 3);
}
