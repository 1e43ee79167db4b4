"""A submitted version as a whole: one digest binds its masks, landmarks, answers and boxes.

It is the SHA-256 of the version's sidecar, which names each other file by its digest: anybody
can compute it again, with `sha256sum` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from napari_medlabel.audit.format.event import Event
from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.project.cases.version import (
    Version,
    read_labels,
    read_version,
    whole_digest,
)
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.work.steps import Step
from napari_medlabel.project.work.wholes import against, require_as_told, told_of
from napari_medlabel.session.study.seat import Reading, Seat


def version_at(seat: Seat, at: Reading) -> Version:
    """Return the version of a reading that counts now.

    Raises
    ------
    InputError
        When nothing was submitted, by nobody whom the study knows, or it is not there.
    """
    maker = seat.code_of(at.now.maker)
    if not at.now.version or not maker:
        raise InputError(
            "Nothing was submitted of this reading, or by nobody whom the study knows.",
            hint="See how it stands in the list, or: medlabel project status STUDY",
        )
    return read_version(seat.layout, maker, at.case, at.now.version)


def told_whole(seat: Seat, at: Reading) -> dict[str, object]:
    """Return the digest of what counts now, as a decision about it tells the log.

    Raises
    ------
    InputError
        As `version_at`; and when it is not the one that was submitted, as a whole.
    """
    version = version_at(seat, at)
    require_as_told(seat.layout, version, told_of(at.steps, seat.code_of, version))
    return {"whole": whole_digest(seat.layout, version)}


def with_whole(seat: Seat, event: Event, version: Version) -> Event:
    """Return an event about a version that is there already, with its digest as a whole."""
    whole = whole_digest(seat.layout, version)
    return replace(event, detail={**event.detail, "whole": whole})


def told_same(steps: Sequence[Step], seat: Seat, same: Version | None) -> Version | None:
    """Return a version that would be handed in again, unless the log tells of another one."""
    if same is None or against(seat.layout, same, told_of(steps, seat.code_of, same)):
        return None
    return same


def masks_at(seat: Seat, at: Reading) -> tuple[str, ...]:
    """Return the content ids of the masks that count now, by layer, as the sidecar has them.

    Raises
    ------
    InputError
        As `version_at`.
    """
    version = version_at(seat, at)
    return (version.content, *(version.sheets[layer] for layer in sorted(version.sheets)))


def require_unchanged(seat: Seat, at: Reading, grid: Grid) -> str:
    """Refuse a version that is not what was submitted, by the voxels of every layer.

    Parameters
    ----------
    grid : Grid
        Of the case's scan.

    Returns
    -------
    str
        Its digest as a whole.

    Raises
    ------
    InputError, GeometryError
        When a file was changed, or the log tells of other masks.
    """
    layout, version = seat.layout, version_at(seat, at)
    require_as_told(layout, version, told_of(at.steps, seat.code_of, version))
    ontology = read_ontology(layout.ontology)
    told = {0: version.content, **version.sheets}
    masks = {
        layer: read_labels(layout, version, grid, ontology.scheme(layer), layer).content_id()
        for layer in told
    }
    # A log of before names the first layer's mask alone.
    logged = at.now.masks if at.now.sheets else (at.now.content,)
    in_order = tuple(masks[layer] for layer in sorted(masks))
    if masks != told or in_order[: len(logged)] != logged:
        raise InputError(
            "The masks are not what was submitted: a file was changed since.",
            hint="Check the study: medlabel project validate STUDY",
        )
    return whole_digest(layout, version)
