//! An explanation in plain words.

use record::explanation::Explained;

/// Units told of in a sentence.
const TOLD: usize = 3;

/// Share of a mammogram's evidence that units with a name carry, in [0, 1]; `named` is what the unit of a
/// number is called.
pub fn carried<'n>(explained: &Explained, named: impl Fn(u32) -> Option<&'n str>) -> f32 {
    if explained.evidence <= 0.0 {
        return 0.0;
    }
    let with_name = explained.positive.iter().filter(|(unit, _)| named(*unit).is_some());
    with_name.map(|(_, contribution)| contribution).sum::<f32>() / explained.evidence
}

/// What speaks for cancer, hedged by how much of it has a name.
pub fn sentence<'n>(explained: &Explained, named: impl Fn(u32) -> Option<&'n str>) -> String {
    let score = format!("Probability of cancer {:.2}.", explained.probability);
    if explained.evidence <= 0.0 {
        return format!("{score} No unit speaks for cancer.");
    }
    let share = |part: f32| format!("{:.0}%", 100.0 * part / explained.evidence);
    let mut told: Vec<(&str, f32)> = Vec::new();
    for &(unit, contribution) in &explained.positive {
        let Some(name) = named(unit) else { continue };
        // Units of one name speak together.
        match told.iter_mut().find(|(other, _)| *other == name) {
            Some((_, sum)) => *sum += contribution,
            None => told.push((name, contribution)),
        }
    }
    told.sort_by(|a, b| b.1.total_cmp(&a.1));
    let names: Vec<String> = told
        .iter()
        .take(TOLD)
        .map(|(name, sum)| format!("“{name}” ({} of the evidence)", share(*sum)))
        .collect();
    let total = 100.0 * carried(explained, &named);
    match names.split_last() {
        None => format!("{score} None of the units that speak for cancer has a name."),
        Some((last, [])) => {
            format!(
                "{score} Most of what has a name: {last}. Named units account for {total:.0}% of the evidence."
            )
        }
        Some((last, first)) => format!(
            "{score} Most of what has a name: {} and {last}. Named units account for {total:.0}% of the evidence.",
            first.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::explanation::Part;

    fn explained(contributions: &[f32]) -> Explained {
        let part = |(at, &contribution): (usize, &f32)| Part {
            unit: at as u32 + 1,
            contribution,
            score: 1.0,
            overlay: String::new(),
            inside: None,
        };
        Explained {
            mammogram: 0,
            patch: 0,
            probability: 0.914,
            margin: 1.0,
            rest: 0.0,
            evidence: 10.0,
            lesion: None,
            units: contributions.iter().enumerate().map(part).collect(),
            positive: (1..).zip(contributions.iter().copied()).collect(),
        }
    }

    #[test]
    fn units_of_one_name_speak_together_and_the_rest_is_owned_up_to() {
        let named = |unit: u32| match unit {
            1 | 3 => Some("spiculated mass"),
            4 => Some("calcifications"),
            _ => None,
        };
        let told = sentence(&explained(&[3.0, 2.5, 2.0, 1.2]), named);
        assert_eq!(
            told,
            "Probability of cancer 0.91. Most of what has a name: “spiculated mass” (50% of the evidence) \
             and “calcifications” (12% of the evidence). Named units account for 62% of the evidence."
        );
        assert!((carried(&explained(&[3.0, 2.5, 2.0, 1.2]), named) - 0.62).abs() < 1e-6);
    }

    #[test]
    fn without_names_or_evidence_nothing_is_claimed() {
        let nobody = |_: u32| None::<&str>;
        assert!(sentence(&explained(&[3.0]), nobody).ends_with("has a name."));
        let nothing = Explained { evidence: 0.0, ..explained(&[]) };
        assert!(sentence(&nothing, nobody).ends_with("No unit speaks for cancer."));
        assert_eq!(carried(&nothing, nobody), 0.0);
    }
}
