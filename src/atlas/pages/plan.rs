//! Which pages and files of data a site has, and what each of them follows from.

use super::case;
use super::parts::mammogram_href;
use super::{
    Atlas, concept, layer_href, mammogram, network_href, public, search, survey, unit_href,
    units_path,
};
use crate::Exhibit;
use crate::keys::Keys;
use base::UnitId;
use base::artifact::Fingerprint;
use catalogue::Case;
use record::dissection::{Layer, Unit};

/// A page to render, or a file of data for the pages' scripts.
pub(crate) struct Job<'a> {
    /// Its file, below the site.
    pub(crate) path: String,
    pub(super) kind: Kind<'a>,
}

/// What a job makes.
#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    Home,
    Network(&'a Exhibit<'a>),
    Layer(&'a Exhibit<'a>, &'a Layer),
    /// Data of a layer's page.
    Units(&'a Layer),
    Unit(&'a Exhibit<'a>, &'a Layer, &'a Unit),
    /// A unit to embed in other pages.
    Card(&'a Layer, &'a Unit),
    /// What describes that to them.
    OEmbed(&'a Exhibit<'a>, &'a Layer, &'a Unit),
    Cases,
    Case(Case<'a>),
    Concepts,
    /// A term by its place in [`Atlas::terms`].
    Concept(usize),
    Mammogram(u32),
    /// Data of a mammogram for pages that show it beside its patches.
    Outlines(u32),
    /// Data of the search.
    Search,
    Performance,
    Birads,
    Agreement,
    Methods,
    Data,
    Cite,
    Selection,
    Survey,
    Article(usize),
}

/// Every page of the site.
pub(crate) fn plan<'a>(atlas: &Atlas<'a>) -> Vec<Job<'a>> {
    let job = |path: String, kind| Job { path, kind };
    let mut jobs = vec![
        job("index.html".into(), Kind::Home),
        job("performance/index.html".into(), Kind::Performance),
        job("birads/index.html".into(), Kind::Birads),
        job("agreement/index.html".into(), Kind::Agreement),
        job("methods/index.html".into(), Kind::Methods),
        job("data/index.html".into(), Kind::Data),
        job("concepts/index.html".into(), Kind::Concepts),
        job("cite/index.html".into(), Kind::Cite),
        job(search::PATH.into(), Kind::Search),
    ];
    if !atlas.survey.is_empty() {
        jobs.push(job(survey::SELECTION.into(), Kind::Selection));
        jobs.push(job(survey::SURVEY.into(), Kind::Survey));
    }
    if !atlas.inputs.explanations.is_empty() {
        jobs.push(job("cases/index.html".into(), Kind::Cases));
    }
    for case in atlas.cases() {
        jobs.push(job(case::href(atlas, &case), Kind::Case(case)));
    }
    for (at, term) in atlas.terms.iter().enumerate() {
        jobs.push(job(concept::href(term), Kind::Concept(at)));
    }
    for (at, article) in atlas.articles.iter().enumerate() {
        jobs.push(job(format!("{}/index.html", article.slug), Kind::Article(at)));
    }
    for exhibit in atlas.inputs.exhibits {
        let network = &exhibit.config.name;
        jobs.push(job(network_href(network), Kind::Network(exhibit)));
        for layer in exhibit.layers {
            jobs.push(job(layer_href(network, &layer.layer), Kind::Layer(exhibit, layer)));
            jobs.push(job(units_path(network, &layer.layer), Kind::Units(layer)));
            for unit in &layer.units {
                let name = UnitId::new(network, &layer.layer, unit.unit);
                jobs.push(job(unit_href(&name), Kind::Unit(exhibit, layer, unit)));
                if atlas.inputs.config.base_url.is_some() {
                    let card = public::card_path(&name, "html");
                    jobs.push(job(card, Kind::Card(layer, unit)));
                    let answer = public::card_path(&name, "json");
                    jobs.push(job(answer, Kind::OEmbed(exhibit, layer, unit)));
                }
            }
        }
    }
    for &number in &atlas.shown.mammograms {
        let id = &atlas.inputs.manifest.mammograms[number as usize].mammogram.id;
        jobs.push(job(mammogram_href(id), Kind::Mammogram(number)));
        jobs.push(job(format!("mammograms/{id}/outlines.js"), Kind::Outlines(number)));
    }
    jobs
}

/// Map of the pages, where the atlas is published.
pub(crate) fn sitemap(atlas: &Atlas, jobs: &[Job]) -> Option<Vec<u8>> {
    atlas.inputs.config.base_url.as_ref()?;
    Some(public::sitemap(atlas, jobs.iter().map(|job| job.path.as_str())))
}

impl Atlas<'_> {
    /// What a page is made from; with the same it is not rendered again.
    pub(super) fn key(&self, job: &Job, keys: &Keys) -> Fingerprint {
        match job.kind {
            Kind::Unit(_, layer, unit) | Kind::Card(layer, unit) | Kind::OEmbed(_, layer, unit) => {
                let answers = self.labels.of(&self.entry(layer, unit).id).iter();
                let answers: Vec<_> =
                    answers.map(|(reader, answer)| (&reader.reader, answer)).collect();
                keys.apart_from_readers(&(&job.path, answers))
            }
            Kind::Outlines(_) => keys.apart_from_readers(&job.path),
            Kind::Mammogram(number) => {
                let said = self.said.get_or_init(|| mammogram::said(self));
                keys.apart_from_readers(&(&job.path, said.get(&number)))
            }
            Kind::Article(at) => {
                let article = &self.articles[at];
                keys.with_readers(&(&job.path, &article.text, &article.figures))
            }
            _ => keys.with_readers(&job.path),
        }
    }
}
