"""Pins of comments: at their place in every orientation, moved by nobody, saved by nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_medlabel.errors import InputError
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.contributions import write_points
from napari_medlabel.plugin.pin_layer import Pin, PinLayer
from napari_medlabel.session.case import Session

PLACES = ((8.0, -20.0, 44.0), (9.6, -18.2, 47.0))


@pytest.fixture
def pins(session: Session, viewer: ViewerModel) -> PinLayer:
    binding = Binding(session, viewer)
    return PinLayer(viewer, binding.display, session.place.case)


def test_pins_lie_where_their_comments_say_and_are_there_only_while_needed(
    pins: PinLayer, viewer: ViewerModel
) -> None:
    active, count = viewer.layers.selection.active, len(viewer.layers)
    pins.show(())
    assert len(viewer.layers) == count
    pins.show([Pin(1, PLACES[0]), Pin(3, PLACES[1], is_open=False)])
    assert viewer.layers.selection.active is active
    layer = pins.layer
    assert np.allclose(pins._display.to_ras(np.asarray(layer.data)), PLACES)
    assert list(layer.features["words"]) == ["1", "3 ✔"]
    assert [str(one) for one in layer.symbol] == ["diamond", "disc"]
    pins.show([Pin(1, PLACES[1])])
    assert pins.layer is layer
    assert np.allclose(pins._display.to_ras(np.asarray(layer.data)), PLACES[1:])
    viewer.layers.remove(layer)
    pins.show([Pin(1, PLACES[0])])
    assert pins.layer in viewer.layers
    pins.show(())
    assert len(viewer.layers) == count


def test_a_hand_moves_no_pin(pins: PinLayer, session: Session) -> None:
    pins.show([Pin(1, PLACES[0])])
    before = np.array(pins.layer.data)
    pins.layer.add(np.array([1.0, 1.0, 1.0]))
    assert np.allclose(pins.layer.data, before)
    pins.layer.selected_data = {0}
    pins.layer.remove_selected()
    assert np.allclose(pins.layer.data, before)
    assert not any(mark.point_ras for mark in session.landmarks)
    assert not session.is_dirty


def test_pins_are_no_landmarks_to_save(pins: PinLayer, tmp_path: Path) -> None:
    pins.show([Pin(1, PLACES[0])])
    data, meta, _ = pins.layer.as_layer_data_tuple()
    with pytest.raises(InputError, match="landmarks have no place"):
        write_points(str(tmp_path / "pins.mrk.json"), data, meta)
    assert not list(tmp_path.glob("pins*"))
