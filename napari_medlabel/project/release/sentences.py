"""What the facts of a release say, sentence by sentence; empty where they say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from napari_medlabel.project.release.facts import Facts
from napari_medlabel.project.release.making import SINGLE
from napari_medlabel.project.release.unresolved import ENDING

_WAYS: Final = {
    SINGLE: "a single reading",
    "adjudicate": "adjudication, difference by difference",
    "majority": "majority of readings, voxel by voxel",
    "staple": "STAPLE of readings",
    "union": "union of readings",
    "intersection": "intersection of readings",
    "distance": "mean signed distance of readings",
}
_SETTLED: Final = {
    "independent": "an adjudicator who had not read the case",
    "reader": "an adjudicator who had read it, too",
    "rule": "a rule of consensus, and no person",
    "unknown": "an account that is on no list",
}
_WITH_MASK: Final = ("submitted", "in_review", "approved", "rejected", "corrected", "stale")


def instances(facts: Facts) -> str:
    """Say how many scans of how many patients there are, and of which kind."""
    if not facts.cases:
        return ""
    kinds = ", ".join(f"{name} {count}" for name, count in facts.modalities.items())
    told = f" Scans by modality: {kinds}." if kinds else ""
    return f"{_many(facts.cases, 'scan')} of {_many(facts.patients, 'patient')}.{told}"


def labels(facts: Facts) -> str:
    """Say what is labelled and asked."""
    said = []
    if facts.labels:
        names = "; ".join(f"{value}: {name}" for value, name in facts.labels)
        said.append(f"Labels of voxels: {names}.")
    if facts.templates:
        said.append(f"Sets of landmarks: {facts.templates}.")
    if facts.questions:
        said.append(f"Questions: {facts.questions}.")
    return " ".join(said)


def protocol(facts: Facts) -> str:
    """Say how the released masks came to be, by counts, and under which rules."""
    making = facts.making
    if making is None or not making.ways:
        return ""
    ways = "; ".join(f"{_WAYS.get(way, way)} {n}" for way, n in making.ways.items() if way)
    said = [f"Released masks by how they came to be: {ways}."] if ways else []
    if by := settled(making.settled):
        said.append(f"Masks of several readings by who settled them: {by}.")
    made_of = ", ".join(f"{_many(int(k), 'reading')} {n}" for k, n in _made_of(facts).items())
    said += [f"Masks by how many readings they were made of: {made_of}."] if made_of else []
    if making.undecided:
        many = _many(making.undecided, "difference")
        said.append(f"{many} between readings nobody decided.")
    older = _older(facts)
    rules = f"Ontology {facts.pins.ontology}, guidelines {facts.pins.guideline}{older}."
    return " ".join((*said, rules))


def settled(counts: Mapping[str, int]) -> str:
    """Say who settled where readings differed: so many by whom, see `settled.settled_by`."""
    return "; ".join(f"{n} by {_SETTLED.get(who, who)}" for who, n in counts.items())


def unresolved(facts: Facts) -> str:
    """Say in which scans voxels have no answer, and how many."""
    found = facts.making.unresolved if facts.making else {}
    if not found:
        return ""
    cases = ", ".join(f"{case} {count}" for case, count in found.items())
    return (
        f"{_many(sum(found.values()), 'voxel')} of {_many(len(found), 'scan')} have no answer, "
        "as readings were tied or nobody decided. The mask is 0 there, and a mask whose name "
        f"ends in {ENDING} is 1. Voxels by scan: {cases}."
    )


def readings(facts: Facts) -> str:
    """Say of how many readings a mask was made: a number, or from the least to the most."""
    counts = sorted(map(int, _made_of(facts)))
    if not counts:
        return ""
    return f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def _made_of(facts: Facts) -> dict[str, int]:
    found = facts.making.readings if facts.making else {}
    return {count: masks for count, masks in found.items() if count.isdigit()}


def people(facts: Facts) -> str:
    """Say how many people made and reviewed the masks; that nobody reviewed them, too."""
    if not facts.raters:
        return ""
    reviewed = _many(facts.reviewers, "person", "people") if facts.reviewers else "nobody"
    said = f"{_many(facts.raters, 'person', 'people')} submitted or corrected masks, "
    said += f"{reviewed} reviewed them"
    hours = facts.active_s / 3600
    return f"{said}." + (f" Submissions tell of {hours:.1f} hours of work." if hours else "")


def states(facts: Facts) -> str:
    """Say how far the readings came."""
    if not any(facts.states.get(state) for state in _WITH_MASK):
        return ""
    told = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in facts.states.items() if n)
    return f"Readings by state: {told}."


def cleaning(facts: Facts) -> str:
    """Say how many scans were de-identified here."""
    if not facts.cases:
        return ""
    said = f"{facts.cleaned} of {_many(facts.cases, 'scan')} came through de-identification by "
    said += "this program, whose reports are kept by their digests."
    rest = facts.cases - facts.cleaned
    if rest:
        said += f" Of {rest} no such report is known."
    return said


def custody(facts: Facts) -> str:
    """Say of how many original files hashes are kept."""
    if not facts.originals:
        return ""
    return f"SHA-256 of {_many(facts.originals, 'original file')} stand in the cases' records."


def partitions(facts: Facts) -> str:
    """Say how the release was split."""
    draw = facts.draw
    if draw is None:
        return ""
    counts = ", ".join(f"{split} {n}" for split, n in draw.division.counts().items())
    shares = f"{draw.shares.train:g}, {draw.shares.val:g} and {draw.shares.test:g}"
    said = f"Patients: {counts}. Asked for were shares of {shares}, drawn with seed {draw.seed}"
    said += f" in strata of {', '.join(draw.strata)}." if draw.strata else "."
    return " ".join((said, *draw.division.notes))


def level(facts: Facts) -> str:
    """Say at which level splits are apart."""
    if facts.draw is None:
        return ""
    return "Patients: all scans of one, and all scans with the same voxels, are in one split."


def balance(facts: Facts) -> str:
    """Say who and what is in each split, as a table."""
    if facts.balance is None or not facts.balance.counts:
        return ""
    rows = "\n".join(
        f"| {one.column} | {cell(one.value)} | {one.split or '-'} | {one.patients} "
        f"| {one.cases} |"
        for one in facts.balance.counts
    )
    return f"| what | value | split | patients | scans |\n|---|---|---|---|---|\n{rows}"


def smallest(facts: Facts) -> str:
    """Say how few patients share everything that the table of patients tells."""
    found = facts.balance and facts.balance.smallest
    said = []
    if facts.coarsened:
        columns = ", ".join(facts.coarsened)
        said.append(f"Made coarser or left out, so that groups are larger: {columns}.")
    if found:
        said.append(
            f"The smallest group of those who share {', '.join(found.columns)} as "
            f"participants.tsv has them is of {_many(found.patients, 'patient')}."
        )
    return " ".join(said)


def agreement(facts: Facts) -> str:
    """Say how far raters agree, as a table."""
    if not facts.agreement:
        return ""
    rows = []
    for one in facts.agreement:
        span = "-"
        if one.low is not None and one.high is not None and one.confidence is not None:
            span = f"{one.low:.3f} to {one.high:.3f} ({one.confidence:.0%})"
        head = f"| {cell(one.label)} | {one.measure} | {one.mean:.3f}"
        rows.append(f"{head} | {span} | {one.cases} |")
    body = "\n".join(rows)
    table = f"| label | measure | mean | interval | cases |\n|---|---|---|---|---|\n{body}"
    if not any(one.measure == "difference_ml" for one in facts.agreement):
        return table
    return (
        f"{table}\n\ndifference_ml is the volume of the second reading less that of the first, "
        "by the order of the raters' codes: above 0 the second measured more."
    )


def software(facts: Facts) -> str:
    """Say what it was labelled with."""
    return facts.software and f"{facts.software}."


def version(facts: Facts) -> str:
    """Say which release this is."""
    return f"Release {facts.release}, made {facts.made}."


def cell(text: str) -> str:
    """Return text as it stands in a cell of a Markdown table."""
    return " ".join(text.replace("\\", "\\\\").replace("|", "\\|").split())


def _older(facts: Facts) -> str:
    if not facts.older_rules:
        return ""
    return f"; {_many(facts.older_rules, 'reading')} of older ontology or guidelines"


def _many(count: int, what: str, more: str = "") -> str:
    return f"{count} {what}" if count == 1 else f"{count} {more or what + 's'}"
