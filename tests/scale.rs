//! How large and how fast an atlas of the paper's size is: four networks, 6,656 units, 25,000 patches.
//!
//! `cargo test --release --test suite scale:: -- --ignored --nocapture` makes the project once in
//! `target/scale/`: phantoms are prepared, the other stages' artifacts are written here, of true size.
//! Then `unit-atlas build` is timed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use atlas::Record;
use base::UnitId;
use base::artifact::{self, Layout, Sealed};
use config::Config;
use dissection::similar;
use record::Manifest;
use record::dissection::{Layer, TopPatch};
use record::similar::{Like, Likes, Similar};

use crate::support;
use crate::support::Noise;

/// The paper's layers with their units.
const LAYERS: [(&str, &str, u32); 6] = [
    ("alexnet", "conv5", 256),
    ("vgg16", "conv5_3", 512),
    ("inception_v3", "mixed_6e", 768),
    ("inception_v3", "mixed_7c", 2048),
    ("resnet152", "layer3", 1024),
    ("resnet152", "layer4", 2048),
];

const PROJECT: &str = "
title: Atlas of the paper's size
source: { kind: phantom, patients: 240, height: 900 }
split: { train: 0.01, validation: 0.98, test: 0.01 }
networks:
  - { name: alexnet, layers: [conv5], training: false }
  - { name: vgg16, layers: [conv5_3], training: false }
  - { name: inception_v3, layers: [mixed_6e, mixed_7c], training: false }
  - { name: resnet152, layers: [layer3, layer4], training: false }
namer: { kind: none }
";

const LABEL: &str = "schema: 1
study: scale
reader: reader-a
lexicon: bi-rads-5
answers:
  - unit: resnet152/layer4/0063
    recognizable: yes
    phenomena:
      - {description: spiculated mass, terms: [mass], association: malignant}
";

fn run(folder: &Path, arguments: &[&str]) -> f64 {
    let started = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_unit-atlas"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let seconds = started.elapsed().as_secs_f64();
    let said = [output.stdout, output.stderr].map(|out| String::from_utf8_lossy(&out).into_owned());
    assert!(output.status.success(), "{arguments:?}: {}", said.concat());
    eprintln!("{arguments:?} {seconds:.2} s: {}", said.concat().trim().replace('\n', "; "));
    seconds
}

/// An overlay as dissection writes it: one region of some 14 corners.
fn overlay(noise: &mut Noise, edge: f32) -> String {
    let [x, y, radius] = [(); 3].map(|()| noise.next());
    let (x, y, radius) =
        (edge * (0.2 + 0.6 * x), edge * (0.2 + 0.6 * y), edge * (0.1 + 0.1 * radius));
    let corner = |i: i32| {
        let angle = i as f32 / 14.0 * std::f32::consts::TAU;
        [x + radius * angle.cos(), y + radius * angle.sin()].map(|v| (v * 10.0).round() / 10.0)
    };
    let mut path = format!("M{} {}", corner(0)[0], corner(0)[1]);
    for i in 1..14 {
        let step = [0, 1].map(|k| ((corner(i)[k] - corner(i - 1)[k]) * 10.0).round() / 10.0);
        path.push_str(&format!("l{} {}", step[0], step[1]));
    }
    path + "z"
}

/// The artifacts of every network and layer, with their stamps.
fn write_artifacts(folder: &Path) {
    let config = Config::read(&folder.join("atlas.yaml")).unwrap();
    let layout = Layout::new(&config.output);
    let manifest = Manifest::read(&layout).unwrap();
    let dataset = record::store::content(&Sealed::open(&layout.dataset()).unwrap());
    let mut similar = Similar { format: record::similar::FORMAT, ..Similar::default() };
    let mut stamps = Vec::new();
    for network in &config.networks {
        let trained =
            training::stamp(&network.name, network.run().unwrap(), config.seed, &dataset).unwrap();
        let stub = support::evaluated(&manifest, network);
        let own = layout.network(&network.name);
        artifact::write_json(&own.join("evaluation.json"), &stub).unwrap();
        artifact::write(&own.join("history.jsonl"), b"").unwrap();
        trained.seal(&own, &["evaluation.json", "history.jsonl"], "cpu").unwrap();
        for (_, name, units) in LAYERS.iter().filter(|(of, ..)| *of == network.name) {
            let mut layer = support::layer(&manifest, &network.name, name, *units, 64);
            let edge = manifest.patching.size as f32;
            let mut noise = Noise::new(u64::from(*units));
            let mut draw = |top: &mut TopPatch| top.overlay = overlay(&mut noise, edge);
            for unit in &mut layer.units {
                unit.top.iter_mut().for_each(&mut draw);
                unit.sample.iter_mut().flat_map(|level| &mut level.patches).for_each(&mut draw);
                let like = |k: u32| Like {
                    unit: UnitId::new("alexnet", "conv5", (unit.unit + k) % 256 + 1),
                    correlation: 0.5,
                };
                let likes = Likes { elsewhere: (0..5).map(like).collect(), duplicates: vec![] };
                similar.units.insert(UnitId::new(network.name.as_str(), *name, unit.unit), likes);
            }
            write_layer(&layout.layer(&network.name, name), &layer);
            support::write_maps(&layout.layer(&network.name, name), &layer);
            let weights = &stub.weights_blake3;
            let settings = &config.dissection;
            let stamp =
                dissection::stamp(settings, name, &dataset, &trained.fingerprint(), weights);
            let outputs = ["units.json", "maps.safetensors"];
            stamp.seal(&layout.layer(&network.name, name), &outputs, "cpu").unwrap();
            stamps.push((network.name.clone(), name.to_string(), stamp.fingerprint()));
        }
    }
    let at = PathBuf::new();
    let layers: Vec<similar::Dissected> = stamps
        .iter()
        .map(|(n, l, mark)| (n.as_str(), l.as_str(), at.as_path(), mark.clone()))
        .collect();
    artifact::write_json(&layout.dissection().join("similar.json"), &similar).unwrap();
    similar::stamp(&layers).seal(&layout.dissection(), &["similar.json"], "cpu").unwrap();
}

/// Bytes of a page and of the scripts and styles that its markup names, nothing compressed.
fn page_weight(site: &Path, page: &str) -> u64 {
    let path = site.join(page);
    let html = std::fs::read_to_string(&path).unwrap();
    let named = ["<script src=\"", "rel=\"stylesheet\" href=\""]
        .into_iter()
        .flat_map(|before| html.split(before).skip(1).filter_map(|rest| rest.split('"').next()));
    let size = |name: &str| std::fs::metadata(path.parent().unwrap().join(name)).unwrap().len();
    let others: u64 = named.map(size).sum();
    assert!(others > 0, "{page}");
    html.len() as u64 + others
}

fn write_layer(folder: &Path, layer: &Layer) {
    artifact::write_json(&folder.join("units.json"), layer).unwrap();
}

#[test]
#[ignore = "takes minutes and a gigabyte"]
fn an_atlas_of_the_papers_size() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/scale");
    let layout = Layout::new(folder.join("output"));
    artifact::write(&folder.join("atlas.yaml"), PROJECT.as_bytes()).unwrap();
    let _ = std::fs::remove_file(folder.join("content/labels/reader-a.yaml"));
    run(&folder, &["prepare"]);
    write_artifacts(&folder);
    let (site, record) = (layout.site(), layout.site_record());
    for stale in [&site, &record] {
        let _ = std::fs::remove_dir_all(stale).or_else(|_| std::fs::remove_file(stale));
    }
    run(&folder, &["build"]);

    // The best of three: other work on the machine only adds. Pages alone: the images are there, and known.
    let aside = folder.join("aside");
    let label = folder.join("content/labels/reader-a.yaml");
    let [mut pages, mut idle, mut labelled] = [f64::INFINITY; 3];
    for _ in 0..3 {
        let _ = std::fs::remove_file(&label);
        let mut known = Record::read(&record).unwrap();
        known.files.retain(|path, _| path.ends_with(".jpg"));
        known.stamp = None;
        artifact::write_json(&record, &known).unwrap();
        let _ = std::fs::remove_dir_all(&aside);
        std::fs::rename(&site, &aside).unwrap();
        for path in known.files.keys() {
            let to = site.join(path);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::hard_link(aside.join(path), to).unwrap();
        }
        pages = pages.min(run(&folder, &["build"]));
        idle = idle.min(run(&folder, &["build"]));
        artifact::write(&label, LABEL.as_bytes()).unwrap();
        labelled = labelled.min(run(&folder, &["build"]));
    }

    let files = Record::read(&record).unwrap().files;
    let mut kinds = std::collections::BTreeMap::<&str, (usize, u64)>::new();
    for (path, file) in &files {
        let kind = match path.as_str() {
            path if path.starts_with("networks/") && path.matches('/').count() == 4 => "unit pages",
            path if path.ends_with(".html") => "other pages",
            path if path.ends_with(".jpg") => "pictures",
            path if path.ends_with(".csv") => "tables",
            _ => "scripts and styles",
        };
        let sum = kinds.entry(kind).or_default();
        *sum = (sum.0 + 1, sum.1 + file.bytes);
    }
    let total: u64 = files.values().map(|file| file.bytes).sum();
    for (kind, (count, bytes)) in &kinds {
        eprintln!("{kind}: {count}, {:.1} MB", *bytes as f64 / 1e6);
    }
    eprintln!(
        "{:.1} MB in all; pages {pages:.2} s, nothing new {idle:.2} s, one label {labelled:.2} s",
        total as f64 / 1e6
    );
    let page = std::fs::read_to_string(site.join("networks/resnet152/layer4/0063/index.html"));
    assert!(page.unwrap().contains("spiculated mass"));
    assert!(total < 600_000_000);
    // The heaviest unit page, were its 64 patches the heaviest of all, and a whole mammogram with them.
    let pictures = |folder: &str| -> Vec<u64> {
        let sizes = files.iter().filter(|(path, _)| path.starts_with(folder));
        let sizes = sizes.filter(|(path, _)| path.ends_with(".jpg")).map(|(_, file)| file.bytes);
        let mut sizes: Vec<u64> = sizes.collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes
    };
    let page = (1..=2048)
        .map(|unit| page_weight(&site, &format!("networks/resnet152/layer4/{unit:04}/index.html")))
        .max();
    let patches: u64 = pictures("patches/").iter().take(64).sum();
    let weight = page.unwrap() + patches + pictures("mammograms/")[0];
    eprintln!("a unit page transfers at most {:.0} kB, uncompressed", weight as f64 / 1e3);
    assert!(weight < 700_000);
    run(&folder, &["check"]);
    // All pages and tables are rendered; the bar is for six thousand of units.
    let units: u32 = LAYERS.iter().map(|(.., units)| units).sum();
    assert!(pages * 6000.0 / f64::from(units) < 10.0 && labelled < 2.0);
}
