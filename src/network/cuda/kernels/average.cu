// Averages over windows, in which padding counts as zeros, and over bins of no fixed size (PyTorch's adaptive
// pooling: output i averages the inputs from floor(i n / m) to ceil((i + 1) n / m)), of which one over a whole map, or
// over its top left corner, is a case. Processor twin: cpu/pool.rs.

struct Bins { int images, channels, rows, columns, inner_rows, inner_columns, out_rows, out_columns, kernel, stride,
                  pad, adaptive; };

static __device__ __forceinline__ int from(int i, int inner, int out, const Bins& b) {
  return b.adaptive ? (int)((Index)i * inner / out) : i * b.stride - b.pad;
}
static __device__ __forceinline__ int to(int i, int inner, int out, const Bins& b) {
  return b.adaptive ? (int)(((Index)(i + 1) * inner + out - 1) / out) : i * b.stride - b.pad + b.kernel;
}

extern "C" __global__ void average(const Value* x, Value* y, Bins b) {
  const Index count = (Index)b.images * b.out_rows * b.out_columns * b.channels;
  for (Index i = blockIdx.x * (Index)blockDim.x + threadIdx.x; i < count; i += (Index)gridDim.x * blockDim.x) {
    const int c = (int)(i % b.channels);
    const Index place = i / b.channels;
    const int column = (int)(place % b.out_columns), row = (int)(place / b.out_columns % b.out_rows);
    const Index image = place / b.out_columns / b.out_rows;
    const int top = from(row, b.inner_rows, b.out_rows, b), bottom = to(row, b.inner_rows, b.out_rows, b);
    const int left = from(column, b.inner_columns, b.out_columns, b),
              right = to(column, b.inner_columns, b.out_columns, b);
    float sum = 0.0f;
    for (int sy = top < 0 ? 0 : top; sy < bottom && sy < b.inner_rows; sy++)
      for (int sx = left < 0 ? 0 : left; sx < right && sx < b.inner_columns; sx++)
        sum += get(x[((image * b.rows + sy) * b.columns + sx) * b.channels + c]);
    y[i] = put(sum / ((bottom - top) * (right - left)));
  }
}

extern "C" __global__ void average_gradient(const Value* grad, Value* x, Bins b) {
  const Index count = (Index)b.images * b.rows * b.columns * b.channels;
  for (Index i = blockIdx.x * (Index)blockDim.x + threadIdx.x; i < count; i += (Index)gridDim.x * blockDim.x) {
    const int c = (int)(i % b.channels);
    const Index place = i / b.channels;
    const int sx = (int)(place % b.columns), sy = (int)(place / b.columns % b.rows);
    const Index image = place / b.columns / b.rows;
    float sum = 0.0f;
    if (sx < b.inner_columns && sy < b.inner_rows) {
      // The first bin that can reach the place; bins are in order.
      int row = b.adaptive ? (int)((Index)sy * b.out_rows / b.inner_rows) : (sy + b.pad - b.kernel) / b.stride;
      int first = b.adaptive ? (int)((Index)sx * b.out_columns / b.inner_columns) : (sx + b.pad - b.kernel) / b.stride;
      for (row = row > 1 ? row - 1 : 0; row < b.out_rows && from(row, b.inner_rows, b.out_rows, b) <= sy; row++) {
        const int top = from(row, b.inner_rows, b.out_rows, b), bottom = to(row, b.inner_rows, b.out_rows, b);
        if (bottom <= sy) continue;
        for (int column = first > 1 ? first - 1 : 0;
             column < b.out_columns && from(column, b.inner_columns, b.out_columns, b) <= sx; column++) {
          const int left = from(column, b.inner_columns, b.out_columns, b),
                    right = to(column, b.inner_columns, b.out_columns, b);
          if (right <= sx) continue;
          sum += get(grad[((image * b.out_rows + row) * b.out_columns + column) * b.channels + c]) /
                 ((bottom - top) * (right - left));
        }
      }
    }
    x[i] = put(sum);
  }
}
