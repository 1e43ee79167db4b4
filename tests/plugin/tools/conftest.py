"""A case with a bright ball in it, in a viewer without a window, and a mouse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_medlabel.edit.scene import Proposal, quiet
from napari_medlabel.errors import MedlabelError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model import presets
from napari_medlabel.model.volume import Source, Volume
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.tools.hand import QuietHand
from napari_medlabel.plugin.tools.hands import HANDS
from napari_medlabel.plugin.tools.holding import Holding
from napari_medlabel.plugin.tools.kit import Choices, Kit
from napari_medlabel.session.case import Session
from tests.plugin.tools.mouse import Mouse


@dataclass
class Bench:
    """A case with tools, as the desk has it, and what it was told."""

    kit: Kit
    holding: Holding
    mouse: Mouse
    said: list[str] = field(default_factory=list)
    errors: list[MedlabelError] = field(default_factory=list)
    proposals: list[Proposal | None] = field(default_factory=list)

    @property
    def session(self) -> Session:
        return self.kit.session

    @property
    def labels(self) -> Any:
        return self.kit.session.labels.array

    def take(self, name: str, **options: Any) -> QuietHand:
        self.kit.choices.tool = name
        for option, value in options.items():
            if option == "extent":
                self.kit.choices.extents[name] = value
            else:
                self.kit.choices.put(name, option, value)
        hand = HANDS[name](self.kit)
        self.holding.take(hand, self.kit.choices.size_mm if hand.circle else None)
        return hand

    def show(self, plane: str, *ijk: int) -> None:
        binding = self.kit.binding
        binding.orientation.show_plane(plane)
        shown = binding.display.points_zyx(np.array(ijk, dtype=float))
        for axis in range(3):
            binding.viewer.dims.set_current_step(axis, round(float(shown[axis])))


@pytest.fixture
def make_bench(
    make_grid: Callable[..., Grid],
    open_volume: Callable[[Volume], Session],
    viewer: ViewerModel,
) -> Callable[..., Bench]:
    """Return a function that opens a scan with a ball of 200 in 100 at voxel (12, 10, 8)."""
    made: list[Bench] = []

    def make(
        codes: str = "LPS",
        shape: tuple[int, int, int] = (24, 20, 16),
        spacing: tuple[float, float, float] = (1.0, 1.0, 2.0),
        tilt_deg: float = 0.0,
    ) -> Bench:
        grid = make_grid(codes, shape, spacing)
        if tilt_deg:
            matrix = grid.affine.matrix.copy()
            lean = np.radians(tilt_deg)
            matrix[:3, 1] *= np.cos(lean)
            matrix[:3, 1] += spacing[1] / spacing[2] * np.sin(lean) * matrix[:3, 2]
            grid = Grid(shape, Affine(matrix))
        k, j, i = np.ogrid[tuple(slice(0, n) for n in reversed(shape))]
        ball = (i - 12) ** 2 + (j - 10) ** 2 + (2 * (k - 8)) ** 2 <= 36
        array = np.where(ball, 200, 100).astype(np.int16)
        source = Source("nifti", (), ("ab" * 32,))
        session = open_volume(Volume(grid, array.T, source, modality="CT"))
        session.set_scheme(presets.scheme("abdomen"))
        binding = Binding(session, viewer)
        said: list[str] = []
        errors: list[MedlabelError] = []
        proposals: list[Proposal | None] = []
        kit = Kit(
            binding,
            Choices(),
            lambda _words, work, *following: proposals.extend(
                part(quiet) for part in (work, *following)
            ),
            said.append,
            errors.append,
        )
        bench = Bench(
            kit, Holding(binding, lambda: None), Mouse(binding), said, errors, proposals
        )
        made.append(bench)
        return bench

    yield make
    for bench in made:
        bench.holding.detach()
        bench.kit.binding.detach()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()
