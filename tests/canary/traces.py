"""Search every byte under a folder for marks: packed, encoded, in names, in pages."""

from __future__ import annotations

import base64
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_BLOB = re.compile(rb"[A-Za-z0-9+/]{400,}={0,2}")
_DEEPEST = 4


def views(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """Yield bytes, and what is packed in them: gzip, zlib, zip, base64."""
    yield data
    if depth == _DEEPEST:
        return
    if data.startswith(b"\x1f\x8b"):
        with suppress(OSError, EOFError, zlib.error):
            yield from views(gzip.decompress(data), depth + 1)
    if data.startswith(b"PK\x03\x04"):
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from views(archive.read(name), depth + 1)
    for blob in _BLOB.findall(data):
        with suppress(ValueError):
            yield from views(base64.b64decode(blob[: len(blob) // 4 * 4]), depth + 1)


def patterns(marks: Iterable[str]) -> re.Pattern[bytes]:
    """Return what finds any mark in UTF-8, UTF-16 or hexadecimal, whatever its case."""
    forms = set()
    for mark in marks:
        plain = mark.encode()
        forms |= {plain, mark.encode("utf-16-le"), plain.hex().encode()}
    return re.compile(b"|".join(map(re.escape, sorted(forms))), re.IGNORECASE)


def traces(folder: Path, marks: Iterable[str], *, but: Iterable[Path] = ()) -> list[str]:
    """Return which files hold a mark, in name or content, outside some folders.

    Returns
    -------
    list of str
        ``name`` or ``content`` and the file's place; never the mark.
    """
    wanted, spared = patterns(marks), [path.resolve() for path in but]
    found = []
    for path in sorted(folder.rglob("*")):
        real = path.resolve()
        if any(real == spare or spare in real.parents for spare in spared):
            continue
        place = path.relative_to(folder).as_posix()
        if wanted.search(place.encode()):
            found.append(f"name {place}")
        if path.is_file() and any(wanted.search(view) for view in views(path.read_bytes())):
            found.append(f"content {place}")
    return found
