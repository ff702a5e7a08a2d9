//! `source`: the data sets there are, each with its options. A new one is an entry here, a module of
//! crate `source`, and a line of its `open`.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_yaml::Spanned;

use crate::check::Check;
use crate::option::{Shape, Value};
use crate::value::{from_word, words};
use base::text::Encoding;
use base::yaml::Mistake;

kinds! {
    /// Where the mammograms come from: a data set in its original layout.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    pub enum Source(SourceForm, "source.", "source", "phantom") {
        keys {
            path: PathBuf,
            regions: Option<PathBuf>,
            leave_out: Vec<Unwanted>,
            encoding: Option<Encoding>,
            name: String,
            patients: u32,
            height: u32,
        }

        /// Procedural mammograms made from the seed.
        Phantom "phantom" {
            /// How many patients, four views each.
            patients: u32 = "110", in 3..=100_000; // Each of the three splits can hold a patient.
            /// Height of an image in pixels.
            height: u32 = "900", in 128..=8192;
        }
        /// DDSM in its original layout, whole or in part.
        Ddsm "ddsm" {
            /// The folder that holds cases of DDSM, with their .ics files, at any depth.
            path: PathBuf, needs "FOLDER";
        }
        /// The files published with the paper, or a part of them. Their split is used as it is, their
        /// patches too.
        DdsmRelease "ddsm_release" {
            /// The folder that holds ddsm_raw, ddsm_raw_image_lists and ddsm_masks, or ddsm_patches and
            /// ddsm_labels, or all of them.
            path: PathBuf, needs "FOLDER";
        }
        /// CBIS-DDSM, as DICOM or converted, whole or in part.
        CbisDdsm "cbis_ddsm" {
            /// The folder that holds the description tables and images of CBIS-DDSM, at any depth.
            path: PathBuf, needs "FOLDER";
        }
        /// The mini-MIAS database.
        MiniMias "mini_mias" {
            /// The folder that holds Info.txt and the images, mdb001.pgm and so on or PNG or JPEG of these
            /// names and of any size, at any depth.
            path: PathBuf, needs "FOLDER";
        }
        /// INbreast, as it was distributed.
        Inbreast "inbreast" {
            /// The folder that holds INbreast.csv (or .xlsx), the images (DICOM) and the outlines (XML), at
            /// any depth.
            path: PathBuf, needs "FOLDER";
            /// How the table's letters are written where it is not UTF-8 or UTF-16, such as windows-1252.
            encoding: Option<Encoding>, else "UTF-8";
        }
        /// A data set whose tables and folders a recipe describes: one that comes with the program, or your own in
        /// content/recipes/; docs/recipes.md of unit-atlas lists them.
        Recipe "recipe" {
            /// Its name, that of a file without .yaml.
            name: String, in crate::value::NAME, needs "NAME";
            /// The folder that holds the data set as it was distributed.
            path: PathBuf, needs "FOLDER";
            /// How the tables' letters are written where they are not UTF-8 or UTF-16, such as windows-1252.
            encoding: Option<Encoding>, else "UTF-8";
            /// Kinds of images that are not used, where DICOM says so.
            leave_out: Vec<Unwanted> = "[for_processing]";
        }
        /// Any other data set; docs/own-data.md of unit-atlas says how.
        Folder "folder" {
            /// The table of its images and lesions (.csv, .xlsx, .jsonl or .yaml); files in it are relative
            /// to its folder.
            #[serde(rename = "path")]
            table from path: PathBuf, needs "TABLE";
            /// A table of further regions, such as tissues.
            regions: Option<PathBuf>, else "none";
            /// How the tables' letters are written where they are not UTF-8 or UTF-16, such as windows-1252.
            encoding: Option<Encoding>, else "UTF-8";
            /// Kinds of images that are not used, where DICOM says so.
            leave_out: Vec<Unwanted> = "[for_processing]";
        }
    }
}

/// A kind of image that a data set may hold and a project may not want.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unwanted {
    /// Detectors' own values (FOR PROCESSING); where they are used they are converted, without the maker's
    /// processing.
    ForProcessing,
    /// Breasts with an implant.
    Implants,
    /// Images computed from tomosynthesis, and its projections.
    Tomosynthesis,
}

impl Value for Unwanted {
    type Written = String;
    type Rule = ();

    fn read(check: &Check<'_>, _: &str, given: &Spanned<String>, (): &()) -> Result<Self, Mistake> {
        from_word("kind of image", given.value.trim())
            .or_else(|message| check.wrong(given.referenced, message))
    }

    fn shape((): &()) -> Shape {
        words::<Self>()
    }
}

impl Source {
    /// Folders and files of this machine that it is read from.
    pub fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Ddsm { path }
            | Self::DdsmRelease { path }
            | Self::CbisDdsm { path }
            | Self::Inbreast { path, .. }
            | Self::Recipe { path, .. }
            | Self::MiniMias { path } => vec![path],
            Self::Folder { table, regions, .. } => {
                [Some(table), regions.as_ref()].into_iter().flatten().map(|path| &**path).collect()
            }
            Self::Phantom { .. } => Vec::new(),
        }
    }
}

impl Value for Source {
    type Written = SourceForm;
    type Rule = ();

    fn read(
        check: &Check<'_>,
        _: &str,
        given: &Spanned<SourceForm>,
        (): &(),
    ) -> Result<Self, Mistake> {
        Self::read_kind(check, &given.value, given.referenced)
    }

    fn shape((): &()) -> Shape {
        Self::shape_of_kinds()
    }
}
