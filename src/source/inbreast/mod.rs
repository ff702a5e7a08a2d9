//! INbreast (Moreira et al. 2012): 410 full-field digital mammograms of 115 cases, with `INbreast.csv` (or the
//! same as .xlsx), the images as DICOM and the outlines as property lists.
//!
//! The data set gives no pathology of single lesions, but a BI-RADS assessment of each image: as in most work
//! with it, the lesions of an image with 4 to 6 count as malignant, those of one with 1 to 3 as benign. An
//! image with 4 or more and no outline holds a cancer whose place is not known. The files' names tell
//! the patient, by a code of the data set's own.
//!
//! An image of which something cannot be understood, be it the name of a region, is left out: it may hold a
//! cancer where none is drawn.

mod roi;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail};
use rayon::prelude::*;

use self::roi::{Kind, Roi};
use crate::contradiction::Tags;
use crate::{Catalogue, Source, walk};
use base::artifact::Fingerprint;
use base::text::{self, Encoding};
use base::{Notice, counted, input};
use formats::picture::Picture;
use formats::table::{self, Expected, Row};
use formats::value;
use mammogram::{
    About, Grey, Laterality, Lesion, Mammogram, Outline, Pathology, Region, Values, View,
};

/// Endings of image files; of several of one number the first in this order is taken.
const ENDINGS: [&str; 7] = ["dcm", "png", "tif", "tiff", "pgm", "jpg", "jpeg"];
/// Sizes of the published images, in whose pixels the outlines are.
const SIZES: [[u32; 2]; 2] = [[3328, 4084], [2560, 3328]];
/// Larger files are no outlines of an image.
const MAX_OUTLINES: u64 = 1 << 25;
/// Missing images that a notice names.
const NAMED: usize = 8;

const NEEDED: [&str; 5] = ["laterality", "view", "file_name", "acr", "bi_rads"];

/// The folder of a whole or partial copy.
#[derive(Debug)]
pub struct Inbreast {
    root: PathBuf,
    encoding: Option<Encoding>,
    /// The file of each mammogram; listed when the first one is asked for.
    images: OnceLock<BTreeMap<String, PathBuf>>,
}

/// What the folder holds.
#[derive(Default)]
struct Listing {
    table: Option<PathBuf>,
    /// By the number of the image.
    images: BTreeMap<String, (usize, PathBuf)>,
    outlines: BTreeMap<String, PathBuf>,
    notices: Vec<Notice>,
}

/// What a file's name tells: `<number>_<patient>_MG_<side>_<view>_ANON.dcm`.
#[derive(Debug, Default, PartialEq)]
struct Name {
    patient: Option<String>,
    laterality: Option<Laterality>,
    view: Option<View>,
}

impl Inbreast {
    /// Of the given folder, and the encoding of its table; nothing is read yet.
    pub fn new(root: impl Into<PathBuf>, encoding: Option<Encoding>) -> Self {
        Self { root: root.into(), encoding, images: OnceLock::new() }
    }

    fn listing(&self) -> Result<Listing> {
        let root = self.root.display();
        std::fs::read_dir(&self.root).with_context(|| {
            format!("cannot read the INbreast folder {root}; set source.path to where it lies")
        })?;
        let mut listing = Listing::default();
        let mut old = false;
        for entry in walk(&self.root) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let place = error.path().map(|path| self.place(path)).unwrap_or_default();
                    let message = "cannot be listed; what it holds is left out".into();
                    listing.notices.push(Notice { place, message, skipped: true });
                    continue;
                }
            };
            let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
            let Some((stem, ending)) = name.rsplit_once('.') else { continue };
            if !entry.file_type().is_file() {
                continue;
            }
            match (stem, ending) {
                ("inbreast", "csv") => listing.table = Some(entry.path().to_owned()),
                ("inbreast", "xlsx") if listing.table.is_none() => {
                    listing.table = Some(entry.path().to_owned());
                }
                ("inbreast", "xls") => old = true,
                _ => {}
            }
            let digits = stem.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = stem.split_at(digits);
            if digits == 0 || !(rest.is_empty() || rest.starts_with('_')) {
                continue;
            }
            if ending == "xml" && rest.is_empty() {
                listing.outlines.entry(number.to_owned()).or_insert(entry.path().to_owned());
            }
            let Some(rank) = ENDINGS.iter().position(|known| *known == ending) else { continue };
            let file = (rank, entry.path().to_owned());
            let kept = listing.images.entry(number.to_owned()).or_insert_with(|| file.clone());
            if kept.0 > rank {
                *kept = file;
            }
        }
        if listing.table.is_none() {
            let hint = if old { "; save INbreast.xls as INbreast.xlsx or .csv" } else { "" };
            bail!("{root} and the folders in it have no INbreast.csv or INbreast.xlsx{hint}");
        }
        Ok(listing)
    }

    /// Where a file lies in the folder, with `/` on every system.
    fn place(&self, path: &Path) -> String {
        let inner = path.strip_prefix(&self.root).unwrap_or(path);
        let parts: Vec<_> = inner.iter().map(|part| part.to_string_lossy()).collect();
        parts.join("/")
    }

    fn read(&self, row: &Row, place: &str, listing: &Listing) -> Result<Option<Read>, Notice> {
        let left_out = |place: &str, message: String| Notice {
            place: place.to_owned(),
            message: format!("{message}; the image is left out"),
            skipped: true,
        };
        let field = |column: &str| row.text(column).ok().flatten().unwrap_or_default();
        let wrong = |message: String| left_out(place, message);
        row.sound().map_err(wrong)?;
        let number = value::name(&field("file_name"));
        let Some((rank, path)) = listing.images.get(&number) else { return Ok(None) };
        let file = self.place(path);
        let assessment = value::assessment(&field("bi_rads"));
        let Some(assessment) = assessment.filter(|a| *a > mammogram::Assessment::Incomplete) else {
            return Err(wrong(format!("`Bi-Rads` of {number} is not 1 to 6 or 4a to 4c")));
        };
        let Some(laterality) = value::laterality(&field("laterality")) else {
            return Err(wrong(format!("`Laterality` of {number} is not L or R")));
        };
        let Some(projection) = value::projection(&field("view")) else {
            return Err(wrong(format!("`View` of {number} is not CC, MLO or another view")));
        };
        let name = Name::of(path);
        let patient = name.patient.clone().or_else(|| {
            let patient = value::name(&field("patient_id"));
            let known = !value::is_missing(&patient) && !patient.eq_ignore_ascii_case("removed");
            known.then_some(patient)
        });
        let Some(patient) = patient.filter(|patient| mammogram::is_file_name(patient)) else {
            return Err(left_out(
                &file,
                "its name tells no patient, as in 20586908_6c613a14b80a8591_MG_R_CC_ANON.dcm"
                    .into(),
            ));
        };
        let picture = Picture::open(path).map_err(|error| left_out(&file, format!("{error:#}")))?;
        let size = picture.size();
        let mut notices = Vec::new();
        let xml = listing.outlines.get(&number);
        let rois = match xml {
            None => Vec::new(),
            Some(xml) => outlines(xml).map_err(|message| left_out(&self.place(xml), message))?,
        };
        let xml = xml.map(|xml| self.place(xml)).unwrap_or_default();
        // DICOM is as it was published; a converted image may be of any size.
        let placed = *rank == 0 || SIZES.iter().any(|[w, h]| size == [*w, *h] || size == [*h, *w]);
        if !placed && !rois.is_empty() {
            notices.push(Notice {
                place: file.clone(),
                message: format!(
                    "has {} x {} pixels, and its outlines are in those of the original; its lesions are kept without a place",
                    size[0], size[1]
                ),
                skipped: true,
            });
        }
        let pathology =
            if assessment.is_suspicious() { Pathology::Malignant } else { Pathology::Benign };
        let lesion = |terms: &[&str], words: &str, outlines| Lesion {
            pathology,
            terms: terms.iter().map(|term| (*term).to_owned()).collect(),
            source_words: words.to_owned(),
            outlines,
            subtlety: None,
            assessment: Some(assessment),
        };
        let (mut lesions, mut regions) = (Vec::new(), Vec::new());
        for roi in &rois {
            let Some(kind) = roi.kind() else {
                let message = format!(
                    "the region {:?} has no name of INbreast, so that it may be a cancer",
                    roi::shown(&roi.name)
                );
                return Err(left_out(&xml, message));
            };
            let mut drawn = if placed { shapes(&roi.points) } else { Vec::new() };
            if placed && drawn.iter().all(|outline| outline.misses(size)) {
                let message = format!(
                    "the region {:?} lies outside the image, or has no point; it is kept without a place",
                    roi::shown(&roi.name)
                );
                notices.push(Notice { place: xml.clone(), message, skipped: true });
                drawn.clear();
            }
            match kind {
                Kind::Lesion(terms) => lesions.push(lesion(terms, roi.name.trim(), drawn)),
                Kind::Region(term) if roi.points.len() > 2 && placed => {
                    regions.push(Region { term: term.to_owned(), rings: vec![roi.points.clone()] });
                }
                Kind::Region(_) => {}
            }
        }
        if lesions.is_empty() && assessment.is_suspicious() {
            lesions.push(lesion(&[], "", Vec::new()));
        }
        let told = |what: &str, table: String, named: Option<String>| {
            let named = named.filter(|named| *named != table)?;
            Some(Notice {
                place: place.to_owned(),
                message: format!(
                    "the {what} of {number} is {table} in the table and {named} in its file's name; the table counts"
                ),
                skipped: false,
            })
        };
        notices.extend(told(
            "side",
            laterality.to_string(),
            name.laterality.map(|s| s.to_string()),
        ));
        if let Some(view) = projection.view {
            notices.extend(told("view", view.to_string(), name.view.map(|view| view.to_string())));
        }
        let tags = Tags::new(place.to_owned(), None, None);
        notices.extend(tags.differ(picture.dicom(), Some(laterality), projection.view));
        let mammogram = Mammogram {
            id: format!("inbreast-{number}"),
            patient,
            laterality: Some(laterality),
            view: projection.view,
            modifier: projection.modifier,
            width: size[0],
            height: size[1],
            micron: picture.dicom().and_then(|dicom| dicom.micron()),
            density: value::density(&field("acr")).map(str::to_owned),
            facts: BTreeMap::from([("BI-RADS assessment".to_owned(), assessment.to_string())]),
            lesions,
            assigned: None,
            regions,
        };
        Ok(Some(Read { mammogram, path: path.clone(), notices }))
    }
}

/// What a row and its files give.
struct Read {
    mammogram: Mammogram,
    path: PathBuf,
    notices: Vec<Notice>,
}

impl Name {
    fn of(path: &Path) -> Self {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let parts: Vec<&str> = stem.split('_').collect();
        let part = |at: usize| parts.get(at).copied().unwrap_or_default();
        let patient = part(1);
        let code = patient.len() == 16 && patient.bytes().all(|b| b.is_ascii_hexdigit());
        Self {
            patient: code.then(|| patient.to_ascii_lowercase()),
            laterality: value::laterality(part(3)),
            // The oblique views are called ML in the names.
            view: match part(4) {
                "ML" => Some(View::Mlo),
                other => value::projection(other).and_then(|projection| projection.view),
            },
        }
    }
}

/// The regions of an image's file.
fn outlines(path: &Path) -> Result<Vec<Roi>, String> {
    let bytes =
        input::read(path, MAX_OUTLINES).map_err(|error| format!("cannot be read: {error}"))?;
    let text = text::decode(bytes, None).map_err(|error| error.to_string())?;
    roi::read(&text)
}

/// The outlines of points: a polygon, or squares of three pixels around fewer than three.
fn shapes(points: &[[f32; 2]]) -> Vec<Outline> {
    if points.len() >= 3 {
        return vec![Outline::Polygon(points.to_vec())];
    }
    let square = |&[x, y]: &[f32; 2]| {
        Outline::Polygon(vec![
            [x - 1.0, y - 1.0],
            [x + 2.0, y - 1.0],
            [x + 2.0, y + 2.0],
            [x - 1.0, y + 2.0],
        ])
    };
    points.iter().map(square).collect()
}

impl Source for Inbreast {
    fn about(&self) -> About {
        About {
            kind: "inbreast".into(),
            name: "INbreast".into(),
            description: "Full-field digital mammograms of the INbreast database, with outlines of \
                their lesions. The database gives a BI-RADS assessment per image and no pathology per \
                lesion: lesions of images with 4 to 6 count as malignant, those with 1 to 3 as benign."
                .into(),
            citation: "I. C. Moreira et al. (2012), INbreast: Toward a full-field digital mammographic \
                database, Academic Radiology 19(2), 236-248."
                .into(),
            licence: None,
            phantom: false,
        }
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        let listing = self.listing()?;
        let table = listing.table.as_deref().map(Fingerprint::of_file).transpose()?;
        let mut files = Vec::new();
        let images = listing.images.values().map(|(_, path)| path);
        for path in images.chain(listing.outlines.values()) {
            let metadata = fs_err::metadata(path)?;
            let time = metadata.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
            let time = time.map(|time| time.as_nanos().to_string());
            files.push((self.place(path), metadata.len(), time));
        }
        Ok(Fingerprint::of(&("inbreast", table, self.encoding, files)))
    }

    fn files(&self) -> Result<BTreeSet<PathBuf>> {
        let Listing { table, images, outlines, .. } = self.listing()?;
        let images = images.into_values().map(|(_, path)| path);
        Ok(table.into_iter().chain(images).chain(outlines.into_values()).collect())
    }

    fn catalogue(&self) -> Result<Catalogue> {
        let listing = self.listing()?;
        let path = listing.table.as_deref().context("no table")?;
        let expected = Expected {
            columns: None,
            needed: &NEEDED,
            prose: &[],
            encoding: self.encoding,
            advice: "write `encoding: windows-1252`, or what it was saved in, beside `path` under `source`, or save it as UTF-8",
        };
        let table = table::read(path, &expected)?;
        let name = self.place(path);
        let mut notices = listing.notices.clone();
        let note = |message: &String| Notice {
            place: name.clone(),
            message: message.clone(),
            skipped: false,
        };
        notices.extend(table.notes.iter().map(note));
        let (mut rows, mut listed) = (Vec::new(), BTreeSet::new());
        for row in &table.rows {
            let place = format!("{name}:{}", row.line);
            let number = row.text("file_name").ok().flatten().map(|number| value::name(&number));
            let mut notice = |message: String, skipped| {
                notices.push(Notice { place: place.clone(), message, skipped });
            };
            match number {
                // The published table ends with counts.
                None => notice("names no file; the row is left out".into(), false),
                Some(number) if !listed.insert(number.clone()) => {
                    notice(format!("repeats {number}; the first row counts"), false);
                }
                Some(number) => rows.push((number, place, row)),
            }
        }
        // In the order of the table, whatever the number of threads.
        let read: Vec<_> =
            rows.par_iter().map(|(_, place, row)| self.read(row, place, &listing)).collect();
        let (mut mammograms, mut images, mut missing) = (Vec::new(), BTreeMap::new(), Vec::new());
        for (read, (number, ..)) in read.into_iter().zip(&rows) {
            match read {
                Ok(Some(read)) => {
                    notices.extend(read.notices);
                    images.insert(read.mammogram.id.clone(), read.path);
                    mammograms.push(read.mammogram);
                }
                Ok(None) => missing.push(number.as_str()),
                Err(notice) => notices.push(notice),
            }
        }
        if !missing.is_empty() {
            let more = if missing.len() > NAMED { ", …" } else { "" };
            let named = missing[..NAMED.min(missing.len())].join(", ");
            let message =
                format!("{} listed images are not in the folder: {named}{more}", missing.len());
            notices.push(Notice { place: name.clone(), message, skipped: false });
        }
        for (number, (_, path)) in
            listing.images.iter().filter(|(number, _)| !listed.contains(*number))
        {
            let message = format!("{number} has no row in the table; the image is left out");
            notices.push(Notice { place: self.place(path), message, skipped: true });
        }
        if mammograms.is_empty() {
            bail!(
                "none of the {} images that {} lists can be used: {}",
                rows.len(),
                path.display(),
                notices
                    .iter()
                    .find(|notice| notice.skipped)
                    .or(notices.first())
                    .map_or("it has no row".into(), |n| format!("{}: {}", n.place, n.message))
            );
        }
        let lesions: Vec<&Lesion> =
            mammograms.iter().flat_map(|m: &Mammogram| &m.lesions).collect();
        let of = |pathology| lesions.iter().filter(|l| l.pathology == pathology).count();
        let patients: BTreeSet<&str> = mammograms.iter().map(|m| m.patient.as_str()).collect();
        let summary = vec![
            format!(
                "{} listed: {} present, {} missing, {} used, of {}",
                counted(rows.len(), "image", "images"),
                rows.len() - missing.len(),
                missing.len(),
                mammograms.len(),
                counted(patients.len(), "patient", "patients")
            ),
            format!(
                "{}: {} malignant, {} benign (by the image's BI-RADS assessment); {} without a place",
                counted(lesions.len(), "lesion", "lesions"),
                of(Pathology::Malignant),
                of(Pathology::Benign),
                lesions.iter().filter(|l| l.outlines.is_empty()).count()
            ),
        ];
        // A second catalogue of the same folder finds the same.
        let _ = self.images.set(images);
        Ok(Catalogue { mammograms, summary, notices })
    }

    fn image(&self, mammogram: &Mammogram) -> Result<Grey> {
        let path = self.file(mammogram)?;
        Picture::open(path).and_then(|picture| picture.image()).with_context(|| self.place(path))
    }

    fn values(&self, mammogram: &Mammogram) -> Result<Values> {
        let path = self.file(mammogram)?;
        Picture::open(path).and_then(|picture| picture.values()).with_context(|| self.place(path))
    }
}

impl Inbreast {
    fn file(&self, mammogram: &Mammogram) -> Result<&Path> {
        if self.images.get().is_none() {
            self.catalogue()?;
        }
        let Some(path) = self.images.get().and_then(|images| images.get(&mammogram.id)) else {
            bail!("{} has no image {}", self.root.display(), mammogram.id);
        };
        Ok(path)
    }
}

/// The outlines.
#[cfg(test)]
pub(super) fn fuzz_target() -> crate::fuzz::Target {
    crate::fuzz::Target {
        name: "inbreast",
        seeds: vec![
            b"<?xml version=\"1.0\"?><plist><dict><key>Images</key><array><dict><key>ROIs</key><array><dict><key>Name</key><string>Mass &amp; x</string><key>Point_px</key><array><string>(1.5, 2)</string><string>(3, 4)</string></array></dict></array></dict></array></dict></plist>".into(),
        ],
        words: &[
            "<dict>", "</dict>", "<array>", "</array>", "<key>", "</key>", "<string>", "</string>", "<string/>", "ROIs",
            "Name", "Point_px", "(1, 2)", "&#x110000;", "&amp;", "<![CDATA[", "]]>", "<!--", "-->", "<!DOCTYPE x [",
        ],
        read: |bytes| {
            let text = String::from_utf8_lossy(bytes);
            crate::fuzz::outcome(roi::read(&text), |rois| {
                let known = rois.iter().filter(|roi| roi.kind().is_some()).count();
                let points: usize = rois.iter().map(|roi| roi.points.len()).sum();
                format!("{} {} {}", rois.len().min(3) > 1, known > 0, points > 0)
            })
        },
    }
}

#[cfg(test)]
mod tests;
