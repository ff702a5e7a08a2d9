"""Writes tests/golden/weights/grey.json: what PyTorch computes with a ResNet-18 for grey images and of one
output, whose weights follow from a formula as in weights.py.

Run: python tests/golden/grey.py  (PyTorch 2.x)
"""

import json
import os

import numpy as np
import torch
import torch.nn as nn


def values(seed, *shape):
    """As in weights.py."""
    count = int(np.prod(shape))
    mask = np.uint64(0xFFFFFFFF)
    v = (np.arange(count, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(seed * 40503 + 1)) & mask
    v ^= v >> np.uint64(15)
    v = (v * np.uint64(0x2C1B3C6D)) & mask
    v ^= v >> np.uint64(12)
    v = (v * np.uint64(0x297A2D39)) & mask
    v ^= v >> np.uint64(15)
    out = (v >> np.uint64(8)).astype(np.float32) / np.float32(1 << 23) - np.float32(1)
    return torch.from_numpy(out.reshape(shape))


class Block(nn.Module):
    def __init__(self, inputs, units, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, units, 3, stride, 1, bias=False), nn.BatchNorm2d(units)
        self.conv2, self.bn2 = nn.Conv2d(units, units, 3, 1, 1, bias=False), nn.BatchNorm2d(units)
        self.downsample = None
        if stride > 1:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, units, 1, stride, bias=False), nn.BatchNorm2d(units))

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + (self.downsample(x) if self.downsample else x)).relu()


class ResNet18(nn.Module):
    """torchvision's, for one channel and one output."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        widths = [64, 64, 128, 256, 512]
        for i, (inputs, units) in enumerate(zip(widths, widths[1:]), 1):
            first = Block(inputs, units, 1 if i == 1 else 2)
            setattr(self, f"layer{i}", nn.Sequential(first, Block(units, units, 1)))
        self.fc = nn.Linear(512, 1)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.bn1(self.conv1(x)).relu(), 3, 2, 1)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
        return self.fc(x.mean((2, 3)))


network = ResNet18()
with torch.no_grad():
    for seed, (name, tensor) in enumerate(network.state_dict().items(), 1000):
        v = values(seed, *tensor.shape) if tensor.dim() else None
        if name.endswith("num_batches_tracked"):
            tensor.fill_(7)
        elif name.endswith("running_var"):
            tensor.copy_(1 + v / 2)
        elif tensor.dim() == 1 and name.endswith("weight"):
            tensor.copy_(1 + v / 4)
        elif tensor.dim() == 1:
            tensor.copy_(v / 8)
        else:
            tensor.copy_(v * np.float32((6 / tensor[0].numel()) ** 0.5))
    pixels = ((values(1, 97, 97) + 1) * 127.5).floor()
    logit = network.eval()((pixels[None, None] / 255 - 0.449) / 0.226)[0, 0]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "weights", "grey.json")
with open(path, "w") as file:
    json.dump(dict(logit=logit.item(), probability=logit.sigmoid().item()), file)
    file.write("\n")
