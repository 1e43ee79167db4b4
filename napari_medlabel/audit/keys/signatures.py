"""Ed25519 signatures by keys that last, with the key id of C2SP signed notes in front."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from napari_medlabel.audit.format.crockford import encode, grouped, is_code, normal
from napari_medlabel.audit.format.seal import key_id

SEED_BYTES: Final = 32
"""Length of a private key."""

FINGERPRINT_BYTES: Final = 10
_FEWEST_LETTERS: Final = 8


class SigningKey:
    """A private key in memory; it shows its public half only.

    Parameters
    ----------
    seed : bytes
        32 random bytes.
    """

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public: bytes = self._private.public_key().public_bytes_raw()

    def sign(self, text: bytes) -> bytes:
        """Return the signature alone, 64 bytes."""
        return self._private.sign(text)

    def derived(self, purpose: bytes) -> bytes:
        """Return another secret of 32 bytes, for one purpose; it tells nothing of this one."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return HKDF(SHA256(), 32, None, purpose).derive(self._private.private_bytes_raw())

    def sign_as(self, name: str, text: bytes) -> bytes:
        """Return key id and signature, 68 bytes.

        Parameters
        ----------
        name : str
            Of the key, in ASCII.
        text : bytes
            What is signed.
        """
        return key_id(name, self.public) + self.sign(text)


def is_signed(public: bytes, text: bytes, signature: bytes) -> bool:
    """Return whether a signature of 64 bytes is by this key over this text."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_signed_as(name: str, public: bytes, text: bytes, raw: bytes) -> bool:
    """Return whether 68 bytes are the id of the key under this name, and its signature."""
    return raw[:4] == key_id(name, public) and is_signed(public, text, raw[4:])


def fingerprint(public: bytes) -> str:
    """Return a public key as people compare it: 16 letters, 80 bits of its SHA-256.

    The 40 bits of 8 letters can be met by another key in a few months of one computer's time;
    80 bits cannot.
    """
    return grouped(encode(sha256(public).digest()[:FINGERPRINT_BYTES]))


def is_fingerprint(typed: str, public: bytes) -> bool:
    """Return whether what somebody typed begins the fingerprint of a key.

    Parameters
    ----------
    typed : str
        At least 8 of the letters, in any spelling that `crockford.normal` takes.
    public : bytes
        The key.
    """
    letters = normal(typed)
    whole = normal(fingerprint(public))
    return is_code(letters) and len(letters) >= _FEWEST_LETTERS and whole.startswith(letters)
