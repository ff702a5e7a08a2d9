// Averages over windows, in which padding counts as zeros, and over bins of no fixed size (PyTorch's adaptive
// pooling: output i averages the inputs from floor(i n / m) to ceil((i + 1) n / m)), of which one over a whole map, or
// over its top left corner, is a case. A thread has V neighbouring channels. Processor twin: cpu/pool.rs.

struct Bins { int images, channels, rows, columns, inner_rows, inner_columns, out_rows, out_columns, kernel, stride,
                  pad, adaptive; };

// The first input of a bin along an axis, and the first after it; both may lie outside.
static __device__ __forceinline__ int from(int i, int inner, int out, const Bins& b) {
  return b.adaptive ? (int)((Index)i * inner / out) : i * b.stride - b.pad;
}
static __device__ __forceinline__ int to(int i, int inner, int out, const Bins& b) {
  return b.adaptive ? (int)(((Index)(i + 1) * inner + out - 1) / out) : i * b.stride - b.pad + b.kernel;
}
// The first bin that can hold an input, or one before; bins are in order.
static __device__ __forceinline__ int bin(int at, int inner, int out, const Bins& b) {
  const int first = b.adaptive ? (int)((Index)at * out / inner) - 1 : (at + b.pad - b.kernel) / b.stride;
  return first > 0 ? first : 0;
}

template <int V>
static __device__ void average(const Value* x, Value* y, const Bins& b) {
  const unsigned groups = b.channels / V, count = b.images * b.out_rows * b.out_columns * groups;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    const unsigned place = i / groups, line = place / b.out_columns;
    const int c = (i - place * groups) * V, column = place - line * b.out_columns;
    const int image = line / b.out_rows, row = line - image * b.out_rows;
    const int top = from(row, b.inner_rows, b.out_rows, b), bottom = to(row, b.inner_rows, b.out_rows, b);
    const int left = from(column, b.inner_columns, b.out_columns, b),
              right = to(column, b.inner_columns, b.out_columns, b);
    float sums[V];
    for (int v = 0; v < V; v++) sums[v] = 0.0f;
    for (int sy = top < 0 ? 0 : top; sy < bottom && sy < b.inner_rows; sy++)
      for (int sx = left < 0 ? 0 : left; sx < right && sx < b.inner_columns; sx++) {
        const Vector<Value, V> values = load<V>(x, (((Index)image * b.rows + sy) * b.columns + sx) * b.channels + c);
#pragma unroll
        for (int v = 0; v < V; v++) sums[v] += get(values.at[v]);
      }
    Vector<Value, V> out;
    for (int v = 0; v < V; v++) out.at[v] = put(sums[v] / ((bottom - top) * (right - left)));
    store<V>(y, (Index)i * V, out);
  }
}

template <int V>
static __device__ void average_gradient(const Value* grad, Value* x, const Bins& b) {
  const unsigned groups = b.channels / V, count = b.images * b.rows * b.columns * groups;
  const float share = b.adaptive ? 0.0f : 1.0f / (b.kernel * b.kernel);
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    const unsigned place = i / groups, line = place / b.columns;
    const int c = (i - place * groups) * V, sx = place - line * b.columns;
    const int image = line / b.rows, sy = line - image * b.rows;
    float sums[V];
    for (int v = 0; v < V; v++) sums[v] = 0.0f;
    if (sx < b.inner_columns && sy < b.inner_rows)
      for (int row = bin(sy, b.inner_rows, b.out_rows, b);
           row < b.out_rows && from(row, b.inner_rows, b.out_rows, b) <= sy; row++) {
        const int height = to(row, b.inner_rows, b.out_rows, b) - from(row, b.inner_rows, b.out_rows, b);
        if (to(row, b.inner_rows, b.out_rows, b) <= sy) continue;
        for (int column = bin(sx, b.inner_columns, b.out_columns, b);
             column < b.out_columns && from(column, b.inner_columns, b.out_columns, b) <= sx; column++) {
          const int right = to(column, b.inner_columns, b.out_columns, b);
          if (right <= sx) continue;
          const int width = right - from(column, b.inner_columns, b.out_columns, b);
          const float of = b.adaptive ? 1.0f / (height * width) : share;
          const Vector<Value, V> slope =
              load<V>(grad, (((Index)image * b.out_rows + row) * b.out_columns + column) * b.channels + c);
#pragma unroll
          for (int v = 0; v < V; v++) sums[v] += get(slope.at[v]) * of;
        }
      }
    Vector<Value, V> out;
    for (int v = 0; v < V; v++) out.at[v] = put(sums[v]);
    store<V>(x, (Index)i * V, out);
  }
}

#define AVERAGE(V)                                                                                                  \
  extern "C" __global__ void __launch_bounds__(256) average_##V(const Value* x, Value* y, Bins b) {                 \
    average<V>(x, y, b);                                                                                            \
  }                                                                                                                 \
  extern "C" __global__ void __launch_bounds__(256) average_gradient_##V(const Value* grad, Value* x, Bins b) {     \
    average_gradient<V>(grad, x, b);                                                                                \
  }
AVERAGE(1)
AVERAGE(4)
