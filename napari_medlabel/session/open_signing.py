"""Signing the mask of the open case: what will be signed, the signing, and how it stands."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from napari_medlabel.audit.keys.people import Meaning, SignedStatement
from napari_medlabel.audit.keys.pins import pinned_officer
from napari_medlabel.audit.keys.site_history import read_history
from napari_medlabel.errors import InputError, RefusedError, SaveError
from napari_medlabel.session.case import Session
from napari_medlabel.session.signer import (
    OwnKey,
    make_own_key,
    own_key,
    remember_name,
    remembered_name,
)
from napari_medlabel.session.signing import Standing, saved_content, sign_mask, signatures_of

_DIGITS: Final = 12


@dataclass(frozen=True)
class ToSign:
    """What a person is shown before signing.

    Parameters
    ----------
    content : str
        Content id of the mask on the disk.
    name : str
        The name that was printed last; empty where there is none.
    has_key : bool
        Whether the person has a signing key on this computer.
    """

    content: str
    name: str
    has_key: bool

    @property
    def version(self) -> str:
        """The mask's version, as short as lists of versions show it."""
        return short_id(self.content)


@dataclass(frozen=True)
class Wish:
    """What a person asks for.

    Parameters
    ----------
    meaning : str
        authored, reviewed or approved.
    name : str
        As it is to be printed.
    passphrase : str
        Given for this one signature.
    """

    meaning: Meaning
    name: str
    passphrase: str = field(repr=False)


@dataclass(frozen=True)
class Done:
    """A signature that was made.

    Parameters
    ----------
    signed : SignedStatement
        Name, time, meaning, content.
    standing : str
        As of now, see `Signature`.
    key : OwnKey
        What the officer needs to name the person's key.
    """

    signed: SignedStatement
    standing: Standing
    key: OwnKey

    @property
    def version(self) -> str:
        """The version that is signed, in short."""
        return short_id(self.signed.said.content)


def short_id(content: str) -> str:
    """Return the first digits of a content id."""
    return content.removeprefix("sha256:")[:_DIGITS]


def require_saved(session: Session) -> None:
    """Refuse a case whose labels are not the mask on the disk.

    Raises
    ------
    RefusedError
        When there is unsaved work, or nothing was ever saved.
    """
    session.reconcile()
    if session.is_dirty:
        raise RefusedError(
            "There is unsaved work, and a signature is over a saved mask.",
            hint="Save it (F2), then sign.",
        )
    if session.saved_mask is None:
        raise RefusedError(
            "This mask was never saved, and a signature is over a saved mask.",
            hint="Save it (F2), then sign.",
        )


def look_before_signing(session: Session) -> ToSign:
    """Return what would be signed, after computing the mask's content anew.

    Raises
    ------
    InputError
        When the mask on the disk is not the one that is open, or was changed.
    """
    content = saved_content(session.place.mask)
    if content != session.saved_mask:
        raise InputError(
            "The mask on the disk is another one than the one that is open: another window or "
            "program saved it.",
            hint="Close the scan and open it again, look at the mask, then sign.",
        )
    state = session.desk.state
    return ToSign(content, remembered_name(state), own_key(state) is not None)


def sign_open_mask(session: Session, content: str, wish: Wish) -> Done:
    """Sign the mask of the open case; a person without a key gets one under the passphrase.

    Parameters
    ----------
    session : Session
        The open case.
    content : str
        Content id that the person was shown; any other is not signed.
    wish : Wish
        What the person asks for.

    Raises
    ------
    PassphraseError
        When the passphrase is another one; the log has ``sign.fail`` then.
    InputError, RefusedError, LogError, SaveError
        As `make_own_key` and `sign_mask`.
    """
    desk = session.desk
    key = own_key(desk.state) or make_own_key(desk, lambda: wish.passphrase)
    signed = sign_mask(
        desk,
        session.place.mask,
        wish.meaning,
        wish.name,
        lambda: wish.passphrase,
        shown=content,
    )
    # Where it cannot be kept, the signature stands and the name is typed once more next time.
    with suppress(SaveError):
        remember_name(desk.state, wish.name)
    return Done(signed, _standing(session, signed), key)


def _standing(session: Session, signed: SignedStatement) -> Standing:
    root = session.desk.audit_root
    history = read_history(root)
    pinned = pinned_officer(session.desk.state)
    is_ours = not history.problems and (pinned is None or history.follows_from(pinned))
    site = history.current.site if is_ours and history.current is not None else None
    found = signatures_of(root, session.place.mask, site).found
    return next((one.standing for one in found if one.signed == signed), "unlogged")
