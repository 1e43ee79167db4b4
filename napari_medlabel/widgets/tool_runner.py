"""Runs what tools compute off the Qt thread, and shows what they propose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from qtpy.QtCore import QObject, QTimer

from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.scene import Proposal
from napari_medlabel.errors import MedlabelError
from napari_medlabel.plugin.preview_layer import Picture, PreviewLayer, picture_of
from napari_medlabel.plugin.tools.acts import words_of
from napari_medlabel.plugin.tools.kit import Kit, Work
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.tool_panel import ToolPanel

_AT_ONCE: Final = 1 << 21  # voxels: what is shown without a thread
_PATIENCE_MS: Final = 250  # progress shows only for what takes longer

_WARM_MS: Final = 2000
_REST_MS: Final = 200  # without a move, and a slider rests
_OTHER_VOLUME: Final = "Another volume is shown: what was proposed on the one before is gone."

Ready = tuple[Proposal | None, Picture | None, str]


class ToolRunner(QObject):
    """One piece of work at a time; what is asked for meanwhile replaces it.

    Parameters
    ----------
    parent : QObject
        The desk.
    panel : ToolPanel
        Shows progress and the proposal's words.
    fail : callable
        Shows an error.
    changed : callable
        Told when a preview has come or gone, or work begun or ended.
    """

    def __init__(
        self,
        parent: QObject,
        panel: ToolPanel,
        fail: Callable[[MedlabelError], object],
        changed: Callable[[], object],
    ) -> None:
        super().__init__(parent)
        self._panel = panel
        self._fail = fail
        self._changed = changed
        self._kit: Kit | None = None
        self._layer: PreviewLayer | None = None
        self._next: tuple[str, Work, Work | None] | None = None
        self._ready: Ready | None = None
        self._case = 0
        self.background = Background(self)
        self.background.progressed.connect(panel.progress.show_progress)
        panel.progress.cancel_requested.connect(self.stop)
        self._slow = QTimer(self)
        self._slow.setSingleShot(True)
        self._slow.setInterval(_PATIENCE_MS)
        self._slow.timeout.connect(self._show_progress)
        self._words = ""
        # Compiled in a thread of its own, when the scan is on the screen.
        self._warm = QTimer(self)
        self._warm.setSingleShot(True)
        self._warm.setInterval(_WARM_MS)
        self._warm.timeout.connect(_warm_up)

        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self.renew)

    def open(self, kit: Kit) -> None:
        """Serve a case."""
        self._kit = kit
        self._layer = PreviewLayer(kit.binding)
        kit.bench.preview_changed.connect(self._on_preview)
        kit.bench.volume_changed.connect(self._on_volume)
        self._warm.start()

    def close(self) -> None:
        """Let go of the case: what was computed for it is forgotten, what is shown goes."""
        kit = self._kit
        if kit is None:
            return
        self._case += 1
        self._warm.stop()
        self._rest.stop()
        self.stop()
        kit.bench.show(None)
        kit.bench.preview_changed.disconnect(self._on_preview)
        kit.bench.volume_changed.disconnect(self._on_volume)
        if self._layer is not None:
            self._layer.clear()
        self._kit = self._layer = self._ready = None
        self._panel.preview.show_words("")

    @property
    def is_busy(self) -> bool:
        """Whether something is computed now."""
        return self.background.is_busy

    def ask(self, words: str, work: Work, following: Work | None = None) -> None:
        """Compute something, in place of what is computed now.

        Parameters
        ----------
        words : str
            For the progress.
        work : callable
            What is computed; its proposal is shown.
        following : callable, optional
            What is computed then, and shown in its place.
        """
        if self.background.is_busy:
            self._next = words, work, following
            self.background.cancel()
            return
        self._run(words, work, following)

    def stop(self) -> bool:
        """End what is computed; return whether there was anything."""
        self._next = None
        if not self.background.is_busy:
            return False
        self.background.cancel()
        return True

    def _on_volume(self, _number: int) -> None:
        """End what is computed on another volume; the bench takes away what is shown."""
        kit = self._kit
        if kit is None:
            return
        if self.stop() or kit.bench.preview is not None:
            kit.say(_OTHER_VOLUME)
        self._rest.start()

    def renew(self) -> None:
        """Let the tool in hand look at the volume on which the slider rests."""
        if self._kit is not None:
            self._kit.renew()

    def _run(self, words: str, work: Work, following: Work | None = None) -> None:
        kit, case = self._kit, self._case
        if kit is None:
            return
        scene = kit.scene()

        def compute() -> Ready:
            proposal = work(self.background.tell)
            if proposal is None:
                return None, None, ""
            return proposal, picture_of(proposal), kit.bench.said(words_of(proposal, scene))

        self._words = words
        self._panel.show_busy(True, "Something is being computed: Esc stops it.")
        self._slow.start()
        self.background.run(
            compute,
            lambda ready: self._done(case, ready, following),
            self._failed,
            self._ended,
        )
        self._changed()

    def _show_progress(self) -> None:
        if self.background.is_busy:
            self._panel.progress.begin(self._words)

    def _done(self, case: int, ready: Ready, following: Work | None) -> None:
        self._ended()
        kit = self._kit
        if kit is None or case != self._case or self.background.is_busy:
            return
        proposal, _, _ = self._ready = ready
        if proposal is None:
            kit.bench.show(None)
            kit.say(nothing_to_propose(kit.bench.masking))
        else:
            kit.bench.show(proposal)
        if following is not None:
            self._run(self._words, following)

    def _failed(self, err: MedlabelError) -> None:
        self._ended()
        self._fail(err)

    def _ended(self) -> None:
        self._slow.stop()
        self._panel.progress.end()
        self._panel.show_busy(False)
        following, self._next = self._next, None
        if following is not None:
            self._run(*following)
        self._changed()

    # -- what is shown -------------------------------------------------------------------

    def _on_preview(self, proposal: Proposal | None) -> None:
        """Show a proposal, whoever made it."""
        if self._layer is None or self._kit is None:
            return
        if proposal is None:
            self._layer.clear()
            self._panel.preview.show_words("")
            self._changed()
            return
        ready = self._ready
        if ready is None or ready[0] is not proposal:
            if int(np.prod(proposal.after.shape)) > _AT_ONCE and not self.is_busy:
                self._run("Drawing what is proposed …", lambda _tick: proposal)
                return
            bench = self._kit.bench
            words = bench.said(words_of(proposal, self._kit.scene()))
            ready = proposal, picture_of(proposal), words
        self._panel.say("")  # what was missing before is not missing now
        self._layer.show(ready[1])
        self._panel.preview.show_words(ready[2])
        self._changed()

    @property
    def shown(self) -> Any:
        """The layer that shows the proposal, None where there is none."""
        return None if self._layer is None else self._layer.layer


def nothing_to_propose(rules: Masking) -> str:
    """Say that a tool would change nothing, and that rules may be why."""
    if rules.is_open:
        return "Nothing would change: the labels are like that already."
    return (
        "Nothing would change: either the labels are like that already, or the rules below "
        "(editable area, values, overwriting, locks) forbid all of it."
    )


def _warm_up() -> None:
    from napari_medlabel.edit.grow.warm import warm_up

    warm_up()
