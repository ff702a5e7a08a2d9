"""Streams of High-Throughput JPEG 2000 and what OpenJPH decodes from them: htj2k/ and htj2k.json.

    python3 htj2k.py                 # writes both
    python3 htj2k.py FOLDER COUNT [SEED]    # that many by chance, for `UNIT_ATLAS_HTJ2K=FOLDER cargo test`

pip install numpy imagecodecs; `ojph_compress` (Debian: openjph-tools) is on the path. It writes every order
of progression, size of code-blocks, precincts and tiles, but reads no signed values rightly (0.9); those
are imagecodecs', which is OpenJPH too (0.26). The values are those that were written, where imagecodecs
reads them in the stream again."""

import json
import pathlib
import subprocess
import sys
import tempfile
import zlib

import imagecodecs
import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.append(str(HERE.parent / "differential"))
from smooth import picture  # noqa: E402


def ojph(values, bits, *options):
    """A stream of unsigned values by `ojph_compress`."""
    height, width = values.shape
    with tempfile.TemporaryDirectory() as folder:
        raw, out = pathlib.Path(folder, "x.raw"), pathlib.Path(folder, "x.j2c")
        values.astype("u1" if bits <= 8 else "<u2").tofile(raw)
        form = ["-dims", f"{{{width},{height}}}", "-num_comps", "1", "-downsamp", "{1,1}"]
        form += ["-signed", "false", "-bit_depth", str(bits)]
        done = subprocess.run(
            ["ojph_compress", "-i", raw, "-o", out, *form, *options], capture_output=True
        )
        return out.read_bytes() if done.returncode == 0 and out.exists() else None


def box(kind, body):
    return (len(body) + 8).to_bytes(4, "big") + kind + body


def jph(stream, width, height, bits):
    """The stream in the boxes of a .jph file."""
    head = height.to_bytes(4, "big") + width.to_bytes(4, "big") + bytes([0, 1, bits - 1, 7, 0, 0])
    colour = box(b"colr", bytes([1, 0, 0]) + (17).to_bytes(4, "big"))
    return (
        box(b"jP  ", b"\r\n\x87\n")
        + box(b"ftyp", b"jph \0\0\0\0jph ")
        + box(b"jp2h", box(b"ihdr", head) + colour)
        + box(b"jp2c", stream)
    )


def main():
    random = len(sys.argv) > 1
    folder = pathlib.Path(sys.argv[1]) if random else HERE / "htj2k"
    folder.mkdir(parents=True, exist_ok=True)
    files = []

    def write(name, stream, values, bits, signed):
        theirs = imagecodecs.htj2k_decode(stream[stream.index(b"\xff\x4f\xff\x51") :])
        # imagecodecs moves values of other precisions than 8 and 16 bits to the top.
        moved = (8 if bits <= 8 else 16) - bits
        assert np.array_equal(theirs.astype(np.int64) >> moved, values) or np.array_equal(
            theirs.astype(np.int64), values
        ), name
        (folder / name).write_bytes(stream)
        height, width = values.shape
        crc = zlib.crc32((values & 0xFFFF).astype("<u2").tobytes())
        files.append(
            {"file": name, "size": [width, height], "bits": bits, "signed": signed, "crc": crc}
        )

    if random:
        rng = np.random.default_rng(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
        while len(files) < int(sys.argv[2]):
            bits, (width, height) = int(rng.integers(1, 17)), map(int, rng.integers(1, 200, 2))
            values = picture(rng, bits, (height, width))
            options = ["-reversible", "true"]
            draw = lambda least, most: int(rng.integers(least, most))
            if rng.random() < 0.6:
                options += ["-num_decomps", str(draw(0, 8))]
            if rng.random() < 0.6:
                order = str(rng.choice(["LRCP", "RLCP", "RPCL", "PCRL", "CPRL"]))
                options += ["-prog_order", order]
            if rng.random() < 0.5:
                x = draw(2, 11)
                options += ["-block_size", f"{{{2**x},{2 ** draw(2, min(10, 12 - x) + 1)}}}"]
            if rng.random() < 0.3:
                sides = (f"{{{2 ** draw(4, 9)},{2 ** draw(4, 9)}}}" for _ in range(draw(1, 4)))
                options += ["-precincts", ",".join(sides)]
            if rng.random() < 0.3:
                options += ["-tile_size", f"{{{draw(16, 120)},{draw(16, 120)}}}"]
            if rng.random() < 0.15:
                options += ["-image_offset", f"{{{draw(0, 40)},{draw(0, 40)}}}"]
            stream = ojph(values, bits, *options)
            if stream is not None:
                write(f"{len(files):04}.jhc", stream, values, bits, False)
    else:
        rng = np.random.default_rng(15)
        for name, bits, options in [
            ("rpcl", 12, ""),
            ("lrcp-small-blocks", 10, "-prog_order LRCP -block_size {4,4} -num_decomps 2"),
            ("rlcp-wide-blocks", 16, "-prog_order RLCP -block_size {1024,4}"),
            ("pcrl-precincts", 14, "-prog_order PCRL -precincts {16,16},{32,16}"),
            ("cprl-tiles", 8, "-prog_order CPRL -tile_size {16,21} -num_decomps 3"),
            ("offset", 8, "-image_offset {5,3} -tile_size {20,20}"),
            ("no-levels", 12, "-num_decomps 0"),
            ("one-bit", 1, ""),
        ]:
            values = picture(rng, bits, (29, 37))
            stream = ojph(values, bits, "-reversible", "true", *options.split())
            write(f"{name}.jhc", stream, values, bits, False)
        for name, kind, options in [
            ("signed", "i2", {}),
            ("signed-tiles", "i1", {"tile": (16, 12)}),
            ("lengths", "u2", {"tlm": True, "tile": (20, 16), "tilepart": 1}),
        ]:
            bits = 8 * int(kind[1])
            values = picture(rng, bits, (23, 31)) - (2 ** (bits - 1) if kind[0] == "i" else 0)
            stream = imagecodecs.htj2k_encode(values.astype(kind), reversible=True, **options)
            write(f"{name}.jhc", stream, values, bits, kind[0] == "i")
        values = picture(rng, 8, (19, 26))
        stream = imagecodecs.htj2k_encode(values.astype("u1"), reversible=True)
        write("boxes.jph", jph(stream, 26, 19, 8), values, 8, False)
        lossy = imagecodecs.htj2k_encode(values.astype("u1"), reversible=False)
        (folder / "lossy.jhc").write_bytes(lossy)
    out = folder / "files.json" if random else HERE / "htj2k.json"
    out.write_text(json.dumps(files).replace("}, {", "},\n{") + "\n")


main()
