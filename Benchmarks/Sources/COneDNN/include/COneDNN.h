#ifndef CONEDNN_H
#define CONEDNN_H

#include <stdbool.h>
#include <stdint.h>

/// True if this was built where oneDNN's header is. All else works only then.
bool onednn_available(void);

typedef enum onednn_pass {
    ONEDNN_FORWARD,
    ONEDNN_BACKWARD_DATA,
    ONEDNN_BACKWARD_WEIGHTS,
} onednn_pass;

/// A convolution without activation; padding at the top and left is `pad_before`, at the bottom and right `pad_after`.
typedef struct onednn_shape {
    int64_t batch, channels, size, filters, out_size, kernel, stride, pad_before, pad_after;
} onednn_shape;

/// A primitive of oneDNN with memory of its own, in the layouts that oneDNN prefers for it.
typedef struct onednn_convolution onednn_convolution;

/// NULL if oneDNN doesn't take the shape.
onednn_convolution *onednn_convolution_create(onednn_shape shape, onednn_pass pass);

/// Runs the primitive once and waits for it.
void onednn_convolution_run(onednn_convolution *convolution);

#endif
