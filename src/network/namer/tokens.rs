//! From texts to tokens, by a `tokenizer.json` of Hugging Face's, or by BERT's list of pieces of words.

use std::path::Path;

use anyhow::{Context, Result, bail};
use tokenizers::Tokenizer;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;

use crate::weights::printable;
use base::input;

/// Largest `tokenizer.json` that is read, in bytes: the largest that are published have a tenth of it.
const LARGEST: u64 = 1 << 28;

/// How texts begin, end, are filled up and cleaned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    start: Option<&'static str>,
    end: &'static str,
    /// What fills empty places; the first of all tokens where there is no token for that.
    padding: Option<&'static str>,
    /// Whether small letters without punctuation are all that a text tower has seen.
    plain: bool,
    /// The token of words that are not known, where a `vocab.txt`, one token a line, serves too.
    unknown: Option<&'static str>,
    /// Where its tokenizer is found.
    source: &'static str,
}

/// Where most have it.
const BESIDE: &str = "the tokenizer.json that lies beside the weights";

impl Marks {
    pub(super) const CLIP: Marks = Marks {
        start: Some("<|startoftext|>"),
        end: "<|endoftext|>",
        padding: Some("<|endoftext|>"),
        plain: false,
        unknown: None,
        source: BESIDE,
    };
    /// OpenCLIP's own: the same tokens, and another padding, which its text towers see where each token sees all.
    pub(super) const OPEN_CLIP: Marks = Marks { padding: None, ..Marks::CLIP };
    pub(super) const SIG_LIP: Marks =
        Marks { start: None, end: "</s>", padding: Some("</s>"), plain: true, ..Marks::CLIP };
    pub(super) const BERT: Marks = Marks {
        start: Some("[CLS]"),
        end: "[SEP]",
        padding: Some("[PAD]"),
        plain: false,
        unknown: Some("[UNK]"),
        source: "vocab.txt of emilyalsentzer/Bio_ClinicalBERT on Hugging Face",
    };
}

/// What makes tokens of texts.
#[derive(Debug)]
pub(super) struct Tokens {
    shown: String,
    tokenizer: Tokenizer,
    start: Option<u32>,
    end: u32,
    /// What fills empty places.
    pub(super) padding: u32,
    marks: Marks,
    /// Tokens that the text tower knows.
    vocabulary: usize,
    /// Tokens of a text at most.
    most: usize,
}

impl Tokens {
    /// Reads a `tokenizer.json`, or where the marks allow it a `vocab.txt`, for a text tower of so many tokens, of which
    /// a text has `most`.
    ///
    /// # Errors
    /// When it cannot be read, is no such file, or that of another kind of text tower.
    pub(super) fn open(
        path: &Path,
        marks: Marks,
        vocabulary: usize,
        most: usize,
    ) -> Result<Tokens> {
        let shown = path.display().to_string();
        let bytes = input::read(path, LARGEST)
            .with_context(|| format!("cannot read a tokenizer from {shown}"))?;
        let is_json = bytes.trim_ascii_start().starts_with(b"{");
        let read = match marks.unknown {
            Some(_) if !is_json => of_pieces(&bytes),
            _ => Tokenizer::from_bytes(bytes),
        };
        let tokenizer = read.map_err(|error| {
            let (source, why) = (marks.source, printable(&error.to_string()));
            anyhow::anyhow!(
                "{shown} is no tokenizer: {source} is expected, not vocab.json, merges.txt or tokenizer_config.json \
                 ({why})"
            )
        })?;
        let known = |mark: &str| match tokenizer.token_to_id(mark) {
            Some(id) if (id as usize) < vocabulary => Ok(id),
            found => {
                let found = match found {
                    Some(id) => format!(
                        "has {mark} as its token {id}, and the text tower knows {vocabulary} tokens"
                    ),
                    None => format!("has no token {mark}"),
                };
                bail!("{shown} {found}: it is the tokenizer of another model; use {}", marks.source)
            }
        };
        let start = marks.start.map(known).transpose()?;
        let padding = marks.padding.map(known).transpose()?.unwrap_or(0);
        let end = known(marks.end)?;
        if marks.unknown.map(known).transpose()?.is_some() {
            // Marks stand at the beginning of BERT's lists, and other tokens in other places: how many there are tells
            // them apart.
            let last = tokenizer.get_vocab(true).into_values().max();
            let count = last.map_or(0, |last| last as usize + 1);
            if count != vocabulary {
                bail!(
                    "{shown} has {count} tokens, and the text tower knows {vocabulary}: it is the tokenizer of another \
                     model; use {}",
                    marks.source
                );
            }
        }
        Ok(Tokens { shown, tokenizer, start, end, padding, marks, vocabulary, most })
    }

    /// The tokens of a text with those that mark its ends; of a text that is too long the first ones, with those.
    ///
    /// # Errors
    /// When the tokenizer fails or gives a token that the text tower does not know.
    pub(super) fn of(&self, text: &str) -> Result<Vec<u32>> {
        let cleaned;
        let text = match self.marks.plain {
            true => {
                cleaned = plain(text);
                &cleaned
            }
            false => text,
        };
        // Without the marks that its file says it adds: some files add none, and these here are always right.
        let found = self.tokenizer.encode_fast(text, false).map_err(|error| {
            let (text, why) = (printable(text), printable(&error.to_string()));
            anyhow::anyhow!("{}: no tokens for {text:?} ({why})", self.shown)
        })?;
        let room = self.most - 1 - usize::from(self.start.is_some());
        let ids = found.get_ids().iter().copied().take(room);
        let ids: Vec<u32> = self.start.into_iter().chain(ids).chain([self.end]).collect();
        if let Some(id) = ids.iter().find(|id| **id as usize >= self.vocabulary) {
            bail!(
                "{} gives the token {id} for {:?}, and the text tower knows {} tokens: it is the tokenizer of another \
                 model; use {}",
                self.shown,
                printable(text),
                self.vocabulary,
                self.marks.source
            );
        }
        Ok(ids)
    }
}

/// BERT's tokenizer of a `vocab.txt`, as Hugging Face makes it where no other file says otherwise: in small letters
/// without accents, whatever letters the list has. That of Bio_ClinicalBERT has capitals too, which Mammo-CLIP has
/// therefore never met.
///
/// # Errors
/// When it is no text.
fn of_pieces(bytes: &[u8]) -> tokenizers::Result<Tokenizer> {
    std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text, one token a line")?;
    // What some editors write first is part of no token.
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut tokenizer =
        Tokenizer::new(WordPiece::builder().vocab(WordPiece::read_bytes(bytes)?).build()?);
    tokenizer.with_normalizer(Some(BertNormalizer::default()))?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    Ok(tokenizer)
}

/// Small letters, no punctuation of ASCII, one space between words: SigLIP's texts were cleaned so
/// (`canonicalize_text` of its tokenizer), and not every `tokenizer.json` of it says so.
fn plain(text: &str) -> String {
    let kept: String = text.to_lowercase().chars().filter(|c| !c.is_ascii_punctuation()).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}
