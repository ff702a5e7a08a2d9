//! Explanations of networks whose units are known.

use candle_core::Device;

use super::*;
use crate::planted::{discs_and_edges, lesion, manifest, planted, rectangle, settings};
use base::progress::Silent;
use config::{Anchor, Dissection, Threshold};
use dissection::{Activations, Shard, Target};
use mammogram::Pathology;
use network::Network;
use record::{Manifest, Store};

/// The last layer of a network, dissected on these patches.
fn dissected(job: &Job, layer: &str, folder: &Path) -> Layer {
    let folder = folder.join(layer);
    let stamp = Stamp::new(1);
    let layers: Vec<Target> = vec![(layer, &folder, &stamp)];
    dissection::probe(job, &layers, Shard::ALL, &Silent).unwrap();
    dissection::merge(job, &layers, &Silent).unwrap();
    record::dissection::read(&folder).unwrap()
}

fn job<'a>(
    network: &'a Network,
    manifest: &'a Manifest,
    store: &'a Store,
    settings: &'a Dissection,
) -> Job<'a> {
    Job {
        name: "planted",
        activations: Activations::Run(network),
        weights_blake3: "",
        manifest,
        store,
        settings,
    }
}

/// Why one patch has its score, as if it alone were scored.
fn of_patch(job: &Job, layer: &Layer, patch: u32) -> Explanation {
    explanation(job, layer, (Split::Validation, &[(patch, vec![0.3, 0.7])]), &Silent).unwrap()
}

#[test]
fn a_planted_network_is_explained_as_planted() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, store) = discs_and_edges();
    let network = planted();
    let settings = settings(Threshold::FractionOfMax(0.5), Anchor::ReceptiveField, 8);
    let job = job(&network, &manifest, &store, &settings);
    let layer = dissected(&job, "conv5", folder.path());
    for disc in [0, 3, 24] {
        let explanation = of_patch(&job, &layer, disc);
        let [found] = &explanation.mammograms[..] else { panic!("one mammogram") };
        assert!(!explanation.exact && found.patch == disc && found.probability == 0.7);
        // Brightness, unit 1, is all the evidence for cancer; no bias says anything.
        let [part] = &found.units[..] else { panic!("{:?}", found.units) };
        assert_eq!(part.unit, 1);
        assert!(found.margin > 0.5 && found.rest.abs() < 1e-4 * found.margin, "{found:?}");
        assert!((part.contribution - found.margin).abs() < 1e-4 * found.margin);
        assert_eq!(found.evidence, part.contribution);
        // Nothing else speaks: without it both classes are as likely.
        assert!((part.without.unwrap() - 0.5).abs() < 1e-3, "{part:?}");
        assert!((part.adds[1] - part.adds[0] - part.contribution).abs() < 1e-5, "{part:?}");
        assert!(found.lesions.unwrap().any < 0.2);
        // At this depth a region is most of the patch.
        assert!(
            part.inside.unwrap().any >= found.lesions.unwrap().any && part.overlay.starts_with('M')
        );
        assert_eq!(explanation.evidence[0], part.contribution);
        assert!(explanation.evidence[1..].iter().all(|evidence| *evidence == 0.0));
    }
    // Darkness is evidence against it, and nothing for nothing.
    let dark = &of_patch(&job, &layer, 1).mammograms[0];
    assert!(dark.margin < -0.01 && dark.units.is_empty() && dark.evidence == 0.0);
    let nothing = &of_patch(&job, &layer, 2).mammograms[0];
    assert!(nothing.margin.abs() < 1e-4 && nothing.lesions.is_none());
}

#[test]
fn where_the_layer_is_averaged_into_the_logits_only_the_biases_are_left() {
    let folder = tempfile::tempdir().unwrap();
    let (edge, count) = (64, 6);
    let mass =
        lesion(Pathology::Malignant, Some("mass"), rectangle(1, edge, [8.0, 8.0, 30.0, 20.0]));
    let manifest = manifest(count, edge, vec![mass]);
    let pixels = 0..count as u32 * edge * edge;
    let pixels: Vec<u8> = pixels.map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let store = Store::in_memory(edge, &pixels).unwrap();
    let network = Network::new("resnet18", 2, 64, 7, &Device::Cpu).unwrap();
    let bias = network.parameters().iter().find(|(name, _)| name == "fc.bias").unwrap();
    let bias = bias.1.as_detached_tensor().to_vec1::<f32>().unwrap();
    let settings = settings(Threshold::Quantile(0.05), Anchor::ReceptiveField, 4);
    let job = job(&network, &manifest, &store, &settings);
    let layer = dissected(&job, "layer4", folder.path());
    for patch in 0..count as u32 {
        let explanation = of_patch(&job, &layer, patch);
        let found = &explanation.mammograms[0];
        assert!(explanation.exact);
        assert!((found.rest - (bias[1] - bias[0])).abs() < 1e-4, "{} {bias:?}", found.rest);
        assert!(found.units.windows(2).all(|two| two[0].contribution >= two[1].contribution));
        assert_eq!(found.units.len(), UNITS);
        assert_eq!(found.lesions.is_some(), patch == 1);
        // A silent unit is one whose weights into the classes are zero: one of them, and two together.
        for silent in [&found.units[..1], &found.units[3..5]] {
            let logits = without(&network, store.pixels(patch), edge, silent);
            let told: Vec<f32> = (0..2)
                .map(|class| {
                    let adds: f32 = silent.iter().map(|part| part.adds[class]).sum();
                    found.logits[class] - adds
                })
                .collect();
            let pairs = told.iter().zip(&logits);
            assert!(pairs.clone().all(|(a, b)| (a - b).abs() < 1e-4), "{told:?} {logits:?}");
            if let [part] = silent {
                let probability = probability_of_last(&logits);
                assert!((part.without.unwrap() - probability).abs() < 1e-4, "{part:?}");
            }
        }
        // One mammogram: the mean is its own.
        let first = &found.units[0];
        let mean = &explanation.mean[first.unit as usize - 1];
        assert!(mean.iter().zip(&first.adds).all(|(a, b)| (a - b).abs() < 1e-5));
        let kept: f32 = found.units.iter().map(|part| part.contribution).sum();
        assert!(kept > 0.0 && kept <= found.evidence * 1.0001);
    }
}

/// Logits of a patch from a forward pass of a network with some units' weights into the classes at zero.
fn without(network: &Network, pixels: &[u8], edge: u32, silent: &[Part]) -> Vec<f32> {
    let (_, weight) = network.parameters().iter().find(|(name, _)| name == "fc.weight").unwrap();
    let whole = weight.as_detached_tensor().copy().unwrap();
    let mut rows = whole.to_vec2::<f32>().unwrap();
    for row in &mut rows {
        silent.iter().for_each(|part| row[part.unit as usize - 1] = 0.0);
    }
    let zeroed = candle_core::Tensor::new(rows, &Device::Cpu).unwrap();
    weight.set(&zeroed).unwrap();
    let images = network.images(&[pixels], edge).unwrap();
    let logits = network.inference().logits(&images).unwrap().to_vec2::<f32>().unwrap();
    weight.set(&whole).unwrap();
    logits[0].clone()
}

#[test]
fn the_first_of_the_highest_patches_decides() {
    let manifest = manifest(4, 8, vec![]);
    let scores = |values: &[f32]| -> Vec<(u32, Vec<f32>)> {
        (0..).zip(values).map(|(n, &p)| (n, vec![1.0 - p, p])).collect()
    };
    let found = deciding(&scores(&[0.1, 0.6, 0.6, 0.2]), &manifest.patches).unwrap();
    assert_eq!(found, [(1, 0.6)]);
    assert!(deciding(&[(4, vec![0.5, 0.5])], &manifest.patches).is_err());
}
