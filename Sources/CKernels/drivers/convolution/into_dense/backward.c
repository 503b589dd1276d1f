// Backward of a convolution into a dense layer: the lanes are filters. A task takes a range of pixels, some filters at
// a time. The task computes the convolution's output again. From this output and the gradients of the outputs follow
// two gradients: the gradient of the dense weights, which is written once, and the gradient of the convolution's
// output, which goes at once into the task's part of the convolution's gradients. The parts are added in order.

#include "drivers/convolution/into_dense/into_dense.h"
#include "drivers/shared/loops.h"
#include "drivers/shared/parts.h"

#include <string.h>

// Images whose z and dz stay in L1 with the rest of a chunk.
enum { GROUP_IMAGES = 32, GROUP_FLOATS = GROUP_IMAGES * INTO_DENSE_COLUMNS };

typedef struct backward_plan {
    into_dense_sizes sizes;
    int64_t patch_floats, column_floats, chunk_floats, part_floats;
} backward_plan;

static backward_plan plan_of(const ck_convolution_dense *pair) {
    const int64_t members = pair->activation.member_count;
    backward_plan plan = {.sizes = ck_into_dense_sizes(pair)};
    const into_dense_sizes *sizes = &plan.sizes;
    plan.patch_floats = into_dense_patch_floats(sizes);
    plan.column_floats = members * pair->out_features * INTO_DENSE_COLUMNS;
    plan.chunk_floats = 2 * GROUP_FLOATS + 2 * plan.column_floats;
    plan.part_floats = sizes->blocks * sizes->block_floats;
    return plan;
}

typedef struct backward_memory {
    float *planes, *packed, *patches, *chunks, *dy_columns, *parts;
    size_t size;
} backward_memory;

static backward_memory memory_of(const ck_convolution_dense *pair, const backward_plan *plan, void *scratch) {
    const into_dense_sizes *sizes = &plan->sizes;
    scratch_parts parts = {.base = scratch};
    backward_memory memory;
    memory.planes = take_floats(&parts, into_dense_plane_floats(sizes, &pair->convolution));
    memory.packed = take_floats(&parts, into_dense_packed_floats(sizes));
    memory.patches = take_floats(&parts, sizes->workers * plan->patch_floats);
    memory.chunks = take_floats(&parts, sizes->workers * plan->chunk_floats);
    memory.dy_columns = take_floats(&parts, pair->out_features * sizes->image_stride);
    memory.parts = take_floats(&parts, sizes->tasks * plan->part_floats);
    memory.size = parts.size;
    return memory;
}

size_t ck_into_dense_backward_scratch(const ck_convolution_dense *pair) {
    const backward_plan plan = plan_of(pair);
    return memory_of(pair, &plan, NULL).size;
}

typedef struct backward_call {
    const ck_convolution_dense *pair;
    const ck_kernels *kernels;
    backward_plan plan;
    const float *dense_weights, *dy;
    float *dweights, *dbias, *ddense_weights, *ddense_bias;
    backward_memory memory;
} backward_call;

// The memory of a worker for some filters of a pixel.
typedef struct chunk_memory {
    float *z, *dz;             // [GROUP_IMAGES][INTO_DENSE_COLUMNS]
    float *columns, *dcolumns; // the dense weights and their gradients, [member][output][INTO_DENSE_COLUMNS]
} chunk_memory;

static void take_chunk(
    const backward_call *call, const float *patch, int64_t pixel, int64_t filter, bool first, const chunk_memory *chunk,
    float *part) {
    const ck_convolution_dense *pair = call->pair;
    const into_dense_tiles *tiles = &call->kernels->into_dense;
    const into_dense_sizes *sizes = &call->plan.sizes;
    const ck_activation *activation = &pair->activation;
    const int64_t batch = pair->convolution.batch, features = pair->out_features, width = INTO_DENSE_COLUMNS;
    const int64_t filters = min_of(width, pair->convolution.out_channels - filter),
                  block = into_dense_block_start(sizes, filter);
    const int64_t columns = round_up(filters, call->kernels->vector_floats),
                  member = pair->convolution.out_channels * features;
    const int64_t start = into_dense_first_input(sizes, pixel, filter) * features, count = filters * features;
    const float *weights = call->dense_weights + start;
    float *dweights = call->ddense_weights + start;

    // Memory is prefetched about a chunk ahead: the weights of the next chunk now, and the gradients of this chunk,
    // which are written at its end.
    for (int m = 0; m < activation->member_count; m++) {
        tiles->gather_columns(filters, features, weights + m * member, chunk->columns + m * features * width, width);
        into_dense_fetch(weights + m * member + count, count);
    }
    for (int64_t image = 0; image < batch; image += GROUP_IMAGES) {
        const int64_t images = min_of(GROUP_IMAGES, batch - image), rows = round_up(images, INTO_DENSE_PADDED_ROWS);
        tiles->multiply(
            1 + sizes->terms, rows, columns, patch + image, sizes->image_stride, call->memory.packed + block, width,
            chunk->z, width);
        for (int m = 0; m < activation->member_count; m++) {
            if (image == 0) into_dense_fetch_to_write(dweights + m * member, count);
            tiles->multiply_member(
                &activation->members[m], images, features, columns, call->dy + image * features, features, chunk->z,
                width, image == 0, chunk->dcolumns + m * features * width, width);
        }
        tiles->fold(
            activation, features, rows, columns, call->memory.dy_columns + image, sizes->image_stride, chunk->columns,
            features * width, width, chunk->z, chunk->dz, width);
        tiles->multiply_rows(
            images, 1 + sizes->terms, columns, patch + image, sizes->image_stride, chunk->dz, width,
            first && image == 0, part + block, width);
    }
    for (int m = 0; m < activation->member_count; m++)
        tiles->scatter_columns(filters, features, chunk->dcolumns + m * features * width, width, dweights + m * member);
}

static void backward_range(void *context, int64_t task, int worker) {
    const backward_call *call = context;
    const backward_plan *plan = &call->plan;
    const into_dense_sizes *sizes = &plan->sizes;
    float *patch = call->memory.patches + worker * plan->patch_floats,
          *memory = call->memory.chunks + worker * plan->chunk_floats;
    float *part = call->memory.parts + task * plan->part_floats;
    const chunk_memory chunk = {
        .z = memory,
        .dz = memory + GROUP_FLOATS,
        .columns = memory + 2 * GROUP_FLOATS,
        .dcolumns = memory + 2 * GROUP_FLOATS + plan->column_floats,
    };
    const int64_t first = task * sizes->task_pixels, end = min_of(first + sizes->task_pixels, sizes->pixels);
    ck_into_dense_patch_ones(sizes, patch);
    into_dense_count(call->pair, end - first, 3);
    for (int64_t pixel = first; pixel < end; pixel++) {
        ck_into_dense_patch(call->pair, sizes, call->memory.planes, pixel, patch);
        for (int64_t filter = 0; filter < call->pair->convolution.out_channels; filter += INTO_DENSE_COLUMNS)
            take_chunk(call, patch, pixel, filter, pixel == first, &chunk, part);
    }
}

// Adds the tasks' parts of the convolution's gradients for one block of filters, row by row.
static void sum_block(void *context, int64_t block, int worker) {
    (void)worker;
    const backward_call *call = context;
    const into_dense_sizes *sizes = &call->plan.sizes;
    const int64_t filters = call->pair->convolution.out_channels, filter = block * INTO_DENSE_COLUMNS;
    const int64_t count = min_of(INTO_DENSE_COLUMNS, filters - filter), stride = call->plan.part_floats;
    const float *parts = call->memory.parts + block * sizes->block_floats;
    if (call->dbias != NULL) add_parts(call->kernels, parts, sizes->tasks, stride, count, call->dbias + filter);
    for (int64_t t = 0; t < sizes->terms; t++)
        add_parts(
            call->kernels, parts + (1 + t) * INTO_DENSE_COLUMNS, sizes->tasks, stride, count,
            call->dweights + t * filters + filter);
}

static void sum_dense_bias(void *context, int64_t task, int worker) {
    (void)task, (void)worker;
    const backward_call *call = context;
    call->kernels->gemm.sum_rows(
        call->dy, call->pair->convolution.batch, call->pair->out_features, true, call->ddense_bias);
}

void ck_convolution_dense_backward(
    const ck_convolution_dense *pair, const float *input, const float *weights, const float *bias,
    const float *dense_weights, const float *dy, float *dweights, float *dbias, float *ddense_weights,
    float *ddense_bias, void *scratch) {
    const ck_kernels *kernels = ck_kernels_current();
    const int64_t batch = pair->convolution.batch, features = pair->out_features;
    backward_call call = {
        .pair = pair,
        .kernels = kernels,
        .plan = plan_of(pair),
        .dense_weights = dense_weights,
        .dy = dy,
        .dweights = dweights,
        .dbias = dbias,
        .ddense_weights = ddense_weights,
        .ddense_bias = ddense_bias};
    const backward_plan *plan = &call.plan;
    call.memory = memory_of(pair, plan, scratch);
    float *dy_columns = call.memory.dy_columns;
    memset(dy_columns, 0, (size_t)(features * plan->sizes.image_stride) * sizeof(float));
    kernels->gemm.transpose(dy, features, batch, features, dy_columns, plan->sizes.image_stride);
    ck_into_dense_prepare(kernels, pair, &plan->sizes, input, weights, bias, call.memory.planes, call.memory.packed);
    ck_parallel(plan->sizes.tasks, 3 * ck_into_dense_work(pair), backward_range, &call);
    const double sum_bytes = 4.0 * (double)plan->sizes.tasks * (double)plan->part_floats;
    ck_parallel(plan->sizes.blocks, sum_bytes, sum_block, &call);
    if (ddense_bias != NULL) ck_serial(sum_dense_bias, &call);
}

void ck_into_dense_backward_loops(const ck_convolution_dense *pair, ck_plan *loops) {
    add_loop(loops, "groups of images", pair->convolution.batch, GROUP_IMAGES);
}
