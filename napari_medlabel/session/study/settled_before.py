"""A consensus that is settled already: another takes its place with a reason alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_medlabel.audit.check.verify import session_paths
from napari_medlabel.errors import RefusedError
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.cases.version import (
    Pins,
    Version,
    read_answers,
    read_boxes,
    read_landmarks,
    read_version,
    whole_versions,
)
from napari_medlabel.project.cases.versions import Labelled
from napari_medlabel.project.layout import CONSENSUS
from napari_medlabel.project.work.made_of import MadeOf, made_of
from napari_medlabel.session.study.seat import Seat

_NEAR_MM = 1e-3  # a file of landmarks has fewer digits than what was computed


class SettledError(RefusedError):
    """A consensus was to take the place of a settled one, and no reason came."""


@dataclass(frozen=True)
class Settled:
    """The last consensus of a case, with what the log tells of it.

    Parameters
    ----------
    version : Version
        What lies there.
    rule, user : str
        How it was reached, and by whose token; empty where the log does not tell.
    open : int
        Differences that nobody has decided yet.
    made_of : mapping of str to MadeOf
        Of which readings, by slot; empty where the log does not tell.
    """

    version: Version
    rule: str = ""
    user: str = ""
    open: int = 0
    made_of: Mapping[str, MadeOf] = field(default_factory=dict)

    def is_made_of(self, readings: Iterable[MadeOf], *, asked_anew: bool = False) -> bool:
        """Tell whether it was made of the same versions of the same readings.

        Where the log does not tell, it was, unless somebody asks to have it made anew.
        """
        if not self.made_of:
            return not asked_anew
        wholes = {one.slot: one.whole for one in readings}
        return wholes == {slot: one.whole for slot, one in self.made_of.items()}


def settled_before(seat: Seat, record: CaseRecord) -> Settled | None:
    """Return the last consensus of a case; None where there is none.

    Raises
    ------
    InputError
        When its sidecar is damaged.
    """
    numbers = whole_versions(seat.layout, CONSENSUS, record.case)
    if not numbers:
        return None
    version = read_version(seat.layout, CONSENSUS, record.case, numbers[-1])
    told = [
        one for one in _told(seat, record.content) if one["detail"]["version"] == numbers[-1]
    ]
    if not told:
        return Settled(version)
    detail = told[-1]["detail"]
    user = str(told[-1]["actor"]["user"])
    open_still = int(detail.get("open", 0))
    return Settled(version, str(detail["rule"]), user, open_still, made_of(detail))


def _told(seat: Seat, content: str) -> list[dict[str, Any]]:
    mark = content.encode()
    lines = (
        line
        for path in session_paths(seat.layout.audit)
        for line in path.read_bytes().splitlines()
        if b'"event":"study.consensus"' in line and mark in line
    )
    return [one for one in map(json.loads, lines) if "version" in one["detail"]]


def require_reason_to_replace(seat: Seat, before: Settled, way: str, reason: str) -> None:
    """Refuse to put another consensus in the place of a settled one without a reason.

    Who goes on with an adjudication of their own, in which differences were open, needs none.

    Raises
    ------
    SettledError
        When no reason came.
    """
    goes_on = before.open and before.rule == way and before.user in seat.users
    if reason or goes_on:
        return
    raise SettledError(
        f"This case has a consensus, version {before.version.number}"
        + (f" by {before.rule}" if before.rule else "")
        + ": another takes its place with a reason alone.",
        hint="Leave it, or say why: medlabel project consensus STUDY CASE --rule RULE "
        "--reason CODE. The log has it; the earlier version stays.",
    )


def is_same(
    seat: Seat, before: Settled, way: str, made: Labelled, pins: Pins, scan: Volume
) -> bool:
    """Tell whether a consensus is the one that lies there: same person, rule and result."""
    layout, version = seat.layout, before.version
    sheets = {layer: one.labels.content_id() for layer, one in made.sheets.items()}
    boxes = read_boxes(layout, version, scan.grid)
    return (
        before.user in seat.users
        and (before.rule, version.pins) == (way, pins)
        and (version.content, dict(version.sheets)) == (made.labels.content_id(), sheets)
        and read_answers(layout, version) == dict(made.answers or {})
        and list(boxes or ()) == list(made.boxes or ())
        and _is_alike(read_landmarks(layout, version), made.landmarks)
    )


def _is_alike(one: LandmarkSet | None, other: LandmarkSet | None) -> bool:
    first, second = tuple(one or ()), tuple(other or ())
    return [(x.name, x.absent) for x in first] == [(x.name, x.absent) for x in second] and all(
        (a.point_ras is None) == (b.point_ras is None)
        and (
            a.point_ras is None
            or b.point_ras is None
            or bool(np.allclose(a.point_ras, b.point_ras, rtol=0, atol=_NEAR_MM))
        )
        for a, b in zip(first, second, strict=True)
    )
