//! Named parameters and buffers: their random start, and setting them all or none.

use std::collections::BTreeMap;

use anyhow::Result;
use candle_core::{DType, Device, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::weights::{Expected, Misfit, Scope, fit};

/// What a parameter starts from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    /// One value everywhere.
    Constant(f32),
    /// Normal around 0 with this standard deviation.
    Normal(f32),
    /// Uniform between minus and plus this.
    Uniform(f32),
}

impl Start {
    /// Kaiming normal for ReLU (He et al. 2015) for sums of `fan` products.
    pub(super) fn kaiming(fan: usize) -> Start {
        Start::Normal((2.0 / fan as f32).sqrt())
    }

    /// PyTorch's default for weight and bias of a layer with `fan` inputs per output.
    pub(super) fn default_of(fan: usize) -> Start {
        Start::Uniform(1.0 / (fan as f32).sqrt())
    }
}

/// Everything that a network remembers, in torchvision's order.
#[derive(Debug)]
pub(super) struct Parameters {
    /// What random values follow from; without, all are zero.
    seed: Option<u64>,
    device: Device,
    trained: Vec<(String, Var)>,
    /// Weights that stay as they are loaded.
    fixed: Vec<(String, Var)>,
    buffers: Vec<(String, Var)>,
    /// Probe points, each with how many parameters and buffers there are up to it.
    marks: Vec<(&'static str, [usize; 2])>,
    /// Name of a part that may be absent from what [`Parameters::set`] sets.
    optional: Option<&'static str>,
    /// Names and shapes, where nothing else is wanted: no parameter has a value then.
    sketch: Option<Vec<(String, Vec<usize>)>>,
}

/// Ending of the buffer that counts the batches seen; old checkpoints lack it.
const COUNTER: &str = "num_batches_tracked";

impl Parameters {
    pub(super) fn new(seed: Option<u64>, device: &Device) -> Parameters {
        Parameters {
            seed,
            device: device.clone(),
            trained: vec![],
            fixed: vec![],
            buffers: vec![],
            marks: vec![],
            optional: None,
            sketch: None,
        }
    }

    /// For names and shapes alone.
    pub(super) fn sketch() -> Parameters {
        Parameters { sketch: Some(vec![]), ..Parameters::new(None, &Device::Cpu) }
    }

    /// The names and shapes of a [`Parameters::sketch`].
    pub(super) fn into_sketch(self) -> Vec<(String, Vec<usize>)> {
        self.sketch.unwrap_or_default()
    }

    /// From now on the tensors of this part, and of no other, may be absent as a whole.
    pub(super) fn may_lack(&mut self, part: Option<&'static str>) {
        self.optional = part;
    }

    /// Says that a probe point, if there is one here, follows from what was added up to now and from nothing that
    /// is added later.
    pub(super) fn mark(&mut self, layer: Option<&'static str>) {
        let sizes = [self.trained.len(), self.buffers.len()];
        self.marks.extend(layer.map(|layer| (layer, sizes)));
    }

    /// How many parameters and buffers a probe point follows from, the first ones.
    pub(super) fn up_to(&self, layer: &str) -> Option<[usize; 2]> {
        self.marks.iter().find(|(known, _)| *known == layer).map(|(_, sizes)| *sizes)
    }

    /// Adds a trained parameter.
    pub(super) fn add(&mut self, name: String, shape: &[usize], start: Start) -> Result<Var> {
        let var = self.var(&name, shape, start)?;
        if self.sketch.is_none() {
            self.trained.push((name, var.clone()));
        }
        Ok(var)
    }

    /// Adds a parameter that is not trained.
    pub(super) fn add_fixed(&mut self, name: String, shape: &[usize], start: Start) -> Result<Var> {
        let var = self.var(&name, shape, start)?;
        if self.sketch.is_none() {
            self.fixed.push((name, var.clone()));
        }
        Ok(var)
    }

    fn var(&mut self, name: &str, shape: &[usize], start: Start) -> Result<Var> {
        if let Some(sketch) = &mut self.sketch {
            sketch.push((name.to_owned(), shape.to_vec()));
            return Ok(Var::zeros(0, DType::F32, &self.device)?);
        }
        Ok(match self.seed {
            Some(seed) => {
                let values = random(seed, name, shape.iter().product(), start);
                Var::from_vec(values, shape, &self.device)?
            }
            None => Var::zeros(shape, DType::F32, &self.device)?,
        })
    }

    /// Adds weight and bias of a layer.
    pub(super) fn add_layer(
        &mut self,
        name: &str,
        shape: &[usize],
        weight: Start,
        bias: Start,
    ) -> Result<[Var; 2]> {
        Ok([
            self.add(format!("{name}.weight"), shape, weight)?,
            self.add(format!("{name}.bias"), &shape[..1], bias)?,
        ])
    }

    /// Adds a buffer of one value.
    pub(super) fn add_buffer(&mut self, name: String, units: usize, value: f32) -> Result<Var> {
        if let Some(sketch) = &mut self.sketch {
            sketch.push((name, vec![units]));
            return Ok(Var::zeros(0, DType::F32, &self.device)?);
        }
        let var = Var::from_vec(vec![value; units], units, &self.device)?;
        self.buffers.push((name, var.clone()));
        Ok(var)
    }

    /// Adds the counter of batches to a batch normalisation. It stays on the processor, where every
    /// device's host can count.
    pub(super) fn add_counter(&mut self, layer: &str) -> Result<Var> {
        let var = Var::from_tensor(&Tensor::new(0i64, &Device::Cpu)?)?;
        if let Some(sketch) = &mut self.sketch {
            sketch.push((format!("{layer}.{COUNTER}"), vec![]));
            return Ok(var);
        }
        self.buffers.push((format!("{layer}.{COUNTER}"), var.clone()));
        Ok(var)
    }

    pub(super) fn trained(&self) -> &[(String, Var)] {
        &self.trained
    }

    pub(super) fn fixed(&self) -> &[(String, Var)] {
        &self.fixed
    }

    pub(super) fn buffers(&self) -> &[(String, Var)] {
        &self.buffers
    }

    fn all(&self) -> impl Iterator<Item = &(String, Var)> {
        self.trained.iter().chain(&self.fixed).chain(&self.buffers)
    }

    /// A copy of everything on the processor.
    pub(super) fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        self.all()
            .map(|(name, var)| {
                // A copy even from the processor, where moving would share memory with training.
                let tensor = var.as_detached_tensor().copy()?.to_device(&Device::Cpu)?;
                Ok((name.clone(), tensor))
            })
            .collect()
    }

    /// Sets everything in `scope` from `tensors`, or nothing when something does not fit.
    ///
    /// # Errors
    /// A [`Misfit`] that lists it; what else can fail is the device.
    pub(super) fn set(&self, tensors: &BTreeMap<String, Tensor>, scope: Scope) -> Result<()> {
        let expected: Vec<Expected> =
            self.all().map(|(name, var)| Expected { name, dims: var.dims() }).collect();
        let fitting: Result<_, Misfit> = fit(&expected, tensors, scope, self.optional);
        let fitting = fitting?;
        // Convert everything before the first value changes.
        let converted = self
            .all()
            .zip(fitting)
            .filter_map(|((_, var), tensor)| Some((var, tensor?)))
            .map(|(var, tensor)| {
                let tensor = tensor.to_dtype(var.dtype())?.to_device(var.device())?;
                Ok((var, tensor))
            })
            .collect::<candle_core::Result<Vec<(&Var, Tensor)>>>()?;
        for (var, tensor) in converted {
            var.set(&tensor)?;
        }
        Ok(())
    }
}

/// Random numbers of a name's own: those of other names have nothing to do with them.
pub(super) fn stream(seed: u64, name: &str) -> ChaCha8Rng {
    let seed = blake3::hash(&seed.to_le_bytes());
    ChaCha8Rng::from_seed(*blake3::keyed_hash(seed.as_bytes(), name.as_bytes()).as_bytes())
}

/// Values of a parameter, the same for the same seed and name whatever else the network holds.
fn random(seed: u64, name: &str, count: usize, start: Start) -> Vec<f32> {
    /// Values per stream: chunks are drawn in parallel, each from a stream of its own.
    const CHUNK: usize = 1 << 16;
    let start_of = stream(seed, name);
    let fill = |chunk: usize, values: &mut [f32], draw: &dyn Fn(&mut ChaCha8Rng) -> f32| {
        let mut rng = start_of.clone();
        rng.set_stream(chunk as u64);
        values.fill_with(|| draw(&mut rng));
    };
    let mut values = vec![0.0; count];
    let chunks = values.par_chunks_mut(CHUNK).enumerate();
    match start {
        Start::Constant(value) => chunks.for_each(|(_, values)| values.fill(value)),
        Start::Normal(deviation) => chunks.for_each(|(i, values)| {
            fill(i, values, &|rng| {
                let value: f32 = StandardNormal.sample(rng);
                value * deviation
            });
        }),
        Start::Uniform(bound) => chunks.for_each(|(i, values)| {
            // 24 random bits: the values of an f32 between 0 and 1 that are evenly spaced.
            fill(i, values, &|rng| {
                ((rng.next_u32() >> 8) as f32 / (1u32 << 23) as f32 - 1.0) * bound
            });
        }),
    }
    values
}
