//! Synthetic images of units, from the option to the page.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::project;
use crate::support::project::{Project, TINY};

const PIXELS: &str = "output/work/visualisation/resnet10/bn1/images.safetensors";
const RECORD: &str = "output/work/visualisation/resnet10/bn1/images.json";

/// Names of the pages of units that have a section for the image.
fn sections(project: &Project) -> Vec<String> {
    let pages = project.site().into_iter().filter(|(path, bytes)| {
        let text = String::from_utf8_lossy(bytes);
        path.ends_with("index.html") && text.contains("<h2 id=\"synthetic\">")
    });
    pages.map(|(path, _)| path.to_str().unwrap().to_owned()).collect()
}

#[test]
fn synthetic_images_are_made_when_they_are_asked_for_and_never_touch_the_dissection() {
    let project = Project::new(TINY);
    project.run(&["run"]).expect(0);
    let without = project.site();
    assert!(sections(&project).is_empty() && !project.path("output/work/visualisation").exists());
    assert!(without.keys().all(|path| !path.ends_with("synthetic.png")));
    let dissection = project.files("output/work/dissection");

    let on = "top: 4, visualisation: best, visualisation_steps: 64,";
    project.edit("top: 4,", on);
    // A build alone makes none, and says so.
    let told = project.run(&["build"]).expect(0);
    assert!(told.out.contains("there are no synthetic images of resnet10/bn1"), "{}", told.out);
    assert!(sections(&project).is_empty());
    let told = project.run(&["run"]).expect(0);
    assert!(told.out.contains("resnet10/bn1: searching for "), "{}", told.out);
    assert_eq!(project.files("output/work/dissection"), dissection);
    let told = project.run(&["run"]).expect(0);
    assert!(!told.out.contains("searching for"), "{}", told.out);

    // A section on the page of each unit with an image, and the image beside it.
    let record: Value = serde_json::from_slice(&fs::read(project.path(RECORD)).unwrap()).unwrap();
    let images = record["images"].as_array().unwrap();
    assert!((10..=32).contains(&images.len()), "{}", images.len());
    let silent = record["silent"].as_array().unwrap().len();
    assert_eq!(sections(&project).len(), images.len() + silent);
    let bytes = fs::read(project.path(PIXELS)).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let pixels = tensors.tensor("pixels").unwrap();
    let table = fs::read_to_string(project.path("output/site/data/units.csv")).unwrap();
    let mut table = csv::Reader::from_reader(table.as_bytes());
    let columns = table.headers().unwrap().clone();
    let column = |name: &str| columns.iter().position(|known| known == name).unwrap();
    let rows: Vec<_> = table.records().map(Result::unwrap).collect();
    let mut higher = 0;
    for (image, pixels) in images.iter().zip(pixels.data().chunks(33 * 33)) {
        let unit = format!("{:04}", image["unit"].as_u64().unwrap());
        let picture = format!("output/site/networks/resnet10/bn1/{unit}/synthetic.png");
        let decoded = image::open(project.path(&picture)).unwrap().into_luma8();
        assert_eq!((decoded.width(), decoded.as_raw().as_slice()), (33, pixels));
        let row = rows.iter().find(|row| row[column("unit")] == unit).unwrap();
        let value = |name: &str| row[column(name)].parse::<f64>().unwrap();
        let activation = image["activation"].as_f64().unwrap();
        assert!((value("synthetic_activation") - activation).abs() < 1e-3 * activation.abs());
        higher += usize::from(activation > value("max_score"));
        let page = format!("output/site/networks/resnet10/bn1/{unit}/index.html");
        let page = fs::read_to_string(project.path(&page)).unwrap();
        assert!(page.contains("it shows no patient, no mammogram and no finding"), "{unit}");
        assert!(page.contains("the best patch reaches"), "{unit}");
    }
    assert!(higher > images.len() / 2, "{higher} of {} above every patch", images.len());
    let filled = rows.iter().filter(|row| !row[column("synthetic_activation")].is_empty());
    assert_eq!(filled.count(), images.len());

    // It leads back to what it was made from, is part of a package, and is checked.
    let unit = format!("{:04}", images[0]["unit"].as_u64().unwrap());
    let picture = format!("output/site/networks/resnet10/bn1/{unit}/synthetic.png");
    let told = project.run(&["provenance", &picture, "--json"]).expect(0);
    let found: Value = serde_json::from_str(&told.out).unwrap();
    let stages = found["stages"].as_array().unwrap();
    let shown = &stages[found["subject"]["shows"].as_u64().unwrap() as usize];
    assert_eq!(shown["anchor"], "visualisation-resnet10-bn1");
    let options = shown["options"].as_array().unwrap();
    assert!(
        options.iter().any(|option| option[0] == "dissection.visualisation_steps"),
        "{options:?}"
    );
    assert!(stages.iter().any(|stage| stage["anchor"] == "layer-resnet10-bn1"));
    let told = project.run(&["provenance", PIXELS, "--json"]).expect(0);
    assert!(told.out.contains("visualisation-resnet10-bn1"), "{}", told.out);
    project.run(&["verify"]).expect(0);
    project.run(&["check"]).expect(0);
    project.run(&["pack", "--output", "all.zip"]).expect(0);
    let packed = fs::read(project.path("all.zip")).unwrap();
    let name = format!("{unit}/synthetic.png");
    assert!(packed.windows(name.len()).any(|bytes| bytes == name.as_bytes()));
    let name = format!("resnet10/bn1/{unit}");
    project.run(&["pack", "--unit", &name, "--single-file", "--output", "unit.html"]).expect(0);

    // Switched off, the site is what it was; the images are kept, and no longer used.
    project.edit(on, "top: 4,");
    project.run(&["run"]).expect(0);
    assert!(project.path(PIXELS).exists());
    let now = project.site();
    let differing = |(path, bytes): &(&_, &Vec<u8>)| now.get(*path) != Some(*bytes);
    let differing: Vec<_> = without.iter().filter(differing).map(|(path, _)| path).collect();
    assert!(now.len() == without.len() && differing.is_empty(), "{differing:?}");
    let told = project.run(&["gc"]).expect(0);
    assert!(told.out.contains("visualisation/resnet10/bn1"), "{}", told.out);
}

#[test]
fn a_search_that_is_killed_between_images_goes_on() {
    let settings = TINY.replace("top: 4,", "top: 4, visualisation: all, visualisation_steps: 300,");
    let project = Project::new(&settings);
    project.run(&["dissect"]).expect(0);
    let whole =
        (project.files("output/work/visualisation"), fs::read(project.path(PIXELS)).unwrap());
    fs::remove_dir_all(project.path("output/work/visualisation")).unwrap();
    let parts = project.path("output/work/visualisation/resnet10/bn1/parts");
    let count = |parts: &Path| fs::read_dir(parts).map_or(0, Iterator::count);
    let mut child = project.command(&["dissect"]);
    child.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = child.spawn().unwrap();
    let patience = Instant::now();
    while count(&parts) < 3 && patience.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(count(&parts) >= 3 && !project.path(PIXELS).exists(), "it was not killed half way");
    let kept: Vec<_> = fs::read_dir(&parts)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "safetensors"))
        .map(|entry| (entry.path(), entry.metadata().unwrap().modified().unwrap()))
        .collect();
    let mut again = project.command(&["dissect"]);
    let told = project::Told::from(again.env("RAYON_NUM_THREADS", "1").output().unwrap()).expect(0);
    assert!(told.out.contains("searching for"), "{}", told.out);
    assert_eq!(fs::read(project.path(PIXELS)).unwrap(), whole.1);
    let record = Path::new("resnet10/bn1/images.json");
    assert_eq!(project.files("output/work/visualisation")[record], whole.0[record]);
    assert!(!kept.is_empty() && !parts.exists());
}
