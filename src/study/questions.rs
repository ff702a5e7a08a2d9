//! The four questions of the survey that the paper's code serves, and their answers.
//!
//! That server keeps one pickle per reader, a mapping from `model/layer/unit_0001` to the fields of the
//! page: `name`, `model`, `layer`, `unit`, `q1` to `q4` and `timestamp`. The same mapping, or a list of
//! its values, is read from JSON or YAML, and as a table from CSV. The words are kept verbatim; what
//! follows from them for the structured answer is stated at each function.

use std::collections::BTreeMap;

use formats::value;
use serde::Deserialize;
use serde_yaml::Spanned;

use super::answer::{Association, Questions, Recognizable};
use super::form::{AnswerForm, Form, PhenomenonForm, placed};
use super::labels::Dissected;
use super::reading::Given;
use super::sheet::File;
use super::time;
use base::digits;
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
                    about: None,
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
        let answered_at = match self.timestamp.filter(|stamp| !stamp.value.trim().is_empty()) {
            None => None,
            Some(stamp) => {
                let Some(time) = instant(&stamp.value) else {
                    let message = format!(
                        "`timestamp` is `{}`; expected the server's 2017-08-01_10-12-13.5, or \
                         2017-08-01T10:12:13.5Z (RFC 3339)",
                        stamp.value
                    );
                    return Err(text.mistake(stamp.referenced, message));
                };
                Some(placed(time, stamp.referenced))
            }
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
            answered_at,
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
    let unit = unit.strip_prefix("unit_").unwrap_or(unit);
    // Spreadsheets take the zeros in front of a number away.
    match value::whole(unit).and_then(|number| u32::try_from(number).ok()) {
        Some(number) => format!("{network}/{layer}/{}", digits(number)),
        None => format!("{network}/{layer}/{unit}"),
    }
}

/// The server's `2017-08-01_10-12-13.123456` as RFC 3339. It does not say its time zone: UTC is taken,
/// which keeps the order of the answers. RFC 3339 is left as it is; `None` for any other text.
fn instant(stamp: &str) -> Option<String> {
    if let Some((day, time)) = stamp.split_once('_') {
        let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
        let dot = if fraction.is_empty() { "" } else { "." };
        let text = format!("{day}T{}{dot}{fraction}Z", clock.replace('-', ":"));
        if time::nanoseconds(&text).is_some() {
            return Some(text);
        }
    }
    time::nanoseconds(stamp).map(|_| stamp.to_owned())
}

/// The words of a text in lower case, clause by clause: a comma, a stop, a bracket or `but` starts the next.
fn clauses(text: &str) -> Vec<Vec<String>> {
    let mut clauses = Vec::new();
    for part in text.split([',', '.', ';', ':', '!', '?', '(', ')', '\n']) {
        let mut clause = Vec::new();
        let words = part.split(|c: char| !c.is_alphanumeric() && !['\'', '\u{2019}'].contains(&c));
        for word in words.filter(|word| !word.is_empty()) {
            match word.to_lowercase().replace('\u{2019}', "'") {
                but if but == "but" => clauses.push(std::mem::take(&mut clause)),
                word => clause.push(word),
            }
        }
        clauses.push(clause);
    }
    clauses.retain(|clause| !clause.is_empty());
    clauses
}

fn starts(clauses: &[Vec<String>], with: &[&str]) -> bool {
    let first = clauses.first().and_then(|clause| clause.first());
    first.is_some_and(|word| with.contains(&word.as_str()))
}

const YES: [&str; 7] = ["yes", "y", "yeah", "yep", "definitely", "clearly", "true"];
const NO: [&str; 7] = ["no", "n", "nope", "none", "not", "nothing", "false"];
/// What makes a text that begins with no, within two words of it, one of somebody who does not know.
const KNOWN: [&str; 9] =
    ["sure", "certain", "clear", "clearly", "idea", "clue", "opinion", "obvious", "convinced"];
/// What denies the words after it, to the end of their clause.
const DENIED: [&str; 12] = [
    "no", "not", "non", "neither", "nor", "never", "without", "hardly", "unlikely", "isn't",
    "don't", "doesn't",
];

/// Whether a text begins by saying that its writer does not know: `not sure`, `no idea`.
fn doubts(clauses: &[Vec<String>]) -> bool {
    starts(clauses, &NO)
        && clauses[0].iter().skip(1).take(2).any(|word| KNOWN.contains(&word.as_str()))
}

/// How a text uses a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Absent,
    Said,
    /// Only after a negation.
    Denied,
}

fn uses(clauses: &[Vec<String>], word: &str) -> Use {
    let mut found = Use::Absent;
    for clause in clauses {
        for (at, _) in clause.iter().enumerate().filter(|(_, said)| *said == word) {
            if !clause[..at].iter().any(|before| DENIED.contains(&before.as_str())) {
                return Use::Said;
            }
            found = Use::Denied;
        }
    }
    found
}

impl Questions {
    /// Yes or no by the first word of the first answer; anything else is unsure, and so is `not sure`.
    pub fn recognizable(&self) -> Recognizable {
        let said = clauses(&self.q1);
        match () {
            () if doubts(&said) => Recognizable::Unsure,
            () if starts(&said, &YES) => Recognizable::Yes,
            () if starts(&said, &NO) => Recognizable::No,
            () => Recognizable::Unsure,
        }
    }

    /// Of the second answer: benign where it says so; malignant where it begins with yes, or says
    /// malignant; none where it begins with no, or denies that it is malignant; else unsure, and so are
    /// `not sure` and a bare `not benign`.
    pub fn association(&self) -> Association {
        let said = clauses(&self.q2);
        let (yes, no, doubt) = (starts(&said, &YES), starts(&said, &NO), doubts(&said));
        match (uses(&said, "benign"), uses(&said, "malignant")) {
            (Use::Said, Use::Absent | Use::Denied) if !yes => Association::Benign,
            (Use::Denied, Use::Said) => Association::Malignant,
            (Use::Absent, Use::Said) if !no || doubt => Association::Malignant,
            _ if doubt => Association::Unsure,
            (Use::Absent | Use::Denied, Use::Denied) if !yes => Association::None,
            (Use::Denied, Use::Absent) if !yes => Association::Unsure,
            _ if no => Association::None,
            _ if yes => Association::Malignant,
            _ => Association::Unsure,
        }
    }

    /// Whether the third answer speaks of several phenomena; one that begins with `single` does not.
    pub fn several(&self) -> bool {
        const SEVERAL: [&str; 9] =
            ["multiple", "several", "many", "two", "three", "mixture", "mixed", "various", "both"];
        let said = clauses(&self.q3);
        !starts(&said, &["single", "one", "unique", "no", "not"])
            && said.iter().flatten().any(|word| SEVERAL.contains(&word.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn questions(q1: &str, q2: &str) -> Questions {
        Questions { q1: q1.into(), q2: q2.into(), q3: String::new(), q4: String::new() }
    }

    #[test]
    fn whoever_does_not_know_says_neither_yes_nor_no() {
        use Recognizable::{No, Unsure, Yes};
        for (said, expected) in [
            ("Yes", Yes),
            (" yes, mostly", Yes),
            ("Definitely", Yes),
            ("no", No),
            ("No.", No),
            ("not really", No),
            ("Nothing, I am sure", No),
            ("n/a", No),
            ("Not sure", Unsure),
            ("not entirely sure", Unsure),
            ("No idea!", Unsure),
            ("not clearly", Unsure),
            ("maybe", Unsure),
            ("", Unsure),
        ] {
            assert_eq!(questions(said, "").recognizable(), expected, "{said}");
        }
    }

    #[test]
    fn what_is_denied_is_not_said() {
        use Association::{Benign, Malignant, None, Unsure};
        for (said, expected) in [
            ("benign", Benign),
            ("no, benign", Benign),
            ("benign, not malignant", Benign),
            ("Not malignant but benign", Benign),
            ("Not sure, probably benign", Benign),
            ("yes", Malignant),
            ("Yes, not benign", Malignant),
            ("malignant", Malignant),
            ("malignant, not benign", Malignant),
            ("not benign, malignant", Malignant),
            ("no", None),
            ("n/a", None),
            ("not malignant", None),
            ("it is not malignant", None),
            ("not associated with cancer", None),
            ("neither benign nor malignant", None),
            ("not benign", Unsure),
            ("isn\u{2019}t benign", Unsure),
            ("not sure", Unsure),
            ("Not sure whether benign", Unsure),
            ("not sure if benign or malignant", Unsure),
            ("benign or malignant", Unsure),
            ("unclear", Unsure),
        ] {
            assert_eq!(questions("", said).association(), expected, "{said}");
        }
    }

    #[test]
    fn units_and_times_are_read_as_the_server_and_spreadsheets_write_them() {
        for (unit, expected) in
            [("unit_0063", "0063"), ("0063", "0063"), ("2", "0002"), ("49.0", "0049"), ("x", "x")]
        {
            let name = unit_name("alexnet_2class", "conv5", unit, &[]);
            assert_eq!(name, format!("alexnet/conv5/{expected}"));
        }
        let expected = Some("2017-08-01T10:12:13.5Z".to_owned());
        assert_eq!(instant("2017-08-01_10-12-13.5"), expected);
        assert_eq!(instant("2017-08-01T10:12:13.5Z"), expected);
        for wrong in ["yesterday", "2017-08-01", "2017-13-01_10-12-13"] {
            assert_eq!(instant(wrong), None, "{wrong}");
        }
    }
}
