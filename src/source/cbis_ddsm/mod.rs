//! CBIS-DDSM (Lee et al. 2017): the curated subset of DDSM, as its archive gives it in DICOM or as it
//! was converted to PNG, JPEG or TIFF.
//!
//! The four description tables have a row per abnormality and view; all rows of a view, of the mass and
//! of the calcification tables alike, belong to one mammogram. Which of an abnormality's two files is its
//! mask follows from what they show, since the tables' columns are swapped for some. The official
//! split into training and test is kept. A view whose row cannot be understood is left out, since
//! it may hold a cancer; a lesion whose mask is missing is kept without a place.

mod listing;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail};
use rayon::prelude::*;

use self::listing::{Listing, Member};
use self::table::{Row, Seen, Table};
use super::ddsm::keyword;
use crate::contradiction::Tags;
use crate::{Catalogue, Source, remarks};
use base::artifact::Fingerprint;
use base::{Notice, Split, counted};
use formats::masks::{Labels, covers_most, outlines, same_shape};
use formats::picture::Picture;
use mammogram::{About, Grey, Lesion, Mammogram, Outline, Pathology, Values};

/// Missing images that a notice names.
const NAMED: usize = 8;

/// The folder of a whole or partial copy.
#[derive(Debug)]
pub struct CbisDdsm {
    root: PathBuf,
    /// The image of each mammogram; listed when the first one is asked for.
    images: OnceLock<BTreeMap<String, PathBuf>>,
}

/// Everything the tables say.
struct Tables {
    /// Tables, and how many of their rows can be used.
    counts: Vec<(Table, usize)>,
    /// Rows by what they show, in the order of the tables.
    views: BTreeMap<Seen, Vec<Row>>,
    notices: Vec<Notice>,
}

impl CbisDdsm {
    /// Of the given folder; nothing is read yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), images: OnceLock::new() }
    }

    fn tables(&self) -> Result<Tables> {
        let root = self.root.display();
        std::fs::read_dir(&self.root).with_context(|| {
            format!("cannot read the CBIS-DDSM folder {root}; set source.path to where it lies")
        })?;
        let found = table::find(&self.root);
        if found.is_empty() {
            bail!(
                "{root} and the folders in it have none of the description tables, such as mass_case_description_train_set.csv; put them beside the images"
            );
        }
        let mut tables = Tables { counts: Vec::new(), views: BTreeMap::new(), notices: Vec::new() };
        for (table, path) in found {
            let (rows, notices) = table::read(table, &path)?;
            tables.notices.extend(notices);
            tables.counts.push((table, rows.len()));
            for row in rows {
                tables.views.entry(row.seen.clone()).or_default().push(row);
            }
        }
        Ok(tables)
    }
}

impl Source for CbisDdsm {
    fn about(&self) -> About {
        About {
            kind: "cbis_ddsm".into(),
            name: "CBIS-DDSM".into(),
            description:
                "Digitised film mammograms of the Curated Breast Imaging Subset of DDSM, with \
                the mask, keywords and pathology of each mass and calcification. The films were \
                scaled to 16 bits by its authors; images that were converted to 8 bits are used as \
                they are. Masses and calcifications of one view are shown together. The official \
                split into training and test is kept; patients for validation are taken from the \
                training set. Keywords are given as terms of BI-RADS, 5th \
                edition, beside the data set's own words."
                    .into(),
            citation: "R. S. Lee et al. (2017), A curated mammography data set for use in \
                computer-aided detection and diagnosis research, Scientific Data 4, 170177."
                .into(),
            licence: Some("https://creativecommons.org/licenses/by/3.0/".into()),
            phantom: false,
        }
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        self.tables()?;
        let mut tables = Vec::new();
        for (table, path) in table::find(&self.root) {
            tables.push((table.to_string(), Fingerprint::of_file(&path)?));
        }
        let mut images = Vec::new();
        for member in Listing::of(&self.root).members {
            let metadata = fs_err::metadata(&member.path)?;
            let time = metadata.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
            images.push((member.place, metadata.len(), time.map(|t| t.as_nanos().to_string())));
        }
        Ok(Fingerprint::of(&("cbis_ddsm", tables, images)))
    }

    fn files(&self) -> Result<BTreeSet<PathBuf>> {
        self.tables()?;
        let tables = table::find(&self.root).into_iter().map(|(_, path)| path);
        let images = Listing::of(&self.root).members.into_iter().map(|member| member.path);
        Ok(tables.chain(images).collect())
    }

    fn catalogue(&self) -> Result<Catalogue> {
        let Tables { counts, views, mut notices } = self.tables()?;
        let listing = Listing::of(&self.root);
        notices.extend(listing.notices.iter().cloned());
        // In the order of the views, whatever the number of threads.
        let views: Vec<_> = views.iter().collect();
        let read: Vec<View> =
            views.par_iter().map(|(seen, rows)| View::read(seen, rows, &listing)).collect();
        let mut mammograms = Vec::new();
        let (mut missing, mut images) = (Vec::new(), BTreeMap::new());
        for ((seen, _), view) in views.iter().zip(read) {
            notices.extend(view.notices);
            match view.found {
                Found::Used(mammogram, path) => {
                    images.insert(mammogram.id.clone(), path);
                    mammograms.push(*mammogram);
                }
                Found::Missing => missing.push(seen.id()),
                Found::LeftOut => {}
            }
        }
        if let [first, ..] = &missing[..] {
            let mut names = missing[..NAMED.min(missing.len())].join(", ");
            if missing.len() > NAMED {
                names.push_str(", …");
            }
            let message = format!("{} listed views have no image: {names}", missing.len());
            notices.push(Notice { place: first.clone(), message, skipped: false });
        }
        if mammograms.is_empty() {
            bail!(
                "none of the {} views that the tables in {} list can be used: {}",
                views.len(),
                self.root.display(),
                notices
                    .first()
                    .map_or("no reason is known".into(), |n| format!("{}: {}", n.place, n.message))
            );
        }
        let summary = summary(&counts, views.len(), missing.len(), &mammograms);
        // A second catalogue of the same folder finds the same.
        let _ = self.images.set(images);
        Ok(Catalogue { mammograms, summary, notices: remarks::joined(notices) })
    }

    fn image(&self, mammogram: &Mammogram) -> Result<Grey> {
        let path = self.file(mammogram)?;
        Picture::open(path).and_then(|picture| picture.image()).with_context(|| self.below(path))
    }

    fn values(&self, mammogram: &Mammogram) -> Result<Values> {
        let path = self.file(mammogram)?;
        Picture::open(path).and_then(|picture| picture.values()).with_context(|| self.below(path))
    }
}

impl CbisDdsm {
    fn file(&self, mammogram: &Mammogram) -> Result<&Path> {
        if self.images.get().is_none() {
            self.catalogue()?;
        }
        let Some(path) = self.images.get().and_then(|images| images.get(&mammogram.id)) else {
            bail!("{} has no image {}", self.root.display(), mammogram.id);
        };
        Ok(path)
    }

    /// A path within the data set.
    fn below(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

/// What the rows and files of one view give.
struct View {
    found: Found,
    notices: Vec<Notice>,
}

enum Found {
    Used(Box<Mammogram>, PathBuf),
    /// There is no image.
    Missing,
    /// There is a notice why.
    LeftOut,
}

impl View {
    fn read(seen: &Seen, rows: &[Row], listing: &Listing) -> Self {
        let mut notices = Vec::new();
        let found = Self::find(seen, rows, listing, &mut notices);
        Self { found, notices }
    }

    fn find(seen: &Seen, rows: &[Row], listing: &Listing, notices: &mut Vec<Notice>) -> Found {
        let files: Vec<&Member> = rows.iter().flat_map(|row| listing.files(&row.image)).collect();
        let Some(first) = files.first() else { return Found::Missing };
        if let Some(row) = rows.iter().find(|row| row.pathology.is_none()) {
            let message = format!(
                "the pathology or the abnormality's number is none that is known; the image {} is left out, since it may hold a cancer",
                seen.id()
            );
            notices.push(notice(row, message, true));
            return Found::LeftOut;
        }
        // The largest; the first of equals.
        let mut picture: Option<(Picture, &Member)> = None;
        let mut flaw = None;
        for member in files.iter().copied() {
            let area = |p: &Picture| p.size().map(u64::from).iter().product::<u64>();
            match Picture::open(&member.path) {
                Ok(other) if picture.as_ref().is_none_or(|(p, _)| area(p) < area(&other)) => {
                    picture = Some((other, member));
                }
                Ok(_) => {}
                Err(error) => flaw = flaw.or(Some((member, error))),
            }
        }
        let Some((picture, member)) = picture else {
            let (place, error) = flaw
                .map_or((first.place.clone(), "no reason".into()), |(m, e)| {
                    (m.place.clone(), format!("{e:#}"))
                });
            let message = format!("{error}; the image is left out");
            notices.push(Notice { place, message, skipped: true });
            return Found::LeftOut;
        };
        let size = picture.size();
        notices.extend(remarks::notices(&picture, &member.place));
        let lesions =
            rows.iter().map(|row| lesion(row, member, &picture, listing, notices)).collect();
        let place =
            rows.first().map(|row| format!("{}:{}", row.table, row.line)).unwrap_or_default();
        let tags = Tags::new(place, None, None);
        notices.extend(tags.differ(picture.dicom(), Some(seen.laterality), Some(seen.view)));
        let density = rows.iter().find_map(|row| row.density);
        let official = rows.iter().map(|row| row.table.split).max().unwrap_or(Split::Train);
        let name = if official == Split::Test { "test" } else { "training" };
        let mammogram = Mammogram {
            id: seen.id(),
            patient: seen.patient.clone(),
            laterality: Some(seen.laterality),
            view: Some(seen.view),
            modifier: None,
            width: size[0],
            height: size[1],
            micron: picture.dicom().and_then(|dicom| dicom.micron()),
            density: density.map(str::to_owned),
            facts: BTreeMap::from([("official split".to_owned(), name.to_owned())]),
            lesions,
            assigned: Some(official),
            regions: Vec::new(),
        };
        Found::Used(Box::new(mammogram), member.path.clone())
    }
}

fn notice(row: &Row, message: String, skipped: bool) -> Notice {
    Notice { place: format!("{}:{}", row.table, row.line), message, skipped }
}

/// The lesion of a row in the pixels of its image, `image`.
fn lesion(
    row: &Row,
    image: &Member,
    picture: &Picture,
    listing: &Listing,
    notices: &mut Vec<Notice>,
) -> Lesion {
    let outlines = mask(row, image, picture, listing).unwrap_or_else(|reason| {
        let message = format!(
            "abnormality {} of {}: {reason}; the lesion is kept without a place",
            row.number,
            row.seen.id()
        );
        notices.push(notice(row, message, true));
        Vec::new()
    });
    let lines = [row.words.clone()];
    let mut unknown = Vec::new();
    let terms =
        keyword::terms(&lines, |word| unknown.push(word.chars().take(30).collect::<String>()));
    for word in unknown {
        let message =
            format!("the keyword {word:?} is not known; it is kept as it is, without a term");
        notices.push(notice(row, message, false));
    }
    Lesion {
        pathology: row.pathology.unwrap_or(Pathology::Unproven),
        terms,
        source_words: row.words.clone(),
        outlines,
        subtlety: row.subtlety,
        assessment: row.assessment,
    }
}

/// The outlines of a row's mask: the first of its files that has the image's shape and two values.
/// The reason why there are none otherwise.
fn mask(
    row: &Row,
    image: &Member,
    picture: &Picture,
    listing: &Listing,
) -> Result<Vec<Outline>, String> {
    let size = picture.size();
    let [a, b] = &row.parts;
    let mut seen = BTreeSet::new();
    let files = listing.files(a).into_iter().chain(listing.files(b));
    let files: Vec<&Member> =
        files.filter(|file| file.path != image.path && seen.insert(&file.path)).collect();
    if files.is_empty() {
        return Err("its mask is missing".into());
    }
    let mut reasons = Vec::new();
    for file in files {
        // Its header tells whether all of it need be read.
        let labels = match Picture::open(&file.path) {
            Ok(own) if !same_shape(own.size(), size) => continue,
            Ok(_) => Labels::open(&file.path),
            Err(error) => Err(error),
        };
        match labels {
            Ok(labels) if labels.is_mask() => {
                let marked = labels.marked(None);
                let covers = marked.and_then(|mask| Ok((covers_most(&mask, picture)?, mask)));
                return match covers {
                    Ok((None, mask)) => Ok(outlines(&mask, size)),
                    Ok((Some(share), _)) => Err(format!(
                        "{} covers {:.0}% of the breast, more than a lesion does",
                        file.place,
                        100.0 * share
                    )),
                    Err(error) => Err(format!("{}: {error:#}", file.place)),
                };
            }
            Ok(labels) => match labels.marked(None) {
                // Of one value: it is no picture either.
                Err(error) if !labels.is_picture() => {
                    reasons.push(format!("{}: {error:#}", file.place))
                }
                _ => {}
            },
            Err(error) => reasons.push(format!("{}: {error:#}", file.place)),
        }
    }
    Err(reasons.into_iter().next().unwrap_or_else(|| {
        format!("none of its files is a mask of the image's shape, {} x {}", size[0], size[1])
    }))
}

fn summary(
    counts: &[(Table, usize)],
    views: usize,
    missing: usize,
    mammograms: &[Mammogram],
) -> Vec<String> {
    let mut lines: Vec<String> =
        counts.iter().map(|(table, rows)| format!("{table}: {rows} rows")).collect();
    lines.push(format!(
        "{views} views listed: {} present, {missing} missing, {} used",
        views - missing,
        mammograms.len()
    ));
    let lesions: Vec<&Lesion> = mammograms.iter().flat_map(|m| &m.lesions).collect();
    let of = |pathology| lesions.iter().filter(|l| l.pathology == pathology).count();
    let placeless = lesions.iter().filter(|l| l.outlines.is_empty()).count();
    lines.push(format!(
        "{} lesions: {} malignant, {} benign; {placeless} without a place",
        lesions.len(),
        of(Pathology::Malignant),
        of(Pathology::Benign)
    ));
    for split in [Split::Train, Split::Test] {
        let own = || mammograms.iter().filter(|m| m.assigned == Some(split));
        let patients: BTreeSet<&str> = own().map(|m| m.patient.as_str()).collect();
        let name = if split == Split::Test { "test" } else { "training" };
        lines.push(format!(
            "official {name}: {} of {}",
            counted(own().count(), "mammogram", "mammograms"),
            counted(patients.len(), "patient", "patients")
        ));
    }
    lines
}

/// The description tables.
#[cfg(test)]
pub(super) fn fuzz_target() -> crate::fuzz::Target {
    crate::fuzz::Target {
        name: "cbis",
        seeds: vec![
            b"patient_id,breast_density,left or right breast,image view,abnormality id,abnormality type,mass shape,mass margins,assessment,pathology,subtlety,image file path,cropped image file path,ROI mask file path\r\nP_90001,2,LEFT,CC,1,mass,OVAL-ROUND,NA,3,MALIGNANT,2,a/1.2/1.3/0.dcm,a_1/1.2/1.3/0.dcm,\"a_1/1.2/1.3/1.dcm\n\"\r\nP_90001,2,RIGHT,MLO,1,mass,,,4,BENIGN,2,a,b,c\n".into(),
        ],
        words: &["P_90001", "LEFT", "MLO", ",", "\"", "\r\n", "\n", "-", "/", "MALIGNANT", "NA", "é"],
        read: |bytes| {
            let table = Table { kind: table::Kind::Mass, split: Split::Train };
            crate::fuzz::outcome(table::parse(table, bytes), |(rows, notices)| {
                let mut unknown = 0;
                for row in &rows {
                    keyword::terms(std::slice::from_ref(&row.words), |_| unknown += 1);
                }
                let notices = notices.iter().map(|notice| notice.message.as_str());
                format!("{} rows, {unknown} {}", rows.len(), notices.collect::<String>())
            })
        },
    }
}

#[cfg(test)]
mod tests;
