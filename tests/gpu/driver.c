// A CUDA driver without a card: hands out addresses, launches nothing, computes nothing, and counts. What is not
// here answers that all is well, by `build`; what a card would have computed is zeros.
//
//   GPU_COUNTS=FILE   where to write the counts, when the program ends, as one line of JSON
//   GPU_MEMORY=BYTES  memory of a card (80e9); more is out of memory
//   GPU_CARDS=N       how many cards there are (1)
//   GPU_INIT=CODE     what the driver answers when it is opened, such as 100 (no device), 803 (mismatch)
//   GPU_KERNELS=CODE  what it answers to kernels, such as 222 (compiled by too new a toolkit)
//   GPU_DRIVER=NUMBER the newest CUDA it knows (13000)
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API __attribute__((visibility("default")))
typedef uint64_t u64;

static long number(const char *name, double otherwise) {
  const char *given = getenv(name);
  return given ? (long)atof(given) : (long)otherwise;
}

// --- Counts ---

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
enum { LAUNCHES, PRODUCTS, CONVOLUTIONS, ALLOCATIONS, CLEARED, UPLOADS, DOWNLOADS, COPIES, WAITS, KINDS };
static const char *const NAMES[KINDS] = {"launches",  "products", "convolutions", "allocations", "cleared",
                                         "uploads", "downloads",    "copies",      "waits"};
static u64 counts[KINDS], bytes[KINDS], used, peak, high;

static void count(int kind, u64 size) {
  pthread_mutex_lock(&lock);
  counts[kind]++;
  bytes[kind] += size;
  pthread_mutex_unlock(&lock);
}

// Libraries that programs load beside this one call it too; only the driver's own copy counts.
static __attribute__((destructor)) void report(void) {
  const char *path = getenv("GPU_COUNTS");
  u64 any = 0;
  for (int i = 0; i < KINDS; i++) any += counts[i];
  FILE *file = path && any ? fopen(path, "w") : NULL;
  if (!file) return;
  fprintf(file, "{\"peak_bytes\": %llu", (unsigned long long)peak);
  for (int i = 0; i < KINDS; i++)
    fprintf(file, ", \"%s\": %llu, \"%s_bytes\": %llu", NAMES[i], (unsigned long long)counts[i], NAMES[i],
            (unsigned long long)bytes[i]);
  fprintf(file, "}\n");
  fclose(file);
}

// --- Devices ---

API int cuInit(unsigned flags) { return (int)number("GPU_INIT", 0); }
API int cuDriverGetVersion(int *version) { return *version = (int)number("GPU_DRIVER", 13000), 0; }
API int cuDeviceGetCount(int *n) { return *n = (int)number("GPU_CARDS", 1), 0; }
API int cuDeviceGet(int *device, int n) {
  if (n >= number("GPU_CARDS", 1)) return 101;
  return *device = n, 0;
}
API int cuDeviceGetAttribute(int *value, int attribute, int device) {
  // Compute capability 9.0, and as many multiprocessors as an H100 has.
  *value = attribute == 75 ? 9 : attribute == 76 ? 0 : attribute == 16 ? 132 : 1;
  return 0;
}
API int cuDeviceGetName(char *name, int length, int device) { return snprintf(name, length, "Counted card"), 0; }
API int cuDeviceTotalMem_v2(size_t *size, int device) { return *size = number("GPU_MEMORY", 80e9), 0; }
API int cuDevicePrimaryCtxRetain(void **context, int device) { return *context = (void *)(uintptr_t)(device + 1), 0; }
static __thread void *current;
API int cuCtxGetCurrent(void **context) { return *context = current, 0; }
API int cuCtxSetCurrent(void *context) { return current = context, 0; }
API int cuStreamIsCapturing(void *stream, int *status) { return *status = 0, 0; }
API int cuStreamCreate(void **stream, unsigned flags) { return *stream = malloc(8), 0; }
API int cuEventCreate(void **event, unsigned flags) { return *event = malloc(8), 0; }
API int cuCtxSynchronize(void) { return count(WAITS, 0), 0; }
API int cuStreamSynchronize(void *stream) { return count(WAITS, 0), 0; }

static const struct { int code; const char *name, *words; } ERRORS[] = {
    {2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {35, "CUDA_ERROR_INSUFFICIENT_DRIVER", "CUDA driver version is insufficient for CUDA runtime version"},
    {100, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {101, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {209, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"},
    {222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the provided PTX was compiled with an unsupported toolchain."},
    {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "system has unsupported display driver / cuda driver combination"},
};
static int lookup(int code, const char **name, const char **words) {
  *name = *words = "unknown error";
  for (size_t i = 0; i < sizeof ERRORS / sizeof *ERRORS; i++)
    if (ERRORS[i].code == code) *name = ERRORS[i].name, *words = ERRORS[i].words;
  return 0;
}
API int cuGetErrorName(int code, const char **name) { const char *rest; return lookup(code, name, &rest); }
API int cuGetErrorString(int code, const char **words) { const char *rest; return lookup(code, &rest, words); }

// --- Memory: addresses are handed out one after the other, sizes kept in a table ---

enum { SLOTS = 1 << 22 };
static u64 next = 0x7f0000000000ull, addresses[SLOTS], sizes[SLOTS];
static size_t slot(u64 address) { return (address >> 9) * 0x9e3779b97f4a7c15ull % SLOTS; }
static const u64 GONE = 1;

API int cuMemAllocAsync(u64 *address, size_t size, void *stream) {
  pthread_mutex_lock(&lock);
  if (used + size > (u64)number("GPU_MEMORY", 80e9)) return pthread_mutex_unlock(&lock), 2;
  size_t at = slot(next);
  while (addresses[at] > GONE) at = (at + 1) % SLOTS;
  addresses[at] = *address = next, sizes[at] = size;
  next += (size + 1023) / 512 * 512;
  used += size;
  if (used > peak) peak = used;
  if (used > high) high = used;
  counts[ALLOCATIONS]++, bytes[ALLOCATIONS] += size;
  return pthread_mutex_unlock(&lock), 0;
}
API int cuMemAlloc_v2(u64 *address, size_t size) { return cuMemAllocAsync(address, size, NULL); }
API int cuMemFreeAsync(u64 address, void *stream) {
  pthread_mutex_lock(&lock);
  for (size_t at = slot(address); addresses[at]; at = (at + 1) % SLOTS)
    if (addresses[at] == address) {
      used -= sizes[at], addresses[at] = GONE;
      break;
    }
  return pthread_mutex_unlock(&lock), 0;
}
API int cuMemFree_v2(u64 address) { return cuMemFreeAsync(address, NULL); }
API int cuMemGetInfo_v2(size_t *left, size_t *all) {
  *all = number("GPU_MEMORY", 80e9);
  return *left = *all - used, 0;
}
API int cuDeviceGetMemPool(void **pool, int device) { return *pool = (void *)8, 0; }
API int cuDeviceGetDefaultMemPool(void **pool, int device) { return *pool = (void *)8, 0; }
// 4: the threshold of release, 5 and 6: reserved now and at most, 7 and 8: used now and at most.
API int cuMemPoolGetAttribute(void *pool, int attribute, void *value) {
  *(u64 *)value = attribute == 8 ? high : attribute == 7 || attribute == 5 ? used : peak;
  return 0;
}
API int cuMemPoolSetAttribute(void *pool, int attribute, void *value) {
  if (attribute == 8) high = used;
  return 0;
}

API int cuMemcpyHtoDAsync_v2(u64 to, const void *from, size_t size, void *stream) { return count(UPLOADS, size), 0; }
API int cuMemcpyHtoD_v2(u64 to, const void *from, size_t size) { return count(UPLOADS, size), 0; }
API int cuMemcpyDtoHAsync_v2(void *to, u64 from, size_t size, void *stream) {
  memset(to, 0, size);
  return count(DOWNLOADS, size), 0;
}
API int cuMemcpyDtoH_v2(void *to, u64 from, size_t size) { return cuMemcpyDtoHAsync_v2(to, from, size, NULL); }
API int cuMemcpyDtoDAsync_v2(u64 to, u64 from, size_t size, void *stream) { return count(COPIES, size), 0; }
API int cuMemcpyPeerAsync(u64 to, void *there, u64 from, void *here, size_t size, void *stream) {
  return count(COPIES, size), 0;
}
API int cuMemsetD8Async(u64 to, unsigned char value, size_t size, void *stream) { return count(CLEARED, size), 0; }
API int cuMemsetD8_v2(u64 to, unsigned char value, size_t size) { return count(CLEARED, size), 0; }

// --- Kernels, and the libraries whose calls are kernels ---

API int cuModuleLoadData(void **module, const void *image) {
  return *module = malloc(8), (int)number("GPU_KERNELS", 0);
}
API int cuModuleGetFunction(void **function, void *module, const char *name) { return *function = module, 0; }
API int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                       unsigned shared, void *stream, void **arguments, void **extra) {
  count(LAUNCHES, 0);
  // What a driver refuses too.
  return gx && gy && gz && bx && by && bz && bx * by * bz <= 1024 && gy < 65536 && gz < 65536 ? 0 : 1;
}
API int cuGraphLaunch(void *graph, void *stream) { return count(LAUNCHES, 0), 0; }

API int cublasCreate_v2(void **handle) { return *handle = malloc(8), 0; }
API int cublasGetVersion_v2(void *handle, int *version) { return *version = 130100, 0; }
API int cublasGemmStridedBatchedEx(void) { return count(PRODUCTS, 0), 0; }
API int cublasGemmEx(void) { return count(PRODUCTS, 0), 0; }
API int cublasSgemm_v2(void) { return count(PRODUCTS, 0), 0; }
API int curandCreateGenerator(void **generator, int kind) { return *generator = malloc(8), 0; }

API size_t cudnnGetVersion(void) { return 91900; }
// An algorithm, whether it is there, its milliseconds and workspace, whether it repeats itself, how it computes.
struct choice { int algorithm, status; float time; size_t memory; int deterministic, math, reserved[3]; };
static int choose(int *found, struct choice *choices) {
  choices[0] = (struct choice){.algorithm = 1, .deterministic = 1};
  return *found = 1, 0;
}
typedef const void *D;
API int cudnnGetConvolutionForwardAlgorithm_v7(void *h, D x, D w, D c, D y, int most, int *found, struct choice *to) {
  return choose(found, to);
}
API int cudnnGetConvolutionBackwardDataAlgorithm_v7(void *h, D w, D y, D c, D x, int most, int *found,
                                                    struct choice *to) {
  return choose(found, to);
}
API int cudnnGetConvolutionBackwardFilterAlgorithm_v7(void *h, D x, D y, D c, D w, int most, int *found,
                                                      struct choice *to) {
  return choose(found, to);
}
API int cudnnGetConvolutionForwardWorkspaceSize(void *h, D x, D w, D c, D y, int algorithm, size_t *size) {
  return *size = 64 << 20, 0;
}
API int cudnnGetConvolutionBackwardDataWorkspaceSize(void *h, D w, D y, D c, D x, int algorithm, size_t *size) {
  return *size = 64 << 20, 0;
}
API int cudnnGetConvolutionBackwardFilterWorkspaceSize(void *h, D x, D y, D c, D w, int algorithm, size_t *size) {
  return *size = 64 << 20, 0;
}
// The graph interface: one engine is recommended, and nothing is noted of it.
API int cudnnBackendGetAttribute(void *of, int name, int type, int64_t most, int64_t *found, void *to) {
  enum { RESULTS = 202, ENGINE = 300, WORKSPACE = 402 };
  *found = name == RESULTS || name == ENGINE || name == WORKSPACE;
  if (name == WORKSPACE) *(int64_t *)to = 0;
  return 0;
}
API int cudnnBackendExecute(void) { return count(CONVOLUTIONS, 0), 0; }
API int cudnnConvolutionForward(void) { return count(CONVOLUTIONS, 0), 0; }
API int cudnnConvolutionBiasActivationForward(void) { return count(CONVOLUTIONS, 0), 0; }
API int cudnnConvolutionBackwardData(void) { return count(CONVOLUTIONS, 0), 0; }
API int cudnnConvolutionBackwardFilter(void) { return count(CONVOLUTIONS, 0), 0; }

API int nvrtcCreateProgram(void **program) { return *program = malloc(8), 0; }
API int nvrtcGetCUBINSize(void *program, size_t *size) { return *size = 8, 0; }
API int nvrtcGetPTXSize(void *program, size_t *size) { return *size = 8, 0; }
API int nvrtcGetProgramLogSize(void *program, size_t *size) { return *size = 0, 0; }
