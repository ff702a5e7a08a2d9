"""Network Dissection by PyTorch and NumPy, to hold ours against.

Without arguments writes dissection.json, a small case of given maps and masks:
    python tests/golden/dissection.py > tests/golden/dissection.json
With a project, its patches (`unit-atlas patches export DIR`) and a network, dissects the network with
torchvision from the same weights and compares top patches, thresholds, regions and IoUs:
    python tests/golden/dissection.py PROJECT DIR NETWORK [LIMIT]
(PyTorch 2.x, torchvision, NumPy, Pillow, PyYAML, safetensors.) LIMIT bounds the units whose regions are
compared.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import formula

torch.set_num_threads(2)


def values(seed, *shape):
    return torch.from_numpy(formula.values(seed, *shape))


def upsample(maps, anchor, field, edge):
    """Maps n x rows x columns to n x edge x edge, bilinear, level beyond the outermost cells."""
    if anchor == "pixel":
        return F.interpolate(maps[:, None], size=(edge, edge), mode="bilinear", align_corners=False)[:, 0]
    cells = maps.shape[-1]
    # Where each pixel lies in cells: grid_sample counts the centres of the outer cells as -1 and 1.
    at = (torch.arange(edge, dtype=torch.float64) + 0.5 - field["centre"]) / field["stride"]
    at = (2 * at / max(cells - 1, 1) - 1).float()
    grid = torch.stack(torch.meshgrid(at, at, indexing="ij")[::-1], -1)[None]
    grid = grid.expand(maps.shape[0], -1, -1, -1)
    return F.grid_sample(maps[:, None], grid, mode="bilinear", padding_mode="border", align_corners=True)[:, 0]


def threshold(maps, rule):
    """Of one unit's maps n x rows x columns."""
    flat = maps.flatten().sort(descending=True).values
    if "quantile" in rule:
        return flat[int(np.floor(rule["quantile"] * flat.numel()))].item()
    return np.float32(rule["fraction_of_max"]) * flat[0].item()


def order(scores):
    """Best first, ties by place."""
    return np.lexsort((np.arange(len(scores)), -scores))


def auc(scores, positive):
    """Share of the pairs in the right order, ties half."""
    a, b = scores[positive][:, None], scores[~positive][None]
    return float((a > b).mean() + (a == b).mean() / 2) if a.size and b.size else None


def small():
    """24 patches of 40 pixels, 3 units with 5 x 5 maps, two concepts as rectangles."""
    edge, patches, units, cells = 40, 24, 3, 5
    field = {"edge": 12.0, "stride": 7.5, "centre": 4.5}
    maps = values(1, patches, units, cells, cells)
    corners = ((values(2, patches, 2, 4) + 1) * 10).floor().int()
    masks = torch.zeros(2, patches, edge, edge, dtype=torch.bool)
    for p in range(patches):
        for c in range(2):
            # The second concept is in every third patch only.
            if c == 0 or p % 3 == 0:
                x, y, w, h = corners[p, c].tolist()
                masks[c, p, y : y + h + 1, x : x + w + 1] = True
    cases = []
    for rule in [{"quantile": 0.05}, {"fraction_of_max": 0.6}]:
        for anchor in ["receptive_field", "pixel"]:
            found = []
            for unit in range(units):
                own = maps[:, unit]
                scores = own.flatten(1).max(1).values.numpy()
                t = threshold(own, rule)
                regions = upsample(own, anchor, field, edge) > t
                ious, within, aucs = [], [], []
                for mask in masks:
                    both, either = (regions & mask).sum().item(), (regions | mask).sum().item()
                    holds = mask.flatten(1).any(1)
                    inside = (regions & mask)[holds].sum().item() / max((regions | mask)[holds].sum().item(), 1)
                    ious.append(both / max(either, 1))
                    within.append(inside)
                    aucs.append(auc(scores, holds.numpy()))
                found.append({
                    "threshold": float(t),
                    "top": order(scores)[:6].tolist(),
                    "scores": [float(s) for s in np.sort(scores)[::-1][:6]],
                    "pixels": int(regions.sum()),
                    "ious": ious,
                    "within": within,
                    "aucs": aucs,
                    "positive": float((own > 0).float().mean()),
                })
            cases.append({"rule": rule, "anchor": anchor, "units": found})
    json.dump({"cases": cases}, sys.stdout, indent=1)
    print()


# The whole pipeline, from weights and patches.

PROBES = {
    "alexnet": {"conv5": "features.10"},
    "vgg16": {"conv5_3": "features.28"},
    "inception_v3": {"mixed_7a": "Mixed_7a", "mixed_7c": "Mixed_7c"},
}


def network(name, folder, classes):
    import torchvision
    from safetensors.torch import load_file

    options = {"aux_logits": True, "transform_input": True, "init_weights": False} if name == "inception_v3" else {}
    model = getattr(torchvision.models, name)(num_classes=classes, **options)
    model.load_state_dict(load_file(folder / "weights.safetensors"))
    return model.eval()


def images(folder, names, edge):
    from PIL import Image
    from torchvision.transforms.functional import resize, to_tensor, normalize

    out = []
    for name in names:
        x = to_tensor(Image.open(folder / name).convert("RGB"))
        if x.shape[-1] != edge:
            x = resize(x, [edge, edge], antialias=True)
        out.append(normalize(x, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    return torch.stack(out)


def inside(points, window, edge):
    """Pixels of a patch whose centres lie in a polygon, even-odd."""
    x0, y0, size = window
    centre = (np.arange(edge) + 0.5) * size / edge
    px, py = np.meshgrid(centre + x0, centre + y0)
    mask = np.zeros((edge, edge), bool)
    points = np.asarray(points, np.float64)
    for a, b in zip(points, np.roll(points, -1, 0)):
        if a[1] == b[1]:
            continue
        crosses = (a[1] <= py) != (b[1] <= py)
        mask ^= crosses & (px >= a[0] + (py - a[1]) / (b[1] - a[1]) * (b[0] - a[0]))
    return mask


def lesion_mask(lesion, window, edge):
    x0, y0, size = window
    centre = (np.arange(edge) + 0.5) * size / edge
    px, py = np.meshgrid(centre + x0, centre + y0)
    mask = np.zeros((edge, edge), bool)
    for outline in lesion["outlines"]:
        if "circle" in outline:
            c = outline["circle"]
            mask |= (px - c["x"]) ** 2 + (py - c["y"]) ** 2 < c["radius"] ** 2
        else:
            mask |= inside(outline["polygon"], window, edge)
    return mask


def overlay_mask(path, edge):
    """The filled overlay of a page: rings `Mx yl dx dy…z`, even-odd."""
    import re

    mask = np.zeros((edge, edge), bool)
    for ring in filter(None, path.split("z")):
        numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", ring)]
        mask ^= inside(np.cumsum(np.reshape(numbers, (-1, 2)), 0), (0, 0, edge), edge)
    return mask


def overlap(a, b):
    either = (a | b).sum().item()
    return (a & b).sum().item() / either if either else 1.0


def compare(project, exported, name, limit):
    work = project / "output/work"
    manifest = json.loads((work / "dataset/manifest.json").read_text())
    evaluation = json.loads((work / "networks" / name / "evaluation.json").read_text())
    edge, inputs = manifest["patching"]["size"], evaluation["input"]
    members = manifest["mammograms"]
    layers = sorted(p.parent.name for p in (work / "dissection" / name).glob("*/units.json"))
    records = {l: json.loads((work / "dissection" / name / l / "units.json").read_text()) for l in layers}
    split = records[layers[0]]["split"]
    shown = [n for n, p in enumerate(manifest["patches"]) if members[p["mammogram"]]["split"] == split]
    patches = [manifest["patches"][n] for n in shown]
    file = lambda p: f"{members[p['mammogram']]['id']}-y{p['y']}_x{p['x']}_h{p['edge']}_w{p['edge']}.png"
    listed = (exported / {"validation": "val.txt", "train": "train.txt", "test": "test.txt"}[split]).read_text()
    assert [file(p) for p in patches] == [line.split()[0] for line in listed.splitlines()]

    # In double precision: PyTorch's single has noise of its own, more than ours in large batches.
    model = network(name, work / "networks" / name, 2).double()
    probes = PROBES.get(name) or {l: l for l in layers}
    kept = {}
    modules = dict(model.named_modules())
    for layer in layers:
        # A ReLU after the convolution works in place: keep a copy.
        modules[probes[layer]].register_forward_hook(lambda m, i, o, l=layer: kept.setdefault(l, []).append(o.detach().float()))
    with torch.no_grad():
        for at in range(0, len(patches), 16):
            model(images(exported, [file(p) for p in patches[at : at + 16]], inputs).double())

    lesions = [members[p["mammogram"]]["lesions"] for p in patches]
    annotated = np.array([all(l["outlines"] for l in ls) for ls in lesions])
    masks = {}
    for p, (patch, ls) in enumerate(zip(patches, lesions)):
        for lesion in ls if annotated[p] else []:
            mask = lesion_mask(lesion, (patch["x"], patch["y"], patch["edge"]), edge)
            pathology = [lesion["pathology"]] if lesion["pathology"] != "unproven" else []
            for concept in [*lesion["terms"], *pathology]:
                if mask.any():
                    masks.setdefault(concept, {}).setdefault(p, np.zeros((edge, edge), bool))
                    masks[concept][p] |= mask

    for layer in layers:
        record, maps = records[layer], torch.cat(kept[layer])
        [rule] = [record["threshold"]]
        worst = {"threshold": 0.0, "score": 0.0, "iou": 0.0}
        swapped, regions_iou, outlines_iou, ties, seen = 0, [], [], 0, 0
        chosen = set(range(len(record["units"]))[:: max(1, len(record["units"]) // limit)])
        for unit, ours in enumerate(record["units"]):
            own = maps[:, unit]
            scores = own.flatten(1).max(1).values.numpy()
            t = threshold(own, rule)
            # Thresholds may lie next to zero: differences are measured against the unit's greatest activation.
            scale = own.abs().max().item()
            if scale == 0:
                # A dead unit.
                assert ours["threshold"] == 0 and all(m["iou"] == 0 for m in ours["matches"])
                continue
            worst["threshold"] = max(worst["threshold"], abs(ours["threshold"] - t) / scale)
            theirs = order(scores)[: len(ours["top"])]
            for mine, other in zip(ours["top"], theirs):
                gap = abs(mine["score"] - scores[other]) / scale
                worst["score"] = max(worst["score"], gap)
                if mine["patch"] != shown[other]:
                    # Allowed only between scores that are as good as equal.
                    here = scores[shown.index(mine["patch"])]
                    swapped += abs(here - scores[other]) > 1e-5 * scale
            if unit not in chosen:
                continue
            levels = upsample(own, record["anchor"], record["field"], edge).numpy()
            regions = levels > t
            area = regions[annotated].sum()
            for concept, found in zip(record["concepts"], ours["matches"]):
                # Other regions have annotations of their own, which are not drawn here.
                if concept["category"] not in ("pathology", "finding"):
                    continue
                of = masks[concept["id"]]
                both = sum((regions[p] & m).sum() for p, m in of.items())
                total = sum(m.sum() for m in of.values())
                worst["iou"] = max(worst["iou"], abs(found["iou"] - both / (area + total - both)))
            for top in ours["top"][:8]:
                mine, other = overlay_mask(top["overlay"], edge), regions[shown.index(top["patch"])]
                # One pixel of rounding is much of an outline around a few.
                if other.sum() >= 50:
                    outlines_iou.append(overlap(mine, other))
            from safetensors import safe_open

            with safe_open(work / "dissection" / name / layer / "maps.safetensors", "pt") as file_:
                stored = file_.get_slice("maps")[unit : unit + 1][0]
            mine = upsample(stored, record["anchor"], record["field"], edge).numpy() > ours["threshold"]
            for at, top in enumerate(ours["top"]):
                position = shown.index(top["patch"])
                # The activation that is the threshold fills cells, so pixels at the threshold are common:
                # which side rounding puts them on says nothing.
                tie = np.abs(levels[position] - t) <= 1e-5 * scale
                ties, seen = ties + (tie & (mine[at] != regions[position])).sum(), seen + regions[position].sum()
                regions_iou.append(overlap(np.where(tie, regions[position], mine[at]), regions[position]))
        kind = f"{json.dumps(rule)} {record['anchor']}"
        print(
            f"{name}/{layer} {kind}: {len(record['units'])} units, {len(shown)} patches; "
            f"thresholds within {worst['threshold']:.1e} of the unit's greatest activation, scores within {worst['score']:.1e}, "
            f"{swapped} top places differ, concept IoU {worst['iou']:.1e} over {len(masks)} concepts, "
            f"{len(regions_iou)} regions IoU at least {min(regions_iou, default=1):.4f} but for {ties} of {seen} pixels, "
            f"which are at the threshold, filled outlines at least "
            f"{min(outlines_iou, default=1):.4f}, mean {np.mean(outlines_iou or [1]):.4f}"
        )
        assert swapped == 0 and worst["threshold"] < 1e-5 and worst["iou"] < 1e-3 and min(regions_iou) >= 0.99
        assert np.mean(outlines_iou) >= 0.98


if __name__ == "__main__":
    if len(sys.argv) > 1:
        compare(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int((sys.argv + [0] * 5)[4] or 64))
    else:
        small()
