//! The engine against the processor's, layer by layer and network by network, on the first CUDA device.
//!
//! Where there is no card, the emulated one of `tests/cuda` runs the same kernels.

use candle_core::{DType, Device, Result, Tensor, Var};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::layers::{
    self, Activation, Affine, Engine, Fixed, Moments, Running, Window, adaptive_average,
    average_pool, concatenate, convolution, convolution_fixed, flatten, global_average, linear,
    max_pool, normalise_in_training, relu,
};
use crate::tests::{flat, values};
use architecture::{Design, MIN_AUXILIARY_INPUT, Precision};

use super::{Descent, descend};
use crate::Network;

fn card() -> Device {
    static CARD: std::sync::OnceLock<Device> = std::sync::OnceLock::new();
    let open = || {
        Device::new_cuda_with_stream(0).expect("a CUDA device, or the emulated one of tests/cuda")
    };
    CARD.get_or_init(open).clone()
}

/// A layer's output, and the gradients by `leaves` of its sum weighted by random numbers: on the device
/// of the leaves, all brought to the processor.
fn run(
    leaves: &[Tensor],
    precision: Precision,
    layer: impl Fn(&[Tensor], &mut Engine) -> Result<Tensor>,
) -> Vec<Tensor> {
    let device = leaves[0].device().clone();
    let mut engine = Engine::of(&device, precision).unwrap().recording();
    for leaf in leaves {
        engine.watch(leaf);
    }
    let y = layer(leaves, &mut engine).unwrap();
    let weights = values(99, y.dims());
    let gradients: Vec<Tensor> = match engine {
        Engine::Processor(tape) => {
            let results = vec![(y.id(), flat(&weights))];
            let mut gradients = tape.unwrap().backward(results).unwrap();
            leaves.iter().map(|leaf| gradients.take(leaf).unwrap().unwrap()).collect()
        }
        Engine::Cuda(mut engine) => {
            let record = engine.record(vec![y.clone()]).unwrap();
            // Twice the same: the record serves again, and nothing of it was changed.
            let mut first = record.rewind(&[Some(weights.clone())]).unwrap();
            let mut gradients = record.backward(&[Some(weights)]).unwrap();
            let all = leaves.iter().map(|leaf| {
                let of = |gradients: &mut super::Gradients<super::Gradient>| {
                    super::map::to_host(&gradients.take(leaf).unwrap().unwrap()).unwrap()
                };
                let (a, b) = (of(&mut first), of(&mut gradients));
                assert_eq!(flat(&a), flat(&b), "a step twice");
                b
            });
            all.collect()
        }
        Engine::Composed(_) => panic!("no card"),
    };
    let mut all = vec![super::map::to_host(&y).unwrap()];
    all.extend(gradients);
    all
}

/// ‖a − b‖ / ‖b‖; infinite where a number is none.
fn off(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.dims(), b.dims());
    let (a, b) = (flat(a), flat(b));
    let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|v| v * v).sum::<f64>().sqrt();
    let apart = norm(&mut a.iter().zip(&b).map(|(a, b)| f64::from(a - b)));
    let whole = norm(&mut b.iter().map(|b| f64::from(*b)));
    if apart.is_finite() { apart / whole.max(1e-20) } else { f64::INFINITY }
}

/// Runs a layer on both devices and compares, in single precision.
#[track_caller]
fn same(what: &str, leaves: &[Tensor], layer: impl Fn(&[Tensor], &mut Engine) -> Result<Tensor>) {
    let there: Vec<Tensor> = leaves.iter().map(|leaf| leaf.to_device(&card()).unwrap()).collect();
    for (precision, most) in
        [(Precision::F32, 3e-6), (Precision::Tf32, 3e-3), (Precision::Bf16, 3e-2)]
    {
        let ours = run(&there, precision, &layer);
        let theirs = run(leaves, Precision::F32, &layer);
        for (i, (a, b)) in ours.iter().zip(&theirs).enumerate() {
            let off = off(a, b);
            println!("{what} {precision:?} {i}: {off:.1e}");
            assert!(off < most, "{what}, {precision:?}, result {i}: off by {off:.1e}");
        }
    }
}

#[test]
fn convolutions_are_the_processors() {
    let row = Window { kernel: [1, 7], stride: 1, padding: [0, 3], dilation: 1 };
    let column = Window { kernel: [7, 1], stride: 1, padding: [3, 0], dilation: 1 };
    let shapes = [
        ([2, 3, 23, 23], 8, Window::square(7, 2, 3)),
        ([2, 3, 31, 31], 8, Window::square(11, 4, 2)),
        ([3, 8, 9, 10], 12, Window::square(3, 1, 1)),
        ([2, 16, 9, 9], 8, Window::square(3, 2, 0)),
        ([2, 16, 8, 8], 8, Window::square(3, 2, 1)),
        ([2, 16, 7, 7], 32, Window::POINT),
        ([2, 16, 7, 7], 8, Window::square(1, 2, 0)),
        ([2, 8, 7, 6], 8, row),
        ([2, 8, 7, 6], 8, column),
    ];
    for ([images, channels, rows, columns], units, window) in shapes {
        let x = values(1, &[images, channels, rows, columns]);
        let weight = values(2, &[units, channels, window.kernel[0], window.kernel[1]]);
        let bias = values(3, &[units]);
        let what = format!("{:?} {window:?}", x.dims());
        let plain = [x.clone(), weight.clone()];
        same(&what, &plain, |leaves, engine| {
            convolution(&leaves[0], &leaves[1], None, window, false, engine)
        });
        for rectified in [false, true] {
            // Far enough from zero that no rounding turns a ReLU: what is tested here is not that.
            let high = bias.affine(1.0, 200.0).unwrap();
            let bias = if rectified { high } else { bias.clone() };
            let all = [x.clone(), weight.clone(), bias];
            same(&format!("{what} bias, relu {rectified}"), &all, |leaves, engine| {
                convolution(&leaves[0], &leaves[1], Some(&leaves[2]), window, rectified, engine)
            });
        }
        let y = window.output([rows, columns]);
        let shortcut = values(5, &[images, units, y[0], y[1]]).affine(1.0, 300.0).unwrap();
        same(&format!("{what} fixed"), &[x, shortcut], |leaves, engine| {
            let device = leaves[0].device();
            let (weight, bias) = (weight.to_device(device)?, bias.to_device(device)?);
            let fixed = std::sync::Arc::new(Fixed::new(weight, bias));
            convolution_fixed(
                &leaves[0],
                &fixed,
                window,
                Some(&leaves[1]),
                Activation::Relu,
                engine,
            )
        });
    }
}

#[test]
fn normalisation_is_the_processors_with_its_running_statistics() {
    for channels in [4, 5, 64, 132] {
        let x = values(1, &[3, channels, 5, 7]).affine(2.0, 0.5).unwrap();
        let [gain, offset] = [3, 4].map(|seed| values(seed, &[channels]));
        let (gain, offset) = (gain.affine(0.5, 1.0).unwrap(), offset);
        let shortcut = values(2, &[3, channels, 5, 7]);
        for (shortcut, rectified) in
            [(None, false), (None, true), (Some(&shortcut), false), (Some(&shortcut), true)]
        {
            let leaves: Vec<Tensor> =
                [&x, &gain, &offset].into_iter().chain(shortcut).cloned().collect();
            let what =
                format!("{channels} channels, shortcut {}, relu {rectified}", shortcut.is_some());
            let there: Vec<Tensor> = leaves.iter().map(|l| l.to_device(&card()).unwrap()).collect();
            let of = |leaves: &[Tensor]| {
                let device = leaves[0].device();
                let var = |seed| {
                    Var::from_tensor(
                        &values(seed, &[channels])
                            .affine(0.5, 1.0)
                            .unwrap()
                            .to_device(device)
                            .unwrap(),
                    )
                    .unwrap()
                };
                let (mean, variance) = (var(5), var(6));
                let mut all = run(leaves, Precision::F32, |leaves, engine| {
                    let affine = Affine { gain: &leaves[1], offset: &leaves[2], epsilon: 1e-3 };
                    let running = Running { mean: &mean, variance: &variance, share: 0.1 };
                    normalise_in_training(
                        &leaves[0],
                        affine,
                        running,
                        leaves.get(3),
                        rectified,
                        engine,
                    )
                });
                all.push(super::map::to_host(&mean).unwrap());
                all.push(super::map::to_host(&variance).unwrap());
                all
            };
            for (i, (a, b)) in of(&there).iter().zip(&of(&leaves)).enumerate() {
                let off = off(a, b);
                println!("{what} {i}: {off:.1e}");
                assert!(off < 1e-5, "{what}, result {i}: off by {off:.1e}");
            }
        }
    }
}

#[test]
fn normalisation_keeps_its_precision_far_from_zero() {
    let x = values(1, &[4, 8, 40, 40]).affine(0.01, 100.0).unwrap();
    let (gain, offset) = (Tensor::ones(8, DType::F32, &Device::Cpu).unwrap(), values(4, &[8]));
    let of = |device: &Device| {
        let leaves: Vec<Tensor> =
            [&x, &gain, &offset].iter().map(|t| t.to_device(device).unwrap()).collect();
        let var = || Var::zeros(8, DType::F32, device).unwrap();
        let (mean, variance) = (var(), var());
        run(&leaves, Precision::F32, |leaves, engine| {
            let affine = Affine { gain: &leaves[1], offset: &leaves[2], epsilon: 1e-5 };
            let running = Running { mean: &mean, variance: &variance, share: 1.0 };
            normalise_in_training(&leaves[0], affine, running, None, false, engine)
        });
        [mean, variance].map(|v| super::map::to_host(&v).unwrap())
    };
    let (ours, theirs) = (of(&card()), of(&Device::Cpu));
    assert!(off(&ours[0], &theirs[0]) < 1e-7 && off(&ours[1], &theirs[1]) < 1e-4);
}

#[test]
fn folded_normalisation_is_the_processors() {
    let weight = values(1, &[6, 5, 3, 3]);
    let [gain, offset, mean] = [2, 3, 4].map(|seed| values(seed, &[6]));
    let variance = values(5, &[6]).affine(0.5, 1.0).unwrap();
    let of = |device: &Device| {
        let [weight, gain, offset, mean, variance] =
            [&weight, &gain, &offset, &mean, &variance].map(|t| t.to_device(device).unwrap());
        let affine = Affine { gain: &gain, offset: &offset, epsilon: 1e-3 };
        let fixed = std::sync::Arc::new(
            Fixed::folded(&weight, affine, &Moments { mean, variance }).unwrap(),
        );
        let x = values(7, &[2, 5, 6, 6]).to_device(device).unwrap();
        let mut engine = Engine::of(device, Precision::F32).unwrap();
        let (window, activation) = (Window::square(3, 1, 1), Activation::Identity);
        let y = convolution_fixed(&x, &fixed, window, None, activation, &mut engine);
        super::map::to_host(&y.unwrap()).unwrap()
    };
    assert!(off(&of(&card()), &of(&Device::Cpu)) < 3e-6);
}

#[test]
fn poolings_and_what_is_done_value_by_value_are_the_processors() {
    // Of few values, so that there are ties, and in sums without rounding; none is zero where a ReLU is.
    let ties = |dims: &[usize]| {
        (values(1, dims) * 4.0).unwrap().floor().unwrap().affine(1.0, 0.25).unwrap()
    };
    for channels in [3, 8] {
        let x = ties(&[2, channels, 9, 11]);
        for window in [
            Window::square(3, 2, 0),
            Window::square(3, 2, 1),
            Window::square(2, 2, 0),
            Window::square(3, 1, 1),
        ] {
            let x = std::slice::from_ref(&x);
            same(&format!("max {window:?}"), x, |l, e| max_pool(&l[0], window, e));
            same(&format!("average {window:?}"), x, |l, e| average_pool(&l[0], window, e));
        }
        let x = std::slice::from_ref(&x);
        same("adaptive 6", x, |l, e| adaptive_average(&l[0], 6, e));
        same("adaptive 7", x, |l, e| adaptive_average(&l[0], 7, e));
        same("adaptive 13", x, |l, e| adaptive_average(&l[0], 13, e));
        same("global", x, |l, e| global_average(&l[0], None, e));
        same("corner", x, |l, e| global_average(&l[0], Some(7), e));
        same("relu", x, |l, e| relu(&l[0], e));
        same("flatten", x, |l, e| flatten(&l[0], e));
        same("joined", &[x[0].clone(), ties(&[2, 5, 9, 11])], |l, e| {
            concatenate(&[l[0].clone(), l[1].clone(), l[0].clone()], e)
        });
    }
}

#[test]
fn linear_layers_are_the_processors() {
    for (images, inputs, outputs) in [(1, 5, 3), (4, 7, 9), (33, 70, 2), (32, 256, 64)] {
        let leaves =
            [values(1, &[images, inputs]), values(2, &[outputs, inputs]), values(3, &[outputs])];
        let what = format!("{images} x {inputs} to {outputs}");
        same(&what, &leaves, |l, e| linear(&l[0], &l[1], &l[2], false, e));
        let mut high = leaves.clone();
        high[2] = high[2].affine(1.0, 500.0).unwrap();
        same(&format!("{what} relu"), &high, |l, e| linear(&l[0], &l[1], &l[2], true, e));
    }
}

#[test]
fn dropout_keeps_half_the_mean_and_its_mask() {
    let device = card();
    let ones =
        Tensor::ones((100, 101), DType::F32, &Device::Cpu).unwrap().to_device(&device).unwrap();
    let of = |seed: u64| {
        let mut engine = Engine::of(&device, Precision::F32).unwrap().recording();
        engine.watch(&ones);
        let y = layers::dropout(&ones, &mut ChaCha8Rng::seed_from_u64(seed), &mut engine).unwrap();
        let Engine::Cuda(mut engine) = engine else { panic!("no card") };
        let weights = values(1, &[100, 101]);
        let record = engine.record(vec![y.clone()]).unwrap();
        let mut gradients = record.backward(&[Some(weights.clone())]).unwrap();
        let gradient = super::map::to_host(&gradients.take(&ones).unwrap().unwrap()).unwrap();
        let y = super::map::to_host(&y).unwrap();
        assert_eq!(flat(&gradient), flat(&(&y * weights).unwrap()));
        flat(&y)
    };
    let y = of(3);
    assert!(y.iter().all(|v| *v == 0.0 || *v == 2.0));
    let mean = y.iter().sum::<f32>() / 10_100.0;
    assert!((mean - 1.0).abs() < 0.05, "{mean}");
    // No column, row or block is a copy of another.
    assert_ne!(y[..101], y[101..202]);
    assert_ne!(y[..128], y[128..256]);
    assert_eq!(y, of(3));
    assert_ne!(y, of(4));
}

/// One step of all parameters; gradients channels-last and not, in single precision.
#[test]
fn a_step_of_descent_is_the_formula() {
    let device = card();
    let shapes: [&[usize]; 4] = [&[5, 3, 3, 3], &[7000], &[3, 4, 1, 1], &[2, 4097]];
    let up = |t: &Tensor| t.to_device(&device).unwrap();
    let sets: Vec<[Tensor; 3]> =
        shapes.iter().map(|dims| [1, 2, 3].map(|seed| values(seed, dims))).collect();
    let there: Vec<[Tensor; 3]> = sets
        .iter()
        .map(|[p, v, g]| {
            let engine = super::Engine::new(&device, Precision::F32).unwrap();
            let gradient = if g.rank() == 4 { engine.fixed_weight(&up(g)).unwrap() } else { up(g) };
            [up(p), up(v), gradient]
        })
        .collect();
    let groups: Vec<[&Tensor; 3]> = there.iter().map(|set| set.each_ref()).collect();
    descend(&groups, Descent { momentum: 0.9, weight_decay: 0.01, rate: 0.1 }).unwrap();
    for ([p, v, g], [p2, v2, _]) in sets.iter().zip(&there) {
        let (p, v, g) = (flat(p), flat(v), flat(g));
        let (p2, v2) =
            (flat(&super::map::to_host(p2).unwrap()), flat(&super::map::to_host(v2).unwrap()));
        for i in 0..p.len() {
            let velocity = 0.9 * v[i] + (g[i] + 0.01 * p[i]);
            assert!(
                (v2[i] - velocity).abs() < 1e-6 && (p2[i] - (p[i] - 0.1 * velocity)).abs() < 1e-6
            );
        }
    }
}

/// Everything a network computes, in inference and in two steps of training without dropout, by kind; with
/// `nudge`, of images whose values are moved by about one unit in their last place, at random.
fn everything(
    name: &str,
    input: u32,
    batch: usize,
    nudge: u32,
    device: &Device,
) -> Vec<(String, Tensor)> {
    let auxiliary = name == "inception_v3" && input >= MIN_AUXILIARY_INPUT;
    let design = Design { auxiliary, ..Design::default() };
    let network = Network::new(name, 3, input, 1, device).unwrap().with_design(design).unwrap();
    let edge = input as usize;
    let images = values(5, &[batch, 3, edge, edge]);
    let images = match nudge {
        0 => images,
        seed => {
            let share = values(100 + seed, images.dims()).affine(1.5e-7, 1.0).unwrap();
            (images * share).unwrap()
        }
    };
    let images = images.to_device(device).unwrap();
    let layers = network.layers();
    let mut all = vec![];
    let inference = network.inference();
    all.push(("logits".to_string(), inference.logits(&images).unwrap()));
    for (layer, map) in layers.iter().zip(inference.maps(&images, layers).unwrap()) {
        all.push((format!("maps {layer}"), map));
    }
    let sensitivity = inference.sensitivity(&images, layers).unwrap();
    for (layer, by) in layers.iter().zip(&sensitivity.gradients[1]) {
        all.push((format!("sensitivity {layer}"), by.clone()));
    }
    drop(inference);
    let mut velocities: Vec<Tensor> =
        network.parameters().iter().map(|(_, p)| p.zeros_like().unwrap()).collect();
    for step in 0..2 {
        let logits = network.train(&images, None).unwrap();
        all.push((format!("training {step}"), logits.main.detach()));
        let loss = logits.loss(|l| (l.sqr()? * 0.5)?.mean_all()).unwrap();
        let gradients = logits.backward(&loss, network.parameters()).unwrap();
        if step == 0 {
            for (parameter, p) in network.parameters() {
                if let Some(gradient) = gradients.get(p) {
                    all.push((format!("gradient {parameter}"), gradient.clone()));
                }
            }
        }
        let descent = Descent { momentum: 0.9, weight_decay: 1e-4, rate: 1e-3 };
        if device.is_cuda() {
            let groups: Vec<[&Tensor; 3]> = network
                .parameters()
                .iter()
                .zip(&velocities)
                .filter_map(|((_, p), v)| Some([p.as_tensor(), v, gradients.get(p)?]))
                .collect();
            descend(&groups, descent).unwrap();
        } else {
            for ((_, p), v) in network.parameters().iter().zip(&mut velocities) {
                let Some(gradient) = gradients.get(p) else { continue };
                let value = p.as_detached_tensor();
                let decayed = (gradient + (&value * 1e-4).unwrap()).unwrap();
                *v = ((&*v * 0.9).unwrap() + decayed).unwrap().detach();
                p.set(&(value - (&*v * 1e-3).unwrap()).unwrap()).unwrap();
            }
        }
    }
    for (name, tensor) in network.state().unwrap() {
        if tensor.dtype() == DType::F32 {
            all.push((format!("state {name}"), tensor));
        }
    }
    all.into_iter().map(|(name, tensor)| (name, super::map::to_host(&tensor).unwrap())).collect()
}

/// Compares a network on both devices; prints the worst of each kind. Where the processor is far from itself
/// when images are moved by their rounding, no more can be asked of another device: small changes turn
/// ReLUs and maxima, which moves gradients, and batch normalisation amplifies them.
fn network_is_the_processors(name: &str, input: u32, batch: usize) {
    let ours = everything(name, input, batch, 0, &card());
    let theirs = everything(name, input, batch, 0, &Device::Cpu);
    let worst = |all: &[(String, Tensor)]| {
        assert_eq!(all.len(), theirs.len());
        let mut worst = std::collections::BTreeMap::<String, (f64, String, Vec<f64>)>::new();
        for ((what, a), (same, b)) in all.iter().zip(&theirs) {
            assert_eq!(what, same);
            let kind = what.split(' ').next().unwrap_or_default();
            let entry = worst.entry(kind.to_string()).or_default();
            let off = off(a, b);
            entry.2.push(off);
            if off >= entry.0 {
                (entry.0, entry.1) = (off, what.clone());
            }
        }
        worst
    };
    let nudged = [1, 2].map(|seed| worst(&everything(name, input, batch, seed, &Device::Cpu)));
    let ours = worst(&ours);
    // A turned ReLU shows in some kind, not in each.
    let turned = |kind: &str| ["gradient", "sensitivity", "state", "training"].contains(&kind);
    let own = |kind: &str| {
        let each = nudged.iter().flatten();
        let alike = each.filter(|(other, _)| *other == kind || turned(kind) && turned(other));
        alike.map(|(_, (off, ..))| *off).fold(0.0, f64::max)
    };
    for (kind, (off, what, all)) in &ours {
        let mut all = all.clone();
        all.sort_by(f64::total_cmp);
        println!(
            "{name} {input} px, batch {batch}, {kind}: worst {off:.1e} ({what}), median {:.1e}; the \
             processor from itself {:.1e}",
            all[all.len() / 2],
            own(kind)
        );
    }
    for (kind, (off, what, _)) in &ours {
        // Two nudges may turn none where the card's rounding turns one, which moves a gradient of a small network
        // by up to a hundredth.
        let most: f64 = if turned(kind) { 2e-2 } else { 1e-4 };
        assert!(*off < most.max(5.0 * own(kind)), "{name}: {what} is off by {off:.1e}");
    }
}

#[test]
fn small_networks_are_the_processors() {
    network_is_the_processors("resnet10", 64, 3);
    network_is_the_processors("resnet18", 33, 4);
}

#[test]
fn the_papers_networks_are_the_processors_on_small_images() {
    network_is_the_processors("alexnet", 63, 2);
    network_is_the_processors("vgg16", 32, 2);
    network_is_the_processors("inception_v3", 139, 2);
    network_is_the_processors("resnet50", 97, 2);
}

/// As long as the processor takes: a minute or two.
#[test]
#[ignore = "for a card: the processor's side is slow"]
fn the_papers_networks_are_the_processors_at_full_size() {
    network_is_the_processors("alexnet", 227, 4);
    network_is_the_processors("inception_v3", 299, 4);
    network_is_the_processors("resnet152", 227, 4);
    network_is_the_processors("vgg16", 227, 2);
}

/// Prints what a step takes, one line of JSON per network, batch and precision: `UNIT_ATLAS_TIMES` is a list
/// such as `resnet152@32:tf32:train,vgg16@64:f32:forward`.
#[test]
#[ignore = "measures, and needs a card"]
fn times_of_steps() {
    let device = card();
    let list = std::env::var("UNIT_ATLAS_TIMES").unwrap_or_else(|_| "alexnet@32:tf32:train".into());
    let steps: usize = std::env::var("UNIT_ATLAS_STEPS").map_or(20, |n| n.parse().unwrap());
    for item in list.split(',') {
        let parts: Vec<&str> = item.split([':', '@']).collect();
        let [name, batch, precision, mode] = parts[..] else { panic!("{item}") };
        let batch: usize = batch.parse().unwrap();
        let precision = match precision {
            "f32" => Precision::F32,
            "tf32" => Precision::Tf32,
            "bf16" => Precision::Bf16,
            other => panic!("{other}"),
        };
        let input = if name == "inception_v3" { 299 } else { 227 };
        let design = Design { precision, ..Default::default() };
        let network =
            Network::new(name, 2, input, 1, &device).unwrap().with_design(design).unwrap();
        let edge = input as usize;
        let images = values(5, &[batch, 3, edge, edge]).to_device(&device).unwrap();
        let velocities: Vec<Tensor> =
            network.parameters().iter().map(|(_, p)| p.zeros_like().unwrap()).collect();
        let inference = network.inference();
        let mut host = vec![];
        let mut times = vec![];
        let mut last = 0f32;
        for step in 0..steps + 3 {
            device.synchronize().unwrap();
            let began = std::time::Instant::now();
            if mode == "forward" {
                let logits = inference.logits(&images).unwrap();
                host.push(began.elapsed().as_secs_f64());
                last = flat(&logits.to_device(&Device::Cpu).unwrap())[0];
            } else {
                let logits = network.training_logits(&images, step as u64).unwrap();
                let loss = logits.loss(|l| l.sqr()?.mean_all()).unwrap();
                let gradients = logits.backward(&loss, network.parameters()).unwrap();
                let groups: Vec<[&Tensor; 3]> = network
                    .parameters()
                    .iter()
                    .zip(&velocities)
                    .filter_map(|((_, p), v)| Some([p.as_tensor(), v, gradients.get(p)?]))
                    .collect();
                descend(&groups, Descent { momentum: 0.9, weight_decay: 1e-4, rate: 1e-4 })
                    .unwrap();
                host.push(began.elapsed().as_secs_f64());
                last = loss.to_scalar::<f32>().unwrap();
            }
            device.synchronize().unwrap();
            times.push(began.elapsed().as_secs_f64());
        }
        let median = |times: &[f64]| {
            let mut times = times[3..].to_vec();
            times.sort_by(f64::total_cmp);
            times[times.len() / 2] * 1e3
        };
        println!(
            "{{\"network\": \"{name}\", \"batch\": {batch}, \"mode\": \"{mode} {precision:?}\", \"ms\": {:.2}, \
             \"host_ms\": {:.2}, \"first_ms\": {:.0}, \"last\": {last}}}",
            median(&times),
            median(&host),
            times[0] * 1e3,
        );
    }
}
