"""What would become of a folder's attributes: one file of each series explained, and summed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydicom.filereader import dcmread
from pydicom.tag import BaseTag

from napari_medlabel.deid.dicom.dataset import text_of
from napari_medlabel.deid.dicom.file import quiet
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.refusal import PARSE_ERRORS, QuarantineError
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.deid.report.explain import Row, explain
from napari_medlabel.deid.rules.profile import Profile

_NUMBER = re.compile(r"\[[0-9]+\]")
_SOP_CLASS, _SERIES = 0x00080016, 0x0020000E
_HEADINGS = ("attribute", "action", "outcome", "series", "rule")
_WIDEST = 64


@dataclass(frozen=True)
class SummedRow:
    """One attribute over all series in which the same becomes of it.

    Parameters
    ----------
    row : Row
        Its path has ``[]`` in place of item numbers.
    series, files : int
        Series whose representative file has it, and the files of those series.
    """

    row: Row
    series: int
    files: int


@dataclass(frozen=True)
class Summary:
    """What would become of the attributes of a folder.

    Parameters
    ----------
    rows : tuple of SummedRow
        By path; a path comes several times where different things become of it.
    series, files : int
        Series (by Series Instance UID and SOP class) and DICOM files among those given.
    refused : mapping of str to int
        Files of the series whose representative would not be passed on, by reason.
    """

    rows: tuple[SummedRow, ...]
    series: int
    files: int
    refused: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return the summary as a JSON document: paths, actions, rules, counts; no values."""
        return {
            "series": self.series,
            "files": self.files,
            "refused": dict(self.refused),
            "attributes": [
                {
                    "path": each.row.path,
                    "vr": each.row.vr,
                    "action": each.row.action,
                    "outcome": each.row.outcome.value,
                    "rule": each.row.rule,
                    "option": each.row.option,
                    "series": each.series,
                    "files": each.files,
                }
                for each in self.rows
            ],
        }

    def as_text(self) -> str:
        """Return the summary as a table of plain text, private attributes as one line."""
        lines = [_HEADINGS]
        private = [each for each in self.rows if each.row.action == "private"]
        for each in self.rows:
            if each.row.action != "private":
                row = each.row
                lines.append((row.path, row.action, row.outcome, str(each.series), row.rule))
        if private:
            most = str(max(each.series for each in private))
            rule = private[0].row.rule
            named = f"{len(private)} private attributes"
            lines.append((named, "private", "removed", most, rule))
        widths = [min(_WIDEST, max(len(line[i]) for line in lines)) for i in range(4)]
        table = "\n".join(
            "  ".join([*(line[i].ljust(widths[i]) for i in range(4)), line[4]]).rstrip()
            for line in lines
        )
        counted = f"One file of each of {self.series} series looked at ({self.files} files)."
        refused = [
            f"Not passed on: {count} files ({reason})."
            for reason, count in self.refused.items()
        ]
        return "\n".join([table, "", counted, *refused])


def summed(
    paths: Iterable[Path],
    profile: Profile,
    pseudonyms: Pseudonyms,
    *,
    progress: Callable[[int], None] = lambda _done: None,
) -> Summary:
    """Explain the first file of each series, and sum what is the same.

    Parameters
    ----------
    paths : iterable of Path
        DICOM files; what is none is left out. Only of one file of each series more than
        the first attributes is read.
    profile : Profile
        The rules.
    pseudonyms : Pseudonyms
        Source of codes.
    progress : callable
        Called with the count of files looked at; what it raises ends the work.

    Returns
    -------
    Summary
        Without values.
    """
    files: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], Path] = {}
    for done, path in enumerate(paths, start=1):
        series = _series_of(path)
        if series is not None:
            files[series] += 1
            first.setdefault(series, path)
        progress(done)
    counts: Counter[Row] = Counter()
    covered: Counter[Row] = Counter()
    refused: Counter[str] = Counter()
    for series, path in first.items():
        try:
            rows = explain(path.read_bytes(), profile, pseudonyms)
        except OSError:
            refused[Reason.UNREADABLE.value] += files[series]
        except QuarantineError as err:
            refused[err.reason.value] += files[series]
        else:
            for row in {replace(row, path=_NUMBER.sub("[]", row.path)) for row in rows}:
                counts[row] += 1
                covered[row] += files[series]
    tops = {row.path: row.tag for row in counts if "/" not in row.path}
    return Summary(
        tuple(
            SummedRow(row, counts[row], covered[row])
            for row in sorted(counts, key=lambda row: _order(row, tops))
        ),
        len(first),
        files.total(),
        dict(sorted(refused.items())),
    )


def _series_of(path: Path) -> tuple[str, str] | None:
    """Series Instance UID and SOP class of a DICOM file; None for anything else."""
    try:
        with quiet():
            found = dcmread(
                path,
                stop_before_pixels=True,
                force=True,
                specific_tags=[BaseTag(_SOP_CLASS), BaseTag(_SERIES)],
            )
            sop_class = text_of(found, _SOP_CLASS)
            return (text_of(found, _SERIES), sop_class) if sop_class else None
    except PARSE_ERRORS:
        return None


def _order(row: Row, tops: Mapping[str, int]) -> tuple[int, str, str, str]:
    """Top level attributes in order of tags, each followed by what lies in it."""
    top = row.path.partition("/")[0].removesuffix("[]")
    return tops[top], row.path, row.rule, row.outcome
