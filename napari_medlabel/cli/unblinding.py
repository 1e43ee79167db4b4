"""No command reads another's reading to somebody who is to be blind to it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_OWN_WAY: Final = ("open", "project", "export", "verify", "audit", "deid", "scan", "demo")
"""Commands that ask for a role in the study themselves, or show nobody a reading."""


def refuse_unblinding(arguments: argparse.Namespace) -> None:
    """Refuse a command when one of the paths it is given is another's reading in a study.

    Parameters
    ----------
    arguments : Namespace
        Of any command: whichever of its values are paths is looked at.

    Raises
    ------
    RefusedError
        When the account works in that study and may not see it yet.
    """
    if str(getattr(arguments, "command", "")).partition(" ")[0] in _OWN_WAY:
        return
    inside = [path for path in _paths(arguments) if path.exists() and _is_in_a_study(path)]
    if inside:
        from napari_medlabel.audit.writer.place import default_state
        from napari_medlabel.session.study.blind import require_may_read

        require_may_read(default_state(), inside)


def _paths(arguments: argparse.Namespace) -> Iterator[Path]:
    for value in vars(arguments).values():
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, Path):
                yield one


def _is_in_a_study(path: Path) -> bool:
    """Tell it with a few looks at the disk, before anything is imported."""
    here = path.resolve()
    return any((up / "medlabel" / "project.json").is_file() for up in (here, *here.parents))
