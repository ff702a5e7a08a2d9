//! The activation maps of units' top patches, as dissection left them: read one at a time, for the pages.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use base::artifact::{self, Sealed};

use crate::dissection::MAPS;

/// Maps of several layers.
#[derive(Debug, Default)]
pub struct Maps(BTreeMap<String, File>);

/// `maps.safetensors` of one layer, mapped into memory.
#[derive(Debug)]
struct File {
    bytes: memmap2::Mmap,
    /// Where the tensor begins.
    start: usize,
    /// Units, top patches, rows, columns.
    shape: [usize; 4],
}

impl Maps {
    /// Opens those of layers, given as (`<network>/<layer>`, folder). A folder without any has none.
    ///
    /// # Errors
    /// When a file is not what was sealed, or not what dissection writes.
    pub fn open<P: AsRef<Path>>(layers: impl Iterator<Item = (String, P)>) -> Result<Self> {
        let mut maps = BTreeMap::new();
        for (name, folder) in layers {
            let sealed = Sealed::open(folder.as_ref())?;
            if sealed.has(MAPS) {
                let file = File::new(sealed.map(MAPS)?)
                    .with_context(|| format!("the maps of {name} cannot be read"))?;
                maps.insert(name, file);
            }
        }
        Ok(Self(maps))
    }

    /// Of a unit, from 1, and the rank of a patch, from 0, row by row; none where there is none.
    pub fn of(&self, layer: &str, unit: u32, rank: usize) -> Option<Vec<f32>> {
        let file = self.0.get(layer)?;
        let [units, top, rows, columns] = file.shape;
        let unit = (unit as usize).checked_sub(1)?;
        if unit >= units || rank >= top {
            return None;
        }
        let length = rows * columns * size_of::<f32>();
        let values = &file.bytes[file.start + (unit * top + rank) * length..][..length];
        let (values, _) = values.as_chunks();
        Some(values.iter().map(|value| f32::from_le_bytes(*value)).collect())
    }
}

/// Of how many units a folder has maps, by the header alone; none where it has none that can be read.
pub(crate) fn units(folder: &Path) -> Option<u32> {
    let file = std::fs::File::open(folder.join(MAPS)).ok()?;
    let file = File::new(artifact::map(&file).ok()?).ok()?;
    u32::try_from(file.shape[0]).ok()
}

impl File {
    fn new(bytes: memmap2::Mmap) -> Result<Self> {
        let tensors = safetensors::SafeTensors::deserialize(&bytes)?;
        let maps = tensors.tensor("maps")?;
        ensure!(maps.dtype() == safetensors::Dtype::F32, "its values are not 32-bit floats");
        let shape = maps.shape().try_into().context("it has another shape")?;
        let start = maps.data().as_ptr() as usize - bytes.as_ptr() as usize;
        Ok(Self { bytes, start, shape })
    }
}

#[cfg(test)]
mod tests {
    use base::artifact::Stamp;

    use super::*;

    #[test]
    fn a_map_is_found_by_its_unit_and_rank() {
        let folder = tempfile::tempdir().unwrap();
        let values: Vec<u8> = (0..2 * 3 * 4).flat_map(|n| (n as f32).to_le_bytes()).collect();
        let view =
            |shape| safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape, &values);
        let file = folder.path().join(MAPS);
        let write = |shape| {
            let tensors = [("maps", view(shape).unwrap())];
            std::fs::write(&file, safetensors::serialize(tensors, None).unwrap()).unwrap();
            Stamp::new(1).seal(folder.path(), &[MAPS], "cpu").unwrap();
        };
        let open = || Maps::open([("net/layer".to_owned(), folder.path())].into_iter());
        Stamp::new(1).seal(folder.path(), &[], "cpu").unwrap();
        assert!(open().unwrap().of("net/layer", 1, 0).is_none(), "there is no file");
        write(vec![2, 3, 2, 2]);
        let maps = open().unwrap();
        assert_eq!(units(folder.path()), Some(2));
        assert_eq!(maps.of("net/layer", 1, 0).unwrap(), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(maps.of("net/layer", 2, 2).unwrap(), [20.0, 21.0, 22.0, 23.0]);
        for (layer, unit, rank) in
            [("net/layer", 3, 0), ("net/layer", 1, 3), ("net/layer", 0, 0), ("x", 1, 0)]
        {
            assert!(maps.of(layer, unit, rank).is_none(), "{layer} {unit} {rank}");
        }
        write(vec![24]);
        assert!(open().unwrap_err().to_string().contains("maps of net/layer"));
        std::fs::write(&file, b"torn").unwrap();
        assert!(open().unwrap_err().to_string().contains("is damaged"));
        assert_eq!(units(folder.path()), None);
    }
}
