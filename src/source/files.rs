//! Mammograms from single files, which belong to no data set: nothing is known of them but their pixels.
//! A scan in the folder of its DDSM case is read as that data set is, with its outlines.
//!
//! File names may tell who a patient is: the mammograms are called `image-1`, `image-2`, … in the order
//! of the files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::ddsm::Ddsm;
use crate::{Catalogue, Source, remarks};
use base::Split;
use base::artifact::Fingerprint;
use formats::picture::Picture;
use mammogram::{About, Grey, Mammogram};

/// Files whose headers have been read.
pub struct Files(Vec<Entry>);

struct Entry {
    path: PathBuf,
    mammogram: Mammogram,
    form: Form,
}

enum Form {
    Picture(Picture),
    /// A scan of a case, by its name there.
    Scan(Ddsm, String),
}

impl Files {
    /// Reads the headers; also returns the files that cannot be used, with why.
    pub fn open(paths: &[PathBuf]) -> (Self, Vec<(PathBuf, anyhow::Error)>) {
        let (mut entries, mut unusable) = (Vec::new(), Vec::new());
        for (number, path) in (1..).zip(paths) {
            match Entry::open(path, format!("image-{number}")) {
                Ok(entry) => entries.push(entry),
                Err(why) => unusable.push((path.clone(), why)),
            }
        }
        (Self(entries), unusable)
    }

    /// Whether no file can be used.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The file of a mammogram.
    pub fn path(&self, id: &str) -> Option<&Path> {
        self.0.iter().find(|entry| entry.mammogram.id == id).map(|entry| entry.path.as_path())
    }
}

impl Entry {
    fn open(path: &Path, id: String) -> Result<Self> {
        let (known, form) = match Ddsm::around(path)? {
            Some((ddsm, mammogram)) => {
                let name = mammogram.id.clone();
                (mammogram, Form::Scan(ddsm, name))
            }
            None => {
                let picture = Picture::open(path)?;
                let [width, height] = picture.size();
                (unknown(width, height), Form::Picture(picture))
            }
        };
        let mammogram = Mammogram {
            patient: id.clone(),
            id,
            // A split of its own, so that none is dealt.
            assigned: Some(Split::Validation),
            ..known
        };
        Ok(Self { path: path.to_owned(), mammogram, form })
    }
}

/// A mammogram of which nothing is known.
fn unknown(width: u32, height: u32) -> Mammogram {
    Mammogram {
        id: String::new(),
        patient: String::new(),
        laterality: None,
        view: None,
        modifier: None,
        width,
        height,
        micron: None,
        density: None,
        facts: BTreeMap::new(),
        lesions: Vec::new(),
        assigned: None,
        regions: Vec::new(),
    }
}

impl Source for Files {
    fn about(&self) -> About {
        About {
            kind: "files".into(),
            name: "Single files".into(),
            description: "Mammograms that belong to no data set.".into(),
            citation: String::new(),
            licence: None,
            phantom: false,
        }
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        let files = self.0.iter().map(|entry| Fingerprint::of_file(&entry.path));
        Ok(Fingerprint::of(&files.collect::<Result<Vec<_>>>()?))
    }

    fn files(&self) -> Result<BTreeSet<PathBuf>> {
        Ok(self.0.iter().map(|entry| entry.path.clone()).collect())
    }

    fn catalogue(&self) -> Result<Catalogue> {
        let mammograms = self.0.iter().map(|entry| entry.mammogram.clone()).collect();
        let notices = self.0.iter().flat_map(|entry| match &entry.form {
            Form::Picture(picture) => remarks::notices(picture, &entry.mammogram.id),
            Form::Scan(..) => Vec::new(),
        });
        Ok(Catalogue { mammograms, notices: notices.collect(), ..Catalogue::default() })
    }

    fn image(&self, mammogram: &Mammogram) -> Result<Grey> {
        let entry = self.0.iter().find(|entry| entry.mammogram.id == mammogram.id);
        let Some(Entry { path, form, .. }) = entry else { bail!("{} is no file", mammogram.id) };
        match form {
            Form::Picture(picture) => picture.image().with_context(|| path.display().to_string()),
            Form::Scan(ddsm, name) => {
                ddsm.image(&Mammogram { id: name.clone(), ..mammogram.clone() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_read_by_what_they_hold_and_called_by_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let [image, text, absent] =
            ["Jane Doe.png", "notes.png", "no.png"].map(|name| folder.path().join(name));
        image::GrayImage::from_fn(30, 40, |x, y| image::Luma([(x + y) as u8]))
            .save(&image)
            .unwrap();
        std::fs::write(&text, "not a picture").unwrap();
        let (files, unusable) = Files::open(&[text.clone(), absent.clone(), image.clone()]);
        let unusable: Vec<_> = unusable.iter().map(|(path, why)| (path, why.to_string())).collect();
        assert_eq!(unusable[0], (&text, "is no DICOM, PNG, TIFF, PGM or JPEG file".into()));
        assert_eq!(unusable[1].0, &absent);
        let Catalogue { mammograms, .. } = files.catalogue().unwrap();
        let [only] = &mammograms[..] else { panic!("{mammograms:?}") };
        assert_eq!((only.id.as_str(), only.width, only.height), ("image-3", 30, 40));
        assert_eq!(files.image(only).unwrap().at(3, 4), 7);
        assert_eq!(files.path("image-3"), Some(image.as_path()));
        assert!(!format!("{mammograms:?}").contains("Jane"));
    }
}
