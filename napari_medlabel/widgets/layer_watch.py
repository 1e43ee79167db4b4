"""Layers that come and go in napari's list: nothing is lost without a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.layers import KEY
from napari_medlabel.widgets.notice import Notice
from napari_medlabel.widgets.recovery_offer import Attempt


class LayerWatch:
    """Says what happened to a layer, and offers what can be done.

    Parameters
    ----------
    notice : Notice
        Where it is said.
    viewer : napari.viewer.Viewer
        Whose layers are watched.
    attempt : callable
        Does something to the open session and shows its errors.
    close : callable
        Closes the case.
    """

    def __init__(
        self, notice: Notice, viewer: Any, attempt: Attempt, close: Callable[[], object]
    ) -> None:
        self._notice = notice
        self._viewer = viewer
        self._attempt = attempt
        self._close = close

    def inserted(self, binding: Binding | None, layer: Any) -> None:
        """Say that a labels layer of one's own is neither journaled nor saved with the case."""
        if binding is None or layer is binding.labels or not binding.is_on_scan(layer):
            return
        if layer.metadata.get(KEY, {}).get("role") in {"version", "preview"}:
            return  # a look at an earlier version, which Versions… puts back; or a proposal
        if "scheme" in layer.metadata.get(KEY, {}):
            what = "This segmentation is shown on the scan and is not part of the case: "
            then = "Take it in to change and save it here."
        else:
            what = "This new labels layer is not part of the case: "
            then = "Use the list of labels to paint further structures."
        self._notice.say(
            "amber",
            f"{what}it has no recovery journal, and F2 does not save it. {then}",
            {"Take it into the case": lambda: self._take_in(binding, layer)},
        )

    def removed(self, binding: Binding | None, layer: Any) -> None:
        """Say that nothing is lost when a layer of the case is taken out of the list."""
        if binding is None or layer not in binding.layers:
            return
        self._notice.say(
            "amber",
            f"The layer '{layer.name}' was taken out of the view. What is in it is safe.",
            {
                "Show it again": lambda: self.show_again(layer),
                "Close this scan": self._close,
            },
        )

    def painted_on_missing(self, slices: list[int]) -> None:
        """Say that paint lies where there is no image: it stays, but never unseen."""
        numbers = ", ".join(str(k + 1) for k in slices)
        which = f"slice {numbers}" if len(slices) == 1 else f"slices {numbers}"
        self._notice.say(
            "amber",
            f"You painted on {which}: no file holds an image there, so there is nothing to see "
            "under the paint.",
            {"Undo": self._undo, "Keep it": self._notice.clear},
        )

    def _undo(self) -> None:
        self._notice.clear()
        self._attempt(lambda session: session.undo())

    def show_again(self, layer: Any) -> None:
        """Put a layer back into the list, where it is not."""
        if layer not in self._viewer.layers:
            self._viewer.add_layer(layer)
            self._notice.clear()

    def _take_in(self, binding: Binding, layer: Any) -> None:
        """Make a step of a layer's labels, and drop the layer where that went well."""
        self._notice.clear()
        if layer not in self._viewer.layers:
            return
        self._attempt(lambda _session: binding.take_in(layer))
        if not self._notice.text.text():
            self._viewer.layers.remove(layer)
