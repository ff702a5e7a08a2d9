//! Whole networks against PyTorch (`tests/golden/network.py`) and against Candle's own ResNet.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use candle_core::{DType, Device, Tensor, Var};
use serde_json::Value;

use super::*;

/// What PyTorch computed.
pub(super) fn golden() -> Value {
    serde_json::from_str(include_str!("../../tests/golden/network.json")).unwrap()
}

/// The script's `values`.
pub(super) fn values(seed: u32, dims: &[usize]) -> Tensor {
    let count: usize = dims.iter().product();
    let values = (0..count as u32)
        .map(|i| {
            let mut v = i.wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(40503) + 1);
            v ^= v >> 15;
            v = v.wrapping_mul(0x2C1B_3C6D);
            v ^= v >> 12;
            v = v.wrapping_mul(0x297A_2D39);
            v ^= v >> 15;
            (v >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect::<Vec<_>>();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

pub(super) fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The script's `digest`.
fn digest(tensor: &Tensor) -> Vec<f32> {
    let flat = flat(tensor);
    let weights: Vec<f32> = values(99, &[flat.len()]).to_vec1().unwrap();
    let mean =
        |f: &dyn Fn(usize) -> f64| ((0..flat.len()).map(f).sum::<f64>() / flat.len() as f64) as f32;
    let mut out = vec![
        mean(&|i| f64::from(flat[i].abs())),
        mean(&|i| f64::from(flat[i]) * f64::from(weights[i])),
    ];
    out.extend((0..5).map(|i| flat[i * (flat.len() - 1) / 4]));
    out
}

pub(super) fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

pub(super) fn dims(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

/// Holds values against the golden ones; `tolerance` is relative to the greatest of those.
#[track_caller]
fn close(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let greatest = expected.iter().fold(1e-6f32, |m, v| m.max(v.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance * greatest,
            "{what}: {found} where PyTorch has {expected} (value {i})"
        );
    }
}

/// Holds a tensor against a golden list of all its values.
#[track_caller]
pub(super) fn same(found: &Tensor, expected: &Value, what: &str) {
    close(&flat(found), &numbers(expected), 2e-5, what);
}

/// Holds a tensor against a golden digest.
#[track_caller]
pub(super) fn same_digest(found: &Tensor, expected: &Value, tolerance: f32, what: &str) {
    close(&digest(found), &numbers(expected), tolerance, what);
}

/// The script's `fill`.
fn filled(case: &Value) -> BTreeMap<String, Tensor> {
    let state = case["state"].as_array().unwrap();
    (1000..)
        .zip(state)
        .map(|(seed, entry)| {
            let name = entry[0].as_str().unwrap();
            let dims = dims(&entry[1]);
            let v = values(seed, &dims);
            let tensor = if name.ends_with("num_batches_tracked") {
                Tensor::new(7i64, &Device::Cpu).unwrap()
            } else if name.ends_with("running_var") {
                v.affine(0.5, 1.0).unwrap()
            } else if name.ends_with("bn3.weight") {
                v.affine(0.25 / 8.0, 1.0 / 8.0).unwrap()
            } else if dims.len() == 1 && name.ends_with("weight") {
                v.affine(0.25, 1.0).unwrap()
            } else if dims.len() == 1 {
                v.affine(0.125, 0.0).unwrap()
            } else {
                let fan: usize = dims[1..].iter().product();
                v.affine((6.0 / fan as f64).sqrt(), 0.0).unwrap()
            };
            (name.to_string(), tensor)
        })
        .collect()
}

/// Builds a golden network and holds everything that PyTorch recorded of it against ours.
///
/// `noise` is how far single precision may take the gradients, relative to the greatest value.
fn check_network(name: &str, noise: f32) {
    let golden = golden();
    let networks = golden["networks"].as_array().unwrap();
    let case = networks.iter().find(|case| case["name"] == name).unwrap();
    let size = case["size"].as_u64().unwrap() as usize;
    let logits = numbers(&case["logits"]);
    let classes = logits.len() / 2;
    let mut network = Network::new(name, classes, size as u32, 1, &Device::Cpu).unwrap();
    network.set_state(&filled(case)).unwrap();
    let trained: Vec<_> = network.parameters().iter().map(|(name, _)| name.as_str()).collect();
    let order: Vec<_> = case["state"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry[0].as_str().unwrap())
        .filter(|name| case["gradients"].get(name).is_some())
        .collect();
    assert_eq!(trained, order, "torchvision's order");

    let x = values(1, &[2, 3, size, size]);
    let found = network.logits(&x, Mode::Inference).unwrap();
    assert!(!found.track_op(), "inference must not keep its intermediate results");
    close(&flat(&found), &logits, 2e-5, "logits");
    let layers = network.layers();
    let maps = network.maps(&x, layers).unwrap();
    for (layer, map) in layers.iter().zip(&maps) {
        assert_eq!(map.dims(), dims(&case["shapes"][layer]), "{layer}");
        assert_eq!(map.dim(1).unwrap(), network.units(layer).unwrap());
        same_digest(map, &case["maps"][layer], 5e-5, layer);
        // Alone, in another order and twice: the same.
        let again = network.maps(&x, &[layer, layers[0], layer]).unwrap();
        assert_eq!(flat(&again[0]), flat(map), "{layer}");
        assert_eq!(flat(&again[2]), flat(map), "{layer}");
        assert_eq!(flat(&again[1]), flat(&maps[0]), "{layer}");
    }

    let y = network.run(&x, &mut Pass::training(network.design, None)).unwrap().unwrap();
    close(&flat(&y), &numbers(&case["training"]), 1e-4, "logits in training");
    let loss = (&y * values(2, y.dims())).unwrap().sum_all().unwrap();
    let gradients = loss.backward().unwrap();
    for (name, var) in network.parameters() {
        let gradient = gradients.get(var).unwrap_or_else(|| panic!("{name} has no gradient"));
        assert_eq!(gradient.dims(), var.dims());
        same_digest(gradient, &case["gradients"][name], noise, &format!("gradient by {name}"));
    }
    let state = network.state().unwrap();
    for (name, expected) in case["buffers"].as_object().unwrap() {
        same_digest(&state[name], expected, 1e-4, name);
    }
    for (name, tensor) in state.iter().filter(|(name, _)| name.ends_with("num_batches_tracked")) {
        assert_eq!(tensor.to_scalar::<i64>().unwrap(), 8, "{name}");
    }
}

#[test]
fn alexnet_is_torchvisions() {
    check_network("alexnet", 1e-4);
}

#[test]
fn resnet18_is_torchvisions() {
    check_network("resnet18", 2e-3);
}

#[test]
fn resnet50_is_torchvisions() {
    check_network("resnet50", 2e-2);
}

#[test]
fn resnet18_agrees_with_candle_transformers() {
    use candle_core::Module;
    use candle_transformers::models::{mimi::candle_nn::VarBuilder, resnet};
    let golden = golden();
    let case = &golden["networks"][1];
    let mut network = Network::new("resnet18", 3, 97, 5, &Device::Cpu).unwrap();
    network.set_state(&filled(case)).unwrap();
    let tensors: HashMap<String, Tensor> = network.state().unwrap().into_iter().collect();
    let builder = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    let theirs = resnet::resnet18(3, builder).unwrap();
    let x = values(3, &[1, 3, 97, 97]);
    let ours = network.logits(&x, Mode::Inference).unwrap();
    let theirs = theirs.forward(&x).unwrap();
    close(&flat(&ours), &flat(&theirs), 1e-4, "logits");
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
    let of = |seed| flat(&network.logits(&x, Mode::Training { dropout_seed: seed }).unwrap());
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));

    let network = Network::new("resnet10", 2, 33, 1, &Device::Cpu).unwrap();
    let x = values(1, &[2, 3, 33, 33]);
    let mean = |network: &Network| flat(&network.state().unwrap()["bn1.running_mean"]);
    let before = mean(&network);
    network.logits(&x, Mode::Inference).unwrap();
    assert_eq!(mean(&network), before);
    let kept = network.state().unwrap();
    network.logits(&x, Mode::Training { dropout_seed: 0 }).unwrap();
    assert_ne!(mean(&network), before);
    assert_eq!(flat(&kept["bn1.running_mean"]), before, "a state is a copy");
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let network = Network::new("resnet10", 2, 65, 1, &Device::Cpu).unwrap();
            let x = values(1, &[3, 3, 65, 65]);
            let y = network.logits(&x, Mode::Training { dropout_seed: 0 }).unwrap();
            let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            let mut out = flat(&y);
            for (_, var) in network.parameters() {
                out.extend(flat(gradients.get(var).unwrap()));
            }
            out.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(5));
}

#[test]
fn fields_are_where_the_gradient_reaches() {
    for (name, size) in [("alexnet", 131), ("resnet10", 131), ("resnet18", 131), ("resnet50", 97)] {
        let network = Network::new(name, 2, size, 3, &Device::Cpu).unwrap();
        for layer in network.layers() {
            let x = Var::from_tensor(&values(1, &[1, 3, size as usize, size as usize])).unwrap();
            let maps = network.maps(&x, &[layer]).unwrap();
            let (_, _, rows, columns) = maps[0].dims4().unwrap();
            let [row, column] = [rows / 2, columns / 3];
            let location = maps[0].narrow(2, row, 1).unwrap().narrow(3, column, 1).unwrap();
            // All units together, so that a ReLU or a maximum hides no path.
            let gradients = location.sum_all().unwrap().backward().unwrap();
            let reach = gradients.get(&x).unwrap().abs().unwrap().sum((0, 1)).unwrap();
            let reach: Vec<Vec<f32>> = reach.to_vec2().unwrap();
            let hit: Vec<[usize; 2]> = (0..reach.len())
                .flat_map(|y| (0..reach.len()).map(move |x| [y, x]))
                .filter(|&[y, x]| reach[y][x] != 0.0)
                .collect();
            let field = network.field(layer).unwrap();
            for (axis, at) in [row, column].into_iter().enumerate() {
                let centre = field.centre + at as f32 * field.stride;
                let start = (centre - field.edge / 2.0).max(0.0);
                let end = (centre + field.edge / 2.0).min(size as f32);
                let first = hit.iter().map(|p| p[axis]).min().unwrap() as f32;
                let last = hit.iter().map(|p| p[axis]).max().unwrap() as f32 + 1.0;
                // A maximum passes on one value only: the very edge may be missed by chance.
                let slack = 8.0f32.min(0.1 * field.edge);
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
    let resnet = Network::new("resnet18", 2, 224, 3, &Device::Cpu).unwrap();
    let field = resnet.field("layer4").unwrap();
    assert_eq!((field.edge, field.stride), (435.0, 32.0));
}

#[test]
fn wrong_questions_are_answered_with_what_there_is() {
    let fails = |r: Result<Network>, part: &str| {
        let message = format!("{:#}", r.err().unwrap());
        assert!(message.contains(part), "{message}");
    };
    fails(Network::new("vgg99", 2, 224, 1, &Device::Cpu), "alexnet, resnet10, resnet18");
    fails(Network::new("alexnet", 2, 32, 1, &Device::Cpu), "at least 63");
    fails(Network::new("alexnet", 0, 113, 1, &Device::Cpu), "one class");
    let network = Network::new("resnet10", 2, 33, 1, &Device::Cpu).unwrap();
    let x = values(1, &[1, 3, 33, 33]);
    let message = network.maps(&x, &["conv5"]).unwrap_err().to_string();
    assert!(message.contains("bn1, layer1, layer2"), "{message}");
    let message = network.logits(&values(1, &[1, 3, 34, 33]), Mode::Inference).unwrap_err();
    assert!(message.to_string().contains("[n, 3, 33, 33]"), "{message}");
    for Architecture { layers, dissected, .. } in ARCHITECTURES {
        assert!(dissected.iter().all(|layer| layers.contains(layer)));
    }
}

#[test]
fn the_smallest_input_works() {
    for name in ["alexnet", "resnet10"] {
        let size = Architecture::find(name).unwrap().min_input;
        let network = Network::new(name, 2, size, 1, &Device::Cpu).unwrap();
        let images = values(1, &[1, 3, size as usize, size as usize]);
        assert_eq!(network.logits(&images, Mode::Inference).unwrap().dims(), [1, 2]);
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
    let colour = colour_images(&[&pixels, &pixels], 7, 5, &Device::Cpu).unwrap();
    assert_eq!(colour.dims(), [2, 3, 5, 5]);
    for c in 0..3 {
        let grey = images(&[&planes[49 * c..][..49]], 7, 5, &Device::Cpu).unwrap();
        for image in 0..2 {
            let channel = colour.narrow(0, image, 1).unwrap().narrow(1, c, 1).unwrap();
            assert_eq!(flat(&channel), flat(&grey.narrow(1, c, 1).unwrap()));
        }
    }
    assert!(colour_images(&[&[0; 4]], 2, 2, &Device::Cpu).is_err());
    assert!(images(&[&[0; 3]], 2, 2, &Device::Cpu).is_err());
    assert!(images(&[], 0, 2, &Device::Cpu).is_err());
    assert_eq!(images(&[], 5, 3, &Device::Cpu).unwrap().dims(), [0, 3, 3, 3]);
}
