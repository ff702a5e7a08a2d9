"""Writes weight files as PyTorch writes them, with every value that PyTorch reads from them: state
dictionaries, checkpoints, views into shared storages, every kind of value, both forms of `torch.save` and
safetensors.

Run: python tests/golden/weights_corpus.py FOLDER COUNT  (PyTorch 2.x, safetensors)
     UNIT_ATLAS_WEIGHTS_CORPUS=FOLDER cargo test -p unit-atlas-network pytorch_reads_the_same

The first sixteen are checked in, in tests/golden/weights/corpus/, and read by every `cargo test`.

Beside each file N.pth or N.safetensors lies N.json: the tensors that `torch.load` gives by name (keys of
dictionaries in dictionaries joined by points), each with its kind, its shape and its bytes in hexadecimal,
row by row.
"""

import argparse
import collections
import json
import os
import random
import sys

import torch
import torch.nn as nn
from safetensors.torch import load_file, save_file

KINDS = {
    torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.uint8: "U8", torch.bool: "U8",
}
PREFIXES = ["", "module.", "model.", "encoder.backbone.", "_orig_mod.", "net.0."]
LAYERS = ["conv1.weight", "bn1.running_mean", "bn1.num_batches_tracked", "layer1.0.conv1.weight", "fc.bias",
          "fc.1.weight", "classifier.6.weight", "criterion.pos_weight"]


def tensor(dice):
    """A tensor of any kind, and any way to lie in its storage."""
    kind = dice.choice(list(KINDS))
    shape = [dice.randint(0, 5) for _ in range(dice.randint(0, 4))]
    room = [size + dice.randint(0, 2) for size in shape]
    values = torch.tensor([dice.uniform(-9, 9) for _ in range(max(1, torch.Size(room).numel()))])
    values = values[: torch.Size(room).numel()].reshape(room)
    found = (values > 0) if kind == torch.bool else values.abs().to(kind) if kind == torch.uint8 else values.to(kind)
    for axis, size in enumerate(shape):
        found = found.narrow(axis, dice.randint(0, room[axis] - size), size)
    if found.dim() > 1 and dice.random() < 0.5:
        found = found.permute(dice.sample(range(found.dim()), found.dim()))
    if dice.random() < 0.2 and found.dim() and found.shape[0] == 1:
        found = found.expand(3, *found.shape[1:])
    if found.is_floating_point() and dice.random() < 0.2:
        found = nn.Parameter(found)
    return found


def state(dice):
    prefix = dice.choice(PREFIXES)
    names = dice.sample(LAYERS, dice.randint(1, len(LAYERS)))
    return collections.OrderedDict((prefix + name, tensor(dice)) for name in names)


def checkpoint(dice, state):
    """The dictionary as scripts keep it."""
    form = dice.randrange(6)
    if form == 0:
        return state
    if form == 1:
        return dict(state)
    whole = dict(epoch=dice.randint(0, 99), arch="resnet10", best=torch.tensor(0.5), lr=[0.1, 0.01],
                 optimizer=dict(state={0: dict(momentum_buffer=torch.ones(3))}, param_groups=[dict(lr=0.1)]))
    key = dice.choice(["state_dict", "model_state_dict", "model", "state_dict_ema"])
    whole[key] = state
    if form == 2:
        whole["args"] = argparse.Namespace(lr=0.1)
    if form == 3:
        whole["ema"] = collections.OrderedDict((n, t.clone()) for n, t in state.items())
    if form == 4:
        whole[key] = dict(encoder=state)
    return whole


def flattened(value, prefix=""):
    for key, inner in value.items():
        if not isinstance(key, str):
            continue
        if isinstance(inner, torch.Tensor):
            yield prefix + key, inner
        elif isinstance(inner, dict):
            yield from flattened(inner, f"{prefix}{key}.")


def described(tensor):
    # A single value counts as contiguous whatever its stride, and then has no view as bytes.
    flat = torch.empty(tensor.numel(), dtype=tensor.dtype).copy_(tensor.detach().reshape(-1))
    raw = flat.view(torch.uint8)
    return dict(kind=KINDS[tensor.dtype], shape=list(tensor.shape), bytes=bytes(raw.tolist()).hex())


def main(folder, count):
    os.makedirs(folder, exist_ok=True)
    for number in range(count):
        dice = random.Random(number)
        path = os.path.join(folder, f"{number:03}")
        if number % 4 == 3:
            tensors = {name: t.detach().clone().contiguous() for name, t in state(dice).items()}
            save_file(tensors, path + ".safetensors")
            read = load_file(path + ".safetensors")
        else:
            torch.save(checkpoint(dice, state(dice)), path + ".pth", _use_new_zipfile_serialization=number % 4 < 2)
            read = torch.load(path + ".pth", weights_only=False)
        with open(path + ".json", "w") as out:
            json.dump({name: described(t) for name, t in flattened(read)}, out, indent=0)
            out.write("\n")


main(sys.argv[1], int(sys.argv[2]))
