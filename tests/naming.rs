//! A machine names the units of a project: what it finds stands on pages and in tables, and is held against chance.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;

use base::Split;
use base::artifact::Layout;
use candle_core::{Device, Tensor};
use config::Scoring;
use mammogram::{Outline, rasterise};
use record::naming::Names;
use record::{Manifest, Patch, Store};

use crate::recorded::crc32;
use crate::support::project::Project;

const CONFIG: &str = "\
title: Names
source: { kind: phantom, patients: 12, height: 500 }
patches: { size: 64 }
split: { train: 0.4, validation: 0.5, test: 0.1 }
networks:
  - name: resnet10
    layers: [layer4]
    input: 64
    training: { epochs: 1, batch: 16, lr: 0.02, balance: true }
dissection: { top: 8, permutations: 19 }
namer: { kind: taught, weights: namer.safetensors, deals: 99 }
";

fn names(project: &Project, network: &str, layer: &str) -> Names {
    let layout = Layout::new(project.path("output"));
    record::naming::read(&layout.naming(network, layer)).unwrap()
}

#[test]
fn names_stand_on_pages_and_in_tables() {
    let project = Project::new(CONFIG);
    let run = |arguments: &[&str]| {
        let told = project.run(arguments).expect(0);
        told.out + &told.err
    };
    project.write("other.safetensors", "something else");
    // What is missing is told before anything is done.
    let told = project.run(&["run"]);
    told.expect_error(&["namer.safetensors cannot be read"]);
    assert!(!project.path("output/work/dataset/stamp.json").exists());
    // Nothing else is overwritten by a pair, and no half hour is spent for a place that is none.
    for (file, why) in [
        ("atlas.yaml", "needs that ending"),
        ("output/pair.safetensors", "own output folder"),
        ("other.safetensors", "left as it is"),
    ] {
        project.run(&["name", "--teach", file]).expect_error(&[why]);
    }
    assert!(fs::read_to_string(project.path("atlas.yaml")).unwrap().starts_with("title"));
    let taught = run(&["name", "--teach", "namer.safetensors", "--epochs", "1", "--input", "32"]);
    assert!(taught.contains("namer.safetensors: 3."), "{taught}");
    assert!(taught.contains("a mean AUC of 0."), "{taught}");
    let examined = project.run(&["name", "--examine"]).expect(0).out;
    let grades: Vec<&str> = examined.lines().filter(|line| line.starts_with("  ")).collect();
    assert!(grades.iter().any(|line| line.contains("  mass (")), "{examined}");
    assert!(grades.iter().all(|line| taught.contains(*line)), "{taught}\n{examined}");
    // A pair that makes the same of all patches names nothing and finds nothing.
    let whole = fs::read(project.path("namer.safetensors")).unwrap();
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let mut dead = whole.clone();
    dead[header..].fill(0);
    project.write("namer.safetensors", dead);
    project.run(&["name"]).expect_error(&["all patches are alike", "learnt nothing"]);
    project.run(&["find", "mass"]).expect_error(&["all patches are alike"]);
    project.write("namer.safetensors", whole);
    let told = run(&["run"]);
    assert!(told.contains("resnet10/layer4: taught names "), "{told}");
    let found = names(&project, "resnet10", "layer4");
    assert_eq!((found.namer.as_str(), found.units.len(), found.deals), ("taught", 512, 99));
    assert!(found.untrained.is_some_and(|units| units > 500), "{:?}", found.untrained);
    let site = project.path("output/site");
    let page = fs::read_to_string(site.join("naming/index.html")).unwrap();
    assert!(page.contains("Taught, not trained at large."), "the page does not say what it is");
    let unit = fs::read_to_string(site.join("networks/resnet10/layer4/0001/index.html")).unwrap();
    assert!(unit.contains("What a machine calls it"));
    let table = fs::read_to_string(site.join("data/names.csv")).unwrap();
    let live = found.units.iter().filter(|candidates| !candidates.is_empty()).count();
    assert!(table.lines().count() > 5 * live, "{} lines", table.lines().count());
    run(&["check"]);

    // Nothing is done twice, and another score names anew without another look at the patches.
    let again = run(&["run"]);
    assert!(!again.contains("taught names"), "{again}");
    project.write("atlas.yaml", CONFIG.replace("deals", "scoring: soft_wpmi, deals"));
    let changed = run(&["name"]);
    assert!(changed.contains("taught names") && changed.contains("is kept"), "{changed}");
    assert!(!changed.contains("patches as the namer sees them"), "{changed}");
    assert_eq!(names(&project, "resnet10", "layer4").scoring, Scoring::SoftWpmi);
    project.write("atlas.yaml", CONFIG.replace("deals", "lexicons: [bogus], deals"));
    project.run(&["name"]).expect_error(&["namer.lexicons", "bogus"]);
    project.write("atlas.yaml", CONFIG);
    // Names that are damaged are told of, and made again.
    run(&["name"]);
    let layout = Layout::new(project.path("output"));
    let file = layout.naming("resnet10", "layer4").join(record::naming::FILE);
    fs::write(&file, "{}").unwrap();
    let told = run(&["build"]);
    assert!(told.contains("is damaged") && told.contains("unit-atlas name"), "{told}");
    run(&["name"]);
    // Units are found by words, and cases say whose a name is.
    let found = run(&["find", "spiculated mass", "--units", "3"]);
    assert_eq!(found.matches("resnet10/layer4/").count(), 3, "{found}");
    project.run(&["find", "zebra"]).expect_error(&["knows none of the words"]);
    let explained: serde_json::Value =
        serde_json::from_str(&project.run(&["explain", "--json"]).expect(0).out).unwrap();
    assert!(explained[0]["machine"].is_number(), "{explained}");
    project.write(
        "atlas.yaml",
        CONFIG.replace("kind: taught, weights: namer.safetensors, deals: 99", "kind: none"),
    );
    project.run(&["name"]).expect_error(&["no machine"]);
    run(&["build"]);
    assert!(!site.join("naming/index.html").exists());
}

const PLANTED: &str = "\
title: Planted
source: { kind: phantom, patients: 24, height: 900 }
patches: { size: 113, stride: 1 }
split: { train: 0.1, validation: 0.8, test: 0.1 }
networks:
  - { name: resnet10, layers: [layer4], input: 64, training: false }
  - { name: planted, activations: recorded }
dissection: { top: 8, permutations: 19 }
namer: { kind: builtin }
";

/// What is drawn in a patch, findings and regions by their terms, as maps of 8 x 8: the share of each cell that is of it.
fn concepts<'a>(manifest: &'a Manifest, patch: &Patch) -> BTreeMap<&'a str, Vec<f32>> {
    let mammogram = &manifest.member(patch).mammogram;
    let window = [patch.x, patch.y, patch.edge, patch.edge].map(|pixels| pixels as f32);
    let mut outlined: BTreeMap<&str, Vec<Outline>> = BTreeMap::new();
    for lesion in &mammogram.lesions {
        for term in &lesion.terms {
            outlined.entry(term).or_default().extend_from_slice(&lesion.outlines);
        }
    }
    let lesions = outlined.iter().map(|(term, all)| (*term, rasterise(all, window, 64, 64)));
    let regions = mammogram.regions.iter();
    let regions = regions.map(|region| (&*region.term, region.rasterise(window, 64, 64)));
    let mut found: BTreeMap<&str, Vec<f32>> = BTreeMap::new();
    for (term, mask) in lesions.chain(regions) {
        let cell = |at: usize| {
            let (row, column) = (at / 8 * 8, at % 8 * 8);
            let own = (0..64).filter(|n| mask.pixels[(row + n / 8) * 64 + column + n % 8]);
            own.count() as f32 / 64.0
        };
        let map = found.entry(term).or_insert_with(|| vec![0.0; 64]);
        map.iter_mut().enumerate().for_each(|(at, share)| *share = share.max(cell(at)));
    }
    found.retain(|_, map| map.iter().any(|share| *share > 0.1));
    found
}

/// Records a network whose units are one concept each, those that a dozen mammograms have; returns their terms.
fn plant(project: &Project) -> Vec<String> {
    let layout = Layout::new(project.path("output"));
    let (manifest, store) = (Manifest::read(&layout).unwrap(), Store::open(&layout).unwrap());
    let patches = manifest.of_split(Split::Validation);
    let patch = |number: &u32| &manifest.patches[*number as usize];
    let mut maps: BTreeMap<&str, Vec<Option<Vec<f32>>>> = BTreeMap::new();
    for (at, number) in patches.iter().enumerate() {
        for (term, map) in concepts(&manifest, patch(number)) {
            maps.entry(term).or_insert_with(|| vec![None; patches.len()])[at] = Some(map);
        }
    }
    maps.retain(|_, maps| {
        let shown = patches.iter().zip(maps).filter(|(_, map)| map.is_some());
        shown.map(|(number, _)| patch(number).mammogram).collect::<BTreeSet<_>>().len() >= 12
    });
    let mut rows = Vec::new();
    for at in 0..patches.len() {
        for maps in maps.values() {
            rows.extend(maps[at].clone().unwrap_or_else(|| vec![0.0; 64]));
        }
    }
    let (units, count) = (maps.len(), patches.len());
    let tensors = HashMap::from([
        ("maps/planted", Tensor::from_vec(rows, (count, units, 8, 8), &Device::Cpu).unwrap()),
        ("logits", Tensor::zeros((count, 2), candle_core::DType::F32, &Device::Cpu).unwrap()),
    ]);
    let names: Vec<String> = patches.iter().map(|n| manifest.patch_name(patch(n))).collect();
    let pixels: Vec<u32> = patches.iter().map(|n| crc32(store.pixels(*n))).collect();
    let marks = HashMap::from([
        ("patches".to_owned(), serde_json::to_string(&names).unwrap()),
        ("pixels".to_owned(), serde_json::to_string(&pixels).unwrap()),
    ]);
    fs::create_dir_all(project.path("recorded")).unwrap();
    let file = project.path("recorded/all.safetensors");
    safetensors::serialize_to_file(tensors, Some(marks), &file).unwrap();
    let header = format!(
        "format: 1\nname: Planted\nparameters: 1\ninput: 113\nclasses: [normal, cancer]\nmade: a test\nlayers:\n  \
         - {{ name: planted, units: {units}, map: [8, 8], field: 14, stride: 14, centre: 7, contributions: false, \
         linear: false }}\n"
    );
    project.write("recorded/activations.yaml", header);
    maps.keys().map(|term| (*term).to_owned()).collect()
}

#[test]
fn what_comes_with_the_program_names_planted_units_of_phantoms_and_no_untrained_one() {
    let project = Project::new(PLANTED);
    project.run(&["prepare"]).expect(0);
    let terms = plant(&project);
    project.run(&["name"]).expect(0);
    let found = names(&project, "planted", "planted");
    // A finer term is asked about where a unit is called its general one, and held against few patches here.
    let general = |term: &str| match term.split_once('-') {
        Some(("calc" | "distribution", _)) => "calcifications".to_owned(),
        Some(("shape" | "margin" | "density", _)) => "mass".to_owned(),
        _ => term.to_owned(),
    };
    for (term, candidates) in terms.iter().zip(&found.units) {
        let first = &candidates[0];
        assert_eq!(general(&first.term), general(term), "{term}: {candidates:?}");
        if general(term) == *term {
            assert!(first.is_beyond_chance(), "{term}: {candidates:?}");
        }
    }
    for broad in ["calcifications", "mass"] {
        assert!(terms.iter().any(|term| term == broad), "{terms:?}");
    }
    assert_eq!(names(&project, "resnet10", "layer4").named(), 0);
}
