"""Quick looks: walks a random sample of finished readings, one key for each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from qtpy.QtCore import QObject, Signal

from napari_medlabel.errors import MedlabelError
from napari_medlabel.session.study.drawing import (
    Name,
    Sample,
    draw_sample,
    tell_statement,
    usual_size,
)
from napari_medlabel.session.study.glancing import score_at_a_glance
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.study.score_panel import SCORES, QuickStart, ScorePanel

_GROUP: Final = "Quick looks"


class QuickLook(QObject):
    """Draws, opens one after the other, takes the score, and says what the sample supports.

    Digits are napari's for the modes of its layers: they are taken only while this goes on.

    Parameters
    ----------
    study : StudyDesk
        The study it serves.
    """

    ended = Signal(object)
    """The `Sample` as it stands at the end."""

    def __init__(self, study: Any) -> None:
        super().__init__(study)
        self.study = study
        self.panel = ScorePanel()
        self.starter = QuickStart(usual_size())
        self.starter.hide()
        self.sample: Sample | None = None
        self._left: list[Name] = []
        self._is_moving = False
        self._background = Background(self)
        self.panel.scored.connect(self.score)
        self.panel.skip_requested.connect(self.skip)
        self.panel.stop_requested.connect(self.stop)
        self.starter.start_requested.connect(self.start)
        study.study_opened.connect(lambda _seat: self._offer())
        study.study_closed.connect(self.starter.hide)

    @property
    def is_on(self) -> bool:
        """Whether a sample is being walked."""
        return self.sample is not None

    def start(self, count: int | None = None, seed: int | None = None) -> None:
        """Draw a sample, and open the first reading of it that is not scored."""
        seat = self.study.seat
        if seat is None or self.is_on or self._background.is_busy:
            return
        self._run(lambda: draw_sample(seat, count, seed=seed), self._begin)

    def _begin(self, sample: Sample) -> None:
        self.sample, self._left = sample, list(sample.left)
        self._next()

    def _next(self) -> None:
        """Open the next reading that may be opened; after the last one it ends."""
        while self._left:
            self._is_moving = True
            if self.study.open_reading("look", *self._left[0]):
                return
            if self.study.dock.desk.background.is_busy:
                self.study.dock.desk.background.when_free(self._next)  # a save is under way
                return
            self._left.pop(0)  # the dock has said why
        self._is_moving = False
        self.stop()

    def _offer(self) -> None:
        """Let reviewers begin."""
        seat = self.study.seat
        self.starter.setVisible(seat is not None and "reviewer" in seat.rater.roles)

    # -- the reading ---------------------------------------------------------------------

    def reading_opened(self, reading: Any) -> None:
        """Show the page and take the digits, where the reading is one of the sample."""
        self.starter.hide()
        if self.sample is None:
            return
        self._is_moving = False
        if not self._left or (reading.case, reading.slot) != self._left[0]:
            self._finish()  # another one was opened by hand
            return
        keys = reading.binding.keys
        for score, words in SCORES:
            if keys.is_free(str(score)):
                keys.bind(str(score), words, partial(self.score, score), group=_GROUP)
        for layer in (reading.binding.labels, reading.binding.points):
            layer.editable = False
        self._show_place(reading)
        self.study.dock.show_page(self.panel, True, front=True)

    def reading_closed(self) -> None:
        """End where the reading was closed by hand."""
        self._offer()
        self.study.dock.show_page(self.panel, False)
        if self.sample is not None and not self._is_moving:
            self._finish()

    def _show_place(self, reading: Any) -> None:
        sample = self.sample
        if sample is not None:
            done = len(sample.readings) - len(sample.left)
            self.panel.show_place(
                reading.title, done, len(sample.readings), sample.statement().words()
            )

    # -- scoring -------------------------------------------------------------------------

    def score(self, given: int) -> None:
        """Score the open reading, and go to the next."""
        seat, reading = self.study.seat, self.study.reading
        if not self.is_on or not self._left or reading is None or self._background.is_busy:
            return
        name = self._left[0]
        if (reading.case, reading.slot) != name:
            return  # the next one is still being read

        def done(_state: object) -> None:
            sample = self.sample
            if sample is None:
                return
            scores = {**sample.scores, name: given}
            self.sample = Sample(sample.seed, sample.of, sample.readings, scores)
            self._left.pop(0)
            self.study.worklist_changed.emit()
            self._next()

        self.panel.show_busy(True)
        self._run(lambda: score_at_a_glance(seat, *name, given), done)

    def skip(self) -> None:
        """Leave a reading unscored, and go to the next."""
        if self.is_on and self._left and not self._background.is_busy:
            self._left.pop(0)
            self._next()

    def stop(self) -> None:
        """End, close the reading, and say what the sample supports."""
        if self.sample is None:
            return
        if self._is_moving:
            self.study.dock.desk.opening.cancel()
        if self.study.reading is not None:
            self.study.dock.desk.close_case()
        if self.sample is not None:
            self._finish()

    def _finish(self) -> None:
        """Tell the log what was found, and show it."""
        sample, self.sample = self.sample, None
        self._left, self._is_moving = [], False
        self._free_keys()
        self.study.dock.show_page(self.panel, False)
        seat = self.study.seat
        if sample is not None and seat is not None:
            self._run(lambda: tell_statement(seat, sample), self._say)

    def _free_keys(self) -> None:
        reading = self.study.reading
        if reading is None:
            return
        keys = reading.binding.keys
        for known in [key for key in keys.listed if key.group == _GROUP]:
            keys.free(known.key)

    def _say(self, sample: Sample) -> None:
        notice = self.study.dock.notice
        faulty = sample.statement().faulty
        notice.say("amber" if faulty else "green", sample.words(), {"Dismiss": notice.clear})
        self.ended.emit(sample)

    def _run(self, work: Callable[[], Any], done: Callable[[Any], object]) -> None:
        if self._background.is_busy:
            self._background.when_free(lambda: self._run(work, done))
            return
        self._background.run(work, done, self._failed)

    def _failed(self, err: MedlabelError) -> None:
        self.panel.show_busy(False)
        self.study.dock.show_error(err)
