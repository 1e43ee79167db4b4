"""Approving with a signature: name and passphrase over the mask that is approved."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from napari_medlabel.audit.keys.people import SignedStatement
from napari_medlabel.audit.keys.pins import pinned_officer
from napari_medlabel.audit.keys.site_history import read_history
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.project.cases.version import read_labels, read_version
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.open_signing import Done, ToSign, Wish
from napari_medlabel.session.signer import own_key, remember_name, remembered_name
from napari_medlabel.session.signing import Standing, sign_content, standing_of
from napari_medlabel.session.study.reviewing import Sign
from napari_medlabel.session.study.seat import Reading, Seat, look

Decide = Callable[[Sign], object]


def is_signed_here(seat: Seat) -> bool:
    """Tell whether this person has a signing key here: then approvals are signed.

    Raises
    ------
    InputError
        When the key's file is damaged, or others may read it.
    """
    return own_key(seat.desk.state) is not None


def approval_to_sign(seat: Seat, case: CaseId, slot: str) -> ToSign:
    """Return what would be signed with an approval: the mask that counts now.

    Raises
    ------
    InputError
        When nothing was submitted.
    """
    content = look(seat, case, slot).now.content
    if not content:
        raise InputError("Nothing was submitted of this reading.", hint="Wait until it is.")
    state = seat.desk.state
    return ToSign(content, remembered_name(state), own_key(state) is not None)


def approve_signed(seat: Seat, shown: ToSign, grid: Grid, wish: Wish, decide: Decide) -> Done:
    """Sign what is approved, then approve it; neither happens without the other.

    Parameters
    ----------
    shown : ToSign
        What the person was shown; anything else is not signed.
    grid : Grid
        Of the case's scan.
    wish : Wish
        Name, meaning and passphrase.
    decide : callable
        Approves, with what signs: `reviewing.approve` or `decide_labels`.

    Raises
    ------
    PassphraseError
        When the passphrase is another one; the log has ``sign.fail`` then.
    InputError
        When the mask is another one than the one shown, or its file was changed.
    RefusedError, LogError, SaveError
        As `reviewing.approve` and `signing.sign_mask`.
    """
    made: list[SignedStatement] = []

    def sign(at: Reading) -> None:
        _require_unchanged(seat, at, shown.content, grid)
        subject = at.record.subject
        given = wish.passphrase
        made.append(
            sign_content(
                seat.desk, shown.content, subject, wish.meaning, wish.name, lambda: given
            )
        )

    decide(sign)
    key = own_key(seat.desk.state)
    if not made or key is None:
        raise InputError(
            "It was approved before, so nothing was signed now.",
            hint="See how it stands in the list, or: medlabel project status STUDY",
        )
    # Where it cannot be kept, the signature stands and the name is typed once more next time.
    with suppress(SaveError):
        remember_name(seat.desk.state, wish.name)
    return Done(made[0], _standing(seat.desk, made[0]), key)


def _require_unchanged(seat: Seat, at: Reading, content: str, grid: Grid) -> None:
    """Refuse a mask that is not the one shown, by its voxels and not by what is said of it."""
    if at.now.content != content:
        raise InputError(
            "Another mask counts now than the one that was shown: it was submitted again.",
            hint="Close it, look at the new one, and sign then.",
        )
    version = read_version(seat.layout, seat.code_of(at.now.maker), at.case, at.now.version)
    scheme = read_ontology(seat.layout.ontology).scheme()
    if read_labels(seat.layout, version, grid, scheme, 0).content_id() != content:
        raise InputError(
            "The mask's file is not what was submitted: it was changed since.",
            hint="Let the study's manager check it: medlabel project validate STUDY",
        )


def _standing(desk: Desk, signed: SignedStatement) -> Standing:
    history = read_history(desk.audit_root)
    pinned = pinned_officer(desk.state)
    is_ours = not history.problems and (pinned is None or history.follows_from(pinned))
    site = history.current.site if is_ours and history.current is not None else None
    return standing_of(desk.audit_root, signed, site)
