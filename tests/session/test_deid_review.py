"""A decision about waiting images changes the data set, so its receipt is made anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_medlabel.audit.anchors.receipt import check_receipt, read_receipt
from napari_medlabel.deid.report.counts import Look, Queued
from napari_medlabel.deid.report.review import write_queue
from napari_medlabel.errors import InputError
from napari_medlabel.session.deid_review import decide_logged
from napari_medlabel.session.desk import Desk, open_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = open_desk(tmp_path / "audit", state=tmp_path / "state")
    yield found
    found.log.close()


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    folder = tmp_path / "out-review"
    (folder / "P-1").mkdir(parents=True)
    queued = []
    for number, token in enumerate(("F-AAAA", "F-BBBB"), start=1):
        name = ("P-1", f"I-{number}.dcm")
        folder.joinpath(*name).write_bytes(bytes([number]))
        queued.append(Queued(number, token, name, frozenset({Look.ULTRASOUND})))
    write_queue(folder, queued)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "deid-report.json").write_text('{"files": 2}')
    return folder


def _events(root: Path) -> list[str]:
    lines = [line for path in root.rglob("*.jsonl") for line in path.read_bytes().splitlines()]
    names = [json.loads(line).get("event", "") for line in lines]
    return [name for name in names if name.startswith(("export.", "deid."))]


@pytest.mark.parametrize(("accept", "reject"), [(["F-AAAA"], []), ([], ["F-AAAA"])])
def test_the_receipt_is_true_of_what_the_data_set_is_now(
    desk: Desk, waiting: Path, tmp_path: Path, accept: list[str], reject: list[str]
) -> None:
    target = tmp_path / "out"
    done = decide_logged(waiting, target, desk, accept=accept, reject=reject)
    assert (done.accepted, done.rejected) == (len(accept), len(reject))
    receipt = read_receipt((target / "audit_receipt.json").read_bytes())
    assert check_receipt(receipt, tmp_path / "audit", [target]) == []
    assert _events(tmp_path / "audit") == ["export.begin", "deid.review", "export.done"]


def test_a_second_decision_makes_it_anew(desk: Desk, waiting: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    receipts = set()
    for token in ("F-AAAA", "F-BBBB"):
        decide_logged(waiting, target, desk, accept=[token])
        raw = (target / "audit_receipt.json").read_bytes()
        assert check_receipt(read_receipt(raw), tmp_path / "audit", [target]) == []
        receipts.add(raw)
    assert len(receipts) == 2


def test_a_decision_that_fails_is_logged_as_failed(
    desk: Desk, waiting: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError):
        decide_logged(waiting, tmp_path / "out", desk, accept=["F-ZZZZ"])
    assert _events(tmp_path / "audit") == ["export.begin", "export.fail"]
    assert not (tmp_path / "out" / "audit_receipt.json").exists()


def test_no_decision_leaves_no_event(desk: Desk, waiting: Path, tmp_path: Path) -> None:
    assert decide_logged(waiting, tmp_path / "out", desk).left == 2
    assert _events(tmp_path / "audit") == []
