"""What napari's File > Open and drag and drop call: the reader, with a person to ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_medlabel.errors import MedlabelError
from napari_medlabel.plugin import contributions, plain
from napari_medlabel.plugin.contributions import NOTHING, Paths
from napari_medlabel.plugin.layers import LayerTuple


def get_reader(path: Paths) -> Callable[[Paths], list[LayerTuple]] | None:
    """Return the reader for a path, or None when it is none of ours."""
    return None if contributions.get_reader(path) is None else read_layers


def read_layers(path: Paths) -> list[LayerTuple]:
    """Read a path; in a window several series are offered, and progress can be cancelled.

    Without a window nobody can be asked: several series are an error that lists them.
    """
    if not has_window():
        return contributions.read_layers(path)
    import napari
    from napari.utils import cancelable_progress

    from napari_medlabel.widgets.background import CancelledError
    from napari_medlabel.widgets.chooser import ask_series

    with cancelable_progress(total=1, desc="Reading the scan") as bar:

        def tell(done: int, total: int) -> None:
            if bar.is_canceled:
                raise CancelledError
            if bar.total != total:
                bar.total = total
            bar.update(done - bar.n)

        try:
            made = contributions.read_layers(
                path, ask=lambda survey: ask_series(survey, _window()), progress=tell
            )
        except CancelledError:
            return list(NOTHING)
        except MedlabelError as err:
            # napari shows an error's message alone: what to do belongs to it.
            raise type(err)(f"{err.message} {err.hint}".strip()) from err
    viewer = napari.current_viewer()
    if viewer is not None:
        # Before its layers come: they are drawn with their sides.
        plain.watch(viewer)
    return made


def has_window() -> bool:
    """Tell whether there is a window in this thread to ask in."""
    from qtpy.QtCore import QThread
    from qtpy.QtWidgets import QApplication

    application = QApplication.instance()
    return (
        application is not None
        and QThread.currentThread() is application.thread()
        and _window() is not None
    )


def _window() -> Any:
    from qtpy.QtWidgets import QApplication, QMainWindow

    windows = [w for w in QApplication.topLevelWidgets() if isinstance(w, QMainWindow)]
    shown = [w for w in windows if w.isVisible()]
    return shown[-1] if shown else None
