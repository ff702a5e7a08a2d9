"""Seconds that OpenCLIP's own code takes to see 1,000 images by CLIP's ViT-B/32, on two threads of the processor: beside
the rate that `unit-atlas name` tells of "patches as the namer sees them". Weights are random: they make no difference.
Run: python benches/open_clip.py  (PyTorch 2.x, open_clip_torch 3)
"""

import time

import open_clip
import torch

BATCH, ROUNDS = 32, 8

torch.set_num_threads(2)
model = open_clip.create_model("ViT-B-32-quickgelu").eval()
images = torch.randn(BATCH, 3, 224, 224)
with torch.no_grad():
    model.encode_image(images)
    start = time.perf_counter()
    for _ in range(ROUNDS):
        model.encode_image(images)
print(f"{(time.perf_counter() - start) / (BATCH * ROUNDS) * 1000:.0f} s for 1,000 images")
