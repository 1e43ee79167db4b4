"""The site's document: signed by its officer, strict in form, and whom it trusts when."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.audit.keys.site import (
    Officer,
    Policy,
    User,
    Witness,
    parse_site,
    read_site,
    site_document,
)
from napari_medlabel.errors import InputError
from tests.audit.keys.site_bench import (
    MADE_MS,
    OFFICER,
    OTHER,
    site,
    write_site,
)

FULL = site(
    witnesses=(Witness("fileserver", b"w" * 32), Witness("old", b"v" * 32, MADE_MS)),
    users=(User("u1-9f86d081884c7d65", b"u" * 32),),
)


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    data = write_site(tmp_path, FULL)
    found = read_site(tmp_path)
    assert found is not None
    assert found.site == FULL
    assert found.officer == OFFICER.public
    assert found.digest == f"sha256:{sha256(data).hexdigest()}"
    assert data.startswith(b'{\n  "officer"')


def test_a_log_without_a_site_has_none(tmp_path: Path) -> None:
    assert read_site(tmp_path) is None


def _changed(change: dict[str, Any], part: str = "site") -> bytes:
    document = json.loads(site_document(FULL, OFFICER))
    (document[part] if part else document).update(change)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "change",
    [
        {"serial": 2},
        {"name": "ward-4"},
        {"made": "2026-11-23T10:00:00.000Z"},
        {"installs": []},
        {"policy": {**Policy().record(), "anchor_hours": 25}},
    ],
    ids=["serial", "name", "made", "installs", "policy"],
)
def test_whatever_is_changed_after_signing_is_found(change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="was changed after it was signed"):
        parse_site(_changed(change))


@pytest.mark.parametrize(
    "change",
    [
        {"serial": 0},
        {"serial": 1.5},
        {"more": 1},
        {"name": "Ward 3"},
        {"made": "today"},
        {"previous": "sha256:ab"},
        {"v": 2},
        {"users": [{"user": "Jane", "pub": "", "revoked": ""}]},
        {"officers": [{"pub": "AAAA", "revoked": "", "box": ""}]},
        {"policy": {}},
        {"installs": json.loads(site_document(FULL, OFFICER))["site"]["installs"] * 2},
    ],
    ids=[
        "serial", "float", "more", "name", "made", "previous", "version", "user", "officer",
        "policy", "twice",
    ],
)  # fmt: skip
def test_another_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="does not have the form"):
        parse_site(_changed(change))


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b"[" * 100_000, b'{"site": 1, "site": 2}'],
    ids=["empty", "cut", "no text", "deep", "twice"],
)  # fmt: skip
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="is no JSON") as caught:
        parse_site(data)
    assert "Do not edit it by hand" in caught.value.hint


def test_only_an_officer_whom_it_names_may_sign() -> None:
    with pytest.raises(InputError, match="does not name as an officer"):
        parse_site(site_document(FULL, OTHER))


def test_what_no_document_may_say_is_not_signed() -> None:
    with pytest.raises(InputError, match="cannot say this"):
        site_document(site(name="Ward 3"), OFFICER)
    with pytest.raises(InputError, match="cannot say this"):
        site_document(site(officers=(Officer(b"short"),)), OFFICER)


def test_a_file_that_cannot_be_read_or_is_huge_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site.json").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        read_site(tmp_path)
    (tmp_path / "site.json").rmdir()
    monkeypatch.setattr("napari_medlabel.audit.keys.site._LARGEST", 100)
    (tmp_path / "site.json").write_bytes(b" " * 101)
    with pytest.raises(InputError, match="is too large"):
        read_site(tmp_path)
