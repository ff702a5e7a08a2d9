//! Layers against PyTorch (`tests/golden/network.py`), against plain loops, and the path of other
//! devices against the processor's.

use candle_core::{DType, Device, Result, Tensor, Var};
use proptest::prelude::*;
use serde_json::Value;

use super::conv::convolution_composed;
use super::linear::linear_composed;
use super::norm::normalise_composed;
use super::pool::{average_pool_composed, max_pool_composed};
use super::*;
use crate::network::Precision;
use crate::network::tests::{dims, flat, golden, same, same_digest, values};

fn leaf(tensor: Tensor) -> Var {
    Var::from_tensor(&tensor).unwrap()
}

/// Gradients by `leaves` of the sum of `y` weighted by `values(seed)`.
fn gradients(y: &Tensor, seed: u32, leaves: &[&Var]) -> Vec<Tensor> {
    let loss = (y * values(seed, y.dims())).unwrap().sum_all().unwrap();
    let store = loss.backward().unwrap();
    leaves.iter().map(|leaf| store.get(leaf).unwrap().clone()).collect()
}

fn cases(kind: &str) -> Vec<Value> {
    golden()[kind].as_array().unwrap().clone()
}

fn number(case: &Value, key: &str) -> usize {
    case[key].as_u64().unwrap() as usize
}

#[test]
fn max_pooling_is_pytorchs_on_both_paths() {
    for path in [max_pool, max_pool_composed] {
        for case in cases("max_pools") {
            let window = Window::square(
                number(&case, "kernel"),
                number(&case, "stride"),
                number(&case, "padding"),
            );
            let x = (values(1, &dims(&case["shape"])) * 3.0).unwrap();
            let x = leaf(x.floor().unwrap().maximum(0.0).unwrap());
            let y = path(&x, window).unwrap();
            same(&y, &case["y"], "output");
            same(&gradients(&y, 2, &[&x])[0], &case["x_grad"], &format!("{window:?}"));
        }
    }
}

#[test]
fn max_pooling_passes_nan_on_and_refuses_what_has_no_maximum() {
    let x =
        Tensor::new(&[[[[1f32, f32::NAN, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]]], &Device::Cpu).unwrap();
    for path in [max_pool, max_pool_composed] {
        let y = flat(&path(&x, Window::square(2, 2, 0)).unwrap());
        assert!(y[0].is_nan() && y[1] == 8.0, "{y:?}");
    }
    let low = Tensor::full(f32::NEG_INFINITY, (1, 1, 3, 3), &Device::Cpu).unwrap();
    let y = max_pool(&low, Window::square(3, 2, 1)).unwrap();
    assert!(flat(&y).iter().all(|v| *v == f32::NEG_INFINITY));
    assert!(max_pool(&x, Window::square(3, 2, 0)).is_err(), "two rows hold no window of three");
    assert!(max_pool(&x, Window::square(2, 2, 2)).is_err());
}

#[test]
fn convolution_is_pytorchs_on_both_paths() {
    for path in [convolution as Convolver, convolution_composed] {
        for case in cases("convolutions") {
            let (shape, kernel) = (dims(&case["shape"]), dims(&case["kernel"]));
            let (units, padding) = (number(&case, "units"), dims(&case["padding"]));
            let window = Window {
                kernel: [kernel[0], kernel[1]],
                stride: number(&case, "stride"),
                padding: [padding[0], padding[1]],
            };
            let x = leaf(values(1, &shape));
            let weight = leaf(values(2, &[units, shape[1], kernel[0], kernel[1]]));
            let bias = leaf(values(3, &[units]));
            let y = path(&x, &weight, Some(&bias), window, Precision::F32).unwrap();
            let what = format!("{shape:?} {window:?}");
            same(&y, &case["y"], &what);
            let found = gradients(&y, 4, &[&x, &weight, &bias]);
            same_digest(&found[0], &case["x_grad"], 2e-5, &what);
            same_digest(&found[1], &case["w_grad"], 2e-5, &what);
            same(&found[2], &case["b_grad"], &what);
            // Without a bias.
            let y = (path(&x, &weight, None, window, Precision::F32).unwrap())
                .broadcast_add(&bias.reshape((1, units, 1, 1)).unwrap());
            same(&y.unwrap(), &case["y"], &what);
        }
    }
}

type Convolver = fn(&Tensor, &Tensor, Option<&Tensor>, Window, Precision) -> Result<Tensor>;

type Normaliser =
    fn(&Tensor, Affine<'_>, Statistics<'_>, Option<&Tensor>, bool) -> Result<(Tensor, Moments)>;

#[test]
fn batch_normalisation_is_pytorchs_on_both_paths() {
    for path in [normalise as Normaliser, normalise_composed] {
        for case in cases("norms") {
            let (training, relu) =
                (case["training"].as_bool().unwrap(), case["relu"].as_bool().unwrap());
            let x = leaf(values(1, &[3, 4, 5, 3]).affine(2.0, 0.5).unwrap());
            let shortcut = leaf(values(2, &[3, 4, 5, 3]));
            let gain = leaf(values(3, &[4]).affine(0.5, 1.0).unwrap());
            let offset = leaf(values(4, &[4]));
            // The epsilon of PyTorch's default, of ResNet, and of Inception.
            let epsilon = case["epsilon"].as_f64().unwrap() as f32;
            let affine = Affine { gain: &gain, offset: &offset, epsilon };
            let running = Moments {
                mean: values(5, &[4]),
                variance: values(6, &[4]).affine(0.5, 1.0).unwrap(),
            };
            let statistics = if training { Statistics::Batch } else { Statistics::Fixed(&running) };
            let (y, moments) = path(&x, affine, statistics, Some(&shortcut), relu).unwrap();
            let what = format!("training {training}, relu {relu}, epsilon {epsilon}");
            same(&y, &case["y"], &what);
            let found = gradients(&y, 7, &[&x, &shortcut, &gain, &offset]);
            same(&found[0], &case["x_grad"], &what);
            same_digest(&found[1], &case["shortcut_grad"], 2e-5, &what);
            same(&found[2], &case["gain_grad"], &what);
            same(&found[3], &case["offset_grad"], &what);
            if training {
                let blend = |old: &Tensor, new: &Tensor, share: f64| {
                    ((old * 0.9).unwrap() + (new * share).unwrap()).unwrap()
                };
                same(&blend(&running.mean, &moments.mean, 0.1), &case["mean"], &what);
                // 45 values per channel, unbiased.
                let share = 0.1 * 45.0 / 44.0;
                same(&blend(&running.variance, &moments.variance, share), &case["variance"], &what);
            }
            // Without a shortcut: as with a shortcut of zeros.
            let statistics =
                || if training { Statistics::Batch } else { Statistics::Fixed(&running) };
            let (bare, _) = path(&x, affine, statistics(), None, relu).unwrap();
            let zeros = x.zeros_like().unwrap();
            let (with, _) = path(&x, affine, statistics(), Some(&zeros), relu).unwrap();
            let leaves = [&x, &gain, &offset];
            assert_eq!(flat(&bare), flat(&with));
            for (a, b) in gradients(&bare, 7, &leaves).iter().zip(gradients(&with, 7, &leaves)) {
                assert_eq!(flat(a), flat(&b));
            }
        }
    }
}

#[test]
fn batch_normalisation_keeps_its_precision_far_from_zero() {
    let x = values(1, &[4, 2, 40, 40]).affine(0.01, 100.0).unwrap();
    let (mean, variance) = cpu_moments(&x);
    let exact: Vec<f64> = flat(&x).iter().map(|&v| f64::from(v)).collect();
    for c in 0..2 {
        let of: Vec<f64> = exact.chunks(1600).skip(c).step_by(2).flatten().copied().collect();
        let centre = of.iter().sum::<f64>() / of.len() as f64;
        let spread = of.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / of.len() as f64;
        assert!((f64::from(mean[c]) - centre).abs() < 1e-5);
        assert!((f64::from(variance[c]) / spread - 1.0).abs() < 1e-3, "{} {spread}", variance[c]);
    }
}

fn cpu_moments(x: &Tensor) -> (Vec<f32>, Vec<f32>) {
    crate::network::cpu::norm::moments(&flat(x), 2, 1600)
}

#[test]
fn adaptive_average_pooling_is_pytorchs() {
    for case in cases("adaptive") {
        let size = dims(&case["size"]);
        let x = leaf(values(1, &[2, 3, size[0], size[1]]));
        let y = adaptive_average(&x, 6).unwrap();
        assert_eq!(y.dims(), [2, 3, 6, 6]);
        same_digest(&y, &case["y"], 2e-5, &format!("{size:?}"));
        same(&gradients(&y, 2, &[&x])[0], &case["x_grad"], &format!("{size:?}"));
    }
}

#[test]
fn average_pooling_is_pytorchs_on_both_paths() {
    for path in [average_pool, average_pool_composed] {
        for case in cases("average_pools") {
            let window = Window::square(
                number(&case, "kernel"),
                number(&case, "stride"),
                number(&case, "padding"),
            );
            let x = leaf(values(1, &dims(&case["shape"])));
            let y = path(&x, window).unwrap();
            same(&y, &case["y"], "output");
            same(&gradients(&y, 2, &[&x])[0], &case["x_grad"], &format!("{window:?}"));
        }
    }
    let x = values(1, &[1, 1, 4, 4]);
    assert!(average_pool(&x, Window::square(5, 3, 0)).is_err(), "no window fits");
}

#[test]
fn half_precision_rounds_the_factors_and_nothing_else() {
    let bias = leaf(values(3, &[4]));
    let (x, weight) = (leaf(values(1, &[2, 3, 8, 8])), leaf(values(2, &[4, 3, 1, 7])));
    let of = |precision| {
        // On the processor Candle has no convolution of bfloat16: this one stands for it.
        let y = in_precision(&x, &weight, precision, |x, weight| {
            let dtype = x.dtype();
            assert_eq!(weight.dtype(), dtype);
            let (x, weight) = (x.to_dtype(DType::F32)?, weight.to_dtype(DType::F32)?);
            x.conv2d(&weight, 0, 1, 1, 1)?.to_dtype(dtype)
        });
        let y = y.unwrap().broadcast_add(&bias.reshape((1, 4, 1, 1)).unwrap()).unwrap();
        let mut found = gradients(&y, 4, &[&x, &weight, &bias]);
        found.insert(0, y);
        found
    };
    half_is_close(&of(Precision::F32), &of(Precision::Bf16));

    let (x, weight) = (leaf(values(1, &[5, 40])), leaf(values(2, &[4, 40])));
    let of = |precision| {
        let y = linear_composed(&x, &weight, &bias, precision).unwrap();
        let mut found = gradients(&y, 4, &[&x, &weight, &bias]);
        found.insert(0, y);
        found
    };
    half_is_close(&of(Precision::F32), &of(Precision::Bf16));
    // The processor's own loops know single precision only, and say so.
    assert!(linear(&x, &weight, &bias, Precision::Bf16).is_err());
}

/// The output and the gradients by input, weight and bias agree to bfloat16's 8 bits, and are not the
/// same but for the last, which no rounding touches.
#[track_caller]
fn half_is_close(single: &[Tensor], half: &[Tensor]) {
    for (i, (a, b)) in single.iter().zip(half).enumerate() {
        assert_eq!(b.dtype(), DType::F32);
        let (a, b) = (flat(a), flat(b));
        let greatest = a.iter().fold(0f32, |m, v| m.max(v.abs()));
        let off = a.iter().zip(&b).fold(0f32, |m, (a, b)| m.max((a - b).abs()));
        assert!(off < greatest / 64.0, "{i}: {off} of {greatest}");
        assert_eq!(off == 0.0, i == 3, "{i}: {off} of {greatest}");
    }
}

#[test]
fn relu_has_no_gradient_at_zero_on_both_paths() {
    for path in [relu, super::activation::relu_composed] {
        let x = leaf(
            Tensor::new(&[-1f32, -0.0, 0.0, 2.0, f32::INFINITY, f32::NAN], &Device::Cpu).unwrap(),
        );
        let y = path(&x).unwrap();
        let found = flat(&y);
        assert_eq!(found[..5], [0.0, 0.0, 0.0, 2.0, f32::INFINITY]);
        assert!(found[5].is_nan());
        let gradient = y.sum_all().unwrap().backward().unwrap().get(&x).unwrap().clone();
        assert_eq!(flat(&gradient)[..5], [0.0, 0.0, 0.0, 1.0, 1.0]);
    }
}

#[test]
fn linear_agrees_on_both_paths() {
    for (images, inputs, outputs) in [(1, 5, 3), (4, 7, 9), (33, 70, 2)] {
        let x = leaf(values(1, &[images, inputs]));
        let weight = leaf(values(2, &[outputs, inputs]));
        let bias = leaf(values(3, &[outputs]));
        let leaves = [&x, &weight, &bias];
        let y = linear(&x, &weight, &bias, Precision::F32).unwrap();
        let other = linear_composed(&x, &weight, &bias, Precision::F32).unwrap();
        near(&y, &other);
        for (a, b) in gradients(&y, 4, &leaves).iter().zip(gradients(&other, 4, &leaves)) {
            near(a, &b);
        }
    }
}

#[test]
fn dropout_keeps_half_and_the_mean() {
    use rand::SeedableRng;
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    let x = leaf(Tensor::ones((100, 101), DType::F32, &Device::Cpu).unwrap());
    let y = dropout(&x, &mut rng).unwrap();
    assert!(flat(&y).iter().all(|v| *v == 0.0 || *v == 2.0));
    let mean = flat(&y).iter().sum::<f32>() / 10_100.0;
    assert!((mean - 1.0).abs() < 0.05, "{mean}");
    let gradient = y.sum_all().unwrap().backward().unwrap().get(&x).unwrap().clone();
    assert_eq!(flat(&gradient), flat(&y));
    assert_ne!(flat(&dropout(&x, &mut rng).unwrap()), flat(&y));
}

#[track_caller]
fn near(a: &Tensor, b: &Tensor) {
    assert_eq!(a.dims(), b.dims());
    let (a, b) = (flat(a), flat(b));
    let greatest = b.iter().fold(1e-6f32, |m, v| m.max(v.abs()));
    for (a, b) in a.iter().zip(&b) {
        assert!((a - b).abs() <= 2e-5 * greatest, "{a} {b}");
    }
}

/// Convolution and its gradients by plain loops, in double precision.
fn by_loops(
    x: &Tensor,
    weight: &Tensor,
    grad_seed: u32,
    window: Window,
) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (images, channels, height, width) = x.dims4().unwrap();
    let units = weight.dim(0).unwrap();
    let [rows, columns] = window.output([height, width]);
    let [kh, kw] = window.kernel;
    let grad = flat(&values(grad_seed, &[images, units, rows, columns]));
    let (x, w) = (flat(x), flat(weight));
    let mut y = vec![0f64; images * units * rows * columns];
    let (mut gx, mut gw) = (vec![0f64; x.len()], vec![0f64; w.len()]);
    for n in 0..images {
        for u in 0..units {
            for r in 0..rows {
                for q in 0..columns {
                    let out = ((n * units + u) * rows + r) * columns + q;
                    for c in 0..channels {
                        for ky in 0..kh {
                            for kx in 0..kw {
                                let sy =
                                    (r * window.stride + ky) as isize - window.padding[0] as isize;
                                let sx =
                                    (q * window.stride + kx) as isize - window.padding[1] as isize;
                                if sy < 0 || sx < 0 || sy >= height as isize || sx >= width as isize
                                {
                                    continue;
                                }
                                let from = ((n * channels + c) * height + sy as usize) * width
                                    + sx as usize;
                                let tap = ((u * channels + c) * kh + ky) * kw + kx;
                                y[out] += f64::from(x[from]) * f64::from(w[tap]);
                                gx[from] += f64::from(grad[out]) * f64::from(w[tap]);
                                gw[tap] += f64::from(grad[out]) * f64::from(x[from]);
                            }
                        }
                    }
                }
            }
        }
    }
    (y, gx, gw)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convolution_agrees_with_plain_loops(
        images in 1usize..5, channels in 1usize..5, units in 1usize..6,
        height in 1usize..14, width in 1usize..30,
        kernel in [1usize..5, 1usize..5], stride in 1usize..4, padding in [0usize..4, 0usize..4],
    ) {
        let window = Window { kernel, stride, padding };
        prop_assume!(!window.output([height, width]).contains(&0));
        let x = leaf(values(1, &[images, channels, height, width]));
        let weight = leaf(values(2, &[units, channels, kernel[0], kernel[1]]));
        let (plain, by_x, by_weight) = by_loops(&x, &weight, 3, window);
        for path in [convolution as Convolver, convolution_composed] {
            let y = path(&x, &weight, None, window, Precision::F32).unwrap();
            let found = gradients(&y, 3, &[&x, &weight]);
            for (found, plain) in [(&y, &plain), (&found[0], &by_x), (&found[1], &by_weight)] {
                for (found, plain) in flat(found).into_iter().zip(plain) {
                    prop_assert!((f64::from(found) - plain).abs() < 1e-4, "{found} {plain}");
                }
            }
        }
    }

    #[test]
    fn pooling_agrees_on_both_paths(
        images in 1usize..3, channels in 1usize..3, height in 3usize..12, width in 3usize..12,
        kernel in 1usize..4, stride in 1usize..4, padded: bool, seed in 0u32..50,
    ) {
        let window = Window::square(kernel, stride, if padded { kernel / 2 } else { 0 });
        // Quarters: ties are common.
        let x = (values(seed, &[images, channels, height, width]) * 4.0).unwrap().floor().unwrap();
        let x = leaf(x);
        let (a, b) = (max_pool(&x, window).unwrap(), max_pool_composed(&x, window).unwrap());
        prop_assert_eq!(flat(&a), flat(&b));
        let (a, b) = (gradients(&a, 9, &[&x]), gradients(&b, 9, &[&x]));
        near(&a[0], &b[0]);
        let (a, b) = (average_pool(&x, window).unwrap(), average_pool_composed(&x, window).unwrap());
        near(&a, &b);
        let (a, b) = (gradients(&a, 9, &[&x]), gradients(&b, 9, &[&x]));
        near(&a[0], &b[0]);
    }
}

#[test]
fn large_maps_are_cut_into_tiles() {
    // Larger than a tile, with a remainder; several images; every stride.
    for (size, window) in [
        (37, Window::square(3, 1, 1)),
        (75, Window::square(7, 2, 3)),
        (113, Window::square(11, 4, 2)),
        (50, Window::POINT),
        (50, Window::square(1, 2, 0)),
        (5, Window::square(3, 1, 1)),
    ] {
        let x = leaf(values(1, &[3, 2, size, size]));
        let weight = leaf(values(2, &[3, 2, window.kernel[0], window.kernel[1]]));
        let y = convolution(&x, &weight, None, window, Precision::F32).unwrap();
        let found = gradients(&y, 3, &[&x, &weight]);
        let (plain, by_x, by_weight) = by_loops(&x, &weight, 3, window);
        for (found, plain) in [(&y, plain), (&found[0], by_x), (&found[1], by_weight)] {
            let greatest = plain.iter().fold(0f64, |m, v| m.max(v.abs()));
            for (found, plain) in flat(found).into_iter().zip(plain) {
                let off = (f64::from(found) - plain).abs();
                assert!(off < 1e-5 * greatest, "{found} {plain} {window:?}");
            }
        }
    }
}
