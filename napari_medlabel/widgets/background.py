"""The background: one piece of long work at a time, off the Qt thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject

from napari_medlabel.errors import MedlabelError

Outcome = tuple[Any, MedlabelError | None]


class Background(QObject):
    """Runs work in a thread; answers come back in the thread of the window."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._worker: Any = None

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return self._worker is not None

    def run(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], object],
        failed: Callable[[MedlabelError], object],
    ) -> None:
        """Do something long.

        Parameters
        ----------
        work : callable
            Runs in a thread; touches no layer and no widget.
        done : callable
            Gets its result.
        failed : callable
            Gets its error, when it is one of ours. Other errors are napari's to show.
        """
        from napari.qt.threading import create_worker

        def guarded() -> Outcome:
            try:
                return work(), None
            except MedlabelError as err:
                return None, err

        def answer(outcome: Outcome) -> None:
            self._worker = None
            value, err = outcome
            if err is None:
                done(value)
            else:
                failed(err)

        self._worker = create_worker(guarded)
        self._worker.returned.connect(answer)
        self._worker.errored.connect(lambda _err: self._forget())
        self._worker.start()

    def _forget(self) -> None:
        self._worker = None
