//! Hands down the files that come with the program, as the root package does: those of the tree that is
//! tested.

use std::path::{Path, PathBuf};

/// To be called before what reads a built-in lexicon, theme or trunk; again, it does nothing.
pub(crate) fn hand_down() {
    base::shipped::hand_down(|| {
        let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let is_root = |folder: &&Path| folder.join("themes").is_dir();
        let root = crate_folder.ancestors().find(is_root).expect("a folder with themes/");
        let mut folders: Vec<PathBuf> = ["content", "themes"].map(|name| root.join(name)).into();
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes: &'static [u8] = std::fs::read(&path).unwrap().leak();
                    let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                    files.push((name.replace('\\', "/"), bytes));
                }
            }
        }
        files
    });
}
