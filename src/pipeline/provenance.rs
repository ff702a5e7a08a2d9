//! Where a result, a page or a figure comes from: the stages behind it, down to the files of the source.
//!
//! A stage's stamp names its inputs by fingerprints. Each leads to the stage whose results have it: in its place,
//! or on the shelf where the project has other settings now.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

use super::Pipeline;
use base::artifact::{Damaged, Fingerprint, Run, Sealed, Shelf, Stamp};
use dissection::similar;
use record::provenance::{self, Drawings, Input, Kind, Origin, SETTINGS, Stage};
use record::store::content;

/// Where something comes from.
#[derive(Debug, Serialize)]
pub struct Provenance {
    /// What was asked about.
    pub subject: Subject,
    /// The stages behind it: the one that made it first, the data set last.
    pub stages: Vec<Stage>,
    /// The files of the source, where the data set has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
}

/// A file, a page or a whole result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// Where it lies, from the project's folder.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Its digest; of a whole result, of its files.
    pub blake3: Fingerprint,
    /// Number of the stage whose results it shows above all, where another than the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shows: Option<usize>,
    /// What is to be known of it besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The files of the source as they are now.
#[derive(Debug, Serialize)]
pub struct Data {
    /// What kind of source it is.
    pub kind: &'static str,
    /// Whether they are what the data set was made from.
    pub state: DataState,
    /// Every file that it is read from.
    pub files: Vec<DataFile>,
}

/// How the source is compared with what it was when the data set was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DataState {
    /// Every file has the length and the time that it had, every table its digest.
    Same,
    /// Something differs.
    Changed,
    /// It cannot be read, for this reason.
    Unreadable(String),
}

/// A file of the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataFile {
    /// Where it lies, from the project's folder.
    pub path: String,
    /// Its length; absent where it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Digest of a table or another text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blake3: Option<Fingerprint>,
}

impl Pipeline<'_> {
    /// Where a file below the output folder, a copy of one, a page by its address, or a figure comes from.
    ///
    /// # Errors
    /// When it is nothing that this project has made, is unfinished, or is no longer what was written.
    pub fn provenance(&self, given: &str) -> Result<Provenance> {
        // Nothing is made again: who asks wants to know what is there.
        self.trace(given).map_err(|error| match error.downcast::<Damaged>() {
            Ok(damaged) => self.refusal(&damaged),
            Err(error) => error,
        })
    }

    fn trace(&self, given: &str) -> Result<Provenance> {
        // As a browser shows a page of a disk.
        let given = given.strip_prefix("file://").unwrap_or(given);
        let given = given.split('#').next().filter(|_| !Path::new(given).exists()).unwrap_or(given);
        ensure!(!given.trim().is_empty(), "nothing was asked for: give a file, a page or a figure");
        let path = Path::new(given);
        if given.contains("://") || !path.exists() {
            let page = self.page_of_address(given);
            return self.of_page(&page)?.with_context(|| {
                format!(
                    "{given} is no file, and the site has no page {page}; what is meant is a file below {}, a \
                     page, or a figure",
                    self.shown(&self.config.output)
                )
            });
        }
        let path = path.canonicalize().with_context(|| format!("cannot read {given}"))?;
        let below = |folder: PathBuf| -> Option<PathBuf> {
            path.strip_prefix(folder.canonicalize().ok()?).ok().map(Path::to_owned)
        };
        if let Some(name) = below(self.layout.site()) {
            let page = name_of(&if path.is_dir() { name.join("index.html") } else { name });
            return self.of_page(&page)?.with_context(|| {
                format!("{given} is no file that `unit-atlas build` has put into the site")
            });
        }
        if let Some(name) = below(self.layout.work()) {
            return self.of_work(&name, given);
        }
        ensure!(!path.is_dir(), "{given} is a folder that this project has not made");
        base::input::open(&path).with_context(|| format!("{given} cannot be read"))?;
        self.of_digest(&path, given)
    }

    /// The path in the site of a page's address: whole, from the site's root, with or without `index.html`.
    fn page_of_address(&self, address: &str) -> String {
        let plain = address.split(['?', '#']).next().unwrap_or_default();
        let base = self.config.base_url.as_deref().unwrap_or_default();
        let path = match plain.split_once("://") {
            Some((_, after)) => {
                let below = plain.strip_prefix(base).filter(|_| !base.is_empty());
                below.unwrap_or_else(|| after.split_once('/').map_or("", |(_, path)| path))
            }
            None => plain,
        };
        let path = path.trim_start_matches("./").trim_start_matches('/');
        let last = path.rsplit('/').next().unwrap_or_default();
        match path.trim_end_matches('/') {
            "" => "index.html".into(),
            folder if last.is_empty() || !last.contains('.') => format!("{folder}/index.html"),
            file => file.into(),
        }
    }

    /// Of a file of the site; `None` where there is no such file.
    fn of_page(&self, page: &str) -> Result<Option<Provenance>> {
        let record = self.layout.site_record();
        ensure!(record.is_file(), "there is no site yet; `unit-atlas build` makes it");
        let record = atlas::Record::read(&record)?;
        let Some(file) = record.files.get(page) else { return Ok(None) };
        let (Some(stamp), Some(digest)) = (&record.stamp, &file.content) else {
            bail!("the site is not finished; `unit-atlas build` finishes it");
        };
        let path = self.layout.site().join(page);
        if let Some(why) = file.damage(&path) {
            bail!("{} is not what was written: {why}", self.shown(&path));
        }
        let mut chain = Chain::new(self);
        let site = chain.add_site(stamp)?;
        let shown = Kind::of_page(page);
        let shows = chain.stages.iter().position(|stage| stage.kind == shown);
        let subject = Subject {
            path: self.shown(&path).to_string(),
            bytes: file.bytes,
            blake3: digest.clone(),
            shows: shows.filter(|at| *at != site),
            note: None,
        };
        Ok(Some(chain.end(subject)))
    }

    /// Of a file or folder below `work/`, by its path there.
    fn of_work(&self, name: &Path, given: &str) -> Result<Provenance> {
        let work = self.layout.work();
        let path = work.join(name);
        let unfinished = || {
            format!(
                "{given} belongs to no finished result; `unit-atlas run` finishes what was begun"
            )
        };
        // The folder of its stage, finished or not: one above may be a finished stage's of its own.
        let stage = path.ancestors().take_while(|folder| **folder != work);
        let stage = stage.into_iter().find_map(|folder| Some((folder, self.kind_of(folder)?)));
        let (folder, kind) =
            stage.filter(|(folder, _)| Sealed::is_there(folder)).with_context(unfinished)?;
        let sealed = Sealed::open(folder)?;
        let inner = name_of(path.strip_prefix(folder)?);
        let recorded = sealed.outputs().find(|(name, _)| *name == inner);
        let recorded = recorded.map(|(_, output)| (output.bytes, output.blake3.clone()));
        let (bytes, blake3, note) = match recorded {
            Some((bytes, blake3)) => {
                sealed.path(&inner)?;
                (bytes, blake3, None)
            }
            None if inner.is_empty() => (sealed.bytes(), sealed.whole_content(), None),
            None if path.is_dir() => {
                let own = sealed.outputs().filter(|(name, _)| Path::new(name).starts_with(&inner));
                let own: Vec<_> = own.collect();
                ensure!(!own.is_empty(), unfinished());
                let bytes = own.iter().map(|(_, output)| output.bytes).sum();
                (bytes, Fingerprint::of(&own), None)
            }
            None => {
                let bytes = fs_err::metadata(&path)?.len();
                let note = "lies beside the result, which does not depend on it";
                (bytes, Fingerprint::of_file(&path)?, Some(note.to_owned()))
            }
        };
        let path = self.shown(&path).to_string();
        let mut chain = Chain::new(self);
        chain.add(kind, sealed)?;
        Ok(chain.end(Subject { path, bytes, blake3, shows: None, note }))
    }

    /// Of a file anywhere that has the content of one that the project has made.
    fn of_digest(&self, path: &Path, given: &str) -> Result<Provenance> {
        let digest = Fingerprint::of_file(path)?;
        let mut subject = Subject {
            path: self.shown(path).to_string(),
            bytes: fs_err::metadata(path)?.len(),
            blake3: digest.clone(),
            shows: None,
            note: None,
        };
        let drawings = Drawings::read(&self.layout.drawn())?;
        if let Some(drawing) = drawings.find(&digest) {
            subject.note = Some(format!("was drawn as {}", drawing.name));
            let mut chain = Chain::new(self);
            chain.add_published(Kind::Figure, &drawing.stamp, Some(drawing.run.clone()))?;
            return Ok(chain.end(subject));
        }
        if self.layout.site_record().is_file() {
            let record = atlas::Record::read(&self.layout.site_record())?;
            let same = |file: &atlas::FileRecord| file.content.as_ref() == Some(&digest);
            if let Some((page, _)) = record.files.iter().find(|(_, file)| same(file)) {
                let found = self.of_page(page)?.context("the site has changed meanwhile")?;
                let note = Some(format!("is a copy of {}", found.subject.path));
                let subject = Subject { path: subject.path, note, ..found.subject };
                return Ok(Provenance { subject, ..found });
            }
        }
        for folder in self.finished()? {
            let Ok(sealed) = Sealed::open(&folder) else { continue };
            let copy = sealed.outputs().find(|(_, output)| output.blake3 == digest);
            if let (Some((name, _)), Some(kind)) = (copy, self.kind_of(&folder)) {
                let original = folder.join(name);
                subject.note = Some(format!("is a copy of {}", self.shown(&original)));
                let mut chain = Chain::new(self);
                chain.add(kind, sealed)?;
                return Ok(chain.end(subject));
            }
        }
        bail!(
            "{given} is nothing that this project has made, or was changed since; what is meant is a file below \
             {}, a page, or a figure",
            self.shown(&self.config.output)
        )
    }

    /// What a folder below `work/` holds, also where it is on the shelf.
    fn kind_of(&self, folder: &Path) -> Option<Kind> {
        let name = match folder.strip_prefix(self.layout.shelf()) {
            // The last part is the fingerprint.
            Ok(kept) => kept.parent()?.to_owned(),
            Err(_) => folder.strip_prefix(self.layout.work()).ok()?.to_owned(),
        };
        let name = name_of(&name);
        Kind::of_folder(&name.split('/').collect::<Vec<_>>())
    }

    /// The stages behind a site with this stamp.
    pub(super) fn stages_of_site(&self, stamp: &Stamp) -> Result<Vec<Stage>> {
        let mut chain = Chain::new(self);
        chain.add_published(Kind::Site, stamp, Some(Run::now("cpu")))?;
        Ok(chain.stages)
    }

    /// Notes what figures were drawn from, by their names and what is in them.
    pub(super) fn note_drawn(
        &self,
        figures: impl IntoIterator<Item = (String, Fingerprint)>,
        stamp: &Stamp,
    ) -> Result<()> {
        let path = self.layout.drawn();
        let mut drawings = Drawings::read(&path).or_else(|error| {
            self.progress.say(&format!("{error:#}; it begins anew"));
            anyhow::Ok(Drawings::default())
        })?;
        drawings.note(figures, stamp, &Run::now("cpu"));
        drawings.write(&path)
    }

    /// The files of the source, compared with what the data set was made from.
    fn data(&self, dataset: &Sealed) -> Option<Data> {
        let kind = self.config.source.name();
        let opened = source::open(self.config).and_then(|source| Ok((source.files()?, source)));
        let (files, source) = match opened {
            Ok((files, _)) if files.is_empty() => return None,
            Ok(opened) => opened,
            Err(error) => {
                let state = DataState::Unreadable(format!("{error:#}"));
                return Some(Data { kind, state, files: Vec::new() });
            }
        };
        let state = match source.fingerprint() {
            Ok(now) if dataset.stamp().inputs.get("source") == Some(&now) => DataState::Same,
            Ok(_) => DataState::Changed,
            Err(error) => DataState::Unreadable(format!("{error:#}")),
        };
        let file = |path: &PathBuf| DataFile {
            path: self.shown(path).to_string(),
            bytes: std::fs::metadata(path).ok().map(|found| found.len()),
            blake3: is_text(path).then(|| Fingerprint::of_file(path).ok()).flatten(),
        };
        Some(Data { kind, state, files: files.iter().map(file).collect() })
    }
}

/// Whether a file of a source is a table or another text, by its name: images are known by their lengths alone.
fn is_text(path: &Path) -> bool {
    const TEXTS: [&str; 11] =
        ["csv", "tsv", "txt", "json", "jsonl", "yaml", "yml", "xlsx", "xml", "ics", "overlay"];
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| TEXTS.contains(&ending.as_str()))
}

/// A path below a folder, with `/`.
fn name_of(path: &Path) -> String {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part.to_string_lossy()),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The stages behind something, found one after another.
struct Chain<'p> {
    pipeline: &'p Pipeline<'p>,
    stages: Vec<Stage>,
    /// The stages by the folders they lie in.
    known: BTreeMap<PathBuf, usize>,
    opened: BTreeMap<PathBuf, Sealed>,
}

impl<'p> Chain<'p> {
    fn new(pipeline: &'p Pipeline<'p>) -> Self {
        let (known, opened) = (BTreeMap::new(), BTreeMap::new());
        Self { pipeline, stages: Vec::new(), known, opened }
    }

    fn end(self, subject: Subject) -> Provenance {
        let dataset = self.opened.values().find(|sealed| {
            self.known.contains_key(sealed.folder())
                && self.pipeline.kind_of(sealed.folder()) == Some(Kind::Dataset)
        });
        let data = dataset.and_then(|dataset| self.pipeline.data(dataset));
        Provenance { subject, stages: self.stages, data }
    }

    /// Adds a stage with all behind it; returns its place.
    fn add(&mut self, kind: Kind, sealed: Sealed) -> Result<usize> {
        let folder = sealed.folder().to_owned();
        if let Some(at) = self.known.get(&folder) {
            return Ok(*at);
        }
        let run = sealed.run().unwrap_or_else(|damaged| {
            self.pipeline.progress.say(&format!("{damaged}; nothing is known of the run"));
            None
        });
        let at = self.begin(kind, run);
        self.known.insert(folder.clone(), at);
        let stamp = sealed.stamp().clone();
        self.stages[at].folder = self.pipeline.shown(&folder).to_string();
        self.stages[at].options = provenance::options(&sealed);
        self.stages[at].files = provenance::files(&sealed);
        self.opened.insert(folder, sealed);
        self.trace(at, &stamp)?;
        Ok(at)
    }

    /// Adds the built site with all behind it; returns its place.
    fn add_site(&mut self, stamp: &Stamp) -> Result<usize> {
        // What a build leaves is stamped alike in both places, and its run noted in one.
        let built = Sealed::open(&self.pipeline.layout.survey()).ok();
        let run = built.filter(|built| built.stamp() == stamp).and_then(|b| b.run().ok().flatten());
        self.add_published(Kind::Site, stamp, run)
    }

    /// Adds what is known by its stamp alone, with all behind it; returns its place.
    fn add_published(&mut self, kind: Kind, stamp: &Stamp, run: Option<Run>) -> Result<usize> {
        let at = self.begin(kind, run);
        self.trace(at, stamp)?;
        Ok(at)
    }

    fn begin(&mut self, kind: Kind, run: Option<Run>) -> usize {
        self.stages.push(Stage::new(kind, run));
        self.stages.len() - 1
    }

    /// Finds what a stage was made from.
    fn trace(&mut self, at: usize, stamp: &Stamp) -> Result<()> {
        let kind = self.stages[at].kind.clone();
        if let (Kind::Network(network), true) = (&kind, stamp.inputs.contains_key("recording")) {
            // There is no training.
            self.stages[at].command = format!("unit-atlas evaluate --network {network}");
        }
        let mut inputs = Vec::new();
        for (name, mark) in &stamp.inputs {
            let from = match self.origin(&kind, name, mark)? {
                Some(from) => from,
                None => continue,
            };
            inputs.push(Input { name: in_words(name), blake3: Some(mark.clone()), from });
        }
        if matches!(kind, Kind::Site | Kind::Figure) {
            let compared = self.compared(stamp);
            let mark = compared.fingerprint();
            let folder = self.pipeline.layout.dissection();
            let from = self.stage(Kind::Similar, &folder, |sealed| *sealed.stamp() == compared)?;
            inputs.push(Input { name: "comparison of all units".into(), blake3: Some(mark), from });
        }
        self.stages[at].inputs = inputs;
        self.stages[at].inputs_blake3 = Some(stamp.fingerprint());
        Ok(())
    }

    /// The stamp of the comparison that a site with this one shows.
    fn compared(&self, site: &Stamp) -> Stamp {
        let layers = site.inputs.iter().filter_map(|(name, mark)| {
            let (network, layer) = name.split_once('/')?;
            Some((network, layer, Path::new(""), mark.clone()))
        });
        similar::stamp(&layers.collect::<Vec<_>>())
    }

    /// Where an input of a stage comes from, by its name in the stamp; `None` for what says nothing besides.
    fn origin(&mut self, kind: &Kind, name: &str, mark: &Fingerprint) -> Result<Option<Origin>> {
        let layout = &self.pipeline.layout;
        let given = |words: &str| Ok(Some(Origin::Given(words.into())));
        let stamped = |sealed: &Sealed| sealed.stamp().fingerprint() == *mark;
        let stage = match (kind, name) {
            (_, "dataset") => {
                let folder = layout.dataset();
                // Versions have known a data set by what it holds, all of it, and what it was made from.
                self.stage(Kind::Dataset, &folder, |sealed| {
                    content(sealed) == *mark || sealed.whole_content() == *mark || stamped(sealed)
                })
            }
            (Kind::Dataset, "source") => return Ok(Some(Origin::Source)),
            (Kind::Dataset, _) | (_, "settings") => return Ok(Some(Origin::Options)),
            (Kind::Network(_), "weights") => return given("weights that it started from"),
            (Kind::Network(_), "recording") => {
                return given("the folder that `activations` in atlas.yaml names");
            }
            (Kind::Network(_), "outputs") => return given("`outputs` in atlas.yaml"),
            (Kind::Layer(network, _), "training") => {
                let folder = layout.network(network);
                self.stage(Kind::Network(network.clone()), &folder, stamped)
            }
            // The training is named already.
            (Kind::Layer(..), "weights") => return Ok(None),
            (Kind::Names(..), "embeddings") => {
                self.stage(Kind::Embeddings, &layout.embeddings(), stamped)
            }
            (Kind::Embeddings, "namer") => return given("`namer` in atlas.yaml"),
            (Kind::Visualisation(network, layer) | Kind::Names(network, layer), "dissection") => {
                let folder = layout.layer(network, layer);
                self.stage(Kind::Layer(network.clone(), layer.clone()), &folder, stamped)
            }
            (Kind::Explanation(network), "dissection") => {
                let network = network.clone();
                let layers = self.layers_of(&network);
                for layer in layers {
                    let folder = self.pipeline.layout.layer(&network, &layer);
                    let kind = Kind::Layer(network.clone(), layer);
                    let from = self.stage(kind, &folder, stamped)?;
                    if matches!(from, Origin::Stage(_)) {
                        return Ok(Some(from));
                    }
                }
                return Ok(Some(Origin::Lost(format!("a dissection of {network}"))));
            }
            (_, "config" | "detector") => return given(SETTINGS),
            (_, "figures") => return given("`figures` in atlas.yaml"),
            (_, "lexicons") => return given("those of the program and of content/"),
            (_, "labels") => return given("readers' answers in content/labels"),
            (_, "consensus") => return given("content/consensus.yaml"),
            (_, "surroundings") => return given("theme and pages of content/"),
            // A format, and what follows from the stages themselves.
            (_, "similar" | "provenance") => return Ok(None),
            (_, super::rates::ENTRY) => return given("`train --find-rate`"),
            (_, name) if visualised(name).is_some() => {
                let (network, layer) = visualised(name).unwrap_or_default();
                let folder = layout.visualisation(network, layer);
                let kind = Kind::Visualisation(network.into(), layer.into());
                self.stage(kind, &folder, stamped)
            }
            (_, name) if named(name).is_some() => {
                let (network, layer) = named(name).unwrap_or_default();
                let folder = layout.naming(network, layer);
                self.stage(Kind::Names(network.into(), layer.into()), &folder, stamped)
            }
            (_, name) => match (name.split_once('/'), name.strip_suffix(" explanation")) {
                (Some((network, layer)), _) => {
                    let folder = layout.layer(network, layer);
                    self.stage(Kind::Layer(network.into(), layer.into()), &folder, stamped)
                }
                (None, Some(network)) => {
                    let folder = layout.explanation(network);
                    self.stage(Kind::Explanation(network.into()), &folder, stamped)
                }
                (None, None) => {
                    let folder = layout.network(name);
                    self.stage(Kind::Network(name.into()), &folder, stamped)
                }
            },
        };
        stage.map(Some)
    }

    /// Layers of a network of which there is anything, now or on the shelf.
    fn layers_of(&self, network: &str) -> Vec<String> {
        let layout = &self.pipeline.layout;
        let own = layout.dissection().join(network);
        let lists = [own.clone(), layout.shelf().join("dissection").join(network)];
        let mut layers: Vec<String> = lists
            .iter()
            .filter_map(|folder| std::fs::read_dir(folder).ok())
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
            .collect();
        layers.sort();
        layers.dedup();
        layers
    }

    /// Adds what lies in a folder, if that is what is meant.
    fn found(
        &mut self,
        kind: &Kind,
        folder: &Path,
        meant: &impl Fn(&Sealed) -> bool,
    ) -> Result<Option<Origin>> {
        if !self.opened.contains_key(folder) {
            // Without a stamp there is no result.
            let Ok(sealed) = Sealed::open(folder) else { return Ok(None) };
            self.opened.insert(folder.to_owned(), sealed);
        }
        let Some(sealed) = self.opened.get(folder).filter(|sealed| meant(sealed)) else {
            return Ok(None);
        };
        let at = match self.known.get(folder) {
            Some(at) => *at,
            None => {
                let sealed = sealed.clone();
                self.add(kind.clone(), sealed)?
            }
        };
        Ok(Some(Origin::Stage(at)))
    }

    /// The stage of a kind whose results are those meant: in their folder, or put away from it.
    fn stage(
        &mut self,
        kind: Kind,
        folder: &Path,
        meant: impl Fn(&Sealed) -> bool,
    ) -> Result<Origin> {
        if let Some(found) = self.found(&kind, folder, &meant)? {
            return Ok(found);
        }
        for kept in Shelf::new(&self.pipeline.layout).list_of(folder)? {
            if let Some(found) = self.found(&kind, &kept.path, &meant)? {
                return Ok(found);
            }
        }
        Ok(Origin::Lost(kind.title()))
    }
}

/// What the synthetic images of a layer are called in the stamp of a site.
pub(super) fn visualisation(network: &str, layer: &str) -> String {
    // Without the slash of a layer's dissection.
    format!("{network} {layer} visualisation")
}

/// Network and layer of a [`visualisation`].
fn visualised(name: &str) -> Option<(&str, &str)> {
    name.strip_suffix(" visualisation")?.split_once(' ')
}

/// What a machine's names of a layer are called in the stamp of a site.
pub(super) fn naming((network, layer): (&str, &str)) -> String {
    format!("{network} {layer} names")
}

/// Network and layer of a [`naming`].
fn named(name: &str) -> Option<(&str, &str)> {
    name.strip_suffix(" names")?.split_once(' ')
}

/// What an input is called in a stamp, as people say it.
fn in_words(name: &str) -> String {
    match name {
        "dataset" => "data set".into(),
        "config" => "settings".into(),
        "detector" => "detector's threshold".into(),
        "labels" => "answers".into(),
        "surroundings" => "theme and content".into(),
        name => name.into(),
    }
}
