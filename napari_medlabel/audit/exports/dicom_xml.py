"""The log as audit messages of DICOM PS3.15 A.5, for an audit repository of a hospital.

The standard asks for the Patient ID itself, which the log does not hold. The officer can give
a table of tokens and Patient IDs; then the file names patients and must stay with her. Else a
token stands in for each, and the head of the file says so. Study Instance UIDs are not in the
log either: contents are named by their SHA-256.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Final

from napari_medlabel.audit.exports.codes import (
    ACCESS,
    ALERT,
    DCM,
    EXPORT,
    IMPORT,
    LOG_USED,
    LOGIN,
    MEDIA,
    URI,
)
from napari_medlabel.audit.exports.entries import Entry

SCHEMA: Final = "audit-message.rng"
"""Name of the schema among the assets."""

_SCHEME: Final = "99MEDLABEL"
_WITHHELD: Final = "withheld"
_NO_XML: Final = re.compile(
    "[^\\t\\n\\r\\u0020-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]"
)  # fmt: skip
_CONTENT: Final = ("content-sha256", _SCHEME, "SHA-256 of the content")
_TOKEN: Final = ("subject-token", _SCHEME, "Keyed token that stands for the Patient ID")
_PATIENT_ID: Final = ("2", "RFC-3881", "Patient Number")
_LOG_URI: Final = ("12", "RFC-3881", "URI")
_SHARED: Final = frozenset({"dataset", "model", "profile", "log", "document"})

Code = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Naming:
    """Who is behind the tokens, as far as the officer says it.

    Parameters
    ----------
    patients : mapping of str to str
        Patient IDs by token.
    users : mapping of str to str
        Names by token.
    """

    patients: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)


def _text(value: str) -> str:
    return escape(_NO_XML.sub("?", value), quote=True)


def _element(name: str, attributes: Mapping[str, str], inside: str = "") -> str:
    given = "".join(f' {key}="{_text(value)}"' for key, value in attributes.items())
    return f"<{name}{given}>{inside}</{name}>" if inside else f"<{name}{given}/>"


def _coded(name: str, code: Code) -> str:
    return _element(
        name, {"csd-code": code[0], "codeSystemName": code[1], "originalText": code[2]}
    )


def _dcm(name: str, code: str) -> str:
    return _coded(name, (code, "DCM", DCM[code]))


def _event(entry: Entry) -> str:
    codes = entry.record["dcm"]
    kinds = "".join(_dcm("EventTypeCode", code) for code in codes[1:])
    kinds += _coded("EventTypeCode", (entry.event, _SCHEME, entry.event))
    why = entry.detail.get("cause") or entry.detail.get("error")
    said = _element("EventOutcomeDescription", {}, _text(str(why))) if why else ""
    facts = {
        "EventActionCode": "E" if codes[0] in {LOGIN, ALERT} else entry.record["action"],
        "EventDateTime": entry.record["time"],
        "EventOutcomeIndicator": str(entry.record["outcome"]),
    }
    return _element("EventIdentification", facts, _dcm("EventID", codes[0]) + kinds + said)


def _participants(entry: Entry, naming: Naming) -> Iterator[str]:
    """Yield the person, the program, and the medium where something leaves or comes."""
    kind = entry.record["dcm"][0]
    role = {EXPORT: "110153", IMPORT: "110152"}.get(kind)
    roles = [role] if role else []
    person = {"UserID": entry.user, "UserIsRequestor": "true"}
    if entry.user in naming.users:
        person["UserName"] = naming.users[entry.user]
    yield _element(
        "ActiveParticipant", person, "".join(_dcm("RoleIDCode", code) for code in roles)
    )
    program = {
        "UserID": entry.session.writer,
        "AlternativeUserID": f"napari-medlabel {entry.session.tool}".strip(),
        "UserIsRequestor": "false",
    }
    roles = [*roles, "110150"]
    yield _element(
        "ActiveParticipant", program, "".join(_dcm("RoleIDCode", code) for code in roles)
    )
    if kind in {EXPORT, IMPORT}:
        place = str(entry.detail.get("destination", "folder"))
        code, meaning = MEDIA.get(place, URI)
        medium = _element("MediaIdentifier", {}, _coded("MediaType", (code, "DCM", meaning)))
        yield _element(
            "ActiveParticipant",
            {"UserID": place, "UserIsRequestor": "false"},
            _dcm("RoleIDCode", "110154" if kind == EXPORT else "110155") + medium,
        )


def _object(ident: str, kinds: tuple[str, str], code: Code, name: str, more: str = "") -> str:
    facts = {
        "ParticipantObjectID": ident,
        "ParticipantObjectTypeCode": kinds[0],
        "ParticipantObjectTypeCodeRole": kinds[1],
    }
    inside = _coded("ParticipantObjectIDTypeCode", code)
    inside += _element("ParticipantObjectName", {}, _text(name)) + more
    return _element("ParticipantObjectIdentification", facts, inside)


def _details(entry: Entry) -> str:
    said = {**entry.detail, **({"reason": entry.record["reason"]} if entry.reason else {})}
    return "".join(
        _element(
            "ParticipantObjectDetail",
            {"type": key, "value": base64.b64encode(_plain(value)).decode("ascii")},
        )
        for key, value in said.items()
    )


def _plain(value: object) -> bytes:
    return (value if isinstance(value, str) else json.dumps(value)).encode()


def _anonymized(entry: Entry) -> str:
    clean = entry.event == "deid.run" or entry.detail.get("deidentified") is True
    said = _element("Anonymized", {}, "true" if clean else "false")
    return _element("ParticipantObjectDescription", {}, said)


def _objects(entry: Entry, subject: str, naming: Naming) -> Iterator[str]:
    """Yield the contents, the patient, and the line of the log."""
    more = _anonymized(entry) if entry.record["dcm"][0] == EXPORT else ""
    for item in entry.record["object"]:
        if len(entry.subjects) > 1 and item["type"] not in _SHARED:
            continue
        name = f"{item['type']} ({item['role']})"
        digest = item["id"].removeprefix("sha256:")
        yield _object(digest, ("2", "3"), _CONTENT, name, more)
    if subject:
        known = naming.patients.get(subject)
        code = _TOKEN if known is None else _PATIENT_ID
        yield _object(subject if known is None else known, ("1", "1"), code, _WITHHELD)
    line = f"{entry.session.origin}#{entry.record['seq']}"
    name = "Security Audit Log" if entry.record["dcm"][0] == LOG_USED else "line of the log"
    yield _object(line, ("2", "13"), _LOG_URI, name, _details(entry))


def audit_messages(entry: Entry, naming: Naming | None = None) -> Iterator[str]:
    """Yield an event of the log as messages that fulfil the schema of PS3.15 A.5.1.

    Parameters
    ----------
    entry : Entry
        The event. One for which DICOM has no code gives no message.
    naming : Naming, optional
        What the officer says of tokens.

    Yields
    ------
    str
        One ``AuditMessage`` for each patient; one where the event is about none.
    """
    if not entry.record["dcm"]:
        return
    naming = naming or Naming()
    source = _element(
        "AuditSourceIdentification",
        {"AuditEnterpriseSiteID": entry.session.site, "AuditSourceID": entry.session.writer},
        _element("AuditSourceTypeCode", {"csd-code": "1"}),
    )
    for subject in entry.subjects or ("",):
        yield _element(
            "AuditMessage",
            {},
            _event(entry)
            + "".join(_participants(entry, naming))
            + source
            + "".join(_objects(entry, subject, naming)),
        )


def xml_head(naming: Naming) -> bytes:
    """Return the beginning of the file, which says what stands for patients in it."""
    if naming.patients:
        patients = (
            "This file holds Patient IDs that the officer gave. It must stay with her. Where "
            "she gave none, a token of the log stands in"
        )
    else:
        patients = (
            "Patient IDs are not in the log: a token of the log stands in for each "
            "(codeSystemName 99MEDLABEL), so the messages are not complete in the sense of "
            "PS3.15"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<!-- Audit messages of DICOM PS3.15 A.5, each an element AuditMessage. "
        f"{patients}. Study Instance UIDs are not in the log: contents are named by their "
        f"SHA-256 where {ACCESS} asks for studies. Events for which DICOM has no code are left "
        "out. -->\n"
        "<AuditMessages>\n"
    ).encode()


XML_END: Final = b"</AuditMessages>\n"


def xml_lines(entry: Entry, naming: Naming | None = None) -> Iterator[bytes]:
    """Yield an event of the log as lines of the file; see `audit_messages`."""
    for message in audit_messages(entry, naming):
        yield message.encode() + b"\n"
