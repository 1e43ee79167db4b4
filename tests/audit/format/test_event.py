"""Events: what the closed list takes, and that nothing that identifies fits into it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.audit.format.catalogue import EVENTS, Spec
from napari_medlabel.audit.format.event import MAX_REFS, Actor, Event, ObjectRef, Reason
from napari_medlabel.errors import LogError

_DIGEST = "sha256:" + "0f" * 32
_SAVE = {"labels": [1], "voxels_added": 1, "voxels_removed": 0}
_B32 = "A" * 43 + "="
_HEAD = {
    "origin": "medlabel.local/a/w0123456789abcdef/20261122T101403Z-01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "root": _B32,
    "size": 3,
}
_EXAMPLES: list[object] = [
    ["boundary"], ["nnunet"],
    0, True, "112-140", _DIGEST, [1, 2], "00100010", ["00100010"], "2026c", "0.1.0", _HEAD,
    [_HEAD], _HEAD["origin"], _B32, "A" * 91 + "=",
    ["retain-uids"], "k-292bac1d", "u1-9f86d081884c7d65",
    [{"content": _DIGEST, "slot": "A", "step": 3, "whole": _DIGEST}],
]  # fmt: skip


def _example(field: object) -> object:
    """Return a value that a field accepts, the way a caller would have one."""
    if field.kind.startswith("one of "):  # type: ignore[attr-defined]
        return field.kind.removeprefix("one of ").split(", ")[0]  # type: ignore[attr-defined]
    return next(value for value in _EXAMPLES if field.accepts(value))  # type: ignore[attr-defined]


def _full(spec: Spec) -> dict[str, object]:
    return {key: _example(field) for key, field in {**spec.required, **spec.optional}.items()}


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_can_be_built_with_all_it_may_say(name: str) -> None:
    spec = EVENTS[name]
    event = Event(name, detail=_full(spec), reason=Reason("OTHER", _DIGEST))
    record = event.record()
    assert record["event"] == name
    assert record["outcome"] == spec.outcomes[0]
    assert record["action"] in {"C", "R", "U", "D", "E"}
    assert all(len(code) == 6 and code.isdigit() for code in record["dcm"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_refuses_an_unknown_key(name: str) -> None:
    detail = {**_full(EVENTS[name]), "path": "x"}
    with pytest.raises(LogError, match=f"detail of {name} has no key 'path'"):
        Event(name, detail=detail, reason=Reason("OTHER"))


_WITH_KEYS = [
    (name, key) for name, spec in EVENTS.items() for key in {**spec.required, **spec.optional}
]


@pytest.mark.parametrize(("name", "key"), _WITH_KEYS)
def test_every_key_refuses_a_value_of_another_kind(name: str, key: str) -> None:
    for wrong in (1.5, None, "DOE JANE", "../scan.dcm", {"a": 1}, [None], b"x"):
        detail = {**_full(EVENTS[name]), key: wrong}
        with pytest.raises(LogError, match=f"'{key}' of {name} must be"):
            Event(name, detail=detail, reason=Reason("OTHER"))


@pytest.mark.parametrize(
    ("name", "key"), [(name, key) for name, spec in EVENTS.items() for key in spec.required]
)
def test_every_required_key_is_required(name: str, key: str) -> None:
    detail = _full(EVENTS[name])
    del detail[key]
    with pytest.raises(LogError, match=f"{name} needs '{key}'"):
        Event(name, detail=detail, reason=Reason("OTHER"))


@pytest.mark.parametrize("name", [n for n, spec in EVENTS.items() if spec.needs_reason])
def test_events_that_need_a_reason_refuse_to_go_without(name: str) -> None:
    with pytest.raises(LogError, match="needs a reason"):
        Event(name, detail=_full(EVENTS[name]))


def test_an_event_that_is_not_in_the_list_is_refused() -> None:
    with pytest.raises(LogError, match="closed list"):
        Event("mask.zoom")


@pytest.mark.parametrize("outcome", [8, 1, True, 0.0, "0"])
def test_an_outcome_that_the_event_has_not_is_refused(outcome: object) -> None:
    with pytest.raises(LogError, match="outcome of mask"):
        Event("mask.save", detail=_SAVE, outcome=outcome)  # type: ignore[arg-type]


def test_a_denied_opening_cannot_claim_success() -> None:
    assert Event("volume.open.denied").outcome == 8
    with pytest.raises(LogError, match="outcome"):
        Event("volume.open.denied", outcome=0)


def test_action_and_word_depend_on_whether_there_was_an_old_mask() -> None:
    old, new = ObjectRef(_DIGEST, "old", "mask"), ObjectRef(_DIGEST, "new", "mask")
    first = Event("mask.save", detail=_SAVE, objects=(new,)).record()
    later = Event("mask.save", detail=_SAVE, objects=(old, new)).record()
    assert (first["action"], first["iso"]) == ("C", "originate")
    assert (later["action"], later["iso"]) == ("U", "amend")


def test_numpy_scalars_tuples_and_mappings_become_plain_json() -> None:
    detail = {
        "labels": (np.uint8(1), np.int64(2)),
        "voxels_added": np.int64(3),
        "voxels_removed": 0,
        "source_bound": np.bool_(True),
    }
    record = Event("mask.save", detail=detail).record()
    assert record["detail"] == {
        "labels": [1, 2],
        "voxels_added": 3,
        "voxels_removed": 0,
        "source_bound": True,
    }


@pytest.mark.parametrize("wrong", [-1, 2**53, np.float32(1), Path("/x"), np.array([1.0, 2.0])])
def test_numbers_that_are_no_counts_are_refused(wrong: object) -> None:
    with pytest.raises(LogError, match="whole number"):
        Event("mask.save", detail={**_SAVE, "voxels_added": wrong})


@given(
    st.sampled_from(["labels", "slices", "voxels_added", "source_bound", "file"]),
    st.text(max_size=30).filter(
        lambda text: any(letter.isalpha() or letter.isspace() for letter in text)
    ),
)
def test_no_text_with_a_letter_or_a_space_fits_into_a_save(key: str, text: str) -> None:
    with pytest.raises(LogError) as caught:
        Event("mask.save", detail={**_SAVE, key: text})
    with pytest.raises(LogError) as other:
        Event("mask.save", detail={**_SAVE, key: "?"})
    assert caught.value.message == other.value.message  # so it quotes neither


_ALL_FIELDS = {
    (name, key): field
    for name, spec in EVENTS.items()
    for key, field in {**spec.required, **spec.optional}.items()
}


@given(
    st.sampled_from(sorted(_ALL_FIELDS)),
    st.sampled_from([
        "DOE^JANE", "Jane Doe", "/data/DOE_JANE/1.dcm", "C:\\scans\\a.dcm", "19700131",
        "1970-01-31", "1.2.840.113619.2.55.3.604688119", "jane.doe@example.org", "MRN123456",
        "12:30", "ABDOMEN W/O CONTRAST", "ws-radiology-3", "10.0.0.7",
    ]),
)  # fmt: skip
def test_names_paths_uids_and_addresses_fit_into_no_field(
    where: tuple[str, str], identity: str
) -> None:
    field = _ALL_FIELDS[where]
    numbers = field.kind.startswith(("version", "slice ranges", "DICOM tag"))
    if numbers and identity[0].isdigit():
        return  # figures alone; test_schema has their limits
    assert not field.accepts(identity)
    assert not field.accepts([identity])
    assert not field.accepts({"origin": identity, "root": identity, "size": 1})


@pytest.mark.parametrize("token", ["MRN1", "s1-" + "A" * 32, "s1-" + "a" * 31, "", 5])
def test_a_subject_must_be_a_token(token: object) -> None:
    with pytest.raises(LogError, match="A subject must be subject token"):
        Event("header.view", subject=(token,))  # type: ignore[arg-type]


def test_too_many_subjects_are_refused() -> None:
    token = "s1-" + "a" * 32
    with pytest.raises(LogError, match="subjects or objects"):
        Event("header.view", subject=(token,) * (MAX_REFS + 1))


def test_an_unknown_key_that_may_be_a_name_is_not_repeated() -> None:
    with pytest.raises(LogError) as caught:
        Event("header.view", detail={"DOE^JANE": 1})
    assert "DOE" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Actor("jane"), "user"),
        (lambda: Actor("u1-9f86d081884c7d65", "boss"), "role"),
        (lambda: Actor("u1-9f86d081884c7d65", "officer", "face"), "identification"),
        (lambda: ObjectRef("md5:1", "new", "mask"), "id of an object"),
        (lambda: ObjectRef(_DIGEST, "newest", "mask"), "role of an object"),
        (lambda: ObjectRef(_DIGEST, "new", "drawing"), "type of an object"),
        (lambda: Reason("BECAUSE"), "reason"),
        (lambda: Reason("OTHER", "see letter"), "reference"),
    ],
)
def test_actors_objects_and_reasons_are_checked(build: object, words: str) -> None:
    with pytest.raises(LogError, match=words):
        build()  # type: ignore[operator]


def test_a_detail_cannot_be_changed_after_the_check() -> None:
    given_detail: dict[str, object] = dict(_SAVE)
    event = Event("mask.save", detail=given_detail)
    given_detail["labels"] = "DOE"
    assert event.detail["labels"] == [1]
    with pytest.raises(TypeError):
        event.detail["labels"] = "DOE"  # type: ignore[index]


def test_every_event_is_in_the_reference_page() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "audit-log.md"
    text = page.read_text(encoding="utf-8")
    assert [name for name in EVENTS if f"`{name}`" not in text] == []
