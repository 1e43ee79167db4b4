from __future__ import annotations

import csv
import os
import sqlite3
import stat
import tracemalloc
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from napari_medlabel.deid.dicom.file import write_clean
from napari_medlabel.deid.keys import mapping
from napari_medlabel.deid.keys.mapping import Counted, Mappings, Pairs, pairs_in
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import basic_profile, load_profile
from napari_medlabel.errors import InputError, SaveError

PSEUDONYMS = Pseudonyms(bytes(range(32)))
DATA = Path(__file__).parents[4] / "shared" / "data"


def written_uids(path: Path) -> set[str]:
    """All UIDs of a file that are not the standard's, found by pydicom's own walk."""
    found = set()
    for element in dcmread(path, stop_before_pixels=True).iterall():
        if element.VR == "UI" and element.value:
            value = element.value
            found |= set(map(str, value if isinstance(value, MultiValue) else [value]))
    return {uid for uid in found if not uid.startswith("1.2.840.10008")}


@pytest.fixture
def scan(ct, as_file, tmp_path) -> Path:
    """A scan with UIDs in sequences, several in one attribute, and one of the standard."""
    reference = Dataset()
    reference.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    reference.ReferencedSOPInstanceUID = "1.3.6.1.4.1.99999.7.77"
    ds = ct(1, ReferencedImageSequence=Sequence([reference]))
    ds.IrradiationEventUID = ["1.3.6.1.4.1.99999.7.8", "1.3.6.1.4.1.99999.7.9"]
    path = tmp_path / "scan.dcm"
    path.write_bytes(as_file(ds))
    return path


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))


def test_the_pairs_are_what_stands_in_source_and_output(scan, tmp_path):
    output = tmp_path / "out.dcm"
    write_clean(scan, output, basic_profile(), PSEUDONYMS)
    pairs = pairs_in(scan, output, PSEUDONYMS)
    before, after = dcmread(scan), dcmread(output)
    assert {new for _, new in pairs.uids} == written_uids(output)
    assert {old for old, _ in pairs.uids} <= written_uids(scan)
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        assert (before[keyword].value, after[keyword].value) in pairs.uids
    nested = before.ReferencedImageSequence[0].ReferencedSOPInstanceUID
    assert nested in {old for old, _ in pairs.uids}
    assert pairs.patients == {("MRN5550123", str(after.PatientID))}


def test_a_uid_that_was_removed_has_no_row(scan, tmp_path):
    output = tmp_path / "out.dcm"
    write_clean(scan, output, basic_profile(), PSEUDONYMS)
    bare = dcmread(output)
    del bare.ReferencedImageSequence
    bare.save_as(tmp_path / "bare.dcm")
    pairs = pairs_in(scan, tmp_path / "bare.dcm", PSEUDONYMS)
    assert "1.3.6.1.4.1.99999.7.77" not in {old for old, _ in pairs.uids}


def test_a_uid_that_was_kept_is_its_own_pair(scan, tmp_path):
    output = tmp_path / "out.dcm"
    profile = load_profile(options=frozenset({Option.RETAIN_UIDS}))
    write_clean(scan, output, profile, PSEUDONYMS)
    pairs = pairs_in(scan, output, PSEUDONYMS)
    assert pairs.uids
    assert all(old == new for old, new in pairs.uids)


def test_a_scan_without_patient_id_has_no_row_for_it(ct, as_file, tmp_path):
    for name, patient in (("a", ""), ("b", "P-AAAAAAAA")):
        (tmp_path / name).write_bytes(as_file(ct(1, PatientID=patient)))
    assert pairs_in(tmp_path / "a", tmp_path / "b", PSEUDONYMS).patients == frozenset()


def test_what_cannot_be_read_is_refused_without_its_path(tmp_path, scan):
    with pytest.raises(InputError, match="could not be read") as caught:
        pairs_in(scan, tmp_path / "secret-name", PSEUDONYMS)
    assert "secret-name" not in caught.value.message + caught.value.hint


def test_broken_elements_are_passed_over(ct, as_file, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(as_file(ct(1)).replace(b"US\2\0\4\0", b"US\3\0\4\0\0"))
    with pytest.raises(BytesLengthException):
        dcmread(path).Rows  # noqa: B018 - it is the reading that fails
    assert len(pairs_in(path, path, PSEUDONYMS).uids) == 5


def test_a_patient_id_that_cannot_be_understood_has_no_row():
    class Broken(Dataset):
        def get(self, key, default=None):
            raise ValueError

    assert mapping._patient_id(Broken()) == ""


def test_rows_are_unique_sorted_and_for_the_owner_alone(tmp_path):
    folder = tmp_path / "new" / "maps"
    with Mappings(folder) as making:
        making.add(Pairs(frozenset({("B", "P-2")}), frozenset({("1.2", "2.25.2")})))
        making.add(
            Pairs(frozenset({("B", "P-2"), ("A", "P-1")}), frozenset({("1.2", "2.25.2")}))
        )
        assert making.counted() == Counted(patients=2, uids=1)
        assert making.finish() == Counted(patients=2, uids=1)
    assert sorted(path.name for path in folder.iterdir()) == [
        "patid_mapping.csv",
        "uid_mapping.csv",
    ]
    assert rows(folder / "patid_mapping.csv") == [
        ["id_old", "id_new"],
        ["A", "P-1"],
        ["B", "P-2"],
    ]
    assert rows(folder / "uid_mapping.csv") == [["id_old", "id_new"], ["1.2", "2.25.2"]]
    if os.name == "posix":
        modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        assert modes == {0o600}


def test_ids_with_commas_quotes_and_letters_of_any_script_come_back(tmp_path):
    old = 'a,"b"\nØrsted'
    with Mappings(tmp_path) as making:
        making.add(Pairs(patients=frozenset({(old, "P-1")})))
        making.finish()
    assert rows(tmp_path / "patid_mapping.csv")[1] == [old, "P-1"]


def test_what_was_not_finished_leaves_nothing(tmp_path):
    with Mappings(tmp_path) as making:
        making.add(Pairs(patients=frozenset({("A", "P-1")})))
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_replaced(tmp_path):
    (tmp_path / ".mapping.part").write_bytes(b"rest")
    (tmp_path / ".uid_mapping.csv.part").write_bytes(b"rest")
    with Mappings(tmp_path) as making:
        making.finish()
    assert len(list(tmp_path.iterdir())) == 2


def test_an_existing_mapping_is_never_overwritten(tmp_path):
    (tmp_path / "uid_mapping.csv").write_text("mine")
    with pytest.raises(SaveError, match="holds a mapping already"):
        Mappings(tmp_path)
    assert (tmp_path / "uid_mapping.csv").read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SaveError, match="folder is expected"):
        Mappings(tmp_path / "file" / "maps")


def test_a_full_disk_leaves_neither_file(tmp_path, monkeypatch):
    calls = []

    def full(_handle: int) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    with Mappings(tmp_path) as making:
        making.add(Pairs(patients=frozenset({("A", "P-1")})))
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(SaveError, match="disk is full"):
            making.finish()
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_cannot_be_written_is_a_save_error(tmp_path):
    with Mappings(tmp_path) as making:
        making._rows.close()
        with pytest.raises(SaveError, match="could not be written"):
            making.add(Pairs(patients=frozenset({("A", "P-1")})))
        with pytest.raises(SaveError, match="could not be written"):
            making.finish()


def test_memory_does_not_grow_with_the_rows(tmp_path):
    with Mappings(tmp_path) as making:
        tracemalloc.start()
        for start in range(0, 40_000, 400):
            uids = {(f"1.2.{number}", f"2.25.{number}") for number in range(start, start + 400)}
            making.add(Pairs(uids=frozenset(uids)))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert making.counted().uids == 40_000
    assert peak < 2_000_000


def test_pairs_and_errors_show_no_identifier():
    pairs = Pairs(frozenset({("MRN1", "P-1")}), frozenset({("1.2.3", "2.25.1")}))
    assert repr(pairs) == "Pairs(1 patients, 1 uids)"
    assert "MRN1" not in str(mapping._refused(sqlite3.OperationalError("MRN1")))


@pytest.mark.skipif(not DATA.is_dir(), reason="the data folder is not beside the repository")
def test_the_pairs_of_real_files_are_all_the_uids_of_their_copies(tmp_path):
    done = 0
    for path in sorted(DATA.rglob("*.dcm"))[::40]:
        output = tmp_path / f"{done}.dcm"
        try:
            write_clean(path, output, basic_profile(), PSEUDONYMS)
        except QuarantineError:
            continue
        done += 1
        pairs = pairs_in(path, output, PSEUDONYMS)
        assert {new for _, new in pairs.uids} == written_uids(output)
        assert all(PSEUDONYMS.uid(old) == new for old, new in pairs.uids)
    assert done
