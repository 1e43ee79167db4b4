from __future__ import annotations

import pytest

from napari_medlabel.deid.rules import multiplicity
from napari_medlabel.deid.rules.dictionary import DATA
from napari_medlabel.deid.rules.multiplicity import MULTIPLICITIES, most_numbers


@pytest.mark.parametrize(
    ("tag", "most"),
    [
        (0x00280010, 1),  # Rows
        (0x00281101, 3),  # a palette's descriptor
        (0x00189220, 1),
        (0x00280009, None),  # one or more
        (0x00100010, None),  # no number
        (0x00091001, None),
    ],
)
def test_the_standard_says_how_many_numbers_there_are(tag, most):
    assert most_numbers(tag) == most


def test_the_table_is_the_one_of_the_pydicom_that_is_installed():
    ours = set((DATA / MULTIPLICITIES).read_text("ascii").splitlines())
    assert len(ours) > 900
    assert ours <= set(multiplicity.multiplicities().splitlines())


def test_the_table_is_written_where_the_package_reads_it(monkeypatch, tmp_path):
    monkeypatch.setattr(multiplicity, "DATA", tmp_path)
    multiplicity.main()
    assert (tmp_path / MULTIPLICITIES).read_bytes().startswith(b"00000000\t1\n")
