"""Cosignatures of C2SP: what a witness signs, when it has seen a head and all before it.

A timestamped Ed25519 signature over a checkpoint. https://c2sp.org/tlog-cosignature
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from napari_medlabel.audit.format.note import NoteSignature
from napari_medlabel.audit.format.seal import Head

_LENGTH: Final = 8 + 64
_LATEST: Final = 2**63 - 1


class Signer(Protocol):
    """A private key."""

    public: bytes

    def sign(self, text: bytes) -> bytes:
        """Return an Ed25519 signature, 64 bytes."""
        ...


def cosigner_id(name: str, public: bytes) -> bytes:
    """Return the key id of a witness, 4 bytes: SHA-256(name, LF, 0x04, key)[:4]."""
    return sha256(name.encode("utf-8") + b"\n\x04" + public).digest()[:4]


def _message(text: bytes, seconds: int) -> bytes:
    return b"cosignature/v1\ntime %d\n" % seconds + text


def cosign(name: str, key: Signer, head: Head, seconds: int) -> NoteSignature:
    """Sign that a head is the largest seen of its log, and fits all that was seen before.

    Parameters
    ----------
    name : str
        Of the witness.
    key : Signer
        Its key, used for nothing else.
    head : Head
        What was seen.
    seconds : int
        When, since 1970.

    Returns
    -------
    NoteSignature
        The line for the note of that head.

    Raises
    ------
    ValueError
        For a time that is none.
    """
    if not 0 < seconds <= _LATEST:
        raise ValueError("a cosignature needs a time after 1970")
    signature = key.sign(_message(head.text(), seconds))
    stamped = seconds.to_bytes(8, "big") + signature
    return NoteSignature(name, cosigner_id(name, key.public) + stamped)


def cosigned_at(raw: bytes, public: bytes, text: bytes) -> int | None:
    """Return when a witness signed a checkpoint, or None where it did not.

    Parameters
    ----------
    raw : bytes
        Time and signature, 72 bytes: the signature line without the key id.
    public : bytes
        Key of the witness, 32 bytes.
    text : bytes
        The checkpoint: the text of the note.

    Returns
    -------
    int or None
        Seconds since 1970.
    """
    seconds = int.from_bytes(raw[:8], "big")
    if len(raw) != _LENGTH or not 0 < seconds <= _LATEST:
        return None
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(raw[8:], _message(text, seconds))
    except InvalidSignature:
        return None
    return seconds
