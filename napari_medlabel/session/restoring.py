"""Restoring: an earlier version of a mask takes the place of the present one, which is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from napari_medlabel import __version__
from napari_medlabel.edit.patch import LabelArray
from napari_medlabel.errors import GeometryError, InputError, LogError, SaveError
from napari_medlabel.export.mask import sidecar_path
from napari_medlabel.io.files import Staging, sha256_file
from napari_medlabel.io.nifti.reading import read_labels_nifti
from napari_medlabel.measure.labels import LabelChange, label_change, volumes_ml
from napari_medlabel.model.labelmap import count_labels
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.logged import CaseEvents
from napari_medlabel.session.mask_log import Version, mask_events, versions_of
from napari_medlabel.session.outbox import Outbox
from napari_medlabel.session.reasons import check_reason, give_reason
from napari_medlabel.session.saved_mask import MaskFile, deleted_path
from napari_medlabel.session.versions import Versions, as_named

_SHORTEST = 6


@dataclass(frozen=True)
class Restored:
    """What a restoring did.

    Parameters
    ----------
    version : Version
        What is on the disk now.
    replaced : str or None
        Content id of what was there before; kept.
    change : LabelChange
        Between the two.
    unlogged : LogError or None
        Why the log has no line of it; it will be told at the next opening.
    """

    version: Version
    replaced: str | None
    change: LabelChange
    unlogged: LogError | None


def store_of(mask: MaskFile, objects: Path) -> Versions:
    """Return where a mask's versions are kept: beside the log, or beside the mask."""
    return Versions(objects, mask.path.parent / "versions", mask.grid)


def history_of(
    mask: MaskFile, root: Path, objects: Path, state: Path | None = None
) -> tuple[Version, ...]:
    """Return the versions of a mask, oldest first; in a study those of one's own work.

    Parameters
    ----------
    mask : MaskFile
        As `find_mask` returned it.
    root, objects : Path
        Folders of the log and of earlier versions.
    state : Path, optional
        This computer's own folder.

    Raises
    ------
    LogError
        When the log cannot be read.
    """
    from napari_medlabel.session.study.blind import own_events

    kept = store_of(mask, objects)
    events = own_events(state, root, mask_events(root, state))
    return versions_of(events, case=mask.case, present=mask.present, state=kept.state)


def choose_version(versions: tuple[Version, ...], wanted: str) -> Version:
    """Return the version that a person means: a number, or the beginning of its id.

    Raises
    ------
    InputError
        When there is none, several, or it is there already or not kept.
    """
    name = wanted.removeprefix("sha256:").lower()
    if wanted.isdecimal() and len(wanted) < _SHORTEST:
        found = [one for one in versions if one.number == int(wanted)]
    elif len(name) >= _SHORTEST:
        found = [one for one in versions if one.id.removeprefix("sha256:").startswith(name)]
    else:
        found = []
    if len(found) != 1:
        raise InputError(
            f"One version is expected, and {len(found)} fit.",
            hint="Name a number of medlabel mask history, or the first digits of an id.",
        )
    if found[0].is_current:
        raise InputError(
            "This version is the one on the disk already.", hint="Choose another version."
        )
    if found[0].kept != "kept":
        raise InputError(
            f"This version is {found[0].kept}: it cannot be had back.",
            hint="Choose another version, or put the file back from a backup of the log.",
        )
    return found[0]


def restore(
    desk: Desk,
    mask: MaskFile,
    version: Version,
    *,
    reason: str,
    text: str = "",
    values: Sequence[str] = (),
) -> Restored:
    """Put an earlier version in the place of the present mask.

    The present one is kept first, even when it cannot be read. The version is written aside,
    read back and compared before it takes the name.

    Parameters
    ----------
    desk : Desk
        Log and folders.
    mask : MaskFile
        The present state.
    version : Version
        One that is kept.
    reason : str
        A code: CORRECTION, PROTOCOL, QA_FEEDBACK, WRONG_PATIENT, CONSENT_WITHDRAWN, OTHER.
    text : str
        With OTHER: why, for the officer alone.
    values : sequence of str
        What the text must not hold, see `reasons.identifying_values`.

    Raises
    ------
    InputError
        When the reason is no code, or the version is not kept.
    RefusedError
        When the text says who the patient is, or nobody could read it.
    GeometryError
        When the version lies on another grid.
    SaveError
        When it cannot be written; nothing was changed.
    """
    check_reason(desk, reason, text, values)
    kept = store_of(mask, desk.objects)
    found = kept.find(version.id)
    if found is None:
        raise InputError(
            "This version is not kept, or damaged.", hint="Choose another version."
        )
    array = _on_grid(found, mask, version.id)
    if mask.present is not None:
        kept.keep(mask.present, mask.path)
    before = mask.array if mask.array is not None else _nothing(mask)
    change = label_change(before, array)
    subject = version.subject or desk.tokens.content_token(mask.source)
    outbox = Outbox(desk.state / "unlogged", mask.case, desk.log)
    digest = sha256_file(found)
    event = CaseEvents(mask.case, subject).restored(
        mask.present,
        version.id,
        number=version.number,
        reason=give_reason(desk, reason, text, values),
        change=change,
        file=digest,
    )
    with Staging() as staging:
        content = found.read_bytes()
        staging.add(
            mask.path,
            lambda aside: _write(aside, content),
            check=lambda aside: _compare(aside, mask, version.id),
        )
        sidecar = _sidecar(mask, version.id, digest, array, desk.time())
        staging.add_bytes(sidecar_path(mask.path), sidecar)
        parcel = outbox.announce([event], old=mask.present, new=version.id)
        try:
            staging.publish()
        except SaveError:
            parcel.release()
            raise
    unlogged = outbox.deliver(parcel)
    outbox.close()
    deleted_path(mask.path).unlink(missing_ok=True)
    return Restored(version, mask.present, change, unlogged)


def _on_grid(found: Path, mask: MaskFile, name: str) -> LabelArray:
    """Return a version's labels, or refuse them."""
    array, grid = read_labels_nifti(found)
    mask.grid.require_same(grid, what="version")
    named = as_named(array, mask.grid, name)
    if named is None:
        raise GeometryError(
            "This version lies on the grid of another scan, or is not what its name says.",
            hint="Choose a version that was saved of this scan.",
        )
    return named


def _nothing(mask: MaskFile) -> LabelArray:
    return cast("LabelArray", np.zeros(mask.grid.shape[::-1], np.uint8).T)


def _write(aside: Path, content: bytes) -> None:
    with aside.open("xb") as stream:
        stream.write(content)


def _compare(aside: Path, mask: MaskFile, name: str) -> None:
    array, _ = read_labels_nifti(aside)
    if as_named(array, mask.grid, name) is None:
        raise SaveError(
            "The mask did not read back as it was written; the present file is untouched.",
            hint="The disk or the network drive is faulty.",
        )


def _sidecar(mask: MaskFile, name: str, digest: str, array: LabelArray, time: str) -> bytes:
    """Return the sidecar as it is with another content; scan and scheme stay."""
    counts = count_labels(array)
    volumes = volumes_ml(counts, mask.grid) if mask.has_volumes else {}
    measured: list[dict[str, Any]] = [
        {
            "value": value,
            "voxels": n,
            "volume_ml": round(volumes[value], 6) if value in volumes else None,
        }
        for value, n in sorted(counts.items())
    ]
    document = {
        **mask.sidecar,
        "software": {"name": "napari-medlabel", "version": __version__},
        "saved": time,
        "mask": {
            **mask.sidecar["mask"],
            "sha256": digest,
            "content_id": name,
            "dtype": str(array.dtype),
        },
        "scheme": mask.scheme.with_unnamed(counts).to_json(),
        "measured": measured,
    }
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode()
