"""Take over what a sealed event says about other sessions, masks and the log itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from napari_medlabel.audit.check.verdict import Batch, Opening, Pruning, SessionReport
from napari_medlabel.audit.format.catalogue import EVENTS
from napari_medlabel.audit.format.record import time_ms
from napari_medlabel.audit.format.seal import Head, from_base64

KEPT: Final = frozenset({"mask.save", "mask.restore"})
"""Events that put one mask in the place of another, which must have been kept."""

TOLD: Final = frozenset(
    {name for name, spec in EVENTS.items() if spec.anchors}
    | {"batch.open", "retention.prune", "tamper.found", "audit.fail"}
)
"""Events whose detail says something about the log."""

_OLD_MASK: Final = re.compile(rb'"id":"sha256:([0-9a-f]{64})","role":"old","type":"mask"')
_NOTED: Final[Mapping[str, tuple[Any, str, str]]] = {
    "tamper.found": (
        "amber",
        "FOUND",
        "Here the program itself noted that an earlier session had been altered.",
    ),
    "audit.fail": (
        "note",
        "FAILED",
        "The session before this one could not be written to its end; the log went on here.",
    ),
}


def head_of(item: Mapping[str, Any]) -> Head:
    """Return the head in a detail."""
    return Head(item["origin"], item["size"], from_base64(item["root"], 32))


def _heads(detail: Mapping[str, Any], key: str) -> tuple[Head, ...]:
    value = detail.get(key, [])
    return tuple(head_of(item) for item in (value if isinstance(value, list) else [value]))


def _raw(detail: Mapping[str, Any], key: str, length: int) -> bytes | None:
    return from_base64(detail[key], length) if key in detail else None


def opening_of(record: Mapping[str, Any]) -> Opening:
    """Return what a checked ``session.open`` says."""
    detail, actor = record["detail"], record["actor"]
    previous = _heads(detail, "prev_session")
    return Opening(
        public=from_base64(detail["pub"], 32),
        previous=previous[0] if previous else None,
        install=_raw(detail, "install", 32),
        cert=_raw(detail, "cert", 68),
        policy=detail.get("policy", ""),
        spool=detail.get("spool", False),
        role=actor["role"],
        user=actor["user"],
        tool=detail.get("tool", ""),
        validation=detail.get("validation", ""),
    )


def _batch(number: int, event: str, detail: Mapping[str, Any]) -> Batch:
    if event == "batch.open":
        return Batch(number, closed=False, expected=_heads(detail, "children"))
    return Batch(
        number,
        closed=True,
        expected=_heads(detail, "expected"),
        actual=_heads(detail, "actual"),
    )


def believe(report: SessionReport, number: int, record: Mapping[str, Any]) -> None:
    """Take over what a sealed event says about other sessions and about the log.

    Parameters
    ----------
    report : SessionReport
        Of the session that it stands in; gets it.
    number : int
        Line.
    record : mapping
        Checked record of an event of `TOLD`; others say nothing here.
    """
    event, detail = record["event"], record["detail"]
    for key in EVENTS[event].anchors:
        for head in _heads(detail, key):
            report.anchors.add(head, event, number, time_ms(record["time"]))
    if event == "session.open":
        report.opening = opening_of(record)
    elif event in {"batch.open", "batch.close"}:
        report.batches.append(_batch(number, event, detail))
    elif event == "retention.prune":
        days, signature = detail.get("policy_days", 0), _raw(detail, "signature", 68)
        heads = _heads(detail, "pruned")
        report.prunings.append(Pruning(number, heads, days, signature))
    if event in _NOTED:
        report.add(*_NOTED[event], number)


def replace(report: SessionReport, number: int, line: bytes) -> None:
    """Take over which masks a sealed event of `KEPT` put others in the place of."""
    for digest in _OLD_MASK.findall(line):
        report.replaced.add(number, digest.decode("ascii"))
