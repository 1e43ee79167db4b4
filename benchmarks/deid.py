"""De-identifying the sample CT, against pydicom reading and writing the same files."""

from __future__ import annotations

import contextlib
import io
import secrets
import shutil
from pathlib import Path
from tempfile import mkdtemp

from _measure import Side, Work, main

from napari_medlabel import samples


def ours(folder: Path) -> Side:
    """Run ``medlabel deid`` with its log, in this process."""
    from napari_medlabel.cli.main import main as medlabel
    from napari_medlabel.deid.keys import make_key

    own = Path(mkdtemp(dir=folder))
    make_key(own / "project.key", secrets.token_bytes)
    source = str(samples.path("ct_abdomen"))

    def run(number: int) -> None:
        words = ["deid", source, str(own / f"out-{number}"), "--key", str(own / "project.key")]
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            code = medlabel([*words, "--audit", str(own / "audit")])
        if code:
            raise SystemExit("medlabel deid did not clean every file.")

    return Side(run)


def read_and_write(folder: Path) -> Side:
    """Read and write each file with pydicom, changing nothing."""
    from pydicom import dcmread

    own = Path(mkdtemp(dir=folder))
    files = sorted(p for p in samples.path("ct_abdomen").rglob("*.dcm"))

    def run(number: int) -> None:
        target = own / f"out-{number}"
        target.mkdir()
        for path in files:
            dcmread(path).save_as(target / path.name)

    return Side(run)


def copied(folder: Path) -> Side:
    """Copy the bytes: nothing can be faster that writes new files."""
    own = Path(mkdtemp(dir=folder))
    source = samples.path("ct_abdomen")

    def run(number: int) -> None:
        shutil.copytree(source, own / f"out-{number}")

    return Side(run)


NAME = "medlabel deid of the sample CT, 48 files, one process"
WORKS = (
    Work(NAME, ours, "pydicom dcmread + save_as, nothing changed", read_and_write, 0.33, 3),
    Work(NAME, ours, "shutil.copytree, the floor", copied, None, 3),
)

if __name__ == "__main__":
    main(__file__, WORKS)
