//! Parts of pages: a patch, a mammogram, a unit in a list.

use serde::Serialize;

use crate::facts::Atlas;
use crate::facts::lesions::LesionView;
use crate::facts::paths::{mammogram_href, unit_href, window_id};
use crate::facts::units::best_concept;
use crate::inputs::Exhibit;
use crate::labels::Labels;
use crate::{images, outline, text};
use base::unit_name;
use record::dissection::{Layer, TopPatch, Unit};
use record::{Manifest, Member, Patch};

/// A patch as a unit sees it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PatchView {
    pub(super) rank: usize,
    pub(super) src: String,
    pub(super) alt: String,
    pub(super) score: String,
    pub(super) positive: bool,
    /// `cancer` or `no cancer`.
    pub(super) label: &'static str,
    /// Path data in patch pixels; empty when nothing exceeds the threshold.
    pub(super) overlay: String,
    /// Where it lies on its mammogram's page.
    pub(super) context: String,
}

/// A patch as a script takes it: mammogram, left, top and edge in its pixels, score, whether it counts
/// as cancer, overlay. The script makes of it what [`PatchView`] is to a template.
#[derive(Debug, Clone, Serialize)]
pub(super) struct CompactPatch<'a>(&'a str, u32, u32, u32, String, u8, String);

/// A whole mammogram.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MammogramView {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) src: String,
    pub(super) alt: String,
    /// Size of the picture; `None` where there are only patches.
    pub(super) preview: Option<[u32; 2]>,
    /// Size of the mammogram, the view box of its outlines.
    pub(super) size: [u32; 2],
    /// Which breast and view, where known.
    pub(super) view: String,
    /// Breast composition and what else the source states.
    pub(super) facts: Vec<(String, String)>,
    pub(super) lesions: Vec<LesionView>,
}

/// A unit in a list.
#[derive(Debug, Clone, Serialize)]
pub(super) struct UnitCard {
    /// `vgg16/conv5_3/0063`
    pub(super) name: String,
    pub(super) network: String,
    pub(super) layer: String,
    pub(super) number: String,
    pub(super) href: String,
    /// What to call it: what the authors settled on, else the readers' words, else the concept it
    /// detects.
    pub(super) label: String,
    /// `consensus`, `reader`, `concept` or `none`: where that comes from.
    pub(super) label_from: &'static str,
    pub(super) concept: String,
    pub(super) concept_standing: String,
    pub(super) iou: String,
    pub(super) detector: bool,
    pub(super) max_score: String,
    pub(super) cancer: usize,
    pub(super) patches: Vec<PatchView>,
}

impl PatchView {
    /// Of a patch of the manifest with its rank and picture, as a unit with this score and overlay sees it.
    pub(super) fn new(
        manifest: &Manifest,
        (rank, patch, src): (usize, &Patch, String),
        (score, overlay): (f32, &str),
        tolerance: f32,
    ) -> Self {
        let id = &manifest.member(patch).mammogram.id;
        Self {
            rank,
            context: format!("{}#{}", mammogram_href(id), window_id(patch)),
            src,
            alt: format!("From mammogram {id}"),
            score: text::significant(f64::from(score)),
            positive: patch.positive,
            label: if patch.positive { "cancer" } else { "no cancer" },
            overlay: outline::compact(overlay, tolerance),
        }
    }
}

impl MammogramView {
    /// As the atlas has it; `lesions` are its own.
    pub(super) fn new(labels: &Labels, member: &Member, lesions: Vec<LesionView>) -> Self {
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
            facts.push(("composition".to_string(), labels.name(density)));
        }
        facts.extend(mammogram.facts.clone());
        let described =
            if view.is_empty() { "Mammogram".into() } else { format!("{view} mammogram") };
        MammogramView {
            id: mammogram.id.clone(),
            href: mammogram_href(&mammogram.id),
            src: images::mammogram_path(&mammogram.id),
            alt: format!("{described} {}, whole", mammogram.id),
            preview: member.preview,
            size: [mammogram.width, mammogram.height],
            view,
            facts,
            lesions,
        }
    }
}

impl Atlas<'_> {
    /// A patch of a unit. Overlays lose detail below `tolerance` pixels.
    pub(super) fn patch(&self, rank: usize, top: &TopPatch, tolerance: f32) -> PatchView {
        let patch = &self.inputs.manifest.patches[top.patch as usize];
        let src = images::patch_path(self.inputs, patch);
        PatchView::new(
            self.inputs.manifest,
            (rank, patch, src),
            (top.score, &top.overlay),
            tolerance,
        )
    }

    /// The same for a script.
    pub(super) fn compact_patch(&self, top: &TopPatch, tolerance: f32) -> CompactPatch<'_> {
        let patch = &self.inputs.manifest.patches[top.patch as usize];
        CompactPatch(
            &self.inputs.manifest.member(patch).mammogram.id,
            patch.x,
            patch.y,
            patch.edge,
            text::significant(f64::from(top.score)),
            u8::from(patch.positive),
            outline::compact(&top.overlay, tolerance),
        )
    }

    pub(super) fn mammogram(&self, number: u32) -> MammogramView {
        let member = &self.inputs.manifest.mammograms[number as usize];
        let lesions = self.lesions.get(number as usize).cloned().unwrap_or_default();
        MammogramView::new(&self.labels, member, lesions)
    }

    /// A unit with its first `patches` patches, whose overlays lose detail below `tolerance` pixels.
    pub(super) fn card(
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
            detector: best.is_some_and(|(_, iou)| iou > self.detector()),
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
                .map(|(at, top)| self.patch(at + 1, top, tolerance))
                .collect(),
            name,
        }
    }
}
