"""Signing a saved mask: name, time, meaning and content, each time with a passphrase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from napari_medlabel.audit.format.event import ObjectRef
from napari_medlabel.audit.format.record import time_ms, time_text
from napari_medlabel.audit.keys.people import (
    Meaning,
    SignedStatement,
    Statement,
    find_statements,
    keep_statement,
    load_user_key,
    sign_statement,
)
from napari_medlabel.audit.keys.site import Site
from napari_medlabel.audit.keys.tokens import account_name, load_token_keys
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.secret.asking import Ask
from napari_medlabel.secret.passphrase import PassphraseError
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.logged import CaseEvents
from napari_medlabel.session.outbox import tell
from napari_medlabel.session.saved_mask import find_mask
from napari_medlabel.session.signed_version import (
    as_signed,
    first_mask,
    place_of,
    signed_version,
)
from napari_medlabel.session.signing_log import heard_of, is_author, saving_of
from napari_medlabel.session.version_then import against_log, lost_signed

_STEPS: Final[Mapping[str, str]] = {
    "authored": "review.submit",
    "approved": "review.approve",
}
_UTC: Final = 1000

Standing = Literal["good", "partial", "unregistered", "unlogged", "revoked", "changed"]


@dataclass(frozen=True)
class Signature:
    """A signature over a mask, and how it stands.

    Parameters
    ----------
    signed : SignedStatement
        Who says what, when.
    standing : str
        ``good``; ``partial`` where it is over the first layer's mask of a version that has
        masks of further ones; ``unregistered`` where no site names the person's key;
        ``unlogged`` where the log has no sealed line of it; ``revoked`` where the key was
        revoked before; ``changed`` where the version is not what was signed any more.
    """

    signed: SignedStatement
    standing: Standing


@dataclass(frozen=True)
class Signatures:
    """All signatures over a mask.

    Parameters
    ----------
    content : str
        Content id of the mask.
    found : tuple of Signature
        By time.
    broken : int
        Statements beside the log that were changed.
    whole : str
        Digest of the whole version, where it is one of a study; empty for any other mask.
    changed : str
        Why a study's version is not the one that the log tells of; empty where it is, and for
        any other mask.
    """

    content: str
    found: tuple[Signature, ...]
    broken: int
    whole: str = ""
    changed: str = ""


@dataclass(frozen=True)
class Found:
    """A saved mask, and what the log says of its saving.

    Parameters
    ----------
    content : str
        Content id.
    case : str
        Content id of the scan.
    subject : str
        The patient's token.
    author : str
        Token of who saved it.
    """

    content: str
    case: str
    subject: str
    author: str


def own_tokens(state: Path) -> list[str]:
    """Return this account's tokens, under the newest token key first."""
    name = account_name()
    return [key.user_token(name) for key in reversed(load_token_keys(state))]


def saved_content(mask: Path) -> str:
    """Return the content id of a mask that this program saved, after computing it anew.

    Parameters
    ----------
    mask : Path
        The NIfTI file, or its folder; its sidecar lies beside it.

    Raises
    ------
    InputError
        When there is no sidecar, or the file is not what its sidecar says.
    """
    return _unchanged(mask).content


def look_at_saved(root: Path, mask: Path) -> Found:
    """Return what is known of a saved mask, after computing its content anew.

    Raises
    ------
    InputError
        When it is not a saved one, or the log does not say when it was saved.
    """
    found = _unchanged(mask)
    saved = saving_of(root, found.content)
    return replace(found, subject=saved["subject"][0], author=saved["actor"]["user"])


def _unchanged(mask: Path) -> Found:
    found = find_mask(mask)
    named = str(found.sidecar["mask"]["content_id"])
    if found.present != named:
        raise InputError(
            "The mask is not what its sidecar says: it was changed since it was saved.",
            hint="Open it on its scan and save it again, or restore the saved version.",
        )
    return Found(named, found.case, "", "")


def sign_mask(
    desk: Desk, mask: Path, meaning: Meaning, name: str, ask: Ask, *, shown: str | None = None
) -> SignedStatement:
    """Sign a saved mask, and write that into the log, with the step of the review it means.

    The person is identified by the account and by a passphrase, which is asked for every
    time. The statement lies beside the log before the log has its line.

    Parameters
    ----------
    desk : Desk
        Log and folders.
    mask : Path
        The mask's file.
    meaning : str
        authored, reviewed or approved.
    name : str
        The person's name as it is to be printed.
    ask : callable
        Returns the passphrase.
    shown : str, optional
        Content id that the person was shown; any other is not signed.

    Raises
    ------
    PassphraseError
        When the passphrase is another one; the log has ``sign.fail`` then.
    InputError
        When the mask is not a saved one, the log does not know it, or the person has no key.
    RefusedError
        When its author would review or approve it: who saved it, or signed as such.
    LogError, SaveError
        When the log or the statement cannot be written.
    """
    mask = first_mask(mask)
    found = look_at_saved(desk.audit_root, mask)
    version = signed_version(mask)
    content = found.content
    _require_shown(content, shown)
    if meaning != "authored" and is_own(desk, found):
        desk.log.append(
            "sign.fail",
            subject=(found.subject,),
            objects=(ObjectRef(content, "new", "mask"),),
            detail={"cause": "review"},
            outcome=8,
        )
        raise RefusedError(
            f"You are the author of this mask, and '{meaning}' needs somebody else.",
            hint="Ask a colleague to look at it and sign.",
        )
    whole, objects = (content, ()) if version is None else (version.whole, version.objects)
    signed = sign_content(desk, whole, found.subject, meaning, name, ask, objects=objects)
    step = _STEPS.get(meaning)
    if step is not None:
        tell(desk.log, CaseEvents(found.case, found.subject).review(step, content))
    return signed


def sign_content(
    desk: Desk,
    content: str,
    subject_token: str,
    meaning: Meaning,
    name: str,
    ask: Ask,
    *,
    objects: tuple[ObjectRef, ...] = (),
) -> SignedStatement:
    """Sign a content that was looked at, with its line in the log; no step of a review.

    Parameters
    ----------
    content : str
        Content id of the mask, computed from its file; of a study's version its digest.
    subject_token : str
        The patient's.
    meaning, name, ask
        As in `sign_mask`.
    objects : tuple of ObjectRef
        What the log's line is about; the mask where nothing is given.

    Raises
    ------
    PassphraseError, InputError, LogError, SaveError
        As `sign_mask`.
    """
    subject = (subject_token,)
    objects = objects or (ObjectRef(content, "new", "mask"),)
    tokens = own_tokens(desk.state)
    try:
        own = load_user_key(desk.state, tokens, ask)
    except PassphraseError as err:
        desk.log.append(
            "sign.fail",
            subject=subject,
            objects=objects,
            detail={"cause": "identity"},
            outcome=8,
        )
        raise PassphraseError(
            "The passphrase does not open your signing key.",
            hint="Type it again: capitals count. Nobody can recover a lost one; "
            "`medlabel sign key --renew` makes a new key, which the officer names.",
        ) from err
    if own is None:
        raise InputError(
            "A signing key of yours was expected in this account, and there is none.",
            hint="`medlabel sign key` makes one; then the officer names it in the site.",
        )
    token, key = own
    moment_ms = int(desk.now().timestamp() * _UTC)
    said = Statement(meaning, name, content, time_text(moment_ms), token)
    signed = sign_statement(said, key)
    keep_statement(desk.audit_root, signed)
    desk.log.append("sign.apply", subject=subject, objects=objects, detail=signed.detail())
    return signed


def standing_of(root: Path, signed: SignedStatement, site: Site | None) -> Standing:
    """Return how one signature stands, as `signatures_of` says it of all of a mask."""
    return _standing(signed, site, heard_of(root, signed.said.content))


def is_own(desk: Desk, found: Found) -> bool:
    """Return whether this account saved a mask, or signed it as its author."""
    tokens = own_tokens(desk.state)
    return found.author in tokens or is_author(desk.audit_root, found.content, tokens)


def _require_shown(content: str, shown: str | None) -> None:
    if shown is not None and shown != content:
        raise InputError(
            "The mask on the disk is another one than the one shown: it was saved again since.",
            hint="Look at it, and sign the version that is there now.",
        )


def signatures_of(root: Path, mask: Path, site: Site | None) -> Signatures:
    """Return every signature over a saved mask.

    Parameters
    ----------
    root : Path
        Folder of the log.
    mask : Path
        The mask's file.
    site : Site or None
        Whose officer names people's keys.

    Raises
    ------
    InputError
        When the mask is not a saved one, or the log is not there; when it was changed since
        and is of no study's version: of one `Signatures.changed` tells it.
    """
    mask = first_mask(mask)
    place = place_of(mask)
    content = saved_content(mask) if place is None else place.version.content
    version = None if place is None else as_signed(place)
    changed = "" if place is None else against_log(root, place)
    found = find_statements(root, content)
    logged = heard_of(root, content)
    statements = found.statements
    if version is not None:
        whole = find_statements(root, version.whole)
        statements = tuple(sorted((*statements, *whole.statements), key=_time_of))
        logged = logged | heard_of(root, version.whole)
    has_more = version is not None and len(version.masks) > 1
    signatures = tuple(
        Signature(one, _of_part(_standing(one, site, logged), one, content if has_more else ""))
        for one in statements
    )
    if place is None or version is None:
        return Signatures(content, signatures, found.broken)
    lost = lost_signed(root, place) if changed or not signatures else frozenset()
    gone = [one for whole in sorted(lost) for one in find_statements(root, whole).statements]
    if changed:  # whoever signed it signed something else
        signatures = tuple(Signature(one.signed, "changed") for one in signatures)
    signatures += tuple(Signature(one, "changed") for one in gone)
    ordered = tuple(sorted(signatures, key=lambda one: _time_of(one.signed)))
    if lost and not changed:
        changed = "The version that was signed is not there any more: it was changed since."
    return Signatures(content, ordered, found.broken, version.whole, changed)


def _of_part(standing: Standing, signed: SignedStatement, part: str) -> Standing:
    """Return how a signature stands that may be over one mask of several."""
    return "partial" if standing == "good" and signed.said.content == part else standing


def _time_of(signed: SignedStatement) -> str:
    return signed.said.time


def _standing(
    signed: SignedStatement, site: Site | None, logged: Mapping[tuple[Any, Any], str]
) -> Standing:
    detail = signed.detail()
    time = logged.get((detail["statement"], detail["signature"]))
    if time is None:
        return "unlogged"
    user = None if site is None else site.user(signed.said.user, signed.public)
    if user is None:
        return "unregistered"
    # The log's time counts too: who signs can date a statement back.
    at_ms = max(time_ms(signed.said.time), time_ms(time))
    if user.revoked_ms is not None and at_ms >= user.revoked_ms:
        return "revoked"
    return "good"
