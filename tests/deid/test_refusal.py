from __future__ import annotations

import pytest
from pydicom.errors import InvalidDicomError

from napari_medlabel.deid import refusal
from napari_medlabel.deid.refusal import BYTE_ERRORS, QuarantineError
from napari_medlabel.deid.report.counts import Reason


def test_a_refusal_comes_back_from_another_process_with_its_reason():
    kind, values = QuarantineError(Reason.UNREADABLE).__reduce__()
    again = kind(*values)
    assert again.reason is Reason.UNREADABLE
    assert Reason.UNREADABLE.value in str(again)


def test_the_parsers_errors_are_those_of_bytes_and_its_own():
    assert set(BYTE_ERRORS) < set(refusal.PARSE_ERRORS)
    assert InvalidDicomError in refusal.PARSE_ERRORS


def test_nothing_else_is_made_up():
    with pytest.raises(AttributeError):
        refusal.SOMETHING_ELSE  # noqa: B018 - asking is what is tested
