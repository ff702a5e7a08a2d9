//! What a row of a table is.

use anyhow::Result;
use serde::Serialize;

use crate::facts::Atlas;

/// A row of a table. [`table!`](super::row::table) makes one of a struct.
pub(super) trait Row: Columns {
    /// Whether readers' answers are among what it is made from.
    const OF_READERS: bool;

    /// Makes the rows one after another: all of them at once would fill the memory.
    ///
    /// # Errors
    /// What `write` gives.
    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()>;
}

/// Takes the rows of a table one after another.
pub(super) type Sink<'a, R> = dyn FnMut(R) -> Result<()> + 'a;

/// The columns of a row: its fields.
pub(super) trait Columns: Serialize + Sized + 'static {
    /// Name of the file.
    const FILE: &'static str;
    /// What one row is.
    const ROW: &'static str;
    /// Columns, each with its meaning and the type of its field.
    const COLUMNS: &'static [[&'static str; 3]];
}

/// The bytes of a table.
///
/// # Errors
/// When a row cannot be written.
pub(super) fn written<R: Row>(atlas: &Atlas) -> Result<Vec<u8>> {
    // The header is written here: a table without rows has one too.
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(R::COLUMNS.iter().map(|[name, ..]| *name))?;
    R::each(atlas, &mut |row| Ok(writer.serialize(row)?))?;
    Ok(writer.into_inner()?)
}

/// Makes a struct the row of a table: its documentation says what a row is, that of its fields what the
/// columns mean.
macro_rules! table {
    (
        $file:literal,
        $(#[doc = $row:literal])+
        struct $name:ident {
            $($(#[doc = $meaning:literal])+ $column:ident: $type:ty,)+
        }
    ) => {
        $(#[doc = $row])+
        #[derive(serde::Serialize)]
        pub(super) struct $name {
            $($(#[doc = $meaning])+ $column: $type,)+
        }

        impl crate::export::row::Columns for $name {
            const FILE: &'static str = $file;
            const ROW: &'static str = crate::export::row::told(concat!($($row),+));
            const COLUMNS: &'static [[&'static str; 3]] = &[
                $([
                    stringify!($column),
                    crate::export::row::told(concat!($($meaning),+)),
                    stringify!($type),
                ],)+
            ];
        }
    };
}
pub(super) use table;

/// What a comment says: without the space that it begins with.
pub(super) const fn told(comment: &'static str) -> &'static str {
    comment.split_at(1).1
}
