"""Who opened a patient's scans: every key and issuer is tried, others' events are not told."""

from __future__ import annotations

import pytest

from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.keys.tokens import TokenKey
from napari_medlabel.audit.report.who import nothing_found, tokens_of, who
from napari_medlabel.errors import InputError
from tests.audit.bench import Bench
from tests.audit.report.lines import OTHER

OLD, NEW = TokenKey(bytes(32)), TokenKey(bytes(range(32)), kid=2)


def _open(token: str) -> Event:
    return Event("volume.open", (token,), detail={"format": "dicom"})


def test_there_is_a_token_for_each_key_with_the_issuer_and_without() -> None:
    tokens = tokens_of((OLD, NEW), ("clinic",), "4711")
    assert tokens == (
        OLD.subject_token("clinic", "4711"),
        OLD.subject_token("", "4711"),
        NEW.subject_token("clinic", "4711"),
        NEW.subject_token("", "4711"),
    )
    assert tokens_of((OLD, OLD), (), "4711") == (OLD.subject_token(None, "4711"),)


def test_a_number_is_needed() -> None:
    with pytest.raises(InputError, match="empty"):
        tokens_of((OLD,), (), " ")


def test_the_patients_events_are_told_by_time_and_nobody_elses(bench: Bench) -> None:
    tokens = tokens_of((OLD, NEW), (), "4711")
    with bench.open(writer="w" + "f" * 16) as log:
        log.append_many([_open(tokens[1])])
    bench.clock.utc -= 60_000
    with bench.open() as log:
        log.append_many([_open(tokens[0]), _open(OTHER)])
    answer = who(bench.root, tokens, state=None)
    assert [one.words for one in answer.events] == ["Scan opened: format DICOM."] * 2
    assert answer.events[0].at_ms < answer.events[1].at_ms
    assert answer.tokens == tokens
    assert answer.report.events == 7


def test_nobody_is_an_answer_too(bench: Bench) -> None:
    bench.session()
    assert who(bench.root, tokens_of((OLD,), (), "4711"), state=None).events == ()


def test_nothing_found_never_sounds_as_if_the_patient_had_no_event() -> None:
    assert nothing_found(()).startswith("No event under this number without an issuer. ")
    for issuers, tried in ((("a",), "this issuer"), (("a", "b"), "these issuers")):
        said = nothing_found(issuers)
        assert said.startswith(f"No event under this number, with {tried} or without one. ")
    for said in (nothing_found(()), nothing_found(("a",))):
        assert "Issuer of Patient ID (0010,0021)" in said
        assert "patient" not in said.lower().replace("patient id", "")


def test_questions_are_counted_apart(bench: Bench) -> None:
    (token,) = tokens_of((OLD,), (), "4711")
    with bench.open() as log:
        log.append_many([_open(token)])
        log.append("audit.view", subject=[token], detail={"view": "who", "events": 1})
    assert who(bench.root, (token,), state=None).questions == 1
