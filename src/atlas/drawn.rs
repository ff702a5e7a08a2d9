//! The patches that a unit's page draws by a script: data within the page, read again where the pages
//! are checked or packed.

use anyhow::{Context, Result};

use super::script::Drawn;

/// A patch by its mammogram and its picture.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DrawnPatch {
    pub(super) mammogram: String,
    /// Path of its picture in the site.
    pub(super) picture: String,
}

/// The patches that the page draws; none where it is not a unit's.
pub(super) fn patches(html: &str) -> Result<Vec<DrawnPatch>> {
    let data = html.split_once("id=\"atlas-drawn\">").and_then(|(_, rest)| rest.split_once("</"));
    let Some((data, _)) = data else { return Ok(Vec::new()) };
    let drawn: Drawn =
        serde_json::from_str(data).context("the patches that the page draws cannot be read")?;
    let lists = std::iter::once(&drawn.top).chain(&drawn.levels);
    Ok(lists
        .flat_map(|patches| patches.windows())
        .map(|(mammogram, [x, y, edge])| DrawnPatch {
            picture: format!("patches/{mammogram}-y{y}_x{x}_h{edge}_w{edge}.jpg"),
            mammogram: mammogram.into(),
        })
        .collect())
}
