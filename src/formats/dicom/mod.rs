//! DICOM images: one frame, one grey plane, 8 or 16 bits allocated.
//!
//! Read: uncompressed (implicit, explicit, big endian, deflated), RLE, JPEG of 8 bits, lossless JPEG
//! of every predictor, JPEG 2000. Everything else is refused by its name. Of the tags only those of
//! the image, its laterality and view are read, and the patient's identifier, which leaves here as a
//! pseudonym only.

mod display;
mod elements;
mod header;
mod pixels;
mod syntax;

use std::io::{Read, Seek};

use anyhow::Result;

use self::elements::{Elements, TOP, tags};
use self::header::Header;
use crate::pseudonym::Pseudonyms;
use mammogram::{Grey, Laterality, Modifier, View};

/// A file whose header has been read.
pub struct Dicom {
    elements: Elements,
    header: Header,
}

impl Dicom {
    /// Reads the header.
    ///
    /// # Errors
    /// What is wrong with it, or not read; the caller says of which file.
    pub fn read(source: impl Read + Seek) -> Result<Self> {
        let elements = Elements::read(source)?;
        let header = Header::new(&elements)?;
        Ok(Self { elements, header })
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [u32; 2] {
        [self.header.width, self.header.height]
    }

    /// Which breast, when it says.
    pub fn laterality(&self) -> Option<Laterality> {
        self.header.laterality
    }

    /// Which view, when it says.
    pub fn view(&self) -> Option<View> {
        self.header.view
    }

    /// What the view is confined to, when it says that it is.
    pub fn modifier(&self) -> Option<Modifier> {
        self.header.modifier
    }

    /// Edge of a pixel in micrometres, when it says.
    pub fn micron(&self) -> Option<f64> {
        self.header.micron
    }

    /// Whether its least value is shown white (MONOCHROME1).
    pub fn is_inverted(&self) -> bool {
        self.header.inverted
    }

    /// The patient, when it has an identifier.
    pub fn patient(&self, pseudonyms: Pseudonyms) -> Option<String> {
        let id = header::text(self.elements.value(TOP, tags::PATIENT_ID)?)?;
        Some(pseudonyms.patient(&id))
    }

    /// Decodes the stored bits of each sample, without rescale and sign.
    ///
    /// # Errors
    /// What is wrong with the pixel data, and where.
    pub fn samples(&self, source: impl Read + Seek) -> Result<Vec<u16>> {
        pixels::decode(&self.header, self.elements.pixel_data(source)?, self.elements.big)
    }

    /// Decodes to a display image.
    ///
    /// # Errors
    /// As [`Dicom::samples`].
    pub fn image(&self, source: impl Read + Seek) -> Result<Grey> {
        let samples = self.samples(source)?;
        let table = self.header.display(&samples);
        let pixels = samples.iter().map(|&raw| table[usize::from(raw)]).collect();
        Ok(Grey { width: self.header.width, height: self.header.height, pixels })
    }
}

/// Whole files.
#[cfg(test)]
pub(crate) fn fuzz_target() -> crate::fuzz::Target {
    use std::io::Cursor;
    crate::fuzz::Target {
        name: "dicom",
        seeds: tests::all_made(),
        words: &[
            "SQ\0\0",
            "OW\0\0",
            "UN\0\0",
            "US\u{2}\0",
            "DS",
            "IS",
            "\\",
            "\u{28}\0",
            "\0\0\0\0",
            "MONOCHROME1",
            "1.2.840.10008.1.2.4.70",
            "1.2.840.10008.1.2.5",
            "1.2.840.10008.1.2.4.90",
        ],
        read: |bytes| {
            let read = Dicom::read(Cursor::new(bytes)).and_then(|d| d.image(Cursor::new(bytes)));
            let read = read.map_err(|error| format!("{error:#}"));
            crate::fuzz::outcome(read, |image| format!("{:?}", image.pixels.first()))
        },
    }
}

#[cfg(test)]
mod tests;
