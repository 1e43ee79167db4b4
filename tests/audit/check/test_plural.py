"""A number goes with its noun and its verb."""

from __future__ import annotations

from napari_medlabel.audit.check.plural import agreeing, counted, filled


def test_one_is_singular_and_every_other_number_plural() -> None:
    assert [counted(number, "session") for number in (0, 1, 2)] == [
        "0 sessions",
        "1 session",
        "2 sessions",
    ]
    assert [agreeing(number, "are") for number in (0, 1, 2)] == ["are", "is", "are"]


def test_a_sentence_agrees_with_its_number() -> None:
    text = "{count} {are} here, {they} {were} found, we keep {them}"
    assert filled(text, 1, "mask") == "1 mask is here, it was found, we keep it"
    assert filled(text, 2, "mask") == "2 masks are here, they were found, we keep them"
