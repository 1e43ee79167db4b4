"""A receipt of the audit log for every data set that leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from napari_medlabel.errors import SaveError
from napari_medlabel.io.files import write_bytes_aside
from napari_medlabel.io.manifest import RECEIPT_NAME


@runtime_checkable
class KeptLog(Protocol):
    """A log that lies in a file."""

    @property
    def path(self) -> Path:
        """File of the session that is being written."""
        ...


def receipt_beside(path: Path) -> Path:
    """Return the name of the receipt that goes beside a single file."""
    return path.with_name(f"{path.name}.{RECEIPT_NAME}")


def add_receipt(log: object, path: Path, manifest: str) -> None:
    """Write the receipt of an export whose ``export.done`` is in the log.

    Parameters
    ----------
    log : object
        The log that took the event; one that keeps no file has no receipts to give.
    path : Path
        Where the receipt goes.
    manifest : str
        The manifest that the event names.

    Raises
    ------
    LogError
        When the session's file cannot be read.
    SaveError
        When the receipt cannot be written.
    """
    from napari_medlabel.audit.anchors.receipt import make_receipt

    if not isinstance(log, KeptLog):
        return
    receipt = make_receipt(log.path, manifest)
    try:
        write_bytes_aside(path, receipt)
    except SaveError as err:
        raise SaveError(
            f"The data set is whole and in the log, but without its receipt: {err.message}",
            hint=err.hint,
        ) from err
