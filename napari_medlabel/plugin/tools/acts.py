"""Tools with a button: what each computes, from what the person chose, in a thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from napari_medlabel.edit.patch import Box
from napari_medlabel.edit.scene import Proposal, Scene, Tick, around, whole
from napari_medlabel.errors import InputError
from napari_medlabel.plugin.tools.combining import combine_work
from napari_medlabel.plugin.tools.kit import Kit, Work
from napari_medlabel.plugin.tools.mirroring import mirror_work

_WAYS = ("along_s", "along_p", "along_l")


def work_of(name: str, kit: Kit) -> Work:
    """Return what a tool with a button is to compute; all choices are read now.

    Raises
    ------
    InputError
        When something that it needs is not chosen.
    """
    return ACTS[name](kit)


def _threshold(kit: Kit) -> Work:
    scene, box, value, chosen = (
        kit.scene().frozen(),
        kit.box(),
        kit.free_label(),
        kit.options,
    )
    preset, low, high = chosen["preset"], float(chosen["low"]), float(chosen["high"])

    def run(_tick: Tick) -> Proposal | None:
        from napari_medlabel.edit.finite import only_numbers
        from napari_medlabel.edit.threshold import otsu, threshold_box

        if preset != "otsu":
            return threshold_box(scene, box, low, high, value)
        (border,) = otsu(scene.image[box])
        top = float(np.max(only_numbers(scene.image[box])))
        return threshold_box(scene, box, border, top, value)

    return run


def _between(kit: Kit) -> Work:
    scene, plane, values = kit.scene().frozen(), kit.plane(), kit.values()
    snap, close_ends = float(kit.options["snap_mm"]), bool(kit.options["close_ends"])

    def run(tick: Tick) -> Proposal | None:
        from napari_medlabel.edit.between import fill_between

        return fill_between(
            scene, whole(scene.shape), plane.axis, values, snap_mm=snap,
            close_ends=close_ends, tick=tick,
        )  # fmt: skip

    return run


def _propagate(kit: Kit) -> Work:
    scene, plane, values = kit.scene().frozen(), kit.plane(), kit.values()
    to = _slice_away(kit, int(kit.options["count"]))
    reach = float(kit.options["reach_mm"]) or None

    def run(tick: Tick) -> Proposal | None:
        from napari_medlabel.edit.propagate import propagate

        return propagate(scene, plane.axis, plane.index, to, values, reach_mm=reach, tick=tick)

    return run


def _smooth(kit: Kit) -> Work:
    scene, box, chosen = kit.scene().frozen(), kit.box(), kit.options
    kind, size = chosen["kind"], float(chosen["size"])
    values = kit.all_values() if kind == "joint" else (kit.free_label(),)

    def run(tick: Tick) -> Proposal | None:
        from napari_medlabel.edit.smooth import smooth_jointly, smooth_one

        if kind == "joint":
            return smooth_jointly(scene, box, values, sigma_mm=size, tick=tick)
        return smooth_one(scene, box, values[0], kind=kind, size_mm=size)

    return run


def _refine(kit: Kit) -> Work:
    scene, box, values, chosen = (
        kit.scene(bridged=True).frozen(),
        kit.box(),
        kit.values(),
        kit.options,
    )
    band, method = float(chosen["band_mm"]), chosen["method"]

    def run(tick: Tick) -> Proposal | None:
        from napari_medlabel.edit.refine import refine

        return refine(scene, box, values, band_mm=band, method=method, tick=tick)

    return run


def _islands(kit: Kit) -> Work:
    scene, box, values, chosen = (
        kit.scene().frozen(),
        kit.box(),
        kit.values(),
        kit.options,
    )
    how, smallest = chosen["how"], float(chosen["smallest_mm3"])
    value = kit.free_label() if how == "split" else 0
    unused = _unused_values(kit) if how == "split" else ()

    def run(_tick: Tick) -> Proposal | None:
        from napari_medlabel.edit import islands

        if how == "largest":
            return islands.keep_largest(scene, box, values)
        if how == "small":
            return islands.remove_small(scene, box, values, smallest_mm3=smallest)
        return islands.split(scene, box, value, unused)

    return run


def _holes(kit: Kit) -> Work:
    scene, box, values = kit.scene().frozen(), kit.box(), kit.values()
    largest = float(kit.options["largest_mm3"]) or None

    def run(_tick: Tick) -> Proposal | None:
        from napari_medlabel.edit.holes import fill_holes

        return fill_holes(scene, box, values, largest_mm3=largest)

    return run


def _margin(kit: Kit) -> Work:
    scene, box, values, mm = (
        kit.scene().frozen(),
        kit.box(),
        kit.values(),
        float(kit.options["mm"]),
    )

    def run(_tick: Tick) -> Proposal | None:
        from napari_medlabel.edit.margin import grow_margin

        return grow_margin(scene, box, values, mm=mm)

    return run


def _hollow(kit: Kit) -> Work:
    scene, box, values, chosen = (
        kit.scene().frozen(),
        kit.box(),
        kit.values(),
        kit.options,
    )
    wall, side = float(chosen["wall_mm"]), chosen["side"]

    def run(_tick: Tick) -> Proposal | None:
        from napari_medlabel.edit.margin import hollow

        return hollow(scene, box, values, wall_mm=wall, side=side)

    return run


def _copy(kit: Kit) -> Work:
    scene, plane, values, chosen = (
        kit.scene().frozen(),
        kit.plane(),
        kit.values(),
        kit.options,
    )
    to = _slice_away(kit, int(chosen["count"]))
    step = 1 if to > plane.index else -1
    targets = tuple(range(plane.index + step, to + step, step))
    move = bool(chosen["move"])

    def run(_tick: Tick) -> Proposal | None:
        from napari_medlabel.edit.moving import copy_slice

        return copy_slice(scene, plane.axis, plane.index, targets, values, move=move)

    return run


def _translate(kit: Kit) -> Work:
    scene, values, display = kit.scene().frozen(), kit.values(), kit.binding.display
    # Displayed axes are (S, P, L), each growing: their steps turned into voxels.
    steps = np.array([int(kit.options[way]) for way in _WAYS])
    i, j, k = (int(v) for v in display.to_voxel[:3, :3] @ steps)
    shift: tuple[int, int, int] = (i, j, k)
    volume = kit.session.volume
    affine = volume.grid.affine if volume.is_oriented else None
    if not any(shift):
        raise InputError("Nothing is to be moved.", hint="Say by how many voxels.")

    def run(_tick: Tick) -> Proposal | None:
        from napari_medlabel.edit.moving import translate

        return translate(scene, values, shift_ijk=shift, affine=affine)

    return run


def _crop(kit: Kit) -> Work:
    scene, box, values = kit.scene().frozen(), kit.box(), kit.values()

    def run(_tick: Tick) -> Proposal | None:
        from napari_medlabel.edit.moving import crop_to

        return crop_to(scene, box, values)

    return run


def _renumber(kit: Kit) -> Work:
    scene, value, other = kit.scene().frozen(), kit.free_label(), _other(kit)

    def run(_tick: Tick) -> Proposal | None:
        from napari_medlabel.edit.moving import renumber

        return renumber(scene, {value: other})

    return run


ACTS: Final[Mapping[str, Callable[[Kit], Work]]] = MappingProxyType(
    {
        "threshold": _threshold,
        "between": _between,
        "propagate": _propagate,
        "smooth": _smooth,
        "refine": _refine,
        "islands": _islands,
        "holes": _holes,
        "margin": _margin,
        "hollow": _hollow,
        "combine": combine_work,
        "mirror": mirror_work,
        "copy": _copy,
        "translate": _translate,
        "crop": _crop,
        "renumber": _renumber,
    }
)
"""What a tool with a button computes, by its name."""


def _other(kit: Kit) -> int:
    other = int(kit.options["other"])
    if other not in kit.session.labels.scheme.values or other == kit.label:
        raise InputError(
            "This needs a second label.", hint="Choose another one than the label in hand."
        )
    return other


def _slice_away(kit: Kit, count: int) -> int:
    """Return the slice that lies some slices from the one seen, inside the scan."""
    plane = kit.plane()
    to = min(max(plane.index + count, 0), kit.shape[plane.axis] - 1)
    if to == plane.index:
        raise InputError(
            "There is no slice to go to.",
            hint="Say how many slices, and in which direction there are some.",
        )
    return to


def _unused_values(kit: Kit) -> tuple[int, ...]:
    """Return values of the scheme of which there is no voxel, for the parts of a label."""
    counts = kit.session.labels.voxel_counts()
    free = tuple(v for v in kit.session.labels.scheme.values if not counts.get(v))
    if not free:
        raise InputError(
            "All labels of the scheme are in use: there is none for another part.",
            hint="Add a segment first.",
        )
    return free


def tightened(proposal: Proposal) -> tuple[Box, Any]:
    """Return the tightest box of what a proposal changes, and where it lies in its own box.

    Returns
    -------
    (box, inner) : tuple
        Box in the volume (i, j, k), and slices into ``proposal.after``.
    """
    inner = around(proposal.changed)
    if inner is None:
        return proposal.box, tuple(slice(0, n) for n in proposal.after.shape)
    i, j, k = (
        slice(b.start + s.start, b.start + s.stop)
        for b, s in zip(proposal.box, inner, strict=True)
    )
    return (i, j, k), inner


def words_of(proposal: Proposal, scene: Scene) -> str:
    """Say what a proposal would do: its own words, then what comes and what goes in ml.

    Parameters
    ----------
    proposal : Proposal
        What is proposed.
    scene : Scene
        For the size of a voxel.
    """
    ml = scene.voxel_mm3 / 1000.0
    changed = proposal.changed.T
    gone = int(np.count_nonzero(changed & (proposal.after.T == 0)))
    new = int(np.count_nonzero(changed)) - gone
    parts = []
    if new:
        parts.append(f"+ {new * ml:.3g} ml")
    if gone:
        parts.append(f"- {gone * ml:.3g} ml")  # noqa: RUF100
    sums = ", ".join(parts)
    return f"{proposal.words} ({sums})" if proposal.words else f"{proposal.name}: {sums}"
