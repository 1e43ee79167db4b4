"""The audit log: durable signed events and verification, against SQLite without signatures."""

from __future__ import annotations

import json
import sqlite3
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from _measure import Side, Work, main

if TYPE_CHECKING:
    from napari_medlabel.audit.format.event import Event

SINGLE = 100
BATCH = 100
BATCHES = 20


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


def verified(folder: Path) -> Side:
    """Check every line, link, seal and end of a log of 2,000 events with 400 seals."""
    from napari_medlabel.audit.check.verdict import Verdict
    from napari_medlabel.audit.check.verify import verify_log

    own = Path(mkdtemp(dir=folder))
    _filled(own)

    def run(_number: int) -> None:
        report = verify_log(own / "audit", state=own / "state")
        if report.verdict is not Verdict.GREEN:
            raise SystemExit("The log that was just written is not green.")

    return Side(run, calls=BATCH * BATCHES)


def _filled(own: Path) -> None:
    from napari_medlabel.audit.writer.place import open_log

    with open_log(own / "audit", state=own / "state") as opened:
        for n in range(0, BATCH * BATCHES, 5):
            opened.append_many([save_event(m) for m in range(n, n + 5)])


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
WORKS = (
    Work(
        "one event, signed and synced by itself",
        partial(log, 1, SINGLE),
        SQLITE,
        partial(table, 1, SINGLE),
        0.5,
        5,
    ),
    Work(
        "one event of 100 that are signed and synced together",
        partial(log, BATCH, BATCHES),
        SQLITE,
        partial(table, BATCH, BATCHES),
        0.2,
        5,
    ),
    Work(
        "verifying one event",
        verified,
        "SQLite integrity_check + json.loads of each row",
        checked,
        None,
        5,
    ),
)

if __name__ == "__main__":
    main(__file__, WORKS)
