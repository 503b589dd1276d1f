// No include guard: part of dispatch/isa_body-inl.h, once per instruction set. The one matrix product of all
// convolutions and dense layers: a register tile of rows × vectors, A broadcast, a row of B loaded (contract:
// dispatch/gemm_tiles.h). One call computes all tiles of a column, because a short sum would notice the time of a call.

// As many accumulators as the registers hold beside a row of B and an element of A.
#if CK_VECTOR_BYTES == 64
enum { TILE_VECTORS = 3 };
#define GEMM_TILE_ROWS \
    { 8, 8, 8 }
// A CPU stores 64 bytes in two cycles. The stores that it can keep waiting are little more than two tiles of 8 × 3.
#define GEMM_SHORT_SUM_ROWS \
    { 8, 8, 4 }
#elif CK_VECTOR_BYTES == 16 && defined(__aarch64__)
enum { TILE_VECTORS = 3 };
#define GEMM_TILE_ROWS \
    { 8, 8, 8 }
#define GEMM_SHORT_SUM_ROWS GEMM_TILE_ROWS
#else
enum { TILE_VECTORS = 2 };
#define GEMM_TILE_ROWS \
    { 8, 6 }
#define GEMM_SHORT_SUM_ROWS GEMM_TILE_ROWS
#endif

// `rows`, `vectors` and `whole` (no vector is cut off by `columns`) are constants wherever this is inlined.
ALWAYS_INLINE void gemm_body(
    int rows, int vectors, bool whole, int64_t tiles, const gemm_sum *sum, const float *const *a, int64_t a_offset,
    const float *b, const float *initial, float *c, int64_t c_stride, int64_t columns) {
    const int64_t rest = columns - (int64_t)(vectors - 1) * VECTOR_FLOATS;
    const int64_t length = sum->length, a_step = sum->a_step, b_step = sum->b_step;
    // Prefetches the rows of C of the next tiles, which would keep the stores of a short sum waiting. Past the end,
    // this does no harm.
    const bool prefetch = sum->runs * length <= CK_SHORT_SUM;
#pragma clang loop unroll(disable)
    for (int64_t tile = 0; tile < tiles; tile++, a += rows, c += rows * c_stride) {
        vector total[CK_MAX_TILE_ROWS][TILE_VECTORS];
        // The tiles of a column divide the coming rows of B between them.
        const int64_t ahead = sum->b_ahead + (sum->b_ahead != 0 ? tile % vectors * VECTOR_FLOATS : 0);
        if (prefetch)
            UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++)
                __builtin_prefetch(c + (2 * rows + r) * c_stride + v * VECTOR_FLOATS, 1);
        UNROLL for (int r = 0; r < rows; r++) {
            const float *start = initial != NULL ? initial : c + r * c_stride;
            UNROLL for (int v = 0; v < vectors; v++) total[r][v] = whole || v < vectors - 1
                ? vector_load(start + v * VECTOR_FLOATS)
                : vector_load_part(start + v * VECTOR_FLOATS, rest);
        }
        for (int64_t q = 0; q < sum->runs; q++) {
            int64_t index = sum->a_runs[q] + a_offset;
            const float *b_row = b + q * sum->b_run;
            const float *row[CK_MAX_TILE_ROWS];
            UNROLL for (int r = 0; r < rows; r++) row[r] = a[r];
            INNER_LOOP for (int64_t k = 0; k < length; k++) {
                __builtin_prefetch(b_row + ahead);
                vector b_vector[TILE_VECTORS];
                UNROLL for (int v = 0; v < vectors; v++) b_vector[v] = whole || v < vectors - 1
                    ? vector_load(b_row + v * VECTOR_FLOATS)
                    : vector_load_part(b_row + v * VECTOR_FLOATS, rest);
                UNROLL for (int r = 0; r < rows; r++) {
                    const vector element = vector_splat(row[r][index]);
                    UNROLL for (int v = 0; v < vectors; v++) total[r][v] = element * b_vector[v] + total[r][v];
                }
                index += a_step;
                b_row += b_step;
            }
        }
        UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++) {
            float *target = c + r * c_stride + v * VECTOR_FLOATS;
            if (whole || v < vectors - 1) vector_store(target, total[r][v]);
            else vector_store_part(target, total[r][v], rest);
        }
    }
}

#if CK_VECTOR_BYTES == 64
// A panel of one vector. Eight sums just cover the latency of a multiply-add, and a row of B serves only eight
// multiply-adds. Sixteen rows would need as many pointers, but x86's scaled indices reach rows at equal distances from
// two pointers.
ALWAYS_INLINE void gemm_tall_body(
    bool whole, int64_t tiles, const gemm_sum *sum, const float *a, const float *b, const float *initial, float *c,
    int64_t c_stride, int64_t columns) {
    enum { ROWS = CK_TALL_TILE_ROWS, HALF = ROWS / 2 };
    const int64_t length = sum->length, a_step = 4 * sum->a_step, b_step = sum->b_step;
    int64_t once = sum->a_distance * 4, thrice = 3 * once, five_times = 5 * once, seven_times = 7 * once;
    // The compiler is made to forget how these distances depend on each other, here and below. Otherwise it would keep
    // a pointer for each row.
    __asm__("" : "+r"(once), "+r"(thrice), "+r"(five_times), "+r"(seven_times));
#pragma clang loop unroll(disable)
    for (int64_t tile = 0; tile < tiles; tile++, a += ROWS * sum->a_distance, c += ROWS * c_stride) {
        vector total[ROWS];
        UNROLL for (int r = 0; r < ROWS; r++) {
            const float *start = initial != NULL ? initial : c + r * c_stride;
            total[r] = whole ? vector_load(start) : vector_load_part(start, columns);
        }
        for (int64_t q = 0; q < sum->runs; q++) {
            const float *b_row = b + q * sum->b_run;
            const char *halves[2] = {(const char *)(a + sum->a_runs[q])};
            halves[1] = halves[0] + HALF * once;
            INNER_LOOP for (int64_t k = 0; k < length; k++) {
                const vector b_vector = whole ? vector_load(b_row) : vector_load_part(b_row, columns);
                UNROLL for (int half = 0; half < 2; half++) {
                    const int64_t distance[HALF] = {0,        once,       2 * once,   thrice,
                                                    4 * once, five_times, 2 * thrice, seven_times};
                    UNROLL for (int r = 0; r < HALF; r++) {
                        const vector element = vector_splat(*(const float *)(halves[half] + distance[r]));
                        total[half * HALF + r] = element * b_vector + total[half * HALF + r];
                    }
                }
                halves[0] += a_step;
                halves[1] += a_step;
                __asm__("" : "+r"(halves[0]), "+r"(halves[1]));
                b_row += b_step;
            }
        }
        UNROLL for (int r = 0; r < ROWS; r++) {
            if (whole) vector_store(c + r * c_stride, total[r]);
            else vector_store_part(c + r * c_stride, total[r], columns);
        }
    }
}

static void gemm_tall(
    int64_t tiles, const gemm_sum *sum, const float *const *a, int64_t a_offset, const float *b, const float *initial,
    float *c, int64_t c_stride, int64_t columns) {
    if (columns == VECTOR_FLOATS) gemm_tall_body(true, tiles, sum, a[0] + a_offset, b, initial, c, c_stride, columns);
    else gemm_tall_body(false, tiles, sum, a[0] + a_offset, b, initial, c, c_stride, columns);
}
#define GEMM_TALL gemm_tall
#else
#define GEMM_TALL NULL
#endif

#define GEMM_TILE(rows, vectors)                                                                         \
    static void gemm_##rows##x##vectors(                                                                 \
        int64_t tiles, const gemm_sum *sum, const float *const *a, int64_t a_offset, const float *b,     \
        const float *initial, float *c, int64_t c_stride, int64_t columns) {                             \
        if (columns == (vectors)*VECTOR_FLOATS)                                                          \
            gemm_body(rows, vectors, true, tiles, sum, a, a_offset, b, initial, c, c_stride, columns);   \
        else gemm_body(rows, vectors, false, tiles, sum, a, a_offset, b, initial, c, c_stride, columns); \
    }

#define GEMM_TILES(vectors) \
    GEMM_TILE(1, vectors)   \
    GEMM_TILE(2, vectors) GEMM_TILE(3, vectors) GEMM_TILE(4, vectors) GEMM_TILE(5, vectors) GEMM_TILE(6, vectors)
GEMM_TILES(1)
GEMM_TILES(2)
GEMM_TILE(7, 1)
GEMM_TILE(8, 1)

#if CK_VECTOR_BYTES == 64 || (CK_VECTOR_BYTES == 16 && defined(__aarch64__))
GEMM_TILES(3)
GEMM_TILE(7, 2)
GEMM_TILE(7, 3)
GEMM_TILE(8, 2)
GEMM_TILE(8, 3)
#define GEMM_ROWS(rows) \
    { gemm_##rows##x1, gemm_##rows##x2, gemm_##rows##x3 }
#define GEMM_TABLE \
    { GEMM_ROWS(1), GEMM_ROWS(2), GEMM_ROWS(3), GEMM_ROWS(4), GEMM_ROWS(5), GEMM_ROWS(6), GEMM_ROWS(7), GEMM_ROWS(8) }
#else
#define GEMM_ROWS(rows) \
    { gemm_##rows##x1, gemm_##rows##x2 }
#define GEMM_TABLE                                                                                                   \
    {                                                                                                                \
        GEMM_ROWS(1), GEMM_ROWS(2), GEMM_ROWS(3), GEMM_ROWS(4), GEMM_ROWS(5), GEMM_ROWS(6), {gemm_7x1}, { gemm_8x1 } \
    }
#endif

// Enough columns at once for their sums to cover the latency of an addition.
enum { SUMMED_VECTORS = 8 };

ALWAYS_INLINE void sum_rows_body(
    int vectors, const float *rows, int64_t row_count, int64_t stride, int64_t lanes, bool first, float *sums) {
    vector total[SUMMED_VECTORS];
    UNROLL for (int v = 0; v < vectors; v++) total[v] =
        first ? vector_splat(0.0f) : load_lanes(sums + v * VECTOR_FLOATS, lanes);
    for (int64_t row = 0; row < row_count; row++)
        UNROLL for (int v = 0; v < vectors; v++) total[v] =
            total[v] + load_lanes(rows + row * stride + v * VECTOR_FLOATS, lanes);
    UNROLL for (int v = 0; v < vectors; v++) store_lanes(sums + v * VECTOR_FLOATS, total[v], lanes);
}

static void gemm_sum_rows(const float *rows, int64_t row_count, int64_t columns, bool first, float *sums) {
    enum { BLOCK = SUMMED_VECTORS * VECTOR_FLOATS };
    int64_t n = 0;
    for (; n + BLOCK <= columns; n += BLOCK)
        sum_rows_body(SUMMED_VECTORS, rows + n, row_count, columns, VECTOR_FLOATS, first, sums + n);
    for (; n + 2 * VECTOR_FLOATS <= columns; n += 2 * VECTOR_FLOATS)
        sum_rows_body(2, rows + n, row_count, columns, VECTOR_FLOATS, first, sums + n);
    for (; n < columns; n += VECTOR_FLOATS)
        sum_rows_body(1, rows + n, row_count, columns, smaller_of(columns - n, VECTOR_FLOATS), first, sums + n);
}
