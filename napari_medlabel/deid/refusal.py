"""The signal that one file cannot be cleaned, with its reason; a batch goes on after it."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from pydicom.errors import BytesLengthException, InvalidDicomError

from napari_medlabel.deid.report import Reason
from napari_medlabel.errors import RefusedError

PARSE_ERRORS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    OSError,
    EOFError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
    BytesLengthException,
    InvalidDicomError,
)
"""What parsers of foreign bytes raise: each means that the file is not understood."""


class QuarantineError(RefusedError):
    """A file cannot be cleaned and is not passed on.

    Parameters
    ----------
    reason : Reason
        Why.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(
            f"The file was not cleaned and not passed on: {reason.value}.",
            hint="Look at the file in a viewer; only a person can clear it.",
        )
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.reason,)
