"""Patches as `unit-atlas patches export` writes them, made here."""

import json
import random
import struct
import zlib
from pathlib import Path

FILTERS = range(5)


def png(rows, filters=FILTERS):
    """A grey PNG file of rows of bytes, which are filtered in turn by these filters."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packed, above = bytearray(), bytes(len(rows[0]))
    filters = list(filters)
    for number, row in enumerate(rows):
        kind = filters[number % len(filters)]
        packed.append(kind)
        for at, value in enumerate(row):
            left = row[at - 1] if at else 0
            up, corner = above[at], above[at - 1] if at else 0
            base = left + up - corner
            nearest = min((abs(base - left), 0, left), (abs(base - up), 1, up), (abs(base - corner), 2, corner))[2]
            packed.append((value - (0, left, up, (left + up) // 2, nearest)[kind]) & 255)
        above = row
    size = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(bytes(packed))) + chunk(b"IEND", b"")


def picture(edge, seed):
    """Grey values that neighbours share something of."""
    draw = random.Random(seed)
    return [bytes((8 * x + 3 * y + draw.randrange(40) + 20 * seed) & 255 for x in range(edge)) for y in range(edge)]


def export(folder, count=10, edge=24):
    """So many patches, the last two of them of the test split. Returns their names."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    names = [f"m{n // 4}-y0_x{n}_h{edge}_w{edge}" for n in range(count)]
    for number, name in enumerate(names):
        (folder / f"{name}.png").write_bytes(png(picture(edge, number)))
    split = {"train.txt": [], "val.txt": names[:-2], "test.txt": names[-2:]}
    for file, listed in split.items():
        (folder / file).write_text("".join(f"{name}.png {n % 2}\n" for n, name in enumerate(listed)))
    (folder / "unit-atlas-export.json").write_text(json.dumps({"format": 1}))
    return names
