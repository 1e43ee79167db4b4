"""Search what is not DICOM: image headers, sidecars, archives, text and names."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, BinaryIO

from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.scan.fields import (
    field_needles,
    is_identity_key,
    meta_image_faults,
    nifti_faults,
    nifti_layout,
    nrrd_faults,
    sign_of_key,
)
from napari_medlabel.deid.scan.finding import DATE_OPTIONS, Allowance, Finding, Sign
from napari_medlabel.deid.scan.search import Searcher
from napari_medlabel.deid.scan.tables import is_standard_uid
from napari_medlabel.deid.scan.words import Needle, is_date, is_dummy, needles_of

GZIP, ZIP = b"\x1f\x8b", b"PK\3\4"
_BLOCK = 1 << 20
_OVERLAP = 256
_WINDOW = 31
_LONGEST_HEADER = 1 << 24
_NAME, _COMMENT, _EXTRA = 8, 16, 4
_UID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*)){4,}")
_UID_IN_NAME = re.compile(r"(?<![0-9.])[0-2](?:\.(?:0|[1-9][0-9]*)){4,}(?![0-9])")
_DAY_IN_NAME = re.compile(
    r"(?<![0-9A-Za-z])(?:19|20)[0-9]{2}[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12][0-9]|3[01])"
    r"(?![0-9A-Za-z])"
)
_OF_A_REPORT = frozenset({"profile_sha256", "key_id", "quarantined", "scanned"})
_CLOCK = re.compile(r"[0-2]?[0-9]:[0-5][0-9](?::[0-9.]+)?")

Extra = tuple[Needle, ...]
Inner = Callable[[BinaryIO], Iterator[Finding]]


def companion_faults(
    stream: BinaryIO,
    head: bytes,
    searcher: Searcher,
    extra: Extra,
    inner: Inner,
    allowance: Allowance,
) -> Iterator[Finding]:
    """Yield what a file that is not DICOM holds and should not.

    Parameters
    ----------
    stream : BinaryIO
        The file.
    head : bytes
        Its first 4096 bytes.
    searcher, extra
        What tells whose it was.
    inner : callable
        Searches a file of an archive.
    allowance : Allowance
        What may stay in a sidecar.
    """
    if head[:4] == ZIP:
        yield from _zip_faults(stream, searcher, extra, inner)
        return
    if head[:2] == GZIP:
        yield from _wrapper_faults(head)
    blocks = _blocks(stream, is_gzip=head[:2] == GZIP)
    content = next(blocks, b"")
    if nifti_layout(content) is not None:
        yield from _image_faults(content, blocks, nifti_faults, searcher, extra)
    elif content[:4] == b"NRRD":
        yield from _image_faults(content, blocks, nrrd_faults, searcher, extra)
    elif re.match(rb"[ \t]*[A-Za-z]+[ \t]*=", content) and b"ElementDataFile" in content:
        yield from _image_faults(content, blocks, meta_image_faults, searcher, extra)
    else:
        content = content.removeprefix(b"\xef\xbb\xbf")
        if content.lstrip(b" \t\r\n")[:1] in {b"{", b"["}:
            content += b"".join(blocks)
            yield from _json_faults(content, allowance)
        yield from _text_faults(content, blocks, searcher, extra)


def _image_faults(
    content: bytes,
    blocks: Iterator[bytes],
    judge: Callable[[bytes], tuple[list[Finding], int, int | None]],
    searcher: Searcher,
    extra: Extra,
) -> Iterator[Finding]:
    """Judge a header, then search the voxels and what comes after them.

    `judge` returns its findings, where the voxels begin, and how many bytes they have where
    that can be told.
    """
    found, start, size = judge(content)
    while start > len(content) and len(content) < _LONGEST_HEADER:
        block = next(blocks, b"")
        if not block:
            break
        content += block
        found, start, size = judge(content)
    yield from found
    yield from _hits(searcher.in_text(content[:start], extra), "header")
    end = None if size is None else start + size
    done, tail = len(content), content[start:end][-_OVERLAP:]
    yield from _voxel_hits(content[start:end], searcher, extra)
    rest = b"" if end is None else content[end:]
    for block in blocks:
        inside = len(block) if end is None else max(0, min(len(block), end - done))
        yield from _voxel_hits(tail + block[:inside], searcher, extra)
        tail = block[max(0, inside - _OVERLAP) : inside]
        rest += block[inside:]
        done += len(block)
    if rest:
        yield Finding(Sign.TRAILING, "after the voxels")
        yield from _hits(searcher.in_text(rest, extra), "after the voxels")
    if end is not None and done < end and done > start:
        yield Finding(Sign.UNREADABLE, "voxels")


def _voxel_hits(content: bytes, searcher: Searcher, extra: Extra) -> Iterator[Finding]:
    for needle in searcher.in_pixels(content, extra):
        yield Finding(needle.sign, "voxels")


def _hits(found: Iterator[tuple[int, Needle]], where: str) -> Iterator[Finding]:
    for _, needle in found:
        yield Finding(needle.sign, where)


def _wrapper_faults(head: bytes) -> Iterator[Finding]:
    """Judge a gzip header (RFC 1952): no name, no comment, no time."""
    flags = head[3] if len(head) > 3 else 0
    if flags & (_NAME | _COMMENT | _EXTRA) or any(head[4:8]):
        yield Finding(Sign.WRAPPER, "gzip header")


def _blocks(stream: BinaryIO, *, is_gzip: bool) -> Iterator[bytes]:
    """Yield a file's bytes; inflated where they are gzip, as they are where they are not."""
    stream.seek(0)
    if not is_gzip:
        while block := stream.read(_BLOCK):
            yield block
        return
    inflater = zlib.decompressobj(_WINDOW)
    while block := stream.read(_BLOCK):
        while block:
            try:
                plain = inflater.decompress(block, _BLOCK)
            except zlib.error:
                yield block
                break
            yield plain
            block = inflater.unconsumed_tail
            if inflater.eof and inflater.unused_data:
                block, inflater = inflater.unused_data, zlib.decompressobj(_WINDOW)


def _text_faults(
    content: bytes, blocks: Iterator[bytes], searcher: Searcher, extra: Extra
) -> Iterator[Finding]:
    """Search a sidecar or any other file."""
    yield from _hits(_telling(searcher.in_text(content, extra)), "text")
    tail = content[-_OVERLAP:]
    for block in blocks:
        yield from _hits(_telling(searcher.in_text(tail + block, extra)), "text")
        tail = block[-_OVERLAP:]


def _telling(found: Iterator[tuple[int, Needle]]) -> Iterator[tuple[int, Needle]]:
    """Leave out words that any prose could have."""
    return (hit for hit in found if not hit[1].loose)


def _json_faults(content: bytes, allowance: Allowance) -> Iterator[Finding]:
    """Judge a JSON document by its keys, and by values that are dates, times or UIDs."""
    for key, value in _flat(_parsed(content)):
        if isinstance(value, bool) or value is None or is_dummy(str(value)):
            continue
        if is_identity_key(key):
            if sign_of_key(key, allowance) is not None:
                yield Finding(Sign.FIELD, key)
        elif isinstance(value, str):
            sign = _sign_of(value, allowance)
            if sign is not None:
                yield Finding(sign, "sidecar")


def _sign_of(text: str, allowance: Allowance) -> Sign | None:
    if _UID.fullmatch(text) is not None:
        may_stay = is_standard_uid(text) or Option.RETAIN_UIDS in allowance.options
        return None if may_stay or text.startswith("2.25.") else Sign.UID
    if DATE_OPTIONS & allowance.options:
        return None
    return Sign.DATE if is_date(text) or _CLOCK.fullmatch(text) is not None else None


def _parsed(content: bytes) -> Any:
    """Return a document; of our own report without the day of the run, which is nobody's."""
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    if isinstance(document, dict) and document.keys() >= _OF_A_REPORT:
        return {key: value for key, value in document.items() if key != "date"}
    return document


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a JSON document with the key it stands under."""
    waiting = [(key, value)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(str(k), v) for k, v in value.items()]
        elif isinstance(value, list):
            waiting += [(key, v) for v in value]
        else:
            yield key, value


def _zip_faults(
    stream: BinaryIO, searcher: Searcher, extra: Extra, inner: Inner
) -> Iterator[Finding]:
    """Search the files of an archive, and their names."""
    import zipfile

    try:
        with zipfile.ZipFile(stream) as archive:
            if archive.comment:
                yield Finding(Sign.WRAPPER, "comment of an archive")
            for info in archive.infolist():
                yield from name_faults(tuple(info.filename.split("/")), searcher, extra)
                yield from inner(BytesIO(archive.read(info)))
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError):
        yield Finding(Sign.UNREADABLE, "archive")


def name_faults(name: tuple[str, ...], searcher: Searcher, extra: Extra) -> Iterator[Finding]:
    """Yield what a file's name and its folders' tell.

    Parameters
    ----------
    name : tuple of str
        Folders and file name, relative to what is scanned.
    searcher, extra
        What tells whose it was.
    """
    whole = "/".join(name)
    encoded = whole.encode("utf-8", "surrogateescape").replace(b"_", b" ")
    uids = _UID_IN_NAME.findall(whole)
    if (
        _DAY_IN_NAME.search(whole)
        or any(not uid.startswith("2.25.") for uid in uids)
        or next(searcher.in_text(encoded, extra), None) is not None
    ):
        yield Finding(Sign.FILE_NAME, "name")


def companion_needles(
    stream: BinaryIO, head: bytes, allowance: Allowance
) -> Iterator[tuple[Needle, ...]]:
    """Yield what a source that is not DICOM tells of whose it is.

    Parameters
    ----------
    stream : BinaryIO
        The file.
    head : bytes
        Its first 4096 bytes.
    allowance : Allowance
        What may stay is no identity.
    """
    if head[:4] == ZIP:
        return
    content = next(_blocks(stream, is_gzip=head[:2] == GZIP), b"")
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["}:
        stream.seek(0)
        for key, value in _flat(_parsed(stream.read())):
            sign = sign_of_key(key, allowance)
            if sign is not None and value is not None and not isinstance(value, bool):
                yield needles_of(str(value), sign, ())
        return
    for text in field_needles(content):
        yield needles_of(text, Sign.TEXT, ())
