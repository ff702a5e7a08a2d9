//! A case: a mammogram with the evidence for cancer in it.

use anyhow::Result;
use serde::Serialize;

use super::page::{Files, Head, Page, Searched, Site, html};
use super::parts;
use crate::facts::Atlas;
use crate::facts::paths::{CASES, Link, case_href, layer_href, network_href, unit_href};
use crate::facts::risk;
use crate::facts::words::percent;
use crate::inputs::Inputs;
use crate::{script, text};
use base::UnitId;
use catalogue::{Case, Catalogue, Verdict, sentence};
use record::dissection::TopPatch;
use record::explanation::{Covered, Explained, Explanation, Part};
use record::{Manifest, Patch};

/// A case.
struct CasePage<'a> {
    inputs: &'a Inputs<'a>,
    case: Case<'a>,
}

pub(super) fn pages<'a>(atlas: &'a Atlas<'a>) -> Files<'a> {
    let page = |case| html(CasePage { inputs: atlas.inputs, case });
    atlas.cases().into_iter().map(page).collect()
}

impl Page for CasePage<'_> {
    type View = View;
    const TEMPLATE: &'static str = "case.html";

    fn path(&self) -> String {
        let number = self.case.explained.mammogram as usize;
        let id = &self.inputs.manifest.mammograms[number].mammogram.id;
        case_href(&self.case.explanation.network, id)
    }

    fn searched(&self) -> Option<Searched> {
        let CasePage { inputs, case } = self;
        let id = &inputs.manifest.mammograms[case.explained.mammogram as usize].mammogram.id;
        Some(Searched::new(id, format!("case of {}", case.explanation.network)))
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        view(site.atlas, &self.case)
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
    /// How the score stands to the truth, and where the network looked; empty where nobody knows.
    verdict: &'static str,
    mammogram: parts::MammogramView,
    probability: String,
    sentence: String,
    /// The margin with its parts.
    margin: String,
    evidence: String,
    against: String,
    /// Probability of cancer by place.
    risk: Vec<risk::Cell>,
    deciding: WindowView,
    /// How much of the deciding patch lesions cover, in words.
    lesion: String,
    units: Vec<PartView>,
    /// Share of the evidence that the units shown carry.
    shown_share: String,
    /// What units can be switched in: where what they add is exact.
    decision: Option<String>,
}

/// What a case's page is made of, in the atlas or by itself.
pub(super) struct Scene<'a> {
    pub(super) explanation: &'a Explanation,
    pub(super) explained: &'a Explained,
    /// Probabilities of the classes of patches, its own among them.
    pub(super) scores: &'a [(u32, Vec<f32>)],
    pub(super) manifest: &'a Manifest,
    pub(super) catalogue: &'a Catalogue<'a>,
    /// Where the truth is known.
    pub(super) verdict: Option<Verdict>,
}

#[derive(Serialize)]
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
    /// Who calls it so, where the label does not say it.
    by: &'static str,
    contribution: String,
    /// Of the evidence, in hundredths.
    percent: String,
    /// Probability of cancer of the patch without it; empty where that is not known.
    without: String,
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

/// How much of something lesions cover: `42% malignant, 3% benign`.
fn covered(covered: Covered) -> String {
    let both = [(covered.malignant, "malignant"), (covered.benign, "benign")];
    let words: Vec<String> = both
        .into_iter()
        .filter(|(share, _)| *share > 0.0)
        .map(|(share, kind)| format!("{} in a {kind} lesion", percent(share)))
        .collect();
    if !words.is_empty() {
        words.join(", ")
    } else if covered.any > 0.0 {
        format!("{} in a lesion of unproven pathology", percent(covered.any))
    } else {
        "none of it in a lesion".into()
    }
}

pub(super) fn view(atlas: &Atlas, case: &Case) -> Result<View> {
    let Case { explanation, explained, verdict, .. } = *case;
    let manifest = atlas.inputs.manifest;
    let scene = Scene {
        explanation,
        explained,
        scores: atlas.scores(&explanation.network),
        manifest,
        catalogue: &atlas.catalogue,
        verdict: Some(verdict),
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
    ///
    /// # Errors
    /// When what scripts read cannot be written.
    pub(super) fn view(
        &self,
        mammogram: parts::MammogramView,
        link: impl Fn(String, String) -> Link,
        patch: impl Fn(usize, &Part) -> parts::PatchView,
    ) -> Result<View> {
        let Scene { explanation, explained, scores, manifest, catalogue, verdict } = *self;
        let Explanation { network, layer, .. } = explanation;
        let known = catalogue.explaining(explanation);
        let named = |unit: u32| known.and_then(|known| known.name(unit));
        let window = |(patch, probability): (&Patch, f32)| {
            let percent = (100.0 * probability).round() as u32;
            WindowView { x: patch.x, y: patch.y, edge: patch.edge, percent }
        };
        let deciding = &manifest.patches[explained.patch as usize];
        let share =
            |part: f32| if explained.evidence > 0.0 { part / explained.evidence } else { 0.0 };
        let part_view = |(rank, part): (usize, &Part)| PartView {
            link: {
                let unit = UnitId::new(network, layer, part.unit);
                link(unit.to_string(), unit_href(&unit))
            },
            label: named(part.unit).map(ToString::to_string).unwrap_or_default(),
            by: known
                .and_then(|known| known.units.get(part.unit as usize - 1))
                .map(parts::by)
                .unwrap_or_default(),
            contribution: text::signed(part.contribution),
            percent: percent(share(part.contribution)),
            without: part.without.map(|p| format!("{p:.2}")).unwrap_or_default(),
            patch: patch(rank, part),
            inside: part.inside.map(covered).unwrap_or_default(),
        };
        let decision = script::Decision {
            logits: &explained.logits,
            units: explained
                .units
                .iter()
                .map(|part| script::DecisionUnit {
                    adds: &part.adds,
                    mean: explanation.mean.get(part.unit as usize - 1).map_or(&[], Vec::as_slice),
                })
                .collect(),
        };
        Ok(View {
            id: mammogram.id.clone(),
            network: link(network.clone(), network_href(network)),
            layer: link(format!("{network}/{layer}"), layer_href(network, layer)),
            exact: explanation.exact,
            verdict: verdict.map(Verdict::words).unwrap_or_default(),
            mammogram,
            probability: format!("{:.2}", explained.probability),
            sentence: sentence(explained, named, verdict),
            margin: text::signed(explained.margin),
            evidence: text::signed(explained.evidence),
            against: text::signed(explained.margin - explained.rest - explained.evidence),
            risk: risk::map(manifest.scored(scores, explained.mammogram)),
            deciding: window((deciding, explained.probability)),
            lesion: explained.lesions.map(covered).unwrap_or_default(),
            shown_share: percent(share(explained.units.iter().map(|p| p.contribution).sum())),
            units: (1..).zip(&explained.units).map(part_view).collect(),
            decision: explanation.exact.then(|| script::json(&decision)).transpose()?,
        })
    }
}
