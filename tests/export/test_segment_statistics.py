from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.export.segment_statistics import (
    save_statistics,
    statistics_csv,
    statistics_table,
)
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.measure.statistics import measure_labels
from napari_medlabel.model.labelmap import Code, Label, LabelMap, LabelScheme

SCHEME = LabelScheme(
    "Two",
    (
        Label(1, "=Box", "#112233", Code("SCT", "10200004", "Liver")),
        Label(2, "Nothing", "#223344"),
    ),
)


@pytest.fixture
def labels(make_grid: Callable[..., Grid]) -> LabelMap:
    made = LabelMap.empty(make_grid("PIR", (12, 10, 6), (0.8, 0.9, 3.0)), SCHEME)
    made.array[2:8, 3:5, 1:4] = 1
    made.array[0, 0, 0] = 7
    return made


def test_the_table_has_units_in_its_headers_and_runs_no_formula(
    labels: LabelMap, tmp_path: Path
) -> None:
    image = np.zeros((12, 10, 6), np.int16)
    table = statistics_table(measure_labels(labels, image), labels.grid, unit="HU")
    assert all(list(record) == list(table[0]) for record in table)
    assert {"mean (HU)", "volume (ml)", "centroid R (mm RAS)", "percentile 95 (HU)"} <= set(
        table[0]
    )
    # Axes P, I and R: i runs to the back, j down, k to the right.
    assert table[0]["extent P-A (mm)"] == pytest.approx(4.8)
    assert table[0]["extent I-S (mm)"] == pytest.approx(1.8)
    assert table[0]["extent R-L (mm)"] == pytest.approx(9.0)
    save_statistics(tmp_path / "s.csv", table)
    text = (tmp_path / "s.csv").read_text(encoding="utf-8")
    assert text == statistics_csv(table)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0]["name"] == "'=Box"
    assert rows[0]["code"] == "SCT:10200004"
    assert rows[1]["volume (ml)"] == ""
    assert [row["value"] for row in rows] == ["1", "2", "7"]
    assert statistics_csv([]) == ""


def test_a_column_more_says_which_volume_and_how_many_slices_are_left_out(
    labels: LabelMap,
) -> None:
    image = np.zeros((12, 10, 6), np.int16)
    plain = statistics_table(measure_labels(labels, image), labels.grid)
    assert not {"scan volume", "slices without intensities"} & set(plain[0])
    rows = measure_labels(labels, image, missing=(2,))
    table = statistics_table(rows, labels.grid, volume="5 of 12")
    assert [row["scan volume"] for row in table] == ["5 of 12"] * 3
    assert [row["slices without intensities"] for row in table] == [1, 0, 0]
    assert list(table[0]) == [*plain[0], "scan volume", "slices without intensities"]
