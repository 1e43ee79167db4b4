"""Writes a log of a million events, byte for byte as the program does, and verifies it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

EVENTS: Final = 1_000_000
SEALED: Final = 100
"""Events in a batch: one write, one seal."""

SESSIONS: Final = 250
"""A site-year of one workstation: a session each working day."""

_SITE: Final = "ward-3"
_WRITER: Final = "w0123456789abcdef"
_BEGIN_MS: Final = 1_767_600_000_000
_DAY_MS: Final = 86_400_000
_STEP_MS: Final = 7_000
_KEPT: Final = 500
"""Kept versions of masks that the events name in turn."""


def _templates() -> list[bytes]:
    """Return lines of a day's events, with blanks for what changes from line to line."""
    from napari_medlabel.audit.format.event import Actor, Event, ObjectRef
    from napari_medlabel.audit.format.record import Place, line_of

    subject, case = ("s1-" + "3b" * 16,), "sha256:" + "ca" * 32
    change = {"labels": [1, 2, 5], "voxels_added": 1832, "voxels_removed": 77}
    lines = []
    for number in range(_KEPT):
        old = ObjectRef(_mask(number), "old", "mask")
        new = ObjectRef(_mask(number + 1), "new", "mask")
        save = Event("mask.save", subject, (old, new), {**change, "slices": "112-140"})
        opened = Event(
            "volume.open",
            subject,
            (ObjectRef(case, "source", "volume"),),
            {"format": "dicom", "slices": 240, "rows": 512, "columns": 512, "modality": "CT"},
        )
        submit = Event("review.submit", subject, (new,), {"round": 1, "case": case})
        for event in (opened, save, save, submit):
            line = line_of(event, Actor("u1-9f86d081884c7d65"), Place(0, bytes(32), 0, 0))
            lines.append(
                line.replace(b"%", b"%%")
                .replace(b'"mono":0', b'"mono":%d')
                .replace(b'"prev":"' + b"A" * 43 + b'="', b'"prev":"%b"')
                .replace(b'"seq":0', b'"seq":%d')
                .replace(b"1970-01-01T00:00:00.000Z", b"%b")
            )
    return lines


def _mask(number: int) -> str:
    return f"sha256:{number % _KEPT:064x}"


def _lines(
    templates: list[bytes], opening: list[bytes], count: int, begin_ms: int
) -> Iterator[tuple[bytes, bytes]]:
    """Yield each line of a session with its leaf hash."""
    from binascii import b2a_base64

    from napari_medlabel.audit.format.merkle import leaf_hash
    from napari_medlabel.audit.format.record import time_text

    line = opening[0]
    leaf = leaf_hash(line)
    yield line, leaf
    for seq in range(1, count):
        at_ms = begin_ms + seq * _STEP_MS
        last = seq == count - 1
        line = (opening[1] if last else templates[seq % len(templates)]) % (
            seq * _STEP_MS * 1_000_000,
            b2a_base64(leaf, newline=False),
            seq,
            time_text(at_ms).encode(),
        )
        leaf = leaf_hash(line)
        yield line, leaf


def _session(root: Path, number: int, templates: list[bytes], before: object) -> object:
    """Write one session and return its head."""
    from napari_medlabel.audit.format import canonical
    from napari_medlabel.audit.format.event import Actor, Event
    from napari_medlabel.audit.format.layout import session_file
    from napari_medlabel.audit.format.merkle import Frontier
    from napari_medlabel.audit.format.record import Place, line_of
    from napari_medlabel.audit.format.seal import Head, SessionKey, to_base64
    from napari_medlabel.audit.format.ulid import ulid

    begin_ms = _BEGIN_MS + number * _DAY_MS
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(begin_ms // 1000))
    session = f"{stamp}-{ulid(begin_ms, number.to_bytes(10, 'big'))}"
    origin = f"medlabel.local/{_SITE}/{_WRITER}/{session}"
    key = SessionKey(origin, number.to_bytes(32, "big"))
    detail: dict[str, object] = {"origin": origin, "pub": to_base64(key.public)}
    if isinstance(before, Head):
        detail["prev_session"] = before.record()
    actor, count = Actor("u1-9f86d081884c7d65"), EVENTS // SESSIONS
    first = line_of(
        Event("session.open", detail=detail), actor, Place(0, bytes(32), begin_ms, 0)
    )
    close = line_of(Event("session.close"), actor, Place(0, bytes(32), 0, 0))
    blank = (
        close.replace(b'"mono":0', b'"mono":%d')
        .replace(b"A" * 43 + b"=", b"%b")
        .replace(b'"seq":0', b'"seq":%d')
        .replace(b"1970-01-01T00:00:00.000Z", b"%b")
    )
    tree, sealed, out, head = Frontier(), 0, [], Head(origin, 0, bytes(32))
    for line, leaf in _lines(templates, [first, blank], count, begin_ms):
        out.append(line)
        tree.add(leaf)
        if tree.size % SEALED == 0 or tree.size == count:
            head = Head(origin, tree.size, tree.root())
            seal = {
                "from": sealed,
                "root": to_base64(head.root),
                "sig": to_base64(key.sign(head)),
                "size": head.size,
            }
            out.append(canonical.encode({"seal": seal}))
            sealed = head.size
    path = root / session_file(origin)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\n".join(out) + b"\n")
    return head


def write(folder: Path) -> Path:
    """Write the log, once, and return its folder."""
    from napari_medlabel.audit.format.layout import object_file

    root = folder / "million"
    if root.is_dir():
        return root
    templates, head = _templates(), None
    for number in range(_KEPT):
        path = root / object_file(_mask(number))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for number in range(SESSIONS):
        head = _session(root, number, templates, head)
    return root


def verify(folder: Path) -> float:
    """Verify the log, every signature, and return the CPU seconds."""
    from napari_medlabel.audit.check.verify import verify_log

    root = write(folder)
    begun = time.process_time()
    report = verify_log(root, state=None)
    seconds = time.process_time() - begun
    # Of the last session nobody else remembers the end; nobody certified the workstation.
    codes = {finding.code for finding in report.findings}
    if report.events != EVENTS or codes != {"UNREMEMBERED", "UNCERTIFIED"}:
        raise SystemExit(f"The log that was just written has other findings: {sorted(codes)}.")
    return seconds


def measured(folder: Path) -> dict[str, float]:
    """Return CPU seconds and peak memory (MB) of verifying in a process of its own, once."""
    kept = folder / "million.json"
    if not kept.is_file():
        write(folder)
        command = [sys.executable, str(Path(__file__)), str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
        kept.write_text(done.stdout)
    found: dict[str, float] = json.loads(kept.read_text())
    return found


if __name__ == "__main__":
    from _measure import peak_mb

    print(json.dumps({"cpu_s": verify(Path(sys.argv[1])), "peak_mb": peak_mb()}))
