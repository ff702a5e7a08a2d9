"""Writes network.json: what PyTorch computes for the layers and networks, to hold ours against.

Inputs and weights follow from `values` below, which the tests repeat, so the file holds results only.
Run: python tests/golden/network.py > tests/golden/network.json  (PyTorch 2.x, torchvision)
"""

import json
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision

import formula

torch.set_num_threads(2)
torch.use_deterministic_algorithms(True)


def values(seed, *shape):
    return torch.from_numpy(formula.values(seed, *shape))


def short(tensor):
    return [float(f"{v:.6g}") for v in tensor.detach().double().flatten().tolist()]


def digest(tensor):
    """Mean absolute value, mean product with `values`, and five values spread over the tensor."""
    flat = tensor.detach().double().flatten()
    weights = values(99, flat.numel()).double()
    at = [i * (flat.numel() - 1) // 4 for i in range(5)]
    mean = flat.abs().sum() / flat.numel()
    return [float(f"{v:.7g}") for v in [mean, flat.dot(weights) / flat.numel(), *flat[at]]]


def leaf(tensor):
    return tensor.clone().requires_grad_(True)


def max_pools():
    out = []
    for shape, kernel, stride, padding in [
        ((2, 3, 9, 9), 3, 2, 0), ((1, 2, 8, 10), 3, 2, 1), ((2, 2, 7, 7), 2, 2, 0),
        ((1, 2, 6, 5), 3, 1, 1), ((1, 1, 7, 7), 5, 3, 2),
    ]:
        # Few distinct values, rectified: ties everywhere.
        x = leaf((values(1, *shape) * 3).floor().clamp(min=0))
        y = F.max_pool2d(x, kernel, stride, padding)
        y.backward(values(2, *y.shape))
        out.append(dict(shape=shape, kernel=kernel, stride=stride, padding=padding,
                        y=short(y), x_grad=short(x.grad)))
    return out


def convolutions():
    out = []
    for shape, units, kernel, stride, padding in [
        ((2, 3, 7, 7), 4, (3, 3), 1, (1, 1)), ((2, 3, 9, 9), 2, (3, 3), 2, (1, 1)),
        ((1, 2, 13, 14), 3, (5, 5), 2, (2, 2)), ((2, 3, 15, 15), 2, (11, 11), 4, (2, 2)),
        ((2, 4, 5, 5), 3, (1, 1), 1, (0, 0)), ((2, 4, 6, 6), 3, (1, 1), 2, (0, 0)),
        ((1, 3, 8, 8), 2, (1, 7), 1, (0, 3)), ((1, 3, 8, 8), 2, (7, 1), 1, (3, 0)),
        ((1, 2, 11, 11), 3, (7, 7), 2, (3, 3)), ((2, 3, 10, 7), 2, (1, 3), 2, (0, 1)),
        ((1, 2, 9, 14), 3, (3, 3), 3, (1, 0)), ((2, 2, 12, 5), 3, (4, 3), 3, (2, 1)),
    ]:
        x = leaf(values(1, *shape))
        w = leaf(values(2, units, shape[1], *kernel))
        b = leaf(values(3, units))
        y = F.conv2d(x, w, b, stride, padding)
        y.backward(values(4, *y.shape))
        out.append(dict(shape=shape, units=units, kernel=kernel, stride=stride, padding=padding,
                        y=short(y), x_grad=digest(x.grad), w_grad=digest(w.grad), b_grad=short(b.grad)))
    return out


def norms():
    out = []
    for training, epsilon in [(True, 1e-5), (False, 1e-5), (True, 1e-3), (False, 1e-3)]:
        for relu in [True, False]:
            x, shortcut = leaf(values(1, 3, 4, 5, 3) * 2 + 0.5), leaf(values(2, 3, 4, 5, 3))
            norm = nn.BatchNorm2d(4, eps=epsilon)
            norm.train(training)
            with torch.no_grad():
                norm.weight.copy_(1 + values(3, 4) / 2)
                norm.bias.copy_(values(4, 4))
                norm.running_mean.copy_(values(5, 4))
                norm.running_var.copy_(1 + values(6, 4) / 2)
            y = norm(x) + shortcut
            y = F.relu(y) if relu else y
            y.backward(values(7, *y.shape))
            out.append(dict(training=training, relu=relu, epsilon=epsilon, y=short(y), x_grad=short(x.grad),
                            shortcut_grad=digest(shortcut.grad), gain_grad=short(norm.weight.grad),
                            offset_grad=short(norm.bias.grad), mean=short(norm.running_mean),
                            variance=short(norm.running_var)))
    return out


def resizes():
    out = []
    for size, to in [(11, 7), (7, 11), (9, 9), (16, 5), (6, 1)]:
        x = ((values(1, 2, 1, size, size) + 1) * 127.5).floor()
        y = F.interpolate(x, (to, to), mode="bilinear", antialias=True, align_corners=False)
        out.append(dict(size=size, to=to, y=short(y)))
    return out


def adaptive():
    out = []
    for size in [(2, 2), (5, 7), (13, 13), (6, 9)]:
        x = leaf(values(1, 2, 3, *size))
        y = F.adaptive_avg_pool2d(x, 6)
        y.backward(values(2, *y.shape))
        out.append(dict(size=size, y=digest(y), x_grad=short(x.grad)))
    return out


def average_pools():
    out = []
    for shape, kernel, stride, padding in [
        ((2, 3, 6, 9), 3, 1, 1), ((1, 2, 17, 17), 5, 3, 0), ((2, 2, 5, 4), 2, 2, 0), ((1, 1, 7, 6), 3, 2, 1),
    ]:
        x = leaf(values(1, *shape))
        y = F.avg_pool2d(x, kernel, stride, padding)
        y.backward(values(2, *y.shape))
        out.append(dict(shape=shape, kernel=kernel, stride=stride, padding=padding,
                        y=short(y), x_grad=short(x.grad)))
    return out


def seed_of(name):
    """A seed that follows from a tensor's name."""
    seed = 0
    for byte in name.encode():
        seed = (seed * 31 + byte) & 0xFFFFFFFF
    return seed


def fill(network):
    """Every tensor of the state from its name."""
    for name, tensor in network.state_dict().items():
        v = values(seed_of(name), *tensor.shape) if tensor.dim() else None
        if name.endswith("num_batches_tracked"):
            tensor.fill_(7)
        elif name.endswith("running_var"):
            tensor.copy_(1 + v / 2)
        elif name.endswith(("bn3.weight", "block.3.1.weight")):
            # Weak branches, or rounding grows beyond use over the depth of a ResNet or an EfficientNet.
            tensor.copy_((1 + v / 4) / 8)
        elif tensor.dim() == 1 and name.endswith("weight"):
            tensor.copy_(1 + v / 4)
        elif tensor.dim() == 1 and any(part in name for part in ["bn", "downsample", "norm"]):
            # Most values pass their ReLU, or deep networks of random weights are chaotic: rounding
            # grows from layer to layer until it is all there is.
            tensor.copy_(2 + v / 8)
        elif tensor.dim() == 1:
            tensor.copy_(v / 8)
        else:
            tensor.copy_(v * np.float32((6 / tensor[0].numel()) ** 0.5))


def brief(tensor):
    """The beginning of `digest`."""
    return digest(tensor)[:3]


def probes(name, net):
    """Where the paper's release looks, by our names of the layers."""
    if name == "alexnet":
        return {f"conv{i + 1}": net.features[at] for i, at in enumerate([0, 3, 6, 8, 10])}
    if name.startswith("vgg"):
        out, block, count = {}, 1, 0
        for module in net.features:
            if isinstance(module, nn.Conv2d):
                count, last = count + 1, module
            elif isinstance(module, nn.MaxPool2d):
                out[f"conv{block}_{count}"] = last
                block, count = block + 1, 0
        return out
    if name == "inception_v3":
        return {f"mixed_{at}": getattr(net, f"Mixed_{at}") for at in ["5d", "6a", "6e", "7a", "7c"]}
    return resnet_probes(net)


def resnet_probes(net):
    return {"bn1": net.bn1, **{f"layer{i}": getattr(net, f"layer{i}") for i in range(1, 5)}}


def training(net, x, lr, steps=3):
    """Logits, gradients and buffers of one pass of training, and the change that the steps make."""
    before = {n: p.detach().clone() for n, p in net.named_parameters()}
    optimiser = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9, weight_decay=1e-4)
    net.train()
    for step in range(steps):
        optimiser.zero_grad()
        y = net(x)
        y, auxiliary = y if isinstance(y, tuple) else (y, None)
        loss = (y * values(2, *y.shape).to(y.dtype)).sum()
        if auxiliary is not None:
            loss = loss + 0.4 * (auxiliary * values(3, *y.shape).to(y.dtype)).sum()
        loss.backward()
        if step == 0:
            logits = short(y)
            auxiliary_logits = None if auxiliary is None else short(auxiliary)
            gradients = {n: brief(p.grad) for n, p in net.named_parameters()}
            buffers = {n: brief(b) for n, b in net.named_buffers() if b.dim()}
        optimiser.step()
    return dict(logits=logits, auxiliary=auxiliary_logits, gradients=gradients, buffers=buffers,
                steps={n: brief(p.detach() - before[n]) for n, p in net.named_parameters()},
                buffers_after={n: brief(b) for n, b in net.named_buffers() if b.dim()})


def greatest(digests):
    return max(abs(v) for digest in digests for v in digest)


def distance(found, expected):
    """How far results lie from others at most, relative to the greatest value of each digest, or to
    a thousandth of the greatest of all where that is more: the gradient by an offset that a later
    normalisation takes out again is zero but for rounding."""
    if not isinstance(expected, dict):
        found, expected = {"": found}, {"": expected}
    floor = greatest(expected.values()) / 1000 if expected else 0.0
    return max((max(abs(a - b) for a, b in zip(found[name], values)) / max(floor, greatest([values]))
                for name, values in expected.items()), default=0.0)


def build(name, classes, auxiliary=False, window7=False):
    """A network that drops nothing, filled."""
    options = dict(num_classes=classes, weights=None)
    if name == "inception_v3":
        options.update(aux_logits=auxiliary, transform_input=True, init_weights=False)
    net = getattr(torchvision.models, name)(**options)
    if window7:
        net.avgpool = nn.AvgPool2d(7)
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    fill(net)
    return net


def network(name, size, images=2, lr=1e-3, classes=2, auxiliary=False, window7=False, shaken=False,
            build=build, probes=probes):
    options = dict(auxiliary=auxiliary, window7=window7) if auxiliary or window7 else {}
    net = build(name, classes, **options)
    x = values(1, images, 3, size, size)
    maps, hooks = {}, []
    for layer, module in probes(name, net).items():
        hook = lambda m, i, o, layer=layer: maps.__setitem__(layer, o.detach().clone())
        hooks.append(module.register_forward_hook(hook))
    net.eval()
    with torch.no_grad():
        logits = net(x)
    for hook in hooks:
        hook.remove()
    case = dict(name=name, size=size, images=images, auxiliary=auxiliary, window7=window7, lr=lr,
                logits=short(logits), maps={k: digest(v) for k, v in maps.items()},
                shapes={k: list(v.shape) for k, v in maps.items()})
    # Batch statistics of few values amplify rounding: the reference is in double precision, and how
    # far PyTorch's own single precision lies from it is kept beside.
    state = {n: t.clone() for n, t in net.state_dict().items()}
    single = training(net, x, lr)
    net.load_state_dict(state)
    if shaken:
        # One run may be lucky: another whose input differs in the last bit.
        other = training(net, x * (1 + values(51, *x.shape) * 6e-8), lr, steps=1)["gradients"]
        net.load_state_dict(state)
    case["training"] = double = training(net.double(), x.double(), lr)
    case["single"] = {k: float(f"{distance(single[k], v):.2g}") for k, v in double.items() if v is not None}
    if shaken:
        further = float(f"{distance(other, double['gradients']):.2g}")
        case["single"]["gradients"] = max(case["single"]["gradients"], further)
    # The names once; everything else in their order.
    double["names"], double["buffer_names"] = list(double["gradients"]), list(double["buffers"])
    for key in ["gradients", "steps", "buffers", "buffers_after"]:
        double[key] = list(double[key].values())
    print(name, size, case["single"], {k: v[0] for k, v in case["maps"].items()}, case["logits"], file=sys.stderr, flush=True)
    return case


def main():
    print(json.dumps(dict(
        max_pools=max_pools(), average_pools=average_pools(), convolutions=convolutions(), norms=norms(),
        resizes=resizes(), adaptive=adaptive(),
        networks=[
            network("alexnet", 113, classes=3),
            network("vgg16", 64),
            network("inception_v3", 347, lr=2e-3, auxiliary=True),
            network("inception_v3", 107, images=4, lr=2e-3),
            network("resnet18", 97, lr=2e-2, classes=3),
            network("resnet18", 227, lr=2e-2, window7=True),
            network("resnet50", 97, lr=2e-2),
            network("resnet152", 97, lr=2e-2, shaken=True),
        ])).replace("], ", "],\n"))
    files()


def files():
    """Two small files as training scripts write them: a bare state dictionary, and one of a
    DataParallel network in a checkpoint."""
    small = nn.Sequential(nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2))
    with torch.no_grad():
        small[0].weight.copy_(values(1, 2, 1, 2, 2))
        small[1].num_batches_tracked.fill_(7)
    here = __file__.rpartition("/")[0] or "."
    torch.save(small.state_dict(), f"{here}/state.pth")
    torch.save(dict(epoch=3, arch="small", state_dict=nn.DataParallel(small).state_dict()), f"{here}/nested.pth")


if __name__ == "__main__":
    main()
