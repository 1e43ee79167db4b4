"""``medlabel open``: refuses bad input before a window shows."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from napari_medlabel import _optional
from napari_medlabel.cli.main import main
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.model import presets
from napari_medlabel.project.layout import Layout
from napari_medlabel.session.desk import open_desk
from napari_medlabel.session.opening import open_case


@pytest.fixture
def no_window(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list:
    """Open the case as the window does, and show no window."""
    opened: list = []

    def annotate(paths, wishes, *, audit):
        desk = open_desk(audit)
        try:
            session = open_case(paths, desk, wishes, fallback=tmp_path)
            opened.append(session)
            session.close()
        finally:
            desk.log.close()

    monkeypatch.setattr(
        _optional, "require", lambda *_, **__: SimpleNamespace(annotate=annotate)
    )
    return opened


def test_a_scan_opens_with_scheme_and_template_from_files(
    no_window: list, scan: Path, tmp_path: Path
) -> None:
    scheme, template = tmp_path / "s.json", tmp_path / "t.json"
    scheme.write_text(json.dumps(presets.scheme("head").to_json()))
    template.write_text(json.dumps({"landmarks": [{"name": "Here"}]}))
    command = ["open", str(scan), "--scheme", str(scheme), "--template", str(template)]
    assert (
        main([*command, "--out", str(tmp_path / "case"), "--audit", str(tmp_path / "log")]) == 0
    )
    (session,) = no_window
    assert session.labels.scheme == presets.scheme("head")
    assert [m.name for m in session.landmarks] == ["Here"]
    assert list((tmp_path / "log").rglob("*.jsonl"))


def test_a_mask_of_another_grid_exits_with_2(
    no_window: list, scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.nii.gz"
    write_mask_nifti(
        other, np.zeros((12, 10, 7), np.uint8), None, False, Affine.from_spacing((1, 1, 1))
    )
    assert main(["open", str(scan), "--mask", str(other)]) == 2
    assert "does not lie on this scan" in capsys.readouterr().err
    assert no_window == []


def test_an_unwritable_folder_exits_with_2(
    no_window: list, scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["open", str(scan), "--out", str(tmp_path / "file" / "x")]) == 2
    assert "hint:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "content", "message"),
    [
        ("--scheme", "{", "not valid JSON"),
        ("--scheme", "[]", "not a label scheme"),
        ("--template", "{}", "not a landmark template"),
        ("--scheme", None, "no label scheme of that name"),
        ("--template", None, "no landmark template of that name"),
    ],
)
def test_bad_schemes_and_templates_exit_with_2(
    no_window: list,
    scan: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    option: str,
    content: str | None,
    message: str,
) -> None:
    given = tmp_path / "given.json"
    if content is not None:
        given.write_text(content)
    assert main(["open", str(scan), option, str(given)]) == 2
    assert message in capsys.readouterr().err


def test_without_napari_the_extra_is_named(
    scan: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "napari", None)
    monkeypatch.delitem(
        __import__("sys").modules, "napari_medlabel.widgets.window", raising=False
    )
    assert main(["open", str(scan)]) == 2
    assert "napari-medlabel[qt]" in capsys.readouterr().err


def test_a_zip_file_is_opened_and_its_case_lies_beside_it(
    no_window: list, scan: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "scan.zip", "w") as package:
        package.write(scan, scan.name)
    command = ["open", str(tmp_path / "scan.zip"), "--audit", str(tmp_path / "log")]
    assert main(command) == 0
    (session,) = no_window
    assert session.place.folder.parent == tmp_path / "medlabel"
    assert session.volume.grid.size


def test_the_folder_of_a_study_opens_alone(
    scan: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    study = Layout(tmp_path / "study")
    study.own.mkdir(parents=True)
    study.project.write_text("{}")
    opened: list[Path] = []
    monkeypatch.setattr(
        _optional, "require", lambda *_, **__: SimpleNamespace(annotate_study=opened.append)
    )
    assert main(["open", str(study.root)]) == 0
    assert main(["open", str(study.own)]) == 0
    assert opened == [study.root, study.own]
    for further in (["--scheme", "head"], ["--values", "stored"], [str(scan)]):
        assert main(["open", str(study.root), *further]) == 2
        assert "was expected alone" in capsys.readouterr().err
    assert len(opened) == 2
