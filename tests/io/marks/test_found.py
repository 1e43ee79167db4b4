"""Words about what was found: one mark, many marks."""

from __future__ import annotations

import pytest

from napari_medlabel.io.marks.found import counted


@pytest.mark.parametrize(
    ("count", "said"),
    [(1, "1 mark (a dot) is left out."), (3, "3 marks (a dot) are left out.")],
)
def test_words_agree_with_the_count(count: int, said: str) -> None:
    assert counted(count, "{} mark(|s) (a dot) (is|are) left out.") == said
