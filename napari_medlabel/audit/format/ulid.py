"""ULIDs: 26 letters that sort by time and never meet twice."""

from __future__ import annotations

from typing import Final

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(utc_ms: int, entropy: bytes) -> str:
    """Return the ULID of a moment.

    Parameters
    ----------
    utc_ms : int
        Milliseconds since 1970, below 2**48.
    entropy : bytes
        10 random bytes.

    Returns
    -------
    str
        26 letters of Crockford's base32; later moments sort after earlier ones.
    """
    number = (utc_ms << 80) | int.from_bytes(entropy[:10], "big")
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))
