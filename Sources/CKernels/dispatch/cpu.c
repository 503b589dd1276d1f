// The one file that knows the CPU: which instruction sets it can run, and which one is in use.

#include <stdlib.h>
#include <string.h>

#include "dispatch/kernels.h"
#include "include/ck_runtime.h"

static const char *const isa_names[] = {"portable", "neon", "avx2", "avx512"};
enum { ISA_COUNT = sizeof isa_names / sizeof isa_names[0] };

// Chosen on first use, which may come from the thread that prepares batches and from the one that trains at once; both choose
// the same. What is set before current_kernels is visible to whoever has read it.
static const ck_kernels *_Atomic current_kernels = NULL;
static _Atomic ck_isa current_isa = CK_ISA_PORTABLE;
static char rejected_name[32];
static const char *_Atomic rejected_request = NULL;

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
            && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
            && __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2");
#endif
    default: return false;
    }
}

bool ck_isa_select(ck_isa isa) {
    if (!ck_isa_available(isa)) return false;
    current_isa = isa;
    current_kernels = kernels_of(isa);
    return true;
}

static void select_first(void) {
    const char *request = getenv("CK_ISA");
    if (request != NULL && *request != 0) {
        for (int isa = 0; isa < ISA_COUNT; isa++)
            if (strcmp(request, isa_names[isa]) == 0 && ck_isa_select((ck_isa)isa)) return;
        if (rejected_request == NULL) {
            // A copy: the environment may change. Longer names than any of ours are cut.
            strncpy(rejected_name, request, sizeof rejected_name - 1);
            rejected_request = rejected_name;
        }
    }
    for (int isa = ISA_COUNT - 1; isa >= 0; isa--)
        if (ck_isa_select((ck_isa)isa)) return;
}

const ck_kernels *ck_kernels_current(void) {
    const ck_kernels *kernels = current_kernels;
    if (kernels == NULL) {
        select_first();
        kernels = current_kernels;
    }
    return kernels;
}

ck_isa ck_isa_current(void) {
    ck_kernels_current();
    return current_isa;
}

const char *ck_isa_name(ck_isa isa) { return (int)isa >= 0 && (int)isa < ISA_COUNT ? isa_names[isa] : "unknown"; }

const char *ck_isa_rejected_request(void) {
    ck_kernels_current();
    return rejected_request;
}
