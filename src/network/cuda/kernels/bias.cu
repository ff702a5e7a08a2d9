// A bias per channel, a shortcut and a ReLU over a map, and their gradient. Processor twins: cpu/elementwise.rs,
// cpu/convolution.rs (bias_gradient).

template <int V>
static __device__ void bias_relu(Value* y, const float* bias, const Value* shortcut, int rows, int columns, int relu) {
  const int column = (blockIdx.x * blockDim.x + threadIdx.x) * V;
  if (column >= columns) return;
  float own[V];
  for (int v = 0; v < V; v++) own[v] = bias[column + v];
  const int step = gridDim.y * blockDim.y;
#pragma unroll 4
  for (int r = blockIdx.y * blockDim.y + threadIdx.y; r < rows; r += step) {
    const Index at = (Index)r * columns + column;
    Vector<Value, V> values = load<V>(y, at), others;
    if (shortcut) others = load<V>(shortcut, at);
#pragma unroll
    for (int v = 0; v < V; v++) {
      float value = get(values.at[v]) + own[v];
      if (shortcut) value += get(others.at[v]);
      values.at[v] = put(rectify(value, relu));
    }
    store<V>(y, at, values);
  }
}

// What a row holds of gradient and output.
template <int V> struct Two { Vector<Value, V> grad, y; };

// The gradient by the bias; before, where there is an output `y`, the gradient is set to zero in place as the ReLU
// does.
template <int V>
static __device__ void bias_gradient(Value* grad, const Value* y, int rows, int columns, float* by_bias,
                                     double2* partial, unsigned* counters) {
  sum_rows<V>(
      rows, columns, partial, counters,
      [&](Index at) {
        Two<V> read;
        read.grad = load<V>(grad, at);
        if (y) read.y = load<V>(y, at);
        return read;
      },
      [&](Index at, const Two<V>& read, float(&sums)[2][V]) {
        Vector<Value, V> slope = read.grad;
        if (y) {
#pragma unroll
          for (int v = 0; v < V; v++)
            if (get(read.y.at[v]) <= 0.0f) slope.at[v] = put(0.0f);
          store<V>(grad, at, slope);
        }
#pragma unroll
        for (int v = 0; v < V; v++) sums[0][v] += get(slope.at[v]);
      },
      [&](int c, double sum, double) { by_bias[c] = (float)sum; });
}

#define BIAS(V)                                                                                                     \
  extern "C" __global__ void __launch_bounds__(256)                                                                 \
      bias_relu_##V(Value* y, const float* bias, const Value* shortcut, int rows, int columns, int relu) {          \
    bias_relu<V>(y, bias, shortcut, rows, columns, relu);                                                           \
  }                                                                                                                 \
  extern "C" __global__ void __launch_bounds__(256)                                                                 \
      bias_gradient_##V(Value* grad, const Value* y, int rows, int columns, float* by_bias, double2* partial,       \
                        unsigned* counters) {                                                                       \
    bias_gradient<V>(grad, y, rows, columns, by_bias, partial, counters);                                           \
  }
BIAS(1)
BIAS(4)
