"""Read a line of the log by one regular expression, where its bytes leave no doubt.

For each event of the closed list one expression is made from its `Spec`. It fits canonical
lines only, and only such as the full check accepts (`canonical.decode`, `check_record`). A
line that it does not fit is not wrong: the full check decides, and finds the words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Final, NamedTuple

from napari_medlabel.audit.format.catalogue import EVENTS
from napari_medlabel.audit.format.event import (
    MAX_REFS,
    OBJECT_ROLE,
    OBJECT_TYPE,
    REASON,
    ROLE,
    VERSION,
)
from napari_medlabel.audit.format.kinds import AUTH
from napari_medlabel.audit.format.record import time_ms
from napari_medlabel.audit.format.schema import (
    COUNT,
    DIGEST,
    ROOT,
    SUBJECT,
    USER,
    Field,
    group,
    many,
)
from napari_medlabel.audit.format.spec import Spec

_MINUTES: Final = 64  # minutes whose beginning is remembered: lines come in order of time
_NAME: Final = b'},"event":"'
_ACTOR: Final = group("", {"auth": AUTH, "role": ROLE, "user": USER})
_Match = Callable[[bytes], "re.Match[bytes] | None"]
_DAY: Final = b"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME: Final = b"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]" + rb"\.[0-9]{3}Z"


class LineFacts(NamedTuple):
    """What the chain needs of an event's line.

    Attributes
    ----------
    event : str
        Its name.
    seq : int
        Its number in the session.
    prev : bytes
        Base64 of the leaf hash before it.
    mono : int
        Nanoseconds since the session began.
    utc_ms : int
        Its time, milliseconds since 1970.
    """

    event: str
    seq: int
    prev: bytes
    mono: int
    utc_ms: int


def facts_of_record(record: Mapping[str, Any], utc_ms: int) -> LineFacts:
    """Return the same facts from a record that `check_record` has accepted.

    Parameters
    ----------
    record : mapping
        Decoded line.
    utc_ms : int
        What `check_record` returned.
    """
    return LineFacts(
        record["event"], record["seq"], record["prev"].encode("ascii"), record["mono"], utc_ms
    )


def _known(field: Field) -> bytes:
    """Return the pattern of a kind that has one."""
    if field.pattern is None:
        raise ValueError(f"no pattern says what a {field.kind} looks like")
    return field.pattern


def _detail(spec: Spec) -> bytes | None:
    """Return the pattern of a detail, or None where a required kind has none.

    Each key is followed by the comma before another key, or stands before the end.
    """
    parts = []
    for key, field in sorted({**spec.required, **spec.optional}.items()):
        if field.pattern is not None:
            part = b'"%b":%b(?:,(?=")|(?=\\}))' % (key.encode("ascii"), field.pattern)
            parts.append(part if key in spec.required else b"(?:%b)?" % part)
        elif key in spec.required:
            return None
    return rb"\{" + b"".join(parts) + rb"\}"


def _objects(spec: Spec, *, new: bool) -> bytes:
    """Return the pattern of the objects; whether one is old may decide about the action."""
    one = group("", {"id": DIGEST, "role": OBJECT_ROLE, "type": OBJECT_TYPE})
    objects = _known(many(one, MAX_REFS))
    if not spec.new_as:
        return objects
    # No ] stands inside the list.
    return rb'(?%b[^\]]*"role":"old")%b' % (b"!" if new else b"=", objects)


def _expression(name: str, spec: Spec, objects: bytes, coded: tuple[str, str]) -> bytes | None:
    """Return the expression of an event's lines; its groups are the facts of the line."""
    detail = _detail(spec)
    if detail is None:
        return None
    action, iso = (word.encode("ascii") for word in coded)
    reason = rb'"reason":\{"code":%b(?:,"ref":%b)?\},' % (_known(REASON), _known(DIGEST))
    parts = [
        rb'\{"action":"%b"' % action,
        b'"actor":' + _known(_ACTOR),
        rb'"dcm":\[%b\]' % b",".join(b'"%b"' % code.encode("ascii") for code in spec.dcm),
        b'"detail":' + detail,
        b'"event":"%b"' % re.escape(name).encode("ascii"),
        *([b'"iso":"%b"' % iso] if iso else []),
        b'"mono":(%b)' % _known(COUNT),
        b'"object":' + objects,
        b'"outcome":(?:%b)' % b"|".join(b"%d" % outcome for outcome in spec.outcomes),
        b'"prev":"(%b)"' % _known(ROOT)[1:-1],
        (reason if spec.needs_reason else b"(?:%b)?" % reason) + b'"seq":(%b)' % _known(COUNT),
        b'"subject":' + _known(many(SUBJECT, MAX_REFS)),
        b'"time":"(%b%b)"' % (_DAY, _TIME),
        rb'"v":%d\}' % VERSION,
    ]
    return b",".join(parts)


@lru_cache(maxsize=4 * len(EVENTS))
def _reader(name: bytes, action: bytes) -> tuple[str, _Match] | None:
    """Return an event's name and its expression, compiled when it is first met."""
    event = name.decode("ascii", "replace")
    spec = EVENTS.get(event)
    if spec is None:
        return None
    new = bool(spec.new_as) and action != spec.action.encode("ascii")
    coded = (spec.new_as[0], spec.new_as[1]) if new else (spec.action, spec.iso)
    if coded[0].encode("ascii") != action:
        return None
    expression = _expression(event, spec, _objects(spec, new=new), coded)
    return None if expression is None else (event, re.compile(expression).fullmatch)


class FastLines:
    """Reads lines of one file; remembers the minutes that it has seen.

    Parameters
    ----------
    after : int
        How many lines of an event this process leaves in doubt before it compiles what reads
        them at once: that takes as long as the full check of some 70 lines.
    """

    _met: ClassVar[dict[bytes, int]] = {}

    def __init__(self, after: int = 0) -> None:
        self._minutes: dict[bytes, int] = {}
        self._after = after

    def read(self, line: bytes) -> LineFacts | None:
        """Return the facts of a line without its line feed, or None where they are in doubt.

        Parameters
        ----------
        line : bytes
            Of any content.
        """
        start = line.find(_NAME) + len(_NAME)
        name = line[start : line.find(b'"', start)]
        if self._after and self._is_rare(name):
            return None
        reader = _reader(name, line[11:12])
        match = reader[1](line) if reader else None
        if reader is None or match is None:
            return None
        mono, prev, seq, time = match.groups()
        minute = time[:16]
        begin = self._minutes.get(minute)
        if begin is None:
            try:
                begin = time_ms(minute.decode("ascii") + ":00.000Z")
            except ValueError:
                return None  # no such day: for the full check to say
            if len(self._minutes) >= _MINUTES:
                self._minutes.clear()
            self._minutes[minute] = begin
        utc_ms = begin + 1000 * int(time[17:19]) + int(time[20:23])
        return LineFacts(reader[0], int(seq), prev, int(mono), utc_ms)

    def _is_rare(self, name: bytes) -> bool:
        met = self._met.get(name, 0)
        if met < self._after and len(self._met) < 4 * len(EVENTS):
            self._met[name] = met + 1
            return True
        return False
