"""Where the units of a layer look: measured by showing the network pixels that are no numbers.

An output that saw such a pixel is no number either, through convolutions, poolings and activations alike, so that the
edges of what one cell of the map sees can be searched for. Attention and squeeze-and-excitation see everything.
"""

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Optional

import torch

from .maps import given

# Edges of pictures that are tried, and rows of them: only one direction is measured.
_WIDTHS = (512, 1024, 2048)
_ROWS = 128


@dataclass(frozen=True)
class Field:
    """Pixels of the network's input.

    `edge` is the edge of what one cell of the map sees, `stride` the way from one cell to the next, and `centre` where
    the first cell looks, from the edge of the input. What is None is left to unit-atlas: it takes the whole input for
    the edge, and lays the cells out evenly over it.
    """

    edge: Optional[float] = None
    stride: Optional[float] = None
    centre: Optional[float] = None

    def __post_init__(self):
        for name in ("edge", "stride", "centre"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"the {name} of a field is {value}; expected pixels of the input, above 0")


@contextmanager
def _exact():
    """Without the fast convolutions that let one pixel touch the outputs of a whole tile."""
    with warnings.catch_warnings():
        # Some versions warn of settings of other machines when they are looked at.
        warnings.simplefilter("ignore")
        with torch.no_grad(), torch.backends.mkldnn.flags(enabled=False), torch.backends.cudnn.flags(enabled=False):
            yield


def measure(model, module, fold, channels, device):
    """The field of a layer, as far as it can be measured. `fold` makes maps of what the layer gives."""
    for width in _WIDTHS:
        try:
            found = _measure(model, module, fold, channels, device, width)
        except Exception:
            # The network takes pictures of its own size only.
            return Field()
        if found:
            return found
    return Field()


def _measure(model, module, fold, channels, device, width):
    """As `measure`, in pictures of a width; None where what a cell sees reaches over their edge."""
    rows = min(_ROWS, width)

    def untouched(first, last):
        """Whether each column of the map is a number where the columns `first` to `last` of the picture are not."""
        picture = torch.zeros(1, channels, rows, width, device=device)
        picture[..., first : last + 1] = float("nan")
        own = fold(given(model, module, picture), (rows, width))
        return ~torch.isnan(own).any(dim=1).any(dim=1)[0]

    with _exact():
        columns = len(untouched(0, -1))
        cell = columns // 2
        if columns < 3:
            return None
        if untouched(0, 0)[cell].item() is False or untouched(width - 1, width - 1)[cell].item() is False:
            # It sees the edges. Where it does so in every picture, it sees everything.
            return None

        def last(cell):
            # The last column that the cell sees.
            low, high = 0, width - 1
            while low < high:
                middle = (low + high + 1) // 2
                if untouched(middle, width - 1)[cell]:
                    high = middle - 1
                else:
                    low = middle
            return low

        def first(cell):
            low, high = 0, width - 1
            while low < high:
                middle = (low + high) // 2
                if untouched(0, middle)[cell]:
                    low = middle + 1
                else:
                    high = middle
            return low

        left, right = first(cell), last(cell)
        stride = last(cell + 1) - right
        if right < left or stride < 1:
            return None
        middle = (left + right + 1) / 2
        return Field(float(right + 1 - left), float(stride), middle - cell * stride)
