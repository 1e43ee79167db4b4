"""Cut the power of a file system again and again: ext4 on a loop device, shut down by ioctl.

``EXT4_IOC_SHUTDOWN`` without flushing the journal drops what is not on the disk, as a power
cut does; mounting again replays the journal. A kill -9 cannot test a sync: the page cache
survives it. An acknowledgement that races the cut does not count: a sync in flight may say
yes while the file system goes away.
"""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.disk import SystemClock, SystemIo
from napari_medlabel.errors import InputError
from tests.audit.bench import SAVE, Bench
from tests.audit.campaign.figure import Figure, is_cleared, reds

_SHUTDOWN, _NO_LOG_FLUSH = 0x8004587D, 2
_SIZE = 64 << 20


class Disk:
    """An ext4 of 64 MB in a file, on a loop device.

    Parameters
    ----------
    folder : Path
        Where the image and its mount point lie.
    """

    def __init__(self, folder: Path) -> None:
        self.image, self.mount = folder / "disk.img", folder / "mount"
        self.mount.mkdir(parents=True)
        with self.image.open("wb") as stream:
            stream.truncate(_SIZE)
        self._run("mkfs.ext4", "-q", "-F", str(self.image))
        self.attach()

    def attach(self) -> None:
        self._run("mount", "-o", "loop", str(self.image), str(self.mount))

    def detach(self) -> None:
        self._run("umount", str(self.mount))

    def cut(self) -> int:
        """Shut the file system down and return when that began, in monotonic ns."""
        fd = os.open(self.mount, os.O_RDONLY)
        try:
            moment = time.monotonic_ns()
            fcntl.ioctl(fd, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(fd)
        return moment

    def empty(self) -> None:
        for path in self.mount.iterdir():
            if path.name != "lost+found":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        os.sync()

    def _run(self, *command: str) -> None:
        subprocess.run(command, check=True, capture_output=True)


def why_not(folder: Path) -> str:
    """Return why no power can be cut here, or nothing."""
    if os.name != "posix" or os.geteuid() != 0:
        return "cutting the power of a loop device needs root"
    if not Path("/dev/loop-control").exists():
        return "there is no loop device"
    if not shutil.which("mkfs.ext4"):
        return "mkfs.ext4 is not installed"
    try:
        disk = Disk(folder)
        try:
            disk.cut()
        finally:
            disk.detach()
    except (OSError, subprocess.CalledProcessError) as err:
        return f"a loop device cannot be mounted or shut down here ({type(err).__name__})"
    shutil.rmtree(folder)
    return ""


Told = Callable[[int], None]


def _tell(pipe: int, number: int) -> None:
    os.write(pipe, struct.pack("<IQ", number, time.monotonic_ns()))


def acknowledged_before(disk: Disk, act: Callable[[Told], None], wait_s: float) -> int:
    """Let a child act, cut the power, mount again; return what it told before the cut."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            os.close(reader)
            act(partial(_tell, writer))
        os._exit(0)
    os.close(writer)
    time.sleep(wait_s)
    moment = disk.cut()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as stream:
        told = stream.read()
    disk.detach()
    disk.attach()
    whole = struct.iter_unpack("<IQ", told[: len(told) // 12 * 12])
    return max((number for number, at in whole if at < moment), default=0)


class _NoSync(SystemIo):
    def sync(self, fd: int) -> None:
        return

    def sync_folder(self, folder: Path) -> None:
        return


def campaign(folder: Path, cuts: int, *, control: bool = False) -> Figure:
    """Cut the power of `cuts` writing programs, log and memory on the disk that loses it."""
    rng = random.Random(11)  # noqa: S311 - times to wait, no secret
    what = "power cut while events are appended (ext4)"
    result = Figure(f"control: {what}, without sync" if control else what, control)
    disk, begun = Disk(folder), time.perf_counter()
    try:
        for _ in range(cuts):
            disk.empty()
            bench = Bench(disk.mount)
            io = _NoSync() if control else SystemIo()

            def write(told: Told, bench: Bench = bench, io: SystemIo = io) -> None:
                log = bench.open(io=io, clock=SystemClock())
                told(log.head.size)
                while True:
                    log.append_many([SAVE] * rng.choice((1, 1, 3, 20)))
                    told(log.head.size)

            number = acknowledged_before(disk, write, 0.03 + rng.random() * 0.12)
            rng.random()
            result.runs += 1
            result.acknowledged += number
            if number:
                _judge(bench, number, result)
    finally:
        disk.detach()
    result.seconds = time.perf_counter() - begun
    return result


def _judge(bench: Bench, acknowledged: int, result: Figure) -> None:
    try:
        report = verify_log(bench.root, state=bench.state)
    except InputError:
        result.lost += acknowledged  # the files themselves are gone
        return
    result.lost += max(0, acknowledged - report.events)
    if result.is_control:
        return
    result.alarms += reds(report)
    bench.open(io=SystemIo(), clock=SystemClock()).close()
    cleared = verify_log(bench.root, state=bench.state)
    result.alarms += reds(cleared)
    result.uncleared += not is_cleared(cleared)
