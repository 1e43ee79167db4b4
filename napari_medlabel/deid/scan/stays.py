"""What may stay, by an option or by a site's rule."""

from __future__ import annotations

from napari_medlabel.deid.scan.finding import Allowance
from napari_medlabel.deid.scan.tables import row_for


def is_retained(tag: int, allowance: Allowance) -> bool:
    """Whether an option or a site's rule lets an attribute stay, whole or cleaned."""
    if tag in allowance.tags:
        return True
    row = row_for(tag)
    return row is not None and bool(row.options & allowance.options)


def is_kept(tag: int, allowance: Allowance) -> bool:
    """Whether an option or a site's rule lets an attribute stay as it is."""
    if tag in allowance.tags:
        return True
    row = row_for(tag)
    return row is not None and bool(row.keeps & allowance.options)
