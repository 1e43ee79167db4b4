"""What is told of a series before its voxels are read: geometry, doubts, no patient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.thumbnail import Picture
from napari_medlabel.model.volume import Format, Volume

Loader = Callable[..., Volume]
_PLURALS: Final = {
    "echo": "echoes",
    "frequency": "frequencies",
    "inversion": "inversion times",
    "repetition": "repetition times",
    "trigger": "trigger times",
}


@dataclass(frozen=True, repr=False)
class SeriesInfo:
    """One series that was found, with nothing in it that names a patient.

    Parameters
    ----------
    key : str
        What to pass as ``series``: its number. A full SeriesInstanceUID is understood too.
    number : int
        Counts from 1 in a stable order.
    format : str
        As in `model.volume.Format`.
    files : int
        How many files it consists of.
    grid : Grid or None
        None when it cannot be read.
    modality : str
        As in DICOM; empty when unknown.
    warnings : tuple of str
        Doubts in words.
    problem : str
        Why it cannot be read; empty when it can.
    series_uid : str or None
        SeriesInstanceUID: an identifier, never shown.
    volumes : int
        How many volumes lie on the grid: times, echoes, b-values.
    axis : tuple of str or None
        What they differ in, and its unit (empty for plain numbers); None for one volume.
    slices : str
        ``"places"``, or ``"pictures"`` where k only counts images.
    missing : tuple of int
        Slices (k) that no file holds.
    colour : bool
        Whether it has colours.
    hint : str
        What to do about ``problem``.
    words : tuple of str
        What kind of images they are, for instance ``("phase",)``.
    series_number : int or None
        Series Number, by which people know a series at the scanner and in the archive.
    values : str
        What stored values are turned into, as the person chose it; see `registry.VALUES`.
    load, picture : callable or None
        Read the volume and one slice of it; see `registry.read_series` and
        `registry.thumbnail`.
    why_not : callable or None
        Says why it cannot be read as some values; see `registry.why_not_as`.
    """

    key: str
    number: int
    format: Format
    files: int
    grid: Grid | None
    modality: str
    warnings: tuple[str, ...]
    problem: str
    series_uid: str | None
    volumes: int = 1
    axis: tuple[str, str] | None = None
    slices: Literal["places", "pictures"] = "places"
    missing: tuple[int, ...] = ()
    colour: bool = False
    hint: str = ""
    words: tuple[str, ...] = ()
    series_number: int | None = None
    values: str = "rescaled"
    load: Loader | None = field(default=None, compare=False)
    picture: Callable[[], Picture] | None = field(default=None, compare=False)
    why_not: Callable[[str], str] | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"SeriesInfo({self.line()})"

    @property
    def description(self) -> str:
        """What is not a plain grey volume about it, for instance ``"phase, 4D, 40 times"``."""
        parts = list(self.words)
        if self.axis is not None:
            parts.append(f"4D, {counted(self.volumes, self.axis[0])}")
        if self.colour:
            parts.append("colour")
        if self.slices == "pictures":
            parts.append("pictures without a place")
        if self.missing:
            parts.append(f"{len(self.missing)} missing")
        return ", ".join(parts)

    def line(self) -> str:
        """Describe it in one line, without any identifier."""
        kind = self.modality or self.format.upper()
        if self.grid is None:
            return f"{self.number}: {kind}, {files(self.files)}, cannot be read: {self.problem}"
        i, j, k = self.grid.shape
        spacing = " x ".join(f"{mm:.4g}" for mm in self.grid.affine.spacing_mm)
        counts = "slice" if self.slices == "places" else "picture"
        line = f"{self.number}: {kind}, {i} x {j}, {spacing} mm, {k} {counts}{'s' * (k != 1)}"
        return f"{line}, {self.description}" if self.description else line


@dataclass(frozen=True, repr=False)
class FoundMarks:
    """A file that marks something in a scan.

    Parameters
    ----------
    kind : str
        In words, in the singular: ``"segmentation"``, ``"structure set"``, ``"report"``.
    path : Path
        The file; it may name a patient, so it is not shown.
    """

    kind: str
    path: Path

    def __repr__(self) -> str:
        return f"FoundMarks({self.kind})"


@dataclass(frozen=True)
class Survey:
    """What was found.

    Parameters
    ----------
    series : tuple of SeriesInfo
        In a stable order.
    skipped : int
        Files that are no images: other objects of DICOM, and files of other kinds.
    unreadable : int
        Files that look like images and cannot be read at all.
    marks : tuple of FoundMarks
        Segmentations, structure sets and the like; see `registry.read_marks`.
    notes : tuple of str
        What is in doubt about the search as a whole, in words.
    """

    series: tuple[SeriesInfo, ...]
    skipped: int
    unreadable: int
    marks: tuple[FoundMarks, ...] = ()
    notes: tuple[str, ...] = ()

    def marks_in_words(self) -> str:
        """Count the marks by kind, for instance ``"2 segmentations, 1 structure set"``."""
        return ", ".join(
            f"{number} {kind}{'s' * (number != 1)}"
            for kind, number in sorted(Counter(mark.kind for mark in self.marks).items())
        )


def files(number: int) -> str:
    """Return ``"1 file"`` or ``"5 files"``."""
    return f"{number} file" if number == 1 else f"{number} files"


def counted(number: int, axis: str) -> str:
    """Return how many there are along an axis, for instance ``"40 times"``."""
    return f"{number} {axis}" if number == 1 else f"{number} {_PLURALS.get(axis, axis + 's')}"
