"""Recovery: find work that a crash left behind, and decide by content, never by date."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_medlabel.edit.journal import JournalContent, read_journal
from napari_medlabel.edit.patch import LabelArray
from napari_medlabel.errors import InputError
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.session.journaled import changed_marks, read_document


@dataclass(frozen=True, eq=False)
class Recovery:
    """Work of an earlier run that was never saved.

    Parameters
    ----------
    path : Path
        The journal.
    array : ndarray, shape (i, j, k)
        The mask as it was when the journal was last written.
    landmarks : object or None
        Plain data of the landmarks, None when they had not changed.
    last : str
        When it was last written, ISO 8601 in UTC.
    slices : int
        How many of its slices differ from the mask on the disk.
    base_matches : bool
        True when it continues the mask on the disk; False when that mask has been changed
        since, so that taking the work back replaces those changes in the slices it covers.
    origins : mapping of int to ndarray
        Slices (j, i) of its provenance map by k; empty where none was followed.
    scheme : object or None
        Plain data of the label scheme before and after, None when it had not changed.
    drafts : object or None
        Plain data of outlines that were begun, None when there were none.
    changed : tuple of str
        Which of ``landmarks`` and ``measurements`` are not as they are on the disk.
    """

    path: Path
    array: LabelArray
    landmarks: Any
    last: str
    slices: int
    base_matches: bool
    origins: Mapping[int, LabelArray] = field(default_factory=dict)
    scheme: Any = None
    drafts: Any = None
    changed: tuple[str, ...] = ()

    @property
    def is_drafts_alone(self) -> bool:
        """Whether outlines that were begun are all there is: no change of what is saved."""
        return self.slices == 0 and self.landmarks is None and self.scheme is None


def find_recoveries(
    folder: Path,
    case: str,
    labels: LabelMap,
    *,
    landmarks: Any,
    version: Callable[[str], LabelArray | None],
) -> tuple[Recovery, ...]:
    """Look for journals of a case that no running program holds.

    Parameters
    ----------
    folder : Path
        Where journals lie.
    case : str
        Content id of the scan.
    labels : LabelMap
        The mask as it is on the disk, or empty.
    landmarks : object
        Plain data of the landmarks on the disk.
    version : callable
        Returns an earlier mask version, shape (i, j, k), by content id, or None.

    Returns
    -------
    tuple of Recovery
        Newest first. A journal whose work is already in the mask is not among them; its file
        is removed.
    """
    found = []
    current = labels.content_id() if folder.is_dir() else ""
    for path in sorted(folder.glob(f"{case.removeprefix('sha256:')[:24]}-*.journal")):
        content = read_journal(path)
        if content is None or content.head.case != case:
            continue
        recovery = _weigh(path, content, labels, current, version)
        nothing_new = recovery is not None and recovery.slices == 0
        kept = read_document(content.landmarks, landmarks)
        if content.is_empty or (nothing_new and not any(kept)):
            path.unlink(missing_ok=True)
        elif recovery is not None:
            marks, scheme, drafts = kept
            changed = () if marks is None else changed_marks(marks, landmarks)
            found.append(
                replace(
                    recovery, landmarks=marks, scheme=scheme, drafts=drafts, changed=changed
                )
            )
    return tuple(sorted(found, key=lambda r: r.last, reverse=True))


def _weigh(
    path: Path,
    content: JournalContent,
    labels: LabelMap,
    current: str,
    version: Callable[[str], LabelArray | None],
) -> Recovery | None:
    matches = content.head.base == current
    base = labels.array if matches else version(content.head.base)
    if base is None:
        # The version it was made on is gone: its slices still are what was painted.
        base = labels.array
    try:
        array = content.onto(base)
    except InputError:
        # A mask of another shape cannot belong here; the journal is left for a person.
        return None
    # What was saved since in other slices is no work of this journal, and would grow for ever.
    kept = sorted(content.slices)
    differ = np.any(array.T[kept] != labels.array.T[kept], axis=(1, 2))
    return Recovery(
        path,
        array,
        content.landmarks,
        content.last,
        int(np.count_nonzero(differ)),
        matches,
        content.origins,
    )


def set_aside(path: Path) -> None:
    """Rename a journal that was declined: it is not offered again, and not lost either."""
    path.replace(path.with_suffix(".declined"))
