//! An explanation in plain words.

use record::explanation::Explained;

use super::name::{Name, Source};
use super::pointing::Verdict;

/// Names told of in a sentence.
const TOLD: usize = 3;
/// The least share of the evidence that a name is told of for, besides the first.
const LEAST: f32 = 0.01;

/// Shares of a mammogram's evidence by who named the units that carry it, in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Carried {
    /// By units that people named.
    pub people: f32,
    /// By units that a machine named.
    pub machine: f32,
    /// By units with an automatic name.
    pub automatic: f32,
}

/// Who named the units that carry a mammogram's evidence; `named` is what the unit of a number is called.
pub fn carried<'n>(explained: &Explained, named: impl Fn(u32) -> Option<&'n Name>) -> Carried {
    let mut carried = Carried::default();
    for &(unit, contribution) in explained.positive.iter().filter(|_| explained.evidence > 0.0) {
        match named(unit) {
            Some(name) if name.is_by_people() => carried.people += contribution,
            Some(Name::Machine { .. }) => carried.machine += contribution,
            Some(Name::Automatic { .. }) => carried.automatic += contribution,
            _ => {}
        }
    }
    let share = |part: f32| if part > 0.0 { part / explained.evidence } else { 0.0 };
    Carried {
        people: share(carried.people),
        machine: share(carried.machine),
        automatic: share(carried.automatic),
    }
}

/// What is evidence for cancer, hedged by how much of it has a name, and by whose. `verdict` is told where
/// the truth is known.
pub fn sentence<'n>(
    explained: &Explained,
    named: impl Fn(u32) -> Option<&'n Name>,
    verdict: Option<Verdict>,
) -> String {
    let score = match verdict {
        Some(verdict) => {
            format!("Probability of cancer {:.2}: {}.", explained.probability, verdict.words())
        }
        None => format!("Probability of cancer {:.2}.", explained.probability),
    };
    if explained.evidence <= 0.0 {
        return format!("{score} No unit contributes to cancer.");
    }
    let percent = |share: f32| format!("{:.0}%", 100.0 * share);
    // Units of one name are told of together, each giver's apart.
    let mut told: Vec<(String, &str, f32)> = Vec::new();
    for &(unit, contribution) in &explained.positive {
        let Some(name) = named(unit) else { continue };
        let Some(words) = name.in_sentence() else { continue };
        let by = match name.source() {
            Source::Machine => "a machine\u{2019}s name, ",
            Source::Automatic => "automatic name, ",
            _ => "",
        };
        match told.iter_mut().find(|told| told.0 == words && told.1 == by) {
            Some((.., sum)) => *sum += contribution,
            None => told.push((words, by, contribution)),
        }
    }
    told.sort_by(|a, b| b.2.total_cmp(&a.2));
    let first = told.first().map_or(0.0, |told| told.2);
    told.retain(|told| told.2 >= first.min(LEAST * explained.evidence));
    let names: Vec<String> = told
        .iter()
        .take(TOLD)
        .map(|(words, by, sum)| {
            format!(
                "\u{201c}{words}\u{201d} ({by}{} of the evidence)",
                percent(sum / explained.evidence)
            )
        })
        .collect();
    let Carried { people, machine, automatic } = carried(explained, &named);
    let most = match names.split_last() {
        None => return format!("{score} None of the units that contribute to it has a name."),
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
    };
    let nobody = "Nobody has named any of these units; ";
    let shares = [
        ("units that people named", people),
        ("names by a machine", machine),
        ("automatic names, from the outlines,", automatic),
    ];
    let shares = shares.into_iter().filter(|(_, share)| *share > 0.0).enumerate();
    let each = shares.map(|(at, (whose, share))| match (at, people > 0.0) {
        (0, true) => format!("U{} account for {} of the evidence", &whose[1..], percent(share)),
        (0, false) => format!("{nobody}{whose} account for {} of the evidence", percent(share)),
        _ => format!("{whose} for {}", percent(share)),
    });
    let by = each.collect::<Vec<_>>().join(", ");
    format!("{score} Most of what has a name: {most}. {by}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pointing::Place;
    use record::explanation::Part;

    fn explained(contributions: &[f32]) -> Explained {
        let part = |(at, &contribution): (usize, &f32)| Part {
            unit: at as u32 + 1,
            contribution,
            adds: vec![-contribution / 2.0, contribution / 2.0],
            without: None,
            score: 1.0,
            overlay: String::new(),
            inside: None,
        };
        Explained {
            mammogram: 0,
            patch: 0,
            probability: 0.914,
            logits: vec![-0.5, 0.5],
            margin: 1.0,
            rest: 0.0,
            evidence: 10.0,
            lesions: None,
            units: contributions.iter().enumerate().map(part).collect(),
            positive: (1..).zip(contributions.iter().copied()).collect(),
        }
    }

    fn settled(words: &str) -> Name {
        Name::Consensus(words.into())
    }

    fn automatic(words: &str) -> Name {
        Name::Automatic { concept: words.into(), words: words.into(), iou: 0.2 }
    }

    #[test]
    fn units_of_one_name_are_told_together_and_the_rest_is_owned_up_to() {
        let (mass, specks) = (settled("spiculated mass"), settled("calcifications"));
        let named = |unit: u32| match unit {
            1 | 3 => Some(&mass),
            4 => Some(&specks),
            _ => None,
        };
        let told = sentence(&explained(&[3.0, 2.5, 2.0, 1.2]), named, None);
        assert_eq!(
            told,
            "Probability of cancer 0.91. Most of what has a name: “spiculated mass” (50% of the evidence) \
             and “calcifications” (12% of the evidence). Units that people named account for 62% of the \
             evidence."
        );
        let shares = carried(&explained(&[3.0, 2.5, 2.0, 1.2]), named);
        assert!((shares.people - 0.62).abs() < 1e-6 && shares.automatic == 0.0);
    }

    #[test]
    fn automatic_names_speak_where_nobody_has_named_a_unit_and_say_so() {
        let (mass, same) = (settled("mass"), automatic("mass"));
        let nothing = Name::Unrecognizable { unrecognizable: 1, readers: 1 };
        let named = |unit: u32| match unit {
            1 => Some(&same),
            3 => Some(&mass),
            4 => Some(&nothing),
            _ => None,
        };
        let verdict = Verdict::HighCancer(Place::Benign);
        assert_eq!(
            sentence(&explained(&[3.0, 2.5, 2.0, 1.2]), named, Some(verdict)),
            "Probability of cancer 0.91: score high, but at a benign lesion. Most of what has a name: \
             “mass” (automatic name, 30% of the evidence) and “mass” (20% of the evidence). Units that \
             people named account for 20% of the evidence, automatic names, from the outlines, for 30%."
        );
        let told = sentence(&explained(&[3.0, 2.5]), |unit| (unit == 1).then_some(&same), None);
        assert!(
            told.ends_with(
                "Nobody has named any of these units; automatic names, from the outlines, account for \
                 30% of the evidence."
            ),
            "{told}"
        );
    }

    #[test]
    fn a_machines_names_are_told_as_such() {
        let by = "clip_vit_base_patch32".into();
        let machine = Name::Machine { term: "mass".into(), words: "mass".into(), by };
        let same = automatic("mass");
        let named = |unit: u32| match unit {
            1 => Some(&machine),
            3 => Some(&same),
            _ => None,
        };
        let told = sentence(&explained(&[3.0, 2.5, 2.0, 1.2]), named, None);
        assert!(
            told.ends_with(
                "\u{201c}mass\u{201d} (a machine\u{2019}s name, 30% of the evidence) and \u{201c}mass\u{201d} \
                 (automatic name, 20% of the evidence). Nobody has named any of these units; names by a machine \
                 account for 30% of the evidence, automatic names, from the outlines, for 20%."
            ),
            "{told}"
        );
    }

    #[test]
    fn without_names_or_evidence_nothing_is_claimed() {
        let nobody = |_: u32| None::<&Name>;
        assert!(sentence(&explained(&[3.0]), nobody, None).ends_with("has a name."));
        let nothing = Explained { evidence: 0.0, ..explained(&[]) };
        assert!(sentence(&nothing, nobody, None).ends_with("No unit contributes to cancer."));
        assert_eq!(carried(&nothing, nobody), Carried::default());
    }
}
