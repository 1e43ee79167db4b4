"""What the dock does about comments on a reading: shows, pins, jumps, says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from qtpy.QtCore import QObject, Signal

from napari_medlabel.errors import MedlabelError
from napari_medlabel.plugin.pin_layer import Pin, PinLayer
from napari_medlabel.project.comments import Comments, Thread
from napari_medlabel.project.work.fold import SlotState
from napari_medlabel.session.study.commenting import (
    Remark,
    comment,
    comments_for,
    place_words,
    role_of,
)
from napari_medlabel.session.study.seat import Seat, look
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.study.tag_row import tag_words
from napari_medlabel.widgets.study.thread_panel import Line, ThreadPanel, ThreadView

ADJUDICATE: Final = "adjudicate"
NEXT_KEY: Final = "Alt-N"
_NEXT: Final = "Next open comment"
_REOPENED: Final = "Opened again."


class ThreadDesk(QObject):
    """Carries out what the page of comments asks for.

    Parameters
    ----------
    study : StudyDesk
        The study it serves.
    """

    changed = Signal(int)
    """So many threads on the open reading are not resolved."""

    def __init__(self, study: Any) -> None:
        super().__init__(study)
        self.study = study
        self.panel = ThreadPanel()
        self.pins: PinLayer | None = None
        self._background = Background(self)
        self._last: tuple[Any, ...] = ()
        self._threads: tuple[Thread, ...] = ()
        self._names: dict[int, str] = {}
        self._annotators: dict[str, str] = {}
        panel = self.panel
        panel.jump_requested.connect(self.jump)
        panel.next_requested.connect(self.next_open)
        panel.add_requested.connect(self._add)
        panel.reply_requested.connect(lambda key, text: self.say(Remark(text, thread=key)))
        panel.resolve_requested.connect(
            lambda key, text: self.say(Remark(text, thread=key, resolves=True))
        )
        panel.reopen_requested.connect(
            lambda key, text: self.say(Remark(text or _REOPENED, thread=key))
        )

    # -- the reading ---------------------------------------------------------------------

    def reading_opened(self, reading: Any) -> None:
        """Show what was said about a reading."""
        binding = reading.binding
        labels = reading.session.labels.scheme.labels
        self._names = self.study.work.sheets.names | {one.value: one.name for one in labels}
        self._threads = ()
        self.pins = PinLayer(binding.viewer, binding.display, reading.session.place.case)
        if binding.keys.is_free(NEXT_KEY):
            binding.keys.bind(NEXT_KEY, _NEXT, self.next_open, group="Study")
        self.panel.show_keys(binding.keys.key_of(_NEXT))
        self.panel.show_labels(self._names)
        # Whoever reads the case later is blind to the readings that are settled here, and not
        # to a comment on the case: an adjudicator answers in threads of those readings alone.
        self.panel.new.setVisible(reading.purpose != ADJUDICATE)
        self.panel.show_return("")
        if self._last != (seat := self.study.seat, reading.case, reading.slot):
            self.panel.clear_words()  # else another layer of the same reading is opened
        self._last = (seat, reading.case, reading.slot)
        self.panel.show_threads(())
        self.study.dock.show_page(self.panel, True)
        self._run(
            reading, lambda: _known(seat, reading), lambda found: self._begin(reading, *found)
        )

    def reading_closed(self) -> None:
        """Take pins and page away."""
        self._background.cancel()
        if self.pins is not None:
            self.pins.remove()
        self.pins = None
        self._threads = ()
        self.study.dock.show_page(self.panel, False)

    def _begin(
        self, reading: Any, known: Comments, now: SlotState, annotators: dict[str, str]
    ) -> None:
        self._annotators = annotators
        self._show(known)
        came_back = reading.purpose == "work" and (now.tags or now.returned)
        is_asked = reading.purpose == "work" and now.rounds and self.open_count
        if came_back:
            self.panel.show_return(self._return_words(now))
        if came_back or is_asked:
            self.study.dock.show_page(self.panel, True, front=True)

    def _return_words(self, now: SlotState) -> str:
        said = "The reviewer sent this reading back"
        if now.tags:
            said += f": {tag_words(now.tags)}"
        if now.returned:
            names = (self._names.get(value, f"label {value}") for value in now.returned)
            said += f". About: {', '.join(names)}"
        if self.open_count:
            said += f". {NEXT_KEY} goes from one open comment to the next"
        return f"{said}."

    # -- showing -------------------------------------------------------------------------

    @property
    def open_count(self) -> int:
        """How many threads on the open reading are not resolved."""
        return sum(one.standing != "resolved" for one in self._threads)

    def refresh(self) -> None:
        """Read the comments anew: somebody may have answered."""
        reading, seat = self.study.reading, self.study.seat
        if reading is not None:
            self._run(
                reading, lambda: _known(seat, reading), lambda found: self._show(found[0])
            )

    def _show(self, known: Comments) -> None:
        reading, seat = self.study.reading, self.study.seat
        if reading is None or seat is None or self.pins is None:
            return
        self._threads = tuple(
            one
            for one in known.threads
            if reading.purpose == ADJUDICATE or one.first.slot in ("", reading.slot)
        )
        self.panel.show_threads(
            [self._view(number, thread, seat) for number, thread in enumerate(self._threads, 1)]
        )
        self.pins.show(
            [
                Pin(number, thread.first.at_ras, thread.standing != "resolved")
                for number, thread in enumerate(self._threads, 1)
                if thread.first.at_ras is not None
            ]
        )
        self.changed.emit(self.open_count)

    def _view(self, number: int, thread: Thread, seat: Seat) -> ThreadView:
        first, reading = thread.first, self.study.reading
        annotator = self._annotators.get(first.slot or reading.slot, "")
        lines = tuple(
            Line(
                role_of(one.rater, seat.rater.code, annotator),
                one.time[:16].replace("T", " "),
                one.text,
                one.resolves,
            )
            for one in thread.comments
        )
        label = self._names.get(first.label, "") if first.label else ""
        if reading.purpose == ADJUDICATE and first.slot:
            label = f"reading {first.slot}" + (f" · {label}" if label else "")
        place = "" if first.at_ras is None else place_words(first.at_ras)
        return ThreadView(first.id, number, thread.standing, lines, label, place, first.tags)

    # -- going there ---------------------------------------------------------------------

    def jump(self, thread: str) -> None:
        """Show the place of a thread in all views."""
        found = next((one for one in self._threads if one.first.id == thread), None)
        if found is None:
            return
        self.panel.choose(thread)
        if found.first.at_ras is not None:
            self.go_to(found.first.at_ras)
        elif found.first.label:
            self.study.dock.segment_desk.go_to(found.first.label)

    def go_to(self, point_ras: tuple[float, float, float]) -> None:
        """Set the cross-hair to a place, RAS mm."""
        views, reading = self.study.dock.sight_desk.views, self.study.reading
        if views is not None:
            views.go_to_ras(point_ras)
        elif reading is not None:
            reading.binding.go_to_point(point_ras)

    def next_open(self) -> None:
        """Jump to the next thread that is not resolved; after the last one comes the first."""
        waiting = [one.first.id for one in self._threads if one.standing != "resolved"]
        if not waiting:
            return
        every = [one.first.id for one in self._threads]
        chosen = self.panel.chosen
        at = every.index(chosen) if chosen in every else -1
        later = [key for key in every[at + 1 :] if key in waiting]
        self.study.dock.show_page(self.panel, True, front=True)
        self.jump((later or waiting)[0])

    # -- saying --------------------------------------------------------------------------

    def place(self) -> tuple[float, float, float] | None:
        """Return where the cross-hair is, RAS mm."""
        views = self.study.dock.sight_desk.views
        if views is None:
            return None
        r, a, s = (float(x) for x in views.cross.point_ras)
        return r, a, s

    def _add(self, text: str, label: int, tags: tuple[str, ...], pinned: bool) -> None:
        at = self.place() if pinned else None
        self.say(Remark(text, at, label, tags=tuple(tags)))

    def say(self, remark: Remark) -> None:
        """Say something; what is in the lines stays until it is said."""
        reading, seat = self.study.reading, self.study.seat
        if reading is None or self._background.is_busy:
            return

        begun = (one.first.slot for one in self._threads if one.first.id == remark.thread)
        slot = next(begun, "") or reading.slot

        def work() -> tuple[Comments, str]:
            thread = comment(seat, reading.case, slot, remark)
            return comments_for(seat, reading.case), thread.first.id

        def done(found: tuple[Comments, str]) -> None:
            self.panel.clear_words()
            self._show(found[0])
            self.panel.choose(found[1])
            self.study.worklist_changed.emit()

        self._run(reading, work, done)

    def _run(
        self, reading: Any, work: Callable[[], Any], done: Callable[[Any], object]
    ) -> None:
        """Do something in the background; what comes late is for nobody."""
        if self.study.reading is not reading:
            return
        if self._background.is_busy:
            self._background.when_free(lambda: self._run(reading, work, done))
            return

        def finished(found: Any) -> None:
            if self.study.reading is reading:
                done(found)

        self._background.run(work, finished, self._failed)

    def _failed(self, err: MedlabelError) -> None:
        self.study.dock.show_error(err)


def _known(seat: Seat, reading: Any) -> tuple[Comments, SlotState, dict[str, str]]:
    """Return what may be known, how the reading stands, and who reads which slot."""
    is_reading = reading.purpose != ADJUDICATE  # else it is all of them
    at = look(seat, reading.case, reading.slot if is_reading else seat.settings.slots[0])
    annotators = {slot: seat.code_of(now.user) for slot, now in at.row.slots.items()}
    known = comments_for(seat, reading.case)
    return known, at.now if is_reading else SlotState(), annotators
