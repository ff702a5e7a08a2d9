//! What stands for the content of something.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// A BLAKE3 digest in hexadecimal, cut to 32 digits (128 bits).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Of raw bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::from_hash(blake3::hash(bytes))
    }

    /// Of a value's JSON form.
    pub fn of<T: Serialize>(value: &T) -> Self {
        Self::of_bytes(serde_json::to_string(value).unwrap_or_default().as_bytes())
    }

    /// Of a file's content.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of_file(path: &Path) -> Result<Self> {
        let mut hasher = blake3::Hasher::new();
        crate::input::open(path)
            .and_then(|_| hasher.update_mmap_rayon(path))
            .with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self::from_hash(hasher.finalize()))
    }

    /// Of 32 hexadecimal digits; `None` when it is something else.
    pub fn parse(digits: &str) -> Option<Self> {
        let right =
            digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        right.then(|| Self(digits.into()))
    }

    pub(super) fn from_hash(hash: blake3::Hash) -> Self {
        Self(hash.to_hex()[..32].to_string())
    }

    /// The hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
