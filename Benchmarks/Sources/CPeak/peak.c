#include "CPeak.h"

#include <stdlib.h>
#include <time.h>

// A chain x → 0.999·x + 0.001 that began at its fixed point 1 would be folded away, so they begin at 2 and above.
// Enough independent chains to hide the latency of an FMA (4 to 5 cycles) on two or more units.
enum { CHAINS = 12, ROUNDS = 100000 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

#define PEAK_LOOP(NAME, BYTES, ATTRIBUTE)                                             \
    ATTRIBUTE static double NAME(double seconds) {                                    \
        typedef float vector __attribute__((ext_vector_type(BYTES / 4)));             \
        vector chain[CHAINS];                                                         \
        for (int i = 0; i < CHAINS; i++) chain[i] = (vector)(2.0f + (float)i);        \
        const vector factor = (vector)(0.999f), term = (vector)(0.001f);              \
        double operations = 0;                                                        \
        const double start = now();                                                   \
        double elapsed;                                                               \
        do {                                                                          \
            for (int round = 0; round < ROUNDS; round++) {                            \
                _Pragma("clang loop unroll(full)")                                    \
                for (int i = 0; i < CHAINS; i++) chain[i] = chain[i] * factor + term; \
                __asm__ volatile("" : "+m"(*(char(*)[1]) & round));                   \
            }                                                                         \
            operations += 2.0 * CHAINS * ROUNDS * (BYTES / 4);                        \
            elapsed = now() - start;                                                  \
        } while (elapsed < seconds);                                                  \
        vector sum = chain[0];                                                        \
        for (int i = 1; i < CHAINS; i++) sum += chain[i];                             \
        volatile float sink = sum[0];                                                 \
        (void)sink;                                                                   \
        return operations / elapsed * 1e-9;                                           \
    }

PEAK_LOOP(peak_baseline, 16, )
#if defined(__x86_64__)
PEAK_LOOP(peak_avx2, 32, __attribute__((target("avx2,fma"))))
PEAK_LOOP(peak_avx512, 64, __attribute__((target("avx512f,avx2,fma"))))
#endif

static double peak_of_this_cpu(double seconds) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return peak_avx512(seconds);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return peak_avx2(seconds);
#endif
    return peak_baseline(seconds);
}

// Its own loads and stores are the work, whatever the vectors' width: memory is slower than any of them.
static double bandwidth_of_this_cpu(float *memory, size_t count, double seconds) {
    for (size_t i = 0; i < count; i++) memory[i] = 1.0f;
    double bytes = 0;
    const double start = now();
    double elapsed;
    do {
        for (size_t i = 0; i < count; i++) memory[i] *= 0.999f;
        __asm__ volatile("" : : "r"(memory) : "memory");
        bytes += 2.0 * (double)count * sizeof(float);
        elapsed = now() - start;
    } while (elapsed < seconds);
    return bytes / elapsed * 1e-9;
}

double peak_bandwidth(int threads, size_t bytes, double seconds) {
    double total = 0;
#pragma omp parallel num_threads(threads) reduction(+ : total)
    {
        float *memory = malloc(bytes);
        if (memory) total += bandwidth_of_this_cpu(memory, bytes / sizeof(float), seconds);
        free(memory);
    }
    return total;
}

double peak_gflops(int threads, double seconds) {
    double total = 0;
    // OpenMP's own threads, as the kernels use: between calls they spin for a while, and would compete with any others.
#pragma omp parallel num_threads(threads) reduction(+ : total)
    total += peak_of_this_cpu(seconds);
    return total;
}
