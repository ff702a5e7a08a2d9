//! `provenance` leads from any file, page and figure to the data, and pages tell the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use base::artifact::Fingerprint;
use serde_json::Value;

use crate::support::project::Project;

const CONFIG: &str = "\
title: Traced
base_url: https://example.org/atlas
seed: 4711
source: { kind: phantom, patients: 8, height: 320 }
patches: { size: 40, stride: 1 }
networks:
  - { name: resnet10, input: 33, layers: [bn1], training: { epochs: 1, batch: 16, lr: 0.01 } }
dissection: { top: 4, permutations: 19 }
figures:
  - { kind: roc, formats: [svg, csv] }
";

/// What is told of something, once the whole chain is there.
#[track_caller]
fn trace(project: &Project, of: &str) -> Value {
    let told = project.run(&["provenance", "--json", of]).expect(0);
    let found: Value = serde_json::from_str(&told.out).unwrap();
    let stages = found["stages"].as_array().unwrap();
    let mut reached = BTreeSet::from([0]);
    for stage in stages {
        for input in stage["inputs"].as_array().unwrap() {
            if let Some(at) = input["from"]["stage"].as_u64() {
                assert!((at as usize) < stages.len(), "{told}", told = told.out);
                reached.insert(at as usize);
            }
            assert!(input["from"].get("lost").is_none(), "{of}: {input}");
        }
        assert_eq!(stage["version"], env!("CARGO_PKG_VERSION"), "{of}: {stage}");
        assert_eq!(stage["device"], "cpu");
        assert!(stage["run"]["finished"].as_str().unwrap().ends_with('Z'));
    }
    assert_eq!(reached.len(), stages.len(), "{of}: {}", told.out);
    let last = kinds(&found).contains("dataset");
    assert!(last, "{of} does not lead to the data set: {}", told.out);
    found
}

/// Which stages are in a chain.
fn kinds(found: &Value) -> BTreeSet<String> {
    let stages = found["stages"].as_array().unwrap();
    stages.iter().map(|stage| stage["anchor"].as_str().unwrap().to_owned()).collect()
}

fn names(all: &[&str]) -> BTreeSet<String> {
    all.iter().map(ToString::to_string).collect()
}

const ALL: [&str; 6] = [
    "site",
    "dataset",
    "network-resnet10",
    "layer-resnet10-bn1",
    "similar",
    "explanation-resnet10",
];

#[test]
fn every_file_leads_to_the_data() {
    let project = Project::new(CONFIG);
    project.run(&["run"]).expect(0);
    let of_work = [
        ("output/work/dataset/patches.bin", &["dataset"][..]),
        ("output/work/dataset", &["dataset"]),
        ("output/work/networks/resnet10/weights.safetensors", &["dataset", "network-resnet10"]),
        ("output/work/networks/resnet10/history.jsonl", &["dataset", "network-resnet10"]),
        (
            "output/work/dissection/resnet10/bn1/units.json",
            &["dataset", "network-resnet10", "layer-resnet10-bn1"],
        ),
        (
            "output/work/dissection/similar.json",
            &["dataset", "network-resnet10", "layer-resnet10-bn1", "similar"],
        ),
        (
            "output/work/explanation/resnet10/explanation.json",
            &["dataset", "network-resnet10", "layer-resnet10-bn1", "explanation-resnet10"],
        ),
        ("output/work/survey/survey.json", &ALL),
    ];
    for (file, stages) in of_work {
        let found = trace(&project, file);
        assert_eq!(kinds(&found), names(stages), "{file}");
        assert_eq!(found["stages"][0]["run"]["command"], "unit-atlas run");
        let path = project.path(file);
        if path.is_file() {
            let digest = Fingerprint::of_file(&path).unwrap();
            assert_eq!(found["subject"]["blake3"], digest.as_str(), "{file}");
        }
    }
    // Every file of the site, by its path.
    let site = project.site();
    assert!(site.len() > 100, "{}", site.len());
    for (path, bytes) in site.iter().step_by(9) {
        let found = trace(&project, &format!("output/site/{}", path.display()));
        assert_eq!(kinds(&found), names(&ALL), "{}", path.display());
        assert_eq!(found["subject"]["blake3"], Fingerprint::of_bytes(bytes).as_str());
    }
    // One page by all its addresses.
    let page = "networks/resnet10/bn1/0007";
    let wanted = trace(&project, &format!("output/site/{page}/index.html"));
    for address in [
        format!("{page}/index.html"),
        format!("/{page}/"),
        format!("{page}#atlas-patches"),
        format!("output/site/{page}"),
        format!("http://127.0.0.1:4173/{page}/index.html?x=1"),
        format!("https://example.org/atlas/{page}/"),
    ] {
        assert_eq!(trace(&project, &address)["subject"], wanted["subject"], "{address}");
    }
    let shows = wanted["subject"]["shows"].as_u64().unwrap() as usize;
    assert_eq!(wanted["stages"][shows]["anchor"], "layer-resnet10-bn1");
    let options = wanted["stages"][shows]["options"].to_string();
    assert!(options.contains("[\"dissection.top\",4]"), "{options}");
    // A copy is known by what is in it; figures too, whoever asked for them.
    fs::copy(project.path("output/work/networks/resnet10/weights.safetensors"), project.path("w"))
        .unwrap();
    let copy = trace(&project, "w");
    assert_eq!(kinds(&copy), names(&["dataset", "network-resnet10"]));
    assert!(copy["subject"]["note"].as_str().unwrap().contains("networks/resnet10/weights"));
    project.run(&["figure", "roc", "--formats", "pdf", "--out", "paper"]).expect(0);
    fs::copy(project.path("paper/roc.pdf"), project.path("figure-3.pdf")).unwrap();
    let drawn = trace(&project, "figure-3.pdf");
    let command = drawn["stages"][0]["run"]["command"].as_str().unwrap();
    assert_eq!(command, "unit-atlas figure roc --formats pdf --out paper");
    for figure in ["output/figures/roc.svg", "paper/roc.pdf"] {
        assert!(kinds(&trace(&project, figure)).contains("figure"), "{figure}");
    }
}

#[test]
fn what_changed_since_is_told_and_what_is_not_ours_refused() {
    let project = Project::new(CONFIG);
    project.run(&["run"]).expect(0);
    // The page shows a dissection that was put away since.
    project.edit("top: 4", "top: 5");
    project.run(&["dissect"]).expect(0);
    let page = "networks/resnet10/bn1/0007/";
    let shelf = trace(&project, page);
    let shows = shelf["subject"]["shows"].as_u64().unwrap() as usize;
    let folder = shelf["stages"][shows]["folder"].as_str().unwrap();
    assert!(folder.starts_with("output/work/shelf/dissection/resnet10/bn1/"), "{folder}");
    assert!(shelf["stages"][shows]["options"].to_string().contains("[\"dissection.top\",4]"));
    project.run(&["gc", "--remove"]).expect(0);
    let told = project.run(&["provenance", page]).expect(0);
    assert!(
        told.out.contains("Dissection of resnet10/bn1, which is no longer kept"),
        "{}",
        told.out
    );
    project.run(&["build"]).expect(0);
    trace(&project, page);

    // Words for people have the same as JSON.
    let told = project.run(&["provenance", page]).expect(0).out;
    for part in [
        "shows     Dissection of resnet10/bn1 (",
        "command   unit-atlas build",
        "command   unit-atlas dissect",
        "command   unit-atlas run",
        "device    cpu; ",
        "dissection.top: 5",
        "training.lr: 0.01",
        "seed: 4711",
        "weights.safetensors",
    ] {
        assert!(told.contains(part), "{part:?} is not in:\n{told}");
    }
    // Whatever is not what was written has no provenance.
    let of = |of: &str| project.run(&["provenance", of]);
    of("atlas.yaml").expect_error(&["atlas.yaml is nothing that this project has made"]);
    of("no/such/page").expect_error(&["the site has no page no/such/page/index.html"]);
    of("content").expect_error(&["content"]);
    // Of a layer that is being dissected, in the folder of a result that is finished.
    fs::create_dir_all(project.path("output/work/dissection/resnet18/layer1/parts")).unwrap();
    for begun in ["resnet18", "resnet18/layer1", "resnet18/layer1/parts", "resnet10"] {
        of(&format!("output/work/dissection/{begun}"))
            .expect_error(&["belongs to no finished result"]);
    }
    of("").expect_error(&["nothing was asked for"]);
    #[cfg(unix)]
    of("/dev/zero").expect_error(&["/dev/zero", "a device"]);
    let index = format!("file://{}#units", project.path("output/site/index.html").display());
    assert!(of(&index).expect(0).out.contains("output/site/index.html"));
    of("output/work/lock").expect_error(&["belongs to no finished result"]);
    for damaged in ["output/work/dataset/patches.bin", "output/site/index.html"] {
        let mut bytes = fs::read(project.path(damaged)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(project.path(damaged), bytes).unwrap();
        of(damaged).expect_error(&[damaged, "not what was written"]);
        // Asking changes nothing.
        of(damaged).expect_error(&[damaged, "not what was written"]);
    }
    // Results of versions that noted no run are results all the same.
    fs::remove_file(project.path("output/work/networks/resnet10/run.json")).unwrap();
    let told = of("output/work/networks/resnet10").expect(0).out;
    assert!(told.contains("when and by what was not noted"), "{told}");
    assert!(project.run(&["run"]).expect(0).out.contains("resnet10 is fresh"));
}

#[test]
fn the_source_is_listed_and_compared() {
    let project = Project::new(&CONFIG.replace(
        "source: { kind: phantom, patients: 8, height: 320 }",
        "source: { kind: folder, path: data/table.csv }",
    ));
    let phantoms = source::Phantom::new(8, 320, 1);
    let mut table = String::from("image,patient,pathology\n");
    for (at, mammogram) in phantoms.mammograms().unwrap().0.iter().enumerate() {
        let image = phantoms.image(mammogram).unwrap();
        let name = format!("{at}.pgm");
        let header = format!("P5\n{} {}\n255\n", image.width, image.height);
        project.write(&format!("data/{name}"), [header.as_bytes(), &image.pixels].concat());
        let pathology = ["malignant", "benign"][at / 4 % 2];
        table.push_str(&format!(
            "{name},{},{}\n",
            at / 4,
            if at % 4 == 0 { pathology } else { "" }
        ));
    }
    project.write("data/table.csv", &table);
    project.run(&["prepare"]).expect(0);
    let found = trace(&project, "output/work/dataset/manifest.json");
    let data = &found["data"];
    assert_eq!((data["kind"].as_str(), data["state"].as_str()), (Some("folder"), Some("same")));
    let files = data["files"].as_array().unwrap();
    assert_eq!(files.len(), 33);
    for file in files {
        let path = file["path"].as_str().unwrap();
        assert_eq!(file["bytes"], fs::metadata(project.path(path)).unwrap().len());
        let digest = Fingerprint::of_file(&project.path(path)).unwrap();
        let wanted = path.ends_with("table.csv").then_some(digest.as_str());
        assert_eq!(file["blake3"].as_str(), wanted, "{path}");
    }
    project.write("data/table.csv", format!("{table}\n"));
    let told = project.run(&["provenance", "output/work/dataset"]).expect(0).out;
    assert!(told.contains("changed since the data set was made"), "{told}");
    assert!(told.contains("data/table.csv") && told.contains("and 23 more"), "{told}");
    fs::remove_dir_all(project.path("data")).unwrap();
    let told = project.run(&["provenance", "output/work/dataset"]).expect(0).out;
    assert!(told.contains("cannot be read"), "{told}");
}

/// The page says what the verb says, and nothing of the machine or the hour.
#[test]
fn pages_link_to_where_they_come_from() {
    let project = Project::new(CONFIG);
    project.run(&["run"]).expect(0);
    let page = fs::read_to_string(project.path("output/site/provenance/index.html")).unwrap();
    let found = trace(&project, "index.html");
    for stage in found["stages"].as_array().unwrap() {
        let id = format!("id=\"{}\"", stage["anchor"].as_str().unwrap());
        assert!(page.contains(&id), "{id}");
        for file in stage["files"].as_array().unwrap() {
            let timed = file["name"] == "history.jsonl";
            let told = page.contains(file["blake3"].as_str().unwrap());
            // A digest of no times.
            assert_eq!(told, !timed, "{file}");
        }
        for option in stage["options"].as_array().unwrap() {
            assert!(page.contains(&format!("<code>{}</code>", option[0].as_str().unwrap())));
        }
    }
    let here = project.root().to_string_lossy().into_owned();
    let finished = found["stages"][0]["run"]["finished"].as_str().unwrap();
    for hidden in [here.as_str(), "output/work", finished, &finished[..10]] {
        assert!(!page.contains(hidden), "{hidden}");
    }
    for (page, anchor) in [
        ("index.html", "site"),
        ("data/index.html", "dataset"),
        ("networks/resnet10/index.html", "network-resnet10"),
        ("networks/resnet10/bn1/0007/index.html", "layer-resnet10-bn1"),
    ] {
        let path = project.path("output/site").join(page);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(&format!("provenance/index.html#{anchor}\"")), "{page}");
    }
    let mut pages = 0;
    for (path, bytes) in project.site() {
        let blind = path.starts_with("survey") || path.starts_with("embed");
        if path.extension().is_none_or(|ending| ending != "html") || blind {
            continue;
        }
        let text = String::from_utf8(bytes).unwrap();
        let anchor = record::provenance::Kind::of_page(&path.to_string_lossy()).anchor();
        let link = format!("provenance/index.html#{anchor}\"");
        assert!(text.contains(&link), "{} has no {link}", path.display());
        pages += 1;
    }
    assert!(pages > 80, "{pages}");
    // That links lead somewhere, and how the page is made.
    project.run(&["check"]).expect(0);
    // Another hour and command: the site is as it was.
    let before = project.site();
    for stage in ["dataset", "networks/resnet10", "dissection/resnet10/bn1"] {
        assert!(Path::new(&project.path("output/work").join(stage).join("run.json")).exists());
    }
    project.edit("epochs: 1", "epochs: 2");
    project.run(&["train"]).expect(0);
    project.edit("epochs: 2", "epochs: 1");
    project.run(&["dissect"]).expect(0);
    project.run(&["build"]).expect(0);
    assert_eq!(project.site(), before);
}
