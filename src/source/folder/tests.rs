use std::fs;

use image::{GrayImage, ImageBuffer, Luma};

use super::*;
use crate::{dicom, real_data};
use base::Split;
use mammogram::{Assessment, Laterality, Outline, View, rasterise};

const SEED: u64 = 123;

fn write(root: &Path, place: &str, bytes: impl AsRef<[u8]>) {
    let path = root.join(place);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The value of a pixel of every picture here: 40 x 60, from 0 to 195.
fn grey(x: u32, y: u32) -> u8 {
    (x + y * 2 + u32::from(x > 20 && y > 20) * 38) as u8
}

fn picture(root: &Path, place: &str) {
    if place.ends_with(".pgm") {
        let pixels = (0..2400).map(|i| grey(i % 40, i / 40));
        return write(root, place, [b"P5 40 60 255\n".to_vec(), pixels.collect()].concat());
    }
    write(root, place, []);
    GrayImage::from_fn(40, 60, |x, y| Luma([grey(x, y)])).save(root.join(place)).unwrap();
}

/// 16 bits, of which 10 are used.
fn deep(root: &Path, place: &str) {
    write(root, place, []);
    let image = ImageBuffer::from_fn(40, 60, |x, y| Luma([u16::from(grey(x, y)) * 5 + 20]));
    image.save(root.join(place)).unwrap();
}

/// A map of 40 x 60 pixels: 100 in a square at (5, 6), 200 in one at (20, 30), 10 pixels each.
fn map(root: &Path, place: &str) {
    write(root, place, []);
    let square = |x: u32, y: u32, at: [u32; 2]| {
        (at[0]..at[0] + 10).contains(&x) && (at[1]..at[1] + 10).contains(&y)
    };
    let image = GrayImage::from_fn(40, 60, |x, y| {
        Luma([if square(x, y, [5, 6]) {
            100
        } else if square(x, y, [20, 30]) {
            200
        } else {
            0
        }])
    });
    image.save(root.join(place)).unwrap();
}

fn open(root: &Path, table: &str) -> Folder {
    Folder::new(root.join(table), None, None, SEED, crate::lexicons::built_in())
}

fn area(outlines: &[Outline]) -> usize {
    rasterise(outlines, [0.0, 0.0, 40.0, 60.0], 40, 60).area()
}

const TABLE: &str = "\
image,id,patient,laterality,view,density,micron,split,pathology,terms,words,assessment,subtlety,mask,value,polygon,_mine
a.png,case-a,P 1,L,CC,b,70,train,malignant,mass margin-spiculated,a mass,5,4,map.png,100,,x
a.png,,,,,,,,benign,calcifications,,2,,,,\"1,1 5,1 5,5 1,5; 10,10 12,10 12,12\",
b.tif,,P 2,right,mlo,4,,val,,,,,,,,,
c.pgm,,P 3,,,,,test,unproven,,,,,,,,
";

#[test]
fn csv_json_lines_and_yaml_give_the_same_mammograms() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    picture(root, "a.png");
    deep(root, "b.tif");
    picture(root, "c.pgm");
    map(root, "map.png");
    write(root, "t.csv", TABLE);
    // As spreadsheets of some countries write it.
    let mut excel = csv::WriterBuilder::new().delimiter(b';').from_writer(b"\xef\xbb\xbf".to_vec());
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(TABLE.as_bytes());
    reader.records().for_each(|record| excel.write_record(&record.unwrap()).unwrap());
    write(root, "excel.csv", excel.into_inner().unwrap());
    let rows = r#"{"image": "a.png", "id": "case-a", "patient": "P 1", "laterality": "L", "view": "CC", "density": "b", "micron": 70, "split": "train", "pathology": "malignant", "terms": ["mass", "margin-spiculated"], "words": "a mass", "assessment": 5, "subtlety": 4, "mask": "map.png", "value": 100}
{"image": "a.png", "pathology": "benign", "terms": "calcifications", "assessment": 2, "polygon": [[[1, 1], [5, 1], [5, 5], [1, 5]], [[10, 10], [12, 10], [12, 12]]]}

{"image": "b.tif", "patient": "P 2", "laterality": "right", "view": "mlo", "density": 4, "split": "val", "_mine": [1, 2]}
{"image": "c.pgm", "patient": "P 3", "split": "test", "pathology": "unproven"}
"#;
    write(root, "t.jsonl", rows);
    let list: String =
        rows.lines().filter(|row| !row.is_empty()).map(|row| format!("- {row}\n")).collect();
    write(root, "t.yaml", list);

    let catalogue = open(root, "t.csv").catalogue().unwrap();
    assert_eq!(catalogue.notices, []);
    for other in ["t.jsonl", "t.yaml", "excel.csv"] {
        assert_eq!(open(root, other).catalogue().unwrap(), catalogue, "{other}");
    }
    let [a, b, c] = &catalogue.mammograms[..] else { panic!() };
    let names = Pseudonyms::new(SEED);
    assert_eq!((a.id.as_str(), b.id.clone()), ("case-a", names.mammogram("b.tif")));
    assert_eq!(a.patient, names.patient("P 1"));
    assert_eq!((a.laterality, a.view), (Some(Laterality::Left), Some(View::Cc)));
    assert_eq!((b.laterality, b.view), (Some(Laterality::Right), Some(View::Mlo)));
    assert_eq!((a.micron, a.density.as_deref()), (Some(70.0), Some("composition-b")));
    assert_eq!(b.density.as_deref(), Some("composition-d"));
    let splits = [a, b, c].map(|m| m.assigned);
    assert_eq!(splits, [Some(Split::Train), Some(Split::Validation), Some(Split::Test)]);
    let [first, second] = &a.lesions[..] else { panic!() };
    assert_eq!((first.pathology, area(&first.outlines)), (Pathology::Malignant, 100));
    assert_eq!(first.outlines[0].bounds(), Some([5.0, 6.0, 15.0, 16.0]));
    assert_eq!(first.terms, ["mass", "margin-spiculated"]);
    assert_eq!((first.assessment, first.subtlety), (Some(Assessment::HighlySuggestive), Some(4)));
    assert_eq!(first.source_words, "a mass");
    assert_eq!((second.pathology, second.outlines.len()), (Pathology::Benign, 2));
    assert_eq!(area(&second.outlines), 16 + 3);
    assert!(b.lesions.is_empty());
    assert_eq!((c.lesions[0].pathology, c.lesions[0].outlines.len()), (Pathology::Unproven, 0));
    assert_eq!(
        catalogue.summary,
        [
            "4 rows, 3 images listed, 3 of them used, of 3 patients",
            "3 lesions: 1 malignant, 1 benign, 1 unproven; 1 without a place"
        ]
    );
}

/// A polygon without its quotation marks: the row has too many values, and what it meant is unknown.
#[test]
fn an_image_is_left_out_with_a_row_that_cannot_be_understood() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    picture(root, "a.png");
    picture(root, "b.png");
    let rows = "a.png,P,benign,\"1,1 5,1 5,5\"\na.png,P,malignant,9,9 20,9 20,20\nb.png,Q,,\n";
    write(root, "t.csv", format!("image,patient,pathology,polygon\n{rows}"));
    let catalogue = open(root, "t.csv").catalogue().unwrap();
    assert_eq!(catalogue.mammograms.len(), 1, "a cancer may be in a.png");
    let [notice] = &catalogue.notices[..] else { panic!("{:?}", catalogue.notices) };
    assert!(notice.skipped && notice.message.contains("as many values"), "{notice:?}");
    // A table whose first line is a row names no value of it.
    write(root, "t.csv", "a.png,Doe^Jane\nb.png,Roe^Mary\n");
    let message = format!("{:#}", open(root, "t.csv").catalogue().unwrap_err());
    assert!(message.contains("no column `image`") && !message.contains("Doe"), "{message}");
}

#[test]
fn patients_that_were_typed_twice_and_polygons_of_nothing_are_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["a.png", "b.png", "c.png", "d.png", "e.png", "f.png"] {
        picture(root, name);
    }
    let rows = "a.png,P-01,,\nb.png,p-1,,\nc.png,p-1,,\nd.png,J\u{e4}ger,,\ne.png,Ja\u{308}ger,,\n\
                f.png,Q,malignant,\"10,5 20,5 22,5 20,5 22,5 30,5\"\n";
    write(root, "t.csv", format!("image,patient,pathology,polygon\n{rows}"));
    let catalogue = open(root, "t.csv").catalogue().unwrap();
    let told: Vec<_> = catalogue
        .notices
        .iter()
        .map(|n| format!("{} {} {}", n.place, n.skipped, n.message))
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    let has = |place: &str, part: &str| {
        assert!(told.iter().any(|n| n.starts_with(place) && n.contains(part)), "{told:?}");
    };
    has("t.csv:3 false", "that of line 2 only in capitals");
    has("t.csv:7 true", "decimals are written with a point");
    // Letters of two characters are those of one: the same patient.
    let patient = |at: usize| catalogue.mammograms[at].patient.clone();
    assert_eq!(patient(3), patient(4));
    assert_ne!(patient(0), patient(1));
    assert!(!told.concat().contains("ger"), "{told:?}");
}

#[test]
fn every_format_shows_the_same_picture() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let names = ["a.png", "a.tif", "a.pgm", "a.bmp.png", "d.png", "d.tif"];
    for name in names {
        if name.starts_with('a') { picture(root, name) } else { deep(root, name) }
    }
    let pixels: Vec<u16> = (0..2400).map(|i| u16::from(grey(i % 40, i / 40)) * 5 + 20).collect();
    let window = [(0x28, 0x1050, b"DS", "507.5"), (0x28, 0x1051, b"DS", "976")];
    let plain =
        [(0x10, 0x20, b"LO", "P 1"), (0x20, 0x62, b"CS", "R"), (0x18, 0x5101, b"CS", "MLO")];
    write(root, "window.dcm", dicom::file(&pixels, 40, 10, &window));
    write(root, "no ending", dicom::file(&pixels, 40, 10, &plain));
    picture(root, "lossy.jpg");
    let rows = names.into_iter().chain(["window.dcm", "lossy.jpg"]);
    let rows: String = rows.map(|name| format!("{name},P 1\n")).collect();
    write(root, "t.csv", format!("image,patient\n{rows}no ending,\n"));
    let source = open(root, "t.csv");
    let catalogue = source.catalogue().unwrap();
    assert_eq!(catalogue.notices, []);
    assert_eq!(catalogue.mammograms.len(), 9);
    // Values 0 to 195 as they are, or stretched to 255.
    let plain: Vec<u8> = (0..2400).map(|i| grey(i % 40, i / 40)).collect();
    let stretched: Vec<u8> =
        plain.iter().map(|&v| (f64::from(v) * 255.0 / 195.0).round() as u8).collect();
    for (index, mammogram) in catalogue.mammograms.iter().enumerate() {
        let image = source.image(mammogram).unwrap();
        assert_eq!((image.width, image.height), (40, 60));
        let expected = if matches!(index, 0..4 | 7) { &plain } else { &stretched };
        // JPEG is lossy.
        let within = if index == 7 { 20 } else { 1 };
        let differ = image.pixels.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(differ <= Some(within), "{index}: {differ:?}");
    }
    // What the table leaves open is in the tags.
    let last = &catalogue.mammograms[8];
    assert_eq!(last.patient, catalogue.mammograms[0].patient);
    assert_eq!((last.laterality, last.view), (Some(Laterality::Right), Some(View::Mlo)));
}

#[test]
fn an_image_with_a_row_that_is_not_understood_is_left_out_and_nothing_of_it_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["good", "CANARY-1", "2", "3", "4", "5", "6", "7", "8", "9"] {
        picture(root, &format!("{name}.png"));
    }
    map(root, "map.png");
    picture(root, "small.png");
    GrayImage::new(40, 30).save(root.join("small.png")).unwrap();
    let rows = "\
image,patient,id,view,pathology,mask,value,polygon,assessment
good.png,P,,,,,,,
CANARY-1.png,CANARY,,CANARY,,,,,
2.png,P,,,CANARY,,,,
2.png,P,,,malignant,map.png,100,,
3.png,P,,,benign,map.png,,,
4.png,P,,,benign,map.png,7,,
5.png,P,,,benign,small.png,,,
6.png,P,,,benign,CANARY.png,,,
7.png,P,,,benign,,,\"1,1 2,2\",
8.png,P,,,benign,,,\"90,1 99,1 99,9\",
9.png,,,,,,,,
none.png,P,,,,,,,
,P,,,,,,,
good.png,Q,,,,,,,
";
    write(root, "t.csv", rows.replace("good.png,Q,,,,,,,\n", ""));
    let catalogue = open(root, "t.csv").catalogue().unwrap();
    assert_eq!(catalogue.mammograms.len(), 1);
    let told: Vec<String> =
        catalogue.notices.iter().map(|n| format!("{} {}", n.place, n.message)).collect();
    let expected = [
        "t.csv:14 names no `image`; the row",
        "t.csv:3 `view` is not CC, MLO, ML",
        "t.csv:4 `pathology` is not malignant, benign or unproven; the image",
        "t.csv:6 its mask is not of two values",
        "t.csv:7 its mask marks no pixel",
        "t.csv:8 its mask has 40 x 30 pixels",
        "t.csv:9 its mask cannot be opened",
        "t.csv:10 `polygon` is not a list",
        "t.csv:11 the lesion lies outside",
        "t.csv:12 has no `patient`",
        "t.csv:13 cannot be opened",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told} / {expected}");
    }
    assert!(catalogue.notices.iter().all(|n| n.skipped));
    assert!(!format!("{catalogue:?}").contains("CANARY"));
    // An image cannot be two patients'.
    write(root, "t.csv", rows);
    assert!(open(root, "t.csv").catalogue().is_err());
    // Two images of one name, and a column that is not known.
    write(root, "t.csv", "image,patient,id\n2.png,P,one\n3.png,P,one\n");
    let catalogue = open(root, "t.csv").catalogue().unwrap();
    assert!(catalogue.notices[0].message.contains("`id` of an earlier image"));
    for (table, text, expected) in [
        ("t.csv", "image,patient,patology\n2.png,P,malignant\n", "did you mean `pathology`?"),
        ("t.jsonl", "{\"image\": \"2.png\", \"pacient\": \"CANARY\"}\n", "did you mean `patient`?"),
        ("t.yaml", "image: CANARY\n", "is not a list of mappings"),
        ("t.md", "", "expected .csv, .tsv"),
        ("t.csv", "image,patient\n", "it has no row"),
    ] {
        write(root, table, text);
        let message = format!("{:#}", open(root, table).catalogue().unwrap_err());
        assert!(message.contains(expected) && !message.contains("CANARY"), "{message}");
    }
}

#[test]
fn regions_come_by_a_second_table() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    picture(root, "images/a.png");
    picture(root, "images/b.png");
    map(root, "maps/a.png");
    write(root, "t.csv", "image,patient\nimages/a.png,P\nimages/b.png,Q\n");
    write(
        root,
        "maps/tissue.csv",
        "image,mask,value,term,polygon\n\
         ../images/a.png,a.png,100,Fatty tissue,\n\
         ../images/a.png,a.png,200,dense-tissue,\n\
         ../images/b.png,,,pectoral-muscle,\"0,0 10,0 0,10\"\n\
         ../images/b.png,a.png,3,vessel,\n\
         ../images/c.png,a.png,100,vessel,\n\
         ../images/a.png,a.png,100,pectoralus,\n\
         ../images/a.png,a.png,100,mass vessel,\n\
         ../images/a.png,a.png,100,Fatty tissue,\n",
    );
    let regions = Some(root.join("maps/../maps/tissue.csv"));
    let source = Folder::new(root.join("t.csv"), regions, None, SEED, crate::lexicons::built_in());
    let catalogue = source.catalogue().unwrap();
    let [a, b] = &catalogue.mammograms[..] else { panic!("{:?}", catalogue.notices) };
    let drawn = |region: &Region| {
        let mask = region.rasterise([0.0, 0.0, 40.0, 60.0], 40, 60);
        (region.term.clone(), mask.area())
    };
    let found: Vec<_> = a.regions.iter().chain(&b.regions).map(drawn).collect();
    let expected = [("fatty-tissue", 100), ("dense-tissue", 100), ("pectoral-muscle", 45)];
    assert_eq!(found, expected.map(|(term, area)| (term.to_owned(), area)));
    let told: Vec<String> =
        catalogue.notices.iter().map(|n| format!("{}: {}", n.place, n.message)).collect();
    for says in [
        "tissue.csv:5: its mask marks no pixel: none has the value 3, but 0, 100, 200; the region",
        "tissue.csv:6: names an image that the table of images does not",
        "tissue.csv:7: `term` has `pectoralus`, which is no term of the lexicons (perhaps `pectoral-",
        "tissue.csv:8: `term` is not one term",
        "tissue.csv:9: repeats line 2",
    ] {
        assert!(told.iter().any(|line| line.starts_with(says)), "{says}: {told:?}");
    }
    assert_eq!(
        catalogue.summary[2],
        "8 rows of regions: dense-tissue 1, fatty-tissue 1, pectoral-muscle 1"
    );
    // So are the lexicons, by what they make of its words.
    let own = Folder::new(
        root.join("t.csv"),
        Some(root.join("maps/tissue.csv")),
        None,
        SEED,
        Lexicons::default(),
    );
    assert_ne!(own.fingerprint().unwrap(), source.fingerprint().unwrap());
    // What a file was made from is part of its fingerprint.
    let before = source.fingerprint().unwrap();
    assert_eq!(source.fingerprint().unwrap(), before);
    write(root, "maps/a.png", "changed");
    assert_ne!(source.fingerprint().unwrap(), before);
}

#[test]
fn tissue_maps_of_ddsm_become_exact_regions() {
    let Some(tissue) = real_data::folder("ddsm-tissue") else { return };
    let folder = tempfile::tempdir().unwrap();
    let terms = [("128", "fatty-tissue"), ("192", "dense-tissue"), ("255", "pectoral-muscle")];
    let (mut images, mut regions) = (String::from("image,patient\n"), String::new());
    regions.push_str("image,mask,value,term\n");
    let mut names: Vec<String> = fs::read_dir(tissue.join("images"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    for name in &names {
        let stem = name.strip_suffix(".png").unwrap();
        let image = tissue.join("images").join(name).display().to_string();
        let mask = tissue.join(format!("labels/{stem}_LI.png")).display().to_string();
        images.push_str(&format!("{image},{stem}\n"));
        for (value, term) in terms {
            regions.push_str(&format!("{image},{mask},{value},{term}\n"));
        }
    }
    write(folder.path(), "t.csv", images);
    write(folder.path(), "r.csv", regions);
    let source = Folder::new(
        folder.path().join("t.csv"),
        Some(folder.path().join("r.csv")),
        None,
        SEED,
        crate::lexicons::built_in(),
    );
    let catalogue = source.catalogue().unwrap();
    assert_eq!(catalogue.mammograms.len(), 40);
    // A map may lack a tissue.
    assert!(catalogue.notices.iter().all(|n| n.message.contains("marks no pixel")));
    let mut corners = 0;
    for (name, mammogram) in names.iter().zip(&catalogue.mammograms) {
        let stem = name.strip_suffix(".png").unwrap();
        let map = image::open(tissue.join(format!("labels/{stem}_LI.png"))).unwrap().into_luma8();
        let (width, height) = map.dimensions();
        for region in &mammogram.regions {
            let value = terms.iter().find(|(_, term)| *term == region.term).unwrap().0;
            let value: u8 = value.parse().unwrap();
            let mask = region.rasterise([0.0, 0.0, width as f32, height as f32], width, height);
            let same =
                map.pixels().zip(&mask.pixels).all(|(p, inside)| (p.0[0] == value) == *inside);
            assert!(same, "{stem} {}", region.term);
            corners += region.rings.iter().map(Vec::len).sum::<usize>();
        }
    }
    println!("{corners} corners in 40 maps");
}

#[test]
fn values_of_the_clinic_are_understood() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["a", "b", "c", "d"] {
        picture(root, &format!("{name}.png"));
    }
    let rows = "\
Image,Patient,Laterality,View,Density,Pathology,Assessment,Subtlety,Polygon,Words,Split
a.png,1.0,L,CC,DENSITY C,malignant,BI-RADS 4,4.0,\"10,20 22,20 22,30 10,30\",NaN,training
a.png,1,,,,malignant,4a,NA,,,NA
b.png,2.0,,R XCCL,3.0,benign,6.0,,,,val
c.png,NaN,Right,spot MLO,nan,None,,,,,
d.png,3,,ML,ACR II,,,,,,
";
    write(root, "t.csv", rows);
    let catalogue = open(root, "t.csv").catalogue().unwrap();
    let [a, b, d] = &catalogue.mammograms[..] else { panic!("{:?}", catalogue.notices) };
    let [notice] = &catalogue.notices[..] else { panic!("{:?}", catalogue.notices) };
    assert!(
        notice.place == "t.csv:5" && notice.message.starts_with("has no `patient`"),
        "{notice:?}"
    );
    assert_eq!(a.density.as_deref(), Some("composition-c"));
    let grades: Vec<_> = a.lesions.iter().map(|l| l.assessment.unwrap().to_string()).collect();
    assert_eq!(grades, ["4", "4A"]);
    assert_eq!((a.lesions[0].subtlety, a.lesions[1].subtlety), (Some(4), None));
    assert_eq!(a.lesions[0].source_words, "");
    assert_eq!(a.patient, Pseudonyms::new(SEED).patient("1"));
    assert_eq!(
        (b.laterality, b.view, b.modifier),
        (Some(Laterality::Right), Some(View::Xccl), None)
    );
    assert_eq!(b.density.as_deref(), Some("composition-c"));
    assert_eq!(b.lesions[0].assessment.unwrap().to_string(), "6");
    assert_eq!((b.assigned, a.assigned), (Some(Split::Validation), Some(Split::Train)));
    assert_eq!(
        (d.view, d.density.as_deref(), d.lesions.len()),
        (Some(View::Ml), Some("composition-b"), 0)
    );
    // A name says the side twice, and not the same.
    write(root, "t.csv", "image,patient,laterality,view\na.png,P,L,RCC\nb.png,P,,CC mag\n");
    let catalogue = open(root, "t.csv").catalogue().unwrap();
    assert_eq!(catalogue.mammograms[0].modifier, Some(mammogram::Modifier::Magnification));
    assert!(catalogue.notices[0].message.contains("different sides"), "{:?}", catalogue.notices);
}

#[test]
fn one_bad_id_leaves_out_its_image_alone() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let ids = ["good", "a b", "../up", "A1", "a1", "con", "\u{e9}", "name.", "-dash"];
    let mut rows = String::from("image,patient,id\n");
    for (n, id) in ids.iter().enumerate() {
        picture(root, &format!("{n}.png"));
        rows.push_str(&format!("{n}.png,p{n},{id}\n"));
    }
    write(root, "t.csv", rows);
    let catalogue = open(root, "t.csv").catalogue().unwrap();
    let kept: Vec<_> = catalogue.mammograms.iter().map(|m| m.id.as_str()).collect();
    assert_eq!(kept, ["good", "A1", "-dash"]);
    let lines: Vec<_> = catalogue.notices.iter().map(|n| (n.place.as_str(), n.skipped)).collect();
    let expected = [3, 4, 6, 7, 8, 9].map(|line| (format!("t.csv:{line}"), true));
    assert_eq!(lines, expected.each_ref().map(|(place, skipped)| (place.as_str(), *skipped)));
}

#[test]
fn a_mask_of_nothing_or_of_too_much_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let breast = |x: u32, y: u32| x * x + y.abs_diff(30) * y.abs_diff(30) < 28 * 28;
    let show = |place: &str, value: &dyn Fn(u32, u32) -> u8| {
        GrayImage::from_fn(40, 60, |x, y| Luma([value(x, y)])).save(root.join(place)).unwrap();
    };
    for name in ["a.png", "b.png", "c.png"] {
        show(name, &|x, y| if breast(x, y) { 120 + (x * 3 % 50) as u8 } else { 2 });
    }
    let lesion = |x: u32, y: u32| (5..15).contains(&x) && (25..35).contains(&y);
    show("inverted.png", &|x, y| if lesion(x, y) { 0 } else { 255 });
    show("empty.png", &|_, _| 0);
    show("mask.png", &|x, y| if lesion(x, y) { 255 } else { 0 });
    write(
        root,
        "t.csv",
        "image,patient,pathology,mask,value\n\
         a.png,p,malignant,inverted.png,\nb.png,q,malignant,empty.png,\nc.png,r,malignant,mask.png,255.0\n",
    );
    let catalogue = open(root, "t.csv").catalogue().unwrap();
    assert_eq!(catalogue.mammograms.len(), 1);
    assert_eq!(area(&catalogue.mammograms[0].lesions[0].outlines), 100);
    let told: Vec<_> = catalogue
        .notices
        .iter()
        .map(|n| format!("{} {} {}", n.place, n.skipped, n.message))
        .collect();
    assert!(told[0].starts_with("t.csv:2 true its mask covers 9"), "{told:?}");
    assert!(
        told[1].starts_with("t.csv:3 true its mask marks no pixel; the image is left out"),
        "{told:?}"
    );
    assert_eq!(told.len(), 2);
}

#[test]
fn tables_that_contradict_tags_are_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let image = |place: &str, patient: &str, side: &str, view: &str| {
        let pixels: Vec<u16> = (0..2400).map(|i| u16::from(grey(i % 40, i / 40)) + 20).collect();
        let tags =
            [(0x10, 0x20, b"LO", patient), (0x20, 0x62, b"CS", side), (0x18, 0x5101, b"CS", view)];
        write(root, place, dicom::file(&pixels, 40, 10, &tags));
    };
    image("a.dcm", "X", "R", "MLO");
    image("b.dcm", "Y", "L", "CC");
    image("c.dcm", "Y", "L", "CC");
    image("d.dcm", "Z", "", "XCCL");
    write(
        root,
        "t.csv",
        "image,patient,laterality,view\na.dcm,P,L,CC\nb.dcm,P,L,CC\nc.dcm,Q,L,\nd.dcm,R,,\n",
    );
    let catalogue = open(root, "t.csv").catalogue().unwrap();
    assert_eq!(catalogue.mammograms.len(), 4);
    assert_eq!(catalogue.mammograms[0].laterality, Some(Laterality::Left));
    assert_eq!(catalogue.mammograms[3].view, Some(View::Xccl));
    let told: Vec<_> =
        catalogue.notices.iter().map(|n| (n.place.as_str(), n.message.as_str())).collect();
    assert_eq!(
        told,
        [
            (
                "t.csv:2",
                "its side is LEFT in the table and RIGHT in its DICOM tags; the table counts"
            ),
            ("t.csv:2", "its view is CC in the table and MLO in its DICOM tags; the table counts"),
            (
                "t.csv:2",
                "2 images are of one patient in the table and of 2 in the DICOM tags (t.csv:2, t.csv:3); the table counts"
            ),
            (
                "t.csv:3",
                "2 images are of one patient in the DICOM tags and of 2 in the table (t.csv:3, t.csv:4); the table counts"
            ),
        ]
    );
    assert!(catalogue.notices.iter().all(|notice| !notice.skipped));
}
