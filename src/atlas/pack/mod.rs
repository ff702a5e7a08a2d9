//! Packs a built site to be sent: a zip of all its files, or one HTML file that holds all or some of it,
//! encrypted if wanted.

mod envelope;
mod selection;
mod single;
mod zip;

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::site::Record;
use base::artifact;

pub use self::selection::Selection;

/// The least characters of a passphrase.
pub const LEAST_PASSPHRASE: usize = 8;

/// What to pack a site into.
#[derive(Debug, Clone, Copy)]
pub enum Form<'a> {
    /// A zip of every file.
    Zip,
    /// One HTML file.
    SingleFile {
        /// What of the site.
        selection: &'a Selection,
        /// Encrypts it; nothing of the site, not even its title, stands outside.
        passphrase: Option<&'a str>,
    },
}

/// What was packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed {
    /// Files of the site within.
    pub files: usize,
    /// Length of the result.
    pub bytes: u64,
}

/// Packs the built `site`, whose files `record` lists, into the file `output`.
///
/// # Errors
/// When the site is not built, lacks a file, or does not hold what was selected; when the passphrase
/// is too short; when the output cannot be written.
pub fn pack(site: &Path, record: &Path, title: &str, form: Form, output: &Path) -> Result<Packed> {
    let built =
        Record::read(record).context("there is no site yet; `unit-atlas build` makes it")?;
    ensure!(built.stamp.is_some(), "the site is not finished; `unit-atlas build` finishes it");
    ensure!(
        !output.starts_with(site),
        "{} is within the site; write it elsewhere with --output",
        output.display()
    );
    let all: Vec<&str> = built.files.keys().map(String::as_str).collect();
    let files = match form {
        Form::Zip => {
            zip::write(site, &all, title, output)?;
            all.len()
        }
        Form::SingleFile { selection, passphrase } => {
            let chosen = selection::choose(site, &built, selection)?;
            let content = single::container(site, title, &chosen)?;
            let page = match passphrase {
                None => single::page(title, &content, None)?,
                Some(phrase) if phrase.chars().count() < LEAST_PASSPHRASE => {
                    bail!("the passphrase has fewer than {LEAST_PASSPHRASE} characters")
                }
                Some(phrase) => {
                    let sealed = envelope::seal(&content, phrase)?;
                    single::page("Encrypted atlas", &sealed.bytes, Some(&sealed))?
                }
            };
            artifact::write(output, page.as_bytes())?;
            chosen.files.len()
        }
    };
    Ok(Packed { files, bytes: fs_err::metadata(output)?.len() })
}

#[cfg(test)]
mod tests;
