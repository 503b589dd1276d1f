// Softmax, and its cross-entropy with labels. A task takes some rows of the batch.

#include "include/ck_loss.h"

#include <math.h>

#include "dispatch/kernels.h"
#include "drivers/shared/blocks.h"
#include "drivers/shared/loops.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

typedef struct loss_call {
    const ck_kernels *kernels;
    int64_t batch, classes;
    parts cut;
    const float *logits;
    const int32_t *labels;
    float gradient_scale;
    float *out; ///< dlogits (may be NULL) or probabilities
    ck_loss_result results[MAX_PARTS], total;
} loss_call;

/// Operations on each logit: an exponential is about 20.
enum { EXPONENTIAL_COST = 20 };

// Counts some rows of the batch.
static void count_rows(const loss_call *call, int64_t rows) {
    ck_count_operations(rows * call->classes * EXPONENTIAL_COST);
}

static double cross_entropy_row(const loss_call *call, int64_t row, int64_t *correct_count) {
    const loss_tiles *tiles = &call->kernels->loss;
    const int64_t classes = call->classes, label = call->labels[row];
    const float *const logits = call->logits + row * classes;
    float *const gradient = call->out == NULL ? NULL : call->out + row * classes;
    const float largest = tiles->largest(classes, logits), own = logits[label];
    const double sum = tiles->exponentials(classes, logits, largest, gradient);
    if (own == largest) {
        int64_t earlier = 0;
        while (earlier < label && logits[earlier] != largest) earlier++;
        *correct_count += earlier == label;
    }
    if (gradient != NULL) {
        // In double precision, because the difference of the label's probability from 1 would vanish in single
        // precision near 0.
        const double own_term = (double)gradient[label] / sum - 1;
        call->kernels->elementwise.scale(classes, (float)(call->gradient_scale / sum), gradient);
        gradient[label] = (float)(own_term * call->gradient_scale);
    }
    return log(sum) + ((double)largest - (double)own);
}

static void cross_entropy_task(void *context, int64_t part, int worker) {
    (void)worker;
    loss_call *call = context;
    ck_loss_result result = {0, 0};
    const int64_t end = min_of(call->batch, (part + 1) * call->cut.length);
    count_rows(call, end - part * call->cut.length);
    for (int64_t row = part * call->cut.length; row < end; row++)
        result.loss_sum += cross_entropy_row(call, row, &result.correct_count);
    call->results[part] = result;
}

static void add_results(void *context, int64_t task, int worker) {
    (void)task, (void)worker;
    loss_call *call = context;
    call->total = (ck_loss_result){0, 0};
    for (int64_t part = 0; part < call->cut.count; part++) {
        call->total.loss_sum += call->results[part].loss_sum;
        call->total.correct_count += call->results[part].correct_count;
    }
}

static void softmax_task(void *context, int64_t part, int worker) {
    (void)worker;
    const loss_call *call = context;
    const int64_t end = min_of(call->batch, (part + 1) * call->cut.length), classes = call->classes;
    count_rows(call, end - part * call->cut.length);
    for (int64_t row = part * call->cut.length; row < end; row++) {
        const float *const logits = call->logits + row * classes;
        float *const probabilities = call->out + row * classes;
        const float largest = call->kernels->loss.largest(classes, logits);
        const double sum = call->kernels->loss.exponentials(classes, logits, largest, probabilities);
        call->kernels->elementwise.scale(classes, (float)(1 / sum), probabilities);
    }
}

static int64_t least_part(int64_t classes) { return max_of(1, 1024 / classes); }

/// Runs `task` over parts of the batch.
static void over_rows(loss_call *call, ck_task task) {
    call->kernels = ck_kernels_current();
    call->cut = cut_into_parts(call->batch, least_part(call->classes));
    ck_parallel(call->cut.count, (double)call->batch * (double)call->classes * EXPONENTIAL_COST, task, call);
}

ck_loss_result ck_softmax_cross_entropy(
    int64_t batch, int64_t classes, const float *logits, const int32_t *labels, float gradient_scale, float *dlogits) {
    loss_call call;
    call.batch = batch;
    call.classes = classes;
    call.logits = logits;
    call.labels = labels;
    call.gradient_scale = gradient_scale;
    call.out = dlogits;
    over_rows(&call, cross_entropy_task);
    ck_serial(add_results, &call);
    return call.total;
}

void ck_softmax(int64_t batch, int64_t classes, const float *logits, float *probabilities) {
    loss_call call;
    call.batch = batch;
    call.classes = classes;
    call.logits = logits;
    call.out = probabilities;
    over_rows(&call, softmax_task);
}

ck_plan ck_loss_plan(int64_t batch, int64_t classes) {
    const parts cut = cut_into_parts(batch, least_part(classes));
    ck_plan loops = {0};
    add_loop(
        &loops, cut.length > least_part(classes) ? "parts of a large batch" : "parts of a batch", batch, cut.length);
    return loops;
}
