"""Where the voxels of an open case come from: followed, kept through crashes, saved beside it.

The map lies beside the mask in ``origins.zst`` and names the mask it belongs to by its content
id. With another mask it is not believed: then nothing is known, and that is said.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from napari_medlabel.edit.patch import LabelArray, Patch, Step
from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti.reading import read_labels_nifti
from napari_medlabel.project.reading.provenance import (
    EDITED,
    NONE,
    UNRESOLVED,
    Bookmark,
    Map,
    Trail,
)

if TYPE_CHECKING:
    from napari_medlabel.session.case import Session
    from napari_medlabel.session.recovery import Recovery

ORIGINS_FILE: Final = "origins.zst"
_FIRST_LINE: Final = b"napari-medlabel origins 1\n"
_LEVEL: Final = 1


@dataclass(eq=False)
class Trailing:
    """Follows an open case; made by `begin_trail`.

    Parameters
    ----------
    session : Session
        The case.
    trail : Trail
        Its map.
    recovery : Recovery or None
        What the next step takes back, after a crash.
    """

    session: Session
    trail: Trail
    recovery: Recovery | None = None

    def follow(self, step: Step) -> None:
        """Note a step that was just done, undone or redone; it costs nothing."""
        recovery, self.recovery = self.recovery, None
        becomes = None
        # Where taking it back changed nothing, no step came of it, and it is forgotten.
        if isinstance(step, Patch) and recovery is not None and self._is_open(recovery):
            becomes = self._recovered(step, recovery)
        self.trail.follow(step, becomes)
        history = self.session.history
        if history.dropped:
            self.trail.settle(len(history))

    def expect(self, recovery: Recovery) -> None:
        """Say that the next step takes back work of a crash: it has origins of its own."""
        self.session.reconcile()
        self.recovery = recovery

    def _is_open(self, recovery: Recovery) -> bool:
        return any(one is recovery for one in self.session.recoveries)

    def bookmark(self) -> Bookmark:
        """Return a mark at the present state, for a snapshot."""
        return self.trail.bookmark()

    def planes(self) -> dict[int, LabelArray]:
        """Return the slices (j, i) that steps have changed; for the keeper of unsaved work.

        What a stroke has painted and no step tells of yet is of unknown origin in them.
        """
        found: dict[int, LabelArray] = {}
        live, known = self.session.labels.array, self.session.known
        for k, plane in self.trail.planes().items():
            plane[live.T[k] != known.T[k]] = NONE
            found[k] = plane
        return found

    def _recovered(self, patch: Patch, recovery: Recovery) -> Map:
        """Return the map of work that was taken back, with the origins its journal has."""
        becomes = self.trail.map()
        i, j, k = patch.box
        before, after = patch.before.T, patch.after.T
        for number in range(recovery.array.shape[2]):
            plane = becomes.T[number]
            known = recovery.origins.get(number)
            if known is not None:
                new = recovery.array.T[number]
                plane[...] = np.where((new != 0) | (known == EDITED), known, NONE)
            elif k.start <= number < k.stop:
                at = number - k.start
                plane[j, i][before[at] != after[at]] = NONE
        return becomes


def begin_trail(session: Session, origins: Path | None = None) -> str:
    """Follow a case from now on; return what is to be said of the map it begins with.

    Parameters
    ----------
    session : Session
        Just opened.
    origins : Path, optional
        The map of the version that the case was opened with; that beside the mask if None.

    Returns
    -------
    str
        A sentence; empty where all is as it should be.
    """
    start, words = None, ""
    if origins is not None:
        start = _of_version(origins, session.labels.grid)
    elif session.saved_mask is not None:
        start, words = read_origins(
            session.place.folder, session.labels.grid, session.saved_mask
        )
    session.trail = Trailing(session, Trail(session.labels.grid.shape, start))
    session.keeper.origins = session.trail.planes
    return words


def encode_origins(origins: Map, content: str) -> bytes:
    """Return the file of a map.

    Parameters
    ----------
    origins : ndarray of uint8, shape (i, j, k)
        The map.
    content : str
        Content id of the mask it belongs to.
    """
    from imagecodecs import zstd_encode

    head = {"mask": content, "shape_ijk": list(origins.shape)}
    line = json.dumps(head, sort_keys=True).encode() + b"\n"
    packed = zstd_encode(np.ascontiguousarray(origins.T), _LEVEL)  # type: ignore[arg-type] # any buffer
    return _FIRST_LINE + line + bytes(packed)


def read_origins(folder: Path, grid: Grid, content: str) -> tuple[Map | None, str]:
    """Read the map beside a saved mask.

    Parameters
    ----------
    folder : Path
        Where mask and map lie.
    grid : Grid
        The scan's.
    content : str
        Content id of the mask there.

    Returns
    -------
    ndarray of uint8, shape (i, j, k), or None
        The map; None where there is none that belongs to the mask.
    str
        Why there is none, in a sentence; empty where none was ever saved.
    """
    try:
        data = (folder / ORIGINS_FILE).read_bytes()
    except FileNotFoundError:
        return None, ""
    except OSError:
        return None, _UNREADABLE
    try:
        head, packed = _parts(data)
        if head["mask"] != content:
            return None, _OF_ANOTHER
        if tuple(head["shape_ijk"]) != grid.shape:
            return None, _OF_ANOTHER
        return _unpack(packed, grid.shape), ""
    except (ValueError, KeyError, TypeError, RuntimeError):
        return None, _UNREADABLE


_OF_ANOTHER: Final = (
    "Where its voxels come from was noted for another mask: this one was changed by another "
    "program or from outside, so nothing is known of the origin of what it holds."
)
_UNREADABLE: Final = (
    "The note of where its voxels come from is damaged: nothing is known of their origin."
)


def _parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    if not data.startswith(_FIRST_LINE):
        raise ValueError
    line, _, packed = data[len(_FIRST_LINE) :].partition(b"\n")
    return json.loads(line), packed


def _unpack(packed: bytes, shape: tuple[int, int, int]) -> Map:
    from imagecodecs import zstd_decode

    out = np.empty(shape[::-1], np.uint8)
    if len(zstd_decode(packed, out=out.reshape(-1).data)) != out.size or out.max() > UNRESOLVED:
        raise ValueError
    return out.T


def _of_version(path: Path, grid: Grid) -> Map:
    """Return the map of a submitted version.

    Raises
    ------
    InputError, GeometryError
        When it cannot be read, or lies on another grid.
    """
    array, place = read_labels_nifti(path)
    grid.require_same(place, what="provenance map")
    if array.max(initial=0) > UNRESOLVED:
        raise InputError(
            "The provenance map of this version has values that mean nothing.",
            hint="Let the study's manager see what changed: medlabel project validate STUDY",
        )
    return array.astype(np.uint8)
