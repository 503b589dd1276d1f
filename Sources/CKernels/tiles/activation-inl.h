// No include guard: part of dispatch/isa_body-inl.h, once per instruction set. Members of activations and their
// derivatives (contract: dispatch/activation_tiles.h).

// Klambauer et al. 2017, section 2, to float precision.
static const float selu_alpha = 1.6732632423543772f;
static const float selu_lambda = 1.0507009873554805f;

// Compared as "at most 0", so that NaN counts as positive and passes through.
ALWAYS_INLINE vector_int at_most_0(vector x) { return x <= vector_splat(0.0f); }

/// g(x). `slope` is the parameter or the learned slope.
ALWAYS_INLINE vector function_value(ck_function function, vector x, vector slope) {
    switch (function) {
    case CK_IDENTITY: return x;
    case CK_RELU: return (vector)((vector_int)x & ~at_most_0(x));
    case CK_LEAKY_RELU:
    case CK_PRELU: return vector_select(at_most_0(x), slope * x, x);
    case CK_ELU: return vector_select(at_most_0(x), slope * vector_exp_minus_1(x), x);
    case CK_SELU: return selu_lambda * vector_select(at_most_0(x), selu_alpha * vector_exp_minus_1(x), x);
    case CK_SWISH: return x * vector_sigmoid(x);
    }
    return x;
}

/// g′(x)·d. At NaN, LeakyReLU and PReLU have their slope, and the others of these functions 1, as in PyTorch.
ALWAYS_INLINE vector function_gradient(ck_function function, vector x, vector slope, vector d) {
    switch (function) {
    case CK_IDENTITY: return d;
    case CK_RELU: return (vector)((vector_int)d & ~at_most_0(x));
    case CK_LEAKY_RELU:
    case CK_PRELU: return vector_select(x > vector_splat(0.0f), d, slope * d);
    case CK_ELU: return vector_select(at_most_0(x), slope * vector_exp(x) * d, d);
    case CK_SELU: return selu_lambda * vector_select(at_most_0(x), selu_alpha * vector_exp(x) * d, d);
    case CK_SWISH: {
        const vector sigmoid = vector_sigmoid(x);
        return d * (sigmoid * (1.0f + x * (1.0f - sigmoid)));
    }
    }
    return d;
}

// The function that all members share, or MIXED. This function and the number of members are constants wherever the
// bodies below are inlined. So a plain or mirrored activation, which nearly every activation is, has no branch per
// vector and keeps its scales in registers.
enum { MIXED = -1 };

ALWAYS_INLINE int shared_function(const ck_activation *activation) {
    for (int m = 1; m < activation->member_count; m++)
        if (activation->members[m].function != activation->members[0].function) return MIXED;
    return (int)activation->members[0].function;
}

// A member that has no learned slope.
ALWAYS_INLINE vector member_value(int shared, const ck_member *member, vector z) {
    const ck_function function = shared == MIXED ? member->function : (ck_function)shared;
    return member->output_scale * function_value(function, member->input_scale * z, vector_splat(member->parameter));
}

// total + member′(z)·d, for a member that has no learned slope.
ALWAYS_INLINE vector add_member_gradient(int shared, const ck_member *member, vector z, vector d, vector total) {
    const ck_function function = shared == MIXED ? member->function : (ck_function)shared;
    const vector gradient = function_gradient(function, member->input_scale * z, vector_splat(member->parameter), d);
    return (member->output_scale * member->input_scale) * gradient + total;
}

// One member without slopes over gap-free positions is one long row.
ALWAYS_INLINE activation_block joined(const ck_activation *activation, const activation_block *block) {
    activation_block result = *block;
    if (activation->member_count == 1 && activation->members[0].function != CK_PRELU
        && block->z_position == block->channels && block->out_position == block->channels) {
        result.channels = block->positions * block->channels;
        result.positions = 1;
    }
    return result;
}

// One vector of channels at one position; `lanes` is a constant VECTOR_FLOATS for whole vectors.
ALWAYS_INLINE void forward_vector(
    int shared, int members, const ck_activation *activation, const activation_block *block, const float *z,
    const float *slopes, float *out, int64_t lanes) {
    const vector value = load_lanes(z, lanes);
    for (int m = 0; m < members; m++) {
        const ck_member *member = &activation->members[m];
        const ck_function function = shared == MIXED ? member->function : (ck_function)shared;
        vector slope = vector_splat(member->parameter);
        if (function == CK_PRELU) {
            slope = load_lanes(slopes, lanes);
            slopes += block->slope_member;
        }
        const vector g = function_value(function, member->input_scale * value, slope);
        store_lanes(out + m * block->out_member, member->output_scale * g, lanes);
    }
}

ALWAYS_INLINE void forward_body(
    int shared, int members, const ck_activation *activation, const activation_block *block, const float *z,
    const float *slopes, float *out) {
    const int64_t channels = block->channels, whole = channels / VECTOR_FLOATS * VECTOR_FLOATS;
    for (int64_t p = 0; p < block->positions; p++)
        for (int64_t c = 0; c < channels; c += VECTOR_FLOATS) {
            const float *source = z + p * block->z_position + c;
            const float *slope = slopes != NULL ? slopes + p * block->slope_position + c : NULL;
            float *target = out + p * block->out_position + c;
            if (c < whole) forward_vector(shared, members, activation, block, source, slope, target, VECTOR_FLOATS);
            else forward_vector(shared, members, activation, block, source, slope, target, channels - c);
        }
}

ALWAYS_INLINE void backward_vector(
    int shared, int members, const ck_activation *activation, const activation_block *block, const float *z,
    const float *slopes, const float *dout, float *dz, bool accumulate, float *dslopes, int64_t lanes) {
    const vector value = load_lanes(z, lanes);
    vector total = dz != NULL && accumulate ? load_lanes(dz, lanes) : vector_splat(0.0f);
    for (int m = 0; m < members; m++) {
        const ck_member *member = &activation->members[m];
        const ck_function function = shared == MIXED ? member->function : (ck_function)shared;
        const vector x = member->input_scale * value;
        const vector d = load_lanes(dout + m * block->out_member, lanes);
        vector slope = vector_splat(member->parameter);
        if (function == CK_PRELU) {
            slope = load_lanes(slopes, lanes);
            slopes += block->slope_member;
            if (dslopes != NULL) {
                const vector gradient = vector_select(x > vector_splat(0.0f), vector_splat(0.0f), x * d);
                store_lanes(dslopes, load_lanes(dslopes, lanes) + member->output_scale * gradient, lanes);
                dslopes += block->slope_member;
            }
        }
        total = (member->output_scale * member->input_scale) * function_gradient(function, x, slope, d) + total;
    }
    if (dz != NULL) store_lanes(dz, total, lanes);
}

ALWAYS_INLINE void backward_body(
    int shared, int members, const ck_activation *activation, const activation_block *block, const float *z,
    const float *slopes, const float *dout, float *dz, bool accumulate, float *dslopes) {
    const int64_t channels = block->channels, whole = channels / VECTOR_FLOATS * VECTOR_FLOATS;
    for (int64_t p = 0; p < block->positions; p++)
        for (int64_t c = 0; c < channels; c += VECTOR_FLOATS) {
            const int64_t at = p * block->z_position + c, slope_at = p * block->slope_position + c;
            const float *slope = slopes != NULL ? slopes + slope_at : NULL;
            float *dslope = dslopes != NULL ? dslopes + slope_at : NULL;
            float *target = dz != NULL ? dz + at : NULL;
            const float *d = dout + p * block->out_position + c;
            if (c < whole)
                backward_vector(
                    shared, members, activation, block, z + at, slope, d, target, accumulate, dslope, VECTOR_FLOATS);
            else
                backward_vector(
                    shared, members, activation, block, z + at, slope, d, target, accumulate, dslope, channels - c);
        }
}

// The bodies with a number of members that is a constant, where that number is a common one.
ALWAYS_INLINE void forward_members(
    int shared, const ck_activation *activation, const activation_block *block, const float *z, const float *slopes,
    float *out) {
    const int members = activation->member_count;
    if (members == 1) forward_body(shared, 1, activation, block, z, slopes, out);
    else if (members == 2) forward_body(shared, 2, activation, block, z, slopes, out);
    else forward_body(MIXED, members, activation, block, z, slopes, out);
}

ALWAYS_INLINE void backward_members(
    int shared, const ck_activation *activation, const activation_block *block, const float *z, const float *slopes,
    const float *dout, float *dz, bool accumulate, float *dslopes) {
    const int members = activation->member_count;
    if (members == 1) backward_body(shared, 1, activation, block, z, slopes, dout, dz, accumulate, dslopes);
    else if (members == 2) backward_body(shared, 2, activation, block, z, slopes, dout, dz, accumulate, dslopes);
    else backward_body(MIXED, members, activation, block, z, slopes, dout, dz, accumulate, dslopes);
}

static void activation_forward(
    const ck_activation *activation, const activation_block *block, const float *z, const float *slopes, float *out) {
    // Copies, which the stores below can't change.
    const activation_block extent = joined(activation, block);
    const ck_activation members = *activation;
    switch (shared_function(&members)) {
#define SHARED(function) \
    case function: forward_members(function, &members, &extent, z, slopes, out); break;
        CK_FUNCTIONS(SHARED)
#undef SHARED
    default: forward_body(MIXED, members.member_count, &members, &extent, z, slopes, out);
    }
}

ALWAYS_INLINE void backward_functions(
    const ck_activation *activation, const activation_block *block, const float *z, const float *slopes,
    const float *dout, float *dz, bool accumulate, float *dslopes) {
    switch (shared_function(activation)) {
#define SHARED(function) \
    case function: backward_members(function, activation, block, z, slopes, dout, dz, accumulate, dslopes); break;
        CK_FUNCTIONS(SHARED)
#undef SHARED
    default:
        backward_body(MIXED, activation->member_count, activation, block, z, slopes, dout, dz, accumulate, dslopes);
    }
}

static void activation_backward(
    const ck_activation *activation, const activation_block *block, const float *z, const float *slopes,
    const float *dout, float *dz, bool accumulate, float *dslopes) {
    // Copies, which the stores below can't change.
    const activation_block extent = joined(activation, block);
    const ck_activation members = *activation;
    // Nearly all calls want this, without a branch per vector.
    if (dz != NULL && !accumulate && dslopes == NULL)
        backward_functions(&members, &extent, z, slopes, dout, dz, false, NULL);
    else backward_functions(&members, &extent, z, slopes, dout, dz, accumulate, dslopes);
}
