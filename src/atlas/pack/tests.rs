use std::io::Read;

use super::*;
use crate::site::Writer;
use base::artifact::Stamp;

const UNIT: &str = "<img src=\"../../../../patches/m1-y0_x5_h9_w9.jpg\" alt=\"\">\
    <script type=\"application/json\" id=\"atlas-drawn\">\
    {\"top\":{\"mammogram\":[\"m-y2\"],\"x\":[1],\"y\":[2],\"edge\":[3],\"score\":[\"0.5\"],\
    \"cancer\":[true],\"overlay\":[\"M0 0z\"]},\"levels\":[],\"heat\":null}</script>";

/// A small site with its record.
fn site(folder: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let (site, record) = (folder.join("site"), folder.join("site.json"));
    let files = [
        ("index.html", "home"),
        ("assets/atlas.css", "body {}"),
        ("networks/a/b/index.html", "layer"),
        ("networks/a/b/units.js", "data"),
        ("networks/a/b/0001/index.html", UNIT),
        ("networks/a/b/0001/compare.js", "numbers"),
        ("networks/a/b/0002/index.html", "other"),
        ("methods/index.html", "<img src=\"../patches/m4-y0_x0_h1_w1.jpg\" alt=\"\">"),
        ("patches/m4-y0_x0_h1_w1.jpg", "8"),
        ("patches/m1-y0_x5_h9_w9.jpg", "1"),
        ("patches/m-y2-y2_x1_h3_w3.jpg", "2"),
        ("patches/m3-y0_x0_h1_w1.jpg", "3"),
        ("mammograms/m-y2.jpg", "4"),
        ("mammograms/m-y2/outlines.js", "5"),
        ("mammograms/m1/outlines.js", "6"),
        ("mammograms/m1/tiles/0/0_0.jpg", "9"),
        ("mammograms/m3/tiles/0/0_0.jpg", "9"),
        ("mammograms/m3/outlines.js", "7"),
    ];
    let writer = Writer::begin(&site, &record, vec![]).unwrap();
    for (path, text) in files {
        writer.write(path, text.as_bytes()).unwrap();
    }
    writer.finish(&Stamp::new(1)).unwrap();
    (site, record)
}

/// Header and files of a container.
fn unpacked(container: &[u8]) -> (serde_json::Value, Vec<u8>) {
    let mut bytes = Vec::new();
    flate2::read::DeflateDecoder::new(container).read_to_end(&mut bytes).unwrap();
    let length = u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
    (serde_json::from_slice(&bytes[4..4 + length]).unwrap(), bytes[4 + length..].to_vec())
}

#[test]
fn a_unit_takes_its_pictures_along_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (site, record) = site(folder.path());
    let built = Record::read(&record).unwrap();
    let selection = Selection { units: vec!["a/b/0001".into()], layers: vec![] };
    let chosen = selection::choose(&site, &built, &selection).unwrap();
    let files: Vec<&str> = chosen.files.iter().map(String::as_str).collect();
    assert_eq!(
        files,
        [
            "assets/atlas.css",
            "mammograms/m-y2.jpg",
            "mammograms/m-y2/outlines.js",
            "mammograms/m1/outlines.js",
            "mammograms/m1/tiles/0/0_0.jpg",
            // How it was made, with the picture that this shows.
            "methods/index.html",
            "networks/a/b/0001/compare.js",
            "networks/a/b/0001/index.html",
            "patches/m-y2-y2_x1_h3_w3.jpg",
            "patches/m1-y0_x5_h9_w9.jpg",
            "patches/m4-y0_x0_h1_w1.jpg",
        ]
    );
    let layer = Selection { units: vec![], layers: vec!["a/b".into()] };
    let chosen = selection::choose(&site, &built, &layer).unwrap();
    assert_eq!(chosen.files.len(), files.len() + 3);
    let whole = selection::choose(&site, &built, &Selection::default()).unwrap();
    assert_eq!(whole.files.len(), built.files.len());
    for unknown in ["a/b/0003", "a/b", "../b/0001"] {
        let selection = Selection { units: vec![unknown.into()], layers: vec![] };
        let message = selection::choose(&site, &built, &selection).err().unwrap().to_string();
        assert!(message.contains(unknown), "{message}");
    }
}

#[test]
fn a_single_file_holds_the_files_and_an_encrypted_one_shows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (site, record) = site(folder.path());
    let title = "An <atlas>";
    let selection = Selection::default();
    let output = folder.path().join("atlas.html");
    let form = |passphrase| Form::SingleFile { selection: &selection, passphrase };
    let packed = pack(&site, &record, title, form(None), &output).unwrap();
    assert_eq!(packed.files, 18);
    let page = std::fs::read_to_string(&output).unwrap();
    assert!(page.contains("<title>An &lt;atlas&gt;</title>") && !page.contains("{{"));
    let built = Record::read(&record).unwrap();
    let chosen = selection::choose(&site, &built, &selection).unwrap();
    let (header, bytes) = unpacked(&single::container(&site, title, &chosen).unwrap());
    assert_eq!(header["title"], title);
    assert_eq!(header["start"], serde_json::json!([{"title": "", "path": "index.html"}]));
    let names: Vec<&str> =
        header["files"].as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap()).collect();
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]) && names.len() == packed.files);
    assert!(bytes.starts_with(b"body {}home"));
    // The same again.
    let second = folder.path().join("second.html");
    pack(&site, &record, title, form(None), &second).unwrap();
    assert_eq!(std::fs::read(&output).unwrap(), std::fs::read(&second).unwrap());

    pack(&site, &record, title, form(Some("correct horse")), &output).unwrap();
    let page = std::fs::read_to_string(&output).unwrap();
    for secret in ["atlas>", "An &lt;", "networks", "m-y2", "correct"] {
        assert!(!page.contains(secret), "{secret}");
    }
    let error = pack(&site, &record, title, form(Some("short")), &output).unwrap_err();
    assert!(error.to_string().contains("passphrase"), "{error}");
    let inside = site.join("x.html");
    let error = pack(&site, &record, title, form(None), &inside).unwrap_err();
    assert!(error.to_string().contains("--output"), "{error}");
    std::fs::remove_file(&record).unwrap();
    let error = pack(&site, &record, title, form(None), &output).unwrap_err();
    assert!(format!("{error:#}").contains("build"), "{error:#}");
}

#[test]
fn a_zip_holds_every_file_and_is_the_same_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (site, record) = site(folder.path());
    let [first, second] = ["first.zip", "second.zip"].map(|name| folder.path().join(name));
    pack(&site, &record, "Atlas", Form::Zip, &first).unwrap();
    pack(&site, &record, "Atlas", Form::Zip, &second).unwrap();
    let bytes = std::fs::read(&first).unwrap();
    assert_eq!(bytes, std::fs::read(&second).unwrap());
    let mut archive = ::zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut found = std::collections::BTreeMap::new();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).unwrap();
        let mut text = Vec::new();
        entry.read_to_end(&mut text).unwrap();
        found.insert(entry.name().unwrap().into_owned(), text);
    }
    assert_eq!(found.len(), 19);
    assert_eq!(found["atlas/networks/a/b/0001/index.html"], UNIT.as_bytes());
    assert!(String::from_utf8_lossy(&found["README.txt"]).contains("atlas/index.html"));
}
