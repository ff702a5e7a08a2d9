//! Mammograms that readers score before and after they see an explanation: the scripts with what they are shown, and
//! the pictures.
//!
//! `survey/cases/data.js` holds the mammograms with the patients' other views, `survey/cases/explained/<code>.js` why
//! one has its score: the page loads that after the first score alone. As in a blind survey, neither they nor any name
//! of a file tell the network, the layer, a unit or the truth: cases go by codes and are sorted by them, and all
//! pictures are copies under names that tell nothing.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::facts::Atlas;
use super::keys::Keys;
use super::script::{self, AskedPatch, CaseView, ExplainedCase, ExplainedUnit, Scored, ScoredCase};
use super::site::Writer;
use super::tiles::{self, Tiles};
use super::{Inputs, images, outline, text};
use base::artifact::Fingerprint;
use catalogue::{Source, sentence};
use record::dissection::Layer;
use study::cases::{Case, Drawn, draw};
use study::code::Coder;

/// Path of the mammograms.
const DATA: &str = "survey/cases/data.js";
/// Where its pictures lie.
const IMAGES: &str = "survey/cases/images";
/// Other views of a patient shown beside a mammogram at most: as many as the viewer puts beside one.
const OTHERS: usize = 7;
/// Top patches shown of a unit.
const EXAMPLES: usize = 3;
/// Detail in pixels that an overlay loses.
const TOLERANCE: f32 = 0.3;

/// The cases of a site.
pub(super) struct Reading<'a> {
    inputs: &'a Inputs<'a>,
    drawn: Option<Drawn<'a>>,
    coder: Coder,
}

/// A picture of a case.
enum Picture {
    /// Of a mammogram, by its number.
    Mammogram(u32),
    /// Of a patch, by its number.
    Patch(u32),
}

impl<'a> Reading<'a> {
    /// Draws the cases.
    ///
    /// # Errors
    /// When the project names a network that is not explained.
    pub(super) fn new(inputs: &'a Inputs<'a>) -> Result<Self> {
        let config = inputs.config;
        let drawn = draw(config, inputs.explanations, inputs.manifest)?;
        let coder = Coder::new(config.seed, &config.survey.study);
        Ok(Self { inputs, drawn, coder })
    }

    /// The cases with how they were drawn; none where there is no mammogram to score.
    pub(super) fn drawn(&self) -> Option<&Drawn<'a>> {
        self.drawn.as_ref().filter(|drawn| !drawn.cases.is_empty())
    }

    fn cases(&self) -> &[Case<'a>] {
        self.drawn().map_or(&[], |drawn| &drawn.cases)
    }

    /// What its authors should know: that there are fewer cases than they asked for, or none.
    pub(super) fn shortfall(&self) -> Option<String> {
        if self.inputs.config.reading.cases == 0 {
            return None;
        }
        let Some(drawn) = &self.drawn else {
            return Some(
                "reading.cases asks for mammograms to score, but no network's scores are explained: there is no page \
                 for readers of cases"
                    .into(),
            );
        };
        let ([cancer, none], [wanted_cancer, wanted_none]) = (drawn.found(), drawn.wanted);
        ([cancer, none] != drawn.wanted).then(|| {
            format!(
                "reading.cases asks for {wanted_cancer} mammograms with cancer and {wanted_none} without; of those that \
                 {} explains, {cancer} and {none} are put to readers: without cancer are only mammograms of patients \
                 without cancer and without lesions of unproven pathology",
                drawn.explanation.network
            )
        })
    }

    /// Number of the mammogram to score, and of the patient's others.
    fn views(&self, case: &Case) -> Vec<u32> {
        let members = &self.inputs.manifest.mammograms;
        let own = case.explained.mammogram;
        let patient = &members[own as usize].mammogram.patient;
        let others = (0..).zip(members).filter(|(number, member)| {
            *number != own && member.mammogram.patient == *patient && member.preview.is_some()
        });
        [own].into_iter().chain(others.map(|(number, _)| number).take(OTHERS)).collect()
    }

    /// The name of a mammogram's picture; another in every case, so that no two cases are seen to share it.
    fn mammogram(&self, case: &Case, number: u32) -> String {
        let id = &self.inputs.manifest.mammograms[number as usize].mammogram.id;
        format!("{IMAGES}/{}", self.coder.picture(&format!("{} mammogram {id}", case.code)))
    }

    fn tiles(&self, case: &Case, number: u32) -> Option<Tiles> {
        let Inputs { config, manifest, .. } = self.inputs;
        let member = &manifest.mammograms[number as usize];
        let src = format!("{}/", self.mammogram(case, number));
        tiles::at(self.inputs, member, config.mammograms.height, src)
    }

    /// The name of the picture of the patch that decided.
    fn patch(&self, case: &Case) -> String {
        format!("{IMAGES}/{}.jpg", self.coder.picture(&format!("{} patch", case.code)))
    }

    fn example(&self, number: u32) -> String {
        let manifest = self.inputs.manifest;
        let name = manifest.patch_name(&manifest.patches[number as usize]);
        format!("{IMAGES}/{}.jpg", self.coder.picture(&format!("example {name}")))
    }

    /// The layer whose units explain.
    fn layer(&self) -> Option<&'a Layer> {
        let explanation = self.drawn()?.explanation;
        let exhibits = self.inputs.exhibits.iter();
        exhibits
            .filter(|exhibit| exhibit.config.name == explanation.network)
            .flat_map(|exhibit| exhibit.layers)
            .find(|layer| layer.layer == explanation.layer)
    }

    /// Numbers of the units shown of a case.
    fn units(&self, case: &Case<'a>) -> impl Iterator<Item = &'a record::explanation::Part> {
        let most = self.inputs.config.reading.units as usize;
        case.explained.units.iter().filter(|part| part.contribution > 0.0).take(most)
    }

    /// Patients of all cases: readers see no patch of theirs as an example of a unit.
    fn patients(&self) -> BTreeSet<&str> {
        let members = &self.inputs.manifest.mammograms;
        let patient =
            |case: &Case| members[case.explained.mammogram as usize].mammogram.patient.as_str();
        self.cases().iter().map(patient).collect()
    }

    /// A unit's first top patches of patients who are in no case, as (patch, overlay).
    fn examples(&self, unit: u32, patients: &BTreeSet<&str>) -> Vec<(u32, &'a str)> {
        let manifest = self.inputs.manifest;
        let unit = self.layer().and_then(|layer| layer.units.get((unit as usize).checked_sub(1)?));
        let top = unit.map_or(&[][..], |unit| &unit.top);
        let foreign = top.iter().filter(|top| {
            let member = manifest.member(&manifest.patches[top.patch as usize]);
            !patients.contains(member.mammogram.patient.as_str())
        });
        foreign.take(EXAMPLES).map(|top| (top.patch, top.overlay.as_str())).collect()
    }

    /// Every picture by its path.
    fn pictures(&self) -> Vec<(String, Picture)> {
        let patients = self.patients();
        let mut pictures = Vec::new();
        let mut units = BTreeSet::new();
        for case in self.cases() {
            for number in self.views(case) {
                let path = format!("{}.jpg", self.mammogram(case, number));
                pictures.push((path, Picture::Mammogram(number)));
            }
            pictures.push((self.patch(case), Picture::Patch(case.explained.patch)));
            units.extend(self.units(case).map(|part| part.unit));
        }
        let examples: BTreeSet<u32> = units
            .into_iter()
            .flat_map(|unit| self.examples(unit, &patients))
            .map(|(patch, _)| patch)
            .collect();
        pictures.extend(examples.into_iter().map(|n| (self.example(n), Picture::Patch(n))));
        pictures
    }

    fn all_tiles(&self) -> Vec<(u32, Tiles)> {
        let cases = self.cases().iter();
        let views = cases.flat_map(|case| self.views(case).into_iter().map(move |n| (case, n)));
        views.filter_map(|(case, number)| Some((number, self.tiles(case, number)?))).collect()
    }

    /// Paths of all its files but the page.
    pub(super) fn paths(&self) -> Vec<String> {
        if self.drawn().is_none() {
            return Vec::new();
        }
        let mut paths = vec![DATA.to_string()];
        paths.extend(self.cases().iter().map(|case| script_path(&case.code)));
        paths.extend(self.pictures().into_iter().map(|(path, _)| path));
        paths.extend(self.all_tiles().into_iter().flat_map(|(_, tiles)| tiles.paths()));
        paths
    }

    /// Writes the copies of pictures.
    ///
    /// # Errors
    /// When a picture cannot be read or written.
    pub(super) fn write_pictures(&self, keys: &Keys, writer: &Writer) -> Result<()> {
        let Inputs { manifest, store, previews, .. } = self.inputs;
        self.pictures().par_iter().try_for_each(|(path, picture)| match *picture {
            Picture::Mammogram(number) => {
                let bytes = previews.read(&manifest.mammograms[number as usize].mammogram.id)?;
                writer.write(path, &bytes)
            }
            Picture::Patch(number) => {
                let (pixels, edge) = (store.pixels(number), store.edge());
                let content = Fingerprint::of_bytes(pixels);
                let source = Fingerprint::of(&("jpeg", images::QUALITY, edge, content));
                writer.write_made_from(path, source, || {
                    images::encode(pixels, edge).with_context(|| format!("cannot encode {path}"))
                })
            }
        })?;
        self.all_tiles().par_iter().try_for_each(|(number, tiles)| {
            tiles.write(self.inputs, &manifest.mammograms[*number as usize], keys, writer)
        })
    }

    fn view(&self, case: &Case, number: u32) -> CaseView {
        let member = &self.inputs.manifest.mammograms[number as usize];
        let mammogram = &member.mammogram;
        let size = [mammogram.width, mammogram.height];
        CaseView {
            view: mammogram.projection(),
            src: format!("{}.jpg", self.mammogram(case, number)),
            // Those without one are no view.
            pixels: member.preview.unwrap_or(size),
            size,
            micron: mammogram.micron,
            tiles: self.tiles(case, number),
        }
    }
}

/// Path of the script with a case's explanation.
fn script_path(code: &str) -> String {
    format!("survey/cases/explained/{code}.js")
}

/// The scripts, as (path in the site, bytes).
///
/// # Errors
/// When one cannot be written.
pub(super) fn scripts(atlas: &Atlas) -> Result<Vec<(String, Vec<u8>)>> {
    let reading = &atlas.reading;
    let Some(drawn) = reading.drawn() else { return Ok(Vec::new()) };
    let survey = &atlas.inputs.config.survey;
    let cases = drawn.cases.iter().map(|case| ScoredCase {
        code: &case.code,
        views: reading.views(case).into_iter().map(|n| reading.view(case, n)).collect(),
    });
    let scored =
        Scored { study: &survey.study, contact: survey.contact.as_deref(), cases: cases.collect() };
    let mut files = vec![(DATA.to_string(), script::file(DATA, &scored)?)];
    let patients = reading.patients();
    for case in &drawn.cases {
        let path = script_path(&case.code);
        let script = script::file(&path, &explained(atlas, drawn, case, &patients))?;
        files.push((path, script));
    }
    Ok(files)
}

fn explained(
    atlas: &Atlas,
    drawn: &Drawn,
    case: &Case,
    patients: &BTreeSet<&str>,
) -> ExplainedCase {
    let (reading, explained) = (&atlas.reading, case.explained);
    let known = atlas.catalogue.explaining(drawn.explanation);
    let named = |unit: u32| known.and_then(|known| known.name(unit));
    let share = |part: f32| if explained.evidence > 0.0 { part / explained.evidence } else { 0.0 };
    let patch = &atlas.inputs.manifest.patches[explained.patch as usize];
    let units = reading.units(case).map(|part| ExplainedUnit {
        name: named(part.unit).and_then(|name| name.in_sentence()).unwrap_or_default(),
        from: named(part.unit).map_or(Source::None, catalogue::Name::source).id(),
        share: text::percent(f64::from(share(part.contribution))),
        overlay: outline::compact(&part.overlay, TOLERANCE),
        examples: reading
            .examples(part.unit, patients)
            .into_iter()
            .map(|(number, overlay)| AskedPatch {
                src: reading.example(number),
                overlay: outline::compact(overlay, TOLERANCE),
                positive: None,
            })
            .collect(),
    });
    ExplainedCase {
        words: sentence(explained, named, None),
        src: reading.patch(case),
        pixels: atlas.inputs.store.edge(),
        x: patch.x,
        y: patch.y,
        edge: patch.edge,
        units: units.collect(),
    }
}
