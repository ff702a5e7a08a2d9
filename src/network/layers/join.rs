//! Layers that move values and change none.

use candle_core::{Result, Tensor};

use super::Engine;

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
                let part = grad.chunks_exact(each).flat_map(|image| &image[first..][..len]);
                gradients.add(map, part.copied().collect())?;
                first += len;
            }
            Ok(())
        });
    }
    Ok(y)
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
