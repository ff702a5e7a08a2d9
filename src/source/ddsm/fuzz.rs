//! What of DDSM is fuzzed.

use super::case::Case;
use super::keyword;
use super::overlay::Overlay;
use crate::fuzz::{Target, outcome};

const OVERLAY: &str = "TOTAL_ABNORMALITIES 2\nABNORMALITY 1 \nLESION_TYPE MASS SHAPE IRREGULAR MARGINS \
    ILL_DEFINED-SPICULATED\nLESION_TYPE CALCIFICATION TYPE  PUNCTATE DISTRIBUTION N/A \nASSESSMENT 4 \n\
    SUBTLETY 3 \nPATHOLOGY MALIGNANT\nTOTAL_OUTLINES 2 \nBOUNDARY\n9 9  2 2 4 4 6 6 0 0 # \n\tCORE\n\
    10 10  2 6 #\nABNORMALITY 2\nLESION_TYPE MASS SHAPE ROUND MARGINS N/A\nASSESSMENT N/A\n\
    PATHOLOGY BENIGN_WITHOUT_CALLBACK\nTOTAL_OUTLINES 1\nBOUNDARY\n3 3 #\n";
const ICS: &str = " \nics_version 1.0\nfilename D-9999-1\nDATE_OF_STUDY 1 2 03\nPATIENT_AGE 50\nFILM \n\
    FILM_TYPE REGULAR\nDENSITY 3\nDATE_DIGITIZED 2 3 2001 \nDIGITIZER HOWTEK 43.5\nSELECTED\n\
    LEFT_CC LINES 5200 PIXELS_PER_LINE 2500 BITS_PER_PIXEL 12 RESOLUTION 43.5 OVERLAY  \n\
    RIGHT_MLO LINES 5300 PIXELS_PER_LINE 2600 BITS_PER_PIXEL 12 RESOLUTION 43.5 NON_OVERLAY\n";

/// The overlay and the `.ics`.
pub(crate) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "overlay",
            seeds: vec![OVERLAY.into()],
            words: &[
                "TOTAL_ABNORMALITIES",
                "ABNORMALITY",
                "LESION_TYPE",
                "MASS",
                "SHAPE",
                "MARGINS",
                "CALCIFICATION",
                "TYPE",
                "DISTRIBUTION",
                "ASSESSMENT",
                "SUBTLETY",
                "PATHOLOGY",
                "MALIGNANT",
                "BENIGN",
                "UNPROVEN",
                "TOTAL_OUTLINES",
                "BOUNDARY",
                "\tCORE\n",
                " # \n",
                "\n",
                " 0 1 2 3 4 5 6 7",
                " 0 0 0 0 0 0 0 0",
                "65535 65535 ",
                "-65535 ",
                "N/A",
                "é",
            ],
            read: |bytes| {
                let text = String::from_utf8_lossy(bytes);
                outcome(Overlay::parse(&text).map_err(|flaw| flaw.message), |overlay| {
                    let mut words = 0;
                    for abnormality in &overlay.abnormalities {
                        for chain in abnormality.boundaries.iter().chain(&abnormality.cores) {
                            chain.outline();
                            words += u32::from(chain.misses([90, 90]));
                            words += u32::from(chain.outside([90, 90]) > 0);
                        }
                        keyword::terms(&abnormality.kinds, |_| words += 1);
                    }
                    let doubt = overlay.doubts.first().map_or("", |doubt| doubt.message.as_str());
                    format!("read {words} {doubt}")
                })
            },
        },
        Target {
            name: "ics",
            seeds: vec![ICS.into()],
            words: &[
                "filename",
                "PATIENT_AGE",
                "DENSITY",
                "DIGITIZER",
                "DBA 21",
                "LUMISYS LASER",
                "LINES",
                "PIXELS_PER_LINE",
                "BITS_PER_PIXEL",
                "RESOLUTION",
                "OVERLAY",
                "NON_OVERLAY",
                "LEFT_CC ",
                "LEFT_MLO ",
                "RIGHT_CC ",
                "RIGHT_MLO ",
                "SEQUENCE",
                "\n",
                "NaN",
                "inf",
                "1e9",
                "-1",
                "é",
            ],
            read: |bytes| {
                let text = String::from_utf8_lossy(bytes);
                // The name of the file is part of what is read.
                let (stem, text) = text.split_once('\r').unwrap_or(("D-9999-1", &text));
                outcome(Case::parse(text, stem).map_err(|flaw| flaw.message), |case| {
                    let names: Vec<String> = case.films.iter().map(|f| case.image(f)).collect();
                    let patient = case.patient().len().min(1);
                    let doubt = case.doubts.first().map_or("", |doubt| doubt.message.as_str());
                    format!("read {} {patient} {doubt}", names.len())
                })
            },
        },
    ]
}
