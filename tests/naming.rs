//! A machine names the units of a project: what it finds stands on pages and in tables, and is held against chance.

use std::fs;

use base::artifact::Layout;
use config::Scoring;
use record::naming::Names;

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

fn names(project: &Project) -> Names {
    let layout = Layout::new(project.path("output"));
    record::naming::read(&layout.naming("resnet10", "layer4")).unwrap()
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
    let told = run(&["run"]);
    assert!(told.contains("resnet10/layer4: taught names "), "{told}");
    let found = names(&project);
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
    assert_eq!(names(&project).scoring, Scoring::SoftWpmi);
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
        CONFIG.lines().filter(|line| !line.starts_with("namer")).collect::<Vec<_>>().join("\n"),
    );
    project.run(&["name"]).expect_error(&["no machine names units"]);
    run(&["build"]);
    assert!(!site.join("naming/index.html").exists());
}
