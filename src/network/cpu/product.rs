//! Matrix product over views with strides.

/// A view of values as `rows` x `columns`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Row-major; consecutive rows start `stride` values apart.
    ///
    /// # Panics
    /// When `values` is too short for it.
    pub(crate) fn strided(
        values: &'a [f32],
        rows: usize,
        columns: usize,
        stride: usize,
    ) -> Matrix<'a> {
        assert!(stride >= columns);
        assert!(rows == 0 || columns == 0 || values.len() >= (rows - 1) * stride + columns);
        Matrix { values, rows, columns, row_stride: stride, column_stride: 1 }
    }

    /// Row-major without gaps.
    ///
    /// # Panics
    /// When `values` is too short for it.
    pub(crate) fn new(values: &'a [f32], rows: usize, columns: usize) -> Matrix<'a> {
        Matrix::strided(values, rows, columns, columns)
    }

    /// Rows for columns.
    pub(crate) fn transposed(self) -> Matrix<'a> {
        Matrix {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// `out = a * b`, or `out += a * b` with `add`; rows of `out` start `stride` values apart. On all
/// threads with `parallel`; the result does not depend on it.
///
/// # Panics
/// When the shapes do not fit.
pub(crate) fn product(
    out: &mut [f32],
    stride: usize,
    a: Matrix<'_>,
    b: Matrix<'_>,
    add: bool,
    parallel: bool,
) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    assert_eq!(k, b.rows);
    assert!(stride >= n);
    if m == 0 || n == 0 {
        return;
    }
    assert!(out.len() >= (m - 1) * stride + n);
    let parallelism = if parallel { gemm::Parallelism::Rayon(0) } else { gemm::Parallelism::None };
    // SAFETY: the constructors of `Matrix` and the assertions above keep every element within its
    // slice; `out` is borrowed mutably, so it overlaps neither factor.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            stride as isize,
            add,
            a.values.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.values.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One value more would lie outside: Miri watches that (`cargo miri test just_long_enough`).
    #[test]
    fn slices_that_are_just_long_enough_are_enough() {
        for [m, n, k] in [[0, 3, 2], [1, 1, 0], [1, 1, 1], [2, 3, 4], [5, 16, 9], [17, 33, 4]] {
            for (gap, turned) in [(0, false), (0, true), (3, false), (3, true)] {
                let (rows, columns) = if turned { (k, m) } else { (m, k) };
                let length = |rows: usize, columns: usize| match rows.min(columns) {
                    0 => 0,
                    _ => (rows - 1) * (columns + gap) + columns,
                };
                let left: Vec<f32> =
                    (0..length(rows, columns)).map(|at| (at % 7) as f32 - 3.0).collect();
                let right: Vec<f32> = (0..k * n).map(|at| (at % 5) as f32 - 2.0).collect();
                let a = Matrix::strided(&left, rows, columns, columns + gap);
                let a = if turned { a.transposed() } else { a };
                let mut out = vec![1.0; length(m, n)];
                product(&mut out, n + gap, a, Matrix::new(&right, k, n), true, false);
                let of_a = |i: usize, l: usize| {
                    let (row, column) = if turned { (l, i) } else { (i, l) };
                    left[row * (columns + gap) + column]
                };
                for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
                    let sum: f32 = (0..k).map(|l| of_a(i, l) * right[l * n + j]).sum();
                    assert!((out[i * (n + gap) + j] - 1.0 - sum).abs() < 1e-3, "{m} {n} {k}");
                }
                // Between the rows nothing is written.
                let between = out.chunks(n + gap).flat_map(|row| row.iter().skip(n));
                assert!(between.into_iter().all(|&value| value == 1.0));
            }
        }
    }
}
