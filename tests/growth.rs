//! How time, memory and size of every stage grow with the collection.
//!
//! `cargo test --test suite growth:: -- --ignored --nocapture` makes projects of small images in a temporary folder
//! (or below `UNIT_ATLAS_GROWTH_FOLDER`), each larger than the one before, runs every stage as a command
//! of its own, and prints a table. `UNIT_ATLAS_GROWTH=5000,10000` says how many mammograms.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use source::Phantom;

/// Mammograms of a patient: two views of two breasts.
const VIEWS: u32 = 4;
/// Drawn phantoms; every mammogram is one of them with changed pixels.
const DRAWN: u32 = 32;
/// What no command may hold in memory of its own; mapped files are the system's to drop.
const MOST: u64 = 2 << 30;

const PROJECT: &str = "\
title: Growth
source: { kind: folder, path: data/table.csv }
patches: { size: 24, window: 0.5, stride: 0.5 }
networks:
  - { name: resnet10, input: 33, layers: [bn1], training: false }
dissection: { top: 16, permutations: 20 }
";

/// What a command took.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    seconds: f64,
    /// Seconds of all processors: other work on the machine adds little to them.
    computed: f64,
    /// Most bytes that were resident at once, mapped files among them.
    peak: u64,
    /// Most bytes of its own.
    own: u64,
}

/// Runs a command and watches its memory.
fn run(folder: &Path, verb: &str) -> Cost {
    let log = folder.join("said.txt");
    let said = fs::File::create(&log).unwrap();
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_unit-atlas"))
        .arg(verb)
        .current_dir(folder)
        .stdout(said.try_clone().unwrap())
        .stderr(said)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut cost = Cost::default();
    let ended = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let of = |name: &str| -> Option<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? << 10)
        };
        cost.peak = cost.peak.max(of("VmHWM:").unwrap_or(0));
        cost.own = cost.own.max(of("RssAnon:").unwrap_or(0));
        cost.computed = computed(child.id()).unwrap_or(cost.computed);
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    cost.seconds = began.elapsed().as_secs_f64();
    assert!(ended.success(), "{verb}: {}", fs::read_to_string(&log).unwrap());
    cost
}

/// Seconds that a process has computed.
fn computed(id: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // After the name, which may hold anything: its own and the system's share, in hundredths.
    let fields: Vec<&str> = text.rsplit(')').next()?.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

/// Bytes and number of all files below a folder.
fn size(folder: &Path) -> (u64, usize) {
    let files = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    files.fold((0, 0), |(bytes, count), entry| (bytes + entry.metadata().unwrap().len(), count + 1))
}

/// Small mammograms and their table; every other patient has a lesion in one breast.
fn write_source(folder: &Path, mammograms: u32) {
    let phantom = Phantom::new(DRAWN / VIEWS, 128, 5);
    let drawn: Vec<_> =
        phantom.mammograms().unwrap().0.iter().map(|m| phantom.image(m).unwrap()).collect();
    fs::create_dir_all(folder.join("data")).unwrap();
    let mut table =
        std::io::BufWriter::new(fs::File::create(folder.join("data/table.csv")).unwrap());
    writeln!(table, "image,patient,laterality,view,pathology,terms,polygon").unwrap();
    for number in 0..mammograms {
        let mut image = drawn[(number % DRAWN) as usize].clone();
        // No two are the same: the number stands in the corner, and changes the rest.
        image.pixels[..4].copy_from_slice(&number.to_le_bytes());
        for (at, pixel) in image.pixels.iter_mut().enumerate().step_by(7) {
            *pixel = pixel.saturating_add((number.wrapping_mul(at as u32 + 1) % 5) as u8);
        }
        let name = format!("{}/{number:06}.pgm", number / 1000);
        let path = folder.join("data").join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let header = format!("P5\n{} {}\n255\n", image.width, image.height);
        fs::write(path, [header.as_bytes(), &image.pixels].concat()).unwrap();
        let patient = number / VIEWS;
        let [side, view] =
            [["L", "CC"], ["L", "MLO"], ["R", "CC"], ["R", "MLO"]][(number % 4) as usize];
        let lesion = match (patient % 4, number % VIEWS) {
            (0, 0 | 1) => "malignant,mass",
            (2, 0 | 1) => "benign,mass",
            _ => ",",
        };
        let (width, height) = (f64::from(image.width), f64::from(image.height));
        let corner = |[x, y]: [f64; 2]| format!("{:.1},{:.1}", x * width, y * height);
        let polygon = match lesion {
            "," => String::new(),
            _ => [[0.4, 0.4], [0.6, 0.4], [0.6, 0.55], [0.4, 0.55]].map(corner).join(" "),
        };
        writeln!(table, "{name},P{patient},{side},{view},{lesion},\"{polygon}\"").unwrap();
    }
}

#[test]
#[ignore = "takes half an hour and gigabytes"]
fn time_memory_and_size_grow_with_the_collection() {
    let sizes = std::env::var("UNIT_ATLAS_GROWTH").unwrap_or("5000,10000,20000,40000".into());
    let sizes: Vec<u32> = sizes.split(',').map(|size| size.trim().parse().unwrap()).collect();
    let place =
        std::env::var_os("UNIT_ATLAS_GROWTH_FOLDER").map_or(std::env::temp_dir(), Into::into);
    let verbs = ["prepare", "train", "dissect", "build", "build again", "check"];
    let mut before: Option<(u32, Vec<Cost>)> = None;
    let mut steep = Vec::new();
    println!(
        "| mammograms | patches | stage | s | s computed | peak, MB | own, MB | output, MB | files | growth |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for mammograms in sizes {
        let folder = tempfile::tempdir_in(&place).unwrap();
        let folder = folder.path();
        write_source(folder, mammograms);
        fs::write(folder.join("atlas.yaml"), PROJECT).unwrap();
        let mut costs = Vec::new();
        for (at, verb) in verbs.into_iter().enumerate() {
            let cost = run(folder, verb.trim_end_matches(" again"));
            let layout = base::artifact::Layout::new(folder.join("output"));
            let patches = fs::metadata(layout.patches()).unwrap().len() / (24 * 24);
            let (bytes, files) = size(&folder.join("output"));
            // By which power of the number of mammograms time has grown since the last.
            let growth = before.as_ref().map(|(fewer, costs)| {
                let power = (cost.computed / costs[at].computed).ln()
                    / (f64::from(mammograms) / f64::from(*fewer)).ln();
                // What takes no time says nothing.
                if cost.computed > 5.0 && power > 1.3 {
                    steep.push(format!("{verb} of {mammograms}: {power:.2}"));
                }
                format!("{power:.2}")
            });
            let megabytes = |bytes: u64| format!("{:.0}", bytes as f64 / 1e6);
            println!(
                "| {mammograms} | {patches} | {verb} | {:.1} | {:.1} | {} | {} | {} | {files} | {} |",
                cost.seconds,
                cost.computed,
                megabytes(cost.peak),
                megabytes(cost.own),
                megabytes(bytes),
                growth.unwrap_or("–".into()),
            );
            assert!(cost.own < MOST, "{verb} of {mammograms} took {} bytes", cost.own);
            costs.push(cost);
        }
        before = Some((mammograms, costs));
    }
    assert!(steep.is_empty(), "grows faster than the collection: {steep:?}");
}
