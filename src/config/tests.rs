use proptest::prelude::*;

use super::*;
use architecture::{ARCHITECTURES, Design, MAX_INPUT, Pooling, Precision};
use base::Split;

fn parse_at(text: &str) -> Result<Config, Mistake> {
    Config::parse(text, Path::new("/project/atlas.yaml"))
}

/// The message of a refusal whose excerpt shows the offending text at the right place.
fn refused(text: &str) -> Mistake {
    let mistake = parse_at(text).expect_err(text);
    assert!(!mistake.message.is_empty());
    mistake
}

/// Asserts where a text is refused and what the message says; the caret must stand under `at`.
#[track_caller]
fn assert_refused(text: &str, line: u64, at: &str, says: &[&str]) {
    let mistake = refused(text);
    assert_eq!(mistake.line, line, "{mistake}");
    let source = text.lines().nth(line as usize - 1).expect("a line");
    let from = source.chars().skip(mistake.column as usize - 1).collect::<String>();
    assert!(from.starts_with(at), "caret at {from:?}, not {at:?}:\n{mistake}");
    let shown = mistake.to_string();
    assert!(shown.starts_with(&format!("/project/atlas.yaml:{line}:{}: ", mistake.column)));
    assert!(shown.contains(source.trim_end()), "{shown}");
    assert!(shown.ends_with('^'), "{shown}");
    for words in says {
        assert!(mistake.message.contains(words), "{words:?} not in: {}", mistake.message);
    }
}

#[test]
fn an_empty_file_is_the_default_project() {
    let config = parse_at("").unwrap();
    assert_eq!(config, parse_at("# only a comment\n").unwrap());
    assert_eq!(config, parse_at("patches:\nsource:\nnetworks:\n").unwrap());
    assert_eq!(config.output, Path::new("/project/output"));
    assert_eq!(config.source, Source::Phantom { patients: 110, height: 900 });
    assert_eq!(config.dissection.threshold, Threshold::Quantile(0.005));
    let names: Vec<&str> = config.networks.iter().map(|n| n.name.as_str()).collect();
    assert_eq!(names, ["alexnet", "resnet18"]);
    assert!(config.networks.iter().all(|network| network.run().unwrap().weights == Start::Builtin));
}

/// What stands in the repository, or is written to it where `UNIT_ATLAS_WRITE` is set.
fn stands(path: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os("UNIT_ATLAS_WRITE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let line = found.lines().zip(text.lines()).position(|(found, text)| found != text);
    assert!(
        found == text,
        "{} is stale from line {}; `UNIT_ATLAS_WRITE=1 cargo test -p unit-atlas-config written` \
         writes it anew",
        path.display(),
        line.map_or(found.lines().count().min(text.lines().count()), |line| line) + 1
    );
}

#[test]
fn what_is_written_of_the_options_is_fresh() {
    stands("atlas.yaml", &written::template());
    stands("docs/reference.md", &written::reference());
}

#[test]
fn the_template_spells_the_defaults_out() {
    assert_eq!(parse_at(&written::template()).unwrap(), parse_at("").unwrap());
}

#[test]
fn every_option_left_in_a_comment_is_valid() {
    // A `#` without a space after it hides an option; with a space it starts prose.
    let hidden = |line: &&str| {
        let text = line.trim_start();
        text.starts_with('#') && text.chars().nth(1).is_some_and(char::is_alphabetic)
    };
    let template = written::template();
    assert_eq!(template.lines().filter(hidden).count(), 13);
    let open: String = template
        .lines()
        .map(|line| if hidden(&line) { line.replacen('#', "", 1) } else { line.to_owned() } + "\n")
        .collect();
    let config = parse_at(&open).unwrap();
    assert_eq!(config.base_url.as_deref(), Some("https://example.org/atlas"));
    assert_eq!(config.citation.doi.as_deref(), Some("10.1117/12.2293890"));
}

#[test]
fn what_is_written_names_everything() {
    let (template, reference) = (written::template(), written::reference());
    let schema = written::schema().to_string();
    for word in
        ["tensorboard", "fraction_of_max", "intensity", "tf32", "bf16", "window7", "mini_mias"]
    {
        for text in [&template, &reference, &schema] {
            assert!(text.contains(word), "{word}");
        }
    }
    for architecture in ARCHITECTURES {
        assert!(template.contains(architecture.name), "{}", architecture.name);
    }
    for kind in Source::KINDS.iter().chain(figures::Kind::KINDS) {
        assert!(reference.contains(&format!("`kind: {kind}`")), "{kind}");
    }
    assert!(template.lines().all(|line| line.chars().count() <= 104));
}

/// Whether a text is valid by the schema, and why not.
fn by_schema(text: &str) -> Result<(), String> {
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.add_resource("atlas.json", written::schema()).unwrap();
    let schema = compiler.compile("atlas.json", &mut schemas).unwrap();
    let text = Text { path: Path::new("atlas.yaml"), text };
    let value: serde_json::Value = text.parse().map_err(|mistake| mistake.to_string())?;
    schemas.validate(&value, schema).map_err(|error| format!("{error:#}"))
}

#[test]
fn real_project_files_are_valid_by_the_schema() {
    let paper = include_str!("../../content/examples/paper.yaml");
    let template = written::template();
    let nothing = "patches:\nsource:\nnetworks:\nfigures:\n";
    for text in ["{}", nothing, paper, &template, EVERYTHING] {
        by_schema(text).unwrap_or_else(|error| panic!("{text}\n{error}"));
    }
}

/// Options of every section.
const EVERYTHING: &str = "title: Breast units
base_url: https://example.org/a/
output: ../elsewhere
seed: 18446744073709551615
device: cuda:1
source: { kind: mini_mias, path: ./data/../mias }
split: { train: 0.7, validation: 0.3, test: 0 }
networks:
  - name: resnet18
    weights: w/resnet18.pth
    layers: [layer4, bn1]
    input: 113
    training: { epochs: 3, lr: 1.0e-2, lr_decay_epochs: [2, 3], schedule: cosine, warmup: 7,
                augment: { rotations: false, intensity: 0.1 }, class_weights: [1, 2.5],
                early_stopping: 4, objective: { pooling: top_k, share: 0.2 }, checkpoint_minutes: 0, tensorboard: true }
  - name: alexnet
    training: false
  - name: resnet34
    pooling: window7
    training: true
  - name: inception_v3
    training: { auxiliary: true, precision: bf16 }
  - name: vgg19
  - name: resnet50
    training: { augment: true, class_weights: balanced }
dissection: { split: train, top: 20, threshold: { fraction_of_max: 0.2 }, anchor: pixel, permutations: 0, detector: 0.1 }
";

#[test]
fn what_is_written_is_what_is_used() {
    let config = parse_at(EVERYTHING).unwrap();
    assert_eq!(config.base_url.as_deref(), Some("https://example.org/a"));
    assert_eq!(config.output, Path::new("/elsewhere"));
    assert_eq!(config.seed, u64::MAX);
    assert_eq!(config.device, Device::Cuda(1));
    assert_eq!(config.source, Source::MiniMias { path: "/project/mias".into() });
    let folder = "source: { kind: folder, path: t.csv, regions: ../r.jsonl, encoding: CP1252 }";
    let folder = parse_at(folder).unwrap();
    let (table, regions) = ("/project/t.csv".into(), Some("/r.jsonl".into()));
    let encoding = "windows-1252".parse().ok();
    let leave_out = vec![Unwanted::ForProcessing];
    assert_eq!(folder.source, Source::Folder { table, regions, encoding, leave_out });
    let chosen = "source: { kind: folder, path: t.csv, leave_out: [implants, tomosynthesis] }";
    let Source::Folder { leave_out, .. } = parse_at(chosen).unwrap().source else { panic!() };
    assert_eq!(leave_out, [Unwanted::Implants, Unwanted::Tomosynthesis]);
    let unknown =
        parse_at("source: { kind: folder, path: t.csv, leave_out: [implant] }").unwrap_err();
    assert!(unknown.to_string().contains("implants"), "{unknown}");
    assert_eq!(config.split, Shares { train: 0.7, validation: 0.3, test: 0.0 });
    let layers: Vec<_> = config.networks.iter().map(|network| network.layers.clone()).collect();
    let runs: Vec<&Run> = config.networks.iter().map(|network| network.run().unwrap()).collect();
    let [resnet, alexnet, third, inception, vgg, fourth] = &runs[..] else { panic!() };
    assert_eq!(resnet.weights, Start::File("/project/w/resnet18.pth".into()));
    assert_eq!(layers[0], ["layer4", "bn1"]);
    assert_eq!(
        resnet.training,
        Some(Training {
            epochs: 3,
            batch: 32,
            lr: Rate::Same(0.01),
            momentum: 0.9,
            weight_decay: 1e-4,
            lr_decay_epochs: vec![2, 3],
            schedule: Schedule::Cosine,
            warmup: 7,
            augment: Augment { flips: true, rotations: false, intensity: 0.1 },
            balance: false,
            class_weights: ClassWeights::Given(vec![1.0, 2.5]),
            objective: Objective::Mil(Mil { pooling: Bag::TopK, share: 0.2 }),
            early_stopping: Some(4),
            checkpoint_minutes: 0.0,
            tensorboard: true,
            auxiliary: false,
            precision: Precision::F32,
            freeze: None,
        })
    );
    // Without them nothing is written: trainings of before stay fresh.
    let written = serde_json::to_value(&resnet.training).unwrap();
    assert!(written["lr"] == 0.01 && written.get("freeze").is_none(), "{written}");
    assert_eq!((alexnet.training.as_ref(), alexnet.input), (None, 227));
    assert_eq!(layers[1], ["conv5"]);
    assert_eq!(layers[2], ["layer3", "layer4"]);
    assert_eq!(
        third.training.as_ref(),
        parse_at("networks: [{ name: vgg11 }]").unwrap().networks[0].training()
    );
    assert_eq!((resnet.pooling, third.pooling), (Pooling::Global, Pooling::Window7));
    assert_eq!(third.inference_design().pooling, Pooling::Window7);
    assert_eq!(layers[3], ["mixed_7a", "mixed_7c"]);
    assert_eq!((inception.input, vgg.input), (299, 227));
    let design = inception.design();
    assert_eq!((design.auxiliary, design.precision), (true, Precision::Bf16));
    assert_eq!(inception.inference_design(), Design::default());
    assert_eq!(layers[4], ["conv5_4"]);
    assert_eq!(vgg.design(), Design::default());
    let fourth = fourth.training.as_ref().unwrap();
    assert_eq!(fourth.augment, Augment::SYMMETRIES);
    assert_eq!(fourth.class_weights, ClassWeights::Balanced);
    assert_eq!(config.dissection.threshold, Threshold::FractionOfMax(0.2));
    assert_eq!(config.dissection.anchor, Anchor::Pixel);
    assert_eq!((config.dissection.permutations, config.dissection.detector), (0, 0.1));
    assert_eq!(config.survey.patches, 20, "never more than there are top patches");
}

#[test]
fn syntax_errors_show_their_place() {
    let mistake = refused("title: a\npatches: { window: 0.25\n");
    assert!(mistake.line >= 2, "{mistake}");
    let mistake = refused("title: \"open\nseed: 3\n");
    assert!(mistake.line >= 1 && mistake.to_string().contains('^'), "{mistake}");
    assert_refused("seed: 1\nseed: 2\n", 2, "seed", &["`seed` is given twice"]);
}

#[test]
fn unknown_keys_are_refused_with_the_nearest() {
    assert_refused("titel: x\n", 1, "titel", &["unknown key `titel`", "did you mean `title`?"]);
    let text = "patches:\n  stride: 0.5\n  widow: 0.25\n";
    assert_refused(text, 3, "widow", &["did you mean `window`?", "`min_breast`"]);
    let text = "networks:\n  - name: alexnet\n    training: { epoch: 3 }\n";
    assert_refused(text, 3, "epoch", &["did you mean `epochs`?"]);
    assert_refused("networks:\n  - nam: alexnet\n", 2, "nam", &["did you mean `name`?"]);
    let far = refused("zzzzzz: 1\n").message;
    assert!(!far.contains("did you mean") && far.contains("`dissection`"), "{far}");
}

#[test]
fn wrong_types_are_refused_where_they_stand() {
    assert_refused("seed: many\n", 1, "many", &["whole number"]);
    for seed in ["-1", "18446744073709551616"] {
        let text = format!("seed: {seed}\n");
        assert_refused(&text, 1, seed, &["a whole number from 0 to 18446744073709551615"]);
    }
    assert_refused("patches:\n  size: 22.5\n", 2, "22.5", &["whole number"]);
    assert_refused("patches:\n  window: wide\n", 2, "wide", &["a number"]);
    assert_refused("patches: 3\n", 1, "3", &["expected keys with values"]);
    assert_refused("title: [a]\n", 1, "[a]", &["a single value"]);
    assert_refused("networks: alexnet\n", 1, "alexnet", &["expected a list"]);
    assert_refused("survey: { blind: maybe }\n", 1, "maybe", &["true or false"]);
    let text = "networks:\n  - name: alexnet\n    training: often\n";
    assert_refused(text, 3, "training", &["false, true or a mapping"]);
    let text = "networks:\n  - name: alexnet\n    training: { schedule: cosin }\n";
    assert_refused(text, 3, "cosin", &["did you mean `cosine`?"]);
    for (text, expected) in [
        ("networks: [{ training: { lr: slow } }]", "a number above 0, or a mapping of `head`"),
        ("networks: [{ training: { augment: often } }]", "`flips`, `rotations` and `intensity`"),
        ("networks: [{ training: { class_weights: { a: 1 } } }]", "balanced or a list of numbers"),
        ("survey: { select: { a: 1 } }", "disagreement or a list of units"),
    ] {
        let mistake = refused(text);
        assert!(mistake.line == 1 && mistake.message.contains(expected), "{mistake}");
    }
    assert_refused("dissection: { split: val }\n", 1, "val", &["`validation`"]);
}

#[test]
fn a_network_is_frozen_up_to_one_of_its_layers_and_its_parts_may_have_rates() {
    let training = |text: &str| -> Training {
        let text = format!("networks: [{{ name: resnet18, training: {text} }}]");
        parse_at(&text).unwrap().networks[0].training().unwrap().clone()
    };
    let found = training("{ freeze: layer3, lr: { head: 1.0e-3, rest: 1e-4 } }");
    assert_eq!(found.freeze.as_deref(), Some("layer3"));
    assert_eq!(found.lr, Rate::Parts(Rates { head: 1e-3, rest: 1e-4 }));
    assert_eq!(found.lr.to_string(), "1e-3 of the head, 1e-4 of the rest");
    let written = serde_json::to_value(&found).unwrap();
    assert_eq!(written["lr"], serde_json::json!({ "head": 1e-3, "rest": 1e-4 }));
    let read = serde_json::from_value::<Training>(written).unwrap();
    assert_eq!((read.lr, read.freeze), (found.lr, found.freeze.clone()));
    assert_eq!(training("{ lr: 1 }").lr.rates(), Rates { head: 1.0, rest: 1.0 });
    assert_eq!(training("{ freeze: }").freeze, None);
    let text = "networks:\n  - name: resnet18\n    training: { freeze: layr3 }\n";
    assert_refused(text, 3, "layr3", &["layer of resnet18", "did you mean `layer3`?"]);
    let text =
        "networks:\n  - name: inception_v3\n    training: { freeze: mixed_7a, auxiliary: true }\n";
    assert_refused(text, 3, "true", &["looks at mixed_6e", "frozen too"]);
    assert!(parse_at(&text.replace("mixed_7a", "mixed_6e")).is_ok());
    // The schema knows the layers too.
    for (layer, known) in [("layer3", true), ("conv5", false)] {
        let text = format!("networks: [{{ name: resnet18, training: {{ freeze: {layer} }} }}]");
        assert_eq!(by_schema(&text).is_ok(), known, "{layer}");
    }
}

#[test]
fn a_network_may_be_trained_on_whole_mammograms() {
    let objective = |text: &str| {
        let text = format!("networks: [{{ name: resnet18, training: {{ {text} }} }}]");
        parse_at(&text).unwrap().networks[0].training().unwrap().objective
    };
    assert_eq!(objective("epochs: 1"), Objective::Patches);
    assert_eq!(objective("objective: patches"), Objective::Patches);
    let of = |pooling, share| Objective::Mil(Mil { pooling, share });
    assert_eq!(objective("objective: mil"), of(Bag::TopK, 0.3));
    assert_eq!(objective("objective: { share: 0.5 }"), of(Bag::TopK, 0.5));
    assert_eq!(objective("objective: { pooling: attention }"), of(Bag::Attention, 0.3));
    let text = |value: &str| {
        format!("networks:\n  - name: resnet18\n    training: {{ objective: {value} }}\n")
    };
    assert_refused(&text("mill"), 3, "mill", &["objective", "did you mean `mil`?"]);
    assert_refused(&text("[mil]"), 3, "objective: [mil] }", &["`patches`, `mil`, or a mapping"]);
    assert_refused(&text("{ pooling: noisyor }"), 3, "noisyor", &["`noisy_or`"]);
    let none = "{ pooling: noisy_or, share: 0.25 }";
    assert_refused(&text(none), 3, "0.25", &["`top_k`"]);
    assert_refused(&text("{ share: 0 }"), 3, "0 }", &["above 0"]);
    // Trainings of before there was a choice stay fresh.
    let training = parse_at("networks: [{ name: resnet18 }]").unwrap().networks[0].clone();
    let written = serde_json::to_value(training.training().unwrap()).unwrap();
    assert!(written.get("objective").is_none(), "{written}");
    assert!(serde_json::to_value(parse_at("{}").unwrap().patches).unwrap().get("labels").is_none());
}

#[test]
fn values_out_of_range_are_refused_where_they_stand() {
    let mut differ = Vec::new();
    for (text, at) in [
        ("patches: { window: 0 }", "0 }"),
        ("patches: { window: 1.01 }", "1.01"),
        ("patches: { window: .nan }", ".nan"),
        ("patches: { stride: -0.5 }", "-0.5"),
        ("patches: { size: 0 }", "0 }"),
        ("patches: { min_lesion: 2 }", "2 }"),
        ("patches: { min_breast: -1 }", "-1"),
        ("patches: { classes: 4 }", "4 }"),
        ("split: { train: -0.1, validation: 1, test: 0.1 }", "-0.1"),
        ("split: { train: 0.9 }", "{ train"),
        ("dissection: { top: 0 }", "0 }"),
        ("dissection: { threshold: { quantile: 1 } }", "1 }"),
        ("dissection: { threshold: { quantile: 0 } }", "0 }"),
        ("dissection: { threshold: { quantile: 0.1, fraction_of_max: 0.1 } }", "{ quantile"),
        ("dissection: { threshold: {} }", "{} }"),
        ("dissection: { threshold: { fraction_of_max: 1.5 } }", "1.5"),
        ("dissection: { split: test }\nsplit: { train: 0.9, test: 0 }", "test"),
        ("source: { patients: 2 }", "2 }"),
        ("source: { height: 99999999999 }", "99999999999"),
        ("source: { kind: minimias }", "minimias"),
        ("source: { kind: mini_mias }", "{ kind"),
        ("source: { kind: mini_mias, path: a, patients: 3 }", "3 }"),
        ("source: { kind: ddsm, path: a, height: 300 }", "300 }"),
        ("source: { path: a }", "a }"),
        ("source: { kind: cbis_ddsm }", "{ kind"),
        ("source: { kind: cbis_ddsm, path: a, regions: b }", "b }"),
        ("source: { kind: folder, regions: b }", "{ kind"),
        ("source: { kind: folder, path: t.csv, height: 3 }", "3 }"),
        ("networks: []", "[]"),
        ("networks: [{ name: alexnet, layers: [] }]", "[] }"),
        ("networks: [{ name: alexnet, layers: [conv5, conv5] }]", "conv5] }"),
        ("networks: [{ name: alexnet, input: 10 }]", "10 }"),
        ("networks: [{ name: alexnet, weights: w.onnx }]", "w.onnx"),
        ("networks: [{ name: alexnet, training: { epochs: 0 } }]", "0 }"),
        ("networks: [{ name: alexnet, training: { batch: 0 } }]", "0 }"),
        ("networks: [{ name: alexnet, training: { lr: 0 } }]", "0 }"),
        ("networks: [{ name: alexnet, training: { lr: .inf } }]", ".inf"),
        ("networks: [{ name: alexnet, training: { lr: { head: 0, rest: 1 } } }]", "0, rest"),
        ("networks: [{ name: alexnet, training: { lr: { head: 1 } } }]", "{ head"),
        ("networks: [{ name: alexnet, training: { lr: { head: 1, body: 1 } } }]", "body"),
        ("networks: [{ name: alexnet, training: { momentum: 1 } }]", "1 }"),
        ("networks: [{ name: alexnet, training: { lr_decay_epochs: [3, 2] } }]", "2] }"),
        ("networks: [{ name: alexnet, training: { augment: { intensity: 1 } } }]", "1 }"),
        ("networks: [{ name: alexnet, training: { augment: { flip: true } } }]", "flip:"),
        ("networks: [{ name: alexnet, training: { class_weights: [1, 2, 3] } }]", "[1, 2"),
        ("networks: [{ name: alexnet, training: { class_weights: [1, 0] } }]", "0] }"),
        ("networks: [{ name: alexnet, training: { class_weights: balance } }]", "balance }"),
        ("networks: [{ name: alexnet, training: { early_stopping: 0 } }]", "0 }"),
        ("networks: [{ name: alexnet, training: { checkpoint_minutes: -1 } }]", "-1"),
        ("networks: [{ name: alexnet, weights: output/work/w.pth }]", "output"),
        ("survey: { patches: 65 }", "65"),
        ("cases: { found: -1 }", "-1"),
        ("cases: { missed: 1001 }", "1001"),
        ("cases: { list: [a, b, a] }", "a] }"),
        ("survey: { repeats: 1.1 }", "1.1"),
        ("reading: { cases: -1 }", "-1"),
        ("reading: { cancer: 1.5 }", "1.5"),
        ("reading: { network: vgg11 }", "vgg11"),
        ("reading: { units: 0 }", "0 }"),
        ("survey: { cancer: -0.1 }", "-0.1"),
        ("survey: { select: best }", "best"),
        ("survey: { select: [] }", "[]"),
        ("survey: { select: [alexnet/conv5/63] }", "alexnet/conv5/63"),
        ("survey: { select: [alexnet/conv4/0063] }", "alexnet/conv4/0063"),
        ("survey: { select: [alexnet/conv5/0063, alexnet/conv5/0063] }", "alexnet/conv5/0063]"),
        ("survey: { select: [alexnet/conv5/0063], layers: [alexnet/conv5] }", "[alexnet/conv5] }"),
        ("survey: { layers: [alexnet] }", "alexnet"),
        ("survey: { layers: [alexnet/conv5, alexnet/conv5] }", "alexnet/conv5]"),
        ("survey: { study: a/b }", "a/b"),
        ("survey: { contact: ' ' }", "' '"),
        ("survey: { lexicon: ../x }", "../x"),
        ("theme: a/b", "a/b"),
        ("theme: ..", ".."),
        ("title: ' '", "' '"),
        ("base_url: ftp://x", "ftp"),
        ("output: .", "."),
        ("output: content/out", "content"),
        ("device: gpu", "gpu"),
    ] {
        if text.starts_with("dissection: { split: test }") {
            // The shares sum to 1 with the default validation share: 0.9 + 0.1 + 0.
            assert!(refused(text).message.contains("share of the patients is 0"));
        }
        assert_refused(text, 1, at, &[]);
        // Of one value the schema knows as much as the check; of several together it need not.
        let together = [
            "sum to",
            "split is to be",
            "must rise",
            "classes (`patches",
            "own output folder",
            "top patches per unit",
            "twice",
            "has no use",
            "unknown layer",
            "unknown network",
            "folder of its own",
        ];
        let message = refused(text).message;
        let expected = together.iter().any(|words| message.contains(words));
        let schema = by_schema(text);
        if schema.is_ok() != expected {
            differ.push(format!("{text}: {message}; by the schema {schema:?}"));
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
}

#[test]
fn messages_say_what_to_write() {
    assert_refused("source: { kind: mini_mias }", 1, "{", &["Info.txt", "write `path: FOLDER`"]);
    assert_refused("source: { kind: ddsm }", 1, "{", &[".ics", "write `path: FOLDER`"]);
    assert_refused("source: { kind: folder }", 1, "{", &["the table", "write `path: TABLE`"]);
    assert_refused("patches: { classes: 4 }", 1, "4", &["from 2 to 3"]);
    let text = "networks: [{ name: vgg16, pooling: window7 }]";
    assert_refused(text, 1, "window7", &["choice of the ResNets", "vgg16"]);
    let text = "networks: [{ name: resnet18, input: 113, pooling: window7 }]";
    assert_refused(text, 1, "window7", &["193 to 416", "113"]);
    let text = "networks: [{ name: resnet18, training: { auxiliary: true } }]";
    assert_refused(text, 1, "true", &["inception_v3"]);
    let text = "networks: [{ name: inception_v3, input: 227, training: { auxiliary: true } }]";
    assert_refused(text, 1, "true", &["at least 299", "227"]);
    let text = "networks: [{ name: vgg16, training: { precision: bf1 } }]";
    assert_refused(text, 1, "bf1", &["did you mean `bf16`?"]);
    assert_refused("networks: [{ name: alexnte }]", 1, "alexnte", &["did you mean `alexnet`?"]);
    let text = "networks:\n  - name: resnet18\n    layers: [layer3, layr4]\n";
    assert_refused(text, 3, "layr4", &["layer of resnet18", "did you mean `layer4`?"]);
    let text = "networks: [{ name: alexnet, training: { class_weights: balanc } }]";
    assert_refused(text, 1, "balanc", &["did you mean `balanced`?", "[1, 2]"]);
    let text = "patches: { classes: 3 }\n\
                networks: [{ name: alexnet, training: { class_weights: [1, 2] } }]";
    assert_refused(text, 2, "[1, 2]", &["3 classes", "patches.classes"]);
    let text = "networks: [{ name: alexnet, weights: output/work/networks/alexnet/w.safetensors }]";
    assert_refused(text, 1, "output", &["own output folder", "another project's"]);
    let text = "networks:\n  - name: alexnet\n  - name: alexnet\n";
    assert_refused(text, 3, "alexnet", &["listed twice"]);
    assert_refused("split: { train: 0.9 }", 1, "{", &["sum to 1.1, not to 1"]);
}

#[test]
fn built_in_weights_are_refused_where_there_are_none_or_nothing_is_trained() {
    assert_refused(
        "networks: [{ name: vgg16, weights: builtin }]",
        1,
        "builtin",
        &["vgg16", "alexnet and resnet18"],
    );
    let text = "networks: [{ name: alexnet, weights: builtin, training: false }]";
    assert_refused(text, 1, "builtin", &["must be trained"]);
}

#[test]
fn the_papers_configuration_is_valid() {
    let config = parse_at(include_str!("../../content/examples/paper.yaml")).unwrap();
    let epochs: Vec<_> =
        config.networks.iter().map(|n| (n.name.as_str(), n.training().unwrap().epochs)).collect();
    assert_eq!(epochs, [("alexnet", 45), ("vgg16", 12), ("inception_v3", 7), ("resnet152", 5)]);
    assert_eq!(config.networks[3].training().unwrap().lr_decay_epochs, [4]);
}

#[test]
fn the_project_file_is_found_upwards() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    let message = Config::find(None, &deep).unwrap_err().to_string();
    assert!(message.contains("a/b") && message.contains("unit-atlas init"), "{message}");
    let file = folder.path().join("atlas.yaml");
    std::fs::write(&file, "seed: 7\n").unwrap();
    assert_eq!(Config::find(None, &deep).unwrap(), file);
    assert_eq!(Config::find(Some(folder.path()), &deep).unwrap(), file);
    assert_eq!(Config::find(Some(&file), Path::new("/")).unwrap(), file);
    assert!(Config::find(Some(&deep.join("x.yaml")), &deep).is_err());
    let config = Config::read(&file).unwrap();
    assert_eq!((config.seed, config.root.as_path()), (7, folder.path()));
}

#[test]
fn unreadable_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("atlas.yaml");
    std::fs::write(&file, b"seed: 1\ntitle: \xff\n").unwrap();
    let message = Config::read(&file).unwrap_err().to_string();
    assert!(message.contains("atlas.yaml:2: is not UTF-8"), "{message}");
    std::fs::write(&file, "\u{feff}seed: 7\n").unwrap();
    assert_eq!(Config::read(&file).unwrap().seed, 7);
    let message = Config::read(&folder.path().join("none.yaml")).unwrap_err().to_string();
    assert!(message.contains("none.yaml: cannot be read"), "{message}");
}

#[test]
fn deep_and_large_files_are_refused() {
    let deep = format!("title: {}{}", "[".repeat(10_000), "]".repeat(10_000));
    refused(&deep);
    let block: String = (0..2000).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    refused(&block);
    let large = format!("title: {}", "x".repeat(9 << 20));
    assert!(refused(&large).message.contains("not read"));
    // A long line is cut around the place.
    let long = format!("title: {}, seed: x", "x".repeat(1 << 20));
    assert!(parse_at(&format!("{{{long}}}")).unwrap_err().excerpt.len() < 1000);
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC*") {
        let _ = parse_at(&text).map_err(|mistake| mistake.to_string());
    }

    #[test]
    fn spoilt_templates_never_panic(at in 0usize..14_000, with in "[\\PC\n\t]{0,4}", cut in 0usize..9) {
        let chars: Vec<char> = written::template().chars().collect();
        let at = at.min(chars.len());
        let text: String = chars[..at].iter().copied().chain(with.chars())
            .chain(chars[(at + cut).min(chars.len())..].iter().copied()).collect();
        let _ = parse_at(&text).map_err(|mistake| mistake.to_string());
    }
}

#[test]
fn figures_have_defaults_and_names_of_their_own() {
    use crate::figures::{Format, Kind};
    let config = parse_at(
        "figures:\n  - kind: roc\n  - kind: unit\n    unit: alexnet/conv5/7\n    width: 140\n    \
         formats: [pdf, svg, pdf]\n  - {kind: training, network: alexnet, name: curves, dpi: 600}\n",
    )
    .unwrap();
    let names: Vec<&str> = config.figures.iter().map(|wanted| wanted.name.as_str()).collect();
    assert_eq!(names, ["roc", "unit-alexnet-conv5-0007", "curves"]);
    assert_eq!((config.figures[0].look.width, config.figures[0].look.dpi), (90.0, 300));
    assert_eq!(config.figures[1].look.formats, [Format::Svg, Format::Pdf]);
    assert_eq!(config.figures[2].kind, Kind::Training { network: Some("alexnet".into()) });
    let case = |text: &str| parse_at(&format!("figures:\n  - {text}\n"));
    let config = case("{kind: case, mammogram: P0001_LEFT_CC, network: alexnet}").unwrap();
    assert_eq!(config.figures[0].name, "case-alexnet-P0001_LEFT_CC");
    let mammogram = "P0001_LEFT_CC".to_string();
    let network = Some("alexnet".to_string());
    assert_eq!(config.figures[0].kind, Kind::Case { mammogram, network, patches: 6 });
}

#[test]
fn wrong_figures_are_refused_at_their_place() {
    let cases = [
        ("  - kind: rock\n", 2, "rock", "roc"),
        ("  - kind: unit\n", 2, "unit", "needs `unit`"),
        ("  - {kind: unit, unit: alexnet/conv5}\n", 2, "alexnet/conv5", "network/layer/number"),
        ("  - {kind: unit, unit: alexnet/conv5/0}\n", 2, "alexnet/conv5/0", "not the name"),
        ("  - {kind: unit, unit: alexnet/conv6/1}\n", 2, "alexnet/conv6/1", "conv5"),
        ("  - kind: roc\n    patches: 3\n", 3, "3", "does not belong to the figure `roc`"),
        ("  - kind: roc\n    width: 10\n", 3, "10", "millimetres from 30 to 500"),
        ("  - kind: roc\n    dpi: 10\n", 3, "10", "from 72 to 2400"),
        ("  - kind: roc\n    formats: [pdf, gif]\n", 3, "gif", "unknown format `gif`"),
        ("  - kind: roc\n    name: ../x\n", 3, "../x", "cannot be the name of files"),
        ("  - kind: roc\n  - kind: roc\n", 3, "roc", "the first is in line 2"),
        ("  - {kind: training, network: vgg}\n", 2, "vgg", "unknown network"),
        ("  - kind: case\n", 2, "case", "needs `mammogram`"),
        ("  - {kind: case, mammogram: a, network: vgg}\n", 2, "vgg", "unknown network"),
        ("  - {kind: case, mammogram: a, patches: 13}\n", 2, "13", "from 1 to 12"),
        ("  - kind: roc\n    mammogram: a\n", 3, "a", "does not belong to the figure `roc`"),
    ];
    for (text, line, at, says) in cases {
        assert_refused(&format!("figures:\n{text}"), line, at, &[says]);
    }
}

#[test]
fn a_command_line_asks_for_figures_as_a_file_does() {
    use crate::figures::Kind;
    let config = parse_at("").unwrap();
    let typed = |kind: &str, given: &[(&str, &[&str])]| {
        let given = given.iter().map(|(key, values)| {
            ((*key).to_owned(), values.iter().map(|value| (*value).to_owned()).collect())
        });
        Kind::typed(&config, kind, &given.collect())
    };
    let unit: base::UnitId = "alexnet/conv5/0007".parse().unwrap();
    let asked = typed("unit", &[("unit", &["alexnet/conv5/7"]), ("columns", &["2"])]);
    assert_eq!(asked, Ok(Kind::Unit { unit: unit.clone(), patches: 8, columns: 2 }));
    let asked = typed("table", &[("units", &["alexnet/conv5/0007", "alexnet/conv5/0007"])]);
    assert_eq!(asked, Ok(Kind::Table { units: vec![unit.clone(), unit], patches: 6 }));
    // A name that is a number stays a name.
    let asked = typed("case", &[("mammogram", &["0123"])]);
    let expected = Kind::Case { mammogram: "0123".into(), network: None, patches: 6 };
    assert_eq!(asked, Ok(expected));
    assert_eq!(typed("training", &[]), Ok(Kind::Training { network: None }));
    for (kind, given, says) in [
        ("unit", ("unit", "alexnet/conv6/1"), "conv5"),
        ("unit", ("columns", "65"), "needs `unit`"),
        ("training", ("network", "alexnett"), "did you mean `alexnet`?"),
        ("rock", ("network", "alexnet"), "did you mean `roc`?"),
    ] {
        let message = typed(kind, &[(given.0, &[given.1])]).unwrap_err();
        assert!(message.contains(says), "{kind} {given:?}: {message}");
    }
    // What a figure is of comes first, so that a command line needs no name for it.
    for kind in Kind::offered() {
        assert!(kind.options.iter().skip(1).all(|option| !option.required), "{kind:?}");
    }
}

#[test]
fn outputs_are_for_weights_that_are_used_as_they_are() {
    use Output::{Benign, Cancer, Normal, Unused};
    let network = |more: &str| {
        format!("networks: [{{ name: resnet18, weights: w.ckpt, training: false, {more} }}]")
    };
    let of = |text: &str| parse_at(text).unwrap().networks[0].run().unwrap().clone();
    let found = of(&network("outputs: [unused, cancer, benign, normal, benign]"));
    assert_eq!(found.outputs, [Unused, Cancer, Benign, Normal, Benign]);
    let classes = |classes| found.classes_of_outputs(classes).unwrap();
    assert_eq!(classes(2), [None, Some(1), Some(0), Some(0), Some(0)]);
    assert_eq!(classes(3), [None, Some(2), Some(1), Some(0), Some(1)]);
    assert_eq!(of(&network("")).classes_of_outputs(2), None);
    assert_eq!(of(&network("outputs: [cancer]")).classes_of_outputs(2).unwrap(), [Some(1)]);
    for alone in ["[cancer, cancer]", "[unused, cancer]"] {
        assert_refused(&network(&format!("outputs: {alone}")), 1, alone, &["`normal` or `benign`"]);
    }
    assert_refused(&network("outputs: [normal, benign]"), 1, "[normal", &["`cancer`"]);
    assert_refused(&network("outputs: [cancr]"), 1, "cancr", &[]);
    let trained = "networks: [{ name: resnet18, weights: w.pth, outputs: [cancer] }]";
    assert_refused(trained, 1, "[cancer]", &["training: false"]);
    let three = network("outputs: [normal, cancer]") + "\npatches: { classes: 3 }";
    assert_refused(&three, 1, "[normal", &["`benign`"]);
}

#[test]
fn nobody_need_be_trained_on_where_nothing_is_trained() {
    let split = "split: { train: 0, validation: 1, test: 0 }\n";
    let fixed = "networks: [{ name: resnet18, weights: w.pth, training: false }]";
    let config = parse_at(&format!("{split}{fixed}")).unwrap();
    assert_eq!(config.split.of(Split::Validation), 1.0);
    let trained = format!("{split}networks: [{{ name: resnet18, weights: w.pth }}]");
    assert_refused(&trained, 1, "0,", &["resnet18 is to be trained", "training: false"]);
}

#[test]
fn a_tilde_is_the_home_folder() {
    let home = std::env::home_dir().unwrap();
    assert_eq!(parse_at("output: ~/atlas").unwrap().output, home.join("atlas"));
    let source = parse_at("source: { kind: mini_mias, path: '~' }").unwrap().source;
    assert_eq!(source, Source::MiniMias { path: home });
    assert_refused("output: ~someone/atlas", 1, "~someone", &["in full"]);
    assert_eq!(parse_at("output: ./~x").unwrap().output, Path::new("/project/~x"));
    for variable in ["$HOME/atlas", "${HOME}/atlas", "'%USERPROFILE%/atlas'", "$SCRATCH"] {
        let what = format!("output: {variable}");
        assert_refused(&what, 1, variable, &["variables are not replaced"]);
    }
    for folder in ["./$HOME", "$", "us$/x", "100%"] {
        let path = Path::new("/project").join(folder);
        assert_eq!(parse_at(&format!("output: {folder}")).unwrap().output, path);
    }
}

/// Fewer than 19 permutations would tell every reader that no unit detects anything.
#[test]
fn permutations_are_none_or_enough_to_be_more_than_chance() {
    let of = |n: u32| format!("dissection: {{ permutations: {n} }}");
    for n in [0, 19, 200] {
        assert_eq!(parse_at(&of(n)).unwrap().dissection.permutations, n);
    }
    for n in [1, 18] {
        assert_refused(&of(n), 1, &format!("{n} }}"), &["0, or at least 19", "1 / (n + 1)"]);
    }
    // The least probability is as it is computed.
    const { assert!(1.0 / (19.0 + 1.0) <= SIGNIFICANCE && 1.0 / (18.0 + 1.0) > SIGNIFICANCE) };
}

/// The reference says of each architecture what it takes.
#[test]
fn the_least_inputs_are_those_of_the_architectures() {
    let reference = written::reference();
    for architecture in ARCHITECTURES {
        let least = match (architecture.name, architecture.step) {
            ("alexnet", _) => "63 for alexnet",
            ("inception_v3", _) => "75 for inception_v3",
            (_, 1) => "32 for the others",
            // Of patches of 14, 16 and 32 pixels.
            (name, step) => {
                let place = [14, 16, 32].iter().position(|known| *known == step).unwrap();
                let ends = ([42, 32, 64][place], [784, 784, 768][place]);
                assert_eq!((architecture.min_input, architecture.max_input), ends, "{name}");
                assert!(reference.contains("14, 16 or 32, from 42, 32 or 64 to 784, 784 or 768"));
                continue;
            }
        };
        assert!(least.starts_with(&format!("{} ", architecture.min_input)), "{architecture:?}");
        assert_eq!(architecture.max_input, MAX_INPUT);
        assert!(reference.contains(least), "{least}");
    }
    assert!(reference.contains(&format!("from 32 to {MAX_INPUT}")));
}

#[test]
fn a_vision_transformer_needs_weights_and_whole_patches() {
    let of = |more: &str| format!("networks:\n  - name: dinov2_vits14\n{more}");
    let config = parse_at(&of("    weights: dino.pth\n")).unwrap();
    let [network] = &config.networks[..] else { panic!() };
    assert_eq!(network.layers, ["block8", "block11"]);
    assert_eq!(network.run().unwrap().input, 224);
    for least in [42, 784] {
        let text = of(&format!("    weights: dino.pth\n    input: {least}\n"));
        parse_at(&text).unwrap();
        by_schema(&text).unwrap();
    }
    let says = ["the last layer is trained", "`weights` of a file"];
    assert_refused(&of(""), 2, "name: dinov2_vits14", &says);
    let freeze = of("    weights: dino.pth\n    training: { freeze: block8 }\n");
    assert_refused(&freeze, 4, "block8", &["only the last layer is trained: leave `freeze` out"]);
    by_schema(&freeze).unwrap_err();
    let built_in = of("    weights: builtin\n");
    assert_refused(&built_in, 3, "builtin", &["no built-in weights for dinov2_vits14"]);
    for (input, says) in
        [("227", "a multiple of 14, such as 224 or 238"), ("798", "from 42 to 784")]
    {
        let text = of(&format!("    weights: dino.pth\n    input: {input}\n"));
        assert_refused(&text, 4, input, &[says]);
        by_schema(&text).unwrap_err();
    }
}

#[test]
fn a_recorded_network_takes_its_layers_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("atlas.yaml");
    let parse = |text: &str| Config::parse(text, &path);
    let mine = "networks: [{ name: vit, activations: mine }]";
    // It may be recorded later: the patches come first.
    let config = parse(mine).unwrap();
    let [network] = &config.networks[..] else { panic!() };
    assert_eq!(network.recorded().unwrap().folder, folder.path().join("mine"));
    assert!(network.run().is_none() && network.training().is_none() && network.layers.is_empty());
    let later = parse("networks: [{ name: vit, activations: mine, layers: [block3] }]").unwrap();
    assert_eq!(later.networks[0].layers, ["block3"]);

    std::fs::create_dir(folder.path().join("mine")).unwrap();
    let header = "format: 1\nname: a ViT\nparameters: 9\ninput: 32\nclasses: [cancer]\nmade: here\nlayers:\n  \
                  - { name: block1, units: 4, map: [2, 2] }\n  - { name: block3, units: 4, map: [2, 2] }\n";
    std::fs::write(folder.path().join("mine/activations.yaml"), header).unwrap();
    let config = parse(mine).unwrap();
    assert_eq!(config.networks[0].layers, ["block1", "block3"]);
    assert_eq!(config.survey.layers, [("vit".to_owned(), "block3".to_owned())]);
    for (more, says) in [
        ("layers: [block2]", "block2"),
        ("layers: []", "leave it out for all"),
        ("layers: [block1, block1]", "twice"),
        ("weights: w.pth", "`weights` does not go with `activations`"),
        ("training: false", "`training` does not go with `activations`"),
        ("input: 224", "`input` does not go with `activations`"),
    ] {
        let text = format!("networks: [{{ name: vit, activations: mine, {more} }}]");
        let mistake = parse(&text).unwrap_err();
        assert!(mistake.message.contains(says), "{more}: {mistake}");
        assert_eq!(mistake.line, 1, "{mistake}");
    }
    let mistake = parse("networks: [{ name: a/b, activations: mine }]").unwrap_err();
    assert!(mistake.message.contains("`name` is `a/b`"), "{mistake}");
    let mistake = parse("networks: [{ activations: mine }]").unwrap_err();
    assert!(mistake.message.contains("`name` is missing"), "{mistake}");
    // What stands there and is wrong is told with its own place.
    std::fs::write(folder.path().join("mine/activations.yaml"), "format: 7\n").unwrap();
    let mistake = parse(mine).unwrap_err();
    assert!(mistake.path.ends_with("mine/activations.yaml"), "{mistake}");
}
