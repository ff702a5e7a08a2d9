//! What each page shows: plain serialisable views of the artifacts, one module per kind of page.
//!
//! Numbers are formatted here; templates only place them. Links in views count from the root of the
//! site, and a template puts `page.root` in front.

mod agreement;
mod assessment;
mod birads;
mod case;
mod cite;
mod concept;
mod data;
mod embed;
mod evidence;
pub(super) mod figures;
mod frame;
mod handout;
mod home;
mod layer;
mod mammogram;
mod methods;
mod network;
mod parts;
mod performance;
mod plan;
mod procedure;
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
pub(super) use self::frame::Link;
use self::frame::{Frame, Site, caution};
pub use self::handout::{Sheet, handout};
use self::parts::{LesionView, MammogramView, UnitCard, draw_lesions};
use self::plan::Kind;
pub(super) use self::plan::{Job, plan, sitemap};
use super::content::Article;
use super::images::Shown;
use super::keys::Keys;
use super::labels::Labels;
use super::site::Writer;
use super::study::Study;
use super::survey::Survey;
use super::theme::Theme;
use super::{Exhibit, Inputs, preview, script};
use base::UnitId;
use catalogue::{Catalogue, Entry};
use config::Source;
use metrics::Auc;
use record::dissection::{Category, Layer, Unit};
use study::answer::Association;

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
    /// What is known of the units.
    pub(super) catalogue: Catalogue<'a>,
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
    tabled: OnceLock<Vec<UnitId>>,
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

fn unit_href(unit: &UnitId) -> String {
    format!("networks/{unit}/index.html")
}

/// A link to a unit by its whole name.
fn unit_link(unit: &UnitId) -> Link {
    Link::new(unit.to_string(), unit_href(unit))
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
        Site::introduce(&mut theme, inputs.config, &inputs.manifest.source, inputs.store.edge());
        let layers = inputs.exhibits.iter().flat_map(|exhibit| exhibit.layers);
        let detector = inputs.config.dissection.detector as f32;
        let catalogue =
            Catalogue::new(layers, inputs.readers, inputs.consensus, inputs.lexicons, detector);
        let labels = Labels::new(inputs, &catalogue);
        let members = &inputs.manifest.mammograms;
        let lesions = members.iter().map(|member| draw_lesions(&labels, member)).collect();
        let study = Study::new(inputs, &catalogue);
        let mut atlas = Self {
            inputs,
            labels,
            study,
            theme,
            survey,
            catalogue,
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

    /// What is known of a unit of a layer of the atlas.
    pub(super) fn entry(&self, layer: &Layer, unit: &Unit) -> &Entry<'a> {
        &self.catalogue[&UnitId::new(&layer.network, &layer.layer, unit.unit)]
    }

    /// Probabilities of the classes of a network's patches; none of a network that is not here.
    fn scores(&self, network: &str) -> &'a [(u32, Vec<f32>)] {
        let exhibits: &'a [Exhibit<'a>] = self.inputs.exhibits;
        let exhibit = exhibits.iter().find(|exhibit| exhibit.config.name == network);
        exhibit.map(|exhibit| exhibit.evaluation.scores.as_slice()).unwrap_or_default()
    }

    /// Every dissected layer with its network.
    pub(super) fn layers(&self) -> impl Iterator<Item = (&'a Exhibit<'a>, &'a Layer)> + use<'a> {
        let exhibits: &'a [Exhibit<'a>] = self.inputs.exhibits;
        exhibits.iter().flat_map(|exhibit| exhibit.layers.iter().map(move |layer| (exhibit, layer)))
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
            Kind::Units(layer) => script::file(&job.path, &layer::units(self, layer)),
            Kind::Search => script::file(&job.path, &search::index(self, &self.terms)),
            Kind::Cases => {
                let title = "Cases".to_string();
                let description = "Mammograms with what speaks for cancer in them";
                let frame = self.frame(job, title, description.into());
                self.page("cases.html", &frame, &case::list(self))
            }
            Kind::Case(case) => {
                let view = case::view(self, &case);
                let mut frame = self.frame(job, view.title(), view.description());
                frame.crumbs = vec![
                    Link::new("Cases", "cases/index.html"),
                    Link { current: true, ..Link::new(view.title(), &job.path) },
                ];
                self.page("case.html", &frame, &view)
            }
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
                let name = &self.entry(layer, unit).id;
                frame.image = self.address(&preview::path(name));
                frame.image_size = Some(preview::SIZE);
                frame.card = self
                    .address(&public::card_path(name, "json"))
                    .zip(public::frame_element(self, name))
                    .map(|(answer, element)| [answer, element]);
                frame.crumbs = vec![
                    Link::new(network, network_href(network)),
                    Link::new(&layer.layer, layer_href(network, &layer.layer)),
                    Link { current: true, ..Link::new(name.digits(), &job.path) },
                ];
                self.page("unit.html", &frame, &view)
            }
            Kind::Card(layer, unit) => {
                let entry = self.entry(layer, unit);
                let frame = self.frame(job, entry.id.to_string(), String::new());
                self.page("card.html", &frame, &public::card(self, entry))
            }
            Kind::OEmbed(exhibit, layer, unit) => {
                let title = unit::view(self, exhibit, layer, unit)?.title();
                public::oembed(self, &self.entry(layer, unit).id, &title)
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
