use serde_json::{Value, json};

use super::*;
use base::UnitId;

fn patch([x, y, edge]: [u32; 3], positive: bool) -> Patch {
    Patch { mammogram: 0, x, y, edge, positive, benign: false, fractions: None, held: None }
}

fn first<'a>() -> Patches<'a> {
    let mut patches = Patches::default();
    patches.push("A_1.LEFT_CC", &patch([10, 20, 113], true), "12.3".into(), "M1 2h3v4Z".into());
    patches
}

fn unit(words: &str) -> LayerUnit {
    let named = !words.is_empty();
    LayerUnit {
        label: if named { "Spiculated edge".into() } else { String::new() },
        from: if named { "readers" } else { "none" },
        words: words.into(),
        concept: named.then_some(0),
        iou: if named { 0.25 } else { 0.0 },
        detects: named,
        score: if named { "12.3".into() } else { "0.5".into() },
        sort_score: if named { 12.25 } else { 0.5 },
        cancer: if named { 3 } else { 0 },
        of: 4,
        auc: named.then_some(0.75),
        influence: named.then_some(2),
        categories: if named { vec![1] } else { Vec::new() },
        readers: if named { vec![0] } else { Vec::new() },
        called: named.then_some(0),
        shown: usize::from(named),
        groups: named,
        place: named.then_some([-0.5, 1.0]),
    }
}

const SHARES: [f64; 6] = [1.0, 1.0 / 1229.0, 0.5, 64.0 / 4096.0, 65.0 / 4096.0, 0.999];

fn asked(src: &str, overlay: &str, positive: Option<bool>) -> AskedPatch {
    AskedPatch { src: src.into(), overlay: overlay.into(), positive }
}

fn view(words: &str) -> CaseView {
    CaseView {
        view: words.into(),
        src: "survey/cases/images/m.jpg".into(),
        pixels: [450, 600],
        size: [900, 1200],
        micron: Some(50.0),
        tiles: None,
    }
}

fn formats() -> Value {
    let mut patches = first();
    patches.push("B_2.RIGHT_MLO", &patch([0, 3000, 224], false), "0.045".into(), String::new());
    let synonyms = ["tumour".to_owned()];
    let entry = |title: &str, note: &str, href: &str, more: &str, prose: &str| SearchEntry {
        title: title.into(),
        note: note.into(),
        href: href.into(),
        more: more.into(),
        prose: prose.into(),
    };
    json!({
        "patches": patches,
        "drawn": Drawn {
            top: Patches::default(),
            levels: vec![first()],
            heat: Some(Heat {
                rows: 2,
                columns: 3,
                centre: 31.5,
                stride: 16.0,
                edge: 113,
                maps: vec!["Ag/+9A".into()],
            }),
        },
        "layer_units": LayerUnits {
            edge: 113,
            concepts: vec![NamedConcept { id: "mass".into(), name: "mass".into() }],
            categories: vec!["Mass".into(), "Mass - Margin".into()],
            readers: vec!["reader-a".into(), "reader-b".into()],
            called: vec![NamedConcept { id: "calcifications".into(), name: "calcifications".into() }],
            units: vec![unit("spiculated mass"), unit("")],
            patches: first(),
        },
        "compared": {
            "unit": ComparedUnit {
                label: "mass, spiculated".into(),
                from: "readers",
                concept: "mass".into(),
                iou: 0.25,
                detects: true,
                auc: Some(0.75),
                influence: Some(2),
                ranked: 12,
                cancer: 3,
                of: 4,
                split: "validation".into(),
                top: first(),
                places: vec![1],
                shares: shares(SHARES),
            },
            "shares": SHARES,
        },
        "search": SearchIndex {
            pages: vec![entry("Methods", "", "methods/index.html", "", "How it was made.")],
            terms: vec![entry(
                "spiculated",
                "Mass - Margin",
                "concepts/margin-spiculated/index.html",
                "margin-spiculated stellate",
                "",
            )],
            layers: vec![SearchLayer {
                name: "alexnet/conv5".into(),
                units: 12,
                labels: [(3, "Spiculated edge".into())].into(),
                words: [(3, "reader-b".into())].into(),
            }],
            mammograms: vec![SearchMammogram {
                id: "A_1.LEFT_CC".into(),
                view: "left CC".into(),
            }],
            close: Some(CloseUnits {
                groups: vec![TermGroup {
                    category: "Mass",
                    terms: vec![OfferedTerm {
                        id: "mass",
                        name: "mass",
                        gloss: "A lesion.",
                        synonyms: &synonyms,
                    }],
                }],
                units: [("mass", vec![(0, 3, 4.5)])].into(),
            }),
        },
        "decision": Decision {
            logits: &[-0.25, 0.75],
            units: vec![
                DecisionUnit { adds: &[-1.0, 1.5], mean: &[-0.25, 0.5] },
                DecisionUnit { adds: &[0.5, 0.125], mean: &[0.5, 0.125] },
            ],
        },
        "study": Study {
            study: "my-study",
            lexicon: "bi-rads-5",
            blind: false,
            repeats: 0.25,
            contact: None,
            consent: Some("0123456789abcdef0123456789abcdef"),
            background: &[config::Background::Years, config::Background::Subspecialty],
            groups: vec![TermGroup {
                category: "Mass",
                terms: vec![OfferedTerm {
                    id: "mass",
                    name: "mass",
                    gloss: "A space-occupying lesion.",
                    synonyms: &synonyms,
                }],
            }],
            units: vec![
                AskedUnit {
                    code: "u-1234",
                    name: Some("alexnet/conv5/0001".into()),
                    patches: vec![asked("patches/a.jpg", "M1 2h3v4Z", Some(true))],
                },
                AskedUnit { code: "u-5678", name: None, patches: Vec::new() },
            ],
            practice: vec![PractisedUnit {
                unit: AskedUnit { code: "u-9bcd", name: None, patches: Vec::new() },
                known: &Known {
                    words: "calcifications, grouped".into(),
                    by: "outlines",
                    terms: vec!["calcifications".into()],
                },
            }],
        },
        "greys": Greys {
            first: -1.0,
            step: 1.0,
            greatest: 4096,
            padding: Some(0),
            windows: vec![[2048.0, 4096.0], [1800.5, 900.0]],
            function: "linear",
            curve: None,
            inverted: false,
        },
        "unit_patches": UnitPatches {
            patches: vec![
                PlacedPatch {
                    patch: asked("patches/a.jpg", "M1 2h3v4Z", Some(true)),
                    mammogram: 0,
                    x: 10,
                    y: 20,
                    edge: 113,
                    score: Some("12.3".into()),
                },
                PlacedPatch {
                    patch: asked("patches/b.jpg", "", None),
                    mammogram: 1,
                    x: 0,
                    y: 3000,
                    edge: 224,
                    score: None,
                },
            ],
            mammograms: vec![
                Whole {
                    src: Some("mammograms/a.jpg".into()),
                    width: 900,
                    height: 1200,
                    micron: Some(50.0),
                    tiles: None,
                },
                Whole { src: None, width: 2000, height: 4000, micron: None, tiles: None },
            ],
        },
        "scored": Scored {
            study: "my-study",
            contact: Some("study@example.org"),
            cases: vec![
                ScoredCase { code: "c-1234", views: vec![view("LEFT CC"), view("LEFT MLO")] },
                ScoredCase { code: "c-5678", views: vec![view("")] },
            ],
        },
        "explained": ExplainedCase {
            words: "Probability of cancer 0.87.".into(),
            src: "survey/cases/images/p.jpg".into(),
            pixels: 113,
            x: 10,
            y: 20,
            edge: 225,
            units: vec![ExplainedUnit {
                name: "mass, spiculated".into(),
                from: "readers",
                share: "42%".into(),
                overlay: "M1 2h3v4Z".into(),
                examples: vec![asked("survey/cases/images/e.jpg", "", None)],
            }],
        },
    })
}

#[test]
fn the_scripts_are_tested_with_what_is_written() {
    let tested = tested();
    let Value::Object(written) = formats() else { unreachable!("a mapping") };
    for (name, value) in &written {
        assert_eq!(&tested[name], value, "{name} in tests/scripts/formats.json");
    }
}

#[test]
fn the_scripts_number_units_as_paths_do() {
    for (number, written) in tested()["unit_numbers"].as_object().unwrap() {
        let name = UnitId::new("n", "l", number.parse().unwrap()).to_string();
        assert_eq!(name.rsplit('/').next(), written.as_str());
    }
}

#[test]
fn no_text_ends_a_script() {
    let evil = "</script><script>alert(1)</script><!--\u{2028}\"";
    let text = json(evil).unwrap();
    assert!(!text.contains('<') && !text.contains('\u{2028}'), "{text}");
    assert_eq!(serde_json::from_str::<String>(&text).unwrap(), evil);
    let file = String::from_utf8(file("a/\"b.js", &[1, 2]).unwrap()).unwrap();
    assert_eq!(file, "(window.unitAtlasData=window.unitAtlasData||{})[\"a/\\\"b.js\"]=[1,2];\n");
}
