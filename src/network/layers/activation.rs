//! ReLU and dropout.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::network::cpu;

struct Relu;

impl CustomOp1 for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = cpu::norm::relu(cpu::values(storage, layout)?);
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, _x: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        cpu::with_values([y, grad], |[values, grad]| {
            cpu::tensor(cpu::norm::rectified(values, grad), y.dims())
        })
        .map(Some)
    }
}

/// `max(x, 0)`, with gradient 0 at 0 as in PyTorch (Candle's own has 1).
pub(crate) fn relu(x: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() { x.contiguous()?.apply_op1(Relu) } else { relu_composed(x) }
}

/// [`relu`] for any device.
pub(super) fn relu_composed(x: &Tensor) -> Result<Tensor> {
    let zeros = x.zeros_like()?;
    x.le(&zeros)?.where_cond(&zeros, x)
}

/// Sets each value to zero with probability one half and doubles the others.
pub(crate) fn dropout(x: &Tensor, rng: &mut ChaCha8Rng) -> Result<Tensor> {
    let mut mask = Vec::with_capacity(x.elem_count());
    while mask.len() < x.elem_count() {
        let bits = rng.next_u32();
        let take = (x.elem_count() - mask.len()).min(32);
        mask.extend((0..take).map(|i| if bits >> i & 1 == 1 { 2f32 } else { 0.0 }));
    }
    x.mul(&Tensor::from_vec(mask, x.dims(), x.device())?)
}
