"""Invented DICOM files of every coding, and the planes that read them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import UID

from napari_medlabel.io.dicom.frames.plane import Plane, plane_of
from napari_medlabel.io.dicom.header import odd as dicom_odd
from napari_medlabel.io.dicom.header.instance import Instance
from napari_medlabel.io.dicom.header.walk import OddFileError, walk
from napari_medlabel.io.dicom.pixels.fill import Filled, fill
from tests.io.scans import instance

JPEG = "1.2.840.10008.1.2.4."
RLE = "1.2.840.10008.1.2.5"
_SAME_LENGTH = {
    "1.2.840.10008.1.2.8.1": "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.110": "1.2.840.10008.1.2.4.201",
}


def save(ds: Dataset, path: Path) -> Path:
    """Write it, also in transfer syntaxes that pydicom does not know."""
    wanted = ds.file_meta.TransferSyntaxUID
    written = _SAME_LENGTH.get(wanted, wanted)
    ds.file_meta.TransferSyntaxUID = UID(written)
    pydicom.dcmwrite(path, ds, enforce_file_format=True)
    if written != wanted:
        length = len(written)
        data = path.read_bytes()
        path.write_bytes(
            data.replace(written.encode(), wanted.encode().ljust(length, b"\0"), 1)
        )
    return path


def header(path: Path) -> Instance:
    """Read one file's header as the reader does."""
    try:
        return walk(path)
    except OddFileError:
        found = dicom_odd.read_header(path)
        if found is None:
            raise
        return found


def planes_of_file(path: Path) -> list[Plane]:
    """Return all frames of a file as planes."""
    plane = plane_of(header(path))
    return [dataclasses.replace(plane, frame=number) for number in range(plane.instance.frames)]


def filled(paths: Path | Sequence[Path], **wishes: Any) -> Filled:
    """Read all frames of files as the slices of one volume."""
    paths = [paths] if isinstance(paths, Path) else paths
    planes = [plane for path in paths for plane in planes_of_file(path)]
    wishes = {"volumes": 1, "slices": len(planes), "progress": None, "hashes": False} | wishes
    return fill(planes, **wishes)


def grey(
    frames: np.ndarray,
    *,
    syntax: str = "1.2.840.10008.1.2.1",
    codes: Sequence[bytes] | None = None,
    fragments: int = 1,
    table: str = "basic",
    **extra: Any,
) -> Dataset:
    """Return a file with frames (n, rows, columns[, 3]), native or as code streams."""
    frames = np.asarray(frames)
    ds = instance(0, np.ascontiguousarray(frames[0].reshape(frames.shape[1], -1)))
    ds.Rows, ds.Columns = frames.shape[1:3]
    ds.NumberOfFrames = len(frames)
    if frames.ndim == 4:
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 3, "RGB"
        ds.PlanarConfiguration = 0
    for name, value in extra.items():
        setattr(ds, name, value)
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    raw = frames.astype(frames.dtype.newbyteorder("<")).tobytes()
    ds.PixelData = raw + b"\0" * (len(raw) % 2)
    ds["PixelData"].VR = "OB" if codes is not None else "OW"
    if codes is None:
        return ds
    if table == "extended":
        data, offsets, lengths = encapsulate_extended(list(codes))
        ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = offsets, lengths
    else:
        data = encapsulate(list(codes), fragments_per_frame=fragments, has_bot=table == "basic")
    ds.PixelData = data
    ds["PixelData"].is_undefined_length = True
    return ds


def encoder(name: str) -> Callable[[np.ndarray], bytes]:
    """Return what encodes one frame without loss (``jpeg`` apart)."""
    import imagecodecs

    encoders: dict[str, Callable[[np.ndarray], Any]] = {
        "jpeg": lambda a: imagecodecs.jpeg8_encode(a, level=100),
        "jpeg-12": lambda a: imagecodecs.jpeg8_encode(a, level=100, bitspersample=12),
        "lossless": lambda a: imagecodecs.jpeg8_encode(
            a, lossless=True, bitspersample=a.dtype.itemsize * 8
        ),
        "lossless-12": lambda a: imagecodecs.jpeg8_encode(a, lossless=True, bitspersample=12),
        "jpeg-ls": imagecodecs.jpegls_encode,
        "jpeg-ls-near": lambda a: imagecodecs.jpegls_encode(a, level=2),
        "jpeg-2000": lambda a: imagecodecs.jpeg2k_encode(a, reversible=True, codecformat="J2K"),
        "jpeg-2000-jp2": lambda a: imagecodecs.jpeg2k_encode(
            a, reversible=True, codecformat="JP2"
        ),
        "jpeg-2000-12": lambda a: imagecodecs.jpeg2k_encode(
            a, reversible=True, codecformat="J2K", bitspersample=12
        ),
        "htj2k": imagecodecs.htj2k_encode,
        "jpeg-xl": lambda a: imagecodecs.jpegxl_encode(a, lossless=True),
    }
    return lambda frame: bytes(encoders[name](np.ascontiguousarray(frame)))


def rle(frame: np.ndarray) -> bytes:
    """Encode one frame by PS3.5 annex G, as literal runs."""
    samples = frame.reshape(*frame.shape[:2], -1)
    big = samples.astype(samples.dtype.newbyteorder(">"))
    segments = []
    for sample in range(samples.shape[2]):
        flat = np.frombuffer(big[..., sample].tobytes(), np.uint8)
        flat = flat.reshape(-1, samples.dtype.itemsize)
        for byte in range(samples.dtype.itemsize):
            run = flat[:, byte].tobytes()
            parts = [run[n : n + 128] for n in range(0, len(run), 128)]
            code = b"".join(bytes([len(part) - 1]) + part for part in parts)
            segments.append(code + b"\0" * (len(code) % 2))
    offsets = 64 + np.cumsum([0, *[len(one) for one in segments]])[:-1]
    head = np.zeros(16, "<u4")
    head[0] = len(segments)
    head[1 : 1 + len(offsets)] = offsets
    return head.tobytes() + b"".join(segments)


def pattern(shape: tuple[int, ...], dtype: Any, bits: int = 0) -> np.ndarray:
    """Return smooth values that fill the range, so that codecs have something to do."""
    dtype = np.dtype(dtype)
    bits = bits or dtype.itemsize * 8
    ramp = np.linspace(0, (1 << bits) - 1, int(np.prod(shape))).reshape(shape)
    low = 1 << bits - 1 if dtype.kind == "i" else 0
    return (np.rint(ramp).astype(np.int64) - low).astype(dtype)
