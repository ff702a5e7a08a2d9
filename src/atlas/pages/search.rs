//! What can be searched: `data/search.js`, loaded when a reader first searches.

use std::collections::{BTreeMap, BTreeSet};

use super::{Atlas, best_concept, concept};
use crate::script::{SearchEntry, SearchIndex, SearchLayer, SearchMammogram};
use base::unit_name;

/// Path of the data.
pub(super) const PATH: &str = "data/search.js";

pub(super) fn index(atlas: &Atlas, terms: &[String]) -> SearchIndex {
    let page = |title, href, note: &str| SearchEntry {
        title,
        note: note.into(),
        href,
        more: String::new(),
    };
    let mut pages: Vec<SearchEntry> =
        atlas.navigation("").into_iter().map(|link| page(link.title, link.href, "")).collect();
    for (exhibit, layer) in atlas.layers() {
        let network = &exhibit.config.name;
        let href = super::layer_href(network, &layer.layer);
        pages.push(page(format!("{network}/{}", layer.layer), href, "layer"));
    }
    let term = |id: &String| {
        let entry = atlas.labels.term(id);
        let more = entry.map(|entry| entry.term.synonyms.join(" ")).unwrap_or_default();
        SearchEntry {
            title: atlas.labels.name(id),
            note: atlas.labels.standing(id),
            href: concept::href(id),
            more: format!("{id} {more}"),
        }
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
        SearchLayer { name, units: layer.units.len(), labels, words }
    });
    let members = &atlas.inputs.manifest.mammograms;
    let image = |&number: &u32| SearchMammogram {
        id: members[number as usize].mammogram.id.clone(),
        view: atlas.mammogram(number).view,
    };
    SearchIndex {
        pages,
        terms: terms.iter().map(term).collect(),
        layers: layers.collect(),
        mammograms: atlas.shown.mammograms.iter().map(image).collect(),
    }
}
