"""Search a file or a folder of files, each with its name, for what tells whose they are."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_medlabel.deid.scan.finding import Allowance, Finding, Sign
from napari_medlabel.deid.scan.output import Searched, SourceIdentity, source_identity
from napari_medlabel.errors import InputError

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ScanReport:
    """What was found where.

    Parameters
    ----------
    files : int
        Files that were searched.
    findings : mapping of Finding to tuple of int
        Of each finding the files it is in: the place of a file, from 1, among all of them
        in byte order of their paths.
    """

    files: int
    findings: Mapping[Finding, tuple[int, ...]]

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON document, without a value or a path of a file."""
        return {
            "files": self.files,
            "findings": [
                {"kind": f.sign.value, "where": f.where, "files": list(places)}
                for f, places in self.findings.items()
            ],
        }


def scan_path(
    path: Path,
    *,
    against: Path | None = None,
    allowance: Allowance | None = None,
    progress: Progress = lambda _done, _total: None,
) -> ScanReport:
    """Search a file or every file of a folder.

    Parameters
    ----------
    path : Path
        What is searched. Links are not followed.
    against : Path, optional
        The source it was made of, a file or a folder: all identity in it is searched for.
    allowance : Allowance, optional
        What may stay; nothing by default.
    progress : callable
        ``(done, total)`` after each file that was read.

    Returns
    -------
    ScanReport
        Names, dates, numbers and UIDs that one file tells are searched for in all of them,
        and in the names of files and folders.

    Raises
    ------
    InputError
        When there is no file.
    """
    allowed = allowance or Allowance()
    files = files_of(path)
    sources = [] if against is None else files_of(against)
    total = 2 * len(files) + len(sources)
    identity = SourceIdentity()
    for done, source in enumerate([*sources, *files], start=1):
        identity |= _identity(source, allowed)
        progress(done, total)
    searched = Searched(identity, allowed)
    root = path if path.is_dir() else path.parent
    found: dict[Finding, list[int]] = {}
    for place, file in enumerate(files, start=1):
        name = file.relative_to(root).parts
        for finding in (*_findings(file, searched), *searched.name(name)):
            found.setdefault(finding, []).append(place)
        progress(len(sources) + len(files) + place, total)
    return ScanReport(len(files), {f: tuple(found[f]) for f in sorted(found)})


def _identity(path: Path, allowance: Allowance) -> SourceIdentity:
    try:
        return source_identity(path, allowance=allowance)
    except OSError:
        return SourceIdentity()


def _findings(path: Path, searched: Searched) -> tuple[Finding, ...]:
    try:
        return searched.file(path)
    except OSError:
        return (Finding(Sign.UNREADABLE, "file"),)


def files_of(path: Path) -> list[Path]:
    """Return a file, or the regular files under a folder in byte order of their paths.

    Raises
    ------
    InputError
        When there is none.
    """
    if path.is_file():
        return [path]
    found = [
        Path(parent) / name
        for parent, _, names in os.walk(path)
        for name in names
        if not (Path(parent) / name).is_symlink() and (Path(parent) / name).is_file()
    ]
    if not found:
        raise InputError(
            "A file or a folder with files was expected and there is none.",
            hint="Check the path given to `medlabel scan`.",
        )
    return sorted(found, key=lambda file: os.fsencode(file.as_posix()))
