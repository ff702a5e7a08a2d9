//! One image file of any format that sources come in: DICOM, PNG, TIFF, PGM, JPEG, JPEG 2000; grey, 8 to
//! 16 bits, and what TIFF has beyond them.
//!
//! What a file is follows from its first bytes, never from its name. A display image has 8 bits: images
//! of 8 bits are used as they are; DICOM is shown as it says; in other images of more bits the least
//! value is black and the greatest white. Pictures are turned as their tag says (EXIF, TIFF).

pub(crate) mod raster;
mod tiff;

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

use self::raster::{Raster, Values};
use crate::dicom::{self, Dicom};
use crate::jpeg::{self, Process};
use crate::{MAX_PIXELS, jpeg12, jpeg2000, jpegls, pgm, room};
use base::input;
use mammogram::{Grey, Values as Stored};

/// Longest side that is believed.
const MAX_SIDE: u32 = 65_535;
/// Memory that a decoder may take.
const MAX_MEMORY: u64 = 1 << 30;
/// The header of JPEG and JPEG 2000 is found within this many bytes.
const HEADER_LIMIT: u64 = 1 << 20;
/// Longest file of those that are read whole.
pub(crate) const FILE_LIMIT: u64 = 1 << 28;

/// A file whose header has been read.
pub struct Picture {
    path: PathBuf,
    form: Form,
    /// As shown.
    width: u32,
    height: u32,
    /// How it is to be turned.
    orientation: Orientation,
    remarks: Vec<String>,
}

enum Form {
    Dicom(Box<Dicom>),
    Pgm,
    Tiff(tiff::Page),
    /// Lossy JPEG of 12 bits.
    Jpeg12,
    JpegLs,
    Jpeg2000,
    Common(ImageFormat),
}

/// Samples as the file has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Samples {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Row by row.
    pub values: Vec<u16>,
}

/// A display image that may be coloured.
pub enum Shown {
    /// One grey plane.
    Grey(Grey),
    /// Colours of 8 bits.
    Colours(RgbImage),
}

impl Picture {
    /// Reads the header.
    ///
    /// # Errors
    /// What is wrong with the file; the caller says which it is.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = open(path)?;
        let mut start = Vec::new();
        file.by_ref().take(dicom::START as u64).read_to_end(&mut start)?;
        file.rewind()?;
        let of = |form: Form, [width, height]: [u32; 2], orientation: Orientation| {
            ensure!(
                width > 0 && height > 0 && u64::from(width) * u64::from(height) <= MAX_PIXELS,
                "has an impossible size, {width} x {height} pixels"
            );
            let [width, height] = raster::turned([width, height], orientation);
            let path = path.to_owned();
            Ok(Self { path, form, width, height, orientation, remarks: Vec::new() })
        };
        let upright = Orientation::NoTransforms;
        match &start[..] {
            // First, since the preamble may look like another format.
            _ if dicom::has_preamble(&start) => Self::dicom_file(path, file),
            [0x89, b'P', b'N', b'G', ..] => {
                let mut decoder = reader(file, ImageFormat::Png).into_decoder()?;
                let orientation = decoder.orientation()?;
                of(Form::Common(ImageFormat::Png), decoder.dimensions().into(), orientation)
            }
            [0xff, 0xd8, 0xff, ..] => {
                let mut header = Vec::new();
                file.by_ref().take(HEADER_LIMIT).read_to_end(&mut header)?;
                let frame = jpeg::frame(&header).context("is a JPEG without a frame header")?;
                let form = match frame.process {
                    Process::Ls => Form::JpegLs,
                    Process::Sequential | Process::Progressive if frame.bits == 8 => {
                        Form::Common(ImageFormat::Jpeg)
                    }
                    Process::Sequential if frame.bits == 12 => Form::Jpeg12,
                    Process::Lossless => bail!(
                        "is lossless JPEG (process 14), whose first row is read in two ways: a scan of DDSM belongs into the folder of its case; convert others to PNG"
                    ),
                    process => bail!(
                        "is JPEG of {} bits, {process:?}, which is not read; convert it to PNG",
                        frame.bits
                    ),
                };
                let orientation = jpeg::exif(&header).and_then(Orientation::from_exif_chunk);
                of(form, [frame.width, frame.height], orientation.unwrap_or(upright))
            }
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => {
                let (page, pages) = tiff::page(path)?;
                let size = [page.width, page.height];
                let mut picture = of(Form::Tiff(page), size, page.orientation)?;
                if pages > 1 {
                    picture.remarks.push(page.remark(pages));
                }
                Ok(picture)
            }
            [b'P', b'2' | b'5', ..] => {
                let header = pgm::header(path).map_err(|error| root(&error))?;
                of(Form::Pgm, [header.width, header.height], upright)
            }
            [0xff, 0x4f, 0xff, 0x51, ..] | [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] => {
                let mut header = Vec::new();
                file.by_ref().take(HEADER_LIMIT).read_to_end(&mut header)?;
                let size = jpeg2000::size(&header).context("is JPEG 2000 without a codestream")?;
                of(Form::Jpeg2000, [size.width, size.height], upright)
            }
            _ if dicom::is_dicom(&start) => Self::dicom_file(path, file),
            _ => match named(&start) {
                Some(name) => bail!("is {name}, which is not read; save it as PNG or TIFF"),
                None if start.is_empty() => bail!("is empty; get the file again"),
                None => bail!("is no DICOM, PNG, TIFF, PGM or JPEG file"),
            },
        }
    }

    fn dicom_file(path: &Path, file: BufReader<File>) -> Result<Self> {
        let dicom = Box::new(Dicom::read(file)?);
        let [width, height] = dicom.size();
        let remarks = dicom.remarks().to_vec();
        let (path, form) = (path.to_owned(), Form::Dicom(dicom));
        Ok(Self { path, form, width, height, orientation: Orientation::NoTransforms, remarks })
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [u32; 2] {
        [self.width, self.height]
    }

    /// What a user should know of how it is read, such as that another page was left aside. Nothing of the
    /// patient.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// What a DICOM file says besides its pixels.
    pub fn dicom(&self) -> Option<&Dicom> {
        match &self.form {
            Form::Dicom(dicom) => Some(dicom),
            _ => None,
        }
    }

    /// Decodes to a display image; colours become grey.
    ///
    /// # Errors
    /// What is wrong with the pixels; the caller says of which file.
    pub fn image(&self) -> Result<Grey> {
        Ok(match self.shown()? {
            Shown::Grey(grey) => grey,
            Shown::Colours(image) => {
                let (width, height) = image.dimensions();
                let pixels = DynamicImage::ImageRgb8(image).into_luma8().into_raw();
                Grey { width, height, pixels }
            }
        })
    }

    /// Decodes to the values that the file has, with how they are shown; colours become grey levels of 8 bits.
    ///
    /// # Errors
    /// As [`Picture::image`].
    pub fn values(&self) -> Result<Stored> {
        let _room = room::for_wide_pixels(u64::from(self.width) * u64::from(self.height));
        if let Form::Dicom(dicom) = &self.form {
            return dicom.values(open(&self.path)?);
        }
        Ok(match self.decode()? {
            Decoded::Grey(raster) => raster.turned(self.orientation).stored(),
            Decoded::Colours(image) => {
                let mut image = DynamicImage::ImageRgb8(image);
                image.apply_orientation(self.orientation);
                let pixels = image.into_luma8().into_raw();
                Stored::of(Grey { width: self.width, height: self.height, pixels })
            }
        })
    }

    /// Decodes to a display image, and keeps colours.
    ///
    /// # Errors
    /// As [`Picture::image`].
    pub fn shown(&self) -> Result<Shown> {
        let _room = self.room();
        if let Form::Dicom(dicom) = &self.form {
            return Ok(Shown::Grey(dicom.image(open(&self.path)?)?));
        }
        Ok(match self.decode()? {
            Decoded::Grey(raster) => Shown::Grey(raster.turned(self.orientation).shown()),
            Decoded::Colours(image) => {
                let mut image = DynamicImage::ImageRgb8(image);
                image.apply_orientation(self.orientation);
                Shown::Colours(image.into_rgb8())
            }
        })
    }

    /// Decodes without any change of values, as masks need it.
    ///
    /// # Errors
    /// As [`Picture::image`].
    pub fn samples(&self) -> Result<Samples> {
        let _room = self.room();
        if let Form::Dicom(dicom) = &self.form {
            let values = dicom.samples(open(&self.path)?)?;
            return Ok(Samples { width: self.width, height: self.height, values });
        }
        match self.decode()? {
            Decoded::Grey(raster) => raster.turned(self.orientation).samples(),
            Decoded::Colours(image) => {
                let mut image = DynamicImage::ImageRgb8(image);
                image.apply_orientation(self.orientation);
                let values = image.into_luma8().into_raw().into_iter().map(u16::from).collect();
                Ok(Samples { width: self.width, height: self.height, values })
            }
        }
    }

    /// Takes the room that decoding needs.
    fn room(&self) -> room::Taken<'static> {
        let pixels = u64::from(self.width) * u64::from(self.height);
        match self.form {
            Form::Tiff(_) | Form::Jpeg2000 | Form::Dicom(_) => room::for_wide_pixels(pixels),
            _ => room::for_pixels(pixels),
        }
    }

    /// Decodes, not yet turned.
    fn decode(&self) -> Result<Decoded> {
        let words = |values| {
            // None of these is turned but JPEG of 12 bits, whose stored size follows from its own header.
            let [width, height] = raster::turned([self.width, self.height], self.orientation);
            Decoded::Grey(Raster { width, height, values, white: 255 })
        };
        let decoded = match &self.form {
            Form::Dicom(_) => bail!("is DICOM"),
            Form::Pgm => Decoded::Grey(pgm::raster(&self.path).map_err(|error| root(&error))?),
            Form::Tiff(page) => tiff::decode(&self.path, *page)?,
            Form::Jpeg12 => words(Values::Words(jpeg12::decode(&whole(&self.path)?)?)),
            Form::JpegLs => {
                let bytes = whole(&self.path)?;
                let samples = jpegls::decode(&bytes)?;
                words(match jpeg::frame(&bytes) {
                    Some(frame) if frame.bits <= 8 => {
                        Values::Bytes(samples.into_iter().map(|v| v as u8).collect())
                    }
                    _ => Values::Words(samples),
                })
            }
            Form::Jpeg2000 => {
                let bytes = whole(&self.path)?;
                let samples = jpeg2000::decode(&bytes)?;
                words(match jpeg2000::size(&bytes) {
                    Some(size) if size.bits == 8 && !size.signed => {
                        Values::Bytes(samples.into_iter().map(|v| v as u8).collect())
                    }
                    Some(size) if size.signed => {
                        Values::Whole(samples.into_iter().map(|v| i64::from(v as i16)).collect())
                    }
                    _ => Values::Words(samples),
                })
            }
            Form::Common(ImageFormat::Jpeg) => {
                let bytes = whole(&self.path)?;
                ensure!(jpeg::is_whole(&bytes), "is a JPEG that breaks off; get the file again");
                let bytes = BufReader::new(Cursor::new(bytes));
                without_alpha(reader(bytes, ImageFormat::Jpeg).decode()?)?
            }
            Form::Common(format) => {
                let image = reader(open(&self.path)?, *format).decode()?;
                without_alpha(image)?
            }
        };
        Ok(decoded)
    }
}

/// What a decoder gives.
enum Decoded {
    Grey(Raster),
    Colours(RgbImage),
}

/// An image of the `image` crate, which may have an alpha channel that says nothing.
fn without_alpha(image: DynamicImage) -> Result<Decoded> {
    let opaque = match &image {
        DynamicImage::ImageLumaA8(image) => image.pixels().all(|pixel| pixel.0[1] == u8::MAX),
        DynamicImage::ImageLumaA16(image) => image.pixels().all(|pixel| pixel.0[1] == u16::MAX),
        DynamicImage::ImageRgba8(image) => image.pixels().all(|pixel| pixel.0[3] == u8::MAX),
        DynamicImage::ImageRgba16(image) => image.pixels().all(|pixel| pixel.0[3] == u16::MAX),
        _ => true,
    };
    ensure!(opaque, "has transparent pixels: save it without an alpha channel");
    let (width, height) = (image.width(), image.height());
    let grey = |values| Ok(Decoded::Grey(Raster { width, height, values, white: 255 }));
    match image {
        DynamicImage::ImageLuma8(image) => grey(Values::Bytes(image.into_raw())),
        DynamicImage::ImageLuma16(image) => grey(Values::Words(image.into_raw())),
        DynamicImage::ImageLumaA8(_) => grey(Values::Bytes(image.into_luma8().into_raw())),
        DynamicImage::ImageLumaA16(_) => grey(Values::Words(image.into_luma16().into_raw())),
        other => {
            let color = other.color();
            ensure!(
                color.bytes_per_pixel() == color.channel_count(),
                "has colours of more than 8 bits; convert it to grey"
            );
            Ok(Decoded::Colours(other.into_rgb8()))
        }
    }
}

/// What another format is called.
fn named(start: &[u8]) -> Option<&'static str> {
    let names: [(&[u8], &str); 9] = [
        (b"GIF8", "a GIF"),
        (b"BM", "a BMP"),
        (b"RIFF", "a WebP or another RIFF file"),
        (b"P3", "a PPM of colours"),
        (b"P6", "a PPM of colours"),
        (b"\x93NUMPY", "an array of NumPy"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x1f\x8b", "a file packed by gzip"),
        (b"%PDF", "a PDF"),
    ];
    names.into_iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, name)| name)
}

/// All of a file that is not too large to be one image.
fn whole(path: &Path) -> Result<Vec<u8>> {
    Ok(input::read(path, FILE_LIMIT)?)
}

fn open(path: &Path) -> Result<BufReader<File>> {
    // Without the path: its names may be a patient's.
    Ok(BufReader::new(input::open(path).context("cannot be opened")?.0))
}

fn reader<R: Read + Seek>(source: BufReader<R>, format: ImageFormat) -> ImageReader<BufReader<R>> {
    let mut reader = ImageReader::with_format(source, format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    reader
}

/// The cause of an error without the paths around it.
fn root(error: &anyhow::Error) -> anyhow::Error {
    anyhow::anyhow!("{}", error.root_cause())
}

/// Pictures of every format but DICOM.
#[cfg(test)]
pub(crate) fn fuzz_target() -> crate::fuzz::Target {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/found/pictures");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    crate::fuzz::Target {
        name: "picture",
        seeds: paths.iter().map(|path| std::fs::read(path).unwrap()).collect(),
        words: &[
            "II*\0",
            "MM\0*",
            "\u{1}\u{1}\u{3}\0\u{1}\0\0\0",
            "\u{7f}\u{7f}",
            "IHDR",
            "IDAT",
            "Exif\0\0",
        ],
        read: |bytes| {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            std::io::Write::write_all(&mut file, bytes).unwrap();
            let open = || {
                let picture = Picture::open(file.path())?;
                let image = picture.image()?;
                assert_eq!([image.width, image.height], picture.size());
                let samples = picture.samples();
                Ok(format!("read {:?}", samples.is_ok()))
            };
            let read = open().map_err(|error: anyhow::Error| format!("{error:#}"));
            crate::fuzz::outcome(read, |said| said)
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
        file
    }

    fn refusal(bytes: &[u8]) -> String {
        match Picture::open(written(bytes).path()).and_then(|picture| picture.image().map(|_| ())) {
            Err(error) => format!("{error:#}"),
            Ok(()) => panic!("is read"),
        }
    }

    #[test]
    fn the_largest_page_is_used_and_said() {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let mut encoder = ::tiff::encoder::TiffEncoder::new(&mut bytes).unwrap();
        for (side, grey) in [(8, 1u8), (40, 7), (16, 2), (40, 9)] {
            let page = vec![grey; side * side];
            let side = side as u32;
            encoder.write_image::<::tiff::encoder::colortype::Gray8>(side, side, &page).unwrap();
        }
        let file = written(bytes.get_ref());
        let picture = Picture::open(file.path()).unwrap();
        assert_eq!(picture.size(), [40, 40]);
        assert_eq!(
            picture.remarks(),
            ["has 4 pages; the largest is used, page 2 of 40 x 40 pixels"]
        );
        assert_eq!(picture.image().unwrap(), Grey::filled(40, 40, 7));
    }

    #[test]
    fn what_is_not_read_is_called_what_it_is() {
        assert!(refusal(b"GIF89a\0\0\0").contains("is a GIF"));
        assert!(refusal(b"P6 1 1 255 abc").contains("is a PPM of colours"));
        assert!(refusal(b"hello").contains("is no DICOM, PNG, TIFF, PGM or JPEG file"));
        let mut lossless = crate::encoder::encode(&[1, 2, 3, 4], 2, 8, 1);
        assert!(refusal(&lossless).contains("lossless JPEG (process 14)"));
        // Hierarchical.
        lossless[3] = 0xc7;
        assert!(refusal(&lossless).contains("Other(7)"), "{}", refusal(&lossless));
        assert!(refusal(b"").contains("is empty"));
        let grey = image::GrayImage::from_fn(32, 32, |x, y| [(x * y % 255) as u8].into());
        let mut jpeg = std::io::Cursor::new(Vec::new());
        grey.write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
        let cut = &jpeg.get_ref()[..jpeg.get_ref().len() - 40];
        assert!(refusal(cut).contains("breaks off"), "{}", refusal(cut));
        let image = image::RgbaImage::from_pixel(4, 4, image::Rgba([9, 9, 9, 254]));
        let mut png = std::io::Cursor::new(Vec::new());
        image.write_to(&mut png, ImageFormat::Png).unwrap();
        assert!(refusal(png.get_ref()).contains("transparent pixels"));
        let opaque = image::RgbaImage::from_pixel(4, 4, image::Rgba([9, 9, 9, 255]));
        let mut png = std::io::Cursor::new(Vec::new());
        opaque.write_to(&mut png, ImageFormat::Png).unwrap();
        let picture = Picture::open(written(png.get_ref()).path()).unwrap();
        assert!(matches!(picture.form, Form::Common(ImageFormat::Png)));
    }
}
