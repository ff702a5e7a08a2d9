//! What may be said: terms of the lexicons, each by several sentences.

use lexicon::Lexicons;
use serde::Serialize;

/// A term that a unit may be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Term {
    /// Its id.
    pub id: String,
    /// Sentences of what shows it; what a namer makes of them is averaged.
    pub prompts: Vec<String>,
    /// The id of the general term that it refines: `mass` of `margin-spiculated`, `calcifications` of
    /// `calc-fine-pleomorphic`.
    pub general: Option<String>,
}

/// Where a template has the term.
const PLACE: &str = "{}";

/// The terms of the lexicons with these ids, or of all, by their own prompts, or by every template with each of their
/// names.
pub fn candidates(lexicons: &Lexicons, only: &[String], templates: &[String]) -> Vec<Term> {
    let wanted =
        lexicons.entries().filter(|entry| only.is_empty() || only.contains(&entry.lexicon.id));
    let prompts = |entry: &lexicon::Entry<'_>| -> Vec<String> {
        if !entry.term.prompts.is_empty() {
            return entry.term.prompts.clone();
        }
        let mut prompts = Vec::new();
        for phrase in lexicons.phrases(entry) {
            prompts.extend(templates.iter().map(|template| template.replace(PLACE, &phrase)));
        }
        prompts
    };
    // What other categories refine, its own group refines too.
    let generals: Vec<lexicon::Entry<'_>> = lexicons
        .entries()
        .filter(|general| lexicons.entries().any(|finer| finer.refines(general)))
        .collect();
    let general = |entry: &lexicon::Entry<'_>| {
        let mut others = generals.iter().filter(|other| other.term.id != entry.term.id);
        others.find(|other| other.category == entry.family()).map(|other| other.term.id.clone())
    };
    let term = |entry: lexicon::Entry<'_>| Term {
        id: entry.term.id.clone(),
        prompts: prompts(&entry),
        general: general(&entry),
    };
    wanted.map(term).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_features_refine_their_general_term() {
        let terms = candidates(&crate::lexicons::built_in(), &[], &["{}".to_owned()]);
        let general = |id: &str| {
            let term = terms.iter().find(|term| term.id == id).unwrap();
            term.general.as_deref()
        };
        assert_eq!(general("margin-spiculated"), Some("mass"));
        assert_eq!(general("calc-fine-pleomorphic"), Some("calcifications"));
        assert_eq!(general("distribution-linear"), Some("calcifications"));
        for broad in ["mass", "calcifications", "architectural-distortion", "vessel"] {
            assert_eq!(general(broad), None, "{broad}");
        }
    }
}
