"""ULIDs sort by time."""

from __future__ import annotations

from napari_medlabel.audit.format.ulid import ulid


def test_the_example_of_the_specification_comes_out() -> None:
    assert ulid(1_469_918_176_385, bytes(10)) == "01ARYZ6S41" + "0" * 16


def test_later_moments_sort_later_and_random_parts_differ() -> None:
    assert ulid(1, b"\xff" * 10) < ulid(2, bytes(10))
    assert ulid(1, b"\1" * 10) != ulid(1, b"\2" * 10)
