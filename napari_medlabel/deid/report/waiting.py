"""What waits for eyes, as a review folder lists it: images, and series looked at as one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from napari_medlabel.deid.report.counts import Look, Queued

QUEUE_NAME, PAGE_NAME = "review.json", "index.html"
VERSION = 1
_TOKEN = re.compile(r"[A-Za-z0-9-]{4,64}")
_STEP = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
Parts: TypeAlias = tuple[str, ...]
_FACE = frozenset({Look.FACE})
_PLACES = 4  # patient, study, series, instance


@dataclass(frozen=True)
class Held:
    """A file that is held back.

    Parameters
    ----------
    name : tuple of str
        Folders and file name, from codes only, in the review folder as later in the target.
    sha256 : str
        Of the file when it was written.
    """

    name: Parts
    sha256: str

    def path(self, folder: Path) -> Path:
        """Return where it lies in a review folder or a target."""
        return folder.joinpath(*self.name)


@dataclass(frozen=True)
class Waiting:
    """What a person decides about at once.

    Parameters
    ----------
    token : str
        By what a person names it.
    look : tuple of str
        Why somebody must look; values of `Look`.
    files : tuple of Held
        One image; or all of a series whose face was removed, in one folder.
    """

    token: str
    look: tuple[str, ...]
    files: tuple[Held, ...]

    @property
    def name(self) -> Parts:
        """Of its only file, or of the folder of several."""
        return self.files[0].name if len(self.files) == 1 else self.files[0].name[:-1]

    @property
    def shows_head(self) -> bool:
        """Whether a face was removed from it."""
        return Look.FACE.value in self.look

    def path(self, folder: Path) -> Path:
        """Return where its only file, or the folder of several, lies."""
        return folder.joinpath(*self.name)


def together(queued: Iterable[Queued]) -> tuple[tuple[Queued, ...], ...]:
    """Return what is looked at together.

    The files of a series of which nothing is in doubt but whether the face is gone are one:
    that is seen in the volume, not in a slice. An image that has another reason is alone.

    Parameters
    ----------
    queued : iterable of Queued
        In the order of the source.
    """
    groups: dict[Parts, list[Queued]] = {}
    for each in queued:
        is_slice = each.look == _FACE and len(each.name) == _PLACES
        groups.setdefault(each.name[:-1] if is_slice else each.name, []).append(each)
    return tuple(map(tuple, groups.values()))


def rows_of(waiting: Sequence[Waiting]) -> list[dict[str, Any]]:
    """Return a JSON list with a row for each file; those of one entry have one token."""
    return [
        {
            "token": each.token,
            "name": list(held.name),
            "look": list(each.look),
            "sha256": held.sha256,
        }
        for each in waiting
        for held in each.files
    ]


def entries_of(
    rows: Iterable[Mapping[str, Any]], version: object = VERSION
) -> tuple[Waiting, ...]:
    """Return the entries that `rows_of` wrote.

    Raises
    ------
    ValueError, LookupError, TypeError
        For rows that it never writes, or another version of the list.
    """
    if version != VERSION:
        raise ValueError
    found: dict[str, Waiting] = {}
    names: set[Parts] = set()
    for row in rows:
        one = _entry(row)
        name, before = one.name, found.get(one.token)
        if name in names:
            raise ValueError
        names.add(name)
        if before is not None:
            same = before.look == one.look and before.files[0].name[:-1] == name[:-1]
            if not same or not one.shows_head:
                raise ValueError
            one = Waiting(one.token, one.look, (*before.files, *one.files))
        found[one.token] = one
    return tuple(found.values())


def _entry(row: Mapping[str, Any]) -> Waiting:
    """Return a row, if it names a file below the folder and nothing else."""
    name, look = tuple(row["name"]), tuple(row["look"])
    strings = [row["token"], row["sha256"], *name, *look]
    if not all(isinstance(text, str) for text in strings) or not name:
        raise ValueError
    fits = all(_STEP.fullmatch(step) for step in name) and _TOKEN.fullmatch(row["token"])
    if not fits or not _SHA256.fullmatch(row["sha256"]) or name[0] in {QUEUE_NAME, PAGE_NAME}:
        raise ValueError
    return Waiting(row["token"], look, (Held(name, row["sha256"]),))
