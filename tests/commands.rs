//! The program as a user runs it, on projects small enough to finish in seconds.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base::artifact::Layout;
use record::{Manifest, tally};

use crate::support::ddsm;
use crate::support::project::{Project, SMALL, Told};

#[test]
fn each_stage_is_done_once_and_again_only_when_its_inputs_change() {
    let project = Project::new(SMALL);
    let first = project.run(&["run"]).expect(0);
    assert!(first.out.contains("resnet10 epoch 2/2"), "{}", first.out);
    assert!(first.out.contains("best validation AUC"), "{}", first.out);
    let site = project.site();
    assert!(site.contains_key(Path::new("index.html")));
    assert!(site.contains_key(Path::new("networks/resnet10/layer4/0512/index.html")));
    project.run(&["check"]).expect(0);

    let again = project.run(&["run"]).expect(0);
    for fresh in ["resnet10 is fresh", "resnet10/layer4 is fresh", "site is fresh"] {
        assert!(again.out.contains(fresh), "{}", again.out);
    }
    assert!(!again.out.contains("epoch 1/2"), "{}", again.out);

    // A label: only pages.
    project.write(
        "content/labels/a.yaml",
        "schema: 1\nstudy: test\nreader: a\nlexicon: bi-rads-5\nanswers:\n  \
         - unit: resnet10/layer4/0007\n    recognizable: yes\n    phenomena:\n      \
         - description: masses with spiculated edge\n        terms: [margin-spiculated]\n        \
         association: malignant\n",
    );
    let labelled = project.run(&["run"]).expect(0);
    assert!(labelled.out.contains("resnet10/layer4 is fresh"), "{}", labelled.out);
    assert!(labelled.out.contains("files written"), "{}", labelled.out);
    let birads = fs::read_to_string(project.path("output/site/birads/index.html")).unwrap();
    assert!(birads.contains("masses with spiculated edge") && birads.contains("Mass - Margin"));

    // More top patches: dissected again, not trained.
    let more = SMALL.replace("top: 8", "top: 9");
    project.write("atlas.yaml", &more);
    let dissected = project.run(&["run"]).expect(0);
    assert!(dissected.out.contains("resnet10 is fresh"), "{}", dissected.out);
    assert!(dissected.out.contains("resnet10/layer4 dissected"), "{}", dissected.out);

    // One layer fewer: its pages go, nothing is computed.
    project.write("atlas.yaml", more.replace("[layer3, layer4]", "[layer4]"));
    let fewer = project.run(&["run"]).expect(0);
    assert!(!fewer.out.contains("dissected"), "{}", fewer.out);
    assert!(!project.site().contains_key(Path::new("networks/resnet10/layer3/index.html")));

    // What we did not write stays.
    project.write("output/site/CNAME", "example.org");
    project.write("atlas.yaml", more.replace("[layer3, layer4]", "[layer3]"));
    let told = project.run(&["run"]).expect(2);
    assert!(told.err.contains("a.yaml:6") && told.err.contains("layer4"), "{}", told.err);
    assert!(project.path("output/site/CNAME").exists());
    fs::remove_file(project.path("content/labels/a.yaml")).unwrap();

    let exported = project.run(&["patches", "export", "patches"]).expect(0);
    assert!(exported.out.contains("patches in patches"), "{}", exported.out);
    let list = fs::read_to_string(project.path("patches/train.txt")).unwrap();
    let (name, label) = list.lines().next().unwrap().rsplit_once(' ').unwrap();
    assert!(label == "0" || label == "1");
    assert!(
        walkdir::WalkDir::new(project.path("patches")).into_iter().any(|entry| entry
            .unwrap()
            .file_name()
            .to_str()
            == Some(name))
    );
    let told = project.run(&["evaluate", "--split", "test"]).expect(0).out;
    assert!(told.contains("positive  negative  AUC (95%, DeLong)"), "{told}");
    assert!(!told.contains("is fresh") && !told.contains("composition-"), "{told}");
    let told = project.command(&["evaluate", "--json"]).output().unwrap();
    assert!(told.status.success(), "{told:?}");
    let printed: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    let kept = fs::read(project.path("output/work/networks/resnet10/evaluation.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    let levels = |evaluation: &serde_json::Value| {
        evaluation["assessment"]["levels"].as_object().unwrap().len()
    };
    assert_eq!((levels(&printed[0]), levels(&kept)), (5, 5));
    assert_eq!(printed[0]["weights_blake3"], kept["weights_blake3"]);
    assert_eq!(
        printed[0]["scores"].as_array().unwrap().len(),
        kept["scores"].as_array().unwrap().len()
    );
    project
        .run(&["train", "--network", "vgg16"])
        .expect_error(&["no network vgg16", "it has resnet10"]);
}

/// A tree in the layout of mini-MIAS: patients of two 240 x 240 films with a drawn breast.
fn mini_mias(project: &Project, patients: u32) {
    let mut info = String::from("A PREAMBLE\nof free text, with mdb numbers: mdb000\n\n");
    for n in 1..=2 * patients {
        let mut pixels = b"P5\n240 240\n255\n".to_vec();
        for y in 0..240_i32 {
            for x in 0..240_i32 {
                let breast = (x * x) / 4 + (y - 120) * (y - 120) < 100 * 100;
                let lesion = (x - 80).pow(2) + (y - 120).pow(2) < 20 * 20 && n % 4 < 2;
                let texture = (x * 7 + y * 13 + x * y) % 17;
                pixels.push(if breast { 90 + texture as u8 + 60 * u8::from(lesion) } else { 3 });
            }
        }
        project.write(&format!("mias/mdb{n:03}.pgm"), pixels);
        info += &match n % 4 {
            0 => format!("mdb{n:03} G CIRC M 80 120 20 \n"),
            1 => format!("mdb{n:03} D SPIC B 80 120 20\n"),
            _ => format!("mdb{n:03} F NORM \n"),
        };
    }
    project.write("mias/Info.txt", info);
}

const MIAS: &str = "\
source: { kind: mini_mias, path: mias }
patches: { size: 48 }
networks:
  - { name: resnet10, input: 48, layers: [layer4], training: { epochs: 1, batch: 16, lr: 0.01 } }
dissection: { top: 4 }
";

#[test]
fn a_dry_run_tells_what_prepare_would_and_writes_nothing() {
    let project = Project::new(MIAS);
    mini_mias(&project, 12);
    project.write("mias/mdb006.pgm", "not a film at all");
    let dry = project.run(&["prepare", "--dry-run"]).expect(2);
    assert!(!project.path("output").exists());
    assert!(dry.out.contains("skipped: mdb006.pgm"), "{}", dry.out);
    project.run(&["prepare"]).expect(2);
    let manifest = Manifest::read(&Layout::new(project.path("output"))).unwrap();
    // Every count of every line is that of the data set.
    let lines = tally::lines(&tally::tally(&manifest));
    assert!(lines.iter().any(|line| line.starts_with("  LEFT MLO")), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("  margin-spiculated")), "{lines:?}");
    for line in manifest.summary.iter().chain(&lines) {
        assert!(dry.out.lines().any(|said| said == line), "{line:?} is not in:\n{}", dry.out);
    }
    let patches = lines.iter().find(|line| line.starts_with("  patches ")).unwrap();
    assert!(patches.ends_with(&manifest.patches.len().to_string()), "{patches}");
}

#[test]
fn patches_of_the_release_alone_make_an_atlas_that_says_so() {
    // Phantoms, exported and named as the paper's files are.
    let phantoms = Project::new(
        "source: { kind: phantom, patients: 8, height: 320 }\npatches: { size: 64, classes: 3 }\n",
    );
    phantoms.run(&["prepare"]).expect(0);
    phantoms.run(&["patches", "export", "out"]).expect(0);
    let named = |name: &str| {
        let (film, window) = name.split_once('-').unwrap();
        let (patient, view) = film.split_once('_').unwrap();
        format!("cancer_01-P_{}_1.{view}.LJPEG.1-{window}", &patient[1..])
    };
    let release = Project::new(
        "source: { kind: ddsm_release, path: release }\npatches: { size: 64, classes: 3 }\n\
         networks:\n  - { name: resnet10, input: 48, layers: [layer4], training: { epochs: 1, batch: 16, lr: 0.01 } }\n\
         dissection: { top: 4 }\n",
    );
    for list in ["train.txt", "val.txt", "test.txt"] {
        let mut lines = String::new();
        for line in fs::read_to_string(phantoms.path("out").join(list)).unwrap().lines() {
            let (name, class) = line.split_once(' ').unwrap();
            let picture = fs::read(phantoms.path("out").join(name)).unwrap();
            release.write(&format!("release/ddsm_patches/{}", named(name)), picture);
            lines += &format!("images/{} {class}\n", named(name));
        }
        release.write(&format!("release/ddsm_labels/3class/{list}"), lines);
    }
    let told = release.run(&["run"]).expect(0);
    assert!(told.out.contains("the published split is used as it is"), "{}", told.out);
    let read = |project: &Project| Manifest::read(&Layout::new(project.path("output"))).unwrap();
    let (given, cut) = (read(&release), read(&phantoms));
    assert!(given.given.patches && given.given.patients == 8);
    assert_eq!(given.patches.len(), cut.patches.len());
    // The same patches in the same parts with the same labels, pixel by pixel.
    let all = |manifest: &Manifest, project: &Project, name: &dyn Fn(&str) -> String| {
        let store = record::Store::open(&Layout::new(project.path("output"))).unwrap();
        let one = |n: u32| {
            let patch = &manifest.patches[n as usize];
            let label = (manifest.split(patch), manifest.class(n));
            (name(&manifest.patch_name(patch)), (label, store.pixels(n).to_vec()))
        };
        (0..manifest.patches.len() as u32).map(one).collect::<BTreeMap<_, _>>()
    };
    assert!(all(&given, &release, &|name| name.into()) == all(&cut, &phantoms, &named));
    let page = |name: &str| fs::read_to_string(release.path("output/site").join(name)).unwrap();
    assert!(page("data/index.html").contains("there are only patches"));
    assert!(
        page("methods/index.html").contains("The patches and their labels are the source’s own")
    );
    let unit = page("networks/resnet10/layer4/0001/index.html");
    assert!(unit.contains("there is no whole one to show"));
    for entry in walkdir::WalkDir::new(release.path("output/site/mammograms")) {
        let entry = entry.unwrap();
        assert!(entry.path().extension().is_none_or(|e| e != "jpg"), "{}", entry.path().display());
    }
    release.run(&["check"]).expect(0);
}

#[test]
fn bad_films_and_rows_are_reported_and_skipped() {
    let project = Project::new(MIAS);
    mini_mias(&project, 12);
    let film = fs::read(project.path("mias/mdb003.pgm")).unwrap();
    project.write("mias/mdb003.pgm", &film[..20_000]);
    project.write("mias/mdb006.pgm", "not a film at all");
    let info = fs::read_to_string(project.path("mias/Info.txt")).unwrap();
    let info = info.replace("mdb008 G CIRC M 80 120 20", "mdb008 G CIRC M 80 one 20");
    project.write("mias/Info.txt", info);

    let told = project.run(&["run"]).expect(2);
    for part in ["mdb003.pgm", "mdb006.pgm", "Info.txt:11"] {
        let lines = told.err.lines().filter(|line| line.contains(part)).count();
        assert_eq!(lines, 1, "{part} in:\n{}", told.err);
    }
    let data = fs::read_to_string(project.path("output/site/data/index.html")).unwrap();
    assert!(data.contains("mdb003.pgm") && data.contains("Info.txt:11"));
    assert!(!data.contains(project.root().to_str().unwrap()));
    project.run(&["check"]).expect(0);
}

#[test]
fn files_are_explained_as_the_data_set_is() {
    let project = Project::new(MIAS);
    mini_mias(&project, 12);
    project.run(&["run"]).expect(0);
    // Read by themselves, the same pixels have the same explanation.
    let json = |arguments: &[&str], status: i32| -> Vec<serde_json::Value> {
        let told = project.run(&[&["explain", "--json"], arguments].concat()).expect(status);
        serde_json::from_str(&told.out).unwrap()
    };
    let surest = json(&[], 0).remove(0);
    let id = surest["mammogram"].as_str().unwrap();
    let film = format!("mias/{id}.pgm");
    let [known, file] = &json(&[id, &film], 0)[..] else { panic!("two were asked for") };
    assert_eq!(known, &surest);
    assert_eq!((&file["mammogram"], &file["file"]), (&"image-1".into(), &film.as_str().into()));
    assert!(file["cancer"].is_null() && known["cancer"].is_boolean());
    for key in ["probability", "margin", "evidence", "rest"] {
        let [a, b] = [known, file].map(|told| told[key].as_f64().unwrap());
        assert!((a - b).abs() < 1e-5, "{key}: {a} {b}");
    }
    let units = |told: &serde_json::Value| -> Vec<u64> {
        told["units"].as_array().unwrap().iter().map(|u| u["unit"].as_u64().unwrap()).collect()
    };
    assert_eq!((units(known), &known["window"]), (units(file), &file["window"]));
    assert_eq!(known["patches"].as_array().map(Vec::len), file["patches"].as_array().map(Vec::len));

    // One pass sees a mammogram the same wherever it comes from, and says how far it is from the patches.
    let [known, file] = &json(&[id, &film, "--whole"], 0)[..] else { panic!("two were asked for") };
    assert!(surest.get("whole").is_none());
    let probabilities = |told: &serde_json::Value| -> Vec<Option<f64>> {
        let all = told["whole"]["probabilities"].as_array().unwrap();
        all.iter().map(serde_json::Value::as_f64).collect()
    };
    let [ours, theirs] = [known, file].map(probabilities);
    let close = |(a, b): (&Option<f64>, &Option<f64>)| match (a, b) {
        (Some(a), Some(b)) => (0.0..=1.0).contains(a) && (a - b).abs() < 1e-5,
        (a, b) => a.is_none() && b.is_none(),
    };
    assert!(ours.iter().zip(&theirs).all(close));
    let whole = &known["whole"];
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let [rows, columns, step, edge] =
        ["rows", "columns", "step", "edge"].map(|key| number(&whole[key]));
    assert_eq!((rows * columns) as usize, ours.len());
    assert_eq!(edge, number(&known["window"][2]));
    // A film of 240 pixels; the network's input is 48, its total step 32.
    assert_eq!((rows, columns, step, edge), (5.0, 5.0, 40.0, 60.0));
    let patches = known["patches"].as_array().unwrap();
    assert_eq!(whole["difference"]["patches"], patches.len());
    // Patches on a place of the map are held against it; the greatest difference is no smaller.
    let place = |patch: &serde_json::Value| {
        let [x, y] = ["x", "y"].map(|key| number(&patch[key]) / step);
        (x.fract() == 0.0 && y.fract() == 0.0).then_some((y * columns + x) as usize)
    };
    let off: Vec<f64> = patches
        .iter()
        .filter_map(|patch| Some((ours[place(patch)?]? - number(&patch["probability"])).abs()))
        .collect();
    let greatest = number(&whole["difference"]["greatest"]);
    assert!(!off.is_empty() && off.iter().all(|off| *off <= greatest + 1e-6), "{off:?} {greatest}");
    assert!(number(&whole["difference"]["mean"]) <= greatest && greatest <= 1.0);

    // A page by itself says neither where files lie nor what they are called, and hostile names of
    // units stay words. What cannot be read is named and skipped.
    let unit = units(file)[0];
    project.write(
        "content/labels/b.yaml",
        format!(
            "schema: 1\nstudy: s\nreader: b\nlexicon: bi-rads-5\nanswers:\n  - unit: \
             resnet10/layer4/{unit:04}\n    recognizable: yes\n    phenomena:\n      \
             - description: <script>alert(1)</script>\n        association: unsure\n"
        ),
    );
    fs::copy(project.path(&film), project.path("Jane Doe.pgm")).unwrap();
    project.write("notes.dcm", "no picture");
    let told =
        project.run(&["explain", "Jane Doe.pgm", "notes.dcm", id, "--html", "told.html"]).expect(2);
    assert!(told.err.contains("skipped notes.dcm: is no DICOM"), "{}", told.err);
    let page = fs::read_to_string(project.path("told.html")).unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)"), "the unit's name is there");
    // The viewer's scripts stand within the page, each with a comment at its head; no other does.
    assert_eq!(page.matches("<script").count(), page.matches("<script>//").count());
    for absent in ["<script>alert", "Jane", "notes.dcm", " href=", "src=\"patches"] {
        assert!(!page.contains(absent), "{absent:?} is in the page");
    }
    assert!(page.contains("image-1") && page.contains(id));
    assert!(page.matches("data:image/jpeg;base64,").count() >= 4);
    // What the atlas calls units, `explain` calls them, and says who does.
    project.run(&["build"]).expect(0);
    let text = fs::read(project.path("output/site/data/units.csv")).unwrap();
    let mut table = csv::Reader::from_reader(text.as_slice());
    let rows: Vec<BTreeMap<String, String>> = table.deserialize().map(Result::unwrap).collect();
    let known = json(&[id], 0).remove(0);
    let said = project.run(&["explain", id]).expect(0).out;
    let parts = known["units"].as_array().unwrap();
    for (at, part) in parts.iter().enumerate() {
        let number = format!("{:04}", part["unit"].as_u64().unwrap());
        let row = rows
            .iter()
            .find(|row| known["layer"] == row["layer"] && row["unit"] == number)
            .unwrap();
        assert_eq!(known["names"][at].as_str().unwrap_or_default(), row["labels"], "{number}");
        assert_eq!(known["named_by"][at], row["named_by"], "{number}");
        let name = if row["labels"].is_empty() { "not named" } else { &row["labels"] };
        let line = said.lines().find(|line| line.contains(&format!("unit {number} ")));
        assert!(line.is_none_or(|line| line.contains(name)), "{number} {name}: {said}");
    }
    assert_eq!(known["named_by"][0], "readers");
    assert!(said.contains("<script>alert(1)</script>"), "{said}");
    assert!(said.contains(known["verdict"].as_str().unwrap()), "{said}");
    project.run(&["explain", "notes.dcm"]).expect(1);
    project.run(&["explain", "nobody"]).expect_error(&["no mammogram nobody", "no such file"]);
    project.run(&["explain", &format!("{id}x")]).expect_error(&[&format!("did you mean {id}?")]);
    // An answer is all that is said.
    assert!(!said.contains("is fresh"), "{said}");
    assert!(project.run(&["explain", id, "--verbose"]).expect(0).out.contains("dataset is fresh"));
}

#[test]
fn mistakes_get_one_clear_message_each_and_lose_nothing() {
    let project = Project::new("");
    let mut told = String::new();
    let mut says = |command: &str, written: &str| {
        if !written.is_empty() {
            project.write("atlas.yaml", written);
            told += &format!("atlas.yaml:\n{written}");
        }
        let failed = project.run(&command.split(' ').collect::<Vec<_>>()).expect(1);
        assert_eq!(failed.err.matches("error:").count(), 1, "{}", failed.err);
        let here = project.root().to_str().unwrap();
        told += &format!("$ unit-atlas {command}\n{}\n", failed.err.replace(here, "."));
    };
    says("run", "titel: x\n");
    says("run", "patches:\n  window: [0.25\n");
    says("run", "patches:\n  window: 1.5\n");
    says("run", "source: { kind: mini_mias, path: nowhere }\n");
    // Where a folder should be, there is a file.
    project.write("in-the-way", "");
    says("run", "output: in-the-way\n");
    says("--config missing.yaml run", "");
    let started = project.run(&["init", "new"]).expect(0);
    assert!(started.out.contains("atlas.yaml"));
    says("init new", "");
    fs::remove_file(project.path("atlas.yaml")).unwrap();
    says("build", "");
    insta::assert_snapshot!("mistakes", told);
    if !cfg!(feature = "cuda") {
        project.write("atlas.yaml", format!("device: cuda:7\n{SMALL}"));
        project.run(&["train"]).expect_error(&["cuda:7", "device: auto"]);
    }
}

/// What the files alone decide is told before anything is made.
#[test]
fn a_run_looks_ahead() {
    for (more, says) in [
        ("theme: nope\n", "theme `nope`"),
        ("theme_options: { footr: x }\n", "footr"),
        ("survey: { lexicon: bi-rads-9 }\n", "survey.lexicon"),
        ("figures: [{ kind: roc, font: nofont.ttf }]\n", "nofont.ttf"),
        ("survey: { select: [resnet10/layer2/0001] }\n", "resnet10/layer2/0001"),
    ] {
        let project = Project::new(&format!("{SMALL}{more}"));
        project.run(&["run"]).expect_error(&[says]);
        assert!(!project.path("output/work/dataset").exists(), "{more}");
    }
    let late =
        "  - { name: late, architecture: resnet10, input: 64, weights: nothere.pth }\ndissection";
    let project = Project::new(&SMALL.replace("dissection", late));
    project.run(&["run"]).expect_error(&["nothere.pth"]);
    assert!(!project.path("output/work/dataset").exists());
    let project = Project::new(&format!("{SMALL}cases: {{ list: [NOPE] }}\n"));
    project.run(&["run"]).expect_error(&["cases.list", "NOPE"]);
    assert!(!project.path("output/work/networks").exists());
}

#[test]
fn schemas_are_printed_without_a_project() {
    let elsewhere = tempfile::tempdir().unwrap();
    for (arguments, known) in [
        (&["schema"][..], "min_lesion"),
        (&["schema", "atlas"][..], "resnet152"),
        (&["schema", "labels"][..], "recognizable"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unit-atlas"));
        let told = command.args(arguments).current_dir(elsewhere.path()).output().unwrap();
        assert!(told.status.success());
        let schema: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        assert!(schema.to_string().contains(known), "{arguments:?}: {known}");
    }
}

#[test]
fn labels_are_imported_checked_and_refused() {
    let project = Project::new(MIAS);
    mini_mias(&project, 12);
    project.run(&["run"]).expect(0);
    let before = project.site();
    let good = "schema: 1\nstudy: unit-atlas\nreader: b\nlexicon: bi-rads-5\nanswers:\n  \
                - unit: resnet10/layer4/0003\n    recognizable: no\n";
    project.write("answers.yaml", good);
    project.run(&["labels", "import", "answers.yaml"]).expect(0);
    assert!(project.path("content/labels/b.yaml").exists());
    project.run(&["labels", "check"]).expect(0);

    project.write(
        "typo.yaml",
        good.replace("layer4/0003", "layer4/0999").replace("reader: b", "reader: c"),
    );
    let told = project.run(&["labels", "import", "typo.yaml"]).expect(1);
    assert!(told.err.contains("typo.yaml:6") && told.err.contains("0999"), "{}", told.err);
    assert!(!project.path("content/labels/c.yaml").exists());

    // Written by hand into the folder, it is skipped aloud; the good file still counts.
    project.write("content/labels/c.yaml", fs::read(project.path("typo.yaml")).unwrap());
    let told = project.run(&["build"]).expect(2);
    assert!(told.err.contains("c.yaml:6"), "{}", told.err);
    project.run(&["labels", "check"]).expect(1);
    let stats = &["labels", "stats"];
    let told = project.run(stats).expect(2);
    // One reader of one network: a row, and no sum of it.
    let rows = told.out.lines().filter(|line| line.contains("resnet10")).count();
    assert!(rows == 1 && !told.out.contains("all"), "{}", told.out);
    assert!(told.err.contains("c.yaml:6") && !told.err.contains("skipped"), "{}", told.err);
    // With a key misspelt, a whole reader is not counted: that is said.
    project.write("content/labels/c.yaml", good.replace("reader: b", "raeder: c"));
    for arguments in [&stats[..], &["labels", "stats", "--json"]] {
        let told = project.run(arguments).expect(2);
        let skipped =
            told.err.lines().find(|line| line.starts_with("skipped ")).unwrap_or_default();
        assert!(skipped.contains("c.yaml: nothing that its reader says"), "{}", told.err);
    }
    project.run(&["check"]).expect(1);
    fs::remove_file(project.path("content/labels/c.yaml")).unwrap();

    // The study is made of the title: answers of before no longer fit, and that is said at once.
    project.write("atlas.yaml", format!("title: Another\n{MIAS}"));
    let says = "survey: { study: unit-atlas }";
    let told = project.run(&["build"]).expect(0);
    assert!(told.err.contains(says) && told.err.contains("b.yaml:2"), "{}", told.err);
    let told = project.run(&["check"]).expect(1);
    assert!(told.err.contains(says), "{}", told.err);
    project
        .run(&["serve", "--collect", "--port", "0", "--reader", "x"])
        .expect_error(&["no answer could be kept", says]);
    project.write("atlas.yaml", MIAS);

    // Whoever takes answers back does not find them in what is sent.
    project.run(&["build"]).expect(0);
    fs::remove_file(project.path("content/labels/b.yaml")).unwrap();
    let older = "the site is older than the readers\u{2019} answers";
    let told = project.run(&["check"]).expect(1);
    assert!(told.err.contains(older), "{}", told.err);
    let told = project.run(&["pack"]).expect(0);
    assert!(told.err.contains(older), "{}", told.err);
    project.run(&["build"]).expect(0);
    project.run(&["pack", "--single-file", "--output", "x.zip"]).expect_error(&["is .html"]);
    let told = project.run(&["pack", "--single-file", "--layer", "resnet10/layer4"]).expect(0);
    assert!(told.out.contains("atlas-part.html") && told.err.is_empty(), "{}", told.err);
    assert!(project.site() == before, "the site without labels is not what it was");
}

#[test]
fn letters_that_no_font_has_are_told_before_a_listed_figure_is_written() {
    let listed = format!(
        "{MIAS}\nfigures: [{{ kind: table, units: [resnet10/layer4/0003], formats: [png] }}]\n"
    );
    let project = Project::new(&listed);
    mini_mias(&project, 6);
    project.run(&["run"]).expect(0);
    // No character at all, so that no machine has a font with it.
    project.write(
        "content/labels/a.yaml",
        "schema: 1\nstudy: s\nreader: a\nlexicon: bi-rads-5\nanswers:\n  \
         - unit: resnet10/layer4/0003\n    recognizable: yes\n    phenomena:\n      \
         - description: \"pale \\u0378\"\n        association: malignant\n",
    );
    // The figures cannot be written, and yet it is said what they lack.
    fs::remove_dir_all(project.path("output/figures")).unwrap();
    project.write("output/figures", "");
    let told = project.run(&["build"]).expect(1);
    let lacks = "no font here has the letters \u{378}";
    assert!(told.err.matches(lacks).count() == 1, "{}", told.err);
    fs::remove_file(project.path("output/figures")).unwrap();
    let told = project.run(&["--quiet", "build"]).expect(0);
    assert!(told.err.contains(lacks) && told.out.is_empty(), "{}{}", told.out, told.err);
    assert!(project.path("output/figures/table.png").exists());
    // As of one that is asked for.
    let told = project.run(&["figure", "table", "resnet10/layer4/0003"]).expect(0);
    assert!(told.err.contains(lacks), "{}", told.err);
}

#[test]
fn two_runs_in_one_folder_do_not_mix() {
    let project = Project::new(SMALL);
    let mut first =
        project.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let lock = project.path("output/work/lock");
    let patience = Instant::now();
    while !lock.exists() && patience.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(100));
    project.run(&["prepare"]).expect_error(&["another run is at work"]);
    first.kill().unwrap();
    first.wait().unwrap();
    project.run(&["prepare"]).expect(0);
}

/// One HTTP request to a local server, its answer as text.
fn get(address: &str, path: &str) -> String {
    get_as(address, address, path)
}

/// The same by a name of the server's.
fn get_as(address: &str, name: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn the_server_follows_changes_and_shows_what_is_wrong() {
    let project = Project::new(MIAS);
    mini_mias(&project, 12);
    project.write("content/hello.md", "---\ntitle: Hello\n---\n\nfirst words\n");
    project.run(&["run"]).expect(0);
    let mut server = project
        .command(&["serve", "--port", "0", "--name", "atlas.example"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let url = lines.find(|line| line.contains("http://127.0.0.1:")).unwrap();
    let address = url.split('/').nth(2).unwrap().to_owned();
    // The watcher starts after the address is known.
    std::thread::sleep(Duration::from_millis(500));

    let page = get(&address, "/hello/index.html");
    assert!(page.contains("first words") && page.contains("src=\"../_live/script.js\""), "{page}");
    assert!(page.contains("content-security-policy: default-src 'self'"), "{page}");
    assert!(get(&address, "/../atlas.yaml").starts_with("HTTP/1.1 404"));
    // A page of elsewhere that lets its name lead here learns nothing.
    for name in ["attacker.example", "attacker.example:4173", "10.0.0.1"] {
        let refused = get_as(&address, name, "/data/units.csv");
        assert!(refused.starts_with("HTTP/1.1 421") && refused.contains("--name"), "{refused}");
    }
    assert!(get_as(&address, "atlas.example", "/hello/").contains("first words"));
    // Who only begins to ask is not waited for.
    let mut slow = TcpStream::connect(&address).unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: ").unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let began = Instant::now();
    let _ = slow.read_to_end(&mut Vec::new());
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert!(get(&address, "/_live/news?build=7").contains("\"build\":0"));

    project.write("content/hello.md", "---\ntitle: Hello\n---\n\nother words\n");
    let news = get(&address, "/_live/news?build=0");
    assert!(news.contains("\"build\":1") && news.contains("\"error\":null"), "{news}");
    assert!(get(&address, "/hello/index.html").contains("other words"));
    // A rebuild is not itself a reason to rebuild.
    std::thread::sleep(Duration::from_secs(2));
    assert!(get(&address, "/_live/news?build=99").contains("\"build\":1"));

    project.write("content/hello.md", "---\ntitel: Hello\n---\n\nother words\n");
    let news = get(&address, "/_live/news?build=1");
    assert!(news.contains("hello.md") && news.contains("titel"), "{news}");
    // A page that is opened only now says so too.
    let page = get(&address, "/hello/index.html");
    assert!(page.contains("other words") && page.contains("hello.md:2:1: unknown key"), "{page}");
    server.kill().unwrap();
    server.wait().unwrap();
}

/// Phantoms written as a tree of DDSM, read back through chain codes, lossless JPEG and optical
/// density. `UNIT_ATLAS_DDSM_TREE=FOLDER` leaves a larger tree in that folder, for runs by hand.
#[test]
fn a_tree_of_ddsm_gives_the_patches_of_its_phantoms() {
    let kept = std::env::var_os("UNIT_ATLAS_DDSM_TREE").map(PathBuf::from);
    let (patients, height) = if kept.is_some() { (12, 900) } else { (6, 320) };
    let project = |source: &str| {
        let project = Project::new(&format!("source: {{ {source} }}\npatches: {{ size: 64 }}\n"));
        let told = project.run(&["prepare"]).expect(0);
        (Manifest::read(&Layout::new(project.path("output"))).unwrap(), told)
    };
    let (phantoms, _) = project(&format!("kind: phantom, patients: {patients}, height: {height}"));

    let temporary = tempfile::tempdir().unwrap();
    let tree = kept.unwrap_or_else(|| temporary.path().join("ddsm"));
    ddsm::write_tree(&tree, patients, height, 123);
    let (films, told) = project(&format!("kind: ddsm, path: '{}'", tree.display()));
    let views = 4 * patients;
    let counted =
        format!("{patients} cases, {views} views listed: {views} present, 0 missing, {views} used");
    assert!(told.out.contains(&counted), "{}", told.out);
    assert_eq!(films.source.kind, "ddsm");
    assert!(films.notices.is_empty(), "{:?}", films.notices);
    assert_eq!(films.mammograms.len(), phantoms.mammograms.len());

    // The labels of all windows, by image and place.
    let labels = |manifest: &Manifest, name: &dyn Fn(&str) -> String| -> BTreeMap<_, _> {
        let one = |p: &record::Patch| {
            let place = (name(&manifest.member(p).mammogram.id), p.x, p.y);
            (place, (p.positive, p.fractions.map(|f| [f.malignant, f.any])))
        };
        manifest.patches.iter().map(one).collect()
    };
    let expected = labels(&phantoms, &ddsm::name);
    let found = labels(&films, &|id| id.to_owned());
    let both = expected.keys().filter(|place| found.contains_key(*place)).count();
    // Dark film is coarser in 16 bits of a logarithm, so that a window at the skin may come or go.
    assert!(both * 100 >= 97 * expected.len().max(found.len()), "{both} of {}", expected.len());
    let mut positive = 0;
    for (place, label) in &found {
        if let Some(other) = expected.get(place) {
            assert_eq!(label, other, "{place:?}");
            positive += usize::from(label.0);
        }
    }
    assert!(positive >= 4, "{positive}");
    for (film, phantom) in films.mammograms.iter().flat_map(|film| {
        let of = |m: &&record::Member| ddsm::name(&m.mammogram.id) == film.mammogram.id;
        phantoms.mammograms.iter().find(of).map(|phantom| (&film.mammogram, &phantom.mammogram))
    }) {
        assert_eq!(film.density, phantom.density);
        let pathologies =
            |m: &mammogram::Mammogram| m.lesions.iter().map(|l| l.pathology).collect::<Vec<_>>();
        assert_eq!(pathologies(film), pathologies(phantom), "{}", film.id);
        for (lesion, drawn) in film.lesions.iter().zip(&phantom.lesions) {
            assert_eq!(lesion.terms.first(), drawn.terms.first(), "{}", film.id);
        }
    }
}

/// Untrained, so that it is quick; the training split has several groups of patches.
const PARTS: &str = "\
source: { kind: phantom, patients: 10, height: 320 }
patches: { size: 64 }
networks:
  - { name: resnet10, input: 64, layers: [layer3, layer4], training: false }
dissection: { split: train, top: 8, permutations: 19 }
";

/// Every file of the dissection with its bytes, but for those that say when it was made.
fn dissection(project: &Project) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = project.files("output/work/dissection");
    files.retain(|path, _| !path.ends_with("run.json"));
    files
}

#[test]
fn shards_and_killed_dissections_end_as_one_run_does() {
    let one = Project::new(PARTS);
    one.run(&["dissect"]).expect(0);
    let whole = dissection(&one);
    assert_eq!(whole.keys().filter(|name| name.ends_with("units.json")).count(), 2);

    let parts = Project::new(PARTS);
    parts
        .run(&["dissect", "--shard", "2/2"])
        .expect_error(&["resnet10 is not trained", "unit-atlas train"]);
    parts.run(&["train"]).expect(0);
    parts.run(&["dissect", "--shard", "3/2"]).expect(1);
    parts.run(&["dissect", "--shard", "2/2"]).expect(0);
    parts
        .run(&["dissect", "--merge"])
        .expect_error(&["not dissected yet", "the first is number 1"]);
    // At the same time as another.
    let mut other = parts.command(&["dissect", "--shard", "2/2"]).spawn().unwrap();
    parts.run(&["dissect", "--shard", "1/2"]).expect(0);
    other.wait().unwrap();
    parts.run(&["dissect", "--merge"]).expect(0);
    assert!(whole == dissection(&parts));

    let killed = Project::new(PARTS);
    killed.run(&["train"]).expect(0);
    let mut child =
        killed.command(&["dissect"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let first = killed.path("output/work/dissection/resnet10/layer4/parts/00000.safetensors");
    let started = Instant::now();
    while !first.exists() && started.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = fs::metadata(&first).ok().and_then(|file| file.modified().ok());
    killed.run(&["dissect"]).expect(0);
    assert!(kept.is_some() && !first.exists());
    assert!(whole == dissection(&killed));
}

/// A finished network over all that there is: nothing is trained, so no patient need be trained on. The
/// output lies in the home folder, and can be evaluated again where it cannot be written.
#[cfg(unix)]
#[test]
fn a_finished_network_is_evaluated_over_all_patients_and_where_nothing_can_be_written() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    let trained = Project::new(
        "source: { kind: phantom, patients: 8, height: 220 }\npatches: { size: 40 }\n\
         networks: [{ name: resnet10, input: 33, layers: [layer4], training: { epochs: 1, batch: 16 } }]\n",
    );
    trained.run(&["train", "-q"]).expect(0);
    let weights =
        Layout::new(trained.path("output")).network("resnet10").join("weights.safetensors");
    let all = |training: &str| {
        format!(
            "source: {{ kind: phantom, patients: 8, height: 220 }}\npatches: {{ size: 40 }}\n\
             output: ~/atlas\nsplit: {{ train: 0, validation: 1, test: 0 }}\n\
             networks: [{{ name: resnet10, input: 33, layers: [layer4], weights: {}, training: \
             {training} }}]\n",
            weights.display()
        )
    };
    let finished = Project::new(&all("true"));
    let told = finished.run(&["evaluate"]).expect(1);
    assert!(told.err.contains("share of the patients to train on is 0"), "{}", told.err);
    finished.write("atlas.yaml", all("false"));
    let home = finished.path("home");
    fs::create_dir(&home).unwrap();
    let evaluate = || {
        let mut command = finished.command(&["evaluate", "--json"]);
        command.env("HOME", &home);
        command
    };
    let first = Told::from(evaluate().output().unwrap()).expect(0);
    let found: serde_json::Value = serde_json::from_str(&first.out).unwrap();
    let patches = found[0]["positives"].as_u64().unwrap() + found[0]["negatives"].as_u64().unwrap();
    assert!(home.join("atlas/work/dataset").is_dir() && !finished.path("~").exists());
    assert_eq!(found[0]["scores"].as_array().unwrap().len() as u64, patches);
    let manifest = Manifest::read(&Layout::new(home.join("atlas"))).unwrap();
    assert_eq!(manifest.patches.len() as u64, patches, "every patch is of the validation split");

    let everything = |directories: u32, files: u32| {
        for entry in walkdir::WalkDir::new(finished.root()).into_iter().map(Result::unwrap) {
            let mode = if entry.file_type().is_dir() { directories } else { files };
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    everything(0o555, 0o444);
    fs::set_permissions(trained.root(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut again = evaluate();
    if fs::metadata(finished.root()).unwrap().uid() == 0 {
        // The superuser may write anything.
        again.uid(65534).gid(65534);
    }
    let again = Told::from(again.output().unwrap());
    everything(0o755, 0o644);
    assert_eq!(again.expect(0).out, first.out);
}

/// Weights with `outputs` outputs, saved as a file.
fn save_weights(path: &Path, outputs: usize) {
    let cpu = candle_core::Device::Cpu;
    let network = network::Network::new("resnet10", outputs, 33, 5, &cpu).unwrap();
    let state: std::collections::HashMap<String, candle_core::Tensor> =
        network.state().unwrap().into_iter().collect();
    candle_core::safetensors::save(&state, path).unwrap();
}

/// Outputs beside the classes, and without any: each is evaluated as what it is, and where nothing is told of cancer
/// no number of it is shown.
#[test]
fn heads_of_other_scales_and_findings_are_evaluated_as_what_they_are() {
    let config = |outputs: &str| {
        format!(
            "source: {{ kind: phantom, patients: 8, height: 320 }}\npatches: {{ size: 40, stride: 1 }}\n\
             networks: [{{ name: resnet10, input: 33, layers: [layer4], weights: w.safetensors, training: false, \
             outputs: [{outputs}] }}]\ndissection: {{ top: 4, permutations: 19 }}\n"
        )
    };
    let project = Project::new(&config(
        "composition-c, cancer, composition-a, mass, composition-b, composition-d",
    ));
    save_weights(&project.path("w.safetensors"), 6);
    project.run(&["run"]).expect(0);
    let told = |project: &Project| {
        let told = project.run(&["evaluate", "--json"]).expect(0);
        let found: serde_json::Value = serde_json::from_str(&told.out).unwrap();
        (found[0].clone(), project.run(&["evaluate"]).expect(0).out)
    };
    let (found, words) = told(&project);
    let manifest = Manifest::read(&Layout::new(project.path("output"))).unwrap();
    let shown = manifest.of_split(base::Split::Validation);
    let heads = &found["assessment"]["heads"];
    let [scale] = &heads["scales"].as_array().unwrap()[..] else { panic!("{heads}") };
    let rows: Vec<Vec<u64>> = serde_json::from_value(scale["confusion"].clone()).unwrap();
    // Every mammogram of the split counts once, in the row of its density.
    for (category, row) in
        ["composition-a", "composition-b", "composition-c", "composition-d"].iter().zip(&rows)
    {
        let mut of: Vec<u32> = shown
            .iter()
            .map(|&patch| manifest.patches[patch as usize].mammogram)
            .filter(|&m| {
                manifest.mammograms[m as usize].mammogram.density.as_deref() == Some(category)
            })
            .collect();
        of.dedup();
        assert_eq!(row.iter().sum::<u64>(), of.len() as u64, "{category}: {rows:?}");
    }
    // Beside other outputs, cancer has its sigmoid.
    assert!(found["auc"]["value"].as_f64().is_some() && words.contains("AUC"), "{words}");
    assert!(words.contains("quadratic kappa") && words.contains("finding"), "{words}");
    let page = |path: &str| fs::read_to_string(project.path("output/site").join(path)).unwrap();
    let network = page("networks/resnet10/index.html");
    for part in ["Breast composition, per mammogram", "quadratic weights", "Findings, per patch"] {
        assert!(network.contains(part), "{part}");
    }
    assert!(page("networks/resnet10/layer4/0001/index.html").contains("Gradient × activation"));
    // The six outputs of a picture: cancer by its sigmoid, against nothing, then the others.
    image::GrayImage::from_fn(33, 33, |x, y| image::Luma([(x * 7 + y) as u8]))
        .save(project.path("p.png"))
        .unwrap();
    let predicted = |project: &Project| {
        let out = project.run(&["predict", "--network", "resnet10", "p.png"]).expect(0).out;
        let json =
            project.run(&["predict", "--network", "resnet10", "--json", "p.png"]).expect(0).out;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let values: Vec<f64> = serde_json::from_value(json[0]["probabilities"].clone()).unwrap();
        (out, values)
    };
    let (names, values) = predicted(&project);
    assert!(
        names.contains("composition-a") && names.contains("cancer") && names.contains("mass"),
        "{names}"
    );
    assert_eq!(values.len(), 7);
    assert!((values[2..6].iter().sum::<f64>() - 1.0).abs() < 1e-9, "{values:?}");

    // The same outputs, of which none is said to stand for cancer.
    project.write(
        "atlas.yaml",
        config("composition-c, unused, composition-a, mass, composition-b, composition-d"),
    );
    let run = project.run(&["run"]).expect(0);
    assert!(run.out.contains("none of its outputs stands for cancer"), "{}", run.out);
    let (again, words) = told(&project);
    assert_eq!(again["assessment"]["heads"], *heads);
    assert!(again["auc"].is_null() && words.contains("no output stands for cancer"), "{words}");
    assert!(!words.contains("AUC (95%"), "{words}");
    let network = page("networks/resnet10/index.html");
    assert!(
        network.contains("None of the network’s outputs stands for cancer")
            && network.contains("Findings, per patch")
    );
    let unit = page("networks/resnet10/layer4/0001/index.html");
    assert!(
        unit.contains("there is no score that a unit could move")
            && !unit.contains("Gradient × activation")
    );
    assert_eq!(predicted(&project).1, values[2..]);
    let refused = project.run(&["explain", "--network", "resnet10"]).expect(1);
    assert!(refused.err.contains("none of its outputs stands for cancer"), "{}", refused.err);
    project.run(&["check"]).expect(0);
}

#[test]
fn a_part_of_a_network_is_trained_and_a_rate_is_found_beside_it() {
    let part = SMALL
        .replace("lr: 0.02", "lr: { head: 0.05, rest: 0.02 }, freeze: layer3")
        .replace(", augment: true", "");
    let project = Project::new(&part);
    let told = project.run(&["train"]).expect(0);
    for said in ["only what comes after layer3", "computed once and kept", "starts at random"] {
        assert!(told.out.contains(said), "{said}: {}", told.out);
    }
    let trained = project.files("output/work/networks");
    assert!(
        !trained.keys().any(|path| path.starts_with("resnet10/frozen")),
        "{:?}",
        trained.keys()
    );

    let found = project.run(&["train", "--find-rate=20", "--quiet"]).expect(0);
    for said in ["smoothed loss by learning rate", "1e-6", "1e-1", "*"] {
        assert!(found.out.contains(said), "{said}: {}", found.out);
    }
    assert!(project.files("output/work/networks") == trained, "a training was touched");
    project.run(&["train", "--find-rate", "7"]).expect(1);
    project.run(&["train", "--find-rate=7"]).expect(1);

    let built = project.run(&["run"]).expect(0);
    assert!(built.out.contains("resnet10 is fresh"), "{}", built.out);
    let page = project.path("output/site/networks/resnet10/index.html");
    let html = fs::read_to_string(&page).unwrap();
    for shown in ["Which learning rate", "A rate range test", "as a power of ten", "(head)"] {
        assert!(html.contains(shown), "{shown}");
    }
    assert!(project.run(&["run"]).expect(0).out.contains("site is fresh"));
    project.run(&["verify"]).expect(0);
    project.run(&["provenance", "output/site/networks/resnet10/index.html"]).expect(0);
    let unused = project.run(&["gc"]).expect(0);
    assert!(!unused.out.contains("rates"), "{}", unused.out);

    // Another batch is another test: the page shows none.
    project.write("atlas.yaml", part.replace("batch: 16", "batch: 8"));
    project.run(&["run"]).expect(0);
    assert!(!fs::read_to_string(&page).unwrap().contains("Which learning rate"));
}
