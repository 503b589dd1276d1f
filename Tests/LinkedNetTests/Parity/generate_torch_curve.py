"""Writes torch_curve.json: the losses of 100 SGD steps of a small LK-ReLU network in PyTorch, by the image's side.

The losses are in double precision.

    python3 generate_torch_curve.py

Weights and images come from a formula that the test has, too (`noise`), so that no file has to store the numbers. A run
in single precision must stay within a tenth of the tolerance of the test, or the curve would be too sensitive to
compare.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

from parity import batches, noise

STEPS, BATCH, BATCHES = 100, 16, 10
SIDES = 8, 10  # for Winograd's tiles of 4×4 and of 5×5


def weights():
    """Kernels in HWIO; halves and quarters of the noise are exact in single precision."""
    return [
        0.25 * noise(3, 3 * 3 * 3 * 8).reshape(3, 3, 3, 8), 0.125 * noise(4, 8),
        0.25 * noise(5, 3 * 3 * 16 * 8).reshape(3, 3, 16, 8), 0.125 * noise(6, 8),
        0.5 * noise(7, 16 * 10).reshape(16, 10), 0.125 * noise(8, 10),
    ]


def linked(z):
    return torch.cat([F.relu(z), F.relu(-z)], dim=1)


def conv(x, kernel, bias, stride):
    """'same' padding after TensorFlow's rule, for a 3×3 kernel on an even size."""
    x = F.pad(x, (1, 1, 1, 1) if stride == 1 else (0, 1, 0, 1))
    return F.conv2d(x, kernel.permute(3, 2, 0, 1), bias, stride)


def curve(dtype, side):
    parameters = [torch.tensor(w, dtype=dtype).requires_grad_() for w in weights()]
    optimizer = torch.optim.SGD(parameters, lr=0.05, momentum=0.9, nesterov=True)
    images, labels = batches(BATCHES, BATCH, side)
    losses = []
    for step in range(STEPS):
        k1, b1, k2, b2, k3, b3 = parameters
        x = torch.tensor(images[step % BATCHES], dtype=dtype).permute(0, 3, 1, 2)
        x = linked(conv(x, k1, b1, 1))
        x = linked(conv(x, k2, b2, 2)).mean(dim=(2, 3))
        loss = F.cross_entropy(x @ k3 + b3, torch.from_numpy(labels[step % BATCHES]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


torch.use_deterministic_algorithms(True)
curves = {}
for side in SIDES:
    losses = curves[side] = curve(torch.float64, side)
    spread = max(abs(a / b - 1) for a, b in zip(curve(torch.float32, side), losses))
    assert spread < 1e-4, spread
    print(
        f"{side}×{side}: first loss {losses[0]:.6f}, last {losses[-1]:.6f}, "
        f"single against double precision {spread:.2e}")
(pathlib.Path(__file__).parent / "torch_curve.json").write_text(json.dumps(curves, indent=0) + "\n")
