"""The BIDS validator, asked for each data set by itself; it needs no network."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from napari_medlabel._optional import folder_of
from napari_medlabel.errors import InputError
from napari_medlabel.project.checks.derivatives import datasets
from napari_medlabel.project.checks.finding import Finding, Level, place
from napari_medlabel.project.layout import Layout

_PACKAGE: Final = "bids_validator_deno"
_EXTRA: Final = "bids"
_CODE: Final = f"import {_PACKAGE}; {_PACKAGE}.cli()"
_LONGEST_S: Final = 3600.0


def check_bids(layout: Layout) -> Iterator[Finding]:
    """Yield what the validator says of the study's root and of each rater's data set.

    Each is asked for alone: with ``-r`` the validator (3.0.2) reads no `.bidsignore` of a
    derivative. Recommendations are left out.

    Parameters
    ----------
    layout : Layout
        The study.

    Raises
    ------
    MissingPackageError
        When the validator is not installed.
    InputError
        When it does not answer.
    """
    folder_of(_PACKAGE, extra=_EXTRA)
    for folder in (layout.root, *datasets(layout)):
        prefix = "" if folder == layout.root else layout.relative(folder)
        for issue in _issues(folder):
            level: Level = "error" if issue.get("severity") == "error" else "warning"
            code = str(issue.get("code", "UNKNOWN"))
            if level == "warning" and ("RECOMMENDED" in code or "AUTHORS" in code):
                continue
            where = place(f"{prefix}/{issue.get('location') or ''}")
            words = f"The BIDS validator says {code}."
            yield Finding(level, "bids", where, words)


def _issues(folder: Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-c", _CODE, str(folder), "--format", "json"]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, and a folder as one word
            command, capture_output=True, timeout=_LONGEST_S, check=False
        )
        found = json.loads(done.stdout)["issues"]["issues"]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as err:
        raise InputError(
            "The BIDS validator did not answer as it should.",
            hint="Run bids-validator-deno by hand, or leave --bids out.",
        ) from err
    return [one for one in found if isinstance(one, dict)]
