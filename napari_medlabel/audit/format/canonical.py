"""Canonical JSON: the one byte string that stands for a value (a subset of RFC 8785).

The subset has no floats, only ASCII keys, and whole numbers below 2**53 in magnitude. In
it, Python's ``json`` with sorted keys gives the bytes of RFC 8785 (JCS, section 3.2).
"""

from __future__ import annotations

import json
from typing import Final, NoReturn

MAX_INT: Final = 2**53 - 1
"""Largest magnitude of a whole number: what every JSON reader keeps exactly."""

MAX_DEPTH: Final = 16
"""Deepest nesting of lists and objects."""


class CanonicalError(ValueError):
    """A value has no canonical form, or bytes are not the canonical form of their value."""


def _no_float(_text: str) -> NoReturn:
    raise CanonicalError("a number is not whole")


def _whole(text: str) -> int:
    if len(text) > 17 or abs(value := int(text)) > MAX_INT:
        raise CanonicalError("a number is larger than 2**53 - 1")
    return value


_decoder = json.JSONDecoder(parse_float=_no_float, parse_int=_whole, parse_constant=_no_float)
_encoder = json.JSONEncoder(
    ensure_ascii=False,
    check_circular=False,
    allow_nan=False,
    sort_keys=True,
    separators=(",", ":"),
)


def _check(value: object, depth: int) -> None:
    """Refuse what the subset does not have."""
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INT:
            raise CanonicalError("a number is larger than 2**53 - 1")
    elif depth >= MAX_DEPTH:
        raise CanonicalError(f"lists and objects are nested deeper than {MAX_DEPTH}")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise CanonicalError("a key is not ASCII text")
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
    else:
        raise CanonicalError(f"a {type(value).__name__} has no canonical form")


def _bytes_of(value: object) -> bytes:
    try:
        return _encoder.encode(value).encode("utf-8")
    except UnicodeEncodeError as err:
        raise CanonicalError("text holds half a surrogate pair") from err


def encode(value: object) -> bytes:
    """Return the canonical bytes of a value.

    Parameters
    ----------
    value : object
        ``dict`` with ASCII keys, ``list``, ``str``, ``int`` of at most 2**53 - 1, ``bool``
        or ``None``, nested at most 16 deep.

    Returns
    -------
    bytes
        UTF-8, keys sorted, no white space (RFC 8785 section 3.2).

    Raises
    ------
    CanonicalError
        For a float, a large number, a key that is not ASCII, or any other type.
    """
    _check(value, 0)
    return _bytes_of(value)


def encode_known(value: object) -> bytes:
    """Return the canonical bytes of a value whose every part a schema has accepted.

    Parameters
    ----------
    value : object
        One that `encode` would not refuse; this is not asked again, which saves a third of
        the time that an event's line takes.
    """
    return _bytes_of(value)


def decode(raw: bytes) -> object:
    """Return the value of canonical bytes, and refuse every other spelling of it.

    Parameters
    ----------
    raw : bytes
        What `encode` returned.

    Returns
    -------
    object
        The value, such that ``encode(value) == raw``.

    Raises
    ------
    CanonicalError
        When the bytes are not JSON, or not canonical: other key order, white space, a
        duplicate key, another escape, a float, a large number.
    """
    try:
        value: object = _decoder.decode(raw.decode("utf-8"))
    except CanonicalError:
        raise
    except RecursionError as err:
        raise CanonicalError("nested too deep") from err
    except ValueError as err:
        raise CanonicalError("not JSON in UTF-8") from err
    # A key that is not ASCII shows in the bytes, escaped or not; nesting shows as brackets.
    if not raw.isascii() or raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        _check(value, 0)
    if _bytes_of(value) != raw:
        raise CanonicalError("not in canonical form")
    return value
