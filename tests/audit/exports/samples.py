"""One example of every event of the closed list, with every key of its detail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from napari_medlabel.audit.exports.entries import Entry, Session
from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.catalogue import EVENTS
from napari_medlabel.audit.format.event import Actor, Event, ObjectRef, Reason
from napari_medlabel.audit.format.record import Place, line_of
from napari_medlabel.audit.format.schema import Field
from napari_medlabel.audit.format.seal import to_base64

ORIGIN = "medlabel.local/ward-3/w0123456789abcdef/20261122T101403Z-01M81BZ8G20000000000000000"
USER = "u1-9f86d081884c7d65"
PATIENT, OTHER = "s1-" + "3b" * 16, "s1-" + "4c" * 16
OLD = ObjectRef("sha256:" + "cd" * 32, "old", "mask")
NEW = ObjectRef("sha256:" + "ab" * 32, "new", "mask")
SET = ObjectRef("sha256:" + "ef" * 32, "manifest", "dataset")
HEAD = {"origin": ORIGIN, "root": to_base64(bytes(32)), "size": 4}
NOON_MS = 1_795_348_800_000
_VALUES: tuple[object, ...] = (
    3, True, "", [1, 2], "sha256:" + "ab" * 32, "112-140", "0.1.0", "2026c", "k-0123abcd",
    "00100010", ["00100010"], ORIGIN, to_base64(bytes(32)), to_base64(bytes(68)), HEAD, [HEAD],
    USER,
    [{"content": "sha256:" + "ab" * 32, "slot": "A", "step": 3, "whole": "sha256:" + "c" * 64}],
)  # fmt: skip


def _value(field: Field) -> object:
    if field.kind.startswith("one of "):
        return field.kind.removeprefix("one of ").split(", ")[0]
    if ": one of " in field.kind:
        return [field.kind.split(": one of ")[1].split(", ")[0]]
    return next(value for value in _VALUES if field.accepts(value))


def entry(
    name: str,
    subject: tuple[str, ...] = (),
    objects: tuple[ObjectRef, ...] = (),
    detail: Mapping[str, object] | None = None,
    **more: Any,
) -> Entry:
    """Return an event as it comes out of a log."""
    event = Event(name, subject, objects, detail or {}, **more)
    raw = line_of(event, Actor(USER), Place(7, bytes(32), NOON_MS, 5))
    record: Any = canonical.decode(raw)
    return Entry("writers/w/2026/11/x.jsonl", 9, Session(ORIGIN, "0.1.0"), record)


def every_event() -> Iterator[Entry]:
    """Yield every event: without and with patients and contents, with least and most detail."""
    for name, spec in EVENTS.items():
        least = {key: _value(field) for key, field in spec.required.items()}
        most = {**least, **{key: _value(field) for key, field in spec.optional.items()}}
        reason = Reason("CORRECTION", "sha256:" + "ab" * 32)
        needed = reason if spec.needs_reason else None
        for outcome in spec.outcomes:
            yield entry(name, detail=least, reason=needed, outcome=outcome)
            yield entry(name, (PATIENT,), (OLD, NEW), most, reason=reason, outcome=outcome)
        yield entry(name, (PATIENT, OTHER), (NEW, SET), most, reason=needed)
