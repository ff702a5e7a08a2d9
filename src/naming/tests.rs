//! Units whose patches were planted get their term, others none.

use base::artifact::Stamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use record::dissection::SCORES;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::*;

const MAMMOGRAMS: u32 = 48;
const EACH: u32 = 10;
const TERMS: usize = 12;

/// Patches of mammograms with one term each, if any, and the cosines with all terms.
struct World {
    mammograms: Vec<u32>,
    holds: Vec<Option<usize>>,
    cosines: Vec<f32>,
}

/// Every third patch shows one of the terms but the last, to which it is closer by `by`.
fn world(by: f32) -> World {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let count = MAMMOGRAMS * EACH;
    let holds: Vec<Option<usize>> = (0..count)
        .map(|_| random.random_bool(0.33).then(|| random.random_range(0..TERMS - 1)))
        .collect();
    let cosine = |own: &Option<usize>, term: usize, random: &mut ChaCha8Rng| {
        let noise: f32 = (0..6).map(|_| random.random_range(-0.1..0.1_f32)).sum();
        noise + if *own == Some(term) { by } else { 0.0 }
    };
    let mut cosines = Vec::new();
    for own in &holds {
        cosines.extend((0..TERMS).map(|term| cosine(own, term, &mut random)));
    }
    World { mammograms: (0..count).map(|at| at / EACH).collect(), holds, cosines }
}

/// Scores at random, and higher by `by` where a patch shows a term.
fn unit(world: &World, term: Option<usize>, by: f32, seed: u64) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let shows = |own: &Option<usize>| own.is_some() && *own == term;
    world
        .holds
        .iter()
        .map(|own| random.random::<f32>() + if shows(own) { by } else { 0.0 })
        .collect()
}

fn scores(units: &[Vec<f32>]) -> (tempfile::TempDir, LayerScores) {
    let folder = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = units.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
    let shape = vec![units.len(), units[0].len()];
    let view = TensorView::new(Dtype::F32, shape, &bytes).unwrap();
    let file = safetensors::serialize([("scores", view)], None).unwrap();
    std::fs::write(folder.path().join(SCORES), file).unwrap();
    Stamp::new(1).seal(folder.path(), &[SCORES], "cpu").unwrap();
    let scores = LayerScores::open(folder.path()).unwrap();
    (folder, scores)
}

fn terms() -> Vec<Term> {
    (0..TERMS)
        .map(|term| Term { id: format!("t{term}"), prompts: Vec::new(), general: None })
        .collect()
}

/// What is asked of units with these scores.
fn job<'a>(
    world: &'a World,
    terms: &'a [Term],
    similarities: &'a Similarities,
    scores: &'a LayerScores,
) -> Job<'a> {
    Job {
        network: "net",
        layer: "layer",
        namer: "none",
        split: Split::Validation,
        mammograms: &world.mammograms,
        terms,
        similarities,
        scores,
        untrained: None,
        patches: 16,
        scoring: Scoring::Difference,
        deals: 400,
        seed: 3,
    }
}

fn named(
    world: &World,
    units: &[Vec<f32>],
    untrained: Option<&[Vec<f32>]>,
    scoring: Scoring,
) -> Names {
    let (_folder, scores) = scores(units);
    let similarities = Similarities::new(world.cosines.clone(), vec![None; TERMS]);
    let terms = terms();
    name(&Job { untrained, scoring, ..job(world, &terms, &similarities, &scores) }).unwrap()
}

#[test]
fn planted_units_get_their_term_and_others_none() {
    let world = world(0.4);
    let planted: Vec<Vec<f32>> =
        (0..TERMS - 1).map(|term| unit(&world, Some(term), 1.0, term as u64)).collect();
    let random: Vec<Vec<f32>> = (0..40).map(|seed| unit(&world, None, 0.0, 100 + seed)).collect();
    let still = vec![vec![1.0; world.holds.len()]];
    let units = [planted, random, still].concat();
    let untrained: Vec<Vec<f32>> =
        (0..200).map(|seed| unit(&world, None, 0.0, 1000 + seed)).collect();
    for scoring in [Scoring::Difference, Scoring::SoftWpmi] {
        let names = named(&world, &units, Some(&untrained), scoring);
        assert_eq!((names.patches, names.untrained), (12, Some(200)));
        for term in 0..TERMS - 1 {
            let called = names.of(term as u32 + 1).map(|candidate| candidate.term.as_str());
            assert_eq!(called, Some(format!("t{term}").as_str()), "{scoring:?}");
        }
        let others = (TERMS as u32..TERMS as u32 + 40).filter(|n| names.of(*n).is_some());
        assert!(others.count() <= 2, "{scoring:?}");
        assert!(names.candidates(TERMS as u32 + 40).is_empty(), "it never varies");
        assert!(names.candidates(999).is_empty());
    }
}

/// What units of untrained networks are close to as well is no name.
#[test]
fn what_any_network_responds_to_is_no_name() {
    let world = world(0.3);
    let units: Vec<Vec<f32>> = (0..20).map(|seed| unit(&world, Some(2), 1.0, seed)).collect();
    let alone = named(&world, &units, None, Scoring::Difference);
    assert_eq!((alone.named(), alone.untrained), (20, None));
    let like: Vec<Vec<f32>> = (0..200).map(|seed| unit(&world, Some(2), 1.0, 500 + seed)).collect();
    let beside = named(&world, &units, Some(&like), Scoring::Difference);
    assert_eq!(beside.named(), 0);
}

/// Names of units without any tie to the patches are as rare as is said: none, in most layers.
#[test]
fn random_layers_have_no_names() {
    let world = world(0.3);
    let with_any = (0..20_u64)
        .filter(|layer| {
            let units: Vec<Vec<f32>> =
                (0..30).map(|seed| unit(&world, None, 0.0, 10_000 + 100 * layer + seed)).collect();
            named(&world, &units, None, Scoring::Difference).named() > 0
        })
        .count();
    assert!(with_any <= 3, "{with_any}");
}

/// A finer term that is close to whatever its general term is close to does not take its place; one that is closer to
/// some of it does, where a unit is of that.
#[test]
fn a_finer_term_is_held_against_what_is_as_close_to_its_general_term() {
    let mut world = world(0.3);
    // The second refines the first: close to the same patches, and a little closer. The third is closer to its own.
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let shows = |own: &Option<usize>| matches!(own, Some(0 | 2 | 3));
    for (row, own) in world.cosines.chunks_mut(TERMS).zip(&world.holds) {
        row[0] = random.random_range(-0.05..0.05) + if shows(own) { 0.3 } else { 0.0 };
        row[1] = 1.2 * row[0] + random.random_range(-0.02..0.02_f32);
        row[2] =
            row[0] + random.random_range(-0.02..0.02) + if *own == Some(2) { 0.2 } else { 0.0 };
    }
    let mut general = || -> Vec<f32> {
        let score = |own| random.random::<f32>() + if shows(own) { 1.0 } else { 0.0 };
        world.holds.iter().map(score).collect()
    };
    let mut units: Vec<Vec<f32>> = (0..20).map(|_| general()).collect();
    units.extend((0..5).map(|seed| unit(&world, Some(2), 1.0, 50 + seed)));
    let (_folder, scores) = scores(&units);
    let mut terms = terms();
    let mut places = vec![None; TERMS];
    for finer in [1, 2] {
        terms[finer].general = Some("t0".into());
        places[finer] = Some(0);
    }
    let similarities = Similarities::new(world.cosines.clone(), places);
    let names = name(&job(&world, &terms, &similarities, &scores)).unwrap();
    let called = |number| names.of(number).map(|close| close.term.as_str());
    let wrong = (1..=20).filter(|number| called(*number) != Some("t0")).count();
    assert!(wrong <= 1, "{wrong} of 20");
    for number in 21..=25 {
        assert_eq!(called(number), Some("t2"), "{number}");
        // The general term stands behind it.
        assert_eq!(names.candidates(number)[1].term, "t0", "{number}");
    }
}

/// As `similarity.soft_wpmi` of CLIP-Dissect gives: tests/golden/wpmi.py.
#[test]
fn soft_wpmi_is_clip_dissects() {
    let golden: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string("../../tests/golden/wpmi.json").unwrap())
            .unwrap();
    let list = |value: &serde_json::Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
    };
    let cosines: Vec<f32> = golden["cosines"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| list(row).into_iter().map(|value| value as f32))
        .collect();
    let terms = golden["cosines"][0].as_array().unwrap().len();
    let similarities = Similarities::new(cosines, vec![None; terms]);
    let likelihoods: Vec<Vec<f64>> = golden["top"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let patches: Vec<u32> = list(row).into_iter().map(|value| value as u32).collect();
            similarities.score(Scoring::SoftWpmi, &patches)
        })
        .collect();
    let prior = score::prior(likelihoods.iter().map(Vec::as_slice), terms);
    for (own, expected) in likelihoods.iter().zip(golden["wpmi"].as_array().unwrap()) {
        for ((value, prior), expected) in own.iter().zip(&prior).zip(list(expected)) {
            assert!((value - prior - expected).abs() < 2e-4, "{value} {prior} {expected}");
        }
    }
}
