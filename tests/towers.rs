//! A published vision transformer becomes an atlas: a last layer is trained over it, the tokens of its blocks are
//! units, and what it became is used as it is. Its numbers here are random; that they are computed as its authors'
//! code does is tested beside the code.

use std::collections::HashMap;
use std::fs;

use base::artifact::Layout;
use candle_core::{Device, Tensor};
use network::Network;
use network::weights::Weights;
use record::dissection::Layer;
use record::training::Evaluation;

use crate::support::project::Project;

const NAME: &str = "vit_tiny_patch16_224";
const CONFIG: &str = "\
title: Towers
source: { kind: phantom, patients: 10, height: 320 }
patches: { size: 64 }
split: { train: 0.6, validation: 0.3, test: 0.1 }
networks:
  - name: vit_tiny_patch16_224
    weights: model.safetensors
    input: 64
    training: { epochs: 2, batch: 16, lr: 0.02, balance: true }
dissection: { top: 8, permutations: 19 }
";

/// Writes a transformer of random numbers as Hugging Face's files have it, with or without ImageNet's classes.
fn publish(project: &Project, classifier: bool) -> HashMap<String, Tensor> {
    let network = Network::new(NAME, 1000, 224, 5, &Device::Cpu).unwrap();
    let named = |(name, tensor): (String, Tensor)| match name.starts_with("classifier.") {
        true => classifier.then_some((name, tensor)),
        false => Some((format!("vit.{name}"), tensor)),
    };
    let tensors: HashMap<String, Tensor> =
        network.state().unwrap().into_iter().filter_map(named).collect();
    safetensors::serialize_to_file(&tensors, None, &project.path("model.safetensors")).unwrap();
    tensors
}

fn layer(project: &Project, name: &str) -> Layer {
    record::dissection::read(&Layout::new(project.path("output")).layer(NAME, name)).unwrap()
}

fn evaluation(project: &Project) -> Evaluation {
    let folder = Layout::new(project.path("output")).network(NAME);
    let text = fs::read_to_string(folder.join(record::training::EVALUATION)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn a_transformer_with_a_trained_last_layer_becomes_an_atlas() {
    let project = Project::new(CONFIG);
    let published = publish(&project, true);
    let told = project.run(&["run"]).expect(0);
    for says in [
        "training a last layer over the given weights",
        "the outputs of block12, up to which nothing is trained, are computed once and kept",
        "dissecting block8, block11",
    ] {
        assert!(told.out.contains(says), "{}", told.out);
    }
    let told = project.run(&["run"]).expect(0);
    assert!(!told.out.contains("dissecting") && told.out.contains("site is fresh"), "{}", told.out);

    // What was published is as it was, and the last layer is new.
    let layout = Layout::new(project.path("output"));
    let path = layout.network(NAME).join(record::training::WEIGHTS);
    let kept = Weights::read(&path).unwrap();
    let tower = published.iter().filter(|(name, _)| name.starts_with("vit."));
    assert!(tower.clone().count() > 190);
    for (name, tensor) in tower {
        assert_eq!(values(tensor), values(&kept.tensors()[&name["vit.".len()..]]), "{name}");
    }
    assert_eq!(kept.tensors()["classifier.weight"].dims(), [2, 192]);
    let begun = evaluation(&project);
    assert!(begun.scores.len() > 20 && begun.parameters > 5_000_000);

    // Tokens are units, and all of the input is what each has seen.
    for name in ["block8", "block11"] {
        let found = layer(&project, name);
        assert_eq!((found.units.len(), found.map), (192, [4, 4]));
        assert_eq!([found.field.stride, found.field.centre], [16.0, 8.0]);
        assert!(found.field.edge >= 112.0, "{:?}", found.field);
        assert!(found.units.iter().filter(|unit| unit.kind().is_live()).count() > 150);
        let influence = found.units.iter().filter_map(|unit| unit.influence.as_ref());
        let moved = influence.filter(|of| of.gradient.iter().any(|by| *by != 0.0));
        assert!(moved.count() > 150, "{name}");
        for at in [1, 192] {
            let page =
                project.path(&format!("output/site/networks/{NAME}/{name}/{at:04}/index.html"));
            assert!(page.exists(), "{}", page.display());
        }
    }
    let explanation = record::explanation::read(&layout.explanation(NAME)).unwrap();
    assert_eq!(explanation.layer, "block11");
    assert!(
        explanation.mammograms.iter().all(|m| m.units.iter().any(|part| part.contribution != 0.0))
    );
    let survey = fs::read_to_string(project.path("output/work/survey/survey.json")).unwrap();
    assert!(survey.contains(&format!("{NAME}/block11/")), "{survey}");
    project.run(&["check"]).expect(0);
    project.run(&["verify"]).expect(0);
    let told = project.run(&["explain", "--whole"]).expect(2);
    let says = format!(
        "skipped whole mammograms for {NAME}: a vision transformer sees patches of one size"
    );
    assert_eq!(told.err.matches(&says).count(), 1, "{}", told.err);

    // It is what it became: the same numbers without training.
    let finished = Project::new(CONFIG);
    fs::copy(&path, finished.path("model.safetensors")).unwrap();
    finished.edit("training: { epochs: 2, batch: 16, lr: 0.02, balance: true }", "training: false");
    finished.run(&["train"]).expect(0);
    assert_eq!(evaluation(&finished).scores, begun.scores);
}

#[test]
fn a_transformer_that_cannot_be_used_says_why() {
    let project = Project::new(CONFIG);
    publish(&project, false);
    project.edit("training: { epochs: 2, batch: 16, lr: 0.02, balance: true }", "training: false");
    project.run(&["train"]).expect_error(&["without its last layer", "a start for training"]);
    project.edit("    weights: model.safetensors\n", "");
    let says = "of vit_tiny_patch16_224 only the last layer is trained, so it needs the `weights` of a file";
    project.run(&["train"]).expect_error(&[says]);
    project.edit("    input: 64", "    weights: model.safetensors\n    input: 72");
    project
        .run(&["train"])
        .expect_error(&["a multiple of 16, such as 64 or 80; 72 were asked for"]);
}
