//! `survey`: what readers are asked.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_yaml::{Location, Spanned};

use crate::Fineness;
use crate::check::Check;
use crate::option::{Shape, Value};
use crate::value::{Choice, Digits, Form, Listed, NAME, SHARE, from_word, place, words};
use base::UnitId;
use base::yaml::Mistake;

section! {
    /// What expert readers are asked (paper, section 2.4).
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Survey(SurveyForm, "survey.", Survey::settle) {
        /// Name of the study in every reader's file.
        pub study: String = "unit-atlas", in NAME, else "made of the title";
        /// Layers whose units are asked for; none where units are listed.
        pub layers: Vec<Layer> = "[]", else "the last dissected layer of each network",
            such as "[alexnet/conv5, resnet18/layer3, resnet18/layer4]";
        /// How units are chosen; or a list of them, such as [alexnet/conv5/0063].
        pub select: Select = "mixed";
        /// Units put to a reader, per network.
        pub units: u32 = "45", in 1..=10_000;
        /// With `mixed`: the share of units whose top patches are mostly cancer.
        pub cancer: f64 = "0.5", in SHARE;
        /// Top patches shown of a unit; at most `dissection.top`.
        pub patches: u32 = "32", in 1..=1000;
        /// Edge in pixels at which patches are shown, or `source` for every pixel that there is: `build` cuts them
        /// from the data set once more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub resolution: Option<Fineness>, else "patches.size", such as "source";
        /// Share of the units asked a second time, to measure a reader's own consistency.
        pub repeats: f64 = "0.1", in SHARE;
        /// Hide the network's name, the scores and the truth of the patches.
        pub blind: bool = "true";
        /// Lexicon of the terms: the id of a file in content/lexicons.
        pub lexicon: String = "bi-rads-5", in NAME;
        /// A file of Markdown that readers must agree to before they begin.
        pub consent: Option<PathBuf>, else "nothing", such as "content/survey/consent.md";
        /// What readers are asked about themselves before they begin; it goes into their files, and on no page.
        pub background: Vec<Background> = "[]", such as "[years, subspecialty]";
        /// Units to practise on before the others, at most, with what is known of them said after each answer: those
        /// that detect something beyond chance, and are not asked about. Answers to them are not kept in the file.
        pub practice: u32 = "0", in 0..=20;
        /// Whom readers send their file to, shown to them at the end.
        pub contact: Option<String>, in CONTACT, else "nobody", such as "name@example.org";
    }
}

/// A layer as (network, layer).
type Layer = (String, String);

const CONTACT: Form = Form {
    words: "text",
    pattern: r"\S",
    read: |check, key, given| match given.value.trim() {
        contact if !contact.is_empty() && !given.value.chars().any(char::is_control) => {
            Ok(contact.to_owned())
        }
        _ => check.wrong(
            given.referenced,
            format!(
                "`{key}` is whom readers send their file to, such as an address; leave it out for \
                 nobody"
            ),
        ),
    },
};

/// What a reader may be asked about themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Background {
    /// For how many years they have read mammograms.
    Years,
    /// Breast imaging, general radiology, in training, or something else.
    Subspecialty,
    /// How many mammograms they read a year.
    MammogramsPerYear,
}

/// How the units of a survey are chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Select {
    /// Partly units whose top patches are all or mostly cancer, partly at random (paper, section 2.4).
    Mixed,
    /// At random.
    Random,
    /// By rank of influence.
    Influence,
    /// By the share of the evidence for cancer that they carry, most first.
    Evidence,
    /// By how far a machine's name and the outlines that they detect part: those that it calls something of another
    /// category, furthest first. See docs/naming.md of unit-atlas.
    Disagreement,
    /// These, by name.
    Listed(#[schemars(with = "Vec<String>")] Vec<UnitId>),
}

impl Listed for Select {
    type Entry = String;
    const EXPECTED: &'static str =
        "mixed, random, influence, evidence, disagreement or a list of units";
}

impl Value for Select {
    type Written = Choice<Self>;
    type Rule = ();

    fn read(
        check: &Check<'_>,
        key: &str,
        given: &Spanned<Choice<Self>>,
        (): &(),
    ) -> Result<Self, Mistake> {
        let units = match &given.value {
            Choice::Word(word) => {
                return from_word("selection", word)
                    .or_else(|message| check.wrong(given.referenced, message));
            }
            Choice::List(units) => units,
        };
        if units.is_empty() {
            return check.wrong(given.referenced, format!("`{key}` lists no unit"));
        }
        let read = |unit| UnitId::read(check, key, unit, &Digits::Four);
        let listed = units.iter().map(read).collect::<Result<_, _>>()?;
        check.unique(units, |unit| format!("`{unit}` is listed twice"))?;
        Ok(Self::Listed(listed))
    }

    fn shape((): &()) -> Shape {
        Choice::<Self>::shape(words::<Self>(), UnitId::shape(&Digits::Four))
    }
}

impl Value for Layer {
    type Written = String;
    type Rule = ();

    fn read(check: &Check<'_>, _: &str, given: &Spanned<String>, (): &()) -> Result<Self, Mistake> {
        check.layer(&given.value, given.referenced)
    }

    fn shape((): &()) -> Shape {
        let form = Form { words: "network/layer", ..Form::default() };
        String::shape(&form)
    }
}

impl Survey {
    fn settle(&mut self, check: &Check<'_>, form: &SurveyForm, _: Location) -> Result<(), Mistake> {
        if let Some(given) = &form.background {
            for (at, one) in given.value.iter().enumerate() {
                if given.value[..at].iter().any(|other| other.value == one.value) {
                    return check.wrong(one.referenced, "`survey.background` asks this twice");
                }
            }
        }
        if let Some(given) = &form.layers {
            if matches!(self.select, Select::Listed(_)) {
                return check.wrong(
                    given.referenced,
                    "`survey.layers` has no use where `survey.select` lists the units; leave it out",
                );
            }
            if given.value.is_empty() {
                return check.wrong(given.referenced, "`survey.layers` lists no layer");
            }
            check.unique(&given.value, |layer| format!("`{layer}` is listed twice"))?;
        } else if !matches!(self.select, Select::Listed(_)) {
            let last = |n: &crate::Network| Some((n.name.clone(), n.layers.last()?.clone()));
            self.layers = check.networks.iter().filter_map(last).collect();
        }
        Ok(())
    }

    /// Takes what the title and the dissection say for what was not written.
    pub(crate) fn follow(
        &mut self,
        check: &Check<'_>,
        form: Option<&SurveyForm>,
        title: &str,
        top: u32,
    ) -> Result<(), Mistake> {
        let patches = form.and_then(|form| form.patches.clone());
        if patches.is_none() {
            self.patches = self.patches.min(top);
        }
        if self.patches > top {
            let message = format!(
                "`survey.patches` is {}, but dissection keeps {top} top patches per unit \
                 (`dissection.top`)",
                self.patches
            );
            return check.wrong(place(&patches), message);
        }
        if form.is_none_or(|form| form.study.is_none())
            && let Some(study) = slug(title)
        {
            self.study = study;
        }
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Config;

    #[test]
    fn what_readers_are_asked_of_themselves_is_listed_once() {
        let parsed = |text: &str| Config::parse(text, Path::new("/project/atlas.yaml"));
        let config =
            parsed("survey: { background: [years, subspecialty], consent: c.md }").unwrap();
        assert_eq!(config.survey.background, [Background::Years, Background::Subspecialty]);
        assert_eq!(config.survey.consent.as_deref(), Some(Path::new("/project/c.md")));
        let twice = parsed("survey:\n  background: [years, years]\n").unwrap_err();
        assert_eq!((twice.line, twice.column), (2, 23), "{twice}");
        assert!(twice.message.contains("asks this twice"), "{twice}");
        let unknown = parsed("survey: { background: [age] }").unwrap_err();
        assert!(unknown.message.contains("years"), "{unknown}");
    }
}
