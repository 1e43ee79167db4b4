"""What leaves a viewer: pictures, clipboard and saved layers are logged first, or refused.

napari has no event for any of them, so its functions are wrapped where every way passes:

- pictures: ``screenshot``, ``export_figure`` and ``export_rois`` of the window and of its view
  say where to; ``_screenshot`` of both, below them, draws. Who draws without having said where
  to is the clipboard. ``VispyCanvas.screenshot`` is the last net under all of them.
- layers: `napari.plugins.io.save_layers`, under File > Save, ``layers.save``, ``layer.save``.

A viewer that never showed a scan of ours is left alone.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from napari_medlabel.audit.format.event import ObjectRef
from napari_medlabel.errors import InputError, LogError
from napari_medlabel.plugin.layer_labels import labels_of_layer
from napari_medlabel.plugin.layers import KEY
from napari_medlabel.plugin.workplace import WORKPLACE

_LOGGED: Final[ContextVar[bool]] = ContextVar("medlabel_leaving_logged", default=False)
_MARK: Final = "__medlabel_leaving__"
_QT: Final = ("napari._qt.qt_viewer", "QtViewer"), ("napari._qt.qt_main_window", "Window")
_CANVAS: Final = "napari._vispy.canvas"
_ANIMATION: Final = "napari_animation.animation"


def watch_leaving() -> None:
    """Wrap what napari has loaded so far; again does nothing more. Call before pixels show."""
    from napari.plugins import io

    _wrap(io, "save_layers", _guarded_save)
    for module, name in _QT:
        owner = getattr(sys.modules.get(module), name, None)
        if owner is not None:
            for method in ("screenshot", "export_figure", "export_rois"):
                _wrap(owner, method, _guarded_picture)
            _wrap(owner, "_screenshot", _guarded_drawing)
    canvas = getattr(sys.modules.get(_CANVAS), "VispyCanvas", None)
    if canvas is not None:
        _wrap(canvas, "screenshot", _guarded_canvas)
    animation = getattr(sys.modules.get(_ANIMATION), "Animation", None)
    if animation is not None:
        _wrap(animation, "animate", _guarded_animation)


def is_logged() -> bool:
    """Tell whether what is being written now is in the log already."""
    return _LOGGED.get()


def _wrap(owner: Any, name: str, guard: Callable[[Callable[..., Any]], Any]) -> None:
    original = vars(owner).get(name)
    if original is None or hasattr(original, _MARK):
        return
    guarded = functools.wraps(original)(guard(original))
    setattr(guarded, _MARK, True)
    setattr(owner, name, guarded)


# -- the ways out ------------------------------------------------------------------------


def _guarded_picture(original: Callable[..., Any]) -> Callable[..., Any]:
    """Guard what draws a picture and is told where it goes."""
    is_rois = original.__name__ == "export_rois"

    def call(self: Any, *args: Any, **keywords: Any) -> Any:
        at = 1 if is_rois else 0
        names = ("rois", "paths") if is_rois else ("path",)
        given = {**dict(zip(names, args, strict=False)), **keywords}
        target = given.get(names[at])
        count = len(given.get("rois", ())) if is_rois else 1
        kept = count if target is not None else 0
        with leaving(
            _layers(self),
            "screenshot",
            "screen" if target is None else "folder",
            files=kept,
            frames=count,
        ):
            return original(self, *args, **keywords)

    return call


def _guarded_drawing(original: Callable[..., Any]) -> Callable[..., Any]:
    """Guard what draws for the clipboard: everybody else has said where to by now."""

    def call(self: Any, *args: Any, **keywords: Any) -> Any:
        with leaving(_layers(self), "clipboard", "clipboard", frames=1):
            return original(self, *args, **keywords)

    return call


def _guarded_canvas(original: Callable[..., Any]) -> Callable[..., Any]:
    """Guard the canvas itself, which plugins may ask past the window."""

    def call(self: Any, *args: Any, **keywords: Any) -> Any:
        with leaving(_layers(self), "screenshot", "screen", frames=1):
            return original(self, *args, **keywords)

    return call


def _guarded_animation(original: Callable[..., Any]) -> Callable[..., Any]:
    """Guard napari-animation: one line for a film, not one for each of its pictures."""

    def call(self: Any, *args: Any, **keywords: Any) -> Any:
        with leaving(_layers(self), "animation", "folder", files=1):
            return original(self, *args, **keywords)

    return call


def _guarded_save(original: Callable[..., Any]) -> Callable[..., Any]:
    """Guard the writing of layers, by whatever writer."""

    def call(path: Any, layers: Sequence[Any], *args: Any, **keywords: Any) -> Any:
        with leaving(layers, "save-layer", "folder", files=len(layers), refs=_masks(layers)):
            return original(path, layers, *args, **keywords)

    return call


# -- the gate ----------------------------------------------------------------------------


@contextmanager
def leaving(
    layers: Iterable[Any],
    kind: str,
    destination: str,
    *,
    files: int = 0,
    frames: int = 0,
    refs: Callable[[], Sequence[ObjectRef]] = tuple,
) -> Iterator[None]:
    """Log that something leaves, then let it; what is inside is not logged again.

    Parameters
    ----------
    layers : iterable of napari.layers.Layer
        What is shown, or saved.
    kind : str
        screenshot, animation, clipboard, print or save-layer.
    destination : str
        folder, clipboard or screen.
    files, frames : int
        How many; 0 is not said.
    refs : callable
        Returns the contents that leave; asked only where it is logged.

    Raises
    ------
    LogError
        When the log cannot be written: then nothing leaves. Its text holds both sentences,
        for napari shows no more than the text.
    """
    if _LOGGED.get() or not _is_ours(layers := tuple(layers)):
        yield
        return
    watch_leaving()  # a plugin may have come since
    detail: dict[str, object] = {"kind": kind, "destination": destination}
    detail |= {name: n for name, n in (("files", files), ("frames", frames)) if n}
    try:
        desk = WORKPLACE.desk()
        desk.log.append(
            "export.screen", subject=_subjects(layers), detail=detail, objects=refs()
        )
    except LogError as err:
        said = (
            f"Nothing left napari, because that could not be logged. {err.message} {err.hint}"
        )
        raise LogError(said.strip()) from err
    token = _LOGGED.set(True)
    try:
        yield
    finally:
        _LOGGED.reset(token)


def _is_ours(layers: Iterable[Any]) -> bool:
    """Tell whether a scan may be in these layers: one of ours, or one made from it."""
    return WORKPLACE.newest() is not None or any(KEY in one.metadata for one in layers)


def _subjects(layers: Iterable[Any]) -> tuple[str, ...]:
    """Return the patients' tokens: of the scans in these layers, else of all that are open."""
    named = {one.metadata.get(KEY, {}).get("case", "") for one in layers} - {""}
    found = [known[0] for known in map(WORKPLACE.recall, sorted(named)) if known is not None]
    desk = WORKPLACE.desk()
    sources = [volume.source for volume in found or WORKPLACE.volumes()]
    return tuple(sorted({desk.subject(source)[0] for source in sources}))


def _masks(layers: Sequence[Any]) -> Callable[[], Sequence[ObjectRef]]:
    """Return what names the masks among layers; one that cannot be one leaves unnamed."""

    def refs() -> Sequence[ObjectRef]:
        found = []
        for layer in layers:
            if layer.metadata.get(KEY, {}).get("role") != "labels":
                continue
            try:
                meta = {"metadata": layer.metadata, "features": layer.features}
                labels, _ = labels_of_layer(layer.data, meta)
            except InputError:
                continue
            found.append(ObjectRef(labels.content_id(), "output", "mask"))
        return found

    return refs


def _layers(owner: Any) -> Any:
    """Return the layers of a window, its view, its canvas, or an animation of it."""
    view = getattr(owner, "_qt_viewer", owner)
    # A scan beside the case has a viewer model of its own in the same window.
    return (*view.viewer.layers, *WORKPLACE.beside)
