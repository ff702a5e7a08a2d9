// Batch normalisation (Ioffe & Szegedy 2015) by the statistics of the batch, fused with the addition of a shortcut
// and the ReLU that follow it in a residual block. Its processor twin is cpu/norm.rs.

struct Channel { float mean, inverse, scale, shift; };
struct Slope { float scale, level, slope, mean; };

// Means and variances of the channels, about the first row's values, so that little cancels; what normalisation
// multiplies by and adds; and the running statistics, `share` of which the batch's become.
template <int V>
static __device__ void moments(const Value* x, int rows, int columns, const float* gain, const float* offset,
                               float epsilon, float share, float* running_mean, float* running_variance,
                               Channel* channels, double2* partial, unsigned* counters) {
  float centre[V];
  const int column = (blockIdx.x * blockDim.x + threadIdx.x) * V;
  for (int v = 0; v < V; v++) centre[v] = column < columns ? get(x[column + v]) : 0.0f;
  sum_rows<V>(
      rows, columns, partial, counters,
      [&](Index at) { return load<V>(x, at); },
      [&](Index, const Vector<Value, V>& values, float(&sums)[2][V]) {
#pragma unroll
        for (int v = 0; v < V; v++) {
          const float d = get(values.at[v]) - centre[v];
          sums[0][v] += d;
          sums[1][v] += d * d;
        }
      },
      [&](int c, double sum, double squares) {
        const double off = sum / rows;
        const float mean = (float)((double)get(x[c]) + off);
        const double spread = squares / rows - off * off;
        const float variance = spread > 0.0 ? (float)spread : (spread == spread ? 0.0f : (float)spread);
        const float inverse = 1.0f / sqrtf(variance + epsilon);
        const float scale = gain[c] * inverse;
        Channel channel = {mean, inverse, scale, offset[c] - mean * scale};
        channels[c] = channel;
        if (running_mean) {
          const float unbiased = variance * ((float)rows / (rows > 1 ? (float)(rows - 1) : 1.0f));
          running_mean[c] = running_mean[c] * (1.0f - share) + mean * share;
          running_variance[c] = running_variance[c] * (1.0f - share) + unbiased * share;
        }
      });
}

template <int V>
static __device__ void normalise(const Value* x, const Value* shortcut, Value* y, int rows, int columns,
                                 const Channel* channels, int relu) {
  const int column = (blockIdx.x * blockDim.x + threadIdx.x) * V;
  if (column >= columns) return;
  float scale[V], shift[V];
  for (int v = 0; v < V; v++) {
    scale[v] = channels[column + v].scale;
    shift[v] = channels[column + v].shift;
  }
  const int step = gridDim.y * blockDim.y;
#pragma unroll 4
  for (int r = blockIdx.y * blockDim.y + threadIdx.y; r < rows; r += step) {
    const Index at = (Index)r * columns + column;
    const Vector<Value, V> values = load<V>(x, at);
    Vector<Value, V> others, out;
    if (shortcut) others = load<V>(shortcut, at);
#pragma unroll
    for (int v = 0; v < V; v++) {
      float value = fmaf(get(values.at[v]), scale[v], shift[v]);
      if (shortcut) value += get(others.at[v]);
      out.at[v] = put(rectify(value, relu));
    }
    store<V>(y, at, out);
  }
}

// What a row holds of input, gradient and output.
template <int V> struct Three { Vector<Value, V> x, grad, y; };

// Sums of the gradient, and of its product with the centred values: gradients by offset and gain, and what the
// moments take back. Where the output was rectified, the gradient is first set to zero as the ReLU does: in place,
// by the output `y`, where there is one; otherwise by what the output was, here and in `gradient`.
template <int V>
static __device__ void gradient_sums(const Value* x, const Value* y, Value* grad, int rows, int columns,
                                     const float* gain, const Channel* channels, int relu, float* by_gain,
                                     float* by_offset, Slope* slopes, double2* partial, unsigned* counters) {
  const int column = (blockIdx.x * blockDim.x + threadIdx.x) * V;
  Channel own[V];
  for (int v = 0; v < V; v++)
    if (column < columns) own[v] = channels[column + v];
  sum_rows<V>(
      rows, columns, partial, counters,
      [&](Index at) {
        Three<V> read;
        read.x = load<V>(x, at);
        read.grad = load<V>(grad, at);
        if (y) read.y = load<V>(y, at);
        return read;
      },
      [&](Index at, const Three<V>& read, float(&sums)[2][V]) {
        Vector<Value, V> slope = read.grad;
#pragma unroll
        for (int v = 0; v < V; v++) {
          const float value = get(read.x.at[v]);
          float g = get(slope.at[v]);
          if (relu) {
            const float out = y ? get(read.y.at[v]) : fmaf(value, own[v].scale, own[v].shift);
            if (out <= 0.0f) g = 0.0f;
          }
          slope.at[v] = put(g);
          sums[0][v] += g;
          sums[1][v] += g * (value - own[v].mean);
        }
        if (y) store<V>(grad, at, slope);
      },
      [&](int c, double sum, double product) {
        const Channel channel = channels[c];
        const double whole = product * (double)channel.inverse;
        by_gain[c] = (float)whole;
        by_offset[c] = (float)sum;
        Slope slope = {gain[c] * channel.inverse, (float)(sum / rows), (float)(whole / rows) * channel.inverse,
                       channel.mean};
        slopes[c] = slope;
      });
}

// The gradient by `x`, into `to`, which may be `grad`.
template <int V>
static __device__ void gradient(const Value* x, const Value* grad, Value* to, int rows, int columns,
                                const Channel* channels, const Slope* slopes, int rectified) {
  const int column = (blockIdx.x * blockDim.x + threadIdx.x) * V;
  if (column >= columns) return;
  Slope own[V];
  float scale[V], shift[V];
  for (int v = 0; v < V; v++) {
    own[v] = slopes[column + v];
    scale[v] = channels[column + v].scale;
    shift[v] = channels[column + v].shift;
  }
  const int step = gridDim.y * blockDim.y;
#pragma unroll 4
  for (int r = blockIdx.y * blockDim.y + threadIdx.y; r < rows; r += step) {
    const Index at = (Index)r * columns + column;
    const Vector<Value, V> values = load<V>(x, at), slope = load<V>(grad, at);
    Vector<Value, V> out;
#pragma unroll
    for (int v = 0; v < V; v++) {
      const float value = get(values.at[v]);
      float g = get(slope.at[v]);
      if (rectified && fmaf(value, scale[v], shift[v]) <= 0.0f) g = 0.0f;
      out.at[v] = put(own[v].scale * (g - own[v].level - (value - own[v].mean) * own[v].slope));
    }
    store<V>(to, at, out);
  }
}

#define NORM(V)                                                                                                     \
  extern "C" __global__ void __launch_bounds__(256)                                                                 \
      moments_##V(const Value* x, int rows, int columns, const float* gain, const float* offset, float epsilon,     \
                  float share, float* running_mean, float* running_variance, Channel* channels, double2* partial,   \
                  unsigned* counters) {                                                                             \
    moments<V>(x, rows, columns, gain, offset, epsilon, share, running_mean, running_variance, channels, partial,   \
               counters);                                                                                           \
  }                                                                                                                 \
  extern "C" __global__ void __launch_bounds__(256)                                                                 \
      normalise_##V(const Value* x, const Value* shortcut, Value* y, int rows, int columns,                         \
                    const Channel* channels, int relu) {                                                            \
    normalise<V>(x, shortcut, y, rows, columns, channels, relu);                                                    \
  }                                                                                                                 \
  extern "C" __global__ void __launch_bounds__(256)                                                                 \
      norm_gradient_sums_##V(const Value* x, const Value* y, Value* grad, int rows, int columns, const float* gain, \
                             const Channel* channels, int relu, float* by_gain, float* by_offset, Slope* slopes,    \
                             double2* partial, unsigned* counters) {                                                \
    gradient_sums<V>(x, y, grad, rows, columns, gain, channels, relu, by_gain, by_offset, slopes, partial,          \
                     counters);                                                                                     \
  }                                                                                                                 \
  extern "C" __global__ void __launch_bounds__(256)                                                                 \
      norm_gradient_##V(const Value* x, const Value* grad, Value* to, int rows, int columns,                        \
                        const Channel* channels, const Slope* slopes, int rectified) {                              \
    gradient<V>(x, grad, to, rows, columns, channels, slopes, rectified);                                           \
  }
NORM(1)
NORM(4)

// The batch normalisation after a convolution by fixed statistics, as another weight, of `each` values per unit, and
// a bias.
extern "C" __global__ void fold(const float* weight, const float* gain, const float* offset, const float* mean,
                                const float* variance, float epsilon, float* to, float* bias, Index count, Index each) {
  for (Index i = blockIdx.x * (Index)blockDim.x + threadIdx.x; i < count; i += (Index)gridDim.x * blockDim.x) {
    const Index unit = i / each;
    const float scale = gain[unit] / sqrtf(variance[unit] + epsilon);
    to[i] = weight[i] * scale;
    if (i % each == 0) bias[unit] = offset[unit] - mean[unit] * scale;
  }
}
