//! From what a tower sees to the space of both.

use anyhow::Result;
use candle_core::{Tensor, Var};

use crate::parameters::{Parameters, Start};

/// A linear layer.
#[derive(Debug)]
pub(super) struct Projection {
    weight: Var,
    bias: Option<Var>,
}

impl Projection {
    /// Of so many outputs and inputs, without a bias.
    pub(super) fn bare(
        name: &str,
        dims: [usize; 2],
        parameters: &mut Parameters,
    ) -> Result<Projection> {
        let weight = parameters.add_fixed(format!("{name}.weight"), &dims, Start::Normal(0.02))?;
        Ok(Projection { weight, bias: None })
    }

    /// The same with a bias.
    pub(super) fn with_bias(
        name: &str,
        dims: [usize; 2],
        parameters: &mut Parameters,
    ) -> Result<Projection> {
        let mut projection = Projection::bare(name, dims, parameters)?;
        let start = Start::Constant(0.0);
        projection.bias = Some(parameters.add_fixed(format!("{name}.bias"), &dims[..1], start)?);
        Ok(projection)
    }

    /// Rows x inputs to rows x outputs; on the processor each row on its own, for how products are added up depends on
    /// how many rows there are.
    pub(super) fn run(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let weight = self.weight.as_detached_tensor().t()?;
        let y = match x.device().is_cpu() {
            true => {
                let row = |at| x.narrow(0, at, 1)?.matmul(&weight);
                let rows = (0..x.dim(0)?).map(row).collect::<candle_core::Result<Vec<_>>>()?;
                Tensor::cat(&rows, 0)?
            }
            false => x.matmul(&weight)?,
        };
        match &self.bias {
            Some(bias) => y.broadcast_add(&bias.as_detached_tensor()),
            None => Ok(y),
        }
    }
}
