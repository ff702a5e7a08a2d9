//! A case: a mammogram with its probabilities of cancer, and the units that contribute most to it.

use anyhow::{Context, Result, bail, ensure};

use super::{TOLERANCE, source};
use crate::facts::Atlas;
use crate::facts::lesions::draw_lesions;
use crate::facts::risk;
use crate::{outline, text};
use base::{UnitId, digits, number};
use catalogue::{Place, Verdict, sentence};
use figure::{Anchor, Canvas, Column, Figure, Row, Stroke, Table, Thumb, Words};
use mammogram::Lesion;
use record::Patch;
use record::explanation::{Covered, Explained, Explanation, Part};

/// Orange, told apart from grey and yellow by whoever sees colours differently.
const WARM: &str = "#e69f00";
/// Yellow, as overlays are.
const DECIDING: &str = "#f0e442";
/// Lesions by what they are.
const MALIGNANT: &str = "#ff6a4d";
const OTHER: &str = "#56b4e9";

pub(super) fn of_case(
    atlas: &Atlas,
    id: &str,
    network: Option<&str>,
    patches: usize,
    width: f64,
) -> Result<Figure> {
    let (explanation, explained) = find(atlas, id, network)?;
    let manifest = atlas.inputs.manifest;
    let member = &manifest.mammograms[explained.mammogram as usize];
    let (network, layer) = (&explanation.network, &explanation.layer);
    let known = atlas.catalogue.explaining(explanation);
    let named = |unit: u32| known.and_then(|known| known.name(unit));
    let place = Place::of(manifest, explained.patch);
    let cancer = member.mammogram.has_cancer();
    let verdict = Verdict::new(cancer, explained.probability, place);
    let shown = &explained.units[..explained.units.len().min(patches)];
    let truth = if cancer { "cancer" } else { "no cancer" };
    let said = sentence(explained, named, Some(verdict));
    let label =
        |part: &Part| named(part.unit).map_or_else(|| "not named".into(), ToString::to_string);
    let words = Words {
        title: format!("{id} by {network}"),
        caption: format!(
            "Mammogram {id} ({truth}) as {network} scores it. {said} Orange: the highest \
             probability of cancer of the patches that cover a place, the stronger the higher; the outlined \
             patch has the highest of all and decides. \
             Beside it that patch with the {} of {layer} that add most to the margin of cancer ({}), \
             outlined where their activation exceeds their thresholds.{} {}",
            text::counted(shown.len(), "unit", "units"),
            if explanation.exact { "exact" } else { "gradient times activation" },
            if member.mammogram.lesions.iter().any(Lesion::is_placed) {
                " Malignant lesions are outlined in red, others in blue."
            } else {
                ""
            },
            source(atlas)
        ),
        alt: format!(
            "A mammogram with one patch outlined, and that patch {} times. {said}",
            shown.len()
        ),
    };
    let share = |part: &Part| {
        if explained.evidence > 0.0 { part.contribution / explained.evidence } else { 0.0 }
    };
    let inside = |part: &Part, share: fn(&Covered) -> f32| {
        part.inside.as_ref().map_or_else(|| "–".into(), |inside| format!("{:.3}", share(inside)))
    };
    let table = Table {
        columns: vec![
            Column::words("Unit"),
            Column::words("Called"),
            Column::numbers("Contribution"),
            Column::numbers("Share of the evidence"),
            Column::numbers("Region in a malignant lesion"),
            Column::numbers("in a benign one"),
        ],
        rows: shown
            .iter()
            .map(|part| Row {
                cells: vec![
                    UnitId::new(network, layer, part.unit).to_string(),
                    label(part),
                    number::written(format_args!("{:.3}", part.contribution)),
                    number::written(format_args!("{:.3}", share(part))),
                    inside(part, |covered| covered.malignant),
                    inside(part, |covered| covered.benign),
                ],
                patches: Vec::new(),
            })
            .collect(),
        patches: String::new(),
    };
    let title = words.title.clone();
    let whole = whole(atlas, explanation, explained)?;
    let patch = &manifest.patches[explained.patch as usize];
    let micron = member.mammogram.micron;
    let thumb = |at: usize, part: &Part| Thumb {
        pixels: atlas.inputs.store.pixels(explained.patch).to_vec(),
        edge: atlas.inputs.store.edge(),
        overlay: outline::compact(&part.overlay, TOLERANCE),
        millimetres: micron
            .filter(|_| at == 0)
            .map(|micron| micron * f64::from(patch.edge) / 1000.0),
    };
    Figure::drawn(words, width, Some(table), |canvas, width| {
        let gap = 6.0;
        let top = canvas.lines([0.0, 0.0], width, 8.0, &title) + 3.0;
        // The mammogram to the left, as high as it is; the units beside it, two in a row.
        let left = 0.5 * (width - gap);
        let high = left * f64::from(whole.size[1]) / f64::from(whole.size[0].max(1));
        whole.draw(canvas, [0.0, top], [left, high])?;
        let (x, room) = (left + gap, width - left - gap);
        let edge = (room - gap) / 2.0;
        ensure!(edge >= 12.0, "the figure is too narrow; ask for more millimetres");
        let size = (edge / 11.0).clamp(4.0, 6.5);
        let mut y = top;
        for (row, parts) in shown.chunks(2).enumerate() {
            let mut lowest = y;
            for (column, part) in parts.iter().enumerate() {
                let at = [x + column as f64 * (edge + gap), y];
                canvas.thumb(at, edge, &thumb(2 * row + column, part))?;
                let base = y + edge + 1.1 * size;
                canvas.text([at[0], base], size, Anchor::Start, &digits(part.unit));
                let adds = text::signed(part.contribution);
                canvas.text([at[0] + edge, base], size, Anchor::End, &adds);
                let under = canvas.lines([at[0], base], edge, size, &label(part));
                lowest = lowest.max(under);
            }
            y = lowest + 4.0;
        }
        Ok((top + high).max(y - 4.0))
    })
}

/// A mammogram of an explanation, of the first network that has one unless it is named.
fn find<'a>(
    atlas: &Atlas<'a>,
    id: &str,
    network: Option<&str>,
) -> Result<(&'a Explanation, &'a Explained)> {
    let inputs = atlas.inputs;
    let mut explanations = inputs.explanations.iter();
    let of = |e: &&Explanation| network.is_none_or(|network| e.network == network);
    let Some(explanation) = explanations.find(of) else {
        match network {
            Some(network) => bail!(
                "{network} is not explained: `unit-atlas dissect` does it, where the network says something of cancer"
            ),
            None => bail!("no network of the project is explained; `unit-atlas run` says why"),
        }
    };
    let of = |e: &&Explained| inputs.manifest.mammograms[e.mammogram as usize].mammogram.id == id;
    let explained = explanation.mammograms.iter().find(of).with_context(|| {
        format!("{id} is no mammogram of the {} split with a patch", explanation.split)
    })?;
    Ok((explanation, explained))
}

/// The whole mammogram and what is drawn over it, in its own pixels.
struct Whole {
    /// Width and height in its own pixels.
    size: [u32; 2],
    /// Rows of a smaller copy, and its width and height.
    pixels: Vec<u8>,
    shape: [u32; 2],
    /// Probability of cancer by place.
    risk: Vec<risk::Cell>,
    deciding: [f64; 3],
    /// Outlines, and whether malignant.
    lesions: Vec<(String, bool)>,
}

fn whole(atlas: &Atlas, explanation: &Explanation, explained: &Explained) -> Result<Whole> {
    let inputs = atlas.inputs;
    let manifest = inputs.manifest;
    let member = &manifest.mammograms[explained.mammogram as usize];
    let id = &member.mammogram.id;
    ensure!(member.preview.is_some(), "the data set has only patches of {id}");
    let picture = image::load_from_memory(&inputs.previews.read(id)?)?.into_luma8();
    let place = |patch: &Patch| [patch.x, patch.y, patch.edge].map(f64::from);
    let scored = manifest.scored(atlas.scores(&explanation.network), explained.mammogram);
    let lesions = draw_lesions(&atlas.labels, member).into_iter().flat_map(|lesion| {
        let malignant = lesion.pathology == "malignant";
        lesion.paths.into_iter().map(move |path| (path, malignant))
    });
    Ok(Whole {
        size: [member.mammogram.width, member.mammogram.height],
        shape: [picture.width(), picture.height()],
        pixels: picture.into_raw(),
        risk: risk::map(scored),
        deciding: place(&manifest.patches[explained.patch as usize]),
        lesions: lesions.collect(),
    })
}

impl Whole {
    fn draw(&self, canvas: &mut Canvas, at: [f64; 2], size: [f64; 2]) -> Result<()> {
        canvas.picture(at, size, &self.pixels, self.shape)?;
        let scale = size[0] / f64::from(self.size[0].max(1));
        for cell in &self.risk {
            let [x, y, width, height] =
                [cell.x, cell.y, cell.width, cell.height].map(|side| f64::from(side) * scale);
            canvas.tint([at[0] + x, at[1] + y], [width, height], WARM, cell.opacity);
        }
        for (path, malignant) in &self.lesions {
            let colour = if *malignant { MALIGNANT } else { OTHER };
            canvas.outline((at, size), self.size, path, Stroke::solid(colour, 0.9));
        }
        let [x, y, edge] = self.deciding.map(|v| v * scale);
        let (x, y) = (at[0] + x, at[1] + y);
        let frame = [[x, y], [x + edge, y], [x + edge, y + edge], [x, y + edge], [x, y]];
        canvas.line(&frame, Stroke::solid("#000", 2.0));
        canvas.line(&frame, Stroke::solid(DECIDING, 1.0));
        Ok(())
    }
}
