//! `dissection` and `cases`: how units, and scores of mammograms, are looked into.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_yaml::{Location, Spanned};

use crate::check::Check;
use crate::option::{Shape, Value};
use crate::value::{INNER_SHARE, place};
use base::Split;
use base::yaml::Mistake;

section! {
    /// How units are dissected.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Dissection(DissectionForm, "dissection.", Dissection::settle) {
        /// Patches shown to the units: those of this split.
        pub split: Split = "validation";
        /// Top patches kept per unit.
        pub top: usize = "64", in 1..=1000;
        /// A unit is active above its threshold. `quantile`: this share of all its values lies above it
        /// (Network Dissection; Bau et al. 2017). `fraction_of_max`, say 0.2: this share of its best
        /// score (the paper's released code). One of the two.
        pub threshold: Threshold = "{ quantile: 0.005 }";
        /// Where an activation stands in the patch when its map is upsampled.
        pub anchor: Anchor = "receptive_field";
        /// How often the concepts' masks are dealt out anew among the patches to learn what chance
        /// gives; 0: never. Of n, the least probability by chance is 1 / (n + 1), and an agreement is
        /// more than chance at 0.05: 1 to 18 would find none, and are refused.
        pub permutations: u32 = "200", in 0..=10_000;
        /// A unit whose IoU with a concept exceeds this is called its detector.
        // Only pages depend on it, so it is not part of what makes a dissection stale.
        #[serde(skip)]
        pub detector: f64 = "0.04", in INNER_SHARE;
        /// Units that get a synthetic image: one that is made to activate the unit, by gradient ascent on its
        /// pixels (feature visualisation), and shown on its page. It is computed on the processor, whatever
        /// `device` is. On two cores an image takes about 4 seconds for AlexNet and 20 for ResNet-18 at the input
        /// of 113 of the default project, four times as long at 224: hours for all units of a layer.
        // Results of their own, which no dissection depends on.
        #[serde(skip)]
        pub visualisation: Visualised = "none";
        /// Steps of gradient ascent for each synthetic image; time grows with them.
        #[serde(skip)]
        pub visualisation_steps: u32 = "256", in 16..=4096;
    }
}

/// Corrected probability by chance at or below which an agreement is more than chance.
pub const SIGNIFICANCE: f32 = 0.05;

/// The fewest permutations of which one agreement can be more than chance: 1 / (n + 1) is at most
/// [`SIGNIFICANCE`].
const LEAST_PERMUTATIONS: u32 = 19;

impl Dissection {
    fn settle(
        &mut self,
        check: &Check<'_>,
        form: &DissectionForm,
        _: Location,
    ) -> Result<(), Mistake> {
        if (1..LEAST_PERMUTATIONS).contains(&self.permutations) {
            let message = format!(
                "`permutations` is {}; expected 0, or at least {LEAST_PERMUTATIONS}: with n of them the \
                 least probability by chance is 1 / (n + 1), and with fewer no unit could agree with a \
                 concept at {SIGNIFICANCE}",
                self.permutations
            );
            return check.wrong(place(&form.permutations), message);
        }
        Ok(())
    }
}

/// How a unit's activation threshold T_k is set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// P(a > T_k) = q over all locations of all patches (Network Dissection; Bau et al. 2017).
    Quantile(f64),
    /// This share of the unit's best score (the paper's released code, 0.2).
    FractionOfMax(f64),
}

options! {
    /// The two rules of a threshold, of which one is given.
    #[derive(Debug, Clone, PartialEq)]
    struct Rules(RulesForm, "dissection.threshold.") {
        /// The share of a unit's values above its threshold.
        pub quantile: Option<f64>, in INNER_SHARE;
        /// The threshold as a share of a unit's best score.
        pub fraction_of_max: Option<f64>, in INNER_SHARE;
    }
}

impl Value for Threshold {
    type Written = RulesForm;
    type Rule = ();

    fn read(
        check: &Check<'_>,
        _: &str,
        given: &Spanned<RulesForm>,
        (): &(),
    ) -> Result<Self, Mistake> {
        match Rules::read_form(check, &given.value, given.referenced)? {
            Rules { quantile: Some(share), fraction_of_max: None } => Ok(Self::Quantile(share)),
            Rules { quantile: None, fraction_of_max: Some(share) } => {
                Ok(Self::FractionOfMax(share))
            }
            _ => check.wrong(
                given.referenced,
                "expected exactly one rule: `quantile: 0.005` or `fraction_of_max: 0.2`",
            ),
        }
    }

    fn shape((): &()) -> Shape {
        let mut schema = Rules::options().schema;
        schema["minProperties"] = 1.into();
        schema["maxProperties"] = 1.into();
        Shape::plain("one of the two rules, a number between 0 and 1", schema)
    }
}

/// Where an activation stands in the patch when its map is upsampled bilinearly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// At the centre of its receptive field (Network Dissection; Bau et al. 2017).
    ReceptiveField,
    /// Where a plain resize of the map to the patch puts it (the paper's released code).
    Pixel,
}

/// Which units get a synthetic image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visualised {
    /// No unit.
    #[default]
    None,
    /// Of each layer the 16 units with the most influence on the cancer score, and the 16 that agree best with a
    /// concept, beyond chance where that was measured.
    Best,
    /// Every unit that has top patches.
    All,
}

section! {
    /// Mammograms of the validation split that get a page with the evidence for cancer in them, per network.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Cases(CasesForm, "cases.", Cases::are_distinct) {
        /// With cancer, scored 0.5 or more, the highest.
        pub found: u32 = "4", in MOST;
        /// Without cancer, scored 0.5 or more, the highest.
        pub false_alarms: u32 = "4", in MOST;
        /// With cancer, scored below 0.5, the lowest.
        pub missed: u32 = "4", in MOST;
        /// Drawn at random from the others.
        pub random: u32 = "4", in MOST;
        /// Further ones, by their ids.
        pub list: Vec<String> = "[]";
    }
}

/// Pages per kind and network: more is a data set, not an atlas.
const MOST: std::ops::RangeInclusive<u32> = 0..=1000;

impl Cases {
    fn are_distinct(
        &mut self,
        check: &Check<'_>,
        form: &CasesForm,
        _: Location,
    ) -> Result<(), Mistake> {
        let list = form.list.iter().flat_map(|list| &list.value);
        check.unique(list, |id| format!("`cases.list` names {id} twice"))
    }
}
