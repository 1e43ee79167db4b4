"""Codes for paper: the alphabet, groups, slips of the pen."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.audit.format.crockford import (
    ALPHABET,
    check_letter,
    encode,
    grouped,
    is_code,
    normal,
)

_CODES = st.binary(min_size=20, max_size=20).map(encode)
_RFC4648 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@given(st.binary(max_size=40))
def test_bytes_become_the_letters_of_base32_in_another_alphabet(data: bytes) -> None:
    plain = base64.b32encode(data).decode().rstrip("=")
    assert encode(data) == plain.translate(str.maketrans(_RFC4648, ALPHABET))


def test_twenty_bytes_are_thirty_two_letters_in_eight_groups() -> None:
    assert grouped(encode(bytes(20))) == "-".join(["0000"] * 8)
    assert grouped(encode(b"\xff" * 20)) == "-".join(["ZZZZ"] * 8)


@given(_CODES, st.integers(0, 31), st.sampled_from(ALPHABET))
def test_any_wrong_letter_has_another_check_letter(text: str, place: int, wrong: str) -> None:
    slip = text[:place] + wrong + text[place + 1 :]
    assert (check_letter(slip) == check_letter(text)) == (slip == text)


@given(_CODES, st.integers(0, 30))
def test_neighbours_that_changed_places_have_another_check_letter(
    text: str, place: int
) -> None:
    slip = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    assert (check_letter(slip) == check_letter(text)) == (slip == text)


def test_every_letter_is_a_check_letter_of_some_code() -> None:
    assert {check_letter(letter) for letter in ALPHABET} == set(ALPHABET)


@pytest.mark.parametrize("text", ["U", "o", "-", "É"])
def test_a_check_letter_is_only_of_letters_of_the_alphabet(text: str) -> None:
    assert not is_code(text)
    with pytest.raises(ValueError, match="other than I, L, O and U"):
        check_letter(text)


def test_what_people_type_becomes_one_spelling() -> None:
    assert normal(" k7qf\u20132m9d\u2014o0il \u2212\u200b x\n") == "K7QF2M9D0011X"


@given(_CODES)
def test_letters_survive_grouping_and_small_letters(text: str) -> None:
    assert normal(grouped(text).lower()) == text
