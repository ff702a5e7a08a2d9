//! Loops for the processor: what Candle computes slowly there, or differentiates wrongly.
//!
//! Plain functions from slices to vectors, row-major as tensors are. Work is divided by shape, never
//! by the number of threads, and sums run in a fixed order, so that results are the same bytes on
//! one core and on many.

/// Makes a loop a function that runs it with the longest vectors that the machine has. (A closure handed to
/// pulp, or a function, is compiled for the shortest where it is too long to be inlined, and nothing tells.)
macro_rules! vectorised {
    (@output) => { () };
    (@output $result:ty) => { $result };
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$l:lifetime>($($given:ident: $type:ty),* $(,)?)
     $(-> $result:ty)? $body:block) => {
        $(#[$meta])*
        $vis fn $name<$l>($($given: $type),*) $(-> $result)? {
            struct Call<$l> { $($given: $type),* }

            impl<$l> pulp::WithSimd for Call<$l> {
                type Output = vectorised!(@output $($result)?);

                #[inline(always)]
                fn with_simd<S: pulp::Simd>(self, _: S) -> Self::Output {
                    let Call { $($given),* } = self;
                    $body
                }
            }

            pulp::Arch::new().dispatch(Call { $($given),* })
        }
    };
}

pub(super) mod activation;
pub(super) mod convolution;
pub(super) mod dense;
mod direct;
pub(super) mod elementwise;
pub(super) mod layer_norm;
pub(super) mod maps;
pub(super) mod norm;
pub(super) mod pool;
mod product;
mod transform;
mod unfolding;
pub(super) mod winograd;

pub(super) use product::{Matrix, product};

use candle_core::{Device, Result, Storage, Tensor, bail};

/// Calls `f` with the values of tensors that live on the processor.
///
/// # Errors
/// When one lives elsewhere or does not hold 32-bit floats; those of `f`.
pub(super) fn with_values<const N: usize, R>(
    tensors: [&Tensor; N],
    f: impl FnOnce([&[f32]; N]) -> Result<R>,
) -> Result<R> {
    with_all(&tensors, |values| f(std::array::from_fn(|i| values[i])))
}

/// [`with_values`] of any number of tensors.
pub(super) fn with_all<R>(
    tensors: &[&Tensor],
    f: impl FnOnce(&[&[f32]]) -> Result<R>,
) -> Result<R> {
    let mut contiguous = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        contiguous.push(tensor.contiguous()?);
    }
    let guards: Vec<_> = contiguous.iter().map(Tensor::storage_and_layout).collect();
    let mut slices: Vec<&[f32]> = Vec::with_capacity(tensors.len());
    for (storage, layout) in &guards {
        let Storage::Cpu(storage) = &**storage else {
            bail!("expected a tensor on the processor");
        };
        let Some((start, end)) = layout.contiguous_offsets() else {
            bail!("expected a contiguous tensor, found strides {:?}", layout.stride());
        };
        slices.push(&storage.as_slice::<f32>()?[start..end]);
    }
    f(&slices)
}

/// A tensor on the processor that owns `values`.
pub(super) fn tensor(values: Vec<f32>, dims: &[usize]) -> Result<Tensor> {
    Tensor::from_vec(values, dims, &Device::Cpu)
}

/// Borrows this thread's scratch space, `len` values of no particular content. Work stolen while it
/// is borrowed gets a buffer of its own.
fn with_scratch<R>(len: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    thread_local! {
        static FREE: std::cell::RefCell<Vec<Vec<f32>>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    let mut buffer = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    }
    let result = f(&mut buffer[..len]);
    FREE.with_borrow_mut(|free| free.push(buffer));
    result
}

#[cfg(test)]
mod tests;
