//! How fast single operations of the processor are: `cargo bench --bench operations`. Items are
//! multiplications of the plain loop, so that Winograd's rate may exceed what the machine can do; the
//! product of matrices at the end is what it can do.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use network::operations::{self, Convolution};

fn main() {
    divan::main();
}

const fn of(
    channels: usize,
    edge: usize,
    units: usize,
    kernel: usize,
    stride: usize,
) -> Convolution {
    Convolution { images: 8, channels, edge, units, kernel, stride }
}

/// From the networks: AlexNet's first and second, VGG-16's conv3_3 and conv5_3, ResNet-152's layer3.
const CONVOLUTIONS: [(&str, Convolution); 6] = [
    ("11x11 stride 4, 3 to 64 at 227", of(3, 227, 64, 11, 4)),
    ("5x5, 64 to 192 at 27", of(64, 27, 192, 5, 1)),
    ("3x3, 256 to 256 at 56", of(256, 56, 256, 3, 1)),
    ("3x3, 512 to 512 at 14", of(512, 14, 512, 3, 1)),
    ("1x1, 1024 to 256 at 15", of(1024, 15, 256, 1, 1)),
    ("3x3 stride 2, 256 to 256 at 29", of(256, 29, 256, 3, 2)),
];

fn names() -> impl Iterator<Item = &'static str> {
    CONVOLUTIONS.iter().map(|(name, _)| *name)
}

fn named(name: &str) -> Convolution {
    let found = CONVOLUTIONS.iter().find(|(other, _)| *other == name);
    found.expect("one of the list").1
}

/// Numbers in [-1, 1).
fn values(count: usize) -> Vec<f32> {
    let value = |i: u32| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0;
    (0..count as u32).map(value).collect()
}

#[divan::bench(args = names(), sample_count = 10)]
fn forward_unfolded(bencher: Bencher, name: &str) {
    let convolution = named(name);
    let [x, weight, _] = convolution.sizes().map(values);
    bencher
        .counter(ItemsCount::new(convolution.products()))
        .bench(|| convolution.unfolded(black_box(&x), &weight));
}

#[divan::bench(args = names().filter(|name| named(name).prepare(&values(named(name).sizes()[1])).is_some()), sample_count = 10)]
fn forward_winograd(bencher: Bencher, name: &str) {
    let convolution = named(name);
    let [x, weight, _] = convolution.sizes().map(values);
    let prepared = convolution.prepare(&weight).expect("Winograd wins");
    bencher
        .counter(ItemsCount::new(convolution.products()))
        .bench(|| convolution.prepared(black_box(&x), &weight, &prepared));
}

#[divan::bench(args = names(), sample_count = 10)]
fn input_gradient(bencher: Bencher, name: &str) {
    let convolution = named(name);
    let [_, weight, grad] = convolution.sizes().map(values);
    bencher
        .counter(ItemsCount::new(convolution.products()))
        .bench(|| convolution.input_gradient(black_box(&grad), &weight));
}

#[divan::bench(args = names(), sample_count = 10)]
fn weight_gradient(bencher: Bencher, name: &str) {
    let convolution = named(name);
    let [x, _, grad] = convolution.sizes().map(values);
    bencher
        .counter(ItemsCount::new(convolution.products()))
        .bench(|| convolution.weight_gradient(black_box(&x), &grad));
}

/// 8 images of 64 channels of 112 x 112 values.
const POOLED: [usize; 3] = [8, 64, 112];

#[divan::bench(sample_count = 10)]
fn batch_moments(bencher: Bencher) {
    let [images, channels, edge] = POOLED;
    let x = values(images * channels * edge * edge);
    bencher
        .counter(ItemsCount::new(x.len()))
        .bench(|| operations::moments(black_box(&x), channels, edge * edge));
}

#[divan::bench(sample_count = 10)]
fn max_pool(bencher: Bencher) {
    let [images, channels, edge] = POOLED;
    let x = values(images * channels * edge * edge);
    bencher.counter(ItemsCount::new(x.len())).bench(|| operations::max_pool(black_box(&x), edge));
}

#[divan::bench(sample_count = 10)]
fn max_pool_gradient(bencher: Bencher) {
    let [images, channels, edge] = POOLED;
    let x = values(images * channels * edge * edge);
    let grad = values(operations::max_pool(&x, edge).len());
    bencher
        .counter(ItemsCount::new(x.len()))
        .bench(|| operations::max_pool_gradient(black_box(&x), &grad, edge));
}

#[divan::bench(sample_count = 10)]
fn matrix_product(bencher: Bencher) {
    const EDGE: usize = 1536;
    let [a, b] = [values(EDGE * EDGE), values(EDGE * EDGE)];
    let mut out = vec![0.0; EDGE * EDGE];
    bencher
        .counter(ItemsCount::new(EDGE * EDGE * EDGE))
        .bench_local(|| operations::square_product(EDGE, black_box(&a), &b, &mut out));
}
