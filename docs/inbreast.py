#!/usr/bin/env python3
"""INbreast as a table for the source `folder` of unit-atlas.

    python3 inbreast.py FOLDER > inbreast.jsonl

FOLDER holds INbreast.csv, AllDICOMs/ and AllXML/ as they were distributed. INbreast has no pathology of
single lesions: as in most work with it, BI-RADS 4 to 6 counts as malignant and 1 to 3 as benign. Only
Python's own library is needed. The table names files relative to where it is run."""

import csv
import json
import pathlib
import plistlib
import re
import sys

# Names of INbreast's regions, in small letters, and terms of the lexicon. Regions of other names, such
# as the pectoral muscle, are no lesions.
TERMS = {
    "mass": ["mass"],
    "spiculated region": ["mass", "margin-spiculated"],
    "spiculated mass": ["mass", "margin-spiculated"],
    "calcification": ["calcifications"],
    "calcifications": ["calcifications"],
    "cluster": ["calcifications", "distribution-grouped"],
    "distortion": ["architectural-distortion"],
    "assymetry": ["asymmetry-focal"],
    "asymmetry": ["asymmetry-focal"],
}


def lesions(path):
    """The named polygons of one XML file; single points are squares of three pixels."""
    if not path.is_file():
        return
    with open(path, "rb") as file:
        images = plistlib.load(file)["Images"]
    for roi in (roi for image in images for roi in image["ROIs"]):
        terms = TERMS.get(roi["Name"].strip().lower())
        if terms is None:
            continue
        points = [[float(v) for v in re.findall(r"-?[\d.]+", point)] for point in roi["Point_px"]]
        if not points:
            continue
        if len(points) < 3:
            x, y = points[0]
            points = [[x - 1, y - 1], [x + 2, y - 1], [x + 2, y + 2], [x - 1, y + 2]]
        yield {"terms": terms, "words": roi["Name"].strip(), "polygon": points}


def main():
    folder = pathlib.Path(sys.argv[1])
    # <file name>_<patient's code>_MG_<side>_<view>_ANON.dcm
    images = {path.name.split("_")[0]: path for path in sorted((folder / "AllDICOMs").glob("*.dcm"))}
    with open(folder / "INbreast.csv", newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file, delimiter=";"):
            row = {key.strip(): (value or "").strip() for key, value in row.items() if key}
            number = row["File Name"]
            if number not in images:
                print(f"{number}: no image", file=sys.stderr)
                continue
            path = images[number]
            grade = int(re.match(r"\d", row["Bi-Rads"]).group())
            image = {
                "image": str(path),
                "id": f"inbreast-{number}",
                "patient": path.name.split("_")[1],
                "laterality": row["Laterality"],
                "view": "CC" if row["View"] == "CC" else "MLO",
            }
            if row["ACR"] in ("1", "2", "3", "4"):
                image["density"] = row["ACR"]
            found = list(lesions(folder / "AllXML" / f"{number}.xml"))
            for lesion in found:
                pathology = "malignant" if grade >= 4 else "benign"
                print(json.dumps({**image, "pathology": pathology, "assessment": min(grade, 5), **lesion}))
            if not found:
                # BI-RADS 4 and more without an outline is a cancer whose place is not known.
                print(json.dumps({**image, "pathology": "malignant"} if grade >= 4 else image))


main()
