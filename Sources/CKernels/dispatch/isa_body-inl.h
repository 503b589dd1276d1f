// No include guard: included once by each dispatch/isa_*.c after it has defined CK_VECTOR_BYTES, CK_TABLE (the
// table's name), CK_NARROW_GEMM (tiles of shorter vectors, or NULL) and the target attribute of everything below.

#include "tiles/vector-inl.h"
#include "tiles/math-inl.h"
#include "tiles/lanes-inl.h"

#include "tiles/activation-inl.h"
#include "tiles/dropout-inl.h"
#include "tiles/elementwise-inl.h"
#include "tiles/gemm-inl.h"
#include "tiles/input-inl.h"
#include "tiles/loss-inl.h"
#include "tiles/normalization-inl.h"
#include "tiles/optimizer-inl.h"
#include "tiles/pooling-inl.h"
#include "tiles/transpose-inl.h"
#include "tiles/into_dense-inl.h"
#include "tiles/chain-inl.h"
#include "tiles/winograd-inl.h"

const ck_kernels CK_TABLE = {
    .vector_floats = VECTOR_FLOATS,
    .activation = {.forward = activation_forward, .backward = activation_backward},
    .chain =
        {
            .rectifies = CHAIN_RECTIFIES,
            .convolve = chain_convolve,
            .convolve_and_fold = chain_convolve_and_fold,
            .gradient_terms = CHAIN_TERMS,
            .weight_gradients = chain_weight_gradients,
            .add_columns = chain_add_columns,
            .sum_images = chain_sum_images,
            .spread = chain_spread,
        },
    .elementwise =
        {
            .add = elementwise_add,
            .scale = elementwise_scale,
            .copy_rows = elementwise_copy_rows,
            .dropout = elementwise_dropout,
            .sum_of_squares = elementwise_sum_of_squares,
            .first_nonfinite = elementwise_first_nonfinite,
        },
    .into_dense =
        {
            .multiply = into_dense_multiply,
            .multiply_member = into_dense_multiply_member,
            .fold = into_dense_fold,
            .multiply_rows = into_dense_multiply_rows,
            .gather_columns = into_dense_gather_columns,
            .scatter_columns = into_dense_scatter_columns,
        },
    .gemm =
        {
            .vector_floats = VECTOR_FLOATS,
            .vectors = TILE_VECTORS,
            .rows = GEMM_TILE_ROWS,
            .short_sum_rows = GEMM_SHORT_SUM_ROWS,
            .tile = GEMM_TABLE,
            .tall = GEMM_TALL,
            .sum_rows = gemm_sum_rows,
            .transpose = transpose,
            .narrow = CK_NARROW_GEMM,
        },
    .input =
        {
            .convert = input_convert,
            .interpolate_bytes = input_interpolate_bytes,
            .interpolate_rows = input_interpolate_rows,
        },
    .loss =
        {
            .largest = loss_largest,
            .exponentials = loss_exponentials,
        },
    .normalization =
        {
            .moments = normalization_moments,
            .gradient_sums = normalization_gradient_sums,
            .scale_shift = normalization_scale_shift,
            .gradient = normalization_gradient,
        },
    .optimizer = {.update = optimizer_update},
    .pooling =
        {
            .max_forward = pooling_max_forward,
            .max_backward = pooling_max_backward,
            .average_forward = pooling_average_forward,
            .average_backward = pooling_average_backward,
            .row_mean = pooling_row_mean,
            .spread_row = pooling_spread_row,
        },
    .winograd = {[WINOGRAD_TILE4] = TILE4_MAPS, [WINOGRAD_TILE5] = TILE5_MAPS, [WINOGRAD_STRIDE2] = STRIDE2_MAPS},
};
