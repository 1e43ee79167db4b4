"""Words: every event of the closed list has a sentence that names nobody."""

from __future__ import annotations

import pytest

from napari_medlabel.audit.format.catalogue import EVENTS
from napari_medlabel.audit.format.event import Event, Reason
from napari_medlabel.audit.format.schema import Field
from napari_medlabel.audit.report.vocabulary import CHOICES, CHOICES_OF, SAID
from napari_medlabel.audit.report.words import (
    choice_words,
    count_words,
    tag_words,
    title_of,
    words_of,
)
from tests.audit.report.lines import at, line

_HEAD = {
    "origin": "medlabel.local/ward-3/w0123456789abcdef/20261123T080000Z-" + "0" * 26,
    "root": "A" * 43 + "=",
    "size": 7,
}
_READING = {
    "content": "sha256:" + "ab" * 32,
    "slot": "A",
    "step": 3,
    "whole": "sha256:" + "cd" * 32,
}
_VALUES: tuple[object, ...] = (
    7, True, "sha256:" + "ab" * 32, "112-140", "0.1.0", "2026c", "k-0123abcd", "00100040",
    [1, 2], ["00100040"], _HEAD, [_HEAD], _HEAD["origin"], "A" * 43 + "=",
    "A" * 91 + "=", "A" * 90 + "==", "u1-9f86d081884c7d65", [_READING],
)  # fmt: skip


def _value(kind: Field) -> object:
    """Return some value that a field takes."""
    names = kind.kind.removeprefix("list of up to 256: ").removeprefix("one of ").split(", ")
    values = (*_VALUES, names[0], [names[0]])
    return next(value for value in values if kind.accepts(value))


def _full(name: str) -> Event:
    spec = EVENTS[name]
    detail = {key: _value(kind) for key, kind in {**spec.required, **spec.optional}.items()}
    reason = Reason("QA_FEEDBACK") if spec.needs_reason else None
    return Event(name, detail=detail, reason=reason)


def test_the_words_cover_the_closed_list_and_nothing_else() -> None:
    assert set(SAID) == set(EVENTS)


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        ("identity", "the passphrase was another one"),
        ("review", "its author cannot review or approve it"),
        ("other", "another cause"),
    ],
)
def test_a_cause_is_said_as_it_is_meant_of_a_signature(cause: str, said: str) -> None:
    event = Event("sign.fail", detail={"cause": cause})
    assert words_of(event.record()) == f"Signing failed: {said}."


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_with_all_its_detail_is_one_sentence_without_digests(name: str) -> None:
    words = words_of(_full(name).record())
    assert words.startswith(title_of(name))
    assert words.endswith(".")
    assert "abababab" not in words
    assert "AAAA" not in words
    assert "{" not in words
    assert "not said" not in words


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_with_the_least_detail_has_words(name: str) -> None:
    spec = EVENTS[name]
    detail = {key: _value(kind) for key, kind in spec.required.items()}
    reason = Reason("OTHER") if spec.needs_reason else None
    assert words_of(Event(name, detail=detail, reason=reason).record()).endswith(".")


def _said(event: str, **more: object) -> str:
    return words_of(line(event, at(9), **more).record)


def test_a_saved_mask_is_told_with_numbers_and_reason() -> None:
    detail = {
        "labels": [1, 2],
        "voxels_added": 1832,
        "voxels_removed": 1,
        "slices": "112-140",
    }
    assert _said("mask.save", detail=detail, reason="CORRECTION") == (
        "Mask saved: 1,832 voxels added, 1 voxel removed, slices 112-140, labels 1, 2. "
        "Reason: correction."
    )


def test_many_labels_are_cut_and_one_is_singular() -> None:
    change = {"voxels_added": 1, "voxels_removed": 0}
    many = _said("mask.save", detail={"labels": list(range(1, 12)), **change})
    assert "labels 1, 2, 3, 4, 5, 6, 7, 8 and 3 more" in many
    assert "label 4." in _said("mask.save", detail={"labels": [4], **change})


def test_slices_may_be_a_number_or_ranges() -> None:
    opened = _said("volume.open", detail={"format": "dicom", "slices": 48, "modality": "CT"})
    assert opened == "Scan opened: 48 slices, format DICOM, modality CT."


def test_choices_stand_in_the_sentence_itself() -> None:
    assert _said("sign.apply", detail={"meaning": "approved"}) == "Signed as approved."
    assert _said("export.screen", detail={"kind": "save-layer"}) == (
        "Layer saved out of the program."
    )
    assert _said("autosave.recover", detail={"choice": "discarded"}) == (
        "Recovered work discarded."
    )


def test_the_same_name_means_what_its_key_says() -> None:
    setting = _said("config.change", detail={"setting": "policy", "serial": 3})
    assert setting == "Setting changed (policy): edition 3."
    denied = _said("volume.open.denied", detail={"cause": "policy"})
    assert denied == "Opening of a scan refused: the policy forbids it."
    assert choice_words("log", "cause") == "the log could not be written"
    assert choice_words("made_up-word", "cause") == "made up word"
    assert not set(CHOICES) & {"policy", "log", "other"}
    assert CHOICES_OF["error"]["ENOSPC"] == "the disk is full"


def test_a_missing_choice_is_said_to_be_missing() -> None:
    record = {**line("sign.apply", at(9), detail={"meaning": "approved"}).record}
    assert words_of({**record, "detail": {}}) == "Signed as not said."


@pytest.mark.parametrize(("ms", "words"), [(1500, "1.5 s forward"), (-60000, "60 s back")])
def test_a_jump_of_the_clock_has_a_direction(ms: int, words: str) -> None:
    assert _said("clock.jump", detail={"delta_ms": ms}) == (
        f"Clock of the computer was set: {words}."
    )


@pytest.mark.parametrize(
    ("outcome", "words"),
    [(0, ""), (4, " Not everything worked."), (8, " It failed.")],
)
def test_an_unusual_outcome_is_said(outcome: int, words: str) -> None:
    detail = {"profile": "basic", "profile_hash": "sha256:" + "0" * 64, "files": 1}
    said = _said("deid.run", detail=detail, outcome=outcome)
    assert said == f"Identity removed: 1 file, profile basic.{words}"


def test_flags_are_said_true_and_false_and_silence_is_silence() -> None:
    to = {"destination": "folder"}
    assert "with identity" in _said("export.done", detail={**to, "deidentified": False})
    assert "without identity" in _said("export.done", detail={**to, "deidentified": True})
    assert "identity" not in _said("export.done", detail=to)


def test_options_are_named() -> None:
    detail = {"destination": "folder", "options": ["retain-dates", "clean-pixels"]}
    assert "options retain-dates clean-pixels" in _said("export.done", detail=detail)


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("00100040", "PatientSex (0010,0040)"),
        ("00091001", "Private (0009,1001)"),
        ("00120099", "Unnamed (0012,0099)"),
    ],
)
def test_a_tag_has_its_keyword(tag: str, words: str) -> None:
    assert tag_words(tag) == words


def test_counts_have_singular_and_plural_and_unknown_events_stay() -> None:
    assert count_words(1, "file|files") == "1 file"
    assert count_words(12345, "file|files") == "12,345 files"
    assert title_of("mask.save") == "Mask saved"
    assert title_of("no.such.event") == "no.such.event"
