//! What values are checked against: the text they stand in, the project's folder, and the options that
//! others depend on, which are read first.

use std::path::{Component, Path, PathBuf};

use serde_yaml::Location;

use crate::Network;
use base::yaml::{Mistake, Text, unknown};

pub(crate) struct Check<'a> {
    pub(crate) text: Text<'a>,
    /// The folder of the project file (absolute).
    pub(crate) root: PathBuf,
    /// `output`, absolute.
    pub(crate) output: PathBuf,
    /// `patches.classes`
    pub(crate) classes: u32,
    /// `networks`
    pub(crate) networks: Vec<Network>,
}

impl<'a> Check<'a> {
    /// Before anything is read.
    pub(crate) fn new(text: Text<'a>) -> Result<Self, Mistake> {
        let path = std::path::absolute(text.path).map_err(|error| {
            text.mistake(Location::UNKNOWN, format!("cannot be located: {error}"))
        })?;
        let root = path.parent().map(Path::to_owned).unwrap_or(path);
        Ok(Self { text, output: PathBuf::new(), root, classes: 0, networks: Vec::new() })
    }

    /// The same over another text: that of a default.
    pub(crate) fn over<'b>(&self, text: Text<'b>) -> Check<'b> {
        let (root, output) = (self.root.clone(), self.output.clone());
        Check { text, root, output, classes: self.classes, networks: self.networks.clone() }
    }

    /// The folder of the project file (absolute).
    pub(crate) fn folder(&self) -> PathBuf {
        self.root.clone()
    }

    pub(crate) fn wrong<T>(&self, at: Location, message: impl Into<String>) -> Result<T, Mistake> {
        Err(self.text.mistake(at, message))
    }

    /// Refuses a `kind` without one of its keys; `holds` is the key's documentation.
    pub(crate) fn needs<T>(
        &self,
        what: &str,
        kind: &str,
        key: &str,
        holds: &str,
        write: &str,
        at: Location,
    ) -> Result<T, Mistake> {
        let mut holds = holds.split(';').next().unwrap_or_default().trim_end_matches('.').chars();
        let first = holds.next().into_iter().flat_map(char::to_lowercase);
        let holds: String = first.chain(holds).collect();
        self.wrong(
            at,
            format!("the {what} `{kind}` needs `{key}`, {holds}; write `{key}: {write}`"),
        )
    }

    /// `path` from the project's folder, or from the home folder where it begins with `~`, without `.`
    /// and `..`.
    pub(crate) fn resolve(&self, path: &Path, at: Location) -> Result<PathBuf, Mistake> {
        let mut resolved = PathBuf::new();
        let path = match path.components().next() {
            Some(Component::Normal(first)) if first == "~" => {
                match std::env::home_dir() {
                    Some(home) if home.is_absolute() => {
                        home.join(path.strip_prefix("~").unwrap_or(path))
                    }
                    _ => return self.wrong(
                        at,
                        "`~` is the home folder, and it is not known here: write the path in full",
                    ),
                }
            }
            // A shell would look this up; a folder of that name is hardly meant.
            Some(Component::Normal(first)) if first.to_string_lossy().starts_with('~') => {
                let message = "only `~` alone stands for a home folder: write the path in full (for a \
                               folder of this name, `./` before it)";
                return self.wrong(at, message);
            }
            Some(Component::Normal(first)) if is_variable(&first.to_string_lossy()) => {
                let message = "variables are not replaced here: write the path in full (for a folder of this \
                               name, `./` before it)";
                return self.wrong(at, message);
            }
            _ => path.to_owned(),
        };
        for part in self.root.join(path).components() {
            match part {
                Component::ParentDir => {
                    resolved.pop();
                }
                Component::CurDir => {}
                part => resolved.push(part),
            }
        }
        Ok(resolved)
    }

    /// A network of the project by its name.
    pub(crate) fn network(&self, name: &str, at: Location) -> Result<&Network, Mistake> {
        match self.networks.iter().find(|network| network.name == name) {
            Some(network) => Ok(network),
            None => {
                let known: Vec<&str> = self.networks.iter().map(|n| n.name.as_str()).collect();
                self.wrong(at, unknown("network", name, &known))
            }
        }
    }

    /// A dissected layer by its name, `alexnet/conv5`.
    pub(crate) fn layer(&self, name: &str, at: Location) -> Result<(String, String), Mistake> {
        let mut known = Vec::new();
        for network in &self.networks {
            known.extend(network.layers.iter().map(|layer| format!("{}/{layer}", network.name)));
        }
        match name.split_once('/') {
            Some((network, layer)) if known.iter().any(|k| k == name) => {
                Ok((network.to_owned(), layer.to_owned()))
            }
            _ => self.wrong(at, unknown("layer", name, &known)),
        }
    }

    /// Refuses a list that names the same twice.
    pub(crate) fn unique<'v>(
        &self,
        list: impl IntoIterator<Item = &'v serde_yaml::Spanned<String>>,
        message: impl Fn(&str) -> String,
    ) -> Result<(), Mistake> {
        let mut seen: Vec<&str> = Vec::new();
        for entry in list {
            // Many become folders, which differ in more than case on every machine.
            if seen.iter().any(|other| other.eq_ignore_ascii_case(&entry.value)) {
                return self.wrong(entry.referenced, message(&entry.value));
            }
            seen.push(&entry.value);
        }
        Ok(())
    }
}

/// Whether a part of a path is a variable of a shell: `$HOME`, `${DATA}`, `%USERPROFILE%`.
fn is_variable(part: &str) -> bool {
    let named = |name: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !name.is_empty() && name.chars().all(plain)
    };
    let braced = part.strip_prefix("${").and_then(|part| part.strip_suffix('}'));
    let percent = part.strip_prefix('%').and_then(|part| part.strip_suffix('%'));
    [part.strip_prefix('$'), braced, percent].into_iter().flatten().any(named)
}
