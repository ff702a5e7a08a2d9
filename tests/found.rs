//! Images as they are found, through whole commands: what departs from its format is used and said once,
//! what cannot be used is left out with a sentence that helps, and a project chooses what it leaves out.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::dicom;

const PROJECT: &str = "\
patches: { window: 1.0, stride: 1.0, size: 64, min_breast: 0.0 }
networks: [{ name: resnet10, input: 33 }]
";

/// Runs `prepare` over a table of files; returns its exit status, and all it said.
fn prepare(folder: &Path, files: &[&str], options: &str) -> (Option<i32>, String) {
    let rows: String = files.iter().map(|file| format!("{file},{file},p-{file}\n")).collect();
    fs::write(folder.join("table.csv"), format!("image,id,patient\n{rows}")).unwrap();
    let source = format!("source: {{ kind: folder, path: table.csv{options} }}\n{PROJECT}");
    fs::write(folder.join("atlas.yaml"), source).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_unit-atlas"));
    let output = command.arg("prepare").current_dir(folder).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!said.contains("panicked"), "{said}");
    (output.status.code(), said)
}

fn manifest(folder: &Path) -> String {
    fs::read_to_string(folder.join("output/work/dataset/manifest.json")).unwrap()
}

#[test]
fn golden_files_that_depart_from_their_format_are_used_and_said() {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/found");
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for kind in ["dicom", "pictures"] {
        for entry in fs::read_dir(found.join(kind)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            fs::copy(found.join(kind).join(&name), folder.path().join(&name)).unwrap();
            files.push(name);
        }
    }
    files.sort();
    let names: Vec<&str> = files.iter().map(String::as_str).collect();
    let (status, said) = prepare(folder.path(), &names, "");
    assert_eq!(status, Some(0), "{said}");
    for part in [
        "names no transfer syntax; it is read as Explicit VR Little Endian (1 more alike)",
        "written without the kinds of their values (VR), where its transfer syntax says with",
        "its JPEG 2000 has 16 bits per sample where 14 are stated to be stored",
        "pages; the largest is used, page",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    let manifest = manifest(folder.path());
    assert!(names.iter().all(|name| manifest.contains(name)), "{said}");
}

#[test]
fn detector_values_implants_and_tomosynthesis_are_left_out_as_the_project_says() {
    let folder = tempfile::tempdir().unwrap();
    let pixels: Vec<u16> = (0..64 * 64).map(|i| i % 4000).collect();
    let write = |name: &str, texts: &[dicom::Text<'_>]| {
        fs::write(folder.path().join(name), dicom::file(&pixels, 64, 12, texts)).unwrap();
    };
    let rising = (0x28, 0x1041, b"SS", "\u{1}\0");
    write("plain", &[]);
    write("raw", &[(8, 0x68, b"CS", "FOR PROCESSING"), (0x28, 0x1040, b"CS", "LIN"), rising]);
    write("silent", &[(8, 0x68, b"CS", "FOR PROCESSING")]);
    write("implant", &[(0x28, 0x1300, b"CS", "YES")]);
    write("made", &[(8, 8, b"CS", "DERIVED\\PRIMARY\\TOMOSYNTHESIS\\GENERATED_2D")]);
    let all = ["plain", "raw", "silent", "implant", "made"];

    let (status, said) = prepare(folder.path(), &all, "");
    assert_eq!(status, Some(2), "{said}");
    assert_eq!(said.matches("is FOR PROCESSING, the detector's own values; name its").count(), 2);
    assert!(said.contains("table.csv:3") && said.contains("table.csv:4"), "{said}");
    let used = manifest(folder.path());
    assert!(used.contains("\"implant\": \"yes\""), "{used}");
    assert!(used.contains("\"made from\": \"tomosynthesis\""), "{used}");

    let (status, said) = prepare(folder.path(), &all, ", leave_out: [implants, tomosynthesis]");
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("an implant, which `source.leave_out` names"), "{said}");
    assert!(said.contains("made from tomosynthesis, which `source.leave_out` names"), "{said}");
    // It can be converted where it says how; without that it cannot.
    assert!(said.contains("is FOR PROCESSING: the detector's own values are converted"), "{said}");
    assert!(said.contains("Pixel Intensity Relationship"), "{said}");
    let used = manifest(folder.path());
    assert!(
        used.contains("FOR PROCESSING), converted") && !used.contains("\"implant\": "),
        "{used}"
    );

    // Of what is asked for nothing is missing.
    let (status, said) = prepare(folder.path(), &["plain", "implant"], ", leave_out: [implants]");
    assert_eq!(status, Some(0), "{said}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("good"), dicom::file(&[1, 2, 3, 4], 2, 12, &[])).unwrap();
    fs::write(path("a.gif"), b"GIF89a\x01\0\x01\0").unwrap();
    image::RgbaImage::new(8, 8).save(path("clear.png")).unwrap();
    image::ImageBuffer::<image::Rgb<u16>, _>::new(8, 8).save(path("colours.png")).unwrap();
    let (status, said) = prepare(folder.path(), &["good", "a.gif", "clear.png", "colours.png"], "");
    assert_eq!(status, Some(2), "{said}");
    for part in [
        "is a GIF, which is not read; save it as PNG",
        "has transparent pixels",
        "convert it to grey",
    ] {
        assert_eq!(said.matches(part).count(), 1, "{part:?} in {said}");
    }
}
