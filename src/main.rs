//! The command line of unit-atlas, with the files that come with it.

use include_dir::{Dir, DirEntry, include_dir};

static CONTENT: Dir = include_dir!("$CARGO_MANIFEST_DIR/content");
static THEMES: Dir = include_dir!("$CARGO_MANIFEST_DIR/themes");

/// The files below a folder, whose path is that below `name`.
fn files(name: &str, folder: &'static Dir<'static>, found: &mut Vec<base::shipped::File>) {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(folder) => files(name, folder, found),
            DirEntry::File(file) => {
                let path = file.path().to_string_lossy().replace('\\', "/");
                found.push((format!("{name}/{path}"), file.contents()));
            }
        }
    }
}

fn main() -> std::process::ExitCode {
    base::memory::grow_in_large_steps();
    base::shipped::hand_down(|| {
        let mut found = Vec::new();
        files("content", &CONTENT, &mut found);
        files("themes", &THEMES, &mut found);
        found
    });
    cli::main()
}
