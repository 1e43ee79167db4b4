from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.deid.dicom.grams import grams_of, holds_wide_text

WORDS = frozenset({b"quincy", b"feather", b"q\0u\0i\0n\0", b"\0q\0u\0i\0n", "größe7".encode()})


@given(
    word=st.sampled_from(sorted(WORDS)),
    before=st.binary(max_size=40),
    after=st.binary(max_size=40),
    capitals=st.booleans(),
)
def test_a_word_is_never_missed(word, before, after, capitals):
    content = before + (word.upper() if capitals else word) + after
    assert grams_of(WORDS).may_hold(content)


def test_noise_and_single_letters_are_none():
    noise = np.random.default_rng(0).integers(0, 4096, 20_000).astype("<u2").tobytes()
    assert not grams_of(WORDS).may_hold(noise)
    assert not grams_of(WORDS).may_hold(b"quinc feathe " * 50)
    assert not grams_of(WORDS).may_hold(b"")


def test_too_little_or_too_likely_is_left_to_a_search():
    assert grams_of(WORDS).may_hold(b"qu")
    assert grams_of(WORDS).may_hold(b"quin  " * 60_000)


@pytest.mark.parametrize(
    ("content", "wide"),
    [
        (b"ab" + "Quin".encode("utf-16-le"), True),
        (b"abc" + "Quin".encode("utf-16-be"), True),
        (b"Q\0\0u\0i\0n", False),
        (bytes(50), False),
        (b"short", False),
        (b"Quincy, Jack", False),
    ],
)
def test_wide_text_is_seen(content, wide):
    assert holds_wide_text(content) is wide
