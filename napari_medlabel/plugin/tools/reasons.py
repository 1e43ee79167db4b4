"""Why a tool cannot work now: in words for its tooltip."""

from __future__ import annotations

from napari_medlabel.plugin.tools.hands import HANDS
from napari_medlabel.plugin.tools.kit import Kit


def reasons_against(kit: Kit) -> dict[str, str]:
    """Return for each tool that cannot work on this scan, in this view, why."""
    volume = kit.session.volume
    why: dict[str, str] = {}
    if kit.binding.viewer.dims.ndisplay == 3:
        for name in HANDS:
            why[name] = "a 3D view shows no slice. Choose Axial, Coronal or Sagittal."
    if volume.slices == "pictures" or not volume.is_oriented:
        for name in ("mirror", "translate"):
            why[name] = "the file does not say which side of the patient is which."
    return why
