"""pydicom, asked without its warnings: they quote header values, and its errors are many."""

from __future__ import annotations

import logging
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import InputError

_ONE_AT_A_TIME: Final = threading.Lock()
"""pydicom warns through the warnings module, whose filters belong to the whole process."""


@contextmanager
def quietly() -> Iterator[None]:
    """Keep pydicom's warnings and log lines back while it works."""
    logger = logging.getLogger("pydicom")
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        was_disabled, logger.disabled = logger.disabled, True
        try:
            yield
        finally:
            logger.disabled = was_disabled


def failures() -> tuple[type[Exception], ...]:
    """Return what pydicom and its decoders raise on damaged files."""
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
        zlib.error,
    )


def little_words(data: bytes, header: Any) -> bytes:
    """Return the bytes of an OW value with 16-bit words in little-endian order.

    Parameters
    ----------
    data : bytes
        As pydicom gives them.
    header : pydicom.Dataset
        The file's data set, which knows the byte order.
    """
    if header.original_encoding[1] is not False:
        return data
    even = data[: len(data) // 2 * 2]
    return np.frombuffer(even, np.uint16).byteswap().tobytes()


def read_dataset(path: Path, where: str, *, tags: Sequence[int | str] = ()) -> Any:
    """Read a file's header with pydicom.

    Parameters
    ----------
    path : Path
        The file.
    where : str
        Names the image in messages.
    tags : sequence of int or str
        The top-level attributes wanted; all where none is named. Their values are parsed here,
        so that what cannot be parsed is found here.

    Returns
    -------
    pydicom.Dataset
        Without pixels.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    import pydicom
    from pydicom.tag import Tag

    with quietly():
        try:
            wanted = [Tag(tag) for tag in tags]
            header = pydicom.dcmread(
                path, stop_before_pixels=True, force=True, specific_tags=wanted or None
            )
            for tag in wanted:
                header.get(tag)
        except failures() as err:
            raise InputError(
                f"The header of {where} cannot be read whole.",
                hint="The file may be damaged; export the series again from its source.",
            ) from err
    return header
