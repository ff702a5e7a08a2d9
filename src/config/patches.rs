//! `patches` and `split`: how mammograms are cut, and dealt out.

use serde::{Deserialize, Serialize};
use serde_yaml::Location;

use crate::check::Check;
use crate::value::{POSITIVE_SHARE, SHARE};
use base::Split;
use base::yaml::Mistake;

section! {
    /// How mammograms are cut into patches (paper, section 2.2).
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Patches(PatchesForm, "patches.") {
        /// Edge of the window as a share of the image's shorter side.
        pub window: f64 = "0.25", in POSITIVE_SHARE;
        /// Step from window to window as a share of the window.
        pub stride: f64 = "0.5", in POSITIVE_SHARE;
        /// Edge of the stored patch in pixels.
        pub size: u32 = "227", in 16..=2048;
        /// What a patch's label follows from.
        #[serde(default, skip_serializing_if = "Labels::is_lesion")]
        pub labels: Labels = "lesion";
        /// A patch is positive when it holds at least this share of a malignant lesion,
        pub min_lesion: f64 = "0.3", in POSITIVE_SHARE;
        /// or when malignant lesion covers at least this share of it.
        pub min_patch: f64 = "0.3", in POSITIVE_SHARE;
        /// Windows with a smaller share of breast are left out.
        pub min_breast: f64 = "0.5", in SHARE;
        /// 2: no cancer, cancer; 3: no lesion, benign, cancer.
        pub classes: u32 = "2", in 2..=3;
        /// Whether spot compressions and magnifications, which show a part of a breast enlarged, are cut too.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub spot_views: bool = "false";
    }
}

/// What the label of a patch follows from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Labels {
    /// The lesions in it, by `min_lesion` and `min_patch`. A mammogram whose cancer has no place gives no patch.
    #[default]
    Lesion,
    /// Its mammogram: every patch has the label of the whole, wherever the lesion is. For data that says what a
    /// breast has and not where.
    Image,
}

impl Labels {
    fn is_lesion(&self) -> bool {
        *self == Self::Lesion
    }
}

impl Patches {
    /// Names of the classes that networks tell apart, cancer last.
    pub fn class_names(&self) -> &'static [&'static str] {
        match self.classes {
            3 => &["no lesion", "benign", "cancer"],
            _ => &["no cancer", "cancer"],
        }
    }
}

section! {
    /// Shares of the patients (paper, section 2.1); they sum to 1.
    #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
    pub struct Shares(SharesForm, "split.", Shares::sum_to_one) {
        /// Share trained on; 0 where no network is trained.
        pub train: f64 = "0.8", in SHARE;
        /// Share that chooses the epoch and is dissected.
        pub validation: f64 = "0.1", in SHARE;
        /// Share held out.
        pub test: f64 = "0.1", in SHARE;
    }
}

impl Shares {
    fn sum_to_one(
        &mut self,
        check: &Check<'_>,
        _: &SharesForm,
        at: Location,
    ) -> Result<(), Mistake> {
        let Self { train, validation, test } = *self;
        let sum = train + validation + test;
        if (sum - 1.0).abs() > 1e-6 {
            let sum = (sum * 1e6).round() / 1e6;
            let message = format!(
                "the shares of `split` sum to {sum}, not to 1 (train {train}, validation \
                 {validation}, test {test})"
            );
            return check.wrong(at, message);
        }
        Ok(())
    }

    /// The share of a split.
    pub fn of(&self, split: Split) -> f64 {
        match split {
            Split::Train => self.train,
            Split::Validation => self.validation,
            Split::Test => self.test,
        }
    }
}
