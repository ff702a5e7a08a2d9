//! Phantoms: procedural mammograms with lesions drawn from BI-RADS terms.
//!
//! They stand in for a data set, so that the whole tool can be tried and tested without one. They
//! are synthetic: no patient image went into them.
//!
//! Four views of each patient are planned in millimetres (`patient`), quickly and without pixels;
//! a view is drawn when it is asked for (`render`). Everything follows from the seed. Malignancy
//! follows from the terms (`finding`).
//!
//! The same seed gives the same bytes whatever the number of threads; between platforms they may
//! differ in the last digit of a sine or a power.

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

use anatomy::{FILM_HEIGHT, FILM_WIDTH, Projection};
use base::artifact::Fingerprint;
use mammogram::{Grey, Laterality, Lesion, Mammogram, Outline, Pathology};
use patient::Patient;

/// Version of the generator: to be raised whenever the same parameters give other pixels or lesions.
const GENERATOR: u32 = 3;

/// Heights in pixels that can be drawn.
const HEIGHTS: std::ops::RangeInclusive<u32> = 64..=8192;

/// A data set of procedural mammograms.
#[derive(Debug, Clone)]
pub struct Phantom {
    patients: u32,
    height: u32,
    seed: u64,
}

impl Phantom {
    /// `patients` patients with four views each, every image `height` pixels high (64 to 8192) and
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
            subtlety: None,
            assessment: None,
        });
        let name = format!("P{:04}", patient.number);
        Mammogram {
            id: format!("{name}_{side}_{view}"),
            patient: name,
            laterality: Some(side),
            view: Some(view),
            modifier: None,
            width,
            height,
            micron: Some(f64::from(FILM_HEIGHT) * 1000.0 / f64::from(height)),
            density: Some(patient.composition.term().into()),
            facts: BTreeMap::from([("phantom".into(), "yes".into())]),
            lesions: lesions.collect(),
            assigned: None,
            regions: Vec::new(),
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

impl Phantom {
    /// Fingerprint of everything the mammograms follow from.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&("phantom", GENERATOR, self.patients, self.height, self.seed))
    }

    /// Every mammogram, patient by patient, and one sentence on what there is.
    ///
    /// # Errors
    /// When the height cannot be drawn.
    pub fn mammograms(&self) -> Result<(Vec<Mammogram>, String)> {
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
        let summary = format!(
            "{} synthetic patients, {} views, {malignant} malignant and {benign} benign lesions, \
             each in two views",
            self.patients,
            mammograms.len()
        );
        Ok((mammograms, summary))
    }

    /// Draws one of [`Self::mammograms`].
    ///
    /// # Errors
    /// When the height cannot be drawn, or there is no such phantom.
    pub fn image(&self, mammogram: &Mammogram) -> Result<Grey> {
        self.check()?;
        let (number, projection) = self.find(&mammogram.id).with_context(|| {
            format!("{}: no such phantom among {} patients", mammogram.id, self.patients)
        })?;
        let patient = Patient::new(self.seed, number);
        Ok(render::render(self.seed, &patient, projection, self.size(), true))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::anatomy::{dot, sub};
    use super::*;
    use mammogram::{View, rasterise};

    fn catalogue(phantom: &Phantom) -> Vec<Mammogram> {
        phantom.mammograms().unwrap().0
    }

    #[test]
    fn the_seed_decides_every_byte_on_any_thread() {
        let phantom = Phantom::new(2, 200, 7);
        let list = catalogue(&phantom);
        assert_eq!(list, catalogue(&Phantom::new(2, 200, 7)));
        let images: Vec<Grey> = list.iter().map(|m| phantom.image(m).unwrap()).collect();
        // In the other order, all at once.
        let threads: Vec<Grey> = std::thread::scope(|scope| {
            let phantom = &phantom;
            let workers: Vec<_> =
                list.iter().rev().map(|m| scope.spawn(move || phantom.image(m).unwrap())).collect();
            workers.into_iter().rev().map(|w| w.join().unwrap()).collect()
        });
        assert_eq!(images, threads);
        let other = Phantom::new(2, 200, 8);
        for (m, image) in list.iter().zip(&images) {
            assert_ne!(other.image(m).unwrap(), *image, "{}", m.id);
        }
        let distinct: BTreeSet<_> = images.iter().map(|i| &i.pixels).collect();
        assert_eq!(distinct.len(), images.len());
        let prints = [(2, 200, 7), (3, 200, 7), (2, 201, 7), (2, 200, 8)]
            .map(|(n, h, s)| Phantom::new(n, h, s).fingerprint());
        assert_eq!(prints.iter().collect::<BTreeSet<_>>().len(), 4);
    }

    #[test]
    fn more_patients_leave_the_first_ones_as_they_were() {
        assert_eq!(catalogue(&Phantom::new(3, 300, 1)), catalogue(&Phantom::new(9, 300, 1))[..12]);
    }

    #[test]
    fn the_catalogue_is_a_study_of_four_views_a_patient() {
        let phantom = Phantom::new(60, 250, 3);
        let list = catalogue(&phantom);
        assert_eq!(list.len(), 240);
        assert_eq!(list[0].id, "P0001_LEFT_CC");
        let ids: BTreeSet<_> = list.iter().map(|m| m.id.as_str()).collect();
        assert_eq!(ids.len(), list.len());
        let mut densities: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for m in &list {
            assert!(m.id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{}", m.id);
            assert_eq!((m.width, m.height, m.micron), (200, 250, Some(960.0)));
            assert!(m.facts.contains_key("phantom"));
            densities.entry(&m.patient).or_default().insert(m.density.as_deref().unwrap());
        }
        assert_eq!(densities.len(), 60);
        assert!(densities.values().all(|d| d.len() == 1));
        assert_eq!(densities.values().flatten().collect::<BTreeSet<_>>().len(), 4);
        let with = |pathology| {
            list.iter()
                .filter(|m| m.lesions.iter().any(|l| l.pathology == pathology))
                .map(|m| m.patient.as_str())
                .collect::<BTreeSet<_>>()
                .len()
        };
        assert!((18..=42).contains(&with(Pathology::Malignant)));
        assert!((18..=48).contains(&with(Pathology::Benign)));
    }

    #[test]
    fn a_lesion_lies_in_the_breast_in_both_views_at_one_depth() {
        let phantom = Phantom::new(80, 240, 5);
        let list = catalogue(&phantom);
        let mut lesions = 0;
        for number in 1..=80 {
            let patient = Patient::new(5, number);
            for tumour in &patient.tumours {
                lesions += 1;
                let depths = [View::Cc, View::Mlo].map(|view| {
                    let anatomy = patient.anatomy(Projection { side: tumour.side, view });
                    for p in tumour.outline(view) {
                        assert!(anatomy.skin_distance(p) > 0.0, "{tumour:?}");
                        assert!(anatomy.muscle_distance(p) < 0.0, "{tumour:?}");
                    }
                    dot(sub(tumour.form(view).centre, anatomy.nipple), anatomy.axis)
                });
                assert!((depths[0] - depths[1]).abs() < 0.01, "{depths:?}");
            }
            // Both views of a breast list the same findings, and the outlines lie on the film.
            for views in list[4 * (number as usize - 1)..][..4].chunks(2) {
                let terms =
                    |m: &Mammogram| m.lesions.iter().map(|l| l.terms.clone()).collect::<Vec<_>>();
                assert_eq!(terms(&views[0]), terms(&views[1]));
                for m in views {
                    for lesion in &m.lesions {
                        let [l, t, r, b] = lesion.outlines[0].bounds().unwrap();
                        assert!(l >= 0.0 && t >= 0.0, "{}", m.id);
                        assert!(r <= m.width as f32 && b <= m.height as f32, "{}", m.id);
                    }
                }
            }
        }
        assert!(lesions > 80, "{lesions}");
    }

    #[test]
    fn what_is_drawn_for_a_lesion_lies_in_its_outline() {
        let phantom = Phantom::new(24, 480, 11);
        let list = catalogue(&phantom);
        let mut kinds = BTreeSet::new();
        for m in list.iter().filter(|m| !m.lesions.is_empty()) {
            let (number, projection) = phantom.find(&m.id).unwrap();
            let patient = Patient::new(11, number);
            let with = phantom.image(m).unwrap();
            let without = render::render(11, &patient, projection, phantom.size(), false);
            let frame = [0.0, 0.0, m.width as f32, m.height as f32];
            let outlines: Vec<Outline> =
                m.lesions.iter().flat_map(|l| l.outlines.clone()).collect();
            let all = rasterise(&outlines, frame, m.width, m.height);
            let change = |mask: &dyn Fn(usize) -> bool| {
                let (mut sum, mut count) = (0.0, 0.0f64);
                for (i, (a, b)) in with.pixels.iter().zip(&without.pixels).enumerate() {
                    if mask(i) {
                        sum += f64::from(a.abs_diff(*b));
                        count += 1.0;
                    }
                }
                (sum, sum / count.max(1.0))
            };
            let (total, _) = change(&|_| true);
            let (inside, _) = change(&|i| all.pixels[i]);
            assert!(inside > 0.75 * total, "{}: {inside} of {total}", m.id);
            for lesion in &m.lesions {
                let mask = rasterise(&lesion.outlines, frame, m.width, m.height);
                let (_, mean) = change(&|i| mask.pixels[i]);
                assert!(mean > 0.2, "{} {:?}: {mean}", m.id, lesion.terms);
                kinds.insert(lesion.terms[0].clone());
            }
        }
        assert!(kinds.len() >= 2, "{kinds:?}");
    }

    #[test]
    fn breast_is_clearly_brighter_than_film() {
        let phantom = Phantom::new(3, 300, 2);
        for m in catalogue(&phantom) {
            let (number, projection) = phantom.find(&m.id).unwrap();
            let patient = Patient::new(2, number);
            let anatomy = patient.anatomy(projection);
            let image = phantom.image(&m).unwrap();
            assert_eq!((image.width, image.height), (m.width, m.height));
            let scale = m.height as f32 / FILM_HEIGHT;
            let (mut dim, mut breast) = (0, 0);
            let mut bright = 0;
            for y in 0..m.height {
                // Short of the marker and the collimator's edge.
                for x in 0..m.width * 7 / 10 {
                    let p = [(x as f32 + 0.5) / scale, (y as f32 + 0.5) / scale];
                    let column = match projection.side {
                        Laterality::Left => x,
                        Laterality::Right => m.width - 1 - x,
                    };
                    let grey = image.at(column, y);
                    let distance = anatomy.skin_distance(p);
                    if distance > 3.0 {
                        breast += 1;
                        dim += u32::from(grey < 35);
                    } else if distance < -8.0 {
                        bright += u32::from(grey > 25);
                    }
                }
            }
            assert!(breast > 10_000, "{}", m.id);
            assert!(dim * 200 < breast, "{}: {dim} of {breast}", m.id);
            assert!(bright < 40, "{}: {bright}", m.id);
        }
    }

    #[test]
    fn odd_parameters_give_an_answer_or_a_message() {
        assert!(catalogue(&Phantom::new(0, 900, 1)).is_empty());
        for height in [64, 65, 97] {
            let phantom = Phantom::new(3, height, u64::MAX);
            for m in catalogue(&phantom) {
                let image = phantom.image(&m).unwrap();
                assert_eq!((image.width, image.height), (m.width, m.height));
                assert_eq!(image.pixels.len(), (m.width * m.height) as usize);
            }
        }
        for height in [0, 1, 63, u32::MAX] {
            let message = format!("{:#}", Phantom::new(1, height, 1).mammograms().unwrap_err());
            assert!(message.contains("from 64 to 8192"), "{message}");
        }
        let phantom = Phantom::new(1, 100, 1);
        let mut m = catalogue(&phantom).remove(0);
        for id in ["", "P", "P0002_LEFT_CC", "P0000_LEFT_CC", "P1_LEFT_CC", "P0001_LEFT_XX"] {
            m.id = id.into();
            assert!(phantom.image(&m).is_err(), "{id}");
        }
    }
}
