"""What all DICOM objects that leave share: the scan's images, names, numbers, writing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel import __version__
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.export.read_back import not_the_same, require_new
from napari_medlabel.io.dicom.quiet import failures, quietly
from napari_medlabel.io.files import Staging, sha256_file
from napari_medlabel.model.labelmap import Code
from napari_medlabel.model.volume import Volume

MANUFACTURER: Final = "napari-medlabel"
VERSION: Final = __version__[:64]
_LONGEST_DS: Final = 16
_LONGEST_LO: Final = 64
_LONGEST_SH: Final = 16
CLEANED: Final = (
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified",
)
"""What says that the scan was de-identified, and how."""
_AGAIN: Final = "Read the scan again from its DICOM files, then write."


@dataclass(frozen=True)
class Made:
    """What makes a new DICOM object one of its own.

    Parameters
    ----------
    series_uid, instance_uid : str
        New UIDs of the series and of the object (PS3.5 9); never used before.
    time : datetime
        When it is made; aware. Written in UTC.
    series_number : int
        Shown by viewers beside the series.
    series_words : str
        SeriesDescription: what the object is, without anybody's name.
    """

    series_uid: str
    instance_uid: str
    time: datetime
    series_number: int = 900
    series_words: str = "Labels"

    @property
    def date(self) -> str:
        """Date in UTC, as DA."""
        return self.time.astimezone(UTC).strftime("%Y%m%d")

    @property
    def clock(self) -> str:
        """Time of day in UTC, as TM."""
        return self.time.astimezone(UTC).strftime("%H%M%S")

    def further_uid(self, what: str) -> str:
        """Return another UID that belongs to this object, always the same one (PS3.5 B.2)."""
        digest = hashlib.sha256(f"{self.instance_uid}/{what}".encode()).digest()
        number = int.from_bytes(digest[:16], "big")
        # The bits that make it a UUID of version 8 (RFC 9562 5.8).
        number = number & ~(0xF << 76) | 0x8 << 76
        number = number & ~(0x3 << 62) | 0x2 << 62
        return f"2.25.{number}"


@dataclass(frozen=True)
class SavedObject:
    """A DICOM object that is on the disk and was read back.

    Parameters
    ----------
    path : Path
        The file.
    sha256 : str
        Hex digest of its bytes.
    numbers : dict of int to int
        Which number in the file each label's value became; empty where there are no segments.
    """

    path: Path
    sha256: str
    numbers: dict[int, int]


@dataclass(frozen=True, eq=False)
class SourceImages:
    """Headers of the scan's images.

    Parameters
    ----------
    headers : tuple of pydicom Dataset
        Without pixel data: in slice order, or the only one, of many frames.
    slices : tuple of int or None
        For each frame of them, one after the other, the slice (k) that it is; None where it is
        none of this volume.
    """

    headers: tuple[Any, ...]
    slices: tuple[int | None, ...]

    @property
    def is_multiframe(self) -> bool:
        """Whether one object holds all frames."""
        return len(self.headers) == 1 and "NumberOfFrames" in self.headers[0]


def source_images(volume: Volume) -> SourceImages:
    """Read the headers of a scan's DICOM files, and check that they still are that scan's.

    Parameters
    ----------
    volume : Volume
        Read from DICOM, with a frame of reference.

    Raises
    ------
    GeometryError
        When it has no place in a patient.
    InputError
        When it does not come from DICOM, or its files are not there or others by now.
    """
    _require_dicom(volume)
    source, count = volume.source, volume.grid.shape[2]
    planes = (source.planes or tuple((k, 0) for k in range(count)))[:count]
    files = list(dict.fromkeys(file for file, _frame in planes if file >= 0))
    headers = {file: _header(source.files[file]) for file in files}
    uids = source.sop_instance_uids
    per_plane = len(uids) >= len(planes) and len(uids) != len(source.files)
    for k, (file, _frame) in enumerate(planes):
        at = k if per_plane else file
        if file >= 0 and at < len(uids) and headers[file].get("SOPInstanceUID") != uids[at]:
            raise InputError(
                "The scan's files are not the ones any more that were read.", hint=_AGAIN
            )
    if len(files) == 1 and int(headers[files[0]].get("NumberOfFrames", 1) or 1) > 1:
        frames: list[int | None] = [None] * int(headers[files[0]].NumberOfFrames)
        for k, (file, frame) in enumerate(planes):
            if file >= 0:
                frames[frame] = k
        return SourceImages((headers[files[0]],), tuple(frames))
    owners = [(k, file) for k, (file, _frame) in enumerate(planes) if file >= 0]
    if len(owners) != len(files) or any(f != 0 for n, f in planes if n >= 0):
        raise InputError(
            "Each slice is expected to be one image, or one frame of a single object; this "
            "scan is packed in another way.",
            hint="Write .seg.nrrd or NIfTI, which need no references to images.",
        )
    return SourceImages(tuple(headers[file] for _, file in owners), tuple(k for k, _ in owners))


def _require_dicom(volume: Volume) -> None:
    if volume.source.format != "dicom" or not volume.source.files:
        raise InputError(
            "DICOM objects refer to the images of a DICOM series; this scan is none.",
            hint="Open the de-identified DICOM series, or write .seg.nrrd or NIfTI.",
        )
    if volume.slices == "pictures":
        raise GeometryError(
            "Labels in DICOM lie in the patient; these images have no place there.",
            hint="Write COCO, which is made for pictures.",
        )
    if volume.grid.frame_of_reference is None:
        raise GeometryError(
            "The images name no frame of reference, so nothing can be written into it.",
            hint="Write .seg.nrrd or NIfTI.",
        )


def _header(path: Path) -> Any:
    import pydicom

    try:
        with quietly():
            return pydicom.dcmread(path, stop_before_pixels=True, force=True)
    except failures() as err:
        raise InputError("An image of the scan cannot be read any more.", hint=_AGAIN) from err


def shortened(text: str, longest: int = _LONGEST_LO) -> str:
    """Return a text that a DICOM string of limited length holds (PS3.5 6.2)."""
    plain = " ".join(text.replace("\\", "/").split())
    return plain[:longest].rstrip() or "Unnamed"


def decimal(value: float) -> str:
    """Return a Decimal String of at most 16 characters that lies next to a number (PS3.5 6.2).

    Raises
    ------
    InputError
        When the number is not finite.
    """
    if not np.isfinite(value):
        raise InputError("A finite number is expected.", hint="Draw or measure it again.")
    for digits in range(_LONGEST_DS, 0, -1):
        text = f"{value + 0.0:.{digits}g}".replace("e+0", "e").replace("e-0", "e-")
        if len(text) <= _LONGEST_DS:
            return text
    raise InputError("A number cannot be written.", hint="Measure it again.")


def code_item(code: Code) -> Any:
    """Return the item of a code sequence (PS3.3 Table 8.8-1)."""
    from pydicom.dataset import Dataset

    item = Dataset()
    value = code.value
    if len(value) <= _LONGEST_SH:
        item.CodeValue = value
    else:
        item.LongCodeValue = value
    item.CodingSchemeDesignator = code.scheme[:_LONGEST_SH]
    item.CodeMeaning = shortened(code.meaning or code.value)
    return item


def fit_decimals(dataset: Any) -> None:
    """Shorten every Decimal String of a data set, in sequences too, to 16 characters."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value or ():
                fit_decimals(item)
        elif element.VR == "DS" and element.value not in (None, ""):
            many = element.value if element.VM > 1 else [element.value]
            if any(len(str(v)) > _LONGEST_DS for v in many):
                short = [decimal(float(v)) for v in many]
                element.value = short if element.VM > 1 else short[0]


def stamp(dataset: Any, images: SourceImages, made: Made) -> None:
    """Give an object of highdicom's the time that came in, and say again how it was cleaned.

    Parameters
    ----------
    dataset : pydicom Dataset
        The new object; changed in place.
    images : SourceImages
        Their marks of de-identification (PS3.3 C.7.1.1) are kept.
    made : Made
        Its time.
    """
    for keyword in ("ContentDate", "SeriesDate", "InstanceCreationDate"):
        setattr(dataset, keyword, made.date)
    for keyword in ("ContentTime", "SeriesTime", "InstanceCreationTime"):
        setattr(dataset, keyword, made.clock)
    for one in dataset.get("ContributingEquipmentSequence") or ():
        one.ContributionDateTime = made.date + made.clock
    for keyword in CLEANED:
        if keyword in images.headers[0] and keyword not in dataset:
            dataset[keyword] = images.headers[0][keyword]


@contextmanager
def building(what: str) -> Iterator[None]:
    """Turn what a DICOM library raises into an error of ours, without the values it quotes.

    Parameters
    ----------
    what : str
        Which object is built, for the message.

    Raises
    ------
    InputError
        When it cannot be built of the scan's headers.
    """
    try:
        with quietly():
            yield
    except failures() as err:
        if isinstance(err, OSError):
            raise
        raise InputError(
            f"The {what} cannot be made: the headers of the scan's images lack what it needs, "
            "or contradict the standard.",
            hint="Write .seg.nrrd or NIfTI, which need no headers.",
        ) from err


def save_dataset(path: Path, dataset: Any, *, what: str, check: Any) -> str:
    """Write a data set aside, check it, and give it its name.

    Parameters
    ----------
    path : Path
        A file that does not exist.
    dataset : pydicom Dataset
        With its file meta information.
    what : str
        Which object it is, for messages.
    check : callable
        Receives the written path and raises when it is not what was meant.

    Returns
    -------
    str
        Hex SHA-256 of the file.

    Raises
    ------
    SaveError
        When it cannot be written or reads back otherwise.
    """
    require_new(path)
    digest: list[str] = []

    def write(aside: Path) -> None:
        with building(what):
            dataset.save_as(aside, enforce_file_format=True)

    def read_back(aside: Path) -> None:
        try:
            check(aside)
        except InputError as err:
            raise not_the_same(what) from err
        digest.append(sha256_file(aside))

    with Staging() as staging:
        staging.add(path, write, check=read_back)
        require_new(path)
        staging.publish()
    return digest[0]
