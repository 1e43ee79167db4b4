"""The officer's key, and the card by which one officer names another."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

import pytest

from napari_medlabel.audit.keys.key_document import make_key
from napari_medlabel.audit.keys.officer import (
    OfficerKey,
    load_officer_key,
    officer_key_path,
    read_card,
)
from napari_medlabel.errors import InputError
from tests.audit.keys.site_bench import OFFICER

WORDS = "correct horse battery"


def test_the_card_names_both_keys() -> None:
    officer = OfficerKey(OFFICER)
    assert len(officer.card()) == 172
    assert read_card(f" {officer.card()}\n") == (officer.public, officer.box)
    assert officer.box != officer.public


def test_a_card_with_somebody_elses_box_is_refused() -> None:
    raw = bytearray(base64.b64decode(OfficerKey(OFFICER).card()))
    raw[40] ^= 1
    for text in (base64.b64encode(bytes(raw)).decode(), "no card", ""):
        with pytest.raises(InputError, match="card of an officer was expected"):
            read_card(text)


def test_the_key_opens_with_its_passphrase(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="officer's key was expected") as caught:
        load_officer_key(tmp_path, lambda: WORDS)
    assert "site init" in caught.value.hint
    made = make_key(
        officer_key_path(tmp_path),
        ("officer", "ward-3", "2026-11-22T10:00:00.000Z"),
        secrets.token_bytes,
        passphrase=WORDS,
    )
    found = load_officer_key(tmp_path, lambda: WORDS)
    assert (found.public, found.box) == (made.public, OfficerKey(made).box)
