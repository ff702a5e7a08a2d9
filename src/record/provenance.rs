//! Where a result comes from: the stages behind it, each with what it was made from, by what, and what it is.
//!
//! The terminal, `--json` and the pages tell the same [`Stage`]s; pages only what may be [`published`].

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::manifest::MANIFEST;
use crate::training::HISTORY;
use base::artifact::{self, Fingerprint, Run, Sealed, Stamp};
use mammogram::About;

/// How many figures are remembered: some hundred of every format.
const DRAWINGS: usize = 1000;

/// What holds all settings, the seed among them.
pub const SETTINGS: &str = "atlas.yaml";

/// Name of the picture beside a unit's page that is its synthetic image.
pub const SYNTHETIC: &str = "synthetic.png";

/// What a stage makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Mammograms, their split and their patches.
    Dataset,
    /// The weights of a network, trained or taken as they are.
    Network(String),
    /// The units of a network's layer.
    Layer(String, String),
    /// Which units of all layers are alike.
    Similar,
    /// Synthetic images of the units of a network's layer.
    Visualisation(String, String),
    /// The patches as the machine sees them that names units.
    Embeddings,
    /// What that machine calls the units of a network's layer.
    Names(String, String),
    /// Why a network scores mammograms as it does.
    Explanation(String),
    /// The pages, and the units that readers are asked about.
    Site,
    /// A figure for a paper.
    Figure,
}

impl Kind {
    /// The kind of what lies in a folder, by its parts below `work/`; `None` where no stage leaves anything.
    pub fn of_folder(parts: &[&str]) -> Option<Self> {
        Some(match *parts {
            ["dataset"] => Self::Dataset,
            ["networks", network] => Self::Network(network.into()),
            ["dissection"] => Self::Similar,
            ["dissection", network, layer] => Self::Layer(network.into(), layer.into()),
            ["visualisation", network, layer] => Self::Visualisation(network.into(), layer.into()),
            ["naming", "patches"] => Self::Embeddings,
            ["naming", "units", network, layer] => Self::Names(network.into(), layer.into()),
            ["explanation", network] => Self::Explanation(network.into()),
            ["survey"] => Self::Site,
            _ => return None,
        })
    }

    /// Whose results a page or another file of the site shows above all, by its path there.
    pub fn of_page(path: &str) -> Self {
        match *path.split('/').collect::<Vec<_>>() {
            ["networks", network, layer, _, SYNTHETIC] => {
                Self::Visualisation(network.into(), layer.into())
            }
            ["networks", network, layer, _, ..] => Self::Layer(network.into(), layer.into()),
            ["networks", network, _] => Self::Network(network.into()),
            ["cases", network, _, _] => Self::Explanation(network.into()),
            ["mammograms" | "patches", ..] | ["data", "index.html"] => Self::Dataset,
            _ => Self::Site,
        }
    }

    /// In words, at the start of a sentence.
    pub fn title(&self) -> String {
        match self {
            Self::Dataset => "Data set".into(),
            Self::Network(network) => format!("Network {network}"),
            Self::Layer(network, layer) => format!("Dissection of {network}/{layer}"),
            Self::Similar => "Comparison of all units".into(),
            Self::Visualisation(network, layer) => {
                format!("Synthetic images of {network}/{layer}")
            }
            Self::Embeddings => "Patches as the namer sees them".into(),
            Self::Names(network, layer) => format!("Names by a machine of {network}/{layer}"),
            Self::Explanation(network) => format!("Explanations by {network}"),
            Self::Site => "Site".into(),
            Self::Figure => "Figure".into(),
        }
    }

    /// A name of it in addresses, as the end of one after `#`.
    pub fn anchor(&self) -> String {
        match self {
            Self::Dataset => "dataset".into(),
            Self::Network(network) => format!("network-{network}"),
            Self::Layer(network, layer) => format!("layer-{network}-{layer}"),
            Self::Similar => "similar".into(),
            Self::Visualisation(network, layer) => format!("visualisation-{network}-{layer}"),
            Self::Embeddings => "embeddings".into(),
            Self::Names(network, layer) => format!("names-{network}-{layer}"),
            Self::Explanation(network) => format!("explanation-{network}"),
            Self::Site => "site".into(),
            Self::Figure => "figure".into(),
        }
    }

    /// The command that makes it where it is missing, and what it needs.
    pub fn command(&self) -> String {
        match self {
            Self::Dataset => "unit-atlas prepare".into(),
            Self::Network(network) => format!("unit-atlas train --network {network}"),
            Self::Layer(network, _)
            | Self::Visualisation(network, _)
            | Self::Explanation(network) => {
                format!("unit-atlas dissect --network {network}")
            }
            Self::Embeddings => "unit-atlas name".into(),
            Self::Names(network, _) => format!("unit-atlas name --network {network}"),
            Self::Similar | Self::Site => "unit-atlas build".into(),
            Self::Figure => "unit-atlas figure".into(),
        }
    }
}

/// A stage behind a result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stage {
    /// What it makes.
    pub kind: Kind,
    /// In words.
    pub title: String,
    /// A name of it in addresses.
    pub anchor: String,
    /// Where its results lie, from the project's folder; empty where that is not told.
    pub folder: String,
    /// Of everything it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs_blake3: Option<Fingerprint>,
    /// What it was made from.
    pub inputs: Vec<Input>,
    /// Its settings by their names in `atlas.yaml`, but for those that have no value.
    pub options: Vec<(String, Value)>,
    /// What it is.
    pub files: Vec<File>,
    /// The command that makes it where it is missing.
    pub command: String,
    /// Version of unit-atlas that made it; absent where nothing is known of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it was computed on; absent where nothing is known of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The whole of what is known of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
}

impl Stage {
    /// A stage of which only this is known, and which run made it.
    pub fn new(kind: Kind, run: Option<Run>) -> Self {
        Self {
            title: kind.title(),
            anchor: kind.anchor(),
            command: kind.command(),
            kind,
            folder: String::new(),
            inputs_blake3: None,
            inputs: Vec::new(),
            options: Vec::new(),
            files: Vec::new(),
            version: run.as_ref().map(|run| run.version.clone()),
            device: run.as_ref().map(|run| run.device.clone()),
            run,
        }
    }
}

/// Something that a stage was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Input {
    /// In words.
    pub name: String,
    /// Its fingerprint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blake3: Option<Fingerprint>,
    /// Where it comes from.
    pub from: Origin,
}

/// Where an input comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Another stage: its place in the list of stages.
    Stage(usize),
    /// The settings.
    Options,
    /// Files of the source.
    Source,
    /// Something else that a person wrote or gave, in words.
    Given(String),
    /// A stage whose results are no longer kept.
    Lost(String),
}

/// A file of a result, or a folder of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct File {
    /// Its path in the stage's folder; of a folder it ends in `/`.
    pub name: String,
    /// How many files, where it is a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Length of all.
    pub bytes: u64,
    /// Digest; of a folder, of the names, lengths and digests of its files.
    pub blake3: Fingerprint,
}

/// The files of a stage's folder, those in folders of it as one.
pub fn files(sealed: &Sealed) -> Vec<File> {
    let mut files = Vec::new();
    let mut folders: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (name, output) in sealed.outputs() {
        match name.split_once('/') {
            Some((folder, rest)) => folders.entry(folder).or_default().push((rest, output)),
            None => files.push(File {
                name: name.into(),
                count: None,
                bytes: output.bytes,
                blake3: output.blake3.clone(),
            }),
        }
    }
    files.extend(folders.into_iter().map(|(folder, own)| File {
        name: format!("{folder}/"),
        count: Some(own.len()),
        bytes: own.iter().map(|(_, output)| output.bytes).sum(),
        blake3: Fingerprint::of(&own),
    }));
    files
}

/// The settings of a stage, one by one: `training.lr` and its value.
pub fn options(sealed: &Sealed) -> Vec<(String, Value)> {
    fn add(name: &str, value: &Value, options: &mut Vec<(String, Value)>) {
        match value {
            Value::Null => {}
            Value::Object(map) => {
                for (key, value) in map {
                    let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                    add(&name, value, options);
                }
            }
            value => options.push((name.into(), value.clone())),
        }
    }
    let mut options = Vec::new();
    sealed.settings().values().for_each(|value| add("", value, &mut options));
    options
}

/// What pages may tell of stages, and tell alike wherever the same is made of the same data.
///
/// When and by which command something was made differs from run to run, and so do times in a training's
/// history; the fingerprint of a source holds the times of its files. The seed is the key of pseudonyms where
/// a data set has them, and could be tried out against fingerprints that it is a part of.
pub fn published(stages: &[Stage], about: &About) -> Vec<Stage> {
    // The manifest holds the seed.
    let tells = |name: &str| name != HISTORY && (name != MANIFEST || about.tells_seed());
    let told = |stage: &Stage| Stage {
        folder: String::new(),
        inputs_blake3: None,
        inputs: stage
            .inputs
            .iter()
            .map(|input| Input {
                blake3: input.blake3.clone().filter(|_| match &input.from {
                    Origin::Given(words) => words != SETTINGS || about.tells_seed(),
                    _ => false,
                }),
                ..input.clone()
            })
            .collect(),
        options: stage
            .options
            .iter()
            .filter(|(name, _)| name != "seed" || about.tells_seed())
            .cloned()
            .collect(),
        files: stage.files.iter().filter(|file| tells(&file.name)).cloned().collect(),
        run: None,
        ..stage.clone()
    };
    stages.iter().map(told).collect()
}

/// The file that says of each figure that was drawn what it was drawn from; by its digest, so that a figure is
/// known wherever it was copied to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Drawings(BTreeMap<Fingerprint, Drawing>);

/// A figure that was drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drawing {
    /// Name of its file.
    pub name: String,
    /// What it was drawn from.
    pub stamp: Stamp,
    /// The run that drew it.
    pub run: Run,
}

impl Drawings {
    /// Those that were noted; none where there is no such file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        match path.exists() {
            true => artifact::read_document(path),
            false => Ok(Self::default()),
        }
    }

    /// Notes figures by their names and digests. The newest thousand are kept.
    pub fn note(
        &mut self,
        figures: impl IntoIterator<Item = (String, Fingerprint)>,
        stamp: &Stamp,
        run: &Run,
    ) {
        for (name, digest) in figures {
            self.0.insert(digest, Drawing { name, stamp: stamp.clone(), run: run.clone() });
        }
        while self.0.len() > DRAWINGS {
            // Times of one form: their order is that of their text.
            let oldest = self.0.iter().min_by_key(|(_, drawing)| &drawing.run.finished);
            let Some(oldest) = oldest.map(|(digest, _)| digest.clone()) else { break };
            self.0.remove(&oldest);
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        artifact::write_document(path, self)
    }

    /// The figure with a digest.
    pub fn find(&self, digest: &Fingerprint) -> Option<&Drawing> {
        self.0.get(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(kind: &str) -> About {
        let text = String::new;
        About {
            kind: kind.into(),
            name: text(),
            description: text(),
            citation: text(),
            licence: None,
            phantom: false,
        }
    }

    fn sealed() -> (tempfile::TempDir, Sealed) {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in
            [("weights", "w"), (HISTORY, "times"), ("previews/a", "a"), ("previews/b", "bb")]
        {
            artifact::write(&folder.path().join(name), content.as_bytes()).unwrap();
        }
        let settings = serde_json::json!({"seed": 7, "training": {"lr": 0.01, "warmup": null}});
        let stamp =
            Stamp::new(1).with("settings", Fingerprint::of(&1)).of_settings("settings", &settings);
        stamp.seal(folder.path(), &["weights", HISTORY, "previews"], "cpu").unwrap();
        let sealed = Sealed::open(folder.path()).unwrap();
        (folder, sealed)
    }

    #[test]
    fn files_of_a_folder_and_settings_are_told_one_by_one() {
        let (_folder, sealed) = sealed();
        let told: Vec<_> = files(&sealed).into_iter().map(|f| (f.name, f.count, f.bytes)).collect();
        let wanted = [
            (HISTORY.into(), None, 5),
            ("weights".into(), None, 1),
            ("previews/".into(), Some(2), 3),
        ];
        assert_eq!(told, wanted);
        let wanted = [("seed".to_string(), 7.into()), ("training.lr".into(), 0.01.into())];
        assert_eq!(options(&sealed), wanted);
    }

    #[test]
    fn pages_tell_nothing_that_differs_from_run_to_run_and_no_key() {
        let (_folder, sealed) = sealed();
        let secret = Fingerprint::of(&"secret");
        let input = |from: Origin| Input { name: "x".into(), blake3: Some(secret.clone()), from };
        let kind = Kind::Network("alexnet".into());
        let stage = Stage {
            title: kind.title(),
            anchor: kind.anchor(),
            command: kind.command(),
            kind,
            folder: "output/work/networks/alexnet".into(),
            inputs_blake3: Some(secret.clone()),
            inputs: vec![
                input(Origin::Options),
                input(Origin::Source),
                input(Origin::Stage(0)),
                input(Origin::Lost("x".into())),
                input(Origin::Given(SETTINGS.into())),
            ],
            options: options(&sealed),
            files: files(&sealed),
            version: None,
            device: None,
            run: sealed.run().unwrap(),
        };
        let told = |kind: &str| {
            serde_json::to_string(&published(std::slice::from_ref(&stage), &about(kind))).unwrap()
        };
        for hidden in [secret.as_str(), HISTORY, "finished", "output/work"] {
            assert!(!told("folder").contains(hidden), "{hidden}");
        }
        assert!(!told("folder").contains("seed") && told("mini_mias").contains("[\"seed\",7]"));
        assert!(told("folder").contains("training.lr") && told("folder").contains("previews/"));
    }

    #[test]
    fn a_page_shows_results_of_one_stage_above_all() {
        let anchor = |path: &str| Kind::of_page(path).anchor();
        assert_eq!(anchor("networks/vgg16/conv5_3/0063/index.html"), "layer-vgg16-conv5_3");
        assert_eq!(anchor("networks/vgg16/conv5_3/units.js"), "layer-vgg16-conv5_3");
        assert_eq!(
            anchor("networks/vgg16/conv5_3/0063/synthetic.png"),
            "visualisation-vgg16-conv5_3"
        );
        assert_eq!(anchor("networks/vgg16/index.html"), "network-vgg16");
        assert_eq!(anchor("cases/vgg16/mdb001/index.html"), "explanation-vgg16");
        assert_eq!(anchor("mammograms/mdb001/index.html"), "dataset");
        assert_eq!(
            (anchor("cases/index.html"), anchor("index.html")),
            ("site".into(), "site".into())
        );
    }

    #[test]
    fn the_newest_drawings_are_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("drawn.json");
        let mut drawings = Drawings::read(&path).unwrap();
        let run =
            |second: usize| Run { finished: format!("2026-01-01T{second:06}Z"), ..Run::now("cpu") };
        for n in 0..DRAWINGS + 2 {
            drawings.note([(format!("{n}.svg"), Fingerprint::of(&n))], &Stamp::new(1), &run(n));
        }
        drawings.write(&path).unwrap();
        let found = Drawings::read(&path).unwrap();
        assert_eq!(found, drawings);
        let known = |n: usize| found.find(&Fingerprint::of(&n)).map(|drawing| drawing.name.clone());
        assert_eq!((known(1), known(2)), (None, Some("2.svg".into())));
    }

    #[test]
    fn folders_are_those_of_the_layout() {
        let layout = artifact::Layout::new("");
        let folders = [
            (layout.dataset(), "dataset"),
            (layout.network("a"), "network-a"),
            (layout.layer("a", "b"), "layer-a-b"),
            (layout.dissection(), "similar"),
            (layout.visualisation("a", "b"), "visualisation-a-b"),
            (layout.explanation("a"), "explanation-a"),
            (layout.survey(), "site"),
        ];
        for (folder, anchor) in folders {
            let parts: Vec<_> = folder.iter().skip(1).map(|part| part.to_str().unwrap()).collect();
            assert_eq!(Kind::of_folder(&parts).unwrap().anchor(), anchor);
        }
        assert_eq!(Kind::of_folder(&["networks"]), None);
    }
}
