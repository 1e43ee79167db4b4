"""Who settles a case anew is asked why."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from qtpy.QtWidgets import QInputDialog

from napari_medlabel.errors import RefusedError
from napari_medlabel.session.study.settled_before import SettledError
from napari_medlabel.widgets.study import compare_desk
from napari_medlabel.widgets.study.compare_desk import CompareDesk
from napari_medlabel.widgets.study.why_anew import REASONS, ask_why_anew


@pytest.mark.parametrize(("is_sure", "code"), [(True, "QA_FEEDBACK"), (False, "")])
def test_the_reason_is_a_code_and_none_without_a_yes(
    monkeypatch: pytest.MonkeyPatch, is_sure: bool, code: str
) -> None:
    words = REASONS["QA_FEEDBACK"]
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_: (words, is_sure))
    assert ask_why_anew(None) == code  # type: ignore[arg-type]


def test_a_settled_consensus_is_written_anew_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[object] = []
    desk = SimpleNamespace(
        progress=SimpleNamespace(end=lambda: None),
        panel=SimpleNamespace(setEnabled=lambda _on: None),
        page=SimpleNamespace(window=lambda: None),
        finish=done.append,
        _failed=done.append,
    )
    monkeypatch.setattr(compare_desk, "ask_why_anew", lambda _parent: "CORRECTION")
    CompareDesk._refused(desk, SettledError("settled", hint="-"))  # type: ignore[arg-type]
    other = RefusedError("other", hint="-")
    CompareDesk._refused(desk, other)  # type: ignore[arg-type]
    assert done == ["CORRECTION", other]
