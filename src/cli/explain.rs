//! `explain`: which units contribute to the probability of cancer of a mammogram.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::Serialize;

use super::terminal::Terminal;
use super::{NetworkChoice, Outcome, labels};
use atlas::Sheet;
use base::progress::{Progress, Silent};
use base::yaml::nearest;
use base::{Split, artifact, number};
use catalogue::{Catalogue, Name, Place, Verdict, carried, sentence};
use config::Network;
use mammogram::Mammogram;
use patch::prepare;
use pipeline::{Dataset, Guests, Pipeline};
use record::dissection::Layer;
use record::explanation::{Covered, Explained, Explanation, Part};
use record::training::PatchScores;
use record::{Difference, Manifest, Patch, Store, WholeMap};
use source::{Files, Source};
use study::labels::Severity;

/// Options of `explain`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Mammograms of the validation split by their ids, as the atlas shows them, or image files: DICOM,
    /// PNG, TIFF, PGM, JPEG, or a scan in the folder of its DDSM case [default: the surest five]
    #[arg(value_name = "MAMMOGRAM")]
    mammograms: Vec<String>,
    #[command(flatten)]
    networks: NetworkChoice,
    /// Print a JSON list and nothing else
    #[arg(long)]
    json: bool,
    /// Also write one HTML file that needs nothing else, with pictures; files are called `image-1`, … in it
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Also run each network over the whole mammogram in one pass: a finer map, with how far it is from the
    /// patches
    #[arg(long)]
    whole: bool,
}

/// Mammograms told of when none is named.
const SUREST: usize = 5;
/// Units told of in the terminal.
const TOLD: usize = 6;

/// A mammogram as `--json` has it.
#[derive(Serialize)]
struct Told<'a> {
    network: &'a str,
    layer: &'a str,
    exact: bool,
    mammogram: &'a str,
    /// The file, where it is not of the data set.
    file: Option<String>,
    /// Where somebody says.
    cancer: Option<bool>,
    sentence: String,
    probability: f32,
    margin: f32,
    rest: f32,
    evidence: f32,
    /// Where the deciding patch lies, by the lesions that are known: `malignant`, `benign`, `elsewhere`.
    place: Option<&'static str>,
    /// How the score stands to the truth, where somebody says, and where the network looked.
    verdict: Option<&'static str>,
    /// Share of the evidence that units named by people carry.
    named: f32,
    /// Share of the evidence that units carry that a machine named.
    machine: f32,
    /// Share of the evidence that units with an automatic name carry.
    automatic: f32,
    /// The deciding patch: left, top and edge in pixels of the mammogram.
    window: [u32; 3],
    /// Shares of it that lesions cover.
    lesions: Option<Covered>,
    units: &'a [Part],
    /// What they are called.
    names: Vec<Option<String>>,
    /// Who calls them so: `consensus`, `readers`, `unrecognizable`, `machine`, `automatic` or `none`.
    named_by: Vec<&'static str>,
    positive: &'a [(u32, f32)],
    /// Probability of cancer of each of its patches.
    patches: Vec<Scored>,
    /// Of one pass over all of it, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    whole: Option<&'a WholeMap>,
    #[serde(skip)]
    explained: &'a Explained,
}

/// A patch with its probability of cancer.
#[derive(Serialize)]
struct Scored {
    x: u32,
    y: u32,
    edge: u32,
    probability: f32,
}

/// What was asked for, found.
struct Asked {
    /// Ids of the data set; empty with `files` when the surest are meant.
    ids: Vec<String>,
    files: Vec<PathBuf>,
}

/// Some mammograms as one network scores them.
struct Scores<'a> {
    network: &'a Network,
    explanation: Explanation,
    /// Probabilities of the classes of the patches.
    scores: PatchScores,
    manifest: &'a Manifest,
    store: &'a Store,
    /// Ids of the mammograms asked for; `None` for the surest.
    asked: Option<&'a [String]>,
    /// Where the mammograms come from, when they are not of the data set.
    files: Option<&'a Files>,
    /// By number of the mammogram.
    whole: BTreeMap<u32, WholeMap>,
}

pub(super) fn execute(
    options: &Options,
    pipeline: &Pipeline,
    terminal: &Terminal,
) -> Result<Outcome> {
    let networks = options.networks.of(pipeline.config)?;
    let silent = Pipeline::new(pipeline.config, &Silent);
    let pipeline = if options.json { &silent } else { pipeline };
    if let Some(path) = &options.html {
        pipeline.check_output(path)?;
    }
    let _lock = pipeline.lock_or_read()?;
    let dataset = pipeline.dataset()?;
    let opinions = pipeline.opinions()?;
    labels::print(&opinions.problems);
    let asked = asked(&options.mammograms, &dataset.manifest)?;
    let (files, unusable) = Files::open(&asked.files);
    for (path, why) in &unusable {
        eprintln!("skipped {}: {why:#}", path.display());
    }
    let mut skipped = !unusable.is_empty();
    let guests = match (files.is_empty(), &asked.ids[..]) {
        (true, _) => None,
        (false, []) => Some(pipeline.guests(&files)?),
        (false, _) => match pipeline.guests(&files) {
            Ok(guests) => Some(guests),
            // The others are told of all the same.
            Err(why) => {
                eprintln!("skipped: {why:#}");
                skipped = true;
                None
            }
        },
    };
    for notice in guests.iter().flat_map(|guests| &guests.manifest.notices) {
        let file = files.path(&notice.place).map(|path| path.display().to_string());
        let place = file.as_deref().unwrap_or(&notice.place);
        let said = if notice.skipped { "skipped" } else { "note:" };
        eprintln!("{said} {place}: {}", notice.message);
        skipped |= notice.skipped;
    }
    if !asked.files.is_empty() && guests.is_none() && asked.ids.is_empty() {
        match asked.files.len() {
            1 => bail!("the file cannot be explained"),
            all => bail!("none of the {all} files can be explained"),
        }
    }
    let networks = able(&networks, options, &asked, pipeline)?;
    let mut found = Vec::new();
    for network in &networks {
        if asked.files.is_empty() || !asked.ids.is_empty() {
            found.push(of_dataset(pipeline, network, &dataset, &asked.ids)?);
        }
        if let Some(guests) = &guests {
            found.push(of_guests(pipeline, network, &dataset, (guests, &files))?);
        }
    }
    if options.whole {
        for scores in &mut found {
            skipped |= scores.look_at_whole(pipeline, &dataset)?;
        }
    }
    let mut layers: Vec<Layer> = Vec::new();
    for Explanation { network, layer, .. } in found.iter().map(|scores| &scores.explanation) {
        if !layers.iter().any(|known| known.network == *network && known.layer == *layer) {
            layers.push(record::dissection::read(&pipeline.layout.layer(network, layer))?);
        }
    }
    let names = pipeline.names(&dataset, &layers)?;
    let catalogue = opinions.catalogue(&layers).with_machine(&names);
    let mut told = Vec::new();
    for scores in &found {
        for explained in scores.chosen()? {
            told.push((scores, scores.tell(explained, &catalogue)));
        }
    }
    if options.json {
        let told: Vec<&Told> = told.iter().map(|(_, told)| told).collect();
        terminal.result(&serde_json::to_string(&told)?);
    } else {
        told.iter().for_each(|(_, told)| describe(told, terminal));
    }
    if let Some(path) = &options.html {
        artifact::write(path, &html(pipeline, &dataset, &catalogue, &told)?)?;
        if !options.json {
            terminal.say(&format!("pictures in {}", path.display()));
        }
    }
    skipped |= opinions.problems.iter().any(|problem| problem.severity == Severity::Error);
    match super::prepare::outcome(&dataset.manifest) {
        Outcome::Complete => Ok(Outcome::skipped_if(skipped)),
        Outcome::Skipped => Ok(Outcome::Skipped),
    }
}

/// The networks that can explain what is asked for. Who names one that cannot is told why; of all networks the
/// others go on.
fn able<'a>(
    networks: &[&'a Network],
    options: &Options,
    asked: &Asked,
    pipeline: &Pipeline,
) -> Result<Vec<&'a Network>> {
    let foreign = !asked.files.is_empty() || options.whole;
    let (mut able, mut told) = (Vec::new(), Vec::new());
    for network in networks {
        match pipeline.cannot_explain(network, foreign)? {
            None => able.push(*network),
            Some(why) => told.push(why),
        }
    }
    if let Some(why) =
        told.first().filter(|_| able.is_empty() || !options.networks.networks.is_empty())
    {
        bail!("{why}");
    }
    told.iter().for_each(|why| eprintln!("note: {why}"));
    Ok(able)
}

/// Ids of the data set go before files of the same name.
fn asked(mammograms: &[String], manifest: &Manifest) -> Result<Asked> {
    let mut asked = Asked { ids: Vec::new(), files: Vec::new() };
    for name in mammograms {
        let path = PathBuf::from(name);
        let same = |known: &PathBuf| match (known.canonicalize(), path.canonicalize()) {
            (Ok(known), Ok(path)) => known == path,
            _ => *known == path,
        };
        // What is asked for twice is told once.
        if manifest.mammograms.iter().any(|member| member.mammogram.id == *name) {
            if !asked.ids.contains(name) {
                asked.ids.push(name.clone());
            }
        } else if path.is_file() {
            if !asked.files.iter().any(same) {
                asked.files.push(path);
            }
        } else {
            let ids = manifest.mammograms.iter().map(|member| member.mammogram.id.as_str());
            let hint = match nearest(name, ids) {
                Some(near) => format!("did you mean {near}?"),
                None => "the atlas's pages name the mammograms".into(),
            };
            bail!("the data set has no mammogram {name}, and there is no such file; {hint}");
        }
    }
    Ok(asked)
}

fn of_dataset<'a>(
    pipeline: &Pipeline,
    network: &'a Network,
    dataset: &'a Dataset,
    ids: &'a [String],
) -> Result<Scores<'a>> {
    Ok(Scores {
        network,
        explanation: pipeline.explanation(network, dataset)?,
        scores: pipeline.evaluate(network, dataset, Split::Validation)?.scores,
        manifest: &dataset.manifest,
        store: dataset.store()?,
        asked: (!ids.is_empty()).then_some(ids),
        files: None,
        whole: BTreeMap::new(),
    })
}

fn of_guests<'a>(
    pipeline: &Pipeline,
    network: &'a Network,
    dataset: &Dataset,
    (guests, files): (&'a Guests, &'a Files),
) -> Result<Scores<'a>> {
    let (explanation, scores) = pipeline.explain_guests(network, dataset, guests)?;
    let Guests { manifest, store } = guests;
    Ok(Scores {
        network,
        explanation,
        scores,
        manifest,
        store,
        asked: None,
        files: Some(files),
        whole: BTreeMap::new(),
    })
}

impl<'a> Scores<'a> {
    fn mammogram(&self, explained: &Explained) -> &Mammogram {
        &self.manifest.mammograms[explained.mammogram as usize].mammogram
    }

    /// The mammograms to tell of: those asked for; else every file; else those with the highest scores.
    fn chosen(&self) -> Result<Vec<&Explained>> {
        let all = &self.explanation.mammograms;
        let Some(ids) = self.asked else {
            let mut all: Vec<&Explained> = all.iter().collect();
            if self.files.is_none() {
                all.sort_by(|a, b| b.probability.total_cmp(&a.probability));
                all.truncate(SUREST);
            }
            return Ok(all);
        };
        let of = |id: &String| {
            let found = all.iter().find(|explained| self.mammogram(explained).id == *id);
            let Some(found) = found else {
                let member = self.manifest.mammograms.iter().find(|m| m.mammogram.id == *id);
                let split = member.map_or("another".into(), |member| member.split.to_string());
                bail!(
                    "{id} is in the {split} split, or no patch was cut from it: only mammograms of the {} \
                     split with patches are explained",
                    self.explanation.split
                )
            };
            Ok(found)
        };
        ids.iter().map(of).collect()
    }

    /// Maps the mammograms to tell of in one pass each. Whether some could not be.
    fn look_at_whole(&mut self, pipeline: &Pipeline, dataset: &Dataset) -> Result<bool> {
        let patching = &pipeline.config.patches;
        let network = pipeline.trained(self.network, dataset)?;
        if !network.slides() {
            eprintln!(
                "skipped whole mammograms for {}: a vision transformer sees patches of one size alone",
                self.network.name
            );
            return Ok(true);
        }
        let inference = network.inference();
        let source = source::open(pipeline.config)?;
        let source: &dyn Source = self.files.map_or(source.as_ref(), |files| files);
        let mut skipped = false;
        let mut whole = BTreeMap::new();
        for explained in self.chosen()? {
            let mammogram = self.mammogram(explained);
            let edge = self.manifest.patches[explained.patch as usize].edge;
            let patches = self.manifest.scored(&self.scores, explained.mammogram);
            let map = prepare::read(source, mammogram).and_then(|image| {
                let sizes = (edge, patching.size);
                explanation::whole_map(&inference, &image, sizes, patching.min_breast, patches)
            });
            match map {
                Ok(map) => drop(whole.insert(explained.mammogram, map)),
                Err(why) => {
                    eprintln!("skipped the whole of {}: {why:#}", mammogram.id);
                    skipped = true;
                }
            }
        }
        self.whole = whole;
        Ok(skipped)
    }

    /// Whether it has cancer; of a file nobody says, unless its case outlines a lesion.
    fn cancer(&self, explained: &Explained) -> Option<bool> {
        let mammogram = self.mammogram(explained);
        let known = self.files.is_none() || !mammogram.lesions.is_empty();
        known.then(|| mammogram.has_cancer())
    }

    fn tell<'s>(&'s self, explained: &'s Explained, catalogue: &'s Catalogue) -> Told<'s> {
        let Explanation { network, layer, exact, .. } = &self.explanation;
        let known = catalogue.explaining(&self.explanation);
        let named = |unit: u32| known.and_then(|known| known.name(unit));
        let id = &self.mammogram(explained).id;
        let patch = &self.manifest.patches[explained.patch as usize];
        let &Patch { x, y, edge, .. } = patch;
        let cancer = self.cancer(explained);
        let place = cancer.map(|_| Place::of(self.manifest, explained.patch));
        let verdict = cancer.zip(place);
        let verdict =
            verdict.map(|(cancer, place)| Verdict::new(cancer, explained.probability, place));
        let carried = carried(explained, named);
        let names = || explained.units.iter().map(|part| named(part.unit));
        let its = self.manifest.scored(&self.scores, explained.mammogram);
        Told {
            network,
            layer,
            exact: *exact,
            mammogram: id,
            file: self.files.and_then(|files| Some(files.path(id)?.display().to_string())),
            cancer,
            sentence: sentence(explained, named, verdict),
            place: place.map(Place::id),
            verdict: verdict.map(Verdict::words),
            probability: explained.probability,
            margin: explained.margin,
            rest: explained.rest,
            evidence: explained.evidence,
            named: carried.people,
            machine: carried.machine,
            automatic: carried.automatic,
            window: [x, y, edge],
            lesions: explained.lesions,
            units: &explained.units,
            positive: &explained.positive,
            explained,
            names: names().map(|name| name.map(ToString::to_string)).collect(),
            named_by: names()
                .map(|name| name.map_or(catalogue::Source::None, Name::source).id())
                .collect(),
            patches: its
                .map(|(&Patch { x, y, edge, .. }, probability)| Scored { x, y, edge, probability })
                .collect(),
            whole: self.whole.get(&explained.mammogram),
        }
    }
}

fn describe(told: &Told, terminal: &Terminal) {
    // Whoever wrote a label writes no commands for the terminal.
    let print = |line: String| terminal.result(&line.replace(char::is_control, " "));
    let truth = match told.cancer {
        Some(true) => " (cancer)",
        Some(false) => " (no cancer)",
        None => "",
    };
    let file = told.file.as_ref().map_or(String::new(), |file| format!(", {file},"));
    print(format!("{}{file} by {}/{}{truth}", told.mammogram, told.network, told.layer));
    print(format!("  {}", told.sentence));
    let [x, y, edge] = told.window;
    let method = if told.exact { "exact" } else { "gradient times activation" };
    print(format!("  deciding patch at {x},{y}, {edge} pixels wide; {method}"));
    if let Some(map) = told.whole {
        let highest = map.highest().map_or(String::new(), |(highest, [x, y])| {
            format!(" {highest:.2} at most, window at {x:.0},{y:.0};")
        });
        let Difference { patches, mean, greatest } = map.difference;
        print(format!(
            "  one pass over the whole:{highest} its {patches} patches are {mean:.3} off on average, \
             {greatest:.3} at most"
        ));
    }
    for (part, name) in told.explained.units.iter().zip(&told.names).take(TOLD) {
        let inside = part.inside.map_or_else(String::new, |inside| {
            format!(
                "; {:.0}% of its region lies in a malignant lesion, {:.0}% in a benign one",
                100.0 * inside.malignant,
                100.0 * inside.benign
            )
        });
        let without = part.without.map_or_else(String::new, |p| format!("; without it {p:.2}"));
        print(format!(
            "  unit {:04}  {}  {}{without}{inside}",
            part.unit,
            number::written(format_args!("{:+.3}", part.contribution)),
            name.as_deref().unwrap_or("not named")
        ));
    }
}

/// The HTML file of everything told.
fn html(
    pipeline: &Pipeline,
    dataset: &Dataset,
    catalogue: &Catalogue,
    told: &[(&Scores, Told)],
) -> Result<Vec<u8>> {
    let whole = told.iter().map(|(scores, told)| {
        let member = &scores.manifest.mammograms[told.explained.mammogram as usize];
        match (scores.files, member.preview) {
            (Some(files), _) => Ok(Some(prepare::preview(&files.image(&member.mammogram)?)?)),
            (None, Some(size)) => {
                let path = pipeline.layout.preview(&member.mammogram.id);
                Ok(Some((fs_err::read(path)?, size)))
            }
            (None, None) => Ok(None),
        }
    });
    let whole: Vec<Option<(Vec<u8>, [u32; 2])>> = whole.collect::<Result<_>>()?;
    let sheets: Vec<Sheet> = told
        .iter()
        .zip(&whole)
        .map(|((scores, told), whole)| Sheet {
            explanation: &scores.explanation,
            explained: told.explained,
            scores: &scores.scores,
            manifest: scores.manifest,
            store: scores.store,
            preview: whole.as_ref().map(|(bytes, size)| (bytes.as_slice(), *size)),
            cancer: told.cancer,
            whole: told.whole,
        })
        .collect();
    let about = &dataset.manifest.source;
    atlas::handout(pipeline.config, about, catalogue, &sheets)
}
