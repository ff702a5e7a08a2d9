//! `networks`: which there are, what they start from, how they are trained.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_yaml::{Location, Spanned};

use crate::check::Check;
use crate::objective::Objective;
use crate::option::{Shape, Value};
use crate::output::Output;
use crate::rate::Rate;
use crate::recorded::{self, Recorded};
use crate::value::{
    BELOW_ONE, Choice, Form, Listed, NAME, NOT_NEGATIVE, POSITIVE, Settings, Switch, from_word,
    place, words,
};
use architecture::{
    ARCHITECTURES, AUXILIARY_LAYER, Architecture, BUILTIN, Design, Family, MAX_INPUT,
    MIN_AUXILIARY_INPUT, Pooling, Precision, WINDOW7_INPUTS,
};
use base::yaml::{Mistake, unknown};

options! {
    /// One network of the atlas: an architecture that is run here, or any other whose activations were recorded.
    #[derive(Debug, Clone)]
    struct Fitted(NetworkForm, "", Fitted::fit) {
        /// Architecture and name: alexnet, vgg11, vgg13, vgg16, vgg19, inception_v3, resnet10, resnet18,
        /// resnet34, resnet50, resnet101, resnet152, resnext50_32x4d, resnext101_32x8d, wide_resnet50_2,
        /// wide_resnet101_2, densenet121, densenet169, densenet201, efficientnet_b0, efficientnet_b1,
        /// efficientnet_b2, efficientnet_b3, efficientnet_b4, efficientnet_b5, efficientnet_b6,
        /// efficientnet_b7, mobilenet_v3_small, mobilenet_v3_large, convnext_tiny, convnext_small or
        /// convnext_base; or a vision transformer, whose last layer alone is trained: vit_tiny_patch16_224,
        /// vit_small_patch16_224, vit_base_patch16_224, vit_large_patch16_224, dinov2_vits14, dinov2_vitb14,
        /// dinov2_vitl14, clip_vit_base_patch32, clip_vit_base_patch16, clip_vit_large_patch14 or
        /// siglip_base_patch16_224. With `activations`, any name.
        pub name: String, in ARCHITECTURE;
        /// Folder of activations that were recorded elsewhere, of a network that unit-atlas cannot run, such as
        /// ../mine/; see docs/recorded.md of unit-atlas. Of the other options only `layers` goes with it.
        pub activations: Elsewhere, else "none: the network is run here";
        /// What to start from; without it random weights, and every page says so. `builtin`: the
        /// convolutions that come with the program for alexnet and resnet18, trained on phantoms. A file:
        /// .pth, .pth.tar, .ckpt or .safetensors of torchvision, of timm or of another project, such as
        /// weights/alexnet-owt-7be5be79.pth or
        /// ../phantoms/output/work/networks/alexnet/weights.safetensors. The last layer is taken over
        /// where the file has one for as many classes, and starts at random otherwise. A vision transformer
        /// needs a file; docs/weights.md says which.
        pub weights: Start, else "random";
        /// What each output of weights used as they are stands for, all of them and in order, such as
        /// [normal, benign, cancer]. Beside the classes, or without them, outputs may be of other heads, which
        /// are evaluated as what they are: the composition of the breast and BI-RADS assessments, each by a
        /// softmax of its own, and findings, each by its sigmoid.
        pub outputs: Vec<Output> = "[]", else "the classes in order, or of one output cancer, by its sigmoid";
        /// Layers to dissect, in order. alexnet: conv1 to conv5; vgg: the last convolution of each block,
        /// for vgg16 conv1_2, conv2_2, conv3_3, conv4_3, conv5_3; inception_v3: mixed_5d, mixed_6a,
        /// mixed_6e, mixed_7a, mixed_7c; resnet, resnext, wide_resnet: bn1, layer1 to layer4; densenet:
        /// denseblock1 to denseblock4; efficientnet: stage1 to stage9; mobilenet_v3_large: bneck1, bneck3,
        /// bneck6, bneck12, bneck15, conv_last; _small: bneck1, bneck3, bneck8, bneck11, conv_last; convnext:
        /// stage1 to stage4; vision transformers: block1 to block12, of large ones to block24.
        pub layers: Vec<String> = "[]", else "of alexnet and vgg the last one; of vision transformers block8 and block11, of large ones block16 and block23; of the others the last two; all that were recorded";
        /// Edge of the network's input in pixels; stored patches are resized to it. The least is 63 for
        /// alexnet, 75 for inception_v3 and 32 for the others. Of a vision transformer it is a multiple of
        /// the edge of its patches, 14, 16 or 32, from 42, 32 or 64 to 784, 784 or 768.
        pub input: u32 = "227", in INPUTS, else "227; inception_v3: 299; efficientnet as published, 224 to 600; vision transformers: 224";
        /// How the last maps of a resnet, resnext or wide_resnet become one value per unit.
        pub pooling: Pooling = "global";
        /// How to train: settings; true, for their defaults; or false, to use the weights as they are. Of a
        /// vision transformer the last layer is trained, and nothing else.
        pub training: Option<Training> = "true";
    }
}

/// One network of the atlas.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Network {
    /// What it is called; of one that is run here, also its architecture.
    pub name: String,
    /// Layers to dissect, in order. Of a network that is yet to be recorded those that the project names.
    pub layers: Vec<String>,
    /// Where its activations come from.
    #[serde(flatten)]
    pub origin: Origin,
}

/// Where a network's activations come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Origin {
    /// It is run here.
    Run(Box<Run>),
    /// They were recorded elsewhere.
    Recorded(Recorded),
}

/// How a network is run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    /// What it starts from.
    pub weights: Start,
    /// What each output of weights used as they are stands for; empty: the classes in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Output>,
    /// Edge of its input in pixels.
    pub input: u32,
    /// How a resnet's last maps become one value per unit.
    pub pooling: Pooling,
    /// How to train it; `None`: its weights are used as they are.
    pub training: Option<Training>,
}

impl Network {
    /// How it is run; `None` where its activations were recorded.
    pub fn run(&self) -> Option<&Run> {
        match &self.origin {
            Origin::Run(run) => Some(run),
            Origin::Recorded(_) => None,
        }
    }

    /// Its recorded activations; `None` where it is run.
    pub fn recorded(&self) -> Option<&Recorded> {
        match &self.origin {
            Origin::Run(_) => None,
            Origin::Recorded(recorded) => Some(recorded),
        }
    }

    /// How it is trained; `None` where it is not trained here.
    pub fn training(&self) -> Option<&Training> {
        self.run()?.training.as_ref()
    }
}

impl Value for Network {
    type Written = NetworkForm;
    type Rule = ();

    fn read(
        check: &Check<'_>,
        _: &str,
        given: &Spanned<NetworkForm>,
        (): &(),
    ) -> Result<Self, Mistake> {
        let (form, at) = (&given.value, given.referenced);
        if let Some(folder) = &form.activations {
            return Recorded::read_network(check, form, folder, at);
        }
        let Fitted {
            name,
            activations: Elsewhere,
            weights,
            outputs,
            layers,
            input,
            pooling,
            training,
        } = Fitted::read_form(check, form, at)?;
        let run = Run { weights, outputs, input, pooling, training };
        Ok(Self { name, layers, origin: Origin::Run(Box::new(run)) })
    }

    fn shape((): &()) -> Shape {
        Fitted::options()
    }
}

/// That a network's activations are not recorded: what a network that is run has in the place of their folder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elsewhere;

impl Value for Elsewhere {
    type Written = PathBuf;
    type Rule = ();

    fn read(
        check: &Check<'_>,
        key: &str,
        given: &Spanned<PathBuf>,
        (): &(),
    ) -> Result<Self, Mistake> {
        check.wrong(given.referenced, format!("`{key}` is of a network that is not run"))
    }

    fn shape((): &()) -> Shape {
        Shape::plain("the path of a folder", json!({ "type": "string" }))
    }

    fn absent() -> Option<Self> {
        Some(Self)
    }
}

/// Networks of a project that names none: fine-tuned from the built-in convolutions within minutes on
/// two processor cores. Random weights need a larger rate (0.01) and many more epochs.
pub(crate) const NETWORKS: &str = "\
- name: alexnet
  weights: builtin
  layers: [conv5]
  input: 113
  training:
    epochs: 1
    batch: 32
    lr: 0.004
    momentum: 0.9
    weight_decay: 5.0e-4
    lr_decay_epochs: []
    schedule: cosine
    warmup: 20
    augment: true
    balance: true
- name: resnet18
  weights: builtin
  layers: [layer3, layer4]
  input: 113
  training:
    epochs: 2
    batch: 16
    lr: 0.003
    momentum: 0.9
    weight_decay: 5.0e-4
    lr_decay_epochs: []
    schedule: cosine
    warmup: 20
    augment: true
    balance: true
";

/// Edges of inputs that some architecture takes; [`Network::fit`] asks the network's own.
const INPUTS: std::ops::RangeInclusive<u32> = 32..=MAX_INPUT;

const ARCHITECTURE: Form = Form {
    words: "the name of an architecture",
    pattern: "",
    read: |check, _, given| architecture(check, given).map(|found| found.name.to_owned()),
};

fn architecture(
    check: &Check<'_>,
    name: &Spanned<String>,
) -> Result<&'static Architecture, Mistake> {
    if let Some(found) = ARCHITECTURES.iter().find(|a| a.name == name.value) {
        return Ok(found);
    }
    let known: Vec<&str> = ARCHITECTURES.iter().map(|a| a.name).collect();
    check.wrong(name.referenced, unknown("network", &name.value, &known))
}

/// Says in the JSON Schema of a network what its architecture allows, and what goes with recorded activations.
pub(crate) fn restrict(schema: &mut serde_json::Value) {
    let known: Vec<&str> = ARCHITECTURES.iter().map(|a| a.name).collect();
    let (name, run) = (json!({ "pattern": NAME.pattern }), recorded::ONLY_RUN);
    let none: serde_json::Map<_, _> =
        run.iter().map(|key| ((*key).to_owned(), false.into())).collect();
    let recorded = json!({
        "if": {
            "properties": { "activations": { "type": "string" } },
            "required": ["activations"],
        },
        "then": { "properties": none.into_iter().chain([("name".to_owned(), name)])
            .collect::<serde_json::Map<_, _>>() },
        "else": { "properties": { "name": { "enum": known } } },
    });
    let rule = |a: &Architecture| {
        let none = serde_json::Value::Null;
        let layers = if a.is_trained_whole() { a.layers } else { &[] };
        let frozen: Vec<_> = layers.iter().map(|&layer| layer.into()).chain([none]).collect();
        json!({
            "if": {
                "properties": { "name": { "const": a.name }, "activations": { "type": "null" } },
                "required": ["name"],
            },
            "then": { "properties": {
                "layers": { "minItems": 1, "items": { "enum": a.layers } },
                "input": { "minimum": a.min_input, "maximum": a.max_input, "multipleOf": a.step },
                "training": { "properties": { "freeze": { "enum": frozen } } },
            } },
        })
    };
    schema["allOf"] = [recorded].into_iter().chain(ARCHITECTURES.iter().map(rule)).collect();
}

impl Run {
    /// How the network is built to be trained.
    pub fn design(&self) -> Design {
        let training = self.training.as_ref();
        Design {
            auxiliary: training.is_some_and(|training| training.auxiliary),
            precision: training.map_or(Precision::F32, |training| training.precision),
            ..self.inference_design()
        }
    }

    /// Whether it says anything of cancer.
    pub fn tells_cancer(&self) -> bool {
        self.outputs.is_empty() || Output::tell_cancer(&self.outputs)
    }

    /// How the network is built to be looked at.
    pub fn inference_design(&self) -> Design {
        Design { pooling: self.pooling, ..Design::default() }
    }

    /// Which of so many classes each output stands for, `None` for one that is left out; `None` where the
    /// project does not say.
    pub fn classes_of_outputs(&self, classes: usize) -> Option<Vec<Option<usize>>> {
        (!self.outputs.is_empty()).then(|| Output::classes(&self.outputs, classes))
    }
}

impl Fitted {
    /// Checks what depends on the architecture, and takes its defaults.
    fn fit(&mut self, check: &Check<'_>, form: &NetworkForm, at: Location) -> Result<(), Mistake> {
        let Some(name) = &form.name else { return Ok(()) };
        let architecture = architecture(check, name)?;
        self.input = match &form.input {
            Some(given) => {
                let input = u32::read(check, "input", given, &architecture.inputs())?;
                if let Err(why) = architecture.check_input(input) {
                    return check.wrong(given.referenced, why.to_string());
                }
                input
            }
            None => architecture.input,
        };
        self.fit_layers(check, form, architecture)?;
        let name = architecture.name;
        if !architecture.is_trained_whole() && self.weights == Start::Random {
            return check.wrong(
                at,
                format!(
                    "of {name} only the last layer is trained, so it needs the `weights` of a file; \
                     docs/weights.md of unit-atlas says where they are"
                ),
            );
        }
        if self.weights == Start::Builtin {
            let wrong = |message: String| check.wrong(place(&form.weights), message);
            if !BUILTIN.contains(&name) {
                let known = BUILTIN.join(" and ");
                return wrong(format!(
                    "there are no built-in weights for {name}, only for {known}"
                ));
            }
            if self.training.is_none() {
                return wrong(
                    "the built-in weights end with the convolutions: the layers after them must be \
                     trained, so `training: false` cannot be"
                        .to_owned(),
                );
            }
        }
        if let Some(pooling) = &form.pooling {
            let wrong = |message: String| check.wrong(pooling.referenced, message);
            if architecture.family != Family::ResNet {
                return wrong(format!("`pooling` is a choice of the ResNets; {name} has none"));
            }
            if pooling.value == Pooling::Window7 && !WINDOW7_INPUTS.contains(&self.input) {
                let (least, most) = WINDOW7_INPUTS.into_inner();
                return wrong(format!(
                    "`window7` needs an `input` of {least} to {most} pixels, not {}",
                    self.input
                ));
            }
        }
        self.fit_outputs(check, form)?;
        let settings = form.training.as_ref().and_then(|training| match &training.value {
            Switch::Settings(settings) => Some(settings),
            Switch::Flag(_) => None,
        });
        let freeze = settings.and_then(|settings| settings.freeze.as_ref());
        let frozen = match freeze {
            Some(freeze) if !architecture.is_trained_whole() => {
                let message =
                    format!("of {name} only the last layer is trained: leave `freeze` out");
                return check.wrong(freeze.referenced, message);
            }
            Some(freeze) => match architecture.place(&freeze.value) {
                Some(frozen) => Some(frozen),
                None => {
                    let what = format!("layer of {name}");
                    let message = unknown(&what, &freeze.value, architecture.layers);
                    return check.wrong(freeze.referenced, message);
                }
            },
            None => None,
        };
        if let Some(auxiliary) = settings.and_then(|settings| settings.auxiliary.as_ref()) {
            let wrong = |message: String| check.wrong(auxiliary.referenced, message);
            if architecture.family != Family::Inception {
                return wrong(format!("`auxiliary` is a choice of inception_v3; {name} has none"));
            }
            if auxiliary.value && self.input < MIN_AUXILIARY_INPUT {
                return wrong(format!(
                    "the auxiliary classifier needs an `input` of at least {MIN_AUXILIARY_INPUT} \
                     pixels, not {}",
                    self.input
                ));
            }
            if auxiliary.value && frozen > architecture.place(AUXILIARY_LAYER) {
                return wrong(format!(
                    "the auxiliary classifier looks at {AUXILIARY_LAYER}, which comes before the layer of \
                     `freeze`: it would be frozen too; leave `auxiliary` out, or freeze less"
                ));
            }
        }
        Ok(())
    }

    fn fit_outputs(&self, check: &Check<'_>, form: &NetworkForm) -> Result<(), Mistake> {
        let Some(list) = &form.outputs else { return Ok(()) };
        let wrong = |message: &str| check.wrong(list.referenced, message);
        if self.training.is_some() || !matches!(self.weights, Start::File(_)) {
            return wrong(
                "`outputs` is for the weights of a file that are used as they are: it needs `weights` \
                 and `training: false`",
            );
        }
        Output::fit(&self.outputs, check.classes as usize)
            .or_else(|message| wrong(&format!("`outputs`: {message}")))
    }

    fn fit_layers(
        &mut self,
        check: &Check<'_>,
        form: &NetworkForm,
        architecture: &Architecture,
    ) -> Result<(), Mistake> {
        let Some(list) = &form.layers else {
            self.layers = architecture.dissected.iter().map(|&layer| layer.to_owned()).collect();
            return Ok(());
        };
        let name = architecture.name;
        if list.value.is_empty() {
            let layers = architecture.layers.join(", ");
            let message = format!("`layers` is empty; the layers of {name} are {layers}");
            return check.wrong(list.referenced, message);
        }
        for layer in &list.value {
            if !architecture.layers.contains(&layer.value.as_str()) {
                let what = format!("layer of {name}");
                let message = unknown(&what, &layer.value, architecture.layers);
                return check.wrong(layer.referenced, message);
            }
        }
        check.unique(&list.value, |layer| format!("the layer `{layer}` is listed twice"))
    }
}

impl Network {
    /// Refuses an empty list, and a network that is listed twice.
    pub(crate) fn check_all(
        check: &Check<'_>,
        list: &Spanned<Vec<Spanned<NetworkForm>>>,
    ) -> Result<(), Mistake> {
        if list.value.is_empty() {
            return check.wrong(
                list.referenced,
                "`networks` is empty; name at least one, or leave the key out for the defaults",
            );
        }
        let names = list.value.iter().flat_map(|form| &form.value.name);
        check
            .unique(names, |name| format!("the network `{name}` is listed twice; names are unique"))
    }
}

/// What a network starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Random initialisation; every page says so.
    Random,
    /// The convolutions that come with this program, trained on phantoms.
    Builtin,
    /// A file (absolute).
    File(PathBuf),
}

impl Start {
    /// Ends of the names of weight files.
    const ENDINGS: [&str; 6] = [".pth", ".pt", ".pth.tar", ".ckpt", ".bin", ".safetensors"];

    /// In words, a file by its name alone; `None` for random ones.
    pub fn name(&self) -> Option<String> {
        match self {
            Start::Random => None,
            Start::Builtin => Some("built-in convolutions (trained on phantoms)".to_owned()),
            Start::File(path) => path.file_name().map(|name| name.to_string_lossy().into_owned()),
        }
    }
}

impl Value for Start {
    type Written = PathBuf;
    type Rule = ();

    fn read(
        check: &Check<'_>,
        _: &str,
        given: &Spanned<PathBuf>,
        (): &(),
    ) -> Result<Self, Mistake> {
        let name = given.value.to_str().unwrap_or_default();
        if name == "builtin" {
            return Ok(Self::Builtin);
        }
        let path = check.resolve(&given.value, given.referenced)?;
        if path.starts_with(&check.output) {
            return check.wrong(
                given.referenced,
                "`weights` lies in this project's own output folder, which training writes to; copy \
                 the file elsewhere, or name another project's",
            );
        }
        if Self::ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            return Ok(Self::File(path));
        }
        check.wrong(
            given.referenced,
            "`weights` must be `builtin`, a file of PyTorch (.pth, .pt, .pth.tar, .ckpt, .bin) or a \
             .safetensors file",
        )
    }

    fn shape((): &()) -> Shape {
        let pattern = format!("^builtin$|({})$", Self::ENDINGS.join("|").replace('.', r"\."));
        Shape::plain("`builtin`, or a path", json!({ "type": "string", "pattern": pattern }))
    }

    fn absent() -> Option<Self> {
        Some(Self::Random)
    }
}

options! {
    /// Settings of stochastic gradient descent. Defaults are the paper's settings for fine-tuning
    /// (section 2.2). A last batch of a single patch joins the one before it. An interrupted training goes
    /// on from its last checkpoint and ends with the same weights, bit by bit.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Training(TrainingForm, "", Training::settle) {
        /// Passes over the training patches.
        pub epochs: u32 = "12", in 1..=100_000;
        /// Patches per step. With `objective: mil`, whole mammograms with at most so many patches together, and one at
        /// least.
        pub batch: usize = "32", in 1..=65_536;
        /// Learning rate; or one for the head and one for the rest, such as { head: 1.0e-3, rest: 1.0e-4 }.
        pub lr: Rate = "1.0e-4";
        /// Momentum, as PyTorch defines it.
        pub momentum: f64 = "0.9", in BELOW_ONE;
        /// Weight decay added to the gradient, as PyTorch defines it.
        pub weight_decay: f64 = "1.0e-4", in NOT_NEGATIVE;
        /// What the loss is of: `patches`, each with a label of its own, or `mil`, mammograms by their patches together
        /// (multiple-instance learning), for data that says what a breast has and not where.
        #[serde(default, skip_serializing_if = "Objective::is_patches")]
        pub objective: Objective = "patches";
        /// Epochs, from 1, at whose start the learning rate is divided by ten.
        pub lr_decay_epochs: Vec<u32> = "[]", in 1..=100_000;
        /// How the learning rate moves between steps.
        pub schedule: Schedule = "constant";
        /// Steps over which the learning rate rises linearly from zero.
        pub warmup: u32 = "0", in 0..=u32::MAX;
        /// Layer up to which the network stays as it starts, one that `layers` may name: only what comes after it
        /// is trained; after the last one, the head. Frozen batch normalisation goes by its running
        /// statistics. Without `augment`, what the frozen part makes of each patch is computed once and kept
        /// until training is done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub freeze: Option<String>, else "nothing: all of it is trained";
        /// Random changes of the training patches: true is flips and quarter turns; or settings, such as
        /// { flips: true, rotations: true, intensity: 0.1 }.
        pub augment: Augment = "false";
        /// Draw as many patches of each class in each epoch as the rarest has, instead of every patch
        /// once; with `objective: mil` as many mammograms.
        pub balance: bool = "false";
        /// Train inception_v3's auxiliary classifier too.
        pub auxiliary: bool = "false";
        /// Precision of convolutions and matrix products.
        pub precision: Precision = "f32";
        /// Weights of the classes in the loss; or a list with one per class, such as [1, 2.5].
        pub class_weights: ClassWeights = "none";
        /// Stop after so many epochs without a better validation AUC.
        pub early_stopping: Option<u32>, in 1..=100_000, else "never";
        /// Minutes between checkpoints within an epoch; 0: only after each epoch.
        // Results do not depend on it, so it is not part of what makes a training stale.
        #[serde(skip)]
        pub checkpoint_minutes: f64 = "10", in NOT_NEGATIVE;
        /// Write events/ beside the weights for TensorBoard while training.
        // Not part of what makes a training stale either.
        #[serde(skip)]
        pub tensorboard: bool = "false";
    }
}

impl Training {
    fn settle(
        &mut self,
        check: &Check<'_>,
        form: &TrainingForm,
        _: Location,
    ) -> Result<(), Mistake> {
        if let Some(list) = &form.lr_decay_epochs
            && let Some(fall) = list.value.windows(2).find(|pair| pair[0].value >= pair[1].value)
        {
            let message = "`lr_decay_epochs` must rise from entry to entry";
            return check.wrong(fall[1].referenced, message);
        }
        Ok(())
    }
}

impl Settings for TrainingForm {
    const EXPECTED: &'static str = "false, true or a mapping of settings";
}

impl Value for Option<Training> {
    type Written = Switch<TrainingForm>;
    type Rule = ();

    fn read(
        check: &Check<'_>,
        _: &str,
        given: &Spanned<Switch<TrainingForm>>,
        (): &(),
    ) -> Result<Self, Mistake> {
        match &given.value {
            Switch::Flag(false) => Ok(None),
            Switch::Flag(true) => {
                Training::read_form(check, &TrainingForm::default(), given.referenced).map(Some)
            }
            Switch::Settings(form) => Training::read_form(check, form, given.referenced).map(Some),
        }
    }

    fn shape((): &()) -> Shape {
        Switch::<TrainingForm>::shape(Training::options())
    }
}

options! {
    /// Random changes of training patches, drawn anew for every patch of every epoch.
    #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
    pub struct Augment(AugmentForm, "augment.") {
        /// Mirrored left to right and top to bottom, each every other time.
        pub flips: bool = "true";
        /// Turned by 0, 90, 180 or 270 degrees, equally often.
        pub rotations: bool = "true";
        /// Largest share s by which brightness changes: a pixel p (0 to 255) becomes g p + 255 o, rounded
        /// and cut to 0 to 255, with the gain g uniform in [1 - s, 1 + s] and the offset o uniform in
        /// [-s, s].
        pub intensity: f64 = "0", in BELOW_ONE;
    }
}

impl Augment {
    /// No change.
    pub const NONE: Augment = Augment { flips: false, rotations: false, intensity: 0.0 };
    /// Any of the eight symmetries of the square.
    pub const SYMMETRIES: Augment = Augment { flips: true, rotations: true, intensity: 0.0 };
}

impl Settings for AugmentForm {
    const EXPECTED: &'static str =
        "false, true or a mapping of `flips`, `rotations` and `intensity`";
}

impl Value for Augment {
    type Written = Switch<AugmentForm>;
    type Rule = ();

    fn read(
        check: &Check<'_>,
        _: &str,
        given: &Spanned<Switch<AugmentForm>>,
        (): &(),
    ) -> Result<Self, Mistake> {
        match &given.value {
            Switch::Flag(false) => Ok(Self::NONE),
            Switch::Flag(true) => Ok(Self::SYMMETRIES),
            Switch::Settings(form) => Self::read_form(check, form, given.referenced),
        }
    }

    fn shape((): &()) -> Shape {
        Switch::<AugmentForm>::shape(Self::options())
    }
}

/// Weight of each class in the loss, as the `weight` of PyTorch's `CrossEntropyLoss`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeights {
    /// All alike.
    None,
    /// Inverse to how often the class occurs in an epoch: patches / (classes x patches of the class); with
    /// `balance` all 1.
    Balanced,
    /// These, one per class in the manifest's order, each above 0.
    Given(Vec<f64>),
}

impl Listed for ClassWeights {
    type Entry = f64;
    const EXPECTED: &'static str = "none, balanced or a list of numbers, one per class";
}

impl Value for ClassWeights {
    type Written = Choice<Self>;
    type Rule = ();

    fn read(
        check: &Check<'_>,
        key: &str,
        given: &Spanned<Choice<Self>>,
        (): &(),
    ) -> Result<Self, Mistake> {
        let wrong = |message: String| check.wrong(given.referenced, message);
        match &given.value {
            Choice::Word(word) => from_word("choice of class weights", word).or_else(|message| {
                wrong(message + "; a list gives each class its own, such as [1, 2]")
            }),
            Choice::List(list) if list.len() != check.classes as usize => wrong(format!(
                "`{key}` has {}, but there are {} classes (`patches.classes`)",
                list.len(),
                check.classes
            )),
            Choice::List(list) => {
                let weight = |given| f64::read(check, key, given, &POSITIVE);
                list.iter().map(weight).collect::<Result<_, _>>().map(Self::Given)
            }
        }
    }

    fn shape((): &()) -> Shape {
        Choice::<Self>::shape(words::<Self>(), f64::shape(&POSITIVE))
    }
}

/// How the learning rate moves between steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Stays as it is.
    Constant,
    /// Falls along half a cosine to zero at the last step.
    Cosine,
}
