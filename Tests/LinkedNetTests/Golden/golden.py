"""The common part of both generators of golden values: repeatable numbers and a writer of safetensors files."""

import json
import re
import struct
import zlib

import numpy as np


def numbers(case, name, shape, scale=1.0):
    """Normal numbers that depend on the case and the name only.

    The numbers are rounded to float32, so that every side starts from the same numbers.
    """
    generator = np.random.default_rng(zlib.crc32(f"{case}/{name}".encode()))
    return (scale * generator.standard_normal(shape)).astype(np.float32).astype(np.float64)


def initial_weight(case, name, shape):
    """Weights of a size that keeps outputs near 1; scales of a normalisation stay away from 0."""
    if name.endswith("/gamma"):
        return (1 + numbers(case, name, shape, 0.3)).astype(np.float32).astype(np.float64)
    if name.endswith("/kernel"):
        return numbers(case, name, shape, float(np.prod(shape[:-1])) ** -0.5)
    return numbers(case, name, shape, 1.0 if name == "input/value" else 0.3)


class Golden:
    """The tensors of one file, each called `case|kind|name`.

    Kinds: `weight`, `gradient`, `state` (after one training step) with the library's parameter names; `output` and
    `outputGradient` of this step; `inference`, the output in evaluation mode after the step.
    """

    def __init__(self):
        self.tensors = {}

    def add(self, case, kind, name, array):
        key = f"{case}|{kind}|{name}"
        assert key not in self.tensors, key
        array = np.asarray(array, dtype=np.float64).astype("<f4")
        assert np.isfinite(array).all(), key
        self.tensors[key] = array

    def add_all(self, case, kind, arrays):
        """Adds arrays by name; `name[0]`, `name[1]` … are stacked to one tensor `name`."""
        stacks = {}
        for name, array in arrays.items():
            match = re.fullmatch(r"(.*)\[(\d+)\]", name)
            if match:
                stacks.setdefault(match[1], []).append(array)
            else:
                self.add(case, kind, name, array)
        for name, parts in stacks.items():
            self.add(case, kind, name, np.stack(parts))

    def save(self, path):
        header, offset = {}, 0
        for name, array in self.tensors.items():
            header[name] = {
                "dtype": "F32",
                "shape": list(array.shape),
                "data_offsets": [offset, offset + array.nbytes],
            }
            offset += array.nbytes
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for array in self.tensors.values():
                file.write(array.tobytes())
