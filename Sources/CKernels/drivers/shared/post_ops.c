#include "drivers/shared/post_ops.h"

#include "drivers/shared/plane.h"

static void add_addend(
    const ck_kernels *kernels, const ck_post_ops *post_ops, int64_t offset, int64_t count, float *y) {
    enum { TERMS = 1024 };
    if (ck_activation_reads_plain(&post_ops->addend_activation)) {
        kernels->elementwise.add(count, y + offset, post_ops->addend + offset, y + offset);
        return;
    }
    for (int64_t first = 0; first < count; first += TERMS) {
        float terms[TERMS];
        const activation_block block = {.positions = 1, .channels = min_of(TERMS, count - first)};
        const int64_t at = offset + first;
        kernels->activation.forward(&post_ops->addend_activation, &block, post_ops->addend + at, NULL, terms);
        kernels->elementwise.add(block.channels, y + at, terms, y + at);
    }
}

void ck_apply_post_ops(
    const ck_kernels *kernels, const ck_post_ops *post_ops, int64_t offset, int64_t count, float *y) {
    if (post_ops == NULL) return;
    if (post_ops->addend != NULL) add_addend(kernels, post_ops, offset, count, y);
    if (post_ops->activation.member_count == 0) return;
    const activation_block block = {.positions = 1, .channels = count};
    kernels->activation.forward(&post_ops->activation, &block, y + offset, NULL, y + offset);
}
