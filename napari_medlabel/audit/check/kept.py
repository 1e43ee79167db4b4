"""Check that every mask that was replaced is still kept, and says what it said."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from napari_medlabel.audit.check.plural import filled
from napari_medlabel.audit.check.verdict import SessionReport
from napari_medlabel.audit.format.finding import Finding
from napari_medlabel.audit.format.layout import OBJECTS, object_file
from napari_medlabel.errors import InputError

_MOST: Final = 1000  # findings about single masks; one more sentence says how many follow
_GONE: Final = (
    "The mask that was replaced here is not among the kept versions: what was recorded "
    "before cannot be shown any more."
)
_ASIDE: Final = (
    "The mask that was replaced here is not among the kept versions. The log's folder could "
    "not be written at times: look for it in the folder 'versions' beside the mask."
)
_NO_STORE: Final = (
    "The kept versions of masks are not here at all: this is a copy of the log without them, "
    "or they were removed. {count} that {were} replaced cannot be shown from here."
)
_CHANGED: Final = "A kept version of a mask is not the file that was saved: it was changed."
_UNSURE: Final = (
    "A kept version of a mask cannot be compared: no line of the log names its file."
)


def kept_names(root: Path) -> frozenset[bytes]:
    """Return the digests in the names of all kept versions.

    Parameters
    ----------
    root : Path
        Folder of the log.
    """
    return frozenset(
        bytes.fromhex(path.name[:64])
        for path in (root / OBJECTS).glob("??/*.nii.gz")
        if _is_digest(path.name[:64])
    )


def _is_digest(text: str) -> bool:
    return len(text) == 64 and all(letter in "0123456789abcdef" for letter in text)


def _missing(
    root: Path, reports: Iterable[SessionReport]
) -> Iterator[tuple[SessionReport, int]]:
    """Yield where a mask was replaced that is not kept; each mask once."""
    names, said = kept_names(root), set()
    for report in reports:
        for line, digest in report.replaced:
            name = bytes.fromhex(digest)
            if name in names or name in said:
                continue
            said.add(name)
            # It may have come since the names were listed.
            if not (root / object_file(f"sha256:{digest}")).is_file():
                yield report, line


def judge_kept(root: Path, reports: Iterable[SessionReport]) -> list[Finding]:
    """Return a finding for each replaced mask that is not kept.

    It is red where others are kept. It is amber where the workstation could not write to the
    log's folder at times, as the mask may lie beside the one that took its place; and where
    no version is here at all, as in a copy of the log's lines.

    Parameters
    ----------
    root : Path
        Folder of the log.
    reports : iterable of SessionReport
        Every session.
    """
    every = list(reports)
    aside = {
        report.writer
        for report in every
        if report.has("FAILED") or (report.opening is not None and report.opening.spool)
    }
    missing = list(_missing(root, every))
    if missing and not (root / OBJECTS).is_dir():
        text = filled(_NO_STORE, len(missing), "mask")
        return [Finding("amber", "OBJECT", text, missing[0][0].file, missing[0][1])]
    found: list[Finding] = []
    left = 0
    for report, line in missing:
        if len(found) == _MOST:
            left += 1
            continue
        is_aside = report.writer in aside
        level: Literal["red", "amber"] = "amber" if is_aside else "red"
        text = _ASIDE if is_aside else _GONE
        found.append(Finding(level, "OBJECT", text, report.file, line))
    if left:
        text = "{count} that {were} replaced {are} not among the kept versions."
        found.append(Finding("red", "OBJECT", filled(text, left, "more mask")))
    return found


class Files:
    """The digests of the files in which the log says that masks were saved."""

    def __init__(self) -> None:
        self._files: dict[str, set[str]] = defaultdict(set)

    def take(self, record: Mapping[str, Any]) -> None:
        """Take the next sealed event."""
        file = record["detail"].get("file")
        if file is not None:
            for item in record["object"]:
                if item["role"] == "new":
                    self._files[item["id"]].add(file)

    def judge(
        self, root: Path, progress: Callable[[int, int], object] | None = None
    ) -> list[Finding]:
        """Read every kept version and return what is wrong with them.

        A version is right when its file is one that the log names for its content, when its
        own bytes give its name (a mask that could not be read was kept as it was), or when
        its labels give its name.

        Parameters
        ----------
        root : Path
            Folder of the log.
        progress : callable, optional
            Called with how many were read, of how many.

        Raises
        ------
        InputError
            When one cannot be read.
        """
        paths = sorted((root / OBJECTS).glob("??/*.nii.gz"))
        found = []
        for number, path in enumerate(paths, 1):
            finding = self._judge(path, path.relative_to(root).as_posix())
            if finding is not None:
                found.append(finding)
            if progress is not None:
                progress(number, len(paths))
        return found

    def _judge(self, path: Path, file: str) -> Finding | None:
        from napari_medlabel.io.files import sha256_file

        content = f"sha256:{path.name[:64]}"
        try:
            digest = f"sha256:{sha256_file(path)}"
        except OSError as err:
            raise InputError(
                f"A kept version of a mask cannot be read ({type(err).__name__}).",
                hint="Run it as the user who may read the log.",
            ) from err
        named = self._files.get(content, set())
        if digest == content or digest in named or _says(path, content):
            return None
        if named:
            return Finding("red", "OBJECT", _CHANGED, file)
        return Finding("amber", "OBJECT", _UNSURE, file)


def _says(path: Path, content: str) -> bool:
    """Return whether the labels in a file have a content id; on the file's own grid."""
    import numpy as np

    from napari_medlabel.io.nifti.reading import read_labels_nifti
    from napari_medlabel.model.labelmap import content_id

    try:
        array, grid = read_labels_nifti(path)
    except (InputError, gzip.BadGzipFile, EOFError):
        return False
    return any(
        content_id(grid, array if array.dtype == dtype else array.T.astype(dtype).T) == content
        for dtype in (np.uint8, np.uint16, np.int16, np.int32, np.uint32)
        if not array.size or int(array.max()) <= np.iinfo(dtype).max
    )
