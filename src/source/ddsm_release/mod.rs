//! The files that Wu et al. published with their paper, or a part of them: whole mammograms of DDSM
//! (`ddsm_raw/*.jpg`) with the lists of their split (`ddsm_raw_image_lists/{train,val,test}.txt`) and
//! masks of their lesions (`ddsm_masks/`), and ready patches (`ddsm_patches/`) with their labels
//! (`ddsm_labels/{2class,3class}/{train,val,test}.txt`).
//!
//! The published split is used as it is. Ready patches and their labels are used as they are too; whole
//! mammograms and masks then give the context and the outlines. Without ready patches, patches are cut
//! from the whole mammograms and labelled by the masks. With patches alone there is no context, and no
//! outline: what is known of a mammogram is that patches of it were labelled as cancer or benign.

mod listing;
mod name;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail, ensure};
use image::{ImageDecoder, ImageReader};
use rayon::prelude::*;

use self::listing::{Label, Listing};
use crate::{Catalogue, Ready, ReadyPatch, Source, walk};
use base::artifact::Fingerprint;
use base::{Notice, Split, input};
use formats::{MAX_PIXELS, room};
use mammogram::{About, Grey, Lesion, Mammogram, Outline, Pathology, contours};
use walkdir::DirEntry;

/// Shapes of a mask and of its mammogram differ by at most this share.
const SHAPE_TOLERANCE: f64 = 0.01;
/// Missing files that a notice names.
const NAMED: usize = 5;

/// The folder of the release.
#[derive(Debug)]
pub struct DdsmRelease {
    root: PathBuf,
    listing: OnceLock<Listing>,
}

impl DdsmRelease {
    /// Of the given folder; nothing is read yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), listing: OnceLock::new() }
    }

    fn listing(&self) -> Result<&Listing> {
        if let Some(listing) = self.listing.get() {
            return Ok(listing);
        }
        let listing = Listing::read(&self.root)?;
        Ok(self.listing.get_or_init(|| listing))
    }
}

impl Listing {
    /// Whether patches and labels are there, so that none are cut.
    fn is_ready(&self) -> bool {
        !self.patches.is_empty() && self.labels.iter().any(|labels| !labels.is_empty())
    }

    /// The labels of this many classes. Of three, two follow; of two, three do not.
    fn labels_of(&self, classes: u32) -> Result<Vec<Label>> {
        let [two, three] = &self.labels;
        Ok(match classes {
            2 if !two.is_empty() => two.clone(),
            2 => {
                three.iter().map(|l| Label { class: u8::from(l.class == 2), ..l.clone() }).collect()
            }
            _ if !three.is_empty() => three.clone(),
            _ => bail!(
                "the release has labels of two classes only (ddsm_labels/2class); set patches.classes to 2, or add ddsm_labels/3class"
            ),
        })
    }

    /// The labels that say most.
    fn best_labels(&self) -> (&[Label], u8) {
        let [two, three] = &self.labels;
        if three.is_empty() { (two, 1) } else { (three, 2) }
    }

    /// The part of each patient, and the mammograms that contradict it: those in another part than
    /// their patient's first, in the order train, validation, test.
    fn split(&self) -> (BTreeMap<String, Split>, BTreeMap<String, Split>) {
        let mut films: BTreeMap<&str, Split> = BTreeMap::new();
        // Labels count before lists.
        for (name, &split) in &self.lists {
            films.insert(name, split);
        }
        for label in self.labels.iter().flatten() {
            if let Some(window) = listing::stem(&label.file, &["jpg", "jpeg", "png"])
                .and_then(|stem| name::window(stem).ok())
            {
                films.insert(window.film, label.split);
            }
        }
        let mut patients: BTreeMap<String, Split> = BTreeMap::new();
        let patient = |film: &str| name::film(film).map(|f| f.patient.to_owned());
        for (film, split) in &films {
            let Some(patient) = patient(film) else { continue };
            patients.entry(patient).and_modify(|s| *s = (*s).min(*split)).or_insert(*split);
        }
        let strays = films.into_iter().filter(|(film, split)| {
            patient(film).is_some_and(|patient| patients.get(&patient) != Some(split))
        });
        let strays = strays.map(|(film, split)| (film.to_owned(), split)).collect();
        (patients, strays)
    }
}

impl Source for DdsmRelease {
    fn about(&self) -> About {
        let cut = match self.listing() {
            Ok(listing) if listing.is_ready() && listing.images.is_empty() => {
                " Here are the patches alone: there is no whole mammogram to show them in, and no \
                 outline of a lesion to compare units with."
            }
            Ok(listing) if listing.is_ready() => {
                " The published patches and their labels are used as they are; the whole mammograms \
                 show where they lie."
            }
            _ => {
                " Patches are cut from the published mammograms and labelled by the published masks."
            }
        };
        About {
            kind: "ddsm_release".into(),
            name: "DDSM as released with the paper".into(),
            description: format!(
                "Digitised film mammograms of the Digital Database for Screening Mammography, in the \
                 form that Wu et al. published with their paper: 8-bit images, masks and patches, \
                 divided into training, validation and test by them.{cut}"
            ),
            citation: "J. Wu et al. (2018), Expert identification of visual primitives used by CNNs \
                during mammogram classification, SPIE Medical Imaging 10575. M. Heath et al. (2001), \
                The Digital Database for Screening Mammography, in: Proceedings of the Fifth \
                International Workshop on Digital Mammography, 212-218, Medical Physics Publishing."
                .into(),
            licence: None,
            phantom: false,
        }
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        let listing = self.listing()?;
        let of = |paths: &mut dyn Iterator<Item = (&String, &Path)>| -> Result<Vec<_>> {
            let paths: Vec<_> = paths.collect();
            paths
                .into_par_iter()
                .map(|(name, path)| {
                    let metadata = fs_err::metadata(path)?;
                    let time =
                        metadata.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
                    Ok((name.clone(), metadata.len(), time.map(|t| t.as_nanos().to_string())))
                })
                .collect()
        };
        let images = of(&mut listing.images.iter().map(|(n, p)| (n, p.as_path())))?;
        let masks = of(&mut listing.masks.iter().map(|(n, m)| (n, m.path.as_path())))?;
        let patches = of(&mut listing.patches.iter().map(|(n, p)| (n, p.as_path())))?;
        let labels: Vec<_> = listing
            .labels
            .iter()
            .map(|labels| labels.iter().map(|l| (&l.file, l.class, l.split)).collect::<Vec<_>>())
            .collect();
        Ok(Fingerprint::of(&("ddsm_release", images, masks, patches, &listing.lists, labels)))
    }

    fn files(&self) -> Result<BTreeSet<PathBuf>> {
        let listing = self.listing()?;
        let images = listing.images.values().chain(listing.patches.values());
        let masks = listing.masks.values().map(|mask| &mask.path);
        let lists = ["ddsm_raw_image_lists", "ddsm_labels"].into_iter();
        let lists =
            lists.flat_map(|name| walk(&self.root.join(name)).flatten().collect::<Vec<_>>());
        let lists = lists.filter(|entry| entry.file_type().is_file()).map(DirEntry::into_path);
        Ok(images.chain(masks).cloned().chain(lists).collect())
    }

    fn catalogue(&self) -> Result<Catalogue> {
        let listing = self.listing()?;
        let ready = listing.is_ready();
        if !ready && (listing.images.is_empty() || listing.masks.is_empty()) {
            bail!(
                "{} has only {}; needed are ddsm_patches with ddsm_labels, or ddsm_raw with ddsm_raw_image_lists and ddsm_masks",
                self.root.display(),
                listing.folders.join(", ")
            );
        }
        let mut notices = listing.notices.clone();
        let (parts, strays) = listing.split();
        let wanted: BTreeSet<String> = if ready {
            let mut films = BTreeSet::new();
            for (labels, classes) in listing.labels.iter().zip([2, 3]) {
                if !labels.is_empty() {
                    films.extend(self.ready_patches(classes, &mut notices)?.into_keys());
                }
            }
            films
        } else {
            let listed = listing.lists.keys().filter(|name| listing.images.contains_key(*name));
            listed.cloned().collect()
        };
        for (film, split) in &strays {
            notices.push(Notice {
                place: film.clone(),
                message: format!(
                    "is in the {split} split, but its patient is in another one too; the mammogram is left out"
                ),
                skipped: true,
            });
        }
        if !ready {
            missing(
                &mut notices,
                "ddsm_raw_image_lists",
                "listed images are not in ddsm_raw",
                false,
                listing.lists.keys().filter(|name| !listing.images.contains_key(*name)),
            );
            missing(
                &mut notices,
                "ddsm_raw",
                "images are in no list of the split; they are left out",
                true,
                listing.images.keys().filter(|name| !listing.lists.contains_key(*name)),
            );
        }
        let unplaced = listing.worst_labels();
        let wanted: Vec<&String> =
            wanted.iter().filter(|film| !strays.contains_key(*film)).collect();
        let read: Vec<(Option<Mammogram>, Vec<Notice>)> = wanted
            .par_iter()
            .map(|film| {
                let mut notices = Vec::new();
                let mammogram = listing.mammogram(film, ready, &unplaced, &mut notices);
                (mammogram, notices)
            })
            .collect();
        let mut mammograms = Vec::new();
        for (mammogram, told) in read {
            let mammogram =
                mammogram.map(|m| Mammogram { assigned: parts.get(&m.patient).copied(), ..m });
            mammograms.extend(mammogram);
            notices.extend(told);
        }
        if mammograms.is_empty() {
            bail!(
                "no mammogram of the release in {} can be used: {}",
                self.root.display(),
                notices
                    .first()
                    .map_or("no reason is known".into(), |n| format!("{}: {}", n.place, n.message))
            );
        }
        let summary = listing.summary(&mammograms, ready);
        Ok(Catalogue { mammograms, summary, notices })
    }

    fn image(&self, mammogram: &Mammogram) -> Result<Grey> {
        let Some(path) = self.listing()?.images.get(&mammogram.id) else {
            bail!("{} has no ddsm_raw/{}.jpg", self.root.display(), mammogram.id);
        };
        decode(path)
    }

    fn ready(&self, classes: u32) -> Result<Option<Ready>> {
        let listing = self.listing()?;
        if !listing.is_ready() {
            return Ok(None);
        }
        // The catalogue tells what is wrong.
        let patches = self.ready_patches(classes, &mut Vec::new())?;
        let imageless =
            patches.keys().filter(|film| !listing.images.contains_key(*film)).cloned().collect();
        Ok(Some(Ready { patches, imageless }))
    }

    fn patch(&self, patch: &ReadyPatch) -> Result<Grey> {
        decode(&patch.file)
    }
}

impl DdsmRelease {
    /// The labelled patches that are there, by their mammograms, from top to bottom, then from left to
    /// right.
    fn ready_patches(
        &self,
        classes: u32,
        notices: &mut Vec<Notice>,
    ) -> Result<BTreeMap<String, Vec<ReadyPatch>>> {
        let listing = self.listing()?;
        let labels = listing.labels_of(classes)?;
        let mut patches: BTreeMap<String, Vec<ReadyPatch>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut absent = Vec::new();
        for Label { file, class, place, .. } in &labels {
            let mut refuse = |message: String| {
                notices.push(Notice { place: place.clone(), message, skipped: true });
            };
            let stem = listing::stem(file, &["jpg", "jpeg", "png"]).unwrap_or(file);
            let window = match name::window(stem) {
                Ok(window) => window,
                Err(message) => {
                    refuse(format!("{file}: {message}; it is left out"));
                    continue;
                }
            };
            let Some(path) = listing.patches.get(file) else {
                absent.push(file);
                continue;
            };
            if !seen.insert((window.film, window.y, window.x, window.edge)) {
                refuse(format!("{file}: the same window is listed again; the first counts"));
                continue;
            }
            patches.entry(window.film.to_owned()).or_default().push(ReadyPatch {
                x: window.x,
                y: window.y,
                edge: window.edge,
                positive: u32::from(*class) + 1 == classes,
                benign: classes == 3 && *class == 1,
                file: path.clone(),
            });
        }
        missing(
            notices,
            &format!("ddsm_labels/{classes}class"),
            "labelled patches are not in ddsm_patches",
            false,
            absent.into_iter(),
        );
        for patches in patches.values_mut() {
            patches.sort_by_key(|p| (p.y, p.x, p.edge));
        }
        Ok(patches)
    }
}

/// One notice on many names.
fn missing<'a>(
    notices: &mut Vec<Notice>,
    place: &str,
    what: &str,
    skipped: bool,
    names: impl Iterator<Item = &'a String>,
) {
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.is_empty() {
        return;
    }
    let more = if names.len() > NAMED { ", …" } else { "" };
    let listed = names[..NAMED.min(names.len())].join(", ");
    let message = format!("{} {what}: {listed}{more}", names.len());
    notices.push(Notice { place: place.into(), message, skipped });
}

impl Listing {
    /// The worst that is labelled of each mammogram: cancer before benign.
    fn worst_labels(&self) -> BTreeMap<&str, Pathology> {
        let mut worst = BTreeMap::new();
        let (labels, cancer) = self.best_labels();
        for label in labels.iter().filter(|label| label.class > 0) {
            let stem = listing::stem(&label.file, &["jpg", "jpeg", "png"]).unwrap_or(&label.file);
            let Ok(window) = name::window(stem) else { continue };
            let pathology =
                if label.class == cancer { Pathology::Malignant } else { Pathology::Benign };
            worst
                .entry(window.film)
                .and_modify(|known| {
                    if pathology == Pathology::Malignant {
                        *known = pathology;
                    }
                })
                .or_insert(pathology);
        }
        worst
    }

    fn mammogram(
        &self,
        id: &str,
        ready: bool,
        unplaced: &BTreeMap<&str, Pathology>,
        notices: &mut Vec<Notice>,
    ) -> Option<Mammogram> {
        let mut refuse = |message: String| {
            notices.push(Notice { place: id.to_owned(), message, skipped: true });
            None
        };
        let Some(film) = name::film(id) else {
            return refuse("its name is not that of a mammogram, such as benign_01-B_3099_1.LEFT_CC.LJPEG.1; it is left out".into());
        };
        let [width, height] = match self.images.get(id).map(|path| size(path)) {
            Some(Ok(size)) => size,
            Some(Err(error)) => return refuse(format!("{error:#}; the mammogram is left out")),
            None => self.extent(id),
        };
        let mut lesions = Vec::new();
        if let Some(mask) = self.masks.get(id).filter(|_| self.images.contains_key(id)) {
            match lesions_of(mask, [width, height]) {
                Ok(found) => lesions = found,
                Err(error) if ready => notices.push(Notice {
                    place: mask.place.clone(),
                    message: format!("{error:#}; its outlines are left out"),
                    skipped: true,
                }),
                Err(error) => {
                    return refuse(format!(
                        "{}: {error:#}; the mammogram is left out, since it may hold a cancer",
                        mask.place
                    ));
                }
            }
        }
        // What patches are labelled as and no outline shows.
        if let Some(&pathology) = unplaced.get(id)
            && !lesions.iter().any(|l| l.pathology == pathology)
        {
            lesions.push(lesion(pathology, Vec::new()));
        }
        Some(Mammogram {
            id: id.to_owned(),
            patient: film.patient.to_owned(),
            laterality: Some(film.laterality),
            view: Some(film.view),
            modifier: None,
            width,
            height,
            micron: None,
            density: None,
            facts: BTreeMap::from([("volume".to_owned(), film.volume.to_owned())]),
            lesions,
            assigned: None,
            regions: Vec::new(),
        })
    }

    /// What the patches of a mammogram reach to.
    fn extent(&self, film: &str) -> [u32; 2] {
        // Names begin with that of the mammogram, so that they lie together.
        let first = format!("{film}-");
        let names =
            self.patches.range(first.clone()..).take_while(|(name, _)| name.starts_with(&first));
        let windows = names.filter_map(|(name, _)| {
            name::window(listing::stem(name, &["jpg", "jpeg", "png"])?).ok()
        });
        windows.fold([1, 1], |[w, h], p| [w.max(p.x + p.edge), h.max(p.y + p.edge)])
    }

    fn summary(&self, mammograms: &[Mammogram], ready: bool) -> Vec<String> {
        let count = |n: usize, what: &str| format!("{n} {what}");
        let mut lines = vec![format!(
            "found: {}",
            [
                count(self.images.len(), "whole mammograms"),
                count(self.lists.len(), "mammograms in the lists of the split"),
                count(self.masks.len(), "masks"),
                count(self.patches.len(), "patches"),
                count(self.labels[0].len(), "labels of two classes"),
                count(self.labels[1].len(), "labels of three classes"),
            ]
            .join(", ")
        )];
        let (parts, _) = self.split();
        let of = |wanted| parts.values().filter(|split| **split == wanted).count();
        lines.push(format!(
            "the published split is used as it is: {} patients to train, {} to validate, {} to test",
            of(Split::Train),
            of(Split::Validation),
            of(Split::Test)
        ));
        if ready {
            lines.push("the published patches and labels are used as they are".into());
        }
        let without = mammograms.iter().filter(|m| !self.images.contains_key(&m.id)).count();
        if without > 0 {
            lines.push(format!(
                "{without} of {} mammograms are known by their patches only, without context and outlines",
                mammograms.len()
            ));
        }
        lines
    }
}

fn lesion(pathology: Pathology, outlines: Vec<Outline>) -> Lesion {
    Lesion {
        pathology,
        terms: Vec::new(),
        source_words: String::new(),
        outlines,
        subtlety: None,
        assessment: None,
    }
}

/// The lesions of a mask: one for each connected region of a class, in the pixels of the mammogram.
///
/// The classes are stored as they are (1 benign, 2 cancer) or spread to white (127, 255); with two
/// classes, whatever is not 0 is cancer.
fn lesions_of(mask: &listing::Mask, [width, height]: [u32; 2]) -> Result<Vec<Lesion>> {
    let drawn = decode(&mask.path).map_err(|error| anyhow::anyhow!("{}", error.root_cause()))?;
    ensure!(drawn.width > 0 && drawn.height > 0, "is empty");
    let scale =
        [f64::from(width) / f64::from(drawn.width), f64::from(height) / f64::from(drawn.height)];
    ensure!(
        (scale[0] / scale[1] - 1.0).abs() <= SHAPE_TOLERANCE,
        "has {} x {} pixels and its mammogram {width} x {height}",
        drawn.width,
        drawn.height
    );
    let class = |value: u8| match (mask.classes, value) {
        (_, 0) => Some(None),
        (2, _) => Some(Some(Pathology::Malignant)),
        (_, 1 | 127 | 128) => Some(Some(Pathology::Benign)),
        (_, 2 | 254 | 255) => Some(Some(Pathology::Malignant)),
        _ => None,
    };
    if let Some(value) = drawn.pixels.iter().find(|&&value| class(value).is_none()) {
        bail!(
            "holds the value {value}; expected 0, 1 for benign and 2 for cancer, or 0, 127 and 255"
        );
    }
    let mut lesions = Vec::new();
    for pathology in [Pathology::Malignant, Pathology::Benign] {
        let pixels = drawn.pixels.iter().map(|&v| class(v).flatten() == Some(pathology)).collect();
        let region = mammogram::Mask { width: drawn.width, height: drawn.height, pixels };
        for outline in contours(&region) {
            lesions.push(lesion(pathology, vec![scaled(outline, scale)]));
        }
    }
    Ok(lesions)
}

fn scaled(outline: Outline, [x, y]: [f64; 2]) -> Outline {
    match outline {
        Outline::Polygon(mut corners) if [x, y] != [1.0, 1.0] => {
            for corner in &mut corners {
                *corner = [(f64::from(corner[0]) * x) as f32, (f64::from(corner[1]) * y) as f32];
            }
            Outline::Polygon(corners)
        }
        other => other,
    }
}

/// A reader of an image of any format that its first bytes tell.
fn open(path: &Path) -> Result<ImageReader<BufReader<File>>> {
    let (file, _) = input::open(path)?;
    Ok(ImageReader::new(BufReader::new(file)).with_guessed_format()?)
}

/// Size of an image by its header.
fn size(path: &Path) -> Result<[u32; 2]> {
    let reader = open(path)?;
    let (width, height) = reader.into_decoder()?.dimensions();
    ensure!(
        width > 0 && height > 0 && u64::from(width) * u64::from(height) <= MAX_PIXELS,
        "has an impossible size, {width} x {height} pixels"
    );
    Ok([width, height])
}

/// An image in 8 bits of grey.
fn decode(path: &Path) -> Result<Grey> {
    let attempt = || -> Result<Grey> {
        let [width, height] = size(path)?;
        let _room = room::for_pixels(u64::from(width) * u64::from(height));
        let image = open(path)?.decode()?.into_luma8();
        Ok(Grey { width: image.width(), height: image.height(), pixels: image.into_raw() })
    };
    attempt().with_context(|| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        format!("{} cannot be decoded", name.unwrap_or_default())
    })
}

/// The names of mammograms and patches.
#[cfg(test)]
pub(super) fn fuzz_target() -> crate::fuzz::Target {
    crate::fuzz::Target {
        name: "release",
        seeds: vec![
            b"benign_01-B_3099_1.LEFT_CC.LJPEG.1-y512_x256_h900_w900.jpg".into(),
            b"cancer_12-A_1_1.RIGHT_MLO.LJPEG.1-x0_y0_w9_h9_imgfrac0.25.jpg".into(),
        ],
        words: &[
            "-", "_", ".", "y1", "x1", "h9", "w9", "LEFT_CC", "LJPEG.1", "A_1_1", "/", "\\", "é",
        ],
        read: |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let stem = listing::stem(&text, &["jpg"]).unwrap_or(&text);
            let film = name::film(stem).is_some();
            crate::fuzz::outcome(name::window(stem), |window| {
                assert!(stem.starts_with(window.film) && window.edge > 0);
                format!("read {film}")
            })
        },
    }
}

#[cfg(test)]
mod tests;
