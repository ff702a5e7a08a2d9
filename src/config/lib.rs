//! `atlas.yaml`: what a project is made of. Everything has a default; unknown keys are refused.
//!
//! Each option is declared once, with its type, default, range and documentation, in the file of its
//! section; `option.rs` says how. Its reading, the `atlas.yaml` of new projects, the JSON Schema and
//! `docs/reference.md` follow from that ([`written`]).
//!
//! In: the text of a project file. Out: a [`Config`], whose paths are absolute and whose every value is checked,
//! or a [`Mistake`] with its line, column and a caret. What stages depend on is part of their stamps by its
//! serialised form: a field's name here is part of the artifacts' format.

#[macro_use]
mod option;
mod check;
mod dissection;
pub mod figures;
mod mammograms;
mod namer;
mod network;
mod objective;
mod output;
mod patches;
mod rate;
mod reading;
mod recorded;
mod source;
mod survey;
mod value;
pub mod written;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_yaml::Location;

use self::check::Check;
use self::option::Value;
use self::value::{Form, NAME, place};
use base::Device;
use base::yaml::{self, Mistake, Text};

pub use self::dissection::{Anchor, Cases, Dissection, SIGNIFICANCE, Threshold, Visualised};
pub use self::mammograms::{Depth, Fineness, Mammograms};
pub use self::namer::{Namer, Scoring, Towers};
pub use self::network::{Augment, ClassWeights, Network, Origin, Run, Schedule, Start, Training};
pub use self::objective::{Bag, Mil, Objective};
pub use self::output::{Head, Output, Scale};
pub use self::patches::{Labels, Patches, Shares};
pub use self::rate::{Rate, Rates};
pub use self::reading::Reading;
pub use self::recorded::{Header, RECORDING, RECORDING_FORMAT, Recorded, RecordedLayer};
pub use self::source::{Source, Unwanted};
pub use self::survey::{Background, Select, Survey};

/// Name of the project file.
pub const FILE_NAME: &str = "atlas.yaml";

options! {
    /// A resolved project file: paths are absolute, every value is checked.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct Config(ConfigForm, "", Config::settle) {
        fixed {
            /// Folder of the project file; content, themes and labels are looked up here.
            root: PathBuf = Check::folder;
        }

        /// Title of the atlas.
        pub title: String = "Unit atlas", in TITLE;
        /// Address at which the site will be published. Links are relative without it, so that the site
        /// opens from a folder, a USB stick or a zip.
        pub base_url: Option<String>, in ADDRESS, else "none", such as "https://example.org/atlas";
        /// Folder for everything that is generated.
        pub output: PathBuf = OUTPUT;
        /// Seed of everything random: phantoms, the split, initial weights, the order of patches.
        pub seed: u64 = "123";
        /// What to compute on: auto (the best that is compiled in and present), cpu, cuda (all GPUs, a
        /// network on each), cuda:0 or metal.
        pub device: Device = "auto";
        /// Where the mammograms come from.
        pub source: Source = "{}";
        /// How finely whole mammograms are shown.
        pub mammograms: Mammograms = "{}";
        /// How mammograms are cut into patches.
        pub patches: Patches = "{}";
        /// Shares of the patients; they sum to 1.
        pub split: Shares = "{}";
        /// Networks in the order of their pages; only `name` must be given.
        pub networks: Vec<Network> = network::NETWORKS;
        /// How units are dissected.
        pub dissection: Dissection = "{}";
        /// Which machine names units, beside people and outlines.
        pub namer: Namer = "{}";
        /// Mammograms of the validation split that get a page with the evidence for cancer in them, per
        /// network.
        pub cases: Cases = "{}";
        /// What expert readers are asked.
        pub survey: Survey = "{}";
        /// Mammograms that expert readers score, before and after they see an explanation.
        pub reading: Reading = "{}";
        /// Theme: a folder of themes/, or a built-in one: default, or paper (white, for print).
        pub theme: String = "default", in NAME;
        /// Options of the theme. Both built-in ones have `footer`, a line at the foot of every page.
        pub theme_options: BTreeMap<String, String> = "{}";
        /// How the atlas is to be cited, on its page.
        pub citation: Citation = "{}";
        /// Figures for papers that `run` and `build` keep up to date in output/figures; see
        /// docs/figures.md of unit-atlas. One of them is
        /// `{ kind: roc, width: 90, formats: [pdf, tex] }`.
        pub figures: Vec<figures::Wanted> = "[]";
    }
}

section! {
    /// How the atlas is to be cited; what is not known is left out.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct Citation(CitationForm, "citation.", Citation::without_blanks) {
        /// Authors, each as `Family, Given`.
        pub authors: Vec<String> = "[]";
        /// Year of publication.
        pub year: Option<u32>, in 1900..=2999, else "none", such as "2026";
        /// Digital object identifier.
        pub doi: Option<String>, in DOI, else "none", such as "10.1117/12.2293890";
    }
}

impl Citation {
    fn without_blanks(
        &mut self,
        _: &Check<'_>,
        _: &CitationForm,
        _: Location,
    ) -> Result<(), Mistake> {
        self.authors.retain(|author| !author.trim().is_empty());
        Ok(())
    }
}

const DOI: Form = Form {
    words: "10.…/…",
    pattern: r"^\s*(https://doi\.org/)?10\.\S*\s*$",
    read: |check, key, given| {
        // As it is printed, without the address of its resolver.
        let doi = given.value.trim().trim_start_matches("https://doi.org/");
        if !doi.starts_with("10.") || doi.contains(char::is_whitespace) {
            return check.wrong(given.referenced, format!("`{key}` is `{doi}`; expected 10.…/…"));
        }
        Ok(doi.to_owned())
    },
};

const TITLE: Form = Form {
    words: "text",
    pattern: r"\S",
    read: |check, key, given| match given.value.trim() {
        "" => {
            check.wrong(given.referenced, format!("`{key}` is empty; leave it out for the default"))
        }
        title => Ok(title.to_owned()),
    },
};

const ADDRESS: Form = Form {
    words: "an address",
    pattern: "^\\s*https?://[^\\s\"'<>?#]+\\s*$",
    read: |check, key, given| {
        let url = given.value.trim().trim_end_matches('/');
        let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"\"'<>?#".contains(c);
        match host {
            Some(host) if !host.is_empty() && host.chars().all(plain) => Ok(url.to_owned()),
            _ => check.wrong(
                given.referenced,
                format!(
                    "`{key}` is `{}`; expected an address such as https://example.org/atlas",
                    given.value
                ),
            ),
        }
    },
};

impl Config {
    /// The project file: `explicit` (a file, or a folder that holds `atlas.yaml`), or the nearest
    /// `atlas.yaml` in `start` or a folder above it, as git looks for its repository.
    ///
    /// # Errors
    /// When there is none; says where it looked.
    pub fn find(explicit: Option<&Path>, start: &Path) -> Result<PathBuf> {
        if let Some(path) = explicit {
            let path = if path.is_dir() { path.join(FILE_NAME) } else { path.to_owned() };
            if !path.is_file() {
                bail!("no project file {}; `unit-atlas init` makes one", path.display());
            }
            return Ok(path);
        }
        let start = std::path::absolute(start)
            .with_context(|| format!("cannot resolve the folder {}", start.display()))?;
        match start.ancestors().map(|folder| folder.join(FILE_NAME)).find(|file| file.is_file()) {
            Some(file) => Ok(file),
            None => bail!(
                "no {FILE_NAME} in {} or any folder above it; `unit-atlas init` makes one, \
                 `--config FILE` names one elsewhere",
                start.display()
            ),
        }
    }

    /// Reads a project file.
    ///
    /// # Errors
    /// Names the file, and the line, column and reason where it is not a valid project file.
    pub fn read(path: &Path) -> Result<Self> {
        Ok(Self::parse(&yaml::read(path)?, path)?)
    }

    /// Reads the text of a project file; `path` is where it stands: relative paths in it start from
    /// its folder.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, Mistake> {
        let text = Text { path, text };
        let form: ConfigForm = text.parse()?;
        let mut check = Check::new(text)?;
        // What others are checked against comes first.
        check.output = PathBuf::of(&check, "output", &form.output, Some(OUTPUT), NOWHERE, &())?;
        check.classes =
            Patches::of(&check, "patches", &form.patches, Some("{}"), NOWHERE, &())?.classes;
        if let Some(list) = &form.networks {
            Network::check_all(&check, list)?;
        }
        let networks = Some(network::NETWORKS);
        check.networks = Vec::of(&check, "networks", &form.networks, networks, NOWHERE, &())?;
        Self::read_form(&check, &form, NOWHERE)
    }

    /// Checks what depends on several sections, and takes their defaults from one another.
    fn settle(&mut self, check: &Check<'_>, form: &ConfigForm, _: Location) -> Result<(), Mistake> {
        // Everything in it may be removed, so nothing of the project's own may lie there.
        let own = ["content", "themes"].map(|name| self.root.join(name));
        let output = &self.output;
        if self.root.starts_with(output) || own.iter().any(|own| output.starts_with(own)) {
            return check.wrong(
                place(&form.output),
                "`output` must be a folder of its own, not one that holds or belongs to the \
                 project's files; write `output: output`",
            );
        }
        let trained = self.networks.iter().find(|network| network.training().is_some());
        if let (0.0, Some(network)) = (self.split.train, trained) {
            let at = form.split.as_ref().map_or(NOWHERE, |v| place(&v.value.train));
            let message = format!(
                "the share of the patients to train on is 0, but {} is to be trained; write \
                 `training: false` for networks whose weights are used as they are",
                network.name
            );
            return check.wrong(at, message);
        }
        let split = self.dissection.split;
        if self.split.of(split) == 0.0 {
            let at = form.dissection.as_ref().map_or(NOWHERE, |v| place(&v.value.split));
            let message =
                format!("the {split} split is to be dissected, but its share of the patients is 0");
            return check.wrong(at, message);
        }
        let namer = form.namer.as_ref().map(|v| &v.value);
        self.namer.follow(check, namer, &self.source)?;
        let survey = form.survey.as_ref().map(|v| &v.value);
        self.survey.follow(check, survey, &self.title, self.dissection.top as u32)?;
        match &form.figures {
            Some(forms) => figures::Wanted::check_all(check, &self.figures, &forms.value),
            None => Ok(()),
        }
    }
}

/// The default of `output`.
const OUTPUT: &str = "output";

/// The place of what is not written.
const NOWHERE: Location = Location::UNKNOWN;

#[cfg(test)]
#[path = "../../tests/support/fuzz.rs"]
mod fuzz;
#[cfg(test)]
mod fuzz_target;
#[cfg(test)]
mod tests;

/// What of the project file is fuzzed.
#[cfg(test)]
fn fuzz_targets() -> Vec<fuzz::Target> {
    vec![fuzz_target::target()]
}
