"""The layers of a closed case go one by one, and all at once where others come."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QObject

from napari_medlabel.widgets.clearing import Clearing

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def binding(viewer: ViewerModel) -> SimpleNamespace:
    image = viewer.add_image(np.zeros((3, 4, 5), np.uint8))
    labels = viewer.add_labels(np.zeros((3, 4, 5), np.uint8))
    points = viewer.add_points(np.zeros((0, 3)))
    return SimpleNamespace(layers=(image, labels, points), labels=labels)


def test_layers_go_one_by_one_and_the_labels_first(
    viewer: ViewerModel, binding: SimpleNamespace, qtbot: QtBot
) -> None:
    gone: list[str] = []
    viewer.layers.events.removed.connect(lambda event: gone.append(event.value.name))
    names = [binding.layers[n].name for n in (1, 2, 0)]
    owner = QObject()
    clearing = Clearing(owner, viewer)
    clearing.start(binding)
    assert gone == []
    assert not binding.labels.editable, "a stroke that nobody keeps is not made"
    qtbot.waitUntil(lambda: len(gone) == 1)
    assert gone == names[:1]
    qtbot.waitUntil(lambda: gone == names)


def test_where_others_come_what_is_left_goes_at_once(
    viewer: ViewerModel, binding: SimpleNamespace, qtbot: QtBot
) -> None:
    other = viewer.add_image(np.zeros((2, 2)))
    owner = QObject()
    clearing = Clearing(owner, viewer)
    clearing.start(binding)
    viewer.layers.remove(binding.layers[0])  # the person was faster
    clearing.finish()
    assert list(viewer.layers) == [other]
    clearing.finish()
    qtbot.wait(40)
    assert list(viewer.layers) == [other]
