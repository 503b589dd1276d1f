#ifndef CK_POOLING_H
#define CK_POOLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ck_activation.h"

/// A 2-D pooling window over x [batch][height][width][channels] giving y [batch][out_height][out_width][channels].
/// Positions in the padding take no part in a maximum. An average doesn't count these positions either (TensorFlow's
/// rule), unless `counts_padding` (PyTorch's default). Windows may reach beyond the padding, where nothing counts.
typedef struct ck_pooling {
    int64_t batch, height, width, channels;
    int64_t out_height, out_width;
    int64_t window_h, window_w, stride_h, stride_w;
    int64_t pad_top, pad_left;
    int64_t pad_bottom, pad_right; ///< used by averages that count the padding alone
    bool counts_padding;
} ck_pooling;

/// NULL if the kernels take this descriptor, otherwise a short reason (static text). Every window must hold at least
/// one position of the image, and at most 255. `activation` is the activation of x whose maximum is wanted: y then has
/// `member_count` times the channels of x. An activation with learned slopes is refused. `activation` is NULL for
/// averages, and for a maximum of x itself.
const char *ck_pooling_check(const ck_pooling *pooling, const ck_activation *activation);

/// y [batch][out_height][out_width][members·channels] is the maximum of each member of `activation` over each window
/// (of z itself if `activation` is NULL). The members are formed as z is read. `argmax` has the shape of y and receives
/// the index window_y·window_w + window_x of the first largest element, or of the first NaN if there is one. `argmax`
/// may be NULL when there will be no backward pass.
void ck_max_pool_forward(
    const ck_pooling *pooling, const ck_activation *activation, const float *z, float *y, uint8_t *argmax);
/// dz = Σ_m member_m′(z)·(the gradient of member m that the windows hand down from dy), overwritten, or added to if
/// `accumulate`. Windows may overlap. If `activation` is NULL, z is not read and may be NULL.
void ck_max_pool_backward(
    const ck_pooling *pooling, const ck_activation *activation, const uint8_t *argmax, const float *z, const float *dy,
    float *dz, bool accumulate);

void ck_average_pool_forward(const ck_pooling *pooling, const float *x, float *y);
void ck_average_pool_backward(const ck_pooling *pooling, const float *dy, float *dx, bool accumulate);

/// y [batch][channels]: the mean over `positions` of x [batch][positions][channels].
void ck_global_average_pool_forward(int64_t batch, int64_t positions, int64_t channels, const float *x, float *y);
void ck_global_average_pool_backward(
    int64_t batch, int64_t positions, int64_t channels, const float *dy, float *dx, bool accumulate);

#endif
