"""Approval and signature: neither without the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from napari_medlabel.cli.main import main
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.io.files import sha256_file
from napari_medlabel.project.cases.version import read_version
from napari_medlabel.project.checks.validate import validate
from napari_medlabel.project.work.steps import log_steps
from napari_medlabel.secret import passphrase as sealing
from napari_medlabel.secret.passphrase import PassphraseError
from napari_medlabel.session.open_signing import ToSign, Wish
from napari_medlabel.session.signer import make_own_key
from napari_medlabel.session.signing import saved_content, sign_content, signatures_of
from napari_medlabel.session.study.approving import (
    approval_to_sign,
    approve_signed,
    is_signed_here,
)
from napari_medlabel.session.study.commenting import Remark, comment
from napari_medlabel.session.study.reviewing import approve, begin_review, reject
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start
from tests.session.study.changing import change, changed
from tests.session.study.layered_study import make_layered
from tests.session.study.small_study import SUBJECT, SmallStudy, make_study

WORDS = "battery staple"


@pytest.fixture
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)


@pytest.fixture
def study(tmp_path: Path, quick_keys: None) -> Iterator[SmallStudy]:
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
    sidecar = study.layout.version("r01", case, 1, "dseg.json")
    assert shown.content == f"sha256:{sha256_file(sidecar)}"
    assert approval_to_sign(seat, case, "A").name == "B. Muster"
    with pytest.raises(InputError, match="approved before"):
        approve_signed(seat, shown, grid, wish, decide)
    study.close()
    lines = b"".join(path.read_bytes() for path in study.layout.audit.rglob("*.jsonl"))
    events = (b"sign.apply", b"sign.fail", b"review.approve")
    assert [lines.count(b'"event":"%s"' % one) for one in events] == [1, 1, 1]
    assert b"Muster" not in lines
    # The submission and the approval name the whole version.
    assert lines.count(f'"whole":"{shown.content}"'.encode()) == 2
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


def layered_approval(tmp: Path, *, signs: bool = True) -> tuple[SmallStudy, Path, str]:
    """Return a study with an approved reading of two layers, its mask, and what is signed."""
    study = make_layered(tmp, readings=1)
    case = study.cases[0]
    begin_review(study.seat("r04"), case, "A")
    seat, grid = study.seat("r04"), study.scan().grid
    make_own_key(seat.desk, lambda: WORDS)
    shown = approval_to_sign(seat, case, "A")
    if signs:
        wish = Wish("approved", "B. Muster", WORDS)
        approve_signed(
            seat, shown, grid, wish, lambda sign: approve(seat, case, "A", sign=sign)
        )
    study.close()
    return study, study.layout.version("r01", case, 1, "dseg.nii.gz"), shown.content


def rules_found(study: SmallStudy) -> set[str]:
    """Return the rules of errors; the small study has no list of patients."""
    found = validate(study.layout).findings
    return {one.rule for one in found if one.level == "error"} - {"participants"}


def standings(root: Path, mask: Path) -> list[str]:
    """Return how the signatures over a version stand."""
    return [one.standing for one in signatures_of(root, mask, None).found]


@pytest.mark.usefixtures("quick_keys")
def test_a_signature_is_over_the_masks_of_all_layers(tmp_path: Path) -> None:
    study, mask, whole = layered_approval(tmp_path)
    root = study.layout.audit
    for path in (mask, mask.with_name(mask.name.replace("dseg.nii", "l1dseg.nii"))):
        found = signatures_of(root, path, None)
        assert (found.whole, found.broken) == (whole, 0)
        assert [(one.signed.said.content, one.standing) for one in found.found] == [
            (whole, "unregistered")
        ]
    approved = next(one for one in log_steps(root) if one.action == "approve")
    version = read_version(study.layout, "r01", study.cases[0], 1)
    assert approved.masks == (version.content, version.sheets[1])
    assert approved.detail["whole"] == whole
    assert rules_found(study) == set()

    # Another mask on the further layer, hidden behind a sidecar that fits it.
    second = version.path(study.layout, "l1dseg.nii.gz")
    before = second.read_bytes()
    second.write_bytes(mask.read_bytes())
    assert standings(root, mask) == ["changed"]
    assert "not the one that was submitted" in signatures_of(root, mask, None).changed
    assert rules_found(study) == {"hash", "approved", "signed"}
    second.write_bytes(before)
    sidecar = study.layout.version("r01", study.cases[0], 1, "dseg.json")
    data = sidecar.read_bytes()
    sidecar.write_bytes(data.replace(b'"saved": "20', b'"saved": "19'))
    assert sidecar.read_bytes() != data
    assert rules_found(study) == {"approved", "signed"}
    assert standings(root, mask) == ["changed"]
    assert "submitted and approved" in signatures_of(root, mask, None).changed
    sidecar.write_bytes(data)
    first = mask.read_bytes()
    mask.write_bytes(before)
    assert standings(root, mask) == ["changed"]
    mask.write_bytes(first)
    assert standings(root, mask) == ["unregistered"]
    (statement,) = (root / "signatures").iterdir()
    statement.write_bytes(statement.read_bytes().replace(b"Muster", b"Mustex"))
    assert rules_found(study) == {"signed"}


@pytest.mark.usefixtures("quick_keys")
@pytest.mark.parametrize(("layers", "standing"), [(1, "good"), (2, "partial")])
def test_a_signature_of_before_is_over_the_first_mask_alone(
    tmp_path: Path, layers: int, standing: str
) -> None:
    if layers == 2:
        study, mask, whole = layered_approval(tmp_path, signs=False)
    else:
        study = make_study(tmp_path, cases=1, readings=1, people=("m1", "r01", "r04"))
        start(study.seat("r01"), study.cases[0], "A")
        submit(study.seat("r01"), study.cases[0], "A", study.scan(), study.work(1))
        make_own_key(study.seat("r04").desk, lambda: WORDS)
        mask, whole = study.layout.version("r01", study.cases[0], 1, "dseg.nii.gz"), ""
    seat, content = study.seat("r04"), saved_content(mask)
    signed = sign_content(seat.desk, content, SUBJECT, "approved", "B. Muster", lambda: WORDS)
    study.close()
    user = KnownUser(signed.said.user, signed.public)
    (one,) = signatures_of(study.layout.audit, mask, user).found  # type: ignore[arg-type]
    assert (one.standing, one.signed.said.content) == (standing, content)
    assert content != whole
    assert rules_found(study) == set()


@dataclass(frozen=True)
class KnownUser:
    """A site whose officer has named one key."""

    token: str
    public: bytes
    revoked_ms: None = None

    def user(self, token: str, public: bytes) -> KnownUser | None:
        return self if (token, public) == (self.token, self.public) else None


def test_a_submission_whose_sidecar_was_made_to_fit_is_not_approved(study: SmallStudy) -> None:
    seat, case = study.seat("r04"), study.cases[0]
    change(study, read_version(study.layout, "r01", case, 1), "answers.json")
    assert rules_found(study) == {"submitted"}
    with pytest.raises(InputError, match="not there as it was when it was submitted"):
        approve(seat, case, "A")
    assert look(seat, case, "A").now.state == "in_review"
    # Handed in once more, the same work is a version of its own: the changed one stays red.
    reject(seat, case, "A", reason="OTHER")
    start(study.seat("r01"), case, "A")
    again = submit(study.seat("r01"), case, "A", study.scan(), study.work(1))
    assert again.version.number == 2
    begin_review(study.seat("r04"), case, "A")
    assert approve(study.seat("r04"), case, "A").state == "approved"
    assert rules_found(study) == {"submitted"}


def test_signatures_over_a_version_that_was_changed_are_red(
    study: SmallStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    version = read_version(study.layout, "r01", study.cases[0], 1)
    mask = study.layout.version("r01", study.cases[0], 1, "dseg.nii.gz")
    study.close()
    verify = ["sign", "verify", str(mask), "--audit", str(study.layout.audit)]
    assert main(verify) == 4
    for fits, words in ((False, "not the one that was"), (True, "as it was when it was")):
        with changed(study, version, "dseg.nii.gz", fits=fits):
            assert main(verify) == 5
        assert words in capsys.readouterr().out
    assert main(verify) == 4
