//! The scores of units over all patches of their split, as dissection left them: read a unit at a time.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use base::artifact::Sealed;
use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};

use crate::dissection::SCORES;

/// Scores of several layers.
#[derive(Debug, Default)]
pub struct Scores(BTreeMap<String, LayerScores>);

/// `scores.safetensors` of one layer, mapped into memory.
#[derive(Debug)]
pub struct LayerScores {
    file: Mmap,
    /// Where the numbers lie in the file.
    at: Range<usize>,
    units: usize,
    patches: usize,
}

impl Scores {
    /// Opens those of layers, given as (`<network>/<layer>`, folder). A folder without any has none.
    ///
    /// # Errors
    /// When a file is not what was sealed, or not what dissection writes.
    pub fn open<P: AsRef<Path>>(layers: impl Iterator<Item = (String, P)>) -> Result<Self> {
        let mut scores = BTreeMap::new();
        for (name, folder) in layers {
            if Sealed::open(folder.as_ref())?.has(SCORES) {
                scores.insert(name, LayerScores::open(folder.as_ref())?);
            }
        }
        Ok(Self(scores))
    }

    /// Of a unit, from 1, over the patches of its split in their order; none where there is none.
    pub fn of(&self, layer: &str, unit: u32) -> Option<Vec<f32>> {
        self.0.get(layer)?.of((unit as usize).checked_sub(1)?)
    }
}

impl LayerScores {
    /// Opens those in the folder of a layer.
    ///
    /// # Errors
    /// When there are none, or the file is not what was sealed, or not what dissection writes.
    pub fn open(folder: &Path) -> Result<Self> {
        let file = Sealed::open(folder)?.map(SCORES)?;
        let read = || -> Result<([usize; 2], Range<usize>)> {
            let tensors = SafeTensors::deserialize(&file)?;
            let scores = tensors.tensor("scores").context("it holds no scores")?;
            let shape = <[usize; 2]>::try_from(scores.shape()).ok();
            let shape = shape.filter(|_| scores.dtype() == Dtype::F32);
            let start = scores.data().as_ptr() as usize - file.as_ptr() as usize;
            Ok((shape.context("its scores are no table")?, start..start + scores.data().len()))
        };
        let ([units, patches], at) =
            read().with_context(|| format!("{SCORES} of {} cannot be read", folder.display()))?;
        Ok(Self { file, at, units, patches })
    }

    /// How many units have scores.
    pub fn units(&self) -> usize {
        self.units
    }

    /// How many patches each of them scored.
    pub fn patches(&self) -> usize {
        self.patches
    }

    /// Of a unit, from 0, over the patches in their order; none where it is not among them.
    pub fn of(&self, unit: usize) -> Option<Vec<f32>> {
        let length = self.patches * size_of::<f32>();
        let own = (unit < self.units).then(|| self.at.start + unit * length)?;
        let (values, _) = self.file[own..own + length].as_chunks();
        Some(values.iter().map(|value| f32::from_le_bytes(*value)).collect())
    }
}

#[cfg(test)]
mod tests {
    use base::artifact::Stamp;

    use super::*;

    #[test]
    fn scores_are_found_by_their_unit() {
        let folder = tempfile::tempdir().unwrap();
        let values: Vec<u8> = (0..6).flat_map(|n| (n as f32).to_le_bytes()).collect();
        let write = |name: &str, shape| {
            let view = safetensors::tensor::TensorView::new(Dtype::F32, shape, &values).unwrap();
            let bytes = safetensors::serialize([(name, view)], None).unwrap();
            std::fs::write(folder.path().join(SCORES), bytes).unwrap();
            Stamp::new(1).seal(folder.path(), &[SCORES], "cpu").unwrap();
        };
        let open = || Scores::open([("net/layer".to_owned(), folder.path())].into_iter());
        Stamp::new(1).seal(folder.path(), &[], "cpu").unwrap();
        assert!(open().unwrap().of("net/layer", 1).is_none(), "there is no file");
        write("scores", vec![2, 3]);
        let scores = open().unwrap();
        assert_eq!(scores.of("net/layer", 1).unwrap(), [0.0, 1.0, 2.0]);
        assert_eq!(scores.of("net/layer", 2).unwrap(), [3.0, 4.0, 5.0]);
        for (layer, unit) in [("net/layer", 3), ("net/layer", 0), ("x", 1)] {
            assert!(scores.of(layer, unit).is_none(), "{layer} {unit}");
        }
        for (name, shape) in [("scores", vec![6]), ("other", vec![2, 3])] {
            write(name, shape);
            let error = format!("{:#}", open().unwrap_err());
            assert!(error.contains("scores.safetensors of"), "{error}");
        }
        std::fs::write(folder.path().join(SCORES), b"torn").unwrap();
        assert!(open().unwrap_err().to_string().contains("is damaged"));
    }
}
