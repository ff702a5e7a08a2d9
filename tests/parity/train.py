"""Trains torchvision's network on exported patches as `unit-atlas train` does, and prints its AUC.

Both sides start from the same convolutions and read the same pixels; the layers after them start at
random, and shuffling, balancing and turning draw from generators of their own. See docs/parity.md.

    python train.py PATCHES NETWORK WEIGHTS [--input 113] [--epochs 2] [--batch 16] [--lr 0.005] …

PATCHES is a folder written by `unit-atlas patches export`, WEIGHTS a safetensors file such as those in
content/trunks. Needs torch, torchvision, safetensors, pillow and scikit-learn.
"""

import argparse
import math
import pathlib

import numpy as np
import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file
from sklearn.metrics import roc_auc_score


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("patches", type=pathlib.Path)
    parser.add_argument("network")
    parser.add_argument("weights", type=pathlib.Path)
    parser.add_argument("--input", type=int, default=113)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, default=0.005)
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--weight-decay", type=float, default=5e-4)
    parser.add_argument("--warmup", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def read(folder, name):
    """Pixels (n x edge x edge, bytes) and truth of a list of the export."""
    lines = [line.split() for line in (folder / f"{name}.txt").read_text().splitlines()]
    pixels = [np.asarray(Image.open(folder / file).convert("L")) for file, _ in lines]
    return torch.from_numpy(np.stack(pixels)), torch.tensor([int(label) for _, label in lines])


def prepare(pixels, size):
    x = pixels[:, None].float()
    x = torch.nn.functional.interpolate(x, (size, size), mode="bilinear", antialias=True, align_corners=False)
    mean, std = (torch.tensor(v)[None, :, None, None] for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    return (x / 255 - mean) / std


def turned(pixels, draw):
    """Each patch by one of the eight symmetries of the square."""
    out = []
    for patch in pixels:
        transpose, flip_x, flip_y = torch.rand(3, generator=draw) < 0.5
        patch = patch.T if transpose else patch
        dims = [axis for axis, flip in enumerate((flip_y, flip_x)) if flip]
        out.append(patch.flip(dims) if dims else patch)
    return torch.stack(out)


def started(network, weights):
    """torchvision's network with the convolutions of a file and fresh layers after them."""
    model = getattr(torchvision.models, network)(weights=None, num_classes=2)
    found = model.load_state_dict({name: t.float() for name, t in load_file(weights).items()}, strict=False)
    assert not found.unexpected_keys, found.unexpected_keys
    fresh = {name.rsplit(".", 1)[0] for name in found.missing_keys if not name.endswith("num_batches_tracked")}
    linear = {name for name, layer in model.named_modules() if isinstance(layer, torch.nn.Linear)}
    assert fresh == linear, fresh ^ linear
    if network == "alexnet":
        # As unit-atlas starts them: PyTorch's own default learns very slowly.
        for index in (1, 4):
            torch.nn.init.kaiming_normal_(model.classifier[index].weight, nonlinearity="relu")
            torch.nn.init.zeros_(model.classifier[index].bias)
    return model


def main():
    given = arguments()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    draw = torch.Generator().manual_seed(given.seed)
    model = started(given.network, given.weights)
    (pixels, truth), (shown, expected) = read(given.patches, "train"), read(given.patches, "val")
    positives, negatives = (truth == 1).nonzero()[:, 0], (truth == 0).nonzero()[:, 0]
    each = min(len(positives), len(negatives))
    steps = given.epochs * math.ceil(2 * each / given.batch)
    optimiser = torch.optim.SGD(
        model.parameters(), lr=given.lr, momentum=given.momentum, weight_decay=given.weight_decay
    )
    step, best = 0, 0.0
    for epoch in range(1, given.epochs + 1):
        model.train()
        some = [c[torch.randperm(len(c), generator=draw)[:each]] for c in (positives, negatives)]
        order = torch.cat(some)
        order = order[torch.randperm(len(order), generator=draw)]
        total = 0.0
        for batch in order.split(given.batch):
            warm = min((step + 1) / given.warmup, 1.0) if given.warmup else 1.0
            rate = given.lr * warm * (1 + math.cos(math.pi * step / steps)) / 2
            for group in optimiser.param_groups:
                group["lr"] = rate
            logits = model(prepare(turned(pixels[batch], draw), given.input))
            loss = torch.nn.functional.cross_entropy(logits, truth[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(batch)
            step += 1
        model.eval()
        with torch.no_grad():
            scores = [model(prepare(some, given.input)).softmax(1)[:, 1] for some in shown.split(64)]
        auc = roc_auc_score(expected, torch.cat(scores))
        best = max(best, auc)
        print(f"{given.network} epoch {epoch}/{given.epochs}: loss {total / len(order):.3f}, AUC {auc:.4f}", flush=True)
    print(f"{given.network} seed {given.seed}: best AUC {best:.4f}")


if __name__ == "__main__":
    main()
