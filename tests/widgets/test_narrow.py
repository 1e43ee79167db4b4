"""Long names of labels and schemes make no dock wider."""

from __future__ import annotations

from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QComboBox

from napari_medlabel.model.labelmap import Label, LabelScheme
from napari_medlabel.plugin.tools.catalogue import MENUS, TOOLS
from napari_medlabel.widgets.label_panel import LabelPanel
from napari_medlabel.widgets.narrow import narrow, shortened
from napari_medlabel.widgets.tool_panel import ToolPanel

NAME = "Left anterior descending coronary artery, distal part"


def width_of_panels(qtbot: QtBot, name: str) -> tuple[int, int]:
    """Return how wide labels and tools must be where a label and its scheme have a name."""
    labels, tools = (
        LabelPanel({"own": LabelScheme(name, (Label(1, name, "#d65f5f"),))}),
        ToolPanel(TOOLS, MENUS),
    )
    for panel in (labels, tools):
        qtbot.addWidget(panel)
    tools.show_nothing()
    tools.show_label(name, "#d65f5f")
    assert tools.title.toolTip() == name, "it can be read whole"
    return labels.minimumSizeHint().width(), tools.title.minimumSizeHint().width()


def test_a_long_name_takes_no_more_room_than_a_usual_one(qtbot: QtBot) -> None:
    labels, tools = width_of_panels(qtbot, "Aortic root, outlet")
    long_labels, long_tools = width_of_panels(qtbot, NAME)
    assert long_labels == labels
    assert long_tools <= tools * 1.25
    box = narrow(QComboBox())
    qtbot.addWidget(box)
    before = box.minimumSizeHint().width()
    box.addItem(NAME)
    assert box.minimumSizeHint().width() == before


def test_a_short_name_stays_and_a_long_one_keeps_both_ends() -> None:
    assert shortened("Liver") == "Liver"
    cut = shortened(NAME)
    assert (cut.startswith("Left"), cut.endswith("part"), len(cut) <= 20) == (True, True, True)
