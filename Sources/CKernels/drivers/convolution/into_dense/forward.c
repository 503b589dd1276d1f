// Forward of a convolution into a dense layer: the lanes are images. A task computes the convolution's output for a
// range of pixels, some filters at a time. It forms the members while the output is in L1, and adds the products of the
// members with the dense weights to its own part of the outputs. The dense weights are read where they lie, once. The
// parts are added in order.

#include "drivers/convolution/into_dense/into_dense.h"
#include "drivers/shared/loops.h"
#include "drivers/shared/parts.h"

// So many filters fit L1 beside the weights of a convolution of few terms.
enum { CHUNK_FILTERS = 64 };

typedef struct forward_plan {
    into_dense_sizes sizes;
    int64_t chunk_filters, patch_floats, chunk_floats, part_floats;
} forward_plan;

static forward_plan plan_of(const ck_convolution_dense *pair) {
    const ck_convolution *c = &pair->convolution;
    forward_plan plan = {.sizes = ck_into_dense_sizes(pair)};
    const into_dense_sizes *sizes = &plan.sizes;
    plan.chunk_filters = min_of(CHUNK_FILTERS, round_up(c->out_channels, INTO_DENSE_PADDED_ROWS));
    plan.patch_floats = into_dense_patch_floats(sizes);
    plan.chunk_floats = plan.chunk_filters * INTO_DENSE_COLUMNS;
    plan.part_floats = pair->out_features * sizes->image_stride;
    return plan;
}

typedef struct forward_memory {
    float *planes, *packed, *patches, *chunks;
    float *parts, *sums; // of the outputs: a part for each task, and their sum
    size_t size;
} forward_memory;

static forward_memory memory_of(const ck_convolution *c, const forward_plan *plan, void *scratch) {
    const into_dense_sizes *sizes = &plan->sizes;
    scratch_parts parts = {.base = scratch};
    forward_memory memory;
    memory.planes = take_floats(&parts, into_dense_plane_floats(sizes, c));
    memory.packed = take_floats(&parts, into_dense_packed_floats(sizes));
    memory.patches = take_floats(&parts, sizes->workers * plan->patch_floats);
    memory.chunks = take_floats(&parts, sizes->workers * plan->chunk_floats);
    memory.parts = take_floats(&parts, sizes->tasks * plan->part_floats);
    memory.sums = take_floats(&parts, plan->part_floats);
    memory.size = parts.size;
    return memory;
}

size_t ck_into_dense_forward_scratch(const ck_convolution_dense *pair) {
    const forward_plan plan = plan_of(pair);
    return memory_of(&pair->convolution, &plan, NULL).size;
}

typedef struct forward_call {
    const ck_convolution_dense *pair;
    const ck_kernels *kernels;
    forward_plan plan;
    const float *dense_weights, *dense_bias;
    forward_memory memory;
    float *y;
} forward_call;

// Adds the products of some filters of a pixel with the dense weights, for one panel of images.
static void add_chunk(
    const forward_call *call, const float *patch, int64_t pixel, int64_t filter, int64_t image, bool first,
    float *chunk, float *part) {
    const ck_convolution_dense *pair = call->pair;
    const into_dense_tiles *tiles = &call->kernels->into_dense;
    const into_dense_sizes *sizes = &call->plan.sizes;
    const int64_t features = pair->out_features, width = INTO_DENSE_COLUMNS;
    const int64_t filters = min_of(call->plan.chunk_filters, pair->convolution.out_channels - filter);
    const int64_t columns = min_of(width, round_up(pair->convolution.batch - image, call->kernels->vector_floats));
    for (int64_t f = 0; f < filters; f += width)
        tiles->multiply(
            1 + sizes->terms, round_up(min_of(width, filters - f), INTO_DENSE_PADDED_ROWS), columns,
            call->memory.packed + into_dense_block_start(sizes, filter + f), width, patch + image, sizes->image_stride,
            chunk + f * width, width);
    const float *weights = call->dense_weights + into_dense_first_input(sizes, pixel, filter) * features;
    for (int m = 0; m < pair->activation.member_count; m++) {
        into_dense_fetch(weights + filters * features, filters * features);
        tiles->multiply_member(
            &pair->activation.members[m], filters, features, columns, weights, features, chunk, width, first && m == 0,
            part + image, sizes->image_stride);
        weights += pair->convolution.out_channels * features;
    }
}

static void forward_range(void *context, int64_t task, int worker) {
    const forward_call *call = context;
    const forward_plan *plan = &call->plan;
    const into_dense_sizes *sizes = &plan->sizes;
    const ck_convolution *c = &call->pair->convolution;
    float *patch = call->memory.patches + worker * plan->patch_floats,
          *chunk = call->memory.chunks + worker * plan->chunk_floats;
    float *part = call->memory.parts + task * plan->part_floats;
    const int64_t first = task * sizes->task_pixels, end = min_of(first + sizes->task_pixels, sizes->pixels);
    ck_into_dense_patch_ones(sizes, patch);
    into_dense_count(call->pair, end - first, 1);
    for (int64_t pixel = first; pixel < end; pixel++) {
        ck_into_dense_patch(call->pair, sizes, call->memory.planes, pixel, patch);
        for (int64_t filter = 0; filter < c->out_channels; filter += plan->chunk_filters)
            for (int64_t image = 0; image < c->batch; image += INTO_DENSE_COLUMNS)
                add_chunk(call, patch, pixel, filter, image, pixel == first && filter == 0, chunk, part);
    }
}

static void add_dense_bias(void *context, int64_t task, int worker) {
    (void)task, (void)worker;
    const forward_call *call = context;
    const int64_t batch = call->pair->convolution.batch, features = call->pair->out_features;
    for (int64_t image = 0; image < batch; image++)
        for (int64_t n = 0; n < features; n++) call->y[image * features + n] += call->dense_bias[n];
}

void ck_convolution_dense_forward(
    const ck_convolution_dense *pair, const float *input, const float *weights, const float *bias,
    const float *dense_weights, const float *dense_bias, float *y, void *scratch) {
    const ck_kernels *kernels = ck_kernels_current();
    const int64_t batch = pair->convolution.batch, features = pair->out_features;
    forward_call call = {
        .pair = pair,
        .kernels = kernels,
        .plan = plan_of(pair),
        .dense_weights = dense_weights,
        .dense_bias = dense_bias,
        .y = y};
    const forward_plan *plan = &call.plan;
    call.memory = memory_of(&pair->convolution, plan, scratch);
    ck_into_dense_prepare(kernels, pair, &plan->sizes, input, weights, bias, call.memory.planes, call.memory.packed);
    ck_parallel(plan->sizes.tasks, ck_into_dense_work(pair), forward_range, &call);
    ck_sum_parts(call.memory.parts, plan->sizes.tasks, plan->part_floats, plan->part_floats, call.memory.sums);
    kernels->gemm.transpose(call.memory.sums, plan->sizes.image_stride, features, batch, y, features);
    if (dense_bias != NULL) ck_serial(add_dense_bias, &call);
}

void ck_into_dense_forward_loops(const ck_convolution_dense *pair, ck_plan *loops) {
    const int64_t filters = pair->convolution.out_channels, chunk = plan_of(pair).chunk_filters;
    add_loop(loops, "chunks of filters", filters, chunk);
    add_loop(loops, "blocks of the last chunk", (filters - 1) % chunk + 1, INTO_DENSE_COLUMNS);
    add_loop(loops, "panels of images", pair->convolution.batch, INTO_DENSE_COLUMNS);
}
