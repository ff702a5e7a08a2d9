//! What an option is: how its value is written, read, checked and described. [`section!`] and [`kinds!`]
//! make all of that, and the resolved structures, from one annotated declaration.
//!
//! An option is declared as a field, with its documentation above it:
//!
//! ```text
//! /// Edge of the stored patch in pixels.
//! pub size: u32 = "227", in 16..=2048;
//! ```
//!
//! - `= "227"`: its default as it would be written; without one it must be given, or its type knows what
//!   its absence means;
//! - `in RULE`: what narrows its values, a range for instance;
//! - `else "…"`: what is used without it, in words, where that depends on other options;
//! - `such as "…"`: an example, for those without a default.
//!
//! From that follow the field of the resolved structure, reading with the place of every mistake, the
//! entry in `atlas.yaml`, in the JSON Schema and in `docs/reference.md` ([`written`](crate::written)).

use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use serde_yaml::{Location, Spanned};

use crate::check::Check;
use base::yaml::{Mistake, Text};

/// A value with its place; absent when the key is absent or has no value.
pub(crate) type Given<T> = Option<Spanned<T>>;

/// The value of an option.
pub(crate) trait Value: Sized {
    /// The form in which it is written.
    type Written: DeserializeOwned;
    /// What narrows its values.
    type Rule;

    /// Reads what is written; `key` is the option's name in messages.
    fn read(
        check: &Check<'_>,
        key: &str,
        given: &Spanned<Self::Written>,
        rule: &Self::Rule,
    ) -> Result<Self, Mistake>;

    /// What it may be.
    fn shape(rule: &Self::Rule) -> Shape;

    /// What it is when it is neither written nor has a default; `None`: it must be written.
    fn absent() -> Option<Self> {
        None
    }

    /// Reads what is written, or the default; `at` is the place of the keys it belongs to.
    fn of(
        check: &Check<'_>,
        key: &str,
        given: &Given<Self::Written>,
        default: Option<&str>,
        at: Location,
        rule: &Self::Rule,
    ) -> Result<Self, Mistake> {
        match (given, default) {
            (Some(given), _) => Self::read(check, key, given, rule),
            (None, Some(default)) => {
                let text = Text { path: "a default".as_ref(), text: default };
                Self::read(&check.over(text), key, &text.parse()?, rule)
            }
            (None, None) => Self::absent()
                .map_or_else(|| check.wrong(at, format!("the key `{key}` is missing")), Ok),
        }
    }
}

/// What a value may be: in words, as a JSON Schema, and what it is made of.
pub(crate) struct Shape {
    /// For example `a whole number from 16 to 2048`.
    pub(crate) words: String,
    pub(crate) schema: Json,
    pub(crate) parts: Parts,
}

/// What a value is made of.
pub(crate) enum Parts {
    /// Nothing that has a name.
    None,
    /// One of these words, each with its meaning.
    Words(Vec<(String, String)>),
    /// Options of its own, and what they are together.
    Options(String, Vec<Described>),
    /// Options that depend on its `kind`, and those that all kinds have.
    Kinds(Vec<Kind>, Vec<Described>),
}

/// One of several kinds.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) doc: String,
    pub(crate) options: Vec<Described>,
}

/// An option in words.
pub(crate) struct Described {
    pub(crate) name: &'static str,
    pub(crate) doc: String,
    pub(crate) shape: Shape,
    /// As it would be written.
    pub(crate) default: Option<&'static str>,
    /// What is used without it, where that is no single value.
    pub(crate) otherwise: Option<&'static str>,
    pub(crate) example: Option<&'static str>,
    pub(crate) required: bool,
}

impl Shape {
    /// A value without parts.
    pub(crate) fn plain(words: impl Into<String>, schema: Json) -> Self {
        Self { words: words.into(), schema, parts: Parts::None }
    }

    /// Keys with values, with what they are together.
    pub(crate) fn options(about: String, options: Vec<Described>) -> Self {
        let schema = object(options.iter());
        Self { words: "keys with values".to_owned(), schema, parts: Parts::Options(about, options) }
    }

    /// Keys with values, which depend on `kind`; `default` is the kind without one.
    pub(crate) fn kinds(
        kinds: Vec<Kind>,
        shared: Vec<Described>,
        default: Option<&'static str>,
    ) -> Self {
        let of_kind = |kind: &Kind| {
            let mut schema = object(kind.options.iter().chain(&shared));
            schema["title"] = kind.name.into();
            schema["description"] = kind.doc.clone().into();
            schema["properties"]["kind"] = serde_json::json!({ "const": kind.name });
            if default != Some(kind.name) {
                let mut required = schema["required"].as_array().cloned().unwrap_or_default();
                required.insert(0, "kind".into());
                schema["required"] = required.into();
            }
            schema
        };
        let schema = serde_json::json!({ "oneOf": kinds.iter().map(of_kind).collect::<Vec<_>>() });
        let words = "keys with values; which ones depends on `kind`".to_owned();
        Self { words, schema, parts: Parts::Kinds(kinds, shared) }
    }
}

/// The JSON Schema of keys with values.
fn object<'a>(options: impl Iterator<Item = &'a Described> + Clone) -> Json {
    let properties: serde_json::Map<String, Json> =
        options.clone().map(|option| (option.name.to_owned(), option.schema())).collect();
    let required: Vec<&str> = options.filter(|o| o.required).map(|o| o.name).collect();
    let mut schema = serde_json::json!({
        "type": "object", "additionalProperties": false, "properties": properties,
    });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

impl Described {
    fn schema(&self) -> Json {
        let mut schema = self.shape.schema.clone();
        schema["description"] = self.doc.clone().into();
        if let Some(default) = self.default.filter(|&default| default != "{}") {
            let text = Text { path: "a default".as_ref(), text: default };
            if let Ok(default) = text.parse::<Json>() {
                schema["default"] = default;
            }
        }
        if !self.required {
            // A key without a value is a key that is not there.
            if let Some(one) = schema["type"].as_str() {
                schema["type"] = serde_json::json!([one, "null"]);
            } else {
                let choices = if schema["oneOf"].is_array() { "oneOf" } else { "anyOf" };
                let choices = schema[choices].as_array_mut();
                choices.into_iter().for_each(|c| c.push(serde_json::json!({ "type": "null" })));
            }
        }
        schema
    }
}

/// The text of a documentation comment on one line.
pub(crate) fn doc(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// What follows from an option's annotations; see the top of this file.
macro_rules! annotated {
    (default) => { None };
    (default $default:expr) => { Some($default) };
    (rule) => { Default::default() };
    (rule $rule:expr) => { $rule };
    (key $field:ident) => { stringify!($field) };
    (key $field:ident $key:ident) => { stringify!($key) };
    (given $form:ident $field:ident) => { $form.$field };
    (given $form:ident $field:ident $key:ident) => { $form.$key };
    (described $type:ty, $name:expr, [$($doc:literal)*], [$($default:expr)?], [$($rule:expr)?],
     [$($otherwise:literal)?], [$($example:literal)?]) => {
        crate::option::Described {
            name: $name,
            doc: crate::option::doc(&[$($doc),*]),
            shape: <$type as crate::option::Value>::shape(&annotated!(rule $($rule)?)),
            default: annotated!(default $($default)?),
            otherwise: annotated!(default $($otherwise)?),
            example: annotated!(default $($example)?),
            required: {
                let default: Option<&str> = annotated!(default $($default)?);
                default.is_none() && <$type as crate::option::Value>::absent().is_none()
            },
        }
    };
}

/// Options that belong together: the structure of their values, the form that they are written in, how
/// that is read, and what they may be. After the form's name come what precedes a key in messages, and, if
/// any, a function that checks and completes what was read, `fn(&mut Self, &Check, &Form, Location)`.
/// `fixed` is a value that is no option.
macro_rules! options {
    (
        $(#[doc = $about:literal])*
        #[derive($($derive:ident),*)]
        $vis:vis struct $name:ident($form:ident, $prefix:literal $(, $settle:path)?) {
            $(fixed {
                $(#[doc = $fixed_doc:literal])*
                $fixed:ident: $fixed_type:ty = $fixed_value:expr;
            })?
            $(
                $(#[doc = $doc:literal])*
                $(#[serde($($serde:tt)*)])?
                pub $field:ident: $type:ty
                    $(= $default:expr)? $(, in $rule:expr)? $(, else $otherwise:literal)?
                    $(, such as $example:literal)?;
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive($($derive),*)]
        $vis struct $name {
            $($(#[doc = $fixed_doc])* pub $fixed: $fixed_type,)?
            $($(#[doc = $doc])* $(#[serde($($serde)*)])? pub $field: $type,)*
        }

        #[derive(Debug, Clone, Default, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(crate) struct $form {
            $(pub(crate) $field: crate::option::Given<<$type as crate::option::Value>::Written>,)*
        }

        impl $name {
            /// Reads them; `at` is where they stand as a whole.
            pub(crate) fn read_form(
                check: &crate::check::Check<'_>,
                form: &$form,
                at: serde_yaml::Location,
            ) -> Result<Self, base::yaml::Mistake> {
                $(
                    let $field = <$type as crate::option::Value>::of(
                        check,
                        concat!($prefix, stringify!($field)),
                        &form.$field,
                        annotated!(default $($default)?),
                        at,
                        &annotated!(rule $($rule)?),
                    )?;
                )*
                // Only a section with options that settle one another changes it.
                #[allow(unused_mut)]
                let mut read = Self { $($fixed: $fixed_value(check),)? $($field),* };
                $($settle(&mut read, check, form, at)?;)?
                Ok(read)
            }

            /// What they may be.
            pub(crate) fn options() -> crate::option::Shape {
                crate::option::Shape::options(crate::option::doc(&[$($about),*]), vec![$(
                    annotated!(described $type, stringify!($field), [$($doc)*], [$($default)?],
                               [$($rule)?], [$($otherwise)?], [$($example)?])
                ),*])
            }
        }
    };
}

/// [`options!`] that are themselves the value of an option.
macro_rules! section {
    ($($declared:tt)*) => {
        options! { $($declared)* }
        section_value! { $($declared)* }
    };
}

/// The half of [`section!`] that [`options!`] has not.
macro_rules! section_value {
    ($(#[$meta:meta])* $vis:vis struct $name:ident($form:ident, $($rest:tt)*) $body:tt) => {
        impl crate::option::Value for $name {
            type Written = $form;
            type Rule = ();

            fn read(
                check: &crate::check::Check<'_>,
                _: &str,
                given: &serde_yaml::Spanned<$form>,
                (): &(),
            ) -> Result<Self, base::yaml::Mistake> {
                Self::read_form(check, &given.value, given.referenced)
            }

            fn shape((): &()) -> crate::option::Shape {
                Self::options()
            }
        }
    };
}

/// Options that depend on a `kind`: the enumeration of kinds, and the form that all of them are written
/// in, with its `keys` and what their values are. `shared` are options of every kind; whoever reads the
/// kind reads them. A field whose name differs from its key has it after `from`; `needs` says what to
/// write where a key is missing.
macro_rules! kinds {
    (
        $(#[doc = $about:literal])*
        #[derive($($derive:ident),*)]
        #[serde($($outer:tt)*)]
        pub enum $name:ident($form:ident, $prefix:literal, $what:literal $(, $usual:literal)?) {
            keys { $($key:ident: $written:ty),* $(,)? }
            $(; shared $all:ident { $(
                $(#[doc = $shared_doc:literal])*
                $shared:ident: $shared_type:ty
                    $(= $shared_default:expr)? $(, in $shared_rule:expr)?
                    $(, else $shared_otherwise:literal)?;
            )* })?
            $(
                $(#[doc = $doc:literal])*
                $variant:ident $kind:literal $({ $(
                    $(#[doc = $option_doc:literal])*
                    $(#[serde($($serde:tt)*)])?
                    $field:ident $(from $field_key:ident)?: $type:ty
                        $(= $default:expr)? $(, in $rule:expr)? $(, needs $needs:literal)?
                        $(, else $otherwise:literal)?;
                )* })?
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive($($derive),*)]
        #[serde($($outer)*)]
        pub enum $name {
            $(
                $(#[doc = $doc])*
                $variant $({ $(
                    $(#[doc = $option_doc])* $(#[serde($($serde)*)])? $field: $type,
                )* })?,
            )*
        }

        impl $name {
            /// Names of the kinds, in the order of their documentation.
            pub const KINDS: &[&'static str] = &[$($kind),*];

            /// Its name among them.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $kind,)*
                }
            }
        }

        #[derive(Debug, Clone, Default, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(crate) struct $form {
            pub(crate) kind: crate::option::Given<String>,
            $(pub(crate) $key: crate::option::Given<<$written as crate::option::Value>::Written>,)*
            $($(pub(crate) $shared:
                crate::option::Given<<$shared_type as crate::option::Value>::Written>,)*)?
        }

        $(
            /// Options of every kind.
            struct $all {
                $($shared: $shared_type,)*
            }

            impl $all {
                fn read_form(
                    check: &crate::check::Check<'_>,
                    form: &$form,
                    at: serde_yaml::Location,
                ) -> Result<Self, base::yaml::Mistake> {
                    Ok(Self { $($shared: <$shared_type as crate::option::Value>::of(
                        check,
                        concat!($prefix, stringify!($shared)),
                        &form.$shared,
                        annotated!(default $($shared_default)?),
                        at,
                        &annotated!(rule $($shared_rule)?),
                    )?,)* })
                }
            }
        )?

        impl $name {
            /// Reads the kind and its own options; `at` is shown where one of them is missing.
            fn read_kind(
                check: &crate::check::Check<'_>,
                form: &$form,
                at: serde_yaml::Location,
            ) -> Result<Self, base::yaml::Mistake> {
                let usual: Option<&str> = annotated!(default $($usual)?);
                let kind = match (&form.kind, usual) {
                    (Some(kind), _) => kind.value.trim(),
                    (None, Some(usual)) => usual,
                    (None, None) => return check.wrong(at, "the key `kind` is missing"),
                };
                let refuse = |own: &[&str]| {
                    let given = [$((stringify!($key), form.$key.as_ref().map(|v| v.referenced))),*];
                    for (key, at) in given {
                        if let Some(at) = at && !own.contains(&key) {
                            let message =
                                format!("`{key}` does not belong to the {} `{kind}`", $what);
                            return check.wrong(at, message);
                        }
                    }
                    Ok(())
                };
                match kind {
                    $(
                        $kind => {
                            refuse(&[$($(annotated!(key $field $($field_key)?)),*)?])?;
                            Ok(Self::$variant $({ $(
                                $field: {
                                    let key = annotated!(key $field $($field_key)?);
                                    let given = &annotated!(given form $field $($field_key)?);
                                    // Asked only of options that must be given.
                                    #[allow(unused_variables)]
                                    let holds = || crate::option::doc(&[$($option_doc),*]);
                                    $(if given.is_none() {
                                        return check.needs($what, kind, key, &holds(), $needs, at);
                                    })?
                                    <$type as crate::option::Value>::of(
                                        check,
                                        &format!(concat!($prefix, "{}"), key),
                                        given,
                                        annotated!(default $($default)?),
                                        at,
                                        &annotated!(rule $($rule)?),
                                    )?
                                },
                            )* })?)
                        }
                    )*
                    other => {
                        let at = form.kind.as_ref().map_or(at, |kind| kind.referenced);
                        check.wrong(at, base::yaml::unknown($what, other, Self::KINDS))
                    }
                }
            }

            /// What its kinds are made of.
            fn shape_of_kinds() -> crate::option::Shape {
                let kinds = vec![$(crate::option::Kind {
                    name: $kind,
                    doc: crate::option::doc(&[$($doc),*]),
                    options: vec![$($(
                        annotated!(described $type, annotated!(key $field $($field_key)?),
                                   [$($option_doc)*], [$($default)?], [$($rule)?],
                                   [$($otherwise)?], [])
                    ),*)?],
                }),*];
                let shared = vec![$($(
                    annotated!(described $shared_type, stringify!($shared), [$($shared_doc)*],
                               [$($shared_default)?], [$($shared_rule)?],
                               [$($shared_otherwise)?], [])
                ),*)?];
                crate::option::Shape::kinds(kinds, shared, annotated!(default $($usual)?))
            }
        }
    };
}
