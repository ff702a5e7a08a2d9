//! Lexicons, readers' answers and what the authors settled on, held against the units that are there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use rayon::prelude::*;

use super::Pipeline;
use base::artifact::Stamp;
use base::unit_name;
use catalogue::naming::Names;
use lexicon::Lexicons;
use study::answer::ReaderFile;
use study::automatic::{self, Comparison};
use study::code::{Coder, Codes};
use study::consensus::{self, Consensus};
use study::expert::Opinion;
use study::labels::{self, Checked, Dissected, Problem};

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
        checked.problems.splice(0..0, read.problems);
        checked
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

    /// What the units are called, and what of the labels could not be used.
    ///
    /// # Errors
    /// When a lexicon's file is wrong.
    pub fn names(&self) -> Result<(Names, Vec<Problem>)> {
        let lexicons = self.lexicons()?;
        let Checked { readers, mut problems } = self.labels(&lexicons);
        let (consensus, unsettled) = self.consensus(&lexicons, &readers);
        problems.extend(unsettled);
        Ok((Names::new(&readers, &consensus, &lexicons), problems))
    }

    /// Automatic against expert labels, over every dissected layer that is there.
    ///
    /// # Errors
    /// When a layer that is there cannot be read.
    pub fn comparison(
        &self,
        opinions: &BTreeMap<String, Opinion>,
        lexicons: &Lexicons,
    ) -> Result<Comparison> {
        let mut layers = Vec::new();
        for network in &self.config.networks {
            for layer in &network.layers {
                let folder = self.layout.layer(&network.name, layer);
                if Stamp::read(&folder).is_ok() {
                    layers.push(record::dissection::read(&folder)?);
                }
            }
        }
        let units = layers.iter().flat_map(|layer| {
            layer.units.iter().map(move |unit| {
                let name = unit_name(&layer.network, &layer.layer, unit.unit);
                (name, automatic::concepts(layer, unit))
            })
        });
        Ok(automatic::compare(units, opinions, lexicons))
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
            let name = move |unit| unit_name(network, layer, unit);
            (1..=*units).filter_map(move |unit| Some((name(unit), weights?.as_str())))
        });
        Codes::new(&coder, units)
    }
}
