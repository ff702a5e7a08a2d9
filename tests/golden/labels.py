"""Golden values for patch::label, from numpy alone: masks by testing every pixel centre, fractions by
summing slices. Writes labels.json beside this script."""

import json
from pathlib import Path

import numpy as np
from scipy import ndimage

WIDTH, HEIGHT, EDGE, STEP = 200, 160, 40, 20
MIN_LESION, MIN_PATCH = 0.3, 0.3
# [x, y, radius], or a polygon of integer corners; along each edge one of dx and dy is even and the other
# odd, so that no pixel centre lies on an edge and no rule for ties matters.
LESIONS = [
    {"malignant": True, "circles": [[50, 60, 18]], "polygons": []},
    {"malignant": True, "circles": [[70, 62, 15], [195, 5, 30]], "polygons": []},
    {"malignant": False, "circles": [[120, 120, 30]], "polygons": []},
    {"malignant": True, "circles": [], "polygons": [[[100, 90], [171, 100], [150, 158], [103, 140]]]},
    {"malignant": True, "circles": [[20, 140, 4]], "polygons": []},
]


def circle(x, y, radius):
    row, column = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    return (column - x) ** 2 + (row - y) ** 2 < radius**2


def polygon(corners):
    # Convex, clockwise on screen: inside is to the right of every edge.
    row, column = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    inside = np.ones((HEIGHT, WIDTH), bool)
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1]):
        inside &= (bx - ax) * (row - ay) - (by - ay) * (column - ax) > 0
    return inside


masks = []
for lesion in LESIONS:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for c in lesion["circles"]:
        mask |= circle(*c)
    for p in lesion["polygons"]:
        mask |= polygon(p)
    if lesion["malignant"]:
        masks.append(mask)
union = np.logical_or.reduce(masks)
# Every malignant lesion numbered on its own layer; ndimage sums what a window holds of each.
windows = []
for y in range(0, HEIGHT - EDGE + 1, STEP):
    for x in range(0, WIDTH - EDGE + 1, STEP):
        window = np.zeros((HEIGHT, WIDTH), int)
        window[y : y + EDGE, x : x + EDGE] = 1
        lesion = max(float(ndimage.sum_labels(m, window, 1)) / m.sum() for m in masks)
        patch = float(ndimage.sum_labels(union, window, 1)) / EDGE**2
        positive = lesion >= MIN_LESION or patch >= MIN_PATCH
        windows.append([x, y, bool(positive), round(lesion, 9), round(patch, 9)])
out = {
    "width": WIDTH, "height": HEIGHT, "edge": EDGE,
    "min_lesion": MIN_LESION, "min_patch": MIN_PATCH,
    "lesions": LESIONS, "windows": windows,
}
Path(__file__).with_name("labels.json").write_text(json.dumps(out) + "\n")
