"""A comparison as files: report, tables and plots in one folder."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_medlabel.io.files import make_folder, write_bytes_aside
from napari_medlabel.project.agreement.gallery import gallery
from napari_medlabel.project.agreement.report import Facts, Summary, write_report
from napari_medlabel.session.study.comparing import Compared

REPORT = "agreement.md"


def write_comparison(
    folder: Path, found: Compared, summary: Summary, facts: Facts
) -> tuple[Path, ...]:
    """Write report, tables and plots.

    Parameters
    ----------
    folder : Path
        Where; made where it is not there.
    found : Compared
        The readings side by side.
    summary : Summary
        What they come to.
    facts : Facts
        Of the study.

    Returns
    -------
    tuple of Path
        What was written.

    Raises
    ------
    SaveError
        When a file cannot be written.
    """
    files: dict[str, bytes] = {}
    drawn = gallery(summary, found.answers, found.performances)
    files |= {f"agreement-{one.name}.svg": one.drawing.svg.encode() for one in drawn}
    pictures = {one.name: f"agreement-{one.name}.svg" for one in drawn}
    files |= {
        f"{name}.tsv": _table(rows, "\t") for name, rows in tables_of(found).items() if rows
    }
    files["rules.txt"] = "".join(f"{one}\n" for one in found.table.rules).encode()
    files[REPORT] = write_report(summary, facts, pictures).encode()
    make_folder(folder)
    for name, content in files.items():
        write_bytes_aside(folder / name, content)
    return tuple(folder / name for name in files)


def tables_of(found: Compared) -> dict[str, list[Mapping[str, Any]]]:
    """Return every pair as rows: ``labels``, ``landmarks``, ``answers`` and ``staple``."""
    return {
        "labels": [
            {**asdict(row), "difference_ml": row.difference_ml, "flagged": row.is_flagged}
            for row in found.table.rows
        ],
        "landmarks": [
            {**asdict(one), "missing": " ".join(one.missing)} for one in found.table.marks
        ],
        "answers": [
            {"case": case, "rater": rater, "question": question, "answer": json.dumps(answer)}
            for case, held in found.answers.items()
            for rater, given in held.items()
            for question, answer in given.items()
        ],
        "staple": [{"case": case, **asdict(one)} for case, one in found.performances],
    }


def write_csv(folder: Path, found: Compared) -> None:
    """Write every pair as CSV, and the rules beside.

    Raises
    ------
    SaveError
        When a file cannot be written.
    """
    make_folder(folder)
    for name, rows in tables_of(found).items():
        if rows:
            write_bytes_aside(folder / f"{name}.csv", _table(rows, ","))
    rules = "".join(f"{sentence}\n" for sentence in found.table.rules)
    write_bytes_aside(folder / "rules.txt", rules.encode())


def _table(rows: Sequence[Mapping[str, Any]], delimiter: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
