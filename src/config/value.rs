//! Values that many options have: numbers in ranges, words, texts, paths, lists.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Bound, RangeBounds, RangeInclusive};
use std::path::PathBuf;

use schemars::{JsonSchema, SchemaGenerator};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use serde_yaml::Spanned;

use crate::check::Check;
use crate::option::{Given, Parts, Shape, Value};
use base::text::Encoding;
use base::yaml::{Mistake, unknown};
use base::{Device, Split, UnitId};

/// A set of numbers, and the same in words.
pub(crate) struct Range {
    pub(crate) words: &'static str,
    pub(crate) least: Bound<f64>,
    pub(crate) most: Bound<f64>,
}

impl Range {
    const fn new(words: &'static str, least: Bound<f64>, most: Bound<f64>) -> Self {
        Self { words, least, most }
    }
}

use Bound::{Excluded, Included, Unbounded};

pub(crate) const SHARE: Range = Range::new("a number from 0 to 1", Included(0.0), Included(1.0));
pub(crate) const POSITIVE_SHARE: Range =
    Range::new("a number above 0 and at most 1", Excluded(0.0), Included(1.0));
pub(crate) const INNER_SHARE: Range =
    Range::new("a number between 0 and 1", Excluded(0.0), Excluded(1.0));
pub(crate) const BELOW_ONE: Range =
    Range::new("a number from 0 to below 1", Included(0.0), Excluded(1.0));
pub(crate) const POSITIVE: Range = Range::new("a number above 0", Excluded(0.0), Unbounded);
pub(crate) const NOT_NEGATIVE: Range =
    Range::new("a number of at least 0", Included(0.0), Unbounded);

impl Value for f64 {
    type Written = f64;
    type Rule = Range;

    fn read(
        check: &Check<'_>,
        key: &str,
        given: &Spanned<f64>,
        range: &Range,
    ) -> Result<Self, Mistake> {
        let value = given.value;
        if value.is_finite() && (range.least, range.most).contains(&value) {
            return Ok(value);
        }
        check.wrong(given.referenced, format!("`{key}` is {value}; expected {}", range.words))
    }

    fn shape(range: &Range) -> Shape {
        let mut schema = json!({ "type": "number" });
        let bounds = [
            (range.least, "minimum", "exclusiveMinimum"),
            (range.most, "maximum", "exclusiveMaximum"),
        ];
        for (bound, included, excluded) in bounds {
            match bound {
                Included(value) => schema[included] = value.into(),
                Excluded(value) => schema[excluded] = value.into(),
                Unbounded => {}
            }
        }
        Shape::plain(range.words, schema)
    }
}

impl Value for u32 {
    type Written = i64;
    type Rule = RangeInclusive<u32>;

    fn read(
        check: &Check<'_>,
        key: &str,
        given: &Spanned<i64>,
        range: &RangeInclusive<u32>,
    ) -> Result<Self, Mistake> {
        match u32::try_from(given.value) {
            Ok(value) if range.contains(&value) => Ok(value),
            _ => {
                let words = Self::shape(range).words;
                let message = format!("`{key}` is {}; expected {words}", given.value);
                check.wrong(given.referenced, message)
            }
        }
    }

    fn shape(range: &RangeInclusive<u32>) -> Shape {
        let (least, most) = (range.start(), range.end());
        Shape::plain(
            format!("a whole number from {least} to {most}"),
            json!({ "type": "integer", "minimum": least, "maximum": most }),
        )
    }
}

impl Value for usize {
    type Written = i64;
    type Rule = RangeInclusive<u32>;

    fn read(
        check: &Check<'_>,
        key: &str,
        given: &Spanned<i64>,
        range: &RangeInclusive<u32>,
    ) -> Result<Self, Mistake> {
        u32::read(check, key, given, range).map(|value| value as usize)
    }

    fn shape(range: &RangeInclusive<u32>) -> Shape {
        u32::shape(range)
    }
}

/// What a text must be, in words, as a regular expression where one can say it, and as a check, which
/// gives the text as it is used.
pub(crate) struct Form {
    pub(crate) words: &'static str,
    pub(crate) pattern: &'static str,
    pub(crate) read: fn(&Check<'_>, &str, &Spanned<String>) -> Result<String, Mistake>,
}

impl Default for Form {
    fn default() -> Self {
        Self { words: "text", pattern: "", read: |_, _, given| Ok(given.value.clone()) }
    }
}

/// A word that is safe as the name of a file or folder.
pub(crate) const NAME: Form = Form {
    words: "a name of letters, digits, `-`, `_` and `.`",
    pattern: r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$",
    read: |check, key, given| {
        let name = &given.value;
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(safe) {
            let message = format!("`{key}` is `{name}`; expected {}", NAME.words);
            return check.wrong(given.referenced, message);
        }
        Ok(name.clone())
    },
};

/// Why a name that is safe as that of a file cannot be a folder of the site, whatever machine the site is opened on;
/// `None` where it can.
pub(crate) fn no_folder(name: &str) -> Option<&'static str> {
    /// Letters of a name: a path of several stays below what file systems take.
    const LONGEST: usize = 100;
    const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
    let lower = name.to_ascii_lowercase();
    let stem = lower.split('.').next().unwrap_or_default();
    let numbered = |device: &str| {
        stem.strip_prefix(device)
            .is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    if name.len() > LONGEST {
        Some("has more than 100 letters")
    } else if lower.ends_with(".html") || lower.ends_with('.') {
        Some("ends as no folder of a site may: in `.html` or a dot")
    } else if DEVICES.contains(&stem) || numbered("com") || numbered("lpt") {
        Some("is a device on Windows")
    } else {
        None
    }
}

impl Value for String {
    type Written = String;
    type Rule = Form;

    fn read(
        check: &Check<'_>,
        key: &str,
        given: &Spanned<String>,
        form: &Form,
    ) -> Result<Self, Mistake> {
        (form.read)(check, key, given)
    }

    fn shape(form: &Form) -> Shape {
        let mut schema = json!({ "type": "string" });
        if !form.pattern.is_empty() {
            schema["pattern"] = form.pattern.into();
        }
        Shape::plain(form.words, schema)
    }
}

/// A path is resolved from the project's folder.
impl Value for PathBuf {
    type Written = PathBuf;
    type Rule = ();

    fn read(
        check: &Check<'_>,
        _: &str,
        given: &Spanned<PathBuf>,
        (): &(),
    ) -> Result<Self, Mistake> {
        check.resolve(&given.value, given.referenced)
    }

    fn shape((): &()) -> Shape {
        Shape::plain("a path", json!({ "type": "string" }))
    }
}

/// Values that are used as they are written, and what they are in words.
macro_rules! as_written {
    ($($type:ty: $shape:expr;)*) => { $(
        impl Value for $type {
            type Written = Self;
            type Rule = ();

            fn read(
                _: &Check<'_>,
                _: &str,
                given: &Spanned<Self>,
                (): &(),
            ) -> Result<Self, Mistake> {
                Ok(given.value.clone())
            }

            fn shape((): &()) -> Shape {
                $shape
            }
        }
    )* };
}

as_written! {
    bool: Shape::plain("true or false", json!({ "type": "boolean" }));
    u64: Shape::plain(
        format!("a whole number from 0 to {}", u64::MAX),
        json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX }),
    );
    BTreeMap<String, String>: Shape::plain(
        "names with texts",
        json!({ "type": "object", "additionalProperties": { "type": "string" } }),
    );
    Split: words::<Self>();
    crate::Anchor: words::<Self>();
    crate::Bag: words::<Self>();
    crate::Depth: words::<Self>();
    crate::Visualised: words::<Self>();
    crate::Background: words::<Self>();
    crate::Labels: words::<Self>();
    crate::Schedule: words::<Self>();
    crate::Scoring: words::<Self>();
    crate::Output: words::<Self>();
    architecture::Pooling: words::<Self>();
    architecture::Precision: words::<Self>();
}

/// The words of an enumeration, with the documentation of each; without its variants that hold values.
pub(crate) fn words<T: JsonSchema>() -> Shape {
    let schema = T::json_schema(&mut SchemaGenerator::default()).to_value();
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    Shape::words(
        choices
            .filter_map(|one| Some((text(&one["const"])?, text(&one["description"])?)))
            .map(|(word, meaning)| (word, meaning.replace('\n', " ")))
            .collect(),
    )
}

/// The variant of an enumeration that a word stands for, or a message with the words there are.
pub(crate) fn from_word<T: JsonSchema + DeserializeOwned>(
    what: &str,
    word: &str,
) -> Result<T, String> {
    T::deserialize(de::value::StrDeserializer::<de::value::Error>::new(word)).map_err(|_| {
        let Parts::Words(words) = words::<T>().parts else { return String::new() };
        unknown(what, word, &words.into_iter().map(|(word, _)| word).collect::<Vec<_>>())
    })
}

impl Shape {
    /// One of some words, each with its meaning.
    pub(crate) fn words(words: Vec<(String, String)>) -> Self {
        let choice = |(word, meaning): &(String, String)| json!({ "const": word, "description": meaning, "type": "string" });
        Self {
            schema: json!({ "oneOf": words.iter().map(choice).collect::<Vec<_>>() }),
            words: words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", "),
            parts: Parts::Words(words),
        }
    }
}

impl Value for Encoding {
    type Written = String;
    type Rule = ();

    fn read(
        check: &Check<'_>,
        key: &str,
        given: &Spanned<String>,
        (): &(),
    ) -> Result<Self, Mistake> {
        given
            .value
            .parse()
            .or_else(|message: String| check.wrong(given.referenced, format!("`{key}`: {message}")))
    }

    fn shape((): &()) -> Shape {
        Shape::plain("an encoding, such as windows-1252", json!({ "type": "string" }))
    }
}

impl Value for Device {
    type Written = String;
    type Rule = ();

    fn read(check: &Check<'_>, _: &str, given: &Spanned<String>, (): &()) -> Result<Self, Mistake> {
        match Self::parse(&given.value) {
            Some(device) => Ok(device),
            None => check.wrong(given.referenced, Self::unknown(&given.value)),
        }
    }

    fn shape((): &()) -> Shape {
        let words = Self::FORMS.map(|form| format!("`{form}`")).join(", ");
        let pattern = r"^\s*(auto|cpu|metal|cuda|cuda:[0-9]+)\s*$";
        Shape::plain(words, json!({ "type": "string", "pattern": pattern }))
    }
}

/// How the number of a unit may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Digits {
    /// As people type it: `alexnet/conv5/63`, or with its zeros.
    #[default]
    Typed,
    /// In four digits, as in labels and links: `alexnet/conv5/0063`.
    Four,
}

/// A unit of a dissected layer; how many units that has is not known here.
impl Value for UnitId {
    type Written = String;
    type Rule = Digits;

    fn read(
        check: &Check<'_>,
        _: &str,
        given: &Spanned<String>,
        digits: &Digits,
    ) -> Result<Self, Mistake> {
        let unit = match digits {
            Digits::Typed => Self::typed(&given.value),
            Digits::Four => given.value.parse(),
        };
        let unit = unit.or_else(|why| {
            check.wrong(given.referenced, format!("`{}` {why}", given.value.trim()))
        })?;
        check.layer(&format!("{}/{}", unit.network(), unit.layer()), given.referenced)?;
        Ok(unit)
    }

    fn shape(digits: &Digits) -> Shape {
        let (words, pattern) = match digits {
            Digits::Typed => ("network/layer/number", r"^\s*[^/]+/[^/]+/0*[1-9][0-9]*\s*$"),
            // Never 0000, and no further zeros before five digits or more.
            Digits::Four => (
                "network/layer/number in four digits",
                "^[^/]+/[^/]+/(0{3}[1-9]|0{2}[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3,})$",
            ),
        };
        Shape::plain(words, json!({ "type": "string", "pattern": pattern }))
    }
}

impl<T: Value> Value for Vec<T> {
    type Written = Vec<Spanned<T::Written>>;
    type Rule = T::Rule;

    fn read(
        check: &Check<'_>,
        key: &str,
        given: &Spanned<Self::Written>,
        rule: &T::Rule,
    ) -> Result<Self, Mistake> {
        given.value.iter().map(|entry| T::read(check, key, entry, rule)).collect()
    }

    fn shape(rule: &T::Rule) -> Shape {
        let Shape { words, schema, parts } = T::shape(rule);
        let words = format!("a list, each {words}");
        Shape { words, schema: json!({ "type": "array", "items": schema }), parts }
    }
}

/// Values that may be absent.
macro_rules! optional {
    ($($type:ty),*) => { $(
        impl Value for Option<$type> {
            type Written = <$type as Value>::Written;
            type Rule = <$type as Value>::Rule;

            fn read(
                check: &Check<'_>,
                key: &str,
                given: &Spanned<Self::Written>,
                rule: &Self::Rule,
            ) -> Result<Self, Mistake> {
                <$type>::read(check, key, given, rule).map(Some)
            }

            fn shape(rule: &Self::Rule) -> Shape {
                <$type>::shape(rule)
            }

            fn absent() -> Option<Self> {
                Some(None)
            }
        }
    )* };
}

optional!(u32, f64, String, PathBuf, Encoding, crate::Fineness);

/// The form of settings that may be switched on and off as a whole.
pub(crate) trait Settings: DeserializeOwned {
    /// What may be written, for who wrote something else.
    const EXPECTED: &'static str;
}

/// A mapping of settings, or false or true.
#[derive(Debug, Clone)]
pub(crate) enum Switch<T> {
    Flag(bool),
    Settings(Box<T>),
}

impl<'de, T: Settings> Deserialize<'de> for Switch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(std::marker::PhantomData<T>);

        // By hand: an untagged enum would lose the places of the settings.
        impl<'de, T: Settings> de::Visitor<'de> for Visitor<T> {
            type Value = Switch<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::EXPECTED)
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Switch<T>, E> {
                Ok(Switch::Flag(value))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Switch<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|s| Switch::Settings(s.into()))
            }
        }

        deserializer.deserialize_any(Visitor(std::marker::PhantomData))
    }
}

impl<T> Switch<T> {
    /// What it may be, of what the settings may be.
    pub(crate) fn shape(settings: Shape) -> Shape {
        Shape {
            words: "false, true or a mapping of settings".to_owned(),
            schema: json!({ "anyOf": [{ "type": "boolean" }, settings.schema] }),
            parts: settings.parts,
        }
    }
}

/// A value that is written as a list, or as a word that stands for one.
pub(crate) trait Listed {
    /// What the list is made of.
    type Entry: DeserializeOwned;
    /// What may be written, for who wrote something else.
    const EXPECTED: &'static str;
}

/// A list, or a word that stands for one.
#[derive(Debug, Clone)]
pub(crate) enum Choice<T: Listed> {
    Word(String),
    List(Vec<Spanned<T::Entry>>),
}

impl<'de, T: Listed> Deserialize<'de> for Choice<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(std::marker::PhantomData<T>);

        impl<'de, T: Listed> de::Visitor<'de> for Visitor<T> {
            type Value = Choice<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::EXPECTED)
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Choice<T>, E> {
                Ok(Choice::Word(word.to_owned()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<Choice<T>, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Choice::List)
            }
        }

        deserializer.deserialize_any(Visitor(std::marker::PhantomData))
    }
}

impl<T: Listed> Choice<T> {
    /// What it may be: one of the words, or a list of what `entry` may be.
    pub(crate) fn shape(words: Shape, entry: Shape) -> Shape {
        let Shape { words, mut schema, parts } = words;
        if let Some(choices) = schema["oneOf"].as_array_mut() {
            choices.push(json!({ "type": "array", "minItems": 1, "items": entry.schema }));
        }
        Shape { words: format!("{words}, or a list, each {}", entry.words), schema, parts }
    }
}

/// The place of a value, for what is checked after reading.
pub(crate) fn place<T>(given: &Given<T>) -> serde_yaml::Location {
    given.as_ref().map_or(serde_yaml::Location::UNKNOWN, |v| v.referenced)
}
