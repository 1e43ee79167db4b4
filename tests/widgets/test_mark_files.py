"""Landmarks of files in the window: what is taken in under which name, and what is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_medlabel.errors import MedlabelError
from napari_medlabel.export.landmarks import load_landmarks, save_landmarks
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.session.case import Session
from napari_medlabel.widgets.mark_files import MarkFiles
from napari_medlabel.widgets.notice import COLOURS, Notice


class Dock(QWidget):
    """What `MarkFiles` needs of a dock."""

    def __init__(self) -> None:
        super().__init__()
        self.notice = Notice(self)
        self.errors: list[MedlabelError] = []
        self.show_error = self.errors.append

    @property
    def colour(self) -> str:
        style = self.notice.styleSheet()
        return next(name for name, colour in COLOURS.items() if colour in style)


@pytest.fixture
def dock(qtbot: QtBot) -> Dock:
    made = Dock()
    qtbot.addWidget(made)
    return made


def test_points_that_say_nothing_are_loaded_under_their_own_names(
    dock: Dock, session: Session, tmp_path: Path
) -> None:
    before = session.landmarks
    assert not all(mark.acronym for mark in before)
    path = tmp_path / "theirs.fcsv"
    save_landmarks(path, LandmarkSet((Landmark("F-1", (1, 2, 3)), Landmark("F-2", (4, 5, 6)))))
    MarkFiles(dock).load(session, path)
    assert [mark.name for mark in session.landmarks.placed] == ["F-1", "F-2"]
    assert session.landmarks.landmarks[: len(before)] == before.landmarks
    assert dock.colour == "green"


def test_each_point_that_gets_another_name_is_told_in_an_amber_notice(
    dock: Dock, session: Session, tmp_path: Path
) -> None:
    names = ("AC", "PC", "Fixed")
    session.set_landmarks(
        LandmarkSet((*(Landmark(name) for name in names[:2]), Landmark("Fixed", locked=True)))
    )
    path = tmp_path / "theirs.mrk.json"
    theirs = tuple(Landmark(f"F-{n}", (n, 2, 3), word) for n, word in enumerate(names, 1))
    save_landmarks(path, LandmarkSet(theirs))
    MarkFiles(dock).load(session, path)
    assert session.landmarks["AC"].point_ras == (1, 2, 3)
    assert not session.landmarks["Fixed"].is_placed
    words = dock.notice.text.text().splitlines()
    assert words[1:] == ["Named by acronym or description: F-1 -> AC, F-2 -> PC."]
    assert dock.colour == "amber"


def test_a_table_is_not_written_over_anothers_sidecar(
    dock: Dock, session: Session, tmp_path: Path
) -> None:
    session.set_landmarks(LandmarkSet((Landmark("AC", (1.0, 2.0, 3.0)),)))
    beside = tmp_path / "sub-01_T1w.json"
    beside.write_text('{"EchoTime": 0.003}')
    MarkFiles(dock).save(session, tmp_path / "sub-01_T1w.tsv")
    assert "a .json file of the same name belongs to something else" in dock.errors[0].message
    assert beside.read_text() == '{"EchoTime": 0.003}'
    assert not (tmp_path / "sub-01_T1w.tsv").exists()
    for _ in range(2):  # its own table may be written again
        MarkFiles(dock).save(session, tmp_path / "marks.tsv")
    assert len(dock.errors) == 1
    assert load_landmarks(tmp_path / "marks.tsv") == session.landmarks


def test_a_suffix_that_nobody_typed_leads_to_no_file_that_is_there(
    dock: Dock, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = (str(tmp_path / "ours"), "3D Slicer, old (*.fcsv)")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: typed)
    (tmp_path / "ours.fcsv").write_text("theirs")
    MarkFiles(dock).ask_save(session)
    assert "nothing is overwritten" in dock.errors[0].message
    assert (tmp_path / "ours.fcsv").read_text() == "theirs"
