// Stochastic gradient descent with momentum and weight decay over all parameters at once. Processor twin:
// training/sgd.rs.

// A parameter, and where it begins among all chunks of CHUNK values. Its gradient is laid out as it is where `taps`
// is 1; otherwise it is a kernel's, channels-last: `depth` channels of `taps` positions.
struct Parameter { float* value; float* velocity; const void* gradient; Index count; int chunk, depth, taps, half; };
#define CHUNK 4096

extern "C" __global__ void __launch_bounds__(256)
    descend(const Parameter* parameters, int count, float momentum, float decay, float rate) {
  // The last parameter that begins no later than this chunk.
  int low = 0, high = count - 1;
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (parameters[middle].chunk <= (int)blockIdx.x) low = middle; else high = middle - 1;
  }
  const Parameter p = parameters[low];
  const Index first = (Index)(blockIdx.x - p.chunk) * CHUNK;
  const Index end = first + CHUNK < p.count ? first + CHUNK : p.count;
  for (Index i = first + threadIdx.x; i < end; i += 256) {
    Index at = i;
    if (p.taps > 1) {
      const Index each = (Index)p.depth * p.taps, unit = i / each;
      const int within = (int)(i % each);
      at = unit * each + (Index)(within % p.taps) * p.depth + within / p.taps;
    }
    const float slope = p.half ? __uint_as_float((unsigned)((const unsigned short*)p.gradient)[at] << 16)
                               : ((const float*)p.gradient)[at];
    const float value = p.value[i];
    const float velocity = momentum * p.velocity[i] + (slope + decay * value);
    p.velocity[i] = velocity;
    p.value[i] = value - rate * velocity;
  }
}
