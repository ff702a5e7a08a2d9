"""`record`: a network's activations, outputs and contributions, patch by patch, in a folder that unit-atlas reads."""

import hashlib
import json
import os
import platform
import sys
import warnings
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from . import field as fields_of
from . import maps, patches as exported
from .field import Field

IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
HEADER = "activations.yaml"
BEGUN = "begun.json"
CLASSES = ("normal", "benign", "cancer")
# Of scales and findings, which are evaluated beside the classes, or without them.
SCALES = (
    ("composition-a", "composition-b", "composition-c", "composition-d"),
    tuple(f"birads-{category}" for category in ("0", "1", "2", "3", "4", "4a", "4b", "4c", "5", "6")),
)
FINDINGS = ("mass", "calcifications", "asymmetry", "architectural-distortion")
OUTPUTS = (*CLASSES, "unused", *SCALES[0], *SCALES[1], *FINDINGS)
# Of a gradient's greatest value: what rounding may make of gradients that are the same.
_ROUNDING = 1e-4


def record(
    model,
    layers,
    patches,
    out,
    *,
    classes=None,
    contributions=None,
    name=None,
    input=None,
    mean=None,
    std=None,
    channels=None,
    transform=None,
    splits=("validation", "test"),
    fields=None,
    units_last=None,
    batch=16,
    part=256,
    dtype="float16",
    device=None,
    quiet=False,
):
    """Shows exported patches to a network and records what some of its layers say.

    A killed recording goes on where it was when it is started again with the same arguments. The folder is finished
    when `activations.yaml` is in it.

    model: a `torch.nn.Module` whose output is logits, `[patches, outputs]`. It is put into evaluation mode.
    layers: modules of it by the names that they get in the atlas, from the input on: `{"layer4": model.layer4}`. What
        a module gives may be maps, `[patches, units, rows, columns]`, maps with their units last, or tokens, which are
        laid out in a square after those of the class and of registers have been dropped.
    patches: the folder that `unit-atlas patches export` wrote.
    out: the folder to record into, new or of a recording that was begun.
    classes: what each output stands for, in order: "normal", "benign", "cancer" or "unused". By default
        `["normal", "cancer"]` of two outputs, and `["cancer"]` of one.
    contributions: whether to record what each unit adds to each output, gradient times activation summed over the
        locations: True, False or names of layers. By default of the last layer. Each output is a backward pass.
    name: what the network is, in words; by default the name of its class.
    input: edge of the network's input in pixels; patches are resized to it. By default the edge of the patches.
    mean, std: how channels of grey values from 0 to 1 are normalised; by default as for ImageNet, or for one channel
        as the mean of its three. `mean=0, std=1` leaves them as they are.
    channels: of the input; by default those of the network's first convolution.
    transform: in the place of resizing and normalising: makes an input of the network, `[channels, rows, columns]`, of
        a patch as bytes, `[3, rows, columns]`, as torchvision's `weights.transforms()` do. It must keep the whole
        patch.
    splits: "train", "validation", "test". The atlas needs "validation", and the split that it dissects.
    fields: `Field`s by layer, where units look, for those that are not to be measured.
    units_last: the layers that give `[patches, rows, columns, units]`, where that is not to be found out.
    batch: patches in a pass.
    part: patches in a file.
    dtype: of the maps: "float16", "bfloat16" or "float32". Outputs and contributions are always float32.
    device: where to compute; by default where the model's first parameter lies.
    quiet: whether to print nothing.
    """
    job = _Recording(model, layers, patches, out, locals())
    return job.run()


class _Recording:
    def __init__(self, model, layers, patches, out, options):
        self.model = model.eval()
        if not layers:
            raise ValueError("`layers` names no module; write layers={'layer4': model.layer4}")
        self.layers = dict(layers)
        for key in self.layers:
            if not key or key[0] == "." or not all(c.isascii() and (c.isalnum() or c in "-_.") for c in key):
                raise ValueError(f"the layer {key!r} cannot be a folder: use letters, digits, `-`, `_` and `.`")
            if key.lower().endswith((".html", ".")):
                raise ValueError(f"the layer {key!r} cannot be a folder of a site: it ends in `.html` or a dot")
        self.patches, self.out = Path(patches), Path(out)
        self.splits = [options["splits"]] if isinstance(options["splits"], str) else list(options["splits"])
        self.names = exported.listed(self.patches, self.splits)
        first = next(model.parameters(), None)
        self.device = torch.device(options["device"] or (first.device if first is not None else "cpu"))
        self.model.to(self.device)
        self.batch, self.part, self.quiet = options["batch"], options["part"], options["quiet"]
        self.dtype = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}.get(
            str(options["dtype"]).replace("torch.", "")
        )
        if self.dtype is None:
            raise ValueError(f"`dtype` is {options['dtype']!r}; expected 'float16', 'bfloat16' or 'float32'")
        self.edge = exported.grey(self._png(self.names[0])).shape[0]
        self.input = options["input"] or self.edge
        self.channels = options["channels"] or _channels(model)
        self.transform = options["transform"]
        if self.transform is not None and (options["mean"] is not None or options["std"] is not None):
            raise ValueError("`transform` normalises by itself; leave `mean` and `std` out")
        self.mean, self.std = self._normal(options["mean"], options["std"])
        self.notes, self.checked = [], False
        if self.transform is not None:
            self._look_at_transform()
        patch = maps.patch_edge(model)
        last = options["units_last"]
        self.folds = {
            key: maps.Fold(key, patch, self.input, None if last is None else key in last) for key in self.layers
        }
        for key, module in self.layers.items():
            self.folds[key].settle(self.model, module, self.channels, self.device)
        self.contributed = self._contributed(options["contributions"])
        self.fields = dict(options["fields"] or {})
        unknown = [key for key in self.fields if key not in self.layers]
        if unknown:
            raise ValueError(f"`fields` names {unknown[0]}, which is none of the layers")
        self.name = options["name"] or type(model).__name__
        self.classes = options["classes"]
        if self.classes is not None:
            self._check_classes(self.classes)
        self.shapes = {}
        # Of each layer with contributions: the gradient by a cell, where it is the same everywhere.
        self.weights = {}
        self.silent = {key: True for key in self.contributed}
        self.pictures = 0

    # What is given, checked.

    def _contributed(self, given):
        if given is None:
            return [list(self.layers)[-1]]
        if isinstance(given, bool):
            return list(self.layers) if given else []
        given = [given] if isinstance(given, str) else list(given)
        for key in given:
            if key not in self.layers:
                raise ValueError(f"`contributions` names {key}, which is none of the layers")
        return given

    def _check_classes(self, classes):
        for one in classes:
            if one not in OUTPUTS:
                raise ValueError(f"`classes` has {one!r}; an output stands for {', '.join(OUTPUTS)}")
        told = [one for one in classes if one in CLASSES]
        others = [one for one in classes if one not in CLASSES and one != "unused"]
        if not told and others:
            pass
        elif "cancer" not in told:
            raise ValueError("none of `classes` is 'cancer'")
        # Beside other outputs, cancer alone has its sigmoid.
        elif len(classes) - len(others) > 1 and not {"normal", "benign"} & set(told):
            raise ValueError("none of `classes` is 'normal' or 'benign': there is nothing that cancer is told from")
        for one in others:
            if classes.count(one) > 1:
                raise ValueError(f"`classes` has {one!r} twice")
        for scale in SCALES:
            if len(set(scale) & set(others)) == 1:
                raise ValueError(f"`classes` has {(set(scale) & set(others)).pop()!r} and no other of its scale")

    def _normal(self, mean, std):
        def row(given, usual):
            if given is None:
                given = usual if self.channels == 3 else [sum(usual) / 3] * self.channels
            given = [float(given)] * self.channels if isinstance(given, (int, float)) else [float(v) for v in given]
            if len(given) != self.channels:
                raise ValueError(f"`mean` and `std` have {len(given)} values, and the input {self.channels} channels")
            return torch.tensor(given).view(-1, 1, 1)

        mean, std = row(mean, IMAGENET[0]), row(std, IMAGENET[1])
        if not bool((std > 0).all()):
            raise ValueError("`std` must be above 0")
        return mean, std

    def _look_at_transform(self):
        """Learns from a black, a white and a slanted patch how a transform normalises, and that it keeps all of it."""
        edge = self.edge

        def seen(values):
            made = self.transform(values.to(torch.uint8).expand(3, edge, edge).contiguous())
            if not isinstance(made, torch.Tensor) or made.dim() != 3 or made.shape[0] != self.channels:
                found = tuple(made.shape) if isinstance(made, torch.Tensor) else type(made).__name__
                raise ValueError(f"`transform` gives {found}; expected a tensor [{self.channels}, rows, columns]")
            if made.shape[1] != made.shape[2]:
                raise ValueError(f"`transform` gives {tuple(made.shape)}; expected as many rows as columns")
            return made.float()

        black, white = seen(torch.zeros(1, 1)), seen(torch.full((1, 1), 255.0))
        spread = (white - black).amax(dim=(1, 2)) - (white - black).amin(dim=(1, 2))
        if bool((spread > 1e-3 * (white - black).abs().amax(dim=(1, 2))).any()):
            raise ValueError(
                "`transform` puts something beside the patch, such as a margin, so that regions would be drawn in the "
                "wrong place; resize the whole patch instead"
            )
        noise = torch.randint(0, 256, (1, edge, edge), generator=torch.Generator().manual_seed(1)).float()
        if any(not torch.equal(seen(noise), seen(noise)) for _ in range(8)):
            raise ValueError("`transform` is random: what it shows once is not what it shows again; use that of evaluation")
        scale = (white - black).mean(dim=(1, 2), keepdim=True)
        if not bool((scale.abs() > 1e-6).all()):
            raise ValueError("`transform` makes the same of a black and a white patch")
        self.std = 1 / scale
        self.mean = -black.mean(dim=(1, 2), keepdim=True) * self.std
        slope = torch.linspace(0, 255, edge).round()
        for values, dim in ((slope.view(1, edge), 1), (slope.view(edge, 1), 2)):
            line = ((seen(values) - black) / (white - black)).mean(dim=(0, dim))
            ends = line[0].item(), line[-1].item()
            if ends[0] > 0.03 or ends[1] < 0.97:
                raise ValueError(
                    f"`transform` cuts the patch: of its width it keeps {ends[0]:.0%} to {ends[1]:.0%}, so that "
                    "regions would be drawn in the wrong place. Resize the whole patch instead (torchvision: "
                    "transforms(crop_size=N, resize_size=N))"
                )
        self.input = black.shape[-1]

    # Pictures.

    def _png(self, name):
        return self.patches / f"{name}.png"

    def _picture(self, pixels):
        if self.transform is not None:
            return self.transform(pixels.expand(3, *pixels.shape).contiguous()).float()
        picture = pixels.float().div(255).expand(1, 1, *pixels.shape)
        if pixels.shape != (self.input, self.input):
            size = (self.input, self.input)
            picture = torch.nn.functional.interpolate(
                picture, size=size, mode="bilinear", align_corners=False, antialias=True
            )
        return (picture[0].expand(self.channels, -1, -1) - self.mean) / self.std

    def _look_at_input(self, pictures):
        """Says where what the network is shown is not what it was made for, as far as that can be told."""
        said = []
        expected = getattr(self.model, "pretrained_cfg", None) or getattr(self.model, "default_cfg", None)
        if isinstance(expected, dict) and expected.get("mean") and expected.get("std"):
            for what, own in (("mean", self.mean), ("std", self.std)):
                wanted = [float(value) for value in expected[what]]
                if len(wanted) == len(own.flatten()) and any(
                    abs(a - b) > 0.02 for a, b in zip(wanted, own.flatten().tolist())
                ):
                    rounded = [round(value, 3) for value in own.flatten().tolist()]
                    said.append(f"the model's own configuration says {what} {wanted}, and its input has {rounded}")
        low, high = pictures.min().item(), pictures.max().item()
        mean, deviation = pictures.mean().item(), pictures.std().item()
        if max(abs(low), abs(high)) > 20:
            said.append(f"values of the input reach from {low:.3g} to {high:.3g}, as if it were not normalised")
        elif deviation < 0.02:
            said.append(f"the input hardly varies: its deviation is {deviation:.2g}")
        shift = self._shift(pictures)
        if shift is not None and shift > 4:
            said.append(
                f"what its first batch normalisation sees lies {shift:.1f} deviations from what it saw in training"
            )
        for line in said:
            warnings.warn(f"unit_atlas: {line}; are `mean`, `std` or `transform` those of the model?", stacklevel=4)
            self.notes.append(f"Warning of the recorder: {line}.")
        stated = [[round(value, 3) for value in own.flatten().tolist()] for own in (self.mean, self.std)]
        self.notes.append(
            f"Patches of {self.edge} pixels were shown in {self.input}, normalised by mean {stated[0]} and deviation "
            f"{stated[1]}; the input of the first ones has mean {mean:.3f} and deviation {deviation:.3f}."
        )

    def _shift(self, pictures):
        """How far the first batch normalisation's input is from its running mean: the median over its channels, in
        running deviations."""
        norm = next((m for m in self.model.modules() if isinstance(m, torch.nn.BatchNorm2d)), None)
        if norm is None or norm.running_mean is None:
            return None
        found = []

        def hook(_, inputs):
            away = inputs[0].float().mean(dim=(0, 2, 3)) - norm.running_mean
            found.append((away.abs() / (norm.running_var + norm.eps).sqrt()).median().item())

        handle = norm.register_forward_pre_hook(hook)
        try:
            with torch.no_grad():
                self.model(pictures.to(self.device))
        finally:
            handle.remove()
        return found[0] if found else None

    # The folder.

    def _begin(self):
        """What the folder holds already, by name; a folder of another recording is refused."""
        mark = {
            "model": _digest(self.model),
            "layers": {key: str(type(module).__name__) for key, module in self.layers.items()},
            "contributions": self.contributed,
            "classes": self.classes,
            "input": [self.input, self.channels, *self.mean.flatten().tolist(), *self.std.flatten().tolist()],
            "dtype": str(self.dtype),
        }
        self.out.mkdir(parents=True, exist_ok=True)
        path, parts = self.out / BEGUN, sorted(self.out.glob("*.safetensors"))
        if path.is_file():
            begun = json.loads(path.read_text(encoding="utf-8"))
            different = [key for key in mark if begun.get(key) != mark[key]]
            if different:
                raise ValueError(
                    f"{self.out} holds a recording with another {different[0]}; name a new folder, or remove it"
                )
        elif parts or (self.out / HEADER).exists():
            raise ValueError(f"{self.out} holds what was not recorded by this package; name a new folder")
        else:
            _write(path, json.dumps(mark, indent=2))
        done = {}
        for file in parts:
            try:
                with safe_open(str(file), "pt") as opened:
                    told = opened.metadata()
                    done.update(zip(json.loads(told["patches"]), json.loads(told["pixels"])))
                    self._recall(opened)
            except Exception as error:
                raise ValueError(f"{file} is damaged ({error}); remove it, and record again") from error
        return done, len(parts)

    def _recall(self, opened):
        """Learns from a part that is there what the header will say."""
        for key in self.layers:
            if key not in self.shapes:
                self.shapes[key] = tuple(opened.get_slice(f"maps/{key}").get_shape()[1:])
        outputs = opened.get_slice("logits").get_shape()[1]
        self._settle_classes(outputs)

    def _settle_classes(self, outputs):
        if self.classes is None:
            usual = {1: ["cancer"], 2: ["normal", "cancer"]}.get(outputs)
            if usual is None:
                raise ValueError(
                    f"the model has {outputs} outputs; say with `classes` what each stands for: {', '.join(OUTPUTS)}"
                )
            self.classes = usual
        elif len(self.classes) != outputs:
            raise ValueError(f"`classes` has {len(self.classes)} entries, and the model {outputs} outputs")

    # The pass.

    def run(self):
        """Records what is missing. Returns the folder."""
        done, number = self._begin()
        for name, crc in done.items():
            path = self._png(name)
            if path.is_file() and exported.checksum(exported.grey(path)) != crc:
                raise ValueError(f"the patch {name} has changed since it was recorded; record into a new folder")
        missing = [name for name in self.names if name not in done]
        finished = self.out / HEADER
        if not missing and finished.is_file():
            self._say(f"all {len(self.names)} patches are recorded in {self.out}")
            return self.out
        if finished.is_file():
            finished.unlink()
        # What is told of the input, and of how outputs follow from layers, is told of the first patches, whatever is left.
        first = self.names[: self.batch]
        self._pass(first)
        for key in self.contributed:
            self._try_other_maps(key, first)
        for start in range(0, len(missing), self.part):
            names = missing[start : start + self.part]
            self._write_part(number, names)
            number += 1
            self._say(f"recorded {len(done) + start + len(names)} of {len(self.names)} patches")
        self._write_header()
        self._say(f"finished: `activations: {self.out}` in atlas.yaml shows its units")
        return self.out

    def _say(self, line):
        if not self.quiet:
            print(f"unit_atlas: {line}", file=sys.stderr)

    def _pass(self, names):
        """What the network says of some patches: maps, logits, contributions, and the patches' checksums."""
        greys = [exported.grey(self._png(name)) for name in names]
        pictures = torch.stack([self._picture(pixels) for pixels in greys])
        if not self.checked:
            self._look_at_input(pictures)
            self.checked = True
        pictures = pictures.to(self.device)
        kept, calls, handles = {}, {}, []

        def keep(key):
            def hook(_, __, output):
                calls[key] = calls.get(key, 0) + 1
                kept[key] = maps.tensor_of(output)
                # What follows may change its input in place.
                return maps.in_place_of(output, kept[key].clone())

            return hook

        try:
            handles = [module.register_forward_hook(keep(key)) for key, module in self.layers.items()]
            with torch.set_grad_enabled(bool(self.contributed)):
                # Frozen parameters keep no gradient, and the first module may change its input in place.
                output = self.model(pictures.requires_grad_(bool(self.contributed)).clone())
        finally:
            for handle in handles:
                handle.remove()
        for key in self.layers:
            if calls.get(key, 0) != 1:
                times = calls.get(key, 0)
                raise ValueError(
                    f"the module of layer {key} ran {times} times in one pass; hook one that runs once, such as the "
                    "block around it"
                )
        logits = self._logits(output)
        self._settle_classes(logits.shape[1])
        if not bool(torch.isfinite(logits).all()):
            raise ValueError(f"the model gives outputs that are no numbers, such as for {names[0]}: {logits[0].tolist()}")
        self._look_at_outputs(logits.detach())
        found = {key: self.folds[key](kept[key]).detach() for key in self.layers}
        for key, own in found.items():
            if own.shape[2] != own.shape[3]:
                raise ValueError(f"the maps of {key} are of {tuple(own.shape[2:])}; unit-atlas needs square ones")
            self.shapes[key] = tuple(own.shape[1:])
        contributions = self._contributions(logits, kept)
        crcs = [exported.checksum(pixels) for pixels in greys]
        return found, logits.detach(), contributions, crcs

    def _look_at_outputs(self, logits):
        """Warns, once, of outputs that are probabilities already: a softmax is taken of what is recorded."""
        ones = torch.ones(len(logits), device=logits.device, dtype=logits.dtype)
        sums = logits.shape[1] > 1 and bool((logits >= 0).all()) and torch.allclose(logits.sum(dim=1), ones, atol=1e-4)
        line = "the outputs are probabilities already; unit-atlas expects logits, before any softmax"
        if sums and f"Warning of the recorder: {line}." not in self.notes:
            warnings.warn(f"unit_atlas: {line}", stacklevel=5)
            self.notes.append(f"Warning of the recorder: {line}.")

    def _try_other_maps(self, key, names):
        """Looks at the gradient where a layer says something else: none of it, its opposite, thrice as much. What is
        linear there is so when a unit is silent, too."""
        pictures = torch.stack([self._picture(exported.grey(self._png(name))) for name in names]).to(self.device)
        for factor in (0.0, -1.0, 3.0):
            kept = []

            def hook(_, __, output, factor=factor, kept=kept):
                kept.append((maps.tensor_of(output).detach() * factor).requires_grad_())
                return maps.in_place_of(output, kept[0].clone())

            handle = self.layers[key].register_forward_hook(hook)
            try:
                with torch.enable_grad():
                    logits = self._logits(self.model(pictures))
            finally:
                handle.remove()
            for output in range(logits.shape[1]):
                if self.weights.get(key, 0) is None or not logits.requires_grad:
                    return
                (gradient,) = torch.autograd.grad(logits[:, output].sum(), kept, retain_graph=True, allow_unused=True)
                gradient = torch.zeros_like(kept[0]) if gradient is None else gradient
                self._look_at_gradient(key, output, self.folds[key](gradient))

    def _logits(self, output):
        logits = maps.tensor_of(getattr(output, "logits", output))
        if logits.dim() == 1:
            logits = logits[:, None]
        if logits.dim() != 2:
            raise ValueError(f"the model gives {tuple(logits.shape)}; expected logits, [patches, outputs]")
        return logits

    def _contributions(self, logits, kept):
        """By layer: gradient times activation of each output, summed over the locations, `[patches, outputs, units]`."""
        found = {key: [] for key in self.contributed}
        tensors = [kept[key] for key in self.contributed]
        for output in range(logits.shape[1]) if tensors else ():
            gradients = torch.autograd.grad(
                logits[:, output].sum(), tensors, retain_graph=output + 1 < logits.shape[1], allow_unused=True
            )
            for key, tensor, gradient in zip(self.contributed, tensors, gradients):
                gradient = torch.zeros_like(tensor) if gradient is None else gradient
                gradient, own = self.folds[key](gradient), self.folds[key](tensor.detach())
                found[key].append((gradient.double() * own.double()).sum(dim=(2, 3)).float())
                self.silent[key] &= not bool(gradient.any())
                self._look_at_gradient(key, output, gradient)
        return {key: torch.stack(own, dim=1) for key, own in found.items()}

    def _look_at_gradient(self, key, output, gradient):
        """Notes whether an output's gradient is the same at all locations of all patches: then the layer is averaged
        and weighted into it, and what a unit adds is exact."""
        known = self.weights.setdefault(key, {})
        if known is None:
            return
        own = gradient[0, :, 0, 0] if output not in known else known[output]
        known[output] = own
        away = (gradient - own[None, :, None, None]).abs().max()
        if away > _ROUNDING * own.abs().max():
            self.weights[key] = None

    def _write_part(self, number, names):
        all_maps, all_logits, all_contributions, crcs = {}, [], {}, []
        for start in range(0, len(names), self.batch):
            found, logits, contributions, own = self._pass(names[start : start + self.batch])
            for key, values in found.items():
                stored = values.to(self.dtype).cpu()
                if not bool(torch.isfinite(stored).all()):
                    reach = values.float().abs().max().item()
                    why = "not all are numbers" if reach != reach else f"they reach {reach:.3g}"
                    raise ValueError(
                        f"activations of {key} do not fit {self.dtype}: {why}; record with dtype='bfloat16' or 'float32'"
                    )
                all_maps.setdefault(key, []).append(stored)
            for key, values in contributions.items():
                all_contributions.setdefault(key, []).append(values.cpu())
            all_logits.append(logits.float().cpu())
            crcs += own
        tensors = {"logits": torch.cat(all_logits)}
        tensors.update({f"maps/{key}": torch.cat(values) for key, values in all_maps.items()})
        tensors.update({f"contributions/{key}": torch.cat(values) for key, values in all_contributions.items()})
        tensors = {key: values.contiguous() for key, values in tensors.items()}
        path = self.out / f"part-{number:05}.safetensors"
        half = self.out / f".{path.name}.half"
        save_file(tensors, str(half), {"patches": json.dumps(names), "pixels": json.dumps(crcs)})
        os.replace(half, path)

    def _write_header(self):
        lines = [
            "# What unit_atlas recorded; see docs/recorded.md of unit-atlas.",
            "format: 1",
            f"name: {json.dumps(self.name)}",
            f"parameters: {sum(p.numel() for p in self.model.parameters())}",
            f"input: {self.input}",
            f"classes: [{', '.join(self.classes)}]",
            "layers:",
        ]
        for key, module in self.layers.items():
            units, rows, columns = self.shapes[key]
            words = [f"name: {json.dumps(key)}", f"units: {units}", f"map: [{rows}, {columns}]"]
            found = self.fields.get(key) or fields_of.measure(
                self.model, module, self.folds[key], self.channels, self.device
            )
            for word, value in (("field", found.edge), ("stride", found.stride), ("centre", found.centre)):
                if value is not None:
                    words.append(f"{word}: {value:g}")
            if found.edge is None:
                self.notes.append(f"{key}: units see the whole input, or as good as all of it.")
            if key in self.contributed:
                words.append("contributions: true")
                if self.weights.get(key):
                    words.append("linear: true")
            lines.append(f"  - {{ {', '.join(words)} }}")
            if self.folds[key].said:
                self.notes.append(self.folds[key].said)
            if self.silent.get(key):
                line = f"{key}: no output depends on what was recorded of it, so that no unit of it contributes"
                warnings.warn(f"unit_atlas: {line}; record contributions of an earlier layer", stacklevel=4)
                self.notes.append(f"{line}.")
        made = f"unit_atlas {_version()}, PyTorch {torch.__version__} on {self._machine()}, maps of {self.dtype}"
        lines.append(f"made: {json.dumps(made.replace('torch.', ''))}")
        lines.append("notes:")
        lines += [f"  - {json.dumps(note)}" for note in self.notes]
        _write(self.out / HEADER, "\n".join(lines) + "\n")

    def _machine(self):
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return f"{self.device.type} ({platform.machine()})"


def _version():
    from . import __version__

    return __version__


def _channels(model):
    first = next((m for m in model.modules() if isinstance(m, torch.nn.Conv2d)), None)
    return first.in_channels if first is not None else 3


def _digest(model):
    """Of all numbers that a model holds."""
    digest = hashlib.sha256()
    for key, value in sorted(model.state_dict().items()):
        digest.update(f"{key} {tuple(value.shape)} {value.dtype}\n".encode())
        flat = value.detach().cpu().contiguous().flatten()
        if flat.numel():
            digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _write(path, text):
    half = path.with_name(f".{path.name}.half")
    half.write_text(text, encoding="utf-8")
    os.replace(half, path)
