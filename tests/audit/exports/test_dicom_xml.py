"""Messages fulfil the schema of PS3.15 A.5.1 and what A.5.3 asks of each kind."""

from __future__ import annotations

import base64
from importlib import resources
from typing import Any

import pytest

from napari_medlabel.audit.exports.codes import DCM, MEDIA, URI
from napari_medlabel.audit.exports.dicom_xml import (
    SCHEMA,
    XML_END,
    Naming,
    audit_messages,
    xml_head,
    xml_lines,
)
from napari_medlabel.audit.format.catalogue import EVENTS
from tests.audit.exports.samples import NEW, OTHER, PATIENT, SET, USER, entry, every_event

etree = pytest.importorskip("lxml.etree", reason="lxml is not installed")
Element = Any


def schema() -> Any:
    data = resources.files("napari_medlabel.audit.exports").joinpath("assets", SCHEMA)
    return etree.RelaxNG(etree.fromstring(data.read_bytes()))


def messages(*given: Any) -> list[Element]:
    return [etree.fromstring(text) for text in audit_messages(*given)]


def code_of(message: Element) -> str:
    return str(message.find("EventIdentification/EventID").get("csd-code"))


def test_every_event_with_a_code_fulfils_the_schema() -> None:
    grammar, count = schema(), 0
    for one in every_event():
        for message in messages(one, Naming(users={USER: 'A "B" <C>&\x00'})):
            grammar.assertValid(message)
            count += 1
    assert count > 200


def test_the_schema_refuses_what_is_no_message() -> None:
    grammar = schema()
    (good,) = audit_messages(entry("volume.open", (PATIENT,), detail={"format": "dicom"}))
    for old, new in (
        ('EventActionCode="R"', 'EventActionCode="X"'),
        ("<ParticipantObjectName>withheld</ParticipantObjectName>", ""),
        (' UserIsRequestor="true"', ""),
        ('originalText="DICOM Instances Accessed"', ""),
    ):
        assert old in good
        assert not grammar.validate(etree.fromstring(good.replace(old, new, 1)))


def test_the_codes_mean_what_pydicom_says() -> None:
    from pydicom.sr._concepts_dict import concepts

    known = {code: said[0] for item in concepts["DCM"].values() for code, said in item.items()}
    asked = {**DCM, **dict(MEDIA.values()), **dict([URI])}
    assert {code: known.get(code) for code in asked} == asked
    assert {code for spec in EVENTS.values() for code in spec.dcm} <= DCM.keys()


def test_each_kind_has_the_action_that_the_standard_wants() -> None:
    wanted = {"110100": "E", "110101": "R", "110106": "R", "110107": "C", "110112": "E",
              "110113": "E", "110114": "E"}  # fmt: skip
    for one in every_event():
        for message in messages(one):
            action = message.find("EventIdentification").get("EventActionCode")
            assert action == wanted.get(code_of(message), action)


def test_an_export_names_source_and_medium() -> None:
    detail = {"destination": "removable", "deidentified": True}
    (message,) = messages(entry("export.done", (PATIENT,), (NEW,), detail))
    roles = [role.get("csd-code") for role in message.iter("RoleIDCode")]
    assert roles.count("110153") == 2  # the person and the process
    assert roles.count("110154") == 1
    assert message.find(".//MediaType").get("csd-code") == "110030"
    assert message.find(".//Anonymized").text == "true"
    (other,) = messages(entry("export.screen", (PATIENT,), (NEW,), {"kind": "print"}))
    assert other.find(".//MediaType").get("originalText") == "URI"
    assert other.find(".//Anonymized").text == "false"


def test_an_import_names_the_medium_it_came_from() -> None:
    (message,) = messages(entry("import.convert", (PATIENT,), detail={"format": "dicom"}))
    roles = [role.get("csd-code") for role in message.iter("RoleIDCode")]
    assert {"110152", "110155"} <= set(roles)


def test_exactly_one_participant_asked_for_it() -> None:
    for one in every_event():
        for message in messages(one):
            asked = [p.get("UserIsRequestor") for p in message.iter("ActiveParticipant")]
            assert asked.count("true") == 1


def test_each_message_is_about_one_patient() -> None:
    one = entry("deid.run", (PATIENT, OTHER), (NEW, SET), {
        "profile": "basic", "profile_hash": "sha256:" + "ab" * 32, "files": 2})  # fmt: skip
    first, second = audit_messages(one)
    assert PATIENT in first
    assert OTHER not in first
    assert PATIENT not in second
    assert "ab" * 32 not in first.replace('"profile_hash"', "").split("SHA-256")[0]


def test_a_token_stands_in_and_the_head_says_so() -> None:
    (message,) = messages(entry("header.view", (PATIENT,)))
    patient = next(
        item
        for item in message.iter("ParticipantObjectIdentification")
        if item.get("ParticipantObjectTypeCode") == "1"
    )
    assert patient.get("ParticipantObjectID") == PATIENT
    assert patient.find("ParticipantObjectIDTypeCode").get("codeSystemName") == "99MEDLABEL"
    assert b"a token of the log stands in for each" in xml_head(Naming())


def test_a_patient_id_comes_from_the_officer_and_the_head_says_so() -> None:
    naming = Naming(patients={PATIENT: "4711 & <co>"})
    (message,) = messages(entry("header.view", (PATIENT,)), naming)
    patient = message.findall("ParticipantObjectIdentification")[0]
    assert patient.get("ParticipantObjectID") == "4711 & <co>"
    assert patient.find("ParticipantObjectIDTypeCode").get("csd-code") == "2"
    assert b"It must stay with her" in xml_head(naming)


def test_the_details_are_base64_of_what_the_log_says() -> None:
    (message,) = messages(
        entry("review.reject", (PATIENT,), detail={"round": 2}, reason=_why())
    )
    said = {
        item.get("type"): base64.b64decode(item.get("value"))
        for item in message.iter("ParticipantObjectDetail")
    }
    assert said == {"round": b"2", "reason": b'{"code": "CORRECTION"}'}


def _why() -> object:
    from napari_medlabel.audit.format.event import Reason

    return Reason("CORRECTION")


def test_a_failure_says_why() -> None:
    (message,) = messages(entry("audit.fail", detail={"error": "ENOSPC"}))
    assert message.find(".//EventOutcomeDescription").text == "ENOSPC"


def test_events_without_a_code_are_left_out_and_the_file_is_xml() -> None:
    assert messages(entry("anchor.observe", detail={"heads": []})) == []
    lines = b"".join(xml_lines(entry("audit.view"), Naming()))
    root = etree.fromstring(xml_head(Naming()) + lines + XML_END)
    assert root.tag == "AuditMessages"
    assert [child.tag for child in root] == ["AuditMessage"]
    assert "Security Audit Log" in lines.decode()
