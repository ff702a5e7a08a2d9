//! What made a result, where and when: `run.json` beside its stamp.
//!
//! A stamp and what it seals are the same wherever the same version works on the same inputs; when, by which
//! command and on what is not. So that stands in a file of its own, which no stage takes as its input and no
//! stamp covers. The file has a digest of its own, and says of which result it is.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::document::{Content, write_document};
use super::{Damaged, Fingerprint};

/// Its name in a stage's folder.
pub(super) const RUN: &str = "run.json";

/// The run of the program that finished a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Version of unit-atlas.
    pub version: String,
    /// Operating system and processor: `linux x86_64`.
    pub platform: String,
    /// What computed: `cpu`, or an accelerator with its card, driver and libraries.
    pub device: String,
    /// As it was typed, without files and folders of the machine: `unit-atlas train --network alexnet`.
    pub command: String,
    /// When the result was finished: RFC 3339, in UTC, to the second.
    pub finished: String,
}

/// `run.json` as it is written.
#[derive(Serialize, Deserialize)]
struct Of {
    /// Digest of the stamp that the run wrote.
    stamp: Fingerprint,
    run: Run,
}

impl Run {
    /// The run that is going on, which computes on `device`.
    pub fn now(device: &str) -> Self {
        let now = jiff::Timestamp::now();
        let finished = jiff::Timestamp::from_second(now.as_second()).unwrap_or(now);
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            device: device.into(),
            command: command(std::env::args_os().skip(1)),
            finished: finished.to_string(),
        }
    }

    pub(super) fn write(self, folder: &Path, stamp: &Fingerprint) -> Result<()> {
        write_document(&folder.join(RUN), &Of { stamp: stamp.clone(), run: self })
    }

    /// The run that wrote the stamp with this digest; `None` where nothing is known of it.
    pub(super) fn read(folder: &Path, stamp: &Fingerprint) -> Result<Option<Self>, Damaged> {
        let damaged = |why: &dyn std::fmt::Display| Damaged::new(folder, RUN, why);
        let bytes = match super::file::read(&folder.join(RUN)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(damaged(&error)),
        };
        let Content(of) = Content::<Of>::of(&bytes).map_err(|error| damaged(&error))?;
        match of.stamp == *stamp {
            true => Ok(Some(of.run)),
            false => Err(damaged(&"it is of another result")),
        }
    }
}

/// The program's arguments in one line. What names a file or folder of this machine may name a person, too.
fn command<Argument: AsRef<OsStr>>(arguments: impl Iterator<Item = Argument>) -> String {
    let shown = |argument: Argument| {
        let text = argument.as_ref().to_string_lossy().into_owned();
        let (option, value) = match text.split_once('=') {
            Some((option, value)) if option.starts_with('-') => (format!("{option}="), value),
            _ => (String::new(), text.as_str()),
        };
        let path = Path::new(value);
        // What a verb is called may be the name of a folder too.
        let word = value.bytes().all(|byte| byte.is_ascii_lowercase());
        let of_machine = path.is_absolute() || (path.exists() && !word);
        match of_machine {
            true => format!("{option}…"),
            false if text.contains(char::is_whitespace) => format!("'{text}'"),
            false => text,
        }
    };
    let words = std::iter::once("unit-atlas".to_owned()).chain(arguments.map(shown));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_told_without_files_of_the_machine() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("DOE^JANE.dcm");
        std::fs::write(&file, "x").unwrap();
        let file = file.to_str().unwrap();
        let told = |arguments: &[&str]| command(arguments.iter());
        assert_eq!(told(&["dissect", "--shard", "1/4"]), "unit-atlas dissect --shard 1/4");
        assert_eq!(told(&["explain", file, "--json"]), "unit-atlas explain … --json");
        assert_eq!(told(&[&format!("--config={file}"), "run"]), "unit-atlas --config=… run");
        assert_eq!(told(&["--config", "/home/jane/atlas.yaml"]), "unit-atlas --config …");
        assert_eq!(told(&["predict", "Cargo.toml", "a b"]), "unit-atlas predict … 'a b'");
    }

    #[test]
    fn a_run_is_read_whole_and_of_its_own_result_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let stamp = Fingerprint::of(&1);
        assert_eq!(Run::read(folder.path(), &stamp), Ok(None));
        let run = Run::now("cuda:0, a card");
        run.clone().write(folder.path(), &stamp).unwrap();
        assert_eq!(Run::read(folder.path(), &stamp), Ok(Some(run.clone())));
        assert!(run.finished.ends_with('Z') && run.finished.len() == 20, "{}", run.finished);
        let other = Run::read(folder.path(), &Fingerprint::of(&2)).unwrap_err();
        assert!(other.to_string().contains("of another result"), "{other}");
        let path = folder.path().join(RUN);
        let before = std::fs::read(&path).unwrap();
        for at in 0..before.len() - 1 {
            let mut bytes = before.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            assert!(Run::read(folder.path(), &stamp).is_err(), "byte {at}");
        }
    }
}
