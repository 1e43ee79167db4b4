"""A folder's preview: one file of each series, summed by path, rule and outcome."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from napari_medlabel.deid.report.explain import Outcome
from napari_medlabel.deid.report.explain_folder import summed


@pytest.fixture
def folder(ct, as_file, tmp_path):
    """Three slices of one series, one of another, an ultrasound, and things that are none."""
    inside = Dataset()
    inside.ReferencedSOPInstanceUID = "1.2.3"
    references = Sequence([inside, inside])
    for number in (1, 2, 3):
        scan = as_file(ct(number, ReferencedImageSequence=references, PatientComments="x"))
        (tmp_path / f"{number}.dcm").write_bytes(scan)
    (tmp_path / "4.dcm").write_bytes(
        as_file(ct(4, SeriesInstanceUID="1.2.9", Manufacturer="Unknown maker"))
    )
    (tmp_path / "5.dcm").write_bytes(as_file(ct(5, SeriesInstanceUID="1.2.8", Modality="US")))
    (tmp_path / "notes.txt").write_text("Featherstone")
    private = ct(6, SeriesInstanceUID="1.2.7")
    private.add_new(0x00090010, "LO", "MAKER")
    private.add_new(0x00091001, "LO", "Featherstone")
    (tmp_path / "6.dcm").write_bytes(as_file(private))
    return tmp_path


def test_one_file_of_each_series_is_explained_and_the_same_is_summed(
    folder, profile, pseudonyms
):
    done = []
    summary = summed(sorted(folder.iterdir()), profile, pseudonyms, progress=done.append)
    assert done == [1, 2, 3, 4, 5, 6, 7]
    assert (summary.series, summary.files) == (4, 6)
    assert summary.refused == {"pixels may show identity": 1}
    by_path = {}
    for each in summary.rows:
        by_path.setdefault(each.row.path, []).append(
            (each.row.outcome, each.series, each.files)
        )
    assert by_path["PatientName"] == [(Outcome.CHANGED, 3, 5)]
    assert by_path["PatientComments"] == [(Outcome.REMOVED, 1, 3)]
    assert by_path["Manufacturer"] == [(Outcome.EMPTIED, 1, 1), (Outcome.KEPT, 2, 4)]
    nested = "ReferencedImageSequence[]/ReferencedSOPInstanceUID"
    assert by_path[nested] == [(Outcome.CHANGED, 1, 3)]
    paths = [each.row.path for each in summary.rows]
    assert paths.index(nested) == paths.index("ReferencedImageSequence") + 1
    assert "Featherstone" not in repr(summary)


def test_the_summary_reads_as_a_table_and_as_json(folder, profile, pseudonyms):
    summary = summed(sorted(folder.iterdir()), profile, pseudonyms)
    text = summary.as_text()
    first = text.splitlines()[0].split()
    assert first == ["attribute", "action", "outcome", "series", "rule"]
    assert "2 private attributes" in text
    assert "(0009,1001)" not in text
    assert text.endswith("Not passed on: 1 files (pixels may show identity).")
    assert "One file of each of 4 series looked at (6 files)." in text
    document = summary.to_json()
    assert document["refused"] == {"pixels may show identity": 1}
    assert {
        "path": "PatientComments", "vr": "LT", "action": "X", "outcome": "removed",
        "rule": "Table E.1-1: X", "option": "", "series": 1, "files": 3,
    } in document["attributes"]  # fmt: skip
    none_private = summed([folder / "1.dcm"], profile, pseudonyms)
    assert "private" not in none_private.as_text()


def test_a_file_that_goes_away_or_breaks_is_counted_as_unreadable(
    folder, profile, pseudonyms, monkeypatch
):
    def away(_done: int) -> None:
        (folder / "1.dcm").unlink(missing_ok=True)

    assert summed([folder / "1.dcm"], profile, pseudonyms, progress=away).refused == {
        "unreadable": 1
    }
    assert summed([folder / "no.dcm"], profile, pseudonyms).files == 0
