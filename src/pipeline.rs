//! The stages in order, each skipped when what it would make is there and fresh.

use std::collections::BTreeMap;
use std::fs::TryLockError;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use candle_core::Device;
use rayon::prelude::*;

use crate::artifact::{self, Fingerprint, Layout, Stamp};
use crate::atlas::{self, Exhibit};
use crate::config::figures::Wanted;
use crate::config::{self, Config, Split, Start};
use crate::dissection::record::unit_name;
use crate::dissection::{Shard, similar};
use crate::explanation::record::Explanation;
use crate::lexicon::Lexicons;
use crate::network::{Architecture, Network};
use crate::patch::{Manifest, Store, prepare};
use crate::progress::Progress;
use crate::study::answer::ReaderFile;
use crate::study::automatic::{self, Comparison};
use crate::study::code::{Coder, Codes};
use crate::study::consensus::{self, Consensus};
use crate::study::expert::Opinion;
use crate::study::labels::{self, Checked, Dissected, Problem};
use crate::study::naming::Names;
use crate::training::record::{Epoch, Evaluation, PatchScores};
use crate::{device, dissection, explanation, source, training};

/// A project on its way from mammograms to a site.
pub struct Pipeline<'a> {
    /// The project.
    pub config: &'a Config,
    /// Where its artifacts are.
    pub layout: Layout,
    progress: &'a dyn Progress,
}

/// The prepared data set.
pub struct Dataset {
    /// Mammograms and patches.
    pub manifest: Manifest,
    /// Their pixels.
    pub store: Store,
    fingerprint: Fingerprint,
}

/// Mammograms that are not in the data set, cut as its are.
pub struct Guests {
    /// Mammograms and patches.
    pub manifest: Manifest,
    /// Their pixels.
    pub store: Store,
}

/// How much of a dissection to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All that is missing.
    All,
    /// Show a part of the split to the network, for a later merge.
    Shard(Shard),
    /// Put together what shards have left.
    Merge,
}

/// What a build came to.
pub enum Built {
    /// Everything was as it should be.
    Fresh,
    /// The site was rendered.
    Rendered(atlas::Report),
}

/// What the site is made from, but for what is large.
struct Gathered<'a> {
    lexicons: Lexicons,
    readers: Vec<ReaderFile>,
    consensus: Consensus,
    problems: Vec<Problem>,
    stamp: Stamp,
    provenance: Vec<(String, String)>,
    parts: Vec<(&'a config::Network, Evaluation)>,
    /// Folders of the networks' explanations.
    explained: Vec<PathBuf>,
}

impl<'a> Pipeline<'a> {
    /// For a project.
    pub fn new(config: &'a Config, progress: &'a dyn Progress) -> Self {
        Self { config, layout: Layout::new(&config.output), progress }
    }

    /// Keeps other runs out of the output folder for as long as the guard lives, and clears away what
    /// a killed one left half written.
    ///
    /// # Errors
    /// When another run is at work in it, or it cannot be written.
    pub fn lock(&self) -> Result<std::fs::File> {
        let file = self.lock_file()?;
        self.locked(file.try_lock())?;
        artifact::remove_litter(&self.config.output)?;
        Ok(file)
    }

    /// Says what kept a lock from being taken.
    fn locked(&self, taken: Result<(), TryLockError>) -> Result<()> {
        let folder = self.config.output.display();
        match taken {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => {
                bail!("another run is at work in {folder}; wait for it")
            }
            Err(TryLockError::Error(error)) => Err(error)
                .with_context(|| format!("{folder} cannot be locked; does its disk allow locks?")),
        }
    }

    fn lock_file(&self) -> Result<std::fs::File> {
        let open = || -> Result<std::fs::File> {
            let folder = self.config.output.join("work");
            fs_err::create_dir_all(&folder)?;
            let path = folder.join("lock");
            // Network file systems lock for sharing only what can be read.
            let file =
                fs_err::OpenOptions::new().create(true).read(true).append(true).open(path)?;
            Ok(file.into_parts().0)
        };
        open().context("the output folder cannot be used")
    }

    /// As [`Pipeline::lock`], but lets others in who share it too: for parts of one work that write
    /// files of their own.
    ///
    /// # Errors
    /// As [`Pipeline::lock`].
    pub fn share(&self) -> Result<std::fs::File> {
        let file = self.lock_file()?;
        self.locked(file.try_lock_shared())?;
        Ok(file)
    }

    /// The data set, prepared when it is missing or stale.
    ///
    /// # Errors
    /// When the source cannot be read or the artifacts not be written.
    pub fn dataset(&self) -> Result<Dataset> {
        let config = self.config;
        let source = source::open(&config.source, config.seed);
        let manifest = prepare::prepare(source.as_ref(), config, &self.layout, self.progress)?;
        let folder = self.layout.dataset();
        let store = Store::open(&self.layout.patches())?;
        Ok(Dataset { manifest, store, fingerprint: Stamp::read(&folder)?.fingerprint() })
    }

    /// What the data set would be, with nothing written.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn rehearse(&self) -> Result<Manifest> {
        let source = source::open(&self.config.source, self.config.seed);
        prepare::rehearse(source.as_ref(), self.config, self.progress)
    }

    /// Whether the data set and a network's training are there and fresh.
    pub fn is_trained(&self, network: &config::Network) -> bool {
        let fresh = || -> Result<bool> {
            let source = source::open(&self.config.source, self.config.seed);
            let dataset = Stamp::read(&self.layout.dataset())?;
            let trained = training::stamp(network, self.config.seed, &dataset.fingerprint())?;
            Ok(prepare::stamp(source.as_ref(), self.config)? == dataset
                && trained.matches(&self.layout.network(&network.name)))
        };
        fresh().unwrap_or(false)
    }

    /// A network's training, done or resumed when it is missing or stale. Returns its stamp.
    ///
    /// # Errors
    /// When it cannot be trained or its files not be written.
    pub fn train(&self, network: &config::Network, dataset: &Dataset) -> Result<Stamp> {
        let stamp = training::stamp(network, self.config.seed, &dataset.fingerprint)?;
        let folder = self.layout.network(&network.name);
        if stamp.matches(&folder) {
            self.progress.say(&format!("{} is fresh", network.name));
            return Ok(stamp);
        }
        let device = device::open(self.config.device)?;
        let job = self.job(network, dataset, &device);
        self.progress.say(&format!(
            "{}: {} on {}",
            network.name,
            match (&network.weights, &network.training) {
                (Start::Random, Some(_)) => "training from random weights",
                (Start::Random, None) => "using random weights as they are",
                (Start::Builtin, _) => "fine-tuning the built-in convolutions",
                (Start::File(_), Some(_)) => "fine-tuning the given weights",
                (Start::File(_), None) => "using the given weights as they are",
            },
            device::describe(&device),
        ));
        training::train(&job, &folder, &stamp, self.progress)?;
        Ok(stamp)
    }

    /// A trained network's output on a split; the validation split's is kept from training.
    ///
    /// # Errors
    /// When the network is not trained or cannot be run.
    pub fn evaluate(
        &self,
        network: &config::Network,
        dataset: &Dataset,
        split: Split,
    ) -> Result<Evaluation> {
        self.train(network, dataset)?;
        let folder = self.layout.network(&network.name);
        let kept = training::read_evaluation(&folder)?;
        if split == kept.split {
            return Ok(kept);
        }
        let device = device::open(self.config.device)?;
        let job = self.job(network, dataset, &device);
        let trained = training::load(&job, &folder)?;
        training::evaluate::evaluate(&job, &trained, &folder, split, kept.best_epoch, self.progress)
    }

    /// A network as its training, which is fresh, left it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn trained(&self, network: &config::Network, dataset: &Dataset) -> Result<Network> {
        let device = device::open(self.config.device)?;
        let job = self.job(network, dataset, &device);
        training::load(&job, &self.layout.network(&network.name))
    }

    /// Dissects the layers of a network that are missing or stale: those in `only`, or all.
    ///
    /// # Errors
    /// When a layer is not in the project, or something cannot be read, run or written.
    pub fn dissect(
        &self,
        network: &config::Network,
        dataset: &Dataset,
        only: &[String],
        part: Part,
    ) -> Result<()> {
        for layer in only {
            if !network.layers.contains(layer) {
                let known = network.layers.join(", ");
                anyhow::bail!("{} has no layer {layer} to dissect; it has {known}", network.name);
            }
        }
        let trained = self.train(network, dataset)?;
        let folder = self.layout.network(&network.name);
        let weights = training::read_evaluation(&folder)?.weights_blake3;
        let wanted = network.layers.iter().filter(|l| only.is_empty() || only.contains(l));
        let mut stale: Vec<(&str, PathBuf, Stamp)> = Vec::new();
        for layer in wanted {
            let folder = self.layout.layer(&network.name, layer);
            let stamp = self.layer_stamp(layer, dataset, &trained, &weights);
            if stamp.matches(&folder) {
                dissection::tidy(&folder)?;
                self.progress.say(&format!("{}/{layer} is fresh", network.name));
            } else {
                stale.push((layer, folder, stamp));
            }
        }
        if stale.is_empty() {
            return match part {
                Part::Shard(_) => Ok(()),
                Part::All | Part::Merge => self.explain(network, dataset, &trained),
            };
        }
        let device = device::open(self.config.device)?;
        let names: Vec<&str> = stale.iter().map(|(name, ..)| *name).collect();
        let on = device::describe(&device);
        self.progress.say(&format!("{}: dissecting {} on {on}", network.name, names.join(", ")));
        let loaded = training::load(&self.job(network, dataset, &device), &folder)?;
        let job = dissection::Job {
            name: &network.name,
            network: &loaded,
            weights_blake3: &weights,
            manifest: &dataset.manifest,
            store: &dataset.store,
            settings: &self.config.dissection,
        };
        let layers: Vec<_> =
            stale.iter().map(|(name, folder, stamp)| (*name, folder.as_path(), stamp)).collect();
        match part {
            Part::All => dissection::probe(&job, &layers, Shard::ALL, self.progress)?,
            Part::Shard(shard) => {
                dissection::probe(&job, &layers, shard, self.progress)?;
                let Shard { number, of } = shard;
                self.progress.say(&format!("{}: shard {number} of {of} is done", network.name));
                return Ok(());
            }
            Part::Merge => {}
        }
        dissection::merge(&job, &layers, self.progress)?;
        for (layer, ..) in layers {
            self.progress.say(&format!("{}/{layer} dissected", network.name));
        }
        self.explain(network, dataset, &trained)
    }

    /// Explains the mammograms' scores by the units of a network's last layer, unless that is fresh or
    /// the layer is not dissected yet. `trained` is the stamp of the training.
    fn explain(&self, network: &config::Network, dataset: &Dataset, trained: &Stamp) -> Result<()> {
        let Some(layer) = explaining(network)? else { return Ok(()) };
        let (layer_folder, network_folder) =
            (self.layout.layer(&network.name, layer), self.layout.network(&network.name));
        let evaluation = training::read_evaluation(&network_folder)?;
        let dissected = self.layer_stamp(layer, dataset, trained, &evaluation.weights_blake3);
        let (folder, stamp) =
            (self.layout.explanation(&network.name), explanation::stamp(dissected.fingerprint()));
        if stamp.matches(&folder) || !dissected.matches(&layer_folder) {
            return Ok(());
        }
        let loaded = self.trained(network, dataset)?;
        let job = dissection::Job {
            name: &network.name,
            network: &loaded,
            weights_blake3: &evaluation.weights_blake3,
            manifest: &dataset.manifest,
            store: &dataset.store,
            settings: &self.config.dissection,
        };
        let layer = dissection::read(&layer_folder)?;
        explanation::explain(&job, &layer, &evaluation, &folder, &stamp, self.progress)
    }

    /// Cuts mammograms that are not in the data set as its are cut, in memory.
    ///
    /// # Errors
    /// When none can be used.
    pub fn guests(&self, files: &source::Files) -> Result<Guests> {
        let (manifest, store) = prepare::in_memory(files, self.config, self.progress)?;
        Ok(Guests { manifest, store })
    }

    /// Why a network scores guests as it does, by the units of its last layer, which is dissected when it
    /// is missing or stale; and its scores of their patches.
    ///
    /// # Errors
    /// When the network cannot be trained, dissected or run.
    pub fn explain_guests(
        &self,
        network: &config::Network,
        dataset: &Dataset,
        guests: &Guests,
    ) -> Result<(Explanation, PatchScores)> {
        self.dissect(network, dataset, &[], Part::All)?;
        let layer = explaining(network)?
            .with_context(|| format!("{} has no layer to dissect in atlas.yaml", network.name))?;
        let folder = self.layout.network(&network.name);
        let evaluation = training::read_evaluation(&folder)?;
        let loaded = self.trained(network, dataset)?;
        let Guests { manifest, store } = guests;
        let job = dissection::Job {
            name: &network.name,
            network: &loaded,
            weights_blake3: &evaluation.weights_blake3,
            manifest,
            store,
            settings: &self.config.dissection,
        };
        let layer = dissection::read(&self.layout.layer(&network.name, layer))?;
        let patches: Vec<u32> = (0..store.len()).collect();
        let verdict = training::evaluate::judge(&loaded, manifest, store, &patches, |_| ())?;
        let scores: Vec<_> = patches.into_iter().zip(verdict.probabilities).collect();
        let scored = (evaluation.split, scores.as_slice());
        Ok((explanation::explanation(&job, &layer, scored, self.progress)?, scores))
    }

    /// Why a network scores the mammograms of the validation split as it does, explained when that is
    /// missing or stale.
    ///
    /// # Errors
    /// When the network cannot be trained or dissected, or a file not be read or written.
    pub fn explanation(&self, network: &config::Network, dataset: &Dataset) -> Result<Explanation> {
        self.dissect(network, dataset, &[], Part::All)?;
        explanation::read(&self.layout.explanation(&network.name))
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

    /// Compares the units of all dissected layers, unless that is fresh.
    ///
    /// # Errors
    /// When a network is not trained or dissected, or a file cannot be read or written.
    pub fn compare(&self) -> Result<()> {
        let mut layers = Vec::new();
        for network in &self.config.networks {
            for layer in &network.layers {
                let folder = self.layout.layer(&network.name, layer);
                let stamp = Stamp::read(&folder).with_context(|| {
                    format!("{}/{layer} is not dissected; `unit-atlas run` mends it", network.name)
                })?;
                layers.push((network.name.as_str(), layer.as_str(), folder, stamp.fingerprint()));
            }
        }
        let layers: Vec<similar::Dissected> = layers
            .iter()
            .map(|(n, l, folder, mark)| (*n, *l, folder.as_path(), mark.clone()))
            .collect();
        let folder = self.layout.dissection();
        if !similar::stamp(&layers).matches(&folder) {
            similar::compare(&layers, &folder)?;
            self.progress.say("units of all layers compared");
        }
        Ok(())
    }

    /// Renders the site from what the stages left, unless it is fresh. Also says what of the readers'
    /// answers could not be used.
    ///
    /// # Errors
    /// When a stage's artifacts are missing or stale, or the site cannot be rendered or written.
    pub fn build(&self, dataset: &Dataset) -> Result<(Built, Vec<Problem>)> {
        let gathered = self.gather(dataset)?;
        let (site, record) = (self.layout.site(), self.layout.site_record());
        let fresh = atlas::Record::read(&record).is_ok_and(|r| r.is_fresh(&gathered.stamp, &site));
        if fresh && self.layout.survey().is_file() {
            return Ok((Built::Fresh, gathered.problems));
        }
        let report =
            self.with_inputs(dataset, &gathered, |inputs| atlas::build(inputs, &site, &record))?;
        artifact::write_json(&self.layout.survey(), &report.selection)?;
        Ok((Built::Rendered(report), gathered.problems))
    }

    /// Draws figures from what the stages left.
    ///
    /// # Errors
    /// When a stage's artifacts are missing or stale.
    pub fn draw(&self, dataset: &Dataset, wanted: &[Wanted]) -> Result<Vec<Result<atlas::Drawn>>> {
        let gathered = self.gather(dataset)?;
        self.with_inputs(dataset, &gathered, |inputs| atlas::draw_figures(inputs, wanted))
    }

    /// Brings the figures that the project lists up to date; `None` where they are.
    ///
    /// # Errors
    /// When a stage's artifacts are missing or stale, or a file cannot be written.
    pub fn keep_figures(&self, dataset: &Dataset) -> Result<Option<atlas::Kept>> {
        let wanted = &self.config.figures;
        let (folder, record) = (self.layout.figures(), self.layout.figures_record());
        if wanted.is_empty() && !record.is_file() {
            return Ok(None);
        }
        let gathered = self.gather(dataset)?;
        let stamp = gathered
            .stamp
            .clone()
            .with("figures", Fingerprint::of(&(wanted, crate::figure::VERSION)));
        if atlas::Record::read(&record).is_ok_and(|record| record.is_fresh(&stamp, &folder)) {
            return Ok(None);
        }
        self.with_inputs(dataset, &gathered, |inputs| {
            atlas::keep_figures(inputs, wanted, &folder, &record, &stamp)
        })
        .map(Some)
    }

    /// What the site and the figures are made from, as far as it is small, once all stages are fresh.
    fn gather(&self, dataset: &Dataset) -> Result<Gathered<'a>> {
        let config = self.config;
        let lexicons = self.lexicons()?;
        let Checked { readers, mut problems } = self.labels(&lexicons);
        let (consensus, unsettled) = self.consensus(&lexicons, &readers);
        problems.extend(unsettled);
        let mut stamp = Stamp::new(atlas::FORMAT)
            .with("dataset", dataset.fingerprint.clone())
            .with("config", Fingerprint::of(&self.shown_config()))
            .with("detector", Fingerprint::of(&config.dissection.detector))
            .with("similar", Fingerprint::of(&similar::FORMAT))
            .with("lexicons", Fingerprint::of(&lexicons.iter().collect::<Vec<_>>()))
            .with("labels", Fingerprint::of(&readers))
            .with("consensus", Fingerprint::of(&consensus))
            .with("surroundings", atlas::surroundings(config)?);
        let mut provenance = vec![
            ("unit-atlas".to_string(), env!("CARGO_PKG_VERSION").to_string()),
            ("dataset".to_string(), dataset.fingerprint.to_string()),
        ];
        let (mut parts, mut explained) = (Vec::new(), Vec::new());
        for network in &config.networks {
            let trained = training::stamp(network, config.seed, &dataset.fingerprint)?;
            let folder = self.layout.network(&network.name);
            if !trained.matches(&folder) {
                anyhow::bail!(
                    "{} is not trained, or stale; `unit-atlas run` mends it",
                    network.name
                );
            }
            let evaluation = training::read_evaluation(&folder)?;
            provenance
                .push((format!("{} weights", network.name), evaluation.weights_blake3.clone()));
            for layer in &network.layers {
                let folder = self.layout.layer(&network.name, layer);
                let name = format!("{}/{layer}", network.name);
                let dissected =
                    self.layer_stamp(layer, dataset, &trained, &evaluation.weights_blake3);
                if !dissected.matches(&folder) {
                    anyhow::bail!("{name} is not dissected, or stale; `unit-atlas run` mends it");
                }
                provenance
                    .push((format!("{name} dissection"), dissected.fingerprint().to_string()));
                stamp = stamp.with(&name, dissected.fingerprint());
            }
            stamp = stamp.with(&network.name, trained.fingerprint());
            let folder = self.layout.explanation(&network.name);
            let wanted = explaining(network)?.map(|layer| {
                let weights = &evaluation.weights_blake3;
                let dissected = self.layer_stamp(layer, dataset, &trained, weights);
                explanation::stamp(dissected.fingerprint())
            });
            if let Some(wanted) = wanted.filter(|wanted| wanted.matches(&folder)) {
                let name = format!("{} explanation", network.name);
                stamp = stamp.with(&name, wanted.fingerprint());
                explained.push(folder);
            } else {
                self.progress.say(&format!(
                    "{} is not explained, or stale: no cases of it; `unit-atlas run` mends it",
                    network.name
                ));
            }
            parts.push((network, evaluation));
        }
        let gathered = Gathered {
            lexicons,
            readers,
            consensus,
            problems,
            stamp,
            provenance,
            parts,
            explained,
        };
        Ok(gathered)
    }

    /// Reads the rest, which is large, for one use.
    fn with_inputs<T>(
        &self,
        dataset: &Dataset,
        gathered: &Gathered,
        use_them: impl FnOnce(&atlas::Inputs) -> Result<T>,
    ) -> Result<T> {
        self.compare()?;
        let similar = similar::read(&self.layout.dissection())?;
        // Hundreds of megabytes in a large atlas.
        let loaded = gathered
            .parts
            .par_iter()
            .map(|(network, evaluation)| {
                let history = training::read_history(&self.layout.network(&network.name))?;
                let layers = network
                    .layers
                    .par_iter()
                    .map(|layer| dissection::read(&self.layout.layer(&network.name, layer)))
                    .collect::<Result<Vec<_>>>()?;
                Ok((*network, evaluation, history, layers))
            })
            .collect::<Result<Vec<(&config::Network, &Evaluation, Vec<Epoch>, Vec<_>)>>>()?;
        let explanations: Vec<Explanation> =
            gathered.explained.iter().map(|at| explanation::read(at)).collect::<Result<_>>()?;
        let exhibits: Vec<Exhibit> = loaded
            .iter()
            .map(|(config, evaluation, history, layers)| Exhibit {
                config,
                evaluation,
                history,
                layers,
            })
            .collect();
        let layers = self
            .config
            .networks
            .iter()
            .flat_map(|network| network.layers.iter().map(move |layer| (&network.name, layer)));
        let maps = dissection::Maps::open(layers.map(|(network, layer)| {
            (format!("{network}/{layer}"), self.layout.layer(network, layer))
        }))?;
        use_them(&atlas::Inputs {
            config: self.config,
            manifest: &dataset.manifest,
            store: &dataset.store,
            previews: &self.layout.dataset().join("previews"),
            exhibits: &exhibits,
            maps: &maps,
            similar: &similar,
            explanations: &explanations,
            lexicons: &gathered.lexicons,
            readers: &gathered.readers,
            consensus: &gathered.consensus,
            provenance: &gathered.provenance,
            dataset: &dataset.fingerprint,
            stamp: &gathered.stamp,
        })
    }

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
                    layers.push(dissection::read(&folder)?);
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
                let units = dissection::unit_count(&self.layout.layer(network, layer))?;
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
                let evaluation = training::read_evaluation(&folder(&n.name)).ok()?;
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

    fn job<'j>(
        &self,
        network: &'j config::Network,
        dataset: &'j Dataset,
        device: &'j Device,
    ) -> training::Job<'j> {
        training::Job {
            network,
            manifest: &dataset.manifest,
            store: &dataset.store,
            device,
            seed: self.config.seed,
        }
    }

    fn layer_stamp(&self, layer: &str, dataset: &Dataset, trained: &Stamp, weights: &str) -> Stamp {
        let settings = &self.config.dissection;
        let trained = trained.fingerprint();
        dissection::stamp(settings, layer, &dataset.fingerprint, &trained, weights)
    }

    /// The settings that pages show: where the project lies on this machine is not among them, nor
    /// which figures are wanted.
    fn shown_config(&self) -> Config {
        Config {
            root: PathBuf::new(),
            output: PathBuf::new(),
            figures: Vec::new(),
            ..self.config.clone()
        }
    }
}

/// The layer that explains a network's scores: the last of those to dissect.
fn explaining(network: &config::Network) -> Result<Option<&str>> {
    let known = Architecture::find(&network.name)?.layers;
    let place = |layer: &&String| known.iter().position(|other| *other == layer.as_str());
    Ok(network.layers.iter().max_by_key(place).map(String::as_str))
}
