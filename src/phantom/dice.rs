//! Seeded randomness: one independent ChaCha stream per thing that is drawn, so that no thing
//! depends on how often another one rolled.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a stream of random numbers is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject {
    /// The patient: habitus, composition, findings.
    Patient,
    /// Anatomy of one view (0 to 3).
    Anatomy(u8),
    /// Parenchymal texture of one view.
    Texture(u8),
    /// Strands, vessels, nodes of one view.
    Structures(u8),
    /// Film, grain and marker of one view.
    Film(u8),
    /// Shape of a lesion (by number within the patient) in one view.
    Form(u16, u8),
    /// Pixels of a lesion in one view.
    Drawing(u16, u8),
}

impl Subject {
    /// A number below 2^32 that no other subject has.
    fn code(self) -> u64 {
        let (kind, item, view) = match self {
            Subject::Patient => (0, 0, 0),
            Subject::Anatomy(view) => (1, 0, view),
            Subject::Texture(view) => (2, 0, view),
            Subject::Structures(view) => (3, 0, view),
            Subject::Film(view) => (4, 0, view),
            Subject::Form(item, view) => (5, item, view),
            Subject::Drawing(item, view) => (6, item, view),
        };
        u64::from(item) << 16 | u64::from(view) << 8 | kind
    }
}

/// A stream of random numbers.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of `subject` of a patient under a seed.
    pub(super) fn new(seed: u64, patient: u32, subject: Subject) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(patient) << 32 | subject.code());
        Self(rng)
    }

    /// Uniform in [0, 1).
    pub(super) fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// Uniform in [low, high).
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// An angle in [0, 2 pi).
    pub(super) fn angle(&mut self) -> f32 {
        self.between(0.0, std::f32::consts::TAU)
    }

    /// A whole number from `low` to `high`, both possible.
    pub(super) fn count(&mut self, low: u32, high: u32) -> u32 {
        self.0.random_range(low..=high)
    }

    /// True with probability `p`.
    pub(super) fn chance(&mut self, p: f32) -> bool {
        self.unit() < p
    }

    /// One of `choices` in proportion to its weight.
    ///
    /// # Panics
    /// Without choices.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[(f32, T)]) -> T {
        let total: f32 = choices.iter().map(|&(weight, _)| weight).sum();
        let mut rest = self.unit() * total;
        for &(weight, choice) in choices {
            rest -= weight;
            if rest < 0.0 {
                return choice;
            }
        }
        choices[choices.len() - 1].1
    }

    /// `count` random bytes.
    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}
