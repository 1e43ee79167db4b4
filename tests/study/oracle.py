"""Judges a study after a round, from its files alone: it shares no line with the program.

The log is read as lines of JSON, masks with nibabel, and states are walked by a table of its
own. What the script was told is held against what lies there.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import nibabel as nib
import numpy as np

from tests.study.book import Book, Key, digests, version_files
from tests.study.founding import REPEAT_DAYS
from tests.study.shapes import LAYERS

LEADS: Final = {
    "study.start": "in_progress",
    "study.release": "todo",
    "review.submit": "submitted",
    "study.withdraw": "in_progress",
    "study.skip": "skipped",
    "study.problem": "problem",
    "study.resume": "todo",
    "review.begin": "in_review",
    "review.leave": "submitted",
    "review.approve": "approved",
    "review.reject": "rejected",
    "review.correct": "corrected",
    "review.unlock": "in_progress",
    "study.outdate": "stale",
    "study.confirm": "submitted",
}
_WRITTEN: Final = ("review.submit", "review.correct", "study.consensus")

_OWN: Final = frozenset({".bidsignore", ".gitignore", ".reserve"})


@dataclass(frozen=True)
class Line:
    """One line of the log.

    Parameters
    ----------
    writer : str
        Whose computer wrote it.
    day : date
        When.
    event : str
        What happened.
    detail : dict
        What else it says.
    new : str
        Content id of the mask that it made; empty for none.
    """

    writer: str
    day: date
    event: str
    detail: dict[str, Any]
    new: str


@dataclass
class Judged:
    """What the oracle saw.

    Attributes
    ----------
    faults : list of str
        What is not as it must be.
    counts : dict of str to int
        How much was looked at.
    states : dict
        In which state each reading is, by the oracle's own walk.
    left : list of str
        Hidden files that a killed process left.
    """

    faults: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    states: dict[Key, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


def lines_of(audit: Path) -> Iterator[Line]:
    """Yield the whole lines of a log, with their writers."""
    for path in sorted(audit.glob("writers/**/*.jsonl")):
        writer = path.relative_to(audit / "writers").parts[0]
        for raw in path.read_bytes().split(b"\n"):
            try:
                record = json.loads(raw)
            except ValueError:
                continue  # a torn last line: it was promised to nobody
            if isinstance(record, dict) and "event" in record:
                new = [ref["id"] for ref in record.get("object", ()) if ref["role"] == "new"]
                day = date.fromisoformat(record["time"][:10])
                yield Line(writer, day, record["event"], record["detail"], "".join(new[:1]))


def judge(study: Path, book: Book, writers: dict[str, str], slots: str = "AB") -> Judged:
    """Judge a study.

    Parameters
    ----------
    study : Path
        Its folder.
    book : Book
        What the script was told.
    writers : dict of str to str
        Codes by the name of their computer in the log.
    slots : str
        Letters of the study's own readings.
    """
    found = Judged()
    lines = list(lines_of(study / "medlabel" / "audit"))
    records = [json.loads(p.read_bytes()) for p in (study / "medlabel/cases").glob("*.json")]
    cases = {str(one["content"]): str(one["case"]) for one in records}
    found.counts["lines of the log"] = len(lines)
    _walk(lines, cases, book, found)
    _blind(lines, cases, writers, slots, found)
    _versions(study, lines, cases, writers, found)
    _drawn(study, lines, cases, book, found)
    _leftovers(study, found)
    return found


def _walk(lines: list[Line], cases: dict[str, str], book: Book, found: Judged) -> None:
    """Hold the steps of each reading against what the script knows of it."""
    steps: dict[Key, list[tuple[int, str]]] = defaultdict(list)
    for line in lines:
        if line.event in LEADS and "step" in line.detail:
            key = (cases[line.detail["case"]], line.detail["slot"])
            steps[key].append((line.detail["step"], line.event))
    for key, many in sorted(steps.items()):
        many.sort()
        if [number for number, _ in many] != list(range(1, len(many) + 1)):
            found.faults.append(f"{key}: steps are missing or doubled: {many}")
        found.states[key] = LEADS[many[-1][1]]
        must = book.must.get(key, "approved")
        if found.states[key] != must:
            found.faults.append(f"{key}: it is {found.states[key]}, and must be {must}")
    found.counts["steps"] = sum(map(len, steps.values()))
    found.counts["readings"] = len(steps)


def _blind(
    lines: list[Line],
    cases: dict[str, str],
    writers: dict[str, str],
    slots: str,
    found: Judged,
) -> None:
    """Look who read what: nobody reads a case twice, but beyond the study's own, and later."""
    read: dict[tuple[str, str], dict[str, list[date]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        if line.event == "review.submit":
            key = (writers[line.writer], cases[line.detail["case"]])
            read[key][line.detail["slot"]].append(line.day)
    for (rater, case), many in sorted(read.items()):
        found.counts["readings beyond the study's own"] += sum(one not in slots for one in many)
        if len(many) == 1:
            continue
        found.counts["of these, the same again"] += 1
        first, *more = sorted(many.items(), key=lambda one: one[1])
        days = (more[0][1][0] - max(first[1])).days
        if len(many) > 2 or more[0][0] in slots or days < REPEAT_DAYS:
            found.faults.append(f"{rater} reads {case} twice: {dict(many)}")


def _versions(
    study: Path,
    lines: list[Line],
    cases: dict[str, str],
    writers: dict[str, str],
    found: Judged,
) -> None:
    """Hold every version on the disk against the one line that must tell of it."""
    told = _told(study, lines, cases, writers, found)
    for path in sorted((study / "derivatives").rglob("*_dseg.json")):
        if not path.name.startswith("."):
            _version(study, path, told, found)
    for path in sorted((study / "derivatives").rglob("*_desc-*v[0-9][0-9][0-9]_*")):
        stem = path.name.rpartition("_")[0]
        if not path.name.startswith(".") and not path.with_name(f"{stem}_dseg.json").exists():
            found.faults.append(f"never whole, and still there: {path.name}")


def _told(
    study: Path,
    lines: list[Line],
    cases: dict[str, str],
    writers: dict[str, str],
    found: Judged,
) -> Counter[tuple[str, str, int, str]]:
    """Return how often the log tells of each version: rater, case, number, content."""
    told: Counter[tuple[str, str, int, str]] = Counter()
    for line in lines:
        if line.event in _WRITTEN and "version" in line.detail:
            is_consensus = line.event == "study.consensus"
            rater = "consensus" if is_consensus else writers[line.writer]
            case, number = cases[line.detail["case"]], line.detail["version"]
            told[rater, case, number, line.new] += 1
            if not version_files(study, rater, case, number):
                found.faults.append(f"lost: {rater} {case} version {number}")
    for key, times in told.items():
        # An outdated reading may be submitted again as it was: one version, two submissions.
        if times > 1 and key[0] == "consensus":
            found.faults.append(f"the log tells {times} times of {key[:3]}")
    return told


def _version(
    study: Path, path: Path, told: Counter[tuple[str, str, int, str]], found: Judged
) -> None:
    """Hold one version against its sidecar and the log."""
    document = json.loads(path.read_bytes())
    known = document["study"]
    key = (known["rater"], known["case"], known["version"], document["mask"]["content_id"])
    found.counts["versions"] += 1
    if key not in told:
        found.faults.append(f"nobody tells of {key[:3]}")
    for name, digest in known["files"].items():
        found.counts["files of versions"] += 1
        if _digest(study / name) != digest:
            found.faults.append(f"half written or changed: {name}")
    there = {one.name for one in version_files(study, *key[:3])}
    named = {path.name, *(Path(name).name for name in known["files"])}
    if there != named:
        found.faults.append(f"{key[:3]}: files differ from those of its sidecar")


def _drawn(
    study: Path, lines: list[Line], cases: dict[str, str], book: Book, found: Judged
) -> None:
    """Hold what was acknowledged against the masks: the same voxels, the same bytes, once."""
    submitted = Counter(
        (cases[line.detail["case"]], line.detail["slot"], line.detail["version"], line.new)
        for line in lines
        if line.event in ("review.submit", "review.correct")
    )
    acknowledged = Counter((one.case, one.slot, one.version, one.content) for one in book.drawn)
    found.counts["acknowledged"] = len(book.drawn)
    for key, times in acknowledged.items():
        if submitted[key] < times:
            found.faults.append(
                f"acknowledged {times} times, in the log {submitted[key]}: {key}"
            )
    found.counts["not acknowledged, and kept"] = (submitted - acknowledged).total()
    for one in book.drawn:
        if digests(study, one.rater, one.case, one.version) != one.files:
            found.faults.append(f"overwritten: {one.rater} {one.case} version {one.version}")
        paths = version_files(study, one.rater, one.case, one.version)
        for layer, drawn in LAYERS.items():
            end = f"_{f'l{layer}' if layer else ''}dseg.nii.gz"
            mask = next((path for path in paths if path.name.endswith(end)), None)
            if mask is None:
                found.faults.append(f"lost: {one.rater} {one.case} version {one.version}")
                continue
            array = np.asanyarray(nib.load(mask).dataobj)
            wanted = drawn(array.shape, one.case, one.rater, one.turn)
            found.counts["masks compared"] += 1
            found.counts["voxels compared"] += array.size
            if not np.array_equal(array, wanted):
                found.faults.append(f"not what was drawn: {mask.name}")


def _leftovers(study: Path, found: Judged) -> None:
    """List hidden files that are none of a study's own."""
    for path in sorted(study.rglob("*")):
        is_ours = path.name.endswith(".lock") or path.name in _OWN
        if path.is_file() and path.name.startswith(".") and not is_ours:
            found.left.append(path.relative_to(study).as_posix())
    for path in sorted((study / "medlabel" / "claims").glob("*")):
        if not path.name.startswith("."):
            found.left.append(path.relative_to(study).as_posix())


def _digest(path: Path) -> str:
    if not path.is_file():
        return ""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
