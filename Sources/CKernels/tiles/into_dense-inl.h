// No include guard: part of dispatch/isa_body-inl.h, once per instruction set. A convolution into a dense layer
// (contract: dispatch/into_dense_tiles.h).

// As many accumulators as the registers hold beside the operands of a step: rows × two vectors. A tile of `multiply`
// has INTO_DENSE_TILE_ROWS rows.
#if CK_VECTOR_BYTES == 64 || (CK_VECTOR_BYTES == 16 && defined(__aarch64__))
enum { INTO_DENSE_TILE_ROWS = 8, INTO_DENSE_OUTPUTS = 12, INTO_DENSE_FOLD_ROWS = 4, INTO_DENSE_TERMS = 7 };
#else
enum { INTO_DENSE_TILE_ROWS = 4, INTO_DENSE_OUTPUTS = 5, INTO_DENSE_FOLD_ROWS = 2, INTO_DENSE_TERMS = 5 };
#endif
_Static_assert(
    INTO_DENSE_PADDED_ROWS % INTO_DENSE_TILE_ROWS == 0 && INTO_DENSE_PADDED_ROWS % INTO_DENSE_FOLD_ROWS == 0,
    "padded rows are whole tiles");

// Calls body(vectors, column, …) over all columns, with one of the constants 2 and 1.
#define FOR_COLUMN_VECTORS(columns, body, ...)                                                                        \
    do {                                                                                                              \
        int64_t column_ = 0;                                                                                          \
        for (; column_ + 2 * VECTOR_FLOATS <= (columns); column_ += 2 * VECTOR_FLOATS) body(2, column_, __VA_ARGS__); \
        if (column_ < (columns)) body(1, column_, __VA_ARGS__);                                                       \
    } while (0)

ALWAYS_INLINE void into_dense_multiply_block(
    int vectors, int64_t terms, const float *a, int64_t a_step, const float *b, int64_t b_step, float *c,
    int64_t c_step) {
    vector total[INTO_DENSE_TILE_ROWS][2];
    UNROLL for (int r = 0; r < INTO_DENSE_TILE_ROWS; r++) UNROLL for (int v = 0; v < vectors; v++) total[r][v] =
        vector_splat(0);
    INNER_LOOP for (int64_t t = 0; t < terms; t++, a += a_step, b += b_step) {
        vector column[2];
        UNROLL for (int v = 0; v < vectors; v++) column[v] = vector_load(b + v * VECTOR_FLOATS);
        UNROLL for (int r = 0; r < INTO_DENSE_TILE_ROWS; r++) {
            const vector element = vector_splat(a[r]);
            UNROLL for (int v = 0; v < vectors; v++) total[r][v] = element * column[v] + total[r][v];
        }
    }
    UNROLL for (int r = 0; r < INTO_DENSE_TILE_ROWS; r++) UNROLL for (int v = 0; v < vectors; v++)
        vector_store(c + r * c_step + v * VECTOR_FLOATS, total[r][v]);
}

ALWAYS_INLINE void into_dense_multiply_columns(
    int vectors, int64_t column, int64_t terms, int64_t rows, const float *a, int64_t a_step, const float *b,
    int64_t b_step, float *c, int64_t c_step) {
    for (int64_t r = 0; r < rows; r += INTO_DENSE_TILE_ROWS)
        into_dense_multiply_block(vectors, terms, a + r, a_step, b + column, b_step, c + r * c_step + column, c_step);
}

static void into_dense_multiply(
    int64_t terms, int64_t rows, int64_t columns, const float *a, int64_t a_step, const float *b, int64_t b_step,
    float *c, int64_t c_step) {
    FOR_COLUMN_VECTORS(columns, into_dense_multiply_columns, terms, rows, a, a_step, b, b_step, c, c_step);
}

// Plain and mirrored ReLUs have their own code: a scale costs as much as a product.
enum { INTO_DENSE_ANY, INTO_DENSE_UNSCALED_RELU };

// `sign` holds the bits by which the input of an unscaled ReLU is mirrored.
ALWAYS_INLINE vector into_dense_member(int function, const ck_member *member, vector_int sign, vector z) {
    if (function == INTO_DENSE_UNSCALED_RELU) return function_value(CK_RELU, (vector)((vector_int)z ^ sign), z);
    return member->output_scale
        * function_value(member->function, member->input_scale * z, vector_splat(member->parameter));
}

ALWAYS_INLINE void into_dense_member_block(
    int vectors, int64_t column, int function, int outputs, const ck_member *member, int64_t count, const float *a,
    int64_t a_step, const float *z, int64_t z_step, bool first, float *c, int64_t c_step) {
    z += column;
    c += column;
    vector total[INTO_DENSE_OUTPUTS][2];
    UNROLL for (int n = 0; n < outputs; n++) UNROLL for (int v = 0; v < vectors; v++) total[n][v] =
        first ? vector_splat(0) : vector_load(c + n * c_step + v * VECTOR_FLOATS);
    const vector_int sign = (vector_int)(member->input_scale < 0 ? INT32_MIN : 0);
    INNER_LOOP for (int64_t k = 0; k < count; k++, a += a_step, z += z_step) {
        vector value[2];
        UNROLL for (int v = 0; v < vectors; v++) value[v] =
            into_dense_member(function, member, sign, vector_load(z + v * VECTOR_FLOATS));
        UNROLL for (int n = 0; n < outputs; n++) {
            const vector element = vector_splat(a[n]);
            UNROLL for (int v = 0; v < vectors; v++) total[n][v] = element * value[v] + total[n][v];
        }
    }
    UNROLL for (int n = 0; n < outputs; n++) UNROLL for (int v = 0; v < vectors; v++)
        vector_store(c + n * c_step + v * VECTOR_FLOATS, total[n][v]);
}

ALWAYS_INLINE void into_dense_member_columns(
    int function, int outputs, const ck_member *member, int64_t count, int64_t columns, const float *a, int64_t a_step,
    const float *z, int64_t z_step, bool first, float *c, int64_t c_step) {
    FOR_COLUMN_VECTORS(
        columns, into_dense_member_block, function, outputs, member, count, a, a_step, z, z_step, first, c, c_step);
}

ALWAYS_INLINE void into_dense_member_outputs(
    int function, const ck_member *member, int64_t count, int64_t outputs, int64_t columns, const float *a,
    int64_t a_step, const float *z, int64_t z_step, bool first, float *c, int64_t c_step) {
    switch (outputs) {
#define OUTPUTS(n)                                                                                                  \
    case n:                                                                                                         \
        if (n <= INTO_DENSE_OUTPUTS)                                                                                \
            into_dense_member_columns(function, n, member, count, columns, a, a_step, z, z_step, first, c, c_step); \
        break;
        OUTPUTS(1)
        OUTPUTS(2)
        OUTPUTS(3) OUTPUTS(4) OUTPUTS(5) OUTPUTS(6) OUTPUTS(7) OUTPUTS(8) OUTPUTS(9) OUTPUTS(10) OUTPUTS(11) OUTPUTS(12)
#undef OUTPUTS
    }
}

static void into_dense_multiply_member(
    const ck_member *member, int64_t count, int64_t outputs, int64_t columns, const float *a, int64_t a_step,
    const float *z, int64_t z_step, bool first, float *c, int64_t c_step) {
    const bool unscaled = member->function == CK_RELU && member->output_scale == 1
        && (member->input_scale == 1 || member->input_scale == -1);
    const int64_t blocks = (outputs + INTO_DENSE_OUTPUTS - 1) / INTO_DENSE_OUTPUTS;
    int64_t n = 0;
    for (int64_t i = 0; i < blocks; i++) {
        const int64_t rows = (outputs - n) / (blocks - i);
        float *target = c + n * c_step;
        if (unscaled)
            into_dense_member_outputs(
                INTO_DENSE_UNSCALED_RELU, member, count, rows, columns, a + n, a_step, z, z_step, first, target,
                c_step);
        else
            into_dense_member_outputs(
                INTO_DENSE_ANY, member, count, rows, columns, a + n, a_step, z, z_step, first, target, c_step);
        n += rows;
    }
}

ALWAYS_INLINE void into_dense_fold_block(
    int vectors, const ck_activation *activation, int64_t outputs, const float *d, int64_t d_step, const float *w,
    int64_t w_member, int64_t w_step, const float *z, float *dz, int64_t z_step) {
    vector gradient[INTO_DENSE_FOLD_ROWS][2];
    UNROLL for (int r = 0; r < INTO_DENSE_FOLD_ROWS; r++) UNROLL for (int v = 0; v < vectors; v++) gradient[r][v] =
        vector_splat(0);
    for (int m = 0; m < activation->member_count; m++, w += w_member) {
        vector total[INTO_DENSE_FOLD_ROWS][2];
        UNROLL for (int r = 0; r < INTO_DENSE_FOLD_ROWS; r++) UNROLL for (int v = 0; v < vectors; v++) total[r][v] =
            vector_splat(0);
        INNER_LOOP for (int64_t n = 0; n < outputs; n++) {
            vector column[2];
            UNROLL for (int v = 0; v < vectors; v++) column[v] = vector_load(w + n * w_step + v * VECTOR_FLOATS);
            UNROLL for (int r = 0; r < INTO_DENSE_FOLD_ROWS; r++) {
                const vector element = vector_splat(d[n * d_step + r]);
                UNROLL for (int v = 0; v < vectors; v++) total[r][v] = element * column[v] + total[r][v];
            }
        }
        const ck_member *member = &activation->members[m];
        const float scale = member->output_scale * member->input_scale;
        const vector slope = vector_splat(member->parameter);
        UNROLL for (int r = 0; r < INTO_DENSE_FOLD_ROWS; r++) UNROLL for (int v = 0; v < vectors; v++) {
            const vector x = member->input_scale * vector_load(z + r * z_step + v * VECTOR_FLOATS);
            gradient[r][v] = scale * function_gradient(member->function, x, slope, total[r][v]) + gradient[r][v];
        }
    }
    UNROLL for (int r = 0; r < INTO_DENSE_FOLD_ROWS; r++) UNROLL for (int v = 0; v < vectors; v++)
        vector_store(dz + r * z_step + v * VECTOR_FLOATS, gradient[r][v]);
}

ALWAYS_INLINE void into_dense_fold_columns(
    int vectors, int64_t column, const ck_activation *activation, int64_t outputs, int64_t rows, const float *d,
    int64_t d_step, const float *w, int64_t w_member, int64_t w_step, const float *z, float *dz, int64_t z_step) {
    for (int64_t r = 0; r < rows; r += INTO_DENSE_FOLD_ROWS)
        into_dense_fold_block(
            vectors, activation, outputs, d + r, d_step, w + column, w_member, w_step, z + r * z_step + column,
            dz + r * z_step + column, z_step);
}

static void into_dense_fold(
    const ck_activation *activation, int64_t outputs, int64_t rows, int64_t columns, const float *d, int64_t d_step,
    const float *w, int64_t w_member, int64_t w_step, const float *z, float *dz, int64_t z_step) {
    FOR_COLUMN_VECTORS(
        columns, into_dense_fold_columns, activation, outputs, rows, d, d_step, w, w_member, w_step, z, dz, z_step);
}

ALWAYS_INLINE void into_dense_rows_block(
    int rows, int vectors, int64_t count, const float *a, int64_t a_step, const float *b, int64_t b_step, bool first,
    float *c, int64_t c_step) {
    vector total[INTO_DENSE_TERMS][2];
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++) total[r][v] =
        first ? vector_splat(0) : vector_load(c + r * c_step + v * VECTOR_FLOATS);
    INNER_LOOP for (int64_t k = 0; k < count; k++, a++, b += b_step) {
        vector column[2];
        UNROLL for (int v = 0; v < vectors; v++) column[v] = vector_load(b + v * VECTOR_FLOATS);
        UNROLL for (int r = 0; r < rows; r++) {
            const vector element = vector_splat(a[r * a_step]);
            UNROLL for (int v = 0; v < vectors; v++) total[r][v] = element * column[v] + total[r][v];
        }
    }
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++)
        vector_store(c + r * c_step + v * VECTOR_FLOATS, total[r][v]);
}

ALWAYS_INLINE void into_dense_rows_columns(
    int vectors, int64_t column, int64_t count, int64_t rows, const float *a, int64_t a_step, const float *b,
    int64_t b_step, bool first, float *c, int64_t c_step) {
    int64_t r = 0;
    for (; r + INTO_DENSE_TERMS <= rows; r += INTO_DENSE_TERMS)
        into_dense_rows_block(
            INTO_DENSE_TERMS, vectors, count, a + r * a_step, a_step, b + column, b_step, first,
            c + r * c_step + column, c_step);
    for (; r < rows; r++)
        into_dense_rows_block(
            1, vectors, count, a + r * a_step, a_step, b + column, b_step, first, c + r * c_step + column, c_step);
}

static void into_dense_multiply_rows(
    int64_t count, int64_t rows, int64_t columns, const float *a, int64_t a_step, const float *b, int64_t b_step,
    bool first, float *c, int64_t c_step) {
    FOR_COLUMN_VECTORS(columns, into_dense_rows_columns, count, rows, a, a_step, b, b_step, first, c, c_step);
}

// Rows lie without gaps, and fewer floats than a vector may be wanted of each row. A part of a vector takes longer than
// a whole vector. So whole vectors are moved wherever the floats beyond belong to the next row; on the way out, the
// next row then overwrites these floats.
static void into_dense_gather_columns(int64_t rows, int64_t columns, const float *a, float *c, int64_t c_step) {
    for (int64_t i = 0; i < rows; i += VECTOR_FLOATS)
        for (int64_t j = 0; j < columns; j += VECTOR_FLOATS) {
            const float *from = a + i * columns + j;
            const int64_t wanted = smaller_of(VECTOR_FLOATS, columns - j);
            vector square[VECTOR_FLOATS];
            if ((i + VECTOR_FLOATS - 1) * columns + j + VECTOR_FLOATS <= rows * columns) {
                UNROLL for (int r = 0; r < VECTOR_FLOATS; r++) square[r] = vector_load(from + r * columns);
            } else {
                UNROLL for (int r = 0; r < VECTOR_FLOATS; r++) square[r] =
                    i + r < rows ? vector_load_part(from + r * columns, wanted) : vector_splat(0);
            }
            transpose_square(square);
            UNROLL for (int n = 0; n < VECTOR_FLOATS; n++) if (n < wanted)
                vector_store(c + (j + n) * c_step + i, square[n]);
        }
}

static void into_dense_scatter_columns(int64_t rows, int64_t columns, const float *c, int64_t c_step, float *a) {
    for (int64_t i = 0; i < rows; i += VECTOR_FLOATS)
        for (int64_t j = 0; j < columns; j += VECTOR_FLOATS) {
            float *to = a + i * columns + j;
            const int64_t wanted = smaller_of(VECTOR_FLOATS, columns - j);
            vector square[VECTOR_FLOATS];
            UNROLL for (int n = 0; n < VECTOR_FLOATS; n++) square[n] =
                n < wanted ? vector_load(c + (j + n) * c_step + i) : vector_splat(0);
            transpose_square(square);
            // The next row begins with its first columns. Later columns must not overwrite these.
            if (columns <= VECTOR_FLOATS && (i + VECTOR_FLOATS - 1) * columns + VECTOR_FLOATS <= rows * columns) {
                UNROLL for (int r = 0; r < VECTOR_FLOATS; r++) vector_store(to + r * columns, square[r]);
            } else {
                UNROLL for (int r = 0; r < VECTOR_FLOATS; r++) if (i + r < rows)
                    vector_store_part(to + r * columns, square[r], wanted);
            }
        }
}
