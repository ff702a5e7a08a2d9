//! Figures for papers: those of the site, and those that a project lists or a person asks for.

use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;

use crate::facts::Atlas;
use crate::images::Shown;
use crate::inputs::{Inputs, validate};
use crate::site::{Record, Writer};
use crate::{content, reading, survey, theme};
use base::artifact::Stamp;
use config::figures::Wanted;

/// A figure as files.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// Their names and bytes.
    pub files: Vec<(String, Vec<u8>)>,
    /// Letters that no font has: boxes in all formats but SVG, LaTeX and CSV.
    pub boxed: Option<String>,
}

/// What became of listed figures.
#[derive(Debug)]
pub struct Kept {
    /// Figures that could be drawn.
    pub figures: usize,
    /// Files that were new or had changed.
    pub written: usize,
    /// Files of an earlier time that were removed.
    pub removed: usize,
    /// Figures that could not be drawn, with the reason.
    pub failed: Vec<(String, anyhow::Error)>,
}

/// Draws figures, each by itself: one that cannot be drawn keeps no other from it.
///
/// # Errors
/// When the theme or a page of the project cannot be read.
pub fn draw(inputs: &Inputs, wanted: &[Wanted]) -> Result<Vec<Result<Drawn>>> {
    validate(inputs)?;
    // Before anything is measured: the letters of all figures may come from any of them.
    for font in wanted.iter().filter_map(|wanted| wanted.look.font.as_deref()) {
        figure::give_font(font)?;
    }
    let theme = theme::Theme::load(inputs.config)?;
    let articles = content::read(&inputs.config.root.join("content"))?;
    let shown = Shown::of(inputs);
    let catalogue = inputs.catalogue();
    let survey = survey::Survey::new(inputs, &catalogue)?;
    let reading = reading::Reading::new(inputs)?;
    let atlas = Atlas::new(inputs, theme, articles, &shown, catalogue, survey, reading);
    Ok(wanted.par_iter().map(|wanted| files(&atlas, wanted)).collect())
}

/// Writes the figures of a list, as [`draw`] drew them, into a folder, leaves files alone whose bytes have
/// not changed, removes those of figures that are no longer listed, and notes all of it in `record`.
///
/// # Errors
/// When a file cannot be written.
pub fn keep(
    wanted: &[Wanted],
    drawn: Vec<Result<Drawn>>,
    folder: &Path,
    record: &Path,
    stamp: &Stamp,
) -> Result<Kept> {
    let mut failed = Vec::new();
    let mut files = Vec::new();
    let mut figures = 0;
    for (wanted, drawn) in wanted.iter().zip(drawn) {
        match drawn {
            Ok(drawn) => {
                figures += 1;
                files.extend(drawn.files);
            }
            Err(error) => failed.push((wanted.name.clone(), error)),
        }
    }
    let planned = files.iter().map(|(name, _)| name.clone()).collect();
    let writer = Writer::begin(folder, record, planned)?;
    for (name, bytes) in &files {
        writer.write(name, bytes)?;
    }
    let (_, written, removed) = writer.finish(stamp)?;
    // With the same record they would not be looked at again, and nothing said of those that failed.
    if !failed.is_empty() {
        let mut unfinished = Record::read(record)?;
        unfinished.stamp = None;
        base::artifact::write_document(record, &unfinished)?;
    }
    Ok(Kept { figures, written, removed, failed })
}

/// The files of one figure.
pub(crate) fn files(atlas: &Atlas, wanted: &Wanted) -> Result<Drawn> {
    let figure = super::figure(atlas, wanted)?;
    Ok(Drawn { files: figure.files(&wanted.name, &wanted.look)?, boxed: figure.undrawable() })
}

/// Names of its files in the site.
pub(crate) fn paths(wanted: &Wanted) -> Vec<String> {
    wanted.files().iter().map(|file| super::path(file)).collect()
}
