"""Kinds of values, at their edges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.audit.format import schema
from napari_medlabel.audit.format.schema import Field, slice_ranges

_SHA = "sha256:" + "a" * 64
_B32 = "A" * 43 + "="
_SESSION = "w0123456789abcdef/20261122T101403Z-01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        (schema.COUNT, [0, 2**53 - 1], [-1, 2**53, True, 1.0, "1"]),
        (schema.SIGNED, [-5, 5], [2**53, -(2**53), False]),
        (schema.FLAG, [True, False], [0, 1, "true"]),
        (schema.COUNTS, [[], [1] * 256], [[1] * 257, (1,), [True], 1]),
        (schema.DIGEST, [_SHA], [_SHA.upper(), _SHA[7:], _SHA + "\n", _SHA + "0"]),
        (schema.SLICES, ["", "0", "1-2", "3,7-9"], ["1-", ",", "a", "1 - 2", "1234567"]),
        (schema.SLICES, ["1," * 15 + "1"], ["1," * 16 + "1"]),
        (schema.VERSION, ["3.11.7", "0.1.0rc1", "1.0.dev3"], ["3", "v1.0", "1.0+doe"]),
        (schema.VERSION, [], ["19700131", "1.2.840.113619.2"]),
        (schema.EDITION, ["2026c"], ["2026", "1970a", "2026z"]),
        (schema.KEY_ID, ["k-292bac1d"], ["292bac1d", "19700131", "k-DOEJOHN1", "k-292bac1"]),
        (schema.TAG, ["00100010"], ["0010,0010", "0010001", "PATNAME1"]),
        (schema.ROOT, [_B32], ["A" * 43 + "B", "A" * 42 + "B=", "A" * 44, "*" * 43 + "="]),
        (
            schema.ORIGIN,
            [f"medlabel.local/ward-3/{_SESSION}"],
            [f"medlabel.local/-a/{_SESSION}"],
        ),
        (schema.ORIGIN, [], ["medlabel.local/a/../x", 5]),
        (schema.HEAD, [], [{}, {"origin": "x", "root": _B32, "size": 1}, []]),
    ],
    ids=lambda value: value.kind if isinstance(value, Field) else "",
)
def test_a_kind_takes_its_own_and_refuses_the_rest(
    field: Field, good: list[object], bad: list[object]
) -> None:
    assert [value for value in good if not field.accepts(value)] == []
    assert [value for value in bad if field.accepts(value)] == []


@pytest.mark.parametrize(
    ("slices", "text"),
    [
        ([], ""),
        ([5], "5"),
        ([9, 3, 8, 7, 7], "3,7-9"),
        (range(112, 141), "112-140"),
        (range(0, 40, 2), "0-38"),
    ],
)
def test_slices_become_short_text(slices: list[int], text: str) -> None:
    assert slice_ranges(slices) == text


@given(st.sets(st.integers(0, 99_999), max_size=60))
def test_the_text_of_any_slices_fits_the_schema_and_covers_them(slices: set[int]) -> None:
    text = slice_ranges(slices)
    assert schema.SLICES.accepts(text)
    covered: set[int] = set()
    for part in filter(None, text.split(",")):
        low, _, high = part.partition("-")
        covered |= set(range(int(low), int(high or low) + 1))
    assert slices <= covered
