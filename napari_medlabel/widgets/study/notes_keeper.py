"""Keeps notes and claim of the reading in hand: on the disk soon, alive while it is open."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer, Signal

from napari_medlabel.errors import MedlabelError, RefusedError
from napari_medlabel.project.work.notes import WorkNotes
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.sheets import read_sheet_notes, write_sheet_notes
from napari_medlabel.session.study.working import sign_of_life
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.study.work_watch import WorkWatch

_TICK_MS: Final = 1000
_WRITE_TICKS: Final = 30
_ALIVE_TICKS: Final = 300
_LOST: Final = (
    "Somebody else has taken this reading over: nothing of yours can be submitted any more. "
    "Your work stays saved in your own folder."
)


class NotesKeeper(QObject):
    """Notes beside the open work: what is read at opening goes on.

    Parameters
    ----------
    work : WorkDesk
        Whose reading it is.

    Attributes
    ----------
    watch : WorkWatch or None
        Clock and slices of the open reading.
    is_lost : bool
        Whether somebody else has taken the reading over.
    """

    notes_changed = Signal()
    told = Signal(float, bool)
    """Seconds of work, and whether the clock runs; once a second."""

    def __init__(self, work: Any) -> None:
        super().__init__(work)
        self._work, self._study = work, work.study
        self.watch: WorkWatch | None = None
        self.is_lost = False
        self._reading: Any = None
        self._notes: WorkNotes | None = None
        self._written: WorkNotes | None = None
        self._ticks = 0
        self._writer, self._asker = Background(self), Background(self)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)

    # -- one reading ---------------------------------------------------------------------

    def reading_opened(self, reading: Any) -> None:
        """Go on with the notes of a reading that was opened to work on."""
        self.is_lost = False
        if reading.purpose != "work":
            return
        seat, self._reading, self._ticks = self._study.seat, reading, 0
        idle_s = seat.settings.idle_minutes * 60.0
        self.watch = WorkWatch(reading, self._study.dock, idle_s, self)
        reading.session.saved.connect(self._on_saved)
        ortho = self._study.dock.sight_desk.ortho
        if ortho is not None:
            ortho.window_closing.connect(self.write)
        self._work.bar.allow_submit("The notes of this reading are being read.")
        folder, case, slot = self._folder, reading.case, reading.slot
        self._asker.run(
            lambda: (
                read_sheet_notes(folder, reading.sheet),
                look(seat, case, slot).now.rounds,
            ),
            lambda found: self._begin(reading, *found),
            self._not_read,
        )

    def _begin(self, reading: Any, notes: WorkNotes, rounds: int) -> None:
        if reading is not self._reading:
            return
        if notes.rounds != rounds:
            # What was submitted has told its time: the new round counts its own.
            notes = replace(notes, active_s=0.0, rounds=rounds)
        self._notes = self._written = notes
        self._timer.start()
        self._work.bar.allow_submit()
        self._tell()
        self.notes_changed.emit()

    def _not_read(self, err: MedlabelError) -> None:
        self._work.bar.allow_submit(f"{err.message} {err.hint}")
        self._study.dock.show_error(err)

    def reading_closed(self) -> None:
        """Stop the clock, write the notes, and let go; the claim is kept."""
        reading = self._reading
        self.write()
        self._timer.stop()
        if reading is not None:
            reading.session.saved.disconnect(self._on_saved)
        watch, self.watch = self.watch, None
        if watch is not None:
            watch.detach()
            watch.deleteLater()
        self._reading = None
        self.forget()

    def forget(self) -> None:
        """Write nothing more: the work was submitted, or is closed."""
        had = self._notes is not None
        self._notes = self._written = None
        if had:
            self.notes_changed.emit()

    # -- notes ---------------------------------------------------------------------------

    @property
    def _folder(self) -> Path:
        folder: Path = self._reading.session.place.folder
        return folder

    @property
    def notes(self) -> WorkNotes | None:
        """The notes as they are to be written now; None where no work is open."""
        notes, watch = self._notes, self.watch
        if notes is None or watch is None:
            return notes
        shown = frozenset(watch.shown) | (notes.shown or frozenset())
        return replace(notes, active_s=notes.active_s + watch.active_s, shown=shown)

    def put(self, **what: Any) -> None:
        """Change answers or absent labels; they are on the disk soon."""
        if self._notes is None:
            return
        after = replace(self._notes, **what)
        if after == self._notes:
            return
        self._notes = after
        if self.watch is not None:
            self.watch.move()
        self.notes_changed.emit()
        self._write_soon()

    def write(self) -> bool:
        """Write the notes where they are others; return whether they are on the disk."""
        notes = self.notes
        if notes is None or notes == self._written:
            return True
        try:
            self._put(self._reading, notes)
        except MedlabelError as err:
            self._study.dock.show_error(err)
            return False
        self._written = notes
        return True

    def _write_soon(self) -> None:
        """Write the notes off the window's thread: the folder may lie on a share."""
        notes = self.notes
        if notes is None or notes == self._written or self._writer.is_busy:
            return
        reading = self._reading

        def done(_nothing: object) -> None:
            if reading is self._reading and self._notes is not None:
                self._written = notes

        self._writer.run(lambda: self._put(reading, notes), done, self._study.dock.show_error)

    @staticmethod
    def _put(reading: Any, notes: WorkNotes) -> None:
        """Write notes beside the work of a reading, where its study is there."""
        reading.session.place.make()
        write_sheet_notes(reading.session.place.folder, reading.sheet, notes)

    def _on_saved(self, _report: object) -> None:
        self.write()

    def release(self) -> None:
        """Write the notes while the window goes: its widgets may be gone."""
        if isalive(self._timer):
            self._timer.stop()
        notes = self.notes
        if notes is not None and notes != self._written:
            with suppress(MedlabelError):
                self._put(self._reading, notes)
        self._notes = None

    # -- once a second -------------------------------------------------------------------

    def _tick(self) -> None:
        self._ticks += 1
        self._tell()
        if self._ticks % _WRITE_TICKS == 0:
            self._write_soon()
        if self._ticks % _ALIVE_TICKS == 0:
            self.keep_alive()

    def _tell(self) -> None:
        notes = self.notes
        if notes is not None and self.watch is not None:
            self.told.emit(notes.active_s, self.watch.is_running)

    def keep_alive(self) -> None:
        """Give a sign of life, so that nobody takes the reading over."""
        seat, reading = self._study.seat, self._reading
        if seat is None or reading is None or self._asker.is_busy:
            return

        def failed(err: MedlabelError) -> None:
            if reading is self._reading and isinstance(err, RefusedError):
                self._lose()
            else:
                self._study.dock.show_error(err)

        self._asker.run(
            lambda: sign_of_life(seat, reading.case, reading.slot), lambda _none: None, failed
        )

    def _lose(self) -> None:
        self.is_lost = True
        self._work.bar.allow_submit(_LOST)
        self._study.dock.notice.say("red", _LOST, {"OK": self._study.dock.notice.clear})
