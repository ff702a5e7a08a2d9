//! The engine for CUDA: layers over device memory, convolutions by cuDNN, all else by kernels of our own.
//!
//! Maps are tensors of the usual shape, images x channels x rows x columns, whose memory is channels-last:
//! that is what tensor cores read, and it makes every map a matrix with one column per channel. Only
//! images come in and probed maps go out channels-first. The [`Tape`] is the processor's, over device
//! memory: a gradient is handed over and changed in place, and freed as the walk goes back.
//!
//! Everything runs on the device's one stream, in the order of the calls. Sums run in an order that
//! follows from their shape, and of cuDNN's algorithms only those are taken that repeat themselves bit by
//! bit, so a step is a pure function of its inputs here too.
//!
//! Logits cross to the host, where the loss and its gradient are a few numbers; that is the one place
//! where a step waits for the device.
//!
//! | file | what |
//! |---|---|
//! | `library.rs` | one per device: compiled kernels, cuDNN's handle, scratch memory |
//! | `map.rs` | tensors as kernels see them; the gradients of the tape |
//! | `convolution.rs`, `graph.rs` | the three convolutions, cuDNN's plans of them by shape, and its graph interface |
//! | `layers.rs` | every layer and how it is differentiated |
//! | `sgd.rs` | all parameters' step of gradient descent in one launch |
//! | `kernels/` | CUDA C, compiled for the card at hand by NVRTC when the program first uses it |

mod convolution;
mod graph;
mod layers;
mod library;
mod map;
mod sgd;

use std::sync::Arc;

use candle_core::{Device, Result, Tensor};

use super::tape::{Gradients, Tape};
use architecture::Precision;
pub(crate) use layers::{Bins, folded};
use library::Library;
pub(crate) use map::Gradient;
pub(crate) use sgd::{Descent, descend};

/// Computes layers on a CUDA device, and records them where there is a tape.
#[derive(Debug)]
pub(crate) struct Engine {
    library: Arc<Library>,
    precision: Precision,
    tape: Option<Tape<Gradient>>,
}

impl Engine {
    /// An engine that records nothing.
    ///
    /// # Errors
    /// When cuDNN or the compiler of kernels is missing, or the device fails.
    pub(crate) fn new(device: &Device, precision: Precision) -> Result<Engine> {
        Ok(Engine { library: Library::of(device.as_cuda_device()?)?, precision, tape: None })
    }

    /// The same with a tape.
    pub(crate) fn recording(self) -> Engine {
        Engine { tape: Some(Tape::default()), ..self }
    }

    /// Asks for the gradient by `tensor`.
    pub(crate) fn watch(&mut self, tensor: &Tensor) {
        if let Some(tape) = &mut self.tape {
            tape.watch(tensor);
        }
    }

    /// What led to `results`, for their gradients; nothing where nothing was recorded.
    pub(crate) fn record(&mut self, results: Vec<Tensor>) -> Option<Record> {
        let tape = self.tape.take()?;
        Some(Record { tape, results, library: Arc::clone(&self.library) })
    }

    /// A map as it is outside: single precision, channels-first.
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn plain(&self, map: &Tensor) -> Result<Tensor> {
        self.library.plain(map)
    }

    /// Whether maps are in half precision.
    fn half(&self) -> bool {
        self.precision == Precision::Bf16
    }
}

/// How some results came about.
#[derive(Debug)]
pub(crate) struct Record {
    tape: Tape<Gradient>,
    results: Vec<Tensor>,
    library: Arc<Library>,
}

impl Record {
    /// Copies of the results on the processor, in single precision.
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn results(&self) -> Result<Vec<Tensor>> {
        self.results.iter().map(map::to_host).collect()
    }

    /// Gradients by what was watched, given those by the results, on the processor. Uses the record up.
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn backward(self, by: &[Option<Tensor>]) -> Result<Gradients<Gradient>> {
        let by = self.uploaded(by)?;
        self.tape.backward(by)
    }

    /// As [`Record::backward`]; the record serves again.
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn rewind(&self, by: &[Option<Tensor>]) -> Result<Gradients<Gradient>> {
        self.tape.rewind(self.uploaded(by)?)
    }

    fn uploaded(&self, by: &[Option<Tensor>]) -> Result<Vec<(candle_core::TensorId, Gradient)>> {
        let given = self.results.iter().zip(by);
        given
            .filter_map(|(result, by)| Some((result, by.as_ref()?)))
            .map(|(result, by)| Ok((result.id(), Gradient::upload(&self.library, by, result)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests;
