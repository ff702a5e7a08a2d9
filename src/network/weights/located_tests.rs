//! Networks wrapped as scripts wrap them, found again with the same values.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};

use super::super::tests::{flat, values};
use super::*;
use crate::Network;

type State = BTreeMap<String, Tensor>;

/// A network's state, every tensor of other values.
fn state(name: &str, outputs: usize, input: u32) -> State {
    Network::new(name, outputs, input, 3, &Device::Cpu).unwrap().state().unwrap()
}

fn renamed(state: &State, name: impl Fn(&str) -> String) -> State {
    state.iter().map(|(known, tensor)| (name(known), tensor.clone())).collect()
}

fn file(state: &State) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    std::fs::write(&path, safetensors::serialize(state, None).unwrap()).unwrap();
    (folder, path)
}

fn locate(state: &State, network: &str) -> Result<Located> {
    let (_folder, path) = file(state);
    Weights::read(&path)?.locate(network)
}

/// All tensors of `expected` are found with their values, and nothing is said to be wrong.
#[track_caller]
fn found(wrapped: &State, network: &str, expected: &State) -> Located {
    let located = locate(wrapped, network).unwrap();
    for (name, tensor) in expected {
        let ours = located.tensors().get(name);
        let ours = ours.unwrap_or_else(|| {
            panic!("{name} is not there; {}", located.mismatch(2, 3, Scope::Whole))
        });
        assert_eq!(ours.dims(), tensor.dims(), "{name}");
        let single = |t: &Tensor| flat(&t.to_dtype(DType::F32).unwrap());
        assert_eq!(single(ours), single(tensor), "{name}");
    }
    located
}

/// torchvision's modules that are a ResNet's children, by their place among all of them.
fn place(child: &str) -> u32 {
    ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool", "fc"]
        .iter()
        .position(|known| *known == child)
        .unwrap() as u32
}

fn numbered(name: &str) -> String {
    let (child, rest) = name.split_once('.').unwrap();
    format!("{}.{rest}", place(child))
}

#[test]
fn a_network_is_found_under_any_prefix() {
    let own = state("resnet10", 3, 33);
    for prefix in [
        "",
        "encoder.",
        "backbone.",
        "model.",
        "module.",
        "_orig_mod.",
        "model.module.",
        "net.cnn.",
        "state_dict.model.backbone.",
        "student.features_extractor.resnet.",
    ] {
        let located = found(&renamed(&own, |name| format!("{prefix}{name}")), "resnet10", &own);
        assert_eq!((located.channels(), located.outputs()), (Some(3), Some(3)), "{prefix}");
        assert!(located.remarks().is_empty(), "{prefix}: {:?}", located.remarks());
        located.foreign(Scope::Whole).unwrap();
    }
    for (network, input) in [("alexnet", 63), ("vgg11", 32), ("inception_v3", 75)] {
        let own = state(network, 2, input);
        found(&renamed(&own, |name| format!("encoder.{name}")), network, &own);
    }
}

#[test]
fn parts_in_a_sequential_are_known_by_their_order() {
    let own = state("resnet10", 2, 33);
    let mut bare = own.clone();
    bare.retain(|name, _| !name.starts_with("fc."));
    // torch.nn.Sequential(*list(resnet.children())[:-1]), as RadImageNet's are.
    let located =
        found(&renamed(&bare, |n| format!("backbone.{}", numbered(n))), "resnet10", &bare);
    assert_eq!(located.outputs(), None);
    assert!(located.mismatch(2, 3, Scope::Whole).contains("without its last layer"));
    // With all children, and with a head of its own behind the body.
    found(&renamed(&own, numbered), "resnet10", &own);
    let mut split = renamed(&bare, |name| format!("0.{}", numbered(name)));
    split.insert("1.weight".into(), own["fc.weight"].clone());
    split.insert("1.bias".into(), own["fc.bias"].clone());
    let located = found(&split, "resnet10", &own);
    assert_eq!(located.remarks(), ["the last layer is 1"]);
    // AlexNet's children are features, avgpool and classifier.
    let own = state("alexnet", 2, 63);
    let child = |name: &str| match name.split_once('.').unwrap() {
        ("features", rest) => format!("net.0.{rest}"),
        (_, rest) => format!("net.2.{rest}"),
    };
    found(&renamed(&own, child), "alexnet", &own);
    let own = state("inception_v3", 2, 75);
    let mut numbers = BTreeMap::new();
    let blueprint = Network::blueprint("inception_v3").unwrap();
    for (number, child) in blueprint.children().into_iter().enumerate() {
        numbers.insert(child.to_owned(), 2 * number);
    }
    let child = |name: &str| {
        let (child, rest) = name.split_once('.').unwrap();
        format!("{}.{rest}", numbers[child])
    };
    found(&renamed(&own, child), "inception_v3", &own);
}

#[test]
fn a_last_layer_of_another_name_is_found() {
    let own = state("resnet10", 2, 33);
    for head in ["fc.1", "fc.0", "classifier", "head.fc", "last_linear", "fc.dense"] {
        let named = renamed(&own, |name| match name.strip_prefix("fc.") {
            Some(rest) => format!("model.{head}.{rest}"),
            None => format!("model.{name}"),
        });
        let located = found(&named, "resnet10", &own);
        assert_eq!(
            located.remarks(),
            [format!("the last layer is model.{head}").replace("model.fc", "fc")]
        );
    }
    // AlexNet's last layer in a Sequential of its own.
    let own = state("alexnet", 2, 63);
    found(&renamed(&own, |n| n.replace("classifier.6.", "classifier.6.1.")), "alexnet", &own);
}

/// Two layers, one with batch normalisation before it, one that takes something else: no last layer
/// of this network, and used as it is the file is refused.
#[test]
fn what_computes_more_than_the_network_is_refused() {
    let mut bare = state("resnet10", 2, 33);
    bare.retain(|name, _| !name.starts_with("fc."));
    let with = |more: &[(&str, &[usize])]| {
        let mut state = bare.clone();
        state.extend(more.iter().map(|(name, dims)| ((*name).to_owned(), values(1, dims))));
        state
    };
    let refused = |state: &State, parts: &[&str]| {
        let (_folder, path) = file(state);
        let error = Network::open("resnet10", 33, &path, &Device::Cpu).unwrap_err();
        let message = format!("{error:#}");
        for part in parts {
            assert!(message.contains(part), "{part:?} is not in: {message}");
        }
        // What is wrong begins with what is there.
        assert!(message.contains("w.safetensors holds resnet10"), "{message}");
    };
    let hidden: [(&str, &[usize]); 4] = [
        ("fc.0.weight", &[128, 512]),
        ("fc.0.bias", &[128]),
        ("fc.2.weight", &[2, 128]),
        ("fc.2.bias", &[2]),
    ];
    refused(&with(&hidden), &["fc.0.weight is unknown", "fc.weight is missing"]);
    let normed: [(&str, &[usize]); 6] = [
        ("neck.weight", &[512]),
        ("neck.bias", &[512]),
        ("neck.running_mean", &[512]),
        ("neck.running_var", &[512]),
        ("head.weight", &[2, 512]),
        ("head.bias", &[2]),
    ];
    refused(&with(&normed), &["neck.weight is unknown"]);
    let elsewhere: [(&str, &[usize]); 2] = [("head.weight", &[2, 1000]), ("head.bias", &[2])];
    refused(&with(&elsewhere), &["head.weight is unknown", "a trunk"]);
    // As a start for training all of them will do.
    for more in [&hidden[..], &normed, &elsewhere] {
        let mut network = Network::new("resnet10", 2, 33, 1, &Device::Cpu).unwrap();
        let (_folder, path) = file(&with(more));
        network.load_trunk(&path).unwrap();
        let loaded = network.state().unwrap();
        assert_eq!(flat(&loaded["layer4.0.conv2.weight"]), flat(&bare["layer4.0.conv2.weight"]));
    }
}

#[test]
fn counters_and_losses_beside_a_network_are_left_aside_aloud() {
    let own = state("resnet10", 2, 33);
    let mut wrapped = renamed(&own, |name| format!("state_dict.model.{name}"));
    for (name, dims) in [
        ("state_dict.criterion.pos_weight", &[1][..]),
        ("state_dict.criterion.weight", &[2]),
        ("state_dict.loss_fn.features.0.weight", &[64, 3, 5, 5]),
        ("state_dict.train_metrics.confusion", &[2, 2]),
        ("state_dict.mean", &[3]),
        ("n_averaged", &[]),
    ] {
        let tensor = if dims.is_empty() {
            Tensor::new(5i64, &Device::Cpu).unwrap()
        } else {
            values(1, dims)
        };
        wrapped.insert(name.into(), tensor);
    }
    // What is not the network's need not be finite.
    let worst = Tensor::new(f32::INFINITY, &Device::Cpu).unwrap();
    wrapped.insert("callbacks.checkpoint.best_model_score".into(), worst);
    let located = found(&wrapped, "resnet10", &own);
    located.foreign(Scope::Whole).unwrap();
    let [remark] = located.remarks() else { panic!("{:?}", located.remarks()) };
    assert!(remark.contains("not used: callbacks.checkpoint.best_model_score"), "{remark}");
    assert!(remark.contains("and 4 more"), "{remark}");
}

#[test]
fn of_a_network_and_its_average_the_network_is_taken() {
    let own = state("resnet10", 2, 33);
    let other = Network::new("resnet10", 2, 33, 9, &Device::Cpu).unwrap().state().unwrap();
    for (prefix, average) in [
        ("state_dict.", "state_dict_ema."),
        ("model.", "ema_model."),
        ("student.", "teacher."),
        ("encoder_q.", "encoder_k."),
        ("", "swa_model."),
    ] {
        let mut both = renamed(&own, |name| format!("{prefix}{name}"));
        both.extend(renamed(&other, |name| format!("{average}{name}")));
        let located = found(&both, "resnet10", &own);
        let [remark] = located.remarks() else { panic!("{:?}", located.remarks()) };
        assert!(remark.contains(average) && remark.contains("not used"), "{remark}");
        // Alone it is the network.
        found(&renamed(&other, |name| format!("{average}{name}")), "resnet10", &other);
    }
    let mut twins = renamed(&own, |name| format!("left.{name}"));
    twins.extend(renamed(&other, |name| format!("right.{name}")));
    let message = format!("{:#}", locate(&twins, "resnet10").unwrap_err());
    assert!(message.contains("more than once") && message.contains("`left.`"), "{message}");
}

#[test]
fn networks_for_grey_images_take_one_channel() {
    let mut grey = state("resnet10", 1, 33);
    let first = grey["conv1.weight"].narrow(1, 1, 1).unwrap().contiguous().unwrap();
    grey.insert("conv1.weight".into(), first);
    let (_folder, path) = file(&grey);
    let network = Network::open("resnet10", 33, &path, &Device::Cpu).unwrap();
    assert_eq!(network.channels(), 1);
    let images = network.images(&[&[7; 40 * 40]], 40).unwrap();
    assert_eq!(images.dims(), [1, 1, 33, 33]);
    let expected = (7.0 / 255.0 - 0.449) / 0.226;
    assert!(flat(&images).iter().all(|v| (v - expected as f32).abs() < 1e-5));
    assert_eq!(network.inference().logits(&images).unwrap().dims(), [1, 1]);
    // As a start for training, and saved again.
    let weights = Weights::read(&path).unwrap().locate("resnet10").unwrap();
    let design = architecture::Design::default();
    let tuned = Network::from_trunk(&weights, 2, 33, 1, design, &Device::Cpu).unwrap();
    assert_eq!(tuned.channels(), 1);
    let (_folder, path) = file(&tuned.state().unwrap());
    assert_eq!(Network::open("resnet10", 33, &path, &Device::Cpu).unwrap().channels(), 1);
    grey.insert("conv1.weight".into(), values(1, &[64, 4, 7, 7]));
    let (_folder, path) = file(&grey);
    let message = format!("{:#}", Network::open("resnet10", 33, &path, &Device::Cpu).unwrap_err());
    assert!(message.contains("takes 4 channels"), "{message}");
}

/// With classes of their own for its outputs, everything that is computed from logits is of these classes.
#[test]
fn outputs_become_the_projects_classes() {
    let own = state("resnet10", 4, 33);
    let (_folder, path) = file(&own);
    let open = || Network::open("resnet10", 33, &path, &Device::Cpu).unwrap();
    let plain = open();
    // Normal, cancer, unused, benign.
    let groups = [Some(0), Some(1), None, Some(0)];
    let merged = open().with_classes(Some(&groups), 2).unwrap();
    let images = plain.images(&[&[90; 33 * 33], &[200; 33 * 33]], 33).unwrap();
    let logits = plain.inference().logits(&images).unwrap().to_vec2::<f32>().unwrap();
    let found = merged.inference().logits(&images).unwrap().to_vec2::<f32>().unwrap();
    for (all, found) in logits.iter().zip(&found) {
        let sum = f64::from(all[0]).exp() + f64::from(all[3]).exp();
        assert!((sum.ln() - f64::from(found[0])).abs() < 1e-5);
        assert_eq!(all[1], found[1]);
    }
    let sensitivity = merged.inference().sensitivity(&images, &["layer4"]).unwrap();
    assert_eq!((sensitivity.gradients.len(), sensitivity.logits.dims()), (2, &[2, 2][..]));
    let whole = merged.inference().sliding(&images.narrow(0, 0, 1).unwrap()).unwrap();
    assert_eq!(whole.logits.dims(), [1, 2]);
    assert!(merged.linear_head("layer4").is_none());
    let single = open().with_classes(Some(&[None, Some(1), None, Some(0)]), 2).unwrap();
    let rows = single.linear_head("layer4").unwrap();
    assert_eq!(
        flat(&rows.narrow(0, 0, 1).unwrap()),
        flat(&own["fc.weight"].narrow(0, 3, 1).unwrap())
    );
    assert!(open().with_classes(None, 2).is_err());
}

#[test]
fn messages_lead_with_what_the_file_has() {
    let told = |state: &State, network: &str, parts: &[&str]| {
        let (_folder, path) = file(state);
        let input = architecture::Architecture::find(network).unwrap().input;
        let message =
            format!("{:#}", Network::open(network, input, &path, &Device::Cpu).unwrap_err());
        let start = message.split_once("w.safetensors").unwrap().1;
        for part in parts {
            assert!(start.contains(part), "{part:?} is not in: {message}");
        }
        assert!(start.starts_with(" holds "), "{message}");
    };
    let own = state("resnet18", 1000, 33);
    let wrapped = renamed(&own, |name| format!("encoder.{name}"));
    told(
        &wrapped,
        "resnet10",
        &[" holds resnet18 under `encoder.` with 1000 outputs (ImageNet's classes), and resnet10"],
    );
    told(&wrapped, "alexnet", &[" holds resnet18", "and alexnet"]);
    let strange: State = [("decoder.up.weight", &[4, 2][..]), ("decoder.up.bias", &[4])]
        .map(|(name, dims)| (name.to_owned(), values(1, dims)))
        .into();
    told(
        &strange,
        "resnet10",
        &[" holds 2 tensors: decoder.up.bias [4], decoder.up.weight [4, 2]"],
    );
}

/// torchvision's DenseNet files have a dot before the numbers within a layer.
#[test]
fn densenets_are_found_under_the_names_of_torchvisions_files() {
    let own = state("densenet121", 2, 32);
    let dotted = |name: &str| {
        let parts = name.split('.').map(|part| {
            let numbered = ["norm", "conv"].iter().find_map(|kind| {
                let number = part.strip_prefix(kind)?;
                matches!(number, "1" | "2").then(|| format!("{kind}.{number}"))
            });
            numbered.unwrap_or_else(|| part.to_owned())
        });
        parts.collect::<Vec<_>>().join(".")
    };
    let theirs = renamed(&own, dotted);
    assert!(theirs.contains_key("features.denseblock1.denselayer1.norm.1.running_mean"));
    assert!(theirs.contains_key("features.transition1.norm.weight"));
    found(&theirs, "densenet121", &own);
    found(&renamed(&theirs, |name| format!("model.{name}")), "densenet121", &own);
}

/// timm's ConvNeXts, by its names.
#[test]
fn convnexts_are_found_under_timms_names() {
    let own = state("convnext_tiny", 2, 32);
    let theirs = |name: &str| {
        let parts: Vec<&str> = name.splitn(3, '.').collect();
        match parts[..] {
            ["features", "0", rest] => format!("stem.{rest}"),
            ["classifier", "0", rest] => format!("head.norm.{rest}"),
            ["classifier", "2", rest] => format!("head.fc.{rest}"),
            ["features", place, rest] => {
                let place: usize = place.parse().unwrap();
                if place.is_multiple_of(2) {
                    return format!("stages.{}.downsample.{rest}", place / 2);
                }
                let (block, rest) = rest.split_once('.').unwrap();
                let rest = rest
                    .replace("layer_scale", "gamma")
                    .replace("block.0.", "conv_dw.")
                    .replace("block.2.", "norm.")
                    .replace("block.3.", "mlp.fc1.")
                    .replace("block.5.", "mlp.fc2.");
                format!("stages.{}.blocks.{block}.{rest}", place / 2)
            }
            _ => panic!("{name}"),
        }
    };
    let mut timm = renamed(&own, theirs);
    for (name, tensor) in &mut timm {
        if name.ends_with("gamma") {
            *tensor = tensor.flatten_all().unwrap();
        }
    }
    assert!(timm.contains_key("stages.1.blocks.2.mlp.fc1.weight"));
    found(&timm, "convnext_tiny", &own);
    found(&renamed(&timm, |name| format!("module.backbone.{name}")), "convnext_tiny", &own);
}

/// Fully connected layers within a trunk are part of it, and scales too small for half precision survive.
#[test]
fn a_trunk_of_a_convnext_keeps_what_is_within() {
    let own = state("convnext_tiny", 3, 32);
    let located = locate(&own, "convnext_tiny").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trunk.safetensors");
    crate::weights::save_trunk(&located, "a test", &path).unwrap();
    let trunk = Weights::read(&path).unwrap().locate("convnext_tiny").unwrap();
    let missing: Vec<&String> =
        own.keys().filter(|name| !trunk.tensors().contains_key(*name)).collect();
    assert_eq!(missing, ["classifier.2.bias", "classifier.2.weight"]);
    let network = Network::from_trunk(&trunk, 2, 32, 1, Default::default(), &Device::Cpu).unwrap();
    let state = network.state().unwrap();
    assert_eq!(flat(&state["features.1.0.layer_scale"]), vec![1e-6; 96]);
    let (a, b) = (&state["features.1.0.block.3.weight"], &own["features.1.0.block.3.weight"]);
    assert!(flat(a).iter().zip(flat(b)).all(|(a, b)| (a - b).abs() < 1e-4));
    // Without the layers within, it is no trunk.
    let mut torn = own.clone();
    torn.remove("features.1.0.block.3.weight");
    let torn = locate(&torn, "convnext_tiny").unwrap();
    let refused = Network::from_trunk(&torn, 2, 32, 1, Default::default(), &Device::Cpu);
    let message = format!("{:#}", refused.unwrap_err());
    assert!(message.contains("features.1.0.block.3.weight is missing"), "{message}");
}

#[test]
fn other_families_are_told_by_their_tensors() {
    let other = state("resnet10", 2, 33);
    let refused = |name: &str| {
        let own = state(name, 7, 64);
        let (_folder, path) = file(&own);
        let error = Network::open("resnet10", 33, &path, &Device::Cpu).unwrap_err();
        format!("{error:#}")
    };
    for name in ["densenet169", "efficientnet_b1", "mobilenet_v3_small", "convnext_small"] {
        let message = refused(name);
        assert!(message.contains(&format!("holds {name}")), "{message}");
    }
    let message = refused("resnext50_32x4d");
    assert!(message.contains("holds resnext50_32x4d with 7 outputs"), "{message}");
    assert!(found(&other, "resnet10", &other).remarks().is_empty());
}
