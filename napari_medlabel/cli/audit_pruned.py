"""Which sessions of a log an officer had deleted, as far as this account knows the officer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_medlabel.audit.check.verdict import SessionReport
    from napari_medlabel.audit.format.seal import Head


def pruned_in(root: Path, reports: Iterable[SessionReport]) -> frozenset[Head]:
    """Return the ends of deleted sessions that an officer has signed.

    Parameters
    ----------
    root : Path
        Folder of the log.
    reports : iterable of SessionReport
        Every session of it, checked.

    Returns
    -------
    frozenset of Head
        Nothing where this account has not pinned the officer: whoever can write the log's
        folder could be her otherwise.
    """
    from napari_medlabel.audit.check.trust import Trust
    from napari_medlabel.audit.keys.site_history import read_history
    from napari_medlabel.audit.writer.place import default_state

    ordered = [report for report in reports if report.prunings]
    if not ordered:
        return frozenset()
    trust = Trust(read_history(root), default_state(), None)
    return frozenset() if trust.findings else trust.pruned(ordered)
