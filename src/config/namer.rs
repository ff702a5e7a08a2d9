//! `namer`: which machine names units, and how.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_yaml::Location;

use crate::check::Check;
use crate::source::Source;
use crate::value::{Form, NAME, place};
use architecture::namer::{BUILTIN, NAMERS, TAUGHT, find};
use base::yaml::{Mistake, unknown};

section! {
    /// A pair of towers for images and texts that names units by terms of the lexicons; see docs/naming.md of
    /// unit-atlas.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct Namer(NamerForm, "namer.", Namer::settle) {
        /// Which towers: clip_vit_base_patch32, clip_vit_base_patch16, clip_vit_large_patch14, openclip_vit_b_32,
        /// openclip_vit_b_16, mobileclip_s1, mobileclip_s2, siglip_base_patch16_224, mammo_clip_b5 or mammo_clip_b2, by
        /// their published weights; taught, a small pair that `name --teach` made of your own patches; builtin, such a
        /// pair that comes with the program and knows nothing but phantoms; or none: no machine names units.
        pub kind: Option<String>, in KIND, else "builtin for phantoms, otherwise none", such as "clip_vit_base_patch32";
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

/// The files of a machine that names units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Towers<'a> {
    /// What comes with the program.
    Builtin,
    /// The file of a small pair that was taught.
    Taught(&'a Path),
    /// Published ones.
    Published {
        /// What they are called.
        kind: &'a str,
        /// The file of both towers.
        weights: &'a Path,
        /// What makes tokens of texts.
        tokenizer: PathBuf,
    },
}

/// The `kind` of no machine.
const NONE: &str = "none";
/// Where a prompt has the words of a term.
const WORDS: &str = "{}";

const KIND: Form = Form {
    words: "the name of a pair of towers",
    pattern: "",
    read: |check, _, given| {
        let others = [TAUGHT, BUILTIN, NONE];
        let known: Vec<&str> = NAMERS.iter().map(|namer| namer.name).chain(others).collect();
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
        let published = kind.is_some_and(|kind| find(kind).is_some());
        if (published || kind == Some(TAUGHT)) && self.weights.is_none() {
            return check.wrong(
                place(&form.kind),
                "`namer` has no `weights`; name the file of these towers, docs/naming.md of unit-atlas says where \
                 they come from",
            );
        }
        for (key, given) in [("weights", &form.weights), ("tokenizer", &form.tokenizer)] {
            let message = match (given, kind, key) {
                (None, ..) | (_, Some(NONE), _) | (_, Some(TAUGHT), "weights") => continue,
                _ if published => continue,
                (_, None, _) => {
                    format!(
                        "`namer.{key}` is given without `namer.kind`; say which towers they are of"
                    )
                }
                (_, Some(kind), _) => {
                    format!(
                        "`namer.{key}` does not go with `kind: {kind}`, which needs none; leave it out"
                    )
                }
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

    /// Takes its default from the source: phantoms are named by what knows phantoms, and nothing else is.
    pub(crate) fn follow(
        &mut self,
        check: &Check<'_>,
        form: Option<&NamerForm>,
        source: &Source,
    ) -> Result<(), Mistake> {
        let phantom = matches!(source, Source::Phantom { .. });
        match self.kind.as_deref() {
            None => self.kind = phantom.then(|| BUILTIN.to_owned()),
            Some(NONE) => self.kind = None,
            Some(BUILTIN) if !phantom => {
                return check.wrong(
                    form.map_or(Location::UNKNOWN, |form| place(&form.kind)),
                    format!(
                        "`kind: {BUILTIN}` has seen phantoms alone and can say nothing of mammograms; choose \
                         published towers, or teach a pair by `name --teach`: docs/naming.md of unit-atlas says how"
                    ),
                );
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// The machine; none where no machine names units.
    pub fn towers(&self) -> Option<Towers<'_>> {
        let kind = self.kind.as_deref()?;
        if kind == BUILTIN {
            return Some(Towers::Builtin);
        }
        let weights = self.weights.as_deref()?;
        let Some(namer) = find(kind) else { return Some(Towers::Taught(weights)) };
        let tokenizer =
            self.tokenizer.clone().unwrap_or_else(|| weights.with_file_name(namer.tokenizer));
        Some(Towers::Published { kind, weights, tokenizer })
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::Towers;
    use crate::Config;

    fn config(text: &str) -> Result<Config, String> {
        let config = Config::parse(text, Path::new("/project/atlas.yaml"));
        config.map_err(|mistake| mistake.to_string())
    }

    #[test]
    fn a_tokenizer_lies_beside_the_weights_under_the_name_of_its_kind() {
        let tokenizer = |namer: &str| {
            let config = config(&format!("namer: {{ {namer} }}\n")).unwrap();
            match config.namer.towers() {
                Some(Towers::Published { tokenizer, .. }) => Some(tokenizer),
                _ => None,
            }
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
    }

    #[test]
    fn phantoms_are_named_by_what_knows_phantoms_and_nothing_else_is() {
        let towers = |text: &str| {
            config(text).map(|config| match config.namer.towers() {
                Some(Towers::Builtin) => "builtin".to_owned(),
                Some(Towers::Taught(file)) => file.display().to_string(),
                Some(Towers::Published { kind, .. }) => kind.to_owned(),
                None => "none".to_owned(),
            })
        };
        let mias = "source: { kind: mini_mias, path: mias }\n";
        assert_eq!(towers("title: A\n").unwrap(), "builtin");
        assert_eq!(towers("namer: { scoring: soft_wpmi }\n").unwrap(), "builtin");
        assert_eq!(towers("namer: { kind: none }\n").unwrap(), "none");
        // Switched off for a while, its files may stay.
        assert_eq!(towers("namer: { kind: none, weights: a.pt }\n").unwrap(), "none");
        let taught = "namer: { kind: taught, weights: a.safetensors }\n";
        let file = PathBuf::from("/project/a.safetensors").display().to_string();
        assert_eq!(towers(taught).unwrap(), file);
        assert_eq!(towers(mias).unwrap(), "none");
        for (text, why) in [
            (format!("{mias}namer: {{ kind: builtin }}\n"), "phantoms alone"),
            ("namer: { kind: builtin, weights: a.pt }\n".into(), "does not go with"),
            ("namer: { kind: taught }\n".into(), "has no `weights`"),
            ("namer: { kind: taught, weights: a, tokenizer: b }\n".into(), "does not go with"),
            ("namer: { weights: a.pt }\n".into(), "without `namer.kind`"),
            ("namer: { kind: clip }\n".into(), "unknown namer"),
        ] {
            let wrong = towers(&text).unwrap_err();
            assert!(wrong.contains(why), "{text}: {wrong}");
        }
    }
}
