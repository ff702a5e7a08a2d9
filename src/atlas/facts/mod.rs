//! What pages, figures and tables share: the atlas with all that it is made from, where its pages lie, and
//! what more than one of them shows.

pub(crate) mod areas;
pub(crate) mod coefficients;
pub(crate) mod coverage;
pub(crate) mod lesions;
pub(crate) mod paths;
pub(crate) mod reporting;
pub(crate) mod risk;
pub(crate) mod sheet;
pub(crate) mod statements;
pub(crate) mod table;
mod terms;
pub(crate) mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use self::lesions::{LesionView, draw_lesions};
use crate::content::{self, Article};
use crate::images::Shown;
use crate::inputs::{Exhibit, Inputs};
use crate::labels::Labels;
use crate::reading::Reading;
use crate::study::Study;
use crate::survey::Survey;
use crate::text;
use crate::theme::Theme;
use base::{UnitId, counted};
use catalogue::{Case, Catalogue, Entry, cases};
use config::{Config, Source};
use mammogram::{Lesion, Outline};
use record::dissection::{Layer, Unit};
use record::naming::Names;

/// Everything that rendering draws from.
pub(crate) struct Atlas<'a> {
    pub(crate) inputs: &'a Inputs<'a>,
    pub(crate) labels: Labels<'a>,
    pub(crate) study: Study<'a>,
    pub(crate) theme: Theme,
    pub(crate) survey: Survey<'a>,
    pub(crate) reading: Reading<'a>,
    /// What is known of the units.
    pub(crate) catalogue: Catalogue<'a>,
    pub(crate) articles: Vec<Article>,
    pub(crate) shown: &'a Shown,
    /// Terms that have a page.
    pub(crate) terms: Vec<String>,
    /// Lesions of each mammogram, drawn once for all pages.
    pub(crate) lesions: Vec<Vec<LesionView>>,
    /// Units of the BI-RADS table, where a figure or a link to one asks for them.
    tabled: OnceLock<Vec<UnitId>>,
}

impl<'a> Atlas<'a> {
    /// Makes what all pages share.
    pub(crate) fn new(
        inputs: &'a Inputs<'a>,
        mut theme: Theme,
        articles: Vec<Article>,
        shown: &'a Shown,
        catalogue: Catalogue<'a>,
        survey: Survey<'a>,
        reading: Reading<'a>,
    ) -> Self {
        theme.introduce(inputs.config, &inputs.manifest.source, inputs.store.edge());
        let labels = Labels::new(inputs, &catalogue);
        let members = &inputs.manifest.mammograms;
        let lesions = members.iter().map(|member| draw_lesions(&labels, member)).collect();
        let study = Study::new(inputs, &catalogue);
        Self {
            inputs,
            terms: terms::terms(inputs, &labels, &catalogue),
            labels,
            study,
            theme,
            survey,
            reading,
            catalogue,
            articles,
            shown,
            lesions,
            tabled: OnceLock::new(),
        }
    }

    /// Name of the lexicon that readers work with.
    pub(crate) fn lexicon_name(&self) -> String {
        let id = &self.inputs.config.survey.lexicon;
        let known = self.inputs.lexicons.iter().find(|lexicon| lexicon.id == *id);
        known.map_or_else(|| id.clone(), |lexicon| lexicon.name.clone())
    }

    /// What is known of a unit of a layer of the atlas.
    pub(crate) fn entry(&self, layer: &Layer, unit: &Unit) -> &Entry<'a> {
        &self.catalogue[&UnitId::new(&layer.network, &layer.layer, unit.unit)]
    }

    /// Units that people named a term in.
    pub(crate) fn named(&self, term: &str) -> impl Iterator<Item = &Entry<'a>> {
        let has = move |entry: &&Entry| entry.terms.iter().any(|own| own == term);
        self.catalogue.units().filter(|entry| entry.name.is_by_people()).filter(has)
    }

    /// Every case, by network and reason.
    pub(crate) fn cases(&self) -> Vec<Case<'a>> {
        let inputs = self.inputs;
        cases(inputs.explanations, inputs.manifest, &inputs.config.cases, inputs.config.seed)
    }

    /// Probabilities of the classes of a network's patches; none of a network that is not here.
    pub(crate) fn scores(&self, network: &str) -> &'a [(u32, Vec<f32>)] {
        let exhibits: &'a [Exhibit<'a>] = self.inputs.exhibits;
        let exhibit = exhibits.iter().find(|exhibit| exhibit.config.name == network);
        exhibit.map(|exhibit| exhibit.evaluation.scores.as_slice()).unwrap_or_default()
    }

    /// Whether a network says anything of cancer.
    pub(crate) fn tells_cancer(&self, network: &str) -> bool {
        let exhibit = self.inputs.exhibits.iter().find(|exhibit| exhibit.config.name == network);
        exhibit.is_none_or(|exhibit| exhibit.evaluation.tells_cancer())
    }

    /// Whether the atlas is of networks that tell cancer: one of them at least, or none is here yet.
    pub(crate) fn is_of_cancer(&self) -> bool {
        let mut exhibits = self.inputs.exhibits.iter();
        exhibits.len() == 0 || exhibits.any(|exhibit| exhibit.evaluation.tells_cancer())
    }

    /// What a machine calls the units of a layer, where it was asked.
    pub(crate) fn names(&self, network: &str, layer: &str) -> Option<&'a Names> {
        let names: &'a [Names] = self.inputs.names;
        names.iter().find(|names| names.network == network && names.layer == layer)
    }

    /// Every dissected layer with its network.
    pub(crate) fn layers(&self) -> impl Iterator<Item = (&'a Exhibit<'a>, &'a Layer)> + use<'a> {
        let exhibits: &'a [Exhibit<'a>] = self.inputs.exhibits;
        exhibits.iter().flat_map(|exhibit| exhibit.layers.iter().map(move |layer| (exhibit, layer)))
    }

    /// All lesions of the data set.
    fn lesions_of_all(&self) -> impl Iterator<Item = &'a Lesion> {
        self.inputs.manifest.mammograms.iter().flat_map(|member| &member.mammogram.lesions)
    }

    /// What it means that patches have the label of their mammogram; `None` where they have their own.
    pub(crate) fn labels_of_images(&self) -> Option<&'static str> {
        (self.inputs.manifest.patching.labels == config::Labels::Image).then_some(
            "Every patch has the label of its mammogram, wherever the lesion is. So the area per patch says how well \
             single patches tell their mammogram, of which most hold no lesion; the one per mammogram says how well the \
             network does.",
        )
    }

    /// What it means that lesions are boxes; `None` where none is.
    pub(crate) fn boxes(&self) -> Option<String> {
        let placed: Vec<_> = self.lesions_of_all().filter(|lesion| lesion.is_placed()).collect();
        let is_box = |outline: &Outline| matches!(outline, Outline::Box(_));
        let boxes = placed.iter().filter(|lesion| lesion.outlines.iter().any(is_box)).count();
        (boxes > 0).then(|| {
            format!(
                "Of the {} with a place, {} given as boxes. A box holds more than its lesion: an IoU with it is an IoU of \
                 boxes, not to be compared with one of outlines, and a patch’s share of the lesion is its share of the \
                 box.",
                counted(placed.len(), "lesion", "lesions"),
                counted(boxes, "is", "are"),
            )
        })
    }

    /// The same for a term, where it is one of lesions.
    pub(crate) fn boxes_of(&self, term: &str) -> Option<String> {
        let mut terms = self.lesions_of_all().flat_map(|lesion| &lesion.terms);
        terms.any(|own| own == term).then(|| self.boxes()).flatten()
    }

    /// Pictures of the prose, by their paths in the site.
    pub(crate) fn figures(&self) -> BTreeMap<String, PathBuf> {
        let folder = self.inputs.config.root.join("content").join(content::IMAGES);
        let files = self.articles.iter().flat_map(|article| article.figures.keys());
        files.map(|file| (format!("images/{file}"), folder.join(file))).collect()
    }

    /// A text of the data set as pages tell it: without folders of this machine, and without the names that a
    /// person gave to tables, which stand in messages but never on a page.
    pub(crate) fn told(&self, text: &str) -> String {
        let config = self.inputs.config;
        let mut folders = vec![config.root.as_path(), config.output.as_path()];
        for path in config.source.paths() {
            folders.push(path);
            folders.extend(path.parent());
        }
        let mut told = text::without_folders(text, &folders);
        if let Source::Folder { table, regions, .. } = &config.source {
            let regions = regions.as_deref().map(|regions| (regions, "table of regions"));
            for (path, instead) in [Some((table.as_path(), "table")), regions].into_iter().flatten()
            {
                told = text::renamed(&told, &text::file_name(path), instead);
            }
        }
        told
    }

    /// The absolute address of a path of the site.
    pub(crate) fn address(&self, path: &str) -> Option<String> {
        address(self.inputs.config, path)
    }
}

/// The absolute address of a path of a project's site, where it is published.
pub(crate) fn address(config: &Config, path: &str) -> Option<String> {
    let base = config.base_url.as_deref()?;
    Some(format!("{}/{path}", base.trim_end_matches('/')))
}
