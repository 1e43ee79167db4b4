"""Every file that is installed with pydicom is cleaned, or refused with a reason."""

from __future__ import annotations

from collections import Counter
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from napari_medlabel.deid.dicom.file import clean_file, quiet, read
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import load_profile

LARGEST = 1_000_000
FOLDER = Path(str(get_testdata_file("CT_small.dcm", download=False))).parents[1]
ALL_BUT = frozenset(
    {Option.CLEAN_PIXELS, Option.CLEAN_FACES, Option.RETAIN_DATES, Option.RETAIN_UIDS}
)


def told(content: bytes) -> set[bytes]:
    """Return the parts of the patient's name and ID that prove something."""
    with quiet():
        try:
            source = read(content)
        except QuarantineError:
            return set()
        values = [source.get_item(tag) for tag in (0x00100010, 0x00100020) if tag in source]
    parts = [p for v in values for p in bytes(v.value or b"").replace(b"^", b" ").split()]
    return {part for part in parts if len(part) >= 6}


@pytest.mark.parametrize("chosen", [(), tuple(set(Option) - ALL_BUT)], ids=["none", "many"])
def test_every_file_that_ships_with_pydicom_is_done_or_refused(chosen, pseudonyms):
    profile, outcomes = load_profile(options=chosen), Counter()
    for path in sorted(FOLDER.rglob("*")):
        if not path.is_file() or path.stat().st_size > LARGEST:
            continue
        content = path.read_bytes()
        try:
            cleaned = clean_file(content, profile, pseudonyms)
        except QuarantineError as refused:
            outcomes[refused.reason] += 1
            continue
        outcomes["done"] += 1
        with quiet():
            again = pydicom.dcmread(BytesIO(cleaned.content))
        assert again.PatientIdentityRemoved == "YES"
        lowered = cleaned.content.lower()
        assert not [part for part in told(content) if part.lower() in lowered]
    assert outcomes.pop("done") > 60
    assert outcomes.total() > 10
    assert set(outcomes) <= set(Reason)
