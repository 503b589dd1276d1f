#ifndef CK_ELEMENTWISE_H
#define CK_ELEMENTWISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// out[i] = a[i] + b[i]. out may be a or b.
void ck_add(int64_t count, const float *a, const float *b, float *out);

/// out[i] = x[i], or out[i] += x[i] if `accumulate`.
void ck_copy(int64_t count, const float *x, float *out, bool accumulate);

/// Channels offset … offset + channels − 1 of wide [rows][wide_channels] = narrow [rows][channels]: one input of a
/// concatenation.
void ck_concat_forward(
    int64_t rows, int64_t channels, const float *narrow, int64_t wide_channels, int64_t offset, float *wide);
/// The reverse: narrow (overwritten, or added to if `accumulate`) from its slice of wide.
void ck_concat_backward(
    int64_t rows, int64_t channels, const float *wide, int64_t wide_channels, int64_t offset, float *narrow,
    bool accumulate);

/// Inverted dropout: out[i] = keep(i) ? x[i]/(1 − rate) : 0, where keep(i) is a function of (key, first + i, rate) only
/// (a counter-based generator), so the backward pass is the same call on the gradient. 0 ≤ rate < 1. out may be x;
/// added to out if `accumulate`.
void ck_dropout(int64_t count, uint64_t key, uint64_t first, float rate, const float *x, float *out, bool accumulate);

/// The sum of squares in double, added in a fixed order; NaN and infinity propagate. The function needs no scratch.
double ck_sum_of_squares(int64_t count, const float *x);

/// x[i] *= factor.
void ck_scale(int64_t count, float factor, float *x);

/// The index of the first element that is NaN or infinite, or −1.
int64_t ck_first_nonfinite(int64_t count, const float *x);

#endif
