"""Writes by_image.json: gradients of maps by grey images, as PyTorch computes them in double precision.

Run: python tests/golden/by_image.py > tests/golden/by_image.json  (PyTorch 2.x, torchvision)
"""

import json

import torch
import torchvision

from network import brief, fill, probes, values

MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def by_image(name, size):
    options = dict(num_classes=2, weights=None)
    if name == "inception_v3":
        options.update(aux_logits=False, transform_input=True, init_weights=False)
    net = getattr(torchvision.models, name)(**options)
    fill(net)
    net.double().eval()
    maps = {}
    for layer, module in probes(name, net).items():
        # A copy: the ReLU that follows works in place.
        hook = lambda m, i, o, layer=layer: maps.__setitem__(layer, o.clone())
        module.register_forward_hook(hook)
    grey = ((values(5, 2, size, size).double() + 1) * 127.5).requires_grad_(True)
    channels = [(grey / 255 - mean) / deviation for mean, deviation in zip(MEAN, DEVIATION)]
    net(torch.stack(channels, 1))
    layers = {}
    for layer, map in maps.items():
        objective = (map * values(6, *map.shape).double()).sum()
        gradient, = torch.autograd.grad(objective, grey, retain_graph=True)
        layers[layer] = brief(gradient)
    return dict(name=name, size=size, layers=layers)


if __name__ == "__main__":
    cases = [("alexnet", 67), ("vgg11", 65), ("inception_v3", 107), ("resnet18", 65), ("resnet50", 65)]
    print(json.dumps([by_image(*case) for case in cases]).replace("}}, ", "}},\n"))
