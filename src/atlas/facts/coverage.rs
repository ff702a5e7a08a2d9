//! The terms of the lexicons by their groups, with what a page shows of each.

use serde::Serialize;

use super::Atlas;
use catalogue::Coverage;

/// A lexicon with a row per term.
#[derive(Serialize)]
pub(crate) struct LexiconView<Row> {
    id: String,
    name: String,
    source: String,
    birads: bool,
    /// Terms that some unit shows.
    covered: usize,
    terms: usize,
    groups: Vec<GroupView<Row>>,
}

/// The terms of one category.
#[derive(Serialize)]
struct GroupView<Row> {
    category: String,
    terms: Vec<Row>,
}

/// The lexicons in their order; `row` is what a page shows of a term.
pub(crate) fn lexicons<Row>(
    atlas: &Atlas,
    row: impl Fn(&Coverage) -> Row,
) -> Vec<LexiconView<Row>> {
    let group = |terms: &[Coverage]| GroupView {
        category: terms[0].term.category.to_owned(),
        terms: terms.iter().map(&row).collect(),
    };
    let coverage = atlas.catalogue.coverage();
    let lexicons = coverage.chunk_by(|a, b| a.term.lexicon.id == b.term.lexicon.id);
    lexicons
        .map(|terms| {
            let lexicon = terms[0].term.lexicon;
            let groups = terms.chunk_by(|a, b| a.term.category == b.term.category);
            LexiconView {
                id: lexicon.id.clone(),
                name: lexicon.name.clone(),
                source: lexicon.source.clone(),
                birads: lexicon.birads,
                covered: terms.iter().filter(|row| row.is_covered()).count(),
                terms: terms.len(),
                groups: groups.map(group).collect(),
            }
        })
        .collect()
}
