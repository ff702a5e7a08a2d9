"""Golden values for src/training/sgd.rs. Run: python tests/golden/sgd.py > tests/golden/sgd.json   (needs torch)"""
import json
import torch

start, coefficients = [0.5, -1.25, 3.0, 0.0], [1.0, 0.5, -0.25, 2.0]
settings = {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}
p = torch.tensor(start, requires_grad=True)
c = torch.tensor(coefficients)
optimiser = torch.optim.SGD([p], **settings)
steps = []
for _ in range(4):
    optimiser.zero_grad()
    (c * p * p).sum().backward()
    optimiser.step()
    steps.append(p.detach().tolist())
print(json.dumps({"start": start, "coefficients": coefficients, **settings, "steps": steps}))
