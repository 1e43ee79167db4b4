"""How far each segment of a case is: kept beside its mask, merged with what others wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from napari_medlabel.io.files import Staging, explain_os_error, make_folder
from napari_medlabel.model.labelmap import Label, LabelScheme

Progress = Literal["not started", "in progress", "completed", "flagged"]
PROGRESS: Final[tuple[Progress, ...]] = get_args(Progress)

SEGMENTS_FILE: Final = "segments.json"
FORMAT: Final = "napari-medlabel segments"


@dataclass(frozen=True)
class SegmentState:
    """How far one segment is.

    Parameters
    ----------
    progress : str
        One of `PROGRESS`, as a person said.
    locked : bool
        Whether it neither loses nor gains a voxel.
    done : frozenset of int
        Slices (voxel index k, from 0) that a person called done.
    """

    progress: Progress = "not started"
    locked: bool = False
    done: frozenset[int] = frozenset()

    def seen_progress(self, voxels: int) -> Progress:
        """Return how far it is: painted and nothing said is in progress."""
        return "in progress" if self.progress == "not started" and voxels else self.progress


@dataclass(frozen=True)
class Segment:
    """One row of the segment table.

    Parameters
    ----------
    label : Label
        Value, name, colour, code.
    voxels : int
        How many it has now.
    ml : float or None
        Its volume; None where voxels have none.
    slices : int
        On how many slices (along k) it has voxels.
    done : int
        How many slices a person called done.
    progress : str
        As a person said; painted and nothing said is ``in progress``.
    visible, locked : bool
        Whether it is shown, and whether edits leave it alone.
    """

    label: Label
    voxels: int
    ml: float | None
    slices: int
    done: int
    progress: Progress
    visible: bool
    locked: bool


States = Mapping[int, SegmentState]


def to_document(states: States, scheme: LabelScheme, case: str) -> dict[str, Any]:
    """Return states as plain data; segments of which nothing is to be said are left out.

    Parameters
    ----------
    states : mapping
        By label value.
    scheme : LabelScheme
        What the values are called: a state is that of a name, not of a number.
    case : str
        Content id of the scan.
    """
    return {
        "format": FORMAT,
        "version": 1,
        "case": case,
        "segments": [
            {
                "value": label.value,
                "name": label.name,
                "progress": states[label.value].progress,
                "locked": states[label.value].locked,
                "slices_done": _spans(states[label.value].done),
            }
            for label in scheme.labels
            if states.get(label.value, SegmentState()) != SegmentState()
        ],
    }


def from_document(document: Any, scheme: LabelScheme) -> dict[int, SegmentState]:
    """Build states from plain data; those of segments the scheme calls otherwise are left out.

    Raises
    ------
    ValueError
        When the data is of another form.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError("another format")
    names = {label.value: label.name for label in scheme.labels}
    found: dict[int, SegmentState] = {}
    try:
        for row in document["segments"]:
            if row["progress"] not in PROGRESS:
                raise ValueError("another state")
            if names.get(row["value"]) == row["name"]:
                done = frozenset(_unspanned(row["slices_done"]))
                found[row["value"]] = SegmentState(row["progress"], bool(row["locked"]), done)
    except (KeyError, TypeError) as err:
        raise ValueError("another form") from err
    return found


def _spans(slices: Iterable[int]) -> list[list[int]]:
    """Return numbers as runs, first and last of each."""
    runs: list[list[int]] = []
    for k in sorted(slices):
        if runs and runs[-1][1] == k - 1:
            runs[-1][1] = k
        else:
            runs.append([k, k])
    return runs


def _unspanned(runs: Any) -> Iterable[int]:
    for first, last in runs:
        yield from range(int(first), int(last) + 1)


class StateFile:
    """The file of a case's states; two programs that write it lose nothing of each other.

    Parameters
    ----------
    path : Path
        Beside the mask.
    case : str
        Content id of the scan.
    """

    def __init__(self, path: Path, case: str) -> None:
        self.path, self._case = path, case
        self._base: dict[int, SegmentState] = {}

    def read(self, scheme: LabelScheme) -> dict[int, SegmentState]:
        """Return what is on the disk; nothing where the file is not there or is damaged.

        A damaged file is moved aside at the next write, not written over.
        """
        self._base = self._present(scheme)[0]
        return dict(self._base)

    def write(self, states: States, scheme: LabelScheme) -> dict[int, SegmentState]:
        """Write states; what another program changed since the last look is taken over.

        Returns
        -------
        dict
            What is on the disk now.

        Raises
        ------
        SaveError
            When it cannot be written; what was on the disk is untouched.
        """
        present, damaged = self._present(scheme)
        merged = {**present}
        for value in {*states, *self._base}:
            mine = states.get(value, SegmentState())
            if mine != self._base.get(value, SegmentState()):
                merged[value] = mine
        make_folder(self.path.parent)
        if damaged:
            self._move_aside()
        document = to_document(merged, scheme, self._case)
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        with Staging() as staging:
            staging.add_bytes(self.path, text.encode())
            staging.publish()
        self._base = merged
        return dict(merged)

    def _present(self, scheme: LabelScheme) -> tuple[dict[int, SegmentState], bool]:
        """Return what is on the disk, and whether it is damaged."""
        try:
            return from_document(json.loads(self.path.read_bytes()), scheme), False
        except FileNotFoundError:
            return {}, False
        except (OSError, ValueError):
            return {}, True

    def _move_aside(self) -> None:
        number = 1
        while (aside := self.path.with_name(f"segments-damaged-{number}.json")).exists():
            number += 1
        try:
            self.path.rename(aside)
        except OSError as err:
            raise explain_os_error(err) from err
