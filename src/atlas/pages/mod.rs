//! What each page shows: plain serialisable views of the artifacts, one module per kind of page.
//!
//! Numbers are formatted here; templates only place them. Links in views count from the root of the
//! site, and a template puts `page.root` in front.

mod birads;
mod data;
mod home;
mod layer;
mod methods;
mod network;
mod unit;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;
use serde::Serialize;

use super::content::Article;
use super::labels::Labels;
use super::site::Writer;
use super::theme::Theme;
use super::{DETECTOR_IOU, Exhibit, Inputs, images, outline, text};
use crate::config::Source;
use crate::dissection::record::{Concept, Layer, TopPatch, Unit, unit_name};
use crate::patch::Member;
use crate::study::answer::Association;

/// Everything that rendering draws from.
pub(super) struct Atlas<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) labels: Labels<'a>,
    pub(super) theme: Theme,
    articles: Vec<Article>,
    /// Lesions of each mammogram, drawn once for all pages.
    lesions: BTreeMap<u32, Vec<LesionView>>,
}

/// A page to render.
pub(super) struct Job<'a> {
    /// Its file, below the site.
    pub(super) path: String,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Home,
    Network(&'a Exhibit<'a>),
    Layer(&'a Exhibit<'a>, &'a Layer),
    Unit(&'a Exhibit<'a>, &'a Layer, &'a Unit),
    Birads,
    Methods,
    Data,
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

/// A patch as a unit sees it.
#[derive(Debug, Clone, Serialize)]
struct PatchView {
    rank: usize,
    name: String,
    src: String,
    alt: String,
    score: String,
    positive: bool,
    /// `cancer` or `no cancer`.
    label: &'static str,
    /// Path data in patch pixels; empty when nothing exceeds the threshold.
    overlay: String,
    mammogram: String,
    /// Path of the whole mammogram.
    context: String,
    /// Left, top and edge of the window in the mammogram's pixels.
    x: u32,
    y: u32,
    edge: u32,
}

/// A whole mammogram.
#[derive(Debug, Clone, Serialize)]
struct MammogramView {
    id: String,
    src: String,
    alt: String,
    /// Size of the picture.
    preview: [u32; 2],
    /// Size of the mammogram, the view box of its outlines.
    size: [u32; 2],
    /// Which breast and view, where known.
    view: String,
    /// Breast composition and what else the source states.
    facts: Vec<(String, String)>,
    lesions: Vec<LesionView>,
}

/// A lesion over its mammogram.
#[derive(Debug, Clone, Serialize)]
struct LesionView {
    paths: Vec<String>,
    /// `malignant`, `benign`, `unproven`.
    pathology: &'static str,
    /// The finding in words.
    finding: String,
}

/// A unit in a list.
#[derive(Debug, Clone, Serialize)]
struct UnitCard {
    /// `vgg16/conv5_3/0063`
    name: String,
    network: String,
    layer: String,
    number: String,
    href: String,
    /// What to call it: the readers' words, else the concept it detects.
    label: String,
    /// `reader`, `concept` or `none`: where that comes from.
    label_from: &'static str,
    concept: String,
    concept_standing: String,
    iou: String,
    detector: bool,
    max_score: String,
    cancer: usize,
    patches: Vec<PatchView>,
}

/// The concept that a unit overlaps best with, and how well. Of equals the first.
pub(super) fn best_concept<'a>(layer: &'a Layer, unit: &Unit) -> Option<(&'a Concept, f32)> {
    let mut best: Option<(&Concept, f32)> = None;
    for (concept, &iou) in layer.concepts.iter().zip(&unit.ious) {
        if iou > best.map_or(0.0, |(_, iou)| iou) {
            best = Some((concept, iou));
        }
    }
    best
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

fn unit_href(network: &str, layer: &str, unit: u32) -> String {
    format!("networks/{}/index.html", unit_name(network, layer, unit))
}

/// Every page of the site.
pub(super) fn plan<'a>(atlas: &Atlas<'a>) -> Vec<Job<'a>> {
    let job = |path: String, kind| Job { path, kind };
    let mut jobs = vec![
        job("index.html".into(), Kind::Home),
        job("birads/index.html".into(), Kind::Birads),
        job("methods/index.html".into(), Kind::Methods),
        job("data/index.html".into(), Kind::Data),
    ];
    for (at, article) in atlas.articles.iter().enumerate() {
        jobs.push(job(format!("{}/index.html", article.slug), Kind::Article(at)));
    }
    for exhibit in atlas.inputs.exhibits {
        let network = &exhibit.config.name;
        jobs.push(job(network_href(network), Kind::Network(exhibit)));
        for layer in exhibit.layers {
            jobs.push(job(layer_href(network, &layer.layer), Kind::Layer(exhibit, layer)));
            for unit in &layer.units {
                let path = unit_href(network, &layer.layer, unit.unit);
                jobs.push(job(path, Kind::Unit(exhibit, layer, unit)));
            }
        }
    }
    jobs
}

/// Renders pages in parallel and writes each as it comes.
pub(super) fn render_all(atlas: &Atlas, jobs: Vec<Job>, writer: &Writer) -> Result<()> {
    jobs.into_par_iter().try_for_each(|job| {
        let page = atlas.render(&job)?;
        writer.write(&job.path, &page)
    })
}

impl<'a> Atlas<'a> {
    pub(super) fn new(inputs: &'a Inputs<'a>, theme: Theme, articles: Vec<Article>) -> Self {
        let labels = Labels::new(inputs);
        Self { inputs, labels, theme, articles, lesions: BTreeMap::new() }
    }

    /// Makes what all pages share.
    pub(super) fn prepare_rendering(&mut self) {
        let inputs = self.inputs;
        let about = &inputs.manifest.source;
        self.theme.set(
            "site",
            &Site {
                title: &inputs.config.title,
                phantom: about.phantom,
                source: &about.name,
                edge: inputs.store.edge(),
                version: env!("CARGO_PKG_VERSION"),
            },
        );
        self.lesions = (0..)
            .zip(&inputs.manifest.mammograms)
            .map(|(number, member)| (number, self.draw_lesions(member)))
            .collect();
    }

    /// Every dissected layer with its network.
    pub(super) fn layers(&self) -> impl Iterator<Item = (&'a Exhibit<'a>, &'a Layer)> + use<'a> {
        let exhibits: &'a [Exhibit<'a>] = self.inputs.exhibits;
        exhibits.iter().flat_map(|exhibit| exhibit.layers.iter().map(move |layer| (exhibit, layer)))
    }

    fn render(&self, job: &Job) -> Result<Vec<u8>> {
        match job.kind {
            Kind::Home => {
                let frame = self.frame(job, String::new(), self.inputs.config.title.clone());
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
            Kind::Unit(exhibit, layer, unit) => {
                let network = &exhibit.config.name;
                let view = unit::view(self, exhibit, layer, unit);
                let mut frame = self.frame(job, view.title(), view.description());
                frame.caution = caution(exhibit);
                frame.crumbs = vec![
                    Link::new(network, network_href(network)),
                    Link::new(&layer.layer, layer_href(network, &layer.layer)),
                    Link { current: true, ..Link::new(format!("{:04}", unit.unit), &job.path) },
                ];
                self.page("unit.html", &frame, &view)
            }
            Kind::Birads => {
                let frame = self.frame(
                    job,
                    "BI-RADS table".into(),
                    "Units of the networks by the BI-RADS category of what they show".into(),
                );
                self.page("birads.html", &frame, &birads::view(self))
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
            Kind::Article(at) => {
                let article = &self.articles[at];
                let frame = self.frame(job, article.title.clone(), article.title.clone());
                self.page("article.html", &frame, &ArticleView { html: &article.html })
            }
        }
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
        }
    }

    /// Pages of the atlas and of the content, in the order of their weights.
    fn navigation(&self, path: &str) -> Vec<Link> {
        let mut weighted: Vec<(i64, Link)> = vec![(0, Link::new("Atlas", "index.html"))];
        for exhibit in self.inputs.exhibits {
            let name = &exhibit.config.name;
            weighted.push((10, Link::new(name, network_href(name))));
        }
        weighted.push((20, Link::new("BI-RADS table", "birads/index.html")));
        weighted.push((30, Link::new("Methods", "methods/index.html")));
        weighted.push((40, Link::new("Data", "data/index.html")));
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

    fn draw_lesions(&self, member: &Member) -> Vec<LesionView> {
        let mammogram = &member.mammogram;
        let scale = mammogram.width as f32 / member.preview[0].max(1) as f32;
        mammogram
            .lesions
            .iter()
            .map(|lesion| {
                let names: Vec<String> =
                    lesion.terms.iter().map(|id| self.labels.name(id)).collect();
                LesionView {
                    paths: lesion
                        .outlines
                        .iter()
                        .map(|o| outline::lesion(o, 0.7 * scale))
                        .filter(|path| !path.is_empty())
                        .collect(),
                    pathology: pathology_word(lesion.pathology),
                    finding: if names.is_empty() {
                        lesion.source_words.clone()
                    } else {
                        names.join(", ")
                    },
                }
            })
            .collect()
    }

    fn patch(&self, unit: &str, rank: usize, top: &TopPatch) -> PatchView {
        let manifest = self.inputs.manifest;
        let patch = &manifest.patches[top.patch as usize];
        let mammogram = &manifest.member(patch).mammogram;
        let label = if patch.positive { "cancer" } else { "no cancer" };
        PatchView {
            rank,
            name: manifest.patch_name(patch),
            src: images::patch_path(self.inputs, patch),
            alt: format!("Patch {rank} of {unit}, from mammogram {}: {label}", mammogram.id),
            score: text::significant(f64::from(top.score)),
            positive: patch.positive,
            label,
            overlay: top.overlay.clone(),
            mammogram: mammogram.id.clone(),
            context: images::mammogram_path(&mammogram.id),
            x: patch.x,
            y: patch.y,
            edge: patch.edge,
        }
    }

    fn mammogram(&self, number: u32) -> MammogramView {
        let member = &self.inputs.manifest.mammograms[number as usize];
        let mammogram = &member.mammogram;
        let words: Vec<String> = [
            mammogram.laterality.map(|side| side.to_string()),
            mammogram.view.map(|view| view.to_string()),
        ]
        .into_iter()
        .flatten()
        .collect();
        let view = words.join(" ");
        let mut facts = Vec::new();
        if let Some(density) = &mammogram.density {
            facts.push(("composition".to_string(), self.labels.name(density)));
        }
        facts.extend(mammogram.facts.clone());
        let described =
            if view.is_empty() { "Mammogram".into() } else { format!("{view} mammogram") };
        MammogramView {
            id: mammogram.id.clone(),
            src: images::mammogram_path(&mammogram.id),
            alt: format!("{described} {}, whole", mammogram.id),
            preview: member.preview,
            size: [mammogram.width, mammogram.height],
            view,
            facts,
            lesions: self.lesions.get(&number).cloned().unwrap_or_default(),
        }
    }

    /// A unit with its first `patches` patches, whose overlays lose detail below `tolerance` pixels.
    fn card(
        &self,
        exhibit: &Exhibit,
        layer: &Layer,
        unit: &Unit,
        patches: usize,
        tolerance: f32,
    ) -> UnitCard {
        let network = &exhibit.config.name;
        let name = unit_name(network, &layer.layer, unit.unit);
        let best = best_concept(layer, unit);
        let (label, label_from) = self.call(&name, best);
        let manifest = self.inputs.manifest;
        UnitCard {
            network: network.clone(),
            layer: layer.layer.clone(),
            number: format!("{:04}", unit.unit),
            href: unit_href(network, &layer.layer, unit.unit),
            label,
            label_from,
            concept: best.map(|(c, _)| self.labels.name(&c.id)).unwrap_or_default(),
            concept_standing: best.map(|(c, _)| self.labels.standing(&c.id)).unwrap_or_default(),
            iou: best.map(|(_, iou)| format!("{iou:.3}")).unwrap_or_default(),
            detector: best.is_some_and(|(_, iou)| iou > DETECTOR_IOU),
            max_score: text::significant(f64::from(unit.score_range[1])),
            cancer: unit
                .top
                .iter()
                .filter(|top| manifest.patches[top.patch as usize].positive)
                .count(),
            patches: unit
                .top
                .iter()
                .take(patches)
                .enumerate()
                .map(|(at, top)| {
                    let mut patch = self.patch(&name, at + 1, top);
                    patch.overlay = outline::coarse(&patch.overlay, tolerance);
                    patch
                })
                .collect(),
            name,
        }
    }

    /// What to call a unit, and where that comes from.
    fn call(&self, name: &str, best: Option<(&Concept, f32)>) -> (String, &'static str) {
        let mut said: Vec<String> = Vec::new();
        for (_, _, phenomenon) in self.labels.phenomena(name) {
            let words = phenomenon.description.trim();
            if !words.is_empty() && !said.iter().any(|s| s.eq_ignore_ascii_case(words)) {
                said.push(words.to_string());
            }
        }
        match best {
            _ if !said.is_empty() => (said.join("; "), "reader"),
            Some((concept, iou)) if iou > DETECTOR_IOU => {
                (self.labels.name(&concept.id), "concept")
            }
            _ => (String::new(), "none"),
        }
    }

    /// Folders of this machine, which may stand in messages but never on a page.
    fn folders(&self) -> Vec<&Path> {
        let config = self.inputs.config;
        let mut folders =
            vec![config.root.as_path(), config.output.as_path(), self.inputs.previews];
        if let Source::MiniMias { path } = &config.source {
            folders.push(path);
            folders.extend(path.parent());
        }
        folders
    }
}

#[derive(Serialize)]
struct ArticleView<'a> {
    html: &'a str,
}

fn pathology_word(pathology: crate::mammogram::Pathology) -> &'static str {
    use crate::mammogram::Pathology::{Benign, Malignant, Unproven};
    match pathology {
        Malignant => "malignant",
        Benign => "benign",
        Unproven => "unproven",
    }
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

fn auc_view(exhibit: &Exhibit) -> Option<AucView> {
    exhibit.evaluation.auc.map(|auc| AucView {
        value: format!("{:.3}", auc.value),
        low: format!("{:.3}", auc.low),
        high: format!("{:.3}", auc.high),
    })
}
