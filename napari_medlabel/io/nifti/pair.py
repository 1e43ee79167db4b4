"""Which files make one NIfTI or ANALYZE image: a single file, or a header and its voxels."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from napari_medlabel.errors import InputError

_HEADERS: Final = (".hdr", ".hdr.gz")
_VOXELS: Final = (".img", ".img.gz")


def header_of(path: Path) -> Path:
    """Return the file that holds the header: the path's own, or for an .img the .hdr beside.

    Raises
    ------
    InputError
        When there is no .hdr beside an .img file.
    """
    if _ending(path, _VOXELS) is None:
        return path
    return _beside(path, _VOXELS, _HEADERS, "its header (.hdr)")


def voxels_of(header: Path) -> Path:
    """Return the .img file beside a .hdr file.

    Raises
    ------
    InputError
        When there is none.
    """
    if _ending(header, _HEADERS) is None:
        raise InputError(
            "This is one half of a pair of files, and it is not called .hdr.",
            hint="Give the pair its names back: the same, with .hdr and .img at the end.",
        )
    return _beside(header, _HEADERS, _VOXELS, "the file with its voxels (.img)")


def is_header(path: Path) -> bool:
    """Tell by the name whether a file is the header of a pair."""
    return _ending(path, _HEADERS) is not None


def is_half(path: Path) -> bool:
    """Tell by the name whether a file is one half of a pair."""
    return _ending(path, (*_HEADERS, *_VOXELS)) is not None


def _ending(path: Path, endings: tuple[str, ...]) -> str | None:
    name = path.name.lower()
    return next((end for end in reversed(endings) if name.endswith(end)), None)


def _beside(path: Path, own: tuple[str, ...], others: tuple[str, ...], what: str) -> Path:
    ending = _ending(path, own) or ""
    stem = path.name[: len(path.name) - len(ending)]
    # The same compression first, and the same case of letters.
    wanted = sorted(others, key=lambda end: end.endswith(".gz") != ending.endswith(".gz"))
    for end in wanted:
        for name in (stem + end, stem + end.upper()):
            if path.with_name(name).is_file():
                return path.with_name(name)
    raise InputError(
        f"This is one half of a pair of files; {what} is missing.",
        hint="Keep both files together, under the same name.",
    )
