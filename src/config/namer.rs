//! `namer`: which machine names units, and how.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_yaml::Location;

use crate::check::Check;
use crate::value::{Form, NAME, place};
use architecture::namer::{NAMERS, TAUGHT, find};
use base::yaml::{Mistake, unknown};

section! {
    /// A pair of towers for images and texts that names units by terms of the lexicons; see docs/naming.md of
    /// unit-atlas.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct Namer(NamerForm, "namer.", Namer::settle) {
        /// Which towers: clip_vit_base_patch32, clip_vit_base_patch16, clip_vit_large_patch14, openclip_vit_b_32,
        /// openclip_vit_b_16, mobileclip_s1, mobileclip_s2, siglip_base_patch16_224, mammo_clip_b5 or mammo_clip_b2, by
        /// their published weights; or taught, a small pair that `name --teach` made of your own patches.
        pub kind: Option<String>, in KIND, else "none: no machine names units", such as "clip_vit_base_patch32";
        /// File of both towers, as Hugging Face, OpenCLIP or Mammo-CLIP publish them, .safetensors, .pt, .bin or .tar; or
        /// the one that was taught.
        // What it holds counts, not where it lies.
        #[serde(skip)]
        pub weights: Option<PathBuf>, else "none", such as "weights/clip-vit-base-patch32/model.safetensors";
        /// Its tokenizer, a tokenizer.json; Mammo-CLIP's may be a vocab.txt.
        #[serde(skip)]
        pub tokenizer: Option<PathBuf>, else "tokenizer.json beside the weights, vocab.txt of a Mammo-CLIP",
            such as "weights/clip-vit-base-patch32/tokenizer.json";
        /// Lexicons whose terms units may be called, by their ids.
        pub lexicons: Vec<String> = "[]", in NAME, else "all", such as "[bi-rads-5, anatomy]";
        /// Sentences in which the words of a term stand in the place of {}, for terms whose lexicon has no prompts of
        /// its own.
        pub prompts: Vec<String> = "['a mammogram showing {}', 'mammography, {}', 'a patch of a mammogram with {}']",
            in PROMPT;
        /// By which score a unit's patches are close to a term.
        pub scoring: Scoring = "difference";
        /// Patches that stand for a unit, at most, each of another mammogram; and no more than a quarter of the
        /// mammograms, but three where there are as many.
        pub patches: u32 = "16", in 3..=1000;
        /// How often patches are drawn at random to learn what chance gives. Of n draws the least probability is
        /// 1 / (n + 1), which is then corrected for the number of units.
        pub deals: u32 = "1000", in 99..=100_000;
        /// Whether units are also compared with those of untrained networks of the same architecture, which take as
        /// many passes over the patches.
        pub untrained: bool = "true";
    }
}

/// How close the patches of a unit are to a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scoring {
    /// By their mean cosine with the term, minus that of all other patches.
    Difference,
    /// By soft weighted pointwise mutual information, as CLIP-Dissect (Oikarinen and Weng 2023) defines it.
    SoftWpmi,
}

/// Where a prompt has the words of a term.
const WORDS: &str = "{}";

const KIND: Form = Form {
    words: "the name of a pair of towers",
    pattern: "",
    read: |check, _, given| {
        let known: Vec<&str> = NAMERS.iter().map(|namer| namer.name).chain([TAUGHT]).collect();
        match known.contains(&given.value.as_str()) {
            true => Ok(given.value.clone()),
            false => check.wrong(given.referenced, unknown("namer", &given.value, &known)),
        }
    },
};

const PROMPT: Form = Form {
    words: "a sentence with {} in it",
    pattern: r"\{\}",
    read: |check, key, given| match given.value.matches(WORDS).count() {
        1 => Ok(given.value.clone()),
        _ => check.wrong(
            given.referenced,
            format!("`{key}` are sentences that have {WORDS} once, where the words of a term go"),
        ),
    },
};

impl Namer {
    fn settle(&mut self, check: &Check<'_>, form: &NamerForm, at: Location) -> Result<(), Mistake> {
        let kind = self.kind.as_deref();
        if kind.is_some() && self.weights.is_none() {
            return check.wrong(
                place(&form.kind),
                "`namer` has no `weights`; name the file of these towers, docs/naming.md of unit-atlas says where \
                 they come from",
            );
        }
        for (key, given) in [("weights", &form.weights), ("tokenizer", &form.tokenizer)] {
            let message = match (given, kind, key) {
                (None, ..) | (Some(_), Some(_), "weights") => continue,
                (_, None, _) => {
                    format!(
                        "`namer.{key}` is given without `namer.kind`; say which towers they are of"
                    )
                }
                (_, Some(TAUGHT), _) => {
                    format!(
                        "`namer.{key}` does not go with `kind: {TAUGHT}`, which needs none; leave it out"
                    )
                }
                _ => continue,
            };
            return check.wrong(place(given), message);
        }
        if self.prompts.is_empty() {
            return check.wrong(
                form.prompts.as_ref().map_or(at, |prompts| prompts.referenced),
                "`namer.prompts` is empty; leave it out for the default",
            );
        }
        Ok(())
    }

    /// The tokenizer of towers that have one.
    pub fn tokenizer(&self) -> Option<PathBuf> {
        let namer = find(self.kind.as_deref()?)?;
        let beside = || Some(self.weights.as_ref()?.with_file_name(namer.tokenizer));
        self.tokenizer.clone().or_else(beside)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::Config;

    #[test]
    fn a_tokenizer_lies_beside_the_weights_under_the_name_of_its_kind() {
        let tokenizer = |namer: &str| {
            let text = format!("namer: {{ {namer} }}\n");
            let config = Config::parse(&text, Path::new("/project/atlas.yaml")).unwrap();
            config.namer.tokenizer()
        };
        let beside = |name| Some(Path::new("/project/weights").join(name));
        assert_eq!(
            tokenizer("kind: clip_vit_base_patch32, weights: weights/a.pt"),
            beside("tokenizer.json")
        );
        let mammo = "kind: mammo_clip_b5, weights: weights/b5-model-best-epoch-7.tar";
        assert_eq!(tokenizer(mammo), beside("vocab.txt"));
        let other = format!("{mammo}, tokenizer: weights/tokenizer.json");
        assert_eq!(tokenizer(&other), beside("tokenizer.json"));
        assert_eq!(tokenizer("kind: taught, weights: a.safetensors"), None);
        assert_eq!(tokenizer("scoring: soft_wpmi"), None);
    }
}
