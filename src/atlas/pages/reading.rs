//! The page on which readers score mammograms, before and after they see an explanation: its shell, which scripts
//! fill.

use anyhow::Result;
use serde::Serialize;

use super::page::{Files, Head, Page, Site, html};
use crate::facts::Atlas;
use crate::facts::paths::READING;

/// Mammograms to score.
struct Reading;

/// Where there are any.
pub(super) fn pages<'a>(atlas: &'a Atlas<'a>) -> Files<'a> {
    if atlas.reading.drawn().is_none() { Vec::new() } else { vec![html(Reading)] }
}

impl Page for Reading {
    type View = View;
    const TEMPLATE: &'static str = "reading.html";
    // The way to the atlas would tell what readers are to judge.
    const NAVIGATION: bool = false;

    fn path(&self) -> String {
        READING.into()
    }

    fn view(&self, site: &Site) -> Result<View> {
        Ok(View { study: site.atlas.inputs.config.survey.study.clone() })
    }

    fn head(&self, _: &Atlas, _: &Self::View) -> Result<Head> {
        Ok(Head::new("Reading of cases", "Mammograms for expert readers to score"))
    }
}

/// What the page holds without its scripts.
#[derive(Serialize)]
pub(super) struct View {
    study: String,
}
