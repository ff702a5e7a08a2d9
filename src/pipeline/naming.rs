//! What a machine calls the units.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use candle_core::Device;

use super::settling::{Found, Stage};
use super::{Dataset, Pipeline};
pub use ::naming::Grade;
use ::naming::{Embeddings, Like, Similarities, Term};
use base::UnitId;
use base::artifact::{Fingerprint, Sealed, Stamp, State};
use base::yaml;
use config::{Origin, Towers};
use lexicon::Lexicons;
use network::namer::Pair;
use network::{builtin, device};
use record::LayerScores;
use record::dissection::Layer;
use record::naming::Names;

/// What names units, and how.
pub(super) struct Machine<'a> {
    settings: &'a config::Namer,
    /// What it is called.
    kind: &'a str,
    towers: Towers<'a>,
    /// Of its files.
    mark: Fingerprint,
}

/// What is said where there is none.
const NO_MACHINE: &str =
    "no machine compares images with words in this project; `namer` in atlas.yaml chooses one";

/// A namer that has seen the patches.
struct Seen {
    terms: Vec<Term>,
    similarities: Similarities,
    /// Which mammogram each patch is of.
    mammograms: Vec<u32>,
}

impl Pipeline<'_> {
    /// The machine that names units; none where the project has none.
    ///
    /// # Errors
    /// When its files cannot be read.
    pub(super) fn machine(&self) -> Result<Option<Machine<'_>>> {
        let settings = &self.config.namer;
        let Some(kind) = settings.kind.as_deref() else { return Ok(None) };
        let Some(towers) = settings.towers() else { return Ok(None) };
        let file = |path: &Path| {
            Fingerprint::of_file(path)
                .with_context(|| format!("namer: {} cannot be read", path.display()))
        };
        let mark = match &towers {
            Towers::Builtin => Fingerprint::of_bytes(builtin::namer()?),
            Towers::Taught(weights) => Fingerprint::of(&(file(weights)?, None::<Fingerprint>)),
            Towers::Published { weights, tokenizer, .. } => {
                Fingerprint::of(&(file(weights)?, Some(file(tokenizer)?)))
            }
        };
        let machine = Machine { settings, kind, towers, mark };
        Ok(Some(machine))
    }

    /// Checks that the lexicons are there whose terms units may be called.
    ///
    /// # Errors
    /// Names the first that is not.
    pub(super) fn foresee_terms(&self, lexicons: &Lexicons) -> Result<()> {
        let known: Vec<&str> = lexicons.iter().map(|lexicon| lexicon.id.as_str()).collect();
        for lexicon in &self.config.namer.lexicons {
            ensure!(
                known.contains(&lexicon.as_str()),
                "namer.lexicons: {}",
                yaml::unknown("lexicon", lexicon, &known)
            );
        }
        Ok(())
    }

    /// Opens the machine that names units, unless it has seen the patches.
    ///
    /// # Errors
    /// When its files are not there, or not what they are said to be.
    pub(super) fn foresee_machine(&self) -> Result<()> {
        let Some(machine) = self.machine()? else { return Ok(()) };
        let seen = Sealed::open(&self.layout.embeddings()).ok();
        if seen.is_none_or(|seen| seen.stamp().inputs.get("namer") != Some(&machine.mark)) {
            self.namer(&machine, &Device::Cpu)?;
        }
        Ok(())
    }

    /// What a machine's view of the patches follows from.
    fn seen_stamp(&self, machine: &Machine, dataset: &Dataset) -> Stamp {
        let split = self.config.dissection.split;
        Stamp::new(naming::FORMAT)
            .with("dataset", dataset.content.clone())
            .with("namer", machine.mark.clone())
            .with("settings", Fingerprint::of(&(machine.kind, split)))
    }

    /// What a layer's names follow from.
    pub(super) fn names_stamp(
        &self,
        machine: &Machine,
        dataset: &Dataset,
        lexicons: &Lexicons,
        dissected: Fingerprint,
    ) -> Stamp {
        let terms =
            ::naming::candidates(lexicons, &machine.settings.lexicons, &machine.settings.prompts);
        Stamp::new(record::naming::FORMAT)
            .with("dissection", dissected)
            .with("embeddings", self.seen_stamp(machine, dataset).fingerprint())
            .with("lexicons", Fingerprint::of(&terms))
            .with("settings", Fingerprint::of(&(machine.settings, self.config.seed)))
    }

    /// Lets the project's machine name the units of networks' layers, those in `only`, or all; leaves what is fresh.
    /// The layers are dissected. The machine is opened once, and looks at the patches once, for all of them.
    ///
    /// # Errors
    /// When the machine or a network cannot be run, or a file not be read or written.
    pub fn name<'n>(
        &self,
        networks: impl IntoIterator<Item = &'n config::Network>,
        dataset: &Dataset,
        only: &[String],
    ) -> Result<()> {
        let Some(machine) = self.machine()? else { return Ok(()) };
        let lexicons = self.lexicons()?;
        self.foresee_terms(&lexicons)?;
        let mut seen = None;
        for network in networks {
            let stale = self.unnamed(&machine, network, dataset, &lexicons, only)?;
            if stale.is_empty() {
                continue;
            }
            let seen = match &mut seen {
                Some(seen) => seen,
                none => none.insert(self.seen(&machine, dataset, &lexicons)?),
            };
            self.name_layers(&machine, network, dataset, seen, stale)?;
        }
        Ok(())
    }

    /// Layers of a network whose names are to be found, with their folders and stamps.
    fn unnamed<'n>(
        &self,
        machine: &Machine,
        network: &'n config::Network,
        dataset: &Dataset,
        lexicons: &Lexicons,
        only: &[String],
    ) -> Result<Vec<(&'n str, PathBuf, Stamp)>> {
        let mut stale = Vec::new();
        for layer in network.layers.iter().filter(|l| only.is_empty() || only.contains(l)) {
            let dissected = Sealed::open(&self.layout.layer(&network.name, layer))?;
            let mark = dissected.stamp().fingerprint();
            let stamp = self.names_stamp(machine, dataset, lexicons, mark);
            let folder = self.layout.naming(&network.name, layer);
            let name = format!("names of {}/{layer}", network.name);
            let stage =
                Stage { name: &name, folder: &folder, stamp: &stamp, half: None, remade: true };
            if self.settle(&stage)? == Found::Nothing {
                stale.push((layer.as_str(), folder, stamp));
            }
        }
        Ok(stale)
    }

    fn name_layers(
        &self,
        machine: &Machine,
        network: &config::Network,
        dataset: &Dataset,
        seen: &Seen,
        layers: Vec<(&str, PathBuf, Stamp)>,
    ) -> Result<()> {
        let names: Vec<&str> = layers.iter().map(|(layer, ..)| *layer).collect();
        let mut untrained = self.untrained_units(machine, network, &names, dataset)?;
        for (layer, folder, stamp) in layers {
            let scores = LayerScores::open(&self.layout.layer(&network.name, layer))?;
            let beside = untrained.as_mut().and_then(|units| units.remove(layer));
            let names = naming::name(&naming::Job {
                network: &network.name,
                layer,
                namer: machine.kind,
                split: self.config.dissection.split,
                mammograms: &seen.mammograms,
                terms: &seen.terms,
                similarities: &seen.similarities,
                scores: &scores,
                untrained: beside.as_deref(),
                patches: machine.settings.patches as usize,
                scoring: machine.settings.scoring,
                deals: machine.settings.deals,
                seed: self.config.seed,
            })?;
            Stamp::clear(&folder)?;
            base::artifact::write_json(&folder.join(record::naming::FILE), &names)?;
            stamp.seal(&folder, &[record::naming::FILE], "cpu")?;
            self.progress.say(&told(&names));
        }
        Ok(())
    }

    /// The terms beside the patches as the machine sees them.
    fn seen(&self, machine: &Machine, dataset: &Dataset, lexicons: &Lexicons) -> Result<Seen> {
        let (namer, embeddings) = self.embeddings(machine, dataset)?;
        let mut terms =
            ::naming::candidates(lexicons, &machine.settings.lexicons, &machine.settings.prompts);
        let all = terms.len();
        if let Some(taught) = namer.taught() {
            terms.retain(|term| taught.contains(&term.id));
            if terms.len() < all {
                self.progress.say(&format!(
                    "{} was taught {} of the {all} terms: units are called nothing else",
                    machine.kind,
                    terms.len()
                ));
            }
        }
        ensure!(
            !terms.is_empty(),
            "namer: there is no term that {} could call a unit; choose other `namer.lexicons` in atlas.yaml",
            machine.kind
        );
        let similarities = embeddings.similarities(&namer, &terms, self.progress)?;
        Ok(Seen { terms, similarities, mammograms: self.mammograms(dataset) })
    }

    /// Which mammogram each patch is of that units were shown.
    fn mammograms(&self, dataset: &Dataset) -> Vec<u32> {
        let patches = dataset.manifest.of_split(self.config.dissection.split);
        let of = |patch: u32| dataset.manifest.patches[patch as usize].mammogram;
        patches.into_iter().map(of).collect()
    }

    /// The machine, and the patches as it sees them, computed once and kept.
    fn embeddings(&self, machine: &Machine, dataset: &Dataset) -> Result<(Pair, Embeddings)> {
        let device = self.device()?;
        let namer = self.namer(machine, device)?;
        let (folder, stamp) = (self.layout.embeddings(), self.seen_stamp(machine, dataset));
        let stage = Stage {
            name: "the patches as the namer sees them",
            folder: &folder,
            stamp: &stamp,
            half: naming::unfinished(&folder)?,
            remade: true,
        };
        if self.settle(&stage)? == Found::Nothing {
            let patches = dataset.manifest.of_split(self.config.dissection.split);
            let on = device::provenance(device);
            let into = (folder.as_path(), &stamp);
            naming::embed(&namer, dataset.store()?, &patches, into, &on, self.progress)?;
        } else if self.reading.get().is_none() {
            naming::tidy(&folder)?;
        }
        let embeddings = Embeddings::read(&folder)?;
        ensure!(
            !embeddings.are_alike(),
            "namer: to {} all patches are alike, so that no term is closer to one than to another: its towers have \
             learnt nothing that these patches show; teach it longer, or choose others",
            machine.kind
        );
        Ok((namer, embeddings))
    }

    fn namer(&self, machine: &Machine, device: &Device) -> Result<Pair> {
        match &machine.towers {
            Towers::Builtin => Pair::builtin(device),
            Towers::Taught(weights) => Pair::taught_by(weights, device),
            Towers::Published { kind, weights, tokenizer } => {
                Pair::open(kind, weights, tokenizer, device)
            }
        }
    }

    /// Scores of units of untrained networks, by layer; none where the project does not want them or the network cannot
    /// be run here.
    fn untrained_units(
        &self,
        machine: &Machine,
        network: &config::Network,
        layers: &[&str],
        dataset: &Dataset,
    ) -> Result<Option<BTreeMap<String, Vec<Vec<f32>>>>> {
        let Origin::Run(run) = &network.origin else { return Ok(None) };
        if !machine.settings.untrained {
            return Ok(None);
        }
        let like = Like { name: &network.name, input: run.input, layers };
        let patches = dataset.manifest.of_split(self.config.dissection.split);
        let (store, seed) = (dataset.store()?, self.config.seed);
        let units = naming::untrained(&like, store, &patches, seed, self.device()?, self.progress)?;
        Ok(Some(layers.iter().map(|layer| (*layer).to_owned()).zip(units).collect()))
    }

    /// The folder of a layer's names with the mark of their stamp; none, and why is said, where they cannot be used.
    pub(super) fn named(
        &self,
        machine: &Machine,
        dataset: &Dataset,
        lexicons: &Lexicons,
        (network, layer): (&str, &str),
        dissected: Fingerprint,
    ) -> Option<(PathBuf, Fingerprint)> {
        let folder = self.layout.naming(network, layer);
        let wanted = self.names_stamp(machine, dataset, lexicons, dissected);
        let why = match wanted.state(&folder) {
            State::Fresh => return Some((folder, wanted.fingerprint())),
            State::Damaged(damaged) => damaged.to_string(),
            State::Stale(sealed) => {
                let changes = sealed.changes(&wanted).join("; ");
                format!("the machine\u{2019}s names of {network}/{layer} are stale, for {changes}")
            }
            State::Unfinished => format!("no machine has named the units of {network}/{layer}"),
        };
        self.progress.say(&format!("{why}: none is shown; `unit-atlas name` makes them"));
        None
    }

    /// What the project's machine calls the units of layers, of those of which that is known and fresh.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn names(&self, dataset: &Dataset, layers: &[Layer]) -> Result<Vec<Names>> {
        let Some(machine) = self.machine()? else { return Ok(Vec::new()) };
        let lexicons = self.lexicons()?;
        let mut names = Vec::new();
        for Layer { network, layer, .. } in layers {
            let mark = Sealed::open(&self.layout.layer(network, layer))?.stamp().fingerprint();
            let of = (network.as_str(), layer.as_str());
            if let Some((folder, _)) = self.named(&machine, dataset, &lexicons, of, mark) {
                names.push(record::naming::read(&folder)?);
            }
        }
        Ok(names)
    }

    /// Units of all dissected layers by how close their patches are to a text, closest first, with the standard
    /// deviations by which they stand out above random patches.
    ///
    /// # Errors
    /// When no machine names units here, it knows none of the words, or a layer is not dissected.
    pub fn find(&self, dataset: &Dataset, text: &str) -> Result<Vec<(UnitId, f32)>> {
        ensure!(!text.trim().is_empty(), "there is no text to look for");
        let machine = self.machine()?.context(NO_MACHINE)?;
        let (namer, embeddings) = self.embeddings(&machine, dataset)?;
        let term = Term { id: text.to_owned(), prompts: vec![text.to_owned()], general: None };
        ensure!(
            namer.texts(&[text])?.iter().flatten().any(|value| *value != 0.0),
            "{} knows none of the words of {text:?}",
            machine.kind
        );
        let close = embeddings.similarities(&namer, &[term], self.progress)?;
        let mammograms = self.mammograms(dataset);
        let settings = machine.settings;
        let mut found = Vec::new();
        for network in &self.config.networks {
            for layer in &network.layers {
                let folder = self.layout.layer(&network.name, layer);
                let scores = LayerScores::open(&folder).with_context(|| {
                    format!("{}/{layer} is not dissected; `unit-atlas run` mends it", network.name)
                })?;
                let of = (settings.deals, self.config.seed);
                let patches = settings.patches as usize;
                let units = ::naming::closeness(&close, &mammograms, &scores, patches, of)?;
                found.extend((1..).zip(units).filter_map(|(number, standard)| {
                    Some((UnitId::new(&network.name, layer, number), standard?))
                }));
            }
        }
        // A stable sort: equals stay in the order of the layers and numbers.
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(found)
    }

    /// Checks that a pair may be written to a file, and makes its folder, before half an hour's work.
    fn place_for_pair(&self, file: &Path) -> Result<()> {
        let shown = file.display();
        ensure!(
            file.extension().is_some_and(|extension| extension == "safetensors"),
            "a pair of towers is a .safetensors file: {shown} needs that ending"
        );
        let whole = std::path::absolute(file)?;
        ensure!(
            !whole.starts_with(&self.config.output),
            "{shown} lies in the project\u{2019}s own output folder, which may be removed; write it elsewhere"
        );
        ensure!(
            !file.exists() || Pair::taught_by(file, &Device::Cpu).is_ok(),
            "{shown} is there and no pair of towers that was taught: it is left as it is; name another file"
        );
        if let Some(folder) = whole.parent() {
            fs_err::create_dir_all(folder)?;
        }
        Ok(())
    }

    /// Teaches a small pair of towers, on the project's training patches, writes it, and examines it.
    ///
    /// # Errors
    /// When nothing is annotated, or the file cannot be written.
    pub fn teach(&self, dataset: &Dataset, settings: &Teaching, file: &Path) -> Result<Vec<Grade>> {
        self.place_for_pair(file)?;
        let lexicons = self.lexicons()?;
        let annotated = self.annotated(dataset, &lexicons)?;
        let &Teaching { input, epochs, rate } = settings;
        let lesson = naming::Lesson { annotated, input, epochs, rate };
        let taught = naming::teach(&lesson, self.device()?, self.progress)?;
        taught.save(file)?;
        naming::examine(&Pair::Small(Box::new(taught)), &annotated, self.progress)
    }

    /// How well the project's machine tells patches of each term from all others, on annotated validation patches.
    ///
    /// # Errors
    /// When no machine names units here, or it cannot be run.
    pub fn examine(&self, dataset: &Dataset) -> Result<Vec<Grade>> {
        let machine = self.machine()?.context(NO_MACHINE)?;
        let lexicons = self.lexicons()?;
        let namer = self.namer(&machine, self.device()?)?;
        naming::examine(&namer, &self.annotated(dataset, &lexicons)?, self.progress)
    }

    /// The patches with what is annotated in them.
    fn annotated<'d>(
        &'d self,
        dataset: &'d Dataset,
        lexicons: &'d Lexicons,
    ) -> Result<naming::Annotated<'d>> {
        Ok(naming::Annotated {
            manifest: &dataset.manifest,
            store: dataset.store()?,
            lexicons,
            prompts: &self.config.namer.prompts,
            seed: self.config.seed,
        })
    }
}

/// How a small pair of towers is taught.
#[derive(Debug, Clone, Copy)]
pub struct Teaching {
    /// Edge of its input in pixels.
    pub input: u32,
    /// How often each patch with a finding is seen.
    pub epochs: u32,
    /// Learning rate at its greatest.
    pub rate: f64,
}

/// What came of it, for the terminal.
fn told(names: &Names) -> String {
    let Names { network, layer, namer, units, .. } = names;
    let live = units.iter().filter(|candidates| !candidates.is_empty()).count();
    let named = names.named();
    format!("{network}/{layer}: {namer} names {named} of {live} live units beyond chance")
}
