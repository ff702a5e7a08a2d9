use std::fs;
use std::io::Write;
use std::path::Path;

use super::*;
use crate::{Files, real_data};
use mammogram::{Laterality, Mask, View, rasterise};

/// `.ics` text with views of 30 x 20 pixels; `overlays` names those that have one.
fn ics(digitizer: &str, bits: u8, views: &[&str], overlays: &[&str]) -> String {
    let mut text =
        format!(" \nics_version 1.0\nPATIENT_AGE 61\nDENSITY 2\nDIGITIZER {digitizer}\nSEQUENCE\n");
    for view in views {
        let word = if overlays.contains(view) { "OVERLAY" } else { "NON_OVERLAY" };
        text.push_str(&format!(
            "{view} LINES 20 PIXELS_PER_LINE 30 BITS_PER_PIXEL {bits} RESOLUTION 50 {word}  \n"
        ));
    }
    text
}

#[test]
fn tiffs_and_thumbnails_are_read_where_there_is_no_scan() {
    let folder = tempfile::tempdir().unwrap();
    let views = ["LEFT_CC", "LEFT_MLO", "RIGHT_CC", "RIGHT_MLO"];
    let text = ics("LUMISYS LASER", 12, &views, &["RIGHT_CC"]);
    // 300 x 150 and 450 x 150 pixels, so 20 x 10 and 30 x 10 of thumbnails.
    let text = text.replace("LINES 20 PIXELS_PER_LINE 30", "LINES 150 PIXELS_PER_LINE 300");
    let text = text.replacen("PIXELS_PER_LINE 300", "PIXELS_PER_LINE 450", 1);
    write(folder.path(), "C-0001-1.ics", text);
    write(folder.path(), "C_0001_1.RIGHT_CC.OVERLAY", overlay("MALIGNANT", 150, 75));
    let grey = image::ImageBuffer::from_pixel(300, 150, image::Luma([1300u16]));
    grey.save(folder.path().join("C_0001_1.LEFT_MLO.tif")).unwrap();
    // RIGHT_MLO | LEFT_MLO over RIGHT_CC | LEFT_CC.
    let (width, height) = (60, 30);
    let pixel = |x: usize, y: usize| match (x, y) {
        (0..20, 0..10) => 1300u16,
        (30..50, 0..10) => 9,
        (0..20, 20..30) => 2255,
        (30..60, 20..30) => 4095,
        (_, 10..20) | (20..30, _) => 0,
        _ => 65_535,
    };
    let pixels = (0..width * height).flat_map(|i| pixel(i % width, i / width).to_be_bytes());
    let tape = [b"P5\n60 30\n65535\n\n".to_vec(), pixels.collect()].concat();
    write(folder.path(), "TAPE_C_0001_1.COMB.16_PGM", &tape);
    let source = Ddsm::new(folder.path());
    let catalogue = source.catalogue().unwrap();
    assert_eq!(catalogue.notices, []);
    let found: Vec<_> = catalogue
        .mammograms
        .iter()
        .map(|m| {
            let image = source.image(m).unwrap();
            assert!(image.pixels.iter().all(|&v| v == image.pixels[0]), "{}", m.id);
            (m.id.as_str(), [image.width, image.height], image.pixels[0])
        })
        .collect();
    let expected = [
        ("C_0001_1.LEFT_CC", [30, 10], 255),
        ("C_0001_1.LEFT_MLO", [300, 150], 59),
        ("C_0001_1.RIGHT_CC", [20, 10], 127),
        ("C_0001_1.RIGHT_MLO", [20, 10], 59),
    ];
    assert_eq!(found, expected);
    let lesion = &catalogue.mammograms[2].lesions[0];
    let place = lesion.outlines[0].bounds().unwrap();
    assert!((place[0] - 10.0).abs() < 0.1 && (place[1] - 5.0).abs() < 0.1, "{place:?}");
    assert!(catalogue.summary[2].starts_with("3 views read from thumbnails"));
    // Another picture than that of the case.
    write(folder.path(), "TAPE_C_0001_1.COMB.16_PGM", b"P5\n60 31\n65535\n\n");
    let catalogue = Ddsm::new(folder.path()).catalogue().unwrap();
    assert_eq!(catalogue.mammograms.len(), 1);
    assert!(catalogue.notices[0].message.contains("expected a PGM of 16 bits with 60 x 30"));
}

/// A square of 5 x 5 pixels with its top left at the given place.
fn overlay(pathology: &str, x: i32, y: i32) -> String {
    format!(
        "TOTAL_ABNORMALITIES 1\nABNORMALITY 1\nLESION_TYPE MASS SHAPE OVAL MARGINS ILL_DEFINED\n\
         ASSESSMENT 4\nSUBTLETY 2\nPATHOLOGY {pathology}\nTOTAL_OUTLINES 1\nBOUNDARY\n\
         {x} {y}  2 2 2 2 4 4 4 4 6 6 6 6 0 0 0 0 #\n"
    )
}

fn ljpeg(width: usize, height: usize, bits: u8, value: impl Fn(usize) -> u16) -> Vec<u8> {
    let pixels: Vec<u16> = (0..width * height).map(value).collect();
    crate::encoder::encode(&pixels, width, bits, 7)
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn png(width: u32, height: u32, color: image::ExtendedColorType, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    image::ImageEncoder::write_image(
        image::codecs::png::PngEncoder::new(&mut out),
        bytes,
        width,
        height,
        color,
    )
    .unwrap();
    out
}

fn filled(mammogram: &Mammogram, lesion: &Lesion) -> Mask {
    let Mammogram { width, height, .. } = *mammogram;
    rasterise(&lesion.outlines, [0.0, 0.0, width as f32, height as f32], width, height)
}

#[test]
fn cases_become_mammograms_of_patients() {
    let folder = tempfile::tempdir().unwrap();
    let case = "cancers/cancer_01/case0001/C-0001-1.ics";
    let at = |name: &str| format!("cancers/cancer_01/case0001/C_0001_1.{name}");
    write(
        folder.path(),
        case,
        ics("LUMISYS LASER", 12, &["LEFT_CC", "LEFT_MLO", "RIGHT_CC"], &["LEFT_CC"]),
    );
    write(folder.path(), &at("LEFT_CC.OVERLAY"), overlay("MALIGNANT", 3, 4));
    // Grey rises to the right; one packed; one as 16 bits; a picture beside a scan is not read.
    let grey = |i: usize| (i % 30 * 130) as u16;
    write(folder.path(), &at("LEFT_CC.LJPEG"), ljpeg(30, 20, 12, grey));
    write(folder.path(), &at("LEFT_CC.png"), "no picture");
    write(folder.path(), &at("LEFT_MLO.LJPEG.gz"), packed(&ljpeg(30, 20, 12, grey)));
    let wide: Vec<u8> = (0..600).flat_map(|i| grey(i).to_ne_bytes()).collect();
    write(
        folder.path(),
        &at("RIGHT_CC.LJPEG.1.png"),
        png(30, 20, image::ExtendedColorType::L16, &wide),
    );
    let source = Ddsm::new(folder.path());
    let catalogue = source.catalogue().unwrap();
    assert_eq!(catalogue.notices, []);
    let [first, second, third] = &catalogue.mammograms[..] else { panic!() };
    assert_eq!((first.id.as_str(), first.patient.as_str()), ("C_0001_1.LEFT_CC", "C_0001"));
    assert_eq!((first.laterality, first.view), (Some(Laterality::Left), Some(View::Cc)));
    assert_eq!((first.width, first.height, first.micron), (30, 20, Some(50.0)));
    assert_eq!(first.density.as_deref(), Some("composition-b"));
    let facts: Vec<_> = first.facts.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let expected = [
        ("age", "61"),
        ("resolution", "50 micron"),
        ("scanner", "LUMISYS"),
        ("volume", "cancer_01"),
    ];
    assert_eq!(facts, expected);
    let [lesion] = &first.lesions[..] else { panic!() };
    assert_eq!(lesion.pathology, Pathology::Malignant);
    assert_eq!(lesion.terms, ["mass", "shape-oval", "margin-indistinct"]);
    assert_eq!(lesion.source_words, "MASS SHAPE OVAL MARGINS ILL_DEFINED");
    assert_eq!((lesion.subtlety, lesion.assessment), (Some(2), Assessment::of("4")));
    let mask = filled(first, lesion);
    assert_eq!((mask.area(), mask.at(3, 4), mask.at(7, 8), mask.at(8, 8)), (25, true, true, false));

    // By hand: LUMISYS grey 1300 is density 2.7717, so (3.60 - 2.7717) / 3.55 * 255 = 59.5.
    let image = source.image(first).unwrap();
    assert_eq!((image.at(0, 0), image.at(10, 0), image.at(29, 19)), (0, 59, 235));
    assert_eq!(image, source.image(second).unwrap());
    assert_eq!(image, source.image(third).unwrap());
    // The scanner's own values, shown alike.
    for (mammogram, shown) in [(first, &image), (third, &image)] {
        let values = source.values(mammogram).unwrap();
        let of = |x: usize, y: usize| values.value(values.codes[30 * y + x]);
        assert_eq!((of(0, 0), of(10, 0), of(29, 19)), (0.0, 1300.0, 3770.0));
        let levels = values.codes.iter().map(|&code| values.brightness(code, values.windows[0]));
        let levels: Vec<u8> = levels.map(|level| (255.0 * level).round() as u8).collect();
        assert_eq!(levels, shown.pixels);
    }
    assert_eq!(catalogue.summary[0], "1 cases, 3 views listed: 3 present, 0 missing, 3 used");
    assert!(catalogue.summary[1].starts_with("images: 2 as LJPEG, 1 converted with"));
}

#[test]
fn what_cannot_be_used_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let views = ["LEFT_CC", "LEFT_MLO", "RIGHT_CC", "RIGHT_MLO"];
    let good = ljpeg(30, 20, 16, |i| i as u16 * 100);
    let put = |case: u32, name: &str, bytes: &[u8]| {
        write(folder.path(), &format!("b/v/case{case:04}/{name}"), bytes);
    };
    // An unreadable overlay, a missing one, one more than listed, and a scan that is not there.
    put(1, "A-0001-1.ics", ics("DBA 21", 16, &views, &["LEFT_CC", "LEFT_MLO"]).as_bytes());
    for view in &views[..3] {
        put(1, &format!("A_0001_1.{view}.LJPEG"), &good);
    }
    put(1, "A_0001_1.LEFT_CC.OVERLAY", overlay("MALIGNANT?", 1, 1).as_bytes());
    put(1, "A_0001_1.RIGHT_CC.OVERLAY", overlay("BENIGN_WITHOUT_CALLBACK", -2, 17).as_bytes());
    put(1, "A_0001_1.LEFT_XX.OVERLAY", overlay("BENIGN", 1, 1).as_bytes());
    // Rows of another length, another size, no image at all, an outline beyond the image.
    put(2, "A-0002-1.ics", ics("DBA 21", 16, &views, &["RIGHT_MLO"]).as_bytes());
    put(2, "A_0002_1.LEFT_CC.LJPEG", &ljpeg(20, 30, 16, |i| i as u16 * 100));
    put(2, "A_0002_1.LEFT_MLO.LJPEG", &ljpeg(30, 21, 16, |_| 0));
    put(2, "A_0002_1.RIGHT_CC.LJPEG", b"\xff\xd8\xff\xc0\0\x0b");
    put(2, "A_0002_1.RIGHT_MLO.LJPEG", &good[..good.len() / 2]);
    put(2, "A_0002_1.RIGHT_MLO.OVERLAY", overlay("UNPROVEN", 90, 1).as_bytes());
    put(3, "A-0003-1.ics", b"nothing");
    put(4, "A_0004_1.LEFT_CC.LJPEG", &good);
    let source = Ddsm::new(folder.path());
    let catalogue = source.catalogue().unwrap();
    let ids: Vec<_> = catalogue.mammograms.iter().map(|m| m.id.as_str()).collect();
    assert_eq!(ids, ["A_0001_1.RIGHT_CC", "A_0002_1.LEFT_CC", "A_0002_1.RIGHT_MLO"]);
    let expected = [
        (
            "case0001/A_0001_1.LEFT_CC.OVERLAY:6",
            true,
            "found \"MALIGNANT?\"; the image A_0001_1.LEFT_CC",
        ),
        ("case0001/A-0001-1.ics", true, "overlay of A_0001_1.LEFT_MLO, which is missing"),
        ("case0001/A_0001_1.RIGHT_CC.OVERLAY", false, "as NON_OVERLAY; the overlay counts"),
        ("case0001/A_0001_1.RIGHT_CC.OVERLAY:2", false, "runs 2 pixels out"),
        ("case0001/A_0001_1.LEFT_XX.OVERLAY", false, "stray overlay"),
        ("case0002/A_0002_1.LEFT_CC.LJPEG", false, "as 20 x 30 pixels; the 30 x 20 of the .ics"),
        (
            "case0002/A_0002_1.LEFT_MLO.LJPEG",
            true,
            "has 30 x 21 pixels where the .ics lists 30 x 20",
        ),
        ("case0002/A_0002_1.RIGHT_CC.LJPEG", true, "header is cut off"),
        ("case0002/A_0002_1.RIGHT_MLO.OVERLAY:2", true, "lies outside the image"),
        ("case0003/A-0003-1.ics", true, "no DIGITIZER line; the case is left out"),
        ("case0004", true, "no .ics file"),
        ("A_0001_1.RIGHT_MLO", false, "1 listed views have no image"),
    ];
    let found: Vec<_> = catalogue
        .notices
        .iter()
        .map(|n| (n.place.as_str(), n.skipped, n.message.as_str()))
        .collect();
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((place, skipped, message), (at, left_out, part)) in found.iter().zip(expected) {
        assert_eq!(place.trim_start_matches("b/v/"), at, "{message}");
        assert_eq!(*skipped, left_out, "{place}: {message}");
        assert!(message.contains(part), "{place}: {message}");
    }
    assert_eq!(catalogue.summary[0], "3 cases, 8 views listed: 7 present, 1 missing, 3 used");

    let [benign, relaid, cut] = &catalogue.mammograms[..] else { panic!() };
    assert_eq!(benign.lesions[0].pathology, Pathology::Benign);
    // Columns 0 to 2 and rows 17 to 19 are what lies within.
    assert_eq!(filled(benign, &benign.lesions[0]).area(), 9);
    assert!(cut.lesions[0].outlines.is_empty());
    let image = source.image(relaid).unwrap();
    assert_eq!((image.width, image.height), (30, 20));
    assert_eq!(image, source.image(benign).unwrap());
    let message = format!("{:#}", source.image(cut).unwrap_err());
    assert!(
        message.starts_with("b/v/case0002/A_0002_1.RIGHT_MLO.LJPEG: the data end at byte"),
        "{message}"
    );
    assert!(message.ends_with("of 20 rows could be read"), "{message}");
}

#[test]
fn converted_images_of_another_size_take_the_outlines_along() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "B-0001-1.ics",
        ics("LUMISYS", 12, &["LEFT_CC", "LEFT_MLO", "RIGHT_CC"], &["LEFT_CC"]),
    );
    write(folder.path(), "B_0001_1.LEFT_CC.OVERLAY", overlay("MALIGNANT", 10, 5));
    write(
        folder.path(),
        "B_0001_1.LEFT_CC.pgm",
        [b"P5 60 40 255\n".as_slice(), &[77; 2400]].concat(),
    );
    write(
        folder.path(),
        "B_0001_1.LEFT_MLO.pgm",
        [b"P5 60 44 255\n".as_slice(), &[77; 2640]].concat(),
    );
    let wide: Vec<u8> = (0..600).flat_map(|i: u16| (i * 100).to_ne_bytes()).collect();
    write(
        folder.path(),
        "B_0001_1.RIGHT_CC.png",
        png(30, 20, image::ExtendedColorType::L16, &wide),
    );
    let source = Ddsm::new(folder.path());
    let catalogue = source.catalogue().unwrap();
    let [large, wide] = &catalogue.mammograms[..] else { panic!("{:?}", catalogue.notices) };
    assert_eq!((large.width, large.height, large.micron), (60, 40, Some(25.0)));
    let mask = filled(large, &large.lesions[0]);
    assert_eq!(
        (mask.at(19, 10), mask.at(20, 11), mask.at(29, 18), mask.at(30, 19)),
        (false, true, true, false)
    );
    assert!((92..=100).contains(&mask.area()), "{}", mask.area());
    assert_eq!(source.image(large).unwrap(), Grey::filled(60, 40, 77));
    let [notice] = &catalogue.notices[..] else { panic!("{:?}", catalogue.notices) };
    assert!(notice.message.contains("60 x 44 pixels where the .ics lists 30 x 20"), "{notice:?}");
    assert!(catalogue.summary[2].starts_with("1 converted images of another size"));
    let message = format!("{:#}", source.image(wide).unwrap_err());
    assert!(message.contains("the grey value 4100 where the .ics says 12 bits"), "{message}");
}

#[test]
fn a_case_that_occurs_twice_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    // The last is as a project's own output below its source, of which nothing is read.
    for volume in ["one", "two", "output/work/dataset"] {
        write(
            folder.path(),
            &format!("{volume}/c/A-0001-1.ics"),
            ics("DBA 21", 16, &["LEFT_CC"], &[]),
        );
        write(
            folder.path(),
            &format!("{volume}/c/A_0001_1.LEFT_CC.LJPEG"),
            ljpeg(30, 20, 16, |_| 9),
        );
    }
    let catalogue = Ddsm::new(folder.path()).catalogue().unwrap();
    assert_eq!((catalogue.mammograms.len(), catalogue.notices.len()), (1, 1));
    assert!(
        catalogue.notices[0].skipped && catalogue.notices[0].message.contains("another folder")
    );
}

#[test]
fn a_scan_by_itself_is_read_with_its_case() {
    let folder = tempfile::tempdir().unwrap();
    let text = ics("DBA 21", 16, &["LEFT_CC", "LEFT_MLO"], &["LEFT_CC"]);
    write(folder.path(), "A-0001-1.ics", text);
    write(folder.path(), "A_0001_1.LEFT_CC.OVERLAY", overlay("MALIGNANT", 10, 5));
    let scan = ljpeg(30, 20, 16, |i| 2000 + 40 * (i as u16));
    write(folder.path(), "A_0001_1.LEFT_CC.LJPEG", &scan);
    write(folder.path(), "A_0001_1.LEFT_MLO.LJPEG.gz", packed(&scan));
    write(folder.path(), "A_0001_1.RIGHT_CC.LJPEG", &scan);
    write(folder.path(), "elsewhere/A_0001_1.LEFT_CC.LJPEG", &scan);
    let grey = png(30, 20, image::ExtendedColorType::L8, &[77; 600]);
    write(folder.path(), "notes.png", grey);

    let names = ["A_0001_1.LEFT_CC.LJPEG", "A_0001_1.LEFT_MLO.LJPEG.gz", "notes.png"];
    let paths = names.map(|name| folder.path().join(name));
    let (files, unusable) = Files::open(&paths);
    assert!(unusable.is_empty(), "{unusable:?}");
    let alone = files.catalogue().unwrap().mammograms;
    let whole = Ddsm::new(folder.path());
    let known = whole.catalogue().unwrap().mammograms;
    for (alone, known) in alone.iter().zip(&known) {
        // With the scanner's densities, the outlines and the terms of the case; without its name.
        assert_eq!(files.image(alone).unwrap(), whole.image(known).unwrap());
        assert_eq!((&alone.lesions, &alone.facts), (&known.lesions, &known.facts));
        assert!(alone.id.starts_with("image-") && alone.patient == alone.id);
    }
    assert_eq!((alone[0].lesions.len(), alone[1].lesions.len()), (1, 0));
    // No view of the case: a picture like any other.
    assert_eq!((files.image(&alone[2]).unwrap().at(3, 4), alone[2].facts.len()), (77, 0));

    let refused = ["A_0001_1.RIGHT_CC.LJPEG", "elsewhere/A_0001_1.LEFT_CC.LJPEG"];
    let (files, unusable) = Files::open(&refused.map(|name| folder.path().join(name)));
    assert!(files.is_empty());
    let why: Vec<String> = unusable.iter().map(|(_, why)| why.to_string()).collect();
    assert!(why[0].contains("no view") && why[1].contains(".ics file beside it"), "{why:?}");
}

#[test]
fn a_useless_folder_is_one_clear_error() {
    let nowhere = Ddsm::new("/nonexistent/ddsm");
    assert!(format!("{:#}", nowhere.catalogue().unwrap_err()).contains("/nonexistent/ddsm"));
    assert!(nowhere.fingerprint().is_err());
    let folder = tempfile::tempdir().unwrap();
    let message = format!("{:#}", Ddsm::new(folder.path()).catalogue().unwrap_err());
    assert!(message.contains("no .ics file"), "{message}");
    write(folder.path(), "A-0001-1.ics", ics("DBA 21", 16, &["LEFT_CC"], &[]));
    let message = format!("{:#}", Ddsm::new(folder.path()).catalogue().unwrap_err());
    assert!(message.contains("none of the 1 views") && message.contains("no image"), "{message}");
}

#[test]
fn the_fingerprint_follows_the_files_that_matter() {
    let folder = tempfile::tempdir().unwrap();
    let print = || Ddsm::new(folder.path()).fingerprint().unwrap();
    write(folder.path(), "c/A-0001-1.ics", ics("DBA 21", 16, &["LEFT_CC"], &[]));
    let bare = print();
    assert_eq!(bare, print());
    write(folder.path(), "c/notes.txt", "of no concern");
    assert_eq!(bare, print());
    write(folder.path(), "c/A_0001_1.LEFT_CC.LJPEG", "x");
    let scanned = print();
    assert_ne!(bare, scanned);
    write(folder.path(), "c/A_0001_1.LEFT_CC.OVERLAY", overlay("BENIGN", 1, 1));
    let annotated = print();
    assert_ne!(scanned, annotated);
    write(folder.path(), "c/A_0001_1.LEFT_CC.OVERLAY", overlay("BENIGN", 1, 2));
    assert_ne!(annotated, print());
}

#[test]
fn every_real_overlay_is_read_as_it_is_counted_and_measured() {
    let Some(folder) = real_data::folder("ddsm") else { return };
    let golden: BTreeMap<String, Vec<(usize, Vec<usize>)>> =
        serde_json::from_str(include_str!("../../../tests/golden/ddsm.json")).unwrap();
    // Counted in the text alone.
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    let mut read: BTreeMap<String, usize> = BTreeMap::new();
    let (mut files, mut cases, mut lesions, mut cores, mut doubts) = (0, 0, 0, 0, Vec::new());
    let mut worst = 0.0f64;
    for folder in listing::list(&folder.join("cases")).0 {
        for (stem, member) in &folder.cases {
            let case = read_case(stem, member).unwrap();
            assert_eq!((case.films.len(), case.doubts.len()), (4, 0), "{stem}");
            assert!(case.age.is_some() && case.density.is_some(), "{stem}");
            cases += 1;
            for film in &case.films {
                let id = case.image(film);
                let Some(file) = folder.overlays.get(&id) else {
                    assert!(!film.overlay, "{id}");
                    continue;
                };
                files += 1;
                let text = read_text(file).unwrap();
                for line in text.lines() {
                    let wanted = ["PATHOLOGY", "SUBTLETY", "ASSESSMENT", "LESION_TYPE"];
                    if wanted.iter().any(|key| line.starts_with(key)) {
                        *lines.entry(line.trim().to_owned()).or_default() += 1;
                    }
                }
                let overlay = Overlay::parse(&text).unwrap();
                doubts.extend(overlay.doubts.iter().map(|d| (id.clone(), d.message.clone())));
                assert_eq!(overlay.abnormalities.len(), golden[&id].len());
                for (abnormality, (area, core_areas)) in
                    overlay.abnormalities.iter().zip(&golden[&id])
                {
                    lesions += 1;
                    let mut notices = Vec::new();
                    let lesion = lesion(abnormality, film, [1.0, 1.0], &id, &mut notices);
                    assert_eq!(notices, []);
                    let mut count = |line: String| *read.entry(line).or_default() += 1;
                    count(format!(
                        "PATHOLOGY {}",
                        format!("{:?}", lesion.pathology).to_uppercase()
                    ));
                    count(format!("SUBTLETY {}", lesion.subtlety.unwrap()));
                    count(format!("ASSESSMENT {}", lesion.assessment.unwrap()));
                    abnormality.kinds.iter().for_each(|kind| count(format!("LESION_TYPE {kind}")));

                    let (width, height) = (film.columns, film.lines);
                    let fill = |outlines: &[Outline]| {
                        rasterise(outlines, [0.0, 0.0, width as f32, height as f32], width, height)
                    };
                    let mask = fill(&lesion.outlines);
                    let off = mask.area().abs_diff(*area);
                    worst = worst.max(off as f64);
                    assert!(off <= 3.max(area / 200), "{id}: {} for {area}", mask.area());
                    assert_eq!(abnormality.cores.len(), core_areas.len(), "{id}");
                    for (core, area) in abnormality.cores.iter().zip(core_areas) {
                        cores += 1;
                        let core = fill(&[core.outline()]);
                        assert!(core.area().abs_diff(*area) <= 3.max(area / 200), "{id}");
                        let within =
                            core.pixels.iter().zip(&mask.pixels).filter(|(c, m)| **c && **m);
                        assert_eq!(within.count(), core.area(), "{id}: a core outside its lesion");
                    }
                }
            }
        }
    }
    println!(
        "{cases} cases, {files} overlays, {lesions} lesions, {cores} cores; areas differ by at most {worst} pixels; {doubts:?}"
    );
    assert_eq!(files, golden.len());
    assert_eq!(read, lines);
    let [(id, message)] = &doubts[..] else { panic!("{doubts:?}") };
    assert_eq!(
        (id.as_str(), message.as_str()),
        ("A_1349_1.RIGHT_MLO", "declares \"2\" outlines and has 1")
    );
}

#[test]
fn the_real_partial_copy_is_reported_truthfully() {
    let Some(folder) = real_data::folder("ddsm") else { return };
    let source = Ddsm::new(folder.join("cases"));
    let catalogue = source.catalogue().unwrap();
    println!("{}\n{:#?}", catalogue.summary.join("\n"), catalogue.notices);
    assert_eq!(
        catalogue.summary[0],
        "64 cases, 256 views listed: 11 present, 245 missing, 11 used"
    );
    assert!(catalogue.notices.iter().all(|n| !n.skipped));
    let find = |id: &str| catalogue.mammograms.iter().find(|m| m.id == id).unwrap();
    // Thumbnails: the breasts of a row lie chest to chest.
    let [left, right] = ["D_4000_1.LEFT_MLO", "D_4000_1.RIGHT_MLO"].map(find);
    assert_eq!([left.width, left.height, right.width, right.height], [190, 360, 174, 360]);
    let [left, right] = [left, right].map(|view| source.image(view).unwrap());
    let mean = |image: &Grey, columns: std::ops::Range<u32>| {
        let sum: u32 = columns.clone().map(|x| u32::from(image.at(x, 180))).sum();
        sum / columns.len() as u32
    };
    assert!(mean(&left, 2..60) > mean(&left, 130..188) + 40);
    assert!(mean(&right, 114..172) > mean(&right, 2..60) + 40);
    let cut = find("A_0002_1.RIGHT_CC");
    assert_eq!((cut.width, cut.height, cut.facts["scanner"].as_str()), (1874, 4334, "DBA"));
    let message = format!("{:#}", source.image(cut).unwrap_err());
    assert!(message.contains("A_0002_1.RIGHT_CC.LJPEG: the data end at byte 204"), "{message}");
    assert!(message.ends_with("175 of 4334 rows could be read"), "{message}");
    // The converted copy is a few rows short of what the .ics lists.
    let converted = find("A_0018_1.LEFT_CC");
    assert_eq!((converted.width, converted.height), (2009, 4676));
    assert_eq!(source.image(converted).unwrap().pixels.len(), 2009 * 4676);
}
