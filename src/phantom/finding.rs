//! What a lesion is, in BI-RADS terms, and the rule by which malignancy follows from the terms.
//!
//! The rule is a score in the spirit of BI-RADS (5th edition): each descriptor adds points for the
//! suspicion that the atlas attaches to it, and a lesion is malignant from
//! [`Finding::MALIGNANT_FROM`] points on. It is a convention of the phantoms, not a clinical one.
//!
//! | mass | points |
//! |---|---|
//! | shape irregular | 2 |
//! | margin obscured 1, microlobulated 2, indistinct 3, spiculated | 4 |
//! | density high | 1 |
//!
//! | calcifications | points |
//! |---|---|
//! | amorphous or coarse heterogeneous 2, fine pleomorphic 3, fine linear | 4 |
//! | distribution grouped 1, linear or segmental | 2 |
//!
//! Every other descriptor adds nothing. Architectural distortion scores 4.

use super::dice::Dice;
use mammogram::Pathology;

macro_rules! descriptor {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $term:literal, $points:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum $name { $($variant),* }

        impl $name {
            /// Every variant.
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$variant),*];

            /// Id in the lexicon.
            pub(super) fn term(self) -> &'static str {
                match self { $(Self::$variant => $term),* }
            }

            /// Points of suspicion.
            pub(super) fn points(self) -> u32 {
                match self { $(Self::$variant => $points),* }
            }
        }
    };
}

descriptor!(
    /// Shape of a mass.
    Shape {
        Oval = "shape-oval", 0;
        Round = "shape-round", 0;
        Irregular = "shape-irregular", 2;
    }
);

descriptor!(
    /// Margin of a mass.
    Margin {
        Circumscribed = "margin-circumscribed", 0;
        Obscured = "margin-obscured", 1;
        Microlobulated = "margin-microlobulated", 2;
        Indistinct = "margin-indistinct", 3;
        Spiculated = "margin-spiculated", 4;
    }
);

descriptor!(
    /// Density of a mass against as much fibroglandular tissue.
    Density {
        Low = "density-low", 0;
        Equal = "density-equal", 0;
        High = "density-high", 1;
    }
);

descriptor!(
    /// Morphology of calcifications.
    Morphology {
        Round = "calc-round", 0;
        Coarse = "calc-coarse", 0;
        Rim = "calc-rim", 0;
        Vascular = "calc-vascular", 0;
        Rod = "calc-rod", 0;
        Amorphous = "calc-amorphous", 2;
        CoarseHeterogeneous = "calc-coarse-heterogeneous", 2;
        FinePleomorphic = "calc-fine-pleomorphic", 3;
        FineLinear = "calc-fine-linear", 4;
    }
);

descriptor!(
    /// Distribution of calcifications.
    Distribution {
        Diffuse = "distribution-diffuse", 0;
        Regional = "distribution-regional", 0;
        Grouped = "distribution-grouped", 1;
        Linear = "distribution-linear", 2;
        Segmental = "distribution-segmental", 2;
    }
);

/// What a lesion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// A space-occupying lesion seen in two projections.
    Mass(Shape, Margin, Density),
    /// A set of calcifications.
    Calcifications(Morphology, Distribution),
    /// Strands that radiate from a point without a mass.
    ArchitecturalDistortion,
}

impl Finding {
    /// The score from which a lesion is malignant.
    pub(super) const MALIGNANT_FROM: u32 = 4;

    /// Points of suspicion.
    pub(super) fn points(self) -> u32 {
        match self {
            Finding::Mass(shape, margin, density) => {
                shape.points() + margin.points() + density.points()
            }
            Finding::Calcifications(morphology, distribution) => {
                // Typically benign forms stay benign wherever they lie.
                match morphology.points() {
                    0 => 0,
                    points => points + distribution.points(),
                }
            }
            Finding::ArchitecturalDistortion => 4,
        }
    }

    /// What the rule makes of the points.
    pub(super) fn pathology(self) -> Pathology {
        if self.points() >= Self::MALIGNANT_FROM { Pathology::Malignant } else { Pathology::Benign }
    }

    /// Term ids, most general first.
    pub(super) fn terms(self) -> Vec<String> {
        let terms: Vec<&str> = match self {
            Finding::Mass(shape, margin, density) => {
                vec!["mass", shape.term(), margin.term(), density.term()]
            }
            Finding::Calcifications(morphology, distribution) => {
                vec!["calcifications", morphology.term(), distribution.term()]
            }
            Finding::ArchitecturalDistortion => vec!["architectural-distortion"],
        };
        terms.into_iter().map(String::from).collect()
    }

    /// A short description, such as `irregular mass, spiculated, high density`.
    pub(super) fn words(self) -> String {
        let name = |term: &'static str| {
            term.split_once('-').map_or(term, |(_, name)| name).replace('-', " ")
        };
        match self {
            Finding::Mass(shape, margin, density) => format!(
                "{} mass, {}, {} density",
                name(shape.term()),
                name(margin.term()),
                name(density.term())
            ),
            Finding::Calcifications(morphology, distribution) => {
                format!("{} calcifications, {}", name(morphology.term()), name(distribution.term()))
            }
            Finding::ArchitecturalDistortion => "architectural distortion".into(),
        }
    }

    /// A finding that the rule gives the wanted pathology (malignant or benign).
    pub(super) fn sample(pathology: Pathology, dice: &mut Dice) -> Self {
        loop {
            let finding = Self::any(dice);
            if finding.pathology() == pathology {
                return finding;
            }
        }
    }

    fn any(dice: &mut Dice) -> Self {
        match dice.unit() {
            x if x < 0.62 => {
                let shape =
                    dice.pick(&[(3.0, Shape::Oval), (2.0, Shape::Round), (4.0, Shape::Irregular)]);
                let margin = dice.pick(&[
                    (4.0, Margin::Circumscribed),
                    (2.0, Margin::Obscured),
                    (1.5, Margin::Microlobulated),
                    (2.0, Margin::Indistinct),
                    (4.0, Margin::Spiculated),
                ]);
                let density =
                    dice.pick(&[(1.0, Density::Low), (3.0, Density::Equal), (3.0, Density::High)]);
                Finding::Mass(shape, margin, density)
            }
            x if x < 0.94 => {
                let morphology = dice.pick(&[
                    (2.0, Morphology::Round),
                    (1.5, Morphology::Coarse),
                    (1.0, Morphology::Rim),
                    (1.0, Morphology::Vascular),
                    (1.0, Morphology::Rod),
                    (1.5, Morphology::Amorphous),
                    (1.5, Morphology::CoarseHeterogeneous),
                    (3.0, Morphology::FinePleomorphic),
                    (3.0, Morphology::FineLinear),
                ]);
                let distribution = match morphology {
                    Morphology::Vascular => Distribution::Linear,
                    _ => dice.pick(&[
                        (0.4, Distribution::Diffuse),
                        (1.0, Distribution::Regional),
                        (5.0, Distribution::Grouped),
                        (1.5, Distribution::Linear),
                        (1.5, Distribution::Segmental),
                    ]),
                };
                Finding::Calcifications(morphology, distribution)
            }
            _ => Finding::ArchitecturalDistortion,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dice::Subject;
    use super::*;

    #[test]
    fn malignancy_follows_the_documented_points() {
        use Finding::{ArchitecturalDistortion, Calcifications, Mass};
        let malignant = [
            Mass(Shape::Oval, Margin::Spiculated, Density::Low),
            Mass(Shape::Irregular, Margin::Indistinct, Density::Equal),
            Mass(Shape::Irregular, Margin::Microlobulated, Density::Low),
            Mass(Shape::Round, Margin::Indistinct, Density::High),
            Calcifications(Morphology::FineLinear, Distribution::Diffuse),
            Calcifications(Morphology::FinePleomorphic, Distribution::Grouped),
            Calcifications(Morphology::Amorphous, Distribution::Segmental),
            ArchitecturalDistortion,
        ];
        let benign = [
            Mass(Shape::Oval, Margin::Circumscribed, Density::High),
            Mass(Shape::Irregular, Margin::Circumscribed, Density::High),
            Mass(Shape::Round, Margin::Indistinct, Density::Equal),
            Mass(Shape::Oval, Margin::Microlobulated, Density::High),
            Mass(Shape::Irregular, Margin::Obscured, Density::Equal),
            Calcifications(Morphology::Rod, Distribution::Segmental),
            Calcifications(Morphology::Vascular, Distribution::Linear),
            Calcifications(Morphology::Amorphous, Distribution::Grouped),
            Calcifications(Morphology::FinePleomorphic, Distribution::Regional),
        ];
        for finding in malignant {
            assert_eq!(finding.pathology(), Pathology::Malignant, "{finding:?}");
        }
        for finding in benign {
            assert_eq!(finding.pathology(), Pathology::Benign, "{finding:?}");
        }
        for &morphology in &Morphology::ALL[..5] {
            for &distribution in Distribution::ALL {
                assert_eq!(Calcifications(morphology, distribution).pathology(), Pathology::Benign);
            }
        }
    }

    #[test]
    fn sampling_obeys_the_rule_and_uses_every_descriptor() {
        let mut dice = Dice::new(1, 1, Subject::Patient);
        let mut seen = std::collections::BTreeSet::new();
        for pathology in [Pathology::Malignant, Pathology::Benign] {
            for _ in 0..3000 {
                let finding = Finding::sample(pathology, &mut dice);
                assert_eq!(finding.pathology(), pathology);
                seen.extend(finding.terms());
            }
        }
        let all = Shape::ALL.len()
            + Margin::ALL.len()
            + Density::ALL.len()
            + Morphology::ALL.len()
            + Distribution::ALL.len()
            + 3;
        assert_eq!(seen.len(), all, "{seen:?}");
    }

    #[test]
    fn words_read_as_a_reader_would_say_it() {
        let mass = Finding::Mass(Shape::Irregular, Margin::Spiculated, Density::High);
        assert_eq!(mass.words(), "irregular mass, spiculated, high density");
        let calcs = Finding::Calcifications(Morphology::FineLinear, Distribution::Segmental);
        assert_eq!(calcs.words(), "fine linear calcifications, segmental");
    }
}
