//! Where a unit looks.

use serde::{Deserialize, Serialize};

/// Receptive field of a layer, in pixels of the stored patch: the field of the unit at row 0,
/// column 0 is centred on `centre`; a step in the map moves it by `stride`. Fields may reach over
/// the patch's edge.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Edge of the field.
    pub edge: f32,
    /// Distance between neighbouring fields.
    pub stride: f32,
    /// Centre of the first field, the same in x and y.
    pub centre: f32,
}
