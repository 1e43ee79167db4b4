"""The log as FHIR R4 AuditEvents, one on a line, for whoever collects them from many systems.

Patterns are those of IHE BALP 1.1 (https://profiles.ihe.net/ITI/BALP) and of the IHE
De-Identification profile. Patients and people are tokens of the log, never names or numbers.
An event about several patients becomes one AuditEvent for each, as IHE asks: whoever may see
one patient's record must not find another in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from napari_medlabel.audit.exports.codes import DCM, EXPORT, LIFECYCLE
from napari_medlabel.audit.exports.entries import Entry

Json = dict[str, Any]

OURS: Final = "https://medlabel.local"
"""Names that only a log of ours gives; ``.local`` is nobody's on the internet."""

DISCLOSURE: Final = (
    "https://profiles.ihe.net/ITI/BALP/StructureDefinition/"
    "IHE.BasicAudit.PrivacyDisclosure.Source"
)
DEIDENTIFICATION: Final = (
    "https://profiles.ihe.net/ITI/DeId/StructureDefinition/"
    "IHE.BasicAudit.DeIdentification.Source"
)
ALGORITHM: Final = "https://profiles.ihe.net/ITI/DeId/CodeSystem/DeIdentificationEntityType"

_DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_ISO: Final = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_ENTITY: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_SOURCE: Final = "http://terminology.hl7.org/CodeSystem/security-source-type"
_PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_URI: Final = "urn:ietf:rfc:3986"
_SHARED: Final = frozenset({"dataset", "model", "profile", "log", "document"})
_LEFT: Final = frozenset({"export.done", "export.screen"})


def _coding(system: str, code: str, display: str = "") -> Json:
    coding = {"system": system, "code": code}
    return {**coding, "display": display} if display else coding


def _dcm(code: str) -> Json:
    return _coding(_DCM, code, DCM[code])


def _identifier(system: str, value: str) -> Json:
    return {"identifier": {"system": system, "value": value}}


def _content(digest: str) -> Json:
    """Return what identifies a content: a URI of RFC 6920 for its SHA-256."""
    return _identifier(_URI, "nih:sha-256;" + digest.removeprefix("sha256:"))


def _pseudonymity(entry: Entry) -> str:
    """Return what became of identity, as IHE's profile names it; empty where nothing did."""
    if entry.event in {"reid.lookup", "reid.export"}:
        return "reidentify"
    done = entry.event == "deid.run" or entry.detail.get("deidentified") is True
    if not done or entry.event == "export.begin":
        return ""
    return "pseudonymize" if "key_id" in entry.detail else "deidentify"


def _profiles(entry: Entry, subject: str) -> list[str]:
    """Return the profiles that an event's record fulfils: both need a patient."""
    found = []
    if subject and entry.event in _LEFT:
        found.append(DISCLOSURE)
    if subject and _pseudonymity(entry) and entry.record["outcome"] == 0:
        found.append(DEIDENTIFICATION)
    return found


def _kind(entry: Entry, subject: str) -> tuple[Json, list[Json]]:
    """Return type and subtypes of an event."""
    codes = list(entry.record["dcm"])
    identity = _pseudonymity(entry)
    ours = _coding(f"{OURS}/event", entry.event)
    iso = entry.record.get("iso", "")
    words = [identity] if iso in {"deidentify", "reidentify"} and identity else [iso, identity]
    if identity and subject and codes[:1] != [EXPORT]:
        codes.insert(0, EXPORT)  # where IHE's profile puts a look-up of who it is
    subtypes = [_dcm(code) for code in codes[1:]]
    subtypes += [_coding(_ISO, word) for word in words if word in LIFECYCLE]
    return (_dcm(codes[0]) if codes else ours), [*subtypes, ours]


def _observer(entry: Entry) -> Json:
    session = entry.session
    name = f"napari-medlabel {session.tool}".strip()
    return {
        "type": "Device",
        **_identifier(f"{OURS}/{session.site}/writer", session.writer),
        "display": name,
    }


def _agents(entry: Entry, names: Mapping[str, str]) -> list[Json]:
    """Return who acted, the program, and where it went."""
    actor = entry.record["actor"]
    person: Json = {
        "type": {"coding": [_coding(_PARTICIPATION, "IRCP", "information recipient")]},
        "role": [{"coding": [_coding(f"{OURS}/role", actor["role"])]}],
        "who": _identifier(f"{OURS}/{entry.session.site}/user", entry.user),
        "requestor": True,
    }
    if entry.user in names:
        person["name"] = names[entry.user]
    program = {
        "type": {"coding": [_dcm("110153")]},
        "who": _observer(entry),
        "requestor": False,
        "network": {"address": entry.session.writer, "type": "1"},
    }
    agents = [person, program]
    if entry.record["dcm"][:1] == [EXPORT]:
        kind = entry.detail.get("destination", "folder")
        agents.append(
            {
                "type": {"coding": [_dcm("110152")]},
                "who": {"display": f"kind of destination: {kind}"},
                "requestor": False,
                "network": {"address": f"{OURS}/destination/{kind}", "type": "5"},
            }
        )
    return agents


def _patient(entry: Entry, subject: str) -> Json:
    what = {"type": "Patient", **_identifier(f"{OURS}/{entry.session.site}/subject", subject)}
    return {
        "what": what,
        "type": _coding(_ENTITY, "1", "Person"),
        "role": _coding(_ROLE, "1", "Patient"),
    }


def _objects(entry: Entry) -> Iterator[Json]:
    """Yield the contents concerned; of several patients' only what is of all of them."""
    several = len(entry.subjects) > 1
    for item in entry.record["object"]:
        if several and item["type"] not in _SHARED:
            continue
        yield {
            "what": _content(item["id"]),
            "type": _coding(_ENTITY, "2", "System Object"),
            "role": _coding(_ROLE, "4", "Domain Resource"),
            "name": f"{item['type']} ({item['role']})",
        }
    if _pseudonymity(entry) and "profile_hash" in entry.detail:
        name = f"profile {entry.detail['profile']} {entry.detail.get('edition', '')}".strip()
        yield {
            "what": {**_content(entry.detail["profile_hash"]), "display": name},
            "type": _coding(ALGORITHM, "DeId-algorithm", "De-Identification Algorithm"),
        }


def _line(entry: Entry) -> Json:
    """Return the line of the log as an entity, with everything it says."""
    detail = dict(entry.detail)
    if "reason" in entry.record:
        detail["reason"] = entry.record["reason"]
    said = [
        {
            "type": key,
            "valueString": value if isinstance(value, str) and value else json.dumps(value),
        }
        for key, value in detail.items()
    ]
    record: Json = {
        "what": _identifier(f"{OURS}/log", f"{entry.session.origin}#{entry.record['seq']}"),
        "type": _coding(_ENTITY, "2", "System Object"),
        "role": _coding(_ROLE, "13", "Security Resource"),
        "name": "line of the audit log",
    }
    return {**record, "detail": said} if said else record


def audit_events(entry: Entry, names: Mapping[str, str] | None = None) -> Iterator[Json]:
    """Yield an event of the log as AuditEvents of FHIR R4.

    Parameters
    ----------
    entry : Entry
        The event.
    names : mapping of str to str, optional
        Names of users by token.

    Yields
    ------
    dict
        One resource for each patient; one where the event is about none.
    """
    for number, subject in enumerate(entry.subjects or ("",)):
        kind, subtypes = _kind(entry, subject)
        event: Json = {"resourceType": "AuditEvent", "id": f"{entry.id}-{number}"}
        profiles = _profiles(entry, subject)
        if profiles:
            event["meta"] = {"profile": profiles}
        event |= {
            "type": kind,
            "subtype": subtypes,
            "action": "R" if kind["code"] == EXPORT else entry.record["action"],
            "recorded": entry.record["time"],
            "outcome": str(entry.record["outcome"]),
        }
        why = entry.detail.get("cause") or entry.detail.get("error")
        if why:
            event["outcomeDesc"] = str(why)
        event["agent"] = _agents(entry, names or {})
        event["source"] = {
            "site": entry.session.site,
            "observer": _observer(entry),
            "type": [_coding(_SOURCE, "1", "User Device")],
        }
        patients = [_patient(entry, subject)] if subject else []
        event["entity"] = [*patients, *_objects(entry), _line(entry)]
        yield event


def fhir_lines(entry: Entry, names: Mapping[str, str] | None = None) -> Iterator[bytes]:
    """Yield an event of the log as lines of NDJSON; see `audit_events`."""
    for event in audit_events(entry, names):
        yield json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
