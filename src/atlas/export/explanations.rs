//! `explanations.csv`.

use anyhow::Result;

use super::cell::{Number, Text, several};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;
use base::digits;
use catalogue::{Place, Verdict, carried};

table! {
    "explanations.csv",
    /// one mammogram and one network that scores it
    struct Explained {
        /// name of the network
        network: Text,
        /// layer whose units are held responsible
        layer: Text,
        /// the mammogram
        mammogram: Text,
        /// true when it has a malignant lesion
        positive: bool,
        /// the patch with the highest probability of cancer, which is explained
        patch: Text,
        /// that probability
        probability: Number<f32>,
        /// logit of cancer less the mean of the other classes' logits
        margin: Number<f32>,
        /// of the margin, what the units do not add
        rest: Number<f32>,
        /// of the margin, the sum of what units add for cancer
        evidence: Number<f32>,
        /// share of the evidence that units named by people carry
        named: Number<f32>,
        /// share of the evidence that units with an automatic name carry
        automatic: Number<f32>,
        /// where the patch lies: malignant or benign (a lesion of it), elsewhere, or unknown
        place: &'static str,
        /// how the score stands to the truth, and where the network looked
        verdict: &'static str,
        /// true when the contributions are exact, else gradient times activation
        exact: bool,
        /// numbers of the units that add most, most first, separated by semicolons
        units: String,
        /// what they add, likewise
        contributions: String,
        /// share of the evidence that units carry that a machine named
        machine: Number<f32>,
    }
}

impl Row for Explained {
    const OF_READERS: bool = true;

    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
        let manifest = atlas.inputs.manifest;
        for of in atlas.inputs.explanations {
            let layer = atlas.catalogue.explaining(of);
            for explained in &of.mammograms {
                let mammogram = &manifest.mammograms[explained.mammogram as usize].mammogram;
                let patch = &manifest.patches[explained.patch as usize];
                let (cancer, place) =
                    (mammogram.has_cancer(), Place::of(manifest, explained.patch));
                let verdict = Verdict::new(cancer, explained.probability, place);
                let carried = carried(explained, |unit| layer.and_then(|layer| layer.name(unit)));
                let units = &explained.units;
                write(Self {
                    network: Text::from(&of.network),
                    layer: Text::from(&of.layer),
                    mammogram: Text::from(&mammogram.id),
                    positive: cancer,
                    patch: Text::from(manifest.patch_name(patch)),
                    probability: Number(explained.probability),
                    margin: Number(explained.margin),
                    rest: Number(explained.rest),
                    evidence: Number(explained.evidence),
                    named: Number(carried.people),
                    automatic: Number(carried.automatic),
                    place: place.id(),
                    verdict: verdict.words(),
                    exact: of.exact,
                    units: several(units.iter().map(|part| digits(part.unit))),
                    contributions: several(units.iter().map(|part| part.contribution)),
                    machine: Number(carried.machine),
                })?;
            }
        }
        Ok(())
    }
}
