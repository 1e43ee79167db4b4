"""A colour profile (ICC.1) without its words: who made it, when, on which device."""

from __future__ import annotations

import struct

from napari_medlabel.deid.rules.tables import reads_as_text

_HEADER, _ENTRY, _MOST_TAGS = 128, 12, 64
_SIGNATURE = b"acsp"
_CLASSES = frozenset({b"scnr", b"mntr", b"prtr", b"spac"})
_SPACES = frozenset({b"RGB ", b"GRAY", b"CMYK", b"XYZ ", b"Lab "})
_MADE = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
_D50 = bytes.fromhex("0000f6d6000100000000d32d")
_NUMBERS = frozenset({b"XYZ ", b"curv", b"mAB ", b"mBA ", b"mft1", b"mft2", b"para", b"sf32"})
_TAGS = frozenset(
    {
        b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"bTRC", b"bXYZ", b"bkpt",
        b"chad", b"gTRC", b"gXYZ", b"gamt", b"kTRC", b"rTRC", b"rXYZ", b"wtpt",
    }
)  # fmt: skip
_WORDS = b"Anonymized"


def without_words(profile: bytes) -> bytes | None:
    """Return a colour profile with nothing but what its colours need.

    Parameters
    ----------
    profile : bytes
        An ICC profile, padded or not.

    Returns
    -------
    bytes or None
        Version, class, colour spaces, intent, and the tags that hold numbers, bit for bit;
        the date is 2000-01-01 and description and copyright are one word. None for bytes
        that are no profile or that have words where numbers should be.
    """
    head = profile[:_HEADER]
    if len(head) < _HEADER or head[36:40] != _SIGNATURE or len(profile) < _HEADER + 4:
        return None
    if head[12:16] not in _CLASSES or not {head[16:20], head[20:24]} <= _SPACES:
        return None
    tags = _numbers(profile)
    if not tags or any(reads_as_text(data) for data in tags.values()):
        return None
    words = _spoken(unicode=head[8] >= 4)
    tags |= {b"desc": words[0], b"cprt": words[1]}
    intent = struct.unpack(">I", head[64:68])[0] & 3
    start = b"".join(
        (
            bytes(8),
            struct.pack(">4B", head[8] & 7, head[9] & 0xF0, 0, 0),
            head[12:24],
            _MADE,
            _SIGNATURE,
            bytes(24),
            struct.pack(">I", intent),
            _D50,
            bytes(48),
        )
    )
    return _put_together(start, tags)


def _numbers(profile: bytes) -> dict[bytes, bytes]:
    """Return the tags that hold numbers, each as far as its type says."""
    (count,) = struct.unpack_from(">I", profile, _HEADER)
    entries = range(_HEADER + 4, _HEADER + 4 + min(count, _MOST_TAGS) * _ENTRY, _ENTRY)
    result = {}
    for at in entries:
        name = profile[at : at + 4]
        if name not in _TAGS or at + _ENTRY > len(profile):
            continue
        offset, size = struct.unpack_from(">II", profile, at + 4)
        data = profile[offset : offset + size]
        if data[:4] in _NUMBERS and len(data) == size >= 12:
            exact = _exact(data)
            result[name] = data[:4] + bytes(4) + data[8:exact]
    return result


def _exact(data: bytes) -> int:
    """Return the length of a tag's data; what is beyond it is not the tag's."""
    if data[:4] == b"XYZ ":
        return 20
    if data[:4] == b"sf32":
        return 44
    if data[:4] == b"curv":
        return 12 + 2 * int(struct.unpack_from(">I", data, 8)[0])
    return len(data)


def _spoken(*, unicode: bool) -> tuple[bytes, bytes]:
    """Return description and copyright as version 4 and as those before it write them."""
    if unicode:
        text = _WORDS.decode("ascii").encode("utf-16-be")
        both = b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", len(text), 28) + text
        return both, both
    length = struct.pack(">I", len(_WORDS) + 1)
    description = b"desc" + bytes(4) + length + _WORDS + bytes(1 + 8 + 3 + 67)
    return description, b"text" + bytes(4) + _WORDS + b"\0"


def _put_together(start: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Header, table and data of a profile; each tag's data begins at a multiple of four."""
    table, body = struct.pack(">I", len(tags)), b""
    first = _HEADER + 4 + len(tags) * _ENTRY
    for name, data in sorted(tags.items()):
        table += name + struct.pack(">II", first + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    whole = start + table + body
    return struct.pack(">I", len(whole)) + whole[4:]
