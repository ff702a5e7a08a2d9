//! The home page: a worked example of what the atlas is, the ways into it, its most telling units, and its
//! networks at a glance.

use anyhow::Result;
use serde::Serialize;

use super::example::{Example, example};
use super::navigation::Entry;
use super::page::{Files, Head, Page, Site, html};
use super::parts::UnitCard;
use super::public;
use crate::facts::Atlas;
use crate::facts::areas::{AucView, auc_view};
use crate::facts::paths::{Link, METHODS, SURVEY, layer_href, network_href};
use crate::text;
use catalogue::Source;
use record::training::Origin;

/// Units shown, and at most how many of them for one concept.
const TELLING: usize = 12;
const PER_CONCEPT: usize = 3;

/// Stem of the page of prose that says what an atlas is; `init` writes it.
const ABOUT: &str = "about";

/// What the atlas is, for search engines.
const DESCRIPTION: &str = "What the units of neural networks see in mammograms: for each unit the \
    patches that it responds to most, its overlap with annotated concepts, and what readers call it.";

/// The home page.
struct Home;

pub(super) fn pages<'a>(_: &'a Atlas<'a>) -> Files<'a> {
    vec![html(Home)]
}

impl Page for Home {
    type View = View;
    const TEMPLATE: &'static str = "home.html";

    fn path(&self) -> String {
        "index.html".into()
    }

    fn entry(&self) -> Option<Entry> {
        Entry::new(0, "Atlas")
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        Ok(view(site.atlas))
    }

    fn head(&self, atlas: &Atlas, _: &Self::View) -> Result<Head> {
        Ok(Head {
            dataset: public::dataset(atlas, DESCRIPTION)?,
            ..Head::new("", atlas.inputs.config.title.clone())
        })
    }
}

#[derive(Serialize)]
pub(super) struct View {
    /// None where no unit is live.
    example: Option<Example>,
    doors: Doors,
    /// Whether any network tells cancer.
    tells: bool,
    mammograms: String,
    patients: String,
    patches: String,
    units: String,
    labelled: String,
    networks: Vec<NetworkRow>,
    telling: Vec<UnitCard>,
    labelled_units: Vec<UnitCard>,
    /// The IoU above which a unit is a detector.
    detector: String,
}

/// The ways into the atlas.
#[derive(Serialize)]
struct Doors {
    /// The page that says what it is.
    what: &'static str,
    /// The layers, whose pages show their units.
    layers: Vec<Link>,
    /// The survey, where anything is asked.
    survey: Option<&'static str>,
}

#[derive(Serialize)]
struct NetworkRow {
    name: String,
    href: String,
    auc: Option<AucView>,
    split: String,
    weights: &'static str,
    layers: Vec<Link>,
    units: String,
    detectors: String,
}

pub(super) fn view(atlas: &Atlas) -> View {
    let manifest = atlas.inputs.manifest;
    let patients: std::collections::BTreeSet<&str> =
        manifest.mammograms.iter().map(|m| m.mammogram.patient.as_str()).collect();
    let networks = atlas
        .inputs
        .exhibits
        .iter()
        .map(|exhibit| {
            let layers = || {
                let all = atlas.catalogue.layers().iter();
                all.filter(|layer| layer.record.network == exhibit.config.name)
            };
            NetworkRow {
                name: exhibit.config.name.clone(),
                href: network_href(&exhibit.config.name),
                auc: auc_view(exhibit),
                split: exhibit.evaluation.split.to_string(),
                weights: match &exhibit.evaluation.origin {
                    Origin::Recorded { .. } => "recorded elsewhere",
                    Origin::Run { pretrained: Some(_), best_epoch: Some(_) } => "fine-tuned",
                    Origin::Run { pretrained: Some(_), best_epoch: None } => "pretrained",
                    Origin::Run { pretrained: None, best_epoch: Some(_) } => {
                        "trained from random weights"
                    }
                    Origin::Run { pretrained: None, best_epoch: None } => "random, not trained",
                },
                layers: exhibit
                    .layers
                    .iter()
                    .map(|layer| {
                        Link::new(&layer.layer, layer_href(&exhibit.config.name, &layer.layer))
                    })
                    .collect(),
                units: text::count(layers().map(|layer| layer.units.len() as u64).sum::<u64>()),
                detectors: text::count(
                    layers().map(|layer| layer.detectors().count() as u64).sum::<u64>(),
                ),
            }
        })
        .collect();
    let labelled: Vec<_> =
        atlas.catalogue.units().filter(|entry| entry.name.is_by_people()).collect();
    View {
        example: example(atlas),
        doors: doors(atlas),
        detector: atlas.catalogue.detector().to_string(),
        tells: atlas.is_of_cancer(),
        mammograms: text::count(manifest.mammograms.len() as u64),
        patients: text::count(patients.len() as u64),
        patches: text::count(manifest.patches.len() as u64),
        units: text::count(atlas.layers().map(|(_, l)| l.units.len() as u64).sum::<u64>()),
        labelled: text::counted(labelled.len(), "unit", "units"),
        networks,
        telling: telling(atlas),
        labelled_units: labelled
            .iter()
            .take(TELLING)
            .map(|entry| atlas.card(entry, 3, 1.5))
            .collect(),
    }
}

fn doors(atlas: &Atlas) -> Doors {
    let layers = atlas.layers().map(|(exhibit, layer)| {
        let name = &exhibit.config.name;
        Link::new(format!("{name}/{}", layer.layer), layer_href(name, &layer.layer))
    });
    let about = atlas.articles.iter().any(|article| article.slug == ABOUT);
    Doors {
        what: if about { "about/index.html" } else { METHODS },
        layers: layers.collect(),
        survey: (!atlas.survey.is_empty()).then_some(SURVEY),
    }
}

/// Units that detect a concept with the best IoU of all networks, a few per concept.
fn telling(atlas: &Atlas) -> Vec<UnitCard> {
    let found = atlas.catalogue.units();
    let mut ranked: Vec<_> =
        found.filter_map(|entry| Some((entry, entry.best_detection()?))).collect();
    // A stable sort: equals stay in the order of their pages.
    ranked.sort_by(|a, b| b.1.found.iou.total_cmp(&a.1.found.iou));
    let mut shown = std::collections::BTreeMap::<&str, usize>::new();
    ranked
        .into_iter()
        .filter(|(_, best)| {
            let count = shown.entry(&best.concept.id).or_default();
            *count += 1;
            *count <= PER_CONCEPT
        })
        .take(TELLING)
        .map(|(entry, best)| {
            let card = atlas.card(entry, 3, 1.5);
            match entry.name.source() {
                // The section says of all of them how they came by such a name.
                Source::Automatic => UnitCard {
                    label: entry.name.in_sentence().unwrap_or_default(),
                    best: Some(format!("IoU {:.2}", best.found.iou)),
                    ..card
                },
                _ => card,
            }
        })
        .collect()
}
