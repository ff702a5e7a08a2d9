//! The mini-MIAS database (Suckling et al. 1994): 322 mediolateral oblique mammograms of 161
//! patients, `mdb001.pgm` to `mdb322.pgm`, with `Info.txt`. Copies as PNG, JPEG or TIFF, in a folder below, and
//! of another size are read too.
//!
//! Odd numbers are right breasts, even numbers left; each odd number and the next even one are a
//! patient. Abnormalities are circles in the pixels of the original images, 1024 x 1024, whose origin is the
//! bottom left corner; here they become outlines of the image that is there, with the origin at the top
//! left. What a copy that is not square shows of the original is not known: its circles have no place. The
//! tissue F, G or D is kept as a fact: three
//! characters of tissue do not map onto the four BI-RADS compositions, so `density` stays empty.
//!
//! An image with an unreadable row is left out with the row: the row may hold a cancer, and the
//! image's patches would be labelled as free of it.

mod row;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail};

use self::row::{Finding, Row, Tissue};
use crate::{Catalogue, Source, remarks, walk};
use base::artifact::Fingerprint;
use base::{Notice, input};
use formats::masks::same_shape;
use formats::picture::Picture;
use mammogram::{About, Grey, Laterality, Lesion, Mammogram, Outline, Pathology, View};

/// Edge of the original images in pixels, in which the table's circles are.
const EDGE: f32 = 1024.0;
/// Edge of their pixels in micrometres.
const MICRON: f64 = 200.0;
/// Bytes of the table at most; the published one has 16 thousand.
const MAX_INFO: u64 = 1 << 20;
/// Endings of image files; of several of one name the first in this order is taken.
const ENDINGS: [&str; 6] = ["pgm", "png", "tif", "tiff", "jpg", "jpeg"];

/// A folder with `Info.txt` and the images.
#[derive(Debug, Clone)]
pub struct MiniMias {
    folder: PathBuf,
}

/// What the folder holds.
struct Listing {
    info: PathBuf,
    /// Images by their name in lower case without its ending.
    images: BTreeMap<String, PathBuf>,
    /// Images that are there twice.
    notices: Vec<Notice>,
}

/// Everything the table says of one image.
struct Entry {
    number: u32,
    line: usize,
    tissue: Tissue,
    normal: bool,
    findings: Vec<Finding>,
}

impl MiniMias {
    /// Of the given folder; nothing is read yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn listing(&self) -> Result<Listing> {
        let folder = self.folder.display();
        std::fs::read_dir(&self.folder).with_context(|| {
            format!("cannot read the mini-MIAS folder {folder}; set source.path to where it lies")
        })?;
        let mut info: Option<PathBuf> = None;
        let mut found: BTreeMap<String, (usize, PathBuf)> = BTreeMap::new();
        let mut notices = Vec::new();
        // What lies higher comes first.
        let mut entries: Vec<_> = walk(&self.folder).collect();
        entries.sort_by_key(|entry| {
            entry.as_ref().ok().map(|entry| (entry.depth(), entry.path().to_owned()))
        });
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let place = error.path().map(|path| self.place(path)).unwrap_or_default();
                    let message = "cannot be listed; what it holds is left out".into();
                    notices.push(Notice { place, message, skipped: true });
                    continue;
                }
            };
            let path = entry.path();
            let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
            let name = name.to_ascii_lowercase();
            if !entry.file_type().is_file() {
                continue;
            }
            if name == "info.txt" {
                info.get_or_insert(path.to_owned());
                continue;
            }
            let Some((stem, ending)) = name.rsplit_once('.') else { continue };
            let Some(rank) = ENDINGS.iter().position(|known| *known == ending) else { continue };
            // Other pictures are not of the database; a greymap may be, under another name.
            if rank > 0 && row::reference(stem).is_none() {
                continue;
            }
            match found.get(stem) {
                Some((known, kept)) => {
                    let [kept, left] = if *known <= rank {
                        [kept.clone(), path.to_owned()]
                    } else {
                        [path.to_owned(), kept.clone()]
                    };
                    notices.push(Notice {
                        place: self.place(&left),
                        message: format!("is there twice; that of {} is used", self.kind(&kept)),
                        skipped: false,
                    });
                    found.insert(stem.to_owned(), ((*known).min(rank), kept));
                }
                None => drop(found.insert(stem.to_owned(), (rank, path.to_owned()))),
            }
        }
        let images: BTreeMap<String, PathBuf> =
            found.into_iter().map(|(stem, (_, path))| (stem, path)).collect();
        let Some(info) = info else {
            bail!(
                "{folder} and the folders in it have no Info.txt, the table of the mini-MIAS database; set source.path to the folder that has it"
            );
        };
        if images.is_empty() {
            bail!(
                "{folder} has Info.txt but no image (mdb001.pgm to mdb322.pgm, or .png or .jpg); put the images beside it"
            );
        }
        Ok(Listing { info, images, notices: remarks::joined(notices) })
    }

    /// Where a file lies in the folder, with `/` on every system.
    /// The images that one is among: those with its ending in its folder.
    fn kind(&self, path: &Path) -> String {
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        self.place(&path.with_file_name(format!("*.{ending}")))
    }

    fn place(&self, path: &Path) -> String {
        let inner = path.strip_prefix(&self.folder).unwrap_or(path);
        let parts: Vec<_> = inner.iter().map(|part| part.to_string_lossy()).collect();
        parts.join("/")
    }
}

impl Source for MiniMias {
    fn about(&self) -> About {
        About {
            kind: "mini_mias".into(),
            name: "mini-MIAS".into(),
            description: "Digitised film mammograms of the Mammographic Image Analysis Society, \
                reduced to 200 micron per pixel and 1024 x 1024 pixels; mediolateral oblique views \
                of both breasts of each patient. Abnormalities are circles given by the database."
                .into(),
            citation: "J. Suckling et al. (1994), The Mammographic Image Analysis Society Digital \
                Mammogram Database, Excerpta Medica, International Congress Series 1069, 375-378."
                .into(),
            licence: Some("For research only, under the licence of the database.".into()),
            phantom: false,
        }
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        let listing = self.listing()?;
        let mut images = Vec::new();
        for (stem, path) in &listing.images {
            let metadata = fs_err::metadata(path)?;
            let time = metadata.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
            images.push((stem, metadata.len(), time.map(|t| t.as_nanos().to_string())));
        }
        Ok(Fingerprint::of(&("mini_mias", Fingerprint::of_file(&listing.info)?, images)))
    }

    fn files(&self) -> Result<BTreeSet<PathBuf>> {
        let Listing { info, images, .. } = self.listing()?;
        Ok(images.into_values().chain([info]).collect())
    }

    fn catalogue(&self) -> Result<Catalogue> {
        let listing = self.listing()?;
        let bytes = input::read(&listing.info, MAX_INFO)
            .with_context(|| format!("cannot read {}", listing.info.display()))?;
        // Its preamble may be in any encoding; the rows are ASCII.
        let mut table = Table::read(&String::from_utf8_lossy(&bytes));
        if table.entries.is_empty() {
            bail!(
                "{} has no readable row such as `mdb001 G CIRC B 500 400 100`; is it the table of the mini-MIAS database?",
                listing.info.display()
            );
        }
        let mut notices = std::mem::take(&mut table.notices);
        notices.extend(listing.notices.iter().cloned());
        let mut mammograms = Vec::new();
        for (reference, entry) in &table.entries {
            let Some(path) = listing.images.get(reference) else { continue };
            match Picture::open(path) {
                Ok(picture) => {
                    mammograms.push(entry.mammogram(reference, picture.size(), &mut notices));
                }
                Err(error) => notices.push(Notice {
                    place: self.place(path),
                    message: format!("{}; the image is left out", error.root_cause()),
                    skipped: true,
                }),
            }
        }
        notices.extend(table.disagreements(self, &listing));
        if mammograms.is_empty() {
            bail!(
                "none of the {} images in {} can be used: {}",
                listing.images.len(),
                self.folder.display(),
                notices.first().map_or("no reason is known", |n| n.message.as_str())
            );
        }
        let summary = table.summary(&listing, &mammograms);
        Ok(Catalogue { mammograms, summary, notices })
    }

    fn image(&self, mammogram: &Mammogram) -> Result<Grey> {
        let listing = self.listing()?;
        let Some(path) = listing.images.get(&mammogram.id) else {
            bail!("{} has no image {}", self.folder.display(), mammogram.id);
        };
        Picture::open(path).and_then(|picture| picture.image()).with_context(|| self.place(path))
    }
}

impl Entry {
    fn mammogram(
        &self,
        id: &str,
        [width, height]: [u32; 2],
        notices: &mut Vec<Notice>,
    ) -> Mammogram {
        let right = self.number % 2 == 1;
        let first = if right { self.number } else { self.number - 1 };
        let lesions = self.findings.iter().map(|f| self.lesion(id, f, [width, height], notices));
        let lesions = lesions.collect();
        Mammogram {
            id: id.to_owned(),
            patient: format!("mias{first:03}"),
            laterality: Some(if right { Laterality::Right } else { Laterality::Left }),
            view: Some(View::Mlo),
            modifier: None,
            width,
            height,
            micron: scale([width, height]).map(|scale| MICRON / f64::from(scale)),
            density: None,
            facts: [("tissue".to_owned(), self.tissue.words().to_owned())].into(),
            lesions,
            assigned: None,
            regions: Vec::new(),
        }
    }

    fn lesion(
        &self,
        id: &str,
        finding: &Finding,
        [width, height]: [u32; 2],
        notices: &mut Vec<Notice>,
    ) -> Lesion {
        let mut outlines = Vec::new();
        let mut placeless = |why: String| {
            notices.push(Notice {
                place: format!("Info.txt:{}", self.line),
                message: format!("{why}; the lesion is kept without a place"),
                skipped: true,
            });
        };
        match finding.place.map(|place| (place, scale([width, height]))) {
            None => {}
            Some((_, None)) => placeless(format!(
                "{id} has {width} x {height} pixels, and the circle is in those of an original of 1024 x 1024, whose copies are square"
            )),
            Some((place, Some(scale))) => {
                let (x, y) = (place.x * scale, (EDGE - place.y) * scale);
                let radius = place.radius * scale;
                if x - radius < width as f32 && y + radius > 0.0 {
                    outlines.push(Outline::Circle { x, y, radius });
                } else {
                    placeless(format!("the circle at {} {} lies outside {id}", place.x, place.y));
                }
            }
        }
        Lesion {
            pathology: if finding.malignant { Pathology::Malignant } else { Pathology::Benign },
            terms: finding.class.terms().iter().map(|&t| t.to_owned()).collect(),
            source_words: finding.class.word().to_owned(),
            outlines,
            subtlety: None,
            assessment: None,
        }
    }
}

/// Pixels of an image per pixel of the original; `None` where it does not have the original's shape.
fn scale([width, height]: [u32; 2]) -> Option<f32> {
    same_shape([width, height], [1, 1]).then_some(width as f32 / EDGE)
}

/// `Info.txt`, row by row.
struct Table {
    /// Rows, readable or not.
    rows: usize,
    /// Images by reference.
    entries: BTreeMap<String, Entry>,
    /// References of the images that are left out with an unreadable row.
    dropped: BTreeSet<String>,
    /// References of the readable rows without coordinates, in order.
    placeless: Vec<String>,
    notices: Vec<Notice>,
}

impl Table {
    fn read(text: &str) -> Self {
        let mut table = Self {
            rows: 0,
            entries: BTreeMap::new(),
            dropped: BTreeSet::new(),
            placeless: Vec::new(),
            notices: Vec::new(),
        };
        for (line, text) in row::lines(text) {
            table.rows += 1;
            match row::parse(text) {
                Ok(row) => table.add(line, row),
                Err(message) => {
                    let image =
                        text.split_whitespace().next().filter(|w| row::reference(w).is_some());
                    let consequence = match image {
                        Some(id) => format!(
                            "the row and the image {id} are left out, since the row may hold a cancer"
                        ),
                        None => "the row is left out".into(),
                    };
                    table.notice(line, format!("{message}; {consequence}"), true);
                    table.dropped.extend(image.map(str::to_owned));
                }
            }
        }
        table.entries.retain(|reference, _| !table.dropped.contains(reference));
        table
    }

    fn add(&mut self, line: usize, row: Row) {
        let Row { reference, number, tissue, finding } = row;
        if let Some(Finding { place: None, class, .. }) = finding {
            let class = class.word();
            let message = format!(
                "{reference}, {class}, has no coordinates; the lesion is kept without a place"
            );
            self.notice(line, message, false);
            self.placeless.push(reference.clone());
        }
        let Some(entry) = self.entries.get_mut(&reference) else {
            let findings = finding.into_iter().collect::<Vec<_>>();
            let entry = Entry { number, line, tissue, normal: findings.is_empty(), findings };
            self.entries.insert(reference, entry);
            return;
        };
        let mut doubts = Vec::new();
        if entry.tissue != tissue {
            doubts.push(format!(
                "gives {reference} another tissue than line {}; the first counts",
                entry.line
            ));
        }
        match finding {
            Some(finding) if entry.findings.contains(&finding) => {
                doubts.push(format!("repeats a row of {reference}; it counts once"));
            }
            Some(finding) => entry.findings.push(finding),
            None if entry.normal => {
                doubts.push(format!("repeats a row of {reference}; it counts once"))
            }
            None => entry.normal = true,
        }
        if entry.normal && !entry.findings.is_empty() {
            doubts.push(format!(
                "{reference} is listed as NORM and with an abnormality; the abnormality counts"
            ));
        }
        for doubt in doubts {
            self.notice(line, doubt, false);
        }
    }

    fn notice(&mut self, line: usize, message: String, skipped: bool) {
        self.notices.push(Notice { place: format!("Info.txt:{line}"), message, skipped });
    }

    /// Listed images that are not there, and images that are not listed.
    fn disagreements(&self, source: &MiniMias, listing: &Listing) -> Vec<Notice> {
        let mut notices = Vec::new();
        let missing = self.missing(listing);
        if !missing.is_empty() {
            notices.push(Notice {
                place: "Info.txt".into(),
                message: format!(
                    "{} listed images are not in the folder: {}",
                    missing.len(),
                    ranges(&missing)
                ),
                skipped: false,
            });
        }
        for (stem, path) in &listing.images {
            if !self.entries.contains_key(stem) && !self.dropped.contains(stem) {
                notices.push(Notice {
                    place: source.place(path),
                    message: "has no row in Info.txt; the image is left out, since nothing is known of it".into(),
                    skipped: true,
                });
            }
        }
        notices
    }

    /// Numbers of the listed images that are not in the folder.
    fn missing(&self, listing: &Listing) -> Vec<u32> {
        let absent = self.entries.iter().filter(|(r, _)| !listing.images.contains_key(*r));
        absent.map(|(_, entry)| entry.number).collect()
    }

    fn summary(&self, listing: &Listing, mammograms: &[Mammogram]) -> Vec<String> {
        let missing = self.missing(listing).len();
        let listed = self.entries.len() + self.dropped.len();
        let dropped = self.dropped.iter().filter(|r| !listing.images.contains_key(*r)).count();
        let absent = missing + dropped;
        let mut lines = vec![format!(
            "{} rows, {listed} images listed: {} present, {absent} missing, {} used",
            self.rows,
            listed - absent,
            mammograms.len()
        )];
        if missing > 0 {
            lines.push(format!("missing images: {}", ranges(&self.missing(listing))));
        }
        if !self.placeless.is_empty() {
            lines.push(format!(
                "{} rows without coordinates: {}",
                self.placeless.len(),
                self.placeless.join(", ")
            ));
        }
        let lesions: Vec<&Lesion> = mammograms.iter().flat_map(|m| &m.lesions).collect();
        let normal = mammograms.iter().filter(|m| m.lesions.is_empty()).count();
        lines.push(format!(
            "of the {} images used: {normal} normal, {} with {} lesions",
            mammograms.len(),
            mammograms.len() - normal,
            lesions.len()
        ));
        let mut classes: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
        for lesion in lesions {
            classes.entry(&lesion.source_words).or_default()
                [usize::from(lesion.pathology == Pathology::Malignant)] += 1;
        }
        if !classes.is_empty() {
            let counts = classes.iter().map(|(class, [benign, malignant])| {
                format!("{class} {benign} benign, {malignant} malignant")
            });
            lines.push(format!("lesions by class: {}", counts.collect::<Vec<_>>().join("; ")));
        }
        lines
    }
}

/// Ascending numbers as ranges: `mdb001-mdb003, mdb007`.
fn ranges(numbers: &[u32]) -> String {
    let mut parts: Vec<[u32; 2]> = Vec::new();
    for &number in numbers {
        match parts.last_mut() {
            Some([_, last]) if *last + 1 == number => *last = number,
            _ => parts.push([number, number]),
        }
    }
    let text = parts.iter().map(|[first, last]| match last - first {
        0 => format!("mdb{first:03}"),
        _ => format!("mdb{first:03}-mdb{last:03}"),
    });
    text.collect::<Vec<_>>().join(", ")
}

/// The table.
#[cfg(test)]
pub(super) fn fuzz_target() -> crate::fuzz::Target {
    const TABLE: &str = "Preamble mdb001\n=====\n\nmdb001 G CIRC B 500 400 100\nmdb002 F NORM \n\
        mdb005 D SPIC M 20 10 5\nmdb005 D ARCH B 1 1 9\nmdb059 F CIRC B\nmdb216 D CALC M *NOTE 3*\n====\n";
    crate::fuzz::Target {
        name: "mini_mias",
        seeds: vec![TABLE.into()],
        words: &[
            "mdb001", "mdb322", "mdb", "F", "G", "D", "CALC", "CIRC", "SPIC", "MISC", "ARCH",
            "ASYM", "NORM", " B ", " M ", "*NOTE 3*", "=====", "\n", "NaN", "inf", "-1", "1e9",
            "0", "é",
        ],
        read: |bytes| {
            let table = Table::read(&String::from_utf8_lossy(bytes));
            let mut notices = Vec::new();
            for (reference, entry) in &table.entries {
                for size in [[1024, 1024], [1, 1], [3, 1]] {
                    entry.mammogram(reference, size, &mut notices);
                }
            }
            let told = table.notices.iter().chain(&notices).map(|n| n.message.as_str());
            told.take(2).collect::<Vec<_>>().join(" | ")
        },
    }
}

#[cfg(test)]
mod tests;
