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
