"""Canonical JSON: one spelling for each value, and no other accepted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.audit.format.canonical import MAX_INT, CanonicalError, decode, encode

_leaves = st.none() | st.booleans() | st.integers(-MAX_INT, MAX_INT) | st.text(max_size=8)
_keys = st.text(st.characters(max_codepoint=127), max_size=5)
_values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=12,
)


@given(_values)
def test_every_value_comes_back_from_its_bytes(value: object) -> None:
    assert decode(encode(value)) == value


@given(_values, st.integers(0, 400), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_means_something_else(
    value: object, place: int, mask: int
) -> None:
    raw = bytearray(encode(value))
    raw[place % len(raw)] ^= mask
    try:
        changed = decode(bytes(raw))
    except CanonicalError:
        return
    assert encode(changed) == bytes(raw) != encode(value)


@given(_values)
def test_any_other_spelling_of_a_value_is_refused(value: object) -> None:
    loose = json.dumps(value, indent=1).encode()
    if loose != encode(value):
        with pytest.raises(CanonicalError):
            decode(loose)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"a":1.0}', "not whole"),
        (b'{"a":1e3}', "not whole"),
        (b'{"a":NaN}', "not whole"),
        (b'{"a":9007199254740992}', "larger"),
        (b'{"a":' + b"9" * 5000 + b"}", "larger"),
        (b'{"a":-0}', "canonical form"),
        (b'{"a":1,"a":1}', "canonical form"),
        (b'{"b":1,"a":1}', "canonical form"),
        (b'{"a": 1}', "canonical form"),
        (b'{"a":"\\u0041"}', "canonical form"),
        (b'{"a":"\\ud800"}', "surrogate"),
        ('{"é":1}'.encode(), "not ASCII"),
        (b'{"a":"\xff"}', "not JSON"),
        ('{"a":1}'.encode("utf-16"), "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"", "not JSON"),
        (b"[" * 100_000, "nested"),
        (b"[" * 17 + b"]" * 17, "nested"),
    ],
)
def test_bytes_that_are_not_canonical_are_refused(raw: bytes, words: str) -> None:
    with pytest.raises(CanonicalError, match=words):
        decode(raw)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1.5, "float"),
        (2**53, "larger"),
        ({"é": 1}, "ASCII"),
        ({1: 1}, "ASCII"),
        ((1,), "tuple"),
        ("\ud800", "surrogate"),
    ],
)
def test_values_outside_the_subset_are_refused(value: object, words: str) -> None:
    with pytest.raises(CanonicalError, match=words):
        encode(value)


def test_the_bytes_are_those_of_rfc_8785() -> None:
    # String from RFC 8785 section 3.2.2, without its euro-sign key and floats.
    value = {"z": 56, "a": '\u20ac$\x0f\nA\'B"\\\\"/', "b": [None, True, False]}
    expected = (
        b'{"a":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/","b":[null,true,false],"z":56}'
    )
    assert encode(value) == expected
