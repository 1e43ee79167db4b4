"""De-identifying a CT series of 500 slices, in CPU seconds, against copying and other tools."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

from _measure import Side, Work, main
from deid_series import SLICES, make_series

SERIES = "ct"


def in_process(folder: Path, work: Callable[[Path, Path], object]) -> Side:
    """Return a side that does some work in this process and counts its CPU seconds."""
    own = Path(mkdtemp(dir=folder))

    def run(number: int) -> float:
        target = own / f"out-{number}"
        start = time.process_time()
        work(folder / SERIES, target)
        taken = time.process_time() - start
        shutil.rmtree(target)
        return taken

    return Side(run)


SCRIPT = str(Path(sys.executable).with_name("dicom-anonymizer"))


def started(folder: Path, command: Sequence[str]) -> Side:
    """Return a side that starts a program with ``SRC`` and ``DST`` put in; its CPU seconds."""
    import resource

    own = Path(mkdtemp(dir=folder))

    def run(number: int) -> float:
        target = own / f"out-{number}"
        if command[0] in ("gdcmanon", SCRIPT):
            target.mkdir()
        places = {"SRC": str(folder / SERIES), "DST": str(target), "PEM": str(folder / "c.pem")}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([places.get(w, w) for w in command], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if len(list(target.rglob("*.dcm"))) != SLICES:
            raise SystemExit(f"{command[0]} did not write every file.")
        shutil.rmtree(target)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return Side(run)


def spliced(source: Path, target: Path, *, search: bool) -> None:
    """Clean each file with the engine that a batch uses."""
    from napari_medlabel.deid.dicom_file import write_clean
    from napari_medlabel.deid.profile import load_profile
    from napari_medlabel.deid.pseudonyms import Pseudonyms

    target.mkdir()
    profile, pseudonyms = load_profile(), Pseudonyms(bytes(range(32)))
    for path in sorted(source.iterdir()):
        write_clean(path, target / path.name, profile, pseudonyms, sync=False, search=search)


def command_line(source: Path, target: Path) -> None:
    """Run ``medlabel deid`` with its log."""
    from napari_medlabel.cli.main import main as medlabel
    from napari_medlabel.deid.keys import make_key

    own = Path(mkdtemp(dir=target.parent))
    make_key(own / "project.key", secrets.token_bytes)
    words = ["deid", str(source), str(target), "--key", str(own / "project.key")]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = medlabel([*words, "--audit", str(own / "audit")])
    if code:
        raise SystemExit("medlabel deid did not clean every file.")


def read_and_write(source: Path, target: Path) -> None:
    """Read and write each file with pydicom, changing nothing."""
    from pydicom import dcmread

    target.mkdir()
    for path in source.iterdir():
        dcmread(path).save_as(target / path.name)


def prepare(folder: Path) -> None:
    """Make the series, and a certificate where gdcmanon wants one."""
    make_series(folder / SERIES)
    if shutil.which("gdcmanon") and shutil.which("openssl"):
        words = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -days 2 -keyout"
        files = [str(folder / "k.pem"), "-out", str(folder / "c.pem")]
        subprocess.run([*words.split(), *files], check=True, capture_output=True)


def missing(*programs: str) -> str:
    """Return why a peer cannot run here; empty when it can."""
    absent = [name for name in programs if shutil.which(name) is None]
    return f"{absent[0]} is not installed" if absent else ""


ENGINE, SEARCHED = "the engine, no search in what it wrote", "the engine, output searched"
ours = {
    ENGINE: partial(in_process, work=partial(spliced, search=False)),
    SEARCHED: partial(in_process, work=partial(spliced, search=True)),
    "medlabel deid, with its log": partial(in_process, work=command_line),
}
COPY = partial(started, command=("cp", "-r", "SRC", "DST"))
GDCM = partial(started, command=("gdcmanon", "-e", "-r", "-c", "PEM", "-i", "SRC", "-o", "DST"))
ANONYMIZER = partial(started, command=(SCRIPT, "SRC", "DST"))
NO_ANONYMIZER = (
    "" if importlib.util.find_spec("dicomanonymizer") else "dicom-anonymizer is not installed"
)
NO_GDCM = missing("gdcmanon", "openssl")
PYDICOM = partial(in_process, work=read_and_write)


def row(
    name: str, peer: str, theirs: Callable[[Path], Side], goal: float | None, unable: str
) -> Work:
    """Return one comparison of CPU seconds for the series."""
    return Work(f"{SLICES} slices: {name}", ours[name], peer, theirs, goal, 3, unable=unable)


WORKS = (
    row(ENGINE, "cp -r", COPY, 1 / 3, missing("cp")),
    row(ENGINE, "gdcmanon -e", GDCM, 1.0, NO_GDCM),
    row(SEARCHED, "gdcmanon -e", GDCM, 0.5, NO_GDCM),
    row(SEARCHED, "dicom-anonymizer, its start included", ANONYMIZER, 20, NO_ANONYMIZER),
    row(SEARCHED, "pydicom dcmread + save_as, nothing changed", PYDICOM, 1.0, ""),
    row("medlabel deid, with its log", "pydicom, nothing changed", PYDICOM, 1.0, ""),
)

if __name__ == "__main__":
    main(__file__, WORKS, prepare)
