//! The project file as it is written: every key optional, every value with its place.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::{Deserialize, Deserializer, de};
use serde_yaml::Spanned;

use super::{Anchor, Schedule};
use architecture::{Pooling, Precision};
use base::Split;

/// A value with its place; absent when the key is absent or has no value.
pub(super) type Given<T> = Option<Spanned<T>>;

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    pub(super) title: Given<String>,
    pub(super) base_url: Given<String>,
    pub(super) output: Given<PathBuf>,
    pub(super) seed: Given<u64>,
    pub(super) device: Given<String>,
    pub(super) source: Given<SourceFile>,
    pub(super) patches: Option<PatchesFile>,
    pub(super) split: Given<SplitFile>,
    pub(super) networks: Given<Vec<Spanned<NetworkFile>>>,
    pub(super) dissection: Option<DissectionFile>,
    pub(super) cases: Option<CasesFile>,
    pub(super) survey: Option<SurveyFile>,
    pub(super) theme: Given<String>,
    pub(super) theme_options: Option<BTreeMap<String, String>>,
    pub(super) citation: Option<CitationFile>,
    pub(super) figures: Option<Vec<FigureFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FigureFile {
    pub(super) kind: Spanned<String>,
    #[serde(default)]
    pub(super) name: Given<String>,
    #[serde(default)]
    pub(super) unit: Given<String>,
    #[serde(default)]
    pub(super) units: Given<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) network: Given<String>,
    #[serde(default)]
    pub(super) mammogram: Given<String>,
    #[serde(default)]
    pub(super) patches: Given<i64>,
    #[serde(default)]
    pub(super) columns: Given<i64>,
    #[serde(default)]
    pub(super) width: Given<f64>,
    #[serde(default)]
    pub(super) dpi: Given<i64>,
    #[serde(default)]
    pub(super) formats: Given<Vec<Spanned<String>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CitationFile {
    pub(super) authors: Option<Vec<String>>,
    pub(super) year: Given<i64>,
    pub(super) doi: Given<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SourceFile {
    pub(super) kind: Given<String>,
    pub(super) path: Given<PathBuf>,
    pub(super) regions: Given<PathBuf>,
    pub(super) patients: Given<i64>,
    pub(super) height: Given<i64>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PatchesFile {
    pub(super) window: Given<f64>,
    pub(super) stride: Given<f64>,
    pub(super) size: Given<i64>,
    pub(super) min_lesion: Given<f64>,
    pub(super) min_patch: Given<f64>,
    pub(super) min_breast: Given<f64>,
    pub(super) classes: Given<i64>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SplitFile {
    pub(super) train: Given<f64>,
    pub(super) validation: Given<f64>,
    pub(super) test: Given<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NetworkFile {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) weights: Given<PathBuf>,
    #[serde(default)]
    pub(super) layers: Given<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) input: Given<i64>,
    #[serde(default)]
    pub(super) pooling: Given<Pooling>,
    #[serde(default)]
    pub(super) training: Option<Switch>,
}

/// `training`: settings, or whether to train at all.
pub(super) enum Switch {
    Flag(bool),
    Settings(Box<TrainingFile>),
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TrainingFile {
    pub(super) epochs: Given<i64>,
    pub(super) batch: Given<i64>,
    pub(super) lr: Given<f64>,
    pub(super) momentum: Given<f64>,
    pub(super) weight_decay: Given<f64>,
    pub(super) lr_decay_epochs: Option<Vec<Spanned<i64>>>,
    pub(super) schedule: Option<Schedule>,
    pub(super) warmup: Given<i64>,
    pub(super) augment: Option<AugmentSwitch>,
    pub(super) balance: Option<bool>,
    pub(super) auxiliary: Given<bool>,
    pub(super) precision: Option<Precision>,
    pub(super) class_weights: Given<WeightsChoice>,
    pub(super) early_stopping: Given<i64>,
    pub(super) checkpoint_minutes: Given<f64>,
    pub(super) tensorboard: Option<bool>,
}

/// `augment`: all the symmetries, nothing, or one by one.
pub(super) enum AugmentSwitch {
    Flag(bool),
    Settings(AugmentFile),
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AugmentFile {
    pub(super) flips: Option<bool>,
    pub(super) rotations: Option<bool>,
    pub(super) intensity: Given<f64>,
}

/// `select`: a word, or names of units.
pub(super) enum SelectChoice {
    Word(String),
    Units(Vec<Spanned<String>>),
}

/// `class_weights`: a word, or a number per class.
pub(super) enum WeightsChoice {
    Word(String),
    Numbers(Vec<Spanned<f64>>),
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DissectionFile {
    pub(super) split: Given<Split>,
    pub(super) top: Given<i64>,
    pub(super) threshold: Given<ThresholdFile>,
    pub(super) anchor: Given<Anchor>,
    pub(super) permutations: Given<i64>,
    pub(super) detector: Given<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ThresholdFile {
    pub(super) quantile: Given<f64>,
    pub(super) fraction_of_max: Given<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CasesFile {
    pub(super) found: Given<i64>,
    pub(super) false_alarms: Given<i64>,
    pub(super) missed: Given<i64>,
    pub(super) random: Given<i64>,
    pub(super) list: Given<Vec<Spanned<String>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SurveyFile {
    pub(super) study: Given<String>,
    pub(super) layers: Given<Vec<Spanned<String>>>,
    pub(super) select: Given<SelectChoice>,
    pub(super) cancer: Given<f64>,
    pub(super) contact: Given<String>,
    pub(super) units: Given<i64>,
    pub(super) patches: Given<i64>,
    pub(super) repeats: Given<f64>,
    pub(super) blind: Option<bool>,
    pub(super) lexicon: Given<String>,
}

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        // By hand: an untagged enum would lose the places of the settings.
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Switch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("false, true or a mapping of settings")
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Switch, E> {
                Ok(Switch::Flag(value))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Switch, A::Error> {
                TrainingFile::deserialize(MapAccessDeserializer::new(map))
                    .map(|settings| Switch::Settings(Box::new(settings)))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl<'de> Deserialize<'de> for AugmentSwitch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = AugmentSwitch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("false, true or a mapping of `flips`, `rotations` and `intensity`")
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<AugmentSwitch, E> {
                Ok(AugmentSwitch::Flag(value))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<AugmentSwitch, A::Error> {
                AugmentFile::deserialize(MapAccessDeserializer::new(map))
                    .map(AugmentSwitch::Settings)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl<'de> Deserialize<'de> for WeightsChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = WeightsChoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("none, balanced or a list of numbers, one per class")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<WeightsChoice, E> {
                Ok(WeightsChoice::Word(word.to_owned()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<WeightsChoice, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(WeightsChoice::Numbers)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl<'de> Deserialize<'de> for SelectChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = SelectChoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("mixed, random, influence or a list of units")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<SelectChoice, E> {
                Ok(SelectChoice::Word(word.to_owned()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<SelectChoice, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(SelectChoice::Units)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}
