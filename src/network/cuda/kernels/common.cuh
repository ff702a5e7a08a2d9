// What the kernels share: the type of maps, vectors of it, tiles over a matrix, and sums over its rows.
//
// Maps lie channels-last, so that one of images x channels x rows x columns is a matrix of as many rows as
// there are places in all images, and one column per channel. A block of 256 threads is a tile of `blockDim.x`
// groups of V neighbouring columns by `blockDim.y` rows.

typedef long long Index;

#ifdef BF16
// What a module is of, to be read in its machine code.
extern "C" __device__ const int half_precision = 1;
typedef unsigned short Value;
static __device__ __forceinline__ float get(Value v) { return __uint_as_float((unsigned)v << 16); }
// Rounds to the nearest, halves to even; NaN stays NaN.
static __device__ __forceinline__ Value put(float f) {
  unsigned bits = __float_as_uint(f);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (Value)((bits >> 16) | 0x40u);
  return (Value)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
#else
typedef float Value;
static __device__ __forceinline__ float get(Value v) { return v; }
static __device__ __forceinline__ Value put(float f) { return f; }
#endif

// V values side by side, read and written in one piece.
template <class T, int V> struct __align__(V * sizeof(T)) Vector { T at[V]; };

template <int V, class T> static __device__ __forceinline__ Vector<T, V> load(const T* from, Index at) {
  return *reinterpret_cast<const Vector<T, V>*>(from + at);
}
template <int V, class T> static __device__ __forceinline__ void store(T* to, Index at, Vector<T, V> v) {
  *reinterpret_cast<Vector<T, V>*>(to + at) = v;
}

// What is left of a value after a ReLU; NaN stays NaN.
static __device__ __forceinline__ float rectify(float v, int relu) { return relu && v <= 0.0f ? 0.0f : v; }

// Two sums per column of a matrix, over all its rows, in an order that follows from its shape alone. `read(at)` gives
// what the V columns of a thread hold in the row that begins at `at`, `add(at, read, sums)` adds it, and
// `finish(column, a, b)` is called once per column. Rows are dealt to gridDim.y blocks; the one that is done last adds
// what they found. `partial` holds gridDim.y x columns pairs; `counters` one zero per block of columns, and again
// after.
template <int V, class Read, class Add, class Finish>
static __device__ void sum_rows(int rows, int columns, double2* partial, unsigned* counters, Read read, Add add,
                                Finish finish) {
  __shared__ float found[256 * 2 * V];
  __shared__ double parts[256 * 2];
  __shared__ bool last;
  const int thread = threadIdx.y * blockDim.x + threadIdx.x;
  const int column = (blockIdx.x * blockDim.x + threadIdx.x) * V;
  float sums[2][V];
  for (int v = 0; v < V; v++) sums[0][v] = sums[1][v] = 0.0f;
  if (column < columns) {
    const int step = gridDim.y * blockDim.y;
    // Four rows are on their way at a time.
    for (int first = blockIdx.y * blockDim.y + threadIdx.y; first < rows; first += 4 * step) {
      decltype(read((Index)0)) items[4];
#pragma unroll
      for (int k = 0; k < 4; k++)
        if (first + k * step < rows) items[k] = read((Index)(first + k * step) * columns + column);
#pragma unroll
      for (int k = 0; k < 4; k++)
        if (first + k * step < rows) add((Index)(first + k * step) * columns + column, items[k], sums);
    }
  }
  for (int v = 0; v < V; v++) {
    found[(thread * 2 + 0) * V + v] = sums[0][v];
    found[(thread * 2 + 1) * V + v] = sums[1][v];
  }
  __syncthreads();
  // One thread per column and sum, over the rows of the block.
  const int width = blockDim.x * V;
  for (int i = thread; i < width * 2; i += 256) {
    const int which = i / width, c = i % width, group = c / V, v = c % V;
    const int global = blockIdx.x * width + c;
    double total = 0.0;
    for (int y = 0; y < blockDim.y; y++)
      total += (double)found[((y * blockDim.x + group) * 2 + which) * V + v];
    if (global < columns) ((double*)&partial[(Index)blockIdx.y * columns + global])[which] = total;
  }
  __threadfence();
  __syncthreads();
  if (thread == 0) last = atomicInc(&counters[blockIdx.x], gridDim.y - 1) == gridDim.y - 1;
  __syncthreads();
  if (!last) return;
  __threadfence();
  // Several threads per column, where there are enough.
  const int each = 256 / width > 0 ? 256 / width : 1;
  for (int first = 0; first < width; first += 256) {
    const int c = first + thread % (width < 256 ? width : 256), part = thread / (width < 256 ? width : 256);
    const int global = blockIdx.x * width + c;
    double a = 0.0, b = 0.0;
    if (part < each && global < columns) {
#pragma unroll 8
      for (int block = part; block < gridDim.y; block += each) {
        const double2 p = __ldcg(&partial[(Index)block * columns + global]);
        a += p.x;
        b += p.y;
      }
    }
    parts[thread * 2] = a;
    parts[thread * 2 + 1] = b;
    __syncthreads();
    if (part == 0 && global < columns) {
      for (int other = 1; other < each; other++) {
        a += parts[(other * width + c - first) * 2];
        b += parts[(other * width + c - first) * 2 + 1];
      }
      finish(global, a, b);
    }
    __syncthreads();
  }
}
