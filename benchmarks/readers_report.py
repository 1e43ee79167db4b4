"""Writes docs/readers.md: which reader is exact on which kind of series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from readers_series import KINDS, Series

WORDS = ("exact", "refused", "wrong", "short")


def write(rows: Sequence[tuple[Series, Mapping[str, Any]]], readers: Mapping[str, str]) -> str:
    """Return the report.

    Parameters
    ----------
    rows : sequence of (Series, outcomes by reader)
        All that was read.
    readers : mapping of str to str
        Name and version of each reader.
    """
    parts = [_head(rows, readers), _table(rows, readers), _by_corpus(rows), _refusals(rows)]
    return "\n".join(part for part in parts if part)


def _head(rows: Sequence[tuple[Series, Any]], readers: Mapping[str, str]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in readers.items())
    mosaics = [one.judge for one, _ in rows if "mosaic" in one.kinds]
    told, alone, lost = (mosaics.count(w) for w in ("reference", "dcm2niix", "nobody"))
    blind = sum(any(i.values is None for i in one.truth) for one, _ in rows)
    return f"""# Readers compared

Ours and {len(readers) - 1} others over the same {len(rows)} series of real scans. Written by
`benchmarks/readers.py`; do not edit.

How to repeat: `make bench-readers`, or `python benchmarks/readers.py NAME=FOLDER ...`.

- Date: {datetime.now(UTC):%Y-%m-%d}
- {versions}

The truth comes from the headers alone, computed with pydicom and shared with no reader
(`tests/io/truth.py`): place of each pixel from Image Position, Image Orientation and Pixel
Spacing of its image or frame, its value from the stored pixel and its Rescale Slope and
Intercept. A reader is

- *exact* when every image is found: 32 of its pixels lie within 0.1 mm of their place and
  have their value to 1e-6 of it, or half a stored step (for lossy JPEG, which decoders round
  differently, half of the pixels within 2 steps and nine tenths within 8). Of ours more is
  asked: corners within 1e-4 mm, and no slice that no image lies in unless it is said to be
  missing;
- *refused* when it returned nothing, or less than all and said why;
- *wrong* when voxels are not where or what they are;
- *short* when something was left out without a word and the rest is right.

Images without a position are judged by their values. {blind} series hold images that pydicom
cannot decode; of these only the place is judged. Mosaics do not tell the place of their tiles
in plain headers: {told} are judged by dcm2niix where the reference that
ships with the scans says the same, {alone} by dcm2niix alone,
{lost} by nobody, because their headers lost what tells their tiles: these are listed and not
counted. A series counts in each kind that it is of. Each reader has a process of its own, with
120 s and 8 GB for each series.
"""


def _table(rows: Sequence[tuple[Series, Mapping[str, Any]]], readers: Mapping[str, str]) -> str:
    lines = [
        "Each cell: exact / refused / wrong / short.\n",
        "| Kind | Series | " + " | ".join(readers) + " |",
        "|---|--:|" + "--:|" * len(readers),
    ]
    for kind in (*KINDS, ""):
        judged = [(one, row) for one, row in rows if one.truth]
        chosen = [row for one, row in judged if not kind or kind in one.kinds]
        if not chosen:
            continue
        cells = [_cell([row[name].word for row in chosen if name in row]) for name in readers]
        lines.append(f"| {kind or '**all**'} | {len(chosen)} | " + " | ".join(cells) + " |")
    seconds = [
        f"{sum(row[name].seconds for _, row in rows if name in row):.0f} s" for name in readers
    ]
    lines.append("| time for all | | " + " | ".join(seconds) + " |")
    return "\n".join(lines) + "\n"


def _cell(words: list[str]) -> str:
    counts = [words.count(word) for word in WORDS]
    return f"{counts[0]} / {counts[1]} / {counts[2]} / {counts[3]}"


def _by_corpus(rows: Sequence[tuple[Series, Mapping[str, Any]]]) -> str:
    lines = ["## Scans\n", "| Scans | Series | Files | Ours |", "|---|--:|--:|--:|"]
    for name in dict.fromkeys(one.corpus for one, _ in rows):
        chosen = [(one, row) for one, row in rows if one.corpus == name]
        words = [row["ours"].word for _, row in chosen if "ours" in row]
        files = sum(len(one.files) for one, _ in chosen)
        lines.append(f"| {name} | {len(chosen)} | {files} | {_cell(words)} |")
    return "\n".join(lines) + "\n"


def _refusals(rows: Sequence[tuple[Series, Mapping[str, Any]]]) -> str:
    reasons: dict[str, list[str]] = {}
    for one, row in rows:
        outcome = row.get("ours")
        if outcome is not None and outcome.word != "exact":
            why = outcome.why[0] if outcome.why else "no reason given"
            place = f"{one.corpus.partition('@')[0]} {one.number}"
            reasons.setdefault(f"{outcome.word}: {why}", []).append(place)
    if not reasons:
        return ""
    lines = ["## What ours did not read, and why\n"]
    lines += ["Series are numbered within their scans, in the order of their files.\n"]
    lines += [f"- {reason} ({', '.join(where)})" for reason, where in sorted(reasons.items())]
    return "\n".join(lines) + "\n"
