//! Dissection as a whole: against PyTorch's numbers, in parts, by chance, and of a network whose units
//! are known.

use std::path::Path;

use candle_core::{Device, Tensor};
use rand::RngExt;
use serde::Deserialize;

use super::activations::in_patch;
use super::finish::{Context, Finished, finish};
use super::*;
use crate::planted::{discs_and_edges, lesion, manifest, planted, rectangle, settings};
use base::Split;
use base::progress::Silent;
use config::{Anchor, Threshold};
use mammogram::{Outline, Pathology};

/// Numbers in [-1, 1) that look random, as `values` in `tests/golden/dissection.py` makes them.
fn values(seed: u32, count: usize) -> Vec<f32> {
    (0..count as u32)
        .map(|i| {
            let mut v = i.wrapping_mul(2_654_435_761);
            v = v.wrapping_add(seed.wrapping_mul(40503).wrapping_add(1));
            v ^= v >> 15;
            v = v.wrapping_mul(0x2C1B_3C6D);
            v ^= v >> 12;
            v = v.wrapping_mul(0x297A_2D39);
            v ^= v >> 15;
            (v >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// Passes maps, patches x units x cells, whose groups `wanted` asks for, into segments.
fn pass(maps: &[f32], map: [u32; 2], settings: &Dissection, folder: &Path, wanted: &[usize]) {
    let count = settings_patches(maps, map);
    let cells = (map[0] * map[1]) as usize;
    let units = maps.len() / count / cells;
    let mut pass = Pass::new(units, map, settings, count);
    for &number in wanted {
        let (from, to) = (number * GROUP, ((number + 1) * GROUP).min(count));
        let group = maps[from * units * cells..to * units * cells].to_vec();
        let shape = (to - from, units, map[0] as usize, map[1] as usize);
        let group = Tensor::from_vec(group, shape, &Device::Cpu).unwrap();
        assert_eq!(pass.add(&group).unwrap(), None);
        let segment = watch::close(&mut pass.watches, map);
        segment.write(&segment::path(folder, number), &Fingerprint::of(&1)).unwrap();
    }
}

/// Three units in all cases here.
fn settings_patches(maps: &[f32], map: [u32; 2]) -> usize {
    maps.len() / 3 / (map[0] * map[1]) as usize
}

fn finished(manifest: &Manifest, settings: &Dissection, field: Field, folder: &Path) -> Finished {
    let patches = manifest.of_split(settings.split);
    let concepts = Concepts::of(manifest, &patches);
    let shuffles = concepts.shuffles(settings.permutations, manifest.seed);
    let context = Context {
        manifest,
        settings,
        patches: &patches,
        concepts: &concepts,
        shuffles: &shuffles,
        name: "x/y".into(),
        field,
        edge: manifest.patching.size,
    };
    finish(&context, folder).unwrap()
}

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    rule: Threshold,
    anchor: Anchor,
    units: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    threshold: f32,
    top: Vec<u32>,
    scores: Vec<f32>,
    ious: [f32; 2],
    within: [f32; 2],
    aucs: [Option<f32>; 2],
    positive: f32,
}

/// `tests/golden/dissection.py`
#[test]
fn a_segment_in_anothers_place_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = [0, 1].map(|number| segment::path(folder.path(), number));
    let stamp = Fingerprint::of(&1);
    Segment { units: 1, ..Segment::default() }.write(&first, &stamp).unwrap();
    assert!(Segment::is_there(&first, &stamp));
    assert!(!Segment::is_there(&first, &Fingerprint::of(&2)));
    std::fs::rename(&first, &second).unwrap();
    assert!(!Segment::is_there(&second, &stamp));
}

#[test]
fn thresholds_ranks_regions_and_ious_are_pytorchs() {
    let golden: Golden =
        serde_json::from_str(include_str!("../../tests/golden/dissection.json")).unwrap();
    let (edge, count) = (40, 24);
    let maps = values(1, count * 3 * 25);
    let corners = values(2, count * 8);
    let mut lesions = Vec::new();
    for patch in 0..count {
        for concept in 0..2 {
            let at = |i: usize| ((corners[(patch * 2 + concept) * 4 + i] + 1.0) * 10.0).floor();
            let place = rectangle(patch, edge, [at(0), at(1), at(2) + 1.0, at(3) + 1.0]);
            match concept {
                0 => lesions.push(lesion(Pathology::Malignant, None, place)),
                _ if patch % 3 == 0 => {
                    lesions.push(lesion(Pathology::Unproven, Some("mass"), place));
                }
                _ => {}
            }
        }
    }
    let manifest = manifest(count, edge, lesions);
    let field = Field { edge: 12.0, stride: 7.5, centre: 4.5 };
    assert_eq!(golden.cases.len(), 4);
    for case in golden.cases {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(case.rule, case.anchor, 6);
        pass(&maps, [5, 5], &settings, folder.path(), &[0]);
        let found = finished(&manifest, &settings, field, folder.path());
        for (unit, expected) in found.units.iter().zip(&case.units) {
            let close = |a: f32, b: f32| assert!((a - b).abs() < 1e-6, "{a} {b}");
            close(unit.threshold, expected.threshold);
            assert_eq!(unit.top.iter().map(|top| top.patch).collect::<Vec<_>>(), expected.top);
            for (top, score) in unit.top.iter().zip(&expected.scores) {
                close(top.score, *score);
            }
            close(unit.activations.positive, expected.positive);
            for (concept, found) in unit.matches.iter().enumerate() {
                // One pixel of rounding at an edge, of some hundreds.
                assert!((found.iou - expected.ious[concept]).abs() < 1e-3, "{found:?}");
                assert!((found.within - expected.within[concept]).abs() < 1e-3, "{found:?}");
                match (found.auc, expected.aucs[concept]) {
                    (Some(a), Some(b)) => close(a, b),
                    (a, b) => assert_eq!(a, b),
                }
            }
        }
    }
}

/// Whatever was dropped on the way, and whoever passed which group, is the same in the end; and the
/// same as by holding everything.
#[test]
fn parts_put_together_are_the_whole() {
    let count = 3 * GROUP + 40;
    let mut rng = base::seed::stream(3, "parts");
    let maps: Vec<f32> = (0..count)
        .flat_map(|_| {
            let level = rng.random_range(-1.0..1.0_f32);
            let mut maps: Vec<f32> =
                (0..27).map(|_| level + rng.random_range(-8..8) as f32 / 4.0).collect();
            // The last unit is silent nearly everywhere, as many are behind a ReLU.
            maps[18..].iter_mut().for_each(|v| *v = (*v - 2.7).max(0.0));
            maps
        })
        .collect();
    let lesions = (0..count)
        .filter(|n| n % 4 == 0)
        .map(|n| {
            let place = rectangle(n, 12, [2.0, 3.0, 5.0, 4.0 + (n % 5) as f32]);
            lesion(Pathology::Malignant, Some("mass"), place)
        })
        .collect();
    let manifest = manifest(count, 12, lesions);
    let field = Field { edge: 8.0, stride: 4.0, centre: 2.0 };
    for (rule, top) in [
        (Threshold::Quantile(0.05), 5),
        (Threshold::Quantile(0.005), 40),
        (Threshold::FractionOfMax(0.4), 3),
    ] {
        let settings = settings(rule, Anchor::ReceptiveField, top);
        let whole = tempfile::tempdir().unwrap();
        pass(&maps, [3, 3], &settings, whole.path(), &[0, 1, 2, 3]);
        let parts = tempfile::tempdir().unwrap();
        pass(&maps, [3, 3], &settings, parts.path(), &[2, 3]);
        pass(&maps, [3, 3], &settings, parts.path(), &[0]);
        pass(&maps, [3, 3], &settings, parts.path(), &[1]);
        let one = finished(&manifest, &settings, field, whole.path());
        let other = finished(&manifest, &settings, field, parts.path());
        assert_eq!(one.units, other.units);
        assert!(one.scores == other.scores && one.maps == other.maps);
        // Later groups know better what to drop.
        let last = Segment::read(&segment::path(whole.path(), 2)).unwrap();
        assert!(top < 40 || last.values.len() < GROUP * 27 / 4, "{} kept", last.values.len());
        let of_silent = last.values.len() - last.starts()[2];
        assert!(of_silent < GROUP * 2, "{of_silent} kept of the unit that is mostly silent");
        assert!(last.map_units.iter().filter(|&&unit| unit == 2).count() < GROUP / 2);

        for (unit, found) in one.units.iter().enumerate() {
            let own = |n: usize| &maps[(n * 3 + unit) * 9..][..9];
            let mut all: Vec<f32> = (0..count).flat_map(|n| own(n).to_vec()).collect();
            all.sort_by(|a, b| b.total_cmp(a));
            let threshold = match rule {
                Threshold::Quantile(q) => all[(q * all.len() as f64).floor() as usize],
                Threshold::FractionOfMax(share) => share as f32 * all[0],
            };
            assert_eq!(found.threshold, threshold);
            let best = |n: usize| own(n).iter().copied().fold(f32::MIN, f32::max);
            let mut order: Vec<usize> = (0..count).collect();
            order.sort_by(|&a, &b| best(b).total_cmp(&best(a)).then(a.cmp(&b)));
            let shown: Vec<usize> = found.top.iter().map(|top| top.patch as usize).collect();
            assert_eq!(shown, order[..top]);
            for (rank, &n) in shown.iter().enumerate() {
                assert_eq!(&one.maps[(unit * top + rank) * 9..][..9], own(n));
            }
            assert_eq!(found.activations.range, [all[all.len() - 1], all[0]]);
            // Drawn patches lie where they should.
            for level in &found.sample {
                for patch in &level.patches {
                    let place = order.iter().position(|&n| n == patch.patch as usize).unwrap();
                    let wanted = (1.0 - f64::from(level.percentile)) * count as f64;
                    assert!((place as f64 - wanted).abs() < 0.02 * count as f64 + 6.0);
                }
            }
            let pixels = upsample::Upsampler::pixels([3, 3], field, 12);
            let masks = Concepts::of(&manifest, &manifest.of_split(Split::Validation))
                .masks_of("malignant");
            let (mut both, mut either) = (0, 0);
            let mut row = [0.0; 12];
            for (n, mask) in masks.iter().enumerate() {
                for y in 0..12 {
                    pixels.row(own(n), y, &mut row);
                    for (x, value) in row.iter().enumerate() {
                        let held = mask.as_ref().is_some_and(|mask| mask.holds(y * 12 + x));
                        both += usize::from(*value > threshold && held);
                        either += usize::from(*value > threshold || held);
                    }
                }
            }
            assert!((found.matches[0].iou - both as f32 / either as f32).abs() < 1e-6);
        }
    }
}

/// Regions and the breast count where they are annotated, and nowhere else.
#[test]
fn what_is_not_annotated_counts_for_nothing() {
    let (count, edge) = (20, 12);
    let mut manifest = manifest(count, edge, vec![]);
    let square = |n: usize, from: f32, to: f32| {
        let left = (n as u32 * edge) as f32;
        vec![[left + from, from], [left + to, from], [left + to, to], [left + from, to]]
    };
    // Every other patch is of a second mammogram; one has a tissue map, the other a known breast.
    let mut second = manifest.mammograms[0].clone();
    second.mammogram.id = "two".into();
    second.breast = (0..count).map(|n| Outline::Polygon(square(n, 0.0, 7.0))).collect();
    manifest.mammograms.push(second);
    let rings = (0..count).map(|n| square(n, 3.0, 9.0)).collect();
    let region = mammogram::Region { term: "fatty-tissue".into(), rings };
    manifest.mammograms[0].mammogram.regions.push(region);
    manifest.patches.iter_mut().skip(1).step_by(2).for_each(|patch| patch.mammogram = 1);

    let maps = values(5, count * 27);
    let settings = settings(Threshold::Quantile(0.3), Anchor::ReceptiveField, 4);
    let field = Field { edge: 8.0, stride: 4.0, centre: 2.0 };
    let folder = tempfile::tempdir().unwrap();
    pass(&maps, [3, 3], &settings, folder.path(), &[0]);
    let found = finished(&manifest, &settings, field, folder.path());
    let patches = manifest.of_split(Split::Validation);
    let concepts = Concepts::of(&manifest, &patches);
    let names: Vec<&str> = concepts.list.iter().map(|concept| concept.id.as_str()).collect();
    assert_eq!(names, ["fatty-tissue", "background", "breast"]);
    let pixels = upsample::Upsampler::pixels([3, 3], field, edge);
    let mut row = [0.0; 12];
    for (unit, found) in found.units.iter().enumerate() {
        for (concept, matched) in found.matches.iter().enumerate() {
            let (mut both, mut either) = (0, 0);
            for n in (usize::from(concept > 0)..count).step_by(2) {
                for y in 0..12 {
                    pixels.row(&maps[(n * 3 + unit) * 9..][..9], y, &mut row);
                    for (x, value) in row.iter().enumerate() {
                        let within = |from, to| (from..to).contains(&x) && (from..to).contains(&y);
                        let held = [within(3, 9), !within(0, 7), within(0, 7)][concept];
                        both += usize::from(*value > found.threshold && held);
                        either += usize::from(*value > found.threshold || held);
                    }
                }
            }
            let expected = both as f32 / either as f32;
            assert!(expected > 0.01 && (matched.iou - expected).abs() < 1e-6, "{matched:?}");
            // Each patch that is annotated holds some of it: nothing to tell apart.
            assert_eq!(matched.auc, None);
        }
    }
}

/// Units that know nothing of the masks reach the corrected level about as often as it says.
#[test]
fn chance_is_reached_as_often_as_stated() {
    let count = 60;
    let field = Field { edge: 8.0, stride: 4.0, centre: 2.0 };
    let mut rng = base::seed::stream(9, "chance");
    let (mut found, mut tried) = (0, 0);
    for round in 0..40 {
        let maps: Vec<f32> = (0..count * 27).map(|_| rng.random_range(-1.0..1.0)).collect();
        let mut lesions = Vec::new();
        for n in 0..count {
            for (term, share) in [("mass", 0.5), ("calcifications", 0.2), ("asymmetry", 0.3)] {
                if rng.random_bool(share) {
                    let [x, y, w, h] = std::array::from_fn(|_| rng.random_range(1.0..6.0));
                    let place = rectangle(n, 12, [x, y, w, h]);
                    lesions.push(lesion(Pathology::Unproven, Some(term), place));
                }
            }
        }
        let manifest = manifest(count, 12, lesions);
        let settings = Dissection {
            permutations: 99,
            ..settings(Threshold::Quantile(0.1), Anchor::ReceptiveField, 3)
        };
        let folder = tempfile::tempdir().unwrap();
        pass(&maps, [3, 3], &settings, folder.path(), &[0]);
        for unit in finished(&manifest, &settings, field, folder.path()).units {
            assert_eq!(unit.matches.len(), 3, "round {round}");
            let least = unit.matches.iter().map(|m| m.chance.unwrap().adjusted);
            found += usize::from(least.fold(1.0, f32::min) <= 0.05);
            tried += 1;
        }
    }
    // 120 units at 5%: six on average; more than 14 has a probability below one in a thousand.
    assert!(tried == 120 && (1..=14).contains(&found), "{found} of {tried}");
}

#[test]
fn shards_cover_all_groups_once() {
    for of in 1..7 {
        let all: Vec<usize> = (1..=of).flat_map(|number| Shard { number, of }.groups(5)).collect();
        assert_eq!(all, [0, 1, 2, 3, 4]);
    }
    assert_eq!("2/8".parse(), Ok(Shard { number: 2, of: 8 }));
    for wrong in ["0/3", "4/3", "1", "1/0", "a/b", "-1/2"] {
        assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
    }
}

#[test]
fn a_roi_is_clipped_to_the_patch() {
    let field = Field { edge: 163.0, stride: 16.0, centre: 17.5 };
    assert_eq!(roi(field, [0, 0], 227), [0.0, 0.0, 99.0, 99.0]);
    assert_eq!(roi(field, [12, 6], 227), [32.0, 128.0, 163.0, 99.0]);
}

#[test]
fn a_field_grows_with_the_patch() {
    let field = Field { edge: 51.0, stride: 8.0, centre: 4.0 };
    let scaled = in_patch(field, 113, 226);
    assert_eq!((scaled.edge, scaled.stride, scaled.centre), (102.0, 16.0, 8.0));
    let plain = record::dissection::anchored(Anchor::Pixel, scaled, [4, 4], 226);
    assert_eq!((plain.stride, plain.centre), (56.5, 28.25));
}

#[test]
fn planted_detectors_get_their_labels_and_their_influence() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, store) = discs_and_edges();
    let network = planted();
    let settings = settings(Threshold::FractionOfMax(0.5), Anchor::ReceptiveField, 8);
    let settings = &settings;
    let job = Job {
        name: "alexnet",
        activations: Activations::Run(&network),
        weights_blake3: "",
        manifest: &manifest,
        store: &store,
        settings,
    };
    let stamp = Stamp::new(1);
    let (first, last) = (folder.path().join("conv1"), folder.path().join("conv5"));
    let layers: Vec<Target> = vec![("conv1", &first, &stamp), ("conv5", &last, &stamp)];
    probe(&job, &layers, Shard::ALL, &Silent).unwrap();
    merge(&job, &layers, &Silent).unwrap();
    assert!(stamp.matches(&first) && !first.join("parts").exists());

    let conv1 = record::dissection::read(&first).unwrap();
    for (unit, label, least) in [(0, "disc", 0.8), (1, "dark", 0.8), (2, "edge", 0.7)] {
        let own = &conv1.units[unit];
        let best = (0..conv1.concepts.len())
            .filter(|&c| conv1.concepts[c].category == record::dissection::Category::Finding)
            .max_by(|&a, &b| own.matches[a].iou.total_cmp(&own.matches[b].iou))
            .unwrap();
        let (name, found) = (&conv1.concepts[best].id, own.matches[best]);
        assert_eq!(name, label, "{found:?}");
        assert!(found.iou > least, "{label}: {found:?}");
        assert!(found.auc == Some(1.0) && found.chance.unwrap().adjusted < 0.05, "{found:?}");
    }
    // A silent unit exceeds nothing, detects nothing and moves nothing.
    let silent = &conv1.units[10];
    assert!(silent.matches.iter().all(|m| m.iou == 0.0 && m.chance.unwrap().p == 1.0));
    assert_eq!(silent.influence.as_ref().unwrap().gradient, [0.0, 0.0]);
    for layer in [conv1, record::dissection::read(&last).unwrap()] {
        let influence = |unit: usize| layer.units[unit].influence.as_ref().unwrap();
        assert_eq!(influence(0).rank, 1, "{}", layer.layer);
        assert_eq!(influence(0).top8, 16);
        assert!(influence(0).gradient[1] > influence(1).gradient[0]);
        assert!(influence(1).gradient[0] > 0.0 && influence(1).gradient[1] == 0.0);
        assert_eq!(influence(2).gradient, [0.0, 0.0]);
        assert_eq!(influence(0).weighted, None);
        let basis = layer.influence.as_ref().unwrap();
        assert_eq!(basis.auc, Some(1.0));
        if layer.layer == "conv5" {
            assert!(basis.ablated);
            // Without brightness, cancer and nothing look alike, but for rounding, which breaks some of
            // the ties; darkness still stands apart.
            assert!((influence(0).ablation.unwrap() - 0.25).abs() < 0.05, "{:?}", influence(0));
            for unit in (1..layer.units.len()).map(influence) {
                assert_eq!(unit.ablation, Some(0.0));
            }
        }
    }
}

/// A line of `/proc/self/status`, in bytes.
#[cfg(target_os = "linux")]
fn resident(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|other| other.starts_with(line)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Bumps of random places and heights, as maps of a trained layer are: patches x units x edge x edge.
#[cfg(target_os = "linux")]
fn bumps(seed: u32, patches: usize, units: usize, edge: usize) -> Vec<f32> {
    use rayon::prelude::*;
    let draws = values(seed, patches * units * 3);
    let mut maps = vec![0.0; patches * units * edge * edge];
    maps.par_chunks_mut(edge * edge).zip(draws.par_chunks(3)).for_each(|(map, draw)| {
        let bell = |centre: f32| -> Vec<f32> {
            let centre = (centre + 1.0) / 2.0 * edge as f32;
            (0..edge).map(|at| (-(at as f32 - centre).powi(2) / 8.0).exp()).collect()
        };
        let (rows, columns) = (bell(draw[0]), bell(draw[1]));
        // Few are high.
        let height = (draw[2] + 1.0).powi(6);
        for (at, value) in map.iter_mut().enumerate() {
            *value = height * rows[at / edge] * columns[at % edge] - 0.1;
        }
    });
    maps
}

/// Dissects made-up maps of 20,000 patches at a part of the units of ResNet-152's layer3 and layer4; fails
/// when that takes more than as small a part of two gibibytes. To be run alone in its process.
#[cfg(target_os = "linux")]
fn memory_of_a_pass(part: usize) {
    const PATCHES: usize = 20_000;
    let layers = [(1024 / part, 15), (2048 / part, 8)];
    let settings = settings(Threshold::Quantile(0.005), Anchor::ReceptiveField, 64);
    let lesions = (0..PATCHES)
        .step_by(10)
        .map(|n| lesion(Pathology::Malignant, None, rectangle(n, 227, [40.0, 40.0, 90.0, 70.0])));
    let manifest = manifest(PATCHES, 227, lesions.collect());
    let field = Field { edge: 200.0, stride: 15.0, centre: 8.0 };
    let folder = tempfile::tempdir().unwrap();
    let folders = [folder.path().join("layer3"), folder.path().join("layer4")];
    // What the process has needed before does not count.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = resident("VmRSS:");
    let mut passes =
        layers.map(|(units, edge)| Pass::new(units, [edge as u32; 2], &settings, PATCHES));
    let mut of_maps = 0;
    for number in 0..PATCHES.div_ceil(GROUP) {
        let group = (PATCHES - number * GROUP).min(GROUP);
        for (batch, start) in (0..group).step_by(BATCH).enumerate() {
            for (pass, (units, edge)) in passes.iter_mut().zip(layers) {
                let count = (group - start).min(BATCH);
                let seed = (number * GROUP + batch) as u32;
                let maps = bumps(seed, count, units, edge);
                of_maps = of_maps.max(maps.len() * 4);
                let maps = Tensor::from_vec(maps, (count, units, edge, edge), &Device::Cpu);
                assert_eq!(pass.add(&maps.unwrap()).unwrap(), None);
            }
        }
        for (pass, folder) in passes.iter_mut().zip(&folders) {
            let segment = watch::close(&mut pass.watches, pass.map);
            segment.write(&segment::path(folder, number), &Fingerprint::of(&1)).unwrap();
        }
    }
    let probed = resident("VmHWM:") - before;
    drop(passes);
    for (folder, (units, _)) in folders.iter().zip(layers) {
        assert_eq!(finished(&manifest, &settings, field, folder).units.len(), units);
    }
    let whole = resident("VmHWM:") - before;
    println!(
        "probing took {} MiB, of which one batch of maps {}; with the regions {} MiB",
        probed >> 20,
        of_maps >> 20,
        whole >> 20
    );
    assert!(whole < (2 << 30) / part as u64);
}

/// `cargo test --lib twenty_thousand_patches -- --ignored --nocapture`
#[test]
#[ignore = "takes minutes and gigabytes of disk"]
#[cfg(target_os = "linux")]
fn twenty_thousand_patches_of_resnet_152_take_less_than_two_gibibytes() {
    memory_of_a_pass(1);
}

/// The same within a minute.
#[test]
#[ignore = "measures the memory of its process: to be run alone"]
#[cfg(target_os = "linux")]
fn an_eighth_of_its_units_takes_an_eighth_of_that() {
    memory_of_a_pass(8);
}
