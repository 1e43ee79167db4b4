"""A deleted session is missed by nobody who knows the officer, and by all others."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from napari_medlabel.audit.anchors.receipt import make_receipt
from napari_medlabel.audit.anchors.witness import Round, WitnessMemory
from napari_medlabel.audit.check.trust import pruning_text
from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.format.seal import to_base64
from napari_medlabel.audit.keys.site import officer_name
from napari_medlabel.cli import audit
from napari_medlabel.cli.audit_witness import Watcher
from tests.audit.check.ward import WITNESS, Ward
from tests.audit.keys.site_bench import OFFICER

_MANIFEST = "sha256:" + "12" * 32


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    """A ward in which an export was seen by a witness, and has a receipt."""
    made = Ward(tmp_path / "ward")
    detail = {"destination": "folder", "manifest": _MANIFEST}
    path = made.session(Event("export.done", detail=detail))
    (tmp_path / "receipt").write_bytes(make_receipt(path, _MANIFEST))
    made.look()
    end = made.head(path)
    path.unlink()
    text = pruning_text([end], 30)
    signature = to_base64(OFFICER.sign_as(officer_name("ward-3"), text))
    pruned = {"pruned": [end.record()], "policy_days": 30, "signature": signature}
    made.session(Event("retention.prune", detail=pruned))
    return made


@pytest.fixture(params=[True, False], ids=["known", "unknown"])
def officer_is_known(
    request: pytest.FixtureRequest, ward: Ward, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> bool:
    state = ward.state if request.param else tmp_path / "own" / "state"
    monkeypatch.setenv("MEDLABEL_AUDIT_DIR", str(tmp_path / "own" / "audit"))
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(state))
    return bool(request.param)


def test_a_witness_who_knows_the_officer_misses_nothing(
    ward: Ward, officer_is_known: bool
) -> None:
    rounds: list[Round] = []
    watcher = Watcher(ward.root, WitnessMemory(ward.away, "server", ward.root), WITNESS)
    assert watcher.look(rounds.append) == (0 if officer_is_known else 5)
    codes = [fault.code for fault in rounds[0].faults]
    assert codes == ([] if officer_is_known else ["MISSING"])


def test_a_receipt_does_not_miss_it_either(
    ward: Ward, tmp_path: Path, officer_is_known: bool
) -> None:
    parser = argparse.ArgumentParser()
    audit.add_parser(parser.add_subparsers())
    words = ["audit", "receipt", str(tmp_path / "receipt"), str(ward.root)]
    parsed = parser.parse_args(words)
    assert parsed.run(parsed) == (0 if officer_is_known else 5)
