//! Terms for a reader's words, by synonym matching: plurals and inflections, small misspellings,
//! and negation are taken into account. Suggestions only: a person accepts them.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Serialize;

use lexicon::{Entry, Lexicons};

/// What a text may mean.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Suggestion {
    /// Term ids in the order in which the text names them.
    pub terms: Vec<String>,
    /// Their categories, as the paper's Figure 4 prints them ([`Lexicons::categories`]).
    pub categories: Vec<String>,
    /// Which words led to which term.
    #[serde(skip)]
    pub matches: Vec<Match>,
}

/// Words of the text and the term they stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Term id.
    pub term: String,
    /// Bytes of the text.
    pub range: Range<usize>,
}

/// Texts are read up to this many bytes; the rest of a longer one is not looked at.
const MAX_TEXT: usize = 10_000;

/// Suggests terms for one text.
pub fn suggest(text: &str, lexicons: &Lexicons) -> Suggestion {
    Matcher::new(lexicons).suggest(text)
}

/// Suggests terms for texts, with the lexicons' words prepared once.
pub struct Matcher<'a> {
    lexicons: &'a Lexicons,
    dictionary: Dictionary<'a>,
}

impl<'a> Matcher<'a> {
    /// For the terms of these lexicons.
    pub fn new(lexicons: &'a Lexicons) -> Self {
        Self { lexicons, dictionary: Dictionary::new(lexicons) }
    }

    /// Suggests terms for a text.
    pub fn suggest(&self, text: &str) -> Suggestion {
        let tokens = self.dictionary.tokens(text);
        let negated = negated(&tokens);
        let mut hits: Vec<Hit<'_>> = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            match self.dictionary.longest(&tokens[at..]) {
                Some((length, entry)) => {
                    // One negated word negates the phrase: `calcifications absent`.
                    if !negated[at..at + length].contains(&true) {
                        hits.push(Hit { entry, tokens: at..at + length });
                    }
                    at += length;
                }
                None => at += 1,
            }
        }
        let mut suggestion = Suggestion::default();
        for hit in without_strangers(hits, &tokens) {
            let id = &hit.entry.term.id;
            if !suggestion.terms.contains(id) {
                suggestion.terms.push(id.clone());
            }
            let (first, last) = (&tokens[hit.tokens.start], &tokens[hit.tokens.end - 1]);
            let range = first.range.start..last.range.end;
            suggestion.matches.push(Match { term: id.clone(), range });
        }
        suggestion.categories = self.lexicons.categories(&suggestion.terms);
        suggestion
    }
}

struct Hit<'a> {
    entry: Entry<'a>,
    tokens: Range<usize>,
}

/// Drops a refining word that stands directly beside a noun of another family: `irregular` is no
/// shape of a mass in `irregular calcifications`, `linear` no distribution in `linear vessel`.
fn without_strangers<'a>(hits: Vec<Hit<'a>>, tokens: &[Token]) -> Vec<Hit<'a>> {
    let mut kept = Vec::new();
    let mut hits = hits.into_iter().peekable();
    while let Some(first) = hits.next() {
        let mut run = vec![first];
        while let Some(next) = hits.next_if(|next| {
            let end = run[run.len() - 1].tokens.end;
            next.tokens.start == end && tokens[end - 1].clause == tokens[end].clause
        }) {
            run.push(next);
        }
        let refines = |hit: &Hit<'_>| hit.entry.category != hit.entry.family();
        let noun =
            |family: &str| run.iter().any(|hit| !refines(hit) && hit.entry.family() == family);
        let foreign = run.iter().any(|hit| !refines(hit));
        let keep: Vec<bool> =
            run.iter().map(|hit| !refines(hit) || !foreign || noun(hit.entry.family())).collect();
        kept.extend(run.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(hit, _)| hit));
    }
    kept
}

/// A word of the text.
#[derive(Debug)]
struct Token {
    /// Lower case, without ending.
    stem: String,
    /// Lower case.
    word: String,
    range: Range<usize>,
    /// Number of the clause: a stop, a comma, a semicolon or `but` starts the next.
    clause: usize,
    /// What opened its clause.
    opened: Opening,
}

/// What opens a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// A stop, `but`, or nothing: it stands by itself.
    Stop,
    /// A comma, and nothing stronger: it may go on with a list.
    Comma,
    /// A colon: it says something of what stands before.
    Colon,
    /// A question mark: it may answer.
    Question,
}

/// Words that carry no meaning between those of a phrase.
const FILLERS: [&str; 8] = ["a", "an", "the", "of", "to", "s", "is", "are"];

/// The words of a text, without fillers.
fn split(text: &str) -> Vec<Token> {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    let mut tokens: Vec<Token> = Vec::new();
    let mut start = None;
    let mut clause = 0;
    let mut opened = Opening::Stop;
    for (at, c) in text.char_indices().chain([(text.len(), '\n')]) {
        // Apostrophes belong to the word: Cooper's.
        if c.is_alphanumeric() || (matches!(c, '\'' | '\u{2019}') && start.is_some()) {
            start.get_or_insert(at);
            continue;
        }
        if let Some(start) = start.take() {
            let range: Range<usize> = start..at;
            let word: String = text[range.clone()].to_lowercase().replace(['\'', '\u{2019}'], "");
            if ["but", "however", "although", "except"].contains(&word.as_str()) {
                clause += 1;
                opened = Opening::Stop;
            } else {
                tokens.push(Token { stem: stem(&word), word, range, clause, opened });
            }
        }
        if matches!(c, ',' | '.' | ';' | ':' | '!' | '?' | '\n' | '(' | ')') {
            clause += 1;
            opened = match c {
                ',' => Opening::Comma,
                ':' => Opening::Colon,
                '?' => Opening::Question,
                _ => Opening::Stop,
            };
        }
    }
    // The `a` that ends a clause is a letter of its own: breast density a.
    let ends: Vec<bool> = (0..tokens.len())
        .map(|at| tokens.get(at + 1).is_none_or(|next| next.clause != tokens[at].clause))
        .collect();
    let mut ends = ends.into_iter();
    tokens.retain(|token| {
        let last = ends.next().unwrap_or_default();
        !FILLERS.contains(&token.word.as_str()) || (token.word == "a" && last)
    });
    tokens
}

/// A word without its plural and its commonest endings.
fn stem(word: &str) -> String {
    let long = |stem: &str, least: usize| stem.chars().count() >= least;
    let mut stem = word.to_owned();
    if let Some(rest) = stem.strip_suffix("ies").filter(|rest| long(rest, 3)) {
        stem = format!("{rest}y");
    } else if let Some(rest) =
        stem.strip_suffix("es").filter(|r| ["ss", "x", "ch", "sh"].iter().any(|e| r.ends_with(e)))
    {
        stem = rest.to_owned();
    } else if let Some(rest) = stem
        .strip_suffix('s')
        .filter(|r| long(r, 3) && !["s", "u", "i"].iter().any(|e| r.ends_with(e)))
    {
        stem = rest.to_owned();
    }
    for ending in ["ing", "ed", "ly", "ion"] {
        if let Some(rest) = stem.strip_suffix(ending).filter(|rest| long(rest, 4)) {
            stem = rest.to_owned();
            break;
        }
    }
    match stem.as_str() {
        // One thing to the lexicons, whatever its size and however it is shortened.
        "calc" | "microcalc" | "macrocalc" | "microcalcificat" | "macrocalcificat" => {
            "calcificat".to_owned()
        }
        _ => stem,
    }
}

/// Which words a negation covers.
fn negated(tokens: &[Token]) -> Vec<bool> {
    let is = |at: usize, words: &[&str]| {
        tokens.get(at).is_some_and(|token| words.contains(&token.word.as_str()))
    };
    let mut negated = vec![false; tokens.len()];
    for at in 0..tokens.len() {
        let seen = ["seen", "present", "visible", "identified", "evident", "found", "shown"];
        let out = |first: &str| is(at, &[first]) && is(at + 1, &["out"]);
        let backward = is(at, &["absent", "none", "excluded"])
            || out("ruled")
            || (is(at, &["not"]) && is(at + 1, &seen))
            || (is(at, &["not"]) && is(at + 1, &["clearly"]) && is(at + 2, &seen));
        if backward {
            negated[begin(tokens, at)..at].fill(true);
        } else if is(at, &["non"]) {
            if let Some(next) = negated.get_mut(at + 1) {
                *next = true;
            }
        } else if is(
            at,
            &["no", "not", "nothing", "without", "absence", "lack", "lacks", "lacking", "neither"],
        ) || (is(at, &["free", "negative"]) && tokens.len() > at + 1)
            || (is(at, &["rather", "other"]) && is(at + 1, &["than"]))
            || is(at, &["exclude"])
            || out("rule")
        {
            let end = scope(tokens, at);
            negated[at..end].fill(true);
            // `Mass? No, vessel`: the answer denies what was asked.
            if is(at, &["no"]) && answers(tokens, at) {
                negated[begin(tokens, at)..at].fill(true);
            }
        }
    }
    negated
}

/// Whether the word at `at` answers the clause before: it begins what follows a question mark, or is all
/// that follows a colon.
fn answers(tokens: &[Token], at: usize) -> bool {
    let same = |other: usize| tokens.get(other).is_some_and(|t| t.clause == tokens[at].clause);
    let first = at > 0 && !same(at - 1);
    match tokens[at].opened {
        Opening::Question => first,
        Opening::Colon => first && !same(at + 1),
        Opening::Stop | Opening::Comma => false,
    }
}

/// Where that begins which a negation at `at` says of what stands before it: with its clause, or with the
/// one before where that is asked for or introduced (`calcifications: none`).
fn begin(tokens: &[Token], at: usize) -> usize {
    let first = |clause| tokens.iter().position(|token| token.clause == clause).unwrap_or(at);
    let own = first(tokens[at].clause);
    match tokens[at].opened {
        Opening::Colon | Opening::Question if own > 0 => first(tokens[own - 1].clause),
        _ => own,
    }
}

/// Where a negation at `at` ends: with its clause, or with the list it opens (`no masses,
/// calcifications or distortion`). What `with` adds describes what is denied: `no masses with spiculated
/// edge`.
fn scope(tokens: &[Token], at: usize) -> usize {
    let clause = tokens[at].clause;
    let joined = |from: usize| {
        // A clause after a comma continues the list when the list goes on to an `or`.
        let rest = tokens[from..].iter();
        let list: Vec<&Token> = rest
            .scan(tokens[from].clause, |clause, token| {
                let same = token.clause == *clause || token.opened == Opening::Comma;
                *clause = token.clause;
                same.then_some(token)
            })
            .collect();
        list.iter().any(|token| ["or", "nor"].contains(&token.word.as_str()))
    };
    for (end, token) in tokens.iter().enumerate().skip(at + 1) {
        let opens = token.clause != clause && tokens[end - 1].clause != token.clause;
        if opens && !(token.opened == Opening::Comma && joined(end)) {
            return end;
        }
    }
    tokens.len()
}

/// Every phrase of every term, as stems.
struct Dictionary<'a> {
    phrases: Vec<(Vec<String>, Entry<'a>)>,
    stems: BTreeSet<String>,
}

impl<'a> Dictionary<'a> {
    fn new(lexicons: &'a Lexicons) -> Self {
        let mut phrases = Vec::new();
        let mut stems = BTreeSet::new();
        for entry in lexicons.entries() {
            // The id is a name for machines; its words may mean something else.
            for phrase in std::iter::once(&entry.term.name).chain(&entry.term.synonyms) {
                let words: Vec<String> = split(phrase).into_iter().map(|t| t.stem).collect();
                if !words.is_empty() {
                    stems.extend(words.iter().cloned());
                    phrases.push((words, entry));
                }
            }
        }
        Self { phrases, stems }
    }

    /// The words of a text, with small misspellings mended.
    fn tokens(&self, text: &str) -> Vec<Token> {
        let mut tokens = split(text);
        for token in &mut tokens {
            if !self.stems.contains(&token.stem)
                && let Some(mended) = self.mend(&token.word)
            {
                token.stem = mended;
            }
        }
        tokens
    }

    /// The known stem that a misspelt word stands for.
    fn mend(&self, word: &str) -> Option<String> {
        let whole = ["micro", "macro"].iter().find_map(|size| word.strip_prefix(size));
        self.nearest(word).or_else(|| self.nearest(whole?))
    }

    /// The known stem that a word misses by a letter or two.
    fn nearest(&self, word: &str) -> Option<String> {
        let length = word.chars().count();
        let allowed = match length {
            0..5 => return None,
            5..9 => 1,
            _ => 2,
        };
        // Against the whole word's stem and the word itself, since a slip may lie in the ending.
        let stemmed = stem(word);
        self.stems
            .iter()
            .filter(|known| {
                known.chars().count() >= 4 && known.chars().next() == word.chars().next()
            })
            .map(|known| (strsim::damerau_levenshtein(known, &stemmed), known))
            .filter(|&(distance, _)| distance <= allowed)
            .min()
            .map(|(_, known)| known.clone())
    }

    /// The longest phrase that the tokens start with, within one clause.
    fn longest(&self, tokens: &[Token]) -> Option<(usize, Entry<'a>)> {
        let fits = |phrase: &[String]| {
            phrase.len() <= tokens.len()
                && phrase
                    .iter()
                    .zip(tokens)
                    .all(|(stem, token)| *stem == token.stem && token.clause == tokens[0].clause)
        };
        let mut best: Option<(usize, Entry<'a>)> = None;
        for (phrase, entry) in &self.phrases {
            if best.is_none_or(|(length, _)| phrase.len() > length) && fits(phrase) {
                best = Some((phrase.len(), *entry));
            }
        }
        best
    }
}

#[cfg(test)]
#[path = "suggest_tests.rs"]
mod tests;
