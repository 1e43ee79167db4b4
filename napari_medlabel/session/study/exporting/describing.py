"""What an export says of itself: which version of each case left, and what did not."""

from __future__ import annotations

import json

from napari_medlabel import __version__
from napari_medlabel.session.study.exporting.plan import Chosen, ExportPlan
from napari_medlabel.session.study.exporting.raters import named_readings


def names_leaving(plan: ExportPlan) -> set[str]:
    """Return the names of the cases that leave in some format."""
    return {str(one.record.case) for kind in plan.wish.formats for one in plan.of_format(kind)}


def described(plan: ExportPlan) -> bytes:
    """Return what says what an export is: no people, no places, no times of the work.

    Parameters
    ----------
    plan : ExportPlan
        What leaves. Raters are told of by their codes, where they are wanted.

    Returns
    -------
    bytes
        A JSON document.
    """
    leaving = names_leaving(plan)
    cases = [
        {
            "case": str(one.record.case),
            "state": one.state,
            "mask": one.version.content,
            **_sheets_of(one),
            "scan": one.record.file,
            **_readings_of(one),
            **(
                {"split": plan.wish.splits[one.record.case]}
                if one.record.case in plan.wish.splits
                else {}
            ),
        }
        for one in plan.chosen
        if str(one.record.case) in leaving
    ]
    document = {
        "medlabel": "export",
        "v": 1,
        "software": {"name": "napari-medlabel", "version": __version__},
        "formats": list(plan.wish.formats),
        "by_rater": plan.wish.by_rater,
        **_typed_of(plan),
        **({} if plan.wish.layer is None else {"layer": plan.wish.layer}),
        "cases": cases,
        "left_out": [
            {"case": str(one.case), "format": one.format, "because": one.words}
            for one in plan.left_out
        ],
    }
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def _sheets_of(one: Chosen) -> dict[str, object]:
    """Return the content ids of the masks of further layers, where there are some."""
    sheets = {str(layer): content for layer, content in sorted(one.version.sheets.items())}
    return {"sheets": sheets} if sheets else {}


def _readings_of(one: Chosen) -> dict[str, object]:
    """Return the content ids of each rater's masks by code, where they leave."""
    found = {code: version.content for code, version in named_readings(one.readings)}
    return {"readings": found} if found else {}


def _typed_of(plan: ExportPlan) -> dict[str, object]:
    """Return how many typed answers left and stayed, where there are some."""
    return {"typed_answers": plan.typed._asdict()} if any(plan.typed) else {}
