use std::fs;

use super::*;
use crate::real_data;

/// A folder with an `Info.txt` and black images of 32 x 32 pixels, a 32nd of the original's edge.
fn folder(info: &str, images: &[&str]) -> (tempfile::TempDir, MiniMias) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Info.txt"), format!("Preamble\n=====\n\n{info}\n=====\n"))
        .unwrap();
    for name in images {
        let pixels = [b"P5\n32 32\n255\n".as_slice(), &[0; 1024]].concat();
        fs::write(folder.path().join(name), pixels).unwrap();
    }
    let source = MiniMias::new(folder.path());
    (folder, source)
}

#[test]
fn rows_become_mammograms_of_patients() {
    let (_folder, source) = folder(
        "mdb001 G CIRC B 320 128 96\nmdb002 F NORM \nmdb005 D SPIC M 20 10 5\nmdb005 D ARCH B 1 1 9\nmdb006 D NORM",
        &["mdb001.pgm", "mdb002.pgm", "mdb005.PGM"],
    );
    let catalogue = source.catalogue().unwrap();
    let ids: Vec<_> =
        catalogue.mammograms.iter().map(|m| (m.id.as_str(), m.patient.as_str())).collect();
    assert_eq!(ids, [("mdb001", "mias001"), ("mdb002", "mias001"), ("mdb005", "mias005")]);
    let [right, left, both] = &catalogue.mammograms[..] else { panic!() };
    assert_eq!(
        (right.laterality, left.laterality),
        (Some(Laterality::Right), Some(Laterality::Left))
    );
    assert_eq!(right.facts["tissue"], "fatty-glandular (G)");
    // The origin moves from the bottom to the top, row 1024 - 128, and all to the image's size.
    assert_eq!(right.lesions[0].outlines, [Outline::Circle { x: 10.0, y: 28.0, radius: 3.0 }]);
    assert_eq!(right.micron, Some(6400.0));
    assert!(left.lesions.is_empty());
    assert_eq!(both.lesions.len(), 2);
    assert_eq!(both.lesions[0].terms, ["mass", "margin-spiculated"]);
    assert_eq!(both.lesions[0].pathology, Pathology::Malignant);
    assert_eq!(catalogue.summary[0], "5 rows, 4 images listed: 3 present, 1 missing, 3 used");
    assert_eq!(catalogue.summary[1], "missing images: mdb006");
    assert_eq!(catalogue.notices.len(), 1);
    assert!(!catalogue.notices[0].skipped);
    assert_eq!(source.image(both).unwrap().pixels.len(), 1024);
}

#[test]
fn what_cannot_be_used_is_told_once() {
    let (folder, source) = folder(
        "mdb001 G CIRC B 10 x4 3\nmdb002 F NORM\nmdbX03 F NORM\nmdb004 F CALC M *NOTE 3*\nmdb005 F CIRC B 9000 9 9\nmdb006 D NORM",
        &["mdb001.pgm", "mdb002.pgm", "mdb004.pgm", "mdb005.pgm", "mdb006.pgm", "mdb009.pgm"],
    );
    fs::write(folder.path().join("mdb006.pgm"), b"GIF89a").unwrap();
    let catalogue = source.catalogue().unwrap();
    let ids: Vec<_> = catalogue.mammograms.iter().map(|m| m.id.as_str()).collect();
    assert_eq!(ids, ["mdb002", "mdb004", "mdb005"]);
    let notices: Vec<_> = catalogue.notices.iter().map(|n| (n.place.as_str(), n.skipped)).collect();
    let expected = [
        ("Info.txt:4", true),
        ("Info.txt:6", true),
        ("Info.txt:7", false),
        ("Info.txt:8", true),
        ("mdb006.pgm", true),
        ("mdb009.pgm", true),
    ];
    assert_eq!(notices, expected);
    let first = &catalogue.notices[0].message;
    assert!(
        first.contains("y, a number of pixels, found \"x4\"") && first.contains("mdb001"),
        "{first}"
    );
    assert!(catalogue.notices[4].message.contains("GIF"), "{}", catalogue.notices[4].message);
    assert!(catalogue.mammograms[1].lesions[0].outlines.is_empty());
    assert_eq!(catalogue.summary[0], "6 rows, 5 images listed: 5 present, 0 missing, 3 used");
}

#[test]
fn copies_of_other_forms_sizes_and_places_are_read() {
    let (folder, source) = folder(
        "mdb001 G CIRC B 512 256 64\nmdb002 F CIRC M 512 256 64\nmdb003 G NORM\nmdb004 G NORM",
        &[],
    );
    let root = folder.path();
    fs::create_dir_all(root.join("all-mias/deeper")).unwrap();
    let save = |place: &str, width, height| {
        image::GrayImage::from_pixel(width, height, [7].into()).save(root.join(place)).unwrap();
    };
    save("all-mias/mdb001.png", 256, 256);
    save("mdb002.jpg", 640, 480);
    save("all-mias/deeper/mdb003.jpeg", 2048, 2048);
    save("mdb003.png", 64, 64);
    save("mdb004.png", 64, 64);
    save("mdb004.jpg", 64, 64);
    save("figure.png", 64, 64);
    // A project's own output below its source.
    fs::create_dir_all(root.join("output/work/dataset/previews")).unwrap();
    save("output/work/dataset/previews/mdb001.jpg", 64, 64);
    let catalogue = source.catalogue().unwrap();
    let [first, second, third, _] = &catalogue.mammograms[..] else { panic!("{catalogue:?}") };
    assert_eq!(first.lesions[0].outlines, [Outline::Circle { x: 128.0, y: 192.0, radius: 16.0 }]);
    assert_eq!((first.micron, third.micron), (Some(800.0), Some(3200.0)));
    // A stretched or cut copy: the cancer is somewhere.
    assert_eq!((second.micron, second.lesions[0].outlines.len()), (None, 0));
    let told: Vec<_> = catalogue
        .notices
        .iter()
        .map(|n| format!("{} {} {}", n.place, n.skipped, n.message))
        .collect();
    assert_eq!(told.len(), 2, "{told:#?}");
    // Of a whole folder of such it is said once.
    let twice = "mdb004.jpg false is there twice; that of *.png is used (1 more alike)";
    assert_eq!(told[0], twice);
    assert!(told[1].starts_with("Info.txt:5 true mdb002 has 640 x 480 pixels"), "{told:#?}");
    assert_eq!(source.image(first).unwrap().at(3, 3), 7);
}

#[test]
fn rows_that_contradict_each_other_are_settled_and_told() {
    let (_folder, source) = folder(
        "mdb001 G NORM\nmdb001 F CIRC M 90 90 90\nmdb001 G CIRC M 90 90 90\nmdb003 G NORM\nmdb003 G NORM",
        &["mdb001.pgm", "mdb003.pgm"],
    );
    let catalogue = source.catalogue().unwrap();
    assert_eq!(catalogue.mammograms[0].lesions.len(), 1);
    let all: Vec<_> = catalogue.notices.iter().map(|n| n.message.as_str()).collect();
    let all = all.join("\n");
    for part in [
        "another tissue",
        "NORM and with an abnormality",
        "repeats a row of mdb001",
        "repeats a row of mdb003",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
}

#[test]
fn a_useless_folder_is_one_clear_error() {
    let nowhere = MiniMias::new("/nonexistent/mias").catalogue().unwrap_err();
    assert!(format!("{nowhere:#}").contains("/nonexistent/mias"));
    let empty = tempfile::tempdir().unwrap();
    let message = format!("{:#}", MiniMias::new(empty.path()).catalogue().unwrap_err());
    assert!(message.contains("no Info.txt"), "{message}");
    let (_folder, source) = folder("mdb001 G NORM", &[]);
    assert!(format!("{:#}", source.fingerprint().unwrap_err()).contains("no image"));
    let (_folder, source) = folder("only prose", &["mdb001.pgm"]);
    assert!(format!("{:#}", source.catalogue().unwrap_err()).contains("no readable row"));
    let (_folder, source) = folder("mdb003 G NORM", &["mdb001.pgm"]);
    assert!(format!("{:#}", source.catalogue().unwrap_err()).contains("none of the 1 images"));
}

#[test]
fn the_fingerprint_follows_the_table_and_the_images() {
    let (folder, source) = folder("mdb001 G NORM", &["mdb001.pgm"]);
    let before = source.fingerprint().unwrap();
    assert_eq!(before, source.fingerprint().unwrap());
    fs::write(folder.path().join("notes.txt"), "of no concern").unwrap();
    assert_eq!(before, source.fingerprint().unwrap());
    fs::write(folder.path().join("mdb002.pgm"), "P5").unwrap();
    let more = source.fingerprint().unwrap();
    assert_ne!(before, more);
    fs::write(folder.path().join("Info.txt"), "=====\nmdb001 F NORM").unwrap();
    assert_ne!(more, source.fingerprint().unwrap());
}

#[test]
fn the_real_table_is_reported_truthfully() {
    let Some(folder) = real_data::folder("mini-mias") else { return };
    let source = MiniMias::new(folder);
    let catalogue = source.catalogue().unwrap();
    println!("{}", catalogue.summary.join("\n"));
    assert!(catalogue.summary[0].starts_with("330 rows, 322 images listed: "));
    assert!(
        catalogue
            .summary
            .iter()
            .any(|l| l == "4 rows without coordinates: mdb059, mdb216, mdb233, mdb245")
    );
    assert!(catalogue.notices.iter().all(|n| !n.skipped));
    for mammogram in &catalogue.mammograms {
        assert_eq!((mammogram.width, mammogram.height), (1024, 1024));
    }
    let first = catalogue.mammograms.iter().find(|m| m.id == "mdb001").unwrap();
    assert_eq!(first.lesions[0].outlines, [Outline::Circle { x: 535.0, y: 599.0, radius: 197.0 }]);
    assert_eq!(source.image(first).unwrap().pixels.len(), 1024 * 1024);
}
