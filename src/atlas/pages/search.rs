//! What can be searched: `data/search.js`, loaded when a reader first searches.

use std::collections::{BTreeMap, BTreeSet};

use super::{Atlas, concept};
use crate::script::{SearchEntry, SearchIndex, SearchLayer, SearchMammogram};

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
            let entry = atlas.entry(layer, unit);
            if !entry.name.is_none() {
                labels.insert(unit.unit, entry.name.to_string());
            }
            let mut own: BTreeSet<String> = BTreeSet::new();
            own.extend(atlas.labels.of(&entry.id).iter().map(|(reader, _)| reader.reader.clone()));
            own.extend(entry.terms.iter().map(|id| atlas.labels.name(id)));
            own.extend(entry.categories.iter().cloned());
            let said = atlas.labels.phenomena(&entry.id);
            own.extend(said.map(|(_, _, phenomenon)| atlas.labels.words(phenomenon)));
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
