//! What can be searched: `data/search.js`, loaded when a reader first searches.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Atlas, best_concept, concept};
use base::unit_name;

/// Path of the data.
pub(super) const PATH: &str = "data/search.js";

#[derive(Serialize)]
pub(super) struct Index {
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

pub(super) fn index(atlas: &Atlas, terms: &[String]) -> Index {
    let mut pages: Vec<(String, String, &str)> = Vec::new();
    for link in atlas.navigation("") {
        pages.push((link.title, link.href, ""));
    }
    for (exhibit, layer) in atlas.layers() {
        let network = &exhibit.config.name;
        let href = super::layer_href(network, &layer.layer);
        pages.push((format!("{network}/{}", layer.layer), href, "layer"));
    }
    let term = |id: &String| {
        let entry = atlas.labels.term(id);
        let more = entry.map(|entry| entry.term.synonyms.join(" ")).unwrap_or_default();
        (
            atlas.labels.name(id),
            atlas.labels.standing(id),
            concept::href(id),
            format!("{id} {more}"),
        )
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
        terms: terms.iter().map(term).collect(),
        layers: layers.collect(),
        mammograms: atlas.shown.mammograms.iter().map(image).collect(),
    }
}
