"""Events about the work of a study: what its worklist is folded from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from napari_medlabel.audit.format.kinds import ACCESS, SECURITY, SLOT, WORK
from napari_medlabel.audit.format.schema import (
    COUNT,
    COUNTS,
    DIGEST,
    FLAG,
    USER,
    choice,
    group,
    many,
)
from napari_medlabel.audit.format.spec import Spec

_RULE: Final = choice(
    "adjudicate", "majority", "staple", "union", "intersection", "distance", "single"
)
_MADE_OF: Final = group(
    "reading {content, slot, step, whole}",
    {"content": DIGEST, "slot": SLOT, "step": COUNT, "whole": DIGEST},
)
"""A reading as a consensus met it: by its last step, its first mask, and its version."""

ABOUT_STUDY: Final[Mapping[str, Spec]] = {
    "study.case": Spec(
        ACCESS,
        "C",
        "originate",
        {"case": DIGEST, "slots": COUNT},
        {"file": DIGEST, "sidecar": DIGEST},
    ),
    "study.rules": Spec(
        SECURITY,
        "U",
        "",
        {
            "setting": choice(
                "project", "ontology", "guideline", "assignment", "gold", "calibration"
            ),
            "new": DIGEST,
        },
        {"old": DIGEST},
    ),
    # who is at work
    "study.claim": Spec(ACCESS, "E", "", WORK, {"hours": COUNT}),
    "study.takeover": Spec(ACCESS, "E", "", WORK, {"hours": COUNT}),
    # steps of the annotator; submitting, approving and the like are review.*
    "study.start": Spec(ACCESS, "U", "", WORK),
    "study.release": Spec(ACCESS, "U", "", WORK),
    "study.withdraw": Spec(ACCESS, "U", "", WORK),
    "study.skip": Spec(ACCESS, "U", "", WORK, needs_reason=True),
    "study.problem": Spec(ACCESS, "U", "", WORK, needs_reason=True),
    "study.resume": Spec(ACCESS, "U", "", WORK),
    "study.outdate": Spec(
        ACCESS,
        "U",
        "",
        {**WORK, "because": choice("guideline", "ontology", "scan")},
        {"new": DIGEST},
    ),
    "study.confirm": Spec(
        ACCESS, "U", "verify", WORK, {"ontology": DIGEST, "guideline": DIGEST}
    ),
    "study.settle": Spec(
        ACCESS, "U", "verify", WORK, {"chosen": DIGEST, "maker": USER, "version": COUNT}
    ),
    # what comes of several readings
    "study.gold": Spec(
        ACCESS,
        "E",
        "",
        {**WORK, "passed": FLAG},
        {"dice_milli": COUNT, "hd95_um": COUNT, "volume_ul": COUNT, "landmark_um": COUNT},
    ),
    "study.draw": Spec(
        ACCESS,
        "E",
        "",
        {"drawn": COUNT, "of": COUNT},
        {
            "kind": choice("review", "gold", "repeat", "split", "sample"),
            "seed": COUNT,
            "checked": COUNT,
            "faulty": COUNT,
        },
    ),
    "study.score": Spec(
        ACCESS, "E", "", {**WORK, "score": COUNT}, {"round": COUNT, "version": COUNT}
    ),
    "study.consensus": Spec(
        ACCESS,
        "U",
        "transform",
        {"case": DIGEST, "rule": _RULE},
        {
            "readings": COUNT,
            "components": COUNT,
            "open": COUNT,
            "version": COUNT,
            # whom the study's rules asked for: to settle is a judgement, a set rule is none
            "adjudicator": choice("independent", "reader", "nobody"),
            "whole": DIGEST,
            "has_read": FLAG,  # whoever settled it had made a mask of the case
            "made_of": many(_MADE_OF, 8),  # clocks do not tell whether a reading came later
        },
        new_as=("C", "originate"),
    ),
    "study.comment": Spec(
        ACCESS,
        "U",
        "",
        {"case": DIGEST},
        {"thread": DIGEST, "state": choice("open", "answered", "resolved")},
    ),
    "study.publish": Spec(
        ACCESS,
        "C",
        "originate",
        {"files": COUNT, "manifest": DIGEST},
        {"cases": COUNT, "bytes": COUNT, "labels": COUNTS},
    ),
}
"""By name."""
