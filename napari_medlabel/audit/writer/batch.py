"""A batch: workers that write sessions of their own, and a parent that knows how each ended.

A whole file that is deleted leaves no gap in any chain. So the parent writes into its own
signed lines which sessions its workers had, how far each said it came, and what lies there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from napari_medlabel.audit.check.session_check import check_session
from napari_medlabel.audit.faults import UnwritableError
from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.format.merkle import EMPTY_ROOT
from napari_medlabel.audit.format.schema import MAX_LIST
from napari_medlabel.audit.format.seal import Head
from napari_medlabel.audit.writer.steady import SteadyLog
from napari_medlabel.errors import LogError

_BROKEN: Final = 8
_AWAY: Final = 4


class Report(Protocol):
    """Takes a worker's head to its parent, as a queue's ``put`` does."""

    def __call__(self, head: Head, /) -> object:
        """Hand over a head."""
        ...


@contextmanager
def worker_session(open_log: Callable[[], SteadyLog], report: Report) -> Iterator[SteadyLog]:
    """Open a worker's own log, and tell the parent how it begins and how it ends.

    Parameters
    ----------
    open_log : callable
        Opens the log, in the worker's process.
    report : callable
        Called with the head after the first event, and with the head after the last one.

    Yields
    ------
    SteadyLog
        Open.

    Raises
    ------
    LogError
        As the log.
    """
    with open_log() as log:
        report(log.head)
        yield log
    report(log.head)


@dataclass
class Batch:
    """What a parent knows of its workers' sessions.

    Parameters
    ----------
    log : SteadyLog
        The parent's own.
    jobs : int
        How many workers there are to be.

    Raises
    ------
    LogError
        When ``batch.open`` cannot be written.
    """

    log: SteadyLog
    jobs: int
    _heads: dict[str, Head] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < self.jobs <= MAX_LIST:
            raise LogError(
                f"A batch must have 1 to {MAX_LIST} workers, and another number came.",
                hint="Give fewer jobs.",
            )
        self.log.append("batch.open", detail={"jobs": self.jobs})

    def heard(self, head: Head) -> None:
        """Take note of a head that a worker reported; a later one replaces an earlier one.

        A worker whose session changes (after a day, or with its disk) reports the last one;
        that names the ones before it.
        """
        self._heads[head.origin] = head

    def close(self) -> tuple[Head, ...]:
        """Compare what the workers said with what lies there, and write ``batch.close``.

        Returns
        -------
        tuple of Head
            What workers said that does not lie there in this way; empty when all is well.

        Raises
        ------
        LogError
            When it cannot be written.
        """
        with suppress(UnwritableError):  # what stays in the spool is not named: see below
            self.log.upload_spool()
        reported = sorted(self._heads.values(), key=lambda head: head.origin)
        expected = [head for head in reported if not self._is_away(head)]
        actual = [_found(self.log.folders, head.origin) for head in expected]
        differing = tuple(
            head for head, found in zip(expected, actual, strict=True) if head != found
        )
        outcome = _BROKEN if differing or len(reported) != self.jobs else 0
        detail = {
            "expected": [head.record() for head in expected],
            "actual": [head.record() for head in actual],
        }
        if not outcome and len(expected) != len(reported):
            outcome = _AWAY
        self.log.append_many([Event("batch.close", detail=detail, outcome=outcome)])
        return differing

    def _is_away(self, head: Head) -> bool:
        """Return whether a session waits in the spool while the parent's own does not.

        Whoever checks the log's folder would miss a session that is named and not there.
        """
        home, spool = self.log.folders
        file = session_file(head.origin)
        return not self.log.is_local and not (home / file).exists() and (spool / file).exists()


def _found(folders: Sequence[Path], origin: str) -> Head:
    """Return the last sealed head of a session, from the folder where it lies."""
    for folder in folders:
        path = folder / session_file(origin)
        try:
            report = check_session(path, path.name)
        except OSError:
            continue  # not there: the other folder may have it
        if report.sealed is not None:
            return report.sealed
    return Head(origin, 0, EMPTY_ROOT)
