"""Who opened a patient's scans: tokens are computed, the log is searched, nothing is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.format.record import time_ms
from napari_medlabel.audit.report.case_events import CaseEvent
from napari_medlabel.audit.report.words import words_of

if TYPE_CHECKING:
    from napari_medlabel.audit.check.verdict import LogReport
    from napari_medlabel.audit.keys.tokens import TokenKey

_AS_WRITTEN: Final = "written as in Issuer of Patient ID (0010,0021)"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the log says of one patient.

    Parameters
    ----------
    report : LogReport
        Whether to believe it.
    events : tuple of CaseEvent
        By time.
    tokens : tuple of str
        Under which tokens the patient was looked for.
    """

    report: LogReport
    events: tuple[CaseEvent, ...]
    tokens: tuple[str, ...]

    @property
    def questions(self) -> int:
        """How many of the events are questions like this one."""
        return sum(one.event == "audit.view" for one in self.events)


def nothing_found(issuers: Sequence[str]) -> str:
    """Return what to say, and to do, where a number has no event.

    It must not sound as if the patient had none: without the right issuer, and without the
    key of the computer that opened the scan, the same number has another token.

    Parameters
    ----------
    issuers : sequence of str
        Under which the number was looked for, besides none.
    """
    if not issuers:
        return (
            "No event under this number without an issuer. The scans may name who gave the "
            f"number: ask again with --issuer, {_AS_WRITTEN}; it may be given several times."
        )
    tried = "this issuer" if len(issuers) == 1 else "these issuers"
    return (
        f"No event under this number, with {tried} or without one. Check the number and the "
        f"issuer, {_AS_WRITTEN}, and whether --key holds the keys of the computers that "
        "opened the scans."
    )


def tokens_of(
    keys: Iterable[TokenKey], issuers: Sequence[str], patient_id: str
) -> tuple[str, ...]:
    """Return every token that a patient may have in the log, one for each key.

    Parameters
    ----------
    keys : iterable of TokenKey
        Of this computer, or the officer's.
    issuers : sequence of str
        Who may have given the number; none where nobody says. Scans say it or not, so the
        token without an issuer is looked for too.
    patient_id : str
        The number.

    Raises
    ------
    InputError
        When the number is empty.
    """
    found = (key.subject_token(name, patient_id) for key in keys for name in (*issuers, ""))
    return tuple(dict.fromkeys(found))


def who(root: Path, tokens: tuple[str, ...], *, state: Path | None) -> Answer:
    """Search a log for a patient, verifying it on the way.

    Parameters
    ----------
    root : Path
        Folder of the log.
    tokens : tuple of str
        Of the patient.
    state : Path or None
        This computer's own memory.

    Raises
    ------
    InputError
        When there is no log, or it cannot be read.
    """
    wanted, found = frozenset(tokens), []

    def seen(file: str, number: int, record: Mapping[str, Any]) -> None:
        if not wanted.isdisjoint(record["subject"]):
            actor = record["actor"]
            found.append(
                CaseEvent(
                    time_ms(record["time"]),
                    actor["user"],
                    actor["role"],
                    record["event"],
                    words_of(record),
                    record["outcome"],
                    file,
                    number,
                )
            )

    report = verify_log(root, state=state, seen=seen)
    found.sort(key=lambda one: (one.at_ms, one.file, one.line))
    return Answer(report, tuple(found), tokens)
