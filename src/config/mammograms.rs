//! `mammograms`: how finely whole mammograms are shown, and with which grey levels; and [`Fineness`], which the survey
//! has too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_yaml::Spanned;

use crate::check::Check;
use crate::option::{Shape, Value};
use base::yaml::Mistake;

section! {
    /// How finely whole mammograms are shown, and with which grey levels.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Mammograms(MammogramsForm, "mammograms.") {
        /// Height in pixels at which a mammogram can be looked at in the viewer, or `source` for every pixel
        /// that there is. Above 900, which `prepare` keeps of each, the mammograms that pages show are read
        /// from the data set once more by `build`, and stand in the site in tiles: one to three megabytes for
        /// one of 4,000 x 5,000 pixels.
        pub height: Fineness = "900";
        /// Whether the viewer has the grey levels of the pictures in the site, or the values of the source, which may
        /// have up to 16 bits: window and level are then as exact as at a workstation, and in the source's own
        /// unit. Such mammograms are read from the data set by `build` and stand in the site without loss: ten to
        /// twenty megabytes for one of 4,000 x 5,000 pixels.
        pub depth: Depth = "display";
    }
}

/// With which grey levels a mammogram is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// 256 levels, as `prepare` makes them.
    Display,
    /// The source's values.
    Source,
}

/// How finely an image is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fineness {
    /// By this many pixels, where it has as many.
    Pixels(u32),
    /// As it is.
    Source,
}

/// Pixels that may be asked for.
const PIXELS: std::ops::RangeInclusive<u32> = 64..=32_768;

impl Fineness {
    /// How many pixels are shown of as many.
    pub fn of(self, there: u32) -> u32 {
        match self {
            Self::Pixels(most) => most.min(there),
            Self::Source => there,
        }
    }
}

/// As it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Written {
    Number(i64),
    Word(String),
    Else(serde_json::Value),
}

impl Value for Fineness {
    type Written = Written;
    type Rule = ();

    fn read(
        check: &Check<'_>,
        key: &str,
        given: &Spanned<Written>,
        (): &(),
    ) -> Result<Self, Mistake> {
        let written = match &given.value {
            Written::Word(word) if word.trim() == "source" => return Ok(Self::Source),
            Written::Word(word) => format!("`{word}`"),
            Written::Else(value) => value.to_string(),
            Written::Number(number) => match u32::try_from(*number) {
                Ok(pixels) if PIXELS.contains(&pixels) => return Ok(Self::Pixels(pixels)),
                _ => number.to_string(),
            },
        };
        let words = Self::shape(&()).words;
        check.wrong(given.referenced, format!("`{key}` is {written}; expected {words}"))
    }

    fn shape((): &()) -> Shape {
        let (least, most) = (PIXELS.start(), PIXELS.end());
        Shape::plain(
            format!("a whole number from {least} to {most}, or `source`"),
            json!({ "oneOf": [
                { "type": "integer", "minimum": least, "maximum": most },
                { "const": "source", "type": "string" },
            ] }),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Config;

    fn parsed(text: &str) -> Result<Config, Mistake> {
        Config::parse(text, Path::new("/project/atlas.yaml"))
    }

    #[test]
    fn fineness_is_pixels_or_all_there_are() {
        let height = |text: &str| parsed(text).unwrap().mammograms.height;
        assert_eq!(height(""), Fineness::Pixels(900));
        assert_eq!(height("mammograms: { height: 2000 }"), Fineness::Pixels(2000));
        assert_eq!(height("mammograms: { height: source }"), Fineness::Source);
        let survey = |text: &str| parsed(text).unwrap().survey.resolution;
        assert_eq!(survey(""), None);
        assert_eq!(survey("survey: { resolution: source }"), Some(Fineness::Source));
        assert_eq!((Fineness::Pixels(900).of(700), Fineness::Source.of(700)), (700, 700));
        for (wrong, shown) in
            [("63", "63"), ("fine", "`fine`"), ("-1", "-1"), ("900.5", "900.5"), ("true", "true")]
        {
            let mistake = parsed(&format!("mammograms: {{ height: {wrong} }}")).unwrap_err();
            let said = format!(
                "`mammograms.height` is {shown}; expected a whole number from 64 to 32768, or `source`"
            );
            assert_eq!(mistake.message, said);
        }
    }
}
