from __future__ import annotations

import pytest

from napari_medlabel.deid.scan.output import Sign
from napari_medlabel.deid.scan.tree import files_of, scan_path
from napari_medlabel.errors import InputError


@pytest.fixture
def folder(tmp_path, ct, as_file):
    """A slice, a note that names its patient, a folder of that name, and a link."""
    inside = tmp_path / "scans" / "FEATHERSTONE"
    inside.mkdir(parents=True)
    (inside / "1.dcm").write_bytes(as_file(ct()))
    (tmp_path / "scans" / "note.txt").write_bytes(b"Millicent came on 1947-03-16")
    (tmp_path / "scans" / "plain.txt").write_bytes(b"nothing")
    (tmp_path / "scans" / "link").symlink_to(inside / "1.dcm")
    return tmp_path / "scans"


def test_what_one_file_tells_is_sought_in_all_of_them(folder):
    seen: list[tuple[int, int]] = []
    report = scan_path(folder, progress=lambda done, total: seen.append((done, total)))
    by_place = {}
    for finding, places in report.findings.items():
        for place in places:
            by_place.setdefault(place, set()).add((finding.sign, finding.where))
    assert report.files == 3
    assert {(Sign.FILE_NAME, "name"), (Sign.LISTED, "(0010,0010)")} <= by_place[1]
    assert by_place[2] == {(Sign.NAME, "text"), (Sign.DATE, "text")}
    assert 3 not in by_place
    assert seen == [(number, 6) for number in range(1, 7)]


def test_a_file_is_searched_against_its_source(folder):
    note = folder / "note.txt"
    assert scan_path(note).findings == {}
    report = scan_path(note, against=folder / "FEATHERSTONE")
    assert {finding.sign for finding in report.findings} == {Sign.NAME, Sign.DATE}
    document = report.to_json()
    assert document["files"] == 1
    assert {"kind": "name of a person", "where": "text", "files": [1]} in document["findings"]


def test_a_folder_without_files_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is none"):
        files_of(tmp_path)


def test_files_that_cannot_be_read_are_named(folder, monkeypatch):
    path = folder / "plain.txt"
    real = type(path).open

    def denied(self, *args, **kwargs):
        if self.name == "plain.txt":
            raise PermissionError
        return real(self, *args, **kwargs)

    monkeypatch.setattr(type(path), "open", denied)
    report = scan_path(path)
    assert [finding.sign for finding in report.findings] == [Sign.UNREADABLE]
