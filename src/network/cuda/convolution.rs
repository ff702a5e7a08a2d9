//! Convolutions by cuDNN: what there is to know of a shape is found once and kept.
//!
//! A plan is the first that cuDNN recommends of those that repeat themselves bit by bit and whose workspace
//! is below [`WORKSPACE`]. Nothing is timed: another choice would be another rounding, and two trainings from
//! the same seed would differ.

use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use candle_core::cuda_backend::cudarc::cudnn::sys;
use candle_core::{Error, Result, Tensor, bail};

use super::graph::{self, Direction, Limits};
use super::library::Library;
use super::map::address;
use crate::cpu::convolution::Geometry;
use architecture::Precision;

/// Bytes of workspace that a convolution may take.
const WORKSPACE: usize = 1 << 30;

/// A convolution of one shape in one precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Shape {
    precision: Precision,
    input: [i64; 4],
    kernel: [i64; 4],
    output: [i64; 4],
    stride: i64,
    padding: [i64; 2],
    dilation: i64,
}

/// The plans of a shape, each made at its first use.
pub(super) struct Plan {
    shape: Shape,
    forward: OnceLock<graph::Plan>,
    by_input: OnceLock<graph::Plan>,
    by_weight: OnceLock<graph::Plan>,
}

/// The plans made so far.
#[derive(Default)]
pub(super) struct Plans(Mutex<HashMap<Shape, Arc<Plan>>>);

impl Plans {
    /// The plans of a convolution.
    ///
    /// # Errors
    /// When it is larger than cuDNN counts.
    pub(super) fn of(&self, g: &Geometry, precision: Precision) -> Result<Arc<Plan>> {
        let [rows, columns] = g.output();
        let window = g.window;
        let shape = |dims: [usize; 4]| -> Result<[i64; 4]> {
            if dims.iter().product::<usize>() > i32::MAX as usize {
                bail!("maps of {dims:?} are too large for cuDNN: use a smaller batch");
            }
            Ok(dims.map(|dim| dim as i64))
        };
        let shape = Shape {
            precision,
            input: shape([g.images, g.channels, g.size[0], g.size[1]])?,
            kernel: shape([g.units, g.channels, window.kernel[0], window.kernel[1]])?,
            output: shape([g.images, g.units, rows, columns])?,
            stride: window.stride as i64,
            padding: window.padding.map(|zeros| zeros as i64),
            dilation: window.dilation as i64,
        };
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = plans.entry(shape).or_insert_with(|| {
            Arc::new(Plan {
                shape,
                forward: OnceLock::new(),
                by_input: OnceLock::new(),
                by_weight: OnceLock::new(),
            })
        });
        Ok(Arc::clone(plan))
    }
}

impl Plan {
    /// The convolution of `x` by `weight` into `y`.
    ///
    /// # Errors
    /// When cuDNN has no such convolution, or fails.
    pub(super) fn forward(&self, library: &Library, [x, weight, y]: [&Tensor; 3]) -> Result<()> {
        self.run(library, Direction::Forward, [x, weight, y])
    }

    /// The gradient by the input into `to`.
    ///
    /// # Errors
    /// Those of [`Plan::forward`].
    pub(super) fn by_input(
        &self,
        library: &Library,
        [grad, weight, to]: [&Tensor; 3],
    ) -> Result<()> {
        self.run(library, Direction::ByInput, [to, weight, grad])
    }

    /// The gradient by the weight into `to`, channels-last as the weight.
    ///
    /// # Errors
    /// Those of [`Plan::forward`].
    pub(super) fn by_weight(&self, library: &Library, [x, grad, to]: [&Tensor; 3]) -> Result<()> {
        self.run(library, Direction::ByWeight, [x, to, grad])
    }

    /// Runs a direction over input, kernel and output.
    fn run(&self, library: &Library, direction: Direction, tensors: [&Tensor; 3]) -> Result<()> {
        let cell = match direction {
            Direction::Forward => &self.forward,
            Direction::ByInput => &self.by_input,
            Direction::ByWeight => &self.by_weight,
        };
        let plan = match cell.get() {
            Some(plan) => plan,
            None => {
                let made = self.make(library, direction)?;
                cell.get_or_init(|| made)
            }
        };
        let [x, weight, y] = tensors;
        let memory = [address(x)?, address(weight)?, address(y)?].map(|at| at as *mut c_void);
        library.with_workspace(plan.workspace, |workspace| {
            // SAFETY: the tensors have the shapes that the plan was made for; their memory is freed on the
            // stream that the plan runs on, after it.
            library
                .with_cudnn(|handle| unsafe { plan.run(handle, memory, workspace as *mut c_void) })
                .map_err(|error| self.refused(direction, error))
        })
    }

    fn make(&self, library: &Library, direction: Direction) -> Result<graph::Plan> {
        let Shape { precision, input, kernel, output, stride, padding, dilation } = self.shape;
        let values = match precision {
            Precision::F32 | Precision::Tf32 => sys::cudnnDataType_t::CUDNN_DATA_FLOAT,
            Precision::Bf16 => sys::cudnnDataType_t::CUDNN_DATA_BFLOAT16,
        };
        let convolution =
            graph::Convolution { values, input, kernel, output, stride, padding, dilation };
        // Over single precision tensor cores are TF32.
        let limits = Limits { tensor_cores: precision != Precision::F32, workspace: WORKSPACE };
        library
            .with_cudnn(|handle| graph::Plan::of(handle, &convolution, direction, limits))
            .map_err(|error| self.refused(direction, error))?
            .ok_or_else(|| self.refused(direction, "no plan within the limits"))
    }

    fn refused(&self, direction: Direction, error: impl std::fmt::Debug) -> Error {
        Error::msg(format!("cuDNN does not compute {:?}, {direction:?}: {error:?}", self.shape))
    }
}
