//! The survey that readers fill in: its shell, which a script fills.

use anyhow::Result;
use serde::Serialize;

use super::page::{Files, Head, Page, Site, html};
use crate::facts::Atlas;
use crate::facts::paths::SURVEY;
use config::Background;

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
        let survey = &site.atlas.survey;
        Ok(View {
            study: survey.selection.study.clone(),
            blind: survey.selection.blind,
            consent: survey.consent.as_ref().map(|consent| consent.html.clone()),
            background: site.atlas.inputs.config.survey.background.clone(),
            practice: survey.practice.len(),
        })
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
    /// What readers must agree to, as HTML.
    consent: Option<String>,
    /// What they are asked about themselves.
    background: Vec<Background>,
    /// How many units there are to practise on.
    practice: usize,
}
