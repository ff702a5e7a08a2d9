"""Golden values for src/training/loss.rs. Run: python tests/golden/loss.py > tests/golden/loss.json   (needs torch)"""
import json
import torch

torch.manual_seed(3)
cases = []
for count, weights in [(5, None), (6, [1.0, 2.5]), (1, [0.3, 4.0]), (7, [0.5, 1.0, 3.0]), (4, None), (4, [10.0, 0.1])]:
    classes = len(weights) if weights else 2 + count % 2
    logits = (torch.randn(count, classes) * 4).requires_grad_()
    if count == 4:
        logits = (torch.randn(count, classes) * 60).requires_grad_()
    truth = torch.randint(0, classes, (count,))
    weight = torch.tensor(weights) if weights else None
    loss = torch.nn.CrossEntropyLoss(weight=weight)(logits, truth)
    loss.backward()
    cases.append({"logits": logits.tolist(), "truth": truth.tolist(), "weights": weights,
                  "loss": loss.item(), "gradient": logits.grad.tolist()})
print(json.dumps(cases))
