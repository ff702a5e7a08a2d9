//! The atlas: a static site made from the artifacts, the readers' labels, the content and a theme.
//!
//! [`build`] is a pure function of its inputs: the same inputs give the same bytes, whatever the
//! number of threads or the time of day. It reads no model. Pages are rendered in parallel and
//! written as they come; a page of which nothing has changed is not rendered again, a file whose bytes
//! have not changed is left alone; files of an earlier build that are no longer wanted are removed, and
//! nothing else is.
//!
//! Links are relative to explicit `index.html` files, so the site opens from a disk, a USB stick or
//! any folder of a web server.

mod chart;
mod check;
mod content;
mod drawn;
mod export;
mod figures;
mod heat;
mod images;
mod keys;
mod labels;
mod outline;
pub mod pack;
mod pages;
mod preview;
mod script;
mod shortcode;
mod site;
mod study;
mod study_tables;
mod survey;
mod text;
mod theme;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use rayon::prelude::*;

use self::images::Shown;
use self::keys::Keys;
use ::study::answer::ReaderFile;
use ::study::consensus::Consensus;
use ::study::selection::Selection;
use base::Notice;
use base::artifact::{Fingerprint, Stamp};
use config::Config;
use lexicon::Lexicons;
use record::explanation::Explanation;

pub use check::{Problem, check};
pub use figures::{Drawn, Kept, draw as draw_figures, keep as keep_figures};
pub use pages::{Sheet, handout};
pub use site::{FORMAT, Record};

/// One network of the atlas, read from its artifacts.
#[derive(Debug, Clone, Copy)]
pub struct Exhibit<'a> {
    /// Its settings.
    pub config: &'a config::Network,
    /// How well it tells cancer from no cancer.
    pub evaluation: &'a record::training::Evaluation,
    /// Its epochs; empty when it was not trained here.
    pub history: &'a [record::training::Epoch],
    /// Its dissected layers, in the order of their pages.
    pub layers: &'a [record::dissection::Layer],
}

/// Everything a site is made from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The project; its root holds `content/` and `themes/`.
    pub config: &'a Config,
    /// The prepared data set.
    pub manifest: &'a record::Manifest,
    /// Pixels of its patches.
    pub store: &'a record::Store,
    /// Folder of the mammograms' previews, `<id>.jpg`.
    pub previews: &'a Path,
    /// Networks in the order of their pages.
    pub exhibits: &'a [Exhibit<'a>],
    /// The activation maps of the units' top patches, where they are at hand.
    pub maps: &'a record::Maps,
    /// Which units are alike.
    pub similar: &'a record::similar::Similar,
    /// Why networks score mammograms as they do, of those networks of which it is known.
    pub explanations: &'a [Explanation],
    /// Terms of the labels and concepts.
    pub lexicons: &'a Lexicons,
    /// The readers' answers.
    pub readers: &'a [ReaderFile],
    /// What the authors settled on.
    pub consensus: &'a Consensus,
    /// What the methods page states of the run besides its settings, as (name, value): fingerprints
    /// and versions. Never a path.
    pub provenance: &'a [(String, String)],
    /// What the data set was made from: pictures are encoded again when it changes.
    pub dataset: &'a Fingerprint,
    /// What the caller made the inputs from; kept in the record for [`Record::is_fresh`]. Every page is
    /// rendered again when any of it changes, but for two entries: of `labels` a page depends on what
    /// it shows of `readers`, and `surroundings` stands for [`surroundings`].
    pub stamp: &'a Stamp,
}

/// What a build did.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// HTML pages of the site.
    pub pages: usize,
    /// Images of the site.
    pub images: usize,
    /// Bytes of the whole site.
    pub bytes: u64,
    /// Files that were new or had changed.
    pub written: usize,
    /// Files of an earlier build that were removed.
    pub removed: usize,
    /// Wall-clock seconds; for the terminal, never for a page.
    pub seconds: f64,
    /// Labels that name no unit of the atlas.
    pub notices: Vec<Notice>,
    /// The units that readers are asked about.
    pub selection: Selection,
}

/// Builds the site into the folder `site` and writes the list of its files to `record`, last.
///
/// # Errors
/// On a theme or content page that cannot be used (naming file, line and place), artifacts that
/// do not fit together, a missing preview, or a file that cannot be written.
pub fn build(inputs: &Inputs, site: &Path, record: &Path) -> Result<Report> {
    let started = Instant::now();
    validate(inputs)?;
    let config = inputs.config;
    let theme = theme::Theme::load(config)?;
    let articles = content::read(&config.root.join("content"))?;
    let keys = Keys::new(inputs, &theme::fingerprint(config)?, &articles);
    let shown = Shown::of(inputs);
    let survey = survey::Survey::new(inputs)?;
    let atlas = pages::Atlas::new(inputs, theme, articles, &shown, survey);
    atlas.check_prose()?;
    let jobs = pages::plan(&atlas);
    let pictures = atlas.figures();
    let for_papers = pages::figures::ready_made(&atlas);
    let exports = export::tables();
    let scripts = survey::scripts(&atlas)?;

    let mut planned: Vec<String> = jobs.iter().map(|job| job.path.clone()).collect();
    planned.extend(shown.paths(inputs));
    planned.extend(preview::paths(inputs));
    planned.extend(atlas.survey.paths());
    planned.extend(pictures.keys().cloned());
    let mut public = vec![(".nojekyll", Vec::new())];
    public.extend(pages::sitemap(&atlas, &jobs).map(|map| ("sitemap.xml", map)));
    planned.extend(public.iter().map(|(path, _)| (*path).to_string()));
    planned.extend(exports.iter().map(|export| export.path.clone()));
    planned.extend(for_papers.iter().flat_map(figures::paths));
    planned.extend(atlas.theme.assets().map(|(path, _)| path));
    let writer = site::Writer::begin(site, record, planned)?;

    shown.write(inputs, &keys, &writer)?;
    preview::write(inputs, &keys, &writer)?;
    atlas.survey.write_pictures(&writer)?;
    exports.par_iter().try_for_each(|export| {
        let key = match export.of_readers {
            true => keys.with_readers(&export.path),
            false => keys.apart_from_readers(&export.path),
        };
        writer.write_made_from(&export.path, key, || export.make(&atlas))
    })?;
    for_papers.par_iter().try_for_each(|wanted| -> Result<()> {
        let key = keys.with_readers(&(wanted, figure::VERSION));
        let paths = figures::paths(wanted);
        if writer.keep_made_from(&paths, &key) {
            return Ok(());
        }
        for (name, bytes) in figures::files(&atlas, wanted)?.files {
            let path = pages::figures::path(&name);
            writer.write_made_from(&path, key.clone(), || Ok(bytes))?;
        }
        Ok(())
    })?;
    for (path, file) in &pictures {
        writer.write(path, &fs_err::read(file)?)?;
    }
    for (path, bytes) in &scripts {
        writer.write(path, bytes)?;
    }
    for (path, bytes) in &public {
        writer.write(path, bytes)?;
    }
    for (path, bytes) in atlas.theme.assets() {
        writer.write(&path, bytes)?;
    }
    pages::render_all(&atlas, &jobs, &keys, &writer)?;

    let (record, written, removed) = writer.finish(inputs.stamp)?;
    let ending = |end: &str| record.files.keys().filter(|path| path.ends_with(end)).count();
    Ok(Report {
        pages: ending(".html"),
        images: ending(".jpg"),
        bytes: record.files.values().map(|file| file.bytes).sum(),
        written,
        removed,
        seconds: started.elapsed().as_secs_f64(),
        notices: atlas.labels.unplaced(),
        selection: atlas.survey.selection,
    })
}

/// Fingerprint of what a site takes from the project folder by itself: the theme and the content
/// pages. Belongs into the caller's [`Inputs::stamp`].
///
/// # Errors
/// When the theme is unknown or a file cannot be read.
pub fn surroundings(config: &Config) -> Result<Fingerprint> {
    let theme = theme::fingerprint(config)?;
    let content = content::fingerprint(&config.root.join("content"))?;
    Ok(Fingerprint::of(&(env!("CARGO_PKG_VERSION"), theme, content)))
}

/// Refuses artifacts that do not fit together, so that rendering may index freely.
fn validate(inputs: &Inputs) -> Result<()> {
    let manifest = inputs.manifest;
    let count = manifest.patches.len();
    ensure!(
        inputs.store.len() as usize == count,
        "the manifest lists {count} patches and patches.bin holds {}; run `prepare` again",
        inputs.store.len()
    );
    for patch in &manifest.patches {
        ensure!(
            (patch.mammogram as usize) < manifest.mammograms.len(),
            "the manifest names mammogram number {} of {}; run `prepare` again",
            patch.mammogram,
            manifest.mammograms.len()
        );
    }
    for member in &manifest.mammograms {
        safe_name("mammogram", &member.mammogram.id)?;
    }
    for explanation in inputs.explanations {
        let known = |id: &String| {
            explanation.mammograms.iter().any(|explained| {
                let member = manifest.mammograms.get(explained.mammogram as usize);
                member.is_some_and(|member| member.mammogram.id == *id)
            })
        };
        if let Some(id) = inputs.config.cases.list.iter().find(|id| !known(id)) {
            bail!(
                "`cases.list` in atlas.yaml names {id}, which is no mammogram of the {} split with \
                 patches; the data page lists them",
                explanation.split
            );
        }
        let fits = explanation.mammograms.iter().all(|explained| {
            (explained.mammogram as usize) < manifest.mammograms.len()
                && (explained.patch as usize) < count
        });
        ensure!(
            fits && safe_name("network", &explanation.network).is_ok(),
            "the explanation of {} does not fit the data set; run `dissect` again",
            explanation.network
        );
    }
    for exhibit in inputs.exhibits {
        safe_name("network", &exhibit.config.name)?;
        for layer in exhibit.layers {
            safe_name("layer", &layer.layer)?;
            let place = || format!("{}/{}", exhibit.config.name, layer.layer);
            ensure!(
                layer.network == exhibit.config.name,
                "{} holds units of {}; run `dissect` again",
                place(),
                layer.network
            );
            for (at, unit) in layer.units.iter().enumerate() {
                let fits = unit.unit as usize == at + 1
                    && unit.matches.len() == layer.concepts.len()
                    && unit.shown().all(|top| (top.patch as usize) < count);
                if !fits {
                    bail!(
                        "unit {} of {} does not fit the data set; run `dissect` again",
                        at + 1,
                        place()
                    );
                }
            }
        }
    }
    Ok(())
}

/// Names become folders and files: only plain ones may pass.
fn safe_name(what: &str, name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if name.is_empty() || !name.chars().all(plain) || name.chars().all(|c| c == '.') {
        bail!("{what} name {name:?} cannot be a file name: use letters, digits, `_`, `.` and `-`");
    }
    Ok(())
}

/// Reads a file below the project as text.
fn read_text(path: &Path) -> Result<String> {
    let bytes = fs_err::read(path)?;
    String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8 text", path.display()))
}
