"""The files of a source folder, in one order, and what each is by its content."""

from __future__ import annotations

import os
from pathlib import Path

from napari_medlabel.deid.kinds import Kind, SourceFile, described
from napari_medlabel.deid.report import Skip
from napari_medlabel.deid.target import looked_up
from napari_medlabel.errors import InputError

__all__ = ["Kind", "SourceFile", "source_files"]


def source_files(source: Path) -> list[SourceFile]:
    """Every file under a folder, or the one file, with what it is.

    Parameters
    ----------
    source : Path
        A folder or a file. Links are not followed.

    Returns
    -------
    list of SourceFile
        In byte order of their paths, links last with position 0.

    Raises
    ------
    InputError
        When the source does not exist, cannot be looked up, or holds no DICOM and no NIfTI.
    """
    looked_up(source)
    if source.is_file():
        paths, links, root = [source], list[Path](), source.parent
    elif source.is_dir():
        paths, links = _listed(source)
        root = source
    else:
        raise InputError(
            "A source folder or file was expected and does not exist.",
            hint="Check the first argument of `medlabel deid SRC DST`.",
        )
    files = [described(i, path, root) for i, path in enumerate(paths, start=1)]
    files += [SourceFile(0, p, p.relative_to(root).as_posix(), Skip.LINK) for p in links]
    if not any(isinstance(file.kind, Kind) for file in files):
        raise InputError(
            f"DICOM or NIfTI files were expected, none is among the {len(files)} found.",
            hint="Pass the folder that holds the scans; files are recognized by content.",
        )
    return files


def _listed(folder: Path) -> tuple[list[Path], list[Path]]:
    """Regular files and links under a folder, each in byte order of path."""
    paths, links = [], []
    for parent, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = Path(parent) / name
            if path.is_symlink():
                links.append(path)
            elif path.is_file():
                paths.append(path)
    return sorted(paths, key=_order), sorted(links, key=_order)


def _order(path: Path) -> bytes:
    return os.fsencode(path.as_posix())
