//! Which units of all networks respond to the same patches: `dissection/similar.json`. Format 3.
//!
//! Two units are as similar as the ranks of their scores over the same patches correlate (Spearman). By that
//! the live units of each layer are laid out in the plane (`layout`), and by the same ranks the top patches of a
//! unit are told apart (`groups`).

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use anyhow::{Result, bail};
use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::groups::Described;
use super::layout;
use base::UnitId;
use base::artifact::{self, Fingerprint, Stamp};
use metrics::midranks;
use record::similar::{DUPLICATE, FILE, FORMAT, Layout, Like, Likes, Similar};
use record::{LayerScores, Manifest};

/// Units of other layers named per unit.
const NAMED: usize = 5;
/// Scores that are compared at once: 256 MB. All of a layer of 2,048 units over 25,000 patches.
const BLOCK: usize = 1 << 26;
/// Blocks that are kept once they are ranked.
const KEPT: usize = 3;
/// A dissected layer: network, layer, folder, fingerprint.
pub type Dissected<'a> = (&'a str, &'a str, &'a Path, Fingerprint);

/// What the comparison depends on.
pub fn stamp(layers: &[Dissected]) -> Stamp {
    layers.iter().fold(Stamp::new(FORMAT), |stamp, (network, layer, _, fingerprint)| {
        stamp.with(&format!("{network}/{layer}"), fingerprint.clone())
    })
}

/// Compares all units of the given layers, lays them out, looks for groups among the patches of each, and writes
/// what it finds into `folder`. The patches are those of `manifest`.
///
/// Scores of large collections are gigabytes: a block of units at a time is compared with all others.
///
/// # Errors
/// When scores cannot be read, are not of the same patches, or the file cannot be written.
pub fn compare(layers: &[Dissected], manifest: &Manifest, folder: &Path) -> Result<()> {
    Stamp::clear(folder)?;
    let described = layers.iter().map(|(_, _, folder, _)| {
        let layer = record::dissection::read(folder)?;
        Ok(Described::new(&layer, manifest))
    });
    let found = similar(layers, described.collect::<Result<_>>()?, BLOCK)?;
    artifact::write_json(&folder.join(FILE), &found)?;
    stamp(layers).seal(folder, &[FILE], "cpu")
}

/// What is similar among the units of all layers, whose top patches are `described`; `most` scores are in a block.
fn similar(layers: &[Dissected], mut described: Vec<Described>, most: usize) -> Result<Similar> {
    let files: Vec<LayerScores> =
        layers.iter().map(|(_, _, folder, _)| LayerScores::open(folder)).collect::<Result<_>>()?;
    for (file, (network, layer, ..)) in files.iter().zip(layers) {
        if let Some((other, (their_network, their_layer, ..))) =
            files.iter().zip(layers).find(|(other, _)| other.patches() != file.patches())
        {
            bail!(
                "{network}/{layer} and {their_network}/{their_layer} saw different patches ({} and {}); run \
                 `dissect` again",
                file.patches(),
                other.patches()
            );
        }
    }
    let blocks: Vec<(usize, Range<usize>)> = (0..)
        .zip(&files)
        .flat_map(|(at, file)| blocks(file, most).map(move |units| (at, units)))
        .collect();
    // Ranked again for each block where all of them would not fit.
    let whole: usize = files.iter().map(|file| file.units() * file.patches()).sum();
    let kept: Option<Vec<Tensor>> = (whole <= KEPT * most)
        .then(|| blocks.iter().map(|(at, units)| standard(&files[*at], units)).collect())
        .transpose()?;
    let ranked = |block: usize| match &kept {
        Some(kept) => Ok(kept[block].clone()),
        None => standard(&files[blocks[block].0], &blocks[block].1),
    };
    let (mut units, mut layouts) = (BTreeMap::new(), BTreeMap::new());
    // Similarities within the layer at hand, a row for each of its units so far.
    let mut within: Vec<f32> = Vec::new();
    for (own, (layer, range)) in blocks.iter().enumerate() {
        let scores = ranked(own)?;
        let (first, width) = (within.len(), files[*layer].units());
        within.resize(first + range.len() * width, 0.0);
        let mut likes = vec![Likes::default(); range.len()];
        for (other, (their_layer, their_range)) in blocks.iter().enumerate() {
            let (network, name, ..) = layers[*their_layer];
            let theirs = if other == own { scores.clone() } else { ranked(other)? };
            // Each block of the layer once.
            if layer == their_layer && range.start == 0 {
                let ranks = theirs.flatten_all()?.to_vec1::<f32>()?;
                described[*layer].add(&ranks, their_range.start, files[*layer].patches());
            }
            let table = scores.matmul(&theirs.t()?)?.to_vec2::<f32>()?;
            if layer == their_layer {
                for (all, row) in within[first..].chunks_mut(width).zip(&table) {
                    all[their_range.clone()].copy_from_slice(row);
                }
            }
            likes.par_iter_mut().zip(table).enumerate().for_each(|(unit, (likes, row))| {
                let like = |(at, &correlation): (usize, &f32)| Like {
                    unit: UnitId::new(network, name, (their_range.start + at) as u32 + 1),
                    correlation,
                };
                let others = row.iter().enumerate();
                if layer == their_layer {
                    let itself = range.start + unit;
                    let twins = others
                        .filter(|(at, r)| their_range.start + at != itself && **r > DUPLICATE);
                    likes.duplicates.extend(twins.map(like));
                    best(&mut likes.duplicates);
                } else {
                    likes.elsewhere.extend(others.filter(|(_, r)| **r > 0.0).map(like));
                    best(&mut likes.elsewhere);
                }
            });
        }
        let (network, name, ..) = layers[*layer];
        for (unit, likes) in range.clone().zip(likes).filter(|(_, l)| *l != Likes::default()) {
            units.insert(UnitId::new(network, name, unit as u32 + 1), likes);
        }
        if range.end == width {
            layouts.insert(format!("{network}/{name}"), lay_out(&within, &live(&files[*layer])));
            within.clear();
        }
    }
    let groups = layers.iter().zip(described).flat_map(|((network, layer, ..), described)| {
        let named = |(unit, groups)| (UnitId::new(*network, *layer, unit), groups);
        described.groups().into_iter().map(named)
    });
    Ok(Similar { format: FORMAT, units, layouts, groups: groups.collect() })
}

/// The layout of a layer, by the similarities of all its units and which of them are live.
fn lay_out(within: &[f32], live: &[bool]) -> Layout {
    let of_live: Vec<f32> = within
        .chunks(live.len().max(1))
        .zip(live)
        .filter(|(_, live)| **live)
        .flat_map(|(row, _)| {
            row.iter().zip(live).filter(|(_, live)| **live).map(|(value, _)| *value)
        })
        .collect();
    let count = live.iter().filter(|live| **live).count();
    let table = layout::Table::new(&of_live, count);
    let found = layout::place(table);
    let kept = layout::kept(table, &found);
    let mut found = found.into_iter();
    Layout { places: live.iter().map(|live| live.then(|| found.next()).flatten()).collect(), kept }
}

/// Keeps the most similar, of equals the first.
fn best(likes: &mut Vec<Like>) {
    // Stable, so equals stay in order.
    likes.sort_by(|a, b| b.correlation.total_cmp(&a.correlation));
    likes.truncate(NAMED);
}

/// The units of a layer in blocks of at most so many scores, or of one unit.
fn blocks(scores: &LayerScores, most: usize) -> impl Iterator<Item = Range<usize>> + use<> {
    let (units, step) = (scores.units(), (most / scores.patches().max(1)).max(1));
    (0..units).step_by(step).map(move |start| start..units.min(start + step))
}

/// Which units are live: by their scores, as `Unit::kind` says it of their activations.
fn live(scores: &LayerScores) -> Vec<bool> {
    let live = |unit| {
        let own = scores.of(unit).unwrap_or_default();
        let [low, high] = [f32::min as fn(f32, f32) -> f32, f32::max]
            .map(|most| own.iter().copied().reduce(most).unwrap_or_default());
        high > 0.0 && high > low
    };
    (0..scores.units()).into_par_iter().map(live).collect()
}

/// Ranks of the scores of some units, standardised so that a product of two rows is their correlation.
/// The row of a unit that scores all patches alike is zero.
fn standard(scores: &LayerScores, units: &Range<usize>) -> Result<Tensor> {
    let patches = scores.patches();
    let mut all = vec![0.0; units.len() * patches];
    // No row has no patches: then there are no scores at all.
    all.par_chunks_mut(patches.max(1)).enumerate().for_each(|(row, out)| {
        if let Some(own) = scores.of(units.start + row) {
            out.copy_from_slice(&standard_ranks(&own));
        }
    });
    Ok(Tensor::from_vec(all, (units.len(), patches), &Device::Cpu)?)
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
    use record::dissection::SCORES;

    fn layer(root: &Path, name: &str, rows: &[Vec<f32>]) {
        let folder = root.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let shape = (rows.len(), 4);
        let scores = Tensor::from_vec(rows.concat(), shape, &Device::Cpu).unwrap();
        let tensors = BTreeMap::from([("scores", scores)]);
        safetensors::serialize_to_file(tensors, None, &folder.join(SCORES)).unwrap();
        Stamp::new(1).seal(&folder, &[SCORES], "cpu").unwrap();
    }

    /// What is similar, of units without top patches.
    fn alike(layers: &[Dissected], most: usize) -> Result<Similar> {
        similar(layers, layers.iter().map(|_| Described::default()).collect(), most)
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
        let found = alike(&layers, BLOCK).unwrap().units;
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

    #[test]
    fn blocks_of_any_size_give_the_same() {
        let root = tempfile::tempdir().unwrap();
        let row = |n: usize| (0..4).map(|at| ((n * 7 + at * 5) % 11) as f32).collect();
        for (name, units) in [("a", 7), ("b", 4)] {
            layer(root.path(), name, &(0..units).map(row).collect::<Vec<_>>());
        }
        let (a, b) = (root.path().join("a"), root.path().join("b"));
        let mark = Fingerprint::of(&1);
        let layers: Vec<Dissected> =
            vec![("x", "a", &a, mark.clone()), ("y", "b", &b, mark.clone())];
        let Similar { units: whole, layouts, .. } = alike(&layers, BLOCK).unwrap();
        assert!(whole.values().any(|likes| !likes.duplicates.is_empty()), "{whole:?}");
        // Of one unit and of two, ranked anew each time; of three, kept.
        for most in [1, 8, 16] {
            let Similar { units: found, layouts: laid, .. } = alike(&layers, most).unwrap();
            assert_eq!(laid.keys().collect::<Vec<_>>(), layouts.keys().collect::<Vec<_>>());
            for (laid, whole) in laid.values().zip(layouts.values()) {
                assert_eq!(
                    (laid.placed(), laid.places.len()),
                    (whole.placed(), whole.places.len())
                );
            }
            assert_eq!(found.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>());
            for (found, whole) in found.values().zip(whole.values()) {
                for (found, whole) in
                    [(&found.duplicates, &whole.duplicates), (&found.elsewhere, &whole.elsewhere)]
                {
                    let names =
                        |likes: &[Like]| likes.iter().map(|l| l.unit.clone()).collect::<Vec<_>>();
                    assert_eq!(names(found), names(whole));
                }
            }
        }
    }

    #[test]
    fn live_units_of_a_layer_are_laid_out_by_what_they_respond_to() {
        let root = tempfile::tempdir().unwrap();
        // Two that agree, one that does not; a dead one, a constant one.
        let rows = [
            vec![1., 2., 3., 4.],
            vec![0.; 4],
            vec![1., 2., 3., 5.],
            vec![2.; 4],
            vec![4., 3., 2., 1.],
            vec![-3., -2., -1., 0.],
        ];
        layer(root.path(), "a", &rows);
        let (a, mark) = (root.path().join("a"), Fingerprint::of(&1));
        let layers: Vec<Dissected> = vec![("x", "a", &a, mark)];
        // Whether it is all at once, or a unit at a time.
        for most in [BLOCK, 1] {
            let found = alike(&layers, most).unwrap();
            let layout = &found.layouts["x/a"];
            let live: Vec<bool> = layout.places.iter().map(Option::is_some).collect();
            assert_eq!(live, [true, false, true, false, true, false]);
            assert_eq!((layout.placed(), layout.kept), (3, None));
            let at = |unit: usize| layout.places[unit].unwrap();
            let away = |a: [f32; 2], b: [f32; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
            assert!(away(at(0), at(2)) < 0.01, "{layout:?}");
            assert!((away(at(0), at(4)) - 2.0).abs() < 0.01, "{layout:?}");
        }
    }

    #[test]
    fn layers_that_saw_other_patches_are_refused() {
        let root = tempfile::tempdir().unwrap();
        layer(root.path(), "a", &[vec![1., 2., 3., 4.]]);
        let b = root.path().join("b");
        std::fs::create_dir_all(&b).unwrap();
        let scores = Tensor::from_vec(vec![1_f32, 2.0], (1, 2), &Device::Cpu).unwrap();
        let tensors = BTreeMap::from([("scores", scores)]);
        safetensors::serialize_to_file(tensors, None, &b.join(SCORES)).unwrap();
        Stamp::new(1).seal(&b, &[SCORES], "cpu").unwrap();
        let (a, mark) = (root.path().join("a"), Fingerprint::of(&1));
        let layers: Vec<Dissected> = vec![("x", "a", &a, mark.clone()), ("y", "b", &b, mark)];
        let error = alike(&layers, BLOCK).unwrap_err();
        assert!(
            error.to_string().contains("x/a and y/b saw different patches (4 and 2)"),
            "{error}"
        );
    }
}
