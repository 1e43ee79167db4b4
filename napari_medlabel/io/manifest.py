r"""The manifest of a data set: one digest for all of its files and their names.

It is the SHA-256 of the sorted lines ``<sha256>  <relative path>``, one for each file, so
that anyone can make it again with common tools::

    find . -type f ! -path ./audit_receipt.json -printf '%P\0' | LC_ALL=C sort -z \
      | xargs -0 sha256sum | LC_ALL=C sort | sha256sum
"""

from __future__ import annotations

import hashlib
import heapq
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final, NoReturn

from napari_medlabel.errors import InputError
from napari_medlabel.io.files import sha256_file

RECEIPT_NAME: Final = "audit_receipt.json"
"""Name of the one file of a data set that its manifest leaves out."""

_RUN: Final = 1 << 16  # lines that are sorted in memory at once


def manifest_of(folder: Path) -> str:
    """Return the manifest of a folder, of which the receipt at its top is no part.

    Memory does not grow with the number of files.

    Parameters
    ----------
    folder : Path
        The data set.

    Returns
    -------
    str
        ``sha256:`` and 64 hex digits.

    Raises
    ------
    InputError
        When there is no such folder, or a file in it cannot be read.
    """
    if not folder.is_dir():
        raise InputError(
            "The folder of a data set was expected, and there is none.",
            hint="Give the folder that was exported.",
        )
    return _digest((path, path.relative_to(folder).as_posix()) for path in _files(folder))


def manifest_of_files(paths: Sequence[Path]) -> str:
    """Return the manifest of a few files, each under its own name.

    Parameters
    ----------
    paths : sequence of Path
        Files with different names.

    Returns
    -------
    str
        ``sha256:`` and 64 hex digits.

    Raises
    ------
    InputError
        When one cannot be read.
    """
    return _digest((path, path.name) for path in paths)


def _files(folder: Path) -> Iterator[Path]:
    for above, _, names in os.walk(folder, onerror=_unread):
        for name in names:
            path = Path(above, name)
            if path != folder / RECEIPT_NAME:
                yield path


def _digest(files: Iterable[tuple[Path, str]]) -> str:
    whole = hashlib.sha256()
    with ExitStack() as stack:
        runs: list[Iterable[bytes]] = []
        lines = _lines(files)
        while run := sorted(islice(lines, _RUN)):
            if len(run) < _RUN:
                runs.append(run)
                break
            aside: IO[bytes] = stack.enter_context(TemporaryFile())
            aside.writelines(run)
            aside.seek(0)
            runs.append(aside)
        for line in heapq.merge(*runs):
            whole.update(line)
    return f"sha256:{whole.hexdigest()}"


def _lines(files: Iterable[tuple[Path, str]]) -> Iterator[bytes]:
    for path, name in files:
        try:
            digest = sha256_file(path)
        except OSError as err:
            _unread(err)
        yield f"{digest}  {name}\n".encode("utf-8", "surrogateescape")


def _unread(err: OSError) -> NoReturn:
    raise InputError(
        f"A file of the data set cannot be read ({type(err).__name__}).",
        hint="Check the permissions; the folder must not change meanwhile.",
    ) from err
