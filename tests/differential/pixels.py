"""Files for the differential test of formats: DICOM and pictures as they are found.

    python3 pixels.py FOLDER [COUNT]     # at least 500 of each kind without COUNT
    UNIT_ATLAS_DIFFERENTIAL=FOLDER cargo test -p unit-atlas-formats differential -- --ignored --nocapture

Writes made-up images to FOLDER in many containers, codings and value types, and files.json: of each
file its size, the CRC-32 of its values and how far they may be off. The values are what the field's
libraries (pydicom, Pillow, tifffile) read from the file; of DICOM that departs from the standard so far
that pydicom gives up they are what was written. DICOM's values are the stored bits as 16-bit
little-endian words; pictures' are grey values of 8 bits: bytes as they are, of other values the least
is black and the greatest white, turned as the file's tag says.

With --golden as the count, writes a file of each kind into ../golden/found, which every `cargo test`
reads.

pip install numpy pillow pydicom tifffile imagecodecs pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg \
    pylibjpeg-rle pyjpegls"""

import io
import json
import pathlib
import random
import struct
import sys
import warnings
import zlib

import imagecodecs
import numpy as np
import pydicom
import tifffile
from PIL import Image, ImageOps

from smooth import picture

warnings.simplefilter("ignore")
IMPLICIT, EXPLICIT, DEFLATED, BIG = (
    "1.2.840.10008.1.2" + end for end in ("", ".1", ".1.99", ".2")
)
JPEG, JPEG12, LOSSLESS, LOSSLESS1, LS, NEAR, J2K, J2K_ANY, RLE, HT, HT_RPCL = (
    "1.2.840.10008.1.2" + end
    for end in (
        ".4.50", ".4.51", ".4.57", ".4.70", ".4.80", ".4.81", ".4.90", ".4.91", ".5", ".4.201",
        ".4.202",
    )
)
LONG = {"OB", "OW", "SQ", "UN", "UT", "UC", "UR", "OF", "OD", "OL", "OV", "SV", "UV"}


# --- DICOM -----------------------------------------------------------------------------------------


def element(tag, kind, value, implicit, big):
    order = ">" if big else "<"
    group, number = tag
    if isinstance(value, list):
        return sequence(tag, value, implicit, big)
    if isinstance(value, int):
        value = struct.pack(order + "H", value)
    elif isinstance(value, str):
        value = value.encode()
    if len(value) % 2:
        value += b"\0" if kind in ("UI", "OB", "UN") else b" "
    head = struct.pack(order + "HH", group, number)
    if implicit:
        return head + struct.pack("<I", len(value)) + value
    if kind in LONG:
        return head + kind.encode() + b"\0\0" + struct.pack(order + "I", len(value)) + value
    return head + kind.encode() + struct.pack(order + "H", len(value)) + value


class Items(list):
    """Items of a sequence, and how their ends are written."""

    def __init__(self, items, undefined=False, item_end=True, end=True, kind="SQ"):
        super().__init__(items)
        self.undefined, self.item_end, self.end, self.kind = undefined, item_end, end, kind


def sequence(tag, items, implicit, big):
    order = ">" if big else "<"
    inner_implicit = implicit or items.kind == "UN"
    body = b""
    for item in items:
        content = b"".join(element(*part, inner_implicit, big) for part in item)
        if items.undefined:
            body += struct.pack(order + "HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + content
            body += struct.pack(order + "HHI", 0xFFFE, 0xE00D, 0) if items.item_end else b""
        else:
            body += struct.pack(order + "HHI", 0xFFFE, 0xE000, len(content)) + content
    if items.undefined and items.end:
        body += struct.pack(order + "HHI", 0xFFFE, 0xE0DD, 0)
    length = 0xFFFFFFFF if items.undefined else len(body)
    head = struct.pack(order + "HH", *tag)
    if implicit:
        return head + struct.pack("<I", length) + body
    return head + items.kind.encode() + b"\0\0" + struct.pack(order + "I", length) + body


def encapsulated(stream, fragments=1, table=b"", end=True):
    out = struct.pack("<HHI", 0xFFFE, 0xE000, len(table)) + table
    if len(stream) % 2:
        stream += b"\0"
    step = max(2, (len(stream) // fragments + 1) // 2 * 2)
    for begin in range(0, len(stream), step):
        part = stream[begin : begin + step]
        out += struct.pack("<HHI", 0xFFFE, 0xE000, len(part)) + part
    return out + (struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) if end else b"")


def rle(planes):
    segments = []
    for plane in planes:
        out, at = b"", 0
        while at < len(plane):
            run = 1
            while at + run < len(plane) and plane[at + run] == plane[at] and run < 128:
                run += 1
            if run > 2:
                out += bytes([257 - run, plane[at]])
            else:
                run = min(run, len(plane) - at)
                out += bytes([run - 1]) + plane[at : at + run]
            at += run
        segments.append(out + b"\0" * (len(out) % 2))
    offsets, at = [], 64
    for segment in segments:
        offsets.append(at)
        at += len(segment)
    header = struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(offsets)))
    return header + b"".join(segments)


def ljpeg(values, bits, predictor, rows=0):
    """Lossless JPEG (T.81, annex H), written for this test: one Huffman code of fixed length; with a restart
    after every so many rows."""
    height, width = values.shape
    out = bytearray(b"\xff\xd8\xff\xc3" + struct.pack(">HBHHB", 11, bits, height, width, 1))
    out += b"\x01\x11\x00\xff\xc4" + struct.pack(">H", 2 + 17 + 17) + b"\0"
    # 17 codes of five bits.
    out += bytes([0, 0, 0, 0, 17] + [0] * 11) + bytes(range(17))
    out += b"\xff\xdd\0\4" + struct.pack(">H", rows * width) if rows else b""
    out += b"\xff\xda\x00\x08\x01\x01\x00" + bytes([predictor]) + b"\0\0"
    text = []

    def close():
        bits = "".join(text)
        bits += "1" * (-len(bits) % 8)
        text.clear()
        data = int(bits, 2).to_bytes(len(bits) // 8, "big")
        return data.replace(b"\xff", b"\xff\0")

    v = values.astype(int)
    for y in range(height):
        begins = y == 0 or (rows and y % rows == 0)
        if begins and y:
            out += close() + bytes([0xFF, 0xD0 + (y // rows - 1) % 8])
        for x in range(width):
            if begins:
                p = v[y, x - 1] if x else 2 ** (bits - 1)
            elif x == 0:
                p = v[y - 1, 0]
            else:
                a, b, c = v[y, x - 1], v[y - 1, x], v[y - 1, x - 1]
                p = [0, a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1][
                    predictor
                ]
            d = int(v[y, x] - p) % 65536
            d = d - 65536 if d > 32768 else d
            size = abs(d).bit_length()
            text.append(format(size, "05b"))
            if 0 < size < 16:
                text.append(format(d if d > 0 else d + 2**size - 1, f"0{size}b"))
    return bytes(out) + close() + b"\xff\xd9"


def decorated(rng):
    """Elements that say nothing of the image, of many forms, and must be passed over."""
    reference = [((8, 0x1150), "UI", "1.2.840"), ((8, 0x1155), "UI", "1.2.3")]
    nested = [((8, 0x0100), "SH", "A"), ((0x28, 0x10), "US", 7), ((8, 0x0104), "LO", "said")]
    out = [((8, 0x16), "UI", "1.2.840.10008.5.1.4.1.1.1.2"), ((8, 0x60), "CS", "MG")]
    out += [((0x10, 0x10), "PN", "Made^Up"), ((0x10, 0x20), "LO", "MADE-UP")]
    if rng.random() < 0.5:
        undefined = bool(rng.random() < 0.5)
        out.append(((8, 0x1140), "SQ", Items([reference] * int(rng.integers(0, 3)), undefined)))
    if rng.random() < 0.5:
        deep = Items([nested], bool(rng.random() < 0.5))
        undefined = bool(rng.random() < 0.5)
        out.append(((0x40, 0x555), "SQ", Items([nested[:1] + [((0x40, 0xA168), "SQ", deep)]], undefined)))
    if rng.random() < 0.3:
        out.append(((9, 0x10), "LO", "MADE UP"))
        out.append(((9, 0x1001), "UN", bytes(rng.integers(0, 256, 12, dtype="u1"))))
    if rng.random() < 0.3:
        kind = "UN" if rng.random() < 0.5 else "SQ"
        out.append(((9, 0x1002), kind, Items([nested], True, kind=kind)))
    if rng.random() < 0.3:
        icon = [((0x28, 0x10), "US", 1), ((0x28, 0x11), "US", 2), ((0x7FE0, 0x10), "OB", b"\1\2")]
        out.append(((0x88, 0x200), "SQ", Items([icon], bool(rng.random() < 0.5))))
    return out


def codings(rng, bits, signed):
    """Ways to write pixel data: name, transfer syntax."""
    yield from [("implicit", IMPLICIT), ("explicit", EXPLICIT), ("deflated", DEFLATED), ("big", BIG)]
    yield from [("rle", RLE), ("lossless", LOSSLESS), ("j2k", J2K), ("j2k-lossy", J2K_ANY), ("jp2", J2K)]
    yield from [("ht", HT), ("ht", HT_RPCL), ("restarts", LOSSLESS)]
    if bits >= 2 and not signed:
        yield from [("ls", LS), ("near", NEAR)]
    if bits == 8 and not signed:
        yield ("jpeg", JPEG)
    if bits == 12 and not signed:
        yield ("jpeg12", JPEG12)


def coded(name, values, bits, rng, signed):
    """The stream, the values it stands for, the bits it says, and how far they may be read off."""
    kind = np.int16 if signed else np.uint8 if bits <= 8 else np.uint16
    plain = np.ascontiguousarray(values.astype(kind))
    if name in ("lossless", "restarts"):
        deep = max(8, bits)
        predictor = int(rng.integers(1, 8))
        rows = int(rng.integers(1, 9)) if name == "restarts" else 0
        return ljpeg(values & (2**deep - 1), deep, predictor, rows), values, deep, 0
    if name in ("j2k", "jp2"):
        stream = imagecodecs.jpeg2k_encode(
            plain, codecformat=name, reversible=True, level=0, bitspersample=bits
        )
        return stream, values, bits, 0
    if name == "j2k-lossy":
        stream = imagecodecs.jpeg2k_encode(
            plain, codecformat="j2k", reversible=False, level=60, bitspersample=bits
        )
        # Two decoders round alike but at the edges of what they quantise.
        return stream, imagecodecs.jpeg2k_decode(stream).astype(np.int64), bits, 2 if bits > 12 else 1
    if name == "ht":
        options = {"tile": (32, 24)} if rng.random() < 0.3 else {}
        if rng.random() < 0.5:
            options["resolutions"] = int(rng.integers(0, 6))
        stream = imagecodecs.htj2k_encode(plain, reversible=True, **options)
        return stream, values, 8 * plain.itemsize, 0
    if name == "ls":
        return imagecodecs.jpegls_encode(plain), values, 8 if bits <= 8 else 16, 0
    if name == "near":
        stream = imagecodecs.jpegls_encode(plain, level=int(rng.integers(1, 4)))
        return stream, imagecodecs.jpegls_decode(stream).astype(np.int64), 8 if bits <= 8 else 16, 0
    if name in ("jpeg", "jpeg12"):
        stream = imagecodecs.jpeg8_encode(plain, level=95, bitspersample=bits)
        return stream, imagecodecs.jpeg8_decode(stream).astype(np.int64), bits, 2
    raise ValueError(name)


FLAWS = [
    "none", "none", "none", "none", "tiff preamble", "no preamble", "no group length", "no meta",
    "no syntax", "implicit says explicit", "explicit says implicit", "no end", "no table",
    "no item ends", "no sequence end", "lower case", "other syntax", "implicit meta", "less stated",
    "other sign",
]


def dicom(rng, number, golden=None):
    """A file with its stored bits; None where the draw makes no sense."""
    signed = bool(rng.random() < 0.3)
    bits = int(rng.choice([8, 12, 12, 10, 14, 16, 5, 1]))
    if golden:
        bits, signed = golden[2:]
    options = list(codings(rng, bits, signed))
    name, syntax = options[int(rng.integers(len(options)))]
    flaw = FLAWS[int(rng.integers(len(FLAWS)))]
    if golden:
        name, flaw = golden[:2]
        syntax = dict(options)[name]
    values = picture(rng, bits, (9, 13) if golden else None)
    if signed:
        values = values - 2 ** (bits - 1)
    height, width = values.shape
    allocated = 8 if bits <= 8 and not signed and rng.random() < 0.7 else 16
    compressed = name not in ("implicit", "explicit", "deflated", "big")
    if signed and compressed and name not in ("rle", "lossless", "restarts"):
        if name not in ("j2k", "ht"):
            return None
        bits, allocated = 16, 16
    high = bits - 1
    within, stored, precision = 0, bits, bits
    big, implicit = name == "big", name == "implicit"
    if not compressed or name == "rle":
        if rng.random() < 0.2 and bits < allocated and not signed:
            high = int(rng.integers(bits, allocated))
        words = (values & (2**bits - 1)) << (high + 1 - bits)
        if signed:
            words = values & (2**allocated - 1)
        words = words.astype({8: "u1", 16: ">u2" if big else "<u2"}[allocated])
        data = words.tobytes()
        if name == "rle":
            shift = range(allocated // 8 - 1, -1, -1)
            data = rle([((words.astype(int) >> (8 * s)) & 255).astype("u1").tobytes() for s in shift])
    else:
        data, values, precision, within = coded(name, values, bits, rng, signed)
        if name in ("ls", "near", "lossless", "restarts", "ht") and precision > bits:
            stored = precision
    if flaw == "less stated":
        # The stream has more bits than are stated to be stored: its own count.
        if name not in ("j2k", "jp2", "lossless") or signed or bits < 10:
            return None
        stored, bits, high = bits, bits - 2, bits - 3
    if flaw == "other sign":
        if name != "j2k" or bits != 16:
            return None
        signed = not signed
    photometric = "MONOCHROME1" if rng.random() < 0.3 else "MONOCHROME2"
    if flaw == "lower case":
        photometric = photometric.lower()
    elements = decorated(rng) + [
        ((0x28, 0x02), "US", 1),
        ((0x28, 0x04), "CS", photometric),
        ((0x28, 0x10), "US", height),
        ((0x28, 0x11), "US", width),
        ((0x28, 0x100), "US", allocated),
        ((0x28, 0x101), "US", bits),
        ((0x28, 0x102), "US", high),
        ((0x28, 0x103), "US", int(signed)),
    ]
    if big:
        # What kind of numbers they hold is not agreed.
        elements = [e for e in elements if not (isinstance(e[2], list) and e[2].kind == "UN")]
    if flaw in ("no item ends", "no sequence end"):
        if big or name == "deflated":
            return None
        items = [[((8, 0x100), "SH", "R-10242"), ((8, 0x104), "LO", "cranio-caudal")]]
        open_items = Items(items, True, item_end=flaw == "no sequence end", end=flaw == "no item ends")
        elements = [e for e in elements if not isinstance(e[2], list)]
        elements.append(((0x54, 0x220), "SQ", open_items))
    elements.sort(key=lambda e: e[0])
    said = syntax
    if flaw == "implicit says explicit":
        if implicit or big:
            return None
        implicit = True
    if flaw == "explicit says implicit":
        if name != "explicit":
            return None
        said = IMPLICIT
    if flaw == "other syntax":
        others = {"lossless": J2K, "j2k": LOSSLESS1, "jp2": EXPLICIT, "ls": J2K, "jpeg": LOSSLESS}
        others["ht"] = J2K
        if name not in others:
            return None
        said = others[name]
    if flaw in ("no meta", "no syntax") and name in ("deflated", "rle"):
        return None
    body = b"".join(element(*e, implicit, big) for e in elements)
    if compressed:
        table = rng.choice([b"", b"\0\0\0\0"]) if flaw != "no table" else b""
        fragments = int(rng.integers(1, 4))
        data = encapsulated(data, fragments, bytes(table), end=flaw != "no end")
        if flaw == "no table":
            if name == "rle":
                return None
            data = data[8:]
        head = struct.pack("<HH", 0x7FE0, 0x10)
        body += head + (b"" if implicit else b"OB\0\0") + struct.pack("<I", 0xFFFFFFFF) + data
    else:
        if flaw in ("no end", "no table"):
            return None
        kind = "OB" if allocated == 8 else "OW"
        body += element((0x7FE0, 0x10), kind, data, implicit, big)
    if rng.random() < 0.1 and flaw == "none":
        body += element((0xFFFC, 0xFFFC), "OB", b"\0" * 6, implicit, big)
    if name == "deflated":
        packer = zlib.compressobj(wbits=-15)
        body = packer.compress(body) + packer.flush()
    meta_implicit = flaw == "implicit meta"
    meta = element((2, 2), "UI", "1.2.840.10008.5.1.4.1.1.1.2", meta_implicit, False)
    if flaw != "no syntax":
        meta += element((2, 0x10), "UI", said, meta_implicit, False)
    if flaw not in ("no group length", "implicit meta"):
        meta = element((2, 0), "UL", struct.pack("<I", len(meta)), False, False) + meta
    preamble = b"\0" * 128 + b"DICM"
    if flaw == "tiff preamble":
        preamble = b"II*\0" + b"\x08\0\0\0" + b"\0" * 120 + b"DICM"
    if flaw in ("no preamble", "no meta"):
        preamble = b""
    if flaw == "no meta":
        meta = b""
    file = preamble + meta + body
    bits_read = (np.asarray(values) & (2**stored - 1)).astype("<u2")
    # Where the file is one that pydicom reads, it reads the same.
    # pydicom drops the bits above BitsStored before it looks where they lie: it is not asked then.
    known = ["none", "tiff preamble", "no preamble", "no group length", "other sign"]
    # Of lossless JPEG it drops them too; a decoder's values are as the stream has them.
    known += ["less stated"] if name not in ("lossless", "restarts") else []
    if flaw in known and high == bits - 1:
        theirs = theirs_of(file)
        assert theirs is None or np.abs((theirs & (2**stored - 1)).astype(int) - bits_read).max() <= within, (
            name, flaw, bits, signed, high, allocated)
        if theirs is None:
            theirs_gave_up.append((name, flaw, bits, signed))
    return f"{number:04}-{name}-{flaw.replace(' ', '_')}-{bits}{'s' if signed else ''}.dcm", file, bits_read, within


theirs_gave_up = []


def theirs_of(file):
    try:
        ds = pydicom.dcmread(io.BytesIO(file), force=True)
        ds.file_meta
        array = ds.pixel_array
    except Exception as error:
        if len(theirs_gave_up) < 20:
            print("pydicom:", str(error).splitlines()[0][:150], file=sys.stderr)
        return None
    return array.astype(np.int64)


# --- Pictures --------------------------------------------------------------------------------------


def stretched(values):
    values = np.asarray(values).astype(np.float64)
    least, most = values.min(), values.max()
    shown = (values - least) / (most - least) * 255 if most > least else values * 0
    return np.floor(shown + 0.5).astype("u1")


def exif(orientation):
    tag = struct.pack("<HHIHH", 0x112, 3, 1, orientation, 0)
    return b"Exif\0\0II*\0\x08\0\0\0\x01\0" + tag + b"\0\0\0\0"


def upright(shown, orientation):
    image = Image.fromarray(shown)
    image.getexif()[0x112] = orientation
    return np.asarray(ImageOps.exif_transpose(image))


def png(rng):
    values = picture(rng, int(rng.choice([8, 16, 12])))
    out = io.BytesIO()
    deep = values.max() > 255
    image = Image.fromarray(values.astype("<u2" if deep else "u1"))
    image.save(out, "PNG")
    theirs = np.asarray(Image.open(io.BytesIO(out.getvalue())))
    return "png", out.getvalue(), stretched(theirs) if deep else theirs, 0


def pgm(rng):
    bits = int(rng.choice([8, 8, 4, 12, 16, 16]))
    values = picture(rng, bits)
    white = 65535 if bits in (12, 16) and rng.random() < 0.5 else 2**bits - 1
    text = rng.random() < 0.3
    height, width = values.shape
    comment = "# made up\n" if rng.random() < 0.3 else ""
    head = f"{'P2' if text else 'P5'}\n{comment}{width} {height}\n{white}\n".encode()
    body = "\n".join(" ".join(map(str, row)) for row in values).encode() if text else values.astype(
        ">u2" if white > 255 else "u1").tobytes()
    if white > 255:
        shown = stretched(values)
        # Pillow scales what is less than 16 bits, so that only the order of its values counts.
        theirs = np.asarray(Image.open(io.BytesIO(head + body))).astype(np.int64)
        assert np.abs(stretched(theirs).astype(int) - shown).max() <= 1
        return "pgm", head + body, shown, 0
    theirs = np.asarray(Image.open(io.BytesIO(head + body)))
    return "pgm", head + body, theirs, 1 if white < 255 else 0


def jpeg(rng):
    twelve = rng.random() < 0.4
    values = picture(rng, 12 if twelve else 8)
    orientation = int(rng.integers(1, 9)) if rng.random() < 0.5 else 0
    plain = values.astype("u2" if twelve else "u1")
    stream = imagecodecs.jpeg8_encode(plain, level=95, bitspersample=12 if twelve else 8)
    theirs = imagecodecs.jpeg8_decode(stream)
    if not twelve:
        theirs = np.asarray(Image.open(io.BytesIO(stream)))
    if orientation:
        data = exif(orientation)
        stream = stream[:2] + b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data + stream[2:]
    shown = stretched(theirs) if twelve else theirs
    return "jpg", stream, upright(shown, orientation) if orientation else shown, 2


def jp2(rng):
    bits = int(rng.choice([8, 12, 16]))
    values = picture(rng, bits).astype("u1" if bits == 8 else "u2")
    container = str(rng.choice(["jp2", "j2k"]))
    stream = imagecodecs.jpeg2k_encode(values, codecformat=container, reversible=True, level=0, bitspersample=bits)
    theirs = imagecodecs.jpeg2k_decode(stream)
    return container, stream, theirs if bits == 8 else stretched(theirs), 0


def jhc(rng):
    bits = int(rng.choice([8, 12, 16]))
    values = picture(rng, bits).astype("u1" if bits == 8 else "u2")
    stream = imagecodecs.htj2k_encode(values, reversible=True)
    return "jhc", stream, values if bits == 8 else stretched(values), 0


def jls(rng):
    bits = int(rng.choice([8, 16]))
    values = picture(rng, bits).astype("u1" if bits == 8 else "u2")
    stream = imagecodecs.jpegls_encode(values)
    return "jls", stream, values if bits == 8 else stretched(values), 0


def tiff(rng):
    kind = rng.choice(["u1", "u1", "u2", "u2", "i2", "i1", "i4", "u4", "f4", "f2", "f8", "bool"])
    shape = picture(rng, 8).shape
    bits = {"u1": 8, "u2": 16, "i2": 16, "i1": 8, "i4": 24, "u4": 30}.get(kind, 12)
    values = picture(rng, bits, shape)
    if kind[0] == "i":
        values = values - 2 ** (bits - 1)
    if kind[0] == "f":
        values = values / 4096 if kind != "f2" else np.round(values / 4)
    values = (values % 3 == 0) if kind == "bool" else values.astype(kind)
    options = {
        "byteorder": str(rng.choice(["<", ">"])),
        "bigtiff": bool(rng.random() < 0.3),
        "compression": rng.choice([None, None, "lzw", "deflate", "packbits"]),
        "photometric": "minisblack",
        "metadata": None,
    }
    if kind == "bool":
        options["compression"] = None
    if options["compression"] in ("lzw", "deflate") and kind in ("u1", "u2") and rng.random() < 0.5:
        options["predictor"] = True
    if rng.random() < 0.3 and options["compression"] is None and kind != "bool":
        options["tile"] = (16, 16)
    elif rng.random() < 0.5:
        options["rowsperstrip"] = int(rng.integers(1, values.shape[0] + 1))
    white_is_zero = kind in ("u1", "u2", "bool") and rng.random() < 0.2
    if white_is_zero:
        options["photometric"] = "miniswhite"
    orientation = int(rng.integers(1, 9)) if rng.random() < 0.4 else 0
    if orientation:
        options["extratags"] = [(274, 3, 1, orientation, True)]
    out = io.BytesIO()
    with tifffile.TiffWriter(out, byteorder=options.pop("byteorder"), bigtiff=options.pop("bigtiff")) as writer:
        thumbs = int(rng.integers(0, 3)) if rng.random() < 0.3 else 0
        small = values[: max(1, values.shape[0] // 2), : max(1, values.shape[1] // 2)]
        if small.size == values.size:
            thumbs = 0
        if options.get("rowsperstrip", 1) > small.shape[0]:
            thumbs = 0
        for _ in range(thumbs):
            writer.write(small, **options)
        writer.write(values, **options)
        if thumbs:
            writer.write(small, **options)
    file = out.getvalue()
    with tifffile.TiffFile(io.BytesIO(file)) as read:
        page = max(read.pages, key=lambda page: page.imagewidth * page.imagelength)
        theirs = page.asarray()
        assert np.array_equal(theirs, values)
    if kind == "bool":
        shown = theirs.astype("u1") * 255
    elif kind == "u1":
        shown = theirs
    else:
        shown = stretched(theirs)
    if white_is_zero:
        shown = 255 - shown if kind in ("u1", "bool") else stretched(65535 - theirs.astype(int))
    return "tif", file, upright(shown, orientation) if orientation else shown, 1 if kind[0] == "f" else 0


def main():
    folder = pathlib.Path(sys.argv[1])
    files = []

    def write(kind, name, file, values, within):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        (folder / kind / name).write_bytes(file)
        height, width = values.shape
        entry = {"file": f"{kind}/{name}", "size": [width, height], "within": within}
        entry["crc"] = zlib.crc32(values.tobytes())
        if within:
            entry["values"] = values.ravel().tolist()
        files.append(entry)

    if sys.argv[2:] == ["--golden"]:
        rng = np.random.default_rng(20)
        wanted = [(name, "none", bits, signed) for name, bits, signed in [
            ("lossless", 12, False), ("j2k", 16, True), ("jp2", 12, False), ("ls", 12, False),
            ("near", 8, False), ("jpeg12", 12, False)]]
        wanted += [("explicit", flaw, 12, False) for flaw in sorted(set(FLAWS))]
        wanted += [("j2k", "less stated", 16, False), ("lossless", "less stated", 16, False)]
        wanted += [("j2k", "other sign", 16, True), ("j2k", "other sign", 16, False)]
        wanted += [(name, "other syntax", 8, False) for name in ("lossless", "jp2", "ls")]
        wanted += [("lossless", flaw, 12, False) for flaw in ("no end", "no table", "implicit says explicit")]
        for number, golden in enumerate(wanted):
            made = dicom(rng, number, golden)
            if made:
                write("dicom", *made)
        for number, make in enumerate([png, pgm, pgm, jpeg, jpeg, jpeg, jp2, jp2, jls] + [tiff] * 16):
            ending, *made = make(rng)
            write("pictures", f"{number:02}.{ending}", *made)
        # With draws of their own, so that the others stay as they are.
        rng = np.random.default_rng(21)
        for number, golden in enumerate([
            ("ht", "none", 12, False), ("ht", "none", 16, True), ("ht", "other syntax", 8, False),
            ("restarts", "none", 12, False),
        ], len(wanted)):
            write("dicom", *dicom(rng, number, golden))
        ending, *made = jhc(rng)
        write("pictures", f"25.{ending}", *made)
    else:
        count = int(sys.argv[2]) if len(sys.argv) > 2 else 500
        seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(2**32)
        print("seed", seed)
        rng = np.random.default_rng(seed)
        number = 0
        while number < count:
            made = dicom(rng, number)
            if made:
                write("dicom", *made)
                number += 1
        makers = [png, pgm, jpeg, jp2, jls, jhc] + [tiff] * 5
        for number in range(count):
            ending, *made = makers[number % len(makers)](rng)
            write("pictures", f"{number:04}.{ending}", *made)
        if theirs_gave_up:
            print(len(theirs_gave_up), "files that pydicom gave up on, such as", theirs_gave_up[:5])
    (folder / "files.json").write_text(json.dumps(files, separators=(",", ":")).replace("},{", "},\n{") + "\n")


main()
