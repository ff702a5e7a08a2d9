//! Recordings that are what their header says, and such that are not.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};

use super::*;
use crate::planted::manifest;
use record::{Manifest, Store};

const EDGE: u32 = 4;

const HEADER: &str = "\
format: 1
name: a network
parameters: 12
input: 8
classes: [unused, normal, cancer, benign]
layers:
  - { name: last, units: 3, map: [2, 2], contributions: true }
  - { name: bare, units: 1, map: [1, 1] }
made: by hand
";

/// Four patches, each of one grey value.
fn dataset() -> (Manifest, Store) {
    let pixels: Vec<u8> = (0..4).flat_map(|n| vec![10 * n; (EDGE * EDGE) as usize]).collect();
    (manifest(4, EDGE, Vec::new()), Store::in_memory(EDGE, &pixels).unwrap())
}

/// Numbers that are exact in any precision.
fn count(dims: &[usize], from: f32) -> Tensor {
    let values: Vec<f32> = (0..dims.iter().product()).map(|n| from + 0.5 * n as f32).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

/// Tensors of a part with these patches of the data set, by their numbers.
fn tensors(patches: &[usize]) -> HashMap<String, Tensor> {
    let rows = |dims: &[usize]| {
        let rows: Vec<Tensor> = patches.iter().map(|&n| count(dims, 8.0 * n as f32)).collect();
        Tensor::stack(&rows, 0).unwrap()
    };
    HashMap::from([
        ("logits".into(), rows(&[4])),
        ("maps/last".into(), rows(&[3, 2, 2])),
        ("contributions/last".into(), rows(&[4, 3])),
        ("maps/bare".into(), rows(&[1, 1, 1])),
    ])
}

fn name(manifest: &Manifest, patch: usize) -> String {
    manifest.patch_name(&manifest.patches[patch])
}

/// Writes a part; `metadata` is what it says of its patches.
fn write(path: &Path, tensors: &HashMap<String, Tensor>, metadata: &[(&str, String)]) {
    let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    safetensors::serialize_to_file(tensors, Some(metadata), path).unwrap();
}

fn names(manifest: &Manifest, patches: &[usize]) -> (&'static str, String) {
    let names: Vec<String> = patches.iter().map(|&n| name(manifest, n)).collect();
    (PATCHES, serde_json::to_string(&names).unwrap())
}

/// A folder with all four patches in two parts, not in their order.
fn whole(manifest: &Manifest) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(RECORDING), HEADER).unwrap();
    for (file, patches) in [("b.safetensors", [2, 0]), ("a.safetensors", [1, 3])] {
        write(&folder.path().join(file), &tensors(&patches), &[names(manifest, &patches)]);
    }
    folder
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn what_was_recorded_is_found_by_number_in_any_order_and_precision() {
    let (manifest, store) = dataset();
    for kind in [DType::F32, DType::F16, DType::BF16] {
        let folder = whole(&manifest);
        let narrow = tensors(&[1, 3]).into_iter().map(|(k, t)| (k, t.to_dtype(kind).unwrap()));
        let narrow: HashMap<String, Tensor> = narrow.collect();
        // Names may end as the files of the patches do.
        let listed = format!("[\"{}.png\", \"{}\"]", name(&manifest, 1), name(&manifest, 3));
        write(&folder.path().join("a.safetensors"), &narrow, &[(PATCHES, listed)]);
        let recording = Recording::open(folder.path()).unwrap();
        assert_eq!((recording.len(), recording.files().len()), (4, 3));
        let shown = Shown::of(&recording, &manifest).unwrap();
        shown.check(&store, &[0, 1, 2, 3], "it").unwrap();
        assert_eq!(shown.strangers(), 0);
        let maps = shown.maps("last", &[3, 0, 1]).unwrap();
        assert_eq!(maps.dims(), [3, 3, 2, 2]);
        let expected: Vec<f32> =
            [3, 0, 1].iter().flat_map(|&n| values(&count(&[12], 8.0 * n as f32))).collect();
        assert_eq!(values(&maps), expected);
        assert!(shown.contributions("bare", &[0]).unwrap().is_none());
        assert!(shown.maps("other", &[0]).unwrap_err().to_string().contains("last, bare"));
    }
}

#[test]
fn outputs_become_classes() {
    let (manifest, _) = dataset();
    let folder = whole(&manifest);
    let recording = Recording::open(folder.path()).unwrap();
    let shown = Shown::of(&recording, &manifest).unwrap();
    // Of patch 0 the outputs are 0 (unused), 0.5 (normal), 1 (cancer) and 1.5 (benign, which is no cancer).
    let logits = values(&shown.logits(&[0]).unwrap());
    let benign_or_none = (0.5_f32.exp() + 1.5_f32.exp()).ln();
    assert!((logits[0] - benign_or_none).abs() < 1e-6 && logits[1] == 1.0, "{logits:?}");
    let adds = shown.contributions("last", &[0]).unwrap().unwrap();
    assert_eq!((adds.len(), adds[1].dims()), (2, &[1, 3][..]));
    assert_eq!(values(&adds[1]), [3.0, 3.5, 4.0], "as of the output of cancer");
    let share = 1.5_f32.exp() / (0.5_f32.exp() + 1.5_f32.exp());
    let mixed = 1.5 * (1.0 - share) + 4.5 * share;
    assert!((values(&adds[0])[0] - mixed).abs() < 1e-5, "{adds:?}");
}

#[test]
fn a_linear_layer_gives_its_weights_and_another_that_says_so_is_refused() {
    let (manifest, _) = dataset();
    let header = HEADER
        .replace("classes: [unused, normal, cancer, benign]", "classes: [normal, cancer]")
        .replace("contributions: true", "contributions: true, linear: true");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(RECORDING), header).unwrap();
    let all = [0, 1, 2, 3];
    let mut part = tensors(&all);
    part.insert("logits".into(), count(&[4, 2], 0.0));
    let means = part["maps/last"].flatten_from(2).unwrap().mean(2).unwrap();
    let weights = Tensor::new(&[[1.0_f32, -2.0, 0.5], [0.25, 0.0, 3.0]], &Device::Cpu).unwrap();
    let adds = means.unsqueeze(1).unwrap().broadcast_mul(&weights.unsqueeze(0).unwrap()).unwrap();
    part.insert("contributions/last".into(), adds.clone());
    let path = folder.path().join("a.safetensors");
    write(&path, &part, &[names(&manifest, &all)]);
    let recording = Recording::open(folder.path()).unwrap();
    let shown = Shown::of(&recording, &manifest).unwrap();
    let found = shown.weights("last", &[0, 1, 2, 3]).unwrap().unwrap();
    for (found, expected) in found.iter().flatten().zip(values(&weights)) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
    part.insert("contributions/last".into(), (adds.sqr()).unwrap());
    write(&path, &part, &[names(&manifest, &all)]);
    let recording = Recording::open(folder.path()).unwrap();
    let shown = Shown::of(&recording, &manifest).unwrap();
    let message = shown.weights("last", &[0, 1, 2, 3]).unwrap_err().to_string();
    assert!(message.contains("no weight times") && message.contains("last"), "{message}");
}

#[test]
fn what_does_not_fit_is_told_with_file_tensor_and_both_shapes() {
    let (manifest, _) = dataset();
    type Change = fn(&mut HashMap<String, Tensor>);
    let changes: [(Change, &[&str]); 5] = [
        (
            |t| drop(t.insert("maps/last".into(), count(&[2, 3, 2, 3], 0.0))),
            &["`maps/last` has the shape [2, 3, 2, 3]", "which is [2, 3, 2, 2]"],
        ),
        (
            |t| drop(t.insert("logits".into(), count(&[2, 3], 0.0))),
            &["`logits` has the shape [2, 3]", "outputs", "[2, 4]"],
        ),
        (|t| drop(t.remove("contributions/last")), &["no tensor `contributions/last`"]),
        (
            |t| drop(t.insert("maps/lost".into(), count(&[2, 1], 0.0))),
            &["`maps/lost`", "does not speak of", "maps/bare"],
        ),
        (
            |t| {
                drop(
                    t.insert("logits".into(), Tensor::new(&[[1_u32; 4]; 2], &Device::Cpu).unwrap()),
                )
            },
            &["`logits` is of U32", "F16"],
        ),
    ];
    for (change, says) in changes {
        let folder = whole(&manifest);
        let mut part = tensors(&[1, 3]);
        change(&mut part);
        write(&folder.path().join("a.safetensors"), &part, &[names(&manifest, &[1, 3])]);
        let message = format!("{:#}", Recording::open(folder.path()).unwrap_err());
        for part in says.iter().chain(&["a.safetensors"]) {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
    for (metadata, says) in [
        (vec![], "no `patches`"),
        (vec![(PATCHES, "a b".into())], "not a list in JSON"),
        (vec![names(&manifest, &[1])], "which is [1, 4]"),
        (vec![names(&manifest, &[1, 2])], "b.safetensors has the patch"),
        (vec![names(&manifest, &[1, 1])], "twice"),
        (
            vec![names(&manifest, &[1, 3]), (PIXELS, "[1]".into())],
            "`pixels` in its metadata lists 1",
        ),
    ] {
        let folder = whole(&manifest);
        write(&folder.path().join("a.safetensors"), &tensors(&[1, 3]), &metadata);
        let message = format!("{:#}", Recording::open(folder.path()).unwrap_err());
        assert!(message.contains(says) && message.contains("safetensors"), "{says}: {message}");
    }
}

#[test]
fn a_file_that_is_cut_short_or_something_else_is_refused() {
    let (manifest, _) = dataset();
    let folder = whole(&manifest);
    let path = folder.path().join("a.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    for (bytes, says) in [
        (&bytes[..bytes.len() - 3], "cut short"),
        (&bytes[..20], "not a file of safetensors"),
        (&b"\xff\xff\xff\xff\xff\xff\xff\xffmore"[..], "not a file of safetensors"),
        (b"", "not a file of safetensors"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let message = format!("{:#}", Recording::open(folder.path()).unwrap_err());
        assert!(message.contains(says) && message.contains("a.safetensors"), "{message}");
    }
    std::fs::remove_file(folder.path().join(RECORDING)).unwrap();
    let message = Recording::open(folder.path()).unwrap_err().to_string();
    assert!(message.contains("nothing is recorded"), "{message}");
    std::fs::write(folder.path().join(RECORDING), HEADER).unwrap();
    for file in ["a.safetensors", "b.safetensors"] {
        std::fs::remove_file(folder.path().join(file)).unwrap();
    }
    assert!(Recording::open(folder.path()).unwrap_err().to_string().contains("no parts"));
}

#[test]
fn a_value_that_is_no_number_is_told_with_its_patch_and_place() {
    let (manifest, _) = dataset();
    let folder = whole(&manifest);
    let mut part = tensors(&[1, 3]);
    let mut maps = values(&part["maps/last"]);
    maps[12 + 4 + 2 + 1] = f32::INFINITY;
    part.insert("maps/last".into(), Tensor::from_vec(maps, (2, 3, 2, 2), &Device::Cpu).unwrap());
    write(&folder.path().join("a.safetensors"), &part, &[names(&manifest, &[1, 3])]);
    let recording = Recording::open(folder.path()).unwrap();
    let shown = Shown::of(&recording, &manifest).unwrap();
    shown.maps("last", &[0, 1, 2]).unwrap();
    let message = format!("{:#}", shown.maps("last", &[3]).unwrap_err());
    for says in ["a.safetensors", "`maps/last`", &name(&manifest, 3), "inf at [1, 1, 1]"] {
        assert!(message.contains(says), "{says}: {message}");
    }
}

#[test]
fn patches_that_are_missing_strange_or_changed_are_counted_and_named() {
    let (manifest, store) = dataset();
    let folder = whole(&manifest);
    let part = tensors(&[1, 3]);
    let listed = format!("[\"{}\", \"stranger\"]", name(&manifest, 1));
    write(&folder.path().join("a.safetensors"), &part, &[(PATCHES, listed)]);
    let recording = Recording::open(folder.path()).unwrap();
    let shown = Shown::of(&recording, &manifest).unwrap();
    assert_eq!(shown.strangers(), 1);
    shown.check(&store, &[0, 1, 2], "a part").unwrap();
    let message = shown.check(&store, &[0, 1, 2, 3], "the test split").unwrap_err().to_string();
    for says in ["1 of the 4 patches of the test split", &name(&manifest, 3), "1 of the 4 recorded"]
    {
        assert!(message.contains(says), "{says}: {message}");
    }
    assert!(shown.maps("last", &[3]).unwrap_err().to_string().contains("was not recorded"));
    // Pixels as they are now of one, and others of the other.
    let pixels = format!("[{}, 5]", crc32fast::hash(store.pixels(1)));
    let folder = whole(&manifest);
    let metadata = [names(&manifest, &[1, 3]), (PIXELS, pixels)];
    write(&folder.path().join("a.safetensors"), &part, &metadata);
    let recording = Recording::open(folder.path()).unwrap();
    let shown = Shown::of(&recording, &manifest).unwrap();
    shown.check(&store, &[0, 1, 2], "it").unwrap();
    let message = shown.check(&store, &[0, 1, 2, 3], "it").unwrap_err().to_string();
    assert!(message.contains("other pixels") && message.contains(&name(&manifest, 3)), "{message}");
}

#[test]
fn classes_that_the_data_set_does_not_have_are_refused() {
    let (mut manifest, _) = dataset();
    let folder = whole(&manifest);
    let header =
        HEADER.replace("[unused, normal, cancer, benign]", "[normal, normal, cancer, normal]");
    std::fs::write(folder.path().join(RECORDING), header).unwrap();
    let recording = Recording::open(folder.path()).unwrap();
    Shown::of(&recording, &manifest).unwrap();
    manifest.patching.classes = 3;
    let message = Shown::of(&recording, &manifest).unwrap_err().to_string();
    assert!(message.contains("activations.yaml") && message.contains("one `benign`"), "{message}");
}
