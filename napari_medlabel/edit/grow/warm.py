"""Compiling the engine while nobody waits."""

from __future__ import annotations

import threading
from functools import cache

import numpy as np

from napari_medlabel.edit import slice_loops
from napari_medlabel.edit.between import fill_between
from napari_medlabel.edit.border import settle
from napari_medlabel.edit.flood import connected
from napari_medlabel.edit.grow.field import compiled
from napari_medlabel.edit.grow.growth import Growth
from napari_medlabel.edit.scene import Scene, whole


@cache
def warm_up() -> threading.Thread:
    """Compile all that grows, floods, refines, fills between and traces edges, in a thread.

    The second call gives the first's thread.

    numba keeps what it compiled beside the sources: after the first time on a machine this
    takes some tenths of a second, before it some seconds.

    Returns
    -------
    Thread
        At work or done; nobody has to wait for it.
    """
    thread = threading.Thread(target=compile_now, name="compile-growth", daemon=True)
    thread.start()
    return thread


def compile_now() -> bool:
    """Compile all of that, here and now; return whether there is a compiler."""
    image = np.zeros((4, 4, 4), np.int16, order="F")
    growth = Growth(image, (1.0, 1.0, 1.0))
    growth.add(np.array([0]), 1)
    growth.remove(growth.add(np.array([63]), 2))
    growth.add_all([(np.array([n % 64]), 1) for n in range(256)])  # numbers of two bytes
    growth.remove(growth.add(np.array([63]), 2))
    connected(np.ones(image.shape, bool, order="F"), (0, 0, 0))
    if compiled() is None:
        return False
    labels = np.zeros((4, 4, 4), np.uint8, order="F")
    labels[1:3, 1:3, (0, 3)] = 1
    settle(image, labels, labels == 0, 0.5, (1.0, 1.0, 1.0))
    fill_between(Scene(labels, image, (1.0, 1.0, 1.0)), whole((4, 4, 4)), 2)
    return slice_loops.wait()
