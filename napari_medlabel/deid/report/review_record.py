"""What people decided about images that waited, beside the report of the batch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_medlabel.deid.report.page import REVIEW_BEGINS, REVIEW_ENDS
from napari_medlabel.deid.report.waiting import Waiting
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.io.files import write_bytes_aside

RECORD_NAME = "deid-review.json"
_REPORTS = ("deid-report.json", "deid-report.html")
_VERSION = 1


@dataclass(frozen=True)
class Decision:
    """What a person decided, and when.

    Parameters
    ----------
    accepted, rejected : sequence of Waiting
        What leaves and what is deleted.
    left : int
        Files that still wait.
    date : str
        Day in UTC; empty where nobody said.
    """

    accepted: Sequence[Waiting]
    rejected: Sequence[Waiting]
    left: int
    date: str = ""

    @property
    def manifest(self) -> str:
        """Hash over the hashes of the accepted files, as the log's line has it."""
        lines = "".join(f"{held.sha256}\n" for each in self.accepted for held in each.files)
        return "sha256:" + hashlib.sha256(lines.encode("ascii")).hexdigest()

    def rows(self) -> Iterable[dict[str, Any]]:
        """Yield a row for each file."""
        for word, some in (("accepted", self.accepted), ("rejected", self.rejected)):
            for each in some:
                for held in each.files:
                    yield {
                        "token": each.token,
                        "name": list(held.name),
                        "decision": word,
                        "date": self.date,
                        "look": list(each.look),
                        "sha256": held.sha256,
                        "manifest": self.manifest,
                    }


def note(target: Path, decision: Decision, earlier: Iterable[dict[str, Any]] = ()) -> None:
    """Write decisions into the target, and into the report that is there.

    A decision that is noted twice, as after a kill, stands once.

    Parameters
    ----------
    target : Path
        The folder that the batch wrote; made where something was accepted.
    decision : Decision
        What is about to be done.
    earlier : iterable of dict
        From `earlier_decisions`.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    if not target.is_dir() and not decision.accepted:
        return
    rows = {tuple(row["name"]): row for row in earlier}
    rows.update((tuple(row["name"]), row) for row in decision.rows())
    document = {"version": _VERSION, "left": decision.left, "files": list(rows.values())}
    words = [row["decision"] for row in rows.values()]
    counts = {
        "accepted": words.count("accepted"),
        "rejected": words.count("rejected"),
        "left": decision.left,
    }
    try:
        target.mkdir(parents=True, exist_ok=True)
        write_bytes_aside(target / RECORD_NAME, _as_json(document))
        for name, renewed in zip(_REPORTS, (_in_json, _in_page), strict=True):
            path = target / name
            if path.is_file() and not path.is_symlink():
                write_bytes_aside(path, renewed(path.read_bytes(), counts, decision.date))
    except OSError as err:
        raise SaveError(
            f"The record of the review could not be written ({err.strerror}).",
            hint="Free some space, or get the right to write to the target.",
        ) from err


def earlier_decisions(target: Path) -> list[dict[str, Any]]:
    """Return the rows of the record in a target; none where there is no record.

    Raises
    ------
    InputError
        When the record that is there is not one of ours.
    """
    try:
        document = json.loads((target / RECORD_NAME).read_bytes())
        rows = document["files"]
        known = document["version"] == _VERSION and all(_is_row(row) for row in rows)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, LookupError, TypeError) as err:
        raise _not_ours() from err
    if not known:
        raise _not_ours()
    return list(rows)


def _is_row(row: dict[str, Any]) -> bool:
    return isinstance(row["name"], list) and row["decision"] in ("accepted", "rejected")


def _not_ours() -> InputError:
    return InputError(
        f"The {RECORD_NAME} in the target is not one that `medlabel deid review` wrote.",
        hint="Put it aside, and decide again; nothing was moved.",
    )


def _in_json(content: bytes, counts: dict[str, int], date: str) -> bytes:
    """Return the report with what was decided since; one that is not ours as it is."""
    try:
        report = json.loads(content)
    except ValueError:
        return content
    if not isinstance(report, dict):
        return content
    return _as_json({**report, "reviewed": {**counts, "date": date}})


def _in_page(content: bytes, counts: dict[str, int], date: str) -> bytes:
    """Return the page with a paragraph of what was decided since."""
    head, begins, rest = content.partition(REVIEW_BEGINS.encode())
    _, ends, tail = rest.partition(REVIEW_ENDS.encode())
    if not (begins and ends):
        return content
    words = (
        '<div class="verdict look"><strong>Reviewed since.</strong> Of the files that waited, '
        f"{counts['accepted']} were accepted and lie here now, {counts['rejected']} were "
        f"rejected, {counts['left']} still wait{f' ({date} UTC)' if date else ''}. "
        f"{RECORD_NAME} lists them; the numbers below are those of the run.</div>"
    )
    return head + begins + words.encode("ascii") + ends + tail


def _as_json(document: object) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode("ascii")
