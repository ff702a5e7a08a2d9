//! The project file for the fuzzer.

use std::path::Path;

use crate::fuzz::{Target, outcome};
use crate::{Config, written};

const PROJECT: &str = "title: A\nsource: { kind: folder, path: x.csv }\nsplit: { train: 0.8, validation: 0.1, test: 0.1 }\n\
    networks:\n  - name: alexnet\n    training: { epochs: 3, lr: 1.0e-3 }\n\
    figures:\n  - kind: table\n    units: [alexnet/conv5/0001]\n    formats: [svg, pdf]\n";

fn read(bytes: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else { return "not UTF-8".into() };
    outcome(Config::parse(text, Path::new("/project/atlas.yaml")), |config| {
        // Fingerprints are made of this.
        serde_json::to_string(&config).unwrap();
        format!("{} networks, {} figures", config.networks.len(), config.figures.len())
    })
}

pub(crate) fn target() -> Target {
    Target {
        name: "config",
        seeds: vec![PROJECT.into(), written::template().into()],
        words: &[
            "networks: ",
            "- name: ",
            "training: false",
            "kind: ",
            "folder",
            "path: ",
            "{",
            "}",
            "[",
            "]",
            "&a ",
            "*a",
            "<<: *a",
            "!!str ",
            "? ",
            "|\n  ",
            ".nan",
            ".inf",
            "1e999",
            "-0",
            "0x7fffffff",
            "~",
            "null",
            "true",
            "\u{feff}",
            "\r\n",
            "\t",
            "#",
            "'",
            "\\u0000",
            "alexnet",
            "resnet18",
            "vgg16",
        ],
        read,
    }
}

#[test]
fn seeds_are_projects() {
    for seed in target().seeds {
        let said = read(&seed);
        assert!(said.contains(" networks, "), "{said}");
    }
}
