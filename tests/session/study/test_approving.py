"""Approval and signature: neither without the other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.secret import passphrase as sealing
from napari_medlabel.secret.passphrase import PassphraseError
from napari_medlabel.session.open_signing import ToSign, Wish
from napari_medlabel.session.signer import make_own_key
from napari_medlabel.session.study.approving import (
    approval_to_sign,
    approve_signed,
    is_signed_here,
)
from napari_medlabel.session.study.commenting import Remark, comment
from napari_medlabel.session.study.reviewing import approve, begin_review
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start
from tests.session.study.small_study import SmallStudy, make_study

WORDS = "battery staple"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallStudy]:
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)
    made = make_study(tmp_path, cases=1, readings=1, people=("m1", "r01", "r04"))
    start(made.seat("r01"), made.cases[0], "A")
    submit(made.seat("r01"), made.cases[0], "A", made.scan(), made.work(1))
    begin_review(made.seat("r04"), made.cases[0], "A")
    yield made
    made.close()


def test_what_is_approved_is_signed_with_the_passphrase(study: SmallStudy) -> None:
    seat, case, grid = study.seat("r04"), study.cases[0], study.scan().grid
    assert not is_signed_here(seat)
    make_own_key(seat.desk, lambda: WORDS)
    assert is_signed_here(seat)
    shown = approval_to_sign(seat, case, "A")
    wish = Wish("approved", "B. Muster", WORDS)

    def decide(sign, **more: str):
        return approve(seat, case, "A", sign=sign, **more)

    with pytest.raises(PassphraseError):
        approve_signed(seat, shown, grid, Wish("approved", "B. Muster", "another"), decide)
    with pytest.raises(InputError, match="Another mask counts now"):
        approve_signed(seat, ToSign("sha256:" + "0" * 64, "", True), grid, wish, decide)
    comment(seat, case, "A", Remark("Is this the dome?"))
    with pytest.raises(RefusedError, match="not resolved"):
        approve_signed(seat, shown, grid, wish, decide)
    assert look(seat, case, "A").now.state == "in_review"
    done = approve_signed(seat, shown, grid, wish, partial(decide, reason="OTHER"))
    assert look(seat, case, "A").now.state == "approved"
    assert (done.standing, done.signed.said.content) == ("unregistered", shown.content)
    assert approval_to_sign(seat, case, "A").name == "B. Muster"
    with pytest.raises(InputError, match="approved before"):
        approve_signed(seat, shown, grid, wish, decide)
    study.close()
    lines = b"".join(path.read_bytes() for path in study.layout.audit.rglob("*.jsonl"))
    events = (b"sign.apply", b"sign.fail", b"review.approve")
    assert [lines.count(b'"event":"%s"' % one) for one in events] == [1, 1, 1]
    assert b"Muster" not in lines
    assert study.is_sound()


def test_a_mask_whose_file_was_changed_is_not_signed(study: SmallStudy) -> None:
    seat, case, grid = study.seat("r04"), study.cases[0], study.scan().grid
    make_own_key(seat.desk, lambda: WORDS)
    shown = approval_to_sign(seat, case, "A")
    path = study.layout.version("r01", case, 1, "dseg.nii.gz")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError):
        approve_signed(
            seat,
            shown,
            grid,
            Wish("approved", "B. Muster", WORDS),
            lambda sign: approve(seat, case, "A", sign=sign),
        )
    assert look(seat, case, "A").now.state == "in_review"
