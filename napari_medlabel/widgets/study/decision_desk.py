"""What the dock does about a review: marks of the labels, corrections, the decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from qtpy.QtCore import QObject, QTimer

from napari_medlabel.errors import MedlabelError
from napari_medlabel.project.work.fold import SlotState
from napari_medlabel.project.work.states import named
from napari_medlabel.session.open_signing import Done, ToSign, Wish
from napari_medlabel.session.study import reviewing
from napari_medlabel.session.study.approving import (
    approval_to_sign,
    approve_signed,
    is_signed_here,
)
from napari_medlabel.session.study.commenting import Remark, comment
from napari_medlabel.session.study.correcting import correct
from napari_medlabel.session.study.reviewing import Sign, Verdict
from napari_medlabel.session.study.seat import Seat
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.sign_dialog import SignDialog
from napari_medlabel.widgets.study.review_panel import Mode, ReviewPanel
from napari_medlabel.widgets.study.review_rows import WHOLE, ReviewRow
from napari_medlabel.widgets.study.said import Said
from napari_medlabel.widgets.study.tag_row import tag_words
from napari_medlabel.widgets.study.under_review import (
    Under,
    corrected_work,
    has_moved,
    labels_changed,
    look_under,
    require_same,
    shown_of,
)

_ROWS_MS: Final = 150
_COMPARE_MS: Final = 400
_VEILED: Final = "The log names who did what: closed while a reading of somebody else is open."
_DONE: Final = {
    "approved": "Approved.",
    "rejected": "Sent back to its annotator, with your marks.",
    "corrected": "Your corrections are submitted. Another reviewer approves them.",
    "submitted": "Given back undecided.",
    "in_progress": "Unlocked: its annotator has it again.",
}


class DecisionDesk(QObject):
    """Carries out what the page of the review asks for.

    Parameters
    ----------
    study : StudyDesk
        The study it serves.
    """

    def __init__(self, study: Any) -> None:
        super().__init__(study)
        self.study = study
        self.panel = ReviewPanel()
        self.under: Under | None = None
        self.dialog: SignDialog | None = None
        self._is_signed = False
        self._reading: Any = None
        self._segments: Any = None
        self._said = Said()
        self._memory: tuple[object, Said] = (None, self._said)
        self._background = Background(self)
        self._comparing = Background(self)
        self._rows = self._timer(_ROWS_MS, self._show_rows)
        self._compare = self._timer(_COMPARE_MS, self._find_corrected)
        panel = self.panel
        panel.approve_requested.connect(self.approve)
        panel.reject_requested.connect(self.reject)
        panel.correct_requested.connect(self.correct)
        panel.leave_requested.connect(self.leave)
        panel.unlock_requested.connect(self.unlock)
        panel.label_chosen.connect(self._go_to_label)
        panel.noted.connect(self._on_noted)

    def _timer(self, milliseconds: int, do: Callable[[], object]) -> QTimer:
        made = QTimer(self)
        made.setSingleShot(True)
        made.setInterval(milliseconds)
        made.timeout.connect(do)
        return made

    # -- the reading ---------------------------------------------------------------------

    def reading_opened(self, reading: Any) -> None:
        """Find out what may be decided about a reading, and show the page where it may."""
        self._reading, self.under = reading, None
        self._said = Said()
        self._veil(on=reading.purpose != "work")
        if reading.purpose in ("work", "adjudicate"):
            return
        seat = self.study.seat
        wants_mask = reading.purpose == "review"
        grid = reading.session.volume.grid
        self._run(
            lambda: look_under(seat, reading, grid if wants_mask else None),
            self._begin,
        )

    def reading_closed(self) -> None:
        """Let go of the reading; what was found is there again on its next layer."""
        if self.under is not None and self._segments is not None:
            self._said.take(self.panel)
            self._memory = (self._key(self._reading, self.under), self._said)
        self._rows.stop()
        self._compare.stop()
        self._background.cancel()
        self._comparing.cancel()
        if self.dialog is not None:
            self.dialog.close()
        if self._segments is not None:
            self._segments.changed.disconnect(self._on_change)
        self._segments = self._reading = self.under = None
        self._veil(on=False)
        self.study.dock.show_page(self.panel, False)

    def _begin(self, under: Under) -> None:
        reading, self.under = self._reading, under
        self._veil(on=not under.is_own)
        mode = self._mode(under, reading.purpose)
        if mode is None:
            return
        words = f"Version {under.now.version}, round {under.now.rounds}"
        self.panel.show_reading(reading.title, f"{words}: {named(under.now.state)}", mode)
        self._segments = self.study.dock.segment_desk.segments
        self._segments.changed.connect(self._on_change)
        self._show_rows()
        self._find_corrected()
        self.panel.show_open(self.study.review.threads.open_count)
        known, said = self._memory
        if known == self._key(reading, under):
            self._said = said
            said.give(self.panel)
        self.study.dock.show_page(self.panel, True, front=True)

    def _key(self, reading: Any, under: Under) -> tuple[object, ...]:
        """Return what stays the same while layers of one reading are switched."""
        return (self.study.seat, reading.case, reading.slot, under.now.steps)

    def _mode(self, under: Under, purpose: str) -> Mode | None:
        roles = set(self.study.seat.rater.roles)
        if purpose == "review":
            return "review"
        if under.is_own or self.study.review.quick.is_on:
            return None
        if under.now.state == "corrected" and "reviewer" in roles:
            return "second"
        if under.now.state == "approved" and roles & {"reviewer", "manager"}:
            return "unlock"
        return None

    def _veil(self, *, on: bool) -> None:
        """Close what would tell who made the reading."""
        dock = self.study.dock
        for button in (dock.log_button, dock.versions_button, dock.sign_button):
            button.setEnabled(not on)
            button.setToolTip(_VEILED if on else "")

    # -- showing -------------------------------------------------------------------------

    def show_open(self, count: int) -> None:
        """Say how many threads are open."""
        if self.under is not None:
            self.panel.show_open(count)

    def _on_change(self) -> None:
        self._rows.start()
        self._compare.start()

    def _show_rows(self) -> None:
        if self._segments is None:
            return
        rows = [
            ReviewRow(one.label.value, one.label.name, one.label.colour, one.voxels, one.ml)
            for one in self._segments.rows
        ]
        self.panel.show_rows([*rows, *(() if self.under is None else self.under.others)])

    def _find_corrected(self) -> None:
        """Compare the labels with what was submitted, in the background."""
        under, reading = self.under, self._reading
        if under is None or under.work is None or reading is None:
            return
        if self._comparing.is_busy:
            self._compare.start()
            return
        work, shown = under.work, shown_of(reading)
        moved = frozenset({WHOLE}) if has_moved(work, shown) else frozenset()

        def found(values: frozenset[int]) -> None:
            if self.under is under:
                self.panel.show_corrected(values | moved | under.elsewhere)

        self._comparing.run(
            lambda: labels_changed(work, shown), found, self.study.dock.show_error
        )

    def _go_to_label(self, value: int) -> None:
        if self._segments is None or self.study.work.sheets.show_label(value):
            return
        if self._segments.voxels(value):
            self.study.review.threads.go_to(self._segments.centre_ras(value))

    def _on_noted(self, value: int) -> None:
        """Remember where the cross-hair was when something was found."""
        self._said.places[value] = self.study.review.threads.place()

    # -- deciding ------------------------------------------------------------------------

    def approve(self) -> None:
        """Approve what was submitted; with a signature where the person has a key here."""
        under, reading, seat = self.under, self._reading, self.study.seat
        if under is None or reading is None:
            return
        shown = shown_of(reading)

        def look_first() -> ToSign | None:
            if under.work is not None:
                require_same(under.work, shown)
            self._say(seat, reading, resolves=True)
            if not is_signed_here(seat):
                return None
            return approval_to_sign(seat, reading.case, reading.slot)

        def go_on(to_sign: ToSign | None) -> None:
            if to_sign is None:
                self._run(lambda: self._approve(seat, reading, None), self._decided)
            else:
                self._ask(to_sign)

        self._run(look_first, go_on)

    def _approve(self, seat: Seat, reading: Any, sign: Sign | None) -> SlotState:
        found = self.panel.marks.items()
        good = tuple(value for value, one in found if value != WHOLE and one.finding == "good")
        return reviewing.approve(
            seat,
            reading.case,
            reading.slot,
            Verdict(good),
            reason=self.panel.reason if self.panel.is_despite else "",
            sign=sign,
        )

    def _ask(self, to_sign: ToSign) -> None:
        reading, seat = self._reading, self.study.seat
        self.dialog = SignDialog(to_sign, seat.desk.now, self.study.dock.window())
        meaning = self.dialog.meaning
        meaning.setCurrentIndex(meaning.findData("approved"))
        meaning.setEnabled(False)
        self.dialog.sign_requested.connect(lambda wish: self._sign(reading, to_sign, wish))
        self.dialog.finished.connect(lambda _result: self._after_signing())
        self.dialog.open()

    def _sign(self, reading: Any, to_sign: ToSign, wish: Wish) -> None:
        seat, grid = self.study.seat, reading.session.volume.grid

        def decide(sign: Sign) -> SlotState:
            return self._approve(seat, reading, sign)

        def refused(err: MedlabelError) -> None:
            if self.dialog is None:
                self._failed(err)
            else:
                self.dialog.refuse(err, has_key=True)

        def signed(done: Done) -> None:
            if self.dialog is not None:
                self.dialog.show_done(done)
                self._is_signed = True

        self._run(lambda: approve_signed(seat, to_sign, grid, wish, decide), signed, refused)

    def _after_signing(self) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.deleteLater()
        signed, self._is_signed = self._is_signed, False
        if signed:
            self._end(_DONE["approved"])
        else:
            self.panel.show_busy(False)

    def reject(self) -> None:
        """Send the reading back, with what was marked and said."""
        reading, seat, reason = self._reading, self.study.seat, self.panel.reason
        if reading is None:
            return
        found = self.panel.marks.items()
        labels = tuple(value for value, one in found if value != WHOLE and one.says_fault)
        tags = tuple(dict.fromkeys(tag for _, one in found for tag in one.tags))

        def work() -> SlotState:
            self._say(seat, reading, resolves=False)
            verdict = Verdict(labels, tags)
            return reviewing.reject(seat, reading.case, reading.slot, verdict, reason=reason)

        self._run(work, self._decided)

    def correct(self) -> None:
        """Submit what the reviewer has changed; the annotator's version stays."""
        under, reading, seat = self.under, self._reading, self.study.seat
        if under is None or under.work is None or reading is None:
            return
        session, submitted = reading.session, under.work
        shown = shown_of(reading, copies=True)

        def work() -> SlotState:
            self._say(seat, reading, resolves=False)
            labelled = corrected_work(submitted, shown)
            return correct(seat, reading.case, reading.slot, session.volume, labelled)

        def done(now: SlotState) -> None:
            # What is submitted lies in the reviewer's own folder, too: nothing is asked.
            self.study.dock.desk.save_now()
            self._decided(now)

        self._run(work, done)

    def leave(self) -> None:
        """Give the reading back undecided."""
        reading, seat = self._reading, self.study.seat
        if reading is not None:
            self._run(
                lambda: reviewing.leave_review(seat, reading.case, reading.slot), self._decided
            )

    def unlock(self, reason: str) -> None:
        """Unlock what is approved, with a reason."""
        reading, seat = self._reading, self.study.seat
        if reading is not None:
            self._run(
                lambda: reviewing.unlock(seat, reading.case, reading.slot, reason=reason),
                self._decided,
            )

    def _say(self, seat: Seat, reading: Any, *, resolves: bool) -> None:
        """Make threads of what was said about labels; in the work's thread, each once."""
        for value, mark in list(self.panel.marks.items()):
            text = mark.comment.strip() or f"{tag_words(mark.tags).capitalize()}."
            if text == "." or value in self._said.done:
                continue
            remark = Remark(text, self._said.places.get(value), value, "", resolves, mark.tags)
            comment(seat, reading.case, reading.slot, remark)
            self._said.done.add(value)

    def _decided(self, now: SlotState) -> None:
        self._end(_DONE.get(now.state, f"It is {named(now.state)} now."))

    def _end(self, words: str) -> None:
        """Close the reading, and say what became of it."""
        dock, self.under = self.study.dock, None
        dock.show_page(self.panel, False)
        self.study.worklist_changed.emit()
        dock.desk.close_case()
        dock.notice.say("green", words, {"Dismiss": dock.notice.clear})

    # -- in the background ---------------------------------------------------------------

    def _run(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], object],
        failed: Callable[[MedlabelError], object] | None = None,
    ) -> None:
        """Do something in the background; what comes late is for nobody."""
        reading = self._reading
        if reading is None:
            return
        if self._background.is_busy:
            self._background.when_free(
                lambda: self._run(work, done, failed) if self._reading is reading else None
            )
            return
        self.panel.show_busy(True)

        def finished(found: Any) -> None:
            if self._reading is reading:
                self.panel.show_busy(False)
                done(found)

        def refused(err: MedlabelError) -> None:
            self.panel.show_busy(False)
            (failed or self._failed)(err)

        self._background.run(work, finished, refused)

    def _failed(self, err: MedlabelError) -> None:
        self.study.dock.show_error(err)
        self.study.review.threads.refresh()
