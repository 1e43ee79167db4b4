"""Review in a real window: comments are pinned, a reading goes back, and comes again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.session.study.commenting import comments_for
from napari_medlabel.session.study.reviewing import begin_review
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start
from napari_medlabel.widgets.dock import MedlabelDock
from napari_medlabel.widgets.study.review_rows import Mark
from tests.session.study.small_study import SmallStudy, make_study

pytestmark = [
    pytest.mark.viewer,
    pytest.mark.slow,
    pytest.mark.xdist_group("window"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def wait_for(what: Callable[[], object], seconds: float = 20.0) -> None:
    """Let the window work until something is so."""
    for _ in range(int(seconds * 50)):
        QApplication.processEvents()
        if what():
            return
        QTest.qWait(20)
    pytest.fail("what was waited for did not come")


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    """Give a study whose first reading r01 has submitted, and r04 has taken into review."""
    made = make_study(tmp_path, cases=1, readings=1, people=("m1", "r01", "r04"))
    start(made.seat("r01"), made.cases[0], "A")
    submit(made.seat("r01"), made.cases[0], "A", made.scan(), made.work(1, 2))
    begin_review(made.seat("r04"), made.cases[0], "A")
    made.close()
    yield made
    made.close()


@pytest.fixture
def sit(
    make_napari_viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., MedlabelDock]]:
    """Give a function that lets somebody sit down at the one window."""
    monkeypatch.setattr(
        "napari_medlabel.widgets.closing.ask_to_save",
        lambda _parent: QMessageBox.StandardButton.Discard,
    )
    docks: list[MedlabelDock] = []

    def seat(code: str, study: SmallStudy) -> MedlabelDock:
        monkeypatch.setenv("MEDLABEL_STATE_DIR", str(study.tmp / f"pc-{code}"))
        if not docks:
            viewer = make_napari_viewer(show=True)
            viewer.window.resize(1000, 800)
            docks.append(MedlabelDock(viewer))
            viewer.window.add_dock_widget(docks[0], name="Annotate", area="right")
        assert docks[0].study_desk.open_study(study.layout.root)
        return docks[0]

    yield seat
    docks[0].study_desk.close_study()
    WORKPLACE.close()


def is_shown(dock: MedlabelDock, part: Any) -> bool:
    return part.parentWidget() is dock.tabs.currentWidget()


def test_a_reading_goes_back_with_a_pin_and_comes_again(  # noqa: PLR0915 - one story
    study: SmallStudy, sit: Callable[..., MedlabelDock], picture: Callable[..., None]
) -> None:
    case = study.cases[0]
    dock = sit("r04", study)
    desk = dock.study_desk
    review, threads = desk.review.decisions, desk.review.threads
    assert desk.open_reading("review", case, "A")
    wait_for(lambda: review.under is not None and review.panel.table.rowCount() == 3)
    assert is_shown(dock, review.panel)
    assert not dock.log_button.isEnabled()
    assert review.panel.table.item(1, 1).text() == "8"

    # A pin where the cross-hair is, seen in the picture and nowhere else.
    threads.go_to((4.0, 6.0, 6.0))
    threads.panel.text.setText("Is this dome liver?")
    threads.panel.show_label(1)
    threads.panel.pin_button.click()
    wait_for(lambda: threads.open_count == 1 and threads.pins.layer is not None)
    assert np.allclose(
        threads.pins.layer.data, desk.reading.binding.display.from_ras([(4.0, 6.0, 6.0)])
    )
    assert not review.panel.approve_button.isEnabled()
    assert "Comments are open" in review.panel.approve_button.toolTip()
    picture(dock, "comments")

    # What the reviewer paints is not approved by the way.
    box = (slice(0, 2), slice(0, 2), slice(0, 1))
    desk.reading.session.edit(box, np.full((2, 2, 1), 2, np.uint8), name="Square")
    wait_for(review.panel.correct_button.isEnabled)
    assert "You changed the mask" in review.panel.approve_button.toolTip()
    desk.reading.session.undo()
    wait_for(lambda: not review.panel.correct_button.isEnabled())

    review.panel.set_mark(1, Mark("fault", ("boundary",), ""))
    review.panel.set_mark(2, Mark("good"))
    picture(dock, "review")
    review.panel.reject_button.click()
    wait_for(lambda: dock.session is None)
    assert dock.notice.text.text().startswith("Sent back")
    now = look(desk.seat, case, "A").now
    assert (now.state, now.returned, now.tags) == ("rejected", (1,), ("boundary",))

    # The annotator sees first what came back, and goes from one comment to the next.
    dock = sit("r01", study)
    start(desk.seat, case, "A")
    assert desk.open_reading("work", case, "A")
    wait_for(lambda: desk.reading is not None and threads.open_count == 2)
    assert is_shown(dock, threads.panel)
    assert "boundary. About: Liver" in threads.panel.banner.text.text()
    assert dock.log_button.isEnabled()
    assert desk.reading.binding.keys.press("Alt-N")
    assert threads.panel.said.toPlainText().count("Reviewer") == 1
    assert np.allclose(threads.place(), (4.0, 6.0, 6.0))
    picture(dock, "sent-back")
    threads.panel.reply.setText("It was not.")
    threads.panel.resolve_button.click()
    wait_for(lambda: threads.open_count == 1)
    desk.reading.binding.keys.press("Alt-N")
    threads.panel.resolve_button.click()
    wait_for(lambda: threads.open_count == 0)
    dock.desk.close_case()
    submit(desk.seat, case, "A", study.scan(), study.work(1, 2, place=1))

    dock = sit("r04", study)
    begin_review(desk.seat, case, "A")
    assert desk.open_reading("review", case, "A")
    wait_for(lambda: review.under is not None and review.panel.approve_button.isEnabled())
    review.panel.approve_button.click()
    wait_for(lambda: dock.session is None)
    now = look(desk.seat, case, "A").now
    assert (now.state, now.rounds) == ("approved", 2)
    assert {one.standing for one in comments_for(desk.seat, case).threads} == {"resolved"}


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Give a function that keeps a picture of the window, where somebody wants to look."""
    import os

    folder = os.environ.get("MEDLABEL_TEST_PICTURES", "")

    def keep(dock: MedlabelDock, name: str) -> None:
        if folder:
            wait_for(lambda: True)
            QTest.qWait(300)
            dock.window().grab().save(str(Path(folder) / f"{name}.png"))

    return keep
