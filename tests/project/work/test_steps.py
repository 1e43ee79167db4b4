"""Steps read back from a real log."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_medlabel.audit.format.event import ObjectRef, Reason
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.work import steps
from napari_medlabel.project.work.fold import fold
from napari_medlabel.project.work.steps import ACTIONS, EVENTS, StepReader, log_steps, step_of
from napari_medlabel.session.desk import Desk, open_desk

SCAN = f"sha256:{'a' * 64}"
MASK = f"sha256:{'1' * 64}"
SUBJECT = f"s1-{'0' * 32}"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = open_desk(tmp_path / "audit", state=tmp_path / "state")
    yield made
    made.log.close()


def work(number: int) -> dict[str, object]:
    return {"case": SCAN, "slot": "A", "step": number}


def test_a_log_gives_the_steps_that_were_written(desk: Desk) -> None:
    desk.log.append("study.start", subject=[SUBJECT], detail=work(1))
    desk.log.append(
        "review.submit",
        subject=[SUBJECT],
        detail={**work(2), "version": 3, "active_s": 5},
        objects=[ObjectRef(MASK, "new", "mask")],
    )
    desk.log.append("study.problem", detail=work(3), reason=Reason("PROTOCOL"))
    # None of these is a step: no slot, another matter.
    desk.log.append("review.submit", subject=[SUBJECT], detail={"case": SCAN})
    desk.log.append("study.claim", detail=work(1))
    found_steps = sorted(log_steps(desk.audit_root), key=lambda step: step.number)
    assert [(s.number, s.action) for s in found_steps] == [
        (1, "start"),
        (2, "submit"),
        (3, "problem"),
    ]
    assert (found_steps[1].content, found_steps[1].version) == (MASK, 3)
    assert found_steps[2].reason == "PROTOCOL"
    found = fold({SCAN: CaseId("001")}, found_steps, ("A",))
    assert found.rows[0].slots["A"].state == "problem"
    assert found.rows[0].slots["A"].active_s == 5


def test_a_torn_last_line_takes_nothing_with_it(desk: Desk) -> None:
    desk.log.append("study.start", subject=[SUBJECT], detail=work(1))
    (path,) = desk.audit_root.rglob("*.jsonl")
    whole = path.read_bytes()
    torn = path.parent.parent.parent.parent / "torn"
    copy = torn / path.relative_to(desk.audit_root)
    copy.parent.mkdir(parents=True)
    copy.write_bytes(whole + whole.splitlines()[-1][:40])
    assert [s.action for s in log_steps(torn)] == ["start"]


def test_every_event_of_a_step_leads_there_and_back() -> None:
    assert {EVENTS[action] for action in ACTIONS.values()} == set(ACTIONS)


def test_a_record_of_something_else_is_no_step() -> None:
    assert step_of({"event": "mask.save", "detail": {"case": SCAN}}) is None


def test_what_has_not_changed_is_read_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = StepReader(desk.audit_root)
    desk.log.append("study.start", subject=[SUBJECT], detail=work(1))
    assert len(reader.read()) == 1
    with monkeypatch.context() as patch:
        patch.setattr(steps, "check_session", None)
        assert len(reader.read()) == 1
    desk.log.append("study.release", subject=[SUBJECT], detail=work(2))
    assert len(reader.read()) == 2
