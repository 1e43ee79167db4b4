"""Approving with a signature: name and passphrase over all that is approved."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from napari_medlabel.audit.keys.people import SignedStatement
from napari_medlabel.audit.keys.pins import pinned_officer
from napari_medlabel.audit.keys.site_history import read_history
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.project.cases.version import whole_digest
from napari_medlabel.project.layout import CaseId
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.open_signing import Done, ToSign, Wish
from napari_medlabel.session.signed_version import SignedVersion
from napari_medlabel.session.signer import own_key, remember_name, remembered_name
from napari_medlabel.session.signing import Standing, sign_content, standing_of
from napari_medlabel.session.study.reviewing import Sign
from napari_medlabel.session.study.seat import Reading, Seat, look
from napari_medlabel.session.study.whole import masks_at, require_unchanged, version_at

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
    """Return what would be signed with an approval: all that counts now, by its digest.

    Raises
    ------
    InputError
        When nothing was submitted.
    """
    at = look(seat, case, slot)
    if not at.now.content:
        raise InputError("Nothing was submitted of this reading.", hint="Wait until it is.")
    state, whole = seat.desk.state, whole_digest(seat.layout, version_at(seat, at))
    return ToSign(whole, remembered_name(state), own_key(state) is not None)


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
        version = _unchanged(seat, at, shown.content, grid)
        made.append(
            sign_content(
                seat.desk,
                version.whole,
                at.record.subject,
                wish.meaning,
                wish.name,
                lambda: wish.passphrase,
                objects=version.objects,
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


def _unchanged(seat: Seat, at: Reading, whole: str, grid: Grid) -> SignedVersion:
    """Return what counts now, when it is what was shown, by the voxels of every layer."""
    if whole_digest(seat.layout, version_at(seat, at)) != whole:
        raise InputError(
            "Another mask counts now than the one that was shown: it was submitted again.",
            hint="Close it, look at the new one, and sign then.",
        )
    return SignedVersion(require_unchanged(seat, at, grid), masks_at(seat, at))


def _standing(desk: Desk, signed: SignedStatement) -> Standing:
    history = read_history(desk.audit_root)
    pinned = pinned_officer(desk.state)
    is_ours = not history.problems and (pinned is None or history.follows_from(pinned))
    site = history.current.site if is_ours and history.current is not None else None
    return standing_of(desk.audit_root, signed, site)
