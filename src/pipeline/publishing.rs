//! The site and the figures, from what the stages left.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use rayon::prelude::*;

use super::originals::Originals;
use super::study::Opinions;
use super::{Dataset, Pipeline};
use atlas::Exhibit;
use base::artifact::{self, Fingerprint, Sealed, Stamp};
use config::figures::Wanted;
use config::{Config, Origin, Select, Survey};
use lexicon::Lexicons;
use record::explanation::Explanation;
use record::provenance::{Stage, published};
use record::training::{Epoch, Evaluation};
use study::answer::ReaderFile;
use study::consensus::Consensus;
use study::labels::Problem;
use study::selection::Selection;

/// The units that readers are asked about, in the survey's folder.
const SELECTION: &str = "survey.json";

/// What a build came to.
pub struct Published {
    /// The site, unless it was fresh.
    pub site: Option<atlas::Report>,
    /// The figures that the project lists, unless they were fresh.
    pub figures: Option<atlas::Kept>,
    /// What of the readers' answers could not be used.
    pub problems: Vec<Problem>,
}

/// What the site is made from, but for what is large.
struct Gathered<'a> {
    lexicons: Lexicons,
    readers: Vec<ReaderFile>,
    consensus: Consensus,
    problems: Vec<Problem>,
    stamp: Stamp,
    provenance: Vec<(String, String)>,
    /// The stages behind the site, as pages tell of them.
    stages: Vec<Stage>,
    parts: Vec<(&'a config::Network, Evaluation)>,
    /// Folders of the networks' explanations.
    explained: Vec<PathBuf>,
    /// Layers with synthetic images, and their folders.
    visualised: Vec<(String, PathBuf)>,
    /// Folders of what a machine calls the units of layers.
    named: Vec<PathBuf>,
    /// Rate range tests, by network.
    tested: BTreeMap<String, record::rates::RateTest>,
}

impl<'a> Pipeline<'a> {
    /// Renders the site and draws the figures that the project lists from what the stages left, unless they
    /// are fresh.
    ///
    /// # Errors
    /// When a stage's artifacts are missing or stale, or a file cannot be rendered or written.
    pub fn build(&self, dataset: &Dataset) -> Result<Published> {
        let gathered = self.gather(dataset)?;
        let stale_site = !self.site_is_fresh(&gathered.stamp);
        let stale_figures = self.stale_figures(&gathered.stamp);
        let (mut site, mut figures) = (None, None);
        if stale_site || stale_figures.is_some() {
            self.with_inputs(dataset, &gathered, |inputs| -> Result<()> {
                if stale_site {
                    let (folder, record) = (self.layout.site(), self.layout.site_record());
                    let report = atlas::build(inputs, &folder, &record)?;
                    let survey = self.layout.survey();
                    artifact::write_json(&survey.join(SELECTION), &report.selection)?;
                    gathered.stamp.seal(&survey, &[SELECTION], "cpu")?;
                    if self.config.survey.select == Select::Disagreement
                        && report.selection.units.is_empty()
                    {
                        self.progress.say(
                            "survey.select is `disagreement`, and there is none: what a machine calls units is \
                             of the category of what they detect, or one of both is missing; there is no survey",
                        );
                    }
                    site = Some(report);
                }
                if let Some(stamp) = &stale_figures {
                    let (folder, record) = (self.layout.figures(), self.layout.figures_record());
                    let wanted = &self.config.figures;
                    let drawn = self.drawn(inputs, wanted)?;
                    figures = Some(atlas::keep_figures(wanted, drawn, &folder, &record, stamp)?);
                    let files = atlas::Record::read(&record)?.files.into_iter();
                    let drawn = files.filter_map(|(name, file)| Some((name, file.content?)));
                    self.note_drawn(drawn, stamp)?;
                }
                Ok(())
            })?;
        }
        Ok(Published { site, figures, problems: gathered.problems })
    }

    /// What people write that the site is made from, with what each is called.
    fn by_hand(
        &self,
        lexicons: &Lexicons,
        readers: &[ReaderFile],
        consensus: &Consensus,
    ) -> Result<[(&'static str, Fingerprint, &'static str); 5]> {
        let lexicons: Vec<_> = lexicons.iter().collect();
        Ok([
            ("config", Fingerprint::of(&self.shown_config()), "atlas.yaml"),
            ("lexicons", Fingerprint::of(&lexicons), "the lexicons"),
            ("labels", Fingerprint::of(&readers), "the readers\u{2019} answers"),
            ("consensus", Fingerprint::of(consensus), "the consensus"),
            ("surroundings", atlas::surroundings(self.config)?, "the theme or a page of content/"),
        ])
    }

    /// What people have changed since the site was built; empty where nothing, or where there is none.
    ///
    /// # Errors
    /// When what they wrote cannot be read.
    pub fn changed_since_build(&self) -> Result<Vec<&'static str>> {
        let record = atlas::Record::read(&self.layout.site_record());
        let Some(stamp) = record.ok().and_then(|record| record.stamp) else {
            return Ok(Vec::new());
        };
        let Opinions { lexicons, readers, consensus, .. } = self.opinions()?;
        let changed = self.by_hand(&lexicons, &readers, &consensus)?.into_iter();
        let changed = changed.filter(|(name, now, _)| stamp.inputs.get(*name) != Some(now));
        Ok(changed.map(|(_, _, what)| what).collect())
    }

    fn site_is_fresh(&self, stamp: &Stamp) -> bool {
        let record = atlas::Record::read(&self.layout.site_record());
        record.is_ok_and(|record| record.is_fresh(stamp, &self.layout.site()))
            && stamp.matches(&self.layout.survey())
    }

    /// The units that the survey of the built site asks about.
    ///
    /// # Errors
    /// When the site is not built, or the file is not what was written.
    pub fn selection(&self) -> Result<Selection> {
        Sealed::open(&self.layout.survey())?.json(SELECTION)
    }

    /// The stamp that the listed figures are to have; `None` where they have it, or there are none.
    fn stale_figures(&self, site: &Stamp) -> Option<Stamp> {
        let (wanted, record) = (&self.config.figures, self.layout.figures_record());
        if wanted.is_empty() && !record.is_file() {
            return None;
        }
        let mark = Fingerprint::of(&(wanted, figure::VERSION));
        let stamp = site.clone().with("figures", mark);
        let record = atlas::Record::read(&record);
        let fresh = record.is_ok_and(|record| record.is_fresh(&stamp, &self.layout.figures()));
        (!fresh).then_some(stamp)
    }

    /// Draws figures from what the stages left, for the caller to write. Letters of theirs that no font has
    /// are told here, before there is a file.
    ///
    /// # Errors
    /// When a stage's artifacts are missing or stale.
    pub fn draw(&self, dataset: &Dataset, wanted: &[Wanted]) -> Result<Vec<Result<atlas::Drawn>>> {
        let gathered = self.gather(dataset)?;
        let drawn = self.with_inputs(dataset, &gathered, |inputs| self.drawn(inputs, wanted))?;
        if self.reading.get().is_none() {
            let files = drawn.iter().flatten().flat_map(|drawn| &drawn.files);
            let files = files.map(|(name, bytes)| (name.clone(), Fingerprint::of_bytes(bytes)));
            self.note_drawn(files, &gathered.stamp)?;
        }
        Ok(drawn)
    }

    fn drawn(
        &self,
        inputs: &atlas::Inputs,
        wanted: &[Wanted],
    ) -> Result<Vec<Result<atlas::Drawn>>> {
        let all = atlas::draw_figures(inputs, wanted)?;
        for (wanted, drawn) in wanted.iter().zip(&all) {
            if let Ok(atlas::Drawn { boxed: Some(letters), .. }) = drawn {
                self.warn_of_boxes(&wanted.name, letters);
            }
        }
        Ok(all)
    }

    fn warn_of_boxes(&self, name: &str, letters: &str) {
        const SHOWN: usize = 20;
        let shown: String = letters.chars().take(SHOWN).collect();
        let more = letters.chars().count().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        self.progress.warn(&format!(
            "figure {name}: no font here has the letters {shown}{more}; they will be boxes but in SVG, \
             LaTeX and CSV. `--font FILE`, or `font` in `figures` of atlas.yaml, names one that has them"
        ));
    }

    /// What the site and the figures are made from, as far as it is small, once all stages are fresh.
    fn gather(&self, dataset: &Dataset) -> Result<Gathered<'a>> {
        let config = self.config;
        self.compare()?;
        let Opinions { lexicons, readers, consensus, problems, .. } = self.opinions()?;
        let mut stamp = Stamp::new(atlas::FORMAT)
            .with("dataset", dataset.shown.clone())
            .with("detector", Fingerprint::of(&config.dissection.detector))
            .with("similar", Fingerprint::of(&record::similar::FORMAT));
        for (name, fingerprint, _) in self.by_hand(&lexicons, &readers, &consensus)? {
            stamp = stamp.with(name, fingerprint);
        }
        // The manifest holds the seed.
        let held = match dataset.manifest.source.tells_seed() {
            true => dataset.content.clone(),
            false => Sealed::open(&self.layout.dataset())?.content(&[record::store::PATCHES]),
        };
        let mut provenance = vec![
            ("unit-atlas".to_string(), env!("CARGO_PKG_VERSION").to_string()),
            ("dataset".to_string(), held.to_string()),
        ];
        let (mut parts, mut explained) = (Vec::new(), Vec::new());
        let (mut visualised, mut named) = (Vec::new(), Vec::new());
        let machine = self.machine()?;
        for network in &config.networks {
            let trained = self.network_stamp(network, &dataset.content)?;
            let folder = self.layout.network(&network.name);
            if !trained.matches(&folder) {
                let what = match network.origin {
                    Origin::Run(_) => "trained",
                    Origin::Recorded(_) => "evaluated from its recording",
                };
                anyhow::bail!(
                    "{} is not {what}, or stale; `unit-atlas run` mends it",
                    network.name
                );
            }
            let evaluation = record::training::read_evaluation(&folder)?;
            let what = match network.origin {
                Origin::Run(_) => "weights",
                Origin::Recorded(_) => "recording",
            };
            provenance
                .push((format!("{} {what}", network.name), evaluation.weights_blake3.clone()));
            for layer in &network.layers {
                let folder = self.layout.layer(&network.name, layer);
                let name = format!("{}/{layer}", network.name);
                let dissected =
                    self.layer_stamp(layer, dataset, &trained, &evaluation.weights_blake3);
                if !dissected.matches(&folder) {
                    anyhow::bail!("{name} is not dissected, or stale; `unit-atlas run` mends it");
                }
                // The fingerprint of its inputs follows from the seed, which could be tried out against it.
                let shown = match dataset.manifest.source.tells_seed() {
                    true => dissected.fingerprint(),
                    false => Sealed::open(&folder)?.content(&dissection::OUTPUTS),
                };
                provenance.push((format!("{name} dissection"), shown.to_string()));
                stamp = stamp.with(&name, dissected.fingerprint());
                if let Some(machine) = &machine {
                    let layer = (network.name.as_str(), layer.as_str());
                    let mark = dissected.fingerprint();
                    if let Some((folder, mark)) =
                        self.named(machine, dataset, &lexicons, layer, mark)
                    {
                        stamp = stamp.with(&super::provenance::naming(layer), mark);
                        named.push(folder);
                    }
                }
                if !self.visualises() || network.recorded().is_some() {
                    continue;
                }
                let folder = self.layout.visualisation(&network.name, layer);
                let wanted = self.visualisation_stamp(dissected.fingerprint());
                if wanted.matches(&folder) {
                    let entry = super::provenance::visualisation(&network.name, layer);
                    stamp = stamp.with(&entry, wanted.fingerprint());
                    visualised.push((name, folder));
                } else {
                    self.progress.say(&format!(
                        "there are no synthetic images of {name}, or stale ones: its pages show none; \
                         `unit-atlas run` makes them"
                    ));
                }
            }
            stamp = stamp.with(&network.name, trained.fingerprint());
            let folder = self.layout.explanation(&network.name);
            let wanted = self.explaining(network)?.map(|layer| {
                let weights = &evaluation.weights_blake3;
                let dissected = self.layer_stamp(&layer, dataset, &trained, weights);
                explanation::stamp(dissected.fingerprint())
            });
            if let Some(wanted) = wanted.filter(|wanted| wanted.matches(&folder)) {
                let name = format!("{} explanation", network.name);
                stamp = stamp.with(&name, wanted.fingerprint());
                explained.push(folder);
            } else if let Some(why) = self.cannot_explain(network, false)? {
                self.progress.say(&format!("{why}: no cases of it"));
            } else {
                self.progress.say(&format!(
                    "{} is not explained, or stale: no cases of it; `unit-atlas run` mends it",
                    network.name
                ));
            }
            parts.push((network, evaluation));
        }
        let tested = self.rate_tests(dataset)?;
        if !tested.is_empty() {
            let shown: Vec<_> =
                tested.iter().map(|(name, test)| (name, Fingerprint::of(test))).collect();
            stamp = stamp.with(super::rates::ENTRY, Fingerprint::of(&shown));
        }
        let stages = published(&self.stages_of_site(&stamp)?, &dataset.manifest.source);
        let stamp = stamp.with("provenance", Fingerprint::of(&stages));
        let gathered = Gathered {
            lexicons,
            readers,
            consensus,
            problems,
            stamp,
            provenance,
            stages,
            parts,
            explained,
            visualised,
            named,
            tested,
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
        let similar = record::similar::read(&self.layout.dissection())?;
        // Hundreds of megabytes in a large atlas.
        let loaded = gathered
            .parts
            .par_iter()
            .map(|(network, evaluation)| {
                let folder = self.layout.network(&network.name);
                let history = match network.origin {
                    Origin::Run(_) => record::training::read_history(&folder)?,
                    Origin::Recorded(_) => Vec::new(),
                };
                let layers = network
                    .layers
                    .par_iter()
                    .map(|layer| record::dissection::read(&self.layout.layer(&network.name, layer)))
                    .collect::<Result<Vec<_>>>()?;
                Ok((*network, evaluation, history, layers))
            })
            .collect::<Result<Vec<(&config::Network, &Evaluation, Vec<Epoch>, Vec<_>)>>>()?;
        let explanations: Vec<Explanation> = gathered
            .explained
            .iter()
            .map(|at| record::explanation::read(at))
            .collect::<Result<_>>()?;
        let exhibits: Vec<Exhibit> = loaded
            .iter()
            .map(|(config, evaluation, history, layers)| Exhibit {
                config,
                evaluation,
                history,
                rates: gathered.tested.get(&config.name),
                layers,
            })
            .collect();
        let layers = || {
            let networks = self.config.networks.iter();
            let layers = networks
                .flat_map(|network| network.layers.iter().map(move |layer| (&network.name, layer)));
            layers.map(|(network, layer)| {
                (format!("{network}/{layer}"), self.layout.layer(network, layer))
            })
        };
        let maps = record::Maps::open(layers())?;
        let scores = record::Scores::open(layers())?;
        let names: Vec<_> =
            gathered.named.iter().map(|at| record::naming::read(at)).collect::<Result<_>>()?;
        let visualisations = record::Visualisations::open(gathered.visualised.iter().cloned())?;
        use_them(&atlas::Inputs {
            config: self.config,
            manifest: &dataset.manifest,
            store: dataset.store()?,
            previews: &dataset.previews,
            originals: &Originals::of(self.config)?,
            exhibits: &exhibits,
            maps: &maps,
            scores: &scores,
            visualisations: &visualisations,
            names: &names,
            similar: &similar,
            explanations: &explanations,
            lexicons: &gathered.lexicons,
            readers: &gathered.readers,
            consensus: &gathered.consensus,
            provenance: &gathered.provenance,
            stages: &gathered.stages,
            dataset: &dataset.shown,
            stamp: &gathered.stamp,
        })
    }

    /// The settings that pages show: where the project lies on this machine is not among them, nor
    /// which figures are wanted, nor where the text lies that readers agree to: what it says counts as content.
    fn shown_config(&self) -> Config {
        let survey = Survey { consent: None, ..self.config.survey.clone() };
        Config {
            root: PathBuf::new(),
            output: PathBuf::new(),
            figures: Vec::new(),
            survey,
            ..self.config.clone()
        }
    }
}
