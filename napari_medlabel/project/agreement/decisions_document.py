"""The document of an adjudicator's decisions: one writer, written whole after every decision.

It names the readings by content: who goes on tomorrow finds everything, and on other masks it
is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import RefusedError
from napari_medlabel.io.files import make_folder, write_bytes_aside
from napari_medlabel.project.agreement.adjudication import (
    Adjudication,
    Decision,
    MarkDecision,
    strange_document,
)

VERSION: Final = 1


def write_adjudication(path: Path, adjudication: Adjudication) -> None:
    """Write the document; only its adjudicator does.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    document = {
        "medlabel": "adjudication",
        "v": VERSION,
        "case": adjudication.case,
        "adjudicator": adjudication.adjudicator,
        "readings": dict(adjudication.contents),
        "rest_below_ml": adjudication.rest_below_ml,
        "rest": adjudication.rest,
        "decisions": [
            {"difference": number, "choice": one.choice, "time": one.time}
            | ({"runs": [list(run) for run in one.runs]} if one.choice == "edited" else {})
            for number, one in sorted(adjudication.decisions.items())
        ],
        "landmarks": [
            {"name": name, "choice": one.choice, "time": one.time, "ras_mm": one.point_ras}
            for name, one in adjudication.marks.items()
        ],
        "answers": dict(adjudication.answers),
    } | ({"layer": adjudication.layer} if adjudication.layer else {})
    make_folder(path.parent)
    write_bytes_aside(path, (json.dumps(document, indent=1) + "\n").encode())


def read_adjudication(path: Path, wanted: Adjudication) -> Adjudication:
    """Read a document and go on with it.

    Parameters
    ----------
    path : Path
        The document.
    wanted : Adjudication
        Case, adjudicator and contents that it must be of.

    Raises
    ------
    InputError
        When it cannot be read or is none.
    RefusedError
        When it is somebody else's, or of other masks.
    """
    try:
        data: dict[str, Any] = json.loads(path.read_bytes())
        if data["medlabel"] != "adjudication" or data["v"] != VERSION:
            raise TypeError  # noqa: TRY301 - joins what a wrong form raises by itself
        found = Adjudication(
            str(data["case"]),
            str(data["adjudicator"]),
            {str(name): str(content) for name, content in data["readings"].items()},
            {int(row["difference"]): _decision(row) for row in data["decisions"]},
            float(data["rest_below_ml"]),
            str(data["rest"]),
            {str(row["name"]): _mark(row) for row in data.get("landmarks", ())},
            {str(q): str(whose) for q, whose in data.get("answers", {}).items()},
            int(data.get("layer", 0)),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise strange_document() from err
    if (found.case, found.adjudicator) != (wanted.case, wanted.adjudicator):
        raise RefusedError(
            "These decisions are somebody else's, or on another case.",
            hint="Each adjudicator has a document of their own.",
        )
    if (dict(found.contents), found.layer) != (dict(wanted.contents), wanted.layer):
        raise RefusedError(
            "A reading has changed since these decisions were made.",
            hint="Decide anew: the differences are others now.",
        )
    return found


def _decision(row: Mapping[str, Any]) -> Decision:
    runs = tuple((int(a), int(n), int(v)) for a, n, v in row.get("runs", ()))
    return Decision(str(row["choice"]), str(row["time"]), runs)


def _mark(row: Mapping[str, Any]) -> MarkDecision:
    given = row["ras_mm"]
    point = None
    if given is not None:
        r, a, s = (float(mm) for mm in given)
        point = (r, a, s)
    return MarkDecision(str(row["choice"]), str(row["time"]), point)
