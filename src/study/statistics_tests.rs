use super::super::answer::{Phenomenon, Questions};
use super::*;
use agreement::Undefined;

fn answer(unit: &str, phenomena: &[(&str, &[&str], Association)]) -> Answer {
    Answer {
        unit: unit.to_owned(),
        recognizable: if phenomena.is_empty() { Recognizable::No } else { Recognizable::Yes },
        phenomena: phenomena
            .iter()
            .map(|(description, terms, association)| Phenomenon {
                description: (*description).to_owned(),
                terms: terms.iter().map(|term| (*term).to_owned()).collect(),
                association: *association,
            })
            .collect(),
        confidence: None,
        remarks: None,
        answered_at: None,
        received_at: None,
        seconds: None,
        repeat: false,
        questions: None,
    }
}

fn reader(name: &str, answers: Vec<Answer>) -> ReaderFile {
    ReaderFile {
        schema: 1,
        study: "s".to_owned(),
        reader: name.to_owned(),
        lexicon: "bi-rads-5".to_owned(),
        answers,
        about: None,
        superseded: Vec::new(),
    }
}

fn of(readers: &[ReaderFile]) -> Statistics {
    let lexicons = crate::lexicons::built_in();
    statistics(readers, &lexicons, &Matcher::new(&lexicons), 3)
}

use Association::{Benign, Malignant, None as Unrelated};

/// Two readers, two networks, four units; unit 4 of b only.
fn study() -> Vec<ReaderFile> {
    let mut again = answer("vgg16/conv5_3/0001", &[("mass", &["mass"], Malignant)]);
    again.repeat = true;
    let mut timed = answer("alexnet/conv5/0003", &[]);
    timed.seconds = Some(30.0);
    vec![
        reader(
            "a",
            vec![
                answer("vgg16/conv5_3/0001", &[("mass", &["mass"], Malignant)]),
                answer(
                    "vgg16/conv5_3/0002",
                    &[("m", &["margin-spiculated"], Malignant), ("c", &["calc-round"], Benign)],
                ),
                timed,
                again,
            ],
        ),
        reader(
            "b",
            vec![
                answer("vgg16/conv5_3/0001", &[("spiculated masses", &[], Malignant)]),
                answer("vgg16/conv5_3/0002", &[("vessel", &["vessel"], Unrelated)]),
                answer("alexnet/conv5/0003", &[]),
                answer("alexnet/conv5/0004", &[("mass", &["mass"], Benign)]),
            ],
        ),
    ]
}

#[test]
fn answers_are_counted_by_reader_and_network() {
    let s = of(&study());
    assert_eq!(s.networks, ["alexnet", "vgg16"]);
    assert_eq!((s.units, s.shared, s.phenomena, s.suggested), (4, 3, 6, 1));
    let rows: Vec<(Option<&str>, Option<&str>)> =
        s.progress.iter().map(|row| (row.reader.as_deref(), row.network.as_deref())).collect();
    assert_eq!(
        rows,
        [
            (Some("a"), Some("alexnet")),
            (Some("a"), Some("vgg16")),
            (Some("b"), Some("alexnet")),
            (Some("b"), Some("vgg16")),
            (Some("a"), None),
            (Some("b"), None),
            (None, None),
        ]
    );
    let all = &s.progress[6];
    assert_eq!((all.answered, all.recognizable, all.unrecognizable, all.unsure), (7, 5, 2, 0));
    assert_eq!((all.described, all.single, all.entangled), (5, 4, 1));
    assert_eq!((all.malignant, all.repeated, all.seconds), (3, 1, Some(30.0)));
    let a = &s.progress[1];
    assert_eq!((a.answered, a.entangled, a.malignant, a.repeated), (2, 1, 2, 1));
}

fn value(agreement: &Agreement, coefficient: Coefficient) -> f64 {
    agreement.of(coefficient).unwrap().value().unwrap()
}

#[test]
fn agreement_is_by_question_category_and_term() {
    let s = of(&study());
    let question = |id: &str| s.questions.iter().find(|q| q.id == id).unwrap();
    // All three shared units: yes, yes, no.
    let recognizable = question("recognizable");
    assert_eq!((recognizable.units, recognizable.readers), (3, 2));
    assert_eq!(value(recognizable, Coefficient::Percent), 1.0);
    assert_eq!(value(recognizable, Coefficient::Cohen), 1.0);
    // Two units that both describe: malignant twice against malignant and unrelated.
    let malignant = question("malignant");
    assert_eq!((malignant.units, malignant.share), (2, Some(3.0 / 5.0)));
    assert_eq!(value(malignant, Coefficient::Percent), 0.5);
    // Categories: a general one holds its refinements; anatomy has its own.
    let names: Vec<&str> = s.categories.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(
        names,
        ["Mass", "Mass - Margin", "Calcification", "-"],
        "in the order of the lexicons"
    );
    let category = |id: &str| s.categories.iter().find(|c| c.id == id).unwrap();
    // Mass: a in units 1 and 2, b in 1 and 4: of the shared three they differ in unit 2.
    assert_eq!(category("Mass").units, 3);
    assert!((value(category("Mass"), Coefficient::Percent) - 2.0 / 3.0).abs() < 1e-12);
    let [pair] = &category("Mass").pairs[..] else { panic!() };
    assert_eq!((pair.readers.join(" "), pair.units), ("a b".to_owned(), 3));
    // Units 1, 2, 3: a yes yes no, b yes no no.
    assert!((pair.kappa.value().unwrap() - 0.4).abs() < 1e-12, "{:?}", pair.kappa);
    let terms: Vec<&str> = s.terms.iter().map(|t| t.id.as_str()).collect();
    assert_eq!(terms, ["mass", "margin-spiculated", "calc-round", "vessel"]);
    assert_eq!(s.sets.len(), 4);
    // {mass} {mass, spiculated}; {spiculated, round} {vessel}; {} {}.
    let masi = s.sets.iter().find(|s| s.id == "terms_masi").unwrap();
    assert!((value(masi, Coefficient::Percent) - 1.0 / 3.0).abs() < 1e-12);
}

#[test]
fn repeats_count_for_the_reader_alone() {
    let mut readers = study();
    let s = of(&readers);
    let [repeats] = &s.repeats[..] else { panic!("{:?}", s.repeats) };
    assert_eq!((repeats.reader.as_deref(), repeats.units), (Some("a"), 1));
    let recognizable = &repeats.agreement[0];
    assert_eq!(value(recognizable, Coefficient::Percent), 1.0);
    assert_eq!(
        recognizable.of(Coefficient::Cohen),
        Some(Estimate::Undefined(Undefined::NoVariation))
    );
    // With a second reader's repeats there is a row for all; without a first answer it is none.
    let mut again = answer("alexnet/conv5/0004", &[]);
    again.repeat = true;
    let mut stray = answer("alexnet/conv5/0100", &[]);
    stray.repeat = true;
    readers[1].answers.extend([again, stray]);
    let s = of(&readers);
    let units: Vec<usize> = s.repeats.iter().map(|r| r.units).collect();
    assert_eq!((s.repeats.len(), units), (3, vec![1, 1, 2]));
    assert_eq!(value(&s.repeats[2].agreement[0], Coefficient::Percent), 0.5);
}

#[test]
fn an_empty_study_and_a_single_reader_have_no_agreement() {
    let none = of(&[]);
    assert_eq!((none.units, none.shared, none.progress.len()), (0, 0, 1));
    assert!(none.terms.is_empty() && none.repeats.is_empty());
    let one = of(&study()[..1]);
    assert_eq!(one.shared, 0);
    let alpha = one.questions[0].of(Coefficient::Alpha).unwrap();
    assert_eq!(alpha, Estimate::Undefined(Undefined::NoPairs));
}

#[test]
fn the_third_question_of_the_papers_survey_tells_several() {
    let mut several = answer("vgg16/conv5_3/0001", &[("x", &[], Malignant)]);
    assert_eq!(several.is_entangled(), Some(false));
    several.questions = Some(Questions {
        q1: "yes".to_owned(),
        q2: "yes".to_owned(),
        q3: "Multiple".to_owned(),
        q4: "x".to_owned(),
    });
    assert_eq!(several.is_entangled(), Some(true));
}

#[test]
fn the_paragraph_and_the_summary_hold_the_numbers() {
    use crate::report;
    let found = of(&study());
    insta::assert_snapshot!("paragraph", report::paragraph(&found, None, "BI-RADS 5th edition"));
    insta::assert_snapshot!("summary", report::summary(&found));
    assert_eq!(report::paragraph(&of(&[]), None, "x"), "");
}
