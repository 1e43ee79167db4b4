"""Rounds of calibration as a manager defines them: who reads what, and what is enough."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.files import write_bytes_aside
from napari_medlabel.project.layout import CaseId, Layout, require_rater
from napari_medlabel.project.settings import Thresholds

_VERSION: Final = 1


@dataclass(frozen=True)
class RoundPlan:
    """One round.

    Parameters
    ----------
    number : int
        From 1.
    cases : tuple of CaseId
        What is read, in order.
    raters : tuple of str
        Codes of who reads all of them.
    thresholds : Thresholds
        What is enough.
    guideline : str
        Digest of the guidelines it was begun under.
    is_open : bool
        Whether its cases are still served first.
    """

    number: int
    cases: tuple[CaseId, ...]
    raters: tuple[str, ...]
    thresholds: Thresholds = field(default_factory=Thresholds)
    guideline: str = ""
    is_open: bool = True

    def __post_init__(self) -> None:
        if not self.cases or not self.raters:
            raise InputError(
                "A round of calibration has cases and raters.",
                hint="Name at least one of each.",
            )
        for code in self.raters:
            require_rater(code)


def rounds_file(layout: Layout) -> Path:
    """Return where the rounds of a study stand; a manager's commands alone write it."""
    return layout.own / "calibration.json"


def read_rounds(layout: Layout) -> tuple[RoundPlan, ...]:
    """Read the rounds of a study, by number; none where there is no file.

    Raises
    ------
    InputError
        When the file cannot be read, or is none.
    """
    try:
        data: dict[str, Any] = json.loads(rounds_file(layout).read_bytes())
        if (data["medlabel"], data["v"]) != ("calibration", _VERSION):
            raise ValueError  # noqa: TRY301 - joins what a wrong form raises by itself
        return tuple(
            RoundPlan(
                int(one["number"]),
                tuple(CaseId.parse(case) for case in one["cases"]),
                tuple(str(code) for code in one["raters"]),
                Thresholds(**one["thresholds"]),
                str(one["guideline"]),
                bool(one["is_open"]),
            )
            for one in data["rounds"]
        )
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise InputError(
            "medlabel/calibration.json cannot be read, or is none.",
            hint="Mend it, or take it from a backup.",
        ) from err


def rounds_bytes(rounds: Sequence[RoundPlan]) -> bytes:
    """Return what the file holds; its SHA-256 is what the log names."""
    rows = [{**asdict(one), "cases": [str(case) for case in one.cases]} for one in rounds]
    data = {"medlabel": "calibration", "v": _VERSION, "rounds": rows}
    return (json.dumps(data, indent=1, sort_keys=True) + "\n").encode()


def digest_of(rounds: Sequence[RoundPlan]) -> str:
    """Return the digest of rounds, ``sha256:<hex>``."""
    return f"sha256:{hashlib.sha256(rounds_bytes(rounds)).hexdigest()}"


def write_rounds(layout: Layout, rounds: Sequence[RoundPlan]) -> None:
    """Write the rounds of a study, aside and renamed.

    Raises
    ------
    SaveError
        When they cannot be written.
    """
    write_bytes_aside(rounds_file(layout), rounds_bytes(rounds))
