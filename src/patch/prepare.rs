//! From a source to the patches on disk: `dataset/manifest.json`, `patches.bin`, `previews/<id>.jpg`.
//!
//! Mammograms are decoded, cut and labelled in parallel and written in order, a few at a time, so
//! that memory stays bounded and the bytes do not depend on the number of threads.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Seek, SeekFrom, Write};

use anyhow::{Context, Result, bail, ensure};
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use rayon::prelude::*;

use super::label::{Area, Labeller};
use super::split;
use super::window::Grid;
use base::artifact::{self, Batch, Fingerprint, Layout, Stamp};
use base::progress::Progress;
use base::{Notice, Split, counted};
use config::{Config, Labels, Patches};
use mammogram::{
    Breast, Grey, Lesion, Mammogram, Mask, Outline, Pathology, Values, breast, is_file_name,
    rasterise, resample,
};
use record::manifest::{FORMAT, MANIFEST};
use record::previews::{LONGEST, PREVIEWS};
use record::store::{self, PATCHES};
use record::{Given, Held, Manifest, Member, Patch, Store};
use source::{Catalogue, Ready, ReadyPatch, Source};

/// Version of the computation; to be raised whenever the same inputs give other patches.
const VERSION: u32 = 5;
/// JPEG quality of a preview.
const QUALITY: u8 = 85;

/// Windows of one mammogram at most, where the patches are not so large that fewer fill [`HELD`]. The paper cuts
/// about a hundred; these have a step of less than one part in a hundred of the shorter side.
const MOST_OF_ONE: u64 = 20_000;
/// Windows of all mammograms at most: ten times those of a hundred thousand mammograms cut as the paper does.
const MOST: u64 = 100_000_000;
/// Bytes of patches that are held at most, before they are written.
const HELD: u64 = 1 << 30;

/// What the data set is made from: the stamp that a finished one carries.
///
/// # Errors
/// When the source cannot be found.
pub fn stamp(source: &dyn Source, config: &Config) -> Result<Stamp> {
    Ok(Stamp::new(VERSION)
        .with("source", source.fingerprint()?)
        .with("patches", Fingerprint::of(&config.patches))
        .with("split", Fingerprint::of(&config.split))
        .with("seed", Fingerprint::of(&config.seed))
        .of_settings("patches", &serde_json::json!({ "patches": config.patches }))
        .of_settings("split", &serde_json::json!({ "split": config.split }))
        .of_settings("seed", &serde_json::json!({ "seed": config.seed })))
}

/// What a prepared data set is.
pub const OUTPUTS: [&str; 3] = [MANIFEST, PATCHES, PREVIEWS];

/// Makes the data set, in the place of what was there, and marks its folder as finished with `stamp`.
///
/// A mammogram that cannot be decoded is left out with a notice. From a mammogram whose cancer is
/// somewhere unknown no patch is cut, since each would be labelled as free of cancer; with three
/// classes the same holds for benign lesions. With `patches.labels: image` every patch has the label of its
/// mammogram.
///
/// # Errors
/// When no mammogram can be used, no window holds breast, or a file cannot be written.
pub fn prepare(
    source: &dyn Source,
    config: &Config,
    layout: &Layout,
    stamp: &Stamp,
    progress: &dyn Progress,
) -> Result<Manifest> {
    let folder = layout.dataset();
    let draft = Draft::new(source, config)?;
    Stamp::clear(&folder)?;
    // Nothing of another data set is to be sealed with this one.
    if folder.join(PREVIEWS).is_dir() {
        fs_err::remove_dir_all(folder.join(PREVIEWS))?;
    }
    let (mut manifest, previews) = (None, Batch::default());
    let written = artifact::write_with(&layout.patches(), |file| {
        let size = config.patches.size;
        file.write_all(&store::header(size, 0))?;
        let keep = Keep::Everything(layout, &previews);
        let finished = draft.cut(keep, progress, |pixels| Ok(file.write_all(pixels)?))?;
        let count =
            u32::try_from(finished.patches.len()).context("more patches than a store holds")?;
        manifest = Some(finished);
        file.seek(SeekFrom::Start(0))?;
        Ok(file.write_all(&store::header(size, count))?)
    });
    written?;
    previews.finish()?;
    let manifest = manifest.context("no patches were cut")?;
    artifact::write_json(&folder.join(MANIFEST), &manifest)?;
    // A data set of patches alone has none, and says so.
    fs_err::create_dir_all(folder.join(PREVIEWS))?;
    stamp.seal(&folder, &OUTPUTS, "cpu")?;
    Ok(manifest)
}

/// What [`prepare`] would make, with nothing written.
///
/// # Errors
/// As [`prepare`].
pub fn rehearse(source: &dyn Source, config: &Config, progress: &dyn Progress) -> Result<Manifest> {
    Draft::new(source, config)?.cut(Keep::Counts, progress, |_| Ok(()))
}

/// What [`prepare`] would make but for previews, in memory, with nothing written: for a few mammograms.
///
/// # Errors
/// As [`prepare`].
pub fn in_memory(
    source: &dyn Source,
    config: &Config,
    progress: &dyn Progress,
) -> Result<(Manifest, Store)> {
    let mut all = Vec::new();
    let manifest = Draft::new(source, config)?.cut(Keep::Pixels, progress, |pixels| {
        all.extend_from_slice(pixels);
        Ok(())
    })?;
    Ok((manifest, Store::in_memory(config.patches.size, &all)?))
}

/// A small picture of a mammogram as JPEG, and its width and height in pixels.
///
/// # Errors
/// When it cannot be encoded.
pub fn preview(image: &Grey) -> Result<(Vec<u8>, [u32; 2])> {
    let scale = (f64::from(LONGEST) / f64::from(image.width.max(image.height))).min(1.0);
    let [width, height] =
        [image.width, image.height].map(|side| ((f64::from(side) * scale).round() as u32).max(1));
    let small = resample(image, [0, 0, image.width, image.height], width, height)?;
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode(
        &small.pixels,
        width,
        height,
        ExtendedColorType::L8,
    )?;
    Ok((bytes, [width, height]))
}

/// What is to be kept of a mammogram.
#[derive(Clone, Copy)]
enum Keep<'a> {
    /// Which patches there are.
    Counts,
    /// Their pixels too.
    Pixels,
    /// The pixels, and the preview as a file.
    Everything(&'a Layout, &'a Batch),
}

/// A data set whose patches are still to be cut.
struct Draft<'a> {
    source: &'a dyn Source,
    config: &'a Config,
    mammograms: Vec<Mammogram>,
    splits: BTreeMap<String, Split>,
    ready: Option<Ready>,
    /// Without mammograms and patches.
    manifest: Manifest,
}

impl<'a> Draft<'a> {
    fn new(source: &'a dyn Source, config: &'a Config) -> Result<Self> {
        let Catalogue { mut mammograms, summary, mut notices } = source.catalogue()?;
        notices.extend(settle_names(&mut mammograms));
        notices.extend(split::settle(&mut mammograms, |mammogram| source.place(mammogram)));
        let (splits, given) = split(&mammograms, config)?;
        let ready = source.ready(config.patches.classes)?;
        ensure!(
            ready.is_none() || config.patches.labels == Labels::Lesion,
            "the source comes with patches and labels of its own: leave `patches.labels` out"
        );
        if ready.is_none() {
            bounded(&mammograms, &config.patches)?;
        }
        let manifest = Manifest {
            format: FORMAT,
            source: source.about(),
            patching: config.patches.clone(),
            shares: config.split,
            seed: config.seed,
            given: Given { patients: given, patches: ready.is_some() },
            summary,
            notices,
            mammograms: Vec::new(),
            patches: Vec::new(),
        };
        Ok(Self { source, config, mammograms, splits, ready, manifest })
    }

    /// Cuts the patches and hands on in order what is to be kept of their pixels.
    fn cut(
        self,
        keep: Keep,
        progress: &dyn Progress,
        mut take: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<Manifest> {
        let Self { source, config, mammograms, splits, ready, mut manifest } = self;
        let cutter = Cutter {
            source,
            patching: &config.patches,
            splits: &splits,
            ready: ready.as_ref(),
            keep,
        };
        progress.start("preparing mammograms", mammograms.len() as u64);
        let mut twins = Twins::default();
        let mut all = || -> Result<()> {
            for some in mammograms.chunks(at_once(&mammograms, &config.patches)) {
                let done: Vec<Result<Cut>> = some
                    .par_iter()
                    .map(|mammogram| {
                        let cut = cutter.cut(mammogram);
                        progress.advance(1);
                        cut
                    })
                    .collect();
                for (mammogram, cut) in some.iter().zip(done) {
                    let cut = cut?;
                    // Single files belong to no data set that could be wrong.
                    let shown = cut.shown.filter(|_| !matches!(keep, Keep::Pixels));
                    let place = || source.place(mammogram);
                    manifest
                        .notices
                        .extend(shown.and_then(|shown| twins.tell(mammogram, place, shown)));
                    let index = u32::try_from(manifest.mammograms.len())?;
                    manifest.mammograms.extend(cut.member);
                    manifest.notices.extend(cut.notice);
                    let patches = cut.patches.into_iter();
                    manifest.patches.extend(patches.map(|p| Patch { mammogram: index, ..p }));
                    take(&cut.pixels)?;
                }
            }
            Ok(())
        };
        let cut = all();
        progress.finish();
        cut?;
        if manifest.mammograms.is_empty() {
            let first = manifest.notices.iter().rev().find(|n| n.skipped);
            let reason = first.map_or(String::new(), |n| format!("; {}: {}", n.place, n.message));
            match mammograms.len() {
                1 => bail!("the mammogram cannot be used{reason}"),
                all => bail!("none of the {all} mammograms can be used{reason}"),
            }
        }
        // The summary is the catalogue's, which has seen no pixels.
        if manifest.mammograms.len() < mammograms.len() {
            manifest.summary.push(format!(
                "{} of {} can be decoded; the counts are of these",
                manifest.mammograms.len(),
                counted(mammograms.len(), "mammogram", "mammograms")
            ));
        }
        ensure!(
            !manifest.patches.is_empty() || !manifest.given.patches,
            "none of the patches that the source comes with can be used"
        );
        if manifest.patches.is_empty() {
            let of_all = counted(manifest.mammograms.len(), "mammogram", "mammograms");
            let withheld = |m: &&Member| unplaced(&m.mammogram, &config.patches).is_some();
            match manifest.mammograms.iter().filter(withheld).count() {
                0 => bail!(
                    "no window of the {of_all} holds enough breast; patches.min_breast is {}",
                    config.patches.min_breast
                ),
                some => bail!(
                    "no patch is cut from the {of_all}: {some} have a lesion that counts and no place for it; with \
                     `patches.labels: image` every patch has the label of its mammogram"
                ),
            }
        }
        Ok(manifest)
    }
}

/// A lesion that patches would be labelled by, were it known where it is: then none is known to be free of it.
fn unplaced<'m>(mammogram: &'m Mammogram, patching: &Patches) -> Option<&'m Lesion> {
    let counts = |lesion: &&Lesion| match lesion.pathology {
        Pathology::Malignant => true,
        Pathology::Benign => patching.classes == 3,
        Pathology::Unproven => false,
    };
    let mut lesions = mammogram.lesions.iter().filter(|_| patching.labels == Labels::Lesion);
    lesions.find(|lesion| counts(lesion) && !lesion.is_placed())
}

/// Windows that a mammogram would be cut into.
fn windows(mammogram: &Mammogram, patching: &Patches) -> u64 {
    Grid::count(mammogram.width, mammogram.height, patching.window, patching.stride)
}

/// Refuses windows so small, or so close to one another, that cutting them would never end.
fn bounded(mammograms: &[Mammogram], patching: &Patches) -> Result<()> {
    let Patches { window, stride, size, .. } = patching;
    let remedy =
        format!("choose a larger patches.window or patches.stride; they are {window} and {stride}");
    if let Some(most) = mammograms.iter().rev().max_by_key(|m| windows(m, patching)) {
        let count = windows(most, patching);
        let limit = MOST_OF_ONE.min(HELD / u64::from(patching.size).pow(2));
        ensure!(
            count <= limit,
            "{}, of {} x {} pixels, would be cut into {count} windows, but at most {limit} of {size} x {size} pixels are cut from one mammogram; {remedy}",
            most.id,
            most.width,
            most.height
        );
    }
    let all: u64 = mammograms.iter().map(|mammogram| windows(mammogram, patching)).sum();
    ensure!(
        all <= MOST,
        "the {} mammograms would be cut into {all} windows, but at most {MOST} are cut; {remedy}",
        mammograms.len()
    );
    Ok(())
}

/// How many mammograms are cut before their patches are written.
fn at_once(mammograms: &[Mammogram], patching: &Patches) -> usize {
    let most = mammograms.iter().map(|mammogram| windows(mammogram, patching)).max();
    let bytes = most.unwrap_or(0).max(1) * u64::from(patching.size).pow(2);
    let held = usize::try_from(HELD / bytes).unwrap_or(usize::MAX);
    held.clamp(1, 4 * rayon::current_num_threads())
}

/// The part of each patient, and how many of these the source itself gives.
fn split(mammograms: &[Mammogram], config: &Config) -> Result<(BTreeMap<String, Split>, u32)> {
    let parts = split::split(mammograms, config.split, config.seed);
    // Not those that were taken for validation.
    let given: BTreeSet<&str> = mammograms
        .iter()
        .filter(|m| m.assigned.is_some_and(|part| parts.get(&m.patient) == Some(&part)))
        .map(|m| m.patient.as_str())
        .collect();
    let given = u32::try_from(given.len())?;
    Ok((parts, given))
}

/// One line on all patches, and one for each split.
pub fn counts(manifest: &Manifest) -> Vec<String> {
    let line = |name: &str, wanted: Option<Split>| {
        let within = |split: Split| wanted.is_none_or(|w| w == split);
        let members = manifest.mammograms.iter().filter(|m| within(m.split));
        let patients: BTreeSet<&str> =
            members.clone().map(|m| m.mammogram.patient.as_str()).collect();
        let patches = manifest.patches.iter().filter(|p| within(manifest.split(p)));
        format!(
            "{name}: {}, {} positive, of {} of {}",
            counted(patches.clone().count(), "patch", "patches"),
            patches.filter(|p| p.positive).count(),
            counted(members.count(), "mammogram", "mammograms"),
            counted(patients.len(), "patient", "patients")
        )
    };
    let splits = [Split::Train, Split::Validation, Split::Test];
    std::iter::once(line("all", None))
        .chain(splits.map(|s| line(&s.to_string(), Some(s))))
        .collect()
}

/// Leaves out mammograms whose names cannot be file names, or are those of earlier ones: both would mix files
/// up.
fn settle_names(mammograms: &mut Vec<Mammogram>) -> Vec<Notice> {
    let (mut seen, mut notices) = (BTreeSet::new(), Vec::new());
    mammograms.retain(|Mammogram { id, .. }| {
        // Some file systems do not tell capitals from small letters.
        let wrong = if !is_file_name(id) {
            "its name cannot be a file name; use ASCII letters, digits, `_`, `-` and `.`"
        } else if !seen.insert(id.to_ascii_lowercase()) {
            "its name is that of an earlier one, capitals or not"
        } else {
            return true;
        };
        let place = id.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let message = format!("{wrong}; the mammogram is left out");
        notices.push(Notice { place, message, skipped: true });
        false
    });
    notices
}

/// Mammograms that show the same pixels: of two patients they may stand in two parts of the split, and of one
/// they count twice.
#[derive(Default)]
struct Twins(BTreeMap<[u8; 32], (String, String)>);

impl Twins {
    /// Tells of an image that an earlier mammogram has too.
    fn tell(
        &mut self,
        mammogram: &Mammogram,
        place: impl Fn() -> String,
        pixels: [u8; 32],
    ) -> Option<Notice> {
        let Some((other, patient)) = self.0.get(&pixels) else {
            self.0.insert(pixels, (place(), mammogram.patient.clone()));
            return None;
        };
        let message = match *patient == mammogram.patient {
            true => format!("has the pixels of {other}, of the same patient; it counts twice"),
            false => format!(
                "has the pixels of {other}, which is of another patient: one of the two is wrong, and what is trained on may be what is tested on"
            ),
        };
        Some(Notice { place: place(), message, skipped: false })
    }
}

/// Whether an image is white where mammograms are black, around the breast.
fn is_negative(image: &Grey) -> bool {
    let share = |of: fn(u8) -> bool| {
        image.pixels.iter().filter(|&&grey| of(grey)).count() as f64 / image.pixels.len() as f64
    };
    share(|grey| grey >= 250) > 0.2 && share(|grey| grey <= 5) < 0.02
}

/// Whether a lesion with a place touches no pixel of the breast.
fn strays(lesion: &Lesion, breast: &Mask) -> bool {
    /// Pixels of a side that it is looked at in.
    const SIDE: u32 = 64;
    let boxes = lesion.outlines.iter().filter_map(Outline::bounds);
    let around = boxes.reduce(|[l, t, r, b], [left, top, right, bottom]| {
        [l.min(left), t.min(top), r.max(right), b.max(bottom)]
    });
    let Some([left, top, right, bottom]) = around else { return false };
    let [left, top] = [left.max(0.0), top.max(0.0)];
    let [width, height] = [(right - left).max(1.0), (bottom - top).max(1.0)];
    let shape = rasterise(&lesion.outlines, [left, top, width, height], SIDE, SIDE);
    // A sliver has no pixel's centre: then its box counts.
    let is_sliver = shape.area() == 0;
    let place = |n: u32, from: f32, extent: f32| {
        (from + (n as f32 + 0.5) / SIDE as f32 * extent).max(0.0) as u32
    };
    let mut pixels = (0..SIDE * SIDE).map(|n| (n % SIDE, n / SIDE));
    !pixels.any(|(column, row)| {
        let (x, y) = (place(column, left, width), place(row, top, height));
        let lies_in = x < breast.width && y < breast.height && breast.at(x, y);
        lies_in && (is_sliver || shape.at(column, row))
    })
}

/// Cuts mammograms, from any thread.
struct Cutter<'a> {
    source: &'a dyn Source,
    patching: &'a Patches,
    splits: &'a BTreeMap<String, Split>,
    /// Patches that are used as they are.
    ready: Option<&'a Ready>,
    keep: Keep<'a>,
}

/// What one mammogram gives. A mammogram that cannot be used has no member, only a notice.
#[derive(Default)]
struct Cut {
    member: Option<Member>,
    patches: Vec<Patch>,
    pixels: Vec<u8>,
    notice: Option<Notice>,
    /// Fingerprint of an image that shows a breast.
    shown: Option<[u8; 32]>,
}

impl Cutter<'_> {
    /// # Errors
    /// When the preview cannot be written; what is wrong with the image is a notice.
    fn cut(&self, mammogram: &Mammogram) -> Result<Cut> {
        let notice = |message: String, skipped| {
            Some(Notice { place: self.source.place(mammogram), message, skipped })
        };
        if self.ready.is_some_and(|ready| ready.imageless.contains(&mammogram.id)) {
            return self.take(mammogram, self.seat(mammogram, None)?);
        }
        let image = match read(self.source, mammogram) {
            Ok(image) => image,
            Err(error) => {
                let message = format!("{error:#}; the mammogram is left out");
                return Ok(Cut { notice: notice(message, true), ..Cut::default() });
            }
        };
        let Breast { mask, outlines } = breast(&image);
        // Two black images are no sign of a mistake.
        let shown = (!outlines.is_empty()).then(|| {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&image.width.to_le_bytes()).update(&image.pixels);
            *hasher.finalize().as_bytes()
        });
        let member = Member { breast: outlines, ..self.member(mammogram, &image)? };
        if self.ready.is_some() {
            return Ok(Cut { shown, ..self.take(mammogram, member)? });
        }
        let mut cut = Cut { member: Some(member), shown, ..Cut::default() };
        let patching = self.patching;
        if let Some(modifier) = mammogram.modifier.filter(|_| !patching.spot_views) {
            let message = format!(
                "no patch is cut from it: it is a {modifier} view, which shows a part of the breast enlarged (patches.spot_views takes it in)"
            );
            cut.notice = notice(message, false);
            return Ok(cut);
        }
        if let Some(lesion) = unplaced(mammogram, patching) {
            let [kind, free] = match lesion.pathology {
                Pathology::Malignant => ["malignant", "cancer"],
                _ => ["benign", "it"],
            };
            cut.notice = notice(
                format!(
                    "no patch is cut from it: it has a {kind} lesion without a place, so that no patch is known to be free of {free} (`patches.labels: image` labels mammograms instead)"
                ),
                false,
            );
            return Ok(cut);
        }
        let breast = Area::of(&mask);
        let labeller = Labeller::new(&mammogram.lesions, image.width, image.height, patching);
        let grid = Grid::new(image.width, image.height, patching.window, patching.stride);
        let edge = grid.edge;
        let has = |pathology| mammogram.lesions.iter().any(|lesion| lesion.pathology == pathology);
        let of_image = [has(Pathology::Malignant), has(Pathology::Benign)];
        let is_placed = |pathology| {
            let mut own = mammogram.lesions.iter().filter(|lesion| lesion.pathology == pathology);
            own.all(Lesion::is_placed)
        };
        let are_placed = [is_placed(Pathology::Malignant), is_placed(Pathology::Benign)];
        for (x, y) in grid.corners() {
            let window = [x, y, edge, edge];
            let breast_fraction = f64::from(breast.within(window)) / f64::from(edge).powi(2);
            if breast_fraction < patching.min_breast {
                continue;
            }
            let label = labeller.label(x, y, edge);
            let ([positive, benign], held) = match patching.labels {
                Labels::Lesion => ([label.positive, label.benign], None),
                Labels::Image => {
                    let held = Held {
                        malignant: are_placed[0].then_some(label.positive),
                        benign: are_placed[1].then_some(label.benign),
                    };
                    (of_image, Some(held))
                }
            };
            if !matches!(self.keep, Keep::Counts) {
                cut.pixels.extend(resample(&image, window, patching.size, patching.size)?.pixels);
            }
            cut.patches.push(Patch {
                mammogram: 0,
                x,
                y,
                edge,
                positive,
                benign,
                held,
                fractions: (!mammogram.has_placeless_cancer())
                    .then(|| labeller.fractions(x, y, edge, breast_fraction)),
            });
        }
        if cut.patches.is_empty() {
            cut.notice =
                notice("no patch is cut from it: no window holds enough breast".into(), true);
        } else if mammogram.lesions.iter().any(|lesion| strays(lesion, &mask)) {
            let so = match patching.labels {
                Labels::Lesion => ", and patches of its true place count as free of it",
                Labels::Image => "",
            };
            let message = format!(
                "a lesion of it lies outside the breast: its outline may be mirrored, or of another image{so}"
            );
            cut.notice = notice(message, false);
        } else if is_negative(&image) {
            let message = "it has much white and hardly any black: its greys may be inverted, and then it shows a breast where there is none";
            cut.notice = notice(message.into(), false);
        }
        Ok(cut)
    }

    /// The patches of a mammogram that the source comes with.
    fn take(&self, mammogram: &Mammogram, member: Member) -> Result<Cut> {
        let size = self.patching.size;
        let mut cut = Cut { member: Some(member), ..Cut::default() };
        let ready = self.ready.and_then(|ready| ready.patches.get(&mammogram.id));
        let mut broken = Vec::new();
        for patch in ready.into_iter().flatten() {
            let resized = self
                .source
                .patch(patch)
                .and_then(|image| resample(&image, [0, 0, image.width, image.height], size, size));
            let &ReadyPatch { x, y, edge, positive, benign, .. } = patch;
            match resized {
                Ok(image) => cut.pixels.extend(image.pixels),
                Err(error) => {
                    broken.push(format!("{error:#}"));
                    continue;
                }
            }
            cut.patches.push(Patch {
                mammogram: 0,
                x,
                y,
                edge,
                positive,
                benign,
                fractions: None,
                held: None,
            });
        }
        if let Some(first) = broken.first() {
            cut.notice = Some(Notice {
                place: self.source.place(mammogram),
                message: format!("{} of its patches are left out: {first}", broken.len()),
                skipped: true,
            });
        }
        Ok(cut)
    }

    /// Writes the preview.
    fn member(&self, mammogram: &Mammogram, image: &Grey) -> Result<Member> {
        let Keep::Everything(layout, previews) = self.keep else {
            return self.seat(mammogram, None);
        };
        let (bytes, size) = preview(image)?;
        previews.write(&layout.preview(&mammogram.id), &bytes)?;
        self.seat(mammogram, Some(size))
    }

    fn seat(&self, mammogram: &Mammogram, preview: Option<[u32; 2]>) -> Result<Member> {
        let split =
            self.splits.get(&mammogram.patient).copied().context("a patient without a split")?;
        Ok(Member { mammogram: mammogram.clone(), split, preview, breast: Vec::new() })
    }
}

/// Decodes a mammogram; refuses an image that is not of the size in the catalogue: outlines would be out of
/// place.
///
/// # Errors
/// Says what is wrong with it.
pub fn read(source: &dyn Source, mammogram: &Mammogram) -> Result<Grey> {
    let image = source.image(mammogram)?;
    fits([image.width, image.height], image.pixels.len(), mammogram)?;
    Ok(image)
}

/// The same in the values of its file.
///
/// # Errors
/// As [`read`].
pub fn values(source: &dyn Source, mammogram: &Mammogram) -> Result<Values> {
    let values = source.values(mammogram)?;
    fits([values.width, values.height], values.codes.len(), mammogram)?;
    Ok(values)
}

fn fits([width, height]: [u32; 2], pixels: usize, mammogram: &Mammogram) -> Result<()> {
    ensure!(
        width == mammogram.width && height == mammogram.height && pixels > 0,
        "the image has {width} x {height} pixels where {} x {} are listed",
        mammogram.width,
        mammogram.height
    );
    Ok(())
}

#[cfg(test)]
pub(super) mod tests;
