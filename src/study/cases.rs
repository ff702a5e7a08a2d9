//! Which mammograms readers score, before and after they see an explanation; what they are called there, and their
//! truth.
//!
//! Mammograms are drawn by the project's seed from those that are explained, so many with cancer and so many without,
//! one of a patient first. A case goes by a code, which follows from the mammogram and from the weights of the network
//! whose explanation is shown: scores of another training's explanations are of other cases.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};
use rand::seq::SliceRandom;

use super::code::Coder;
use base::seed;
use config::Config;
use mammogram::{Mammogram, Pathology};
use record::Manifest;
use record::explanation::{Explained, Explanation};

/// The mammograms of a project that readers score.
#[derive(Debug, Clone)]
pub struct Drawn<'a> {
    /// The explanations that are shown.
    pub explanation: &'a Explanation,
    /// The cases in the order of their codes.
    pub cases: Vec<Case<'a>>,
    /// How many with cancer and without were asked for.
    pub wanted: [usize; 2],
}

/// A mammogram that readers score.
#[derive(Debug, Clone)]
pub struct Case<'a> {
    /// What readers know it by.
    pub code: String,
    /// Its explanation.
    pub explained: &'a Explained,
    /// Whether it has cancer.
    pub cancer: bool,
}

impl Drawn<'_> {
    /// How many cases have cancer, and how many have none.
    pub fn found(&self) -> [usize; 2] {
        let cancer = self.cases.iter().filter(|case| case.cancer).count();
        [cancer, self.cases.len() - cancer]
    }
}

/// Draws the cases of a project; none where it asks for none, or nothing is explained.
///
/// # Errors
/// When the network that is named is not explained, or two cases have the same code.
pub fn draw<'a>(
    config: &Config,
    explanations: &'a [Explanation],
    manifest: &Manifest,
) -> Result<Option<Drawn<'a>>> {
    let reading = &config.reading;
    if reading.cases == 0 {
        return Ok(None);
    }
    let explanation = match &reading.network {
        None => explanations.first(),
        Some(name) => {
            let found = explanations.iter().find(|explanation| explanation.network == *name);
            if found.is_none() && !explanations.is_empty() {
                bail!(
                    "reading.network is {name}, whose scores are not explained; `unit-atlas dissect` explains those \
                     of a network whose last layer is dissected"
                );
            }
            found
        }
    };
    let Some(explanation) = explanation else { return Ok(None) };
    let truths = Truths::new(manifest);
    let coder = Coder::new(config.seed, &config.survey.study);
    let mut shuffled: Vec<&Explained> = explanation
        .mammograms
        .iter()
        // Of others there is nothing to see but patches.
        .filter(|explained| manifest.mammograms[explained.mammogram as usize].preview.is_some())
        .collect();
    shuffled.shuffle(&mut seed::stream(config.seed, &format!("reading/{}", explanation.network)));
    let all = reading.cases as usize;
    let with_cancer = (reading.cancer * all as f64).round() as usize;
    let wanted = [with_cancer, all - with_cancer];
    let patient = |explained: &Explained| {
        manifest.mammograms[explained.mammogram as usize].mammogram.patient.as_str()
    };
    let mut cases: Vec<Case> = Vec::new();
    let mut patients: BTreeSet<&str> = BTreeSet::new();
    for (cancer, most) in [true, false].into_iter().zip(wanted) {
        let known = |explained: &&&Explained| {
            let member = &manifest.mammograms[explained.mammogram as usize];
            truths.of(&member.mammogram) == Some(cancer)
        };
        let (mut first, mut others) = (Vec::new(), Vec::new());
        for &explained in shuffled.iter().filter(known) {
            match patients.contains(patient(explained)) || first.len() == most {
                true => others.push(explained),
                false => {
                    patients.insert(patient(explained));
                    first.push(explained);
                }
            }
        }
        let drawn = first.into_iter().chain(others).take(most);
        cases.extend(drawn.map(|explained| {
            let id = &manifest.mammograms[explained.mammogram as usize].mammogram.id;
            Case { code: coder.case(id, &explanation.weights_blake3), explained, cancer }
        }));
    }
    cases.sort_by(|a, b| a.code.cmp(&b.code));
    ensure!(
        cases.windows(2).all(|pair| pair[0].code != pair[1].code),
        "two cases have the same code; give `survey.study` another name"
    );
    Ok(Some(Drawn { explanation, cases, wanted }))
}

/// What is known of a patient's breasts.
#[derive(Debug, Clone, Copy, Default)]
struct Breasts {
    cancer: bool,
    unproven: bool,
}

/// The truth of mammograms as readers, who see a patient's other views beside them, are to find it.
#[derive(Debug)]
pub struct Truths<'a> {
    patients: BTreeMap<&'a str, Breasts>,
}

impl<'a> Truths<'a> {
    /// Of a data set.
    pub fn new(manifest: &'a Manifest) -> Self {
        let mut patients: BTreeMap<&str, Breasts> = BTreeMap::new();
        for member in &manifest.mammograms {
            let breasts = patients.entry(&member.mammogram.patient).or_default();
            breasts.cancer |= member.mammogram.has_cancer();
            let mut lesions = member.mammogram.lesions.iter();
            breasts.unproven |= lesions.any(|lesion| lesion.pathology == Pathology::Unproven);
        }
        Self { patients }
    }

    /// Whether a mammogram shows cancer. Not known where it does not, but another of its patient does, or where a
    /// lesion of its patient is of unproven pathology: who calls that suspicious is not wrong.
    pub fn of(&self, mammogram: &Mammogram) -> Option<bool> {
        if mammogram.has_cancer() {
            return Some(true);
        }
        let breasts = self.patients.get(mammogram.patient.as_str()).copied().unwrap_or_default();
        (!breasts.cancer && !breasts.unproven).then_some(false)
    }
}

/// A mammogram behind a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub mammogram: String,
    /// Whether it shows cancer, where that is known.
    pub cancer: Option<bool>,
}

/// The mammograms behind codes: of all, whether they are among those drawn or not, so that scores outlast a change of
/// the settings.
#[derive(Debug, Default)]
pub struct Key {
    cases: BTreeMap<String, Known>,
}

impl Key {
    /// Of a data set and the BLAKE3 of each network's weights.
    pub fn new<'w>(
        coder: &Coder,
        manifest: &Manifest,
        weights: impl Iterator<Item = &'w str>,
    ) -> Self {
        let truths = Truths::new(manifest);
        let known = |mammogram: &Mammogram| Known {
            mammogram: mammogram.id.clone(),
            cancer: truths.of(mammogram),
        };
        let mammograms = || manifest.mammograms.iter().map(|member| &member.mammogram);
        weights
            .flat_map(|weights| mammograms().map(move |of| (coder.case(&of.id, weights), of)))
            .map(|(code, mammogram)| (code, known(mammogram)))
            .collect()
    }

    /// The mammogram behind a code.
    pub fn get(&self, code: &str) -> Option<&Known> {
        self.cases.get(code)
    }
}

impl FromIterator<(String, Known)> for Key {
    fn from_iter<I: IntoIterator<Item = (String, Known)>>(cases: I) -> Self {
        Self { cases: cases.into_iter().collect() }
    }
}
