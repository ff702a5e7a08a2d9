//! DDSM's keywords (BI-RADS of the 1990s) as terms of the lexicon.
//!
//! [`Vocabulary::ddsm`] says which; DDSM's words are kept beside the terms. A "mass" whose
//! every shape is a distortion, an asymmetry, a duct or a node is none.

use lexicon::Vocabulary;

/// The lesion's kinds as lines of the overlay give them, in terms: most general first, each once.
/// `unknown` is told of the words that are no keyword.
pub(crate) fn terms(lines: &[String], mut unknown: impl FnMut(&str)) -> Vec<String> {
    let vocabulary = Vocabulary::ddsm();
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
                match vocabulary.word(key, value) {
                    Some(word) => {
                        if key == "SHAPE" {
                            *if word.finding { &mut others } else { &mut masses } += 1;
                        }
                        particular.push(word.bi_rads_5.as_str());
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
}
