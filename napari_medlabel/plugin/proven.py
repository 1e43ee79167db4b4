"""Which napari is proven to paint where it shows; with any other nothing is annotated."""

from __future__ import annotations

import re
from typing import Final

from napari_medlabel.errors import RefusedError

PROVEN: Final = (0, 9)
"""napari 0.10.0rc1 draws a view whose vertical axis points up as it should, and maps the mouse
to the mirrored voxel: in coronal and sagittal views a brush paints head for feet. The tests of
the window find it; a later version joins this line when they pass with it."""


def is_proven_napari(version: str) -> bool:
    """Tell whether painting was proven right in a napari, given ``napari.__version__``."""
    return tuple(int(n) for n in re.findall(r"\d+", version)[:2]) == PROVEN


def require_proven_napari(version: str) -> None:
    """Refuse a napari in which painting was not proven right.

    Parameters
    ----------
    version : str
        ``napari.__version__``.

    Raises
    ------
    RefusedError
        When it is another than the proven one.
    """
    if not is_proven_napari(version):
        raise RefusedError(
            f"napari {version} is not proven to paint the voxels that it shows "
            "(0.10.0rc1 mirrors them in coronal and sagittal views).",
            hint="Install napari 0.9 with: pip install 'napari>=0.9.2,<0.10'",
        )
