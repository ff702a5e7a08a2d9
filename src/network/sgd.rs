//! Stochastic gradient descent with momentum and weight decay, as PyTorch defines it:
//!
//! ```text
//! g ← gradient + weight_decay · p
//! v ← momentum · v + g          (v starts at zero)
//! p ← p − lr · v
//! ```

use candle_core::{
    CpuStorage, DType, Device, InplaceOp2, InplaceOp3, Layout, Result, Tensor, Var, backprop,
};
use rayon::prelude::*;

/// Elements that one task updates at a time.
const CHUNK: usize = 1 << 16;

/// The optimiser's state: a velocity per parameter.
#[derive(Debug)]
pub struct Sgd {
    momentum: f32,
    weight_decay: f32,
    velocities: Vec<Tensor>,
}

impl Sgd {
    /// At rest, for these parameters.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn new(parameters: &[(String, Var)], momentum: f64, weight_decay: f64) -> Result<Self> {
        let velocities =
            parameters.iter().map(|(_, p)| p.as_tensor().zeros_like()).collect::<Result<_>>()?;
        Ok(Self { momentum: momentum as f32, weight_decay: weight_decay as f32, velocities })
    }

    /// One step at these learning rates, one per parameter. A parameter without a gradient is left alone.
    ///
    /// # Errors
    /// When there are not as many parameters or rates as at the start, or the device fails.
    pub fn step(
        &mut self,
        parameters: &[(String, Var)],
        gradients: &backprop::GradStore,
        rates: &[f64],
    ) -> Result<()> {
        if [parameters.len(), rates.len()] != [self.velocities.len(); 2] {
            candle_core::bail!(
                "{} parameters and {} learning rates for {} velocities",
                parameters.len(),
                rates.len(),
                self.velocities.len()
            );
        }
        #[cfg(feature = "cuda")]
        if parameters.first().is_some_and(|(_, parameter)| parameter.device().is_cuda()) {
            return self.descend(parameters, gradients, rates);
        }
        for (((_, parameter), velocity), &lr) in
            parameters.iter().zip(&mut self.velocities).zip(rates)
        {
            let Some(gradient) = gradients.get(parameter) else { continue };
            // A graph of its own would keep every step's tensors alive.
            let (gradient, value) =
                (gradient.detach().contiguous()?, parameter.as_detached_tensor());
            if matches!(value.device(), Device::Cpu) && value.dtype() == DType::F32 {
                let accelerate =
                    Accelerate { momentum: self.momentum, weight_decay: self.weight_decay };
                velocity.inplace_op3(&gradient, &value, &accelerate)?;
                value.inplace_op2(velocity, &Move { lr: lr as f32 })?;
            } else {
                let decayed = (gradient + (&value * f64::from(self.weight_decay))?)?;
                *velocity = ((&*velocity * f64::from(self.momentum))? + decayed)?.detach();
                parameter.set(&(value - (&*velocity * lr)?)?)?;
            }
        }
        Ok(())
    }

    /// The step on a CUDA device: in place, one launch for all parameters that move at one rate.
    #[cfg(feature = "cuda")]
    fn descend(
        &mut self,
        parameters: &[(String, Var)],
        gradients: &backprop::GradStore,
        rates: &[f64],
    ) -> Result<()> {
        let Self { momentum, weight_decay, .. } = *self;
        let mut distinct: Vec<f32> = Vec::new();
        for rate in rates.iter().map(|&rate| rate as f32) {
            if !distinct.contains(&rate) {
                distinct.push(rate);
            }
        }
        for rate in distinct {
            let all = parameters.iter().zip(&self.velocities).zip(rates);
            let groups: Vec<[&Tensor; 3]> = all
                .filter(|(_, of)| **of as f32 == rate)
                .filter_map(|(((_, p), v), _)| {
                    Some([p.as_tensor(), v, gradients.get(p.as_tensor())?])
                })
                .collect();
            let descent = crate::cuda::Descent { momentum, weight_decay, rate };
            crate::cuda::descend(&groups, descent)?;
        }
        Ok(())
    }

    /// The velocities, in the order of the parameters.
    pub fn velocities(&self) -> &[Tensor] {
        &self.velocities
    }

    /// Restores velocities saved earlier.
    ///
    /// # Errors
    /// When their number or a shape differs.
    pub fn restore(&mut self, velocities: Vec<Tensor>) -> Result<()> {
        if velocities.len() != self.velocities.len()
            || velocities.iter().zip(&self.velocities).any(|(a, b)| a.dims() != b.dims())
        {
            candle_core::bail!("the saved optimiser state belongs to another network");
        }
        self.velocities = velocities;
        Ok(())
    }
}

/// v ← momentum · v + (g + weight_decay · p), in place.
struct Accelerate {
    momentum: f32,
    weight_decay: f32,
}

impl InplaceOp3 for Accelerate {
    fn name(&self) -> &'static str {
        "sgd-accelerate"
    }

    fn cpu_fwd(
        &self,
        v: &mut CpuStorage,
        v_layout: &Layout,
        g: &CpuStorage,
        g_layout: &Layout,
        p: &CpuStorage,
        p_layout: &Layout,
    ) -> Result<()> {
        let (g, p) = (floats(g, g_layout)?, floats(p, p_layout)?);
        let v = floats_mut(v, v_layout)?;
        let (momentum, decay) = (self.momentum, self.weight_decay);
        v.par_chunks_mut(CHUNK).zip(g.par_chunks(CHUNK)).zip(p.par_chunks(CHUNK)).for_each(
            |((v, g), p)| {
                for ((v, g), p) in v.iter_mut().zip(g).zip(p) {
                    *v = momentum * *v + (g + decay * p);
                }
            },
        );
        Ok(())
    }
}

/// p ← p − lr · v, in place.
struct Move {
    lr: f32,
}

impl InplaceOp2 for Move {
    fn name(&self) -> &'static str {
        "sgd-move"
    }

    fn cpu_fwd(
        &self,
        p: &mut CpuStorage,
        p_layout: &Layout,
        v: &CpuStorage,
        v_layout: &Layout,
    ) -> Result<()> {
        let v = floats(v, v_layout)?;
        let p = floats_mut(p, p_layout)?;
        p.par_chunks_mut(CHUNK).zip(v.par_chunks(CHUNK)).for_each(|(p, v)| {
            for (p, v) in p.iter_mut().zip(v) {
                *p -= self.lr * v;
            }
        });
        Ok(())
    }
}

fn floats<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        candle_core::bail!("a contiguous tensor was expected");
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

fn floats_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        candle_core::bail!("a contiguous tensor was expected");
    };
    match storage {
        CpuStorage::F32(values) => Ok(&mut values[start..end]),
        _ => candle_core::bail!("a tensor of f32 was expected"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first three steps of `torch.optim.SGD` on L = Σ c·p²: tests/golden/sgd.py.
    #[test]
    fn equals_pytorch_step_by_step() {
        #[derive(serde::Deserialize)]
        struct Golden {
            start: Vec<f32>,
            coefficients: Vec<f32>,
            lr: f64,
            momentum: f64,
            weight_decay: f64,
            steps: Vec<Vec<f32>>,
        }
        let golden: Golden =
            serde_json::from_str(include_str!("../../tests/golden/sgd.json")).unwrap();
        let p = Var::new(golden.start.as_slice(), &Device::Cpu).unwrap();
        let c = Tensor::new(golden.coefficients.as_slice(), &Device::Cpu).unwrap();
        let parameters = [("p".to_string(), p.clone())];
        let mut sgd = Sgd::new(&parameters, golden.momentum, golden.weight_decay).unwrap();
        for step in &golden.steps {
            let loss = (p.sqr().unwrap() * &c).unwrap().sum_all().unwrap();
            sgd.step(&parameters, &loss.backward().unwrap(), &[golden.lr]).unwrap();
            for (ours, theirs) in p.to_vec1::<f32>().unwrap().iter().zip(step) {
                assert!((ours - theirs).abs() < 1e-6 * theirs.abs().max(1.0), "{ours} {theirs}");
            }
        }
    }

    #[test]
    fn every_parameter_moves_at_its_own_rate() {
        let of = |name: &str| (name.to_owned(), Var::new(&[1f32, -2.0], &Device::Cpu).unwrap());
        let parameters = [of("slow"), of("fast"), of("still")];
        let mut sgd = Sgd::new(&parameters, 0.0, 0.0).unwrap();
        let loss = |at: usize| parameters[at].1.sum_all().unwrap();
        let gradients = (loss(0) + loss(1)).unwrap().backward().unwrap();
        sgd.step(&parameters, &gradients, &[0.25, 1.0, 8.0]).unwrap();
        let values = parameters.each_ref().map(|(_, p)| p.to_vec1::<f32>().unwrap());
        assert_eq!(values, [[0.75, -2.25], [0.0, -3.0], [1.0, -2.0]]);
        assert!(sgd.step(&parameters, &gradients, &[0.25]).is_err());
    }

    /// The path of other devices, run here in double precision, takes the same steps.
    #[test]
    fn composed_path_equals_the_fused_one() {
        let start = [0.5_f64, -1.25, 3.0];
        let wide = Var::new(&start, &Device::Cpu).unwrap();
        let narrow = Var::from_tensor(&wide.to_dtype(DType::F32).unwrap()).unwrap();
        let run = |p: &Var| -> Vec<f64> {
            let parameters = [("p".to_string(), p.clone())];
            let mut sgd = Sgd::new(&parameters, 0.9, 1e-2).unwrap();
            for _ in 0..5 {
                let loss = p.powf(3.0).unwrap().sum_all().unwrap();
                sgd.step(&parameters, &loss.backward().unwrap(), &[0.01]).unwrap();
            }
            // No step keeps the graph of the one before alive.
            assert!(sgd.velocities().iter().all(|velocity| !velocity.track_op()));
            assert!(!p.as_detached_tensor().track_op());
            p.to_dtype(DType::F64).unwrap().to_vec1().unwrap()
        };
        for (a, b) in run(&wide).iter().zip(run(&narrow)) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
}
