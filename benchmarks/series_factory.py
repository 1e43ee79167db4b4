"""Makes the DICOM series that reading is measured on: one header, patched for each slice."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

ROOT = "1.2.826.0.1.3680043.10.511."
NATIVE = str(ExplicitVRLittleEndian)
JPEG_2000 = "1.2.840.10008.1.2.4.90"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
_WIDTH = 14


def head(rows: int, columns: int, number: int, syntax: str) -> bytes:
    """Return a file up to its pixel data; what differs between slices has a fixed width."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = MRImageStorage
    uid = f"{ROOT}{number}.9000000"
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = uid
    ds.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    ds.Modality, ds.Manufacturer = "MR", "Invented"
    ds.StudyDate, ds.StudyTime = "20260101", "120000"
    ds.AcquisitionTime = "120000.00"
    ds.ProtocolName = ds.SeriesDescription = f"series {number}"
    ds.PatientName, ds.PatientID = "Invented", "Invented"
    ds.RepetitionTime, ds.EchoTime, ds.SliceThickness = 2000, 30, 1
    ds.StudyInstanceUID, ds.SeriesInstanceUID = ROOT + "9", f"{ROOT}{number}"
    ds.StudyID, ds.SeriesNumber = "1", number
    ds.AcquisitionNumber, ds.InstanceNumber = "900001", "900002"
    ds.TemporalPositionIdentifier = "900003"
    ds.ImagePositionPatient = ["-100", "-100", "900004.0000000"[:_WIDTH]]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.FrameOfReferenceUID = ROOT + "8"
    ds.PixelSpacing = [0.5, 0.5]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = rows, columns
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation = 15, 0
    ds.RescaleSlope, ds.RescaleIntercept = 1, -1024
    buffer = DicomBytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    data = bytes(buffer.getvalue())
    return data if syntax == NATIVE else _with_syntax(data, syntax)


def _with_syntax(data: bytes, uid: str) -> bytes:
    old = struct.pack("<H", 20) + NATIVE.encode() + b"\0"
    text = uid.encode() + b"\0" * (len(uid) % 2)
    length = struct.unpack_from("<I", data, 140)[0] + len(text) - 20
    out = data.replace(old, struct.pack("<H", len(text)) + text, 1)
    return out[:140] + struct.pack("<I", length) + out[144:]


def patched(whole: bytes, k: int, t: int, index: int) -> bytes:
    """Return the header of slice k of volume t."""
    out = whole.replace(b".9000000", b".%07d" % (1_000_000 + index))
    out = out.replace(b"120000.00", b"12%02d%02d.00" % divmod(t, 60))
    for mark, value in ((b"900001", t + 1), (b"900002", index + 1), (b"900003", t + 1)):
        out = out.replace(mark, b"%-6d" % value)
    return out.replace(b"900004.0000000"[:_WIDTH], (b"%-14.4f" % float(k))[:_WIDTH])


def planes(count: int, rows: int, columns: int) -> Iterator[np.ndarray]:
    """Yield slices like a CT's: smooth shapes, noise in the low bits, uint16."""
    draw = np.random.default_rng(7)
    j, i = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    for k in range(count):
        size = 0.9 - 0.3 * abs(k / max(count - 1, 1) - 0.5)
        body = (i**2 + (1.3 * j) ** 2 < size**2) * 1000.0
        body += 400 * np.exp(-((i - 0.3) ** 2 + (j + 0.1 * np.sin(k)) ** 2) * 30)
        yield (body + draw.normal(20, 8, body.shape).clip(0, 90)).astype(np.uint16)


def encoder(syntax: str) -> Callable[[np.ndarray], bytes]:
    """Return what turns a slice into the pixel data element of a transfer syntax."""
    import imagecodecs

    coders: dict[str, Callable[[np.ndarray], bytes]] = {
        JPEG_2000: lambda a: imagecodecs.jpeg2k_encode(
            a, codecformat="j2k", reversible=True, level=0, numthreads=1
        ),
        JPEG_LS: imagecodecs.jpegls_encode,
        JPEG_LOSSLESS: lambda a: imagecodecs.ljpeg_encode(a, bitspersample=16),
    }
    return coders.get(syntax, lambda a: a.tobytes())


def element(stream: bytes, syntax: str) -> bytes:
    """Return a pixel data element, encapsulated unless native."""
    if syntax == NATIVE:
        return struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, len(stream)) + stream
    stream += b"\0" * (len(stream) % 2)
    return (
        struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF)
        + struct.pack("<HHI", 0xFFFE, 0xE000, 0)
        + struct.pack("<HHI", 0xFFFE, 0xE000, len(stream))
        + stream
        + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    )


def write(
    folder: Path,
    shape: Sequence[int],
    *,
    syntax: str = NATIVE,
    volumes: int = 1,
    number: int = 1,
    different: int = 24,
) -> Path:
    """Write a series.

    Parameters
    ----------
    folder : Path
        Made when it is not there.
    shape : sequence of int
        Columns, rows, slices.
    syntax : str
        Transfer syntax UID.
    volumes : int
        Times that every place is taken.
    number : int
        Series number, also the end of its UID.
    different : int
        How many slices differ; they are repeated, because coding takes long.
    """
    columns, rows, slices = shape
    folder.mkdir(parents=True, exist_ok=True)
    whole = head(rows, columns, number, syntax)
    code = encoder(syntax)
    elements = [
        element(bytes(code(plane)), syntax)
        for plane in planes(min(different, slices), rows, columns)
    ]
    for index in range(volumes * slices):
        k, t = index % slices, index // slices
        # Names are in no order: a reader has to sort.
        name = f"{index * 7919 % 100_003:06d}.dcm"
        data = patched(whole, k, t, index) + elements[k % len(elements)]
        (folder / name).write_bytes(data)
    return folder
