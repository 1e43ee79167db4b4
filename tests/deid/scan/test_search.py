from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.deid.scan.finding import Sign
from napari_medlabel.deid.scan.search import Searcher
from napari_medlabel.deid.scan.words import Needle


def needle(pattern: bytes, *, alone: bool = False, plain: bool = True) -> Needle:
    return Needle(pattern, Sign.NAME, alone, plain)


WORD, SHORT = needle(b"featherstone"), needle(b"kim", alone=True, plain=False)


@given(st.binary(max_size=60), st.binary(max_size=60), st.booleans())
def test_every_place_of_a_word_is_found(before, after, capital):
    word = b"Featherstone" if capital else b"featherstone"
    content = before + word + after
    found = {position for position, _ in Searcher([WORD]).in_text(content)}
    assert len(before) in found
    assert found == {
        i for i in range(len(content)) if content.lower().startswith(WORD.pattern, i)
    }


@given(st.integers(0, 9), st.integers(0, 9))
def test_a_word_in_pixels_is_found_at_every_offset(before, after):
    content = b"\xfe" * before + b"FeatherStone" + b"\xfe" * after
    assert Searcher([WORD]).in_pixels(content) == {WORD}
    assert Searcher([]).in_pixels(content, [WORD]) == {WORD}
    assert Searcher([needle(b"quincymonroe")]).in_pixels(content, [SHORT]) == set()


def test_pixels_of_twelve_bits_hold_no_text():
    values = np.arange(4096, dtype="<u2").tobytes()
    assert Searcher([WORD]).in_pixels(values) == set()
    assert Searcher([]).in_pixels(b"featherstone") == set()
    assert Searcher([WORD]).in_pixels(b"") == set()
    assert Searcher([WORD]).in_pixels(b"zz") == set()


def test_six_letters_prove_something_only_in_compressed_pixels():
    searcher = Searcher([needle(b"quincy")])
    content = b"\xfe\xfd\xfcQuincy\xfe\xfd\xfc\xfb"
    assert searcher.in_pixels(content) == set()
    assert searcher.in_pixels(content, shortest=6) == {needle(b"quincy")}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"kim", True), (b"^Kim^", True), (b"Kimmel", False), (b"akim", False),
        (b"Kim2\0", True),  # the next element's group
        (b"\0" + b"8Kim", True), (b"88Kim", False), (b"Kim.x", False),
    ],
)  # fmt: skip
def test_a_short_name_must_stand_alone(content, found):
    assert bool(list(Searcher([SHORT]).in_text(content))) is found
    assert bool(list(Searcher([]).in_text(content, [SHORT]))) is found


def test_more_patterns_are_found_at_each_place():
    content = b"Kim and Kim"
    assert [p for p, _ in Searcher([]).in_text(content, [SHORT])] == [0, 8]
