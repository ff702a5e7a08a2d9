"""Made pictures that coders of every kind have something to do with."""

import numpy as np


def picture(rng, bits, size=None):
    """Smooth with noise, within so many bits, both ends taken where there is room."""
    height, width = size or (rng.integers(1, 70), rng.integers(1, 70))
    y, x = np.mgrid[0:height, 0:width]
    wave = np.sin(x / 9 + rng.random() * 6) + np.cos(y / 7 + rng.random() * 6)
    values = (wave / 4 + 0.5) * (2**bits - 1) * 0.9 + rng.random((height, width)) * 2**bits * 0.05
    # Flat parts make runs.
    values[height // 3 : height // 2, width // 4 :] = values[0, 0]
    values = np.clip(np.round(values), 0, 2**bits - 1).astype(np.int64)
    values[0, 0], values[-1, -1] = 0, 2**bits - 1
    return values
