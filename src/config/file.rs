//! The check of a project file as it is written ([`form`](super::form)) into a [`Config`].

mod figures;

use std::path::{Component, Path, PathBuf};

use serde_yaml::{Location, Spanned};

use super::form::{
    AugmentSwitch, CasesFile, CitationFile, DissectionFile, File, Given, NetworkFile, PatchesFile,
    SelectChoice, SourceFile, SplitFile, SurveyFile, Switch, ThresholdFile, TrainingFile,
    WeightsChoice,
};
use super::{
    Augment, Cases, Citation, ClassWeights, Config, Device, Dissection, Network, Patches, Select,
    Shares, Source, Split, Start, Survey, Threshold, Training, defaults,
};
use crate::network::{
    ARCHITECTURES, Architecture, Family, MIN_AUXILIARY_INPUT, Pooling, WINDOW7_INPUTS, builtin,
};
use crate::yaml::{Mistake, Text, unknown};

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

    fn cases(&self, file: CasesFile) -> Result<Cases, Mistake> {
        /// Pages per kind and network: more is a data set, not an atlas.
        const MOST: u32 = 1000;
        let default = defaults::cases();
        let mut list: Vec<String> = Vec::new();
        for id in file.list.map(|list| list.value).unwrap_or_default() {
            if list.contains(&id.value) {
                let repeated = format!("`cases.list` names {} twice", id.value);
                return self.wrong(id.referenced, repeated);
            }
            list.push(id.value);
        }
        let count = |key: &str, given, default| {
            self.whole(&format!("cases.{key}"), given, default, 0, MOST)
        };
        Ok(Cases {
            found: count("found", file.found, default.found)?,
            false_alarms: count("false_alarms", file.false_alarms, default.false_alarms)?,
            missed: count("missed", file.missed, default.missed)?,
            random: count("random", file.random, default.random)?,
            list,
        })
    }

    fn survey(
        &self,
        file: SurveyFile,
        top: usize,
        networks: &[Network],
        title: &str,
    ) -> Result<Survey, Mistake> {
        let default = defaults::survey();
        let top = top as u32;
        if let Some(patches) = &file.patches
            && patches.value > i64::from(top)
        {
            return self.wrong(
                patches.referenced,
                format!(
                    "`survey.patches` is {}, but dissection keeps {top} top patches per unit \
                     (`dissection.top`)",
                    patches.value
                ),
            );
        }
        let select = match file.select {
            None => default.select,
            Some(v) => self.select(v, networks)?,
        };
        if let (Select::Listed(_), Some(layers)) = (&select, &file.layers) {
            return self.wrong(
                layers.referenced,
                "`survey.layers` has no use where `survey.select` lists the units; leave it out",
            );
        }
        Ok(Survey {
            study: match file.study {
                Some(v) => self.name("survey.study", v)?,
                None => slug(title).unwrap_or(default.study),
            },
            layers: match (&select, file.layers) {
                (Select::Listed(_), _) => Vec::new(),
                (_, Some(v)) => self.survey_layers(v, networks)?,
                (_, None) => networks
                    .iter()
                    .filter_map(|n| Some((n.name.clone(), n.layers.last()?.clone())))
                    .collect(),
            },
            select,
            cancer: self.number("survey.cancer", file.cancer, default.cancer, &SHARE)?,
            contact: match file.contact {
                Some(v) if v.value.trim().is_empty() || v.value.chars().any(char::is_control) => {
                    return self.wrong(
                        v.referenced,
                        "`survey.contact` is whom readers send their file to, such as an address; \
                         leave it out for nobody",
                    );
                }
                contact => contact.map(|v| v.value.trim().to_owned()),
            },
            units: self.whole("survey.units", file.units, default.units, 1, 10_000)?,
            patches: self.whole(
                "survey.patches",
                file.patches,
                default.patches.min(top),
                1,
                top,
            )?,
            repeats: self.number("survey.repeats", file.repeats, default.repeats, &SHARE)?,
            blind: file.blind.unwrap_or(default.blind),
            lexicon: match file.lexicon {
                Some(v) => self.name("survey.lexicon", v)?,
                None => default.lexicon,
            },
        })
    }

    fn select(
        &self,
        given: Spanned<SelectChoice>,
        networks: &[Network],
    ) -> Result<Select, Mistake> {
        const WORDS: [&str; 4] = ["mixed", "random", "influence", "evidence"];
        let units = match given.value {
            SelectChoice::Word(word) => {
                return match word.as_str() {
                    "mixed" => Ok(Select::Mixed),
                    "random" => Ok(Select::Random),
                    "influence" => Ok(Select::Influence),
                    "evidence" => Ok(Select::Evidence),
                    other => self.wrong(given.referenced, unknown("selection", other, &WORDS)),
                };
            }
            SelectChoice::Units(units) => units,
        };
        if units.is_empty() {
            return self.wrong(given.referenced, "`survey.select` lists no unit");
        }
        let mut names: Vec<String> = Vec::new();
        for unit in units {
            let layer = unit.value.rsplit_once('/').filter(|(_, number)| {
                number.len() >= 4
                    && number.bytes().all(|b| b.is_ascii_digit())
                    && number.parse::<u32>().is_ok_and(|n| format!("{n:04}") == *number && n > 0)
            });
            let Some((layer, _)) = layer else {
                return self.wrong(
                    unit.referenced,
                    format!(
                        "`{}` is not the name of a unit; expected network/layer/number, such as \
                         alexnet/conv5/0063",
                        unit.value
                    ),
                );
            };
            self.probe(layer, unit.referenced, networks)?;
            if names.contains(&unit.value) {
                return self.wrong(unit.referenced, format!("`{}` is listed twice", unit.value));
            }
            names.push(unit.value);
        }
        Ok(Select::Listed(names))
    }

    fn survey_layers(
        &self,
        given: Spanned<Vec<Spanned<String>>>,
        networks: &[Network],
    ) -> Result<Vec<(String, String)>, Mistake> {
        if given.value.is_empty() {
            return self.wrong(given.referenced, "`survey.layers` lists no layer");
        }
        let mut layers = Vec::new();
        for layer in given.value {
            let probe = self.probe(&layer.value, layer.referenced, networks)?;
            if layers.contains(&probe) {
                return self.wrong(layer.referenced, format!("`{}` is listed twice", layer.value));
            }
            layers.push(probe);
        }
        Ok(layers)
    }

    /// A dissected layer by its name, `alexnet/conv5`.
    fn probe(
        &self,
        name: &str,
        at: Location,
        networks: &[Network],
    ) -> Result<(String, String), Mistake> {
        let known: Vec<String> = networks
            .iter()
            .flat_map(|n| n.layers.iter().map(|layer| format!("{}/{layer}", n.name)))
            .collect();
        match name.split_once('/') {
            Some((network, layer)) if known.iter().any(|k| k == name) => {
                Ok((network.to_owned(), layer.to_owned()))
            }
            _ => self.wrong(at, unknown("layer", name, &known)),
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

    fn networks(
        &self,
        given: Given<Vec<Spanned<NetworkFile>>>,
        output: &Path,
        classes: u32,
    ) -> Result<Vec<Network>, Mistake> {
        let Some(list) = given else { return Ok(defaults::networks()) };
        if list.value.is_empty() {
            return self.wrong(
                list.referenced,
                "`networks` is empty; name at least one, or leave the key out for the defaults",
            );
        }
        let mut networks: Vec<Network> = Vec::new();
        for file in list.value {
            let at = file.value.name.referenced;
            let network = self.network(file.value, output, classes)?;
            if networks.iter().any(|other| other.name == network.name) {
                return self.wrong(
                    at,
                    format!("the network `{}` is listed twice; names are unique", network.name),
                );
            }
            networks.push(network);
        }
        Ok(networks)
    }

    fn network(&self, file: NetworkFile, output: &Path, classes: u32) -> Result<Network, Mistake> {
        let architecture = self.architecture(&file.name)?;
        let (least, usual) = (architecture.min_input, architecture.input);
        let input = self.whole("input", file.input, usual, least, 2048)?;
        let untrained = matches!(file.training, Some(Switch::Flag(false)));
        Ok(Network {
            name: architecture.name.to_owned(),
            weights: self.weights(file.weights, output, architecture, untrained)?,
            layers: match file.layers {
                Some(list) => self.layers(list, architecture)?,
                None => architecture.dissected.iter().map(|&layer| layer.to_owned()).collect(),
            },
            input,
            pooling: self.pooling(file.pooling, architecture, input)?,
            training: match file.training {
                Some(Switch::Flag(false)) => None,
                Some(Switch::Flag(true)) | None => Some(defaults::training()),
                Some(Switch::Settings(file)) => {
                    Some(self.training(*file, architecture, input, classes)?)
                }
            },
        })
    }

    fn architecture(&self, name: &Spanned<String>) -> Result<&'static Architecture, Mistake> {
        if let Some(found) = ARCHITECTURES.iter().find(|a| a.name == name.value) {
            return Ok(found);
        }
        let known: Vec<&str> = ARCHITECTURES.iter().map(|a| a.name).collect();
        self.wrong(name.referenced, unknown("network", &name.value, &known))
    }

    fn weights(
        &self,
        given: Given<PathBuf>,
        output: &Path,
        architecture: &Architecture,
        untrained: bool,
    ) -> Result<Start, Mistake> {
        let Some(path) = given else { return Ok(Start::Random) };
        let name = path.value.to_str().unwrap_or_default();
        if name == "builtin" {
            let known: Vec<&str> = builtin::TRUNKS.iter().map(|trunk| trunk.network).collect();
            return match builtin::find(architecture.name) {
                None => self.wrong(
                    path.referenced,
                    format!(
                        "there are no built-in weights for {}, only for {}",
                        architecture.name,
                        known.join(" and ")
                    ),
                ),
                Some(_) if untrained => self.wrong(
                    path.referenced,
                    "the built-in weights end with the convolutions: the layers after them must be \
                     trained, so `training: false` cannot be",
                ),
                Some(_) => Ok(Start::Builtin),
            };
        }
        if self.resolve(&path.value).starts_with(output) {
            return self.wrong(
                path.referenced,
                "`weights` lies in this project's own output folder, which training writes to; copy \
                 the file elsewhere, or name another project's",
            );
        }
        let kinds = [".pth", ".pt", ".pth.tar", ".bin", ".safetensors"];
        if kinds.iter().any(|kind| name.ends_with(kind)) {
            return Ok(Start::File(self.resolve(&path.value)));
        }
        self.wrong(
            path.referenced,
            "`weights` must be `builtin`, a file of PyTorch (.pth, .pt, .pth.tar, .bin) or a \
             .safetensors file",
        )
    }

    fn layers(
        &self,
        list: Spanned<Vec<Spanned<String>>>,
        architecture: &Architecture,
    ) -> Result<Vec<String>, Mistake> {
        if list.value.is_empty() {
            return self.wrong(
                list.referenced,
                format!(
                    "`layers` is empty; the layers of {} are {}",
                    architecture.name,
                    architecture.layers.join(", ")
                ),
            );
        }
        let mut layers: Vec<String> = Vec::new();
        for layer in list.value {
            if !architecture.layers.contains(&layer.value.as_str()) {
                let what = format!("layer of {}", architecture.name);
                return self
                    .wrong(layer.referenced, unknown(&what, &layer.value, architecture.layers));
            }
            if layers.contains(&layer.value) {
                return self.wrong(
                    layer.referenced,
                    format!("the layer `{}` is listed twice", layer.value),
                );
            }
            layers.push(layer.value);
        }
        Ok(layers)
    }

    fn pooling(
        &self,
        given: Given<Pooling>,
        architecture: &Architecture,
        input: u32,
    ) -> Result<Pooling, Mistake> {
        let Some(v) = given else { return Ok(Pooling::default()) };
        if architecture.family != Family::ResNet {
            let name = architecture.name;
            return self.wrong(
                v.referenced,
                format!("`pooling` is a choice of the ResNets; {name} has none"),
            );
        }
        if v.value == Pooling::Window7 && !WINDOW7_INPUTS.contains(&input) {
            let (least, most) = WINDOW7_INPUTS.into_inner();
            return self.wrong(
                v.referenced,
                format!("`window7` needs an `input` of {least} to {most} pixels, not {input}"),
            );
        }
        Ok(v.value)
    }

    fn auxiliary(
        &self,
        given: Given<bool>,
        architecture: &Architecture,
        input: u32,
    ) -> Result<bool, Mistake> {
        let Some(v) = given else { return Ok(false) };
        if architecture.family != Family::Inception {
            let name = architecture.name;
            return self.wrong(
                v.referenced,
                format!("`auxiliary` is a choice of inception_v3; {name} has none"),
            );
        }
        if v.value && input < MIN_AUXILIARY_INPUT {
            return self.wrong(
                v.referenced,
                format!(
                    "the auxiliary classifier needs an `input` of at least {MIN_AUXILIARY_INPUT} \
                     pixels, not {input}"
                ),
            );
        }
        Ok(v.value)
    }

    fn training(
        &self,
        file: TrainingFile,
        architecture: &Architecture,
        input: u32,
        classes: u32,
    ) -> Result<Training, Mistake> {
        let default = defaults::training();
        let mut lr_decay_epochs = Vec::new();
        for epoch in file.lr_decay_epochs.unwrap_or_default() {
            let at = epoch.referenced;
            let epoch = self.whole("lr_decay_epochs", Some(epoch), 1, 1, 100_000)?;
            if lr_decay_epochs.last().is_some_and(|&last| last >= epoch) {
                return self.wrong(at, "`lr_decay_epochs` must rise from entry to entry");
            }
            lr_decay_epochs.push(epoch);
        }
        let batch = default.batch as u32;
        Ok(Training {
            epochs: self.whole("epochs", file.epochs, default.epochs, 1, 100_000)?,
            batch: self.whole("batch", file.batch, batch, 1, 65_536)? as usize,
            lr: self.number("lr", file.lr, default.lr, &POSITIVE)?,
            momentum: self.number("momentum", file.momentum, default.momentum, &BELOW_ONE)?,
            weight_decay: self.number(
                "weight_decay",
                file.weight_decay,
                default.weight_decay,
                &NOT_NEGATIVE,
            )?,
            lr_decay_epochs,
            schedule: file.schedule.unwrap_or(default.schedule),
            warmup: self.whole("warmup", file.warmup, default.warmup, 0, u32::MAX)?,
            augment: match file.augment {
                Some(switch) => self.augment(switch)?,
                None => default.augment,
            },
            balance: file.balance.unwrap_or(default.balance),
            class_weights: match file.class_weights {
                Some(choice) => self.class_weights(choice, classes)?,
                None => default.class_weights,
            },
            early_stopping: match file.early_stopping {
                Some(epochs) => Some(self.whole("early_stopping", Some(epochs), 1, 1, 100_000)?),
                None => default.early_stopping,
            },
            checkpoint_minutes: self.number(
                "checkpoint_minutes",
                file.checkpoint_minutes,
                default.checkpoint_minutes,
                &NOT_NEGATIVE,
            )?,
            tensorboard: file.tensorboard.unwrap_or(default.tensorboard),
            auxiliary: self.auxiliary(file.auxiliary, architecture, input)?,
            precision: file.precision.unwrap_or(default.precision),
        })
    }

    fn augment(&self, switch: AugmentSwitch) -> Result<Augment, Mistake> {
        Ok(match switch {
            AugmentSwitch::Flag(false) => Augment::NONE,
            AugmentSwitch::Flag(true) => Augment::SYMMETRIES,
            AugmentSwitch::Settings(file) => Augment {
                flips: file.flips.unwrap_or(Augment::SYMMETRIES.flips),
                rotations: file.rotations.unwrap_or(Augment::SYMMETRIES.rotations),
                intensity: self.number("augment.intensity", file.intensity, 0.0, &BELOW_ONE)?,
            },
        })
    }

    fn class_weights(
        &self,
        choice: Spanned<WeightsChoice>,
        classes: u32,
    ) -> Result<ClassWeights, Mistake> {
        let at = choice.referenced;
        match choice.value {
            WeightsChoice::Word(word) => match word.as_str() {
                "none" => Ok(ClassWeights::None),
                "balanced" => Ok(ClassWeights::Balanced),
                other => self.wrong(
                    at,
                    unknown("choice of class weights", other, &["none", "balanced"])
                        + "; a list gives each class its own, such as [1, 2]",
                ),
            },
            WeightsChoice::Numbers(list) if list.len() != classes as usize => self.wrong(
                at,
                format!(
                    "`class_weights` has {}, but there are {classes} classes \
                     (`patches.classes`)",
                    list.len()
                ),
            ),
            WeightsChoice::Numbers(list) => {
                let weight = |v| self.number("class_weights", Some(v), 1.0, &POSITIVE);
                list.into_iter().map(weight).collect::<Result<_, _>>().map(ClassWeights::Given)
            }
        }
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
