//! Pixel masks, patch by patch, of the terms that the source's annotations know, and of the breast and
//! the background around it.

use std::collections::BTreeMap;

use super::bits::Bits;
use super::record::Concept;
use crate::mammogram::{Lesion, Outline, Pathology, rasterise};
use crate::patch::{Manifest, Patch};

/// The concepts of some patches and where they are.
#[derive(Debug, Clone)]
pub(super) struct Concepts {
    /// Name and number of patches of each, by name.
    pub list: Vec<Concept>,
    /// Pixels of each over all annotated patches.
    pub pixels: Vec<u64>,
    /// Per patch: the concepts in it and their pixels; `None` where the annotation is incomplete, so
    /// that the patch cannot count for or against any unit.
    pub patches: Vec<Option<Vec<(usize, Bits)>>>,
}

impl Concepts {
    /// Draws the masks of `patches` (numbers in the manifest) at the stored size.
    pub(super) fn of(manifest: &Manifest, patches: &[u32]) -> Self {
        let edge = manifest.patching.size;
        let named: Vec<Option<BTreeMap<&str, Bits>>> =
            patches.iter().map(|&n| masks(manifest, &manifest.patches[n as usize], edge)).collect();
        let mut counts: BTreeMap<&str, (u32, u64)> = BTreeMap::new();
        for (name, bits) in named.iter().flatten().flatten() {
            let (patches, pixels) = counts.entry(name).or_default();
            *patches += 1;
            *pixels += bits.count();
        }
        let index: BTreeMap<&str, usize> = counts.keys().copied().zip(0..).collect();
        let numbered = |masks: BTreeMap<&str, Bits>| {
            masks.into_iter().map(|(name, bits)| (index[name], bits)).collect()
        };
        Self {
            list: counts
                .iter()
                .map(|(id, (patches, _))| Concept { id: (*id).to_string(), patches: *patches })
                .collect(),
            pixels: counts.values().map(|(_, pixels)| *pixels).collect(),
            patches: named.into_iter().map(|masks| masks.map(numbered)).collect(),
        }
    }
}

/// Concept masks of one patch; concepts without a pixel in it are left out.
fn masks<'a>(manifest: &'a Manifest, patch: &Patch, edge: u32) -> Option<BTreeMap<&'a str, Bits>> {
    let member = manifest.member(patch);
    let lesions = &member.mammogram.lesions;
    if lesions.iter().any(|lesion| lesion.outlines.is_empty()) {
        return None;
    }
    let [x, y, size] = [patch.x, patch.y, patch.edge].map(|v| v as f32);
    let near = |outline: &&Outline| {
        outline.bounds().is_some_and(|[left, top, right, bottom]| {
            left < x + size && right > x && top < y + size && bottom > y
        })
    };
    let mut outlines: BTreeMap<&str, Vec<Outline>> = BTreeMap::new();
    for lesion in lesions {
        let here: Vec<Outline> = lesion.outlines.iter().filter(near).cloned().collect();
        if !here.is_empty() {
            for name in names(lesion) {
                outlines.entry(name).or_default().extend_from_slice(&here);
            }
        }
    }
    let drawn = outlines.into_iter().map(|(name, outlines)| {
        (name, Bits::from_bools(&rasterise(&outlines, [x, y, size, size], edge, edge).pixels))
    });
    let mut masks: BTreeMap<&str, Bits> = drawn.collect();
    if !member.breast.is_empty() {
        let mut region = rasterise(&member.breast, [x, y, size, size], edge, edge);
        masks.insert("breast", Bits::from_bools(&region.pixels));
        region.pixels.iter_mut().for_each(|inside| *inside = !*inside);
        masks.insert("background", Bits::from_bools(&region.pixels));
    }
    masks.retain(|_, bits| bits.count() > 0);
    Some(masks)
}

/// The concepts a lesion is an example of.
fn names(lesion: &Lesion) -> impl Iterator<Item = &str> {
    let pathology = match lesion.pathology {
        Pathology::Malignant => Some("malignant"),
        Pathology::Benign => Some("benign"),
        Pathology::Unproven => None,
    };
    lesion.terms.iter().map(String::as_str).chain(pathology)
}
