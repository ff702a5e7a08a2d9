//! What is asked of an atlas before it is believed: the checklist of CLAIM and a datasheet. The questions come with the
//! program (`content/reporting/`); an atlas answers what it knows of itself (`statements.rs`), and its authors the rest, in
//! `content/reporting.yaml`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_yaml::Spanned;

use super::Atlas;
use super::statements::{Statement, statement};
use base::shipped;
use base::yaml::{self, Text, unknown};

/// The authors' answers, in the folder of the content.
pub(crate) const OWN: &str = "reporting.yaml";

/// Questions that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Document {
    /// The checklist of CLAIM 2024.
    Claim,
    /// A datasheet of the data set.
    Datasheet,
}

/// A document with its questions.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sheet {
    pub(crate) title: String,
    pub(crate) lead: String,
    /// Who asks, and where.
    pub(crate) source: String,
    pub(crate) address: String,
    pub(crate) note: String,
    pub(crate) items: Vec<Item>,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item {
    /// Its name among the others of the document.
    pub(crate) key: String,
    pub(crate) section: String,
    pub(crate) ask: String,
    /// Facts that answer it, as far as they do.
    #[serde(default)]
    pub(crate) says: Vec<String>,
    /// What only the authors can add.
    #[serde(default)]
    pub(crate) open: Option<String>,
    /// Whether it is only asked of data on people.
    #[serde(default)]
    pub(crate) people: bool,
}

/// A question with what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answered {
    pub(crate) item: Item,
    /// What the atlas says of it.
    pub(crate) said: Vec<Statement>,
    /// What the authors say of it.
    pub(crate) own: Option<String>,
}

/// How far a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Answered,
    /// The authors could add to it.
    Partly,
    Open,
}

impl Standing {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Partly => "partly",
            Self::Open => "open",
        }
    }
}

impl Answered {
    pub(crate) fn standing(&self) -> Standing {
        match (&self.own, self.said.is_empty(), &self.item.open) {
            (Some(_), _, _) | (None, false, None) => Standing::Answered,
            (None, false, Some(_)) => Standing::Partly,
            (None, true, _) => Standing::Open,
        }
    }

    /// What the atlas and the authors say, as one text.
    pub(crate) fn text(&self) -> String {
        let said = self.said.iter().map(|statement| statement.text.as_str());
        said.chain(self.own.as_deref()).collect::<Vec<_>>().join(" ")
    }

    /// What is still the authors' to say; empty where nothing is.
    pub(crate) fn open(&self) -> &str {
        match self.standing() {
            Standing::Answered => "",
            Standing::Partly | Standing::Open => self.item.open.as_deref().unwrap_or("all of it"),
        }
    }
}

impl Document {
    pub(crate) const ALL: [Self; 2] = [Self::Datasheet, Self::Claim];

    /// In addresses, in file names and in the authors' file.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Datasheet => "datasheet",
        }
    }

    /// Its page.
    pub(crate) fn path(self) -> String {
        format!("data/{}/index.html", self.id())
    }

    /// Its questions.
    ///
    /// # Errors
    /// When the program came without them.
    pub(crate) fn sheet(self) -> Result<Sheet> {
        let path = format!("content/reporting/{}.yaml", self.id());
        let text = Text { path: Path::new(&path), text: shipped::text(&path)? };
        text.parse().with_context(|| format!("{path} does not say what is asked"))
    }

    /// Its questions with what is known of them.
    ///
    /// # Errors
    /// When the authors' file answers what nobody asks.
    pub(crate) fn answered(self, atlas: &Atlas) -> Result<Vec<Answered>> {
        let mut own = Own::read(&atlas.inputs.config.root.join("content"))?.of(self);
        let people = !atlas.inputs.manifest.source.phantom;
        let mut answered = Vec::new();
        for item in self.sheet()?.items {
            let mut said = Vec::new();
            // Of every item, so that a fact that nobody knows is found on any data.
            for name in &item.says {
                said.extend(statement(atlas, name)?);
            }
            if people || !item.people {
                answered.push(Answered { said, own: own.remove(&item.key), item });
            }
        }
        Ok(answered)
    }
}

/// What the authors answer, by the key of the question.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Own {
    claim: BTreeMap<String, String>,
    datasheet: BTreeMap<String, String>,
}

/// `reporting.yaml` as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Form {
    claim: Option<BTreeMap<String, Spanned<Option<String>>>>,
    datasheet: Option<BTreeMap<String, Spanned<Option<String>>>>,
}

impl Own {
    /// Reads `reporting.yaml` of a folder; without one nothing is answered.
    ///
    /// # Errors
    /// Names the line of what is no answer, or answers what nobody asks.
    pub(crate) fn read(content: &Path) -> Result<Self> {
        let path = content.join(OWN);
        if !path.is_file() {
            return Ok(Self::default());
        }
        let read = yaml::read(&path)?;
        let text = Text { path: &path, text: &read };
        let form: Form = text.parse()?;
        Ok(Self {
            claim: answers(text, Document::Claim, form.claim.unwrap_or_default())?,
            datasheet: answers(text, Document::Datasheet, form.datasheet.unwrap_or_default())?,
        })
    }

    fn of(self, document: Document) -> BTreeMap<String, String> {
        match document {
            Document::Claim => self.claim,
            Document::Datasheet => self.datasheet,
        }
    }
}

/// Answers to the questions of a document; a blank one is none.
fn answers(
    text: Text<'_>,
    document: Document,
    given: BTreeMap<String, Spanned<Option<String>>>,
) -> Result<BTreeMap<String, String>> {
    let items = document.sheet()?.items;
    let keys: Vec<&str> = items.iter().map(|item| item.key.as_str()).collect();
    let mut answers = BTreeMap::new();
    for (key, answer) in given {
        if !keys.contains(&key.as_str()) {
            let message = unknown(&format!("item of the {}", document.id()), &key, &keys);
            return Err(text.mistake(answer.referenced, message).into());
        }
        let said = answer.value.unwrap_or_default().trim().to_owned();
        if !said.is_empty() {
            answers.insert(key, said);
        }
    }
    Ok(answers)
}
