"""What a field of an event may hold: numbers, choices from a list, digests, ranges, heads.

No field takes free text. A name, a path, a date or a UID fits none of these kinds.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from napari_medlabel.audit.format.canonical import MAX_INT

MAX_LIST: Final = 256
"""Most items in a list of a detail."""

MAX_RANGES: Final = 16
"""Most ranges in a text of slices."""

# How base64 ends when 0, 1 or 2 bytes are left over: the spare bits are zero.
_LAST: Final = (b"", b"[AQgw]==", b"[AEIMQUYcgkosw048]=")


@dataclass(frozen=True, slots=True)
class Field:
    """One kind of value.

    Parameters
    ----------
    kind : str
        In words, for messages and the reference page.
    accepts : callable
        Takes a value of JSON and says whether it is of this kind. Total: never raises.
    pattern : bytes, optional
        Regular expression of canonical bytes of such values. It may fit fewer values than
        `accepts` takes (`format.fast_line` leaves the rest to the parser), never others.
    """

    kind: str
    accepts: Callable[[object], bool]
    pattern: bytes | None = None


def _text(kind: str, pattern: str, longest: int = 0) -> Field:
    """Return a kind of text; `longest` where the pattern alone does not bound the length."""
    fits = re.compile(pattern, re.ASCII).fullmatch

    def accepts(value: object) -> bool:
        return (
            isinstance(value, str)
            and (not longest or len(value) <= longest)
            and fits(value) is not None
        )

    bound = b'(?=[^"]{0,%d}")' % longest if longest else b""
    return Field(kind, accepts, b'"' + bound + pattern.encode("ascii") + b'"')


def _base64(length: int, kind: str) -> Field:
    def accepts(value: object) -> bool:
        if not isinstance(value, str) or len(value) != 4 * ((length + 2) // 3):
            return False
        try:
            raw = base64.b64decode(value, validate=True)
        except ValueError:
            return False
        return len(raw) == length and base64.b64encode(raw).decode("ascii") == value

    whole, left = divmod(length, 3)
    pattern = b'"[A-Za-z0-9+/]{%d}%s"' % (4 * whole + left, _LAST[left])
    return Field(f"{kind}, base64 of {length} bytes", accepts, pattern)


def choice(*names: str) -> Field:
    """Return the kind that takes one of a few names."""
    allowed = frozenset(names)
    return Field(
        "one of " + ", ".join(names),
        lambda value: isinstance(value, str) and value in allowed,
        b'"(?:' + "|".join(map(re.escape, names)).encode("ascii") + b')"',
    )


def many(field: Field, most: int = MAX_LIST) -> Field:
    """Return the kind that takes a list of at most `most` values of another kind."""
    return Field(
        f"list of up to {most}: {field.kind}",
        lambda value: (
            isinstance(value, list)
            and len(value) <= most
            and all(field.accepts(item) for item in value)
        ),
        field.pattern
        and rb"\[(?:%b(?:,%b){0,%d})?\]" % (field.pattern, field.pattern, most - 1),
    )


def group(kind: str, fields: Mapping[str, Field]) -> Field:
    """Return the kind that takes an object with exactly these keys."""
    names = frozenset(fields)
    parts = [
        b'"%b":%b' % (name.encode("ascii"), field.pattern)
        for name, field in sorted(fields.items())
        if field.pattern is not None
    ]
    return Field(
        kind,
        lambda value: (
            isinstance(value, dict)
            and value.keys() == names
            and all(field.accepts(value[name]) for name, field in fields.items())
        ),
        rb"\{" + b",".join(parts) + rb"\}" if len(parts) == len(fields) else None,
    )


# bool is a subclass of int, so the exact type is asked for.
COUNT: Final = Field(
    "whole number from 0",
    lambda value: type(value) is int and 0 <= value <= MAX_INT,
    b"(?:0|[1-9][0-9]{0,14})",
)
SIGNED: Final = Field(
    "whole number",
    lambda value: type(value) is int and -MAX_INT <= value <= MAX_INT,
    b"(?:0|-?[1-9][0-9]{0,14})",
)
FLAG: Final = Field("true or false", lambda value: type(value) is bool, b"(?:true|false)")
COUNTS: Final = many(COUNT)
DIGEST: Final = _text("sha256:<64 hex digits>", r"sha256:[0-9a-f]{64}")
SUBJECT: Final = _text("subject token s<kid>-<32 hex digits>", r"s[0-9]{1,4}-[0-9a-f]{32}")
USER: Final = _text("user token u<kid>-<16 hex digits>", r"u[0-9]{1,4}-[0-9a-f]{16}")
SLICES: Final = _text(
    "slice ranges such as 112-140 or 3,7-9",
    r"(?:[0-9]{1,6}(?:-[0-9]{1,6})?(?:,[0-9]{1,6}(?:-[0-9]{1,6})?){0,15})?",
    256,
)
VERSION: Final = _text(
    "version such as 0.1.0",
    r"[0-9]{1,4}(?:\.[0-9]{1,4}){1,3}(?:(?:a|b|rc|\.dev|\.post)[0-9]{1,4}){0,2}",
    32,
)
EDITION: Final = _text("edition of the DICOM standard such as 2026c", r"20[0-9]{2}[a-e]")
KEY_ID: Final = _text("id of a project key, k- and 8 hex digits", r"k-[0-9a-f]{8}")
TAG: Final = _text("DICOM tag of 8 hex digits", r"[0-9A-F]{8}")
ORIGIN: Final = _text(
    "origin medlabel.local/<site>/<writer>/<session>",
    r"medlabel\.local/[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?/w[0-9a-f]{16}"
    r"/[0-9]{8}T[0-9]{6}Z-[0-9A-HJKMNP-TV-Z]{26}",
)
ROOT: Final = _base64(32, "tree root")
PUBLIC_KEY: Final = _base64(32, "Ed25519 public key")
SIGNATURE: Final = _base64(68, "key id and Ed25519 signature")
ERROR_NAME: Final = choice(
    "", "EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES", "INTERRUPTED", "OTHER"
)
HEAD: Final = group(
    "head {origin, root, size}", {"origin": ORIGIN, "root": ROOT, "size": COUNT}
)
HEADS: Final = many(HEAD)


def slice_ranges(indices: Iterable[int]) -> str:
    """Return slice numbers as short text, such as ``"112-140"`` or ``"3,7-9"``.

    Parameters
    ----------
    indices : iterable of int
        Slice indices from 0, in any order, repeated or not.

    Returns
    -------
    str
        Ranges in rising order; one range from first to last where there would be more
        than `MAX_RANGES`; empty text for no slice.
    """
    ordered = sorted({int(index) for index in indices})
    ranges: list[tuple[int, int]] = []
    for index in ordered:
        if ranges and index == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], index)
        else:
            ranges.append((index, index))
    if len(ranges) > MAX_RANGES:
        ranges = [(ordered[0], ordered[-1])]
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)
