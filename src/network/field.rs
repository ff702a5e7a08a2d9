//! Receptive fields (Araujo, Norris & Sim 2019).

use super::layers::Window;
use base::Field;

/// Receptive field behind a chain of windows, in pixels of the input, whose first pixel is centred on
/// 0.5. Where rows and columns differ, the edge is that of the longer axis; the centre is that of the
/// rows, for the networks lay every window that is not square beside its transpose.
pub(super) fn field(windows: impl IntoIterator<Item = Window>) -> Field {
    let (mut edges, mut centre, mut step) = ([1f32; 2], 0.5, 1f32);
    for window in windows {
        let reach = window.reach();
        for (edge, reach) in edges.iter_mut().zip(reach) {
            *edge += (reach - 1) as f32 * step;
        }
        centre += ((reach[0] - 1) as f32 / 2.0 - window.padding[0] as f32) * step;
        step *= window.stride as f32;
    }
    Field { edge: edges[0].max(edges[1]), stride: step, centre }
}
