//! DICOM images: one frame, one grey plane, 8 or 16 bits allocated.
//!
//! Read: uncompressed (implicit, explicit, big endian, deflated), RLE, JPEG of 8 and 12 bits, lossless
//! JPEG of every predictor, JPEG-LS, JPEG 2000. Everything else is refused by its name. Of the tags only
//! those of the image, its laterality and view are read, and the patient's identifier, which leaves here
//! as a pseudonym only. What a file says of itself and what it holds need not agree: then what it holds
//! counts, and [`Dicom::remarks`] says so.

mod display;
mod elements;
mod header;
mod pixels;
mod stream;
mod syntax;

use std::io::{Read, Seek};

use anyhow::{Result, ensure};

use self::elements::{Elements, TOP, tags};
use self::header::{Header, Intent};
use crate::pseudonym::Pseudonyms;
use mammogram::{Grey, Laterality, Modifier, Values, View};

/// A file whose header has been read.
pub struct Dicom {
    elements: Elements,
    header: Header,
}

/// Bytes of a file that [`is_dicom`] wants.
pub const START: usize = elements::START;

/// Whether a file that begins so is DICOM, with a preamble of any kind or without one.
pub fn is_dicom(start: &[u8]) -> bool {
    elements::begin(start).is_some()
}

/// Whether a file that begins so has the word that stands after DICOM's preamble, which may be that of
/// another format.
pub fn has_preamble(start: &[u8]) -> bool {
    start.get(128..132) == Some(b"DICM")
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

    /// What a user should know of how it is read: where it departs from the standard or contradicts
    /// itself. Nothing of the patient.
    pub fn remarks(&self) -> &[String] {
        &self.header.remarks
    }

    /// Whether it holds the detector's own values (Presentation Intent Type FOR PROCESSING).
    /// [`Dicom::image`] converts them, where it says how they follow from the exposure.
    pub fn is_for_processing(&self) -> bool {
        self.header.intent != Intent::Presentation
    }

    /// Whether it says that the breast has an implant.
    pub fn has_implant(&self) -> bool {
        self.header.implant
    }

    /// Whether it says that it was computed from tomosynthesis, or is a projection of it.
    pub fn is_tomosynthesis(&self) -> bool {
        self.header.tomosynthesis
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
    /// As [`Dicom::samples`]; when it is FOR PROCESSING and does not say how its values follow from the
    /// exposure.
    pub fn image(&self, source: impl Read + Seek) -> Result<Grey> {
        let samples = self.showable(source)?;
        let table = self.header.display(&samples);
        let pixels = samples.iter().map(|&raw| table[usize::from(raw)]).collect();
        Ok(Grey { width: self.header.width, height: self.header.height, pixels })
    }

    /// Decodes to values after the modality's rescale or table, with the windows that the file proposes. Under the
    /// first of them they are shown as [`Dicom::image`] shows them.
    ///
    /// # Errors
    /// As [`Dicom::image`].
    pub fn values(&self, source: impl Read + Seek) -> Result<Values> {
        Ok(self.header.values(&self.showable(source)?))
    }

    fn showable(&self, source: impl Read + Seek) -> Result<Vec<u16>> {
        ensure!(
            self.header.intent != Intent::Processing(None),
            "is FOR PROCESSING, the detector's own values, and does not say how they follow from the exposure (Pixel Intensity Relationship and its sign); use the FOR PRESENTATION image of the same exposure"
        );
        self.samples(source)
    }
}

/// The streams of JPEG within the golden files that are of a process.
#[cfg(test)]
pub(crate) fn streams(process: crate::jpeg::Process) -> Vec<Vec<u8>> {
    let files = tests::all_made().into_iter();
    let streams = files.filter_map(|bytes| {
        let elements = Elements::read(std::io::Cursor::new(&bytes)).ok()?;
        match elements.pixel_data(std::io::Cursor::new(&bytes)).ok()? {
            elements::PixelData::Encapsulated(stream) => Some(stream),
            elements::PixelData::Native(_) => None,
        }
    });
    streams
        .filter(|stream| crate::jpeg::frame(stream).is_some_and(|f| f.process == process))
        .collect()
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
            "1.2.840.10008.1.2.4.80",
            "FOR PROCESSING",
            "\u{e0}\u{7f}\u{10}\u{0}",
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
