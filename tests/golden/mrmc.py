"""Golden values for src/mrmc and src/metrics/distribution.rs.

Three made-up studies, each analysed from the formulas of the papers, step by step and without regard to speed:
areas pair by pair; DeLong's covariance matrix from the kernel (DeLong, DeLong and Clarke-Pearson 1988); the
jackknife by computing the area again without each case; the averages of the covariances, F, degrees of freedom and
intervals as Hillis (Statistics in Medicine 2007; marginal means 2014) gives them for Obuchowski and Rockette's model;
Dorfman, Berbaum and Metz's analysis of variance of the pseudovalues by sums of squares over cells. Distributions are
scipy's; intraclass correlations are pingouin's, and its rounded intervals those of Shrout and Fleiss's formulas.

    pip install numpy scipy pingouin
    python tests/golden/mrmc.py > tests/golden/mrmc.json

That the steps below are the methods was checked once with the Van Dyke study, whose data are not part of this project:
they give the numbers that MRMCaov 0.3.0 prints of it, which tests in src/mrmc/published.rs hold.
"""

import itertools
import json
import sys

import numpy as np
import pandas as pd
import pingouin
from scipy import stats


def area(scores, truth):
    """Share of pairs of a positive and a negative case that are in order."""
    wins = 0.0
    for p, q in itertools.product(scores[truth], scores[~truth]):
        wins += 1.0 if p > q else 0.5 if p == q else 0.0
    return wins / (truth.sum() * (~truth).sum())


def delong(scores, truth):
    """Covariances of the areas of all rows of `scores`."""
    kernel = np.array([
        [[1.0 if p > q else 0.5 if p == q else 0.0 for q in row[~truth]] for p in row[truth]]
        for row in scores
    ])
    v10, v01 = kernel.mean(axis=2), kernel.mean(axis=1)
    return np.cov(v10) / truth.sum() + np.cov(v01) / (~truth).sum()


def left_out(scores, truth):
    """Areas without each case: rows of `scores` by cases."""
    n = len(truth)
    keep = [np.arange(n) != k for k in range(n)]
    return np.array([[area(row[k], truth[k]) for k in keep] for row in scores])


def jackknife(scores, truth):
    areas, n = left_out(scores, truth), len(truth)
    apart = areas - areas.mean(axis=1, keepdims=True)
    return (n - 1) / n * apart @ apart.T


def tested(difference, variance, df):
    error = np.sqrt(variance)
    if np.isinf(df):
        p, q = 2 * stats.norm.sf(abs(difference) / error), stats.norm.ppf(0.975)
    else:
        p, q = 2 * stats.t.sf(abs(difference) / error, df), stats.t.ppf(0.975, df)
    return {
        "error": error, "f": (difference / error) ** 2, "degrees": None if np.isinf(df) else df, "p": p,
        "interval": [difference - q * error, difference + q * error],
    }


def obuchowski_rockette(theta, covariance):
    """`theta` by condition and reader; the matrix in the same order, conditions first."""
    t, r = theta.shape
    label = [(i, j) for i in range(t) for j in range(r)]
    groups = {"variance": [], "cov1": [], "cov2": [], "cov3": []}
    for (a, (i, j)), (b, (k, m)) in itertools.product(enumerate(label), repeat=2):
        name = ["cov3", "cov2", "cov1", "variance"][(i == k) + 2 * (j == m)]
        groups[name].append(covariance[a, b])
    of = {name: float(np.mean(values)) for name, values in groups.items()}
    grand = theta.mean()
    rows, columns = theta.mean(axis=1, keepdims=True), theta.mean(axis=0, keepdims=True)
    ms_t = r * ((rows - grand) ** 2).sum() / (t - 1)
    ms_r = t * ((columns - grand) ** 2).sum() / (r - 1)
    ms_tr = ((theta - rows - columns + grand) ** 2).sum() / ((t - 1) * (r - 1))
    difference = theta[1].mean() - theta[0].mean()
    both = ms_tr + max(r * (of["cov2"] - of["cov3"]), 0)
    single, means = [], []
    for i in range(t):
        block = covariance[i * r:(i + 1) * r, i * r:(i + 1) * r]
        cov2 = block[~np.eye(r, dtype=bool)].mean()
        ms = theta[i].var(ddof=1)
        spread = ms + max(r * cov2, 0)
        df = spread ** 2 / (ms ** 2 / (r - 1))
        mean = tested(theta[i].mean(), spread / r, df)
        low, high = mean["interval"]
        single.append({"ms_r": ms, "cov2": cov2})
        means.append({"value": theta[i].mean(), "error": mean["error"], "degrees": df,
                      "interval": [max(low, 0), min(high, 1)]})
    return of | {
        "ms_t": ms_t, "ms_r": ms_r, "ms_tr": ms_tr, "difference": difference, "single": single, "means": means,
        "tests": [
            tested(difference, 2 / r * both, both ** 2 / (ms_tr ** 2 / ((t - 1) * (r - 1)))),
            tested(difference, 2 / r * (of["variance"] - of["cov1"] + (r - 1) * (of["cov2"] - of["cov3"])), np.inf),
            tested(difference, 2 / r * ms_tr, (t - 1) * (r - 1)),
        ],
    }


def dorfman_berbaum_metz(scores, truth):
    t, r, n = scores.shape
    flat = scores.reshape(t * r, n)
    theta = np.array([area(row, truth) for row in flat])
    values = (n * theta[:, None] - (n - 1) * left_out(flat, truth)).reshape(t, r, n)

    def effect(axes):
        """Sum of squares of an effect, by inclusion and exclusion of the means over the other axes."""
        total = np.zeros_like(values)
        for size in range(len(axes) + 1):
            for kept in itertools.combinations(axes, size):
                over = tuple(axis for axis in range(3) if axis not in kept)
                total += (-1) ** (len(axes) - size) * values.mean(axis=over, keepdims=True)
        degrees = np.prod([values.shape[axis] - 1 for axis in axes])
        return (total ** 2).sum() / degrees

    names = {"t": (0,), "r": (1,), "c": (2,), "tr": (0, 1), "tc": (0, 2), "rc": (1, 2), "trc": (0, 1, 2)}
    ms = {name: effect(axes) for name, axes in names.items()}
    difference = values[1].mean() - values[0].mean()
    both = ms["tr"] + max(ms["tc"] - ms["trc"], 0)
    return {
        "mean_squares": ms,
        "tests": [
            tested(difference, 2 / (r * n) * both, both ** 2 / (ms["tr"] ** 2 / ((t - 1) * (r - 1)))),
            tested(difference, 2 / (r * n) * ms["tc"], (t - 1) * (n - 1)),
            tested(difference, 2 / (r * n) * ms["tr"], (t - 1) * (r - 1)),
        ],
    }


def shrout_fleiss(scores):
    """ICC(2,1) and ICC(3,1) of scores by reader and case, with intervals from the paper's formulas."""
    table = np.asarray(scores, dtype=float).T
    n, k = table.shape
    grand = table.mean()
    bms = k * ((table.mean(axis=1) - grand) ** 2).sum() / (n - 1)
    jms = n * ((table.mean(axis=0) - grand) ** 2).sum() / (k - 1)
    ems = (((table - grand) ** 2).sum() - bms * (n - 1) - jms * (k - 1)) / ((n - 1) * (k - 1))
    two = (bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n)
    three = (bms - ems) / (bms + (k - 1) * ems)
    fj = jms / ems
    v = (k - 1) * (n - 1) * (k * two * fj + n * (1 + (k - 1) * two) - k * two) ** 2 / (
        (n - 1) * k ** 2 * two ** 2 * fj ** 2 + (n * (1 + (k - 1) * two) - k * two) ** 2)
    fl, fu = stats.f.ppf(0.975, n - 1, v), stats.f.ppf(0.975, v, n - 1)
    rest = k * jms + (k * n - k - n) * ems
    lower = n * (bms - fl * ems) / (fl * rest + n * bms)
    upper = n * (fu * bms - ems) / (rest + n * fu * bms)
    f0 = bms / ems
    low, high = f0 / stats.f.ppf(0.975, n - 1, (n - 1) * (k - 1)), f0 * stats.f.ppf(0.975, (n - 1) * (k - 1), n - 1)
    long = pd.DataFrame([(case, reader, table[case, reader]) for case in range(n) for reader in range(k)],
                        columns=["case", "reader", "score"])
    theirs = pingouin.intraclass_corr(long, "case", "reader", "score").set_index("Type")
    both = {"agreement": (two, [lower, upper], "ICC(A,1)"),
            "consistency": (three, [(low - 1) / (low + k - 1), (high - 1) / (high + k - 1)], "ICC(C,1)")}
    for value, interval, name in both.values():
        assert abs(theirs.loc[name, "ICC"] - value) < 1e-9, name
        assert np.allclose(theirs.loc[name, "CI95"], np.round(interval, 2), atol=0.0051), name
    return {name: {"value": value, "interval": interval} for name, (value, interval, _) in both.items()}


def study(seed, readers, cases, prevalence, steps, gain, reader_spread):
    """Scores of condition, reader and case: a case's own strength, what each reader sees in it, and chance."""
    rng = np.random.default_rng(seed)
    truth = rng.random(cases) < prevalence
    case = rng.normal(truth * 1.6, 1)
    skill = rng.normal(0, reader_spread, (readers, 1))
    seen = rng.normal(0, 0.5, (readers, cases))
    raw = [case + truth * (skill + condition * gain) + seen + rng.normal(0, 0.7, (readers, cases))
           for condition in range(2)]
    raw = np.array(raw)
    if steps:
        raw = np.clip(np.round((raw + 2) * steps / 6), 1, steps)
    else:
        raw = np.round(np.clip(50 + 15 * raw, 0, 100), 1)
    return truth, raw


def analysed(truth, scores):
    t, r, n = scores.shape
    flat = scores.reshape(t * r, n)
    theta = np.array([area(row, truth) for row in flat]).reshape(t, r)
    return {
        "truth": truth.tolist(), "scores": scores.tolist(), "areas": theta.tolist(),
        "delong": obuchowski_rockette(theta, delong(flat, truth)),
        "jackknife": obuchowski_rockette(theta, jackknife(flat, truth)),
        "dbm": dorfman_berbaum_metz(scores, truth),
        "icc": [shrout_fleiss(scores[condition]) for condition in range(t)],
    }


def distributions():
    f = [(4.484854, 1, 15.06611), (8.704, 1, 4), (0.01, 3.5, 200), (60, 1, 300), (1, 5, 15), (1e4, 1, 7.3),
         (1.2, 113, 456), (0.5, 2, 9e5), (1e-9, 1, 3)]
    q = [(0.025, 5, 15), (0.025, 15, 5), (0.025, 1, 4.79), (0.025, 113, 456), (0.025, 2.3, 9e5), (0.025, 1.2, 1.1),
         (0.5, 3, 3), (1e-6, 4, 50)]
    df = [1, 1.0003, 2, 4, 15.06611, 500.3, 9e5]
    return {
        "f_tail": [[x, a, b, stats.f.sf(x, a, b)] for x, a, b in f],
        "f_quantile": [[p, a, b, stats.f.isf(p, a, b)] for p, a, b in q],
        "t_tails": [[t, d, 2 * stats.t.sf(t, d)] for d in df for t in (1e-3, 2.117747, 12)],
        "t_quantile": [[p, d, stats.t.isf(p / 2, d)] for d in df for p in (0.05, 0.5, 1e-4)],
    }


if __name__ == "__main__":
    studies = [
        analysed(*study(11, 4, 40, 0.4, 5, 0.5, 0.4)),  # steps from 1 to 5, with many ties
        analysed(*study(1, 3, 60, 0.3, None, 0.2, 0.2)),  # a scale from 0 to 100
        analysed(*study(12, 2, 24, 0.5, 10, 0.0, 0.1)),
    ]
    signs = [study["delong"]["cov2"] > study["delong"]["cov3"] for study in studies]
    # In the last, readers share less in a condition than across conditions, and less than nothing in one: both count
    # as nothing.
    assert signs == [True, True, False] and studies[2]["delong"]["single"][1]["cov2"] < 0, signs
    print(json.dumps(distributions() | {"studies": studies}), file=sys.stdout)
