//! One image file of any format that sources come in: DICOM, PNG, TIFF, PGM, JPEG; grey, 8 to 16 bits.
//!
//! What a file is follows from its first bytes, never from its name. A display image has 8 bits: images
//! of 8 bits are used as they are; DICOM is shown as it says; in other images of more bits the least
//! value is black and the greatest white.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::dicom::Dicom;
use crate::{MAX_PIXELS, pgm};
use mammogram::Grey;

/// Longest side that is believed.
const MAX_SIDE: u32 = 65_535;
/// Memory that a decoder may take.
const MAX_MEMORY: u64 = 1 << 30;

/// A file whose header has been read.
pub struct Picture {
    path: PathBuf,
    form: Form,
    width: u32,
    height: u32,
}

enum Form {
    Dicom(Box<Dicom>),
    Pgm,
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

impl Picture {
    /// Reads the header.
    ///
    /// # Errors
    /// What is wrong with the file; the caller says which it is.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = open(path)?;
        let mut start = Vec::new();
        file.by_ref().take(132).read_to_end(&mut start)?;
        file.rewind()?;
        let dicom = || {
            let dicom = Dicom::read(open(path)?)?;
            let [width, height] = dicom.size();
            Ok(Self { path: path.to_owned(), form: Form::Dicom(Box::new(dicom)), width, height })
        };
        let format = match &start[..] {
            [0x89, b'P', b'N', b'G', ..] => ImageFormat::Png,
            [0xff, 0xd8, 0xff, ..] => ImageFormat::Jpeg,
            [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => ImageFormat::Tiff,
            [b'P', b'2' | b'5', ..] => {
                let header = pgm::header(path).map_err(|error| root(&error))?;
                let (width, height) = (header.width, header.height);
                return Ok(Self { path: path.to_owned(), form: Form::Pgm, width, height });
            }
            _ if start.get(128..132) == Some(b"DICM") || start.starts_with(&[2, 0, 0, 0]) => {
                return dicom();
            }
            _ => bail!("is no DICOM, PNG, TIFF, PGM or JPEG file"),
        };
        let decoder = reader(file, format).into_decoder()?;
        let (width, height) = decoder.dimensions();
        ensure!(
            width > 0 && height > 0 && u64::from(width) * u64::from(height) <= MAX_PIXELS,
            "has an impossible size, {width} x {height} pixels"
        );
        Ok(Self { path: path.to_owned(), form: Form::Common(format), width, height })
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [u32; 2] {
        [self.width, self.height]
    }

    /// What a DICOM file says besides its pixels.
    pub fn dicom(&self) -> Option<&Dicom> {
        match &self.form {
            Form::Dicom(dicom) => Some(dicom),
            _ => None,
        }
    }

    /// Decodes to a display image.
    ///
    /// # Errors
    /// What is wrong with the pixels; the caller says of which file.
    pub fn image(&self) -> Result<Grey> {
        match &self.form {
            Form::Dicom(dicom) => dicom.image(open(&self.path)?),
            Form::Pgm => pgm::read(&self.path).map_err(|error| root(&error)),
            Form::Common(format) => Ok(match self.decode(*format)? {
                Decoded::Bytes(image) => image,
                Decoded::Words(Samples { width, height, values }) => {
                    let least = values.iter().copied().min().unwrap_or(0);
                    let range = u32::from(values.iter().copied().max().unwrap_or(0) - least).max(1);
                    // Rounded to nearest.
                    let shown = |v: u16| ((u32::from(v - least) * 510 + range) / (2 * range)) as u8;
                    Grey { width, height, pixels: values.into_iter().map(shown).collect() }
                }
            }),
        }
    }

    /// Decodes without any change of values, as masks need it.
    ///
    /// # Errors
    /// As [`Picture::image`].
    pub fn samples(&self) -> Result<Samples> {
        let wide = |image: Grey| Samples {
            width: image.width,
            height: image.height,
            values: image.pixels.into_iter().map(u16::from).collect(),
        };
        match &self.form {
            Form::Dicom(dicom) => Ok(Samples {
                width: self.width,
                height: self.height,
                values: dicom.samples(open(&self.path)?)?,
            }),
            Form::Pgm => Ok(wide(pgm::read(&self.path).map_err(|error| root(&error))?)),
            Form::Common(format) => Ok(match self.decode(*format)? {
                Decoded::Bytes(image) => wide(image),
                Decoded::Words(samples) => samples,
            }),
        }
    }

    fn decode(&self, format: ImageFormat) -> Result<Decoded> {
        let (width, height) = (self.width, self.height);
        Ok(match reader(open(&self.path)?, format).decode()? {
            DynamicImage::ImageLuma8(image) => {
                Decoded::Bytes(Grey { width, height, pixels: image.into_raw() })
            }
            DynamicImage::ImageLuma16(image) => {
                Decoded::Words(Samples { width, height, values: image.into_raw() })
            }
            other => {
                let color = other.color();
                ensure!(
                    color.bytes_per_pixel() == color.channel_count(),
                    "has colours of more than 8 bits; convert it to grey"
                );
                Decoded::Bytes(Grey { width, height, pixels: other.into_luma8().into_raw() })
            }
        })
    }
}

enum Decoded {
    Bytes(Grey),
    Words(Samples),
}

fn open(path: &Path) -> Result<BufReader<File>> {
    // Without the path: its names may be a patient's.
    Ok(BufReader::new(File::open(path).context("cannot be opened")?))
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
