"""A scan in a napari window without the dock: its sides, its volume, its missing slices.

napari's File > Open adds layers and nothing else. What keeps a person from taking left for
right, or a blank slice for a finding, must not depend on a dock that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from weakref import WeakValueDictionary

import napari

from napari_medlabel.model.volume import FurtherAxis, Volume
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.further import shown_volume, volume_words
from napari_medlabel.plugin.layers import KEY
from napari_medlabel.plugin.missing import SliceWords
from napari_medlabel.plugin.orientation import Orientation
from napari_medlabel.plugin.proven import is_proven_napari
from napari_medlabel.plugin.workplace import WORKPLACE

_OVERLAY: Final = "medlabel_volume"
_VIEWS: WeakValueDictionary[int, PlainView] = WeakValueDictionary()


def watch(viewer: Any) -> PlainView | None:
    """Name sides and gaps in a viewer for as long as a scan of ours is in it.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        The viewer, or a model without a window.

    Returns
    -------
    PlainView or None
        None with a napari in which turning the camera is not proven to be safe.
    """
    if not is_proven_napari(napari.__version__):
        return None
    known = _VIEWS.get(id(viewer))
    if known is None:
        known = _VIEWS[id(viewer)] = PlainView(viewer)
    return known


def take_over(viewer: Any) -> None:
    """Leave a viewer to a case, which names sides and gaps itself; see `give_back`."""
    if (view := watch(viewer)) is not None:
        view.yield_to_case(True)


def give_back(viewer: Any) -> None:
    """Name sides and gaps again where the scan stays: the case let go of the viewer."""
    if (view := _VIEWS.get(id(viewer))) is not None:
        view.yield_to_case(False)


@contextmanager
def named_once(viewer: Any) -> Iterator[None]:
    """Let a viewer name sides and gaps when all layers that leave have left."""
    view = _VIEWS.get(id(viewer))
    if view is None:
        yield
        return
    view.waits = True
    try:
        yield
    finally:
        view.waits = False
        view.update()


class PlainView:
    """What stands on the canvas with scans of ours where no case is open; see `watch`.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        The viewer, or a model without a window.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._yields = False
        self.waits = False
        self._cases: tuple[str, ...] = ()
        self._before: Any = None
        self.orientation: Orientation | None = None
        self.slices: SliceWords | None = None
        self._further: FurtherAxis | None = None
        # The viewer's emitters hold these two, and so this object for as long as the viewer is.
        viewer.layers.events.inserted.connect(lambda _event: self.update(), position="last")
        viewer.layers.events.removed.connect(lambda _event: self.update(), position="last")
        self.update()

    @property
    def words(self) -> str:
        """Which of several volumes is said to be shown; empty where there is one."""
        overlays = self._viewer.canvas.overlays
        return str(overlays[_OVERLAY].text) if _OVERLAY in overlays else ""

    def yield_to_case(self, yields: bool) -> None:
        """Take everything off the canvas while a case is open, and put it back."""
        self._yields = yields
        self.update()

    def update(self) -> None:
        """Show what belongs to the scans that are in the viewer now."""
        if self.waits:
            return
        scans = {} if self._yields else self._scans()
        if tuple(scans) == self._cases:
            return
        self._clear()
        self._cases = tuple(scans)
        if scans:
            self._show(list(scans.values()))

    def _scans(self) -> dict[str, Volume]:
        found = {}
        for layer in self._viewer.layers:
            where = layer.metadata.get(KEY)
            if isinstance(where, dict) and where.get("role") == "scan":
                known = WORKPLACE.recall(str(where.get("case", "")))
                if known is not None:
                    found[str(where["case"])] = known[0]
        return found

    def _show(self, volumes: list[Volume]) -> None:
        viewer = self._viewer
        self._before = viewer.scene.camera.orientation
        # Where one of several does not know its sides, none is named.
        self.orientation = Orientation(
            viewer,
            named=all(volume.is_oriented for volume in volumes),
            pictures=all(volume.slices == "pictures" for volume in volumes),
        )
        gappy = [volume for volume in volumes if volume.missing]
        if gappy:
            self.slices = SliceWords(viewer, Display.of(gappy[-1]), gappy[-1].missing)
        several = [volume.further for volume in volumes if volume.further is not None]
        if several:
            self._add_volume_words(several[-1])

    def _add_volume_words(self, further: FurtherAxis) -> None:
        from napari.components.overlays import TextOverlay

        self._further = further
        self._viewer.canvas.overlays[_OVERLAY] = TextOverlay(
            text="", position="top_left", font_size=11, color="#ffd23f", visible=True
        )
        self._viewer.dims.events.current_step.connect(self._name_volume)
        self._name_volume()

    def _name_volume(self, _event: object = None) -> None:
        if self._further is not None:
            number = shown_volume(self._viewer.dims, self._further)
            self._viewer.canvas.overlays[_OVERLAY].text = volume_words(self._further, number)

    def _clear(self) -> None:
        if self.slices is not None:
            self.slices.detach()
        if self._further is not None:
            self._viewer.dims.events.current_step.disconnect(self._name_volume)
            del self._viewer.canvas.overlays[_OVERLAY]
        if self.orientation is not None:
            self.orientation.detach()
            self._viewer.scene.camera.orientation = self._before
        self.orientation, self.slices, self._further = None, None, None
