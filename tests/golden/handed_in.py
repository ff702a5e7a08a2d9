"""Golden values for formats::table and formats::masks: what pandas, openpyxl, Pillow and tifffile make of files.

    python tests/golden/handed_in.py OUT.json [COUNT] [SEED]

Makes up COUNT tables and as many masks, in the forms that programs write them and some that people break, and
writes them with what the field's libraries read in them: {"tables": [{name, bytes, encoding, columns, rows}],
"masks": [{name, bytes, stored, bright}]}. bytes are base64. rows are those of pandas without blank ones, null
where it refuses the file. stored are values pixel by pixel as the file has them, bright whether a pixel is
brighter than half of the brightest as it is shown (1) or not (0); null where they are not of two values.
handed_in.json beside this script is the output for 60; for more, see tests/fuzz/README.md.

pip install pandas openpyxl pillow tifffile numpy"""

import base64
import csv
import io
import json
import random
import struct
import sys
import zlib

import numpy as np
import openpyxl
import pandas as pd
import tifffile
from PIL import Image

COLUMNS = ["image", "patient", "view", "words", "value"]
WORDS = [
    "a.png", "b c.png", "P 1", "12", "4.0", "1.5", "NA", "nan", "CC", "MLO", "ML", "BI-RADS 4", "", "", "", " ", "a, b", "x;y",
    "tab\there", 'six" wide', '"', "it's", "Jäger", "Ångström", "-1", "=1+1", "0012", "true", "#N/A",
]
PROSE = ["two\nlines", "two\r\nlines", "comma,\nsecond"]


def text_table(rng):
    columns = rng.sample(COLUMNS, rng.randint(2, 5))
    columns = ["image"] + [c for c in columns if c != "image"]
    rows = []
    for _ in range(rng.randint(0, 7)):
        row = [rng.choice(WORDS) for _ in columns]
        if "words" in columns and rng.random() < 0.2:
            row[columns.index("words")] = rng.choice(PROSE)
        rows.append(row)
    separator = rng.choice(",,,;\t")
    end = rng.choice(["\n", "\n", "\r\n", "\r"])
    out = io.StringIO()
    # Old Macs' line breaks would be line breaks within a value too.
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    writer = csv.writer(out, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerow(columns)
    writer.writerows(rows)
    text = out.getvalue()
    if rng.random() < 0.2:
        text = text.rstrip("\r\n")
    if rng.random() < 0.2:
        text += (separator * (len(columns) - 1) + end) * rng.randint(1, 3)
    skip = 0
    if rng.random() < 0.15:
        text, skip = f"sep={separator}{end}{text}", 1
    form = rng.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
    # Broken as hands and torn downloads break it.
    mutation = rng.random()
    if mutation < 0.3 and len(text) > 2:
        at = rng.randrange(len(text))
        kind = rng.randrange(4)
        if kind == 0:
            text = text[:at] + text[at + 1:]
        elif kind == 1:
            text = text[:at] + rng.choice(['"', separator, "\n", "x"]) + text[at:]
        elif kind == 2:
            text = text[:at]
        else:
            text = text[:at] + text[at:].replace('"', "", 1)
    data = text.encode(form)
    shown = {"cp1252": "windows-1252"}.get(form)
    # What both are told alike: the separator and the encoding. Blank cells beyond the header are nothing.
    def beyond(cells):
        if any(cell.strip() for cell in cells[len(columns):]):
            raise ValueError("a value beyond the header")
        return cells[:len(columns)]

    told = dict(sep=separator, skiprows=skip, dtype=str, keep_default_na=False, na_filter=False, encoding=form, index_col=False)
    try:
        try:
            frame = pd.read_csv(io.BytesIO(data), on_bad_lines="error", **told)
        except pd.errors.ParserError:
            frame = pd.read_csv(io.BytesIO(data), engine="python", on_bad_lines=beyond, **told)
        names = [str(c).strip().lower() for c in frame.columns]
        # A cell that a short row lacks is NaN, which is not itself.
        rows = [["" if v != v or not v.strip() else v for v in row] for row in frame.to_numpy().tolist()]
        rows = [row for row in rows if any(row)]
    except Exception:
        names, rows = columns, None
    return {"name": "t.csv", "bytes": data, "encoding": shown, "columns": names, "rows": rows}


def workbook(rng):
    columns = ["image"] + rng.sample([c for c in COLUMNS if c != "image"], rng.randint(1, 4))
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(columns)
    values = [w for w in WORDS if not w.startswith(("=", "#")) and w.strip()] + [4, 4.0, 1.5, 12, 0.1, True, None, None, 1e6]
    for _ in range(rng.randint(0, 7)):
        sheet.append([rng.choice(values) for _ in columns])
    out = io.BytesIO()
    book.save(out)

    def shown(value):
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, float) and value == int(value):
            return str(int(value))
        return str(value)

    rows = [[shown(v) for v in row] for row in openpyxl.load_workbook(io.BytesIO(out.getvalue())).active.values]
    rows = [row for row in rows[1:] if any(v.strip() for v in row)]
    name = rng.choice(["t.xlsx", "t.csv"])
    return {"name": name, "bytes": out.getvalue(), "encoding": None, "columns": columns, "rows": rows}


def png(width, height, depth, color, lines, chunks):
    """A PNG of packed lines; Pillow writes no greys of 2 and 4 bits."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + line for line in lines))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunk(*c) for c in chunks) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def packed(values, depth):
    bits = "".join(f"{v:0{depth}b}" for v in values)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def mask(rng):
    width, height = rng.randint(3, 20), rng.randint(3, 12)
    many = rng.choice([2, 2, 3, 4])
    labels = np.zeros((height, width), int)
    for value in range(1, many):
        x, y = rng.randrange(width - 1), rng.randrange(height - 1)
        labels[y:y + rng.randint(1, 5), x:x + rng.randint(1, 6)] = value
    out = io.BytesIO()
    kind = rng.choice(["L", "L2", "L4", "1", "P", "P4", "LA", "RGBA", "I;16", "tiff1", "tiff8", "tiff16", "tiff32", "tiffP", "tiffPIL1"])
    stored = labels
    if kind == "L":
        stored = labels * rng.choice([1, 60, 85])
        Image.fromarray(stored.astype(np.uint8)).save(out, "PNG")
    elif kind in ("L2", "L4"):
        depth = int(kind[1])
        out.write(png(width, height, depth, 0, [packed(row, depth) for row in labels], []))
    elif kind == "1":
        stored = (labels > 0).astype(int)
        Image.fromarray(stored.astype(bool)).save(out, "PNG")
    elif kind in ("P", "P4"):
        image = Image.fromarray(labels.astype(np.uint8), "P")
        image.putpalette(bytes(rng.randrange(256) for _ in range(3 * many)))
        image.save(out, "PNG", **({"bits": 4} if kind == "P4" else {}))
    elif kind in ("LA", "RGBA"):
        stored = labels * 80
        alpha = np.where(labels == 0, rng.choice([0, 255]), 255)
        colours = [stored] * (1 if kind == "LA" else 3) + [alpha]
        Image.fromarray(np.stack(colours, -1).astype(np.uint8), kind).save(out, "PNG")
    elif kind == "I;16":
        stored = labels * 700
        Image.fromarray(stored.astype(np.uint16)).save(out, "PNG")
    elif kind in ("tiff1", "tiff8", "tiff16", "tiff32"):
        types = {"tiff1": bool, "tiff8": np.uint8, "tiff16": np.uint16, "tiff32": np.int32}
        values = (labels > 0) if kind == "tiff1" else labels
        photometric = "minisblack" if kind == "tiff32" else rng.choice(["minisblack", "miniswhite"])
        tifffile.imwrite(out, values.astype(types[kind]), photometric=photometric)
        stored = values.astype(int)
    elif kind == "tiffP":
        image = Image.fromarray(labels.astype(np.uint8), "P")
        image.putpalette(bytes(rng.randrange(256) for _ in range(768)))
        image.save(out, "TIFF")
    elif kind == "tiffPIL1":
        stored = (labels > 0).astype(int)
        Image.fromarray(stored.astype(bool)).save(out, "TIFF")
    data = out.getvalue()
    if kind.startswith("tiff"):
        # What tifffile reads is what is stored, but for bits.
        assert np.array_equal(np.asarray(tifffile.imread(io.BytesIO(data))).astype(int), stored), kind
    image = Image.open(io.BytesIO(data))
    if kind in ("P", "P4", "tiffP"):
        assert np.array_equal(np.asarray(image), stored), kind
    if kind == "tiff16" and photometric == "miniswhite":
        shown = 65535 - np.asarray(image).astype(int)
    elif image.mode in ("I;16", "I;16B", "I"):
        shown = np.asarray(image).astype(int)
    elif image.mode in ("LA", "RGBA"):
        pixels = np.asarray(image).astype(int)
        shown = np.where(pixels[..., -1] >= 128, pixels[..., 0], 0)
    else:
        shown = np.asarray(image.convert("L")).astype(int)
    values = set(shown.ravel().tolist())
    bright = None
    if len(values) == 2 and min(values) <= max(values) // 8:
        bright = (shown > max(values) // 2).astype(int).ravel().tolist()
    return {"name": kind, "bytes": data, "stored": stored.astype(int).ravel().tolist(), "bright": bright}


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    tables = [workbook(rng) if i % 6 == 5 else text_table(rng) for i in range(count)]
    masks = [mask(rng) for _ in range(count)]
    for one in tables + masks:
        one["bytes"] = base64.b64encode(one["bytes"]).decode()
    with open(sys.argv[1], "w") as file:
        file.write('{"tables": [\n' + ",\n".join(map(json.dumps, tables)) + '\n], "masks": [\n' + ",\n".join(map(json.dumps, masks)) + "\n]}\n")


main()
