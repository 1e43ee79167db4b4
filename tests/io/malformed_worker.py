"""Opens each broken input in a process of its own; tells what came, how long, how much memory.

Run as ``python -m tests.io.malformed_worker FOLDER``: one line of JSON for each case.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import resource
import shutil
import signal
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from tests.io.malformed import Case, all_cases

KILLED_S = 15


def say(row: Any) -> None:
    """Print a line of JSON at once."""
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


def main(root: Path, only: str = "") -> None:
    """Build and try every case below a folder.

    Parameters
    ----------
    root : Path
        An empty folder.
    only : str
        Part of the names of those to try; all when empty.
    """
    _import_all()
    for number, case in enumerate(all_cases()):
        if only not in case.name:
            continue
        folder = root / f"{number:03d}"
        folder.mkdir()
        path = case.build(folder)
        say({"name": case.name, **_forked(case, path, folder)})
        for inner in folder.glob("*/"):
            inner.chmod(0o700)
        shutil.rmtree(folder)


def _import_all() -> None:
    """Import what readers import late, so that no case pays for it."""
    import imagecodecs
    import isal.igzip
    import nibabel
    import pydicom.pixels
    import SimpleITK

    from napari_medlabel.cli.main import build_parser

    build_parser()
    imagecodecs.jpeg2k_check(b"")
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    # The first reading imports the rest.
    with tempfile.TemporaryDirectory() as name:
        whole = (c for c in all_cases() if c.name.startswith("whole") or "big endian" in c.name)
        for number, case in enumerate(whole):
            folder = Path(name, f"{number}")
            folder.mkdir()
            _volumes(case.build(folder))
    _ = (isal.igzip, nibabel, pydicom.pixels)


def _forked(case: Case, path: Path, folder: Path) -> dict[str, Any]:
    size = sum(f.lstat().st_size for f in folder.rglob("*") if f.is_file())
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(read)
            with os.fdopen(write, "w") as stream:
                stream.write(json.dumps(_tried(case, path)))
            status = 0
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read) as stream:
        told = stream.read()
    os.waitpid(child, 0)
    found: dict[str, Any] = json.loads(told) if told else {"died": True}
    return {**found, "size_mb": size / 1e6}


def _tried(case: Case, path: Path) -> dict[str, Any]:
    """Run ``medlabel info`` and read all series; in the child."""
    from napari_medlabel.cli.main import main as medlabel

    signal.alarm(KILLED_S)
    _reset_peak()
    before = _status("VmRSS")
    began = _cpu_s()
    out, err = io.StringIO(), io.StringIO()
    lines = _Lines()
    logging.getLogger().addHandler(lines)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = medlabel(["info", str(path)])
    informed = _cpu_s()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        read = _volumes(path)
    seconds = max(informed - began, _cpu_s() - informed)
    return {
        "code": code,
        "out": out.getvalue(),
        "err": err.getvalue(),
        "seconds": seconds,
        "peak_mb": _status("VmHWM") - before,
        "logged": [*lines.found, *(str(one.message) for one in told)],
        **_shown(case, read),
    }


class _Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record.getMessage())


def _volumes(path: Path) -> tuple[list[Any], list[tuple[str, str]], str]:
    """Read all series; return volumes, (message, hint) of refusals, and a fault."""
    from napari_medlabel.errors import MedlabelError
    from napari_medlabel.io.registry import find_series, read_volume

    volumes, refused = [], []
    try:
        survey = find_series(path)
        if not survey.series:
            read_volume(path)
        for one in survey.series:
            try:
                volumes.append(read_volume(path, series=one.key))
            except MedlabelError as err:
                refused.append((err.message, err.hint))
    except MedlabelError as err:
        refused.append((err.message, err.hint))
    except OSError as err:
        return volumes, [*refused, ("OSError", "")], f"{type(err).__name__}"
    except Exception as err:  # noqa: BLE001 - that is what is looked for
        return volumes, refused, f"{type(err).__name__}: {err}"
    return volumes, refused, ""


def _shown(case: Case, read: tuple[list[Any], list[tuple[str, str]], str]) -> dict[str, Any]:
    volumes, refused, fault = read
    return {
        "volumes": len(volumes),
        "refused": refused,
        "fault": fault,
        "warnings": [text for volume in volumes for text in volume.warnings],
        "missed": [ras for ras, want in case.probes if not _holds(volumes, ras, want)],
    }


def _holds(volumes: list[Any], ras: tuple[float, ...], want: float) -> bool:
    for volume in volumes:
        index = np.linalg.inv(volume.grid.affine.matrix) @ (*ras, 1)
        near = np.round(index[:3]).astype(int)
        if np.abs(index[:3] - near).max() > 0.02:
            continue
        if (near >= 0).all() and (near < volume.grid.shape).all():
            further = volume.further
            held = volume.array if further is None else np.asarray(further.array)
            if np.any(held[tuple(near)] == want):
                return True
    return False


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _status(name: str) -> float:
    """Return a size from the system's account of this process, in MB; 0 where it has none."""
    path = Path("/proc/self/status")
    if not path.is_file():
        return 0.0
    for line in path.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def _reset_peak() -> None:
    path = Path("/proc/self/clear_refs")
    if path.is_file():
        with contextlib.suppress(OSError):
            path.write_text("5")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
