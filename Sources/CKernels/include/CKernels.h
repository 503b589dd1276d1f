#ifndef CKERNELS_H
#define CKERNELS_H

// The whole interface of LinkedNet's kernels. The interface is no public API of the Swift package: of the rooms of
// `Sources/LinkedNet`, only `Kernels` and `Optimizers` import CKernels.
//
// Conventions, valid for every function unless it says otherwise:
//   layout    images are NHWC, float32, dense: [batch][height][width][channels].
//   pointers  aligned to 4 bytes; 64 is faster. Outputs never overlap inputs unless stated.
//   scratch   is the caller's. Its size in bytes comes from the `_scratch` function beside each kernel, depends
//             on the shape only (never on the number of threads), never shrinks when the batch grows, and its
//             contents need not be initialised nor kept. It must be aligned to 64 bytes. May be NULL if the size is 0.
//   threads   sums are split by shape and partial sums are added in a fixed order, so a result has the same bits
//             for any number of threads. Functions may be called from several threads at once, each with memory of its
//             own.
//   NaN       in an input propagates to every output that depends on it, with one exception: where a pre-activation is
//             NaN, the backward pass of every activation but Swish hands the gradient through (as PyTorch has it for
//             ReLU).
//   contract  descriptors are checked by their `_check` function, where they have one; the kernels themselves assume a
//             valid one.

#include "ck_activation.h"
#include "ck_convolution.h"
#include "ck_convolution_chain.h"
#include "ck_convolution_dense.h"
#include "ck_dense.h"
#include "ck_elementwise.h"
#include "ck_input.h"
#include "ck_loss.h"
#include "ck_normalization.h"
#include "ck_optimizer.h"
#include "ck_plans.h"
#include "ck_pointwise.h"
#include "ck_pooling.h"
#include "ck_post_ops.h"
#include "ck_runtime.h"

#endif
