// Matrices turned, one per block of the grid's third dimension: between channels-first in single precision, as
// everything outside has its maps and weights, and channels-last.

#ifdef BF16
static __device__ __forceinline__ float get(float v) { return v; }
#endif

template <class From, class To, class Convert>
static __device__ void transpose(const From* x, To* y, int rows, int columns, Convert convert) {
  __shared__ float tile[32][33];
  const Index matrix = (Index)blockIdx.z * rows * columns;
  const int column = blockIdx.x * 32 + threadIdx.x, row = blockIdx.y * 32 + threadIdx.y;
  for (int i = 0; i < 32; i += 8)
    if (column < columns && row + i < rows)
      tile[threadIdx.y + i][threadIdx.x] = get(x[matrix + (Index)(row + i) * columns + column]);
  __syncthreads();
  const int to_column = blockIdx.y * 32 + threadIdx.x, to_row = blockIdx.x * 32 + threadIdx.y;
  for (int i = 0; i < 32; i += 8)
    if (to_column < rows && to_row + i < columns)
      y[matrix + (Index)(to_row + i) * rows + to_column] = convert(tile[threadIdx.x][threadIdx.y + i]);
}

extern "C" __global__ void transpose_in(const float* x, Value* y, int rows, int columns) {
  transpose(x, y, rows, columns, [](float v) { return put(v); });
}
extern "C" __global__ void transpose_out(const Value* x, float* y, int rows, int columns) {
  transpose(x, y, rows, columns, [](float v) { return v; });
}
extern "C" __global__ void transpose_same(const Value* x, Value* y, int rows, int columns) {
  transpose(x, y, rows, columns, [](float v) { return put(v); });
}
