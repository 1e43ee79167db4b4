"""Group commit: threads that come while the disk is busy share the next write."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from napari_medlabel.audit.faults import UnwritableError, log_error
from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.writer.group_commit import GroupCommit
from napari_medlabel.errors import LogError
from tests.audit.bench import SAVE


class Disk:
    """Counts writes; the first one waits until it is told to go on."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.error: BaseException | None = None
        self._next = 0

    def write(self, events: Sequence[Event]) -> int:
        if not self.sizes:
            self.entered.set()
            assert self.go_on.wait(10)
        self.sizes.append(len(events))
        if self.error is not None:
            raise self.error
        first, self._next = self._next, self._next + len(events)
        return first


def _three_wait(group: GroupCommit, disk: Disk) -> dict[str, int | BaseException]:
    """Let one thread write, and three more come meanwhile, each with two events."""
    results: dict[str, int | BaseException] = {}

    def work(name: str) -> None:
        try:
            results[name] = group.append([SAVE, SAVE])
        except (LogError, KeyboardInterrupt) as err:
            results[name] = err

    first = threading.Thread(target=work, args=("first",))
    first.start()
    assert disk.entered.wait(10)
    others = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in others:
        thread.start()
    while len(group._waiting) < 3:
        threading.Event().wait(0.001)
    disk.go_on.set()
    for thread in (first, *others):
        thread.join(10)
    return results


def test_threads_that_wait_share_one_write_and_learn_their_numbers() -> None:
    disk = Disk()
    results = _three_wait(GroupCommit(disk.write), disk)
    assert disk.sizes == [2, 6]
    assert results.pop("first") == 1
    assert sorted(results.values()) == [3, 5, 7]  # type: ignore[type-var]


def test_when_the_shared_write_fails_each_of_them_hears_of_it() -> None:
    disk = Disk()
    disk.error = log_error("The audit log could not be written", "EIO")
    results = _three_wait(GroupCommit(disk.write), disk)
    assert disk.sizes == [2, 6]
    assert all(isinstance(result, UnwritableError) for result in results.values())


def test_an_interrupt_of_one_thread_is_an_error_of_the_log_for_the_others() -> None:
    disk = Disk()
    disk.error = KeyboardInterrupt()
    results = _three_wait(GroupCommit(disk.write), disk)
    kinds = sorted(type(result).__name__ for result in results.values())
    assert kinds == ["KeyboardInterrupt"] * 2 + ["UnwritableError"] * 2


def test_one_thread_alone_writes_at_once() -> None:
    disk = Disk()
    disk.go_on.set()
    group = GroupCommit(disk.write)
    assert [group.append([SAVE]), group.append([SAVE, SAVE])] == [0, 2]
    assert disk.sizes == [1, 2]
    disk.error = log_error("The audit log could not be written", "EIO")
    with pytest.raises(UnwritableError):
        group.append([SAVE])
