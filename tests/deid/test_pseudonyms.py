from __future__ import annotations

import re
import subprocess
import sys
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.deid.pseudonyms import Pseudonyms, normalised
from napari_medlabel.errors import InputError

KEY = bytes(range(32))


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
        "from napari_medlabel.deid.pseudonyms import Pseudonyms;"
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
