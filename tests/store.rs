//! What is left on disk can be trusted, nothing expensive is lost, and what is damaged is said and mended.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use base::artifact::{Fingerprint, Stamp};

use crate::support::project::{Project, SMALL, TINY};

/// SIGKILL at ten moments spread over the run, each time started again.
#[test]
fn a_run_killed_ten_times_ends_with_the_same_site() {
    let undisturbed = Project::new(SMALL);
    let began = Instant::now();
    undisturbed.run(&["run"]).expect(0);
    let whole = began.elapsed();

    let killed = Project::new(SMALL);
    for round in 0..10 {
        let mut child =
            killed.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // From almost at once to most of a run; later rounds find earlier stages done.
        std::thread::sleep(whole.mul_f64([0.02, 0.6, 0.1, 0.35, 0.2, 0.5][round % 6]));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    killed.run(&["run"]).expect(0);
    let (a, b) = (undisturbed.site(), killed.site());
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    let differing: Vec<_> = a.iter().filter(|(name, bytes)| b[*name] != **bytes).collect();
    assert!(differing.is_empty(), "{:?}", differing.iter().map(|(n, _)| n).collect::<Vec<_>>());
    let litter = walkdir::WalkDir::new(killed.path("output")).into_iter().map(Result::unwrap);
    let litter: Vec<_> =
        litter.filter(|e| e.file_name().to_string_lossy().ends_with(".tmp")).collect();
    assert!(litter.is_empty(), "{litter:?}");
}

/// SIGKILL at moments spread over verbs that take a moment: started again, they leave what they would have left
/// undisturbed, and nothing beside.
#[test]
fn what_is_killed_leaves_nothing_that_stays() {
    let project = Project::new(TINY);
    project.run(&["run"]).expect(0);
    // For the shelf, which `gc` is to clear.
    project.edit("lr: 0.01", "lr: 0.02");
    project.run(&["train"]).expect(0);
    project.edit("lr: 0.02", "lr: 0.01");
    project.run(&["run"]).expect(0);
    assert!(project.path("output/work/shelf").is_dir());
    let answer = r#"{ "unit": "resnet10/bn1/0001", "recognizable": "no" }"#;
    let head = r#""schema": 1, "study": "unit-atlas", "reader": "a", "lexicon": "bi-rads-5""#;
    project.write("answers.json", format!("{{ {head}, \"answers\": [{answer}] }}"));
    let before = project.files("output");
    let cases: [(&[&str], &str); 3] = [
        (&["labels", "import", "answers.json"], "content"),
        (&["patches", "export", "exported"], "exported"),
        (&["gc", "--remove"], "output/work"),
    ];
    for (arguments, folder) in cases {
        let again = || {
            project_restored(&project, &before);
            for made in ["content", "exported"].map(|name| project.path(name)) {
                if made.exists() {
                    fs::remove_dir_all(made).unwrap();
                }
            }
        };
        again();
        let began = Instant::now();
        project.run(arguments).expect(0);
        let (whole, wanted) = (began.elapsed(), project.files(folder));
        for round in 0..8 {
            again();
            let mut command = project.command(arguments);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(whole.mul_f64(0.3 + 0.1 * f64::from(round)));
            child.kill().unwrap();
            child.wait().unwrap();
            project.run(arguments).expect(0);
            assert_same(&project.files(folder), &wanted, arguments[0]);
            let shelf = project.path("output/work/shelf");
            assert!(arguments[0] != "gc" || !shelf.exists(), "empty folders stay");
        }
    }
}

/// A page.
const ABOUT: &str = "---\ntitle: About\n---\nMine.\n";

/// Everything that a result is, but for what tells how long it took, and when and by which command it was made.
fn results(project: &Project) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = project.files("output");
    files.retain(|path, _| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // A network's stamp knows its history, which has times.
        let timed = path.starts_with("work/networks") && name == "stamp.json";
        !timed && !["history.jsonl", "run.json", "drawn.json", "lock"].contains(&name.as_str())
    });
    files
}

#[track_caller]
fn assert_same(
    found: &BTreeMap<PathBuf, Vec<u8>>,
    wanted: &BTreeMap<PathBuf, Vec<u8>>,
    what: &str,
) {
    let differing: Vec<_> = wanted
        .keys()
        .chain(found.keys())
        .filter(|name| found.get(*name) != wanted.get(*name))
        .collect();
    assert!(differing.is_empty(), "{what}: {differing:?}");
}

/// A command at work, killed when it is no longer needed, also where a test fails.
struct Running(std::process::Child);

impl Running {
    /// Starts a training, and waits until there is a checkpoint of it.
    fn train(project: &Project, network: &str) -> Self {
        let mut command = project.command(&["train", "--network", network]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut running = Self(child);
        let checkpoint = format!("output/work/networks/{network}/checkpoint.safetensors");
        while !project.path(&checkpoint).exists() {
            running.assert_going();
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        running
    }

    fn assert_going(&mut self) {
        assert!(self.0.try_wait().unwrap().is_none(), "the training ended");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A file, and what is done to it.
fn mutilations(bytes: &[u8], other: &[u8]) -> [(&'static str, Option<Vec<u8>>); 6] {
    let mut flipped = bytes.to_vec();
    let middle = bytes.len() / 2;
    if let Some(byte) = flipped.get_mut(middle) {
        *byte ^= 0x10;
    }
    [
        ("flipped", Some(flipped)),
        ("cut", Some(bytes[..middle].to_vec())),
        ("emptied", Some(Vec::new())),
        ("appended to", Some([bytes, b"x"].concat())),
        ("swapped", Some(other.to_vec())),
        ("deleted", None),
    ]
}

fn mutilate(path: &Path, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => fs::write(path, bytes).unwrap(),
        None => fs::remove_file(path).unwrap(),
    }
}

#[test]
fn every_damage_to_every_file_is_told() {
    let project = Project::new(TINY);
    project.run(&["run"]).expect(0);
    let told = project.run(&["verify"]).expect(0);
    assert!(told.out.contains("every file is what was written"), "{}", told.out);
    // The same files of another project.
    let other = Project::new(&TINY.replace("patients: 8", "patients: 9"));
    other.run(&["run"]).expect(0);
    let (files, theirs) = (project.files("output"), other.files("output"));
    // One of each kind: a page and a picture stand for all.
    let mut seen = std::collections::BTreeSet::new();
    let kind = |path: &Path| {
        let folder = path.parent().unwrap().components().take(2).collect::<PathBuf>();
        (folder, path.extension().map(std::ffi::OsStr::to_owned))
    };
    let chosen: Vec<&PathBuf> = files
        .keys()
        .filter(|path| path.file_name().is_some_and(|name| name != "lock"))
        .filter(|path| {
            path.starts_with("work") && !path.to_string_lossy().contains("previews")
                || seen.insert(kind(path))
        })
        .collect();
    let mut silent = Vec::new();
    for path in &chosen {
        let bytes = &files[*path];
        let another = theirs
            .get(*path)
            .filter(|other| *other != bytes)
            .or_else(|| files.values().find(|other| *other != bytes));
        let at = project.path("output").join(path);
        for (how, mutilated) in mutilations(bytes, another.unwrap()) {
            if mutilated.as_ref() == Some(bytes) {
                continue;
            }
            mutilate(&at, mutilated.as_deref());
            let told = project.run(&["verify"]);
            let name = path.to_string_lossy().into_owned();
            let folder = path.parent().unwrap().to_string_lossy().into_owned();
            // A whole stamp or record of another project does not fit the files that it is to seal; without
            // one there is no result, and a run sees that.
            let seen = match (how, told.status) {
                (_, Some(1)) if told.err.contains(&name) => true,
                ("swapped", Some(1)) => told.err.contains(&folder) || told.err.contains("site/"),
                ("deleted", Some(0)) if name.ends_with("stamp.json") => {
                    told.out.contains(&format!("{folder} is not finished"))
                }
                // A result is whole without.
                ("deleted", Some(0)) if name.ends_with("run.json") => {
                    told.out.contains(&format!("{folder} does not say which run made it"))
                }
                ("deleted", Some(0)) => project.run(&["run"]).expect(0).out.contains("site: "),
                _ => false,
            };
            if !seen {
                silent.push(format!("{name} {how}: {}", told.out.trim()));
            }
            project_restored(&project, &files);
        }
    }
    assert!(silent.is_empty(), "{} of {} files: {silent:#?}", silent.len(), chosen.len());
}

/// Puts every file back as it was.
fn project_restored(project: &Project, files: &BTreeMap<PathBuf, Vec<u8>>) {
    let now = project.files("output");
    for path in now.keys().filter(|path| !files.contains_key(*path)) {
        fs::remove_file(project.path("output").join(path)).unwrap();
    }
    for (path, bytes) in files.iter().filter(|(path, bytes)| now.get(*path) != Some(bytes)) {
        let path = project.path("output").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn every_remedy_works() {
    let project = Project::new(TINY);
    project.run(&["run"]).expect(0);
    let (files, wanted) = (project.files("output"), results(&project));
    for name in [
        "work/dataset/manifest.json",
        "work/dataset/patches.bin",
        "work/dataset/stamp.json",
        "work/networks/resnet10/weights.safetensors",
        "work/networks/resnet10/evaluation.json",
        "work/networks/resnet10/history.jsonl",
        "work/networks/resnet10/stamp.json",
        "work/dissection/resnet10/bn1/units.json",
        "work/dissection/resnet10/bn1/maps.safetensors",
        "work/dissection/resnet10/bn1/stamp.json",
        "work/dissection/similar.json",
        "work/explanation/resnet10/explanation.json",
        "work/networks/resnet10/run.json",
        "work/site.json",
        "work/survey/survey.json",
        "site/index.html",
    ] {
        let bytes = &files[Path::new(name)];
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 0x10;
        fs::write(project.path("output").join(name), flipped).unwrap();
        let told = project.run(&["verify"]).expect(1);
        assert!(told.err.contains(name), "{name}: {}", told.err);
        let remedy = told.err.lines().find(|line| line.contains("remove ")).unwrap();
        let named = remedy.split("remove ").nth(1).unwrap().split([' ', ':']).next().unwrap();
        let named = project.path(named);
        if named.is_dir() {
            fs::remove_dir_all(named).unwrap();
        } else {
            fs::remove_file(named).unwrap();
        }
        project.run(&["run"]).expect(0);
        project.run(&["verify"]).expect(0);
        let mut found = results(&project);
        if name.ends_with("run.json") {
            // The page that tells which run made a result says that it is not known.
            for told in ["site/provenance/index.html", "work/site.json", "work/survey/stamp.json"] {
                let old = found.insert(told.into(), wanted[Path::new(told)].clone());
                assert_ne!(old.as_ref(), wanted.get(Path::new(told)), "{told}");
            }
        }
        assert_same(&found, &wanted, name);
        project_restored(&project, &files);
    }
}

#[test]
fn damage_that_is_met_is_mended_where_that_loses_nothing_and_refused_elsewhere() {
    let project = Project::new(TINY);
    project.run(&["run"]).expect(0);
    let wanted = results(&project);
    let flip = |name: &str| {
        let path = project.path("output").join(name);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        fs::write(path, bytes).unwrap();
    };
    // Pages are made anew, and what they read turns out to be damaged.
    for name in [
        "work/dissection/resnet10/bn1/units.json",
        "work/dissection/resnet10/bn1/maps.safetensors",
        "work/dissection/resnet10/bn1/scores.safetensors",
        "work/explanation/resnet10/explanation.json",
        "work/dataset/patches.bin",
    ] {
        flip(name);
        fs::remove_file(project.path("output/work/site.json")).unwrap();
        fs::remove_file(project.path("output/work/dissection/similar.json")).unwrap();
        let told = project.run(&["run"]).expect(0);
        let word = format!("{name} is damaged");
        assert!(
            told.out.contains(&word) && told.out.contains("made again"),
            "{name}: {}",
            told.out
        );
        assert_same(&results(&project), &wanted, name);
    }
    // Another length is seen at once.
    let units = project.path("output/work/dissection/resnet10/bn1/units.json");
    let whole = fs::read(&units).unwrap();
    fs::write(&units, &whole[..100]).unwrap();
    let told = project.run(&["run"]).expect(0);
    assert!(told.out.contains("it has 100 bytes where"), "{}", told.out);
    assert_same(&results(&project), &wanted, "cut");

    // A training is not done again unasked.
    let weights = project.path("output/work/networks/resnet10/weights.safetensors");
    let whole = fs::read(&weights).unwrap();
    flip("work/networks/resnet10/weights.safetensors");
    project.edit("layers: [bn1]", "layers: [bn1, layer1]");
    let refused = ["weights.safetensors is damaged", "put it back from a copy, or remove"];
    project.run(&["run"]).expect_error(&refused);
    project.run(&["evaluate", "--split", "test"]).expect_error(&refused);
    fs::write(&weights, &whole[..1000]).unwrap();
    project.run(&["run"]).expect_error(&refused);
    fs::write(&weights, whole).unwrap();
    project.run(&["run"]).expect(0);
}

/// A network's weights and when they were written.
fn trained(project: &Project) -> (Vec<u8>, std::time::SystemTime) {
    let path = project.path("output/work/networks/resnet10/weights.safetensors");
    (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap())
}

#[test]
fn a_slip_and_back_costs_nothing() {
    let project = Project::new(TINY);
    project.run(&["run"]).expect(0);
    let (wanted, weights) = (results(&project), trained(&project));
    for (right, slip) in [
        ("lr: 0.01", "lr: 0.02"),
        ("patients: 8", "patients: 6"),
        ("size: 40,", "size: 48,"),
        ("top: 4", "top: 5"),
    ] {
        project.edit(right, slip);
        let told = project.run(&["run"]).expect(0);
        assert!(told.out.contains("stale, for "), "{slip}: {}", told.out);
        if slip == "lr: 0.02" {
            assert!(told.out.contains("training.lr is 0.02, it was 0.01"), "{}", told.out);
        }
        project.edit(slip, right);
        let told = project.run(&["run"]).expect(0);
        assert!(told.out.contains("is back") && !told.out.contains("epoch 1/2"), "{}", told.out);
        assert!(trained(&project) == weights, "{slip}");
        let mut found = results(&project);
        found.retain(|path, _| !path.starts_with("work/shelf"));
        assert_same(&found, &wanted, slip);
    }

    // What is begun with the slip and killed is no loss either.
    project.edit("lr: 0.01", "lr: 0.03");
    project.edit("epochs: 2", "epochs: 500");
    drop(Running::train(&project, "resnet10"));
    project.edit("lr: 0.03", "lr: 0.01");
    project.edit("epochs: 500", "epochs: 2");
    project.run(&["run"]).expect(0);
    assert!(trained(&project) == weights);
    // And the half of it is kept, too.
    let listed = project.run(&["gc"]).expect(0).out;
    assert!(listed.contains("work/shelf/networks/resnet10/"), "{listed}");
    assert!(listed.contains("--remove"), "{listed}");
    let shelf = project.path("output/work/shelf");
    let halves = walkdir::WalkDir::new(&shelf).into_iter().map(Result::unwrap);
    assert!(halves.into_iter().any(|e| e.file_name() == "checkpoint.safetensors"));

    // What is not used goes when asked, and nothing else.
    project.run(&["gc", "--remove"]).expect(0);
    assert!(!shelf.exists());
    assert_same(&results(&project), &wanted, "gc");
    let told = project.run(&["gc"]).expect(0);
    assert!(told.out.contains("uses all"), "{}", told.out);
}

#[test]
fn a_copy_of_the_data_trains_nothing_again() {
    let phantoms = Project::new("source: { kind: phantom, patients: 8, height: 320 }\n");
    phantoms.run(&["prepare"]).expect(0);
    let config = TINY.replace(
        "{ kind: phantom, patients: 8, height: 320 }",
        "{ kind: folder, path: data/table.csv }",
    );
    let project = Project::new(&config);
    let mut table = String::from("image,id,patient,pathology,polygon\n");
    let previews = phantoms.files("output/work/dataset/previews");
    for (number, (name, bytes)) in previews.iter().enumerate() {
        let name = name.display();
        project.write(&format!("data/{name}"), bytes);
        table += &format!("{name},m{number},p{number},malignant,\"60,60 160,60 160,160 60,160\"\n");
    }
    project.write("data/table.csv", table);
    project.run(&["run"]).expect(0);
    let (wanted, weights) = (results(&project), trained(&project));
    // As `cp -r` and `git clone` leave it: every byte the same, every time another.
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(100);
    for entry in fs::read_dir(project.path("data")).unwrap() {
        fs::File::options()
            .write(true)
            .open(entry.unwrap().path())
            .unwrap()
            .set_modified(later)
            .unwrap();
    }
    let told = project.run(&["run"]).expect(0);
    assert!(
        told.out.contains("resnet10 is fresh") && told.out.contains("site is fresh"),
        "{}",
        told.out
    );
    assert!(trained(&project) == weights && !project.path("output/work/shelf/dataset").exists());
    let stamp = |path: &Path| path.ends_with("dataset/stamp.json");
    let without_stamp = |mut files: BTreeMap<PathBuf, Vec<u8>>| {
        files.retain(|path, _| !stamp(path) && !path.starts_with("work/shelf"));
        files
    };
    assert_same(&without_stamp(results(&project)), &without_stamp(wanted), "touched");
}

#[test]
fn what_version_0_1_made_is_taken_over() {
    let project = Project::new(TINY);
    project.run(&["run"]).expect(0);
    let weights = trained(&project);
    // Its stamps had inputs alone, and knew a data set by what it was made from.
    let plain = |folder: &str, change: &dyn Fn(&mut Stamp)| -> Fingerprint {
        let path = project.path("output/work").join(folder).join("stamp.json");
        let mut stamp: Stamp = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut stamp);
        fs::write(&path, serde_json::to_string(&stamp).unwrap()).unwrap();
        stamp.fingerprint()
    };
    let set = |stamp: &mut Stamp, name: &str, to: &Fingerprint| {
        stamp.inputs.insert(name.into(), to.clone()).unwrap();
    };
    let dataset = plain("dataset", &|_| ());
    let training = plain("networks/resnet10", &|stamp| set(stamp, "dataset", &dataset));
    plain("dissection/resnet10/bn1", &|stamp| {
        set(stamp, "dataset", &dataset);
        set(stamp, "training", &training);
    });
    let told = project.run(&["run"]).expect(0);
    for fresh in ["dataset is fresh", "resnet10 is fresh", "resnet10/bn1 is fresh"] {
        assert!(told.out.contains(fresh), "{}", told.out);
    }
    assert!(trained(&project) == weights && !project.path("output/work/shelf/networks").exists());
    project.run(&["verify"]).expect(0);
}

#[test]
fn an_output_replaces_nothing_of_the_project_and_no_link() {
    let project = Project::new(TINY);
    project.write("content/about.md", ABOUT);
    project.run(&["run"]).expect(0);
    fs::copy(project.path("atlas.yaml"), project.path("other.yaml")).unwrap();
    for file in ["atlas.yaml", "other.yaml"] {
        project
            .run(&["--config", file, "pack", "--output", file])
            .expect_error(&[file, "belongs to the project"]);
    }
    project
        .run(&["explain", "--html", "content/about.md"])
        .expect_error(&["belongs to the project"]);
    project
        .run(&["pack", "--output", "output/work/site.json"])
        .expect_error(&["belongs to the project"]);
    project.run(&["pack", "--output", "content"]).expect_error(&["is a folder"]);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("elsewhere.zip", project.path("link.zip")).unwrap();
        project.run(&["pack", "--output", "link.zip"]).expect_error(&["is a link"]);
        assert!(project.path("link.zip").is_symlink());
        // A folder that is a link to one of the project's is that.
        std::os::unix::fs::symlink("content", project.path("linked")).unwrap();
        project
            .run(&["pack", "--output", "linked/about.md"])
            .expect_error(&["belongs to the project"]);
    }
    assert_eq!(fs::read_to_string(project.path("content/about.md")).unwrap(), ABOUT);
    project.run(&["pack", "--output", "mine.zip"]).expect(0);
    project.run(&["pack", "--output", "mine.zip"]).expect(0);
}

#[test]
fn a_checkpoint_that_is_half_written_leaves_nothing() {
    let project = Project::new(TINY);
    project.run(&["prepare"]).expect(0);
    let folder = project.path("output/work/networks/resnet10");
    for name in
        [".unit-atlas-abc.tmp/file", ".unit-atlas-abc.tmp/.tmpTheirs", ".unit-atlas-def.tmp"]
    {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, vec![0; 1000]).unwrap();
    }
    project.run(&["run"]).expect(0);
    let left = walkdir::WalkDir::new(project.path("output")).into_iter().map(Result::unwrap);
    let left: Vec<_> = left.filter(|e| e.file_name().to_string_lossy().contains(".tmp")).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Of a training that was killed once it had its stamp.
#[test]
fn a_checkpoint_of_a_finished_training_goes() {
    let project = Project::new(TINY);
    let checkpoint = project.path("output/work/networks/resnet10/checkpoint.safetensors");
    let mut child =
        project.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    let kept = loop {
        if let Ok(bytes) = fs::read(&checkpoint) {
            break bytes;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "no checkpoint");
        std::thread::sleep(Duration::from_millis(1));
    };
    child.kill().unwrap();
    child.wait().unwrap();
    project.run(&["run"]).expect(0);
    assert!(!checkpoint.exists());
    fs::write(&checkpoint, kept).unwrap();
    let told = project.run(&["train"]).expect(0);
    assert!(told.out.contains("resnet10 is fresh") && !checkpoint.exists(), "{}", told.out);
}

#[test]
fn reading_needs_no_lock() {
    let project = Project::new(TINY);
    project.run(&["run"]).expect(0);
    // Another network trains, for as long as it may.
    let networks = "networks:\n  - { name: resnet18, input: 33, layers: [bn1], training: { epochs: 500, batch: 16, lr: 0.001 } }\n";
    project.edit("networks:\n", networks);
    let mut training = Running::train(&project, "resnet18");
    let told = project.run(&["evaluate", "--network", "resnet10", "--split", "test"]).expect(0);
    assert!(told.out.contains("resnet10"), "{}", told.out);
    project.run(&["explain", "--network", "resnet10"]).expect(0);
    project.run(&["pack", "--output", "sent.zip"]).expect(0);
    project.run(&["patches", "export", "patches"]).expect(0);
    project.run(&["verify"]).expect(0);
    let busy = "another run is at work";
    project
        .run(&["evaluate", "--network", "resnet18"])
        .expect_error(&["resnet18 is not there", busy]);
    project.run(&["build"]).expect_error(&[busy]);
    training.assert_going();
}

#[test]
fn a_copy_that_cannot_be_written_is_read() {
    let project = Project::new(TINY);
    project.run(&["run"]).expect(0);
    // Whoever runs this may write anywhere: a folder in the place of the lock keeps even root from it.
    fs::remove_file(project.path("output/work/lock")).unwrap();
    fs::create_dir(project.path("output/work/lock")).unwrap();
    let before = project.files("output");
    for arguments in [&["evaluate", "--split", "test"][..], &["explain"], &["verify"], &["gc"]] {
        project.run(arguments).expect(0);
    }
    project.run(&["figure", "roc", "--out", "figures"]).expect(0);
    project.run(&["pack", "--output", "sent.zip"]).expect(0);
    assert_same(&project.files("output"), &before, "read");
    project.edit("top: 4", "top: 5");
    project
        .run(&["explain"])
        .expect_error(&["resnet10/bn1 is not there or not up to date", "work/lock"]);
    assert_same(&project.files("output"), &before, "refused");
}

#[test]
fn the_same_project_gives_the_same_bytes_anywhere() {
    let run = |zone: &str, threads: &str| {
        let project = Project::new(TINY);
        let mut command = project.command(&["run"]);
        command.env("TZ", zone).env("RAYON_NUM_THREADS", threads);
        assert!(command.output().unwrap().status.success());
        results(&project)
    };
    assert_same(&run("Asia/Kathmandu", "1"), &run("America/Caracas", "2"), "elsewhere");
}

/// What a loss of power leaves is what was brought to the disk before it, under names that were. So each file of
/// a result must be there before its name is, and all names before the stamp that says so.
#[cfg(target_os = "linux")]
#[test]
fn a_loss_of_power_leaves_no_stamp_of_what_is_not_there() {
    let tools = tempfile::tempdir().unwrap();
    let library = tools.path().join("order.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/order.c");
    let compiler = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status();
    assert!(compiler.expect("a C compiler").success());
    let project = Project::new(TINY);
    let log = tools.path().join("log");
    let mut command = project.command(&["run"]);
    assert!(command.env("LD_PRELOAD", &library).env("ORDER_LOG", &log).status().unwrap().success());

    let work = project.path("output/work");
    let (mut on_disk, mut named) = (std::collections::BTreeSet::new(), Vec::new());
    let (mut files, mut stamps) = (0, 0);
    for line in fs::read_to_string(&log).unwrap().lines() {
        let [what, from, to] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let (from, to) = (PathBuf::from(from), PathBuf::from(to));
        match what {
            "sync" => {
                // Of a folder, it brings the names in it there.
                named.retain(|path: &PathBuf| path.parent() != Some(&from));
                on_disk.insert(from);
            }
            _ if to.starts_with(&work) => {
                assert!(on_disk.contains(&from), "{} is named before it is there", to.display());
                if to.ends_with("stamp.json") {
                    let folder = to.parent().unwrap();
                    let open = named.iter().find(|path| path.starts_with(folder));
                    assert!(open.is_none(), "{open:?} is not named before {}", to.display());
                    stamps += 1;
                }
                files += 1;
                named.push(to);
            }
            _ => {}
        }
    }
    assert!(named.is_empty(), "names that may be lost: {named:?}");
    // Every stage's, and more files than the previews alone.
    assert!(stamps == 6 && files > 32, "{stamps} stamps of {files} files");
}
