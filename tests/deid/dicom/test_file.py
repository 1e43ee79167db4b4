from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from napari_medlabel.deid.dicom import dataset as dicom
from napari_medlabel.deid.dicom import file as dicom_file
from napari_medlabel.deid.dicom.file import (
    clean_file,
    clean_parsed,
    deidentify_file,
    is_dicomdir,
    looks_like_dicom,
    quiet,
    read,
)
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.errors import InputError, SaveError

NATIVE = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.99",
)
SECRETS = (
    b"Featherstone",
    b"FEATHERSTONE",
    b"MRN5550123",
    b"ACC778899",
    b"19470316",
    b"Elsewhere",
)
SHIPPED = (
    "CT_small.dcm",
    "MR_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_expb.dcm",
    "MR_small_implicit.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "MR_small_padded.dcm",
    "liver_1frame.dcm",
    "liver_expb_1frame.dcm",
    "rtdose_1frame.dcm",
    "rtdose_rle_1frame.dcm",
    "rtplan.dcm",
    "rtstruct.dcm",
    "test-SR.dcm",
    "waveform_ecg.dcm",
    "reportsi.dcm",
    "ExplVR_LitEndNoMeta.dcm",
)


@pytest.mark.parametrize("syntax", NATIVE)
def test_every_native_encoding_is_cleaned_and_kept(ct, as_file, profile, pseudonyms, syntax):
    source = ct()
    content = clean_file(as_file(source, syntax), profile, pseudonyms).content
    again = pydicom.dcmread(BytesIO(content))
    assert again.file_meta.TransferSyntaxUID == syntax
    assert again.PixelData == source.PixelData
    assert (again.Rows, again.Columns) == (4, 6)
    body = content if not syntax.endswith(".99") else inflated(content)
    assert not [secret for secret in SECRETS if secret in body]


def inflated(content: bytes) -> bytes:
    length = struct.unpack_from("<L", content, 140)[0]
    return zlib.decompress(content[144 + length :], -15)


def test_preamble_and_meta_are_made_from_nothing(ct, as_file, profile, pseudonyms):
    content = clean_file(as_file(ct(), preamble=b"QUINCY"), profile, pseudonyms).content
    assert content[:128] == bytes(128)
    meta = pydicom.dcmread(BytesIO(content)).file_meta
    assert "SourceApplicationEntityTitle" not in meta
    assert meta.ImplementationVersionName == "NAPARI_MEDLABEL"


def test_instance_and_meta_agree(ct, as_file, profile, pseudonyms):
    again = pydicom.dcmread(BytesIO(clean_file(as_file(ct()), profile, pseudonyms).content))
    assert again.file_meta.MediaStorageSOPInstanceUID == again.SOPInstanceUID
    assert again.file_meta.MediaStorageSOPClassUID == again.SOPClassUID == ct().SOPClassUID


def test_what_follows_the_pixels_is_dropped(ct, as_file, profile, pseudonyms):
    content = as_file(ct()) + b"TRAILING QUINCY, Jack, born 1947"
    assert b"QUINCY" not in clean_file(content, profile, pseudonyms).content


def test_names_are_codes(ct, as_file, profile, pseudonyms):
    one = clean_file(as_file(ct(1)), profile, pseudonyms)
    two = clean_file(as_file(ct(2)), profile, pseudonyms)
    assert one.name[:3] == two.name[:3]
    assert one.name[3] != two.name[3]
    assert one.name[0] == one.report.patient_code
    assert one.name[3].endswith(".dcm")


def test_the_same_bytes_come_out_every_time(ct, as_file, profile, pseudonyms):
    content = as_file(ct())
    assert clean_file(content, profile, pseudonyms) == clean_file(content, profile, pseudonyms)


@pytest.mark.parametrize("charset", ["ISO_IR 192", "ISO_IR 100", "ISO 2022 IR 13", "NOT A SET"])
def test_names_in_other_character_sets_leave_nothing(ct, as_file, profile, pseudonyms, charset):
    name = "ﾔﾏﾀﾞ^ﾀﾛｳ" if "13" in charset else "Müllerström^Zoë"
    source = ct(SpecificCharacterSet=charset)
    with quiet():
        source.PatientName = name if charset != "NOT A SET" else "Muellerstroem"
        content = clean_file(as_file(source), profile, pseudonyms).content
    for encoding in ("utf-8", "latin-1", "shift_jis", "utf-16-le"):
        part = name.split("^", maxsplit=1)[0].encode(encoding, "ignore")
        assert not part or part not in content
    assert b"stroem" not in content


@pytest.mark.parametrize("name", SHIPPED)
def test_files_that_ship_with_pydicom_are_cleaned(name, profile, pseudonyms):
    path = Path(str(get_testdata_file(name, download=False)))
    with quiet():
        source = pydicom.dcmread(path, force=True)
        cleaned = clean_file(path.read_bytes(), profile, pseudonyms)
        again = pydicom.dcmread(BytesIO(cleaned.content))
        for tag in (0x7FE00010, 0x7FE00008):
            assert (tag in source) == (tag in again)
            if tag in source and not source[tag].is_undefined_length:
                new, old = again[tag].value, source[tag].value
                assert old[: len(new)] == new
                assert len(old) - len(new) < 200
        private = [e for e in again.iterall() if e.tag.is_private]
        words = [e for e in source.iterall() if e.VR == "PN" and len(str(e.value)) > 5]
        uids = [e.value for e in source.iterall() if e.VR == "UI" and e.VM == 1]
    assert not private
    assert again.PatientIdentityRemoved == "YES"
    assert not [e for e in words if str(e.value).encode() in cleaned.content]
    foreign = [u for u in uids if len(u) > 12 and not u.startswith("1.2.840.10008.")]
    assert not [u for u in foreign if u.encode() in cleaned.content]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("MR_truncated.dcm", Reason.PIXELS_INCOMPLETE),
        ("rtplan_truncated.dcm", Reason.UNREADABLE),
        ("badVR.dcm", Reason.UNREADABLE),
        ("SC_rgb_rle.dcm", Reason.PIXELS_MAY_SHOW),
        ("examples_ybr_color.dcm", Reason.PIXELS_MAY_SHOW),
        ("nested_priv_SQ.dcm", Reason.NO_IDENTIFIERS),
    ],
)
def test_shipped_files_that_cannot_be_cleaned_are_refused(name, reason, profile, pseudonyms):
    path = Path(str(get_testdata_file(name, download=False)))
    with pytest.raises(QuarantineError) as caught:
        clean_file(path.read_bytes(), profile, pseudonyms)
    assert caught.value.reason is reason


def test_identity_that_stays_is_found_and_refused(
    ct, as_file, profile, pseudonyms, monkeypatch
):
    original = dicom.deidentify_dataset

    def leaky(*args, **kwargs):
        cleaned, report = original(*args, **kwargs)
        cleaned.SeriesDescription = "of Featherstone"
        return cleaned, report

    monkeypatch.setattr(dicom, "deidentify_dataset", leaky)
    with pytest.raises(QuarantineError, match="identity found"):
        clean_parsed(as_file(ct()), profile, pseudonyms)


def test_a_name_in_the_pixels_is_found_and_refused(ct, as_file, profile, pseudonyms):
    source = ct(PixelData=b"Featherstone".ljust(48, b"\0"))
    with pytest.raises(QuarantineError, match="identity found"):
        clean_file(as_file(source), profile, pseudonyms)


def test_a_result_without_its_marks_is_refused(ct, as_file, profile, pseudonyms, monkeypatch):
    original = dicom.deidentify_dataset

    def unmarked(*args, **kwargs):
        cleaned, report = original(*args, **kwargs)
        del cleaned.PatientIdentityRemoved
        return cleaned, report

    monkeypatch.setattr(dicom, "deidentify_dataset", unmarked)
    with pytest.raises(QuarantineError, match="identity found"):
        clean_parsed(as_file(ct()), profile, pseudonyms)


@pytest.mark.parametrize("content", [b"", b"QUINCY", bytes(200), b"\x08\0\x05\0CS\x0a\0ISO_I"])
def test_bytes_that_are_no_data_set_are_refused(content, profile, pseudonyms):
    with pytest.raises(QuarantineError):
        clean_file(content, profile, pseudonyms)


def test_a_deflated_file_that_does_not_inflate_is_refused(ct, as_file):
    content = as_file(ct(), NATIVE[3])
    with pytest.raises(QuarantineError, match="unreadable"):
        read(content[:-40] + bytes(40))
    with pytest.raises(QuarantineError, match="unreadable"):
        read(content[:400])


def test_a_private_transfer_syntax_is_refused(ct, as_file, profile, pseudonyms):
    content = as_file(ct()).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.113619.5.2\0\0")
    with pytest.raises(QuarantineError):
        clean_file(content, profile, pseudonyms)


@pytest.mark.parametrize(
    ("syntax", "big"), [(NATIVE[0], False), (NATIVE[1], False), (NATIVE[2], True)]
)
def test_a_file_without_preamble_and_meta_is_understood(
    ct, as_file, profile, pseudonyms, syntax, big
):
    content = as_file(ct(), syntax)
    length = struct.unpack_from("<L", content, 140)[0]
    bare = content[144 + length :]
    assert looks_like_dicom(bare)
    cleaned = clean_file(bare, profile, pseudonyms)
    meta = pydicom.dcmread(BytesIO(cleaned.content)).file_meta
    assert meta.TransferSyntaxUID == syntax
    assert b"Featherstone" not in cleaned.content


@pytest.mark.parametrize(
    "head", [b"", b"\x08\0\x05", b"hello world, this is text", bytes(400), b"\x5c\x01\0\0" * 90]
)
def test_other_bytes_do_not_look_like_dicom(head):
    assert not looks_like_dicom(head)


def test_a_sequence_that_came_as_un_is_walked(ct, as_file, profile, pseudonyms):
    item = Dataset()
    item.StationName = "QUINCYS ROOM"
    item.SliceThickness = "3"
    source = ct(SourceInstanceSequence=None, ReferencedInstanceSequence=Sequence([item]))
    content = as_file(source).replace(b"\x08\x00\x4a\x11SQ", b"\x08\x00\x4a\x11UN")
    cleaned = clean_file(content, profile, pseudonyms).content
    assert b"QUINCY" not in cleaned


def test_a_dicomdir_is_known(ct, as_file):
    source = ct()
    assert not is_dicomdir(read(as_file(source)))
    source.SOPClassUID = dicom_file.DICOMDIR_CLASS
    assert is_dicomdir(read(as_file(source)))


def test_one_file_is_cleaned_into_another(ct, as_file, profile, pseudonyms, tmp_path):
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(as_file(ct()))
    before = source.read_bytes()
    report = deidentify_file(source, target, profile, pseudonyms)
    assert pydicom.dcmread(target).PatientID == report.patient_code
    assert source.read_bytes() == before
    with pytest.raises(SaveError, match="could not be made"):
        deidentify_file(source, target, profile, pseudonyms)
    with pytest.raises(InputError, match="could not be read"):
        deidentify_file(tmp_path / "none.dcm", target, profile, pseudonyms)


def test_an_item_outside_of_any_sequence_does_not_end_the_file_unseen(ct, as_file):
    content = as_file(ct())
    at = content.index(b"\xe0\x7f\x10\x00")
    with pytest.raises(QuarantineError, match="unreadable"):
        read(content[:at] + b"\xfe\xff\x00\xe0\0\0\0\0" + content[at:])
