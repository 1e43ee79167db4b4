"""The lamp: one colour and one sentence for each way that the log can be."""

from __future__ import annotations

import pytest

from napari_medlabel.audit.writer.gates import is_gated, is_shown_at_once, refusal
from napari_medlabel.audit.writer.lamp import Condition, lamp_of

NOON = 1_795_348_800_000


@pytest.mark.parametrize(
    ("condition", "level", "words"),
    [
        (Condition(), "green", "each event is signed and on the disk"),
        (
            Condition(share="NFS"),
            "green",
            "network share (NFS), which may say 'on disk' too early",
        ),
        (Condition(is_local=True, error="EIO"), "amber", "local since 12:00 UTC: its folder"),
        (Condition(is_local=True, error="EIO"), "amber", "refused until it is back"),
        (Condition(is_local=True, error="EIO", suffices=True), "amber", "Exports are allowed"),
        (Condition(error="ENOSPC", is_low=True), "amber", "kept for its last words"),
        (Condition(is_low=True), "amber", "Less than 5 %"),
        (Condition(is_hidden=True), "amber", "could not be shown"),
        (Condition(differing=2), "amber", "2 session(s) written on this computer"),
        (Condition(worry="The key is lost."), "amber", "The key is lost."),
        (Condition(is_lost=True, error="EIO"), "red", "cannot be written (EIO)"),
    ],
)
def test_it_says_how_the_log_is(condition: Condition, level: str, words: str) -> None:
    lamp = lamp_of(condition, NOON)
    assert (lamp.level, lamp.since_ms) == (level, NOON)
    assert words in lamp.sentence


@pytest.mark.parametrize("name", ["export.begin", "export.screen", "deid.run", "reid.lookup"])
def test_what_lets_data_leave_is_gated(name: str) -> None:
    assert is_gated(["mask.save", name])
    assert "local since 12:00 UTC (EIO)" in refusal("EIO", NOON).message


@pytest.mark.parametrize("name", ["export.fail", "mask.save", "review.approve", "sign.apply"])
def test_what_stays_and_what_failed_is_not(name: str) -> None:
    assert not is_gated([name])


def test_heads_are_shown_at_once_after_what_somebody_might_want_to_undo() -> None:
    assert all(
        is_shown_at_once([name])
        for name in ("export.done", "key.revoke", "reid.export", "deid.override")
    )
    assert not is_shown_at_once(["mask.save", "deid.run"])
