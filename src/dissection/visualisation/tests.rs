//! Images of units that are known, and of random networks.

use rand::RngExt;
use rayon::ThreadPoolBuilder;

use super::*;
use crate::planted::{discs_and_edges, planted};
use base::progress::Silent;
use config::Visualised;
use record::Visualisations;
use record::visualisation::visualised;

fn job<'a>(network: &'a Network, layer: &'a str, units: &'a [u32]) -> Job<'a> {
    Job { name: "net", network, layer, units, seed: 5, steps: 64 }
}

fn made(job: &Job, folder: &Path) -> Vec<(u32, f32, Vec<u8>)> {
    let stamp = Stamp::new(FORMAT);
    visualise(job, folder, &stamp, &Silent).unwrap();
    assert!(stamp.matches(folder) && !segment::folder(folder).exists());
    let found = [(String::new(), folder)].into_iter();
    let found = Visualisations::open(found).unwrap();
    let of = |&unit: &u32| match found.of("", unit)? {
        record::Synthetic::Image { pixels, activation, edge, steps } => {
            assert_eq!((edge, steps), (job.network.input(), job.steps));
            Some((unit, activation, pixels.to_vec()))
        }
        record::Synthetic::Silent => None,
    };
    job.units.iter().filter_map(of).collect()
}

/// Units whose meaning is known: one of brightness, one of darkness, one of rising edges, and one of nothing.
#[test]
fn planted_detectors_get_what_they_detect() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, store) = discs_and_edges();
    let network = planted();
    let found = made(&job(&network, "conv1", &[1, 2, 3, 11]), folder.path());
    assert_eq!(found.iter().map(|image| image.0).collect::<Vec<_>>(), [1, 2, 3], "11 is silent");
    let patches: Vec<&[u8]> = (0..manifest.patches.len() as u32).map(|n| store.pixels(n)).collect();
    let inference = network.inference();
    let images = network.images(&patches, store.edge()).unwrap();
    let maps = inference.maps(&images, &["conv1"]).unwrap().remove(0);
    for (unit, activation, pixels) in &found {
        let of_patches = maps.narrow(1, *unit as usize - 1, 1).unwrap().max_all().unwrap();
        let best = of_patches.to_scalar::<f32>().unwrap();
        // Discs are almost white and the dark almost black: nothing can be much brighter.
        assert!(*activation > 0.95 * best, "{unit}: {activation} for {best} of patches");
        // The kernel covers 3 x 3 pixels for light and dark, 5 x 11 for an edge.
        let [darkest, lightest] =
            [pixels.iter().min().copied().unwrap(), pixels.iter().max().copied().unwrap()];
        match unit {
            1 => assert!(lightest > 240, "{darkest} to {lightest}"),
            2 => assert!(darkest < 15, "{darkest} to {lightest}"),
            _ => assert!(darkest < 60 && lightest > 195, "{darkest} to {lightest}"),
        }
    }
}

/// A random network, whose units answer to nothing that has a name.
#[test]
fn images_activate_more_than_the_start_and_than_random_patches() {
    let folder = tempfile::tempdir().unwrap();
    let network = Network::new("resnet10", 2, 33, 3, &Device::Cpu).unwrap();
    let inference = network.inference();
    for layer in ["layer3", "layer4"] {
        let units: Vec<u32> = (1..=6).collect();
        let job = Job { steps: 128, ..job(&network, layer, &units) };
        let found = made(&job, &folder.path().join(layer));
        assert!(found.len() >= 5, "{layer}: {} images", found.len());
        // Random sums of the same waves, of which none was searched for.
        let search = Search::new(&inference, layer, 128).unwrap();
        let random = |n: u64| -> Vec<u8> {
            let mut rng = seed::stream(n, "random patch");
            let count = motion::room(33).pow(2);
            let at: Vec<f32> = (0..count).map(|_| 4.0 * rng.random::<f32>() - 2.0).collect();
            search.pixels(&at).unwrap()
        };
        let random: Vec<Vec<u8>> = (0..32).map(random).collect();
        let patches: Vec<&[u8]> = random.iter().map(Vec::as_slice).collect();
        let of_patches = scores(&inference, layer, &patches).unwrap();
        for (unit, activation, pixels) in found {
            let at = unit as usize - 1;
            let own = scores(&inference, layer, &[&pixels]).unwrap()[0][at];
            assert!((own - activation).abs() <= 1e-4 * activation.abs(), "{own} and {activation}");
            let name = stream(&UnitId::new("net", layer, unit));
            let start = search.start(at, &mut seed::stream(5, &name)).unwrap().unwrap();
            let start = search.pixels(&start).unwrap();
            let start = scores(&inference, layer, &[&start]).unwrap()[0][at];
            let best = of_patches.iter().map(|scores| scores[at]).fold(f32::MIN, f32::max);
            assert!(
                activation > 2.0 * start.max(0.0) && activation > best,
                "{layer} {unit}: {activation} from {start}, {best} of patches"
            );
        }
    }
}

#[test]
fn images_follow_from_their_unit_and_the_seed_alone() {
    let network = Network::new("resnet10", 2, 33, 3, &Device::Cpu).unwrap();
    let run = |threads: usize, units: &[u32], seed: u64| {
        let folder = tempfile::tempdir().unwrap();
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let job = Job { seed, steps: 16, ..job(&network, "layer2", units) };
        pool.install(|| made(&job, folder.path()))
    };
    let one = run(1, &[2, 3, 9], 5);
    assert_eq!(one.len(), 3);
    assert!(one == run(2, &[2, 3, 9], 5) && one == run(5, &[2, 3, 9], 5));
    // Beside other units the same image; of another seed another.
    assert_eq!(run(2, &[3], 5)[0].2, one[1].2);
    assert_ne!(run(2, &[3], 6)[0].2, one[1].2);
}

#[test]
fn a_killed_search_goes_on_after_the_last_image() {
    let network = Network::new("resnet10", 2, 33, 3, &Device::Cpu).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let units = [1, 2, 3];
    let job = Job { steps: 16, ..job(&network, "bn1", &units) };
    let whole = made(&job, &folder.path().join("whole"));
    let begun = folder.path().join("begun");
    let inputs = Stamp::new(FORMAT).fingerprint();
    // One that was made: known again by what nobody would make. One of other settings is made again.
    let kept = vec![7; 33 * 33];
    write_part(&segment::path(&begun, 1), Some(&kept), 33, &inputs).unwrap();
    let other = Fingerprint::of(&"other");
    write_part(&segment::path(&begun, 2), Some(&kept), 33, &other).unwrap();
    write_part(&segment::path(&begun, 3), None, 33, &inputs).unwrap();
    assert!(crate::unfinished(&begun).unwrap().is_some());
    let found = made(&job, &begun);
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].0, &found[0].2), (1, &kept));
    assert_eq!(found[1], whole[1]);
}

#[test]
fn an_image_of_another_unit_and_a_damaged_one_are_made_again() {
    let network = Network::new("resnet10", 2, 33, 3, &Device::Cpu).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let units = [1, 2, 3];
    let job = Job { steps: 16, ..job(&network, "bn1", &units) };
    let whole = made(&job, &folder.path().join("whole"));
    let begun = folder.path().join("begun");
    let [one, two, three] = [1, 2, 3].map(|unit| segment::path(&begun, unit));
    let inputs = Stamp::new(FORMAT).fingerprint();
    write_part(&one, Some(&[7; 33 * 33]), 33, &inputs).unwrap();
    fs_err::rename(&one, &two).unwrap();
    write_part(&three, Some(&[7; 33 * 33]), 33, &inputs).unwrap();
    let mut bytes = fs_err::read(&three).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs_err::write(&three, bytes).unwrap();
    assert!(made(&job, &begun) == whole);
}

#[test]
fn what_is_visualised() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, store) = discs_and_edges();
    let network = planted();
    let settings = crate::planted::settings(
        config::Threshold::FractionOfMax(0.5),
        config::Anchor::ReceptiveField,
        8,
    );
    let job = crate::Job {
        name: "alexnet",
        activations: crate::Activations::Run(&network),
        weights_blake3: "",
        manifest: &manifest,
        store: &store,
        settings: &settings,
    };
    let stamp = Stamp::new(1);
    let layers = [("conv1", folder.path(), &stamp)];
    crate::probe(&job, &layers, crate::Shard::ALL, &Silent).unwrap();
    crate::merge(&job, &layers, &Silent).unwrap();
    let layer = record::dissection::read(folder.path()).unwrap();
    assert!(visualised(&layer, Visualised::None).is_empty());
    // Three units live.
    assert_eq!(visualised(&layer, Visualised::All), [1, 2, 3]);
    assert_eq!(visualised(&layer, Visualised::Best), [1, 2, 3]);
}
