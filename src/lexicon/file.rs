//! Reading lexicons: the built-in ones, and a project's own, which replace them by id.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_yaml::Spanned;

use super::{Group, Lexicon, Lexicons, Term};
use base::shipped;
use base::yaml::{self, Mistake, Text};

/// The built-in lexicons in display order.
const BUILT_IN: [&str; 2] = ["content/lexicons/bi-rads-5.yaml", "content/lexicons/anatomy.yaml"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LexiconFile {
    schema: Spanned<u32>,
    id: Spanned<String>,
    name: Spanned<String>,
    birads: bool,
    source: String,
    groups: Vec<GroupFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupFile {
    category: Spanned<String>,
    #[serde(default)]
    noun: Option<Spanned<String>>,
    terms: Vec<TermFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermFile {
    id: Spanned<String>,
    name: Spanned<String>,
    gloss: String,
    #[serde(default)]
    synonyms: Vec<Spanned<String>>,
    #[serde(default)]
    prompts: Vec<Spanned<String>>,
}

impl Lexicons {
    /// The built-in lexicons and those of `<content>/lexicons/*.yaml`, in the order of their file
    /// names; one with the id of another built in takes its place.
    ///
    /// # Errors
    /// Names the file, line and column of the first mistake: a key that is unknown or missing, a
    /// schema other than 1, an id of the wrong form, or one that two lexicons or terms share.
    pub fn load(content: &Path) -> Result<Self> {
        let mut texts: Vec<(PathBuf, String)> = Vec::new();
        for path in BUILT_IN {
            texts.push((path.into(), shipped::text(path)?.to_owned()));
        }
        let built_in = texts.len();
        for path in files(&content.join("lexicons"))? {
            let text = yaml::read(&path)?;
            texts.push((path, text));
        }
        let mut chosen: Vec<(usize, LexiconFile)> = Vec::new();
        for (number, (path, text)) in texts.iter().enumerate() {
            let text = Text { path, text };
            let file: LexiconFile = text.parse()?;
            check(text, &file)?;
            match chosen.iter_mut().find(|(_, other)| other.id.value == file.id.value) {
                Some(slot) if slot.0 < built_in => *slot = (number, file),
                Some((other, _)) => {
                    let other = texts[*other].0.display();
                    let message =
                        format!("the lexicon `{}` is already given in {other}", file.id.value);
                    return Err(text.mistake(file.id.referenced, message).into());
                }
                None => chosen.push((number, file)),
            }
        }
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (number, file) in &chosen {
            for term in file.groups.iter().flat_map(|group| &group.terms) {
                if let Some(other) = seen.insert(term.id.value.clone(), *number) {
                    let (path, text) = &texts[*number];
                    let other = texts[other].0.display();
                    let message =
                        format!("the term `{}` is already given in {other}", term.id.value);
                    return Err(Text { path, text }.mistake(term.id.referenced, message).into());
                }
            }
        }
        Ok(Self::new(chosen.into_iter().map(|(_, file)| file.into()).collect()))
    }
}

/// The YAML files of a folder in the order of their names; none when it does not exist.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let unreadable = || format!("cannot list {}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn check(text: Text<'_>, file: &LexiconFile) -> Result<(), Mistake> {
    if file.schema.value != 1 {
        let message = format!("schema {} is unknown; expected 1", file.schema.value);
        return Err(text.mistake(file.schema.referenced, message));
    }
    let identifier = |v: &Spanned<String>| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if v.value.starts_with(|c: char| c.is_ascii_lowercase()) && v.value.chars().all(plain) {
            return Ok(());
        }
        let message = format!(
            "`{}` is no id; expected lower-case letters, digits and `-`, starting with a letter",
            v.value
        );
        Err(text.mistake(v.referenced, message))
    };
    let filled = |v: &Spanned<String>| match v.value.trim() {
        "" => Err(text.mistake(v.referenced, "must not be empty")),
        _ => Ok(()),
    };
    identifier(&file.id)?;
    filled(&file.name)?;
    for group in &file.groups {
        filled(&group.category)?;
        group.noun.iter().try_for_each(filled)?;
        for term in &group.terms {
            identifier(&term.id)?;
            filled(&term.name)?;
            term.synonyms.iter().chain(&term.prompts).try_for_each(filled)?;
        }
    }
    Ok(())
}

impl From<LexiconFile> for Lexicon {
    fn from(file: LexiconFile) -> Self {
        let term = |term: TermFile| Term {
            id: term.id.value,
            name: term.name.value,
            gloss: term.gloss,
            synonyms: term.synonyms.into_iter().map(|s| s.value).collect(),
            prompts: term.prompts.into_iter().map(|s| s.value).collect(),
        };
        let group = |group: GroupFile| Group {
            category: group.category.value,
            noun: group.noun.map(|noun| noun.value),
            terms: group.terms.into_iter().map(term).collect(),
        };
        Lexicon {
            schema: file.schema.value,
            id: file.id.value,
            name: file.name.value,
            birads: file.birads,
            source: file.source,
            groups: file.groups.into_iter().map(group).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A project whose lexicon folder holds these files.
    fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("lexicons")).unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join("lexicons").join(name), text).unwrap();
        }
        folder
    }

    fn lexicon(id: &str, term: &str) -> String {
        format!(
            "schema: 1\nid: {id}\nname: N\nbirads: false\nsource: s\ngroups:\n  - category: C\n    \
             terms:\n      - {{ id: {term}, name: T, gloss: g }}\n"
        )
    }

    fn refused(files: &[(&str, &str)]) -> String {
        crate::shipped::hand_down();
        Lexicons::load(project(files).path()).unwrap_err().to_string()
    }

    #[test]
    fn the_built_in_lexicons_hold_every_term_that_sources_use() {
        let lexicons = crate::built_in();
        for id in "composition-a composition-b composition-c composition-d mass shape-oval \
                   shape-round shape-irregular margin-circumscribed margin-obscured \
                   margin-microlobulated margin-indistinct margin-spiculated density-high \
                   density-equal density-low density-fat calcifications calc-skin calc-vascular \
                   calc-coarse calc-rod calc-round calc-rim calc-dystrophic calc-milk calc-suture \
                   calc-amorphous calc-coarse-heterogeneous calc-fine-pleomorphic \
                   calc-fine-linear distribution-diffuse distribution-regional \
                   distribution-grouped distribution-linear distribution-segmental \
                   architectural-distortion asymmetry asymmetry-global asymmetry-focal \
                   asymmetry-developing lymph-node skin-lesion dilated-duct skin-retraction \
                   nipple-retraction skin-thickening trabecular-thickening axillary-adenopathy"
            .split_whitespace()
        {
            assert!(lexicons.term(id).is_some_and(|entry| entry.lexicon.birads), "{id}");
        }
        for id in ["pectoral-muscle", "vessel", "skin-line", "nipple", "normal-tissue", "artefact"]
        {
            let entry = lexicons.term(id).unwrap();
            assert!(!entry.lexicon.birads && entry.category == "-", "{id}");
        }
        assert_eq!(
            lexicons.term("architectural-distortion").unwrap().category,
            "Associated Features"
        );
    }

    #[test]
    fn no_two_built_in_terms_share_a_word() {
        let lexicons = crate::built_in();
        for entry in lexicons.entries() {
            for word in std::iter::once(&entry.term.name).chain(&entry.term.synonyms) {
                let found = lexicons.resolve(word).map(|found| found.term.id.clone());
                assert_eq!(found.as_ref(), Ok(&entry.term.id), "{word}");
            }
        }
    }

    #[test]
    fn a_projects_lexicons_replace_and_add() {
        let anatomy = lexicon("anatomy", "tail");
        let own = lexicon("own", "star");
        let folder = project(&[("x.yaml", &anatomy), ("own.yaml", &own), ("README.md", "no")]);
        crate::shipped::hand_down();
        let lexicons = Lexicons::load(folder.path()).unwrap();
        assert!(lexicons.term("tail").is_some() && lexicons.term("star").is_some());
        assert!(lexicons.term("pectoral-muscle").is_none(), "replaced as a whole");
        let ids: Vec<&str> = lexicons.iter().map(|l| l.id.as_str()).collect();
        assert_eq!(ids, ["bi-rads-5", "anatomy", "own"]);
    }

    #[test]
    fn mistakes_show_their_place() {
        let message = refused(&[("own.yaml", &lexicon("own", "mass"))]);
        assert!(message.contains("own.yaml:9:15: the term `mass` is already"), "{message}");
        assert!(message.contains('^') && message.contains("bi-rads-5.yaml"), "{message}");
        let (a, b) = (lexicon("own", "a"), lexicon("own", "b"));
        let message = refused(&[("a.yaml", &a), ("b.yaml", &b)]);
        assert!(message.contains("b.yaml:2:5: the lexicon `own` is already"), "{message}");
        let message = refused(&[("a.yaml", &a.replace("schema: 1", "schema: 2"))]);
        assert!(message.contains("a.yaml:1:9: schema 2 is unknown"), "{message}");
        let message = refused(&[("a.yaml", &a.replace("gloss", "glos"))]);
        assert!(message.contains("did you mean `gloss`?"), "{message}");
        let message = refused(&[("a.yaml", &lexicon("own", "A b"))]);
        assert!(message.contains("`A b` is no id"), "{message}");
        assert!(refused(&[("a.yaml", "groups: [")]).contains("a.yaml:1"));
        assert!(
            refused(&[("a.yaml", &a.replace("source: s\n", ""))]).contains("`source` is missing")
        );
    }
}
