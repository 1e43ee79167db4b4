"""DICOM files that the fast walk cannot follow, read through pydicom.

Big endian, deflated, without preamble or meta group, wrong value representations.
"""

from __future__ import annotations

import io
import logging
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom_header import (
    DOUBLE_PIXELS,
    FLOAT_PIXELS,
    IMPLICIT,
    PIXELS,
    SOP_CLASS,
    WANTED,
    Instance,
    build,
)

_ONE_AT_A_TIME: Final = threading.Lock()
"""pydicom warns through the warnings module, whose filters belong to the whole process."""


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep pydicom's warnings and log lines back: they quote header values."""
    logger = logging.getLogger("pydicom")
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        was_disabled, logger.disabled = logger.disabled, True
        try:
            yield
        finally:
            logger.disabled = was_disabled


def _failures() -> tuple[type[Exception], ...]:
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return (
        BytesLengthException,
        InvalidDicomError,
        AttributeError,
        EOFError,
        IndexError,
        KeyError,
        MemoryError,
        NotImplementedError,
        OSError,
        OverflowError,
        RuntimeError,  # RecursionError and missing decoders among them
        TypeError,
        ValueError,
        struct.error,
    )


def read_header(path: Path) -> Instance | None:
    """Read the header of one file; None when it is no DICOM data set after all.

    Raises
    ------
    OSError
        When the file cannot be opened.
    """
    import pydicom

    size = path.stat().st_size
    with _quietly(), path.open("rb") as stream:
        try:
            dataset = pydicom.dcmread(stream, force=True)
            fields = _raw_fields(dataset)
            syntax = str(dataset.file_meta.get("TransferSyntaxUID", "")) or IMPLICIT
            tags = [tag for tag in (PIXELS, FLOAT_PIXELS, DOUBLE_PIXELS) if tag in dataset]
            length = _pixel_length(dataset, tags[0]) if tags else 0
        except _failures():
            return None
    if SOP_CLASS not in fields:
        return None
    return build(
        path,
        size,
        syntax,
        fields,
        pixels=(0 if tags else -1, length),
        has_float_pixels=bool(tags) and tags[0] != PIXELS,
        only_pydicom=True,
    )


def _pixel_length(dataset: Any, tag: int) -> int:
    return len(dataset.get_item(tag).value or b"")


def _raw_fields(dataset: Any) -> dict[int, bytes]:
    """Return the wanted values as little-endian bytes, without asking pydicom to parse them."""
    from pydicom.dataelem import RawDataElement

    fields: dict[int, bytes] = {}
    for tag, vr in WANTED.items():
        if tag not in dataset:
            continue
        element = dataset.get_item(tag)
        if vr == b"SQ":
            fields[tag] = b""
        elif isinstance(element, RawDataElement):
            raw = bytes(element.value or b"")
            swap = vr == b"US" and not element.is_little_endian
            fields[tag] = raw[1::-1] if swap else raw
        elif vr == b"US":
            fields[tag] = struct.pack("<H", int(element.value))
        else:
            value = element.value
            many = (
                value
                if isinstance(value, list | tuple) or hasattr(value, "append")
                else [value]
            )
            fields[tag] = "\\".join(str(part) for part in many).encode("utf-8")
    return fields


def decode(data: bytes) -> npt.NDArray[Any]:
    """Decode the pixels of one file's bytes: stored values, shape (rows, columns).

    Raises
    ------
    InputError
        When pydicom and the decoders installed cannot.
    """
    import pydicom
    from pydicom.uid import UID

    with _quietly():
        try:
            dataset = pydicom.dcmread(io.BytesIO(data), force=True)
            if "TransferSyntaxUID" not in dataset.file_meta:
                little, implicit = dataset.original_encoding[1], dataset.original_encoding[0]
                explicit = "1.2.840.10008.1.2.1" if little else "1.2.840.10008.1.2.2"
                dataset.file_meta.TransferSyntaxUID = UID(IMPLICIT if implicit else explicit)
            stored = np.asarray(dataset.pixel_array)
        except _failures() as err:
            raise InputError(
                "The pixels cannot be decoded: they are damaged, or compressed in a way that "
                "is not supported.",
                hint="Export the series again, uncompressed if the archive allows it.",
            ) from err
    return stored.astype(stored.dtype.newbyteorder("="), copy=False)
