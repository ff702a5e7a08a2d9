//! From the segments of a whole split to what is kept of a layer.
//!
//! The segments are read twice, one at a time: for the thresholds and ranks, then for the regions
//! above the thresholds. Memory is bounded by units, scores and one segment.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::agreement::{Agreement, Shuffles};
use super::bits::Bits;
use super::buckets::{self, BUCKETS};
use super::concepts::{Concepts, Masks, domain};
use super::largest::Largest;
use super::overlay::Tracer;
use super::segment::{self, Segment};
use super::upsample::Upsampler;
use super::{ranks, watch};
use base::{Field, seed};
use config::Dissection;
use record::Manifest;
use record::dissection::{Activations, Level, TopPatch, Unit};

/// Bins of the histograms.
const BINS: usize = 24;
/// Percentiles around which patches are drawn, and how many of each.
const LEVELS: [f64; 3] = [0.99, 0.9, 0.5];
const DRAWN: usize = 4;

/// What a layer's results depend on besides its segments.
pub(super) struct Context<'a> {
    pub manifest: &'a Manifest,
    pub settings: &'a Dissection,
    /// Numbers of the patches, in order.
    pub patches: &'a [u32],
    pub concepts: &'a Concepts<'a>,
    pub shuffles: &'a Shuffles,
    /// `<network>/<layer>`, to draw by.
    pub name: String,
    /// Where units look, in patch pixels.
    pub field: Field,
    /// Edge of a patch.
    pub edge: u32,
}

/// What becomes of a layer.
pub(super) struct Finished {
    /// Rows and columns of a map.
    pub map: [u32; 2],
    /// Without their influence.
    pub units: Vec<Unit>,
    /// Scores, unit by unit.
    pub scores: Vec<f32>,
    /// Maps of the top patches, unit by unit in rank order.
    pub maps: Vec<f32>,
}

/// One unit on its way.
struct Progress {
    activations: Largest,
    bound: f32,
    buckets: Vec<u64>,
    positive: u64,
    least: f32,
}

/// One unit once its threshold and ranks are known.
struct Known {
    threshold: f32,
    /// Positions of the top patches, best first.
    top: Vec<u32>,
    /// Positions drawn at each percentile.
    levels: Vec<Vec<u32>>,
    agreement: Agreement,
    /// Outlines by position, for the top patches and the drawn ones.
    overlays: Vec<(u32, String)>,
    /// Index of the first place of the score in the map by position, for the same patches.
    at: Vec<(u32, u32)>,
    /// Maps by position, for the top patches.
    maps: Vec<(u32, Vec<f32>)>,
}

/// Puts the segments below a layer's folder together.
pub(super) fn finish(context: &Context, folder: &Path) -> Result<Finished> {
    let count = context.patches.len().div_ceil(segment::GROUP);
    let patches = context.patches.len();
    let mut begun: Option<([u32; 2], Vec<Progress>)> = None;
    // Unit by unit, as they are written: of a large split they are most of the memory.
    let mut scores: Vec<f32> = Vec::new();
    for number in 0..count {
        let path = segment::path(folder, number);
        let segment = Segment::read(&path)?;
        let (map, progress) = begun.get_or_insert_with(|| {
            scores = vec![0.0; segment.units * patches];
            (segment.map, begin(context, &segment))
        });
        let starts = number * segment::GROUP;
        let expected = (patches - starts).min(segment::GROUP);
        let fits = (segment.units, segment.map) == (progress.len(), *map);
        ensure!(
            fits && segment.patches == expected,
            "{} is of another pass; remove it and run again",
            path.display()
        );
        first_reading(progress, &segment);
        for (unit, all) in scores.chunks_mut(patches).enumerate() {
            all[starts..][..expected].copy_from_slice(segment.scores_of(unit));
        }
    }
    let (map, progress) = begun.context("there is no patch to dissect")?;
    let cells = (map[0] * map[1]) as usize;
    let mut known: Vec<Known> = progress
        .par_iter()
        .zip(scores.par_chunks(patches))
        .enumerate()
        .map(|(unit, (progress, scores))| know(context, unit, progress, scores))
        .collect();
    // The anchor decides where the map's cells lie; the field says where a unit looks.
    let anchor =
        record::dissection::anchored(context.settings.anchor, context.field, map, context.edge);
    let draw = Draw {
        tracer: Tracer::new(map[0], anchor, context.edge),
        pixels: Upsampler::pixels(map, anchor, context.edge),
        edge: context.edge,
    };
    for number in 0..count {
        let segment = Segment::read(&segment::path(folder, number))?;
        second_reading(context, &draw, &mut known, &segment, number * segment::GROUP);
    }
    let units: Vec<Unit> = known
        .par_iter()
        .zip(&progress)
        .zip(scores.par_chunks(patches))
        .enumerate()
        .map(|(unit, ((known, progress), scores))| {
            conclude(context, unit, map, known, progress, scores)
        })
        .collect::<Result<_>>()?;
    let mut maps = Vec::with_capacity(known.iter().map(|k| k.top.len()).sum::<usize>() * cells);
    for known in &known {
        for position in &known.top {
            let found = known.maps.iter().find(|(at, _)| at == position);
            maps.extend_from_slice(&found.context("a top patch's map was not kept")?.1);
        }
    }
    Ok(Finished { map, units, scores, maps })
}

fn begin(context: &Context, first: &Segment) -> Vec<Progress> {
    let (patches, rule) = (context.patches.len(), context.settings.threshold);
    let keep = watch::keep(rule, patches, first.cells());
    (0..first.units)
        .map(|_| Progress {
            activations: Largest::new(keep),
            bound: f32::NEG_INFINITY,
            buckets: vec![0; BUCKETS],
            positive: 0,
            least: f32::INFINITY,
        })
        .collect()
}

fn first_reading(progress: &mut [Progress], segment: &Segment) {
    let starts = segment.starts();
    progress.par_iter_mut().zip(starts).enumerate().for_each(|(unit, (progress, start))| {
        segment.kept(unit, start, |_, _, values| {
            values.iter().for_each(|&value| progress.activations.offer(value));
        });
        progress.bound = progress.bound.max(segment.bounds[unit]);
        let counts = &segment.buckets[unit * BUCKETS..][..BUCKETS];
        progress.buckets.iter_mut().zip(counts).for_each(|(all, &n)| *all += u64::from(n));
        progress.positive += u64::from(segment.positive[unit]);
        progress.least = progress.least.min(segment.least[unit]);
    });
}

/// Positions of the patches, best first, ties by order.
fn ranking(scores: &[f32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..scores.len() as u32).collect();
    // Stable: equal scores stay in order.
    order.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]));
    order
}

fn know(context: &Context, unit: usize, progress: &Progress, scores: &[f32]) -> Known {
    let order = ranking(scores);
    let greatest = order.first().map_or(0.0, |&best| scores[best as usize]);
    let name = format!("dissection/sample/{}/{}", context.name, unit + 1);
    let mut rng = seed::stream(context.manifest.seed, &name);
    let levels = LEVELS.map(|level| {
        // Of the patches within one hundredth of the percentile, or the nearest few.
        let (n, middle) = (order.len() as f64, (1.0 - level) * order.len() as f64);
        let reach = (0.01 * n).max(DRAWN as f64);
        let from = (middle - reach).max(0.0) as usize;
        let to = ((middle + reach).ceil() as usize).min(order.len());
        let mut places: Vec<usize> = (from..to).collect();
        places.shuffle(&mut rng);
        places.truncate(DRAWN);
        places.sort_unstable();
        places.into_iter().map(|place| order[place]).collect::<Vec<u32>>()
    });
    Known {
        threshold: watch::threshold(
            context.settings.threshold,
            &progress.activations,
            progress.bound,
            greatest,
        ),
        top: order[..context.settings.top.min(order.len())].to_vec(),
        levels: levels.to_vec(),
        agreement: Agreement::new(context.concepts.list.len(), context.settings.permutations),
        overlays: Vec::new(),
        at: Vec::new(),
        maps: Vec::new(),
    }
}

/// What draws regions of one layer.
struct Draw {
    tracer: Tracer,
    pixels: Upsampler,
    edge: u32,
}

impl Draw {
    /// The region above the threshold, given what is kept of the map, filled in at the threshold.
    fn region(&self, map: &[f32], threshold: f32, row: &mut [f32], region: &mut Bits) {
        region.clear();
        let edge = self.edge as usize;
        for y in 0..edge {
            if self.pixels.reaches(map, y, threshold) {
                self.pixels.row(map, y, row);
                region.add_above(y * edge, row, threshold);
            }
        }
    }
}

fn second_reading(
    context: &Context,
    draw: &Draw,
    known: &mut [Known],
    segment: &Segment,
    from: usize,
) {
    let masks: Vec<Masks> = (0..segment.patches)
        .into_par_iter()
        .map(|patch| context.concepts.masks(from + patch))
        .collect();
    let starts = segment.starts();
    let edge = context.edge as usize;
    known.par_iter_mut().zip(starts).enumerate().for_each(|(unit, (known, start))| {
        let mut region = Bits::empty(edge * edge);
        let mut row = vec![0.0; edge];
        let mut map = vec![0.0; segment.cells()];
        let mut kept = map.clone();
        segment.kept(unit, start, |patch, places, values| {
            let position = from + patch;
            let shown = known.top.contains(&(position as u32))
                || known.levels.iter().flatten().any(|&at| at as usize == position);
            let score = segment.scores_of(unit)[patch];
            let active = score > known.threshold;
            if shown {
                let at = segment.at[unit * segment.patches + patch];
                known.at.push((position as u32, at));
            }
            if shown && !active {
                known.overlays.push((position as u32, String::new()));
            }
            if !active {
                return;
            }
            // What neither exceeds the threshold nor adjoins what does bounds no region. It may have
            // been dropped, so it counts as the threshold in any case.
            kept.fill(known.threshold);
            for (&place, &value) in places.iter().zip(values) {
                kept[place as usize] = value;
            }
            map.fill(known.threshold);
            for place in watch::around(&kept, segment.map, |value| value > known.threshold) {
                map[place as usize] = kept[place as usize];
            }
            if shown {
                let overlay = draw.tracer.trace(&map, known.threshold);
                known.overlays.push((position as u32, overlay));
            }
            if masks[patch].annotated.contains(&true) {
                draw.region(&map, known.threshold, &mut row, &mut region);
                known.agreement.add(
                    &region,
                    position,
                    &masks[patch],
                    context.concepts,
                    context.shuffles,
                    context.edge,
                );
            }
        });
        let of_unit = segment.map_units.partition_point(|&at| (at as usize) < unit);
        let until = segment.map_units.partition_point(|&at| at as usize <= unit);
        for at in of_unit..until {
            let position = (from + segment.map_patches[at] as usize) as u32;
            if known.top.contains(&position) {
                let cells = segment.cells();
                known.maps.push((position, segment.maps[at * cells..][..cells].to_vec()));
            }
        }
    });
}

fn conclude(
    context: &Context,
    unit: usize,
    map: [u32; 2],
    known: &Known,
    progress: &Progress,
    scores: &[f32],
) -> Result<Unit> {
    let shown = |position: u32| -> Result<TopPatch> {
        let place = known.at.iter().find(|(at, _)| *at == position);
        let place = place.context("a shown patch's place was not kept")?.1;
        let at = [place / map[1], place % map[1]];
        let overlay = known.overlays.iter().find(|(at, _)| *at == position);
        Ok(TopPatch {
            patch: context.patches[position as usize],
            score: scores[position as usize],
            at,
            roi: super::roi(context.field, at, context.edge),
            overlay: overlay.context("a shown patch's region was not kept")?.1.clone(),
        })
    };
    let list = |positions: &[u32]| positions.iter().map(|&at| shown(at)).collect::<Result<_>>();
    let mut matches = known.agreement.finish(context.concepts);
    for (concept, found) in matches.iter_mut().enumerate() {
        let annotated =
            &context.concepts.annotated[domain(context.concepts.list[concept].category)];
        let holders = &context.concepts.holders[concept];
        let scores: Vec<f32> =
            annotated.iter().map(|&position| scores[position as usize]).collect();
        let holds: Vec<bool> =
            annotated.iter().map(|position| holders.binary_search(position).is_ok()).collect();
        found.auc = ranks::auc(&scores, &holds);
    }
    let positive: Vec<bool> =
        context.patches.iter().map(|&n| context.manifest.patches[n as usize].positive).collect();
    let (score_range, histogram) = histogram(scores);
    let range = [progress.least, score_range[1]];
    let cells = f64::from(map[0] * map[1]) * scores.len() as f64;
    Ok(Unit {
        unit: unit as u32 + 1,
        threshold: known.threshold,
        matches,
        cancer_auc: ranks::auc(scores, &positive),
        histogram,
        score_range,
        activations: Activations {
            range,
            histogram: buckets::histogram(&progress.buckets, range, BINS),
            positive: (progress.positive as f64 / cells) as f32,
        },
        top: list(&known.top)?,
        sample: LEVELS
            .iter()
            .zip(&known.levels)
            .map(|(&level, positions)| {
                Ok(Level { percentile: level as f32, patches: list(positions)? })
            })
            .collect::<Result<_>>()?,
        influence: None,
    })
}

/// Least and greatest score, and counts of the scores in equal bins between them.
fn histogram(scores: &[f32]) -> ([f32; 2], Vec<u32>) {
    let range = scores
        .iter()
        .fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], &v| [low.min(v), high.max(v)]);
    let mut bins = vec![0; BINS];
    for &value in scores {
        let share = (value - range[0]) / (range[1] - range[0]);
        bins[((share * BINS as f32) as usize).min(BINS - 1)] += 1;
    }
    (range, bins)
}
