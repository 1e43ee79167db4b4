"""What a scan's sidecar may tell outside: what adding wrote, whoever has edited the file."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from napari_medlabel.errors import RefusedError
from napari_medlabel.project.cases.record import CaseRecord, read_record
from napari_medlabel.project.cases.sidecar import leaving_sidecar, sidecar_path
from napari_medlabel.project.layout import CaseId, Layout
from tests.project.small_study import add, make_study

OLD = {
    "ConversionSoftware": "napari-medlabel",
    "ConversionSoftwareVersion": "0.4.0",
    "Modality": "CT",
    "Manufacturer": "SIEMENS",
    "SliceThickness": 2.5,
}
STRANGE = [
    {"Comment": "Erika Muster"},
    {"Modality": "Erika Muster"},
    {"ConversionSoftwareVersion": "Erika Muster"},
    {"SliceThickness": "Erika Muster"},
    {"SliceThickness": float("nan")},
    {"SliceThickness": {"Erika": "Muster"}},
]


@pytest.fixture
def case(tmp_path: Path) -> tuple[Layout, CaseRecord]:
    layout = make_study(tmp_path / "study")
    add(layout, "001", seed=1)
    return layout, read_record(layout.case_file(CaseId("001")))


def test_of_a_record_without_a_digest_no_words_leave(case: tuple[Layout, CaseRecord]) -> None:
    layout, record = case
    assert leaving_sidecar(layout, record) is None
    sidecar_path(layout, record.case).write_text(json.dumps(OLD))
    told = leaving_sidecar(layout, record)
    assert told is not None
    assert json.loads(told) == {key: OLD[key] for key in OLD if key != "Manufacturer"}


@pytest.mark.parametrize("more", STRANGE)
def test_what_adding_does_not_write_does_not_leave(
    case: tuple[Layout, CaseRecord], more: dict[str, object]
) -> None:
    layout, record = case
    sidecar_path(layout, record.case).write_text(json.dumps({**OLD, **more}))
    with pytest.raises(RefusedError, match=r"does not write \(1\)") as caught:
        leaving_sidecar(layout, record)
    assert "Muster" not in str(caught.value)


def test_where_the_record_has_the_digest_only_those_bytes_leave(
    case: tuple[Layout, CaseRecord],
) -> None:
    layout, record = case
    data, path = json.dumps(OLD).encode(), sidecar_path(layout, record.case)
    record = replace(record, sidecar=f"sha256:{sha256(data).hexdigest()}")
    with pytest.raises(RefusedError, match="is missing"):
        leaving_sidecar(layout, record)
    path.write_bytes(data)
    assert leaving_sidecar(layout, record) == data
    path.write_bytes(data + b" ")
    with pytest.raises(RefusedError, match="not the one that was added"):
        leaving_sidecar(layout, record)
