"""The desk: what one person's work needs beside the scan - log, tokens, folders, clock."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from napari_medlabel.audit.format.event import ObjectRef, Reason
from napari_medlabel.audit.keys.tokens import load_token_key
from napari_medlabel.audit.writer.place import default_root, default_state, open_log

if TYPE_CHECKING:
    from napari_medlabel.model.volume import Source
    from napari_medlabel.secret.asking import Ask

NOTHING: Final[Mapping[str, object]] = {}
BESIDE: Final = "medlabel"
"""Folder beside a scan under which its cases lie."""
Now = Callable[[], datetime]


class EventLog(Protocol):
    """Where events go; returns only when they are on the disk."""

    def append(
        self,
        event: str,
        *,
        subject: Sequence[str] = (),
        detail: Mapping[str, object] = NOTHING,
        outcome: int | None = None,
        objects: Sequence[ObjectRef] = (),
        reason: Reason | str | None = None,
    ) -> object:
        """Write one event or raise LogError."""

    def close(self) -> object:
        """Write that the session ends."""


class Tokens(Protocol):
    """Turns identities into keyed tokens; the key stays on this computer."""

    def subject_token(self, issuer: str | None, patient_id: str) -> str:
        """Return the token of a patient."""

    def content_token(self, sha256: str) -> str:
        """Return the token of a patient known only by a file's content."""


@dataclass(frozen=True)
class Desk:
    """What one run of the program works with.

    Parameters
    ----------
    log : EventLog
        The audit log of this run.
    tokens : Tokens
        Keyed tokens for the log.
    audit_root : Path
        Where the log lies; earlier versions of masks are kept beside it.
    state : Path
        This computer's own folder: recovery journals.
    now : callable
        The clock, in UTC.
    """

    log: EventLog
    tokens: Tokens
    audit_root: Path
    state: Path
    now: Now

    @property
    def journals(self) -> Path:
        """Folder of the recovery journals."""
        return self.state / "journals"

    @property
    def objects(self) -> Path:
        """Folder of earlier mask versions, by content."""
        return self.audit_root / "objects" / "sha256"

    def time(self) -> str:
        """Return now as ISO 8601 in UTC, whole seconds."""
        return self.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def subject(self, source: Source) -> tuple[str, bool]:
        """Return the log's token for a scan's patient.

        Parameters
        ----------
        source : Source
            Where the scan came from.

        Returns
        -------
        token : str
            Keyed; says nothing without the key.
        weak : bool
            True when the source names no patient and the token is of the file's content.
        """
        if source.patient_id and source.patient_id.strip():
            return self.tokens.subject_token(source.issuer, source.patient_id), False
        return self.tokens.content_token(source.sha256[0]), True


def open_desk(
    audit: Path | None = None,
    *,
    state: Path | None = None,
    role: str = "annotator",
    heartbeat: bool = False,
    ask: Ask | None = None,
) -> Desk:
    """Sit down: open the audit log of this run, with this computer's keys and the real clock.

    Parameters
    ----------
    audit : Path or None
        Folder of the log; ``$MEDLABEL_AUDIT_DIR`` or the user's data folder when None.
    state : Path or None
        This computer's own folder; ``$MEDLABEL_STATE_DIR`` or the user's when None.
    role : str
        What the person does: annotator, researcher, ...
    heartbeat : bool
        Whether a thread keeps the log alive while nobody writes; for windows.
    ask : callable, optional
        Asks for the passphrase of this workstation's key, so that the log is certified.

    Raises
    ------
    LogError
        When the log cannot be written: then nothing that needs it happens.
    """
    root, state = audit or default_root(), state or default_state()
    log = open_log(root, state=state, role=role, heartbeat=heartbeat, ask=ask)
    return Desk(log, load_token_key(state), root, state, lambda: datetime.now(UTC))


def default_folder(paths: Sequence[Path], case: str, fallback: Path) -> Path:
    """Choose where a case's masks go when nobody said.

    Beside the scan in ``medlabel/<case>``; for the sample scans, and where that cannot be
    written, in the user's own data folder. The name says nothing about the patient.

    Parameters
    ----------
    paths : sequence of Path
        What was opened.
    case : str
        Content id of the scan.
    fallback : Path
        The user's data folder.
    """
    from napari_medlabel import samples

    short = case.removeprefix("sha256:")[:12]
    scan = paths[0].resolve()
    beside = scan.parent
    is_sample = samples.is_inside(scan)
    can_write = not is_sample and os.access(beside, os.W_OK | os.X_OK)
    return (beside / BESIDE if can_write else fallback / "cases") / short
