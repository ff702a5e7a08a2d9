"""Grey levels through windows by pydicom, for themes/default/assets/viewer-greys.js and viewer-depth.js.

    pip install pydicom numpy
    python tests/golden/windowing.py > tests/golden/windowing.json

All 256 levels of an 8-bit image under five windows, by pydicom's linear function (DICOM PS3.3, C.11.2.1.2.1). And all
4,096 values of a 12-bit image under five windows of that function and one of each other, as levels of 8 bits (bytes
in base 64).
"""

import base64
import json

import numpy as np
import pydicom
from pydicom.pixels import apply_windowing

WINDOWS = [(128, 256), (88, 156), (200, 60), (40, 2), (127.5, 400)]
DEEP = [
    ("LINEAR", 2048, 4096),
    ("LINEAR", 2048, 2000),
    ("LINEAR", 1000, 300),
    ("LINEAR", 3071.5, 40),
    ("LINEAR", 700, 2),
    ("LINEAR_EXACT", 1500.25, 777.5),
    ("SIGMOID", 1800, 900),
]


def windowed(values, bits, centre, width, function="LINEAR"):
    data = pydicom.Dataset()
    data.WindowCenter, data.WindowWidth, data.VOILUTFunction = centre, width, function
    data.PhotometricInterpretation = "MONOCHROME2"
    data.PixelRepresentation, data.BitsStored, data.BitsAllocated = 0, bits, 8 if bits <= 8 else 16
    return apply_windowing(values, data)


def deep(function, centre, width):
    found = windowed(np.arange(4096, dtype=np.uint16), 12, centre, width, function) / 4095 * 255
    levels = np.floor(found + 0.5).astype(np.uint8)
    return {
        "function": function.lower(),
        "centre": centre,
        "width": width,
        "levels": base64.b64encode(levels.tobytes()).decode(),
    }


def main():
    levels = np.arange(256, dtype=np.uint8)
    found = [
        {"centre": centre, "width": width, "levels": [round(float(level), 6) for level in windowed(levels, 8, centre, width)]}
        for centre, width in WINDOWS
    ]
    print(json.dumps({"pydicom": pydicom.__version__, "windows": found, "deep": [deep(*window) for window in DEEP]}))


main()
