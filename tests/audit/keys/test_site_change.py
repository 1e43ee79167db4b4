"""Changes of the site: whom it trusts after each, who may sign, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.audit.keys import site_change
from napari_medlabel.audit.keys.install import Introduction
from napari_medlabel.audit.keys.officer import OfficerKey
from napari_medlabel.audit.keys.site import Officer, Policy, digest_of, parse_site, read_site
from napari_medlabel.audit.keys.site_change import (
    begun,
    next_version,
    revoking,
    save_version,
    settle,
    trusting,
    with_officer,
    with_policy,
    with_user,
    with_witness,
    without,
    without_officer,
)
from napari_medlabel.audit.keys.site_history import read_history
from napari_medlabel.errors import InputError, LogError, RefusedError
from tests.audit.bench import FakeIo, failing
from tests.audit.keys.site_bench import INSTALL, MADE_MS, OFFICER, OTHER, WRITER, site

LADY = OfficerKey(OFFICER)
LORD = OfficerKey(OTHER)
TOKEN = "u1-9f86d081884c7d65"  # noqa: S105 - a person's token, no secret
FOUND = Introduction("w" + "1" * 16, b"n" * 32, "2026-11-22T10:00:00.000Z")


def test_a_site_begins_with_its_officer_alone() -> None:
    first = begun("ward-3", MADE_MS, LADY)
    assert first.officers == (Officer(LADY.public, LADY.box),)
    assert first.installs == first.witnesses == first.users == ()
    assert first.policy == Policy()


def test_a_workstation_is_trusted_once_and_never_again_after_it_was_revoked() -> None:
    trusted = trusting(site(), FOUND)
    assert trusted.trusts(FOUND.writer, FOUND.public, MADE_MS * 2) == "trusted"
    assert trusting(trusted, FOUND) == trusted
    revoked = revoking(trusted, FOUND.writer, MADE_MS + 5)
    assert revoked.trusts(FOUND.writer, FOUND.public, MADE_MS + 5) == "revoked"
    assert revoked.trusts(WRITER, INSTALL.public, MADE_MS + 5) == "trusted"
    with pytest.raises(RefusedError, match="key of this workstation was revoked"):
        trusting(revoked, FOUND)
    with pytest.raises(InputError, match="none of its keys is trusted"):
        revoking(revoked, FOUND.writer, MADE_MS + 6)


@pytest.mark.parametrize(
    ("change", "name", "kept"),
    [(with_witness, "fileserver", "witnesses"), (with_user, TOKEN, "users")],
    ids=["witness", "person"],
)
def test_a_new_key_takes_the_place_of_the_old_one(change: Any, name: str, kept: str) -> None:
    one = change(site(), name, b"1" * 32, MADE_MS)
    assert change(one, name, b"1" * 32, MADE_MS) == one
    other = change(one, "other", b"3" * 32, 0)
    two = change(other, name, b"2" * 32, MADE_MS + 1)
    found = {entry.public[:1]: entry.revoked_ms for entry in getattr(two, kept)}
    assert found == {b"1": MADE_MS + 1, b"2": None, b"3": None}
    with pytest.raises(RefusedError, match="This key was revoked"):
        change(two, name, b"1" * 32, MADE_MS)
    gone = without(two, name, MADE_MS + 2)
    found = {entry.public[:1]: entry.revoked_ms for entry in getattr(gone, kept)}
    assert found == {b"1": MADE_MS + 1, b"2": MADE_MS + 2, b"3": None}
    with pytest.raises(InputError, match="none has this name"):
        without(gone, name, MADE_MS + 3)


def test_officers_come_and_go_but_one_stays() -> None:
    both = with_officer(site(), LORD.public, LORD.box)
    assert with_officer(both, LORD.public, LORD.box) == both
    with pytest.raises(RefusedError, match="last officer"):
        without_officer(site(), LADY.public, MADE_MS)
    left = without_officer(both, LADY.public, MADE_MS)
    assert [one.revoked_ms for one in left.officers] == [MADE_MS, None]
    with pytest.raises(InputError, match="this key is of none"):
        without_officer(left, LADY.public, MADE_MS)
    with pytest.raises(RefusedError, match="key of this officer was revoked"):
        with_officer(left, LADY.public, LADY.box)


def test_rules_are_changed_as_they_are_typed() -> None:
    changed = with_policy(
        site(),
        {
            "anchor_hours": "48",
            "utc_offset_minutes": "-60",
            "spool_suffices": "Yes",
            "work_days": "0, 1,2",
            "validated": "0.1.0,0.2.0",
        },
    )
    assert changed.policy == Policy(
        anchor_hours=48,
        utc_offset_minutes=-60,
        spool_suffices=True,
        work_days=(0, 1, 2),
        validated=("0.1.0", "0.2.0"),
    )


@pytest.mark.parametrize(
    ("rule", "typed", "said"),
    [
        ("hours", "1", "no rule of this name"),
        ("anchor_hours", "soon", "'anchor_hours' must be"),
        ("work_days", "monday", "'work_days' must be"),
        ("spool_suffices", "perhaps", "'spool_suffices' must be"),
        ("validated", "the new one", "'validated' must be"),
    ],
)
def test_a_rule_that_is_none_is_refused(rule: str, typed: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        with_policy(site(), {rule: typed})


def test_the_next_version_follows_from_the_one_before(tmp_path: Path) -> None:
    data, first = next_version(None, begun("ward-3", MADE_MS, LADY), LADY, MADE_MS)
    save_version(tmp_path, data, 1, FakeIo())
    more, second = next_version(
        first, with_officer(first.site, LORD.public, LORD.box), LADY, MADE_MS + 1
    )
    save_version(tmp_path, more, 2, FakeIo())
    assert read_site(tmp_path) == second
    assert (second.site.serial, second.site.previous) == (2, digest_of(data))
    assert second.site.made_ms == MADE_MS + 1
    assert read_history(tmp_path).problems == ()


def test_who_is_no_officer_cannot_sign_the_next_version() -> None:
    _, first = next_version(None, begun("ward-3", MADE_MS, LADY), LADY, MADE_MS)
    named = with_officer(first.site, LORD.public, LORD.box)
    with pytest.raises(RefusedError, match="was no officer then"):
        next_version(first, named, LORD, MADE_MS)


def test_of_two_versions_with_one_number_the_first_stays(tmp_path: Path) -> None:
    data, first = next_version(None, begun("ward-3", MADE_MS, LADY), LADY, MADE_MS)
    save_version(tmp_path, data, 1, FakeIo())
    save_version(tmp_path, data, 1, FakeIo())
    other, _ = next_version(None, first.site, LADY, MADE_MS + 1)
    with pytest.raises(RefusedError, match="made by somebody else meanwhile"):
        save_version(tmp_path, other, 1, FakeIo())
    assert read_site(tmp_path) == first


def test_a_disk_that_fails_is_said(tmp_path: Path) -> None:
    io = FakeIo()
    io.fail = failing(1)
    with pytest.raises(LogError, match="site's document could not be kept"):
        save_version(tmp_path, b"{}", 1, io)


def test_a_version_that_was_kept_and_not_put_in_force_is_put_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not settle(tmp_path)
    data, first = next_version(None, begun("ward-3", MADE_MS, LADY), LADY, MADE_MS)
    save_version(tmp_path, data, 1, FakeIo())
    assert not settle(tmp_path)
    more, second = next_version(first, first.site, LADY, MADE_MS + 1)
    with monkeypatch.context() as patch:
        patch.setattr(site_change, "write_bytes_aside", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            save_version(tmp_path, more, 2, FakeIo())
    assert "not the last version" in read_history(tmp_path).problems[0]
    assert settle(tmp_path)
    assert read_site(tmp_path) == second
    (tmp_path / "site.json").unlink()
    assert settle(tmp_path)
    assert read_site(tmp_path) == second


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_is_no_version_of_ours_is_left_for_people_to_judge(tmp_path: Path) -> None:
    data, first = next_version(None, begun("ward-3", MADE_MS, LADY), LADY, MADE_MS)
    save_version(tmp_path, data, 1, FakeIo())
    (tmp_path / "site.json").write_bytes(b"{}")
    assert not settle(tmp_path)
    foreign, _ = next_version(None, first.site, LADY, MADE_MS + 7)
    (tmp_path / "site.json").write_bytes(foreign)
    assert not settle(tmp_path)
    assert parse_site((tmp_path / "site.json").read_bytes()).site.made_ms == MADE_MS + 7
