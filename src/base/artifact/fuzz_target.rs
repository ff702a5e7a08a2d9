//! Stamps and documents for the fuzzer: whatever became of them, they are read as they were written, or refused.

use std::path::Path;

use super::{Fingerprint, Sealed, Stamp, State, read_document, write_document};
use crate::fuzz::{Target, outcome};

fn stamp() -> Stamp {
    Stamp::new(3)
        .with("config", Fingerprint::of_bytes(b"a"))
        .with("source", Fingerprint::of_bytes(b"b"))
}

/// A finished folder with one output.
fn finished(folder: &Path) {
    std::fs::write(folder.join("x.json"), "[1]").unwrap();
    stamp().seal(folder, &["x.json"], "cpu").unwrap();
}

fn read_stamp(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.json"), "[1]").unwrap();
    std::fs::write(folder.path().join("stamp.json"), bytes).unwrap();
    let message = match stamp().state(folder.path()) {
        State::Unfinished => "unfinished".to_owned(),
        State::Fresh => outcome(Sealed::open(folder.path()), |sealed| {
            let damage = sealed.damage();
            format!("fresh, {:?}, {damage:?}", sealed.json::<Vec<u8>>("x.json").ok())
        }),
        State::Stale(sealed) => format!("stale, {:?}", sealed.damage()),
        State::Damaged(damaged) => damaged.to_string(),
    };
    message.replace(&folder.path().display().to_string(), "")
}

fn read_a_document(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    std::fs::write(&path, bytes).unwrap();
    let read = read_document::<Vec<(f64, String)>>(&path);
    outcome(read.map_err(|error| error.root_cause().to_string()), |content| {
        assert_eq!(content, [(1.5, "a".to_owned())], "a document that was not written is read");
        "whole".into()
    })
}

pub(crate) fn targets() -> Vec<Target> {
    let folder = tempfile::tempdir().unwrap();
    finished(folder.path());
    let sealed = std::fs::read(folder.path().join("stamp.json")).unwrap();
    let document = folder.path().join("a.json");
    write_document(&document, &[(1.5_f64, "a")]).unwrap();
    let words: &[&str] = &[
        "\"format\":",
        "\"inputs\":",
        "\"outputs\":",
        "\"blake3\":",
        "\"content\":",
        "x.json",
        "../x",
        "/dev/zero",
        "null",
        "{}",
        "[]",
        "1e999",
        "-1",
        "18446744073709551616",
        "\\u0000",
        "\\ud800",
        "[[[[[[[[",
    ];
    vec![
        Target { name: "stamp", seeds: vec![sealed], words, read: read_stamp },
        Target {
            name: "document",
            seeds: vec![std::fs::read(&document).unwrap()],
            words,
            read: read_a_document,
        },
    ]
}
