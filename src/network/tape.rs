//! Reverse-mode differentiation for the processor.
//!
//! Candle's walk keeps every intermediate result until its end and adds each gradient to zeros made for
//! it. A tape holds what layers did, in order. Walking it backwards hands every layer the gradient by
//! its output, whose memory the layer may use, and drops the layer with what it kept, so that memory
//! shrinks from the first step on.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use candle_core::{Result, Tensor, TensorId, Var};

use super::cpu;

/// Passes the gradient by a layer's output on to its inputs.
type Backward = Box<dyn Fn(Vec<f32>, &mut Gradients) -> Result<()> + Send>;

/// What layers did, in order.
#[derive(Default)]
pub(crate) struct Tape {
    steps: Vec<(TensorId, Backward)>,
    /// Outputs of steps, and leaves.
    known: HashSet<TensorId>,
    leaves: HashSet<TensorId>,
}

impl std::fmt::Debug for Tape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tape").field("steps", &self.steps.len()).finish_non_exhaustive()
    }
}

impl Tape {
    /// Asks for the gradient by `tensor`: a parameter, an input, or an intermediate result.
    pub(crate) fn watch(&mut self, tensor: &Tensor) {
        self.known.insert(tensor.id());
        self.leaves.insert(tensor.id());
    }

    /// Whether a gradient by `tensor` is wanted, because it was watched or follows from what was.
    pub(crate) fn wants(&self, tensor: &Tensor) -> bool {
        self.known.contains(&tensor.id())
    }

    /// Records how `y` came about; nothing is kept if it follows from nothing that is watched.
    pub(crate) fn record(
        &mut self,
        inputs: &[&Tensor],
        y: &Tensor,
        backward: impl Fn(Vec<f32>, &mut Gradients) -> Result<()> + Send + 'static,
    ) {
        if inputs.iter().any(|input| self.wants(input)) {
            self.known.insert(y.id());
            self.steps.push((y.id(), Box::new(backward)));
        }
    }

    /// `f(x)`, recorded as Candle differentiates it.
    pub(crate) fn record_graph(
        &mut self,
        x: &Tensor,
        f: impl Fn(&Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        if !self.wants(x) {
            return f(x);
        }
        let leaf = Var::from_tensor(x)?;
        let graph = f(&leaf)?;
        let (x, y) = (x.clone(), graph.detach());
        self.record(&[&x.clone()], &y, move |grad, gradients| {
            let grad = cpu::tensor(grad, graph.dims())?;
            let store = (&graph * grad)?.sum_all()?.backward()?;
            match store.get(&leaf) {
                Some(grad) => gradients.add(&x, grad.flatten_all()?.to_vec1()?),
                None => Ok(()),
            }
        });
        Ok(y)
    }

    /// Gradients by what was watched, given those by some results. Uses the tape up, step by step.
    pub(crate) fn backward(mut self, results: Vec<(TensorId, Vec<f32>)>) -> Result<Gradients> {
        let known = std::mem::take(&mut self.known);
        let mut gradients = Gradients { known, sums: results.into_iter().collect() };
        while let Some((y, backward)) = self.steps.pop() {
            gradients.step(y, &backward, &self.leaves)?;
        }
        Ok(gradients)
    }

    /// As [`Tape::backward`], and the tape serves again for other results; its memory stays in use.
    pub(crate) fn rewind(&self, results: Vec<(TensorId, Vec<f32>)>) -> Result<Gradients> {
        let known = self.known.clone();
        let mut gradients = Gradients { known, sums: results.into_iter().collect() };
        for (y, backward) in self.steps.iter().rev() {
            gradients.step(*y, backward, &self.leaves)?;
        }
        Ok(gradients)
    }
}

/// Gradients, while they are summed and afterwards.
pub(crate) struct Gradients {
    known: HashSet<TensorId>,
    sums: HashMap<TensorId, Vec<f32>>,
}

impl Gradients {
    /// Passes the gradient by `y` on to what it came from. Only leaves keep theirs.
    fn step(&mut self, y: TensorId, backward: &Backward, leaves: &HashSet<TensorId>) -> Result<()> {
        let grad = match leaves.contains(&y) {
            true => self.sums.get(&y).cloned(),
            false => self.sums.remove(&y),
        };
        grad.map_or(Ok(()), |grad| backward(grad, self))
    }

    /// Whether a gradient by `tensor` is of use.
    pub(crate) fn wants(&self, tensor: &Tensor) -> bool {
        self.known.contains(&tensor.id())
    }

    /// Adds to the gradient by `tensor`.
    pub(crate) fn add(&mut self, tensor: &Tensor, grad: Vec<f32>) -> Result<()> {
        if tensor.elem_count() != grad.len() {
            candle_core::bail!("{} gradients by {:?}", grad.len(), tensor.dims());
        }
        if !self.wants(tensor) {
            return Ok(());
        }
        match self.sums.entry(tensor.id()) {
            Entry::Vacant(entry) => {
                entry.insert(grad);
            }
            Entry::Occupied(mut entry) => cpu::elementwise::accumulate(entry.get_mut(), &grad),
        }
        Ok(())
    }

    /// The gradient by something watched, of its shape; `None` where nothing depends on it.
    pub(crate) fn take(&mut self, tensor: &Tensor) -> Result<Option<Tensor>> {
        self.sums.remove(&tensor.id()).map(|grad| cpu::tensor(grad, tensor.dims())).transpose()
    }
}
