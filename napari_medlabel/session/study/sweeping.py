"""What a killed process left in a rater's own data set: taken away by their next one.

Files are written aside under hidden names, and take their names one after the other, the
sidecar last. A process that is killed before leaves hidden files, or a version without its
sidecar: of neither was anybody ever told.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from napari_medlabel.project.cases.version import MASK, SIDECAR, file_of
from napari_medlabel.project.layout import CaseId, Layout

_ASIDE: Final = re.compile(r"\.[0-9a-f]{8}\.(?:part\.(?P<name>.+)|probe)")
_CLAIM: Final = re.compile(r"\..+\.(?:json|taking)\.[0-9]+-[0-9a-f]{8}")
_OLD_S: Final = 3600.0
"""A save takes no hour: what is older is written by nobody any more."""


def sweep_versions(layout: Layout, rater: str, case: CaseId, told: Collection[int]) -> int:
    """Take away what was never whole of a rater's versions, and return how many files.

    To be called under the case's lock, by who writes that data set.

    Parameters
    ----------
    rater : str
        Code, or ``consensus``.
    told : collection of int
        Numbers of versions that the log has: of those nothing is taken away, whatever is gone.
    """
    folder = layout.version(rater, case, 1, MASK).parent
    if not folder.is_dir():
        return 0
    gone: list[Path] = []
    kinds: dict[int, dict[str, Path]] = {}
    for path in folder.iterdir():
        aside = _ASIDE.fullmatch(path.name)
        found = file_of(aside["name"] or "" if aside is not None else path.name)
        if found is None or found[0] != str(case):
            continue
        if aside is not None:
            gone.append(path)
        else:
            kinds.setdefault(found[1], {})[found[2]] = path
    for number, files in kinds.items():
        if SIDECAR not in files and number not in told:
            gone += files.values()
    return _remove(gone)


def sweep_old(folder: Path, *, older_s: float = _OLD_S) -> int:
    """Take away what killed saves left in a folder, not below it; return how many files.

    Parameters
    ----------
    folder : Path
        Of open work, a data set or claims; somebody may just be writing into it.
    older_s : float
        What is younger than so many seconds stays.
    """
    if not folder.is_dir():
        return 0
    then = time.time() - older_s
    hidden = folder.glob(".*")
    gone = [p for p in hidden if _ASIDE.fullmatch(p.name) or _CLAIM.fullmatch(p.name)]
    return _remove(path for path in gone if path.stat().st_mtime < then)


def _remove(paths: Iterable[Path]) -> int:
    """Remove files as far as that is possible: what stays is in nobody's way."""
    count = 0
    for path in paths:
        with suppress(OSError):
            path.unlink()
            count += 1
    return count
