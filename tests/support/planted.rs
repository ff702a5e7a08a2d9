//! A network of planted detectors, and patches of which one knows what they hold.

use std::collections::BTreeMap;

use base::Split;
use candle_core::{Device, Tensor};
use config::{Anchor, Dissection, Patches, Shares, Threshold, Visualised};
use mammogram::{About, Lesion, Mammogram, Outline, Pathology};
use network::Network;
use rand::RngExt;
use record::{Given, Manifest, Member, Patch, Store};

pub(crate) fn lesion(pathology: Pathology, term: Option<&str>, outline: Outline) -> Lesion {
    Lesion {
        pathology,
        terms: term.map(str::to_owned).into_iter().collect(),
        source_words: String::new(),
        outlines: vec![outline],
        subtlety: None,
        assessment: None,
    }
}

/// A rectangle in the patch of a number.
pub(crate) fn rectangle(patch: usize, edge: u32, [x, y, w, h]: [f32; 4]) -> Outline {
    let left = (patch as u32 * edge) as f32 + x;
    Outline::Polygon(vec![[left, y], [left + w, y], [left + w, y + h], [left, y + h]])
}

/// Patches side by side in one mammogram; those with a malignant lesion are positive.
pub(crate) fn manifest(count: usize, edge: u32, lesions: Vec<Lesion>) -> Manifest {
    let positive = |n: usize| {
        let (left, right) = ((n as u32 * edge) as f32, ((n + 1) as u32 * edge) as f32);
        lesions.iter().filter(|l| l.pathology == Pathology::Malignant).any(|l| {
            l.outlines
                .iter()
                .filter_map(Outline::bounds)
                .any(|[l, _, r, _]| l >= left && r <= right)
        })
    };
    let patches = (0..count)
        .map(|n| Patch {
            mammogram: 0,
            x: n as u32 * edge,
            y: 0,
            edge,
            positive: positive(n),
            benign: false,
            fractions: None,
            held: None,
        })
        .collect();
    let mammogram = Mammogram {
        id: "one".into(),
        patient: "one".into(),
        laterality: None,
        view: None,
        modifier: None,
        width: count as u32 * edge,
        height: edge,
        micron: None,
        density: None,
        facts: BTreeMap::new(),
        lesions,
        assigned: None,
        regions: Vec::new(),
    };
    Manifest {
        format: 2,
        source: About {
            kind: "phantom".into(),
            name: String::new(),
            description: String::new(),
            citation: String::new(),
            licence: None,
            phantom: true,
        },
        patching: Patches {
            window: 1.0,
            stride: 1.0,
            size: edge,
            min_lesion: 0.3,
            min_patch: 0.3,
            min_breast: 0.0,
            classes: 2,
            spot_views: false,
            labels: Default::default(),
        },
        shares: Shares { train: 0.0, validation: 1.0, test: 0.0 },
        seed: 7,
        given: Given::default(),
        summary: vec![],
        notices: vec![],
        mammograms: vec![Member {
            mammogram,
            split: Split::Validation,
            preview: None,
            breast: vec![],
        }],
        patches,
    }
}

pub(crate) fn settings(threshold: Threshold, anchor: Anchor, top: usize) -> Dissection {
    Dissection {
        split: Split::Validation,
        top,
        threshold,
        anchor,
        permutations: 50,
        detector: 0.04,
        visualisation: Visualised::None,
        visualisation_steps: 32,
    }
}

/// AlexNet with hand-made weights: unit 1 of its first layer answers to brightness, unit 2 to darkness,
/// unit 3 to rising edges, and no other to anything. Units 1 and 2 reach the classes.
pub(crate) fn planted() -> Network {
    let mut network = Network::new("alexnet", 2, 63, 1, &Device::Cpu).unwrap();
    let state: BTreeMap<String, Tensor> = network
        .state()
        .unwrap()
        .into_iter()
        .map(|(name, tensor)| {
            let dims = tensor.dims().to_vec();
            let mut values = vec![0f32; tensor.elem_count()];
            let at =
                |index: &[usize]| index.iter().zip(&dims).fold(0, |at, (i, size)| at * size + i);
            match name.as_str() {
                "features.0.weight" => {
                    for channel in 0..3 {
                        for (row, column) in (4..7).flat_map(|r| (4..7).map(move |c| (r, c))) {
                            values[at(&[0, channel, row, column])] = 1.0;
                            values[at(&[1, channel, row, column])] = -1.0;
                        }
                        for row in 3..8 {
                            for column in 0..5 {
                                values[at(&[2, channel, row, column])] = -1.0;
                                values[at(&[2, channel, row, 10 - column])] = 1.0;
                            }
                        }
                    }
                }
                // Grey 128 of 255, as normalised, gives nothing.
                "features.0.bias" => {
                    let grey = |mean: f32, deviation: f32| (128.0 / 255.0 - mean) / deviation;
                    let sum = grey(0.485, 0.229) + grey(0.456, 0.224) + grey(0.406, 0.225);
                    values[0] = -9.0 * sum;
                    values[1] = 9.0 * sum;
                }
                // Hand each unit on.
                "features.3.weight" => (0..2).for_each(|u| values[at(&[u, u, 2, 2])] = 1.0),
                "features.6.weight" | "features.8.weight" | "features.10.weight" => {
                    (0..2).for_each(|u| values[at(&[u, u, 1, 1])] = 1.0);
                }
                "classifier.1.weight" => {
                    (0..2).for_each(|u| (0..36).for_each(|i| values[at(&[u, u * 36 + i])] = 1.0));
                }
                "classifier.4.weight" => (0..2).for_each(|u| values[at(&[u, u])] = 1.0),
                // Brightness is evidence for cancer, and darkness, less, against it.
                "classifier.6.weight" => {
                    values[at(&[1, 0])] = 0.1;
                    values[at(&[0, 1])] = 0.02;
                }
                _ => {}
            }
            (name, Tensor::from_vec(values, dims, &Device::Cpu).unwrap())
        })
        .collect();
    network.set_state(&state).unwrap();
    network
}

/// Patches in turn of a bright disc, of dark up to an edge, and of nothing; what is in them is outlined,
/// and the discs are malignant.
pub(crate) fn discs_and_edges() -> (Manifest, Store) {
    let (edge, count) = (126u32, 48);
    let mut rng = base::seed::stream(4, "planted");
    let (mut pixels, mut lesions) = (Vec::new(), Vec::new());
    for n in 0..count {
        let mut image = vec![128u8; (edge * edge) as usize];
        let mut paint = |value: &dyn Fn(f32, f32) -> Option<f32>| {
            for (i, pixel) in image.iter_mut().enumerate() {
                let (x, y) = ((i as u32 % edge) as f32 + 0.5, (i as u32 / edge) as f32 + 0.5);
                if let Some(value) = value(x, y) {
                    *pixel = value as u8;
                }
            }
        };
        let left = (n as u32 * edge) as f32;
        match n % 3 {
            0 => {
                // A bright disc with a soft rim, half as bright at its outline.
                let [x, y] = std::array::from_fn(|_| rng.random_range(45.0..80.0_f32));
                paint(&|px, py| {
                    let d = (px - x).hypot(py - y);
                    (d < 32.0).then(|| 128.0 + 126.0 * ((32.0 - d) / 16.0).min(1.0))
                });
                let disc = Outline::Circle { x: left + x, y, radius: 24.0 };
                lesions.push(lesion(Pathology::Malignant, Some("disc"), disc));
            }
            1 => {
                // Dark up to a sharp edge.
                let to = rng.random_range(40..80) as f32;
                paint(&|px, _| (px < to).then_some(2.0));
                // The unit gives half of its best within five or six pixels of the edge.
                let band = rectangle(n, edge, [to - 5.5, 0.0, 11.0, edge as f32]);
                let dark = rectangle(n, edge, [0.0, 0.0, to, edge as f32]);
                lesions.push(lesion(Pathology::Unproven, Some("dark"), dark));
                lesions.push(lesion(Pathology::Unproven, Some("edge"), band));
            }
            _ => {}
        }
        pixels.extend(image);
    }
    let manifest = manifest(count, edge, lesions);
    let store = Store::in_memory(edge, &pixels).unwrap();
    (manifest, store)
}
