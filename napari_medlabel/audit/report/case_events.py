"""The last events of one case in words, from the newest sessions first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.layout import WRITERS
from napari_medlabel.audit.format.record import check_record
from napari_medlabel.audit.report.words import words_of
from napari_medlabel.errors import InputError

MOST_SESSIONS: Final = 400
"""Session files that are looked into, the newest: a window must not wait for years of them."""


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One event of a case.

    Parameters
    ----------
    at_ms : int
        When, milliseconds since 1970.
    user : str
        Token of who acted.
    role : str
        annotator, reviewer, ...
    event : str
        Name from the closed list.
    words : str
        A sentence.
    outcome : int
        0 for success.
    file : str
        Session file, relative to the log's folder.
    line : int
        Line in it, from 1.
    """

    at_ms: int
    user: str
    role: str
    event: str
    words: str
    outcome: int
    file: str
    line: int


def case_events(
    root: Path, subject: str, *, case: str = "", limit: int = 50
) -> tuple[CaseEvent, ...]:
    """Return the last events that concern a patient, or one case of that patient.

    Nothing is verified here; that takes the whole log.

    Parameters
    ----------
    root : Path
        Folder of the log.
    subject : str
        Token of the patient.
    case : str
        Digest of a case: events that name another one are left out.
    limit : int
        Most events.

    Returns
    -------
    tuple of CaseEvent
        The newest first. Empty where there is no log yet.

    Raises
    ------
    InputError
        When a session file cannot be read.
    """
    paths = sorted((root / WRITERS).rglob("*.jsonl"), key=lambda path: path.name, reverse=True)
    found: list[CaseEvent] = []
    for path in paths[:MOST_SESSIONS]:
        found += _events(path, path.relative_to(root).as_posix(), subject, case)
        if len(found) >= limit:
            break
    found.sort(key=lambda one: (one.at_ms, one.file, one.line), reverse=True)
    return tuple(found[:limit])


def _events(path: Path, file: str, subject: str, case: str) -> Iterator[CaseEvent]:
    try:
        data = path.read_bytes()
    except OSError as err:
        raise InputError(
            f"A session file of the log cannot be read ({type(err).__name__}).",
            hint="Run it as the user who may read the log.",
        ) from err
    wanted = subject.encode()
    for number, line in enumerate(data.split(b"\n"), start=1):
        if wanted not in line:
            continue
        try:
            record: Any = canonical.decode(line)
            at_ms = check_record(record)
        except ValueError:
            continue  # cut short, or changed: verifying says which
        if subject in record["subject"] and _is_of(record["detail"], case):
            actor = record["actor"]
            yield CaseEvent(
                at_ms,
                actor["user"],
                actor["role"],
                record["event"],
                words_of(record),
                record["outcome"],
                file,
                number,
            )


def _is_of(detail: dict[str, Any], case: str) -> bool:
    return not case or detail.get("case", case) == case
