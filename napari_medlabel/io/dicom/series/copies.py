"""Files that hold the same pixels: found by their digests, the names of images aside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.header.instance import Instance
from napari_medlabel.io.dicom.series.place import slots_of

_MOST_COMPARED: Final = 500
Copies = tuple[tuple[Instance, Instance], ...]


def pixel_digest(one: Instance) -> str:
    """Return the SHA-256 of a file's stored pixels, of compressed ones with what follows.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    try:
        data = one.path.read_bytes()
    except OSError as err:
        raise InputError(
            "A file of the series cannot be read.",
            hint="Check that it still exists and that you may read it.",
        ) from err
    start = one.pixel_offset or 0
    # Behind an undefined length there may be more; comparing that too is only stricter.
    end = start + one.pixel_length if one.is_native else len(data)
    return sha256(data[start:end]).hexdigest()


def without_twins(planes: Sequence[Plane]) -> tuple[list[Plane], Copies]:
    """Leave out images that repeat another one of their place pixel by pixel.

    For series whose places hold different numbers of images: opens the files of those places
    that hold several, at most 500.

    Returns
    -------
    kept : list of Plane
        Without them; all, where there are none.
    twins : tuple of pair of Instance
        Each file that was left out, and the one that it repeats.

    Raises
    ------
    InputError
        When a file cannot be read.
    """
    places: dict[int, list[Plane]] = defaultdict(list)
    for one, slot in zip(planes, slots_of(planes).tolist(), strict=True):
        places[slot].append(one)
    contested = [several for several in places.values() if len(several) > 1]
    is_plain = all(one.instance.frames <= 1 and one.tile is None for one in planes)
    if not is_plain or sum(map(len, contested)) > _MOST_COMPARED:
        return list(planes), ()
    first: dict[tuple[object, ...], Plane] = {}
    twins: dict[int, tuple[Instance, Instance]] = {}
    for several in contested:
        for one in several:
            key = (one.position_lps, one.slope, one.intercept, *_pixels(one.instance))
            kept = first.setdefault(key, one)
            if kept is not one:
                twins[id(one)] = (one.instance, kept.instance)
    return [one for one in planes if id(one) not in twins], tuple(twins.values())


def _pixels(one: Instance) -> tuple[object, ...]:
    return (
        one.transfer_syntax,
        one.allocated,
        one.stored,
        one.high_bit,
        one.signed,
        one.photometric,
        pixel_digest(one),
    )
