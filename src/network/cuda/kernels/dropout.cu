// Dropout with probability one half, doubled otherwise. What happens to a value follows from the seed and its number
// alone: Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") gives 128 bits for each
// block of 128 values. The gradient is the same operation with the same seed.

extern "C" __global__ void dropout(const Value* x, Value* y, Index count, unsigned low, unsigned high) {
  for (Index i = blockIdx.x * (Index)blockDim.x + threadIdx.x; i < count; i += (Index)gridDim.x * blockDim.x) {
    const Index block = i / 128;
    unsigned counter[4] = {(unsigned)block, (unsigned)(block >> 32), 0u, 0u}, key[2] = {low, high};
    for (int round = 0; round < 10; round++) {
      const unsigned long long a = 0xD2511F53ull * counter[0], b = 0xCD9E8D57ull * counter[2];
      const unsigned next[4] = {(unsigned)(b >> 32) ^ counter[1] ^ key[0], (unsigned)b,
                                (unsigned)(a >> 32) ^ counter[3] ^ key[1], (unsigned)a};
      for (int j = 0; j < 4; j++) counter[j] = next[j];
      key[0] += 0x9E3779B9u;
      key[1] += 0xBB67AE85u;
    }
    const int bit = (int)(i % 128);
    y[i] = counter[bit / 32] >> (bit % 32) & 1u ? put(2.0f * get(x[i])) : put(0.0f);
  }
}
