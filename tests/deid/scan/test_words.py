from __future__ import annotations

import pytest

from napari_medlabel.deid.scan.finding import Sign
from napari_medlabel.deid.scan.words import decoded, is_dummy, needles_of


def patterns(text: str, sign: Sign = Sign.NAME, charsets: tuple[str, ...] = ()) -> set[bytes]:
    return {needle.pattern for needle in needles_of(text, sign, charsets)}


def test_a_name_is_sought_in_its_parts_and_spellings():
    found = patterns("Featherstone^Millicent")
    assert {b"featherstone^millicent", b"featherstone", b"millicent"} <= found
    assert "featherstone".encode("utf-16-le") in found
    assert "millicent".encode("utf-16-be") in found
    assert b"Millicent".hex().encode() in found


def test_letters_with_accents_are_sought_without_and_in_each_case():
    found = patterns("M\u00fcllner", charsets=("ISO_IR 100",))
    assert {
        b"m\xfcllner",
        b"m\xdcllner",
        "m\u00fcllner".encode(),
        b"mullner",
        b"muellner",
    } <= found


@pytest.mark.parametrize(
    ("charset", "codec", "name"),
    [
        (("", "ISO 2022 IR 87"), "iso2022_jp", "\u5c71\u7530"),
        (("", "ISO 2022 IR 149"), "euc_kr", "\uae40\ud76c"),
        (("GB18030",), "gb18030", "\u738b\u5c0f"),
        (("ISO_IR 192",), "utf-8", "\u738b\u5c0f"),
    ],
)
def test_two_ideograms_are_a_name(charset, codec, name):
    encoded = name.encode(codec).removesuffix(b"\x1b(B").lower()
    assert any(encoded in pattern for pattern in patterns(name, charsets=charset))


def test_a_day_is_sought_in_each_spelling():
    found = patterns("19630412", Sign.DATE)
    assert {b"19630412", b"1963-04-12", b"12.04.1963", b"12.4.1963", b"04/12/1963"} <= found
    assert {b"12 apr 1963", b"april 12, 1963", b"12-apr-1963"} <= found
    assert patterns("19639912", Sign.DATE) == set()
    assert patterns("19630231", Sign.DATE) == set()  # no such day
    assert b"19630412101112" in patterns("19630412101112", Sign.DATE)
    assert b"1963-04-12" in patterns("born 12 or 1963-04-12 in Zork", Sign.TEXT)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("Li", Sign.NAME), ("12345", Sign.IDENTIFIER), ("CHEST", Sign.TEXT), ("", Sign.TEXT),
        ("ANON", Sign.NAME), ("P-ABCDEFGH", Sign.IDENTIFIER), ("20000101", Sign.DATE),
        ("2.25.123456", Sign.UID), ("1.2.840.10008.1.2", Sign.UID), ("1.2.3", Sign.UID),
        ("0000000", Sign.IDENTIFIER), ("Axial 3D", Sign.TEXT), ("abc", Sign.TEXT),
    ],
)  # fmt: skip
def test_what_proves_nothing_is_not_sought(text, sign):
    assert patterns(text, sign) == set()


def test_short_words_and_numbers_must_stand_alone():
    by_pattern = {n.pattern: n for n in needles_of("Bobo^7654321", Sign.NAME, ())}
    assert by_pattern[b"bobo"].alone
    assert by_pattern[b"7654321"].alone
    assert not by_pattern[b"7654321"].plain
    long = {n.pattern: n for n in needles_of("1.2.826.0.1.3680043.9.1", Sign.UID, ())}
    assert not long[b"1.2.826.0.1.3680043.9.1"].alone


def test_one_word_of_a_description_is_loose():
    by_pattern = {n.pattern: n for n in needles_of("Zorkhaven Infirmary", Sign.TEXT, ())}
    assert by_pattern[b"zorkhaven"].loose
    assert not by_pattern[b"zorkhaven infirmary"].loose


def test_text_is_decoded_whatever_its_character_set_says():
    assert decoded(b"plain \0", ()) == "plain"
    assert decoded("\u00e4".encode("latin-1"), ()) == "\u00e4"
    assert decoded("\u0436".encode(), ("ISO_IR 192",)) == "\u0436"
    assert decoded(b"\xff\xfe", ("ISO_IR 192",)) == "\u00ff\u00fe"
    assert decoded("\u0436".encode(), ("GB18030", "nonsense")) != ""
    assert decoded("\u00e4".encode(), ("no such set",)) in {"\u00e4", "\u00c3\u00a4"}
    assert decoded("\u5c71".encode("iso2022_jp"), ("", "ISO 2022 IR 87")) == "\u5c71"
    assert decoded(b"\x80\x1b$Z", ("", "ISO 2022 IR 87")) != ""


def test_dummies_of_other_tools_are_dummies():
    for text in ("Anonymized", "REMOVED", "000000.0", "19000101", "0", "", "A-12345678"):
        assert is_dummy(text)
    assert not is_dummy("Quincy")


def test_marks_alone_are_not_sought_and_bad_character_sets_are_survived(monkeypatch):
    from pydicom import config

    assert b"e" not in patterns("e\u0301\u0301")
    monkeypatch.setattr(config.settings, "reading_validation_mode", config.RAISE)
    assert decoded("\u00e4".encode("latin-1"), ("no such set at all",)) == "\u00e4"


def test_a_keyword_of_the_standard_is_no_identity_and_a_word_like_one_is():
    assert patterns("PatientName", Sign.TEXT) == set()
    assert b"patientnamez" in patterns("PatientNamez", Sign.TEXT)
