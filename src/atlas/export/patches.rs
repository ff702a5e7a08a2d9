//! `patches.csv`.

use anyhow::Result;

use super::cell::{Number, Text};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;
use base::Split;
use record::{Fractions, Share};

table! {
    "patches.csv",
    /// one patch of the data set
    struct Patch {
        /// name of the patch
        patch: Text,
        /// the mammogram it was cut from
        mammogram: Text,
        /// pseudonym of the patient
        patient: Text,
        /// train, validation or test
        split: Split,
        /// left edge in pixels of the mammogram
        x: u32,
        /// top edge
        y: u32,
        /// width
        width: u32,
        /// height
        height: u32,
        /// true when the patch counts as cancer, by patches.labels
        positive: bool,
        /// largest share of one malignant lesion that lies in the patch; this and all fractions are empty
        /// for patches that the source came with, and where the place of a cancer is not known
        lesion_fraction: Option<Number<f32>>,
        /// share of the patch that malignant lesion covers
        patch_fraction: Option<Number<f32>>,
        /// share of the patch that breast covers
        breast_fraction: Option<Number<f32>>,
        /// true when the patch holds as much of benign lesions; it can be both
        benign: bool,
        /// as lesion_fraction, of malignant masses
        lesion_fraction_malignant_mass: Option<Number<f32>>,
        /// as patch_fraction, of malignant masses
        patch_fraction_malignant_mass: Option<Number<f32>>,
        /// of malignant calcifications
        lesion_fraction_malignant_calcification: Option<Number<f32>>,
        /// of malignant calcifications
        patch_fraction_malignant_calcification: Option<Number<f32>>,
        /// of all lesions, whatever their pathology
        lesion_fraction_any: Option<Number<f32>>,
        /// of all lesions, whatever their pathology
        patch_fraction_any: Option<Number<f32>>,
        /// of all masses
        lesion_fraction_mass: Option<Number<f32>>,
        /// of all masses
        patch_fraction_mass: Option<Number<f32>>,
        /// of all calcifications
        lesion_fraction_calcification: Option<Number<f32>>,
        /// of all calcifications
        patch_fraction_calcification: Option<Number<f32>>,
    }
}

impl Row for Patch {
    const OF_READERS: bool = false;

    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
        let manifest = atlas.inputs.manifest;
        for patch in &manifest.patches {
            let member = manifest.member(patch);
            let fraction =
                |of: fn(&Fractions) -> f32| patch.fractions.as_ref().map(|all| Number(of(all)));
            let share = |of: fn(&Fractions) -> Share| {
                let share = patch.fractions.as_ref().map(of);
                [share.map(|share| Number(share.lesion)), share.map(|share| Number(share.patch))]
            };
            let [lesion_fraction, patch_fraction] = share(|all| all.malignant);
            let [lesion_fraction_malignant_mass, patch_fraction_malignant_mass] =
                share(|all| all.malignant_mass);
            let [lesion_fraction_malignant_calcification, patch_fraction_malignant_calcification] =
                share(|all| all.malignant_calcification);
            let [lesion_fraction_any, patch_fraction_any] = share(|all| all.any);
            let [lesion_fraction_mass, patch_fraction_mass] = share(|all| all.mass);
            let [lesion_fraction_calcification, patch_fraction_calcification] =
                share(|all| all.calcification);
            write(Self {
                patch: Text::from(manifest.patch_name(patch)),
                mammogram: Text::from(&member.mammogram.id),
                patient: Text::from(&member.mammogram.patient),
                split: member.split,
                x: patch.x,
                y: patch.y,
                width: patch.edge,
                height: patch.edge,
                positive: patch.positive,
                lesion_fraction,
                patch_fraction,
                breast_fraction: fraction(|all| all.breast),
                benign: patch.benign,
                lesion_fraction_malignant_mass,
                patch_fraction_malignant_mass,
                lesion_fraction_malignant_calcification,
                patch_fraction_malignant_calcification,
                lesion_fraction_any,
                patch_fraction_any,
                lesion_fraction_mass,
                patch_fraction_mass,
                lesion_fraction_calcification,
                patch_fraction_calcification,
            })?;
        }
        Ok(())
    }
}
