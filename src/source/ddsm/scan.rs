//! The digitised films: lossless JPEG, or what users converted it to.
//!
//! Lossless JPEG and images of 16 bits hold the scanner's grey values and become display images by
//! optical density. Images of 8 bits are display images already, and are used as they are.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use flate2::read::GzDecoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};

use super::case::Film;
use super::density::Digitiser;
use super::tape::Thumbnail;
use base::input;
use formats::ljpeg::{self, Rule};
use formats::room;
use mammogram::{Grey, Values};

/// A header is found within this many bytes.
const HEADER_LIMIT: u64 = 1 << 18;
/// Larger files are not believed; a scan has at most 50 million bytes.
const FILE_LIMIT: u64 = 1 << 29;

/// How a file is written; of several files of one film the first in this order is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Format {
    Ljpeg,
    Png,
    Pgm,
    Tiff,
    Jpeg,
    /// A view of the case's thumbnails.
    Thumbnail(Thumbnail),
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) path: PathBuf,
    /// Path within the data set, for messages.
    pub(super) place: String,
    pub(super) format: Format,
}

/// What a file's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Whether it holds the scanner's grey values; otherwise it is a display image of 8 bits.
    pub(super) greys: bool,
}

impl Format {
    /// By the ending of a file name in small letters, without its dot.
    pub(super) fn of(ending: &str) -> Option<Self> {
        Some(match ending {
            "ljpeg" => Format::Ljpeg,
            "png" => Format::Png,
            "pgm" => Format::Pgm,
            "tif" | "tiff" => Format::Tiff,
            "jpg" | "jpeg" => Format::Jpeg,
            _ => return None,
        })
    }

    /// The image crate's name; lossless JPEG and thumbnails have none.
    fn common(self) -> Option<ImageFormat> {
        match self {
            Format::Ljpeg | Format::Thumbnail(_) => None,
            Format::Tiff => Some(ImageFormat::Tiff),
            Format::Png => Some(ImageFormat::Png),
            Format::Pgm => Some(ImageFormat::Pnm),
            Format::Jpeg => Some(ImageFormat::Jpeg),
        }
    }
}

/// The first `limit` bytes of a file, unpacked when its name ends in `.gz`.
pub(super) fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let (file, _) = input::open(path)?;
    let packed = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
    let mut bytes = Vec::new();
    if packed {
        GzDecoder::new(file).take(limit).read_to_end(&mut bytes).context("cannot be unpacked")?;
    } else {
        file.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

impl Scan {
    /// Reads only the header.
    ///
    /// # Errors
    /// What is wrong with it; the caller says of which file.
    pub(super) fn header(&self) -> Result<Header> {
        // A TIFF's header may stand at its end.
        let limit = if self.format == Format::Tiff { FILE_LIMIT } else { HEADER_LIMIT };
        let bytes = read(&self.path, limit)?;
        if let Format::Thumbnail(view) = self.format {
            view.check(&bytes)?;
            return Ok(Header { width: view.width, height: view.height, greys: true });
        }
        let Some(format) = self.format.common() else {
            let ljpeg::Frame { width, height, .. } = ljpeg::frame(&bytes)?;
            return Ok(Header { width, height, greys: true });
        };
        let decoder = ImageReader::with_format(Cursor::new(bytes), format).into_decoder()?;
        let (width, height) = decoder.dimensions();
        let color = decoder.color_type();
        let greys = color.bytes_per_pixel() > color.channel_count();
        Ok(Header { width, height, greys })
    }

    /// Decodes to a display image.
    ///
    /// # Errors
    /// Names the file, and the place in it where it breaks.
    pub(super) fn image(&self, film: &Film, digitiser: Digitiser) -> Result<Grey> {
        let table = digitiser.display();
        let shown = |grey| table[usize::from(grey)];
        let decoded = self.decode(film, shown).with_context(|| self.place.clone())?;
        Ok(match decoded {
            Decoded::Shown(image) => image,
            Decoded::Greys([width, height], pixels) => Grey { width, height, pixels },
        })
    }

    /// Decodes to the scanner's grey values, which a curve shows as [`Scan::image`] does.
    ///
    /// # Errors
    /// As [`Scan::image`].
    pub(super) fn values(&self, film: &Film, digitiser: Digitiser) -> Result<Values> {
        let decoded = self.decode(film, |grey| grey).with_context(|| self.place.clone())?;
        Ok(match decoded {
            Decoded::Shown(image) => Values::of(image),
            Decoded::Greys([width, height], greys) => {
                Values::curved(width, height, greys, &digitiser.display())
            }
        })
    }

    /// Decodes the file; `map` is given each grey value of the scanner.
    fn decode<T>(&self, film: &Film, map: impl Fn(u16) -> T) -> Result<Decoded<T>> {
        let Header { width, height, .. } = self.header()?;
        let _room = room::for_pixels(u64::from(width) * u64::from(height));
        let bytes = read(&self.path, FILE_LIMIT)?;
        if let Format::Thumbnail(view) = self.format {
            let greys = view.greys(&bytes)?.into_iter().map(map).collect();
            return Ok(Decoded::Greys([view.width, view.height], greys));
        }
        let Some(format) = self.format.common() else {
            let (frame, pixels) = ljpeg::decode(&bytes, Rule::Ddsm, map)?;
            // The same pixels in rows of another length: the rows of the .ics count.
            let area = |width, height| u64::from(width) * u64::from(height);
            let same = area(frame.width, frame.height) == area(film.columns, film.lines);
            let size = if same { [film.columns, film.lines] } else { [frame.width, frame.height] };
            return Ok(Decoded::Greys(size, pixels));
        };
        let image = ImageReader::with_format(Cursor::new(bytes), format).decode()?;
        let (width, height) = (image.width(), image.height());
        let pixels = match image {
            DynamicImage::ImageLuma8(image) => image.into_raw(),
            DynamicImage::ImageLuma16(image) => {
                let most = u16::MAX >> (16 - film.bits.min(16));
                if let Some(grey) = image.as_raw().iter().find(|&&grey| grey > most) {
                    bail!(
                        "holds the grey value {grey} where the .ics says {} bits; convert it without scaling, or to 8 bits",
                        film.bits
                    );
                }
                let greys = image.as_raw().iter().map(|&grey| map(grey)).collect();
                return Ok(Decoded::Greys([width, height], greys));
            }
            other => {
                let color = other.color();
                ensure!(
                    color.bytes_per_pixel() == color.channel_count(),
                    "has colours of more than 8 bits; convert it to grey"
                );
                other.into_luma8().into_raw()
            }
        };
        Ok(Decoded::Shown(Grey { width, height, pixels }))
    }
}

/// What a file holds.
enum Decoded<T> {
    /// The scanner's grey values, mapped, of an image of this width and height.
    Greys([u32; 2], Vec<T>),
    /// A display image.
    Shown(Grey),
}
