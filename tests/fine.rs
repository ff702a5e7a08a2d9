//! Mammograms as a detector gives them, of 4,000 x 5,000 pixels and twelve bits, from files to the screen: how large the
//! site is, and whether a reader of the survey sees every pixel of a 50 micron scan as it is.
#![cfg(unix)]

use std::path::Path;

use mammogram::{Mammogram, Outline, Pathology};
use source::{Phantom, Source};

use crate::support::chromium::{Browser, chromium};
use crate::support::dicom;
use crate::support::project::Project;
use crate::support::viewing::*;

const SIZE: [u32; 2] = [4000, 5000];
/// Bytes that a mammogram of this size takes at most in the atlas, so that a hundred of them stay below 500 MB. A blind
/// survey has those that it asks about once more.
const MOST: u64 = 5_000_000;

const CONFIG: &str = "\
title: Fine
source: { kind: folder, path: mammograms.csv }
mammograms: { height: source }
patches: { size: 113, window: 0.25 }
split: { train: 0, validation: 1, test: 0 }
networks:
  - { name: resnet10, input: 64, layers: [layer4], training: false }
dissection: { split: validation, top: 32, permutations: 0 }
survey: { resolution: source, units: 2 }
";

/// What a detector of twelve bits would give for a phantom's grey: the four bits below are a pattern of their own.
fn stored(grey: u8, x: u32, y: u32) -> u16 {
    16 * u16::from(grey) + ((5 * x + 3 * y) % 16) as u16
}

/// Both views of a breast with cancer.
fn pictures() -> Vec<(Mammogram, Vec<u16>)> {
    let phantoms = Phantom::new(12, SIZE[1], 1);
    let all = phantoms.catalogue().unwrap().mammograms;
    let with = |m: &&Mammogram| m.lesions.iter().any(|l| l.pathology == Pathology::Malignant);
    let first = all.iter().find(with).unwrap();
    let same = |m: &&Mammogram| (&m.patient, m.laterality) == (&first.patient, first.laterality);
    let of = |mammogram: &Mammogram| {
        let image = phantoms.image(mammogram).unwrap();
        assert_eq!([image.width, image.height], SIZE);
        let places = (0..SIZE[1]).flat_map(|y| (0..SIZE[0]).map(move |x| (x, y)));
        let values = image.pixels.iter().zip(places).map(|(&grey, (x, y))| stored(grey, x, y));
        (mammogram.clone(), values.collect())
    };
    all.iter().filter(same).map(of).collect()
}

fn write(project: &Project, pictures: &[(Mammogram, Vec<u16>)]) {
    let mut table = String::from("image,id,patient,laterality,view,pathology,polygon\n");
    for (mammogram, values) in pictures {
        let file = format!("{}.dcm", mammogram.id);
        let texts: [(u16, u16, &[u8; 2], &str); 3] = [
            (0x18, 0x1164, b"DS", "0.05\\0.05"),
            (0x28, 0x1050, b"DS", "2048\\1200"),
            (0x28, 0x1051, b"DS", "4096\\500"),
        ];
        project.write(&file, dicom::file(values, SIZE[0] as u16, 12, &texts));
        let [lesion, ..] = &mammogram.lesions[..] else { panic!("no lesion") };
        let corners = |outline: &Outline| match outline {
            Outline::Polygon(points) => {
                points.iter().map(|[x, y]| format!("{x:.0},{y:.0}")).collect::<Vec<_>>().join(" ")
            }
            _ => panic!("phantoms have polygons"),
        };
        let polygon = lesion.outlines.iter().map(corners).collect::<Vec<_>>().join("; ");
        let (side, view) = (mammogram.laterality.unwrap(), mammogram.view.unwrap());
        table += &format!("{file},{},p,{side},{view},malignant,\"{polygon}\"\n", mammogram.id);
    }
    project.write("mammograms.csv", table);
}

/// Bytes of the files of the site below a folder.
fn bytes(project: &Project, folder: &str) -> u64 {
    walkdir::WalkDir::new(project.path("output/site").join(folder))
        .into_iter()
        .map(|entry| entry.unwrap().metadata().unwrap())
        .filter(|m| m.is_file())
        .map(|m| m.len())
        .sum()
}

/// Reads a patch of the survey at one to one, and compares every pixel of the screen in its middle with `level` of the
/// picture there.
fn read(
    chromium: &Path,
    project: &Project,
    pictures: &[(Mammogram, Vec<u16>)],
    level: &dyn Fn(u16) -> u8,
    within: u8,
) {
    let path = |name: &str| project.path(name);
    // Of a reader who is here for the first time.
    let profile = tempfile::tempdir_in(project.root()).unwrap();
    let mut browser = Browser::open(chromium, profile.path(), &path("downloads"), [1440, 900]);
    screen(&mut browser, [1440, 900], 1.0);
    browser.go(&format!("file://{}/survey/index.html", path("output/site").display()));
    begin(&mut browser, "document");
    browser.click(".survey-grid li:nth-child(1) button");
    drawn(&mut browser, 1);
    browser.key("o");
    browser.key("1");
    drawn(&mut browser, 1);
    assert_eq!(zoom(&mut browser), "100% of 4000 × 5000 px");
    let [left, top, width, height] = place(&mut browser, 0);
    let [scale, x, y] = matrix(&mut browser, 0);
    assert_eq!((scale, x.fract(), y.fract()), (1.0, 0.0, 0.0));
    let seen = shot(&mut browser);
    // Which of the two it is, the survey does not say: it is the one that all pixels are those of.
    let off = |values: &[u16]| {
        let mut off = Vec::new();
        let mut levels = std::collections::BTreeSet::new();
        for py in (0..height as u32 - 160).map(|at| at + 80) {
            for px in (0..width as u32 - 160).map(|at| at + 80) {
                let [column, row] = [f64::from(px) - x, f64::from(py) - y];
                // Beside the picture.
                if column < 0.0 || row < 0.0 || column >= 4000.0 || row >= 5000.0 {
                    continue;
                }
                let [column, row] = [column as u32, row as u32];
                let wanted = level(values[(row * SIZE[0] + column) as usize]);
                let shown = seen.get_pixel(left.round() as u32 + px, top.round() as u32 + py)[0];
                if shown.abs_diff(wanted) > within {
                    off.push((px, py, shown, wanted));
                }
                levels.insert(wanted);
            }
        }
        assert!(levels.len() > 20, "nothing to compare");
        off
    };
    let found: Vec<_> = pictures.iter().map(|(_, values)| off(values)).collect();
    let told = || found.iter().map(|off| (off.len(), off.first())).collect::<Vec<_>>();
    assert!(found.iter().any(Vec::is_empty), "too many, and the first of them: {:?}", told());
    // Two thousand pixels of 50 micron would be ten centimetres.
    browser.key("d");
    let middle = [left + width / 2.0, top + height / 2.0].map(f64::round);
    drag(&mut browser, middle, [200.0, 0.0], "left");
    let length = browser.text("document.querySelector('.viewer-length').textContent");
    assert_eq!(length, "10.0 mm on detector or film");
    assert_eq!(browser.complaints(), [""; 0]);
    browser.close();
}

#[test]
fn mammograms_of_4000_by_5000_pixels_are_read_at_one_to_one_in_the_survey_from_a_disk() {
    let Some(chromium) = chromium() else { return };
    let project = Project::new(CONFIG);
    let pictures = pictures();
    write(&project, &pictures);
    project.run(&["run"]).expect(0);
    let each = || bytes(&project, "mammograms") / pictures.len() as u64;
    assert!(each() < MOST, "{} bytes for a mammogram", each());
    // Of the 256 levels that `prepare` shows, JPEG changes a few.
    let display = |value: u16| (f64::from(value) * 255.0 / 4095.0).round() as u8;
    read(&chromium, &project, &pictures, &display, 40);

    // The same in the detector's own values: only the site is built anew.
    project.write("atlas.yaml", CONFIG.replace("height: source", "height: source, depth: source"));
    let told = project.run(&["run"]).expect(0);
    assert!(told.out.contains("layer4 is fresh"), "{}", told.out);
    read(&chromium, &project, &pictures, &display, 0);
    assert!(each() > MOST, "it is no smaller than eight bits: {}", each());
}
