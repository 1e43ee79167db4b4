from __future__ import annotations

import os
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)

from napari_medlabel.deid.dicom.dataset import patient_of
from napari_medlabel.deid.dicom.file import looks_like_dicom, read
from napari_medlabel.deid.dicom.patient_of import patient_in
from napari_medlabel.deid.dicom.silence import quiet
from napari_medlabel.deid.refusal import QuarantineError

SHIPPED = Path(pydicom.__file__).parent / "data"
DATA = Path(__file__).parents[4] / "shared" / "data"
SCANS = Path(__file__).parents[3] / "sample_scans"
PLAIN = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]


@pytest.fixture
def patient(tmp_path):
    def found(content: bytes) -> tuple[str, str] | None:
        path = tmp_path / "scan"
        path.write_bytes(content)
        return patient_in(path)

    return found


@pytest.mark.parametrize("syntax", [*PLAIN, DeflatedExplicitVRLittleEndian])
def test_issuer_and_id_are_found_in_any_encoding(ct, as_file, patient, syntax):
    content = as_file(ct(1, IssuerOfPatientID="Clinic"), syntax)
    assert patient(content) == ("Clinic", "MRN5550123")
    assert patient(as_file(ct(1), syntax)) == ("", "MRN5550123")


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, RLELossless, "1.2.3.4"])
def test_compressed_and_unknown_encodings_are_explicit(ct, as_file, patient, syntax):
    content = as_file(ct(1)).replace(
        b"UI\x14\x001.2.840.10008.1.2.1\0",
        b"UI" + (len(syntax) + len(syntax) % 2).to_bytes(2, "little")
        + syntax.encode() + b"\0" * (len(syntax) % 2),
    )  # fmt: skip
    assert patient(content) == ("", "MRN5550123")


@pytest.mark.parametrize("syntax", PLAIN)
def test_without_an_id_the_study_stands_for_the_patient(ct, as_file, patient, syntax):
    ds = ct(1, PatientID="")
    assert patient(as_file(ds, syntax)) == ("study", str(ds.StudyInstanceUID))
    del ds.PatientID
    assert patient(as_file(ds, syntax)) == ("study", str(ds.StudyInstanceUID))
    del ds.StudyInstanceUID
    assert patient(as_file(ds, syntax)) == ("study", str(ds.SOPInstanceUID))


def test_a_file_that_names_nobody_is_none(ct, as_file, patient):
    content = as_file(ct(1, PatientID="", StudyInstanceUID=""))
    uid = str(ct(1).SOPInstanceUID).encode()
    assert patient(content.replace(uid, b" " * len(uid))) is None


@pytest.mark.parametrize("syntax", PLAIN)
@pytest.mark.parametrize("undefined", [True, False])
def test_sequences_before_the_patient_are_passed_over(ct, as_file, patient, syntax, undefined):
    inner = Dataset()
    inner.PatientID = "ANOTHER"
    outer = Dataset()
    outer.PatientID = "ANOTHER"
    outer.ReferencedImageSequence = Sequence([inner, Dataset()])
    ds = ct(1, ReferencedStudySequence=Sequence([outer, inner]))
    ds["ReferencedStudySequence"].is_undefined_length = undefined
    for item in (outer, inner):
        item.is_undefined_length_sequence_item = undefined
    outer["ReferencedImageSequence"].is_undefined_length = undefined
    assert patient(as_file(ds, syntax)) == ("", "MRN5550123")


def test_a_sequence_in_an_unknown_vr_is_implicit_inside(patient, ct, as_file):
    inside = b"\x10\0\x20\0\6\0\0\0OTHER "
    item = b"\xfe\xff\0\xe0\xff\xff\xff\xff" + inside + b"\xfe\xff\x0d\xe0\0\0\0\0"
    private = (
        b"\x09\0\x10\0LO\4\0ACME"
        b"\x09\0\x02\x10UN\0\0\xff\xff\xff\xff" + item + b"\xfe\xff\xdd\xe0\0\0\0\0"
    )
    content = as_file(ct(1))
    place = content.index(b"\x10\0\x10\0PN")
    nested = (
        b"\x08\0\x10\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"
        + private
        + b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    )
    assert patient(content[:place] + nested + private + content[place:]) == ("", "MRN5550123")


@pytest.mark.parametrize("length", [10_000, 200_000])
def test_a_long_value_before_the_patient_is_no_hindrance(ct, as_file, patient, length):
    ds = ct(1, AccessionNumber="A")
    ds.add_new(0x00091001, "OB", bytes(length))
    ds.add_new(0x00090010, "LO", "ACME")
    assert patient(as_file(ds)) == ("", "MRN5550123")


def test_a_file_that_is_cut_off_after_its_header_is_still_read(ct, as_file, patient):
    content = as_file(ct(1))
    place = content.index(b"\x20\0\x0d\0UI") + 60
    assert patient(content[:place]) == ("", "MRN5550123")


def test_padding_and_several_values_are_as_the_engine_reads_them(ct, as_file, patient):
    content = as_file(ct(1, PatientID="AB\\CD  "))
    assert patient(content) == ("", "AB\\CD") == patient_of(read(content))


def test_a_file_without_preamble_is_read(ct, as_file, patient):
    content = as_file(ct(1))
    assert patient(content[content.index(b"\x08\0\x08\0CS") :]) == ("", "MRN5550123")


@pytest.mark.parametrize(
    "content", [b"", b"text", bytes(300), b"\0" * 128 + b"DICM" + b"\xff" * 99]
)
def test_what_is_no_dicom_is_none(patient, content):
    assert patient(content) is None


def test_what_is_not_there_is_none(tmp_path):
    assert patient_in(tmp_path / "none") is None


def test_elements_out_of_order_are_left_to_the_other_reader(ct, as_file, patient):
    content = as_file(ct(1))
    place = content.index(b"\x10\0\x20\0LO")
    swapped = b"\x08\0\x05\0CS\4\0ISO "
    assert patient(content[:place] + swapped + content[place:]) == ("", "MRN5550123")


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1500), st.binary(min_size=1, max_size=4))
def test_broken_bytes_never_raise(ct_bytes, place, junk):
    path, content = ct_bytes
    path.write_bytes(content[:place] + junk + content[place + len(junk) :])
    found = patient_in(path)
    assert found is None or found[1]


@pytest.fixture(scope="module")
def ct_bytes(ct, as_file, tmp_path_factory):
    return tmp_path_factory.mktemp("broken") / "scan", as_file(ct(1))


def files(*roots: Path) -> list[Path]:
    found = (Path(p) / n for root in roots for p, _, names in os.walk(root) for n in names)
    return sorted(path for path in found if path.is_file() and path.stat().st_size < 4_000_000)


@pytest.mark.parametrize("root", [SHIPPED, SCANS, DATA], ids=["pydicom", "samples", "data"])
def test_every_file_at_hand_gives_what_the_parser_gives(root):
    if not root.is_dir():
        pytest.skip("this folder is not here")
    compared = 0
    for path in files(root)[:: 1 if root == SHIPPED else 7]:
        content = path.read_bytes()
        if not looks_like_dicom(content[:132]):
            continue
        try:
            with quiet():
                expected = patient_of(read(content))
        except QuarantineError:
            continue
        if expected[1]:
            compared += 1
            assert patient_in(path) == expected
    assert compared or root == SCANS


def test_a_deflated_file_that_cannot_be_inflated_is_none(ct, as_file, patient):
    content = as_file(ct(1), DeflatedExplicitVRLittleEndian)
    length = int.from_bytes(content[140:144], "little")
    assert patient(content[: 144 + length] + b"\xff" * 40) is None


def test_a_sequence_of_something_else_is_left_to_the_other_reader(ct, as_file, patient):
    content = as_file(ct(1))
    place = content.index(b"\x10\0\x10\0PN")
    broken = b"\x08\0\x10\x11SQ\0\0\xff\xff\xff\xff" + b"\x01\0\x02\0\0\0\0\0" * 2
    assert patient(content[:place] + broken + content[place:]) is None
