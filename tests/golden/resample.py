"""Golden values for mammogram::resample, from PIL. Writes resample.json beside this script."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

CASES = [  # image size, window x y w h, output size
    ([64, 48], [5, 7, 32, 32], [14, 14]),
    ([64, 48], [0, 0, 64, 48], [19, 11]),
    ([40, 40], [3, 2, 16, 16], [23, 23]),
    ([256, 256], [0, 0, 256, 256], [16, 16]),
]


def pattern(width, height):
    y, x = np.mgrid[:height, :width].astype(np.int64)
    return ((x * x + 3 * x * y + 7 * y) % 256).astype(np.uint8)


cases = []
for image, (x, y, w, h), size in CASES:
    cut = Image.fromarray(pattern(*image)).crop((x, y, x + w, y + h))
    pixels = np.asarray(cut.resize(size, Image.Resampling.BILINEAR)).ravel().tolist()
    cases.append({"image": image, "window": [x, y, w, h], "size": size, "pixels": pixels})
Path(__file__).with_name("resample.json").write_text(json.dumps(cases) + "\n")
