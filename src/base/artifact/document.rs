//! Single JSON documents that know whether they are whole.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{Fingerprint, file};

/// As it is written: the digest of the text of what it holds, then that.
#[derive(Serialize, Deserialize)]
struct Document<'a> {
    blake3: Fingerprint,
    #[serde(borrow)]
    content: &'a RawValue,
}

/// Writes a document of its own, which belongs to no stage's folder.
///
/// # Errors
/// As [`super::write_with`].
pub fn write_document<T: Serialize>(path: &Path, content: &T) -> Result<()> {
    let content = serde_json::value::to_raw_value(content)?;
    let blake3 = Fingerprint::of_bytes(content.get().as_bytes());
    file::write_with(path, |file| {
        serde_json::to_writer(&mut *file, &Document { blake3, content: &content })?;
        Ok(file.write_all(b"\n")?)
    })
}

/// What a document that is whole holds.
pub(super) struct Content<T>(pub(super) T);

impl<T: DeserializeOwned> Content<T> {
    /// Of a document's bytes.
    pub(super) fn of(bytes: &[u8]) -> Result<Self> {
        let Document { blake3, content } = serde_json::from_slice(bytes)?;
        let whole = blake3 == Fingerprint::of_bytes(content.get().as_bytes());
        ensure!(whole, "its content is not what was written");
        Ok(Self(serde_json::from_str(content.get())?))
    }
}

/// Reads a document.
///
/// # Errors
/// Names the file when it is missing, not whole, or not what this version reads.
pub fn read_document<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = file::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Content::of(&bytes).map(|Content(content)| content).with_context(|| {
        format!(
            "{} is damaged, or of another version; `unit-atlas build` makes it anew",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        let content = vec![(1.5_f64, "a\n\"b\"".to_string())];
        write_document(&path, &content).unwrap();
        assert_eq!(read_document::<Vec<(f64, String)>>(&path).unwrap(), content);
        let before = std::fs::read(&path).unwrap();
        for at in 0..before.len() - 1 {
            let mut bytes = before.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            let found = read_document::<Vec<(f64, String)>>(&path);
            let message = format!("{:#}", found.expect_err(&format!("byte {at}")));
            assert!(message.contains("x.json") && message.contains("damaged"), "{message}");
        }
    }
}
