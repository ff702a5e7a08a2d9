"""Golden values for source::ddsm: the area of every outline of real .OVERLAY files, in pixels within
the image. The pixels of the chain are marked and holes are filled by scipy. Run with the folder of the
cases; writes ddsm.json beside this script: {file: [[boundary, [core, ...]], ...]}."""

import json
import pathlib
import re
import sys

import numpy as np
from scipy.ndimage import binary_fill_holes

STEP = [(0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1)]
PAD = 40


def area(line, columns, lines):
    words = line.split()
    x, y = int(words[0]), int(words[1])
    steps = np.array([STEP[int(word)] for word in words[2 : words.index("#")]])
    points = np.vstack([[x, y], [x, y] + np.cumsum(steps, axis=0)]) + PAD
    mask = np.zeros((lines + 2 * PAD, columns + 2 * PAD), bool)
    mask[points[:, 1], points[:, 0]] = True
    return int(binary_fill_holes(mask)[PAD:-PAD, PAD:-PAD].sum())


result = {}
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.OVERLAY")):
    view = path.name.split(".")[1]
    ics = next(path.parent.glob("*.ics")).read_text()
    columns, lines = re.search(rf"^{view} LINES (\d+) PIXELS_PER_LINE (\d+)", ics, re.M).groups()[::-1]
    found, kind = [], None
    for line in path.read_text().splitlines():
        if line.strip() in ("BOUNDARY", "CORE"):
            kind = line.strip()
        elif kind:
            pixels = area(line, int(columns), int(lines))
            if kind == "BOUNDARY":
                found.append([pixels, []])
            else:
                found[-1][1].append(pixels)
            kind = None
    result[path.name.removesuffix(".OVERLAY")] = found

out = pathlib.Path(__file__).with_name("ddsm.json")
out.write_text(json.dumps(result, separators=(",", ":")) + "\n")
