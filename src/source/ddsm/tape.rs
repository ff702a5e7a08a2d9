//! The thumbnails of a case, `TAPE_<case>.COMB.16_PGM`: its four views at a fifteenth of their size, the
//! oblique ones above, the right breast on the left. Ten rows or columns of zeros part them; what is left
//! over is 65535. The header is that of a PGM of 16 bits with one more line break.

use anyhow::{Result, bail, ensure};

use super::case::{Case, Film};
use mammogram::{Laterality, View};

/// Scan pixels along the edge of one of a thumbnail.
const FACTOR: u32 = 15;
/// Zeros between two views.
const GAP: u32 = 10;

/// Where one view lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Thumbnail {
    left: u32,
    top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Size of the file's picture.
    whole: [u32; 2],
}

impl Thumbnail {
    /// Where the views of a case lie; `None` when it does not list all four.
    pub(super) fn of(case: &Case, film: &Film) -> Option<Self> {
        let size = |laterality, view| {
            let same = |f: &&Film| (f.laterality, f.view) == (laterality, view);
            let film = case.films.iter().find(same)?;
            Some([film.columns.div_ceil(FACTOR), film.lines.div_ceil(FACTOR)])
        };
        let row = |view| Some([size(Laterality::Right, view)?, size(Laterality::Left, view)?]);
        let (above, below) = (row(View::Mlo)?, row(View::Cc)?);
        let width = |[right, left]: [[u32; 2]; 2]| right[0] + GAP + left[0];
        let height = |[right, left]: [[u32; 2]; 2]| right[1].max(left[1]);
        let (row, top) = match film.view {
            View::Mlo => (above, 0),
            View::Cc => (below, height(above) + GAP),
            _ => return None,
        };
        let ([width_here, height_here], left) = match film.laterality {
            Laterality::Right => (row[0], 0),
            Laterality::Left => (row[1], row[0][0] + GAP),
        };
        Some(Self {
            left,
            top,
            width: width_here,
            height: height_here,
            whole: [width(above).max(width(below)), height(above) + GAP + height(below)],
        })
    }

    /// The grey values of the view.
    ///
    /// # Errors
    /// When the file is not that of the case.
    pub(super) fn greys(&self, bytes: &[u8]) -> Result<Vec<u16>> {
        let pixels = self.check(bytes)?;
        let width = self.whole[0] as usize;
        let count = width * self.whole[1] as usize;
        ensure!(
            pixels.len() >= 2 * count,
            "is truncated: {} x {} pixels take {} bytes, found {}",
            self.whole[0],
            self.whole[1],
            2 * count,
            pixels.len()
        );
        let (pixels, _) = pixels.as_chunks::<2>();
        let rows = pixels.chunks_exact(width).skip(self.top as usize).take(self.height as usize);
        let (from, to) = (self.left as usize, (self.left + self.width) as usize);
        Ok(rows.flat_map(|row| &row[from..to]).map(|&pair| u16::from_be_bytes(pair)).collect())
    }

    /// Checks the header; returns what follows it.
    ///
    /// # Errors
    /// As [`Thumbnail::greys`].
    pub(super) fn check<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8]> {
        let header = format!("P5\n{} {}\n65535\n\n", self.whole[0], self.whole[1]);
        match bytes.strip_prefix(header.as_bytes()) {
            Some(pixels) => Ok(pixels),
            None => bail!(
                "is not the thumbnails of the views that the .ics lists: expected a PGM of 16 bits with {} x {} pixels",
                self.whole[0],
                self.whole[1]
            ),
        }
    }
}
