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
mod depth;
mod drawn;
mod export;
mod facts;
mod figures;
mod heat;
mod images;
mod inputs;
mod keys;
mod labels;
mod outline;
pub mod pack;
mod pages;
mod practice;
mod preview;
mod prose;
mod reading;
mod script;
mod shortcode;
mod site;
mod study;
mod survey;
mod synthetic;
mod text;
mod theme;
mod tiles;

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use rayon::prelude::*;

use self::images::Shown;
use self::keys::Keys;
use ::study::selection::Selection;
use base::Notice;
use base::artifact::Fingerprint;
use config::Config;

pub use check::{Problem, check};
pub use figures::{Drawn, Kept, draw as draw_figures, keep as keep_figures};
pub use inputs::{Exhibit, Inputs, Originals};
pub use pages::{Sheet, handout};
pub use site::{FORMAT, FileRecord, Record};

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
    /// Why readers are given fewer mammograms to score than the project asks for; none where they are not.
    pub fewer_cases: Option<String>,
}

/// Builds the site into the folder `site` and writes the list of its files to `record`, last.
///
/// # Errors
/// On a theme or content page that cannot be used (naming file, line and place), artifacts that
/// do not fit together, a missing preview, or a file that cannot be written.
pub fn build(inputs: &Inputs, site: &Path, record: &Path) -> Result<Report> {
    let started = Instant::now();
    inputs::validate(inputs)?;
    let config = inputs.config;
    let theme = theme::Theme::load(config)?;
    let articles = content::read(&config.root.join("content"))?;
    let own = facts::reporting::Own::read(&config.root.join("content"))?;
    let keys = Keys::new(inputs, &theme::fingerprint(config)?, &articles, &own);
    let shown = Shown::of(inputs);
    let catalogue = inputs.catalogue();
    let survey = survey::Survey::new(inputs, &catalogue)?;
    let reading = reading::Reading::new(inputs)?;
    let atlas = facts::Atlas::new(inputs, theme, articles, &shown, catalogue, survey, reading);
    let pages = pages::Pages::new(&atlas)?;
    let pictures = atlas.figures();
    let for_papers: Vec<_> =
        figures::ready_made(&atlas).into_iter().map(|ready| ready.wanted).collect();
    let tables: Vec<&export::Table> = export::all().collect();
    let mut scripts = survey::scripts(&atlas.survey)?;
    scripts.extend(reading::scripts(&atlas)?);

    let mut planned = pages.paths();
    planned.extend(shown.paths(inputs));
    planned.extend(tiles::paths(inputs, &shown));
    planned.extend(preview::paths(inputs));
    planned.extend(synthetic::paths(inputs));
    planned.extend(atlas.survey.paths());
    planned.extend(atlas.reading.paths());
    planned.extend(pictures.keys().cloned());
    let mut public = vec![(".nojekyll", Vec::new())];
    public.extend(pages.map().map(|map| ("sitemap.xml", map)));
    planned.extend(public.iter().map(|(path, _)| (*path).to_string()));
    planned.extend(tables.iter().map(|table| table.path()));
    planned.extend(for_papers.iter().flat_map(figures::paths));
    planned.extend(atlas.theme.assets().map(|(path, _)| path));
    let writer = site::Writer::begin(site, record, planned)?;

    shown.write(inputs, &keys, &writer)?;
    tiles::write(inputs, &shown, &keys, &writer)?;
    preview::write(inputs, &keys, &writer)?;
    synthetic::write(inputs, &keys, &writer)?;
    atlas.survey.write_pictures(&keys, &writer)?;
    atlas.reading.write_pictures(&keys, &writer)?;
    tables.par_iter().try_for_each(|table| {
        let path = table.path();
        let key = match table.of_readers {
            true => keys.with_readers(&path),
            false => keys.apart_from_readers(&path),
        };
        writer.write_made_from(&path, key, || table.make(&atlas))
    })?;
    for_papers.par_iter().try_for_each(|wanted| -> Result<()> {
        let key = keys.with_readers(&(wanted, figure::VERSION));
        let paths = figures::paths(wanted);
        if writer.keep_made_from(&paths, &key) {
            return Ok(());
        }
        for (name, bytes) in figures::files(&atlas, wanted)?.files {
            let path = figures::path(&name);
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
    pages.write(&keys, &writer)?;

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
        selection: atlas.survey.selection.clone(),
        fewer_cases: atlas.reading.shortfall(),
    })
}

/// What lies in `content/` and becomes nothing of the site, in words that name it: a folder with pages in
/// it, a file of another kind.
///
/// # Errors
/// When the folder cannot be read.
pub fn left_aside(config: &Config) -> Result<Vec<Notice>> {
    let strangers = content::strangers(&config.root.join("content"))?;
    let notice = |name: String| Notice {
        place: format!("content/{name}"),
        message: "is left aside: pages are files that end in .md and lie in content/ itself".into(),
        skipped: false,
    };
    Ok(strangers.into_iter().map(notice).collect())
}

/// What can be told of the theme and the pages before there is anything to show: a theme that is unknown or has
/// other options, a page that cannot be read.
///
/// # Errors
/// Names what is wrong, and where.
pub fn foresee(config: &Config) -> Result<()> {
    theme::Theme::load(config)?;
    content::read(&config.root.join("content"))?;
    facts::reporting::Own::read(&config.root.join("content"))?;
    config.survey.consent.as_deref().map(content::consent).transpose()?;
    Ok(())
}

/// Fingerprint of what a site takes from the project folder by itself: the theme and the content
/// pages. Belongs into the caller's [`Inputs::stamp`].
///
/// # Errors
/// When the theme is unknown or a file cannot be read.
pub fn surroundings(config: &Config) -> Result<Fingerprint> {
    let theme = theme::fingerprint(config)?;
    let content = content::fingerprint(&config.root.join("content"))?;
    let consent = config.survey.consent.as_deref().map(Fingerprint::of_file).transpose()?;
    Ok(Fingerprint::of(&(env!("CARGO_PKG_VERSION"), theme, content, consent)))
}
