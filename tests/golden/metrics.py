"""Golden values for src/training/metrics.rs: scikit-learn's AUC and ROC curve, DeLong's variance pair by pair.

Run: python tests/golden/metrics.py > tests/golden/metrics.json   (needs numpy and scikit-learn)
"""
import json
import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

rng = np.random.default_rng(7)


def delong_variance(positives, negatives):
    """DeLong et al. 1988, equation by equation."""
    p, n = positives[:, None], negatives[None, :]
    psi = (p > n) + 0.5 * (p == n)
    v10, v01 = psi.mean(axis=1), psi.mean(axis=0)
    return v10.var(ddof=1) / len(positives) + v01.var(ddof=1) / len(negatives)


def case(positives, negatives):
    positives, negatives = (np.asarray(v, dtype=np.float64) for v in (positives, negatives))
    truth = np.r_[np.ones(len(positives)), np.zeros(len(negatives))]
    scores = np.r_[positives, negatives]
    fpr, tpr, _ = roc_curve(truth, scores, drop_intermediate=False)
    return {
        "positives": positives.tolist(),
        "negatives": negatives.tolist(),
        "auc": roc_auc_score(truth, scores),
        "variance": delong_variance(positives, negatives),
        "roc": np.c_[fpr, tpr].tolist(),
    }


cases = [
    case([0.9, 0.8, 0.3], [0.1, 0.3, 0.5, 0.2]),
    case(rng.integers(0, 6, 30) + 1, rng.integers(0, 6, 50)),
    case(np.round(rng.normal(0.5, 1, 40), 1).astype(np.float32), np.round(rng.normal(0, 1, 25), 1).astype(np.float32)),
    case([1, 1, 1, 2], [1, 1, 0, 2]),
    case(rng.normal(1, 1, 25).astype(np.float32), rng.normal(0, 1, 35).astype(np.float32)),
]
print(json.dumps(cases))
