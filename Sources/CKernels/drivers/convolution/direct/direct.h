#ifndef CK_DIRECT_H
#define CK_DIRECT_H

#include "drivers/convolution/shape.h"
#include "include/ck_plans.h"

// The passes of the direct algorithm.

size_t ck_direct_forward_scratch(const ck_convolution *convolution);
size_t ck_direct_backward_data_scratch(const ck_convolution *convolution);
size_t ck_direct_backward_weights_scratch(const ck_convolution *convolution);

void ck_direct_forward(
    const ck_convolution *convolution, const float *z, const float *slopes, const float *weights, const float *bias,
    float *y, void *scratch);

/// One of dz and dslopes may be NULL.
void ck_direct_backward_data(
    const ck_convolution *convolution, const float *z, const float *slopes, const float *weights, const float *dy,
    float *dz, bool accumulate, float *dslopes, void *scratch);

/// dbias may be NULL.
void ck_direct_backward_weights(
    const ck_convolution *convolution, const float *z, const float *slopes, const float *dy, float *dweights,
    float *dbias, void *scratch);

void ck_direct_forward_loops(const ck_convolution *convolution, ck_plan *loops);
void ck_direct_backward_data_loops(const ck_convolution *convolution, ck_plan *loops);
void ck_direct_backward_weights_loops(const ck_convolution *convolution, ck_plan *loops);

#endif
