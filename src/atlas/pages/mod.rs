//! What each page shows: plain serialisable views of the artifacts, one module per kind of page.
//!
//! Numbers are formatted here; templates only place them. Links in views count from the root of the
//! site, and a template puts `page.root` in front.

mod agreement;
mod assessment;
mod birads;
mod cite;
mod concept;
mod data;
mod embed;
mod evidence;
pub(super) mod figures;
mod home;
mod layer;
mod mammogram;
mod methods;
mod network;
mod parts;
mod performance;
mod public;
mod search;
mod survey;
mod unit;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Result;
use rayon::prelude::*;
use serde::Serialize;

pub(super) use self::data::sheet;
use self::parts::{LesionView, MammogramView, UnitCard, draw_lesions};
use super::content::Article;
use super::images::Shown;
use super::keys::Keys;
use super::labels::Labels;
use super::site::Writer;
use super::study::Study;
use super::survey::Survey;
use super::theme::Theme;
use super::{Exhibit, Inputs, script};
use crate::artifact::Fingerprint;
use crate::config::Source;
use crate::dissection::record::{Category, Concept, Layer, Unit, unit_name};
use crate::study::answer::Association;
use crate::training::record::Auc;

/// What the atlas is, for search engines.
const DESCRIPTION: &str = "What the units of neural networks see in mammograms: for each unit the \
    patches that it responds to most, its overlap with annotated concepts, and what readers call it.";

/// Everything that rendering draws from.
pub(super) struct Atlas<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) labels: Labels<'a>,
    pub(super) study: Study<'a>,
    pub(super) theme: Theme,
    pub(super) survey: Survey<'a>,
    articles: Vec<Article>,
    shown: &'a Shown,
    /// Terms that have a page.
    terms: Vec<String>,
    /// Lesions of each mammogram, drawn once for all pages.
    lesions: Vec<Vec<LesionView>>,
    /// Which units have a patch at their top, where a page asks for it.
    ranks: OnceLock<mammogram::Ranks>,
    /// What readers said of units with a patch of a mammogram, where a page asks for it.
    said: OnceLock<mammogram::Said>,
    /// Units of the BI-RADS table, where a figure or a link to one asks for them.
    tabled: OnceLock<Vec<String>>,
}

/// A page to render, or a file of data for the pages' scripts.
pub(super) struct Job<'a> {
    /// Its file, below the site.
    pub(super) path: String,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Home,
    Network(&'a Exhibit<'a>),
    Layer(&'a Exhibit<'a>, &'a Layer),
    /// Data of a layer's page.
    Units(&'a Exhibit<'a>, &'a Layer),
    Unit(&'a Exhibit<'a>, &'a Layer, &'a Unit),
    /// A unit to embed in other pages.
    Card(&'a Exhibit<'a>, &'a Layer, &'a Unit),
    /// What describes that to them.
    OEmbed(&'a Exhibit<'a>, &'a Layer, &'a Unit),
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

/// What every template and component knows, as `site`.
#[derive(Serialize)]
struct Site<'a> {
    title: &'a str,
    /// Whether the images are synthetic: then every page says so.
    phantom: bool,
    source: &'a str,
    /// Edge of a patch in its own pixels: the view box of overlays.
    edge: u32,
    version: &'static str,
    /// The theme's options.
    options: BTreeMap<String, String>,
}

/// What every page knows of itself, as `page`.
#[derive(Serialize)]
struct Frame<'a> {
    title: String,
    description: String,
    /// Steps up to the root of the site: ``, `../`, …
    root: String,
    path: &'a str,
    nav: Vec<Link>,
    crumbs: Vec<Link>,
    /// What must be known of the network's weights.
    caution: Option<String>,
    /// Its address, where the atlas is published.
    url: Option<String>,
    /// Address of a picture that stands for it.
    image: Option<String>,
    /// The atlas as a data set, in JSON-LD.
    dataset: Option<String>,
    /// Address of what describes its card, and the element that embeds it.
    card: Option<[String; 2]>,
}

/// A link, from the root of the site.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Link {
    title: String,
    href: String,
    current: bool,
}

impl Link {
    fn new(title: impl Into<String>, href: impl Into<String>) -> Self {
        Self { title: title.into(), href: href.into(), current: false }
    }
}

/// The concept that a unit overlaps best with, and how well. Of equals the first. Breast and background
/// are no names for a unit: whatever responds to tissue overlaps the breast.
pub(super) fn best_concept<'a>(layer: &'a Layer, unit: &Unit) -> Option<(&'a Concept, f32)> {
    let mut best: Option<(&Concept, f32)> = None;
    for (concept, found) in layer.concepts.iter().zip(&unit.matches) {
        let iou = found.iou;
        if concept.category != Category::Breast && iou > best.map_or(0.0, |(_, iou)| iou) {
            best = Some((concept, iou));
        }
    }
    best
}

/// A kind of concept in a word.
pub(super) fn category_word(category: Category) -> &'static str {
    match category {
        Category::Pathology => "pathology",
        Category::Finding => "finding",
        Category::Region => "region",
        Category::Breast => "breast",
    }
}

/// An association in the words of the label files.
pub(super) fn association_word(association: Association) -> &'static str {
    match association {
        Association::Malignant => "malignant",
        Association::Benign => "benign",
        Association::None => "none",
        Association::Unsure => "unsure",
    }
}

fn network_href(network: &str) -> String {
    format!("networks/{network}/index.html")
}

fn layer_href(network: &str, layer: &str) -> String {
    format!("networks/{network}/{layer}/index.html")
}

/// Data of a layer's page.
fn units_path(network: &str, layer: &str) -> String {
    format!("networks/{network}/{layer}/units.js")
}

fn unit_href(network: &str, layer: &str, unit: u32) -> String {
    format!("networks/{}/index.html", unit_name(network, layer, unit))
}

/// Every page of the site.
pub(super) fn plan<'a>(atlas: &Atlas<'a>) -> Vec<Job<'a>> {
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
            jobs.push(job(units_path(network, &layer.layer), Kind::Units(exhibit, layer)));
            for unit in &layer.units {
                let path = unit_href(network, &layer.layer, unit.unit);
                jobs.push(job(path, Kind::Unit(exhibit, layer, unit)));
                if atlas.inputs.config.base_url.is_some() {
                    let name = unit_name(network, &layer.layer, unit.unit);
                    let card = public::card_path(&name, "html");
                    jobs.push(job(card, Kind::Card(exhibit, layer, unit)));
                    let answer = public::card_path(&name, "json");
                    jobs.push(job(answer, Kind::OEmbed(exhibit, layer, unit)));
                }
            }
        }
    }
    for &number in &atlas.shown.mammograms {
        let id = &atlas.inputs.manifest.mammograms[number as usize].mammogram.id;
        jobs.push(job(parts::mammogram_href(id), Kind::Mammogram(number)));
        jobs.push(job(format!("mammograms/{id}/outlines.js"), Kind::Outlines(number)));
    }
    jobs
}

/// Map of the pages, where the atlas is published.
pub(super) fn sitemap(atlas: &Atlas, jobs: &[Job]) -> Option<Vec<u8>> {
    atlas.inputs.config.base_url.as_ref()?;
    Some(public::sitemap(atlas, jobs.iter().map(|job| job.path.as_str())))
}

/// Renders in parallel the pages of which something has changed, and writes each as it comes.
pub(super) fn render_all(atlas: &Atlas, jobs: &[Job], keys: &Keys, writer: &Writer) -> Result<()> {
    jobs.par_iter().try_for_each(|job| {
        writer.write_made_from(&job.path, atlas.key(job, keys), || atlas.render(job))
    })
}

impl<'a> Atlas<'a> {
    /// Makes what all pages share.
    pub(super) fn new(
        inputs: &'a Inputs<'a>,
        mut theme: Theme,
        articles: Vec<Article>,
        shown: &'a Shown,
        survey: Survey<'a>,
    ) -> Self {
        let about = &inputs.manifest.source;
        let options = theme.options.clone();
        theme.set(
            "site",
            &Site {
                title: &inputs.config.title,
                phantom: about.phantom,
                source: &about.name,
                edge: inputs.store.edge(),
                version: env!("CARGO_PKG_VERSION"),
                options,
            },
        );
        let labels = Labels::new(inputs);
        let members = &inputs.manifest.mammograms;
        let lesions = members.iter().map(|member| draw_lesions(&labels, member)).collect();
        let study = Study::new(inputs);
        let mut atlas = Self {
            inputs,
            labels,
            study,
            theme,
            survey,
            articles,
            shown,
            lesions,
            terms: Vec::new(),
            ranks: OnceLock::new(),
            said: OnceLock::new(),
            tabled: OnceLock::new(),
        };
        atlas.terms = concept::terms(&atlas);
        atlas
    }

    /// Name of the lexicon that readers work with.
    pub(super) fn lexicon_name(&self) -> String {
        let id = &self.inputs.config.survey.lexicon;
        let known = self.inputs.lexicons.iter().find(|lexicon| lexicon.id == *id);
        known.map_or_else(|| id.clone(), |lexicon| lexicon.name.clone())
    }

    /// Whether a unit with this IoU is a detector of the concept.
    pub(super) fn is_detector(&self, concept: &Concept, iou: f32) -> bool {
        concept.category != Category::Breast && iou > self.detector()
    }

    /// The IoU above which a unit is a detector.
    pub(super) fn detector(&self) -> f32 {
        self.inputs.config.dissection.detector as f32
    }

    /// Every dissected layer with its network.
    pub(super) fn layers(&self) -> impl Iterator<Item = (&'a Exhibit<'a>, &'a Layer)> + use<'a> {
        let exhibits: &'a [Exhibit<'a>] = self.inputs.exhibits;
        exhibits.iter().flat_map(|exhibit| exhibit.layers.iter().map(move |layer| (exhibit, layer)))
    }

    /// What a page is made from; with the same it is not rendered again.
    fn key(&self, job: &Job, keys: &Keys) -> Fingerprint {
        match job.kind {
            Kind::Unit(exhibit, layer, unit)
            | Kind::Card(exhibit, layer, unit)
            | Kind::OEmbed(exhibit, layer, unit) => {
                let name = unit_name(&exhibit.config.name, &layer.layer, unit.unit);
                let answers = self.labels.of(&name).iter();
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

    fn render(&self, job: &Job) -> Result<Vec<u8>> {
        match job.kind {
            Kind::Home => {
                let mut frame = self.frame(job, String::new(), self.inputs.config.title.clone());
                frame.dataset = public::dataset(self, DESCRIPTION)?;
                self.page("home.html", &frame, &home::view(self))
            }
            Kind::Network(exhibit) => {
                let mut frame = self.frame(
                    job,
                    exhibit.config.name.clone(),
                    format!(
                        "How well {} tells cancer from no cancer, and its dissected layers",
                        exhibit.config.name
                    ),
                );
                frame.caution = caution(exhibit);
                self.page("network.html", &frame, &network::view(self, exhibit))
            }
            Kind::Layer(exhibit, layer) => {
                let network = &exhibit.config.name;
                let title = format!("{network}/{}", layer.layer);
                let description = format!("The {} units of {title}", layer.units.len());
                let mut frame = self.frame(job, title, description);
                frame.caution = caution(exhibit);
                frame.crumbs = vec![
                    Link::new(network, network_href(network)),
                    Link { current: true, ..Link::new(&layer.layer, &job.path) },
                ];
                self.page("layer.html", &frame, &layer::view(self, exhibit, layer))
            }
            Kind::Units(exhibit, layer) => {
                script::file(&job.path, &layer::units(self, exhibit, layer))
            }
            Kind::Search => script::file(&job.path, &search::index(self, &self.terms)),
            Kind::Concepts => {
                let title = "Concepts".to_string();
                let description = "Terms that have outlines in the data set or that readers used, and their units";
                let frame = self.frame(job, title, description.into());
                self.page("concepts.html", &frame, &concept::list(self, &self.terms))
            }
            Kind::Concept(at) => {
                let view = concept::view(self, &self.terms[at]);
                let mut frame = self.frame(job, view.title(), view.description());
                frame.crumbs = vec![
                    Link::new("Concepts", "concepts/index.html"),
                    Link { current: true, ..Link::new(view.title(), &job.path) },
                ];
                self.page("concept.html", &frame, &view)
            }
            Kind::Outlines(number) => script::file(&job.path, &self.mammogram(number)),
            Kind::Mammogram(number) => {
                let view = mammogram::view(self, number);
                let mut frame = self.frame(job, view.title(), view.description());
                frame.crumbs = vec![
                    Link::new("Data", "data/index.html"),
                    Link { current: true, ..Link::new(view.title(), &job.path) },
                ];
                self.page("mammogram.html", &frame, &view)
            }
            Kind::Unit(exhibit, layer, unit) => {
                let network = &exhibit.config.name;
                let view = unit::view(self, exhibit, layer, unit)?;
                let mut frame = self.frame(job, view.title(), view.description());
                frame.caution = caution(exhibit);
                let name = unit_name(network, &layer.layer, unit.unit);
                frame.image = view.best_patch().and_then(|path| self.address(path));
                frame.card = self
                    .address(&public::card_path(&name, "json"))
                    .zip(public::frame_element(self, &name))
                    .map(|(answer, element)| [answer, element]);
                frame.crumbs = vec![
                    Link::new(network, network_href(network)),
                    Link::new(&layer.layer, layer_href(network, &layer.layer)),
                    Link { current: true, ..Link::new(format!("{:04}", unit.unit), &job.path) },
                ];
                self.page("unit.html", &frame, &view)
            }
            Kind::Card(exhibit, layer, unit) => {
                let name = unit_name(&exhibit.config.name, &layer.layer, unit.unit);
                let frame = self.frame(job, name, String::new());
                self.page("card.html", &frame, &public::card(self, exhibit, layer, unit))
            }
            Kind::OEmbed(exhibit, layer, unit) => {
                let title = unit::view(self, exhibit, layer, unit)?.title();
                let name = unit_name(&exhibit.config.name, &layer.layer, unit.unit);
                public::oembed(self, &name, &title)
            }
            Kind::Performance => {
                let frame = self.frame(
                    job,
                    "Performance".into(),
                    "How well the networks tell cancer from no cancer, beside the published figures"
                        .into(),
                );
                self.page("performance.html", &frame, &performance::view(self))
            }
            Kind::Birads => {
                let frame = self.frame(
                    job,
                    "BI-RADS table".into(),
                    "Units of the networks by the BI-RADS category of what they show".into(),
                );
                self.page("birads.html", &frame, &birads::page(self))
            }
            Kind::Agreement => {
                let frame = self.frame(
                    job,
                    "Readers and agreement".into(),
                    "What readers said of the units, and how far they agree".into(),
                );
                self.page("agreement.html", &frame, &agreement::view(self))
            }
            Kind::Methods => {
                let frame = self.frame(
                    job,
                    "Methods".into(),
                    "How the patches were cut, the networks trained and the units dissected".into(),
                );
                self.page("methods.html", &frame, &methods::view(self))
            }
            Kind::Data => {
                let frame = self.frame(
                    job,
                    "Data".into(),
                    "The mammograms and patches behind this atlas, and tables to download".into(),
                );
                self.page("data.html", &frame, &data::view(self))
            }
            Kind::Selection => {
                let frame = self.frame(
                    job,
                    "Survey".into(),
                    "The units that readers are asked about, and how they were chosen".into(),
                );
                self.page("selection.html", &frame, &survey::selection(self))
            }
            Kind::Survey => {
                let mut frame = self.frame(
                    job,
                    "Reader survey".into(),
                    "A survey for expert readers of mammograms".into(),
                );
                // The way to the atlas would tell what a blind survey hides.
                frame.nav = Vec::new();
                self.page("survey.html", &frame, &survey::survey(self))
            }
            Kind::Cite => {
                let frame = self.frame(
                    job,
                    "How to cite".into(),
                    "How to cite this atlas and single units of it".into(),
                );
                self.page("cite.html", &frame, &cite::view(self))
            }
            Kind::Article(at) => {
                let article = &self.articles[at];
                let frame = self.frame(job, article.title.clone(), article.title.clone());
                let html = embed::html(self, &frame, article)?;
                self.page("article.html", &frame, &ArticleView { html })
            }
        }
    }

    /// Refuses prose that embeds what is not there.
    pub(super) fn check_prose(&self) -> Result<()> {
        embed::check(self)
    }

    /// Pictures of the prose, by their paths in the site.
    pub(super) fn figures(&self) -> BTreeMap<String, PathBuf> {
        let folder = self.inputs.config.root.join("content").join(super::content::IMAGES);
        let files = self.articles.iter().flat_map(|article| article.figures.keys());
        files.map(|file| (format!("images/{file}"), folder.join(file))).collect()
    }

    fn page(&self, template: &str, frame: &Frame, view: &impl Serialize) -> Result<Vec<u8>> {
        let mut context = tera::Context::new();
        context.insert("page", frame);
        context.insert("view", view);
        self.theme.render(template, &context)
    }

    fn frame<'b>(&self, job: &'b Job, title: String, description: String) -> Frame<'b> {
        Frame {
            title,
            description,
            root: "../".repeat(job.path.matches('/').count()),
            path: &job.path,
            nav: self.navigation(&job.path),
            crumbs: Vec::new(),
            caution: None,
            url: self.address(&job.path),
            image: None,
            dataset: None,
            card: None,
        }
    }

    /// Pages of the atlas and of the content, in the order of their weights.
    fn navigation(&self, path: &str) -> Vec<Link> {
        let mut weighted: Vec<(i64, Link)> = vec![(0, Link::new("Atlas", "index.html"))];
        for exhibit in self.inputs.exhibits {
            let name = &exhibit.config.name;
            weighted.push((10, Link::new(name, network_href(name))));
        }
        weighted.push((15, Link::new("Performance", "performance/index.html")));
        weighted.push((20, Link::new("BI-RADS table", "birads/index.html")));
        weighted.push((22, Link::new("Concepts", "concepts/index.html")));
        weighted.push((25, Link::new("Readers", "agreement/index.html")));
        if !self.survey.is_empty() {
            weighted.push((26, Link::new("Survey", survey::SELECTION)));
        }
        weighted.push((30, Link::new("Methods", "methods/index.html")));
        weighted.push((40, Link::new("Data", "data/index.html")));
        weighted.push((90, Link::new("Cite", "cite/index.html")));
        for article in &self.articles {
            let href = format!("{}/index.html", article.slug);
            weighted.push((article.weight, Link::new(&article.title, href)));
        }
        weighted.sort_by_key(|(weight, _)| *weight);
        let mut links: Vec<Link> = weighted.into_iter().map(|(_, link)| link).collect();
        for link in &mut links {
            // A network's entry is current on all its pages.
            let folder = link.href.trim_end_matches("index.html");
            link.current = link.href == path || (!folder.is_empty() && path.starts_with(folder));
        }
        links
    }

    /// Folders of this machine, which may stand in messages but never on a page.
    fn folders(&self) -> Vec<&Path> {
        let config = self.inputs.config;
        let mut folders =
            vec![config.root.as_path(), config.output.as_path(), self.inputs.previews];
        match &config.source {
            Source::Ddsm { path }
            | Source::DdsmRelease { path }
            | Source::CbisDdsm { path }
            | Source::MiniMias { path } => {
                folders.push(path);
                folders.extend(path.parent());
            }
            Source::Folder { table, regions } => {
                folders.extend([Some(table), regions.as_ref()].into_iter().flatten().map(|p| &**p));
                folders.extend(table.parent());
            }
            Source::Phantom { .. } => {}
        }
        folders
    }
}

#[derive(Serialize)]
struct ArticleView {
    html: String,
}

/// What a reader of a network's pages must know of its weights.
fn caution(exhibit: &Exhibit) -> Option<String> {
    let name = &exhibit.config.name;
    match (&exhibit.evaluation.pretrained, exhibit.evaluation.best_epoch) {
        (Some(_), _) => None,
        (None, Some(_)) => Some(format!("{name} was trained here from random weights.")),
        (None, None) => Some(format!("{name} has random weights: it was not trained.")),
    }
}

/// `0.812 (95% interval 0.744 to 0.880)`, in parts.
#[derive(Debug, Clone, Serialize)]
struct AucView {
    value: String,
    low: String,
    high: String,
}

impl AucView {
    fn of(auc: Auc) -> Self {
        let shown = |value: f64| format!("{value:.3}");
        Self { value: shown(auc.value), low: shown(auc.low), high: shown(auc.high) }
    }
}

/// Of an exhibit's patches.
fn auc_view(exhibit: &Exhibit) -> Option<AucView> {
    exhibit.evaluation.auc.map(AucView::of)
}
