//! The catalogue: an entry for each unit of each dissected layer.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Index;

use base::UnitId;
use lexicon::Lexicons;
use record::dissection::{Category, Concept, Kind, Layer, Match, Unit};
use record::explanation::Explanation;
use record::naming::{Candidate, Names};
use study::answer::{Association, ReaderFile};
use study::automatic::{self, Comparison, Detected};
use study::consensus::{Consensus, NO_CATEGORY};
use study::expert::{Opinion, opinions};
use study::suggest::Matcher;

use super::name::{Name, concept_words};

/// What is known of the units of an atlas.
#[derive(Debug)]
pub struct Catalogue<'a> {
    layers: Vec<LayerEntries<'a>>,
    lexicons: &'a Lexicons,
    detector: f32,
    opinions: BTreeMap<UnitId, Opinion>,
}

/// The units of a dissected layer.
#[derive(Debug)]
pub struct LayerEntries<'a> {
    /// The layer.
    pub record: &'a Layer,
    /// Its units, in the order of their numbers.
    pub units: Vec<Entry<'a>>,
}

/// What is known of a unit.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The unit.
    pub id: UnitId,
    /// What dissection found of it.
    pub record: &'a Unit,
    /// Whether it has anything to show.
    pub kind: Kind,
    /// Its rank by influence among the live units of its layer, from 1; none where it is not live.
    pub rank: Option<u32>,
    /// What it is called, and who says so.
    pub name: Name,
    /// Term ids of what it shows: as the authors settled, else as at least half of its readers named, else
    /// the term that a machine calls it, else that of its automatic name.
    pub terms: Vec<String>,
    /// Whether its readers chose none of these terms: all of them are suggested by their words.
    pub suggested: bool,
    /// BI-RADS categories of its terms, as the paper's Figure 4 prints them, or as the authors settled;
    /// empty where BI-RADS has none.
    pub categories: Vec<String>,
    /// How it relates to cancer, to the authors or to most of its readers.
    pub association: Option<Association>,
    /// What a machine would call it, closest first, beyond chance or not; empty where none looked at it.
    pub machine: &'a [Candidate],
    concepts: &'a [Concept],
    detector: f32,
}

/// How a unit and a concept agree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConceptMatch<'a> {
    /// The concept.
    pub concept: &'a Concept,
    /// How well they agree.
    pub found: &'a Match,
    /// Whether the unit detects it: a live unit whose intersection over union is above the threshold, and
    /// beyond chance where chance was measured. Nothing detects breast and background: whatever responds
    /// to tissue overlaps the breast.
    pub detected: bool,
}

impl<'a> Catalogue<'a> {
    /// Of these layers, in this order. `detector` is the intersection over union above which a unit detects
    /// a concept, in [0, 1].
    pub fn new(
        layers: impl IntoIterator<Item = &'a Layer>,
        readers: &[ReaderFile],
        consensus: &Consensus,
        lexicons: &'a Lexicons,
        detector: f32,
    ) -> Self {
        let opinions = opinions(readers, consensus, &Matcher::new(lexicons));
        let said = Said { opinions: &opinions, consensus, lexicons };
        let layers = layers.into_iter().map(|layer| said.layer(layer, detector)).collect();
        Self { layers, lexicons, detector, opinions }
    }

    /// The same, with what a machine calls the units of some layers: that is the name of those that people have not
    /// named.
    #[must_use]
    pub fn with_machine(mut self, names: &'a [Names]) -> Self {
        for layer in &mut self.layers {
            let own = |names: &&Names| {
                names.network == layer.record.network && names.layer == layer.record.layer
            };
            let Some(names) = names.iter().find(own) else { continue };
            for entry in &mut layer.units {
                entry.machine = names.candidates(entry.id.number());
                if let (Some(found), Name::Automatic { .. } | Name::Unnamed) =
                    (names.of(entry.id.number()), &entry.name)
                {
                    let words = concept_words(&found.term, self.lexicons);
                    let (term, by) = (found.term.clone(), names.namer.clone());
                    entry.terms = vec![term.clone()];
                    entry.categories = categories(self.lexicons, &entry.terms);
                    entry.name = Name::Machine { term, words, by };
                }
            }
        }
        self
    }

    /// The layers in their order.
    pub fn layers(&self) -> &[LayerEntries<'a>] {
        &self.layers
    }

    /// A layer by name.
    pub fn layer(&self, network: &str, layer: &str) -> Option<&LayerEntries<'a>> {
        self.layers.iter().find(|l| l.record.network == network && l.record.layer == layer)
    }

    /// The layer whose units an explanation holds responsible.
    pub fn explaining(&self, explanation: &Explanation) -> Option<&LayerEntries<'a>> {
        self.layer(&explanation.network, &explanation.layer)
    }

    /// Every unit, in the order of the layers and numbers.
    pub fn units(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.layers.iter().flat_map(|layer| &layer.units)
    }

    /// A unit; none where the atlas does not have it.
    pub fn get(&self, unit: &UnitId) -> Option<&Entry<'a>> {
        self.layer(unit.network(), unit.layer())?.units.get(unit.index())
    }

    /// The intersection over union above which a unit detects a concept.
    pub fn detector(&self) -> f32 {
        self.detector
    }

    /// The lexicons of its terms.
    pub fn lexicons(&self) -> &'a Lexicons {
        self.lexicons
    }

    /// What people said of a unit, of the atlas or not.
    pub fn opinion(&self, unit: &UnitId) -> Option<&Opinion> {
        self.opinions.get(unit)
    }

    /// Units that a machine calls something beyond chance, each with the term, whatever people call them.
    pub fn by_machine(&self) -> impl Iterator<Item = (&Entry<'a>, &'a Candidate)> {
        self.units().filter_map(|entry| Some((entry, entry.called()?)))
    }

    /// What units detect beyond measured chance against what people say of them.
    pub fn comparison(&self) -> Comparison {
        let units = self.units().map(|entry| (&entry.id, entry.detected_beyond_chance()));
        automatic::compare(units, &self.opinions, self.lexicons)
    }

    /// Units worth naming next: live, named by nobody so far, with a part in the evidence of an
    /// explanation; each with its share of all evidence, in [0, 1], most first. A unit in which readers saw
    /// nothing recognisable has been asked about, and is not among them.
    pub fn next(&self, explanation: &Explanation) -> Vec<(&Entry<'a>, f32)> {
        let all: f32 = explanation.evidence.iter().sum();
        let units = self.explaining(explanation).map_or(&[][..], |layer| &layer.units);
        let mut next: Vec<(&Entry, f32)> = units
            .iter()
            .zip(&explanation.evidence)
            .filter(|(entry, evidence)| {
                let open = matches!(
                    entry.name,
                    Name::Machine { .. } | Name::Automatic { .. } | Name::Unnamed
                );
                entry.kind.is_live() && open && **evidence > 0.0
            })
            .map(|(entry, evidence)| (entry, evidence / all))
            .collect();
        // A stable sort: equals stay in the order of their numbers.
        next.sort_by(|a, b| b.1.total_cmp(&a.1));
        next
    }
}

impl<'a> Index<&UnitId> for Catalogue<'a> {
    type Output = Entry<'a>;

    /// A unit that the atlas has.
    ///
    /// # Panics
    /// Where it has not; [`Catalogue::get`] asks.
    fn index(&self, unit: &UnitId) -> &Entry<'a> {
        match self.get(unit) {
            Some(entry) => entry,
            None => panic!("{unit} is not a unit of the catalogue"),
        }
    }
}

impl<'a> LayerEntries<'a> {
    /// The name of the unit with a number from 1; none where it has no name.
    pub fn name(&self, number: u32) -> Option<&Name> {
        let entry = self.units.get(number.checked_sub(1)? as usize)?;
        (!entry.name.is_none()).then_some(&entry.name)
    }

    /// How many of its units are of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.units.iter().filter(|entry| entry.kind == kind).count()
    }

    /// Its units that detect a concept, best first.
    pub fn detecting(&self, concept: &str) -> Vec<&Entry<'a>> {
        let mut units: Vec<(&Entry, f32)> = self
            .units
            .iter()
            .filter_map(|entry| {
                let found = entry.detections().find(|found| found.concept.id == concept)?;
                Some((entry, found.found.iou))
            })
            .collect();
        units.sort_by(|a, b| b.1.total_cmp(&a.1));
        units.into_iter().map(|(entry, _)| entry).collect()
    }

    /// Its units that detect any concept.
    pub fn detectors(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.units.iter().filter(|entry| entry.detections().next().is_some())
    }

    /// Ids of the concepts that a unit of it detects.
    pub fn detected(&self) -> BTreeSet<&'a str> {
        let found = self.units.iter().flat_map(Entry::detections);
        found.map(|found| found.concept.id.as_str()).collect()
    }

    /// Whether it has outlines of a concept.
    pub fn outlines(&self, concept: &str) -> bool {
        self.record.concepts.iter().any(|c| c.id == concept && c.category != Category::Breast)
    }
}

impl<'a> Entry<'a> {
    /// How it agrees with each concept of its layer, in their order, breast and background too.
    pub fn matches(&self) -> impl Iterator<Item = ConceptMatch<'a>> + use<'a> {
        let (live, detector) = (self.kind.is_live(), self.detector);
        self.concepts.iter().zip(&self.record.matches).map(move |(concept, found)| ConceptMatch {
            concept,
            found,
            detected: live
                && concept.category != Category::Breast
                && found.iou > detector
                && found.is_beyond_chance().unwrap_or(true),
        })
    }

    /// What it detects, in the order of the concepts.
    pub fn detections(&self) -> impl Iterator<Item = ConceptMatch<'a>> + use<'a> {
        self.matches().filter(|found| found.detected)
    }

    /// Whether it detects a concept.
    pub fn detects(&self, concept: &str) -> bool {
        self.detections().any(|found| found.concept.id == concept)
    }

    /// What it detects with the highest intersection over union; of equals the first.
    pub fn best_detection(&self) -> Option<ConceptMatch<'a>> {
        best(self.detections())
    }

    /// The concept with the highest intersection over union, whatever that is, breast and background
    /// aside; of equals the first. None where it meets no outline.
    pub fn best_match(&self) -> Option<ConceptMatch<'a>> {
        best(self.matches().filter(|found| found.concept.category != Category::Breast))
    }

    /// What a machine calls it: the closest term that is beyond chance.
    pub fn called(&self) -> Option<&'a Candidate> {
        self.machine.iter().find(|close| close.is_beyond_chance())
    }

    /// Its category as the first column of the paper's Figure 4 has it: `-` for what BI-RADS has no word
    /// for, `not coded` where readers' words stand for no term. Empty where it has no name.
    pub fn figure_4(&self) -> String {
        match (&self.name, &self.terms[..]) {
            _ if !self.categories.is_empty() => self.categories.join(", "),
            (Name::Unrecognizable { .. } | Name::Unnamed, _) => String::new(),
            (Name::Readers(_), []) => "not coded".into(),
            _ => NO_CATEGORY.into(),
        }
    }

    fn detected_beyond_chance(&self) -> Detected<'a> {
        let of = |wanted: &[Category]| {
            let measured = self.detections().filter(|found| found.found.chance.is_some());
            let found = best(measured.filter(|found| wanted.contains(&found.concept.category)));
            found.map(|found| found.concept.id.as_str())
        };
        Detected {
            term: of(&[Category::Finding, Category::Region]),
            pathology: of(&[Category::Pathology]),
        }
    }
}

fn best<'a>(matches: impl Iterator<Item = ConceptMatch<'a>>) -> Option<ConceptMatch<'a>> {
    let overlapping = matches.filter(|found| found.found.iou > 0.0);
    overlapping.reduce(|best, next| if next.found.iou > best.found.iou { next } else { best })
}

/// What people said.
struct Said<'s, 'a> {
    opinions: &'s BTreeMap<UnitId, Opinion>,
    consensus: &'s Consensus,
    lexicons: &'a Lexicons,
}

impl<'a> Said<'_, 'a> {
    fn layer(&self, layer: &'a Layer, detector: f32) -> LayerEntries<'a> {
        let units = layer.units.iter().zip(layer.ranks());
        let units = units.map(|(unit, rank)| self.entry(layer, unit, rank, detector));
        LayerEntries { record: layer, units: units.collect() }
    }

    fn entry(
        &self,
        layer: &'a Layer,
        unit: &'a Unit,
        rank: Option<u32>,
        detector: f32,
    ) -> Entry<'a> {
        let mut entry = Entry {
            id: UnitId::new(&layer.network, &layer.layer, unit.unit),
            record: unit,
            kind: unit.kind(),
            rank,
            name: Name::Unnamed,
            terms: Vec::new(),
            suggested: false,
            categories: Vec::new(),
            association: None,
            machine: &[],
            concepts: &layer.concepts,
            detector,
        };
        let settled = self.consensus.of(&entry.id);
        let opinion = self.opinions.get(&entry.id);
        let said =
            opinion.and_then(|o| Name::said(o, settled.map(|s| s.label.as_str()), self.lexicons));
        entry.association = opinion.and_then(|opinion| opinion.association);
        if let (Some(name), Some(opinion)) = (said, opinion) {
            entry.name = name;
            entry.terms = opinion.terms.clone();
            entry.suggested = opinion.suggested && !opinion.settled;
        } else if let Some(found) = entry.best_detection() {
            let concept = &found.concept.id;
            let words = concept_words(concept, self.lexicons);
            entry.name = Name::Automatic { concept: concept.clone(), words, iou: found.found.iou };
            entry.terms =
                self.lexicons.term(concept).map(|_| concept.clone()).into_iter().collect();
        }
        entry.categories = match settled {
            Some(settled) => {
                let given = settled.categories.iter();
                given.filter(|category| *category != NO_CATEGORY).cloned().collect()
            }
            None => categories(self.lexicons, &entry.terms),
        };
        entry
    }
}

/// BI-RADS categories of terms, by the paper's Figure 4.
fn categories(lexicons: &Lexicons, terms: &[String]) -> Vec<String> {
    let birads = |id: &&String| lexicons.term(id).is_some_and(|e| e.lexicon.birads);
    let terms: Vec<&String> = terms.iter().filter(birads).collect();
    lexicons.categories(&terms)
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
