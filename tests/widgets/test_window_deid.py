"""De-identifying in a real napari window: preview, run, review; few tests, long ones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from qtpy.QtGui import QDesktopServices
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QPushButton

from napari_medlabel import samples
from napari_medlabel.deid.batch.delivery import review_beside
from napari_medlabel.deid.report.counts import Look, Queued
from napari_medlabel.deid.report.review import read_queue, write_queue
from napari_medlabel.plugin import contributions
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.widgets.deid_panel import NAME, DeidPanel, show_panel
from napari_medlabel.widgets.dock import MedlabelDock

pytestmark = [
    pytest.mark.viewer,
    pytest.mark.slow,
    pytest.mark.xdist_group("window"),
    # napari's own threads and OpenGL objects outlive a test now and then.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
WAIT_MS = 60_000


def spin(times: int = 5) -> None:
    for _ in range(times):
        QApplication.processEvents()
        QTest.qWait(10)


def until(condition: Callable[[], bool]) -> None:
    for _ in range(WAIT_MS // 20):
        QApplication.processEvents()
        if condition():
            return
        QTest.qWait(20)
    pytest.fail("It did not come to an end.")


@pytest.fixture(autouse=True)
def closed_workplace() -> Iterator[None]:
    yield
    WORKPLACE.close()


@pytest.fixture
def panel(make_napari_viewer) -> DeidPanel:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1000, 900)
    dock = MedlabelDock(viewer)
    viewer.window.add_dock_widget(dock, name="Annotate", area="right")
    dock.start.deid_button.click()
    spin()
    made = show_panel(viewer)
    assert list(viewer.window.dock_widgets) == ["Annotate", NAME]
    return made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Four slices of the sample CT, and one file that is cut."""
    result = tmp_path / "in"
    result.mkdir()
    files = sorted(p for p in samples.path("ct_abdomen").rglob("*") if p.is_file())[:4]
    for path in files:
        shutil.copy(path, result)
    content = files[0].read_bytes()
    (result / "cut.dcm").write_bytes(content[: content.index(b"MUSTER") + 3])
    return result


def logged() -> list[dict]:
    lines = WORKPLACE.desk().audit_root.rglob("*.jsonl")
    return [json.loads(x) for path in lines for x in path.read_text().splitlines()]


def idle(panel: DeidPanel) -> bool:
    return panel.is_idle


def test_a_folder_is_previewed_then_cleaned_and_the_log_has_it(
    panel: DeidPanel, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.show_preview()
    assert "A folder to de-identify is needed" in panel.notice.text.text()
    panel.setup.source.line.setText(str(source))
    panel.show_preview()
    until(lambda: idle(panel))
    assert panel.tabs.currentWidget() is panel.preview
    assert panel.preview.shown > 100
    panel.start()
    assert "A folder to write to is needed" in panel.notice.text.text()
    panel.setup.target.line.setText(str(source / "inside"))
    panel.start()
    assert "must lie outside the source" in panel.notice.text.text()
    target = tmp_path / "out"
    panel.setup.target.line.setText(str(target))
    assert panel.preview.shown == 0
    panel.start()
    assert not panel.start_button.isEnabled()
    until(lambda: idle(panel))
    words = panel.notice.text.text()
    assert "4 files of 1 patient written without identity." in words
    assert "1 file not passed on" in words
    assert "A project key was made" in words
    assert len(list(target.rglob("*.dcm"))) == 4
    assert b"data:image/png" in (target / "deid-report.html").read_bytes()
    events = [each.get("event") for each in logged()]
    assert events.index("export.begin") < events.index("deid.run") < events.index("export.done")
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    button = next(b for b in panel.notice.findChildren(QPushButton) if "report" in b.text())
    button.click()
    assert Path(opened[0].toLocalFile()) == target / "deid-report.html"
    panel.start()
    assert "holds files already" in panel.notice.text.text()


def test_a_run_that_is_cancelled_leaves_nothing(
    panel: DeidPanel, source: Path, tmp_path: Path
) -> None:
    panel.setup.source.line.setText(str(source))
    panel.setup.target.line.setText(str(tmp_path / "out"))
    panel.start()
    panel.progress.cancel_button.click()
    until(lambda: idle(panel))
    assert panel.notice.text.text() == "Cancelled: nothing was written."
    assert not (tmp_path / "out").exists()
    assert panel.start_button.isEnabled()
    assert "export.fail" in [each.get("event") for each in logged()]


def test_values_show_only_of_an_open_scan_after_the_log_has_it(
    panel: DeidPanel, source: Path
) -> None:
    panel.preview.values_button.click()
    assert "No scan is open" in panel.notice.text.text()
    (source / "cut.dcm").unlink()
    contributions.read_layers(str(next(source.iterdir())))
    panel.preview.values_button.click()
    model = panel.preview.model
    values = {line.row.path: line.value for line in model.lines}
    assert "MUSTER" in values["PatientName"]
    assert [e["detail"]["values_shown"] for e in logged() if e.get("event") == "deid.preview"]


def test_what_waits_is_shown_and_moved_or_deleted_as_decided(
    panel: DeidPanel, source: Path, tmp_path: Path
) -> None:
    panel.load_queue()
    assert "A review folder is needed" in panel.notice.text.text()
    target = tmp_path / "out"
    folder = review_beside(target)
    folder.mkdir()
    queued = []
    for number, path in enumerate(sorted(source.iterdir())[:3], start=1):
        shutil.copy(path, folder / f"I-{number}.dcm")
        looks = frozenset({Look.ULTRASOUND})
        queued.append(Queued(number, f"F-AAA{number}", (f"I-{number}.dcm",), looks))
    write_queue(folder, queued)
    target.mkdir()
    report = {"review": [{"token": each.token} for each in queued]}
    (target / "deid-report.json").write_text(json.dumps(report), "utf-8")
    panel.queue.folder.line.setText(str(tmp_path))
    panel.queue.load_button.click()
    assert "A review folder was expected" in panel.notice.text.text()
    panel.queue.folder.line.setText(str(folder))
    panel.queue.load_button.click()
    until(lambda: idle(panel))
    panel.queue.accept_button.click()
    panel.queue.reject_button.click()
    until(lambda: idle(panel))
    panel.queue.carry_button.click()
    assert "Accepted images need a folder" in panel.notice.text.text()
    panel.queue.target.line.setText(str(target))
    panel.queue.carry_button.click()
    until(lambda: idle(panel))
    assert "1 accepted and moved, 1 rejected and deleted, 1 still" in panel.notice.text.text()
    assert (target / "I-1.dcm").is_file()
    assert [each.token for each in read_queue(folder)] == ["F-AAA3"]
    (detail,) = [e["detail"] for e in logged() if e.get("event") == "deid.review"]
    assert (detail["accepted"], detail["rejected"], detail["left"]) == (1, 1, 1)
    (folder / "I-3.dcm").write_bytes(b"changed")
    panel.queue.accept_button.click()
    panel.queue.carry_button.click()
    until(lambda: idle(panel))
    assert "not the one that was written for review" in panel.notice.text.text()
