"""Writes network.json: what PyTorch computes for the layers and networks, to hold ours against.

Inputs and weights follow from `values` below, which the tests repeat, so the file holds results only.
Run: python tests/golden/network.py > tests/golden/network.json  (PyTorch 2.x; torchvision not needed)
"""

import json

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(2)
torch.use_deterministic_algorithms(True)


def values(seed, *shape):
    """Numbers in [-1, 1) that look random, the same in every language."""
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


def short(tensor):
    return [float(f"{v:.6g}") for v in tensor.detach().double().flatten().tolist()]


def digest(tensor):
    """Mean absolute value, mean product with `values`, and five values spread over the tensor."""
    flat = tensor.detach().double().flatten()
    weights = values(99, flat.numel()).double()
    at = [i * (flat.numel() - 1) // 4 for i in range(5)]
    return [float(f"{v:.7g}") for v in [flat.abs().mean(), (flat * weights).mean(), *flat[at]]]


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
        ((1, 2, 11, 11), 3, (7, 7), 2, (3, 3)),
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
    for training in [True, False]:
        for relu in [True, False]:
            x, shortcut = leaf(values(1, 3, 4, 5, 3) * 2 + 0.5), leaf(values(2, 3, 4, 5, 3))
            norm = nn.BatchNorm2d(4)
            norm.train(training)
            with torch.no_grad():
                norm.weight.copy_(1 + values(3, 4) / 2)
                norm.bias.copy_(values(4, 4))
                norm.running_mean.copy_(values(5, 4))
                norm.running_var.copy_(1 + values(6, 4) / 2)
            y = norm(x) + shortcut
            y = F.relu(y) if relu else y
            y.backward(values(7, *y.shape))
            out.append(dict(training=training, relu=relu, y=short(y), x_grad=short(x.grad),
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


class AlexNet(nn.Module):
    """torchvision's, without dropout."""

    def __init__(self, classes):
        super().__init__()
        relu, pool = nn.ReLU, lambda: nn.MaxPool2d(3, 2)
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, 4, 2), relu(), pool(), nn.Conv2d(64, 192, 5, padding=2), relu(), pool(),
            nn.Conv2d(192, 384, 3, padding=1), relu(), nn.Conv2d(384, 256, 3, padding=1), relu(),
            nn.Conv2d(256, 256, 3, padding=1), relu(), pool())
        self.classifier = nn.Sequential(
            nn.Identity(), nn.Linear(9216, 4096), relu(), nn.Identity(), nn.Linear(4096, 4096), relu(),
            nn.Linear(4096, classes))

    def forward(self, x):
        return self.classifier(F.adaptive_avg_pool2d(self.features(x), 6).flatten(1))

    def probes(self):
        return {f"conv{i + 1}": self.features[at] for i, at in enumerate([0, 3, 6, 8, 10])}


class Block(nn.Module):
    """torchvision's BasicBlock and Bottleneck."""

    def __init__(self, channels, width, stride, bottleneck):
        super().__init__()
        units = width * 4 if bottleneck else width
        if bottleneck:
            plans = [(width, 1, 1), (width, 3, stride), (units, 1, 1)]
        else:
            plans = [(width, 3, stride), (width, 3, 1)]
        self.count, at = len(plans), channels
        for i, (out, kernel, step) in enumerate(plans, 1):
            setattr(self, f"conv{i}", nn.Conv2d(at, out, kernel, step, kernel // 2, bias=False))
            setattr(self, f"bn{i}", nn.BatchNorm2d(out))
            at = out
        self.downsample = None
        if stride != 1 or channels != units:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, units, 1, stride, bias=False), nn.BatchNorm2d(units))

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            y = F.relu(y) if i < self.count else y
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, blocks, bottleneck, classes):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        channels = 64
        for layer, (width, count) in enumerate(zip([64, 128, 256, 512], blocks), 1):
            members = []
            for block in range(count):
                members.append(Block(channels, width, 2 if layer > 1 and block == 0 else 1, bottleneck))
                channels = width * 4 if bottleneck else width
            setattr(self, f"layer{layer}", nn.Sequential(*members))
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for layer in range(1, 5):
            x = getattr(self, f"layer{layer}")(x)
        return self.fc(x.mean((2, 3)))

    def probes(self):
        return {"bn1": self.bn1, **{f"layer{i}": getattr(self, f"layer{i}") for i in range(1, 5)}}


def fill(network):
    """Weights of every tensor of the state from its place among them."""
    state = network.state_dict()
    for seed, (name, tensor) in enumerate(state.items(), 1000):
        v = values(seed, *tensor.shape) if tensor.dim() else None
        if name.endswith("num_batches_tracked"):
            tensor.fill_(7)
        elif name.endswith("running_var"):
            tensor.copy_(1 + v / 2)
        elif name.endswith("bn3.weight"):
            # Weak branches, or rounding grows beyond use over the depth of a ResNet-50.
            tensor.copy_((1 + v / 4) / 8)
        elif tensor.dim() == 1 and name.endswith("weight"):
            tensor.copy_(1 + v / 4)
        elif tensor.dim() == 1:
            tensor.copy_(v / 8)
        else:
            tensor.copy_(v * np.float32((6 / tensor[0].numel()) ** 0.5))


def network(name, make, size):
    net = make()
    fill(net)
    x = values(1, 2, 3, size, size)
    maps, hooks = {}, []
    for layer, module in net.probes().items():
        hook = lambda m, i, o, layer=layer: maps.__setitem__(layer, o.detach().clone())
        hooks.append(module.register_forward_hook(hook))
    net.eval()
    with torch.no_grad():
        logits = net(x)
    for hook in hooks:
        hook.remove()
    # Batch statistics of a few values amplify rounding: the reference is in double precision.
    net.double().train()
    y = net(x.double())
    y.backward(values(2, *y.shape).double())
    buffers = {n: digest(b) for n, b in net.named_buffers() if b.dim()}
    keep = lambda items: dict(list(items.items())[:6] + list(items.items())[-6:])
    return dict(name=name, size=size, logits=short(logits), maps={k: digest(v) for k, v in maps.items()},
                shapes={k: list(v.shape) for k, v in maps.items()}, training=short(y),
                state=[[n, list(t.shape)] for n, t in net.state_dict().items()],
                gradients={n: digest(p.grad) for n, p in net.named_parameters()}, buffers=keep(buffers))


print(json.dumps(dict(
    max_pools=max_pools(), convolutions=convolutions(), norms=norms(), resizes=resizes(),
    adaptive=adaptive(),
    networks=[
        network("alexnet", lambda: AlexNet(3), 113),
        network("resnet18", lambda: ResNet([2, 2, 2, 2], False, 3), 97),
        network("resnet50", lambda: ResNet([3, 4, 6, 3], True, 2), 65),
    ])).replace("], ", "],\n"))

# Two small files as training scripts write them: a bare state dictionary, and one of a DataParallel
# network in a checkpoint.
small = nn.Sequential(nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2))
with torch.no_grad():
    small[0].weight.copy_(values(1, 2, 1, 2, 2))
    small[1].num_batches_tracked.fill_(7)
here = __file__.rpartition("/")[0] or "."
torch.save(small.state_dict(), f"{here}/state.pth")
torch.save(dict(epoch=3, arch="small", state_dict=nn.DataParallel(small).state_dict()), f"{here}/nested.pth")
