//! A site, or a part of it, as one HTML file: its files compressed within, and a shell that shows them
//! in a frame as a browser would show the folder.
//!
//! The container is, deflated: the length of a JSON header as four bytes, little endian; the header,
//! [`Header`]; the files one after another. In the page it stands in
//! base64, in script elements that no browser runs.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::Serialize;

use super::envelope::Sealed;
use super::selection::Chosen;
use crate::script;

const SHELL: &str = include_str!("shell.html");
/// What shows the files: `shell.html` says where it stands.
const SCRIPT: &str = include_str!("shell.js");
/// Bytes in one element: a browser keeps texts of some megabytes easily.
const PIECE: usize = 3 << 20;

/// What is in a container.
#[derive(Serialize)]
struct Header<'a> {
    title: &'a str,
    /// The pages to begin with.
    start: Vec<Start<'a>>,
    /// In the order of their content.
    files: Vec<Member<'a>>,
}

#[derive(Serialize)]
struct Start<'a> {
    title: &'a str,
    path: &'a str,
}

#[derive(Serialize)]
struct Member<'a> {
    path: &'a str,
    bytes: usize,
}

/// What opens a sealed container, besides the passphrase; the bytes in base64.
#[derive(Serialize)]
struct Lock {
    salt: String,
    nonce: String,
    rounds: u32,
}

/// The compressed container.
pub(super) fn container(site: &Path, title: &str, chosen: &Chosen) -> Result<Vec<u8>> {
    let files: Vec<(&str, Vec<u8>)> = chosen
        .files
        .iter()
        .map(|path| Ok((path.as_str(), fs_err::read(site.join(path))?)))
        .collect::<Result<_>>()?;
    let header = Header {
        title,
        start: chosen.start.iter().map(|(title, path)| Start { title, path }).collect(),
        files: files.iter().map(|(path, bytes)| Member { path, bytes: bytes.len() }).collect(),
    };
    let header = serde_json::to_vec(&header)?;
    let length = u32::try_from(header.len()).context("too many files for one")?;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&length.to_le_bytes())?;
    encoder.write_all(&header)?;
    for (_, bytes) in &files {
        encoder.write_all(bytes)?;
    }
    Ok(encoder.finish()?)
}

/// The page around a container, which is `content` itself or sealed.
///
/// # Errors
/// When the lock cannot be put into JSON.
pub(super) fn page(title: &str, content: &[u8], sealed: Option<&Sealed>) -> Result<String> {
    let lock = sealed.map(|sealed| Lock {
        salt: STANDARD.encode(sealed.salt),
        nonce: STANDARD.encode(sealed.nonce),
        rounds: sealed.rounds,
    });
    let pieces: String = content
        .chunks(PIECE)
        .map(|piece| {
            format!(
                "<script type=\"application/octet-stream\">{}</script>\n",
                STANDARD.encode(piece)
            )
        })
        .collect();
    Ok(SHELL
        .replace("{{ script }}", SCRIPT)
        .replace("{{ lock }}", &script::json(&lock)?)
        .replace("{{ title }}", &escaped(title))
        .replace("<!-- content -->", &pieces))
}

fn escaped(text: &str) -> String {
    [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;")]
        .iter()
        .fold(text.to_string(), |text, (from, to)| text.replace(*from, to))
}
