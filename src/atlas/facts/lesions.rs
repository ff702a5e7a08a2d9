//! Lesions as pages and figures draw them.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::labels::Labels;
use crate::outline;
use mammogram::Pathology;
use record::Member;

/// A lesion over its mammogram.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LesionView {
    pub(crate) paths: Vec<String>,
    /// `malignant`, `benign`, `unproven`.
    pub(crate) pathology: &'static str,
    /// The finding in words.
    pub(crate) finding: String,
    /// The source's own words for it, where there are terms beside them.
    pub(crate) source_words: String,
}

/// The lesions of a mammogram; detail that its preview cannot show is left out.
pub(crate) fn draw_lesions(labels: &Labels, member: &Member) -> Vec<LesionView> {
    let mammogram = &member.mammogram;
    let shown = member.preview.map_or(mammogram.width, |[width, _]| width);
    let scale = mammogram.width as f32 / shown.max(1) as f32;
    mammogram
        .lesions
        .iter()
        .map(|lesion| {
            let names: Vec<String> = lesion.terms.iter().map(|id| labels.name(id)).collect();
            let named = !names.is_empty();
            let named_words = names.join(" ");
            let words =
                if names.is_empty() { lesion.source_words.clone() } else { names.join(", ") };
            let grades = [
                lesion.subtlety.map(|grade| format!("subtlety {grade} of 5")),
                lesion.assessment.map(|grade| format!("assessment {grade}")),
            ];
            let finding: Vec<String> = std::iter::once(words)
                .filter(|w| !w.is_empty())
                .chain(grades.into_iter().flatten())
                .collect();
            LesionView {
                paths: lesion
                    .outlines
                    .iter()
                    .map(|o| outline::lesion(o, 0.7 * scale))
                    .filter(|path| !path.is_empty())
                    .collect(),
                pathology: pathology_word(lesion.pathology),
                finding: finding.join("; "),
                source_words: if named && !says_the_same(&lesion.source_words, &named_words) {
                    lesion.source_words.clone()
                } else {
                    String::new()
                },
            }
        })
        .collect()
}

/// Whether two texts have the same words, in whatever order.
fn says_the_same(a: &str, b: &str) -> bool {
    let words = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect()
    };
    words(a) == words(b)
}

/// A pathology in one word.
fn pathology_word(pathology: Pathology) -> &'static str {
    match pathology {
        Pathology::Malignant => "malignant",
        Pathology::Benign => "benign",
        Pathology::Unproven => "unproven",
    }
}
