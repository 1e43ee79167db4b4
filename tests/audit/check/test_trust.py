"""Who wrote it: each reason not to believe it, when only that reason is there."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from napari_medlabel.audit.anchors.code import keep_code, make_code
from napari_medlabel.audit.anchors.receipt import make_receipt
from napari_medlabel.audit.check.trust import pruning_text
from napari_medlabel.audit.check.verdict import LogReport, Verdict
from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.format.seal import Head, to_base64
from napari_medlabel.audit.keys.install import InstallKey
from napari_medlabel.audit.keys.pins import pin_officer
from napari_medlabel.audit.keys.signatures import SigningKey, fingerprint
from napari_medlabel.audit.keys.site import Policy, officer_name, site_document
from tests.audit.bench import SAVE
from tests.audit.check.ward import (
    HOUR_MS,
    INSTALL,
    OFFICER,
    OTHER_INSTALL,
    OTHER_WRITER,
    WRITER,
    Ward,
)
from tests.audit.keys.site_bench import OTHER, write_site


def _found(report: LogReport) -> list[tuple[str, str]]:
    return [(f.level, f.code) for f in report.findings if f.level != "note"]


def _words(report: LogReport) -> str:
    return " ".join(finding.text for finding in report.findings)


class _ForOthers(InstallKey):
    """A key that certifies another session than it is asked for."""

    def certify(self, origin: str, session_pub: bytes, previous: Head | None) -> bytes:
        return super().certify(origin, bytes(32), previous)


@pytest.fixture
def whole(ward: Ward) -> Ward:
    """A ward with two sessions that the witness has seen."""
    ward.session()
    ward.session()
    ward.look()
    return ward


def test_a_certified_log_that_a_witness_saw_is_green(whole: Ward) -> None:
    report = whole.verify()
    assert (report.verdict, report.findings) == (Verdict.GREEN, ())
    assert report.sentence.startswith("The log is complete and unaltered: 6 events in 2 sess")
    assert report.sentence.endswith(
        "Compared with this computer's own memory, later sessions and the witness server."
    )
    quick = whole.verify(quick=True)
    assert quick.verdict is Verdict.GREEN
    assert "Quick: of each session only the last signature" in quick.sentence


def test_the_officers_letters_stand_in_for_a_computer_that_does_not_know_her(
    whole: Ward,
) -> None:
    assert _found(whole.verify(state=None)) == [("amber", "TOFU")]
    report = whole.verify(state=None, officer=fingerprint(OFFICER.public).lower())
    assert report.verdict is Verdict.GREEN
    wrong = whole.verify(officer=fingerprint(OTHER.public))
    assert _found(wrong) == [("red", "SITE")]
    assert wrong.whole is Verdict.GREEN
    assert wrong.sentence.startswith("Who wrote this log, or who answers for it")


def test_another_site_than_the_one_that_was_pinned_asks_for_trust_anew(whole: Ward) -> None:
    pin_officer(whole.state, "ward-9", OFFICER.public)
    assert _found(whole.verify()) == [("amber", "TOFU")]


def test_an_officer_whom_this_computer_does_not_know_is_red(whole: Ward) -> None:
    pin_officer(whole.state, "ward-3", OTHER.public)
    assert _found(whole.verify()) == [("red", "SITE")]


def test_a_changed_site_is_red(whole: Ward) -> None:
    path = whole.root / "site.json"
    path.write_bytes(path.read_bytes().replace(b'"anchor_hours": 24', b'"anchor_hours": 99'))
    assert ("red", "SITE") in _found(whole.verify())


def test_a_site_that_was_put_back_to_an_older_state_is_red(ward: Ward) -> None:
    older = (ward.root / "site.json").read_bytes()
    ward.change(policy=Policy(anchor_hours=12))
    ward.session()
    ward.look()
    assert ward.verify().verdict is Verdict.GREEN
    (ward.root / "site.json").write_bytes(older)
    (ward.root / "site" / "0002.json").unlink()
    assert ("red", "SITE") in _found(ward.verify())
    assert "written under an officer's document that is not there" in _words(ward.verify())


def test_a_site_that_was_taken_away_is_red_where_sessions_name_it(whole: Ward) -> None:
    (whole.root / "site.json").unlink()
    shutil.rmtree(whole.root / "site")
    found = _found(whole.verify(state=None))
    assert found.count(("red", "SITE")) == 2
    assert ("amber", "TOFU") in found
    letters = whole.verify(officer=fingerprint(OFFICER.public))
    assert "expected, and this log has none" in _words(letters)


def test_a_site_that_was_taken_away_is_red_where_this_computer_knows_its_officer(
    ward: Ward,
) -> None:
    ward.session(policy="")
    ward.look()
    (ward.root / "site.json").unlink()
    shutil.rmtree(ward.root / "site")
    assert ("red", "SITE") not in _found(ward.verify(state=None))
    report = ward.verify()
    assert sorted(_found(report)) == [("amber", "TOFU"), ("red", "SITE")]
    assert "it was taken away" in _words(report)
    pin_officer(ward.state, "ward-9", OFFICER.public)
    assert _found(ward.verify()) == [("amber", "TOFU")]


def test_a_clock_that_is_far_ahead_makes_no_log_fresh(ward: Ward) -> None:
    path = ward.session()
    ward.bench.clock.utc += 1000 * HOUR_MS
    ward.observe(ward.head(path))
    now_ms = ward.bench.clock.utc - 900 * HOUR_MS
    assert ("amber", "STALE") in _found(ward.verify(now_ms=now_ms))


def test_sessions_that_wait_on_this_computer_are_said(whole: Ward) -> None:
    path = whole.bench.seat().spool / "writers" / WRITER / "2026" / "11" / "x.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    report = whole.verify()
    assert report.verdict is Verdict.GREEN
    assert [finding.code for finding in report.findings] == ["WAITING"]
    assert "On this computer 1 session of this log is waiting" in _words(report)


def test_a_session_without_a_certificate_is_amber_once_for_a_workstation(ward: Ward) -> None:
    ward.session(install=None)
    ward.session(install=None)
    ward.look()
    report = ward.verify()
    assert _found(report) == [("amber", "UNCERTIFIED")]
    assert "2 sessions of this workstation are not certified" in _words(report)
    assert report.sentence.startswith("Nothing is missing and nothing was altered")


def _notes(report: LogReport) -> list[str]:
    return [finding.code for finding in report.findings if finding.level == "note"]


def test_a_certified_session_vouches_for_those_before_its_workstation_had_a_key(
    ward: Ward,
) -> None:
    ward.session(install=None)
    ward.session(install=None)
    ward.session()
    ward.look()
    report = ward.verify()
    assert (report.verdict, _notes(report)) == (Verdict.GREEN, ["VOUCHED"])
    assert (
        "2 sessions without a certificate, as from before this workstation had a key: a "
        in (_words(report))
    )
    assert [session.vouched for session in report.sessions] == [True, True, False]


def test_one_session_that_is_vouched_for_is_said_in_the_singular(ward: Ward) -> None:
    ward.session(install=None)
    ward.session()
    ward.look()
    report = ward.verify()
    assert report.verdict is Verdict.GREEN
    assert "1 session without a certificate" in _words(report)


def test_a_crashed_session_without_a_certificate_is_vouched_for_by_who_recovered_it(
    ward: Ward,
) -> None:
    log = ward.open(install=None)
    log.append_many([SAVE])
    log._file.release()
    log._memory.release()
    ward.session()
    ward.look()
    report = ward.verify()
    assert (report.verdict, sorted(_notes(report))) == (
        Verdict.GREEN,
        ["RECOVERED", "VOUCHED"],
    )


def test_a_session_that_nobody_names_stays_uncertified(ward: Ward) -> None:
    ward.session(install=None)
    _slipped_in(ward)
    ward.session()
    ward.look()
    report = ward.verify()
    assert ("amber", "UNCERTIFIED") in _found(report)
    assert "1 session of this workstation is not certified" in _words(report)
    assert [session.vouched for session in report.sessions] == [True, False, False]


def _slipped_in(ward: Ward, *events: Event) -> Path:
    """Write a session under the workstation's name on a computer that is another one."""
    state, ward.state = ward.state, ward.state.with_name("attacker")
    path = ward.session(*events, install=None)
    ward.state = state
    return path


@pytest.mark.parametrize("who", ["nobody", "stranger", "revoked", "wrong", "other writer"])
def test_a_session_named_only_by_who_is_not_trusted_stays_uncertified(
    ward: Ward, who: str
) -> None:
    first = ward.session(install=None)
    if who == "other writer":
        ward.observe(ward.head(first))
    elif who == "revoked":
        _revoke(ward, ward.bench.clock.utc)
        ward.session()
    else:
        stranger = InstallKey(SigningKey(b"k" * 32))
        wrong = _ForOthers(SigningKey(b"i" * 32))
        ward.session(install={"nobody": None, "stranger": stranger, "wrong": wrong}[who])
    ward.look()
    report = ward.verify()
    assert ("amber", "UNCERTIFIED") in _found(report)
    assert "VOUCHED" not in _notes(report)


def test_no_chain_leads_through_a_key_that_nobody_confirmed(ward: Ward) -> None:
    ward.session(install=None)
    ward.session(install=InstallKey(SigningKey(b"k" * 32)))
    ward.session()
    ward.look()
    assert sorted(_found(ward.verify())) == [("amber", "TOFU"), ("amber", "UNCERTIFIED")]


def test_a_session_that_went_on_after_it_was_named_stays_uncertified(ward: Ward) -> None:
    early = ward.open(install=None)
    ward.session()
    early.append_many([SAVE])
    early.close()
    ward.look()
    report = ward.verify()
    assert _found(report) == [("amber", "UNCERTIFIED")]


def test_a_session_of_another_content_than_was_named_stays_uncertified(ward: Ward) -> None:
    first = ward.session(install=None)
    ward.session()
    shutil.rmtree(ward.state / "heads")
    other = Ward(ward.root.parent / "other")
    forged = other.session(SAVE, SAVE, install=None)
    assert forged.name == first.name
    first.write_bytes(forged.read_bytes())
    report = ward.verify()
    assert ("red", "FORK") in _found(report)
    assert ("amber", "UNCERTIFIED") in _found(report)


def test_a_certified_session_that_was_changed_vouches_for_nobody(ward: Ward) -> None:
    ward.session(install=None)
    path = ward.session()
    path.write_bytes(path.read_bytes().replace(b'"voxels_added":18', b'"voxels_added":19'))
    found = _found(ward.verify())
    assert ("red", "BROKEN") in found
    assert ("amber", "UNCERTIFIED") in found


def test_without_a_site_nobody_can_vouch_and_the_sentence_names_the_first_step(
    ward: Ward,
) -> None:
    ward.session(install=None, policy="")
    ward.session(policy="")
    (ward.root / "site.json").unlink()
    shutil.rmtree(ward.root / "site")
    report = ward.verify(state=None)
    assert sorted(_found(report)) == [
        ("amber", "TOFU"), ("amber", "UNCERTIFIED"), ("amber", "UNREMEMBERED"),
    ]  # fmt: skip
    (ward.state / "officer.pub").unlink()
    report = ward.verify()
    assert report.sentence.startswith(
        "Nothing is missing and nothing was altered, as far as it can be compared, but 2 "
        "things about who wrote it are not confirmed. First, set up a site: `medlabel audit "
        "site init NAME`. 6 events in 2 sessions of 1 writer, "
    )


def test_the_first_step_is_that_of_the_doubt(ward: Ward) -> None:
    ward.session(install=None)
    ward.look()
    assert (
        "but 1 thing about who wrote it is not confirmed. First, run `medlabel audit key"
        in (ward.verify().sentence)
    )
    assert "First, ask the officer for the letters" in ward.verify(state=None).sentence
    ward.session(install=InstallKey(SigningKey(b"k" * 32)))
    ward.look()
    assert "First, compare the workstation's letters" in ward.verify().sentence


def test_a_certificate_by_another_key_or_for_another_session_is_red(ward: Ward) -> None:
    ward.session(install=_ForOthers(SigningKey(b"i" * 32)))
    ward.look()
    assert _found(ward.verify()) == [("red", "CERT")]


def test_a_certificate_without_its_key_is_red(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_medlabel.audit.check import sealed

    ward.session()
    ward.look()
    real = sealed.opening_of
    monkeypatch.setattr(sealed, "opening_of", lambda r: replace(real(r), install=None))
    assert _found(ward.verify()) == [("red", "CERT")]


def test_a_workstation_that_the_officer_has_not_confirmed_is_amber(ward: Ward) -> None:
    ward.session(install=InstallKey(SigningKey(b"k" * 32)))
    ward.look()
    report = ward.verify()
    assert _found(report) == [("amber", "TOFU")]
    assert "medlabel audit site trust" in _words(report)


def _revoke(ward: Ward, at_ms: int) -> None:
    installs = tuple(
        replace(one, revoked_ms=at_ms) if one.writer == WRITER else one
        for one in ward.site.installs
    )
    ward.change(installs=installs)


def test_a_session_after_the_key_was_revoked_is_red(ward: Ward) -> None:
    _revoke(ward, ward.bench.clock.utc)
    ward.session()
    ward.look()
    assert _found(ward.verify()) == [("red", "REVOKED")]


def test_a_session_before_the_key_was_revoked_stands_where_somebody_saw_it_then(
    ward: Ward,
) -> None:
    path = ward.session()
    ward.observe(ward.head(path))
    _revoke(ward, ward.bench.clock.utc)
    ward.bench.clock.utc += HOUR_MS
    ward.look()
    assert ward.verify().verdict is Verdict.GREEN


def test_a_session_that_only_its_own_clock_puts_before_the_revocation_is_amber(
    ward: Ward,
) -> None:
    ward.session()
    _revoke(ward, ward.bench.clock.utc)
    ward.bench.clock.utc += HOUR_MS
    ward.look()
    report = ward.verify()
    assert _found(report) == [("amber", "REVOKED")]
    assert "First, ask the officer about the workstation" in report.sentence
    assert "nobody outside saw it" in _words(report)


def test_a_log_that_nobody_outside_saw_lately_is_amber(whole: Ward) -> None:
    report = whole.verify(now_ms=whole.bench.clock.utc + 26 * HOUR_MS)
    assert _found(report) == [("amber", "STALE")]
    assert "First, run `medlabel audit witness`" in report.sentence
    assert "26 hours ago" in _words(report)
    shutil.rmtree(whole.root / "witness")
    assert "saw this log never" in _words(whole.verify())


def test_another_workstation_counts_as_somebody_outside(ward: Ward) -> None:
    path = ward.session()
    other = ward.observe(ward.head(path))
    ward.session(Event("anchor.observe", detail={"heads": [ward.head(other).record()]}))
    report = ward.verify()
    assert [found.code for found in report.findings] == ["UNSEEN"]  # the witness is elsewhere
    assert report.whole is Verdict.GREEN
    assert "other workstations" in report.sentence


def test_without_a_moment_the_machines_clock_says_how_old_a_log_is(whole: Ward) -> None:
    assert {code for _, code in _found(whole.verify(now_ms=None))} <= {"STALE"}


def _prune(ward: Ward, path: Path, key: SigningKey | None, *, site: str = "ward-3") -> Event:
    """Delete a session and return the event that says so."""
    heads = (ward.head(path),)
    path.unlink()
    detail: dict[str, object] = {"pruned": [head.record() for head in heads]}
    detail["policy_days"] = 30
    if key is not None:
        text = pruning_text(heads, 30)
        detail["signature"] = to_base64(key.sign_as(officer_name(site), text))
    return Event("retention.prune", detail=detail)


def test_a_session_that_the_officer_had_deleted_is_a_note(ward: Ward) -> None:
    manifest = "sha256:" + "5e" * 32
    detail = {"destination": "folder", "manifest": manifest}
    path = ward.session(Event("export.done", detail=detail))
    receipt = ward.root.with_name("receipt.json")
    receipt.write_bytes(make_receipt(path, manifest))
    code = make_code(ward.verify().sessions, "ward-3", "2026-11-22T10:00:00.000Z")
    keep_code(ward.root, code)
    ward.session()
    ward.session(_prune(ward, path, OFFICER))
    ward.look()
    report = ward.verify(receipts=[receipt], expect=code.text)
    assert report.verdict is Verdict.GREEN
    assert [(f.level, f.code) for f in report.findings] == [("note", "PRUNED")]


@pytest.mark.parametrize("key", [None, OTHER], ids=["nobody", "somebody else"])
def test_a_session_that_was_deleted_without_the_officer_is_red(
    ward: Ward, key: SigningKey | None
) -> None:
    path = ward.session()
    ward.session()
    ward.session(_prune(ward, path, key))
    ward.look()
    assert sorted(_found(ward.verify())) == [("red", "MISSING"), ("red", "PRUNED")]


def test_a_tombstone_that_names_another_end_clears_nothing(ward: Ward) -> None:
    first, second = ward.session(), ward.session()
    event = _prune(ward, first, OFFICER)
    second.unlink()
    ward.session(event)
    assert ("red", "MISSING") in _found(ward.verify())


def test_a_second_officer_named_by_the_first_is_known(whole: Ward) -> None:
    from napari_medlabel.audit.keys.site import Officer

    officers = (*whole.site.officers, Officer(OTHER.public))
    whole.change(officers=officers)
    whole.site = replace(whole.site, serial=3, previous=whole.digest)
    write_site(whole.root, whole.site, OTHER)
    assert whole.verify().verdict is Verdict.GREEN
    assert site_document(whole.site, OTHER)


def test_two_workstations_are_judged_each_by_its_own_key(ward: Ward) -> None:
    ward.session(writer=OTHER_WRITER, install=INSTALL)
    ward.session(install=OTHER_INSTALL)
    ward.look()
    assert _found(ward.verify(state=None, officer=fingerprint(OFFICER.public))) == [
        ("amber", "TOFU"),
        ("amber", "TOFU"),
    ]
