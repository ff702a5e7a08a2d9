//! Whole networks against PyTorch (`tests/golden/network.py`) and against Candle's own ResNet.

use std::collections::HashMap;
use std::path::PathBuf;

use candle_core::{DType, Device, Tensor, Var};
use serde_json::Value;

use super::layers::Engine;
use super::*;
use crate::sgd::Sgd;
use architecture::ARCHITECTURES;

/// What PyTorch computed.
pub(super) fn golden() -> Value {
    golden_of("network")
}

/// A file of what PyTorch computed.
pub(super) fn golden_of(file: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden");
    let text = std::fs::read_to_string(format!("{folder}/{file}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// One of the script's `values`.
fn value(seed: u32, i: usize) -> f32 {
    let start = seed.wrapping_mul(40503).wrapping_add(1);
    let mut v = (i as u32).wrapping_mul(2_654_435_761).wrapping_add(start);
    v ^= v >> 15;
    v = v.wrapping_mul(0x2C1B_3C6D);
    v ^= v >> 12;
    v = v.wrapping_mul(0x297A_2D39);
    v ^= v >> 15;
    (v >> 8) as f32 / (1 << 23) as f32 - 1.0
}

/// The script's `values`.
pub(super) fn values(seed: u32, dims: &[usize]) -> Tensor {
    let values: Vec<f32> = (0..dims.iter().product()).map(|i| value(seed, i)).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

pub(super) fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The script's `digest`.
pub(super) fn digest(tensor: &Tensor) -> Vec<f32> {
    let flat = flat(tensor);
    let sums = flat.iter().enumerate().fold([0f64; 2], |[size, product], (i, &v)| {
        let v = f64::from(v);
        [size + v.abs(), product + v * f64::from(value(99, i))]
    });
    let mut out: Vec<f32> = sums.iter().map(|sum| (sum / flat.len() as f64) as f32).collect();
    out.extend((0..5).map(|i| flat[i * (flat.len() - 1) / 4]));
    out
}

pub(super) fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

pub(super) fn dims(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

fn greatest(values: &[f32]) -> f32 {
    values.iter().fold(1e-6f32, |m, v| m.max(v.abs()))
}

/// Holds values against the golden ones; `tolerance` is relative to the greatest of those, or to
/// `floor` where that is more.
#[track_caller]
fn close_above(found: &[f32], expected: &[f32], tolerance: f32, floor: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let allowed = tolerance * greatest(expected).max(floor);
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= allowed,
            "{what}: {found} where PyTorch has {expected} (value {i}, {allowed} allowed)"
        );
    }
}

/// As [`close_above`], without a floor.
#[track_caller]
pub(super) fn close(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    close_above(found, expected, tolerance, 0.0, what);
}

/// Holds a tensor against a golden list of all its values.
#[track_caller]
pub(super) fn same(found: &Tensor, expected: &Value, what: &str) {
    close(&flat(found), &numbers(expected), 2e-5, what);
}

/// Holds a tensor against a golden digest.
#[track_caller]
pub(super) fn same_digest(found: &Tensor, expected: &Value, tolerance: f32, what: &str) {
    let expected = numbers(expected);
    close(&digest(found)[..expected.len()], &expected, tolerance, what);
}

/// The script's `fill` for one tensor.
pub(super) fn filled(name: &str, dims: &[usize]) -> Tensor {
    let seed = name.bytes().fold(0u32, |s, b| s.wrapping_mul(31).wrapping_add(b.into()));
    let of = |mul: f64, add: f64| values(seed, dims).affine(mul, add).unwrap();
    if name.ends_with("num_batches_tracked") {
        Tensor::new(7i64, &Device::Cpu).unwrap()
    } else if name.ends_with("running_var") {
        of(0.5, 1.0)
    } else if name.ends_with("bn3.weight") || name.ends_with("block.3.1.weight") {
        of(0.25 / 8.0, 1.0 / 8.0)
    } else if dims.len() == 1 && name.ends_with("weight") {
        of(0.25, 1.0)
    } else if dims.len() == 1 && ["bn", "downsample", "norm"].iter().any(|p| name.contains(p)) {
        of(0.125, 2.0)
    } else if dims.len() == 1 {
        of(0.125, 0.0)
    } else {
        let fan: usize = dims[1..].iter().product();
        of((6.0 / fan as f64).sqrt(), 0.0)
    }
}

/// A network of the script, filled in its way.
pub(super) fn golden_network(name: &str, classes: usize, size: usize, design: Design) -> Network {
    let network = Network::new(name, classes, size as u32, 1, &Device::Cpu).unwrap();
    for (name, var) in network.parameters.trained().iter().chain(network.parameters.buffers()) {
        var.set(&filled(name, var.dims())).unwrap();
    }
    network.with_design(design).unwrap()
}

fn named(tensors: &[(String, Tensor)]) -> Vec<(&str, Tensor)> {
    tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.clone())).collect()
}

/// Holds everything that PyTorch recorded of a network against ours.
///
/// Maps and logits are held to single precision; what training makes, to PyTorch in double
/// precision: within 1e-4 of the greatest value, or, where batch statistics amplify rounding beyond
/// it, within five times the distance of PyTorch's own single precision (`single` in the file).
/// What the file leaves out is not compared.
pub(super) fn check_network(golden: &Value, name: &str, size: usize) {
    let networks = golden["networks"].as_array().unwrap();
    let case = networks.iter().find(|case| case["name"] == name && case["size"] == size).unwrap();
    let images = case["images"].as_u64().unwrap() as usize;
    let auxiliary = case["auxiliary"].as_bool().unwrap();
    let pooling =
        if case["window7"].as_bool().unwrap() { Pooling::Window7 } else { Pooling::Global };
    let design = Design { pooling, auxiliary, ..Design::default() };
    let logits = numbers(&case["logits"]);
    let network = golden_network(name, logits.len() / images, size, design);

    let x = values(1, &[images, 3, size, size]);
    let inference = network.inference();
    let found = inference.logits(&x).unwrap();
    assert!(!found.track_op(), "inference must not keep its intermediate results");
    close(&flat(&found), &logits, 5e-5, "logits");
    let layers = network.layers();
    let maps = inference.maps(&x, layers).unwrap();
    for (layer, map) in layers.iter().zip(&maps) {
        assert_eq!(map.dims(), dims(&case["shapes"][layer]), "{layer}");
        assert_eq!(map.dim(1).unwrap(), network.units(layer).unwrap());
        same_digest(map, &case["maps"][layer], 5e-5, layer);
    }
    // In another order and twice: the same.
    let again = inference.maps(&x, &[layers[2], layers[0], layers[2]]).unwrap();
    for (again, layer) in again.iter().zip([2, 0, 2]) {
        assert_eq!(flat(again), flat(&maps[layer]));
    }

    let expected = &case["training"];
    let noise = |key: &str| {
        let tolerance = (5.0 * case["single"][key].as_f64().unwrap() as f32).max(1e-4);
        assert!(tolerance < 0.05, "{key} of {name} is noise: {tolerance}");
        tolerance
    };
    let list = |key: &str| expected[key].as_array().unwrap();
    // Digests of many tensors: as the script's `distance` measures.
    let same_digests = |found: &[(&str, Tensor)], key: &str| {
        let expected: Vec<Vec<f32>> = list(key).iter().map(numbers).collect();
        let floor = expected.iter().fold(0f32, |m, digest| m.max(greatest(digest))) / 1000.0;
        assert_eq!(found.len(), expected.len());
        for ((name, tensor), expected) in found.iter().zip(&expected) {
            let found = &digest(tensor)[..expected.len()];
            close_above(found, expected, noise(key), floor, &format!("{key}: {name}"));
        }
    };
    // The auxiliary classifier is there but idle where PyTorch's network has none.
    let idle = |name: &str| !auxiliary && name.starts_with("AuxLogits.");
    let trained: Vec<&(String, Var)> =
        network.parameters().iter().filter(|(name, _)| !idle(name)).collect();
    let names: Vec<&str> = trained.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, list("names").iter().map(|n| n.as_str().unwrap()).collect::<Vec<_>>());
    let buffers: Vec<(String, Tensor)> = (network.buffers().into_iter())
        .filter(|(name, buffer)| buffer.rank() > 0 && !idle(name))
        .collect();
    let names: Vec<&str> = buffers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, list("buffer_names").iter().map(|n| n.as_str().unwrap()).collect::<Vec<_>>());

    let mut sgd = Sgd::new(network.parameters(), 0.9, 1e-4).unwrap();
    for step in 0..3 {
        let logits = network.train(&x, None).unwrap();
        assert_eq!(logits.auxiliary.is_some(), auxiliary);
        // Other weights for the auxiliary logits than for the main ones.
        let seed = std::cell::Cell::new(2);
        let loss = logits.loss(|logits| {
            let weights = values(seed.replace(seed.get() + 1), logits.dims());
            (logits * weights)?.sum_all()
        });
        let (main, aside) = (logits.main.detach(), logits.auxiliary.clone());
        let gradients = logits.backward(&loss.unwrap(), network.parameters()).unwrap();
        if step == 0 {
            close(&flat(&main), &numbers(&expected["logits"]), noise("logits"), "logits");
            if let Some(logits) = &aside {
                let expected = numbers(&expected["auxiliary"]);
                close(&flat(logits), &expected, noise("auxiliary"), "auxiliary logits");
            }
            let found: Vec<(&str, Tensor)> = (trained.iter())
                .map(|(name, var)| {
                    let gradient =
                        gradients.get(var).unwrap_or_else(|| panic!("{name} has no gradient"));
                    assert_eq!(gradient.dims(), var.dims());
                    (name.as_str(), gradient.clone())
                })
                .collect();
            same_digests(&found, "gradients");
            same_digests(&named(&buffers), "buffers");
        }
        if expected["steps"].is_null() {
            return;
        }
        let rates = vec![case["lr"].as_f64().unwrap(); network.parameters().len()];
        sgd.step(network.parameters(), &gradients, &rates).unwrap();
    }
    let change =
        |name: &str, var: &Var| (var.as_detached_tensor() - filled(name, var.dims())).unwrap();
    // Within 1e-4 of the parameter's greatest value, or a twentieth of its change where that is more:
    // a small change of a large value is mostly rounding.
    for ((name, var), expected) in trained.iter().zip(list("steps")) {
        let expected = numbers(expected);
        let found = digest(&change(name, var));
        let largest = greatest(&digest(var));
        let tolerance = (5.0 * case["single"]["steps"].as_f64().unwrap() as f32).clamp(1e-4, 0.05);
        let floor = 1e-4 * largest / tolerance;
        let what = format!("change of {name}");
        close_above(&found[..expected.len()], &expected, tolerance, floor, &what);
    }
    same_digests(&named(&buffers), "buffers_after");
    for (name, counter) in network.buffers().iter().filter(|(_, buffer)| buffer.rank() == 0) {
        let seen = if idle(name) { 7 } else { 10 };
        assert_eq!(counter.to_scalar::<i64>().unwrap(), seen, "{name}");
    }
    for (name, var) in network.parameters().iter().filter(|(name, _)| idle(name)) {
        assert_eq!(flat(var), flat(&filled(name, var.dims())), "{name}");
    }
}

#[test]
fn alexnet_is_torchvisions() {
    check_network(&golden(), "alexnet", 113);
}

#[test]
fn vgg16_is_torchvisions() {
    check_network(&golden(), "vgg16", 64);
}

#[test]
fn inception_with_its_auxiliary_classifier_is_torchvisions() {
    // Its auxiliary classifier normalises maps of 2 x 2: of 1 x 1 at the usual input, where two images
    // are too few for statistics.
    check_network(&golden(), "inception_v3", 347);
}

#[test]
fn inception_without_its_auxiliary_classifier_is_torchvisions() {
    check_network(&golden(), "inception_v3", 107);
}

#[test]
fn resnet18_is_torchvisions() {
    check_network(&golden(), "resnet18", 97);
}

#[test]
fn resnet18_of_the_papers_release_averages_the_window_at_the_top_left() {
    check_network(&golden(), "resnet18", 227);
}

#[test]
fn resnet50_is_torchvisions() {
    check_network(&golden(), "resnet50", 97);
}

#[test]
fn resnet152_is_torchvisions() {
    check_network(&golden(), "resnet152", 97);
}

#[test]
fn resnets_agree_with_candle_transformers() {
    use candle_core::Module;
    use candle_transformers::models::{mimi::candle_nn::VarBuilder, resnet};
    for name in ["resnet18", "resnet152"] {
        let network = golden_network(name, 3, 97, Design::default());
        let tensors: HashMap<String, Tensor> = network.state().unwrap().into_iter().collect();
        let builder = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
        let x = values(3, &[1, 3, 97, 97]);
        let ours = network.inference().logits(&x).unwrap();
        let theirs = match name {
            "resnet18" => resnet::resnet18(3, builder),
            _ => resnet::resnet152(3, builder),
        };
        let theirs = theirs.unwrap().forward(&x).unwrap();
        close(&flat(&ours), &flat(&theirs), 1e-4, name);
    }
}

#[test]
fn every_vgg_has_torchvisions_places_in_features() {
    for (name, expected) in [
        ("vgg11", &[0, 3, 6, 8, 11, 13, 16, 18][..]),
        ("vgg13", &[0, 2, 5, 7, 10, 12, 15, 17, 20, 22]),
        ("vgg16", &[0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]),
        ("vgg19", &[0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]),
    ] {
        let plan = vgg::plan(name).unwrap();
        let places: Vec<usize> = plan.steps.iter().map(|step| step.index).collect();
        assert_eq!(places, expected, "{name}");
        let probes: Vec<&str> = plan.steps.iter().filter_map(|step| step.probe).collect();
        assert_eq!(probes, Architecture::find(name).unwrap().layers);
    }
}

#[test]
fn designs_that_cannot_be_are_refused_with_what_can() {
    let refused = |name: &str, input: u32, design: Design, part: &str| {
        let network = Network::new(name, 2, input, 1, &Device::Cpu).unwrap();
        let message = format!("{:#}", network.with_design(design).unwrap_err());
        assert!(message.contains(part), "{message}");
    };
    let window7 = Design { pooling: Pooling::Window7, ..Design::default() };
    refused("alexnet", 227, window7, "belongs to ResNets");
    refused("resnet10", 192, window7, "193 to 416");
    refused("resnet10", 417, window7, "193 to 416");
    for input in [193, 416] {
        let network = Network::new("resnet10", 2, input, 1, &Device::Cpu).unwrap();
        let edge = input as usize;
        let images = values(1, &[1, 3, edge, edge]);
        let maps = network.inference().maps(&images, &["layer4"]).unwrap();
        assert!((7..14).contains(&maps[0].dim(2).unwrap()));
        network.with_design(window7).unwrap();
    }
    let auxiliary = Design { auxiliary: true, ..Design::default() };
    refused("resnet10", 299, auxiliary, "only inception_v3");
    refused("inception_v3", 298, auxiliary, "at least 299");
    let half = Design { precision: Precision::Bf16, ..Design::default() };
    refused("resnet10", 64, half, "device: cuda:0");
}

#[test]
fn inception_may_lack_its_auxiliary_classifier_only_where_that_is_idle() {
    let source = Network::new("inception_v3", 5, 299, 1, &Device::Cpu).unwrap();
    // torchvision's network of 1000 classes has 27 161 264 parameters, 768 + 2048 weights and two
    // biases per class among them.
    assert_eq!(source.parameter_count(), 27_161_264 - 995 * (768 + 2048 + 2));
    let mut state = source.state().unwrap();
    let other = Network::new("inception_v3", 2, 299, 2, &Device::Cpu).unwrap();
    let own = flat(&other.state().unwrap()["AuxLogits.fc.weight"]);
    let scope = Scope::Trunk { heads: other.heads() };
    // With other classes: everything but the two heads.
    other.parameters.set(&state, scope).unwrap();
    let now = other.state().unwrap();
    assert_eq!(flat(&now["AuxLogits.fc.weight"]), own);
    let name = "AuxLogits.conv1.conv.weight";
    assert_eq!(flat(&now[name]), flat(&state[name]));
    // Half of it is not enough.
    state.remove(name);
    let message = other.parameters.set(&state, scope).unwrap_err().to_string();
    assert!(message.contains("AuxLogits.conv1.conv.weight is missing"), "{message}");
    state.retain(|name, _| !name.starts_with("AuxLogits."));
    other.parameters.set(&state, scope).unwrap();
    let other = other.with_design(Design { auxiliary: true, ..Design::default() }).unwrap();
    let message = other.parameters.set(&state, scope).unwrap_err().to_string();
    assert!(message.contains("AuxLogits.conv0.conv.weight is missing"), "{message}");
}

#[test]
fn the_built_in_weights_fit_and_say_what_they_are() {
    crate::shipped::hand_down();
    let mut bytes = 0;
    for name in ["alexnet", "resnet18"] {
        let trunk = builtin::trunk(name).unwrap();
        bytes += trunk.len();
        let mut network = Network::new(name, 3, 113, 1, &Device::Cpu).unwrap();
        let before = network.state().unwrap();
        network.load_builtin().unwrap();
        let weights = Weights::parse(trunk).unwrap();
        for (name, now) in network.state().unwrap() {
            // Half precision gives single precision back exactly; what follows stays as it was.
            let expected = weights.get(&name).unwrap_or(&before[&name]);
            let expected = expected.to_dtype(now.dtype()).unwrap();
            let same = now.eq(&expected).unwrap().to_dtype(DType::F32).unwrap();
            assert!(same.min_all().unwrap().to_scalar::<f32>().unwrap() == 1.0, "{name}");
        }
        assert!(!weights.contains_key("fc.weight") && !weights.contains_key("classifier.6.weight"));
    }
    assert!(bytes < 30_000_000);
    let mut other = Network::new("resnet10", 2, 64, 1, &Device::Cpu).unwrap();
    let message = other.load_builtin().unwrap_err().to_string();
    assert!(message.contains("resnet10"), "{message}");
}

#[test]
fn a_network_follows_from_its_seed() {
    let of = |seed| {
        flat(&Network::new("resnet10", 2, 64, seed, &Device::Cpu).unwrap().parameters()[0].1)
    };
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
    let network = Network::new("resnet10", 2, 64, 1, &Device::Cpu).unwrap();
    let of = |name: &str| flat(&network.parameters().iter().find(|(n, _)| n == name).unwrap().1);
    let deviation = |v: &[f32]| (v.iter().map(|v| v * v).sum::<f32>() / v.len() as f32).sqrt();
    // Kaiming normal by fan out: 512 units of 3 x 3.
    let expected = (2f32 / (512.0 * 9.0)).sqrt();
    let found = deviation(&of("layer4.0.conv2.weight"));
    assert!((found / expected - 1.0).abs() < 0.01, "{found} {expected}");
    assert_ne!(of("layer4.0.conv2.weight")[..9], of("layer4.0.conv2.weight")[1 << 16..][..9]);
    assert!(of("fc.weight").iter().all(|v| v.abs() <= 512f32.powf(-0.5)));
    assert!(deviation(&of("fc.weight")) > 0.5 * 512f32.powf(-0.5));
    // torchvision's ResNet-18 has 11 689 512 parameters with 1000 classes.
    let network = Network::new("resnet18", 1000, 64, 1, &Device::Cpu).unwrap();
    assert_eq!(network.parameter_count(), 11_689_512);
}

#[test]
fn dropout_follows_from_its_seed_and_running_statistics_move_only_in_training() {
    let network = Network::new("alexnet", 2, 67, 1, &Device::Cpu).unwrap();
    let x = values(1, &[2, 3, 67, 67]);
    let of = |seed| flat(&network.training_logits(&x, seed).unwrap().main);
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));

    let network = Network::new("resnet10", 2, 33, 1, &Device::Cpu).unwrap();
    let x = values(1, &[2, 3, 33, 33]);
    let mean = |network: &Network| flat(&network.state().unwrap()["bn1.running_mean"]);
    let before = mean(&network);
    network.inference().logits(&x).unwrap();
    assert_eq!(mean(&network), before);
    let kept = network.state().unwrap();
    network.training_logits(&x, 0).unwrap();
    assert_ne!(mean(&network), before);
    assert_eq!(flat(&kept["bn1.running_mean"]), before, "a state is a copy");
}

#[test]
fn averaged_statistics_are_those_of_all_batches_alike() {
    let network = Network::new("mobilenet_v3_small", 2, 64, 1, &Device::Cpu).unwrap();
    let batches = [1, 2, 3].map(|seed| values(seed, &[4, 3, 64, 64]));
    let average = |some: &[Tensor]| {
        network.average_statistics(some.iter().map(|batch| Ok(batch.clone()))).unwrap();
        let state = network.state().unwrap();
        ["running_mean", "running_var"].map(|of| flat(&state[&format!("features.0.1.{of}")]))
    };
    // Of the first layer they do not depend on what batches make of other layers.
    let each = [0, 1, 2].map(|at| average(&batches[at..=at]));
    let all = average(&batches);
    for of in 0..2 {
        for (channel, found) in all[of].iter().enumerate() {
            let wanted = each.iter().map(|one| one[of][channel]).sum::<f32>() / 3.0;
            assert!((found - wanted).abs() < 1e-5, "{found} and {wanted}");
        }
    }
    assert_ne!(each[0], each[1]);
    assert!(network.average_statistics([Ok(values(1, &[1, 3, 32, 32]))]).is_err());
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut out = Vec::new();
            for (name, size) in [
                ("resnet10", 65),
                ("inception_v3", 75),
                ("mobilenet_v3_small", 65),
                ("convnext_tiny", 33),
            ] {
                let network = Network::new(name, 2, size, 1, &Device::Cpu).unwrap();
                let x = values(1, &[3, 3, size as usize, size as usize]);
                let y = network.training_logits(&x, 0).unwrap();
                out.extend(flat(&y.main));
                let loss = y.main.sqr().unwrap().sum_all().unwrap();
                let gradients = y.backward(&loss, network.parameters()).unwrap();
                for (_, var) in network.parameters() {
                    out.extend(gradients.get(var).map(flat).unwrap_or_default());
                }
            }
            out.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(5));
}

/// The path of other devices, run on the processor: whole networks, there differentiated by Candle.
#[test]
fn the_composed_path_is_the_processors() {
    for (name, size) in [
        ("alexnet", 67),
        ("resnet10", 65),
        ("inception_v3", 107),
        ("resnext50_32x4d", 65),
        ("densenet121", 65),
        ("efficientnet_b0", 65),
        ("mobilenet_v3_small", 65),
        ("convnext_tiny", 65),
    ] {
        let edge = size as usize;
        let network = golden_network(name, 3, edge, Design::default());
        let x = values(1, &[2, 3, edge, edge]);
        let inference = network.inference();
        let layers = network.layers();
        let ours = inference.sensitivity(&x, layers).unwrap();
        let mut pass = inference.pass(layers).unwrap().differentiable();
        pass.engine = Engine::Composed(Precision::F32);
        let logits = network.run_through(&x, &mut pass).unwrap();
        let theirs = inference::composed_sensitivity(&pass, &logits, |_| true).unwrap();
        close(&flat(&ours.logits), &flat(&theirs.logits), 1e-4, name);
        close(&flat(&ours.logits), &flat(&inference.logits(&x).unwrap()), 1e-6, name);
        for (i, layer) in layers.iter().enumerate() {
            let what = format!("{name} {layer}");
            close(&flat(&ours.maps[i]), &flat(&theirs.maps[i]), 1e-4, &what);
            for class in 0..3 {
                let (a, b) = (&ours.gradients[class][i], &theirs.gradients[class][i]);
                assert_eq!(a.dims(), ours.maps[i].dims(), "{what}");
                // A ReLU or a maximum of near equals may turn: single values, not the whole.
                let (a, b) = (flat(a), flat(b));
                let size = b.iter().map(|v| f64::from(v.abs())).sum::<f64>();
                let off = a.iter().zip(&b).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>();
                assert!(size > 0.0 && off < 1e-2 * size, "{what}: {off} of {size}");
            }
        }
    }
}

#[test]
fn fields_are_where_the_gradient_reaches() {
    for (name, size) in [
        ("alexnet", 131),
        ("vgg11", 131),
        ("inception_v3", 139),
        ("resnet10", 131),
        ("resnet18", 131),
        ("resnet50", 97),
        ("densenet121", 131),
        ("efficientnet_b0", 131),
        ("mobilenet_v3_small", 131),
        ("mobilenet_v3_large", 131),
        ("convnext_tiny", 131),
    ] {
        let network = Network::new(name, 2, size, 3, &Device::Cpu).unwrap();
        for (name, var) in network.parameters() {
            // Gates see the whole image: here they are the same whatever they see.
            if name.ends_with(".fc2.weight") {
                var.set(&var.zeros_like().unwrap()).unwrap();
            }
            // Branches that add next to nothing at first.
            if name.ends_with(".layer_scale") {
                var.set(&var.ones_like().unwrap()).unwrap();
            }
        }
        for layer in network.layers() {
            // The longest way through a dense block is one of very many: what comes by it is below rounding.
            if name == "densenet121" && *layer != "denseblock1" {
                continue;
            }
            let x = Var::from_tensor(&values(1, &[1, 3, size as usize, size as usize])).unwrap();
            let mut tape = Tape::default();
            tape.watch(&x);
            let inference = network.inference();
            let layers = [*layer];
            let mut pass = inference.pass(&layers).unwrap();
            pass.engine = Engine::Processor(Some(tape));
            network.body.trunk(&x, &mut pass).unwrap();
            let map = inference::kept(&pass).unwrap().remove(0);
            let (_, units, rows, columns) = map.dims4().unwrap();
            let [row, column] = [rows / 2, columns / 3];
            // All units together, so that a ReLU or a maximum hides no path.
            let mut grad = vec![0.0; units * rows * columns];
            for unit in 0..units {
                grad[(unit * rows + row) * columns + column] = 1.0;
            }
            let tape = std::mem::take(pass.engine.tape().unwrap());
            let mut gradients = tape.backward(vec![(map.id(), grad)]).unwrap();
            let reach = gradients.take(&x).unwrap().unwrap();
            let reach = reach.abs().unwrap().sum((0, 1)).unwrap();
            let reach: Vec<Vec<f32>> = reach.to_vec2().unwrap();
            // Rounding reaches a little further.
            let trace = 1e-5 * reach.iter().flatten().fold(0f32, |m, v| m.max(*v));
            let hit: Vec<[usize; 2]> = (0..reach.len())
                .flat_map(|y| (0..reach.len()).map(move |x| [y, x]))
                .filter(|&[y, x]| reach[y][x] > trace)
                .collect();
            let field = network.field(layer).unwrap();
            for (axis, at) in [row, column].into_iter().enumerate() {
                let centre = field.centre + at as f32 * field.stride;
                let start = (centre - field.edge / 2.0).max(0.0);
                let end = (centre + field.edge / 2.0).min(size as f32);
                let first = hit.iter().map(|p| p[axis]).min().unwrap() as f32;
                let last = hit.iter().map(|p| p[axis]).max().unwrap() as f32 + 1.0;
                // A maximum passes on one value only: the very edge may be missed by chance.
                // What comes from there by many small kernels and weak branches is below rounding.
                let faint = ["densenet", "efficientnet", "mobilenet", "convnext"];
                let slack = match faint.iter().any(|family| name.starts_with(family)) {
                    true => 0.25 * field.edge,
                    false => 8.0f32.min(0.1 * field.edge),
                };
                assert!(
                    first >= start && first <= start + slack && last <= end && last >= end - slack,
                    "{name} {layer}: {first}..{last} within {start}..{end}"
                );
            }
        }
    }
}

#[test]
fn known_fields() {
    let network = Network::new("alexnet", 2, 227, 3, &Device::Cpu).unwrap();
    // 11; 11 + 2*4 + 4*8; ... as published for AlexNet.
    let edges: Vec<f32> = network.layers().iter().map(|l| network.field(l).unwrap().edge).collect();
    assert_eq!(edges, [11.0, 51.0, 99.0, 131.0, 163.0]);
    let strides: Vec<f32> =
        network.layers().iter().map(|l| network.field(l).unwrap().stride).collect();
    assert_eq!(strides, [4.0, 8.0, 16.0, 16.0, 16.0]);
    // As Araujo, Norris & Sim have them, VGG-16 without its last pooling.
    for (name, input, layer, edge, stride) in [
        ("resnet18", 224, "layer4", 435.0, 32.0),
        ("vgg16", 224, "conv5_3", 196.0, 16.0),
        ("inception_v3", 299, "mixed_7c", 1311.0, 32.0),
    ] {
        let network = Network::new(name, 2, input, 3, &Device::Cpu).unwrap();
        let field = network.field(layer).unwrap();
        assert_eq!((field.edge, field.stride), (edge, stride), "{name}");
    }
}

/// Why no network's map of a whole mammogram equals its patches (docs/explain.md).
#[test]
fn every_network_pads() {
    let padding = ARCHITECTURES.iter().filter(|a| a.is_trained_whole());
    for Architecture { name, input, layers, .. } in padding {
        let network = Network::blank(name, 2, *input, &Device::Cpu).unwrap();
        let field = network.field(layers.last().unwrap()).unwrap();
        assert!(field.centre < field.edge / 2.0, "{name} sees nothing but the window");
    }
}

#[test]
fn wrong_questions_are_answered_with_what_there_is() {
    let fails = |r: Result<Network>, part: &str| {
        let message = format!("{:#}", r.err().unwrap());
        assert!(message.contains(part), "{message}");
    };
    fails(Network::new("vgg99", 2, 224, 1, &Device::Cpu), "alexnet, vgg11, vgg13");
    fails(Network::new("alexnet", 2, 32, 1, &Device::Cpu), "63 to 2048 pixels");
    fails(Network::new("alexnet", 0, 113, 1, &Device::Cpu), "one class");
    let network = Network::new("resnet10", 2, 33, 1, &Device::Cpu).unwrap();
    let x = values(1, &[1, 3, 33, 33]);
    let message = network.inference().maps(&x, &["conv5"]).unwrap_err().to_string();
    assert!(message.contains("bn1, layer1, layer2"), "{message}");
    let message = network.inference().logits(&values(1, &[1, 3, 34, 33])).unwrap_err();
    assert!(message.to_string().contains("[n, 3, 33, 33]"), "{message}");
    for Architecture { layers, dissected, .. } in ARCHITECTURES {
        assert!(dissected.iter().all(|layer| layers.contains(layer)));
    }
}

#[test]
fn the_smallest_input_works() {
    for name in [
        "alexnet",
        "vgg11",
        "inception_v3",
        "resnet10",
        "densenet121",
        "efficientnet_b0",
        "mobilenet_v3_large",
        "convnext_tiny",
        "vit_tiny_patch16_224",
    ] {
        let size = Architecture::find(name).unwrap().min_input;
        let network = Network::new(name, 2, size, 1, &Device::Cpu).unwrap();
        let images = values(1, &[1, 3, size as usize, size as usize]);
        assert_eq!(network.inference().logits(&images).unwrap().dims(), [1, 2]);
        assert!(Network::new(name, 2, size - 1, 1, &Device::Cpu).is_err());
    }
}

fn saved(network: &Network, name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let state: HashMap<String, Tensor> = network.state().unwrap().into_iter().collect();
    candle_core::safetensors::save(&state, &path).unwrap();
    (folder, path)
}

#[test]
fn weights_are_loaded_whole_or_not_at_all() {
    let source = Network::new("resnet10", 3, 33, 1, &Device::Cpu).unwrap();
    let (_folder, path) = saved(&source, "weights.safetensors");
    let mut same_classes = Network::new("resnet10", 3, 33, 2, &Device::Cpu).unwrap();
    same_classes.load(&path).unwrap();
    for (name, tensor) in source.state().unwrap() {
        let loaded = &same_classes.state().unwrap()[&name];
        assert_eq!(
            flat(&loaded.to_dtype(DType::F32).unwrap()),
            flat(&tensor.to_dtype(DType::F32).unwrap())
        );
    }

    let mut other = Network::new("resnet10", 2, 33, 2, &Device::Cpu).unwrap();
    let before = other.state().unwrap();
    let message = format!("{:#}", other.load(&path).unwrap_err());
    assert!(message.contains("fc.weight has the shape [3, 512] where [2, 512]"), "{message}");
    assert!(message.contains("fc.bias") && !message.contains("conv1"), "{message}");
    let unchanged = |network: &Network| {
        let state = network.state().unwrap();
        before.iter().all(|(n, t)| n.ends_with("tracked") || flat(t) == flat(&state[n]))
    };
    assert!(unchanged(&other));
    other.load_trunk(&path).unwrap();
    assert_eq!(
        flat(&other.state().unwrap()["conv1.weight"]),
        flat(&source.state().unwrap()["conv1.weight"])
    );
    assert_eq!(flat(&other.state().unwrap()["fc.weight"]), flat(&before["fc.weight"]));

    let mut deeper = Network::new("resnet18", 3, 33, 2, &Device::Cpu).unwrap();
    let message = format!("{:#}", deeper.load(&path).unwrap_err());
    assert!(
        message.contains("layer1.1.conv1.weight is missing") && message.contains("more"),
        "{message}"
    );
    let (_folder, path) = saved(&deeper, "weights.safetensors");
    let message = format!("{:#}", other.load_trunk(&path).unwrap_err());
    assert!(message.contains("layer1.1.bn1.bias is unknown"), "{message}");
}

#[test]
fn images_are_resized_as_by_pytorch() {
    for case in golden()["resizes"].as_array().unwrap() {
        let (size, to) = (case["size"].as_u64().unwrap(), case["to"].as_u64().unwrap());
        let area = (size * size) as usize;
        let pixels: Vec<u8> = flat(&values(1, &[2, area]))
            .iter()
            .map(|v| ((v + 1.0) * 127.5).floor() as u8)
            .collect();
        let patches: Vec<&[u8]> = pixels.chunks(area).collect();
        let x = images(&patches, size as u32, to as u32, &Device::Cpu).unwrap();
        assert_eq!(x.dims(), [2, 3, to as usize, to as usize]);
        for (c, (mean, deviation)) in
            [(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)].into_iter().enumerate()
        {
            let grey = x.narrow(1, c, 1).unwrap().affine(deviation, mean).unwrap();
            let grey = grey.affine(255.0, 0.0).unwrap();
            same(&grey, &case["y"], &format!("{size} to {to}"));
        }
    }
    // Colours: each channel is resized as a grey image is, and normalised by its own figures.
    let planes: Vec<u8> = (0..3 * 49u32).map(|i| (i * 37 % 256) as u8).collect();
    let pixels: Vec<u8> =
        (0..49).flat_map(|i| [planes[i], planes[49 + i], planes[98 + i]]).collect();
    let colours = |pixels: &[&[u8]], edge, to| {
        input::colour(pixels, edge, to, Colours::IMAGENET, &Device::Cpu)
    };
    let colour = colours(&[&pixels, &pixels], 7, 5).unwrap();
    assert_eq!(colour.dims(), [2, 3, 5, 5]);
    for c in 0..3 {
        let grey = images(&[&planes[49 * c..][..49]], 7, 5, &Device::Cpu).unwrap();
        for image in 0..2 {
            let channel = colour.narrow(0, image, 1).unwrap().narrow(1, c, 1).unwrap();
            assert_eq!(flat(&channel), flat(&grey.narrow(1, c, 1).unwrap()));
        }
    }
    assert!(colours(&[&[0; 4]], 2, 2).is_err());
    assert!(images(&[&[0; 3]], 2, 2, &Device::Cpu).is_err());
    assert!(images(&[], 0, 2, &Device::Cpu).is_err());
    assert_eq!(images(&[], 5, 3, &Device::Cpu).unwrap().dims(), [0, 3, 3, 3]);
}
