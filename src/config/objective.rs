//! What a network is trained to be right about: patches, or whole mammograms by their patches.

use std::fmt;

use schemars::JsonSchema;
use serde::de;
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use serde_yaml::{Location, Spanned};

use crate::check::Check;
use crate::option::{Shape, Value};
use crate::value::POSITIVE_SHARE;
use base::yaml::{Mistake, unknown};

/// What the loss is of.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Every patch has a label of its own.
    #[default]
    Patches,
    /// A mammogram has a label, and its patches together make its score (multiple-instance learning).
    Mil(Mil),
}

options! {
    /// How the patches of a mammogram, which are always met together, make the score of it.
    #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
    pub struct Mil(MilForm, "objective.", Mil::settle) {
        /// How patches are pooled.
        pub pooling: Bag = "top_k";
        /// With `top_k`, the share of a mammogram's patches whose mean counts; at least one patch.
        pub share: f64 = "0.3", in POSITIVE_SHARE;
    }
}

/// How the patches of a mammogram are pooled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bag {
    /// The mammogram has what any of its patches has, taken as independent of one another.
    NoisyOr,
    /// The mean over the patches with the highest probabilities.
    TopK,
    /// The mean of the logits, weighted by what the network learns to attend to (Ilse et al., 2018).
    Attention,
}

impl Mil {
    fn settle(&mut self, check: &Check<'_>, form: &MilForm, _: Location) -> Result<(), Mistake> {
        match &form.share {
            Some(share) if self.pooling != Bag::TopK => check.wrong(
                share.referenced,
                "`share` says of how many patches `top_k` takes the mean; the other poolings take all",
            ),
            _ => Ok(()),
        }
    }
}

impl Objective {
    /// Whether it is the default; such a training is the same as one of before there was a choice.
    pub(crate) fn is_patches(&self) -> bool {
        *self == Self::Patches
    }
}

/// An objective as it is written.
#[derive(Debug, Clone)]
pub(crate) enum Written {
    Word(String),
    Settings(Box<MilForm>),
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        // By hand: an untagged enum would lose the places of the settings.
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`patches`, `mil`, or a mapping of the settings of `mil`")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Written, E> {
                Ok(Written::Word(word.to_owned()))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Written, A::Error> {
                let form = MilForm::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Written::Settings(form.into()))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl Value for Objective {
    type Written = Written;
    type Rule = ();

    fn read(
        check: &Check<'_>,
        _: &str,
        given: &Spanned<Written>,
        (): &(),
    ) -> Result<Self, Mistake> {
        let at = given.referenced;
        match &given.value {
            Written::Word(word) if word == "patches" => Ok(Self::Patches),
            Written::Word(word) if word == "mil" => {
                Mil::read_form(check, &MilForm::default(), at).map(Self::Mil)
            }
            Written::Word(word) => check.wrong(at, unknown("objective", word, &["patches", "mil"])),
            Written::Settings(form) => Mil::read_form(check, form, at).map(Self::Mil),
        }
    }

    fn shape((): &()) -> Shape {
        let settings = Mil::options();
        Shape {
            words: "`patches`, `mil`, or a mapping of the settings of `mil`".to_owned(),
            schema: json!({ "anyOf": [{ "enum": ["patches", "mil"] }, settings.schema] }),
            parts: settings.parts,
        }
    }
}
