"""What every hand works with: the bench, the label in hand, and the plane that is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import numpy as np

from napari_medlabel.edit.patch import Box
from napari_medlabel.edit.scene import Proposal, Scene, Tick, slab, whole
from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.tools.catalogue import SIZE, tool
from napari_medlabel.plugin.tools.options import Extent
from napari_medlabel.session.bench import Stroke

Work = Callable[[Tick], Proposal | None]
"""Computes a proposal, in a thread; it ends where its tick raises."""

SIZE_STEP: Final = 1.2
"""One step of the wheel or a key changes the brush by 20 %, as in Slicer."""

_AT_ONCE: Final = 1 << 23  # voxels: a scan of fewer is drawn through without a thread
_THROUGH: Final = ("outline", "scissors")
"""Tools whose drawing goes through all slices in 3D."""

_LEAST_MM: Final = 0.2
_MOST_MM: Final = 300.0


def next_size(size_mm: float, steps: float) -> float:
    """Return a brush's diameter in mm after some steps up (above 0) or down."""
    wanted = round(size_mm * float(SIZE_STEP**steps), 1)
    if wanted == size_mm and steps:
        wanted += 0.1 if steps > 0 else -0.1  # 20 % of a small brush is less than a tenth
    return float(round(min(max(wanted, _LEAST_MM), _MOST_MM), 1))


def _no_label() -> InputError:
    return InputError(
        "Label 0 is no label: painting with it does nothing.",
        hint="Choose a label in the list of labels; the eraser takes labels away.",
    )


def _nothing() -> None:
    """Do nothing."""


@dataclass
class Choices:
    """What the person has chosen for the tools; kept while the window is open.

    Parameters
    ----------
    tool : str
        The tool whose options are asked for.
    slab : int
        How many slices a slab has.
    size_mm : float
        Diameter of all brushes.
    extents : dict of str to str
        Where each tool works.
    values : dict of str to dict
        Options of each tool.
    """

    tool: str = "brush"
    slab: int = 3
    size_mm: float = 10.0
    extents: dict[str, Extent] = field(default_factory=dict)
    values: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, name: str) -> dict[str, Any]:
        """Return the options of a tool, by their names."""
        chosen = tool(name).defaults() | self.values.get(name, {})
        if SIZE in chosen:
            chosen[SIZE] = self.size_mm
        return chosen

    def put(self, name: str, option: str, value: Any) -> None:
        """Choose a value for an option of a tool."""
        if option == SIZE:
            self.size_mm = float(value)
        else:
            self.values.setdefault(name, {})[option] = value

    def extent(self, name: str) -> Extent:
        """Return where a tool works; ``3D`` for one that is not asked."""
        known = tool(name).extents
        chosen = self.extents.get(name)
        if chosen in known and chosen is not None:
            return chosen
        return known[0] if known else "3D"


@dataclass(frozen=True)
class Plane:
    """A slice: the voxel axis across it (0 for i, 1 for j, 2 for k), and its number on that."""

    axis: int
    index: int


class Kit:
    """Handed to every tool when it is taken up.

    Parameters
    ----------
    binding : Binding
        The case in its viewer.
    choices : Choices
        What is chosen; read when a tool begins something.
    ask : callable
        Runs work for a tool in the background and shows what it proposes: given the words for
        the progress, the work, and sometimes more work whose answer replaces the first.
    say : callable
        Says a sentence to the person.
    fail : callable
        Shows an error.
    """

    def __init__(
        self,
        binding: Binding,
        choices: Choices,
        ask: Callable[..., object],
        say: Callable[[str], object],
        fail: Callable[[MedlabelError], object],
    ) -> None:
        self.binding = binding
        self.session = binding.session
        self.bench = binding.session.bench
        self.choices = choices
        self.ask, self.say, self.fail = ask, say, fail
        self.resized: Callable[[], object] = _nothing
        """Called when a tool has changed the size of the brush."""
        self.renew: Callable[[], object] = _nothing
        """Called when the slider rests on another volume of the scan."""
        self.later: Callable[..., object] | None = None
        """Computes a drawing through a large scan in a thread and settles it; None: at once."""

    def resize(self, steps: float) -> None:
        """Make the brush larger (above 0) or smaller by steps of 20 %."""
        self.choices.size_mm = next_size(self.choices.size_mm, steps)
        self.resized()

    # -- what is in hand -----------------------------------------------------------------

    @property
    def label(self) -> int:
        """The label in hand: the one that napari paints with."""
        return int(self.binding.labels.selected_label)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along i, j and k."""
        i, j, k = self.session.labels.array.shape
        return i, j, k

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Along i, j and k."""
        i, j, k = (float(mm) for mm in self.session.volume.grid.affine.spacing_mm)
        return i, j, k

    @property
    def skew_mm(self) -> FloatArray | None:
        """Voxel steps, (3, 3) columns in mm, of a tilted scan; as `Affine.skew_mm`."""
        return self.session.volume.grid.affine.skew_mm

    def scene(self, *, bridged: bool = False) -> Scene:
        """Return what a tool works on now, as `Bench.scene`, with the scan's tilt."""
        return replace(self.bench.scene(bridged=bridged), skew_mm=self.skew_mm)

    @property
    def extent(self) -> Extent:
        """Where the tool in hand works."""
        return self.choices.extent(self.choices.tool)

    @property
    def options(self) -> dict[str, Any]:
        """Options of the tool in hand."""
        return self.choices.of(self.choices.tool)

    @property
    def slices(self) -> int:
        """Through how many slices a flat tool goes: 1, those of the slab, or all."""
        thickness = {"slice": 1, "slab": self.choices.slab}
        return thickness.get(self.extent, 2 * max(self.shape))

    def all_values(self) -> tuple[int, ...]:
        """Return all labels that are not locked.

        Raises
        ------
        InputError
            When all are locked.
        """
        locked = self.bench.masking.locked
        known = tuple(v for v in self.session.labels.scheme.values if v not in locked)
        if not known:
            raise InputError("All labels are locked.", hint="Unlock one in the list of labels.")
        return known

    def values(self) -> tuple[int, ...]:
        """Return the labels to work on, by the option ``which``.

        Raises
        ------
        InputError
            When no label is in hand, or all are locked.
        """
        if self.options.get("which") == "all":
            return self.all_values()
        return (self.free_label(),)

    def free_label(self) -> int:
        """Return the label in hand.

        Raises
        ------
        InputError
            When none of the scheme is in hand, or it is locked.
        """
        value = self.label
        if value == 0:
            raise _no_label()
        if value not in self.session.labels.scheme.values:
            raise InputError(
                f"The scheme has no label {value}.",
                hint="Choose a label in the list of labels.",
            )
        if value in self.bench.masking.locked:
            raise InputError(
                f"{self.session.labels.scheme[value].name} is locked.",
                hint="Unlock it in the list of labels, or choose another one.",
            )
        return value

    def has_label(self) -> bool:
        """Tell whether a label is in hand; where it is 0, say to the person what to do."""
        if self.label == 0:
            self.fail(_no_label())
        return self.label != 0

    def first_range(self) -> tuple[float, float]:
        """Return a range of values to begin from: the brighter half of the window."""
        if self.session.volume.colour is not None:
            return 128.0, 255.0
        low, high = (float(v) for v in self.binding.image.contrast_limits)
        return (low + high) / 2.0, high

    # -- where ---------------------------------------------------------------------------

    @property
    def view(self) -> Any:
        """The view in which the person works: the one that the mouse was over last."""
        return self.binding.pointing.last_view or self.binding.viewer

    def plane(self) -> Plane:
        """Return the slice that is seen.

        Raises
        ------
        InputError
            When the view is in 3D.
        """
        dims = self.view.dims
        if dims.ndisplay != 2:
            raise InputError(
                "A 3D view shows no slice to work on.",
                hint="Choose Axial, Coronal or Sagittal.",
            )
        display, labels = self.binding.display, self.binding.labels
        shown = int(dims.order[-3]) - (dims.ndim - 3)
        point = np.asarray(labels.world_to_data(np.asarray(dims.point)), dtype=np.float64)[-3:]
        axis = display.order[shown]
        index = int(np.rint(display.index_ijk(point)[axis]))
        return Plane(axis, min(max(index, 0), self.shape[axis] - 1))

    def box(self, plane: Plane | None = None) -> Box:
        """Return the box that the tool in hand works on."""
        if self.extent == "3D":
            return whole(self.shape)
        at = plane or self.plane()
        return slab(self.shape, at.axis, at.index, self.slices)

    def erasable(self) -> tuple[int, ...]:
        """Return the labels that an eraser takes away by the rules, none for all of them."""
        rules, label = self.bench.masking, self.label
        if rules.overwrite == "all":
            return ()
        if rules.overwrite == "none":
            return (label,)
        shown = (v for v in self.session.labels.scheme.values if v not in rules.hidden)
        return tuple(dict.fromkeys((label, *shown)))

    # -- doing ---------------------------------------------------------------------------

    def begin(self, name: str, values: Sequence[int]) -> Stroke | None:
        """Begin a stroke; None and a word to the person where that cannot be."""
        try:
            return self.bench.stroke(name, values)
        except MedlabelError as err:
            self.fail(err)
            return None

    def finish(self, stroke: Stroke, value: int) -> None:
        """End a stroke; say so where it did nothing, or lies where there is no image."""
        touched = stroke.box is not None
        patch = stroke.finish()
        if not touched and value in self.bench.masking.locked:
            name = self.session.labels.scheme[value].name
            self.say(f"{name} is locked: nothing was painted.")
        if patch is not None:
            self.warn_of_missing(patch.box)

    def warn_of_missing(self, box: Box) -> None:
        """Say that labels lie on slices that no file holds."""
        missing = self.binding.missing
        blank = [] if missing is None else missing.touched(box)
        if blank:
            self.binding.painted_on_missing.emit(blank)

    def apply(
        self,
        make: Callable[[], Proposal | None],
        refused: Callable[[str], object] | None = None,
    ) -> bool:
        """Make a drawing of the hand a step at once; return whether anything changed.

        What goes through a large scan is computed in the background, and nothing has changed
        yet.

        Parameters
        ----------
        make : callable
            Computes what the drawing makes of the labels.
        refused : callable, optional
            Called when the drawing became no step for an error, a rule, or because it was
            stopped: with what the person was not told yet.
        """
        through = self.choices.tool in _THROUGH and self.extent == "3D"
        if self.later is not None and through and int(np.prod(self.shape)) > _AT_ONCE:
            self.later(make, partial(self._settle, refused=refused), refused)
            return False
        try:
            proposal = make()
        except MedlabelError as err:
            self._fail(err, refused)
            return False
        return self._settle(proposal, refused)

    def _fail(self, err: MedlabelError, refused: Callable[[str], object] | None) -> None:
        self.fail(err)
        if refused is not None:
            refused("")

    def _settle(
        self, proposal: Proposal | None, refused: Callable[[str], object] | None = None
    ) -> bool:
        try:
            patch = None if proposal is None else self.bench.apply(proposal)
        except MedlabelError as err:
            self._fail(err, refused)
            return False
        if patch is None:
            # Without rules all of it is as the drawing would have it: there is none to keep.
            tell = refused if refused is not None and self.bench.is_bound else self.say
            tell("Nothing changed: the rules below, or a lock, leave nothing to change.")
            return False
        self.warn_of_missing(patch.box)
        return True
