//! Single operations of the processor by their sizes, for `benches/operations.rs`: no part of the
//! interface.

use super::cpu::convolution::{self, Finish, Geometry};
use super::cpu::{Matrix, norm, pool, product, winograd};
use super::layers::Window;

/// A square convolution of square images.
#[derive(Debug, Clone, Copy)]
pub struct Convolution {
    /// Images.
    pub images: usize,
    /// Channels of the input.
    pub channels: usize,
    /// Rows of the input, and columns.
    pub edge: usize,
    /// Channels of the output.
    pub units: usize,
    /// Edge of the kernel.
    pub kernel: usize,
    /// Step of the kernel.
    pub stride: usize,
}

impl Convolution {
    fn geometry(&self) -> Geometry {
        Geometry {
            images: self.images,
            channels: self.channels,
            size: [self.edge; 2],
            units: self.units,
            window: Window::square(self.kernel, self.stride, self.kernel / 2),
            groups: 1,
        }
    }

    /// Values of the input, the weight and the output.
    pub fn sizes(&self) -> [usize; 3] {
        let g = self.geometry();
        let inputs = self.images * self.channels * g.plane();
        [inputs, self.units * self.channels * g.taps(), self.images * self.units * g.positions()]
    }

    /// Multiplications of a plain loop.
    pub fn products(&self) -> usize {
        let g = self.geometry();
        self.images * self.units * g.positions() * self.channels * g.taps()
    }

    /// By unfolding.
    pub fn unfolded(&self, x: &[f32], weight: &[f32]) -> Vec<f32> {
        convolution::forward(&self.geometry(), x, weight, None, Finish::default())
    }

    /// The weight as inference prepares it; `None` where unfolding wins.
    pub fn prepare(&self, weight: &[f32]) -> Option<Prepared> {
        convolution::transformed(&self.geometry(), weight).map(Prepared)
    }

    /// By Winograd's algorithm.
    pub fn prepared(&self, x: &[f32], weight: &[f32], prepared: &Prepared) -> Vec<f32> {
        let finish = Finish::default();
        convolution::forward(&self.geometry(), x, weight, Some(&prepared.0), finish)
    }

    /// Gradient by the input.
    pub fn input_gradient(&self, grad: &[f32], weight: &[f32]) -> Vec<f32> {
        convolution::input_gradient(&self.geometry(), grad, weight)
    }

    /// Gradient by the weight.
    pub fn weight_gradient(&self, x: &[f32], grad: &[f32]) -> Vec<f32> {
        convolution::weight_gradient(&self.geometry(), x, grad)
    }
}

/// A transformed weight.
#[derive(Debug)]
pub struct Prepared(winograd::Kernel);

/// Product of two square matrices, on all threads: what the machine can do at best.
pub fn square_product(edge: usize, a: &[f32], b: &[f32], out: &mut [f32]) {
    let (a, b) = (Matrix::new(a, edge, edge), Matrix::new(b, edge, edge));
    product(out, edge, a, b, false, true);
}

/// Means and variances of channels: the first half of batch normalisation.
pub fn moments(x: &[f32], channels: usize, plane: usize) -> (Vec<f32>, Vec<f32>) {
    norm::moments(x, channels, plane)
}

/// Greatest of 3 x 3 windows of stride 2, of images whose rows are `edge` long.
pub fn max_pool(x: &[f32], edge: usize) -> Vec<f32> {
    pool::forward(x, [edge; 2], Window::square(3, 2, 1))
}

/// The gradient of [`max_pool`].
pub fn max_pool_gradient(x: &[f32], grad: &[f32], edge: usize) -> Vec<f32> {
    pool::gradient(x, grad, [edge; 2], Window::square(3, 2, 1))
}
