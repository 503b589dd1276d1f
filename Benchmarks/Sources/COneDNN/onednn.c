#include "COneDNN.h"

#if __has_include(<oneapi/dnnl/dnnl.h>)

#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>

enum { MAX_ARGUMENTS = 4 };

struct onednn_convolution {
    dnnl_primitive_t primitive;
    dnnl_stream_t stream;
    int argument_count;
    dnnl_exec_arg_t arguments[MAX_ARGUMENTS];
};

bool onednn_available(void) { return true; }

static dnnl_memory_desc_t any_layout(int rank, const dnnl_dims_t dims) {
    dnnl_memory_desc_t result;
    dnnl_memory_desc_init_by_tag(&result, rank, dims, dnnl_f32, rank == 1 ? dnnl_a : dnnl_format_tag_any);
    return result;
}

// Memory in the layout that the primitive asks for, filled with small numbers: what malloc left there could be
// denormal.
static void add_argument(
    onednn_convolution *convolution, dnnl_engine_t engine, const_dnnl_primitive_desc_t primitive, dnnl_query_t query,
    int index, int name) {
    const dnnl_memory_desc_t *layout = dnnl_primitive_desc_query_md(primitive, query, index);
    dnnl_memory_t memory;
    dnnl_memory_create(&memory, layout, engine, DNNL_MEMORY_ALLOCATE);
    void *data;
    dnnl_memory_get_data_handle(memory, &data);
    const size_t count = dnnl_memory_desc_get_size(layout) / sizeof(float);
    for (size_t i = 0; i < count; i++) ((float *)data)[i] = (float)(i % 17) * 0.1f - 0.8f;
    convolution->arguments[convolution->argument_count++] = (dnnl_exec_arg_t){name, memory};
}

onednn_convolution *onednn_convolution_create(onednn_shape shape, onednn_pass pass) {
    dnnl_engine_t engine;
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success) return NULL;
    const dnnl_dims_t x_dims = {shape.batch, shape.channels, shape.size, shape.size};
    const dnnl_dims_t weights_dims = {shape.filters, shape.channels, shape.kernel, shape.kernel};
    const dnnl_dims_t bias_dims = {shape.filters};
    const dnnl_dims_t y_dims = {shape.batch, shape.filters, shape.out_size, shape.out_size};
    const dnnl_dims_t strides = {shape.stride, shape.stride};
    const dnnl_dims_t before = {shape.pad_before, shape.pad_before}, after = {shape.pad_after, shape.pad_after};
    const dnnl_memory_desc_t x = any_layout(4, x_dims), weights = any_layout(4, weights_dims);
    const dnnl_memory_desc_t bias = any_layout(1, bias_dims), y = any_layout(4, y_dims);
    const dnnl_alg_kind_t algorithm = dnnl_convolution_auto;

    // Backward passes are described with the forward one as a hint.
    dnnl_convolution_desc_t description;
    dnnl_primitive_desc_t forward, chosen;
    dnnl_convolution_forward_desc_init(
        &description, dnnl_forward_training, algorithm, &x, &weights, &bias, &y, strides, before, after);
    if (dnnl_primitive_desc_create(&forward, &description, NULL, engine, NULL) != dnnl_success) return NULL;
    chosen = forward;
    if (pass == ONEDNN_BACKWARD_DATA)
        dnnl_convolution_backward_data_desc_init(&description, algorithm, &x, &weights, &y, strides, before, after);
    if (pass == ONEDNN_BACKWARD_WEIGHTS)
        dnnl_convolution_backward_weights_desc_init(
            &description, algorithm, &x, &weights, &bias, &y, strides, before, after);
    if (pass != ONEDNN_FORWARD
        && dnnl_primitive_desc_create(&chosen, &description, NULL, engine, forward) != dnnl_success)
        return NULL;

    onednn_convolution *result = calloc(1, sizeof *result);
    if (!result) return NULL;
    if (dnnl_primitive_create(&result->primitive, chosen) != dnnl_success
        || dnnl_stream_create(&result->stream, engine, dnnl_stream_default_flags) != dnnl_success) {
        free(result);
        return NULL;
    }
    switch (pass) {
    case ONEDNN_FORWARD:
        add_argument(result, engine, chosen, dnnl_query_src_md, 0, DNNL_ARG_SRC);
        add_argument(result, engine, chosen, dnnl_query_weights_md, 0, DNNL_ARG_WEIGHTS);
        add_argument(result, engine, chosen, dnnl_query_weights_md, 1, DNNL_ARG_BIAS);
        add_argument(result, engine, chosen, dnnl_query_dst_md, 0, DNNL_ARG_DST);
        break;
    case ONEDNN_BACKWARD_DATA:
        add_argument(result, engine, chosen, dnnl_query_diff_src_md, 0, DNNL_ARG_DIFF_SRC);
        add_argument(result, engine, chosen, dnnl_query_weights_md, 0, DNNL_ARG_WEIGHTS);
        add_argument(result, engine, chosen, dnnl_query_diff_dst_md, 0, DNNL_ARG_DIFF_DST);
        break;
    case ONEDNN_BACKWARD_WEIGHTS:
        add_argument(result, engine, chosen, dnnl_query_src_md, 0, DNNL_ARG_SRC);
        add_argument(result, engine, chosen, dnnl_query_diff_weights_md, 0, DNNL_ARG_DIFF_WEIGHTS);
        add_argument(result, engine, chosen, dnnl_query_diff_weights_md, 1, DNNL_ARG_DIFF_BIAS);
        add_argument(result, engine, chosen, dnnl_query_diff_dst_md, 0, DNNL_ARG_DIFF_DST);
        break;
    }
    return result;
}

void onednn_convolution_run(onednn_convolution *convolution) {
    dnnl_primitive_execute(
        convolution->primitive, convolution->stream, convolution->argument_count, convolution->arguments);
    dnnl_stream_wait(convolution->stream);
}

#else

bool onednn_available(void) { return false; }
onednn_convolution *onednn_convolution_create(onednn_shape shape, onednn_pass pass) {
    (void)shape, (void)pass;
    return 0;
}
void onednn_convolution_run(onednn_convolution *convolution) { (void)convolution; }

#endif
