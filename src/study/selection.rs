//! Which units readers are asked about (paper, section 2.4). Format 1.
//!
//! Of each network some forty to fifty: partly those whose top patches are all or mostly cancer, partly
//! drawn at random; or by influence, by evidence, or as listed. The choice follows from the artifacts, the
//! settings and the seed alone, and is written down with its reasons.

use anyhow::{Result, bail, ensure};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::code::Coder;
use base::{UnitId, seed};
use config::{Config, Select, Survey};
use record::Manifest;
use record::dissection::{Kind, Layer, Unit};
use record::explanation::Explanation;

/// The units of a survey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// Always 1.
    pub format: u32,
    /// Identifier of the study.
    pub study: String,
    /// Lexicon of the terms.
    pub lexicon: String,
    /// Whether readers see codes instead of names.
    pub blind: bool,
    /// The text that readers must agree to, as their files name it ([`About::consent`](super::about::About::consent)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
    /// The units in the order of the networks, layers and numbers, or as listed.
    pub units: Vec<Chosen>,
}

/// A unit that readers are asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// The unit.
    pub unit: UnitId,
    /// What a blind survey calls it.
    pub code: String,
    /// Why it is among them.
    pub reason: Reason,
    /// How many of the patches shown hold cancer.
    pub cancer: u32,
    /// How many patches are shown.
    pub shown: u32,
    /// Its rank by influence among the live units of the layer, where that was measured.
    pub influence: Option<u32>,
}

/// Why a unit was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its top patches are all or mostly cancer.
    Cancer,
    /// Drawn at random.
    Random,
    /// By its rank of influence.
    Influence,
    /// By how much of the evidence for cancer it carries.
    Evidence,
    /// Because a machine calls it other than the outlines do that it detects.
    Disagreement,
    /// Named in the project file.
    Listed,
}

impl Reason {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Reason::Cancer => "mostly cancer",
            Reason::Random => "random",
            Reason::Influence => "influence",
            Reason::Evidence => "evidence",
            Reason::Disagreement => "machine against outlines",
            Reason::Listed => "listed",
        }
    }
}

impl Selection {
    /// Of a project without dissected layers.
    pub fn none(survey: &Survey) -> Self {
        Self {
            format: 1,
            study: survey.study.clone(),
            lexicon: survey.lexicon.clone(),
            blind: survey.blind,
            consent: None,
            units: Vec::new(),
        }
    }
}

/// Chooses the units of a project's survey among its dissected layers, given as (network, layer). `parted` is how far a
/// machine and outlines part on a unit; none where they do not, or one of them says nothing.
///
/// # Errors
/// When the settings name a unit that is not there, or ask for evidence where scores are not explained.
pub fn select(
    config: &Config,
    layers: &[(&str, &Layer)],
    manifest: &Manifest,
    explanations: &[Explanation],
    parted: &dyn Fn(&UnitId) -> Option<f32>,
) -> Result<Selection> {
    let survey = &config.survey;
    let patches = survey.patches as usize;
    let find = |network: &str, layer: &str| {
        layers.iter().find(|(n, l)| *n == network && l.layer == layer).copied()
    };
    let coder = Coder::new(config.seed, &survey.study);
    let chosen = |network: &str, layer: &Layer, ranked: &Ranked, reason: Reason| {
        let Ranked { unit, rank } = *ranked;
        let name = UnitId::new(network, &layer.layer, unit.unit);
        Chosen {
            code: coder.unit(&name, &layer.weights_blake3),
            unit: name,
            reason,
            cancer: cancer(unit, patches, manifest),
            shown: unit.top.len().min(patches) as u32,
            influence: rank,
        }
    };
    let mut units = Vec::new();
    if let Select::Listed(names) = &survey.select {
        for name in names {
            let Some((network, layer)) = find(name.network(), name.layer()) else {
                bail!("survey.select names {name}, but the layer is not dissected");
            };
            let Some(unit) = layer.units.get(name.index()) else {
                bail!(
                    "survey.select names {name}, but {network}/{} has {} units",
                    layer.layer,
                    layer.units.len()
                );
            };
            let Some(ranked) = live(layer).into_iter().find(|ranked| ranked.unit == unit) else {
                let why = match unit.kind() {
                    Kind::Dead => "it is dead: nowhere is its activation above zero",
                    _ => "all patches have the same score with it",
                };
                bail!("survey.select names {name}, but there is nothing to ask about: {why}");
            };
            units.push(chosen(network, layer, &ranked, Reason::Listed));
        }
    }
    for (at, (network, name)) in survey.layers.iter().enumerate() {
        // A layer that is not dissected yet has no units to ask about.
        let Some((network, layer)) = find(network, name) else { continue };
        let wanted = share(survey.units, at, &survey.layers);
        let explanation =
            explanations.iter().find(|e| e.network == network && e.layer == layer.layer);
        let place = format!("{network}/{name}");
        let picked = match survey.select {
            Select::Disagreement => by_disagreement(layer, wanted as usize, parted),
            _ => pick(config, (layer, explanation), wanted as usize, &place, manifest)?,
        };
        units.extend(picked.iter().map(|(unit, reason)| chosen(network, layer, unit, *reason)));
    }
    let mut codes: Vec<&str> = units.iter().map(|unit| unit.code.as_str()).collect();
    codes.sort_unstable();
    ensure!(
        codes.windows(2).all(|pair| pair[0] != pair[1]),
        "two units of the survey have the same code; give `survey.study` another name"
    );
    Ok(Selection { units, ..Selection::none(survey) })
}

/// A live unit with its rank by influence among those of its layer, where that was measured.
#[derive(Clone, Copy)]
struct Ranked<'a> {
    unit: &'a Unit,
    rank: Option<u32>,
}

/// The live units of a layer, in the order of their numbers: of the others there is nothing to see.
fn live(layer: &Layer) -> Vec<Ranked<'_>> {
    let ranked = layer.units.iter().zip(layer.ranks());
    let live = ranked.filter(|(unit, _)| unit.kind().is_live());
    live.map(|(unit, rank)| Ranked { unit, rank }).collect()
}

/// How many of the patches that a reader sees of a unit hold cancer.
fn cancer(unit: &Unit, patches: usize, manifest: &Manifest) -> u32 {
    let positive = |patch: u32| manifest.patches.get(patch as usize).is_some_and(|p| p.positive);
    unit.top.iter().take(patches).filter(|top| positive(top.patch)).count() as u32
}

/// The part of a network's units that falls to one of its layers, as even as possible.
fn share(units: u32, at: usize, layers: &[(String, String)]) -> u32 {
    let network = &layers[at].0;
    let total = layers.iter().filter(|(n, _)| n == network).count() as u32;
    let before = layers[..at].iter().filter(|(n, _)| n == network).count() as u32;
    units / total + u32::from(before < units % total)
}

/// Units of a layer on which a machine and outlines part furthest, in the order of their numbers.
fn by_disagreement<'a>(
    layer: &'a Layer,
    wanted: usize,
    parted: &dyn Fn(&UnitId) -> Option<f32>,
) -> Vec<(Ranked<'a>, Reason)> {
    let of = |ranked: &Ranked| parted(&UnitId::new(&layer.network, &layer.layer, ranked.unit.unit));
    let mut units: Vec<(f32, Ranked)> =
        live(layer).into_iter().filter_map(|ranked| Some((of(&ranked)?, ranked))).collect();
    // A stable sort: equals stay in the order of their numbers.
    units.sort_by(|a, b| b.0.total_cmp(&a.0));
    units.truncate(wanted);
    units.sort_by_key(|(_, ranked)| ranked.unit.unit);
    units.into_iter().map(|(_, ranked)| (ranked, Reason::Disagreement)).collect()
}

/// Live units of one layer, `network/layer`, with the reason for each, in the order of their numbers.
fn pick<'a>(
    config: &Config,
    (layer, explanation): (&'a Layer, Option<&Explanation>),
    wanted: usize,
    place: &str,
    manifest: &Manifest,
) -> Result<Vec<(Ranked<'a>, Reason)>> {
    let survey = &config.survey;
    let mut picked: Vec<(Ranked, Reason)> = Vec::new();
    let mut left = live(layer);
    match survey.select {
        Select::Listed(_) | Select::Disagreement => {}
        // Names make no difference: a selection stays as it is while readers answer.
        Select::Evidence => {
            let Some(Explanation { evidence, .. }) = explanation else {
                bail!(
                    "survey.select is `evidence`, but the units of {place} explain no scores: name \
                     in survey.layers the last dissected layer of a network that says something of cancer, or choose \
                     `mixed` or `random`"
                );
            };
            let evidence = |ranked: &Ranked| {
                evidence.get(ranked.unit.unit as usize - 1).copied().unwrap_or_default()
            };
            left.retain(|ranked| evidence(ranked) > 0.0);
            left.sort_by(|a, b| evidence(b).total_cmp(&evidence(a)));
            picked.extend(left.iter().take(wanted).map(|ranked| (*ranked, Reason::Evidence)));
        }
        Select::Influence => {
            if layer.influence.is_none() {
                bail!(
                    "survey.select is `influence`, but the influence of the units of {place} is not known: they \
                     were recorded without what they contribute, or the network says nothing of cancer; choose `mixed` \
                     or `random`"
                );
            }
            left.sort_by_key(|ranked| ranked.rank);
            picked.extend(left.drain(..).take(wanted).map(|unit| (unit, Reason::Influence)));
        }
        Select::Mixed | Select::Random => {
            if survey.select == Select::Mixed {
                let patches = survey.patches as usize;
                let count = |ranked: &Ranked| cancer(ranked.unit, patches, manifest);
                let mostly = |ranked: &Ranked| {
                    2 * count(ranked) as usize > ranked.unit.top.len().min(patches)
                };
                // Of as much cancer the more influential.
                left.sort_by_key(|ranked| (std::cmp::Reverse(count(ranked)), ranked.rank));
                let most = (survey.cancer * wanted as f64).round() as usize;
                let telling = left.iter().take(most).take_while(|ranked| mostly(ranked)).count();
                picked.extend(left.drain(..telling).map(|unit| (unit, Reason::Cancer)));
                left.sort_by_key(|ranked| ranked.unit.unit);
            }
            left.shuffle(&mut seed::stream(config.seed, &format!("survey/{place}")));
            let rest = wanted.saturating_sub(picked.len());
            picked.extend(left.drain(..).take(rest).map(|unit| (unit, Reason::Random)));
        }
    }
    picked.sort_by_key(|(ranked, _)| ranked.unit.unit);
    Ok(picked)
}
