"""Applying: what a hand has drawn through a large scan becomes a step off the Qt thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from qtpy.QtCore import QObject, QTimer

from napari_medlabel.errors import MedlabelError
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.progress_row import ProgressRow

_PATIENCE_MS: Final = 250


class Applying(QObject):
    """One drawing at a time; another one meanwhile is refused with a word.

    Parameters
    ----------
    parent : QObject
        The desk.
    row : ProgressRow
        Shows that something is under way.
    say : callable
        Says a sentence to the person.
    fail : callable
        Shows an error.
    """

    def __init__(
        self,
        parent: QObject,
        row: ProgressRow,
        say: Callable[[str], object],
        fail: Callable[[MedlabelError], object],
    ) -> None:
        super().__init__(parent)
        self._row, self._say, self._fail = row, say, fail
        self._background = Background(self)
        row.cancel_requested.connect(self.stop)

    def run(
        self,
        make: Callable[[], Any],
        settle: Callable[[Any], object],
        refused: Callable[[str], object] | None = None,
    ) -> bool:
        """Compute a proposal in a thread, then settle it; return False while one is computed.

        Parameters
        ----------
        make : callable
            Computes the proposal; touches no layer and no widget.
        settle : callable
            Gets it, in the thread of the window.
        refused : callable, optional
            Called when there is none, with what the person was not told yet: it failed, was
            stopped, or another one is still computed.
        """
        if self._background.is_busy:
            tell = self._say if refused is None else refused
            tell("The drawing before is still being applied: Escape stops it.")
            return False

        def done(proposal: Any) -> None:
            self._row.end()
            settle(proposal)

        def failed(err: MedlabelError) -> None:
            self._row.end()
            self._fail(err)
            if refused is not None:
                refused("")

        def stopped() -> None:
            self._row.end()
            if refused is not None:
                refused("")

        self._background.run(make, done, failed, stopped)
        QTimer.singleShot(_PATIENCE_MS, self._show)
        return True

    def stop(self) -> bool:
        """Forget what is computed; return whether there was anything."""
        if not self._background.is_busy:
            return False
        self._background.cancel()
        return True

    def _show(self) -> None:
        if self._background.is_busy:
            self._row.begin("Applying what was drawn …")
