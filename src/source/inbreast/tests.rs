use std::fs;

use super::*;
use crate::dicom;
use mammogram::Assessment;

const HEADER: &str =
    "Patient ID;Patient age;Laterality;View;Acquisition date;File Name;ACR;Bi-Rads\n";

fn write(root: &Path, place: &str, bytes: impl AsRef<[u8]>) {
    let path = root.join(place);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn image(root: &Path, name: &str) {
    let pixels: Vec<u16> = (0..2400).map(|i| i % 200).collect();
    write(root, &format!("AllDICOMs/{name}.dcm"), dicom::file(&pixels, 40, 10, &[]));
}

/// Outlines of squares of ten pixels at places, or of a point.
fn outlined(root: &Path, number: u32, rois: &[(&str, [u32; 2], u32)]) {
    let roi = |&(name, [x, y], edge): &(&str, [u32; 2], u32)| {
        let corners = [[x, y], [x + edge, y], [x + edge, y + edge], [x, y + edge]];
        let count = if edge == 0 { 1 } else { 4 };
        let points =
            corners.iter().take(count).map(|[x, y]| format!("<string>({x}.0, {y}.0)</string>"));
        let points: String = points.collect();
        format!(
            "<dict><key>Name</key><string>{name}</string><key>Point_px</key><array>{points}</array></dict>"
        )
    };
    let rois: String = rois.iter().map(roi).collect();
    let text = format!(
        "<plist version=\"1.0\"><dict><key>Images</key><array><dict><key>ROIs</key><array>{rois}</array></dict></array></dict></plist>"
    );
    write(root, &format!("AllXML/{number}.xml"), text);
}

const P: &str = "6c613a14b80a8591";
const Q: &str = "0123456789abcdef";

fn data_set() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let rows = "\
removed;removed;R;CC;200801;20000001;1;5\n\
removed;removed;L;MLO;200801;20000002;2; 4a \n\
removed;removed;R;MLO;200801;20000003;;2\n\
removed;removed;L;CC;200801;20000004;3;1\n\
removed;removed;R;CC;200801;20000005;4;6\n\
removed;removed;R;CC;200801;20000009;4;1\n\
;;;;;;;\n\
;;;;;;116;\n";
    write(root, "INbreast.csv", format!("\u{feff}{HEADER}{rows}"));
    image(root, &format!("20000001_{P}_MG_R_CC_ANON"));
    image(root, &format!("20000002_{P}_MG_L_ML_ANON"));
    image(root, &format!("20000003_{Q}_MG_R_ML_ANON"));
    image(root, &format!("20000004_{Q}_MG_R_CC_ANON"));
    image(root, &format!("20000005_{Q}_MG_R_CC_ANON"));
    outlined(
        root,
        20000001,
        &[
            ("Espiculated Region", [5, 6], 10),
            ("Calcification", [30, 30], 0),
            ("Unnamed", [20, 20], 10),
            ("Point 1", [25, 40], 0),
            ("Pectoral Muscle", [0, 0], 5),
        ],
    );
    outlined(root, 20000003, &[("Mass", [5, 6], 10), ("Mass", [500, 600], 10)]);
    folder
}

#[test]
fn lesions_follow_from_outlines_and_assessments() {
    let folder = data_set();
    let source = Inbreast::new(folder.path(), None);
    let catalogue = source.catalogue().unwrap();
    let ids: Vec<_> =
        catalogue.mammograms.iter().map(|m| (m.id.as_str(), m.patient.as_str())).collect();
    let expected = [("1", P), ("2", P), ("3", Q), ("4", Q), ("5", Q)]
        .map(|(n, p)| (format!("inbreast-2000000{n}"), p));
    assert_eq!(ids, expected.each_ref().map(|(id, patient)| (id.as_str(), *patient)));
    let [first, second, third, fourth, fifth] = &catalogue.mammograms[..] else { panic!() };
    assert_eq!((first.laterality, first.view), (Some(Laterality::Right), Some(View::Cc)));
    assert_eq!((second.laterality, second.view), (Some(Laterality::Left), Some(View::Mlo)));
    assert_eq!(first.density.as_deref(), Some("composition-a"));
    assert_eq!(third.density, None);
    let words: Vec<_> =
        first.lesions.iter().map(|l| (l.source_words.as_str(), l.terms.len())).collect();
    assert_eq!(
        words,
        [("Espiculated Region", 2), ("Calcification", 1), ("Unnamed", 0), ("Point 1", 0)]
    );
    assert!(
        first.lesions.iter().all(|l| l.pathology == Pathology::Malignant && l.outlines.len() == 1)
    );
    assert_eq!(first.lesions[0].outlines[0].bounds(), Some([5.0, 6.0, 15.0, 16.0]));
    assert_eq!(first.lesions[1].outlines[0].bounds(), Some([29.0, 29.0, 32.0, 32.0]));
    assert_eq!(first.regions.len(), 1);
    // Suspicious, and not outlined: a cancer somewhere.
    assert_eq!((second.lesions.len(), second.lesions[0].outlines.len()), (1, 0));
    assert_eq!(second.lesions[0].assessment, Some(Assessment::LowSuspicion));
    assert_eq!(
        third.lesions.iter().map(|l| (l.pathology, l.outlines.len())).collect::<Vec<_>>(),
        [(Pathology::Benign, 1), (Pathology::Benign, 0)]
    );
    assert!(fourth.lesions.is_empty());
    assert_eq!(fifth.lesions[0].assessment, Some(Assessment::Proven));
    let told: Vec<_> = catalogue
        .notices
        .iter()
        .map(|n| format!("{} {} {}", n.place, n.skipped, n.message))
        .collect();
    let expected = [
        "INbreast.csv:9 false names no file",
        "AllXML/20000003.xml true the region \"Mass\" lies outside the image",
        "INbreast.csv:5 false the side of 20000004 is LEFT in the table and RIGHT in its file's name",
        "INbreast.csv false 1 listed images are not in the folder: 20000009",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told} / {expected}");
    }
    assert_eq!(source.image(first).unwrap().width, 40);
    assert_eq!(
        catalogue.summary[0],
        "6 images listed: 5 present, 1 missing, 5 used, of 2 patients"
    );
    let before = source.fingerprint().unwrap();
    assert_eq!(before, source.fingerprint().unwrap());
    outlined(folder.path(), 20000004, &[]);
    assert_ne!(before, source.fingerprint().unwrap());
}

#[test]
fn an_image_that_is_not_understood_is_left_out_alone() {
    let folder = data_set();
    let root = folder.path();
    outlined(root, 20000001, &[("Mass", [5, 6], 10), ("Massa", [20, 20], 10)]);
    write(root, "AllXML/20000003.xml", "<plist><dict>");
    let table = fs::read_to_string(root.join("INbreast.csv")).unwrap();
    write(root, "INbreast.csv", table.replace(" 4a ", "?"));
    image(root, "20000007_x");
    let catalogue = Inbreast::new(root, None).catalogue().unwrap();
    let ids: Vec<_> = catalogue.mammograms.iter().map(|m| m.id.as_str()).collect();
    assert_eq!(ids, ["inbreast-20000004", "inbreast-20000005"]);
    let told: Vec<_> = catalogue
        .notices
        .iter()
        .filter(|n| n.skipped)
        .map(|n| format!("{} {}", n.place, n.message))
        .collect();
    let expected = [
        "AllXML/20000001.xml the region \"Massa\" has no name of INbreast",
        "INbreast.csv:3 `Bi-Rads` of 20000002 is not 1 to 6",
        "AllXML/20000003.xml is no property list",
        "AllDICOMs/20000007_x.dcm 20000007 has no row in the table",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told} / {expected}");
    }
}

#[test]
fn a_converted_image_of_another_size_has_no_places() {
    let folder = data_set();
    let root = folder.path();
    fs::remove_file(root.join(format!("AllDICOMs/20000001_{P}_MG_R_CC_ANON.dcm"))).unwrap();
    let small = image::GrayImage::from_pixel(20, 30, [9].into());
    small.save(root.join(format!("20000001_{P}_MG_R_CC_ANON.png"))).unwrap();
    let catalogue = Inbreast::new(root, None).catalogue().unwrap();
    let first = &catalogue.mammograms[0];
    assert_eq!((first.width, first.lesions.len()), (20, 4));
    assert!(first.has_cancer() && first.lesions.iter().all(|l| l.outlines.is_empty()));
    assert!(catalogue.notices.iter().any(|n| n.skipped && n.message.contains("20 x 30 pixels")));
}

#[test]
fn a_useless_folder_is_one_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "INbreast.xls", "");
    let message = format!("{:#}", Inbreast::new(folder.path(), None).catalogue().unwrap_err());
    assert!(message.contains("save INbreast.xls as INbreast.xlsx"), "{message}");
    write(folder.path(), "INbreast.csv", "File Name;View\n1;CC\n");
    let message = format!("{:#}", Inbreast::new(folder.path(), None).catalogue().unwrap_err());
    assert!(message.contains("has no column `laterality`"), "{message}");
}
