"""What the dock does about tools: each becomes a tool in hand, a preview or a step."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from qtpy.QtCore import QObject, QTimer

from napari_medlabel.edit.masking import Masking
from napari_medlabel.errors import MedlabelError
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.tools.acts import ACTS, work_of
from napari_medlabel.plugin.tools.catalogue import MENUS, SIZE, TOOLS, options_of, tool
from napari_medlabel.plugin.tools.hand import QuietHand
from napari_medlabel.plugin.tools.hands import HANDS
from napari_medlabel.plugin.tools.holding import Holding
from napari_medlabel.plugin.tools.kit import Choices, Kit
from napari_medlabel.plugin.tools.plain_colours import prefer_plain_colours
from napari_medlabel.plugin.tools.reasons import reasons_against
from napari_medlabel.plugin.tools.waiting import Waiting
from napari_medlabel.session.case import Session
from napari_medlabel.widgets import tool_ranges, tool_volumes
from napari_medlabel.widgets.applying import Applying
from napari_medlabel.widgets.dock_keys import canvas_of
from napari_medlabel.widgets.seed_shelf import SeedShelf
from napari_medlabel.widgets.tool_keys import ToolKeys
from napari_medlabel.widgets.tool_panel import ToolPanel
from napari_medlabel.widgets.tool_runner import ToolRunner

_LIVE_MS: Final = 120
_LAID_OUT_MS: Final = 40


class ToolDesk(QObject):
    """One of the desks of the dock; see `napari_medlabel.widgets.dock`.

    Parameters
    ----------
    dock : MedlabelDock
        Whose desk it is.
    """

    def __init__(self, dock: Any) -> None:
        super().__init__(dock)
        prefer_plain_colours()
        self.dock = dock
        self.panel = ToolPanel(TOOLS, MENUS)
        self.choices = Choices()
        self.runner = ToolRunner(self, self.panel, self.fail, self.update_keys)
        self.applying = Applying(self, self.panel.progress, self.say, self.fail)
        self.seeds = SeedShelf(dock.show_history)
        self.keys = ToolKeys(self)
        self._kit: Kit | None = None
        self._holding: Holding | None = None
        self._hand: QuietHand | None = None
        self._waiting: Waiting | None = None
        self._current = self._before = ""
        self._live = QTimer(self, singleShot=True, interval=_LIVE_MS)
        self._live.timeout.connect(self.apply)
        self._connect_panel()
        self.panel.hide()

    def _connect_panel(self) -> None:
        panel = self.panel
        panel.tool_requested.connect(self.choose)
        panel.option_requested.connect(self._put_option)
        panel.extent_requested.connect(self._put_extent)
        panel.slab_requested.connect(partial(setattr, self.choices, "slab"))
        panel.apply_requested.connect(self.apply)
        panel.range_requested.connect(self._range_as_rule)
        panel.sheet_requested.connect(self.keys.show_sheet)
        panel.preview.accept_requested.connect(self.accept)
        panel.preview.reject_requested.connect(self.reject)
        panel.masking.masking_requested.connect(self._put_masking)
        panel.options.typed.connect(self._to_canvas)

    # -- the case ------------------------------------------------------------------------

    def case_opened(self, session: Session, binding: Binding) -> None:
        """Begin to serve a case that has just been shown."""
        self._kit = kit = Kit(binding, self.choices, self.runner.ask, self.say, self.fail)
        kit.resized, kit.later = self._show_size, self.applying.run
        kit.renew = partial(tool_volumes.renew, self)
        self._holding = Holding(binding, self._dropped)
        self._waiting = Waiting(binding, lambda: getattr(self._hand, "held", None))
        self.runner.open(kit)
        session.bench.masking_changed.connect(self.panel.masking.show_masking)
        session.scheme_changed.connect(self._show_segments)
        binding.viewer.dims.events.ndisplay.connect(self._show_reasons)
        binding.labels.events.selected_label.connect(self._on_label)
        self.keys.begin(binding.keys)
        self._show_segments()
        self._show_reasons()
        tool_ranges.begin_ranges(self.choices, kit, self.panel)
        self.panel.masking.show_masking(session.bench.masking)
        self.panel.show_nothing()
        self.panel.show()
        self._say_kept()

    def case_closed(self) -> None:
        """Let go of the case; its layers are still there."""
        kit, holding, waiting = self._kit, self._holding, self._waiting
        if kit is None or holding is None or waiting is None:
            return
        self._leave_hand()
        self.seeds.forget()
        self.put_down()
        waiting.detach()
        holding.detach()
        self.runner.close()
        self.applying.stop()
        kit.bench.masking_changed.disconnect(self.panel.masking.show_masking)
        kit.session.scheme_changed.disconnect(self._show_segments)
        kit.binding.viewer.dims.events.ndisplay.disconnect(self._show_reasons)
        kit.binding.labels.events.selected_label.disconnect(self._on_label)
        self.keys.end()
        self._kit = self._holding = self._waiting = None
        self._current = self._before = ""
        tool_ranges.end_ranges(self.choices, self.panel)
        self.panel.hide()

    def update_keys(self) -> None:
        """Take Enter, Escape and the brush's keys from napari while they mean something."""
        if self._kit is None:
            return
        waiting = self._kit.bench.preview is not None or self.runner.is_busy
        waiting = waiting or bool(self.dock.mark_desk.measures.chosen)
        self.keys.update(held=self._hand is not None, waiting=waiting)
        if self._current:
            QTimer.singleShot(_LAID_OUT_MS, self._reveal)

    # -- the tool in hand ----------------------------------------------------------------

    @property
    def current(self) -> str:
        """Name of the tool that is chosen, empty for none."""
        return self._current

    @property
    def hand(self) -> QuietHand | None:
        """The tool in hand, None where napari has the mouse."""
        return self._hand

    def choose(self, name: str) -> None:
        """Take up a tool; the one that is in hand already is put down."""
        kit, holding = self._kit, self._holding
        if kit is None or holding is None:
            return
        if name == self._current:
            self.put_down()
            return
        self._leave_hand()
        self.runner.stop()
        kit.bench.show(None)
        self._before, self._current = self._current or self._before, name
        self.choices.tool = name
        self._show_tool()
        if name in HANDS:
            self._take(holding, HANDS[name](kit))
        else:
            holding.drop()
            self.update_keys()
            self._to_canvas()
        if tool(name).is_live:
            self._live.start()
        self._say_kept()

    def lend(self, make: Callable[[Kit], QuietHand]) -> None:
        """Give mouse and keys to a hand of another desk, until a tool is taken up."""
        self.put_down()
        if self._kit is not None and self._holding is not None:
            self._take(self._holding, make(self._kit))

    def _take(self, holding: Holding, hand: QuietHand) -> None:
        self._hand = hand
        holding.take(hand, self.choices.size_mm if hand.circle else None)
        self.seeds.take(hand)
        self.update_keys()
        self._to_canvas()

    def choose_before(self) -> None:
        """Take up the tool that was in hand before, to go back and forth between two."""
        if self._before:
            self.choose(self._before)

    def put_down(self) -> None:
        """Give the mouse back to napari and show no tool."""
        if self._current:
            self._before, self._current = self._current, ""
        self._leave_hand()
        if self._holding is not None:
            self._holding.drop()
        self._live.stop()
        self.runner.stop()
        if self._kit is not None:
            self._kit.bench.show(None)
        self.panel.show_nothing()
        self._say_kept()
        self.update_keys()

    def _say_kept(self) -> None:
        """Show and say what waits: seeds and outlines are not lost with another tool."""
        waiting = ""
        if self._waiting is not None:
            self._waiting.show()
            waiting = self._waiting.words
        if words := " ".join(filter(None, (self.seeds.words, waiting))):
            self.say(words)

    def _leave_hand(self) -> None:
        self.seeds.put_down()
        hand, self._hand = self._hand, None
        if hand is not None:
            hand.leave()

    def _dropped(self) -> None:
        """Hear that napari has the mouse again: the person chose one of its modes."""
        if self._hand is not None:
            self.put_down()

    def resize(self, steps: float) -> None:
        """Make the brush larger (above 0) or smaller by steps of 20 %."""
        if self._kit is not None:
            self._kit.resize(steps)

    def pan(self, *, panning: bool) -> None:
        """Let the mouse move the camera with the tool in hand, or work again."""
        holding, hand = self._holding, self._hand
        if holding is not None and hand is not None:
            holding.pan(panning)
            if not panning:
                holding.show_circle(self.choices.size_mm if hand.circle else None)

    def enter(self) -> None:
        """Close an outline, or say yes to what is shown."""
        if self._hand is None or not self._hand.close():
            self.accept()

    def escape(self) -> None:
        """Take back what is begun, else what is computed or shown, else put the tool down."""
        held = self._hand is not None
        if self.dock.mark_desk.measures.let_go(chosen=not held):
            return
        if self._hand is not None and self._hand.is_busy:
            self._hand.cancel()
        elif self.runner.stop() or self.applying.stop():
            self.say("Stopped.")
        elif self._kit is not None and self._kit.bench.preview is not None:
            self.reject()
            if words := self.seeds.warn():
                self.say(words)
        elif words := self.seeds.warn():
            self.say(words)
        else:
            self.put_down()
            if self.seeds.forget():
                self.say("The strokes of seeds are forgotten.")

    def step_back(self) -> None:
        """Take the last corner of an outline back, or the last stroke of seeds."""
        if self._hand is not None and not self.seeds.undo():
            self._hand.step_back()

    # -- acts and previews ---------------------------------------------------------------

    def apply(self) -> None:
        """Compute what the tool with a button would do, and show it."""
        kit = self._kit
        if kit is None or self._current not in ACTS:
            return
        try:
            work = work_of(self._current, kit)
        except MedlabelError as err:
            self.fail(err)
            return
        self.runner.ask(f"{tool(self._current).title} …", work)
        self._to_canvas()

    def accept(self) -> None:
        """Make what is shown a step."""
        kit = self._kit
        if kit is None or kit.bench.preview is None:
            return
        self._live.stop()
        try:
            patch = kit.bench.accept() if self._hand is None else self._hand.accept()
        except MedlabelError as err:
            self.fail(err)
            return
        if patch is None:
            self.say("Nothing changed: the rules leave nothing to change.")
        else:
            kit.warn_of_missing(patch.box)

    def reject(self) -> None:
        """Leave the labels as they are."""
        if self._kit is not None:
            self._live.stop()
            self._kit.bench.show(None)

    # -- options and rules ---------------------------------------------------------------

    def _put_option(self, name: str, value: Any) -> None:
        if not self._current:
            return
        self.choices.put(self._current, name, value)
        if name == "preset":
            tool_ranges.put_preset(self.choices, self.panel, str(value))
        if name == SIZE:
            self._show_size()
        if self._hand is not None:
            self._hand.retune(name)
        if tool(self._current).is_live:
            self._live.start()

    def _put_extent(self, extent: Any) -> None:
        self.choices.extents[self._current] = extent
        self._show_tool()
        if self._current and tool(self._current).is_live:
            self._live.start()

    def _put_masking(self, rules: Masking) -> None:
        if self._kit is not None:
            self._kit.bench.masking = rules

    def _range_as_rule(self) -> None:
        """Bound all edits to the range of the threshold tool."""
        if self._kit is not None:
            self.reject()
            self.say(tool_ranges.bound_edits(self.choices, self._kit))

    # -- showing -------------------------------------------------------------------------

    def fail(self, err: MedlabelError) -> None:
        """Show an error of a tool, with the names of labels in place of their numbers."""
        if self._kit is not None:
            err.message = self._kit.bench.said(err.message)
        self.dock.show_error(err)

    def say(self, words: str) -> None:
        """Say a sentence below the tool and in napari's status line."""
        self.panel.say(words)
        if self._kit is not None:
            self._kit.binding.viewer.status = words

    def _show_tool(self) -> None:
        if not (name := self._current):
            return
        known, chosen = tool(name), self.choices
        self.panel.say("")
        self.panel.show_tool(
            known, options_of(known), chosen.of(name), chosen.extent(name), chosen.slab
        )

    def _reveal(self) -> None:
        """Scroll the dock until the options and answers of the tool in hand are in sight."""
        if self._current:
            self.dock.column.reveal(self.panel.title, self.panel.lowest)

    def _show_size(self) -> None:
        self.panel.options.show_values({SIZE: self.choices.size_mm})
        if self._holding is not None and self._hand is not None and self._hand.circle:
            self._holding.show_circle(self.choices.size_mm)

    def _show_segments(self, _scheme: object = None) -> None:
        if self._kit is None:
            return
        known = [(label.value, label.name) for label in self._kit.session.labels.scheme.labels]
        self.panel.show_segments(known)
        self._show_tool()
        self._show_label()

    def _on_label(self, _event: object) -> None:
        """Propose for the label that is in hand now: not a yes to one chosen before."""
        self._show_label()
        if self._current in ACTS:
            self.reject()
            if tool(self._current).is_live:
                self._live.start()

    def _show_label(self) -> None:
        if self._kit is None:
            return
        scheme, value = self._kit.session.labels.scheme, self._kit.label
        known = value in scheme.values
        name = scheme[value].name if known else f"no label ({value})"
        self.panel.show_label(name, scheme[value].colour if known else "#999999")

    def _show_reasons(self, _event: object = None) -> None:
        if self._kit is not None:
            self.panel.palette_.show_reasons(reasons_against(self._kit))

    def _to_canvas(self) -> None:
        """Let the picture hear the keys."""
        canvas = canvas_of(self.dock.window())
        if canvas is not None:
            canvas.setFocus()
