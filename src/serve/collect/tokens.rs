//! `collect/readers.yaml`: the readers of a study on this server, and the token in each one's link.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use base::artifact;
use base::yaml::{self, Text};
use study::import;

/// Readers with their tokens.
#[derive(Debug, Clone)]
pub struct Tokens {
    readers: Vec<Reader>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: u32,
    readers: Vec<Reader>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reader {
    reader: String,
    token: String,
}

impl Tokens {
    /// Reads the file in `folder`, and gives a token to each of `new` who has none.
    ///
    /// # Errors
    /// When the file is wrong or cannot be written, or names cannot be told apart.
    pub fn open(folder: &Path, new: &[String]) -> Result<Self> {
        let path = folder.join("readers.yaml");
        let mut file = if path.exists() {
            let text = yaml::read(&path)?;
            Text { path: &path, text: &text }.parse()?
        } else {
            File { schema: 1, readers: Vec::new() }
        };
        ensure!(file.schema == 1, "{}: schema {} is unknown", path.display(), file.schema);
        let known = file.readers.len();
        for name in new {
            let name = name.trim();
            if !file.readers.iter().any(|known| known.reader == name) {
                file.readers.push(Reader { reader: name.to_owned(), token: token()? });
            }
        }
        for (at, reader) in file.readers.iter().enumerate() {
            let name = &reader.reader;
            let plain = !name.trim().is_empty()
                && name.chars().count() <= 60
                && !name.chars().any(char::is_control);
            ensure!(plain, "{}: a reader's name has 1 to 60 characters: {name:?}", path.display());
            ensure!(
                reader.token.len() >= 32,
                "{}: the token of {name} is too short to be safe; remove its entry to get another",
                path.display()
            );
            let alike = |other: &&Reader| {
                import::file_name(&other.reader) == import::file_name(name)
                    || other.token == reader.token
            };
            if let Some(other) = file.readers[..at].iter().find(alike) {
                bail!("the readers {} and {name} cannot be told apart; rename one", other.reader);
            }
        }
        ensure!(
            !file.readers.is_empty(),
            "no reader has a link yet; name them: `serve --collect --reader reader-a --reader reader-b`"
        );
        if file.readers.len() > known {
            make_private(folder)?;
            let text = serde_yaml::to_string(&file).context("tokens cannot be put into YAML")?;
            artifact::write(&path, text.as_bytes())?;
            // Links let in: they belong into no repository.
            artifact::write_if_changed(&folder.join(".gitignore"), b"*\n")?;
        }
        Ok(Self { readers: file.readers })
    }

    /// The reader whose token this is.
    pub(super) fn reader(&self, token: &str) -> Option<&str> {
        // Hashes are compared in a time that tells nothing.
        let given = blake3::hash(token.as_bytes());
        let mut found = None;
        for reader in &self.readers {
            if blake3::hash(reader.token.as_bytes()) == given {
                found = Some(reader.reader.as_str());
            }
        }
        found
    }

    /// Readers' names with their tokens.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.readers.iter().map(|reader| (reader.reader.as_str(), reader.token.as_str()))
    }
}

/// 128 bits that nobody can guess.
fn token() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the system gives no random numbers: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Makes a folder that other users of this machine cannot enter.
pub(super) fn make_private(folder: &Path) -> Result<()> {
    fs_err::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs_err::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_kept_distinct_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("collect");
        let names = ["reader-a".to_owned(), "Reader B".to_owned()];
        assert!(Tokens::open(&folder, &[]).unwrap_err().to_string().contains("--reader"));
        let first = Tokens::open(&folder, &names).unwrap();
        let again = Tokens::open(&folder, &names[..1]).unwrap();
        assert_eq!(first.iter().collect::<Vec<_>>(), again.iter().collect::<Vec<_>>());
        let (_, token) = first.iter().next().unwrap();
        assert_eq!(again.reader(token), Some("reader-a"));
        for wrong in ["", "x", &token[1..], &token.to_uppercase().replace(['0', '1'], "x")] {
            assert_eq!(again.reader(wrong), None);
        }
        for clash in ["READER-A", "reader b", "", "a\nb", &"x".repeat(61)] {
            assert!(Tokens::open(&folder, &[clash.to_owned()]).is_err(), "{clash:?}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
        artifact::write(
            &folder.join("readers.yaml"),
            b"schema: 1\nreaders:\n  - {reader: a, token: x}\n",
        )
        .unwrap();
        assert!(Tokens::open(&folder, &[]).unwrap_err().to_string().contains("too short"));
    }
}
