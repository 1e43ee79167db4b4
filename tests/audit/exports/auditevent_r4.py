"""What an AuditEvent of ours uses of the FHIR R4 (4.0.1) JSON schema, written by hand.

Every object is closed: an element that R4 does not have, or that we do not mean to use, fails.
"""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string", "pattern": r"^[ \r\n\t\S]+$"}
_CODE = {"type": "string", "pattern": r"^[^\s]+(\s[^\s]+)*$"}
_URI = {"type": "string", "pattern": r"^\S*$"}


def _object(required: str = "", **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def _many(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1}


_CODING = _object("system code", system=_URI, code=_CODE, display=_TEXT)
_CONCEPT = _object("coding", coding=_many(_CODING))
_IDENTIFIER = _object("system value", system=_URI, value=_TEXT)
_REFERENCE = _object(type=_URI, identifier=_IDENTIFIER, display=_TEXT)
_NETWORK = _object("address type", address=_TEXT, type={"enum": ["1", "2", "3", "4", "5"]})
_AGENT = _object(
    "requestor",
    type=_CONCEPT,
    role=_many(_CONCEPT),
    who=_REFERENCE,
    name=_TEXT,
    requestor={"type": "boolean"},
    network=_NETWORK,
)
_DETAIL = _object("type valueString", type=_TEXT, valueString=_TEXT)
_ENTITY = _object(
    what=_REFERENCE, type=_CODING, role=_CODING, name=_TEXT, detail=_many(_DETAIL)
)
AUDIT_EVENT = _object(
    "resourceType id type subtype action recorded outcome agent source entity",
    resourceType={"const": "AuditEvent"},
    id={"type": "string", "pattern": r"^[A-Za-z0-9\-\.]{1,64}$"},
    meta=_object("profile", profile=_many(_URI)),
    type=_CODING,
    subtype=_many(_CODING),
    action={"enum": ["C", "R", "U", "D", "E"]},
    recorded={
        "type": "string",
        "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]+Z$",
    },
    outcome={"enum": ["0", "4", "8", "12"]},
    outcomeDesc=_TEXT,
    agent=_many(_AGENT),
    source=_object("observer", site=_TEXT, observer=_REFERENCE, type=_many(_CODING)),
    entity=_many(_ENTITY),
)
