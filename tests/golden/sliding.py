"""Writes sliding.json: what PyTorch computes for networks over images larger than their input, and for
images that are no squares.

Run: python tests/golden/sliding.py > tests/golden/sliding.json  (PyTorch 2.x, torchvision)
"""

import json

import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision

from network import fill, short, values


def trunk(name, net, x):
    """What the classifier sees."""
    if name in ("alexnet", "vgg16"):
        return net.features(x)
    last = net.Mixed_7c if name == "inception_v3" else net.layer4
    maps = []
    hook = last.register_forward_hook(lambda m, i, o: maps.append(o))
    net(x)
    hook.remove()
    return maps[0]


def classify(name, net, maps):
    if name in ("alexnet", "vgg16"):
        return net.classifier(torch.flatten(net.avgpool(maps), 1))
    return net.fc(maps.mean((2, 3)))


def sliding(name, size, rows, columns):
    options = dict(num_classes=3, weights=None)
    if name == "inception_v3":
        options.update(aux_logits=False, transform_input=True, init_weights=False)
    net = getattr(torchvision.models, name)(**options)
    fill(net)
    net.eval()
    with torch.no_grad():
        cells = trunk(name, net, torch.zeros(1, 3, size, size)).shape[-1]
        maps = trunk(name, net, values(1, 1, 3, rows, columns))
        windows = maps.unfold(2, cells, 1).unfold(3, cells, 1)
        places = list(windows.shape[2:4])
        windows = windows.permute(0, 2, 3, 1, 4, 5).reshape(-1, maps.shape[1], cells, cells)
        logits = classify(name, net, windows)
    return dict(name=name, input=size, rows=rows, columns=columns, places=places, logits=short(logits))


def rectangles():
    out = []
    for shape, to in [((11, 7), (7, 11)), ((5, 12), (9, 12)), ((8, 6), (8, 5))]:
        x = ((values(1, 1, 1, *shape) + 1) * 127.5).floor()
        y = F.interpolate(x, to, mode="bilinear", antialias=True, align_corners=False)
        out.append(dict(shape=shape, to=to, y=short(y)))
    return out


if __name__ == "__main__":
    print(json.dumps(dict(
        rectangles=rectangles(),
        networks=[
            sliding("alexnet", 113, 150, 183),
            sliding("vgg16", 64, 100, 131),
            sliding("inception_v3", 107, 140, 190),
            sliding("resnet18", 97, 129, 180),
        ])).replace("], ", "],\n"))
