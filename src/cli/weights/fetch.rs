//! Downloading published weights, checked before they are kept.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use hf_hub::api::sync::ApiBuilder;
use hf_hub::{Repo, RepoType};
use sha2::{Digest, Sha256};

use base::artifact;
use base::progress::{Progress, Silent};
use network::weights::published::{PYTORCH, Published, Source};

/// Environment variable with the address of a mirror of PyTorch's folder of weights. (That of a
/// mirror of the model hub is `HF_ENDPOINT`, as everywhere.)
const MIRROR: &str = "UNIT_ATLAS_PYTORCH";

/// Where files are asked for.
struct Servers {
    /// Folder of torchvision's weights.
    pytorch: String,
    /// The model hub, or what the environment says.
    hub: Option<String>,
}

/// Downloads a file into `folder`, unless it is there. It appears only whole and with the digest that
/// was published.
pub(super) fn fetch(
    published: &Published,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<PathBuf> {
    let pytorch = std::env::var(MIRROR).unwrap_or_else(|_| PYTORCH.to_string());
    fetch_from(&Servers { pytorch, hub: None }, published, folder, progress)
}

fn fetch_from(
    servers: &Servers,
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
    download(servers, published, &path, progress).with_context(|| {
        format!(
            "{} could not be downloaded from {}; it can be fetched by a browser and put into {}",
            published.file,
            published.address(),
            folder.display()
        )
    })?;
    Ok(path)
}

fn download(
    servers: &Servers,
    published: &Published,
    path: &Path,
    progress: &dyn Progress,
) -> Result<()> {
    match published.source {
        Source::PyTorch => {
            let address = format!("{}/{}", servers.pytorch.trim_end_matches('/'), published.file);
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
            let folder = std::path::absolute(path.parent().unwrap_or(Path::new(".")))?;
            let cache = tempfile::tempdir_in(folder)?;
            let mut api = ApiBuilder::from_env()
                .with_cache_dir(cache.path().to_path_buf())
                .with_progress(false);
            if let Some(hub) = &servers.hub {
                api = api.with_endpoint(hub.clone());
            }
            let api = api.build()?;
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

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;

    use super::*;

    /// SHA-256 of "abc", from the standard (FIPS 180-2, appendix B.1).
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    /// A server that answers every request with "abc", as the hub answers, until the test ends.
    fn server() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = BufReader::new(&stream).lines().map(Result::unwrap);
                let request: Vec<String> = request.take_while(|line| !line.is_empty()).collect();
                let first =
                    request.iter().any(|line| line.eq_ignore_ascii_case("range: bytes=0-0"));
                let (body, end) = if first { ("a", 0) } else { ("abc", 2) };
                let missing = request[0].contains("missing");
                let status = if missing { "404 Not Found" } else { "200 OK" };
                let answer = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nContent-Range: bytes 0-{end}/3\r\n\
                     ETag: \"{ABC}\"\r\nX-Repo-Commit: c0ffee\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        address
    }

    #[test]
    fn only_what_was_published_is_kept() {
        let address = server();
        let servers = Servers { pytorch: address.clone(), hub: Some(address) };
        let folder = tempfile::tempdir().unwrap();
        let fetch = |published: &Published| {
            fetch_from(&servers, published, &folder.path().join("weights"), &Silent)
        };
        let torch =
            |file, sha256| Published { network: "x", file, source: Source::PyTorch, sha256 };
        let hub = Source::Hub { model: "owner/name", revision: "main", file: "model.safetensors" };
        for published in [
            torch("whole.pth", ABC),
            torch("start.pth", &ABC[..8]),
            Published { network: "x", file: "hub.safetensors", source: hub, sha256: ABC },
        ] {
            let path = fetch(&published).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), b"abc");
            // There already.
            assert_eq!(fetch(&published).unwrap(), path);
        }
        let other = "00".repeat(32).leak();
        let message = format!("{:#}", fetch(&torch("other.pth", other)).unwrap_err());
        assert!(message.contains(ABC) && message.contains("incomplete"), "{message}");
        let message = format!("{:#}", fetch(&torch("missing.pth", ABC)).unwrap_err());
        assert!(message.contains("404") && message.contains("download.pytorch.org"), "{message}");
        let message = format!("{:#}", fetch(&torch("whole.pth", other)).unwrap_err());
        assert!(message.contains("move it away"), "{message}");
        let kept = std::fs::read_dir(folder.path().join("weights")).unwrap();
        assert_eq!(kept.count(), 3, "nothing else may be left behind");
    }
}
