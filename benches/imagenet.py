#!/usr/bin/env python3
"""What a start from ImageNet gives on mini-MIAS, beside other starts and beside no network at all.

usage: imagenet.py MINI-MIAS VGG16.safetensors [--program unit-atlas] [--work FOLDER] [--folds 5]
       [--input 113] [--only ARM,ARM]

MINI-MIAS is the folder of the database (Info.txt, mdb001.pgm and on; as many images as there are), VGG16.safetensors
the convolutions of a VGG-16 from ImageNet, in torchvision's names. Needs numpy.

Cross-validation by patient, through the program itself: the patients with cancer, with other lesions and with none
are each dealt to the folds in turn, in an order that follows from their numbers. In each fold its patients are the
test split, those of the next fold the validation split, which chooses the epoch, and the others are trained on. So
every patch is scored once, by a network that has met neither its patient nor the choice of its epoch. Reported are
the area under the ROC curve of all these scores together, with the interval of 2.5 to 97.5 % of 2,000 bootstraps by
patient, and the mean of the areas of the folds. Scores of different folds come from different networks: pooling them
is a little pessimistic.

Finished folds are kept in FOLDER, and a run that was stopped goes on behind them.
"""

import argparse
import hashlib
import json
import math
import pathlib
import shutil
import subprocess
import sys
import time

import numpy as np

COMMON = "epochs: 15, batch: 32, momentum: 0.9, weight_decay: 5.0e-4, warmup: 10, schedule: cosine, balance: true"


def head(layer, lr):
    """Only what follows a layer is trained."""
    return f"{{ {COMMON}, lr: {lr}, freeze: {layer} }}"


def whole(lr):
    """All is trained, with flips and quarter turns."""
    return f"{{ {COMMON}, lr: {lr}, augment: true }}"


# What each is in words, and its network; none for what is computed here.
ARMS = {
    "pixels": ("logistic regression on mean, greatest value and deviation of a patch", None),
    "resnet18-random": ("ResNet-18, random weights, frozen; the head trained", ("resnet18", None, "layer4", head("layer4", 0.01))),
    "resnet18-builtin": ("ResNet-18, `builtin` (phantoms), frozen; the head trained", ("resnet18", "builtin", "layer4", head("layer4", 0.01))),
    "vgg16-imagenet": ("VGG-16, ImageNet's convolutions, frozen; the head trained", ("vgg16", "IMAGENET", "conv5_3", head("conv5_3", 0.003))),
    "vgg16-random": ("VGG-16, random weights, frozen; the head trained", ("vgg16", None, "conv5_3", head("conv5_3", 0.003))),
    "resnet18-builtin-whole": ("ResNet-18, `builtin` (phantoms); all of it trained", ("resnet18", "builtin", "layer4", whole(0.003))),
    "alexnet-random-whole": ("AlexNet, random weights; all of it trained", ("alexnet", None, "conv5", whole(0.01))),
}


def project_file(arm, vgg, edge):
    """The atlas.yaml of an arm."""
    text = "source: { kind: folder, path: table.csv }\ndevice: cpu\npatches: { stride: 0.75 }\nsplit: { train: 0.6, validation: 0.2, test: 0.2 }\n"
    if not ARMS[arm][1]:
        return text
    name, weights, layer, training = ARMS[arm][1]
    weights = f"    weights: {vgg if weights == 'IMAGENET' else weights}\n" if weights else ""
    return f"{text}networks:\n  - name: {name}\n{weights}    layers: [{layer}]\n    input: {edge}\n    training: {training}\n"


def table(folder, fold, folds):
    """Rows of a table for the source `folder`, with the split of a fold."""
    found, started = {}, False
    for line in (folder / "Info.txt").read_text(errors="replace").splitlines():
        words = line.split()
        if len(words) >= 3 and words[0].startswith("mdb"):
            found.setdefault(words[0], []).append(words[2:])
    found = {name: rows for name, rows in found.items() if (folder / f"{name}.pgm").exists()}
    patient = {name: (int(name[3:]) + 1) // 2 for name in found}
    kind = dict.fromkeys(patient.values(), 0)
    for name, rows in found.items():
        worst = 2 if any(len(row) > 1 and row[1] == "M" for row in rows) else int(any(row[0] != "NORM" for row in rows))
        kind[patient[name]] = max(kind[patient[name]], worst)
    order = lambda number: hashlib.sha256(f"fold {number}".encode()).digest()
    dealt = {}
    for wanted in (2, 1, 0):
        for number in sorted((p for p in kind if kind[p] == wanted), key=order):
            dealt[number] = len(dealt) % folds
    split = lambda number: {0: "test", 1: "validation"}.get((dealt[number] - fold) % folds, "train")
    lines = ["image,id,patient,laterality,view,micron,split,pathology,polygon"]
    for name, rows in sorted(found.items()):
        number = int(name[3:])
        begin = f"{folder / name}.pgm,{name},{patient[name]},{'R' if number % 2 else 'L'},MLO,200,{split(patient[name])}"
        for row in rows:
            if row[0] == "NORM":
                lines.append(f"{begin},,")
                continue
            try:
                x, y, radius = map(float, row[2:5])
                # Counted from the bottom.
                circle = [(x + radius * math.cos(a * math.pi / 16), 1024 - y + radius * math.sin(a * math.pi / 16)) for a in range(32)]
                polygon = " ".join(f"{min(max(u, 0), 1023):.1f},{min(max(v, 0), 1023):.1f}" for u, v in circle)
            except (ValueError, IndexError):
                polygon = ""
            pathology = "malignant" if len(row) > 1 and row[1] == "M" else "benign"
            lines.append(f"{begin},{pathology},\"{polygon}\"")
    return "\n".join(lines) + "\n"


def run(program, config, *words):
    told = subprocess.run([program, "--config", config, *words], capture_output=True, text=True)
    # 2: some images were left out, which is said: those whose cancer has no place.
    if told.returncode not in (0, 2):
        sys.exit(f"{' '.join(words)}: {told.stdout}{told.stderr}")
    return told.stdout


def patches(project):
    """Of each patch its pixels, whether it is positive, its split and its patient."""
    dataset = project / "output/work/dataset"
    manifest = json.loads((dataset / "manifest.json").read_text())
    manifest = manifest.get("content", manifest)
    data = (dataset / "patches.bin").read_bytes()
    edge, count = np.frombuffer(data[8:16], "<u4")
    pixels = np.frombuffer(data[16:], np.uint8).reshape(count, edge, edge)
    of = [manifest["mammograms"][patch["mammogram"]] for patch in manifest["patches"]]
    patient = [member.get("mammogram", member)["patient"] for member in of]
    return pixels, np.array([p["positive"] for p in manifest["patches"]]), np.array([m["split"] for m in of]), np.array(patient)


def by_pixels(pixels, positive, split):
    """Scores of the test split: both classes weighted alike, a little ridge, Newton's method."""
    x = np.array([[patch.mean(), patch.max(), patch.std()] for patch in pixels])
    train, test = split == "train", split == "test"
    x = (x - x[train].mean(0)) / x[train].std(0)
    x = np.concatenate([x, np.ones((len(x), 1))], 1)
    weight = np.where(positive, 0.5 / positive[train].mean(), 0.5 / (1 - positive[train].mean()))[train]
    beta = np.zeros(4)
    for _ in range(50):
        p = 1 / (1 + np.exp(-x[train] @ beta))
        gradient = x[train].T @ (weight * (p - positive[train])) + 1e-3 * beta
        hessian = (x[train] * (weight * p * (1 - p))[:, None]).T @ x[train] + 1e-3 * np.eye(4)
        beta -= np.linalg.solve(hessian, gradient)
    return np.flatnonzero(test), x[test] @ beta


def auc(score, positive):
    order = np.argsort(score, kind="stable")
    rank = np.empty(len(score))
    values, starts, counts = np.unique(score[order], return_index=True, return_counts=True)
    rank[order] = np.repeat(starts + (counts + 1) / 2, counts)
    n = positive.sum()
    return (rank[positive].sum() - n * (n + 1) / 2) / (n * (len(score) - n)) if 0 < n < len(score) else np.nan


def interval(score, positive, patient, rounds=2000):
    rng = np.random.default_rng(1)
    members = [np.flatnonzero(patient == p) for p in np.unique(patient)]
    draws = []
    for _ in range(rounds):
        at = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        draws.append(auc(score[at], positive[at]))
    return np.nanpercentile(draws, [2.5, 97.5])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mias", type=pathlib.Path)
    parser.add_argument("vgg", type=pathlib.Path)
    parser.add_argument("--program", default="unit-atlas")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("imagenet-bench"))
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--input", type=int, default=113, help="edge of the networks' input in pixels")
    parser.add_argument("--report", action="store_true", help="only the table of what is finished")
    parser.add_argument("--only", default=",".join(ARMS))
    options = parser.parse_args()
    mias, work = options.mias.resolve(), options.work.resolve()
    chosen = options.only.split(",")
    for fold in range(0 if options.report else options.folds):
        for arm in chosen:
            project = work / f"{arm}-{fold}"
            kept = project / "scores.json"
            if kept.exists():
                continue
            began = time.time()
            project.mkdir(parents=True, exist_ok=True)
            (project / "table.csv").write_text(table(mias, fold, options.folds))
            network = ARMS[arm][1]
            config = project / "atlas.yaml"
            config.write_text(project_file(arm, options.vgg.resolve(), options.input))
            run(options.program, config, "prepare")
            pixels, positive, split, patient = patches(project)
            if network:
                run(options.program, config, "train")
                [evaluation] = json.loads(run(options.program, config, "evaluate", "--split", "test", "--json"))
                at = np.array([number for number, _ in evaluation["scores"]])
                score = np.array([p[-1] for _, p in evaluation["scores"]])
                # What is weighed here is only the scores.
                shutil.rmtree(project / "output/work/networks", ignore_errors=True)
            else:
                at, score = by_pixels(pixels, positive, split)
            seconds = time.time() - began
            kept.write_text(json.dumps(dict(score=score.tolist(), positive=positive[at].tolist(), patient=patient[at].tolist(), seconds=seconds)))
            print(f"{arm}, fold {fold + 1}: AUC {auc(score, positive[at]):.3f} of {positive[at].sum()} positive among {len(at)} patches, {seconds:.0f} s", flush=True)
    report(work, chosen, options.folds)


def report(work, chosen, folds):
    """The table, over the folds that all arms have finished."""
    kept = lambda arm, fold: work / f"{arm}-{fold}" / "scores.json"
    done = [fold for fold in range(folds) if all(kept(arm, fold).exists() for arm in chosen)]
    if not done:
        return
    print("\n| start | AUC of all folds | 95 % | mean of the folds |\n|---|---|---|---|")
    for arm in chosen:
        found = [json.loads(kept(arm, fold).read_text()) for fold in done]
        score, positive, patient = (np.concatenate([np.array(fold[key]) for fold in found]) for key in ("score", "positive", "patient"))
        low, high = interval(score, positive, patient)
        each = [auc(np.array(fold["score"]), np.array(fold["positive"])) for fold in found]
        print(f"| {ARMS[arm][0]} | {auc(score, positive):.2f} | {low:.2f} to {high:.2f} | {np.nanmean(each):.2f} ({', '.join(f'{a:.2f}' for a in each)}) |")
    print(f"\n{len(done)} of {folds} folds: {positive.sum()} positive of {len(positive)} patches, of {len(set(patient[positive]))} and {len(set(patient))} patients.")


if __name__ == "__main__":
    main()
