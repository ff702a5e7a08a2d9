//! Lexicons, readers' answers and what the authors settled on, held against the units that are there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use rayon::prelude::*;

use super::Pipeline;
use ::study::answer::ReaderFile;
use ::study::code::{Coder, Codes};
use ::study::consensus::{self, Consensus};
use ::study::labels::{self, Checked, Dissected, Problem};
use base::UnitId;
use base::artifact::Sealed;
use catalogue::Catalogue;
use lexicon::Lexicons;
use record::dissection::Layer;

/// What people said of the units, with the lexicons to read it by: all of a catalogue but the layers.
pub struct Opinions {
    /// Lexicons of the project and built-in ones.
    pub lexicons: Lexicons,
    /// The readers' answers that hold.
    pub readers: Vec<ReaderFile>,
    /// What the authors settled on.
    pub consensus: Consensus,
    /// What could not be used, and why.
    pub problems: Vec<Problem>,
    /// The intersection over union above which a unit detects a concept.
    detector: f32,
}

impl Opinions {
    /// What is known of the units of these layers.
    pub fn catalogue<'a>(&'a self, layers: &'a [Layer]) -> Catalogue<'a> {
        Catalogue::new(layers, &self.readers, &self.consensus, &self.lexicons, self.detector)
    }
}

impl Pipeline<'_> {
    /// The lexicons of the project and the built-in ones.
    ///
    /// # Errors
    /// When a lexicon's file is wrong.
    pub fn lexicons(&self) -> Result<Lexicons> {
        Lexicons::load(&self.config.root.join("content"))
    }

    /// Folder of the readers' files.
    pub fn labels_folder(&self) -> PathBuf {
        self.config.root.join("content/labels")
    }

    /// The readers' answers that hold, and everything that is wrong with the others.
    pub fn labels(&self, lexicons: &Lexicons) -> Checked {
        let read = labels::read(&self.labels_folder());
        let mut checked = labels::check(&read.files, &self.dissected(), lexicons);
        let other = self.first_of_another_study(&read.files);
        checked.problems.splice(0..0, read.problems.into_iter().chain(other));
        checked.left_out.splice(0..0, read.left_out);
        checked
    }

    /// What is wrong where the readers' files belong to another study than the project's.
    pub fn other_study(&self) -> Option<Problem> {
        self.first_of_another_study(&labels::read(&self.labels_folder()).files)
    }

    fn first_of_another_study(&self, files: &[labels::Read]) -> Option<Problem> {
        files.iter().find_map(|file| file.of_another_study(&self.config.survey.study))
    }

    /// What the authors settled on, and everything that is wrong with their file.
    pub fn consensus(
        &self,
        lexicons: &Lexicons,
        readers: &[ReaderFile],
    ) -> (Consensus, Vec<Problem>) {
        let path = self.config.root.join("content/consensus.yaml");
        let study = readers.first().map(|reader| reader.study.as_str());
        consensus::read(&path, study, &self.dissected(), lexicons)
    }

    /// What people said of the units, as far as it could be used.
    ///
    /// # Errors
    /// When a lexicon's file is wrong.
    pub fn opinions(&self) -> Result<Opinions> {
        let lexicons = self.lexicons()?;
        let Checked { readers, mut problems, .. } = self.labels(&lexicons);
        let (consensus, unsettled) = self.consensus(&lexicons, &readers);
        problems.extend(unsettled);
        Ok(Opinions {
            lexicons,
            readers,
            consensus,
            problems,
            detector: self.config.dissection.detector as f32,
        })
    }

    /// Every dissected layer that is there, read.
    ///
    /// # Errors
    /// When a layer that is there cannot be read.
    pub fn layers(&self) -> Result<Vec<Layer>> {
        let networks = self.config.networks.iter();
        let layers = networks.flat_map(|n| n.layers.iter().map(move |layer| (&n.name, layer)));
        layers
            .map(|(network, layer)| self.layout.layer(network, layer))
            .filter(|folder| Sealed::open(folder).is_ok())
            .map(|folder| record::dissection::read(&folder))
            .collect()
    }

    /// Every dissected layer of the project, as far as it is there.
    pub fn dissected(&self) -> Vec<Dissected> {
        let networks = self.config.networks.iter();
        let layers = networks.flat_map(|n| n.layers.iter().map(move |layer| (&n.name, layer)));
        let layers: Vec<_> = layers.collect();
        layers
            .into_par_iter()
            .filter_map(|(network, layer)| {
                let units = record::dissection::unit_count(&self.layout.layer(network, layer))?;
                Some(Dissected { network: network.clone(), layer: layer.clone(), units })
            })
            .collect()
    }

    /// The units behind the codes of a blind survey: of every dissected layer, so that answers outlast
    /// a change of the selection.
    pub fn codes(&self) -> Codes {
        let coder = Coder::new(self.config.seed, &self.config.survey.study);
        let folder = |network: &str| self.layout.network(network);
        let weights: BTreeMap<&str, String> = self
            .config
            .networks
            .iter()
            .filter_map(|n| {
                let evaluation = record::training::read_evaluation(&folder(&n.name)).ok()?;
                Some((n.name.as_str(), evaluation.weights_blake3))
            })
            .collect();
        let dissected = self.dissected();
        let units = dissected.iter().flat_map(|Dissected { network, layer, units }| {
            let weights = weights.get(network.as_str());
            let name = move |unit| UnitId::new(network, layer, unit);
            (1..=*units).filter_map(move |unit| Some((name(unit), weights?.as_str())))
        });
        Codes::new(&coder, units)
    }
}
