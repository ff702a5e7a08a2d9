//! A case: a mammogram with what speaks for cancer in it.

use anyhow::Result;
use serde::Serialize;

use super::page::{Files, Head, Page, Site, html};
use super::parts;
use crate::facts::Atlas;
use crate::facts::cases::{Case, cases};
use crate::facts::paths::{CASES, Link, case_href, layer_href, network_href, unit_href};
use crate::facts::words::{percent, truth};
use crate::inputs::Inputs;
use crate::text;
use base::unit_name;
use catalogue::naming::Names;
use catalogue::sentence;
use record::dissection::TopPatch;
use record::explanation::{Explained, Explanation, Part};
use record::{Manifest, Patch};

/// A case.
struct CasePage<'a> {
    inputs: &'a Inputs<'a>,
    case: Case<'a>,
}

pub(super) fn pages<'a>(atlas: &'a Atlas<'a>) -> Files<'a> {
    let page = |case| html(CasePage { inputs: atlas.inputs, case });
    cases(atlas.inputs).into_iter().map(page).collect()
}

impl Page for CasePage<'_> {
    type View = View;
    const TEMPLATE: &'static str = "case.html";

    fn path(&self) -> String {
        let number = self.case.explained.mammogram as usize;
        let id = &self.inputs.manifest.mammograms[number].mammogram.id;
        case_href(&self.case.explanation.network, id)
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        Ok(view(site.atlas, &self.case))
    }

    fn head(&self, _: &Atlas, view: &Self::View) -> Result<Head> {
        let above = [Link::new("Cases", CASES)];
        Ok(Head::new(view.title(), view.description()).below(above, view.title(), self.path()))
    }
}

/// One case.
#[derive(Serialize)]
pub(super) struct View {
    pub(super) id: String,
    network: Link,
    layer: Link,
    exact: bool,
    /// Why it has a page.
    kind: &'static str,
    /// Whether it has cancer; empty where nobody says.
    truth: &'static str,
    mammogram: parts::MammogramView,
    probability: String,
    sentence: String,
    /// The margin with its parts.
    margin: String,
    evidence: String,
    against: String,
    windows: Vec<WindowView>,
    deciding: WindowView,
    /// Share of the deciding patch that lesions cover.
    lesion: String,
    units: Vec<PartView>,
    /// Share of the evidence that the units shown carry.
    shown_share: String,
}

/// What a case's page is made of, in the atlas or by itself.
pub(super) struct Scene<'a> {
    pub(super) explanation: &'a Explanation,
    pub(super) explained: &'a Explained,
    /// Probabilities of the classes of patches, its own among them.
    pub(super) scores: &'a [(u32, Vec<f32>)],
    pub(super) manifest: &'a Manifest,
    pub(super) names: &'a Names,
    pub(super) kind: &'static str,
    pub(super) truth: &'static str,
}

#[derive(Clone, Serialize)]
struct WindowView {
    x: u32,
    y: u32,
    edge: u32,
    /// Of cancer, in hundredths.
    percent: u32,
}

#[derive(Serialize)]
struct PartView {
    link: Link,
    label: String,
    contribution: String,
    /// Of the evidence, in hundredths.
    percent: String,
    patch: parts::PatchView,
    inside: String,
}

impl View {
    pub(super) fn title(&self) -> String {
        format!("{} by {}", self.id, self.network.title)
    }

    pub(super) fn description(&self) -> String {
        self.sentence.clone()
    }
}

pub(super) fn view(atlas: &Atlas, case: &Case) -> View {
    let Case { explanation, explained, kind } = *case;
    let manifest = atlas.inputs.manifest;
    let mammogram = &manifest.mammograms[explained.mammogram as usize].mammogram;
    let scene = Scene {
        explanation,
        explained,
        scores: atlas.scores(&explanation.network),
        manifest,
        names: &atlas.names,
        kind,
        truth: truth(mammogram.has_cancer()),
    };
    scene.view(atlas.mammogram(explained.mammogram), Link::new, |rank, part| {
        let top = TopPatch {
            patch: explained.patch,
            score: part.score,
            at: [0, 0],
            roi: [0.0; 4],
            overlay: part.overlay.clone(),
        };
        atlas.patch(rank, &top, 0.3)
    })
}

impl Scene<'_> {
    /// With the mammogram and the patch of a rank and unit as they are to be drawn, and links of a title
    /// to a page of the atlas.
    pub(super) fn view(
        &self,
        mammogram: parts::MammogramView,
        link: impl Fn(String, String) -> Link,
        patch: impl Fn(usize, &Part) -> parts::PatchView,
    ) -> View {
        let Scene { explanation, explained, scores, manifest, names, kind, truth } = *self;
        let Explanation { network, layer, .. } = explanation;
        let named = names.of_layer(network, layer);
        let window = |(patch, probability): (&Patch, f32)| {
            let percent = (100.0 * probability).round() as u32;
            WindowView { x: patch.x, y: patch.y, edge: patch.edge, percent }
        };
        let windows = manifest.scored(scores, explained.mammogram).map(window).collect();
        let deciding = &manifest.patches[explained.patch as usize];
        let share =
            |part: f32| if explained.evidence > 0.0 { part / explained.evidence } else { 0.0 };
        let part_view = |(rank, part): (usize, &Part)| PartView {
            link: link(unit_name(network, layer, part.unit), unit_href(network, layer, part.unit)),
            label: named(part.unit).unwrap_or_default().to_string(),
            contribution: text::signed(part.contribution),
            percent: percent(share(part.contribution)),
            patch: patch(rank, part),
            inside: part.inside.map(percent).unwrap_or_default(),
        };
        View {
            id: mammogram.id.clone(),
            network: link(network.clone(), network_href(network)),
            layer: link(format!("{network}/{layer}"), layer_href(network, layer)),
            exact: explanation.exact,
            kind,
            truth,
            mammogram,
            probability: format!("{:.2}", explained.probability),
            sentence: sentence(explained, &named),
            margin: text::signed(explained.margin),
            evidence: text::signed(explained.evidence),
            against: text::signed(explained.margin - explained.rest - explained.evidence),
            windows,
            deciding: window((deciding, explained.probability)),
            lesion: explained.lesion.map(percent).unwrap_or_default(),
            shown_share: percent(share(explained.units.iter().map(|p| p.contribution).sum())),
            units: (1..).zip(&explained.units).map(part_view).collect(),
        }
    }
}
