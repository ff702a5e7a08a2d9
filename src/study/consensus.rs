//! `content/consensus.yaml`: what the authors of a study settled on. It is what the BI-RADS table shows
//! of a unit, with every reader's words beside it.
//!
//! ```yaml
//! schema: 1
//! study: ddsm-2018
//! units:
//!   - unit: vgg16/conv5_3/0063
//!     label: calcifications, innumerable
//!     terms: [calcifications]        # of any lexicon; the categories follow from them …
//!     categories: [Calcification]    # … unless they are given; ["-"] where BI-RADS has no counterpart
//!     association: malignant         # optional, as in readers' files
//!     note: both readers agreed      # optional
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_yaml::{Location, Spanned};

use super::answer::Association;
use super::labels::{Dissected, Problem, Severity, find_unit};
use base::UnitId;
use base::yaml::{self, Mistake, Text, unknown};
use lexicon::Lexicons;

/// What was settled; empty without a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Consensus {
    /// Units in the order of the file.
    pub units: Vec<Settled>,
}

/// What was settled of one unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settled {
    /// The unit; it need not be one of the atlas.
    pub unit: UnitId,
    /// What the unit shows, in words.
    pub label: String,
    /// Term ids.
    pub terms: Vec<String>,
    /// Categories as the paper's Figure 4 prints them; `-` where BI-RADS has none.
    pub categories: Vec<String>,
    /// Association with cancer.
    pub association: Option<Association>,
    /// Why, or by whom.
    pub note: Option<String>,
}

impl Consensus {
    /// What was settled of a unit.
    pub fn of(&self, unit: &UnitId) -> Option<&Settled> {
        self.units.iter().find(|settled| settled.unit == *unit)
    }
}

impl Settled {
    /// Whether it has a counterpart in BI-RADS.
    pub fn is_birads(&self) -> bool {
        self.categories.iter().any(|category| category != NO_CATEGORY)
    }
}

/// The category of what BI-RADS has no word for.
pub const NO_CATEGORY: &str = "-";

/// Reads and checks the file. Left out are units that are given twice, have no label, unknown terms or
/// unknown categories, or neither; a unit that the atlas does not have is only pointed out. A file that
/// cannot be read as a whole settles nothing.
///
/// `study` is that of the readers' files, where there are any: a file of another study settles nothing.
pub fn read(
    path: &Path,
    study: Option<&str>,
    layers: &[Dissected],
    lexicons: &Lexicons,
) -> (Consensus, Vec<Problem>) {
    let problem = |mistake: Mistake, severity| Problem { mistake, severity };
    if !path.exists() {
        return (Consensus::default(), Vec::new());
    }
    let text = match yaml::read(path) {
        Ok(text) => text,
        Err(mistake) => return (Consensus::default(), vec![problem(mistake, Severity::Error)]),
    };
    let text = Text { path, text: &text };
    let file: File = match text.parse() {
        Ok(file) => file,
        Err(mistake) => return (Consensus::default(), vec![problem(mistake, Severity::Error)]),
    };
    let mut problems = Vec::new();
    if file.schema.value != 1 {
        let message = format!("schema {} is unknown; expected 1", file.schema.value);
        let mistake = text.mistake(file.schema.referenced, message);
        return (Consensus::default(), vec![problem(mistake, Severity::Error)]);
    }
    if let Some(study) = study
        && study.trim() != file.study.value.trim()
    {
        let message = format!(
            "belongs to the study `{}`, but the readers' files to `{study}`; one atlas holds one study",
            file.study.value
        );
        let mistake = text.mistake(file.study.referenced, message);
        return (Consensus::default(), vec![problem(mistake, Severity::Error)]);
    }
    let mut consensus = Consensus::default();
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for unit in &file.units {
        let mut found = unit.mistakes(lexicons);
        let name = unit.unit.value.as_str();
        if let Some(line) = seen.insert(name, unit.unit.referenced.line()) {
            let message = format!("`{name}` is settled twice; the first is in line {line}");
            found.push((unit.unit.referenced, message));
        }
        let holds = found.is_empty();
        problems
            .extend(found.into_iter().map(|(at, m)| problem(text.mistake(at, m), Severity::Error)));
        if holds && let Ok(settled) = name.parse() {
            if let Err(message) = find_unit(name, layers) {
                let mistake = text.mistake(unit.unit.referenced, message);
                problems.push(problem(mistake, Severity::Warning));
            }
            consensus.units.push(unit.content(settled, lexicons));
        }
    }
    (consensus, problems)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: Spanned<u32>,
    study: Spanned<String>,
    units: Vec<UnitFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitFile {
    unit: Spanned<String>,
    label: Spanned<String>,
    #[serde(default)]
    terms: Vec<Spanned<String>>,
    #[serde(default)]
    categories: Vec<Spanned<String>>,
    #[serde(default)]
    association: Option<Association>,
    #[serde(default)]
    note: Option<String>,
}

impl UnitFile {
    fn mistakes(&self, lexicons: &Lexicons) -> Vec<(Location, String)> {
        let mut found = Vec::new();
        let mut add = |at: Location, message: String| found.push((at, message));
        if let Err(why) = self.unit.value.parse::<UnitId>() {
            add(self.unit.referenced, format!("`{}` {why}", self.unit.value));
        }
        if self.label.value.trim().is_empty() {
            add(self.label.referenced, "`label` is empty".to_owned());
        }
        for term in &self.terms {
            if lexicons.term(&term.value).is_none() {
                let message = match lexicons.resolve(&term.value) {
                    Ok(entry) => {
                        format!("unknown term `{}`; did you mean `{}`?", term.value, entry.term.id)
                    }
                    Err(unresolved) => unresolved.to_string(),
                };
                add(term.referenced, message);
            }
        }
        let mut known: Vec<&str> = lexicons.entries().map(|entry| entry.category).collect();
        known.push(NO_CATEGORY);
        known.sort_unstable();
        known.dedup();
        for category in &self.categories {
            if !known.contains(&category.value.as_str()) {
                add(category.referenced, unknown("category", &category.value, &known));
            }
        }
        if self.terms.is_empty() && self.categories.is_empty() {
            let message = "neither `terms` nor `categories`; give `categories: [\"-\"]` where BI-RADS \
                           has no counterpart";
            add(self.unit.referenced, message.to_owned());
        }
        found
    }

    fn content(&self, unit: UnitId, lexicons: &Lexicons) -> Settled {
        let terms: Vec<String> = self.terms.iter().map(|term| term.value.clone()).collect();
        let mut categories: Vec<String> =
            self.categories.iter().map(|category| category.value.clone()).collect();
        if categories.is_empty() {
            categories = lexicons.categories(&terms);
        }
        // A dash says that there is none: beside one it says nothing.
        if categories.iter().any(|category| category != NO_CATEGORY) {
            categories.retain(|category| category != NO_CATEGORY);
        }
        Settled {
            unit,
            label: self.label.value.clone(),
            terms,
            categories,
            association: self.association,
            note: self.note.clone(),
        }
    }
}

#[cfg(test)]
#[path = "consensus_tests.rs"]
mod tests;
