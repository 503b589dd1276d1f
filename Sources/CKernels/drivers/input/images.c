// Images of a batch from their bytes, mirrored and moved.

#include "include/ck_input.h"

#include <math.h>
#include <string.h>

#include "dispatch/kernels.h"
#include "drivers/shared/blocks.h"
#include "drivers/shared/loops.h"
#include "runtime/threads.h"

// A row of an image is made in two steps, strip by strip if the row is long. First, two source rows are gathered as
// bytes, mirrored, moved by whole pixels with the edge repeated, and interpolated to the right. Then the two rows are
// interpolated downwards, scaled and offset. Interpolation before scaling gives the same as interpolation after
// scaling, for both are linear.

enum { STRIP = 1024 };

/// The source of an output position: position + base and its successor. The successor has the weight `fraction`.
typedef struct displacement {
    int64_t base;
    float fraction;
} displacement;

static displacement displacement_of(float shift, int64_t size) {
    // From farther away, every position reads the edge. A NaN stays in the fraction.
    const double position = -(double)shift, limit = (double)size;
    if (position != position) return (displacement){0, shift};
    if (position <= -limit) return (displacement){-size, 0};
    if (position >= limit) return (displacement){size, 0};
    const double base = floor(position);
    return (displacement){(int64_t)base, (float)(position - base)};
}

static int64_t clamped(int64_t position, int64_t size) { return min_of(max_of(position, 0), size - 1); }

typedef struct image_call {
    const input_tiles *tiles;
    int64_t batch, height, width, channels;
    const uint8_t *images;
    const int64_t *indices;
    const ck_augmentation *augmentations;
    const float *scale, *offset;
    float *out;
} image_call;

/// Bytes first ..< first + count of a source row mirrored if `flip` and moved by `base` pixels.
static void gather_row(
    const image_call *call, const uint8_t *row, bool flip, int64_t base, int64_t first, int64_t count,
    uint8_t *target) {
    const int64_t channels = call->channels, last = call->width - 1;
    int64_t pixel = first / channels + base, channel = first % channels;
    while (count > 0) {
        const int64_t inside = clamped(pixel, call->width);
        int64_t part = channels - channel;
        if (!flip && inside == pixel) part += (last - pixel) * channels; // all that follows in the row
        part = min_of(part, count);
        const uint8_t *const source = row + (flip ? last - inside : inside) * channels + channel;
        if (part <= 4) // a pixel: a call costs more than the bytes
            for (int64_t byte = 0; byte < part; byte++) target[byte] = source[byte];
        else memcpy(target, source, (size_t)part);
        pixel += (channel + part) / channels;
        channel = (channel + part) % channels;
        target += part;
        count -= part;
    }
}

/// Columns first ..< first + count of a source row, displaced horizontally.
static void displaced_row(
    const image_call *call, const uint8_t *image, int64_t y, bool flip, displacement move, int64_t first, int64_t count,
    float *target) {
    const uint8_t *const row = image + clamped(y, call->height) * call->width * call->channels;
    uint8_t left[STRIP], right[STRIP];
    gather_row(call, row, flip, move.base, first, count, left);
    if (move.fraction == 0) memcpy(right, left, (size_t)count);
    else gather_row(call, row, flip, move.base + 1, first, count, right);
    call->tiles->interpolate_bytes(count, left, right, move.fraction, target);
}

static void moved_strip(
    const image_call *call, const uint8_t *image, const ck_augmentation *augmentation, int64_t first, int64_t count,
    const float *scale, const float *offset, float *out) {
    const displacement down = displacement_of(augmentation->shift_y, call->height);
    const displacement across = displacement_of(augmentation->shift_x, call->width);
    const int64_t row_size = call->width * call->channels;
    float rows[2][STRIP];
    int64_t held = -1; // the source row in rows[1], which is the next output row's upper one
    for (int64_t y = 0; y < call->height; y++) {
        const int64_t upper = clamped(y + down.base, call->height), lower = clamped(y + down.base + 1, call->height);
        float *const target = out + y * row_size + first;
        if (down.fraction == 0 && across.fraction == 0) {
            uint8_t bytes[STRIP];
            gather_row(call, image + upper * row_size, augmentation->flip, across.base, first, count, bytes);
            call->tiles->convert(count, bytes, scale, offset, target);
            continue;
        }
        if (held == upper) memcpy(rows[0], rows[1], (size_t)count * sizeof(float));
        else displaced_row(call, image, upper, augmentation->flip, across, first, count, rows[0]);
        if (down.fraction == 0 || lower == upper) memcpy(rows[1], rows[0], (size_t)count * sizeof(float));
        else displaced_row(call, image, lower, augmentation->flip, across, first, count, rows[1]);
        held = down.fraction == 0 ? -1 : lower;
        call->tiles->interpolate_rows(count, rows[0], rows[1], down.fraction, scale, offset, target);
    }
}

static void prepare_task(void *context, int64_t task, int worker) {
    (void)task, (void)worker;
    const image_call *call = context;
    const int64_t row_size = call->width * call->channels, image_size = call->height * row_size;
    for (int64_t first = 0; first < row_size; first += STRIP) {
        const int64_t count = min_of(STRIP, row_size - first);
        float scale[STRIP], offset[STRIP];
        for (int64_t column = 0; column < count; column++) {
            scale[column] = call->scale[(first + column) % call->channels];
            offset[column] = call->offset[(first + column) % call->channels];
        }
        for (int64_t b = 0; b < call->batch; b++) {
            const uint8_t *const image = call->images + call->indices[b] * image_size;
            const ck_augmentation none = {0, 0, false};
            const ck_augmentation *augmentation = call->augmentations == NULL ? &none : call->augmentations + b;
            moved_strip(call, image, augmentation, first, count, scale, offset, call->out + b * image_size);
        }
    }
}

void ck_prepare_images(
    int64_t batch, int64_t height, int64_t width, int64_t channels, const uint8_t *images, const int64_t *indices,
    const ck_augmentation *augmentations, const float *scale, const float *offset, float *out) {
    image_call call = {
        .tiles = &ck_kernels_current()->input,
        .batch = batch,
        .height = height,
        .width = width,
        .channels = channels,
        .images = images,
        .indices = indices,
        .augmentations = augmentations,
        .scale = scale,
        .offset = offset,
        .out = out};
    ck_serial(prepare_task, &call);
}

ck_plan ck_images_plan(int64_t width, int64_t channels) {
    ck_plan loops = {0};
    add_loop(&loops, "strips of a row", width * channels, STRIP);
    return loops;
}
