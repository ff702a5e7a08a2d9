//! The survey that readers fill in: its shell, which a script fills.

use anyhow::Result;
use serde::Serialize;

use super::page::{Files, Head, Page, Site, html};
use crate::facts::Atlas;
use crate::facts::paths::SURVEY;

/// The survey.
struct Survey;

/// Where anything is asked.
pub(super) fn pages<'a>(atlas: &'a Atlas<'a>) -> Files<'a> {
    if atlas.survey.is_empty() { Vec::new() } else { vec![html(Survey)] }
}

impl Page for Survey {
    type View = View;
    const TEMPLATE: &'static str = "survey.html";
    // The way to the atlas would tell what a blind survey hides.
    const NAVIGATION: bool = false;

    fn path(&self) -> String {
        SURVEY.into()
    }

    fn view(&self, site: &Site) -> Result<View> {
        let selection = &site.atlas.survey.selection;
        Ok(View { study: selection.study.clone(), blind: selection.blind })
    }

    fn head(&self, _: &Atlas, _: &Self::View) -> Result<Head> {
        Ok(Head::new("Reader survey", "A survey for expert readers of mammograms"))
    }
}

/// What the survey's page holds without its script.
#[derive(Serialize)]
pub(super) struct View {
    study: String,
    blind: bool,
}
