//! What can be searched: `data/search.js`, loaded when a reader first searches.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use rayon::prelude::*;

use super::page::{File, Files, Site};
use crate::facts::Atlas;
use crate::facts::paths::{concept_href, layer_href};
use crate::keys::Keys;
use crate::prose;
use crate::script::{self, SearchEntry, SearchIndex, SearchLayer, SearchMammogram};
use base::artifact::Fingerprint;

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
        script::file(PATH, &index(site)?)
    }

    fn key(&self, atlas: &Atlas, keys: &Keys) -> Fingerprint {
        let articles: Vec<_> = atlas.articles.iter().map(|article| &article.text).collect();
        keys.with_readers(&(PATH, articles))
    }
}

/// What the pages of the navigation say in prose, by their paths.
fn prose(site: &Site) -> Result<BTreeMap<String, String>> {
    let files = super::files(site.atlas).into_iter();
    let files: Vec<_> = files.filter(|file| file.entry().is_some()).collect();
    let read = |file: &dyn File| {
        let html = file.bytes(site)?;
        Ok((file.path(), prose::of(&String::from_utf8_lossy(&html))))
    };
    files.par_iter().map(|file| read(file.as_ref())).collect()
}

fn index(site: &Site) -> Result<SearchIndex> {
    let atlas = site.atlas;
    let mut prose = prose(site)?;
    let page = |title, href, note: &str| SearchEntry {
        title,
        note: note.into(),
        href,
        more: String::new(),
        prose: String::new(),
    };
    let mut pages: Vec<SearchEntry> = site
        .navigation
        .pages()
        .map(|link| SearchEntry {
            prose: prose.remove(&link.href).unwrap_or_default(),
            ..page(link.title.clone(), link.href.clone(), "")
        })
        .collect();
    for (exhibit, layer) in atlas.layers() {
        let network = &exhibit.config.name;
        let href = layer_href(network, &layer.layer);
        pages.push(page(format!("{network}/{}", layer.layer), href, "layer"));
    }
    let term = |id: &String| {
        let entry = atlas.labels.term(id);
        let more = entry.map(|entry| entry.term.synonyms.join(" ")).unwrap_or_default();
        SearchEntry {
            title: atlas.labels.name(id),
            note: atlas.labels.standing(id),
            href: concept_href(id),
            more: format!("{id} {more}"),
            prose: entry.map(|entry| entry.term.gloss.clone()).unwrap_or_default(),
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
    Ok(SearchIndex {
        pages,
        terms: atlas.terms.iter().map(term).collect(),
        layers: layers.collect(),
        mammograms: atlas.shown.mammograms.iter().map(image).collect(),
    })
}
