//! `patches export`: PNG patches and lists, in the layout that the paper's released PyTorch code reads.
//!
//! All patches lie in one folder as `<mammogram>-y<Y>_x<X>_h<H>_w<W>.png`, beside `train.txt`,
//! `val.txt` and `test.txt` with lines `NAME LABEL`, where LABEL is 0 or 1. The lists are written
//! last, so that a list never names a patch that is not there. `unit-atlas-export.json` marks the
//! folder as ours.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use rayon::prelude::*;
use serde_json::json;

use base::progress::Progress;
use base::{Split, artifact};
use mammogram::is_file_name;
use record::{Manifest, Store};

const LISTS: [(&str, Split); 3] =
    [("train.txt", Split::Train), ("val.txt", Split::Validation), ("test.txt", Split::Test)];
/// Marks a folder that an earlier export made.
const MARK: &str = "unit-atlas-export.json";

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Patches in `train.txt`, `val.txt` and `test.txt`.
    pub patches: [usize; 3],
    /// How many of them are positive.
    pub positives: [usize; 3],
}

/// Writes every patch into `folder`, which must be new, empty, or of an earlier export; patches of earlier
/// exports, finished or killed, that this one lacks are removed.
///
/// # Errors
/// When the folder holds anything else, a file cannot be written, or manifest and store disagree.
pub fn export(
    manifest: &Manifest,
    store: &Store,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<Report> {
    ensure!(
        store.len() as usize == manifest.patches.len(),
        "the patch store holds {} patches and the manifest lists {}; run `prepare`",
        store.len(),
        manifest.patches.len()
    );
    let earlier = claim(folder)?;
    artifact::tidy(folder)?;
    let _writing = artifact::Writing::into(folder)?;
    let names: Vec<String> =
        manifest.patches.iter().map(|p| format!("{}.png", manifest.patch_name(p))).collect();
    // Known to whoever comes after a killed export, which leaves no list.
    let begun: BTreeSet<&str> = earlier.iter().chain(&names).map(String::as_str).collect();
    mark(folder, Some(&begun))?;
    progress.start("exporting patches", names.len() as u64);
    let written = names.par_iter().enumerate().try_for_each(|(number, name)| {
        let mut bytes = Vec::new();
        let (pixels, edge) = (store.pixels(number as u32), store.edge());
        PngEncoder::new(&mut bytes).write_image(pixels, edge, edge, ExtendedColorType::L8)?;
        artifact::write_if_changed(&folder.join(name), &bytes)?;
        progress.advance(1);
        Ok(())
    });
    progress.finish();
    written.map_err(|error: anyhow::Error| error)?;

    let mut report = Report { patches: [0; 3], positives: [0; 3] };
    for (i, (list, split)) in LISTS.into_iter().enumerate() {
        let mut text = String::new();
        for number in manifest.of_split(split) {
            text += &format!("{} {}\n", names[number as usize], manifest.class(number));
            report.patches[i] += 1;
            report.positives[i] += usize::from(manifest.patches[number as usize].positive);
        }
        artifact::write(&folder.join(list), text.as_bytes())?;
    }
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    for name in earlier.iter().filter(|name| !names.contains(name.as_str())) {
        let path = folder.join(name);
        if path.is_file() {
            fs_err::remove_file(path)?;
        }
    }
    mark(folder, None)?;
    Ok(report)
}

/// Marks the folder as ours; `begun` are the patches that may lie there while an export goes on.
fn mark(folder: &Path, begun: Option<&BTreeSet<&str>>) -> Result<()> {
    let mut mark = json!({ "format": 1, "made_by": "unit-atlas patches export" });
    if let Some(begun) = begun {
        mark["begun"] = json!(begun);
    }
    artifact::write_json(&folder.join(MARK), &mark)
}

/// Makes sure that the folder is ours, removes its lists, and returns the patches that these, or an export that was
/// killed, named.
fn claim(folder: &Path) -> Result<BTreeSet<String>> {
    let mut earlier = BTreeSet::new();
    let mut add = |name: &str| {
        if is_file_name(name) && name.ends_with(".png") {
            earlier.insert(name.to_owned());
        }
    };
    let marked = folder.join(MARK);
    if marked.is_file() {
        let text = fs_err::read(&marked)?;
        let found = serde_json::from_slice::<serde_json::Value>(&text).unwrap_or_default();
        found["begun"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|n| n.as_str())
            .for_each(&mut add);
    } else {
        match std::fs::read_dir(folder) {
            Ok(entries) => {
                // What a killed export left before it had marked the folder is no one else's.
                let mut others = entries.filter(|entry| {
                    !entry.as_ref().is_ok_and(|entry| artifact::is_litter(&entry.file_name()))
                });
                if others.next().is_some() {
                    bail!(
                        "{} is not empty and was not made by `patches export`; name a new or an empty folder",
                        folder.display()
                    );
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(e).with_context(|| format!("cannot read {}", folder.display())),
        }
        mark(folder, None)?;
    }
    for (list, _) in LISTS {
        let path = folder.join(list);
        if path.is_file() {
            let text = String::from_utf8_lossy(&fs_err::read(&path)?).into_owned();
            text.lines().filter_map(|line| line.split(' ').next()).for_each(&mut add);
        }
    }
    // Remembered before the lists go.
    if !earlier.is_empty() {
        mark(folder, Some(&earlier.iter().map(String::as_str).collect()))?;
    }
    for (list, _) in LISTS {
        let path = folder.join(list);
        if path.is_file() {
            fs_err::remove_file(path)?;
        }
    }
    Ok(earlier)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::prepare::tests::Project;
    use base::progress::Silent;

    #[test]
    fn lists_and_images_are_what_the_store_holds() {
        let project = Project::new(12);
        let manifest = project.prepare().unwrap();
        let store = Store::open(&project.layout).unwrap();
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("new/patches");
        // An export that was killed at once.
        let half = folder.join(".unit-atlas-half.tmp");
        fs::create_dir_all(&folder).unwrap();
        fs::write(&half, "half").unwrap();
        let report = export(&manifest, &store, &folder, &Silent).unwrap();
        assert_eq!(report.patches.iter().sum::<usize>(), manifest.patches.len());
        assert!(report.positives.iter().sum::<usize>() > 0);
        assert!(!half.exists());

        let list = fs::read_to_string(folder.join("train.txt")).unwrap();
        assert_eq!(list.lines().count(), report.patches[0]);
        let number = manifest.of_split(Split::Train)[3];
        let patch = &manifest.patches[number as usize];
        let (name, label) = list.lines().nth(3).unwrap().split_once(' ').unwrap();
        assert_eq!(name, format!("{}.png", manifest.patch_name(patch)));
        assert_eq!(label, if patch.positive { "1" } else { "0" });
        let image = image::open(folder.join(name)).unwrap().into_luma8();
        assert_eq!(image.as_raw(), store.pixels(number));

        // Again with fewer patches: what is no longer part of it goes, what is not ours stays.
        fs::write(folder.join("notes.txt"), "mine").unwrap();
        fs::write(folder.join("mine-y1_x2_h3_w3.png"), "mine").unwrap();
        // One that a killed export wrote before its data changed, and its lists were gone.
        fs::write(folder.join("gone-y1_x2_h3_w3.png"), "ours").unwrap();
        mark(&folder, Some(&["gone-y1_x2_h3_w3.png", "../escape.png"].into())).unwrap();
        let mut fewer = project.config.clone();
        fewer.patches.min_breast = 0.95;
        let manifest = project.prepare_with(&fewer).unwrap();
        let store = Store::open(&project.layout).unwrap();
        export(&manifest, &store, &folder, &Silent).unwrap();
        let files = fs::read_dir(&folder).unwrap().count();
        assert_eq!(files, manifest.patches.len() + 3 + 3);
        assert!(folder.join("mine-y1_x2_h3_w3.png").exists());
        assert!(!folder.join("gone-y1_x2_h3_w3.png").exists());
    }

    #[test]
    fn a_foreign_folder_is_refused_and_left_alone() {
        let project = Project::new(4);
        let manifest = project.prepare().unwrap();
        let store = Store::open(&project.layout).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("train.txt"), "mine.png 0\n").unwrap();
        let error = export(&manifest, &store, folder.path(), &Silent).unwrap_err();
        assert!(format!("{error:#}").contains("not empty"), "{error:#}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
