//! The four questions of the survey that the paper's code serves, and their answers.
//!
//! That server keeps one pickle per reader, a mapping from `model/layer/unit_0001` to the fields of the
//! page: `name`, `model`, `layer`, `unit`, `q1` to `q4` and `timestamp`. The same mapping, or a list of
//! its values, is read from JSON or YAML, and as a table from CSV. The words are kept verbatim; what
//! follows from them for the structured answer is stated at each function.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_yaml::Spanned;

use super::answer::{Association, Questions, Recognizable};
use super::form::{AnswerForm, Form, PhenomenonForm, placed};
use super::labels::Dissected;
use super::reading::Given;
use super::sheet::File;
use super::time;
use base::yaml::{Mistake, Text};

/// Columns of the answers as a table.
const COLUMNS: [&str; 9] = ["name", "model", "layer", "unit", "q1", "q2", "q3", "q4", "timestamp"];

/// One response, as the server keeps it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Response {
    name: Option<Spanned<String>>,
    model: Option<Spanned<String>>,
    layer: Option<Spanned<String>>,
    unit: Option<Spanned<String>>,
    q1: Spanned<String>,
    q2: String,
    q3: String,
    q4: Spanned<String>,
    timestamp: Option<Spanned<String>>,
}

/// Reads the mapping.
pub(super) fn mapping(
    text: Text,
    given: &Given,
    layers: &[Dissected],
) -> Result<Vec<Form>, Mistake> {
    let responses: BTreeMap<String, Response> = text.parse()?;
    collect(text, responses.into_iter().map(|(key, r)| (Some(key), r)), given, layers)
}

/// Reads the list.
pub(super) fn list(text: Text, given: &Given, layers: &[Dissected]) -> Result<Vec<Form>, Mistake> {
    let responses: Vec<Response> = text.parse()?;
    collect(text, responses.into_iter().map(|r| (None, r)), given, layers)
}

/// Reads the table.
pub(super) fn table(
    file: &File,
    given: &Given,
    layers: &[Dissected],
) -> Result<Vec<Form>, Mistake> {
    let sheet = file.sheet(&COLUMNS, &COLUMNS[4..8], given)?;
    for column in ["q1", "q2", "q3", "q4"] {
        if !sheet.has(column) {
            let at = super::form::place(1, 1);
            let message = format!("the column `{column}` is missing; expected q1, q2, q3 and q4");
            return Err(file.text().mistake(at, message));
        }
    }
    let responses = sheet.records().iter().map(|record| {
        let at = sheet.at(record);
        let verbatim = |column| sheet.cell(record, column).unwrap_or_default().to_owned();
        let optional = |column| sheet.cell(record, column).map(|c| placed(c.trim().to_owned(), at));
        let response = Response {
            name: optional("name"),
            model: optional("model"),
            layer: optional("layer"),
            unit: optional("unit"),
            q1: placed(verbatim("q1"), at),
            q2: verbatim("q2"),
            q3: verbatim("q3"),
            q4: placed(verbatim("q4"), at),
            timestamp: optional("timestamp"),
        };
        (None, response)
    });
    collect(file.text(), responses, given, layers)
}

/// Sorts responses by reader. Of several to one unit, which a server's log holds, the latest is the
/// answer and the others are its history.
fn collect(
    text: Text,
    responses: impl Iterator<Item = (Option<String>, Response)>,
    given: &Given,
    layers: &[Dissected],
) -> Result<Vec<Form>, Mistake> {
    let mut forms: Vec<Form> = Vec::new();
    for (key, response) in responses {
        let at = response.q1.referenced;
        let missing =
            |what: &str, flag: &str| text.mistake(at, format!("`{what}` is missing; give {flag}"));
        let reader = match (&response.name, &given.reader) {
            // The server writes blanks as `+`.
            (Some(name), _) => name.value.replace('+', " "),
            (None, Some(reader)) => reader.clone(),
            (None, None) => return Err(missing("name", "--reader")),
        };
        let study = given.study.clone().ok_or_else(|| missing("study", "--study"))?;
        let answer = response.answer(key.as_deref(), layers, text)?;
        let slot = match forms.iter().position(|form| form.reader.value == reader) {
            Some(slot) => slot,
            None => {
                forms.push(Form {
                    schema: placed(1, at),
                    study: placed(study, at),
                    reader: placed(reader, at),
                    lexicon: placed(given.lexicon.clone(), at),
                    answers: Vec::new(),
                    superseded: Vec::new(),
                });
                forms.len() - 1
            }
        };
        let form = &mut forms[slot];
        let known = form.answers.iter_mut().find(|known| known.unit.value == answer.unit.value);
        match known {
            None => form.answers.push(answer),
            Some(known) => {
                let time = |a: &AnswerForm| {
                    a.answered_at.as_ref().and_then(|at| time::nanoseconds(&at.value))
                };
                let older = if time(known) > time(&answer) {
                    answer
                } else {
                    std::mem::replace(known, answer)
                };
                form.superseded.push(older.content());
            }
        }
    }
    Ok(forms)
}

impl Response {
    fn answer(
        self,
        key: Option<&str>,
        layers: &[Dissected],
        text: Text,
    ) -> Result<AnswerForm, Mistake> {
        let at = self.q1.referenced;
        let questions = Questions {
            q1: self.q1.value.clone(),
            q2: self.q2.clone(),
            q3: self.q3.clone(),
            q4: self.q4.value.clone(),
        };
        let mut parts =
            key.unwrap_or_default().splitn(3, '/').map(|part| placed(part.to_owned(), at));
        let [model, layer, unit] = [self.model, self.layer, self.unit].map(|field| {
            let part = parts.next().filter(|part| !part.value.is_empty());
            field.or(part)
        });
        let (Some(model), Some(layer), Some(unit)) = (model, layer, unit) else {
            return Err(text.mistake(at, "`model`, `layer` or `unit` is missing"));
        };
        let name = unit_name(&model.value, &layer.value, &unit.value, layers);
        let recognizable = questions.recognizable();
        let described = recognizable != Recognizable::No && !questions.q4.trim().is_empty();
        let phenomena = described.then(|| PhenomenonForm {
            description: self.q4.clone(),
            terms: Vec::new(),
            association: questions.association(),
        });
        Ok(AnswerForm {
            unit: placed(name, unit.referenced),
            recognizable: placed(recognizable, at),
            phenomena: phenomena.into_iter().collect(),
            confidence: None,
            remarks: None,
            answered_at: self.timestamp.map(|t| placed(instant(&t.value), t.referenced)),
            received_at: None,
            seconds: None,
            repeat: false,
            questions: Some(questions),
        })
    }
}

/// `vgg16/conv5_3/0063` of `vgg16_2class`, `conv5_3` and `unit_0063`. The paper's code names a network
/// after its classes too; that is dropped unless the atlas has a network of this very name.
fn unit_name(model: &str, layer: &str, unit: &str, layers: &[Dissected]) -> String {
    let network = match layers.iter().any(|l| l.network == model) {
        true => model,
        false => ["_2class", "_3class"]
            .iter()
            .find_map(|ending| model.strip_suffix(ending))
            .unwrap_or(model),
    };
    format!("{network}/{layer}/{}", unit.strip_prefix("unit_").unwrap_or(unit))
}

/// The server's `2017-08-01_10-12-13.123456` as RFC 3339. It does not say its time zone: UTC is taken,
/// which keeps the order of the answers. Any other text is left as it is.
fn instant(stamp: &str) -> String {
    if let Some((day, time)) = stamp.split_once('_') {
        let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
        let dot = if fraction.is_empty() { "" } else { "." };
        let text = format!("{day}T{}{dot}{fraction}Z", clock.replace('-', ":"));
        if time::nanoseconds(&text).is_some() {
            return text;
        }
    }
    stamp.to_owned()
}

/// The words of a text in lower case.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn starts(words: &[String], with: &[&str]) -> bool {
    words.first().is_some_and(|word| with.contains(&word.as_str()))
}

const YES: [&str; 7] = ["yes", "y", "yeah", "yep", "definitely", "clearly", "true"];
const NO: [&str; 7] = ["no", "n", "nope", "none", "not", "nothing", "false"];

impl Questions {
    /// Yes or no by the first word of the first answer; anything else is unsure.
    pub fn recognizable(&self) -> Recognizable {
        let words = words(&self.q1);
        match () {
            () if starts(&words, &YES) => Recognizable::Yes,
            () if starts(&words, &NO) => Recognizable::No,
            () => Recognizable::Unsure,
        }
    }

    /// Of the second answer: benign where it says so; malignant where it begins with yes, or says
    /// malignant; none where it begins with no; else unsure.
    pub fn association(&self) -> Association {
        let words = words(&self.q2);
        let says = |word: &str| words.iter().any(|w| w == word);
        match () {
            () if says("benign") && !says("malignant") && !starts(&words, &YES) => {
                Association::Benign
            }
            () if starts(&words, &NO) => Association::None,
            () if starts(&words, &YES) || (says("malignant") && !says("benign")) => {
                Association::Malignant
            }
            () => Association::Unsure,
        }
    }

    /// Whether the third answer speaks of several phenomena; one that begins with `single` does not.
    pub fn several(&self) -> bool {
        const SEVERAL: [&str; 9] =
            ["multiple", "several", "many", "two", "three", "mixture", "mixed", "various", "both"];
        let words = words(&self.q3);
        !starts(&words, &["single", "one", "unique", "no", "not"])
            && words.iter().any(|word| SEVERAL.contains(&word.as_str()))
    }
}
