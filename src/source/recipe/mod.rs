//! Data sets whose tables and folders a recipe describes: a file of `content/recipes/`, of the program's or of a
//! project's own.
//!
//! In: the tables of a data set as it was distributed, and a recipe. Out: the rows of a [`crate::Folder`], which does the
//! rest. `form.rs` is what a recipe says, `template.rs` and `value.rs` how its values are made, `rows.rs` how rows are
//! put together of several tables.

mod form;
mod rows;
mod template;
mod value;

pub(crate) use form::Recipe;
pub(crate) use rows::Made;

#[cfg(test)]
mod tests;
