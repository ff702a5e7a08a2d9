//! Reverse-mode differentiation, over the processor's memory or a device's.
//!
//! Candle's walk keeps every intermediate result until its end and adds each gradient to zeros made for
//! it. A tape holds what layers did, in order. Walking it backwards hands every layer the gradient by
//! its output, whose memory the layer may use, and drops the layer with what it kept, so that memory
//! shrinks from the first step on.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use candle_core::{Result, Tensor, TensorId, Var};

use super::cpu;

/// The values of a gradient, in memory of their own.
pub(crate) trait Gradient: Sized {
    /// How many there are.
    fn len(&self) -> usize;

    /// The same values in other memory.
    fn copy(&self) -> Result<Self>;

    /// Adds as many others.
    fn accumulate(&mut self, other: Self) -> Result<()>;

    /// A tensor of this shape.
    fn into_tensor(self, dims: &[usize]) -> Result<Tensor>;
}

impl Gradient for Vec<f32> {
    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn copy(&self) -> Result<Self> {
        Ok(self.clone())
    }

    fn accumulate(&mut self, other: Self) -> Result<()> {
        cpu::elementwise::accumulate(self, &other);
        Ok(())
    }

    fn into_tensor(self, dims: &[usize]) -> Result<Tensor> {
        cpu::tensor(self, dims)
    }
}

/// Passes the gradient by a layer's output on to its inputs.
type Backward<G> = Box<dyn Fn(G, &mut Gradients<G>) -> Result<()> + Send>;

/// What layers did, in order.
pub(crate) struct Tape<G = Vec<f32>> {
    steps: Vec<(TensorId, Backward<G>)>,
    /// Outputs of steps, and leaves.
    known: HashSet<TensorId>,
    leaves: HashSet<TensorId>,
}

impl<G> Default for Tape<G> {
    fn default() -> Self {
        Tape { steps: vec![], known: HashSet::new(), leaves: HashSet::new() }
    }
}

impl<G> std::fmt::Debug for Tape<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tape").field("steps", &self.steps.len()).finish_non_exhaustive()
    }
}

impl<G: Gradient> Tape<G> {
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
        backward: impl Fn(G, &mut Gradients<G>) -> Result<()> + Send + 'static,
    ) {
        if inputs.iter().any(|input| self.wants(input)) {
            self.known.insert(y.id());
            self.steps.push((y.id(), Box::new(backward)));
        }
    }

    /// Gradients by what was watched, given those by some results. Uses the tape up, step by step.
    pub(crate) fn backward(mut self, results: Vec<(TensorId, G)>) -> Result<Gradients<G>> {
        let known = std::mem::take(&mut self.known);
        let mut gradients = Gradients { known, sums: results.into_iter().collect() };
        while let Some((y, backward)) = self.steps.pop() {
            gradients.step(y, &backward, &self.leaves)?;
        }
        Ok(gradients)
    }

    /// As [`Tape::backward`], and the tape serves again for other results; its memory stays in use.
    pub(crate) fn rewind(&self, results: Vec<(TensorId, G)>) -> Result<Gradients<G>> {
        let known = self.known.clone();
        let mut gradients = Gradients { known, sums: results.into_iter().collect() };
        for (y, backward) in self.steps.iter().rev() {
            gradients.step(*y, backward, &self.leaves)?;
        }
        Ok(gradients)
    }
}

impl Tape {
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
}

/// Gradients, while they are summed and afterwards.
pub(crate) struct Gradients<G = Vec<f32>> {
    known: HashSet<TensorId>,
    sums: HashMap<TensorId, G>,
}

impl<G: Gradient> Gradients<G> {
    /// Passes the gradient by `y` on to what it came from. Only leaves keep theirs.
    fn step(
        &mut self,
        y: TensorId,
        backward: &Backward<G>,
        leaves: &HashSet<TensorId>,
    ) -> Result<()> {
        let grad = match leaves.contains(&y) {
            true => self.sums.get(&y).map(G::copy).transpose()?,
            false => self.sums.remove(&y),
        };
        grad.map_or(Ok(()), |grad| backward(grad, self))
    }

    /// Whether a gradient by `tensor` is of use.
    pub(crate) fn wants(&self, tensor: &Tensor) -> bool {
        self.known.contains(&tensor.id())
    }

    /// Adds to the gradient by `tensor`.
    pub(crate) fn add(&mut self, tensor: &Tensor, grad: G) -> Result<()> {
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
            Entry::Occupied(mut entry) => entry.get_mut().accumulate(grad)?,
        }
        Ok(())
    }

    /// What the gradient by `tensor` is so far, out of the sum and to be [added](Gradients::add) again; `None`
    /// where there is nothing yet.
    pub(crate) fn lift(&mut self, tensor: &Tensor) -> Option<G> {
        self.sums.remove(&tensor.id())
    }

    /// The gradient by something watched, of its shape; `None` where nothing depends on it.
    pub(crate) fn take(&mut self, tensor: &Tensor) -> Result<Option<Tensor>> {
        self.sums.remove(&tensor.id()).map(|grad| grad.into_tensor(tensor.dims())).transpose()
    }
}
