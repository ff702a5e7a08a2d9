//! Networks of which only a part is trained: what moves, what is computed, and that it is PyTorch's
//! (`tests/golden/frozen.py`).

use candle_core::{Device, Tensor};
use serde_json::Value;

use crate::Network;
use crate::sgd::Sgd;
use crate::tests::{close, digest, flat, golden_network, numbers, values};
use architecture::{ARCHITECTURES, Design};

/// Values of all parameters and buffers, by name.
fn state(network: &Network) -> Vec<(String, Vec<f32>)> {
    let all = network.state().unwrap().into_iter();
    all.map(|(name, tensor)| {
        let values = tensor.to_dtype(candle_core::DType::F32).unwrap();
        (name, flat(&values))
    })
    .collect()
}

/// A small member of every family, with its least input.
const MEMBERS: [(&str, usize); 8] = [
    ("alexnet", 63),
    ("vgg11", 32),
    ("inception_v3", 75),
    ("resnet10", 33),
    ("densenet121", 33),
    ("efficientnet_b0", 33),
    ("mobilenet_v3_small", 33),
    ("convnext_tiny", 33),
];

/// At every probe point of every family: all that comes after it has a gradient and is changed, nothing before it
/// is; maps that were computed before give what images give, in training and in inference, bit by bit.
#[test]
fn what_comes_after_a_layer_is_trained_and_nothing_else() {
    for (name, edge) in MEMBERS {
        let x = values(1, &[3, 3, edge, edge]);
        for layer in Network::new(name, 2, edge as u32, 1, &Device::Cpu).unwrap().layers() {
            let what = format!("{name} frozen at {layer}");
            let network = golden_network(name, 2, edge, Design::default()).freeze(layer).unwrap();
            let before = state(&network);
            let maps = network.frozen_maps(&x).unwrap().unwrap();
            // An image's maps depend on no other image.
            for (at, count) in [(0, 1), (1, 2), (2, 1)] {
                let part = network.frozen_maps(&x.narrow(0, at, count).unwrap()).unwrap().unwrap();
                assert_eq!(flat(&part), flat(&maps.narrow(0, at, count).unwrap()), "{what}");
            }
            let of_maps = network.training_logits_of_maps(&maps, 4).unwrap();
            for (name, buffer) in network.trained_buffers() {
                // Running statistics that the pass above has moved.
                let (_, values) = before.iter().find(|(known, _)| *known == name).unwrap();
                let values = Tensor::from_slice(values, buffer.shape(), &Device::Cpu).unwrap();
                let (_, var) =
                    network.parameters.buffers().iter().find(|(known, _)| *known == name).unwrap();
                var.set(&values.to_dtype(buffer.dtype()).unwrap()).unwrap();
            }
            let logits = network.training_logits(&x, 4).unwrap();
            assert_eq!(flat(&logits.main), flat(&of_maps.main), "{what}");
            let inference = network.inference();
            let expected = flat(&inference.logits(&x).unwrap());
            assert_eq!(flat(&inference.outputs_of_maps(layer, &maps).unwrap()), expected, "{what}");

            let loss = logits.main.sqr().unwrap().sum_all().unwrap();
            let parameters = network.trained_parameters();
            let gradients = logits.backward(&loss, network.parameters()).unwrap();
            let idle = |name: &str| name.starts_with("AuxLogits");
            for (at, (parameter, var)) in network.parameters().iter().enumerate() {
                let trained = at >= network.parameters().len() - parameters.len();
                let expected = trained && !idle(parameter);
                assert_eq!(gradients.get(var).is_some(), expected, "{what}: {parameter}");
            }
            let mut sgd = Sgd::new(parameters, 0.9, 0.1).unwrap();
            sgd.step(parameters, &gradients, &vec![0.1; parameters.len()]).unwrap();
            let trained = |name: &String| {
                let of = |known: &String| known == name;
                parameters.iter().any(|(known, _)| of(known))
                    || network.trained_buffers().iter().any(|(known, _)| of(known))
            };
            for ((parameter, before), (_, after)) in before.iter().zip(state(&network)) {
                let moves = trained(parameter) && !idle(parameter);
                assert_eq!(*before != after, moves, "{what}: {parameter}");
            }
        }
    }
}

/// What the head is, of every network: behind the last probe point, and the auxiliary classifier's last layer.
#[test]
fn the_head_is_what_follows_the_last_probe_point() {
    let head = |name: &str, frozen: Option<&str>| -> Vec<String> {
        let network = Network::new(name, 2, 128, 1, &Device::Cpu).unwrap();
        let network = match frozen {
            Some(layer) => network.freeze(layer).unwrap(),
            None => network,
        };
        let all = network.trained_parameters().iter().zip(network.head());
        all.filter(|(_, head)| *head).map(|((name, _), _)| name.clone()).collect()
    };
    let both = |layers: &[&str]| -> Vec<String> {
        layers.iter().flat_map(|l| [format!("{l}.weight"), format!("{l}.bias")]).collect()
    };
    assert_eq!(head("resnet18", None), both(&["fc"]));
    assert_eq!(head("resnet18", Some("layer2")), both(&["fc"]));
    assert_eq!(head("alexnet", None), both(&["classifier.1", "classifier.4", "classifier.6"]));
    assert_eq!(head("inception_v3", None), both(&["AuxLogits.fc", "fc"]));
    assert_eq!(head("convnext_tiny", None), both(&["classifier.0", "classifier.2"]));
    assert_eq!(head("densenet121", None), both(&["features.norm5", "classifier"]));
    assert_eq!(head("vit_tiny_patch16_224", None), both(&["classifier"]));
    assert_eq!(head("mobilenet_v3_small", None), both(&["classifier.0", "classifier.3"]));
}

#[test]
fn every_architecture_can_be_frozen_at_each_of_its_layers() {
    for architecture in ARCHITECTURES
        .iter()
        .filter(|a| a.family != architecture::Family::Vgg && a.is_trained_whole())
    {
        let name = architecture.name;
        let mut parts = Vec::new();
        for layer in architecture.layers {
            let network = Network::blank(name, 2, architecture.input, &Device::Cpu).unwrap();
            parts.push(network.freeze(layer).unwrap().trained_parameters().len());
        }
        assert!(parts.is_sorted_by(|a, b| a > b) && parts.last() > Some(&0), "{name}: {parts:?}");
    }
    let network = Network::new("resnet10", 2, 33, 1, &Device::Cpu).unwrap();
    let refused = network.freeze("layer5").unwrap_err().to_string();
    assert!(refused.contains("layer5") && refused.contains("layer4"), "{refused}");
}

/// Weights that are set after freezing count.
#[test]
fn what_was_prepared_of_other_weights_is_forgotten() {
    let x = values(1, &[1, 3, 33, 33]);
    let mut network =
        golden_network("resnet10", 2, 33, Design::default()).freeze("layer4").unwrap();
    let maps = flat(&network.frozen_maps(&x).unwrap().unwrap());
    let other = Network::new("resnet10", 2, 33, 8, &Device::Cpu).unwrap().freeze("layer4").unwrap();
    network.set_state(&other.state().unwrap()).unwrap();
    let found = flat(&network.frozen_maps(&x).unwrap().unwrap());
    assert!(found != maps && found == flat(&other.frozen_maps(&x).unwrap().unwrap()));
}

/// Three steps of PyTorch with all up to a layer in evaluation and without gradients.
#[test]
fn steps_are_pytorchs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/frozen.json");
    let golden: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(golden.len() > 2);
    for case in golden {
        let (name, layer) = (case["name"].as_str().unwrap(), case["layer"].as_str().unwrap());
        let (edge, what) = (case["size"].as_u64().unwrap() as usize, format!("{name} at {layer}"));
        let network = golden_network(name, 2, edge, Design::default()).freeze(layer).unwrap();
        let x = values(1, &[2, 3, edge, edge]);
        let parameters = network.trained_parameters();
        let names: Vec<&str> = parameters
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| !name.starts_with("AuxLogits"))
            .collect();
        let expected: Vec<&str> =
            case["names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
        assert_eq!(names, expected, "{what}");
        let mut sgd = Sgd::new(parameters, 0.9, 1e-2).unwrap();
        let rates: Vec<f64> =
            network.head().iter().map(|&head| if head { 2e-3 } else { 1e-3 }).collect();
        for step in case["steps"].as_array().unwrap() {
            let logits = network.train(&x, None).unwrap();
            close(&flat(&logits.main), &numbers(&step["logits"]), 1e-3, &format!("{what}: logits"));
            let weights = values(2, logits.main.dims());
            let loss = (&logits.main * weights).unwrap().sum_all().unwrap();
            let gradients = logits.backward(&loss, parameters).unwrap();
            sgd.step(parameters, &gradients, &rates).unwrap();
        }
        for (name, expected) in case["after"].as_object().unwrap() {
            let state = network.state().unwrap();
            close(&digest(&state[name]), &numbers(expected), 1e-3, &format!("{what}: {name}"));
        }
    }
}
