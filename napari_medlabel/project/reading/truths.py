"""The list of true answers: which file is the truth of which case, by digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.files import sha256_file, write_bytes_aside
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.project.reading.gold import files_of_truth

_VERSION: Final = 1


@dataclass(frozen=True)
class Truths:
    """Digests, ``sha256:<hex>``, of the files of each gold case: masks, then landmarks.

    Parameters
    ----------
    files : mapping of CaseId to tuple of str
        One digest for the mask of each layer, by layer, and one for landmarks where there are.
    """

    files: Mapping[CaseId, tuple[str, ...]] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return what the file holds."""
        cases = {str(case): list(digests) for case, digests in sorted(self.files.items())}
        data = {"medlabel": "gold", "v": _VERSION, "cases": cases}
        return (json.dumps(data, indent=1, sort_keys=True) + "\n").encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the file, as the log names the list."""
        return f"sha256:{hashlib.sha256(self.to_bytes()).hexdigest()}"


def truths_file(layout: Layout) -> Path:
    """Return where the list lies; a manager's commands alone write it."""
    return layout.gold / "gold.json"


def read_truths(layout: Layout) -> Truths:
    """Read the list; empty where there is none.

    Raises
    ------
    InputError
        When it cannot be read, or is none.
    """
    try:
        data: dict[str, Any] = json.loads(truths_file(layout).read_bytes())
        if (data["medlabel"], data["v"]) != ("gold", _VERSION):
            raise ValueError  # noqa: TRY301 - joins what a wrong form raises by itself
        return Truths(
            {
                CaseId.parse(case): tuple(str(one) for one in digests)
                for case, digests in data["cases"].items()
            }
        )
    except FileNotFoundError:
        return Truths()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise InputError(
            "medlabel/gold/gold.json cannot be read, or is none.",
            hint="Ask the study's manager; take it from a backup.",
        ) from err


def write_truths(layout: Layout, truths: Truths) -> None:
    """Write the list, aside and renamed.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    write_bytes_aside(truths_file(layout), truths.to_bytes())


def digests_of(layout: Layout, case: CaseId) -> tuple[str, ...]:
    """Return the digests of the files of a truth as they are: masks by layer, landmarks."""
    return tuple(f"sha256:{sha256_file(path)}" for path in files_of_truth(layout, case))


def require_unchanged(layout: Layout, case: CaseId) -> None:
    """Refuse a truth that is not the one that a manager put there.

    Raises
    ------
    InputError
        When the list does not have it, or with another digest.
    """
    wanted = read_truths(layout).files.get(case)
    if wanted != digests_of(layout, case):
        raise InputError(
            "The truth of this case is not the one that a manager put there.",
            hint="The study's manager sees it with: medlabel project gold STUDY --list",
        )
