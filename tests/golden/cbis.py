"""Golden values for source::cbis_ddsm: what the description tables hold, counted with Python's csv
module. Run with the folder of the tables (no part of this project); writes cbis.json beside this
script: per table its rows, patients, views, lesions by pathology, and lesions by each keyword."""

import collections
import csv
import json
import pathlib
import sys

WORDS = {"mass": ["mass shape", "mass margins"], "calc": ["calc type", "calc distribution"]}
GRADES = {"MALIGNANT": "malignant", "BENIGN": "benign", "BENIGN_WITHOUT_CALLBACK": "benign"}

result = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*_case_description_*_set.csv")):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    keywords = collections.Counter()
    for row in rows:
        for column in WORDS[path.name[:4]]:
            keywords.update({word for word in row[column].split("-") if word not in ("", "NA", "N/A")})
    result[path.name] = {
        "rows": len(rows),
        "patients": len({row["patient_id"] for row in rows}),
        "views": len({(row["patient_id"], row["left or right breast"], row["image view"]) for row in rows}),
        "pathology": collections.Counter(GRADES[row["pathology"]] for row in rows),
        "keywords": keywords,
    }

out = json.dumps(result, indent=1, sort_keys=True)
pathlib.Path(__file__).with_name("cbis.json").write_text(out + "\n")
