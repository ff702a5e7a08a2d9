use std::collections::BTreeSet;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// What `tests/golden/agreement.py` computes with other people's programs.
#[derive(Deserialize)]
struct Golden {
    tables: Vec<Table>,
    sets: Vec<Sets>,
}

#[derive(Deserialize)]
struct Table {
    name: String,
    raters: usize,
    values: usize,
    items: Vec<Vec<(usize, usize)>>,
    printed: std::collections::BTreeMap<String, f64>,
    percent: Option<f64>,
    cohen: Option<f64>,
    fleiss: Option<f64>,
    alpha: Option<f64>,
    ac1: Option<f64>,
}

#[derive(Deserialize)]
struct Sets {
    name: String,
    raters: usize,
    items: Vec<Vec<(usize, BTreeSet<String>)>>,
    masi: f64,
    jaccard: f64,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../tests/golden/agreement.json")).unwrap()
}

/// Values without intervals.
fn values(ratings: &Ratings) -> [Result<f64, Undefined>; 5] {
    coefficient::values(ratings, Coefficient::ALL, |_| 1.0)
}

#[test]
fn coefficients_equal_other_programs_and_the_printed_examples() {
    let golden = golden();
    assert!(golden.tables.len() > 15);
    let mut printed = 0;
    for table in golden.tables {
        let ratings = Ratings::nominal(table.items, table.raters, table.values);
        let expected = [table.percent, table.cohen, table.fleiss, table.alpha, table.ac1];
        for ((found, expected), coefficient) in
            values(&ratings).into_iter().zip(expected).zip(Coefficient::ALL)
        {
            let shown = format!("{}, {}", table.name, coefficient.name());
            match (found, expected) {
                (Ok(found), Some(expected)) => {
                    assert!((found - expected).abs() < 1e-9, "{shown}: {found} {expected}");
                }
                (Err(_), None) => {}
                other => panic!("{shown}: {other:?}"),
            }
            let name = ["percent", "cohen", "fleiss", "alpha", "ac1"][coefficient as usize];
            if let (Some(paper), Ok(found)) = (table.printed.get(name), found) {
                assert!((found - paper).abs() < 6e-4, "{shown}: {found}, printed {paper}");
                printed += 1;
            }
        }
    }
    assert_eq!(printed, 8, "Krippendorff 3, Fleiss 1, Cohen 1, Gwet 3");
}

#[test]
fn alpha_of_sets_equals_nltk() {
    for sets in golden().sets {
        for (distance, expected) in
            [(SetDistance::Masi, sets.masi), (SetDistance::Jaccard, sets.jaccard)]
        {
            let ratings = set_ratings(&sets.items, sets.raters, distance);
            let [alpha] = coefficient::values(&ratings, [Coefficient::Alpha], |_| 1.0);
            let found = alpha.unwrap();
            assert!((found - expected).abs() < 1e-9, "{} {distance:?}: {found}", sets.name);
        }
    }
}

#[test]
fn distances_of_sets_are_as_defined() {
    let set = |terms: &[&'static str]| terms.iter().copied().collect::<BTreeSet<_>>();
    for (a, b, jaccard, masi) in [
        (set(&[]), set(&[]), 0.0, 0.0),
        (set(&[]), set(&["a"]), 1.0, 1.0),
        (set(&["a"]), set(&["a"]), 0.0, 0.0),
        (set(&["a"]), set(&["b"]), 1.0, 1.0),
        (set(&["a"]), set(&["a", "b"]), 0.5, 1.0 - 0.5 * 2.0 / 3.0),
        (set(&["a", "b"]), set(&["b", "c"]), 2.0 / 3.0, 1.0 - 1.0 / 9.0),
    ] {
        for (distance, expected) in [(SetDistance::Jaccard, jaccard), (SetDistance::Masi, masi)] {
            assert!((distance.between(&a, &b) - expected).abs() < 1e-12, "{a:?} {b:?}");
            assert!((distance.between(&b, &a) - expected).abs() < 1e-12, "{b:?} {a:?}");
        }
    }
}

#[test]
fn what_divides_by_zero_is_undefined_and_says_why() {
    let same = Ratings::nominal(vec![vec![(0, 1), (1, 1)]; 4], 2, 2);
    let [percent, cohen, fleiss, alpha, ac1] = values(&same);
    assert_eq!((percent, ac1), (Ok(1.0), Ok(1.0)));
    assert_eq!([cohen, fleiss, alpha], [Err(Undefined::NoVariation); 3]);
    let alone = Ratings::nominal(vec![vec![(0, 1)], vec![(1, 0)], vec![]], 2, 2);
    assert_eq!(values(&alone), [Err(Undefined::NoPairs); 5]);
    assert_eq!(values(&Ratings::nominal(vec![], 0, 0)), [Err(Undefined::NoPairs); 5]);
    let [undefined] = estimate(&alone, [Coefficient::Alpha], 1);
    assert_eq!(undefined, Estimate::Undefined(Undefined::NoPairs));
}

/// Two raters that agree in four of five items.
fn agreeing(items: usize) -> Ratings {
    let items = (0..items).map(|i| vec![(0, i % 2), (1, (i + usize::from(i % 5 == 0)) % 2)]);
    Ratings::nominal(items.collect::<Vec<_>>(), 2, 2)
}

#[test]
fn intervals_follow_the_seed_and_narrow_with_more_items() {
    let interval = |items, seed| {
        let [percent] = estimate(&agreeing(items), [Coefficient::Percent], seed);
        percent.interval().unwrap()
    };
    let alpha = |seed| estimate(&agreeing(43), [Coefficient::Alpha], seed);
    assert_eq!(alpha(7), alpha(7));
    assert_ne!(alpha(7), alpha(8));
    let width = |[low, high]: [f64; 2]| high - low;
    // Of a share of 0.8 over 100 items: twice 1.96 standard errors, sqrt(0.8 · 0.2 / 100).
    assert!((width(interval(100, 7)) - 3.92 * 0.04).abs() < 0.02, "{:?}", interval(100, 7));
    assert!(width(interval(400, 7)) < width(interval(40, 7)) / 2.0);
}

#[test]
fn too_few_items_have_a_value_and_no_interval() {
    let one = Ratings::nominal(vec![vec![(0, 0), (1, 1)], vec![(0, 1)]], 2, 2);
    let [estimate_of_one] = estimate(&one, [Coefficient::Alpha], 1);
    assert_eq!(estimate_of_one, Estimate::Value { value: 0.0, interval: None });
    // One odd item among fifty: more than a third of the draws miss it, which is still a minority.
    let mut items = vec![vec![(0, 0), (1, 0)]; 49];
    items.push(vec![(0, 1), (1, 1)]);
    let of = |items: &[Vec<(usize, usize)>]| {
        let [rare] = estimate(&Ratings::nominal(items.to_vec(), 2, 2), [Coefficient::Alpha], 1);
        rare
    };
    // Where all agree, so they do in every draw: no interval, rather than one without width.
    assert_eq!(of(&items), Estimate::Value { value: 1.0, interval: None });
    let mut varied = items.clone();
    varied[0][0] = (0, 1);
    let [low, high] = of(&varied).interval().unwrap();
    assert!(low < high);
    // Two items: half of the draws hold only one of them.
    let [half] = estimate(&Ratings::nominal(items.split_off(48), 2, 2), [Coefficient::Cohen], 1);
    assert_eq!(half.value(), Some(1.0));
}

#[test]
fn a_pair_is_taken_out_of_many() {
    let items = vec![vec![(0, 0), (1, 1), (2, 1)], vec![(1, 0), (2, 0)], vec![(0, 1), (2, 1)]];
    let ratings = Ratings::nominal(items, 3, 2);
    assert_eq!((ratings.pairable(), ratings.active()), (3, 3));
    assert_eq!(ratings.pair(1, 2).pairable(), 2);
    assert_eq!(values(&ratings.pair(1, 2))[1], Ok(1.0));
    assert_eq!(ratings.share(1), Some(4.0 / 7.0));
}

proptest! {
    #[test]
    fn coefficients_stay_in_their_range(
        items in proptest::collection::vec(proptest::collection::vec(proptest::option::of(0..4usize), 3), 0..12),
    ) {
        let items: Vec<Vec<(usize, usize)>> = items
            .iter()
            .map(|item| item.iter().enumerate().filter_map(|(r, v)| Some((r, (*v)?))).collect())
            .collect();
        let ratings = Ratings::nominal(items, 3, 4);
        for (found, coefficient) in values(&ratings).into_iter().zip(Coefficient::ALL) {
            if let Ok(found) = found {
                prop_assert!(found.is_finite() && found <= 1.0 + 1e-12, "{} {found}", coefficient.name());
            }
        }
        let [percent, ..] = values(&ratings);
        prop_assert!(percent.is_ok() == (ratings.pairable() > 0));
    }
}
