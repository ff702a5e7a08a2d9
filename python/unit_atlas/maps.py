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


class Fold:
    """Turns what one layer gives into maps, always in the same way, and can say which."""

    def __init__(self, name, patch=None, input_edge=None):
        self.name = name
        self.patch = patch
        self.input_edge = input_edge
        self.said = None

    def __call__(self, output):
        tensor = tensor_of(output)
        if tensor.dim() == 3:
            return self._tokens(tensor)
        if tensor.dim() != 4:
            raise ValueError(
                f"the layer {self.name} gives a tensor of {tuple(tensor.shape)}; expected [patches, units, rows, "
                "columns], [patches, rows, columns, units] or [patches, tokens, units]"
            )
        _, first, second, third = tensor.shape
        # Swin transformers have their units last.
        if first == second != third:
            self.said = f"{self.name}: units lie last in what the layer gives."
            return tensor.permute(0, 3, 1, 2)
        return tensor

    def _tokens(self, tensor):
        count = tensor.shape[1]
        side = self._side(count)
        extra = count - side * side
        words = {0: "its tokens are those of the patches of the input", 1: "its class token was dropped"}
        dropped = words.get(extra, f"its first {extra} tokens, those of the class and of registers, were dropped")
        self.said = f"{self.name}: maps are tokens laid out in {side} rows of {side}; {dropped}."
        tokens = tensor[:, extra:]
        return tokens.transpose(1, 2).reshape(tensor.shape[0], tensor.shape[2], side, side)

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
