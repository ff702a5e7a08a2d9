#!/usr/bin/env python3
"""How the time of a dissection grows, measured with the program itself and drawn.

    benches/scaling.py [--svg docs/scaling.svg] [--json FILE]

Networks of random weights dissect phantom patches, one thing changing at a time: how many patches, how
many units, how many networks, how many threads. Seconds are those of all processors together, which other
work on the machine disturbs least; of threads, which are about waiting, seconds on the clock. Needs nothing
but Python and cargo.
"""
import argparse
import json
import os
import resource
import shutil
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "target" / "scaling"
PROGRAM = ROOT / "target" / "release" / "unit-atlas"
# Layers of ResNet-50 whose passes end at the same place, so that only their units differ.
LAYERS = {2048: ["layer4"], 2560: ["layer2", "layer4"], 3072: ["layer3", "layer4"], 3840: ["layer1", "layer2", "layer3", "layer4"]}
NETWORKS = ["alexnet", "resnet18", "resnet50", "vgg16"]
# What has the same colour in all drawings.
BLUE, INK, FAINT = "#1f5fa8", "#333", "#ddd"


class Project:
    """A project of phantoms of so many patients."""

    def __init__(self, name, patients, networks):
        self.folder = FOLDER / name
        self.folder.mkdir(parents=True)
        entries = "".join(f"  - {{ name: {n}, layers: [{', '.join(layers)}], training: false }}\n" for n, layers in networks)
        source = "source: { kind: phantom, patients: %d, height: 400 }\n" % patients
        split = "split: { train: 0.05, validation: 0.9, test: 0.05 }\n"
        (self.folder / "atlas.yaml").write_text(f"{source}{split}networks:\n{entries}")
        self.run("prepare")
        self.run("train")

    def run(self, *arguments, threads=os.cpu_count()):
        """Processor seconds and seconds on the clock."""
        before, began = spent(), time.perf_counter()
        command = [PROGRAM, "-q", "--config", self.folder / "atlas.yaml", *arguments]
        subprocess.run(command, env=dict(os.environ, RAYON_NUM_THREADS=str(threads)), check=True)
        return spent() - before, time.perf_counter() - began

    def dissect(self, name, threads=os.cpu_count()):
        shutil.rmtree(self.folder / "output" / "work" / "dissection", ignore_errors=True)
        return self.run("dissect", "--network", name, threads=threads)

    def shown(self):
        """How many patches a dissection shows."""
        manifest = json.loads((self.folder / "output/work/dataset/manifest.json").read_text())
        split = [mammogram["split"] for mammogram in manifest["mammograms"]]
        return sum(split[patch["mammogram"]] == "validation" for patch in manifest["patches"])


def spent():
    """Of all child processes that ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure():
    found = {"patches": [], "units": [], "networks": [], "threads": []}
    for patients in (4, 8, 12, 16):
        project = Project(f"patches-{patients}", patients, [("alexnet", ["conv5"])])
        found["patches"].append((project.shown(), project.dissect("alexnet")[0]))
    for units, layers in LAYERS.items():
        project = Project(f"units-{units}", 3, [("resnet50", layers)])
        found["units"].append((units, project.dissect("resnet50")[0]))
    last = {"alexnet": "conv5", "vgg16": "conv5_3"}
    project = Project("networks", 3, [(name, [last.get(name, "layer4")]) for name in NETWORKS])
    total = 0
    for count, name in enumerate(NETWORKS, 1):
        total += project.dissect(name)[0]
        found["networks"].append((count, total))
    project = Project("threads", 6, [("resnet18", ["layer4"])])
    for threads in range(1, os.cpu_count() + 1):
        found["threads"].append((threads, project.dissect("resnet18", threads)[1]))
    return found


def drawn(found):
    """Four small drawings in a row, each from zero."""
    width, height, left, top, gap = 210, 150, 44, 34, 34
    titles = {
        "patches": ("patches through AlexNet", "processor seconds"),
        "units": ("units of ResNet-50", "processor seconds"),
        "networks": ("networks: " + ", ".join(NETWORKS), "processor seconds"),
        "threads": ("threads, ResNet-18", "seconds"),
    }
    parts = []
    for place, (key, (across, up)) in enumerate(titles.items()):
        x0, points = left + place * (width + left + gap // 2), found[key]
        most = [max(point[axis] for point in points) for axis in (0, 1)]
        at = lambda point: (x0 + width * point[0] / most[0], top + height * (1 - point[1] / most[1]))
        parts.append(f'<text x="{x0}" y="{top - 12}">{up}</text>')
        parts.append(f'<path d="M{x0} {top}v{height}h{width}" fill="none" stroke="{INK}"/>')
        parts.append(f'<text x="{x0 + width / 2}" y="{top + height + 32}" text-anchor="middle">{across}</text>')
        for point in points:
            x, y = at(point)
            parts.append(f'<path d="M{x0} {y:.1f}H{x:.1f}" stroke="{FAINT}"/>')
            parts.append(f'<text x="{x0 - 5}" y="{y + 4:.1f}" text-anchor="end" class="n">{point[1]:.0f}</text>')
            parts.append(f'<text x="{x:.1f}" y="{top + height + 14}" text-anchor="middle" class="n">{point[0]}</text>')
        line = " ".join("{:.1f},{:.1f}".format(*at(point)) for point in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{BLUE}" stroke-width="2"/>')
        parts += ['<circle cx="{:.1f}" cy="{:.1f}" r="3.5" fill="{}"/>'.format(*at(point), BLUE) for point in points]
    size = (len(titles) * (width + left + gap // 2) + gap, top + height + 44)
    style = f"text{{font:12px sans-serif;fill:{INK}}}.n{{font-size:10px}}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" width="{size[0]}" height="{size[1]}" role="img">'
        f"<title>Time of a dissection by patches, units, networks and threads</title><style>{style}</style>"
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--svg", help="draw the figures into this file")
    parser.add_argument("--json", help="write them into this file")
    options = parser.parse_args()
    subprocess.run(["cargo", "build", "--release"], cwd=ROOT, check=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    found = measure()
    for key, points in found.items():
        print(key, ", ".join(f"{a}: {b:.1f} s" for a, b in points))
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=1))
    if options.svg:
        Path(options.svg).write_text(drawn(found))


if __name__ == "__main__":
    main()
