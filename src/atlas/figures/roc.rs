//! ROC curves of all networks.

use anyhow::{Result, ensure};

use super::{Ready, source};
use crate::facts::{Atlas, areas};
use crate::inputs::Exhibit;
use crate::{chart, text};
use config::figures::Kind;
use figure::plot::{Legend, Plot};
use figure::{Figure, Words};

pub(super) fn ready(atlas: &Atlas) -> Option<Ready> {
    let evaluated = |exhibit: &Exhibit| exhibit.evaluation.auc.is_some();
    let any = atlas.inputs.exhibits.iter().any(evaluated);
    any.then(|| Ready::new("ROC curves", Kind::Roc))
}

pub(super) fn draw(atlas: &Atlas, width: f64) -> Result<Figure> {
    let curves = areas::curves(atlas);
    ensure!(!curves.is_empty(), "no network was evaluated on patches of both classes");
    let named: Vec<String> = curves.iter().map(|(name, _)| name.clone()).collect();
    let split = areas::splits(atlas);
    let words = Words {
        title: "ROC curves".into(),
        caption: format!(
            "Receiver operating characteristics per patch on the {split} split, with the areas under \
             them. The dashed diagonal is chance. {}",
            source(atlas)
        ),
        alt: format!("ROC curves per patch, with their areas: {}.", text::and(&named)),
    };
    let plot = Plot { legend: Legend::LowerRight, ..chart::roc(&curves) };
    Figure::drawn(words, width, None, |canvas, width| Ok(plot.draw(canvas, [0.0, 0.0], width)))
}
