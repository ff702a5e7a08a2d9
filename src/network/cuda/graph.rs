//! cuDNN's graph interface, as far as single convolutions need it: descriptors, and plans that are chosen once
//! and run many times. (The older interface looks for a plan anew at each call, which takes the host longer
//! than small convolutions take the card.)

use std::ffi::c_void;

use candle_core::cuda_backend::cudarc::cudnn::{CudnnError, sys};
use sys::cudnnBackendAttributeName_t as Name;
use sys::cudnnBackendAttributeType_t as Type;
use sys::cudnnBackendDescriptorType_t as Kind;

/// What cuDNN answers.
type Result<T> = std::result::Result<T, CudnnError>;

/// Which of the three convolutions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    ByInput,
    ByWeight,
}

/// A convolution as cuDNN hears of it; all tensors channels-last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Convolution {
    pub values: sys::cudnnDataType_t,
    pub input: [i64; 4],
    pub kernel: [i64; 4],
    pub output: [i64; 4],
    pub stride: i64,
    pub padding: [i64; 2],
    pub dilation: i64,
}

/// What a plan may not do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Whether it may use tensor cores.
    pub tensor_cores: bool,
    /// Bytes of workspace that it may take.
    pub workspace: usize,
}

/// A descriptor of the graph interface.
struct Descriptor(sys::cudnnBackendDescriptor_t);

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: it was created, and is destroyed once.
        unsafe { sys::cudnnBackendDestroyDescriptor(self.0) };
    }
}

impl Descriptor {
    fn new(kind: Kind) -> Result<Descriptor> {
        let mut made = std::ptr::null_mut();
        // SAFETY: the pointer outlives the call.
        unsafe { sys::cudnnBackendCreateDescriptor(kind, &mut made) }.result()?;
        Ok(Descriptor(made))
    }

    fn set<T>(&self, name: Name, kind: Type, values: &[T]) -> Result<()> {
        let (count, values) = (values.len() as i64, values.as_ptr().cast());
        // SAFETY: there are as many values as are said; `kind` is the type of each.
        unsafe { sys::cudnnBackendSetAttribute(self.0, name, kind, count, values) }.result()
    }

    fn set_descriptors(&self, name: Name, descriptors: &[&Descriptor]) -> Result<()> {
        let raw: Vec<_> = descriptors.iter().map(|descriptor| descriptor.0).collect();
        self.set(name, Type::CUDNN_TYPE_BACKEND_DESCRIPTOR, &raw)
    }

    /// Reads up to as many values as there is room for; how many there were.
    fn get<T>(&self, name: Name, kind: Type, room: &mut [T]) -> Result<usize> {
        let mut count = 0;
        let (most, values) = (room.len() as i64, room.as_mut_ptr().cast());
        // SAFETY: there is room for as many values as are asked for; `kind` is the type of each.
        unsafe { sys::cudnnBackendGetAttribute(self.0, name, kind, most, &mut count, values) }
            .result()?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    fn finish(self) -> Result<Descriptor> {
        // SAFETY: its attributes are set.
        unsafe { sys::cudnnBackendFinalize(self.0) }.result()?;
        Ok(self)
    }

    /// A tensor in channels-last memory.
    fn tensor(name: i64, dims: [i64; 4], values: sys::cudnnDataType_t) -> Result<Descriptor> {
        let [_, channels, rows, columns] = dims;
        let strides = [rows * columns * channels, 1, columns * channels, channels];
        let made = Descriptor::new(Kind::CUDNN_BACKEND_TENSOR_DESCRIPTOR)?;
        made.set(Name::CUDNN_ATTR_TENSOR_DATA_TYPE, Type::CUDNN_TYPE_DATA_TYPE, &[values])?;
        made.set(Name::CUDNN_ATTR_TENSOR_DIMENSIONS, Type::CUDNN_TYPE_INT64, &dims)?;
        made.set(Name::CUDNN_ATTR_TENSOR_STRIDES, Type::CUDNN_TYPE_INT64, &strides)?;
        made.set(Name::CUDNN_ATTR_TENSOR_UNIQUE_ID, Type::CUDNN_TYPE_INT64, &[name])?;
        made.set(Name::CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, Type::CUDNN_TYPE_INT64, &[16i64])?;
        made.finish()
    }
}

/// Names of the input, the kernel and the output in a plan.
const NAMES: [i64; 3] = [1, 2, 3];

/// A convolution that is ready to run.
pub(super) struct Plan {
    plan: Descriptor,
    /// Bytes of workspace that it takes.
    pub(super) workspace: usize,
    /// What it was made of.
    _parts: Vec<Descriptor>,
}

// SAFETY: a finished plan is not changed, and cuDNN reads it from any thread.
unsafe impl Send for Plan {}
// SAFETY: as above.
unsafe impl Sync for Plan {}

impl Plan {
    /// The first plan that cuDNN recommends within the limits, of those that repeat themselves bit by bit;
    /// `None` where there is none.
    pub(super) fn of(
        handle: sys::cudnnHandle_t,
        convolution: &Convolution,
        direction: Direction,
        limits: Limits,
    ) -> Result<Option<Plan>> {
        let (graph, mut parts) = graph(handle, convolution, direction)?;
        use sys::cudnnBackendHeurMode_t::{CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK};
        for mode in [CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK] {
            for config in recommended(&graph, mode)? {
                if !allowed(&config, limits)? {
                    continue;
                }
                // What cannot run here says so now.
                let Ok(plan) = finished(handle, &config) else { continue };
                let mut bytes = [0i64];
                plan.get(
                    Name::CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                    Type::CUDNN_TYPE_INT64,
                    &mut bytes,
                )?;
                let workspace = usize::try_from(bytes[0]).unwrap_or(usize::MAX);
                if workspace <= limits.workspace {
                    parts.extend([graph, config]);
                    return Ok(Some(Plan { plan, workspace, _parts: parts }));
                }
            }
        }
        Ok(None)
    }

    /// Runs the plan over the memory of input, kernel and output.
    ///
    /// # Safety
    /// The memory must be as large as the convolution says, the workspace as the plan does, and all live
    /// until the work is done.
    pub(super) unsafe fn run(
        &self,
        handle: sys::cudnnHandle_t,
        memory: [*mut c_void; 3],
        workspace: *mut c_void,
    ) -> Result<()> {
        let pack = Descriptor::new(Kind::CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR)?;
        pack.set(Name::CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, Type::CUDNN_TYPE_VOID_PTR, &memory)?;
        pack.set(Name::CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, Type::CUDNN_TYPE_INT64, &NAMES)?;
        pack.set(Name::CUDNN_ATTR_VARIANT_PACK_WORKSPACE, Type::CUDNN_TYPE_VOID_PTR, &[workspace])?;
        let pack = pack.finish()?;
        // SAFETY: plan and pack are finished; the caller answers for the memory.
        unsafe { sys::cudnnBackendExecute(handle, self.plan.0, pack.0) }.result()
    }
}

/// A graph of one convolution, and what must live as long as it.
fn graph(
    handle: sys::cudnnHandle_t,
    convolution: &Convolution,
    direction: Direction,
) -> Result<(Descriptor, Vec<Descriptor>)> {
    let Convolution { values, input, kernel, output, stride, padding, dilation } = *convolution;
    let [x, w, y] = [
        Descriptor::tensor(NAMES[0], input, values)?,
        Descriptor::tensor(NAMES[1], kernel, values)?,
        Descriptor::tensor(NAMES[2], output, values)?,
    ];
    let how = Descriptor::new(Kind::CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR)?;
    let int = Type::CUDNN_TYPE_INT64;
    let sums = sys::cudnnDataType_t::CUDNN_DATA_FLOAT;
    how.set(Name::CUDNN_ATTR_CONVOLUTION_COMP_TYPE, Type::CUDNN_TYPE_DATA_TYPE, &[sums])?;
    let mode = sys::cudnnConvolutionMode_t::CUDNN_CROSS_CORRELATION;
    how.set(Name::CUDNN_ATTR_CONVOLUTION_CONV_MODE, Type::CUDNN_TYPE_CONVOLUTION_MODE, &[mode])?;
    how.set(Name::CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, int, &[2i64])?;
    how.set(Name::CUDNN_ATTR_CONVOLUTION_DILATIONS, int, &[dilation; 2])?;
    how.set(Name::CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, int, &[stride; 2])?;
    how.set(Name::CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, int, &padding)?;
    how.set(Name::CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, int, &padding)?;
    let how = how.finish()?;
    let (kind, names) = match direction {
        Direction::Forward => (
            Kind::CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
            [
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
            ],
        ),
        Direction::ByInput => (
            Kind::CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
            [
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
            ],
        ),
        Direction::ByWeight => (
            Kind::CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
            [
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA,
            ],
        ),
    };
    let operation = Descriptor::new(kind)?;
    for (name, part) in names.into_iter().zip([&how, &x, &w, &y]) {
        operation.set_descriptors(name, &[part])?;
    }
    operation.set(names[4], Type::CUDNN_TYPE_FLOAT, &[1f32])?;
    operation.set(names[5], Type::CUDNN_TYPE_FLOAT, &[0f32])?;
    let operation = operation.finish()?;
    let graph = Descriptor::new(Kind::CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR)?;
    graph.set(Name::CUDNN_ATTR_OPERATIONGRAPH_HANDLE, Type::CUDNN_TYPE_HANDLE, &[handle])?;
    graph.set_descriptors(Name::CUDNN_ATTR_OPERATIONGRAPH_OPS, &[&operation])?;
    Ok((graph.finish()?, vec![x, w, y, how, operation]))
}

/// Engines and their settings that cuDNN recommends for a graph, best first.
fn recommended(graph: &Descriptor, mode: sys::cudnnBackendHeurMode_t) -> Result<Vec<Descriptor>> {
    /// More than cuDNN has.
    const MOST: usize = 64;
    let heuristics = Descriptor::new(Kind::CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR)?;
    heuristics.set_descriptors(Name::CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, &[graph])?;
    heuristics.set(Name::CUDNN_ATTR_ENGINEHEUR_MODE, Type::CUDNN_TYPE_HEUR_MODE, &[mode])?;
    // Where it has no advice it says that it fails.
    let Ok(heuristics) = heuristics.finish() else { return Ok(vec![]) };
    let mut configs = (0..MOST)
        .map(|_| Descriptor::new(Kind::CUDNN_BACKEND_ENGINECFG_DESCRIPTOR))
        .collect::<Result<Vec<_>>>()?;
    let mut raw: Vec<_> = configs.iter().map(|config| config.0).collect();
    let name = Name::CUDNN_ATTR_ENGINEHEUR_RESULTS;
    let count = heuristics.get(name, Type::CUDNN_TYPE_BACKEND_DESCRIPTOR, &mut raw)?;
    configs.truncate(count);
    Ok(configs)
}

/// Whether an engine keeps within the limits, by what cuDNN notes of it.
fn allowed(config: &Descriptor, limits: Limits) -> Result<bool> {
    use sys::cudnnBackendNumericalNote_t::{
        CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC,
        CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION, CUDNN_NUMERICAL_NOTE_TENSOR_CORE,
    };
    let engine = Descriptor::new(Kind::CUDNN_BACKEND_ENGINE_DESCRIPTOR)?;
    let mut raw = [engine.0];
    config.get(Name::CUDNN_ATTR_ENGINECFG_ENGINE, Type::CUDNN_TYPE_BACKEND_DESCRIPTOR, &mut raw)?;
    // Numbers, for a newer cuDNN may have notes that are not known here.
    let mut notes = [0i32; 32];
    let count = engine.get(
        Name::CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
        Type::CUDNN_TYPE_NUMERICAL_NOTE,
        &mut notes,
    )?;
    let has = |note: sys::cudnnBackendNumericalNote_t| {
        notes[..count.min(notes.len())].contains(&(note as i32))
    };
    Ok(!has(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)
        && !has(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS)
        && !has(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION)
        && (limits.tensor_cores || !has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE)))
}

fn finished(handle: sys::cudnnHandle_t, config: &Descriptor) -> Result<Descriptor> {
    let plan = Descriptor::new(Kind::CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR)?;
    plan.set(Name::CUDNN_ATTR_EXECUTION_PLAN_HANDLE, Type::CUDNN_TYPE_HANDLE, &[handle])?;
    plan.set_descriptors(Name::CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, &[config])?;
    plan.finish()
}
