"""Who is to read which case, and which cases come first: a file that only managers write."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.files import write_bytes_aside
from napari_medlabel.project.layout import CaseId, Layout, require_rater

VERSION: Final = 1
_SLOTS: Final = frozenset("ABCDEFGH")


@dataclass(frozen=True)
class Assignment:
    """Who reads what, and in which order; a case that is not in it is anybody's, priority 0.

    Parameters
    ----------
    raters : mapping of (str, str) to str
        Code of the rater by case and slot.
    priorities : mapping of str to int
        By case; larger ones come first.

    Raises
    ------
    InputError
        When a name, a slot or a code is none, or one rater has two readings of a case.
    """

    raters: Mapping[tuple[str, str], str] = field(default_factory=dict)
    priorities: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seen = set()
        for (case, slot), rater in self.raters.items():
            CaseId.parse(case)
            require_rater(rater)
            if slot not in _SLOTS:
                raise InputError(
                    "A reading is assigned by a slot from A to H.", hint="Give its letter."
                )
            if (case, rater) in seen:
                raise InputError(
                    "One rater is to read a case twice, which is no second reading.",
                    hint="Assign the other reading to somebody else.",
                )
            seen.add((case, rater))
        for case, number in self.priorities.items():
            CaseId.parse(case)
            if isinstance(number, bool) or not isinstance(number, int):
                raise InputError("A priority is a whole number.", hint="Larger comes first.")

    def rater(self, case: CaseId, slot: str) -> str:
        """Return who is to read it, empty for anybody."""
        return self.raters.get((str(case), slot), "")

    def priority(self, case: CaseId) -> int:
        """Return the priority of a case."""
        return self.priorities.get(str(case), 0)

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        raters: dict[str, dict[str, str]] = {}
        for (case, slot), rater in sorted(self.raters.items()):
            raters.setdefault(case, {})[slot] = rater
        data = {
            "medlabel": "assignment",
            "v": VERSION,
            "raters": raters,
            "priorities": dict(self.priorities),
        }
        return (json.dumps(data, indent=1, sort_keys=True) + "\n").encode()

    @property
    def digest(self) -> str:
        """``sha256:<hex>`` of the file's content, as the log names it."""
        return f"sha256:{hashlib.sha256(self.to_bytes()).hexdigest()}"


def assignment_file(layout: Layout) -> Path:
    """Return where it lies."""
    return layout.own / "assignment.json"


def read_assignment(layout: Layout) -> Assignment:
    """Read who reads what; empty where nobody said.

    Raises
    ------
    InputError
        When the file cannot be read, or is none.
    """
    try:
        data: dict[str, Any] = json.loads(assignment_file(layout).read_bytes())
        if (data["medlabel"], data["v"]) != ("assignment", VERSION):
            raise ValueError  # noqa: TRY301 - joins what a wrong form raises by itself
        raters = {
            (str(case), str(slot)): str(rater)
            for case, slots in data["raters"].items()
            for slot, rater in slots.items()
        }
        return Assignment(raters, {str(k): v for k, v in data["priorities"].items()})
    except FileNotFoundError:
        return Assignment()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise InputError(
            "medlabel/assignment.json cannot be read, or is none.",
            hint="Mend it, take it from a backup, or delete it: then cases are anybody's.",
        ) from err


def write_assignment(layout: Layout, assignment: Assignment) -> None:
    """Write who reads what, aside and renamed.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    write_bytes_aside(assignment_file(layout), assignment.to_bytes())
