"""What is doubtful about a scan, in words that a person can act on, each said once."""

from __future__ import annotations

import re
from typing import Final

from napari_medlabel.model.volume import Volume

_NAMED: Final = 8  # missing slices that are named one by one
_COUNTED: Final = re.compile(r"\d+ slices? of \d+ missing\b")
"""How a reader counts missing slices; here their numbers are said too."""


def doubts_of(volume: Volume) -> list[str]:
    """Return what a person should know of a scan, the most important first.

    Parameters
    ----------
    volume : Volume
        The scan.
    """
    doubts = []
    if volume.missing:
        count, k = len(volume.missing), volume.grid.shape[2]
        numbers = ", ".join(str(n + 1) for n in volume.missing[:_NAMED])
        more = ", …" if count > _NAMED else ""
        are = "is" if count == 1 else "are"
        doubts.append(
            f"{count} of {k} slices {are} missing (number {numbers}{more}): left blank and "
            "shown red. Copy or export the whole series again."
        )
    if volume.is_inverted:
        doubts.append("Low values are shown bright, as the file asks (MONOCHROME1).")
    doubts.extend(w for w in volume.warnings if not (volume.missing and _COUNTED.match(w)))
    return list(dict.fromkeys(doubts))


def is_only_turned(doubt: str) -> bool:
    """Tell whether words only say that the axes are oblique, which most MR is."""
    return doubt.startswith("Oblique:")
