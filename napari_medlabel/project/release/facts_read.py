"""``facts.json`` read back: the facts that every document of a release must follow from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, get_args

from napari_medlabel.errors import InputError
from napari_medlabel.project.cases.version import Pins
from napari_medlabel.project.release.balance import Balance, Cell, Count, Volume
from napari_medlabel.project.release.facts import Agreement, Draw, Facts
from napari_medlabel.project.release.making import Making
from napari_medlabel.project.release.splits import Division, Shares, Split

FACTS: Final = "facts.json"
_SPLITS: Final[tuple[Split, ...]] = get_args(Split)


def read_facts(data: bytes, splits: Mapping[str, str]) -> Facts:
    """Return the facts that a file tells.

    Parameters
    ----------
    data : bytes
        ``facts.json``.
    splits : mapping of str to str
        Split of each patient, by code, as ``participants.tsv`` has it: of who is in which the
        facts tell counts only.

    Raises
    ------
    InputError
        When it is no such file.
    """
    try:
        found: dict[str, Any] = json.loads(data)
        if (found.pop("medlabel"), found.pop("v")) != ("facts", 1):
            raise ValueError  # noqa: TRY301 - joins what a wrong form raises by itself
        found["labels"] = tuple((int(value), str(name)) for value, name in found["labels"])
        found["pins"] = Pins(**found["pins"])
        found["making"] = found["making"] and Making(**found["making"])
        found["balance"] = _balance(found["balance"])
        found["draw"] = _draw(found["draw"], splits)
        found["agreement"] = tuple(Agreement(**one) for one in found["agreement"])
        found["coarsened"] = tuple(map(str, found["coarsened"]))
        return Facts(**found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as err:
        raise InputError(
            "The facts of a release cannot be read, or are none.",
            hint="They are as the release was made, or were changed since.",
        ) from err


def _balance(found: Any) -> Balance | None:
    if found is None:
        return None
    cell = found["smallest_cell"]
    return Balance(
        tuple(Count(**one) for one in found["counts"]),
        tuple(Volume(**one) for one in found["volumes"]),
        # Its values are nobody's business: the size is told, and of which columns.
        cell and Cell(tuple(cell["columns"]), (), int(cell["patients"])),
        tuple(map(str, found["not_stated"])),
    )


def _draw(found: Any, splits: Mapping[str, str]) -> Draw | None:
    if found is None:
        return None
    patients: dict[str, Split] = {
        code: split for code, told in splits.items() for split in _SPLITS if split == told
    }
    return Draw(
        int(found["seed"]),
        Shares(**found["shares"]),
        Division(patients, tuple(map(str, found["notes"]))),
        tuple(map(str, found["strata"])),
    )
