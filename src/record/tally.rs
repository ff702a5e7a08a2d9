//! What a data set holds, counted by the parts of the split: the data page and `prepare --dry-run`
//! show the same numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::Manifest;
use base::Split;
use config::Labels;
use mammogram::{Mammogram, Pathology};

/// The parts in the order of the counts.
pub const PARTS: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

/// Rows that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What is counted.
    pub title: Title,
    /// Rows in display order.
    pub rows: Vec<Row>,
}

/// What a group counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Title {
    /// Patients, mammograms and patches.
    Whole,
    /// Mammograms by side and view.
    Views,
    /// Mammograms by breast composition.
    Densities,
    /// Lesions by pathology.
    Pathologies,
    /// Lesions by lexicon term; the names are ids of terms.
    Terms,
}

/// One count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What is counted.
    pub name: String,
    /// In the parts of [`PARTS`].
    pub counts: [u64; 3],
}

impl Row {
    /// In all parts together.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// Counts under names.
struct Counts<K>(BTreeMap<K, [u64; 3]>);

impl<K: Ord> Counts<K> {
    fn new() -> Self {
        Self(BTreeMap::new())
    }

    fn add(&mut self, key: K, part: usize) {
        self.0.entry(key).or_default()[part] += 1;
    }

    fn group(self, title: Title, name: impl Fn(K) -> String) -> Group {
        let rows = self.0.into_iter().map(|(key, counts)| Row { name: name(key), counts });
        Group { title, rows: rows.collect() }
    }
}

fn part(split: Split) -> usize {
    match split {
        Split::Train => 0,
        Split::Validation => 1,
        Split::Test => 2,
    }
}

/// Every group, those without rows left out.
pub fn tally(manifest: &Manifest) -> Vec<Group> {
    let mut patients: [BTreeSet<&str>; 3] = Default::default();
    let mut whole = [[0u64; 3]; 4];
    let (mut views, mut densities) = (Counts::new(), Counts::new());
    let (mut pathologies, mut terms) = (Counts::new(), Counts::new());
    for member in &manifest.mammograms {
        let (at, mammogram) = (part(member.split), &member.mammogram);
        patients[at].insert(&mammogram.patient);
        whole[0][at] += 1;
        views.add(view(mammogram), at);
        // Mini-MIAS tells three tissues, which are no BI-RADS compositions.
        let tissue = || mammogram.facts.get("tissue").cloned();
        densities.add(mammogram.density.clone().or_else(tissue), at);
        for lesion in &mammogram.lesions {
            pathologies.add(lesion.pathology, at);
            let distinct: BTreeSet<&String> = lesion.terms.iter().collect();
            distinct.into_iter().for_each(|term| terms.add(term.clone(), at));
        }
    }
    for patch in &manifest.patches {
        let at = part(manifest.split(patch));
        whole[1][at] += 1;
        whole[2][at] += u64::from(patch.positive);
        whole[3][at] += u64::from(patch.benign);
    }
    let [cancer, benign] = match manifest.patching.labels {
        Labels::Lesion => ["patches with cancer", "patches with benign lesions"],
        Labels::Image => {
            ["patches of mammograms with cancer", "patches of mammograms with benign lesions"]
        }
    };
    let names = ["mammograms", "patches", cancer, benign];
    let mut rows = vec![Row {
        name: "patients".into(),
        counts: patients.map(|patients| patients.len() as u64),
    }];
    rows.extend(names.iter().zip(whole).map(|(name, counts)| Row { name: (*name).into(), counts }));
    let pathology = |pathology| {
        let word = match pathology {
            Pathology::Malignant => "malignant",
            Pathology::Benign => "benign",
            Pathology::Unproven => "unproven",
        };
        word.to_owned()
    };
    let stated = |value: Option<String>| value.unwrap_or_else(|| "not stated".into());
    let mut groups = vec![
        Group { title: Title::Whole, rows },
        views.group(Title::Views, stated),
        densities.group(Title::Densities, stated),
        pathologies.group(Title::Pathologies, pathology),
        terms.group(Title::Terms, |term| term),
    ];
    // The commonest term first.
    if let Some(terms) = groups.last_mut() {
        terms.rows.sort_by_key(|row| std::cmp::Reverse(row.total()));
    }
    groups.retain(|group| !group.rows.is_empty());
    groups
}

fn view(mammogram: &Mammogram) -> Option<String> {
    Some(mammogram.projection()).filter(|view| !view.is_empty())
}

/// The groups as lines of text, the counts in columns.
pub fn lines(groups: &[Group]) -> Vec<String> {
    let mut lines = Vec::new();
    for Group { title, rows } in groups {
        let title = match title {
            Title::Whole => "data set",
            Title::Views => "mammograms by view",
            Title::Densities => "mammograms by composition",
            Title::Pathologies => "lesions by pathology",
            Title::Terms => "lesions by term",
        };
        lines.push(format!(
            "{title:<30} {:>9} {:>10} {:>9} {:>9}",
            "train", "validation", "test", "all"
        ));
        for row in rows {
            let [train, validation, test] = row.counts;
            let (name, total) = (&row.name, row.total());
            lines.push(format!("  {name:<28} {train:>9} {validation:>10} {test:>9} {total:>9}"));
        }
    }
    lines
}
