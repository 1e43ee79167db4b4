"""The audit log: durable signed events and verification, against SQLite without signatures."""

from __future__ import annotations

import json
import multiprocessing
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import audit_million
from _measure import Side, Work, main

if TYPE_CHECKING:
    from napari_medlabel.audit.format.event import Event

SINGLE = 100
BATCH = 100
BATCHES = 20
EACH = 400
"""Events that each of several processes writes."""


def save_event(number: int) -> Event:
    """Return what a save writes."""
    from napari_medlabel.audit.format.event import Event, ObjectRef

    return Event(
        "mask.save",
        subject=("s1-" + "3b" * 16,),
        objects=(
            ObjectRef(f"sha256:{number:064x}", "old", "mask"),
            ObjectRef(f"sha256:{number + 1:064x}", "new", "mask"),
        ),
        detail={"labels": [1, 2], "voxels_added": 18, "voxels_removed": 7, "slices": "3-14"},
    )


def text(number: int) -> str:
    """Return the same event as the peer keeps it: one JSON text, about as long."""
    event = save_event(number)
    objects = [[ref.id, ref.role, ref.type] for ref in event.objects]
    document: dict[str, Any] = {
        "v": 1,
        "seq": number,
        "event": event.event,
        "subject": list(event.subject),
        "objects": objects,
        "detail": dict(event.detail),
        "time": "2026-01-01T00:00:00.000Z",
        "actor": "u1-9f86d081884c7d65",
    }
    return json.dumps(document)


def log(batch: int, batches: int, folder: Path) -> Side:
    """Append to one session; each call of append_many returns when all is on the disk."""
    from napari_medlabel.audit.writer.place import open_log

    own = Path(mkdtemp(dir=folder))
    opened = open_log(own / "audit", state=own / "state")

    def run(number: int) -> None:
        first = number * batch * batches
        for n in range(first, first + batch * batches, batch):
            opened.append_many([save_event(m) for m in range(n, n + batch)])

    return Side(run, done=opened.close, calls=batch * batches)


def table(batch: int, batches: int, folder: Path) -> Side:
    """Insert into a table; each commit returns when it is on the disk."""
    database = database_at(Path(mkdtemp(dir=folder)) / "log.sqlite")

    def run(number: int) -> None:
        first = number * batch * batches
        for n in range(first, first + batch * batches, batch):
            rows = [(text(m),) for m in range(n, n + batch)]
            with database:
                database.executemany("INSERT INTO log (event) VALUES (?)", rows)

    return Side(run, done=database.close, calls=batch * batches)


def database_at(path: Path) -> sqlite3.Connection:
    """Return an empty database that syncs at each commit."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE log (seq INTEGER PRIMARY KEY, event TEXT NOT NULL)")
    return database


def log_worker(folder: Path, start: Barrier, count: int) -> None:
    """Open a session of its own in a log that others write, too, and append to it."""
    from napari_medlabel.audit.writer.place import open_log

    with open_log(folder / "audit", state=folder / "state") as opened:
        start.wait()
        for number in range(count):
            opened.append_many([save_event(number)])
        start.wait()


def table_worker(folder: Path, start: Barrier, count: int) -> None:
    """Insert into a table that others insert into, too."""
    database = sqlite3.connect(folder / "log.sqlite", timeout=60)
    database.execute("PRAGMA synchronous=FULL")
    start.wait()
    for number in range(count):
        with database:
            database.execute("INSERT INTO log (event) VALUES (?)", (text(number),))
    start.wait()
    database.close()


def together(
    worker: Callable[[Path, Barrier, int], None], processes: int, folder: Path
) -> Side:
    """Let several processes write at once; timed from the first event to the last."""
    own = Path(mkdtemp(dir=folder))
    database_at(own / "log.sqlite").close()
    context = multiprocessing.get_context("spawn")

    def run(_number: int) -> float:
        start = context.Barrier(processes + 1, timeout=60)
        workers = [
            context.Process(target=worker, args=(own, start, EACH)) for _ in range(processes)
        ]
        for one in workers:
            one.start()
        start.wait()
        begun = time.perf_counter()
        start.wait()
        seconds = time.perf_counter() - begun
        for one in workers:
            one.join()
        return seconds

    return Side(run, calls=processes * EACH)


def a_million(key: str, folder: Path) -> Side:
    """Verify a million events in a process of its own."""
    return Side(lambda _number: audit_million.measured(folder)[key])


def at_most(limit: float, _folder: Path) -> Side:
    """Return a fixed number, to be compared with."""
    return Side(lambda _number: limit)


def verified(seals: int, folder: Path, *, quick: bool = False) -> Side:
    """Check every line, link, seal and end of a log of 2,000 events."""
    from napari_medlabel.audit.check.verdict import Verdict
    from napari_medlabel.audit.check.verify import verify_log

    own = Path(mkdtemp(dir=folder))
    _filled(own, BATCH * BATCHES // seals)

    def run(_number: int) -> None:
        report = verify_log(own / "audit", state=own / "state", quick=quick)
        if report.whole is Verdict.RED:
            raise SystemExit("The log that was just written is red.")

    return Side(run, calls=BATCH * BATCHES)


def _filled(own: Path, batch: int) -> None:
    from napari_medlabel.audit.writer.place import open_log

    with open_log(own / "audit", state=own / "state") as opened:
        for n in range(0, BATCH * BATCHES, batch):
            opened.append_many([save_event(m) for m in range(n, n + batch)])


def checked(folder: Path) -> Side:
    """Check the structure of the database and parse every event; changes go unseen."""
    database = database_at(Path(mkdtemp(dir=folder)) / "log.sqlite")
    with database:
        rows = [(text(n),) for n in range(BATCH * BATCHES)]
        database.executemany("INSERT INTO log (event) VALUES (?)", rows)

    def run(_number: int) -> None:
        database.execute("PRAGMA integrity_check").fetchall()
        for (event,) in database.execute("SELECT event FROM log ORDER BY seq"):
            json.loads(event)

    return Side(run, done=database.close, calls=BATCH * BATCHES)


SQLITE = "SQLite, WAL, synchronous=FULL, unsigned"
READ_BACK = "SQLite integrity_check + json.loads of each row"
WORKS = (
    Work(
        "one event, signed and synced by itself",
        partial(log, 1, SINGLE),
        SQLITE,
        partial(table, 1, SINGLE),
        0.9,
        9,
    ),
    *(
        Work(
            f"one event of {batch:,} that are signed and synced together",
            partial(log, batch, count),
            SQLITE,
            partial(table, batch, count),
            goal,
            5,
        )
        for batch, count, goal in ((10, 40, None), (100, 20, 0.2), (1000, 2, None))
    ),
    *(
        Work(
            f"one event of {processes} process(es) that write at once, each synced by itself",
            partial(together, log_worker, processes),
            f"{SQLITE}, one file",
            partial(together, table_worker, processes),
            goal,
            5,
        )
        for processes, goal in ((1, None), (2, None), (4, 3.0))
    ),
    Work(
        "verifying one event, a seal for every 5, every signature",
        partial(verified, 400),
        READ_BACK,
        checked,
        None,
        5,
    ),
    Work(
        "verifying one event, a seal for each, every signature",
        partial(verified, 2000),
        READ_BACK,
        checked,
        None,
        3,
    ),
    Work(
        "verifying one event, a seal for each, --quick",
        partial(verified, 2000, quick=True),
        READ_BACK,
        checked,
        None,
        3,
    ),
    Work(
        "verifying 1,000,000 events, a seal for every 100, every signature",
        partial(a_million, "cpu_s"),
        "the limit that was set",
        partial(at_most, 20.0),
        1.0,
        1,
        audit_million.verify,
        "s of CPU",
    ),
    Work(
        "memory for verifying 1,000,000 events",
        partial(a_million, "peak_mb"),
        "the limit that was set",
        partial(at_most, 100.0),
        1.0,
        1,
        audit_million.verify,
        "MB",
    ),
)

if __name__ == "__main__":
    main(__file__, WORKS, audit_million.write)
