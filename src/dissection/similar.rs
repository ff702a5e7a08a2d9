//! Which units of all networks respond to the same patches: `dissection/similar.json`. Format 1.
//!
//! Two units are as similar as the ranks of their scores over the same patches correlate (Spearman).

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use rayon::prelude::*;

use base::UnitId;
use base::artifact::{self, Fingerprint, Sealed, Stamp};
use metrics::midranks;
use record::similar::{DUPLICATE, FILE, FORMAT, Like, Likes, Similar};

/// Scores of a layer: one tensor `scores`, `[units, patches]`.
pub(super) const SCORES: &str = "scores.safetensors";
/// Units of other layers named per unit.
const NAMED: usize = 5;
/// A dissected layer: network, layer, folder, fingerprint.
pub type Dissected<'a> = (&'a str, &'a str, &'a Path, Fingerprint);

/// What the comparison depends on.
pub fn stamp(layers: &[Dissected]) -> Stamp {
    layers.iter().fold(Stamp::new(FORMAT), |stamp, (network, layer, _, fingerprint)| {
        stamp.with(&format!("{network}/{layer}"), fingerprint.clone())
    })
}

/// Compares all units of the given layers and writes what is similar into `folder`.
///
/// # Errors
/// When scores cannot be read, are not of the same patches, or the file cannot be written.
pub fn compare(layers: &[Dissected], folder: &Path) -> Result<()> {
    Stamp::clear(folder)?;
    let scored: Vec<(&str, &str, Tensor)> = layers
        .iter()
        .map(|&(network, layer, folder, _)| Ok((network, layer, standard(folder)?)))
        .collect::<Result<_>>()?;
    let mut units: BTreeMap<UnitId, Likes> = BTreeMap::new();
    for (own, (network, layer, scores)) in scored.iter().enumerate() {
        let mut likes = vec![Likes::default(); scores.dim(0)?];
        for (other, (their_network, their_layer, theirs)) in scored.iter().enumerate() {
            ensure!(
                theirs.dim(1)? == scores.dim(1)?,
                "{network}/{layer} and {their_network}/{their_layer} saw different patches; run \
                 `dissect` again"
            );
            let table = scores.matmul(&theirs.t()?)?.to_vec2::<f32>()?;
            likes.par_iter_mut().zip(table).enumerate().for_each(|(unit, (likes, row))| {
                let like = |(at, &correlation): (usize, &f32)| Like {
                    unit: UnitId::new(*their_network, *their_layer, at as u32 + 1),
                    correlation,
                };
                if own == other {
                    let others =
                        row.iter().enumerate().filter(|(at, r)| *at != unit && **r > DUPLICATE);
                    likes.duplicates.extend(others.map(like));
                } else {
                    let positive = row.iter().enumerate().filter(|(_, r)| **r > 0.0);
                    likes.elsewhere.extend(positive.map(like));
                    best(&mut likes.elsewhere);
                }
            });
        }
        for (at, mut likes) in likes.into_iter().enumerate() {
            best(&mut likes.duplicates);
            if likes != Likes::default() {
                units.insert(UnitId::new(*network, *layer, at as u32 + 1), likes);
            }
        }
    }
    artifact::write_json(&folder.join(FILE), &Similar { format: FORMAT, units })?;
    stamp(layers).seal(folder, &[FILE], "cpu")
}

/// Keeps the most similar, of equals the first.
fn best(likes: &mut Vec<Like>) {
    // Stable, so equals stay in order.
    likes.sort_by(|a, b| b.correlation.total_cmp(&a.correlation));
    likes.truncate(NAMED);
}

/// Ranks of a layer's scores, standardised so that a product of two rows is their correlation. The
/// row of a unit that scores all patches alike is zero.
fn standard(folder: &Path) -> Result<Tensor> {
    let file = Sealed::open(folder)?.map(SCORES)?;
    let read = || -> Result<Tensor> {
        let tensors = candle_core::safetensors::load_buffer(&file, &Device::Cpu)?;
        let scores = tensors.get("scores").context("it holds no scores")?.to_vec2::<f32>()?;
        let shape = (scores.len(), scores.first().map_or(0, Vec::len));
        let rows: Vec<Vec<f32>> = scores.par_iter().map(|row| standard_ranks(row)).collect();
        Ok(Tensor::from_vec(rows.concat(), shape, &Device::Cpu)?)
    };
    read().with_context(|| format!("{SCORES} of {} cannot be read", folder.display()))
}

fn standard_ranks(scores: &[f32]) -> Vec<f32> {
    let ranks = midranks(scores);
    let mean = (ranks.len() as f64 + 1.0) / 2.0;
    let length = ranks.iter().map(|rank| (rank - mean).powi(2)).sum::<f64>().sqrt();
    let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
    ranks.into_iter().map(|rank| ((rank - mean) * scale) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(root: &Path, name: &str, rows: &[Vec<f32>]) {
        let folder = root.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let shape = (rows.len(), 4);
        let scores = Tensor::from_vec(rows.concat(), shape, &Device::Cpu).unwrap();
        let tensors = BTreeMap::from([("scores", scores)]);
        safetensors::serialize_to_file(tensors, None, &folder.join(SCORES)).unwrap();
        Stamp::new(1).seal(&folder, &[SCORES], "cpu").unwrap();
    }

    #[test]
    fn duplicates_and_likes_are_found_by_rank() {
        let root = tempfile::tempdir().unwrap();
        layer(root.path(), "a", &[vec![1., 2., 3., 4.], vec![10., 20., 30., 90.], vec![0.; 4]]);
        layer(root.path(), "b", &[vec![4., 3., 2., 1.], vec![1., 3., 2., 4.]]);
        let (a, b) = (root.path().join("a"), root.path().join("b"));
        let mark = Fingerprint::of(&1);
        let layers: Vec<Dissected> =
            vec![("x", "a", &a, mark.clone()), ("y", "b", &b, mark.clone())];
        compare(&layers, root.path()).unwrap();
        assert!(stamp(&layers).matches(root.path()));
        let found = record::similar::read(root.path()).unwrap().units;
        let [a1, a2, a3] = [1, 2, 3].map(|number| UnitId::new("x", "a", number));
        let [b1, b2] = [1, 2].map(|number| UnitId::new("y", "b", number));
        let first = &found[&a1];
        assert_eq!(first.duplicates[0].unit, a2);
        assert!((first.duplicates[0].correlation - 1.0).abs() < 1e-6);
        // Opposite ranks are not similar; 1 - 6 * 2 / (4 * 15) = 0.8.
        assert_eq!(first.elsewhere.len(), 1);
        assert_eq!(first.elsewhere[0].unit, b2);
        assert!((first.elsewhere[0].correlation - 0.8).abs() < 1e-6);
        assert!(!found.contains_key(&a3) && !found.contains_key(&b1));
    }
}
