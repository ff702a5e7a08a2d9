//! The site as a zip: one folder with the site and a note on how to open it. The same site gives the
//! same bytes.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use rawzip::{CompressionMethod, ZipArchiveWriter};

use base::artifact;

/// Writes the files of `site` into the zip `output`.
pub(super) fn write(site: &Path, files: &[&str], title: &str, output: &Path) -> Result<()> {
    artifact::write_with(output, |out| {
        let mut archive = ZipArchiveWriter::new(out);
        let note = format!(
            "{title}\r\n\r\nUnpack the whole archive, then open atlas/index.html in a browser.\r\n\
             No internet and no installation is needed.\r\n"
        );
        add(&mut archive, "README.txt", note.as_bytes())?;
        for file in files {
            let bytes = fs_err::read(site.join(file))?;
            add(&mut archive, &format!("atlas/{file}"), &bytes)?;
        }
        archive.finish()?;
        Ok(())
    })
}

fn add<W: Write>(archive: &mut ZipArchiveWriter<W>, path: &str, bytes: &[u8]) -> Result<()> {
    // Pictures are compressed already; other programs want them deflated all the same, for the zip is
    // written in one go, with the lengths after the data.
    let level = if path.ends_with(".jpg") { Compression::none() } else { Compression::default() };
    let (mut entry, config) = archive
        .new_file(path)
        .compression_method(CompressionMethod::DEFLATE)
        .unix_permissions(0o644)
        .start()?;
    let mut writer = config.wrap(DeflateEncoder::new(&mut entry, level));
    writer.write_all(bytes)?;
    let (encoder, descriptor) = writer.finish()?;
    encoder.finish()?;
    entry.finish(descriptor)?;
    Ok(())
}
