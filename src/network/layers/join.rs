//! Layers that move values and change none.

use std::sync::OnceLock;

use candle_core::{Result, Tensor};

use super::Engine;
use crate::cpu::{self, norm};

/// Maps side by side: the channels of one after those of the other.
pub(crate) fn concatenate(maps: &[Tensor], engine: &mut Engine) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if let Engine::Cuda(engine) = engine {
        return engine.concatenate(maps);
    }
    let y = Tensor::cat(maps, 1)?;
    if let Some(tape) = engine.tape() {
        let maps = maps.to_vec();
        let images = y.dim(0)?;
        tape.record(&maps.clone().iter().collect::<Vec<_>>(), &y, move |grad, gradients| {
            let each = grad.len() / images.max(1);
            let mut first = 0;
            for map in &maps {
                let len = map.elem_count() / images.max(1);
                let mut part = Vec::with_capacity(map.elem_count());
                for image in grad.chunks_exact(each.max(1)) {
                    part.extend_from_slice(&image[first..][..len]);
                }
                gradients.add(map, part)?;
                first += len;
            }
            Ok(())
        });
    }
    Ok(y)
}

/// Maps side by side, of which there are more and more and every layer sees all: those of a dense block. On
/// the processor they stay where they are, for their copies would cost more than the layers; elsewhere they
/// are put together one by one.
pub(crate) struct Beside {
    maps: Vec<Map>,
}

/// One of them.
struct Map {
    values: Tensor,
    /// Mean and biased variance of each channel, once a layer asks: the next will find the same.
    moments: OnceLock<[Vec<f32>; 2]>,
}

impl Beside {
    /// The first of them.
    pub(crate) fn new(map: Tensor) -> Beside {
        Beside { maps: vec![Map { values: map, moments: OnceLock::new() }] }
    }

    /// One more.
    pub(crate) fn push(&mut self, map: Tensor, engine: &mut Engine) -> Result<()> {
        self.maps.push(Map { values: map, moments: OnceLock::new() });
        if !matches!(engine, Engine::Processor(_)) {
            *self = Beside::new(self.joined(engine)?);
        }
        Ok(())
    }

    /// All of them put together.
    pub(crate) fn joined(&self, engine: &mut Engine) -> Result<Tensor> {
        match &self.maps[..] {
            [Map { values, .. }] => Ok(values.clone()),
            _ => concatenate(&self.tensors(), engine),
        }
    }

    /// Each of them.
    pub(super) fn tensors(&self) -> Vec<Tensor> {
        self.maps.iter().map(|map| map.values.clone()).collect()
    }

    /// Mean and biased variance of all channels.
    pub(super) fn moments(&self) -> Result<[Vec<f32>; 2]> {
        let mut all = [vec![], vec![]];
        for Map { values, moments } in &self.maps {
            if moments.get().is_none() {
                let (_, channels, rows, columns) = values.dims4()?;
                let found = cpu::with_values([values], |[x]| {
                    Ok(norm::moments(x, channels, rows * columns))
                })?;
                moments.get_or_init(|| found.into());
            }
            for (all, own) in all.iter_mut().zip(moments.get().into_iter().flatten()) {
                all.extend_from_slice(own);
            }
        }
        Ok(all)
    }
}

/// All values of an image in one row.
pub(crate) fn flatten(x: &Tensor, engine: &mut Engine) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if let Engine::Cuda(engine) = engine {
        return engine.flatten(x);
    }
    let y = x.flatten_from(1)?;
    if let Some(tape) = engine.tape() {
        let x = x.clone();
        tape.record(&[&x.clone()], &y, move |grad, gradients| gradients.add(&x, grad));
    }
    Ok(y)
}
