//! Where the pages and files of the site lie, and links to them. Paths count from the root of the site.

use serde::Serialize;

use base::UnitId;
use record::Patch;

/// A link, from the root of the site.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Link {
    pub(crate) title: String,
    pub(crate) href: String,
    /// Whether it leads to the page that it stands on.
    pub(crate) current: bool,
}

impl Link {
    pub(crate) fn new(title: impl Into<String>, href: impl Into<String>) -> Self {
        Self { title: title.into(), href: href.into(), current: false }
    }
}

/// The list of the cases.
pub(crate) const CASES: &str = "cases/index.html";
/// The list of the concepts.
pub(crate) const CONCEPTS: &str = "concepts/index.html";
/// How the atlas was made.
pub(crate) const METHODS: &str = "methods/index.html";
/// The data page.
pub(crate) const DATA: &str = "data/index.html";

/// Where results come from.
pub(crate) const PROVENANCE: &str = "provenance/index.html";

/// The survey.
pub(crate) const SURVEY: &str = "survey/index.html";

/// The mammograms that readers score.
pub(crate) const READING: &str = "survey/cases/index.html";

/// A network's page.
pub(crate) fn network_href(network: &str) -> String {
    format!("networks/{network}/index.html")
}

/// A layer's page.
pub(crate) fn layer_href(network: &str, layer: &str) -> String {
    format!("networks/{network}/{layer}/index.html")
}

/// Data of a layer's page.
pub(crate) fn units_path(network: &str, layer: &str) -> String {
    format!("networks/{network}/{layer}/units.js")
}

/// A unit's page.
pub(crate) fn unit_href(unit: &UnitId) -> String {
    format!("networks/{unit}/index.html")
}

/// A link to a unit by its whole name.
pub(crate) fn unit_link(unit: &UnitId) -> Link {
    Link::new(unit.to_string(), unit_href(unit))
}

/// A term's page.
pub(crate) fn concept_href(id: &str) -> String {
    format!("concepts/{id}/index.html")
}

/// A case's page.
pub(crate) fn case_href(network: &str, mammogram: &str) -> String {
    format!("cases/{network}/{mammogram}/index.html")
}

/// A mammogram's page.
pub(crate) fn mammogram_href(id: &str) -> String {
    format!("mammograms/{id}/index.html")
}

/// A patch's place on its mammogram's page: the end of its name.
pub(crate) fn window_id(patch: &Patch) -> String {
    let Patch { x, y, edge, .. } = patch;
    format!("y{y}_x{x}_h{edge}_w{edge}")
}
