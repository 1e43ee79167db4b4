"""What a session shows for itself: the workstation's certificate, the rules of the site."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.audit.format.seal import Head, from_base64, to_base64
from napari_medlabel.audit.keys.install import (
    check_certificate,
    install_key_path,
    keep_introduction,
)
from napari_medlabel.audit.keys.key_document import make_key
from napari_medlabel.audit.keys.pins import pin_officer, pinned_officer
from napari_medlabel.audit.keys.site import Policy, Site
from napari_medlabel.audit.writer.credentials import LOCAL, credentials_of
from napari_medlabel.audit.writer.place import default_root, default_state, open_log, writer_id
from napari_medlabel.secret import passphrase as sealing
from napari_medlabel.secret.passphrase import PassphraseError
from tests.audit.keys.site_bench import INSTALL, OFFICER, OTHER, WRITER, site, write_site

WORDS = "correct horse battery"
MADE = "2026-11-22T10:14:03.104Z"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)


def _opening(path: Path) -> dict[str, Any]:
    return json.loads(path.read_bytes().splitlines()[0])["detail"]  # type: ignore[no-any-return]


def _seal_key(state: Path) -> bytes:
    key = make_key(
        install_key_path(state),
        ("install", writer_id(state), MADE),
        secrets.token_bytes,
        passphrase=WORDS,
    )
    return key.public


def _next(before: Site, digest: str, **more: Any) -> Site:
    return replace(before, serial=before.serial + 1, previous=digest, **more)


def test_a_workstation_without_key_and_site_shows_neither() -> None:
    with open_log() as log:
        pass
    opened = _opening(log.path)
    assert not opened.keys() & {"install", "cert", "policy"}
    assert "/local/" in opened["origin"]
    assert log.lamp.level == "green"


def test_a_workstation_with_a_key_certifies_its_sessions() -> None:
    state = default_state()
    public = _seal_key(state)
    with open_log(ask=lambda: WORDS) as first:
        pass
    with open_log(ask=lambda: WORDS) as second:
        pass
    for log, previous in ((first, None), (second, first.head)):
        opened = _opening(log.path)
        assert opened["install"] == to_base64(public)
        cert, session = from_base64(opened["cert"], 68), from_base64(opened["pub"], 32)
        assert check_certificate(cert, public, log.origin, session, previous)
    assert not check_certificate(cert, public, log.origin, session, Head("x", 1, bytes(32)))


def test_a_key_whose_passphrase_nobody_gives_certifies_nothing() -> None:
    _seal_key(default_state())
    with open_log() as log:
        assert log.lamp.level == "green"
    assert "cert" not in _opening(log.path)


def test_a_wrong_passphrase_is_said_at_once() -> None:
    _seal_key(default_state())
    with pytest.raises(PassphraseError):
        open_log(ask=lambda: "another passphrase")


def test_a_key_that_is_broken_stops_nothing_and_is_said() -> None:
    default_state().mkdir(parents=True)
    install_key_path(default_state()).write_bytes(b"x")
    with open_log() as log:
        assert log.lamp.level == "amber"
        assert "sessions are not certified" in log.lamp.sentence
    assert "cert" not in _opening(log.path)


def test_a_workstation_shows_its_key_beside_the_log(tmp_path: Path) -> None:
    root, state = tmp_path / "audit", tmp_path / "state"
    keep_introduction(state, WRITER, INSTALL, MADE)
    root.mkdir()
    assert credentials_of(root, state, WRITER).identity.worry == ""
    assert (root / "writers" / WRITER / "install.json").is_file()


def test_a_key_that_cannot_be_shown_is_said(tmp_path: Path) -> None:
    root, state = tmp_path / "audit", tmp_path / "state"
    keep_introduction(state, WRITER, INSTALL, MADE)
    root.mkdir()
    (root / "writers").write_bytes(b"")
    assert "could not be shown" in credentials_of(root, state, WRITER).identity.worry


def test_the_site_gives_its_name_and_rules_and_its_officer_is_remembered() -> None:
    root, state = default_root(), default_state()
    policy = Policy(validated=("0.1.0", "9.9"), spool_suffices=True)
    write_site(root, site(policy=policy))
    with open_log() as log:
        assert "/ward-3/" in log.origin
    assert _opening(log.path)["policy"].startswith("sha256:")
    assert pinned_officer(state) == OFFICER.public
    identity = credentials_of(root, state, WRITER).identity
    assert (identity.validated, identity.spool_suffices) == (("0.1.0", "9.9"), True)


def test_while_the_folder_is_gone_the_site_keeps_its_name(tmp_path: Path) -> None:
    root, state = tmp_path / "audit", tmp_path / "state"
    write_site(root, site())
    with open_log(root, state=state):
        pass
    root.rename(tmp_path / "gone")
    shown = credentials_of(root, state, writer_id(state))
    assert (shown.site, shown.identity.policy, shown.identity.worry) == ("ward-3", "", "")


def test_a_scratch_log_of_the_same_computer_is_of_no_site(tmp_path: Path) -> None:
    root, state = tmp_path / "audit", tmp_path / "state"
    write_site(root, site())
    credentials_of(root, state, WRITER)
    assert pinned_officer(state) == OFFICER.public
    assert credentials_of(tmp_path / "scratch", state, WRITER).site == LOCAL


def test_where_the_memory_cannot_be_read_the_site_keeps_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_state: Path) -> list[object]:
        raise PermissionError

    pin_officer(tmp_path / "state", "ward-3", OFFICER.public)
    monkeypatch.setattr("napari_medlabel.audit.writer.credentials.recall", denied)
    shown = credentials_of(tmp_path / "audit", tmp_path / "state", WRITER)
    assert shown.site == "ward-3"


def test_rules_of_an_officer_who_follows_from_the_one_remembered_are_followed(
    tmp_path: Path,
) -> None:
    from napari_medlabel.audit.keys.site import Officer, digest_of

    root, state = tmp_path / "audit", tmp_path / "state"
    both = (*site().officers, Officer(OTHER.public, b"c" * 32))
    first = site(officers=both)
    data = write_site(root, first)
    pin_officer(state, "ward-3", OFFICER.public)
    write_site(root, _next(first, digest_of(data)), OTHER)
    assert credentials_of(root, state, WRITER).identity.policy
    assert pinned_officer(state) == OFFICER.public


def test_rules_of_another_officer_are_not_followed(tmp_path: Path) -> None:
    root, state = tmp_path / "audit", tmp_path / "state"
    write_site(root, site(policy=Policy(spool_suffices=True)))
    pin_officer(state, "ward-3", OTHER.public)
    identity = credentials_of(root, state, WRITER).identity
    assert (identity.policy, identity.spool_suffices) == ("", False)
    assert "cannot be trusted" in identity.worry


def test_rules_of_another_site_are_not_followed(tmp_path: Path) -> None:
    root, state = tmp_path / "audit", tmp_path / "state"
    write_site(root, site())
    pin_officer(state, "ward-4", OFFICER.public)
    shown = credentials_of(root, state, WRITER)
    assert (shown.site, shown.identity.policy) == ("ward-4", "")
    assert "cannot be trusted" in shown.identity.worry


def test_rules_that_are_broken_stop_nothing_and_are_said(tmp_path: Path) -> None:
    root, state = tmp_path / "audit", tmp_path / "state"
    write_site(root, site())
    (root / "site.json").write_bytes(b"{}")
    shown = credentials_of(root, state, WRITER)
    assert (shown.site, shown.identity.policy) == ("local", "")
    assert "cannot be trusted" in shown.identity.worry
