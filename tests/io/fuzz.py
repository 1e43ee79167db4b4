"""Changes valid files at random and reads them: a volume or a refusal in words, nothing else.

Run as ``python -m tests.io.fuzz FOLDER SECONDS [SEED]``: one line of JSON for each finding.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import resource
import shutil
import signal
import struct
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.io import (
    formats,
    malformed_codecs,
    malformed_dicom,
    malformed_files,
    malformed_system,
)
from tests.io.malformed import SECRETS, block

LIMIT_S = 2
MEMORY_BYTES = 1 << 30
_NUMBERS = (0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000)
_SPREAD = 1_000_000


class TooSlowError(BaseException):
    """A reading took longer than it may; no reader's handler may catch it."""


def seeds() -> dict[str, tuple[str, bytes, Callable[[bytes], bytes]]]:
    """Return small valid files: name on the disk, bytes to change, what is done with them."""
    one = malformed_dicom.encoded(malformed_dicom.datasets(1)[0])
    found: dict[str, tuple[str, bytes, Callable[[bytes], bytes]]] = {
        "DICOM": ("a.dcm", one, bytes),
        "deflated": ("a.dcm", malformed_codecs.deflated(one), bytes),
        "DICOM, then deflated": ("a.dcm", one, malformed_codecs.deflated),
        "archive": ("a.zip", malformed_system.zipped([("a.dcm", one)]), bytes),
        "DICOM in an archive": ("a.zip", one, _zipped),
        "NIfTI": ("a.nii", bytes(malformed_files.nifti()), bytes),
        "NIfTI in gzip": ("a.nii.gz", bytes(malformed_files.nifti()), _packed),
        "gzip": ("a.nii.gz", _packed(bytes(malformed_files.nifti())), bytes),
        "NRRD": ("a.nrrd", malformed_files.nrrd(), bytes),
        "MetaImage": ("a.mha", malformed_files.mha(), bytes),
    }
    for words, uid in (
        ("RLE", malformed_codecs.RLE),
        ("JPEG 2000", malformed_codecs.J2K),
        ("JPEG-LS", malformed_codecs.JPEG_LS),
        ("lossless JPEG", malformed_codecs.LOSSLESS),
    ):
        stream = malformed_codecs.coded(uid, block()[0])
        items = malformed_codecs.NO_OFFSETS + malformed_codecs.item(stream)
        whole = malformed_codecs.encapsulated(uid, items + malformed_codecs.END)
        found[words] = ("a.dcm", whole, bytes)
    return found


def more_seeds(folder: Path) -> dict[str, tuple[str, bytes, Callable[[bytes], bytes]]]:
    """Return those that are made through a file."""
    array, affine = block().T.copy(), np.diag([0.7, 0.8, 2.5, 1.0])
    found: dict[str, tuple[str, bytes, Callable[[bytes], bytes]]] = {}
    for kind in formats.KINDS:
        if kind.name in ("DICOM enhanced", "NIfTI-2"):
            path = kind.write(folder, array, affine)
            found[kind.name] = (path.name, path.read_bytes(), bytes)
    return found


def _zipped(data: bytes) -> bytes:
    return malformed_system.zipped([("a.dcm", data)])


def _packed(data: bytes) -> bytes:
    return gzip.compress(data, 1, mtime=0)


@st.composite
def changes(draw: Any) -> list[tuple[str, int, int, bytes]]:
    """Return what is done to a file: (what, where, how much, bytes)."""
    one = st.tuples(
        st.sampled_from(("flip", "number", "cut", "insert", "delete", "swap", "again")),
        st.one_of(st.integers(0, _SPREAD), st.integers(0, _SPREAD // 4)),
        st.one_of(st.integers(0, 16), st.integers(0, len(_NUMBERS) - 1), st.integers(0, 255)),
        st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from(_WORDS)),
    )
    return list(draw(st.lists(one, min_size=1, max_size=4)))


_WORDS = (
    b"\xff\xff\xff\xff",
    b"\xfe\xff\x00\xe0",
    b"\xfe\xff\xdd\xe0\0\0\0\0",
    b"SQ\0\0\xff\xff\xff\xff",
    b"\x00\x00\xc0\x7f",
    b"\x00\x00\x80\x7f",
    b"nan",
    b"-1",
    b"99999999999999999999",
)


def changed(data: bytes, steps: list[tuple[str, int, int, bytes]]) -> bytes:
    """Return the bytes with the changes made."""
    for what, where, amount, content in steps:
        at = where * len(data) // (_SPREAD + 1)
        data = _STEPS[what](data, at, amount, content)
    return data


def _flip(data: bytes, at: int, amount: int, _: bytes) -> bytes:
    return data[:at] + bytes(b ^ (amount or 1) for b in data[at : at + 1]) + data[at + 1 :]


def _number(data: bytes, at: int, amount: int, _: bytes) -> bytes:
    new = struct.pack("<I", _NUMBERS[amount % len(_NUMBERS)])
    width = 2 if amount % 2 else 4
    return data[:at] + new[:width] + data[at + width :]


def _cut(data: bytes, at: int, _amount: int, _: bytes) -> bytes:
    return data[:at]


def _insert(data: bytes, at: int, _amount: int, content: bytes) -> bytes:
    return data[:at] + content + data[at:]


def _delete(data: bytes, at: int, amount: int, _: bytes) -> bytes:
    return data[:at] + data[at + amount :]


def _swap(data: bytes, at: int, amount: int, _: bytes) -> bytes:
    first, second = data[at : at + amount], data[at + amount : at + 2 * amount]
    return data[:at] + second + first + data[at + 2 * amount :]


def _again(data: bytes, at: int, amount: int, _: bytes) -> bytes:
    return data[: at + amount] + data[at : at + amount] * 3 + data[at + amount :]


_STEPS = {
    "flip": _flip,
    "number": _number,
    "cut": _cut,
    "insert": _insert,
    "delete": _delete,
    "swap": _swap,
    "again": _again,
}


def read(path: Path) -> None:
    """Read whatever is found; let nothing pass but refusals that name nobody.

    Raises
    ------
    Exception
        Whatever a reader let through.
    TooSlowError
        When it takes too long.
    AssertionError
        When a message quotes the file.
    """
    from napari_medlabel.errors import MedlabelError
    from napari_medlabel.io.registry import find_series, read_volume

    said = []
    try:
        survey = find_series(path)
        for one in survey.series:
            said += [*one.warnings, one.problem]
            try:
                said += read_volume(path, series=one.key).warnings
            except MedlabelError as err:
                said += [err.message, err.hint]
    except MedlabelError as err:
        said += [err.message, err.hint]
    if any(secret in text for secret in SECRETS for text in said):
        raise AssertionError("A message quotes the file.")


def _alarmed(_number: int, _frame: Any) -> None:
    raise TooSlowError


def hunt(
    name: str,
    made: tuple[str, bytes, Callable[[bytes], bytes]],
    folder: Path,
    end: float,
    start: int,
) -> dict[str, Any] | None:
    """Change one kind of file until the time is over; return what was found."""
    file, data, finish = made
    path = folder / file
    tried = 0

    @seed(start)
    @settings(
        max_examples=1_000_000,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(steps=changes())
    def one(steps: list[tuple[str, int, int, bytes]]) -> None:
        nonlocal tried
        if time.monotonic() > end:
            raise _OverError
        tried += 1
        path.write_bytes(finish(changed(data, steps)))
        signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
        try:
            read(path)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    try:
        one()
    except _OverError:
        return {"kind": name, "tried": tried}
    except (Exception, TooSlowError) as err:  # noqa: BLE001 - every kind is a finding
        places = traceback.extract_tb(err.__traceback__)
        inside = [
            f"{Path(p.filename).name}:{p.lineno}"
            for p in places
            if "napari_medlabel" in p.filename
        ]
        kept = folder / f"found-{name.replace(' ', '-')}-{path.name}"
        shutil.copy(path, kept)
        return {
            "kind": name,
            "tried": tried,
            "error": f"{type(err).__name__}: {err}"[:200],
            "where": inside[-1] if inside else "",
            "file": str(kept),
        }
    return {"kind": name, "tried": tried}


class _OverError(BaseException):
    """The time is over."""


def say(row: Any) -> None:
    """Print a line of JSON at once."""
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


def main(folder: Path, seconds: float, start: int | None = None) -> None:
    """Hunt in every kind of file, each in a fork.

    Parameters
    ----------
    folder : Path
        For the files; those with which something was found stay there.
    seconds : float
        In all.
    start : int, optional
        Seed; by chance when None.
    """
    warnings.simplefilter("ignore")
    found = {**seeds(), **more_seeds(folder)}
    start = random.SystemRandom().randrange(1 << 32) if start is None else start
    for path in folder.iterdir():
        path.unlink()
    for file, data, finish in found.values():  # imports what is imported late
        (folder / file).write_bytes(finish(data))
        read(folder / file)
    for name, made in found.items():
        own = folder / name.replace(" ", "-")
        own.mkdir()
        child = os.fork()
        if child == 0:
            _child(
                partial(hunt, name, made, own, time.monotonic() + seconds / len(found), start)
            )
        _, status = os.waitpid(child, 0)
        if status:
            row = {"kind": name, "error": f"the process ended with {status}", "file": str(own)}
            say(row)
    say({"seed": start})


def _child(work: Callable[[], Any]) -> None:
    status = 1
    try:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        limit = used + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        signal.signal(signal.SIGALRM, _alarmed)
        say(work())
        status = 0
    finally:
        os._exit(status)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), *map(int, sys.argv[3:]))
