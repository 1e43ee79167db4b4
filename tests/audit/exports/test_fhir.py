"""AuditEvents are valid R4, follow IHE's profiles, and never show one patient in another's."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from napari_medlabel.audit.exports.fhir import (
    DEIDENTIFICATION,
    DISCLOSURE,
    audit_events,
    fhir_lines,
)
from tests.audit.exports.auditevent_r4 import AUDIT_EVENT
from tests.audit.exports.samples import NEW, OTHER, PATIENT, SET, USER, entry, every_event

Json = dict[str, Any]
ISO = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
CLEAN = {
    "destination": "removable", "deidentified": True, "profile": "basic",
    "profile_hash": "sha256:" + "ab" * 32, "edition": "2026c",
}  # fmt: skip


def all_events() -> list[Json]:
    return [event for one in every_event() for event in audit_events(one)]


def codes(event: Json) -> list[str]:
    return [coding["code"] for coding in event["subtype"]]


def of_role(event: Json, role: str) -> list[Json]:
    return [agent for agent in event["agent"] if agent["type"]["coding"][0]["code"] == role]


def patients(event: Json) -> list[str]:
    return [
        entity["what"]["identifier"]["value"]
        for entity in event["entity"]
        if entity["type"]["code"] == "1" and "Person" in entity["type"].get("display", "")
    ]


def test_every_event_of_the_list_is_valid_r4() -> None:
    schema = jsonschema.Draft202012Validator(AUDIT_EVENT)
    events = all_events()
    assert len(events) > 200
    for event in events:
        schema.validate(event)


def test_every_event_is_accepted_by_an_implementation_of_fhir() -> None:
    resource = pytest.importorskip(
        "fhir.resources.R4B.auditevent", reason="fhir.resources is not installed"
    )
    for event in all_events():
        assert resource.AuditEvent.model_validate(event).action == event["action"]


def test_ids_are_unique_for_each_patient_of_an_event() -> None:
    events = list(audit_events(entry("deid.run", (PATIENT, OTHER), detail={
        "profile": "basic", "profile_hash": "sha256:" + "ab" * 32, "files": 2})))  # fmt: skip
    assert [event["id"] for event in events] == [
        "01M81BZ8G20000000000000000-7-0",
        "01M81BZ8G20000000000000000-7-1",
    ]


def test_one_patients_record_never_shows_another() -> None:
    one = entry("export.done", (PATIENT, OTHER), (NEW, SET), CLEAN)
    first, second = audit_events(one)
    assert (patients(first), patients(second)) == ([PATIENT], [OTHER])
    assert OTHER not in json.dumps(first)
    assert PATIENT not in json.dumps(second)
    assert "abab" not in json.dumps(first["entity"][1]["what"])  # the mask is one patient's
    assert "efef" in json.dumps(first["entity"][1]["what"])  # the data set is everybody's


def test_what_left_follows_the_disclosure_profile() -> None:
    claimed = [e for e in all_events() if DISCLOSURE in e.get("meta", {}).get("profile", [])]
    assert len(claimed) > 4
    for event in claimed:
        assert (event["type"]["code"], event["action"]) == ("110106", "R")
        assert (ISO, "disclose") in [(c["system"], c["code"]) for c in event["subtype"]]
        (source,) = of_role(event, "110153")
        assert source["who"] == event["source"]["observer"]  # val-audit-source
        assert "network" in source
        (recipient,) = of_role(event, "110152")
        assert recipient["who"]
        assert "network" in recipient
        assert len(event["agent"]) >= 2
        assert len(patients(event)) == 1
        assert len(event["entity"]) >= 2


def test_de_identification_follows_the_profile_of_ihe() -> None:
    claimed = [
        e for e in all_events() if DEIDENTIFICATION in e.get("meta", {}).get("profile", [])
    ]
    assert len(claimed) > 4
    wanted = {"deidentify", "pseudonymize", "reidentify"}
    for event in claimed:
        assert (event["type"]["code"], event["action"]) == ("110106", "R")
        assert len(wanted & set(codes(event))) == 1
        assert event["outcome"] == "0"
        (source,) = of_role(event, "110153")
        assert source["who"] == event["source"]["observer"]
        assert len(event["agent"]) >= 2
        assert len(patients(event)) == 1
        algorithms = [e for e in event["entity"] if e["type"]["code"] == "DeId-algorithm"]
        assert all("identifier" in entity["what"] for entity in algorithms)


@pytest.mark.parametrize(
    ("more", "word"), [({}, "deidentify"), ({"key_id": "k-0123abcd"}, "pseudonymize")]
)
def test_a_key_makes_it_pseudonymous(more: Json, word: str) -> None:
    (event,) = audit_events(entry("export.done", (PATIENT,), detail={**CLEAN, **more}))
    assert word in codes(event)
    assert event["meta"]["profile"] == [DISCLOSURE, DEIDENTIFICATION]
    algorithm = event["entity"][1]["what"]
    assert algorithm["display"] == "profile basic 2026c"
    assert algorithm["identifier"]["value"] == "nih:sha-256;" + "ab" * 32


def test_an_announced_or_failed_export_is_no_disclosure() -> None:
    for name in ("export.begin", "export.fail"):
        (event,) = audit_events(entry(name, (PATIENT,), detail={"destination": "folder"}))
        assert "meta" not in event


def test_looking_up_a_patient_is_a_re_identification_where_the_patient_is_known() -> None:
    (event,) = audit_events(entry("reid.lookup", (PATIENT,)))
    assert (event["type"]["code"], event["meta"]["profile"]) == ("110106", [DEIDENTIFICATION])
    assert {"reidentify", "110132", "110113"} - set(codes(event)) <= {"110113"}
    (other,) = audit_events(entry("reid.lookup"))
    assert other["type"]["code"] == "110113"
    assert "meta" not in other


def test_a_failure_says_its_cause_in_a_word() -> None:
    (event,) = audit_events(entry("volume.open.denied", detail={"cause": "log"}))
    assert (event["outcome"], event["outcomeDesc"]) == ("8", "log")


def test_names_come_from_the_officer_alone() -> None:
    one = entry("volume.open", (PATIENT,), detail={"format": "dicom"})
    (without,) = audit_events(one)
    assert "name" not in without["agent"][0]
    (named,) = audit_events(one, {USER: "<Ann>"})
    assert named["agent"][0]["name"] == "<Ann>"


def test_lines_are_json_each() -> None:
    one = entry("deid.review", (PATIENT, OTHER), detail={"accepted": 1, "rejected": 0})
    lines = list(fhir_lines(one))
    assert len(lines) == 2
    assert all(line.endswith(b"\n") and json.loads(line) for line in lines)


def test_a_reason_stands_with_the_details() -> None:
    (event,) = audit_events(entry("review.reject", (PATIENT,), reason=_reason()))
    assert {"type": "reason", "valueString": '{"code": "CORRECTION"}'} in event["entity"][-1][
        "detail"
    ]


def _reason() -> object:
    from napari_medlabel.audit.format.event import Reason

    return Reason("CORRECTION")


def test_unlock_is_no_word_of_the_iso_list_and_is_left_out() -> None:
    (event,) = audit_events(entry("review.unlock", (PATIENT,), reason=_reason()))
    assert ISO not in [coding["system"] for coding in event["subtype"]]
