// Max pooling: the greatest value of every window, padding excluded, and which of the window it is, counted row by
// row; of equals the first, and NaN counts as greatest. The gradient is gathered, so that no sum depends on the order
// of threads. A thread has V neighbouring channels. Processor twin: cpu/pool.rs.

struct Window { int images, channels, rows, columns, out_rows, out_columns, kernel_rows, kernel_columns, stride,
                    pad_rows, pad_columns; };

template <int V>
static __device__ void max_pool(const Value* x, Value* y, unsigned char* which, const Window& w) {
  const unsigned groups = w.channels / V, count = w.images * w.out_rows * w.out_columns * groups;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    const unsigned place = i / groups, line = place / w.out_columns;
    const int c = (i - place * groups) * V, column = place - line * w.out_columns;
    const int image = line / w.out_rows, row = line - image * w.out_rows;
    const int top = row * w.stride - w.pad_rows, left = column * w.stride - w.pad_columns;
    // The first place inside counts where nothing is greater.
    const int begin = (top < 0 ? -top : 0) * w.kernel_columns + (left < 0 ? -left : 0);
    float best[V];
    Vector<unsigned char, V> at;
    for (int v = 0; v < V; v++) {
      best[v] = __uint_as_float(0xff800000u);  // Minus infinity.
      at.at[v] = (unsigned char)begin;
    }
    for (int ky = 0; ky < w.kernel_rows; ky++)
      for (int kx = 0; kx < w.kernel_columns; kx++) {
        const int sy = top + ky, sx = left + kx;
        if (sy < 0 || sx < 0 || sy >= w.rows || sx >= w.columns) continue;
        const Vector<Value, V> values = load<V>(x, (((Index)image * w.rows + sy) * w.columns + sx) * w.channels + c);
#pragma unroll
        for (int v = 0; v < V; v++) {
          const float value = get(values.at[v]);
          if (value > best[v] || value != value) {
            best[v] = value;
            at.at[v] = (unsigned char)(ky * w.kernel_columns + kx);
          }
        }
      }
    Vector<Value, V> out;
    for (int v = 0; v < V; v++) out.at[v] = put(best[v]);
    store<V>(y, (Index)i * V, out);
    if (which) store<V>(which, (Index)i * V, at);
  }
}

template <int V>
static __device__ void max_pool_gradient(const Value* grad, const unsigned char* which, Value* to, const Window& w) {
  const unsigned groups = w.channels / V, count = w.images * w.rows * w.columns * groups;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    const unsigned place = i / groups, line = place / w.columns;
    const int c = (i - place * groups) * V, sx = place - line * w.columns + w.pad_columns;
    const int image = line / w.rows, sy = line - image * w.rows + w.pad_rows;
    float sums[V];
    for (int v = 0; v < V; v++) sums[v] = 0.0f;
    const int low_row = sy - w.kernel_rows + 1, low_column = sx - w.kernel_columns + 1;
    const int first_row = low_row > 0 ? (low_row + w.stride - 1) / w.stride : 0,
              first_column = low_column > 0 ? (low_column + w.stride - 1) / w.stride : 0;
    for (int row = first_row; row < w.out_rows && row * w.stride <= sy; row++)
      for (int column = first_column; column < w.out_columns && column * w.stride <= sx; column++) {
        const Index from = (((Index)image * w.out_rows + row) * w.out_columns + column) * w.channels + c;
        const int at = (sy - row * w.stride) * w.kernel_columns + sx - column * w.stride;
        const Vector<unsigned char, V> chosen = load<V>(which, from);
        const Vector<Value, V> slope = load<V>(grad, from);
#pragma unroll
        for (int v = 0; v < V; v++)
          if (chosen.at[v] == at) sums[v] += get(slope.at[v]);
      }
    Vector<Value, V> out;
    for (int v = 0; v < V; v++) out.at[v] = put(sums[v]);
    store<V>(to, (Index)i * V, out);
  }
}

#define POOL(V)                                                                                                     \
  extern "C" __global__ void __launch_bounds__(256)                                                                 \
      max_pool_##V(const Value* x, Value* y, unsigned char* which, Window w) {                                      \
    max_pool<V>(x, y, which, w);                                                                                    \
  }                                                                                                                 \
  extern "C" __global__ void __launch_bounds__(256)                                                                 \
      max_pool_gradient_##V(const Value* grad, const unsigned char* which, Value* to, Window w) {                   \
    max_pool_gradient<V>(grad, which, to, w);                                                                       \
  }
POOL(1)
POOL(4)
