"""Writes families.json: what PyTorch computes for the layers and networks that came after network.json.

Inputs and weights follow from the same formulas. Of every architecture: the names and shapes of its tensors
as one number, and logits of a small input; of one or two of each family also maps and what a step of training
makes (`network.py` says how they are compared).
Run: python tests/golden/families.py > tests/golden/families.json  (PyTorch 2.x, torchvision)
"""

import json
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision
from torchvision.ops import StochasticDepth
from torchvision.ops.misc import SqueezeExcitation

import network
from network import brief, digest, fill, leaf, short, values

ALL = ["resnext50_32x4d", "resnext101_32x8d", "wide_resnet50_2", "wide_resnet101_2",
       "densenet121", "densenet169", "densenet201", *[f"efficientnet_b{i}" for i in range(8)],
       "mobilenet_v3_small", "mobilenet_v3_large", "convnext_tiny", "convnext_small", "convnext_base"]


def probes(name, net):
    """Where to look, by our names of the layers."""
    features = getattr(net, "features", None)
    if name.startswith("densenet"):
        return {f"denseblock{i}": getattr(features, f"denseblock{i}") for i in range(1, 5)}
    if name.startswith("efficientnet"):
        return {f"stage{i + 1}": features[i] for i in range(9)}
    if name.startswith("convnext"):
        return {f"stage{i}": features[2 * i - 1] for i in range(1, 5)}
    if name.startswith("mobilenet"):
        at = [1, 3, 8, 11] if name.endswith("small") else [1, 3, 6, 12, 15]
        return {**{f"bneck{i}": features[i] for i in at}, "conv_last": features[-1]}
    return network.resnet_probes(net)


def convolutions():
    """Grouped and depthwise ones."""
    out = []
    for shape, units, kernel, stride, padding, dilation, groups in [
        ((2, 8, 7, 9), 8, (3, 3), 1, (1, 1), 1, 2), ((2, 8, 9, 7), 16, (3, 3), 2, (1, 1), 1, 4),
        ((2, 6, 8, 11), 6, (3, 3), 1, (1, 1), 1, 6), ((1, 6, 13, 9), 6, (5, 5), 2, (2, 2), 1, 6),
        ((2, 4, 9, 10), 4, (7, 7), 1, (3, 3), 1, 4), ((1, 4, 10, 12), 8, (3, 3), 1, (2, 2), 2, 4),
        ((1, 4, 9, 9), 4, (5, 3), 3, (2, 1), 1, 4), ((1, 6, 5, 5), 9, (1, 1), 1, (0, 0), 1, 3),
    ]:
        x = leaf(values(1, *shape))
        w = leaf(values(2, units, shape[1] // groups, *kernel))
        b = leaf(values(3, units))
        y = F.conv2d(x, w, b, stride, padding, dilation, groups)
        y.backward(values(4, *y.shape))
        out.append(dict(shape=shape, units=units, kernel=kernel, stride=stride, padding=padding, dilation=dilation,
                        groups=groups, y=digest(y), x_grad=digest(x.grad), w_grad=digest(w.grad),
                        b_grad=digest(b.grad)))
    return out


def activations():
    out = {}
    for name in ["Relu", "Silu", "Hardswish", "Gelu", "Sigmoid", "Hardsigmoid"]:
        function = {"Relu": F.relu, "Silu": F.silu, "Hardswish": F.hardswish, "Gelu": F.gelu,
                    "Sigmoid": torch.sigmoid, "Hardsigmoid": F.hardsigmoid}[name]
        # Far enough out that the ends are seen.
        x = leaf(values(1, 60) * 12)
        y = function(x)
        y.backward(values(2, 60))
        out[name] = dict(y=short(y), x_grad=short(x.grad))
    return out


def layer_norms():
    out = []
    for shape in [(2, 5, 3, 4), (1, 40, 9, 9), (3, 8, 1, 1)]:
        x = leaf(values(1, *shape) * 2 + 0.5)
        gain, offset = leaf(1 + values(2, shape[1]) / 2), leaf(values(3, shape[1]))
        y = F.layer_norm(x.permute(0, 2, 3, 1), (shape[1],), gain, offset, 1e-6).permute(0, 3, 1, 2)
        y.backward(values(4, *shape))
        out.append(dict(shape=shape, y=digest(y), x_grad=digest(x.grad), gain_grad=digest(gain.grad),
                        offset_grad=digest(offset.grad)))
    return out


def gates():
    """Squeeze and excitation without its layers: each map times a function of its mean."""
    x = leaf(values(1, 2, 5, 4, 3))
    y = x * torch.sigmoid(x.mean((2, 3), keepdim=True) * 3)
    y.backward(values(2, 2, 5, 4, 3))
    return dict(y=short(y), x_grad=short(x.grad))


def branches():
    """Layer scale and stochastic depth: torchvision's, with its noise given."""
    x, shortcut = leaf(values(1, 3, 4, 2, 5)), leaf(values(2, 3, 4, 2, 5))
    scale, rows = leaf(values(3, 4, 1, 1)), torch.tensor([0.0, 2.0, 2.0]).reshape(3, 1, 1, 1)
    y = scale * x * rows + shortcut
    y.backward(values(4, 3, 4, 2, 5))
    return dict(y=short(y), x_grad=short(x.grad), scale_grad=short(scale.grad), shortcut_grad=short(shortcut.grad))


def fingerprint(net):
    """FNV-1a of the names and shapes of parameters and buffers, in their order."""
    state = 0xCBF29CE484222325
    for group in [net.named_parameters(), net.named_buffers()]:
        for name, tensor in group:
            for byte in f"{name} {list(tensor.shape)}\n".encode():
                state = ((state ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{state:016x}"


def build(name, classes=2):
    net = getattr(torchvision.models, name)(num_classes=classes, weights=None)
    for module in net.modules():
        if isinstance(module, (nn.Dropout, StochasticDepth)):
            module.p = 0.0
    fill(net)
    return net


def small(name, size=64):
    net = build(name).eval()
    with torch.no_grad():
        logits = net(values(1, 1, 3, size, size))
    print(name, logits, file=sys.stderr, flush=True)
    return dict(name=name, size=size, tensors=fingerprint(net), parameters=sum(p.numel() for p in net.parameters()),
                logits=short(logits))


def whole(name, size, images=2, lr=1e-3, **options):
    case = network.network(name, size, images, lr, build=build, probes=probes, **options)
    # The steps of the optimiser are network.json's.
    for key in ["steps", "buffers_after"]:
        del case["training"][key]
        del case["single"][key]
    return case


if __name__ == "__main__":
    print(json.dumps(dict(
        convolutions=convolutions(), activations=activations(), layer_norms=layer_norms(), gates=gates(),
        branches=branches(), small=[small(name) for name in ALL],
        networks=[
            whole("resnext50_32x4d", 97),
            whole("wide_resnet50_2", 65),
            whole("densenet121", 65, shaken=True),
            whole("efficientnet_b0", 97),
            whole("mobilenet_v3_small", 97),
            whole("mobilenet_v3_large", 97),
            whole("convnext_tiny", 97),
        ])).replace("], ", "],\n"))
