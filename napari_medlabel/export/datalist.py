"""Training sets as MONAI and the Medical Segmentation Decathlon list them.

medicaldecathlon.com, ``dataset.json``; MONAI, ``monai.data.load_decathlon_datalist``. Several
channels are a list of files, which MONAI's LoadImage stacks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from napari_medlabel import __version__
from napari_medlabel.errors import InputError
from napari_medlabel.export.naming import require_token
from napari_medlabel.export.read_back import new_folder
from napari_medlabel.export.training import (
    ENDING,
    IMAGES,
    LABELS,
    TEST_LABELS,
    TESTS,
    TrainingCase,
    consecutive,
    require_case,
    require_equal_places,
    training_array,
    write_channel,
    write_labels,
)
from napari_medlabel.io.files import write_bytes_aside
from napari_medlabel.model.labelmap import LabelScheme

DATALIST: Final = "dataset.json"


def save_datalist(
    folder: Path,
    name: str,
    cases: Iterable[TrainingCase],
    scheme: LabelScheme,
    *,
    channel_names: Sequence[str],
) -> int:
    """Write a training set with a datalist, whole or not at all.

    Parameters
    ----------
    folder : Path
        A new folder: ``dataset.json``, ``imagesTr``, ``labelsTr``, ``imagesTs``.
    name : str
        Of the set.
    cases : iterable of TrainingCase
        Taken one after the other. A fold becomes the entry's ``fold``.
    scheme : LabelScheme
        Its labels get the numbers 1, 2, 3, ... in its order.
    channel_names : sequence of str
        For instance ``("CT",)``.

    Returns
    -------
    int
        Number of cases.

    Raises
    ------
    InputError, GeometryError
        When a case does not fit, or has unresolved voxels, which the format has no word for.
    SaveError
        When the folder exists or cannot be written.
    """
    require_token(name, "data set")
    if not channel_names:
        raise InputError("A data set has at least one channel.", hint="For example: CT")
    numbers = consecutive(scheme)
    names: set[str] = set()
    training: list[dict[str, Any]] = []
    test: list[dict[str, Any]] = []
    with new_folder(folder) as aside:
        for case in cases:
            if case.unresolved is not None and case.unresolved.any():
                raise InputError(
                    "A datalist has no word for voxels of which nobody knows what they are.",
                    hint="Resolve them, leave the case out, or write for nnU-Net.",
                )
            require_case(case, numbers, len(channel_names))
            require_token(case.name, "case", taken=names)
            names.add(case.name)
            entry = _write(aside, case)
            if case.labels is not None:
                at = f"{TEST_LABELS if case.is_test else LABELS}/{case.name}{ENDING}"
                (aside / at).parent.mkdir(exist_ok=True)
                write_labels(aside / at, training_array(case, numbers), case.channels[0])
                first = entry["image"]
                image = first if isinstance(first, str) else first[0]
                require_equal_places(aside / image, aside / at)
                entry["label"] = f"./{at}"
            _relative(entry)
            if case.fold is not None and not case.is_test:
                entry["fold"] = case.fold
            (test if case.is_test else training).append(entry)
        if not names:
            raise InputError("There is no case to write.", hint="Choose at least one case.")
        document = {
            "name": name,
            "description": f"Written by napari-medlabel {__version__}",
            "tensorImageSize": "3D",
            "modality": {str(n): one for n, one in enumerate(channel_names)},
            "labels": {str(n): one for one, n in numbers.names.items()},
            "numTraining": len(training),
            "numTest": len(test),
            "training": training,
            "test": test,
        }
        text = json.dumps(document, indent=2, ensure_ascii=False)
        write_bytes_aside(aside / DATALIST, f"{text}\n".encode())
    return len(names)


def _write(folder: Path, case: TrainingCase) -> dict[str, Any]:
    images = TESTS if case.is_test else IMAGES
    (folder / images).mkdir(exist_ok=True)
    several = len(case.channels) > 1
    files = [
        f"{images}/{case.name}{f'_{n:04d}' if several else ''}{ENDING}"
        for n in range(len(case.channels))
    ]
    for file, channel in zip(files, case.channels, strict=True):
        write_channel(folder / file, channel)
    return {"image": files if several else files[0]}


def _relative(entry: dict[str, Any]) -> None:
    """Let the images be found from the datalist, as the Decathlon writes them."""
    image = entry["image"]
    entry["image"] = f"./{image}" if isinstance(image, str) else [f"./{one}" for one in image]
