//! One patient: composition, the breasts of four views, and lesions placed in both views of theirs.

use super::anatomy::{Anatomy, Habitus, Point, Projection, add, length, scaled, sub, unit};
use super::dice::{Dice, Subject};
use super::finding::{Distribution, Finding};
use super::form::Form;
use super::lesion::{outline_factor, radius_range};
use mammogram::{Laterality, Pathology, View};

/// Breast composition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Composition {
    /// Almost entirely fatty.
    A,
    /// Scattered fibroglandular density.
    B,
    /// Heterogeneously dense.
    C,
    /// Extremely dense.
    D,
}

impl Composition {
    /// Id in the lexicon.
    pub(super) fn term(self) -> &'static str {
        match self {
            Composition::A => "composition-a",
            Composition::B => "composition-b",
            Composition::C => "composition-c",
            Composition::D => "composition-d",
        }
    }
}

/// A lesion in one breast.
#[derive(Debug, Clone)]
pub(super) struct Tumour {
    /// Number within the patient.
    pub(super) number: u16,
    /// Which breast.
    pub(super) side: Laterality,
    /// What it is.
    pub(super) finding: Finding,
    /// Its shape in the CC and in the MLO view.
    forms: [Form; 2],
}

impl Tumour {
    /// Its shape in a view.
    pub(super) fn form(&self, view: View) -> &Form {
        &self.forms[usize::from(view == View::Mlo)]
    }

    /// Its annotated boundary in a view, in millimetres.
    pub(super) fn outline(&self, view: View) -> Vec<Point> {
        self.form(view).boundary(outline_factor(self.finding))
    }
}

/// Everything that is decided before a pixel is drawn.
#[derive(Debug, Clone)]
pub(super) struct Patient {
    /// From 1.
    pub(super) number: u32,
    /// Of both breasts.
    pub(super) composition: Composition,
    /// In the order of [`Projection::ALL`].
    anatomies: [Anatomy; 4],
    /// In the order of their numbers.
    pub(super) tumours: Vec<Tumour>,
}

impl Patient {
    /// Patient `number` of the phantoms under `seed`.
    pub(super) fn new(seed: u64, number: u32) -> Self {
        let mut dice = Dice::new(seed, number, Subject::Patient);
        let composition = dice.pick(&[
            (3.0, Composition::A),
            (4.0, Composition::B),
            (3.0, Composition::C),
            (1.5, Composition::D),
        ]);
        let habitus = Habitus::sample(&mut dice);
        let anatomies =
            Projection::ALL.map(|projection| Anatomy::new(seed, number, &habitus, projection));
        let mut patient = Self { number, composition, anatomies, tumours: Vec::new() };
        // Enriched as reader studies are; several lesions in a breast give a benign one beside a
        // malignant one.
        let (malignant, benign) = match dice.unit() {
            x if x < 0.48 => {
                let malignant = dice.pick(&[(5.0, 1), (3.5, 2), (1.5, 3)]);
                (malignant, dice.pick(&[(5.0, 0), (4.0, 1), (1.0, 2)]))
            }
            x if x < 0.82 => (0, dice.pick(&[(5.0, 1), (3.0, 2), (2.0, 3)])),
            _ => (0, 0),
        };
        let affected = if dice.chance(0.5) { Laterality::Left } else { Laterality::Right };
        for i in 0..malignant + benign {
            let pathology = if i < malignant { Pathology::Malignant } else { Pathology::Benign };
            let other =
                if affected == Laterality::Left { Laterality::Right } else { Laterality::Left };
            let side = if dice.chance(0.65) { affected } else { other };
            let finding = Finding::sample(pathology, &mut dice);
            patient.place(seed, i as u16, side, finding, &mut dice);
        }
        patient
    }

    /// The breast of one view.
    pub(super) fn anatomy(&self, projection: Projection) -> &Anatomy {
        &self.anatomies[usize::from(projection.number())]
    }

    /// Puts a lesion where it fits in both views, at the same depth behind the nipple; a lesion that
    /// fits nowhere is left out.
    fn place(
        &mut self,
        seed: u64,
        number: u16,
        side: Laterality,
        finding: Finding,
        dice: &mut Dice,
    ) {
        let views = [View::Cc, View::Mlo].map(|view| Projection { side, view });
        let depth = views.map(|p| self.anatomy(p).depth);
        let shallower = depth[0].min(depth[1]);
        let (low, high) = radius_range(finding);
        // A scattered finding may come close to the skin.
        let skin = match finding {
            Finding::Calcifications(_, Distribution::Diffuse | Distribution::Regional) => 3.0,
            _ => 5.0,
        };
        for attempt in 0..80u32 {
            let radius = dice.between(low, high) * if attempt < 40 { 1.0 } else { 0.75 };
            let behind = dice.between(0.15, 0.88) * shallower;
            let forms = views.map(|projection| {
                let anatomy = self.anatomy(projection);
                let aside = dice.between(-0.62, 0.62) * anatomy.half_width;
                let centre = add(anatomy.along(behind), scaled(anatomy.across(), aside));
                let mut shaping =
                    Dice::new(seed, self.number, Subject::Form(number, projection.number()));
                let size = radius * shaping.between(0.92, 1.08);
                Form::new(finding, centre, size, anatomy.nipple, &mut shaping)
            });
            let fits = views.iter().zip(&forms).all(|(&projection, form)| {
                let boundary = form.boundary(outline_factor(finding));
                self.anatomy(projection).holds(&boundary, skin, 2.0)
                    && self.tumours.iter().filter(|t| t.side == side).all(|t| {
                        let other = t.form(projection.view);
                        let apart = length(sub(other.centre, form.centre));
                        apart > other.extent() + form.extent() + 2.0
                    })
            });
            if fits {
                self.tumours.push(Tumour { number, side, finding, forms });
                return;
            }
        }
    }

    /// Direction from a point to the nipple, for what follows the ducts.
    pub(super) fn ductal(&self, projection: Projection, p: Point) -> Point {
        unit(sub(self.anatomy(projection).nipple, p))
    }
}
