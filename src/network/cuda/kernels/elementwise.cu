// Values one by one. Processor twin: cpu/elementwise.rs.

// max(x, 0).
extern "C" __global__ void relu(const Value* x, Value* y, Index count) {
  for (Index i = blockIdx.x * (Index)blockDim.x + threadIdx.x; i < count; i += (Index)gridDim.x * blockDim.x)
    y[i] = put(rectify(get(x[i]), 1));
}

// Sets the gradient to zero where the rectified output is not positive.
extern "C" __global__ void mask(Value* grad, const Value* y, Index count) {
  for (Index i = blockIdx.x * (Index)blockDim.x + threadIdx.x; i < count; i += (Index)gridDim.x * blockDim.x)
    if (get(y[i]) <= 0.0f) grad[i] = put(0.0f);
}

// Adds `others` to `values`, groups of four and the rest.
extern "C" __global__ void accumulate(Value* values, const Value* others, Index count) {
  const Index groups = count / 4;
  const Index first = blockIdx.x * (Index)blockDim.x + threadIdx.x, step = (Index)gridDim.x * blockDim.x;
  for (Index i = first; i < groups; i += step) {
    Vector<Value, 4> a = load<4>(values, i * 4), b = load<4>(others, i * 4);
#pragma unroll
    for (int v = 0; v < 4; v++) a.at[v] = put(get(a.at[v]) + get(b.at[v]));
    store<4>(values, i * 4, a);
  }
  for (Index i = groups * 4 + first; i < count; i += step) values[i] = put(get(values[i]) + get(others[i]));
}

// Multiplies the channels of images, of `plane` values each, by three scales and adds three shifts.
extern "C" __global__ void recolour(const float* x, float* y, Index count, Index plane, float a, float b, float c,
                                    float d, float e, float f) {
  for (Index i = blockIdx.x * (Index)blockDim.x + threadIdx.x; i < count; i += (Index)gridDim.x * blockDim.x) {
    const int channel = (int)(i / plane % 3);
    const float scale = channel == 0 ? a : channel == 1 ? b : c, shift = channel == 0 ? d : channel == 1 ? e : f;
    y[i] = x[i] * scale + shift;
  }
}

// Single precision as maps are.
extern "C" __global__ void cast(const float* x, Value* y, Index count) {
  for (Index i = blockIdx.x * (Index)blockDim.x + threadIdx.x; i < count; i += (Index)gridDim.x * blockDim.x)
    y[i] = put(x[i]);
}
