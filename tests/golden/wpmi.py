#!/usr/bin/env python3
"""wpmi.json: soft WPMI as CLIP-Dissect's code computes it (Oikarinen and Weng, ICLR 2023; `similarity.soft_wpmi`).

usage: wpmi.py SIMILARITY.PY > wpmi.json

SIMILARITY.PY is that file of https://github.com/Trustworthy-ML-Lab/CLIP-dissect; needs torch, scipy, matplotlib and
tqdm, which it imports. Random cosines of 30 patches with 7 terms, random scores of 5 units.
"""

import importlib.util
import json
import sys

import torch

spec = importlib.util.spec_from_file_location("similarity", sys.argv[1])
similarity = importlib.util.module_from_spec(spec)
spec.loader.exec_module(similarity)

torch.manual_seed(1)
cosines = (torch.rand(30, 7) * 0.4).round(decimals=4)
scores = torch.rand(30, 5)
count = 8
sys.stdout, out = sys.stderr, sys.stdout
wpmi = similarity.soft_wpmi(cosines, scores, top_k=count, device="cpu")
top = torch.topk(scores, dim=0, k=count)[1].T
rounded = lambda table: [[round(value, 6) for value in row] for row in table.tolist()]
json.dump({"cosines": rounded(cosines), "top": top.tolist(), "wpmi": rounded(wpmi)}, out)
