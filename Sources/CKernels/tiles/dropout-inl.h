// No include guard: part of dispatch/isa_body-inl.h, once per instruction set.
//
// Random words come from Philox4x32 with 7 rounds, a counter-based generator (Salmon, Moraes, Dror and Shaw, "Parallel
// Random Numbers: As Easy as 1, 2, 3", SC 2011: it passes BigCrush with 7 rounds). A block of four words has the
// 128-bit counter (block, 0). Elements are numbered in spans of 64: word w of block 16·span + b belongs to element
// 64·span + 16·w + b, so that vectors of 4, 8 or 16 lanes need no shuffles and give the same mask.

typedef uint32_t vector_word __attribute__((ext_vector_type(VECTOR_FLOATS)));
typedef uint64_t vector_pair __attribute__((ext_vector_type(VECTOR_FLOATS / 2)));

enum { PHILOX_ROUNDS = 7, DROPOUT_SPAN = 64, DROPOUT_BLOCKS = 16 };

/// The 64-bit products of every lane with `factor`, as their high and low halves.
ALWAYS_INLINE void multiply_wide(vector_word value, uint32_t factor, vector_word *high, vector_word *low) {
    const vector_pair low_half = (vector_pair)(0xFFFFFFFFu), pairs = (vector_pair)value;
    const vector_pair even = (pairs & low_half) * (vector_pair)(factor);
    const vector_pair odd = (pairs >> 32) * (vector_pair)(factor);
    *high = (vector_word)((even >> 32) | (odd & ~low_half));
    *low = (vector_word)((even & low_half) | (odd << 32));
}

/// The random words of the 64 elements of a span.
ALWAYS_INLINE void dropout_words(uint64_t key, uint64_t span, uint32_t *words) {
    uint32_t lane_numbers[DROPOUT_BLOCKS];
    UNROLL for (int lane = 0; lane < DROPOUT_BLOCKS; lane++) lane_numbers[lane] = (uint32_t)lane;
    UNROLL for (int part = 0; part < DROPOUT_BLOCKS; part += VECTOR_FLOATS) {
        vector_word c0, c1 = (vector_word)((uint32_t)(span >> 28)), c2 = (vector_word)(0u), c3 = c2;
        __builtin_memcpy(&c0, lane_numbers + part, sizeof c0);
        c0 += (uint32_t)(span << 4); // the low four bits are free: nothing carries into c1
        uint32_t key_low = (uint32_t)key, key_high = (uint32_t)(key >> 32);
        UNROLL for (int round = 0; round < PHILOX_ROUNDS; round++) {
            vector_word high0, low0, high1, low1;
            multiply_wide(c0, 0xD2511F53u, &high0, &low0);
            multiply_wide(c2, 0xCD9E8D57u, &high1, &low1);
            c0 = high1 ^ c1 ^ key_low;
            c1 = low1;
            c2 = high0 ^ c3 ^ key_high;
            c3 = low0;
            key_low += 0x9E3779B9u;
            key_high += 0xBB67AE85u;
        }
        __builtin_memcpy(words + part, &c0, sizeof c0);
        __builtin_memcpy(words + DROPOUT_BLOCKS + part, &c1, sizeof c1);
        __builtin_memcpy(words + 2 * DROPOUT_BLOCKS + part, &c2, sizeof c2);
        __builtin_memcpy(words + 3 * DROPOUT_BLOCKS + part, &c3, sizeof c3);
    }
}

/// `count` elements from element `begin` of a span on.
ALWAYS_INLINE void dropout_part(
    int64_t begin, int64_t count, const uint32_t *words, uint32_t threshold, float keep, const float *x, float *out,
    bool accumulate) {
    for (int64_t i = 0; i < count; i++) {
        const float value = words[begin + i] >= threshold ? x[i] / keep : 0.0f;
        out[i] = accumulate ? out[i] + value : value;
    }
}

ALWAYS_INLINE void dropout_body(
    int64_t count, uint64_t key, uint64_t first, uint32_t threshold, float keep, const float *x, float *out,
    bool accumulate) {
    int64_t done = 0;
    while (done < count) {
        uint32_t words[DROPOUT_SPAN];
        const uint64_t position = first + (uint64_t)done;
        const int64_t begin = (int64_t)(position % DROPOUT_SPAN);
        const int64_t part = smaller_of(DROPOUT_SPAN - begin, count - done);
        dropout_words(key, position / DROPOUT_SPAN, words);
        if (part < DROPOUT_SPAN) {
            dropout_part(begin, part, words, threshold, keep, x + done, out + done, accumulate);
        } else {
            UNROLL for (int i = 0; i < DROPOUT_SPAN; i += VECTOR_FLOATS) {
                vector_word word;
                __builtin_memcpy(&word, words + i, sizeof word);
                const vector_int kept = (vector_int)(word >= (vector_word)(threshold));
                const vector value = vector_load(x + done + i) / keep;
                put_lanes(out + done + i, vector_select(kept, value, vector_splat(0)), VECTOR_FLOATS, accumulate);
            }
        }
        done += part;
    }
}

static void elementwise_dropout(
    int64_t count, uint64_t key, uint64_t first, uint32_t threshold, float keep, const float *x, float *out,
    bool accumulate) {
    if (accumulate) dropout_body(count, key, first, threshold, keep, x, out, true);
    else dropout_body(count, key, first, threshold, keep, x, out, false);
}
