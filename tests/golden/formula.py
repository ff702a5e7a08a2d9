"""Numbers that look random and follow from a formula, the same in every language: the tests repeat it."""

import numpy as np


def values(seed, *shape):
    """Numbers in [-1, 1), as float32."""
    v = np.arange(int(np.prod(shape)), dtype=np.uint32)
    v *= np.uint32(2654435761)
    v += np.uint32((seed * 40503 + 1) & 0xFFFFFFFF)
    v ^= v >> np.uint32(15)
    v *= np.uint32(0x2C1B3C6D)
    v ^= v >> np.uint32(12)
    v *= np.uint32(0x297A2D39)
    v ^= v >> np.uint32(15)
    v >>= np.uint32(8)
    out = v.astype(np.float32)
    out /= np.float32(1 << 23)
    out -= np.float32(1)
    return out.reshape(shape)
