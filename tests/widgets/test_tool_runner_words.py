"""What is said when a tool has nothing to propose."""

from __future__ import annotations

from napari_medlabel.edit.masking import Masking
from napari_medlabel.widgets.tool_runner import nothing_to_propose


def test_rules_that_may_have_forbidden_all_are_named() -> None:
    assert "already" in nothing_to_propose(Masking())
    assert "rules" not in nothing_to_propose(Masking())
    for rules in (Masking(locked=frozenset({1})), Masking(low=0.0), Masking(overwrite="none")):
        assert "rules below" in nothing_to_propose(rules)
