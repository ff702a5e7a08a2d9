"""Patches as `unit-atlas patches export` writes them: grey PNG files, and lists with a name per line."""

import struct
import zlib
from pathlib import Path

import torch

try:
    from PIL import Image
except ImportError:
    Image = None

LISTS = {"train": "train.txt", "validation": "val.txt", "test": "test.txt"}
MARK = "unit-atlas-export.json"


def listed(folder, splits):
    """Names of the patches of some splits, without their ending, in the order of the lists."""
    folder = Path(folder)
    if not (folder / MARK).is_file():
        raise ValueError(f"{folder} holds no exported patches; `unit-atlas patches export {folder}` writes them")
    names = []
    for split in splits:
        if split not in LISTS:
            raise ValueError(f"there is no split {split!r}; there are {', '.join(LISTS)}")
        path = folder / LISTS[split]
        if not path.is_file():
            raise ValueError(f"{path} is missing: the export was not finished; run `unit-atlas patches export` again")
        for line in path.read_text(encoding="utf-8").splitlines():
            name, _, _ = line.rpartition(" ")
            names.append(name[: -len(".png")] if name.endswith(".png") else name)
    if not names:
        raise ValueError(f"the {' and '.join(splits)} lists of {folder} name no patch")
    return names


def grey(path):
    """Grey values of a patch: a tensor of bytes, rows by columns."""
    data = Path(path).read_bytes()
    width, height, pixels = _by_pillow(path) if Image else decode(data, path)
    return torch.frombuffer(bytearray(pixels), dtype=torch.uint8).view(height, width)


def _by_pillow(path):
    with Image.open(path) as image:
        if image.mode != "L":
            raise ValueError(f"{path} is not a grey picture of eight bits; export the patches again")
        return image.width, image.height, image.tobytes()


def decode(data, name="a patch"):
    """Width, height and grey values of a PNG file of eight bits a pixel, without Pillow."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError(f"{name} is not a PNG file")
    at, packed, size = 8, [], None
    while at + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            size = struct.unpack(">II", body[:8])
            # Eight bits, grey, deflated, the five filters, not interlaced.
            if body[8:13] != b"\x08\x00\x00\x00\x00":
                raise ValueError(f"{name} is not a grey picture of eight bits; export the patches again")
        elif kind == b"IDAT":
            packed.append(body)
        at += 12 + length
    if size is None:
        raise ValueError(f"{name} is not a whole PNG file")
    width, height = size
    try:
        raw = zlib.decompress(b"".join(packed))
    except zlib.error as error:
        raise ValueError(f"{name} is not a whole PNG file") from error
    if len(raw) != (width + 1) * height:
        raise ValueError(f"{name} is not a whole PNG file")
    before, pixels = bytes(width), bytearray()
    for row in range(height):
        start = row * (width + 1)
        before = _unfilter(raw[start], raw[start + 1 : start + 1 + width], before, name)
        pixels += before
    return width, height, bytes(pixels)


def _unfilter(kind, line, above, name):
    """A row of pixels from what its filter left of it (PNG specification, section 9)."""
    if kind == 0:
        return line
    row = bytearray(line)
    if kind == 2:
        return bytes((a + b) & 255 for a, b in zip(row, above))
    if kind not in (1, 3, 4):
        raise ValueError(f"{name} is not a PNG file that can be read: filter {kind}")
    left, corner = 0, 0
    for at, up in enumerate(above):
        if kind == 1:
            guess = left
        elif kind == 3:
            guess = (left + up) // 2
        else:
            base = left + up - corner
            away = (abs(base - left), abs(base - up), abs(base - corner))
            guess = (left, up, corner)[away.index(min(away))]
        left = (row[at] + guess) & 255
        row[at] = left
        corner = up
    return bytes(row)


def checksum(pixels):
    """CRC-32 of a patch's grey values, by which unit-atlas knows whether it is the same patch."""
    return zlib.crc32(pixels.numpy().tobytes())
