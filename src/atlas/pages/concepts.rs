//! The list of the concepts: terms that have outlines in the data set or that somebody named a unit by.

use anyhow::Result;
use serde::Serialize;

use super::navigation::Entry;
use super::page::{Files, Head, Page, Site, html};
use crate::facts::Atlas;
use crate::facts::paths::{CONCEPTS, Link, concept_href, layer_href};
use crate::figures::{self, Download};
use crate::text;
use config::figures::Kind;

/// The list of all terms.
struct Concepts;

pub(super) fn pages<'a>(_: &'a Atlas<'a>) -> Files<'a> {
    vec![html(Concepts)]
}

impl Page for Concepts {
    type View = View;
    const TEMPLATE: &'static str = "concepts.html";

    fn path(&self) -> String {
        CONCEPTS.into()
    }

    fn entry(&self) -> Option<Entry> {
        Entry::new(22, "Concepts")
    }

    fn view(&self, site: &Site) -> Result<View> {
        Ok(view(site.atlas, &site.atlas.terms))
    }

    fn head(&self, _: &Atlas, _: &View) -> Result<Head> {
        Ok(Head::new(
            "Concepts",
            "Terms that have outlines in the data set or that units are named by, and their units",
        ))
    }
}

/// The list of all terms.
#[derive(Serialize)]
pub(super) struct View {
    layers: Vec<Link>,
    terms: Vec<TermRow>,
    downloads: Vec<Download>,
}

#[derive(Serialize)]
struct TermRow {
    link: Link,
    standing: String,
    /// Patches that hold it; empty where it is not outlined.
    patches: String,
    /// Units of each layer that detect it; empty where it is not outlined.
    detectors: Vec<String>,
    /// Units that a reader used it for.
    labelled: String,
}

fn view(atlas: &Atlas, terms: &[String]) -> View {
    let layers: Vec<_> = atlas.layers().collect();
    let row = |id: &String| {
        let outlined =
            layers.iter().find_map(|(_, layer)| layer.concepts.iter().find(|c| c.id == *id));
        let detectors = layers.iter().map(|(_, layer)| {
            match atlas.catalogue.layer(&layer.network, &layer.layer) {
                Some(known) if known.outlines(id) => text::count(known.detecting(id).len() as u64),
                _ => String::new(),
            }
        });
        let units = atlas.named(id).count();
        TermRow {
            link: Link::new(atlas.labels.name(id), concept_href(id)),
            standing: atlas.labels.standing(id),
            patches: outlined.map_or_else(String::new, |c| text::count(c.patches)),
            detectors: detectors.collect(),
            labelled: if units == 0 { String::new() } else { text::count(units as u64) },
        }
    };
    View {
        layers: layers
            .iter()
            .map(|(exhibit, layer)| {
                let network = &exhibit.config.name;
                Link::new(format!("{network}/{}", layer.layer), layer_href(network, &layer.layer))
            })
            .collect(),
        terms: terms.iter().map(row).collect(),
        downloads: figures::downloads(atlas, |kind| matches!(kind, Kind::Concepts)),
    }
}
