//! What stands in a cell.

use std::fmt::{self, Display};

use serde::{Serialize, Serializer};

use base::spreadsheet::guarded;

/// Words, guarded against spreadsheets that would run them as formulas.
#[derive(Serialize)]
pub(super) struct Text(String);

impl<S: AsRef<str>> From<S> for Text {
    fn from(words: S) -> Self {
        Self(guarded(words.as_ref()))
    }
}

/// A fraction as Rust prints it: the shortest digits that give the same number, never an exponent.
pub(super) struct Number<N>(pub(super) N);

impl<N: Display> Serialize for Number<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A unit's number, from 1, in four digits.
#[derive(Clone, Copy)]
pub(super) struct UnitNumber(pub(super) u32);

impl Display for UnitNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

impl Serialize for UnitNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Several values, separated by semicolons.
pub(super) fn several<V: ToString>(values: impl IntoIterator<Item = V>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join("; ")
}

/// Network, layer and number of a unit's name.
pub(super) fn parts(unit: &str) -> [Text; 3] {
    let mut parts = unit.splitn(3, '/').map(Text::from);
    [(); 3].map(|()| parts.next().unwrap_or_else(|| Text::from("")))
}
