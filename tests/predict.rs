//! `predict` and `weights` as a user runs them, without a project: a ResNet-18 whose weights follow
//! from a formula, against what PyTorch computes (`tests/golden/weights.py`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use image::{GrayImage, RgbImage, RgbaImage};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::Value;

use crate::support::dicom;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/weights/golden.json")).unwrap()
}

/// The script's `values`.
fn values(seed: u32, count: usize) -> Vec<f32> {
    (0..count as u32)
        .map(|i| {
            let mut v = i.wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(40503) + 1);
            v ^= v >> 15;
            v = v.wrapping_mul(0x2C1B_3C6D);
            v ^= v >> 12;
            v = v.wrapping_mul(0x297A_2D39);
            v ^= v >> 15;
            (v >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// Writes the script's network as safetensors.
fn write_weights(path: &Path, change: impl Fn(&str, &mut Vec<f32>)) {
    let golden = golden();
    let mut tensors: BTreeMap<String, (Vec<usize>, Vec<u8>, Dtype)> = BTreeMap::new();
    for (seed, entry) in (1000..).zip(golden["state"].as_array().unwrap()) {
        let name = entry[0].as_str().unwrap();
        let dims: Vec<usize> =
            entry[1].as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect();
        if name.ends_with("num_batches_tracked") {
            tensors.insert(name.into(), (dims, 7i64.to_le_bytes().to_vec(), Dtype::I64));
            continue;
        }
        let (scale, offset) = match (name, dims.len()) {
            (name, _) if name.ends_with("running_var") => (0.5, 1.0),
            (name, 1) if name.ends_with("weight") => (0.25, 1.0),
            (_, 1) => (0.125, 0.0),
            _ => ((6.0 / dims[1..].iter().product::<usize>() as f32).sqrt(), 0.0),
        };
        let mut v = values(seed, dims.iter().product());
        v.iter_mut().for_each(|v| *v = *v * scale + offset);
        change(name, &mut v);
        // With fewer values it has fewer rows.
        let mut dims = dims;
        dims[0] = v.len() / dims[1..].iter().product::<usize>();
        let bytes = v.into_iter().flat_map(f32::to_le_bytes).collect();
        tensors.insert(name.into(), (dims, bytes, Dtype::F32));
    }
    let views = tensors.iter().map(|(name, (dims, bytes, dtype))| {
        (name.as_str(), TensorView::new(*dtype, dims.clone(), bytes).unwrap())
    });
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

/// Writes the images of the script into a folder.
fn write_images(folder: &Path) {
    for case in golden()["predictions"].as_array().unwrap() {
        let number = |key: &str| case[key].as_u64().unwrap() as u32;
        let (size, channels) = (number("size"), number("channels"));
        let bytes = values(number("seed"), (size * size * channels) as usize)
            .iter()
            .map(|v| ((v + 1.0) * 127.5).floor() as u8)
            .collect();
        let path = folder.join(format!("{}.png", case["name"].as_str().unwrap()));
        match channels {
            1 => GrayImage::from_raw(size, size, bytes).unwrap().save(path).unwrap(),
            _ => RgbImage::from_raw(size, size, bytes).unwrap().save(path).unwrap(),
        }
    }
}

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_unit-atlas"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked"), "{err}");
    (output.status.code(), out, err)
}

const PREDICT: [&str; 7] =
    ["predict", "--network", "resnet18", "--weights", "w.safetensors", "--input", "97"];

#[test]
fn predictions_are_pytorchs() {
    let folder = tempfile::tempdir().unwrap();
    write_weights(&folder.path().join("w.safetensors"), |_, _| {});
    write_images(folder.path());
    let images = ["grey.png", "colour.png", "larger.png"];
    let (status, out, err) =
        run(folder.path(), &[&PREDICT[..], &["--json", "-q"], &images[..]].concat());
    assert_eq!(status, Some(0), "{err}");
    let found: Value = serde_json::from_str(&out).unwrap();
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 3);
    for ((found, case), image) in
        found.iter().zip(golden()["predictions"].as_array().unwrap()).zip(images)
    {
        let keys: Vec<&String> = found.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["image", "logits", "probabilities"]);
        assert_eq!(found["image"], image);
        for (key, tolerance) in [("logits", 2e-5), ("probabilities", 2e-5)] {
            let list = |value: &Value| -> Vec<f64> {
                value[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
            };
            let (ours, theirs) = (list(found), list(case));
            let greatest = theirs.iter().fold(0f64, |m, v| m.max(v.abs()));
            assert_eq!(ours.len(), 3);
            for (ours, theirs) in ours.iter().zip(&theirs) {
                let off = (ours - theirs).abs();
                assert!(off <= tolerance * greatest, "{image} {key}: {ours} and {theirs}");
            }
        }
    }

    // The table, and one image alone gives the same.
    let named = ["--classes", "none,benign,malignant", "colour.png"];
    let (status, table, err) = run(folder.path(), &[&PREDICT[..], &named[..]].concat());
    assert_eq!(status, Some(0), "{err}");
    let probability = found[1]["probabilities"][2].as_f64().unwrap();
    assert!(table.contains("malignant") && table.contains(&format!("{probability:.4}")), "{table}");
    let verbose = run(folder.path(), &[&PREDICT[..], &["-v", "grey.png"]].concat());
    assert!(verbose.1.contains("at 97 pixels, on "), "{}", verbose.1);
    let wrong = run(folder.path(), &[&PREDICT[..], &["--classes", "a,b", "grey.png"]].concat());
    assert_eq!(wrong.0, Some(1));
    assert!(wrong.2.contains("names 2 classes, the weights tell 3 apart"), "{}", wrong.2);
}

/// 64 x 64 values of 12 bits.
fn deep() -> Vec<u16> {
    (0..64 * 64u32).map(|i| (40 + i * i * 7 % 3560) as u16).collect()
}

/// Writes the same values in several forms; returns the files' names.
fn write_deep(folder: &Path) -> Vec<&'static str> {
    let values = deep();
    let image =
        image::ImageBuffer::<image::Luma<u16>, _>::from_raw(64, 64, values.clone()).unwrap();
    image.save(folder.join("a.png")).unwrap();
    image.save(folder.join("a.tif")).unwrap();
    let big: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
    fs::write(folder.join("a.pgm"), [&b"P5 64 64 65535\n"[..], &big].concat()).unwrap();
    fs::write(folder.join("a.dcm"), dicom::file(&values, 64, 12, &[])).unwrap();
    vec!["a.png", "a.tif", "a.pgm", "a.dcm"]
}

#[test]
fn an_image_is_seen_as_prepare_sees_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write_weights(&path("w.safetensors"), |_, _| {});
    let names = write_deep(folder.path());
    let rows: String =
        names.iter().map(|name| format!("{name},{},p-{name}\n", &name[2..])).collect();
    fs::write(path("table.csv"), format!("image,id,patient\n{rows}")).unwrap();
    let config = "\
source: { kind: folder, path: table.csv }
patches: { window: 1.0, stride: 1.0, size: 64, min_breast: 0.0 }
networks: [{ name: resnet10, input: 33 }]
";
    fs::write(path("atlas.yaml"), config).unwrap();
    let (status, out, err) = run(folder.path(), &["prepare"]);
    assert_eq!(status, Some(0), "{out}{err}");
    let (status, out, err) = run(folder.path(), &["patches", "export", "patches"]);
    assert_eq!(status, Some(0), "{out}{err}");
    let patches: Vec<String> = walk(&path("patches"));
    assert_eq!(patches.len(), names.len(), "{patches:?}");

    // Black is the least value and white the greatest, in every form of more than 8 bits.
    let expected: Vec<u8> =
        deep().iter().map(|&v| (f64::from(v - 40) / 3559.0 * 255.0).round() as u8).collect();
    for patch in &patches {
        let pixels = image::open(patch).unwrap().into_luma8().into_raw();
        assert!(pixels.iter().zip(&expected).all(|(a, b)| a.abs_diff(*b) <= 1), "{patch}");
    }
    let of = |images: &[&str]| -> Vec<Value> {
        let (status, out, err) = run(folder.path(), &[&PREDICT[..], &["--json"], images].concat());
        assert_eq!(status, Some(0), "{err}");
        let found: Value = serde_json::from_str(&out).unwrap();
        found.as_array().unwrap().iter().map(|image| image["logits"].clone()).collect()
    };
    let originals = of(&names);
    let prepared = of(&patches.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(
        originals.iter().chain(&prepared).all(|logits| *logits == originals[0]),
        "{originals:?}"
    );
}

/// The PNG files below a folder.
fn walk(folder: &Path) -> Vec<String> {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.unwrap().into_path());
    let images = entries.filter(|path| path.extension().is_some_and(|e| e == "png"));
    images.map(|path| path.to_str().unwrap().to_owned()).collect()
}

/// A network of one output prints its sigmoid, not the softmax of one number, which is 1; wrapped as a
/// training script does it, and said.
#[test]
fn a_single_outputs_probability_is_its_sigmoid() {
    let folder = tempfile::tempdir().unwrap();
    write_weights(&folder.path().join("w.safetensors"), |name, v| match name {
        "fc.weight" => v.truncate(512),
        "fc.bias" => v.truncate(1),
        _ => {}
    });
    write_images(folder.path());
    let (status, out, err) = run(folder.path(), &[&PREDICT[..], &["--json", "grey.png"]].concat());
    assert_eq!(status, Some(0), "{err}");
    let found: Value = serde_json::from_str(&out).unwrap();
    let logit = golden()["predictions"][0]["logits"][0].as_f64().unwrap();
    let ours = found[0]["logits"][0].as_f64().unwrap();
    assert!((ours - logit).abs() < 2e-5 * logit.abs().max(1.0), "{ours} {logit}");
    let probability = found[0]["probabilities"][0].as_f64().unwrap();
    assert!((probability - 1.0 / (1.0 + (-ours).exp())).abs() < 1e-9, "{probability}");
    for (names, shown) in [(&[][..], "cancer"), (&["--classes", "tumour"][..], "tumour")] {
        let (_, table, _) = run(folder.path(), &[&PREDICT[..], names, &["grey.png"]].concat());
        assert!(table.contains(shown) && table.contains(&format!("{probability:.4}")), "{table}");
        assert!(!table.contains("class 0"), "{table}");
    }
}

#[test]
fn bad_images_are_skipped_aloud() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write_weights(&path("w.safetensors"), |_, _| {});
    GrayImage::new(40, 40).save(path("good.jpg")).unwrap();
    GrayImage::new(40, 30).save(path("wide.png")).unwrap();
    RgbaImage::new(40, 40).save(path("clear.png")).unwrap();
    fs::write(path("text.png"), "no image").unwrap();
    let all = ["--json", "wide.png", "good.jpg", "none.png", "clear.png", "text.png"];
    let (status, out, err) = run(folder.path(), &[&PREDICT[..], &all[..]].concat());
    assert_eq!(status, Some(2), "{err}");
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(found[0]["image"], "good.jpg");
    for part in ["wide.png: it is 40 x 30", "none.png: ", "clear.png: has transp", "text.png: "] {
        assert_eq!(err.matches(part).count(), 1, "{part} in {err}");
    }
    let (status, _, err) = run(folder.path(), &[&PREDICT[..], &["wide.png"]].concat());
    assert_eq!(status, Some(1), "{err}");
    assert!(err.contains("the image could not be used"), "{err}");

    // An overflow inside the network is no prediction.
    write_weights(&path("w.safetensors"), |name, v| {
        if name == "fc.weight" || name == "layer4.1.bn2.weight" {
            v.iter_mut().for_each(|v| *v *= 1e30);
        }
    });
    let (status, out, err) = run(folder.path(), &[&PREDICT[..], &["--json", "good.jpg"]].concat());
    assert_eq!((status, out.trim()), (Some(1), "[]"), "{err}");
    assert!(err.contains("not finite"), "{err}");
}

#[test]
fn mistakes_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    write_weights(&folder.path().join("w.safetensors"), |_, _| {});
    GrayImage::new(97, 97).save(folder.path().join("a.png")).unwrap();
    let mut failing = vec![
        (vec!["predict", "--network", "resnet18", "a.png"], "without --weights"),
        (
            vec!["predict", "--network", "resnet50", "--weights", "w.safetensors", "a.png"],
            "w.safetensors holds resnet18 with 3 outputs, and resnet50",
        ),
        (
            vec!["predict", "--network", "lenet", "--weights", "w.safetensors", "a.png"],
            "unknown network \"lenet\"",
        ),
        // Memory for it is not asked for.
        ([&PREDICT[..6], &["99999", "a.png"]].concat(), "an input of 32 to 2048 pixels"),
        ([&PREDICT[..6], &["31", "a.png"]].concat(), "31 were asked for"),
        // A mistake of usage is a failure; 2 is for what was skipped.
        (vec!["predict", "--network"], "a value is required"),
        (vec!["predikt"], "unrecognized subcommand"),
        (vec!["weights", "trunk", "resnet18", "t.bin", "--from", "w.safetensors"], ".safetensors"),
        (vec!["weights", "fetch", "lenet"], "no published weights of lenet"),
    ];
    if !cfg!(feature = "cuda") {
        let gpu = ["--device", "cuda:3", "a.png"];
        failing.push(([&PREDICT[..], &gpu[..]].concat(), "--features cuda"));
    }
    if !cfg!(feature = "hub") {
        failing.push((vec!["weights", "fetch", "vgg16"], "--features hub"));
    }
    for (arguments, part) in failing {
        let (status, _, err) = run(folder.path(), &arguments);
        assert_eq!(status, Some(1), "{arguments:?}: {err}");
        assert!(err.contains(part), "{part:?} is not in: {err}");
        assert_eq!(err.matches("error:").count(), 1, "{err}");
    }
}

#[test]
fn the_version_is_that_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let told = run(folder.path(), &["--version"]);
    let version = format!("unit-atlas {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(told, (Some(0), version, String::new()));
}

#[test]
fn weights_are_listed_and_trunks_written() {
    let folder = tempfile::tempdir().unwrap();
    write_weights(&folder.path().join("w.safetensors"), |_, _| {});
    let (status, list, _) = run(folder.path(), &["weights", "list"]);
    assert_eq!(status, Some(0));
    for part in
        ["alexnet-owt-7be5be79.pth", "SHA-256 397923af8e79cdbb", "timm/inception_v3.tv_in1k"]
    {
        assert!(list.contains(part), "{list}");
    }
    let write = ["weights", "trunk", "resnet18", "t.safetensors", "--from", "w.safetensors"];
    let (status, _, err) = run(folder.path(), &write);
    assert_eq!(status, Some(0), "{err}");
    let size = |name: &str| fs::metadata(folder.path().join(name)).unwrap().len();
    let (trunk, whole) = (size("t.safetensors"), size("w.safetensors"));
    assert!(trunk * 2 < whole + whole / 100, "{trunk} {whole}");
    // A trunk alone predicts nothing.
    GrayImage::new(97, 97).save(folder.path().join("a.png")).unwrap();
    let arguments = ["predict", "--network", "resnet18", "--weights", "t.safetensors", "a.png"];
    let (status, _, err) = run(folder.path(), &arguments);
    assert_eq!(status, Some(1));
    assert!(err.contains("is a trunk"), "{err}");
}
