"""How the voxels of an NRRD or MetaImage file are packed: where they begin, and as what.

NRRD: teem.sourceforge.net/nrrd/format.html; MetaImage: itk.org/Wiki/ITK/MetaIO/Documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from napari_medlabel.errors import InputError
from napari_medlabel.model.volume import Format

Packing = Literal["raw", "gzip", "zlib", "other"]
_LONGEST_HEADER: Final = 1 << 20
_AGAIN: Final = "The file is damaged; export it again from its source."


@dataclass(frozen=True)
class Layout:
    """Where and how the voxels lie.

    Parameters
    ----------
    format : str
        ``"nrrd"`` or ``"mha"``.
    data : Path
        The file that holds the voxels: the header's own or one beside it.
    offset : int
        Where they begin; -1: they are the last bytes of the file.
    packing : str
        ``"raw"``, ``"gzip"``, ``"zlib"``, or ``"other"`` (text, bzip2).
    big_endian : bool
        Byte order.
    has_orientation : bool
        Whether the header says which side is which.
    """

    format: Format
    data: Path
    offset: int
    packing: Packing
    big_endian: bool
    has_orientation: bool


def layout(path: Path) -> Layout:
    """Read the text header.

    Raises
    ------
    InputError
        When there is none, or it spreads the voxels over several files.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(_LONGEST_HEADER)
    except OSError as err:
        raise InputError(
            "The file cannot be opened.", hint="Check that it exists and that you may read it."
        ) from err
    if head.startswith(b"NRRD"):
        return _nrrd(path, head)
    return _meta_image(path, head)


def _nrrd(path: Path, head: bytes) -> Layout:
    lines, end = _until_blank(head)
    fields = _fields(lines[1:], ": ")
    name = fields.get("data file", fields.get("datafile", ""))
    if not name and end < 0:
        raise InputError("The NRRD header has no end.", hint=_AGAIN)
    packings: dict[str, Packing] = {"raw": "raw", "gzip": "gzip", "gz": "gzip"}
    line_skip = fields.get("line skip", fields.get("lineskip", "0"))
    byte_skip = fields.get("byte skip", fields.get("byteskip", "0"))
    packing = packings.get(fields.get("encoding", ""), "other")
    if line_skip != "0" or (byte_skip != "0" and packing != "raw"):
        packing = "other"
    skip = _whole(byte_skip)
    return Layout(
        format="nrrd",
        data=_beside(path, name) if name else path,
        offset=-1 if skip < 0 else skip + (0 if name else end),
        packing=packing,
        big_endian=fields.get("endian", "little") == "big",
        has_orientation="space directions" in fields
        and ("space" in fields or "space dimension" in fields),
    )


def _until_blank(head: bytes) -> tuple[list[str], int]:
    """Return the header's lines and where the first byte behind its blank line lies."""
    at = 0
    lines: list[str] = []
    while (stop := head.find(b"\n", at)) >= 0:
        line = head[at:stop].rstrip(b"\r")
        at = stop + 1
        if not line:
            return lines, at
        lines.append(line.decode("latin-1"))
    return [*lines, head[at:].decode("latin-1")], -1


def _fields(lines: list[str], between: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in lines:
        name, found, value = line.partition(between)
        if found and not line.startswith("#"):
            fields[name.strip().lower()] = value.strip()
    return fields


def _meta_image(path: Path, head: bytes) -> Layout:
    marker = head.find(b"ElementDataFile")
    end = head.find(b"\n", marker)
    if marker < 0 or not head.lstrip().startswith((b"ObjectType", b"NDims", b"Comment")):
        raise InputError(
            "An NRRD or MetaImage file is expected; its header is neither.", hint=_AGAIN
        )
    end = len(head) if end < 0 else end
    fields = _fields(head[:end].decode("latin-1").splitlines(), "=")
    name = fields.get("elementdatafile", "")
    local = name.upper() == "LOCAL"
    compressed = fields.get("compresseddata", "false").lower() == "true"
    binary = fields.get("binarydata", "true").lower() == "true"
    order = fields.get("binarydatabyteordermsb", fields.get("elementbyteordermsb", "false"))
    skip = _whole(fields.get("headersize", "0"))
    packing: Packing = "zlib" if compressed else "raw"
    return Layout(
        format="mha",
        data=path if local else _beside(path, name),
        offset=-1 if skip < 0 else skip + (end + 1 if local else 0),
        packing=packing if binary else "other",
        big_endian=order.lower() == "true",
        has_orientation=any(
            key in fields for key in ("transformmatrix", "orientation", "rotation")
        ),
    )


def _whole(value: str) -> int:
    try:
        return int(value)
    except ValueError as err:
        raise InputError("The header's skip is not a whole number.", hint=_AGAIN) from err


def _beside(path: Path, name: str) -> Path:
    """Return the one data file beside the header; never one elsewhere."""
    plain = name.removeprefix("./")
    if (
        plain.startswith("LIST")
        or "%" in plain
        or (" " in plain.strip() and not (path.parent / plain).is_file())
    ):
        raise InputError(
            "The voxels are spread over several files; one data file is read.",
            hint="Save the volume as one file.",
        )
    if Path(plain).name != plain or not plain:
        raise InputError(
            "The header names a data file in another folder.",
            hint="Put the data file beside its header and name it without a folder.",
        )
    data = path.parent / plain
    if not data.is_file():
        raise InputError(
            "The data file that the header names is missing.",
            hint="Keep both files together, under the names they had.",
        )
    return data
