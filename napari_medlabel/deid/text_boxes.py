"""Where text is in a picture: the detector of PP-OCRv4, and rectangles from its map.

Extra ``[pixels]``. The network's weights come with the wheel of rapidocr-onnxruntime
(Apache-2.0) and run in onnxruntime, in one thread. The wheel's own code is not imported: it
needs OpenCV, whose import changes where Qt looks for its platform plugins.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_medlabel._optional import folder_of, require
from napari_medlabel.errors import MissingPackageError

Picture = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]
"""First row, first column, last row, last column (the last ones not included)."""

EXTRA = "pixels"
_MODEL = "ch_PP-OCRv4_det_infer.onnx"
_SEEN, _SURE = 0.3, 0.5
_GROW = 1.6
_STRIDE = 32
_LEAST = 3
_LARGEST_PART = 1600
_SHARED = 160
_HALF_FULL = 0.45
_BLANK = 0.5


class Session(Protocol):
    """What is used of an onnxruntime session."""

    def run(self, outputs: None, inputs: dict[str, Any], /) -> list[Any]:
        """Return the network's outputs."""


@dataclass(frozen=True)
class Found:
    """Text in a picture.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, columns)
        What must be blanked, with a margin.
    count : int
        Lines or words of text.
    unsure : int
        Places that look like text, but not enough to be called so.
    """

    mask: Mask
    count: int
    unsure: int = 0


def require_detector() -> None:
    """Make sure that text can be searched for here.

    Raises
    ------
    MissingPackageError
        When the extra is not installed, with how to install it.
    """
    _session()


def find_text(picture: Picture, *, scale: int = 1, ignored: Mask | None = None) -> Found:
    """Return where a picture holds text.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns) or (rows, columns, 3)
        Grey, or red, green and blue.
    scale : int
        How many times larger the network sees it; 2 finds smaller text.
    ignored : ndarray of bool, shape (rows, columns), optional
        What has been blanked; edges of black are not taken for text again.

    Returns
    -------
    Found
        On the picture's own grid.

    Raises
    ------
    MissingPackageError
        Without the extra.
    """
    likely = _likelihood(picture, scale)
    blank = np.zeros(picture.shape[:2], bool) if ignored is None else ignored
    return boxes_of(likely, blank, scale)


def boxes_of(likely: npt.NDArray[np.float32], ignored: Mask, scale: int) -> Found:
    """Return the text in a map of likelihoods.

    Parameters
    ----------
    likely : ndarray of float32, shape (rows * scale, columns * scale)
        0 to 1; the network marks the kernel of each line, smaller than the line.
    ignored : ndarray of bool, shape (rows, columns)
        What has been blanked.
    scale : int
        Pixels of the map for one of the picture.
    """
    from scipy import ndimage

    labels, count = ndimage.label(likely > _SEEN, np.ones((3, 3)))
    mask = np.zeros_like(ignored)
    sure = unsure = 0
    if not count:
        return Found(mask, 0)
    scores = ndimage.mean(likely, labels, np.arange(1, count + 1))
    for number, (place, score) in enumerate(
        zip(ndimage.find_objects(labels), scores, strict=True), start=1
    ):
        high, wide = (part.stop - part.start for part in place)
        if min(high, wide) < _LEAST:
            continue
        if score < _SURE:
            unsure += 1
            continue
        part = labels[place] == number
        if _is_blank(part, place, ignored, scale):
            continue
        sure += 1
        _fill(mask, part, (place[0].start, place[1].start), scale)
    return Found(mask, sure, unsure)


def _is_blank(part: Mask, place: tuple[slice, slice], ignored: Mask, scale: int) -> bool:
    """Whether most of a kernel lies where nothing can be written any more."""
    rows, columns = np.nonzero(part)
    rows, columns = (rows + place[0].start) // scale, (columns + place[1].start) // scale
    return bool(ignored[rows, columns].mean() > _BLANK)


def _fill(mask: Mask, part: Mask, corner: tuple[int, int], scale: int) -> None:
    """Mark one kernel of text, grown to the text: its rectangle, or its shape when slanted."""
    from scipy import ndimage

    high, wide = part.shape
    area = float(part.sum())
    slanted = area < _HALF_FULL * high * wide and min(high, wide) > 2 * _LEAST * scale
    short = area / max(high, wide) if slanted else min(high, wide)
    long = max(high, wide)
    margin = int(np.ceil(short * long * _GROW / (2 * (short + long)))) + scale
    grown = np.pad(np.full(part.shape, fill_value=True) if not slanted else part, margin)
    if slanted:
        grown = ndimage.distance_transform_edt(~grown) <= margin
    else:
        grown[:] = True
    rows, columns = np.nonzero(grown)
    rows = (rows + corner[0] - margin) // scale
    columns = (columns + corner[1] - margin) // scale
    inside = (rows >= 0) & (columns >= 0) & (rows < mask.shape[0]) & (columns < mask.shape[1])
    mask[rows[inside], columns[inside]] = True


def _likelihood(picture: Picture, scale: int) -> npt.NDArray[np.float32]:
    """Run the network over a picture, over large ones in parts that overlap."""
    rows, columns = (side * scale for side in picture.shape[:2])
    likely = np.zeros((rows, columns), np.float32)
    for top in _starts(rows):
        for left in _starts(columns):
            high, wide = min(_LARGEST_PART, rows - top), min(_LARGEST_PART, columns - left)
            first = (top // scale, left // scale)
            last = (-(-(top + high) // scale), -(-(left + wide) // scale))
            part = picture[first[0] : last[0], first[1] : last[1]]
            found = _run(_enlarged(part, scale))[:high, :wide]
            place = likely[top : top + high, left : left + wide]
            np.maximum(place, found, out=place)
    return likely


def _starts(length: int) -> range | list[int]:
    """Return where parts of a side begin, so that they overlap and cover it."""
    if length <= _LARGEST_PART:
        return [0]
    step = (_LARGEST_PART - _SHARED) // _STRIDE * _STRIDE
    return range(0, length - _SHARED, step)


def _enlarged(part: Picture, scale: int) -> npt.NDArray[np.float32]:
    from scipy import ndimage

    values = part.astype(np.float32)
    if scale == 1:
        return values
    zoom = (scale, scale) if values.ndim == 2 else (scale, scale, 1)
    larger: npt.NDArray[np.float32] = ndimage.zoom(
        values, zoom, order=1, mode="nearest", grid_mode=True
    )
    return larger


def _run(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Likelihood of text for each pixel; black is added up to the network's stride."""
    rows, columns = values.shape[:2]
    size = tuple(-(-side // _STRIDE) * _STRIDE for side in (rows, columns))
    inside = np.full((1, 3, *size), -1, np.float32)
    # Channels are blue, green, red, as the network learned them.
    channels = values[None] if values.ndim == 2 else np.moveaxis(values, 2, 0)[::-1]
    inside[0, :, :rows, :columns] = channels / 127.5 - 1
    found: npt.NDArray[np.float32] = _session().run(None, {"x": inside})[0]
    return found[0, 0, :rows, :columns]


@cache
def _session() -> Session:
    runtime = require("onnxruntime", extra=EXTRA)
    model = folder_of("rapidocr_onnxruntime", extra=EXTRA) / "models" / _MODEL
    return _loaded(runtime, model)


def _loaded(runtime: Any, model: Path) -> Session:
    if not model.is_file():
        raise MissingPackageError(
            "The text detector's model is not in the installed rapidocr-onnxruntime.",
            hint="Install it again with: pip install 'rapidocr-onnxruntime==1.4.4'",
        )
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = False
    session: Session = runtime.InferenceSession(
        str(model), options, providers=["CPUExecutionProvider"]
    )
    return session
