//! Weight files for the fuzzer: small ones of every form, with the first convolution of a ResNet under
//! several names, so that the search for a network is fuzzed too.

use std::collections::BTreeMap;

use candle_core::{DType, Tensor};

use super::{Weights, contents};
use crate::fuzz::{Target, outcome};
use crate::tests::values;

/// A safetensors file with the beginning of a ResNet under some names.
fn resnet(prefixes: &[&str]) -> Vec<u8> {
    let mut tensors: BTreeMap<String, Tensor> = BTreeMap::new();
    for prefix in prefixes {
        for (name, dims) in [
            ("conv1.weight", &[64, 1, 7, 7][..]),
            ("bn1.weight", &[64]),
            ("layer1.0.bn1.running_mean", &[64]),
            ("fc.1.weight", &[1, 512]),
            ("fc.1.bias", &[1]),
            ("criterion.pos_weight", &[1]),
        ] {
            let half = values(1, dims).to_dtype(DType::F16).unwrap();
            tensors.insert(format!("{prefix}{name}"), half);
        }
    }
    safetensors::serialize(&tensors, None).unwrap()
}

pub(crate) fn target() -> Target {
    let file = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/");
        std::fs::read(format!("{folder}{name}")).unwrap()
    };
    let golden = [
        "state.pth",
        "nested.pth",
        "weights/kinds.pth",
        "weights/kinds-old.pth",
        "weights/state-old.pth",
        "weights/checkpoint-old.pth.tar",
        "weights/ancient.pth.tar",
        "weights/command.pth",
        "weights/model.pth",
    ];
    let forms = [&[""][..], &["model.", "ema."], &["model.", "state_dict.", "encoder_k."]];
    Target {
        name: "weights",
        seeds: golden.map(file).into_iter().chain(forms.map(resnet)).collect(),
        words: &[
            "state_dict.",
            "module.",
            "_orig_mod.",
            "ema.",
            "backbone.0.weight",
            "conv1.weight",
            "fc.1.weight",
            "criterion",
            "num_batches_tracked",
            "momentum.",
            "\"dtype\":\"BF16\"",
            "\"dtype\":\"I8\"",
            "\"data_offsets\":[0,",
            "\"shape\":[",
            "PK\u{3}\u{4}",
            "data.pkl",
            "ctorch._utils\n_rebuild_tensor_v2\n",
            "ctorch\nFloatStorage\n",
            "ctorch\nCharStorage\n",
            "ccollections\nOrderedDict\n",
            "K\u{1}",
            "tR",
            "(lp0\n",
            "q\u{0}",
            "h\u{0}",
            "}(",
            "u.",
            "\u{2}}",
        ],
        read: |bytes| {
            let shown = "weights".to_owned();
            let read = contents(bytes, true).and_then(|found| Weights::of_contents(shown, found));
            let located = read.and_then(|weights| {
                let size = |t: &Tensor| t.elem_count() * t.dtype().size_in_bytes();
                let total: usize = weights.tensors().values().map(size).sum();
                assert!(total <= 8 * bytes.len(), "{total} bytes out of {}", bytes.len());
                weights.locate("resnet10")
            });
            outcome(located.map_err(|error| format!("{error:#}")), |located| {
                let scope = super::Scope::Whole;
                format!("{} {:?}", located.mismatch(2, 3, scope), located.remarks())
            })
        },
    }
}
