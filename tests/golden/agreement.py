"""Agreement of raters by other people's programs, for src/study/agreement.

    pip install irrCAC krippendorff nltk scikit-learn statsmodels
    python tests/golden/agreement.py > tests/golden/agreement.json

Percent agreement, Fleiss' kappa with missing ratings and AC1 come from irrCAC, Fleiss' kappa of complete
tables once more from statsmodels, Cohen's kappa from scikit-learn (the mean over pairs with a value),
Krippendorff's alpha from krippendorff, and that of sets from nltk. `printed` holds what the papers print.
"""

import itertools
import json
import random
import warnings

import krippendorff
import numpy as np
import pandas as pd
from fractions import Fraction
from irrCAC.raw import CAC
from nltk.metrics.agreement import AnnotationTask
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

warnings.simplefilter("ignore")

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011): four observers, twelve units. The same
# table is Gwet's example of missing ratings (Handbook of Inter-Rater Reliability).
KRIPPENDORFF = [
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
]

# Fleiss, Measuring nominal scale agreement among many raters (1971): 30 patients, six psychiatrists, five
# diagnoses; ratings in the order of the diagnoses, since the paper tells counts only.
FLEISS = """444444 222555 233335 555555 222444 113333 333355 113334 114444 555555
144444 124444 222333 144444 224445 333335 111455 111112 224444 133555
555555 244444 224555 114444 144445 222224 111155 224444 133333 555555""".split()

# Cohen, A coefficient of agreement for nominal scales (1960), frequencies of 200 diagnoses.
COHEN = [[88, 10, 2], [14, 40, 6], [18, 10, 12]]

# Gwet, Computing inter-rater reliability and its variance in the presence of high agreement (2008): 125
# subjects.
GWET = [[118, 5], [2, 0]]


def crossed(table):
    """Ratings of two raters from a table of counts."""
    rows = []
    for a, row in enumerate(table):
        for b, count in enumerate(row):
            rows += [[a, b]] * count
    return rows


def value(number):
    return None if number is None or not np.isfinite(number) else float(number)


def cohen(items, raters, values):
    kappas = []
    for a, b in itertools.combinations(range(raters), 2):
        both = [(i[a], i[b]) for i in items if i[a] is not None and i[b] is not None]
        if both:
            first, second = zip(*both)
            kappa = value(cohen_kappa_score(first, second, labels=list(range(values))))
            if kappa is not None:
                kappas.append(kappa)
    return float(np.mean(kappas)) if kappas else None


def measured(name, items, values, printed=None):
    """`items`: per item the raters' values, None where missing."""
    raters = len(items[0])
    rated = [i for i in items if any(v is not None for v in i)]
    frame = pd.DataFrame([[np.nan if v is None else float(v) for v in i] for i in rated])
    out = {"name": name, "raters": raters, "values": values, "printed": printed or {}}
    out["items"] = [[[r, v] for r, v in enumerate(i) if v is not None] for i in items]
    used = {v for i in items for v in i if v is not None}
    pairs = any(sum(v is not None for v in i) > 1 for i in items)
    if pairs:
        cac = CAC(frame, categories=[float(v) for v in range(values)], digits=15)
        gwet = cac.gwet()["est"]
        out["percent"] = value(gwet["pa"])
        # irrCAC divides by zero where all ratings are the same.
        out["fleiss"] = value(cac.fleiss()["est"]["coefficient_value"]) if len(used) > 1 else None
        out["ac1"] = value(gwet["coefficient_value"])
        data = [[np.nan if i[r] is None else i[r] for i in items] for r in range(raters)]
        paired = {v for i in items if sum(v is not None for v in i) > 1 for v in i if v is not None}
        out["alpha"] = (
            value(krippendorff.alpha(data, level_of_measurement="nominal", value_domain=list(range(values))))
            if len(paired) > 1 else None
        )
        if all(v is not None for i in items for v in i) and out["fleiss"] is not None:
            counts, _ = aggregate_raters(np.array(items), n_cat=values)
            assert abs(fleiss_kappa(counts) - out["fleiss"]) < 1e-12
    else:
        out |= {"percent": None, "fleiss": None, "ac1": None, "alpha": None}
    out["cohen"] = cohen(items, raters, values)
    return out


def jaccard(a, b):
    return 0.0 if a == b else 1 - len(a & b) / len(a | b)


def masi(a, b):
    if a == b:
        return 0.0
    shared = a & b
    m = Fraction(0) if not shared else Fraction(2, 3) if shared in (a, b) else Fraction(1, 3)
    return float(1 - Fraction(len(shared), len(a | b)) * m)


def sets(name, items):
    """`items`: per item the raters' sets, None where missing."""
    out = {"name": name, "raters": len(items[0])}
    out["items"] = [[[r, sorted(s)] for r, s in enumerate(i) if s is not None] for i in items]
    data = [
        (f"r{r}", f"i{n}", frozenset(s))
        for n, i in enumerate(items)
        if sum(s is not None for s in i) > 1
        for r, s in enumerate(i)
        if s is not None
    ]
    for key, distance in [("masi", masi), ("jaccard", jaccard)]:
        out[key] = AnnotationTask(data, distance=distance).alpha()
    return out


def drawn(rng, items, raters, values, missing, agree):
    table = []
    for _ in range(items):
        true = rng.randrange(values)
        row = [true if rng.random() < agree else rng.randrange(values) for _ in range(raters)]
        table.append([None if rng.random() < missing else v for v in row])
    return table


def main():
    rng = random.Random(8)
    canonical = [
        [None if v == "." else int(v) - 1 for v in item]
        for item in zip(*(row.split() for row in KRIPPENDORFF))
    ]
    tables = [
        measured("Krippendorff 2011", canonical, 5, {"alpha": 0.743, "ac1": 0.775, "fleiss": 0.761}),
        measured("Fleiss 1971", [[int(v) - 1 for v in row] for row in FLEISS], 5, {"fleiss": 0.430}),
        measured("Cohen 1960", crossed(COHEN), 3, {"cohen": 0.492}),
        measured("Gwet 2008", crossed(GWET), 2, {"ac1": 0.941, "percent": 0.944, "cohen": -0.023}),
    ]
    for number, (items, raters, values, missing, agree) in enumerate([
        (12, 2, 2, 0.0, 0.5), (40, 3, 2, 0.0, 0.8), (40, 3, 4, 0.3, 0.6), (25, 5, 3, 0.5, 0.4),
        (60, 2, 5, 0.2, 0.7), (30, 4, 2, 0.6, 0.9), (90, 3, 2, 0.1, 0.0), (8, 6, 6, 0.4, 0.5),
    ]):
        tables.append(measured(f"random {number}", drawn(rng, items, raters, values, missing, agree), values))
    tables += [
        measured("all the same", [[1, 1, 1]] * 5, 2),
        measured("all the same, some missing", [[1, None, 1], [1, 1, None], [1, 1, 1]], 3),
        measured("no pair", [[0, None], [None, 1], [None, None]], 2),
        measured("one pair", [[0, 1], [None, 1]], 2),
        measured("opposite", [[0, 1], [1, 0], [0, 1], [1, 0]], 2),
        measured("one rater constant", [[0, 0], [1, 0], [0, 0], [1, 0], [1, 0]], 2),
        measured("a single odd one out", [[0, 0, 0]] * 9 + [[0, 0, 1]], 2),
    ]
    terms = ["mass", "calc", "vessel", "spiculated", "dense"]
    collections = []
    for number, (items, raters, missing) in enumerate([(30, 2, 0.0), (30, 3, 0.3), (12, 5, 0.5)]):
        table = []
        for _ in range(items):
            base = {t for t in terms if rng.random() < 0.4}
            row = [{t for t in terms if (t in base) != (rng.random() < 0.2)} for _ in range(raters)]
            table.append([None if rng.random() < missing else s for s in row])
        collections.append(sets(f"random {number}", table))
    print(json.dumps({"tables": tables, "sets": collections}, separators=(",", ":")))


main()
