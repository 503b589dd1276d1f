#ifndef CK_LOSS_H
#define CK_LOSS_H

#include <stddef.h>
#include <stdint.h>

/// The results of a loss over a batch.
typedef struct ck_loss_result {
    double loss_sum;       ///< Σ_b loss_b; the mean is this over the batch
    int64_t correct_count; ///< rows whose first largest logit is the label's (none in a row with a NaN)
} ck_loss_result;

/// Softmax cross-entropy of logits [batch][classes] against labels [batch] in 0 ..< classes, by log-sum-exp with the
/// largest logit subtracted, accumulated in double.
/// dlogits, if not NULL, receives (softmax − onehot)·gradient_scale; pass 1/batch for the gradient of the mean.
ck_loss_result ck_softmax_cross_entropy(
    int64_t batch, int64_t classes, const float *logits, const int32_t *labels, float gradient_scale, float *dlogits);

/// probabilities [batch][classes] from logits.
void ck_softmax(int64_t batch, int64_t classes, const float *logits, float *probabilities);

#endif
