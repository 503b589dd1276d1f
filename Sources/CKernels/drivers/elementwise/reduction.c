// Reductions of a tensor to one number. Each task finds the number of a part, and the parts are joined in order.

#include "include/ck_elementwise.h"

#include "dispatch/kernels.h"
#include "drivers/shared/blocks.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

typedef struct reduction_call {
    const elementwise_tiles *tiles;
    int64_t count;
    parts cut;
    const float *x;
    double sums[MAX_PARTS], sum;
    int64_t places[MAX_PARTS];
} reduction_call;

static void sum_of_squares_task(void *context, int64_t part, int worker) {
    (void)worker;
    reduction_call *call = context;
    const int64_t first = part * call->cut.length, count = min_of(call->cut.length, call->count - first);
    ck_count_floats(count);
    call->sums[part] = call->tiles->sum_of_squares(count, call->x + first);
}

static void add_sums(void *context, int64_t task, int worker) {
    (void)task, (void)worker;
    reduction_call *call = context;
    call->sum = 0;
    for (int64_t part = 0; part < call->cut.count; part++) call->sum += call->sums[part];
}

double ck_sum_of_squares(int64_t count, const float *x) {
    reduction_call call;
    call.tiles = &ck_kernels_current()->elementwise;
    call.count = count;
    call.x = x;
    call.cut = cut_into_parts(count, BLOCK_FLOATS);
    ck_parallel(call.cut.count, (double)count * 4, sum_of_squares_task, &call);
    ck_serial(add_sums, &call);
    return call.sum;
}

static void first_nonfinite_task(void *context, int64_t part, int worker) {
    (void)worker;
    reduction_call *call = context;
    const int64_t first = part * call->cut.length, count = min_of(call->cut.length, call->count - first);
    ck_count_floats(count);
    const int64_t found = call->tiles->first_nonfinite(count, call->x + first);
    call->places[part] = found < 0 ? -1 : first + found;
}

int64_t ck_first_nonfinite(int64_t count, const float *x) {
    reduction_call call;
    call.tiles = &ck_kernels_current()->elementwise;
    call.count = count;
    call.x = x;
    call.cut = cut_into_parts(count, BLOCK_FLOATS);
    ck_parallel(call.cut.count, (double)count * 4, first_nonfinite_task, &call);
    for (int64_t part = 0; part < call.cut.count; part++)
        if (call.places[part] >= 0) return call.places[part];
    return -1;
}
