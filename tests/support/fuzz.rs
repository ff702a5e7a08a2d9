//! Fuzzing of the parsers and decoders, on stable Rust: inputs are made from a corpus by mutation, and
//! one that gives an outcome not seen before joins the corpus. `tests/fuzz/README.md` says how to run.
//!
//! An outcome is the target's message without digits and quotations, so that every error is one. Nothing may
//! panic, take more than [`SLOW`], or make the process grow beyond [`MEMORY`].

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Longest time of one input.
const SLOW: Duration = Duration::from_secs(5);
/// Most memory of the whole process, in KiB.
const MEMORY: u64 = 1 << 20;
/// Largest input.
const LENGTH: usize = 1 << 16;
/// Most outcomes that are told apart.
const OUTCOMES: usize = 20_000;
/// Most inputs in memory; the oldest found ones make room.
const CORPUS: usize = 4000;
/// Largest input that is kept in the folder, and how many are.
const KEPT: (usize, usize) = (600, 60);

/// What is fuzzed.
pub(crate) struct Target {
    /// Folder of its corpus below `tests/fuzz`.
    pub(crate) name: &'static str,
    /// Inputs to begin with, besides those in the folder.
    pub(crate) seeds: Vec<Vec<u8>>,
    /// Pieces that inputs are made of.
    pub(crate) words: &'static [&'static str],
    /// Reads an input; returns what came of it.
    pub(crate) read: fn(&[u8]) -> String,
}

impl Target {
    fn folder(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz").join(self.name)
    }

    fn corpus(&self) -> Vec<Vec<u8>> {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(self.folder())
            .map(|entries| entries.filter_map(|e| Some(e.ok()?.path())).collect())
            .unwrap_or_default();
        paths.sort();
        let files = paths.iter().filter_map(|path| std::fs::read(path).ok());
        self.seeds.iter().cloned().chain(files).collect()
    }

    /// Reads one input; a panic writes it to the folder.
    fn check(&self, input: &[u8]) -> String {
        let start = Instant::now();
        let read = catch_unwind(AssertUnwindSafe(|| (self.read)(input)));
        let keep = |why: &str| {
            let path = self.folder().join(format!("found-{}", name_of(input)));
            std::fs::create_dir_all(self.folder()).unwrap();
            std::fs::write(&path, input).unwrap();
            panic!("{}: {why} on {}", self.name, path.display());
        };
        let Ok(outcome) = read else { keep("a panic") };
        if start.elapsed() > SLOW {
            keep("too slow");
        }
        // What is quoted is the input's.
        let own = outcome.split('"').step_by(2).flat_map(str::chars);
        own.filter(|c| !c.is_ascii_digit()).take(120).collect()
    }

    /// Reads the whole corpus.
    pub(crate) fn replay(&self) {
        let corpus = self.corpus();
        assert!(!corpus.is_empty(), "{} has no corpus", self.name);
        corpus.iter().for_each(|input| drop(self.check(input)));
    }

    /// Mutates inputs for as long as `UNIT_ATLAS_FUZZ_SECONDS` says, 60 without it, each time others but for the
    /// same `UNIT_ATLAS_FUZZ_SEED`. With
    /// `UNIT_ATLAS_FUZZ_KEEP` small inputs with outcomes of their own are written to the folder.
    pub(crate) fn run(&self) {
        let seconds = std::env::var("UNIT_ATLAS_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok());
        let limit = Duration::from_secs(seconds.unwrap_or(60));
        let start = Instant::now();
        let seed = std::env::var("UNIT_ATLAS_FUZZ_SEED").ok().and_then(|s| s.parse().ok());
        let mut rng = ChaCha8Rng::seed_from_u64(seed.unwrap_or(std::process::id().into()));
        let mut corpus = self.corpus();
        let first = corpus.len();
        let mut outcomes: BTreeSet<String> = corpus.iter().map(|input| self.check(input)).collect();
        let mut found = Vec::new();
        let mut tried = 0u64;
        while start.elapsed() < limit {
            for _ in 0..64 {
                let input = self.mutate(&corpus, &mut rng);
                tried += 1;
                let outcome = self.check(&input);
                if outcomes.len() < OUTCOMES && outcomes.insert(outcome) {
                    if corpus.len() >= CORPUS {
                        corpus.remove(first);
                    }
                    found.push(input.clone());
                    corpus.push(input);
                }
            }
        }
        let peak = peak_memory();
        eprintln!(
            "{}: {tried} inputs in {:.0} s, {} outcomes, peak memory {} MiB",
            self.name,
            start.elapsed().as_secs_f64(),
            outcomes.len(),
            peak >> 10
        );
        assert!(peak < MEMORY, "{}: the process grew to {} MiB", self.name, peak >> 10);
        if std::env::var_os("UNIT_ATLAS_FUZZ_KEEP").is_some() {
            std::fs::create_dir_all(self.folder()).unwrap();
            for input in found.iter().filter(|input| input.len() <= KEPT.0).take(KEPT.1) {
                std::fs::write(self.folder().join(name_of(input)), input).unwrap();
            }
        }
    }

    fn mutate(&self, corpus: &[Vec<u8>], rng: &mut ChaCha8Rng) -> Vec<u8> {
        let mut input = corpus[rng.random_range(0..corpus.len())].clone();
        for _ in 0..rng.random_range(1..6) {
            let length = input.len();
            let at = rng.random_range(0..=length);
            let end = (at + rng.random_range(0..40)).min(length);
            match rng.random_range(0..9) {
                0 if at < length => input[at] ^= 1 << rng.random_range(0..8),
                1 if at < length => {
                    input[at] = [0, 1, 9, 10, 32, 45, 48, 57, 0x7f, 0x80, 0xd8, 0xda, 0xff]
                        [rng.random_range(0..13)];
                }
                2 => drop(input.drain(at..end)),
                3 => {
                    let piece = input[at..end].to_vec();
                    input.splice(at..at, piece);
                }
                4 if !self.words.is_empty() => {
                    let word = self.words[rng.random_range(0..self.words.len())];
                    input.splice(at..end.min(at + word.len()), word.bytes());
                }
                5 => {
                    let number = [0u64, 1, 7, 255, 65_535, 99_999, u64::from(u32::MAX), u64::MAX]
                        [rng.random_range(0..8)];
                    input.splice(at..at, number.to_string().into_bytes());
                }
                6 => input.truncate(at),
                7 => {
                    let other = &corpus[rng.random_range(0..corpus.len())];
                    let from = rng.random_range(0..=other.len());
                    input.truncate(at);
                    input.extend_from_slice(&other[from..]);
                }
                _ => input.insert(at, rng.random()),
            }
        }
        input.truncate(LENGTH);
        input
    }
}

fn name_of(input: &[u8]) -> String {
    blake3::hash(input).to_hex()[..16].to_owned()
}

/// The most memory that this process has had, in KiB; 0 where the system does not say.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// What came of reading.
pub(crate) fn outcome<T, E: std::fmt::Display>(
    read: Result<T, E>,
    good: impl FnOnce(T) -> String,
) -> String {
    match read {
        Ok(read) => good(read),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_corpora_are_harmless() {
    super::fuzz_targets().iter().for_each(Target::replay);
}

#[test]
#[ignore = "runs for minutes; see tests/fuzz/README.md"]
fn fuzzing_finds_nothing() {
    let only = std::env::var("UNIT_ATLAS_FUZZ_TARGET").ok();
    let wanted = |target: &&Target| only.as_deref().is_none_or(|name| name == target.name);
    super::fuzz_targets().iter().filter(wanted).for_each(Target::run);
}
