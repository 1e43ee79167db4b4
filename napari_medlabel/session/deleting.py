"""Deleting a saved mask: it is kept among the versions first, then logged, then taken away."""

from __future__ import annotations

from napari_medlabel.edit.journal import is_held
from napari_medlabel.errors import InputError, RefusedError, SaveError
from napari_medlabel.export.mask import sidecar_path
from napari_medlabel.io.files import explain_os_error, sync_folder
from napari_medlabel.model.labelmap import count_labels
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.logged import CaseEvents
from napari_medlabel.session.mask_log import Version
from napari_medlabel.session.outbox import tell
from napari_medlabel.session.reasons import give_reason
from napari_medlabel.session.restoring import store_of
from napari_medlabel.session.saved_mask import MaskFile, deleted_path


def delete_mask(
    desk: Desk, mask: MaskFile, versions: tuple[Version, ...], *, reason: str
) -> str:
    """Delete a mask and return its content id; it can be restored.

    Its sidecar goes to ``mask.deleted.json``: restoring needs the scan's grid and hashes.

    Parameters
    ----------
    desk : Desk
        Log and folders.
    mask : MaskFile
        As `find_mask` returned it.
    versions : tuple of Version
        Its history, which names the patient's token.
    reason : str
        A code.

    Raises
    ------
    InputError
        When there is no mask, or the reason is no code.
    RefusedError
        When a running program has unsaved work on it.
    SaveError
        When it cannot be kept: then nothing is deleted; or when it cannot be removed.
    LogError
        When the log cannot be written: then nothing is deleted.
    """
    if mask.present is None:
        raise InputError(
            "A mask was expected, and there is none on the disk any more.",
            hint="medlabel mask history lists the versions that can be restored.",
        )
    _require_closed(desk, mask.case)
    given = give_reason(desk, reason, "", ())
    store_of(mask, desk.objects).keep(mask.present, mask.path)
    subject = next((one.subject for one in reversed(versions) if one.subject), "")
    events = CaseEvents(mask.case, subject or desk.tokens.content_token(mask.source))
    counts = {} if mask.array is None else count_labels(mask.array)
    tell(desk.log, events.deleted(mask.present, given, counts))
    _remove(mask)
    return mask.present


def _require_closed(desk: Desk, case: str) -> None:
    """Refuse a case on which a running program has unsaved work; saved work is not held."""
    names = f"{case.removeprefix('sha256:')[:24]}-*.journal"
    if any(is_held(path) for path in desk.journals.glob(names)):
        raise RefusedError(
            "The scan of this mask is open in a running program, with work that is not saved.",
            hint="Save or discard the work there, close the scan, and delete the mask then.",
        )


def _remove(mask: MaskFile) -> None:
    """Take the mask away, then its sidecar: in between it is a mask that is gone."""
    try:
        mask.path.unlink(missing_ok=True)
        beside = sidecar_path(mask.path)
        if beside.is_file():
            beside.replace(deleted_path(mask.path))
        sync_folder(mask.path.parent)
    except OSError as err:
        said = explain_os_error(err)
        raise SaveError(
            "The mask could not be removed. It is kept, and the log says that it was deleted.",
            hint=said.hint,
        ) from err
