//! What can be searched: `data/search.js`, loaded when a reader first searches.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Serialize;

use super::page::{File, Files, Site};
use crate::facts::Atlas;
use crate::facts::paths::{concept_href, layer_href};
use crate::facts::units::best_concept;
use crate::script;
use base::unit_name;

/// Path of the data.
const PATH: &str = "data/search.js";

/// The data.
struct Search;

pub(super) fn files<'a>(_: &'a Atlas<'a>) -> Files<'a> {
    vec![Box::new(Search)]
}

impl File for Search {
    fn path(&self) -> String {
        PATH.into()
    }

    fn bytes(&self, site: &Site) -> Result<Vec<u8>> {
        script::file(PATH, &index(site))
    }
}

#[derive(Serialize)]
struct Index {
    /// Title, path, and what the page is.
    pages: Vec<(String, String, &'static str)>,
    /// Name, standing, path, and further words.
    terms: Vec<(String, String, String, String)>,
    layers: Vec<LayerIndex>,
    /// Id, and side and view.
    mammograms: Vec<(String, String)>,
}

/// Units by their number; those without a label or words are left out.
#[derive(Serialize)]
struct LayerIndex {
    name: String,
    units: usize,
    labels: BTreeMap<u32, String>,
    words: BTreeMap<u32, String>,
}

fn index(site: &Site) -> Index {
    let atlas = site.atlas;
    let mut pages: Vec<(String, String, &str)> = Vec::new();
    for link in &site.navigation {
        pages.push((link.title.clone(), link.href.clone(), ""));
    }
    for (exhibit, layer) in atlas.layers() {
        let network = &exhibit.config.name;
        let href = layer_href(network, &layer.layer);
        pages.push((format!("{network}/{}", layer.layer), href, "layer"));
    }
    let term = |id: &String| {
        let entry = atlas.labels.term(id);
        let more = entry.map(|entry| entry.term.synonyms.join(" ")).unwrap_or_default();
        (atlas.labels.name(id), atlas.labels.standing(id), concept_href(id), format!("{id} {more}"))
    };
    let layers = atlas.layers().map(|(exhibit, layer)| {
        let mut labels = BTreeMap::new();
        let mut words = BTreeMap::new();
        for unit in &layer.units {
            let name = unit_name(&exhibit.config.name, &layer.layer, unit.unit);
            let (label, _) = atlas.call(&name, best_concept(layer, unit));
            if !label.is_empty() {
                labels.insert(unit.unit, label);
            }
            let mut own: BTreeSet<String> = BTreeSet::new();
            for (reader, _, phenomenon) in atlas.labels.phenomena(&name) {
                own.insert(reader.reader.clone());
                own.extend(phenomenon.terms.iter().map(|id| atlas.labels.name(id)));
            }
            if !own.is_empty() {
                words.insert(unit.unit, own.into_iter().collect::<Vec<_>>().join(" "));
            }
        }
        let name = format!("{}/{}", exhibit.config.name, layer.layer);
        LayerIndex { name, units: layer.units.len(), labels, words }
    });
    let members = &atlas.inputs.manifest.mammograms;
    let image = |&number: &u32| {
        let view = atlas.mammogram(number).view;
        (members[number as usize].mammogram.id.clone(), view)
    };
    Index {
        pages,
        terms: atlas.terms.iter().map(term).collect(),
        layers: layers.collect(),
        mammograms: atlas.shown.mammograms.iter().map(image).collect(),
    }
}
