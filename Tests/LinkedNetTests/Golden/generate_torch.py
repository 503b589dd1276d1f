"""Writes torch.safetensors: the results of PyTorch, in double precision, for the models of GoldenModels.swift.

    python3 generate_torch.py

Leaves are in LinkedNet's layouts (NHWC, HWIO); conversions happen inside the differentiated functions, so their
gradients come out in the same layouts.
"""

import pathlib

import torch
import torch.nn.functional as F

from golden import Golden, initial_weight, numbers

torch.set_default_dtype(torch.float64)
torch.use_deterministic_algorithms(True)
golden = Golden()


def tensor(array):
    return torch.from_numpy(array)


def case(name, shapes, function, inference=None, states=None):
    """One forward and backward pass of `function`, which gets the weights by name."""
    leaves = {key: tensor(initial_weight(name, key, shape)).requires_grad_() for key, shape in shapes.items()}
    output = function(leaves)
    output_gradient = tensor(numbers(name, "outputGradient", tuple(output.shape)))
    output.backward(output_gradient)
    golden.add_all(name, "weight", {key: leaf.detach() for key, leaf in leaves.items()})
    golden.add_all(name, "gradient", {key: leaf.grad for key, leaf in leaves.items()})
    golden.add(name, "output", "", output.detach())
    golden.add(name, "outputGradient", "", output_gradient)
    if states:
        golden.add_all(name, "state", states)
        golden.add(name, "inference", "", inference({key: leaf.detach() for key, leaf in leaves.items()}))


# Layers on NHWC tensors.


def same_padding(size, window, stride):
    """TensorFlow's rule: the odd row or column goes to the bottom or right."""
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def padded(x, window, stride, padding, value):
    """NCHW, padded."""
    x = nchw(x)
    if padding == "same":
        top, bottom = same_padding(x.shape[2], window[0], stride[0])
        left, right = same_padding(x.shape[3], window[1], stride[1])
    else:
        top, left, bottom, right = (0, 0, 0, 0) if padding == "valid" else padding
    return F.pad(x, (left, right, top, bottom), value=value)


def conv(x, kernel, bias=None, stride=(1, 1), padding="valid"):
    x = padded(x, kernel.shape[:2], stride, padding, 0.0)
    return nhwc(F.conv2d(x, kernel.permute(3, 2, 0, 1), bias, stride))


def max_pool(x, window, stride, padding):
    x = padded(x, (window, window), (stride, stride), padding, -float("inf"))
    return nhwc(F.max_pool2d(x, window, stride))


def average_pool(x, window, stride, padding):
    """Padding takes no part: the sum over the window, divided by the number of the window's positions in the image."""
    ones = padded(torch.ones_like(x), (window, window), (stride, stride), padding, 0.0)
    x = padded(x, (window, window), (stride, stride), padding, 0.0)
    return nhwc(F.avg_pool2d(x, window, stride) / F.avg_pool2d(ones, window, stride))


def prelu_per_channel(z, slopes):
    return nhwc(F.prelu(nchw(z), slopes))


def prelu_per_position(z, slopes):
    return torch.where(z > 0, z, slopes * z)


def convolution_cases():
    for name, (image, filters, window, stride, padding, has_bias) in {
        "conv 1x1 same": ((5, 4, 3), 4, (1, 1), (1, 1), "same", True),
        "conv 1x1 valid stride 2": ((5, 6, 3), 4, (1, 1), (2, 2), "valid", True),
        "conv 2x2 same": ((5, 4, 3), 4, (2, 2), (1, 1), "same", True),
        "conv 3x3 same": ((5, 4, 3), 4, (3, 3), (1, 1), "same", True),
        "conv 3x3 same without bias": ((5, 4, 3), 4, (3, 3), (1, 1), "same", False),
        "conv 3x3 valid": ((5, 6, 3), 4, (3, 3), (1, 1), "valid", True),
        "conv 3x3 same stride 2": ((5, 6, 3), 4, (3, 3), (2, 2), "same", True),
        "conv 3x3 valid stride 2": ((7, 6, 3), 4, (3, 3), (2, 2), "valid", True),
        "conv 5x5 of 1 channel": ((7, 7, 1), 3, (5, 5), (1, 1), "same", True),
        "conv 7x7 same stride 2": ((9, 8, 3), 4, (7, 7), (2, 2), "same", True),
        "conv 7x7 valid": ((9, 8, 3), 4, (7, 7), (1, 1), "valid", True),
        "conv 7x7 same beyond the image": ((5, 4, 2), 3, (7, 7), (1, 1), "same", True),
        "conv 1x3 same stride 2x1": ((5, 6, 3), 4, (1, 3), (2, 1), "same", True),
        "conv 3x3 same of 17 channels": ((4, 5, 17), 19, (3, 3), (1, 1), "same", True),
        "conv 3x3 padding 1 stride 2": ((6, 7, 3), 4, (3, 3), (2, 2), (1, 1, 1, 1), True),
        "conv 5x5 uneven padding": ((7, 6, 3), 4, (5, 5), (1, 1), (3, 0, 1, 4), True),
    }.items():
        shapes = {"input/value": (2, *image), "conv2d/kernel": (*window, image[-1], filters)}
        if has_bias:
            shapes["conv2d/bias"] = (filters,)
        case(
            name, shapes,
            lambda w: conv(w["input/value"], w["conv2d/kernel"], w.get("conv2d/bias"), stride, padding))


def dense_cases():
    for name, has_bias in {"dense": True, "dense without bias": False}.items():
        shapes = {"input/value": (3, 7), "dense/kernel": (7, 5)}
        if has_bias:
            shapes["dense/bias"] = (5,)
        case(name, shapes, lambda w: w["input/value"] @ w["dense/kernel"] + w.get("dense/bias", 0))
    case(
        "flatten",
        {"input/value": (2, 3, 4, 2), "dense/kernel": (24, 3), "dense/bias": (3,)},
        lambda w: w["input/value"].reshape(2, 24) @ w["dense/kernel"] + w["dense/bias"])


def batch_norm_cases():
    for name, shape in {"batch norm unbiased": (3, 4, 5, 3), "batch norm unbiased of a vector": (6, 4)}.items():
        channels = shape[-1]
        mean, variance = torch.zeros(channels), torch.ones(channels)

        def function(w, training=True):
            x = w["input/value"].reshape(-1, channels)
            y = F.batch_norm(
                x, mean, variance, w["batch_norm/gamma"], w["batch_norm/beta"], training, momentum=0.1, eps=1e-5)
            return y.reshape(shape)

        case(
            name,
            {"input/value": shape, "batch_norm/gamma": (channels,), "batch_norm/beta": (channels,)}, function,
            lambda w: function(w, training=False),
            {"batch_norm/moving_mean": mean, "batch_norm/moving_variance": variance})


def pooling_cases():
    image = {"input/value": (2, 5, 6, 3)}
    for name, (window, stride, padding) in {
        "2 valid": (2, 2, "valid"),
        "3 valid stride 2": (3, 2, "valid"),
        "2 same": (2, 2, "same"),
        "3 same stride 1": (3, 1, "same"),
        "3 same stride 2": (3, 2, "same"),
        "3 padding 1 stride 2": (3, 2, (1, 1, 1, 1)),
    }.items():
        case(f"max pool {name}", image, lambda w: max_pool(w["input/value"], window, stride, padding))
        case(f"average pool {name}", image, lambda w: average_pool(w["input/value"], window, stride, padding))
    # PyTorch's own padding, count of padding and last windows.
    for name, (size, window, stride, padding) in {
        "of a rest": ((6, 8), 3, 2, 0),
        "of a rest with padding": ((6, 8), 3, 2, 1),
        "of a rest beyond": ((5, 7), 3, 4, 1),
    }.items():
        image_of_rest = {"input/value": (2, *size, 3)}
        case(
            f"max pool {name}", image_of_rest,
            lambda w: nhwc(F.max_pool2d(nchw(w["input/value"]), window, stride, padding, ceil_mode=True)))
        for counts in [False, True]:
            case(
                f"average pool {name}{' counting padding' if counts else ''}", image_of_rest,
                lambda w: nhwc(F.avg_pool2d(nchw(w["input/value"]), window, stride, padding, True, counts)))
    case(
        "average pool 3 padding 1 stride 2 counting padding", image,
        lambda w: nhwc(F.avg_pool2d(nchw(w["input/value"]), 3, 2, 1, False, True)))
    case("global average pool", image, lambda w: w["input/value"].mean(dim=(1, 2)))


FUNCTIONS = {
    "identity": lambda z: z,
    "relu": F.relu,
    "leaky relu": lambda z: F.leaky_relu(z, 0.3),
    "elu": F.elu,
    "elu 0.7": lambda z: F.elu(z, 0.7),
    "selu": F.selu,
    "swish": F.silu,
    "prelu per channel": prelu_per_channel,
    "prelu per position": prelu_per_position,
}

CONSUMERS = {
    "alone": ({}, lambda a, w: a),
    "before conv": (
        {"conv2d/kernel": lambda c: (3, 3, c, 4), "conv2d/bias": lambda c: (4,)},
        lambda a, w: conv(a, w["conv2d/kernel"], w["conv2d/bias"], padding="same")),
    "before strided conv": (
        {"conv2d/kernel": lambda c: (1, 1, c, 4), "conv2d/bias": lambda c: (4,)},
        lambda a, w: conv(a, w["conv2d/kernel"], w["conv2d/bias"], stride=(2, 2))),
    "before dense": (
        {"dense/kernel": lambda c: (20 * c, 4), "dense/bias": lambda c: (4,)},
        lambda a, w: a.reshape(2, -1) @ w["dense/kernel"] + w["dense/bias"]),
    "before pooling": ({}, lambda a, w: max_pool(a, 2, 2, "valid")),
}


def activation_cases():
    for consumer, (shapes, consume) in CONSUMERS.items():
        for function_name, function in FUNCTIONS.items():
            slopes = {"prelu per channel": (3,), "prelu per position": (5, 4, 3)}.get(function_name)
            plain_shapes = {"input/value": (2, 5, 4, 3)} | {key: of(3) for key, of in shapes.items()}
            linked_shapes = {"input/value": (2, 5, 4, 3)} | {key: of(6) for key, of in shapes.items()}
            if slopes:
                plain_shapes["activation/slopes"] = slopes
                linked_shapes["linked_activation/slopes"] = (2, *slopes)

            def plain(w):
                z = w["input/value"]
                return consume(function(z, w["activation/slopes"]) if slopes else function(z), w)

            def linked(w):
                z = w["input/value"]
                own = w.get("linked_activation/slopes")
                members = [function(s * z, own[i]) if slopes else function(s * z) for i, s in enumerate((1, -1))]
                return consume(torch.cat(members, dim=-1), w)

            case(f"{function_name} {consumer}", plain_shapes, plain)
            case(f"linked {function_name} {consumer}", linked_shapes, linked)

        wide = {"input/value": (2, 5, 4, 3)}
        case(
            f"min-max {consumer}", wide | {key: of(6) for key, of in shapes.items()},
            lambda w: consume(torch.cat([w["input/value"].clamp(min=0), w["input/value"].clamp(max=0)], dim=-1), w))

        def three_members(w):
            z, slopes = w["input/value"], w["linked_activation/slopes"]
            members = [-0.5 * F.elu(2 * z), prelu_per_channel(-z, slopes), 1.5 * F.silu(0.25 * z)]
            return consume(torch.cat(members, dim=-1), w)

        case(
            f"three members {consumer}",
            wide | {key: of(9) for key, of in shapes.items()} | {"linked_activation/slopes": (3,)}, three_members)


def branch_cases():
    def weights(prefix, *shape):
        return {f"{prefix}/kernel": shape, f"{prefix}/bias": shape[-1:]}

    def apply(w, prefix, x, **arguments):
        return conv(x, w[f"{prefix}/kernel"], w[f"{prefix}/bias"], **arguments)

    def body(w, x):
        return apply(w, "residual/conv2d_1", F.relu(apply(w, "residual/conv2d", x, padding="same")), padding="same")

    image = {"input/value": (2, 5, 4, 3)}
    two = weights("residual/conv2d", 3, 3, 3, 4) | weights("residual/conv2d_1", 3, 3, 4, 3)
    case("residual", image | two, lambda w: w["input/value"] + body(w, w["input/value"]))

    def after_swish(w):
        x = F.silu(w["input/value"])
        return x + body(w, x)

    case("residual after swish", image | two, after_swish)

    # One activation, which the convolution forms as it reads, and which is stored for the addition.
    def after_prelu(w):
        z, slopes = w["input/value"], w["linked_activation/slopes"]
        x = torch.cat([prelu_per_channel(z, slopes[0]), prelu_per_channel(-z, slopes[1])], dim=-1)
        return x + apply(w, "residual/conv2d", x, padding="same")

    case(
        "residual after linked prelu",
        image | {"linked_activation/slopes": (2, 3)} | weights("residual/conv2d", 3, 3, 6, 6), after_prelu)

    def projected(w):
        x = w["input/value"]
        z = apply(w, "residual/conv2d", x, stride=(2, 2), padding="same")
        a = torch.cat([F.selu(z), F.selu(-z)], dim=-1)
        return apply(w, "residual/conv2d_1", a) + apply(w, "residual/projection/conv2d", x, stride=(2, 2))

    case(
        "residual with projection",
        image | weights("residual/conv2d", 3, 3, 3, 2) | weights("residual/conv2d_1", 1, 1, 4, 5)
        | weights("residual/projection/conv2d", 1, 1, 3, 5), projected)

    def branches(w):
        x = w["input/value"]
        deep = F.silu(apply(w, "concat/conv2d_1", x, padding="same"))
        return torch.cat([apply(w, "concat/conv2d", x), deep, max_pool(x, 3, 1, "same")], dim=-1)

    case(
        "concat",
        image | weights("concat/conv2d", 1, 1, 3, 2) | weights("concat/conv2d_1", 3, 3, 3, 5), branches)


def loss_case():
    logits = tensor(numbers("loss", "logits", (6, 10), 5.0)).requires_grad_()
    labels = torch.tensor([3, 0, 9, 5, 5, 1])
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    for kind, value in {
        "logits": logits.detach(), "labels": labels, "loss": loss.detach(), "gradient": logits.grad,
        "probabilities": logits.detach().softmax(dim=-1),
    }.items():
        golden.add("softmax cross-entropy", kind, "", value)


def optimizer_cases():
    gradients = numbers("optimizer", "gradients", (20, 13))
    clipped = (gradients**2).sum(axis=1) > 3.5**2
    assert 5 < clipped.sum() < 15, "some gradients are to be clipped and some not"
    golden.add("optimizer", "gradients", "", gradients)
    golden.add("optimizer", "start", "", numbers("optimizer", "start", (13,)))
    optim = torch.optim
    for name, make in {
        "sgd": lambda p: optim.SGD(p, lr=0.1),
        "sgd momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
        "sgd nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        "sgd weight decay": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.02),
        "sgd clipped": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
        "adam": lambda p: optim.Adam(p, lr=0.05, eps=1e-8),
        "adam clipped": lambda p: optim.Adam(p, lr=0.05, eps=1e-8),
        "adam large epsilon": lambda p: optim.Adam(p, lr=0.05, betas=(0.8, 0.95), eps=0.1),
        "adam weight decay": lambda p: optim.Adam(p, lr=0.05, eps=1e-8, weight_decay=0.02),
        "rmsprop": lambda p: optim.RMSprop(p, lr=0.05, alpha=0.9, eps=1e-8),
        "rmsprop large epsilon": lambda p: optim.RMSprop(p, lr=0.05, alpha=0.9, eps=0.1),
        "rmsprop weight decay": lambda p: optim.RMSprop(p, lr=0.05, alpha=0.9, eps=1e-8, weight_decay=0.02),
    }.items():
        parameter = tensor(numbers("optimizer", "start", (13,))).requires_grad_()
        optimizer = make([parameter])
        path = []
        for gradient in gradients:
            parameter.grad = tensor(gradient.copy())
            if name.endswith("clipped"):
                torch.nn.utils.clip_grad_norm_([parameter], 3.5)
            optimizer.step()
            path.append(parameter.detach().clone())
        golden.add("optimizer", "path", name, torch.stack(path))


convolution_cases()
dense_cases()
batch_norm_cases()
pooling_cases()
activation_cases()
branch_cases()
loss_case()
optimizer_cases()
golden.save(pathlib.Path(__file__).parent / "torch.safetensors")
