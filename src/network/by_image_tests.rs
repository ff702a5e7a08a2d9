//! Gradients of maps by grey images against PyTorch (`tests/golden/by_image.py`), and against differences.

use candle_core::{Device, Tensor};
use serde_json::Value;

use crate::Network;
use crate::input::{Colours, Normal, as_inputs, by_grey};
use crate::tests::{flat, golden_network, same_digest, values};
use architecture::Design;

fn golden() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/by_image.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Grey values from 0 to 255.
fn grey(edge: usize) -> Tensor {
    values(5, &[2, edge, edge]).affine(127.5, 127.5).unwrap()
}

fn inputs(network: &Network, grey: &Tensor) -> Tensor {
    as_inputs(grey, network.normal()).unwrap()
}

/// A weight for each value of a map: what is differentiated is the sum of their products.
fn weights(map: &Tensor) -> Tensor {
    values(6, map.dims())
}

#[test]
fn gradients_by_images_are_pytorchs() {
    for case in golden() {
        let (name, edge) = (case["name"].as_str().unwrap(), case["size"].as_u64().unwrap());
        let edge = edge as usize;
        let network = golden_network(name, 2, edge, Design::default());
        let inference = network.inference();
        let layers = case["layers"].as_object().unwrap();
        assert_eq!(layers.len(), network.layers().len());
        for (layer, expected) in layers {
            let found = inference.gradient_by_grey(&grey(edge), layer, |map| Ok(weights(map)));
            let (map, gradient) = found.unwrap();
            let alone = inference.maps(&inputs(&network, &grey(edge)), &[layer]).unwrap();
            assert_eq!(flat(&map), flat(&alone[0]), "{name} {layer}");
            assert_eq!(gradient.dims(), [2, edge, edge]);
            same_digest(&gradient, expected, 2e-3, &format!("{name} {layer}"));
        }
    }
}

#[test]
fn gradients_by_images_are_differences() {
    for (name, edge) in [("alexnet", 67), ("vgg11", 65), ("inception_v3", 75), ("resnet10", 65)] {
        let network = golden_network(name, 2, edge, Design::default());
        let inference = network.inference();
        let of = |x: &Tensor, layer: &str| -> f64 {
            let map = inference.maps(&inputs(&network, x), &[layer]).unwrap().remove(0);
            let products = flat(&map).into_iter().zip(flat(&weights(&map)));
            products.map(|(value, weight)| f64::from(value) * f64::from(weight)).sum()
        };
        for layer in network.layers() {
            let x = grey(edge);
            let (_, gradient) =
                inference.gradient_by_grey(&x, layer, |map| Ok(weights(map))).unwrap();
            let length = flat(&gradient).iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
            // A step of a hundredth of a grey level per pixel, along the gradient: no kink is far away in a
            // deep network, and rounding not either.
            let step = 0.01 * edge as f64 / length;
            let [ahead, behind] =
                [step, -step].map(|step| of(&(&x + (&gradient * step).unwrap()).unwrap(), layer));
            let slope = (ahead - behind) / (2.0 * step * length);
            assert!((slope / length - 1.0).abs() < 0.03, "{name} {layer}: {slope} for {length}");
        }
    }
}

#[test]
fn a_gradient_of_another_shape_and_an_unknown_layer_are_refused() {
    let network = Network::new("resnet10", 2, 33, 1, &Device::Cpu).unwrap();
    let inference = network.inference();
    let error = |layer: &str, edge: usize| {
        let found = inference.gradient_by_grey(&grey(edge), layer, |map| Ok(map.narrow(1, 0, 1)?));
        format!("{:#}", found.unwrap_err())
    };
    assert!(error("layer1", 33).contains("a gradient of shape [2, 1, 9, 9] by [2, 64, 9, 9]"));
    assert!(error("layer9", 33).contains("no layer \"layer9\""));
    assert!(error("layer1", 34).contains("[n, 3, 33, 33]"));
}

#[test]
fn gradients_go_back_the_way_that_grey_images_come() {
    for normal in
        [Normal::Colour(Colours::IMAGENET), Colours::IMAGENET.grey(), Colours::HALF.grey()]
    {
        let (x, zero) = (grey(9), grey(9).zeros_like().unwrap());
        let linear = (as_inputs(&x, normal).unwrap() - as_inputs(&zero, normal).unwrap()).unwrap();
        let y = values(7, linear.dims());
        let product = |a: &Tensor, b: &Tensor| -> f64 {
            let products = flat(a).into_iter().zip(flat(b));
            products.map(|(a, b)| f64::from(a) * f64::from(b)).sum()
        };
        let (there, back) = (product(&linear, &y), product(&x, &by_grey(&y, normal).unwrap()));
        assert!((there - back).abs() < 1e-4 * there.abs(), "{normal:?}: {there} and {back}");
    }
}
