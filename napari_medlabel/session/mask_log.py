"""What the log says of one mask: every version, who wrote it when, and whether it is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.disk import place_key
from napari_medlabel.audit.format.layout import WRITERS
from napari_medlabel.errors import LogError
from napari_medlabel.session.versions import Kept

WRITTEN_BY: Final = (
    "mask.create", "mask.save", "mask.restore", "mask.delete", "edit.unattributed",
)  # fmt: skip
"""Events that make a version or take it from its place."""
_MARK: Final = b'"type":"mask"'


@dataclass(frozen=True)
class Version:
    """One version of a mask.

    Parameters
    ----------
    number : int
        From 1, in the order in which they were first written.
    id : str
        Content id.
    event : str
        What made it; empty where it was there before the log knew the mask.
    time : str
        When, ISO 8601 in UTC; empty as above.
    user : str
        The person's token.
    reason : str
        A code, where one was given.
    added, removed : int or None
        Voxels, against the version before.
    slices : str
        Slices that changed, from 0.
    subject : str
        The patient's token.
    kept : str
        Whether it can be had back: kept, damaged or missing.
    is_current : bool
        Whether it is the one on the disk.
    """

    number: int
    id: str
    event: str
    time: str
    user: str
    reason: str
    added: int | None
    removed: int | None
    slices: str
    subject: str
    kept: Kept
    is_current: bool

    def record(self) -> dict[str, object]:
        """Return it as plain data, without the patient's token."""
        return {
            "number": self.number,
            "id": self.id,
            "event": self.event,
            "time": self.time,
            "user": self.user,
            "reason": self.reason,
            "voxels_added": self.added,
            "voxels_removed": self.removed,
            "slices": self.slices,
            "kept": self.kept,
            "current": self.is_current,
        }


def mask_events(root: Path, state: Path | None = None) -> Iterator[dict[str, Any]]:
    """Go through what the log says of masks, in the order of its files.

    Parameters
    ----------
    root : Path
        Folder of the log.
    state : Path, optional
        This computer's own folder, for what waits there while the log's folder is away.

    Raises
    ------
    LogError
        When a file cannot be read.
    """
    roots = [root]
    if state is not None:
        roots.append(state / "spool" / place_key(root))
    files = [path for one in roots for path in (one / WRITERS).glob("*/*/*/*.jsonl")]
    for path in sorted(files, key=lambda path: path.name):
        try:
            with path.open("rb") as stream:
                lines = [line for line in stream if _MARK in line]
        except OSError as err:
            raise LogError(
                "A file of the audit log cannot be read.",
                hint="Check the disk, or the connection to the log's folder.",
            ) from err
        yield from filter(None, map(_parsed, lines))


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Return a record; a damaged line is for ``medlabel audit verify`` to judge."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    wanted = isinstance(record, dict) and record.get("event") in WRITTEN_BY
    return record if wanted else None


def versions_of(
    events: Iterable[dict[str, Any]],
    *,
    case: str,
    present: str | None,
    state: Callable[[str], Kept],
) -> tuple[Version, ...]:
    """Return the versions of a mask, oldest first.

    Parameters
    ----------
    events : iterable of dict
        As `mask_events` gives them.
    case : str
        Content id of the scan; events of other cases are left out.
    present : str or None
        Content id of the mask on the disk.
    state : callable
        Tells whether a version is kept.
    """
    made: dict[str, dict[str, Any]] = {}
    order: list[str] = []
    for record in sorted(_of_case(events, case, present), key=lambda each: each["time"]):
        ids = _ids(record)
        for role in ("old", "new"):
            name = ids.get(role)
            if name is not None and name not in made:
                order.append(name)
                made[name] = record if role == "new" else {}
    if present is not None and present not in made:
        order.append(present)
        made[present] = {}
    return tuple(
        _version(number, name, made[name], is_current=name == present, kept=state(name))
        for number, name in enumerate(order, 1)
    )


def _of_case(
    events: Iterable[dict[str, Any]], case: str, present: str | None
) -> list[dict[str, Any]]:
    """Return the events of a case; those that name none belong to it by their contents."""
    ours, nameless = [], []
    for record in events:
        named = record["detail"].get("case")
        if named == case:
            ours.append(record)
        elif named is None:
            nameless.append(record)
    known = {name for record in ours for name in _ids(record).values()} | {present}
    grown = True
    while grown:
        rest = [one for one in nameless if not known.isdisjoint(_ids(one).values())]
        grown = bool(rest)
        ours += rest
        nameless = [one for one in nameless if one not in rest]
        known |= {name for record in rest for name in _ids(record).values()}
    return ours


def _ids(record: dict[str, Any]) -> dict[str, str]:
    return {ref["role"]: ref["id"] for ref in record["object"] if ref["type"] == "mask"}


def _version(
    number: int, name: str, record: dict[str, Any], *, is_current: bool, kept: Kept
) -> Version:
    detail = record.get("detail", {})
    subjects = record.get("subject", [])
    return Version(
        number,
        name,
        record.get("event", ""),
        record.get("time", ""),
        record.get("actor", {}).get("user", ""),
        record.get("reason", {}).get("code", ""),
        detail.get("voxels_added"),
        detail.get("voxels_removed"),
        detail.get("slices", ""),
        subjects[0] if subjects else "",
        "kept" if is_current else kept,
        is_current,
    )
