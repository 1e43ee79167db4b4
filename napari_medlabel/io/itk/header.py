"""What the text headers of NRRD and MetaImage have in common: fields, and files they name."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

import numpy as np

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.io.description import Described, Description
from napari_medlabel.io.gzip_stream import Packing
from napari_medlabel.io.voxels import sound_affine
from napari_medlabel.model.volume import Format

AGAIN: Final = "The file is damaged or of an unknown kind; export it again from its source."
LONGEST_HEADER: Final = 1 << 20
_MOST_FILES: Final = 100_000
_MOST_NUMBERS: Final = 1 << 62
_PATTERN: Final = re.compile(r"[^%]*%0?\d{0,3}[di][^%]*")
LENGTHS_MM: Final = {
    "mm": 1.0,
    "millimeter": 1.0,
    "millimeters": 1.0,
    "um": 1e-3,
    "\u00b5m": 1e-3,
    "\u03bcm": 1e-3,
    "micron": 1e-3,
    "microns": 1e-3,
    "cm": 10.0,
    "m": 1000.0,
}

Role = Literal["none", "volumes", "colour", "complex"]


@dataclass(frozen=True)
class Packed:
    """Where and how the voxels lie.

    Parameters
    ----------
    files : tuple of Path
        That hold the voxels, one part of equal size in each.
    is_apart : bool
        Whether those are other files than the header's.
    packing : str
        As in `GzipReader`, or ``"text"``.
    start : int
        Where in each file the packed bytes begin.
    skip : int
        Unpacked bytes in front of the voxels; -1: they are the last bytes of a raw file.
    """

    files: tuple[Path, ...]
    is_apart: bool
    packing: Packing | Literal["text"]
    start: int
    skip: int


@dataclass(frozen=True)
class ItkHeader(Described):
    """What a header says, checked.

    Parameters
    ----------
    format : str
        ``"nrrd"`` or ``"mha"``.
    said : Description
        Grid, further volumes and doubts.
    dtype : dtype
        Of one number in the file, in the file's byte order.
    sizes : tuple of int
        Of all axes in the file, the fastest first.
    spatial : tuple of int
        Which of them are i, j and k (only i and j for one slice).
    other : int or None
        Which one is none of them.
    role : str
        What that one is: ``"volumes"``, ``"colour"``, ``"complex"``, or ``"none"``.
    packed : Packed
        Where the voxels lie.
    fields : dict
        The header's fields, by names in small letters.
    keys : dict
        The key-value pairs of an NRRD header (``key:=value``), as they are spelled.
    """

    format: Format
    said: Description
    dtype: np.dtype[Any]
    sizes: tuple[int, ...]
    spatial: tuple[int, ...]
    other: int | None
    role: Role
    packed: Packed
    fields: dict[str, str] = field(default_factory=dict, repr=False)
    keys: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_colour(self) -> bool:
        """Whether the voxels are colours."""
        return self.role == "colour"

    @property
    def data_bytes(self) -> int:
        """Bytes that the values take."""
        return math.prod(self.sizes) * self.dtype.itemsize


def read_head(path: Path) -> bytes:
    """Return the first mebibyte of a file, which holds its header.

    Raises
    ------
    InputError
        When it cannot be opened.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(LONGEST_HEADER)
    except OSError as err:
        raise InputError(
            "The file cannot be opened.", hint="Check that it exists and that you may read it."
        ) from err


def numbers(text: str, count: int, what: str) -> list[float]:
    """Return the numbers of a field.

    Raises
    ------
    InputError
        When they are not ``count`` numbers.
    """
    try:
        values = [float(word) for word in text.split()]
    except ValueError as err:
        raise InputError(f"The header's {what} are not numbers.", hint=AGAIN) from err
    if len(values) != count:
        raise InputError(
            f"The header's {what} are {len(values)} numbers; {count} are expected.", hint=AGAIN
        )
    return values


def whole(text: str, what: str) -> int:
    """Return a field's whole number.

    Raises
    ------
    InputError
        When it is none.
    """
    try:
        return int(text)
    except ValueError as err:
        raise InputError(f"The header's {what} is not a whole number.", hint=AGAIN) from err


def sizes_of(text: str, count: int) -> tuple[int, ...]:
    """Return the sizes of all axes.

    Raises
    ------
    InputError
        When they are not so many positive whole numbers.
    """
    values = numbers(text, count, "sizes")
    if any(not value.is_integer() or value < 1 for value in values):
        raise InputError("The header's sizes are not positive whole numbers.", hint=AGAIN)
    if math.prod(values) > _MOST_NUMBERS:
        raise InputError(
            "The header's sizes are larger than any computer's memory.", hint=AGAIN
        )
    return tuple(int(value) for value in values)


def checked_affine(matrix: Any, *, is_lps: bool) -> Affine:
    """Return an affine from a (4, 4) matrix into LPS or RAS mm.

    Raises
    ------
    InputError
        When it is not finite or spans no volume.
    """
    try:
        return sound_affine(matrix, is_lps=is_lps)
    except GeometryError as err:
        raise InputError(
            "The header's voxel-to-world matrix is not finite or spans no volume.", hint=AGAIN
        ) from err


def data_files(path: Path, spec: str, lines: list[str]) -> tuple[Path, ...]:
    """Return the data files that a header names, each beside it or in a folder below.

    Parameters
    ----------
    path : Path
        The header's file.
    spec : str
        A name; ``LIST``; or a pattern (``slice%03d.raw``) with first number, last and step.
    lines : list of str
        What follows the field: the names, where it says LIST.

    Raises
    ------
    InputError
        When one is missing or lies elsewhere.
    """
    if spec.split()[:1] == ["LIST"]:
        names = [line.strip() for line in lines if line.strip()]
    elif "%" in spec and not (path.parent / spec).is_file():
        names = _from_pattern(spec)
    else:
        names = [spec.strip()]
    if not names or len(names) > _MOST_FILES:
        raise InputError(
            f"The header names {len(names)} data files; 1 to {_MOST_FILES} are expected.",
            hint=AGAIN,
        )
    return tuple(_beside(path, name) for name in names)


def _from_pattern(spec: str) -> list[str]:
    words = spec.split()
    try:
        first, last, step = (int(word) for word in [*words[1:4], "1"][:3])
        count = len(range(first, last + (1 if step > 0 else -1), step))
    except ValueError as err:
        raise InputError(
            "The header's pattern of data files is incomplete.", hint=AGAIN
        ) from err
    if not _PATTERN.fullmatch(words[0]) or not 1 <= count <= _MOST_FILES:
        raise InputError("The header's pattern of data files is not understood.", hint=AGAIN)
    return [words[0] % (first + n * step) for n in range(count)]


def _beside(path: Path, name: str) -> Path:
    plain = PurePosixPath(name.replace("\\", "/"))
    if plain.is_absolute() or ".." in plain.parts or ":" in name or not plain.name:
        raise InputError(
            "The header names a data file in another folder.",
            hint="Put the data file beside its header and name it without a folder.",
        )
    data = path.parent / plain
    if "\0" in name or not data.is_file():
        raise InputError(
            "A data file that the header names is missing.",
            hint="Keep the files together, under the names they had.",
        )
    return data


def require_even(files: tuple[Path, ...], sizes: tuple[int, ...], within: int) -> None:
    """Refuse data files that do not hold one part of equal size each.

    Parameters
    ----------
    files : tuple of Path
        The data files.
    sizes : tuple of int
        Of all axes.
    within : int
        How many axes one file has.

    Raises
    ------
    InputError
        When there are more or fewer files than parts.
    """
    if within < len(sizes):
        fits = len(files) == math.prod(sizes[within:])
    else:
        fits = sizes[-1] % len(files) == 0
    if not fits:
        raise InputError(
            f"The header names {len(files)} data files, which is not one for each part of its "
            "volume.",
            hint="Some are missing, or the header belongs to other files.",
        )
