"""The files inside the officer's page: made in the same pass that gathers its facts."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from napari_medlabel.audit.check.verdict import LogReport
    from napari_medlabel.audit.exports.entries import Entry
    from napari_medlabel.audit.keys.site import Policy
    from napari_medlabel.audit.report.page_downloads import Download

MOST_EVENTS: Final = 20_000
"""Most events of a log whose page holds every file; above, they double its size and more."""

_FOLDER: Final = "audit-evidence"


class Collecting:
    """Makes a file of each format while the log goes by.

    Parameters
    ----------
    policy : Policy or None
        Rules of the site.
    most : int or None
        How many events are too many: everything is let go then. None for no limit.
    """

    def __init__(self, policy: Policy | None, most: int | None) -> None:
        from napari_medlabel.audit.exports.entries import Reader
        from napari_medlabel.audit.exports.sinks import FileFormat, Wish, sink_of
        from napari_medlabel.audit.report.page_downloads import Packer

        kinds: tuple[FileFormat, ...] = ("fhir", "dicom", "ocsf", "art30")
        wish = Wish()  # no names and no Patient IDs, whatever the page itself shows
        self._sinks = {kind: sink_of(kind, wish, policy) for kind in kinds}
        self._files = {kind: Packer(kind) for kind in kinds}
        self._reader: Reader | None = Reader(self._take)
        self._most = most
        for kind, sink in self._sinks.items():
            self._files[kind].write(sink.head)

    def seen(self, file: str, line: int, record: Mapping[str, Any]) -> None:
        """Receive an event as verification passes it on."""
        reader = self._reader
        if reader is None:
            return
        reader.seen(file, line, record)
        if self._most is not None and reader.count > self._most:
            self._reader = None
            self._files.clear()

    def _take(self, entry: Entry) -> None:
        for kind, sink in self._sinks.items():
            for data in sink.lines(entry):
                self._files[kind].write(data)

    def downloads(self, root: Path, report: LogReport, made_ms: int) -> tuple[Download, ...]:
        """Return the files, the bundle first; none when there were too many events.

        Parameters
        ----------
        root : Path
            Folder of the log.
        report : LogReport
            What it is worth.
        made_ms : int
            Now, milliseconds since 1970.

        Raises
        ------
        SaveError, InputError
            When a file of the log cannot be read any more.
        """
        if self._reader is None:
            return ()
        for kind, sink in self._sinks.items():
            self._files[kind].write(sink.tail(report))
        rest = tuple(packer.close() for packer in self._files.values())
        return (_bundle(root, report, made_ms), *rest)


def _bundle(root: Path, report: LogReport, made_ms: int) -> Download:
    """Return the evidence bundle, without the page that it will lie in."""
    from napari_medlabel.audit.exports.bag import Bag, ZipPlace
    from napari_medlabel.audit.exports.bundle import Packing, fill_bundle
    from napari_medlabel.audit.report.page_downloads import Packer
    from napari_medlabel.io.files import explain_os_error

    whole = BytesIO()
    try:
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            bag = Bag(ZipPlace(archive, _FOLDER, made_ms))
            fill_bundle(bag, root, report, Packing(made_ms))
    except OSError as err:
        raise explain_os_error(err) from err
    packer = Packer("bundle")
    packer.write(whole.getvalue())
    return packer.close()
