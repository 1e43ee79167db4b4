from __future__ import annotations

import pytest

from napari_medlabel.deid.rules import generate_dictionary
from napari_medlabel.deid.rules.dictionary import DATA, DICTIONARY
from napari_medlabel.deid.rules.vocabulary import CODES, UIDS

MADE = {
    DICTIONARY: generate_dictionary.dictionary,
    generate_dictionary.REPEATERS: generate_dictionary.repeaters,
    UIDS: generate_dictionary.uids,
    CODES: generate_dictionary.codes,
}


@pytest.mark.parametrize("name", MADE)
def test_the_tables_are_the_ones_of_the_pydicom_that_is_installed(name):
    ours = set((DATA / name).read_text("utf-8").splitlines())
    theirs = set(MADE[name]().splitlines())
    assert len(ours) > 60
    # a newer pydicom may know more; what ours say it must say as well
    assert ours <= theirs


def test_the_tables_are_written_where_the_package_reads_them(monkeypatch, tmp_path):
    monkeypatch.setattr(generate_dictionary, "DATA", tmp_path)
    generate_dictionary.main()
    assert {path.name for path in tmp_path.iterdir()} == set(MADE)
    assert (tmp_path / UIDS).read_bytes().startswith(b"1.2.840.10008.1.1\t\n")
