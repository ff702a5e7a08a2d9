//! What the coordinator of a study runs: `study plan` and `study mrmc`, as whole commands.

use std::fmt::Write;

use serde_json::Value;

use crate::support::project::{Project, TINY};

/// Few simulations of a few designs, in a second.
const PLAN: [&str; 8] =
    ["study", "plan", "--readers", "2,4", "--units", "20,80", "--simulations", "20"];

/// Without a project: in an empty folder.
fn elsewhere() -> Project {
    let project = Project::new("");
    std::fs::remove_file(project.path("atlas.yaml")).unwrap();
    project
}

fn json(project: &Project, arguments: &[&str]) -> Value {
    let told = project.run(arguments).expect(0);
    serde_json::from_str(&told.out).unwrap_or_else(|error| panic!("{error}: {}", told.out))
}

#[test]
fn a_plan_needs_no_project_and_follows_from_its_seed() {
    let project = elsewhere();
    let with = |more: &[&str]| {
        let arguments: Vec<&str> = PLAN.into_iter().chain(more.iter().copied()).collect();
        project.run(&arguments).expect(0).out
    };
    let told = with(&["--width", "0.3"]);
    for text in [
        "20 simulated studies of each design: any two readers agree with kappa 0.6, on 3 categories of shares \
         0.33, 0.33, 0.33.",
        "Fleiss\u{2019} kappa\n  units   2 readers",
        "Krippendorff\u{2019}s alpha\n  units   2 readers",
        "Ask 4 readers about 80 units each",
        "each reader about 1 h 20 min, and all of them together 5 h 20 min: 80 units at 60 s (an assumption",
    ] {
        assert!(told.contains(text), "{text:?} not in {told}");
    }
    assert_eq!(told, with(&["--width", "0.3"]));
    let other = with(&["--width", "0.3", "--seed", "5", "--seconds", "30"]);
    assert_ne!(told.lines().nth(5), other.lines().nth(5));
    assert!(
        other.contains("all of them together 2 h 40 min: 80 units at 30 s (as given)"),
        "{other}"
    );
    // Too few: it says how many.
    let told = with(&["--width", "0.05"]);
    assert!(
        told.contains("None of these designs") && told.contains("4 readers would need"),
        "{told}"
    );

    let arguments: Vec<&str> =
        PLAN.into_iter().chain(["--prevalence", "0.9,0.1", "--json"]).collect();
    let plan = json(&project, &arguments);
    assert_eq!(plan["tried"].as_array().unwrap().len(), 4);
    assert_eq!(plan["tried"][3]["readers"], 4);
    assert_eq!(plan["pace"]["from"], "assumed");
    assert!(plan["tried"][0]["kappa"]["mean"].as_f64().unwrap() > 0.3, "{plan}");
    for (wrong, said) in [
        (["--prevalence", "0.2,0.2"], "sum to 0.400"),
        (["--agreement", "1"], "from 0 to 0.99"),
        (["--readers", "1"], "from 2 to 20"),
        (["--units", "6..2"], "no range"),
        (["--width", "0"], "above 0"),
    ] {
        let told = project.run(&["study", "plan", wrong[0], wrong[1]]);
        told.expect_error(&[said]);
    }
}

#[test]
fn a_plan_takes_the_time_that_answers_took() {
    let project = Project::new(TINY);
    project.write(
        "content/labels/a.yaml",
        "schema: 1\nstudy: tiny\nreader: a\nlexicon: bi-rads-5\nanswers:\n  \
         - { unit: resnet10/bn1/0001, recognizable: no, seconds: 20 }\n  \
         - { unit: resnet10/bn1/0002, recognizable: no, seconds: 45 }\n  \
         - { unit: resnet10/bn1/0003, recognizable: no, seconds: 600 }\n",
    );
    let arguments: Vec<&str> = PLAN.into_iter().chain(["--width", "0.3"]).collect();
    let told = project.run(&arguments).expect(0);
    assert!(
        told.out.contains("80 units at 45 s (the median of the answers in content/labels)"),
        "{}",
        told.out
    );
    // A project that cannot be read is not passed over.
    project.write("atlas.yaml", "networks: 3\n");
    project.run(&arguments).expect_error(&["atlas.yaml"]);
}

/// Scores of eight cases by three readers; B sees nothing without explanations.
fn scores() -> String {
    let mut text = "reader,case,condition,score,truth\n".to_owned();
    for (reader, without, with) in [
        ("A", [10, 40, 20, 50, 30, 60, 70, 80], [10, 20, 30, 40, 35, 60, 70, 80]),
        ("B", [50, 20, 60, 10, 30, 55, 40, 5], [20, 30, 10, 50, 60, 70, 45, 90]),
        ("C", [20, 10, 40, 60, 50, 30, 70, 90], [20, 10, 40, 30, 50, 55, 70, 90]),
    ] {
        for (condition, scores) in [("without", without), ("with", with)] {
            for (case, score) in scores.into_iter().enumerate() {
                let truth = if case < 4 { "benign" } else { "malignant" };
                writeln!(text, "{reader},case {case},{condition},{score},{truth}").unwrap();
            }
        }
    }
    text
}

#[test]
fn scores_of_two_conditions_are_compared() {
    let project = elsewhere();
    project.write("scores.csv", scores());
    let told = project.run(&["study", "mrmc", "scores.csv"]).expect(0);
    assert_eq!(told.err, "");
    for text in [
        "3 readers scored 8 cases (4 positive, 4 negative) in both conditions, `without` and `with`.",
        "higher in `with` than in `without` (95% ",
        "reader  without",
        "other readers and cases     Obuchowski-Rockette, DeLong",
        "Dorfman-Berbaum-Metz",
        "ICC(2,1), agreement (95%)",
    ] {
        assert!(told.out.contains(text), "{text:?} not in {}", told.out);
    }
    let found = json(&project, &["study", "mrmc", "scores.csv", "--json"]);
    // B, without: of 16 pairs of a benign and a malignant case 7 are in order. Counted by hand.
    assert_eq!(found["readers"][1]["reader"], "B");
    assert_eq!(found["readers"][1]["areas"][0]["value"], 7.0 / 16.0);
    assert_eq!(found["cases"]["positive"], 4);
    let test = &found["obuchowski_rockette"]["delong"]["tests"]["readers_and_cases"];
    let (p, low) = (test["p"].as_f64().unwrap(), test["interval"][0].as_f64().unwrap());
    assert_eq!(p < 0.05, low > 0.0, "{test}");
    let pseudovalues = &found["dorfman_berbaum_metz"]["tests"]["readers_and_cases"]["f"];
    let jackknife = &found["obuchowski_rockette"]["jackknife"]["tests"]["readers_and_cases"]["f"];
    let apart = pseudovalues.as_f64().unwrap() / jackknife.as_f64().unwrap() - 1.0;
    assert!(apart.abs() < 1e-9, "{apart}");

    // The other way round, with the truth in a table of its own.
    let bare: String =
        scores().lines().map(|l| l.rsplit_once(',').unwrap().0.to_owned() + "\n").collect();
    project.write("bare.csv", bare);
    let truths: String =
        (0..8).map(|case| format!("case {case};{}\n", i32::from(case > 3))).collect();
    project.write("truth.csv", format!("case;truth\n{truths}"));
    let turned = json(
        &project,
        &[
            "study",
            "mrmc",
            "bare.csv",
            "--truth",
            "truth.csv",
            "--conditions",
            "with,without",
            "--json",
        ],
    );
    assert_eq!(turned["difference"].as_f64().unwrap(), -found["difference"].as_f64().unwrap());
    project.run(&["study", "mrmc", "bare.csv"]).expect_error(&["bare.csv:1", "no column `truth`"]);
}

#[test]
fn bad_rows_are_told_with_their_lines_and_the_rest_is_analysed() {
    let project = elsewhere();
    let text = scores().replace("A,case 0,without,10,", "A,case 0,without,ten,");
    project.write("scores.csv", text);
    let told = project.run(&["study", "mrmc", "scores.csv"]).expect(2);
    assert!(told.err.contains("skipped: scores.csv:2: `score` is no number"), "{}", told.err);
    assert!(
        told.err.contains("reader `A` has no score in `without` of 1 case: `case 0`; left out"),
        "{}",
        told.err
    );
    assert!(told.out.contains("3 readers scored 7 cases (4 positive, 3 negative)"), "{}", told.out);
    assert!(told.out.contains("; 1 case left out."), "{}", told.out);
    let one = project.run(&["study", "mrmc", "scores.csv", "--readers", "B"]).expect(2).out;
    assert!(
        one.contains("1 reader scored 8 cases") && one.contains("for this reader and other cases"),
        "{one}"
    );
    assert!(one.contains("none: only one reader"), "{one}");
    // What cannot be analysed says what lacks, and which rows were bad.
    let few: String = scores().lines().take(3).map(|line| format!("{line}\n")).collect();
    project.write("few.csv", few);
    project
        .run(&["study", "mrmc", "few.csv"])
        .expect_error(&["all scores are of one condition, `without`"]);
    project.run(&["study", "mrmc", "nowhere.csv"]).expect_error(&["nowhere.csv", "cannot be read"]);
}

#[test]
fn the_surveys_questions_go_to_redcap() {
    let project = Project::new(TINY);
    // Never in the place of what is the project's own, or of something else.
    for (file, words) in
        [("atlas.yaml", "does not end with .csv"), ("content/x.csv", "belongs to the project")]
    {
        let told = project.run(&["study", "redcap", file]).expect(1);
        assert!(told.err.contains(words), "{}", told.err);
    }
    let told = project.run(&["study", "redcap", "dictionary.csv"]).expect(0);
    assert!(told.out.contains("dictionary.csv is written"), "{}", told.out);
    // Nothing is built yet.
    assert!(told.err.contains("note: units are to be typed"), "{}", told.err);
    let text = std::fs::read_to_string(project.path("dictionary.csv")).unwrap();
    assert!(
        text.starts_with("Variable / Field Name,Form Name,Section Header,Field Type,"),
        "{text}"
    );
    assert!(
        text.contains("pattern_3_cancer,unit_answer,")
            && text.contains("margin_spiculated, Mass - Margin")
    );
    project.write("atlas.yaml", format!("{TINY}survey: {{ lexicon: bi-rads-9 }}\n"));
    project
        .run(&["study", "redcap", "other.csv"])
        .expect_error(&["survey.lexicon", "unknown lexicon `bi-rads-9`"]);
    assert!(!project.path("other.csv").exists());
}
