//! The reader survey: the scripts with what readers are shown, and its pictures.
//!
//! `survey/data.js` holds the study, the lexicon and a few patches of each unit, `survey/units/<code>.js`
//! everything of one unit; `assets/survey*.js` draw them. In a blind survey neither they nor any name of
//! a file tell the network, the layer, the unit or the truth of a patch: units go by codes and are sorted
//! by them, and its pictures are copies under names that tell nothing, in a folder of their own: those of the
//! atlas lie beside pages that tell everything.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;

use super::content::{self, Consent};
use super::keys::Keys;
use super::practice::{Practised, practice};
use super::script::{
    self, AskedPatch, AskedUnit, PlacedPatch, PractisedUnit, Study, TermGroup, UnitPatches, Whole,
};
use super::site::Writer;
use super::tiles::{self, Tiles};
use super::{Inputs, images, outline, text};
use base::artifact::Fingerprint;
use base::{UnitId, yaml};
use catalogue::Catalogue;
use config::Fineness;
use mammogram::resample;
use record::dissection::{TopPatch, Unit};
use study::code::Coder;
use study::selection::{Chosen, Selection, select};

/// Path of what is asked.
const DATA: &str = "survey/data.js";
/// Patches in a unit's preview.
const PREVIEW: usize = 8;
/// Detail in pixels that an overlay loses in a preview.
const TOLERANCE: f32 = 1.0;

/// The survey of a site.
pub(super) struct Survey<'a> {
    inputs: &'a Inputs<'a>,
    /// The units with the reasons for them.
    pub(super) selection: Selection,
    /// The same units in the same order.
    units: Vec<&'a Unit>,
    /// Those to practise on.
    pub(super) practice: Vec<Practised<'a>>,
    /// What readers must agree to.
    pub(super) consent: Option<Consent>,
    /// Gives pictures other names; `None` where their own may tell what they like.
    renamed: Option<Coder>,
}

impl<'a> Survey<'a> {
    /// Chooses the units; of those to practise on the catalogue knows something.
    pub(super) fn new(inputs: &'a Inputs<'a>, catalogue: &Catalogue<'a>) -> Result<Self> {
        let layers: Vec<_> = inputs
            .exhibits
            .iter()
            .flat_map(|e| e.layers.iter().map(move |layer| (e.config.name.as_str(), layer)))
            .collect();
        let config = inputs.config;
        let consent = config.survey.consent.as_deref().map(content::consent).transpose()?;
        let mut selection = if layers.is_empty() {
            Selection::none(&config.survey)
        } else {
            let parted = |unit: &UnitId| catalogue.parted(unit);
            select(config, &layers, inputs.manifest, inputs.explanations, &parted)?
        };
        let known: Vec<&str> = inputs.lexicons.iter().map(|l| l.id.as_str()).collect();
        ensure!(
            known.contains(&selection.lexicon.as_str()),
            "survey.lexicon: {}",
            yaml::unknown("lexicon", &selection.lexicon, &known)
        );
        let by_name: BTreeMap<UnitId, &Unit> = layers
            .iter()
            .flat_map(|(network, layer)| {
                let name = move |unit: &Unit| UnitId::new(*network, &layer.layer, unit.unit);
                layer.units.iter().map(move |unit| (name(unit), unit))
            })
            .collect();
        let units = selection.units.iter().filter_map(|c| by_name.get(&c.unit).copied()).collect();
        let renamed = selection.blind.then(|| Coder::new(config.seed, &selection.study));
        let practice = practice(config, catalogue, &selection);
        selection.consent = consent.as_ref().map(|consent| consent.digest.to_string());
        Ok(Self { inputs, selection, units, practice, consent, renamed })
    }

    /// Whether there is anything to ask.
    pub(super) fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// The units with their reasons.
    fn chosen(&self) -> impl Iterator<Item = (&Chosen, &'a Unit)> {
        self.selection.units.iter().zip(self.units.iter().copied())
    }

    /// Every unit that readers see, to practise or to answer.
    fn shown(&self) -> impl Iterator<Item = &'a Unit> {
        self.units.iter().copied().chain(self.practice.iter().map(|practised| practised.unit))
    }

    /// Codes of the same, in the same order.
    fn codes(&self) -> impl Iterator<Item = &str> {
        let asked = self.selection.units.iter().map(|chosen| chosen.code.as_str());
        asked.chain(self.practice.iter().map(|practised| practised.code.as_str()))
    }

    fn top(&self, unit: &'a Unit) -> &'a [TopPatch] {
        &unit.top[..unit.top.len().min(self.inputs.config.survey.patches as usize)]
    }

    fn patch_path(&self, number: u32) -> String {
        let path = images::patch_path(self.inputs, &self.inputs.manifest.patches[number as usize]);
        self.path(if self.fine(number).is_some() { format!("survey/{path}") } else { path })
    }

    /// The edge in pixels at which a patch is cut once more; none where the kept one is as fine.
    fn fine(&self, number: u32) -> Option<u32> {
        let Inputs { config, manifest, store, .. } = self.inputs;
        let patch = &manifest.patches[number as usize];
        let edge = config.survey.resolution?.of(patch.edge);
        (edge > store.edge() && manifest.member(patch).preview.is_some()).then_some(edge)
    }

    fn mammogram_path(&self, number: u32) -> String {
        self.path(images::mammogram_path(
            &self.inputs.manifest.mammograms[number as usize].mammogram.id,
        ))
    }

    /// The tiles of a mammogram: those of the atlas, or of the survey's own where it is blind, or where its patches
    /// are finer: who enlarges one must not see less.
    fn tiles(&self, number: u32) -> Option<Tiles> {
        let Inputs { config, manifest, .. } = self.inputs;
        let member = &manifest.mammograms[number as usize];
        let (id, height) = (&member.mammogram.id, member.mammogram.height);
        // All patches of a mammogram are as large.
        let first = manifest.patches.partition_point(|patch| patch.mammogram < number);
        let edge = manifest.patches.get(first).map_or(1, |patch| patch.edge.max(1));
        let as_patches = config.survey.resolution.map(|wanted| {
            let shown = u64::from(wanted.of(edge)) * u64::from(height);
            u32::try_from(shown.div_ceil(u64::from(edge))).unwrap_or(height)
        });
        let own = config.mammograms.height;
        let wanted =
            as_patches.filter(|&pixels| pixels > own.of(height)).map_or(own, Fineness::Pixels);
        match &self.renamed {
            Some(coder) => {
                let code = coder.picture(&images::mammogram_path(id));
                tiles::at(self.inputs, member, wanted, format!("survey/images/{code}/"))
            }
            None if wanted == own => tiles::of(self.inputs, member),
            None => tiles::at(self.inputs, member, wanted, format!("survey/mammograms/{id}/")),
        }
    }

    /// Tiles that are not the atlas's, by mammogram.
    fn own_tiles(&self) -> Vec<(u32, Tiles)> {
        let all = self.mammograms().into_iter();
        let all = all.filter_map(|number| Some((number, self.tiles(number)?)));
        all.filter(|(_, tiles)| tiles.are_in("survey/")).collect()
    }

    /// The mammograms of the patches that readers are shown, where there is more than patches.
    fn mammograms(&self) -> BTreeSet<u32> {
        let manifest = self.inputs.manifest;
        let tops = self.shown().flat_map(|unit| self.top(unit));
        tops.map(|top| manifest.patches[top.patch as usize].mammogram)
            .filter(|&number| manifest.mammograms[number as usize].preview.is_some())
            .collect()
    }

    fn path(&self, path: String) -> String {
        match &self.renamed {
            Some(coder) => format!("survey/images/{}.jpg", coder.picture(&path)),
            None => path,
        }
    }

    /// Numbers of the patches and mammograms that have a copy of their own.
    fn copies(&self) -> (BTreeSet<u32>, BTreeSet<u32>) {
        let mut patches: BTreeSet<u32> =
            self.shown().flat_map(|unit| self.top(unit)).map(|top| top.patch).collect();
        if self.renamed.is_none() {
            patches.retain(|&number| self.fine(number).is_some());
            return (patches, BTreeSet::new());
        }
        (patches, self.mammograms())
    }

    /// Paths of all its files but the page.
    pub(super) fn paths(&self) -> Vec<String> {
        if self.is_empty() {
            return Vec::new();
        }
        let (patches, mammograms) = self.copies();
        let mut paths = vec![DATA.to_string()];
        paths.extend(self.codes().map(script_path));
        paths.extend(patches.into_iter().map(|number| self.patch_path(number)));
        paths.extend(self.own_tiles().into_iter().flat_map(|(_, tiles)| tiles.paths()));
        paths.extend(mammograms.into_iter().map(|number| self.mammogram_path(number)));
        paths
    }

    /// Writes the copies of pictures, the same bytes as those of the atlas, and the patches that are finer.
    pub(super) fn write_pictures(&self, keys: &Keys, writer: &Writer) -> Result<()> {
        let (patches, mammograms) = self.copies();
        let store = self.inputs.store;
        let (fine, kept): (Vec<u32>, Vec<u32>) =
            patches.iter().partition(|&&number| self.fine(number).is_some());
        kept.par_iter().try_for_each(|&number| {
            let (path, pixels, edge) =
                (self.patch_path(number), store.pixels(number), store.edge());
            let content = Fingerprint::of_bytes(pixels);
            let source = Fingerprint::of(&("jpeg", images::QUALITY, edge, content));
            writer.write_made_from(&path, source, || {
                images::encode(pixels, edge).with_context(|| format!("cannot encode {path}"))
            })
        })?;
        // Patches stand in the order of their mammograms, each of which is read once.
        let manifest = self.inputs.manifest;
        let of = |number: u32| &manifest.patches[number as usize];
        let by_mammogram: Vec<&[u32]> =
            fine.chunk_by(|&a, &b| of(a).mammogram == of(b).mammogram).collect();
        by_mammogram.par_iter().try_for_each(|numbers| self.cut(numbers, keys, writer))?;
        mammograms.par_iter().try_for_each(|&number| {
            let bytes =
                self.inputs.previews.read(&manifest.mammograms[number as usize].mammogram.id)?;
            writer.write(&self.mammogram_path(number), &bytes)
        })?;
        self.own_tiles().par_iter().try_for_each(|(number, tiles)| {
            tiles.write(self.inputs, &manifest.mammograms[*number as usize], keys, writer)
        })
    }
}

impl Survey<'_> {
    /// Cuts some patches of one mammogram as fine as they are to be shown, unless they are there.
    fn cut(&self, numbers: &[u32], keys: &Keys, writer: &Writer) -> Result<()> {
        let manifest = self.inputs.manifest;
        let mut image = None;
        for &number in numbers {
            let patch = &manifest.patches[number as usize];
            let Some(edge) = self.fine(number) else { continue };
            let (path, key) = (self.patch_path(number), ("fine", images::QUALITY, edge, number));
            writer.write_made_from(&path, keys.picture(&key), || {
                if image.is_none() {
                    image = Some(self.inputs.original(manifest.member(patch))?);
                }
                let image = image.as_ref().context("no image")?;
                let window = [patch.x, patch.y, patch.edge, patch.edge];
                images::jpeg(&resample(image, window, edge, edge)?)
            })?;
        }
        Ok(())
    }
}

/// Path of a unit's script.
fn script_path(code: &str) -> String {
    format!("survey/units/{code}.js")
}

/// The scripts, as (path in the site, bytes).
pub(super) fn scripts(survey: &Survey) -> Result<Vec<(String, Vec<u8>)>> {
    if survey.is_empty() {
        return Ok(Vec::new());
    }
    let (inputs, selection) = (survey.inputs, &survey.selection);
    let positive = |top: &TopPatch| {
        (!selection.blind).then(|| inputs.manifest.patches[top.patch as usize].positive)
    };
    let mut units: Vec<(&Chosen, &Unit)> = survey.chosen().collect();
    // The order of the networks and numbers would tell something.
    units.sort_by(|a, b| a.0.code.cmp(&b.0.code));
    let named = |unit: &UnitId| (!selection.blind).then(|| unit.to_string());
    let preview = |unit| {
        let patches = survey.top(unit).iter().take(PREVIEW);
        let asked = patches.map(|top| AskedPatch {
            src: survey.patch_path(top.patch),
            overlay: outline::compact(&top.overlay, TOLERANCE),
            positive: positive(top),
        });
        asked.collect()
    };
    let offered = inputs.lexicons.iter().filter(|l| l.id == selection.lexicon || !l.birads);
    let study = Study {
        study: &selection.study,
        lexicon: &selection.lexicon,
        blind: selection.blind,
        repeats: inputs.config.survey.repeats,
        contact: inputs.config.survey.contact.as_deref(),
        consent: selection.consent.as_deref(),
        background: &inputs.config.survey.background,
        groups: offered.flat_map(TermGroup::all_of).collect(),
        units: units
            .iter()
            .map(|(chosen, unit)| AskedUnit {
                code: &chosen.code,
                name: named(&chosen.unit),
                patches: preview(unit),
            })
            .collect(),
        practice: survey
            .practice
            .iter()
            .map(|one| PractisedUnit {
                unit: AskedUnit {
                    code: &one.code,
                    name: named(&one.id),
                    patches: preview(one.unit),
                },
                known: &one.known,
            })
            .collect(),
    };
    let mut files = vec![(DATA.to_string(), script::file(DATA, &study)?)];
    for (code, unit) in survey.codes().zip(survey.shown()) {
        let mut mammograms: Vec<u32> = Vec::new();
        let mut patches = Vec::new();
        for top in survey.top(unit) {
            let patch = &inputs.manifest.patches[top.patch as usize];
            let place = mammograms.iter().position(|&m| m == patch.mammogram);
            patches.push(PlacedPatch {
                patch: AskedPatch {
                    src: survey.patch_path(top.patch),
                    overlay: top.overlay.clone(),
                    positive: positive(top),
                },
                mammogram: place.unwrap_or_else(|| {
                    mammograms.push(patch.mammogram);
                    mammograms.len() - 1
                }),
                x: patch.x,
                y: patch.y,
                edge: patch.edge,
                score: (!selection.blind).then(|| text::significant(f64::from(top.score))),
            });
        }
        let mammograms = mammograms
            .into_iter()
            .map(|number| {
                let member = &inputs.manifest.mammograms[number as usize];
                Whole {
                    src: member.preview.map(|_| survey.mammogram_path(number)),
                    tiles: survey.tiles(number),
                    width: member.mammogram.width,
                    height: member.mammogram.height,
                    micron: member.mammogram.micron,
                }
            })
            .collect();
        let path = script_path(code);
        let script = script::file(&path, &UnitPatches { patches, mammograms })?;
        files.push((path, script));
    }
    Ok(files)
}
