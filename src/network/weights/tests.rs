//! Files as PyTorch and training scripts write them (`tests/golden/weights.py`), damaged ones, and
//! other files that people mistake for weights.

use std::io::Write;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::Value;

use super::super::tests::{dims, flat, same, values};
use super::*;
use crate::Network;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/weights")
}

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../tests/golden/weights/golden.json")).unwrap()
}

/// A file in a folder of its own.
fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn safetensors_file(tensors: &BTreeMap<String, Tensor>) -> (tempfile::TempDir, PathBuf) {
    file("weights.safetensors", &safetensors::serialize(tensors, None).unwrap())
}

#[track_caller]
fn refused(path: &Path, parts: &[&str]) {
    let message = format!("{:#}", Weights::read(path).unwrap_err());
    let name = path.file_name().unwrap().to_str().unwrap();
    for part in parts.iter().chain([&name]) {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

#[test]
fn every_kind_of_tensor_is_read_in_both_forms() {
    for name in ["kinds.pth", "kinds-old.pth"] {
        let weights = Weights::read(&folder().join(name)).unwrap();
        let of = |name: &str| &weights.tensors()[name];
        let base = values(1, &[4, 6]);
        let all = flat(&base);
        assert_eq!(flat(of("plain")), all, "{name}");
        assert_eq!(of("transposed").dims(), [6, 4]);
        assert_eq!(flat(of("transposed")), flat(&base.t().unwrap().contiguous().unwrap()));
        assert_eq!(flat(of("column")), [all[2], all[8], all[14], all[20]]);
        assert_eq!(flat(of("block")), [all[8], all[9], all[10], all[14], all[15], all[16]]);
        assert_eq!(flat(of("parameter")), all[..6]);
        assert_eq!(of("double").dtype(), DType::F64);
        assert_eq!(flat(&of("double").to_dtype(DType::F32).unwrap()), all);
        for (half, dtype) in [("half", DType::F16), ("bfloat", DType::BF16)] {
            assert_eq!(of(half).dtype(), dtype);
            let rounded = base.to_dtype(dtype).unwrap().to_dtype(DType::F32).unwrap();
            assert_eq!(flat(&of(half).to_dtype(DType::F32).unwrap()), flat(&rounded));
        }
        assert_eq!(of("long").to_vec1::<i64>().unwrap(), [-3, -2, -1, 0, 1, 2]);
        assert_eq!(of("scalar").to_scalar::<i64>().unwrap(), 7);
        assert_eq!(of("empty").dims(), [0, 3]);
        assert_eq!(weights.tensors().len(), 11);
    }
}

#[test]
fn state_dictionaries_are_found_in_every_form() {
    let golden = folder().parent().unwrap().to_path_buf();
    for (path, key) in [
        (golden.join("state.pth"), ""),
        (golden.join("nested.pth"), "state_dict."),
        (folder().join("state-old.pth"), ""),
        (folder().join("checkpoint-old.pth.tar"), "state_dict."),
    ] {
        let weights = Weights::read(&path).unwrap();
        let names: Vec<_> =
            weights.tensors().keys().filter_map(|name| name.strip_prefix(key)).collect();
        let names: Vec<_> = names.into_iter().filter(|name| name.starts_with(['0', '1'])).collect();
        let expected = [
            "0.bias",
            "0.weight",
            "1.bias",
            "1.num_batches_tracked",
            "1.running_mean",
            "1.running_var",
            "1.weight",
        ];
        assert_eq!(names, expected, "{path:?}");
        let first = &weights.tensors()[&format!("{key}0.weight")];
        assert_eq!(flat(first), flat(&values(1, &[2, 1, 2, 2])));
    }
}

/// See `read_zip`.
#[test]
fn the_name_of_a_file_changes_nothing() {
    let weights = Weights::read(&folder().join("name_of_21_characters.pth")).unwrap();
    assert_eq!(flat(&weights.tensors()["weight"]), flat(&values(1, &[4, 6]))[..6]);
}

#[test]
fn checkpoints_of_python_2_on_a_gpu_are_read() {
    let weights = Weights::read(&folder().join("ancient.pth.tar")).unwrap();
    let names: Vec<_> = weights.tensors().keys().map(String::as_str).collect();
    let names: Vec<_> = names.iter().filter_map(|name| name.strip_prefix("state_dict.")).collect();
    assert_eq!(names, ["classifier.6.weight", "features.0.bias", "features.0.weight"]);
    let of = |name: &str| &weights.tensors()[&format!("state_dict.{name}")];
    assert_eq!(flat(of("features.0.weight")), flat(&values(1, &[8])));
    assert_eq!(flat(of("classifier.6.weight")), flat(&values(3, &[6])));
    assert_eq!(of("features.0.weight").dims(), [2, 1, 2, 2]);
}

/// The script's `fill`.
fn filled(golden: &Value) -> BTreeMap<String, Tensor> {
    (1000..)
        .zip(golden["state"].as_array().unwrap())
        .map(|(seed, entry)| {
            let (name, dims) = (entry[0].as_str().unwrap(), dims(&entry[1]));
            let v = values(seed, &dims);
            let tensor = if name.ends_with("num_batches_tracked") {
                Tensor::new(7i64, &Device::Cpu).unwrap()
            } else if name.ends_with("running_var") {
                v.affine(0.5, 1.0).unwrap()
            } else if dims.len() == 1 && name.ends_with("weight") {
                v.affine(0.25, 1.0).unwrap()
            } else if dims.len() == 1 {
                v.affine(0.125, 0.0).unwrap()
            } else {
                let fan: usize = dims[1..].iter().product();
                v.affine((6.0 / fan as f64).sqrt(), 0.0).unwrap()
            };
            (name.to_string(), tensor)
        })
        .collect()
}

/// A tensor's values as a storage holds them.
fn raw(tensor: &Tensor) -> Vec<u8> {
    match tensor.dtype() {
        DType::I64 => tensor.to_scalar::<i64>().unwrap().to_le_bytes().to_vec(),
        _ => flat(tensor).into_iter().flat_map(f32::to_le_bytes).collect(),
    }
}

/// The file that PyTorch wrote, from its beginning and the values.
fn rebuilt(name: &str, golden: &Value, state: &BTreeMap<String, Tensor>) -> Vec<u8> {
    let order = golden["order"][name].as_array().unwrap().iter();
    let tensors = order.map(|name| &state[name.as_str().unwrap()]);
    if name.ends_with("old") {
        let mut bytes = std::fs::read(folder().join(name.to_string() + ".head")).unwrap();
        for tensor in tensors {
            bytes.extend((tensor.elem_count() as i64).to_le_bytes());
            bytes.extend(raw(tensor));
        }
        return bytes;
    }
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    archive.start_file("archive/data.pkl", stored).unwrap();
    archive.write_all(&std::fs::read(folder().join(name.to_string() + ".pkl")).unwrap()).unwrap();
    for (key, tensor) in tensors.enumerate() {
        archive.start_file(format!("archive/data/{key}"), stored).unwrap();
        archive.write_all(&raw(tensor)).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The same ResNet-18 out of every kind of file gives PyTorch's logits.
#[test]
fn a_network_is_the_same_through_every_form() {
    let golden = golden();
    let state = filled(&golden);
    let grey = &golden["predictions"][0];
    let pixels: Vec<u8> =
        flat(&values(1, &[97 * 97])).iter().map(|v| ((v + 1.0) * 127.5).floor() as u8).collect();
    let image = crate::images(&[&pixels], 97, 97, &Device::Cpu).unwrap();
    let mut files = vec![safetensors_file(&state)];
    for name in ["resnet18-old", "resnet18-checkpoint-old", "resnet18"] {
        // The name says nothing, the content does.
        files.push(file("weights.bin", &rebuilt(name, &golden, &state)));
    }
    let mut all = Vec::new();
    for (_folder, path) in &files {
        let network = Network::open("resnet18", 97, path, &Device::Cpu).unwrap();
        let logits = network.inference().logits(&image).unwrap();
        assert_eq!(logits.dims(), [1, 3]);
        same(&logits, &grey["logits"], &path.display().to_string());
        all.push(flat(&logits));
    }
    assert!(all.iter().all(|logits| *logits == all[0]), "{all:?}");
}

/// Writes a network's state with changes and loads it.
fn loaded_with(change: impl Fn(&mut BTreeMap<String, Tensor>)) -> Result<()> {
    let mut network = Network::new("resnet10", 2, 33, 1, &Device::Cpu).unwrap();
    let before = network.state().unwrap();
    let mut state = Network::new("resnet10", 2, 33, 2, &Device::Cpu).unwrap().state().unwrap();
    change(&mut state);
    let (_folder, path) = safetensors_file(&state);
    let result = network.load(&path);
    if result.is_err() {
        let after = network.state().unwrap();
        assert!(before.iter().all(|(name, t)| raw(t) == raw(&after[name])), "half loaded");
    }
    result
}

#[test]
fn wrong_weights_get_their_message_and_change_nothing() {
    let told = |result: Result<()>, parts: &[&str]| {
        let message = format!("{:#}", result.unwrap_err());
        for part in parts {
            assert!(message.contains(part), "{part:?} is not in: {message}");
        }
    };
    loaded_with(|_| {}).unwrap();
    // Counters are not missed: PyTorch before 0.4.1 had none.
    loaded_with(|state| state.retain(|name, _| !name.ends_with("tracked"))).unwrap();
    let poison = |value: f32| {
        move |state: &mut BTreeMap<String, Tensor>| {
            let mut values = flat(&state["layer1.0.conv1.weight"]);
            values[17] = value;
            let dims = state["layer1.0.conv1.weight"].dims().to_vec();
            let tensor = Tensor::from_vec(values, dims, &Device::Cpu).unwrap();
            state.insert("layer1.0.conv1.weight".into(), tensor);
        }
    };
    told(loaded_with(poison(f32::NAN)), &["layer1.0.conv1.weight", "not finite", "NaN"]);
    told(loaded_with(poison(f32::INFINITY)), &["layer1.0.conv1.weight", "not finite"]);
    let head = |classes: usize| {
        move |state: &mut BTreeMap<String, Tensor>| {
            state.insert("fc.weight".into(), values(1, &[classes, 512]));
            state.insert("fc.bias".into(), values(1, &[classes]));
        }
    };
    let parts = [
        "holds resnet10 with 1000 outputs (ImageNet's classes), and resnet10 with 2 outputs is",
        "training: false",
        "new one",
    ];
    told(loaded_with(head(1000)), &parts);
    told(loaded_with(head(3)), &["with 3 outputs", "`outputs` says"]);
    let no_head = |state: &mut BTreeMap<String, Tensor>| {
        state.retain(|name, _| !name.starts_with("fc."));
    };
    told(loaded_with(no_head), &["fc.weight is missing", "is a trunk", "without its last layer"]);
    let unfinished = |state: &mut BTreeMap<String, Tensor>| {
        *state = std::mem::take(state)
            .into_iter()
            .flat_map(|(n, t)| [(format!("model.{n}"), t.clone()), (format!("momentum.{n}"), t)])
            .collect();
    };
    told(loaded_with(unfinished), &["unfinished training", "weights.safetensors beside it"]);

    // Other architectures, told by their names.
    for other in ["resnet18", "inception_v3"] {
        let input = architecture::Architecture::find(other).unwrap().input;
        let state = Network::new(other, 2, input, 1, &Device::Cpu).unwrap().state().unwrap();
        let looks = format!("holds {other} with 2 outputs, and resnet10");
        let swap = |s: &mut BTreeMap<String, Tensor>| s.clone_from(&state);
        told(loaded_with(swap), &[&looks, "more"]);
    }
    let foreign = |start: &'static str| {
        move |state: &mut BTreeMap<String, Tensor>| {
            state.insert(format!("{start}weight"), values(1, &[2, 3]));
        }
    };
    told(loaded_with(foreign("patch_embed.proj.")), &["a vision transformer"]);
    told(loaded_with(foreign("features.denseblock1.")), &["a DenseNet"]);
}

#[test]
fn pickles_are_data() {
    let class = ["__main__.Net", "not a state dictionary", "nothing in it was executed"];
    refused(&folder().join("model.pth"), &class);
    for name in ["command.pth", "command-old.pth"] {
        let read = Weights::read(&folder().join(name)).unwrap();
        let message = format!("{:#}", read.locate("resnet10").unwrap_err());
        for part in [name, "fc.bias", ".system", "where a tensor is expected"] {
            assert!(message.contains(part), "{part:?} is not in: {message}");
        }
    }
    assert!(!Path::new("/tmp/unit-atlas-was-here").exists());
}

#[test]
fn files_that_are_no_weights_are_told_apart() {
    for (name, bytes, part) in [
        ("a.pth", &b""[..], "empty"),
        ("b.pth", b"PK\x03\x04 and no more", "truncated"),
        ("c.safetensors", b"nothing", "truncated"),
        ("d.pth", b"  <!DOCTYPE html><html>", "web page"),
        ("e.safetensors", b"<html><body>not found", "web page"),
        ("f.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "LFS"),
        ("g.pth", b"\x89HDF\r\n\x1a\n", "Keras"),
        ("h.pth", b"\x1f\x8b\x08", "gzip"),
        ("i.pth", b"\x80\x04\x95 a pickle", "not one of torch.save"),
        ("j.pth", b"anything else", "neither"),
        ("k.safetensors", b"\x02\0\0\0\0\0\0\0{}", "no tensor"),
        ("l.pth", b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02", "truncated"),
    ] {
        let (_folder, path) = file(name, bytes);
        refused(&path, &[part]);
    }
    refused(&folder().join("none.pth"), &[]);
    let (folder, _) = file("x", b"");
    assert!(Weights::read(folder.path()).is_err());
}

/// The first bytes of a safetensors file are a length, which may look like the mark of another kind.
#[test]
fn safetensors_of_every_header_length_are_read() {
    for padding in [0, 500, 602, 0x8b1f - 100] {
        let tensors = BTreeMap::from([("a".to_string(), values(1, &[3]))]);
        for more in 0..16 {
            let note = [("note".to_string(), "x".repeat(padding + 8 * more))].into();
            let (_folder, path) =
                file("a.pth", &safetensors::serialize(&tensors, Some(note)).unwrap());
            Weights::read(&path).unwrap();
        }
    }
}

#[test]
fn truncated_files_are_said_to_be() {
    for name in ["kinds.pth", "kinds-old.pth", "checkpoint-old.pth.tar", "ancient.pth.tar"] {
        let whole = std::fs::read(folder().join(name)).unwrap();
        for length in [whole.len() - 1, whole.len() / 2, 40] {
            let (_folder, path) = file(name, &whole[..length]);
            refused(&path, &["truncated"]);
        }
    }
    let state = BTreeMap::from([("a".to_string(), values(1, &[100]))]);
    let whole = safetensors::serialize(&state, None).unwrap();
    let (_folder, path) = file("a.safetensors", &whole[..whole.len() - 1]);
    refused(&path, &["truncated"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever the damage: an error, or tensors no larger than the file allows.
    #[test]
    fn damaged_files_neither_panic_nor_swell(
        which in 0usize..5,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let names =
            ["kinds.pth", "kinds-old.pth", "checkpoint-old.pth.tar", "ancient.pth.tar", "command.pth"];
        let mut bytes = std::fs::read(folder().join(names[which])).unwrap();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let (_folder, path) = file("damaged.pth", &bytes);
        if let Ok(weights) = Weights::read(&path) {
            let size = |t: &Tensor| t.elem_count() * t.dtype().size_in_bytes();
            let total: usize = weights.tensors().values().map(size).sum();
            prop_assert!(total <= 8 * bytes.len());
        }
    }
}

#[test]
fn wrappers_are_left_out_of_names() {
    let named = |names: &[&str]| {
        let tensors = names.iter().map(|name| (name.to_string(), values(1, &[2]))).collect();
        names::plain(tensors).map(|t| t.into_keys().collect::<Vec<_>>())
    };
    for (names, expected) in [
        (&["module.conv1.weight", "module.fc.bias"][..], &["conv1.weight", "fc.bias"][..]),
        (
            &["features.module.0.weight", "classifier.6.bias"],
            &["classifier.6.bias", "features.0.weight"],
        ),
        (&["_orig_mod.module.model.fc.bias"], &["model.fc.bias"]),
        // `head.fc` is VGG's only beside `pre_logits`.
        (&["head.fc.bias"], &["head.fc.bias"]),
        (
            &["net.head.fc.bias", "net.pre_logits.fc1.bias"],
            &["net.classifier.0.bias", "net.classifier.6.bias"],
        ),
    ] {
        assert_eq!(named(names).unwrap(), expected);
    }
    let message = named(&["module.fc.bias", "fc.bias"]).unwrap_err().to_string();
    assert!(message.contains("module.fc.bias") && message.contains("both"), "{message}");
}

/// timm keeps the fully connected layers of VGG as convolutions.
#[test]
fn timms_vgg_gets_torchvisions_names_and_shapes() {
    let theirs = [
        ("features.0.weight", &[4, 3, 3, 3][..]),
        ("pre_logits.fc1.weight", &[5, 4, 7, 7]),
        ("pre_logits.fc1.bias", &[5]),
        ("pre_logits.fc2.weight", &[6, 5, 1, 1]),
        ("pre_logits.fc2.bias", &[6]),
        ("head.fc.weight", &[2, 6]),
        ("head.fc.bias", &[2]),
    ];
    let tensors: BTreeMap<String, Tensor> =
        theirs.iter().map(|(name, dims)| (name.to_string(), values(1, dims))).collect();
    let ours = names::plain(tensors.clone()).unwrap();
    let shapes: Vec<(&str, &[usize])> = ours.iter().map(|(n, t)| (n.as_str(), t.dims())).collect();
    let expected: [(&str, &[usize]); 7] = [
        ("classifier.0.bias", &[5]),
        ("classifier.0.weight", &[5, 196]),
        ("classifier.3.bias", &[6]),
        ("classifier.3.weight", &[6, 5]),
        ("classifier.6.bias", &[2]),
        ("classifier.6.weight", &[2, 6]),
        ("features.0.weight", &[4, 3, 3, 3]),
    ];
    assert_eq!(shapes, expected);
    assert_eq!(flat(&ours["classifier.0.weight"]), flat(&tensors["pre_logits.fc1.weight"]));
}

#[test]
fn architectures_are_guessed() {
    let of = |names: &[(&str, &[usize])]| {
        let tensors = names.iter().map(|(n, dims)| (n.to_string(), values(1, dims))).collect();
        guess::guess(&tensors)
    };
    let chain = |indices: &[usize], first: &[usize]| {
        let name = |i: &usize| format!("features.{i}.weight");
        let dims = |i: &usize| if *i == 0 { first.to_vec() } else { vec![1; 4] };
        let tensors = indices.iter().map(|i| (name(i), values(1, &dims(i)))).collect();
        guess::guess(&tensors)
    };
    let vgg11 = [0, 3, 6, 8, 11, 13, 16, 18];
    assert_eq!(chain(&vgg11, &[64, 3, 3, 3]).as_deref(), Some("vgg11"));
    assert_eq!(chain(&[0, 3, 6, 8, 10], &[64, 3, 11, 11]).as_deref(), Some("alexnet"));
    assert_eq!(chain(&[0, 1], &[64, 3, 3, 3]), None);
    let deep = of(&[("layer1.0.conv1.weight", &[64, 1, 1, 1]), ("layer1.0.conv3.weight", &[1])]);
    assert_eq!(deep.as_deref(), Some("a ResNet with [1, 0, 0, 0] blocks"));
    assert_eq!(of(&[("a", &[1])]), None);
}

/// timm's Inception-v3 lacks the auxiliary classifier, which inference does not use.
#[test]
fn inception_without_its_auxiliary_classifier_is_loaded() {
    let source = Network::new("inception_v3", 2, 139, 1, &Device::Cpu).unwrap();
    let mut state = source.state().unwrap();
    state.retain(|name, _| !name.starts_with("AuxLogits."));
    let (_folder, path) = safetensors_file(&state);
    let network = Network::open("inception_v3", 139, &path, &Device::Cpu).unwrap();
    let loaded = network.state().unwrap();
    assert!(state.iter().all(|(name, tensor)| raw(tensor) == raw(&loaded[name])));
}

#[test]
fn trunks_keep_what_comes_before_the_fully_connected_layers() {
    for (name, input, first) in
        [("alexnet", 63, "features.0.weight"), ("resnet10", 33, "conv1.weight")]
    {
        let mut source = Network::new(name, 1000, input, 1, &Device::Cpu).unwrap();
        let mut state = source.state().unwrap();
        for (name, tensor) in &mut state {
            if name.ends_with("running_var") {
                // Nothing, in half precision.
                *tensor = tensor.affine(1e-9, 0.0).unwrap();
            }
        }
        source.set_state(&state).unwrap();
        let (folder, path) = safetensors_file(&state);
        let trunk = folder.path().join("trunk.safetensors");
        let weights = || Weights::read(&path).unwrap().locate(name).unwrap();
        save_trunk(&weights(), "a test", &trunk).unwrap();
        let bytes = std::fs::read(&trunk).unwrap();
        save_trunk(&weights(), "a test", &trunk).unwrap();
        assert!(bytes == std::fs::read(&trunk).unwrap(), "another file from the same weights");
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let note = &header.metadata().as_ref().unwrap()["trunk"];
        assert!(note.contains(name) && note.contains("a test"), "{note}");

        let mut fine = Network::new(name, 2, input, 7, &Device::Cpu).unwrap();
        let before = fine.state().unwrap();
        fine.load_trunk(&trunk).unwrap();
        let after = fine.state().unwrap();
        let kept = Weights::read(&trunk).unwrap();
        assert!(kept.tensors().keys().any(|kept| kept == first));
        assert!(kept.tensors().keys().all(|kept| !kept.contains("fc") && !kept.contains("class")));
        assert_eq!(Weights::read(&trunk).unwrap().locate(name).unwrap().outputs(), None);
        for (name, tensor) in &after {
            let connected = name.starts_with("fc.") || name.starts_with("classifier.");
            if connected {
                assert_eq!(raw(tensor), raw(&before[name]), "{name}");
            } else if name.ends_with("running_var") {
                assert_eq!(raw(tensor), raw(&state[name]), "{name}");
                assert!(flat(tensor).iter().all(|variance| *variance > 0.0));
            } else if !name.ends_with("tracked") {
                let near = flat(tensor)
                    .iter()
                    .zip(flat(&state[name]))
                    .all(|(a, b)| (a - b).abs() <= b.abs() * 1e-3 + 1e-7);
                assert!(near, "{name}");
            }
        }
        // Not to be used as it is, and not with something else missing.
        let message = format!("{:#}", fine.load(&trunk).unwrap_err());
        assert!(message.contains("is a trunk"), "{message}");
        let mut broken = kept.tensors().clone();
        broken.remove(first);
        let (_folder, path) = safetensors_file(&broken);
        let message = format!("{:#}", fine.load_trunk(&path).unwrap_err());
        assert!(message.contains(&format!("{first} is missing")), "{message}");
    }
    let head = BTreeMap::from([("fc.weight".to_string(), values(1, &[2, 3]))]);
    let (folder, path) = safetensors_file(&head);
    let weights = Weights::read(&path).unwrap().locate("resnet10").unwrap();
    assert!(save_trunk(&weights, "y", &folder.path().join("t.safetensors")).is_err());
}

/// AlexNet without its last layer only: the hidden layers are taken. With one of those missing: not.
#[test]
fn only_whole_groups_of_connected_layers_may_be_absent() {
    let source = Network::new("alexnet", 5, 63, 1, &Device::Cpu).unwrap();
    let mut state = source.state().unwrap();
    state.retain(|name, _| !name.starts_with("classifier.6."));
    let (_folder, path) = safetensors_file(&state);
    let mut network = Network::new("alexnet", 2, 63, 2, &Device::Cpu).unwrap();
    network.load_trunk(&path).unwrap();
    let loaded = network.state().unwrap();
    assert_eq!(raw(&loaded["classifier.4.weight"]), raw(&state["classifier.4.weight"]));
    state.remove("classifier.4.weight");
    let (_folder, path) = safetensors_file(&state);
    let message = format!("{:#}", network.load_trunk(&path).unwrap_err());
    assert!(message.contains("classifier.4.weight is missing"), "{message}");
}

#[test]
fn storages_shared_without_end_are_refused() {
    // One storage of 1000 values under 100 names.
    let values: Vec<u8> = vec![0; 4000];
    let mut pickle = b"\x80\x02}(".to_vec();
    for i in 0..100 {
        let name = format!("t{i:03}");
        pickle.extend(b"U\x04");
        pickle.extend(name.as_bytes());
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\n");
        pickle.extend(b"U\x010U\x03cpuM\xe8\x03tQK\x00M\xe8\x03\x85K\x01\x85\x89}tR");
    }
    pickle.extend(b"u.");
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in [("a/data.pkl", &pickle), ("a/data/0", &values)] {
        archive.start_file(name, stored).unwrap();
        archive.write_all(content).unwrap();
    }
    let (_folder, path) = file("shared.pth", &archive.finish().unwrap().into_inner());
    refused(&path, &["larger than the file"]);
}

/// The table of contents that `torch.jit.save` writes, whatever is in it.
#[test]
fn torchscript_is_told_how_to_become_a_state_dictionary() {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let packed =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for name in ["net/data.pkl", "net/code/__torch__.py", "net/constants.pkl", "net/version"] {
        archive.start_file(name, packed).unwrap();
        archive.write_all(b"x").unwrap();
    }
    let (_folder, path) = file("net.pt", &archive.finish().unwrap().into_inner());
    refused(&path, &["TorchScript", "torch.jit.load", ".state_dict()"]);
}

#[test]
fn a_view_of_nothing_may_begin_beyond_its_storage() {
    assert_eq!(super::torch::gather(&[], 7, &[0, 3], &[3, 1], 4), Some(vec![]));
    assert_eq!(super::torch::gather(&[0; 4], 1, &[1, 1], &[1, 1], 4), None);
}

/// Files that PyTorch wrote: every tensor has the values that PyTorch reads. Those that are checked in, or those
/// of the folder that `UNIT_ATLAS_WEIGHTS_CORPUS` names.
#[test]
fn pytorch_reads_the_same() {
    use safetensors::tensor::View;
    let checked_in = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/weights/corpus");
    let folder = std::env::var_os("UNIT_ATLAS_WEIGHTS_CORPUS").unwrap_or(checked_in.into());
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().unwrap() == "json" {
            continue;
        }
        files += 1;
        let text = std::fs::read_to_string(path.with_extension("json")).unwrap();
        let expected: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
        let contents = read(&path).unwrap_or_else(|error| panic!("{path:?}: {error:#}"));
        let names: Vec<&String> = contents.tensors.keys().collect();
        assert_eq!(names, expected.keys().collect::<Vec<_>>(), "{path:?}");
        for (name, expected) in &expected {
            let tensor = &contents.tensors[name];
            let kind = expected["kind"].as_str().unwrap();
            assert_eq!(format!("{:?}", View::dtype(tensor)), kind, "{path:?} {name}");
            assert_eq!(tensor.dims(), dims(&expected["shape"]), "{path:?} {name}");
            let bytes: String =
                View::data(tensor).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(bytes, expected["bytes"].as_str().unwrap(), "{path:?} {name}");
        }
    }
    eprintln!("{files} files");
    assert!(files >= 16);
}

/// One channel, one output, computed by `tests/golden/grey.py` from the definitions of the layers.
#[test]
fn grey_networks_compute_what_their_layers_define() {
    let mut shapes = golden();
    for entry in shapes["state"].as_array_mut().unwrap() {
        match entry[0].as_str().unwrap() {
            "conv1.weight" => entry[1][1] = 1.into(),
            "fc.weight" | "fc.bias" => entry[1][0] = 1.into(),
            _ => {}
        }
    }
    let state = filled(&shapes);
    let (_folder, path) = safetensors_file(&state);
    let network = Network::open("resnet18", 97, &path, &Device::Cpu).unwrap();
    let pixels: Vec<u8> =
        flat(&values(1, &[97 * 97])).iter().map(|v| ((v + 1.0) * 127.5).floor() as u8).collect();
    let images = network.images(&[&pixels], 97).unwrap();
    let found = flat(&network.inference().logits(&images).unwrap());
    let text = include_str!("../../../tests/golden/weights/grey.json");
    let expected = serde_json::from_str::<Value>(text).unwrap()["logit"].as_f64().unwrap();
    assert_eq!(found.len(), 1);
    let off = (f64::from(found[0]) - expected).abs();
    assert!(off < 1e-4 * expected.abs().max(1.0), "{} {expected}", found[0]);
}
