"""Writes tests/golden/weights/grey.json: what a ResNet-18 for grey images and of one output gives, whose
weights follow from a formula as in weights.py.

Run: python tests/golden/grey.py  (numpy). In double precision, by sums over windows as the definition of
each layer has them (PyTorch's documentation of Conv2d, BatchNorm2d, MaxPool2d).
"""

import json
import math
import os

import numpy as np

from formula import values

EPSILON = 1e-5


here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "weights")
shapes = dict(json.load(open(os.path.join(here, "golden.json")))["state"])
shapes.update({"conv1.weight": [64, 1, 7, 7], "fc.weight": [1, 512], "fc.bias": [1]})
state = {}
for seed, (name, shape) in enumerate(shapes.items(), 1000):
    v = values(seed, *shape)
    if name.endswith("running_var"):
        v = np.float32(1) + v / np.float32(2)
    elif len(shape) == 1 and name.endswith("weight"):
        v = np.float32(1) + v / np.float32(4)
    elif len(shape) == 1:
        v = v / np.float32(8)
    elif shape:
        v = v * np.float32(math.sqrt(6 / math.prod(shape[1:])))
    state[name] = v.astype(np.float64)


def windows(x, edge, stride, pad, fill=0.0):
    """Channels x rows x columns x edge x edge."""
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)), constant_values=fill)
    return np.lib.stride_tricks.sliding_window_view(x, (edge, edge), (1, 2))[:, ::stride, ::stride]


def conv(x, name, stride, pad):
    weight = state[f"{name}.weight"]
    return np.einsum("crsij,ucij->urs", windows(x, weight.shape[-1], stride, pad), weight, optimize=True)


def norm(x, name):
    mean, variance, scale, shift = (
        state[f"{name}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias"))
    return (x - mean) / np.sqrt(variance + EPSILON) * scale + shift


pixels = np.floor((values(1, 97, 97).astype(np.float64) + 1) * 127.5)
x = (pixels[None] / 255 - 0.449) / 0.226
x = np.maximum(norm(conv(x, "conv1", 2, 3), "bn1"), 0)
x = windows(x, 3, 2, 1, -np.inf).max((3, 4))
for layer in range(1, 5):
    for block in range(2):
        name = f"layer{layer}.{block}"
        stride = 2 if layer > 1 and block == 0 else 1
        y = np.maximum(norm(conv(x, f"{name}.conv1", stride, 1), f"{name}.bn1"), 0)
        y = norm(conv(y, f"{name}.conv2", 1, 1), f"{name}.bn2")
        if stride > 1:
            x = norm(conv(x, f"{name}.downsample.0", stride, 0), f"{name}.downsample.1")
        x = np.maximum(x + y, 0)
logit = float(state["fc.weight"][0] @ x.mean((1, 2)) + state["fc.bias"][0])
with open(os.path.join(here, "grey.json"), "w") as file:
    json.dump(dict(logit=logit, probability=1 / (1 + math.exp(-logit))), file)
    file.write("\n")
