//! Nothing that files of a source, their names, the table or the machine say of people reaches what is published
//! or sent: thousands of marks in every place where text can stand, none in any byte of any output.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use source::{Phantom, Source};

use crate::support::project::{Project, Told};

/// Every mark begins with one of these: letters where text may stand, digits where only they may.
const LETTERS: &str = "CNRYBIRD";
const DIGITS: &str = "770042119";
/// As in the project file.
const SEED: &str = "20412871553";
/// What the table says for all to read.
const STATED: &str = "STTD";

const CONFIG: &str = "\
title: Private
base_url: https://example.org/atlas
seed: 20412871553
source: { kind: folder, path: data/CNRYBIRDTABLE-doe.csv, regions: data/CNRYBIRDREGIONS.csv }
patches: { size: 40, stride: 1 }
split: { train: 0.5, validation: 0.3, test: 0.2 }
networks:
  - { name: resnet10, input: 33, layers: [bn1], training: { epochs: 1, batch: 16, lr: 0.01 } }
dissection: { top: 4, permutations: 19 }
figures:
  - { kind: roc }
  - { kind: concepts }
  - { kind: performance }
  - { kind: training }
";

/// Marks, no two the same.
#[derive(Default)]
struct Marks(u32);

impl Marks {
    fn text(&mut self) -> String {
        self.0 += 1;
        format!("{LETTERS}{:06}", self.0)
    }

    fn digits(&mut self) -> String {
        self.0 += 1;
        format!("{DIGITS}{:06}", self.0)
    }
}

/// Kind and value of a DICOM element.
type Element = (&'static [u8; 2], Vec<u8>);

/// A DICOM file of 8 bits with marks in every attribute that has text or numbers of people, visits, machines.
fn dicom(marks: &mut Marks, pixels: &[u8], width: u32, side: &str, view: &str) -> Vec<u8> {
    let mut elements: BTreeMap<(u16, u16), Element> = BTreeMap::new();
    let height = (pixels.len() / width as usize) as u16;
    let word = |value: u16| value.to_le_bytes().to_vec();
    // Groups of identifying text, by their kinds of value; what is needed to read the image is put over it.
    let groups: [(u16, std::ops::Range<u16>); 9] = [
        (0x08, 0x80..0xa0),
        (0x08, 0x1010..0x1100),
        (0x10, 0x10..0x50),
        (0x10, 0x1000..0x1050),
        (0x10, 0x2150..0x2210),
        (0x18, 0x1000..0x1030),
        (0x20, 0x52..0x62),
        (0x32, 0x1030..0x1070),
        (0x40, 0x240..0x290),
    ];
    for (group, range) in groups {
        for element in range.step_by(2) {
            let kind: &[u8; 2] = [b"LO", b"PN", b"SH", b"LT", b"ST", b"CS", b"AE", b"UC"]
                [usize::from(element / 2 % 8)];
            elements.insert((group, element), (kind, marks.text().into_bytes()));
        }
    }
    // Digits: identifiers, dates, times, ages, numbers.
    let dotted = |digits: String| format!("1.2.826.0.1.{digits}").into_bytes();
    for (group, element, kind) in [
        (0x08, 0x14, b"UI"),
        (0x08, 0x18, b"UI"),
        (0x08, 0x1155, b"UI"),
        (0x20, 0x0d, b"UI"),
        (0x20, 0x0e, b"UI"),
        (0x20, 0x10, b"SH"),
        (0x20, 0x52, b"UI"),
        (0x08, 0x2a, b"DT"),
        (0x08, 0x20, b"DA"),
        (0x08, 0x30, b"TM"),
        (0x08, 0x50, b"SH"),
        (0x10, 0x20, b"LO"),
        (0x10, 0x30, b"DA"),
        (0x10, 0x32, b"TM"),
        (0x10, 0x1010, b"AS"),
        (0x10, 0x1030, b"DS"),
        (0x18, 0x1200, b"DA"),
        (0x18, 0x60, b"DS"),
        (0x20, 0x11, b"IS"),
        (0x20, 0x13, b"IS"),
    ] {
        let digits = marks.digits();
        let value = if kind == b"UI" { dotted(digits) } else { digits.into_bytes() };
        elements.insert((group, element), (kind, value));
    }
    // Private elements with their creators, of kinds that are known and unknown.
    for group in [0x09, 0x11, 0x29, 0x51] {
        elements.insert((group, 0x10), (b"LO", marks.text().into_bytes()));
        for (element, kind) in (0x1001..).zip([b"LO", b"UN", b"OB", b"UT", b"PN", b"LT"]) {
            elements.insert((group, element), (kind, marks.text().into_bytes()));
        }
    }
    // Sequences within sequences.
    let item = |content: Vec<u8>| {
        let mut item = vec![0xfe, 0xff, 0x00, 0xe0];
        item.extend((content.len() as u32).to_le_bytes());
        item.extend(content);
        item
    };
    for (group, element) in
        [(0x08, 0x1110), (0x08, 0x1140), (0x40, 0x275), (0x40, 0x555), (0x12, 0x64)]
    {
        let mut inner = Vec::new();
        put(&mut inner, 0x08, 0x104, b"LO", marks.text().as_bytes());
        put(&mut inner, 0x10, 0x10, b"PN", marks.text().as_bytes());
        let mut outer = Vec::new();
        put(&mut outer, 0x08, 0x1155, b"UI", &dotted(marks.digits()));
        put(&mut outer, 0x40, 0xa730, b"SQ", &item(inner));
        elements.insert((group, element), (b"SQ", item(outer)));
    }
    // Overlays and curves have words, too.
    elements.insert((0x6000, 0x22), (b"LO", marks.text().into_bytes()));
    elements.insert((0x5000, 0x22), (b"LO", marks.text().into_bytes()));
    for (tag, kind, value) in [
        ((0x28, 0x02), b"US", word(1)),
        ((0x28, 0x04), b"CS", b"MONOCHROME2".to_vec()),
        ((0x28, 0x10), b"US", word(height)),
        ((0x28, 0x11), b"US", word(width as u16)),
        ((0x28, 0x100), b"US", word(8)),
        ((0x28, 0x101), b"US", word(8)),
        ((0x28, 0x102), b"US", word(7)),
        ((0x28, 0x103), b"US", word(0)),
        ((0x20, 0x62), b"CS", side.into()),
        ((0x18, 0x5101), b"CS", view.into()),
        ((0x7fe0, 0x10), b"OB", pixels.to_vec()),
    ] {
        elements.insert(tag, (kind, value));
    }
    let mut out = marks.text().into_bytes();
    out.resize(128, 0);
    out.extend(b"DICM");
    put(&mut out, 0x02, 0x10, b"UI", b"1.2.840.10008.1.2.1");
    put(&mut out, 0x02, 0x16, b"AE", marks.text().as_bytes());
    for ((group, element), (kind, value)) in elements {
        put(&mut out, group, element, kind, &value);
    }
    out
}

fn put(out: &mut Vec<u8>, group: u16, element: u16, kind: &[u8; 2], value: &[u8]) {
    let pad = if matches!(kind, b"UI" | b"OB" | b"UN") { 0 } else { b' ' };
    let mut value = value.to_vec();
    if value.len() % 2 == 1 {
        value.push(pad);
    }
    out.extend(group.to_le_bytes());
    out.extend(element.to_le_bytes());
    out.extend(kind);
    if matches!(kind, b"OB" | b"OW" | b"UT" | b"UN" | b"SQ" | b"UC") {
        out.extend([0, 0]);
        out.extend((value.len() as u32).to_le_bytes());
    } else {
        out.extend((value.len() as u16).to_le_bytes());
    }
    out.extend(value);
}

/// A TIFF directory with marks in its texts, as EXIF has it: little endian, one directory.
fn exif(marks: &mut Marks) -> Vec<u8> {
    // Description, maker, model, software, date, artist, computer, copyright, camera's owner and number.
    let tags = [0x10e_u16, 0x10f, 0x110, 0x131, 0x132, 0x13b, 0x13c, 0x8298, 0xa430, 0xa431];
    let mut out = b"II\x2a\0\x08\0\0\0".to_vec();
    out.extend((tags.len() as u16).to_le_bytes());
    let (mut texts, at) = (Vec::new(), 8 + 2 + 12 * tags.len() + 4);
    for tag in tags {
        let text = marks.text() + "\0";
        out.extend(tag.to_le_bytes());
        out.extend(2_u16.to_le_bytes());
        out.extend((text.len() as u32).to_le_bytes());
        out.extend(((at + texts.len()) as u32).to_le_bytes());
        texts.extend(text.into_bytes());
    }
    out.extend([0; 4]);
    out.extend(texts);
    out
}

/// A PNG with marks in every kind of text chunk, in EXIF, and after its end.
fn png(marks: &mut Marks, image: &image::GrayImage) -> Vec<u8> {
    let mut plain = std::io::Cursor::new(Vec::new());
    image.write_to(&mut plain, image::ImageFormat::Png).unwrap();
    let plain = plain.into_inner();
    let mut chunks = Vec::new();
    let chunk = |kind: &[u8; 4], content: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(content);
        let mut out = (content.len() as u32).to_be_bytes().to_vec();
        out.extend(kind);
        out.extend(content);
        out.extend(crc.sum().to_be_bytes());
        out
    };
    let deflated = |text: &str| {
        let mut encoder =
            flate2::read::ZlibEncoder::new(text.as_bytes(), flate2::Compression::best());
        let mut out = Vec::new();
        encoder.read_to_end(&mut out).unwrap();
        out
    };
    for name in ["Author", "Title", "Description", "Comment", "Source", "Creation Time"] {
        chunks.extend(chunk(b"tEXt", format!("{name}\0{}", marks.text()).as_bytes()));
        let packed = [name.as_bytes(), b"\0\0", &deflated(&marks.text())].concat();
        chunks.extend(chunk(b"zTXt", &packed));
        let words = format!("{name}\0\0\0en\0{}\0{}", marks.text(), marks.text());
        chunks.extend(chunk(b"iTXt", words.as_bytes()));
        let packed = [name.as_bytes(), b"\0\x01\0\0\0", &deflated(&marks.text())].concat();
        chunks.extend(chunk(b"iTXt", &packed));
    }
    chunks.extend(chunk(b"eXIf", &exif(marks)));
    // After the signature and the header.
    [&plain[..33], &chunks, &plain[33..], marks.text().as_bytes()].concat()
}

/// A JPEG with marks in its comments, in EXIF, XMP and Photoshop's notes.
fn jpeg(marks: &mut Marks, image: &image::GrayImage) -> Vec<u8> {
    let mut plain = std::io::Cursor::new(Vec::new());
    image.write_to(&mut plain, image::ImageFormat::Jpeg).unwrap();
    let plain = plain.into_inner();
    let segment = |marker: u8, content: &[u8]| {
        let mut out = vec![0xff, marker];
        out.extend(((content.len() + 2) as u16).to_be_bytes());
        out.extend(content);
        out
    };
    let xmp = format!(
        "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><dc:creator>{}</dc:creator>",
        marks.text()
    );
    let mut segments = segment(0xe1, &[b"Exif\0\0", &exif(marks)[..]].concat());
    segments.extend(segment(0xe1, xmp.as_bytes()));
    segments.extend(segment(0xed, format!("Photoshop 3.0\0{}", marks.text()).as_bytes()));
    for _ in 0..8 {
        segments.extend(segment(0xfe, marks.text().as_bytes()));
    }
    [&plain[..2], &segments, &plain[2..], marks.text().as_bytes()].concat()
}

/// A TIFF of one strip with marks in its texts.
fn tiff(marks: &mut Marks, image: &image::GrayImage) -> Vec<u8> {
    let (width, height) = image.dimensions();
    let texts = [0x10d_u16, 0x10e, 0x10f, 0x110, 0x11d, 0x131, 0x132, 0x13b, 0x13c, 0x8298];
    let mut entries: BTreeMap<u16, (u16, Vec<u8>)> = BTreeMap::new();
    for tag in texts {
        entries.insert(tag, (2, (marks.text() + "\0").into_bytes()));
    }
    let long = |value: u32| (4, value.to_le_bytes().to_vec());
    let pixels = image.as_raw();
    for (tag, value) in [(0x100, width), (0x101, height), (0x102, 8), (0x103, 1), (0x106, 1)] {
        entries.insert(tag, long(value));
    }
    for (tag, value) in [(0x111, 8), (0x115, 1), (0x116, height), (0x117, pixels.len() as u32)] {
        entries.insert(tag, long(value));
    }
    let at = 8 + pixels.len() + pixels.len() % 2;
    let mut out = b"II\x2a\0".to_vec();
    out.extend((at as u32).to_le_bytes());
    out.extend(pixels);
    out.resize(at, 0);
    out.extend((entries.len() as u16).to_le_bytes());
    let beyond = at + 2 + 12 * entries.len() + 4;
    let mut more = Vec::new();
    for (tag, (kind, value)) in entries {
        out.extend(tag.to_le_bytes());
        out.extend(kind.to_le_bytes());
        let count = if kind == 2 { value.len() as u32 } else { 1 };
        out.extend(count.to_le_bytes());
        if value.len() <= 4 {
            out.extend(&value);
        } else {
            out.extend(((beyond + more.len()) as u32).to_le_bytes());
            more.extend(value);
        }
    }
    out.extend([0; 4]);
    out.extend(more);
    out
}

/// A data set of DICOM, PNG, JPEG, TIFF and PGM with marks wherever there is room; returns how many.
fn write_source(project: &Project) -> u32 {
    let mut marks = Marks::default();
    let phantom = Phantom::new(10, 320, 11);
    let mut table = String::from(
        "image,patient,id,laterality,view,pathology,terms,words,polygon,mask,value,_note,_name\n",
    );
    let mut regions = String::from("image,term,polygon,_by\n");
    for (number, drawn) in phantom.catalogue().unwrap().mammograms.iter().enumerate() {
        let grey = phantom.image(drawn).unwrap();
        let image =
            image::GrayImage::from_raw(grey.width, grey.height, grey.pixels.clone()).unwrap();
        let (side, view) = (["L", "R"][number / 2 % 2], ["CC", "MLO"][number % 2]);
        let (bytes, ending) = match number % 5 {
            0 => (png(&mut marks, &image), "png"),
            1 => (jpeg(&mut marks, &image), "jpg"),
            2 => (tiff(&mut marks, &image), "tif"),
            3 => {
                let note = marks.text();
                let header = format!("P5\n# {note}\n{} {}\n255\n", grey.width, grey.height);
                ([header.as_bytes(), &grey.pixels].concat(), "pgm")
            }
            _ => (dicom(&mut marks, &grey.pixels, grey.width, side, view), "dcm"),
        };
        let name = format!("{}/{}^{}.{ending}", marks.text(), marks.text(), marks.digits());
        project.write(&format!("data/{name}"), bytes);
        let patient = number / 4;
        // Half of the patients are named by the table, and some images have names for all to see.
        let id = if number % 6 == 0 { format!("{STATED}-{number}") } else { String::new() };
        let named = format!("{LETTERS}PATIENT^{patient}");
        let [left, right] = [0.1, 0.9].map(|share| share * f64::from(grey.width));
        let [top, bottom] = [0.3, 0.7].map(|share| share * f64::from(grey.height));
        let corners = [[left, top], [right, top], [right, bottom], [left, bottom]];
        let square = corners.map(|[x, y]| format!("{x:.0},{y:.0}")).join(" ");
        let mut mask = String::new();
        let lesion = match (patient % 3, number % 4) {
            (0, 0) => format!("malignant,mass,{STATED} spiculated mass,\"{square}\""),
            (1, 1) => {
                let drawn = image::GrayImage::from_fn(grey.width, grey.height, |x, y| {
                    let inside = [x, y].iter().all(|at| (100..140).contains(at));
                    image::Luma([if inside { 255 } else { 0 }])
                });
                mask = format!("{}/{}.png", marks.text(), marks.text());
                project.write(&format!("data/{mask}"), png(&mut marks, &drawn));
                "benign,mass,,".to_owned()
            }
            _ => ",,,".into(),
        };
        let (note, other) = (marks.text(), marks.digits());
        table.push_str(&format!(
            "{name},{named},{id},{side},{view},{lesion},{mask},,{note},{other}\n"
        ));
        if number % 7 == 0 {
            regions.push_str(&format!("{name},fatty-tissue,\"{square}\",{}\n", marks.text()));
        }
    }
    // What is left out is told, too: files that are not there, or are nothing, and rows that say nothing.
    for ending in ["png", "dcm", "jpg", "tif", "pgm"] {
        let (folder, name) = (marks.text(), marks.text());
        project.write(&format!("data/{folder}/{name}.{ending}"), marks.text());
        let (patient, words) = (marks.text(), marks.text());
        table.push_str(&format!("{folder}/{name}.{ending},{patient},,,,,,,,,,{words},\n"));
        table.push_str(&format!(
            "{}/{}.{ending},{patient},,,,,,,,,,,\n",
            marks.text(),
            marks.text()
        ));
    }
    let (patient, wrong) = (marks.text(), marks.text());
    table.push_str(&format!("{}.png,{patient},,,,{wrong},,,,,,,\n", marks.text()));
    table.push_str(&format!("{}.png,{patient},,{wrong},,,,,,,,,\n", marks.text()));
    table.push_str(&format!("{}.png,{patient},,,,,,,{wrong},,,,\n", marks.text()));
    project.write("data/CNRYBIRDTABLE-doe.csv", table);
    project.write("data/CNRYBIRDREGIONS.csv", regions);
    marks.0
}

/// Every text that is packed into some bytes, and the bytes themselves: archives, compressed streams, base64.
fn unpacked(bytes: &[u8], depth: usize, look: &mut dyn FnMut(&[u8])) {
    look(bytes);
    if depth == 0 {
        return;
    }
    for at in 0..bytes.len().saturating_sub(2) {
        let rest = &bytes[at..];
        let mut out = Vec::new();
        let read = match rest {
            // What zlib begins with.
            [0x78, flags, ..] if (0x7800 + u16::from(*flags)) % 31 == 0 => {
                flate2::read::ZlibDecoder::new(rest).read_to_end(&mut out)
            }
            [0x1f, 0x8b, 8, ..] => flate2::read::GzDecoder::new(rest).read_to_end(&mut out),
            // A file in a zip.
            [b'P', b'K', 3, 4, _, _, _, _, 8, 0, ..] if rest.len() > 30 => {
                let length = |at: usize| usize::from(u16::from_le_bytes([rest[at], rest[at + 1]]));
                let begin = 30 + length(26) + length(28);
                let packed = rest.get(begin..).unwrap_or_default();
                flate2::read::DeflateDecoder::new(packed).read_to_end(&mut out)
            }
            _ => continue,
        };
        // A stream that ends wrongly was none, but what came of it is looked at all the same.
        if read.is_ok() || out.len() > 64 {
            unpacked(&out, depth - 1, look);
        }
    }
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let mut whole = Vec::new();
    for run in bytes.split(|byte| !inner(byte)).filter(|run| run.len() >= 40) {
        let usable = &run[..run.len() / 4 * 4];
        let Ok(decoded) = STANDARD.decode(usable) else { continue };
        look(&decoded);
        whole.extend(decoded);
    }
    // A site in one page is one deflated stream in several pieces.
    let mut out = Vec::new();
    if flate2::read::DeflateDecoder::new(&whole[..]).read_to_end(&mut out).is_ok()
        && !out.is_empty()
    {
        look(&out);
    }
}

/// The first mark in some bytes, as text of one byte a letter or of two.
fn mark(bytes: &[u8], needles: &[Vec<u8>]) -> Option<String> {
    needles.iter().find_map(|needle| {
        let found = bytes.windows(needle.len()).position(|w| w.eq_ignore_ascii_case(needle))?;
        let end = bytes.len().min(found + needle.len() + 40);
        Some(String::from_utf8_lossy(&bytes[found.saturating_sub(40)..end]).into_owned())
    })
}

fn needles_of(of_machine: &[String]) -> Vec<Vec<u8>> {
    let plain = [LETTERS, DIGITS].into_iter().map(str::to_owned).chain(of_machine.iter().cloned());
    plain
        .flat_map(|text| {
            let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect();
            [text.as_bytes().to_vec(), wide(u16::to_le_bytes), wide(u16::to_be_bytes)]
        })
        .collect()
}

#[test]
fn nothing_of_people_or_the_machine_is_in_what_is_published() {
    // The project lies in a folder with a name of its own, in the home of a user with one.
    let home = tempfile::Builder::new().prefix("CNRYBIRDHOME-").tempdir().unwrap();
    let project = Project::within(home.path(), CONFIG);
    let marks = write_source(&project);
    assert!(marks > 4000, "{marks}");
    let run = |arguments: &[&str]| -> Told {
        let mut command = project.command(arguments);
        for (name, value) in
            [("USER", "CNRYBIRDUSER"), ("LOGNAME", "CNRYBIRDUSER"), ("HOSTNAME", "CNRYBIRDHOST")]
        {
            command.env(name, value);
        }
        Told::from(command.env("HOME", home.path()).output().unwrap())
    };
    // Some verbs say again that inputs were skipped.
    let done = |arguments: &[&str]| {
        let told = run(arguments);
        assert!(matches!(told.status, Some(0 | 2)), "{arguments:?}: {}{}", told.out, told.err);
        told
    };
    run(&["run"]).expect(2);
    let unit = "resnet10/bn1/0001";
    for kind in ["roc", "performance", "concepts", "agreement", "training", "table"] {
        // Without readers there is nothing to agree.
        run(&["figure", "--out", "shared/figures", kind]);
    }
    done(&["figure", "--out", "shared/figures", "unit", unit]);
    done(&["patches", "export", "shared/patches"]);
    done(&["explain", "--html", "shared/explained.html"]);
    for (name, arguments) in [
        ("explained.json", &["explain", "--json"][..]),
        ("evaluation.json", &["evaluate", "--json"]),
        ("test.json", &["evaluate", "--split", "test", "--json"]),
        ("stats.json", &["labels", "stats", "--json"]),
    ] {
        project.write(&format!("shared/{name}"), done(arguments).out);
    }
    done(&["pack", "--output", "shared/atlas.zip"]);
    done(&["pack", "--single-file", "--output", "shared/atlas.html"]);

    // What the machine says of itself, where that is more than a word of everyday.
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    let root = project.root().to_string_lossy().into_owned();
    // The seed is the key of the pseudonyms.
    let of_machine = [root, host.to_owned(), SEED.to_owned()];
    let of_machine: Vec<_> = of_machine.into_iter().filter(|name| name.len() > 8).collect();
    let needles = needles_of(&of_machine);
    let (mut files, mut stated, mut texts, mut found) = (0, 0, 0, Vec::new());
    for folder in ["output/site", "output/figures", "shared"] {
        for (path, bytes) in project.files(folder) {
            files += 1;
            let name = format!("{folder}/{}", path.display());
            if let Some(mark) = mark(name.as_bytes(), &needles) {
                found.push(format!("the name {name}: {mark}"));
            }
            unpacked(&bytes, 3, &mut |text| {
                texts += 1;
                if let Some(mark) = mark(text, &needles) {
                    found.push(format!("{name}: {mark:?}"));
                }
                stated += usize::from(text.windows(STATED.len()).any(|w| w == STATED.as_bytes()));
            });
        }
    }
    assert!(
        found.is_empty(),
        "{} of {files} files: {:#?}",
        found.len(),
        &found[..found.len().min(20)]
    );
    // It looks into all, and would have seen them.
    assert!(files > 300 && texts > 2 * files && stated > 20, "{files} {texts} {stated}");
    let zip = fs::read(project.path("shared/atlas.zip")).unwrap();
    let page = fs::read(project.path("shared/atlas.html")).unwrap();
    for (packed, what) in [(zip, "zip"), (page, "page")] {
        let mut seen = false;
        unpacked(&packed, 3, &mut |text| {
            seen |= text.windows(STATED.len()).any(|w| w == STATED.as_bytes());
        });
        assert!(seen, "{what}");
    }
    // Rows are named by their lines, of tables without names.
    let data = fs::read_to_string(project.path("output/site/data/index.html")).unwrap();
    assert!(data.contains("table:") && !data.contains("doe.csv"), "{data}");
    let of_files = needles_of(&[]);
    // Nor does what stays here repeat what files say: names of the tables apart, which a terminal shows.
    for (path, bytes) in project.files("output/work") {
        let text = String::from_utf8_lossy(&bytes)
            .replace("CNRYBIRDTABLE-doe.csv", "")
            .replace("CNRYBIRDREGIONS.csv", "");
        assert_eq!(mark(text.as_bytes(), &of_files), None, "{}", path.display());
    }
}

/// What is looked for is found in every form that it may hide in.
#[test]
fn marks_are_found_wherever_they_hide() {
    let mut marks = Marks::default();
    let image = image::GrayImage::from_pixel(64, 64, image::Luma([90]));
    let needles = needles_of(&[]);
    let hidden = |bytes: &[u8]| {
        let mut found = 0;
        unpacked(bytes, 3, &mut |text| found += usize::from(mark(text, &needles).is_some()));
        found
    };
    // Its texts in the open, and twelve that are packed.
    assert_eq!(hidden(&png(&mut marks, &image)), 13);
    for bytes in [
        jpeg(&mut marks, &image),
        tiff(&mut marks, &image),
        dicom(&mut marks, &[0; 64], 8, "L", "CC"),
    ] {
        assert!(hidden(&bytes) > 0);
    }
    let wide: Vec<u8> = marks.text().encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(hidden(&wide), 1);
    let text = STANDARD.encode(format!("{:>60}", marks.text()));
    assert_eq!(hidden(text.as_bytes()), 1);
    let mut gz = flate2::read::GzEncoder::new("CNRYBIRD".as_bytes(), flate2::Compression::fast());
    let mut packed = Vec::new();
    gz.read_to_end(&mut packed).unwrap();
    assert_eq!(hidden(&packed), 1);
}
