//! Layers against PyTorch (`tests/golden/network.py`), and the path of other devices against the
//! processor's.

use candle_core::{DType, Device, Result, Tensor, Var};
use proptest::prelude::*;
use serde_json::Value;

use super::norm::normalise;
use super::*;
use crate::tests::{dims, flat, golden, same, same_digest, values};

pub(crate) fn leaf(tensor: Tensor) -> Var {
    Var::from_tensor(&tensor).unwrap()
}

/// The two ways of computing layers.
pub(crate) fn engines() -> [Engine; 2] {
    [Engine::Processor(Some(Tape::default())), Engine::Composed(Precision::F32)]
}

/// A layer's output, and the gradients by `leaves` of its sum weighted by `values(seed)`.
pub(crate) fn run(
    mut engine: Engine,
    seed: u32,
    leaves: &[&Var],
    layer: impl FnOnce(&mut Engine) -> Result<Tensor>,
) -> (Tensor, Vec<Tensor>) {
    for leaf in leaves {
        if let Some(tape) = engine.tape() {
            tape.watch(leaf);
        }
    }
    let y = layer(&mut engine).unwrap();
    let weights = values(seed, y.dims());
    let gradients = match engine {
        Engine::Processor(tape) => {
            let results = vec![(y.id(), flat(&weights))];
            let mut gradients = tape.unwrap().backward(results).unwrap();
            leaves.iter().map(|leaf| gradients.take(leaf).unwrap().unwrap()).collect()
        }
        Engine::Composed(_) => {
            let store = (&y * weights).unwrap().sum_all().unwrap().backward().unwrap();
            leaves.iter().map(|leaf| store.get(leaf).unwrap().clone()).collect()
        }
        #[cfg(feature = "cuda")]
        Engine::Cuda(_) => unreachable!("cuda/tests.rs has its own"),
    };
    (y, gradients)
}

fn cases(kind: &str) -> Vec<Value> {
    golden()[kind].as_array().unwrap().clone()
}

fn number(case: &Value, key: &str) -> usize {
    case[key].as_u64().unwrap() as usize
}

fn square(case: &Value) -> Window {
    Window::square(number(case, "kernel"), number(case, "stride"), number(case, "padding"))
}

#[test]
fn max_pooling_is_pytorchs_on_both_paths() {
    for case in cases("max_pools") {
        for engine in engines() {
            let x = (values(1, &dims(&case["shape"])) * 3.0).unwrap();
            let x = leaf(x.floor().unwrap().maximum(0.0).unwrap());
            let (y, found) = run(engine, 2, &[&x], |engine| max_pool(&x, square(&case), engine));
            same(&y, &case["y"], "output");
            same(&found[0], &case["x_grad"], &format!("{:?}", square(&case)));
        }
    }
}

#[test]
fn max_pooling_passes_nan_on_and_refuses_what_has_no_maximum() {
    let x =
        Tensor::new(&[[[[1f32, f32::NAN, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]]], &Device::Cpu).unwrap();
    for mut engine in engines() {
        let y = flat(&max_pool(&x, Window::square(2, 2, 0), &mut engine).unwrap());
        assert!(y[0].is_nan() && y[1] == 8.0, "{y:?}");
        let low = Tensor::full(f32::NEG_INFINITY, (1, 1, 3, 3), &Device::Cpu).unwrap();
        let y = max_pool(&low, Window::square(3, 2, 1), &mut engine).unwrap();
        assert!(flat(&y).iter().all(|v| *v == f32::NEG_INFINITY));
        let three = Window::square(3, 2, 0);
        assert!(max_pool(&x, three, &mut engine).is_err(), "two rows hold no window of three");
        assert!(max_pool(&x, Window::square(2, 2, 2), &mut engine).is_err());
    }
}

#[test]
fn convolution_is_pytorchs_on_both_paths() {
    for case in cases("convolutions") {
        let (shape, kernel) = (dims(&case["shape"]), dims(&case["kernel"]));
        let (units, padding) = (number(&case, "units"), dims(&case["padding"]));
        let window = Window {
            kernel: [kernel[0], kernel[1]],
            stride: number(&case, "stride"),
            padding: [padding[0], padding[1]],
            dilation: 1,
        };
        let x = leaf(values(1, &shape));
        let weight = leaf(values(2, &[units, shape[1], kernel[0], kernel[1]]));
        let bias = leaf(values(3, &[units]));
        let what = format!("{shape:?} {window:?}");
        for engine in engines() {
            let (y, found) = run(engine, 4, &[&x, &weight, &bias], |engine| {
                convolution(&x, &weight, Some(&bias), window, false, engine)
            });
            same(&y, &case["y"], &what);
            same_digest(&found[0], &case["x_grad"], 2e-5, &what);
            same_digest(&found[1], &case["w_grad"], 2e-5, &what);
            same(&found[2], &case["b_grad"], &what);
        }
        for mut engine in engines() {
            // Without a bias.
            let y = convolution(&x, &weight, None, window, false, &mut engine).unwrap();
            let y = y.broadcast_add(&bias.reshape((1, units, 1, 1)).unwrap()).unwrap();
            same(&y, &case["y"], &what);
        }
    }
}

#[test]
fn a_rectified_convolution_is_a_convolution_and_a_relu() {
    let x = leaf(values(1, &[3, 16, 9, 9]));
    let weight = leaf(values(2, &[16, 16, 3, 3]));
    let bias = leaf(values(3, &[16]));
    let window = Window::square(3, 1, 1);
    let leaves = [&x, &weight, &bias];
    let apart = run(Engine::Processor(Some(Tape::default())), 4, &leaves, |engine| {
        let y = convolution(&x, &weight, Some(&bias), window, false, engine)?;
        relu(&y, engine)
    });
    for engine in engines() {
        let (y, found) = run(engine, 4, &leaves, |engine| {
            convolution(&x, &weight, Some(&bias), window, true, engine)
        });
        near(&y, &apart.0);
        for (a, b) in found.iter().zip(&apart.1) {
            near(a, b);
        }
    }
}

#[test]
fn batch_normalisation_is_pytorchs_on_both_paths() {
    let training = |case: &Value| case["training"].as_bool().unwrap();
    for case in cases("norms").into_iter().filter(training) {
        let relu = case["relu"].as_bool().unwrap();
        let x = leaf(values(1, &[3, 4, 5, 3]).affine(2.0, 0.5).unwrap());
        let shortcut = leaf(values(2, &[3, 4, 5, 3]));
        let gain = leaf(values(3, &[4]).affine(0.5, 1.0).unwrap());
        let offset = leaf(values(4, &[4]));
        // The epsilon of PyTorch's default, of ResNet, and of Inception.
        let epsilon = case["epsilon"].as_f64().unwrap() as f32;
        let affine = Affine { gain: &gain, offset: &offset, epsilon };
        let what = format!("relu {relu}, epsilon {epsilon}");
        for engine in engines() {
            let mut moments = None;
            let leaves = [&x, &shortcut, &gain, &offset];
            let (y, found) = run(engine, 7, &leaves, |engine| {
                let (y, of) = normalise(&x, affine, Some(&shortcut), relu, engine)?;
                moments = Some(of);
                Ok(y)
            });
            same(&y, &case["y"], &what);
            same(&found[0], &case["x_grad"], &what);
            same_digest(&found[1], &case["shortcut_grad"], 2e-5, &what);
            same(&found[2], &case["gain_grad"], &what);
            same(&found[3], &case["offset_grad"], &what);
            let Moments { mean, variance } = moments.unwrap();
            let blend = |old: Tensor, new: Tensor, share: f64| {
                ((old * 0.9).unwrap() + (new * share).unwrap()).unwrap()
            };
            same(&blend(values(5, &[4]), mean, 0.1), &case["mean"], &what);
            // 45 values per channel, unbiased.
            let running = values(6, &[4]).affine(0.5, 1.0).unwrap();
            same(&blend(running, variance, 0.1 * 45.0 / 44.0), &case["variance"], &what);
        }
        // Without a shortcut: as with a shortcut of zeros.
        let zeros = leaf(x.zeros_like().unwrap());
        for (a, b) in engines().into_iter().zip(engines()) {
            let leaves = [&x, &gain, &offset];
            let of = |engine, shortcut: Option<&Tensor>| {
                run(engine, 7, &leaves, |engine| {
                    Ok(normalise(&x, affine, shortcut, relu, engine)?.0)
                })
            };
            let (bare, with) = (of(a, None), of(b, Some(&zeros)));
            assert_eq!(flat(&bare.0), flat(&with.0));
            for (a, b) in bare.1.iter().zip(&with.1) {
                assert_eq!(flat(a), flat(b));
            }
        }
    }
}

/// What inference does by running statistics is PyTorch's batch normalisation in evaluation: a fixed
/// convolution of one value per unit, by 1, leaves the normalisation alone.
#[test]
fn folded_normalisation_is_pytorchs_on_both_paths() {
    let training = |case: &Value| case["training"].as_bool().unwrap();
    for case in cases("norms").into_iter().filter(|case| !training(case)) {
        let relu = case["relu"].as_bool().unwrap();
        let x = leaf(values(1, &[3, 4, 5, 3]).affine(2.0, 0.5).unwrap());
        let shortcut = leaf(values(2, &[3, 4, 5, 3]));
        let gain = values(3, &[4]).affine(0.5, 1.0).unwrap();
        let epsilon = case["epsilon"].as_f64().unwrap() as f32;
        let affine = Affine { gain: &gain, offset: &values(4, &[4]), epsilon };
        let variance = values(6, &[4]).affine(0.5, 1.0).unwrap();
        let moments = Moments { mean: values(5, &[4]), variance };
        let identity = Tensor::eye(4, DType::F32, &Device::Cpu).unwrap();
        let weight = identity.reshape((4, 4, 1, 1)).unwrap();
        let fixed = std::sync::Arc::new(Fixed::folded(&weight, affine, &moments).unwrap());
        let what = format!("relu {relu}, epsilon {epsilon}");
        for engine in engines() {
            let activation = if relu { Activation::Relu } else { Activation::Identity };
            let (y, found) = run(engine, 7, &[&x, &shortcut], |engine| {
                convolution_fixed(&x, &fixed, Window::POINT, Some(&shortcut), activation, engine)
            });
            same(&y, &case["y"], &what);
            same(&found[0], &case["x_grad"], &what);
            same_digest(&found[1], &case["shortcut_grad"], 2e-5, &what);
        }
    }
}

#[test]
fn batch_normalisation_keeps_its_precision_far_from_zero() {
    let x = values(1, &[4, 2, 40, 40]).affine(0.01, 100.0).unwrap();
    let (mean, variance) = crate::cpu::norm::moments(&flat(&x), 2, 1600);
    let exact: Vec<f64> = flat(&x).iter().map(|&v| f64::from(v)).collect();
    for c in 0..2 {
        let of: Vec<f64> = exact.chunks(1600).skip(c).step_by(2).flatten().copied().collect();
        let centre = of.iter().sum::<f64>() / of.len() as f64;
        let spread = of.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / of.len() as f64;
        assert!((f64::from(mean[c]) - centre).abs() < 1e-5);
        assert!((f64::from(variance[c]) / spread - 1.0).abs() < 1e-3, "{} {spread}", variance[c]);
    }
}

#[test]
fn adaptive_average_pooling_is_pytorchs() {
    for case in cases("adaptive") {
        let size = dims(&case["size"]);
        let x = leaf(values(1, &[2, 3, size[0], size[1]]));
        for engine in engines() {
            let (y, found) = run(engine, 2, &[&x], |engine| adaptive_average(&x, 6, engine));
            assert_eq!(y.dims(), [2, 3, 6, 6]);
            same_digest(&y, &case["y"], 2e-5, &format!("{size:?}"));
            same(&found[0], &case["x_grad"], &format!("{size:?}"));
        }
    }
}

#[test]
fn average_pooling_is_pytorchs_on_both_paths() {
    for case in cases("average_pools") {
        let x = leaf(values(1, &dims(&case["shape"])));
        for engine in engines() {
            let (y, found) =
                run(engine, 2, &[&x], |engine| average_pool(&x, square(&case), engine));
            same(&y, &case["y"], "output");
            same(&found[0], &case["x_grad"], &format!("{:?}", square(&case)));
        }
    }
    let x = values(1, &[1, 1, 4, 4]);
    for mut engine in engines() {
        assert!(average_pool(&x, Window::square(5, 3, 0), &mut engine).is_err(), "no window fits");
    }
}

#[test]
fn joined_maps_hand_each_its_own_gradient() {
    let (a, b) = (leaf(values(1, &[2, 3, 4, 5])), leaf(values(2, &[2, 1, 4, 5])));
    for engine in engines() {
        let (y, found) = run(engine, 3, &[&a, &b], |engine| {
            let maps = [a.as_tensor().clone(), b.as_tensor().clone(), a.as_tensor().clone()];
            concatenate(&maps, engine)
        });
        assert_eq!(y.dims(), [2, 7, 4, 5]);
        let grad = values(3, &[2, 7, 4, 5]);
        let part = |first, count| grad.narrow(1, first, count).unwrap();
        near(&found[0], &(part(0, 3) + part(4, 3)).unwrap());
        near(&found[1], &part(3, 1));
    }
}

/// Two layers of a dense block, the second of which sees one map more: as if its input were put together.
#[test]
fn maps_side_by_side_are_normalised_as_if_they_were_joined() {
    // More values than one of the sums of single precision holds.
    let map = |seed, channels| leaf(values(seed, &[2, channels, 40, 30]));
    let (a, b, c) = (map(1, 3), map(2, 1), map(3, 4));
    let [gain, offset, more_gain, more_offset] =
        [(4, 4), (5, 4), (6, 8), (7, 8)].map(|(seed, count)| leaf(values(seed, &[count])));
    let leaves = [&a, &b, &c, &gain, &offset, &more_gain, &more_offset];
    let statistics = |count: usize| leaf(Tensor::zeros(count, DType::F32, &Device::Cpu).unwrap());
    for trains in [true, false] {
        let layers = |side_by_side: bool, engine: &mut Engine| -> Result<(Tensor, [Var; 4])> {
            let running = [4, 4, 8, 8].map(statistics);
            let mut maps = Beside::new(a.as_tensor().clone());
            maps.push(b.as_tensor().clone(), engine)?;
            let mut seen = Vec::new();
            for (i, (gain, offset)) in
                [(&gain, &offset), (&more_gain, &more_offset)].into_iter().enumerate()
            {
                let affine = Affine { gain, offset, epsilon: 1e-5 };
                let (mean, variance) = (&running[2 * i], &running[2 * i + 1]);
                let fixed = Moments {
                    mean: values(8, gain.dims()),
                    variance: (values(9, gain.dims()).sqr()? + 0.5)?,
                };
                let running = Running { mean, variance, share: 0.1 };
                seen.push(match (side_by_side, trains) {
                    (true, true) => normalise_beside(&maps, affine, running, engine)?,
                    (true, false) => normalise_fixed_beside(&maps, affine, &fixed, engine)?,
                    (false, true) => {
                        let x = maps.joined(engine)?;
                        normalise_in_training(&x, affine, running, None, true, engine)?
                    }
                    (false, false) => {
                        let x = maps.joined(engine)?;
                        normalise_fixed(&x, affine, &fixed, true, engine)?
                    }
                });
                if i == 0 {
                    maps.push(c.as_tensor().clone(), engine)?;
                }
            }
            Ok((concatenate(&seen, engine)?, running))
        };
        // Fixed, the gains and offsets have no gradient.
        let leaves = if trains { &leaves[..] } else { &leaves[..3] };
        let [joined, beside, composed] = [(false, 0), (true, 0), (true, 1)].map(|(how, engine)| {
            let [processor, composed] = engines();
            let engine = if engine == 0 { processor } else { composed };
            let mut statistics = None;
            let (y, found) = run(engine, 10, leaves, |engine| {
                let (y, running) = layers(how, engine)?;
                statistics = Some(running);
                Ok(y)
            });
            (y, found, statistics.unwrap())
        });
        // The same sums in the same order: to the last digit.
        assert_eq!(flat(&joined.0), flat(&beside.0));
        near(&composed.0, &beside.0);
        for ((joined, beside), composed) in joined.1.iter().zip(&beside.1).zip(&composed.1) {
            assert_eq!(flat(joined), flat(beside));
            near(composed, beside);
        }
        for (joined, beside) in joined.2.iter().zip(&beside.2) {
            assert_eq!(flat(joined), flat(beside));
        }
    }
}

#[test]
fn maps_of_different_sizes_are_not_side_by_side() {
    let [mut engine, _] = engines();
    let mut maps = Beside::new(values(1, &[2, 3, 4, 5]));
    maps.push(values(2, &[2, 1, 5, 4]), &mut engine).unwrap();
    // As many values in each plane, and yet not the same.
    let [gain, offset] = [3, 4].map(|seed| values(seed, &[4]));
    let moments = Moments { mean: gain.clone(), variance: gain.sqr().unwrap() };
    let affine = Affine { gain: &gain, offset: &offset, epsilon: 1e-5 };
    assert!(normalise_fixed_beside(&maps, affine, &moments, &mut engine).is_err());
}

#[test]
fn global_averages_agree_on_both_paths() {
    let x = leaf(values(1, &[2, 3, 9, 8]));
    for corner in [None, Some(7)] {
        let [a, b] =
            engines().map(|engine| run(engine, 2, &[&x], |e| global_average(&x, corner, e)));
        assert_eq!(a.0.dims(), [2, 3]);
        near(&a.0, &b.0);
        near(&a.1[0], &b.1[0]);
    }
}

#[test]
fn half_precision_rounds_the_factors_and_nothing_else() {
    let bias = leaf(values(3, &[4]));
    let (x, weight) = (leaf(values(1, &[2, 3, 8, 8])), leaf(values(2, &[4, 3, 1, 7])));
    let of = |precision| {
        let (y, mut found) = run(Engine::Composed(precision), 4, &[&x, &weight, &bias], |_| {
            // On the processor Candle has no convolution of bfloat16: this one stands for it.
            let y = in_precision(&x, &weight, precision, |x, weight| {
                let dtype = x.dtype();
                assert_eq!(weight.dtype(), dtype);
                let (x, weight) = (x.to_dtype(DType::F32)?, weight.to_dtype(DType::F32)?);
                x.conv2d(&weight, 0, 1, 1, 1)?.to_dtype(dtype)
            });
            y?.broadcast_add(&bias.reshape((1, 4, 1, 1))?)
        });
        found.insert(0, y);
        found
    };
    half_is_close(&of(Precision::F32), &of(Precision::Bf16));

    let (x, weight) = (leaf(values(1, &[5, 40])), leaf(values(2, &[4, 40])));
    let of = |precision| {
        let (y, mut found) = run(Engine::Composed(precision), 4, &[&x, &weight, &bias], |engine| {
            linear(&x, &weight, &bias, false, engine)
        });
        found.insert(0, y);
        found
    };
    half_is_close(&of(Precision::F32), &of(Precision::Bf16));
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
    for engine in engines() {
        let x = leaf(
            Tensor::new(&[-1f32, -0.0, 0.0, 2.0, f32::INFINITY, f32::NAN], &Device::Cpu).unwrap(),
        );
        let (y, found) = run(engine, 1, &[&x], |engine| relu(&x, engine));
        let y = flat(&y);
        assert_eq!(y[..5], [0.0, 0.0, 0.0, 2.0, f32::INFINITY]);
        assert!(y[5].is_nan());
        let weights = flat(&values(1, &[6]));
        assert_eq!(flat(&found[0])[..5], [0.0, 0.0, 0.0, weights[3], weights[4]]);
    }
}

#[test]
fn linear_agrees_on_both_paths() {
    for (images, inputs, outputs) in
        [(1, 5, 3), (4, 7, 9), (33, 70, 2), (3, 2050, 7), (9, 1024, 50)]
    {
        let x = leaf(values(1, &[images, inputs]));
        let weight = leaf(values(2, &[outputs, inputs]));
        let bias = leaf(values(3, &[outputs]));
        for rectified in [false, true] {
            let [a, b] = engines().map(|engine| {
                run(engine, 4, &[&x, &weight, &bias], |engine| {
                    linear(&x, &weight, &bias, rectified, engine)
                })
            });
            near(&a.0, &b.0);
            for (a, b) in a.1.iter().zip(&b.1) {
                near(a, b);
            }
        }
    }
}

#[test]
fn dropout_keeps_half_and_the_mean() {
    use rand::SeedableRng;
    for engine in engines() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let x = leaf(Tensor::ones((100, 101), DType::F32, &Device::Cpu).unwrap());
        let (y, found) = run(engine, 1, &[&x], |engine| dropout(&x, &mut rng, engine));
        assert!(flat(&y).iter().all(|v| *v == 0.0 || *v == 2.0));
        let mean = flat(&y).iter().sum::<f32>() / 10_100.0;
        assert!((mean - 1.0).abs() < 0.05, "{mean}");
        assert_eq!(flat(&found[0]), flat(&(&y * values(1, &[100, 101])).unwrap()));
        let [mut engine, _] = engines();
        assert_ne!(flat(&dropout(&x, &mut rng, &mut engine).unwrap()), flat(&y));
    }
}

/// Equal but for rounding. Inputs and weights are of the size of one: where their sum happens to vanish, its
/// rounding does not, so no less than one counts as the greatest value.
#[track_caller]
fn near(a: &Tensor, b: &Tensor) {
    assert_eq!(a.dims(), b.dims());
    let (a, b) = (flat(a), flat(b));
    let greatest = b.iter().fold(1f32, |m, v| m.max(v.abs()));
    for (a, b) in a.iter().zip(&b) {
        assert!((a - b).abs() <= 2e-5 * greatest, "{a} {b}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convolution_agrees_on_both_paths(
        images in 1usize..5, channels in 1usize..5, units in 1usize..6,
        height in 1usize..14, width in 1usize..30,
        kernel in [1usize..5, 1usize..5], stride in 1usize..4, padding in [0usize..4, 0usize..4],
        dilation in 1usize..3,
    ) {
        let window = Window { kernel, stride, padding, dilation };
        prop_assume!(!window.output([height, width]).contains(&0));
        let x = leaf(values(1, &[images, channels, height, width]));
        let weight = leaf(values(2, &[units, channels, kernel[0], kernel[1]]));
        let [a, b] = engines().map(|engine| {
            run(engine, 3, &[&x, &weight], |e| convolution(&x, &weight, None, window, false, e))
        });
        near(&a.0, &b.0);
        for (a, b) in a.1.iter().zip(&b.1) {
            near(a, b);
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
        let [a, b] = engines().map(|engine| run(engine, 9, &[&x], |e| max_pool(&x, window, e)));
        prop_assert_eq!(flat(&a.0), flat(&b.0));
        near(&a.1[0], &b.1[0]);
        let [a, b] = engines().map(|engine| run(engine, 9, &[&x], |e| average_pool(&x, window, e)));
        near(&a.0, &b.0);
        near(&a.1[0], &b.1[0]);
    }
}
