"""Events about scans, masks, landmarks, review and signature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from napari_medlabel.audit.format.kinds import (
    ACCESS,
    CAUSE,
    CHANGE,
    CHANGE_MORE,
    FAILS,
    FORMAT,
    PROVIDER,
    RESTRICTED,
    ROUND,
    VOLUME,
)
from napari_medlabel.audit.format.schema import (
    COUNT,
    COUNTS,
    DIGEST,
    FLAG,
    PUBLIC_KEY,
    SIGNATURE,
    choice,
)
from napari_medlabel.audit.format.spec import Spec

ABOUT_WORK: Final[Mapping[str, Spec]] = {
    # scans
    "volume.open": Spec(
        ACCESS, "R", "access", {"format": FORMAT}, {**VOLUME, "assignment": DIGEST}
    ),
    "volume.open.denied": Spec(
        ACCESS, "R", "access", {}, {"format": FORMAT, "cause": CAUSE}, outcomes=FAILS
    ),
    "header.view": Spec(RESTRICTED, "E", "access", {}, {"tags": COUNT}),
    "folder.query": Spec(("110112",), "E", "", {}, {"found": COUNT}),
    "import.convert": Spec(
        ("110107",), "C", "originate", {"format": FORMAT}, {**VOLUME, "to": FORMAT}
    ),
    # masks, landmarks
    "mask.create": Spec(
        ACCESS, "C", "originate", {}, {**CHANGE, **CHANGE_MORE, "voxels": COUNT}
    ),
    "mask.save": Spec(ACCESS, "U", "amend", CHANGE, CHANGE_MORE, new_as=("C", "originate")),
    "mask.restore": Spec(ACCESS, "U", "amend", {}, {**CHANGE, **CHANGE_MORE, "version": COUNT}),
    "mask.delete": Spec(
        ACCESS, "D", "destroy", {}, {"labels": COUNTS, "voxels": COUNT, "case": DIGEST}
    ),
    "landmark.save": Spec(
        ACCESS,
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
            "case": DIGEST,
        },
        new_as=("C", "originate"),
    ),
    "autosave.recover": Spec(
        ACCESS,
        "U",
        "restore",
        {"choice": choice("accepted", "discarded", "kept-both")},
        {**CHANGE, **CHANGE_MORE, "records": COUNT, "base_matches": FLAG},
    ),
    "edit.unattributed": Spec(
        ACCESS,
        "U",
        "amend",
        CHANGE,
        {**CHANGE_MORE, "found_at": choice("edit", "save", "journal", "recover", "close")},
        outcomes=(4, 0),
    ),
    "assist.run": Spec(
        ACCESS,
        "U",
        "transform",
        {"provider": PROVIDER},
        {
            **CHANGE,
            **CHANGE_MORE,
            "weights": DIGEST,
            "params": DIGEST,
            "prompts": COUNT,
            "accepted": FLAG,
            "volume": COUNT,
        },
    ),
    # review and signature
    "review.submit": Spec(ACCESS, "U", "verify", {}, ROUND),
    "review.reject": Spec(ACCESS, "U", "verify", {}, ROUND, needs_reason=True),
    "review.approve": Spec(ACCESS, "U", "attest", {}, ROUND),
    "review.begin": Spec(ACCESS, "R", "", {}, ROUND),
    "review.leave": Spec(ACCESS, "E", "", {}, ROUND),
    "review.correct": Spec(ACCESS, "U", "amend", {}, ROUND),
    "review.unlock": Spec(ACCESS, "U", "unlock", {}, ROUND, needs_reason=True),
    "sign.apply": Spec(
        ACCESS,
        "U",
        "attest",
        {"meaning": choice("authored", "reviewed", "approved")},
        {"signature": SIGNATURE, "pub": PUBLIC_KEY, "statement": DIGEST},
    ),
    "sign.fail": Spec(("110114",), "U", "attest", {}, {"cause": CAUSE}, outcomes=FAILS),
}
"""By name."""
