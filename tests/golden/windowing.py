"""Grey levels through windows by pydicom, for themes/default/assets/viewer-greys.js.

    pip install pydicom numpy
    python tests/golden/windowing.py > tests/golden/windowing.json

All 256 levels of an 8-bit image under five windows, by pydicom's linear function (DICOM PS3.3, C.11.2.1.2.1).
"""

import json

import numpy as np
import pydicom
from pydicom.pixels import apply_windowing

WINDOWS = [(128, 256), (88, 156), (200, 60), (40, 2), (127.5, 400)]


def windowed(centre, width):
    data = pydicom.Dataset()
    data.WindowCenter, data.WindowWidth = centre, width
    data.PhotometricInterpretation = "MONOCHROME2"
    data.PixelRepresentation, data.BitsStored, data.BitsAllocated = 0, 8, 8
    return apply_windowing(np.arange(256, dtype=np.uint8), data)


def main():
    found = [
        {"centre": centre, "width": width, "levels": [round(float(level), 6) for level in windowed(centre, width)]}
        for centre, width in WINDOWS
    ]
    print(json.dumps({"pydicom": pydicom.__version__, "windows": found}))


main()
