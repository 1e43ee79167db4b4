"""The facts of a release are counted from its folder, for the released cases alone."""

from __future__ import annotations

import json

from napari_medlabel.project.agreement.bootstrap import Interval
from napari_medlabel.project.agreement.summary import Figure, LabelSummary
from napari_medlabel.project.release.facts import Agreement, agreement_of
from tests.project.release.released import bare, whole


def test_scans_patients_and_originals_are_counted():
    facts = whole()
    assert (facts.cases, facts.patients, facts.originals, facts.cleaned) == (4, 3, 4, 1)
    assert facts.modalities == {"CT": 4}
    assert facts.labels == ((1, "Liver | whole"),)


def test_work_is_counted_without_that_of_other_cases_and_of_tests():
    assert whole().active_s == 4 * 3600


def test_the_record_is_json_and_tells_of_splits_only_counts():
    record = json.loads(json.dumps(whole().record()))
    assert sum(record["draw"]["patients"].values()) == 3
    assert record["draw"]["seed"] == 7
    assert record["balance"]["smallest_cell"] == {"columns": ["sex", "age"], "patients": 1}
    assert record["agreement"][1]["low"] is None
    assert (record["medlabel"], record["v"]) == ("facts", 1)


def test_facts_that_nobody_knows_stay_empty_in_the_record():
    record = bare().record()
    assert record["balance"] is None
    assert record["draw"] is None
    assert record["agreement"] == []


def test_agreement_is_taken_over_with_its_interval_or_without():
    span = Interval(0.8, 0.95, 0.95, "bca", 500, 0, 1)
    figures = {"dice": Figure(0.9, span, 6), "hd95_mm": Figure(2.0, None, 1)}
    labels = [LabelSummary(1, "Liver", figures, 6, 0, 0, 0, None, 0)]
    assert agreement_of(labels) == (
        Agreement("Liver", "dice", 0.9, 0.8, 0.95, 0.95, 6),
        Agreement("Liver", "hd95_mm", 2.0, None, None, None, 1),
    )
