//! A lexicon of a project's own for the fuzzer.

use crate::Lexicons;
use crate::fuzz::{Target, outcome};

const FILE: &str = "schema: 1\nid: own\nname: Own\nbirads: false\nsource: s\ngroups:\n  - category: Mass\n    \
    noun: mass\n    terms:\n      - { id: mass-lobed, name: Lobed, gloss: has lobes, synonyms: [lobulated] }\n";

fn read(bytes: &[u8]) -> String {
    crate::built_in();
    let content = tempfile::tempdir().unwrap();
    std::fs::create_dir(content.path().join("lexicons")).unwrap();
    std::fs::write(content.path().join("lexicons/own.yaml"), bytes).unwrap();
    let message = outcome(Lexicons::load(content.path()), |lexicons| {
        let ids: Vec<&str> = lexicons.entries().map(|entry| entry.term.id.as_str()).collect();
        let families = lexicons.entries().map(|entry| entry.family().len()).sum::<usize>();
        format!("{} terms, {families}, {:?}", ids.len(), lexicons.categories(&ids).len())
    });
    message.replace(&content.path().display().to_string(), "")
}

pub(crate) fn target() -> Target {
    Target {
        name: "lexicon",
        seeds: vec![FILE.into()],
        words: &[
            "schema: ",
            "id: ",
            "bi-rads-5",
            "anatomy",
            "groups: ",
            "- category: ",
            "terms: ",
            "synonyms: ",
            "prompts: ",
            "noun: ",
            "name: ",
            "gloss: ",
            "{",
            "}",
            "[",
            "]",
            "&a ",
            "*a",
            "<<: *a",
            "''",
            "~",
            "\u{feff}",
            "\r\n",
            "margin-spiculated",
        ],
        read,
    }
}

#[test]
fn the_seed_is_a_lexicon() {
    let said = read(FILE.as_bytes());
    assert!(said.contains(" terms, "), "{said}");
}
