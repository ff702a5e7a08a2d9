//! What stands in a cell.

use std::fmt::Display;

use serde::{Serialize, Serializer};

use base::spreadsheet::guarded;
use base::{UnitId, digits, number};

/// Words, guarded against spreadsheets that would run them as formulas.
#[derive(Serialize)]
pub(super) struct Text(String);

impl<S: AsRef<str>> From<S> for Text {
    fn from(words: S) -> Self {
        Self(guarded(words.as_ref()))
    }
}

/// A fraction as Rust prints it: the shortest digits that give the same number, never an exponent. Zero has no
/// sign.
pub(super) struct Number<N>(pub(super) N);

impl<N: Display> Serialize for Number<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&number::written(&self.0))
    }
}

/// A unit's number, from 1, in four digits.
pub(super) struct UnitNumber(u32);

impl Serialize for UnitNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&digits(self.0))
    }
}

/// Several values, separated by semicolons.
pub(super) fn several<V: ToString>(values: impl IntoIterator<Item = V>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join("; ")
}

/// Network, layer and number of a unit.
pub(super) fn parts(unit: &UnitId) -> (Text, Text, UnitNumber) {
    (Text::from(unit.network()), Text::from(unit.layer()), UnitNumber(unit.number()))
}
