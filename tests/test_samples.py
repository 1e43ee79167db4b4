"""The samples are found in a wheel and in a checkout, and a changed byte is seen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from napari_medlabel import samples
from napari_medlabel.errors import InputError


def test_every_sample_is_there_and_whole() -> None:
    for name in samples.NAMES:
        assert samples.path(name).exists()
    assert samples.truth("scheme.json").is_file()
    assert samples.damaged() == ()


def test_a_sample_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="no sample scan of that name"):
        samples.path("pet")


def test_a_changed_byte_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = tmp_path / "sample_scans"
    small.mkdir()
    for name in ("registry.txt", "us_burned_in.dcm"):
        shutil.copy(samples.folder() / name, small / name)
    data = bytearray((small / "us_burned_in.dcm").read_bytes())
    data[5000] ^= 1
    (small / "us_burned_in.dcm").write_bytes(data)
    monkeypatch.setattr(samples, "_INSTALLED", small)
    assert "us_burned_in.dcm" in samples.damaged()


def test_missing_samples_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "_INSTALLED", tmp_path)
    monkeypatch.setattr(samples, "_CHECKOUT", tmp_path)
    with pytest.raises(InputError, match="not installed"):
        samples.folder()
