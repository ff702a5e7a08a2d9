#!/usr/bin/env python3
"""PyTorch's side of `benches/gpu`: milliseconds of a step on this GPU, one line of JSON per measurement.

    gpu_pytorch.py NETWORK[,NETWORK] BATCH MODE[,MODE] STEPS

A mode is a pass, `forward` or `train`, and how it is computed:
  train+fp32   single precision everywhere
  train        as PyTorch is shipped: convolutions may round to TF32, matrix products may not
  train+tf32   both may, images channels-last, the fastest algorithms searched for
  train+bf16   the same under autocast to bfloat16
  train+graph  the same as bf16, the whole step captured as one CUDA graph
"""
import gc
import json
import sys
import time

import torch
import torchvision


def model_of(name):
    """torchvision's network with two classes, Inception without its auxiliary classifier."""
    options = {"transform_input": True, "aux_logits": True, "init_weights": False} if name == "inception_v3" else {}
    model = getattr(torchvision.models, name)(weights=None, num_classes=2, **options)
    if name == "inception_v3":
        model.aux_logits, model.AuxLogits = False, None
    return model.cuda()


def captured(step):
    """A step as a CUDA graph, after the runs on another stream that capturing asks for."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def measure(name, batch, mode, steps):
    what, _, how = mode.partition("+")
    tuned = how in ("tf32", "bf16", "graph")
    torch.backends.cudnn.allow_tf32 = how != "fp32"
    torch.backends.cuda.matmul.allow_tf32 = tuned
    torch.backends.cudnn.benchmark = tuned
    torch.manual_seed(1)
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    size = 299 if name == "inception_v3" else 227
    layout = torch.channels_last if tuned else torch.contiguous_format
    model = model_of(name).to(memory_format=layout)
    images = torch.randn(batch, 3, size, size, device="cuda").contiguous(memory_format=layout)
    truth = torch.arange(batch, device="cuda") % 2
    bf16 = how in ("bf16", "graph")

    if what == "forward":
        model.eval()

        def step():
            with torch.no_grad(), torch.autocast("cuda", torch.bfloat16, enabled=bf16):
                return model(images)

    else:
        model.train()
        sgd = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9, weight_decay=1e-4, fused=True)

        def step():
            with torch.autocast("cuda", torch.bfloat16, enabled=bf16):
                loss = torch.nn.functional.cross_entropy(model(images), truth)
            sgd.zero_grad(set_to_none=True)
            loss.backward()
            sgd.step()

    run = captured(step) if how == "graph" else step
    for _ in range(3):
        run()
    torch.cuda.synchronize()
    milliseconds = []
    for _ in range(steps):
        began = time.perf_counter()
        run()
        torch.cuda.synchronize()
        milliseconds.append((time.perf_counter() - began) * 1e3)
    milliseconds.sort()
    median = milliseconds[len(milliseconds) // 2]
    found = {"side": "PyTorch", "network": name, "batch": batch, "mode": mode, "ms": round(median, 2)}
    found |= {"least_ms": round(milliseconds[0], 2), "images_s": round(batch / median * 1e3)}
    found["peak_GB"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)
    print(json.dumps(found), flush=True)


def main():
    names, batch, modes, steps = sys.argv[1:5]
    versions = {"PyTorch": torch.__version__, "CUDA": torch.version.cuda, "cuDNN": torch.backends.cudnn.version()}
    print(json.dumps({"side": "PyTorch", "card": torch.cuda.get_device_name()} | versions), flush=True)
    for name in names.split(","):
        for mode in modes.split(","):
            try:
                measure(name, int(batch), mode, int(steps))
            except RuntimeError as error:
                lines = str(error).splitlines()
                print(json.dumps({"side": "PyTorch", "network": name, "mode": mode, "error": lines[0]}), flush=True)


if __name__ == "__main__":
    main()
