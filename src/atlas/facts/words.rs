//! Kinds, associations and settings in words, the same on every page, figure and table.

use crate::inputs::Exhibit;
use crate::text;
use architecture::Architecture;
use base::number;
use config::{Anchor, Bag, ClassWeights, Objective, Rate, Rates, Schedule, Threshold};
use record::dissection::{Category, Layer};
use record::training::Origin;
use study::answer::Association;

/// A kind of concept in a word.
pub(crate) fn category_word(category: Category) -> &'static str {
    match category {
        Category::Pathology => "pathology",
        Category::Finding => "finding",
        Category::Region => "region",
        Category::Breast => "breast",
    }
}

/// An association in the words of the label files.
pub(crate) fn association_word(association: Association) -> &'static str {
    match association {
        Association::Malignant => "malignant",
        Association::Benign => "benign",
        Association::None => "none",
        Association::Unsure => "unsure",
    }
}

/// An association as a sentence about the finding.
pub(crate) fn association_words(association: Association) -> &'static str {
    match association {
        Association::Malignant => "associated with cancer",
        Association::Benign => "associated with benign findings",
        Association::None => "unrelated to cancer",
        Association::Unsure => "not sure",
    }
}

/// Where a network's weights come from, in words; a file by its name alone.
pub(crate) fn weights(exhibit: &Exhibit) -> String {
    let (pretrained, best_epoch) = match &exhibit.evaluation.origin {
        Origin::Run { pretrained, best_epoch } => (pretrained, best_epoch),
        Origin::Recorded { recorded } => {
            return format!("{}, not run here: its activations were recorded", recorded.name);
        }
    };
    let start = match pretrained {
        Some(file) => file.rsplit(['/', '\\']).next().unwrap_or_default().to_string(),
        None => "random initialisation".into(),
    };
    let whole = Architecture::find(&exhibit.config.name).is_ok_and(Architecture::is_trained_whole);
    let freeze = exhibit.config.training().and_then(|training| training.freeze.as_ref());
    let part = match freeze {
        Some(layer) => format!("only what comes after {layer} "),
        None if whole => String::new(),
        None => "only the last layer ".into(),
    };
    match best_epoch {
        Some(epoch) => format!("{start}, then {part}trained here; epoch {epoch} kept"),
        None => format!("{start}, not trained here"),
    }
}

/// What an activation of a layer sees of a patch of `edge` pixels, in words.
pub(crate) fn seen(layer: &Layer, edge: u32) -> String {
    text::field(layer.field.edge, edge, |width| format!("a field {width} pixels wide"))
}

/// How a unit's threshold was set, in words.
pub(crate) fn threshold_rule(threshold: Threshold, anchor: Anchor) -> String {
    let rule = match threshold {
        Threshold::Quantile(q) => format!(
            "T is the activation that the unit exceeds at {} of all locations of all patches",
            text::percent(q)
        ),
        Threshold::FractionOfMax(share) => {
            format!("T is {} of the unit’s best score", text::percent(share))
        }
    };
    let anchor = match anchor {
        Anchor::ReceptiveField => "upsampled from the centres of the receptive fields",
        Anchor::Pixel => "upsampled by a plain resize",
    };
    format!("{rule}; maps are {anchor}")
}

/// A share of one as a whole percentage.
pub(crate) fn percent(share: f32) -> String {
    number::written(format_args!("{:.0}", 100.0 * share)) + "%"
}

/// What the loss is of.
fn objective(objective: Objective) -> String {
    let Objective::Mil(mil) = objective else { return "every patch by its own label".into() };
    let pooled = match mil.pooling {
        Bag::NoisyOr => "it has what any of them has (noisy-or)".into(),
        Bag::TopK => format!("the mean of the highest {} of them", text::percent(mil.share)),
        Bag::Attention => "the mean of their logits, weighted by gated attention".into(),
    };
    format!("every mammogram by its patches together: {pooled}")
}

/// How a network is trained: each setting with its value, in words.
pub(crate) fn settings(training: &config::Training) -> Vec<(&'static str, String)> {
    let decay = training.lr_decay_epochs.iter().map(u32::to_string).collect::<Vec<_>>();
    let schedule = match training.schedule {
        Schedule::Cosine => "half a cosine down to zero".to_string(),
        Schedule::Constant if decay.is_empty() => "constant".into(),
        Schedule::Constant => format!("divided by ten at the start of epoch {}", text::and(&decay)),
    };
    let class_weights = match &training.class_weights {
        ClassWeights::None => "none".to_string(),
        ClassWeights::Balanced => "inverse to the class's frequency".into(),
        ClassWeights::Given(weights) => {
            text::and(&weights.iter().map(f64::to_string).collect::<Vec<_>>())
        }
    };
    let stopping = training.early_stopping.map_or("no".into(), |epochs| {
        format!("after {epochs} epochs without a better validation AUC")
    });
    let rate = match training.lr {
        Rate::Same(rate) => rate.to_string(),
        Rate::Parts(Rates { head, rest }) => format!("{head} of the head, {rest} of the rest"),
    };
    let yes = |on: bool| if on { "yes".to_string() } else { "no".into() };
    let part =
        training.freeze.as_ref().map(|layer| ("trained", format!("what comes after {layer}")));
    let all = [
        ("loss", objective(training.objective)),
        ("optimiser", "stochastic gradient descent".into()),
        ("epochs", training.epochs.to_string()),
        ("batch", training.batch.to_string()),
        ("learning rate", rate),
        ("schedule", schedule),
        ("warm-up steps", training.warmup.to_string()),
        ("momentum", training.momentum.to_string()),
        ("weight decay", training.weight_decay.to_string()),
        ("flips", yes(training.augment.flips)),
        ("quarter turns", yes(training.augment.rotations)),
        ("brightness", intensity(training.augment.intensity)),
        ("classes balanced", yes(training.balance)),
        ("class weights in the loss", class_weights),
        ("early stopping", stopping),
    ];
    all.into_iter().chain(part).collect()
}

fn intensity(share: f64) -> String {
    if share == 0.0 {
        return "no".into();
    }
    let percent = text::percent(share);
    format!("gain and offset of up to {percent} at random")
}
