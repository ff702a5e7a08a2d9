//! A network over an image larger than its input, in one pass.

use anyhow::{Result, bail};
use candle_core::Tensor;

use super::{Inference, Network};

/// Places whose maps are classified together.
const PLACES: usize = 32;

/// A network's output at every place of a larger image.
#[derive(Debug)]
pub struct Sliding {
    /// How many places lie below one another, and side by side.
    pub size: [usize; 2],
    /// Pixels from one place to the next. The first is flush with the image's top left corner, and each is
    /// as large as the network's input.
    pub step: usize,
    /// One row per place, row by row; one column per class.
    pub logits: Tensor,
}

impl Inference<'_> {
    /// Logits at every place of an image, 1 x channels x rows x columns: the convolutions run over all of it
    /// once, and the classifier over every window of their last maps that is as large as those of an
    /// input (Sermanet et al. 2014, OverFeat, section 3.5).
    ///
    /// At a place a network sees its surroundings where it would see zeros at the edge of an input of
    /// its own: logits equal those of the input cut out there only if nothing pads.
    ///
    /// # Errors
    /// When the image has another shape or is smaller than an input, and of a vision transformer.
    pub fn sliding(&self, image: &Tensor) -> Result<Sliding> {
        let Network { input, ends, .. } = *self.network;
        let (input, depth) = (input as usize, ends.channels);
        match image.dims() {
            &[1, found, rows, columns] if found == depth && rows >= input && columns >= input => {}
            other => bail!(
                "expected an image of shape [1, {depth}, rows, columns], no side below {input}, found {other:?}"
            ),
        }
        if !self.network.slides() {
            bail!(
                "{} sees images of {input} x {input} pixels alone: its tokens all see the whole of one",
                self.network.architecture.name
            );
        }
        let (cells, step) = self.network.reduction();
        let mut pass = self.pass(&[])?;
        let Some(maps) = self.network.body.trunk(image, &mut pass)? else {
            bail!("the network stopped before its last layer");
        };
        let (_, _, rows, columns) = maps.dims4()?;
        let size = [rows + 1 - cells, columns + 1 - cells];
        let places: Vec<[usize; 2]> =
            (0..size[0]).flat_map(|row| (0..size[1]).map(move |column| [row, column])).collect();
        let mut logits = Vec::new();
        for places in places.chunks(PLACES) {
            let windows: Vec<Tensor> = places
                .iter()
                .map(|&[row, column]| maps.narrow(2, row, cells)?.narrow(3, column, cells))
                .collect::<candle_core::Result<_>>()?;
            logits.push(self.network.body.classify(&Tensor::cat(&windows, 0)?, &mut pass)?);
        }
        let logits = self.network.of_classes(&Tensor::cat(&logits, 0)?)?;
        Ok(Sliding { size, step, logits })
    }
}

impl Network {
    /// Edge of an input's last maps, and pixels of the input from one of their cells to the next.
    fn reduction(&self) -> (usize, usize) {
        let last = self.layers().last().copied().unwrap_or_default();
        let windows = self.body.all_windows(last);
        windows.iter().fold((self.input as usize, 1), |(edge, step), window| {
            (window.output([edge; 2])[0], step * window.stride)
        })
    }
}

#[cfg(test)]
#[path = "sliding_tests.rs"]
mod tests;
