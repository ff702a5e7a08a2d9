//! `dataset/manifest.json`: mammograms, their split, and their patches. Format 3.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use base::artifact::{Layout, Sealed};
use base::{Notice, Split};
use config::{Labels, Patches, Shares};
use mammogram::{About, Mammogram, Outline, Pathology, is_file_name};

/// Version of the manifest.
pub const FORMAT: u32 = 3;
/// Its name in the data set's folder.
pub const MANIFEST: &str = "manifest.json";

/// The prepared data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always 3.
    pub format: u32,
    /// What the data is.
    pub source: About,
    /// How the patches were cut.
    pub patching: Patches,
    /// Shares of the patients that were asked for.
    pub shares: Shares,
    /// Seed of the split.
    pub seed: u64,
    /// What of the split and the patches is the source's own.
    pub given: Given,
    /// Statements of the source on what it read.
    pub summary: Vec<String>,
    /// What was left out, and why.
    pub notices: Vec<Notice>,
    /// Every mammogram that was read, in the source's order.
    pub mammograms: Vec<Member>,
    /// Every patch, by mammogram, then top to bottom, then left to right. The index in this list is
    /// the patch's number, and its place in `patches.bin`.
    pub patches: Vec<Patch>,
}

/// What the source itself gives of what `prepare` makes otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Given {
    /// Patients whose part of the split is the source's own; the others were dealt.
    pub patients: u32,
    /// Whether the patches and their labels are the source's own; otherwise they were cut.
    pub patches: bool,
}

/// A mammogram of the data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// What is known of it.
    #[serde(flatten)]
    pub mammogram: Mammogram,
    /// The split its patient belongs to.
    pub split: Split,
    /// Size of its preview, `previews/<id>.jpg`, in pixels; `None` where there are only patches of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<[u32; 2]>,
    /// Boundary of the breast in image pixels; empty where it was not found or there is no image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breast: Vec<Outline>,
}

/// A square window of a mammogram.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Patch {
    /// Index into [`Manifest::mammograms`].
    pub mammogram: u32,
    /// Left edge in source pixels.
    pub x: u32,
    /// Top edge in source pixels.
    pub y: u32,
    /// Edge of the window in source pixels.
    pub edge: u32,
    /// Whether it counts as cancer: it holds enough of a malignant lesion (paper, section 2.2), or with
    /// `patches.labels: image` its mammogram has one.
    pub positive: bool,
    /// Whether the same is true of benign lesions; a patch can be both.
    pub benign: bool,
    /// Shares of the patch and of the lesions in it; `None` for a patch that the source came with, or of a mammogram
    /// with a cancer whose place is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fractions: Option<Fractions>,
    /// With `patches.labels: image`, what it holds. Read it by [`Manifest::held`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
}

/// Whether a patch holds enough of lesions to count as such (paper, section 2.2); `None` where the place of one is not
/// known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Held {
    /// Of malignant ones.
    pub malignant: Option<bool>,
    /// Of benign ones.
    pub benign: Option<bool>,
}

/// Shares of a patch, and of the lesions in it by what they are. A mass or a calcification is a lesion
/// with the term `mass` or `calcifications`; a lesion can be both.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Fractions {
    /// Share of the patch that breast covers.
    pub breast: f32,
    /// Of malignant lesions: what the label follows from.
    #[serde(default, skip_serializing_if = "Share::is_none")]
    pub malignant: Share,
    /// Of malignant masses.
    #[serde(default, skip_serializing_if = "Share::is_none")]
    pub malignant_mass: Share,
    /// Of malignant calcifications.
    #[serde(default, skip_serializing_if = "Share::is_none")]
    pub malignant_calcification: Share,
    /// Of all lesions, unproven ones included.
    #[serde(default, skip_serializing_if = "Share::is_none")]
    pub any: Share,
    /// Of all masses.
    #[serde(default, skip_serializing_if = "Share::is_none")]
    pub mass: Share,
    /// Of all calcifications.
    #[serde(default, skip_serializing_if = "Share::is_none")]
    pub calcification: Share,
}

/// How much some lesions and a patch have of each other.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Share {
    /// Largest share of one lesion that lies in the patch.
    pub lesion: f32,
    /// Share of the patch that the lesions cover together.
    pub patch: f32,
}

impl Share {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Manifest {
    /// Reads `manifest.json` of a project's data set.
    ///
    /// # Errors
    /// When it is not what was sealed, or not one that this version can use.
    pub fn read(layout: &Layout) -> Result<Self> {
        let path = layout.dataset().join(MANIFEST);
        let manifest: Self = Sealed::open(&layout.dataset())?.json(MANIFEST)?;
        let path = path.display();
        ensure!(
            manifest.format == FORMAT,
            "{path} has format {}, this version reads {FORMAT}; run `prepare` to remake it",
            manifest.format
        );
        let names = manifest.mammograms.iter().map(|m| m.mammogram.id.as_str());
        for id in names {
            ensure!(is_file_name(id), "{path} has a mammogram with an unsafe name, {id:?}");
        }
        let members = manifest.mammograms.len();
        for (number, patch) in manifest.patches.iter().enumerate() {
            ensure!(
                (patch.mammogram as usize) < members,
                "{path}: patch {number} belongs to mammogram {} of {members}",
                patch.mammogram
            );
        }
        Ok(manifest)
    }

    /// The mammogram a patch was cut from.
    pub fn member(&self, patch: &Patch) -> &Member {
        &self.mammograms[patch.mammogram as usize]
    }

    /// What a patch holds of lesions.
    pub fn held(&self, patch: &Patch) -> Held {
        match self.patching.labels {
            Labels::Lesion => Held { malignant: Some(patch.positive), benign: Some(patch.benign) },
            Labels::Image => patch.held.unwrap_or_default(),
        }
    }

    /// The split a patch belongs to.
    pub fn split(&self, patch: &Patch) -> Split {
        self.member(patch).split
    }

    /// Names of the classes that networks tell apart, cancer last.
    pub fn classes(&self) -> &'static [&'static str] {
        self.patching.class_names()
    }

    /// Class of the patch of this number, as an index into [`Manifest::classes`]. Of three, a patch
    /// with cancer is never benign.
    pub fn class(&self, number: u32) -> usize {
        let patch = &self.patches[number as usize];
        let last = self.classes().len() - 1;
        match patch {
            Patch { positive: true, .. } => last,
            Patch { benign: true, .. } if last == 2 => 1,
            _ => 0,
        }
    }

    /// Class of a whole mammogram, placed lesions or not, as an index into [`Manifest::classes`].
    pub fn class_of(&self, mammogram: u32) -> usize {
        let lesions = &self.mammograms[mammogram as usize].mammogram.lesions;
        let has = |pathology| lesions.iter().any(|lesion| lesion.pathology == pathology);
        let last = self.classes().len() - 1;
        match () {
            () if has(Pathology::Malignant) => last,
            () if last == 2 && has(Pathology::Benign) => 1,
            () => 0,
        }
    }

    /// Numbers of the patches of a split, in order.
    pub fn of_split(&self, split: Split) -> Vec<u32> {
        (0..self.patches.len() as u32)
            .filter(|&n| self.split(&self.patches[n as usize]) == split)
            .collect()
    }

    /// Name of a patch, as `patches export` writes it: `<mammogram>-y<Y>_x<X>_h<H>_w<W>`.
    pub fn patch_name(&self, patch: &Patch) -> String {
        let Patch { x, y, edge, .. } = patch;
        format!("{}-y{y}_x{x}_h{edge}_w{edge}", self.member(patch).mammogram.id)
    }

    /// The patches of a mammogram among those scored, each with its probability of cancer; `scores` are
    /// the classes' probabilities by patch number, cancer last.
    pub fn scored<'a>(
        &'a self,
        scores: &'a [(u32, Vec<f32>)],
        mammogram: u32,
    ) -> impl Iterator<Item = (&'a Patch, f32)> {
        let patch = |number: u32| self.patches.get(number as usize);
        scores
            .iter()
            .filter_map(move |(number, classes)| Some((patch(*number)?, *classes.last()?)))
            .filter(move |(patch, _)| patch.mammogram == mammogram)
    }
}
