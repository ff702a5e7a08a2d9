//! The survey's questions as a data dictionary of REDCap, for studies that must be held there.
//!
//! A record of REDCap is one reader's answer for one unit. Its choices are what answers here hold (`yes`, `malignant`,
//! the ids of terms), with `_` for the dashes that REDCap takes in no code of a checkbox.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use lexicon::Lexicons;

use super::selection::Selection;

/// REDCap's columns, as its own downloads name them.
pub const COLUMNS: [&str; 18] = [
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
    "Text Validation Min",
    "Text Validation Max",
    "Identifier?",
    "Branching Logic (Show field only if...)",
    "Required Field?",
    "Custom Alignment",
    "Question Number (surveys only)",
    "Matrix Group Name",
    "Matrix Ranking?",
    "Field Annotation",
];

/// The form that the fields are on.
const FORM: &str = "unit_answer";
/// Patterns that can be described of a unit; the survey itself takes any number.
const PATTERNS: usize = 3;

/// A field; what it has no use for is empty.
#[derive(Default)]
struct Field {
    name: String,
    section: String,
    kind: &'static str,
    label: String,
    choices: String,
    note: &'static str,
    shown_if: String,
    required: bool,
}

impl Field {
    fn row(self) -> [String; 18] {
        let mut row = [const { String::new() }; 18];
        row[0] = self.name;
        row[1] = FORM.to_owned();
        row[2] = self.section;
        row[3] = self.kind.to_owned();
        row[4] = self.label;
        row[5] = self.choices;
        row[6] = self.note.to_owned();
        row[11] = self.shown_if;
        row[12] = if self.required { "y".to_owned() } else { String::new() };
        row
    }
}

/// The dictionary as CSV. `lexicon` offers its terms, and so do those that are not BI-RADS, as in the survey; with a
/// selection the unit is chosen from a list, by its code where the survey is blind.
///
/// # Errors
/// When the lexicon is unknown, or REDCap cannot tell two of its terms apart.
pub fn dictionary(
    lexicon: &str,
    lexicons: &Lexicons,
    selection: Option<&Selection>,
) -> Result<String> {
    let terms = terms(lexicon, lexicons)?;
    let mut fields = vec![
        Field {
            name: "record_id".into(),
            kind: "text",
            label: "Record".into(),
            ..Field::default()
        },
        Field {
            name: "reader".into(),
            kind: "text",
            label: "Reader".into(),
            note: "A pseudonym, no name",
            required: true,
            ..Field::default()
        },
        unit(selection),
        Field {
            name: "recognizable".into(),
            kind: "radio",
            label: "Do these patches show something recognisable?".into(),
            choices: choices([("yes", "Yes"), ("no", "No"), ("unsure", "Not sure")]),
            required: true,
            ..Field::default()
        },
    ];
    for number in 1..=PATTERNS {
        fields.extend(pattern(number, &terms));
    }
    fields.push(Field {
        name: "confidence".into(),
        section: "All of it".into(),
        kind: "radio",
        label: "Confidence".into(),
        choices: choices([
            ("1", "1 (guessing)"),
            ("2", "2"),
            ("3", "3"),
            ("4", "4"),
            ("5", "5 (certain)"),
        ]),
        ..Field::default()
    });
    fields.push(Field {
        name: "remarks".into(),
        kind: "notes",
        label: "Remarks".into(),
        ..Field::default()
    });
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for field in fields {
        writer.write_record(field.row())?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn unit(selection: Option<&Selection>) -> Field {
    let field =
        Field { name: "unit".into(), label: "Unit".into(), required: true, ..Field::default() };
    match selection.filter(|selection| !selection.units.is_empty()) {
        None => Field { kind: "text", note: "As the survey names it", ..field },
        Some(selection) => {
            let name = |chosen: &super::selection::Chosen| match selection.blind {
                true => chosen.code.clone(),
                false => chosen.unit.to_string(),
            };
            let units = selection.units.iter().map(|chosen| (code(&chosen.code), name(chosen)));
            Field { kind: "dropdown", choices: choices(units), ..field }
        }
    }
}

/// The fields of a pattern.
fn pattern(number: usize, terms: &str) -> Vec<Field> {
    let shown_if = match number {
        1 => "[recognizable] = 'yes' or [recognizable] = 'unsure'".to_owned(),
        _ => format!("[pattern_{}_more(1)] = '1'", number - 1),
    };
    let field = |name: &str, kind, label: &str| Field {
        name: format!("pattern_{number}_{name}"),
        kind,
        label: label.to_owned(),
        shown_if: shown_if.clone(),
        ..Field::default()
    };
    let mut fields = vec![
        Field {
            section: format!("Pattern {number}"),
            choices: terms.to_owned(),
            note: "Terms, your own words, or both",
            ..field("terms", "checkbox", "Terms")
        },
        field("words", "notes", "In your words"),
        Field {
            choices: choices([
                ("malignant", "Malignant"),
                ("benign", "Benign"),
                ("none", "None"),
                ("unsure", "Not sure"),
            ]),
            required: true,
            ..field("cancer", "radio", "Association with breast cancer")
        },
    ];
    if number < PATTERNS {
        let more = field("more", "checkbox", "Is there another pattern?");
        fields.push(Field { choices: choices([("1", "Another pattern")]), ..more });
    }
    fields
}

/// The terms that are offered, each with its category.
fn terms(lexicon: &str, lexicons: &Lexicons) -> Result<String> {
    let known: Vec<&str> = lexicons.iter().map(|known| known.id.as_str()).collect();
    if !known.contains(&lexicon) {
        bail!("survey.lexicon: {}", base::yaml::unknown("lexicon", lexicon, &known));
    }
    let mut codes = BTreeSet::new();
    let mut offered = Vec::new();
    for entry in lexicons.entries().filter(|e| e.lexicon.id == lexicon || !e.lexicon.birads) {
        let code = code(&entry.term.id);
        if !codes.insert(code.clone()) {
            bail!("the terms that become `{code}` in REDCap are two; rename one in its lexicon");
        }
        let label = match entry.category {
            "-" => entry.term.name.clone(),
            category => format!("{category}: {}", entry.term.name),
        };
        offered.push((code, label));
    }
    Ok(choices(offered))
}

/// What REDCap takes for a code: letters, digits and `_`.
fn code(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// `yes, Yes | no, No`; a bar within a label would end it.
fn choices<C: AsRef<str>, L: AsRef<str>>(of: impl IntoIterator<Item = (C, L)>) -> String {
    let choice =
        |(code, label): (C, L)| format!("{}, {}", code.as_ref(), label.as_ref().replace('|', "/"));
    of.into_iter().map(choice).collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selection::{Chosen, Reason};

    fn rows(text: &str) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    /// REDCap refuses a dictionary with another header, a name that it cannot use or that comes twice, a choice without
    /// a label, or logic by a field that there is not.
    #[test]
    fn a_dictionary_is_one_that_redcap_takes() {
        let lexicons = crate::lexicons::built_in();
        let found = rows(&dictionary("bi-rads-5", &lexicons, None).unwrap());
        assert_eq!(found[0], COLUMNS);
        assert_eq!(found[1][0], "record_id");
        let mut names = BTreeSet::new();
        for row in &found[1..] {
            let (name, kind, choices, logic) = (&row[0], &row[3], &row[5], &row[11]);
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(
                name.len() <= 26 && name.chars().all(plain) && names.insert(name.clone()),
                "{name}"
            );
            assert!(
                ["text", "notes", "radio", "dropdown", "checkbox"].contains(&kind.as_str()),
                "{kind}"
            );
            assert_eq!(
                !choices.is_empty(),
                ["radio", "dropdown", "checkbox"].contains(&kind.as_str())
            );
            let mut codes = BTreeSet::new();
            for choice in choices.split(" | ").filter(|choice| !choice.is_empty()) {
                let (code, label) = choice.split_once(", ").unwrap();
                let plain = code.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                assert!(plain && codes.insert(code) && !label.is_empty(), "{choice}");
            }
            for part in logic.split('[').skip(1) {
                let named = part.split([']', '(']).next().unwrap();
                assert!(names.contains(named), "{named} comes before it is asked");
            }
        }
        let terms = found.iter().find(|row| row[0] == "pattern_1_terms").unwrap();
        let offered = terms[5].split(" | ").count();
        let known = lexicons.entries().filter(|e| e.lexicon.id == "bi-rads-5" || !e.lexicon.birads);
        assert_eq!(offered, known.count());
        assert!(terms[5].contains("margin_spiculated, Mass - Margin: spiculated"), "{}", terms[5]);
        assert!(dictionary("bi-rads-9", &lexicons, None).is_err());
    }

    #[test]
    fn units_are_a_list_that_tells_no_name_where_the_survey_is_blind() {
        let lexicons = crate::lexicons::built_in();
        let chosen = Chosen {
            unit: "alexnet/conv5/0063".parse().unwrap(),
            code: "u-23456789bcdf".into(),
            reason: Reason::Cancer,
            cancer: 1,
            shown: 2,
            influence: Some(3),
        };
        let selection = |blind| Selection {
            consent: None,
            format: 1,
            study: "s".into(),
            lexicon: "bi-rads-5".into(),
            blind,
            units: vec![chosen.clone()],
        };
        let unit = |blind| {
            let text = dictionary("bi-rads-5", &lexicons, Some(&selection(blind))).unwrap();
            rows(&text).into_iter().find(|row| row[0] == "unit").unwrap()[3..6].to_vec()
        };
        assert_eq!(unit(true), ["dropdown", "Unit", "u_23456789bcdf, u-23456789bcdf"]);
        assert_eq!(unit(false), ["dropdown", "Unit", "u_23456789bcdf, alexnet/conv5/0063"]);
    }
}
