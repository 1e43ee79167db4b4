"""How a change of labels stands in the log: numbers and slices, never a stroke."""

from __future__ import annotations

from typing import Final

from napari_medlabel.audit.format.schema import slice_ranges
from napari_medlabel.measure import LabelChange

_MOST_LABELS: Final = 64


def change_detail(change: LabelChange, first_slice: int = 0) -> dict[str, object]:
    """Return a change as the log takes it.

    Parameters
    ----------
    change : LabelChange
        What differs.
    first_slice : int
        Slice k in which the compared boxes begin.
    """
    return {
        "labels": list(change.labels)[:_MOST_LABELS],
        "voxels_added": change.added,
        "voxels_removed": change.removed,
        "voxels_changed": change.changed,
        "slices": slice_ranges(k + first_slice for k in change.slices),
    }
