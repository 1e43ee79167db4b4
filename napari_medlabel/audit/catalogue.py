"""The closed list of events: codes, action, outcomes and detail schema of each.

The codes are those of DICOM PS3.15 A.5 (event id, then type), the lifecycle words those of
ISO 21089 as FHIR uses them. An event that is not here cannot be written, nor read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from napari_medlabel.audit.schema import (
    COUNT,
    COUNTS,
    DIGEST,
    EDITION,
    FLAG,
    HEAD,
    HEADS,
    KEY_ID,
    ORIGIN,
    PUBLIC_KEY,
    SIGNATURE,
    SIGNED,
    SLICES,
    TAG,
    VERSION,
    Field,
    choice,
    many,
)

FORMAT: Final = choice("dicom", "nifti", "nrrd", "mha", "analyze", "other")
EXPORT_FORMAT: Final = choice(
    "nifti", "dicom", "dicom-seg", "rtstruct", "nnunet", "bids", "coco", "croissant", "csv",
    "markups", "bundle", "image", "other",
)  # fmt: skip
MODALITY: Final = choice(
    "CT", "MR", "PT", "NM", "US", "CR", "DX", "MG", "XA", "RF", "SEG", "RTSTRUCT", "OT"
)
DESTINATION: Final = choice(
    "folder", "removable", "network", "pacs", "object-store", "clipboard", "printer", "screen"
)
AUTH: Final = choice("os-login", "passphrase", "service", "none")
PROFILE: Final = choice("basic", "basic-options", "safe-harbor", "expert", "site", "none")
DEID_OPTION: Final = choice(
    "retain-uids", "retain-device", "retain-institution", "retain-patient-characteristics",
    "retain-dates", "shift-dates", "retain-safe-private", "clean-descriptors",
    "clean-structured", "clean-graphics", "clean-pixels", "clean-faces",
)  # fmt: skip
PROVIDER: Final = choice(
    "threshold", "region-grow", "classical", "interpolation", "monailabel", "nninteractive",
    "onnx", "command",
)  # fmt: skip
CAUSE: Final = choice(
    "log", "unreadable", "geometry", "space", "permission", "verify", "identity", "policy",
    "review", "cancelled", "other",
)  # fmt: skip
ERROR: Final = choice("EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES", "INTERRUPTED", "OTHER")
KEY_KIND: Final = choice("subject-token", "session", "install", "user", "officer", "project")
LIMB: Final = choice("memory", "peer", "witness", "receipt", "paper", "heartbeat")


@dataclass(frozen=True, slots=True)
class Spec:
    """What one event is.

    Parameters
    ----------
    dcm : tuple of str
        DICOM event id and, where there is one, event type.
    action : str
        C, R, U, D or E.
    iso : str
        ISO 21089 word, or empty.
    required, optional : mapping of str to Field
        Keys of the detail.
    outcomes : tuple of int
        Allowed outcomes (0 success, 4 minor, 8 serious, 12 major failure); the first is
        the usual one.
    new_as : tuple of str
        Action and ISO word when no object has the role ``old``; empty where it makes no
        difference.
    needs_reason : bool
        Whether a coded reason must be given.
    anchors : tuple of str
        Keys of the detail that hold heads which bind other sessions.
    """

    dcm: tuple[str, ...]
    action: str
    iso: str = ""
    required: Mapping[str, Field] = field(default_factory=dict)
    optional: Mapping[str, Field] = field(default_factory=dict)
    outcomes: tuple[int, ...] = (0,)
    new_as: tuple[str, ...] = ()
    needs_reason: bool = False
    anchors: tuple[str, ...] = ()


_ACCESS: Final = ("110103",)
_EXPORT: Final = ("110106",)
_LOG_USED: Final = ("110101",)
_SECURITY: Final = ("110113",)
_RESTRICTED: Final = ("110113", "110132")
_FAILS: Final = (8, 4, 12)

_CHANGE: Final[Mapping[str, Field]] = {
    "labels": COUNTS,
    "voxels_added": COUNT,
    "voxels_removed": COUNT,
}
_CHANGE_MORE: Final[Mapping[str, Field]] = {
    "voxels_changed": COUNT,
    "slices": SLICES,
    "axis": COUNT,
    "source_bound": FLAG,
    "edits": COUNT,
    "file": DIGEST,
}
_VOLUME: Final[Mapping[str, Field]] = {
    "slices": COUNT,
    "rows": COUNT,
    "columns": COUNT,
    "frames": COUNT,
    "files": COUNT,
    "bytes": COUNT,
    "modality": MODALITY,
    "compressed": FLAG,
    "oblique": FLAG,
    "warnings": COUNT,
    "weak": FLAG,
}
_LEAVES: Final[Mapping[str, Field]] = {
    "format": EXPORT_FORMAT,
    "files": COUNT,
    "bytes": COUNT,
    "cases": COUNT,
    "manifest": DIGEST,
    "profile": PROFILE,
    "edition": EDITION,
    "key_id": KEY_ID,
    "profile_hash": DIGEST,
    "deidentified": FLAG,
    "options": many(DEID_OPTION),
    "site_rules": FLAG,
    "resumed": FLAG,
    "retained": COUNT,
    "retained_tags": many(TAG),
    "receipt": DIGEST,
}
_ROUND: Final[Mapping[str, Field]] = {"round": COUNT, "case": DIGEST}
_KEY: Final[Mapping[str, Field]] = {"kid": COUNT, "pub": PUBLIC_KEY, "key_id": KEY_ID}

_EVENTS: dict[str, Spec] = {
    # sessions and people
    "session.open": Spec(
        ("110100", "110120"),
        "E",
        required={"origin": ORIGIN, "pub": PUBLIC_KEY},
        optional={
            "prev_session": HEAD,
            "peers": HEADS,
            "cert": SIGNATURE,
            "tool": VERSION,
            "python": VERSION,
            "platform": choice("linux", "darwin", "win32", "other"),
            "clock": choice("boottime", "monotonic", "other"),
            "wheel": DIGEST,
            "lock": DIGEST,
            "validation": choice("validated", "unvalidated"),
        },
        anchors=("prev_session", "peers"),
    ),
    "session.close": Spec(
        ("110100", "110121"), "E", optional={"end": choice("normal", "error", "rotate")}
    ),
    "session.recover": Spec(
        ("110100", "110133"),
        "E",
        required={"found": HEAD, "remembered": COUNT},
        outcomes=(4,),
        anchors=("found",),
    ),
    "user.identify": Spec(("110114", "110122"), "E", optional={"method": AUTH}),
    "user.auth.fail": Spec(
        ("110114", "110122"), "E", optional={"method": AUTH}, outcomes=_FAILS
    ),
    "user.switch": Spec(("110114", "110123"), "E", optional={"method": AUTH}),
    # scans
    "volume.open": Spec(_ACCESS, "R", "access", {"format": FORMAT}, _VOLUME),
    "volume.open.denied": Spec(
        _ACCESS, "R", "access", {}, {"format": FORMAT, "cause": CAUSE}, outcomes=_FAILS
    ),
    "header.view": Spec(_RESTRICTED, "E", "access", {}, {"tags": COUNT}),
    "folder.query": Spec(("110112",), "E", "", {}, {"found": COUNT}),
    "import.convert": Spec(
        ("110107",), "C", "originate", {"format": FORMAT}, {**_VOLUME, "to": FORMAT}
    ),
    # masks, landmarks
    "mask.create": Spec(
        _ACCESS, "C", "originate", {}, {**_CHANGE, **_CHANGE_MORE, "voxels": COUNT}
    ),
    "mask.save": Spec(_ACCESS, "U", "amend", _CHANGE, _CHANGE_MORE, new_as=("C", "originate")),
    "mask.restore": Spec(
        _ACCESS, "U", "amend", {}, {**_CHANGE, **_CHANGE_MORE, "version": COUNT}
    ),
    "mask.delete": Spec(_ACCESS, "D", "destroy", {}, {"labels": COUNTS, "voxels": COUNT}),
    "landmark.save": Spec(
        _ACCESS,
        "U",
        "amend",
        {"count": COUNT},
        {
            "added": COUNT,
            "moved": COUNT,
            "removed": COUNT,
            "expected": COUNT,
            "source_bound": FLAG,
            "file": DIGEST,
        },
        new_as=("C", "originate"),
    ),
    "autosave.recover": Spec(
        _ACCESS,
        "U",
        "restore",
        {"choice": choice("accepted", "discarded", "kept-both")},
        {**_CHANGE, **_CHANGE_MORE, "records": COUNT, "base_matches": FLAG},
    ),
    "edit.unattributed": Spec(
        _ACCESS,
        "U",
        "amend",
        _CHANGE,
        {**_CHANGE_MORE, "found_at": choice("edit", "save", "journal", "recover", "close")},
        outcomes=(4, 0),
    ),
    "assist.run": Spec(
        _ACCESS,
        "U",
        "transform",
        {"provider": PROVIDER},
        {
            **_CHANGE,
            **_CHANGE_MORE,
            "weights": DIGEST,
            "params": DIGEST,
            "prompts": COUNT,
            "accepted": FLAG,
        },
    ),
    # review and signature
    "review.submit": Spec(_ACCESS, "U", "verify", {}, _ROUND),
    "review.reject": Spec(_ACCESS, "U", "verify", {}, _ROUND, needs_reason=True),
    "review.approve": Spec(_ACCESS, "U", "attest", {}, _ROUND),
    "review.unlock": Spec(_ACCESS, "U", "unlock", {}, _ROUND, needs_reason=True),
    "sign.apply": Spec(
        _ACCESS,
        "U",
        "attest",
        {"meaning": choice("authored", "reviewed", "approved")},
        {"signature": SIGNATURE, "pub": PUBLIC_KEY},
    ),
    "sign.fail": Spec(("110114",), "U", "attest", {}, {"cause": CAUSE}, outcomes=_FAILS),
    # de-identification and what leaves
    "deid.run": Spec(
        _EXPORT,
        "R",
        "deidentify",
        {"profile": PROFILE, "profile_hash": DIGEST, "files": COUNT},
        {
            "edition": EDITION,
            "key_id": KEY_ID,
            "options": many(DEID_OPTION),
            "site_rules": FLAG,
            "scanned": FLAG,
            "review": COUNT,
            "frames_changed": COUNT,
            "format": FORMAT,
            "method": choice("safe-harbor", "expert", "profile"),
            "quarantined": COUNT,
            "skipped": COUNT,
            "removed": COUNT,
            "emptied": COUNT,
            "replaced": COUNT,
            "cleaned": COUNT,
            "retained": COUNT,
            "retained_tags": many(TAG),
            "private_removed": COUNT,
            "uids_replaced": COUNT,
            "dates_shifted": COUNT,
            "burned_in": choice("checked", "not-checked", "found", "cleaned"),
            "defaced": FLAG,
            "cases": COUNT,
            "bytes": COUNT,
            "manifest": DIGEST,
            "expert": DIGEST,
            "dry_run": FLAG,
        },
        outcomes=(0, 4, 8),
    ),
    "deid.override": Spec(
        _RESTRICTED, "E", "", {"tag": TAG}, {"profile": PROFILE}, needs_reason=True
    ),
    "export.begin": Spec(_EXPORT, "R", "disclose", {"destination": DESTINATION}, _LEAVES),
    "export.done": Spec(_EXPORT, "R", "disclose", {"destination": DESTINATION}, _LEAVES),
    "export.fail": Spec(
        _EXPORT,
        "R",
        "disclose",
        {"destination": DESTINATION},
        {**_LEAVES, "cause": CAUSE},
        outcomes=_FAILS,
    ),
    "export.screen": Spec(
        _EXPORT,
        "R",
        "disclose",
        {"kind": choice("screenshot", "animation", "clipboard", "print", "save-layer")},
        {"destination": DESTINATION, "files": COUNT, "frames": COUNT},
    ),
    "deid.preview": Spec(
        _ACCESS,
        "R",
        "",
        {"profile": PROFILE, "profile_hash": DIGEST, "files": COUNT},
        {
            "edition": EDITION,
            "options": many(DEID_OPTION),
            "site_rules": FLAG,
            "values_shown": FLAG,
        },
    ),
    "deid.review": Spec(
        ("110110",),
        "R",
        "verify",
        {"accepted": COUNT, "rejected": COUNT},
        {"files": COUNT, "left": COUNT, "manifest": DIGEST},
    ),
    "reid.lookup": Spec(_RESTRICTED, "E", "reidentify", {}, {"codes": COUNT}),
    "reid.export": Spec(
        _RESTRICTED, "E", "reidentify", {"cases": COUNT}, {"files": COUNT, "uids": COUNT}
    ),
    "reid.table": Spec(
        _RESTRICTED,
        "U",
        "",
        {"what": choice("begun", "merged", "accepted")},
        {"codes": COUNT, "key_id": KEY_ID},
    ),
    "batch.open": Spec(("110100",), "E", "", {}, {"children": HEADS, "jobs": COUNT}),
    "batch.close": Spec(
        ("110100",),
        "E",
        "",
        {},
        {"expected": HEADS, "actual": HEADS},
        anchors=("expected", "actual"),
        outcomes=(0, 4, 8),
    ),
    # settings, keys
    "config.change": Spec(
        ("110113", "110131"),
        "E",
        "",
        {"setting": choice("profile", "retention", "plugins", "policy", "site", "scheme")},
        {"old": DIGEST, "new": DIGEST},
    ),
    "key.create": Spec(("110113", "110137"), "E", "", {"key": KEY_KIND}, _KEY),
    "key.rotate": Spec(("110113", "110137"), "E", "", {"key": KEY_KIND}, _KEY),
    "key.revoke": Spec(("110113", "110137"), "E", "", {"key": KEY_KIND}, _KEY),
    "key.seal": Spec(
        ("110113", "110137"),
        "E",
        "",
        {"what": choice("set", "change", "remove")},
        {"key_id": KEY_ID},
    ),
    "override.start": Spec(("110113", "110127"), "E", needs_reason=True),
    "override.stop": Spec(("110113", "110138"), "E"),
    # the log about itself
    "audit.view": Spec(_LOG_USED, "R", "", {}, {"events": COUNT, "sessions": COUNT}),
    "audit.report": Spec(_LOG_USED, "R", "", {}, {"events": COUNT, "report": DIGEST}),
    "audit.export": Spec(
        _LOG_USED,
        "R",
        "",
        {"format": choice("bundle", "csv", "fhir", "dicom", "ocsf", "art30")},
        {"events": COUNT, "manifest": DIGEST},
    ),
    "audit.verify": Spec(
        _LOG_USED,
        "R",
        "",
        {"verdict": choice("green", "amber", "red")},
        {"events": COUNT, "sessions": COUNT, "red": COUNT, "amber": COUNT},
        outcomes=(0, 4, 12),
    ),
    "audit.review": Spec(_LOG_USED, "R", "", {}, {"events": COUNT, "report": DIGEST}),
    "audit.fail": Spec(
        ("110113", "110133"),
        "E",
        "",
        {"error": ERROR},
        {"head": HEAD},
        outcomes=(8,),
        anchors=("head",),
    ),
    "audit.resume": Spec(("110113", "110134"), "E", "", {}, {"spool": FLAG}),
    "tamper.found": Spec(
        _SECURITY,
        "E",
        "",
        {"what": choice("missing", "truncated", "changed"), "head": HEAD},
        {"found": COUNT},
        outcomes=(12,),
        anchors=("head",),
    ),
    "clock.jump": Spec(_SECURITY, "E", "", {"delta_ms": SIGNED}, outcomes=(4,)),
    "anchor.observe": Spec((), "E", "", {"heads": HEADS}, {"source": LIMB}, anchors=("heads",)),
    "witness.cosign": Spec((), "E", "", {"heads": HEADS}, anchors=("heads",)),
    "retention.prune": Spec(_ACCESS, "D", "destroy", {"pruned": HEADS}, {"policy_days": COUNT}),
}

EVENTS: Final[Mapping[str, Spec]] = MappingProxyType(_EVENTS)
"""Every event that there is, by name."""
