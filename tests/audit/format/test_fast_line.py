"""The quick reading never takes what the full check refuses, and it takes what we write."""

from __future__ import annotations

import re
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.audit.format import canonical, fast_line, kinds, schema
from napari_medlabel.audit.format.catalogue import EVENTS
from napari_medlabel.audit.format.event import Actor, Event, ObjectRef, Reason
from napari_medlabel.audit.format.fast_line import FastLines, LineFacts, facts_of_record
from napari_medlabel.audit.format.record import Place, check_record, line_of
from napari_medlabel.audit.format.schema import Field
from napari_medlabel.audit.format.spec import Spec

_DIGEST = "sha256:" + "0f" * 32
_ACTOR = Actor("u1-9f86d081884c7d65")
_KINDS = {
    f"{module.__name__}.{name}": field
    for module in (schema, kinds)
    for name, field in vars(module).items()
    if isinstance(field, Field)
}
_HEAD = {
    "origin": "medlabel.local/a/w0123456789abcdef/20261122T101403Z-01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "root": "A" * 43 + "=",
    "size": 3,
}
_VALUES: list[object] = [
    "u1-9f86d081884c7d65",
    0, 1, 42, 10**14, -3, True, False, "", "112-140", "3,7-9", _DIGEST, "sha256:" + "a1" * 32,
    [], [1], [1, 2, 300], "00100010", ["00100010", "0020000D"], "2026c", "0.1.0", "3.11.7rc1",
    _HEAD, [_HEAD], [_HEAD, _HEAD], _HEAD["origin"], "A" * 43 + "=", "A" * 91 + "=",
    ["retain-uids"], ["retain-dates", "clean-pixels"], "k-292bac1d", "",
    [{"content": _DIGEST, "slot": "B", "step": 12, "whole": _DIGEST}],
]  # fmt: skip
_ODD: list[bytes] = [b"0", b"-", b",", b":", b'"', b"]", b"}", b"[", b"{", b"e", b".", b" ",
                     b"\x00", b"\xff", b"\n", b"\\"]  # fmt: skip


def _slow(line: bytes) -> LineFacts | None:
    try:
        record = canonical.decode(line)
        assert isinstance(record, dict)
        return facts_of_record(record, check_record(record))
    except (ValueError, AssertionError):
        return None


@pytest.mark.parametrize("kind", _KINDS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_what_fits_the_pattern_of_a_kind_is_canonical_and_of_that_kind(
    kind: str, data: st.DataObject
) -> None:
    field = _KINDS[kind]
    assert field.pattern is not None
    loose = re.sub(rb"\(\?=[^)]*\)", b"", field.pattern).replace(b"{0,255}", b"{0,3}")
    raw = data.draw(st.from_regex(loose, fullmatch=True))
    if re.fullmatch(field.pattern, raw):
        assert field.accepts(canonical.decode(raw)), raw


@cache
def _values_of(field: Field) -> list[object]:
    if field.kind.startswith("one of "):
        return list(field.kind.removeprefix("one of ").split(", "))
    return [value for value in _VALUES if field.accepts(value)]


def _a_line(name: str, random: Random) -> bytes:
    """Return a line of an event as our writer writes it."""
    spec = EVENTS[name]
    keys = [*spec.required, *(key for key in spec.optional if random.random() < 0.5)]
    fields = {**spec.required, **spec.optional}
    has_reason = spec.needs_reason or random.random() < 0.3
    event = Event(
        name,
        ("s1-" + "3b" * 16,) * random.randrange(3),
        tuple(
            ObjectRef(_DIGEST, random.choice(["old", "new", "source"]), "mask")
            for _ in range(random.randrange(4))
        ),
        {key: random.choice(_values_of(fields[key])) for key in keys},
        Reason("OTHER", random.choice(["", _DIGEST])) if has_reason else None,
        random.choice(spec.outcomes),
    )
    place = Place(
        random.randrange(10**7),
        random.randbytes(32),
        random.randrange(4_000_000_000_000),
        random.randrange(10**14),
    )
    return line_of(event, _ACTOR, place)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_every_line_that_we_write_is_read_quickly_and_says_the_same(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - a test's
    for name in EVENTS:
        line = _a_line(name, random)
        fast = FastLines().read(line)
        assert fast is not None, line
        assert fast == _slow(line)


def _changed(line: bytes, other: bytes, random: Random) -> bytes:
    at, far = random.randrange(len(line)), random.randrange(len(other))
    size = random.randrange(1, 40)
    return random.choice(
        [
            line[:at] + bytes([line[at] ^ random.randrange(1, 256)]) + line[at + 1 :],
            line[:at] + line[at + size :],
            line[:at] + line[at : at + size] + line[at:],
            line[:at] + random.choice(_ODD) + line[at:],
            line[:at] + random.choice(_ODD) + line[at + 1 :],
            line[:at] + other[far : far + size] + line[at:],
            line[:at] + other[at:],
            line[:at] + b"%d" % random.randrange(10**4) + line[at + 1 :],
        ]
    )


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32))
def test_a_changed_line_is_read_quickly_only_where_the_full_check_takes_it(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - a test's
    lines = [_a_line(name, random) for name in EVENTS]
    for line in lines:
        for _ in range(60):
            bad = _changed(line, random.choice(lines), random)
            fast = FastLines().read(bad)
            assert fast is None or fast == _slow(bad), bad


def _line(event: Event, utc_ms: int = 1_795_342_232_104) -> bytes:
    return line_of(event, _ACTOR, Place(600, bytes(32), utc_ms, 5))


_CLOSE = _line(Event("session.close"))
_SAVE = _line(
    Event(
        "mask.save",
        objects=(ObjectRef(_DIGEST, "old", "mask"),),
        detail={"labels": [1], "voxels_added": 1, "voxels_removed": 0},
    )
)


@pytest.mark.parametrize(
    ("line", "good", "bad"),
    [
        (_CLOSE, b"2026-11-22T10:10:32.104Z", b"2026-02-30T10:10:32.104Z"),
        (_CLOSE, b"2026-11-22T10:10:32.104Z", b"2026-11-22T24:00:00.000Z"),
        (_CLOSE, b'"seq":600', b'"seq":0600'),
        (_CLOSE, b'"event":"session.close"', b'"event":"session.shut"'),
        (_CLOSE, b'"event":"session.close"', b'"event":"session.clos\xff"'),
        (_CLOSE, b'"action":"E"', b'"action":"U"'),
        (_CLOSE, b'"detail":{}', b'"detail":{"end":"normal",}'),
        (_CLOSE, b'"outcome":0', b'"outcome":4'),
        (_CLOSE, b'AAA="', b'AAB="'),
        (_SAVE, b'"role":"old"', b'"role":"new"'),
        (_SAVE, b'"action":"U"', b'"action":"C"'),
        (_SAVE, b'"voxels_removed":0', b'"voxels_removed":-0'),
        (_SAVE, b',"voxels_removed":0', b""),
        (_SAVE, b'"iso":"amend",', b""),
    ],
)
def test_what_is_wrong_goes_to_the_full_check(line: bytes, good: bytes, bad: bytes) -> None:
    assert FastLines().read(line) == _slow(line) is not None
    changed = line.replace(good, bad)
    assert changed != line
    assert FastLines().read(changed) is None
    assert _slow(changed) is None


def test_the_longest_lists_are_read_and_no_longer_ones() -> None:
    detail = {"labels": [1] * 256, "voxels_added": 1, "voxels_removed": 0}
    line = _line(Event("mask.save", subject=("s1-" + "a" * 32,) * 4096, detail=detail))
    assert FastLines().read(line) is not None
    assert FastLines().read(line.replace(b"[1,1", b"[1,1,1")) is None
    token = b'"s1-' + b"a" * 32 + b'"'
    assert FastLines().read(line.replace(b"[" + token, b"[" + token + b"," + token)) is None


def test_numbers_that_are_right_but_rare_are_left_to_the_full_check() -> None:
    line = _CLOSE.replace(b'"mono":5', b'"mono":9007199254740991')
    assert FastLines().read(line) is None
    assert _slow(line) is not None


def test_many_minutes_are_read_right_and_not_all_remembered() -> None:
    lines = FastLines()
    for minute in range(300):
        line = _line(Event("session.close"), 1_795_342_232_104 + 60_000 * minute)
        assert lines.read(line) == lines.read(line) == _slow(line)
    assert len(lines._minutes) <= 64


def test_a_kind_without_a_pattern_is_left_to_the_full_check() -> None:
    plain = Field("odd", lambda value: value == 1)
    assert schema.many(plain).pattern is None
    assert schema.group("", {"a": plain, "b": schema.COUNT}).pattern is None
    assert fast_line._detail(Spec((), "E", required={"a": plain})) is None
    optional = fast_line._detail(Spec((), "E", optional={"a": plain, "b": schema.COUNT}))
    assert optional is not None
    assert re.fullmatch(optional, b'{"b":1}')
    assert not re.fullmatch(optional, b'{"a":1,"b":1}')
    with pytest.raises(ValueError, match="odd"):
        fast_line._known(plain)


def test_an_event_with_a_required_kind_without_a_pattern_has_no_expression(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = Field("odd", lambda value: value == 1)
    spec = Spec((), "E", required={"a": plain})
    monkeypatch.setattr(fast_line, "EVENTS", {"odd.event": spec})
    assert fast_line._reader(b"odd.event", b"E") is None


def test_what_reads_an_event_is_made_once_there_are_many_lines_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(FastLines, "_met", {})
    read = [FastLines(after=3).read(_CLOSE) for _ in range(5)]  # of five files
    assert read == [None, None, None, *[_slow(_CLOSE)] * 2]
    for number in range(9999):
        strange = _CLOSE.replace(b'"event":"', b'"event":"%d' % number)
        assert FastLines(after=3).read(strange) is None
    assert len(FastLines._met) <= 4 * len(EVENTS)
