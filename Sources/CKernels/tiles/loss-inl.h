// No include guard: part of dispatch/isa_body-inl.h, once per instruction set.

static float loss_largest(int64_t count, const float *x) {
    float largest = x[0];
    int64_t i = 0;
    if (count >= VECTOR_FLOATS) {
        vector best = vector_load(x);
        // A NaN wins against everything and stays.
        for (i = VECTOR_FLOATS; i + VECTOR_FLOATS <= count; i += VECTOR_FLOATS) {
            const vector value = vector_load(x + i);
            best = vector_select((value <= best) | (best != best), best, value);
        }
        largest = best[0];
        for (int lane = 1; lane < VECTOR_FLOATS; lane++)
            if (largest == largest && !(best[lane] <= largest)) largest = best[lane];
    }
    for (; i < count; i++)
        if (largest == largest && !(x[i] <= largest)) largest = x[i];
    return largest;
}

static double loss_exponentials(int64_t count, const float *x, float shift, float *out) {
    vector_double sums = (vector_double)(0.0);
    int64_t i = 0;
    for (; i + VECTOR_FLOATS <= count; i += VECTOR_FLOATS) {
        const vector terms = vector_exp(vector_load(x + i) - shift);
        if (out != NULL) vector_store(out + i, terms);
        sums += vector_to_double(terms);
    }
    double sum = 0;
    if (count >= VECTOR_FLOATS)
        for (int lane = 0; lane < VECTOR_FLOATS; lane++) sum += sums[lane];
    if (i < count) {
        const int64_t lanes = count - i;
        const vector terms = vector_exp(vector_load_part(x + i, lanes) - shift);
        if (out != NULL) vector_store_part(out + i, terms, lanes);
        for (int64_t lane = 0; lane < lanes; lane++) sum += terms[lane];
    }
    return sum;
}
