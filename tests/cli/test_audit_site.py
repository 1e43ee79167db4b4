"""``medlabel audit site``: the officer's changes, their events, and refusals in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import keyring
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from napari_medlabel.audit.keys.install import InstallKey, publish_install
from napari_medlabel.audit.keys.officer import officer_key_path
from napari_medlabel.audit.keys.pins import pin_officer, pinned_officer
from napari_medlabel.audit.keys.signatures import SigningKey, fingerprint
from napari_medlabel.audit.keys.site import SignedSite, read_site
from napari_medlabel.audit.keys.site_history import read_history
from napari_medlabel.audit.writer.place import default_root, default_state, writer_id
from napari_medlabel.cli.main import main
from napari_medlabel.secret import passphrase as sealing
from tests.secret.rings import Ring

WORDS = "correct horse battery"
WRITER = "w" + "1" * 16
PC = InstallKey(SigningKey(b"i" * 32))
PUB = "d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3c="
Site = Callable[..., int]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    words = tmp_path / "words"
    words.write_text(f"{WORDS}\n")
    words.chmod(0o600)
    monkeypatch.setenv("MEDLABEL_OFFICER_PASSPHRASE_FILE", str(words))
    return lambda *arguments: main(["audit", "site", *arguments])


@pytest.fixture
def begun(site: Site, capsys: pytest.CaptureFixture[str]) -> Site:
    assert site("init", "ward-3") == 0
    capsys.readouterr()
    return site


def _now() -> SignedSite:
    found = read_site(default_root())
    assert found is not None
    return found


def _told() -> list[tuple[str, dict]]:
    lines = [
        json.loads(line)
        for path in sorted(default_root().rglob("*.jsonl"), key=lambda path: path.name)
        for line in path.read_text().splitlines()
    ]
    wanted = ("key.", "config.", "user.auth")
    return [
        (line["event"], line["detail"])
        for line in lines
        if line.get("event", "").startswith(wanted)
        and line["detail"].get("key") != "subject-token"
    ]


def test_a_site_begins_with_key_log_and_memory(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert site("init", "ward-3") == 0
    found = _now()
    assert (found.site.name, found.site.serial) == ("ward-3", 1)
    assert fingerprint(found.officer) in capsys.readouterr().out
    assert pinned_officer(default_state()) == found.officer
    assert [event for event, _ in _told()] == ["key.create", "config.change"]
    assert _told()[1][1] == {"setting": "site", "new": found.digest, "serial": 1}
    assert (default_root() / "site" / "0001.json").is_file()
    assert WORDS not in officer_key_path(default_state()).read_text()


def test_the_officer_s_own_computer_is_trusted_by_what_it_shows_itself(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert site("init", "ward-3", "--here") == 2
    assert "A key of this computer was expected" in capsys.readouterr().err
    assert read_site(default_root()) is None
    assert main(["audit", "key", "create", "--passphrase-file", str(tmp_path / "words")]) == 0
    assert site("init", "ward-3", "--here") == 0
    assert "This computer is trusted." in capsys.readouterr().out
    (only,) = _now().site.installs
    assert (only.writer, only.revoked_ms) == (writer_id(default_state()), None)


def test_a_key_that_somebody_else_put_there_is_not_this_computer_s(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--passphrase-file", str(tmp_path / "words")]
    assert main(["audit", "key", "create", *words]) == 0
    publish_install(default_root(), writer_id(default_state()), PC, "2026-11-22T12:00:00.000Z")
    assert site("init", "ward-3", "--here") == 0
    (only,) = _now().site.installs
    assert only.public != PC.public


def test_the_key_that_a_variable_names_is_trusted_here(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = tmp_path / "install.pem"
    private = Ed25519PrivateKey.generate()
    pem.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    pem.chmod(0o600)
    monkeypatch.setenv("MEDLABEL_INSTALL_KEY", str(pem))
    assert site("init", "ward-3", "--here") == 0
    (only,) = _now().site.installs
    assert only.public == private.public_key().public_bytes_raw()


def test_there_is_one_site_for_a_log(begun: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert begun("init", "ward-4") == 3
    assert "has a site already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["Ward 3", "-", "x" * 33])
def test_a_name_that_is_none_makes_nothing(
    site: Site, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert site("init", "--", name) == 2
    assert "A name was expected" in capsys.readouterr().err
    assert not default_root().exists()


def test_an_officer_may_begin_another_log_with_the_same_key(
    begun: Site, tmp_path: Path
) -> None:
    officer = _now().officer
    assert begun("init", "ward-4", "--audit", str(tmp_path / "second")) == 0
    second = read_site(tmp_path / "second")
    assert second is not None
    assert second.officer == officer


def test_a_workstation_is_trusted_by_the_code_on_its_screen(
    begun: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert begun("trust", WRITER, "--code", "0000-0000") == 2
    assert "this one shows none" in capsys.readouterr().err
    publish_install(default_root(), WRITER, PC, "2026-11-22T10:00:00.000Z")
    assert begun("trust", WRITER, "--code", "0000-0000") == 3
    assert "somebody may have put another key" in capsys.readouterr().err
    assert begun("trust", WRITER, "--code", fingerprint(PC.public).lower()) == 0
    before = read_history(default_root()).versions[0]
    found = _now()
    assert found.site.install(WRITER, PC.public) is not None
    assert _told()[-1] == (
        "config.change",
        {"setting": "workstations", "old": before.digest, "new": found.digest, "serial": 2},
    )
    capsys.readouterr()
    assert begun("trust", WRITER, "--code", fingerprint(PC.public)) == 0
    assert "Nothing to change" in capsys.readouterr().out
    assert _now() == found


def test_without_a_code_somebody_is_asked(
    begun: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_install(default_root(), WRITER, PC, "2026-11-22T10:00:00.000Z")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert begun("trust", WRITER) == 2
    assert "--code CODE" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _prompt: fingerprint(PC.public))
    assert begun("trust", WRITER) == 0
    assert begun("trust", "nobody") == 2
    assert "w and 16 hex digits" in capsys.readouterr().err


def test_a_workstation_is_trusted_no_more(begun: Site) -> None:
    publish_install(default_root(), WRITER, PC, "2026-11-22T10:00:00.000Z")
    begun("trust", WRITER, "--code", fingerprint(PC.public))
    assert begun("revoke", WRITER) == 0
    install = _now().site.install(WRITER, PC.public)
    assert install is not None
    assert install.revoked_ms is not None
    assert [event for event, _ in _told()[-2:]] == ["key.revoke", "config.change"]
    assert begun("revoke", WRITER) == 2
    assert begun("trust", WRITER, "--code", fingerprint(PC.public)) == 3


@pytest.mark.parametrize(
    ("kind", "name", "setting"),
    [("witness", "fileserver", "witnesses"), ("user", "u1-9f86d081884c7d65", "users")],
)
def test_witnesses_and_people_come_and_go(
    begun: Site, kind: str, name: str, setting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert begun(kind, name, "no key") == 2
    assert "A public key was expected" in capsys.readouterr().err
    assert begun(kind, "NOBODY", PUB) == 2
    assert begun(kind, name, PUB) == 0
    assert _told()[-1][1]["setting"] == setting
    assert begun("revoke", name) == 0
    (one,) = getattr(_now().site, setting)
    assert one.revoked_ms is not None
    assert begun("revoke", name) == 2


def test_the_office_is_handed_over(
    begun: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    first = _now().officer
    own, other = str(default_state()), str(tmp_path / "other-state")
    monkeypatch.setenv("MEDLABEL_STATE_DIR", other)
    assert begun("join", "ward-3") == 0
    card = capsys.readouterr().out.split()[-1]
    assert begun("policy", "review_days=14") == 3
    assert "was no officer then" in capsys.readouterr().err
    monkeypatch.setenv("MEDLABEL_STATE_DIR", own)
    assert begun("officer", "no card") == 2
    assert begun("officer", card) == 0
    monkeypatch.setenv("MEDLABEL_STATE_DIR", other)
    assert begun("revoke", fingerprint(first)) == 0
    assert [event for event, _ in _told()[-2:]] == ["key.revoke", "config.change"]
    monkeypatch.setenv("MEDLABEL_STATE_DIR", own)
    assert begun("policy", "review_days=14") == 3
    assert read_history(default_root()).follows_from(first)


def test_rules_are_changed_and_shown(begun: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert begun("policy", "review_days=14", "validated=0.1.0") == 0
    assert _now().site.policy.review_days == 14
    for wrong in ("review_days", "days=1", "review_days=soon"):
        assert begun("policy", wrong) == 2
    capsys.readouterr()
    assert begun("show") == 0
    shown = capsys.readouterr().out
    assert "site ward-3, version 2" in shown
    assert 'validated             ["0.1.0"]' in shown
    assert begun("show", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["site"]["policy"]["review_days"] == 14
    assert (document["versions"], document["problems"]) == (2, [])


def test_a_log_without_a_site_has_nothing_to_show_or_change(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (("show",), ("policy", "review_days=14"), ("pin", "0000-0000")):
        assert site(*arguments) == 2
        assert "this one has none" in capsys.readouterr().err


def test_a_site_that_was_changed_by_hand_is_red_and_changed_no_further(
    begun: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    path = default_root() / "site.json"
    path.write_bytes(path.read_bytes().replace(b'"review_days": 30', b'"review_days": 90'))
    assert begun("show") == 5
    assert "was changed after it was signed" in capsys.readouterr().out
    assert begun("show", "--json") == 5
    assert json.loads(capsys.readouterr().out)["site"] is None
    assert begun("policy", "review_days=14") == 3


def test_a_site_of_another_officer_is_not_believed_until_its_code_is_confirmed(
    begun: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    found = _now()
    pin_officer(default_state(), "ward-3", b"x" * 32)
    assert begun("policy", "review_days=14") == 3
    assert "whom this computer remembers" in capsys.readouterr().err
    assert begun("pin", "0000-0000") == 3
    assert begun("pin", fingerprint(found.officer)) == 0
    assert pinned_officer(default_state()) == found.officer
    assert _told()[-1] == (
        "config.change",
        {"setting": "officers", "new": found.digest, "serial": 1},
    )
    assert begun("policy", "review_days=14") == 0


def test_a_wrong_passphrase_changes_nothing_and_is_logged(
    begun: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("another passphrase\n")
    wrong.chmod(0o600)
    before = _now()
    assert begun("policy", "review_days=14", "--passphrase-file", str(wrong)) == 2
    assert "does not open" in capsys.readouterr().err
    assert _now() == before
    assert _told()[-1] == ("user.auth.fail", {"method": "passphrase"})


def test_a_passphrase_is_typed_where_none_is_named(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MEDLABEL_OFFICER_PASSPHRASE_FILE")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert site("init", "ward-3") == 2
    assert "no terminal" in capsys.readouterr().err
    assert read_site(default_root()) is None
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: WORDS)
    assert site("init", "ward-3") == 0
    assert site("policy", "review_days=14") == 0


def test_the_officers_key_may_lie_in_the_keyring(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MEDLABEL_OFFICER_PASSPHRASE_FILE")
    before, ours = keyring.get_keyring(), Ring()
    keyring.set_keyring(ours)
    try:
        assert site("init", "ward-3", "--keyring") == 0
        assert site("policy", "review_days=14") == 0
    finally:
        keyring.set_keyring(before)
    assert [name for _, name in ours.kept] == ["officer-ward-3"]
