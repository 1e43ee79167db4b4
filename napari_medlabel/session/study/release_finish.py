"""Finishing a release that was killed before the log was told and its receipt was written.

Its name is used, so it cannot be made again. Nothing is written anew: every file is compared
with the manifest that the study keeps, and each link with the study's log, before the log is
told what it lacks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from napari_medlabel.audit.anchors.receipt import make_receipt
from napari_medlabel.audit.anchors.session_lines import read_lines, record_of
from napari_medlabel.audit.check.verify import session_paths
from napari_medlabel.errors import InputError, LogError, RefusedError
from napari_medlabel.io.files import explain_os_error, write_bytes_aside
from napari_medlabel.io.manifest import RECEIPT_NAME, manifest_of
from napari_medlabel.project.release.manifest import (
    MANIFEST,
    SIGNATURE,
    Manifest,
    files_of,
    read_manifest,
    require_name,
)
from napari_medlabel.project.release.tree import make_read_only
from napari_medlabel.session.receipts import add_receipt
from napari_medlabel.session.study.release_check import check_release
from napari_medlabel.session.study.releasing import detail_of
from napari_medlabel.session.study.seat import Seat, require_role


def finish_release(seat: Seat, name: str, target: Path) -> Manifest:
    """Finish a release: give it its name, tell the log, and write the receipt.

    Parameters
    ----------
    seat : Seat
        Somebody with the role releaser or manager.
    name : str
        Of the release, as it was begun.
    target : Path
        Its folder.

    Raises
    ------
    RefusedError
        When the role is missing, nothing is left to do, a file is another one than the manifest
        names, or the log does not tell that its leaving began.
    InputError
        When the study knows no such release, or there is no folder of it.
    SaveError, LogError
        When files or log cannot be written.
    """
    require_role(seat, "releaser", "manager")
    kept = seat.layout.releases / require_name(name)
    if not (kept / MANIFEST).is_file():
        raise InputError(
            "The study keeps no manifest of a release of that name: there is none to finish.",
            hint="Make it: medlabel project release STUDY NAME.",
        )
    folder = _folder(kept, target.absolute())
    if (folder / RECEIPT_NAME).exists():
        raise RefusedError(
            "The release has its receipt already: nothing is left to finish.",
            hint="Check it with: medlabel verify RELEASE --study STUDY",
        )
    _require_whole(seat, kept, folder)
    manifest = read_manifest(folder)
    whole = manifest_of(folder)
    cases = len(check_release(folder).cases)
    detail = detail_of([path for path, _ in files_of(folder)], cases)
    lines = list(_leavings(seat))
    if not any(_is_of(one, "export.begin", detail) for _, one in lines):
        raise RefusedError(
            "The log does not tell that the leaving of this release began.",
            hint="Make a release under another name.",
        )
    make_read_only(path for path, _ in files_of(folder))
    if folder != target.absolute():
        try:
            folder.rename(target)
        except OSError as err:
            raise explain_os_error(err) from err
    _tell(seat, lines, detail, (whole, manifest.digest), target / RECEIPT_NAME)
    make_read_only([target / RECEIPT_NAME, *(path for path, _ in files_of(kept))])
    return manifest


def _folder(kept: Path, target: Path) -> Path:
    """Return where the release lies: under its name, or aside as it was made."""
    if target.is_dir() and not target.is_symlink():
        return target
    wanted = (kept / MANIFEST).read_bytes()
    for path in sorted(target.parent.glob(f".*.part.{target.name}")):
        manifest = path / MANIFEST
        if manifest.is_file() and manifest.read_bytes() == wanted:
            return path
    raise InputError(
        "There is no folder of that release, neither under its name nor as it was being made.",
        hint="Give where it lies with --to FOLDER; where it was deleted, use another name.",
    )


def _require_whole(seat: Seat, kept: Path, folder: Path) -> None:
    """Refuse a release that is not, file by file and link by link, what was to leave."""
    same = all(_bytes_of(kept / name) == _bytes_of(folder / name) for name in _KEPT)
    found = [
        one
        for one in check_release(folder, layout=seat.layout).findings
        if one.level == "error"
        and one.where != RECEIPT_NAME
        and (one.rule, one.where) != ("log", MANIFEST)
    ]
    if not same or found:
        raise RefusedError(
            "The release is not what its manifest and the log say, and it was not finished.",
            hint="See what differs with: medlabel verify RELEASE --study STUDY",
        )


_KEPT = (MANIFEST, SIGNATURE)


def _bytes_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _leavings(seat: Seat) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield what the log tells of exports and releases, with the session's file."""
    for path in session_paths(seat.layout.audit):
        try:
            lines = read_lines(path).lines
            for line in lines:
                if b'"event":"export.' in line or b'"event":"study.publish"' in line:
                    yield path, record_of(line)
        except (OSError, ValueError) as err:
            raise LogError(
                "A session of the log cannot be read, or is not what its seal says.",
                hint="See what is wrong with: medlabel audit verify",
            ) from err


def _is_of(record: Mapping[str, Any], event: str, detail: Mapping[str, object]) -> bool:
    told = record["detail"]
    return record["event"] == event and all(told.get(key) == detail[key] for key in detail)


def _tell(
    seat: Seat,
    lines: list[tuple[Path, Mapping[str, Any]]],
    detail: Mapping[str, object],
    digests: tuple[str, str],
    receipt: Path,
) -> None:
    """Tell the log what it lacks, and write the receipt from the session that has the end."""
    log, (whole, manifest) = seat.desk.log, digests
    ends = [path for path, one in lines if _is_of(one, "export.done", {"manifest": whole})]
    if not ends:
        log.append("export.done", detail={**detail, "manifest": whole})
    if not any(_is_of(one, "study.publish", {"manifest": manifest}) for _, one in lines):
        told = {key: detail[key] for key in ("files", "cases", "bytes")}
        log.append("study.publish", detail={**told, "manifest": manifest})
    if ends:
        write_bytes_aside(receipt, make_receipt(ends[-1], whole))
    else:
        add_receipt(log, receipt, whole)
