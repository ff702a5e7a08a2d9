"""Golden values for src/training/pooling.rs: probabilities of a mammogram by its patches, the loss and its gradient by
PyTorch's automatic differentiation. Run: python tests/golden/pooling.py > tests/golden/pooling.json   (needs torch)"""
import json
import math

import torch

torch.manual_seed(11)


def probabilities(pooling, share, classes, outputs):
    logits = outputs[:, :classes]
    if pooling == "attention":
        v, g = outputs[:, classes:].chunk(2, dim=1)
        weights = torch.softmax((torch.tanh(v) * torch.sigmoid(g)).sum(1), dim=0)
        return torch.softmax(weights @ logits, dim=0)
    of_patches = torch.softmax(logits, dim=1)
    above = []
    for cut in range(1, classes):
        share_above = of_patches[:, cut:].sum(1)
        if pooling == "noisy_or":
            above.append(1 - torch.prod(1 - share_above))
        else:
            above.append(torch.topk(share_above, max(1, math.ceil(share * len(outputs)))).values.mean())
    bounds = [torch.tensor(1.0, dtype=torch.float64), *above, torch.tensor(0.0, dtype=torch.float64)]
    return torch.stack([bounds[k] - bounds[k + 1] for k in range(classes)])


cases = []
for pooling in ("noisy_or", "top_k", "attention"):
    for classes in (2, 3):
        for count, scale in ((1, 1.0), (7, 1.0), (12, 3.0), (5, 0.2)):
            beside = 6 if pooling == "attention" else 0
            # Numbers that single precision holds.
            outputs = (torch.randn(count, classes + beside) * scale).float().double().requires_grad_()
            truth = int(torch.randint(0, classes, (1,)))
            found = probabilities(pooling, 0.3, classes, outputs)
            loss = -torch.log(found[truth])
            loss.backward()
            cases.append({"pooling": pooling, "share": 0.3, "classes": classes, "outputs": outputs.tolist(),
                          "truth": truth, "probabilities": found.tolist(), "loss": loss.item(),
                          "gradient": outputs.grad.tolist()})
print(json.dumps(cases))
