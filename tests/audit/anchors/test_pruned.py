"""What is remembered of a session that an officer had deleted is not missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_medlabel.audit.anchors.code import check_code, keep_code, make_code
from napari_medlabel.audit.anchors.pruned import is_pruned
from napari_medlabel.audit.anchors.receipt import check_receipt, make_receipt, read_receipt
from napari_medlabel.audit.anchors.witness import look
from napari_medlabel.audit.check.session_check import check_session
from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.format.seal import Head
from tests.audit.bench import Bench

_ORIGIN = "medlabel.local/ward-3/w0123456789abcdef/20261122T101403Z-01JDABCDEFGHJKMNPQRSTVWXYZ"
_END = Head(_ORIGIN, 7, bytes(range(32)))
_MANIFEST = "sha256:" + "12" * 32


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (_END, True),
        (replace(_END, size=6, root=bytes(32)), True),
        (replace(_END, size=8), False),
        (replace(_END, root=bytes(32)), False),
        (replace(_END, origin=_ORIGIN[:-1] + "0"), False),
    ],
    ids=["end", "before", "longer", "other root", "other session"],
)
def test_a_head_is_covered_up_to_the_end_that_the_officer_signed(
    head: Head, expected: bool
) -> None:
    assert is_pruned(head, [_END]) is expected
    assert not is_pruned(head, [])


def test_witness_paper_and_receipt_do_not_miss_it(bench: Bench) -> None:
    with bench.open() as log:
        detail = {"destination": "folder", "manifest": _MANIFEST}
        log.append_many([Event("export.done", detail=detail)])
    file = log.path.relative_to(bench.root).as_posix()
    report = check_session(log.path, file)
    assert report.sealed is not None
    seen = {session_file(report.origin): report.sealed}
    receipt = read_receipt(make_receipt(log.path, _MANIFEST))
    code = make_code([report], "ward-3", "2026-11-22T10:10:32.104Z")
    keep_code(bench.root, code)
    log.path.unlink()
    ends = [report.sealed]
    assert [fault.code for fault in look([], seen)[1]] == ["MISSING"]
    assert look([], seen, ends) == ({}, [])
    assert check_code(code.text, bench.root, []) is not None
    assert check_code(code.text, bench.root, [], pruned=ends) is None
    assert [fault.code for fault in check_receipt(receipt, bench.root)] == ["MISSING"]
    assert check_receipt(receipt, bench.root, pruned=ends) == []
