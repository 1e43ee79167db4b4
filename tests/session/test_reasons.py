"""A reason with a text: never the patient's name, never without an officer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from napari_medlabel.audit.format.event import Reason
from napari_medlabel.audit.keys.officer import OfficerKey
from napari_medlabel.audit.keys.pins import pin_officer
from napari_medlabel.audit.keys.reasons import read_reason
from napari_medlabel.audit.keys.signatures import SigningKey
from napari_medlabel.audit.keys.site import Officer, Site, site_document
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.model.volume import Source
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.reasons import give_reason, identifying_values

LADY = OfficerKey(SigningKey(b"o" * 32))
TEXT = "the guideline changed"


@pytest.fixture
def site(desk: Desk) -> Site:
    found = Site("ward-3", 1, 0, officers=(Officer(LADY.public, LADY.box),))
    data = site_document(found, LADY.signing)
    (desk.audit_root / "site").mkdir(parents=True)
    (desk.audit_root / "site" / "0001.json").write_bytes(data)
    (desk.audit_root / "site.json").write_bytes(data)
    return found


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """A scan whose header names a patient, at two levels."""
    dataset = FileDataset(None, Dataset())
    dataset.ensure_file_meta()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, "1.2.3"
    dataset.PatientName = "Example^J\u00f6rg"
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientID = "EX-4711-0815"
    dataset.PatientBirthDate = "19620314"
    dataset.StudyDescription = "guideline"
    dataset.AccessionNumber = ""
    inner = Dataset()
    inner.PatientID = "OTHER-99887"
    dataset.OtherPatientIDsSequence = [inner]
    dataset.save_as(tmp_path / "scan.dcm", enforce_file_format=True)
    return Source("dicom", (tmp_path / "scan.dcm",), patient_id="EX-4711-0815", issuer="HOSP")


def test_a_text_is_kept_for_the_officer_and_the_log_gets_a_commitment(
    desk: Desk, site: Site, source: Source
) -> None:
    reason = give_reason(desk, "OTHER", TEXT, identifying_values(source))
    assert reason.code == "OTHER"
    assert read_reason(desk.audit_root, reason.ref, LADY) == TEXT
    desk.log.append("deid.override", detail={"tag": "00100010"}, reason=reason)


def test_a_code_alone_needs_no_officer(desk: Desk) -> None:
    assert give_reason(desk, "CORRECTION", "", ()) == Reason("CORRECTION")


@pytest.mark.parametrize(
    "text",
    ["ask Mr. example", "number 4711-0815", "born 14.3.62, i.e. 14.03.1962", "OTHER 99887"],
)
def test_a_text_that_names_the_patient_is_refused_and_not_kept(
    desk: Desk, site: Site, source: Source, text: str
) -> None:
    with pytest.raises(RefusedError, match="of the open scan's header"):
        give_reason(desk, "OTHER", text, identifying_values(source))
    assert not (desk.audit_root / "reasons").exists()


def test_a_text_goes_with_one_code_only(desk: Desk, site: Site) -> None:
    with pytest.raises(InputError, match="with the reason OTHER only"):
        give_reason(desk, "CORRECTION", TEXT, ())
    with pytest.raises(InputError, match="another word came"):
        give_reason(desk, "BECAUSE", TEXT, ())


def test_without_a_site_there_is_nobody_to_read_it(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="no site with an officer"):
        give_reason(desk, "OTHER", TEXT, ())


def test_a_site_that_was_changed_gets_no_text(desk: Desk, site: Site) -> None:
    (desk.audit_root / "site.json").write_bytes(b"{}")
    with pytest.raises(RefusedError, match="no site with an officer"):
        give_reason(desk, "OTHER", TEXT, ())


def test_another_officer_than_the_one_we_know_gets_no_text(desk: Desk, site: Site) -> None:
    pin_officer(desk.state, "ward-3", LADY.public)
    assert give_reason(desk, "OTHER", TEXT, ()).ref
    pin_officer(desk.state, "ward-3", b"x" * 32)
    with pytest.raises(RefusedError, match="not the one whom"):
        give_reason(desk, "OTHER", TEXT, ())


def test_what_identifies_is_found_at_every_level_once(source: Source) -> None:
    values = identifying_values(source)
    assert set(values) == {
        "EX-4711-0815",
        "HOSP",
        "Example^J\u00f6rg",
        "19620314",
        "OTHER-99887",
    }
    assert len(values) == 5


def test_of_other_formats_only_the_number_is_known(tmp_path: Path) -> None:
    nifti = Source("nifti", (tmp_path / "scan.nii.gz",))
    assert identifying_values(nifti) == ()
    assert identifying_values(replace(nifti, patient_id="4711")) == ("4711",)


def test_a_header_that_cannot_be_read_is_said(source: Source) -> None:
    source.files[0].unlink()
    with pytest.raises(InputError, match="header could not be read"):
        identifying_values(source)
