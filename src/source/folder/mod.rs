//! Any data set by one table: a row per image, or per lesion where an image has several. Images are
//! DICOM, PNG, TIFF, PGM or JPEG. A second table may name further regions, such as tissues.
//!
//! Tables and DICOM files may hold what identifies patients. The patient becomes a pseudonym; an image
//! becomes one too, unless the table gives it a public `id`. Notices name a row by its line, and
//! repeat no value of it (but a slip in a term) and no file's name. An image with a row that cannot be
//! understood is left out, since it may hold a cancer.

mod row;

pub(crate) use row::{ADVICE, COLUMNS};

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail, ensure};
use rayon::prelude::*;

use self::row::{AboutImage, Area, Row, RowLesion};
use crate::contradiction::{self, Tags};
use crate::recipe::{Made, Recipe};
use crate::{Catalogue, Source, remarks};
use base::artifact::Fingerprint;
use base::text::Encoding;
use base::{Notice, counted};
use config::Unwanted;
use formats::masks::{Labels, covers_most, outlines, rings, same_shape};
use formats::picture::Picture;
use formats::pseudonym::Pseudonyms;
use formats::table::{self, Row as Record};
use formats::value;
use lexicon::Lexicons;
use mammogram::{About, Grey, Lesion, Mammogram, Mask, Outline, Pathology, Region, Values};

/// A table and what it names.
#[derive(Debug)]
pub struct Folder {
    /// The table; of a recipe's data set its folder.
    table: PathBuf,
    /// What makes the table of others.
    recipe: Option<Recipe>,
    /// The file whose lines stand in notices.
    lines_of: OnceLock<PathBuf>,
    regions: Option<PathBuf>,
    encoding: Option<Encoding>,
    pseudonyms: Pseudonyms,
    /// Kinds of images that are not used.
    leave_out: Vec<Unwanted>,
    /// By which terms are known.
    lexicons: Lexicons,
    /// What the tables hold, read when it is asked for first: of some data sets that takes a look into every image.
    tables: OnceLock<Tables>,
    /// The file of each mammogram, and the line of its first row; listed when the first one is asked for.
    images: OnceLock<BTreeMap<String, (PathBuf, u64)>>,
}

/// All that the tables say of one image.
#[derive(Debug)]
struct Entry {
    /// As the table writes it, relative to the table's folder.
    image: String,
    /// Line of its first row.
    line: u64,
    about: AboutImage,
    /// Each with its line.
    lesions: Vec<(u64, RowLesion)>,
    regions: Vec<(u64, String, Area)>,
    /// What is wrong with one of its rows, and where.
    flaw: Option<(u64, String)>,
}

/// What the tables hold.
#[derive(Debug)]
struct Tables {
    /// Their files.
    files: Vec<PathBuf>,
    rows: usize,
    region_rows: usize,
    /// In the order of the table.
    entries: Vec<Entry>,
    notices: Vec<Notice>,
}

impl Folder {
    /// By its table, a table of regions, the encoding of both, and the project's seed and lexicons; nothing is
    /// read yet.
    pub fn new(
        table: impl Into<PathBuf>,
        regions: Option<PathBuf>,
        encoding: Option<Encoding>,
        seed: u64,
        lexicons: Lexicons,
    ) -> Self {
        let pseudonyms = Pseudonyms::new(seed);
        let leave_out = vec![Unwanted::ForProcessing];
        Self {
            table: table.into(),
            recipe: None,
            lines_of: OnceLock::new(),
            regions,
            encoding,
            pseudonyms,
            leave_out,
            lexicons,
            tables: OnceLock::new(),
            images: OnceLock::new(),
        }
    }

    /// Of a data set in a folder, whose tables a recipe makes one of.
    pub(crate) fn by_recipe(
        recipe: Recipe,
        path: impl Into<PathBuf>,
        encoding: Option<Encoding>,
        seed: u64,
        lexicons: Lexicons,
    ) -> Self {
        Self { recipe: Some(recipe), ..Self::new(path, None, encoding, seed, lexicons) }
    }

    /// How many images are listed, how many of them are there, and the first notice; without a look into images.
    pub(crate) fn listed(&self) -> Result<(usize, usize, Option<String>)> {
        let Tables { entries, notices, .. } = self.tables()?;
        if entries.is_empty() {
            let first = notices.first().map(|n| format!(": {}: {}", n.place, n.message));
            bail!("no image is listed{}", first.unwrap_or_default());
        }
        let there =
            entries.iter().filter(|e| self.resolve(self.base(), &e.image).is_file()).count();
        let flaws = entries.iter().filter_map(|entry| entry.flaw.as_ref());
        let flaws = flaws.map(|(line, message)| format!("{}: {message}", self.row_place(*line)));
        let notices = notices.iter().map(|notice| format!("{}: {}", notice.place, notice.message));
        Ok((entries.len(), there, flaws.chain(notices).next()))
    }

    /// The folder that names of images start from.
    fn base(&self) -> &Path {
        match self.recipe {
            Some(_) => &self.table,
            None => folder_of(&self.table),
        }
    }

    /// Leaves these kinds of images out, where DICOM says so, and no others.
    #[must_use]
    pub fn without(self, leave_out: Vec<Unwanted>) -> Self {
        Self { leave_out, ..self }
    }

    /// The path of a file in a folder that a table names, without `.` and `..`: two names of one file are one.
    fn resolve(&self, folder: &Path, file: &str) -> PathBuf {
        // Tables may come from a system with other separators.
        let file = if cfg!(windows) { file.to_owned() } else { file.replace('\\', "/") };
        let mut resolved = PathBuf::new();
        for part in folder.join(file).components() {
            match part {
                Component::ParentDir => drop(resolved.pop()),
                Component::CurDir => {}
                part => resolved.push(part),
            }
        }
        resolved
    }

    /// The files that the tables name, whether they are there or not.
    fn named(&self, tables: &Tables) -> BTreeSet<PathBuf> {
        let mut files = BTreeSet::new();
        for entry in &tables.entries {
            files.insert(self.resolve(self.base(), &entry.image));
            for (_, lesion) in &entry.lesions {
                if let Some(Area::Mask { file, .. }) = &lesion.area {
                    files.insert(self.resolve(self.base(), file));
                }
            }
            for (.., area) in &entry.regions {
                if let (Some(table), Area::Mask { file, .. }) = (&self.regions, area) {
                    files.insert(self.resolve(folder_of(table), file));
                }
            }
        }
        files
    }

    fn row_place(&self, line: u64) -> String {
        let table = name_of(self.lines_of.get().unwrap_or(&self.table));
        // A file that no row belongs to has no line.
        if line == 0 { table } else { format!("{table}:{line}") }
    }

    fn region_place(&self, line: u64) -> String {
        format!("{}:{line}", self.regions.as_deref().map(name_of).unwrap_or_default())
    }

    /// Patients whose identifiers differ as those of one person do that were typed twice.
    fn near_alike(&self, entries: &[Entry]) -> Vec<Notice> {
        let mut known: BTreeMap<String, (&str, u64)> = BTreeMap::new();
        let mut told = BTreeSet::new();
        let mut notices = Vec::new();
        for entry in entries {
            let Some(patient) = entry.about.patient.as_deref() else { continue };
            let (first, line) = *known.entry(value::gist(patient)).or_insert((patient, entry.line));
            let differ = self.pseudonyms.patient(first) != self.pseudonyms.patient(patient);
            if differ && told.insert(patient) {
                notices.push(Notice {
                    place: self.row_place(entry.line),
                    message: format!(
                        "its `patient` differs from that of line {line} only in capitals, signs or zeros in front; if they are one person, write both alike, or one may be trained on while the other is tested on"
                    ),
                    skipped: false,
                });
            }
        }
        notices
    }

    fn tables(&self) -> Result<&Tables> {
        if let Some(known) = self.tables.get() {
            return Ok(known);
        }
        let read = self.read()?;
        Ok(self.tables.get_or_init(|| read))
    }

    fn read(&self) -> Result<Tables> {
        let (images, mut files, further) = self.rows()?;
        let mut notices = notes(self.lines_of.get().unwrap_or(&self.table), &images);
        notices.extend(further);
        let rows = images.rows.len();
        let mut repeats = Repeats::default();
        let mut entries: Vec<Entry> = Vec::new();
        let mut known: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for record in images.rows {
            let mut skip = |message: String| {
                let place = self.row_place(record.line);
                notices.push(Notice { place, message, skipped: true });
            };
            let image = match row::image(&record) {
                Ok(image) => image,
                Err(message) => {
                    // What made it so, where that is known.
                    let message = record.sound().err().unwrap_or(message);
                    skip(format!("{message}; the row is left out"));
                    continue;
                }
            };
            if let Some(first) = repeats.of(&record) {
                // Several rows of a data set may come to the same; of a table that someone wrote they are a slip.
                if self.recipe.is_some() {
                    continue;
                }
                skip(format!("repeats line {first} in every column; the row is left out"));
                continue;
            }
            let path = self.resolve(self.base(), &image);
            let index = *known.entry(path).or_insert_with(|| {
                entries.push(Entry {
                    image,
                    line: record.line,
                    about: AboutImage::default(),
                    lesions: Vec::new(),
                    regions: Vec::new(),
                    flaw: None,
                });
                entries.len() - 1
            });
            entries[index].add(&record, &self.lexicons);
        }
        notices.extend(self.near_alike(&entries));
        let mut region_rows = 0;
        files.extend(self.regions.clone());
        if let Some(path) = &self.regions {
            let regions = table::read(path, &row::regions(self.encoding))
                .context("the table of regions cannot be read; set source.regions to it")?;
            notices.extend(notes(path, &regions));
            region_rows = regions.rows.len();
            let mut repeats = Repeats::default();
            for record in regions.rows {
                if let Some(first) = repeats.of(&record) {
                    let message =
                        format!("repeats line {first} in every column; the row is left out");
                    let place = self.region_place(record.line);
                    notices.push(Notice { place, message, skipped: true });
                    continue;
                }
                let image = row::image(&record).map(|image| self.resolve(folder_of(path), &image));
                let found = image.and_then(|image| {
                    let known = known.get(&image).copied();
                    known.ok_or_else(|| "names an image that the table of images does not".into())
                });
                match found.and_then(|index| Ok((index, row::region(&record, &self.lexicons)?))) {
                    Ok((index, (term, area))) => {
                        entries[index].regions.push((record.line, term, area));
                    }
                    Err(message) => notices.push(Notice {
                        place: self.region_place(record.line),
                        message: format!("{message}; the region is left out"),
                        skipped: true,
                    }),
                }
            }
        }
        Ok(Tables { files, rows, region_rows, entries, notices })
    }

    /// The rows of images and lesions, the files that they were read from, and what of these could not be used.
    fn rows(&self) -> Result<(table::Table, Vec<PathBuf>, Vec<Notice>)> {
        if let Some(recipe) = &self.recipe {
            let Made { table, lines_of, files, notices } =
                recipe.rows(&self.table, self.encoding)?;
            // A second look finds the same.
            let _ = self.lines_of.set(lines_of);
            return Ok((table, files, notices));
        }
        ensure!(
            self.table.exists(),
            "the table of the images, {}, is not there; set source.path to it",
            self.table.display()
        );
        let images = table::read(&self.table, &row::images(self.encoding))
            .context("the table of the images cannot be used")?;
        Ok((images, vec![self.table.clone()], Vec::new()))
    }

    /// The mammogram of an entry with its file, or why it is left out. Notices of single regions are
    /// added.
    fn mammogram(
        &self,
        entry: &Entry,
        notices: &mut Vec<Notice>,
    ) -> Result<(Mammogram, PathBuf, Tags), Notice> {
        let left_out = |line: u64, message: String| Notice {
            place: self.row_place(line),
            message: format!("{message}; the image is left out"),
            skipped: true,
        };
        let refuse = |message: String| left_out(entry.line, message);
        if let Some((line, message)) = &entry.flaw {
            return Err(left_out(*line, message.clone()));
        }
        let path = self.resolve(self.base(), &entry.image);
        let picture = Picture::open(&path).map_err(|error| refuse(format!("{error:#}")))?;
        let [width, height] = picture.size();
        let stated = [entry.about.width.unwrap_or(width), entry.about.height.unwrap_or(height)];
        if stated != [width, height] {
            return Err(refuse(format!(
                "has {width} x {height} pixels, and the table states {} x {}: what is drawn in it would lie elsewhere; \
                 use the image that the table is of",
                stated[0], stated[1]
            )));
        }
        let dicom = picture.dicom();
        if let Some((kind, message)) = dicom.and_then(|d| remarks::unwanted(d, &self.leave_out)) {
            // What was asked for is no input that ought to have been usable.
            let skipped = kind == Unwanted::ForProcessing;
            return Err(Notice { skipped, ..refuse(message.to_owned()) });
        }
        notices.extend(remarks::notices(&picture, &self.row_place(entry.line)));
        let about = &entry.about;
        let patient = match &about.patient {
            Some(patient) => Some(self.pseudonyms.patient(patient)),
            None => dicom.and_then(|dicom| dicom.patient(self.pseudonyms)),
        };
        let patient = patient.ok_or_else(|| {
            refuse("has no `patient`, without which it cannot be kept apart from the test".into())
        })?;
        let id = match &about.id {
            Some(id) => id.clone(),
            None => self.pseudonyms.mammogram(&entry.image.replace('\\', "/")),
        };
        // What a mask marks of this image.
        let marked = |file: PathBuf, value| mask(&file, value, &picture);
        let mut lesions = Vec::new();
        for (line, lesion) in &entry.lesions {
            let outlines = match &lesion.area {
                None => Vec::new(),
                Some(Area::Polygons(polygons)) => Area::outlines(polygons),
                Some(Area::Boxes(boxes)) => boxes.iter().copied().map(Outline::Box).collect(),
                Some(Area::Mask { file, value }) => {
                    let found = marked(self.resolve(self.base(), file), *value);
                    let mask = found.map_err(|message| left_out(*line, message))?;
                    match covers_most(&mask, &picture) {
                        Ok(None) => {}
                        Ok(Some(share)) => return Err(left_out(*line, too_much(share))),
                        Err(error) => return Err(refuse(format!("{error:#}"))),
                    }
                    outlines(&mask, [width, height])
                }
            };
            if !outlines.is_empty() && outlines.iter().all(|o| o.misses([width, height])) {
                return Err(left_out(*line, "the lesion lies outside the image".into()));
            }
            lesions.push(Lesion {
                pathology: lesion.pathology,
                terms: lesion.terms.clone(),
                source_words: lesion.words.clone(),
                outlines,
                subtlety: lesion.subtlety,
                assessment: lesion.assessment,
            });
        }
        let mut regions = Vec::new();
        for (line, term, area) in &entry.regions {
            let rings = match area {
                Area::Polygons(polygons) => Ok(polygons.clone()),
                Area::Boxes(boxes) => Ok(boxes
                    .iter()
                    .map(|&[l, t, r, b]| vec![[l, t], [r, t], [r, b], [l, b]])
                    .collect()),
                Area::Mask { file, value } => {
                    let file =
                        self.regions.as_deref().map(|table| self.resolve(folder_of(table), file));
                    let found = file.ok_or_else(String::new);
                    found
                        .and_then(|file| marked(file, *value))
                        .map(|mask| rings(&mask, [width, height]))
                }
            };
            match rings {
                Ok(rings) => regions.push(Region { term: term.clone(), rings }),
                Err(message) => notices.push(Notice {
                    place: self.region_place(*line),
                    message: format!("{message}; the region is left out"),
                    skipped: true,
                }),
            }
        }
        let mammogram = Mammogram {
            id,
            patient,
            laterality: about.laterality.or_else(|| dicom.and_then(|d| d.laterality())),
            view: about.view.or_else(|| dicom.and_then(|d| d.view())),
            modifier: about.modifier.or_else(|| dicom.and_then(|d| d.modifier())),
            width,
            height,
            micron: about.micron.or_else(|| dicom.and_then(|d| d.micron())),
            density: about.density.clone(),
            facts: dicom.map(remarks::facts).unwrap_or_default(),
            lesions,
            assigned: about.split,
            regions,
        };
        let tags = Tags::new(
            self.row_place(entry.line),
            dicom.and_then(|dicom| dicom.patient(self.pseudonyms)),
            about.patient.as_deref().map(|patient| self.pseudonyms.patient(patient)),
        );
        notices.extend(tags.differ(dicom, about.laterality, about.view));
        Ok((mammogram, path, tags))
    }
}

/// Rows that say in every column what an earlier one says: a lesion in two such rows is one, not two.
#[derive(Default)]
struct Repeats(BTreeMap<Fingerprint, u64>);

impl Repeats {
    /// The line of the earlier row.
    fn of(&mut self, record: &Record) -> Option<u64> {
        let values: Vec<_> = record.values().collect();
        match self.0.entry(Fingerprint::of(&values)) {
            Slot::Occupied(first) => Some(*first.get()),
            Slot::Vacant(slot) => {
                slot.insert(record.line);
                None
            }
        }
    }
}

impl Entry {
    fn add(&mut self, record: &Record, lexicons: &Lexicons) {
        let added = Row::parse(record, lexicons).and_then(|row| {
            self.about.merge(row.about)?;
            self.lesions.extend(row.lesion.map(|lesion| (record.line, lesion)));
            Ok(())
        });
        if let Err(message) = added {
            self.flaw.get_or_insert((record.line, message));
        }
    }
}

impl Source for Folder {
    fn about(&self) -> About {
        if let Some(recipe) = &self.recipe {
            return recipe.about();
        }
        About {
            kind: "folder".into(),
            name: "Own mammograms".into(),
            description: "Mammograms listed in a table of the project. Images of 8 bits are used as they \
                are; DICOM images are shown by their own tables and windows; in other images of more \
                bits the least value is black and the greatest white. Patients and images are \
                named by pseudonyms, unless the table gives public names."
                .into(),
            citation: String::new(),
            licence: None,
            phantom: false,
        }
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        let tables = self.tables()?;
        let files = self.named(tables);
        // A missing file is told when it is read.
        let states = files.iter().map(|file| {
            let metadata = std::fs::metadata(file).ok()?;
            let time = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            Some((metadata.len(), time.as_nanos().to_string()))
        });
        let states: Vec<_> = states.collect();
        let table = match &self.recipe {
            None => Fingerprint::of_file(&self.table)?,
            Some(recipe) => {
                let read: Result<Vec<_>> =
                    tables.files.iter().map(|file| Fingerprint::of_file(file)).collect();
                Fingerprint::of(&(recipe.text(), read?))
            }
        };
        let regions = self.regions.as_deref().map(Fingerprint::of_file).transpose()?;
        let leave_out = format!("{:?}", self.leave_out);
        let seed = self.pseudonyms.mammogram("");
        // What the lexicons make of the tables' words.
        let lesions = |entry: &Entry| -> Vec<Vec<String>> {
            entry.lesions.iter().map(|(_, lesion)| lesion.terms.clone()).collect()
        };
        let terms = |entry: &Entry| -> Vec<String> {
            entry.regions.iter().map(|(_, term, _)| term.clone()).collect()
        };
        let said: Vec<_> = tables
            .entries
            .iter()
            .map(|entry| (lesions(entry), terms(entry), entry.flaw.is_some()))
            .collect();
        let inputs = Fingerprint::of(&("folder", table, regions, (states, seed, leave_out), said));
        Ok(Fingerprint::of(&(inputs, self.encoding)))
    }

    fn files(&self) -> Result<BTreeSet<PathBuf>> {
        let tables = self.tables()?;
        Ok(self.named(tables).into_iter().chain(tables.files.iter().cloned()).collect())
    }

    fn catalogue(&self) -> Result<Catalogue> {
        let Tables { rows, region_rows, entries, notices, .. } = self.tables()?;
        let mut notices = notices.clone();
        // In the order of the table, whatever the number of threads.
        let read: Vec<_> = entries
            .par_iter()
            .map(|entry| {
                let mut notices = Vec::new();
                let mammogram = self.mammogram(entry, &mut notices);
                (mammogram, notices)
            })
            .collect();
        let (mut mammograms, mut images) = (Vec::new(), BTreeMap::new());
        let (mut names, mut tags) = (BTreeSet::new(), Vec::new());
        for (read, entry) in read.into_iter().zip(entries) {
            notices.extend(read.1);
            match read.0 {
                // Some file systems do not tell capitals from small letters.
                Ok((mammogram, path, own)) if names.insert(mammogram.id.to_ascii_lowercase()) => {
                    images.insert(mammogram.id.clone(), (path, entry.line));
                    mammograms.push(mammogram);
                    tags.push(own);
                }
                Ok(_) => notices.push(Notice {
                    place: self.row_place(entry.line),
                    message: "has the `id` of an earlier image; the image is left out".into(),
                    skipped: true,
                }),
                Err(notice) => notices.push(notice),
            }
        }
        notices.extend(contradiction::patients(&tags));
        if mammograms.is_empty() {
            let first = notices.first();
            bail!(
                "{} names {}, and none can be used: {}",
                self.table.display(),
                counted(entries.len(), "image", "images"),
                first.map_or("it has no row".into(), |n| format!("{}: {}", n.place, n.message))
            );
        }
        let lesions: Vec<&Lesion> = mammograms.iter().flat_map(|m| &m.lesions).collect();
        let of = |pathology| lesions.iter().filter(|l| l.pathology == pathology).count();
        let patients: BTreeSet<&str> = mammograms.iter().map(|m| m.patient.as_str()).collect();
        let mut summary = vec![
            format!(
                "{}, {} listed, {} of them used, of {}",
                counted(*rows, "row", "rows"),
                counted(entries.len(), "image", "images"),
                mammograms.len(),
                counted(patients.len(), "patient", "patients")
            ),
            format!(
                "{}: {} malignant, {} benign, {} unproven; {} without a place",
                counted(lesions.len(), "lesion", "lesions"),
                of(Pathology::Malignant),
                of(Pathology::Benign),
                of(Pathology::Unproven),
                lesions.iter().filter(|l| l.outlines.is_empty()).count()
            ),
        ];
        if self.regions.is_some() {
            let mut terms: BTreeMap<&str, usize> = BTreeMap::new();
            for region in mammograms.iter().flat_map(|m| &m.regions) {
                *terms.entry(&region.term).or_default() += 1;
            }
            let terms: Vec<String> = terms.iter().map(|(term, n)| format!("{term} {n}")).collect();
            let rows = counted(*region_rows, "row", "rows");
            summary.push(format!("{rows} of regions: {}", terms.join(", ")));
        }
        // A second catalogue of the same table finds the same.
        let _ = self.images.set(images);
        Ok(Catalogue { mammograms, summary, notices: remarks::joined(notices) })
    }

    fn image(&self, mammogram: &Mammogram) -> Result<Grey> {
        Picture::open(self.file(mammogram)?)?.image()
    }

    fn values(&self, mammogram: &Mammogram) -> Result<Values> {
        Picture::open(self.file(mammogram)?)?.values()
    }

    /// The line of its row, by which whoever has the table knows it, and its name on the pages.
    fn place(&self, mammogram: &Mammogram) -> String {
        let id = &mammogram.id;
        match self.images.get().and_then(|images| images.get(id)) {
            Some((_, line)) => format!("{} ({id})", self.row_place(*line)),
            None => id.clone(),
        }
    }
}

impl Folder {
    fn file(&self, mammogram: &Mammogram) -> Result<&Path> {
        if self.images.get().is_none() {
            self.catalogue()?;
        }
        let Some((path, _)) = self.images.get().and_then(|images| images.get(&mammogram.id)) else {
            bail!("{} names no image {}", name_of(&self.table), mammogram.id);
        };
        Ok(path)
    }
}

/// The folder that a file lies in.
fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

/// The name of a file without its folders.
pub(crate) fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What is to be known of a table besides its rows.
fn notes(path: &Path, table: &table::Table) -> Vec<Notice> {
    let notice = |message: &String| Notice {
        place: name_of(path),
        message: message.clone(),
        skipped: false,
    };
    table.notes.iter().map(notice).collect()
}

/// The pixels of a mask of an image: those of a value, or the bright ones of two.
fn mask(path: &Path, value: Option<u16>, image: &Picture) -> Result<Mask, String> {
    let wrong = |error: anyhow::Error| format!("its mask {error:#}");
    let labels = Labels::open(path).map_err(wrong)?;
    let (own, size) = (labels.size(), image.size());
    if !same_shape(own, size) {
        return Err(format!(
            "its mask has {} x {} pixels and another shape than the image, {} x {}",
            own[0], own[1], size[0], size[1]
        ));
    }
    labels.marked(value).map_err(wrong)
}

/// A mask that no lesion can be.
fn too_much(share: f64) -> String {
    format!(
        "its mask covers {:.0}% of the breast, more than a lesion does; it may be inverted or show something else (what is meant can be given as a `polygon`)",
        100.0 * share
    )
}

/// Tables of every form, told apart by the first byte.
#[cfg(test)]
pub(super) fn fuzz_target() -> crate::fuzz::Target {
    static LEXICONS: std::sync::LazyLock<Lexicons> =
        std::sync::LazyLock::new(crate::lexicons::built_in);
    crate::fuzz::Target {
        name: "folder",
        seeds: vec![
            b"cimage,patient,view,pathology,terms,mask,value,polygon\na.png,P,CC,benign,mass,m.png,4,\nb.png,,,,,,,\"1,2 3,4 5,6\"\n".into(),
            b"j{\"image\": \"a\", \"polygon\": [[1, 2], [3, 4], [5, 6]], \"terms\": [\"mass\"]}\n".into(),
            b"y- {image: a, density: 3, split: val, micron: 70}\n- image: b\n  polygon: 1,2 3,4 5,6; 1,1 2,2 3,1\n".into(),
        ],
        words: &[
            "image", "patient", "polygon", "mask", "value", "split", ",", ";", "\"", "\n", "- ", ": ",
            "{", "}", "[", "]", "1e999", "malignant", "_x", "&a ", "*a",
        ],
        read: |bytes| {
            let (form, text) = bytes.split_first().map_or((b'c', bytes), |(form, text)| (*form, text));
            let name = match form {
                b'j' => "t.jsonl",
                b'y' => "t.yaml",
                _ => "t.csv",
            };
            let regions = table::parse(text.to_vec(), Path::new(name), &row::regions(None));
            let regions = crate::fuzz::outcome(regions, |table| {
                let rows = table.rows.iter();
                let region = |r| crate::fuzz::outcome(row::region(r, &LEXICONS), |_| "region".into());
                let rows = rows.map(region);
                rows.collect::<BTreeSet<String>>().into_iter().collect()
            });
            let read = table::parse(text.to_vec(), Path::new(name), &row::images(None));
            regions + &crate::fuzz::outcome(read, |table| {
                let rows = table.rows.iter();
                let row = |r| crate::fuzz::outcome(Row::parse(r, &LEXICONS), |_| "row".into());
                let rows = rows.map(row);
                format!("{:?}", rows.collect::<BTreeSet<String>>())
            })
        },
    }
}

#[cfg(test)]
mod tests;
