use serde::Deserialize;
use serde_json::Value;

use crate::{
    Analysis, Components, Correlation, Crossed, Lacking, NoTest, Rating, Scope, Test, Unusable,
    analyse, cross, icc,
};

/// Values of tests/golden/mrmc.py.
#[derive(Deserialize)]
struct Golden {
    studies: Vec<Study>,
}

#[derive(Deserialize)]
struct Study {
    truth: Vec<bool>,
    /// By condition, reader and case.
    scores: [Vec<Vec<f64>>; 2],
    areas: [Vec<f64>; 2],
    delong: Value,
    jackknife: Value,
    dbm: Value,
    icc: [Value; 2],
}

fn studies() -> Vec<Study> {
    let text = include_str!("../../tests/golden/mrmc.json");
    serde_json::from_str::<Golden>(text).unwrap().studies
}

fn ratings(scores: &[Vec<Vec<f64>>; 2]) -> Vec<Rating> {
    let mut ratings = Vec::new();
    for (condition, of_condition) in scores.iter().enumerate() {
        for (reader, of_reader) in of_condition.iter().enumerate() {
            for (case, &score) in of_reader.iter().enumerate() {
                ratings.push(Rating { reader, case, condition, score });
            }
        }
    }
    ratings
}

fn crossed(scores: &[Vec<Vec<f64>>; 2], truth: &[bool]) -> Crossed {
    let (crossed, lacking) = cross(scores[0].len(), truth, ratings(scores)).unwrap();
    assert_eq!(lacking, []);
    crossed
}

/// Every number of `expected` is in `ours`, to nine digits.
fn same(what: &str, ours: &Value, expected: &Value) {
    match (ours, expected) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= 1e-9 * b.abs().max(1e-6), "{what}: {a}, expected {b}");
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{what}");
            a.iter()
                .zip(b)
                .enumerate()
                .for_each(|(at, (a, b))| same(&format!("{what}[{at}]"), a, b));
        }
        (Value::Object(a), Value::Object(b)) => {
            b.iter().for_each(|(key, b)| same(&format!("{what}.{key}"), &a[key], b));
        }
        (a, b) => assert_eq!(a, b, "{what}"),
    }
}

/// As the script writes what follows from components.
fn written(components: &Components) -> Value {
    let mut value = serde_json::to_value(components).unwrap();
    let tests = Scope::ALL.map(|scope| components.test(scope).unwrap());
    value["difference"] = components.difference().into();
    value["tests"] = serde_json::to_value(tests).unwrap();
    value["means"] = serde_json::to_value([0, 1].map(|t| components.mean(t).unwrap())).unwrap();
    value
}

#[test]
fn an_analysis_is_what_the_formulas_of_the_papers_give() {
    let studies = studies();
    assert_eq!(studies.len(), 3);
    for (number, study) in studies.iter().enumerate() {
        let found = analyse(&crossed(&study.scores, &study.truth));
        for (reader, of) in found.readers.iter().enumerate() {
            for t in 0..2 {
                assert!((of.areas[t].value - study.areas[t][reader]).abs() < 1e-12, "{number}");
            }
            let apart = study.areas[1][reader] - study.areas[0][reader];
            assert!((of.difference.difference - apart).abs() < 1e-12, "{number}");
        }
        same(&format!("{number} delong"), &written(&found.delong), &study.delong);
        same(&format!("{number} jackknife"), &written(&found.jackknife), &study.jackknife);
        let mut dbm = serde_json::to_value(&found.dbm).unwrap();
        let tests = Scope::ALL.map(|scope| found.dbm.test(scope).unwrap());
        dbm["tests"] = serde_json::to_value(tests).unwrap();
        same(&format!("{number} dbm"), &dbm, &study.dbm);
        same(
            &format!("{number} icc"),
            &serde_json::to_value(found.icc).unwrap(),
            &study.icc.to_vec().into(),
        );
    }
}

/// Hillis, Obuchowski, Schartz and Berbaum (Statistics in Medicine 2005): the two methods are one.
#[test]
fn pseudovalues_give_what_covariances_by_the_jackknife_give() {
    for study in studies() {
        let found = analyse(&crossed(&study.scores, &study.truth));
        for scope in Scope::ALL {
            let (a, b) = (found.jackknife.test(scope).unwrap(), found.dbm.test(scope).unwrap());
            assert!((a.f - b.f).abs() < 1e-9 * a.f && (a.error - b.error).abs() < 1e-9 * a.error);
            if scope != Scope::Cases {
                let (a, b) = (a.degrees.unwrap(), b.degrees.unwrap());
                assert!((a / b - 1.0).abs() < 1e-9, "{a} {b}");
            }
        }
    }
}

#[test]
fn a_test_and_its_interval_say_the_same() {
    for study in studies() {
        let found = analyse(&crossed(&study.scores, &study.truth));
        for scope in Scope::ALL {
            let Test { p, interval, .. } = found.delong.test(scope).unwrap();
            assert_eq!(p < 0.05, interval[0] > 0.0 || interval[1] < 0.0, "{p} {interval:?}");
        }
    }
}

#[test]
fn conditions_exchanged_turn_the_difference_round() {
    let study = &studies()[0];
    let [first, second] = study.scores.clone();
    let there = analyse(&crossed(&study.scores, &study.truth));
    let back = analyse(&crossed(&[second, first], &study.truth));
    assert_eq!(there.delong.difference(), -back.delong.difference());
    for scope in Scope::ALL {
        let (a, b) = (there.delong.test(scope).unwrap(), back.delong.test(scope).unwrap());
        assert!((a.p - b.p).abs() < 1e-12 && (a.interval[0] + b.interval[1]).abs() < 1e-12);
    }
}

#[test]
fn cases_that_a_reader_did_not_score_are_left_out_and_told() {
    let study = &studies()[0];
    let mut ratings = ratings(&study.scores);
    ratings.retain(|of| !(of.case == 3 && of.reader == 1 && of.condition == 0));
    ratings.retain(|of| !(of.case < 9 && of.case != 3 && of.reader == 2 && of.condition == 1));
    let (crossed, lacking) = cross(4, &study.truth, ratings).unwrap();
    let told = [
        Lacking { reader: 1, condition: 0, count: 1, cases: vec![3] },
        Lacking { reader: 2, condition: 1, count: 8, cases: vec![0, 1, 2, 4, 5] },
    ];
    assert_eq!(lacking, told);
    let kept: [Vec<Vec<f64>>; 2] =
        study.scores.clone().map(|of| of.into_iter().map(|of| of[9..].to_vec()).collect());
    assert_eq!(crossed, self::crossed(&kept, &study.truth[9..]));
}

#[test]
fn too_little_is_refused() {
    let study = &studies()[0];
    let only =
        |reader: usize| ratings(&study.scores).into_iter().filter(move |of| of.reader == reader);
    // The second reader scored nothing.
    let refused = cross(2, &study.truth, only(0)).unwrap_err();
    assert_eq!(refused, Unusable::Cases { positive: 0, negative: 0 });
    assert!(cross(0, &study.truth, []).is_err());
    assert_eq!(cross(201, &[], []).unwrap_err(), Unusable::Readers(201));
    let one = [true, false, false];
    let scores = [0, 1].map(|_| vec![vec![3.0, 2.0, 1.0]]);
    let refused = cross(1, &one, ratings(&scores)).unwrap_err();
    assert_eq!(refused, Unusable::Cases { positive: 1, negative: 2 });
}

fn of_one_reader(first: [f64; 6], second: [f64; 6]) -> Analysis {
    let truth = [true, true, true, false, false, false];
    analyse(&crossed(&[vec![first.to_vec()], vec![second.to_vec()]], &truth))
}

#[test]
fn one_reader_speaks_for_himself_alone() {
    let found = of_one_reader([5.0, 4.0, 2.0, 1.0, 3.0, 2.0], [5.0, 4.0, 3.0, 1.0, 2.0, 1.0]);
    for scope in [Scope::ReadersAndCases, Scope::Readers] {
        assert_eq!(found.delong.test(scope), Err(NoTest::OneReader));
        assert_eq!(found.dbm.test(scope), Err(NoTest::OneReader));
    }
    assert_eq!(found.delong.mean(0), Err(NoTest::OneReader));
    assert_eq!(found.icc, [None, None]);
    // It is DeLong's test of two classifiers.
    let (ours, paired) = (found.delong.test(Scope::Cases).unwrap(), found.readers[0].difference);
    assert!((ours.p - paired.p.unwrap()).abs() < 1e-12);
    assert!((ours.interval[0] - paired.spread.interval().unwrap().low).abs() < 1e-12);
}

#[test]
fn what_does_not_vary_has_no_test() {
    let perfect = [3.0, 4.0, 5.0, 0.0, 1.0, 2.0];
    let found = of_one_reader(perfect, perfect);
    assert_eq!(found.delong.test(Scope::Cases), Err(NoTest::NoVariation));
    // Two readers who are alike, and not perfect: cases vary, readers do not.
    let (first, second) = ([5.0, 4.0, 2.0, 1.0, 3.0, 2.0], [5.0, 4.0, 3.0, 1.0, 2.0, 3.0]);
    let truth = [true, true, true, false, false, false];
    let scores = [vec![first.to_vec(); 2], vec![second.to_vec(); 2]];
    let found = analyse(&crossed(&scores, &truth));
    assert_eq!(found.delong.test(Scope::Readers), Err(NoTest::NoVariation));
    let both = found.delong.test(Scope::ReadersAndCases).unwrap();
    assert_eq!(both.degrees, None);
    assert!(both.p.is_finite() && both.interval[0] < both.interval[1]);
    let [Some(first), _] = found.icc else { panic!("{:?}", found.icc) };
    assert_eq!(first.agreement, Correlation { value: 1.0, interval: None });
    assert_eq!(icc(&[vec![4.0; 5], vec![4.0; 5]]), None);
    assert_eq!(icc(&[]), None);
}

#[test]
fn correlations_of_very_large_scores_are_those_of_small_ones() {
    let small = vec![vec![1.0, 3.0, 2.0, 5.0], vec![2.0, 3.0, 4.0, 6.0]];
    let large: Vec<Vec<f64>> =
        small.iter().map(|of: &Vec<f64>| of.iter().map(|score| score * 1e307).collect()).collect();
    let [small, large] = [icc(&small).unwrap(), icc(&large).unwrap()];
    assert!(large.agreement.value.is_finite());
    assert!((small.agreement.value - large.agreement.value).abs() < 1e-12);
    assert!((small.consistency.value - large.consistency.value).abs() < 1e-12);
}
