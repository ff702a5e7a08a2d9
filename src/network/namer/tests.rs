//! Small pairs against Hugging Face's and OpenCLIP's (`tests/golden/namers.py`), and against candle-transformers' own.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use candle_core::{DType, Module};
use candle_nn::VarBuilder;
use candle_transformers::models::{clip, siglip};
use serde_json::Value;

use super::plan::Text;
use super::*;
use crate::tests::{close, filled, flat, golden_of, numbers, values};
use crate::tower;
use architecture::tower::Tower as Kind;

pub(super) const SPACE: usize = 12;
pub(super) const PLACES: usize = 8;
pub(super) const EDGE: u32 = 40;
const PIXELS: usize = (EDGE * EDGE) as usize;
pub(super) const SCALE: f32 = 2.5;

pub(super) type State = BTreeMap<String, Tensor>;

fn plan(kind: &str) -> Plan {
    let image = |kind| tower::Plan::new(kind, [2, 24, 2], [8, 4]);
    let clip = || Plan::clip(image(Kind::Clip), 32, [2, 16, 2], [91, PLACES], SPACE);
    match kind {
        "clip" | "openclip_quick" => clip(),
        "clip_gelu" | "openclip" => clip().with_gelu(),
        "mobileclip" => {
            let image = mobile::Plan { channels: 8, blocks: [1; 4], tensors: 217 };
            Plan::mobile(image, 64, [2, 16, 2], [91, PLACES], SPACE)
        }
        "siglip" => Plan::sig_lip(image(Kind::SigLip), 32, [2, 24, 2], [73, PLACES]),
        _ => panic!("{kind}"),
    }
}

fn cases(golden: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let cases = golden["cases"].as_array().unwrap().iter();
    cases.map(|case| (case["kind"].as_str().unwrap(), case))
}

fn case<'g>(golden: &'g Value, kind: &str) -> &'g Value {
    cases(golden).find(|(name, _)| *name == kind).unwrap().1
}

/// A case's tensors, filled as the script fills them.
pub(super) fn state(case: &Value) -> State {
    let shapes = case["shapes"].as_object().unwrap().iter();
    let tensor = |(name, dims): (&String, &Value)| {
        let dims: Vec<usize> = serde_json::from_value(dims.clone()).unwrap();
        let tensor = match dims.iter().product() {
            1 => Tensor::full(SCALE, dims, &Device::Cpu).unwrap(),
            _ => filled(name, &dims),
        };
        (name.clone(), tensor)
    };
    shapes.map(tensor).collect()
}

/// A folder with weights and a tokenizer.
pub(super) struct Files(tempfile::TempDir);

impl Files {
    pub(super) fn new(state: &State, tokenizer: &Value) -> Files {
        let files = Files(tempfile::tempdir().unwrap());
        safetensors::serialize_to_file(state, None, &files.weights()).unwrap();
        files.tokenizer_is(&tokenizer.to_string());
        files
    }

    fn weights(&self) -> PathBuf {
        self.0.path().join("model.safetensors")
    }

    pub(super) fn tokenizer(&self) -> PathBuf {
        self.0.path().join("tokenizer.json")
    }

    pub(super) fn tokenizer_is(&self, text: &str) {
        std::fs::write(self.tokenizer(), text).unwrap();
    }

    pub(super) fn open(&self, kind: &str, plan: &Plan) -> Result<Namer> {
        Namer::of_plan(kind, plan, &self.weights(), &self.tokenizer(), &Device::Cpu)
    }
}

/// The tokenizer of a case.
fn tokenizer<'g>(golden: &'g Value, kind: &str) -> &'g Value {
    &golden["tokenizers"][vocabulary_of(kind)]
}

fn vocabulary_of(kind: &str) -> &'static str {
    if kind == "siglip" { "siglip" } else { "clip" }
}

fn namer(golden: &Value, kind: &str) -> Namer {
    Files::new(&state(case(golden, kind)), tokenizer(golden, kind)).open(kind, &plan(kind)).unwrap()
}

pub(super) fn texts(golden: &Value) -> Vec<&str> {
    golden["texts"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// The script's patches.
pub(super) fn patches() -> Vec<Vec<u8>> {
    let patch = |seed: u32| {
        let values = flat(&values(seed, &[PIXELS]));
        values.into_iter().map(|value| ((value + 1.0) * 128.0) as u8).collect()
    };
    (1..=2).map(patch).collect()
}

#[test]
fn they_compute_what_their_authors_code_computes() {
    let golden = golden_of("namers");
    let (texts, patches) = (texts(&golden), patches());
    let patches: Vec<&[u8]> = patches.iter().map(Vec::as_slice).collect();
    let mut seen = 0;
    for (kind, case) in cases(&golden) {
        let namer = namer(&golden, kind);
        let width = if kind == "siglip" { 24 } else { SPACE };
        let input = if kind == "mobileclip" { 64 } else { 32 };
        assert_eq!([namer.width(), namer.input() as usize], [width, input]);
        close(&[namer.scale()], &[SCALE.exp()], 1e-6, "scale");
        let found = namer.images(&patches, EDGE).unwrap();
        close(&found.concat(), &numbers(&case["images"]), 2e-5, &format!("images of {kind}"));
        let found = namer.texts(&texts).unwrap();
        close(&found.concat(), &numbers(&case["texts"]), 2e-5, &format!("texts of {kind}"));
        for row in &found {
            assert_eq!(row.len(), width);
            let length: f32 = row.iter().map(|v| v * v).sum();
            assert!((length - 1.0).abs() < 1e-5, "{length}");
        }
        seen += 1;
    }
    assert_eq!(seen, 6);
}

#[test]
fn what_becomes_of_one_does_not_depend_on_those_beside_it() {
    let golden = golden_of("namers");
    let (texts, patches) = (texts(&golden), patches());
    for kind in ["clip", "siglip", "mobileclip"] {
        let namer = namer(&golden, kind);
        let all = namer.texts(&texts).unwrap();
        for (text, expected) in texts.iter().zip(&all) {
            assert_eq!(&namer.texts(&[text]).unwrap()[0], expected, "{text:?} of {kind}");
        }
        let both: Vec<&[u8]> = patches.iter().map(Vec::as_slice).collect();
        let all = namer.images(&both, EDGE).unwrap();
        for (patch, expected) in both.iter().zip(&all) {
            assert_eq!(&namer.images(&[patch], EDGE).unwrap()[0], expected, "{kind}");
        }
        assert!(
            namer.texts(&[]).unwrap().is_empty() && namer.images(&[], EDGE).unwrap().is_empty()
        );
    }
}

/// An accelerator is given texts of different lengths together.
#[test]
fn places_after_the_end_of_a_text_change_nothing() {
    let golden = golden_of("namers");
    for kind in ["clip", "siglip", "mobileclip"] {
        let namer = namer(&golden, kind);
        let tokens: Vec<Vec<u32>> =
            texts(&golden).iter().map(|text| namer.tokens.of(text).unwrap()).collect();
        let padding = namer.tokens.padding;
        let alone = namer.texts.run(&tokens, padding).unwrap();
        let all: Vec<&Vec<u32>> = tokens.iter().collect();
        let together = namer.texts.at_once(&all, padding).unwrap();
        close(&flat(&together), &flat(&alone), 1e-5, kind);
    }
}

#[test]
fn texts_are_cut_and_filled_up_as_by_hugging_face() {
    let golden = golden_of("namers");
    for kind in ["clip", "siglip"] {
        let tokens = namer(&golden, kind).tokens;
        let expected = golden["ids"][kind].as_array().unwrap();
        for (text, expected) in texts(&golden).into_iter().zip(expected) {
            let expected: Vec<u32> = serde_json::from_value(expected.clone()).unwrap();
            let mut found = tokens.of(text).unwrap();
            assert!(found.len() <= PLACES && !found.is_empty());
            found.resize(PLACES, tokens.padding);
            assert_eq!(found, expected, "{text:?} of {kind}");
        }
        let long = tokens.of(&"a mass ".repeat(2000)).unwrap();
        assert_eq!([long.len(), *long.last().unwrap() as usize], [PLACES, tokens.padding as usize]);
    }
}

/// What its published tokenizer does in code.
#[test]
fn sig_lips_texts_are_cleaned() {
    let tokens = namer(&golden_of("namers"), "siglip").tokens;
    assert_eq!(tokens.of("  A (mass)!\n").unwrap(), tokens.of("a mass").unwrap());
}

/// candle-transformers' weights.
fn for_candle(state: State) -> VarBuilder<'static> {
    let tensors: HashMap<String, Tensor> = state.into_iter().collect();
    VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu)
}

#[test]
fn candles_own_text_towers_agree_where_they_are_right() {
    let golden = golden_of("namers");
    let embedded = |kind: &str, texts: &[&str]| {
        let namer = namer(&golden, kind);
        let tokens: Vec<Vec<u32>> =
            texts.iter().map(|text| namer.tokens.of(text).unwrap()).collect();
        let seen = namer.texts.run(&tokens, namer.tokens.padding).unwrap();
        let filled = tokens.into_iter().flat_map(|mut ids| {
            ids.resize(PLACES, namer.tokens.padding);
            ids
        });
        let ids: Vec<u32> = filled.collect();
        (Tensor::from_vec(ids, (texts.len(), PLACES), &Device::Cpu).unwrap(), seen, namer)
    };
    let (ids, seen, _) = embedded("clip", &texts(&golden));
    let config = clip::text_model::ClipTextConfig {
        vocab_size: 91,
        embed_dim: 16,
        activation: clip::text_model::Activation::QuickGelu,
        intermediate_size: 64,
        max_position_embeddings: PLACES,
        pad_with: None,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        projection_dim: SPACE,
    };
    let weights = for_candle(state(case(&golden, "clip"))).pp("text_model");
    let theirs = clip::text_model::ClipTextTransformer::new(weights, &config).unwrap();
    close(&flat(&theirs.forward(&ids).unwrap()), &flat(&seen), 1e-5, "CLIP's texts");

    let (ids, seen, namer) = embedded("siglip", &texts(&golden));
    let config = siglip::TextConfig {
        vocab_size: 73,
        hidden_size: 24,
        intermediate_size: 96,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        max_position_embeddings: PLACES,
        hidden_act: candle_nn::Activation::GeluPytorchTanh,
        layer_norm_eps: 1e-6,
        pad_token_id: 1,
        bos_token_id: 0,
        eos_token_id: 1,
    };
    let weights = for_candle(state(case(&golden, "siglip"))).pp("text_model");
    let theirs = siglip::TextModel::new(&config, weights).unwrap().forward(&ids).unwrap();
    let ours = namer.of_texts.run(&seen).unwrap();
    close(&flat(&theirs), &flat(&ours), 1e-5, "SigLIP's texts");
}

#[test]
fn the_published_pairs_have_their_authors_sizes() {
    let golden = golden_of("namers");
    for namer in NAMERS {
        let plan = Plan::of(namer.name).unwrap();
        assert_eq!([plan.input, plan.text.places() as u32], [namer.input, namer.tokens]);
        let (Image::Tower(..), Text::Tower(text)) = (plan.image, plan.text) else { continue };
        let wanted = plan.wanted().unwrap();
        let all: usize = wanted.iter().map(|(_, dims)| dims.iter().product::<usize>()).sum();
        let [tensors, numbers]: [usize; 2] =
            serde_json::from_value(golden["sizes"][namer.name].clone()).unwrap();
        // SigLIP has a bias beside the scale. OpenCLIP's layout has query, key and value in one.
        let scalars = if namer.name.starts_with("siglip") { 2 } else { 1 };
        let apart = match namer.name.starts_with("openclip") {
            true => 4 * (text.depth + 12),
            false => 0,
        };
        assert_eq!(
            [wanted.len() + scalars - apart, all + scalars],
            [tensors, numbers],
            "{namer:?}"
        );
    }
    assert!(architecture::namer::find("clip").is_none() && Plan::of("clip").is_none());
}

#[test]
fn pairs_are_found_in_what_scripts_wrap_around_them() {
    let golden = golden_of("namers");
    let text = ["a mass"];
    for kind in ["clip", "siglip", "openclip", "openclip_quick", "mobileclip"] {
        let expected = namer(&golden, kind).texts(&text).unwrap();
        let state = state(case(&golden, kind));
        let mut wrapped: State =
            state.iter().map(|(name, t)| (format!("model.clip.{name}"), t.clone())).collect();
        wrapped.insert("model.head.weight".to_owned(), values(1, &[3, SPACE]));
        let ids = Tensor::arange(0i64, 8, &Device::Cpu).unwrap();
        wrapped.insert("model.clip.text_model.embeddings.position_ids".to_owned(), ids);
        let files = Files::new(&wrapped, tokenizer(&golden, kind));
        let found = files.open(kind, &plan(kind)).unwrap().texts(&text).unwrap();
        assert_eq!(found, expected, "{kind}");
    }
    // OpenCLIP's text tower as a module of its own.
    let expected = namer(&golden, "openclip").texts(&text).unwrap();
    let own = |name: &str| match name.starts_with("visual.") || name == "logit_scale" {
        true => name.to_owned(),
        false => format!("text.{name}"),
    };
    let state: State =
        state(case(&golden, "openclip")).into_iter().map(|(n, t)| (own(&n), t)).collect();
    let files = Files::new(&state, tokenizer(&golden, "openclip"));
    let found = files.open("openclip", &plan("openclip")).unwrap().texts(&text).unwrap();
    assert_eq!(found, expected);
}

/// What opening a changed CLIP says.
fn refusal(change: impl FnOnce(&mut State)) -> String {
    let golden = golden_of("namers");
    let mut state = state(case(&golden, "clip"));
    change(&mut state);
    let files = Files::new(&state, tokenizer(&golden, "clip"));
    format!("{:#}", files.open("small", &plan("clip")).expect_err("refused"))
}

#[test]
fn other_files_are_refused_in_words_that_help() {
    let says = |error: &str, words: &[&str]| {
        assert!(error.contains("model.safetensors"), "{error}");
        for words in words {
            assert!(error.contains(words), "{error} lacks {words}");
        }
    };
    let error = refusal(|state| state.retain(|name, _| !name.starts_with("text_model")));
    says(&error, &["holds no text tower", "use the file with both"]);
    let error = refusal(|state| state.retain(|name, _| name.starts_with("text_model")));
    says(&error, &["holds a text tower and no image tower", "use the file with both"]);
    let name = "text_model.encoder.layers.1.mlp.fc1.bias";
    let error = refusal(|state| drop(state.remove(name)));
    says(&error, &[&format!("{name} is missing")]);
    let error = refusal(|state| drop(state.insert(name.to_owned(), values(1, &[63]))));
    says(&error, &[&format!("{name} has the shape [63] where [64] is expected")]);
    let more = "text_model.encoder.layers.2.mlp.fc1.bias";
    let error = refusal(|state| drop(state.insert(more.to_owned(), values(1, &[64]))));
    says(&error, &[&format!("{more} is unknown")]);
    let error = refusal(|state| drop(state.remove("logit_scale")));
    says(&error, &["has no logit_scale"]);
    let error = refusal(|state| drop(state.insert("logit_scale".to_owned(), values(1, &[2]))));
    says(&error, &["logit_scale has the shape [2]"]);
    let infinite = Tensor::full(f32::NAN, 64, &Device::Cpu).unwrap();
    let error = refusal(|state| drop(state.insert(name.to_owned(), infinite)));
    says(&error, &["64 values of 64 that are not finite"]);
    let error = refusal(|state| {
        let again: Vec<_> =
            state.iter().map(|(name, t)| (format!("average.{name}"), t.clone())).collect();
        state.extend(again);
    });
    says(&error, &["holds more than one pair of towers, under `average.` and without a prefix"]);
    // Zeros tell no direction.
    let golden = golden_of("namers");
    let zeros: State = state(case(&golden, "clip"))
        .into_iter()
        .map(|(n, t)| (n, t.zeros_like().unwrap()))
        .collect();
    let namer =
        Files::new(&zeros, tokenizer(&golden, "clip")).open("small", &plan("clip")).unwrap();
    let error = namer.texts(&["a"]).unwrap_err().to_string();
    assert!(error.contains("has no direction"), "{error}");
}

/// candle-transformers' FastViT goes without what it does not find.
#[test]
fn mobile_clips_lacking_a_branch_are_refused() {
    let golden = golden_of("namers");
    let refusal = |change: &dyn Fn(&mut State)| {
        let mut state = state(case(&golden, "mobileclip"));
        change(&mut state);
        let files = Files::new(&state, tokenizer(&golden, "mobileclip"));
        format!("{:#}", files.open("small", &plan("mobileclip")).expect_err("refused"))
    };
    let branch = "visual.trunk.stem.0.conv_scale.";
    let error = refusal(&|state| state.retain(|name, _| !name.starts_with(branch)));
    assert!(error.contains("212 tensors where 217 are expected"), "{error}");
    let error = refusal(&|state| drop(state.remove(&format!("{branch}conv.weight"))));
    assert!(error.contains("tensors"), "{error}");
    let error = refusal(&|state| {
        state.insert(format!("{branch}conv.weight"), values(1, &[8, 3, 2, 1]));
    });
    assert!(
        error.contains("1 tensors are unknown or of another shape: stem.0.conv_scale.conv.weight"),
        "{error}"
    );
    let error = refusal(&|state| drop(state.remove("visual.trunk.head.fc.weight")));
    assert!(error.contains("visual.trunk.head.fc.weight is missing"), "{error}");
    let error = refusal(&|state| state.retain(|name, _| !name.starts_with("visual.")));
    assert!(error.contains("no image tower"), "{error}");
}

#[test]
fn damage_in_open_clips_layout_is_said() {
    let golden = golden_of("namers");
    for (name, dims, words) in [
        ("visual.proj", vec![24], "a matrix is expected"),
        ("transformer.resblocks.0.attn.in_proj_weight", vec![47, 16], "query, key and value"),
        ("transformer.resblocks.0.attn.in_proj_bias", vec![], "query, key and value"),
        ("visual_projection.weight", vec![12, 24], "are both visual_projection.weight"),
    ] {
        let mut state = state(case(&golden, "openclip"));
        let count = dims.iter().product();
        state.insert(name.to_owned(), values(1, &[count]).reshape(dims).unwrap());
        let files = Files::new(&state, tokenizer(&golden, "openclip"));
        let error = format!("{:#}", files.open("small", &plan("openclip")).expect_err("refused"));
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn another_kind_is_named() {
    // The smallest of those that are published, of zeros.
    let plan = Plan::of("clip_vit_base_patch16").unwrap();
    let zero = Tensor::zeros((), DType::F32, &Device::Cpu).unwrap();
    let wide = |(name, dims): (String, Vec<usize>)| (name, zero.broadcast_as(dims).unwrap());
    let tensors: State = plan.wanted().unwrap().into_iter().map(wide).collect();
    assert_eq!(
        file::looks("clip_vit_base_patch32", &tensors).unwrap(),
        Some("clip_vit_base_patch16")
    );
    let error = Namer::open("clip", Path::new("a"), Path::new("b"), &Device::Cpu).unwrap_err();
    assert!(error.to_string().contains("known are clip_vit_base_patch32, "), "{error}");
}

#[test]
fn other_tokenizers_are_refused_in_words_that_help() {
    let golden = golden_of("namers");
    let files = Files::new(&state(case(&golden, "clip")), tokenizer(&golden, "clip"));
    let refusal = |text: &str, plan: &Plan| {
        files.tokenizer_is(text);
        let error = files.open("small", plan).expect_err("refused").to_string();
        assert!(error.contains("tokenizer.json"), "{error}");
        error
    };
    let clip = plan("clip");
    for text in ["", "{}", "[1, 2]", "<html>", r#"{"a": 1, "mass</w>": 2}"#, "\u{0}"] {
        let error = refusal(text, &clip);
        assert!(error.contains("is no tokenizer: the tokenizer.json that lies"), "{error}");
    }
    let error = refusal(&golden["tokenizers"]["siglip"].to_string(), &clip);
    assert!(error.contains("has no token <|startoftext|>"), "{error}");
    let mut small = clip;
    let Text::Tower(text) = &mut small.text else { panic!("{small:?}") };
    text.vocabulary = 90;
    let error = refusal(&golden["tokenizers"]["clip"].to_string(), &small);
    assert!(error.contains("<|endoftext|> as its token 90"), "{error}");
    // Of another vocabulary, found when a text has such a token.
    let tokens =
        |vocabulary| Tokens::open(&files.tokenizer(), plan("siglip").marks, vocabulary, PLACES);
    files.tokenizer_is(&golden["tokenizers"]["siglip"].to_string());
    let error = tokens(60).unwrap().of("a mass").unwrap_err().to_string();
    assert!(error.contains("gives the token 67"), "{error}");
    std::fs::remove_file(files.tokenizer()).unwrap();
    let error = files.open("small", &clip).expect_err("refused").to_string();
    assert!(error.contains("cannot read a tokenizer from"), "{error}");
}
