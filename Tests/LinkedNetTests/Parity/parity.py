"""The common part of this directory's generators: numbers and batches from a formula.

The tests have the formula, too, so that no file has to store the numbers.
"""

import numpy as np

CLASSES = 10


def noise(stream, count):
    """Uniform multiples of 2^-23 in [-1, 1): a 32-bit integer hash of (stream, index)."""
    x = (np.arange(count, dtype=np.uint64) + np.uint64(stream * 1_000_003)) & np.uint64(0xFFFFFFFF)
    for multiplier in (0x7FEB352D, 0x846CA68B):
        x ^= x >> np.uint64(16)
        x = (x * np.uint64(multiplier)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    return ((x >> np.uint64(8)).astype(np.float64) - 2.0**23) / 2.0**23


def batches(count, size, side):
    """`count` batches of `size` images.

    Sample i has label i mod 10. The sample's image is its class's pattern plus noise of the same size.
    """
    pixels, samples = side * side * 3, count * size
    labels = np.arange(samples) % CLASSES
    patterns = noise(1, CLASSES * pixels).reshape(CLASSES, pixels)
    images = 0.5 * patterns[labels] + 0.5 * noise(2, samples * pixels).reshape(samples, pixels)
    return images.reshape(count, size, side, side, 3), labels.reshape(count, size)
