//! The learning rate: a number, or one for each of the parts that a network is trained in.

use std::fmt;

use serde::de;
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use serde_yaml::Spanned;

use crate::check::Check;
use crate::option::{Shape, Value};
use crate::value::POSITIVE;
use base::yaml::Mistake;

/// A learning rate for a network.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Rate {
    /// The same for all of it.
    Same(f64),
    /// One for each of its parts.
    Parts(Rates),
}

options! {
    /// Learning rates of a network's parts. The head is what follows the last probe point: the fully connected
    /// layers, which `freeze` at that point leaves to train. In it is the last layer, which starts at random
    /// where the weights have none for the project's classes.
    #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
    pub struct Rates(RatesForm, "lr.") {
        /// Learning rate of the head.
        pub head: f64, in POSITIVE, such as "1.0e-3";
        /// Learning rate of everything before it.
        pub rest: f64, in POSITIVE, such as "1.0e-4";
    }
}

impl Rate {
    /// By part.
    pub fn rates(self) -> Rates {
        match self {
            Self::Same(rate) => Rates { head: rate, rest: rate },
            Self::Parts(rates) => rates,
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same(rate) => write!(f, "{rate:e}"),
            Self::Parts(Rates { head, rest }) => {
                write!(f, "{head:e} of the head, {rest:e} of the rest")
            }
        }
    }
}

/// A rate as it is written.
#[derive(Debug, Clone)]
pub(crate) enum Written {
    Same(f64),
    Parts(Box<RatesForm>),
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        // By hand: an untagged enum would lose the places of the rates.
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number above 0, or a mapping of `head` and `rest`")
            }

            fn visit_f64<E: de::Error>(self, rate: f64) -> Result<Written, E> {
                Ok(Written::Same(rate))
            }

            fn visit_i64<E: de::Error>(self, rate: i64) -> Result<Written, E> {
                Ok(Written::Same(rate as f64))
            }

            fn visit_u64<E: de::Error>(self, rate: u64) -> Result<Written, E> {
                Ok(Written::Same(rate as f64))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Written, A::Error> {
                let form = RatesForm::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Written::Parts(form.into()))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl Value for Rate {
    type Written = Written;
    type Rule = ();

    fn read(
        check: &Check<'_>,
        key: &str,
        given: &Spanned<Written>,
        (): &(),
    ) -> Result<Self, Mistake> {
        match &given.value {
            Written::Same(rate) if rate.is_finite() && *rate > 0.0 => Ok(Self::Same(*rate)),
            Written::Same(rate) => {
                let message = format!("`{key}` is {rate}; expected {}", POSITIVE.words);
                check.wrong(given.referenced, message)
            }
            Written::Parts(form) => {
                Rates::read_form(check, form, given.referenced).map(Self::Parts)
            }
        }
    }

    fn shape((): &()) -> Shape {
        let (one, parts) = (f64::shape(&POSITIVE), Rates::options());
        Shape {
            words: format!("{}, or a mapping of `head` and `rest`", one.words),
            schema: json!({ "anyOf": [one.schema, parts.schema] }),
            parts: parts.parts,
        }
    }
}
