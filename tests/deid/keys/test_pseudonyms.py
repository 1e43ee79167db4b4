from __future__ import annotations

import os
import re
import subprocess
import sys
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.deid.keys.pseudonyms import (
    Pseudonyms,
    base32,
    from_base32,
    normalised,
)
from napari_medlabel.deid.rules.temporal import FEWEST_DAYS, MOST_DAYS, days_back
from napari_medlabel.errors import InputError

KEY = bytes(range(32))
PURPOSES = (
    "patient", "study", "series", "instance", "file", "folder", "nifti", "accession",
    "study-id", "device", "days-back", "log-subject", "key-id", "uid", "source",
)  # fmt: skip


@given(st.text(min_size=1, max_size=64))
def test_a_new_uid_is_valid_and_a_version_four_uuid(original):
    uid = Pseudonyms(KEY).uid(original)
    assert re.fullmatch(r"2\.25\.[1-9][0-9]{0,38}", uid)
    assert len(uid) <= 64
    assert UUID(int=int(uid.removeprefix("2.25."))).version == 4


def test_padding_of_a_uid_does_not_count():
    assert Pseudonyms(KEY).uid("1.2.3\0") == Pseudonyms(KEY).uid("1.2.3")


def test_two_keys_give_different_pseudonyms():
    one, other = Pseudonyms(KEY), Pseudonyms(bytes(32))
    assert one.uid("1.2.3") != other.uid("1.2.3")
    assert one.patient_code("", "7") != other.patient_code("", "7")
    assert one.subject_token("", "7") != other.subject_token("", "7")
    assert one.key_id != other.key_id


def test_purposes_are_apart():
    one = Pseudonyms(KEY)
    assert one.code("study", "1.2.3") != one.code("series", "1.2.3")


def test_another_process_gives_the_same_pseudonyms():
    program = (
        "from napari_medlabel.deid.keys.pseudonyms import Pseudonyms;"
        "p = Pseudonyms(bytes(range(32)));"
        "print(p.uid('1.2.3'), p.patient_code('A', '7'), p.subject_token('A', '7'))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    here = Pseudonyms(KEY)
    expected = [here.uid("1.2.3"), here.patient_code("A", "7"), here.subject_token("A", "7")]
    assert ran.stdout.decode().split() == expected


def test_codes_have_their_form():
    one = Pseudonyms(KEY)
    assert re.fullmatch(r"P-[0-9A-HJKMNP-TV-Z]{8}", one.patient_code("Clinic", "MRN1"))
    assert re.fullmatch(r"s1-[0-9a-f]{32}", one.subject_token("Clinic", "MRN1"))
    assert re.fullmatch(r"[0-9a-f]{8}", one.key_id)


def test_one_patient_is_one_patient_however_the_id_is_padded():
    one = Pseudonyms(KEY)
    assert one.patient_code("Clinic ", "MRN1\0") == one.patient_code("Clinic", "MRN1 ")
    assert one.patient_code("Clinic", "mrn1") != one.patient_code("Clinic", "MRN1")
    assert normalised(" a\u0308 ") == "\u00e4"


def test_the_issuer_counts():
    one = Pseudonyms(KEY)
    assert one.patient_code("A", "7") != one.patient_code("B", "7")
    assert one.patient_code("A", "7") != one.patient_code("", "A7")


def test_codes_can_come_from_a_table():
    table = {("A", "7"): "P-TABLE"}
    one = Pseudonyms(KEY, patient_code_source=lambda issuer, pid: table[issuer, pid])
    assert one.patient_code("A", " 7") == "P-TABLE"


def test_log_tokens_can_come_from_the_logs_own_key():
    one = Pseudonyms(KEY, subject_token_source=lambda issuer, pid: f"s1-{issuer}{pid}")
    assert one.subject_token("A", "7") == "s1-A7"


def test_the_key_is_not_shown():
    assert "key" not in repr(Pseudonyms(KEY))


def test_a_short_key_is_refused():
    with pytest.raises(InputError, match="32 bytes"):
        Pseudonyms(b"short")


@given(st.integers(0, 2**40 - 1))
def test_a_code_is_a_number_and_back(number):
    assert from_base32(base32(number, 8)) == number


def test_letters_that_are_no_code_are_refused():
    with pytest.raises(ValueError, match="not found"):
        from_base32("U")


def test_each_purpose_has_its_own_random_function():
    """Of one value, no two purposes give anything that could be joined."""
    one = Pseudonyms(KEY)
    value = "1.2.3"
    codes = {one.code(purpose, value, length=26) for purpose in PURPOSES}
    uid_bits = int(one.uid(value).removeprefix("2.25."))
    assert len(codes) == len(PURPOSES)
    assert all(from_base32(code) != uid_bits for code in codes)
    shifts = {days_back(one, "", str(number)) for number in range(400)}
    assert len(shifts) > 350
    assert min(shifts) >= FEWEST_DAYS
    assert max(shifts) <= MOST_DAYS


def test_what_the_key_id_shows_is_no_key_and_no_other_code():
    one = Pseudonyms(KEY)
    assert one.key_id not in KEY.hex()
    assert all(one.key_id != one.code(p, "", length=8).lower() for p in PURPOSES)


def test_two_patients_share_neither_shift_nor_token_nor_code():
    one = Pseudonyms(KEY)
    patients = [("A", "1"), ("A", "2"), ("B", "1"), ("", "A1"), ("", "1")]
    for function in (one.patient_code, one.subject_token):
        assert len({function(*patient) for patient in patients}) == len(patients)
    assert len({days_back(one, *patient) for patient in patients}) == len(patients)


def test_an_issuer_with_the_separator_in_it_is_not_another_patient():
    one = Pseudonyms(KEY)
    assert one.patient_code("a\x1fb", "c") != one.patient_code("a", "b\x1fc")
    assert one.subject_token("a\x1fb", "c") != one.subject_token("a", "b\x1fc")


def test_processes_started_anew_agree_about_everything_keyed():
    program = (
        "import sys;"
        "from napari_medlabel.deid.keys.pseudonyms import Pseudonyms;"
        "from napari_medlabel.deid.rules.temporal import days_back;"
        "p = Pseudonyms(bytes(range(32)));"
        "print(p.key_id, p.uid('1.2.3'), p.code('study', '1.2'), p.subject_token('\xc4', '7'),"
        "days_back(p, '\xc4', '7'))"
    )
    said = set()
    for seed in ("0", "1", "random"):
        ran = subprocess.run(
            [sys.executable, "-X", "utf8", "-c", program],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        said.add(ran.stdout.decode().strip())
    here = Pseudonyms(KEY)
    expected = [
        here.key_id,
        here.uid("1.2.3"),
        here.code("study", "1.2"),
        here.subject_token("\xc4", "7"),
        str(days_back(here, "\xc4", "7")),
    ]
    assert said == {" ".join(expected)}


def test_keyed_values_are_those_of_earlier_versions():
    """What was exported must join what will be: these must never change."""
    one = Pseudonyms(KEY)
    assert one.key_id == "6b4683bc"
    assert one.uid("1.2.3") == "2.25.289080088790067061204953984247824513886"
    assert one.code("study", "1.2.3") == "TSJWK039"
    assert one.patient_code("Clinic", "MRN1") == "P-D92R9ZH6"
    assert one.subject_token("Clinic", "MRN1") == "s1-dda923f0ef9df4b4e1437dbba882190e"
    assert days_back(one, "Clinic", "MRN1") == 1532
