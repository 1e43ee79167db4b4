"""Slabs, cine and a second scan laid over, headless: what of a step is not drawing."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from _measure import Side, Work, main
from edit import SHAPE, Bound, limit

STEPS = 20
LIMIT_S = 0.1
"""What nothing on the Qt thread may take."""


class Sighted(Bound):
    """A case in four views, three of them of planes beside the first.

    Parameters
    ----------
    folder : Path
        For log, state and journal.
    """

    def __init__(self, folder: Path) -> None:
        from napari_medlabel.plugin.sight.views import Views

        super().__init__(folder)
        self.layer.mode = "pan_zoom"
        self.views = Views(self.session, self.binding)
        self.views.open_planes()

    def close(self) -> None:
        """Let go of views, journal and log."""
        self.views.detach()
        super().close()


def slab(kind: str, thickness_mm: float, folder: Path) -> Side:
    """Scroll in a slab; four views follow."""
    from napari_medlabel.plugin.sight.slab import Slab

    sighted = Sighted(folder)
    shown = Slab(sighted.views)
    shown.choose(kind, thickness_mm)

    def scroll(number: int) -> None:
        by = 1 if number % 2 else -1
        for _ in range(STEPS):
            sighted.views.scroll(sighted.views.first, by)

    return Side(scroll, done=_all_of(shown.detach, sighted.close), calls=STEPS)


def cine(kind: str, folder: Path) -> Side:
    """Let cine go on through the slices; four views follow."""
    from napari_medlabel.plugin.sight.cine import Cine
    from napari_medlabel.plugin.sight.slab import Slab

    sighted = Sighted(folder)
    shown, film = Slab(sighted.views), Cine(sighted.views)
    shown.choose(kind, 10.0)
    film.start()

    def play(_number: int) -> None:
        for _ in range(STEPS):
            film.step()
        if not film.is_playing:
            raise SystemExit("Cine stopped by itself.")

    return Side(play, done=_all_of(film.detach, shown.detach, sighted.close), calls=STEPS)


def choose(kind: str, folder: Path) -> Side:
    """Go from one slice to a slab in four views."""
    from napari_medlabel.plugin.sight.slab import ONE, Slab

    sighted = Sighted(folder)
    shown = Slab(sighted.views)
    return Side(
        lambda _: shown.choose(kind, 10.0),
        lambda _: shown.choose(ONE, 10.0),
        _all_of(shown.detach, sighted.close),
    )


def fusion(_folder: Path) -> Side:
    """Resample a turned scan of 256x256x200 onto the case; seconds for the slowest slice.

    It runs beside the window; what counts is how long it goes on between two looks at whether
    it was stopped.
    """
    from napari_medlabel.geometry.affine import Affine
    from napari_medlabel.geometry.grid import Grid
    from napari_medlabel.model.volume import Source, Volume
    from napari_medlabel.plugin.sight.fusion import fuse

    turn = np.deg2rad(7.0)
    matrix = np.diag([1.6, 1.6, 2.0, 1.0])
    matrix[:2, :2] = 1.6 * np.array(
        [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    )
    voxels = np.random.default_rng(3).integers(0, 900, (200, 256, 256), np.int16)
    source = Source("nifti", (Path("second.nii"),), sha256=("0" * 64,))
    volume = Volume(Grid((256, 256, 200), Affine(matrix)), voxels.T, source, modality="PT")
    target = Grid((*SHAPE[:2], 40), Affine(np.diag([0.8, 0.8, 1.0, 1.0])))

    def run(_number: int) -> float:
        looks: list[float] = []
        fuse(volume, target, lambda _done, _total: looks.append(time.perf_counter()))
        return float(np.diff(looks).max())

    return Side(run)


def _all_of(*acts: Any) -> Any:
    def do() -> None:
        for act in acts:
            act()

    return do


ROW = partial(
    Work, peer="limit of the Qt thread", theirs=partial(limit, LIMIT_S), goal=1.0, repeats=5
)
MIP, MEAN, ONE = "Brightest (MIP)", "Mean", "One slice"

WORKS = (
    ROW("a slab of 10 mm chosen, MIP, four views", partial(choose, MIP)),
    ROW("a step in a slab, MIP of 10 mm, four views", partial(slab, MIP, 10.0)),
    ROW("a step in a slab, mean of 10 mm, four views", partial(slab, MEAN, 10.0)),
    ROW("a step in a slab, MIP of 50 mm, four views", partial(slab, MIP, 50.0)),
    ROW("a step of cine, one slice, four views", partial(cine, ONE)),
    ROW("a step of cine, MIP of 10 mm, four views", partial(cine, MIP)),
    ROW("fusion, from one look at stop to the next", fusion),
)


if __name__ == "__main__":
    main(__file__, WORKS)
