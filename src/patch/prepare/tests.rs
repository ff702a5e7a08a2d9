use std::fs;
use std::path::PathBuf;

use super::*;
use crate::real_data;
use base::artifact::Sealed;
use base::progress::Silent;
use mammogram::{About, Lesion, Outline};
use source::{Catalogue, MiniMias};

/// Half disks of tissue on black film; every fourth patient has a malignant circle.
struct Disks {
    patients: u32,
    /// Names of images that cannot be decoded.
    broken: Vec<&'static str>,
    /// Told apart by their fingerprints.
    version: u32,
}

/// As many small mammograms as asked for, of 400 x 480 pixels each.
struct Many(u32);

impl Source for Many {
    fn about(&self) -> About {
        Disks { patients: 0, broken: vec![], version: 0 }.about()
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        Ok(Fingerprint::of(&self.0))
    }

    fn files(&self) -> Result<BTreeSet<PathBuf>> {
        Ok(BTreeSet::new())
    }

    fn catalogue(&self) -> Result<Catalogue> {
        let disks = Disks { patients: 1, broken: vec![], version: 0 }.catalogue()?;
        let one = &disks.mammograms[0];
        let mammograms = (0..self.0).map(|i| Mammogram {
            id: format!("many{i:05}"),
            patient: format!("patient{:05}", i / 4),
            width: 400,
            height: 480,
            ..one.clone()
        });
        Ok(Catalogue { mammograms: mammograms.collect(), ..disks })
    }

    fn image(&self, mammogram: &Mammogram) -> Result<Grey> {
        let (width, height) = (mammogram.width, mammogram.height);
        let row = |y: u32| {
            let wide = (150u32 * 150).saturating_sub(y.abs_diff(240).pow(2)).isqrt() * 2;
            (0..width).map(move |x| if x < wide { 80 + ((x * 7 + y * 13) % 100) as u8 } else { 0 })
        };
        Ok(Grey { width, height, pixels: (0..height).flat_map(row).collect() })
    }
}

impl Source for Disks {
    fn about(&self) -> About {
        About {
            kind: "disks".into(),
            name: "Disks".into(),
            description: String::new(),
            citation: String::new(),
            licence: None,
            phantom: true,
        }
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        Ok(Fingerprint::of(&(self.patients, self.version)))
    }

    fn files(&self) -> Result<BTreeSet<PathBuf>> {
        Ok(BTreeSet::new())
    }

    fn catalogue(&self) -> Result<Catalogue> {
        let mammograms = (0..self.patients).map(|i| Mammogram {
            id: format!("disk{i:03}"),
            patient: format!("patient{i:03}"),
            laterality: None,
            view: None,
            modifier: None,
            width: 200,
            height: 240 + i,
            micron: None,
            density: None,
            facts: BTreeMap::new(),
            lesions: (i % 4 == 0).then(|| lesion(vec![circle()])).into_iter().collect(),
            assigned: None,
            regions: Vec::new(),
        });
        Ok(Catalogue {
            mammograms: mammograms.collect(),
            summary: vec!["disks".into()],
            notices: vec![],
        })
    }

    fn image(&self, mammogram: &Mammogram) -> Result<Grey> {
        ensure!(!self.broken.contains(&mammogram.id.as_str()), "{}.pgm is torn", mammogram.id);
        let (width, height) = (mammogram.width, mammogram.height);
        let value = |x: u32, y: u32| {
            let inside = x.pow(2) + y.abs_diff(120).pow(2) < 150 * 150;
            if inside { 80 + ((x * 7 + y * 13 + height) % 100) as u8 } else { ((x + y) % 3) as u8 }
        };
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| value(x, y))).collect();
        Ok(Grey { width, height, pixels })
    }
}

fn circle() -> Outline {
    Outline::Circle { x: 50.0, y: 120.0, radius: 20.0 }
}

fn lesion(outlines: Vec<Outline>) -> Lesion {
    Lesion {
        pathology: Pathology::Malignant,
        terms: vec![],
        source_words: "X".into(),
        outlines,
        subtlety: None,
        assessment: None,
    }
}

/// A project in a temporary folder.
pub(crate) struct Project {
    _folder: tempfile::TempDir,
    source: Disks,
    pub(crate) config: Config,
    pub(crate) layout: Layout,
}

impl Project {
    pub(crate) fn new(patients: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path().into());
        let layout = Layout::new(&config.output);
        Self {
            _folder: folder,
            source: Disks { patients, broken: vec![], version: 0 },
            config,
            layout,
        }
    }

    pub(crate) fn prepare(&self) -> Result<Manifest> {
        self.prepare_with(&self.config)
    }

    pub(crate) fn prepare_with(&self, config: &Config) -> Result<Manifest> {
        prepare_from(&self.source, config, &self.layout)
    }

    /// Every file of the data set, by its path, with its content, but for the one that says when it was made.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let all = walkdir::WalkDir::new(self.layout.dataset()).into_iter();
        all.map(|entry| entry.unwrap().into_path())
            .filter(|path| path.is_file() && !path.ends_with("run.json"))
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect()
    }
}

fn prepare_from(source: &dyn Source, config: &Config, layout: &Layout) -> Result<Manifest> {
    prepare(source, config, layout, &stamp(source, config)?, &Silent)
}

fn config(root: PathBuf) -> Config {
    let text = "{seed: 3, patches: {size: 32}, dissection: {top: 1}}";
    let defaults = Config::parse(text, &root.join("atlas.yaml")).unwrap();
    Config { output: root.join("output"), root, ..defaults }
}

#[test]
fn patches_are_cut_labelled_and_stored_in_order() {
    let project = Project::new(10);
    let manifest = project.prepare().unwrap();
    assert_eq!(manifest, Manifest::read(&project.layout).unwrap());
    let store = Store::open(&project.layout).unwrap();
    assert_eq!((store.len() as usize, store.edge()), (manifest.patches.len(), 32));
    let mut last = (0, 0, 0);
    for (number, patch) in manifest.patches.iter().enumerate() {
        assert!(number == 0 || (patch.mammogram, patch.y, patch.x) > last);
        last = (patch.mammogram, patch.y, patch.x);
        let mammogram = &manifest.member(patch).mammogram;
        let window = [patch.x, patch.y, patch.edge, patch.edge];
        let image = project.source.image(mammogram).unwrap();
        assert_eq!(store.pixels(number as u32), resample(&image, window, 32, 32).unwrap().pixels);
        let fractions = patch.fractions.unwrap();
        assert!(fractions.breast >= 0.5);
        let listed = fractions.malignant.lesion >= 0.3 || fractions.malignant.patch >= 0.3;
        assert_eq!(patch.positive, listed);
        assert!(!patch.positive || mammogram.id.ends_with(['0', '4', '8']));
    }
    assert!(manifest.patches.iter().any(|p| p.positive));
    // Windows on bare film are not kept: the grid has 7 x 9 of them and more.
    let of_first = manifest.patches.iter().filter(|p| p.mammogram == 0).count();
    assert!((10..50).contains(&of_first), "{of_first}");
    let preview = image::open(project.layout.preview("disk003")).unwrap();
    assert_eq!(Some([preview.width(), preview.height()]), manifest.mammograms[3].preview);
    assert_eq!(manifest.summary, ["disks"]);
    let counts = counts(&manifest);
    assert!(counts[0].ends_with("of 10 mammograms of 10 patients"), "{counts:?}");
}

#[test]
fn the_bytes_do_not_depend_on_the_threads() {
    let run = |threads| {
        let project = Project::new(23);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| project.prepare()).unwrap();
        project.files().into_values().collect::<Vec<_>>()
    };
    assert!(run(1) == run(3));
}

#[test]
fn what_was_there_is_replaced_whole() {
    let mut project = Project::new(5);
    let first = project.prepare().unwrap();
    let files = project.files();

    // A killed run leaves no stamp; foreign files are not touched.
    let folder = project.layout.dataset();
    fs::remove_file(folder.join("stamp.json")).unwrap();
    fs::write(folder.join("patches.bin"), "torn").unwrap();
    assert_eq!(project.prepare().unwrap(), first);
    assert!(project.files() == files);
    fs::write(folder.join("mine.txt"), "mine").unwrap();

    // Another source: previews of mammograms that are gone go too.
    project.source.patients = 4;
    assert_eq!(project.prepare().unwrap().mammograms.len(), 4);
    assert!(!project.layout.preview("disk004").exists());
    assert!(folder.join("mine.txt").is_file());
    let mut config = project.config.clone();
    config.patches.size = 16;
    assert_eq!(project.prepare_with(&config).unwrap().patching.size, 16);
    assert_eq!(Store::open(&project.layout).unwrap().edge(), 16);
}

#[test]
fn an_image_that_cannot_be_decoded_is_left_out_and_told() {
    let mut project = Project::new(5);
    project.source.broken = vec!["disk002"];
    let manifest = project.prepare().unwrap();
    assert_eq!(manifest.mammograms.len(), 4);
    let summary = ["disks", "4 of 5 mammograms can be decoded; the counts are of these"];
    assert_eq!(manifest.summary, summary);
    let [notice] = &manifest.notices[..] else { panic!("{:?}", manifest.notices) };
    assert_eq!((notice.place.as_str(), notice.skipped), ("disk002", true));
    assert!(notice.message.contains("disk002.pgm is torn"), "{}", notice.message);
    assert_eq!(manifest.member(manifest.patches.last().unwrap()).mammogram.id, "disk004");

    let mut project = Project::new(2);
    project.source.broken = vec!["disk000", "disk001"];
    let message = format!("{:#}", project.prepare().unwrap_err());
    assert!(message.contains("none of the 2 mammograms") && message.contains("torn"), "{message}");
    assert!(Sealed::open(&project.layout.dataset()).is_err());
}

#[test]
fn no_patch_is_cut_where_a_cancer_has_no_place() {
    let project = Project::new(1);
    let mut mammogram = project.source.catalogue().unwrap().mammograms.remove(0);
    let splits = BTreeMap::from([(mammogram.patient.clone(), Split::Train)]);
    let Project { source, config, layout, .. } = &project;
    let previews = Batch::default();
    let cutter = Cutter {
        source,
        patching: &config.patches,
        splits: &splits,
        ready: None,
        keep: Keep::Everything(layout, &previews),
    };
    assert!(cutter.cut(&mammogram).unwrap().patches.iter().any(|p| p.positive));
    mammogram.lesions.push(lesion(vec![]));
    let cut = cutter.cut(&mammogram).unwrap();
    assert!(cut.member.is_some() && cut.patches.is_empty() && cut.pixels.is_empty());
    assert!(!cut.notice.unwrap().skipped);
    // A benign lesion without a place changes nothing.
    mammogram.lesions[1].pathology = Pathology::Benign;
    assert!(cutter.cut(&mammogram).unwrap().patches.iter().any(|p| p.positive));
}

#[test]
fn patches_may_have_the_label_of_their_mammogram() {
    let project = Project::new(1);
    let mut mammogram = project.source.catalogue().unwrap().mammograms.remove(0);
    let splits = BTreeMap::from([(mammogram.patient.clone(), Split::Train)]);
    let by_image = Patches { labels: Labels::Image, ..project.config.patches.clone() };
    let cut = |mammogram: &Mammogram, patching: &Patches| {
        let source = &project.source;
        let cutter = Cutter { source, patching, splits: &splits, ready: None, keep: Keep::Counts };
        cutter.cut(mammogram).unwrap()
    };
    // Where the cancer has a place, it is known what each patch holds of it, label or not.
    let own = cut(&mammogram, &project.config.patches).patches;
    let of_image = cut(&mammogram, &by_image).patches;
    assert!(own.iter().any(|p| p.positive) && own.iter().any(|p| !p.positive));
    assert!(own.iter().all(|p| p.held.is_none()) && of_image.iter().all(|p| p.positive));
    for (own, of_image) in own.iter().zip(&of_image) {
        let held = Held { malignant: Some(own.positive), benign: Some(own.benign) };
        assert_eq!((of_image.held, of_image.fractions), (Some(held), own.fractions));
    }
    // Where it has none, nothing of that is known.
    mammogram.lesions = vec![lesion(vec![])];
    let unplaced = cut(&mammogram, &by_image);
    assert!(unplaced.notice.is_none() && unplaced.patches.len() == own.len());
    assert!(unplaced.patches.iter().all(|p| p.positive && !p.benign));
    let somewhere = Some(Held { malignant: None, benign: Some(false) });
    assert!(unplaced.patches.iter().all(|p| p.held == somewhere && p.fractions.is_none()));
    // One that has a place is where it is, whatever lies elsewhere.
    mammogram.lesions.push(lesion(vec![circle()]));
    mammogram.lesions[0].pathology = Pathology::Benign;
    let mixed = cut(&mammogram, &by_image).patches;
    let on = |p: &&Patch| p.held.unwrap().malignant == Some(true);
    assert_eq!(mixed.iter().filter(on).count(), own.iter().filter(|p| p.positive).count());
    assert!(mixed.iter().all(|p| p.held.unwrap().benign.is_none() && p.fractions.is_some()));
    mammogram.lesions.pop();
    mammogram.lesions[0].pathology = Pathology::Malignant;
    // A benign one makes no cancer; none at all is known to lie nowhere.
    mammogram.lesions[0].pathology = Pathology::Benign;
    let benign = cut(&mammogram, &by_image).patches;
    assert!(benign.iter().all(|p| !p.positive && p.benign));
    let somewhere = Some(Held { malignant: Some(false), benign: None });
    assert!(benign.iter().all(|p| p.held == somewhere));
    mammogram.lesions.clear();
    let none = cut(&mammogram, &by_image).patches;
    let nothing = Some(Held { malignant: Some(false), benign: Some(false) });
    assert!(none.iter().all(|p| !p.positive && !p.benign && p.held == nothing));
}

#[test]
fn a_lesion_that_touches_no_breast_is_told_of() {
    let project = Project::new(1);
    let mut mammogram = project.source.catalogue().unwrap().mammograms.remove(0);
    let splits = BTreeMap::from([(mammogram.patient.clone(), Split::Train)]);
    let cutter = Cutter {
        source: &project.source,
        patching: &project.config.patches,
        splits: &splits,
        ready: None,
        keep: Keep::Counts,
    };
    let mut told = |outlines: Vec<Outline>| {
        mammogram.lesions = vec![lesion(vec![circle()]), lesion(outlines)];
        let notice = cutter.cut(&mammogram).unwrap().notice;
        notice.map(|notice| (notice.skipped, notice.message.contains("outside the breast")))
    };
    let at = |x: f32, y: f32, radius: f32| Outline::Circle { x, y, radius };
    let sliver = |x: f32| Outline::Polygon(vec![[x, 100.0], [x, 101.0], [x, 100.0]]);
    // As a mirrored mask would have it; beyond the image; and with a rim in the breast or one of two parts.
    for outlines in [vec![at(185.0, 12.0, 8.0)], vec![at(600.0, 600.0, 8.0)], vec![sliver(195.0)]] {
        assert_eq!(told(outlines), Some((false, true)));
    }
    let two = vec![at(185.0, 12.0, 8.0), at(60.0, 60.0, 8.0)];
    for outlines in [vec![at(155.0, 120.0, 12.0)], two, vec![sliver(40.0)]] {
        assert_eq!(told(outlines), None);
    }
}

#[test]
fn a_negative_is_told_by_its_white_surroundings() {
    let source = Disks { patients: 1, broken: vec![], version: 0 };
    let mut image = source.image(&source.catalogue().unwrap().mammograms[0]).unwrap();
    assert!(!is_negative(&image));
    image.pixels.iter_mut().for_each(|grey| *grey = 255 - *grey);
    assert!(is_negative(&image));
    // A film with a white border has black too.
    let border = |at: usize| at % 200 < 50;
    image
        .pixels
        .iter_mut()
        .enumerate()
        .for_each(|(at, grey)| *grey = if border(at) { 255 } else { 255 - *grey });
    assert!(!is_negative(&image));
}

#[test]
fn unsafe_and_repeated_names_are_left_out() {
    let mammogram = |id: &str| Mammogram {
        id: id.into(),
        ..Disks { patients: 1, broken: vec![], version: 0 }
            .catalogue()
            .unwrap()
            .mammograms
            .remove(0)
    };
    let names = ["a-1_b.c", "", "../x", ".hidden", "a", "a b", "a/b", "ä", "A", "con", "a-2"];
    let mut mammograms = names.map(mammogram).to_vec();
    let notices = settle_names(&mut mammograms);
    let kept: Vec<_> = mammograms.iter().map(|m| m.id.as_str()).collect();
    assert_eq!(kept, ["a-1_b.c", "a", "a-2"]);
    assert_eq!(notices.len(), 8);
    assert!(notices.iter().all(|notice| notice.skipped));
    assert!(notices[6].message.contains("an earlier one"), "{notices:?}");
}

#[test]
fn mini_mias_is_prepared() {
    let Some(folder) = real_data::folder("mini-mias") else { return };
    let project = Project::new(1);
    let mut config = project.config.clone();
    config.patches.size = 227;
    let start = std::time::Instant::now();
    let manifest = prepare_from(&MiniMias::new(folder), &config, &project.layout).unwrap();
    println!("{:.1} s\n{}", start.elapsed().as_secs_f64(), counts(&manifest).join("\n"));
    let positives = |split| {
        manifest.of_split(split).iter().filter(|&&n| manifest.patches[n as usize].positive).count()
    };
    for split in [Split::Train, Split::Validation, Split::Test] {
        assert!(positives(split) > 0, "{split}");
    }
    let patients = |split| -> BTreeSet<&str> {
        manifest
            .mammograms
            .iter()
            .filter(|m| m.split == split)
            .map(|m| m.mammogram.patient.as_str())
            .collect()
    };
    assert!(patients(Split::Train).is_disjoint(&patients(Split::Validation)));
    assert!(patients(Split::Train).is_disjoint(&patients(Split::Test)));
}

/// Peak memory of this process in MiB, counted anew from now.
fn peak_from_now() -> impl Fn() -> u64 {
    let _ = fs::write("/proc/self/clear_refs", "5");
    || {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() >> 10
    }
}

/// Run alone: `cargo test --lib ten_thousand -- --ignored --nocapture`.
#[test]
#[ignore = "takes a minute, and measures the memory of the whole process"]
fn ten_thousand_images_take_no_more_memory_than_a_few() {
    let peak = |count| {
        let project = Project::new(1);
        let mut config = project.config.clone();
        config.patches.size = 16;
        let peak = peak_from_now();
        let start = std::time::Instant::now();
        let manifest = prepare_from(&Many(count), &config, &project.layout).unwrap();
        assert_eq!(manifest.mammograms.len(), count as usize);
        let (patches, seconds) = (manifest.patches.len(), start.elapsed().as_secs_f64());
        drop(manifest);
        println!("{count} images, {patches} patches: {} MiB at most, {seconds:.0} s", peak());
        peak()
    };
    let (few, many) = (peak(100), peak(10_000));
    // The images are 1,831 MiB; what grows is the manifest.
    assert!(many < few + 400, "{few} MiB, then {many} MiB");
}

/// Run alone and optimised: `cargo test --release --lib no_more_than_twice -- --ignored --nocapture`.
#[test]
#[ignore = "measures time"]
fn preparing_takes_no_more_than_twice_decoding_and_resizing() {
    let Some(folder) = real_data::folder("mini-mias") else { return };
    let project = Project::new(1);
    let mut config = project.config.clone();
    config.patches.size = 227;
    let source = MiniMias::new(&folder);
    let time = |work: &mut dyn FnMut()| {
        let start = std::time::Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    let mut manifest = None;
    // Once to read the files, then in turns.
    let mut ours = || {
        let _ = fs::remove_dir_all(project.layout.dataset());
        manifest = Some(prepare_from(&source, &config, &project.layout).unwrap());
    };
    ours();
    let mut windows: BTreeMap<String, Vec<[u32; 3]>> = BTreeMap::new();
    let manifest_now = prepare_from(&source, &config, &project.layout).unwrap();
    for patch in &manifest_now.patches {
        let id = manifest_now.member(patch).mammogram.id.clone();
        windows.entry(id).or_default().push([patch.x, patch.y, patch.edge]);
    }
    let mut libraries = || {
        let windows: Vec<_> = windows.iter().collect();
        let sum: u64 = windows
            .par_iter()
            .map(|(id, windows)| {
                let image = image::open(folder.join(format!("{id}.pgm"))).unwrap().into_luma8();
                let resized = windows.iter().map(|&[x, y, edge]| {
                    let cut = image::imageops::crop_imm(&image, x, y, edge, edge).to_image();
                    let triangle = image::imageops::FilterType::Triangle;
                    u64::from(image::imageops::resize(&cut, 227, 227, triangle)[(113, 113)].0[0])
                });
                resized.sum::<u64>()
            })
            .sum();
        assert!(sum > 0);
    };
    let mut best = [f64::INFINITY; 2];
    for _ in 0..3 {
        best = [best[0].min(time(&mut libraries)), best[1].min(time(&mut ours))];
    }
    let [theirs, ours] = best;
    println!(
        "{} windows of {} images: decoding and resizing {theirs:.2} s, prepare {ours:.2} s, {:.2} times",
        manifest_now.patches.len(),
        manifest_now.mammograms.len(),
        ours / theirs
    );
    assert!(ours <= 2.0 * theirs);
}

proptest::proptest! {
    #[test]
    fn no_patient_is_in_two_splits(seed: u64, patients in 1u32..40, given in 0u32..5) {
        let mut config = config("/nowhere".into());
        config.seed = seed;
        let mut mammograms = Many(patients * 4 - 1).catalogue().unwrap().mammograms;
        for (i, mammogram) in mammograms.iter_mut().enumerate() {
            mammogram.assigned = (i / 4 < given as usize).then_some(Split::Test);
        }
        // The part is a function of the patient; every mammogram has one.
        let (parts, count) = split(&mammograms, &config).unwrap();
        proptest::prop_assert_eq!(count, given.min(patients));
        proptest::prop_assert_eq!(parts.len(), patients as usize);
        for mammogram in &mammograms {
            proptest::prop_assert!(parts.contains_key(&mammogram.patient));
        }
        for i in 0..given.min(patients) {
            proptest::prop_assert_eq!(parts[&format!("patient{i:05}")], Split::Test);
        }
    }
}

#[test]
fn absurd_windows_are_refused_with_their_count_before_any_is_cut() {
    let refused = |source: &dyn Source, window: f64, stride: f64, size: u32| {
        let mut config = config(PathBuf::new());
        config.patches = Patches { window, stride, size, ..config.patches };
        rehearse(source, &config, &Silent).unwrap_err().to_string()
    };
    // Every pixel of 400 x 480 would be one.
    let message = refused(&Many(4), 0.001, 1.0, 16);
    for words in [
        "many00000, of 400 x 480 pixels",
        "192000 windows",
        "at most 20000",
        "patches.window",
        "0.001",
    ] {
        assert!(message.contains(words), "{words} not in {message}");
    }
    // Windows of 100 at every pixel: 301 x 381.
    let message = refused(&Many(4), 0.25, 0.01, 16);
    assert!(message.contains("114681 windows") && message.contains("0.01"), "{message}");
    // Fewer, where each is large.
    let message = refused(&Many(4), 0.1, 0.5, 2048);
    assert!(message.contains("437 windows, but at most 256 of 2048 x 2048"), "{message}");
    // Too many of all, though not of one: windows of 100 at every third pixel, 101 x 128.
    let patching =
        Patches { window: 0.25, stride: 0.03, size: 16, ..config(PathBuf::new()).patches };
    let mammograms = Many(7800).catalogue().unwrap().mammograms;
    assert!(bounded(&mammograms[..7000], &patching).is_ok());
    let message = bounded(&mammograms, &patching).unwrap_err().to_string();
    assert!(message.contains("7800 mammograms would be cut into 100838400 windows"), "{message}");
}

#[test]
fn patches_that_are_held_stay_within_bounds() {
    let mammograms = Many(1).catalogue().unwrap().mammograms;
    let at_once = |window: f64, stride: f64, size: u32| {
        super::at_once(
            &mammograms,
            &Patches { window, stride, size, ..config(PathBuf::new()).patches },
        )
    };
    assert_eq!(at_once(0.25, 0.5, 227), 4 * rayon::current_num_threads());
    // 101 x 128 windows of 256 x 256 pixels are 847 MB.
    assert_eq!(at_once(0.25, 0.03, 256), 1);
}
