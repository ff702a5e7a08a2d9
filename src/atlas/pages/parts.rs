//! Parts of pages: a patch, a mammogram, a unit in a list.

use serde::Serialize;

use crate::facts::Atlas;
use crate::facts::lesions::LesionView;
use crate::facts::paths::{mammogram_href, unit_href, window_id};
use crate::labels::Labels;
use crate::script::Patches;
use crate::tiles::{self, Tiles};
use crate::{images, outline, text};
use catalogue::{ConceptMatch, Entry, Source, concept_words};
use record::dissection::TopPatch;
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
    /// Edge of a pixel in micrometres, on the detector or the film, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) micron: Option<f64>,
    /// The same picture finer; none where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tiles: Option<Tiles>,
    /// Which breast and view, where known.
    pub(super) view: String,
    /// Breast composition and what else the source states.
    pub(super) facts: Vec<Fact>,
    pub(super) lesions: Vec<LesionView>,
}

/// What a source states of a mammogram.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Fact {
    name: String,
    value: String,
}

/// A unit in a list.
#[derive(Debug, Clone, Serialize)]
pub(super) struct UnitCard {
    /// `vgg16/conv5_3/0063`
    pub(super) name: String,
    pub(super) href: String,
    /// What it is called; empty where it has no name.
    pub(super) label: String,
    /// Who calls it so, where the name does not say it.
    pub(super) by: &'static str,
    /// What it overlaps best with and how well, where the name does not say it.
    pub(super) best: Option<String>,
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
            label: match (manifest.patching.labels, patch.positive) {
                (config::Labels::Lesion, true) => "cancer",
                (config::Labels::Lesion, false) => "no cancer",
                (config::Labels::Image, true) => "of a mammogram with cancer",
                (config::Labels::Image, false) => "of one without cancer",
            },
            overlay: outline::compact(overlay, tolerance),
        }
    }
}

impl MammogramView {
    /// As the atlas has it; `lesions` are its own.
    pub(super) fn new(labels: &Labels, member: &Member, lesions: Vec<LesionView>) -> Self {
        let mammogram = &member.mammogram;
        let view = mammogram.projection();
        let mut facts = Vec::new();
        if let Some(density) = &mammogram.density {
            facts.push(Fact { name: "composition".into(), value: labels.name(density) });
        }
        let stated = mammogram.facts.clone().into_iter();
        facts.extend(stated.map(|(name, value)| Fact { name, value }));
        let described =
            if view.is_empty() { "Mammogram".into() } else { format!("{view} mammogram") };
        MammogramView {
            id: mammogram.id.clone(),
            href: mammogram_href(&mammogram.id),
            src: images::mammogram_path(&mammogram.id),
            alt: format!("{described} {}, whole", mammogram.id),
            preview: member.preview,
            size: [mammogram.width, mammogram.height],
            micron: mammogram.micron,
            tiles: None,
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

    /// The same of several, for a script.
    pub(super) fn compact_patches<'t>(
        &self,
        tops: impl IntoIterator<Item = &'t TopPatch>,
        tolerance: f32,
    ) -> Patches<'_> {
        let manifest = self.inputs.manifest;
        let mut patches = Patches::default();
        for top in tops {
            let patch = &manifest.patches[top.patch as usize];
            let score = text::significant(f64::from(top.score));
            let overlay = outline::compact(&top.overlay, tolerance);
            patches.push(&manifest.member(patch).mammogram.id, patch, score, overlay);
        }
        patches
    }

    pub(super) fn mammogram(&self, number: u32) -> MammogramView {
        let member = &self.inputs.manifest.mammograms[number as usize];
        let lesions = self.lesions.get(number as usize).cloned().unwrap_or_default();
        let tiles = tiles::of(self.inputs, member);
        MammogramView { tiles, ..MammogramView::new(&self.labels, member, lesions) }
    }

    /// A unit with its first `patches` patches, whose overlays lose detail below `tolerance` pixels.
    pub(super) fn card(&self, entry: &Entry, patches: usize, tolerance: f32) -> UnitCard {
        let top = entry.record.top.iter().take(patches).enumerate();
        UnitCard {
            name: entry.id.to_string(),
            href: unit_href(&entry.id),
            label: entry.name.to_string(),
            by: by(entry),
            best: match entry.name.source() {
                // The name says it.
                Source::Automatic => None,
                _ => entry.best_match().map(|found| self.best_match(&found)),
            },
            patches: top.map(|(at, top)| self.patch(at + 1, top, tolerance)).collect(),
        }
    }

    /// `best match mass, IoU 0.021`: of a concept that a unit may or may not detect.
    fn best_match(&self, found: &ConceptMatch) -> String {
        let words = concept_words(&found.concept.id, self.inputs.lexicons);
        let standing = if found.detected { "detects" } else { "best match" };
        format!("{standing} {words}, IoU {:.3}", found.found.iou)
    }
}

/// Who gave a unit its name, beside it: an automatic name and a refusal say so themselves.
pub(super) fn by(entry: &Entry) -> &'static str {
    match entry.name.source() {
        Source::Consensus => "consensus",
        Source::Readers => "readers",
        Source::Machine | Source::Automatic | Source::Unrecognizable | Source::None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::tested;

    #[test]
    fn the_scripts_find_the_windows_of_patches() {
        let formats = tested();
        let number = |key: &str, at: usize| formats["patches"][key][at].as_u64().unwrap() as u32;
        for (at, place) in formats["places"].as_array().unwrap().iter().enumerate() {
            let (x, y, edge) = (number("x", at), number("y", at), number("edge", at));
            let patch = Patch {
                mammogram: 0,
                x,
                y,
                edge,
                positive: false,
                benign: false,
                fractions: None,
                held: None,
            };
            let id = formats["patches"]["mammogram"][at].as_str().unwrap();
            assert_eq!(place["href"], format!("{}#{}", mammogram_href(id), window_id(&patch)));
        }
    }
}
