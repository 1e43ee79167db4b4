"""The text fields of NIfTI, NRRD and MetaImage headers, and the keys of sidecars."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from functools import cache

from napari_medlabel.deid.options import Option
from napari_medlabel.deid.scan_finding import DATE_OPTIONS, Allowance, Finding, Sign
from napari_medlabel.deid.scan_tables import entry, listed_tags, row_for
from napari_medlabel.deid.scan_words import is_dummy

_NIFTI_TEXTS = {
    348: {"data_type": (4, 10), "db_name": (14, 18), "descrip": (148, 80),
          "aux_file": (228, 24), "intent_name": (328, 16)},
    540: {"descrip": (240, 80), "aux_file": (320, 24), "intent_name": (508, 16),
          "unused_str": (525, 15)},
}  # fmt: skip
_NIFTI_PLACES = {348: (40, "8h", 72, 108, "f"), 540: (16, "8q", 14, 168, "q")}
_EXTENDER = {348: 348, 540: 540}
_RUN = re.compile(rb"[0-9A-Za-z][0-9A-Za-z .^_/:@-]{2,}")
_NRRD_FIELDS = frozenset(
    {
        "type", "dimension", "space", "space dimension", "sizes", "space directions", "kinds",
        "endian", "encoding", "space origin", "measurement frame", "spacings", "thicknesses",
        "axis mins", "axis maxs", "axismins", "axismaxs", "centers", "centerings", "units",
        "space units", "block size", "blocksize", "min", "max", "old min", "old max", "oldmin",
        "oldmax", "line skip", "lineskip", "byte skip", "byteskip", "data file", "datafile",
    }
)  # fmt: skip
_META_IMAGE_FIELDS = frozenset(
    {
        "objecttype", "ndims", "binarydata", "binarydatabyteordermsb", "elementbyteordermsb",
        "compresseddata", "compresseddatasize", "compressionlevel", "transformmatrix",
        "rotation", "orientation", "offset", "position", "origin", "centerofrotation",
        "anatomicalorientation", "elementspacing", "elementsize", "dimsize", "headersize",
        "elementnumberofchannels", "elementtype", "elementmin", "elementmax", "elementdatafile",
        "distanceunits", "modality",
    }
)  # fmt: skip
_NUMBERS = re.compile(r"[-+0-9.eE ,()naif]*")
# What dcm2niix calls otherwise than the standard.
_SIDECAR_KEYS = frozenset({"procedurestepdescription"})


def nifti_layout(content: bytes) -> tuple[int, str] | None:
    """Return size of the header and byte order; None where it is no NIfTI or Analyze file."""
    for order in "<>":
        for size in _NIFTI_PLACES:
            if content[:4] == struct.pack(order + "i", size) and len(content) >= size:
                return size, order
    return None


def nifti_faults(content: bytes) -> tuple[list[Finding], int, int | None]:
    """Return what a NIfTI header tells, where voxels begin and how many bytes they have.

    Parameters
    ----------
    content : bytes
        The file's first bytes, inflated.
    """
    size, order = nifti_layout(content) or (348, "<")
    found = [
        Finding(Sign.FIELD, name)
        for name, (at, length) in _NIFTI_TEXTS[size].items()
        if content[at : at + length].strip(b"\0 ")
    ]
    dims_at, dims_kind, bits_at, start_at, start_kind = _NIFTI_PLACES[size]
    dims = struct.unpack_from(order + dims_kind, content, dims_at)
    (bits,) = struct.unpack_from(order + "h", content, bits_at)
    (told,) = struct.unpack_from(order + start_kind, content, start_at)
    start = int(told) if math.isfinite(told) and 0 < told < 1 << 40 else 0
    is_pair = b"ni1" in content[:size] or b"ni2" in content[:8]
    least = size + 4
    if is_pair or start < least:
        start = len(content) if is_pair else least
    if len(content) > least and (content[size : size + 4] != bytes(4) or start > least + 12):
        found.append(Finding(Sign.EXTENSION, "after the header"))
    count = dims[0] if 1 <= dims[0] <= 7 else 0
    voxels = math.prod(dims[1 : count + 1]) if count and min(dims[1 : count + 1]) > 0 else 0
    return found, start, None if is_pair else (voxels * bits + 7) // 8


def nrrd_faults(content: bytes) -> tuple[list[Finding], int, int | None]:
    """Return what an NRRD header tells, and where voxels begin."""
    end = re.search(rb"\r?\n\r?\n", content)
    stop = end.end() if end else len(content)
    found = []
    for line in content[:stop].decode("utf-8", "replace").splitlines()[1:]:
        name, _, value = line.partition(":")
        if line.startswith("#"):
            found.append(Finding(Sign.FIELD, "comment"))
        elif value.startswith("="):
            numeric = name.startswith(("DWMRI_", "modality")) and (
                _NUMBERS.fullmatch(value[1:]) is not None or value == "=DWMRI"
            )
            if not numeric and not is_dummy(value[1:].strip()):
                found.append(Finding(Sign.FIELD, "key and value"))
        elif name.strip().lower() not in _NRRD_FIELDS and value.strip():
            found.append(Finding(Sign.FIELD, "field that is no geometry"))
    return found, stop, None


def meta_image_faults(content: bytes) -> tuple[list[Finding], int, int | None]:
    """Return what a MetaImage header tells, and where voxels begin."""
    end = re.search(rb"ElementDataFile[ \t]*=[^\n]*\n?", content)
    stop = end.end() if end else len(content)
    found = [
        Finding(Sign.FIELD, "field that is no geometry")
        for line in content[:stop].decode("utf-8", "replace").splitlines()
        if line.partition("=")[0].strip().lower() not in _META_IMAGE_FIELDS
        and not is_dummy(line.partition("=")[2].strip())
    ]
    return found, stop, None


def field_needles(content: bytes) -> Iterator[str]:
    """Yield the texts of an image header that is not DICOM."""
    layout = nifti_layout(content)
    if layout is not None:
        size = layout[0]
        for at, length in _NIFTI_TEXTS[size].values():
            yield content[at : at + length].split(b"\0")[0].decode("latin-1")
        _, start, _ = nifti_faults(content)
        runs = _RUN.findall(content[size + 4 : min(start, len(content))])
        yield from (run.decode("latin-1") for run in runs)
    elif content[:4] == b"NRRD" or b"ElementDataFile" in content[:4096]:
        judge = nrrd_faults if content[:4] == b"NRRD" else meta_image_faults
        known = _NRRD_FIELDS | _META_IMAGE_FIELDS
        for line in content[: judge(content)[1]].decode("utf-8", "replace").splitlines():
            name, mark, value = re.sub(r"[:=]+", "=", line, count=1).partition("=")
            if line.startswith("#") or (mark and name.strip().lower() not in known):
                yield value if mark else line[1:]


@cache
def _listed_keys() -> dict[str, int]:
    """Keywords of Table E.1-1 in lower case."""
    return {entry(tag)[1].lower(): tag for tag in listed_tags() if entry(tag)[1]}


def is_identity_key(key: str) -> bool:
    """Whether a key of a sidecar names what Table E.1-1 lists."""
    return key.lower() in _SIDECAR_KEYS or key.lower() in _listed_keys()


def sign_of_key(key: str, allowance: Allowance) -> Sign | None:
    """Return what the value of a sidecar's key is, of a source; None for no identity."""
    if not is_identity_key(key):
        return None
    tag = _listed_keys().get(key.lower(), 0)
    row = row_for(tag)
    if row is not None and row.options & allowance.options:
        return None
    vr = entry(tag)[0]
    if vr == "UI":
        return None if Option.RETAIN_UIDS in allowance.options else Sign.UID
    if vr in {"DA", "DT", "TM"}:
        return None if DATE_OPTIONS & allowance.options else Sign.DATE
    return Sign.NAME if vr == "PN" else Sign.TEXT
