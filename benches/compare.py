#!/usr/bin/env python3
"""Measures unit-atlas beside PyTorch: the same networks, weights, images and threads, in turn.

    benches/compare.py [--quick] [--networks alexnet,vgg16] [--rounds 3] [--json FILE]
    benches/compare.py --features cuda
    benches/compare.py --modes dissect [--networks alexnet,resnet152]
    benches/compare.py --modes cost [--teraflops 67] [--terabytes 3.35]

Makes a virtual environment with PyTorch and torchvision beside the build (target/compare) unless the
interpreter that runs it has them, builds the program's own benchmark, and prints a table of ratios:
above 1 unit-atlas is faster. Every measurement is a process of its own, ours and PyTorch's alternate,
and a ratio is that of the medians over all rounds.

`--modes dissect` times the program itself, `unit-atlas dissect` on phantom patches with random weights,
beside the method of the paper's release: a pass over all patches, then the 64 top patches of every unit
run through the network again. Of those only a few units are timed, and the rest counted up. Processor
seconds (of all threads) are compared, which other work on the machine disturbs least.

`--modes cost` measures nothing: it counts the operations and bytes of a training step of the path for
accelerators, and how long a GPU of the given ceilings would take at least (the defaults are an H100's in
single precision).
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "compare"
# Network, input of the patches (Inception: 299, as in the paper), layers that the paper dissects.
NETWORKS = {
    "alexnet": (227, "conv5"),
    "vgg16": (227, "conv5_3"),
    "inception_v3": (299, "mixed_7a"),
    "resnet152": (227, "layer3,layer4"),
}
# Of the others, which are measured by name: `--networks efficientnet_b0,convnext_tiny`.
OTHER = 224
# What torchvision calls them.
PROBES = {"conv5": "features.10", "conv5_3": "features.28", "mixed_7a": "Mixed_7a", "mixed_7c": "Mixed_7c"}


def child(arguments):
    """Runs inside the environment with PyTorch: one measurement, or the weights of a network."""
    import resource

    import torch
    import torchvision

    what, name, *rest = arguments
    threads = int(os.environ["RAYON_NUM_THREADS"])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    options = {"transform_input": True, "aux_logits": True} if name == "inception_v3" else {}
    model = getattr(torchvision.models, name)(weights=None, num_classes=2, **options)
    path, keep = WORK / f"{name}.safetensors", lambda: safetensors(model, path)
    if what == "weights":
        return keep()
    if what == "cost":
        return cost(model, name, int(rest[0]))
    if name == "inception_v3":
        # The paper's release trains without the auxiliary classifier.
        model.aux_logits, model.AuxLogits = False, None
    load(model, path)
    size, batch, mode, repeats = int(rest[0]), int(rest[1]), rest[2], int(rest[3])
    count = batch * 3 * size * size
    pixels = (torch.arange(count, dtype=torch.int64) * 2654435761) % 2**32
    images = (pixels.to(torch.float32) / 2**31 - 1).reshape(batch, 3, size, size)
    device = os.environ.get("COMPARE_DEVICE", "cpu")
    model, images = model.to(device), images.to(device)
    if mode == "forward":
        model.eval()

        def step():
            with torch.no_grad():
                return model(images)

    elif mode == "train":
        model.train()
        sgd = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9, weight_decay=1e-4)
        truth = torch.arange(batch, device=device) % 2

        def step():
            sgd.zero_grad(set_to_none=True)
            loss = torch.nn.functional.cross_entropy(model(images), truth)
            loss.backward()
            sgd.step()
            return loss.detach()

    elif mode == "release":
        return release(model.eval(), name, images, batch, repeats)

    else:
        raise SystemExit(f"unknown mode {mode}")
    seconds = []
    for repeat in range(repeats + 1):
        began = time.perf_counter()
        result = step()
        checksum = float(result.abs().sum())
        if repeat:
            seconds.append(time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peak_bytes": peak, "checksum": checksum}))


def release(model, name, images, patches, units):
    """The pass over all patches, and the top patches of `units` units again, one unit at a time."""
    import torch

    kept = {}
    modules = dict(model.named_modules())
    for layer in NETWORKS[name][1].split(","):
        module = modules[PROBES.get(layer, layer)]
        module.register_forward_hook(lambda m, i, o, layer=layer: kept.update({layer: o.detach().clone()}))
    with torch.no_grad():
        model(images[:32])
        counts = {layer: maps.shape[1] for layer, maps in kept.items()}
        scores = {layer: [] for layer in counts}
        began = time.process_time()
        for chunk in images.split(32):
            model(chunk)
            for layer in counts:
                scores[layer].append(kept[layer].amax((2, 3)))
        forward = time.process_time() - began
        began = time.process_time()
        for unit in range(units):
            layer = list(counts)[unit % len(counts)]
            top = torch.cat(scores[layer])[:, unit].topk(64).indices
            for chunk in images[top].split(32):
                model(chunk)
                own = kept[layer][:, unit : unit + 1]
                torch.nn.functional.interpolate(own, size=images.shape[-1], mode="bilinear")
        again = (time.process_time() - began) / units
    print(json.dumps({"forward": forward, "unit": again, "units": sum(counts.values())}))


def cost(model, name, size):
    """Operations and bytes per image of a training step."""
    import torch

    model.eval()
    found = {"flops": 0, "convolution_bytes": 0, "other_bytes": 0}

    def count(module, inputs, output):
        x, y = inputs[0].numel(), output.numel()
        if isinstance(module, torch.nn.Conv2d):
            taps = module.kernel_size[0] * module.kernel_size[1]
            found["flops"] += 6 * y * module.in_channels * taps
            # Unfolded inputs are written and read, forward and for the weight's gradient; the output's
            # gradient is unfolded likewise for the input's.
            unfolded = y // module.out_channels * module.in_channels * taps
            # Images need none.
            back = x // module.in_channels * module.out_channels * taps if module.in_channels > 3 else 0
            found["convolution_bytes"] += 4 * (2 * (x + 2 * unfolded + y) + y + 2 * back + x)
        elif isinstance(module, torch.nn.Linear):
            found["flops"] += 6 * module.in_features * module.out_features
        elif not list(module.children()):
            # Forward reads and writes once; backward reads both and the gradient, and writes one.
            found["other_bytes"] += 4 * (3 * x + 3 * y)

    for module in model.modules():
        module.register_forward_hook(count)
    with torch.no_grad():
        model(torch.zeros(1, 3, size, size))
    found["parameters"] = sum(p.numel() for p in model.parameters())
    print(json.dumps(found))


def safetensors(model, path):
    """Writes a model's state without needing a package for it."""
    import torch

    header, blobs, at = {}, [], 0
    for name, tensor in model.state_dict().items():
        blob = tensor.contiguous().numpy().tobytes()
        dtype = {torch.float32: "F32", torch.int64: "I64"}[tensor.dtype]
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    head = json.dumps(header).encode()
    path.write_bytes(len(head).to_bytes(8, "little") + head + b"".join(blobs))


def load(model, path):
    """Reads what `safetensors` wrote; what the model lacks is left out."""
    import torch

    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + length]), memoryview(data)[8 + length :]
    state = {}
    for name, entry in header.items():
        first, end = entry["data_offsets"]
        dtype = {"F32": torch.float32, "I64": torch.int64}[entry["dtype"]]
        values = torch.frombuffer(bytearray(body[first:end]), dtype=dtype)
        state[name] = values.reshape(entry["shape"]).clone()
    known = set(model.state_dict())
    model.load_state_dict({name: tensor for name, tensor in state.items() if name in known})


def interpreter():
    """An interpreter with PyTorch: this one, or that of an environment made for it."""
    probe = [sys.executable, "-c", "import torch, torchvision"]
    if subprocess.run(probe, capture_output=True).returncode == 0:
        return sys.executable
    folder = WORK / "venv"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "torch", "torchvision", "numpy"], check=True)
    return str(python)


def program(features=None):
    """Builds our side and returns its path."""
    command = ["cargo", "bench", "--bench", "networks", "--no-run", "--message-format", "json"]
    command += ["--features", features] if features else []
    out = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    artifacts = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return next(a["executable"] for a in artifacts if a.get("executable") and a["target"]["name"] == "networks")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--modes", default="forward,train", help="forward, train or both; or dissect; or cost")
    parser.add_argument("--teraflops", type=float, default=67, help="ceiling of the GPU for `--modes cost`")
    parser.add_argument("--terabytes", type=float, default=3.35, help="per second, likewise")
    parser.add_argument("--batches", default="8,32")
    parser.add_argument("--rounds", type=int, default=3, help="how often the two sides alternate")
    parser.add_argument("--repeats", type=int, default=3, help="measured repetitions in a process, after one that is not")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--features", help="cuda or metal: compare on the GPU of this machine (memory is still the host's)")
    parser.add_argument("--quick", action="store_true", help="one round of one repetition")
    parser.add_argument("--patients", type=int, default=60, help="of the phantoms that are dissected")
    parser.add_argument("--units", type=int, default=6, help="units whose top patches PyTorch runs again")
    parser.add_argument("--json", help="also write the figures to this file")
    options = parser.parse_args()
    others = [name for name in options.networks.split(",") if name not in NETWORKS]
    if options.modes == "dissect" and others:
        parser.error(f"the paper dissects no layer of {', '.join(others)}; `--modes dissect` compares its method")
    if options.quick:
        options.rounds = options.repeats = 1
    WORK.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ, RAYON_NUM_THREADS=str(options.threads), OMP_NUM_THREADS=str(options.threads))
    # Settings that slow PyTorch's own libraries down on some machines.
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        environment.pop(name, None)
    python = interpreter()
    theirs = [python, str(Path(__file__).resolve()), "--child"]

    if options.modes == "dissect":
        return dissect(options, environment, theirs)
    if options.modes == "cost":
        return ceilings(options, environment, theirs)
    ours = program(options.features)
    if options.features:
        environment |= {"UNIT_ATLAS_DEVICE": "auto", "COMPARE_DEVICE": "mps" if options.features == "metal" else "cuda"}

    def measure(command):
        out = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
        if out.returncode:
            return None
        return json.loads(out.stdout.splitlines()[-1])

    version = [python, "-c", "import torch, torchvision; print('PyTorch', torch.__version__, 'torchvision', torchvision.__version__)"]
    print(subprocess.run(version, capture_output=True, text=True).stdout.strip())
    print(f"{platform.machine()}, {processor()}, {options.threads} threads\n")
    head = ["network", "pass", "batch", "images/s", "PyTorch", "ratio", "memory GB", "PyTorch", "ratio"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head), flush=True)
    rows = []
    for name in options.networks.split(","):
        size = NETWORKS.get(name, (OTHER, ""))[0]
        weights = WORK / f"{name}.safetensors"
        if not weights.exists():
            subprocess.run(theirs + ["weights", name], env=environment, check=True)
        for mode in options.modes.split(","):
            for batch in options.batches.split(","):
                arguments = [name, str(size), batch, mode, str(options.repeats)]
                found = {"ours": [], "theirs": []}
                for _ in range(options.rounds):
                    found["ours"].append(measure([ours, *arguments, str(weights)]))
                    found["theirs"].append(measure([*theirs, "measure", *arguments]))
                row = {"network": name, "mode": mode, "batch": int(batch)}
                for side, runs in found.items():
                    runs = [run for run in runs if run]
                    if runs:
                        seconds = statistics.median(s for run in runs for s in run["seconds"])
                        row[side] = {
                            "images_per_second": int(batch) / seconds,
                            "peak_bytes": max(run["peak_bytes"] for run in runs),
                            "checksum": runs[0]["checksum"],
                        }
                rows.append(row)
                print(line(row), flush=True)
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1))


def dissect(options, environment, theirs):
    """Whole dissections against the release's method, on the same number of patches of the same size."""
    subprocess.run(["cargo", "build", "--release"], cwd=ROOT, check=True)
    program_ = ROOT / "target" / "release" / "unit-atlas"
    folder = WORK / "dissection"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    names = options.networks.split(",")
    for name in names:
        weights = WORK / f"{name}.safetensors"
        if not weights.exists():
            subprocess.run(theirs + ["weights", name], env=environment, check=True)
    entries = [
        f"  - name: {name}\n    weights: {WORK / name}.safetensors\n    layers: [{NETWORKS[name][1]}]\n    training: false\n"
        for name in names
    ]
    source = "source: { kind: phantom, patients: %d, height: 600 }\n" % options.patients
    size = max(NETWORKS[name][0] for name in names)
    patches = "patches: { size: %d }\n" % size
    (folder / "atlas.yaml").write_text(source + patches + "networks:\n" + "".join(entries))

    def ours(*arguments):
        began = processor_seconds()
        command = [program_, "-q", "--config", folder / "atlas.yaml", *arguments]
        subprocess.run(command, env=environment, check=True)
        return processor_seconds() - began

    ours("prepare")
    for name in names:
        ours("train", "--network", name)
    manifest = json.loads((folder / "output/work/dataset/manifest.json").read_text())
    split = [manifest["mammograms"][p["mammogram"]]["split"] for p in manifest["patches"]]
    count = split.count("validation")
    print(f"{count} patches, {options.threads} threads; processor seconds\n")
    head = ["network", "layers", "units", "bare forward", "start", "probing pass", "ratio without start", "whole dissection",
            "PyTorch forward", "PyTorch per unit again", "release's method", "ratio to probing", "ratio to the whole"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head), flush=True)
    networks = program()
    for name in names:
        size, layers = NETWORKS[name]
        bare = [networks, name, str(size), "32", f"maps={layers}", "5", str(WORK / f"{name}.safetensors")]
        # Five batches more than one, so that starting and reading weights do not count.
        runs = {}
        for repeats in ("1", "6"):
            began = processor_seconds()
            subprocess.run([*bare[:5], repeats, *bare[6:]], env=environment, stdout=subprocess.DEVNULL, check=True)
            runs[repeats] = processor_seconds() - began
        bare = (runs["6"] - runs["1"]) / 5 * count / 32
        # All of the pass, and nothing but it; what puts the segments together comes on top. Done again it
        # finds everything there: that is the start, reading the weights most of all.
        probing = ours("dissect", "--network", name, "--shard", "1/1")
        start = ours("dissect", "--network", name, "--shard", "1/1")
        whole = probing + ours("dissect", "--network", name, "--merge")
        command = [*theirs, "measure", name, str(size), str(count), "release", str(options.units)]
        out = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
        found = json.loads(out.splitlines()[-1])
        release = found["forward"] + found["unit"] * found["units"]
        cells = [name, layers, found["units"], f"{bare:.1f}", f"{start:.1f}", f"{probing:.1f}", f"{(probing - start) / bare:.2f}", f"{whole:.1f}",
                 f"{found['forward']:.1f}", f"{found['unit']:.2f}", f"{release:.0f}", f"{release / probing:.0f}", f"{release / whole:.0f}"]
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def ceilings(options, environment, theirs):
    """What a step of training costs, and how fast a GPU could be."""
    batch = 32
    print(f"a step of {batch} patches; ceilings of {options.teraflops} TFLOP/s and {options.terabytes} TB/s\n")
    head = ["network", "TFLOP", "GB of convolutions", "GB of the rest", "ms by operations", "ms by bytes", "patches/s at most"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for name in options.networks.split(","):
        weights = WORK / f"{name}.safetensors"
        if not weights.exists():
            subprocess.run(theirs + ["weights", name], env=environment, check=True)
        out = subprocess.run([*theirs, "cost", name, str(NETWORKS.get(name, (OTHER, ""))[0])], env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
        found = json.loads(out.splitlines()[-1])
        # Weights: read forward and twice backward, gradients written; SGD reads and writes three.
        rest = batch * found["other_bytes"] + 4 * 10 * found["parameters"]
        flops, convolutions = batch * found["flops"], batch * found["convolution_bytes"]
        by_flops, by_bytes = flops / options.teraflops / 1e9, (convolutions + rest) / options.terabytes / 1e9
        cells = [name, f"{flops / 1e12:.2f}", f"{convolutions / 1e9:.1f}", f"{rest / 1e9:.1f}", f"{by_flops:.0f}", f"{by_bytes:.0f}", f"{1000 * batch / (by_flops + by_bytes):.0f}"]
        print("| " + " | ".join(cells) + " |")


def line(row):
    ours, theirs = row.get("ours"), row.get("theirs")
    speed = lambda side: f"{side['images_per_second']:.2f}" if side else "failed"
    memory = lambda side: f"{side['peak_bytes'] / 1e9:.2f}" if side else "failed"
    ratio = lambda key: f"{ours[key] / theirs[key]:.2f}" if ours and theirs else ""
    cells = [row["network"], row["mode"], str(row["batch"])]
    cells += [speed(ours), speed(theirs), ratio("images_per_second")]
    cells += [memory(ours), memory(theirs), ratio("peak_bytes")]
    return "| " + " | ".join(cells) + " |"


def processor_seconds():
    """Of all child processes that ended."""
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        flags = next(line for line in lines if line.startswith("flags")).split()
        simd = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "no AVX2"
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name")) + f", {simd}"
    except (OSError, StopIteration):
        return platform.processor()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2:])
    else:
        main()
