// Max pooling: the greatest value of every window, padding excluded, and which of the window it is, counted row by
// row; of equals the first, and NaN counts as greatest. The gradient is gathered, so that no sum depends on the order
// of threads. Processor twin: cpu/pool.rs.

struct Window { int images, channels, rows, columns, out_rows, out_columns, kernel_rows, kernel_columns, stride,
                    pad_rows, pad_columns; };

extern "C" __global__ void max_pool(const Value* x, Value* y, unsigned char* which, Window w) {
  const Index count = (Index)w.images * w.out_rows * w.out_columns * w.channels;
  for (Index i = blockIdx.x * (Index)blockDim.x + threadIdx.x; i < count; i += (Index)gridDim.x * blockDim.x) {
    const int c = (int)(i % w.channels);
    const Index place = i / w.channels;
    const int column = (int)(place % w.out_columns), row = (int)(place / w.out_columns % w.out_rows);
    const Index image = place / w.out_columns / w.out_rows;
    const int top = row * w.stride - w.pad_rows, left = column * w.stride - w.pad_columns;
    float best = __uint_as_float(0xff800000u);  // Minus infinity.
    // The first place inside counts where nothing is greater.
    int at = (top < 0 ? -top : 0) * w.kernel_columns + (left < 0 ? -left : 0);
    for (int ky = 0; ky < w.kernel_rows; ky++)
      for (int kx = 0; kx < w.kernel_columns; kx++) {
        const int sy = top + ky, sx = left + kx;
        if (sy < 0 || sx < 0 || sy >= w.rows || sx >= w.columns) continue;
        const float value = get(x[((image * w.rows + sy) * w.columns + sx) * w.channels + c]);
        if (value > best || value != value) {
          best = value;
          at = ky * w.kernel_columns + kx;
        }
      }
    y[i] = put(best);
    if (which) which[i] = (unsigned char)at;
  }
}

extern "C" __global__ void max_pool_gradient(const Value* grad, const unsigned char* which, Value* to, Window w) {
  const Index count = (Index)w.images * w.rows * w.columns * w.channels;
  for (Index i = blockIdx.x * (Index)blockDim.x + threadIdx.x; i < count; i += (Index)gridDim.x * blockDim.x) {
    const int c = (int)(i % w.channels);
    const Index place = i / w.channels;
    const int sx = (int)(place % w.columns), sy = (int)(place / w.columns % w.rows);
    const Index image = place / w.columns / w.rows;
    float sum = 0.0f;
    const int low_row = sy + w.pad_rows - w.kernel_rows + 1, low_column = sx + w.pad_columns - w.kernel_columns + 1;
    for (int row = low_row > 0 ? (low_row + w.stride - 1) / w.stride : 0;
         row < w.out_rows && row * w.stride <= sy + w.pad_rows; row++)
      for (int column = low_column > 0 ? (low_column + w.stride - 1) / w.stride : 0;
           column < w.out_columns && column * w.stride <= sx + w.pad_columns; column++) {
        const Index from = ((image * w.out_rows + row) * w.out_columns + column) * w.channels + c;
        const int at = (sy + w.pad_rows - row * w.stride) * w.kernel_columns + sx + w.pad_columns - column * w.stride;
        if (which[from] == at) sum += get(grad[from]);
      }
    to[i] = put(sum);
  }
}
