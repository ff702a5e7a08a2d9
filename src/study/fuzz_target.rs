//! Readers' files for the fuzzer, in every form.

use std::sync::LazyLock;

use super::labels::{Dissected, check};
use super::reading::{Given, open};
use crate::fuzz::{Target, outcome};
use crate::{consensus, import};
use base::UnitId;
use lexicon::Lexicons;

const FILE: &str = r#"{"schema":1,"study":"s","reader":"a","lexicon":"bi-rads-5","answers":[
{"unit":"alexnet/conv5/0001","recognizable":"yes","phenomena":[{"description":"x","terms":["mass"],
"association":"benign"}],"confidence":3,"answered_at":"2026-01-02T03:04:05Z","seconds":1.5}]}"#;
const YAML: &str = "schema: 1\nstudy: s\nreader: b\nlexicon: bi-rads-5\nanswers:\n  - unit: \
    alexnet/conv5/0002\n    recognizable: no\n    repeat: true\n    remarks: |\n      two\n      lines\n";
const TABLE: &str = "study,reader,unit,recognizable,phenomenon,terms,association,confidence\n\
    s,\u{738b},alexnet/conv5/0001,yes,mass,\"mass, margin-spiculated\",malignant,3\n\
    s,b,alexnet/conv5/0001,no,,,,\n";
const SEMICOLONS: &str = "sep=;\nstudy;reader;network;layer;unit;phenomenon;terms;association\r\n\
    s;a;alexnet;conv5;1;x;mass;benign\r\n";
const QUESTIONS: &str = "name,model,layer,unit,q1,q2,q3,q4,timestamp\n\
    a,alexnet,conv5,1,Yes,a mass,\"malignant, with spiculae\",no,2018-01-01\n";
const CONSENSUS: &str = "schema: 1\nstudy: s\nunits:\n  - unit: alexnet/conv5/0001\n    label: spiculated \
    mass\n    terms: [margin-spiculated]\n    categories: ['-']\n    association: malignant\n    note: x\n";
const MAPPING: &str =
    r#"{"alexnet/conv5/0001":{"name":"a","q1":"yes","q2":"m","q3":"x","q4":"n"}}"#;

/// Reading them takes longer than any input.
static LEXICONS: LazyLock<Lexicons> = LazyLock::new(crate::lexicons::built_in);

fn read(bytes: &[u8], name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let given = Given {
        study: Some("s".to_owned()),
        reader: Some("r".to_owned()),
        lexicon: "bi-rads-5".to_owned(),
        encoding: None,
    };
    let layers =
        [Dissected { network: "alexnet".to_owned(), layer: "conv5".to_owned(), units: 256 }];
    let message = outcome(open(&path, &given, &layers), |reads| {
        let checked = check(&reads, &layers, &LEXICONS);
        let problems: Vec<String> = checked.problems.iter().map(ToString::to_string).collect();
        for read in &reads {
            let name = import::file_name(&read.content().reader);
            assert!(name.len() < 256 && !name.contains('/'), "{name:?}");
            let _ = import::writable(&read.content(), &path);
        }
        format!("{} files: {}", reads.len(), problems.join(" "))
    });
    // The folder's name differs from input to input.
    message.replace(&folder.path().display().to_string(), "")
}

fn settled(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("consensus.yaml");
    std::fs::write(&path, bytes).unwrap();
    let layers =
        [Dissected { network: "alexnet".to_owned(), layer: "conv5".to_owned(), units: 256 }];
    let (consensus, problems) = consensus::read(&path, Some("s"), &layers, &LEXICONS);
    let unit = UnitId::new("alexnet", "conv5", 1);
    let known = consensus.of(&unit).map(consensus::Settled::is_birads);
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    format!("{known:?}: {}", problems.join(" ")).replace(&folder.path().display().to_string(), "")
}

pub(crate) fn targets() -> Vec<Target> {
    let words = &[
        "schema: 1",
        "\"answers\":[",
        "recognizable",
        "yes",
        "unsure",
        "alexnet/conv5/",
        "mass; mass",
        "malignant",
        "answered_at",
        "received_at",
        "2026-13-01T00:00:00Z",
        "confidence",
        "1e999",
        "-0",
        "NaN",
        "sep=;",
        "\"\"",
        "\t",
        ";",
        "\u{feff}",
        "\r\n",
        "&a",
        "*a",
        "<<: *a",
        "!!binary",
        "? ",
        "- - - ",
        "{{",
        "\\u0000",
    ];
    let target = |name, seeds: &[&str], read| Target {
        name,
        seeds: seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect(),
        words,
        read,
    };
    vec![
        target("labels", &[FILE, YAML, MAPPING], |bytes| read(bytes, "a.yaml")),
        target("consensus", &[CONSENSUS], settled),
        target("label_tables", &[TABLE, SEMICOLONS, QUESTIONS], |bytes| read(bytes, "a.csv")),
    ]
}
