"""Progress, doubts and the chooser by themselves: shown in words, asked by signals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.series_info import FoundMarks, SeriesInfo, Survey
from napari_medlabel.widgets.chooser import SeriesChooser, describe, summary
from napari_medlabel.widgets.doubts import Doubts
from napari_medlabel.widgets.progress_row import ProgressRow
from napari_medlabel.widgets.view_panel import ViewPanel


@pytest.fixture
def survey(make_grid: Callable[..., Grid]) -> Survey:
    def info(number: int, **more: object) -> SeriesInfo:
        known = {
            "key": str(number), "number": number, "format": "dicom", "files": 40,
            "grid": make_grid(), "modality": "MR", "warnings": (), "problem": "",
            "series_uid": None,
        }  # fmt: skip
        return SeriesInfo(**{**known, **more})

    return Survey(
        (
            info(1, grid=None, problem="Slices are missing.", hint="Export it again."),
            info(2, volumes=40, axis=("time", "s"), warnings=("Tilted by 5 degrees.", "More.")),
            info(3, modality="US", slices="pictures", colour=True),
        ),
        0,
        2,
        (FoundMarks("segmentation", Path("a")),),
    )


def grey(_info: SeriesInfo) -> np.ndarray:
    return np.full((60, 90), 128, np.uint8)


def test_a_series_is_described_without_its_patient(survey: Survey) -> None:
    refused, times, pictures = (describe(one) for one in survey.series)
    assert refused.splitlines()[1] == "Cannot be read: Slices are missing."
    assert times.splitlines() == [
        "MR   12 x 10, 6 slices",
        "0.8 x 0.9 x 3 mm, 4D, 40 times",
        "⚠ Tilted by 5 degrees. (and 1 more)",
    ]
    assert pictures.splitlines()[:2] == [
        "US   12 x 10, 6 pictures",
        "0.8 x 0.9 mm, colour, pictures without a place",
    ]
    numbered = replace(survey.series[1], series_number=7, words=("phase",))
    assert describe(numbered).splitlines()[:2] == [
        "MR, series 7   12 x 10, 6 slices",
        "0.8 x 0.9 x 3 mm, phase, 4D, 40 times",
    ]
    refused = describe(replace(survey.series[0], series_number=7))
    assert refused.splitlines()[0] == "MR, series 7, 40 files"
    assert summary(survey) == (
        "3 series were found. Which one should be opened? With them: 1 segmentation. "
        "2 files could not be read at all."
    )


def test_the_first_readable_series_is_chosen_and_unreadable_ones_cannot_be(
    survey: Survey, qtbot: QtBot
) -> None:
    chooser = SeriesChooser(survey, draw=grey)
    qtbot.addWidget(chooser)
    assert chooser.chosen is survey.series[1]
    assert "Tilted by 5 degrees" in chooser.about.text()
    assert chooser.list.item(0).flags() == Qt.ItemFlag.NoItemFlags
    assert "Export it again." in chooser.list.item(0).toolTip()
    chooser.list.setCurrentRow(0)
    assert chooser.chosen is None
    assert not chooser.open_button.isEnabled()
    chooser.reject()


def test_keys_choose_and_open(survey: Survey, qtbot: QtBot) -> None:
    chooser = SeriesChooser(survey, draw=grey)
    qtbot.addWidget(chooser)
    chooser.show()
    qtbot.keyClick(chooser.list, Qt.Key.Key_Down)
    assert chooser.chosen is survey.series[2]
    qtbot.keyClick(chooser.list, Qt.Key.Key_Up)
    assert chooser.chosen is survey.series[1]
    with qtbot.waitSignal(chooser.accepted):
        qtbot.keyClick(chooser.list, Qt.Key.Key_Return)
    again = SeriesChooser(survey, draw=grey)
    qtbot.addWidget(again)
    again.show()
    with qtbot.waitSignal(again.rejected):
        qtbot.keyClick(again.list, Qt.Key.Key_Escape)


def test_a_double_click_opens(survey: Survey, qtbot: QtBot) -> None:
    chooser = SeriesChooser(survey, draw=grey)
    qtbot.addWidget(chooser)
    chooser.show()
    spot = chooser.list.visualItemRect(chooser.list.item(2)).center()
    with qtbot.waitSignal(chooser.accepted):
        qtbot.mouseClick(chooser.list.viewport(), Qt.MouseButton.LeftButton, pos=spot)
        qtbot.mouseDClick(chooser.list.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert chooser.chosen is survey.series[2]


def test_pictures_come_later_and_one_that_fails_takes_none_away(
    survey: Survey, qtbot: QtBot
) -> None:
    def draw(info: SeriesInfo) -> np.ndarray:
        if info.number == 2:
            raise InputError("It is too large.", hint="Open it.")
        return grey(info)

    chooser = SeriesChooser(survey, draw=draw)
    qtbot.addWidget(chooser)

    def grey_at(row: int) -> int:
        return chooser.list.item(row).icon().pixmap(96, 96).toImage().pixelColor(48, 32).red()

    qtbot.waitUntil(lambda: grey_at(2) == 128, timeout=10_000)
    assert grey_at(1) == 0
    assert grey_at(0) == 0
    chooser.reject()


def test_cancel_does_not_wait_for_a_picture(survey: Survey, qtbot: QtBot) -> None:
    drawing, release = threading.Event(), threading.Event()
    drawn: list[int] = []

    def slowly(info: SeriesInfo) -> np.ndarray:
        drawing.set()
        release.wait(10)
        drawn.append(info.number)
        return grey(info)

    chooser = SeriesChooser(survey, draw=slowly)
    qtbot.addWidget(chooser)
    assert drawing.wait(10)
    start = time.monotonic()
    chooser.reject()
    assert time.monotonic() - start < 1
    release.set()
    qtbot.wait(300)
    assert drawn == [2], "no other picture was begun"


def test_progress_is_shown_and_can_be_stopped(qtbot: QtBot) -> None:
    row = ProgressRow()
    qtbot.addWidget(row)
    assert row.isHidden()
    row.begin("Reading the scan …")
    assert not row.isHidden()
    assert row.bar.maximum() == 0
    row.show_progress(30, 120)
    assert (row.bar.value(), row.bar.maximum()) == (30, 120)
    with qtbot.waitSignal(row.cancel_requested):
        row.cancel_button.click()
    row.end()
    assert row.isHidden()


def test_every_doubt_is_in_sight_and_can_be_folded_away(qtbot: QtBot) -> None:
    doubts = Doubts()
    qtbot.addWidget(doubts)
    assert doubts.isHidden()
    doubts.show_doubts(["Tilted by 5° & more.", "A gap <of> 3 mm."])
    assert doubts.heading.text() == "2 things to know about this scan"
    assert "Tilted by 5° &amp; more." in doubts.words.text()
    assert "A gap &lt;of&gt; 3 mm." in doubts.words.text()
    assert not doubts.words.isHidden()
    doubts.heading.click()
    assert doubts.words.isHidden()
    doubts.heading.click()
    assert not doubts.words.isHidden()
    doubts.show_doubts([])
    assert doubts.isHidden()


def test_pictures_have_one_plane_and_colours_no_window(qtbot: QtBot) -> None:
    panel = ViewPanel()
    qtbot.addWidget(panel)
    panel.offer(pictures=True, colour=True)
    panel.show_windows([])
    shown = [p for p, b in panel.plane_buttons.items() if not b.isHidden()]
    assert shown == ["Axial"]
    assert panel.plane_buttons["Axial"].text() == "As stored"
    assert not panel.convention_box.isEnabled()
    assert not panel.window_box.isEnabled()
    assert panel.window_box.currentText() == "Colours, as they are"
    panel.offer()
    panel.show_windows([])
    assert all(not b.isHidden() for b in panel.plane_buttons.values())
    assert panel.plane_buttons["Axial"].text() == "Axial"
    assert panel.window_box.isEnabled()
    assert panel.window_box.count() == 0


def test_a_series_is_chosen_with_the_values_that_its_header_allows(
    survey: Survey, qtbot: QtBot
) -> None:
    def why_not(values: str) -> str:
        return "" if values in ("suv-bw", "stored") else "Patient's Size is missing."

    pet = replace(survey.series[1], modality="PT", why_not=why_not)
    both = replace(survey, series=(pet, survey.series[2]))
    chooser = SeriesChooser(both, draw=grey)
    qtbot.addWidget(chooser)
    box = chooser.values
    assert "still being looked at" in box.toolTip()
    qtbot.waitUntil(box.isEnabled, timeout=10_000)
    assert chooser.chosen is pet
    able = {box.itemData(n): box.model().item(n).isEnabled() for n in range(box.count())}
    assert [name for name, is_able in able.items() if is_able] == [
        "rescaled",
        "suv-bw",
        "stored",
    ]
    lean = box.model().item(box.findData("suv-lbm"))
    assert lean.toolTip() == "Patient's Size is missing."
    box.setCurrentIndex(box.findData("suv-bw"))
    box.activated.emit(box.currentIndex())
    assert chooser.chosen == replace(pet, values="suv-bw")
    qtbot.waitUntil(lambda: 1 in chooser._reasons, timeout=10_000)
    chooser.list.setCurrentRow(1)
    assert chooser.chosen is both.series[1]
    assert "for grey images" in box.toolTip()
    chooser.list.setCurrentRow(0)
    assert chooser.chosen is not None
    assert chooser.chosen.values == "suv-bw"
    chooser.reject()
    wished = SeriesChooser(both, draw=grey, values="suv-bw")
    qtbot.addWidget(wished)
    assert wished.chosen == replace(pet, values="suv-bw")
    wished.reject()


def test_one_series_is_asked_about_its_values_alone(survey: Survey) -> None:
    one = replace(survey, series=survey.series[1:2], marks=(), unreadable=0)
    assert summary(one) == "1 series was found. As which values should it be opened?"
