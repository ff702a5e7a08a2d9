//! Units by name: the one place that writes and reads `network/layer/0063`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A unit of a network: one channel of a layer.
///
/// It is written `vgg16/conv5_3/0063`, as in the paper: network, layer, and a number from 1 in four digits
/// (more where a layer has more than 9999 units). Files hold it as that text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitId {
    network: String,
    layer: String,
    number: u32,
}

/// Why a text is no unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAUnit {
    /// It is not three names with slashes between them.
    Form,
    /// Network and layer are followed by what is not a number from 1 in four digits.
    Number {
        /// What stands for the network.
        network: String,
        /// What stands for the layer.
        layer: String,
        /// The number that it is likely to mean: its digits, where there are any.
        digits: Option<u32>,
    },
}

impl UnitId {
    /// The unit with this number, from 1, of a layer. Network and layer are names without a slash.
    pub fn new(network: impl Into<String>, layer: impl Into<String>, number: u32) -> Self {
        Self { network: network.into(), layer: layer.into(), number }
    }

    /// Reads a name whose number may lack its zeros, as people type it: `alexnet/conv5/63`.
    ///
    /// # Errors
    /// When it is not three names with slashes between them, or does not end in a number from 1.
    pub fn typed(text: &str) -> Result<Self, NotAUnit> {
        let text = text.trim();
        let whole = text
            .rsplit_once('/')
            .and_then(|(layer, number)| Some(format!("{layer}/{}", digits(number.parse().ok()?))));
        whole.as_deref().unwrap_or(text).parse()
    }

    /// Its network.
    pub fn network(&self) -> &str {
        &self.network
    }

    /// Its layer.
    pub fn layer(&self) -> &str {
        &self.layer
    }

    /// Its number, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Its number in four digits, `0063`.
    pub fn digits(&self) -> String {
        digits(self.number)
    }

    /// Its place in the layer's list of units, from 0.
    pub fn index(&self) -> usize {
        self.number as usize - 1
    }
}

/// The number of a unit in four digits, `0063`.
pub fn digits(number: u32) -> String {
    format!("{number:04}")
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{:04}", self.network, self.layer, self.number)
    }
}

impl FromStr for UnitId {
    type Err = NotAUnit;

    fn from_str(text: &str) -> Result<Self, NotAUnit> {
        let mut parts = text.split('/');
        let (Some(network), Some(layer), Some(number), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotAUnit::Form);
        };
        if [network, layer, number].iter().any(|part| part.trim().is_empty()) {
            return Err(NotAUnit::Form);
        }
        match number.parse() {
            Ok(n) if n > 0 && digits(n) == number => Ok(Self::new(network, layer, n)),
            _ => {
                let figures: String = number.chars().filter(char::is_ascii_digit).collect();
                Err(NotAUnit::Number {
                    network: network.into(),
                    layer: layer.into(),
                    digits: figures.parse().ok(),
                })
            }
        }
    }
}

impl TryFrom<String> for UnitId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|why: NotAUnit| format!("`{text}` {why}"))
    }
}

impl From<UnitId> for String {
    fn from(unit: UnitId) -> Self {
        unit.to_string()
    }
}

impl fmt::Display for NotAUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => {
                "is not the name of a unit; expected network/layer/number, such as alexnet/conv5/0063"
            }
            Self::Number { .. } => {
                "is not the name of a unit: units are numbered from 1, in four digits, as in \
                 alexnet/conv5/0063"
            }
        })
    }
}

impl std::error::Error for NotAUnit {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for (unit, text) in [
            (UnitId::new("vgg16", "conv5_3", 63), "vgg16/conv5_3/0063"),
            (UnitId::new("a", "b", 12345), "a/b/12345"),
        ] {
            assert_eq!(unit.to_string(), text);
            assert_eq!(text.parse(), Ok(unit.clone()));
            let json = serde_json::to_string(&unit).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<UnitId>(&json).unwrap(), unit);
        }
    }

    #[test]
    fn people_may_leave_zeros_out() {
        let unit = UnitId::new("alexnet", "conv5", 63);
        assert_eq!(UnitId::typed("alexnet/conv5/63"), Ok(unit.clone()));
        assert_eq!(UnitId::typed(" alexnet/conv5/0063 "), Ok(unit));
        assert!(UnitId::typed("alexnet/conv5/x").is_err() && UnitId::typed("63").is_err());
        assert!(UnitId::typed("alexnet/conv5/0").is_err());
    }

    #[test]
    fn what_is_no_name_says_what_it_may_mean() {
        for text in ["", "alexnet", "alexnet/conv5", "alexnet/conv5/0001/2", "alexnet//0001"] {
            assert_eq!(text.parse::<UnitId>(), Err(NotAUnit::Form), "{text}");
        }
        for (text, meant) in [
            ("alexnet/conv5/63", Some(63)),
            ("alexnet/conv5/0000", Some(0)),
            ("alexnet/conv5/unit0063", Some(63)),
            ("alexnet/conv5/00063", Some(63)),
            ("alexnet/conv5/x", None),
        ] {
            let Err(NotAUnit::Number { digits, .. }) = text.parse::<UnitId>() else {
                panic!("{text}")
            };
            assert_eq!(digits, meant, "{text}");
        }
        let error = serde_json::from_str::<UnitId>("\"alexnet/conv5/63\"").unwrap_err();
        assert!(
            error.to_string().contains("`alexnet/conv5/63` is not the name of a unit: units"),
            "{error}"
        );
    }
}
