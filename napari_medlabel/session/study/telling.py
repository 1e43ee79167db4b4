"""What the log hears of a version: masks of all layers, and digests of what is beside."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from napari_medlabel.audit.format.event import Event, ObjectRef
from napari_medlabel.export.landmarks import encode_landmarks
from napari_medlabel.project.cases.boxes import encode_boxes
from napari_medlabel.project.cases.version import LANDMARKS
from napari_medlabel.project.cases.versions import Labelled
from napari_medlabel.project.work.fold import SlotState


def with_sheets(event: Event, labelled: Labelled) -> Event:
    """Return an event that names the masks of further layers after the first, by layer."""
    further = (one.labels.content_id() for _, one in sorted(labelled.sheets.items()))
    return _with(event, further)


def about_all(event: Event, now: SlotState) -> Event:
    """Return an event about a reading's mask that names those of further layers, too."""
    return _with(event, now.sheets)


def beside(labelled: Labelled) -> dict[str, object]:
    """Return what an event says of answers, landmarks and boxes: a digest of each there is."""
    found: dict[str, bytes] = {}
    if labelled.answers:
        found["answers"] = plain_answers(labelled.answers)
    if labelled.landmarks is not None:
        found["landmarks"] = encode_landmarks(Path(LANDMARKS), labelled.landmarks)
    if labelled.boxes is not None:
        found["boxes"] = encode_boxes(labelled.boxes, labelled.labels.grid)
    return {kind: f"sha256:{hashlib.sha256(data).hexdigest()}" for kind, data in found.items()}


def plain_answers(answers: Mapping[str, object]) -> bytes:
    """Return answers as bytes that are equal where they are: tuples are lists in JSON."""
    return json.dumps(dict(answers), sort_keys=True, ensure_ascii=True).encode()


def _with(event: Event, contents: Iterable[str]) -> Event:
    further = tuple(ObjectRef(one, "new", "mask") for one in contents)
    return replace(event, objects=(*event.objects, *further))
