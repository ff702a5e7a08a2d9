//! Pixel masks, patch by patch, of the terms that the source's annotations know, and of the breast and
//! the background around it.

use std::collections::BTreeMap;

use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::bits::Bits;
use base::seed;
use mammogram::{Lesion, Outline, Pathology, rasterise};
use record::dissection::{Category, Concept};
use record::{Manifest, Patch};

/// What is annotated, or not, on its own: lesions (by pathology and finding), other regions, and the
/// breast.
pub(super) const DOMAINS: usize = 3;
/// Kinds of concepts.
pub(super) const CATEGORIES: usize = 4;
/// Greatest edge of the grid of pixels that chance is measured on.
const COARSE: u32 = 76;

/// What must be annotated for a concept of this category to count.
pub(super) fn domain(category: Category) -> usize {
    match category {
        Category::Pathology | Category::Finding => 0,
        Category::Region => 1,
        Category::Breast => 2,
    }
}

/// The concepts of some patches and where they are.
pub(super) struct Concepts<'a> {
    manifest: &'a Manifest,
    patches: &'a [u32],
    /// Name, category and number of patches of each, by category and name.
    pub list: Vec<Concept>,
    /// Pixels of each over the patches annotated for it.
    pub pixels: Vec<u64>,
    /// By domain: the patches that are annotated for it, as positions among the patches.
    pub annotated: [Vec<u32>; DOMAINS],
    /// By concept: the positions of the patches that hold it.
    pub holders: Vec<Vec<u32>>,
    /// By domain and position: the concepts in it on the coarse grid.
    pub coarse: [Vec<Vec<(u32, Bits)>>; DOMAINS],
    /// Coarse pixels of each concept.
    pub coarse_pixels: Vec<u64>,
}

/// The masks of one patch.
pub(super) struct Masks {
    /// Concepts in it, by their index, with their pixels.
    pub present: Vec<(usize, Bits)>,
    /// Whether the patch is annotated, by domain.
    pub annotated: [bool; DOMAINS],
    /// Whether it holds some concept, by category.
    pub holds: [bool; CATEGORIES],
}

/// Concepts of a patch by category and name.
type Named<'a> = BTreeMap<(Category, &'a str), Bits>;
/// The same with their pixels, and the few on the coarse grid.
type Counted = BTreeMap<(Category, String), (u64, Bits)>;

impl<'a> Concepts<'a> {
    /// Draws the masks of `patches` (numbers in the manifest) once, and keeps them coarsely.
    pub(super) fn of(manifest: &'a Manifest, patches: &'a [u32]) -> Self {
        let edge = manifest.patching.size;
        let drawn: Vec<([bool; DOMAINS], Counted)> = patches
            .par_iter()
            .map(|&number| {
                let (annotated, named) = draw(manifest, &manifest.patches[number as usize], edge);
                let coarse = named.into_iter().map(|((category, name), bits)| {
                    ((category, name.to_string()), (bits.count(), coarse(&bits, edge)))
                });
                (annotated, coarse.collect())
            })
            .collect();
        let mut counts: BTreeMap<(Category, String), (Vec<u32>, u64, u64)> = BTreeMap::new();
        for (position, (_, named)) in drawn.iter().enumerate() {
            for (key, (pixels, coarse)) in named {
                let (holders, all, few) = counts.entry(key.clone()).or_default();
                holders.push(position as u32);
                *all += pixels;
                *few += coarse.count();
            }
        }
        let index: BTreeMap<(Category, String), u32> = counts.keys().cloned().zip(0..).collect();
        let mut this = Self {
            manifest,
            patches,
            list: Vec::new(),
            pixels: Vec::new(),
            annotated: Default::default(),
            holders: Vec::new(),
            coarse: std::array::from_fn(|_| vec![Vec::new(); patches.len()]),
            coarse_pixels: Vec::new(),
        };
        for (position, (annotated, named)) in drawn.into_iter().enumerate() {
            for (domain, _) in annotated.iter().enumerate().filter(|(_, yes)| **yes) {
                this.annotated[domain].push(position as u32);
            }
            for (key, (_, bits)) in named {
                this.coarse[domain(key.0)][position].push((index[&key], bits));
            }
        }
        for ((category, id), (holders, pixels, coarse)) in counts {
            this.list.push(Concept { id, category, patches: holders.len() as u32 });
            this.holders.push(holders);
            this.pixels.push(pixels);
            this.coarse_pixels.push(coarse);
        }
        this
    }

    /// The masks of the patch at a position.
    pub(super) fn masks(&self, position: usize) -> Masks {
        let edge = self.manifest.patching.size;
        let patch = &self.manifest.patches[self.patches[position] as usize];
        let (annotated, named) = draw(self.manifest, patch, edge);
        let mut holds = [false; CATEGORIES];
        let found = |(category, name): (Category, &str)| {
            self.list.iter().position(|concept| concept.category == category && concept.id == name)
        };
        let mut present = Vec::new();
        for (key, bits) in named {
            holds[key.0 as usize] = true;
            if let Some(index) = found(key) {
                present.push((index, bits));
            }
        }
        Masks { present, annotated, holds }
    }

    /// Masks of one concept, by position.
    #[cfg(test)]
    pub(super) fn masks_of(&self, id: &str) -> Vec<Option<Bits>> {
        let index = self.list.iter().position(|concept| concept.id == id);
        let of = |position| {
            let present = self.masks(position).present;
            present.into_iter().find(|(at, _)| Some(*at) == index).map(|(_, bits)| bits)
        };
        (0..self.patches.len()).map(of).collect()
    }

    /// Whose masks each patch gets, by domain, permutation and position: the masks of a domain's
    /// patches are dealt out anew among them, those of one patch together.
    pub(super) fn shuffles(&self, count: u32, seed: u64) -> [Vec<Vec<u32>>; DOMAINS] {
        std::array::from_fn(|domain| {
            let own = &self.annotated[domain];
            let mut rng = seed::stream(seed, &format!("dissection/permutation/{domain}"));
            let mut dealt = own.clone();
            (0..count)
                .map(|_| {
                    dealt.shuffle(&mut rng);
                    let mut to = vec![0; self.patches.len()];
                    own.iter().zip(&dealt).for_each(|(&at, &from)| to[at as usize] = from);
                    to
                })
                .collect()
        })
    }
}

/// Distance between the pixels of the coarse grid.
pub(super) fn pitch(edge: u32) -> u32 {
    edge.div_ceil(COARSE).max(1)
}

/// The pixels of a set that lie on the coarse grid.
pub(super) fn coarse(bits: &Bits, edge: u32) -> Bits {
    let pitch = pitch(edge);
    let along = || (pitch / 2..edge).step_by(pitch as usize);
    let pixels = along().flat_map(|y| along().map(move |x| (y * edge + x) as usize));
    Bits::from_iter(pixels.map(|at| bits.holds(at)))
}

/// Ids of the concepts of a patch with their kinds, each with the share of the patch's pixels that are of it, in (0, 1].
pub fn in_patch(manifest: &Manifest, patch: &Patch) -> Vec<(Category, String, f32)> {
    let edge = manifest.patching.size;
    let share = |bits: &Bits| bits.count() as f32 / (edge * edge) as f32;
    let (_, named) = draw(manifest, patch, edge);
    named.iter().map(|((kind, id), bits)| (*kind, (*id).to_owned(), share(bits))).collect()
}

/// For which domains a patch is annotated, and its concepts; those without a pixel in it are left out.
fn draw<'a>(manifest: &'a Manifest, patch: &Patch, edge: u32) -> ([bool; DOMAINS], Named<'a>) {
    let member = manifest.member(patch);
    let mammogram = &member.mammogram;
    let [x, y, size] = [patch.x, patch.y, patch.edge].map(|v| v as f32);
    let window = [x, y, size, size];
    // A lesion without a place may lie in any patch.
    let lesions = mammogram.lesions.iter().all(Lesion::is_placed);
    let mut named = Named::new();
    if lesions {
        let near = |outline: &&Outline| {
            outline.bounds().is_some_and(|[left, top, right, bottom]| {
                left < x + size && right > x && top < y + size && bottom > y
            })
        };
        let mut outlines: BTreeMap<(Category, &str), Vec<Outline>> = BTreeMap::new();
        for lesion in &mammogram.lesions {
            let here: Vec<Outline> = lesion.outlines.iter().filter(near).cloned().collect();
            if !here.is_empty() {
                for name in names(lesion) {
                    outlines.entry(name).or_default().extend_from_slice(&here);
                }
            }
        }
        for (key, outlines) in outlines {
            let mask = rasterise(&outlines, window, edge, edge);
            named.insert(key, Bits::from_bools(&mask.pixels));
        }
    }
    for region in &mammogram.regions {
        let mask = Bits::from_bools(&region.rasterise(window, edge, edge).pixels);
        named.entry((Category::Region, region.term.as_str())).or_default().add(&mask);
    }
    if !member.breast.is_empty() {
        let mut mask = rasterise(&member.breast, window, edge, edge);
        named.insert((Category::Breast, "breast"), Bits::from_bools(&mask.pixels));
        mask.pixels.iter_mut().for_each(|inside| *inside = !*inside);
        named.insert((Category::Breast, "background"), Bits::from_bools(&mask.pixels));
    }
    named.retain(|_, bits| bits.count() > 0);
    ([lesions, !mammogram.regions.is_empty(), !member.breast.is_empty()], named)
}

/// The concepts a lesion is an example of.
fn names(lesion: &Lesion) -> impl Iterator<Item = (Category, &str)> {
    let pathology = match lesion.pathology {
        Pathology::Malignant => Some("malignant"),
        Pathology::Benign => Some("benign"),
        Pathology::Unproven => None,
    };
    let findings = lesion.terms.iter().map(|term| (Category::Finding, term.as_str()));
    findings.chain(pathology.map(|name| (Category::Pathology, name)))
}
