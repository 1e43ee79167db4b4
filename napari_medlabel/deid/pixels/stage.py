"""Pixels of one instance cleaned: text searched and blanked, faces covered, the rest as it was.

Pixels that are not blanked decode to what they did. Where nothing is found, the element is
byte for byte what it is without the option.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
from pydicom.dataelem import DataElement
from pydicom.uid import UID

from napari_medlabel.deid.dicom.dataset import raw_element
from napari_medlabel.deid.pixels.air import frames_by_air
from napari_medlabel.deid.pixels.burned_in import device_places, outside_regions
from napari_medlabel.deid.pixels.clean_pixels import Blanking, blank_text
from napari_medlabel.deid.pixels.colour import display_of
from napari_medlabel.deid.pixels.described import PIXEL_TAGS, exact_pixels
from napari_medlabel.deid.pixels.frames_codec import CompressedFrames, coding_from, frames_of
from napari_medlabel.deid.pixels.native_frames import NativeFrames
from napari_medlabel.deid.pixels.risk import check_cleanable, look_at, says_text
from napari_medlabel.deid.pixels.text_boxes import require_detector
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Look as LookReason
from napari_medlabel.deid.report.counts import PixelWork, Reason
from napari_medlabel.deid.rules.options import Option

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
STALE = (
    "SmallestImagePixelValue",
    "LargestImagePixelValue",
    "SmallestPixelValueInSeries",
    "LargestPixelValueInSeries",
)
"""Attributes that blanked pixels make untrue; all of them optional."""
Frames = NativeFrames | CompressedFrames
_EDGE = 2  # pixels around blanked blocks whose colour decoders smooth with their neighbours'


class Faces(Protocol):
    """What is known of the faces of a batch."""

    def verdict_for(self, sop_instance_uid: str, /) -> str:
        """Return ``"done"``, ``"unsure"``, or why the instance shows no face."""

    def masks_for(self, sop_instance_uid: str, /) -> Mask | None:
        """Return the face in each frame, shape (frames, rows, columns); None for no face."""


@dataclass(frozen=True)
class CleanPixels:
    """Cleaned pixel data of one instance.

    Parameters
    ----------
    element : DataElement
        The pixel data element.
    syntax : UID
        Its transfer syntax.
    work : PixelWork
        What was done.
    attributes : mapping of str to object
        What the header must say otherwise than before, by keyword; None means removed.
    """

    element: DataElement
    syntax: UID
    work: PixelWork
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def put_into(self, cleaned: Dataset) -> None:
        """Put the element and what it changes into a cleaned data set."""
        cleaned[self.element.tag] = self.element
        for keyword, value in self.attributes.items():
            if value is not None:
                setattr(cleaned, keyword, value)
            elif keyword in cleaned:
                delattr(cleaned, keyword)


@dataclass
class _Work:
    """Pixel data on its way through the stages."""

    dataset: Dataset
    element: DataElement
    syntax: UID
    attributes: dict[str, Any] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)
    regions: dict[str, int] = field(default_factory=dict)
    look: set[LookReason] = field(default_factory=set)

    def frames(self) -> Frames:
        """Return the frames as they are now."""
        tag = int(self.element.tag)
        coding = coding_from(self.dataset, self.syntax, tag, self.attributes)
        return frames_of(self.element.value, coding, self.syntax, self.element.VR)

    def rewrite(
        self,
        frames: Frames,
        masks: Mapping[int, Mask],
        black: tuple[float, ...],
        *,
        exact: bool = False,
    ) -> None:
        """Blank parts of frames, read the result back, and take it."""
        if not masks:
            return
        encapsulated = isinstance(frames, CompressedFrames)
        if isinstance(frames, CompressedFrames):
            made = frames.blanked(masks, black, self.dataset, exact=exact)
            self.syntax, value = made.syntax, made.value
            self.attributes.update(made.attributes)
        else:
            value = frames.blanked(masks, black)
        self.element = DataElement(self.element.tag, self.element.VR, value)
        self.element.is_undefined_length = encapsulated
        self.changed.update(masks)
        self.attributes.update(dict.fromkeys(STALE))
        _verify(frames, self.frames(), masks, black, blocks=not exact)


def clean_pixel_element(
    dataset: Dataset,
    syntax: UID,
    options: frozenset[Option],
    faces: Faces | None = None,
) -> CleanPixels | None:
    """Return the pixel data of an instance without text, and without a face.

    Parameters
    ----------
    dataset : Dataset
        The instance as found.
    syntax : UID
        Its transfer syntax.
    options : frozenset of Option
        Those that were chosen.
    faces : Faces, optional
        The faces of the batch, where clean-faces is chosen.

    Returns
    -------
    CleanPixels or None
        None where neither option has anything to do with this image.

    Raises
    ------
    QuarantineError
        When the pixels cannot be decoded, hold what cannot be removed, or text is found
        again and again.
    MissingPackageError
        When text is to be searched and the extra is not installed.
    """
    face = _face(dataset, faces) if Option.CLEAN_FACES in options else None
    done = {option for option in (Option.CLEAN_PIXELS,) if option in options}
    if face is not None:
        done.add(Option.CLEAN_FACES)
    if not done:
        return None
    tags = [tag for tag in PIXEL_TAGS if tag in dataset]
    if len(tags) != 1:
        raise QuarantineError(Reason.PIXELS_UNCHECKED)
    raw = raw_element(dataset, tags[0])
    element = exact_pixels(dataset, raw, encapsulated=syntax.is_encapsulated)
    work = _Work(dataset, element, syntax)
    count = len(work.frames())
    if Option.CLEAN_PIXELS in done:
        require_detector()
        check_cleanable(dataset, face_removed=face is not None)
        _blank_text(work)
    if face is not None:
        _cover_face(work, face)
    found = PixelWork(
        frozenset(done), count, len(work.changed), work.regions, frozenset(work.look)
    )
    return CleanPixels(work.element, work.syntax, found, work.attributes)


def _blank_text(work: _Work) -> None:
    """Blank what lies outside the scan, where the device writes, and text."""
    frames = work.frames()
    coding = frames.coding
    display = display_of(work.dataset, coding, is_rgb=frames.is_rgb())
    black = display.black(frames.frame)
    outside, regions = outside_regions(work.dataset, coding.rows, coding.columns)
    places, signatures = device_places(work.dataset, coding.rows, coding.columns)

    def painted(number: int, mask: Mask) -> Array:
        covered = frames.covered(number, mask)
        return display.shown(_painted(frames, number, covered, black))

    work.look |= look_at(work.dataset)
    strict = not (work.look or says_text(work.dataset))
    blanking = blank_text(painted, len(frames), display.tone, outside | places, strict=strict)
    counts = {
        "ultrasound regions": regions,
        "signature": signatures,
        "text": blanking.texts,
    }
    work.regions.update({name: count for name, count in counts.items() if count})
    if blanking.unsure or (says_text(work.dataset) and not blanking.texts):
        work.look.add(LookReason.LOW_CONTRAST)
    work.rewrite(frames, _changes(frames, blanking, black), black)


def _changes(frames: Frames, blanking: Blanking, black: tuple[float, ...]) -> dict[int, Mask]:
    """Return the masks of those frames that are not black there already."""
    masks = {}
    for number in range(len(frames)):
        mask = frames.covered(number, blanking.of(number))
        if mask.any() and (frames.frame(number)[mask] != _value(frames, black)).any():
            masks[number] = mask
    return masks


def _cover_face(work: _Work, face: Mask) -> None:
    """Give the face's pixels the value of air."""
    frames = work.frames()
    coding = frames.coding
    if coding.samples != 1 or face.shape != (len(frames), coding.rows, coding.columns):
        raise QuarantineError(Reason.FACE_UNSURE)
    touched = [number for number, mask in enumerate(face) if mask.any()]
    for air, numbers in frames_by_air(work.dataset, touched, coding.ends).items():
        masks = {number: face[number] for number in numbers}
        work.rewrite(work.frames(), masks, (float(air),), exact=True)
    work.regions["face"] = 1
    work.look.add(LookReason.FACE)


def _face(dataset: Dataset, faces: Faces | None) -> Mask | None:
    """Return the face of an instance; None where it shows none or nobody looked for it."""
    if faces is None:
        return None
    instance = str(dataset.get("SOPInstanceUID") or "")
    if faces.verdict_for(instance) == "unsure":
        raise QuarantineError(Reason.FACE_UNSURE)
    return faces.masks_for(instance)


def _verify(
    before: Frames,
    after: Frames,
    masks: Mapping[int, Mask],
    black: tuple[float, ...],
    *,
    blocks: bool,
) -> None:
    """Decode what was written: black where it must be, and the same everywhere else."""
    for number, mask in masks.items():
        covered = before.covered(number, mask) if blocks else mask
        wanted, found = _painted(before, number, covered, black), after.frame(number)
        differs = wanted != found
        if differs.ndim == 3:
            differs = differs.any(axis=2)
        if after.softens:
            differs &= ~_near(mask)
        if differs.any():
            raise QuarantineError(Reason.PIXELS_UNCHECKED)


def _near(mask: Mask) -> Mask:
    """Return the pixels along the edge of a mask, on both sides."""
    from scipy.ndimage import (
        binary_dilation,
        binary_erosion,
    )

    outer = binary_dilation(mask, iterations=_EDGE)
    edge: Mask = outer & ~binary_erosion(mask, iterations=_EDGE, border_value=1)
    return edge


def _painted(frames: Frames, number: int, mask: Mask, black: tuple[float, ...]) -> Array:
    """Return the stored values of a frame, black under a mask."""
    values = frames.frame(number)
    if not mask.any():
        return values
    values = values.copy()
    values[mask] = _value(frames, black)
    return values


def _value(frames: Frames, black: tuple[float, ...]) -> float | tuple[float, ...]:
    return black if frames.coding.samples == 3 else black[0]
