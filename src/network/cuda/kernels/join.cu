// Columns of one matrix as columns of another: maps side by side, and apart again.

extern "C" __global__ void copy_columns(const Value* x, Value* y, Index rows, int columns, int x_width, int x_first,
                                        int y_width, int y_first) {
  const Index count = rows * columns;
  for (Index i = blockIdx.x * (Index)blockDim.x + threadIdx.x; i < count; i += (Index)gridDim.x * blockDim.x) {
    const Index row = i / columns;
    const int column = (int)(i % columns);
    y[row * y_width + y_first + column] = x[row * x_width + x_first + column];
  }
}
