//! What of the release is there: its five folders, and its lists.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::walk;
use base::{Notice, Split, input};

/// The lists of both kinds, by the part of the split.
const LISTS: [(&str, Split); 3] =
    [("train.txt", Split::Train), ("val.txt", Split::Validation), ("test.txt", Split::Test)];
/// Largest list that is read.
const LIST_LIMIT: u64 = 1 << 28;

/// The release, or what is there of it.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// `ddsm_raw`: whole mammograms by their names.
    pub(super) images: BTreeMap<String, PathBuf>,
    /// `ddsm_masks`: masks by the names of their mammograms.
    pub(super) masks: BTreeMap<String, Mask>,
    /// `ddsm_patches`: patches by the names of their files.
    pub(super) patches: BTreeMap<String, PathBuf>,
    /// `ddsm_raw_image_lists`: the part of each mammogram.
    pub(super) lists: BTreeMap<String, Split>,
    /// `ddsm_labels`: the labels of two and of three classes, in the order of the lists.
    pub(super) labels: [Vec<Label>; 2],
    /// Which folders are there, for messages.
    pub(super) folders: Vec<&'static str>,
    pub(super) notices: Vec<Notice>,
}

/// A mask and how its values are meant.
#[derive(Debug, Clone)]
pub(super) struct Mask {
    pub(super) path: PathBuf,
    /// Path within the release, for messages.
    pub(super) place: String,
    /// 2: lesions of cancer only; 3: 1 benign, 2 cancer.
    pub(super) classes: u32,
}

/// A line of a list of labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    /// Name of the patch's file.
    pub(super) file: String,
    pub(super) class: u8,
    pub(super) split: Split,
    /// List and line.
    pub(super) place: String,
}

impl Listing {
    /// Lists the folder.
    ///
    /// # Errors
    /// When it cannot be read or holds nothing of the release.
    pub(super) fn read(root: &Path) -> Result<Self> {
        std::fs::read_dir(root).with_context(|| {
            format!(
                "cannot read the folder {} of the paper's release; set source.path to where it lies",
                root.display()
            )
        })?;
        let mut listing = Self::default();
        listing.files(root, "ddsm_raw", |listing, file| {
            let Some(stem) = stem(&file.name, &["jpg", "jpeg", "png"]) else { return };
            listing.images.insert(stem.to_owned(), file.path);
        });
        listing.files(root, "ddsm_masks", |listing, file| {
            let Some(stem) = stem(&file.name, &["png"]) else { return };
            let within = |folder: &str| file.place.split('/').any(|part| part == folder);
            let classes = if within("2class") { 2 } else { 3 };
            let mask = Mask { path: file.path, place: file.place, classes };
            // Masks of three classes say more.
            match listing.masks.get(stem) {
                Some(other) if other.classes >= classes => {}
                _ => drop(listing.masks.insert(stem.to_owned(), mask)),
            }
        });
        listing.files(root, "ddsm_patches", |listing, file| {
            if stem(&file.name, &["jpg", "jpeg", "png"]).is_some() {
                listing.patches.insert(file.name, file.path);
            }
        });
        listing.lists(root)?;
        listing.labels(root)?;
        if listing.folders.is_empty() {
            bail!(
                "{} holds none of the release's folders ddsm_raw, ddsm_raw_image_lists, ddsm_masks, ddsm_patches and ddsm_labels; set source.path to the folder that holds them",
                root.display()
            );
        }
        Ok(listing)
    }

    /// Every file below a folder of the release, in the order of their paths.
    fn files(&mut self, root: &Path, folder: &'static str, mut take: impl FnMut(&mut Self, Found)) {
        let top = root.join(folder);
        if !top.is_dir() {
            return;
        }
        self.folders.push(folder);
        for entry in walk(&top) {
            match entry {
                Ok(entry) if entry.file_type().is_file() => {
                    let Some(name) = entry.file_name().to_str() else { continue };
                    let name = name.to_owned();
                    let place = place(root, entry.path());
                    take(self, Found { name, place, path: entry.into_path() });
                }
                Ok(_) => {}
                Err(error) => {
                    let at = error.path().map(|path| place(root, path)).unwrap_or_default();
                    let reason =
                        error.io_error().map_or("a link that leads back".into(), |e| e.to_string());
                    let message = format!("cannot be listed: {reason}; what it holds is left out");
                    self.notices.push(Notice { place: at, message, skipped: true });
                }
            }
        }
    }

    fn lists(&mut self, root: &Path) -> Result<()> {
        const FOLDER: &str = "ddsm_raw_image_lists";
        if root.join(FOLDER).is_dir() {
            self.folders.push(FOLDER);
        }
        for (file, split) in LISTS {
            let place = format!("{FOLDER}/{file}");
            for (number, line) in lines(&root.join(&place))? {
                let place = format!("{place}:{number}");
                let found = last_part(&line);
                let Some(name) = stem(found, &["jpg", "jpeg", "png"]) else {
                    self.notices.push(Notice {
                        place,
                        message: format!(
                            "expected the name of an image, found {:?}; it is left out",
                            brief(&line)
                        ),
                        skipped: true,
                    });
                    continue;
                };
                if self.lists.insert(name.to_owned(), split).is_some_and(|before| before != split) {
                    let message = format!("{name} is in another list too; the last one counts");
                    self.notices.push(Notice { place, message, skipped: false });
                }
            }
        }
        Ok(())
    }

    fn labels(&mut self, root: &Path) -> Result<()> {
        if root.join("ddsm_labels").is_dir() {
            self.folders.push("ddsm_labels");
        }
        for (at, classes) in [2u8, 3].into_iter().enumerate() {
            for (file, split) in LISTS {
                let list = format!("ddsm_labels/{classes}class/{file}");
                for (number, line) in lines(&root.join(&list))? {
                    let place = format!("{list}:{number}");
                    let words = line.rsplit_once(char::is_whitespace);
                    let class =
                        words.and_then(|(_, c)| c.parse().ok()).filter(|&c: &u8| c < classes);
                    match (words, class) {
                        (Some((path, _)), Some(class)) => {
                            let file = last_part(path.trim()).to_owned();
                            self.labels[at].push(Label { file, class, split, place });
                        }
                        _ => self.notices.push(Notice {
                            place,
                            message: format!(
                                "expected the name of a patch and a class from 0 to {}, found {:?}; it is left out",
                                classes - 1,
                                brief(&line)
                            ),
                            skipped: true,
                        }),
                    }
                }
            }
        }
        Ok(())
    }
}

/// A file of the release.
struct Found {
    name: String,
    place: String,
    path: PathBuf,
}

/// Lines that are not blank, with their numbers from 1; none when there is no such file.
fn lines(path: &Path) -> Result<Vec<(usize, String)>> {
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let text =
        input::read(path, LIST_LIMIT).with_context(|| format!("cannot read {}", path.display()))?;
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim().to_owned()));
    Ok(lines.filter(|(_, line)| !line.is_empty()).collect())
}

/// A file name without its ending, when that is one of these.
pub(super) fn stem<'a>(name: &'a str, endings: &[&str]) -> Option<&'a str> {
    let (stem, ending) = name.rsplit_once('.')?;
    let known = endings.iter().any(|e| ending.eq_ignore_ascii_case(e));
    (known && !stem.is_empty()).then_some(stem)
}

fn last_part(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// At most 60 characters of a text, for a message.
fn brief(text: &str) -> String {
    text.chars().take(60).collect()
}

/// A path within the release, with `/` on every system.
fn place(root: &Path, path: &Path) -> String {
    let inner = path.strip_prefix(root).unwrap_or(path);
    inner.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}
