"""``medlabel mask``: a table, a document, and a version that comes back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.cli.main import main
from napari_medlabel.session.case import Session
from napari_medlabel.session.saving import save
from tests.session.test_outbox import events

BOX = (slice(1, 3), slice(2, 4), slice(0, 1))


@pytest.fixture
def saved(session: Session) -> Session:
    for value in (1, 2):
        session.edit(BOX, np.full((2, 2, 1), value, np.uint8), name="Square")
        save(session)
    return session


def test_the_history_is_a_table_that_says_which_one_is_there(
    saved: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mask", "history", str(saved.place.folder)]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["no", "id", "when", "(UTC)"]
    assert "mask.create" in first
    assert second.startswith("2   now")
    (view,) = [e for e in events(saved.desk) if e["event"] == "audit.view"]
    assert view["detail"] == {"events": 2, "view": "history"}
    assert view["subject"] == [saved.place.subject]


def test_the_history_as_json_is_one_document(
    saved: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mask", "history", str(saved.place.mask), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["case"] == saved.place.case
    assert [one["current"] for one in document["versions"]] == [False, True]


def test_versions_that_are_lost_are_said(
    saved: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    for kept in saved.desk.objects.rglob("*.nii.gz"):
        kept.unlink()
    assert main(["mask", "history", str(saved.place.folder)]) == 0
    said = capsys.readouterr()
    assert "missing" in said.out
    assert "1 of these cannot be had back" in said.err


def test_a_version_comes_back_with_a_reason(
    saved: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["mask", "restore", str(saved.place.folder), "--version", "1"]
    assert main([*command, "--reason", "QA_FEEDBACK"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Version 1 is the mask now, read back and compared")
    assert "is kept as" in said
    assert main(["mask", "history", str(saved.place.folder), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [one["current"] for one in document["versions"]] == [True, False]


def test_restoring_says_what_changed_as_json(
    saved: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    saved.place.mask.unlink()
    command = ["mask", "restore", str(saved.place.folder), "--version", "1", "--json"]
    assert main([*command, "--reason", "OTHER"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["version"], document["replaced"], document["voxels_added"]) == (1, None, 4)


def test_restoring_without_a_reason_is_refused(
    saved: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["mask", "restore", str(saved.place.folder), "--version", "1"])
    assert end.value.code == 2
    assert "--reason" in capsys.readouterr().err


def test_a_folder_without_a_mask_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mask", "history", str(tmp_path)]) == 2
    assert "there is no sidecar" in capsys.readouterr().err
    assert not list((tmp_path / "own-audit").rglob("*.jsonl"))
