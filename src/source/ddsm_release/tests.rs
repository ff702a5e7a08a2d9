use std::fs;

use proptest::prelude::*;

use super::*;
use mammogram::{Laterality, View, rasterise};

const CANCER: &str = "cancer_01-C_0001_1.LEFT_CC.LJPEG.1";
const BENIGN: &str = "benign_02-B_3000_1.RIGHT_MLO.LJPEG.1";
const NORMAL: &str = "normal_03-A_0300_1.LEFT_MLO.LJPEG.1";

/// A folder to fill.
struct Release(tempfile::TempDir);

impl Release {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn source(&self) -> DdsmRelease {
        DdsmRelease::new(self.0.path())
    }

    fn text(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes a grey image; the ending says how.
    fn image(&self, name: &str, width: u32, height: u32, value: impl Fn(u32, u32) -> u8) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let of = |x, y| image::Luma([value(x, y)]);
        image::GrayImage::from_fn(width, height, of).save(path).unwrap();
    }

    /// Whole mammograms with lists and masks.
    fn whole(&self) {
        for name in [CANCER, BENIGN, NORMAL] {
            let grey = |x: u32, y: u32| if x < 60 { 120 + ((x + y) % 40) as u8 } else { 0 };
            self.image(&format!("ddsm_raw/{name}.jpg"), 80, 120, grey);
        }
        self.text("ddsm_raw_image_lists/train.txt", &format!("{CANCER}.jpg\n\n"));
        self.text("ddsm_raw_image_lists/val.txt", &format!("{BENIGN}.jpg\r\n"));
        self.text("ddsm_raw_image_lists/test.txt", &format!("{NORMAL}.jpg\n"));
        // Two regions of cancer and one benign; at half size, white.
        let regions = |x: u32, y: u32| match (x, y) {
            (10..20, 10..20) | (40..50, 60..80) => 2,
            (30..34, 100..104) => 1,
            _ => 0,
        };
        self.image(&format!("ddsm_masks/3class/cancers/{CANCER}.png"), 80, 120, regions);
        let spread = |x: u32, y: u32| if (5..10).contains(&x) && y < 5 { 127 } else { 0 };
        self.image(&format!("ddsm_masks/3class/benigns/{BENIGN}.png"), 40, 60, spread);
    }

    /// A ready patch and its name.
    fn patch(&self, film: &str, x: u32, y: u32, edge: u32) -> String {
        let name = format!("{film}-y{y}_x{x}_h{edge}_w{edge}_imgfrac0.25.jpg");
        self.image(&format!("ddsm_patches/{}/{name}", &film[..4]), edge, edge, |_, _| 90);
        name
    }
}

#[test]
fn whole_mammograms_take_lesions_from_masks_and_the_split_from_lists() {
    let release = Release::new();
    release.whole();
    release.image("ddsm_raw/normal_03-A_0301_1.LEFT_CC.LJPEG.1.jpg", 8, 8, |_, _| 0);
    // A project's own output below its source.
    release.image(&format!("ddsm_raw/output/work/dataset/previews/{CANCER}.jpg"), 8, 8, |_, _| 0);
    let source = release.source();
    let catalogue = source.catalogue().unwrap();
    let [benign, cancer, normal] = &catalogue.mammograms[..] else { panic!("{catalogue:?}") };
    assert_eq!((cancer.id.as_str(), cancer.patient.as_str()), (CANCER, "C_0001"));
    assert_eq!((cancer.laterality, cancer.view), (Some(Laterality::Left), Some(View::Cc)));
    assert_eq!((cancer.width, cancer.height, &cancer.facts["volume"][..]), (80, 120, "cancer_01"));
    let area = |m: &Mammogram, lesion: &Lesion| {
        rasterise(&lesion.outlines, [0.0, 0.0, 80.0, 120.0], m.width, m.height).area()
    };
    let found: Vec<_> = cancer.lesions.iter().map(|l| (l.pathology, area(cancer, l))).collect();
    let expected =
        [(Pathology::Malignant, 100), (Pathology::Malignant, 200), (Pathology::Benign, 16)];
    assert_eq!(found, expected);
    // A mask of half the size counts in the mammogram's pixels.
    assert_eq!(benign.lesions.len(), 1);
    // Its corners are cut by half a pixel of the mask.
    assert!((96..=100).contains(&area(benign, &benign.lesions[0])));
    assert!(normal.lesions.is_empty());
    assert_eq!(
        [cancer, benign, normal].map(|m| m.assigned),
        [Split::Train, Split::Validation, Split::Test].map(Some)
    );
    assert_eq!(source.ready(2).unwrap(), None);
    assert_eq!(source.image(cancer).unwrap().pixels.len(), 80 * 120);
    let [notice] = &catalogue.notices[..] else { panic!("{:?}", catalogue.notices) };
    assert!(notice.skipped && notice.message.starts_with("1 images are in no list"), "{notice:?}");
}

#[test]
fn ready_patches_are_used_as_they_are_with_and_without_whole_mammograms() {
    let release = Release::new();
    let names = [
        release.patch(CANCER, 20, 30, 40),
        release.patch(CANCER, 0, 0, 40),
        release.patch(BENIGN, 0, 0, 40),
        release.patch(NORMAL, 10, 0, 40),
    ];
    release.text(
        "ddsm_labels/3class/train.txt",
        &format!("images/cancers/{} 2\n{} 0\n", names[0], names[1]),
    );
    release.text("ddsm_labels/3class/val.txt", &format!("{} 1\n", names[2]));
    release.text("ddsm_labels/3class/test.txt", &format!("{} 0\n", names[3]));
    let source = release.source();
    let ready = source.ready(3).unwrap().unwrap();
    assert_eq!(ready.imageless.len(), 3);
    let of = |ready: &Ready, film: &str| -> Vec<_> {
        ready.patches[film].iter().map(|p| (p.x, p.y, p.edge, p.positive, p.benign)).collect()
    };
    assert_eq!(of(&ready, CANCER), [(0, 0, 40, false, false), (20, 30, 40, true, false)]);
    assert_eq!(of(&ready, BENIGN), [(0, 0, 40, false, true)]);
    // Two classes follow from three.
    let two = source.ready(2).unwrap().unwrap();
    assert_eq!(of(&two, CANCER)[1], (20, 30, 40, true, false));
    assert_eq!(of(&two, BENIGN), [(0, 0, 40, false, false)]);
    assert_eq!(source.patch(&two.patches[BENIGN][0]).unwrap().width, 40);
    let catalogue = source.catalogue().unwrap();
    assert_eq!(catalogue.notices, []);
    let cancer = &catalogue.mammograms[1];
    assert_eq!((cancer.width, cancer.height), (60, 70));
    assert_eq!(cancer.lesions[0].pathology, Pathology::Malignant);
    assert!(cancer.lesions[0].outlines.is_empty());
    assert!(catalogue.summary.iter().any(|l| l.starts_with("3 of 3 mammograms are known by")));
    assert!(source.about().description.contains("patches alone"));

    // With the whole mammograms come outlines and context.
    release.whole();
    let source = release.source();
    assert!(source.ready(3).unwrap().unwrap().imageless.is_empty());
    let catalogue = source.catalogue().unwrap();
    let cancer = &catalogue.mammograms[1];
    assert_eq!((cancer.width, cancer.lesions.len()), (80, 3));
    assert!(cancer.lesions.iter().all(|l| !l.outlines.is_empty()));
    assert!(source.about().description.contains("show where they lie"));
}

#[test]
fn what_cannot_be_used_is_told() {
    let release = Release::new();
    let name = release.patch(CANCER, 0, 0, 40);
    release.text(
        "ddsm_labels/2class/train.txt",
        &format!("{name} 1\n{name} 1\n{name} 7\nx.jpg 1\n{CANCER}-y9_x9_h9_w9.jpg 0\nodd\n"),
    );
    // Another view of the patient in another part.
    let stray = release.patch("cancer_01-C_0001_1.LEFT_MLO.LJPEG.1", 0, 0, 40);
    release.text("ddsm_labels/2class/test.txt", &format!("{stray} 0\n"));
    let source = release.source();
    let catalogue = source.catalogue().unwrap();
    assert_eq!(catalogue.mammograms.len(), 1);
    let told: Vec<_> =
        catalogue.notices.iter().map(|n| (n.place.as_str(), n.skipped, &n.message)).collect();
    let expected = [
        ("ddsm_labels/2class/train.txt:3", true, "a class from 0 to 1"),
        ("ddsm_labels/2class/train.txt:6", true, "found \"odd\""),
        ("ddsm_labels/2class/train.txt:2", true, "listed again"),
        ("ddsm_labels/2class/train.txt:4", true, "does not begin"),
        ("ddsm_labels/2class", false, "1 labelled patches are not in"),
        ("cancer_01-C_0001_1.LEFT_MLO.LJPEG.1", true, "its patient is in another"),
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for ((place, skipped, message), (at, left_out, part)) in told.into_iter().zip(expected) {
        assert_eq!((place, skipped), (at, left_out), "{message}");
        assert!(message.contains(part), "{message}");
    }
    let message = format!("{:#}", source.ready(3).unwrap_err());
    assert!(message.contains("labels of two classes only"), "{message}");
    fs::write(&source.ready(2).unwrap().unwrap().patches[CANCER][0].file, "torn").unwrap();
    let ready = source.ready(2).unwrap().unwrap();
    let message = format!("{:#}", source.patch(&ready.patches[CANCER][0]).unwrap_err());
    assert!(message.contains("cannot be decoded") && message.contains("y0_x0"), "{message}");
}

#[test]
fn masks_of_unknown_meaning_or_shape_leave_the_mammogram_out() {
    let release = Release::new();
    release.whole();
    release.image(&format!("ddsm_masks/3class/cancers/{CANCER}.png"), 80, 120, |x, _| x as u8);
    release.image(&format!("ddsm_masks/3class/benigns/{BENIGN}.png"), 80, 80, |_, _| 0);
    let catalogue = release.source().catalogue().unwrap();
    assert_eq!(catalogue.mammograms.len(), 1);
    let told: Vec<_> = catalogue.notices.iter().map(|n| n.message.as_str()).collect();
    assert!(told[0].contains("has 80 x 80 pixels and its mammogram 80 x 120"), "{told:?}");
    assert!(told[1].contains("holds the value 3; expected 0, 1 for benign"), "{told:?}");
}

#[test]
fn a_useless_folder_is_one_clear_error() {
    let nowhere = DdsmRelease::new("/nonexistent/release");
    assert!(format!("{:#}", nowhere.catalogue().unwrap_err()).contains("/nonexistent/release"));
    assert!(nowhere.fingerprint().is_err());
    let release = Release::new();
    let message = format!("{:#}", release.source().catalogue().unwrap_err());
    assert!(message.contains("none of the release's folders"), "{message}");
    release.image(&format!("ddsm_raw/{CANCER}.jpg"), 8, 8, |_, _| 0);
    let message = format!("{:#}", release.source().catalogue().unwrap_err());
    assert!(message.contains("has only ddsm_raw"), "{message}");
}

#[test]
fn the_fingerprint_follows_lists_and_files() {
    let release = Release::new();
    release.whole();
    let print = || release.source().fingerprint().unwrap();
    let before = print();
    assert_eq!(before, print());
    release.text("notes.txt", "of no concern");
    assert_eq!(before, print());
    release.text("ddsm_raw_image_lists/test.txt", "");
    let fewer = print();
    assert_ne!(before, fewer);
    release.patch(CANCER, 0, 0, 40);
    assert_ne!(fewer, print());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_patient_is_in_two_parts(rows in prop::collection::vec((0u8..6, 0usize..4, 0usize..3, any::<bool>()), 1..30)) {
        let release = Release::new();
        let views = ["LEFT_CC", "LEFT_MLO", "RIGHT_CC", "RIGHT_MLO"];
        let mut labels = [const { String::new() }; 3];
        let mut lists = [const { String::new() }; 3];
        for (patient, view, part, listed) in rows {
            let film = format!("cancer_01-C_000{patient}_1.{}.LJPEG.1", views[view]);
            if listed {
                lists[part] += &format!("{film}.jpg\n");
            }
            let name = format!("{film}-y0_x0_h4_w4.png");
            release.text(&format!("ddsm_patches/{name}"), "");
            labels[part] += &format!("{name} 0\n");
        }
        for (name, at) in [("train", 0), ("val", 1), ("test", 2)] {
            release.text(&format!("ddsm_labels/2class/{name}.txt"), &labels[at]);
            release.text(&format!("ddsm_raw_image_lists/{name}.txt"), &lists[at]);
        }
        let source = release.source();
        let (parts, strays) = source.listing().unwrap().split();
        if let Ok(catalogue) = source.catalogue() {
            for mammogram in &catalogue.mammograms {
                // Each has a part, and every label of it is of that part.
                prop_assert!(parts.contains_key(&mammogram.patient));
                prop_assert!(!strays.contains_key(&mammogram.id));
            }
        }
    }
}
