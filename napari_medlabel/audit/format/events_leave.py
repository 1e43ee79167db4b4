"""Events about what leaves, under which name, and who looks up whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from napari_medlabel.audit.format.kinds import (
    ACCESS,
    CAUSE,
    DEID_OPTION,
    DESTINATION,
    EXPORT,
    EXPORT_FORMAT,
    FAILS,
    FORMAT,
    LEAVES,
    PROFILE,
    RESTRICTED,
)
from napari_medlabel.audit.format.schema import (
    COUNT,
    DIGEST,
    EDITION,
    FLAG,
    HEADS,
    KEY_ID,
    TAG,
    choice,
    many,
)
from napari_medlabel.audit.format.spec import Spec

_LEAVES: Final = {**LEAVES, "typed": COUNT, "by_rater": FLAG}
"""Of an export: answers that somebody typed, and whether it tells who labelled what."""

ABOUT_LEAVING: Final[Mapping[str, Spec]] = {
    # de-identification and what leaves
    "deid.run": Spec(
        EXPORT,
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
        RESTRICTED, "E", "", {"tag": TAG}, {"profile": PROFILE}, needs_reason=True
    ),
    "export.begin": Spec(EXPORT, "R", "disclose", {"destination": DESTINATION}, _LEAVES),
    "export.done": Spec(EXPORT, "R", "disclose", {"destination": DESTINATION}, _LEAVES),
    "export.fail": Spec(
        EXPORT,
        "R",
        "disclose",
        {"destination": DESTINATION},
        {**_LEAVES, "cause": CAUSE},
        outcomes=FAILS,
    ),
    "export.screen": Spec(
        EXPORT,
        "R",
        "disclose",
        {"kind": choice("screenshot", "animation", "clipboard", "print", "save-layer")},
        {"destination": DESTINATION, "files": COUNT, "frames": COUNT, "format": EXPORT_FORMAT},
    ),
    "deid.preview": Spec(
        ACCESS,
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
    "reid.lookup": Spec(RESTRICTED, "E", "reidentify", {}, {"codes": COUNT}),
    "reid.export": Spec(
        RESTRICTED, "E", "reidentify", {"cases": COUNT}, {"files": COUNT, "uids": COUNT}
    ),
    "reid.table": Spec(
        RESTRICTED,
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
}
"""By name."""
