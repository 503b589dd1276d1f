"""What the peers share: the paper's networks and optimizers, written once, the command line, and the clock.

A network is a list of layers, each a tuple of its kind and its numbers:

    ("conv", filters, kernel, stride, padding)   followed by BatchNorm where that is asked for
    ("norm",)                                    BatchNorm, only where that is asked for
    ("activation",)                              the one that the command line names, linked or not
    ("base activation",)                         the same one, never linked
    ("max pool",), ("dropout", rate), ("global average pool",), ("flatten",), ("dense", units)
    ("bottleneck", inner, outer, stride, projects)

Both peers build from it; what a layer means (padding, BatchNorm's constants, initial values) is Keras', which the paper
used.
"""

import argparse
import json
import resource
import statistics
import time

CLASSES = 10
BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.99
ACTIVATIONS = ("relu", "selu", "swish", "prelu")
WARM_UP_STEPS = 3


def allcnn():
    layers = []
    for filters in (96, 192):
        for _ in range(2):
            layers += [("conv", filters, 3, 1, "same"), ("activation",)]
        layers += [("conv", filters, 3, 2, "same"), ("dropout", 0.5)]
    layers += [("conv", 192, 3, 1, "same"), ("activation",), ("conv", 192, 1, 1, "same"), ("activation",)]
    return layers + [("conv", CLASSES, 1, 1, "same"), ("global average pool",)]


def depth():
    layers = [("conv", 4, 7, 2, "same"), ("activation",)]
    layers += 50 * [("conv", 4, 3, 1, "same"), ("activation",)]
    return layers + [("flatten",), ("dense", CLASSES)]


def width(units):
    return [("conv", units, 3, 1, "valid"), ("activation",), ("flatten",), ("dense", CLASSES)]


def extended():
    layers = []
    for filters in (32, 64):
        layers += [("conv", filters, 3, 1, "same"), ("activation",)]
        layers += [("conv", filters, 3, 1, "valid"), ("activation",), ("max pool",)]
    return layers + [("flatten",), ("dense", 512), ("norm",), ("activation",), ("dense", CLASSES)]


def resnet50():
    layers = [("conv", 8, 3, 1, "same"), ("base activation",)]
    for blocks, inner, outer, stride in ((3, 16, 64, 1), (4, 16, 64, 2), (6, 32, 128, 2), (3, 32, 128, 2)):
        for block in range(blocks):
            first = block == 0
            layers += [("bottleneck", inner, outer, stride if first else 1, first), ("base activation",)]
    return layers + [("flatten",), ("dense", CLASSES)]


NETWORKS = {
    "allcnn": allcnn,
    "depth": depth,
    "width50": lambda: width(50),
    "width400": lambda: width(400),
    "extended": extended,
    "resnet50": resnet50,
}

# Kind, learning rate, and the time decay d of lr / (1 + d·updates).
OPTIMIZERS = {
    "allcnn": ("sgd with nesterov momentum", 0.01, 1e-6),
    "depth": ("adam", 1e-3, 0.0),
    "width50": ("sgd", 0.01, 0.0),
    "width400": ("sgd", 0.01, 0.0),
    "extended": ("rmsprop", 1e-4, 1e-6),
    "resnet50": ("adam", 1e-3, 1e-6),
}


def bottleneck_body(inner, outer, stride):
    body = [("conv", inner, 1, stride, "same"), ("activation",), ("conv", inner, 3, 1, "same"), ("activation",)]
    return body + [("conv", outer, 1, 1, "same")]


def same_padding(size, kernel, stride):
    """Rows before and after, as TensorFlow has it: an odd one comes after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def arguments(description, modes):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", choices=NETWORKS, default="allcnn")
    parser.add_argument(
        "--activation", choices=ACTIVATIONS + tuple("lk-" + name for name in ACTIVATIONS), default="lk-relu")
    parser.add_argument("--batch-norm", action="store_true")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=10, help=f"timed steps, after {WARM_UP_STEPS} that are not")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--mode", choices=modes, default=modes[0])
    return parser.parse_args()


def report(framework, options, step):
    """Times `step` and prints the line that step-time prints, too."""
    for _ in range(WARM_UP_STEPS):
        step()
    times = []
    for _ in range(options.steps):
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({
        "framework": framework, "mode": options.mode, "model": options.model, "activation": options.activation,
        "batch_norm": options.batch_norm, "batch": options.batch_size, "threads": options.threads,
        "median_ms": round(statistics.median(times), 2), "best_ms": round(min(times), 2),
        "images_per_s": round(options.batch_size / min(times) * 1e3, 1),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))
