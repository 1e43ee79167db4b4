"""A DICOMDIR stands for the files it names, and says what it leaves in doubt."""

from __future__ import annotations

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom import directory as dicomdir
from napari_medlabel.io.registry import find_series, looks_medical, read_volume
from tests.io.scans import voxels, write_series


def record(name=None, *, following=0, below=0, in_use=0xFFFF):
    one = Dataset()
    one.OffsetOfTheNextDirectoryRecord = following
    one.RecordInUseFlag = in_use
    one.OffsetOfReferencedLowerLevelDirectoryEntity = below
    one.DirectoryRecordType = "IMAGE"
    if name is not None:
        one.ReferencedFileID = name
    return one


def index(folder, records):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    ds.FileSetID = "INVENTED"
    ds.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    ds.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    ds.FileSetConsistencyFlag = 0
    ds.DirectoryRecordSequence = Sequence(records)
    path = folder / "DICOMDIR"
    pydicom.dcmwrite(path, ds, enforce_file_format=True)
    return path


@pytest.fixture
def disc(tmp_path):
    write_series(tmp_path / "DISC" / "S1", voxels(3), names=["IM1", "IM2", "im3"])
    write_series(tmp_path / "elsewhere", voxels(1), names=["IM9"], series="2")
    return tmp_path / "DISC"


NAMED = [record(["S1", "IM1"]), record(["S1", "IM2"]), record(["S1", "IM3"])]


def test_the_files_it_names_are_read_whatever_their_case(disc):
    path = index(disc, [record(), *NAMED])
    assert looks_medical(path)
    assert read_volume(path).grid.shape[2] == 3
    survey = find_series(path)
    assert survey.notes == ()
    assert survey.skipped == 0


def test_in_a_folder_it_is_skipped_and_the_folder_walked(disc):
    write_series(disc / "UNNAMED", voxels(2), series="3")
    index(disc, NAMED)
    survey = find_series(disc)
    assert len(survey.series) == 2
    assert survey.skipped == 1


def test_missing_files_and_records_not_in_use_are_told(disc):
    records = [*NAMED[:2], record(["S1", "GONE"]), record(["S1", "IM3"], in_use=0)]
    path = index(disc, records)
    note = "1 file of 3 that the index (DICOMDIR) names does not exist: the scan may be"
    assert find_series(path).notes[0].startswith(note)
    volume = read_volume(path)
    assert volume.grid.shape[2] == 2
    assert any(text.startswith(note) for text in volume.warnings)


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
@pytest.mark.parametrize("name", [["..", "elsewhere", "IM9"], ["S1", "../OUT"]])
def test_files_outside_of_its_folder_are_left_out(disc, name):
    survey = find_series(index(disc, [*NAMED, record(name)]))
    assert "1 file of 4" in survey.notes[0]
    assert "lies outside of its folder and was left out" in survey.notes[0]
    assert len(survey.series) == 1


def test_a_link_that_leads_out_is_left_out(disc):
    (disc / "LINK").symlink_to(disc.parent / "elsewhere")
    survey = find_series(index(disc, [*NAMED, record(["LINK", "IM9"])]))
    assert "outside of its folder" in survey.notes[0]


def test_records_in_a_circle_still_name_their_files(disc):
    path = index(disc, NAMED)
    first, second, *_ = (
        one.seq_item_tell for one in pydicom.dcmread(path).DirectoryRecordSequence
    )
    ways = [(second, 0), (first, 0), (0, 0)]
    path = index(
        disc, [record(list(one.ReferencedFileID), following=way[0])
               for one, way in zip(NAMED, ways, strict=True)]
    )  # fmt: skip
    survey = find_series(path)
    assert survey.series[0].files == 3
    assert survey.notes == (
        "The index (DICOMDIR) is damaged: its records lead in a circle.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], "names no file"),
        ([record(), record()], "names no file"),
        ([record(["A"]), record("B")], "names 2 files, and none of them exists"),
    ],
)
def test_an_index_of_nothing_is_refused(tmp_path, records, message):
    with pytest.raises(InputError, match=message) as caught:
        find_series(index(tmp_path, records))
    assert "folder" in caught.value.hint


def test_a_damaged_index_is_refused(disc):
    path = index(disc, NAMED)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(InputError, match=r"The index \(DICOMDIR\)"):
        find_series(path)
    assert str(disc) not in repr(dicomdir.Named(("x",), ()))
