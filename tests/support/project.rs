//! A project that a test runs the program on.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// As small as a whole project can be.
pub(crate) const TINY: &str = "\
title: Tiny
source: { kind: phantom, patients: 8, height: 320 }
patches: { size: 40, stride: 1 }
networks:
  - { name: resnet10, input: 33, layers: [bn1], training: { epochs: 2, batch: 16, lr: 0.01 } }
dissection: { top: 4, permutations: 19 }
";

/// A project in a folder of its own.
pub(crate) struct Project {
    folder: tempfile::TempDir,
}

/// Small phantoms, one small network, one epoch.
pub(crate) const SMALL: &str = "\
source: { kind: phantom, patients: 10, height: 320 }
patches: { size: 64 }
networks:
  - name: resnet10
    input: 64
    layers: [layer3, layer4]
    training: { epochs: 2, batch: 16, lr: 0.02, schedule: cosine, balance: true, augment: true }
dissection: { top: 8 }
";

impl Project {
    pub(crate) fn new(config: &str) -> Self {
        Self::of(tempfile::tempdir().unwrap(), config)
    }

    /// The same below a folder.
    pub(crate) fn within(above: &Path, config: &str) -> Self {
        Self::of(tempfile::tempdir_in(above).unwrap(), config)
    }

    fn of(folder: tempfile::TempDir, config: &str) -> Self {
        let project = Self { folder };
        project.write("atlas.yaml", config);
        project
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file. A project file that says nothing of machines that name units gets none: they take longer than
    /// all else of a small project.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut bytes = text.as_ref().to_vec();
        let silent = |bytes: &[u8]| {
            std::str::from_utf8(bytes).is_ok_and(|text| {
                text.ends_with('\n') && !text.lines().any(|line| line.starts_with("namer:"))
            })
        };
        if name == "atlas.yaml" && silent(&bytes) {
            bytes.extend_from_slice(b"namer: { kind: none }\n");
        }
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unit-atlas"));
        command.args(arguments).current_dir(self.folder.path());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Told {
        Told::from(self.command(arguments).output().unwrap())
    }

    /// Every file of the site with its bytes.
    pub(crate) fn site(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        self.files("output/site")
    }

    /// Every file below a folder by its path there, with its bytes.
    pub(crate) fn files(&self, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let folder = self.path(folder);
        walkdir::WalkDir::new(&folder)
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let name = entry.path().strip_prefix(&folder).unwrap().to_owned();
                (name, fs::read(entry.path()).unwrap())
            })
            .collect()
    }

    /// Puts a text in the place of another in `atlas.yaml`.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.path("atlas.yaml")).unwrap();
        assert!(text.contains(from), "{from} is not in:\n{text}");
        self.write("atlas.yaml", text.replace(from, to));
    }
}

/// What the program said.
pub(crate) struct Told {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Told {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Told {
    #[track_caller]
    pub(crate) fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{}\n{}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    /// Failed with exactly one message that holds all of `parts`.
    #[track_caller]
    pub(crate) fn expect_error(self, parts: &[&str]) {
        let told = self.expect(1);
        assert_eq!(told.err.matches("error:").count(), 1, "{}", told.err);
        for part in parts {
            assert!(told.err.contains(part), "{part:?} is not in:\n{}", told.err);
        }
    }
}
