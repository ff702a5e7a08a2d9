//! A small but complete set of artifacts, drawn here: what the site is built from in tests.

#[cfg(unix)]
pub(crate) mod chromium;
pub(crate) mod ddsm;
pub(crate) mod dicom;
pub(crate) mod lexicons;
pub(crate) mod project;
pub(crate) mod reading;
#[cfg(unix)]
pub(crate) mod static_server;
#[cfg(unix)]
pub(crate) mod viewing;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use atlas::{Exhibit, Inputs, Report};
use base::artifact::{self, Fingerprint, Sealed, Stamp};
use base::{Field, Notice, Split, UnitId};
use config::{Config, Start};
use lexicon::{Group, Lexicon, Lexicons, Term};
use mammogram::{
    About, Grey, Laterality, Lesion, Mammogram, Outline, Pathology, Values, View, Window,
};
use record::dissection::{
    Activations, Basis, Category, Chance, Concept, Influence, Layer, Level, Match, TopPatch, Unit,
};
use record::explanation::{Covered, Explained, Explanation, Part};
use record::naming::{Candidate, Names, Scoring};
use record::provenance::{Input, Kind, Origin, Stage};
use record::similar::{Groups, Layout, Like, Likes, Similar};
use record::training::{self as evaluation, Epoch, Evaluation};
use record::{
    Fractions, Manifest, Maps, Member, Patch, Previews, Scores, Share, Store, Visualisations,
};
use study::answer::ReaderFile;
use study::consensus::Consensus;
use training::assess::assess;

/// Edge of a stored patch.
const EDGE: u32 = 113;

/// Artifacts in memory and in a folder.
pub(crate) struct Fixture {
    pub(crate) config: Config,
    pub(crate) manifest: Manifest,
    pub(crate) store: Store,
    pub(crate) previews: PathBuf,
    pub(crate) lexicons: Lexicons,
    pub(crate) readers: Vec<ReaderFile>,
    pub(crate) consensus: Consensus,
    pub(crate) provenance: Vec<(String, String)>,
    pub(crate) networks: Vec<Network>,
    pub(crate) similar: Similar,
    /// None at first; see [`Fixture::ask_a_machine`].
    pub(crate) names: Vec<Names>,
    /// Of the first network only.
    pub(crate) explanations: Vec<Explanation>,
    /// None at first.
    pub(crate) visualisations: Visualisations,
    folder: PathBuf,
}

/// Mammograms in full, greyer to the right.
#[derive(Debug)]
struct Originals;

impl atlas::Originals for Originals {
    fn image(&self, mammogram: &Mammogram) -> anyhow::Result<Grey> {
        let Mammogram { width, height, .. } = *mammogram;
        let row = (0..width).map(|x| (x * 255 / width) as u8);
        let pixels = std::iter::repeat_n(row, height as usize).flatten().collect();
        Ok(Grey { width, height, pixels })
    }

    /// Of twelve bits: a ramp of all values to the right, a step further in each row.
    fn values(&self, mammogram: &Mammogram) -> anyhow::Result<Values> {
        let Mammogram { width, height, .. } = *mammogram;
        let code = |at: u32| ((at % width) * 4095 / (width - 1) + at / width) % 4096;
        let codes = (0..width * height).map(|at| code(at) as u16).collect();
        let windows =
            vec![Window { centre: 2048.0, width: 2000.0 }, Window { centre: 1000.0, width: 300.0 }];
        Ok(Values { windows, ..Values::stretched(width, height, codes) })
    }
}

/// The second unit's top patches fall into two groups; the first's do not.
fn groups() -> BTreeMap<UnitId, Groups> {
    let of = [vec![0, 2, 4], vec![1, 3, 5]];
    let both = [(2, 0.001), (1, 0.4)];
    let groups = both.map(|(unit, p)| {
        (UnitId::new("alexnet", "conv5", unit), Groups { p, adjusted: p * 2.0, of: of.clone() })
    });
    groups.into()
}

/// Live units of a layer in rows of four, the first of them at the top left.
fn layout(layer: &Layer) -> (String, Layout) {
    let live = layer.units.iter().filter(|unit| unit.kind().is_live()).count();
    let rows = live.div_ceil(4).max(2) - 1;
    let mut places = (0..)
        .map(|at| [2.0 * (at % 4) as f32 / 3.0 - 1.0, 2.0 * (at / 4) as f32 / rows as f32 - 1.0]);
    let place = |unit: &Unit| unit.kind().is_live().then(|| places.next()).flatten();
    let places = layer.units.iter().map(place).collect();
    (format!("{}/{}", layer.network, layer.layer), Layout { places, kept: Some(0.625) })
}

/// What a machine calls the units of a layer: the first and the fourth a mass, the second calcifications, and no other
/// anything that is beyond chance.
fn names(layer: &Layer) -> Names {
    let close = |term: &str, adjusted: f32| Candidate {
        term: term.into(),
        difference: 0.12,
        wpmi: 1.5,
        standard: 6.0 - adjusted,
        chance: adjusted / 2.0,
        untrained: Some(adjusted / 3.0),
        adjusted,
    };
    let of = |unit: &Unit| match (unit.kind().is_live(), unit.unit) {
        (false, _) => Vec::new(),
        (_, 1 | 4) => vec![close("mass", 0.01), close("shape-oval", 0.02)],
        (_, 2) => vec![close("calcifications", 0.001), close("mass", 0.4)],
        _ => vec![close("mass", 0.6), close("calcifications", 1.0)],
    };
    Names {
        format: record::naming::FORMAT,
        network: layer.network.clone(),
        layer: layer.layer.clone(),
        namer: "clip_vit_base_patch32".into(),
        split: layer.split,
        terms: ["mass", "shape-oval", "calcifications"].map(String::from).into(),
        patches: 3,
        deals: 999,
        untrained: Some(100),
        scoring: Scoring::Difference,
        units: layer.units.iter().map(of).collect(),
    }
}

/// One network's artifacts.
pub(crate) struct Network {
    pub(crate) config: config::Network,
    pub(crate) evaluation: Evaluation,
    pub(crate) history: Vec<Epoch>,
    pub(crate) layers: Vec<Layer>,
}

/// A small reproducible stream of numbers.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// In [0, 1).
    pub(crate) fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1u64 << 24) as f32
    }
}

impl Fixture {
    /// Drawn mammograms; `units` of the first network's layer; a second network with 12.
    pub(crate) fn new(folder: &Path, units: u32) -> Self {
        let pictures = (0..12).map(drawn).collect();
        Self::of(folder, pictures, units, 24)
    }

    /// Of given mammograms, with `top` patches per unit.
    pub(crate) fn of(
        folder: &Path,
        pictures: Vec<(Mammogram, Grey)>,
        units: u32,
        top: usize,
    ) -> Self {
        lexicons::shipped::hand_down();
        let dataset = folder.join("output/work/dataset");
        let previews = dataset.join("previews");
        let (manifest, store) = prepared(&dataset, pictures);
        let config = project(folder, top);
        let networks = vec![
            network(
                &manifest,
                config.networks[0].clone(),
                "conv5",
                units,
                top,
                Some("alexnet-owt.pth"),
            ),
            network(&manifest, config.networks[1].clone(), "layer4", 12, top, None),
        ];
        let like = |unit: &str, correlation| Like { unit: unit.parse().unwrap(), correlation };
        let likes = Likes {
            elsewhere: vec![like("resnet18/layer4/0002", 0.6)],
            duplicates: vec![like("alexnet/conv5/0002", 0.97)],
        };
        let similar = Similar {
            format: record::similar::FORMAT,
            units: [(UnitId::new("alexnet", "conv5", 1), likes)].into(),
            groups: if top >= 6 { groups() } else { BTreeMap::new() },
            layouts: networks.iter().flat_map(|network| &network.layers).map(layout).collect(),
        };
        let explanations = vec![explanation(&manifest, &networks[0])];
        Self {
            similar,
            names: Vec::new(),
            explanations,
            visualisations: Visualisations::default(),
            config,
            manifest,
            store,
            previews,
            lexicons: lexicons(),
            readers: readers(),
            consensus: Consensus::default(),
            provenance: vec![("dataset".into(), Fingerprint::of(&"dataset").to_string())],
            networks,
            folder: folder.into(),
        }
    }

    /// Has a machine name the units of the first network's first layer.
    pub(crate) fn ask_a_machine(&mut self) {
        self.names = vec![names(&self.networks[0].layers[0])];
    }

    /// What the artifacts are, as the stages would stamp them.
    pub(crate) fn stamp(&self) -> Stamp {
        let networks: Vec<_> = self
            .networks
            .iter()
            .map(|n| (&n.config, &n.evaluation, &n.history, &n.layers))
            .collect();
        let artifacts = (
            (&self.config, &self.manifest, networks),
            (&self.similar, &self.names, &self.explanations, &self.provenance),
        );
        Stamp::new(1)
            .with("artifacts", Fingerprint::of(&artifacts))
            .with("labels", Fingerprint::of(&self.readers))
    }

    /// The stages that the artifacts would come from.
    fn stages(&self) -> Vec<Stage> {
        let mut kinds = vec![Kind::Site, Kind::Dataset, Kind::Similar];
        for network in &self.networks {
            let name = network.config.name.clone();
            let layer = |layer: &Layer| Kind::Layer(name.clone(), layer.layer.clone());
            kinds.extend(network.layers.iter().map(layer));
            kinds.extend([Kind::Network(name.clone()), Kind::Explanation(name)]);
        }
        let stage = |kind: Kind| Stage {
            inputs: vec![Input { name: "data set".into(), blake3: None, from: Origin::Stage(1) }],
            options: vec![("training.lr".into(), 0.01.into())],
            ..Stage::new(kind, None)
        };
        kinds.into_iter().map(stage).collect()
    }

    pub(crate) fn site(&self) -> PathBuf {
        self.folder.join("output/site")
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.folder.join("output/work/site.json")
    }

    /// Builds the site where a project has it.
    pub(crate) fn build(&self) -> anyhow::Result<Report> {
        self.build_to(&self.site(), &self.record())
    }

    pub(crate) fn build_to(&self, site: &Path, record: &Path) -> anyhow::Result<Report> {
        self.with_inputs(|inputs| atlas::build(inputs, site, record))
    }

    /// What the site is made from, for one use.
    pub(crate) fn with_inputs<T>(&self, use_them: impl FnOnce(&Inputs) -> T) -> T {
        let exhibits: Vec<Exhibit> = self
            .networks
            .iter()
            .map(|n| Exhibit {
                config: &n.config,
                evaluation: &n.evaluation,
                history: &n.history,
                rates: None,
                layers: &n.layers,
            })
            .collect();
        let maps = self.maps();
        let scores = self.scores();
        let dataset = self.folder.join("output/work/dataset");
        Stamp::new(1).seal(&dataset, &["previews"], "cpu").unwrap();
        let previews = Previews::new(Sealed::open(&dataset).unwrap());
        let inputs = Inputs {
            maps: &maps,
            scores: &scores,
            config: &self.config,
            manifest: &self.manifest,
            store: &self.store,
            previews: &previews,
            originals: &Originals,
            exhibits: &exhibits,
            names: &self.names,
            similar: &self.similar,
            explanations: &self.explanations,
            visualisations: &self.visualisations,
            lexicons: &self.lexicons,
            readers: &self.readers,
            consensus: &self.consensus,
            provenance: &self.provenance,
            stages: &self.stages(),
            dataset: &Fingerprint::of(&"dataset"),
            stamp: &self.stamp(),
        };
        use_them(&inputs)
    }

    /// Activation maps of the top patches: a bump at the greatest activation.
    fn maps(&self) -> Maps {
        let layers = self.networks.iter().flat_map(|n| n.layers.iter().map(move |l| (n, l)));
        let folders = layers.map(|(network, layer)| {
            let name = format!("{}/{}", network.config.name, layer.layer);
            let folder = self.folder.join("maps").join(&name);
            write_maps(&folder, layer);
            Stamp::new(1).seal(&folder, &["maps.safetensors"], "cpu").unwrap();
            (name, folder)
        });
        Maps::open(folders).unwrap()
    }

    /// Scores that agree with the top patches: all others score less.
    fn scores(&self) -> Scores {
        let layers = self.networks.iter().flat_map(|n| n.layers.iter().map(move |l| (n, l)));
        let folders = layers.map(|(network, layer)| {
            let name = format!("{}/{}", network.config.name, layer.layer);
            let folder = self.folder.join("scores").join(&name);
            write_scores(&folder, layer, &self.manifest.of_split(layer.split));
            Stamp::new(1).seal(&folder, &["scores.safetensors"], "cpu").unwrap();
            (name, folder)
        });
        Scores::open(folders).unwrap()
    }

    /// Writes a file of the project folder.
    pub(crate) fn write(&self, path: &str, text: &str) {
        artifact::write(&self.folder.join(path), text.as_bytes()).unwrap();
    }

    /// Reads a file of the site.
    pub(crate) fn page(&self, path: &str) -> String {
        String::from_utf8(std::fs::read(self.site().join(path)).unwrap()).unwrap()
    }
}

/// Changes what a script of the site gives to pages.
pub(crate) fn edit_data(file: &Path, edit: impl FnOnce(&mut serde_json::Value)) {
    let script = std::fs::read_to_string(file).unwrap();
    let at = script.find("]=").unwrap() + 2;
    let mut data = serde_json::from_str(script[at..].trim_end_matches([';', '\n'])).unwrap();
    edit(&mut data);
    std::fs::write(file, format!("{}{data};", &script[..at])).unwrap();
}

/// Writes activation maps of a layer's top patches as dissection does.
pub(crate) fn write_maps(folder: &Path, layer: &Layer) {
    let [rows, columns] = layer.map;
    let mut values: Vec<u8> = Vec::new();
    let top = layer.units.iter().map(|unit| unit.top.len()).max().unwrap_or_default();
    for unit in &layer.units {
        for rank in 0..top {
            for cell in 0..rows * columns {
                let [dy, dx] = [cell / columns, cell % columns].map(|n| n as f32);
                // Units that are not live have no top patches; nothing reads their maps.
                let value = unit.top.get(rank).map_or(0.0, |top| {
                    let away = (dy - top.at[0] as f32).powi(2) + (dx - top.at[1] as f32).powi(2);
                    top.score * (-away / 4.0).exp() - 0.1
                });
                values.extend_from_slice(&value.to_le_bytes());
            }
        }
    }
    let shape = vec![layer.units.len(), top, rows as usize, columns as usize];
    let maps = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape, &values);
    let bytes = safetensors::serialize([("maps", maps.unwrap())], None).unwrap();
    artifact::write(&folder.join("maps.safetensors"), &bytes).unwrap();
}

/// Writes the scores of a layer's units over the patches of its split as dissection does.
pub(crate) fn write_scores(folder: &Path, layer: &Layer, patches: &[u32]) {
    let mut values: Vec<u8> = Vec::new();
    for unit in &layer.units {
        for patch in patches {
            let top = unit.top.iter().find(|top| top.patch == *patch);
            let score = top.map_or(unit.score_range[0], |top| top.score);
            values.extend_from_slice(&score.to_le_bytes());
        }
    }
    let shape = vec![layer.units.len(), patches.len()];
    let scores = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape, &values);
    let bytes = safetensors::serialize([("scores", scores.unwrap())], None).unwrap();
    artifact::write(&folder.join("scores.safetensors"), &bytes).unwrap();
}

fn project(root: &Path, top: usize) -> Config {
    let run = |weights: Option<&str>| config::Run {
        weights: weights.map_or(Start::Random, |file| Start::File(root.join("weights").join(file))),
        outputs: Vec::new(),
        input: EDGE,
        pooling: architecture::Pooling::Global,
        training: Some(config::Training {
            epochs: 8,
            batch: 32,
            lr: config::Rate::Same(0.01),
            momentum: 0.9,
            weight_decay: 1e-4,
            lr_decay_epochs: vec![],
            schedule: config::Schedule::Cosine,
            warmup: 20,
            freeze: None,
            augment: config::Augment::SYMMETRIES,
            balance: false,
            auxiliary: false,
            precision: architecture::Precision::F32,
            class_weights: config::ClassWeights::None,
            objective: Default::default(),
            early_stopping: None,
            checkpoint_minutes: 10.0,
            tensorboard: false,
        }),
    };
    let network = |name: &str, layer: &str, weights: Option<&str>| config::Network {
        name: name.into(),
        layers: vec![layer.into()],
        origin: config::Origin::Run(Box::new(run(weights))),
    };
    Config {
        root: root.into(),
        title: "Unit atlas".into(),
        base_url: None,
        output: root.join("output"),
        seed: 123,
        device: base::Device::Cpu,
        source: config::Source::Phantom { patients: 6, height: 512 },
        mammograms: config::Mammograms {
            height: config::Fineness::Pixels(900),
            depth: config::Depth::Display,
        },
        patches: patching(),
        split: config::Shares { train: 0.5, validation: 0.5, test: 0.0 },
        networks: vec![
            network("alexnet", "conv5", Some("alexnet-owt.pth")),
            network("resnet18", "layer4", None),
        ],
        dissection: config::Dissection {
            split: Split::Validation,
            top,
            threshold: config::Threshold::Quantile(0.005),
            anchor: config::Anchor::ReceptiveField,
            permutations: 200,
            detector: 0.04,
            visualisation: config::Visualised::None,
            visualisation_steps: 256,
        },
        namer: config::Namer {
            kind: None,
            weights: None,
            tokenizer: None,
            lexicons: Vec::new(),
            prompts: Vec::new(),
            scoring: config::Scoring::Difference,
            patches: 16,
            deals: 1000,
            untrained: true,
        },
        cases: config::Cases { found: 1, false_alarms: 1, missed: 1, random: 1, list: vec![] },
        survey: config::Survey {
            study: "test".into(),
            layers: vec![("alexnet".into(), "conv5".into()), ("resnet18".into(), "layer4".into())],
            select: config::Select::Mixed,
            units: 45,
            cancer: 0.5,
            patches: 32,
            resolution: None,
            repeats: 0.1,
            blind: true,
            lexicon: "bi-rads-5".into(),
            consent: None,
            background: Vec::new(),
            practice: 0,
            contact: None,
        },
        reading: config::Reading { cases: 0, cancer: 0.5, network: None, units: 4 },
        theme: "default".into(),
        theme_options: Default::default(),
        citation: Default::default(),
        figures: Vec::new(),
    }
}

fn patching() -> config::Patches {
    config::Patches {
        window: 0.25,
        stride: 0.5,
        size: EDGE,
        min_lesion: 0.3,
        min_patch: 0.3,
        min_breast: 0.5,
        classes: 2,
        spot_views: false,
        labels: Default::default(),
    }
}

/// A breast against the left or right edge, with soft tissue and a lesion in some.
fn drawn(number: u32) -> (Mammogram, Grey) {
    let (width, height) = (384, 512);
    let mut noise = Noise::new(u64::from(number) + 1);
    let right = number % 2 == 1;
    let coarse: Vec<f32> = (0..33 * 25).map(|_| noise.next()).collect();
    let texture = |x: f32, y: f32| {
        let (cx, cy) = (x / 16.0, y / 16.0);
        let (i, j) = (cx as usize, cy as usize);
        let (fx, fy) = (cx.fract(), cy.fract());
        let at = |i: usize, j: usize| coarse[j.min(32) * 25 + i.min(24)];
        let top = at(i, j) * (1.0 - fx) + at(i + 1, j) * fx;
        let bottom = at(i, j + 1) * (1.0 - fx) + at(i + 1, j + 1) * fx;
        top * (1.0 - fy) + bottom * fy
    };
    let (lx, ly) = (70.0 + 120.0 * noise.next(), 160.0 + 180.0 * noise.next());
    let radius = 18.0 + 16.0 * noise.next();
    let lesion = number % 3 != 2;
    let mut grey = Grey::filled(width, height, 6);
    for y in 0..height {
        for x in 0..width {
            let from_wall = if right { width - 1 - x } else { x } as f32;
            let (dx, dy) = (from_wall / 290.0, (y as f32 - 256.0) / 230.0);
            let inside = 1.0 - (dx * dx + dy * dy).sqrt();
            if inside <= 0.0 {
                continue;
            }
            let mut value =
                45.0 + 70.0 * inside.sqrt() + 70.0 * texture(from_wall, y as f32) * inside.sqrt();
            value += 10.0 * (noise.next() - 0.5);
            if lesion {
                let d = (from_wall - lx).hypot(y as f32 - ly) / radius;
                value += 60.0 * (1.0 - d).clamp(0.0, 1.0).sqrt();
            }
            grey.pixels[(y * width + x) as usize] = value.clamp(0.0, 255.0) as u8;
        }
    }
    let x = if right { width as f32 - lx } else { lx };
    let malignant = number.is_multiple_of(2);
    let points = (0..48)
        .map(|i| {
            let angle = i as f32 / 48.0 * std::f32::consts::TAU;
            let r = radius * (1.0 + 0.15 * (5.0 * angle).sin());
            [x + r * angle.cos(), ly + r * angle.sin()]
        })
        .collect();
    let lesions = if lesion {
        vec![Lesion {
            pathology: if malignant { Pathology::Malignant } else { Pathology::Benign },
            terms: vec![
                "mass".into(),
                if malignant { "margin-spiculated" } else { "margin-circumscribed" }.into(),
            ],
            source_words: String::new(),
            outlines: vec![Outline::Polygon(points)],
            subtlety: Some(1 + (number % 5) as u8),
            assessment: None,
        }]
    } else {
        Vec::new()
    };
    let mammogram = Mammogram {
        id: format!("phantom-{:03}", number + 1),
        patient: format!("p{:02}", number / 2),
        laterality: Some(if right { Laterality::Right } else { Laterality::Left }),
        view: Some(View::Mlo),
        modifier: None,
        width,
        height,
        micron: None,
        density: Some(if number % 4 < 2 { "composition-b" } else { "composition-c" }.into()),
        facts: [("scanner".to_string(), format!("SCANNER {}", 1 + number % 2))].into(),
        lesions,
        assigned: None,
        regions: Vec::new(),
    };
    (mammogram, grey)
}

/// Writes previews and patches as `prepare` does.
fn prepared(dataset: &Path, pictures: Vec<(Mammogram, Grey)>) -> (Manifest, Store) {
    let mut members = Vec::new();
    let mut patches = Vec::new();
    let mut pixels = Vec::new();
    for (number, (mammogram, grey)) in pictures.into_iter().enumerate() {
        let mut jpeg = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 85)
            .encode(&grey.pixels, grey.width, grey.height, image::ExtendedColorType::L8)
            .unwrap();
        artifact::write(&dataset.join(format!("previews/{}.jpg", mammogram.id)), &jpeg).unwrap();
        let edge = grey.width.min(grey.height) / 4;
        let step = edge / 2;
        for y in (0..=grey.height - edge).step_by(step as usize) {
            for x in (0..=grey.width - edge).step_by(step as usize) {
                let at = |px: u32, py: u32| grey.at(x + px * edge / EDGE, y + py * edge / EDGE);
                let own: Vec<u8> = (0..EDGE * EDGE).map(|i| at(i % EDGE, i / EDGE)).collect();
                let breast = own.iter().filter(|p| **p > 30).count() as f32 / own.len() as f32;
                if breast < 0.5 {
                    continue;
                }
                let held = |pathology| {
                    mammogram.lesions.iter().filter(|l| l.pathology == pathology).any(|l| {
                        l.outlines.iter().filter_map(Outline::bounds).any(|[l, t, r, b]| {
                            let (cx, cy) = ((l + r) / 2.0, (t + b) / 2.0);
                            let within =
                                |c: f32, from: u32| c >= from as f32 && c < (from + edge) as f32;
                            within(cx, x) && within(cy, y)
                        })
                    })
                };
                let positive = held(Pathology::Malignant);
                pixels.extend(own);
                patches.push(Patch {
                    mammogram: number as u32,
                    x,
                    y,
                    edge,
                    positive,
                    benign: held(Pathology::Benign),
                    fractions: Some(Fractions {
                        breast,
                        malignant: if positive {
                            Share { lesion: 0.8, patch: 0.2 }
                        } else {
                            Share::default()
                        },
                        ..Fractions::default()
                    }),
                    held: None,
                });
            }
        }
        let preview = Some([grey.width, grey.height]);
        let split = if (number / 2) % 3 == 0 { Split::Train } else { Split::Validation };
        members.push(Member { mammogram, split, preview, breast: vec![] });
    }
    let store = Store::in_memory(EDGE, &pixels).unwrap();
    let manifest = Manifest {
        format: 3,
        source: About {
            kind: "phantom".into(),
            name: "Procedural phantoms".into(),
            description: "Mammograms drawn from a seed.".into(),
            citation: String::new(),
            licence: None,
            phantom: true,
        },
        patching: patching(),
        shares: config::Shares { train: 0.5, validation: 0.5, test: 0.0 },
        seed: 123,
        given: Default::default(),
        summary: vec![format!("{} images drawn", members.len())],
        notices: (0..25)
            .map(|i| Notice {
                place: format!("mdb{i:03}.pgm"),
                message: format!(
                    "cannot read {}: unexpected end of file",
                    dataset.join("x").display()
                ),
                skipped: true,
            })
            .collect(),
        mammograms: members,
        patches,
    };
    (manifest, store)
}

/// A layer whose units rank the patches at random, some leaning towards lesions.
pub(crate) fn layer(
    manifest: &Manifest,
    network: &str,
    name: &str,
    units: u32,
    top: usize,
) -> Layer {
    let shown = manifest.of_split(Split::Validation);
    let concepts =
        ["malignant", "benign", "mass", "margin-spiculated", "margin-circumscribed", "breast"];
    Layer {
        format: 2,
        network: network.into(),
        layer: name.into(),
        weights_blake3: Fingerprint::of(&network).to_string(),
        split: Split::Validation,
        patches: shown.len() as u32,
        map: [7, 7],
        field: Field { edge: 195.0, stride: 16.0, centre: 8.5 },
        threshold: config::Threshold::Quantile(0.005),
        anchor: config::Anchor::ReceptiveField,
        concepts: concepts
            .map(|id| {
                let category = match id {
                    "malignant" | "benign" => Category::Pathology,
                    "breast" => Category::Breast,
                    _ => Category::Finding,
                };
                Concept { id: id.into(), category, patches: 17 }
            })
            .to_vec(),
        permutations: 200,
        influence: Some(Basis {
            patches: shown.len() as u32,
            positives: 5,
            classes: manifest.classes().iter().map(|class| (*class).to_string()).collect(),
            linear: true,
            auc: Some(0.8),
            ablated: true,
        }),
        units: (1..=units).map(|unit| drawn_unit(manifest, &shown, unit, top)).collect(),
    }
}

fn drawn_unit(manifest: &Manifest, shown: &[u32], unit: u32, top: usize) -> Unit {
    let mut noise = Noise::new(u64::from(unit) * 7919);
    let taste = if unit % 3 == 1 { 6.0 } else { 0.0 };
    let mut scored: Vec<(u32, f32)> = shown
        .iter()
        .map(|&n| {
            let lean = if manifest.patches[n as usize].positive { taste } else { 0.0 };
            (n, lean * noise.next() + 8.0 * noise.next() * noise.next() - 0.5)
        })
        .collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let range = [scored.last().map_or(0.0, |s| s.1), scored.first().map_or(1.0, |s| s.1)];
    let mut histogram = vec![0; 24];
    for (_, score) in &scored {
        let share = (score - range[0]) / (range[1] - range[0]).max(1e-6);
        histogram[((share * 24.0) as usize).min(23)] += 1;
    }
    let top: Vec<TopPatch> = scored
        .iter()
        .take(top)
        .enumerate()
        .map(|(rank, &(patch, score))| {
            let edge = EDGE as f32;
            let (cx, cy) = (edge * (0.2 + 0.6 * noise.next()), edge * (0.2 + 0.6 * noise.next()));
            let radius = edge * (0.12 + 0.16 * noise.next());
            let wobble = 3.0 + 3.0 * noise.next();
            let ring: Vec<String> = (0..40)
                .map(|i| {
                    let angle = i as f32 / 40.0 * std::f32::consts::TAU;
                    let r = radius * (1.0 + 0.2 * (wobble.floor() * angle).sin());
                    let x = (cx + r * angle.cos()).clamp(0.0, edge);
                    let y = (cy + 0.8 * r * angle.sin()).clamp(0.0, edge);
                    format!("{x:.1} {y:.1}")
                })
                .collect();
            // A late patch has no region above the threshold.
            let overlay = if rank > 20 { String::new() } else { format!("M{}Z", ring.join("L")) };
            TopPatch { patch, score, at: [3, 3], roi: [0.0, 0.0, edge, edge], overlay }
        })
        .collect();
    let mut matches: Vec<Match> = (0..5)
        .map(|c| {
            let value = 0.06 * noise.next() * noise.next();
            let iou = if unit % 3 == 1 && c == 0 { 0.05 + 0.2 * noise.next() } else { value };
            Match {
                iou,
                within: 1.5 * iou,
                auc: Some(0.5 + iou),
                chance: Some(Chance {
                    mean: 0.02,
                    high: 0.04,
                    p: if iou > 0.05 { 0.005 } else { 0.4 },
                    adjusted: if iou > 0.05 { 0.02 } else { 0.9 },
                }),
            }
        })
        .collect();
    // Every unit overlaps the breast, which names none.
    let chance = Some(Chance { mean: 0.5, high: 0.6, p: 0.005, adjusted: 0.02 });
    matches.push(Match { iou: 0.9, within: 0.9, auc: Some(0.5), chance });
    let level = |percentile, from: usize| Level {
        percentile,
        patches: top.iter().skip(from).take(4).cloned().collect(),
    };
    let sample = vec![level(0.99, 1), level(0.9, 8), level(0.5, 16)];
    Unit {
        unit,
        threshold: 2.5,
        matches,
        cancer_auc: Some(0.6),
        activations: Activations {
            range: [-1.0, range[1]],
            histogram: histogram.clone(),
            positive: 0.2,
        },
        histogram,
        score_range: range,
        top,
        sample,
        influence: Some(Influence {
            gradient: vec![-0.1 / unit as f32, 0.1 / unit as f32],
            weighted: Some(vec![-0.5, 0.5]),
            top8: 40 - unit.min(40),
            rank: unit,
            ablation: Some(0.01 / unit as f32),
        }),
    }
}

/// Probabilities of the validation patches from noise that leans towards the truth, in steps of a
/// hundredth, so that some are equal.
pub(crate) fn scores(manifest: &Manifest, good: bool) -> Vec<(u32, Vec<f32>)> {
    let mut noise = Noise::new(if good { 11 } else { 12 });
    let lean = if good { 1.6 } else { 1.0 };
    let classes = manifest.classes().len();
    let shown = manifest.of_split(Split::Validation);
    let mut score = |patch: u32| {
        let truth = manifest.class(patch);
        let logits = (0..classes).map(|class| {
            let spread: f32 = (0..4).map(|_| noise.next()).sum::<f32>() - 2.0;
            2.0 * spread + if class == truth { lean } else { 0.0 }
        });
        let odds: Vec<f32> = logits.map(f32::exp).collect();
        let sum: f32 = odds.iter().sum();
        (patch, odds.iter().map(|odd| (100.0 * odd / sum).round() / 100.0).collect())
    };
    shown.into_iter().map(&mut score).collect()
}

/// An evaluation as it would be with these scores.
pub(crate) fn rescored(
    evaluation: Evaluation,
    manifest: &Manifest,
    scores: Vec<(u32, Vec<f32>)>,
) -> Evaluation {
    let assessment = assess(manifest, &scores, 1);
    let patch = &assessment.levels.patch;
    let (positives, negatives, auc) = (patch.positives, patch.negatives, patch.auc);
    Evaluation { positives, negatives, auc, assessment, scores, ..evaluation }
}

/// The evaluation of a network that was not trained.
pub(crate) fn evaluated(manifest: &Manifest, network: &config::Network) -> Evaluation {
    let evaluation = Evaluation {
        format: 3,
        network: network.name.clone(),
        split: Split::Validation,
        input: EDGE,
        parameters: 57_012_034,
        origin: evaluation::Origin::Run { pretrained: None, best_epoch: None },
        weights_blake3: Fingerprint::of(&network.name).to_string(),
        device: "cpu".into(),
        positives: 0,
        negatives: 0,
        auc: None,
        assessment: assess(manifest, &[], 0),
        scores: Vec::new(),
    };
    rescored(evaluation, manifest, scores(manifest, false))
}

fn network(
    manifest: &Manifest,
    config: config::Network,
    layer_name: &str,
    units: u32,
    top: usize,
    pretrained: Option<&str>,
) -> Network {
    let history = (1..=8)
        .map(|epoch| {
            let t = f64::from(epoch);
            Epoch {
                epoch,
                lr: 0.01 / t,
                loss: 0.65 / t.sqrt(),
                accuracy: 0.95 - 0.3 / t,
                validation_loss: 0.62 / t.sqrt() + 0.02 * t,
                validation_accuracy: 0.9 - 0.25 / t,
                validation_auc: Some(0.86 - 0.2 / t - 0.002 * t),
                seconds: 17.123 + t,
                spread: Some(0.9),
                stopped_early: false,
                lr_rest: None,
            }
        })
        .collect();
    let name = config.name.clone();
    let evaluation = Evaluation {
        origin: evaluation::Origin::Run {
            pretrained: pretrained.map(Into::into),
            best_epoch: Some(6),
        },
        ..evaluated(manifest, &config)
    };
    Network {
        evaluation: rescored(evaluation, manifest, scores(manifest, pretrained.is_some())),
        history,
        layers: vec![layer(manifest, &name, layer_name, units, top)],
        config,
    }
}

/// Every mammogram explained by the same units: 1, which readers name, most.
fn explanation(manifest: &Manifest, network: &Network) -> Explanation {
    let layer = &network.layers[0];
    let part = |unit: u32, contribution: f32, odds: f32| Part {
        unit,
        contribution,
        adds: vec![-contribution / 2.0, contribution / 2.0],
        without: Some(1.0 / (1.0 + (contribution - odds).exp())),
        score: 1.0,
        overlay: layer.units[0].top[0].overlay.clone(),
        inside: Some(Covered { malignant: 0.25, benign: 0.0, any: 0.25 }),
    };
    let mut mammograms: Vec<Explained> = Vec::new();
    for (patch, classes) in &network.evaluation.scores {
        let (mammogram, probability) =
            (manifest.patches[*patch as usize].mammogram, classes[classes.len() - 1]);
        let odds = (probability / (1.0 - probability)).ln();
        let explained = Explained {
            mammogram,
            patch: *patch,
            probability,
            logits: vec![-odds / 2.0, odds / 2.0],
            margin: 1.5,
            rest: 0.25,
            evidence: 5.0,
            lesions: Some(Covered { malignant: 0.5, benign: 0.0, any: 0.5 }),
            units: [part(1, 2.0, odds), part(3, 1.0, odds)]
                .into_iter()
                .filter(|part| part.unit as usize <= layer.units.len())
                .collect(),
            positive: vec![(1, 2.0), (3, 1.0), (4, 0.5)],
        };
        match mammograms.iter_mut().find(|other| other.mammogram == mammogram) {
            Some(other) if other.probability >= probability => {}
            Some(other) => *other = explained,
            None => mammograms.push(explained),
        }
    }
    let mut evidence = vec![0.0; layer.units.len()];
    for (unit, sum) in [(0, 2.0), (2, 1.0)] {
        evidence.iter_mut().skip(unit).take(1).for_each(|evidence| *evidence = sum);
    }
    Explanation {
        format: 3,
        network: network.config.name.clone(),
        layer: layer.layer.clone(),
        weights_blake3: network.evaluation.weights_blake3.clone(),
        split: network.evaluation.split,
        exact: false,
        mean: vec![vec![0.0, 0.0]; evidence.len()],
        evidence,
        mammograms,
    }
}

fn lexicons() -> Lexicons {
    let term = |id: &str, name: &str| Term {
        id: id.into(),
        name: name.into(),
        gloss: format!("What {name} means."),
        synonyms: vec![],
        prompts: vec![],
    };
    let group = |category: &str, terms: Vec<Term>| {
        let noun = (category == "Breast Composition").then(|| "breast tissue".into());
        Group { category: category.into(), noun, terms }
    };
    let lexicon = |id: &str, name: &str, birads, groups| Lexicon {
        schema: 1,
        id: id.into(),
        name: name.into(),
        birads,
        source: "Made for tests.".into(),
        groups,
    };
    Lexicons::new(vec![
        lexicon(
            "bi-rads-5",
            "BI-RADS, 5th edition",
            true,
            vec![
                group("Mass", vec![term("mass", "mass")]),
                group(
                    "Mass - Margin",
                    vec![
                        term("margin-circumscribed", "circumscribed"),
                        term("margin-spiculated", "spiculated"),
                    ],
                ),
                group("Calcification", vec![term("calcifications", "calcifications")]),
                group("Breast Composition", vec![term("composition-b", "scattered density")]),
            ],
        ),
        lexicon(
            "anatomy",
            "Anatomy",
            false,
            vec![group("Anatomy", vec![term("pectoral-muscle", "pectoral muscle")])],
        ),
    ])
}

fn readers() -> Vec<ReaderFile> {
    let yaml = |reader: &str, answers: &str| {
        serde_yaml::from_str(&format!(
            "schema: 1\nstudy: test\nreader: {reader}\nlexicon: bi-rads-5\nanswers:\n{answers}"
        ))
        .unwrap()
    };
    vec![
        yaml(
            "reader-a",
            "  - unit: alexnet/conv5/0001
    recognizable: yes
    phenomena:
      - {description: masses with spiculated edge, terms: [margin-spiculated], association: malignant}
    confidence: 4
    remarks: Mostly at the edge of the patch.
  - unit: alexnet/conv5/0002
    recognizable: yes
    phenomena:
      - {description: pectoralis muscle, terms: [pectoral-muscle], association: none}
  - unit: alexnet/conv5/0003
    recognizable: no
  - unit: vgg16/conv5_3/0063
    recognizable: no
",
        ),
        yaml(
            "reader-b",
            "  - unit: alexnet/conv5/0001
    recognizable: yes
    phenomena:
      - {description: masses with spiculated edge, terms: [margin-spiculated], association: malignant}
      - {description: 'calcifications, innumerable', terms: [calcifications, mass], association: unsure}
",
        ),
    ]
}
