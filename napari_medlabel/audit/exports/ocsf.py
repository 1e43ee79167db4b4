"""The log as lines of OCSF, the Open Cybersecurity Schema Framework, for security systems.

Three classes are used: Authentication, File System Activity where a content is concerned, and
API Activity for all else. What has no attribute there stands under ``unmapped``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from napari_medlabel.audit.exports.entries import Entry
from napari_medlabel.audit.format.record import time_ms

Json = dict[str, Any]

VERSION: Final = "1.6.0"
"""Version of the schema."""

FILE_ACTIVITY: Final = 1001
AUTHENTICATION: Final = 3002
API_ACTIVITY: Final = 6003

_OTHER: Final = (99, "Other")
_CRUD: Final = {"C": (1, "Create"), "R": (2, "Read"), "U": (3, "Update"), "D": (4, "Delete")}
_CLASS: Final = {
    FILE_ACTIVITY: ("File System Activity", "System Activity"),
    AUTHENTICATION: ("Authentication", "Identity & Access Management"),
    API_ACTIVITY: ("API Activity", "Application Activity"),
}
_LOGIN: Final = {
    "user.identify": (1, "Logon"),
    "user.auth.fail": (1, "Logon"),
    "user.switch": (7, "Account Switch"),
    "sign.fail": _OTHER,
}
_FILES: Final = frozenset(
    {
        "volume.open", "volume.open.denied", "import.convert", "mask.create", "mask.save",
        "mask.restore", "mask.delete", "landmark.save", "autosave.recover", "assist.run",
        "edit.unattributed", "export.begin", "export.done", "export.fail", "export.screen",
        "deid.run",
    }
)  # fmt: skip
_OPENS: Final = {"volume.open": (14, "Open"), "volume.open.denied": (14, "Open")}
_SEVERITY: Final = {0: (1, "Informational"), 4: (2, "Low"), 8: (4, "High"), 12: (5, "Critical")}
_SERVICE: Final = frozenset({"service", "none"})


def _class_of(entry: Entry) -> tuple[int, tuple[int, str]]:
    """Return the class of an event, and which of its activities it is."""
    action = _CRUD.get(entry.record["action"], _OTHER)
    if entry.event in _LOGIN:
        return AUTHENTICATION, _LOGIN[entry.event]
    if entry.event in _FILES and entry.record["object"]:
        return FILE_ACTIVITY, _OPENS.get(entry.event, action)
    return API_ACTIVITY, action


def _user(entry: Entry, names: Mapping[str, str]) -> Json:
    service = entry.record["actor"]["auth"] in _SERVICE
    user: Json = {"uid": entry.user, "type_id": 4 if service else 1}
    if entry.user in names:
        user["full_name"] = names[entry.user]
    return user


def _file(item: Mapping[str, str]) -> Json:
    digest = item["id"].removeprefix("sha256:")
    return {
        "name": f"{item['type']}-{digest[:16]}",
        "type_id": 1,
        "hashes": [{"algorithm_id": 3, "algorithm": "SHA-256", "value": digest}],
    }


def _files(entry: Entry) -> Json:
    """Return the content before, and the one after where the event has both."""
    items = entry.record["object"]
    old = next((item for item in items if item["role"] == "old"), None)
    new = next((item for item in items if item["role"] == "new"), None)
    if old is not None and new is not None:
        return {"file": _file(old), "file_result": _file(new)}
    return {"file": _file(new or old or items[0])}


def _parts(entry: Entry, uid: int, user: Json) -> Json:
    """Return what one class needs and the others do not."""
    writer = entry.session.writer
    actor = {"user": user, "app_name": "napari-medlabel"}
    if uid == AUTHENTICATION:
        service = {"name": "napari-medlabel", "uid": writer}
        return {"actor": actor, "user": user, "service": service}
    if uid == FILE_ACTIVITY:
        device = {"uid": writer, "type_id": 0, "type": "Unknown"}
        return {"actor": actor, "device": device, **_files(entry)}
    return {
        "actor": actor,
        "api": {"operation": entry.event, "service": {"name": "napari-medlabel"}},
        "src_endpoint": {"uid": writer},
    }


def ocsf_event(entry: Entry, names: Mapping[str, str] | None = None) -> Json:
    """Return an event of the log as an OCSF event.

    Parameters
    ----------
    entry : Entry
        The event.
    names : mapping of str to str, optional
        Names of users by token.
    """
    record = entry.record
    uid, (activity, activity_name) = _class_of(entry)
    class_name, category_name = _CLASS[uid]
    severity, severity_name = _SEVERITY[record["outcome"]]
    if activity == _OTHER[0]:
        activity_name = entry.event
    product = {"name": "napari-medlabel", "vendor_name": "napari-medlabel"}
    if entry.session.tool:
        product["version"] = entry.session.tool
    return {
        "activity_id": activity,
        "activity_name": activity_name,
        "category_name": category_name,
        "category_uid": uid // 1000,
        "class_name": class_name,
        "class_uid": uid,
        "message": entry.event,
        "metadata": {
            "event_code": entry.event,
            "log_name": entry.file,
            "original_time": record["time"],
            "product": product,
            "sequence": record["seq"],
            "tenant_uid": entry.session.site,
            "uid": entry.id,
            "version": VERSION,
        },
        "severity": severity_name,
        "severity_id": severity,
        "status": "Success" if record["outcome"] == 0 else "Failure",
        "status_id": 1 if record["outcome"] == 0 else 2,
        "time": time_ms(record["time"]),
        "type_name": f"{class_name}: {activity_name}",
        "type_uid": uid * 100 + activity,
        **_parts(entry, uid, _user(entry, names or {})),
        "unmapped": {
            "detail": dict(record["detail"]),
            "object": list(record["object"]),
            "outcome": record["outcome"],
            "reason": entry.reason,
            "role": record["actor"]["role"],
            "subject": list(entry.subjects),
        },
    }


def ocsf_line(entry: Entry, names: Mapping[str, str] | None = None) -> bytes:
    """Return an event of the log as a line of JSON; see `ocsf_event`."""
    return json.dumps(ocsf_event(entry, names), separators=(",", ":")).encode() + b"\n"
