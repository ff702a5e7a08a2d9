//! Each rule of the catalogue over small records made up here.

use base::{Field, Split};
use config::{Anchor, Threshold};
use record::dissection::{Activations, Basis, Chance, Influence};

use super::*;
use crate::name::Source;

const CONCEPTS: [(&str, Category); 5] = [
    ("malignant", Category::Pathology),
    ("mass", Category::Finding),
    ("distribution-grouped", Category::Finding),
    ("fatty-tissue", Category::Region),
    ("breast", Category::Breast),
];

/// A live unit with these intersections over union, each with what chance gives of it.
fn unit(number: u32, ious: [(f32, Option<f32>); 5]) -> Unit {
    let agreement = |(iou, adjusted): (f32, Option<f32>)| Match {
        iou,
        within: iou,
        auc: None,
        chance: adjusted.map(|adjusted| Chance { mean: 0.0, high: 0.0, p: adjusted, adjusted }),
    };
    Unit {
        unit: number,
        threshold: 1.0,
        matches: ious.map(agreement).into(),
        cancer_auc: None,
        histogram: Vec::new(),
        score_range: [0.0, 2.0],
        activations: Activations { range: [-1.0, 2.0], histogram: Vec::new(), positive: 0.1 },
        top: Vec::new(),
        sample: Vec::new(),
        influence: Some(Influence { rank: number, ..Influence::default() }),
    }
}

/// A unit that overlaps nothing but the breast.
fn plain(number: u32) -> Unit {
    let nothing = (0.0, Some(1.0));
    unit(number, [nothing, nothing, nothing, nothing, (0.9, Some(0.01))])
}

fn layer(units: Vec<Unit>) -> Layer {
    Layer {
        format: 2,
        network: "alexnet".into(),
        layer: "conv5".into(),
        weights_blake3: String::new(),
        split: Split::Validation,
        patches: 4,
        map: [1, 1],
        field: Field { edge: 1.0, stride: 1.0, centre: 0.0 },
        threshold: Threshold::Quantile(0.005),
        anchor: Anchor::ReceptiveField,
        concepts: CONCEPTS
            .map(|(id, category)| Concept { id: id.into(), category, patches: 1 })
            .into(),
        permutations: 100,
        influence: Some(Basis {
            patches: 4,
            positives: 2,
            classes: Vec::new(),
            linear: true,
            auc: None,
            ablated: false,
        }),
        units,
    }
}

fn reader(name: &str, answers: &str) -> ReaderFile {
    let text =
        format!("schema: 1\nstudy: s\nreader: {name}\nlexicon: bi-rads-5\nanswers:\n{answers}");
    serde_yaml::from_str(&text).unwrap()
}

/// An answer to a unit: `no`, `unsure`, or phenomena as (words, terms).
fn answer(number: u32, phenomena: &[(&str, &str)]) -> String {
    let mut text = format!(
        "  - unit: alexnet/conv5/{number:04}\n    recognizable: {}\n",
        if phenomena.is_empty() { "no" } else { "yes" }
    );
    for (at, (words, terms)) in phenomena.iter().enumerate() {
        text.push_str(if at == 0 { "    phenomena:\n" } else { "" });
        text.push_str(&format!(
            "      - {{description: '{words}', terms: [{terms}], association: malignant}}\n"
        ));
    }
    text
}

fn lexicons() -> Lexicons {
    crate::lexicons::built_in()
}

fn settled(number: u32, label: &str, terms: &[&str], lexicons: &Lexicons) -> Consensus {
    let terms: Vec<String> = terms.iter().map(|term| (*term).into()).collect();
    Consensus {
        units: vec![study::consensus::Settled {
            unit: UnitId::new("alexnet", "conv5", number),
            label: label.into(),
            categories: lexicons.categories(&terms),
            terms,
            association: None,
            note: None,
        }],
    }
}

/// The entry of a unit without outlines that these readers answered.
fn said(answers: &[&[(&str, &str)]], check: impl Fn(&Entry)) {
    let lexicons = lexicons();
    let layer = layer(vec![plain(1)]);
    let readers: Vec<ReaderFile> = answers
        .iter()
        .enumerate()
        .map(|(at, phenomena)| reader(&format!("reader-{at}"), &answer(1, phenomena)))
        .collect();
    let catalogue = Catalogue::new([&layer], &readers, &Consensus::default(), &lexicons, 0.04);
    check(&catalogue.layers()[0].units[0]);
}

#[test]
fn settled_chosen_and_suggested_terms_give_the_same_category() {
    let lexicons = lexicons();
    let layer = layer(vec![plain(1), plain(2), plain(3), plain(4)]);
    let readers = [reader(
        "a",
        &[
            answer(1, &[("something else", "calcifications")]),
            answer(2, &[("", "mass, margin-spiculated")]),
            answer(3, &[("masses with spiculated edge", "")]),
            // Words beside a term that was chosen take nothing from it.
            answer(4, &[("a star, innumerable", "margin-spiculated")]),
        ]
        .concat(),
    )];
    let consensus =
        settled(1, " masses with spiculated edge ", &["mass", "margin-spiculated"], &lexicons);
    let catalogue = Catalogue::new([&layer], &readers, &consensus, &lexicons, 0.04);
    for entry in catalogue.units() {
        assert_eq!(entry.figure_4(), "Mass - Margin", "{}", entry.id);
        assert_eq!(entry.categories, ["Mass - Margin"]);
        assert!(entry.terms.contains(&"margin-spiculated".to_owned()));
    }
    let names: Vec<String> = catalogue.units().map(|entry| entry.name.to_string()).collect();
    let mass = "mass, spiculated";
    assert_eq!(names, ["masses with spiculated edge", mass, mass, mass]);
    let suggested: Vec<bool> = catalogue.units().map(|entry| entry.suggested).collect();
    assert_eq!(suggested, [false, false, true, false]);
    // One term, four units, and none twice for what another reader may have said.
    let coverage = catalogue.coverage();
    let of = |id: &str| coverage.iter().find(|row| row.term.term.id == id).unwrap();
    assert_eq!(of("margin-spiculated").named.len(), 4);
    assert!(!of("calcifications").is_covered(), "settled otherwise");
    assert_eq!(of("margin-spiculated").named_in("alexnet"), 4);
    assert_eq!(of("margin-spiculated").named_in("vgg16"), 0);
}

#[test]
fn readers_who_differ_stand_with_their_counts() {
    said(&[&[("", "architectural-distortion")], &[("", "margin-spiculated, mass")]], |entry| {
        assert_eq!(
            entry.name.to_string(),
            "architectural distortion 1 of 2; mass, spiculated 1 of 2"
        );
        // Half of the readers is enough for a term of the unit.
        assert_eq!(entry.categories, ["Associated Features", "Mass - Margin"]);
        assert_eq!(entry.name.source(), Source::Readers);
    });
    said(&[&[("", "mass")], &[("", "mass, margin-spiculated")], &[]], |entry| {
        assert_eq!(entry.name.to_string(), "mass 2 of 3; mass, spiculated 1 of 3");
        assert_eq!(entry.terms, ["mass"]);
        assert_eq!(entry.categories, ["Mass"]);
    });
    said(&[&[("", "mass")], &[("mass", "")]], |entry| {
        assert_eq!(entry.name.to_string(), "mass");
        assert!(!entry.suggested);
    });
}

#[test]
fn words_without_a_term_are_quoted_and_never_strung_together() {
    said(&[&[("weird blobs", "")]], |entry| {
        assert_eq!(entry.name.to_string(), "weird blobs");
        assert_eq!((entry.figure_4().as_str(), entry.terms.len()), ("not coded", 0));
    });
    said(&[&[("weird blobs", "")], &[("odd stripes", "")]], |entry| {
        assert_eq!(entry.name.to_string(), "2 descriptions without a term");
    });
    said(&[&[("", "pectoral-muscle")]], |entry| {
        assert_eq!(
            (entry.name.to_string(), entry.figure_4()),
            ("pectoral muscle".into(), "-".into())
        );
        assert!(entry.categories.is_empty());
    });
}

#[test]
fn what_nobody_recognises_says_so_whatever_the_outlines_say() {
    let lexicons = lexicons();
    let strong = (0.3, Some(0.01));
    let layer = layer(vec![unit(1, [strong; 5]), unit(2, [strong; 5])]);
    let mut refusing = [reader("a", &answer(1, &[])), reader("b", &answer(1, &[]))];
    let catalogue = Catalogue::new([&layer], &refusing, &Consensus::default(), &lexicons, 0.04);
    let entry = &catalogue.layers()[0].units[0];
    assert_eq!(entry.name.to_string(), "nothing recognisable 2 of 2");
    assert!(entry.terms.is_empty() && entry.figure_4().is_empty() && !entry.name.is_by_people());
    assert_eq!(entry.name.in_sentence(), None);
    // It detects what it detects all the same.
    assert!(entry.detects("mass"));
    // Who is not sure has refused nothing.
    refusing[0].answers[0].recognizable = study::answer::Recognizable::Unsure;
    let catalogue =
        Catalogue::new([&layer], &refusing[..1], &Consensus::default(), &lexicons, 0.04);
    let entry = &catalogue.layers()[0].units[0];
    assert_eq!(entry.name.source(), Source::Automatic);
}

#[test]
fn a_detector_is_above_the_threshold_and_beyond_chance_where_that_was_measured() {
    let lexicons = lexicons();
    let no = (0.01, Some(0.9));
    let layer = layer(vec![
        // The best match is no detection: chance gives as much. The name is the best of those that are.
        unit(1, [(0.5, Some(0.06)), (0.1, Some(0.05)), (0.2, Some(0.01)), no, (0.9, Some(0.01))]),
        // At the threshold is not above it.
        unit(2, [(0.04, Some(0.01)), no, no, no, no]),
        // Chance was not measured.
        unit(3, [(0.05, None), no, no, no, no]),
        unit(4, [no, no, no, (0.3, Some(0.01)), no]),
    ]);
    let catalogue = Catalogue::new([&layer], &[], &Consensus::default(), &lexicons, 0.04);
    let units = &catalogue.layers()[0].units;
    assert_eq!(units[0].best_match().unwrap().concept.id, "malignant");
    assert!(!units[0].best_match().unwrap().detected && !units[0].detects("breast"));
    assert_eq!(units[0].name.to_string(), "calcifications, grouped: automatic, IoU 0.20");
    assert_eq!(units[0].categories, ["Calcification - Distribution"]);
    assert_eq!(units[1].name, Name::Unnamed);
    assert_eq!(units[1].name.to_string(), "");
    assert_eq!(units[1].best_match().unwrap().found.iou, 0.04);
    assert_eq!(units[2].name.to_string(), "malignant lesion: automatic, IoU 0.05");
    assert_eq!(units[2].figure_4(), "-");
    assert_eq!(units[3].name.in_sentence().as_deref(), Some("fatty tissue"));
    let layer = &catalogue.layers()[0];
    assert_eq!(layer.detectors().count(), 3);
    let ids = |units: Vec<&Entry>| units.iter().map(|e| e.id.number()).collect::<Vec<_>>();
    assert_eq!(ids(layer.detecting("malignant")), [3]);
    assert_eq!(ids(layer.detecting("mass")), [1]);
    assert_eq!(layer.detected().len(), 4);
    let coverage = catalogue.coverage();
    let row = coverage.iter().find(|row| row.term.term.id == "mass").unwrap();
    assert_eq!((row.outlined, row.named.len(), row.detecting.len()), (true, 0, 1));
    // What was not measured tells nothing against chance.
    assert_eq!(units[2].detected_beyond_chance(), Detected::default());
    let found = units[0].detected_beyond_chance();
    assert_eq!((found.term, found.pathology), (Some("distribution-grouped"), None));
    // Above another threshold it is another matter.
    let catalogue = Catalogue::new([layer.record], &[], &Consensus::default(), &lexicons, 0.25);
    assert_eq!(catalogue.layers()[0].detectors().count(), 1);
}

#[test]
fn dead_and_constant_units_have_no_rank_and_detect_nothing() {
    let lexicons = lexicons();
    let strong = [(0.3, Some(0.01)); 5];
    let mut units = vec![unit(1, strong), unit(2, strong), unit(3, strong), unit(4, strong)];
    units[0].activations.range = [-3.0, 0.0];
    units[0].score_range = [-2.0, 0.0];
    units[2].score_range = [1.5, 1.5];
    let layer = layer(units);
    let catalogue = Catalogue::new([&layer], &[], &Consensus::default(), &lexicons, 0.04);
    let entries = &catalogue.layers()[0];
    let kinds: Vec<Kind> = entries.units.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [Kind::Dead, Kind::Live, Kind::Constant, Kind::Live]);
    let ranks: Vec<Option<u32>> = entries.units.iter().map(|entry| entry.rank).collect();
    assert_eq!(ranks, [None, Some(1), None, Some(2)]);
    assert_eq!((entries.count(Kind::Dead), entries.count(Kind::Constant)), (1, 1));
    assert_eq!(entries.detectors().count(), 2);
    assert!(entries.units[0].name.is_none());
}

#[test]
fn worth_naming_next_are_live_units_that_nobody_was_asked_about() {
    let lexicons = lexicons();
    let strong = [(0.3, Some(0.01)); 5];
    let mut units: Vec<Unit> = (1..=5).map(|number| unit(number, strong)).collect();
    units[4].activations.range = [-3.0, 0.0];
    let layer = layer(units);
    let readers = [reader("a", &(answer(1, &[("", "mass")]) + &answer(2, &[])))];
    let catalogue = Catalogue::new([&layer], &readers, &Consensus::default(), &lexicons, 0.04);
    let explanation = Explanation {
        format: 3,
        network: "alexnet".into(),
        layer: "conv5".into(),
        weights_blake3: String::new(),
        split: Split::Validation,
        exact: true,
        evidence: vec![4.0, 3.0, 1.0, 2.0, 10.0],
        mean: Vec::new(),
        mammograms: Vec::new(),
    };
    let next: Vec<(u32, f32)> = catalogue
        .next(&explanation)
        .iter()
        .map(|(entry, share)| (entry.id.number(), *share))
        .collect();
    assert_eq!(next, [(4, 0.1), (3, 0.05)]);
}

#[test]
fn a_machine_names_what_nobody_has_and_is_held_against_others() {
    use crate::machine::Reference;
    use config::Scoring;

    let lexicons = lexicons();
    let no = (0.0, Some(1.0));
    let mass = [no, (0.3, Some(0.01)), no, no, no];
    let layer = layer(vec![unit(1, mass), unit(2, mass), unit(3, mass), plain(4), plain(5)]);
    let close = |term: &str, adjusted: f32| Candidate {
        term: term.into(),
        difference: 0.1,
        wpmi: 1.0,
        standard: 4.0,
        chance: adjusted,
        untrained: None,
        adjusted,
    };
    let names = Names {
        format: 1,
        network: "alexnet".into(),
        layer: "conv5".into(),
        namer: "clip".into(),
        split: Split::Validation,
        terms: Vec::new(),
        patches: 4,
        deals: 99,
        untrained: None,
        scoring: Scoring::Difference,
        units: vec![
            vec![close("mass", 0.01), close("vessel", 0.01)],
            vec![close("margin-spiculated", 0.02), close("mass", 0.03)],
            // The closest is no more than chance, what follows is.
            vec![close("shape-oval", 0.5), close("calcifications", 0.04)],
            vec![close("vessel", 0.01)],
            vec![close("vessel", 0.06)],
        ],
    };
    let readers =
        [reader("a", &(answer(1, &[("", "calcifications")]) + &answer(4, &[("", "vessel")])))];
    let names = [names];
    let catalogue = Catalogue::new([&layer], &readers, &Consensus::default(), &lexicons, 0.04)
        .with_machine(&names);
    let units = &catalogue.layers()[0].units;
    let called: Vec<String> = units.iter().map(|entry| entry.name.to_string()).collect();
    assert_eq!(
        called,
        [
            "calcifications",
            "mass, spiculated: machine, clip",
            "calcifications: machine, clip",
            "blood vessel",
            ""
        ]
    );
    assert_eq!(units[1].categories, ["Mass - Margin"]);
    assert_eq!(units[1].name.source(), Source::Machine);

    let outlines = catalogue.hits(catalogue.layers(), Reference::Outlines, 1).unwrap();
    assert_eq!((outlines.units, outlines.first, outlines.five, outlines.category), (3, 1, 2, 2));
    assert_eq!(outlines.constant, Some(("mass".into(), 3)));
    assert!((outlines.dealt - 1.0).abs() < 1e-9, "one of the three names is right, wherever it is");
    let people = catalogue.hits(catalogue.layers(), Reference::People, 1).unwrap();
    assert_eq!((people.units, people.first, people.category), (2, 1, 1));
    assert!(catalogue.hits([], Reference::People, 1).is_none());

    // It parts from the outlines on the third alone: the second is of their category.
    let parted: Vec<bool> =
        units.iter().map(|entry| catalogue.parted(&entry.id).is_some()).collect();
    assert_eq!(parted, [false, false, true, false, false]);
    assert!((catalogue.parted(&units[2].id).unwrap() - 1.2).abs() < 1e-6);
}
