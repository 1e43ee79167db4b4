"""What left: begin and end are paired, what stays unsaid is not zero."""

from __future__ import annotations

from napari_medlabel.audit.report.deeds import ExportFact, Override
from napari_medlabel.audit.report.exports_seen import Departures
from napari_medlabel.audit.report.seen import Line
from tests.audit.report.lines import ANNA, OTHER, PATIENT, at, digest, line

TO = {"destination": "folder"}
RULES = {"profile": "basic", "profile_hash": digest(1), "edition": "2026c"}
RUN = {"profile": "basic", "profile_hash": digest(1), "files": 3}


def _facts(*lines: Line) -> list[ExportFact]:
    gathered = Departures()
    for one in lines:
        assert one.event in Departures.events
        gathered.take(one)
    gathered.end_session()
    return gathered.facts()


def test_a_begin_and_its_end_are_one_export() -> None:
    (fact,) = _facts(
        line("export.begin", at(9), subject=(), detail={**TO, **RULES, "files": 4}, number=7),
        line("deid.run", at(9, 1), detail={**RUN, "retained": 2448}),
        line("deid.run", at(9, 1), detail=RUN, subject=OTHER),
        line(
            "export.done",
            at(9, 2),
            subject=(),
            detail={
                **TO, "files": 3, "cases": 2, "deidentified": True, "manifest": digest(5),
                "receipt": digest(6), "format": "dicom",
            },
        ),
    )  # fmt: skip
    assert fact == ExportFact(
        begin_ms=at(9),
        end_ms=at(9, 2),
        outcome="done",
        user=ANNA,
        destination="folder",
        files=3,
        subjects=(PATIENT, OTHER),
        profile="basic",
        profile_hash=digest(1),
        edition="2026c",
        options=(),
        retained=0,
        retained_tags=(),
        overrides=(),
        manifest=digest(5),
        receipt=digest(6),
        file=fact.file,
        line=7,
        format="dicom",
        cases=2,
        deidentified=True,
    )


def test_an_export_that_says_nothing_of_identity_has_not_zero_retained() -> None:
    (fact,) = _facts(
        line("export.begin", at(9), detail=TO), line("export.done", at(9), detail=TO)
    )
    assert fact.retained is None
    assert fact.deidentified is None


def test_an_export_with_identity_has_no_number_retained() -> None:
    said = {**TO, "deidentified": False, "retained": 3}
    (fact,) = _facts(
        line("export.begin", at(9), detail=said), line("export.done", at(9), detail=TO)
    )
    assert (fact.retained, fact.deidentified) == (None, False)


def test_what_was_kept_is_named_by_tag_option_and_rule() -> None:
    kept = {**RUN, "retained_tags": ["00100040"], "options": ["retain-dates", "clean-pixels"]}
    (fact,) = _facts(
        line("export.begin", at(9), subject=(), detail={**TO, "site_rules": True}),
        line("deid.run", at(9), detail=kept),
        line("export.done", at(9), subject=(), detail=TO),
    )
    assert fact.retained_tags == (
        "PatientSex (0010,0040)",
        "dates",
        "what the site's rules keep",
    )
    assert fact.retained == 3
    assert fact.options == ("retain-dates", "clean-pixels")
    assert fact.profile == "basic"


def test_a_number_that_is_said_is_not_made_smaller() -> None:
    said = {**TO, "retained": 5, "deidentified": True}
    (fact,) = _facts(line("export.done", at(9), detail=said))
    assert fact.retained == 5


def test_an_override_belongs_to_the_next_export_or_the_one_that_goes_on() -> None:
    one = {"detail": {"tag": "00100040"}, "reason": "PROTOCOL"}
    two = {"detail": {"tag": "00101010"}, "reason": "OTHER"}
    (fact,) = _facts(
        line("deid.override", at(8), **one),
        line("export.begin", at(9), detail={**TO, "deidentified": True}),
        line("deid.override", at(9, 1), **two),
        line("deid.override", at(9, 1), **one),
        line("export.done", at(9, 2), detail=TO),
    )
    assert fact.overrides[:2] == (
        Override(at(8), ANNA, "PatientSex (0010,0040)", "PROTOCOL"),
        Override(at(9, 1), ANNA, "PatientAge (0010,1010)", "OTHER"),
    )
    assert fact.retained_tags == ("PatientSex (0010,0040)", "PatientAge (0010,1010)")


def test_a_failed_export_has_its_cause() -> None:
    (fact,) = _facts(
        line("export.begin", at(9), detail=TO),
        line("export.fail", at(9, 1), detail={**TO, "cause": "space"}),
    )
    assert (fact.outcome, fact.cause, fact.end_ms) == ("failed", "space", at(9, 1))


def test_an_export_without_an_end_is_unfinished() -> None:
    gathered = Departures()
    gathered.take(line("export.begin", at(9), detail=TO))
    gathered.take(line("deid.override", at(9), detail={"tag": "00100040"}, reason="OTHER"))
    gathered.end_session()
    gathered.take(line("export.done", at(10), detail=TO, file="writers/w/another"))
    first, second = gathered.facts()
    assert (first.outcome, first.end_ms) == ("unfinished", None)
    assert (second.outcome, second.begin_ms, second.overrides) == ("done", at(10), ())


def test_ends_find_their_own_begin_by_destination_and_patient() -> None:
    net = {"destination": "network"}
    facts = _facts(
        line("export.begin", at(9, 0), detail=TO),
        line("export.begin", at(9, 1), detail=TO, subject=OTHER),
        line("export.begin", at(9, 2), detail=net),
        line("export.done", at(9, 3), detail=TO),
        line("export.done", at(9, 4), detail=TO, subject=()),
        line("export.fail", at(9, 5), detail={"destination": "pacs"}),
    )
    assert [(fact.end_ms, fact.destination) for fact in facts] == [
        (at(9, 3), "folder"),
        (at(9, 4), "folder"),
        (at(9, 5), "pacs"),
    ]


def test_a_trial_or_a_cleaning_without_export_leaves_nothing() -> None:
    assert _facts(line("deid.run", at(9), detail=RUN)) == []
    (fact,) = _facts(
        line("export.begin", at(9), subject=(), detail=TO),
        line("deid.run", at(9), detail={**RUN, "dry_run": True}),
    )
    assert (fact.deidentified, fact.subjects) == (None, ())


def test_pictures_tables_and_the_log_itself_leave_at_once() -> None:
    facts = _facts(
        line("export.screen", at(9), detail={"kind": "save-layer", "frames": 2}),
        line("export.screen", at(9, 1), detail={"kind": "screenshot", "files": 1}),
        line("reid.export", at(9, 2), detail={"cases": 2}),
        line("audit.export", at(9, 3), subject=(), detail={"format": "csv"}),
    )
    assert [fact.what for fact in facts] == [
        "saved layer",
        "screenshot",
        "identity table",
        "the log itself",
    ]
    assert [fact.files for fact in facts] == [2, 1, 0, 0]
    assert [fact.deidentified for fact in facts] == [None, None, False, True]
    assert facts[2].retained is None
    assert all(fact.outcome == "done" for fact in facts)


def test_the_log_as_dicom_messages_may_hold_identity() -> None:
    (fact,) = _facts(line("audit.export", at(9), subject=(), detail={"format": "dicom"}))
    assert (fact.deidentified, fact.retained) == (None, None)
