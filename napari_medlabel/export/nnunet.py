"""Training sets for nnU-Net v2: its raw folder, and its own checks without it.

nnU-Net documentation, "dataset format" and "ignore label"; the checks are those of
``verify_dataset_integrity`` (nnunetv2 2.x), which needs torch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel import __version__
from napari_medlabel.errors import InputError, MedlabelError, SaveError
from napari_medlabel.export.naming import require_token
from napari_medlabel.export.read_back import new_folder
from napari_medlabel.export.training import (
    ENDING,
    IMAGES,
    LABELS,
    TEST_LABELS,
    TESTS,
    Numbers,
    TrainingCase,
    consecutive,
    require_case,
    require_equal_places,
    training_array,
    write_channel,
    write_labels,
)
from napari_medlabel.io.files import write_bytes_aside
from napari_medlabel.io.nifti.reading import inspect, load, read_labels_nifti
from napari_medlabel.model.labelmap import LabelScheme, count_labels

DESCRIPTION: Final = "dataset.json"
_REQUIRED: Final = ("labels", "channel_names", "numTraining", "file_ending")
_CHANNEL: Final = re.compile(r"(?P<case>.+)_(?P<channel>\d{4})")
_IGNORE: Final = "ignore"


def save_nnunet(
    parent: Path,
    number: int,
    name: str,
    cases: Iterable[TrainingCase],
    scheme: LabelScheme,
    *,
    channel_names: Sequence[str],
) -> Path:
    """Write a training set for nnU-Net v2, whole or not at all, and check it as nnU-Net does.

    Parameters
    ----------
    parent : Path
        The folder that is ``nnUNet_raw``; the set becomes a folder in it.
    number : int
        Of the data set, 1 to 999.
    name : str
        Letters and digits: the folder is ``Dataset001_Name``.
    cases : iterable of TrainingCase
        Taken one after the other. Masks of test cases go to ``labelsTs``.
    scheme : LabelScheme
        Its labels get the numbers 1, 2, 3, ... in its order; where a case has unresolved
        voxels, the number after the last is ``ignore``.
    channel_names : sequence of str
        For instance ``("CT",)``: nnU-Net chooses its normalisation by them.

    Returns
    -------
    Path
        The new folder.

    Raises
    ------
    InputError, GeometryError
        When a case does not fit; see `require_case`.
    SaveError
        When the folder exists, cannot be written, or does not pass the checks.
    """
    if not 1 <= number <= 999 or not channel_names:
        raise InputError(
            "A data set of nnU-Net has a number from 1 to 999 and at least one channel.",
            hint="For example: 1, with the channel CT.",
        )
    require_token(name, "data set")
    numbers = consecutive(scheme)
    target = parent / f"Dataset{number:03d}_{name}"
    with new_folder(target) as aside:
        writer = _Writer(aside, numbers, len(channel_names))
        for case in cases:
            writer.add(case)
        if not writer.training:
            raise InputError(
                "There is no training case to write.", hint="Choose at least one case."
            )
        text = json.dumps(writer.described(channel_names), indent=2, ensure_ascii=False)
        write_bytes_aside(aside / DESCRIPTION, f"{text}\n".encode())
        found = check_nnunet(aside, with_voxels=False)
        if found:
            raise SaveError(
                f"The data set does not pass nnU-Net's checks: {found[0]}",
                hint="This is a fault in the program; please report it.",
            )
    return target


class _Writer:
    """Writes case after case."""

    def __init__(self, folder: Path, numbers: Numbers, channels: int) -> None:
        self._folder = folder
        self._numbers = numbers
        self._channels = channels
        self._names: set[str] = set()
        self._has_ignore = False
        self.training = 0
        for each in (IMAGES, LABELS):
            (folder / each).mkdir()

    def add(self, case: TrainingCase) -> None:
        """Write a case, each file whole, read back and compared."""
        require_case(case, self._numbers, self._channels)
        require_token(case.name, "case", taken=self._names)
        self._names.add(case.name)
        images, labels = (TESTS, TEST_LABELS) if case.is_test else (IMAGES, LABELS)
        (self._folder / images).mkdir(exist_ok=True)
        files = [
            self._folder / images / f"{case.name}_{n:04d}{ENDING}"
            for n in range(len(case.channels))
        ]
        for file, channel in zip(files, case.channels, strict=True):
            write_channel(file, channel)
        self.training += not case.is_test
        if case.labels is None:
            return
        (self._folder / labels).mkdir(exist_ok=True)
        array = training_array(case, self._numbers)
        self._has_ignore |= case.unresolved is not None and bool(case.unresolved.any())
        mask = self._folder / labels / f"{case.name}{ENDING}"
        write_labels(mask, array, case.channels[0])
        require_equal_places(files[0], mask)

    def described(self, channel_names: Sequence[str]) -> dict[str, Any]:
        """Return what stands in dataset.json."""
        labels = dict(self._numbers.names)
        if self._has_ignore:
            labels[_IGNORE] = self._numbers.ignore
        return {
            "channel_names": {str(n): one for n, one in enumerate(channel_names)},
            "labels": labels,
            "numTraining": self.training,
            "file_ending": ENDING,
            "overwrite_image_reader_writer": "NibabelIOWithReorient",
            "converted_by": f"napari-medlabel {__version__}",
            "label_values": {str(v): n for v, n in self._numbers.of.items()},
        }


def check_nnunet(folder: Path, *, with_voxels: bool = True) -> tuple[str, ...]:
    """Check a raw data set as nnU-Net does, and what its documentation asks besides.

    Parameters
    ----------
    folder : Path
        ``Dataset001_Name``.
    with_voxels : bool
        Whether to read the images too, for values that are not finite; masks are always read.

    Returns
    -------
    tuple of str
        What is wrong, in sentences that name cases by their place in the sorted list. Empty
        where nnU-Net accepts the set.
    """
    try:
        description = json.loads((folder / DESCRIPTION).read_bytes())
    except (OSError, ValueError):
        return ("There is no dataset.json, or it is damaged.",)
    if not isinstance(description, dict):
        return ("dataset.json is no JSON object.",)
    missing = [key for key in _REQUIRED if key not in description]
    if missing:
        return (f"dataset.json lacks {', '.join(missing)}.",)
    channels, labels = description["channel_names"], description["labels"]
    if not isinstance(channels, dict) or not isinstance(labels, dict):
        return ("channel_names and labels of dataset.json are objects.",)
    found = [*_of_names(channels, labels)]
    ending = str(description["file_ending"])
    cases = _cases(folder / IMAGES, ending)
    if len(cases) != description["numTraining"]:
        found.append(
            f"{description['numTraining']} training cases are promised, {len(cases)} are there."
        )
    expected = {n for n in labels.values() if isinstance(n, int)}
    for n, (case, there) in enumerate(sorted(cases.items()), 1):
        where = f"Case {n} of {len(cases)}"
        if there != set(range(len(channels))):
            found.append(f"{where} has {len(there)} channels instead of {len(channels)}.")
            continue
        files = [folder / IMAGES / f"{case}_{c:04d}{ending}" for c in sorted(there)]
        mask = folder / LABELS / f"{case}{ending}"
        found += [f"{where}: {w}" for w in _of_case(files, mask, expected, with_voxels)]
    return tuple(found)


def _of_names(channels: Mapping[str, Any], labels: Mapping[str, Any]) -> Iterator[str]:
    if sorted(channels) != sorted(str(n) for n in range(len(channels))):
        yield "The channels are not numbered 0, 1, 2, ..."
    numbers = list(labels.values())
    if not all(isinstance(n, int) and not isinstance(n, bool) for n in numbers):
        yield "Labels are whole numbers; regions are not written here."
        return
    if labels.get("background") != 0:
        yield "The label background is not 0."
    if sorted(numbers) != list(range(len(numbers))):
        yield "The labels are not consecutive: 0, 1, 2, ..."
    if _IGNORE in labels and labels[_IGNORE] != max(numbers):
        yield "The label ignore is not the highest."


def _cases(folder: Path, ending: str) -> dict[str, set[int]]:
    cases: dict[str, set[int]] = {}
    names = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
    for name in names:
        if not name.endswith(ending):
            continue
        match = _CHANNEL.fullmatch(name[: -len(ending)])
        if match is not None:
            cases.setdefault(match["case"], set()).add(int(match["channel"]))
    return cases


def _of_case(
    files: Sequence[Path], mask: Path, expected: set[int], with_voxels: bool
) -> Iterator[str]:
    if not mask.is_file():
        yield "there is no mask."
        return
    try:
        array, grid = read_labels_nifti(mask)
        strange = set(count_labels(array)) - expected
        if strange:
            yield f"the mask holds {len(strange)} values that are no label."
        for n, file in enumerate(files, 1):
            there = inspect(file).grid
            if there.shape != grid.shape:
                yield f"channel {n} and the mask have different shapes."
            elif not np.allclose(there.affine.spacing_mm, grid.affine.spacing_mm):
                yield f"channel {n} and the mask have different spacings."
            elif not np.allclose(there.affine.matrix, grid.affine.matrix):
                yield f"channel {n} and the mask lie at different places."
            if with_voxels:
                values = load(file, hashes=False).array
                if values.dtype.kind == "f" and not np.isfinite(values).all():
                    yield f"channel {n} holds values that are no finite numbers."
    except MedlabelError as err:
        yield f"a file cannot be read: {err.message}"
