"""``medlabel mask``: a table, a document, and a version that comes back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.audit.keys.reasons import read_reason
from napari_medlabel.cli.main import main
from napari_medlabel.session.case import Session
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.session.saving import save
from tests.io.scans import voxels, write_series
from tests.session.site import found_site
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


@pytest.fixture
def of_dicom(desk: Desk, tmp_path: Path) -> list[str]:
    """Return the command that restores a mask of a DICOM scan, up to its reason."""
    write_series(tmp_path / "scans" / "ct", voxels(3))
    opened = open_case([tmp_path / "scans" / "ct"], desk, Wishes(), fallback=tmp_path)
    for value in (1, 2):
        opened.edit(BOX, np.full((2, 2, 1), value, np.uint8), name="Square")
        save(opened)
    opened.close()
    return ["mask", "restore", str(opened.place.folder), "--version", "1", "--reason"]


def test_a_reason_in_words_reaches_the_officer_alone(
    of_dicom: list[str], desk: Desk, tmp_path: Path
) -> None:
    officer = found_site(desk)
    (tmp_path / "why.txt").write_text("the protocol was unclear\n", encoding="utf-8")
    assert main([*of_dicom, "OTHER", "--text-file", str(tmp_path / "why.txt")]) == 0
    (event,) = [e for e in events(desk) if e["event"] == "mask.restore"]
    text = read_reason(desk.audit_root, event["reason"]["ref"], officer)
    assert text == "the protocol was unclear"
    lines = b"".join(path.read_bytes() for path in desk.audit_root.rglob("*.jsonl"))
    assert b"unclear" not in lines


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["OTHER", "--text", "Mr. INVENTED came again"], 3, "of the open scan's header"),
        (["OTHER", "--text", "unclear", "--scan", "nothing"], 2, "was not found there"),
        (["PROTOCOL", "--text", "unclear"], 2, "with the reason OTHER only"),
        (["OTHER", "--text", " "], 2, "it is empty"),
        (["OTHER", "--text-file", "nothing"], 2, "cannot be read as one"),
    ],
)
def test_a_text_is_refused(
    of_dicom: list[str],
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    said: str,
) -> None:
    found_site(desk)
    assert main([*of_dicom, *words]) == code
    err = capsys.readouterr().err
    assert said in err
    assert "INVENTED" not in err
    assert "mask.restore" not in {e["event"] for e in events(desk)}


def test_without_an_officer_a_text_is_refused(
    of_dicom: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*of_dicom, "OTHER", "--text", "unclear"]) == 3
    assert "coded reasons without a text" in capsys.readouterr().err


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_deleted_mask_is_said_by_its_id(
    saved: Session, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    folder, short = str(saved.place.folder), str(saved.saved_mask)[7:19]
    assert main(["mask", "delete", folder, "--reason", "WRONG_PATIENT", *more]) == 0
    out = capsys.readouterr().out
    if more:
        assert json.loads(out) == {"id": saved.saved_mask}
    else:
        assert f"kept as {short}" in out
    assert main(["mask", "restore", folder, "--version", short, "--reason", "OTHER"]) == 0
    assert saved.place.mask.is_file()


def test_a_folder_without_a_mask_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mask", "history", str(tmp_path)]) == 2
    assert "there is no sidecar" in capsys.readouterr().err
    assert not list((tmp_path / "own-audit").rglob("*.jsonl"))
