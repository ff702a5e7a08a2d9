//! Small Mammo-CLIPs against the parts that theirs are made of (`tests/golden/mammo_clip.py`).

use candle_core::DType;
use serde_json::Value;

use super::plan::Text;
use super::tests::{EDGE, Files, PLACES, SCALE, SPACE, State, patches, state, texts};
use super::*;
use crate::tests::{close, flat, golden_of, numbers, values};

const SMALL: bert::Plan =
    bert::Plan { depth: 2, width: 16, heads: 2, vocabulary: 92, positions: 10, places: PLACES };
const PUBLISHED: [&str; 2] = ["mammo_clip_b2", "mammo_clip_b5"];

fn plan(case: &Value) -> Plan {
    let [edge, input] = ["edge", "input"].map(|key| case[key].as_u64().unwrap());
    let image = mammo_clip::Plan { scale: [0.5, 0.5], edge: edge as usize };
    Plan::mammo(image, input as u32, SMALL, SPACE)
}

fn vocabulary(golden: &Value) -> String {
    let pieces = golden["vocabulary"].as_array().unwrap().iter();
    pieces.map(|piece| format!("{}\n", piece.as_str().unwrap())).collect()
}

/// A folder with tensors and vocab.txt.
fn files(golden: &Value, state: &State) -> Files {
    let files = Files::new(state, &golden["tokenizer"]);
    files.tokenizer_is(&vocabulary(golden));
    files
}

fn namer(golden: &Value) -> Namer {
    files(golden, &state(golden)).open("small", &plan(&golden["cases"][0])).unwrap()
}

#[test]
fn they_compute_what_their_authors_code_computes() {
    let golden = golden_of("mammo_clip");
    let (texts, patches) = (texts(&golden), patches());
    let patches: Vec<&[u8]> = patches.iter().map(Vec::as_slice).collect();
    let files = files(&golden, &state(&golden));
    for case in golden["cases"].as_array().unwrap() {
        let namer = files.open("small", &plan(case)).unwrap();
        assert_eq!([namer.width(), namer.input() as usize], [SPACE, plan(case).input as usize]);
        assert!((namer.scale() - SCALE.exp()).abs() < 1e-3);
        let found = namer.images(&patches, EDGE).unwrap().concat();
        close(&found, &numbers(&case["images"]), 2e-5, "images");
        let found = namer.texts(&texts).unwrap().concat();
        close(&found, &numbers(&golden["embeddings"]), 2e-5, "texts");
    }
}

#[test]
fn what_becomes_of_one_does_not_depend_on_those_beside_it() {
    let golden = golden_of("mammo_clip");
    let (texts, patches, namer) = (texts(&golden), patches(), namer(&golden));
    for (text, expected) in texts.iter().zip(namer.texts(&texts).unwrap()) {
        assert_eq!(namer.texts(&[text]).unwrap()[0], expected, "{text:?}");
    }
    let many: Vec<&[u8]> = patches.iter().cycle().take(5).map(Vec::as_slice).collect();
    for (patch, expected) in many.iter().zip(namer.images(&many, EDGE).unwrap()) {
        assert_eq!(namer.images(&[patch], EDGE).unwrap()[0], expected);
    }
}

/// An accelerator is given texts of different lengths together.
#[test]
fn places_that_fill_a_text_up_change_nothing() {
    let golden = golden_of("mammo_clip");
    let namer = namer(&golden);
    let tokens: Vec<Vec<u32>> =
        texts(&golden).iter().map(|text| namer.tokens.of(text).unwrap()).collect();
    let alone = namer.texts.run(&tokens, namer.tokens.padding).unwrap();
    let all: Vec<&Vec<u32>> = tokens.iter().collect();
    let together = namer.texts.at_once(&all, namer.tokens.padding).unwrap();
    close(&flat(&together), &flat(&alone), 1e-5, "texts");
}

#[test]
fn both_of_its_tokenizers_files_are_read() {
    let golden = golden_of("mammo_clip");
    let files = Files::new(&state(&golden), &golden["tokenizer"]);
    for text in [golden["tokenizer"].to_string(), vocabulary(&golden)] {
        files.tokenizer_is(&text);
        let tokens = files.open("small", &plan(&golden["cases"][0])).unwrap().tokens;
        for (text, ids) in texts(&golden).into_iter().zip(golden["ids"].as_array().unwrap()) {
            let ids: Vec<u32> = serde_json::from_value(ids.clone()).unwrap();
            assert_eq!(tokens.of(text).unwrap(), ids, "{text:?}");
        }
        assert_eq!(tokens.of(&"a mass ".repeat(2000)).unwrap().len(), PLACES);
    }
    let more = format!("{}more\n", vocabulary(&golden));
    for (text, words) in [
        (&*more, "has 93 tokens, and the text tower knows 92"),
        ("mass\n[SEP]\n[UNK]\n[PAD]", "has no token [CLS]"),
        ("[CLS]\n[SEP]\n[PAD]", "has no token [UNK]"),
        ("", "has no token [CLS]"),
        ("{}", "is no tokenizer"),
    ] {
        files.tokenizer_is(text);
        let error = files.open("small", &plan(&golden["cases"][0])).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("vocab.txt of emily"), "{error}");
    }
    let path = files.tokenizer();
    std::fs::write(&path, b"\xff\xfe").unwrap();
    let error = files.open("small", &plan(&golden["cases"][0])).unwrap_err().to_string();
    assert!(error.contains("vocab.txt of emilyalsentzer/Bio_ClinicalBERT"), "{error}");
}

/// As `torch.save` of its training nests them.
#[test]
fn it_is_found_in_a_checkpoint() {
    let golden = golden_of("mammo_clip");
    let expected = namer(&golden).texts(&["a mass"]).unwrap();
    let mut wrapped: State =
        state(&golden).into_iter().map(|(name, t)| (format!("model.{name}"), t)).collect();
    let ids = Tensor::arange(0i64, 10, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
    let embeddings = "model.text_encoder.text_encoder.embeddings";
    wrapped.insert(format!("{embeddings}.position_ids"), ids);
    wrapped.insert("optimizer.exp_avg".into(), values(1, &[3]));
    let counter = Tensor::new(7i64, &Device::Cpu).unwrap();
    wrapped.insert("model.image_encoder._bn0.num_batches_tracked".into(), counter);
    let found = files(&golden, &wrapped).open("small", &plan(&golden["cases"][0])).unwrap();
    assert_eq!(found.texts(&["a mass"]).unwrap(), expected);
}

#[test]
fn other_files_are_refused_in_words_that_help() {
    let golden = golden_of("mammo_clip");
    let refusal = |change: &dyn Fn(&mut State)| {
        let mut state = state(&golden);
        change(&mut state);
        let opened = files(&golden, &state).open("small", &plan(&golden["cases"][0]));
        format!("{:#}", opened.expect_err("refused"))
    };
    let says = |error: String, words: &str| {
        assert!(error.contains("model.safetensors") && error.contains(words), "{error}");
    };
    let without = |part: &'static str| {
        move |state: &mut State| state.retain(|name, _| !name.starts_with(part))
    };
    says(refusal(&without("text_encoder.")), "holds no text tower");
    says(refusal(&without("image_")), "holds a text tower and no image tower");
    says(refusal(&without("logit_scale")), "has no logit_scale");
    let gone = "image_encoder._blocks.3._se_reduce.bias";
    says(refusal(&without(gone)), "blocks.3.block.2.fc1.bias is missing");
    says(refusal(&without("image_projection.")), "classifier.1.weight is missing");
    let layer = "text_encoder.text_encoder.encoder.layer.1.output.dense.bias";
    says(refusal(&without(layer)), "text_model.encoder.layer.1.output.dense.bias is missing");
    let other = |state: &mut State| drop(state.insert(layer.to_owned(), values(1, &[15])));
    says(refusal(&other), "output.dense.bias has the shape [15] where [16] is expected");
    let twice = |state: &mut State| {
        state.insert("vision_model.features.0.0.weight".into(), values(1, &[3]));
    };
    says(refusal(&twice), "are both vision_model.features.0.0.weight");
}

#[test]
fn the_published_ones_have_their_authors_sizes() {
    let golden = golden_of("mammo_clip");
    for name in PUBLISHED {
        let plan = Plan::of(name).unwrap();
        assert!(matches!(plan.text, Text::Bert(bert::Plan { vocabulary: 28_996, .. })));
        let mut wanted = plan.wanted().unwrap();
        wanted.retain(|(name, _)| !name.ends_with("num_batches_tracked"));
        let all: usize = wanted.iter().map(|(_, dims)| dims.iter().product::<usize>()).sum();
        let sizes: [usize; 2] = serde_json::from_value(golden["sizes"][name].clone()).unwrap();
        // The scale is none of those of a plan.
        assert_eq!([wanted.len() + 1, all + 1], sizes, "{name}");
    }
}

#[test]
fn the_other_one_is_named() {
    let zero = Tensor::zeros((), DType::F32, &Device::Cpu).unwrap();
    let wide = |(name, dims): (String, Vec<usize>)| (name, zero.broadcast_as(dims).unwrap());
    let [small, large] = PUBLISHED;
    let tensors = Plan::of(small).unwrap().wanted().unwrap().into_iter().map(wide).collect();
    assert_eq!(file::looks(large, &tensors).unwrap(), Some(small));
}
