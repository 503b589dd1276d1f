#ifndef CK_ACTIVATION_H
#define CK_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The scalar functions g of which activations are made, with ENTRY(name) for each. The derivative at a kink is the one
/// for z < 0 (as PyTorch has it). A new function takes a line here, and its value and its derivative in
/// tiles/activation-inl.h.
// clang-format off
#define CK_FUNCTIONS(ENTRY) \
    ENTRY(CK_IDENTITY)   /* z */ \
    ENTRY(CK_RELU)       /* max(z, 0) */ \
    ENTRY(CK_LEAKY_RELU) /* z > 0 ? z : parameter·z */ \
    ENTRY(CK_PRELU)      /* z > 0 ? z : slope·z, the slope learned */ \
    ENTRY(CK_ELU)        /* z > 0 ? z : parameter·(e^z − 1) */ \
    ENTRY(CK_SELU)       /* λ·z for z > 0, λ·α·(e^z − 1) otherwise (Klambauer et al. 2017) */ \
    ENTRY(CK_SWISH)      /* z·sigmoid(z) */
// clang-format on

#define CK_ENUMERATOR(name) name,
typedef enum ck_function { CK_FUNCTIONS(CK_ENUMERATOR) } ck_function;
#undef CK_ENUMERATOR

/// One member of an activation: output_scale · g(input_scale · z).
typedef struct ck_member {
    ck_function function;
    float input_scale; ///< −1 mirrors the member
    float output_scale;
    float parameter; ///< slope of CK_LEAKY_RELU, α of CK_ELU; ignored otherwise
} ck_member;

enum { CK_MAX_MEMBERS = 8 };

/// How the learned slopes of CK_PRELU members are shared.
typedef enum ck_slope_sharing {
    CK_SLOPES_PER_CHANNEL = 0,  ///< slopes[p][C], p counting the CK_PRELU members in order
    CK_SLOPES_PER_POSITION = 1, ///< slopes[p][position][C], position = y·width + x
} ck_slope_sharing;

/// An activation: `member_count` members of one pre-activation z with C channels give member_count·C channels,
/// member after member: out[position][m·C + c] = member_m(z[position][c]).
/// One CK_IDENTITY member with scales 1 is "no activation".
typedef struct ck_activation {
    int32_t member_count; ///< 1 … CK_MAX_MEMBERS
    /// True if z holds g(z) already. The activation then has one member, CK_RELU with scales 1. Readers of z apply
    /// nothing. The derivative at g(z) is the derivative at z.
    bool applied;
    ck_slope_sharing slope_sharing;
    ck_member members[CK_MAX_MEMBERS];
} ck_activation;

/// The shape of a stand-alone activation: z is [batch][positions][channels].
typedef struct ck_activation_shape {
    int64_t batch, positions, channels;
    ck_activation activation;
} ck_activation_shape;

/// True if counts are in range, scales, their product and parameters are finite, and every function is known.
bool ck_activation_check(const ck_activation *activation);

/// How many floats the slopes of an activation take for z of `positions` × `channels`; 0 without CK_PRELU members.
int64_t ck_activation_slope_count(const ck_activation *activation, int64_t positions, int64_t channels);

/// out [batch][positions][members·channels] from z. `slopes` may be NULL if there are none.
void ck_activation_forward(const ck_activation_shape *shape, const float *z, const float *slopes, float *out);

size_t ck_activation_backward_scratch(const ck_activation_shape *shape);

/// dz = Σ_m member_m′(z)·dout_m, added to dz if `accumulate`; dslopes (same layout as slopes, overwritten) if not NULL.
/// dz may be NULL only if dslopes is not.
void ck_activation_backward(
    const ck_activation_shape *shape, const float *z, const float *slopes, const float *dout, float *dz,
    bool accumulate, float *dslopes, void *scratch);

#endif
