//! The pages' scripts by themselves, in Node: `tests/scripts/*.test.js`. What they do within a page is tested in
//! Chromium.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Node by the variable `NODE`, else by its usual name; says aloud when there is none.
fn node() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("NODE").filter(|path| !path.is_empty()) {
        return Some(path.into());
    }
    let name = format!("node{}", std::env::consts::EXE_SUFFIX);
    let folders = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&folders)
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file());
    if found.is_none() {
        // Written past the test harness, which hides what passing tests print.
        let _ = writeln!(std::io::stderr(), "skipped: Node is not installed");
    }
    found
}

#[test]
fn the_scripts_compute_what_they_should() {
    let Some(node) = node() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut tests: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".test.js"))
        .collect();
    tests.sort();
    assert!(tests.len() >= 4, "{tests:?}");
    let run = Command::new(&node).arg("--test").args(&tests).output();
    let run = run.unwrap_or_else(|error| panic!("{} does not run: {error}", node.display()));
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    // Node runs no test of a file that it does not know as one, and is content.
    let passed = said.lines().find_map(|line| {
        let (label, count) = line.trim_start_matches(['#', 'ℹ', ' ']).split_once(' ')?;
        (label == "pass").then(|| count.parse::<usize>().ok())?
    });
    assert!(passed.is_some_and(|passed| passed > 100), "{said}");
}
