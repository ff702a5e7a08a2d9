// A card made of the processor: stand-ins for the CUDA driver, cuDNN and cuBLAS that run the engine's own kernels,
// compiled by the host's compiler, thread by thread, and compute convolutions and products by plain loops. Memory is
// first filled with what is no number. `build` beside this file makes it.
//
//   EMULATOR_LOG=FILE   a line per call: A bytes, F bytes (memory), H, D, C, M bytes (copies, clearing), K kernel grid,
//                       N direction (convolutions), B sizes (products), S (waits)
//   EMULATOR_COUNT=1    calls are logged and nothing is computed, so that large networks can be counted
#include <algorithm>
#include <cmath>
#include <elf.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#define EXPORT extern "C" __attribute__((visibility("default")))

// --- What CUDA C has and C++ has not ---------------------------------------------------------------------------

#define __device__
#define __global__
#define __shared__ static
#define __forceinline__ inline
#define __launch_bounds__(threads)
#define __align__(bytes) alignas(bytes)
struct Three { unsigned x, y, z; };
static Three threadIdx, blockIdx, blockDim, gridDim;
struct double2 { double x, y; };
static void barrier();
static inline void __syncthreads() { barrier(); }
static inline void __threadfence() {}
template <class T> static inline T __ldcg(const T* from) { return *from; }
static inline unsigned atomicInc(unsigned* at, unsigned most) {
  const unsigned old = *at;
  *at = old >= most ? 0 : old + 1;
  return old;
}
static inline float __uint_as_float(unsigned bits) { float f; memcpy(&f, &bits, 4); return f; }
static inline unsigned __float_as_uint(float f) { unsigned bits; memcpy(&bits, &f, 4); return bits; }

namespace single {
#include "kernels.inc"
}
#define BF16
namespace half {
#include "kernels.inc"
}
#undef BF16

// --- Threads of a block, each until it ends or comes to a barrier ----------------------------------------------

extern "C" void emulator_switch(void** from, void* to);
asm(R"(
.text
.globl emulator_switch
emulator_switch:
  pushq %rbx
  pushq %rbp
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbp
  popq %rbx
  ret
)");

struct Fiber { std::vector<char> stack; void* at; bool done; };
static std::vector<Fiber> fibers;
static void* home;
static size_t current;
static void (*body)(void**);
static void** arguments;

static Three thread(size_t i) {
  return {(unsigned)(i % blockDim.x), (unsigned)(i / blockDim.x % blockDim.y), (unsigned)(i / blockDim.x / blockDim.y)};
}
static void barrier() { emulator_switch(&fibers[current].at, home); threadIdx = thread(current); }
static void enter() {
  body(arguments);
  fibers[current].done = true;
  void* unused;
  emulator_switch(&unused, home);
}
static void run_block() {
  const size_t count = (size_t)blockDim.x * blockDim.y * blockDim.z;
  if (fibers.size() < count) fibers.resize(count);
  for (size_t i = 0; i < count; i++) {
    Fiber& f = fibers[i];
    f.stack.resize(1 << 16);
    void** top = (void**)(((uintptr_t)f.stack.data() + f.stack.size()) & ~(uintptr_t)15);
    *--top = nullptr;              // So that the stack is aligned as after a call.
    *--top = (void*)enter;
    for (int r = 0; r < 6; r++) *--top = nullptr;
    f.at = top;
    f.done = false;
  }
  for (bool any = true; any;) {
    any = false;
    for (current = 0; current < count; current++) {
      if (fibers[current].done) continue;
      threadIdx = thread(current);
      emulator_switch(&home, fibers[current].at);
      any = any || !fibers[current].done;
    }
  }
}

// --- Kernels by name -------------------------------------------------------------------------------------------

template <class... A, size_t... I> static void call_at(void (*f)(A...), void** p, std::index_sequence<I...>) {
  f(*(typename std::remove_reference<A>::type*)p[I]...);
}
template <class... A> static void call(void (*f)(A...), void** p) { call_at(f, p, std::index_sequence_for<A...>{}); }
struct Kernel { void (*run)(void**); bool waits; };
#define ONE(space, name, waits) {#name, {[](void** p) { call(space::name, p); }, waits}},
#define ALL(space)                                                                                                  \
  ONE(space, transpose_in, true) ONE(space, transpose_out, true) ONE(space, transpose_same, true)                   \
  ONE(space, relu, false) ONE(space, mask, false) ONE(space, accumulate, false) ONE(space, recolour, false)         \
  ONE(space, cast, false) ONE(space, fold, false) ONE(space, moments_1, true) ONE(space, moments_4, true)           \
  ONE(space, normalise_1, false) ONE(space, normalise_4, false) ONE(space, norm_gradient_sums_1, true)              \
  ONE(space, norm_gradient_sums_4, true) ONE(space, norm_gradient_1, false) ONE(space, norm_gradient_4, false)      \
  ONE(space, bias_relu_1, false) ONE(space, bias_relu_4, false) ONE(space, bias_gradient_1, true)                   \
  ONE(space, bias_gradient_4, true) ONE(space, max_pool_1, false) ONE(space, max_pool_4, false) ONE(space, max_pool_gradient_1, false) ONE(space, max_pool_gradient_4, false)                \
  ONE(space, average_1, false) ONE(space, average_4, false) ONE(space, average_gradient_1, false) ONE(space, average_gradient_4, false) ONE(space, copy_columns, false)                    \
  ONE(space, dropout, false) ONE(space, descend, false)
static const std::map<std::string, Kernel> kernels[2] = {{ALL(single)}, {ALL(half)}};

// --- The driver ------------------------------------------------------------------------------------------------

typedef unsigned long long Address;
static std::recursive_mutex lock;
#define LOCKED std::lock_guard<std::recursive_mutex> guard(lock);
static FILE* log_file() {
  static FILE* f = [] {
    const char* path = getenv("EMULATOR_LOG");
    FILE* opened = path ? fopen(path, "a") : nullptr;
    // Several libraries write to it, in the order of the calls.
    if (opened) setvbuf(opened, nullptr, _IOLBF, 1 << 12);
    return opened;
  }();
  return f;
}
#define LOG(...) do { if (FILE* f = log_file()) fprintf(f, __VA_ARGS__); } while (0)

static std::map<Address, size_t> live;
static size_t held;
// Whether calls only count: memory is given and nothing is computed, so that large networks can be counted.
static bool counting() { static const bool on = getenv("EMULATOR_COUNT") != nullptr; return on; }
static Address next_address = 0x7f0000000000ull;

EXPORT int cuInit(unsigned) { return 0; }
// NVRTC asks for it, and goes on without.
EXPORT int cuGetExportTable(const void** table, const void*) { *table = nullptr; return 1; }
EXPORT int cuDriverGetVersion(int* v) { *v = 13000; return 0; }
EXPORT int cuDeviceGetCount(int* n) { *n = 1; return 0; }
EXPORT int cuDeviceGet(int* d, int n) { if (n > 0) return 101; *d = n; return 0; }
EXPORT int cuDeviceGetAttribute(int* v, int which, int) {
  *v = which == 115 ? 1 : which == 75 ? 9 : which == 76 ? 0 : which == 16 ? (counting() ? 132 : 2) : 1;
  return 0;
}
EXPORT int cuDeviceGetName(char* s, int n, int) { strncpy(s, "Emulator", n); return 0; }
EXPORT int cuDeviceTotalMem_v2(size_t* n, int) { *n = (size_t)80 << 30; return 0; }
EXPORT int cuMemGetInfo_v2(size_t* free, size_t* all) { *all = (size_t)80 << 30; *free = *all - held; return 0; }
EXPORT int cuDevicePrimaryCtxRetain(void** c, int) { *c = (void*)0x1234; return 0; }
EXPORT int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
static thread_local void* context;
EXPORT int cuCtxGetCurrent(void** c) { *c = context; return 0; }
EXPORT int cuCtxSetCurrent(void* c) { context = c; return 0; }
EXPORT int cuCtxSynchronize() { return 0; }
EXPORT int cuDeviceGetDefaultMemPool(void** p, int) { *p = (void*)0x77; return 0; }
EXPORT int cuMemPoolSetAttribute(void*, int, void*) { return 0; }
static int allocate(Address* p, size_t n) {
  LOCKED
  if (counting()) {
    *p = next_address;
    next_address += (n + 1023) / 512 * 512;
  } else {
    // Filled with what is no number, so that reading it before it is written shows.
    *p = (Address)aligned_alloc(512, (n + 1023) / 512 * 512);
    memset((void*)*p, 0xff, n);
  }
  live[*p] = n;
  held += n;
  LOG("A %zu %zu\n", n, held);
  return 0;
}
EXPORT int cuMemAllocAsync(Address* p, size_t n, void*) { return allocate(p, n); }
EXPORT int cuMemAlloc_v2(Address* p, size_t n) { return allocate(p, n); }
EXPORT int cuMemFreeAsync(Address p, void*) {
  LOCKED
  held -= live[p];
  LOG("F %zu\n", live[p]);
  live.erase(p);
  if (!counting()) free((void*)p);
  return 0;
}
EXPORT int cuMemFree_v2(Address p) { return cuMemFreeAsync(p, nullptr); }
static int copy(void* to, const void* from, size_t n, char kind) {
  LOCKED
  LOG("%c %zu\n", kind, n);
  if (!counting()) memcpy(to, from, n);
  else if (kind == 'D') memset(to, 0, n);
  return 0;
}
EXPORT int cuMemcpyHtoDAsync_v2(Address to, const void* from, size_t n, void*) { return copy((void*)to, from, n, 'H'); }
EXPORT int cuMemcpyHtoD_v2(Address to, const void* from, size_t n) { return copy((void*)to, from, n, 'H'); }
EXPORT int cuMemcpyDtoHAsync_v2(void* to, Address from, size_t n, void*) { return copy(to, (void*)from, n, 'D'); }
EXPORT int cuMemcpyDtoH_v2(void* to, Address from, size_t n) { return copy(to, (void*)from, n, 'D'); }
EXPORT int cuMemcpyDtoDAsync_v2(Address to, Address from, size_t n, void*) { return copy((void*)to, (void*)from, n, 'C'); }
EXPORT int cuMemsetD8Async(Address to, unsigned char v, size_t n, void*) {
  LOCKED
  LOG("M %zu\n", n);
  if (!counting()) memset((void*)to, v, n);
  return 0;
}
EXPORT int cuMemsetD8_v2(Address to, unsigned char v, size_t n) { return cuMemsetD8Async(to, v, n, nullptr); }
EXPORT int cuStreamSynchronize(void*) { LOG("S\n"); return 0; }
EXPORT int cuStreamIsCapturing(void*, int* c) { *c = 0; return 0; }
EXPORT int cuEventCreate(void** e, unsigned) { *e = malloc(8); return 0; }
EXPORT int cuEventRecord(void*, void*) { return 0; }
EXPORT int cuEventDestroy_v2(void* e) { free(e); return 0; }
EXPORT int cuStreamWaitEvent(void*, void*, unsigned) { return 0; }
EXPORT int cuGetErrorName(int, const char** s) { *s = "CUDA_ERROR"; return 0; }
EXPORT int cuGetErrorString(int, const char** s) { *s = "the emulator knows no more"; return 0; }

// Kernels over half precision are told by a name in their machine code.
struct Module { bool half; };
EXPORT int cuModuleLoadData(void** m, const void* code) {
  const Elf64_Ehdr* header = (const Elf64_Ehdr*)code;
  const bool elf = !memcmp(header->e_ident, ELFMAG, SELFMAG);
  const size_t size = elf ? header->e_shoff + (size_t)header->e_shnum * header->e_shentsize : 14;
  *m = new Module{memmem(code, size, "half_precision", 14) != nullptr};
  LOG("L\n");
  return 0;
}
EXPORT int cuModuleUnload(void*) { return 0; }
struct Function { std::string name; const Kernel* kernel; };
EXPORT int cuModuleGetFunction(void** f, void* m, const char* name) {
  const auto& all = kernels[((Module*)m)->half];
  const auto found = all.find(name);
  *f = new Function{name, found == all.end() ? nullptr : &found->second};
  return 0;
}
EXPORT int cuLaunchKernel(void* f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned,
                          void*, void** p, void**) {
  LOCKED
  const Function& function = *(Function*)f;
  LOG("K %s %u %u %u %u %u\n", function.name.c_str(), gx, gy, gz, bx, by);
  if (!gx || !gy || !gz || gy > 65535 || gz > 65535 || bx * by * bz > 1024) {
    fprintf(stderr, "%s: a grid of %u x %u x %u blocks\n", function.name.c_str(), gx, gy, gz);
    return 1;
  }
  if (counting()) return 0;
  if (!function.kernel) {
    fprintf(stderr, "%s is not emulated\n", function.name.c_str());
    return 801;
  }
  gridDim = {gx, gy, gz};
  blockDim = {bx, by, bz};
  body = function.kernel->run;
  arguments = p;
  for (unsigned z = 0; z < gz; z++)
    for (unsigned y = 0; y < gy; y++)
      for (unsigned x = 0; x < gx; x++) {
        blockIdx = {x, y, z};
        if (function.kernel->waits) {
          run_block();
        } else {
          for (size_t i = 0; i < (size_t)bx * by * bz; i++) {
            threadIdx = thread(i);
            body(p);
          }
        }
      }
  return 0;
}

// --- Values of either precision --------------------------------------------------------------------------------

static float read(const void* p, bool is_half, size_t i) {
  return is_half ? half::get(((const unsigned short*)p)[i]) : ((const float*)p)[i];
}
static void write(void* p, bool is_half, size_t i, float v) {
  if (is_half) ((unsigned short*)p)[i] = half::put(v);
  else ((float*)p)[i] = v;
}

// --- cuBLAS ----------------------------------------------------------------------------------------------------

EXPORT int cublasCreate_v2(void** h) { *h = malloc(8); return 0; }
EXPORT int cublasDestroy_v2(void*) { return 0; }
EXPORT int cublasSetStream_v2(void*, void*) { return 0; }
EXPORT int cublasGemmEx(void*, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int at, int lda,
                        const void* b, int bt, int ldb, const void* beta, void* c, int ct, int ldc, int, int) {
  LOCKED
  LOG("B %d %d %d\n", m, n, k);
  if (counting()) return 0;
  for (int j = 0; j < n; j++)
    for (int i = 0; i < m; i++) {
      double sum = 0;
      for (int l = 0; l < k; l++)
        sum += (double)read(a, at == 14, ta ? (size_t)i * lda + l : (size_t)l * lda + i) *
               read(b, bt == 14, tb ? (size_t)l * ldb + j : (size_t)j * ldb + l);
      const size_t to = (size_t)j * ldc + i;
      const float before = *(const float*)beta == 0 ? 0 : *(const float*)beta * read(c, ct == 14, to);
      write(c, ct == 14, to, (float)(*(const float*)alpha * sum) + before);
    }
  return 0;
}

// --- cuDNN's graph interface, of single convolutions ------------------------------------------------------------

struct Backend {
  int kind;
  std::map<int, std::vector<char>> attributes;
  const Backend* graph;
  bool repeats;
  template <class T> const T* get(int name) const { return (const T*)attributes.at(name).data(); }
  const Backend* part(int name) const { return *get<const Backend*>(name); }
};
EXPORT int cudnnCreate(void** h) { *h = malloc(8); return 0; }
EXPORT int cudnnDestroy(void*) { return 0; }
EXPORT int cudnnSetStream(void*, void*) { return 0; }
EXPORT size_t cudnnGetVersion() { return 90000; }
EXPORT const char* cudnnGetErrorString(int) { return "the emulator knows no more"; }
EXPORT int cudnnBackendCreateDescriptor(int kind, Backend** made) { *made = new Backend{kind, {}, nullptr, true}; return 0; }
EXPORT int cudnnBackendDestroyDescriptor(Backend* b) { delete b; return 0; }
EXPORT int cudnnBackendFinalize(Backend*) { return 0; }
EXPORT int cudnnBackendSetAttribute(Backend* b, int name, int type, int64_t count, const void* values) {
  const bool small = type == 1 || type == 4 || type == 7 || type == 8;
  const size_t bytes = count * (small ? 4 : 8);
  b->attributes[name].assign((const char*)values, (const char*)values + bytes);
  return 0;
}
EXPORT int cudnnBackendGetAttribute(const Backend* b, int name, int, int64_t most, int64_t* count, void* to) {
  switch (name) {
    case 202: {  // What is recommended: first what does not repeat itself, and must not be taken.
      Backend** configs = (Backend**)to;
      for (int i = 0; i < 2 && i < most; i++) {
        configs[i]->graph = b->part(201);
        configs[i]->repeats = i == 1;
      }
      *count = 2;
      return 0;
    }
    case 300: (*(Backend**)to)->repeats = b->repeats; *count = 1; return 0;
    case 1303: *(int*)to = 4; *count = b->repeats ? 0 : 1; return 0;
    case 402: *(int64_t*)to = 1 << 20; *count = 1; return 0;
    default: return 3000;
  }
}

struct Values { int64_t dims[4]; bool is_half; void* at; };
static Values values(const Backend* tensor, const Backend* pack) {
  Values v;
  memcpy(v.dims, tensor->get<int64_t>(902), sizeof v.dims);
  v.is_half = *tensor->get<int>(901) == 9;
  const int64_t* names = pack->get<int64_t>(1000);
  int i = 0;
  while (names[i] != *tensor->get<int64_t>(906)) i++;
  v.at = pack->get<void*>(1001)[i];
  return v;
}
static std::vector<float> all(const Values& v) {
  std::vector<float> all(v.dims[0] * v.dims[1] * v.dims[2] * v.dims[3]);
  for (size_t i = 0; i < all.size(); i++) all[i] = read(v.at, v.is_half, i);
  return all;
}
// Three directions of one loop: channels are neighbours in input and kernel.
EXPORT int cudnnBackendExecute(void*, const Backend* plan, const Backend* pack) {
  LOCKED
  const Backend* config = plan->part(401);
  const Backend* operation = config->graph->part(801);
  const int direction = operation->kind - 10;  // Forward, by the weight, by the input.
  static const char* names[] = {"forward", "by weight", "by input"};
  LOG("N %s\n", names[direction]);
  if (counting()) return 0;
  static const int parts[3][4] = {{702, 704, 703, 705}, {714, 716, 715, 717}, {708, 710, 709, 711}};
  const Backend* how = operation->part(parts[direction][0]);
  const Values x = values(operation->part(parts[direction][1]), pack), w = values(operation->part(parts[direction][2]), pack),
               y = values(operation->part(parts[direction][3]), pack);
  std::vector<float> xs = all(x), ws = all(w), ys = all(y);
  std::vector<float>& to = direction == 0 ? ys : direction == 1 ? ws : xs;
  std::fill(to.begin(), to.end(), 0.0f);
  const int64_t channels = x.dims[1], units = w.dims[0], *dilation = how->get<int64_t>(102), *stride = how->get<int64_t>(103),
                *padding = how->get<int64_t>(105);
  for (int64_t n = 0; n < y.dims[0]; n++)
    for (int64_t row = 0; row < y.dims[2]; row++)
      for (int64_t column = 0; column < y.dims[3]; column++)
        for (int64_t ky = 0; ky < w.dims[2]; ky++)
          for (int64_t kx = 0; kx < w.dims[3]; kx++) {
            const int64_t sy = row * stride[0] - padding[0] + ky * dilation[0],
                          sx = column * stride[1] - padding[1] + kx * dilation[1];
            if (sy < 0 || sx < 0 || sy >= x.dims[2] || sx >= x.dims[3]) continue;
            float* input = &xs[((n * x.dims[2] + sy) * x.dims[3] + sx) * channels];
            float* output = &ys[((n * y.dims[2] + row) * y.dims[3] + column) * units];
            for (int64_t k = 0; k < units; k++) {
              float* weight = &ws[((k * w.dims[2] + ky) * w.dims[3] + kx) * channels];
              if (direction == 0) {
                float sum = 0;
                for (int64_t c = 0; c < channels; c++) sum += input[c] * weight[c];
                output[k] += sum;
              } else if (direction == 1) {
                for (int64_t c = 0; c < channels; c++) weight[c] += input[c] * output[k];
              } else {
                for (int64_t c = 0; c < channels; c++) input[c] += weight[c] * output[k];
              }
            }
          }
  const Values& result = direction == 0 ? y : direction == 1 ? w : x;
  for (size_t i = 0; i < to.size(); i++) write(result.at, result.is_half, i, to[i]);
  return 0;
}

// --- What Candle opens and the engine does not use -------------------------------------------------------------

EXPORT int curandCreateGenerator(void** g, int) { *g = malloc(8); return 0; }
EXPORT void** __cudaRegisterFatBinary(void*) { static void* p; return &p; }
