//! A unit's synthetic image on its page.

use serde::Serialize;

use crate::facts::Atlas;
use crate::{synthetic, text};
use catalogue::Entry;
use record::Synthetic;

/// What became of it.
#[derive(Serialize)]
pub(super) struct View {
    /// The image; none where the unit was silent.
    picture: Option<Picture>,
    /// Best score of a patch.
    best: String,
}

#[derive(Serialize)]
struct Picture {
    src: String,
    alt: String,
    /// Edge at which it is shown, in CSS pixels: at least that of a patch.
    shown: u32,
    steps: u32,
    /// The unit's greatest activation in it.
    activation: String,
}

/// Of a unit; none where none was asked for.
pub(super) fn view(atlas: &Atlas, entry: &Entry) -> Option<View> {
    let picture = match synthetic::of(atlas.inputs, &entry.id)? {
        Synthetic::Silent => None,
        Synthetic::Image { edge, steps, activation, .. } => Some(Picture {
            src: synthetic::path(&entry.id),
            alt: format!("Synthetic image made to activate unit {}", entry.id),
            shown: edge.max(atlas.inputs.store.edge()),
            steps,
            activation: text::significant(f64::from(activation)),
        }),
    };
    Some(View { picture, best: text::significant(f64::from(entry.record.score_range[1])) })
}
