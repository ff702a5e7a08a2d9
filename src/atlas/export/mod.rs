//! Tables for other programs: `data/*.csv`, UTF-8 with a header row. Each is a struct in a file of its own:
//! its fields are the columns, in their order, and what is written above them is what the data page says of
//! them.

mod agreement;
mod cell;
mod concepts;
mod consensus;
mod coverage;
mod expert_automatic;
mod explanations;
mod labels;
mod names;
mod networks;
mod next_units;
mod patches;
mod readers;
mod reporting;
mod row;
mod survey;
mod top_patches;
mod units;

use anyhow::Result;

use self::row::{Row, written};
use crate::facts::Atlas;

/// Tables of the atlas.
static OF_ATLAS: [Table; 12] = [
    Table::of::<networks::Network>(),
    Table::of::<units::Unit>(),
    Table::of::<concepts::Match>(),
    Table::of::<names::Close>(),
    Table::of::<top_patches::TopPatch>(),
    Table::of::<labels::Label>(),
    Table::of::<survey::Chosen>(),
    Table::of::<explanations::Explained>(),
    Table::of::<next_units::NextUnit>(),
    Table::of::<patches::Patch>(),
    Table::of::<reporting::Asked>(),
    Table::of::<reporting::Claimed>(),
];

/// Tables of the reader study.
pub(super) static OF_STUDY: [Table; 5] = [
    Table::of::<readers::Reader>(),
    Table::of::<agreement::Estimated>(),
    Table::of::<consensus::Settled>(),
    Table::of::<coverage::Covered>(),
    Table::of::<expert_automatic::Compared>(),
];

/// Every table, in the order of the data page.
pub(super) fn all() -> impl Iterator<Item = &'static Table> {
    OF_ATLAS.iter().chain(&OF_STUDY)
}

/// A table and what its columns mean.
pub(super) struct Table {
    /// Name of the file.
    pub(super) file: &'static str,
    /// What one row is.
    pub(super) row: &'static str,
    /// Columns, each with its meaning and the type of the field that it is written from.
    pub(super) columns: &'static [[&'static str; 3]],
    /// Whether readers' answers are among what it is made from.
    pub(super) of_readers: bool,
    make: fn(&Atlas) -> Result<Vec<u8>>,
}

impl Table {
    const fn of<R: Row>() -> Self {
        Self {
            file: R::FILE,
            row: R::ROW,
            columns: R::COLUMNS,
            of_readers: R::OF_READERS,
            make: written::<R>,
        }
    }

    /// The table of a file.
    pub(super) fn find(file: &str) -> Option<&'static Self> {
        all().find(|table| table.file == file)
    }

    /// Its path in the site.
    pub(super) fn path(&self) -> String {
        format!("data/{}", self.file)
    }

    /// Its bytes.
    ///
    /// # Errors
    /// When a row cannot be written.
    pub(super) fn make(&self, atlas: &Atlas) -> Result<Vec<u8>> {
        (self.make)(atlas)
    }
}
