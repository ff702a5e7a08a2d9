//! The Digital Database for Screening Mammography (Heath et al. 2001) in its original layout,
//! `<category>/<volume>/<case>/`, or any part of it: per case an `.ics` file, up to four scans
//! (`.LJPEG`, or what they were converted to) and an `.OVERLAY` for each view with an abnormality.
//! Members packed as `.gz` are read as well. A folder is a case when it holds an `.ics` file.
//!
//! The data set is often kept in part: a listed view without an image is counted and told once. A view
//! whose annotations cannot be read is left out with a notice: it may hold a cancer, and its patches
//! would be labelled as free of it. Pathology is that of each abnormality, not of its volume.

mod case;
mod chain;
mod density;
pub(super) mod keyword;
mod listing;
mod overlay;
mod scan;
mod tape;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail, ensure};
use rayon::prelude::*;

use self::case::{Case, Film};
use self::density::Digitiser;
use self::listing::{Folder, Member};
use self::overlay::{Abnormality, Overlay};
use self::scan::{Format, Header, Scan};
use self::tape::Thumbnail;
use crate::{Catalogue, Source};
use base::Notice;
use base::artifact::Fingerprint;
use formats::MAX_PIXELS;
use mammogram::{About, Assessment, Grey, Lesion, Mammogram, Outline, Pathology, Values};

/// Largest text file that is read.
const TEXT_LIMIT: u64 = 1 << 25;
/// Shapes of an image and of its listing differ by at most this share.
const SHAPE_TOLERANCE: f64 = 0.01;
/// Missing images that a notice names.
const NAMED: usize = 8;

/// The folder of a whole or partial copy.
#[derive(Debug)]
pub struct Ddsm {
    root: PathBuf,
    /// What to decode for each mammogram; listed when the first image is asked for.
    scans: OnceLock<BTreeMap<String, Located>>,
}

/// A scan with what is needed to decode it.
#[derive(Debug)]
struct Located {
    scan: Scan,
    film: Film,
    digitiser: Digitiser,
}

/// Something wrong at a line of a text file; line 0 is the file as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Flaw {
    line: usize,
    message: String,
}

impl Flaw {
    fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }

    fn notice(&self, file: &str, consequence: &str, skipped: bool) -> Notice {
        let place = if self.line == 0 { file.to_owned() } else { format!("{file}:{}", self.line) };
        Notice { place, message: format!("{}{consequence}", self.message), skipped }
    }
}

impl Ddsm {
    /// Of the given folder; nothing is read yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), scans: OnceLock::new() }
    }

    fn list(&self) -> Result<(Vec<Folder>, Vec<Notice>)> {
        let root = self.root.display();
        std::fs::read_dir(&self.root).with_context(|| {
            format!("cannot read the DDSM folder {root}; set source.path to where it lies")
        })?;
        let (folders, notices) = listing::list(&self.root);
        if folders.iter().all(|folder| folder.cases.is_empty()) {
            bail!(
                "{root} and the folders in it have no .ics file; set source.path to the folder that holds cases of DDSM, as in cancers/cancer_01/case0001/C-0001-1.ics"
            );
        }
        Ok((folders, notices))
    }

    /// The case that a file is a scan of, as the data set of its folder, with the view it shows.
    ///
    /// # Errors
    /// When it can only be read with its case and that is missing or wrong.
    pub(super) fn around(file: &Path) -> Result<Option<(Self, Mammogram)>> {
        let ending = |path: &Path| -> String {
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
            name.trim_end_matches(".gz").rsplit('.').next().unwrap_or_default().to_owned()
        };
        let Some(format) = Format::of(&ending(file)) else { return Ok(None) };
        let folder = file.parent().filter(|p| *p != Path::new("")).unwrap_or(Path::new("."));
        let beside = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        if !beside.map(|entry| entry.path()).any(|path| ending(&path) == "ics") {
            ensure!(
                format != Format::Ljpeg,
                "is a scan of DDSM, which is read with its case: put the case's .ics file beside it"
            );
            return Ok(None);
        }
        let ddsm = Self::new(folder);
        let scans = ddsm.scans.get_or_init(|| ddsm.locate());
        let name = file.file_name();
        let shown = scans.iter().find(|(_, located)| {
            let path = &located.scan.path;
            path.file_name() == name && path.parent() == Some(folder)
        });
        let Some(id) = shown.map(|(id, _)| id.clone()) else {
            ensure!(format != Format::Ljpeg, "is no view that the .ics file beside it lists");
            return Ok(None);
        };
        let Catalogue { mammograms, notices, .. } = ddsm.catalogue()?;
        let found = mammograms.into_iter().find(|mammogram| mammogram.id == id);
        let mammogram = found.with_context(|| {
            let said = notices.iter().find(|notice| notice.place.contains(&id));
            said.map_or("its case cannot be used".into(), |n| format!("{}: {}", n.place, n.message))
        })?;
        Ok(Some((ddsm, mammogram)))
    }

    /// The first scan of each name, as in the catalogue.
    fn locate(&self) -> BTreeMap<String, Located> {
        let mut located = BTreeMap::new();
        for folder in listing::list(&self.root).0 {
            for (stem, member) in &folder.cases {
                let Ok(case) = read_case(stem, member) else { continue };
                for &film in &case.films {
                    let Some(scan) = find(&folder, &case, &film) else { continue };
                    located.entry(case.image(&film)).or_insert_with(|| Located {
                        scan,
                        film,
                        digitiser: case.digitiser,
                    });
                }
            }
        }
        located
    }
}

impl Source for Ddsm {
    fn about(&self) -> About {
        About {
            kind: "ddsm".into(),
            name: "DDSM".into(),
            description: "Digitised film mammograms of the Digital Database for Screening \
                Mammography, two views of each breast, with the outlines, keywords and pathology of \
                each abnormality. Grey values become optical density by the calibration of each \
                scanner (DBA; HOWTEK at two sites; LUMISYS); density 0.05 is shown as white, 3.60 \
                and more as black, linearly between. Images that were converted to 8 bits \
                beforehand are used as they are. The lesion is what its boundary encloses, the \
                boundary included; cores drawn within it are no lesions of their own. Keywords are \
                given as terms of BI-RADS, 5th edition, beside the database's own words."
                .into(),
            citation: "M. Heath et al. (2001), The Digital Database for Screening Mammography, in: \
                Proceedings of the Fifth International Workshop on Digital Mammography, 212-218, \
                Medical Physics Publishing."
                .into(),
            licence: None,
            phantom: false,
        }
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        let (folders, _) = self.list()?;
        let prints: Result<Vec<_>> = folders
            .par_iter()
            .map(|folder| {
                let mut texts = Vec::new();
                for (_, member) in folder.cases.iter().chain(&folder.overlays) {
                    texts.push((&member.place, Fingerprint::of_file(&member.path)?));
                }
                let mut images = Vec::new();
                let scans = folder.scans.values().map(|scan| (&scan.path, &scan.place));
                let tapes = folder.tapes.values().map(|tape| (&tape.path, &tape.place));
                for (path, place) in scans.chain(tapes) {
                    let metadata = fs_err::metadata(path)?;
                    let time =
                        metadata.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
                    let time = time.map(|t| t.as_nanos().to_string());
                    images.push((place, metadata.len(), time));
                }
                Ok((texts, images))
            })
            .collect();
        Ok(Fingerprint::of(&("ddsm", prints?)))
    }

    fn files(&self) -> Result<BTreeSet<PathBuf>> {
        let (folders, _) = self.list()?;
        let of = |folder: &Folder| -> Vec<PathBuf> {
            let Folder { cases, overlays, tapes, scans, .. } = folder;
            let members = [cases, overlays, tapes].into_iter().flat_map(BTreeMap::values);
            let members = members.map(|member| member.path.clone());
            members.chain(scans.values().map(|scan| scan.path.clone())).collect()
        };
        Ok(folders.iter().flat_map(of).collect())
    }

    fn catalogue(&self) -> Result<Catalogue> {
        let (folders, mut notices) = self.list()?;
        // In the order of the folders, whatever the number of threads.
        let parts: Vec<Part> = folders.par_iter().map(Part::read).collect();
        let mut mammograms = Vec::new();
        let mut seen = BTreeSet::new();
        let mut counts = Counts::default();
        for part in parts {
            notices.extend(part.notices);
            counts.add(part.counts);
            for mammogram in part.mammograms {
                if seen.insert(mammogram.id.clone()) {
                    mammograms.push(mammogram);
                } else {
                    let message = "occurs in another folder too; the first one counts".into();
                    notices.push(Notice { place: mammogram.id, message, skipped: true });
                }
            }
        }
        if let [first, ..] = &counts.missing[..] {
            let mut names = counts.missing[..NAMED.min(counts.missing.len())].join(", ");
            if counts.missing.len() > NAMED {
                names.push_str(", …");
            }
            notices.push(Notice {
                place: first.clone(),
                message: format!(
                    "{} listed views have no image (.LJPEG, .png, .pgm, .tif or .jpg): {names}",
                    counts.missing.len()
                ),
                skipped: false,
            });
        }
        if mammograms.is_empty() {
            bail!(
                "none of the {} views that {} lists can be used: {}",
                counts.views,
                self.root.display(),
                notices
                    .first()
                    .map_or("no reason is known".into(), |n| format!("{}: {}", n.place, n.message))
            );
        }
        let summary = counts.summary(&mammograms);
        Ok(Catalogue { mammograms, summary, notices })
    }

    fn image(&self, mammogram: &Mammogram) -> Result<Grey> {
        let located = self.located(mammogram)?;
        located.scan.image(&located.film, located.digitiser)
    }

    fn values(&self, mammogram: &Mammogram) -> Result<Values> {
        let located = self.located(mammogram)?;
        located.scan.values(&located.film, located.digitiser)
    }
}

impl Ddsm {
    fn located(&self, mammogram: &Mammogram) -> Result<&Located> {
        let located = self.scans.get_or_init(|| self.locate()).get(&mammogram.id);
        located.with_context(|| format!("{} has no image {}", self.root.display(), mammogram.id))
    }
}

/// What was counted.
#[derive(Default)]
struct Counts {
    cases: usize,
    views: usize,
    /// Views without an image.
    missing: Vec<String>,
    ljpeg: usize,
    /// Converted images, of 16 and of 8 bits.
    converted: [usize; 2],
    /// Converted images of another size than listed.
    resized: usize,
    /// Views that there are only thumbnails of.
    thumbnails: usize,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.views += other.views;
        self.missing.extend(other.missing);
        self.ljpeg += other.ljpeg;
        self.converted[0] += other.converted[0];
        self.converted[1] += other.converted[1];
        self.resized += other.resized;
        self.thumbnails += other.thumbnails;
    }

    fn summary(&self, mammograms: &[Mammogram]) -> Vec<String> {
        let mut lines = vec![
            format!(
                "{} cases, {} views listed: {} present, {} missing, {} used",
                self.cases,
                self.views,
                self.views - self.missing.len(),
                self.missing.len(),
                mammograms.len()
            ),
            format!(
                "images: {} as LJPEG, {} converted with the scanner's grey values (16 bits), {} converted and used as they are (8 bits)",
                self.ljpeg, self.converted[0], self.converted[1]
            ),
        ];
        if self.resized > 0 {
            lines.push(format!(
                "{} converted images of another size than listed: outlines are scaled to them",
                self.resized
            ));
        }
        if self.thumbnails > 0 {
            lines.push(format!(
                "{} views read from thumbnails (.16_PGM), since they have no other image: a fifteenth of the size listed",
                self.thumbnails
            ));
        }
        let tally = |names: &mut dyn Iterator<Item = &str>| {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            names.for_each(|name| *counts.entry(name).or_default() += 1);
            let counts = counts.iter().map(|(name, count)| format!("{name} {count}"));
            counts.collect::<Vec<_>>().join(", ")
        };
        let scanners = mammograms.iter().filter_map(|m| m.facts.get("scanner"));
        lines.push(format!("images by scanner: {}", tally(&mut scanners.map(String::as_str))));
        let lesions: Vec<&Lesion> = mammograms.iter().flat_map(|m| &m.lesions).collect();
        let without = mammograms.iter().filter(|m| m.lesions.is_empty()).count();
        let of = |pathology| lesions.iter().filter(|l| l.pathology == pathology).count();
        lines.push(format!(
            "{without} images without a lesion, {} with {} lesions: {} malignant, {} benign, {} unproven",
            mammograms.len() - without,
            lesions.len(),
            of(Pathology::Malignant),
            of(Pathology::Benign),
            of(Pathology::Unproven)
        ));
        if !lesions.is_empty() {
            let kinds = tally(&mut lesions.iter().map(|&lesion| first_term(lesion)));
            lines.push(format!("lesions by their first term: {kinds}"));
        }
        lines
    }
}

fn first_term(lesion: &Lesion) -> &str {
    lesion.terms.first().map_or("none", String::as_str)
}

/// What one folder gives.
#[derive(Default)]
struct Part {
    mammograms: Vec<Mammogram>,
    notices: Vec<Notice>,
    counts: Counts,
}

/// The image of a view: its scan, or else its part of the case's thumbnails.
fn find(folder: &Folder, case: &Case, film: &Film) -> Option<Scan> {
    if let Some(scan) = folder.scans.get(&case.image(film)) {
        return Some(scan.clone());
    }
    let Member { path, place } = folder.tapes.get(&case.name)?.clone();
    Some(Scan { path, place, format: Format::Thumbnail(Thumbnail::of(case, film)?) })
}

fn read_text(member: &Member) -> Result<String, Flaw> {
    let bytes = scan::read(&member.path, TEXT_LIMIT)
        .map_err(|error| Flaw::new(0, format!("cannot be read: {error:#}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn read_case(stem: &str, member: &Member) -> Result<Case, Flaw> {
    Case::parse(&read_text(member)?, stem)
}

impl Part {
    fn read(folder: &Folder) -> Self {
        let mut part = Self::default();
        let mut claimed = BTreeSet::new();
        let mut whole = true;
        for (stem, member) in &folder.cases {
            part.counts.cases += 1;
            let case = match read_case(stem, member) {
                Ok(case) => case,
                Err(flaw) => {
                    part.notices.push(flaw.notice(&member.place, "; the case is left out", true));
                    whole = false;
                    continue;
                }
            };
            part.notices.extend(case.doubts.iter().map(|d| d.notice(&member.place, "", false)));
            for film in &case.films {
                let id = case.image(film);
                part.counts.views += 1;
                match find(folder, &case, film) {
                    Some(scan) => match part.mammogram(folder, member, &case, film, &scan) {
                        Ok(mammogram) => part.mammograms.push(mammogram),
                        Err(notice) => part.notices.push(notice),
                    },
                    None => part.counts.missing.push(id.clone()),
                }
                claimed.insert(id);
            }
        }
        if whole {
            part.strays(folder, &claimed);
        }
        part
    }

    /// Files that belong to no listed view.
    fn strays(&mut self, folder: &Folder, claimed: &BTreeSet<String>) {
        let mut notice = |place: &str, message: &str, skipped| {
            self.notices.push(Notice { place: place.into(), message: message.into(), skipped });
        };
        if folder.cases.is_empty() {
            let message = "has no .ics file, without which its images and overlays cannot be read; they are left out";
            notice(&folder.place, message, true);
            return;
        }
        for (_, member) in folder.overlays.iter().filter(|(id, _)| !claimed.contains(*id)) {
            notice(
                &member.place,
                "is a stray overlay, of no view that the .ics lists; it is left out",
                false,
            );
        }
        for (_, scan) in folder.scans.iter().filter(|(id, _)| !claimed.contains(*id)) {
            if scan.format == Format::Ljpeg {
                notice(
                    &scan.place,
                    "is no view that the .ics lists; it is left out, since nothing is known of it",
                    true,
                );
            }
        }
    }

    /// One view with its image, or why it is left out.
    fn mammogram(
        &mut self,
        folder: &Folder,
        member: &Member,
        case: &Case,
        film: &Film,
        scan: &Scan,
    ) -> Result<Mammogram, Notice> {
        let id = case.image(film);
        let refuse = |message: String| Notice { place: scan.place.clone(), message, skipped: true };
        let header =
            scan.header().map_err(|error| refuse(format!("{error:#}; the image is left out")))?;
        let Header { width, height, greys } = header;
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(refuse(format!(
                "has {width} x {height} pixels, more than any film; the image is left out"
            )));
        }
        let listed = [film.columns, film.lines];
        let [columns, lines] = listed.map(f64::from);
        let fits = match scan.format {
            // The same pixels in rows of another length.
            Format::Ljpeg => {
                u64::from(width) * u64::from(height)
                    == u64::from(film.columns) * u64::from(film.lines)
            }
            _ => {
                (f64::from(width) / columns * lines / f64::from(height) - 1.0).abs()
                    <= SHAPE_TOLERANCE
            }
        };
        if !fits {
            return Err(refuse(format!(
                "has {width} x {height} pixels where the .ics lists {} x {}; the image is left out, since outlines would be out of place",
                film.columns, film.lines
            )));
        }
        let [width, height] = match scan.format {
            Format::Ljpeg => {
                if [width, height] != listed {
                    let message = format!(
                        "gives its size as {width} x {height} pixels; the {} x {} of the .ics count",
                        film.columns, film.lines
                    );
                    self.notices.push(Notice { message, skipped: false, ..refuse(String::new()) });
                }
                self.counts.ljpeg += 1;
                listed
            }
            Format::Thumbnail(_) => {
                self.counts.thumbnails += 1;
                [width, height]
            }
            _ => {
                self.counts.converted[usize::from(!greys)] += 1;
                self.counts.resized += usize::from([width, height] != listed);
                [width, height]
            }
        };
        let scale = [f64::from(width) / columns, f64::from(height) / lines];
        let lesions = self.lesions(folder, member, &id, film, scale)?;
        let mut facts = BTreeMap::from([
            ("scanner".to_owned(), case.digitiser.name().to_owned()),
            ("resolution".to_owned(), format!("{} micron", film.micron)),
        ]);
        facts.extend(case.age.map(|age| ("age".to_owned(), age.to_string())));
        facts.extend(folder.volume.clone().map(|volume| ("volume".to_owned(), volume)));
        let density = case.density.map(|density| {
            let letter = ["a", "b", "c", "d"][usize::from(density.clamp(1, 4)) - 1];
            format!("composition-{letter}")
        });
        Ok(Mammogram {
            id,
            patient: case.patient().to_owned(),
            laterality: Some(film.laterality),
            view: Some(film.view),
            modifier: None,
            width,
            height,
            micron: Some(film.micron / scale[0]),
            density,
            facts,
            lesions,
            assigned: None,
            regions: Vec::new(),
        })
    }

    fn lesions(
        &mut self,
        folder: &Folder,
        member: &Member,
        id: &str,
        film: &Film,
        scale: [f64; 2],
    ) -> Result<Vec<Lesion>, Notice> {
        let Some(file) = folder.overlays.get(id) else {
            if film.overlay {
                return Err(Notice {
                    place: member.place.clone(),
                    message: format!(
                        "lists an overlay of {id}, which is missing; the image is left out, since it may hold a cancer"
                    ),
                    skipped: true,
                });
            }
            return Ok(Vec::new());
        };
        let overlay = read_text(file).and_then(|text| Overlay::parse(&text)).map_err(|flaw| {
            let consequence = format!("; the image {id} is left out, since it may hold a cancer");
            flaw.notice(&file.place, &consequence, true)
        })?;
        if !film.overlay {
            let message = "the .ics lists the view as NON_OVERLAY; the overlay counts".into();
            self.notices.push(Notice { place: file.place.clone(), message, skipped: false });
        }
        self.notices.extend(overlay.doubts.iter().map(|d| d.notice(&file.place, "", false)));
        let lesion = |abnormality| lesion(abnormality, film, scale, &file.place, &mut self.notices);
        Ok(overlay.abnormalities.iter().map(lesion).collect())
    }
}

/// A lesion in the pixels of the image, which has `scale` times the size listed.
fn lesion(
    abnormality: &Abnormality,
    film: &Film,
    scale: [f64; 2],
    place: &str,
    notices: &mut Vec<Notice>,
) -> Lesion {
    let mut tell = |message: String, skipped| {
        notices.push(Flaw::new(abnormality.line, message).notice(place, "", skipped));
    };
    let size = [film.columns, film.lines];
    let mut outlines = Vec::new();
    for chain in &abnormality.boundaries {
        if chain.misses(size) {
            tell("an outline lies outside the image; it is left out".into(), true);
            continue;
        }
        let outside = chain.outside(size);
        if outside > 0 {
            let message = format!(
                "an outline runs {outside} pixels out of the image; what lies outside does not count"
            );
            tell(message, false);
        }
        outlines.push(scaled(chain.outline(), scale));
    }
    let terms = keyword::terms(&abnormality.kinds, |word| {
        let word: String = word.chars().take(30).collect();
        tell(
            format!("the keyword {word:?} is not known; it is kept as it is, without a term"),
            false,
        );
    });
    Lesion {
        pathology: abnormality.pathology,
        terms,
        source_words: abnormality.kinds.join("; "),
        outlines,
        subtlety: abnormality.subtlety,
        assessment: abnormality.assessment.and_then(|grade| Assessment::of(&grade.to_string())),
    }
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

#[cfg(test)]
pub(super) mod fuzz;
#[cfg(test)]
mod tests;
