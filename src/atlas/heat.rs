//! Activation maps for the pages: each value as a level, clear to hot.

use super::inputs::Inputs;
use super::script::{BASE_64, Heat};
use record::dissection::{Layer, Unit};

/// Levels of a value; one character each.
pub(super) const LEVELS: usize = BASE_64.len();

/// The maps of a unit's top patches; none where they are not at hand.
pub(super) fn of(inputs: &Inputs, layer: &Layer, unit: &Unit) -> Option<Heat> {
    let maps = (0..unit.top.len())
        .map(|rank| {
            let levels = levels(inputs, layer, unit, rank)?;
            Some(levels.iter().map(|&level| char::from(BASE_64[level])).collect())
        })
        .collect::<Option<Vec<String>>>()?;
    let field = field(inputs, layer);
    let [rows, columns] = layer.map;
    (!maps.is_empty()).then_some(Heat {
        rows,
        columns,
        centre: field.centre,
        stride: field.stride,
        edge: inputs.store.edge(),
        maps,
    })
}

/// Where the cells of a layer's maps lie in a patch.
pub(super) fn field(inputs: &Inputs, layer: &Layer) -> base::Field {
    record::dissection::anchored(layer.anchor, layer.field, layer.map, inputs.store.edge())
}

/// A unit's map of the patch at a rank, from 0, in levels: the unit's best score is the greatest,
/// nothing is the least. Where even the best score is below zero, the least activation is.
pub(super) fn levels(
    inputs: &Inputs,
    layer: &Layer,
    unit: &Unit,
    rank: usize,
) -> Option<Vec<usize>> {
    let values = inputs.maps.of(&format!("{}/{}", layer.network, layer.layer), unit.unit, rank)?;
    let high = unit.score_range[1];
    let low = if high > 0.0 { 0.0 } else { unit.activations.range[0] };
    let last = (LEVELS - 1) as f32;
    // A level is within bounds whatever the value: casts saturate.
    let level =
        |value: f32| (((value - low) / (high - low) * last).round() as usize).min(LEVELS - 1);
    (values.len() == (layer.map[0] * layer.map[1]) as usize)
        .then(|| values.into_iter().map(level).collect())
}

#[cfg(test)]
mod tests {
    use crate::script::BASE_64;
    use crate::script::tested;

    #[test]
    fn the_scripts_read_levels_as_they_are_written() {
        let formats = tested();
        let levels = formats["levels"].as_array().unwrap().iter();
        let map: String =
            levels.map(|level| char::from(BASE_64[level.as_u64().unwrap() as usize])).collect();
        assert_eq!(formats["drawn"]["heat"]["maps"][0], map);
    }
}
