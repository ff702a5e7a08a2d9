//! What the frozen part of a network makes of the patches, computed once and kept until training is done.
//!
//! Files of a few patches each, `frozen/00000.safetensors` and on, in the folder of the training: `maps`, patches x
//! units x rows x columns. They are memory-mapped, so that a small data set stays in memory and a large one needs
//! none, and a killed run goes on behind the last file. What is kept is what would be computed again, bit by bit:
//! an image's maps depend on no other image, and nothing that they follow from is trained.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use memmap2::Mmap;

use super::Job;
use super::loader::{self, Batch};
use base::artifact::{self, Fingerprint};
use base::progress::Progress;
use base::text::size;
use network::Network;
use record::tensors;

/// Where they lie in the folder of a training.
const FOLDER: &str = "frozen";
/// Patches per file, and per pass of the network.
const GROUP: usize = 64;
/// The most that is kept, in bytes: on a disk this can be spared, and read as fast as it is used.
const MOST: u64 = 16_000_000_000;
/// The tensor of a file.
const MAPS: &str = "maps";
/// The mark that says of which training a file is.
const INPUTS: &str = "inputs";

/// The maps of some patches at the last frozen layer.
#[derive(Debug)]
pub(crate) struct Outputs {
    /// Place of each patch among them, by its number.
    places: HashMap<u32, usize>,
    /// Units, rows and columns of a patch's maps.
    shape: [usize; 3],
    files: Vec<Mmap>,
}

impl Outputs {
    /// Computes what is missing of the maps of `patches` in the folder of the training with these `inputs`. `None`
    /// where they would be too many to keep, or a file cannot be written; says so.
    ///
    /// # Errors
    /// When nothing of the network is frozen or the device fails.
    pub(crate) fn of(
        job: &Job,
        network: &Network,
        patches: &[u32],
        (folder, inputs): (&Path, &Fingerprint),
        progress: &dyn Progress,
    ) -> Result<Option<Self>> {
        let (name, folder) = (job.name, folder.join(FOLDER));
        let layer = network.frozen().context("nothing of the network is frozen")?;
        let shape = shape(network)?;
        let bytes = patches.len() as u64 * bytes_of(shape);
        if bytes > MOST {
            progress.say(&format!(
                "{name}: the outputs of {layer} of {} patches would take {}, and no more than {} are kept: they are \
                 computed again in every epoch",
                patches.len(),
                size(bytes),
                size(MOST)
            ));
            return Ok(None);
        }
        let of_group = |(at, group): (usize, &[u32])| {
            let path = folder.join(format!("{at:05}.safetensors"));
            let map = open(&path, inputs, group.len(), shape);
            (path, group.to_vec(), map)
        };
        let groups: Vec<_> = patches.chunks(GROUP).enumerate().map(of_group).collect();
        let missing: usize =
            groups.iter().filter(|group| group.2.is_none()).map(|group| group.1.len()).sum();
        if missing > 0 {
            progress.say(&format!(
                "{name}: the outputs of {layer}, up to which nothing is trained, are computed once and kept ({})",
                size(bytes)
            ));
            progress.start(&format!("{name} up to {layer}"), missing as u64);
        }
        let absent = groups.iter().filter(|group| group.2.is_none());
        let batches = absent.map(|(path, group, _)| (path, Batch::read(job.store, group)));
        let refused = loader::ahead(batches, |ready| -> Result<Option<anyhow::Error>> {
            for (path, batch) in ready {
                let maps = network
                    .frozen_maps(&batch.input(network)?)?
                    .context("nothing of the network is frozen")?;
                let maps = maps.to_device(&Device::Cpu)?.contiguous()?;
                let marks = HashMap::from([(INPUTS.to_owned(), inputs.to_string())]);
                if let Err(why) = tensors::write(path, &[(MAPS.to_owned(), maps)].into(), marks) {
                    return Ok(Some(why));
                }
                progress.advance(batch.patches.len() as u64);
            }
            Ok(None)
        })?;
        if missing > 0 {
            progress.finish();
        }
        // A disk that is full, for instance: training needs none of it.
        if let Some(why) = refused {
            let _ = fs_err::remove_dir_all(&folder);
            progress.say(&format!(
                "{name}: what is computed cannot be kept ({why:#}): it is computed again in every epoch"
            ));
            return Ok(None);
        }
        let files = groups.into_iter().map(|(path, group, map)| {
            let map = map.or_else(|| open(&path, inputs, group.len(), shape));
            map.with_context(|| format!("{} is not what was just written", path.display()))
        });
        let places = patches.iter().enumerate().map(|(at, &patch)| (patch, at)).collect();
        Ok(Some(Self { places, shape, files: files.collect::<Result<_>>()? }))
    }

    /// Units, rows and columns of a patch's maps.
    pub(crate) fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// The maps of patches, one after the other.
    ///
    /// # Panics
    /// When the maps of one of them are not kept.
    pub(crate) fn maps(&self, patches: &[u32]) -> Vec<f32> {
        let each = bytes_of(self.shape) as usize;
        let mut values = Vec::with_capacity(patches.len() * each / 4);
        for patch in patches {
            let place = self.places[patch];
            let file = &self.files[place / GROUP];
            // A file ends with the values of its patches, of which the last file has fewer.
            let last = self.places.len() - place / GROUP * GROUP;
            let start = file.len() - last.min(GROUP) * each + place % GROUP * each;
            let bytes = file[start..][..each].chunks_exact(4);
            values
                .extend(bytes.map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]])));
        }
        values
    }
}

/// Removes what was kept for a training.
///
/// # Errors
/// When it exists and cannot be removed.
pub(super) fn remove(folder: &Path) -> Result<()> {
    match fs_err::remove_dir_all(folder.join(FOLDER)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn bytes_of(shape: [usize; 3]) -> u64 {
    shape.iter().map(|&n| n as u64).product::<u64>() * 4
}

/// Units, rows and columns of an image's maps.
fn shape(network: &Network) -> Result<[usize; 3]> {
    let edge = network.input() as usize;
    let size = (1, network.channels(), edge, edge);
    let image = Tensor::zeros(size, candle_core::DType::F32, network.device())?;
    let maps = network.frozen_maps(&image)?.context("nothing of the network is frozen")?;
    let (_, units, rows, columns) = maps.dims4()?;
    Ok([units, rows, columns])
}

/// A file, where it holds what a training with these inputs has kept of so many patches; whatever else it is, it is
/// written again.
fn open(path: &Path, inputs: &Fingerprint, patches: usize, shape: [usize; 3]) -> Option<Mmap> {
    let attempt = || -> Result<Mmap> {
        let map = artifact::map(fs_err::File::open(path)?.file())?;
        ensure!(tensors::mark(&map, INPUTS)?.as_deref() == Some(inputs.as_str()), "of others");
        tensors::check(&map)?;
        let file = safetensors::SafeTensors::deserialize(&map)?;
        let [units, rows, columns] = shape;
        let maps = file.tensor(MAPS)?;
        ensure!(file.len() == 1 && maps.dtype() == safetensors::Dtype::F32, "of others");
        ensure!(maps.shape() == [patches, units, rows, columns], "of others");
        Ok(map)
    };
    attempt().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Killer, dataset};
    use base::progress::Silent;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::AtomicU64;

    #[test]
    fn maps_are_those_that_are_computed_and_a_killed_run_goes_on() {
        let (manifest, store) = dataset();
        let network = Network::new("resnet10", 2, 32, 3, &Device::Cpu).unwrap();
        let network = network.freeze("layer2").unwrap();
        let run = crate::tests::network(0.01);
        let name = "resnet10";
        let job = Job {
            name,
            run: &run,
            manifest: &manifest,
            store: &store,
            device: &Device::Cpu,
            seed: 5,
        };
        let folder = tempfile::tempdir().unwrap();
        let patches: Vec<u32> = (0..70).rev().collect();
        let inputs = Fingerprint::of(&"inputs");
        let of = |inputs: &Fingerprint, progress: &dyn Progress| {
            Outputs::of(&job, &network, &patches, (folder.path(), inputs), progress)
                .unwrap()
                .unwrap()
        };
        let killer = Killer(AtomicU64::new(60));
        assert!(catch_unwind(AssertUnwindSafe(|| of(&inputs, &killer))).is_err(), "not killed");
        // The first file is there: so many patches are left.
        let outputs = of(&inputs, &Killer(AtomicU64::new(7)));
        let expected = |patch: u32| -> Vec<f32> {
            let images = network.images(&[store.pixels(patch)], store.edge()).unwrap();
            let maps = network.frozen_maps(&images).unwrap().unwrap();
            assert_eq!(maps.dims()[1..], outputs.shape());
            maps.flatten_all().unwrap().to_vec1().unwrap()
        };
        let some = [69, 0, 5, 6, 7, 33];
        let wanted: Vec<Vec<f32>> = some.iter().map(|&patch| expected(patch)).collect();
        assert_eq!(outputs.maps(&some), wanted.concat());
        // All is there: nothing is computed. Another training's is not taken.
        drop(of(&inputs, &Killer(AtomicU64::new(0))));
        let other = Fingerprint::of(&"others");
        assert!(catch_unwind(AssertUnwindSafe(|| of(&other, &Killer(AtomicU64::new(0))))).is_err());
        // A file that is cut short is written again.
        let path = folder.path().join(FOLDER).join("00001.safetensors");
        drop(of(&other, &Silent));
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(of(&other, &Silent).maps(&some), wanted.concat());
        // The marks in the header may stand in another order.
        let data = |file: &[u8]| {
            file[8 + u64::from_le_bytes(*file.first_chunk().unwrap()) as usize..].to_vec()
        };
        assert_eq!(data(&std::fs::read(&path).unwrap()), data(&bytes));
        remove(folder.path()).unwrap();
        remove(folder.path()).unwrap();
        assert!(!folder.path().join(FOLDER).exists());
    }
}
