"""The workplace: the one desk of this napari, and the scans that are open in it."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from napari_medlabel.errors import LogError
from napari_medlabel.model.volume import Volume
from napari_medlabel.secret.asking import Ask
from napari_medlabel.session.desk import Desk, EventLog, open_desk
from napari_medlabel.session.study.blind import require_may_open


class NotGivenError(Exception):
    """The person does not give the passphrase of this workstation's key."""


@dataclass(eq=False)
class Workplace:
    """What readers, writers and the dock of one napari share.

    Parameters
    ----------
    audit : Path or None
        Folder of the audit log, None for the usual place.
    ask : callable or None
        Asks for the passphrase of this workstation's key, where it has one; raises
        `NotGivenError` when the person gives none.
    """

    audit: Path | None = None
    ask: Ask | None = None
    beside: list[Any] = field(default_factory=list)
    """Layers that a window shows in views of their own: its pictures show them too."""
    study: Any = None
    """The seat at a study (`session.study.seat.Seat`) of which a reading is open: its log is
    the one to show, and of that its rater's own events."""
    _desk: Desk | None = None
    _volumes: dict[str, tuple[Volume, tuple[Path, ...]]] = field(default_factory=dict)
    _marks: dict[str, tuple[Path, ...]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def desk(self) -> Desk:
        """Return the desk; the audit log is opened at the first call.

        Raises
        ------
        LogError
            When the log cannot be written.
        """
        with self._lock:
            if self._desk is None:
                desk = self._open()
                try:
                    desk.log.append("user.identify", detail={"method": "os-login"})
                except LogError:
                    desk.log.close()
                    raise
                self._desk = desk
                # napari ends without telling plugins; the log should say that it ended well.
                atexit.register(self._close_at_exit, os.getpid())
            return self._desk

    def require_blind(self, paths: Sequence[Path]) -> None:
        """Refuse what would end the blindness of who has a reading of a study open.

        Raises
        ------
        RefusedError
            When it is another reading, or a copy of one.
        """
        if self.study is not None:
            require_may_open(self.study.desk, *paths)

    def _open(self) -> Desk:
        try:
            return open_desk(self.audit, heartbeat=True, ask=self.ask)
        except NotGivenError:
            # Work goes on, and verification says that nobody vouches for this session.
            return open_desk(self.audit, heartbeat=True)

    @property
    def log(self) -> EventLog | None:
        """The audit log, where it is open."""
        return None if self._desk is None else self._desk.log

    def remember(self, case: str, volume: Volume, paths: tuple[Path, ...]) -> None:
        """Keep a scan that was opened, so that its layers find back to it."""
        self._volumes.pop(case, None)
        self._volumes[case] = (volume, paths)

    def recall(self, case: str) -> tuple[Volume, tuple[Path, ...]] | None:
        """Return an open scan and the paths it came from, or None."""
        return self._volumes.get(case)

    def remember_marks(self, case: str, files: tuple[Path, ...]) -> None:
        """Keep the files of marks that were found with a scan, to be offered once."""
        self._marks[case] = files

    def take_marks(self, case: str) -> tuple[Path, ...]:
        """Return the files of marks that were found with a scan, once."""
        return self._marks.pop(case, ())

    def newest(self) -> tuple[str, Volume] | None:
        """Return the scan that was opened last, with its content id, or None."""
        for case, (volume, _paths) in reversed(self._volumes.items()):
            return case, volume
        return None

    def volumes(self) -> tuple[Volume, ...]:
        """Return all scans that are open."""
        return tuple(volume for volume, _paths in self._volumes.values())

    def forget(self, case: str) -> None:
        """Let go of a scan whose layers are gone."""
        self._volumes.pop(case, None)
        self._marks.pop(case, None)

    def _close_at_exit(self, owner: int) -> None:
        if os.getpid() == owner:
            self.close()

    def close(self) -> None:
        """End the session in the audit log."""
        with self._lock:
            desk, self._desk = self._desk, None
            self._volumes.clear()
            self._marks.clear()
        if desk is not None:
            desk.log.close()


WORKPLACE = Workplace()
"""The one of this process: napari calls readers and writers without a place to keep things."""


def data_folder() -> Path:
    """Return the user's data folder, where masks go when a scan's own folder is read-only."""
    return platformdirs.user_data_path("napari-medlabel", appauthor=False)
