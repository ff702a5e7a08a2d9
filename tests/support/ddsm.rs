//! Writes phantoms as a tree of DDSM: `<category>/<volume>/<case>/` with `.ics`, `.OVERLAY` and `.LJPEG`
//! files. Odd patients were "scanned" by a DBA (16 bits), even ones by a LUMISYS (12 bits).

#[path = "ljpeg.rs"]
mod ljpeg;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use mammogram::{Lesion, Mammogram, Mask, Pathology, rasterise};
use source::{Phantom, Source};

/// Steps of a chain code, x right and y down.
const STEPS: [[i64; 2]; 8] = [[0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1]];

/// Keywords of the terms that phantoms have; DDSM has none for coarse heterogeneous calcifications.
const KEYWORDS: [(&str, &str, &str); 21] = [
    ("SHAPE", "shape-round", "ROUND"),
    ("SHAPE", "shape-oval", "OVAL"),
    ("SHAPE", "shape-irregular", "IRREGULAR"),
    ("MARGINS", "margin-circumscribed", "CIRCUMSCRIBED"),
    ("MARGINS", "margin-microlobulated", "MICROLOBULATED"),
    ("MARGINS", "margin-obscured", "OBSCURED"),
    ("MARGINS", "margin-indistinct", "ILL_DEFINED"),
    ("MARGINS", "margin-spiculated", "SPICULATED"),
    ("TYPE", "calc-fine-pleomorphic", "PLEOMORPHIC"),
    ("TYPE", "calc-amorphous", "AMORPHOUS"),
    ("TYPE", "calc-fine-linear", "FINE_LINEAR_BRANCHING"),
    ("TYPE", "calc-round", "PUNCTATE"),
    ("TYPE", "calc-coarse", "COARSE"),
    ("TYPE", "calc-rim", "EGGSHELL"),
    ("TYPE", "calc-vascular", "VASCULAR"),
    ("TYPE", "calc-rod", "LARGE_RODLIKE"),
    ("DISTRIBUTION", "distribution-grouped", "CLUSTERED"),
    ("DISTRIBUTION", "distribution-segmental", "SEGMENTAL"),
    ("DISTRIBUTION", "distribution-linear", "LINEAR"),
    ("DISTRIBUTION", "distribution-regional", "REGIONAL"),
    ("DISTRIBUTION", "distribution-diffuse", "DIFFUSELY_SCATTERED"),
];

/// A scanner: letter of its cases, `DIGITIZER` line, bits, resolution, and the grey value of a density.
struct Scanner {
    letter: char,
    words: &'static str,
    bits: u8,
    resolution: u32,
    grey: fn(f64) -> f64,
}

const DBA: Scanner = Scanner {
    letter: 'A',
    words: "DBA 21",
    bits: 16,
    resolution: 42,
    grey: |density| 10f64.powf((4.26700423 - density) / 0.90303290),
};
const LUMISYS: Scanner = Scanner {
    letter: 'C',
    words: "LUMISYS LASER",
    bits: 12,
    resolution: 50,
    grey: |density| (4.05977749 - density) / 0.00099081,
};

/// The image that a phantom such as `P0001_LEFT_CC` becomes.
pub(crate) fn name(phantom: &str) -> String {
    let (patient, view) = phantom.split_once('_').unwrap();
    let number: u32 = patient[1..].parse().unwrap();
    format!("{}.{view}", case(number))
}

fn scanner(number: u32) -> &'static Scanner {
    if number.is_multiple_of(2) { &LUMISYS } else { &DBA }
}

fn case(number: u32) -> String {
    format!("{}_{number:04}_1", scanner(number).letter)
}

/// Writes the tree of `patients` phantoms of the given height and seed.
pub(crate) fn write_tree(folder: &Path, patients: u32, height: u32, seed: u64) {
    let phantom = Phantom::new(patients, height, seed);
    let mammograms = phantom.catalogue().unwrap().mammograms;
    for (views, number) in mammograms.chunks(4).zip(1..) {
        let scanner = scanner(number);
        let lesions = || views.iter().flat_map(|m| &m.lesions);
        let volume = if lesions().any(|l| l.pathology == Pathology::Malignant) {
            "cancers/cancer_01"
        } else if lesions().next().is_some() {
            "benigns/benign_01"
        } else {
            "normals/normal_01"
        };
        let folder = folder.join(format!("{volume}/case{number:04}"));
        fs::create_dir_all(&folder).unwrap();
        let case = case(number);
        let dashes = case.replace('_', "-");
        let composition = views[0].density.as_deref().unwrap();
        let density = "abcd".find(composition.chars().last().unwrap()).unwrap() + 1;
        let mut ics = format!(
            " \nics_version 1.0\nfilename {dashes}\nDATE_OF_STUDY 1 1 1990\nPATIENT_AGE {}\nFILM \n\
             FILM_TYPE REGULAR\nDENSITY {density}\nDATE_DIGITIZED 1 1 1997 \nDIGITIZER {}\nSEQUENCE\n",
            40 + number % 40,
            scanner.words,
        );
        for m in views {
            let view = m.id.split_once('_').unwrap().1;
            let overlay = if m.lesions.is_empty() { "NON_OVERLAY" } else { "OVERLAY" };
            writeln!(
                ics,
                "{view} LINES {} PIXELS_PER_LINE {} BITS_PER_PIXEL {} RESOLUTION {} {overlay}",
                m.height, m.width, scanner.bits, scanner.resolution
            )
            .unwrap();
            if !m.lesions.is_empty() {
                fs::write(folder.join(format!("{case}.{view}.OVERLAY")), overlay_text(m)).unwrap();
            }
            let most = f64::from(u16::MAX >> (16 - scanner.bits));
            let grey = |display: u8| {
                let density = 3.60 - 3.55 * f64::from(display) / 255.0;
                (scanner.grey)(density).round().clamp(0.0, most) as u16
            };
            let image = phantom.image(m).unwrap();
            let pixels: Vec<u16> = image.pixels.iter().map(|&v| grey(v)).collect();
            let bytes = ljpeg::encode(&pixels, image.width as usize, scanner.bits, 7);
            fs::write(folder.join(format!("{case}.{view}.LJPEG")), bytes).unwrap();
        }
        fs::write(folder.join(format!("{dashes}.ics")), ics).unwrap();
    }
}

fn overlay_text(m: &Mammogram) -> String {
    let mut text = format!("TOTAL_ABNORMALITIES {}\n", m.lesions.len());
    for (number, lesion) in (1..).zip(&m.lesions) {
        let words = |key: &str| {
            let known = KEYWORDS.iter().filter(|(k, term, _)| *k == key && has(lesion, term));
            let words: Vec<&str> = known.map(|(_, _, word)| *word).collect();
            if words.is_empty() { "N/A".into() } else { words.join("-") }
        };
        let kind = if has(lesion, "calcifications") {
            format!("CALCIFICATION TYPE {} DISTRIBUTION {}", words("TYPE"), words("DISTRIBUTION"))
        } else if has(lesion, "architectural-distortion") {
            format!("MASS SHAPE ARCHITECTURAL_DISTORTION MARGINS {}", words("MARGINS"))
        } else {
            format!("MASS SHAPE {} MARGINS {}", words("SHAPE"), words("MARGINS"))
        };
        let pathology = match lesion.pathology {
            Pathology::Malignant => "MALIGNANT",
            Pathology::Benign => "BENIGN",
            Pathology::Unproven => "UNPROVEN",
        };
        let frame = [0.0, 0.0, m.width as f32, m.height as f32];
        let mask = rasterise(&lesion.outlines, frame, m.width, m.height);
        write!(
            text,
            "ABNORMALITY {number} \nLESION_TYPE {kind}\nASSESSMENT 4 \nSUBTLETY 3 \n\
             PATHOLOGY {pathology}\nTOTAL_OUTLINES 1 \nBOUNDARY\n{}\n",
            chain(&mask)
        )
        .unwrap();
    }
    text
}

fn has(lesion: &Lesion, term: &str) -> bool {
    lesion.terms.iter().any(|known| known == term)
}

/// The outermost pixels of a region as a chain code, clockwise (Moore's neighbour tracing).
fn chain(mask: &Mask) -> String {
    let inside = |[x, y]: [i64; 2]| {
        (0..i64::from(mask.width)).contains(&x)
            && (0..i64::from(mask.height)).contains(&y)
            && mask.at(x as u32, y as u32)
    };
    let first = mask.pixels.iter().position(|&p| p).expect("a lesion within the image");
    let width = mask.width as usize;
    let start = [(first % width) as i64, (first / width) as i64];
    let mut text = format!("{} {}  ", start[0], start[1]);
    let (mut at, mut back, mut first_step) = (start, 6, None);
    loop {
        let next = (1..=8)
            .map(|turn| (back + turn) % 8)
            .find(|&step| inside([at[0] + STEPS[step][0], at[1] + STEPS[step][1]]));
        // A single pixel, or around.
        let Some(step) = next.filter(|&step| at != start || first_step != Some(step)) else {
            break;
        };
        first_step.get_or_insert(step);
        write!(text, "{step} ").unwrap();
        at = [at[0] + STEPS[step][0], at[1] + STEPS[step][1]];
        back = (step + if step % 2 == 0 { 6 } else { 5 }) % 8;
    }
    text + "#"
}
