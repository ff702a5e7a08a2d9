//! DDSM's keywords (BI-RADS of the 1990s) as terms of the lexicon.
//!
//! The 5th edition has no lobulated masses (they are oval), calls clustered calcifications grouped
//! and joins eggshell with lucent-centred, punctate with round ones; DDSM's words are kept beside
//! the terms. A "mass" whose every shape is a distortion, an asymmetry, a duct or a node is none.

/// The lesion's kinds as lines of the overlay give them, in terms: most general first, each once.
/// `unknown` is told of the words that are no keyword.
pub(in crate::source) fn terms(lines: &[String], mut unknown: impl FnMut(&str)) -> Vec<String> {
    let mut terms: Vec<&str> = Vec::new();
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [kind, pairs @ ..] = &words[..] else { continue };
        let general = match *kind {
            "MASS" => "mass",
            "CALCIFICATION" => "calcifications",
            "OTHER" | "N/A" => continue,
            other => {
                unknown(other);
                continue;
            }
        };
        let (mut particular, mut masses, mut others) = (Vec::new(), 0, 0);
        let mut key = "";
        for word in pairs {
            if matches!(*word, "SHAPE" | "MARGINS" | "TYPE" | "DISTRIBUTION") {
                key = word;
                continue;
            }
            for value in values(word) {
                match term(key, value) {
                    Some(term) => {
                        if key == "SHAPE" && !term.starts_with("shape-") {
                            others += 1;
                        } else if key == "SHAPE" {
                            masses += 1;
                        }
                        particular.push(term);
                    }
                    None => unknown(value),
                }
            }
        }
        if masses > 0 || others == 0 {
            terms.push(general);
        }
        terms.extend(particular);
    }
    let mut unique: Vec<String> = Vec::new();
    for term in terms {
        if !unique.iter().any(|known| known == term) {
            unique.push(term.to_owned());
        }
    }
    unique
}

/// The values that a word joins with `-`, without `N/A`.
fn values(word: &str) -> impl Iterator<Item = &str> {
    word.split('-').filter(|value| !value.is_empty() && *value != "N/A")
}

fn term(key: &str, value: &str) -> Option<&'static str> {
    Some(match (key, value) {
        ("SHAPE", "ROUND") => "shape-round",
        ("SHAPE", "OVAL" | "LOBULATED") => "shape-oval",
        ("SHAPE", "IRREGULAR") => "shape-irregular",
        ("SHAPE", "ARCHITECTURAL_DISTORTION") => "architectural-distortion",
        ("SHAPE", "ASYMMETRIC_BREAST_TISSUE") => "asymmetry-global",
        ("SHAPE", "FOCAL_ASYMMETRIC_DENSITY") => "asymmetry-focal",
        ("SHAPE", "TUBULAR") => "dilated-duct",
        ("SHAPE", "LYMPH_NODE") => "lymph-node",
        ("MARGINS", "CIRCUMSCRIBED") => "margin-circumscribed",
        ("MARGINS", "MICROLOBULATED") => "margin-microlobulated",
        ("MARGINS", "OBSCURED") => "margin-obscured",
        ("MARGINS", "ILL_DEFINED") => "margin-indistinct",
        ("MARGINS", "SPICULATED") => "margin-spiculated",
        ("TYPE", "PLEOMORPHIC") => "calc-fine-pleomorphic",
        ("TYPE", "AMORPHOUS") => "calc-amorphous",
        ("TYPE", "FINE_LINEAR_BRANCHING") => "calc-fine-linear",
        ("TYPE", "PUNCTATE" | "ROUND_AND_REGULAR") => "calc-round",
        ("TYPE", "COARSE") => "calc-coarse",
        ("TYPE", "LUCENT_CENTERED" | "LUCENT_CENTER" | "EGGSHELL") => "calc-rim",
        ("TYPE", "VASCULAR") => "calc-vascular",
        ("TYPE", "MILK_OF_CALCIUM") => "calc-milk",
        ("TYPE", "DYSTROPHIC") => "calc-dystrophic",
        ("TYPE", "LARGE_RODLIKE") => "calc-rod",
        ("TYPE", "SKIN") => "calc-skin",
        ("DISTRIBUTION", "CLUSTERED") => "distribution-grouped",
        ("DISTRIBUTION", "SEGMENTAL") => "distribution-segmental",
        ("DISTRIBUTION", "LINEAR") => "distribution-linear",
        ("DISTRIBUTION", "REGIONAL") => "distribution-regional",
        ("DISTRIBUTION", "DIFFUSELY_SCATTERED") => "distribution-diffuse",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> (Vec<String>, Vec<String>) {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let mut unknown = Vec::new();
        let terms = terms(&lines, |word| unknown.push(word.to_owned()));
        (terms, unknown)
    }

    #[test]
    fn keywords_become_terms() {
        let cases: &[(&[&str], &[&str])] = &[
            (
                &["MASS SHAPE IRREGULAR MARGINS ILL_DEFINED-SPICULATED"],
                &["mass", "shape-irregular", "margin-indistinct", "margin-spiculated"],
            ),
            (&["MASS SHAPE N/A MARGINS N/A"], &["mass"]),
            (
                &["MASS SHAPE ARCHITECTURAL_DISTORTION MARGINS SPICULATED"],
                &["architectural-distortion", "margin-spiculated"],
            ),
            (
                &["MASS SHAPE LOBULATED-ARCHITECTURAL_DISTORTION MARGINS N/A"],
                &["mass", "shape-oval", "architectural-distortion"],
            ),
            (
                &["CALCIFICATION TYPE PLEOMORPHIC-PLEOMORPHIC DISTRIBUTION CLUSTERED"],
                &["calcifications", "calc-fine-pleomorphic", "distribution-grouped"],
            ),
            (
                &[
                    "MASS SHAPE OVAL MARGINS OBSCURED",
                    "CALCIFICATION TYPE PUNCTATE DISTRIBUTION N/A",
                ],
                &["mass", "shape-oval", "margin-obscured", "calcifications", "calc-round"],
            ),
            (&["OTHER"], &[]),
        ];
        for (lines, expected) in cases {
            assert_eq!(of(lines), (expected.iter().map(ToString::to_string).collect(), vec![]));
        }
        let (terms, unknown) = of(&["MASS SHAPE SQUARE MARGINS OBSCURED", "BLOB"]);
        assert_eq!((terms.len(), unknown), (2, vec!["SQUARE".to_owned(), "BLOB".to_owned()]));
    }

    #[test]
    fn every_term_is_in_the_lexicon() {
        let lexicon = include_str!("../../../content/lexicons/bi-rads-5.yaml");
        let words = "ROUND OVAL LOBULATED IRREGULAR ARCHITECTURAL_DISTORTION ASYMMETRIC_BREAST_TISSUE \
            FOCAL_ASYMMETRIC_DENSITY TUBULAR LYMPH_NODE CIRCUMSCRIBED MICROLOBULATED OBSCURED \
            ILL_DEFINED SPICULATED PLEOMORPHIC AMORPHOUS FINE_LINEAR_BRANCHING PUNCTATE \
            ROUND_AND_REGULAR COARSE LUCENT_CENTERED LUCENT_CENTER VASCULAR MILK_OF_CALCIUM \
            DYSTROPHIC EGGSHELL LARGE_RODLIKE SKIN CLUSTERED SEGMENTAL LINEAR REGIONAL \
            DIFFUSELY_SCATTERED";
        for word in words.split_whitespace() {
            let keys = ["SHAPE", "MARGINS", "TYPE", "DISTRIBUTION"];
            let found: Vec<_> = keys.iter().filter_map(|key| term(key, word)).collect();
            let [term] = found[..] else { panic!("{word}: {found:?}") };
            assert!(lexicon.contains(&format!("- id: {term}\n")), "{term}");
        }
    }
}
