"""What was submitted of a reading, for whoever has it open and may see it."""

from __future__ import annotations

from napari_medlabel.project.cases.version import Version, read_version
from napari_medlabel.project.layout import CaseId
from napari_medlabel.session.study.blind import require_may_see
from napari_medlabel.session.study.seat import Seat, look


def version_shown(seat: Seat, case: CaseId, slot: str) -> Version | None:
    """Return the version of a reading that counts now; None where nothing was submitted.

    It says whose it is: that is not for the screen.

    Raises
    ------
    RefusedError
        When the rater is still blind.
    InputError
        When it is not there as a whole.
    """
    at = look(seat, case, slot)
    maker = seat.code_of(at.now.maker)
    if not at.now.version or not maker:
        return None
    require_may_see(seat, at.row, maker)
    return read_version(seat.layout, maker, case, at.now.version)
