"""What the dock does about segments: visibility, locks, states, statistics and their table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import Label
from napari_medlabel.model.palette import spare_colour
from napari_medlabel.model.terminology import Concept, Side, colour_of
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.segment_view import set_look, show_segments
from napari_medlabel.session.case import Session
from napari_medlabel.session.segment_states import Segment
from napari_medlabel.session.segments import Segments
from napari_medlabel.widgets.segment_measuring import SegmentMeasuring
from napari_medlabel.widgets.terminology_dialog import TerminologyDialog

_SHOW_MS: Final = 60
_KEEP_MS: Final = 1500
KEYS: Final = (
    ("N", "Next segment", "next"),
    ("J", "Segment before", "before"),
    ("Shift-E", "Show or hide the segment", "visible"),
    ("Shift-F", "Lock or unlock the segment", "locked"),
    ("Shift-Y", "Call the slice done for the segment", "done"),
)
"""Free keys only: napari and the tools have Q and W."""


class SegmentDesk(QObject):
    """One of the desks of the dock; see `napari_medlabel.widgets.dock`.

    Parameters
    ----------
    dock : MedlabelDock
        Whose desk it is.
    """

    def __init__(self, dock: Any) -> None:
        super().__init__(dock)
        self.dock = dock
        self.table = dock.label_panel
        self.measuring = SegmentMeasuring(dock)
        self.panel: QWidget = self.measuring.progress
        self.segments: Segments | None = None
        self._session: Session | None = None
        self._binding: Binding | None = None
        self._soon = self._timer(_SHOW_MS, self._show)
        self._keep = self._timer(_KEEP_MS, self.save_states)
        self._connect()

    def _timer(self, milliseconds: int, do: Callable[[], object]) -> QTimer:
        made = QTimer(self)
        made.setSingleShot(True)
        made.setInterval(milliseconds)
        made.timeout.connect(do)
        return made

    def _connect(self) -> None:
        panel, rows = self.table, self.table.table
        panel.label_requested.connect(self.choose_label)
        panel.scheme_requested.connect(self.choose_scheme)
        panel.look_requested.connect(self.set_look)
        panel.terminology_requested.connect(self.offer_terminology)
        panel.own_requested.connect(self.add_own)
        panel.statistics_requested.connect(self.measure)
        panel.remove_requested.connect(self.remove)
        panel.recoloured.connect(self.recolour)
        rows.renamed.connect(self.rename)
        rows.centre_requested.connect(self.go_to)
        self._pass(panel.solo_requested, lambda s, value: s.solo(value))
        self._pass(panel.move_requested, lambda s, value, by: s.move(value, by))
        self._pass(rows.visible_requested, lambda s, value, on: s.set_visible(value, on))
        self._pass(rows.locked_requested, lambda s, value, on: s.set_locked(value, on))
        self._pass(rows.progress_requested, lambda s, value, how: s.set_progress(value, how))
        panel.done_requested.connect(self._toggle_done)

    def _pass(self, signal: Any, do: Callable[..., object]) -> None:
        """Let a wish of the panel reach the segments."""
        signal.connect(lambda *what: self._try(lambda s: do(s, *what)))

    def _try(self, action: Callable[[Segments], object]) -> None:
        """Do something to the segments; an error shows in the dock."""
        if self.segments is None:
            return
        try:
            action(self.segments)
        except MedlabelError as err:
            self.dock.show_error(err)

    # -- the case ------------------------------------------------------------------------

    def case_opened(self, session: Session, binding: Binding) -> None:
        """Begin to serve a case that has just been shown."""
        self._session, self._binding = session, binding
        self.segments = Segments(session)
        self.segments.changed.connect(self._on_changed)
        session.scheme_changed.connect(self._show_scheme)
        session.saved.connect(self._on_saved)
        session.bench.masking_changed.connect(self._show_hidden)
        binding.labels.events.selected_label.connect(self._show_current)
        binding.viewer.dims.events.current_step.connect(self._show_slice)
        binding.viewer.dims.events.order.connect(self._show_slice)
        for key, words, what in KEYS:
            if binding.keys.is_free(key):
                binding.keys.bind(key, words, self._deed(what), group="Segments")
        self.table.show_keys({what: binding.keys.key_of(words) for _, words, what in KEYS})
        self.table.show_look(float(binding.labels.opacity), int(binding.labels.contour))
        self._show_scheme(session.labels.scheme)
        self._show()

    def case_closed(self) -> None:
        """Let go of the case; its layers are still there."""
        session, binding, segments = self._session, self._binding, self.segments
        if session is None or binding is None or segments is None:
            return
        self._soon.stop()
        self._keep.stop()
        self.save_states()
        self.measuring.background.cancel()
        segments.changed.disconnect(self._on_changed)
        session.scheme_changed.disconnect(self._show_scheme)
        session.saved.disconnect(self._on_saved)
        session.bench.masking_changed.disconnect(self._show_hidden)
        binding.labels.events.selected_label.disconnect(self._show_current)
        binding.viewer.dims.events.current_step.disconnect(self._show_slice)
        binding.viewer.dims.events.order.disconnect(self._show_slice)
        segments.detach()
        self._session = self._binding = self.segments = None

    def save_states(self) -> None:
        """Keep states and locks beside the mask."""
        self._try(lambda segments: segments.save())

    def _on_saved(self, _report: object) -> None:
        self.save_states()

    def _on_changed(self) -> None:
        if not self._soon.isActive():
            self._soon.start()
        if self.segments is not None and self.segments.is_dirty:
            self._keep.start()

    def _deed(self, what: str) -> Callable[[], object]:
        return {
            "next": self.next_label,
            "before": lambda: self.next_label(-1),
            "visible": lambda: self._with_current(
                lambda s, one: s.set_visible(one.label.value, not one.visible)
            ),
            "locked": lambda: self._with_current(
                lambda s, one: s.set_locked(one.label.value, not one.locked)
            ),
            "done": lambda: self._toggle_done(self.current),
        }[what]

    # -- showing -------------------------------------------------------------------------

    @property
    def current(self) -> int:
        """The value of the segment that is painted with; 0 for none."""
        return 0 if self._binding is None else int(self._binding.labels.selected_label)

    def _show(self) -> None:
        if self.segments is not None:
            self.table.show_segments(self.segments.rows)
            self._show_current()
            self._show_slice()

    def _show_scheme(self, scheme: Any) -> None:
        self.table.show_scheme(scheme)
        if self._binding is not None and self._session is not None:
            values = scheme.values
            if values and self.current not in values:
                self._binding.labels.selected_label = values[0]
            # After the binding's own, which knows of nothing hidden.
            self._show_hidden(self._session.bench.masking)
        self._show_current()
        self.dock.show_history()
        self._on_changed()

    def _show_hidden(self, rules: Any) -> None:
        if self._binding is not None and self._session is not None:
            show_segments(self._binding.labels, self._session.labels, rules.hidden)

    def _show_current(self, _event: object = None) -> None:
        self.table.show_current(self.current)

    def _show_slice(self, _event: object = None) -> None:
        k = self._slice()
        done = None
        if k is not None and self.segments is not None:
            done = k in self.segments.state(self.current).done
        self.table.show_slice_done(done)

    def _slice(self) -> int | None:
        """Return the acquired slice (k) on the screen; None in another plane and in 3D."""
        if self._binding is None:
            return None
        dims, display = self._binding.viewer.dims, self._binding.display
        before = dims.ndim - 3
        # Without its layers the viewer has other axes.
        if before < 0 or before + display.order.index(2) in dims.displayed:
            return None
        step = [float(n) for n in dims.current_step[before:]]
        return round(float(display.index_ijk(step)[2]))

    # -- choosing ------------------------------------------------------------------------

    def choose_label(self, value: int) -> None:
        """Paint with a segment from now on."""
        if self._binding is not None:
            self.dock.desk.watch.show_again(self._binding.labels)
            self._binding.labels.selected_label = value
            self.dock.viewer.layers.selection.active = self._binding.labels

    def next_label(self, by: int = 1) -> None:
        """Paint with the next segment of the scheme, or the one before (-1)."""
        if self._session is None:
            return
        values = self._session.labels.scheme.values
        known = self.current in values
        at = values.index(self.current) + by if known else (0 if by > 0 else -1)
        self.choose_label(values[at % len(values)])

    def choose_scheme(self, key: str) -> None:
        """Change the label scheme."""
        session = self._session
        if session is not None:
            self._try(lambda _: session.set_scheme(presets.find_scheme(key)))

    def go_to(self, value: int) -> None:
        """Show the middle of a segment."""
        binding = self._binding
        if binding is not None:
            self._try(lambda segments: binding.go_to_point(segments.centre_ras(value)))

    def set_look(self, opacity: float, outline: int) -> None:
        """Say how strongly segments cover the scan."""
        if self._binding is not None:
            set_look(self._binding.labels, opacity=opacity, outline=outline)

    def _with_current(self, do: Callable[[Segments, Segment], object]) -> None:
        def act(segments: Segments) -> None:
            for one in segments.rows:
                if one.label.value == self.current:
                    do(segments, one)

        self._try(act)

    def _toggle_done(self, value: int) -> None:
        k = self._slice()
        if k is None:
            self._try(_refuse_plane)
            return
        self._try(lambda s: s.set_done(value, k, k not in s.state(value).done))

    # -- changing ------------------------------------------------------------------------

    def rename(self, value: int, name: str) -> None:
        """Give a segment another name."""
        self._change(value, lambda label: replace(label, name=name))

    def recolour(self, value: int, colour: str) -> None:
        """Give a segment another colour ``#rrggbb``."""
        self._change(value, lambda label: replace(label, colour=colour))

    def _change(self, value: int, make: Callable[[Label], Label]) -> None:
        session = self._session
        if session is not None:
            self._try(lambda s: s.change(make(session.labels.scheme[value])))

    def add_own(self) -> None:
        """Add a segment and let the person name it."""
        session = self._session
        if session is None:
            return

        def add(segments: Segments) -> None:
            scheme = session.labels.scheme
            taken = {label.name for label in scheme.labels}
            number = len(taken) + 1
            while f"Segment {number}" in taken:
                number += 1
            colour = spare_colour(label.colour for label in scheme.labels)
            label = segments.new_label(f"Segment {number}", colour)
            segments.add(label)
            self.choose_label(label.value)
            self._show()
            self.table.table.begin_renaming(label.value)

        self._try(add)

    def offer_terminology(self) -> None:
        """Let the person choose segments from the terminology."""
        dialog = TerminologyDialog(self.dock)
        dialog.added.connect(lambda concept, side: self.add_concept(concept, side, dialog.say))
        dialog.open()

    def add_concept(self, concept: Concept, side: Side, say: Callable[[str], object]) -> None:
        """Add a segment of the terminology, and tell what came of it."""
        session, segments = self._session, self.segments
        if session is None or segments is None:
            return
        try:
            name, code = concept.named(side)
            colour = colour_of(concept, (one.colour for one in session.labels.scheme.labels))
            label = segments.new_label(name, colour, code=code)
            segments.add(label)
        except MedlabelError as err:
            say(f"{err.message} {err.hint}")
            return
        self.choose_label(label.value)
        say(f"Added: {name}.")

    def remove(self, value: int) -> None:
        """Take a segment away; where it has voxels only with a yes."""
        segments = self.segments
        if segments is None or (
            segments.voxels(value) and not ask_to_remove(self.dock.window(), segments, value)
        ):
            return
        self._try(lambda s: s.remove(value))

    def measure(self) -> None:
        """Measure all segments in the background, then show the table."""
        if self._session is not None:
            self.measuring.measure(self._session)


def _refuse_plane(_segments: Segments) -> None:
    raise InputError(
        "Slices are called done in the plane in which they were acquired.",
        hint="Show that plane first.",
    )


def ask_to_remove(parent: QWidget, segments: Segments, value: int) -> bool:
    """Ask whether a segment that has voxels may go."""
    text = f"This segment has {segments.voxels(value)} voxels. Remove it with them? "
    answer = QMessageBox.question(parent, "Remove segment", f"{text}Undo brings both back.")
    return bool(answer == QMessageBox.StandardButton.Yes)
