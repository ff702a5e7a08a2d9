"""Writes towers.json: what vision transformers of two blocks compute, by Hugging Face's and timm's code.

ViT, CLIP and SigLIP are Hugging Face's; DINOv2 is timm's vision transformer, whose tensors have Meta's names, with the
positions of other grids as Meta's `interpolate_pos_encoding` makes them (bicubic, not antialiased, an offset of 0.1).
Weights follow from their published names and inputs from formulas, as in network.py. Everything is in double precision:
logits, the tokens of the image after each block as maps, and of the last logit the gradients by them and by the image.
Run: python tests/golden/towers.py > tests/golden/towers.json  (PyTorch 2.x, transformers 5, timm 1)
"""

import json
import re

import torch
import torch.nn.functional as F
from timm.models.vision_transformer import VisionTransformer
from transformers import (CLIPVisionConfig, CLIPVisionModel, SiglipVisionConfig, SiglipVisionModel, ViTConfig,
                          ViTForImageClassification)

from network import digest, seed_of, short, values

WIDTH, DEPTH, HEADS, PATCH, GRID, CLASSES = 24, 2, 2, 8, 4, 3

# transformers 5 has other names in memory than those under which its weights were published.
PUBLISHED = [
    (r"^vit\.", ""), (r"^layers\.", "encoder.layer."), (r"attention\.([qkv])_proj", r"attention.attention.\1"),
    (r"attention\.q\.", "attention.query."), (r"attention\.k\.", "attention.key."),
    (r"attention\.v\.", "attention.value."), (r"attention\.o_proj", "attention.output.dense"),
    (r"mlp\.fc1", "intermediate.dense"), (r"mlp\.fc2", "output.dense"),
]


def fill(model, published):
    """network.py's, by published names; the state of the model is changed in place."""
    names = []
    for name, tensor in model.state_dict().items():
        for pattern, text in published:
            name = re.sub(pattern, text, name)
        names.append(name)
        v = values(seed_of(name), *tensor.shape).double()
        if tensor.dim() == 1 and name.endswith("weight"):
            tensor.copy_(1 + v / 4)
        elif tensor.dim() == 1 and "norm" in name:
            tensor.copy_(2 + v / 8)
        elif tensor.dim() == 1:
            tensor.copy_(v / 8)
        else:
            # The formula's factor is a float32 there.
            tensor.copy_((v.float() * torch.tensor((6 / tensor[0].numel()) ** 0.5, dtype=torch.float32)).double())
    return names


def head(features):
    """Our last layer, where the model has none."""
    name, inputs = "classifier", features.shape[1]
    if inputs == 2 * WIDTH:
        name = "head"
    weight = values(seed_of(f"{name}.weight"), CLASSES, inputs).double() * (6 / inputs) ** 0.5
    return features @ weight.T + values(seed_of(f"{name}.bias"), CLASSES).double() / 8


def vit():
    model = ViTForImageClassification(ViTConfig(
        hidden_size=WIDTH, num_hidden_layers=DEPTH, num_attention_heads=HEADS, intermediate_size=4 * WIDTH,
        image_size=GRID * PATCH, patch_size=PATCH, num_labels=CLASSES, attn_implementation="eager"))
    names = fill(model.double(), PUBLISHED)
    return model, names, model.vit.layers, 1, lambda x: model(x, interpolate_pos_encoding=True).logits


def clip():
    model = CLIPVisionModel(CLIPVisionConfig(
        hidden_size=WIDTH, num_hidden_layers=DEPTH, num_attention_heads=HEADS, intermediate_size=4 * WIDTH,
        image_size=GRID * PATCH, patch_size=PATCH, attn_implementation="eager"))
    names = fill(model.double(), [])
    run = lambda x: head(model(x, interpolate_pos_encoding=True).pooler_output)
    return model, names, model.encoder.layers, 1, run


def siglip():
    model = SiglipVisionModel(SiglipVisionConfig(
        hidden_size=WIDTH, num_hidden_layers=DEPTH, num_attention_heads=HEADS, intermediate_size=4 * WIDTH,
        image_size=GRID * PATCH, patch_size=PATCH, attn_implementation="eager"))
    names = fill(model.double(), [])
    run = lambda x: head(model(x, interpolate_pos_encoding=True).pooler_output)
    return model, names, model.encoder.layers, 0, run


def positions(embedded, edge, offset=0.1):
    """Meta's `interpolate_pos_encoding` with `interpolate_antialias` off."""
    if edge == GRID:
        return embedded
    scale = float(edge + offset) / GRID
    grid = embedded[:, 1:].reshape(1, GRID, GRID, WIDTH).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, mode="bicubic", antialias=False, scale_factor=(scale, scale))
    assert grid.shape[-2:] == (edge, edge)
    return torch.cat([embedded[:, :1], grid.permute(0, 2, 3, 1).reshape(1, -1, WIDTH)], 1)


def dinov2():
    model = VisionTransformer(img_size=GRID * PATCH, patch_size=PATCH, embed_dim=WIDTH, depth=DEPTH, num_heads=HEADS,
                              init_values=1.0, num_classes=0, dynamic_img_size=False)
    names = fill(model.double(), [])
    model.patch_embed.strict_img_size = False
    embedded = model.pos_embed.detach().clone()

    def run(x):
        model.pos_embed = torch.nn.Parameter(positions(embedded, x.shape[-1] // PATCH))
        tokens = model.forward_features(x)
        return head(torch.cat([tokens[:, 0], tokens[:, 1:].mean(1)], 1))

    return model, names, model.blocks, 1, run


def case(kind, build, edge, images=2):
    with torch.no_grad():
        model, names, blocks, before, run = build()
    model.eval()
    left, x = [], values(1, images, 3, edge * PATCH, edge * PATCH).double().requires_grad_()

    def keep(_, __, output):
        output = output[0] if isinstance(output, tuple) else output
        output.retain_grad()
        left.append(output)

    for block in blocks:
        block.register_forward_hook(keep)
    logits = run(x)
    logits[:, -1].sum().backward()
    grid = lambda tokens: tokens[:, before:].transpose(1, 2).reshape(images, WIDTH, edge, edge)
    return dict(kind=kind, edge=edge, names=sorted(names), logits=short(logits),
                maps=[digest(grid(tokens)) for tokens in left],
                gradients=[digest(grid(tokens.grad)) for tokens in left], by_image=digest(x.grad))


if __name__ == "__main__":
    torch.manual_seed(0)
    kinds = [("vit", vit), ("dinov2", dinov2), ("clip", clip), ("siglip", siglip)]
    cases = [case(kind, build, edge) for kind, build in kinds for edge in (4, 3, 6)]
    resized = positions(values(7, 1, GRID * GRID + 1, WIDTH).double(), 3)
    print(json.dumps(dict(cases=cases, positions=short(resized[0, 1:, :2]))).replace("], ", "],\n"))
