//! Receptive fields (Araujo, Norris & Sim 2019).

use super::layers::Window;
use crate::dissection::record::Field;

/// Receptive field behind a chain of square windows, in pixels of the input, whose first pixel is
/// centred on 0.5.
pub(super) fn field(windows: impl IntoIterator<Item = Window>) -> Field {
    let mut field = Field { edge: 1.0, stride: 1.0, centre: 0.5 };
    for Window { kernel, stride, padding } in windows {
        let reach = (kernel[0] - 1) as f32;
        field.edge += reach * field.stride;
        field.centre += (reach / 2.0 - padding[0] as f32) * field.stride;
        field.stride *= stride as f32;
    }
    field
}
