//! Sliding networks against PyTorch (`tests/golden/sliding.py`) and against themselves.

use candle_core::Device;
use serde_json::Value;

use super::*;
use crate::Ends;
use crate::chain::{Chain, Dense, Plan, Step};
use crate::input::{Colours, Normal, grey};
use crate::layers::Window;
use crate::parameters::{Parameters, Start};
use crate::tests::{close, flat, golden_network, numbers, same, values};
use architecture::{Architecture, Design};

fn golden() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/sliding.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn size(value: &Value) -> [usize; 2] {
    [0, 1].map(|axis| value[axis].as_u64().unwrap() as usize)
}

#[test]
fn sliding_networks_are_pytorchs() {
    for case in golden()["networks"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let [input, rows, columns] =
            ["input", "rows", "columns"].map(|key| case[key].as_u64().unwrap() as usize);
        let network = golden_network(name, 3, input, Design::default());
        let found = network.inference().sliding(&values(1, &[1, 3, rows, columns])).unwrap();
        assert_eq!(found.size, size(&case["places"]), "{name}");
        assert!(found.size[0] > 1 && found.size[1] > found.size[0]);
        close(&flat(&found.logits), &numbers(&case["logits"]), 1e-4, name);
    }
}

#[test]
fn rectangles_are_resized_as_by_pytorch() {
    for case in golden()["rectangles"].as_array().unwrap() {
        let ([rows, columns], to) = (size(&case["shape"]), size(&case["to"]));
        let pixels: Vec<u8> = flat(&values(1, &[rows * columns]))
            .iter()
            .map(|v| ((v + 1.0) * 127.5).floor() as u8)
            .collect();
        let sizes = [[columns, rows], [to[1], to[0]]].map(|size| size.map(|side| side as u32));
        let x =
            grey(&[&pixels], sizes[0], sizes[1], Normal::Colour(Colours::IMAGENET), &Device::Cpu)
                .unwrap();
        assert_eq!(x.dims(), [1, 3, to[0], to[1]]);
        let grey = x.narrow(1, 0, 1).unwrap().affine(0.229 * 255.0, 0.485 * 255.0).unwrap();
        same(&grey, &case["y"], &format!("{rows} x {columns}"));
    }
}

#[test]
fn an_image_of_the_inputs_size_has_one_place_and_the_networks_logits() {
    for (name, edge) in [("alexnet", 67), ("vgg11", 65), ("inception_v3", 107), ("resnet10", 65)] {
        let network = golden_network(name, 3, edge, Design::default());
        let x = values(1, &[1, 3, edge, edge]);
        let inference = network.inference();
        let found = inference.sliding(&x).unwrap();
        assert_eq!(found.size, [1, 1], "{name}");
        close(&flat(&found.logits), &flat(&inference.logits(&x).unwrap()), 1e-6, name);
        let small = inference.sliding(&values(1, &[1, 3, edge, edge - 1])).unwrap_err();
        assert!(small.to_string().contains(&format!("no side below {edge}")), "{small}");
    }
}

/// A chain that never pads, so that nothing tells a window from an input of its own.
fn unpadded(input: u32) -> Network {
    let step = |index, units, kernel, stride, pooled| Step {
        index,
        units,
        window: Window::square(kernel, stride, 0),
        probe: None,
        pooled,
    };
    let dense = |index| Dense { index, dropout: false };
    let plan = Plan {
        steps: vec![step(0, 6, 5, 2, true), step(1, 8, 3, 1, false), step(2, 8, 3, 1, true)],
        pool: Window::square(2, 2, 0),
        pooled: 3,
        classifier: [dense(0), dense(1), dense(2)],
        start: |shape, _| [Start::kaiming(shape[1..].iter().product()); 2],
    };
    let mut parameters = Parameters::new(Some(5), &Device::Cpu);
    let body = Box::new(Chain::new(plan, Ends::colour(3), &mut parameters).unwrap());
    Network {
        architecture: Architecture::find("alexnet").unwrap(),
        design: Design::default(),
        body,
        parameters,
        frozen: None,
        ends: Ends::colour(3),
        meaning: None,
        input,
        device: Device::Cpu,
    }
}

#[test]
fn without_padding_every_place_equals_its_window() {
    let (rows, columns, edge) = (93, 111, 61);
    let network = unpadded(edge as u32);
    let x = values(1, &[1, 3, rows, columns]);
    let inference = network.inference();
    let found = inference.sliding(&x).unwrap();
    assert_eq!((found.step, found.size), (8, [5, 7]));
    let logits: Vec<Vec<f32>> = found.logits.to_vec2().unwrap();
    let places = (0..5).flat_map(|row| (0..7).map(move |column| [row, column]));
    let mut least = (f32::INFINITY, f32::NEG_INFINITY);
    for ([row, column], found) in places.zip(&logits) {
        let window = x.narrow(2, 8 * row, edge).unwrap().narrow(3, 8 * column, edge).unwrap();
        let own = flat(&inference.logits(&window.contiguous().unwrap()).unwrap());
        close(found, &own, 1e-5, &format!("{row}, {column}"));
        least = (least.0.min(own[2]), least.1.max(own[2]));
    }
    assert!(least.1 - least.0 > 0.01, "places differ: {least:?}");
}
