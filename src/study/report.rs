//! The numbers of a study in words: a paragraph for the methods and results of a paper, and a summary
//! for the terminal.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::automatic::Comparison;
use super::consensus::NO_CATEGORY;
use super::statistics::{Agreement, Progress, Statistics};
use agreement::{Coefficient, Estimate, RESAMPLES};
use base::number::grouped;
use base::{Columns, Side, counted};

/// `0.61 (95% interval 0.40 to 0.78)`.
pub fn number(estimate: Option<Estimate>) -> String {
    match estimate {
        Some(Estimate::Value { value, interval: Some([low, high]) }) => {
            format!("{} (95% interval {} to {})", round(value), round(low), round(high))
        }
        Some(Estimate::Value { value, interval: None }) => {
            format!("{} (no interval: the units differ too little)", round(value))
        }
        Some(Estimate::Undefined(reason)) => format!("undefined ({reason})"),
        None => "not computed".to_owned(),
    }
}

/// Two decimals, with a minus sign that is one.
pub fn round(value: f64) -> String {
    base::number::written(format_args!("{value:.2}")).replace('-', "\u{2212}")
}

/// `87%`.
fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "n/a".to_owned(), |value| format!("{:.0}%", 100.0 * value))
}

fn share(part: usize, whole: usize) -> String {
    match whole {
        0 => "none".to_owned(),
        _ => format!("{part} of {whole} ({:.0}%)", 100.0 * part as f64 / whole as f64),
    }
}

/// Sentences that can stand in a paper, with this study's numbers. `lexicon` is the name of the
/// lexicon that the readers worked with.
pub fn paragraph(
    statistics: &Statistics,
    comparison: Option<&Comparison>,
    lexicon: &str,
) -> String {
    let s = statistics;
    let Some(all) = s.progress.last().filter(|all| all.answered > 0) else {
        return String::new();
    };
    let mut text = String::new();
    let mut say = |sentence: String| {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&sentence);
    };
    say(format!(
        "{} described {} of {} ({}) in {}; {} by two readers or more.",
        capital(&counted(s.readers.len(), "reader", "readers")),
        counted(s.units, "unit", "units"),
        counted(s.networks.len(), "network", "networks"),
        s.networks.join(", "),
        counted(all.answered, "answer", "answers"),
        if s.shared == 1 {
            "1 unit was answered".to_owned()
        } else {
            format!("{} units were answered", s.shared)
        },
    ));
    say(format!(
        "Something recognisable was seen in {} answers; of the answers that describe something, {} name \
         several patterns and {} one that is associated with breast cancer.",
        share(all.recognizable, all.answered),
        share(all.entangled, all.described),
        share(all.malignant, all.described),
    ));
    say(format!(
        "Patterns were coded in terms of {lexicon} and of anatomy by the readers{}.",
        if s.suggested == 0 {
            String::new()
        } else {
            format!(
                "; for {} descriptions without chosen terms they were derived from the words by \
                 synonym matching with negation",
                share(s.suggested, s.phenomena)
            )
        }
    ));
    if s.readers.len() > 1 && s.shared > 0 {
        if let Some(q) = s.questions.iter().find(|q| q.id == "recognizable") {
            say(format!("On whether a unit is recognisable, {}.", agreed(q)));
        }
        if let Some(q) = s.questions.iter().find(|q| q.id == "malignant" && q.units > 0) {
            say(format!("On its association with breast cancer, {}.", agreed(q)));
        }
        if let Some(q) = s.sets.iter().find(|q| q.id == "terms_masi") {
            say(format!(
                "On the terms of a unit taken as a set, Krippendorff\u{2019}s alpha with the MASI \
                 distance was {}.",
                number(q.of(Coefficient::Alpha))
            ));
        }
        let kappas: Vec<(f64, &str)> = s
            .categories
            .iter()
            .filter(|c| c.id != NO_CATEGORY)
            .filter_map(|c| Some((c.of(Coefficient::Fleiss)?.value()?, c.name.as_str())))
            .collect();
        let least = kappas.iter().min_by(|a, b| a.0.total_cmp(&b.0));
        let most = kappas.iter().max_by(|a, b| a.0.total_cmp(&b.0));
        if let (Some(least), Some(most)) = (least, most)
            && kappas.len() > 1
        {
            let none = s.categories.iter().find(|c| c.id == NO_CATEGORY);
            let apart = none.and_then(|c| Some((c.of(Coefficient::Fleiss)?.value()?, &c.name)));
            say(format!(
                "By category, Fleiss\u{2019} kappa ranged from {} ({}) to {} ({}){}.",
                round(least.0),
                least.1,
                round(most.0),
                most.1,
                apart.map_or_else(String::new, |(kappa, name)| format!(
                    "; on patterns with {name} it was {}",
                    round(kappa)
                ))
            ));
        }
    }
    if let Some(repeats) = s.repeats.last() {
        let who = match &repeats.reader {
            Some(_) => "One reader",
            None => "The readers",
        };
        let kappa = |id: &str| {
            repeats.agreement.iter().find(|a| a.id == id).and_then(|a| a.of(Coefficient::Cohen))
        };
        say(format!(
            "{who} answered {} a second time: with themselves they agreed with a Cohen\u{2019}s kappa \
             of {} on whether it is recognisable and of {} on its association with breast cancer.",
            counted(repeats.units, "unit", "units"),
            number(kappa("recognizable")),
            number(kappa("malignant")),
        ));
    }
    if let Some(c) = comparison.filter(|c| c.both > 0) {
        say(format!(
            "Of {} with both an expert label and a lexicon term whose outlines the unit detects beyond \
             chance (permutation test, p \u{2264} 0.05 corrected for all concepts), the label named that term in \
             {} and that term or another of its category in {}.",
            counted(c.both, "unit", "units"),
            share(c.same_term, c.both),
            share(c.same_category, c.both),
        ));
    }
    if s.readers.len() > 1 || !s.repeats.is_empty() {
        say(format!(
            "Intervals are percentile bootstrap intervals over units ({RESAMPLES} draws). Coefficients \
             allow for missing answers; where all answers are the same, alpha and kappa are undefined, and \
             not reported as 0 or 1."
        ));
    }
    text
}

/// `the readers agreed in 87% of pairs (Krippendorff's alpha 0.61 …)`.
fn agreed(agreement: &Agreement) -> String {
    let value = |coefficient| agreement.of(coefficient).and_then(|estimate| estimate.value());
    format!(
        "pairs of readers agreed in {} of {} (Krippendorff\u{2019}s alpha {}; Fleiss\u{2019} kappa {}; \
         Gwet\u{2019}s AC1 {})",
        percent(value(Coefficient::Percent)),
        counted(agreement.units, "unit", "units"),
        number(agreement.of(Coefficient::Alpha)),
        value(Coefficient::Fleiss).map_or_else(|| "undefined".to_owned(), round),
        value(Coefficient::Ac1).map_or_else(|| "undefined".to_owned(), round),
    )
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// The numbers as lines for a terminal.
pub fn summary(statistics: &Statistics) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = summarise(statistics, &mut text);
    text
}

fn summarise(s: &Statistics, text: &mut String) -> std::fmt::Result {
    let counts = [
        "answers",
        "recognisable",
        "not",
        "unsure",
        "single",
        "entangled",
        "with cancer",
        "repeated",
    ];
    let words = [("reader", Side::Left), ("network", Side::Left)];
    let mut table = Columns::new(words.into_iter().chain(counts.map(|count| (count, Side::Right))));
    // Of one network, or one reader, the sum over all says the same again.
    let (one_network, one_reader) = (s.networks.len() == 1, s.readers.len() == 1);
    let again = |row: &&Progress| {
        (one_network && row.network.is_none()) || (one_reader && row.reader.is_none())
    };
    let (sums, rows): (Vec<_>, Vec<_>) = s.progress.iter().partition(again);
    let rows = if rows.is_empty() { sums } else { rows };
    for row in rows {
        let numbers = [
            row.answered,
            row.recognizable,
            row.unrecognizable,
            row.unsure,
            row.single,
            row.entangled,
            row.malignant,
            row.repeated,
        ];
        let who = [row.reader.as_deref().unwrap_or("all"), row.network.as_deref().unwrap_or("all")];
        table.push(who.map(String::from).into_iter().chain(numbers.map(grouped)));
    }
    writeln!(text, "Answers")?;
    written(&table, text)?;
    if s.suggested > 0 {
        let n = share(s.suggested, s.phenomena);
        writeln!(text, "  terms suggested from the words, none chosen: {n} patterns")?;
    }
    for (title, list) in [
        ("Agreement of the readers", &s.questions),
        ("On whole sets", &s.sets),
        ("By category", &s.categories),
        ("By term", &s.terms),
    ] {
        if s.shared > 0 && !list.is_empty() {
            writeln!(text, "\n{title}")?;
            agreements(list, text)?;
        }
    }
    for repeats in &s.repeats {
        let who = repeats.reader.as_deref().unwrap_or("all readers");
        writeln!(text, "\n{who} with themselves, {} units", repeats.units)?;
        agreements(&repeats.agreement, text)?;
    }
    Ok(())
}

fn written(table: &Columns, text: &mut String) -> std::fmt::Result {
    table.lines().try_for_each(|line| writeln!(text, "{line}"))
}

/// A row for each, with its interval where it has one; a dash where a coefficient is undefined, and why below.
fn agreements(list: &[Agreement], text: &mut String) -> std::fmt::Result {
    let Some(first) = list.first() else { return Ok(()) };
    let coefficients =
        first.estimates.iter().map(|(coefficient, _)| (coefficient.name(), Side::Left));
    let words = [("of", Side::Left), ("units", Side::Right)];
    let mut table = Columns::new(words.into_iter().chain(coefficients));
    let mut reasons = BTreeSet::new();
    for agreement in list {
        let cells =
            first.estimates.iter().map(|(coefficient, _)| match agreement.of(*coefficient) {
                Some(Estimate::Value { value, interval: Some([low, high]) }) => {
                    format!("{} ({} to {})", round(value), round(low), round(high))
                }
                Some(Estimate::Value { value, interval: None }) => round(value),
                Some(Estimate::Undefined(reason)) => {
                    reasons.insert(reason.to_string());
                    "–".to_owned()
                }
                None => String::new(),
            });
        table.push([agreement.name.clone(), grouped(agreement.units)].into_iter().chain(cells));
    }
    written(&table, text)?;
    match reasons.is_empty() {
        true => Ok(()),
        false => {
            let reasons: Vec<String> = reasons.into_iter().collect();
            writeln!(text, "  –: undefined ({})", reasons.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agreement::Undefined;

    #[test]
    fn numbers_read_as_in_a_paper() {
        let estimate = |value, interval| Some(Estimate::Value { value, interval });
        assert_eq!(
            number(estimate(0.614, Some([-0.1, 0.8]))),
            "0.61 (95% interval \u{2212}0.10 to 0.80)"
        );
        assert_eq!(number(estimate(1.0, None)), "1.00 (no interval: the units differ too little)");
        assert_eq!(round(-0.001), "0.00");
        assert_eq!(
            number(Some(Estimate::Undefined(Undefined::NoVariation))),
            "undefined (all answers the same)"
        );
    }
}
