"""Writes tests/golden/weights/: files as PyTorch and training scripts write them, and what PyTorch
computes from them.

Run: python tests/golden/weights.py  (PyTorch 2.x and torchvision). Values follow from `values`, which
the tests repeat. Of whole networks only the part without the values is kept (`*.head`, `*.pkl`): the
tests put the values behind it and so have the file that PyTorch wrote.
"""

import argparse
import collections
import io
import json
import os
import pickle
import struct
import zipfile

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision

import formula

torch.set_num_threads(2)
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "weights")
os.makedirs(FOLDER, exist_ok=True)


def values(seed, *shape):
    return torch.from_numpy(formula.values(seed, *shape))


def fill(network):
    """As in network.py."""
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


def save(value, name, old=False):
    torch.save(value, os.path.join(FOLDER, name), _use_new_zipfile_serialization=not old)


# Every way in which a tensor may lie in its storage, and every kind of value.
base = values(1, 4, 6)
tensors = collections.OrderedDict(
    plain=base.clone(),
    transposed=base.t(),
    column=base[:, 2],
    block=base[1:3, 2:5],
    parameter=nn.Parameter(base[0].clone()),
    double=base.double(),
    half=base.half(),
    bfloat=base.bfloat16(),
    long=torch.arange(-3, 3),
    scalar=torch.tensor(7),
    empty=torch.zeros(0, 3),
)
save(tensors, "kinds.pth")
save(tensors, "kinds-old.pth", old=True)
# The archive's folder has the name of the file: the first entry of its table of contents is then 76 bytes long, as
# long as what PyTorch writes between the table and the archive's end.
save({"weight": base[0].clone()}, "name_of_21_characters.pth")

# A checkpoint of a training script in the old form, with an optimiser that has tensors of its own.
small = nn.Sequential(nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2))
with torch.no_grad():
    small[0].weight.copy_(values(1, 2, 1, 2, 2))
    small[1].num_batches_tracked.fill_(7)
optimiser = torch.optim.SGD(small.parameters(), 0.1, momentum=0.9)
small(values(2, 1, 1, 3, 3)).sum().backward()
optimiser.step()
with torch.no_grad():
    small[0].weight.copy_(values(1, 2, 1, 2, 2))
save(small.state_dict(), "state-old.pth", old=True)
checkpoint = dict(epoch=3, arch="small", state_dict=nn.DataParallel(small).state_dict(),
                  best_prec1=torch.tensor(0.5), optimizer=optimiser.state_dict(), args=argparse.Namespace(lr=0.1))
save(checkpoint, "checkpoint-old.pth.tar", old=True)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)


class Command:
    def __reduce__(self):
        return os.system, ("touch /tmp/unit-atlas-was-here",)


save(Net(), "model.pth")
save({"fc.weight": torch.zeros(2, 2), "fc.bias": Command()}, "command.pth")
save({"fc.weight": torch.zeros(2, 2), "fc.bias": Command()}, "command-old.pth", old=True)


# What Python 2.7 with PyTorch 0.1 wrote in 2017: byte strings, `_rebuild_tensor`, an ordered dictionary
# called with its pairs, tensors on a GPU, and `features` alone in DataParallel. Put together by hand,
# for neither runs today; that PyTorch still reads it is checked below.
def text(s):
    return b"U" + bytes([len(s)]) + s.encode()


def number(i):
    return b"K" + bytes([i])


def tensor(key, count, shape, stride):
    storage = (b"(" + text("storage") + b"ctorch.cuda\nFloatStorage\n" + text(key) + text("cuda:0")
               + number(count) + b"Nt" + b"Q")
    tuple_of = lambda items: b"(" + b"".join(map(number, items)) + b"t"
    return (b"ctorch._utils\n_rebuild_tensor\n(" + storage + number(0) + tuple_of(shape)
            + tuple_of(stride) + b"tR")


pairs = {"features.module.0.weight": ("7001", 8, (2, 1, 2, 2), (4, 4, 2, 1)),
         "features.module.0.bias": ("7002", 2, (2,), (1,)),
         "classifier.6.weight": ("7003", 6, (2, 3), (3, 1))}
state = b"ccollections\nOrderedDict\n(](" + b"".join(
    b"](" + text(name) + tensor(*t) + b"e" for name, t in pairs.items()) + b"etR"
body = b"\x80\x02}(" + text("epoch") + number(9) + text("state_dict") + state + b"u."
keys = [t[0] for t in pairs.values()]
ancient = b"".join(
    pickle.dumps(v, 2) for v in (0x1950A86A20F9469CFC6C, 1001,
                                 dict(protocol_version=1001, little_endian=True, type_sizes={})))
ancient += body + pickle.dumps(keys, 2)
for seed, (key, count, _, _) in enumerate(pairs.values(), 1):
    ancient += struct.pack("<q", count) + values(seed, count).numpy().tobytes()
with open(os.path.join(FOLDER, "ancient.pth.tar"), "wb") as out:
    out.write(ancient)
read = torch.load(io.BytesIO(ancient), map_location="cpu", weights_only=False, encoding="latin1")
assert torch.equal(read["state_dict"]["classifier.6.weight"], values(3, 2, 3)), read

# A whole ResNet-18 in both forms and as a checkpoint.
network = torchvision.models.resnet18(num_classes=3)
fill(network)
network.eval()
by_pointer = {t.untyped_storage()._cdata: name for name, t in network.state_dict().items()}
order = {}


def head(value, name):
    out = io.BytesIO()
    torch.save(value, out, _use_new_zipfile_serialization=False)
    data = out.getvalue()
    rest = io.BytesIO(data)
    for _ in range(4):
        pickletools_skip(rest)
    keys = pickle.load(rest)
    with open(os.path.join(FOLDER, name + ".head"), "wb") as file:
        file.write(data[:rest.tell()])
    order[name] = [by_pointer[int(key)] for key in keys]


def pickletools_skip(stream):
    import pickletools
    for _ in pickletools.genops(stream):
        pass


head(network.state_dict(), "resnet18-old")
head(dict(epoch=1, arch="resnet18", state_dict=nn.DataParallel(network).state_dict(), best_prec1=0.5),
     "resnet18-checkpoint-old")
out = io.BytesIO()
torch.save(network.state_dict(), out)
with zipfile.ZipFile(out) as archive:
    root = archive.namelist()[0].split("/")[0]
    with open(os.path.join(FOLDER, "resnet18.pkl"), "wb") as file:
        file.write(archive.read(f"{root}/data.pkl"))
    count = sum(1 for n in archive.namelist() if n.startswith(f"{root}/data/"))
    order["resnet18"] = []
    for key in range(count):
        data = archive.read(f"{root}/data/{key}")
        order["resnet18"] += [n for n, t in network.state_dict().items()
                              if t.numpy().tobytes() == data and n not in order["resnet18"]][:1]

# What `predict` should print: images of bytes, grey and coloured, one of another size.
mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
predictions = []
for seed, (name, channels, size) in enumerate([("grey", 1, 97), ("colour", 3, 97), ("larger", 3, 130)], 1):
    # Rows, columns, channels, as images are stored.
    pixels = ((values(seed, size, size, channels) + 1) * 127.5).floor()
    x = pixels.permute(2, 0, 1)[None]
    if size != 97:
        x = F.interpolate(x, (97, 97), mode="bilinear", antialias=True, align_corners=False)
    x = (x.expand(1, 3, -1, -1) / 255 - mean[None, :, None, None]) / deviation[None, :, None, None]
    with torch.no_grad():
        logits = network(x)[0]
    predictions.append(dict(name=name, seed=seed, channels=channels, size=size, logits=logits.tolist(),
                            probabilities=logits.softmax(0).tolist()))
with open(os.path.join(FOLDER, "golden.json"), "w") as file:
    state = [[name, list(t.shape)] for name, t in network.state_dict().items()]
    json.dump(dict(order=order, state=state, predictions=predictions), file)
    file.write("\n")
