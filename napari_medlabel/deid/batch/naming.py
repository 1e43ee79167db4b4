"""Cleaned files get their names in order; an instance that is met twice is found."""

from __future__ import annotations

import filecmp
from pathlib import Path
from typing import Protocol

from napari_medlabel.deid.batch.journal import Journal
from napari_medlabel.deid.batch.one_file import Outcome
from napari_medlabel.deid.batch.staging import Staging
from napari_medlabel.deid.report.counts import Reason, Skip


class Namer(Protocol):
    """Decides whether a cleaned file is passed on under its name."""

    def named(self, outcome: Outcome) -> Outcome:
        """Return the outcome, or that its instance was met before."""
        ...


class Trial:
    """For a run that writes nothing: remembers which names there were."""

    def __init__(self) -> None:
        self._seen: dict[bytes, bytes] = {}

    def named(self, outcome: Outcome) -> Outcome:
        """Return the outcome, or that its instance was met before."""
        if not outcome.name:
            return outcome
        name, digest = "/".join(outcome.name).encode("ascii"), bytes.fromhex(outcome.sha256)
        first = self._seen.get(name)
        if first is None:
            self._seen[name] = digest
            return outcome
        return outcome.refused(Skip.SAME_INSTANCE if first == digest else Reason.DUPLICATE)


class Shelf:
    """Moves files from aside to their names, a line in the journal before each.

    Parameters
    ----------
    staging : Staging
        Where the target is made.
    journal : Journal
        What is finished.
    review : Staging or None
        Where the folder for eyes is made; None when nothing is to be looked at.
    """

    def __init__(self, staging: Staging, journal: Journal, review: Staging | None) -> None:
        self._staging, self._journal, self._review = staging, journal, review

    def named(self, outcome: Outcome) -> Outcome:
        """Give a file its name, unless one of that name came before it.

        Raises
        ------
        SaveError
            When the disk is full or fails.
        """
        part = self._staging.parts / outcome.part
        if outcome.name:
            first = self._path(outcome.name)
            if first is not None:
                same = filecmp.cmp(part, first, shallow=False)
                part.unlink()
                outcome = outcome.refused(Skip.SAME_INSTANCE if same else Reason.DUPLICATE)
        if outcome.position:
            self._journal.add(outcome)
        if outcome.name:
            self._place_of(outcome).place(part, outcome.name)
        return outcome

    def holds(self, outcome: Outcome) -> bool:
        """Whether a file that the journal tells of is there as a whole."""
        try:
            return self.path_of(outcome).stat().st_size == outcome.size
        except OSError:
            return False

    def path_of(self, outcome: Outcome) -> Path:
        """Return where a file lies until all gets its place."""
        return self._place_of(outcome).tree.joinpath(*outcome.name)

    def discard(self, name: tuple[str, ...]) -> None:
        """Remove a file that is to be made again."""
        for staging in self._places:
            staging.tree.joinpath(*name).unlink(missing_ok=True)

    @property
    def _places(self) -> tuple[Staging, ...]:
        return (self._staging,) if self._review is None else (self._staging, self._review)

    def _place_of(self, outcome: Outcome) -> Staging:
        return self._review if outcome.look and self._review is not None else self._staging

    def _path(self, name: tuple[str, ...]) -> Path | None:
        """Return where a file of that name lies already."""
        for staging in self._places:
            path = staging.tree.joinpath(*name)
            if path.exists():
                return path
        return None
