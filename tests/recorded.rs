//! A network whose activations were recorded elsewhere becomes an atlas: here they are recorded of a network that
//! unit-atlas can run, so that it is known what must come of them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use base::Split;
use base::artifact::Layout;
use candle_core::{DType, Device, Tensor};
use network::Network;
use record::dissection::{Layer, Unit};
use record::{Manifest, Store};
use serde_json::Value;

use crate::support::project::Project;

const CONFIG: &str = "\
title: Recorded
source: { kind: phantom, patients: 10, height: 320 }
patches: { size: 64 }
split: { train: 0.6, validation: 0.3, test: 0.1 }
networks:
  - name: resnet10
    input: 64
    layers: [layer3, layer4]
    training: { epochs: 2, batch: 16, lr: 0.02, schedule: cosine, balance: true, augment: true }
#more
dissection: { top: 8, permutations: 19 }
";

/// A network of the project that is run, and the data set that it was shown.
struct Subject {
    manifest: Manifest,
    store: Store,
    network: Network,
}

impl Subject {
    fn of(project: &Project) -> Self {
        let layout = Layout::new(project.path("output"));
        let weights = layout.network("resnet10").join("weights.safetensors");
        Self {
            manifest: Manifest::read(&layout).unwrap(),
            store: Store::open(&layout).unwrap(),
            network: Network::open("resnet10", 64, &weights, &Device::Cpu).unwrap(),
        }
    }

    fn names(&self, patches: &[u32]) -> Vec<String> {
        let name = |&n: &u32| self.manifest.patch_name(&self.manifest.patches[n as usize]);
        patches.iter().map(name).collect()
    }

    /// Maps and contributions of the layers, and logits, of some patches.
    fn tensors(
        &self,
        patches: &[u32],
        kind: DType,
        contributions: bool,
    ) -> HashMap<String, Tensor> {
        const LAYERS: [&str; 2] = ["layer3", "layer4"];
        let inference = self.network.inference();
        let mut batches: Vec<HashMap<String, Tensor>> = Vec::new();
        // As dissection shows them.
        for batch in patches.chunks(32) {
            let pixels: Vec<&[u8]> = batch.iter().map(|&n| self.store.pixels(n)).collect();
            let images = self.network.images(&pixels, self.store.edge()).unwrap();
            let maps = inference.maps(&images, &LAYERS).unwrap();
            let found = inference.sensitivity(&images, &LAYERS).unwrap();
            let logits = inference.logits(&images).unwrap();
            let mut own = HashMap::from([("logits".to_owned(), logits)]);
            for (at, layer) in LAYERS.iter().enumerate() {
                own.insert(format!("maps/{layer}"), maps[at].to_dtype(kind).unwrap());
                let adds = |gradients: &Vec<Tensor>| {
                    let product = (&found.maps[at] * &gradients[at]).unwrap();
                    product.flatten_from(2).unwrap().sum(2).unwrap()
                };
                let adds: Vec<Tensor> = found.gradients.iter().map(adds).collect();
                if contributions {
                    own.insert(format!("contributions/{layer}"), Tensor::stack(&adds, 1).unwrap());
                }
            }
            batches.push(own);
        }
        let names: Vec<String> = batches[0].keys().cloned().collect();
        let whole = |name: String| {
            let parts: Vec<&Tensor> = batches.iter().map(|own| &own[&name]).collect();
            (name, Tensor::cat(&parts, 0).unwrap())
        };
        names.into_iter().map(whole).collect()
    }

    fn write(&self, path: &Path, patches: &[u32], tensors: &HashMap<String, Tensor>) {
        let pixels: Vec<u32> = patches.iter().map(|&n| crc32(self.store.pixels(n))).collect();
        let metadata = HashMap::from([
            ("patches".to_owned(), serde_json::to_string(&self.names(patches)).unwrap()),
            ("pixels".to_owned(), serde_json::to_string(&pixels).unwrap()),
        ]);
        safetensors::serialize_to_file(tensors, Some(metadata), path).unwrap();
    }

    /// Records the validation patches into a folder, in two parts.
    fn record(&self, folder: &Path, kind: DType, contributions: bool) {
        fs::create_dir_all(folder).unwrap();
        let patches = self.manifest.of_split(Split::Validation);
        let tensors = self.tensors(&patches, kind, contributions);
        let cut = patches.len() / 3;
        for (file, [from, to]) in [("b", [0, cut]), ("a", [cut, patches.len()])] {
            let rows = tensors.iter().map(|(name, tensor)| {
                (name.clone(), tensor.narrow(0, from, to - from).unwrap().contiguous().unwrap())
            });
            let path = folder.join(format!("{file}.safetensors"));
            self.write(&path, &patches[from..to], &rows.collect());
        }
        let mut header = String::from(
            "format: 1\nname: ResNet-10 of a friend\nparameters: 4903810\ninput: 64\n\
             classes: [normal, cancer]\nmade: a test\nnotes: [Nothing was dropped.]\nlayers:\n",
        );
        for layer in ["layer3", "layer4"] {
            let (units, field) =
                (self.network.units(layer).unwrap(), self.network.field(layer).unwrap());
            let rows = tensors[&format!("maps/{layer}")].dim(2).unwrap();
            let linear = contributions && layer == "layer4";
            header += &format!(
                "  - {{ name: {layer}, units: {units}, map: [{rows}, {rows}], field: {}, stride: {}, centre: {}, \
                 contributions: {contributions}, linear: {linear} }}\n",
                field.edge, field.stride, field.centre
            );
        }
        fs::write(folder.join("activations.yaml"), header).unwrap();
    }
}

/// CRC-32 as zlib has it, bit by bit.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}

fn layer(project: &Project, network: &str, layer: &str) -> Layer {
    record::dissection::read(&Layout::new(project.path("output")).layer(network, layer)).unwrap()
}

/// What must be the same, bit by bit: what was seen. (Drawn patches and the draws of chance follow from the name.)
fn seen(unit: &Unit) -> Unit {
    let mut unit = Unit { sample: Vec::new(), influence: None, ..unit.clone() };
    unit.matches.iter_mut().for_each(|found| found.chance = None);
    unit
}

fn explanation(project: &Project, network: &str) -> record::explanation::Explanation {
    let folder = Layout::new(project.path("output")).explanation(network);
    record::explanation::read(&folder).unwrap()
}

fn page(project: &Project, path: &str) -> String {
    fs::read_to_string(project.path("output/site").join(path)).unwrap()
}

#[test]
fn a_recorded_network_is_dissected_explained_and_shown_as_if_it_were_run() {
    let project = Project::new(CONFIG);
    let mine = "  - { name: mine, activations: recorded/mine }\n\
                \x20 - { name: half, activations: recorded/half, layers: [layer4] }";
    project.edit("#more", mine);
    // What comes before a recording needs none.
    project.run(&["prepare"]).expect(0);
    project.run(&["patches", "export", "patches"]).expect(0);
    let told = project.run(&["train"]).expect(0);
    assert!(told.out.contains("mine was recorded elsewhere: there is nothing to train"));
    project.run(&["run"]).expect_error(&["mine: nothing is recorded in", "activations.yaml"]);

    let subject = Subject::of(&project);
    subject.record(&project.path("recorded/mine"), DType::F32, true);
    subject.record(&project.path("recorded/half"), DType::F16, false);
    let told = project.run(&["run"]).expect(0);
    for says in [
        "mine: recorded activations of",
        "mine: dissecting layer3, layer4 as recorded",
        "half/layer4 dissected",
        "half explains nothing",
    ] {
        assert!(told.out.contains(says), "{says}: {}", told.out);
    }
    // Again, all is fresh.
    let told = project.run(&["run"]).expect(0);
    assert!(!told.out.contains("dissecting") && told.out.contains("site is fresh"), "{}", told.out);

    for name in ["layer3", "layer4"] {
        let (ours, theirs) = (layer(&project, "mine", name), layer(&project, "resnet10", name));
        assert_eq!((ours.map, ours.field), (theirs.map, theirs.field));
        assert!(ours.units.iter().filter(|unit| unit.kind().is_live()).count() > 20);
        let (basis, other) = (ours.influence.unwrap(), theirs.influence.unwrap());
        assert_eq!(basis, other);
        for (ours, theirs) in ours.units.iter().zip(&theirs.units) {
            assert_eq!(seen(ours), seen(theirs), "{name}");
            let (ours, theirs) =
                (ours.influence.as_ref().unwrap(), theirs.influence.as_ref().unwrap());
            for (a, b) in ours.gradient.iter().zip(&theirs.gradient) {
                assert!((a - b).abs() < 1e-5, "{ours:?} {theirs:?}");
            }
            let close = |a: &Option<Vec<f32>>, b: &Option<Vec<f32>>| match (a, b) {
                (Some(a), Some(b)) => {
                    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3 * b.abs().max(0.1))
                }
                (a, b) => a == b,
            };
            assert!(close(&ours.weighted, &theirs.weighted), "{ours:?} {theirs:?}");
        }
    }
    let (ours, theirs) = (explanation(&project, "mine"), explanation(&project, "resnet10"));
    assert!(ours.exact && ours.mammograms.len() > 3);
    assert_eq!(ours.mammograms.len(), theirs.mammograms.len());
    for (ours, theirs) in ours.mammograms.iter().zip(&theirs.mammograms) {
        assert_eq!((ours.mammogram, ours.patch), (theirs.mammogram, theirs.patch));
        assert!(
            (ours.margin - theirs.margin).abs() < 1e-4 && (ours.rest - theirs.rest).abs() < 1e-3
        );
        let overlays = |units: &[record::explanation::Part]| -> Vec<(u32, String)> {
            units.iter().take(3).map(|part| (part.unit, part.overlay.clone())).collect()
        };
        assert_eq!(overlays(&ours.units), overlays(&theirs.units));
    }

    // Half the precision and no contributions: the same units, with less known of them.
    let half = layer(&project, "half", "layer4");
    assert!(half.influence.is_none() && half.units.iter().all(|unit| unit.influence.is_none()));
    let full = layer(&project, "mine", "layer4");
    for (half, full) in half.units.iter().zip(&full.units).filter(|(_, full)| full.kind().is_live())
    {
        assert!((half.threshold - full.threshold).abs() <= 1e-3 * full.threshold.abs());
    }

    // On the pages.
    let own = page(&project, "networks/mine/index.html");
    for says in ["Recorded elsewhere", "ResNet-10 of a friend", "Nothing was dropped.", "a test"] {
        assert!(own.contains(says), "{says}");
    }
    assert!(!own.contains("id=\"training\"") && !own.contains("its influence is not known"));
    let other = page(&project, "networks/half/index.html");
    assert!(other.contains("of layer4 it was not recorded what the units contribute"));
    let live = full.units.iter().find(|unit| unit.kind().is_live()).unwrap().unit;
    let unit = page(&project, &format!("networks/half/layer4/{live:04}/index.html"));
    assert!(unit.contains("Not known: the network was recorded without"), "{unit}");
    assert!(page(&project, "cases/index.html").contains("mine"));
    assert!(!project.path("output/site/cases/half").exists());
    let survey: Value =
        serde_json::from_slice(&fs::read(project.path("output/work/survey/survey.json")).unwrap())
            .unwrap();
    let asked: Vec<&str> = survey["units"]
        .as_array()
        .unwrap()
        .iter()
        .map(|unit| unit["unit"].as_str().unwrap())
        .collect();
    for network in ["mine/layer4/", "half/layer4/", "resnet10/layer4/"] {
        assert!(asked.iter().any(|unit| unit.starts_with(network)), "{asked:?}");
    }

    // Readers answer, and the name shows.
    let answered = asked.iter().find(|unit| unit.starts_with("mine/")).unwrap();
    let answers = format!(
        "schema: 1\nstudy: recorded\nreader: reader-a\nlexicon: bi-rads-5\nanswers:\n  - unit: {answered}\n    \
         recognizable: yes\n    phenomena: [{{ description: calcifications, terms: [calcifications], association: \
         malignant }}]\n"
    );
    project.write("content/labels/reader-a.yaml", answers);
    project.run(&["build"]).expect(0);
    assert!(page(&project, &format!("networks/{answered}/index.html")).contains("calcifications"));
    project.run(&["check"]).expect(0);
    project.run(&["verify"]).expect(0);

    // Every command that needs a pass through it says so, and others do what they do.
    project.run(&["train", "--network", "mine"]).expect_error(&["mine was recorded elsewhere"]);
    let image = fs::read_dir(project.path("patches"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|ending| ending == "png"))
        .unwrap();
    let image = image.to_str().unwrap();
    project
        .run(&["predict", "--network", "mine", image])
        .expect_error(&["mine was recorded", "run here"]);
    let refused = ["mine was recorded elsewhere and cannot be run here"];
    project.run(&["explain", image, "--network", "mine"]).expect_error(&refused);
    project.run(&["explain", "--whole", "--network", "mine"]).expect_error(&refused);
    project.run(&["explain", "--network", "half"]).expect_error(&["half explains nothing"]);
    let told = project.run(&["explain"]).expect(0);
    assert!(told.err.contains("note: half explains nothing"), "{}", told.err);
    project.run(&["evaluate", "--network", "mine"]).expect(0);
    project.run(&["evaluate", "--network", "mine", "--split", "test"]).expect_error(&["split"]);
    let told = project.run(&["provenance", "networks/mine/layer4/0001/"]).expect(0);
    assert!(told.out.contains("`activations` in atlas.yaml"), "{}", told.out);

    // Another recording in the same folder is another network.
    let patches = subject.manifest.of_split(Split::Validation);
    let path = project.path("recorded/mine/b.safetensors");
    let first = &patches[..patches.len() / 3];
    let mut changed = subject.tensors(first, DType::F32, true);
    changed.insert("maps/layer3".into(), (&changed["maps/layer3"] * 2.0).unwrap());
    subject.write(&path, first, &changed);
    project.run(&["build"]).expect_error(&["mine is not evaluated from its recording, or stale"]);
    let told = project.run(&["dissect", "--network", "mine"]).expect(0);
    assert!(
        told.out.contains("mine: stale, for") && told.out.contains("recording"),
        "{}",
        told.out
    );
    let greatest = |network: &str| -> Vec<f32> {
        layer(&project, network, "layer3").units.iter().map(|unit| unit.score_range[1]).collect()
    };
    assert!(greatest("mine").iter().sum::<f32>() > 1.2 * greatest("resnet10").iter().sum::<f32>());

    // The same outputs said to stand for findings: nothing is left of what is known of cancer.
    let header = "recorded/mine/activations.yaml";
    let told = fs::read_to_string(project.path(header)).unwrap();
    project.write(header, told.replace("[normal, cancer]", "[mass, calcifications]"));
    project.run(&["run"]).expect(0);
    let text = page(&project, "networks/mine/index.html");
    assert!(text.contains("Findings, per patch") && text.contains("None of the network’s outputs"));
    assert!(layer(&project, "mine", "layer4").influence.is_none());
    project
        .run(&["explain", "--network", "mine"])
        .expect_error(&["mine explains nothing: none of its outputs stands for cancer"]);
    project.write(header, told);

    // A patch that is gone, and one whose pixels are others.
    let fewer: HashMap<String, Tensor> = changed
        .iter()
        .map(|(name, t)| {
            (name.clone(), t.narrow(0, 1, first.len() - 1).unwrap().contiguous().unwrap())
        })
        .collect();
    subject.write(&path, &first[1..], &fewer);
    let gone = subject.names(&first[..1]);
    project.run(&["dissect", "--network", "mine"]).expect_error(&[
        "1 of the",
        "patches of the validation split were not recorded",
        &gone[0],
        "patches export",
    ]);
    subject.write(&path, first, &changed);
    project.edit("height: 320", "height: 336");
    project
        .run(&["dissect", "--network", "mine"])
        .expect_error(&["mine", "patches of the validation split"]);
}

#[test]
fn what_does_not_go_with_activations_is_refused_with_its_place() {
    let project = Project::new(CONFIG);
    let mine = "  - { name: mine, activations: recorded, training: false }";
    project.edit("#more", mine);
    project
        .run(&["prepare"])
        .expect_error(&["atlas.yaml:10:", "`training` does not go with `activations`"]);
    project.edit(mine, "  - { name: mine, activations: output/recorded }");
    project
        .run(&["prepare"])
        .expect_error(&["`activations` lies in this project's own output folder"]);
    project.edit("activations: output/recorded", "activations: recorded");
    project.write("recorded/activations.yaml", "format: 1\nname: x\nparameters: many\n");
    project.run(&["prepare"]).expect_error(&["recorded/activations.yaml:3:"]);
}
