//! The check of a project file as it is written ([`form`](super::form)) into a [`Config`].

mod figures;
mod network;
mod survey;

use std::path::{Component, Path, PathBuf};

use serde_yaml::{Location, Spanned};

use super::form::{
    CitationFile, DissectionFile, File, Given, PatchesFile, SourceFile, SplitFile, ThresholdFile,
};
use super::{Citation, Config, Dissection, Patches, Shares, Source, Threshold, defaults};
use base::yaml::{Mistake, Text, unknown};
use base::{Device, Split};

/// A set of numbers in words and as a test.
struct Range {
    words: &'static str,
    holds: fn(f64) -> bool,
}

const SHARE: Range = Range { words: "a number from 0 to 1", holds: |v| (0.0..=1.0).contains(&v) };
const POSITIVE_SHARE: Range =
    Range { words: "a number above 0 and at most 1", holds: |v| v > 0.0 && v <= 1.0 };
const INNER_SHARE: Range =
    Range { words: "a number between 0 and 1", holds: |v| v > 0.0 && v < 1.0 };
const BELOW_ONE: Range =
    Range { words: "a number from 0 to below 1", holds: |v| (0.0..1.0).contains(&v) };
const POSITIVE: Range = Range { words: "a number above 0", holds: |v| v > 0.0 && v.is_finite() };
const NOT_NEGATIVE: Range =
    Range { words: "a number of at least 0", holds: |v| v >= 0.0 && v.is_finite() };

/// Reads and checks the text of a project file.
pub(super) fn parse(text: Text<'_>) -> Result<Config, Mistake> {
    let file: File = text.parse()?;
    let root = root(text)?;
    Check { text, root }.config(file)
}

/// The folder of the project file, absolute.
fn root(text: Text<'_>) -> Result<PathBuf, Mistake> {
    let absolute = std::path::absolute(text.path)
        .map_err(|error| text.mistake(Location::UNKNOWN, format!("cannot be located: {error}")))?;
    Ok(absolute.parent().map(Path::to_owned).unwrap_or(absolute))
}

/// A title as an identifier: `DDSM units, 2018` becomes `ddsm-units-2018`.
fn slug(title: &str) -> Option<String> {
    let words: Vec<String> = title
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let slug: String = words.join("-").chars().take(60).collect();
    (!slug.is_empty()).then_some(slug)
}

struct Check<'a> {
    text: Text<'a>,
    root: PathBuf,
}

impl Check<'_> {
    fn wrong<T>(&self, at: Location, message: impl Into<String>) -> Result<T, Mistake> {
        Err(self.text.mistake(at, message))
    }

    fn number(
        &self,
        key: &str,
        given: Given<f64>,
        default: f64,
        range: &Range,
    ) -> Result<f64, Mistake> {
        match given {
            Some(v) if !(range.holds)(v.value) => self
                .wrong(v.referenced, format!("`{key}` is {}; expected {}", v.value, range.words)),
            given => Ok(given.map_or(default, |v| v.value)),
        }
    }

    fn whole(
        &self,
        key: &str,
        given: Given<i64>,
        default: u32,
        least: u32,
        most: u32,
    ) -> Result<u32, Mistake> {
        let Some(v) = given else { return Ok(default) };
        match u32::try_from(v.value) {
            Ok(n) if (least..=most).contains(&n) => Ok(n),
            _ => self.wrong(
                v.referenced,
                format!("`{key}` is {}; expected a whole number from {least} to {most}", v.value),
            ),
        }
    }

    /// `path` from the project's folder, without `.` and `..`.
    fn resolve(&self, path: &Path) -> PathBuf {
        let mut resolved = PathBuf::new();
        for part in self.root.join(path).components() {
            match part {
                Component::ParentDir => {
                    resolved.pop();
                }
                Component::CurDir => {}
                part => resolved.push(part),
            }
        }
        resolved
    }

    fn config(&self, file: File) -> Result<Config, Mistake> {
        let split = self.shares(file.split.as_ref().map(|s| (&s.value, s.referenced)))?;
        let dissection = self.dissection(file.dissection.unwrap_or_default(), split)?;
        let output = self.output(file.output)?;
        let patches = self.patches(file.patches.unwrap_or_default())?;
        let title = self.title(file.title)?;
        let networks = self.networks(file.networks, &output, patches.classes)?;
        let survey =
            self.survey(file.survey.unwrap_or_default(), dissection.top, &networks, &title)?;
        Ok(Config {
            figures: self.figures(file.figures.unwrap_or_default(), &networks)?,
            title,
            base_url: self.base_url(file.base_url)?,
            networks,
            output,
            seed: file.seed.map_or(defaults::SEED, |v| v.value),
            device: self.device(file.device)?,
            source: self.source(file.source)?,
            patches,
            split,
            dissection,
            cases: self.cases(file.cases.unwrap_or_default())?,
            survey,
            theme: self.theme(file.theme)?,
            theme_options: file.theme_options.unwrap_or_default(),
            citation: self.citation(file.citation.unwrap_or_default())?,
            root: self.root.clone(),
        })
    }

    fn citation(&self, file: CitationFile) -> Result<Citation, Mistake> {
        let year = match file.year {
            None => None,
            given => Some(self.whole("citation.year", given, 0, 1900, 2999)?),
        };
        let doi = match file.doi {
            // As it is printed, without the address of its resolver.
            Some(v) => match v.value.trim().trim_start_matches("https://doi.org/") {
                doi if doi.starts_with("10.") && !doi.contains(char::is_whitespace) => {
                    Some(doi.to_owned())
                }
                doi => {
                    let message = format!("`citation.doi` is `{doi}`; expected 10.…/…");
                    return self.wrong(v.referenced, message);
                }
            },
            None => None,
        };
        let authors = file.authors.unwrap_or_default();
        Ok(Citation {
            authors: authors.into_iter().filter(|a| !a.trim().is_empty()).collect(),
            year,
            doi,
        })
    }

    fn title(&self, given: Given<String>) -> Result<String, Mistake> {
        let Some(v) = given else { return Ok(defaults::TITLE.to_owned()) };
        let title = v.value.trim();
        if title.is_empty() {
            return self.wrong(v.referenced, "`title` is empty; leave it out for the default");
        }
        Ok(title.to_owned())
    }

    fn base_url(&self, given: Given<String>) -> Result<Option<String>, Mistake> {
        let Some(v) = given else { return Ok(None) };
        let url = v.value.trim().trim_end_matches('/');
        let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"\"'<>?#".contains(c);
        match host {
            Some(host) if !host.is_empty() && host.chars().all(plain) => Ok(Some(url.to_owned())),
            _ => self.wrong(
                v.referenced,
                format!(
                    "`base_url` is `{}`; expected an address such as https://example.org/atlas",
                    v.value
                ),
            ),
        }
    }

    fn output(&self, given: Given<PathBuf>) -> Result<PathBuf, Mistake> {
        let Some(v) = given else { return Ok(self.resolve(Path::new(defaults::OUTPUT))) };
        let output = self.resolve(&v.value);
        // Everything in it may be removed, so nothing of the project's own may lie there.
        let own = ["content", "themes"].map(|name| self.root.join(name));
        if self.root.starts_with(&output) || own.iter().any(|own| output.starts_with(own)) {
            return self.wrong(
                v.referenced,
                "`output` must be a folder of its own, not one that holds or belongs to the \
                 project's files; write `output: output`",
            );
        }
        Ok(output)
    }

    fn device(&self, given: Given<String>) -> Result<Device, Mistake> {
        let Some(v) = given else { return Ok(Device::Auto) };
        match Device::parse(&v.value) {
            Some(device) => Ok(device),
            None => self.wrong(v.referenced, unknown("device", &v.value, &Device::FORMS)),
        }
    }

    fn source(&self, given: Given<SourceFile>) -> Result<Source, Mistake> {
        const KINDS: [&str; 6] =
            ["phantom", "ddsm", "ddsm_release", "cbis_ddsm", "mini_mias", "folder"];
        let (at, file) = match given {
            Some(v) => (v.referenced, v.value),
            None => (Location::UNKNOWN, SourceFile::default()),
        };
        let kind = file.kind.as_ref().map_or("phantom", |kind| kind.value.as_str());
        let refuse = |key: &str, at: Option<Location>| match at {
            Some(at) => self.wrong(at, format!("`{key}` does not belong to the source `{kind}`")),
            None => Ok(()),
        };
        match kind {
            "phantom" => {
                refuse("path", file.path.map(|v| v.referenced))?;
                refuse("regions", file.regions.map(|v| v.referenced))?;
                let patients = ("source.patients", defaults::PATIENTS);
                let height = ("source.height", defaults::HEIGHT);
                Ok(Source::Phantom {
                    // Each of the three splits can hold a patient.
                    patients: self.whole(patients.0, file.patients, patients.1, 3, 100_000)?,
                    height: self.whole(height.0, file.height, height.1, 128, 8192)?,
                })
            }
            "ddsm" | "ddsm_release" | "cbis_ddsm" | "mini_mias" | "folder" => {
                refuse("patients", file.patients.map(|v| v.referenced))?;
                refuse("height", file.height.map(|v| v.referenced))?;
                if kind != "folder" {
                    refuse("regions", file.regions.as_ref().map(|v| v.referenced))?;
                }
                let holds = match kind {
                    "ddsm" => "cases of DDSM, with their .ics files, at any depth",
                    "ddsm_release" => "ddsm_raw, ddsm_patches and the other folders of the release",
                    "cbis_ddsm" => "the description tables and images of CBIS-DDSM, at any depth",
                    "folder" => "",
                    _ => "Info.txt and the mdbNNN.pgm files",
                };
                let Some(path) = file.path else {
                    let message = if kind == "folder" {
                        "the source `folder` needs `path`, the table of its images (.csv, .jsonl or \
                         .yaml); write `path: TABLE`"
                            .to_owned()
                    } else {
                        format!(
                            "the source `{kind}` needs `path`, the folder that holds {holds}; write \
                             `path: FOLDER`"
                        )
                    };
                    return self.wrong(at, message);
                };
                let path = self.resolve(&path.value);
                Ok(match kind {
                    "ddsm" => Source::Ddsm { path },
                    "ddsm_release" => Source::DdsmRelease { path },
                    "cbis_ddsm" => Source::CbisDdsm { path },
                    "folder" => Source::Folder {
                        table: path,
                        regions: file.regions.map(|regions| self.resolve(&regions.value)),
                    },
                    _ => Source::MiniMias { path },
                })
            }
            other => {
                let at = file.kind.as_ref().map_or(at, |kind| kind.referenced);
                self.wrong(at, unknown("source", other, &KINDS))
            }
        }
    }

    fn patches(&self, file: PatchesFile) -> Result<Patches, Mistake> {
        let default = defaults::PATCHES;
        let share = |key, given, default| self.number(key, given, default, &SHARE);
        let part = |key, given, default| self.number(key, given, default, &POSITIVE_SHARE);
        Ok(Patches {
            window: part("patches.window", file.window, default.window)?,
            stride: part("patches.stride", file.stride, default.stride)?,
            size: self.whole("patches.size", file.size, default.size, 16, 2048)?,
            // Zero would make every patch positive.
            min_lesion: part("patches.min_lesion", file.min_lesion, default.min_lesion)?,
            min_patch: part("patches.min_patch", file.min_patch, default.min_patch)?,
            min_breast: share("patches.min_breast", file.min_breast, default.min_breast)?,
            classes: self.whole("patches.classes", file.classes, default.classes, 2, 3)?,
        })
    }

    fn shares(&self, given: Option<(&SplitFile, Location)>) -> Result<Shares, Mistake> {
        let default = defaults::SHARES;
        let Some((file, at)) = given else { return Ok(default) };
        let share = |key, given: &Given<f64>, default, range| {
            self.number(key, given.clone(), default, range)
        };
        let shares = Shares {
            train: share("split.train", &file.train, default.train, &POSITIVE_SHARE)?,
            validation: share("split.validation", &file.validation, default.validation, &SHARE)?,
            test: share("split.test", &file.test, default.test, &SHARE)?,
        };
        let Shares { train, validation, test } = shares;
        let sum = train + validation + test;
        if (sum - 1.0).abs() > 1e-6 {
            return self.wrong(
                at,
                format!(
                    "the shares of `split` sum to {}, not to 1 (train {train}, validation \
                     {validation}, test {test})",
                    (sum * 1e6).round() / 1e6
                ),
            );
        }
        Ok(shares)
    }

    fn dissection(&self, file: DissectionFile, shares: Shares) -> Result<Dissection, Mistake> {
        let default = defaults::DISSECTION;
        let at = file.split.as_ref().map_or(Location::UNKNOWN, |v| v.referenced);
        let split = file.split.map_or(default.split, |v| v.value);
        let share = match split {
            Split::Train => shares.train,
            Split::Validation => shares.validation,
            Split::Test => shares.test,
        };
        if share == 0.0 {
            return self.wrong(
                at,
                format!("the {split} split is to be dissected, but its share of the patients is 0"),
            );
        }
        let top = default.top as u32;
        Ok(Dissection {
            split,
            top: self.whole("dissection.top", file.top, top, 1, 1000)? as usize,
            threshold: match file.threshold {
                Some(given) => self.threshold(given)?,
                None => default.threshold,
            },
            anchor: file.anchor.map_or(default.anchor, |v| v.value),
            permutations: self.whole(
                "dissection.permutations",
                file.permutations,
                default.permutations,
                0,
                10_000,
            )?,
            detector: self.number(
                "dissection.detector",
                file.detector,
                default.detector,
                &INNER_SHARE,
            )?,
        })
    }

    fn threshold(&self, given: Spanned<ThresholdFile>) -> Result<Threshold, Mistake> {
        let inner = |key, v: Spanned<f64>, range| self.number(key, Some(v), 0.0, range);
        match (given.value.quantile, given.value.fraction_of_max) {
            (Some(q), None) => {
                inner("dissection.threshold.quantile", q, &INNER_SHARE).map(Threshold::Quantile)
            }
            (None, Some(f)) => inner("dissection.threshold.fraction_of_max", f, &INNER_SHARE)
                .map(Threshold::FractionOfMax),
            _ => self.wrong(
                given.referenced,
                "expected exactly one rule: `quantile: 0.005` or `fraction_of_max: 0.2`",
            ),
        }
    }

    fn theme(&self, given: Given<String>) -> Result<String, Mistake> {
        match given {
            Some(v) => self.name("theme", v),
            None => Ok(defaults::THEME.to_owned()),
        }
    }

    /// A word that is safe as the name of a file or folder.
    fn name(&self, key: &str, v: Spanned<String>) -> Result<String, Mistake> {
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if v.value.is_empty() || v.value.starts_with('.') || !v.value.chars().all(safe) {
            return self.wrong(
                v.referenced,
                format!(
                    "`{key}` is `{}`; expected a name of letters, digits, `-`, `_` and `.`",
                    v.value
                ),
            );
        }
        Ok(v.value)
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
