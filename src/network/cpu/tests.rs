//! Every algorithm against its definition in plain loops, in double precision.

use proptest::prelude::*;

use super::convolution::{self, Finish, Geometry};
use super::{dense, pool, winograd};
use crate::layers::{Activation, Window};

/// Numbers between -1 and 1 without a pattern.
fn values(seed: u32, len: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// Output, gradient by the input and gradient by the weight.
struct Plain {
    y: Vec<f64>,
    x: Vec<f64>,
    weight: Vec<f64>,
}

/// A convolution and its gradients as they are defined.
fn plain(g: &Geometry, x: &[f32], weight: &[f32], grad: &[f32]) -> Plain {
    let [rows, columns] = g.output();
    let Window { kernel: [high, wide], stride, padding, dilation } = g.window;
    let (depth, share) = (g.channels / g.groups, g.units / g.groups);
    let mut found = Plain {
        y: vec![0.0; g.images * g.units * rows * columns],
        x: vec![0.0; x.len()],
        weight: vec![0.0; weight.len()],
    };
    for (out, grad) in grad.iter().enumerate() {
        let (image, unit) = (out / columns / rows / g.units, out / columns / rows % g.units);
        let (row, column) = (out / columns % rows, out % columns);
        for (tap, weight) in
            weight[unit * depth * high * wide..][..depth * high * wide].iter().enumerate()
        {
            let channel = unit / share * depth + tap / wide / high;
            let y = (row * stride + tap / wide % high * dilation).wrapping_sub(padding[0]);
            let at = (column * stride + tap % wide * dilation).wrapping_sub(padding[1]);
            if y >= g.size[0] || at >= g.size[1] {
                continue;
            }
            let from = ((image * g.channels + channel) * g.size[0] + y) * g.size[1] + at;
            found.y[out] += f64::from(x[from]) * f64::from(*weight);
            found.x[from] += f64::from(*grad) * f64::from(*weight);
            found.weight[unit * depth * high * wide + tap] += f64::from(*grad) * f64::from(x[from]);
        }
    }
    found
}

/// The greatest distance, relative to the greatest value, or to one where all are smaller: inputs and
/// weights are of that size, and where their sum vanishes its rounding does not.
fn distance(found: &[f32], plain: &[f64]) -> f64 {
    assert_eq!(found.len(), plain.len());
    let greatest = plain.iter().fold(1.0, |m: f64, v| m.max(v.abs()));
    found.iter().zip(plain).fold(0.0, |m: f64, (a, b)| m.max((f64::from(*a) - b).abs())) / greatest
}

/// Distances of output, gradient by the input and gradient by the weight from the plain loops.
fn distances(g: &Geometry) -> [f64; 3] {
    let [rows, columns] = g.output();
    let x = values(1, g.images * g.channels * g.plane());
    let weight = values(2, g.units * (g.channels / g.groups) * g.taps());
    let grad = values(3, g.images * g.units * rows * columns);
    let plain = plain(g, &x, &weight, &grad);
    let transformed = convolution::transformed(g, &weight);
    let y = convolution::forward(g, &x, &weight, transformed.as_ref(), Finish::default());
    [
        distance(&y, &plain.y),
        distance(&convolution::input_gradient(g, &grad, &weight), &plain.x),
        distance(&convolution::weight_gradient(g, &x, &grad), &plain.weight),
    ]
}

fn geometry(
    images: usize,
    channels: usize,
    units: usize,
    size: [usize; 2],
    window: Window,
) -> Geometry {
    Geometry { images, channels, size, units, window, groups: 1 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convolution_is_its_definition(
        images in 1usize..5, channels in 1usize..5, units in 1usize..5, groups in 1usize..4,
        size in [1usize..16, 1usize..30], kernel in [1usize..6, 1usize..6],
        stride in 1usize..4, padding in [0usize..5, 0usize..5], dilation in 1usize..4,
    ) {
        let window = Window { kernel, stride, padding, dilation };
        prop_assume!(!window.output(size).contains(&0));
        let (channels, units) = (channels * groups, units * groups);
        let g = Geometry { images, channels, size, units, window, groups };
        for distance in distances(&g) {
            prop_assert!(distance < 1e-5, "{distance} {g:?}");
        }
    }

    #[test]
    fn winograds_convolution_is_its_definition(
        images in 1usize..4, channels in 16usize..40, units in 16usize..40,
        size in [5usize..20, 5usize..40], wide: bool, padding in [0usize..3, 0usize..3],
    ) {
        let kernel = if wide { 5 } else { 3 };
        let window = Window { padding, ..Window::square(kernel, 1, 0) };
        let g = geometry(images, channels, units, size, window);
        prop_assume!(winograd::wins(&g));
        for distance in distances(&g) {
            prop_assert!(distance < 2e-5, "{distance} {g:?}");
        }
    }
}

#[test]
fn convolutions_of_the_networks_are_their_definition() {
    for (images, channels, units, size, window) in [
        // Larger than a tile, with a remainder; several images in a tile; every stride.
        (3, 2, 3, 37, Window::square(3, 1, 1)),
        (2, 3, 4, 75, Window::square(7, 2, 3)),
        (2, 3, 4, 113, Window::square(11, 4, 2)),
        (3, 5, 7, 50, Window::POINT),
        (3, 5, 7, 50, Window::square(1, 2, 0)),
        (3, 2, 3, 5, Window::square(3, 1, 1)),
        (2, 24, 16, 17, Window { kernel: [1, 7], padding: [0, 3], ..Window::POINT }),
        // Many channels on few positions, and the reverse; more tiles than a block has.
        (2, 300, 290, 4, Window::square(3, 1, 1)),
        (1, 16, 17, 150, Window::square(3, 1, 1)),
        (9, 16, 16, 13, Window::square(5, 1, 2)),
    ] {
        let g = geometry(images, channels, units, [size; 2], window);
        for distance in distances(&g) {
            assert!(distance < 2e-5, "{distance} {g:?}");
        }
    }
}

/// How far Winograd's convolution of a deep layer is from the definition, beside unfolding's: the sums
/// run over many channels here, as in the networks.
#[test]
fn winograds_rounding_is_small() {
    let g = geometry(1, 256, 32, [14; 2], Window::square(3, 1, 1));
    let found = distances(&g);
    assert!(found.iter().all(|distance| *distance < 2e-5), "{found:?}");
}

#[test]
fn a_convolution_is_finished_alike_by_every_algorithm() {
    for (channels, groups, window) in [
        (16, 1, Window::square(3, 1, 1)),
        (16, 1, Window::square(3, 2, 1)),
        (16, 1, Window::POINT),
        (16, 4, Window::square(3, 1, 1)),
    ] {
        let g = Geometry { groups, ..geometry(5, channels, 16, [11, 13], window) };
        let x = values(1, g.images * g.channels * g.plane());
        let weight = values(2, g.units * g.channels / g.groups * g.taps());
        let transformed = convolution::transformed(&g, &weight);
        let run = |finish| convolution::forward(&g, &x, &weight, transformed.as_ref(), finish);
        let bare = run(Finish::default());
        let (bias, shortcut) = (values(3, g.units), values(4, bare.len()));
        let plane = g.positions();
        for relu in [false, true] {
            let expected = bare.iter().enumerate().map(|(i, v)| {
                let v = v + bias[i / plane % g.units] + shortcut[i];
                if relu { v.max(0.0) } else { v }
            });
            let activation = if relu { Activation::Relu } else { Activation::Identity };
            let finish = Finish { bias: Some(&bias), shortcut: Some(&shortcut), activation };
            for (found, expected) in run(finish).iter().zip(expected) {
                assert!((found - expected).abs() < 1e-5);
            }
            let expected = bare.iter().enumerate().map(|(i, v)| {
                let v = v + bias[i / plane % g.units];
                if relu { v.max(0.0) } else { v }
            });
            let finish = Finish { bias: Some(&bias), shortcut: None, activation };
            for (found, expected) in run(finish).iter().zip(expected) {
                assert!((found - expected).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn dense_products_are_their_definition() {
    for [images, inputs, outputs] in
        [[1, 1024, 1], [3, 1500, 50], [8, 2049, 97], [16, 1030, 49], [17, 1030, 5], [4, 12, 9]]
    {
        let (x, weight) = (values(1, images * inputs), values(2, outputs * inputs));
        let mut found = vec![0.5; images * outputs];
        dense::forward(&x, &weight, [images, inputs, outputs], &mut found);
        let plain: Vec<f64> = (0..images * outputs)
            .map(|i| {
                let (x, weight) = (&x[i / outputs * inputs..], &weight[i % outputs * inputs..]);
                0.5 + (0..inputs).map(|k| f64::from(x[k]) * f64::from(weight[k])).sum::<f64>()
            })
            .collect();
        assert!(distance(&found, &plain) < 1e-5, "{images} {inputs} {outputs}");
    }
}

#[test]
fn a_pooled_value_is_the_one_that_gets_the_gradient() {
    let window = Window::square(3, 2, 1);
    let x = values(1, 2 * 9 * 11);
    let y = pool::forward(&x, [9, 11], window);
    let grad: Vec<f32> = (1..=y.len()).map(|i| i as f32).collect();
    let by_x = pool::gradient(&x, &grad, [9, 11], window);
    let passed: f32 = by_x.iter().zip(&x).map(|(g, x)| g * x).sum();
    let expected: f32 = y.iter().zip(&grad).map(|(y, g)| y * g).sum();
    assert!((passed - expected).abs() < 1e-2 * expected.abs().max(1.0), "{passed} {expected}");
}
