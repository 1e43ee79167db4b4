"""The first slice before the rest: logged before it is shown, and logged once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from napari_medlabel.errors import InputError, LogError
from napari_medlabel.io.files import sha256_file
from napari_medlabel.model.volume import Volume
from napari_medlabel.session import opening
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.opening import Wishes, open_case

Read = Callable[..., Volume]


def openings(desk: Desk) -> list[dict]:
    lines = [
        json.loads(line)
        for path in desk.audit_root.rglob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    return [line for line in lines if line.get("event") == "volume.open"]


@pytest.fixture
def read_early(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the reader by one that shows the volume before its files are hashed."""
    values: list[str] = []

    def read(_info: object, **wishes: object) -> Volume:
        values.append(wishes["values"])
        show = wishes["preview"]
        if show is not None:
            show(replace(volume, source=replace(volume.source, sha256=())))
        return volume

    monkeypatch.setattr(opening, "read_series", read)
    return values


def test_an_opening_is_in_the_log_before_the_first_slice_and_only_once(
    read_early: list[str], scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path
) -> None:
    seen: list[int] = []
    session = open_case(
        [scan],
        desk,
        wishes,
        fallback=tmp_path,
        preview=lambda _: seen.append(len(openings(desk))),
    )
    assert seen == [1]
    (line,) = openings(desk)
    assert line["detail"]["weak"] is True
    # A file that names no patient is known by its content, early or late.
    assert line["subject"] == [desk.tokens.content_token(sha256_file(scan))]
    assert line["subject"] == [session.place.subject]
    session.close()
    open_case([scan], desk, wishes, fallback=tmp_path).close()
    assert len(openings(desk)) == 2
    assert read_early == ["rescaled", "rescaled"]


def test_without_a_log_no_slice_is_shown(
    read_early: list[str],
    scan: Path,
    desk: Desk,
    wishes: Wishes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object, **__: object) -> None:
        raise LogError("The log cannot be written.", hint="Free some space.")

    monkeypatch.setattr(opening, "log_opening", full)
    shown: list[Volume] = []
    with pytest.raises(LogError):
        open_case([scan], desk, wishes, fallback=tmp_path, preview=shown.append)
    assert shown == []


def test_a_file_that_went_away_meanwhile_is_said(
    volume: Volume,
    read_early: list[str],
    scan: Path,
    desk: Desk,
    wishes: Wishes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(_path: Path) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(opening, "sha256_file", gone)
    with pytest.raises(InputError, match="cannot be read any more"):
        open_case([scan], desk, wishes, fallback=tmp_path, preview=lambda _: None)
    assert openings(desk) == []


def test_other_values_are_asked_of_the_reader(
    read_early: list[str], scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path
) -> None:
    open_case([scan], desk, replace(wishes, values="stored"), fallback=tmp_path).close()
    assert read_early == ["stored"]
