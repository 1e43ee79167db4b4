"""Text of a reason: for officers alone, bound to the log, erasable."""

from __future__ import annotations

import json
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.audit.format.event import Reason
from napari_medlabel.audit.keys.officer import OfficerKey
from napari_medlabel.audit.keys.reasons import (
    LONGEST,
    erase_reason,
    keep_reason,
    read_reason,
    reason_path,
)
from napari_medlabel.audit.keys.signatures import SigningKey
from napari_medlabel.audit.keys.site import Officer
from napari_medlabel.errors import InputError, RefusedError
from tests.audit.keys.site_bench import MADE_MS, OFFICER, OTHER, site

LADY, LORD = OfficerKey(OFFICER), OfficerKey(OTHER)
BOTH = site(officers=(Officer(LADY.public, LADY.box), Officer(LORD.public, LORD.box)))
TEXT = "Gru\u00df: the guideline changed, see meeting of Tuesday"


def _keep(root: Path, text: str = TEXT) -> str:
    return keep_reason(root, BOTH, text, secrets.token_bytes)


def test_every_officer_reads_it_and_nobody_else(tmp_path: Path) -> None:
    ref = _keep(tmp_path)
    assert Reason("OTHER", ref).record() == {"code": "OTHER", "ref": ref}
    assert read_reason(tmp_path, ref, LADY) == read_reason(tmp_path, ref, LORD) == TEXT
    with pytest.raises(InputError, match="encrypted to other officers"):
        read_reason(tmp_path, ref, OfficerKey(SigningKey(b"x" * 32)))
    raw = (tmp_path / "reasons" / f"{ref[7:]}.bin").read_bytes()
    assert b"guideline" not in raw


def test_the_same_text_twice_has_two_commitments(tmp_path: Path) -> None:
    assert _keep(tmp_path) != _keep(tmp_path)


def test_the_commitment_is_a_hash_of_salt_and_text(tmp_path: Path) -> None:
    ref = keep_reason(tmp_path, BOTH, "why", lambda count: b"s" * count)
    assert ref == f"sha256:{sha256(b's' * 32 + b'why').hexdigest()}"


def test_how_long_a_text_is_does_not_show(tmp_path: Path) -> None:
    sizes = {
        reason_path(tmp_path, _keep(tmp_path, text)).stat().st_size for text in ("a", TEXT)
    }
    assert len(sizes) == 1


def test_a_text_that_is_erased_is_gone(tmp_path: Path) -> None:
    ref = _keep(tmp_path)
    assert erase_reason(tmp_path, ref)
    assert not erase_reason(tmp_path, ref)
    with pytest.raises(InputError, match="was erased, or never was"):
        read_reason(tmp_path, ref, LADY)


def test_an_officer_who_left_gets_no_new_text(tmp_path: Path) -> None:
    gone = site(
        officers=(Officer(LADY.public, LADY.box, MADE_MS), Officer(LORD.public, LORD.box))
    )
    ref = keep_reason(tmp_path, gone, TEXT, secrets.token_bytes)
    assert read_reason(tmp_path, ref, LORD) == TEXT
    with pytest.raises(InputError, match="other officers"):
        read_reason(tmp_path, ref, LADY)
    nobody = site(officers=(Officer(LADY.public),))
    with pytest.raises(RefusedError, match="names no officer to whom"):
        keep_reason(tmp_path, nobody, TEXT, secrets.token_bytes)


@pytest.mark.parametrize("text", ["", "x" * (LONGEST + 1)], ids=["empty", "long"])
def test_a_text_of_no_length_or_too_much_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=f"1 to {LONGEST} characters"):
        _keep(tmp_path, text)


@pytest.mark.parametrize("ref", ["", "../site", "sha256:ab"])
def test_what_is_no_digest_names_no_file(tmp_path: Path, ref: str) -> None:
    with pytest.raises(InputError, match="named by 'sha256:'"):
        reason_path(tmp_path, ref)


@pytest.mark.parametrize(
    "change",
    [
        {"text": "AAAA"},
        {"size": 1024},
        {"size": "x"},
        {"keys": [{"box": ""}]},
        {"keys": 3},
        {"from": "AAAA"},
    ],
    ids=["text", "size", "no size", "key", "no keys", "sender"],
)
def test_a_changed_file_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    ref = _keep(tmp_path)
    path = reason_path(tmp_path, ref)
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change))
    with pytest.raises(InputError, match=r"its file was changed|other officers"):
        read_reason(tmp_path, ref, LADY)


def test_a_file_that_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    ref = _keep(tmp_path)
    reason_path(tmp_path, ref).write_bytes(b"[" * 100_000)
    with pytest.raises(InputError, match="its file was changed"):
        read_reason(tmp_path, ref, LADY)


def test_a_text_under_another_reference_is_refused(tmp_path: Path) -> None:
    ref, other = _keep(tmp_path), _keep(tmp_path)
    reason_path(tmp_path, ref).write_bytes(reason_path(tmp_path, other).read_bytes())
    with pytest.raises(InputError, match="its file was changed"):
        read_reason(tmp_path, ref, LADY)


def test_whoever_wrote_it_cannot_have_committed_to_another_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = _keep(tmp_path)
    monkeypatch.setattr(
        "napari_medlabel.audit.keys.reasons._opened", lambda *_: b"s" * 32 + b"other"
    )
    with pytest.raises(InputError, match="its file was changed"):
        read_reason(tmp_path, ref, LADY)
