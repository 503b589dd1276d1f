// The parts that forward and backward of a convolution into a dense layer share: sizes, and the input with images as
// columns.

#include "drivers/convolution/into_dense/into_dense.h"
#include "runtime/operations.h"

#include <string.h>

// Each task has partial sums of its own. So many tasks keep many threads busy to the end.
enum { MOST_TASKS = 64 };

into_dense_sizes ck_into_dense_sizes(const ck_convolution_dense *pair) {
    const ck_convolution *c = &pair->convolution;
    into_dense_sizes sizes = {
        .terms = c->kernel_h * c->kernel_w * c->channels,
        .pixels = c->out_height * c->out_width,
        .inputs = pair->activation.member_count * c->out_channels,
        .rows = convolution_padded_rows(c),
        .columns = convolution_padded_columns(c),
        .image_stride = round_up(c->batch, 16),
        .blocks = divide_up(c->out_channels, INTO_DENSE_COLUMNS),
    };
    sizes.block_floats = (1 + sizes.terms) * INTO_DENSE_COLUMNS;
    sizes.task_pixels = divide_up(sizes.pixels, MOST_TASKS);
    sizes.tasks = divide_up(sizes.pixels, sizes.task_pixels);
    sizes.workers = ck_worker_limit(sizes.tasks);
    return sizes;
}

typedef struct preparation {
    const ck_kernels *kernels;
    const ck_convolution *c;
    const into_dense_sizes *sizes;
    const float *input, *weights, *bias;
    float *planes, *packed;
} preparation;

// One row of the padded input, or one block of the packed weights.
static void prepare_row(void *context, int64_t task, int worker) {
    (void)worker;
    const preparation *call = context;
    const ck_convolution *c = call->c;
    const into_dense_sizes *sizes = call->sizes;
    const int64_t row_floats = sizes->columns * c->channels * sizes->image_stride;
    ck_count_floats(2 * (task < sizes->rows ? row_floats : sizes->block_floats));
    if (task >= sizes->rows) {
        const int64_t block = task - sizes->rows, filter = block * INTO_DENSE_COLUMNS;
        const size_t bytes = (size_t)min_of(INTO_DENSE_COLUMNS, c->out_channels - filter) * sizeof(float);
        float *target = call->packed + block * sizes->block_floats;
        memset(target, 0, (size_t)sizes->block_floats * sizeof(float));
        if (call->bias != NULL) memcpy(target, call->bias + filter, bytes);
        for (int64_t t = 0; t < sizes->terms; t++)
            memcpy(target + (1 + t) * INTO_DENSE_COLUMNS, call->weights + t * c->out_channels + filter, bytes);
        return;
    }
    const int64_t pixel = c->channels * sizes->image_stride, y = task - c->pad_top;
    float *row = call->planes + task * sizes->columns * pixel;
    if (y < 0 || y >= c->height) {
        memset(row, 0, (size_t)(sizes->columns * pixel) * sizeof(float));
        return;
    }
    const int64_t right = c->pad_left + c->width;
    memset(row, 0, (size_t)(c->pad_left * pixel) * sizeof(float));
    memset(row + right * pixel, 0, (size_t)((sizes->columns - right) * pixel) * sizeof(float));
    call->kernels->gemm.transpose(
        call->input + y * c->width * c->channels, c->height * c->width * c->channels, c->batch, c->width * c->channels,
        row + c->pad_left * pixel, sizes->image_stride);
}

void ck_into_dense_prepare(
    const ck_kernels *kernels, const ck_convolution_dense *pair, const into_dense_sizes *sizes, const float *input,
    const float *weights, const float *bias, float *planes, float *packed) {
    preparation call = {kernels, &pair->convolution, sizes, input, weights, bias, planes, packed};
    const double bytes = 8.0 * (double)(into_dense_plane_floats(sizes, call.c) + into_dense_packed_floats(sizes));
    ck_parallel(sizes->rows + sizes->blocks, bytes, prepare_row, &call);
}

void ck_into_dense_patch_ones(const into_dense_sizes *sizes, float *patch) {
    for (int64_t i = 0; i < sizes->image_stride; i++) patch[i] = 1;
}

void ck_into_dense_patch(
    const ck_convolution_dense *pair, const into_dense_sizes *sizes, const float *planes, int64_t pixel, float *patch) {
    const ck_convolution *c = &pair->convolution;
    const int64_t element = c->channels * sizes->image_stride, run = c->kernel_w * element;
    const int64_t y = pixel / c->out_width * c->stride_h, x = pixel % c->out_width * c->stride_w;
    for (int64_t ky = 0; ky < c->kernel_h; ky++)
        memcpy(
            patch + sizes->image_stride + ky * run, planes + ((y + ky) * sizes->columns + x) * element,
            (size_t)run * sizeof(float));
}

double ck_into_dense_work(const ck_convolution_dense *pair) {
    const into_dense_sizes sizes = ck_into_dense_sizes(pair);
    return 2.0 * (double)pair->convolution.batch * (double)sizes.pixels * (double)pair->convolution.out_channels
        * ((double)sizes.terms + (double)pair->activation.member_count * (double)pair->out_features);
}
