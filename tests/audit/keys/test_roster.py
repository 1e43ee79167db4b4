"""Whom a site trusts when, and rules that make sense."""

from __future__ import annotations

from typing import Any

import pytest

from napari_medlabel.audit.keys.roster import Install, Policy, User, Witness
from napari_medlabel.errors import InputError
from tests.audit.keys.site_bench import INSTALL, MADE_MS, OFFICER, OTHER, WRITER, site

FULL = site(
    witnesses=(Witness("fileserver", b"w" * 32), Witness("old", b"v" * 32, MADE_MS)),
    users=(User("u1-9f86d081884c7d65", b"u" * 32),),
)


def test_a_workstation_is_trusted_from_its_beginning_until_it_is_revoked() -> None:
    revoked = site(installs=(Install(WRITER, INSTALL.public, MADE_MS, MADE_MS + 10),))
    assert revoked.trusts(WRITER, INSTALL.public, MADE_MS - 1) == "unknown"
    assert revoked.trusts(WRITER, INSTALL.public, MADE_MS) == "trusted"
    assert revoked.trusts(WRITER, INSTALL.public, MADE_MS + 9) == "trusted"
    assert revoked.trusts(WRITER, INSTALL.public, MADE_MS + 10) == "revoked"
    assert revoked.trusts(WRITER, OTHER.public, MADE_MS) == "unknown"
    assert revoked.trusts("w" + "0" * 16, INSTALL.public, MADE_MS) == "unknown"
    assert site().trusts(WRITER, INSTALL.public, MADE_MS + 10**9) == "trusted"


def test_people_and_witnesses_are_found_by_name() -> None:
    assert FULL.witness("fileserver") == FULL.witnesses[0]
    assert FULL.witness("old") == FULL.witnesses[1]
    assert FULL.witness("nobody") is None
    assert FULL.user("u1-9f86d081884c7d65", b"u" * 32) == FULL.users[0]
    assert FULL.user("u1-9f86d081884c7d65", b"v" * 32) is None
    assert FULL.officer(OFFICER.public) == FULL.officers[0]
    assert FULL.officer(OTHER.public) is None


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("anchor_hours", 0),
        ("review_days", True),
        ("work_from", 25),
        ("work_days", (7,)),
        ("utc_offset_minutes", 900),
        ("spool_suffices", 1),
        ("validated", ("new",)),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"The rule '{rule}' must be"):
        Policy(**{rule: value})
