"""A slab: the brightest, the darkest or the mean of several slices, in every plane."""

from __future__ import annotations

from typing import Any, Final

from psygnal import Signal

from napari_medlabel.errors import InputError
from napari_medlabel.plugin.sight.views import Views

KINDS: Final = {
    "One slice": "none",
    "Brightest (MIP)": "max",
    "Darkest (MinIP)": "min",
    "Mean": "mean",
}
"""What a person chooses, and what napari calls it."""
ONE: Final = "One slice"
THICKEST_MM: Final = 200.0
RESTING: Final = (
    "One slice while a tool or a landmark is in hand: what is marked is what is seen."
)
_SNAP: Final = 1e-6
_ASIDE: Final = 0.01
"""Of a voxel: what tells the last slice of a slab from the first one beyond."""


class Slab:
    """Shows slabs instead of slices in all views of a case.

    One thickness of napari's serves images and landmarks alike. Without a slab it is how far
    landmarks fade; in a slab every landmark inside is drawn in full and none outside, so that
    a landmark is seen exactly where its voxel can be. Labels are those of the slice in the
    middle. While something is in hand that marks voxels, one slice is shown.

    Parameters
    ----------
    views : Views
        The views of the case.
    """

    changed = Signal()

    def __init__(self, views: Views) -> None:
        self._views = views
        self._kind = ONE
        self._thickness_mm = 10.0
        binding = views.binding
        self._fade = tuple(float(mm) for mm in binding.viewer.dims.thickness[-3:])
        self._shown: tuple[str, float] = (ONE, 0.0)
        binding.pointing.hand_changed.connect(self._show)
        binding.labels.events.mode.connect(self._show)
        binding.points.events.mode.connect(self._show)
        views.opened.connect(self._on_opened)

    @property
    def kind(self) -> str:
        """Which of `KINDS` is wanted."""
        return self._kind

    @property
    def thickness_mm(self) -> float:
        """How thick the slab is, in mm across each plane."""
        return self._thickness_mm

    @property
    def is_resting(self) -> bool:
        """Whether a slab is wanted and one slice is shown, for something is in hand."""
        return self._kind != ONE and self._is_marking()

    def choose(self, kind: str, thickness_mm: float) -> None:
        """Choose what is shown.

        Parameters
        ----------
        kind : str
            One of `KINDS`.
        thickness_mm : float
            Across each plane; at least one slice is shown whatever it is.

        Raises
        ------
        InputError
            When there is no such kind or thickness.
        """
        if kind not in KINDS or not 0.0 < thickness_mm <= THICKEST_MM:
            raise InputError(
                f"A slab is above 0 and at most {THICKEST_MM:g} mm thick, and one of: "
                f"{', '.join(KINDS)}.",
                hint="Choose a thickness in that range.",
            )
        self._kind, self._thickness_mm = kind, float(thickness_mm)
        self._show()

    def next_kind(self) -> None:
        """Go to the next kind."""
        known = list(KINDS)
        self.choose(known[(known.index(self._kind) + 1) % len(known)], self._thickness_mm)

    def _is_marking(self) -> bool:
        binding = self._views.binding
        return (
            binding.pointing.hand is not None
            or str(binding.labels.mode) not in ("pan_zoom", "transform", "pick")
            or str(binding.points.mode) == "add"
        )

    def _show(self, _event: object = None) -> None:
        kind = ONE if self._is_marking() else self._kind
        wanted = kind, 0.0 if kind == ONE else self._thickness_mm
        if wanted != self._shown:
            self._shown = wanted
            self._apply(kind)
        self.changed.emit()

    def _apply(self, kind: str) -> None:
        views, binding = self._views, self._views.binding
        thin = kind == ONE
        if thin:
            # Back to one slice before the thickness grows to that of the landmarks.
            binding.image.projection_mode = "none"
        for view in views.all:
            self._make_thick(view)
        if not thin:
            binding.image.projection_mode = KINDS[kind]
        binding.points.projection_mode = "rescale_linear" if thin else "all"
        note = "" if thin else f"{kind}, {self._thickness_mm:g} mm"
        for view in views.all:
            view.note = note
            if view.image is not None and view.image is not binding.image:
                view.image.projection_mode = KINDS[kind]
            view.show_words(views.cross)

    def _make_thick(self, view: Any) -> None:
        """Let napari take the slices whose centres lie in the slab, as many on both sides.

        Left to itself it leaves the last one out and rounds halves to even numbers: its slab
        lies half a slice aside.
        """
        kind, thickness_mm = self._shown
        dims = view.model.dims
        if kind == ONE:
            half = tuple(mm / 2 for mm in self._fade)
            _set_margins(dims, half, half)
            return
        scale = view.display.scale
        counts = [int(thickness_mm / 2 / mm + _SNAP) for mm in scale]
        before, beyond = (
            tuple((n + more) * mm for n, mm in zip(counts, scale, strict=True))
            for more in (0.5 - _ASIDE, 0.5 + _ASIDE)
        )
        _set_margins(dims, before, beyond)

    def _on_opened(self, view: Any) -> None:
        """Show the slab in a view that came later, too."""
        kind, thickness_mm = self._shown
        self._make_thick(view)
        if kind != ONE:
            view.note = f"{kind}, {thickness_mm:g} mm"
            if view.image is not None:
                view.image.projection_mode = KINDS[kind]
            view.show_words(self._views.cross)

    def detach(self) -> None:
        """Show single slices again and let go of the case."""
        binding = self._views.binding
        binding.pointing.hand_changed.disconnect(self._show)
        binding.labels.events.mode.disconnect(self._show)
        binding.points.events.mode.disconnect(self._show)
        self._views.opened.disconnect(self._on_opened)
        if self._shown[0] != ONE:
            self._shown = (ONE, 0.0)
            self._apply(ONE)


def _set_margins(dims: Any, before: tuple[float, ...], beyond: tuple[float, ...]) -> None:
    """Set how far a slice reaches to both sides, of the last three axes, in mm.

    napari slices every layer anew for each of the two: here once, for both.
    """
    wanted = {
        "margin_left": (*dims.margin_left[:-3], *before),
        "margin_right": (*dims.margin_right[:-3], *beyond),
    }
    changed = [name for name, margin in wanted.items() if getattr(dims, name) != margin]
    for name in changed[:-1]:
        with getattr(dims.events, name).blocker():
            setattr(dims, name, wanted[name])
    for name in changed[-1:]:
        setattr(dims, name, wanted[name])
