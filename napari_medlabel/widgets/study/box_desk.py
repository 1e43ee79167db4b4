"""What the study does about bounding boxes: hands draw them, the table lists them."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject

from napari_medlabel.errors import MedlabelError
from napari_medlabel.model.boxes import BoxSet, Index
from napari_medlabel.plugin.box_layer import BoxLayers, Look
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.plugin.tools.box_hand import BoxHand
from napari_medlabel.plugin.tools.kit import Kit
from napari_medlabel.project.cases.version import read_boxes
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.session.boxing import box_around
from napari_medlabel.session.study.made import version_shown
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.study.box_panel import BoxPanel


class BoxDesk(QObject):
    """Serves the boxes of a reading.

    Parameters
    ----------
    study : StudyDesk
        The study it serves.
    """

    def __init__(self, study: Any) -> None:
        super().__init__(study)
        self.study = study
        self.panel = BoxPanel()
        self.layers: BoxLayers | None = None
        self.background = Background(self)
        self._reading: Any = None
        self._views: Views | None = None
        self._looks: dict[str, Look] = {}
        self._values: dict[str, int] = {}
        self._hand: BoxHand | None = None
        self.panel.draw_requested.connect(self.draw)
        self.panel.from_label_requested.connect(self.box_from_label)
        self.panel.kind_requested.connect(self.set_kind)
        self.panel.chosen.connect(self.choose)
        self.panel.go_requested.connect(self.go_to)
        self.panel.remove_requested.connect(self.remove)

    # -- the reading ---------------------------------------------------------------------

    def reading_opened(self, reading: Any, ontology: Ontology) -> None:
        """Show the boxes of a reading; those of the version under review to begin with."""
        self._looks = {one.id: (one.name, one.colour) for one in ontology.boxes}
        self._looks |= {one.id: (one.name, one.colour) for one in ontology.labels}
        self._values = {one.id: one.value for one in ontology.labels}
        boxing, views = reading.session.boxing, self.study.dock.sight_desk.views
        is_open, problem = reading.purpose != "look", ""
        try:
            boxing.open(self._first(reading), writable=is_open)
        except MedlabelError as err:
            problem = f"{err.message} {err.hint}"
        if views is None or not (ontology.boxes or len(boxing.boxes) or problem):
            return
        self._reading, self._views = reading, views
        self.layers = BoxLayers(reading.session, views, self._looks)
        boxing.changed.connect(self._show)
        boxing.failed.connect(self.study.dock.show_error)
        self.panel.show_kinds(list(self._looks.items()))
        self.panel.set_read_only(not boxing.is_open)
        if problem:
            self.panel.say(problem)
        self._show(boxing.boxes)
        self.study.dock.show_page(self.panel, True)

    def _first(self, reading: Any) -> BoxSet | None:
        """Return the boxes that were submitted, for who reviews or looks; None for own work."""
        if reading.purpose == "work":
            return None
        seat = self.study.seat
        version = version_shown(seat, reading.case, reading.slot)
        if version is None:
            return None
        return read_boxes(seat.layout, version, reading.session.volume.grid)

    def reading_closed(self) -> None:
        """Let go of the reading."""
        reading, layers = self._reading, self.layers
        self._reading = self._views = self.layers = self._hand = None
        self.background.cancel()
        if reading is None or layers is None:
            return
        reading.session.boxing.changed.disconnect(self._show)
        reading.session.boxing.failed.disconnect(self.study.dock.show_error)
        layers.detach()
        self.study.dock.show_page(self.panel, False)

    def _show(self, boxes: BoxSet) -> None:
        if self._reading is None:
            return
        self.panel.show_boxes(boxes, self._reading.session.volume.grid, self._looks)
        if self.layers is not None and all(b.id != self.layers.chosen for b in boxes):
            self.choose(0)

    # -- drawing -------------------------------------------------------------------------

    @property
    def hand(self) -> BoxHand | None:
        """The hand that draws boxes, while it has the mouse."""
        return self._hand

    def draw(self, on: bool) -> None:
        """Let drags draw and change boxes, or give the mouse back."""
        tools = self.study.dock.tool_desk
        if on and self.layers is not None:
            tools.lend(self._make_hand)
        elif self._hand is not None:
            tools.put_down()
        self.panel.show_drawing(self._hand is not None)

    def _make_hand(self, kit: Kit) -> BoxHand:
        if self.layers is None:
            raise RuntimeError("Boxes are drawn in an open reading.")
        self._hand = BoxHand(kit, self.layers, self._kind, self.choose)
        self._hand.left = self._on_left
        return self._hand

    def _on_left(self) -> None:
        self._hand = None
        self.panel.show_drawing(False)

    def _kind(self) -> tuple[str, int]:
        kind = self.panel.kind
        return kind, self._values.get(kind, 0)

    # -- what the panel asks for ---------------------------------------------------------

    def choose(self, number: int) -> None:
        """Take a box into the hand: it has handles; 0 for none."""
        if self.layers is None or self._reading is None:
            return
        self.layers.choose(number)
        self.panel.choose(number)
        if number:
            self.panel.show_kind(self._reading.session.boxing.boxes[number].kind)

    def set_kind(self, kind: str) -> None:
        """Give the box in hand another kind; the next ones have it too."""
        if self.layers is not None and self.layers.chosen:
            number = self.layers.chosen
            self._try(lambda boxing: boxing.rename(number, kind, self._values.get(kind, 0)))

    def remove(self, number: int) -> None:
        """Take a box away; undo brings it back."""
        self._try(lambda boxing: boxing.remove(number))

    def go_to(self, number: int) -> None:
        """Show the middle of a box."""
        if self._reading is not None and self._views is not None:
            session = self._reading.session
            self._views.go_to_ras(session.boxing.boxes[number].centre_ras(session.volume.grid))

    def box_from_label(self) -> None:
        """Put a box around the part of the label in hand that lies at the cross-hair."""
        reading, views = self._reading, self._views
        if reading is None or views is None or self.background.is_busy:
            return
        session, value = reading.session, int(reading.binding.labels.selected_label)
        index = views.display.index_ijk([float(v) for v in views.cross.voxel_zyx])
        i, j, k = (round(float(v)) for v in index)
        kind, _ = self._kind()
        named = next((key for key, own in self._values.items() if own == value), "")
        labels = session.labels.array

        def done(ends: tuple[Index, Index]) -> None:
            if self._reading is not reading:
                return
            about = value if kind in self._values else 0
            chosen = named if kind in self._values and named else kind
            self._try(lambda boxing: self.choose(boxing.add(chosen, *ends, about).id))

        work = self.background.run
        work(lambda: box_around(labels, value, (i, j, k)), done, self.study.dock.show_error)

    def _try(self, do: Any) -> None:
        if self._reading is None:
            return
        try:
            do(self._reading.session.boxing)
        except MedlabelError as err:
            self.study.dock.show_error(err)
