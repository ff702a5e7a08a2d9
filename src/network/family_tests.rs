//! The families after the first four against PyTorch (`tests/golden/families.py`).

use candle_core::{Device, Tensor};
use serde_json::Value;

use super::*;
use crate::tests::{
    check_network, close, dims, flat, golden_network, golden_of, numbers, same, same_digest, values,
};
use architecture::ARCHITECTURES;

fn golden() -> Value {
    golden_of("families")
}

/// The script's `fingerprint`.
fn fingerprint(network: &Network) -> String {
    let buffers = network.buffers();
    let parameters = network.parameters().iter().map(|(name, var)| (name, var.dims().to_vec()));
    let buffers = buffers.iter().map(|(name, buffer)| (name, buffer.dims().to_vec()));
    let mut state = 0xCBF2_9CE4_8422_2325u64;
    for (name, dims) in parameters.chain(buffers) {
        for byte in format!("{name} {dims:?}\n").bytes() {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }
    format!("{state:016x}")
}

#[test]
fn every_member_has_torchvisions_tensors_and_logits() {
    let golden = golden();
    let cases = golden["small"].as_array().unwrap();
    for case in cases {
        let (name, size) = (case["name"].as_str().unwrap(), case["size"].as_u64().unwrap());
        let size = size as usize;
        let network = golden_network(name, 2, size, Design::default());
        assert_eq!(fingerprint(&network), case["tensors"], "{name}");
        assert_eq!(network.parameter_count(), case["parameters"].as_u64().unwrap(), "{name}");
        let found = network.inference().logits(&values(1, &[1, 3, size, size])).unwrap();
        close(&flat(&found), &numbers(&case["logits"]), 1e-4, name);
    }
    let earlier = ["alexnet", "vgg", "inception_v3", "resnet"];
    // Vision transformers are not torchvision's: `tower/tests.rs`.
    for Architecture { name, .. } in ARCHITECTURES.iter().filter(|a| a.is_trained_whole()) {
        let known = cases.iter().any(|case| case["name"] == *name);
        assert!(known || earlier.iter().any(|start| name.starts_with(start)), "{name}");
    }
}

#[test]
fn resnext50_is_torchvisions() {
    check_network(&golden(), "resnext50_32x4d", 97);
}

#[test]
fn wide_resnet50_is_torchvisions() {
    check_network(&golden(), "wide_resnet50_2", 65);
}

#[test]
fn densenet121_is_torchvisions() {
    check_network(&golden(), "densenet121", 65);
}

#[test]
fn efficientnet_b0_is_torchvisions() {
    check_network(&golden(), "efficientnet_b0", 97);
}

#[test]
fn mobilenet_v3_small_is_torchvisions() {
    check_network(&golden(), "mobilenet_v3_small", 97);
}

#[test]
fn mobilenet_v3_large_is_torchvisions() {
    check_network(&golden(), "mobilenet_v3_large", 97);
}

#[test]
fn convnext_tiny_is_torchvisions() {
    check_network(&golden(), "convnext_tiny", 97);
}

/// Branches that training leaves out follow from the seed and from their own names, and as many are left out
/// as the paper says.
#[test]
fn stochastic_depth_is_drawn_from_streams_of_its_own() {
    let chance = Chance::of(7);
    let rows = chance.rows("features.1.0", 0.25, 4000);
    assert_eq!(rows, Chance::of(7).rows("features.1.0", 0.25, 4000));
    assert_ne!(rows, chance.rows("features.1.1", 0.25, 4000));
    assert_ne!(rows, Chance::of(8).rows("features.1.0", 0.25, 4000));
    assert!(rows.iter().all(|row| *row == 0.0 || (*row - 4.0 / 3.0).abs() < 1e-6));
    let out = rows.iter().filter(|row| **row == 0.0).count();
    // Four standard deviations of 27.
    assert!((890..1110).contains(&out), "{out}");
    // A longer batch begins as a shorter one.
    assert_eq!(chance.rows("features.1.0", 0.25, 10), rows[..10]);

    for name in ["efficientnet_b0", "convnext_tiny"] {
        let network = golden_network(name, 2, 33, Design::default());
        let x = values(1, &[4, 3, 33, 33]);
        let of = |seed| flat(&network.training_logits(&x, seed).unwrap().main);
        let still = flat(&network.train(&x, None).unwrap().main);
        assert_eq!(of(1), of(1));
        assert!(of(1) != of(2) && of(1) != still, "{name}");
    }
}

/// An image that goes without a branch has no gradient by its parameters.
#[test]
fn what_is_left_out_is_not_trained() {
    let network = golden_network("convnext_tiny", 2, 33, Design::default());
    let x = values(1, &[1, 3, 33, 33]);
    let last = "features.7.2";
    let without = |seed: &u64| Chance::of(*seed).rows(last, 0.1, 1) == [0.0];
    let (out, kept) = ((0..).find(without).unwrap(), (0..).find(|s| !without(s)).unwrap());
    let greatest = |seed: u64| {
        let logits = network.training_logits(&x, seed).unwrap();
        let loss = logits.main.sum_all().unwrap();
        let gradients = logits.backward(&loss, network.parameters()).unwrap();
        let of = |end: &str| {
            let name = format!("{last}.{end}");
            let (_, var) = network.parameters().iter().find(|(known, _)| *known == name).unwrap();
            flat(gradients.get(var).unwrap()).iter().fold(0f32, |m, v| m.max(v.abs()))
        };
        ["layer_scale", "block.0.weight", "block.2.bias", "block.5.bias"].map(of)
    };
    assert_eq!(greatest(out), [0.0; 4]);
    assert!(greatest(kept).iter().all(|greatest| *greatest > 0.0));
}

#[test]
fn heads_that_weight_the_means_of_maps_are_known() {
    for (name, layer, linear) in [
        ("resnext50_32x4d", "layer4", true),
        ("efficientnet_b0", "stage9", true),
        ("densenet121", "denseblock4", false),
        ("mobilenet_v3_small", "conv_last", false),
        ("convnext_tiny", "stage4", false),
    ] {
        let network = golden_network(name, 3, 64, Design::default());
        let weights = network.linear_head(layer);
        assert_eq!(weights.is_some(), linear, "{name}");
        let Some(weights) = weights else { continue };
        let x = values(1, &[2, 3, 64, 64]);
        let found = network.inference().sensitivity(&x, &[layer]).unwrap();
        let (map, gradient) = (&found.maps[0], &found.gradients[1][0]);
        let (_, units, rows, columns) = map.dims4().unwrap();
        let places = rows * columns;
        let expected = (weights.narrow(0, 1, 1).unwrap() / places as f64).unwrap();
        let found: Vec<f32> =
            flat(gradient).chunks(places).take(units).map(|plane| plane[0]).collect();
        close(&found, &flat(&expected), 1e-5, name);
    }
}

#[test]
fn networks_without_kernels_are_said_to_have_none() {
    for (name, has) in [
        ("wide_resnet50_2", true),
        ("resnext50_32x4d", false),
        ("densenet121", false),
        ("efficientnet_b0", false),
        ("mobilenet_v3_small", false),
        ("convnext_tiny", false),
    ] {
        assert_eq!(Architecture::find(name).unwrap().has_kernels(), has, "{name}");
    }
}

mod layers {
    use super::*;
    use crate::layers::tests::{engines, leaf, run};
    use crate::layers::{
        Activation, Affine, Branch, Window, activate, convolution, gated, layer_norm, residual,
        squeeze,
    };

    #[test]
    fn grouped_and_depthwise_convolutions_are_pytorchs_on_both_paths() {
        for case in golden()["convolutions"].as_array().unwrap() {
            let (shape, kernel) = (dims(&case["shape"]), dims(&case["kernel"]));
            let number = |key: &str| case[key].as_u64().unwrap() as usize;
            let padding = dims(&case["padding"]);
            let window = Window {
                kernel: [kernel[0], kernel[1]],
                stride: number("stride"),
                padding: [padding[0], padding[1]],
                dilation: number("dilation"),
            };
            let (units, depth) = (number("units"), shape[1] / number("groups"));
            let x = leaf(values(1, &shape));
            let weight = leaf(values(2, &[units, depth, kernel[0], kernel[1]]));
            let bias = leaf(values(3, &[units]));
            let what = format!("{shape:?} {window:?} {depth}");
            for engine in engines() {
                let (y, found) = run(engine, 4, &[&x, &weight, &bias], |engine| {
                    convolution(&x, &weight, Some(&bias), window, false, engine)
                });
                same_digest(&y, &case["y"], 2e-5, &what);
                same_digest(&found[0], &case["x_grad"], 2e-5, &what);
                same_digest(&found[1], &case["w_grad"], 2e-5, &what);
                same_digest(&found[2], &case["b_grad"], 2e-5, &what);
            }
        }
    }

    #[test]
    fn activations_are_pytorchs_on_both_paths() {
        for activation in Activation::ALL {
            let case = &golden()["activations"][format!("{activation:?}")];
            let x = leaf((values(1, &[60]) * 12.0).unwrap());
            for engine in engines() {
                let (y, found) = run(engine, 2, &[&x], |engine| activate(&x, activation, engine));
                same(&y, &case["y"], &format!("{activation:?}"));
                same(&found[0], &case["x_grad"], &format!("gradient of {activation:?}"));
            }
        }
    }

    #[test]
    fn normalisation_over_channels_is_pytorchs_on_both_paths() {
        for case in golden()["layer_norms"].as_array().unwrap() {
            let shape = dims(&case["shape"]);
            let x = leaf(values(1, &shape).affine(2.0, 0.5).unwrap());
            let gain = leaf(values(2, &shape[1..2]).affine(0.5, 1.0).unwrap());
            let offset = leaf(values(3, &shape[1..2]));
            let affine = Affine { gain: &gain, offset: &offset, epsilon: 1e-6 };
            for engine in engines() {
                let (y, found) =
                    run(engine, 4, &[&x, &gain, &offset], |engine| layer_norm(&x, affine, engine));
                same_digest(&y, &case["y"], 2e-5, "output");
                same_digest(&found[0], &case["x_grad"], 2e-5, "input");
                same_digest(&found[1], &case["gain_grad"], 2e-5, "gain");
                same_digest(&found[2], &case["offset_grad"], 2e-5, "offset");
            }
        }
    }

    #[test]
    fn gates_are_pytorchs_on_both_paths() {
        let case = &golden()["gates"];
        let x = leaf(values(1, &[2, 5, 4, 3]));
        for engine in engines() {
            let (y, found) = run(engine, 2, &[&x], |engine| {
                let means = squeeze(&x, engine)?;
                // Times three: a gate that is not flat.
                let three = Tensor::full(3f32, (5, 1, 1, 1), &Device::Cpu)?;
                let means = convolution(&means, &three, None, Window::POINT, false, engine)?;
                let gates = activate(&means, Activation::Sigmoid, engine)?;
                gated(&x, &gates, engine)
            });
            same(&y, &case["y"], "output");
            same(&found[0], &case["x_grad"], "input");
        }
    }

    #[test]
    fn scaled_branches_are_pytorchs_on_both_paths() {
        let case = &golden()["branches"];
        let (x, shortcut) = (leaf(values(1, &[3, 4, 2, 5])), leaf(values(2, &[3, 4, 2, 5])));
        let (scale, rows) = (leaf(values(3, &[4, 1, 1])), [0.0, 2.0, 2.0]);
        let factors = Branch { scale: Some(&scale), rows: Some(&rows) };
        for engine in engines() {
            let (y, found) = run(engine, 4, &[&x, &scale, &shortcut], |engine| {
                residual(&x, factors, &shortcut, engine)
            });
            same(&y, &case["y"], "output");
            same(&found[0], &case["x_grad"], "branch");
            same(&found[1], &case["scale_grad"], "scale");
            same(&found[2], &case["shortcut_grad"], "shortcut");
        }
        let bare = Branch { scale: None, rows: None };
        for mut engine in engines() {
            let y = residual(&x, bare, &shortcut, &mut engine).unwrap();
            let sum = (x.as_tensor() + shortcut.as_tensor()).unwrap();
            close(&flat(&y), &flat(&sum), 1e-6, "nothing scaled");
            assert!(residual(&x, bare, &scale, &mut engine).is_err());
        }
    }
}
