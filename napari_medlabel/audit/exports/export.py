"""Exports of the log: written aside, said in the log, and only then given their name."""

from __future__ import annotations

import secrets
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final, Literal

from napari_medlabel.audit.check.verdict import LogReport
from napari_medlabel.audit.exports.bag import Bag, FolderPlace, ZipPlace
from napari_medlabel.audit.exports.bundle import Packing, fill_bundle
from napari_medlabel.audit.exports.entries import Entry, read_entries
from napari_medlabel.audit.exports.sinks import FileFormat, Wish, sink_of
from napari_medlabel.audit.keys.site import Policy, read_site
from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.io.files import explain_os_error, sync_file, sync_folder

Format = Literal["bundle", "csv", "fhir", "dicom", "ocsf", "art30"]
FORMATS: Final[tuple[Format, ...]] = ("bundle", "csv", "fhir", "dicom", "ocsf", "art30")


@dataclass(frozen=True, slots=True)
class Source:
    """The log that is exported.

    Parameters
    ----------
    root : Path
        Its folder.
    state : Path or None
        Folder of this computer's own memory.
    """

    root: Path
    state: Path | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """An export that lies aside, whole and synced, and has no name yet.

    Parameters
    ----------
    report : LogReport
        What the log is worth.
    events : int
        Events in it.
    manifest : str
        ``sha256:`` of the file, or of a bundle's list of lists.
    """

    report: LogReport
    events: int
    manifest: str


class _Hashed:
    """Passes bytes on to a stream and hashes them."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.digest = sha256()

    def write(self, data: bytes) -> None:
        self.digest.update(data)
        self._stream.write(data)


def require_free(target: Path) -> None:
    """Refuse a name that an export cannot take.

    Parameters
    ----------
    target : Path
        The name.

    Raises
    ------
    InputError
        When something is there, or there is no folder to put it into.
    """
    if target.exists() or target.is_symlink():
        raise InputError(
            "A name that is free was expected for the export, and something is there.",
            hint="Choose another name: an export never overwrites.",
        )
    if not target.parent.is_dir():
        raise InputError(
            "The folder that the export goes into was expected, and there is none.",
            hint="Make it first, or choose another.",
        )


@contextmanager
def _aside(target: Path) -> Iterator[Path]:
    """Yield a name beside the target; what is there takes the target's name in the end."""
    require_free(target)
    aside = target.with_name(f".{secrets.token_hex(4)}.part.{target.name}")
    try:
        yield aside
        if aside.is_dir():
            for path in aside.rglob("*"):
                if path.is_file():
                    sync_file(path)
        else:
            sync_file(aside)
        aside.rename(target)
        sync_folder(target.parent)
    except OSError as err:
        raise explain_os_error(err) from err
    finally:
        if aside.is_dir():
            shutil.rmtree(aside)
        with suppress(FileNotFoundError):
            aside.unlink()


def _policy(root: Path) -> Policy | None:
    try:
        signed = read_site(root)
    except InputError:
        return None  # the verdict on the sheet says that the site's document is broken
    return None if signed is None else signed.site.policy


def _write_file(source: Source, aside: Path, kind: FileFormat, wish: Wish) -> Written:
    sink = sink_of(kind, wish, _policy(source.root) if kind == "art30" else None)
    with aside.open("xb") as stream:
        out = _Hashed(stream)
        out.write(sink.head)

        def take(entry: Entry) -> None:
            for line in sink.lines(entry):
                out.write(line)

        report, count = read_entries(
            source.root, state=source.state, take=take, period=wish.period
        )
        out.write(sink.tail(report))
    return Written(report, count, f"sha256:{out.digest.hexdigest()}")


def _write_bundle(source: Source, aside: Path, target: Path, packing: Packing) -> Written:
    report, count = read_entries(source.root, state=source.state, take=lambda _entry: None)
    if target.suffix.lower() == ".zip":
        with zipfile.ZipFile(aside, "x", zipfile.ZIP_DEFLATED) as archive:
            place = ZipPlace(archive, target.stem, packing.made_ms)
            digest = fill_bundle(Bag(place), source.root, report, packing)
    else:
        aside.mkdir()
        digest = fill_bundle(Bag(FolderPlace(aside)), source.root, report, packing)
    return Written(report, count, digest)


def export_log(
    source: Source,
    target: Path,
    kind: Format,
    *,
    wish: Wish,
    packing: Packing,
    announce: Callable[[Written], None],
) -> Written:
    """Export a log.

    Parameters
    ----------
    source : Source
        What.
    target : Path
        Where to; must not exist. A bundle is a zip file where the name ends in ``.zip``, else
        a folder.
    kind : str
        bundle, csv, fhir, dicom, ocsf or art30.
    wish : Wish
        Which events, and names that the officer gave.
    packing : Packing
        What a bundle holds beside the log.
    announce : callable
        Called when everything is written aside. Only when it returns does the export take its
        name: where it raises, as when the log cannot be written, nothing is left.

    Returns
    -------
    Written
        What was exported.

    Raises
    ------
    InputError
        When there is no log, the target's name is taken, or a bundle is wanted of a period.
    SaveError
        When it cannot be written.
    """
    _check(kind, wish)
    with _aside(target) as aside:
        if kind == "bundle":
            written = _write_bundle(source, aside, target, packing)
        else:
            written = _write_file(source, aside, kind, wish)
        announce(written)
    return written


def _check(kind: Format, wish: Wish) -> None:
    """Refuse what a format cannot keep, before anything is written."""
    if kind == "bundle" and not wish.period.is_all:
        raise _cannot("A bundle holds the whole log: a part of it could not be verified.")
    if kind in {"bundle", "art30"} and wish.naming.users:
        raise _cannot("Names of users go into rows and messages, and this format has none.")
    if kind != "dicom" and wish.naming.patients:
        raise _cannot("Patient IDs go into DICOM messages only, which ask for them.")


def _cannot(why: str) -> MedlabelError:
    return InputError(why, hint="Leave that option away, or choose another --format.")
