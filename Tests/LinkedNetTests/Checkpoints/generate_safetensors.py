"""Writes with Python's safetensors the file that GoldenSafetensorsTests.swift holds in base64.

    pip install safetensors numpy && python3 generate_safetensors.py
"""

import base64
import textwrap

import numpy
from safetensors.numpy import save

tensors = {
    "dense/kernel": numpy.arange(6, dtype=numpy.float32).reshape(2, 3) / 4 - 0.5,
    "dense/bias": numpy.array([1e-45, -0.0, numpy.inf], dtype=numpy.float32),
    "scale": numpy.array(2.5, dtype=numpy.float32),
    "größe \"x\"\\\n\u0001/𝛄": numpy.array([[3.4028235e38]], dtype=numpy.float32),
}
metadata = {"format": "np", "note": "tab\t, quote \", é, 😀, \u001f"}
print("\n".join(textwrap.wrap(base64.b64encode(save(tensors, metadata)).decode(), 100)))
