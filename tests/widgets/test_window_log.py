"""The log in a real napari window: what leaves, the lamp, versions, the log of the case."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari._app_model import get_app_model
from pytestqt.qtbot import QtBot
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_medlabel.audit.writer.lamp import Lamp
from napari_medlabel.errors import LogError
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.secret import passphrase as sealing
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.widgets.case_log import CaseLog
from napari_medlabel.widgets.dock import MedlabelDock

pytestmark = [
    pytest.mark.viewer,
    pytest.mark.slow,
    pytest.mark.xdist_group("window"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
BOX = (slice(1, 3), slice(2, 4), slice(0, 1))


@pytest.fixture
def dock(
    make_napari_viewer: Callable[..., Any],
    scan: Path,
    wishes: Wishes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[MedlabelDock]:
    """Return the dock of a window in which a case is open."""
    monkeypatch.setattr(
        "napari_medlabel.widgets.closing.ask_to_save",
        lambda _parent: QMessageBox.StandardButton.Discard,
    )
    viewer = make_napari_viewer(show=True)
    made = MedlabelDock(viewer)
    viewer.window.add_dock_widget(made, name="Annotate", area="right")
    session = open_case([scan], WORKPLACE.desk(), wishes, fallback=tmp_path)
    made.desk.show_session(session)
    QTest.qWait(50)
    yield made
    made.desk.leave(discard=True)
    WORKPLACE.close()
    WORKPLACE.audit = None


def new(kind: str) -> list[dict]:
    lines = [
        json.loads(line)
        for path in WORKPLACE.desk().audit_root.rglob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    return [one["detail"] for one in lines if one.get("event") == kind]


def command(name: str) -> None:
    get_app_model().commands.execute_command(name).result()


def test_every_way_out_of_napari_is_one_line_and_shut_without_a_log(
    dock: MedlabelDock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = dock.viewer
    corners = np.array([[1.0, 1.0], [1.0, 6.0], [6.0, 6.0], [6.0, 1.0]])
    picture, clip = tmp_path / "a.png", "napari.window.file.copy_"
    ways: dict[str, tuple[Callable[[], object], str, str]] = {
        "screenshot": (viewer.screenshot, "screenshot", "screen"),
        "with the window": (
            lambda: viewer.screenshot(picture, canvas_only=False),
            "screenshot",
            "folder",
        ),
        "figure": (lambda: viewer.export_figure(picture), "screenshot", "folder"),
        "regions": (
            lambda: viewer.export_rois([corners], tmp_path / "rois"),
            "screenshot",
            "folder",
        ),
        "menu, view": (
            lambda: viewer.window._qt_viewer.screenshot(picture),
            "screenshot",
            "folder",
        ),
        "copy view": (lambda: command(f"{clip}canvas_screenshot"), "clipboard", "clipboard"),
        "copy window": (lambda: command(f"{clip}viewer_screenshot"), "clipboard", "clipboard"),
        "all layers": (
            lambda: viewer.layers.save(str(tmp_path / "all")),
            "save-layer",
            "folder",
        ),
        "one layer": (
            lambda: viewer.layers["Labels"].save(str(tmp_path / "one.tif")),
            "save-layer",
            "folder",
        ),
    }
    seen = len(new("export.screen"))
    for name, (act, kind, destination) in ways.items():
        act()
        found = new("export.screen")[seen:]
        said = [(one["kind"], one["destination"]) for one in found]
        assert said == [(kind, destination)], name
        seen += 1
    picture.unlink()
    QApplication.clipboard().clear()

    def refuse(*_: object, **__: object) -> None:
        raise LogError("The log cannot be written.", hint="Free some space.")

    monkeypatch.setattr(WORKPLACE.desk().log, "append", refuse)
    for name, (act, _kind, _destination) in ways.items():
        with pytest.raises(LogError, match=r"cannot be written\. Free some space"):
            act()
        assert not picture.exists(), name
    assert QApplication.clipboard().image().isNull()


def test_lamp_versions_and_log_of_the_case(dock: MedlabelDock, qtbot: QtBot) -> None:
    session = dock.session
    for value in (1, 2):
        session.edit(BOX, np.full((2, 2, 1), value, np.uint8), name="Square")
        assert dock.desk.save_now()
    lamp = dock.log_desk.lamp
    assert (lamp.level, lamp.isVisible()) == ("green", True), lamp.words.text()
    lamp.told.emit(Lamp("red", "The log cannot be written.", 0))
    assert "✖" in lamp.button.text()
    lamp.button.click()
    assert "Save your work" in dock.notice.text.text()

    dock.versions_button.click()
    qtbot.waitUntil(lambda: dock.log_desk.dialog is not None, timeout=5000)
    dialog = dock.log_desk.dialog
    dialog.table.selectRow(1)
    dialog.preview_button.click()
    assert dock.viewer.layers[-1].name == "Version 1 (preview)"
    assert "not part of the case" not in dock.notice.text.text()
    dialog.restore_button.click()
    assert [layer.name for layer in dock.viewer.layers][-1] == "Landmarks"
    assert session.labels.voxel_counts() == {1: 4}
    assert dock.undo_button.text() == "Undo: restore version 1"
    dock.undo_button.click()
    assert session.labels.voxel_counts() == {2: 4}
    assert new("audit.view") == [{"events": 2, "view": "history"}]

    dock.log_button.click()
    (panel,) = dock.viewer.window._qt_window.findChildren(CaseLog)
    qtbot.waitUntil(lambda: panel.table.rowCount() > 0, timeout=5000)
    assert panel.table.item(0, 1).text() == "you"
    assert "Mask restored" in panel.table.item(0, 2).text() or panel.table.rowCount() > 3
    assert {"events", "view"} == set(new("audit.view")[-1])
    dock.log_button.click()
    qtbot.waitUntil(lambda: panel.is_idle, timeout=5000)


def test_signing_from_the_dock(
    dock: MedlabelDock, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)
    session, desk = dock.session, dock.sign_desk
    session.edit(BOX, np.ones((2, 2, 1), np.uint8), name="Square")
    dock.sign_button.click()
    assert "unsaved work" in dock.notice.text.text()
    assert desk.dialog is None
    assert dock.desk.save_now()
    dock.log_button.click()
    (panel,) = dock.viewer.window._qt_window.findChildren(CaseLog)
    qtbot.waitUntil(lambda: panel.is_idle and panel.table.rowCount() > 0, timeout=5000)

    def sign(*passphrases: str, meaning: int = 0) -> None:
        dialog = desk.dialog
        dialog.name.setText("A. Muster")
        dialog.meaning.setCurrentIndex(meaning)
        for line, words in zip((dialog.passphrase, dialog.again), passphrases, strict=False):
            line.setText(words)
        dialog.sign_button.click()
        qtbot.waitUntil(lambda: not desk._background.is_busy, timeout=10000)

    dock.sign_button.click()
    qtbot.waitUntil(lambda: desk.dialog is not None, timeout=5000)
    sign("battery staple", "battery staple", meaning=2)
    assert "needs somebody else" in desk.dialog.notice.text.text()
    assert not desk.dialog.again.isVisible()
    sign("something else")
    assert [one["cause"] for one in new("sign.fail")] == ["review", "identity"]
    sign("battery staple")
    assert len(new("sign.apply")) == 1
    assert "Signed." in desk.dialog.notice.text.text()
    desk.dialog.cancel_button.click()
    assert desk.dialog is None
    qtbot.waitUntil(lambda: panel.is_idle, timeout=5000)
    panel.read()
    qtbot.waitUntil(lambda: panel.is_idle, timeout=5000)
    said = [panel.table.item(row, 2).text() for row in range(panel.table.rowCount())]
    assert any("igned" in words for words in said), said

    dock.sign_button.click()
    qtbot.waitUntil(lambda: desk.dialog is not None, timeout=5000)
    assert desk.dialog.name.text() == "A. Muster"
    dock.desk.close_case()
    assert desk.dialog is None


def test_a_reason_in_words_without_an_officer_stays_in_the_dialog(
    dock: MedlabelDock, qtbot: QtBot
) -> None:
    for value in (1, 2):
        dock.session.edit(BOX, np.full((2, 2, 1), value, np.uint8), name="Square")
        assert dock.desk.save_now()
    dock.versions_button.click()
    qtbot.waitUntil(lambda: dock.log_desk.dialog is not None, timeout=5000)
    dialog = dock.log_desk.dialog
    dialog.table.selectRow(1)
    dialog.reason.setCurrentText("Other")
    dialog.text.setPlainText("unclear")
    dialog.restore_button.click()
    assert "no site with an officer" in dialog.notice.text.text()
    assert dock.session.labels.voxel_counts() == {2: 4}
    dialog.text.clear()
    dialog.restore_button.click()
    assert dock.log_desk.dialog is None
    assert dock.session.labels.voxel_counts() == {1: 4}


def test_what_was_found_at_the_opening_is_said(
    dock: MedlabelDock, scan: Path, wishes: Wishes, tmp_path: Path, qtbot: QtBot
) -> None:
    session = dock.session
    session.edit(BOX, np.ones((2, 2, 1), np.uint8), name="Square")
    assert dock.desk.save_now()
    dock.desk.close_case()
    sidecar = wishes.folder / "mask.json"
    document = json.loads(sidecar.read_bytes())
    document["mask"]["content_id"] = "sha256:" + "0" * 64
    sidecar.write_text(json.dumps(document))
    again = open_case([scan], WORKPLACE.desk(), wishes, fallback=tmp_path)
    dock.desk.show_session(again)
    assert "Another program changed this mask" in dock.notice.text.text()
    dock.desk.close_case()
    broken = tmp_path / "broken.nii"
    broken.write_bytes(scan.read_bytes()[:40])
    dock.open_paths([broken])
    qtbot.waitUntil(lambda: not dock.desk.background.is_busy, timeout=5000)
    assert new("volume.open.denied") == [{"cause": "unreadable"}]
