"""Golden values for source::dicom: what pydicom makes of DICOM files.

Writes small made-up files to dicom/ beside this script, one per transfer syntax and per way of
showing values, and dicom.json: {"made": {file: {samples, display}}, "real": {file: samples}}, where
samples is the CRC-32 of the stored bits as 16-bit little-endian words and display the grey values
row by row. The real files are those of the folder given, which is no part of this project.

pip install pydicom pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg pylibjpeg-rle numpy pillow"""

import io
import json
import pathlib
import sys
import zlib

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "dicom"
FOLDER.mkdir(exist_ok=True)
WIDTH, HEIGHT = 12, 9


def image(bits, signed=False, width=WIDTH, height=HEIGHT):
    """A smooth picture with some noise that uses the whole range."""
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(1).random((height, width))
    picture = (x / width + y / height + 0.2 * noise) / 2.2
    values = np.round(picture * (2**bits - 1)).astype(np.int64)
    values[0, 0], values[-1, -1] = 0, 2**bits - 1
    return values - 2 ** (bits - 1) if signed else values


def dataset(values, stored, allocated, signed=False, photometric="MONOCHROME2"):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.2"
    ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.2", "1.2.3.4"
    ds.PatientName, ds.PatientID = "Made^Up", "MADE-UP-1"
    ds.Rows, ds.Columns = values.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, photometric
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = allocated, stored, stored - 1
    ds.PixelRepresentation = int(signed)
    kind = {8: "u1", 16: "<u2"}[allocated]
    ds.PixelData = (values & (2**allocated - 1)).astype(kind).tobytes()
    ds["PixelData"].VR = "OB" if allocated == 8 else "OW"
    return ds


def lut(parent, first, bits, entries):
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item.LUTData = np.array(entries, "<u2").tobytes()
    item["LUTData"].VR = "OW"
    setattr(parent, "VOILUTSequence" if bits == 12 else "ModalityLUTSequence", Sequence([item]))
    if bits != 12:
        item.ModalityLUTType = "OD"


made = {}


def write(name, ds, syntax=ExplicitVRLittleEndian, compress=None):
    ds.file_meta.TransferSyntaxUID = syntax
    if compress:
        ds.compress(compress, generate_instance_uid=False)
    path = FOLDER / f"{name}.dcm"
    if syntax == ExplicitVRBigEndian:
        words = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
        if ds.BitsAllocated == 16:
            ds.PixelData = words
        ds.save_as(path, implicit_vr=False, little_endian=False, enforce_file_format=True)
    else:
        ds.save_as(path, enforce_file_format=True)
    made[name] = golden(path)


def stored_bits(ds):
    array = ds.pixel_array
    return (array.astype(np.int64) & (2**ds.BitsStored - 1)).astype("<u2")


def display(ds):
    array = apply_modality_lut(ds.pixel_array, ds)
    if "VOILUTSequence" in ds:
        shown = apply_voi_lut(array, ds).astype(float) / (2 ** int(ds.VOILUTSequence[0].LUTDescriptor[2]) - 1)
    elif "WindowWidth" in ds:
        shown = apply_voi_lut(array, ds).astype(float)
        ramp = Dataset()
        ramp.update(ds)
        # pydicom's range of a window's output, as it defines it.
        if ds.PixelRepresentation == 0:
            least, most = 0, 2**ds.BitsStored - 1
        else:
            least, most = -(2 ** (ds.BitsStored - 1)), 2 ** (ds.BitsStored - 1) - 1
        slope, intercept = float(ds.get("RescaleSlope", 1)), float(ds.get("RescaleIntercept", 0))
        if "ModalityLUTSequence" in ds:
            least, most = 0, 2 ** int(ds.ModalityLUTSequence[0].LUTDescriptor[2]) - 1
        else:
            least, most = least * slope + intercept, most * slope + intercept
        shown = (shown - least) / (most - least)
    else:
        array = array.astype(float)
        kept = array[ds.pixel_array != ds.PixelPaddingValue] if "PixelPaddingValue" in ds else array
        shown = ((array - kept.min()) / (kept.max() - kept.min())).clip(0, 1)
    if ds.PhotometricInterpretation == "MONOCHROME1":
        shown = 1 - shown
    shown = np.floor(255 * shown + 0.5)
    if "PixelPaddingValue" in ds:
        shown[ds.pixel_array == ds.PixelPaddingValue] = 0
    return shown.astype(int).ravel().tolist()


def golden(path):
    ds = pydicom.dcmread(path)
    digest = zlib.crc32(stored_bits(ds).tobytes())
    return {"samples": digest, "display": display(ds)}


write("explicit", dataset(image(12), 12, 16))
write("implicit", dataset(image(16), 16, 16), ImplicitVRLittleEndian)
write("big", dataset(image(14), 14, 16), ExplicitVRBigEndian)
write("deflated", dataset(image(10), 10, 16), DeflatedExplicitVRLittleEndian)
write("bytes", dataset(image(8), 8, 8))
write("rle8", dataset(image(8), 8, 8), compress=RLELossless)
write("rle16", dataset(image(12), 12, 16), compress=RLELossless)
write("jpeg2000", dataset(image(16, False, 40, 33), 16, 16), compress=JPEG2000Lossless)
write("jpeg2000-12", dataset(image(12, False, 40, 33), 12, 16), compress=JPEG2000Lossless)

ds = dataset(image(8), 8, 8)
buffer = io.BytesIO()
Image.fromarray(image(8).astype("u1")).save(buffer, "JPEG", quality=95)
ds.PixelData = encapsulate([buffer.getvalue()])
ds["PixelData"].is_undefined_length = True
write("jpeg", ds, JPEGBaseline8Bit)

ds = dataset(image(12), 12, 16)
ds.WindowCenter, ds.WindowWidth = [2000, 100], [1000, 50]
ds.RescaleSlope, ds.RescaleIntercept = 1, 0
write("window", ds)

ds = dataset(image(12), 12, 16, photometric="MONOCHROME1")
ds.WindowCenter, ds.WindowWidth, ds.VOILUTFunction = 2000, 1500, "LINEAR_EXACT"
write("exact-inverted", ds)

ds = dataset(image(12), 12, 16)
ds.WindowCenter, ds.WindowWidth, ds.VOILUTFunction = 2000, 1500, "SIGMOID"
write("sigmoid", ds)

ds = dataset(image(12, signed=True), 12, 16, signed=True)
ds.WindowCenter, ds.WindowWidth = 100, 3000
ds.RescaleSlope, ds.RescaleIntercept = 2, -50
write("signed", ds)

ds = dataset(image(10), 10, 16)
lut(ds, 100, 12, [round(4095 * (i / 799) ** 2) for i in range(800)])
ds.WindowCenter, ds.WindowWidth = 2000, 1500
write("voi-table", ds, ImplicitVRLittleEndian)

ds = dataset(image(8), 8, 8)
lut(ds, 0, 16, [65535 - 257 * i for i in range(256)])
ds.WindowCenter, ds.WindowWidth = 30000, 40000
write("modality-table", ds)

values = image(12)
values[:, :3] = 4095
ds = dataset(values, 12, 16, photometric="MONOCHROME1")
ds.PixelPaddingValue = 4095
write("padding", ds)

# Above and below the stored bits, which overlays once used.
ds = dataset(image(8) << 4 | 0x7003, 8, 16)
ds.HighBit = 11
ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
ds.save_as(FOLDER / "high-bit.dcm", enforce_file_format=True)
made["high-bit"] = {
    "samples": zlib.crc32(image(8).astype("<u2").tobytes()),
    "display": image(8).ravel().tolist(),
}

# What tags say, also within sequences of both lengths.
ds = dataset(image(8), 8, 8)
code = Dataset()
code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "R-10226", "SRT", "medio-lateral oblique"
code.ViewModifierCodeSequence = Sequence([Dataset()])
ds.ViewCodeSequence = Sequence([code])
ds["ViewCodeSequence"].is_undefined_length = True
icon = Dataset()
icon.Rows = icon.Columns = 1
icon.PixelData = b"\1\2"
icon["PixelData"].VR = "OB"
ds.IconImageSequence = Sequence([icon])
ds.ImageLaterality, ds.ViewPosition, ds.ImagerPixelSpacing = "L", "", [0.07, 0.07]
write("tags", ds)

real = {}
if len(sys.argv) > 1:
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.dcm")):
        ds = pydicom.dcmread(path)
        if ds.SamplesPerPixel == 1 and int(ds.get("NumberOfFrames") or 1) == 1:
            real[path.name] = zlib.crc32(stored_bits(ds).tobytes())

out = json.dumps({"made": made, "real": real}, separators=(",", ":"))
(HERE / "dicom.json").write_text(out.replace('"display":', '\n "display":') + "\n")
