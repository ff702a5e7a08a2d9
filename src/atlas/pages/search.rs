//! What can be searched: `data/search.js`, loaded when a reader first searches.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use rayon::prelude::*;

use super::page::{File, Files, Searched, Site};
use crate::facts::Atlas;
use crate::facts::paths::{concept_href, layer_href};
use crate::keys::Keys;
use crate::prose;
use crate::script::{
    self, CloseUnits, SearchEntry, SearchIndex, SearchLayer, SearchMammogram, TermGroup,
};
use base::artifact::Fingerprint;
use record::naming::Candidate;

/// Path of the data.
const PATH: &str = "data/search.js";
/// Units listed of a term that a machine finds close to it.
const CLOSEST: usize = 40;

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

/// The pages that are searched, with what they say in prose: those of the navigation first, in its order.
fn pages(site: &Site) -> Result<Vec<SearchEntry>> {
    let files = super::files(site.atlas).into_iter();
    let files: Vec<_> = files.filter_map(|file| Some((file.searched()?, file))).collect();
    let read = |(searched, file): &(Searched, Box<dyn File + '_>)| {
        let Searched { title, note } = searched.clone();
        let html = file.bytes(site)?;
        let prose = prose::of(&String::from_utf8_lossy(&html));
        Ok(SearchEntry { title, note, href: file.path(), more: String::new(), prose })
    };
    let mut pages: Vec<SearchEntry> = files.par_iter().map(read).collect::<Result<_>>()?;
    let bar: BTreeMap<String, usize> =
        site.navigation.pages().enumerate().map(|(at, link)| (link.href, at)).collect();
    // A stable sort: the others stay in the order of the kinds.
    pages.sort_by_key(|page| bar.get(&page.href).copied().unwrap_or(usize::MAX));
    Ok(pages)
}

/// Units by what a machine finds them close to.
fn close<'a>(atlas: &'a Atlas<'a>) -> Option<CloseUnits<'a>> {
    let known: BTreeSet<&str> = atlas
        .inputs
        .names
        .iter()
        .flat_map(|names| names.terms.iter().map(String::as_str))
        .collect();
    let mut units: BTreeMap<&str, Vec<(usize, u32, f32)>> = BTreeMap::new();
    for (place, (exhibit, layer)) in atlas.layers().enumerate() {
        let Some(names) = atlas.names(&exhibit.config.name, &layer.layer) else { continue };
        for number in (1..).take(names.units.len()) {
            for Candidate { term, standard, .. } in names.candidates(number) {
                let rounded = (standard * 10.0).round() / 10.0;
                units.entry(term).or_default().push((place, number, rounded));
            }
        }
    }
    for units in units.values_mut() {
        units.sort_by(|a, b| b.2.total_cmp(&a.2));
        units.truncate(CLOSEST);
    }
    let mut groups: Vec<TermGroup> =
        atlas.inputs.lexicons.iter().flat_map(TermGroup::all_of).collect();
    groups.iter_mut().for_each(|group| group.terms.retain(|term| known.contains(term.id)));
    groups.retain(|group| !group.terms.is_empty());
    (!groups.is_empty()).then_some(CloseUnits { groups, units })
}

fn index<'a>(site: &Site<'a>) -> Result<SearchIndex<'a>> {
    let atlas = site.atlas;
    let hrefs: BTreeSet<String> = atlas.terms.iter().map(|id| concept_href(id)).collect();
    // What the page of a term says is found with the term.
    let (of_terms, mut pages): (Vec<SearchEntry>, Vec<SearchEntry>) =
        pages(site)?.into_iter().partition(|page| hrefs.contains(&page.href));
    let mut of_terms: BTreeMap<String, String> =
        of_terms.into_iter().map(|page| (page.href, page.prose)).collect();
    for (exhibit, layer) in atlas.layers() {
        let network = &exhibit.config.name;
        pages.push(SearchEntry {
            title: format!("{network}/{}", layer.layer),
            note: "layer".into(),
            href: layer_href(network, &layer.layer),
            more: String::new(),
            // It says little but the names of its units, which are found by themselves.
            prose: String::new(),
        });
    }
    let term = |id: &String| {
        let entry = atlas.labels.term(id);
        let more = entry.map(|entry| entry.term.synonyms.join(" ")).unwrap_or_default();
        let href = concept_href(id);
        SearchEntry {
            title: atlas.labels.name(id),
            note: atlas.labels.standing(id),
            prose: of_terms.remove(&href).unwrap_or_default(),
            href,
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
    Ok(SearchIndex {
        pages,
        terms: atlas.terms.iter().map(term).collect(),
        layers: layers.collect(),
        mammograms: atlas.shown.mammograms.iter().map(image).collect(),
        close: close(atlas),
    })
}
