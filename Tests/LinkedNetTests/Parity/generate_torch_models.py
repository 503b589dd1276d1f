"""Writes torch_models.json: the losses of the first 20 steps of the paper's models in PyTorch.

The losses are in double precision. Each model has its experiment's optimizer.

    python3 generate_torch_models.py

The models are the paper's, on images of 16×16 and batches of 8 so that a test takes seconds; AllCNN is without its
dropout, whose masks depend on the random generator. Weights and images come from a formula that the test has too, and
PyTorch's own optimizers update them. A run in single precision must stay within a third of the test's tolerance, or the
curve would be too sensitive to compare.
"""

import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

from parity import batches, noise

STEPS, BATCH, BATCHES, SIDE = 20, 8, 5, 16
# Keras' momentum of 0.99 doesn't matter here: a training pass uses the batch's statistics.
BATCH_NORM_EPSILON = 1e-3
GAMMA = 0.125


class Net:
    """A model during its first pass and later.

    Parameters appear in the order in which the first pass requests the parameters.
    """

    def __init__(self, dtype, activation, batch_norm):
        self.dtype, self.activation, self.batch_norm = dtype, activation, batch_norm
        self.parameters, self.next = [], 0

    def parameter(self, kind, *shape):
        if self.next == len(self.parameters):
            values = noise(100 + self.next, int(np.prod(shape))).astype(np.float32)
            if kind == "kernel":
                values = np.float32(np.sqrt(6.0 / np.prod(shape[:-1]))) * values
            elif kind == "gamma":
                values = np.float32(GAMMA) + np.float32(0.0625) * values
            else:
                values = np.float32(0.0625) * values
            self.parameters.append(torch.tensor(values.reshape(shape), dtype=self.dtype).requires_grad_())
        self.next += 1
        return self.parameters[self.next - 1]

    def conv(self, x, filters, kernel, stride=1, padding="same"):
        weights = self.parameter("kernel", kernel, kernel, x.shape[1], filters)
        bias = self.parameter("bias", filters)
        if padding == "same":
            pads = []
            for size in (x.shape[3], x.shape[2]):
                total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
                pads += [total // 2, total - total // 2]
            x = F.pad(x, pads)
        return self.norm(F.conv2d(x, weights.permute(3, 2, 0, 1), bias, stride))

    def norm(self, x):
        if not self.batch_norm:
            return x
        gamma, beta = self.parameter("gamma", x.shape[1]), self.parameter("beta", x.shape[1])
        return F.batch_norm(x, None, None, gamma, beta, training=True, eps=BATCH_NORM_EPSILON)

    def dense(self, x, units):
        return x @ self.parameter("kernel", x.shape[1], units) + self.parameter("bias", units)

    def base(self, z, slopes=None):
        if self.activation.endswith("prelu"):
            return torch.where(z > 0, z, slopes * z)
        return {"relu": F.relu, "selu": F.selu, "swish": F.silu}[self.activation.removeprefix("lk-")](z)

    def slopes(self, z, *sets):
        if not self.activation.endswith("prelu"):
            return None
        # LinkedNet has channels last.
        shape = [*z.shape[2:], z.shape[1]]
        slopes = self.parameter("slopes", *sets, *shape)
        return slopes.movedim(-1, len(sets)) if len(shape) > 1 else slopes

    def act(self, z):
        if not self.activation.startswith("lk-"):
            return self.base(z, self.slopes(z))
        slopes = self.slopes(z, 2)
        pair = (None, None) if slopes is None else slopes
        return torch.cat([self.base(z, pair[0]), self.base(-z, pair[1])], dim=1)

    def plain(self, z):
        return self.base(z, self.slopes(z))

    def flatten(self, x):
        return x.permute(0, 2, 3, 1).reshape(x.shape[0], -1)


def width50(net, x):
    return net.dense(net.flatten(net.act(net.conv(x, 50, 3, padding="valid"))), 10)


def depth(net, x):
    x = net.act(net.conv(x, 4, 7, stride=2))
    for _ in range(50):
        x = net.act(net.conv(x, 4, 3))
    return net.dense(net.flatten(x), 10)


def extended(net, x):
    for filters in (32, 64):
        x = net.act(net.conv(x, filters, 3))
        x = net.act(net.conv(x, filters, 3, padding="valid"))
        x = F.max_pool2d(x, 2)
    return net.dense(net.act(net.dense(net.flatten(x), 512)), 10)


def allcnn(net, x):
    for filters in (96, 192):
        for _ in range(2):
            x = net.act(net.conv(x, filters, 3))
        x = net.conv(x, filters, 3, stride=2)
    x = net.act(net.conv(x, 192, 3))
    x = net.act(net.conv(x, 192, 1))
    return net.conv(x, 10, 1).mean(dim=(2, 3))


def resnet50(net, x):
    x = net.plain(net.conv(x, 8, 3))
    for blocks, inner, outer, stride in ((3, 16, 64, 1), (4, 16, 64, 2), (6, 32, 128, 2), (3, 32, 128, 2)):
        for block in range(blocks):
            own = stride if block == 0 else 1
            y = net.act(net.conv(x, inner, 1, stride=own))
            y = net.act(net.conv(y, inner, 3))
            y = net.conv(y, outer, 1)
            x = net.plain(y + (net.conv(x, outer, 1, stride=own) if block == 0 else x))
    return net.dense(net.flatten(x), 10)


CASES = [
    # model, activation, BatchNorm, optimizer, learning rate, epsilon, decay of the learning rate per update
    (width50, "lk-prelu", False, "sgd", 0.01, 0, 0),
    # A hundredth of the paper's rate: at 0.001 the last bits decide the side of a kink for neurons of the 51 layers.
    (depth, "lk-relu", False, "adam", 1e-5, 1e-8, 0),
    (extended, "lk-selu", False, "rmsprop", 1e-4, 1e-8, 1e-6),
    # Swish has no kink. With ReLU the last bits of one gradient decide the side of a kink, and momentum makes the
    # difference visible.
    (allcnn, "lk-swish", False, "nesterov", 0.01, 0, 1e-6),
    (resnet50, "lk-swish", False, "adam", 1e-3, 1e-8, 1e-6),
    # With BatchNorm at 0.001, PyTorch's own single and double precision differ after some steps. Kinks increase the
    # difference.
    (resnet50, "swish", True, "adam", 1e-5, 1e-8, 1e-6),
    (resnet50, "lk-swish", True, "adam", 1e-5, 1e-8, 1e-6),
]


def make_optimizer(name, parameters, rate, epsilon):
    if name == "sgd":
        return torch.optim.SGD(parameters, lr=rate)
    if name == "nesterov":
        return torch.optim.SGD(parameters, lr=rate, momentum=0.9, nesterov=True)
    if name == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=rate, alpha=0.9, eps=epsilon)
    return torch.optim.Adam(parameters, lr=rate, eps=epsilon)


def curve(case, dtype):
    model, activation, batch_norm, name, rate, epsilon, decay = case
    net = Net(dtype, activation, batch_norm)
    images, labels = batches(BATCHES, BATCH, SIDE)
    inputs = [torch.tensor(batch, dtype=dtype).permute(0, 3, 1, 2) for batch in images]
    with torch.no_grad():
        model(net, inputs[0])
    optimizer = make_optimizer(name, net.parameters, rate, epsilon)
    losses = []
    for step in range(STEPS):
        net.next = 0
        loss = F.cross_entropy(model(net, inputs[step % BATCHES]), torch.from_numpy(labels[step % BATCHES]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.param_groups[0]["lr"] = rate / (1 + decay * step)
        optimizer.step()
        losses.append(loss.item())
    return losses, sum(p.numel() for p in net.parameters)


if __name__ == "__main__":
    torch.use_deterministic_algorithms(True)
    results = []
    for case in CASES:
        model, activation, batch_norm, optimizer, rate, epsilon, decay = case
        losses, parameters = curve(case, torch.float64)
        spread = max(abs(a / b - 1) for a, b in zip(curve(case, torch.float32)[0], losses))
        print(
            f"{model.__name__} {activation}: {losses[0]:.4f} to {losses[-1]:.4f}, "
            f"single against double precision {spread:.1e}")
        assert spread < 3.3e-4, spread
        results.append({
            "model": model.__name__, "activation": activation, "batch_norm": batch_norm, "optimizer": optimizer,
            "learning_rate": rate, "epsilon": epsilon, "decay": decay, "parameters": parameters, "losses": losses,
        })
    (pathlib.Path(__file__).parent / "torch_models.json").write_text(json.dumps(results, indent=0) + "\n")
