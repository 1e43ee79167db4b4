"""The signal that one file cannot be cleaned, with its reason; a batch goes on after it."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.errors import RefusedError

BYTE_ERRORS = (
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
)
"""What code that takes foreign bytes apart raises: the file is not understood."""

if TYPE_CHECKING:
    from pydicom.errors import BytesLengthException, InvalidDicomError

    PARSE_ERRORS = (*BYTE_ERRORS, BytesLengthException, InvalidDicomError)
    """The same and what pydicom's parser adds, imported when somebody asks for this."""


def __getattr__(name: str) -> Any:
    """Return `PARSE_ERRORS`: pydicom takes long to start, and most files go without."""
    if name != "PARSE_ERRORS":
        raise AttributeError(name)
    from pydicom import errors

    return (*BYTE_ERRORS, errors.BytesLengthException, errors.InvalidDicomError)


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
