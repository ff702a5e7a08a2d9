//! What a namer makes of the patches, computed once and kept, and of the terms.
//!
//! While it is made, files of a few patches each lie in `parts/`, so that a killed run goes on behind the last of
//! them; then one file holds all, and they are gone.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use rayon::prelude::*;
use safetensors::{Dtype, SafeTensors};

use super::score::{ROUNDING, Similarities};
use super::terms::Term;
use base::artifact::{self, Fingerprint, Sealed, Stamp};
use base::progress::Progress;
use network::namer::{Pair, unit};
use record::{Store, tensors};

/// The file of all.
const FILE: &str = "embeddings.safetensors";
/// Where the files of a few patches lie.
const PARTS: &str = "parts";
/// Its tensor, patches x width.
const EMBEDDINGS: &str = "embeddings";
/// The mark that says what a file of a few patches follows from.
const INPUTS: &str = "inputs";
/// Patches per file that is not all.
const GROUP: usize = 512;
/// What it is called while it is made.
const SEEN: &str = "patches as the namer sees them";
/// Patches per pass of the namer.
const BATCH: usize = 32;

/// What a namer makes of patches: rows of length 1.
#[derive(Debug)]
pub struct Embeddings {
    width: usize,
    rows: Vec<f32>,
}

impl Embeddings {
    /// Reads those in a folder.
    ///
    /// # Errors
    /// When there are none, or they are not what was written.
    pub fn read(folder: &Path) -> Result<Self> {
        let file = Sealed::open(folder)?.map(FILE)?;
        let (width, rows) = values(&file)?;
        Ok(Self { width, rows })
    }

    /// What `namer` makes of some patches, without a folder to keep it in.
    pub(crate) fn of(
        namer: &Pair,
        store: &Store,
        patches: &[u32],
        progress: &dyn Progress,
    ) -> Result<Self> {
        let mut rows = Vec::with_capacity(patches.len() * namer.width());
        progress.start(SEEN, patches.len() as u64);
        for batch in patches.chunks(BATCH) {
            rows.extend(seen(namer, store, batch)?);
            progress.advance(batch.len() as u64);
        }
        progress.finish();
        Ok(Self { width: namer.width(), rows })
    }

    /// Whether several patches look alike, whatever they show: a tower that makes the same of all has learnt nothing.
    pub fn are_alike(&self) -> bool {
        let mut rows = self.rows.chunks(self.width.max(1));
        let Some(first) = rows.next() else { return false };
        let near = |row: &[f32]| row.iter().zip(first).all(|(a, b)| (a - b).abs() < ROUNDING);
        rows.len() > 0 && rows.all(near)
    }

    /// How close each patch is to each of some terms: the cosine with the mean of what `namer` makes of its prompts; a
    /// row for each patch.
    ///
    /// # Errors
    /// When a prompt cannot be read.
    pub(crate) fn cosines(
        &self,
        namer: &Pair,
        terms: &[Term],
        progress: &dyn Progress,
    ) -> Result<Vec<f32>> {
        ensure!(self.width == namer.width(), "the embeddings are of another namer");
        progress.start("terms as the namer reads them", terms.len() as u64);
        let texts: Vec<Vec<f32>> = terms
            .iter()
            .map(|term| {
                let prompts: Vec<&str> = term.prompts.iter().map(String::as_str).collect();
                let text = mean(&namer.texts(&prompts)?, self.width);
                progress.advance(1);
                Ok(text)
            })
            .collect::<Result<_>>()?;
        progress.finish();
        let cosine =
            |row: &[f32], text: &Vec<f32>| row.iter().zip(text).map(|(a, b)| a * b).sum::<f32>();
        let of_patch =
            |row: &[f32]| texts.iter().map(|text| cosine(row, text)).collect::<Vec<f32>>();
        Ok(self.rows.par_chunks(self.width.max(1)).flat_map_iter(of_patch).collect())
    }

    /// Patches and terms beside each other, by their cosines.
    ///
    /// # Errors
    /// When a prompt cannot be read.
    pub fn similarities(
        &self,
        namer: &Pair,
        terms: &[Term],
        progress: &dyn Progress,
    ) -> Result<Similarities> {
        let cosines = self.cosines(namer, terms, progress)?;
        let place = |id: &String| terms.iter().position(|term| term.id == *id);
        let general: Vec<Option<usize>> =
            terms.iter().map(|term| term.general.as_ref().and_then(place)).collect();
        Ok(Similarities::new(cosines, general))
    }
}

/// What a namer makes of some patches at once, row after row.
fn seen(namer: &Pair, store: &Store, patches: &[u32]) -> Result<Vec<f32>> {
    let pixels: Vec<&[u8]> = patches.iter().map(|&patch| store.pixels(patch)).collect();
    Ok(namer.images(&pixels, store.edge())?.concat())
}

/// The direction of the mean of several; zero of none.
fn mean(rows: &[Vec<f32>], width: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f32; width];
    for row in rows {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    unit(sum)
}

/// Shows patches to a namer and keeps what it makes of them in `folder`; goes on with what was begun with the same
/// stamp.
///
/// # Errors
/// When the device fails or a file cannot be written.
pub fn embed(
    namer: &Pair,
    store: &Store,
    patches: &[u32],
    (folder, stamp): (&Path, &Stamp),
    device: &str,
    progress: &dyn Progress,
) -> Result<()> {
    let inputs = stamp.fingerprint();
    let part = |at: usize| folder.join(PARTS).join(part_name(at));
    let begun = |at: usize, group: &[u32]| {
        let file = read_part(&part(at), &inputs).ok();
        file.filter(|(width, rows)| *width == namer.width() && rows.len() == width * group.len())
    };
    let groups: Vec<&[u32]> = patches.chunks(GROUP).collect();
    progress.start(SEEN, patches.len() as u64);
    let mut all: Vec<f32> = Vec::with_capacity(patches.len() * namer.width());
    for (at, group) in groups.iter().enumerate() {
        if let Some((_, rows)) = begun(at, group) {
            all.extend(rows);
            progress.advance(group.len() as u64);
            continue;
        }
        let mut rows: Vec<f32> = Vec::with_capacity(group.len() * namer.width());
        for batch in group.chunks(BATCH) {
            rows.extend(seen(namer, store, batch)?);
            progress.advance(batch.len() as u64);
        }
        let marks = HashMap::from([(INPUTS.to_owned(), inputs.to_string())]);
        tensors::write(&part(at), &[tensor(&rows, namer.width())?].into(), marks)?;
        all.extend(rows);
    }
    progress.finish();
    tensors::write(&folder.join(FILE), &[tensor(&all, namer.width())?].into(), HashMap::new())?;
    stamp.seal(folder, &[FILE], device)?;
    tidy(folder)
}

/// What the files of an unfinished folder were made from; none where there are none.
///
/// # Errors
/// When the folder cannot be read.
pub fn unfinished(folder: &Path) -> Result<Option<Fingerprint>> {
    let first = folder.join(PARTS).join(part_name(0));
    if Sealed::open(folder).is_ok() || !first.exists() {
        return Ok(None);
    }
    let file = artifact::map(fs_err::File::open(first)?.file())?;
    Ok(tensors::mark(&file, INPUTS).ok().flatten().and_then(|mark| Fingerprint::parse(&mark)))
}

/// Removes the files of a few patches from a finished folder.
///
/// # Errors
/// When one cannot be removed.
pub fn tidy(folder: &Path) -> Result<()> {
    let parts = folder.join(PARTS);
    if parts.is_dir() {
        fs_err::remove_dir_all(parts)?;
    }
    Ok(())
}

fn part_name(at: usize) -> String {
    format!("{at:05}.safetensors")
}

fn tensor(rows: &[f32], width: usize) -> Result<(String, Tensor)> {
    let tensor = Tensor::from_slice(rows, (rows.len() / width.max(1), width), &Device::Cpu)?;
    Ok((EMBEDDINGS.to_owned(), tensor))
}

fn read_part(path: &Path, inputs: &Fingerprint) -> Result<(usize, Vec<f32>)> {
    let file = artifact::map(fs_err::File::open(path)?.file())?;
    ensure!(tensors::mark(&file, INPUTS)?.as_deref() == Some(inputs.as_str()), "of others");
    tensors::check(&file)?;
    values(&file)
}

/// Width and rows of a file.
fn values(file: &[u8]) -> Result<(usize, Vec<f32>)> {
    let file = SafeTensors::deserialize(file)?;
    let found = file.tensor(EMBEDDINGS).context("it holds no embeddings")?;
    let [_, width] = <[usize; 2]>::try_from(found.shape()).ok().context("they are no table")?;
    ensure!(found.dtype() == Dtype::F32, "they are not in single precision");
    let (words, _) = found.data().as_chunks();
    Ok((width, words.iter().map(|word| f32::from_le_bytes(*word)).collect()))
}
