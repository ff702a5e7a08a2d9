// A card made of the processor: stand-ins for the CUDA driver, cuDNN and cuBLAS that run the engine's own kernels,
// compiled by the host's compiler, thread by thread, and compute convolutions and products by plain loops. With
// EMULATOR_LOG they also count: see README.md beside this file.
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
  ONE(space, bias_gradient_4, true) ONE(space, max_pool, false) ONE(space, max_pool_gradient, false)                \
  ONE(space, average, false) ONE(space, average_gradient, false) ONE(space, copy_columns, false)                    \
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

// --- cuDNN -----------------------------------------------------------------------------------------------------

struct Descriptor { int kind, format, type, dims[4], pad[2], stride[2], dilation[2], mode; };
static int made(Descriptor** d) { *d = new Descriptor(); return 0; }
EXPORT int cudnnCreate(void** h) { *h = malloc(8); return 0; }
EXPORT int cudnnDestroy(void*) { return 0; }
EXPORT int cudnnSetStream(void*, void*) { return 0; }
EXPORT size_t cudnnGetVersion() { return 90000; }
EXPORT const char* cudnnGetErrorString(int) { return "the emulator knows no more"; }
EXPORT int cudnnCreateTensorDescriptor(Descriptor** d) { return made(d); }
EXPORT int cudnnCreateFilterDescriptor(Descriptor** d) { return made(d); }
EXPORT int cudnnCreateConvolutionDescriptor(Descriptor** d) { return made(d); }
EXPORT int cudnnCreateActivationDescriptor(Descriptor** d) { return made(d); }
EXPORT int cudnnSetTensor4dDescriptor(Descriptor* d, int format, int type, int n, int c, int h, int w) {
  *d = {0, format, type, {n, c, h, w}};
  return format == 1 ? 0 : 3000;
}
EXPORT int cudnnSetFilter4dDescriptor(Descriptor* d, int type, int format, int k, int c, int h, int w) {
  return cudnnSetTensor4dDescriptor(d, format, type, k, c, h, w);
}
EXPORT int cudnnSetConvolution2dDescriptor(Descriptor* d, int ph, int pw, int u, int v, int dh, int dw, int, int) {
  *d = {1, 0, 0, {}, {ph, pw}, {u, v}, {dh, dw}};
  return 0;
}
EXPORT int cudnnSetConvolutionMathType(Descriptor*, int) { return 0; }
EXPORT int cudnnSetActivationDescriptor(Descriptor* d, int mode, int, double) { d->mode = mode; return 0; }
struct Result { int algo, status; float time; size_t memory; int determinism, math, reserved[3]; };
static int rank(int* count, Result* results) {
  *count = 2;
  // The first does not repeat itself, and must not be taken.
  results[0] = {0, 0, 0, 0, 0, 0, {}};
  results[1] = {1, 0, 0, 0, 1, 0, {}};
  return 0;
}
typedef const Descriptor* D;
EXPORT int cudnnGetConvolutionForwardAlgorithm_v7(void*, D, D, D, D, int, int* n, Result* r) { return rank(n, r); }
EXPORT int cudnnGetConvolutionBackwardDataAlgorithm_v7(void*, D, D, D, D, int, int* n, Result* r) { return rank(n, r); }
EXPORT int cudnnGetConvolutionBackwardFilterAlgorithm_v7(void*, D, D, D, D, int, int* n, Result* r) { return rank(n, r); }
static int workspace(int algorithm, size_t* n) {
  *n = 1 << 20;
  return algorithm == 1 ? 0 : 3000;
}
EXPORT int cudnnGetConvolutionForwardWorkspaceSize(void*, D, D, D, D, int a, size_t* n) { return workspace(a, n); }
EXPORT int cudnnGetConvolutionBackwardDataWorkspaceSize(void*, D, D, D, D, int a, size_t* n) { return workspace(a, n); }
EXPORT int cudnnGetConvolutionBackwardFilterWorkspaceSize(void*, D, D, D, D, int a, size_t* n) { return workspace(a, n); }

// Calls f(index of the input, of the weight's place and first channel, of the output's place and unit) for every
// product: channels are neighbours in input and weight.
template <class F> static void each_product(D x, D w, D c, D y, F f) {
  const int channels = x->dims[1], units = w->dims[0];
  for (int n = 0; n < y->dims[0]; n++)
    for (int row = 0; row < y->dims[2]; row++)
      for (int column = 0; column < y->dims[3]; column++)
        for (int ky = 0; ky < w->dims[2]; ky++)
          for (int kx = 0; kx < w->dims[3]; kx++) {
            const int sy = row * c->stride[0] - c->pad[0] + ky * c->dilation[0],
                      sx = column * c->stride[1] - c->pad[1] + kx * c->dilation[1];
            if (sy < 0 || sx < 0 || sy >= x->dims[2] || sx >= x->dims[3]) continue;
            const size_t input = (((size_t)n * x->dims[2] + sy) * x->dims[3] + sx) * channels;
            const size_t output = (((size_t)n * y->dims[2] + row) * y->dims[3] + column) * units;
            for (int k = 0; k < units; k++)
              f(input, (((size_t)k * w->dims[2] + ky) * w->dims[3] + kx) * channels, output + k);
          }
}
static size_t count(D d) { return (size_t)d->dims[0] * d->dims[1] * d->dims[2] * d->dims[3]; }
static std::vector<float> all(D d, const void* p) {
  std::vector<float> v(count(d));
  for (size_t i = 0; i < v.size(); i++) v[i] = read(p, d->type == 9, i);
  return v;
}
static std::vector<float> convolve(D xd, const void* x, D wd, const void* w, D cd, D yd) {
  const std::vector<float> xs = all(xd, x), ws = all(wd, w);
  std::vector<float> ys(count(yd));
  const int channels = xd->dims[1];
  each_product(xd, wd, cd, yd, [&](size_t i, size_t k, size_t o) {
    float sum = 0;
    for (int c = 0; c < channels; c++) sum += xs[i + c] * ws[k + c];
    ys[o] += sum;
  });
  return ys;
}
static int put_all(D d, void* p, const std::vector<float>& v) {
  for (size_t i = 0; i < v.size(); i++) write(p, d->type == 9, i, v[i]);
  return 0;
}
EXPORT int cudnnConvolutionForward(void*, const float*, D xd, const void* x, D wd, const void* w, D cd, int, void*, size_t,
                                   const float*, D yd, void* y) {
  LOCKED
  LOG("N forward\n");
  return counting() ? 0 : put_all(yd, y, convolve(xd, x, wd, w, cd, yd));
}
EXPORT int cudnnConvolutionBiasActivationForward(void*, const float*, D xd, const void* x, D wd, const void* w, D cd, int a,
                                                 void*, size_t, const float* share, D zd, const void* z, D bd,
                                                 const void* bias, D act, D yd, void* y) {
  LOCKED
  LOG("N finished\n");
  if (getenv("EMULATOR_APART") || a != 1) return 3000;
  if (counting()) return 0;
  std::vector<float> ys = convolve(xd, x, wd, w, cd, yd);
  for (size_t i = 0; i < ys.size(); i++) {
    ys[i] += read(bias, bd->type == 9, i % yd->dims[1]);
    if (*share != 0) ys[i] += *share * read(z, zd->type == 9, i);
    if (act->mode == 1 && ys[i] <= 0) ys[i] = 0;
  }
  return put_all(yd, y, ys);
}
EXPORT int cudnnConvolutionBackwardData(void*, const float*, D wd, const void* w, D yd, const void* y, D cd, int, void*,
                                        size_t, const float*, D xd, void* x) {
  LOCKED
  LOG("N by input\n");
  if (counting()) return 0;
  const std::vector<float> ys = all(yd, y), ws = all(wd, w);
  std::vector<float> xs(count(xd));
  const int channels = xd->dims[1];
  each_product(xd, wd, cd, yd, [&](size_t i, size_t k, size_t o) {
    for (int c = 0; c < channels; c++) xs[i + c] += ws[k + c] * ys[o];
  });
  return put_all(xd, x, xs);
}
EXPORT int cudnnConvolutionBackwardFilter(void*, const float*, D xd, const void* x, D yd, const void* y, D cd, int, void*,
                                          size_t, const float*, D wd, void* w) {
  LOCKED
  LOG("N by weight\n");
  if (counting()) return 0;
  const std::vector<float> ys = all(yd, y), xs = all(xd, x);
  std::vector<float> ws(count(wd));
  const int channels = xd->dims[1];
  each_product(xd, wd, cd, yd, [&](size_t i, size_t k, size_t o) {
    for (int c = 0; c < channels; c++) ws[k + c] += xs[i + c] * ys[o];
  });
  return put_all(wd, w, ws);
}

// --- What Candle opens and the engine does not use -------------------------------------------------------------

EXPORT int curandCreateGenerator(void** g, int) { *g = malloc(8); return 0; }
EXPORT void** __cudaRegisterFatBinary(void*) { static void* p; return &p; }
