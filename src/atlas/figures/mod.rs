//! What each kind of figure shows: the numbers and words of the pages, as drawings and tables for
//! papers. A file a kind: its drawing, and which of it the site has ready-made; [`figure`] and
//! [`ready_made`] are the lists.

mod agreement;
mod case;
mod concepts;
mod files;
mod performance;
mod roc;
mod training;
mod units;

use anyhow::Result;

pub use self::files::{Drawn, Kept, draw, keep};
pub(crate) use self::files::{files, paths};
use crate::facts::Atlas;
use config::figures::{Format, Kind, Look, Wanted};
use figure::Figure;

/// Detail of overlays that print does not show, in patch pixels.
const TOLERANCE: f32 = 0.4;

/// Draws one.
///
/// # Errors
/// When the atlas does not have what it is to show.
pub(crate) fn figure(atlas: &Atlas, wanted: &Wanted) -> Result<Figure> {
    let width = wanted.look.width;
    match &wanted.kind {
        Kind::Unit { unit, patches, columns } => {
            units::of_unit(atlas, unit, *patches, *columns, width)
        }
        Kind::Table { units, patches } => units::of_units(atlas, units, *patches, width),
        Kind::Case { mammogram, network, patches } => {
            case::of_case(atlas, mammogram, network.as_deref(), *patches, width)
        }
        Kind::Roc => roc::draw(atlas, width),
        Kind::Performance => performance::draw(atlas, width),
        Kind::Concepts => concepts::draw(atlas, width),
        Kind::Agreement => agreement::draw(atlas, width),
        Kind::Training { network } => training::draw(atlas, network.as_deref(), width),
    }
}

/// Folder of the ready-made figures in the site.
const FOLDER: &str = "figures";

/// A figure that the site has ready-made.
pub(crate) struct Ready {
    /// What a link to it says.
    title: String,
    /// Which one, and its files.
    pub(crate) wanted: Wanted,
}

impl Ready {
    /// One in every format that pages link to.
    fn new(title: &str, kind: Kind) -> Self {
        Self::of_formats(
            title,
            kind,
            vec![Format::Svg, Format::Pdf, Format::Png, Format::Tex, Format::Csv],
        )
    }

    fn of_formats(title: &str, kind: Kind, formats: Vec<Format>) -> Self {
        let look = Look { width: kind.width(), dpi: config::figures::DPI, font: None, formats };
        Self { title: title.into(), wanted: Wanted { name: kind.stem(), kind, look } }
    }
}

/// The figures that the site has ready-made: those of pages that show their numbers. Units and cases
/// have none: with a figure each, the site would be several times as large.
pub(crate) fn ready_made(atlas: &Atlas) -> Vec<Ready> {
    let one_each = [
        roc::ready(atlas),
        Some(performance::ready()),
        concepts::ready(atlas),
        agreement::ready(atlas),
        units::ready(atlas),
    ];
    one_each.into_iter().flatten().chain(training::ready(atlas)).collect()
}

/// Path of a ready-made file in the site.
pub(crate) fn path(file: &str) -> String {
    format!("{FOLDER}/{file}")
}

/// A downloadable figure of a page.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Download {
    title: String,
    /// Format in capitals, and the file.
    files: Vec<(String, String)>,
}

/// The ready-made figures that `of` picks.
pub(crate) fn downloads(atlas: &Atlas, of: impl Fn(&Kind) -> bool) -> Vec<Download> {
    let picked = ready_made(atlas).into_iter().filter(|ready| of(&ready.wanted.kind));
    picked
        .map(|Ready { title, wanted }| Download {
            title,
            files: wanted
                .files()
                .iter()
                .filter_map(|file| Some((word(file)?, path(file))))
                .collect(),
        })
        .collect()
}

/// What a link to a file says; none for the alternative text, which is in the pages.
fn word(file: &str) -> Option<String> {
    Some(match file.rsplit_once('.')? {
        (stem, "tex") if stem.ends_with("-table") => "LaTeX table".into(),
        (_, "tex") => "LaTeX".into(),
        (stem, "txt") => stem.strip_suffix(".caption").map(|_| "caption".into())?,
        (_, ending) => ending.to_uppercase(),
    })
}

/// What every caption ends with.
fn source(atlas: &Atlas) -> String {
    let about = &atlas.inputs.manifest.source;
    let synthetic = if about.phantom { "; the images are synthetic" } else { "" };
    format!("Data: {}{synthetic}.", about.name.trim_end_matches('.'))
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
}
