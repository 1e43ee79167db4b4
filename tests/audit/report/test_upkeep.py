"""Upkeep: failures in words, settings, software against the validated list, reviews."""

from __future__ import annotations

import pytest

from napari_medlabel.audit.report.facts import ConfigChange, ReviewFact, SoftwareFact
from napari_medlabel.audit.report.upkeep import Failures, Reviews, Settings, Software
from tests.audit.report.lines import ANNA, at, digest, line

ORIGIN = "medlabel.local/ward-3/w0123456789abcdef/20261123T080000Z-" + "0" * 26
OPENING = {"origin": ORIGIN, "pub": "A" * 43 + "="}
RUN = {"profile": "basic", "profile_hash": digest(1), "files": 1}


@pytest.mark.parametrize(
    ("event", "more", "cause", "words"),
    [
        (
            "audit.fail",
            {"detail": {"error": "ENOSPC"}},
            "ENOSPC",
            "Log could not be written (the disk is full).",
        ),
        (
            "volume.open.denied",
            {"detail": {"cause": "log"}},
            "log",
            "Opening of a scan refused: the log could not be written.",
        ),
        (
            "tamper.found",
            {
                "detail": {
                    "what": "truncated",
                    "head": {"origin": ORIGIN, "root": "A" * 43 + "=", "size": 4},
                }
            },
            "truncated",
            "Tampering found (the end of a session is missing).",
        ),
        ("sign.fail", {"detail": {"cause": "identity"}}, "identity", None),
        ("user.auth.fail", {}, "", "Identification failed."),
        ("deid.run", {"detail": RUN, "outcome": 4}, "", None),
    ],
)
def test_a_failure_has_its_cause_and_words(
    event: str, more: dict[str, object], cause: str, words: str | None
) -> None:
    gathered = Failures()
    assert event in Failures.events
    gathered.take(line(event, at(9), number=7, **more))
    (fact,) = gathered.facts()
    assert (fact.event, fact.cause, fact.user, fact.line) == (event, cause, ANNA, 7)
    assert words is None or fact.words == words


def test_what_worked_is_no_failure() -> None:
    gathered = Failures()
    gathered.take(line("deid.run", at(9), detail=RUN))
    assert gathered.facts() == []


def test_failures_and_settings_are_in_the_order_of_time() -> None:
    failures, settings = Failures(), Settings()
    for moment in (at(10), at(9)):
        failures.take(line("user.auth.fail", moment))
        settings.take(line("override.stop", moment))
    assert [fact.at_ms for fact in failures.facts()] == [at(9), at(10)]
    assert [fact.at_ms for fact in settings.facts()] == [at(9), at(10)]


def test_a_setting_has_old_and_new() -> None:
    gathered = Settings()
    detail = {"setting": "policy", "old": digest(1), "new": digest(2), "serial": 4}
    gathered.take(line("config.change", at(9), detail=detail, number=3))
    (fact,) = gathered.facts()
    assert fact == ConfigChange(
        at(9), ANNA, "Setting changed (policy): edition 4.", digest(1), digest(2), fact.file, 3
    )


def test_a_key_is_a_setting_without_digests() -> None:
    gathered = Settings()
    gathered.take(line("key.revoke", at(9), detail={"key": "install"}))
    (fact,) = gathered.facts()
    assert (fact.words, fact.old, fact.new) == ("Key revoked (a workstation).", "", "")


def test_a_review_is_taken_over() -> None:
    gathered = Reviews()
    detail = {
        "verdict": "green",
        "findings": 2,
        "from_ms": 5,
        "to_ms": 9,
        "next_days": 30,
        "report": digest(3),
        "signature": "A" * 91 + "=",
    }
    gathered.take(line("audit.review", at(10), subject=(), number=4))
    gathered.take(line("audit.review", at(9), subject=(), detail=detail, number=3))
    first, second = gathered.facts()
    assert first == ReviewFact(
        at(9), ANNA, "green", 2, 5, 9, 30, digest(3), signed=True, file=first.file, line=3
    )
    assert (second.verdict, second.findings, second.signed) == ("", 0, False)


def test_software_is_counted_by_what_it_is_and_the_latest_comes_first() -> None:
    gathered = Software(("0.2.0",))
    here = {"tool": "0.1.0", "python": "3.11.7", "platform": "linux", "wheel": digest(1)}
    gathered.take(line("session.open", at(10), subject=(), detail={**OPENING, **here}))
    gathered.take(line("session.open", at(8), subject=(), detail={**OPENING, **here}))
    gathered.take(line("session.open", at(9), subject=(), detail={**OPENING, **here}))
    newer = {**OPENING, "tool": "0.2.0", "lock": digest(2)}
    gathered.take(line("session.open", at(11), subject=(), detail=newer))
    assert gathered.facts() == [
        SoftwareFact("0.2.0", "", "", 1, True, "", digest(2), at(11), at(11)),
        SoftwareFact("0.1.0", "3.11.7", "linux", 3, False, digest(1), "", at(8), at(10)),
    ]
