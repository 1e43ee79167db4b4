"""The reason for an export in spite of its log, and who signs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from napari_medlabel.audit.check.verdict import Verdict
from napari_medlabel.audit.format.event import ObjectRef
from napari_medlabel.audit.format.record import time_text
from napari_medlabel.audit.keys.people import (
    SignedStatement,
    Statement,
    keep_statement,
    load_user_key,
    sign_statement,
    user_key_path,
)
from napari_medlabel.audit.keys.signatures import SigningKey
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.secret.asking import Ask
from napari_medlabel.secret.passphrase import PassphraseError
from napari_medlabel.session.signing import own_tokens
from napari_medlabel.session.study.seat import Seat, require_reason

_MS: Final = 1000
_SERIOUS: Final = 8


@dataclass(frozen=True)
class Grounds:
    """Why an export goes on although the log is not green.

    Parameters
    ----------
    code : str
        A reason's code.
    name : str
        The person's name as it is printed beside the signature; empty without one.
    ask : callable or None
        Returns the passphrase of the person's signing key.
    """

    code: str
    name: str = ""
    ask: Ask | None = None


@dataclass(frozen=True)
class Signer:
    """Somebody whose key is open.

    Parameters
    ----------
    token : str
        Of the person.
    name : str
        As it is printed.
    key : SigningKey
        The key.
    """

    token: str
    name: str
    key: SigningKey


def open_grounds(seat: Seat, verdict: Verdict, grounds: Grounds) -> Signer | None:
    """Check a reason, and open the key of who gives it: before anything is written.

    Parameters
    ----------
    seat : Seat
        Who.
    verdict : Verdict
        On the log: red goes with a signature alone.
    grounds : Grounds
        The reason.

    Returns
    -------
    Signer or None
        None where the person has no key on this workstation.

    Raises
    ------
    InputError
        When the reason is none, or no name goes with the signature.
    RefusedError
        When the log is red and the person has no key.
    PassphraseError
        When the passphrase is another one; the log has ``sign.fail`` then.
    """
    require_reason(grounds.code)
    state, tokens = seat.desk.state, own_tokens(seat.desk.state)
    if not any(user_key_path(state, token).is_file() for token in tokens):
        if verdict is Verdict.RED:
            raise RefusedError(
                "The study's log is red: an export in spite of that must be signed, and you "
                "have no signing key on this workstation.",
                hint="See what was altered: medlabel audit verify. A key: medlabel sign key",
            )
        return None
    if not grounds.name or grounds.ask is None:
        raise InputError(
            "A name to be printed beside the signature was expected, and none came.",
            hint='Give it with --name "First Last".',
        )
    try:
        found = load_user_key(state, tokens, grounds.ask)
    except PassphraseError:
        seat.desk.log.append("sign.fail", detail={"cause": "identity"}, outcome=_SERIOUS)
        raise
    if found is None:  # removed just now
        raise InputError("Your signing key is gone.", hint="Try again.")
    return Signer(found[0], grounds.name, found[1])


def sign_export(seat: Seat, signer: Signer, manifest: str) -> SignedStatement:
    """Sign a data set that is about to leave, and tell the log.

    Parameters
    ----------
    manifest : str
        Of the data set, ``sha256:<hex>``.

    Raises
    ------
    LogError, SaveError
        When statement or log cannot be written.
    """
    moment = time_text(int(seat.desk.now().timestamp() * _MS))
    said = Statement("approved", signer.name, manifest, moment, signer.token)
    signed = sign_statement(said, signer.key)
    keep_statement(seat.desk.audit_root, signed)
    objects = (ObjectRef(manifest, "output", "dataset"),)
    seat.desk.log.append("sign.apply", objects=objects, detail=signed.detail())
    return signed
