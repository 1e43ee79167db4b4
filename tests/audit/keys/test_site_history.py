"""Versions of the site: each follows from the one before, or it is said which does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.audit.keys.site import Officer, Site, digest_of
from napari_medlabel.audit.keys.site_history import read_history
from tests.audit.keys.site_bench import MADE_MS, OFFICER, OTHER, site, write_site

BOTH = (Officer(OFFICER.public), Officer(OTHER.public))
HANDED_OVER = (Officer(OFFICER.public, revoked_ms=MADE_MS), Officer(OTHER.public))


def _versions(root: Path) -> list[bytes]:
    """Write three versions: begun, a second officer named, the first one revoked by her."""
    first = write_site(root, site())
    second = write_site(root, site(serial=2, previous=digest_of(first), officers=BOTH))
    third = write_site(
        root, site(serial=3, previous=digest_of(second), officers=HANDED_OVER), OTHER
    )
    return [first, second, third]


def test_a_log_without_a_site_has_no_history(tmp_path: Path) -> None:
    history = read_history(tmp_path)
    assert (history.versions, history.current, history.problems) == ((), None, ())
    assert not history.follows_from(OFFICER.public)


def test_the_office_is_handed_over_by_the_old_officers_signature(tmp_path: Path) -> None:
    written = _versions(tmp_path)
    history = read_history(tmp_path)
    assert history.problems == ()
    assert [one.site.serial for one in history.versions] == [1, 2, 3]
    assert history.current == history.versions[-1]
    assert history.digests() == {digest_of(data) for data in written}
    assert history.follows_from(OFFICER.public)
    assert history.follows_from(OTHER.public)
    assert not history.follows_from(b"x" * 32)


def test_a_site_with_an_officer_whom_nobody_named_before_does_not_follow(
    tmp_path: Path,
) -> None:
    write_site(tmp_path, site(officers=(Officer(OTHER.public),)), OTHER)
    assert read_history(tmp_path).problems == ()
    assert not read_history(tmp_path).follows_from(OFFICER.public)


def _wrong(change: dict[str, Any]) -> Site:
    given: dict[str, Any] = {"serial": 2, "officers": BOTH, **change}
    return site(**given)


@pytest.mark.parametrize(
    ("change", "key", "problem"),
    [
        ({"serial": 3}, OFFICER, "has another number"),
        ({"previous": ""}, OFFICER, "does not name the one before"),
        ({"name": "ward-4"}, OFFICER, "is of another site"),
        ({}, OTHER, "was no officer then"),
    ],
    ids=["number", "previous", "name", "officer"],
)
def test_a_version_that_does_not_follow_is_named(
    tmp_path: Path, change: dict[str, Any], key: Any, problem: str
) -> None:
    first = write_site(tmp_path, site())
    second = _wrong({"previous": digest_of(first), **change})
    data = write_site(tmp_path, second, key)
    if second.serial == 3:
        (tmp_path / "site" / "0003.json").rename(tmp_path / "site" / "0002.json")
    history = read_history(tmp_path)
    assert history.problems == (f"Version 2 of the site's document {problem}.",) or (
        problem in history.problems[0]
    )
    assert len(history.versions) == 1
    assert history.current is not None
    assert history.current.digest == digest_of(data)
    assert not history.follows_from(OFFICER.public)


def test_an_officer_who_was_revoked_can_sign_no_more(tmp_path: Path) -> None:
    third = _versions(tmp_path)[-1]
    write_site(
        tmp_path, site(serial=4, previous=digest_of(third), officers=HANDED_OVER), OFFICER
    )
    assert "was no officer then" in read_history(tmp_path).problems[0]


def _remove(root: Path) -> None:
    (root / "site" / "0002.json").unlink()


def _spoil(root: Path) -> None:
    (root / "site" / "0002.json").write_bytes(b"{}")


def _roll_back(root: Path) -> None:
    (root / "site.json").write_bytes((root / "site" / "0002.json").read_bytes())


def _drop(root: Path) -> None:
    (root / "site.json").unlink()


def _break(root: Path) -> None:
    (root / "site.json").write_bytes(b"{}")


def _drop_all(root: Path) -> None:
    for path in (root / "site").iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (_remove, "Version 2 of the site's document is missing"),
        (_spoil, "Version 2 of the site's document is damaged or badly signed"),
        (_roll_back, "is not the last version that was kept"),
        (_drop, "is missing, and older versions of it are there"),
        (_break, "does not have the form of one"),
        (_drop_all, "is not the last version that was kept"),
    ],
    ids=["removed", "spoilt", "rolled back", "dropped", "broken", "history dropped"],
)
def test_whatever_was_done_to_the_versions_is_said(
    tmp_path: Path, harm: Callable[[Path], None], problem: str
) -> None:
    _versions(tmp_path)
    harm(tmp_path)
    assert problem in read_history(tmp_path).problems[0]


@pytest.mark.parametrize("name", ["site.json", "site/0002.json"])
def test_no_changed_byte_goes_unseen(tmp_path: Path, name: str) -> None:
    _versions(tmp_path)
    path = tmp_path / name
    data = path.read_bytes()
    for place in range(0, len(data), 7):
        changed = bytearray(data)
        changed[place] ^= 1
        path.write_bytes(changed)
        assert read_history(tmp_path).problems, place
