"""Where text is in a picture: the detector of PP-OCRv4, and rectangles from its map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_medlabel.deid.pixels.text_decoy import with_line
from napari_medlabel.deid.pixels.text_network import session
from napari_medlabel.deid.pixels.text_reader import read_place

Picture = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Map = npt.NDArray[np.float32]

_MODEL = "ch_PP-OCRv4_det_infer.onnx"
_SEEN, _SURE = 0.3, 0.5
_GROW = 1.6
_STRIDE = 32
_LEAST = 3
_LARGEST_PART = 1600
_SHARED = 160
_HALF_FULL = 0.45
_BLANK = 0.5
_LINE, _TALL_LINE = 0.05, 0.12


@dataclass(frozen=True)
class Search:
    """How text is told from what looks like it.

    Parameters
    ----------
    line : bool
        Whether a line of text is put under the picture, see `with_line`. Without it faint text
        is found more often, and shapes are taken for text where there is none.
    read : bool
        Whether all that is found must be readable; else only what is very tall.
    tallest : float
        Of the shorter side of the picture, the tallest kernel of a line (about half of the
        line's height).
    strokes : bool
        Whether only what has strokes like writing is searched, see `places_with_strokes`.
    """

    line: bool = False
    read: bool = False
    tallest: float = _TALL_LINE
    strokes: bool = False


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
        Places that may be text.
    """

    mask: Mask
    count: int
    unsure: int = 0


@dataclass(frozen=True)
class _Kernel:
    """A connected place in the network's map; it marks less than the line of text."""

    part: Mask
    top: int
    left: int
    scale: int

    @property
    def slanted(self) -> bool:
        """Whether its rectangle would hold much that is not text."""
        high, wide = self.part.shape
        few = float(self.part.sum()) < _HALF_FULL * high * wide
        return bool(few and min(high, wide) > 2 * _LEAST * self.scale)

    @property
    def short(self) -> float:
        """Its height, lying or standing, in pixels of the map."""
        high, wide = self.part.shape
        if self.slanted:
            return float(self.part.sum()) / int(max(high, wide))
        return float(min(high, wide))

    @property
    def margin(self) -> int:
        """Pixels of the map by which the text is larger."""
        long = max(self.part.shape)
        return int(np.ceil(self.short * long * _GROW / (2 * (self.short + long)))) + self.scale

    def is_in(self, mask: Mask) -> bool:
        """Whether most of it lies in a mask of the picture."""
        rows, columns = np.nonzero(self.part)
        rows, columns = (rows + self.top) // self.scale, (columns + self.left) // self.scale
        return bool(mask[rows, columns].mean() > _BLANK)

    def place(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Rows and columns of the picture that hold the text."""
        ends = []
        for first, length, side in zip(
            (self.top, self.left), self.part.shape, shape, strict=False
        ):
            start = max(0, (first - self.margin) // self.scale)
            stop = min(side, -(-(first + length + self.margin) // self.scale))
            ends.append(slice(start, stop))
        return ends[0], ends[1]

    def fill(self, mask: Mask) -> None:
        """Mark the text: its rectangle, or its shape when it is slanted."""
        from scipy import ndimage

        if not self.slanted:
            mask[self.place(mask.shape)] = True
            return
        margin = self.margin
        grown = ndimage.distance_transform_edt(~np.pad(self.part, margin)) <= margin
        rows, columns = np.nonzero(grown)
        rows = (rows + self.top - margin) // self.scale
        columns = (columns + self.left - margin) // self.scale
        inside = (rows >= 0) & (columns >= 0)
        inside &= (rows < mask.shape[0]) & (columns < mask.shape[1])
        mask[rows[inside], columns[inside]] = True


def require_detector() -> None:
    """Make sure that text can be searched for here.

    Raises
    ------
    MissingPackageError
        When the extra is not installed, with how to install it.
    """
    session(_MODEL)


def find_text(
    picture: Picture,
    search: Search | None = None,
    *,
    scale: int = 1,
    ignored: Mask | None = None,
    side: int | None = None,
) -> Found:
    """Return where a picture holds text.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns) or (rows, columns, 3)
        Grey, or red, green and blue.
    search : Search
        How text is told from what looks like it.
    scale : int
        How many times larger the network sees it; 2 finds smaller text.
    ignored : ndarray of bool, shape (rows, columns), optional
        What has been blanked: nothing is written there.
    side : int, optional
        Of a part: the shorter side of the picture that it was cut from.

    Returns
    -------
    Found
        On the picture's own grid.

    Raises
    ------
    MissingPackageError
        Without the extra.
    """
    search = search or Search()
    shape = picture.shape[:2]
    seen = with_line(picture) if search.line else picture
    likely = _likelihood(seen, scale)[: shape[0] * scale]
    mask, count, unsure = np.zeros(shape, bool), 0, 0
    for kernel in _kernels(likely, scale):
        if ignored is not None and kernel.is_in(ignored):
            continue
        height = kernel.short / scale / (side or min(shape))
        if height > search.tallest:
            continue
        if search.read or height > _LINE:
            reading = read_place(picture[kernel.place(shape)])
            unsure += reading.is_doubtful
            if not reading.is_text:
                continue
        count += 1
        kernel.fill(mask)
    return Found(mask, count, unsure)


def _kernels(likely: Map, scale: int) -> list[_Kernel]:
    """Return the places that the network is sure of."""
    from scipy import ndimage

    labels, count = ndimage.label(likely > _SEEN, np.ones((3, 3)))
    if not count:
        return []
    scores = ndimage.mean(likely, labels, np.arange(1, count + 1))
    found = []
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        part = labels[place] == number
        if min(part.shape) >= _LEAST and scores[number - 1] >= _SURE:
            found.append(_Kernel(part, place[0].start, place[1].start, scale))
    return found


def _likelihood(picture: Picture, scale: int) -> Map:
    """Run the network over a picture, over large ones in parts that overlap."""
    rows, columns = (side * scale for side in picture.shape[:2])
    likely = np.zeros((rows, columns), np.float32)
    part = _LARGEST_PART // scale
    for top in _starts(picture.shape[0], part):
        for left in _starts(picture.shape[1], part):
            found = _run(_enlarged(picture[top : top + part, left : left + part], scale))
            place = likely[top * scale :, left * scale :][: found.shape[0], : found.shape[1]]
            np.maximum(place, found, out=place)
    return likely


def _starts(length: int, part: int) -> list[int]:
    """Return where parts of a side begin, so that they overlap and cover it."""
    if length <= part:
        return [0]
    return list(range(0, length - _SHARED, part - _SHARED))


def _enlarged(part: Picture, scale: int) -> Map:
    from scipy import ndimage

    values = part.astype(np.float32)
    if scale == 1:
        return values
    zoom = (scale, scale, 1)[: values.ndim]
    larger: Map = ndimage.zoom(values, zoom, order=1, mode="nearest", grid_mode=True)
    return larger


def _run(values: Map) -> Map:
    """Likelihood of text for each pixel; black is added up to the network's stride."""
    rows, columns = values.shape[:2]
    size = tuple(-(-side // _STRIDE) * _STRIDE for side in (rows, columns))
    inside = np.full((1, 3, *size), -1, np.float32)
    # Channels are blue, green, red, as the network learned them.
    channels = values[None] if values.ndim == 2 else np.moveaxis(values, 2, 0)[::-1]
    inside[0, :, :rows, :columns] = channels / 127.5 - 1
    found: Map = session(_MODEL).run(None, {"x": inside})[0]
    return found[0, 0, :rows, :columns]
