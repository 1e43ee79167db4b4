"""Looked-at images join their data set: logged, and with a receipt of the whole."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

from napari_medlabel.deid.report.review import Decided, decide
from napari_medlabel.errors import MedlabelError
from napari_medlabel.io.manifest import RECEIPT_NAME, manifest_of
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.receipts import add_receipt

_DAY: Final = len("2026-11-22")


def decide_logged(
    folder: Path,
    target: Path,
    desk: Desk,
    *,
    accept: Collection[str] = (),
    reject: Collection[str] = (),
) -> Decided:
    """Move accepted images into the target, delete rejected ones, and renew the receipt.

    A decision changes the data set, if only its report; so the receipt of the batch is true of
    it no more, and another takes its place. What the batch wrote stays proven by the log.

    Parameters
    ----------
    folder, target : Path
        The review folder, and the folder that the batch wrote.
    desk : Desk
        Its log takes ``export.begin``, ``deid.review`` and ``export.done``, or
        ``export.fail``; its clock dates the record in the target.
    accept, reject : collection of str
        Tokens; nothing happens for none.

    Returns
    -------
    Decided
        Counts.

    Raises
    ------
    InputError, LogError, SaveError
        As `decide`; and when the receipt cannot be made or written.
    """
    leaves: dict[str, object] = {"destination": "folder", "deidentified": True}
    if not (accept or reject):
        return decide(folder, target)
    desk.log.append("export.begin", detail=leaves)
    try:
        done = decide(
            folder,
            target,
            accept=accept,
            reject=reject,
            log=desk.log,
            date=desk.time()[:_DAY],
        )
        manifest = manifest_of(target)
    except MedlabelError:
        desk.log.append("export.fail", detail={**leaves, "cause": "other"})
        raise
    detail = {**leaves, "files": done.accepted, "manifest": manifest}
    desk.log.append("export.done", detail=detail)
    add_receipt(desk.log, target / RECEIPT_NAME, manifest)
    return done
