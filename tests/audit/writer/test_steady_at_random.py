"""Whatever happens to the disks in whatever order, what was acknowledged is there."""

from __future__ import annotations

import errno
import json
import random
from contextlib import suppress
from pathlib import Path

import pytest

from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.writer import course
from napari_medlabel.audit.writer.steady import SteadyLog
from napari_medlabel.errors import LogError
from tests.audit.bench import Bench

ROUNDS = 60


class Story:
    """A log, and somebody who breaks things."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self.bench = bench
        self.dice = random.Random(seed)  # noqa: S311 - a story, not a key
        self.log: SteadyLog | None = None
        self.acknowledged: list[int] = []
        self.number = 0

    def _fails(self, call: str, number: int) -> None:
        if self.dice.random() < 0.02:
            raise OSError(errno.EIO, "no")

    def say(self) -> None:
        """Write an event, or hear that it was not written."""
        self.number += 1
        if self.log is None:
            try:
                self.log = self.bench.steady()
            except LogError:
                return
        event = Event("header.view", detail={"tags": self.number})
        if self.dice.random() < 0.2:
            event = Event(
                "export.begin", detail={"destination": "folder", "files": self.number}
            )
        try:
            self.log.append_many([event])
        except LogError:
            return
        if event.event == "export.begin":
            assert not self.log._course.condition.error
        self.acknowledged.append(self.number)

    def happen(self) -> None:
        """Let one of the things happen that happen to a computer."""
        happenings = (
            self._break_the_folder,
            self._break_everything,
            self._mend,
            self._mend,
            self._tire,
            self._recover,
            self._sleep_a_day,
            self._beat,
            self._kill,
            self._close,
        )
        self.dice.choice(happenings)()

    def _break_the_folder(self) -> None:
        code = self.dice.choice([errno.EIO, errno.ENOSPC])
        self.bench.io.broken = {self.bench.root: code}

    def _break_everything(self) -> None:
        self.bench.io.broken = {self.bench.root: errno.EIO, self.bench.state: errno.EIO}

    def _mend(self) -> None:
        self.bench.io.broken = {}

    def _tire(self) -> None:
        self.bench.io.fail = self._fails

    def _recover(self) -> None:
        self.bench.io.fail = lambda call, number: None

    def _sleep_a_day(self) -> None:
        self.bench.clock.mono += course.LONGEST_NS
        self.bench.clock.utc += course.LONGEST_NS // 1_000_000

    def _beat(self) -> None:
        if self.log is not None:
            self.log.beat()

    def _kill(self) -> None:
        if self.log is not None and self.log._course.log._open:
            self.log._course.log._let_go()
        self.log = None

    def _close(self) -> None:
        if self.log is not None:
            with suppress(LogError):
                self.log.close()
        self.log = None

    def end(self) -> None:
        """Let everything work again, and sit down once more."""
        self.bench.io.broken = {}
        self.bench.io.fail = lambda call, number: None
        if self.log is not None:
            self.log.close()
        with self.bench.steady():
            pass


def _written(root: Path) -> set[int]:
    found = set()
    for path in root.glob("writers/*/*/*/*.jsonl"):
        for line in path.read_bytes().splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if record.get("event") in ("header.view", "export.begin"):
                found.add(record["detail"].get("tags") or record["detail"].get("files"))
    return found


@pytest.mark.parametrize("seed", range(20))
def test_nothing_acknowledged_is_lost_and_nobody_is_accused(bench: Bench, seed: int) -> None:
    story = Story(bench, seed)
    for _ in range(ROUNDS):
        story.say()
        story.happen()
    story.end()
    assert set(story.acknowledged) <= _written(bench.root)
    assert story.acknowledged
    assert bench.doubts() == set()
    assert not list(bench.state.glob("spool/*/writers/*/*/*/*.jsonl"))
