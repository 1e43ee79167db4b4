"""Notes beside open work: time, slices that were shown, answers, what is said to be absent."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.files import make_folder, write_bytes_aside

FILE: Final = "notes.json"
VERSION: Final = 1


@dataclass(frozen=True)
class WorkNotes:
    """What is known of open work beside its mask; one file, one writer.

    Parameters
    ----------
    active_s : float
        Seconds of work, without pauses.
    shown : frozenset of int or None
        Slices k that were on the screen; None where nobody recorded it.
    absent : frozenset of str
        Ids of labels of which the annotator says that there is nothing.
    answers : mapping
        Answers by question.
    rounds : int
        How often the reading had been submitted when the time began to count: each submission
        tells its own.

    Raises
    ------
    InputError
        When the time is none.
    """

    active_s: float = 0.0
    shown: frozenset[int] | None = None
    absent: frozenset[str] = frozenset()
    answers: Mapping[str, Any] = field(default_factory=dict)
    rounds: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.active_s < math.inf:
            raise InputError("Time of work is not below 0.", hint="Begin at 0 again.")

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        data = {
            "medlabel": "notes",
            "v": VERSION,
            "active_s": round(self.active_s, 1),
            "shown": None if self.shown is None else sorted(self.shown),
            "absent": sorted(self.absent),
            "answers": dict(self.answers),
            "rounds": self.rounds,
        }
        return (json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def read_notes(folder: Path) -> WorkNotes:
    """Read the notes in a folder of open work; empty ones where there are none.

    Raises
    ------
    InputError
        When the file cannot be read, or is none.
    """
    try:
        data: dict[str, Any] = json.loads((folder / FILE).read_bytes())
        if (data["medlabel"], data["v"]) != ("notes", VERSION):
            raise ValueError  # noqa: TRY301 - joins what a wrong form raises by itself
        shown = data["shown"]
        return WorkNotes(
            float(data["active_s"]),
            None if shown is None else frozenset(int(k) for k in shown),
            frozenset(str(one) for one in data["absent"]),
            dict(data["answers"]),
            int(data.get("rounds", 0)),
        )
    except FileNotFoundError:
        return WorkNotes()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise InputError(
            "The notes beside the open work cannot be read, or are none.",
            hint="Delete notes.json in the work's folder, and answer the questions again.",
        ) from err


def write_notes(folder: Path, notes: WorkNotes) -> None:
    """Write notes, aside and renamed.

    Raises
    ------
    SaveError
        When they cannot be written.
    """
    make_folder(folder)
    write_bytes_aside(folder / FILE, notes.to_bytes())
