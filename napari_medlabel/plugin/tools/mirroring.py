"""Mirroring: what a label becomes on the other side, and whether it stays on its own."""

from __future__ import annotations

from napari_medlabel.edit.scene import Proposal, Tick, whole
from napari_medlabel.errors import InputError
from napari_medlabel.model.sides import partner_of
from napari_medlabel.plugin.tools.kit import Kit, Work


def mirror_work(kit: Kit) -> Work:
    """Return what mirroring is to compute; all choices are read now.

    Raises
    ------
    InputError
        When no label is in hand, one of them is locked, or all would become one.
    """
    scene, values = kit.scene().frozen(), kit.values()
    affine = kit.session.volume.grid.affine
    by_grid, keep = bool(kit.options["by_grid"]), bool(kit.options["keep"])
    becomes, scheme = _other_sides(kit, values), kit.session.labels.scheme
    is_oriented = kit.session.volume.is_oriented

    def run(_tick: Tick) -> Proposal | None:
        from napari_medlabel.edit.moving import left_right_axis, mirror
        from napari_medlabel.edit.sagittal import middle_mm, mirror_sagittal
        from napari_medlabel.edit.siding import warned_of_sides

        box, at_mm = whole(scene.shape), middle_mm(affine, scene.shape)
        if by_grid:
            axis = left_right_axis(affine)
            middle = (scene.shape[axis] - 1) / 2.0
            made = mirror(
                scene, box, values, axis=axis, centre_index=middle, keep=keep, becomes=becomes
            )
        else:
            made = mirror_sagittal(
                scene, box, values, affine=affine, at_mm=at_mm, keep=keep, becomes=becomes
            )
        if made is None or not is_oriented:
            return made
        return warned_of_sides(made, scheme, affine, at_mm)

    return run


def _other_sides(kit: Kit, values: tuple[int, ...]) -> dict[int, int]:
    """Return what labels become on the other side, by the option ``becomes``."""
    scheme, other = kit.session.labels.scheme, int(kit.options["becomes"])
    if other in scheme.values:
        if len(values) > 1:
            raise InputError(
                "Of all labels one would be left.",
                hint="Mirror the label in hand alone, or choose the other side's label.",
            )
        pairs = {values[0]: other}
    else:
        found = {value: partner_of(scheme, value) for value in values}
        pairs = {value: partner for value, partner in found.items() if partner is not None}
    for value in pairs.values():
        if value in kit.bench.masking.locked:
            raise InputError(
                f"{scheme[value].name} is locked.",
                hint="Unlock it in the list of labels, or choose what the mirrored label "
                "becomes.",
            )
    return pairs
