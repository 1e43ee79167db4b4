"""Layers of a reading at the dock: which is open, switching, and the others as outlines."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject

from napari_medlabel.errors import MedlabelError
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.plugin.sheet_layers import SheetLayers
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.session.study.sheets import other_masks
from napari_medlabel.widgets.background import Background

_MOST_NAMES = 3


class SheetDesk(QObject):
    """Serves readings whose labels lie on several layers, each with a mask of its own.

    Parameters
    ----------
    work : WorkDesk
        Whose bar has the box of layers.

    Attributes
    ----------
    layers : SheetLayers or None
        The other layers' masks, on the canvas.
    """

    def __init__(self, work: Any) -> None:
        super().__init__(work)
        self._work, self._study = work, work.study
        self.layers: SheetLayers | None = None
        self._ontology: Ontology | None = None
        self._reader = Background(self)
        work.bar.layer_chosen.connect(self.choose)
        self._study.reading_opened.connect(self._opened)
        self._study.reading_closed.connect(self._closed)

    @property
    def names(self) -> dict[int, str]:
        """Names of the labels of all layers, by value; empty where no reading is open."""
        found = self._ontology
        return {} if found is None else {label.value: label.name for label in found.labels}

    def _opened(self, reading: Any) -> None:
        try:
            self._ontology = ontology = read_ontology(self._study.seat.layout.ontology)
        except MedlabelError as err:
            self._study.dock.show_error(err)
            return
        layers = sorted({0, *ontology.layers})
        self._work.bar.show_layers({n: _words(ontology, n) for n in layers}, reading.sheet)
        if len(layers) < 2:
            return
        seat, grid = self._study.seat, reading.session.volume.grid
        folder = reading.session.place.folder

        def done(masks: dict[int, LabelMap]) -> None:
            if self._study.reading is reading:
                self.layers = SheetLayers(reading.binding, masks)

        where = (reading.case, reading.slot, reading.sheet)
        counts = reading.purpose in ("review", "look")
        self._reader.run(
            lambda: other_masks(seat, where, folder, grid, submitted=counts),
            done,
            self._study.dock.show_error,
        )

    def _closed(self) -> None:
        self._reader.cancel()
        shown, self.layers, self._ontology = self.layers, None, None
        self._work.bar.show_layers({}, 0)
        if shown is not None:
            shown.remove()

    def show_label(self, value: int) -> bool:
        """Open the layer that a label lies on; return whether it is another than is open."""
        reading, ontology = self._study.reading, self._ontology
        if reading is None or ontology is None or value not in self.names:
            return False
        layer = ontology.label(value).layer
        if layer == reading.sheet:
            return False
        self.choose(layer)
        return True

    def choose(self, layer: int) -> None:
        """Save what is open, and open another layer of the same reading."""
        reading, desk = self._study.reading, self._study.dock.desk
        if reading is None or layer == reading.sheet:
            return

        def go_on() -> None:
            if self._study.reading is reading and not self._study.open_reading(
                reading.purpose, reading.case, reading.slot, layer
            ):
                self._work.bar.choose_layer(reading.sheet)

        def saved(well: bool) -> None:
            if well:
                desk.background.when_free(go_on)
            else:
                self._work.bar.choose_layer(reading.sheet)

        if not desk.has_unsaved and not desk.background.is_busy:
            go_on()
        elif self._work.is_busy or not desk.save_then(saved):
            self._work.bar.choose_layer(reading.sheet)
            self._work.say_busy()


def _words(ontology: Ontology, layer: int) -> str:
    """Return the names of a layer's labels, the first few."""
    names = [label.name for label in ontology.labels if label.layer == layer]
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "") or "none"
