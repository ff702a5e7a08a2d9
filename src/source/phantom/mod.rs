//! Phantoms: procedural mammograms with lesions drawn from BI-RADS terms.
//!
//! They stand in for a data set, so that the whole tool can be tried and tested without one. They
//! are synthetic: no patient image went into them.
//!
//! Four views of each patient are planned in millimetres ([`patient`]), quickly and without pixels;
//! a view is drawn when it is asked for ([`render`]). Everything follows from the seed. Malignancy
//! follows from the terms ([`finding`]).

mod anatomy;
mod dice;
mod finding;
mod form;
mod layer;
mod lesion;
mod marker;
mod patient;
mod render;
mod structures;
mod texture;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use super::{About, Catalogue, Source};
use crate::artifact::Fingerprint;
use crate::mammogram::{Grey, Laterality, Lesion, Mammogram, Outline, Pathology};
use anatomy::{FILM_HEIGHT, FILM_WIDTH, Projection};
use patient::Patient;

/// Version of the generator: to be raised whenever the same parameters give other pixels or lesions.
const GENERATOR: u32 = 1;

/// Heights in pixels that can be drawn.
const HEIGHTS: std::ops::RangeInclusive<u32> = 64..=4096;

/// A data set of procedural mammograms.
#[derive(Debug, Clone)]
pub struct Phantom {
    patients: u32,
    height: u32,
    seed: u64,
}

impl Phantom {
    /// `patients` patients with four views each, every image `height` pixels high (64 to 4096) and
    /// four fifths as wide.
    pub fn new(patients: u32, height: u32, seed: u64) -> Self {
        Self { patients, height, seed }
    }

    /// Width and height of every image.
    fn size(&self) -> [u32; 2] {
        [(self.height as f32 * FILM_WIDTH / FILM_HEIGHT).round() as u32, self.height]
    }

    fn check(&self) -> Result<()> {
        ensure!(
            HEIGHTS.contains(&self.height),
            "phantoms of {} pixels height cannot be drawn: source.height must be from {} to {}",
            self.height,
            HEIGHTS.start(),
            HEIGHTS.end()
        );
        Ok(())
    }

    fn mammogram(&self, patient: &Patient, projection: Projection) -> Mammogram {
        let [width, height] = self.size();
        let scale = height as f32 / FILM_HEIGHT;
        let Projection { side, view } = projection;
        let to_pixels = |[x, y]: anatomy::Point| match side {
            Laterality::Left => [x * scale, y * scale],
            Laterality::Right => [width as f32 - x * scale, y * scale],
        };
        let lesions = patient.tumours.iter().filter(|t| t.side == side).map(|tumour| Lesion {
            pathology: tumour.finding.pathology(),
            terms: tumour.finding.terms(),
            source_words: tumour.finding.words(),
            outlines: vec![Outline::Polygon(
                tumour.outline(view).into_iter().map(to_pixels).collect(),
            )],
        });
        let name = format!("P{:04}", patient.number);
        Mammogram {
            id: format!("{name}_{side}_{view}"),
            patient: name,
            laterality: Some(side),
            view: Some(view),
            width,
            height,
            micron: Some(f64::from(FILM_HEIGHT) * 1000.0 / f64::from(height)),
            density: Some(patient.composition.term().into()),
            facts: BTreeMap::from([("phantom".into(), "yes".into())]),
            lesions: lesions.collect(),
        }
    }

    /// The patient and view of an id such as `P0001_LEFT_CC`.
    fn find(&self, id: &str) -> Option<(u32, Projection)> {
        let (patient, rest) = id.strip_prefix('P')?.split_once('_')?;
        let number = patient.parse().ok().filter(|n| (1..=self.patients).contains(n))?;
        let projection = Projection::ALL
            .into_iter()
            .find(|Projection { side, view }| rest == format!("{side}_{view}"))?;
        (id == format!("P{number:04}_{rest}")).then_some((number, projection))
    }
}

impl Source for Phantom {
    fn about(&self) -> About {
        About {
            kind: "phantom".into(),
            name: "Phantom mammograms".into(),
            description:
                "Synthetic images drawn by a program, with lesions made from BI-RADS terms. \
                          They are not images of patients and say nothing about how well a network \
                          reads real mammograms."
                    .into(),
            citation: String::new(),
            phantom: true,
        }
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        Ok(Fingerprint::of(&("phantom", GENERATOR, self.patients, self.height, self.seed)))
    }

    fn catalogue(&self) -> Result<Catalogue> {
        self.check()?;
        let mut mammograms = Vec::with_capacity(4 * self.patients as usize);
        let (mut malignant, mut benign) = (0, 0);
        for number in 1..=self.patients {
            let patient = Patient::new(self.seed, number);
            let (bad, good): (Vec<_>, Vec<_>) =
                patient.tumours.iter().partition(|t| t.finding.pathology() == Pathology::Malignant);
            malignant += bad.len();
            benign += good.len();
            mammograms.extend(Projection::ALL.map(|p| self.mammogram(&patient, p)));
        }
        let summary = vec![format!(
            "{} synthetic patients, {} views, {malignant} malignant and {benign} benign lesions, \
             each in two views",
            self.patients,
            mammograms.len()
        )];
        Ok(Catalogue { mammograms, summary, notices: Vec::new() })
    }

    fn image(&self, mammogram: &Mammogram) -> Result<Grey> {
        self.check()?;
        let (number, projection) = self.find(&mammogram.id).with_context(|| {
            format!("{}: no such phantom among {} patients", mammogram.id, self.patients)
        })?;
        let patient = Patient::new(self.seed, number);
        Ok(render::render(self.seed, &patient, projection, self.size(), true))
    }
}
