"""De-identifying a CT series of 500 slices, in CPU seconds, against copying and other tools.

Each side is a program from its start to its end; user and system time of it and of what it
starts are counted.
"""

from __future__ import annotations

import compileall
import importlib.metadata
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

from _measure import Side, Work, main
from deid_series import SLICES, make_series

SERIES, MIXED = "ct", "mixed"
HERE = Path(__file__).parent
DCMODIFY = (
    "dcmodify", "-nb", "-imt", "-ep", "-m", "PatientName=Anonymous", "-m", "PatientID=1",
    "-ma", "PatientBirthDate=", "-ma", "AccessionNumber=", "-ma", "ReferringPhysicianName=",
    "-ma", "InstitutionName=", "-ma", "PatientAddress=", "-ma", "(0010,1000)=",
    "-ma", "PatientComments=", "-gst", "-gse", "-gin",
)  # fmt: skip


def cpu_seconds(command: Sequence[str], *, strict: bool = True) -> float:
    """Run a program and return the CPU seconds of it and of all that it started."""
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if strict and process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}.")
    return used.ru_utime + used.ru_stime


def started(
    folder: Path, command: Sequence[str], *, name: str = SERIES, made: bool = False
) -> Side:
    """Return a side that starts a program.

    Parameters
    ----------
    folder : Path
        With the series.
    command : sequence of str
        With ``SRC``, ``DST``, ``PEM``, ``KEY`` and ``LOG`` where paths belong.
    name : str
        Which files it cleans.
    made : bool
        Whether it wants a target that exists.
    """
    own = Path(mkdtemp(dir=folder))

    def run(number: int) -> float:
        target = own / f"out-{number}"
        if made:
            target.mkdir()
        places = {
            "SRC": str(folder / name), "DST": str(target), "PEM": str(folder / "c.pem"),
            "KEY": str(folder / "project.key"), "LOG": str(own / f"log-{number}"),
        }  # fmt: skip
        words = [places.get(word, word) for word in command]
        taken = cpu_seconds(words, strict=name == SERIES)
        written = sum(path.suffix != ".json" for path in target.rglob("*") if path.is_file())
        if name == SERIES and written < SLICES:
            raise SystemExit(f"{command[0]} did not write every file.")
        shutil.rmtree(target)
        return taken

    return Side(run)


def edited(folder: Path) -> Side:
    """Return a side that edits a copy in place; making the copy is not counted."""
    own = Path(mkdtemp(dir=folder))

    def run(number: int) -> float:
        target = own / f"out-{number}"
        shutil.copytree(folder / SERIES, target)
        taken = cpu_seconds([*DCMODIFY, *map(str, sorted(target.iterdir()))])
        shutil.rmtree(target)
        return taken

    return Side(run)


def engine(folder: Path, *, scan: bool) -> None:
    """Run the engine in this process, for its peak of memory."""
    from deid_engine import main as clean

    target = Path(mkdtemp(dir=folder)) / "out"
    clean(folder / SERIES, target, scan=scan)
    shutil.rmtree(target)


def command_line(folder: Path) -> None:
    """Run ``medlabel deid`` in this process, for its peak of memory."""
    from napari_medlabel.cli.main import main as medlabel

    own = Path(mkdtemp(dir=folder))
    words = ["deid", str(folder / SERIES), str(own / "out"), "--audit", str(own / "log")]
    if medlabel([*words, "--key", str(folder / "project.key")]):
        raise SystemExit("medlabel deid did not clean every file.")
    shutil.rmtree(own)


def prepare(folder: Path) -> None:
    """Make the series, a key, pydicom's own files, and a certificate for gdcmanon.

    The package is compiled, as pip does: a checkout may be told not to keep bytecode.
    """
    from pydicom.data import get_testdata_file

    import napari_medlabel
    from napari_medlabel.deid.keys.key_file import make_key

    compileall.compile_dir(Path(napari_medlabel.__file__).parent, quiet=1)
    make_series(folder / SERIES)
    make_key(folder / "project.key", secrets.token_bytes)
    (folder / MIXED).mkdir()
    shipped = Path(str(get_testdata_file("CT_small.dcm", download=False))).parent
    for number, path in enumerate(sorted(shipped.rglob("*"))):
        if path.is_file() and path.suffix in {".dcm", ""}:
            shutil.copyfile(path, folder / MIXED / f"{number:03}.dcm")
    if not NO_GDCM:
        words = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -days 2 -keyout"
        files = [str(folder / "k.pem"), "-out", str(folder / "c.pem")]
        subprocess.run([*words.split(), *files], check=True, capture_output=True)


def missing(*programs: str) -> str:
    """Return why a peer cannot run here; empty when it can."""
    absent = [name for name in programs if shutil.which(name) is None]
    return f"{absent[0]} is not installed" if absent else ""


def not_installed(package: str) -> str:
    """Return why a package of Python cannot run here; empty when it can."""
    try:
        importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return f"{package} is not installed"
    return ""


PYTHON, ANONYMIZER = sys.executable, str(Path(sys.executable).with_name("dicom-anonymizer"))
OTHERS = str(HERE / "deid_others.py")
CLEAN = (PYTHON, str(HERE / "deid_engine.py"), "SRC", "DST")
CLI = (PYTHON, "-m", "napari_medlabel", "deid", "SRC", "DST", "--key", "KEY", "--audit", "LOG")
ALONE, SCANNED, COMMAND = (
    "the engine without the scan",
    "the engine and the independent scan",
    "medlabel deid, with scan and log",
)
Maker = Callable[[Path], Side]
OURS: dict[str, tuple[Maker, Callable[[Path], object]]] = {
    ALONE: (partial(started, command=CLEAN), partial(engine, scan=False)),
    SCANNED: (partial(started, command=(*CLEAN, "--scan")), partial(engine, scan=True)),
    COMMAND: (partial(started, command=CLI), command_line),
}
NO_GDCM = missing("gdcmanon", "openssl")
NO_WAIT = "" if hasattr(os, "wait4") else "this system cannot count a process's CPU seconds"
COPY = partial(started, command=("cp", "-r", "SRC", "DST"))
GDCM = partial(
    started,
    command=("gdcmanon", "-e", "-r", "-c", "PEM", "-i", "SRC", "-o", "DST"),
    made=True,
)
PEERS: dict[str, tuple[Maker, str]] = {
    "cp -r": (COPY, missing("cp")),
    "gdcmanon -e": (GDCM, NO_GDCM),
    "dcmodify, 16 edits in place": (edited, missing("dcmodify")),
    "pydicom, nothing changed": (
        partial(started, command=(PYTHON, OTHERS, "noop", "SRC", "DST")),
        "",
    ),
    "dicom-anonymizer": (
        partial(started, command=(ANONYMIZER, "SRC", "DST"), made=True),
        not_installed("dicom-anonymizer"),
    ),
    "dicognito": (
        partial(started, command=(PYTHON, "-m", "dicognito", "-q", "SRC", "-o", "DST")),
        not_installed("dicognito"),
    ),
    "deid": (
        partial(started, command=(PYTHON, OTHERS, "deid", "SRC", "DST")),
        not_installed("deid"),
    ),
}
GOALS: dict[tuple[str, str], float] = {
    (ALONE, "cp -r"): 1 / 3,
    (ALONE, "gdcmanon -e"): 1.0,
    (SCANNED, "gdcmanon -e"): 0.5,
    (SCANNED, "dicom-anonymizer"): 20,
    (COMMAND, "gdcmanon -e"): 0.5,
    (COMMAND, "pydicom, nothing changed"): 1.0,
}
SLOW = frozenset({"dicom-anonymizer", "dicognito", "deid"})


def row(name: str, peer: str) -> Work:
    """Return one comparison of CPU seconds for the series."""
    ours, inside = OURS[name]
    theirs, unable = PEERS[peer]
    return Work(
        f"{SLICES} slices: {name}",
        ours,
        peer,
        theirs,
        GOALS.get((name, peer)),
        1 if peer in SLOW else 3,
        inside,
        unable=NO_WAIT or unable,
    )


def mixed() -> Work:
    """Return the comparison for the files that ship with pydicom."""
    theirs = partial(started, command=(PYTHON, OTHERS, "noop", "SRC", "DST"), name=MIXED)
    return Work(
        f"pydicom's own files: {SCANNED}",
        partial(started, command=(*CLEAN, "--scan"), name=MIXED),
        "pydicom, nothing changed",
        theirs,
        None,
        3,
        partial(engine, scan=True),
        unable=NO_WAIT,
    )


WORKS = (
    *(row(ALONE, peer) for peer in ("cp -r", "gdcmanon -e")),
    *(row(SCANNED, peer) for peer in PEERS if peer != "cp -r"),
    *(row(COMMAND, peer) for peer in ("gdcmanon -e", "pydicom, nothing changed")),
    mixed(),
)

if __name__ == "__main__":
    main(__file__, WORKS, prepare)
