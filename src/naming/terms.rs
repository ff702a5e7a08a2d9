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
    /// The id of the general term that it refines: `mass` of `margin-spiculated`.
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
    let general = |entry: &lexicon::Entry<'_>| {
        lexicons.entries().find(|other| entry.refines(other)).map(|other| other.term.id.clone())
    };
    let term = |entry: lexicon::Entry<'_>| Term {
        id: entry.term.id.clone(),
        prompts: prompts(&entry),
        general: general(&entry),
    };
    wanted.map(term).collect()
}
