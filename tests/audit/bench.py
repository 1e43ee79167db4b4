"""A small log on a clock that the test sets, and disks that fail when told to."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable
from pathlib import Path

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.disk import PRIVATE, SystemIo
from napari_medlabel.audit.format.event import Actor, Event, ObjectRef
from napari_medlabel.audit.writer.log import AuditLog
from napari_medlabel.audit.writer.seat import Identity, Seat
from napari_medlabel.audit.writer.steady import SteadyLog

WRITER = "w0123456789abcdef"
NEW = ObjectRef("sha256:" + "ab" * 32, "new", "mask")
OLD = ObjectRef("sha256:" + "cd" * 32, "old", "mask")
SAVE = Event(
    "mask.save",
    subject=("s1-" + "3b" * 16,),
    objects=(OLD, NEW),
    detail={"labels": [1, 2], "voxels_added": 18, "voxels_removed": 7, "slices": "112-140"},
)


class FakeClock:
    """Ten milliseconds pass at each look."""

    def __init__(self) -> None:
        self.utc = 1_795_342_443_000
        self.mono = 5_000_000_000

    def utc_ms(self) -> int:
        self.utc += 10
        return self.utc

    def mono_ns(self) -> int:
        self.mono += 10_000_000
        return self.mono


class FakeIo(SystemIo):
    """The system, without waiting for the disk, and with failures on demand."""

    def __init__(self) -> None:
        super().__init__()
        self._count = itertools.count()
        self.fail: Callable[[str, int], None] = lambda call, number: None
        self.most = 1 << 30
        self.calls = 0
        self.broken: dict[Path, int] = {}  # folder: error of whatever is done below it
        self.unmounted: set[Path] = set()  # folders that only open files lead to
        self._paths: dict[int, Path] = {}

    def _called(self, call: str) -> None:
        self.calls += 1
        self.fail(call, self.calls)

    def _reached(self, path: Path | None) -> None:
        for folder, code in self.broken.items():
            if path is not None and path.is_relative_to(folder):
                raise OSError(code, os.strerror(code))

    def _found(self, path: Path) -> None:
        if any(path.is_relative_to(folder) for folder in self.unmounted):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    def create(self, path: Path, mode: int = PRIVATE) -> int:
        self._called("create")
        self._reached(path)
        self._found(path)
        fd = super().create(path, mode)
        self._paths[fd] = path
        return fd

    def write(self, fd: int, data: bytes) -> int:
        self._called("write")
        self._reached(self._paths.get(fd))
        return super().write(fd, data[: self.most])

    def sync(self, fd: int) -> None:
        self._called("sync")
        self._reached(self._paths.get(fd))

    def sync_folder(self, folder: Path) -> None:
        self._called("sync_folder")
        self._reached(folder)
        self._found(folder)

    def confirm(self, fd: int, path: Path) -> None:
        self._reached(path)
        self._found(path)
        super().confirm(fd, path)

    def read_back(self, fd: int) -> bytes:
        self._reached(self._paths.get(fd))
        return super().read_back(fd)

    def close(self, fd: int) -> None:
        self._paths.pop(fd, None)
        super().close(fd)

    def random(self, count: int) -> bytes:
        return next(self._count).to_bytes(count, "big")


def failing(wanted: int, code: int = errno.EIO) -> Callable[[str, int], None]:
    """Return what lets the n-th call fail, and every later one succeed."""

    def fail(call: str, number: int) -> None:
        if number == wanted:
            raise OSError(code, os.strerror(code))

    return fail


class Bench:
    """A folder with a log and a memory."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "audit"
        self.state = folder / "state"
        self.clock = FakeClock()
        self.io = FakeIo()
        self.actor = Actor("u1-9f86d081884c7d65")

    def open(self, **more: object) -> AuditLog:
        given: dict[str, object] = {
            "site": "ward-3",
            "writer": WRITER,
            "actor": self.actor,
            "state": self.state,
            "clock": self.clock,
            "io": self.io,
        }
        return AuditLog.open(self.root, **{**given, **more})  # type: ignore[arg-type]

    def seat(self, identity: Identity | None = None) -> Seat:
        """Return where `steady` writes."""
        return Seat(
            self.root,
            self.state,
            "ward-3",
            WRITER,
            self.actor,
            self.clock,
            self.io,
            identity or Identity(),
        )

    def steady(self, identity: Identity | None = None) -> SteadyLog:
        """Open the log that goes on when its disk does not."""
        return SteadyLog(self.seat(identity))

    def doubts(self) -> set[str]:
        """Return what verification finds wrong with how the log was written.

        Not what it finds about keys, anchors elsewhere and kept masks, which a bench does
        not have, nor that sessions wait in the spool.
        """
        report = verify_log(self.root, state=self.state)
        found = {finding.code for finding in report.findings if finding.level != "note"}
        return found - {"OBJECT", "STALE", "TOFU", "UNCERTIFIED", "WAITING"}

    def session(self, events: int = 3) -> Path:
        """Write one closed session and return its file."""
        with self.open() as log:
            for _ in range(events):
                log.append_many([SAVE])
        return log.path
