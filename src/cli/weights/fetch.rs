//! Downloading published weights, checked before they are kept.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use hf_hub::api::sync::ApiBuilder;
use hf_hub::{Repo, RepoType};
use sha2::{Digest, Sha256};

use crate::artifact;
use crate::network::weights::published::{PYTORCH, Published, Source};
use crate::progress::{Progress, Silent};

/// Environment variable with the address of a mirror of PyTorch's folder of weights. (That of a
/// mirror of the model hub is `HF_ENDPOINT`, as everywhere.)
const MIRROR: &str = "UNIT_ATLAS_PYTORCH";

/// Downloads a file into `folder`, unless it is there. It appears only whole and with the digest that
/// was published.
pub(super) fn fetch(
    published: &Published,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<PathBuf> {
    let path = folder.join(published.file);
    if path.exists() {
        let found = copy(&mut fs_err::File::open(&path)?, &mut std::io::sink(), &|_| {})?;
        check(published, &found).with_context(|| {
            format!("{} is there and is another file; move it away", path.display())
        })?;
        return Ok(path);
    }
    fs_err::create_dir_all(folder)?;
    download(published, &path, progress).with_context(|| {
        format!(
            "{} could not be downloaded from {}; it can be fetched by a browser and put into {}",
            published.file,
            published.address(),
            folder.display()
        )
    })?;
    Ok(path)
}

fn download(published: &Published, path: &Path, progress: &dyn Progress) -> Result<()> {
    match published.source {
        Source::PyTorch => {
            let base = std::env::var(MIRROR).unwrap_or_else(|_| PYTORCH.to_string());
            let address = format!("{}/{}", base.trim_end_matches('/'), published.file);
            let answer = ureq::get(&address).call()?;
            let length = answer.header("content-length").and_then(|length| length.parse().ok());
            progress.start(published.file, length.unwrap_or(0));
            let result = keep(published, &mut answer.into_reader(), path, progress);
            progress.finish();
            result
        }
        Source::Hub { model, revision, file } => {
            // Into a folder of ours and not the shared cache: the file is kept once, where it was
            // asked for.
            let cache = tempfile::tempdir_in(path.parent().unwrap_or(Path::new(".")))?;
            let api = ApiBuilder::from_env()
                .with_cache_dir(cache.path().to_path_buf())
                .with_progress(false)
                .build()?;
            let repo = Repo::with_revision(model.into(), RepoType::Model, revision.into());
            let told = Told { progress, name: published.file };
            let downloaded = api.repo(repo).download_with_progress(file, told);
            progress.finish();
            let mut downloaded = fs_err::File::open(downloaded?)?;
            keep(published, &mut downloaded, path, &Silent)
        }
    }
}

/// Copies to `path`, all or nothing, and only what has the published digest.
fn keep(
    published: &Published,
    from: &mut dyn Read,
    path: &Path,
    progress: &dyn Progress,
) -> Result<()> {
    artifact::write_at(path, |temporary| {
        let mut file = fs_err::File::create(temporary)?;
        let found = copy(from, &mut file, &|bytes| progress.advance(bytes))?;
        check(published, &found)
    })
}

fn check(published: &Published, found: &str) -> Result<()> {
    if !found.starts_with(published.sha256) {
        bail!(
            "its SHA-256 is {found} where {}{} was published: the download is incomplete or not that \
             file",
            published.sha256,
            if published.is_digest_whole() { "" } else { "…" }
        );
    }
    Ok(())
}

/// Copies all bytes; returns their SHA-256 in hexadecimal.
fn copy(from: &mut dyn Read, to: &mut dyn Write, copied: &dyn Fn(u64)) -> Result<String> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let count = from.read(&mut buffer).context("the connection broke off")?;
        if count == 0 {
            break;
        }
        digest.update(&buffer[..count]);
        to.write_all(&buffer[..count])?;
        copied(count as u64);
    }
    to.flush()?;
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The hub's client tells us, we tell the terminal.
struct Told<'a> {
    progress: &'a dyn Progress,
    name: &'a str,
}

impl hf_hub::api::Progress for Told<'_> {
    fn init(&mut self, size: usize, _: &str) {
        self.progress.start(self.name, size as u64);
    }

    fn update(&mut self, size: usize) {
        self.progress.advance(size as u64);
    }

    fn finish(&mut self) {}
}
