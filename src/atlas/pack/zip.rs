//! The site as a zip: one folder with the site and a note on how to open it. The same site gives the
//! same bytes.

use std::io::{Seek, Write};
use std::path::Path;

use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, ZipWriter};
use anyhow::Result;

use base::artifact;

/// Writes the files of `site` into the zip `output`.
pub(super) fn write(site: &Path, files: &[&str], title: &str, output: &Path) -> Result<()> {
    artifact::write_with(output, |out| {
        let mut archive = ZipWriter::new(out);
        let filled = fill(&mut archive, site, files, title);
        if filled.is_err() {
            // Dropped, it would try to write the rest, and print that it cannot.
            std::mem::forget(archive);
            return filled;
        }
        archive.finish()?;
        Ok(())
    })
}

fn fill<W: Write + Seek>(
    archive: &mut ZipWriter<W>,
    site: &Path,
    files: &[&str],
    title: &str,
) -> Result<()> {
    let note = format!(
        "{title}\r\n\r\nUnpack the whole archive, then open atlas/index.html in a browser.\r\n\
             No internet and no installation is needed.\r\n"
    );
    archive.start_file("README.txt", options("README.txt"))?;
    archive.write_all(note.as_bytes())?;
    for file in files {
        archive.start_file(format!("atlas/{file}"), options(file))?;
        archive.write_all(&fs_err::read(site.join(file))?)?;
    }
    Ok(())
}

/// How a file is kept: for everyone to read, at no time, compressed unless it is a picture, which is.
fn options(file: &str) -> SimpleFileOptions {
    let method = match file.ends_with(".jpg") {
        true => CompressionMethod::Stored,
        false => CompressionMethod::Deflated,
    };
    SimpleFileOptions::default()
        .compression_method(method)
        .unix_permissions(0o644)
        .last_modified_time(::zip::DateTime::default())
}
