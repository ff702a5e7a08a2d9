//! Whether a patch counts as cancer (paper, section 2.2): when at least 30% of a malignant lesion
//! lies in it, or malignant lesions cover at least 30% of it. By the same rule it counts as benign.
//!
//! Exact to the pixel: lesions are filled at full resolution, and counted through summed-area
//! tables. A lesion's area is what of it lies within the image.

use config::Patches;
use mammogram::{Lesion, Mask, Outline, Pathology, rasterise};
use record::{Fractions, Share};

/// What a window holds of the lesions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Label {
    /// Whether it counts as cancer.
    pub positive: bool,
    /// Whether it holds as much of the benign lesions as would make it cancer were they malignant.
    pub benign: bool,
    /// Largest share of one malignant lesion that lies in the window.
    pub lesion_fraction: f64,
    /// Share of the window that malignant lesions cover together.
    pub patch_fraction: f64,
}

/// The lesions of one mammogram, ready to be counted in any window.
#[derive(Debug)]
pub struct Labeller {
    /// What of each lesion lies within the image, in the order given.
    areas: Vec<Area>,
    groups: [Group; KINDS.len()],
    benign: Group,
    min_lesion: f64,
    min_patch: f64,
}

/// What lesions are counted together in [`Fractions`]: of which kind, and whether malignant only.
const KINDS: [(Option<&str>, bool); 6] = [
    (None, true),
    (Some("mass"), true),
    (Some("calcifications"), true),
    (None, false),
    (Some("mass"), false),
    (Some("calcifications"), false),
];

/// Where all lesions stand among these kinds.
const ALL: usize = 3;

impl Labeller {
    /// For a mammogram of `width` x `height` pixels. Unproven lesions, and lesions whose place is not
    /// known, label nothing.
    pub fn new(lesions: &[Lesion], width: u32, height: u32, patching: &Patches) -> Self {
        let group = |wanted: &dyn Fn(&Lesion) -> bool| Group::new(lesions, wanted, width, height);
        Self {
            areas: lesions.iter().map(|l| Area::filled(&l.outlines, width, height)).collect(),
            groups: KINDS.map(|(term, malignant)| {
                group(&|lesion| {
                    (!malignant || lesion.pathology == Pathology::Malignant)
                        && term.is_none_or(|term| lesion.terms.iter().any(|known| known == term))
                })
            }),
            benign: group(&|lesion| lesion.pathology == Pathology::Benign),
            min_lesion: patching.min_lesion,
            min_patch: patching.min_patch,
        }
    }

    /// Label of the square window of `edge` pixels with its top left corner at `(x, y)`.
    pub fn label(&self, x: u32, y: u32, edge: u32) -> Label {
        let window = [x, y, edge, edge];
        let fractions = self.malignant().fractions(&self.areas, window);
        let [lesion_fraction, patch_fraction] = fractions;
        Label {
            positive: self.counts(fractions),
            benign: self.counts(self.benign.fractions(&self.areas, window)),
            lesion_fraction,
            patch_fraction,
        }
    }

    /// Shares of the window and of the lesions in it, by what the lesions are; `breast` is the share
    /// of the window that breast covers.
    pub fn fractions(&self, x: u32, y: u32, edge: u32, breast: f64) -> Fractions {
        let window = [x, y, edge, edge];
        let [malignant, malignant_mass, malignant_calcification, any, mass, calcification] =
            self.groups.each_ref().map(|group| {
                let [lesion, patch] = group.fractions(&self.areas, window);
                Share { lesion: lesion as f32, patch: patch as f32 }
            });
        Fractions {
            breast: breast as f32,
            malignant,
            malignant_mass,
            malignant_calcification,
            any,
            mass,
            calcification,
        }
    }

    /// The malignant lesions that make the window count as cancer, as indices into the lesions
    /// given: those that reach a threshold alone, or, where they only do so together, all that lie
    /// in the window. Empty when it does not count as cancer.
    pub fn cancers(&self, x: u32, y: u32, edge: u32) -> Vec<usize> {
        self.held(self.malignant(), [x, y, edge, edge])
    }

    /// The lesions of any pathology that the window holds by the same rule.
    pub fn lesions(&self, x: u32, y: u32, edge: u32) -> Vec<usize> {
        self.held(&self.groups[ALL], [x, y, edge, edge])
    }

    fn held(&self, group: &Group, window: [u32; 4]) -> Vec<usize> {
        let shares = || group.members.iter().map(|&i| (i, self.areas[i].shares(window)));
        if !self.counts(group.fractions(&self.areas, window)) {
            return Vec::new();
        }
        let alone: Vec<usize> =
            shares().filter(|(_, shares)| self.counts(*shares)).map(|(i, _)| i).collect();
        if !alone.is_empty() {
            return alone;
        }
        shares().filter(|(_, [_, patch])| *patch > 0.0).map(|(i, _)| i).collect()
    }

    /// All malignant lesions.
    fn malignant(&self) -> &Group {
        &self.groups[0]
    }

    /// Whether these shares of a lesion and of the window are enough.
    fn counts(&self, [lesion, patch]: [f64; 2]) -> bool {
        // A threshold of zero means "any of it", not "every patch".
        let reaches = |share: f64, least: f64| share > 0.0 && share >= least;
        reaches(lesion, self.min_lesion) || reaches(patch, self.min_patch)
    }
}

/// Lesions that are counted together.
#[derive(Debug)]
struct Group {
    /// Indices among all lesions.
    members: Vec<usize>,
    /// What they cover together; `None` for at most one, which covers what it covers alone.
    union: Option<Area>,
}

impl Group {
    fn new(lesions: &[Lesion], wanted: &dyn Fn(&Lesion) -> bool, width: u32, height: u32) -> Self {
        let members: Vec<usize> = (0..lesions.len()).filter(|&i| wanted(&lesions[i])).collect();
        let union = (members.len() > 1).then(|| {
            let outlines = members.iter().flat_map(|&i| lesions[i].outlines.iter().cloned());
            Area::filled(&outlines.collect::<Vec<_>>(), width, height)
        });
        Self { members, union }
    }

    /// Largest share of one lesion that lies in the window, and the share of the window that they
    /// cover together.
    fn fractions(&self, areas: &[Area], window: [u32; 4]) -> [f64; 2] {
        let alone = self.members.iter().map(|&i| areas[i].shares(window));
        let [lesion, covered] = alone
            .fold([0.0, 0.0], |[l, c]: [f64; 2], [lesion, patch]| [l.max(lesion), c.max(patch)]);
        // Of one lesion the greatest is all.
        [lesion, self.union.as_ref().map_or(covered, |union| union.shares(window)[1])]
    }
}

/// A region as a summed-area table over its bounding box.
#[derive(Debug)]
pub struct Area {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
    /// `(width + 1) * (height + 1)` counts of the pixels above and to the left.
    sums: Vec<u32>,
}

impl Area {
    /// The union of `outlines` within an image.
    fn filled(outlines: &[Outline], width: u32, height: u32) -> Self {
        let mut bounds: Option<[u32; 4]> = None;
        for [l, t, r, b] in outlines.iter().filter_map(Outline::bounds) {
            let clip = |v: f32, end: u32| v.clamp(0.0, end as f32) as u32;
            let [l, t, r, b] = [
                clip(l.floor(), width),
                clip(t.floor(), height),
                clip(r.ceil(), width),
                clip(b.ceil(), height),
            ];
            bounds = Some(match bounds {
                None => [l, t, r, b],
                Some([l0, t0, r0, b0]) => [l.min(l0), t.min(t0), r.max(r0), b.max(b0)],
            });
        }
        let [left, top, right, bottom] = bounds.unwrap_or_default();
        let (width, height) = (right.saturating_sub(left), bottom.saturating_sub(top));
        let window = [left as f32, top as f32, width.max(1) as f32, height.max(1) as f32];
        Self { left, top, ..Self::of(&rasterise(outlines, window, width, height)) }
    }

    /// Share of the region that lies in the window, and share of the window that it covers.
    fn shares(&self, window: [u32; 4]) -> [f64; 2] {
        let within = self.within(window) as f64;
        let [_, _, width, height] = window.map(f64::from);
        [within / f64::from(self.total().max(1)), within / (width * height)]
    }

    /// A whole mask.
    pub fn of(mask: &Mask) -> Self {
        let (width, height) = (mask.width as usize, mask.height as usize);
        let stride = width + 1;
        let mut sums = vec![0u32; stride * (height + 1)];
        for (y, row) in mask.pixels.chunks(width.max(1)).enumerate() {
            let mut line = 0;
            for (x, &set) in row.iter().enumerate() {
                line += u32::from(set);
                sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + line;
            }
        }
        Self { left: 0, top: 0, width: mask.width, height: mask.height, sums }
    }

    /// Pixels of the region.
    pub(super) fn total(&self) -> u32 {
        self.sums.last().copied().unwrap_or(0)
    }

    /// Pixels of the region in the window `[x, y, width, height]`.
    pub fn within(&self, [x, y, width, height]: [u32; 4]) -> u32 {
        let clip =
            |at: u32, origin: u32, length: u32| at.saturating_sub(origin).min(length) as usize;
        let (left, right) =
            (clip(x, self.left, self.width), clip(x + width, self.left, self.width));
        let (top, bottom) =
            (clip(y, self.top, self.height), clip(y + height, self.top, self.height));
        let at = |x: usize, y: usize| self.sums[y * (self.width as usize + 1) + x];
        at(right, bottom) + at(left, top) - at(left, bottom) - at(right, top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Golden {
        width: u32,
        height: u32,
        edge: u32,
        min_lesion: f64,
        min_patch: f64,
        lesions: Vec<Drawn>,
        windows: Vec<(u32, u32, bool, f64, f64)>,
    }

    #[derive(serde::Deserialize)]
    struct Drawn {
        malignant: bool,
        circles: Vec<[f32; 3]>,
        polygons: Vec<Vec<[f32; 2]>>,
    }

    fn patching(min_lesion: f64, min_patch: f64) -> Patches {
        let (window, stride, min_breast) = (0.25, 0.5, 0.5);
        let (classes, spot_views) = (2, false);
        Patches {
            window,
            stride,
            size: 227,
            min_lesion,
            min_patch,
            min_breast,
            classes,
            spot_views,
            labels: Default::default(),
        }
    }

    fn lesion(pathology: Pathology, outlines: Vec<Outline>) -> Lesion {
        Lesion {
            pathology,
            terms: vec![],
            source_words: String::new(),
            outlines,
            subtlety: None,
            assessment: None,
        }
    }

    #[test]
    fn agrees_with_numpy_to_the_pixel() {
        let golden: Golden =
            serde_json::from_str(include_str!("../../tests/golden/labels.json")).unwrap();
        let lesions: Vec<Lesion> = golden
            .lesions
            .into_iter()
            .map(|drawn| {
                let circles =
                    drawn.circles.iter().map(|&[x, y, radius]| Outline::Circle { x, y, radius });
                let outlines = circles.chain(drawn.polygons.into_iter().map(Outline::Polygon));
                let pathology =
                    if drawn.malignant { Pathology::Malignant } else { Pathology::Benign };
                lesion(pathology, outlines.collect())
            })
            .collect();
        let patching = patching(golden.min_lesion, golden.min_patch);
        let labeller = Labeller::new(&lesions, golden.width, golden.height, &patching);
        assert!(golden.windows.iter().any(|w| w.2) && golden.windows.iter().any(|w| !w.2));
        for (x, y, positive, lesion_fraction, patch_fraction) in golden.windows {
            let label = labeller.label(x, y, golden.edge);
            assert_eq!(label.positive, positive, "{x} {y}");
            assert!((label.lesion_fraction - lesion_fraction).abs() < 1e-8, "{x} {y} {label:?}");
            assert!((label.patch_fraction - patch_fraction).abs() < 1e-8, "{x} {y} {label:?}");
        }
    }

    #[test]
    fn exactly_the_threshold_is_positive() {
        // 10 x 10 pixels, 3 columns of them in the window.
        let square = Outline::Polygon(vec![[7.0, 0.0], [17.0, 0.0], [17.0, 10.0], [7.0, 10.0]]);
        let of = |pathology| {
            let lesions = [lesion(pathology, vec![square.clone()])];
            Labeller::new(&lesions, 100, 100, &patching(0.3, 0.3)).label(0, 0, 10)
        };
        assert_eq!(
            of(Pathology::Malignant),
            Label { positive: true, benign: false, lesion_fraction: 0.3, patch_fraction: 0.3 }
        );
        let nothing =
            Label { positive: false, benign: false, lesion_fraction: 0.0, patch_fraction: 0.0 };
        assert_eq!(of(Pathology::Benign), Label { benign: true, ..nothing });
        assert_eq!(of(Pathology::Unproven), nothing);
        let lesions = [lesion(Pathology::Malignant, vec![square])];
        assert!(!Labeller::new(&lesions, 100, 100, &patching(0.31, 0.31)).label(0, 0, 10).positive);
    }

    #[test]
    fn the_lesions_behind_a_positive_window_are_named() {
        let square = |x: f32, y: f32, edge: f32| {
            vec![Outline::Polygon(vec![[x, y], [x + edge, y], [x + edge, y + edge], [x, y + edge]])]
        };
        let cancer = |outlines| lesion(Pathology::Malignant, outlines);
        let lesions = [
            lesion(Pathology::Benign, square(0.0, 0.0, 10.0)),
            cancer(square(0.0, 0.0, 4.0)),
            cancer(square(8.0, 0.0, 20.0)),
            cancer(square(0.0, 30.0, 40.0)),
            cancer(square(40.0, 30.0, 40.0)),
        ];
        let labeller = Labeller::new(&lesions, 100, 100, &patching(0.3, 0.3));
        // All of the second; a fifth of the window and a tenth of the third.
        assert_eq!(labeller.cancers(0, 0, 10), [1]);
        // A fifth of the window each.
        assert_eq!(labeller.cancers(35, 24, 10), [3, 4]);
        assert!(labeller.cancers(90, 0, 10).is_empty());
    }

    #[test]
    fn fractions_are_told_apart_by_kind_and_pathology() {
        let square = |x: f32, y: f32| {
            vec![Outline::Polygon(vec![[x, y], [x + 10.0, y], [x + 10.0, y + 10.0], [x, y + 10.0]])]
        };
        let of = |pathology, terms: &[&str], outlines| Lesion {
            terms: terms.iter().map(ToString::to_string).collect(),
            ..lesion(pathology, outlines)
        };
        let lesions = [
            of(Pathology::Malignant, &["mass", "shape-oval"], square(0.0, 0.0)),
            of(Pathology::Benign, &["calcifications"], square(15.0, 0.0)),
            of(Pathology::Unproven, &["mass"], square(0.0, 15.0)),
            of(Pathology::Malignant, &["mass", "calcifications"], square(5.0, 0.0)),
        ];
        let labeller = Labeller::new(&lesions, 100, 100, &patching(0.3, 0.3));
        let share = |lesion, patch| Share { lesion, patch };
        let expected = Fractions {
            breast: 0.75,
            malignant: share(1.0, 0.375),
            malignant_mass: share(1.0, 0.375),
            malignant_calcification: share(1.0, 0.25),
            any: share(1.0, 0.625),
            mass: share(1.0, 0.5),
            calcification: share(1.0, 0.375),
        };
        assert_eq!(labeller.fractions(0, 0, 20, 0.75), expected);
        let label = labeller.label(0, 0, 20);
        assert_eq!((label.lesion_fraction, label.patch_fraction), (1.0, 0.375));
        assert_eq!(labeller.fractions(80, 80, 20, 0.0), Fractions::default());
    }

    #[test]
    fn odd_lesions_label_nothing_and_do_not_panic() {
        let lesions = [
            lesion(Pathology::Malignant, vec![]),
            lesion(Pathology::Malignant, vec![Outline::Circle { x: -90.0, y: 5.0, radius: 3.0 }]),
            lesion(
                Pathology::Malignant,
                vec![Outline::Circle { x: f32::NAN, y: 5.0, radius: 3.0 }],
            ),
        ];
        let labeller = Labeller::new(&lesions, 30, 20, &patching(0.0, 0.0));
        assert_eq!(
            labeller.label(0, 0, 10),
            Label { positive: false, benign: false, lesion_fraction: 0.0, patch_fraction: 0.0 }
        );
    }
}
