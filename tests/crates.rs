//! Every crate stands in its own folder: what it compiles in lies there, so that it can be packaged alone.

use std::path::{Component, Path, PathBuf};

/// The files that a source file compiles in, by their paths from the root of the repository.
fn compiled_in(file: &Path, text: &str) -> Vec<PathBuf> {
    // What stands behind the first `cfg(test)` is for tests alone, which no package needs.
    let (shipped, _) = text.split_once("#[cfg(test)]").unwrap_or((text, ""));
    let marks = ["include_str!(\"", "include_bytes!(\"", "include!(\"", "#[path = \""];
    let named = marks.iter().flat_map(|mark| shipped.split(mark).skip(1));
    let named = named.filter_map(|rest| rest.split('"').next());
    let resolved = named.map(|path| {
        let mut resolved = file.parent().unwrap().to_owned();
        for part in Path::new(path).components() {
            match part {
                Component::ParentDir => drop(resolved.pop()),
                part => resolved.push(part),
            }
        }
        resolved
    });
    let dirs = shipped.matches("include_dir!(").count();
    resolved.chain((0..dirs).map(|_| PathBuf::from("a folder by its name"))).collect()
}

#[test]
fn no_crate_reaches_out_of_its_folder() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = 0;
    for entry in walkdir::WalkDir::new(root.join("src")).min_depth(2) {
        let entry = entry.unwrap();
        let file = entry.path().strip_prefix(root).unwrap();
        let name = entry.file_name().to_str().unwrap();
        if !name.ends_with(".rs") || name.ends_with("tests.rs") {
            continue;
        }
        let own: PathBuf = file.components().take(2).collect();
        for path in compiled_in(file, &std::fs::read_to_string(entry.path()).unwrap()) {
            assert!(path.starts_with(&own), "{} compiles in {}", file.display(), path.display());
            found += 1;
        }
    }
    assert!(found > 10, "only {found} files that are compiled in were found");
}

#[test]
fn a_crate_that_reaches_out_is_found() {
    let file = Path::new("src/lexicon/file.rs");
    let text = "include_str!(\"../../content/a.yaml\"); include_str!(\"b.yaml\");\n#[cfg(test)]\n\
                include_str!(\"../../tests/c.yaml\")";
    let found = compiled_in(file, text);
    assert_eq!(found, ["content/a.yaml", "src/lexicon/b.yaml"].map(PathBuf::from));
}
