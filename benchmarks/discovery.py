"""Finding out what is in a folder of 5,000 mixed files, against GDCM, pydicom and SimpleITK."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path

import series_factory as factory
from _measure import Side, Work, main

from napari_medlabel.io.registry import find_series

SERIES, FILES, JUNK, FOLDERS = 12, 400, 200, 20
TAGS = (
    (0x0020, 0x000E),
    (0x0020, 0x0032),
    (0x0020, 0x0037),
    (0x0028, 0x0030),
    (0x0028, 0x0010),
    (0x0028, 0x0011),
)


def prepare(folder: Path) -> None:
    """Write the files, mixed over the folders, and check that all series are found."""
    made = folder / "made"
    for number in range(1, SERIES + 1):
        factory.write(made / f"{number}", (64, 64, FILES), number=number)
    mixed = folder / "mixed"
    for number in range(FOLDERS):
        (mixed / f"{number:02d}").mkdir(parents=True)
    for index, path in enumerate(sorted(made.rglob("*.dcm"))):
        path.rename(mixed / f"{index % FOLDERS:02d}" / f"{index:05d}")
    for index in range(JUNK):
        junk = (b"a report, no image\n" * 400, b"\xff\xd8\xff\xe0" + bytes(9000))[index % 2]
        (mixed / f"{index % FOLDERS:02d}" / f"junk{index}.txt").write_bytes(junk)
    found = find_series(mixed)
    if len(found.series) != SERIES or any(one.grid is None for one in found.series):
        raise SystemExit("Not every series was found.")


def ours(folder: Path) -> Side:
    """List the series with grid, spacing and doubts."""
    return Side(lambda _: _drop(find_series(folder / "mixed")))


def _files(folder: Path) -> list[str]:
    return [str(path) for path in sorted((folder / "mixed").rglob("*")) if path.is_file()]


def with_gdcm(folder: Path) -> Side:
    """Read six tags of every file; nothing is sorted or placed."""
    import gdcm

    def run(_number: int) -> None:
        scanner = gdcm.Scanner()
        for group, element in TAGS:
            scanner.AddTag(gdcm.Tag(group, element))
        if not scanner.Scan(_files(folder)):
            raise SystemExit("GDCM could not scan the files.")

    return Side(run)


def with_pydicom(folder: Path) -> Side:
    """Read every header; nothing is sorted or placed."""
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    def run(_number: int) -> None:
        for path in _files(folder):
            try:
                ds = dcmread(path, stop_before_pixels=True)
            except InvalidDicomError:
                continue
            _drop([ds.get(tag) for tag in TAGS])

    return Side(run)


def with_simpleitk(name: str, folder: Path) -> Side:
    """List series by UID in every folder, as its manual does."""
    import SimpleITK

    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)

    def run(_number: int) -> None:
        for inner in sorted((folder / name).iterdir()):
            _drop(SimpleITK.ImageSeriesReader.GetGDCMSeriesIDs(str(inner)))

    return Side(run)


def _drop(_result: object) -> None:
    """Let go of a result: a side returns seconds or nothing."""


NAME = f"{SERIES * FILES + JUNK} files: {SERIES} series, {JUNK} other files, {FOLDERS} folders"
WORKS = (
    Work(
        NAME,
        ours,
        "GDCM Scanner, six tags",
        with_gdcm,
        2.5,
        3,
        unable="" if find_spec("gdcm") else "python-gdcm is not installed",
    ),
    Work(NAME, ours, "pydicom, stop_before_pixels", with_pydicom, 9, 2),
    Work(NAME, ours, "SimpleITK GetGDCMSeriesIDs", partial(with_simpleitk, "mixed"), None, 2),
)

if __name__ == "__main__":
    main(__file__, WORKS, prepare)
