"""The officer whom a computer remembers."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from napari_medlabel.audit.keys.pins import Pin, pin_officer, pinned_officer, read_pin
from napari_medlabel.errors import InputError


def test_nobody_is_known_before_somebody_is_seen(tmp_path: Path) -> None:
    assert read_pin(tmp_path) is None
    assert pinned_officer(tmp_path) is None


def test_the_officer_who_was_seen_is_remembered_until_another_is_confirmed(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    pin_officer(state, "ward-3", b"o" * 32)
    assert read_pin(state) == Pin("ward-3", b"o" * 32)
    pin_officer(state, "ward-4", b"p" * 32)
    assert pinned_officer(state) == b"p" * 32
    mode = stat.S_IMODE((state / "officer.pub").stat().st_mode)
    assert os.name == "nt" or mode == 0o600


@pytest.mark.parametrize("text", ["{", "{}", "[" * 4096, '{"pub": "AAAA", "site": "ward-3"}'])
def test_a_damaged_memory_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "officer.pub").write_text(text)
    with pytest.raises(InputError, match=r"'officer\.pub' must hold") as caught:
        read_pin(tmp_path)
    assert "site pin" in caught.value.hint
