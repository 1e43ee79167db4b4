"""Painting on 512x512x400 labels, against plain napari; undo; the recovery journal."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from _measure import Side, Work, main

SHAPE = (512, 512, 400)
SPACING_MM = (0.8, 0.8, 1.0)
BRUSH = 20
EVENTS = 40
MIDDLE = SHAPE[2] // 2


class Bound:
    """Our side: a session bound to a viewer model, on 512x512x400 voxels.

    Parameters
    ----------
    folder : Path
        For log, state and journal.
    """

    def __init__(self, folder: Path) -> None:
        from napari.components import ViewerModel

        from napari_medlabel.geometry.affine import Affine
        from napari_medlabel.geometry.grid import Grid
        from napari_medlabel.model import presets
        from napari_medlabel.model.volume import Source, Volume
        from napari_medlabel.plugin.binding import Binding
        from napari_medlabel.session.desk import open_desk
        from napari_medlabel.session.opening import Wishes, adopt_volume

        own = folder / f"edit-{os.getpid()}-{id(self)}"
        self.desk = open_desk(own / "audit", state=own / "state")
        # Hashes of no file: the scan is made here.
        source = Source("nifti", (own / "scan.nii",), sha256=("0" * 64,))
        # Patient axes as a CT has them: columns to the left, rows to the back, slices up.
        affine = Affine(np.diag([-SPACING_MM[0], -SPACING_MM[1], SPACING_MM[2], 1.0]))
        volume = Volume(Grid(SHAPE, affine), image().T, source, modality="CT")
        wishes = Wishes(presets.scheme("abdomen"), presets.template("abdomen"), folder=own)
        self.session = adopt_volume(volume, [own], self.desk, wishes, fallback=own)
        # Kept: events hold their listeners weakly.
        self.viewer = ViewerModel()
        self.binding = Binding(self.session, self.viewer)
        self.layer = self.binding.labels
        self.viewer.dims.set_current_step(0, MIDDLE)
        self.layer.mode = "paint"
        self.layer.brush_size = BRUSH

    def close(self) -> None:
        """Stop the journal and the log."""
        self.session.close(discard=True)
        self.desk.log.close()


def image() -> Any:
    """Return the scan's voxels (k, j, i): painting does not look at them."""
    return np.zeros(SHAPE[::-1], np.int16)


def plain() -> tuple[Any, Any]:
    """Return plain napari's viewer and labels layer, over an image of the same size."""
    from napari.components import ViewerModel

    viewer = ViewerModel()
    scale = SPACING_MM[::-1]
    viewer.add_image(image(), scale=scale, contrast_limits=(-160, 240))
    layer = viewer.add_labels(np.zeros(SHAPE[::-1], np.uint8), scale=scale)
    layer.mode = "paint"
    layer.brush_size = BRUSH
    viewer.dims.set_current_step(0, MIDDLE)
    return viewer, layer


def paint(layer: Any, number: int) -> None:
    """Let 40 brush events go down the shown slice, each over voxels it really changes."""
    label = 1 + number % 2
    for n in range(EVENTS):
        layer.paint((MIDDLE, 40 + 11 * n, 60 + 9 * n), label)


def stroke(layer: Any, number: int) -> None:
    """Paint the same 40 events as one stroke of the mouse: one step to undo."""
    with layer.block_history():
        paint(layer, number)


def undo(layer: Any) -> None:
    """Take 40 events back."""
    for _ in range(EVENTS):
        layer.undo()


def ours(what: str, folder: Path) -> Side:
    """Paint and undo through the session; every event must be a step of its history."""
    bound = Bound(folder)
    steps = EVENTS if what == "paint" else 1

    def checked(number: int) -> None:
        history = bound.session.history
        if number and what != "undo" and len(history) != number * steps:
            raise SystemExit(f"{number * steps} steps are expected, {len(history)} were made.")

    return _side(what, bound.layer, checked, bound.close)


def theirs(what: str, _folder: Path) -> Side:
    viewer, layer = plain()
    return _side(what, layer, lambda _: None, viewer.layers.clear)


def _side(what: str, layer: Any, check: Any, done: Any) -> Side:
    if what == "undo":
        return Side(lambda _: undo(layer), partial(_repaint, layer), done, EVENTS)
    act = paint if what == "paint" else stroke
    return Side(partial(act, layer), check, done, EVENTS)


def _repaint(layer: Any, number: int) -> None:
    """Paint what is to be undone, after a look whether the undo before did its work."""
    if layer.data[MIDDLE].any():
        raise SystemExit("The undo left something of what was painted.")
    paint(layer, number)
    if not layer.data[MIDDLE].any():
        raise SystemExit("The brush painted nothing: there would be nothing to undo.")


def _unhurried(folder: Path) -> Bound:
    """Return our side without the journal's thread, which would now and then sweep first."""
    bound = Bound(folder)
    bound.session.keeper.close(discard=True)
    return bound


def sweep(folder: Path) -> Side:
    """After one brush event, write to the journal what changed."""
    bound = _unhurried(folder)

    def change(number: int) -> None:
        bound.layer.paint((MIDDLE, 200, 200), 1 + number % 2)

    def run(_number: int) -> None:
        if not bound.session.keeper.sweep():
            raise SystemExit("The sweep found nothing to keep.")

    return Side(run, change, bound.close)


def absorb(folder: Path) -> Side:
    """Find a change of one slice that nobody announced, make a step of it and keep it."""
    bound = _unhurried(folder)

    def change(number: int) -> None:
        bound.session.labels.array[100:140, 100:140, MIDDLE] = 1 + number % 2

    def run(_number: int) -> None:
        if bound.session.reconcile() is None or not bound.session.keeper.sweep():
            raise SystemExit("The change was not found.")

    return Side(run, change, bound.close)


def undo_all(folder: Path) -> Side:
    """Take a step of the whole scan back: ten labels in slabs become one."""
    bound = _unhurried(folder)
    session = bound.session
    everywhere = (slice(None),) * 3
    for k in range(SHAPE[2]):
        session.labels.array[:, :, k] = k % 11
    session.reconcile()
    before = session.labels.array.T.copy().T
    after = np.full_like(before, 3)

    def done(_number: int) -> None:
        session.edit(everywhere, after, name="All")

    def run(_number: int) -> None:
        session.undo()
        if session.labels.array[0, 0, 1] != 1:
            raise SystemExit("The undo did nothing.")

    return Side(run, done, bound.close)


def limit(seconds: float, _folder: Path) -> Side:
    """Return the time that a work may take, in place of a peer."""
    return Side(lambda _: seconds)


def copy_all(folder: Path) -> Side:
    """Write the whole mask with nibabel: what an autosave without a journal would do."""
    import nibabel as nib

    array = np.zeros(SHAPE[::-1], np.uint8)
    array[MIDDLE, 100:140, 100:140] = 1
    path = folder / "copy.nii.gz"
    affine = np.diag([*SPACING_MM, 1.0])
    return Side(lambda _: nib.save(nib.Nifti1Image(array.T, affine), path))


WORKS = (
    Work(
        "one brush event, its own step to undo",
        partial(ours, "paint"),
        "napari Labels.paint",
        partial(theirs, "paint"),
        0.5,
        9,
    ),
    Work(
        "one brush event of a stroke of 40",
        partial(ours, "stroke"),
        "napari Labels.paint",
        partial(theirs, "stroke"),
        0.5,
        9,
    ),
    Work(
        "undo of one brush event",
        partial(ours, "undo"),
        "napari Labels.undo",
        partial(theirs, "undo"),
        0.5,
        9,
    ),
    Work(
        "undo of a step of the whole scan, 105 million voxels",
        undo_all,
        "limit of the Qt thread",
        partial(limit, 0.1),
        1,
        9,
    ),
    Work(
        "journal sweep after a brush event, synced",
        sweep,
        "nibabel.save of the whole mask, .nii.gz, not synced",
        copy_all,
        5,
        5,
    ),
    Work(
        "absorbing an unannounced change, then a journal sweep",
        absorb,
        "nibabel.save of the whole mask, .nii.gz, not synced",
        copy_all,
        2,
    ),
)

if __name__ == "__main__":
    main(__file__, WORKS)
