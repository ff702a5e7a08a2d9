"""Maps of units, `[patches, units, rows, columns]`, from whatever a layer gives."""

import math

import torch


def tensor_of(output):
    """The tensor of what a module gives: the first of several, or the last hidden state."""
    if isinstance(output, torch.Tensor):
        return output
    if isinstance(output, (tuple, list)) and output and isinstance(output[0], torch.Tensor):
        return output[0]
    for name in ("last_hidden_state", "logits"):
        found = getattr(output, name, None)
        if isinstance(found, torch.Tensor):
            return found
    raise TypeError(f"a layer gives {type(output).__name__}, in which no tensor was found; hook a module inside it")


def in_place_of(output, tensor):
    """What a module gives, with another tensor in the place of the first."""
    if isinstance(output, torch.Tensor):
        return tensor
    if isinstance(output, tuple) and not hasattr(output, "_fields"):
        return (tensor, *output[1:])
    if isinstance(output, list):
        return [tensor, *output[1:]]
    # An object of named tensors: the one that `tensor_of` found.
    name = "last_hidden_state" if getattr(output, "last_hidden_state", None) is not None else "logits"
    output[name] = tensor
    return output


class _Reached(Exception):
    """Ends a pass as soon as the module has been reached."""


def given(model, module, picture):
    """What a module gives for a picture, `[1, channels, rows, columns]`; the pass ends there. None where it never
    runs."""
    kept = []

    def hook(_, __, output):
        kept.append(output)
        raise _Reached

    handle = module.register_forward_hook(hook)
    try:
        model(picture)
    except _Reached:
        pass
    finally:
        handle.remove()
    return kept[0] if kept else None


class Fold:
    """Turns what one layer gives into maps, always in the same way, and can say which."""

    def __init__(self, name, patch=None, input_edge=None, units_last=None):
        self.name = name
        self.patch = patch
        self.input_edge = input_edge
        self.units_last = units_last
        self.said = None

    def settle(self, model, module, channels, device):
        """Finds out where the units lie, by a picture that is twice as wide: the columns are what grows with it."""

        def shape(width):
            picture = torch.zeros(1, channels, self.input_edge, width, device=device)
            try:
                with torch.no_grad():
                    output = given(model, module, picture)
                return None if output is None else tuple(tensor_of(output).shape)
            except Exception:
                # The network takes pictures of its own size only.
                return None

        own = shape(self.input_edge)
        if self.units_last is not None or own is None or len(own) != 4:
            return
        wide = shape(2 * self.input_edge)
        grown = [at for at in (1, 2, 3) if wide is not None and len(wide) == 4 and wide[at] != own[at]]
        if grown in ([2], [3]):
            self.units_last = grown == [2]
        elif own[1] == own[2] == own[3]:
            raise ValueError(
                f"the layer {self.name} gives a tensor of {own}: whether its units come first or last cannot be seen; "
                f"say units_last=['{self.name}'], or units_last=[] where they come first"
            )
        else:
            self.units_last = own[1] == own[2]

    def __call__(self, output, picture=(1, 1)):
        """`picture`: rows and columns of what the network was shown, or their ratio."""
        tensor = tensor_of(output)
        if tensor.dim() == 3:
            return self._tokens(tensor, picture)
        if tensor.dim() != 4:
            raise ValueError(
                f"the layer {self.name} gives a tensor of {tuple(tensor.shape)}; expected [patches, units, rows, "
                "columns], [patches, rows, columns, units] or [patches, tokens, units]"
            )
        # Swin transformers have their units last.
        if self.units_last:
            self.said = f"{self.name}: units lie last in what the layer gives."
            return tensor.permute(0, 3, 1, 2)
        return tensor

    def _tokens(self, tensor, picture):
        count, ratio = tensor.shape[1], picture[1] / picture[0]
        rows = self._side(count) if ratio == 1 else math.isqrt(int(count / ratio))
        columns = int(rows * ratio)
        extra = count - rows * columns
        if ratio == 1:
            words = {0: "its tokens are those of the patches of the input", 1: "its class token was dropped"}
            dropped = words.get(extra, f"its first {extra} tokens, those of the class and of registers, were dropped")
            self.said = f"{self.name}: maps are tokens laid out in {rows} rows of {columns}; {dropped}."
        tokens = tensor[:, extra:]
        return tokens.transpose(1, 2).reshape(tensor.shape[0], tensor.shape[2], rows, columns)

    def _side(self, count):
        if self.patch and self.input_edge and self.input_edge % self.patch == 0:
            side = self.input_edge // self.patch
            # Layers that merge tokens have fewer.
            while side > 1 and side * side > count:
                side //= 2
            if count - side * side < side:
                return side
        side = math.isqrt(count)
        if count - side * side >= max(side, 2):
            raise ValueError(
                f"the layer {self.name} gives {count} tokens, which are no square grid with a few tokens before it"
            )
        return side


def patch_edge(model):
    """Edge of the squares that a transformer cuts its input into; None where it has none."""
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            size, stride = module.kernel_size, module.stride
            return size[0] if size == stride and size[0] == size[1] and size[0] > 1 else None
    return None
