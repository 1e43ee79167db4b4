"""How steady each rater is: a case that was read again after some days, beside the first time.

Both readings are taken as they were submitted first, before any review.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.measure.surface import Convention
from napari_medlabel.project.agreement.table import Reading, Table, joined
from napari_medlabel.project.cases.version import read_landmarks, read_version
from napari_medlabel.project.reading.repeats import intra_rater
from napari_medlabel.project.work.fold import CaseRow
from napari_medlabel.project.work.steps import Step
from napari_medlabel.session.study.blind import require_may_see
from napari_medlabel.session.study.comparing import Compared
from napari_medlabel.session.study.readings import masks_of, read_twice
from napari_medlabel.session.study.seat import Seat, require_role, worklist

Tick = Callable[[int, int], object]
_BLIND = "with a reading that is open, or that you are blind to"
_NONE = "that nobody has read twice"


def compare_repeats(
    seat: Seat,
    *,
    convention: Convention = "surfel",
    tick: Tick = lambda _done, _total: None,
) -> Compared:
    """Compare the second readings of raters with their own first ones.

    Parameters
    ----------
    convention : str
        ``surfel`` or ``voxel``.
    tick : callable
        Told how many cases are done, of how many; it raises to end the work.

    Returns
    -------
    Compared
        The second reading of ``r01`` is that of ``"r01 again"``; answers are not compared.

    Raises
    ------
    RefusedError
        When the rater has no role that may see the readings of others.
    InputError
        When nobody has read a case twice, or a version is not there as it was submitted.
    """
    require_role(seat, "reviewer", "adjudicator", "releaser", "manager")
    rows, left, tables = worklist(seat).rows, Counter[str](), list[Table]()
    for done, row in enumerate(rows):
        tick(done, len(rows))
        pairs = read_twice(seat, row)
        if not pairs:
            left[_NONE] += 1
            continue
        try:
            for first, _ in pairs:
                require_may_see(seat, row, seat.code_of(first.user))
        except RefusedError:
            left[_BLIND] += 1
            continue
        grid = load(seat.layout.scan(row.case), hashes=False).grid
        for first, second in pairs:
            tables += _tables(seat, row, (first, second), grid, convention)
    tick(len(rows), len(rows))
    if not tables:
        raise InputError(
            "Nobody whom you may see has read a case of this study twice.",
            hint="Cases come again where project.json has repeat_days, when so many passed.",
        )
    return Compared(joined(tables), {}, len(rows), dict(left))


def _tables(
    seat: Seat, row: CaseRow, steps: Sequence[Step], grid: Grid, convention: Convention
) -> list[Table]:
    """Return a table for each layer that both readings have."""
    layout, code = seat.layout, seat.code_of(steps[0].user)
    versions = [read_version(layout, code, row.case, step.version) for step in steps]
    masks = [masks_of(layout, version, grid) for version in versions]
    marks = [read_landmarks(layout, version) for version in versions]
    out = []
    for layer in sorted(set(masks[0]) & set(masks[1])):
        first, second = (
            Reading(code, mask[layer], None if layer else mark)
            for mask, mark in zip(masks, marks, strict=True)
        )
        out.append(
            intra_rater(
                row.case,
                first,
                second,
                tolerance_mm=seat.settings.thresholds.tolerance_mm,
                convention=convention,
            )
        )
    return out
