// The one file that knows the CPU: which instruction sets it can run, and which one is in use.

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch/kernels.h"
#include "include/ck_runtime.h"
#include "runtime/threads.h"

static const char *const isa_names[] = {"portable", "neon", "avx2", "avx512"};
enum { ISA_COUNT = sizeof isa_names / sizeof isa_names[0] };

// The process's, chosen on first use, which may come from the thread that prepares batches and from the one that trains
// at once.
static pthread_once_t process_choice = PTHREAD_ONCE_INIT;
static const ck_kernels *process_kernels = NULL;
static char rejected_name[32];

static const ck_kernels *kernels_of(ck_isa isa) {
    switch (isa) {
    case CK_ISA_PORTABLE: return &ck_kernels_portable;
#if defined(__aarch64__)
    case CK_ISA_NEON: return &ck_kernels_neon;
#elif defined(__x86_64__)
    case CK_ISA_AVX2: return &ck_kernels_avx2;
    case CK_ISA_AVX512: return &ck_kernels_avx512;
#endif
    default: return NULL;
    }
}

bool ck_isa_available(ck_isa isa) {
    switch (isa) {
    case CK_ISA_PORTABLE: return true;
#if defined(__aarch64__)
    case CK_ISA_NEON: return true; // part of the architecture's baseline
#elif defined(__x86_64__)
    // The builtin asks cpuid, and xgetbv for the operating system's support of the registers.
    case CK_ISA_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case CK_ISA_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma")
            && __builtin_cpu_supports("avx2");
#endif
    default: return false;
    }
}

static void choose_for_process(void) {
    int best = ISA_COUNT - 1;
    while (best > 0 && !ck_isa_available((ck_isa)best)) best--;
    process_kernels = kernels_of((ck_isa)best);
    const char *request = getenv("CK_ISA");
    if (request == NULL || *request == 0) return;
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        if (strcmp(request, isa_names[isa]) != 0 || !ck_isa_available((ck_isa)isa)) continue;
        process_kernels = kernels_of((ck_isa)isa);
        return;
    }
    // A copy: the environment may change. Longer names than any of ours are cut.
    strncpy(rejected_name, request, sizeof rejected_name - 1);
}

static const ck_kernels *kernels_of_process(void) {
    pthread_once(&process_choice, choose_for_process);
    return process_kernels;
}

const ck_kernels *ck_kernels_current(void) {
    const ck_kernels *own = ck_own_kernels;
    return own != NULL ? own : kernels_of_process();
}

bool ck_isa_select(ck_isa isa) {
    if (!ck_isa_available(isa)) return false;
    ck_own_kernels = kernels_of(isa);
    return true;
}

ck_isa ck_isa_current(void) {
    const ck_kernels *kernels = ck_kernels_current();
    int isa = 0;
    while (kernels_of((ck_isa)isa) != kernels) isa++;
    return (ck_isa)isa;
}

const char *ck_isa_name(ck_isa isa) { return (int)isa >= 0 && (int)isa < ISA_COUNT ? isa_names[isa] : "unknown"; }

const char *ck_isa_rejected_request(void) {
    kernels_of_process();
    return rejected_name[0] != 0 ? rejected_name : NULL;
}
