"""Records: what is written is accepted, and each single deviation is refused."""

from __future__ import annotations

from typing import Any

import pytest

from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.event import Actor, Event, ObjectRef, Reason
from napari_medlabel.audit.format.record import Place, check_record, line_of, time_ms, time_text

_DIGEST = "sha256:" + "0f" * 32
_EVENT = Event(
    "mask.save",
    subject=("s1-" + "a" * 32,),
    objects=(ObjectRef(_DIGEST, "old", "mask"), ObjectRef(_DIGEST, "new", "mask")),
    detail={"labels": [1], "voxels_added": 1, "voxels_removed": 0},
    reason=Reason("CORRECTION", _DIGEST),
)


def _record() -> dict[str, Any]:
    line = line_of(
        _EVENT, Actor("u1-9f86d081884c7d65"), Place(600, bytes(32), 1_795_342_232_104, 5)
    )
    record = canonical.decode(line)
    assert isinstance(record, dict)
    return record


def test_what_is_written_is_accepted_and_gives_its_time() -> None:
    record = _record()
    assert record["time"] == "2026-11-22T10:10:32.104Z"
    assert check_record(record) == 1_795_342_232_104
    assert list(record) == sorted(record)


@pytest.mark.parametrize("key", [key for key in _record() if key not in {"reason", "iso"}])
def test_a_missing_key_is_refused(key: str) -> None:
    record = _record()
    del record[key]
    with pytest.raises(ValueError, match=f"'{key}' is missing"):
        check_record(record)


@pytest.mark.parametrize("key", _record())
@pytest.mark.parametrize("wrong", [None, 1.5, {"x": 1}, [[]], "?"])
def test_a_value_of_another_kind_is_refused(key: str, wrong: object) -> None:
    record = _record()
    record[key] = wrong
    with pytest.raises(ValueError, match=r"\w"):
        check_record(record)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("v", 2, "'v'"),
        ("v", True, "'v'"),
        ("outcome", 4, "outcome"),
        ("outcome", False, "outcome"),
        ("action", "C", "'action'"),
        ("dcm", ["110106"], "'dcm'"),
        ("iso", "destroy", "'iso'"),
        ("event", "mask.zoom", "closed list"),
        ("event", "mask.restore", None),
        ("seq", -1, "'seq'"),
        ("mono", -1, "'mono'"),
        ("prev", "AAAA", "'prev'"),
        ("time", "2026-11-22T10:10:32Z", "'time' is not UTC"),
        ("time", "2026-02-30T10:10:32.104Z", "that exists"),
        ("reason", {"code": "BECAUSE"}, "'reason'"),
        ("detail", {"labels": [1]}, "needs"),
        ("colour", "red", "a key is unknown"),
    ],
)
def test_one_wrong_value_is_refused(key: str, value: object, words: str | None) -> None:
    record = _record()
    record[key] = value
    if words is None:
        check_record(record)  # another event that takes the same: the chain and seal object
        return
    with pytest.raises(ValueError, match=words):
        check_record(record)


def test_a_missing_iso_word_is_refused_where_the_event_has_one() -> None:
    record = _record()
    del record["iso"]
    with pytest.raises(ValueError, match="'iso'"):
        check_record(record)


def test_times_come_back_to_the_millisecond() -> None:
    for moment in (0, 1, 999, 1_795_342_232_104):
        assert time_ms(time_text(moment)) == moment
