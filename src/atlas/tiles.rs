//! Mammograms as fine as the project asks for, in tiles: `mammograms/<id>/tiles/<level>/<column>_<row>.jpg`; or `.js`, where
//! the values of the source are asked for, with `about.js` beside the levels (`depth.rs` says what these hold).
//!
//! Level 0 is the least and fits into one tile; each next one is twice as wide and high, the last as wide and high as
//! asked for. Tiles do not overlap; those at the right and lower edge are as small as what is left. The viewer loads
//! those that it shows.

use anyhow::{Context, Result};
use rayon::prelude::*;
use serde::Serialize;

use super::keys::Keys;
use super::site::Writer;
use super::{Inputs, depth, images, script};
use config::{Depth, Fineness};
use mammogram::{Grey, Values, resample};
use record::Member;
use record::previews::LONGEST;

/// Width and height of a tile in pixels.
const EDGE: u32 = 512;

/// The tiles of a mammogram, for the viewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Tiles {
    /// Folder of the levels, below the root of the site.
    src: String,
    /// Width and height of a tile.
    edge: u32,
    /// Width and height of each level, the least first.
    sizes: Vec<[u32; 2]>,
    /// Whether they hold the values of the source.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    values: bool,
}

/// Puts a file into the site, unless it is there: its path, and what makes its bytes.
type Put<'a> = &'a dyn Fn(&str, &dyn Fn() -> Result<Vec<u8>>) -> Result<()>;

/// Those of a mammogram on the atlas' own pages; none where what `prepare` keeps of it is as fine.
pub(super) fn of(inputs: &Inputs, member: &Member) -> Option<Tiles> {
    let src = format!("mammograms/{}/tiles/", member.mammogram.id);
    at(inputs, member, inputs.config.mammograms.height, src)
}

/// Those of a mammogram as high as wanted, in a folder of the site.
pub(super) fn at(inputs: &Inputs, member: &Member, wanted: Fineness, src: String) -> Option<Tiles> {
    let mammogram = &member.mammogram;
    let [_, kept] = member.preview?;
    let values = inputs.config.mammograms.depth == Depth::Source;
    let height = wanted.of(mammogram.height);
    let finer = height > kept && !matches!(wanted, Fineness::Pixels(most) if most <= LONGEST);
    (finer || values).then(|| {
        let scale = f64::from(height) / f64::from(mammogram.height);
        let width = (f64::from(mammogram.width) * scale).round().max(1.0) as u32;
        Tiles { src, edge: EDGE, sizes: sizes([width, height]), values }
    })
}

/// Sizes of the levels of an image, the least first.
fn sizes(full: [u32; 2]) -> Vec<[u32; 2]> {
    let halved = |size: &[u32; 2]| {
        let fits = size.iter().all(|&side| side <= EDGE);
        (!fits).then(|| size.map(|side| side.div_ceil(2)))
    };
    let mut sizes: Vec<[u32; 2]> = std::iter::successors(Some(full), halved).collect();
    sizes.reverse();
    sizes
}

impl Tiles {
    /// Every tile by level, column and row.
    fn places(&self) -> impl Iterator<Item = [u32; 3]> {
        (0..).zip(&self.sizes).flat_map(|(level, [width, height])| {
            let (columns, rows) = (width.div_ceil(EDGE), height.div_ceil(EDGE));
            (0..rows).flat_map(move |row| (0..columns).map(move |column| [level, column, row]))
        })
    }

    fn path(&self, [level, column, row]: [u32; 3]) -> String {
        let ending = if self.values { "js" } else { "jpg" };
        format!("{}{level}/{column}_{row}.{ending}", self.src)
    }

    /// What the values mean.
    fn about(&self) -> String {
        format!("{}about.js", self.src)
    }

    /// Whether they lie below a folder of the site.
    pub(super) fn are_in(&self, folder: &str) -> bool {
        self.src.starts_with(folder)
    }

    /// Paths of all files.
    pub(super) fn paths(&self) -> Vec<String> {
        let tiles = self.places().map(|place| self.path(place));
        tiles.chain(self.values.then(|| self.about())).collect()
    }

    /// Writes them, unless they are there.
    ///
    /// # Errors
    /// When the mammogram cannot be read from the data set any more, or a file not be written.
    pub(super) fn write(
        &self,
        inputs: &Inputs,
        member: &Member,
        keys: &Keys,
        writer: &Writer,
    ) -> Result<()> {
        let key = keys.picture(&("tiles", EDGE, images::QUALITY, &self.sizes, self.values));
        if writer.keep_made_from(&self.paths(), &key) {
            return Ok(());
        }
        // What is there already is not encoded again.
        let put = |path: &str, bytes: &dyn Fn() -> Result<Vec<u8>>| {
            writer.write_made_from(path, key.clone(), || {
                bytes().with_context(|| format!("cannot encode {path}"))
            })
        };
        if self.values {
            self.write_values(inputs.values(member)?, &put)
        } else {
            self.write_pictures(inputs.original(member)?, &put)
        }
    }

    fn write_pictures(&self, mut image: Grey, put: Put) -> Result<()> {
        for (level, [width, height]) in self.sizes.iter().enumerate().rev() {
            let level = u32::try_from(level)?;
            if [image.width, image.height] != [*width, *height] {
                image = resample(&image, [0, 0, image.width, image.height], *width, *height)?;
            }
            for place in self.places().filter(|place| place[0] == level) {
                let [_, column, row] = place;
                put(&self.path(place), &|| images::jpeg(&tile(&image, column, row)))?;
            }
        }
        Ok(())
    }

    fn write_values(&self, mut values: Values, put: Put) -> Result<()> {
        let about = self.about();
        put(&about, &|| script::file(&about, &depth::greys(&values)))?;
        for (level, [width, height]) in self.sizes.iter().enumerate().rev() {
            let level = u32::try_from(level)?;
            if [values.width, values.height] != [*width, *height] {
                values.codes = values.resampled(*width, *height)?;
                (values.width, values.height) = (*width, *height);
            }
            for place in self.places().filter(|place| place[0] == level) {
                let path = self.path(place);
                let [x, y] = [place[1], place[2]].map(|at| at * EDGE);
                let size = [EDGE.min(width - x), EDGE.min(height - y)];
                put(&path, &|| {
                    script::file(&path, &depth::packed(&values.codes, *width, [x, y], size)?)
                })?;
            }
        }
        Ok(())
    }
}

/// Paths of the tiles of all mammograms that pages show.
pub(super) fn paths<'a>(
    inputs: &'a Inputs<'a>,
    shown: &'a images::Shown,
) -> impl Iterator<Item = String> {
    shown.members(inputs).filter_map(|member| of(inputs, member)).flat_map(|tiles| tiles.paths())
}

/// Writes the tiles of the mammograms that pages show.
///
/// # Errors
/// As [`Tiles::write`].
pub(super) fn write(
    inputs: &Inputs,
    shown: &images::Shown,
    keys: &Keys,
    writer: &Writer,
) -> Result<()> {
    let members: Vec<&Member> = shown.members(inputs).collect();
    members.par_iter().try_for_each(|member| match of(inputs, member) {
        Some(tiles) => tiles.write(inputs, member, keys, writer),
        None => Ok(()),
    })
}

fn tile(image: &Grey, column: u32, row: u32) -> Grey {
    let [x, y] = [column * EDGE, row * EDGE];
    let (width, height) = (EDGE.min(image.width - x), EDGE.min(image.height - y));
    let rows = image.pixels.chunks(image.width as usize).skip(y as usize).take(height as usize);
    let pixels = rows.flat_map(|row| &row[x as usize..][..width as usize]).copied().collect();
    Grey { width, height, pixels }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_halve_until_one_tile_holds_all() {
        assert_eq!(sizes([512, 300]), [[512, 300]]);
        assert_eq!(
            sizes([4000, 5001]),
            [[250, 313], [500, 626], [1000, 1251], [2000, 2501], [4000, 5001]]
        );
    }

    #[test]
    fn tiles_cover_an_image_and_do_not_overlap() {
        let pixels = (0..1100 * 600_u32).map(|at| (at % 251) as u8).collect();
        let image = Grey { width: 1100, height: 600, pixels };
        let tiles =
            Tiles { src: "t/".into(), edge: EDGE, sizes: sizes([1100, 600]), values: false };
        let last = tiles.sizes.len() as u32 - 1;
        let mut seen = vec![0_u8; image.pixels.len()];
        for [_, column, row] in tiles.places().filter(|place| place[0] == last) {
            let part = tile(&image, column, row);
            for (at, &value) in part.pixels.iter().enumerate() {
                let (x, y) =
                    (column * EDGE + at as u32 % part.width, row * EDGE + at as u32 / part.width);
                assert_eq!(value, image.at(x, y));
                seen[(y * image.width + x) as usize] += 1;
            }
        }
        assert!(seen.iter().all(|&times| times == 1));
        let paths: Vec<String> = tiles.paths();
        assert_eq!(paths.len(), 1 + 2 + 6);
        assert_eq!(paths[0], "t/0/0_0.jpg");
        assert_eq!(paths.last().unwrap(), "t/2/2_1.jpg");
        let paths = Tiles { values: true, ..tiles }.paths();
        assert_eq!((&*paths[0], &*paths[9], paths.len()), ("t/0/0_0.js", "t/about.js", 10));
    }
}
