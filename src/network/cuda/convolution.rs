//! Convolutions by cuDNN: what there is to know of a shape is found once and kept.
//!
//! An algorithm is the first that cuDNN recommends of those that repeat themselves bit by bit and whose
//! workspace is below [`WORKSPACE`]. Nothing is timed: another choice would be another rounding, and two
//! trainings from the same seed would differ.

use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use candle_core::cuda_backend::cudarc::cudnn::{CudnnError, result as cudnn, sys};
use candle_core::{Error, Result, Tensor, bail};

use super::library::Library;
use super::map::address;
use crate::network::Precision;
use crate::network::cpu::convolution::Geometry;

/// Bytes of workspace that a convolution may take.
const WORKSPACE: usize = 1 << 30;

/// A convolution of one shape in one precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Shape {
    precision: Precision,
    input: [c_int; 4],
    kernel: [c_int; 4],
    output: [c_int; 4],
    stride: c_int,
    padding: [c_int; 2],
    dilation: c_int,
}

/// An algorithm and the bytes of workspace it takes.
type Chosen<A> = (A, usize);

/// cuDNN's descriptors of a shape, and the algorithms chosen for it. They live as long as the program.
pub(super) struct Plan {
    shape: Shape,
    input: sys::cudnnTensorDescriptor_t,
    output: sys::cudnnTensorDescriptor_t,
    bias: sys::cudnnTensorDescriptor_t,
    kernel: sys::cudnnFilterDescriptor_t,
    convolution: sys::cudnnConvolutionDescriptor_t,
    /// With and without a ReLU.
    activation: [sys::cudnnActivationDescriptor_t; 2],
    forward: OnceLock<Chosen<sys::cudnnConvolutionFwdAlgo_t>>,
    by_input: OnceLock<Chosen<sys::cudnnConvolutionBwdDataAlgo_t>>,
    by_weight: OnceLock<Chosen<sys::cudnnConvolutionBwdFilterAlgo_t>>,
    /// Whether cuDNN adds bias and shortcut and rectifies in the same call: it does for some types and
    /// shapes.
    finishes: OnceLock<bool>,
}

// SAFETY: descriptors are not changed after they are made, and cuDNN reads them from any thread.
unsafe impl Send for Plan {}
// SAFETY: as above.
unsafe impl Sync for Plan {}

/// The plans made so far.
#[derive(Default)]
pub(super) struct Plans(Mutex<HashMap<Shape, Arc<Plan>>>);

impl Plans {
    /// The plan of a convolution, made at the first use.
    ///
    /// # Errors
    /// When cuDNN does not take it.
    pub(super) fn of(&self, g: &Geometry, precision: Precision) -> Result<Arc<Plan>> {
        let [rows, columns] = g.output();
        let window = g.window;
        let whole = |n: usize| c_int::try_from(n).map_err(Error::wrap);
        let shape = |dims: [usize; 4]| -> Result<[c_int; 4]> {
            if dims.iter().product::<usize>() > c_int::MAX as usize {
                bail!("maps of {dims:?} are too large for cuDNN: use a smaller batch");
            }
            Ok([whole(dims[0])?, whole(dims[1])?, whole(dims[2])?, whole(dims[3])?])
        };
        let shape = Shape {
            precision,
            input: shape([g.images, g.channels, g.size[0], g.size[1]])?,
            kernel: shape([g.units, g.channels, window.kernel[0], window.kernel[1]])?,
            output: shape([g.images, g.units, rows, columns])?,
            stride: whole(window.stride)?,
            padding: [whole(window.padding[0])?, whole(window.padding[1])?],
            dilation: whole(window.dilation)?,
        };
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans.get(&shape) {
            return Ok(Arc::clone(plan));
        }
        let plan = Arc::new(Plan::new(shape).map_err(|error| refused(&shape, error))?);
        plans.insert(shape, Arc::clone(&plan));
        Ok(plan)
    }
}

fn refused(shape: &Shape, error: impl std::fmt::Debug) -> Error {
    Error::msg(format!("cuDNN does not compute {shape:?}: {error:?}"))
}

impl Plan {
    fn new(shape: Shape) -> std::result::Result<Plan, CudnnError> {
        use sys::cudnnActivationMode_t::{CUDNN_ACTIVATION_IDENTITY, CUDNN_ACTIVATION_RELU};
        use sys::cudnnTensorFormat_t::CUDNN_TENSOR_NHWC;
        let (values, math) = match shape.precision {
            Precision::F32 => {
                (sys::cudnnDataType_t::CUDNN_DATA_FLOAT, sys::cudnnMathType_t::CUDNN_FMA_MATH)
            }
            // Of tensors of `float`, the default is TF32 where the card has it.
            Precision::Tf32 => {
                (sys::cudnnDataType_t::CUDNN_DATA_FLOAT, sys::cudnnMathType_t::CUDNN_DEFAULT_MATH)
            }
            Precision::Bf16 => (
                sys::cudnnDataType_t::CUDNN_DATA_BFLOAT16,
                sys::cudnnMathType_t::CUDNN_TENSOR_OP_MATH,
            ),
        };
        let sums = sys::cudnnDataType_t::CUDNN_DATA_FLOAT;
        let tensor = |values, dims| {
            let made = cudnn::create_tensor_descriptor()?;
            // SAFETY: the descriptor was just created.
            unsafe { cudnn::set_tensor4d_descriptor(made, CUDNN_TENSOR_NHWC, values, dims)? };
            Ok(made)
        };
        let activation = |mode| {
            let made = cudnn::create_activation_descriptor()?;
            let nan = sys::cudnnNanPropagation_t::CUDNN_PROPAGATE_NAN;
            // SAFETY: as above.
            unsafe { cudnn::set_activation_descriptor(made, mode, nan, 0.0)? };
            Ok(made)
        };
        let kernel = cudnn::create_filter_descriptor()?;
        let convolution = cudnn::create_convolution_descriptor()?;
        let Shape { padding: [above, beside], stride, dilation, .. } = shape;
        let mode = sys::cudnnConvolutionMode_t::CUDNN_CROSS_CORRELATION;
        // SAFETY: both descriptors were just created.
        unsafe {
            cudnn::set_filter4d_descriptor(kernel, values, CUDNN_TENSOR_NHWC, shape.kernel)?;
            cudnn::set_convolution2d_descriptor(
                convolution,
                above,
                beside,
                stride,
                stride,
                dilation,
                dilation,
                mode,
                sums,
            )?;
            cudnn::set_convolution_math_type(convolution, math)?;
        }
        Ok(Plan {
            shape,
            input: tensor(values, shape.input)?,
            output: tensor(values, shape.output)?,
            bias: tensor(values, [1, shape.output[1], 1, 1])?,
            kernel,
            convolution,
            activation: [
                activation(CUDNN_ACTIVATION_IDENTITY)?,
                activation(CUDNN_ACTIVATION_RELU)?,
            ],
            forward: OnceLock::new(),
            by_input: OnceLock::new(),
            by_weight: OnceLock::new(),
            finishes: OnceLock::new(),
        })
    }

    /// The convolution of `x` into `y`.
    ///
    /// # Errors
    /// When cuDNN fails.
    pub(super) fn forward(&self, library: &Library, [x, weight, y]: [&Tensor; 3]) -> Result<()> {
        let (algorithm, bytes) = self.forward_algorithm(library)?;
        let [x, weight, y] = [pointer(x)?, pointer(weight)?, pointer(y)?];
        library.with_workspace(bytes, |workspace| {
            // SAFETY: the descriptors are those of the tensors, which live on this device.
            library.with_cudnn(|handle| unsafe {
                cudnn::convolution_forward(
                    handle,
                    ONE,
                    self.input,
                    x,
                    self.kernel,
                    weight,
                    self.convolution,
                    algorithm,
                    workspace as *mut c_void,
                    bytes,
                    ZERO,
                    self.output,
                    y,
                )
                .map_err(|error| refused(&self.shape, error))
            })
        })
    }

    /// As [`Plan::forward`], plus `bias` per unit and a shortcut, rectified with `relu`. Whether cuDNN
    /// does that for this shape; otherwise `y` is as it was.
    ///
    /// # Errors
    /// When cuDNN fails.
    pub(super) fn forward_finished(
        &self,
        library: &Library,
        [x, weight, bias, y]: [&Tensor; 4],
        shortcut: Option<&Tensor>,
        relu: bool,
    ) -> Result<bool> {
        // The one that takes every activation.
        let algorithm =
            sys::cudnnConvolutionFwdAlgo_t::CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
        let bytes = match self.forward_workspace(library, algorithm) {
            Ok(bytes) if bytes <= WORKSPACE && self.finishes.get() != Some(&false) => bytes,
            _ => return Ok(false),
        };
        let [x, weight, bias, y] = [pointer(x)?, pointer(weight)?, pointer(bias)?, pointer(y)?];
        let (other, share) = match shortcut {
            Some(shortcut) => (pointer(shortcut)?, ONE),
            None => (y, ZERO),
        };
        library.with_workspace(bytes, |workspace| {
            // SAFETY: as above.
            let done = library.with_cudnn(|handle| unsafe {
                cudnn::convolution_bias_activation_forward(
                    handle,
                    ONE,
                    self.input,
                    x,
                    self.kernel,
                    weight,
                    self.convolution,
                    algorithm,
                    workspace as *mut c_void,
                    bytes,
                    share,
                    self.output,
                    other,
                    self.bias,
                    bias,
                    self.activation[usize::from(relu)],
                    self.output,
                    y,
                )
            });
            match (done, self.finishes.get()) {
                (Ok(()), _) => Ok(*self.finishes.get_or_init(|| true)),
                // It says so before it does anything.
                (Err(_), None) => Ok(*self.finishes.get_or_init(|| false)),
                (Err(error), Some(_)) => Err(refused(&self.shape, error)),
            }
        })
    }

    /// The gradient by the input into `to`.
    ///
    /// # Errors
    /// When cuDNN fails.
    pub(super) fn by_input(
        &self,
        library: &Library,
        [grad, weight, to]: [&Tensor; 3],
    ) -> Result<()> {
        let (algorithm, bytes) = self.by_input_algorithm(library)?;
        let [grad, weight, to] = [pointer(grad)?, pointer(weight)?, pointer(to)?];
        library.with_workspace(bytes, |workspace| {
            // SAFETY: as above.
            library.with_cudnn(|handle| unsafe {
                cudnn::convolution_backward_data(
                    handle,
                    ONE,
                    self.kernel,
                    weight,
                    self.output,
                    grad,
                    self.convolution,
                    algorithm,
                    workspace as *mut c_void,
                    bytes,
                    ZERO,
                    self.input,
                    to,
                )
                .map_err(|error| refused(&self.shape, error))
            })
        })
    }

    /// The gradient by the weight into `to`, channels-last as the weight.
    ///
    /// # Errors
    /// When cuDNN fails.
    pub(super) fn by_weight(&self, library: &Library, [x, grad, to]: [&Tensor; 3]) -> Result<()> {
        let (algorithm, bytes) = self.by_weight_algorithm(library)?;
        let [x, grad, to] = [pointer(x)?, pointer(grad)?, pointer(to)?];
        library.with_workspace(bytes, |workspace| {
            // SAFETY: as above.
            library.with_cudnn(|handle| unsafe {
                cudnn::convolution_backward_filter(
                    handle,
                    ONE,
                    self.input,
                    x,
                    self.output,
                    grad,
                    self.convolution,
                    algorithm,
                    workspace as *mut c_void,
                    bytes,
                    ZERO,
                    self.kernel,
                    to,
                )
                .map_err(|error| refused(&self.shape, error))
            })
        })
    }

    fn forward_workspace(
        &self,
        library: &Library,
        algorithm: sys::cudnnConvolutionFwdAlgo_t,
    ) -> std::result::Result<usize, CudnnError> {
        // SAFETY: the descriptors are valid.
        library.with_cudnn(|handle| unsafe {
            cudnn::get_convolution_forward_workspace_size(
                handle,
                self.input,
                self.kernel,
                self.convolution,
                self.output,
                algorithm,
            )
        })
    }

    fn forward_algorithm(
        &self,
        library: &Library,
    ) -> Result<Chosen<sys::cudnnConvolutionFwdAlgo_t>> {
        if let Some(chosen) = self.forward.get() {
            return Ok(*chosen);
        }
        let mut ranked = Ranked::<sys::cudnnConvolutionFwdAlgoPerf_t>::new();
        // SAFETY: the descriptors are valid, and there is room for as many results as are asked for.
        library.with_cudnn(|handle| unsafe {
            cudnn::get_convolution_forward_algorithm(
                handle,
                self.input,
                self.kernel,
                self.convolution,
                self.output,
                MOST as c_int,
                &mut ranked.count,
                ranked.results.as_mut_ptr().cast(),
            )
            .map_err(|error| refused(&self.shape, error))
        })?;
        let known = ranked.each().map(|r| (r.algo, r.status, r.determinism));
        let chosen = pick(known, |algorithm| self.forward_workspace(library, algorithm));
        let chosen = chosen.ok_or_else(|| refused(&self.shape, "no algorithm forward"))?;
        Ok(*self.forward.get_or_init(|| chosen))
    }

    fn by_input_algorithm(
        &self,
        library: &Library,
    ) -> Result<Chosen<sys::cudnnConvolutionBwdDataAlgo_t>> {
        if let Some(chosen) = self.by_input.get() {
            return Ok(*chosen);
        }
        let mut ranked = Ranked::<sys::cudnnConvolutionBwdDataAlgoPerf_t>::new();
        // SAFETY: as above.
        library.with_cudnn(|handle| unsafe {
            cudnn::get_convolution_backward_data_algorithm(
                handle,
                self.kernel,
                self.output,
                self.convolution,
                self.input,
                MOST as c_int,
                &mut ranked.count,
                ranked.results.as_mut_ptr().cast(),
            )
            .map_err(|error| refused(&self.shape, error))
        })?;
        let known = ranked.each().map(|r| (r.algo, r.status, r.determinism));
        let chosen = pick(known, |algorithm| {
            // SAFETY: the descriptors are valid.
            library.with_cudnn(|handle| unsafe {
                cudnn::get_convolution_backward_data_workspace_size(
                    handle,
                    self.kernel,
                    self.output,
                    self.convolution,
                    self.input,
                    algorithm,
                )
            })
        });
        let chosen = chosen.ok_or_else(|| refused(&self.shape, "no algorithm by the input"))?;
        Ok(*self.by_input.get_or_init(|| chosen))
    }

    fn by_weight_algorithm(
        &self,
        library: &Library,
    ) -> Result<Chosen<sys::cudnnConvolutionBwdFilterAlgo_t>> {
        if let Some(chosen) = self.by_weight.get() {
            return Ok(*chosen);
        }
        let mut ranked = Ranked::<sys::cudnnConvolutionBwdFilterAlgoPerf_t>::new();
        // SAFETY: as above.
        library.with_cudnn(|handle| unsafe {
            cudnn::get_convolution_backward_filter_algorithm(
                handle,
                self.input,
                self.output,
                self.convolution,
                self.kernel,
                MOST as c_int,
                &mut ranked.count,
                ranked.results.as_mut_ptr().cast(),
            )
            .map_err(|error| refused(&self.shape, error))
        })?;
        let known = ranked.each().map(|r| (r.algo, r.status, r.determinism));
        let chosen = pick(known, |algorithm| {
            // SAFETY: the descriptors are valid.
            library.with_cudnn(|handle| unsafe {
                cudnn::get_convolution_backward_filter_workspace_size(
                    handle,
                    self.input,
                    self.output,
                    self.convolution,
                    self.kernel,
                    algorithm,
                )
            })
        });
        let chosen = chosen.ok_or_else(|| refused(&self.shape, "no algorithm by the weight"))?;
        Ok(*self.by_weight.get_or_init(|| chosen))
    }
}

/// Algorithms that are asked for at most; cuDNN has no more.
const MOST: usize = 8;

/// What cuDNN recommends, best first.
struct Ranked<P> {
    count: c_int,
    results: [std::mem::MaybeUninit<P>; MOST],
}

impl<P: Copy> Ranked<P> {
    fn new() -> Self {
        Ranked { count: 0, results: [const { std::mem::MaybeUninit::uninit() }; MOST] }
    }

    fn each(&self) -> impl Iterator<Item = P> + '_ {
        let count = usize::try_from(self.count).unwrap_or(0).min(MOST);
        // SAFETY: cuDNN wrote as many results as it counted.
        self.results[..count].iter().map(|result| unsafe { result.assume_init() })
    }
}

/// The first algorithm that serves, with its workspace.
fn pick<A: Copy>(
    ranked: impl Iterator<Item = (A, sys::cudnnStatus_t, sys::cudnnDeterminism_t)>,
    workspace: impl Fn(A) -> std::result::Result<usize, CudnnError>,
) -> Option<Chosen<A>> {
    ranked
        .filter(|(_, status, determinism)| {
            *status == sys::cudnnStatus_t::CUDNN_STATUS_SUCCESS
                && *determinism == sys::cudnnDeterminism_t::CUDNN_DETERMINISTIC
        })
        .filter_map(|(algorithm, ..)| Some((algorithm, workspace(algorithm).ok()?)))
        .find(|(_, bytes)| *bytes <= WORKSPACE)
}

/// Where a tensor begins, as cuDNN takes it.
fn pointer(tensor: &Tensor) -> Result<*mut c_void> {
    Ok(address(tensor)? as *mut c_void)
}

static UNIT: f32 = 1.0;
static NOTHING: f32 = 0.0;
/// What cuDNN multiplies a result by, and what was there before.
const ONE: *const c_void = (&raw const UNIT).cast();
const ZERO: *const c_void = (&raw const NOTHING).cast();
