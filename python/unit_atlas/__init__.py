"""Records activations of PyTorch networks for unit-atlas.

`record` is the whole of it: it shows the patches that `unit-atlas patches export` wrote to a network, and leaves a
folder that a project of unit-atlas names: ``networks: [{ name: mine, activations: ../mine/ }]``.
"""

from .field import Field
from .recording import record

__all__ = ["Field", "record"]
__version__ = "0.1.0"
