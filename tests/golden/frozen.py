"""Writes frozen.json: three steps of PyTorch on networks of which all up to a layer is frozen, with rates per part.

What is frozen has no gradients and is in evaluation, so that batch normalisation goes by its running statistics; the
rest is in training. The head, what follows the last probe point, moves at twice the rate of the rest. Inputs and weights
follow from the formulas of network.py; all is computed in double precision.
Run: python tests/golden/frozen.py > tests/golden/frozen.json  (PyTorch 2.x, torchvision)
"""

import json
import sys

import torch

import families
import network
from network import digest, short, values

CASES = [("resnet18", 65, "layer2", "layer4"), ("resnet18", 65, "layer4", "layer4"), ("alexnet", 67, "conv3", "conv5"),
         ("densenet121", 65, "denseblock3", "denseblock4"), ("mobilenet_v3_small", 65, "bneck8", "conv_last"),
         ("convnext_tiny", 65, "stage2", "stage4")]


def upto(net, probes, layer):
    """How many parameters there are up to a layer, in their order."""
    own = {id(p) for p in probes[layer].parameters()}
    return max(i for i, p in enumerate(net.parameters()) if id(p) in own) + 1


def case(name, size, layer, last):
    own = name in families.ALL
    net = (families if own else network).build(name, 2).double()
    probes = (families if own else network).probes(name, net)
    named, frozen, head = list(net.named_parameters()), upto(net, probes, layer), upto(net, probes, last)
    net.train()
    still = {id(p) for _, p in named[:frozen]}
    for module in net.modules():
        parameters = list(module.parameters(recurse=False))
        if parameters and all(id(p) in still for p in parameters):
            module.eval()
    for _, parameter in named[:frozen]:
        parameter.requires_grad_(False)
    before = {n: t.clone() for n, t in net.state_dict().items()}
    groups = [dict(params=[p for _, p in named[frozen:head]], lr=1e-3),
              dict(params=[p for _, p in named[max(frozen, head):]], lr=2e-3)]
    optimiser = torch.optim.SGD([g for g in groups if g["params"]], momentum=0.9, weight_decay=1e-2)
    x, steps = values(1, 2, 3, size, size).double(), []
    for _ in range(3):
        optimiser.zero_grad()
        y = net(x)
        (y * values(2, *y.shape).double()).sum().backward()
        steps.append(dict(logits=short(y)))
        optimiser.step()
    after = net.state_dict()
    frozen_names = [n for n, _ in named[:frozen]]
    assert all(torch.equal(before[n], after[n]) for n in frozen_names)
    # The last parameters and statistics that stay, and some of those that move.
    moved = [n for n in after if after[n].dim() and not torch.equal(before[n], after[n])]
    stays = [n for n in after if after[n].dim() and torch.equal(before[n], after[n])]
    shown = stays[-4:] + moved[:6] + moved[-6:]
    print(name, layer, steps[-1], len(moved), file=sys.stderr, flush=True)
    return dict(name=name, size=size, layer=layer, names=[n for n, _ in named[frozen:]], steps=steps,
                after={n: digest(after[n]) for n in shown})


if __name__ == "__main__":
    print(json.dumps([case(*one) for one in CASES]))
