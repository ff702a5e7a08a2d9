"""Golden values for src/metrics/: scikit-learn's AUC, partial AUC, ROC and precision-recall curves, average
precision, Brier score and calibration curve; scipy's Wilson interval; DeLong's variance and paired test.

DeLong is written out pair by pair after the 1988 paper, and checked here against the fast form of Sun and
Xu (2014) by midranks, the formula of the widely used github.com/yandexdataschool/roc_comparison.

Run: python tests/golden/metrics.py > tests/golden/metrics.json   (needs numpy, scipy and scikit-learn)
"""
import json
import numpy as np
from scipy.stats import binomtest, norm, rankdata
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score, brier_score_loss, precision_recall_curve, roc_auc_score, roc_curve,
)

rng = np.random.default_rng(7)


def placements(positives, negatives):
    p, n = positives[:, None], negatives[None, :]
    psi = (p > n) + 0.5 * (p == n)
    return psi.mean(axis=1), psi.mean(axis=0)


def delong_covariance(first, second):
    """DeLong et al. 1988, equation by equation; of classifiers as (positives, negatives)."""
    v10, v01 = zip(placements(*first), placements(*second))
    m, n = len(first[0]), len(first[1])
    slow = np.cov(v10) / m + np.cov(v01) / n
    ranks = [[rankdata(v) for v in (np.r_[p, q], p, q)] for p, q in (first, second)]
    fast = (np.cov([(z[:m] - x) / n for z, x, _ in ranks]) / m
            + np.cov([1 - (z[m:] - y) / m for z, _, y in ranks]) / n)
    assert np.allclose(slow, fast, atol=1e-14)
    return slow


def operating_point(positives, negatives, share, of):
    """Target, threshold (none: above all), hits, true negatives."""
    best = None
    for threshold in [None, *sorted(set(np.r_[positives, negatives]), reverse=True)]:
        at = np.inf if threshold is None else threshold
        hits, rejected = int((positives >= at).sum()), int((negatives < at).sum())
        held, wanted = (rejected / len(negatives), hits) if of == "specificity" else (hits / len(positives), rejected)
        other = rejected if of == "specificity" else hits
        if held >= share and (best is None or (wanted, other) > best[0]):
            best = (wanted, other), [share, threshold, hits, rejected]
    return best[1]


def probabilistic_f1(truth, scores):
    """As the RSNA's contest on screening mammography scored it, from its definitions of precision and recall."""
    scores = scores.clip(0, 1)
    hits, alarms = scores[truth == 1].sum(), scores[truth == 0].sum()
    precision, recall = hits / (hits + alarms), hits / (truth == 1).sum()
    return 2 * precision * recall / (precision + recall)


def case(positives, negatives, other=None):
    positives, negatives = (np.asarray(v, dtype=np.float32).astype(np.float64) for v in (positives, negatives))
    truth = np.r_[np.ones(len(positives)), np.zeros(len(negatives))]
    scores = np.r_[positives, negatives]
    if other is None:
        noise = lambda v: np.round(v + rng.normal(0, 1, len(v)) * scores.std(), 1)
        other = noise(positives), noise(negatives)
    other = [np.asarray(v, dtype=np.float32).astype(np.float64) for v in other]
    fpr, tpr, _ = roc_curve(truth, scores, drop_intermediate=False)
    precision, recall, _ = precision_recall_curve(truth, scores, drop_intermediate=True)
    covariance = delong_covariance((positives, negatives), other)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    difference = roc_auc_score(truth, scores) - roc_auc_score(truth, np.r_[other[0], other[1]])
    at_specificity = [operating_point(positives, negatives, s, "specificity") for s in (0.8, 0.9, 0.95)]
    wilson = binomtest(at_specificity[0][2], len(positives)).proportion_ci(method="wilson")
    calibration = None
    if scores.min() >= 0 and scores.max() <= 1:
        observed, predicted = calibration_curve(truth, scores, n_bins=10)
        # The edges of scikit-learn's bins are linspace's, which are not quite tenths.
        index = np.searchsorted(np.arange(1, 10) / 10, scores)
        assert len(set(index)) == len(observed)
        error = sum(abs(truth[index == i].mean() - scores[index == i].mean()) * (index == i).mean() for i in set(index))
        calibration = {
            "brier": brier_score_loss(truth, scores),
            "expected_error": error,
            "bins": np.c_[predicted, observed].tolist(),
        }
    return {
        "positives": positives.tolist(),
        "negatives": negatives.tolist(),
        "auc": roc_auc_score(truth, scores),
        "variance": covariance[0, 0],
        "partial_auc": [[most, roc_auc_score(truth, scores, max_fpr=most)] for most in (0.1, 0.25, 0.9)],
        "probabilistic_f1": probabilistic_f1(truth, scores),
        "roc": np.c_[fpr, tpr].tolist(),
        "precision_recall": np.c_[recall, precision][::-1].tolist(),
        "average_precision": average_precision_score(truth, scores),
        "at_specificity": at_specificity,
        "at_sensitivity": [operating_point(positives, negatives, s, "sensitivity") for s in (0.8, 0.9, 0.95)],
        "wilson": [wilson.low, wilson.high],
        "calibration": calibration,
        "other": {
            "positives": other[0].tolist(),
            "negatives": other[1].tolist(),
            "difference": difference,
            "variance": variance,
            "p": 2 * norm.sf(abs(difference) / np.sqrt(variance)) if variance > 0 else float(difference == 0),
        },
    }


def beta(a, b, count, digits=2):
    return np.round(rng.beta(a, b, count), digits)


cases = [
    case([0.9, 0.8, 0.3], [0.1, 0.3, 0.5, 0.2]),
    case(rng.integers(0, 6, 30) + 1, rng.integers(0, 6, 50)),
    case(np.round(rng.normal(0.5, 1, 40), 1), np.round(rng.normal(0, 1, 25), 1)),
    case([1, 1, 1, 2], [1, 1, 0, 2]),
    case(rng.normal(1, 1, 25), rng.normal(0, 1, 35)),
    # Probabilities with many ties, few positives among many negatives, as patches are.
    case(beta(3, 2, 40), beta(1, 4, 260), (beta(3, 1.2, 40), beta(1, 3, 260))),
    case(beta(5, 2, 20, 1), beta(2, 5, 60, 1), (beta(2, 2, 20, 1), beta(2, 2, 60, 1))),
]
print(json.dumps(cases))
